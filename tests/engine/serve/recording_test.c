/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve against two recorded runs of vLLM (300 requests of a chat trace each): steps from
 * the card's layer profile, the rest by the rules of vllm1. Nothing is fitted to the recordings.
 * The number of blocks of the second was not recorded; it was bound by its 128 sequences. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "models/profile_fit.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <stdlib.h>

enum {
    n_request = 300
};

struct recorded {
    double arrived_s, queued_s, first_s, last_s;
    uint32_t n_input, n_output;
};

static void read_field(struct mr_json *r, struct mr_str key, struct recorded *row)
{
    struct mr_err err = {0};
    uint64_t n;
    if (mr_str_is(key, "input_toks")) {
        assert_int_equal(mr_json_u64(r, &n, &err), MR_OK);
        row->n_input = (uint32_t)n;
    } else if (mr_str_is(key, "output_toks")) {
        assert_int_equal(mr_json_u64(r, &n, &err), MR_OK);
        row->n_output = (uint32_t)n;
    } else if (mr_str_is(key, "arrival_time")) {
        assert_int_equal(mr_json_f64(r, &row->arrived_s, &err), MR_OK);
    } else if (mr_str_is(key, "queued_ts")) {
        assert_int_equal(mr_json_f64(r, &row->queued_s, &err), MR_OK);
    } else if (mr_str_is(key, "first_token_ts")) {
        assert_int_equal(mr_json_f64(r, &row->first_s, &err), MR_OK);
    } else if (mr_str_is(key, "last_token_ts")) {
        assert_int_equal(mr_json_f64(r, &row->last_s, &err), MR_OK);
    } else {
        assert_int_equal(mr_json_skip(r, &err), MR_OK);
    }
}

static int by_time(const void *a, const void *b)
{
    const double x = ((const struct recorded *)a)->queued_s;
    const double y = ((const struct recorded *)b)->queued_s;
    return (x > y) - (x < y);
}

static void read_requests(const char *path, struct recorded *row)
{
    struct mr_json *r;
    struct mr_err err = {0};
    bool has_more;
    size_t n = 0;
    assert_int_equal(mr_json_open(path, NULL, &r, &err), MR_OK);
    for (;;) {
        struct mr_str key;
        assert_int_equal(mr_json_document(r, &has_more, &err), MR_OK);
        if (!has_more)
            break;
        assert_true(n < n_request);
        assert_int_equal(mr_json_enter_object(r, &err), MR_OK);
        for (;;) {
            assert_int_equal(mr_json_key(r, &key, &has_more, &err), MR_OK);
            if (!has_more)
                break;
            read_field(r, key, &row[n]);
        }
        n++;
    }
    mr_json_close(r);
    assert_int_equal(n, n_request);
    qsort(row, n, sizeof *row, by_time);
}

static struct mr_profile *profile_of(const char *folder)
{
    struct mr_profile_fit fit = {0};
    struct mr_profile *profile;
    struct mr_err err = {0};
    if (mr_profile_fit_folder(folder, &(struct mr_profile_fit_options){32, 0}, &fit, &err) != MR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(mr_profile_create(&fit.card, fit.point, fit.n_point, &profile, &err), MR_OK);
    mr_profile_fit_fini(&fit);
    return profile;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What was recorded, before anything is compared with it. */
struct golden {
    double arrivals_s, span_s;
    double ttft_ms[3], tpot_ms[3], e2e_s[3]; /* mean, median, 99th of 100 */
};

static void check_times(double *s, const double known[3], double unit_s, double tolerance)
{
    double sum = 0;
    for (int i = 0; i < n_request; i++)
        sum += s[i];
    qsort(s, n_request, sizeof *s, by_value);
    mr_assert_near(sum / n_request / unit_s, known[0], 0, tolerance);
    mr_assert_near((s[n_request / 2 - 1] + s[n_request / 2]) / 2 / unit_s, known[1], 0, tolerance);
    mr_assert_near(s[99 * n_request / 100] / unit_s, known[2], 0, tolerance);
}

static void check_recording(const struct recorded *row, const struct golden *golden)
{
    static double ttft[n_request], tpot[n_request], e2e[n_request];
    uint64_t n_input = 0, n_output = 0;
    double last_s = 0, first_s = row[0].arrived_s, arrived_s = first_s;
    for (int i = 0; i < n_request; i++) {
        n_input += row[i].n_input;
        n_output += row[i].n_output;
        ttft[i] = row[i].first_s - row[i].queued_s;
        tpot[i] =
            row[i].n_output > 1 ? (row[i].last_s - row[i].first_s) / (row[i].n_output - 1.0) : 0;
        e2e[i] = row[i].last_s - row[i].queued_s;
        last_s = fmax(last_s, row[i].last_s);
        first_s = fmin(first_s, row[i].arrived_s);
        arrived_s = fmax(arrived_s, row[i].arrived_s);
    }
    assert_int_equal(n_input, 257239);
    assert_int_equal(n_output, 195753);
    mr_assert_near(arrived_s - first_s, golden->arrivals_s, 0, 6e-5);
    mr_assert_near(last_s - row[0].queued_s, golden->span_s, 0, 6e-5);
    check_times(ttft, golden->ttft_ms, 1e-3, 0.06);
    check_times(tpot, golden->tpot_ms, 1e-3, 6e-4);
    check_times(e2e, golden->e2e_s, 1, 6e-4);
}

static void compare(const char *run, uint32_t batch_max, uint64_t n_block,
                    const struct golden *golden)
{
    static struct recorded row[n_request];
    static struct play_call call[n_request];
    double ttft[2] = {0}, tpot[2] = {0}, e2e[2] = {0}; /* recorded, played */
    char name[128], folder[600];
    snprintf(name, sizeof name, "vllm_runs/%s/requests.jsonl", run);
    const char *path = mr_test_data(name);
    if (path == NULL)
        mr_test_skip("%s is not in MILLRACE_DATA", name);
    read_requests(path, row);
    check_recording(row, golden);
    snprintf(folder, sizeof folder, "%.*s/profile/tp1",
             (int)(strlen(path) - strlen("/requests.jsonl")), path);
    struct mr_profile *profile = profile_of(folder);
    const struct mr_serving serving = {.policy = &mr_policy_vllm1,
                                       .pricer = {.profile = profile},
                                       .batch_max = batch_max,
                                       .token_max = 2048,
                                       .block_tokens = 16,
                                       .n_block = n_block};
    for (int i = 0; i < n_request; i++)
        call[i] = (struct play_call){.arrived_s = row[i].queued_s - row[0].queued_s,
                                     .n_prompt = row[i].n_input,
                                     .n_output = row[i].n_output};
    const struct play_result result = play(&serving, call, n_request);
    for (int i = 0; i < n_request; i++) {
        const double n = row[i].n_output > 1 ? row[i].n_output - 1 : 1;
        ttft[0] += row[i].first_s - row[i].queued_s;
        ttft[1] += call[i].first_s - call[i].arrived_s;
        tpot[0] += (row[i].last_s - row[i].first_s) / n;
        tpot[1] += (call[i].finished_s - call[i].first_s) / n;
        e2e[0] += row[i].last_s - row[i].queued_s;
        e2e[1] += call[i].finished_s - call[i].arrived_s;
    }
    const double ttft_off = ttft[1] / ttft[0] - 1, tpot_off = tpot[1] / tpot[0] - 1;
    const double e2e_off = e2e[1] / e2e[0] - 1;
    print_message("%s: means off by %+.1f %% (first token), %+.1f %% (per token), %+.1f %% (end to "
                  "end); %llu restarts\n",
                  run, 100 * ttft_off, 100 * tpot_off, 100 * e2e_off,
                  (unsigned long long)result.n_restart);
    assert_true(fabs(e2e_off) <= 0.06 && fabs(tpot_off) <= 0.05 && fabs(ttft_off) <= 0.12);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(rtx4090_bound_by_its_blocks)
{
    static const struct golden golden = {29.1005,
                                         183.5675,
                                         {65456.6, 60110.9, 137777.2},
                                         {32.4466, 30.7593, 57.489},
                                         {86.5783, 83.4133, 153.835}};
    compare("rtx4090_llama8b", 256, 2588, &golden);
}

MR_TEST(rtxpro6000_bound_by_its_batch)
{
    static const struct golden golden = {29.1212,
                                         65.9264,
                                         {7097.2, 9442.7, 19864.9},
                                         {32.458, 33.4246, 37.4272},
                                         {28.2007, 29.6156, 37.6589}};
    compare("rtxpro6000_llama8b", 128, 40000, &golden);
}

MR_TEST_MAIN(MR_TEST_ENTRY(rtx4090_bound_by_its_blocks),
             MR_TEST_ENTRY(rtxpro6000_bound_by_its_batch))
