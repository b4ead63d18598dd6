/* SPDX-License-Identifier: Apache-2.0 */
/* platforms/sgunit: SimGrid's spellings both ways. */
#include "platforms/sgunit.h"

#include "tests/test.h"

MR_TEST(spellings)
{
    static const struct {
        enum mr_quantity q;
        const char *text;
        double value;
        bool has_unit;
    } cases[] = {
        {MR_Q_DATA_RATE, "1800GBps", 1.8e12, true},
        {MR_Q_DATA_RATE, "100Gbps", 12.5e9, true},
        {MR_Q_DATA_RATE, "41.279125MBps", 41279125, true},
        {MR_Q_DATA_RATE, "1KiBps", 1024, true},
        {MR_Q_DATA_RATE, "1Mibps", 131072, true},
        {MR_Q_DATA_RATE, "3EiBps", 3458764513820540928.0, true},
        {MR_Q_DATA_RATE, "8bps", 1, true},
        {MR_Q_DATA_RATE, "1e9", 1e9, false},
        {MR_Q_DATA_RATE, "1e9Bps", 1e9, true},
        {MR_Q_DATA_RATE, "0", 0, false},
        {MR_Q_TIME, "250ns", 2.5e-7, true},
        {MR_Q_TIME, "59.904us", 59.904e-6, true},
        {MR_Q_TIME, "5m", 300, true},
        {MR_Q_TIME, "2w", 1209600, true},
        {MR_Q_TIME, "1d", 86400, true},
        {MR_Q_TIME, "1h", 3600, true},
        {MR_Q_TIME, "-3ms", -3e-3, true},
        {MR_Q_TIME, "7ps", 7e-12, true},
        {MR_Q_FLOP_RATE, "35Pf", 3.5e16, true},
        {MR_Q_FLOP_RATE, "98.095Mf", 98095000, true},
        {MR_Q_FLOP_RATE, "2gigaflops", 2e9, true},
        {MR_Q_FLOP_RATE, "1Ef", 1e18, true},
        {MR_Q_FLOP_RATE, "1Yf", 1e24, true},
        {MR_Q_FLOP_RATE, "12flops", 12, true},
        {MR_Q_FLOP_RATE, "0.1000000000000000000000000001Gf", 1e8, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_err err = {0};
        double value = -1;
        bool has_unit = false;
        assert_int_equal(mr_sgunit_parse(mr_str_of(cases[i].text), cases[i].q, "x", MR_NOWHERE,
                                         &value, &has_unit, &err),
                         MR_OK);
        assert_true(value == cases[i].value);
        assert_int_equal(has_unit, cases[i].has_unit);
    }
}

MR_TEST(refusals)
{
    static const struct {
        enum mr_quantity q;
        const char *text;
        mr_status status;
        const char *part;
    } cases[] = {
        {MR_Q_DATA_RATE, "", MR_PARSE, "not a number"},
        {MR_Q_DATA_RATE, "fast", MR_PARSE, "not a number"},
        {MR_Q_DATA_RATE, " 1GBps", MR_PARSE, "not a number"},
        {MR_Q_DATA_RATE, "1 GBps", MR_UNIT, "SimGrid allows no space around the unit \"GBps\""},
        {MR_Q_DATA_RATE, "1GBs", MR_UNIT, "did you mean \"GBps\""},
        {MR_Q_DATA_RATE, "1gBps", MR_UNIT, "unknown unit"},
        {MR_Q_TIME, "1min", MR_UNIT, "unknown unit"},
        {MR_Q_TIME, "1GBps", MR_UNIT, "unknown unit"},
        {MR_Q_FLOP_RATE, "1GF", MR_UNIT, "did you mean \"Gf\""},
        {MR_Q_FLOP_RATE, "inf", MR_PARSE, "not a number"},
        {MR_Q_FLOP_RATE, "1e400f", MR_RANGE, "too large"},
        {MR_Q_FLOP_RATE, "1e300Yf", MR_RANGE, "too large"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_err err = {0};
        double value = 7;
        bool has_unit;
        assert_int_equal(mr_sgunit_parse(mr_str_of(cases[i].text), cases[i].q, "link \"x\"",
                                         (struct mr_place){"a.xml", 1, 2}, &value, &has_unit, &err),
                         cases[i].status);
        assert_true(value == 7);
        mr_assert_contains(err.text, cases[i].part);
        mr_assert_contains(err.text, "link \"x\"");
    }
}

MR_TEST(written_values_read_back_to_the_same_bits)
{
    static const struct {
        enum mr_quantity q;
        double value;
        const char *text;
    } cases[] = {
        {MR_Q_DATA_RATE, 1.8e12, "1.8TBps"},
        {MR_Q_DATA_RATE, 14.4e12, "14.4TBps"},
        {MR_Q_DATA_RATE, 0, "0Bps"},
        {MR_Q_TIME, 2.5e-7, "250ns"},
        {MR_Q_TIME, 0, "0s"},
        {MR_Q_TIME, 1e-6, "1us"},
        {MR_Q_FLOP_RATE, 3.5e16, "35Pf"},
        {MR_Q_FLOP_RATE, 1e9, "1Gf"},
    };
    char text[MR_UNIT_CAP];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t n = mr_sgunit_format(cases[i].value, cases[i].q, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(n, strlen(text));
    }
    uint64_t state = 12345;
    for (int i = 0; i < 30000; i++) {
        const enum mr_quantity q[] = {MR_Q_DATA_RATE, MR_Q_TIME, MR_Q_FLOP_RATE};
        uint64_t bits;
        double value, again;
        bool has_unit;
        state = state * 6364136223846793005u + 1442695040888963407u;
        /* any finite positive number of a size that occurs, some far beyond */
        const uint64_t exponent =
            i % 3 == 0 ? 1 + (state >> 33) % 2000 : 1023 - 60 + (state >> 33) % 140;
        bits = (state & 0xfffffffffffffu) | exponent << 52;
        memcpy(&value, &bits, sizeof value);
        (void)mr_sgunit_format(value, q[i % 3], text);
        if (mr_sgunit_parse(mr_str_of(text), q[i % 3], "x", MR_NOWHERE, &again, &has_unit, NULL) !=
            MR_OK)
            fail_msg("%s does not read", text);
        assert_true(has_unit && again == value);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(spellings), MR_TEST_ENTRY(refusals),
             MR_TEST_ENTRY(written_values_read_back_to_the_same_bits))
