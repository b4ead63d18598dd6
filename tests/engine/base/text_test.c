/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/text: slices, buffer, quoting, hints, UTF-8. */
#include "engine/base/text.h"

#include "tests/test.h"

MR_TEST(slices)
{
    assert_true(mr_str_is(mr_str_trim(MR_STR(" \t ab c\r\n")), "ab c"));
    assert_int_equal(mr_str_trim(MR_STR("  ")).n, 0);
    assert_true(mr_str_eq_nocase(MR_STR("TB/s"), MR_STR("tb/S")));
    assert_false(mr_str_eq_nocase(MR_STR("TB"), MR_STR("TBs")));
    assert_true(mr_str_eq((struct mr_str){NULL, 0}, MR_STR("")));
    assert_true(mr_str_hash(MR_STR("abc")) != mr_str_hash(MR_STR("abd")));
}

MR_TEST(copies_are_cut_and_terminated)
{
    char out[4] = "xyz";
    mr_str_copy((struct mr_str){NULL, 0}, out, sizeof out);
    assert_string_equal(out, "");
    mr_str_copy(MR_STR("abc"), out, sizeof out);
    assert_string_equal(out, "abc");
    mr_str_copy(MR_STR("defg"), out, sizeof out);
    assert_string_equal(out, "def");
    mr_str_copy(MR_STR("g"), out, 1);
    assert_string_equal(out, "");
}

MR_TEST(buffer_builds_text)
{
    struct mr_buf buf = {0};
    for (int i = 0; i < 1000; i++)
        mr_buf_printf(&buf, "%d,", i);
    mr_buf_char(&buf, '!');
    struct mr_err err = {0};
    assert_int_equal(mr_buf_check(&buf, &err), MR_OK);
    assert_int_equal(buf.n, 10 * 2 + 90 * 3 + 900 * 4 + 1);
    assert_int_equal(strlen(buf.text), buf.n);
    mr_buf_clear(&buf);
    mr_buf_xml(&buf, MR_STR("a<b & \"c\">\x01\n"));
    assert_string_equal(buf.text, "a&lt;b &amp; &quot;c&quot;&gt;\xEF\xBF\xBD&#10;");
    mr_buf_fini(&buf);
}

static mr_status build(void *context, struct mr_err *err)
{
    struct mr_buf buf = {0};
    (void)context;
    for (int i = 0; i < 100; i++)
        mr_buf_text(&buf, "0123456789");
    const mr_status st = mr_buf_check(&buf, err);
    mr_buf_fini(&buf);
    return st;
}

MR_TEST(buffer_failure_is_sticky)
{
    mr_test_every_nomem(build, NULL);
}

MR_TEST(quoting_hostile_input)
{
    char out[MR_QUOTE_CAP];
    assert_string_equal(mr_text_quote(MR_STR("plain \xC3\xA9"), out), "plain \xC3\xA9");
    assert_string_equal(mr_text_quote((struct mr_str){"a\0b\n\x1B[31m\xFF", 9}, out),
                        "a\\x00b\\x0A\\x1B[31m");
    char longer[500];
    memset(longer, '\xFF', sizeof longer);
    mr_text_quote((struct mr_str){longer, sizeof longer}, out);
    assert_true(strlen(out) < MR_QUOTE_CAP);
    assert_string_equal(out + strlen(out) - 3, "...");
}

MR_TEST(nearest_name)
{
    static const char *const names[] = {"workload", "deployment", "site", "show", "Tbit/s", "TB/s"};
    const size_t n = sizeof names / sizeof *names;
    assert_string_equal(mr_text_nearest(MR_STR("workloed"), names, n), "workload");
    assert_string_equal(mr_text_nearest(MR_STR("sho"), names, n), "show");
    assert_string_equal(mr_text_nearest(MR_STR("iste"), names, n), "site");
    assert_string_equal(mr_text_nearest(MR_STR("tb/s"), names, n), "TB/s");
    assert_null(mr_text_nearest(MR_STR("xylophone"), names, n));
    assert_null(mr_text_nearest(MR_STR(""), names, n));
    char hint[64];
    mr_text_hint(MR_STR("workloed"), names, n, hint, sizeof hint);
    assert_string_equal(hint, " (did you mean \"workload\"?)");
    mr_text_hint(MR_STR("qqqqqqqq"), names, n, hint, sizeof hint);
    assert_string_equal(hint, "");
}

MR_TEST(lines_break_between_words)
{
    struct mr_buf out = {0};
    mr_buf_wrap(&out, "one two three", 0, 0, 7); /* 7 fit, 13 do not */
    assert_string_equal(out.text, "one two\nthree");
    mr_buf_clear(&out);
    mr_buf_wrap(&out, "one  two three", 4, 2, 9); /* begins at 4, goes on at 2 */
    assert_string_equal(out.text, "one\n  two\n  three");
    mr_buf_clear(&out);
    mr_buf_wrap(&out, "longest two", 0, 1, 3);
    assert_string_equal(out.text, "longest\n two");
    mr_buf_fini(&out);
}

MR_TEST(utf8_is_strict)
{
    static const struct {
        const char *text;
        size_t n, valid;
    } cases[] = {
        {"abcdefghij", 10, 10},
        {"\xC3\xA9", 2, 2},
        {"\xE2\x82\xAC", 3, 3},
        {"\xF0\x9F\x98\x80", 4, 4},
        {"\xC0\x80", 2, 0},         /* overlong NUL */
        {"\xE0\x9F\xBF", 3, 0},     /* overlong */
        {"\xED\xA0\x80", 3, 0},     /* surrogate */
        {"\xF4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
        {"\xF0\x8F\xBF\xBF", 4, 0}, /* overlong */
        {"ab\xE2\x82", 4, 2},       /* cut */
        {"\x80", 1, 0},
        {"12345678\xFF", 9, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(mr_utf8_valid_len(cases[i].text, cases[i].n), cases[i].valid);
}

MR_TEST(utf8_encode_round_trip)
{
    static const uint32_t scalars[] = {0x24, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF};
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        char out[4];
        const size_t n = mr_utf8_encode(scalars[i], out);
        assert_int_equal(mr_utf8_valid_len(out, n), n);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(copies_are_cut_and_terminated), MR_TEST_ENTRY(slices),
             MR_TEST_ENTRY(buffer_builds_text), MR_TEST_ENTRY(buffer_failure_is_sticky),
             MR_TEST_ENTRY(quoting_hostile_input), MR_TEST_ENTRY(nearest_name),
             MR_TEST_ENTRY(lines_break_between_words), MR_TEST_ENTRY(utf8_is_strict),
             MR_TEST_ENTRY(utf8_encode_round_trip))
