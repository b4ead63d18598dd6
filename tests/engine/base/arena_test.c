/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/arena: alignment, growth, reset, failing allocator. */
#include "engine/base/arena.h"

#include "tests/test.h"

MR_TEST(objects_are_aligned_and_apart)
{
    struct mr_arena arena = {0};
    unsigned char *p[500];
    for (size_t i = 0; i < 500; i++) {
        p[i] = mr_arena_alloc(&arena, i, NULL);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        memset(p[i], (int)(i & 0xFF), i);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal(p[i][j], i & 0xFF);
    assert_true(arena.used_bytes >= 500 * 499 / 2);
    mr_arena_fini(&arena);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(a_huge_object_gets_its_own_block)
{
    struct mr_arena arena = {0};
    char *small = mr_arena_text(&arena, MR_STR("small"), NULL);
    char *huge = mr_arena_zero(&arena, 10 << 20, 1, NULL);
    assert_non_null(huge);
    assert_int_equal(huge[(10 << 20) - 1], 0);
    assert_string_equal(small, "small");
    mr_arena_fini(&arena);
}

MR_TEST(reset_stops_allocating)
{
    struct mr_arena arena = {0};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++)
            assert_non_null(mr_arena_alloc(&arena, 100, NULL));
        mr_arena_reset(&arena);
        assert_int_equal(arena.used_bytes, 0);
        assert_int_equal(mr_test_live_allocations(), 1);
    }
    mr_arena_fini(&arena);
    mr_arena_reset(&arena);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(impossible_sizes_are_nomem)
{
    struct mr_arena arena = {0};
    struct mr_err err = {0};
    assert_null(mr_arena_alloc(&arena, SIZE_MAX, &err));
    assert_int_equal(err.status, MR_NOMEM);
    assert_null(mr_arena_zero(&arena, SIZE_MAX / 2, 4, NULL));
    mr_arena_fini(&arena);
}

static mr_status fill(void *context, struct mr_err *err)
{
    struct mr_arena arena = {0};
    mr_status st = MR_OK;
    (void)context;
    for (int i = 0; i < 2000 && st == MR_OK; i++)
        if (mr_arena_alloc(&arena, 64, err) == NULL)
            st = MR_NOMEM;
    mr_arena_fini(&arena);
    return st;
}

MR_TEST(every_failing_allocation)
{
    mr_test_every_nomem(fill, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(objects_are_aligned_and_apart),
             MR_TEST_ENTRY(a_huge_object_gets_its_own_block), MR_TEST_ENTRY(reset_stops_allocating),
             MR_TEST_ENTRY(impossible_sizes_are_nomem), MR_TEST_ENTRY(every_failing_allocation))
