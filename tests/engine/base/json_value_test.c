/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/json: typed values, numbers to the last bit, strings with their escapes, arrays of
 * integers. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "tests/test.h"

static struct mr_json *reader(const char *text, size_t n, const struct mr_json_options *options)
{
    struct mr_json *r = NULL;
    struct mr_err err = {0};
    assert_int_equal(mr_json_open_memory(text, n, "t.json", options, &r, &err), MR_OK);
    return r;
}

static struct mr_json *open_text(const char *text)
{
    return reader(text, strlen(text), NULL);
}

MR_TEST(unsigned_integers)
{
    static const struct {
        const char *text;
        mr_status st;
        uint64_t value;
    } cases[] = {
        {"0", MR_OK, 0},
        {"-0", MR_OK, 0},
        {"7", MR_OK, 7},
        {"1234567", MR_OK, 1234567},
        {"12345678", MR_OK, 12345678},
        {"123456789012345678", MR_OK, UINT64_C(123456789012345678)},
        {"1234567890123456789", MR_OK, UINT64_C(1234567890123456789)},
        {"9223372036854775807", MR_OK, INT64_MAX},
        {"9223372036854775809", MR_OK, (uint64_t)INT64_MAX + 2},
        {"9999999999999999999", MR_OK, UINT64_C(9999999999999999999)},
        {"10000000000000000000", MR_OK, UINT64_C(10000000000000000000)},
        {"18446744073709551614", MR_OK, UINT64_MAX - 1},
        {"18446744073709551615", MR_OK, UINT64_MAX},
        {"18446744073709551616", MR_RANGE, 0},
        {"18446744073709551620", MR_RANGE, 0},
        {"28446744073709551615", MR_RANGE, 0},
        {"184467440737095516150", MR_RANGE, 0},
        {"99999999999999999999999999999999999999", MR_RANGE, 0},
        {"9007199254740993", MR_OK, UINT64_C(9007199254740993)}, /* not a double */
        {"1e3", MR_OK, 1000},
        {"1E+3", MR_OK, 1000},
        {"1.5e1", MR_OK, 15},
        {"2.0", MR_OK, 2},
        {"2.000000000000000000000000000000", MR_OK, 2},
        {"1844674407370955161.5e1", MR_OK, UINT64_MAX},
        {"184467440737095516150e-1", MR_OK, UINT64_MAX},
        {"184467440737095516160e-1", MR_RANGE, 0},
        {"184467440737095516155e-1", MR_SCHEMA, 0},
        {"100000000000000000000000000000e-28", MR_OK, 10},
        {"1e19", MR_OK, UINT64_C(10000000000000000000)},
        {"1e20", MR_RANGE, 0},
        {"1e999999999999999999999999", MR_RANGE, 0},
        {"0e999999999999999999999999", MR_OK, 0},
        {"0e-999999999999999999999999", MR_OK, 0},
        {"0.0000", MR_OK, 0},
        {"0.5", MR_SCHEMA, 0},
        {"1e-1", MR_SCHEMA, 0},
        {"1.00000000000000000000001", MR_SCHEMA, 0},
        {"12345678901234567890.5", MR_SCHEMA, 0},
        {"-1", MR_RANGE, 0},
        {"-1e-1", MR_SCHEMA, 0},
        {"\"1\"", MR_SCHEMA, 0},
        {"true", MR_SCHEMA, 0},
        {"null", MR_SCHEMA, 0},
        {"[1]", MR_SCHEMA, 0},
        {"{}", MR_SCHEMA, 0},
        {"x", MR_PARSE, 0},
        {"01", MR_PARSE, 0},
    };
    static const char *const frames[][2] = {
        {"", ""}, {"[", "]"}, {"{\"k\":", ",\"l\":0}"}, {" [ ", " ]"}};
    for (size_t i = 0; i < 4 * (sizeof cases / sizeof *cases); i++) {
        char text[128];
        const size_t i_case = i / 4, i_frame = i % 4;
        snprintf(text, sizeof text, "%s%s%s", frames[i_frame][0], cases[i_case].text,
                 frames[i_frame][1]);
        struct mr_json *r = open_text(text);
        struct mr_err err = {0};
        struct mr_str key;
        bool more;
        uint64_t value = 77;
        if (i_frame == 1 || i_frame == 3) {
            assert_int_equal(mr_json_enter_array(r, &err), MR_OK);
            assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
        } else if (i_frame == 2) {
            assert_int_equal(mr_json_enter_object(r, &err), MR_OK);
            assert_int_equal(mr_json_key(r, &key, &more, &err), MR_OK);
        }
        if (mr_json_u64(r, &value, &err) != cases[i_case].st)
            fail_msg("%s: %s", text, err.text);
        if (cases[i_case].st == MR_OK)
            assert_int_equal(value, cases[i_case].value);
        else if (cases[i_case].st != MR_PARSE) /* the value is still there */
            assert_int_equal(mr_json_skip(r, NULL), MR_OK);
        mr_json_close(r);
    }
}

MR_TEST(signed_integers)
{
    static const struct {
        const char *text;
        mr_status st;
        int64_t value;
    } cases[] = {
        {"0", MR_OK, 0},
        {"-0", MR_OK, 0},
        {"-1", MR_OK, -1},
        {"9223372036854775807", MR_OK, INT64_MAX},
        {"9223372036854775808", MR_RANGE, 0},
        {"-9223372036854775807", MR_OK, -INT64_MAX},
        {"-9223372036854775808", MR_OK, INT64_MIN},
        {"-9223372036854775809", MR_RANGE, 0},
        {"-9.223372036854775808e18", MR_OK, INT64_MIN},
        {"18446744073709551615", MR_RANGE, 0},
        {"99999999999999999999", MR_RANGE, 0},
        {"-1.5", MR_SCHEMA, 0},
        {"false", MR_SCHEMA, 0},
        {"-", MR_PARSE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_json *r = open_text(cases[i].text);
        struct mr_err err = {0};
        int64_t value = 77;
        assert_int_equal(mr_json_i64(r, &value, &err), cases[i].st);
        assert_int_equal(value, cases[i].st == MR_OK ? cases[i].value : 77);
        mr_json_close(r);
    }
}

MR_TEST(doubles)
{
    static const struct {
        const char *text;
        mr_status st;
        double value;
    } cases[] = {
        {"0", MR_OK, 0.0},
        {"-0", MR_OK, -0.0},
        {"0.1", MR_OK, 0.1},
        {"-10.02", MR_OK, -10.02},
        {"1e22", MR_OK, 1e22},
        {"1e23", MR_OK, 1e23},
        {"9007199254740993", MR_OK, 9007199254740992.0}, /* ties to even */
        {"9007199254740993.00000000000000000000000000001", MR_OK, 9007199254740994.0},
        {"1.7976931348623157e308", MR_OK, 1.7976931348623157e308},
        {"1.7976931348623159e308", MR_RANGE, 0.0},
        {"-1e999", MR_RANGE, 0.0},
        {"1e99999999999999999999", MR_RANGE, 0.0},
        {"5e-324", MR_OK, 5e-324},
        {"2e-324", MR_OK, 0.0},
        {"1e-99999999999999999999", MR_OK, 0.0},
        {"123456789012345678901234567890", MR_OK, 123456789012345678901234567890.0},
        {"0.000000000000000000000000000000000000000000000000000000000000001e63", MR_OK, 1.0},
        {"\"0.1\"", MR_SCHEMA, 0.0},
        {"[", MR_SCHEMA, 0.0},
        {"nan", MR_SCHEMA, 0.0}, /* judged by its first byte */
        {"+1", MR_PARSE, 0.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_json *r = open_text(cases[i].text);
        struct mr_err err = {0};
        double value = 77.0;
        if (mr_json_f64(r, &value, &err) != cases[i].st)
            fail_msg("%s: %s", cases[i].text, err.text);
        const double expected = cases[i].st == MR_OK ? cases[i].value : 77.0;
        assert_memory_equal(&value, &expected, sizeof value);
        mr_json_close(r);
    }
}

MR_TEST(strings)
{
    static const struct {
        const char *json, *bytes;
        size_t n;
    } cases[] = {
        {"\"\"", "", 0},
        {"\"plain text\"", "plain text", 10},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
        {"\"a\\u0000b\"", "a\0b", 3},
        {"\"\\u00e9\\u20AC\\uD83D\\uDE00\"", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9},
        {"\"\xC3\xA9\"", "\xC3\xA9", 2},
        {"\"x\\ny\xC3\xA9z\\n\"", "x\ny\xC3\xA9z\n", 7},
        {"\"0123456789\\n0123456789\"", "0123456789\n0123456789", 21},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t window = 1; window < 40; window++) {
            const struct mr_json_options options = {.window_bytes = window};
            struct mr_json *r = reader(cases[i].json, strlen(cases[i].json), &options);
            struct mr_str s;
            assert_int_equal(mr_json_str(r, &s, NULL), MR_OK);
            assert_int_equal(s.n, cases[i].n);
            assert_memory_equal(s.p, cases[i].bytes, s.n);
            assert_int_equal(mr_json_end(r, NULL), MR_OK);
            mr_json_close(r);
        }
}

MR_TEST(words)
{
    struct mr_json *r = open_text("[true,false,null,1, null]");
    struct mr_err err = {0};
    bool more, value = false, is_null = false;
    uint64_t one;
    assert_int_equal(mr_json_enter_array(r, &err), MR_OK);
    assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
    assert_int_equal(mr_json_null(r, &is_null, &err), MR_OK);
    assert_false(is_null);
    assert_int_equal(mr_json_bool(r, &value, &err), MR_OK);
    assert_true(value);
    assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
    assert_int_equal(mr_json_bool(r, &value, &err), MR_OK);
    assert_false(value);
    assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
    assert_int_equal(mr_json_bool(r, &value, &err), MR_SCHEMA);
    assert_string_equal(err.text, "[2]: expected true or false, found null");
    assert_int_equal(err.col, 13);
    assert_int_equal(mr_json_null(r, &is_null, &err), MR_OK);
    assert_true(is_null);
    assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
    assert_int_equal(mr_json_u64(r, &one, &err), MR_OK);
    assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
    assert_int_equal(mr_json_null(r, &is_null, &err), MR_OK);
    assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
    assert_false(more);
    assert_int_equal(mr_json_end(r, &err), MR_OK);
    mr_json_close(r);
}

MR_TEST(integer_arrays)
{
    static const struct {
        const char *text;
        mr_status st;
        size_t n;
        uint64_t last;
        int col; /* of the error */
    } cases[] = {
        {"[]", MR_OK, 0, 0, 0},
        {"[ ]", MR_OK, 0, 0, 0},
        {"[5]", MR_OK, 1, 5, 0},
        {"[1,2,3]", MR_OK, 3, 3, 0},
        {"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]", MR_OK, 12, 12, 0},
        {"[ 1 ,2 , 3,\n4,  5 ,6,7,8,9,0,1,2,3]", MR_OK, 13, 3, 0},
        {"[1,18446744073709551615,2,12345678,3,123456789012,4]", MR_OK, 7, 4, 0},
        {"[1,1e2,2.0,4,5,6,7,8,9]", MR_OK, 9, 9, 0},
        {"[1,2,3,4,5,6,7,8,9,-1]", MR_RANGE, 9, 9, 20},
        {"[1,2,3,4,5,6,7,0.5,9,1]", MR_SCHEMA, 7, 7, 16},
        {"[1,2,3,4,5,6,7,\"8\"]", MR_SCHEMA, 7, 7, 16},
        {"[1,2,3,[4]]", MR_SCHEMA, 3, 3, 8},
        {"[1,2,3,4,5,6,7,08,9]", MR_PARSE, 7, 7, 17},
        {"[1,2,3,4,5,6,7,8,]", MR_PARSE, 8, 8, 18},
        {"[1,2,3,4,5,6,,7,8]", MR_PARSE, 6, 6, 14},
        {"[1,2,3,4,5,6 7,8]", MR_PARSE, 6, 6, 14},
        {"[18446744073709551615, 1844674407370955161,18446744073709551614]", MR_OK, 3,
         18446744073709551614U, 0},
        {"[12345678,1234567890123456,12345678901234567,9999999999999999999]", MR_OK, 4,
         9999999999999999999U, 0},
        {"[12345678,18446744073709551616,1]", MR_RANGE, 1, 12345678, 11},
        {"[12345678,99999999999999999999,1]", MR_RANGE, 1, 12345678, 11},
        {"[12345678,123456789012345678901,1]", MR_RANGE, 1, 12345678, 11},
        {"[12345678,0123456789,1]", MR_PARSE, 1, 12345678, 12},
        {"[12345678,123456789.5,1]", MR_SCHEMA, 1, 12345678, 11},
        {"[12345678,123456789,]", MR_PARSE, 2, 123456789, 21},
        {"[12345678,123456789", MR_PARSE, 2, 123456789, 20},
        {"[1,2,3,4,5,6}", MR_PARSE, 6, 6, 13},
        {"[1,2,3,4,5,6", MR_PARSE, 6, 6, 13},
        {"{}", MR_SCHEMA, 0, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t window = 1; window <= 64; window++) {
            const struct mr_json_options options = {.window_bytes = window};
            struct mr_json *r = reader(cases[i].text, strlen(cases[i].text), &options);
            struct mr_err err = {0};
            uint64_t *data = NULL;
            size_t cap = 0, n = 0;
            if (mr_json_u64_array(r, &data, &cap, &n, &err) != cases[i].st)
                fail_msg("%s: %s", cases[i].text, err.text);
            assert_int_equal(n, cases[i].n);
            if (n > 0)
                assert_int_equal(data[n - 1], cases[i].last);
            assert_int_equal(err.col, cases[i].col);
            if (cases[i].st == MR_OK)
                assert_int_equal(mr_json_end(r, &err), MR_OK);
            mr_free(data);
            mr_json_close(r);
        }
}

MR_TEST(integer_arrays_append)
{
    struct mr_json *r = open_text("[1,2] [3] [] [4,5]");
    uint64_t *data = NULL;
    size_t cap = 0, n = 0;
    bool more;
    while (mr_json_document(r, &more, NULL) == MR_OK && more)
        assert_int_equal(mr_json_u64_array(r, &data, &cap, &n, NULL), MR_OK);
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(data[i], i + 1);
    mr_free(data);
    mr_json_close(r);
}

MR_TEST_MAIN(MR_TEST_ENTRY(unsigned_integers), MR_TEST_ENTRY(signed_integers),
             MR_TEST_ENTRY(doubles), MR_TEST_ENTRY(strings), MR_TEST_ENTRY(words),
             MR_TEST_ENTRY(integer_arrays), MR_TEST_ENTRY(integer_arrays_append))
