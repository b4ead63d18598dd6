/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions in memory: the builder's rules, contexts against lists of single blocks, copies. */
#include "engine/work/session_context.h"
#include "engine/work/session_copy.h"
#include "tests/test.h"

static struct mr_str str(const char *text)
{
    return mr_str_of(text);
}

static void add_llm(struct mr_session *s, uint32_t lane, uint32_t n_input, uint32_t keep,
                    uint64_t id, uint32_t n)
{
    struct mr_err err = {0};
    assert_int_equal(mr_session_node_add(s, MR_SESSION_LLM, lane, mr_session_next_id(s), &err), 0);
    s->llm[s->n_llm - 1].n_input = n_input;
    s->llm[s->n_llm - 1].n_output = 10;
    assert_int_equal(mr_session_keep(s, keep, &err), MR_OK);
    assert_int_equal(mr_session_run_add(s, (struct mr_session_run){.id = id, .n = n}, &err), 0);
}

static void wait_for(struct mr_session *s, uint32_t node, enum mr_session_relation relation)
{
    struct mr_err err = {0};
    const struct mr_session_after after = {.node = node, .relation = (uint8_t)relation};
    assert_int_equal(mr_session_after_add(s, after, &err), MR_OK);
}

/* A user turn, two tools at once, a sub-agent that joins, a think, a last call. */
static void build(struct mr_session *s, struct mr_session_book *book)
{
    struct mr_err err = {0};
    uint32_t prefix;
    book->block_tok = 64;
    assert_int_equal(mr_session_book_prefix(book, str("tools-v1"), 6400, &prefix, &err), MR_OK);
    mr_session_reset(s);
    assert_int_equal(mr_session_text_add(s, str("demo"), &s->head.id, &err), MR_OK);
    assert_int_equal(mr_session_shared_add(s, book, prefix, &err), MR_OK);
    add_llm(s, 0, 8000, 0, 1, 25);
    wait_for(s, MR_SESSION_NONE, MR_SESSION_SEQ);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mr_session_node_add(s, MR_SESSION_TOOL, 0, mr_session_next_id(s), &err),
                         MR_OK);
        s->tool[s->n_tool - 1].cpu_s = 0.025;
        wait_for(s, 0, MR_SESSION_SEQ);
    }
    add_llm(s, 1, 7040, 0, 100, 10);
    wait_for(s, 0, MR_SESSION_SPAWN);
    add_llm(s, 0, 9500, 25, 26, 23);
    wait_for(s, 1, MR_SESSION_SEQ);
    wait_for(s, 2, MR_SESSION_SEQ);
    wait_for(s, 3, MR_SESSION_JOIN);
    assert_int_equal(mr_session_node_add(s, MR_SESSION_THINK, 0, mr_session_next_id(s), &err), 0);
    s->think[0].s = 42;
    assert_int_equal(mr_session_after_lane(s, 0, &err), MR_OK);
    add_llm(s, 0, 9900, 48, 49, 6);
    assert_int_equal(mr_session_after_lane(s, 0, &err), MR_OK);
}

MR_TEST(a_session_of_all_kinds)
{
    struct mr_session s = {0}, copy = {0};
    struct mr_session_book book = {0};
    struct mr_err err = {0};
    build(&s, &book);
    assert_int_equal(mr_session_check(&s, &book, &err), MR_OK);
    assert_int_equal(s.n_node, 7);
    assert_int_equal(s.n_llm, 4);
    assert_int_equal(s.n_lane, 2);
    assert_string_equal(mr_session_text(&s, s.head.id), "demo");
    assert_null(mr_session_text(&s, s.llm[0].name));
    assert_int_equal(mr_session_llm_of(&s, 6)->n_block, 54);
    assert_int_equal(mr_session_llm_of(&s, 6)->base, 4);
    assert_int_equal(mr_session_llm_of(&s, 3)->base, MR_SESSION_NONE);
    assert_int_equal(s.after[s.node[6].after].node, 5);

    assert_int_equal(mr_session_copy(&s, &copy, &err), MR_OK);
    assert_true(mr_session_is_equal(&s, &copy));
    copy.tool[1].cpu_s = 0.026;
    assert_false(mr_session_is_equal(&s, &copy));
    copy.tool[1].cpu_s = 0.025;
    copy.run[0].id++;
    assert_false(mr_session_is_equal(&s, &copy));

    /* warm: a second life allocates nothing */
    mr_session_reset(&s);
    assert_int_equal(s.n_node, 0);
    const long before = mr_test_live_allocations();
    build(&s, &book);
    assert_int_equal(mr_test_live_allocations(), before);
    mr_session_fini(&s);
    mr_session_fini(&copy);
    mr_session_book_fini(&book);
}

MR_TEST(what_the_builder_refuses)
{
    struct mr_session s = {0};
    struct mr_session_book book = {0};
    struct mr_err err = {0};
    build(&s, &book);
    assert_int_equal(mr_session_node_add(&s, MR_SESSION_LLM, 0, 7, &err), MR_RANGE);
    mr_assert_contains(err.text, "node 7: does not ascend, the last was 7");
    err = (struct mr_err){0};
    assert_int_equal(mr_session_node_add(&s, MR_SESSION_LLM, 65536, 8, &err), MR_LIMIT);
    err = (struct mr_err){0};
    assert_int_equal(mr_session_node_add(&s, MR_SESSION_LLM, 0, 8, &err), MR_OK);
    assert_int_equal(mr_session_keep(&s, 55, &err), MR_RANGE);
    mr_assert_contains(err.text, "node 8: keeps 55 blocks of a context that has 54");
    const struct mr_session_after bad[] = {{.node = 7},
                                           {.node = 99},
                                           {.node = 1, .delay_s = -1},
                                           {.node = 1, .delay_s = (double)NAN},
                                           {.node = 1, .delay_s = (double)INFINITY}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct mr_err){0};
        assert_int_equal(mr_session_after_add(&s, bad[i], &err), i < 2 ? MR_REF : MR_RANGE);
    }
    const struct mr_session_run run = {.id = UINT64_MAX, .n = 2};
    err = (struct mr_err){0};
    assert_int_equal(mr_session_run_add(&s, run, &err), MR_RANGE);
    mr_session_fini(&s);
    mr_session_book_fini(&book);
}

MR_TEST(rules_between_nodes)
{
    struct mr_session s = {0};
    struct mr_session_book book = {0};
    struct mr_err err = {0};
    mr_session_reset(&s);
    assert_int_equal(mr_session_check(&s, &book, &err), MR_RANGE);
    mr_assert_contains(err.text, "no LLM call");

    build(&s, &book); /* a call that starts beside the last of its lane */
    add_llm(&s, 0, 9900, 54, 0, 0);
    wait_for(&s, 5, MR_SESSION_SEQ);
    err = (struct mr_err){0};
    assert_int_equal(mr_session_check(&s, &book, &err), MR_REF);
    mr_assert_contains(err.text, "node 8: does not wait for node 7");

    build(&s, &book); /* it may wait over another lane */
    add_llm(&s, 2, 6400 + 64, 0, 500, 1);
    wait_for(&s, 6, MR_SESSION_SPAWN);
    add_llm(&s, 0, 9900, 54, 0, 0);
    wait_for(&s, 7, MR_SESSION_JOIN);
    err = (struct mr_err){0};
    assert_int_equal(mr_session_check(&s, &book, &err), MR_OK);

    build(&s, &book);
    s.llm[0].n_input = 6399;
    assert_int_equal(mr_session_check(&s, &book, &err), MR_RANGE);
    mr_assert_contains(err.text, "6399 input tokens, its shared prefixes alone have 6400");

    static const struct {
        uint32_t n_input;
        mr_status st;
    } cases[] = {{6400 + 25 * 64, MR_OK},
                 {6400 + 25 * 64 + 63, MR_OK},
                 {6400 + 24 * 64 + 1, MR_OK},
                 {6400 + 24 * 64, MR_RANGE},
                 {6400 + 26 * 64, MR_RANGE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err = (struct mr_err){0};
        s.llm[0].n_input = cases[i].n_input;
        assert_int_equal(mr_session_check(&s, &book, &err), cases[i].st);
    }
    mr_session_fini(&s);
    mr_session_book_fini(&book);
}

/* Every node waits for the two before it, none for the first: looked at once, not 2^n times. */
MR_TEST(tangled_dependencies)
{
    struct mr_session s = {0};
    struct mr_session_book book = {0};
    struct mr_err err = {0};
    mr_session_reset(&s);
    add_llm(&s, 0, 64, 0, 1, 1);
    wait_for(&s, MR_SESSION_NONE, MR_SESSION_SEQ);
    for (uint32_t i = 1; i < 20000; i++) {
        add_llm(&s, i < 19999 ? 1 + i % 50000 : 0, 64, 0, 1, 1);
        wait_for(&s, i < 2 ? MR_SESSION_NONE : i - 1, MR_SESSION_SEQ);
        wait_for(&s, i < 3 ? MR_SESSION_NONE : i - 2, MR_SESSION_SEQ);
    }
    assert_int_equal(mr_session_check(&s, &book, &err), MR_REF);
    mr_session_fini(&s);
}

/* Contexts by runs equal lists of single blocks, over random calls that keep, branch and grow. */
MR_TEST(contexts_as_lists)
{
    enum {
        n_call = 400,
        cap = 4096
    };
    static uint64_t list[cap];
    struct mr_session s = {0};
    struct mr_session_context built = {0}, applied = {0}, moved = {0};
    struct mr_err err = {0};
    size_t n = 0;
    uint64_t draw = 12345, fresh = 1;
    mr_session_reset(&s);
    for (int c = 0; c < n_call; c++) {
        draw = draw * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const size_t keep = n == 0 || draw >> 60 == 0 ? (size_t)(draw >> 32) % (n + 1)
                                                      : n - (size_t)(draw >> 40) % (n < 3 ? n : 3);
        size_t more = (size_t)(draw >> 50) % 30;
        n = keep;
        for (; more > 0 && n < cap; more--) {
            list[n++] = fresh;
            fresh += 1 + (draw >> 20) % 7 / 6;
            draw = draw * UINT64_C(6364136223846793005) + 1442695040888963407u;
        }
        if (n > cap - 64)
            n = 5;
        assert_int_equal(mr_session_node_add(&s, MR_SESSION_LLM, 0, mr_session_next_id(&s), &err),
                         0);
        assert_int_equal(mr_session_after_lane(&s, 0, &err), MR_OK);
        assert_int_equal(mr_session_ids_add(&s, &built, list, n, &err), MR_OK);
        assert_int_equal(mr_session_context_apply(&applied, &s, &s.llm[c], &err), MR_OK);
        assert_int_equal(applied.n_block, n);
        assert_int_equal(mr_session_context_common(&applied, list, n), n);
        size_t k = 0;
        for (size_t i = 0; i < applied.n_run; i++)
            for (uint32_t j = 0; j < applied.run[i].n; j++)
                assert_int_equal(applied.run[i].id + j, list[k++]);
        assert_int_equal(k, n);
    }
    for (uint32_t c = 0; c < n_call; c = c * 5 / 2 + 3) { /* forwards, far apart; then back */
        for (int back = 0; back < 2; back++) {
            const uint32_t node = back == 0 ? c : c / 2;
            assert_int_equal(mr_session_context_move(&moved, &s, node, &err), MR_OK);
            mr_session_context_cut(&applied, 0);
            for (uint32_t k = 0; k <= node; k++)
                assert_int_equal(mr_session_context_apply(&applied, &s, &s.llm[k], &err), MR_OK);
            assert_int_equal(moved.n_block, applied.n_block);
            assert_int_equal(moved.n_run, applied.n_run);
            for (size_t i = 0; i < moved.n_run; i++)
                assert_int_equal(moved.run[i].id, applied.run[i].id);
        }
    }
    mr_session_context_fini(&moved);
    mr_session_context_fini(&built);
    mr_session_context_fini(&applied);
    mr_session_fini(&s);
}

MR_TEST(minted_blocks)
{
    struct mr_session s = {0};
    struct mr_err err = {0};
    mr_session_reset(&s);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mr_session_node_add(&s, MR_SESSION_LLM, 0, mr_session_next_id(&s), &err),
                         0);
        s.llm[i].n_input = i == 1 ? 100 : 200 + 100 * (uint32_t)i;
        assert_int_equal(mr_session_after_lane(&s, 0, &err), MR_OK);
        assert_int_equal(mr_session_mint(&s, 16, UINT32_MAX, &err), MR_OK);
    }
    assert_int_equal(s.llm[0].n_block, 12);
    assert_int_equal(s.llm[1].keep, 6); /* the context shrank */
    assert_int_equal(s.llm[1].n_run, 0);
    assert_int_equal(s.llm[2].keep, 6);
    assert_int_equal(s.llm[2].n_block, 25);
    assert_int_equal(s.run[s.llm[2].run].id, 12); /* never a name twice */
    assert_true(s.run[s.llm[2].run].is_minted);
    mr_session_fini(&s);
}

static mr_status build_all(MR_UNUSED void *context, struct mr_err *err)
{
    struct mr_session s = {0}, copy = {0};
    struct mr_session_book book = {.block_tok = 16};
    struct mr_session_hint *hint;
    uint32_t i;
    mr_session_reset(&s);
    mr_status st = mr_session_book_model(&book, str("m"), str("card"), &i, err);
    if (st == MR_OK)
        st = mr_session_book_tier(&book, str("t"), &i, err);
    if (st == MR_OK)
        st = mr_session_book_prefix(&book, str("p"), 16, &i, err);
    if (st == MR_OK)
        st = mr_session_shared_add(&s, &book, i, err);
    if (st == MR_OK)
        st = mr_session_text_add(&s, str("name"), &s.head.id, err);
    for (uint32_t kind = 0; st == MR_OK && kind < 4; kind++) {
        st = mr_session_node_add(&s, (enum mr_session_kind)kind, kind, kind, err);
        if (st == MR_OK)
            st = mr_session_after_lane(&s, 0, err);
        if (st == MR_OK && kind == 0) {
            s.llm[0].n_input = 64;
            st = mr_session_mint(&s, 16, 0, err);
            if (st == MR_OK)
                st = mr_session_hint_add(&s, &hint, err);
        }
    }
    if (st == MR_OK)
        st = mr_session_check(&s, &book, err);
    if (st == MR_OK)
        st = mr_session_copy(&s, &copy, err);
    mr_session_fini(&s);
    mr_session_fini(&copy);
    mr_session_book_fini(&book);
    return st;
}

MR_TEST(every_failing_allocation)
{
    mr_test_every_nomem(build_all, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_session_of_all_kinds), MR_TEST_ENTRY(what_the_builder_refuses),
             MR_TEST_ENTRY(rules_between_nodes), MR_TEST_ENTRY(tangled_dependencies),
             MR_TEST_ENTRY(contexts_as_lists), MR_TEST_ENTRY(minted_blocks),
             MR_TEST_ENTRY(every_failing_allocation))
