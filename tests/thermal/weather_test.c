/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/weather: constants, sines, files, heat waves; exact integrals against sampling; hours
 * above a limit as weather statistics count them; runs that do not fit. */
#include "thermal/weather.h"

#include "tests/test.h"
#include "tests/thermal/epw_text.h"
#include "thermal/moist.h"

static const double hour_s = 3600, year_s = 8760 * 3600.0;

static struct mr_weather_params plain(void)
{
    struct mr_weather_params params;
    mr_weather_defaults(&params);
    return params;
}

static struct mr_weather make(const struct mr_weather_params *params)
{
    struct mr_weather weather;
    struct mr_err err = {0};
    if (mr_weather_make(params, &weather, &err) != MR_OK)
        fail_msg("%s", err.text);
    return weather;
}

/* Six days of July whose dry bulb is a saw: 20 degC at even records, 30 at odd ones. */
static double saw_c(int record)
{
    return record % 2 ? 30 : 20;
}

static const char *saw_file(void)
{
    const struct epw_text t = {7, 1, 6, 1, false, false, "7/1,7/6", saw_c, NULL};
    struct mr_buf text = {0};
    epw_text_make(&t, &text);
    const char *path = mr_test_write("saw.epw", text.text, text.n);
    mr_buf_fini(&text);
    return path;
}

MR_TEST(constant)
{
    struct mr_weather_params params = plain();
    params.dry_bulb_c = 36;
    params.wet_bulb_c = 22;
    params.elevation_m = 1000;
    struct mr_weather weather = make(&params);
    for (double t_s = 0; t_s < 1e8; t_s = 3 * t_s + 1000) {
        const struct mr_weather_point p = mr_weather_at(&weather, t_s);
        assert_true(p.dry_bulb_c == 36);
        mr_assert_near(p.wet_bulb_c, 22, 0, 1e-9);
        mr_assert_near(p.pressure_pa, 89875, 1e-4, 0);
        assert_true(isnan(p.ghi_w_m2));
        assert_true(isinf(mr_weather_next_change_s(&weather, t_s)));
    }
    const struct mr_weather_sum sum = mr_weather_integrate(&weather, 0, year_s, 35);
    assert_true(sum.above_s == year_s && sum.above_ks == year_s);
    mr_weather_fini(&weather);
}

MR_TEST(daily_sine)
{
    struct mr_weather_params params = plain();
    params.dry_bulb_c = 30;
    params.wet_bulb_c = 15;
    params.swing_k = 8;
    struct mr_weather weather = make(&params);
    mr_assert_near(mr_weather_dry_bulb_c(&weather, 15 * hour_s), 38, 1e-14, 0);
    mr_assert_near(mr_weather_dry_bulb_c(&weather, 3 * hour_s), 22, 1e-14, 0);
    mr_assert_near(mr_weather_dry_bulb_c(&weather, 9 * hour_s), 30, 1e-14, 0);
    for (int i = 0; i < 48; i++) { /* at knots it is the sine, between them below 0.9 % off */
        const double t_s = 1800.0 * i;
        const double want = 30 + 8 * sin(2 * 3.14159265358979 * (t_s - 9 * hour_s) / 86400);
        mr_assert_near(mr_weather_dry_bulb_c(&weather, t_s), want, 0,
                       i % 2 == 0 ? 1e-12 : 8 * 0.009);
        assert_true(mr_weather_dry_bulb_c(&weather, t_s + 7 * 86400) ==
                    mr_weather_dry_bulb_c(&weather, t_s));
        /* the same vapor all day */
        const struct mr_weather_point p = mr_weather_at(&weather, 3600.0 * i);
        mr_assert_near(p.dew_point_c, mr_weather_at(&weather, 0).dew_point_c, 0, 1e-9);
        assert_true(p.wet_bulb_c < p.dry_bulb_c);
    }
    assert_true(mr_weather_next_change_s(&weather, 0) == hour_s);
    assert_true(mr_weather_next_change_s(&weather, hour_s) == 2 * hour_s);
    const struct mr_weather_sum sum = mr_weather_integrate(&weather, 0, 86400, 30);
    mr_assert_near(sum.dry_cs, 30 * 86400, 1e-14, 0);
    mr_assert_near(sum.above_s, 43200, 1e-12, 0);
    mr_weather_fini(&weather);
}

MR_TEST(lines_between_knots)
{
    struct mr_weather_params params = plain();
    params.file = saw_file();
    struct mr_weather weather = make(&params);
    /* record i ends hour i + 1 */
    assert_true(mr_weather_dry_bulb_c(&weather, hour_s) == 20);
    assert_true(mr_weather_dry_bulb_c(&weather, 1.5 * hour_s) == 25);
    assert_true(mr_weather_dry_bulb_c(&weather, 2 * hour_s) == 30);
    assert_true(mr_weather_dry_bulb_c(&weather, 0) == 20);            /* holds */
    assert_true(mr_weather_dry_bulb_c(&weather, 144 * hour_s) == 30); /* the last */
    assert_true(mr_weather_dry_bulb_c(&weather, 150 * hour_s) == 30);
    /* radiation is the mean of the hour before its knot */
    assert_true(mr_weather_at(&weather, 3.5 * hour_s).ghi_w_m2 == 3);
    assert_true(mr_weather_at(&weather, 3.01 * hour_s).ghi_w_m2 == 3);
    assert_true(mr_weather_at(&weather, 2.99 * hour_s).ghi_w_m2 == 2);
    /* a quarter of the time above 27.5, on triangles of 2.5 K */
    const struct mr_weather_sum sum = mr_weather_integrate(&weather, hour_s, 143 * hour_s, 27.5);
    mr_assert_near(sum.above_s, 142 * hour_s / 4, 1e-12, 0);
    mr_assert_near(sum.above_ks, 142 * hour_s / 4 * 1.25, 1e-12, 0);
    mr_assert_near(sum.dry_cs, 142 * hour_s * 25, 1e-12, 0);
    assert_true(mr_weather_file_hours_above(&weather, 27.5) == 72);
    assert_true(mr_weather_file_hours_above(&weather, 30) == 0);
    assert_true(weather.dry_min_c == 20 && weather.dry_max_c == 30);
    mr_weather_fini(&weather);
}

MR_TEST(changes_come_in_order)
{
    struct mr_weather_params params = plain();
    params.file = saw_file();
    params.start_s = 1234.5;
    params.wave_k = 4;
    params.wave_start_s = 5000;
    params.wave_rise_s = 7000;
    params.wave_hold_s = 0.25;
    params.wave_fall_s = 3333;
    struct mr_weather weather = make(&params);
    double t_s = 0;
    int n = 0;
    while (isfinite(t_s)) {
        const double next_s = mr_weather_next_change_s(&weather, t_s);
        assert_true(next_s > t_s);
        if (isfinite(next_s)) { /* a straight line in between */
            const double a = mr_weather_dry_bulb_c(&weather, t_s);
            const double b = mr_weather_dry_bulb_c(&weather, next_s);
            const double m = mr_weather_dry_bulb_c(&weather, 0.5 * (t_s + next_s));
            mr_assert_near(m, 0.5 * (a + b), 0, 1e-11);
            n++;
        }
        t_s = next_s;
    }
    assert_int_equal(n, 144 + 4);
    mr_weather_fini(&weather);
}

MR_TEST(heat_wave_adds_its_area)
{
    struct mr_weather_params params = plain();
    params.file = saw_file();
    struct mr_weather calm = make(&params);
    params.wave_k = 5;
    params.wave_start_s = 10 * hour_s;
    params.wave_rise_s = 2 * hour_s;
    params.wave_hold_s = 6 * hour_s;
    params.wave_fall_s = 2 * hour_s;
    struct mr_weather hot = make(&params);
    const double added = mr_weather_integrate(&hot, 0, 144 * hour_s, 0).dry_cs -
                         mr_weather_integrate(&calm, 0, 144 * hour_s, 0).dry_cs;
    mr_assert_near(added / hour_s, 40, 1e-11, 0);
    assert_true(mr_weather_dry_bulb_c(&hot, 11 * hour_s) ==
                mr_weather_dry_bulb_c(&calm, 11 * hour_s) + 2.5);
    for (double t_s = 0; t_s < 30 * hour_s; t_s += 777) {
        const struct mr_weather_point a = mr_weather_at(&calm, t_s), b = mr_weather_at(&hot, t_s);
        const double vapor_a = a.rh_frac * mr_moist_saturation_pa(a.dry_bulb_c);
        const double vapor_b = b.rh_frac * mr_moist_saturation_pa(b.dry_bulb_c);
        assert_true(a.dew_point_c == b.dew_point_c);
        mr_assert_near(vapor_a, vapor_b, 1e-12, 0);
        assert_true(b.wet_bulb_c >= a.wet_bulb_c);
    }
    mr_weather_fini(&calm);
    mr_weather_fini(&hot);
}

MR_TEST(integrals_match_sampling)
{
    struct mr_weather_params params = plain();
    params.file = saw_file();
    params.wave_k = 3.3;
    params.wave_start_s = 20 * hour_s;
    params.wave_rise_s = 5555;
    struct mr_weather weather = make(&params);
    const double dt_s = 0.5, from_s = 18.3 * hour_s, to_s = 40.1 * hour_s;
    const struct mr_weather_sum sum = mr_weather_integrate(&weather, from_s, to_s, 28.1);
    struct mr_weather_sum brute = {0};
    for (double t_s = from_s; t_s < to_s; t_s += dt_s) {
        const double dry_c = mr_weather_dry_bulb_c(&weather, t_s + 0.5 * dt_s);
        brute.above_s += dry_c > 28.1 ? dt_s : 0;
        brute.above_ks += fmax(dry_c - 28.1, 0) * dt_s;
        brute.dry_cs += dry_c * dt_s;
    }
    mr_assert_near(sum.above_s, brute.above_s, 0, 60);
    mr_assert_near(sum.above_ks, brute.above_ks, 1e-6, 0);
    mr_assert_near(sum.dry_cs, brute.dry_cs, 1e-9, 0);
    mr_weather_fini(&weather);
}

MR_TEST(real_files_hours_above)
{
    static const struct {
        const char *name;
        double above_35_h, above_40_h, hottest_c;
    } cases[] = {
        {"weather/USA_AZ_Phoenix-Sky.Harbor.epw", 1474, 349, 45.6},
        {"weather/USA_TX_Dallas-Fort.Worth.epw", 263, 0, 40},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_weather_params params = plain();
        params.file = mr_test_data(cases[i].name);
        params.wraps = true;
        if (params.file == NULL)
            mr_test_skip("no %s under MILLRACE_DATA", cases[i].name);
        struct mr_weather weather = make(&params);
        assert_true(mr_weather_file_hours_above(&weather, 35) == cases[i].above_35_h);
        assert_true(mr_weather_file_hours_above(&weather, 40) == cases[i].above_40_h);
        assert_true(weather.dry_max_c == cases[i].hottest_c);
        /* the year is a circle: any start gives the same integrals */
        const struct mr_weather_sum a = mr_weather_integrate(&weather, 0, year_s, 35);
        const struct mr_weather_sum b =
            mr_weather_integrate(&weather, 0.37 * year_s, 1.37 * year_s, 35);
        mr_assert_near(a.above_s, b.above_s, 1e-9, 0);
        mr_assert_near(a.dry_cs, b.dry_cs, 1e-9, 0);
        /* many records are 35.0: the line is above for a part of the hours around them */
        assert_true(a.above_s / hour_s > cases[i].above_35_h);
        assert_true(a.above_s / hour_s < mr_weather_file_hours_above(&weather, 34.99));
        print_message("%s: %.1f h above 35 degC on the line\n", cases[i].name, a.above_s / hour_s);
        mr_weather_fini(&weather);
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(impossible_parameters)
{
    static const char *const texts[] = {
        "dry_bulb 70 degC: must be -60 degC .. 60 degC",
        "wet_bulb 26 degC is above dry_bulb 25 degC",
        "dry_bulb 50 degC with swing 12 K leaves -60..60 degC",
        "wave.rise 0 s: must be",
        "wave.peak nan",
        "elevation 9 km: must be",
    };
    for (int i = 0; i < 6; i++) {
        struct mr_weather_params params = plain();
        struct mr_weather weather;
        struct mr_err err = {0};
        double *const field[] = {&params.dry_bulb_c,  &params.wet_bulb_c, &params.dry_bulb_c,
                                 &params.wave_rise_s, &params.wave_k,     &params.elevation_m};
        static const double value[] = {70, 26, 50, 0, (double)NAN, 9000};
        *field[i] = value[i];
        if (i == 2)
            params.swing_k = 12;
        assert_int_equal(mr_weather_check(&params, &err), MR_RANGE);
        mr_assert_contains(err.text, texts[i]);
        assert_int_equal(mr_weather_make(&params, &weather, NULL), MR_RANGE);
    }
}

MR_TEST(runs_that_do_not_fit)
{
    struct mr_weather_params params = plain();
    struct mr_weather weather;
    struct mr_err err = {0};
    params.file = saw_file();
    params.wraps = true;
    assert_int_equal(mr_weather_make(&params, &weather, &err), MR_RANGE);
    mr_assert_contains(err.text, "wrap needs a whole year");
    params.wraps = false;
    params.start_s = 144 * hour_s;
    err = (struct mr_err){0};
    assert_int_equal(mr_weather_make(&params, &weather, &err), MR_RANGE);
    mr_assert_contains(err.text, "start 144 h is behind the end of the file, 144 h");
    params.start_s = 100 * hour_s;
    weather = make(&params);
    err = (struct mr_err){0};
    assert_int_equal(mr_weather_check_span(&weather, 44 * hour_s, &err), MR_OK);
    assert_int_equal(mr_weather_check_span(&weather, 44.1 * hour_s, &err), MR_RANGE);
    mr_assert_contains(err.text, "the run lasts 44.1 h, the file has 44 h from its start on");
    mr_weather_fini(&weather);
    params.file = NULL;
    weather = make(&params);
    assert_int_equal(mr_weather_check_span(&weather, 1e9, NULL), MR_OK);
    mr_weather_fini(&weather);
}

static mr_status make_and_drop(void *context, struct mr_err *err)
{
    struct mr_weather weather;
    MR_TRY(mr_weather_make(context, &weather, err));
    mr_weather_fini(&weather);
    return MR_OK;
}

MR_TEST(every_allocation_may_fail)
{
    struct mr_weather_params params = plain();
    params.swing_k = 5;
    mr_test_every_nomem(make_and_drop, &params);
    params.file = saw_file();
    mr_test_every_nomem(make_and_drop, &params);
}

MR_TEST_MAIN(MR_TEST_ENTRY(constant), MR_TEST_ENTRY(daily_sine), MR_TEST_ENTRY(lines_between_knots),
             MR_TEST_ENTRY(changes_come_in_order), MR_TEST_ENTRY(heat_wave_adds_its_area),
             MR_TEST_ENTRY(integrals_match_sampling), MR_TEST_ENTRY(real_files_hours_above),
             MR_TEST_ENTRY(impossible_parameters), MR_TEST_ENTRY(runs_that_do_not_fit),
             MR_TEST_ENTRY(every_allocation_may_fail))
