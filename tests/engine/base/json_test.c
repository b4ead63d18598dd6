/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/json: the grammar of RFC 8259 as tables of texts to accept and to refuse, places
 * and messages, what a caller may do after an error. Typed values: json_value. Windows and real
 * files: json_stream. */
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

/* Read every token of exactly one document. */
static mr_status check_document(const char *text, size_t n, const struct mr_json_options *options,
                                bool by_skipping, struct mr_err *err)
{
    struct mr_json *r = NULL;
    enum mr_json_token token = MR_JSON_END;
    int depth = 0;
    mr_status st = mr_json_open_memory(text, n, "t.json", options, &r, err);
    if (st == MR_OK && by_skipping)
        st = mr_json_skip(r, err);
    while (st == MR_OK && !by_skipping) {
        st = mr_json_next(r, &token, err);
        if (st == MR_OK && token == MR_JSON_END)
            st = mr_err_set(err, MR_REF, MR_NOWHERE, "no document");
        depth += token == MR_JSON_BEGIN_ARRAY || token == MR_JSON_BEGIN_OBJECT;
        depth -= token == MR_JSON_END_ARRAY || token == MR_JSON_END_OBJECT;
        if (depth == 0)
            break;
    }
    if (st == MR_OK)
        st = mr_json_end(r, err);
    mr_json_close(r);
    return st;
}

struct text_case {
    const char *text;
    size_t n;
};

/* The literal with its length, so that NUL bytes can be part of a case. */
#define CASE(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

// clang-format off
static const struct text_case accepted[] = {
    /* numbers */
    CASE("0"), CASE("-0"), CASE("1"), CASE("-1"), CASE("10"), CASE("1234567"), CASE("12345678"),
    CASE("123456789"), CASE("0.0"), CASE("-0.0"), CASE("0.5"), CASE("1.25"), CASE("1e0"),
    CASE("1E0"), CASE("1e+10"), CASE("1e-10"), CASE("0e1"), CASE("0e+1"), CASE("-0e-1"),
    CASE("1.5e300"), CASE("0.00000000000000000000000000000000000000001"), CASE("1e999"),
    CASE("-1e-999"), CASE("18446744073709551615"), CASE("18446744073709551616"),
    CASE("123456789012345678901234567890"), CASE("20e1"), CASE("[123e65]"), CASE("[-123]"),
    CASE("[123.456e78]"), CASE("[1E-2]"), CASE("[-0.000000000000000000000000000000000001]"),
    CASE("1e00000000000000000000001"),
    /* words */
    CASE("true"), CASE("false"), CASE("null"), CASE("[true]"), CASE("[false,null,true]"),
    /* strings */
    CASE("\"\""), CASE("\"a\""), CASE("\"abcdefg\""), CASE("\"abcdefgh\""), CASE("\"abcdefghi\""),
    CASE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), CASE("\"\\u0000\""), CASE("\"\\u00e9\\u00E9\""),
    CASE("\"\\uD83D\\uDE00\""), CASE("\"\\ud800\\udc00\""), CASE("\"\\uDBFF\\uDFFF\""),
    CASE("\"\\uFFFE\\uFFFF\""), CASE("\"\xC3\xA9\""), CASE("\"\xE2\x82\xAC\""),
    CASE("\"\xF0\x9F\x98\x80\""), CASE("\"\xF4\x8F\xBF\xBF\""), CASE("\"\x7F\""),
    CASE("\"\xEF\xBB\xBF\""), CASE("\"\xE2\x80\xA8\xE2\x80\xA9\""), CASE("\"a/*b*/c//d\""),
    CASE("\"{[,:]}\""), CASE("\"\\\\\""), CASE("\"\\\\\\\\\\\"\""), CASE("\"\\u005C\""),
    CASE("\"\\u0022\""), CASE("[\"\\u0012\"]"), CASE("\"new\\u000Aline\""), CASE("\" \""),
    CASE("\"1234567\\\"\""), CASE("\"1234567\xC3\xA9\""), CASE("\"\xC3\xA9\\n\xC3\xA9\""),
    /* structure */
    CASE("[]"), CASE("{}"), CASE("[[]]"), CASE("[[],[]]"), CASE("[{}]"), CASE("{\"\":0}"),
    CASE("{\"a\":[]}"), CASE("{\"a\":{\"b\":{\"c\":[1,2,{\"d\":null}]}}}"),
    CASE("{\"a\":1,\"a\":2}"), CASE("[1,\"a\",null,true,{},[]]"), CASE("[1,2,3,4,5,6,7,8,9,10]"),
    CASE("{\"a\\nb\":1}"), CASE("{\"\xC3\xA9\":1}"), CASE("{\"x\":12,\"y\":3,\"zzzzzzzzzzzz\":4}"),
    CASE("[[1,279],[280,14],[0,0],[12345678,1]]"), CASE("{\"min\":-1.0e+28,\"max\":1.0e+28}"),
    /* white space */
    CASE(" 1 "), CASE("\t[\t1\t,\t2\t]\t"), CASE("\n{\n\"a\"\n:\n1\n}\n"), CASE("\r\n[\r\n1\r\n]\r\n"),
    CASE("{ \"a\" : 1 , \"b\" : [ ] , \"c\" : { } }"), CASE("[1, 2,  3 ,4 , 5]"),
    CASE("[\n                 1\n                 ,2]"), CASE("[ ]"), CASE("{ }"),
    CASE("                    1                    "), CASE("[1\n,2]"), CASE("\xEF\xBB\xBF[1]"),
    CASE("\xEF\xBB\xBF 1"),
};

static const struct text_case refused[] = {
    /* nothing */
    CASE(""), CASE(" "), CASE("\n"), CASE("\xEF\xBB\xBF"), CASE("\xEF\xBB"), CASE("\xEF"),
    /* numbers */
    CASE("-"), CASE("+1"), CASE("01"), CASE("-01"), CASE("00"), CASE("0123"), CASE("1."),
    CASE("[1.]"), CASE(".5"), CASE("-.5"), CASE("1.e5"), CASE("1e"), CASE("1e+"), CASE("1E-"),
    CASE("[1e]"), CASE("1.5e"), CASE("1e1.5"), CASE("1ee5"), CASE("1.2.3"), CASE("0x10"),
    CASE("1_000"), CASE("1,000"), CASE("--1"), CASE("-+1"), CASE("1-"), CASE("1+1"), CASE("NaN"),
    CASE("-NaN"), CASE("Infinity"), CASE("-Infinity"), CASE("inf"), CASE("[0e]"), CASE("[0e+]"),
    CASE("[1 000]"), CASE("[1eE2]"), CASE("[2.e3]"), CASE("[9.e+]"), CASE("[-2.]"), CASE("[1a]"),
    CASE("[1/2]"), CASE("\xEF\xBC\x91"), CASE("[01,2]"), CASE("[1,02]"), CASE("[1,2,03,4,5,6,7,8]"),
    CASE("[007,1,2,3,4,5,6,7,8,9]"), CASE("[1, 00, 2, 3, 4, 5, 6]"),
    /* words */
    CASE("tru"), CASE("truE"), CASE("True"), CASE("TRUE"), CASE("truex"), CASE("true1"),
    CASE("nul"), CASE("nulL"), CASE("nulll"), CASE("fals"), CASE("falsey"), CASE("undefined"),
    CASE("a"), CASE("[nul]"), CASE("[truefalse]"), CASE("'a'"), CASE("t"), CASE("n"), CASE("f"),
    CASE("true_"),
    /* strings */
    CASE("\""), CASE("\"a"), CASE("\"abcdefgh"), CASE("\"\\\""), CASE("\"\\"), CASE("\"\\u\""),
    CASE("\"\\u1\""), CASE("\"\\u12\""), CASE("\"\\u123\""), CASE("\"\\u123g\""), CASE("\"\\u-123\""),
    CASE("\"\\x41\""), CASE("\"\\a\""), CASE("\"\\'\""), CASE("\"\\0\""), CASE("\"\\U0041\""),
    CASE("\"\\\xC3\xA9\""), CASE("\"\\uD800\""), CASE("\"\\uDC00\""), CASE("\"\\uD800\\uD800\""),
    CASE("\"\\uD800x\""), CASE("\"\\uD800\\n\""), CASE("\"\\uD800\\u00e9\""), CASE("\"\\uD83D\\uDE0\""),
    CASE("\"\\uDE00\\uD83D\""), CASE("\"a\nb\""), CASE("\"a\tb\""), CASE("\"a\rb\""),
    CASE("\"a\x00z\""), CASE("\"a\x1Fz\""), CASE("\"12345678\x01\""), CASE("\"\\\n\""),
    CASE("\"\xFF\""), CASE("\"\x80\""), CASE("\"\xC3\""), CASE("\"\xC3(\""), CASE("\"\xC0\x80\""),
    CASE("\"\xE0\x9F\xBF\""), CASE("\"\xED\xA0\x80\""), CASE("\"\xF4\x90\x80\x80\""),
    CASE("\"\xF8\x88\x80\x80\x80\""), CASE("\"\xE2\x82\""), CASE("\"abcdefgh\xE2\x82\""),
    CASE("\"\\n\xFF\""), CASE("{\"\xFF\":1}"), CASE("{\"a\\q\":1}"), CASE("\xC3\xA9"),
    CASE("\"a\" \"b\""), CASE("\"a\"\"b\""), CASE("\"\xC3\\n\xA9\""),
    /* arrays */
    CASE("["), CASE("]"), CASE("[,]"), CASE("[1,]"), CASE("[,1]"), CASE("[1,,2]"), CASE("[1"),
    CASE("[1,"), CASE("[1 2]"), CASE("[1:2]"), CASE("[1}"), CASE("[\"a\""), CASE("[[1]"),
    CASE("[]]"), CASE("[1]]"), CASE("[1],"), CASE("[1],[2]"), CASE("[1;2]"), CASE("[1,2,3,4,5,6,,7]"),
    CASE("[1,2,3,4,5,6,7,8,]"), CASE("[\"a\":1]"), CASE("[*]"), CASE("[1,\n"), CASE("[a"),
    CASE("[\f1]"), CASE("[\v1]"), CASE("[1\x00]"), CASE("[\xC2\xA0]"), CASE("[1,2,3,4,5,6,7,8"),
    CASE("[\"\",]"),
    /* objects */
    CASE("{"), CASE("}"), CASE("{,}"), CASE("{\"a\"}"), CASE("{\"a\":}"), CASE("{\"a\":1,}"),
    CASE("{\"a\":1"), CASE("{\"a\":1,"), CASE("{\"a\""), CASE("{\"a\":"), CASE("{\"a\" 1}"),
    CASE("{\"a\",1}"), CASE("{a:1}"), CASE("{1:1}"), CASE("{'a':1}"), CASE("{\"a\":1 \"b\":2}"),
    CASE("{\"a\":1,,\"b\":2}"), CASE("{\"a\":1]"), CASE("{\"a\":1}}"), CASE("{\"a\"::1}"),
    CASE("{\"a\":1:2}"), CASE("{null:1}"), CASE("{[]:1}"), CASE("{\"a\":1;\"b\":2}"),
    CASE("{\"a\":1,\"b\"}"), CASE("{\"a\":1,2}"), CASE("{\"a\":[}"), CASE("{\"a\":1,2,3}"),
    CASE("{\"a\":1,2:3}"), CASE("{\"x\":1,5,\"y\":2}"), CASE("{\"a"), CASE("{ "),
    CASE("{\"a\" : 1 , }"), CASE("{\"x\":1,2,3,4,5,6,7,8,9}"),
    /* around the document, comments, other encodings */
    CASE("1 2"), CASE("{} {}"), CASE("{}{}"), CASE("[1]x"), CASE("1,"), CASE("/**/1"), CASE("1//"),
    CASE("#\n1"), CASE("[1/*c*/]"), CASE("\x00"), CASE("1\x00"), CASE("\xFF"),
    CASE("\xEF\xBB\xBF\xEF\xBB\xBF[]"), CASE(" \xEF\xBB\xBF[]"), CASE("<a/>"), CASE("()"),
};
// clang-format on

static void expect_same(const struct text_case *c, const struct mr_err *a, const struct mr_err *b)
{
    if (a->status == b->status && a->line == b->line && a->col == b->col &&
        strcmp(a->text, b->text) == 0)
        return;
    char one[800], two[800];
    mr_err_print(a, one, sizeof one);
    mr_err_print(b, two, sizeof two);
    fail_msg("%s: the verdict depends on the window or the way of reading:\n%s\n%s", c->text, one,
             two);
}

/* The verdict of the big window is the verdict of every small one, and of skipping. */
static struct mr_err verdict(const struct text_case *c)
{
    struct mr_err big = {0};
    (void)check_document(c->text, c->n, NULL, false, &big);
    for (size_t window = 1; window <= 20; window++)
        for (int by_skipping = 0; by_skipping < 2; by_skipping++) {
            const struct mr_json_options options = {.window_bytes = window,
                                                    .read_bytes = window % 3};
            struct mr_err small = {0};
            (void)check_document(c->text, c->n, &options, by_skipping, &small);
            if (big.status != MR_REF) /* skipping has another word for an empty stream */
                expect_same(c, &big, &small);
        }
    return big;
}

MR_TEST(accepts_what_is_json)
{
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        const struct mr_err err = verdict(&accepted[i]);
        if (err.status != MR_OK)
            fail_msg("%s: refused: %d:%d %s", accepted[i].text, err.line, err.col, err.text);
    }
}

MR_TEST(refuses_what_is_not)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const struct mr_err err = verdict(&refused[i]);
        if (err.status == MR_OK)
            fail_msg("case %zu: %s: accepted", i, refused[i].text);
        if (err.status != MR_REF) {
            assert_int_equal(err.status, MR_PARSE);
            assert_string_equal(err.file, "t.json");
            assert_true(err.line >= 1 && err.col >= 1);
            mr_assert_contains(err.text, "expected ");
        }
    }
}

/* Every proper prefix of a document is refused, and the error says what was open. */
MR_TEST(refuses_every_prefix)
{
    static const char text[] = "{\"k\\u00e9\\ud83d\\ude00\xE2\x82\xAC\":"
                               "[1.5e-3,true,null,{\"\":[false,-12]}]}";
    for (size_t n = 1; n < sizeof text - 1; n++) {
        const struct text_case cut = {text, n};
        const struct mr_err err = verdict(&cut);
        assert_int_equal(err.status, MR_PARSE);
        if (strstr(err.text, "the end of the file inside the object") == NULL &&
            strstr(err.text, "the end of the file inside the array") == NULL)
            mr_assert_contains(err.text, "expected a value, found \""); /* tru, fals, nul */
    }
}

/* ---- messages ---- */

MR_TEST(messages_and_places)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"{\"a\":[1,2}",
         "t.json:1:10: error: expected \",\" or \"]\" after an array element, found \"}\""},
        {"{\"a\":1]",
         "t.json:1:7: error: expected \",\" or \"}\" after an object member, found \"]\""},
        {"\n\n  [1,\n  01]",
         "t.json:4:4: error: expected no digit after a leading zero, found \"1\""},
        {"[1,]", "t.json:1:4: error: expected a value, found \"]\""},
        {"[1.]", "t.json:1:4: error: expected a digit after \".\", found \"]\""},
        {"[-x]", "t.json:1:3: error: expected a digit after \"-\", found \"x\""},
        {"[1e+]", "t.json:1:5: error: expected a digit in an exponent, found \"]\""},
        {"[True]", "t.json:1:2: error: expected a value, found \"True\""},
        {"[nullx]", "t.json:1:2: error: expected a value, found \"nullx\""},
        {"[NaN]", "t.json:1:2: error: expected a value, found \"NaN\""},
        {"[\x01]", "t.json:1:2: error: expected a value, found \"\\x01\""},
        {"{a:1}", "t.json:1:2: error: expected a key or \"}\", found \"a\""},
        {"{\"a\":1,}", "t.json:1:8: error: expected a key after \",\", found \"}\""},
        {"{\"a\" 1}", "t.json:1:6: error: expected \":\" after a key, found \"1\""},
        {"[\"a\" \"b\"]",
         "t.json:1:6: error: expected \",\" or \"]\" after an array element, found '\"'"},
        {"[\"a\\q\"]", "t.json:1:5: error: expected one of \"\\/bfnrtu after \"\\\", found \"q\""},
        {"[\"\\u12x4\"]",
         "t.json:1:7: error: expected four hexadecimal digits after \"\\u\", found \"x4\""},
        {"[\"a\\uD800b\"]", "t.json:1:4: error: expected a surrogate pair (\\uD800-\\uDBFF, then "
                            "\\uDC00-\\uDFFF), found \"\\\""},
        {"[\"ab\xFF\"]", "t.json:1:5: error: expected valid UTF-8, found \"\\xFF\""},
        {"[\"ab\tc\"]", "t.json:1:5: error: expected the closing quote (control characters are "
                        "escaped), found \"\\x09\""},
        {"[\"ab\n\"]", "t.json:1:5: error: expected the closing quote (control characters are "
                       "escaped), found the end of the line inside the array that begins at 1:1"},
        {"[\"\xFF\n\"]", "t.json:1:3: error: expected valid UTF-8, found \"\\xFF\""},
        {"{}\n{}{}", "t.json:2:3: error: expected white space between documents, found \"{\""},
        {"{}\r\n]", "t.json:2:1: error: expected a value, found \"]\""},
        {"\xEF\xBB\xBF[x]", "t.json:1:2: error: expected a value, found \"x\""},
        {"[\n {\"new\": [\n  [1, 2],\n  [3, ",
         "t.json:4:7: error: expected a value, found the end of the file inside the array "
         "[0].new[1] that begins at 4:3"},
        {"{\"a b\":{\"c\":[[", "t.json:1:15: error: expected a value, found the end of the file "
                               "inside the array [\"a b\"].c[0] that begins at 1:14"},
        {"{\"in\": \"abc", "t.json:1:12: error: expected the closing quote of a string, found the "
                           "end of the file inside the object that begins at 1:1"},
        {"{\"in\" ", "t.json:1:7: error: expected \":\" after a key, found the end of the file "
                     "inside the object that begins at 1:1"},
        {"\"abc", "t.json:1:5: error: expected the closing quote of a string, found the end of the "
                  "file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_json *r = open_text(cases[i].text);
        struct mr_err err = {0};
        enum mr_json_token token;
        char printed[800];
        while (mr_json_next(r, &token, &err) == MR_OK)
            assert_true(token != MR_JSON_END);
        mr_err_print(&err, printed, sizeof printed);
        assert_string_equal(printed, cases[i].printed);
        struct mr_err again = {0}; /* the error stays */
        assert_int_equal(mr_json_next(r, &token, &again), err.status);
        assert_string_equal(again.text, err.text);
        mr_json_close(r);
    }
}

MR_TEST(utf16_is_named)
{
    struct mr_json *r = NULL;
    struct mr_err err = {0};
    assert_int_equal(mr_json_open_memory("\xFF\xFE{\0", 4, "u", NULL, &r, &err), MR_PARSE);
    assert_null(r);
    mr_assert_contains(err.text, "found UTF-16");
    assert_int_equal(mr_json_open_memory("\xFE\xFF\0{", 4, "u", NULL, &r, NULL), MR_PARSE);
}

/* ---- structure ---- */

MR_TEST(tokens_in_order)
{
    static const struct {
        enum mr_json_token token;
        const char *text;
        int line, col;
    } expected[] = {
        {MR_JSON_BEGIN_OBJECT, "", 1, 1},
        {MR_JSON_KEY, "a\n", 1, 2},
        {MR_JSON_BEGIN_ARRAY, "", 1, 8},
        {MR_JSON_NUMBER, "-1.50E+2", 1, 9},
        {MR_JSON_STRING, "\xC3\xA9", 2, 1},
        {MR_JSON_TRUE, "", 2, 10},
        {MR_JSON_FALSE, "", 2, 15},
        {MR_JSON_NULL, "", 2, 21},
        {MR_JSON_END_ARRAY, "", 2, 25},
        {MR_JSON_KEY, "", 3, 2},
        {MR_JSON_BEGIN_OBJECT, "", 3, 7},
        {MR_JSON_END_OBJECT, "", 3, 8},
        {MR_JSON_END_OBJECT, "", 3, 9},
        {MR_JSON_NUMBER, "7", 4, 1},
        {MR_JSON_END, "", 4, 2},
        {MR_JSON_END, "", 4, 2},
    };
    static const char text[] =
        "{\"a\\n\":[-1.50E+2,\n\"\\u00e9\",true,false,null],\n \"\" : {}}\n7";
    for (size_t window = 1; window <= 64; window++) {
        const struct mr_json_options options = {.window_bytes = window};
        struct mr_json *r = reader(text, sizeof text - 1, &options);
        for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
            enum mr_json_token token;
            assert_int_equal(mr_json_next(r, &token, NULL), MR_OK);
            assert_int_equal(token, expected[i].token);
            if (token == MR_JSON_KEY || token == MR_JSON_STRING || token == MR_JSON_NUMBER)
                assert_true(mr_str_is(mr_json_text(r), expected[i].text));
            assert_int_equal(mr_json_place(r).line, expected[i].line);
            assert_int_equal(mr_json_place(r).col, expected[i].col);
        }
        assert_int_equal(mr_json_offset(r), sizeof text - 1);
        mr_json_close(r);
    }
}

MR_TEST(streams_of_documents)
{
    static const struct {
        const char *text;
        int n;
    } cases[] = {
        {"", 0},           {"\n\n", 0},
        {"1", 1},          {"1\n", 1},
        {"1\n2\n", 2},     {"1\r\n2\r\n", 2},
        {"1\n\n\r\n2", 2}, {"{}\n[]\n\"a\"\nnull\n", 4},
        {"1 2\t3", 3},     {"\xEF\xBB\xBF[]\n2", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_json *r = open_text(cases[i].text);
        bool more;
        int n = 0;
        while (mr_json_document(r, &more, NULL) == MR_OK && more) {
            n++;
            assert_int_equal(mr_json_skip(r, NULL), MR_OK);
        }
        assert_int_equal(n, cases[i].n);
        assert_int_equal(mr_json_document(r, &more, NULL), MR_OK); /* the end stays the end */
        assert_false(more);
        mr_json_close(r);
    }
}

MR_TEST(peek_says_what_comes)
{
    struct mr_json *r = open_text("[{},[],\"\",1,-1,true,false,null]\n");
    static const enum mr_json_token expected[] = {
        MR_JSON_BEGIN_OBJECT, MR_JSON_BEGIN_ARRAY, MR_JSON_STRING, MR_JSON_NUMBER,
        MR_JSON_NUMBER,       MR_JSON_TRUE,        MR_JSON_FALSE,  MR_JSON_NULL,
    };
    enum mr_json_token token;
    bool more;
    assert_int_equal(mr_json_peek(r, &token, NULL), MR_OK);
    assert_int_equal(token, MR_JSON_BEGIN_ARRAY);
    assert_int_equal(mr_json_enter_array(r, NULL), MR_OK);
    for (size_t i = 0; mr_json_array_more(r, &more, NULL) == MR_OK && more; i++) {
        assert_int_equal(mr_json_peek(r, &token, NULL), MR_OK);
        assert_int_equal(token, expected[i]);
        assert_int_equal(mr_json_skip(r, NULL), MR_OK);
    }
    assert_int_equal(mr_json_peek(r, &token, NULL), MR_OK);
    assert_int_equal(token, MR_JSON_END);
    assert_string_equal(mr_json_token_text(token), "the end of the file");
    mr_json_close(r);
    r = open_text("]");
    assert_int_equal(mr_json_peek(r, &token, NULL), MR_PARSE);
    mr_json_close(r);
}

static char *nested(int depth)
{
    char *text = malloc((size_t)depth * 2 + 1);
    assert_non_null(text);
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    text[2 * depth] = '\0';
    return text;
}

MR_TEST(depth_limit)
{
    struct mr_err err = {0};
    char *text = nested(mr_json_depth_max);
    assert_int_equal(check_document(text, strlen(text), NULL, true, &err), MR_OK);
    assert_int_equal(check_document(text, strlen(text), NULL, false, &err), MR_OK);
    free(text);
    text = nested(mr_json_depth_max + 1);
    assert_int_equal(check_document(text, strlen(text), NULL, true, &err), MR_LIMIT);
    assert_int_equal(err.col, mr_json_depth_max + 1);
    mr_assert_contains(err.text, "nesting deeper than 64 levels");
    free(text);
}

MR_TEST(raw_text_of_values)
{
    static const char *const values[] = {
        "1.50E+2", "\"a\\u00e9\\n\"", "{ \"k\\n\" : [ 1 , \"\\\\\" ] }", "null", "[]",
    };
    for (size_t window = 1; window < 50; window++) {
        struct mr_buf buf = {0};
        mr_buf_char(&buf, '[');
        for (size_t i = 0; i < 5; i++)
            mr_buf_printf(&buf, "%s %s", i > 0 ? " ," : "", values[i]);
        mr_buf_text(&buf, " ]");
        const struct mr_json_options options = {.window_bytes = window};
        struct mr_json *r = reader(buf.text, buf.n, &options);
        struct mr_str text;
        bool more;
        assert_int_equal(mr_json_enter_array(r, NULL), MR_OK);
        for (size_t i = 0; mr_json_array_more(r, &more, NULL) == MR_OK && more; i++) {
            assert_int_equal(mr_json_raw(r, &text, NULL), MR_OK);
            assert_true(mr_str_is(text, values[i]));
        }
        assert_int_equal(mr_json_end(r, NULL), MR_OK);
        mr_json_close(r);
        mr_buf_fini(&buf);
    }
}

MR_TEST(paths_and_errors_of_the_caller)
{
    struct mr_json *r = open_text("{\"requests\":[{\"in\":1},\n{\"in\":-5,\"a_key_that_is_longer_"
                                  "than_what_is_kept\":[[],\"x\"]}]}");
    struct mr_err err = {0};
    struct mr_str key;
    bool more;
    uint64_t value;
    char path[mr_json_path_cap];
    assert_int_equal(mr_json_enter_object(r, &err), MR_OK);
    assert_string_equal(mr_json_path(r, path), "");
    assert_int_equal(mr_json_key(r, &key, &more, &err), MR_OK);
    assert_string_equal(mr_json_path(r, path), "requests");
    assert_int_equal(mr_json_enter_array(r, &err), MR_OK);
    assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
    assert_int_equal(mr_json_skip(r, &err), MR_OK);
    assert_string_equal(mr_json_path(r, path), "requests[0]");
    assert_int_equal(mr_json_place(r).col, 14); /* the skipped value, not its end */
    assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
    assert_int_equal(mr_json_enter_object(r, &err), MR_OK);
    assert_int_equal(mr_json_key(r, &key, &more, &err), MR_OK);
    assert_int_equal(mr_json_u64(r, &value, &err), MR_RANGE);
    assert_string_equal(err.text, "requests[1].in: expected an integer from 0 to "
                                  "18446744073709551615, found -5");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.col, 7);
    int64_t same;
    assert_int_equal(mr_json_i64(r, &same, &err), MR_OK); /* the value was still there */
    assert_int_equal(same, -5);
    err = (struct mr_err){0};
    assert_int_equal(mr_json_error(r, &err, MR_RANGE, "must be at least %d", 1), MR_RANGE);
    assert_string_equal(err.text, "requests[1].in: must be at least 1");
    assert_string_equal(err.file, "t.json");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.col, 7);
    assert_int_equal(mr_json_key(r, &key, &more, &err), MR_OK);
    assert_true(mr_str_is(key, "a_key_that_is_longer_than_what_is_kept"));
    assert_int_equal(mr_json_enter_array(r, &err), MR_OK);
    assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
    assert_string_equal(mr_json_path(r, path),
                        "requests[1].a_key_that_is_longer_than_what_i...[0]");
    mr_json_close(r);
}

MR_TEST(key_index)
{
    static const char *const names[] = {"in", "out", "keep"};
    assert_int_equal(mr_json_key_index(MR_STR("in"), names, 3), 0);
    assert_int_equal(mr_json_key_index(MR_STR("keep"), names, 3), 2);
    assert_int_equal(mr_json_key_index(MR_STR("kee"), names, 3), 3);
    assert_int_equal(mr_json_key_index(MR_STR(""), names, 3), 3);
}

/* ---- after an error ---- */

/* {"v": number} */
static mr_status read_record(struct mr_json *r, uint64_t *value, struct mr_err *err)
{
    struct mr_str key;
    bool has_more;
    MR_TRY(mr_json_enter_object(r, err));
    MR_TRY(mr_json_key(r, &key, &has_more, err));
    MR_TRY(mr_json_u64(r, value, err));
    return mr_json_key(r, &key, &has_more, err);
}

/* Sum of "v" over the records that can be read; `lines` lists the lines of the others. */
static uint64_t sum_of_good(const char *text, const struct mr_json_options *options, char lines[64])
{
    struct mr_json *r = reader(text, strlen(text), options);
    uint64_t sum = 0, value = 0;
    lines[0] = '\0';
    for (;;) {
        struct mr_err err = {0};
        bool has_more = true;
        mr_status st = mr_json_document(r, &has_more, &err);
        if (st == MR_OK && !has_more)
            break;
        if (st == MR_OK)
            st = read_record(r, &value, &err);
        if (st == MR_OK) {
            sum += value;
            continue;
        }
        const size_t n = strlen(lines);
        snprintf(lines + n, 64 - n, "%d ", err.line);
        assert_int_equal(mr_json_skip_line(r, &err), MR_OK);
    }
    mr_json_close(r);
    return sum;
}

MR_TEST(next_line_after_an_error)
{
    static const char text[] = "{\"v\":1}\n"
                               "{\"v\":2\n" /* cut */
                               "{\"v\":4}\n"
                               "{\"v\":8}}\n" /* one brace too many */
                               "garbage { [ \"\n"
                               "\n"
                               "{\"v\":\"x\"}\n" /* not a number */
                               "{\"v\":16}\r\n"
                               "{\"v\":\"abc\n" /* cut inside a string */
                               "{\"v\":32}";
    for (size_t window = 1; window < 80; window++) {
        const struct mr_json_options options = {.window_bytes = window, .is_lines = true};
        char lines[64];
        assert_int_equal(sum_of_good(text, &options, lines), 1 + 4 + 8 + 16 + 32);
        assert_string_equal(lines, "2 4 5 7 9 ");
    }
}

MR_TEST(lines_hold_whole_documents)
{
    static const struct mr_json_options options = {.is_lines = true};
    struct mr_err err = {0};
    static const char text[] = "{\"a\":[{\"b\":\n1}]}";
    assert_int_equal(check_document(text, strlen(text), &options, false, &err), MR_PARSE);
    assert_string_equal(err.text, "expected the rest of the document, found the end of the line "
                                  "inside the object a[0] that begins at 1:7");
    assert_int_equal(err.line, 1);
    assert_int_equal(err.col, 12);
}

MR_TEST_MAIN(MR_TEST_ENTRY(accepts_what_is_json), MR_TEST_ENTRY(refuses_what_is_not),
             MR_TEST_ENTRY(refuses_every_prefix), MR_TEST_ENTRY(messages_and_places),
             MR_TEST_ENTRY(utf16_is_named), MR_TEST_ENTRY(tokens_in_order),
             MR_TEST_ENTRY(streams_of_documents), MR_TEST_ENTRY(peek_says_what_comes),
             MR_TEST_ENTRY(depth_limit), MR_TEST_ENTRY(raw_text_of_values),
             MR_TEST_ENTRY(paths_and_errors_of_the_caller), MR_TEST_ENTRY(key_index),
             MR_TEST_ENTRY(next_line_after_an_error), MR_TEST_ENTRY(lines_hold_whole_documents))
