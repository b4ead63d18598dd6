/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of engine/work/player share: a script made node by node, and a factory that serves
 * calls in the seconds it is told. */
#ifndef MR_TESTS_ENGINE_WORK_PLAYER_BED_H
#define MR_TESTS_ENGINE_WORK_PLAYER_BED_H

#include "engine/work/player.h"
#include "tests/test.h"

enum {
    n_call_max = 4096,
    n_node_max = 24
};

struct world {
    struct mr_script script;
    struct mr_player_plan plan;
    struct mr_player *player;
    struct mr_calendar_store store;
    const double *service_s;          /* by node of the script; NULL: none */
    double refuse_until_s, put_off_s; /* calls that come before are refused, or put off to it */
    uint32_t pending[n_call_max];
    double end_s[n_call_max];
    size_t n_pending, n_start, i_start, n_again;
    struct mr_player_start start[64];
    double began_s[n_call_max]; /* last start of a node's call */
    struct mr_player_end end[256];
    double part_s[256][MR_PLAYER_PARTS];
    uint64_t n_served[256], n_input[256]; /* calls that ended, by life */
    size_t n_end;
    double horizon_s;
    struct {
        double at_s, frac, lost_frac;
    } cores[4]; /* at starts of windows, what the CPU pool has from then on */
    size_t n_cores, i_cores;
};

static inline mr_status call(void *context, uint32_t strand, double now_s, struct mr_err *err)
{
    struct world *w = context;
    const uint32_t node = w->player->strand[strand].node;
    if (now_s < w->refuse_until_s)
        return mr_player_call_refused(w->player, strand, true, now_s, err);
    if (now_s < w->put_off_s)
        return mr_player_call_put_off(w->player, strand, w->put_off_s, now_s, err);
    w->began_s[node] = now_s;
    assert_true(w->n_pending < n_call_max);
    w->pending[w->n_pending] = strand;
    w->end_s[w->n_pending++] = now_s + (w->service_s != NULL ? w->service_s[node] : 0);
    return MR_OK;
}

static inline void ended(void *context, uint32_t strand, const struct mr_player_end *end)
{
    struct world *w = context;
    (void)strand;
    memcpy(w->part_s[w->n_end], end->part_s, sizeof w->part_s[0]);
    assert_int_equal(end->tokens->n_call, w->n_served[end->life]);
    assert_int_equal(end->tokens->n_input, w->n_input[end->life]);
    assert_int_equal(end->tokens->n_cached, 2 * w->n_served[end->life]);
    assert_int_equal(end->tokens->n_output, 3 * w->n_served[end->life]);
    w->end[w->n_end++] = *end;
}

static inline bool next(void *context, struct mr_player_start *start)
{
    struct world *w = context;
    if (w->i_start == w->n_start)
        return false;
    *start = w->start[w->i_start++];
    return true;
}

static inline bool again(void *context, const struct mr_player_end *end,
                         struct mr_player_start *start)
{
    struct world *w = context;
    if (w->n_again == 0)
        return false;
    w->n_again--;
    *start = (struct mr_player_start){end->end_s,  end->session, MR_PLAYER_NONE,
                                      end->tenant, end->tier,    0};
    return true;
}

static inline struct mr_player_site no_limits(void)
{
    return (struct mr_player_site){.n_core = (double)INFINITY,
                                   .core_speed = 1,
                                   .n_accelerator = (double)INFINITY,
                                   .memory_mb = (double)INFINITY,
                                   .storage_bytes_s = 1e9,
                                   .stream_bytes_s = 1e9,
                                   .n_shed_retry = 8,
                                   .shed_retry_s = 1};
}

static inline void setup(struct world *w)
{
    *w = (struct world){.horizon_s = 1e6};
    w->plan = (struct mr_player_plan){.script = &w->script,
                                      .site = no_limits(),
                                      .source = {next, again, w},
                                      .sink = {call, ended, w},
                                      .seed = 1,
                                      .n_cell = 1,
                                      .window_s = 1,
                                      .think_factor = 1,
                                      .idle_cap_s = (double)INFINITY,
                                      .has_ledger = true,
                                      .has_tokens = true};
}

static inline void begin(struct world *w, uint32_t session, double at_s)
{
    w->start[w->n_start++] = (struct mr_player_start){at_s, session, MR_PLAYER_NONE, 0, 0, 0};
}

static inline size_t first_call(const struct world *w)
{
    size_t best = 0;
    for (size_t i = 1; i < w->n_pending; i++)
        if (w->end_s[i] < w->end_s[best])
            best = i;
    return best;
}

/* Calls end in the order of their ends, between the player's own events. */
static inline void play(struct world *w)
{
    w->player = calloc(1, sizeof *w->player);
    assert_int_equal(mr_player_init(w->player, &w->plan, &w->store, NULL), MR_OK);
    for (;;) {
        const uint64_t asleep = mr_calendar_next_window(&w->player->calendar);
        const struct mr_window_grid grid = w->player->calendar.grid;
        uint64_t window = asleep;
        const struct mr_cores *pools[] = {&w->player->cores, &w->player->accelerators,
                                          &w->player->storage};
        for (size_t i = 0; i < 3; i++)
            if (isfinite(mr_cores_due_s(pools[i])) &&
                mr_window_of(grid, mr_cores_due_s(pools[i])) < window)
                window = mr_window_of(grid, mr_cores_due_s(pools[i]));
        if (w->n_pending > 0 && mr_window_of(grid, w->end_s[first_call(w)]) < window)
            window = mr_window_of(grid, w->end_s[first_call(w)]);
        if (w->i_cores < w->n_cores &&
            (window == MR_CALENDAR_NEVER ||
             mr_window_start_s(grid, window) >= w->cores[w->i_cores].at_s)) {
            const size_t i = w->i_cores++;
            assert_int_equal(mr_player_set_cores(w->player, w->cores[i].frac, w->cores[i].lost_frac,
                                                 w->cores[i].at_s, NULL),
                             MR_OK);
            continue;
        }
        if (window == MR_CALENDAR_NEVER)
            break;
        window = window < w->player->calendar.next ? w->player->calendar.next : window;
        const double end_s = mr_window_start_s(grid, window + 1);
        assert_int_equal(mr_player_open_window(w->player, window, NULL), MR_OK);
        for (;;) {
            const double due_s = mr_player_due_s(w->player);
            const size_t i = first_call(w);
            if (w->n_pending > 0 && w->end_s[i] <= due_s && w->end_s[i] < end_s) {
                const uint32_t strand = w->pending[i];
                const double now_s = w->end_s[i];
                w->pending[i] = w->pending[--w->n_pending];
                w->end_s[i] = w->end_s[w->n_pending];
                const double from_s = w->player->strand[strand].since_s;
                const uint32_t life = mr_player_life(w->player, strand);
                const struct mr_player_served served = {.scheduled_s = from_s,
                                                        .first_s = from_s,
                                                        .n_input =
                                                            w->player->strand[strand].node + 1,
                                                        .n_cached = 2,
                                                        .n_output = 3};
                w->n_served[life]++;
                w->n_input[life] += served.n_input;
                assert_int_equal(mr_player_call_ended(w->player, strand, &served, now_s, NULL),
                                 MR_OK);
            } else if (due_s < end_s) {
                assert_int_equal(mr_player_step(w->player, NULL), MR_OK);
            } else {
                break;
            }
        }
        mr_player_close_window(w->player);
    }
    assert_int_equal(w->n_pending, 0);
}

static inline void teardown(struct world *w)
{
    assert_int_equal(w->player->n_live, 0);
    /* every strand, family and join is free again */
    size_t n_free = 0;
    for (uint32_t i = w->player->free_strand; i != MR_PLAYER_NONE; i = w->player->strand[i].next)
        n_free++;
    assert_int_equal(n_free, w->player->n_strand);
    n_free = 0;
    for (uint32_t i = w->player->free_open; i != MR_PLAYER_NONE; i = w->player->open[i].next)
        n_free++;
    assert_int_equal(n_free, w->player->n_open);
    n_free = 0;
    for (uint32_t i = w->player->free_family; i != MR_PLAYER_NONE; i = w->player->family[i].next)
        n_free++;
    assert_int_equal(n_free, w->player->n_family);
    assert_true(w->player->used_mb < 1e-6);
    mr_player_fini(w->player);
    free(w->player);
    mr_calendar_store_fini(&w->store);
    mr_script_fini(&w->script);
}

/* ---- scripts ---- */

static inline struct mr_script_node llm(uint32_t n_input)
{
    return (struct mr_script_node){.kind = MR_SCRIPT_LLM, .offset_s = NAN, .llm = {n_input, 10, 0}};
}

static inline struct mr_script_node tool(float work_s, float wait_s, float memory_mb)
{
    return (struct mr_script_node){.kind = MR_SCRIPT_TOOL,
                                   .where = MR_SCRIPT_CPU,
                                   .offset_s = NAN,
                                   .tool = {work_s, wait_s, memory_mb}};
}

static inline struct mr_script_node think(float s)
{
    return (struct mr_script_node){.kind = MR_SCRIPT_THINK, .offset_s = NAN, .think = {s}};
}

static inline void add(struct world *w, struct mr_script_node node,
                       const struct mr_script_after *after, size_t n)
{
    assert_int_equal(mr_script_node_add(&w->script, &node, after, n, NULL), MR_OK);
}

static inline void add_after(struct world *w, struct mr_script_node node, uint32_t before,
                             float delay_s)
{
    add(w, node, &(struct mr_script_after){before, delay_s, false}, 1);
}

static inline void open_session(struct world *w)
{
    const struct mr_script_session session = {.arrival_s = (double)NAN};
    assert_int_equal(mr_script_session_begin(&w->script, &session, NULL), MR_OK);
}

static inline void close_session(struct world *w)
{
    assert_int_equal(mr_script_session_end(&w->script, NULL), MR_OK);
}

/* llm - tool 3 + 1 s - llm - think 40 s - (2 s) - llm */
static inline void chain(struct world *w)
{
    open_session(w);
    add_after(w, llm(100), MR_SCRIPT_NONE, 0);
    add_after(w, tool(3, 1, 100), 0, 0);
    add_after(w, llm(200), 1, 0);
    add_after(w, think(40), 2, 0);
    add_after(w, llm(300), 3, 2);
    close_session(w);
}

#endif
