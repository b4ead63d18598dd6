/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/transfer_heap: random pushes, removals and new keys against a plain search. */
#include "engine/serve/transfer_heap.h"

#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    n_id = 200
};

/* The id that must come first: smallest key, then smallest id; n_id when there is none. */
static uint32_t first_of(const double *key, const bool *is_in)
{
    uint32_t best = n_id;
    for (uint32_t i = 0; i < n_id; i++)
        if (is_in[i] && (best == n_id || key[i] < key[best]))
            best = i;
    return best;
}

MR_TEST(first_is_first_whatever_happens)
{
    struct mr_transfer_heap heap = {0};
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 11);
    struct mr_err err = {0};
    uint32_t place[n_id];
    double key[n_id];
    bool is_in[n_id] = {false};
    size_t n = 0;
    assert_int_equal(mr_transfer_heap_reserve(&heap, n_id, &err), MR_OK);
    for (int step = 0; step < 100000; step++) {
        const uint32_t i = (uint32_t)mr_rng_below(&rng, n_id);
        const double k = (double)mr_rng_below(&rng, 50); /* many equal ones */
        if (!is_in[i]) {
            mr_transfer_heap_push(&heap, place, k, i);
            n++;
        } else if (mr_rng_below(&rng, 2) == 0) {
            mr_transfer_heap_rekey(&heap, place, k, i);
        } else {
            mr_transfer_heap_remove(&heap, place, i);
            assert_int_equal(place[i], MR_TRANSFER_HEAP_OUT);
            is_in[i] = false;
            n--;
            continue;
        }
        key[i] = k;
        is_in[i] = true;
        assert_int_equal(heap.n, n);
        assert_int_equal(heap.item[0].id, first_of(key, is_in));
        assert_true(heap.item[place[i]].id == i && heap.item[place[i]].key == k);
    }
    mr_transfer_heap_fini(&heap);
}

MR_TEST_MAIN(MR_TEST_ENTRY(first_is_first_whatever_happens))
