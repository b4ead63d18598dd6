/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/block_names against a list that is searched from its beginning; what is forgotten is
 * new again; no allocation that fails does harm. */
#include "engine/work/block_names.h"

#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    n_id = 700,
    n_draw = 20000
};

/* Ids of all sizes, few enough to come again. */
static uint64_t draw_id(struct mr_rng *rng)
{
    const uint64_t k = mr_rng_u64(rng) % n_id;
    return k % 3 == 0 ? k : k % 3 == 1 ? k << 33 | k : ~(k * UINT64_C(0x9e3779b97f4a7c15));
}

MR_TEST(numbers_are_given_in_order)
{
    struct mr_block_names names = {0};
    struct mr_err err = {0};
    struct mr_rng rng = mr_rng_stream(7, MR_RNG_TOOL, 0);
    static uint64_t list[n_id];
    for (int round = 0; round < 3; round++) {
        uint32_t n = 0;
        for (int i = 0; i < n_draw; i++) {
            const uint64_t id = draw_id(&rng);
            uint32_t k = 0, number = UINT32_MAX;
            while (k < n && list[k] != id)
                k++;
            assert_int_equal(mr_block_names_of(&names, id, &number, &err), MR_OK);
            assert_int_equal(number, k);
            if (k == n)
                list[n++] = id;
        }
        assert_true(n > n_id / 2);
        mr_block_names_clear(&names);
    }
    mr_block_names_fini(&names);
}

/* Numbers begin anew however often they are forgotten. */
MR_TEST(forgetting_has_no_end)
{
    struct mr_block_names names = {0};
    uint32_t number = 1;
    assert_int_equal(mr_block_names_of(&names, 5, &number, NULL), MR_OK);
    names.forgotten = UINT32_MAX - 3; /* as if as many had been */
    names.n = 0;
    mr_block_names_clear(&names);
    for (uint32_t i = 0; i < 40; i++) {
        assert_int_equal(mr_block_names_of(&names, 1000 - i, &number, NULL), MR_OK);
        assert_int_equal(number, i);
    }
    mr_block_names_fini(&names);
}

static mr_status name_many(void *context, struct mr_err *err)
{
    struct mr_block_names names = {0};
    uint32_t number;
    mr_status st = MR_OK;
    (void)context;
    for (uint64_t i = 0; i < 200 && st == MR_OK; i++)
        st = mr_block_names_of(&names, i << 40, &number, err);
    mr_block_names_fini(&names);
    return st;
}

MR_TEST(every_failing_allocation)
{
    mr_test_every_nomem(name_many, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(numbers_are_given_in_order), MR_TEST_ENTRY(forgetting_has_no_end),
             MR_TEST_ENTRY(every_failing_allocation))
