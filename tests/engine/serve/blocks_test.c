/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/blocks: demand and safe steps against requests that are stepped one by one. */
#include "engine/serve/blocks.h"

#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    n_max = 40
};

MR_TEST(demand_equals_stepping)
{
    struct mr_rng rng = mr_rng_stream(6, MR_RNG_TEST, 1);
    for (int i = 0; i < 3000; i++) {
        const uint32_t size = 1u << mr_rng_below(&rng, 7), n = (uint32_t)mr_rng_below(&rng, n_max);
        const uint64_t c = mr_rng_below(&rng, 1000000), k = mr_rng_below(&rng, 300);
        const uint64_t n_free = mr_rng_below(&rng, 400), spare = mr_rng_below(&rng, 3);
        struct mr_blocks blocks;
        struct mr_err err = {0};
        uint64_t y[n_max], demand = 0, safe = 0;
        bool is_safe = true;
        assert_int_equal(mr_blocks_init(&blocks, size, &err), MR_OK);
        for (uint32_t r = 0; r < n; r++) {
            y[r] = 1 + mr_rng_below(&rng, 5000);
            mr_blocks_enter(&blocks, y[r], c);
        }
        if (n_free < spare)
            is_safe = false;
        for (uint64_t j = 0; j < k; j++) {
            uint64_t now = 0;
            for (uint32_t r = 0; r < n; r++) /* ceil grows from y - 1 to y */
                now += mr_blocks_of(&blocks, y[r] + j) - mr_blocks_of(&blocks, y[r] + j - 1);
            assert_int_equal(now, mr_blocks_demand(&blocks, c + j));
            demand += now;
            if (demand + spare > n_free)
                is_safe = false;
            safe += is_safe;
        }
        assert_int_equal(demand, mr_blocks_demand_of(&blocks, c, k));
        assert_int_equal(safe, mr_blocks_safe(&blocks, c, k, n_free, spare));
        for (uint32_t r = 0; r < n; r++)
            mr_blocks_leave(&blocks, y[r] + k, c + k);
        assert_int_equal(blocks.n, 0);
        for (uint32_t r = 0; r < size; r++)
            assert_int_equal(blocks.count[r], 0);
        mr_blocks_fini(&blocks);
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(demand_equals_stepping))
