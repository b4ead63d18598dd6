/* SPDX-License-Identifier: Apache-2.0 */
/* The ids of a session are cut into parts wherever contexts part or meet. Behind each part one
 * other may be named in sequence: the one that most contexts have there. Two rules keep what
 * outputs are named. Behind a part that an output goes past come the ids that were there before, or
 * none. And chains of parts are told apart by a name that nothing has.
 *
 * A context is looked through from where it leaves its base, and once more from its beginning when
 * ids that stand together everywhere are one part: there are as many as forks then. */
#include "engine/work/script_names.h"

#include "engine/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- contexts of the session ---- */

/* The first one of those from node `i` on; NULL: no more. */
static const struct mr_script_node *next_call(const struct mr_script *script, size_t *i)
{
    while (*i < script->n_node)
        if (script->node[(*i)++].kind == MR_SCRIPT_LLM)
            return &script->node[*i - 1];
    return NULL;
}

/* Is there a break to mend? Outputs behind a run that is not the session's own are named by place:
 * then every name has to stay. */
static bool may_gain(const struct mr_script *script, size_t first)
{
    bool has_break = false;
    for (size_t c = first; c < script->n_context; c++) {
        const struct mr_script_context *context = &script->context[c];
        const struct mr_script_run *run = &script->run[context->run];
        if (context->n_run == 0 || run[context->n_run - 1].space != 0)
            return false;
        has_break |= context->n_run > 1 && run[context->n_run - 2].space == 0;
    }
    return has_break;
}

/* The last block that its base has, too: what is before it was looked at with the base. */
static uint32_t first_new(const struct mr_script *script, const struct mr_script_context *context)
{
    uint32_t n = context->n_keep < context->n_block ? context->n_keep : context->n_block;
    if (n > 0 && script->context[context->base].n_block < n) /* the rest is its output */
        n = script->context[context->base].n_block;
    return n > 0 ? n - 1 : 0;
}

/* The run that holds block `at`; *skip: blocks of it before that. */
static const struct mr_script_run *run_at(const struct mr_script *script,
                                          const struct mr_script_context *context, uint32_t at,
                                          uint32_t *skip)
{
    const struct mr_script_run *run = &script->run[context->run];
    for (*skip = at; *skip >= run->n; run++)
        *skip -= run->n;
    return run;
}

static const struct mr_script_run *run_end(const struct mr_script *script,
                                           const struct mr_script_context *context)
{
    return &script->run[context->run + context->n_run];
}

/* ---- parts ---- */

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static mr_status find_bounds(struct mr_script_names *names, const struct mr_script *script,
                             size_t first, struct mr_err *err)
{
    names->n_bound = 0;
    for (size_t c = first; c < script->n_context; c++) {
        const struct mr_script_context *context = &script->context[c];
        uint32_t skip;
        MR_TRY(mr_grow(&names->bound, &names->cap_bound,
                       names->n_bound + 2 * (size_t)context->n_run, sizeof *names->bound, err));
        for (const struct mr_script_run *run =
                 run_at(script, context, first_new(script, context), &skip);
             run < run_end(script, context); run++)
            if (run->space == 0) {
                names->bound[names->n_bound++] = run->id;
                names->bound[names->n_bound++] = run->id + run->n;
            }
    }
    qsort(names->bound, names->n_bound, sizeof *names->bound, compare);
    return MR_OK;
}

static mr_status cut_parts(struct mr_script_names *names, const struct mr_script *script,
                           size_t first, struct mr_err *err)
{
    MR_TRY(find_bounds(names, script, first, err));
    MR_TRY(mr_grow(&names->part, &names->cap_part, names->n_bound, sizeof *names->part, err));
    names->n_part = 0;
    for (size_t i = 0; i + 1 < names->n_bound; i++)
        if (names->bound[i + 1] > names->bound[i])
            names->part[names->n_part++] =
                (struct mr_script_part){.id = names->bound[i],
                                        .n = names->bound[i + 1] - names->bound[i],
                                        .wish = MR_SCRIPT_NONE,
                                        .next = MR_SCRIPT_NONE,
                                        .before = MR_SCRIPT_NONE};
    return MR_OK;
}

/* The part of an id that some context has. */
static uint32_t part_of(const struct mr_script_names *names, uint32_t id)
{
    size_t from = 0, to = names->n_part - 1;
    while (from < to) {
        const size_t mid = from + (to - from + 1) / 2;
        if (names->part[mid].id <= id)
            from = mid;
        else
            to = mid - 1;
    }
    return (uint32_t)from;
}

/* Part `i` stands in a context, behind `last` if that is one. */
typedef void see_fn(struct mr_script_names *names, uint32_t last, uint32_t i);

static void see_use(struct mr_script_names *names, uint32_t last, uint32_t i)
{
    names->part[i].is_used = true;
    if (last == MR_SCRIPT_NONE)
        return;
    if (i == last + 1)
        names->part[last].goes_on = true;
    else
        names->part[last].forks = names->part[i].is_entered = true;
}

/* Whoever has more votes than all others has them in the end (Boyer and Moore); of two that are
 * equal the later one, which the session goes on with. */
static void see_vote(struct mr_script_names *names, uint32_t last, uint32_t i)
{
    struct mr_script_part *part = last != MR_SCRIPT_NONE ? &names->part[last] : NULL;
    if (part == NULL)
        return;
    if (part->votes == 0 || part->wish == i)
        part->votes++;
    else if (--part->votes > 0)
        return;
    part->wish = i;
}

/* The parts of a context from block `at` on. @return the last one */
static uint32_t see_runs(struct mr_script_names *names, const struct mr_script *script,
                         const struct mr_script_context *context, uint32_t at, see_fn *see)
{
    uint32_t skip, last = MR_SCRIPT_NONE;
    const struct mr_script_run *run = run_at(script, context, at, &skip);
    for (; run < run_end(script, context); run++, skip = 0) {
        const uint32_t behind = run->id + run->n;
        if (run->space != 0) {
            last = MR_SCRIPT_NONE;
            continue;
        }
        for (uint32_t i = part_of(names, run->id + skip);
             i < names->n_part && names->part[i].id < behind; last = i++)
            see(names, last, i);
    }
    return last;
}

/* What follows what, and how far outputs go, each as many blocks as its call has tokens for. */
static void see_calls(struct mr_script_names *names, const struct mr_script *script,
                      uint32_t block_tok)
{
    const struct mr_script_node *node;
    for (size_t k = script->session[script->n_session].node;
         (node = next_call(script, &k)) != NULL;) {
        const struct mr_script_context *context = &script->context[node->llm.context];
        const uint64_t n_known = ((uint64_t)node->llm.n_input + node->llm.n_output) / block_tok;
        uint64_t n_made = n_known > context->n_block ? n_known - context->n_block : 0;
        uint32_t i = see_runs(names, script, context, first_new(script, context), see_use);
        names->part[i].is_said = true;
        while (++i < names->n_part && names->part[i].n <= n_made) {
            names->part[i].is_said = true;
            n_made -= names->part[i].n;
        }
    }
}

/* A part that always follows the one whose ids go on with its own is one with it. */
static void merge_parts(struct mr_script_names *names)
{
    size_t n = 1;
    for (size_t i = 1; i < names->n_part; i++) {
        const struct mr_script_part part = names->part[i];
        struct mr_script_part *last = &names->part[n - 1];
        if (!last->goes_on || last->forks || part.is_entered) {
            names->part[n++] = part;
            continue;
        }
        last->n += part.n;
        last->goes_on = part.goes_on;
        last->forks = part.forks;
        last->is_said = part.is_said;
    }
    names->n_part = n;
}

/* ---- names ---- */

static void join(struct mr_script_names *names, uint32_t i, uint32_t next)
{
    names->part[i].next = next;
    names->part[next].before = i;
}

/* @return are parts joined that were not in sequence? */
static bool join_parts(struct mr_script_names *names)
{
    bool has_gain = false;
    for (uint32_t i = 0; i < names->n_part; i++)
        if (names->part[i].is_said && names->part[i].goes_on)
            join(names, i, i + 1);
    for (uint32_t i = 0; i < names->n_part; i++) {
        const uint32_t wish = names->part[i].wish;
        if (names->part[i].is_said || wish == MR_SCRIPT_NONE ||
            names->part[wish].before != MR_SCRIPT_NONE)
            continue;
        has_gain |= wish != i + 1;
        join(names, i, wish);
    }
    return has_gain;
}

/* From part `i` on, and one name more that stays free.
 * @return the name behind that */
static uint64_t name_chain(struct mr_script_names *names, uint32_t i, uint64_t name)
{
    for (; i != MR_SCRIPT_NONE && !names->part[i].is_named; i = names->part[i].next) {
        names->part[i].name = (uint32_t)name;
        names->part[i].is_named = true;
        name += names->part[i].n;
    }
    return name + 1;
}

/* Chains in the order of their first ids. One that is a ring, where a context has a block twice, is
 * cut open where it was joined anew: what only goes on never comes back.
 * @return names taken */
static uint64_t give_names(struct mr_script_names *names)
{
    uint64_t name = 0;
    for (uint32_t i = 0; i < names->n_part; i++)
        if (names->part[i].is_used && names->part[i].before == MR_SCRIPT_NONE)
            name = name_chain(names, i, name);
    for (uint32_t i = 0; i < names->n_part; i++)
        if (names->part[i].is_used && !names->part[i].is_named && names->part[i].before + 1 != i)
            name = name_chain(names, i, name);
    return name;
}

/* ---- contexts under their new names ---- */

/* Of one context; `first`: its first run. */
static mr_status add_run(struct mr_script_names *names, size_t first, struct mr_script_run run,
                         struct mr_err *err)
{
    struct mr_script_run *last = names->n_run > first ? &names->run[names->n_run - 1] : NULL;
    if (last != NULL && last->space == run.space && last->id + last->n == run.id) {
        last->n += run.n;
        return MR_OK;
    }
    MR_TRY(mr_grow(&names->run, &names->cap_run, names->n_run + 1, sizeof *names->run, err));
    names->run[names->n_run++] = run;
    return MR_OK;
}

static mr_status rename_run(struct mr_script_names *names, size_t first, struct mr_script_run run,
                            struct mr_err *err)
{
    if (run.space != 0)
        return add_run(names, first, run, err);
    for (uint32_t i = part_of(names, run.id); run.n > 0; i++) {
        const struct mr_script_part *part = &names->part[i];
        const uint32_t skip = run.id - part->id;
        const uint32_t n = run.n < part->n - skip ? run.n : part->n - skip;
        MR_TRY(add_run(names, first, (struct mr_script_run){0, part->name + skip, n}, err));
        run.id += n;
        run.n -= n;
    }
    return MR_OK;
}

static mr_status rename_runs(struct mr_script_names *names, const struct mr_script *script,
                             size_t first, struct mr_err *err)
{
    names->n_run = 0;
    for (size_t c = first; c < script->n_context; c++) {
        const struct mr_script_context *context = &script->context[c];
        const size_t begin = names->n_run;
        for (uint32_t i = 0; i < context->n_run; i++)
            MR_TRY(rename_run(names, begin, script->run[context->run + i], err));
    }
    return MR_OK;
}

/* The session's runs are the script's last ones, context by context. */
static mr_status put_runs(const struct mr_script_names *names, struct mr_script *script,
                          size_t first, struct mr_err *err)
{
    const size_t begin = script->context[first].run;
    MR_TRY(mr_grow(&script->run, &script->cap_run, begin + names->n_run + 1, sizeof *script->run,
                   err));
    memcpy(&script->run[begin], names->run, names->n_run * sizeof *names->run);
    script->n_run = begin;
    for (size_t c = first; c < script->n_context; c++) {
        struct mr_script_context *context = &script->context[c];
        context->run = (uint32_t)script->n_run;
        context->n_run = 0;
        for (uint32_t n = 0; n < context->n_block; context->n_run++)
            n += script->run[script->n_run++].n;
        script->run_max = context->n_run > script->run_max ? context->n_run : script->run_max;
        context->n_keep = mr_script_common(script, context, context->base);
    }
    return MR_OK;
}

mr_status mr_script_names_join(struct mr_script_names *names, struct mr_script *script,
                               uint32_t block_tok, struct mr_err *err)
{
    size_t k = script->session[script->n_session].node;
    const struct mr_script_node *node = next_call(script, &k);
    if (node == NULL || !may_gain(script, node->llm.context))
        return MR_OK;
    const size_t first = node->llm.context;
    MR_TRY(cut_parts(names, script, first, err));
    see_calls(names, script, block_tok);
    merge_parts(names);
    for (size_t c = first; c < script->n_context; c++)
        see_runs(names, script, &script->context[c], 0, see_vote);
    if (!join_parts(names) || give_names(names) > MR_SCRIPT_NONE)
        return MR_OK;
    MR_TRY(rename_runs(names, script, first, err));
    return names->n_run < script->n_run - script->context[first].run
               ? put_runs(names, script, first, err)
               : MR_OK;
}

void mr_script_names_fini(struct mr_script_names *names)
{
    mr_free(names->bound);
    mr_free(names->part);
    mr_free(names->run);
    *names = (struct mr_script_names){0};
}
