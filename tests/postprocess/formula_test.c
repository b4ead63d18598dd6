/* SPDX-License-Identifier: Apache-2.0 */
/* postprocess/formula: precedence, functions, figures that are not there, mistakes. */
#include "postprocess/formula.h"

#include "tests/test.h"

static double value_of(const void *context, struct mr_str path)
{
    (void)context;
    if (mr_str_is(path, "a"))
        return 3;
    return mr_str_is(path, "b.c_d") ? 5 : mr_str_is(path, "tiers.x-y.z") ? 7 : (double)NAN;
}

static double evaluate(const char *text)
{
    double value = (double)NAN;
    const char *why;
    struct mr_err err = {0};
    if (mr_formula_value(text, value_of, NULL, &value, &why, &err) != MR_OK)
        fail_msg("%s", err.text);
    return value;
}

MR_TEST(formulas_mean_what_they_say)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"a", 3},
        {" a + b.c_d * 2 ", 13},
        {"(a + b.c_d) * 2", 16},
        {"a - b.c_d - 1", -3},
        {"12 / a / 2", 2},
        {"--a", 3},
        {"-a * -2", 6},
        {"2e3 * .5", 1000},
        {"min(a, b.c_d) + max( a , 2 * b.c_d)", 13},
        {"[tiers.x-y.z] / a", 7.0 / 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (evaluate(cases[i].text) != cases[i].value)
            fail_msg("%s", cases[i].text);
}

MR_TEST(what_is_not_there_is_no_number)
{
    static const char *const texts[] = {"none",         "none * 0", "min(none, 1)",
                                        "max(1, none)", "[min]",    "min"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_true(isnan(evaluate(texts[i])));
}

MR_TEST(no_infinity_comes_out)
{
    static const struct {
        const char *text, *why;
    } cases[] = {{"a / 0", "divided by 0"},
                 {"0 / 0", "divided by 0"},
                 {"1 / (1 / 0)", "divided by 0"},
                 {"1 / (a - 3)", "divided by 0"},
                 {"1e300 * 1e300", "is too large"},
                 {"min(1 / 0, 1)", "divided by 0"},
                 {"none", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        const char *why;
        struct mr_err err = {0};
        assert_int_equal(mr_formula_value(cases[i].text, value_of, NULL, &value, &why, &err),
                         MR_OK);
        assert_true(isnan(value));
        mr_assert_contains(why, cases[i].why);
    }
}

MR_TEST(mistakes_have_a_place)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "ends too early at character 1"},
        {"a +", "ends too early at character 4"},
        {"a b.c_d", "left over at character 3"},
        {"(a", "\")\" is missing"},
        {"min(a)", "a comma is missing"},
        {"[a", "\"]\" is missing"},
        {"a $ 2", "left over"},
        {".", "a number is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        const char *why;
        struct mr_err err = {0};
        assert_int_equal(mr_formula_value(cases[i].text, value_of, NULL, &value, &why, &err),
                         MR_PARSE);
        mr_assert_contains(err.text, cases[i].message);
    }
}

MR_TEST(depth_is_bounded)
{
    char text[100001];
    double value;
    const char *why;
    struct mr_err err = {0};
    memset(text, '(', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(mr_formula_value(text, value_of, NULL, &value, &why, &err), MR_PARSE);
    memset(text, '-', sizeof text - 2);
    text[sizeof text - 2] = 'a';
    assert_true(evaluate(text) == -3);
}

MR_TEST_MAIN(MR_TEST_ENTRY(formulas_mean_what_they_say),
             MR_TEST_ENTRY(what_is_not_there_is_no_number), MR_TEST_ENTRY(no_infinity_comes_out),
             MR_TEST_ENTRY(mistakes_have_a_place), MR_TEST_ENTRY(depth_is_bounded))
