/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/player and what sessions share: cores, accelerators, sandboxes, the storage of
 * long-term memory, gateways; what is denied, redirected or fails. */
#include "tests/engine/work/player_bed.h"

/* ---- pools ---- */

/* A session with a tool of 3 s on a core and 0.5 s beside it, and perhaps a think behind it. */
static void one_tool(struct world *w, double n_core, float think_s)
{
    setup(w);
    w->plan.site.n_core = n_core;
    open_session(w);
    add_after(w, llm(1), MR_SCRIPT_NONE, 0);
    add_after(w, tool(3, 0.5F, 0), 0, 0);
    if (think_s > 0)
        add_after(w, think(think_s), 1, 0);
    close_session(w);
}

/* Two tools of 3 s on one core, the second a second later: the first has 1 + 2 x 2 = 5 s, then the
 * second is alone with 1 s left. */
MR_TEST(cores_are_shared)
{
    struct world w;
    one_tool(&w, 1, 0);
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

/* A tool of 3 s on the only core, which goes after a second and is back after five: what was done
 * of the tool is kept, or lost. */
MR_TEST(cores_go_and_come_back)
{
    for (int is_lost = 0; is_lost < 2; is_lost++) {
        struct world w;
        one_tool(&w, 1, 10);
        begin(&w, 0, 0);
        w.cores[w.n_cores].at_s = 1;
        w.cores[w.n_cores++].lost_frac = is_lost;
        w.cores[w.n_cores].at_s = 5;
        w.cores[w.n_cores++].frac = 1;
        play(&w);
        assert_int_equal(w.n_end, 1);
        mr_assert_near(w.end[0].end_s, is_lost ? 18.5 : 17.5, 1e-12, 0);
        mr_assert_near(w.part_s[0][MR_PLAYER_TOOLS], 3.5, 1e-12, 0);
        mr_assert_near(w.part_s[0][MR_PLAYER_CORES], is_lost ? 5 : 4, 1e-12, 0);
        mr_assert_near(w.player->cores.busy_s, is_lost ? 4 : 3, 1e-12, 0);
        teardown(&w);
    }
}

/* One of two cores goes with the first of two tools: both share the other, until the second, which
 * has 2 s left, ends; then the first has 1 s left of its 3. */
MR_TEST(half_of_the_cores_go)
{
    struct world w;
    one_tool(&w, 2, 0);
    begin(&w, 0, 0);
    begin(&w, 0, 0);
    w.cores[w.n_cores].at_s = 1;
    w.cores[w.n_cores].frac = 0.5;
    w.cores[w.n_cores++].lost_frac = 0.5;
    play(&w);
    assert_int_equal(w.n_end, 2);
    mr_assert_near(w.end[0].end_s, 5.5, 1e-12, 0);
    mr_assert_near(w.end[1].end_s, 6.5, 1e-12, 0);
    mr_assert_near(w.player->cores.busy_s, 7, 1e-12, 0);
    assert_int_equal(w.player->sums[0].n_tool, 2);
    teardown(&w);
}

/* The same two tools with a think of 10 s behind each: one event has both, unless the plan of the
 * tool no longer holds. Parts are as they were, with one core or with two. */
MR_TEST(a_think_ends_its_tools_event)
{
    for (int n_core = 1; n_core <= 2; n_core++) {
        struct world w;
        one_tool(&w, n_core, 10);
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

/* What the policy engine does not let pass is never served; the agent goes on without an answer,
 * and a session that never had one has failed. */
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
    assert_true(w.end[0].end_s == 46 && w.end[0].has_failed);
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
    assert_int_equal(sums->n_finished + sums->n_failed, 256);
    mr_assert_near((double)sums->n_failed, 4, 0, 3 * 2); /* one in 64 had all three denied */
    assert_true(sums->n_failed > 0);
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

/* What its agent did after it was recorded, too: it counts once and takes no more time. Where runs
 * are drawn to fail none counts for what was recorded: here no drawn one fails. */
MR_TEST(recorded_errors_count)
{
    for (int is_drawn = 0; is_drawn < 2; is_drawn++) {
        struct world w;
        setup(&w);
        chain(&w);
        for (size_t i = 0; i < w.script.n_node; i++)
            w.script.node[i].is_error = w.script.node[i].kind == MR_SCRIPT_TOOL;
        w.plan.site.error_frac = is_drawn ? 1e-15 : 0;
        w.plan.site.n_retry = 2;
        w.plan.site.retry_s = 1;
        begin(&w, 0, 0);
        play(&w);
        assert_true(w.end[0].end_s == 46);
        assert_int_equal(w.player->sums[0].n_tool, 1);
        assert_int_equal(w.player->sums[0].n_tool_error, !is_drawn);
        teardown(&w);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(cores_are_shared), MR_TEST_ENTRY(cores_go_and_come_back),
             MR_TEST_ENTRY(half_of_the_cores_go), MR_TEST_ENTRY(a_think_ends_its_tools_event),
             MR_TEST_ENTRY(accelerators_are_a_pool_of_their_own),
             MR_TEST_ENTRY(long_term_memory_shares_the_storage),
             MR_TEST_ENTRY(denied_calls_are_never_served), MR_TEST_ENTRY(sandboxes_wait_for_memory),
             MR_TEST_ENTRY(redirected_calls_are_served_elsewhere),
             MR_TEST_ENTRY(sisters_wait_for_their_sandbox),
             MR_TEST_ENTRY(a_sandbox_has_room_for_the_largest_tool),
             MR_TEST_ENTRY(drawn_sandboxes_are_cut_to_the_pool),
             MR_TEST_ENTRY(gateway_serves_in_turn),
             MR_TEST_ENTRY(errors_run_again_at_most_so_often), MR_TEST_ENTRY(recorded_errors_count))
