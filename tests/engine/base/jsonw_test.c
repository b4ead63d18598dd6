/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/jsonw: layout, escapes, numbers, values JSON has no name for. */
#include "engine/base/jsonw.h"

#include "tests/test.h"

MR_TEST(one_line)
{
    struct mr_buf buf = {0};
    struct mr_jsonw w;
    mr_jsonw_init(&w, &buf, 0);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "u", UINT64_MAX);
    mr_jsonw_key(&w, "i");
    mr_jsonw_i64(&w, INT64_MIN);
    mr_jsonw_key_f64(&w, "f", 0.1);
    mr_jsonw_key_bool(&w, "yes", true);
    mr_jsonw_key_bool(&w, "no", false);
    mr_jsonw_key_text(&w, "none", NULL);
    mr_jsonw_key(&w, "list");
    mr_jsonw_array(&w);
    mr_jsonw_array(&w);
    mr_jsonw_end(&w);
    mr_jsonw_object(&w);
    mr_jsonw_end(&w);
    mr_jsonw_u64(&w, 0);
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    assert_int_equal(w.depth, 0);
    assert_int_equal(buf.status, MR_OK);
    assert_string_equal(buf.text,
                        "{\"u\":18446744073709551615,\"i\":-9223372036854775808,\"f\":0.1,"
                        "\"yes\":true,\"no\":false,\"none\":null,\"list\":[[],{},0]}");
    mr_buf_fini(&buf);
}

MR_TEST(indented)
{
    struct mr_buf buf = {0};
    struct mr_jsonw w;
    mr_jsonw_init(&w, &buf, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "a", 1);
    mr_jsonw_key(&w, "b");
    mr_jsonw_array(&w);
    mr_jsonw_bool(&w, true);
    mr_jsonw_null(&w);
    mr_jsonw_end(&w);
    mr_jsonw_key(&w, "empty");
    mr_jsonw_object(&w);
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    assert_string_equal(buf.text, "{\n"
                                  "  \"a\": 1,\n"
                                  "  \"b\": [\n"
                                  "    true,\n"
                                  "    null\n"
                                  "  ],\n"
                                  "  \"empty\": {}\n"
                                  "}");
    mr_buf_fini(&buf);
}

MR_TEST(strings_and_escapes)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *json;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
        {"\x00\x01\x1F\x7F", 4, "\"\\u0000\\u0001\\u001f\x7F\""},
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9, "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {"a\xFF"
         "b",
         3,
         "\"a\xEF\xBF\xBD"
         "b\""},
        {"\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* a lone surrogate */
        {"x\xE2\x82", 3, "\"x\xEF\xBF\xBD\xEF\xBF\xBD\""},               /* cut */
        {"/", 1, "\"/\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_buf buf = {0};
        struct mr_jsonw w;
        mr_jsonw_init(&w, &buf, 0);
        mr_jsonw_str(&w, (struct mr_str){cases[i].bytes, cases[i].n});
        assert_string_equal(buf.text, cases[i].json);
        mr_buf_fini(&buf);
    }
}

MR_TEST(keys_are_escaped)
{
    struct mr_buf buf = {0};
    struct mr_jsonw w;
    mr_jsonw_init(&w, &buf, 0);
    mr_jsonw_object(&w);
    mr_jsonw_key_text(&w, "a\"\n", "v");
    mr_jsonw_end(&w);
    assert_string_equal(buf.text, "{\"a\\\"\\n\":\"v\"}");
    mr_buf_fini(&buf);
}

MR_TEST(doubles)
{
    static const struct {
        double value;
        const char *json;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1.0, "1"},
        {0.1, "0.1"},
        {1e22, "1e22"},
        {5e-324, "5e-324"},
        {12345.678, "12345.678"},
        {(double)NAN, "null"},
        {(double)INFINITY, "null"},
        {-(double)INFINITY, "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_buf buf = {0};
        struct mr_jsonw w;
        mr_jsonw_init(&w, &buf, 0);
        mr_jsonw_f64(&w, cases[i].value);
        assert_string_equal(buf.text, cases[i].json);
        mr_buf_fini(&buf);
    }
}

MR_TEST(figures)
{
    const struct mr_jsonw_figure figure[] = {{"a", 1}, {"b\"", (double)NAN}};
    struct mr_buf buf = {0};
    struct mr_jsonw w;
    mr_jsonw_init(&w, &buf, 0);
    mr_jsonw_object(&w);
    mr_jsonw_key_figures(&w, "two", figure, 2);
    mr_jsonw_key_figures(&w, "none", figure, 0);
    mr_jsonw_end(&w);
    assert_string_equal(buf.text, "{\"two\":{\"a\":1,\"b\\\"\":null},\"none\":{}}");
    mr_buf_fini(&buf);
}

MR_TEST(deepest_nesting)
{
    struct mr_buf buf = {0};
    struct mr_jsonw w;
    mr_jsonw_init(&w, &buf, 1);
    for (int i = 0; i < mr_jsonw_depth_max; i++)
        mr_jsonw_array(&w);
    for (int i = 0; i < mr_jsonw_depth_max; i++)
        mr_jsonw_end(&w);
    assert_int_equal(buf.status, MR_OK);
    assert_int_equal(w.depth, 0);
    mr_buf_fini(&buf);
}

static mr_status write_document(void *context, struct mr_err *err)
{
    struct mr_buf buf = {0};
    struct mr_jsonw w;
    (void)context;
    mr_jsonw_init(&w, &buf, 40);
    mr_jsonw_object(&w);
    for (int i = 0; i < 50; i++)
        mr_jsonw_key_text(&w, "key", "va\xFFlue\n");
    mr_jsonw_end(&w);
    const mr_status st = mr_buf_check(&buf, err);
    mr_buf_fini(&buf);
    return st;
}

MR_TEST(failure_is_sticky)
{
    mr_test_every_nomem(write_document, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(one_line), MR_TEST_ENTRY(indented), MR_TEST_ENTRY(strings_and_escapes),
             MR_TEST_ENTRY(keys_are_escaped), MR_TEST_ENTRY(doubles), MR_TEST_ENTRY(figures),
             MR_TEST_ENTRY(deepest_nesting), MR_TEST_ENTRY(failure_is_sticky))
