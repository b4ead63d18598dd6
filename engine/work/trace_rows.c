/* SPDX-License-Identifier: Apache-2.0 */
/* Groups by union-find over plays and dependencies; inside a group rows are told in file order, a
 * row that is waited for before those that wait. Parts: gathering - groups - calls - plays. */
#include "engine/work/trace_rows.h"

#include "engine/base/assert.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"

#include <math.h>

/* ---- gathering ---- */

mr_status mr_trace_rows_new(struct mr_trace_rows *rows, struct mr_trace_row **row,
                            struct mr_err *err)
{
    const double none = (double)NAN;
    if (rows->n_row >= MR_SESSION_NONE - 1 || rows->n_run >= MR_SESSION_NONE - 1)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "more rows than are counted");
    MR_TRY(mr_grow(&rows->row, &rows->cap_row, rows->n_row + 1, sizeof *rows->row, err));
    *row = &rows->row[rows->n_row];
    **row = (struct mr_trace_row){none,
                                  none,
                                  none,
                                  0,
                                  none,
                                  none,
                                  .play = MR_SESSION_NONE,
                                  .lane = MR_SESSION_NONE,
                                  .name = MR_SESSION_NONE,
                                  .model = MR_SESSION_NONE,
                                  .n_keep_tok = MR_SESSION_NONE,
                                  .run = (uint32_t)rows->n_run,
                                  .dep = (uint32_t)rows->n_dep,
                                  .extra = MR_SESSION_NONE,
                                  .tier = MR_SESSION_NONE,
                                  .class = MR_SESSION_NONE,
                                  .next = MR_SESSION_NONE,
                                  .node = MR_SESSION_NONE};
    return MR_OK;
}

mr_status mr_trace_rows_pack(struct mr_trace_rows *rows, struct mr_trace_row *row,
                             struct mr_err *err)
{
    const size_t n = rows->n_id;
    row->has_blocks = true;
    for (size_t k = 0; k < n;) {
        const size_t first = k++;
        while (k < n && rows->id[k] == rows->id[k - 1] + 1 && rows->id[k] != 0)
            k++;
        MR_TRY(mr_grow(&rows->run, &rows->cap_run, rows->n_run + 1, sizeof *rows->run, err));
        rows->run[rows->n_run++] =
            (struct mr_session_run){.id = rows->id[first], .n = (uint32_t)(k - first)};
        row->n_run++;
    }
    return MR_OK;
}

mr_status mr_trace_rows_dep(struct mr_trace_rows *rows, struct mr_trace_row *row,
                            struct mr_trace_dep dep, struct mr_err *err)
{
    MR_TRY(mr_grow(&rows->dep, &rows->cap_dep, rows->n_dep + 1, sizeof *rows->dep, err));
    rows->dep[rows->n_dep++] = dep;
    row->n_dep++;
    return MR_OK;
}

mr_status mr_trace_rows_keep(struct mr_trace *trace, struct mr_trace_rows *rows, struct mr_err *err)
{
    struct mr_trace_row *row = &rows->row[rows->n_row];
    row->line = (uint32_t)trace->line;
    const size_t before = rows->cap_by_name;
    MR_TRY(
        mr_grow(&rows->by_name, &rows->cap_by_name, rows->names.n + 1, sizeof *rows->by_name, err));
    memset(rows->by_name + before, 0xff, (rows->cap_by_name - before) * sizeof *rows->by_name);
    if (row->name != MR_SESSION_NONE) {
        if (rows->by_name[row->name] != MR_SESSION_NONE)
            return mr_err_set(err, MR_SCHEMA, (struct mr_place){trace->name, trace->line, 0},
                              "call \"%s\" is in line %u, too",
                              mr_intern_text(&rows->names, row->name),
                              rows->row[rows->by_name[row->name]].line);
        rows->by_name[row->name] = (uint32_t)rows->n_row;
    }
    rows->n_row++;
    return MR_OK;
}

/* ---- groups ---- */

static uint32_t root_of(struct mr_trace_rows *rows, uint32_t i)
{
    while (rows->row[i].group != i) {
        rows->row[i].group = rows->row[rows->row[i].group].group;
        i = rows->row[i].group;
    }
    return i;
}

/* The earlier row stands for both. */
static void join(struct mr_trace_rows *rows, uint32_t a, uint32_t b)
{
    a = root_of(rows, a);
    b = root_of(rows, b);
    if (a < b)
        rows->row[b].group = a;
    else
        rows->row[a].group = b;
}

static uint32_t row_named(const struct mr_trace_rows *rows, uint32_t name)
{
    return name < rows->cap_by_name ? rows->by_name[name] : MR_SESSION_NONE;
}

static mr_status begin(struct mr_trace *trace, struct mr_trace_rows *rows, struct mr_err *err)
{
    const size_t n_play = rows->plays.n;
    uint32_t *first_of = mr_alloc(n_play + 1, sizeof *first_of);
    if (first_of == NULL)
        return mr_err_nomem(err, n_play * sizeof *first_of);
    memset(first_of, 0xff, (n_play + 1) * sizeof *first_of);
    for (uint32_t i = 0; i < rows->n_row; i++) {
        struct mr_trace_row *row = &rows->row[i];
        row->group = i;
        if (row->play == MR_SESSION_NONE)
            continue;
        if (first_of[row->play] == MR_SESSION_NONE)
            first_of[row->play] = i;
        join(rows, i, first_of[row->play]);
    }
    mr_free(first_of);
    for (uint32_t i = 0; i < rows->n_row; i++)
        for (uint32_t k = 0; k < rows->row[i].n_dep; k++) {
            const uint32_t name = rows->dep[rows->row[i].dep + k].name;
            const uint32_t other = row_named(rows, name);
            if (other == MR_SESSION_NONE)
                return mr_err_set(err, MR_REF,
                                  (struct mr_place){trace->name, (int)rows->row[i].line, 0},
                                  "waits for \"%s\", which is no call of the file",
                                  mr_intern_text(&rows->names, name));
            join(rows, i, other);
        }
    MR_TRY(mr_grow(&rows->first, &rows->cap_first, rows->n_row, sizeof *rows->first, err));
    MR_TRY(mr_grow(&rows->last, &rows->cap_last, rows->n_row, sizeof *rows->last, err));
    for (uint32_t i = 0; i < rows->n_row; i++) {
        const uint32_t root = root_of(rows, i);
        if (root == i) { /* from here on: the number of the group */
            rows->first[rows->n_group] = i;
            rows->last[rows->n_group] = i;
            rows->row[i].node = (uint32_t)rows->n_group++;
            continue;
        }
        const uint32_t g = rows->row[root].node;
        rows->row[rows->last[g]].next = i;
        rows->last[g] = i;
    }
    for (size_t g = 0; g < rows->n_group; g++)
        rows->row[rows->first[g]].node = MR_SESSION_NONE;
    rows->is_whole = true;
    return MR_OK;
}

/* ---- calls ---- */

uint32_t mr_trace_rows_common(const struct mr_session_run *base, size_t n_base,
                              const struct mr_session_run *run, uint32_t n_run, uint32_t *r,
                              uint32_t *skip)
{
    uint32_t n = 0;
    *r = *skip = 0;
    for (size_t c = 0; c < n_base && *r < n_run; c++) {
        const struct mr_session_run *old = &base[c];
        uint32_t at = 0;
        while (at < old->n && *r < n_run) {
            const struct mr_session_run *now = &run[*r];
            if (old->is_minted || old->id + at != now->id + *skip)
                return n;
            const uint32_t left = old->n - at, have = now->n - *skip,
                           same = left < have ? left : have;
            at += same;
            *skip += same;
            n += same;
            if (*skip == now->n) {
                ++*r;
                *skip = 0;
            }
        }
    }
    return n;
}

static mr_status add_blocks(struct mr_trace *trace, const struct mr_trace_rows *rows,
                            struct mr_session *session, const struct mr_trace_row *row,
                            struct mr_session_context *context, struct mr_err *err)
{
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    const uint32_t block_tok = trace->book.block_tok;
    if (!row->has_blocks || block_tok == 0) {
        const struct mr_session_llm *base =
            llm->base != MR_SESSION_NONE ? mr_session_llm_of(session, llm->base) : NULL;
        const uint64_t known = base != NULL ? (uint64_t)base->n_input + base->n_output : 0;
        trace->counts.no_block += block_tok > 0 || !row->has_blocks;
        trace->counts.beyond += row->n_keep_tok != MR_SESSION_NONE && row->n_keep_tok > known;
        const uint32_t keep = row->n_keep_tok == MR_SESSION_NONE || block_tok == 0
                                  ? UINT32_MAX
                                  : row->n_keep_tok / block_tok;
        return mr_session_mint(session, block_tok, keep, err);
    }
    uint64_t n_block = 0;
    for (uint32_t i = 0; i < row->n_run; i++)
        n_block += rows->run[row->run + i].n;
    if (rows->clips && llm->n_input > n_block * block_tok) {
        trace->counts.clipped_input++;
        llm->n_input = (uint32_t)(n_block * block_tok);
    }
    if (llm->base != MR_SESSION_NONE)
        MR_TRY(mr_session_context_move(context, session, llm->base, err));
    uint32_t r = 0, skip = 0;
    const uint32_t keep = llm->base == MR_SESSION_NONE
                              ? 0
                              : mr_trace_rows_common(context->run, context->n_run,
                                                     &rows->run[row->run], row->n_run, &r, &skip);
    MR_TRY(mr_session_keep(session, keep, err));
    for (; r < row->n_run; r++, skip = 0) {
        struct mr_session_run run = rows->run[row->run + r];
        run.id += skip;
        run.n -= skip;
        MR_TRY(mr_session_run_add(session, run, err));
    }
    return MR_OK;
}

/* Members that are kept. Of a row that was put into another play, that of what it waits for, its
 * own play comes first. */
static mr_status add_extra(struct mr_trace *trace, const struct mr_trace_rows *rows,
                           struct mr_session *session, const struct mr_trace_row *row,
                           uint32_t *extra, struct mr_err *err)
{
    const char *kept = row->extra != MR_SESSION_NONE ? rows->text.text + row->extra : NULL;
    const char *play = mr_session_text(session, session->head.id);
    if (rows->has_plays && row->play != MR_SESSION_NONE && play != NULL &&
        strcmp(play, mr_intern_text(&rows->plays, row->play)) != 0) {
        struct mr_buf text = {0};
        struct mr_jsonw w;
        mr_jsonw_init(&w, &text, 0);
        mr_buf_text(&text, "{\"play_id\":");
        mr_jsonw_text(&w, mr_intern_text(&rows->plays, row->play));
        mr_buf_text(&text, kept != NULL ? "," : "}");
        if (kept != NULL)
            mr_buf_text(&text, kept + 1);
        mr_status st = mr_buf_check(&text, err);
        if (st == MR_OK)
            st = mr_session_text_add(session, (struct mr_str){text.text, text.n}, extra, err);
        mr_buf_fini(&text);
        trace->counts.joined++;
        return st;
    }
    return kept != NULL ? mr_session_text_add(session, mr_str_of(kept), extra, err) : MR_OK;
}

mr_status mr_trace_rows_call(struct mr_trace *trace, const struct mr_trace_rows *rows,
                             struct mr_session *session, struct mr_trace_row *row, uint32_t lane,
                             uint32_t base, struct mr_session_context *context, struct mr_err *err)
{
    MR_TRY(mr_session_node_add(session, MR_SESSION_LLM, lane, mr_session_next_id(session), err));
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    row->node = (uint32_t)session->n_node - 1;
    llm->n_input = row->n_input;
    llm->n_output = row->n_output;
    llm->model = row->model;
    llm->base = base;
    llm->service_s = row->service_s;
    llm->ttft_s = row->ttft_s;
    if (row->model == MR_SESSION_NONE)
        MR_TRY(mr_session_book_model(&trace->book, MR_STR("default"), (struct mr_str){0},
                                     &llm->model, err));
    if (row->name != MR_SESSION_NONE)
        MR_TRY(
            mr_session_text_add(session, mr_intern_str(&rows->names, row->name), &llm->name, err));
    MR_TRY(add_extra(trace, rows, session, row, &llm->extra, err));
    if (row->has_priority || row->has_strict) {
        struct mr_session_hint *hint;
        MR_TRY(mr_session_hint_add(session, &hint, err));
        hint->priority = row->priority;
        hint->strict = row->strict;
        hint->is_truth = row->is_truth;
        hint->has_priority = row->has_priority;
        hint->has_strict = row->has_strict;
    }
    return add_blocks(trace, rows, session, row, context, err);
}

mr_status mr_trace_rows_single(struct mr_trace *trace, struct mr_trace_rows *rows,
                               const struct mr_trace_row *row, struct mr_session *session,
                               struct mr_err *err)
{
    struct mr_trace_row own = *row;
    struct mr_session_context context = {0};
    if (own.tier != MR_SESSION_NONE)
        session->head.tier = own.tier;
    session->head.arrival_s = own.time_s;
    mr_status st =
        mr_trace_rows_call(trace, rows, session, &own, 0, MR_SESSION_NONE, &context, err);
    mr_session_context_fini(&context);
    return st == MR_OK ? mr_session_after_lane(session, 0, err) : st;
}

/* ---- plays ---- */

/* A pause before a call, as nodes. @param[in,out] after what it follows, then what the call does */
static mr_status add_pause(struct mr_session *session, uint32_t lane, double tool_s, double think_s,
                           struct mr_session_after *after, struct mr_err *err)
{
    const struct {
        enum mr_session_kind kind;
        double s;
    } parts[] = {{MR_SESSION_TOOL, tool_s}, {MR_SESSION_THINK, think_s}};
    for (int i = 0; i < 2; i++) {
        if (!(parts[i].s > 0))
            continue;
        MR_TRY(mr_session_node_add(session, parts[i].kind, lane, mr_session_next_id(session), err));
        if (parts[i].kind == MR_SESSION_TOOL)
            session->tool[session->n_tool - 1].wall_s = parts[i].s;
        else
            session->think[session->n_think - 1].s = parts[i].s;
        MR_TRY(mr_session_after_add(session, *after, err));
        *after = (struct mr_session_after){.node = (uint32_t)session->n_node - 1};
    }
    return MR_OK;
}

/* Rows in a chain: each after the one above, by its delay, or else by the difference of times. */
static mr_status tell_chain(struct mr_trace *trace, struct mr_trace_rows *rows,
                            struct mr_session *session, uint32_t first,
                            struct mr_session_context *context, struct mr_err *err)
{
    const struct mr_trace_row *before = NULL;
    for (uint32_t i = first; i != MR_SESSION_NONE; i = rows->row[i].next) {
        struct mr_trace_row *row = &rows->row[i];
        struct mr_session_after after = {.node = MR_SESSION_NONE};
        trace->line = (int)row->line;
        if (before != NULL) {
            double pause_s = row->delay_s;
            if (isnan(pause_s)) {
                pause_s = row->time_s - before->time_s -
                          (isnan(before->service_s) ? 0 : before->service_s);
                trace->counts.overlap += pause_s < 0;
                pause_s = pause_s > 0 ? pause_s : 0; /* NaN: 0 */
            }
            const double tool_s = isnan(row->delay_s) ? fmin(row->tool_s, pause_s) : row->tool_s;
            if (isnan(row->delay_s))
                pause_s -= tool_s;
            after.node = before->node;
            MR_TRY(add_pause(session, 0, tool_s, pause_s, &after, err));
        } else if (row->delay_s > 0) {
            return mr_err_set(err, MR_SCHEMA, MR_NOWHERE,
                              "the first turn of a session has a delay");
        }
        MR_TRY(mr_trace_rows_call(trace, rows, session, row, 0,
                                  before != NULL ? before->node : MR_SESSION_NONE, context, err));
        session->llm[session->n_llm - 1].start_s = row->time_s - session->head.arrival_s;
        if (!(session->llm[session->n_llm - 1].start_s >= 0))
            session->llm[session->n_llm - 1].start_s = (double)NAN;
        MR_TRY(mr_session_after_add(session, after, err));
        before = row;
    }
    return MR_OK;
}

/* The lane a call goes on in: that of its name, if it waits for the last call there; or one more
 * of that name, whose context goes on from there all the same. */
static mr_status find_lane(struct mr_trace_rows *rows, struct mr_session *session,
                           const struct mr_trace_row *row, uint32_t *lane, uint32_t *base,
                           struct mr_err *err)
{
    const char *name =
        row->lane != MR_SESSION_NONE ? mr_intern_text(&rows->lanes, row->lane) : NULL;
    *base = MR_SESSION_NONE;
    for (size_t k = session->n_lane; k > 0; k--) {
        const char *own = mr_session_text(session, session->lane[k - 1].name);
        if (name == NULL || own == NULL ? name != own : strcmp(name, own) != 0)
            continue;
        *base = session->lane_llm[k - 1];
        for (uint32_t d = 0; d < row->n_dep; d++)
            if (rows->row[row_named(rows, rows->dep[row->dep + d].name)].node == *base) {
                *lane = (uint32_t)k - 1;
                return MR_OK;
            }
        break;
    }
    *lane = (uint32_t)session->n_lane;
    MR_TRY(mr_session_lane_reach(session, *lane, err));
    return name == NULL
               ? MR_OK
               : mr_session_text_add(session, mr_str_of(name), &session->lane[*lane].name, err);
}

static mr_status tell_row(struct mr_trace *trace, struct mr_trace_rows *rows,
                          struct mr_session *session, uint32_t i,
                          struct mr_session_context *context, struct mr_err *err)
{
    struct mr_trace_row *row = &rows->row[i];
    uint32_t lane, base, tool = MR_SESSION_NONE;
    trace->line = (int)row->line;
    MR_TRY(find_lane(rows, session, row, &lane, &base, err));
    if (row->tool_s > 0) { /* stands between what it waits for and the call */
        MR_TRY(
            mr_session_node_add(session, MR_SESSION_TOOL, lane, mr_session_next_id(session), err));
        session->tool[session->n_tool - 1].wall_s = row->tool_s;
        session->tool[session->n_tool - 1].class = row->class;
        tool = (uint32_t)session->n_node - 1;
    } else {
        MR_TRY(mr_trace_rows_call(trace, rows, session, row, lane, base, context, err));
    }
    for (uint32_t d = 0; d < row->n_dep; d++) {
        const struct mr_trace_dep *dep = &rows->dep[row->dep + d];
        MR_TRY(mr_session_after_add(
            session,
            (struct mr_session_after){.delay_s = tool == MR_SESSION_NONE ? dep->delay_s : 0,
                                      .node = rows->row[row_named(rows, dep->name)].node,
                                      .relation = dep->relation,
                                      .is_dispatch = dep->is_dispatch},
            err));
    }
    double since_s = isnan(row->time_s) ? 0 : row->time_s;
    if (row->is_arrival && !isnan(session->head.arrival_s))
        since_s = fmax(0, since_s - session->head.arrival_s);
    if (!isnan(row->arrival_s))
        since_s = fmax(0, since_s - row->arrival_s);
    if (row->n_dep == 0 || since_s > 0)
        MR_TRY(mr_session_after_add(
            session, (struct mr_session_after){.delay_s = since_s, .node = MR_SESSION_NONE}, err));
    if (tool == MR_SESSION_NONE)
        return MR_OK;
    MR_TRY(mr_trace_rows_call(trace, rows, session, row, lane, base, context, err));
    return mr_session_after_add(
        session,
        (struct mr_session_after){.delay_s = row->n_dep > 0 ? rows->dep[row->dep].delay_s : 0,
                                  .node = tool},
        err);
}

static const uint32_t met = MR_SESSION_NONE - 1; /* node of a row that is on the way */

/* Rows with dependencies: depth first over what a row waits for, in the order of the file. A row is
 * on the stack twice: when it is met and when all it waits for was told. */
static mr_status tell_graph(struct mr_trace *trace, struct mr_trace_rows *rows,
                            struct mr_session *session, uint32_t first,
                            struct mr_session_context *context, struct mr_err *err)
{
    for (uint32_t i = first; i != MR_SESSION_NONE; i = rows->row[i].next) {
        size_t n = 0;
        MR_TRY(mr_grow(&rows->stack, &rows->cap_stack, 1, sizeof *rows->stack, err));
        rows->stack[n++] = i;
        while (n > 0) {
            struct mr_trace_row *row = &rows->row[rows->stack[n - 1]];
            if (row->node == met) {
                row->node = MR_SESSION_NONE;
                MR_TRY(tell_row(trace, rows, session, rows->stack[--n], context, err));
                continue;
            }
            if (row->node != MR_SESSION_NONE) {
                n--;
                continue;
            }
            row->node = met;
            for (uint32_t d = row->n_dep; d > 0; d--) {
                const uint32_t other = row_named(rows, rows->dep[row->dep + d - 1].name);
                if (rows->row[other].node == met)
                    return mr_err_set(
                        err, MR_REF, (struct mr_place){trace->name, (int)row->line, 0},
                        "waits for line %u, which waits for it: a cycle", rows->row[other].line);
                if (rows->row[other].node != MR_SESSION_NONE)
                    continue;
                MR_TRY(mr_grow(&rows->stack, &rows->cap_stack, n + 1, sizeof *rows->stack, err));
                rows->stack[n++] = other;
            }
        }
    }
    return MR_OK;
}

mr_status mr_trace_rows_next(struct mr_trace *trace, struct mr_trace_rows *rows,
                             struct mr_session *session, bool *has_session, struct mr_err *err)
{
    struct mr_session_context context = {0};
    if (!rows->is_whole)
        MR_TRY(begin(trace, rows, err));
    *has_session = rows->at < rows->n_group;
    if (!*has_session)
        return MR_OK;
    const uint32_t first = rows->first[rows->at++];
    const struct mr_trace_row *row = &rows->row[first];
    session->head.tier = row->tier;
    if (row->play != MR_SESSION_NONE)
        MR_TRY(mr_session_text_add(session, mr_intern_str(&rows->plays, row->play),
                                   &session->head.id, err));
    session->head.arrival_s = row->arrival_s;
    if (!row->is_waiting || row->is_arrival)
        session->head.arrival_s = row->time_s;
    const mr_status st = row->is_waiting ? tell_graph(trace, rows, session, first, &context, err)
                                         : tell_chain(trace, rows, session, first, &context, err);
    mr_session_context_fini(&context);
    return st;
}

void mr_trace_rows_fini(struct mr_trace_rows *rows)
{
    mr_free(rows->row);
    mr_free(rows->dep);
    mr_free(rows->run);
    mr_free(rows->first);
    mr_free(rows->last);
    mr_free(rows->by_name);
    mr_free(rows->stack);
    mr_free(rows->id);
    mr_intern_fini(&rows->names);
    mr_intern_fini(&rows->plays);
    mr_intern_fini(&rows->lanes);
    mr_buf_fini(&rows->text);
}
