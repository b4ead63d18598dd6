/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/player: a session alone on a factory that takes no time takes its tool and think
 * time; every start of a random DAG equals the longest path to it; parts add up; dates, recycling
 * and windows of any length. */
#include "engine/base/rng.h"
#include "tests/engine/work/player_bed.h"

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
    setup(&w); /* a replay in half the time, its services as they are */
    chain(&w);
    w.script.node[2].offset_s = 40;
    w.script.node[3].is_implied = true;
    w.script.node[4].offset_s = 60;
    w.plan.timing = MR_PLAYER_BY_ORIGINAL;
    w.plan.speed = 2;
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

/* ---- met in the middle ---- */

/* Starts after a date of the session, when nodes before `first` are past: a call that is under way
 * then begins anew. @return the end, after the date */
static double brute_rest(const struct dag *dag, const struct mr_player_plan *plan, uint32_t first,
                         double at_s, double start_s[n_node_max])
{
    double old_s[n_node_max], end_s[n_node_max], last_s = 0;
    (void)brute_force(dag, plan, old_s);
    for (uint32_t i = first; i < dag->n; i++) {
        const double length_s = duration_s(dag, plan, i);
        start_s[i] = old_s[i] <= at_s ? old_s[i] : 0;
        for (size_t k = 0; k < dag->n_after[i] && old_s[i] > at_s; k++) {
            const struct mr_script_after *a = &dag->after[i][k];
            const double told_s = a->node == MR_SCRIPT_NONE ? 0
                                  : a->is_dispatch          ? start_s[a->node]
                                                            : end_s[a->node];
            start_s[i] = fmax(start_s[i], told_s + (double)a->delay_s);
        }
        const bool is_anew =
            dag->node[i].kind == MR_SCRIPT_LLM && start_s[i] <= at_s && at_s < old_s[i] + length_s;
        end_s[i] = (is_anew ? at_s : start_s[i]) + length_s;
        last_s = fmax(last_s, end_s[i]);
    }
    return last_s - at_s;
}

/* In a part of a random session's life: all that is under way goes on, in every branch. */
static void check_met(uint64_t seed, int *n_branch)
{
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 2);
    struct dag dag;
    struct world w;
    double old_s[n_node_max], start_s[n_node_max], sum_s = 0;
    setup(&w);
    draw_dag(&dag, &rng);
    open_session(&w);
    for (uint32_t i = 0; i < dag.n; i++) {
        dag.service_s[i] = (double)(float)dag.service_s[i];
        add(&w, dag.node[i], dag.after[i], dag.n_after[i]);
        w.script.service_s[i] = (float)dag.service_s[i];
    }
    close_session(&w);
    w.service_s = dag.service_s;
    const double last_s = brute_force(&dag, &w.plan, old_s);
    const uint32_t n_cut = w.script.session[0].n_cut;
    const uint32_t i_cut = (uint32_t)mr_rng_below(&rng, n_cut + 1); /* n_cut: from the start */
    const uint32_t cut = i_cut < n_cut ? w.script.cut[i_cut] : MR_PLAYER_NONE;
    const uint32_t first = i_cut < n_cut ? cut : 0;
    const double from_s = i_cut < n_cut ? old_s[cut] : 0;
    const double to_s = i_cut + 1 < n_cut             ? old_s[w.script.cut[i_cut + 1]]
                        : i_cut == n_cut && n_cut > 0 ? old_s[w.script.cut[0]]
                                                      : last_s;
    const double at_s = mr_rng_range(&rng, from_s, to_s);
    const double rest_s = brute_rest(&dag, &w.plan, first, at_s, start_s);
    if (!(at_s > from_s) || !(rest_s > 0)) { /* no time there, or only of branches cut off */
        mr_script_fini(&w.script);
        return;
    }
    begin(&w, 0, 3);
    w.start[0].cut = cut;
    w.start[0].past_s = at_s - from_s;
    play(&w);
    for (uint32_t i = first; i < dag.n; i++) {
        const double end_s = old_s[i] + dag.service_s[i];
        const double begun_s = start_s[i] > at_s ? start_s[i] - at_s : end_s > at_s ? 0 : -3;
        if (dag.node[i].kind == MR_SCRIPT_LLM)
            mr_assert_near(w.began_s[i], 3 + begun_s, 1e-6, 1e-6);
    }
    assert_int_equal(w.n_end, 1);
    mr_assert_near(w.end[0].end_s, 3 + rest_s, 1e-6, 1e-6);
    for (int i = 0; i < MR_PLAYER_PARTS; i++)
        sum_s += w.part_s[0][i];
    mr_assert_near(sum_s, rest_s, 1e-6, 1e-5);
    assert_int_equal(w.player->n_live, 0);
    *n_branch += w.player->n_strand > 1;
    teardown(&w);
}

MR_TEST(met_sessions_go_on_in_all_branches)
{
    int n_branch = 0;
    for (uint64_t seed = 1; seed <= 4000; seed++)
        check_met(seed, &n_branch);
    assert_in_range(n_branch, 1000, 3900);
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

MR_TEST_MAIN(MR_TEST_ENTRY(alone_it_takes_its_tools_and_thinks),
             MR_TEST_ENTRY(idle_cap_shortens_thinking_only),
             MR_TEST_ENTRY(original_starts_are_kept_unless_late),
             MR_TEST_ENTRY(who_is_late_catches_up),
             MR_TEST_ENTRY(random_dags_start_when_all_is_there),
             MR_TEST_ENTRY(met_sessions_go_on_in_all_branches),
             MR_TEST_ENTRY(calls_wait_for_their_date), MR_TEST_ENTRY(shed_calls_come_again),
             MR_TEST_ENTRY(recycled_sessions_have_names_of_their_own),
             MR_TEST_ENTRY(windows_change_nothing), MR_TEST_ENTRY(scripts_are_checked),
             MR_TEST_ENTRY(a_strand_is_one_line))
