/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve against recorded runs of another simulator, request for request: all times to the
 * print precision, iterations and restarts equal, leap on and off. Rows come from MILLRACE_DATA. */
#include "engine/base/csv.h"
#include "engine/base/mem.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

struct rows {
    struct play_call *call, *expected;
    size_t n, cap, expected_cap;
};

static void read_rows(const char *path, struct rows *rows)
{
    struct mr_csv *csv;
    struct mr_err err = {0};
    bool has_row;
    assert_int_equal(mr_csv_open(path, NULL, &csv, &err), MR_OK);
    for (;;) {
        double v[8];
        assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
        if (!has_row)
            break;
        for (size_t k = 0; k < 8; k++)
            assert_int_equal(mr_csv_f64(csv, k, &v[k], &err), MR_OK);
        assert_int_equal(mr_grow(&rows->call, &rows->cap, rows->n + 1, sizeof *rows->call, &err),
                         MR_OK);
        assert_int_equal(mr_grow(&rows->expected, &rows->expected_cap, rows->n + 1,
                                 sizeof *rows->expected, &err),
                         MR_OK);
        rows->call[rows->n] = (struct play_call){
            .arrived_s = v[1], .n_prompt = (uint32_t)v[2], .n_output = (uint32_t)v[3]};
        rows->expected[rows->n++] = (struct play_call){.arrived_s = v[1],
                                                       .n_prompt = (uint32_t)v[2],
                                                       .n_output = (uint32_t)v[3],
                                                       .scheduled_s = v[4],
                                                       .first_s = v[5],
                                                       .finished_s = v[6],
                                                       .n_restart = (uint32_t)v[7]};
    }
    mr_csv_close(csv);
}

static void compare(const struct rows *rows)
{
    double worst_s = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const struct play_call *a = &rows->call[i], *b = &rows->expected[i];
        worst_s = fmax(worst_s, fabs(a->scheduled_s - b->scheduled_s));
        worst_s = fmax(worst_s, fabs(a->first_s - b->first_s));
        worst_s = fmax(worst_s, fabs(a->finished_s - b->finished_s));
        if (!(worst_s <= 1e-9) || a->n_restart != b->n_restart)
            fail_msg("request %zu: scheduled %.9f %.9f, first %.9f %.9f, finished %.9f %.9f, "
                     "restarts %u %u",
                     i, a->scheduled_s, b->scheduled_s, a->first_s, b->first_s, a->finished_s,
                     b->finished_s, a->n_restart, b->n_restart);
    }
    print_message("%zu requests, largest difference %.2g s\n", rows->n, worst_s);
}

static void run(const char *name, const struct mr_policy *policy, uint64_t n_block,
                uint64_t n_iteration, uint64_t n_restart, uint64_t n_segment_max)
{
    char file[96];
    struct rows rows = {0};
    snprintf(file, sizeof file, "reference/ref_8B_r1_%s.csv", name);
    const char *path = mr_test_data(file);
    if (path == NULL)
        mr_test_skip("%s is not in MILLRACE_DATA", file);
    read_rows(path, &rows);
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = {.policy = policy,
                                 .pricer = {.profile = profile},
                                 .batch_max = 128,
                                 .token_max = policy == &mr_policy_vllm0 ? 16384 : 512,
                                 .block_tokens = 16,
                                 .n_block = n_block,
                                 .watermark_frac = 0.01};
    for (int singly = 0; singly < 2; singly++) {
        serving.steps_singly = singly == 1;
        const struct play_result result = play(&serving, rows.call, rows.n);
        compare(&rows);
        assert_int_equal(result.n_iteration, n_iteration);
        assert_int_equal(result.n_restart, n_restart);
        print_message("%llu segments\n", (unsigned long long)result.n_segment);
        if (serving.steps_singly)
            assert_int_equal(result.n_segment, n_iteration);
        else
            assert_true(result.n_segment <= n_segment_max);
    }
    mr_profile_destroy(profile);
    mr_free(rows.call);
    mr_free(rows.expected);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(chunked_1000)
{
    run("n1000", &mr_policy_sarathi, 29696, 9972, 0, 3407);
}

MR_TEST(chunked_10000)
{
    run("n10000", &mr_policy_sarathi, 29696, 58520, 0, 33247);
}

MR_TEST(chunked_when_blocks_are_scarce)
{
    run("n1000_kvtight", &mr_policy_sarathi, 2048, 11685, 51, 3373);
}

MR_TEST(prefill_first)
{
    run("n1000_vllmsched", &mr_policy_vllm0, 29696, 9304, 0, 9304);
}

MR_TEST_MAIN(MR_TEST_ENTRY(chunked_1000), MR_TEST_ENTRY(chunked_10000),
             MR_TEST_ENTRY(chunked_when_blocks_are_scarce), MR_TEST_ENTRY(prefill_first))
