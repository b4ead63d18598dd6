/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/intern: dense ids, stable texts, failing allocator. */
#include "engine/base/intern.h"

#include "tests/test.h"

MR_TEST(equal_texts_equal_ids)
{
    struct mr_intern intern = {0};
    uint32_t a, b, c, d;
    assert_int_equal(mr_intern_find(&intern, MR_STR("a")), MR_INTERN_NONE);
    assert_int_equal(mr_intern_add(&intern, MR_STR("rack"), &a, NULL), MR_OK);
    assert_int_equal(mr_intern_add(&intern, MR_STR(""), &b, NULL), MR_OK);
    assert_int_equal(mr_intern_add(&intern, (struct mr_str){"rack-2", 4}, &c, NULL), MR_OK);
    assert_int_equal(mr_intern_add(&intern, (struct mr_str){"a\0b", 3}, &d, NULL), MR_OK);
    assert_int_equal(a, 0);
    assert_int_equal(b, 1);
    assert_int_equal(c, 0);
    assert_int_equal(d, 2);
    assert_string_equal(mr_intern_text(&intern, 0), "rack");
    assert_int_equal(mr_intern_str(&intern, 2).n, 3);
    assert_int_equal(mr_intern_find(&intern, MR_STR("a")), MR_INTERN_NONE);
    mr_intern_fini(&intern);
}

MR_TEST(ids_are_dense_over_many)
{
    enum {
        n = 100000
    };
    struct mr_intern intern = {0};
    char text[32];
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < n; i++) {
            uint32_t id;
            snprintf(text, sizeof text, "H0.R%u.K%u", i % 300, i / 300);
            assert_int_equal(mr_intern_add(&intern, mr_str_of(text), &id, NULL), MR_OK);
            assert_int_equal(id, i);
        }
    snprintf(text, sizeof text, "H0.R%d.K%d", 77777 % 300, 77777 / 300);
    assert_string_equal(mr_intern_text(&intern, 77777), text);
    mr_intern_fini(&intern);
    assert_int_equal(mr_test_live_allocations(), 0);
}

static mr_status add_many(void *context, struct mr_err *err)
{
    struct mr_intern intern = {0};
    mr_status st = MR_OK;
    (void)context;
    for (int i = 0; i < 300 && st == MR_OK; i++) {
        char text[16];
        uint32_t id;
        snprintf(text, sizeof text, "n%d", i);
        st = mr_intern_add(&intern, mr_str_of(text), &id, err);
    }
    mr_intern_fini(&intern);
    return st;
}

MR_TEST(every_failing_allocation)
{
    mr_test_every_nomem(add_many, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(equal_texts_equal_ids), MR_TEST_ENTRY(ids_are_dense_over_many),
             MR_TEST_ENTRY(every_failing_allocation))
