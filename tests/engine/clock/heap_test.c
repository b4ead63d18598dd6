/* SPDX-License-Identifier: Apache-2.0 */
/* engine/clock/heap and event: the total order against the triple it stands for, heaps against
 * sorted arrays. */
#include "engine/clock/heap.h"

#include "engine/base/rng.h"
#include "tests/test.h"

#include <float.h>

/* ---- the order ---- */

static const double times[] = {(double)-INFINITY,
                               -DBL_MAX,
                               -1.5,
                               -1,
                               -DBL_MIN,
                               -0x1p-1074,
                               0,
                               0x1p-1074,
                               DBL_MIN,
                               0.1,
                               1,
                               1 + DBL_EPSILON,
                               86400,
                               1e6,
                               31557600.5,
                               DBL_MAX,
                               (double)INFINITY};

enum {
    n_times = sizeof times / sizeof *times
};

MR_TEST(keys_order_like_times_and_give_them_back)
{
    for (int i = 0; i < n_times; i++) {
        assert_true(mr_event_key_time_s(mr_event_key(times[i])) == times[i]);
        for (int j = 0; j < n_times; j++)
            assert_int_equal(mr_event_key(times[i]) < mr_event_key(times[j]), i < j);
    }
    assert_true(mr_event_key(-0.0) == mr_event_key(0.0));
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 100);
    for (int i = 0; i < 1000000; i++) {
        const uint64_t bits = mr_rng_u64(&rng);
        double a, b = mr_rng_range(&rng, -1e9, 1e9);
        memcpy(&a, &bits, sizeof a);
        if (isnan(a))
            continue;
        assert_int_equal(mr_event_key(a) < mr_event_key(b), a < b);
        assert_true(mr_event_key_time_s(mr_event_key(a)) == a);
    }
}

MR_TEST(events_order_by_time_then_kind_then_entity)
{
    static const uint32_t kinds[] = {0, 1, 127, 128, 255}, ids[] = {0, 1, 0x80000000u, UINT32_MAX};
    static const uint32_t generations[] = {0, 1, MR_EVENT_GENERATIONS - 1};
    struct mr_event before = {0, 0};
    int n = 0;
    for (int t = 0; t < n_times; t++)
        for (int k = 0; k < 5; k++)
            for (int i = 0; i < 4; i++)
                for (int g = 0; g < 3; g++, n++) {
                    const struct mr_event e =
                        mr_event_at(times[t], kinds[k], ids[i], generations[g]);
                    assert_true(n == 0 || mr_event_is_before(before, e));
                    assert_false(mr_event_is_before(e, before) || mr_event_is_before(e, e));
                    assert_true(mr_event_time_s(e) == times[t]);
                    assert_int_equal(mr_event_kind(e), kinds[k]);
                    assert_int_equal(mr_event_entity(e), ids[i]);
                    assert_int_equal(mr_event_generation(e), generations[g]);
                    before = e;
                }
    assert_int_equal(mr_event_generation(mr_event_at(0, 0, 7, MR_EVENT_GENERATIONS + 5)), 5);
    assert_int_equal(mr_event_entity(mr_event_at(0, 0, 7, UINT32_MAX)), 7);
}

static void nan_time(void *context)
{
    (void)context;
    (void)mr_event_key((double)NAN);
}

static void kind_256(void *context)
{
    (void)context;
    (void)mr_event_at(0, MR_EVENT_KINDS, 0, 0);
}

static void pop_empty(void *context)
{
    (void)mr_heap_pop(context);
}

static void push_full(void *context)
{
    mr_heap_push(context, 1);
}

static void rebase_too_far(void *context)
{
    mr_heap_rebase(context, 2);
}

MR_TEST(nonsense_is_refused)
{
    uint64_t storage[1];
    struct mr_heap heap = mr_heap_in(storage, 1);
    mr_assert_refused(nan_time, NULL, "time_s == time_s");
    mr_assert_refused(kind_256, NULL, "kind < MR_EVENT_KINDS");
    mr_assert_refused(pop_empty, &heap, "heap->n > 0");
    mr_heap_push(&heap, mr_heap_key(1, 0));
    mr_assert_refused(push_full, &heap, "heap->n < heap->cap");
    mr_assert_refused(rebase_too_far, &heap, ">= by");
}

/* ---- heaps against arrays kept sorted ---- */

enum {
    small_cap = 67,
    n_turn = 3000000
};

static void insert_sorted(uint64_t *sorted, uint32_t n, uint64_t key)
{
    uint32_t i = n;
    for (; i > 0 && sorted[i - 1] > key; i--)
        sorted[i] = sorted[i - 1];
    sorted[i] = key;
}

static uint64_t random_key(struct mr_rng *rng)
{
    switch (mr_rng_below(rng, 8)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
    case 3:
        return mr_rng_below(rng, 5); /* ties */
    default:
        return mr_rng_u64(rng);
    }
}

MR_TEST(random_operations_equal_a_sorted_array)
{
    uint64_t storage[small_cap], sorted[small_cap + 1];
    struct mr_heap heap = mr_heap_in(storage, small_cap);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 101);
    uint32_t n = 0;
    for (int turn = 0; turn < n_turn; turn++) {
        /* long phases that fill and long phases that drain: every size is met, empty and full too
         */
        const bool fills = turn / 500 % 2 == 0;
        const uint64_t dice = mr_rng_below(&rng, 10);
        if (n > 0 && dice == 0) {
            const uint64_t key = random_key(&rng);
            memmove(sorted, sorted + 1, (n - 1) * sizeof *sorted);
            insert_sorted(sorted, n - 1, key);
            mr_heap_replace(&heap, key);
        } else if (n < small_cap && (n == 0 || (dice < 6) == fills)) {
            const uint64_t key = random_key(&rng);
            insert_sorted(sorted, n++, key);
            mr_heap_push(&heap, key);
        } else {
            assert_true(mr_heap_pop(&heap) == sorted[0]);
            memmove(sorted, sorted + 1, --n * sizeof *sorted);
        }
        assert_int_equal(heap.n, n);
        if (n > 0)
            assert_true(mr_heap_top(&heap) == sorted[0]);
    }
}

static int by_key(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

MR_TEST(a_million_keys_come_out_sorted)
{
    enum {
        n = 1000000
    };
    uint64_t *storage = malloc(n * sizeof *storage), *sorted = malloc(n * sizeof *sorted);
    struct mr_heap heap = mr_heap_in(storage, n);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 102);
    for (uint32_t i = 0; i < n; i++) {
        sorted[i] = mr_heap_key(1000 + (uint32_t)mr_rng_below(&rng, 50000), i);
        mr_heap_push(&heap, sorted[i]);
    }
    qsort(sorted, n, sizeof *sorted, by_key);
    mr_heap_rebase(&heap, 1000);
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t key = mr_heap_pop(&heap);
        assert_int_equal(mr_heap_key_finish(key), mr_heap_key_finish(sorted[i]) - 1000);
        assert_int_equal(mr_heap_key_id(key), mr_heap_key_id(sorted[i]));
    }
    assert_int_equal(heap.n, 0);
    free(storage);
    free(sorted);
}

MR_TEST(event_heaps_equal_a_sorted_array)
{
    struct mr_event storage[small_cap], sorted[small_cap + 1];
    struct mr_heap_events heap = {storage, 0, small_cap};
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 103);
    uint32_t n = 0;
    for (int turn = 0; turn < n_turn; turn++) {
        const bool fills = turn / 500 % 2 == 0, replaces = n > 0 && mr_rng_below(&rng, 10) == 0;
        if (replaces || (n < small_cap && (n == 0 || (mr_rng_below(&rng, 10) < 6) == fills))) {
            /* few times, few kinds, few entities: ties of every depth */
            const struct mr_event e =
                mr_event_at((double)mr_rng_below(&rng, 4), (uint32_t)mr_rng_below(&rng, 3),
                            (uint32_t)mr_rng_below(&rng, 5), (uint32_t)mr_rng_below(&rng, 4));
            if (replaces) {
                memmove(sorted, sorted + 1, --n * sizeof *sorted);
                mr_heap_events_replace(&heap, e);
            } else {
                mr_heap_events_push(&heap, e);
            }
            uint32_t i = n++;
            for (; i > 0 && mr_event_is_before(e, sorted[i - 1]); i--)
                sorted[i] = sorted[i - 1];
            sorted[i] = e;
        } else {
            const struct mr_event e = mr_heap_events_pop(&heap);
            assert_memory_equal(&e, &sorted[0], sizeof e);
            memmove(sorted, sorted + 1, --n * sizeof *sorted);
        }
        assert_int_equal(heap.n, n);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(keys_order_like_times_and_give_them_back),
             MR_TEST_ENTRY(events_order_by_time_then_kind_then_entity),
             MR_TEST_ENTRY(nonsense_is_refused),
             MR_TEST_ENTRY(random_operations_equal_a_sorted_array),
             MR_TEST_ENTRY(a_million_keys_come_out_sorted),
             MR_TEST_ENTRY(event_heaps_equal_a_sorted_array))
