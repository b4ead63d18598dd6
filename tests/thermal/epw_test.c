/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/epw: whole, leap and partial years, records within the hour, gaps, mistakes with their
 * line, and the real files. */
#include "thermal/epw.h"

#include "tests/test.h"
#include "tests/thermal/epw_text.h"

static double ramp_c(int record)
{
    return 0.001 * record;
}

static const struct epw_text year = {1, 1, 365, 1, false, false, "1/ 1,12/31", ramp_c, NULL};

static mr_status load(const struct epw_text *t, struct mr_epw *epw, struct mr_err *err)
{
    struct mr_buf text = {0};
    epw_text_make(t, &text);
    const mr_status st = mr_epw_load_text("test.epw", (struct mr_str){text.text, text.n}, epw, err);
    mr_buf_fini(&text);
    return st;
}

static struct mr_epw good(const struct epw_text *t)
{
    struct mr_epw epw;
    struct mr_err err = {0};
    if (load(t, &epw, &err) != MR_OK)
        fail_msg("%d: %s", err.line, err.text);
    return epw;
}

MR_TEST(a_plain_year)
{
    for (int crlf = 0; crlf < 2; crlf++) {
        struct epw_text t = year;
        t.has_crlf = crlf != 0;
        struct mr_epw epw = good(&t);
        assert_int_equal(epw.n, 8760);
        assert_int_equal(epw.per_hour, 1);
        assert_true(epw.is_whole_year && !epw.is_leap);
        assert_int_equal(epw.n_filled, 0);
        assert_string_equal(epw.place, "Test \"Town\"");
        assert_true(epw.latitude_deg == 10.5 && epw.longitude_deg == -20.25 && epw.zone_h == -3);
        assert_true(epw.elevation_m == 100);
        assert_true(epw.dry_bulb_c[0] == 0 && epw.dry_bulb_c[8759] == 8.759);
        assert_true(epw.dew_point_c[5] == 10 && epw.rh_frac[5] == 0.5);
        assert_true(epw.pressure_pa[5] == 100000 && epw.wind_m_s[5] == 3);
        assert_true(epw.ghi_w_m2[25] == 1);
        mr_epw_fini(&epw);
        assert_int_equal(mr_test_live_allocations(), 0);
    }
}

MR_TEST(leap_partial_and_fine_years)
{
    static const struct {
        struct epw_text text;
        uint64_t n;
        bool is_whole, is_leap;
    } cases[] = {
        {{1, 1, 366, 1, true, false, "1/1,12/31", ramp_c, NULL}, 8784, true, true},
        {{1, 1, 365, 2, false, false, "1/1,12/31", ramp_c, NULL}, 17520, true, false},
        {{7, 1, 31, 1, false, false, "7/ 1,7/31", ramp_c, NULL}, 744, false, false},
        {{12, 30, 5, 1, false, false, "12/30/2001,1/3/2002", ramp_c, NULL}, 120, false, false},
        {{2, 27, 3, 1, true, false, "2/27,2/29", ramp_c, NULL}, 72, false, true},
        {{2, 27, 4, 1, true, false, "2/27,3/1", ramp_c, NULL}, 96, false, true},
        {{2, 27, 3, 1, false, false, "2/27,3/1", ramp_c, NULL}, 72, false, false},
        {{2, 29, 2, 1, true, false, "2/29,3/1", ramp_c, NULL}, 48, false, true},
        {{3, 5, 1, 4, false, false, "3/5,3/5", ramp_c, NULL}, 96, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_epw epw = good(&cases[i].text);
        assert_int_equal(epw.n, cases[i].n);
        assert_int_equal(epw.is_whole_year, cases[i].is_whole);
        assert_int_equal(epw.is_leap, cases[i].is_leap);
        mr_epw_fini(&epw);
    }
}

/* ---- gaps ---- */

static int gap_from, gap_n;

/* Dry bulb missing in [gap_from, gap_from + gap_n), around the year's end too. */
static void lose(int record, char *line, size_t cap)
{
    if ((record - gap_from + 8760) % 8760 < gap_n) {
        char *at = strstr(line, "?9,") + 3, *rest = strchr(at, ',');
        char tail[256];
        snprintf(tail, sizeof tail, "%s", rest);
        snprintf(at, cap - (size_t)(at - line), "%s%s", record % 2 ? "99.9" : "", tail);
    }
}

MR_TEST(short_gaps_are_lines)
{
    struct epw_text t = year;
    t.change = lose;
    gap_from = 100;
    gap_n = 6;
    struct mr_epw epw = good(&t);
    assert_int_equal(epw.n_filled, 6);
    for (int i = 95; i < 110; i++) /* the ramp itself is a line */
        mr_assert_near(epw.dry_bulb_c[i], ramp_c(i), 1e-12, 0);
    mr_epw_fini(&epw);
    /* over the end of the year: from 8.757 at record 8757 to 0.001 at record 1 */
    gap_from = 8758;
    gap_n = 3;
    epw = good(&t);
    assert_int_equal(epw.n_filled, 3);
    mr_assert_near(epw.dry_bulb_c[8758], 8.757 + (0.001 - 8.757) / 4, 1e-12, 0);
    mr_assert_near(epw.dry_bulb_c[0], 8.757 + (0.001 - 8.757) * 3 / 4, 1e-12, 0);
    mr_epw_fini(&epw);
    /* a part of a year has no neighbor there: the first value holds */
    t = (struct epw_text){7, 1, 2, 1, false, false, "7/1,7/2", ramp_c, lose};
    gap_from = 0;
    gap_n = 2;
    epw = good(&t);
    assert_true(epw.dry_bulb_c[0] == 0.002 && epw.dry_bulb_c[1] == 0.002);
    mr_epw_fini(&epw);
    gap_from = 45;
    gap_n = 3;
    epw = good(&t);
    assert_true(epw.dry_bulb_c[47] == 0.044);
    mr_epw_fini(&epw);
}

MR_TEST(long_gaps_are_errors)
{
    struct epw_text t = year;
    struct mr_epw epw;
    struct mr_err err = {0};
    t.change = lose;
    gap_from = 100;
    gap_n = 7;
    assert_int_equal(load(&t, &epw, &err), MR_RANGE);
    mr_assert_contains(err.text, "dry bulb: missing for 7 records from here on: at most 6 hours");
    assert_int_equal(err.line, 109);
    err = (struct mr_err){0};
    gap_n = 8760;
    assert_int_equal(load(&t, &epw, &err), MR_RANGE);
    mr_assert_contains(err.text, "dry bulb: missing everywhere");
    assert_int_equal(mr_test_live_allocations(), 0);
}

static const char *swap_from, *swap_to;
static int swap_at; /* record, or -1: all */

static void swap(int record, char *line, size_t cap)
{
    char *at = swap_at == -1 || record == swap_at ? strstr(line, swap_from) : NULL;
    if (at != NULL) {
        char tail[256];
        snprintf(tail, sizeof tail, "%s", at + strlen(swap_from));
        snprintf(at, cap - (size_t)(at - line), "%s%s", swap_to, tail);
    }
}

MR_TEST(missing_columns_are_derived)
{
    struct epw_text t = {7, 1, 2, 1, false, false, "7/1,7/2", ramp_c, swap};
    swap_at = -1;
    swap_from = ",10.0,50,100000,";
    swap_to = ",99.9,50,999999,";
    struct mr_epw epw = good(&t);
    mr_assert_near(epw.dew_point_c[0], -9.16, 0, 0.1); /* 0 degC at 50 % over water */
    mr_assert_near(epw.pressure_pa[0], 100129, 1e-4, 0);
    mr_epw_fini(&epw);
    swap_to = ",-9.0,999,100000,";
    epw = good(&t);
    mr_assert_near(epw.rh_frac[0], 0.506, 0.01, 0);
    mr_epw_fini(&epw);
    swap_from = ",180,3.0,";
    swap_to = ",180,999.0,";
    epw = good(&t);
    assert_true(isnan(epw.wind_m_s[0]) && isnan(epw.wind_m_s[47]));
    mr_epw_fini(&epw);
}

/* ---- mistakes ---- */

MR_TEST(wrong_records)
{
    static const struct {
        int at;
        const char *from, *to, *text;
        int line;
    } cases[] = {
        {10, ",1,1,11,", ",1,1,12,", "hour 12 of 1/1 where hour 11 of 1/1 must stand", 19},
        {0, ",1,1,1,", ",1,2,1,", "hour 1 of 1/2 where hour 1 of 1/1", 9},
        {24, ",1,2,1,", ",1,1,1,", "hour 1 of 1/1 where hour 1 of 1/2", 33},
        {5, ",1,1,6,", ",1,1,25,", "field 4, hour: 25 is not a whole number in 1..24", 14},
        {5, ",1,1,6,", ",13,1,6,", "field 2, month: 13", 14},
        {5, ",1,1,6,", ",1,x,6,", "field 3, day: \"x\" is not a number", 14},
        {5, "?9,0.0050", "?9,61", "field 7, dry bulb: 61 is outside of -60..60", 14},
        {5, "?9,0.0050", "?9,-70", "field 7, dry bulb: -70 is outside", 14},
        {5, "?9,0.0050", "?9,warm", "field 7, dry bulb: \"warm\" is not a number", 14},
        {5, ",10.0,50,", ",10.0,150,", "field 9, relative humidity: 150 is outside of 0..110", 14},
        {5, ",100000,", ",1000,", "field 10, pressure: 1000 is outside", 14},
        {5, ",180,3.0,0,0,9,", "\n", "fields: a record has 35, at least 22 are needed", 14},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct epw_text t = year;
        struct mr_epw epw;
        struct mr_err err = {0};
        t.change = swap;
        swap_at = cases[i].at;
        swap_from = cases[i].from;
        swap_to = cases[i].to;
        assert_true(load(&t, &epw, &err) != MR_OK);
        mr_assert_contains(err.text, cases[i].text);
        assert_int_equal(err.line, cases[i].line);
        assert_string_equal(err.file, "test.epw");
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(wrong_lengths)
{
    static const struct {
        int n_day;
        const char *period, *text;
    } cases[] = {
        {364, "1/1,12/31", "8736 records, but 1/1 to 12/31 are 8760 (8784 hours with 29 February)"},
        {31, "1/1,2/1", "744 records, but 1/1 to 2/1 are 768"},
        {32, "1/1,1/31", "768 records, but 1/1 to 1/31 are 744"},
        {0, "1/1,12/31", "no records after the header"},
        {1, "1-1,12/31", "DATA PERIODS: \"1-1\" is not a date"},
        {1, "1/1,13/1", "DATA PERIODS: \"13/1\" is not a date"},
        {1, "1/1,2/30", "\"2/30\" is not a date"},
        {1, "1/1", "\"\" is not a date"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct epw_text t = year;
        struct mr_epw epw;
        struct mr_err err = {0};
        t.n_day = cases[i].n_day;
        t.period = cases[i].period;
        assert_true(load(&t, &epw, &err) != MR_OK);
        mr_assert_contains(err.text, cases[i].text);
    }
}

MR_TEST(wrong_headers)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "it is empty"},
        {"\n\r\n", "it is empty"},
        {"date,dry_bulb\n1,2\n", "the first line must begin with LOCATION"},
        {"LOCATION,x,,,,,a,0,0,0\n", "field 7, latitude: \"a\" is not a number"},
        {"LOCATION,x\n", "field 7, latitude: \"\""},
        {"LOCATION,x,,,,,99,0,0,0\n", "latitude within 90"},
        {"LOCATION,x,,,,,1,2,3,4\nCOMMENTS 1,\n", "no line DATA PERIODS"},
        {"LOCATION,x,,,,,1,2,3,4\nDATA PERIODS,2,1,a,b,1/1,1/2\n", "2 periods: only one"},
        {"LOCATION,x,,,,,1,2,3,4\nDATA PERIODS,1,0,a,b,1/1,1/2\n", "records per hour: 0 is not"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_epw epw;
        struct mr_err err = {0};
        assert_true(mr_epw_load_text("h.epw", mr_str_of(cases[i].text), &epw, &err) != MR_OK);
        mr_assert_contains(err.text, cases[i].want);
    }
    struct mr_epw epw;
    struct mr_err err = {0};
    assert_int_equal(mr_epw_load("/nowhere/at.epw", &epw, &err), MR_IO);
}

static mr_status load_two_days(void *context, struct mr_err *err)
{
    struct mr_epw epw;
    const struct mr_buf *text = context;
    const mr_status st = mr_epw_load_text("t", (struct mr_str){text->text, text->n}, &epw, err);
    mr_epw_fini(&epw);
    return st;
}

MR_TEST(every_allocation_may_fail)
{
    const struct epw_text t = {7, 1, 2, 1, false, false, "7/1,7/2", ramp_c, NULL};
    struct mr_buf text = {0};
    epw_text_make(&t, &text);
    mr_test_every_nomem(load_two_days, &text);
    mr_buf_fini(&text);
}

MR_TEST(real_files)
{
    static const struct {
        const char *name, *place;
        double elevation_m, coldest_c, hottest_c, mean_c, dew_c, rh_pct, pressure_pa, sun_wh_m2;
    } cases[] = {
        {"weather/USA_AZ_Phoenix-Sky.Harbor.epw", "Phoenix-Sky.Harbor.Intl.AP", 337.4, 0.4, 45.6,
         24.66744, 3.45872, 29.91050, 97293.963, 2152872},
        {"weather/USA_TX_Dallas-Fort.Worth.epw", "Dallas-Fort.Worth.Intl.AP", 170.7, -3.9, 40,
         19.81233, 11.11271, 60.70765, 99543.228, 1769978},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = mr_test_data(cases[i].name);
        struct mr_epw epw;
        struct mr_err err = {0};
        double hottest_c = -100, coldest_c = 100, sum_c = 0, dew_c = 0, rh = 0, pa = 0, sun = 0;
        if (path == NULL)
            mr_test_skip("no %s under MILLRACE_DATA", cases[i].name);
        if (mr_epw_load(path, &epw, &err) != MR_OK)
            fail_msg("%s", err.text);
        assert_int_equal(epw.n, 8760);
        assert_true(epw.is_whole_year);
        assert_string_equal(epw.place, cases[i].place);
        assert_true(epw.elevation_m == cases[i].elevation_m);
        for (uint64_t k = 0; k < epw.n; k++) {
            hottest_c = fmax(hottest_c, epw.dry_bulb_c[k]);
            coldest_c = fmin(coldest_c, epw.dry_bulb_c[k]);
            sum_c += epw.dry_bulb_c[k];
            dew_c += epw.dew_point_c[k];
            rh += epw.rh_frac[k];
            pa += epw.pressure_pa[k];
            sun += epw.ghi_w_m2[k];
        }
        const double n = (double)epw.n;
        assert_true(hottest_c == cases[i].hottest_c && coldest_c == cases[i].coldest_c);
        mr_assert_near(sum_c / n, cases[i].mean_c, 0, 5e-6);
        mr_assert_near(dew_c / n, cases[i].dew_c, 0, 5e-6);
        mr_assert_near(100 * rh / n, cases[i].rh_pct, 0, 5e-6);
        mr_assert_near(pa / n, cases[i].pressure_pa, 0, 5e-4);
        mr_assert_near(sun, cases[i].sun_wh_m2, 0, 1e-6);
        mr_epw_fini(&epw);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_plain_year), MR_TEST_ENTRY(leap_partial_and_fine_years),
             MR_TEST_ENTRY(short_gaps_are_lines), MR_TEST_ENTRY(long_gaps_are_errors),
             MR_TEST_ENTRY(missing_columns_are_derived), MR_TEST_ENTRY(wrong_records),
             MR_TEST_ENTRY(wrong_lengths), MR_TEST_ENTRY(wrong_headers),
             MR_TEST_ENTRY(every_allocation_may_fail), MR_TEST_ENTRY(real_files))
