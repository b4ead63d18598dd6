/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/cache_load against every number of blocks there is. */
#include "engine/serve/cache_load.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static double delay_of(const struct mr_cache_load_source *source, int n_source, uint32_t n_held,
                       const struct mr_cache_load_compute *compute, double wait_s, uint32_t n_load)
{
    double load_s = 0;
    uint32_t n = n_load;
    for (int i = 0; i < n_source && n > 0; i++) {
        const uint32_t take = n < source[i].n_block ? n : source[i].n_block;
        if (take > 0)
            load_s += source[i].latency_s + take * source[i].block_s;
        n -= take;
    }
    return fmax(0, load_s - wait_s) + mr_cache_load_compute_s(compute, (double)n_held + n_load);
}

MR_TEST(random_choices_equal_trying_all)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 2);
    int n_none = 0, n_all = 0, n_mixed = 0;
    for (int trial = 0; trial < 20000; trial++) {
        struct mr_cache_load_source source[3];
        uint32_t n_all_block = 0;
        const uint32_t n_held = (uint32_t)mr_rng_below(&rng, 50);
        for (int i = 0; i < 3; i++) {
            source[i] = (struct mr_cache_load_source){(uint32_t)mr_rng_below(&rng, 40),
                                                      mr_rng_exponential(&rng, 2),
                                                      mr_rng_exponential(&rng, 1)};
            n_all_block += source[i].n_block;
        }
        const struct mr_cache_load_compute compute = {
            (double)(n_held + n_all_block) + 10 * mr_rng_f64(&rng), mr_rng_exponential(&rng, 0.8),
            trial % 3 == 0 ? 0 : mr_rng_exponential(&rng, 0.01)};
        const double wait_s = trial % 4 == 0 ? 0 : mr_rng_exponential(&rng, 20);
        const struct mr_cache_load got = mr_cache_load_choose(source, 3, n_held, &compute, wait_s);
        double least_s = HUGE_VAL;
        for (uint32_t n = 0; n <= n_all_block; n++)
            least_s = fmin(least_s, delay_of(source, 3, n_held, &compute, wait_s, n));
        mr_assert_near(got.delay_s, least_s, 1e-12, 1e-12);
        mr_assert_near(got.delay_s, delay_of(source, 3, n_held, &compute, wait_s, got.n_load),
                       1e-12, 1e-12);
        mr_assert_near(got.delay_s, fmax(0, got.load_s - wait_s) + got.compute_s, 1e-12, 1e-12);
        n_none += got.n_load == 0;
        n_all += got.n_load == n_all_block;
        n_mixed += got.n_load > 0 && got.n_load < n_all_block;
    }
    assert_true(n_none > 1000 && n_all > 1000 && n_mixed > 1000);
}

MR_TEST(known_choices)
{
    /* 100 blocks in host memory, 1 ms each to compute */
    const struct mr_cache_load_compute compute = {101, 1e-3, 0};
    const struct mr_cache_load_source fast = {100, 2e-6, 1e-5}, slow = {100, 2e-6, 2e-3};
    struct mr_cache_load load = mr_cache_load_choose(&fast, 1, 0, &compute, 0);
    assert_int_equal(load.n_load, 100);
    mr_assert_near(load.delay_s, 2e-6 + 1e-3 + 1e-3, 1e-12, 0);
    /* slower than computing: nothing, unless it is hidden by the wait, then what fits */
    assert_int_equal(mr_cache_load_choose(&slow, 1, 0, &compute, 0).n_load, 0);
    load = mr_cache_load_choose(&slow, 1, 0, &compute, 0.0501);
    assert_int_equal(load.n_load, 25);
    mr_assert_near(load.delay_s, 76e-3, 1e-12, 0);
    assert_int_equal(mr_cache_load_choose(&slow, 1, 0, &compute, 1).n_load, 100);
    /* nothing to choose from */
    load = mr_cache_load_choose(NULL, 0, 40, &compute, 1);
    assert_int_equal(load.n_load, 0);
    mr_assert_near(load.delay_s, 61e-3, 1e-12, 0);
    /* pairs: computing 10 after 90 held costs 10 x 95 of them */
    const struct mr_cache_load_compute paired = {100, 0, 1};
    mr_assert_near(mr_cache_load_compute_s(&paired, 90), 950, 1e-12, 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(random_choices_equal_trying_all), MR_TEST_ENTRY(known_choices))
