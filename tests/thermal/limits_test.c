/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/limits: bounds of a table on values that no text brought. */
#include "thermal/limits.h"

#include "tests/test.h"

struct thing {
    double heat_w;
    uint64_t n;
    const char *name;
};

static const struct mr_param rows[] = {
    MR_PARAM(struct thing, heat_w, "heat", MR_Q_POWER, "5 kW", 1e3, 1e6, "Heat of the thing"),
    MR_PARAM_N(struct thing, n, "units", "2", 1, 10, "How many there are"),
    MR_PARAM_STR(struct thing, name, "name", NULL, "Without any bounds"),
};
static const struct mr_param_table table = {"thing", "A thing of this test.", rows, 3};

MR_TEST(bounds_hold_without_text)
{
    static const struct {
        double heat_w;
        uint64_t n;
        const char *text; /* NULL: accepted */
    } cases[] = {
        {5e3, 2, NULL},
        {1e3, 1, NULL},
        {1e6, 10, NULL},
        {999, 2, "thing \"T\": heat 999 W: must be 1 kW .. 1 MW"},
        {1.1e6, 2, "heat 1.1 MW: must be"},
        {(double)NAN, 2, "heat nan"},
        {(double)INFINITY, 2, "heat inf"},
        {5e3, 0, "units 0: must be 1 .. 10"},
        {5e3, 11, "units 11: must be"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct thing thing = {cases[i].heat_w, cases[i].n, NULL};
        struct mr_err err = {0};
        const mr_status st = mr_limits_check("thing \"T\"", &table, &thing, &err);
        assert_int_equal(st, cases[i].text == NULL ? MR_OK : MR_RANGE);
        if (cases[i].text != NULL)
            mr_assert_contains(err.text, cases[i].text);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(bounds_hold_without_text))
