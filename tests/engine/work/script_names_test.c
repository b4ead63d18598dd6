/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/script_names: drawn sessions have block for block in common what they had, outputs
 * included, for every pair of calls; and a session that drops its ends is few runs, by hand. */
#include "engine/work/script_names.h"

#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    block_tok = 16,
    call_max = 24,
    block_max = 400,
    drawn_max = 40 /* blocks that a call adds */
};

struct world {
    struct mr_script script;
    struct mr_script_names names;
    uint64_t seed, i;
};

static uint32_t draw(struct world *w, uint32_t n)
{
    return (uint32_t)(mr_rng_u64_at(w->seed, 1, 0, w->i++) % n);
}

static void begin(struct world *w)
{
    const struct mr_script_session session = {.arrival_s = 0};
    assert_int_equal(mr_script_session_begin(&w->script, &session, NULL), MR_OK);
}

/* A call behind the one before it. */
static void add(struct world *w, const struct mr_script_run *run, size_t n_run, uint32_t base,
                uint32_t n_output)
{
    const uint32_t n_node = w->script.session[w->script.n_session].n_node;
    const struct mr_script_after after = {n_node == 0 ? MR_SCRIPT_NONE : n_node - 1, 0, false};
    struct mr_script_node node = {.kind = MR_SCRIPT_LLM};
    assert_int_equal(mr_script_context_add(&w->script, run, n_run, base, &node.llm.context, NULL),
                     MR_OK);
    node.llm.n_input = w->script.context[node.llm.context].n_block * block_tok + draw(w, block_tok);
    node.llm.n_output = n_output;
    assert_int_equal(mr_script_node_add(&w->script, &node, &after, 1, NULL), MR_OK);
}

static void end(struct world *w)
{
    assert_int_equal(mr_script_names_join(&w->names, &w->script, block_tok, NULL), MR_OK);
    assert_int_equal(mr_script_session_end(&w->script, NULL), MR_OK);
}

static void fini(struct world *w)
{
    mr_script_names_fini(&w->names);
    mr_script_fini(&w->script);
}

/* Names of a call's blocks and of those that its output fills, one by one.
 * @return how many */
static uint32_t spell(const struct mr_script *script, uint32_t call, uint64_t name[block_max])
{
    const struct mr_script_node *node = &script->node[call];
    const struct mr_script_context *context = &script->context[node->llm.context];
    const uint32_t n_known = (node->llm.n_input + node->llm.n_output) / block_tok;
    uint32_t n = 0, space = 0, id = 0;
    for (uint32_t r = 0; r < context->n_run; r++) {
        const struct mr_script_run *run = &script->run[context->run + r];
        space = run->space;
        for (id = run->id; id < run->id + run->n; id++)
            name[n++] = (uint64_t)space << 32 | id;
    }
    assert_int_equal(n, context->n_block);
    for (uint32_t first = space == 0 && n > 0 ? id : n, k = 0; n < n_known; k++)
        name[n++] = first + k;
    assert_true(n <= block_max);
    return n;
}

static void compare(const struct mr_script *script, uint32_t common[call_max][call_max])
{
    uint64_t name[call_max][block_max];
    uint32_t n[call_max];
    for (uint32_t c = 0; c < script->n_node; c++)
        n[c] = spell(script, c, name[c]);
    for (uint32_t a = 0; a < script->n_node; a++)
        for (uint32_t b = 0; b < script->n_node; b++) {
            uint32_t k = 0;
            while (k < n[a] && k < n[b] && name[a][k] == name[b][k])
                k++;
            common[a][b] = k;
        }
}

/* A context from any call before it: what it keeps, a run that is new, or one of before. */
static void add_drawn(struct world *w, uint32_t *id)
{
    const uint32_t n_context = (uint32_t)w->script.n_context;
    const uint32_t base = n_context == 0   ? MR_SCRIPT_NONE
                          : draw(w, 4) > 0 ? n_context - 1
                                           : draw(w, n_context);
    struct mr_script_run run[2 * block_max];
    size_t n_run = 0;
    uint32_t n_block = 0;
    if (base == MR_SCRIPT_NONE && draw(w, 2) > 0)
        run[n_run++] = (struct mr_script_run){1, 0, n_block = 1 + draw(w, 9)};
    if (base != MR_SCRIPT_NONE) {
        const struct mr_script_context *from = &w->script.context[base];
        const uint32_t back = draw(w, 3) > 0 ? 0 : 1 + draw(w, draw(w, 4) > 0 ? 3 : from->n_block);
        const uint32_t keep = from->n_block > back ? from->n_block - back : 0;
        for (uint32_t i = 0; i < from->n_run && n_block < keep; i++) {
            run[n_run] = w->script.run[from->run + i];
            if (run[n_run].n > keep - n_block)
                run[n_run].n = keep - n_block;
            n_block += run[n_run++].n;
        }
    }
    for (uint32_t i = draw(w, 5) > 0 ? 1 : 2; i > 0 && n_block + drawn_max < block_max / 2; i--) {
        const uint32_t n = 1 + draw(w, draw(w, 2) > 0 ? 5 : drawn_max - 1);
        const bool is_old = *id > drawn_max && draw(w, 12) == 0;
        run[n_run++] = (struct mr_script_run){0, is_old ? draw(w, *id - n) : *id, n};
        n_block += n;
        *id += is_old ? 0 : n + (draw(w, 8) == 0 ? draw(w, 3) : 0);
    }
    add(w, run, n_run, base, 1 + draw(w, draw(w, 3) > 0 ? 6 * block_tok : 40 * block_tok));
}

MR_TEST(calls_have_in_common_what_they_had)
{
    uint32_t n_fewer = 0;
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        struct world w = {.seed = seed};
        uint32_t before[call_max][call_max], after[call_max][call_max], id = draw(&w, 3);
        begin(&w);
        for (uint32_t n = 2 + draw(&w, call_max - 2); n > 0; n--)
            add_drawn(&w, &id);
        const size_t n_run = w.script.n_run;
        compare(&w.script, before);
        end(&w);
        compare(&w.script, after);
        for (size_t a = 0; a < w.script.n_node; a++)
            for (size_t b = 0; b < w.script.n_node; b++)
                assert_int_equal(before[a][b], after[a][b]);
        for (size_t c = 0; c < w.script.n_context; c++) {
            const struct mr_script_context *context = &w.script.context[c];
            assert_int_equal(context->n_keep, mr_script_common(&w.script, context, context->base));
            assert_true(context->n_run <= w.script.run_max);
        }
        assert_true(w.script.n_run <= n_run);
        n_fewer += w.script.n_run < n_run;
        fini(&w);
    }
    assert_true(n_fewer > 400); /* or this has looked at nothing */
}

/* Ten blocks; each call drops the last one and adds ten. As numbers came: 0 to 9, then 0 to 8 and
 * from 10 on. In the end: 0 to 8, 9 to 17, 18 to 27; what was dropped stands behind. */
MR_TEST(ends_that_are_dropped_stand_aside)
{
    struct world w = {0};
    const struct mr_script_run run[] = {{0, 0, 9},  {0, 10, 9}, {0, 20, 10},
                                        {0, 0, 10}, {0, 0, 9},  {0, 10, 10}};
    begin(&w);
    add(&w, &run[3], 1, MR_SCRIPT_NONE, block_tok);
    add(&w, &run[4], 2, 0, block_tok);
    add(&w, run, 3, 1, block_tok);
    assert_int_equal(w.script.n_run, 1 + 2 + 3);
    end(&w);
    assert_int_equal(w.script.n_run, 2 + 2 + 1);
    const struct mr_script_run *own = &w.script.run[w.script.context[2].run];
    assert_true(own->id == 0 && own->n == 28);
    own = &w.script.run[w.script.context[0].run];
    assert_true(own[0].id == 0 && own[0].n == 9 && own[1].id > 28 && own[1].n == 1);
    fini(&w);
}

/* The output of the first call is what the second one goes on with, and the third with two blocks
 * of it: these names stay behind its last one, so the third's own have to stand aside. */
MR_TEST(outputs_keep_their_names)
{
    struct world w = {0};
    const struct mr_script_run run[] = {{0, 0, 4}, {0, 0, 10}, {0, 0, 6}, {0, 20, 5}};
    begin(&w);
    add(&w, &run[0], 1, MR_SCRIPT_NONE, 5 * block_tok);
    add(&w, &run[1], 1, 0, block_tok);
    for (uint32_t i = 0; i < 4; i++)
        add(&w, &run[2], 2, i == 0 ? 1 : i + 1, block_tok);
    end(&w);
    assert_int_equal(w.script.context[0].n_keep, 0);
    assert_true(w.script.context[1].n_keep >= 9);
    assert_int_equal(w.script.context[1].n_run, 1);
    assert_int_equal(w.script.context[5].n_run, 2);
    fini(&w);
}

MR_TEST_MAIN(MR_TEST_ENTRY(calls_have_in_common_what_they_had),
             MR_TEST_ENTRY(ends_that_are_dropped_stand_aside),
             MR_TEST_ENTRY(outputs_keep_their_names))
