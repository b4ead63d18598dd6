/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that come from outside, dealt to cells. A call that is alone goes to the cell of its number
 * modulo the number of cells, a session to one drawn by its own. Of a cell of which instances are
 * closed a part of the sessions, drawn by their number and as large as what is closed of it, goes
 * to other cells by what was open there when the last window ended; and calls that wait in a cell
 * of which nothing is open move there at the end of a window. A call that is away from its cell
 * finds nothing cached of its session. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/serve/cell_sessions.h"
#include "engine/twin/play_impl.h"

#include <math.h>
#include <string.h>

/* ---- opening ---- */

/* Hash ids name whole blocks only. */
static mr_status check_hashes(const struct mr_play_run *run, uint64_t n_hash_tok,
                              struct mr_err *err)
{
    if (!run->pool.serving.has_cache || n_hash_tok % run->pool.serving.block_tokens == 0)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, (struct mr_place){run->scenario->path, 0, 0},
                      "workload: a hash id stands for %llu tokens, which are no whole blocks of %u "
                      "(\"hash_block\", or \"block\" of the deployment)",
                      (unsigned long long)n_hash_tok, run->pool.serving.block_tokens);
}

mr_status mr_play_calls_check(const struct mr_play_run *run, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    if (scenario->has_agents || scenario->workload.file == NULL)
        return MR_OK;
    return check_hashes(run, scenario->workload.n_hash_tok, err);
}

static mr_status read_next(struct mr_play_run *run, struct mr_err *err)
{
    MR_TRY(mr_arrivals_next(run->arrivals, &run->next, &run->has_next, err));
    run->has_next = run->has_next && run->next.arrived_s < run->end_s;
    return MR_OK;
}

/* Of what a file holds, where that may not be what was meant. */
static void warn(const struct mr_play_run *run, struct mr_diags *diags)
{
    const struct mr_place at = {run->scenario->workload.file, 0, 0};
    const double origin_s = mr_arrivals_origin_s(run->arrivals);
    if (at.file == NULL || run->ranks->i > 0)
        return;
    if (origin_s > 0 && run->scenario->workload.origin == MR_ARRIVALS_ORIGIN_AUTO)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, at,
                     "times count from the first call, at %.10g s: a date (workload/origin)",
                     origin_s);
    if (run->has_next)
        return;
    if (run->next.arrived_s > 0)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, at,
                     "the first call comes at %.10g s, after the end of the run",
                     run->next.arrived_s);
    else
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, at, "no calls");
}

mr_status mr_play_calls_open(struct mr_play_run *run, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    const struct mr_serving *serving = &run->pool.serving;
    if (scenario->has_agents) {
        const struct mr_agents_deal_plan plan = {
            scenario,    serving->block_tokens, serving->context_max,
            run->n_cell, run->windows.first,    run->windows.end};
        return mr_agents_deal_open(&plan, &run->deal, diags, err);
    }
    for (size_t i = 0; i < scenario->n_tier; i++)
        run->tier_name[i] = scenario->tier[i].name;
    const struct mr_arrivals_served served = {scenario->deployment.llm, serving->context_max,
                                              run->tier_name, scenario->n_tier};
    MR_TRY(mr_arrivals_open(&scenario->workload, scenario->top.seed, &served, &run->arrivals, err));
    MR_TRY(check_hashes(run, mr_arrivals_hash_tok(run->arrivals), err));
    MR_TRY(read_next(run, err));
    warn(run, diags);
    return MR_OK;
}

/* ---- whose is it? ---- */

static double share_of(const struct mr_play_run *run, uint32_t session, uint32_t i)
{
    const uint64_t bits =
        mr_rng_u64_at(run->scenario->top.seed, MR_RNG_ROUTER, UINT32_MAX - i, session);
    return (double)(bits >> 11) * 0x1p-53;
}

static double open_of(const struct mr_play_run *run, uint32_t cell)
{
    return run->open_to[cell] - (cell > 0 ? run->open_to[cell - 1] : 0);
}

/* By what is open. */
static uint32_t some_cell(const struct mr_play_run *run, double share)
{
    const double at = share * run->open_to[run->n_cell - 1];
    uint32_t low = 0, high = run->n_cell - 1;
    while (low < high) { /* the first that ends beyond */
        const uint32_t middle = low + (high - low) / 2;
        if (run->open_to[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Numbers of calls are in sequence, those of sessions may be any. */
static uint32_t home_of(const struct mr_play_run *run, uint32_t session, bool is_alone)
{
    return is_alone ? session % run->n_cell : (uint32_t)(share_of(run, session, 3) * run->n_cell);
}

static uint32_t cell_of(const struct mr_play_run *run, uint32_t session, uint32_t home)
{
    const uint32_t n = run->n_cell;
    const uint64_t n_all = run->scenario->deployment.n_instance;
    const double n_open = run->open_to[n - 1];
    const double n_home =
        (double)mr_play_first(n_all, home + 1, n) - (double)mr_play_first(n_all, home, n);
    if (n_open >= (double)n_all || n_open == 0 ||
        share_of(run, session, 0) * n_home < open_of(run, home))
        return home;
    return some_cell(run, share_of(run, session, 1));
}

uint32_t mr_play_calls_session(const struct mr_play_cell *own, const struct mr_ticket *ticket)
{
    if (own->agents != NULL)
        return mr_agents_session(own->agents, ticket);
    return ticket->is_alone ? ticket->session : own->sessions.number[ticket->session];
}

/* Sessions that are silent and of which nothing is cached: all that is known of them is where they
 * were last. */
static mr_status forget_some(struct mr_play_cell *own, struct mr_err *err)
{
    struct mr_session_index *sessions = &own->sessions;
    bool *is_kept = mr_alloc(sessions->n, sizeof *is_kept);
    if (is_kept == NULL)
        return mr_err_nomem(err, sessions->n * sizeof *is_kept);
    const mr_status st = mr_cell_sessions_forget(&own->cell, sessions->n, is_kept, err);
    if (st == MR_OK)
        mr_session_index_keep(sessions, is_kept);
    mr_free(is_kept);
    own->n_kept = sessions->n - sessions->n_free;
    return st;
}

mr_status mr_play_calls_seat(struct mr_play_cell *own, struct mr_ticket *ticket, struct mr_err *err)
{
    static const uint32_t n_least = 1 << 14;
    if (ticket->is_alone)
        return MR_OK;
    const uint32_t n = own->sessions.n - own->sessions.n_free;
    if (n >= n_least && n / 2 >= own->n_kept)
        MR_TRY(forget_some(own, err));
    return mr_session_index_at(&own->sessions, ticket->session, &ticket->session, err);
}

/* ---- dealing ---- */

/* Whole blocks of a prompt that a trace's hash ids name: each id stands for as many names in
 * sequence as it has blocks. The highest bit keeps them apart from names by session and place. */
static mr_status name_blocks(struct mr_play_run *run, struct mr_err *err)
{
    static const uint64_t apart = (uint64_t)1 << 63;
    const uint64_t per_hash = mr_arrivals_hash_tok(run->arrivals) / run->pool.serving.block_tokens;
    uint64_t n_left = run->next.n_input / run->pool.serving.block_tokens;
    run->names.n = 0;
    for (size_t i = 0; i < run->next.n_hash && n_left > 0; i++) {
        const uint64_t n = per_hash < n_left ? per_hash : n_left;
        const struct mr_cache_run blocks = {apart ^ run->next.hash[i] * per_hash, (uint32_t)n};
        MR_TRY(mr_cache_names_run(&run->names, blocks, err));
        n_left -= n;
    }
    return MR_OK;
}

/* Until the cell is played. */
static mr_status keep_names(struct mr_play_cell *own, struct mr_err *err)
{
    const struct mr_cache_runs *from = &own->run->names;
    struct mr_cache_runs *to = &own->names;
    if (from->n == 0)
        return MR_OK;
    MR_TRY(mr_grow(&to->item, &to->cap, to->n + from->n, sizeof *to->item, err));
    memcpy(to->item + to->n, from->item, from->n * sizeof *to->item);
    to->n += from->n;
    return MR_OK;
}

static mr_status deal_to(struct mr_play_cell *own, bool is_home, struct mr_err *err)
{
    struct mr_play_run *run = own->run;
    const struct mr_arrival *next = &run->next;
    const size_t first = own->names.n;
    MR_TRY(mr_grow(&own->coming, &own->cap_coming, own->n_coming + 1, sizeof *own->coming, err));
    MR_TRY(name_blocks(run, err));
    MR_TRY(keep_names(own, err));
    own->coming[own->n_coming++] = (struct mr_play_coming){
        .arrived_s = next->arrived_s,
        .run = first,
        .is_too_long = (uint64_t)next->n_input + next->n_output > run->pool.serving.context_max,
        .ticket = {.id = run->id,
                   .session = next->session,
                   .n_prompt = next->n_input,
                   .n_output = next->n_output,
                   .n_prefix = (uint32_t)fmin(next->n_input, run->scenario->workload.prefix_tok),
                   .instance = MR_ROUTER_NOWHERE,
                   .prefill = MR_ROUTER_NOWHERE,
                   .tier = next->tier,
                   .is_alone = next->is_alone || !is_home,
                   .n_run = (uint32_t)(own->names.n - first)}};
    return MR_OK;
}

mr_status mr_play_calls_deal(struct mr_play_run *run, double end_s, struct mr_err *err)
{
    const struct mr_windows *windows = &run->windows;
    while (run->has_next && run->next.arrived_s < end_s) {
        const uint32_t home = home_of(run, run->next.session, run->next.is_alone);
        const uint32_t cell = cell_of(run, run->next.session, home);
        if (cell >= windows->first && cell < windows->end)
            MR_TRY(deal_to(&run->cell[cell - windows->first], cell == home, err));
        run->id++;
        MR_TRY(read_next(run, err));
    }
    return MR_OK;
}

/* ---- moving ---- */

struct moving {
    uint64_t kind; /* MR_PLAY_MAIL_MOVE */
    struct mr_cell_move move;
};

static mr_status move_all(struct mr_play_cell *own, double now_s, struct mr_err *err)
{
    struct mr_play_run *run = own->run;
    const size_t n = own->cell.n_parked;
    for (size_t i = 0; i < n; i++) {
        struct moving m = {.kind = MR_PLAY_MAIL_MOVE};
        mr_cell_leave(&own->cell, i, now_s, &m.move);
        m.move.ticket.session = mr_play_calls_session(own, &m.move.ticket);
        m.move.ticket.is_alone = true;
        m.move.ticket.n_run = 0;
        m.move.ticket.run = NULL;
        const uint32_t to = some_cell(run, share_of(run, (uint32_t)m.move.ticket.id, 2));
        MR_TRY(mr_windows_post(&run->windows, own->i, to, &m, sizeof m, err));
    }
    mr_cell_leave_done(&own->cell);
    return MR_OK;
}

bool mr_play_calls_may_move(const struct mr_play_run *run)
{
    return run->n_cell > 1 && run->arrivals != NULL && run->open_to[run->n_cell - 1] > 0;
}

mr_status mr_play_calls_move(struct mr_play_run *run, double now_s, struct mr_err *err)
{
    if (!mr_play_calls_may_move(run))
        return MR_OK;
    for (uint32_t i = 0; i < run->windows.end - run->windows.first; i++)
        MR_TRY(move_all(&run->cell[i], now_s, err));
    return MR_OK;
}

mr_status mr_play_calls_enter(struct mr_play_cell *own, const void *bytes, double now_s,
                              struct mr_err *err)
{
    struct moving m;
    memcpy(&m, bytes, sizeof m);
    return mr_cell_enter(&own->cell, &m.move, now_s, err);
}
