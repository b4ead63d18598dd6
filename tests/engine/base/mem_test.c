/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/mem: overflow, growth, failing allocator. */
#include "engine/base/mem.h"

#include "tests/test.h"

MR_TEST(overflow_is_null)
{
    assert_null(mr_alloc(SIZE_MAX / 2, 3));
    assert_null(mr_alloc_zero(SIZE_MAX / 2, 3));
    assert_null(mr_alloc(1, SIZE_MAX));
}

MR_TEST(zero_bytes_is_a_pointer)
{
    void *a = mr_alloc(0, 8), *b = mr_alloc_zero(0, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    mr_free(a);
    mr_free(b);
    mr_free(NULL);
}

MR_TEST(text_copy_is_terminated)
{
    char *t = mr_alloc_text("abcdef", 3);
    assert_string_equal(t, "abc");
    mr_free(t);
}

MR_TEST(growth_keeps_content)
{
    uint32_t *v = NULL;
    size_t cap = 0;
    struct mr_err err = {0};
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(mr_grow(&v, &cap, i + 1, sizeof *v, &err), MR_OK);
        v[i] = i;
    }
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(v[i], i);
    assert_true(cap >= 10000 && cap < 20000 * 2);
    mr_free(v);
}

MR_TEST(growth_overflow_is_nomem)
{
    uint64_t *v = NULL;
    size_t cap = 0;
    struct mr_err err = {0};
    assert_int_equal(mr_grow(&v, &cap, SIZE_MAX / 4, sizeof *v, &err), MR_NOMEM);
    assert_int_equal(mr_grow(&v, &cap, SIZE_MAX, sizeof *v, &err), MR_NOMEM);
    assert_null(v);
    assert_int_equal(cap, 0);
    assert_int_equal(err.status, MR_NOMEM);
}

static mr_status grow_twice(void *context, struct mr_err *err)
{
    double *v = NULL;
    size_t cap = 0;
    (void)context;
    mr_status st = mr_grow(&v, &cap, 3, sizeof *v, err);
    if (st == MR_OK)
        st = mr_grow(&v, &cap, 3000, sizeof *v, err);
    mr_free(v);
    return st;
}

MR_TEST(every_failing_allocation)
{
    mr_test_every_nomem(grow_twice, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(overflow_is_null), MR_TEST_ENTRY(zero_bytes_is_a_pointer),
             MR_TEST_ENTRY(text_copy_is_terminated), MR_TEST_ENTRY(growth_keeps_content),
             MR_TEST_ENTRY(growth_overflow_is_nomem), MR_TEST_ENTRY(every_failing_allocation))
