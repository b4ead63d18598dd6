/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/split, engine/serve/handover: prefill and decode apart against pools that only read,
 * against arithmetic and against a plain scheduler; who reads a prompt; what cannot be. */
#include "engine/serve/split.h"

#include "tests/engine/serve/apart.h"
#include "tests/engine/serve/play.h"

/* ---- known answers ---- */

MR_TEST(first_tokens_are_those_of_a_pool_that_only_reads)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_rng rng = mr_rng_stream(21, MR_RNG_TEST, 1);
    static struct item a[n_call_max], b[n_call_max];
    for (int i = 0; i < 100; i++) {
        const size_t n = draw_calls(&rng, a, 600);
        struct mr_serving serving = serving_of(profile);
        struct mr_split_plan split = plan_of(&serving);
        split.token_bytes = split.sequence_bytes = split.latency_s = 0;
        split.n_instance = 2;
        serving.n_block = 20000;
        const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 3, .split = &split};
        const struct mr_cell_plan reads = {.serving = &serving, .n_instance = 2};
        memcpy(b, a, sizeof a);
        for (size_t k = 0; k < n; k++)
            b[k].n_output = 1;
        const struct total total = play_cell(&plan, a, n);
        play_cell(&reads, b, n);
        for (size_t k = 0; k < n; k++) {
            assert_true(a[k].scheduled_s == b[k].scheduled_s && a[k].first_s == b[k].first_s);
            assert_true(a[k].prefill == b[k].instance);
        }
        assert_true(total.visible_s == 0 && total.sent_bytes == 0);
        assert_true(total.n_transfer > 0 && total.n_local == 0);
    }
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* A prompt of 100 by itself, then steps of one decode. */
static double read_s(void)
{
    return 0.012 + 3.36e-9 * 100 * 50;
}

static double decode_s(int n)
{
    double sum_s = 0;
    for (int i = 0; i < n; i++)
        sum_s += 0.012 + 8.19e-8 * (100 + i);
    return sum_s;
}

/* The slower of both ends at half its rate: 13 MB at 0.5 GB/s and a millisecond. */
MR_TEST(one_call_is_arithmetic)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    struct mr_split_plan split = plan_of(&serving);
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1, .split = &split};
    const double bytes = 100 * token_bytes + sequence_bytes, all_s = bytes / 0.5e9;
    struct item item = {.arrived_s = 1.5, .n_prompt = 100, .n_output = 10};
    for (int shared = 0; shared < 2; shared++) {
        split.is_shared = shared == 1;
        split.way = MR_SPLIT_PUSH;
        struct total total = play_cell(&plan, &item, 1);
        mr_assert_near(item.first_s, 1.5 + read_s(), 0, 1e-12);
        mr_assert_near(item.finished_s, item.first_s + 0.001 + all_s + decode_s(9), 0, 1e-12);
        mr_assert_near(total.visible_s, 0.001 + all_s, 0, 1e-12);
        assert_true(total.sent_bytes == bytes && total.early_bytes == 0);
        /* half of the prompt's time carries bytes */
        split.way = MR_SPLIT_STREAM;
        split.overlap_frac = 0.5;
        total = play_cell(&plan, &item, 1);
        mr_assert_near(total.visible_s, all_s - 0.5 * read_s(), 0, 1e-12);
        mr_assert_near(item.finished_s, item.first_s + total.visible_s + decode_s(9), 0, 1e-12);
        assert_true(total.sent_bytes == bytes && total.early_bytes > 0);
        /* a longer prompt's time covers all but the last layer */
        split.overlap_frac = 1;
        split.token_bytes = 1e4;
        split.sequence_bytes = 0;
        total = play_cell(&plan, &item, 1);
        mr_assert_near(total.visible_s, 0.001 + 1e6 / 32 / 0.5e9, 0, 1e-12);
        split.token_bytes = token_bytes;
        split.sequence_bytes = sequence_bytes;
    }
    /* whose only token is its first one goes nowhere */
    item.n_output = 1;
    assert_int_equal(play_cell(&plan, &item, 1).n_transfer, 0);
    mr_assert_near(item.finished_s, 1.5 + read_s(), 0, 1e-12);
    mr_profile_destroy(profile);
}

/* Two prompts of one step leave at once: side by side in mode ideal, on one link in mode shared,
 * where each takes as long as both. */
MR_TEST(transfers_share_the_links_of_their_instances)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    struct mr_split_plan split = plan_of(&serving);
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1, .split = &split};
    const double all_s = (100 * token_bytes + sequence_bytes) / 0.5e9;
    struct item item[2] = {{.n_prompt = 100, .n_output = 5},
                           {.n_prompt = 100, .n_output = 5, .session = 1}};
    mr_assert_near(play_cell(&plan, item, 2).visible_s, 2 * (0.001 + all_s), 0, 1e-12);
    split.is_shared = true;
    mr_assert_near(play_cell(&plan, item, 2).visible_s, 2 * (0.001 + 2 * all_s), 0, 1e-12);
    mr_profile_destroy(profile);
}

/* 8 blocks hold one prompt of 100: the second one begins when the first one has been sent. */
MR_TEST(prompts_wait_for_blocks_that_are_being_sent)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile), reads = serving;
    reads.n_block = 8;
    struct mr_split_plan split = plan_of(&reads);
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1, .split = &split};
    const double sent_s = 0.001 + (100 * token_bytes + sequence_bytes) / 0.5e9;
    struct item item[3] = {{.n_prompt = 100, .n_output = 5},
                           {.n_prompt = 100, .n_output = 5, .session = 1},
                           {.n_prompt = 100, .n_output = 5, .session = 2, .arrived_s = 0.015}};
    const struct total total = play_cell(&plan, item, 3);
    mr_assert_near(item[0].first_s, read_s(), 0, 1e-12);
    mr_assert_near(item[1].scheduled_s, item[0].first_s + sent_s, 0, 1e-12);
    mr_assert_near(item[2].scheduled_s, item[1].first_s + sent_s, 0, 1e-12);
    assert_int_equal(total.n_transfer, 3);
    mr_profile_destroy(profile);
}

/* 13 blocks: a context of 96 and the token that is made next need 7, then no more until the 17th.
 * The second call's keys and values have come, but it joins when the first one has ended, and
 * restarts nobody. */
MR_TEST(calls_that_have_come_wait_for_blocks)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile), reads = serving;
    serving.n_block = 13;
    struct mr_split_plan split = plan_of(&reads);
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1, .split = &split};
    struct item item[2] = {{.n_prompt = 96, .n_output = 17},
                           {.n_prompt = 96, .n_output = 17, .session = 1}};
    const struct total total = play_cell(&plan, item, 2);
    const double came_s = item[0].first_s + 0.001 + (96 * token_bytes + sequence_bytes) / 0.5e9;
    double sum_s = 0;
    for (int i = 0; i < 16; i++)
        sum_s += 0.012 + 8.19e-8 * (96 + i);
    mr_assert_near(item[0].finished_s, came_s + sum_s, 0, 1e-12);
    mr_assert_near(item[1].finished_s, came_s + 2 * sum_s, 0, 1e-12);
    assert_int_equal(total.n_restart, 0);
    mr_profile_destroy(profile);
}

/* ---- the plain decoder ---- */

/* One decode instance, request by request, whose calls come computed: those that have come by a
 * boundary join it in order while there are slots and, reserved to their ends, blocks. */
static void decode_plainly(const struct mr_serving *serving, const struct mr_split_plan *split,
                           struct item *item, size_t n)
{
    double came_s[n_call_max];
    uint32_t order[n_call_max], made[n_call_max] = {0}, run[n_call_max];
    size_t n_order = 0, n_run = 0, next = 0;
    uint64_t free = serving->n_block;
    double now_s = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double bytes = split->token_bytes * item[i].n_prompt + split->sequence_bytes;
        came_s[i] = item[i].first_s + split->latency_s +
                    bytes / (split->efficiency * fmin(split->send_bytes_s, split->receive_bytes_s));
        size_t at = n_order;
        if (item[i].n_output == 1)
            continue;
        for (; at > 0 && came_s[order[at - 1]] > came_s[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
        n_order++;
    }
    while (n_run > 0 || next < n_order) {
        if (n_run == 0)
            now_s = fmax(now_s, came_s[order[next]]);
        while (next < n_order && n_run < serving->batch_max &&
               came_s[order[next]] <= now_s + MR_SEGMENT_TIE_S) {
            const struct item *it = &item[order[next]];
            const uint32_t all = it->n_prompt + it->n_output;
            const uint32_t most = all > serving->context_max ? all : serving->context_max;
            const uint64_t need = (most + serving->block_tokens - 1) / serving->block_tokens;
            if (serving->policy == &mr_policy_orca && need > free)
                break;
            free -= serving->policy == &mr_policy_orca ? need : 0;
            made[order[next]] = 1;
            run[n_run++] = order[next++];
        }
        double kv = 0;
        for (size_t i = 0; i < n_run; i++)
            kv +=
                item[run[i]].n_prompt + made[run[i]] - (serving->policy->n_unread == 1 ? 1.0 : 0.0);
        now_s += 0.002 + fmax(0.010, 8.56e-5 * (double)n_run) + 8.19e-8 * kv;
        size_t left = 0;
        for (size_t i = 0; i < n_run; i++) {
            struct item *it = &item[run[i]];
            if (++made[run[i]] < it->n_output) {
                run[left++] = run[i];
                continue;
            }
            const uint32_t all = it->n_prompt + it->n_output;
            const uint32_t most = all > serving->context_max ? all : serving->context_max;
            free += serving->policy == &mr_policy_orca
                        ? (most + serving->block_tokens - 1) / serving->block_tokens
                        : 0;
            it->finished_s = now_s;
        }
        n_run = left;
    }
}

static void decodes_as_stepped(const struct mr_policy *policy)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_rng rng = mr_rng_stream(22, MR_RNG_TEST, 1);
    static struct item a[n_call_max], b[n_call_max];
    for (int i = 0; i < 200; i++) {
        const size_t n = draw_calls(&rng, a, 300);
        struct mr_serving serving = serving_of(profile), reads = serving;
        serving.policy = policy;
        serving.batch_max = 1 + (uint32_t)mr_rng_below(&rng, 30);
        serving.context_max = 600;
        serving.n_block = policy == &mr_policy_orca ? 40 + mr_rng_below(&rng, 400) : 20000;
        const struct mr_split_plan split = plan_of(&reads);
        const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1, .split = &split};
        play_cell(&plan, a, n);
        memcpy(b, a, sizeof a);
        decode_plainly(&serving, &split, b, n);
        for (size_t k = 0; k < n; k++)
            mr_assert_near(a[k].finished_s, b[k].finished_s, 0, 1e-9);
    }
    mr_profile_destroy(profile);
}

MR_TEST(decodes_as_stepped_call_by_call)
{
    decodes_as_stepped(&mr_policy_vllm1);
    decodes_as_stepped(&mr_policy_orca);
}

/* ---- who reads ---- */

MR_TEST(short_prompts_and_those_without_a_slot_are_read_where_they_are_decoded)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    struct mr_split_plan split = plan_of(&serving);
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1, .split = &split};
    struct item item[3] = {{.n_prompt = 100, .n_output = 5},
                           {.n_prompt = 101, .n_output = 5, .session = 1},
                           {.n_prompt = 102, .n_output = 5, .session = 2}};
    split.local_tok = 100;
    assert_int_equal(play_cell(&plan, item, 3).n_local, 1);
    assert_int_equal(item[0].prefill, MR_ROUTER_NOWHERE);
    assert_int_equal(item[1].prefill, 0);
    split.n_slot = 1;
    assert_int_equal(play_cell(&plan, item, 3).n_local, 2);
    assert_int_equal(item[2].prefill, MR_ROUTER_NOWHERE);
    /* nor what a prefill instance could never hold; what no decode instance holds is refused */
    struct mr_serving small = serving;
    small.n_block = 5;
    split = plan_of(&small);
    assert_int_equal(play_cell(&plan, item, 3).n_local, 3);
    item[1].n_prompt = 40000;
    assert_int_equal(play_cell(&plan, item, 3).n_local, 2);
    assert_true(item[1].is_refused);
    mr_profile_destroy(profile);
}

/* The second turn's context is where the first one was decoded: what is new of it is short. The
 * third is long again, and only what is new is sent. */
MR_TEST(later_turns_are_read_and_sent_without_what_is_cached)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    serving.has_cache = true;
    struct mr_split_plan split = plan_of(&serving);
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1, .split = &split};
    struct item item[3] = {{.n_prompt = 320, .n_output = 17},
                           {.n_prompt = 400, .n_output = 17, .arrived_s = 10},
                           {.n_prompt = 800, .n_output = 17, .arrived_s = 20}};
    split.local_tok = 100;
    const struct total total = play_cell(&plan, item, 3);
    assert_int_equal(item[1].prefill, MR_ROUTER_NOWHERE);
    assert_int_equal(item[1].n_cached, 336); /* 320 + 16 tokens are 21 blocks */
    assert_int_equal(item[2].prefill, 0);
    assert_int_equal(item[2].n_cached, 320); /* the prefill instance has seen the first turn only */
    mr_assert_near(total.sent_bytes, (320 + 800 - 416) * token_bytes + 2 * sequence_bytes, 1e-12,
                   0);
    mr_profile_destroy(profile);
}

/* ---- what cannot be ---- */

MR_TEST(splits_that_cannot_be)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving good = serving_of(profile);
    struct mr_serving decode = good, reads = good;
    struct mr_split_plan plan = plan_of(&reads);
    struct mr_err err = {0};
    assert_int_equal(mr_split_check(&plan, &decode, &err), MR_OK);
    decode.policy = &mr_policy_static;
    assert_int_equal(mr_split_check(&plan, &decode, &err), MR_RANGE);
    mr_assert_contains(err.text, "policy static");
    decode = good;
    reads.block_tokens = 12;
    err = (struct mr_err){0};
    assert_int_equal(mr_split_check(&plan, &decode, &err), MR_RANGE);
    mr_assert_contains(err.text, "power of two");
    reads = good;
    plan.n_slot = 0;
    assert_int_equal(mr_split_check(&plan, &decode, NULL), MR_RANGE);
    plan = plan_of(&reads);
    plan.token_bytes = -1;
    assert_int_equal(mr_split_check(&plan, &decode, NULL), MR_RANGE);
    plan = plan_of(&reads);
    plan.way = MR_SPLIT_STREAM;
    plan.overlap_frac = 1.5;
    assert_int_equal(mr_split_check(&plan, &decode, NULL), MR_RANGE);
    plan = plan_of(&reads);
    plan.send_bytes_s = 0;
    err = (struct mr_err){0};
    struct mr_cell cell;
    const struct mr_cell_plan whole = {.serving = &decode, .n_instance = 1, .split = &plan};
    assert_int_equal(
        mr_cell_init(&cell, &whole, &(struct mr_cell_sink){finished, refused, NULL}, &err),
        MR_RANGE);
    mr_assert_contains(err.text, "out of a prefill instance");
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

static mr_status play_two(void *context, struct mr_err *err)
{
    static struct item item[2];
    const struct mr_serving serving = serving_of(context);
    const struct mr_split_plan split = plan_of(&serving);
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 2, .split = &split};
    struct mr_cell cell;
    item[0].finished_s = item[1].finished_s = (double)NAN;
    MR_TRY(mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, item}, err));
    mr_status st = MR_OK;
    for (uint32_t i = 0; i < 2 && st == MR_OK; i++)
        st = mr_cell_arrive(
            &cell, &(struct mr_ticket){.id = i, .session = i, .n_prompt = 9, .n_output = 5}, 0,
            err);
    if (st == MR_OK)
        st = mr_cell_play(&cell, (double)INFINITY, err);
    mr_cell_fini(&cell);
    return st;
}

MR_TEST(every_allocation_may_fail)
{
    struct mr_profile *profile = play_five_constants();
    mr_test_every_nomem(play_two, profile);
    mr_profile_destroy(profile);
}

MR_TEST_MAIN(MR_TEST_ENTRY(first_tokens_are_those_of_a_pool_that_only_reads),
             MR_TEST_ENTRY(one_call_is_arithmetic),
             MR_TEST_ENTRY(transfers_share_the_links_of_their_instances),
             MR_TEST_ENTRY(prompts_wait_for_blocks_that_are_being_sent),
             MR_TEST_ENTRY(calls_that_have_come_wait_for_blocks),
             MR_TEST_ENTRY(decodes_as_stepped_call_by_call),
             MR_TEST_ENTRY(short_prompts_and_those_without_a_slot_are_read_where_they_are_decoded),
             MR_TEST_ENTRY(later_turns_are_read_and_sent_without_what_is_cached),
             MR_TEST_ENTRY(splits_that_cannot_be), MR_TEST_ENTRY(every_allocation_may_fail))
