/* SPDX-License-Identifier: Apache-2.0 */
/* postprocess/curve: means hold before their dates, points after; curves with dates of their own
 * become comparable without losing energy, and by none but the dates that all have. */
#include "postprocess/curve.h"

#include "engine/base/mem.h"
#include "engine/record/track.h"
#include "tests/test.h"

#include <math.h>

enum {
    n_max = 64
};

/* Integral of a curve whose values hold. */
static double integral(const struct mr_curve *c)
{
    double sum = 0;
    for (size_t i = 0; i + 1 < c->n; i++)
        sum += c->value[i] * (c->t_s[i + 1] - c->t_s[i]);
    return sum;
}

/* Every step_s to the end, and the end; of means the first is of no interval. */
static void fill(struct mr_curve *c, double step_s, double end_s, bool is_before)
{
    *c = (struct mr_curve){mr_alloc(n_max, sizeof(double)), mr_alloc(n_max, sizeof(double)), 0, "",
                           is_before};
    for (size_t i = 0; (double)i * step_s < end_s - 1e-9; i++)
        c->t_s[c->n++] = (double)i * step_s;
    c->t_s[c->n++] = end_s;
    for (size_t i = 0; i < c->n; i++)
        c->value[i] = is_before && i == 0 ? 1e9 : sin((double)(i + 7 * c->n));
}

static double whole(const struct mr_curve *c)
{
    double sum = 0;
    if (!c->is_before)
        return integral(c);
    for (size_t i = 1; i < c->n; i++)
        sum += c->value[i] * (c->t_s[i] - c->t_s[i - 1]);
    return sum;
}

MR_TEST(pairs_keep_their_integrals_and_have_common_dates)
{
    static const struct {
        double step_s[3], end_s;
        size_t n;
    } cases[] = {{{1, 5, 10}, 53, 7},     /* 0, 10, ... 50, 53 */
                 {{2, 3, 1}, 20, 5},      /* 0, 6, 12, 18, 20 */
                 {{0.1, 0.3, 0.7}, 5, 4}, /* 0, 2.1, 4.2, 5: dates are not the same bits */
                 {{7, 11, 13}, 50, 2},    /* nothing but the ends */
                 {{60, 60, 60}, 50, 2}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct mr_curve c[4] = {{.n = 0}};
        struct mr_err err = {0};
        double sum[3];
        for (size_t i = 0; i < 3; i++) {
            fill(&c[i], cases[k].step_s[i], cases[k].end_s, i != 1);
            sum[i] = whole(&c[i]);
        }
        assert_int_equal(mr_curve_pair(c, 4, &err), MR_OK);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(c[i].n, cases[k].n);
            assert_false(c[i].is_before);
            assert_memory_equal(c[i].t_s, c[0].t_s, c[0].n * sizeof(double));
            mr_assert_near(integral(&c[i]), sum[i], 0, 1e-12 * cases[k].end_s);
        }
        assert_int_equal(c[3].n, 0);
        for (size_t i = 0; i < 4; i++)
            mr_curve_fini(&c[i]);
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* What was not recorded counts for nothing; where nothing was, nothing is told. */
MR_TEST(gaps_stay_out_of_means)
{
    struct mr_curve c[2];
    struct mr_err err = {0};
    fill(&c[0], 1, 4, false);
    fill(&c[1], 2, 4, false);
    c[0].value[0] = c[0].value[2] = c[0].value[3] = (double)NAN;
    c[0].value[1] = 5;
    assert_int_equal(mr_curve_pair(c, 2, &err), MR_OK);
    mr_assert_near(c[0].value[0], 5, 0, 0);
    assert_true(isnan(c[0].value[1]));
    mr_curve_fini(&c[0]);
    mr_curve_fini(&c[1]);
}

/* Parts of a course are means by time: 1 for 1 s and 4 for 2 s are 3, not 2.5; a mean counts for
 * the time before its date. Dates that are none (a temperature) weigh nothing. */
MR_TEST(thinned_courses_keep_their_integral)
{
    static const double date_s[] = {0, 1, 3, 4, 7, 8}, value[] = {1, 4, 2, 2, 8, 8};
    static const struct {
        enum mr_curve_how how;
        bool is_before;
        double want[3];
    } cases[] = {{MR_CURVE_MEAN, false, {3, 2, 8}},
                 {MR_CURVE_MEAN, true, {4, 2, 8}},
                 {MR_CURVE_PLAIN, false, {2.5, 2, 8}},
                 {MR_CURVE_MAX, false, {4, 2, 8}}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct mr_curve c = {.is_before = cases[k].is_before};
        fill(&c, 1, 5, cases[k].is_before);
        memcpy(c.t_s, date_s, sizeof date_s);
        memcpy(c.value, value, sizeof value);
        mr_curve_thin(&c, 3, cases[k].how);
        assert_int_equal(c.n, 3);
        for (size_t i = 0; i < 3; i++)
            mr_assert_near(c.value[i], cases[k].want[i], 1e-15, 0);
        mr_curve_fini(&c);
    }
}

/* Two entities at 0, 4, 8 and 9 s. */
static void write(const char *path)
{
    static const struct mr_channel channels[] = {
        {.name = "cap_kw",
         .units = "kW",
         .long_name = "At a date",
         .type = MR_CHANNEL_F64,
         .cell_methods = "time: point"},
        {.name = "power_kw",
         .units = "kW",
         .long_name = "Before a date",
         .type = MR_CHANNEL_F64,
         .cell_methods = "time: mean"},
    };
    static const double t_s[] = {0, 4, 8, 9},
                        cap_kw[][2] = {{8, (double)NAN}, {8, (double)NAN}, {2, 6}, {1000, 1000}},
                        power_kw[][2] = {{1000, 1000}, {3, -5}, {5, -5}, {9, -1}};
    const struct mr_track_plan plan = {"/racks", "rack", "Racks", NULL, 2, 4, channels, 2};
    struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_runfile *file;
    struct mr_track *track;
    struct mr_err err = {0};
    options.may_overwrite = true;
    mr_status st = mr_runfile_create(path, &options, &file, &err);
    if (st == MR_OK)
        st = mr_track_create(file, &plan, &track, &err);
    if (st == MR_OK)
        st = mr_runfile_start(file, &err);
    for (size_t i = 0; i < 4 && st == MR_OK; i++) {
        const void *const value[] = {cap_kw[i], power_kw[i]};
        st = mr_track_row(track, t_s[i], value, &err);
    }
    if (st == MR_OK)
        st = mr_runfile_stop(file, &err);
    if (st == MR_OK)
        st = mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "done", &err);
    mr_runfile_destroy(file);
    if (st != MR_OK)
        fail_msg("%s", err.text);
}

static void check(const struct mr_runread *run, const char *path, enum mr_curve_how how, double a,
                  double b)
{
    double *value;
    size_t n;
    struct mr_err err = {0};
    assert_int_equal(mr_curve_entities(run, path, how, &value, &n, &err), MR_OK);
    assert_int_equal(n, 2);
    mr_assert_near(value[0], a, 0, 1e-12);
    mr_assert_near(value[1], b, 0, 1e-12);
    mr_free(value);
}

MR_TEST(entities_weigh_samples_by_what_they_are_of)
{
    struct mr_runread *run;
    struct mr_curve c;
    struct mr_err err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("curve.h5"));
    write(path);
    assert_int_equal(mr_runread_open(path, NULL, &run, &err), MR_OK);
    check(run, "/racks/power_kw", MR_CURVE_MEAN, (3 * 4 + 5 * 4 + 9) / 9.0, -41 / 9.0);
    check(run, "/racks/cap_kw", MR_CURVE_MEAN, (8 * 8 + 2) / 9.0, 6);
    check(run, "/racks/power_kw", MR_CURVE_TIME, 9, 0);
    check(run, "/racks/cap_kw", MR_CURVE_TIME, 9, 1);
    check(run, "/racks/cap_kw", MR_CURVE_MAX, 1000, 1000);
    assert_int_equal(mr_curve_one(run, "/racks/power_kw", 1, &c, &err), MR_OK);
    assert_true(c.is_before);
    mr_curve_hold(&c);
    mr_assert_near(c.value[0], -5, 0, 0);
    mr_assert_near(integral(&c), -41, 0, 1e-12);
    mr_curve_hold(&c); /* it does already */
    mr_assert_near(integral(&c), -41, 0, 1e-12);
    mr_curve_fini(&c);
    mr_runread_close(run);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* What goes up and down within a part stays, at its own date; what was not recorded stays unknown.
 */
MR_TEST(ends_of_parts_are_samples)
{
    enum {
        n = 1000,
        n_part = 20
    };
    struct mr_curve c = {mr_alloc(n, sizeof(double)), mr_alloc(n, sizeof(double)), n, "", false};
    for (size_t i = 0; i < n; i++) {
        c.t_s[i] = (double)i;
        c.value[i] = i >= 100 && i < 220 ? (double)NAN : 50;
    }
    c.value[333] = 90;
    c.value[334] = 10;
    c.value[150] = 70;
    mr_curve_thin(&c, 2 * n_part, MR_CURVE_ENDS);
    assert_true(c.n >= n_part && c.n <= 2 * n_part);
    size_t n_found = 0, n_unknown = 0;
    for (size_t i = 0; i < c.n; i++) {
        assert_true(i == 0 || c.t_s[i] > c.t_s[i - 1]);
        n_unknown += isnan(c.value[i]) ? 1 : 0;
        n_found += (c.t_s[i] == 333 && c.value[i] == 90) || (c.t_s[i] == 334 && c.value[i] == 10) ||
                           (c.t_s[i] == 150 && c.value[i] == 70)
                       ? 1
                       : 0;
    }
    assert_int_equal(n_found, 3);
    assert_true(n_unknown > 0);
    mr_curve_thin(&c, 4, MR_CURVE_MIN);
    assert_true(c.n == 4 && c.value[1] == 10 && c.value[3] == 50);
    mr_curve_fini(&c);
}

MR_TEST_MAIN(MR_TEST_ENTRY(ends_of_parts_are_samples),
             MR_TEST_ENTRY(pairs_keep_their_integrals_and_have_common_dates),
             MR_TEST_ENTRY(gaps_stay_out_of_means),
             MR_TEST_ENTRY(thinned_courses_keep_their_integral),
             MR_TEST_ENTRY(entities_weigh_samples_by_what_they_are_of))
