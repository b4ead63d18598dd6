/* SPDX-License-Identifier: Apache-2.0 */
/* engine/record/histogram: bins that hold what is counted into them, coarser counts out of finer
 * ones, and the way into a file. */
#include "engine/record/histogram.h"

#include "engine/base/fmath.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "tests/engine/record/h5.h"

#include <math.h>

#define N_OF(table) (sizeof(table) / sizeof *(table))

static const char *const tier_names[] = {"free", "pay as you go", "reserved"};

MR_TEST(histograms)
{
    static const struct mr_channel latency[] = {
        {.name = "ttft_s", .units = "1", .long_name = "Calls by TTFT", .type = MR_CHANNEL_U64},
        {.name = "e2e_s", .units = "1", .long_name = "Calls by time", .type = MR_CHANNEL_U64}};
    static const double value[] = {-1,     0, 0.0009, 0.001, 1,   1.06,
                                   1.0625, 5, 99,     128,   1e9, (double)INFINITY};
    const struct mr_histogram_plan plan = {.lower = 0.001,
                                           .upper = 100,
                                           .bits = 4,
                                           .units = "s",
                                           .channel = latency,
                                           .n_channel = 2,
                                           .axis = "tier",
                                           .axis_name = "Tiers",
                                           .name = tier_names,
                                           .n_entity = 3};
    const struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_histogram h;
    struct mr_runfile *file;
    struct mr_err err = {0};
    must(mr_histogram_init(&h, &plan, &err), &err);
    assert_int_equal(h.n_bin, 17 * 16 + 2); /* 2^-10 to 2^7 */
    for (size_t i = 0; i < h.n_bin; i++) {
        if (i + 1 < h.n_bin)
            assert_true(mr_histogram_upper(&h, i) == mr_histogram_lower(&h, i + 1));
        if (i > 0 && i + 1 < h.n_bin) {
            const double lower = mr_histogram_lower(&h, i), upper = mr_histogram_upper(&h, i);
            assert_int_equal(mr_histogram_bin(&h, lower), i);
            assert_int_equal(mr_histogram_bin(&h, nextafter(upper, 0)), i);
            assert_true(upper / lower <= 1 + 1.0 / 16);
        }
    }
    for (size_t i = 0; i < N_OF(value); i++) {
        const size_t bin = mr_histogram_bin(&h, value[i]);
        assert_true(value[i] >= mr_histogram_lower(&h, bin));
        assert_true(value[i] < mr_histogram_upper(&h, bin) || isinf(value[i]));
        mr_histogram_add(&h, 1, 2, value[i]);
    }
    /* counted in finer bins first: the same counts */
    struct mr_hist *fine = mr_alloc_zero(1, sizeof *fine);
    assert_non_null(fine);
    for (int i = 0; i < 200000; i++) {
        struct mr_rng rng = mr_rng_stream(1, MR_RNG_RESERVOIR, (uint64_t)i);
        const double x = 1e-12 * mr_exp(37 * mr_rng_f64(&rng)); /* up to 11,700 s */
        mr_hist_add(fine, x);
        mr_histogram_add(&h, 0, 1, x);
    }
    mr_hist_add(fine, 0);
    mr_histogram_add(&h, 0, 1, 0);
    mr_histogram_add_hist(&h, 0, 2, fine);
    for (size_t i = 0; i < h.n_bin; i++) {
        assert_int_equal(h.count[2 * h.n_bin + i], h.count[h.n_bin + i]);
        h.count[2 * h.n_bin + i] = h.count[h.n_bin + i] = 0;
    }
    mr_free(fine);
    must(mr_runfile_create(mr_test_tmp_path("hist.h5"), &options, &file, &err), &err);
    must(mr_histogram_put(&h, file, "/histograms/tiers", &err), &err);
    must(mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "", &err), &err);
    mr_runfile_destroy(file);
    const hid_t h5 = h5_open(mr_test_tmp_path("hist.h5"), H5F_ACC_RDONLY);
    size_t n;
    double *count = h5_f64(h5, "/histograms/tiers/e2e_s", &n), sum = 0;
    assert_int_equal(n, 3 * h.n_bin);
    for (size_t i = 0; i < n; i++)
        sum += i >= 2 * h.n_bin ? count[i] : 1e9 * count[i];
    assert_true(sum == (double)N_OF(value));
    free(count);
    H5Fclose(h5);
    mr_histogram_fini(&h);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(histograms))
