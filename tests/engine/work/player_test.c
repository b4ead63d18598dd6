/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/player: a session alone on a factory that takes no time takes its tool and think
 * time; every start of a random DAG equals the longest path to it; parts add up; sandboxes,
 * retries, gateways, recycling and windows of any length. */
#include "engine/work/player.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
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
    size_t n_end;
    double horizon_s;
};

static mr_status call(void *context, uint32_t strand, double now_s, struct mr_err *err)
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

static void ended(void *context, uint32_t strand, const struct mr_player_end *end)
{
    struct world *w = context;
    (void)strand;
    memcpy(w->part_s[w->n_end], end->part_s, sizeof w->part_s[0]);
    w->end[w->n_end++] = *end;
}

static bool next(void *context, struct mr_player_start *start)
{
    struct world *w = context;
    if (w->i_start == w->n_start)
        return false;
    *start = w->start[w->i_start++];
    return true;
}

static bool again(void *context, const struct mr_player_end *end, struct mr_player_start *start)
{
    struct world *w = context;
    if (w->n_again == 0)
        return false;
    w->n_again--;
    *start =
        (struct mr_player_start){end->end_s, end->session, MR_PLAYER_NONE, end->tenant, end->tier};
    return true;
}

static struct mr_player_site no_limits(void)
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

static void setup(struct world *w)
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
                                      .has_ledger = true};
}

static void begin(struct world *w, uint32_t session, double at_s)
{
    w->start[w->n_start++] = (struct mr_player_start){at_s, session, MR_PLAYER_NONE, 0, 0};
}

static size_t first_call(const struct world *w)
{
    size_t best = 0;
    for (size_t i = 1; i < w->n_pending; i++)
        if (w->end_s[i] < w->end_s[best])
            best = i;
    return best;
}

/* Calls end in the order of their ends, between the player's own events. */
static void play(struct world *w)
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
                assert_int_equal(
                    mr_player_call_ended(w->player, strand, from_s, from_s, now_s, NULL), MR_OK);
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

static void teardown(struct world *w)
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

static struct mr_script_node llm(uint32_t n_input)
{
    return (struct mr_script_node){.kind = MR_SCRIPT_LLM, .offset_s = NAN, .llm = {n_input, 10, 0}};
}

static struct mr_script_node tool(float work_s, float wait_s, float memory_mb)
{
    return (struct mr_script_node){.kind = MR_SCRIPT_TOOL,
                                   .where = MR_SCRIPT_CPU,
                                   .offset_s = NAN,
                                   .tool = {work_s, wait_s, memory_mb}};
}

static struct mr_script_node think(float s)
{
    return (struct mr_script_node){.kind = MR_SCRIPT_THINK, .offset_s = NAN, .think = {s}};
}

static void add(struct world *w, struct mr_script_node node, const struct mr_script_after *after,
                size_t n)
{
    assert_int_equal(mr_script_node_add(&w->script, &node, after, n, NULL), MR_OK);
}

static void add_after(struct world *w, struct mr_script_node node, uint32_t before, float delay_s)
{
    add(w, node, &(struct mr_script_after){before, delay_s, false}, 1);
}

static void open_session(struct world *w)
{
    const struct mr_script_session session = {.arrival_s = (double)NAN};
    assert_int_equal(mr_script_session_begin(&w->script, &session, NULL), MR_OK);
}

static void close_session(struct world *w)
{
    assert_int_equal(mr_script_session_end(&w->script, NULL), MR_OK);
}

/* llm - tool 3 + 1 s - llm - think 40 s - (2 s) - llm */
static void chain(struct world *w)
{
    open_session(w);
    add_after(w, llm(100), MR_SCRIPT_NONE, 0);
    add_after(w, tool(3, 1, 100), 0, 0);
    add_after(w, llm(200), 1, 0);
    add_after(w, think(40), 2, 0);
    add_after(w, llm(300), 3, 2);
    close_session(w);
}

MR_TEST(alone_it_takes_its_tools_and_thinks)
{
    struct world w;
    setup(&w);
    chain(&w);
    begin(&w, 0, 0.25);
    play(&w);
    assert_int_equal(w.n_end, 1);
    assert_true(w.end[0].end_s - w.end[0].start_s == 46);
    assert_true(w.part_s[0][MR_PLAYER_TOOLS] == 4 && w.part_s[0][MR_PLAYER_THINK] == 40 &&
                w.part_s[0][MR_PLAYER_DELAY] == 2);
    assert_int_equal(w.script.session[0].n_cut, 3);
    teardown(&w);
}

MR_TEST(idle_cap_shortens_thinking_only)
{
    struct world w;
    setup(&w);
    chain(&w);
    w.plan.idle_cap_s = 1;
    begin(&w, 0, 0);
    play(&w);
    assert_true(w.end[0].end_s == 4 + 1 + 2);
    teardown(&w);
    setup(&w);
    chain(&w);
    w.plan.timing = MR_PLAYER_BY_SCALE;
    w.plan.think_factor = 0.5;
    begin(&w, 0, 0);
    play(&w);
    assert_true(w.end[0].end_s == 4 + 20 + 2);
    teardown(&w);
}

MR_TEST(original_starts_are_kept_unless_late)
{
    struct world w;
    double service_s[] = {10, 0, 1, 0, 1};
    setup(&w);
    chain(&w);
    w.script.node[2].offset_s = 20;
    w.script.node[3].is_implied = true;
    w.script.node[4].offset_s = 30; /* the think of 40 s is in it */
    w.plan.timing = MR_PLAYER_BY_ORIGINAL;
    w.service_s = service_s;
    begin(&w, 0, 5);
    play(&w);
    assert_true(w.began_s[2] == 25 && w.began_s[4] == 5 + 30);
    teardown(&w);
}

/* ---- random DAGs ---- */

struct dag {
    uint32_t n;
    struct mr_script_node node[n_node_max];
    struct mr_script_after after[n_node_max][4];
    size_t n_after[n_node_max];
    double service_s[n_node_max];
};

static void draw_dag(struct dag *dag, struct mr_rng *rng)
{
    dag->n = 2 + (uint32_t)mr_rng_below(rng, n_node_max - 2);
    for (uint32_t i = 0; i < dag->n; i++) {
        const uint64_t kind = i == 0 ? 0 : mr_rng_below(rng, 3);
        dag->node[i] = kind == 0 ? llm(100 * (i + 1))
                       : kind == 1
                           ? tool((float)mr_rng_range(rng, 0, 4), (float)mr_rng_below(rng, 2), 0)
                           : think((float)mr_rng_range(rng, 0, 9));
        dag->node[i].lane = (uint16_t)mr_rng_below(rng, 3);
        dag->service_s[i] = mr_rng_range(rng, 0.1, 5);
        dag->n_after[i] = 0;
        const uint64_t n = 1 + (mr_rng_below(rng, 3) == 0) * mr_rng_below(rng, 3);
        for (uint64_t k = 0; k < n; k++) {
            const uint32_t to = i == 0 || mr_rng_below(rng, 12) == 0
                                    ? MR_SCRIPT_NONE
                                    : i - 1 - (uint32_t)mr_rng_below(rng, i < 4 ? i : 4);
            bool is_new = true;
            for (size_t j = 0; j < dag->n_after[i]; j++)
                is_new &= dag->after[i][j].node != to;
            if (is_new)
                dag->after[i][dag->n_after[i]++] = (struct mr_script_after){
                    to, (float)(mr_rng_below(rng, 2) * mr_rng_below(rng, 6)),
                    to != MR_SCRIPT_NONE && mr_rng_below(rng, 5) == 0};
        }
    }
}

/* Does the recorded start of the next call say when this node, a think, is over? */
static bool is_in_starts(const struct dag *dag, uint32_t i)
{
    while (i < dag->n && dag->node[i].kind != MR_SCRIPT_LLM)
        i++;
    return i < dag->n && !isnan(dag->node[i].offset_s);
}

static double duration_s(const struct dag *dag, const struct mr_player_plan *plan, uint32_t i)
{
    const struct mr_script_node *node = &dag->node[i];
    if (node->kind == MR_SCRIPT_THINK && plan->timing == MR_PLAYER_BY_ORIGINAL &&
        is_in_starts(dag, i))
        return 0;
    const double factor = plan->timing == MR_PLAYER_BY_SCALE ? plan->think_factor : 1;
    const double cap_s =
        plan->timing == MR_PLAYER_BY_ORIGINAL ? (double)INFINITY : plan->idle_cap_s;
    return node->kind == MR_SCRIPT_LLM    ? dag->service_s[i]
           : node->kind == MR_SCRIPT_TOOL ? (double)node->tool.work_s + (double)node->tool.wait_s
                                          : fmin(factor * (double)node->think.s, cap_s);
}

/* The longest path: what a node's start is, not before its recorded one if that counts, which holds
 * all delays. */
static double brute_force(const struct dag *dag, const struct mr_player_plan *plan,
                          double start_s[n_node_max])
{
    double last_s = 0;
    for (uint32_t i = 0; i < dag->n; i++) {
        const bool is_recorded =
            plan->timing == MR_PLAYER_BY_ORIGINAL && !isnan(dag->node[i].offset_s);
        start_s[i] = is_recorded ? (double)dag->node[i].offset_s : 0;
        for (size_t k = 0; k < dag->n_after[i]; k++) {
            const struct mr_script_after *a = &dag->after[i][k];
            double at_s = is_recorded ? 0 : (double)a->delay_s;
            if (a->node != MR_SCRIPT_NONE)
                at_s += start_s[a->node] + (a->is_dispatch ? 0 : duration_s(dag, plan, a->node));
            start_s[i] = fmax(start_s[i], at_s);
        }
        last_s = fmax(last_s, start_s[i] + duration_s(dag, plan, i));
    }
    return last_s;
}

/* In every replay mode a node starts when all it waits for is there; the session's last call when
 * all others have ended. @param[in,out] n_last sessions that have such a call */
static void check_dag(uint64_t seed, double window_s, int timing, int *n_last)
{
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
    struct dag dag;
    struct world w;
    double start_s[n_node_max], sum_s = 0;
    setup(&w);
    w.plan.window_s = window_s;
    draw_dag(&dag, &rng);
    w.plan.timing = timing;
    w.plan.think_factor = 0.25;
    w.plan.idle_cap_s = seed % 2 == 0 ? 2 : (double)INFINITY;
    for (uint32_t i = 1; i < dag.n && timing == MR_PLAYER_BY_ORIGINAL; i++)
        if (dag.node[i].kind == MR_SCRIPT_LLM && mr_rng_below(&rng, 4) > 0)
            dag.node[i].offset_s = (float)mr_rng_range(&rng, 0, 4.0 * i);
    open_session(&w);
    for (uint32_t i = 0; i < dag.n; i++)
        add(&w, dag.node[i], dag.after[i], dag.n_after[i]);
    close_session(&w);
    w.service_s = dag.service_s;
    begin(&w, 0, 0);
    play(&w);
    const double last_s = brute_force(&dag, &w.plan, start_s);
    for (uint32_t i = 0; i < dag.n; i++)
        if (dag.node[i].kind == MR_SCRIPT_LLM)
            mr_assert_near(w.began_s[i], start_s[i], 1e-12, 1e-9);
    const uint32_t last = w.script.session[0].last;
    for (uint32_t i = 0; i < dag.n && last != MR_SCRIPT_NONE; i++)
        if (dag.node[i].kind == MR_SCRIPT_LLM && i != last)
            assert_true(start_s[i] + dag.service_s[i] <= start_s[last] + 1e-9);
    *n_last += last != MR_SCRIPT_NONE;
    assert_int_equal(w.n_end, 1);
    mr_assert_near(w.end[0].end_s, last_s, 1e-12, 1e-9);
    for (int i = 0; i < MR_PLAYER_PARTS; i++)
        sum_s += w.part_s[0][i];
    mr_assert_near(sum_s, last_s, 1e-12, 1e-6); /* the critical path */
    teardown(&w);
}

/* Recorded starts 0, 20, 60 and 100 s, thinks in between: a first call of 50 s delays the second,
 * and the third is in time again. Thinks with nothing known behind them stay as they are. */
MR_TEST(who_is_late_catches_up)
{
    struct world w;
    const double service_s[] = {50, 0, 1, 0, 1, 0, 1, 0};
    static const float start_s[] = {0, 20, 60, 100};
    setup(&w);
    open_session(&w);
    for (int i = 0; i < 4; i++) {
        struct mr_script_node call_ = llm(1);
        call_.offset_s = start_s[i];
        add_after(&w, call_, i == 0 ? MR_SCRIPT_NONE : (uint32_t)(2 * i - 1), 0);
        add_after(&w, think(15), (uint32_t)(2 * i), 0);
    }
    close_session(&w);
    w.plan.timing = MR_PLAYER_BY_ORIGINAL;
    w.service_s = service_s;
    begin(&w, 0, 1000);
    play(&w);
    assert_true(w.began_s[2] == 1050 && w.began_s[4] == 1060 && w.began_s[6] == 1100);
    assert_true(w.end[0].end_s == 1116);
    teardown(&w);
}

MR_TEST(random_dags_start_when_all_is_there)
{
    int n_last = 0;
    for (uint64_t seed = 1; seed <= 3000; seed++)
        check_dag(seed,
                  seed % 3 == 0   ? 0.1
                  : seed % 3 == 1 ? 1
                                  : 1000,
                  MR_PLAYER_BY_THINK, &n_last);
    for (uint64_t seed = 3001; seed <= 4000; seed++) {
        check_dag(seed, 1, MR_PLAYER_BY_ORIGINAL, &n_last);
        check_dag(seed, 1, MR_PLAYER_BY_SCALE, &n_last);
    }
    assert_in_range(n_last, 250, 4750);
}

/* ---- pools ---- */

/* Two tools of 3 s on one core, the second a second later: the first has 1 + 2 x 2 = 5 s, then the
 * second is alone with 1 s left. */
MR_TEST(cores_are_shared)
{
    struct world w;
    setup(&w);
    w.plan.site.n_core = 1;
    open_session(&w);
    add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
    add_after(&w, tool(3, 0.5F, 0), 0, 0);
    close_session(&w);
    begin(&w, 0, 0);
    begin(&w, 0, 1);
    play(&w);
    assert_int_equal(w.n_end, 2);
    mr_assert_near(w.end[0].end_s, 5.5, 1e-12, 0);
    mr_assert_near(w.end[1].end_s, 6.5, 1e-12, 0);
    mr_assert_near(w.part_s[0][MR_PLAYER_TOOLS], 3.5, 1e-12, 0);
    mr_assert_near(w.part_s[0][MR_PLAYER_CORES], 2, 1e-12, 0);
    mr_assert_near(w.player->cores.busy_s, 6, 1e-12, 0);
    teardown(&w);
}

/* The same two tools with a think of 10 s behind each: one event has both, unless the plan of the
 * tool no longer holds. Parts are as they were, with one core or with two. */
MR_TEST(a_think_ends_its_tools_event)
{
    for (int n_core = 1; n_core <= 2; n_core++) {
        struct world w;
        setup(&w);
        w.plan.site.n_core = n_core;
        open_session(&w);
        add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
        add_after(&w, tool(3, 0.5F, 0), 0, 0);
        add_after(&w, think(10), 1, 0);
        close_session(&w);
        begin(&w, 0, 0);
        begin(&w, 0, 1);
        play(&w);
        assert_int_equal(w.n_end, 2);
        mr_assert_near(w.end[0].end_s, n_core == 1 ? 15.5 : 13.5, 1e-12, 0);
        mr_assert_near(w.end[1].end_s, n_core == 1 ? 16.5 : 14.5, 1e-12, 0);
        for (int i = 0; i < 2; i++) {
            mr_assert_near(w.part_s[i][MR_PLAYER_TOOLS], 3.5, 1e-12, 0);
            mr_assert_near(w.part_s[i][MR_PLAYER_THINK], 10, 1e-12, 0);
            mr_assert_near(w.part_s[i][MR_PLAYER_CORES], n_core == 1 ? 2 : 0, 1e-12, 1e-12);
        }
        if (n_core == 2) /* two starts, two calls told by an event, two tools with their thinks */
            assert_int_equal(w.player->n_event, 6);
        assert_int_equal(w.player->sums[0].n_tool, 2);
        teardown(&w);
    }
}

/* The same two tools on one accelerator: no core, no sandbox. */
MR_TEST(accelerators_are_a_pool_of_their_own)
{
    struct world w;
    struct mr_script_node gpu = tool(3, 0.5F, 1000);
    gpu.where = MR_SCRIPT_GPU;
    setup(&w);
    w.plan.site.n_core = 1;
    w.plan.site.n_accelerator = 1;
    w.plan.site.memory_mb = 1;
    w.plan.site.sandbox_s = 100;
    open_session(&w);
    add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
    add_after(&w, gpu, 0, 0);
    close_session(&w);
    begin(&w, 0, 0);
    begin(&w, 0, 1);
    play(&w);
    mr_assert_near(w.end[0].end_s, 5.5, 1e-12, 0);
    mr_assert_near(w.end[1].end_s, 6.5, 1e-12, 0);
    mr_assert_near(w.player->accelerators.busy_s, 6, 1e-12, 0);
    assert_true(w.player->cores.busy_s == 0 && w.player->used_mb == 0);
    mr_assert_near(w.part_s[0][MR_PLAYER_TOOLS], 3.5, 1e-12, 0);
    mr_assert_near(w.part_s[0][MR_PLAYER_CORES], 2, 1e-9, 0);
    teardown(&w);
}

/* Storage of 2 GB/s, 1 GB/s of one access. Three read 1 GB each at once: 1.5 s and the latency; a
 * fourth, alone, writes half and reads a quarter: 0.75 s. */
MR_TEST(long_term_memory_shares_the_storage)
{
    struct world w;
    const struct mr_script_node read = {.kind = MR_SCRIPT_MEM, .offset_s = NAN, .mem = {1000, 0}};
    const struct mr_script_node both = {.kind = MR_SCRIPT_MEM, .offset_s = NAN, .mem = {250, 500}};
    setup(&w);
    w.plan.site.storage_bytes_s = 2e9;
    w.plan.site.storage_latency_s = 0.01;
    open_session(&w);
    add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
    add_after(&w, read, 0, 0);
    close_session(&w);
    open_session(&w);
    add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
    add_after(&w, both, 0, 0);
    close_session(&w);
    for (int i = 0; i < 3; i++)
        begin(&w, 0, 0);
    begin(&w, 1, 10);
    play(&w);
    for (int i = 0; i < 3; i++) {
        mr_assert_near(w.end[i].end_s, 1.51, 1e-6, 0);
        mr_assert_near(w.part_s[i][MR_PLAYER_MEMORY], 1.01, 1e-6, 0);
        mr_assert_near(w.part_s[i][MR_PLAYER_CORES], 0.5, 1e-6, 0);
    }
    mr_assert_near(w.end[3].end_s, 10.76, 1e-6, 0);
    mr_assert_near(w.part_s[3][MR_PLAYER_MEMORY], 0.76, 1e-6, 0);
    teardown(&w);
}

/* What the policy engine does not let pass is never served; the agent goes on without an answer. */
MR_TEST(denied_calls_are_never_served)
{
    struct world w;
    double service_s[] = {1000, 0, 1000, 0, 1000};
    setup(&w);
    chain(&w);
    w.plan.site.denied_frac = 1; /* without any time of its own, too */
    w.service_s = service_s;
    begin(&w, 0, 0);
    play(&w);
    assert_true(w.end[0].end_s == 46 && !w.end[0].has_failed);
    assert_int_equal(w.player->sums[0].n_denied, 3);
    assert_int_equal(w.player->sums[0].n_call, 0);
    teardown(&w);
    /* one in four of 3,000, of 256 sessions that come again */
    setup(&w);
    chain(&w);
    w.plan.site.denied_frac = 0.25;
    w.plan.site.gate_s = 0.5;
    w.n_again = 255;
    begin(&w, 0, 0);
    play(&w);
    const struct mr_player_sums *sums = &w.player->sums[0];
    assert_int_equal(sums->n_denied + sums->n_call, 3 * 256);
    mr_assert_near((double)sums->n_denied, 192, 0, 3 * 12); /* sqrt(768 x 3 / 16) */
    mr_assert_near(w.part_s[255][MR_PLAYER_GATEWAY], 1.5, 1e-9, 0);
    teardown(&w);
}

/* 300 MB for sandboxes of 200: the second session waits for the end of the first. */
MR_TEST(sandboxes_wait_for_memory)
{
    struct world w;
    setup(&w);
    w.plan.site.memory_mb = 300;
    w.plan.site.sandbox_s = 0.5;
    open_session(&w);
    add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
    add_after(&w, tool(2, 0, 200), 0, 0);
    add_after(&w, tool(1, 0, 200), 1, 0);
    close_session(&w);
    begin(&w, 0, 0);
    begin(&w, 0, 1);
    play(&w);
    assert_true(w.end[0].end_s == 3.5 && w.end[1].end_s == 7);
    assert_true(w.part_s[1][MR_PLAYER_CORES] == 3 && w.player->used_mb == 0);
    teardown(&w);
}

/* Two calls of 2,000 + 300 tokens at 1,000 and 100 tok/s: 5 s each, one after the other in a pool
 * of one, none of them on the factory. Of many calls a share. */
MR_TEST(redirected_calls_are_served_elsewhere)
{
    struct world w;
    for (int slots = 0; slots < 2; slots++) {
        setup(&w);
        w.plan.site.redirected_frac = 1;
        w.plan.site.n_local = (uint32_t)slots;
        w.plan.site.local_input_tok_s = 1000;
        w.plan.site.local_output_tok_s = 100;
        open_session(&w);
        struct mr_script_node node = llm(2000);
        node.llm.n_output = 300;
        add_after(&w, node, MR_SCRIPT_NONE, 0);
        close_session(&w);
        begin(&w, 0, 0);
        begin(&w, 0, 0);
        play(&w);
        assert_true(w.end[0].end_s == 5 && w.end[1].end_s == 5 + 5 * slots);
        assert_true(w.part_s[1][MR_PLAYER_QUEUE] == 5 * slots &&
                    w.part_s[1][MR_PLAYER_PREFILL] == 2 && w.part_s[1][MR_PLAYER_DECODE] == 3);
        assert_int_equal(w.player->sums[0].n_redirected, 2);
        assert_int_equal(w.player->sums[0].n_call, 0);
        teardown(&w);
    }
    setup(&w);
    w.plan.site.redirected_frac = 0.25;
    w.plan.site.local_input_tok_s = w.plan.site.local_output_tok_s = 1e6;
    open_session(&w);
    for (uint32_t i = 0; i < 1000; i++)
        add_after(&w, llm(1), i == 0 ? MR_SCRIPT_NONE : i - 1, 1);
    close_session(&w);
    begin(&w, 0, 0);
    play(&w);
    const uint64_t n = w.player->sums[0].n_redirected;
    assert_true(n > 200 && n < 300 && w.player->sums[0].n_call == 1000 - n);
    teardown(&w);
}

/* Put off by hours, not given up; what it tells when it starts is told once. */
MR_TEST(calls_wait_for_their_date)
{
    struct world w;
    const struct mr_script_after spawn = {0, 1, true}, both[] = {{0, 0, false}, {1, 0, false}};
    setup(&w);
    w.put_off_s = 90000;
    open_session(&w);
    add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
    add(&w, tool(5, 0, 0), &spawn, 1);
    add(&w, llm(1), both, 2);
    close_session(&w);
    begin(&w, 0, 100);
    play(&w);
    assert_int_equal(w.n_end, 1);
    assert_true(!w.end[0].has_failed && w.end[0].end_s == 90000);
    assert_true(w.began_s[0] == 90000 && w.began_s[2] == 90000);
    assert_true(w.part_s[0][MR_PLAYER_DELAY] == 89900);
    assert_int_equal(w.player->sums[0].n_tool, 1);
    assert_int_equal(w.player->sums[0].n_shed_retry, 0);
    teardown(&w);
}

/* llm, then two tools of 1 s and 10 s at once, then the last call. */
static void two_tools(struct world *w, bool is_long_first)
{
    const struct mr_script_after both[] = {{1, 0, false}, {2, 0, false}};
    open_session(w);
    add_after(w, llm(1), MR_SCRIPT_NONE, 0);
    add_after(w, tool(is_long_first ? 10 : 1, 0, is_long_first ? 500 : 100), 0, 0);
    add_after(w, tool(is_long_first ? 1 : 10, 0, is_long_first ? 100 : 500), 0, 0);
    add(w, llm(1), both, 2);
    close_session(w);
}

/* Tools of one session that come at once share its sandbox, and wait until it is up: 3 + 10 s in
 * either order. It has memory for the larger one, and whoever waits for it waits for all of it. */
MR_TEST(sisters_wait_for_their_sandbox)
{
    for (int order = 0; order < 2; order++) {
        struct world w;
        setup(&w);
        w.plan.site.memory_mb = 700;
        w.plan.site.sandbox_s = 3;
        two_tools(&w, order != 0);
        for (int i = 0; i < 3; i++)
            begin(&w, 0, i);
        play(&w);
        for (int i = 0; i < 3; i++) { /* one after the other: two of 500 MB are too many */
            assert_true(w.end[i].end_s == 13 * (i + 1));
            assert_true(w.part_s[i][MR_PLAYER_CORES] == 13 * (i + 1) - i - 10);
            assert_true(w.part_s[i][MR_PLAYER_TOOLS] == 10);
        }
        assert_true(w.player->used_mb == 0 && w.player->queue_head == MR_PLAYER_NONE);
        teardown(&w);
    }
}

/* A later tool that is larger than the first finds its memory there. */
MR_TEST(a_sandbox_has_room_for_the_largest_tool)
{
    struct world w;
    struct mr_err err = {0};
    setup(&w);
    w.plan.site.memory_mb = 900;
    open_session(&w);
    add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
    add_after(&w, tool(2, 0, 100), 0, 0);
    add_after(&w, tool(1, 0, 500), 1, 0);
    close_session(&w);
    begin(&w, 0, 0);
    begin(&w, 0, 0);
    play(&w);
    assert_true(w.end[0].end_s == 3 && w.end[1].end_s == 6);
    assert_int_equal(w.player->sums[0].n_sandbox_cut, 0);
    assert_int_equal(mr_player_check_sandboxes(&w.script, 500, &err), MR_OK);
    assert_int_equal(mr_player_check_sandboxes(&w.script, 499, &err), MR_RANGE);
    mr_assert_contains(err.text, "session 1 needs a sandbox of 500 MB");
    teardown(&w);
}

/* What is drawn larger than all there is has all there is, and is counted. */
MR_TEST(drawn_sandboxes_are_cut_to_the_pool)
{
    struct world w;
    setup(&w);
    w.plan.site.memory_mb = 100;
    w.plan.site.sandbox_mb = 150;
    open_session(&w);
    add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
    add_after(&w, tool(2, 0, 0), 0, 0);
    close_session(&w);
    begin(&w, 0, 0);
    begin(&w, 0, 0);
    play(&w);
    assert_true(w.end[0].end_s == 2 && w.end[1].end_s == 4);
    assert_int_equal(w.player->sums[0].n_sandbox_cut, 2);
    teardown(&w);
}

MR_TEST(shed_calls_come_again)
{
    struct world w;
    setup(&w);
    chain(&w);
    w.refuse_until_s = 2.5; /* 0, 1, 3 */
    begin(&w, 0, 0);
    play(&w);
    assert_true(w.began_s[0] == 3 && !w.end[0].has_failed && w.end[0].end_s == 49);
    assert_int_equal(w.player->sums[0].n_shed_retry, 2);
    teardown(&w);
    setup(&w);
    chain(&w);
    w.refuse_until_s = 1e9;
    w.plan.site.n_shed_retry = 2;
    w.n_again = 2;
    begin(&w, 0, 0);
    play(&w);
    assert_true(w.end[0].has_failed && w.end[0].end_s == 3);
    assert_true(w.n_end == 3 && w.end[2].start_s == 8 && w.end[2].end_s == 11);
    assert_int_equal(w.player->sums[0].n_failed, 3);
    teardown(&w);
}

/* Three sessions at once, a gateway of one place and 2 s. */
MR_TEST(gateway_serves_in_turn)
{
    struct world w;
    setup(&w);
    w.plan.site.gate_s = 2;
    w.plan.site.n_gate = 1;
    open_session(&w);
    add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
    close_session(&w);
    for (int i = 0; i < 3; i++)
        begin(&w, 0, 0);
    play(&w);
    assert_true(w.end[0].end_s == 2 && w.end[1].end_s == 4 && w.end[2].end_s == 6);
    assert_true(w.part_s[2][MR_PLAYER_GATEWAY] == 6);
    teardown(&w);
}

MR_TEST(errors_run_again_at_most_so_often)
{
    struct world w;
    setup(&w);
    chain(&w);
    w.plan.site.error_frac = 1;
    w.plan.site.n_retry = 2;
    w.plan.site.retry_s = 1;
    begin(&w, 0, 0);
    play(&w);
    assert_true(w.end[0].end_s == 46 + 2 * (4 + 1));
    assert_int_equal(w.player->sums[0].n_tool_error, 3);
    teardown(&w);
}

MR_TEST(recycled_sessions_have_names_of_their_own)
{
    struct world w;
    setup(&w);
    chain(&w);
    w.n_again = 3;
    begin(&w, 0, 0);
    play(&w);
    assert_int_equal(w.n_end, 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(w.end[i].life == i && w.end[i].end_s == 46 * (i + 1));
    assert_int_equal(w.player->n_strand, 1);
    assert_int_equal(w.player->strand[0].space, w.script.n_space + 4);
    teardown(&w);
}

/* The same ends whatever the windows: what is planned, told and waited for does not depend on them.
 */
MR_TEST(windows_change_nothing)
{
    double end_s[2][64];
    for (int run = 0; run < 2; run++) {
        struct mr_rng rng = mr_rng_stream(5, MR_RNG_TEST, 2);
        struct world w;
        setup(&w);
        w.plan.window_s = run == 0 ? 0.05 : 100;
        w.plan.site.n_core = 2;
        for (int s = 0; s < 8; s++) {
            open_session(&w);
            add_after(&w, llm(1), MR_SCRIPT_NONE, 0);
            for (uint32_t i = 0; i < 6; i++) {
                add_after(&w, tool((float)mr_rng_range(&rng, 0, 3), 0, 0), 2 * i, 0);
                add_after(&w, llm(1), 2 * i + 1, 0);
            }
            close_session(&w);
        }
        for (uint32_t i = 0; i < 40; i++)
            begin(&w, i % 8, 0.3 * i);
        play(&w);
        assert_int_equal(w.n_end, 40);
        for (size_t i = 0; i < 40; i++)
            end_s[run][w.end[i].life] = w.end[i].end_s;
        teardown(&w);
    }
    for (size_t i = 0; i < 40; i++)
        mr_assert_near(end_s[0][i], end_s[1][i], 1e-12, 1e-9);
}

MR_TEST(scripts_are_checked)
{
    struct world w;
    struct mr_err err = {0};
    setup(&w);
    open_session(&w);
    const struct mr_script_node node = think(1);
    assert_int_equal(mr_script_node_add(&w.script, &node, NULL, 0, &err), MR_RANGE);
    err = (struct mr_err){0};
    assert_int_equal(
        mr_script_node_add(&w.script, &node, &(struct mr_script_after){3, 0, false}, 1, &err),
        MR_RANGE);
    mr_assert_contains(err.text, "not before it");
    add_after(&w, node, MR_SCRIPT_NONE, 0);
    err = (struct mr_err){0};
    assert_int_equal(mr_script_session_end(&w.script, &err), MR_RANGE);
    mr_assert_contains(err.text, "no LLM call");
    mr_script_fini(&w.script);
}

MR_TEST(a_strand_is_one_line)
{
    assert_int_equal(sizeof(struct mr_player_strand), 64);
    assert_int_equal(sizeof(struct mr_script_node), 32);
}

MR_TEST_MAIN(
    MR_TEST_ENTRY(alone_it_takes_its_tools_and_thinks),
    MR_TEST_ENTRY(idle_cap_shortens_thinking_only),
    MR_TEST_ENTRY(original_starts_are_kept_unless_late), MR_TEST_ENTRY(who_is_late_catches_up),
    MR_TEST_ENTRY(random_dags_start_when_all_is_there), MR_TEST_ENTRY(cores_are_shared),
    MR_TEST_ENTRY(a_think_ends_its_tools_event),
    MR_TEST_ENTRY(accelerators_are_a_pool_of_their_own),
    MR_TEST_ENTRY(long_term_memory_shares_the_storage),
    MR_TEST_ENTRY(denied_calls_are_never_served), MR_TEST_ENTRY(sandboxes_wait_for_memory),
    MR_TEST_ENTRY(calls_wait_for_their_date), MR_TEST_ENTRY(redirected_calls_are_served_elsewhere),
    MR_TEST_ENTRY(sisters_wait_for_their_sandbox),
    MR_TEST_ENTRY(a_sandbox_has_room_for_the_largest_tool),
    MR_TEST_ENTRY(drawn_sandboxes_are_cut_to_the_pool), MR_TEST_ENTRY(shed_calls_come_again),
    MR_TEST_ENTRY(gateway_serves_in_turn), MR_TEST_ENTRY(errors_run_again_at_most_so_often),
    MR_TEST_ENTRY(recycled_sessions_have_names_of_their_own), MR_TEST_ENTRY(windows_change_nothing),
    MR_TEST_ENTRY(scripts_are_checked), MR_TEST_ENTRY(a_strand_is_one_line))
