/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/lower: contexts of a small session by hand in blocks of three sizes; drawn sessions
 * keep what they say they keep, and have the medians they are drawn with. */
#include "engine/work/lower.h"

#include "engine/work/session_copy.h"
#include "engine/work/synthetic.h"
#include "tests/test.h"

#include <stdlib.h>

struct world {
    struct mr_session session;
    struct mr_session_book book;
    struct mr_script script;
    struct mr_lower lower;
};

static void lower(struct world *w, uint32_t block_tok, bool shares)
{
    struct mr_err err = {0};
    const struct mr_lower_plan plan = {.block_tok = block_tok, .seed = 1, .shares = shares};
    mr_lower_init(&w->lower, &plan, &w->script);
    assert_int_equal(mr_lower_add(&w->lower, &w->session, &w->book, &err), MR_OK);
}

static void teardown(struct world *w)
{
    mr_lower_fini(&w->lower);
    mr_script_fini(&w->script);
    mr_session_fini(&w->session);
    mr_session_book_fini(&w->book);
}

static void add_call(struct world *w, uint32_t n_input, uint32_t keep, uint64_t id, uint32_t n)
{
    struct mr_session *s = &w->session;
    assert_int_equal(mr_session_node_add(s, MR_SESSION_LLM, 0, mr_session_next_id(s), NULL), MR_OK);
    assert_int_equal(mr_session_after_lane(s, 0, NULL), MR_OK);
    s->llm[s->n_llm - 1].n_input = n_input;
    s->llm[s->n_llm - 1].n_output = 10;
    assert_int_equal(mr_session_keep(s, keep, NULL), MR_OK);
    assert_int_equal(mr_session_run_add(s, (struct mr_session_run){.id = id, .n = n}, NULL), MR_OK);
}

/* 10 blocks of 64, 12 that continue them, then 4 of the first kept and 6 others. */
static void make(struct world *w)
{
    *w = (struct world){0};
    w->book.block_tok = 64;
    mr_session_reset(&w->session);
    assert_int_equal(mr_session_lane_reach(&w->session, 0, NULL), MR_OK);
    add_call(w, 650, 0, 1, 10);
    add_call(w, 770, 10, 11, 2);
    add_call(w, 640, 4, 20, 6);
}

static void check_runs(const struct world *w, uint32_t call, const struct mr_script_run *run,
                       uint32_t n)
{
    const struct mr_script_context context = w->script.context[w->script.node[call].llm.context];
    assert_int_equal(context.n_run, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct mr_script_run *own = &w->script.run[context.run + i];
        assert_true(own->space == run[i].space && own->id == run[i].id && own->n == run[i].n);
    }
}

/* Alike are: the first 10 blocks, the tail's names, which the second goes on with, and its own, for
 * the names behind its last one are not said; then 4. */
MR_TEST(what_calls_have_in_common)
{
    struct world w;
    make(&w);
    lower(&w, 64, false);
    assert_int_equal(w.script.context[0].base, MR_SCRIPT_NONE);
    assert_int_equal(w.script.context[0].n_keep, 0);
    assert_int_equal(w.script.context[1].base, 0);
    assert_int_equal(w.script.context[1].n_keep, UINT32_MAX);
    assert_int_equal(w.script.context[1].n_block, 12);
    assert_int_equal(w.script.context[2].base, 1);
    assert_int_equal(w.script.context[2].n_keep, 4);
    teardown(&w);
}

MR_TEST(blocks_of_the_same_size)
{
    struct world w;
    make(&w);
    lower(&w, 64, false);
    check_runs(&w, 0, (const struct mr_script_run[]){{0, 1, 10}}, 1);
    check_runs(&w, 1, (const struct mr_script_run[]){{0, 1, 12}}, 1);
    check_runs(&w, 2, (const struct mr_script_run[]){{0, 1, 4}, {0, 20, 6}}, 2);
    assert_int_equal(w.script.session[0].n_cut, 3);
    teardown(&w);
}

MR_TEST(smaller_blocks_are_token_exact)
{
    struct world w;
    make(&w);
    lower(&w, 16, false);
    check_runs(&w, 1, (const struct mr_script_run[]){{0, 4, 48}}, 1);
    check_runs(&w, 2, (const struct mr_script_run[]){{0, 4, 16}, {0, 80, 24}}, 2);
    teardown(&w);
}

/* 256 tokens a block: 2 of 10, 3 of 12 with 2 kept; 4 kept blocks are 1 */
MR_TEST(larger_blocks_keep_whole_ones)
{
    struct world w;
    make(&w);
    lower(&w, 256, false);
    check_runs(&w, 0, (const struct mr_script_run[]){{0, 0, 2}}, 1);
    check_runs(&w, 1, (const struct mr_script_run[]){{0, 0, 3}}, 1);
    check_runs(&w, 2, (const struct mr_script_run[]){{0, 0, 1}, {0, 3, 1}}, 2);
    teardown(&w);
}

/* A block of four is the same where all four are, in other calls, lanes and sessions; not where
 * they begin elsewhere. Ids may be large, and blocks without ids are the session's own. */
MR_TEST(larger_blocks_are_shared_like_small_ones)
{
    const uint64_t large = UINT64_C(1) << 60;
    const uint32_t quarter = UINT32_C(1) << 30;
    struct world w = {0};
    w.book.block_tok = 16;
    w.book.is_global = true;
    mr_session_reset(&w.session);
    assert_int_equal(mr_session_lane_reach(&w.session, 0, NULL), MR_OK);
    add_call(&w, 200, 0, large, 12);
    add_call(&w, 200, 8, 30, 4);
    add_call(&w, 200, 0, large, 12);    /* again, named anew */
    add_call(&w, 200, 0, large + 1, 8); /* at other places */
    add_call(&w, 200, 6, 40, 6);        /* 2 of the middle one are others */
    assert_int_equal(
        mr_session_run_add(&w.session, (struct mr_session_run){.n = 5, .is_minted = true}, NULL),
        MR_OK);
    lower(&w, 64, false);
    check_runs(&w, 0, (const struct mr_script_run[]){{1, 0, 3}}, 1);
    check_runs(&w, 1, (const struct mr_script_run[]){{1, 0, 2}, {1, 3, 1}}, 2);
    check_runs(&w, 2, (const struct mr_script_run[]){{1, 0, 3}}, 1);
    check_runs(&w, 3, (const struct mr_script_run[]){{1, 4, 2}}, 1);
    check_runs(&w, 4, (const struct mr_script_run[]){{1, 4, 1}, {1, 6, 2}, {0, quarter, 1}}, 3);
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, NULL), MR_OK);
    check_runs(&w, 6, (const struct mr_script_run[]){{1, 0, 2}, {1, 3, 1}}, 2);
    w.book.is_global = false; /* names are the session's own */
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, NULL), MR_OK);
    check_runs(&w, 11, (const struct mr_script_run[]){{0, 0, 2}, {0, 4, 1}}, 2);
    check_runs(&w, 14, (const struct mr_script_run[]){{0, 6, 4}}, 1); /* in sequence */
    teardown(&w);
}

static void add_growth(struct world *w, uint32_t lane, uint32_t n_input, uint32_t n_output)
{
    struct mr_session *s = &w->session;
    assert_int_equal(mr_session_lane_reach(s, lane, NULL), MR_OK);
    assert_int_equal(mr_session_node_add(s, MR_SESSION_LLM, lane, mr_session_next_id(s), NULL),
                     MR_OK);
    assert_int_equal(mr_session_after_lane(s, 0, NULL), MR_OK);
    s->llm[s->n_llm - 1].n_input = n_input;
    s->llm[s->n_llm - 1].n_output = n_output;
    assert_int_equal(mr_session_mint(s, w->book.block_tok, UINT32_MAX, NULL), MR_OK);
}

#define MINTED (1u << 30) /* where names of blocks begin that no file names */

/* 10 blocks of 64 with ids and an output up to 850 tokens, then 20 blocks, 21. */
static void make_growth(struct world *w)
{
    *w = (struct world){0};
    w->book.block_tok = 64;
    mr_session_reset(&w->session);
    assert_int_equal(mr_session_lane_reach(&w->session, 0, NULL), MR_OK);
    add_call(w, 650, 0, 1, 10);
    w->session.llm[0].n_output = 200;
    add_growth(w, 0, 1300, 10);
    add_growth(w, 0, 1400, 10);
}

/* The output's blocks have the names that the call which made them gave them, in any size. */
MR_TEST(growth_goes_on_with_the_output)
{
    struct world w;
    make_growth(&w);
    lower(&w, 64, false);
    check_runs(&w, 1, (const struct mr_script_run[]){{0, 1, 13}, {0, MINTED + 3, 7}}, 2);
    check_runs(&w, 2, (const struct mr_script_run[]){{0, 1, 13}, {0, MINTED + 3, 8}}, 2);
    assert_int_equal(w.script.context[1].n_keep, 13);
    teardown(&w);
    make_growth(&w);
    lower(&w, 16, false);
    check_runs(&w, 1, (const struct mr_script_run[]){{0, 4, 53}, {0, MINTED + 13, 27}}, 2);
    teardown(&w);
    make_growth(&w);
    lower(&w, 256, false);
    check_runs(&w, 1, (const struct mr_script_run[]){{0, 0, 3}, {0, MINTED + 1, 2}}, 2);
    teardown(&w);
}

/* Behind ids that all sessions have they are known by their place. */
MR_TEST(growth_behind_blocks_of_all)
{
    struct world w;
    make_growth(&w);
    w.book.is_global = true;
    lower(&w, 64, false);
    check_runs(&w, 1, (const struct mr_script_run[]){{1, 1, 10}, {0, 10, 3}, {0, MINTED + 3, 7}},
               3);
    teardown(&w);
}

/* Another lane's blocks in between take nothing from it. */
MR_TEST(growth_of_two_lanes)
{
    struct world w = {0};
    w.book.block_tok = 64;
    mr_session_reset(&w.session);
    add_growth(&w, 0, 640, 128);
    add_growth(&w, 1, 640, 128);
    add_growth(&w, 0, 1280, 10);
    lower(&w, 64, false);
    check_runs(&w, 2, (const struct mr_script_run[]){{0, MINTED, 12}, {0, MINTED + 22, 8}}, 2);
    teardown(&w);
}

/* Tools and instructions of 200 tokens: three blocks in a space that others have too. */
MR_TEST(prompts_of_one_size_are_shared)
{
    struct world w;
    make(&w);
    w.session.lane[0].n_tool_tok = 150;
    w.session.lane[0].n_system_tok = 50;
    lower(&w, 64, true);
    check_runs(&w, 0, (const struct mr_script_run[]){{1, 0, 3}, {0, 4, 7}}, 2);
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, NULL), MR_OK);
    assert_int_equal(w.script.n_space, 1);
    check_runs(&w, 3, (const struct mr_script_run[]){{1, 0, 3}, {0, 4, 7}}, 2);
    teardown(&w);
}

MR_TEST(long_contexts_are_left_out)
{
    struct world w;
    make(&w);
    const struct mr_lower_plan plan = {.block_tok = 64, .input_max = 700};
    mr_lower_init(&w.lower, &plan, &w.script);
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, NULL), MR_OK);
    assert_true(w.lower.n_left_out == 1 && w.script.n_session == 0);
    teardown(&w);
}

#define THIRD (1u << 31) /* where numbers of ids begin that are no names */

/* Ids of 64 bits are names in the order in which they are met, a session's own for it alone. */
MR_TEST(large_ids_get_numbers)
{
    struct world w;
    struct mr_err err = {0};
    const struct mr_script_run last[] = {{0, THIRD, 16}, {0, THIRD + 48, 24}};
    make(&w);
    for (size_t i = 0; i < w.session.n_run; i++)
        w.session.run[i].id += UINT64_MAX - 1000;
    lower(&w, 16, false);
    check_runs(&w, 0, (const struct mr_script_run[]){{0, THIRD, 40}}, 1);
    check_runs(&w, 1, (const struct mr_script_run[]){{0, THIRD, 48}}, 1);
    check_runs(&w, 2, last, 2);
    w.session.run[0].id = UINT64_C(1) << 40;
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, &err), MR_OK);
    check_runs(&w, 3, (const struct mr_script_run[]){{0, THIRD, 40}}, 1);
    check_runs(&w, 5, last, 2);
    teardown(&w);
}

/* Where all sessions have the same blocks, an id is one name in all of them. */
MR_TEST(large_ids_of_all_sessions)
{
    struct world w;
    make(&w);
    w.book.is_global = true;
    w.session.run[0].id = UINT64_C(1) << 40;
    w.session.run[2].id = UINT64_C(1) << 50;
    lower(&w, 64, false);
    w.session.run[0].id = UINT64_C(1) << 50;
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, NULL), MR_OK);
    check_runs(&w, 2, (const struct mr_script_run[]){{1, THIRD, 4}, {1, THIRD + 10, 6}}, 2);
    check_runs(&w, 3, (const struct mr_script_run[]){{1, THIRD + 10, 10}}, 1);
    teardown(&w);
}

/* The last two ids that are names, and two that are not. */
MR_TEST(ids_on_both_sides)
{
    struct world w;
    make(&w);
    w.book.is_global = true; /* or the session's names would be put in sequence */
    w.session.run[0].id = (1u << 28) - 2;
    lower(&w, 16, false);
    check_runs(&w, 0, (const struct mr_script_run[]){{1, (1u << 30) - 8, 8}, {1, THIRD, 32}}, 2);
    teardown(&w);
}

/* Four blocks of 2^28 engine blocks are all numbers that there are. */
MR_TEST(more_large_ids_than_numbers)
{
    struct world w;
    struct mr_err err = {0};
    make(&w);
    w.book.block_tok = 1u << 28;
    w.session.run[0].id = UINT64_C(1) << 40;
    const struct mr_lower_plan plan = {.block_tok = 1};
    mr_lower_init(&w.lower, &plan, &w.script);
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, &err), MR_LIMIT);
    mr_assert_contains(err.text, "block 1099511627780:");
    teardown(&w);
}

/* ---- drawn sessions ---- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

MR_TEST(drawn_sessions_are_what_they_are_drawn_from)
{
    enum {
        n_session = 400,
        n_max = 200000
    };
    const struct mr_synthetic synthetic = {.seed = 2, .context_max = 1000000, .block_tok = 64};
    struct world w = {0};
    double *first = calloc(n_session, sizeof *first), *output = calloc(n_max, sizeof *output);
    size_t n_output = 0, n_lane = 0;
    uint64_t n_block = 0, n_keep = 0;
    const struct mr_lower_plan plan = {.block_tok = 64, .shares = true};
    mr_lower_init(&w.lower, &plan, &w.script);
    for (uint64_t i = 0; i < n_session; i++) {
        struct mr_err err = {0};
        assert_int_equal(mr_synthetic_draw(&synthetic, i, &w.session, &w.book, &err), MR_OK);
        assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, &err), MR_OK);
        first[i] = w.session.llm[0].n_input;
        n_lane += w.session.n_lane > 1;
        for (size_t k = 0; k < w.session.n_llm && n_output < n_max; k++) {
            output[n_output++] = w.session.llm[k].n_output;
            n_block += w.session.llm[k].n_block;
            n_keep += w.session.llm[k].keep;
        }
    }
    qsort(first, n_session, sizeof *first, compare);
    qsort(output, n_output, sizeof *output, compare);
    mr_assert_near(first[n_session / 4], 18600, 0.1, 0);
    mr_assert_near(first[n_session / 2], 24500, 0.25, 0);
    mr_assert_near(first[n_session * 3 / 4], 104000, 0.3, 0);
    mr_assert_near(output[n_output / 2], 260, 0.05, 0); /* exp(5.56) */
    assert_true((double)n_keep > 0.9 * (double)n_block);
    assert_true(n_lane > 2 && n_lane < 25);
    assert_int_equal(w.script.n_session, n_session);
    /* the same again */
    struct mr_session again = {0};
    struct mr_session_book book = {0};
    assert_int_equal(mr_synthetic_draw(&synthetic, n_session - 1, &again, &book, NULL), MR_OK);
    assert_true(mr_session_is_equal(&again, &w.session));
    mr_session_fini(&again);
    mr_session_book_fini(&book);
    free(first);
    free(output);
    teardown(&w);
}

/* A delay behind a call is a pause, one behind its start and that of a session are none. */
MR_TEST(pauses_without_a_name_are_capped)
{
    struct world w;
    struct mr_err err = {0};
    const struct mr_lower_plan plan = {.block_tok = 64, .gap_cap_s = 10, .gap_factor = 0.5};
    make(&w);
    w.session.after[0].delay_s = 100; /* the session's start */
    w.session.after[1].delay_s = 18;
    w.session.after[2].delay_s = 100;
    mr_lower_init(&w.lower, &plan, &w.script);
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, &err), MR_OK);
    assert_true(w.script.root[0].delay_s == 100);
    assert_true(w.script.node[1].delay_s == 9 && w.script.node[2].delay_s == 10);
    w.session.after[2].is_dispatch = true;
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, &err), MR_OK);
    uint32_t n;
    assert_true(mr_script_edges(&w.script, 4, &n)->delay_s == 100);
    teardown(&w);
}

/* What a session says of itself; names that nobody knows are told with the nearest one. */
MR_TEST(sessions_speak_for_themselves)
{
    static const char *const tier[] = {"free", "gold"}, *const tenant[] = {"lab"};
    struct world w;
    struct mr_err err = {0};
    make(&w);
    const struct mr_lower_plan plan = {
        .block_tok = 64, .tier = tier, .n_tier = 2, .tenant = tenant, .n_tenant = 1};
    mr_lower_init(&w.lower, &plan, &w.script);
    assert_int_equal(mr_session_book_tier(&w.book, mr_str_of("gold"), &w.session.head.tier, NULL),
                     MR_OK);
    assert_int_equal(mr_intern_add(&w.book.tenant, mr_str_of("lab"), &w.session.head.tenant, NULL),
                     MR_OK);
    assert_int_equal(
        mr_session_text_add(&w.session, mr_str_of("0 9 * * 1"), &w.session.head.cron, NULL), MR_OK);
    struct mr_session_hint *said;
    assert_int_equal(mr_session_hint_add(&w.session, &said, NULL), MR_OK);
    said->has_priority = true; /* 0, of the last call */
    w.session.head.priority = 7;
    w.session.head.ttft_s = 2;
    w.session.head.deadline_s = 90;
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, &err), MR_OK);
    const struct mr_script_session *own = &w.script.session[0];
    assert_true(own->has_tier && own->tier == 1 && own->tenant == 1 && own->cron == 1);
    assert_true(own->ttft_s == 2 && own->tpot_s == 0 && own->deadline_s == 90);
    for (uint32_t i = 0; i < own->n_node; i++)
        assert_int_equal(w.script.hint[w.script.node[i].hint].priority,
                         i + 1 < own->n_node ? 7 : 0);
    assert_int_equal(mr_intern_add(&w.book.tenant, mr_str_of("lap"), &w.session.head.tenant, NULL),
                     MR_OK);
    assert_int_equal(mr_lower_add(&w.lower, &w.session, &w.book, &err), MR_REF);
    mr_assert_contains(err.text, "no <tenant> named \"lap\" (did you mean \"lab\"?)");
    teardown(&w);
}

MR_TEST_MAIN(MR_TEST_ENTRY(what_calls_have_in_common), MR_TEST_ENTRY(sessions_speak_for_themselves),
             MR_TEST_ENTRY(pauses_without_a_name_are_capped),
             MR_TEST_ENTRY(blocks_of_the_same_size), MR_TEST_ENTRY(smaller_blocks_are_token_exact),
             MR_TEST_ENTRY(larger_blocks_keep_whole_ones),
             MR_TEST_ENTRY(larger_blocks_are_shared_like_small_ones),
             MR_TEST_ENTRY(growth_goes_on_with_the_output),
             MR_TEST_ENTRY(growth_behind_blocks_of_all), MR_TEST_ENTRY(growth_of_two_lanes),
             MR_TEST_ENTRY(prompts_of_one_size_are_shared),
             MR_TEST_ENTRY(long_contexts_are_left_out), MR_TEST_ENTRY(large_ids_get_numbers),
             MR_TEST_ENTRY(large_ids_of_all_sessions), MR_TEST_ENTRY(ids_on_both_sides),
             MR_TEST_ENTRY(more_large_ids_than_numbers),
             MR_TEST_ENTRY(drawn_sessions_are_what_they_are_drawn_from))
