/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/queue: against a list that is sorted by rank, with calls that return to the front
 * and some that come before others. */
#include "engine/serve/queue.h"

#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    n_max = 4000
};

struct entry {
    uint32_t rank, call;
};

MR_TEST(as_a_sorted_list)
{
    static struct entry list[n_max];
    struct mr_queue queue = {0};
    struct mr_err err = {0};
    struct mr_rng rng = mr_rng_stream(61, MR_RNG_TEST, 1);
    size_t n = 0, n_most = 0;
    for (uint32_t i = 0; i < 40000; i++) {
        const bool grows = i % 8000 < 5000;
        if (n > 0 && (n == n_max || mr_rng_below(&rng, 10) < (grows ? 4u : 6u))) {
            assert_int_equal(mr_queue_head(&queue), list[0].call);
            assert_int_equal(mr_queue_take(&queue), list[0].call);
            n--;
            for (size_t k = 0; k < n; k++)
                list[k] = list[k + 1];
        } else {
            const uint32_t rank = (uint32_t)mr_rng_below(&rng, MR_QUEUE_RANKS);
            const bool is_first = mr_rng_below(&rng, 4) == 0;
            const size_t own = mr_queue_n(&queue, rank);
            const size_t beyond = mr_rng_below(&rng, 3) == 0 ? mr_rng_below(&rng, own + 1) : 0;
            size_t at = 0;
            while (at < n && list[at].rank < rank)
                at++;
            if (own > 0) {
                assert_int_equal(mr_queue_at(&queue, rank, 0), list[at].call);
                assert_int_equal(mr_queue_at(&queue, rank, own - 1), list[at + own - 1].call);
            }
            at += is_first ? beyond : own - beyond;
            for (size_t k = n++; k > at; k--)
                list[k] = list[k - 1];
            list[at] = (struct entry){rank, i};
            assert_int_equal(is_first ? mr_queue_return(&queue, rank, i, beyond, &err)
                                      : mr_queue_add(&queue, rank, i, beyond, &err),
                             MR_OK);
        }
        assert_int_equal(queue.n, n);
        n_most = n > n_most ? n : n_most;
    }
    assert_true(n_most > 500);
    mr_queue_fini(&queue);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(as_a_sorted_list))
