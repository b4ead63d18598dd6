/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of instances on racks: a square wave's harmonics in closed form, joules of every row,
 * brute force over random steps, what no file of a run holds. */
#include "engine/cli/power_steps.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "power/spectrum.h"
#include "tests/test.h"

enum {
    most_rows = 4096
};

struct table {
    double value[MR_POWER_N_STEPS_COLUMN][most_rows];
    const double *column[MR_POWER_N_STEPS_COLUMN];
    size_t n;
};

static void add(struct table *t, uint32_t rack, uint32_t instance, double start_s, double time_s,
                double power_w, double idle_w)
{
    const double row[] = {rack, 0, instance, start_s, time_s, power_w, idle_w};
    assert_true(t->n < most_rows);
    for (int c = 0; c < MR_POWER_N_STEPS_COLUMN; c++) {
        t->value[c][t->n] = row[c];
        t->column[c] = t->value[c];
    }
    t->n++;
}

/* Two racks, rows a second apart until end_s, both recorded at `recorded_w`. */
struct bench {
    struct mr_rack rack[2];
    struct mr_site site;
    struct mr_thermal_load load;
    struct mr_power_steps steps;
    uint32_t column[2];
    double time_s[64], value[128];
};

static void begin(struct bench *b, size_t n_row, double recorded_w)
{
    *b = (struct bench){.rack = {{.name = "R0"}, {.name = "R1"}}, .column = {1, 0}};
    b->site = (struct mr_site){.name = "two", .rack = b->rack, .n_rack = 2};
    b->load = (struct mr_thermal_load){
        .n_row = n_row, .n_column = 2, .time_s = b->time_s, .value = b->value, .rack = b->column};
    for (size_t i = 0; i < n_row; i++) {
        b->time_s[i] = (double)i;
        b->value[2 * i] = b->value[2 * i + 1] = recorded_w;
    }
    b->steps.rack = mr_alloc_zero(2, sizeof *b->steps.rack);
    assert_non_null(b->steps.rack);
    b->steps.n_rack = 2;
    b->steps.rack[0] = 1; /* the file's order is not the site's */
    b->steps.rack[1] = 0;
}

static mr_status build(struct bench *b, const struct table *t, struct mr_err *err)
{
    return mr_power_steps_of("run.h5", t->column, t->n, &b->site, &b->load, &b->steps, err);
}

/* 5 kW for 60 ms, 1 kW for 40 ms: 10 Hz, so lines at k 10 Hz of 2 A / (pi k) |sin(pi k 0.6)| over
 * the square root of 2, A = 4 kW; and nothing at 5, 15, 25 Hz. */
MR_TEST(square)
{
    struct bench b;
    struct table t = {.n = 0};
    struct mr_err err = {0};
    struct mr_arena arena = {0};
    struct mr_spectrum spectrum;
    const struct mr_spectrum_params params = {1, 60, 20, MR_SPECTRUM_ROWS_MEANS};
    begin(&b, 41, 10e3);
    for (int i = 0; i < 400; i++)
        add(&t, 0, 7, 0.1 * i, 0.06, 5e3, 1e3);
    assert_int_equal(build(&b, &t, &err), MR_OK);
    assert_int_equal(b.steps.n_edge, 800);
    assert_true(b.steps.is_stepped[1] && b.steps.over_w == 0);
    struct mr_spectrum_knot knot[801] = {{0, 0, 0}};
    for (size_t i = 0; i < b.steps.n_edge; i++) {
        assert_int_equal(b.steps.edge[i].place, 0);
        knot[i] = (struct mr_spectrum_knot){b.steps.edge[i].t_s, b.steps.edge[i].power_w, 0};
    }
    for (size_t row = 0; row < 40; row++) {
        mr_assert_near(b.steps.mean_w[2 * row], 0.6 * 4e3, 0, 1e-9 * 4e3);
        mr_assert_near(mr_power_steps_rest_w(&b.steps, row, 0, 10e3), 7600, 0, 1e-5);
    }
    mr_assert_near(b.steps.whole_w[0], 2400, 0, 1e-8);
    assert_int_equal(mr_spectrum_of(&arena, &params, knot, 800, 40, &spectrum, &err), MR_OK);
    const double pi = 3.14159265358979323846;
    for (int k = 1; k <= 5; k++) {
        const double line = 2 * 4e3 / (pi * k) * fabs(sin(pi * k * 0.6)) / sqrt(2);
        mr_assert_near(mr_spectrum_band_w(&spectrum, 10 * k - 0.5, 10 * k + 0.5), line, 0,
                       1e-8 * 4e3);
        assert_true(mr_spectrum_band_w(&spectrum, 10 * k - 6, 10 * k - 4) < 1e-3);
    }
    mr_arena_fini(&arena);
    mr_power_steps_fini(&b.steps);
}

/* Steps one after the other, with rounding between them, are one piece while watts are the same;
 * an instance that goes on at once does not fall to idling in between. */
MR_TEST(joined)
{
    struct bench b;
    struct table t = {.n = 0};
    struct mr_err err = {0};
    begin(&b, 3, 9e3);
    add(&t, 1, 2, 0.25, 0.1, 3e3, 1e3);
    add(&t, 1, 2, 0.35 + 1e-16, 0.1, 3e3, 1e3);
    add(&t, 1, 2, 0.45 - 2e-16, 0.2, 4e3, 1e3);
    assert_int_equal(build(&b, &t, &err), MR_OK);
    assert_int_equal(b.steps.n_edge, 3);
    mr_assert_near(b.steps.edge[0].power_w, 2e3, 0, 0);
    mr_assert_near(b.steps.edge[1].power_w, 3e3, 0, 0);
    mr_assert_near(b.steps.edge[1].t_s, 0.45, 0, 1e-12);
    mr_assert_near(b.steps.edge[2].power_w, 0, 0, 0);
    mr_assert_near(b.steps.mean_w[1], 0.2 * 2e3 + 0.2 * 3e3, 0, 1e-9);
    mr_assert_near(b.steps.mean_w[3], 0, 0, 1e-9);
    mr_power_steps_fini(&b.steps);
}

/* Joules of steps over a row, one by one. */
static double brute_j(const struct table *t, uint32_t rack, double begin_s, double end_s)
{
    double sum_j = 0;
    for (size_t i = 0; i < t->n; i++) {
        const double *const *c = t->column;
        const double from_s = fmax(c[MR_POWER_STEPS_START_S][i], begin_s);
        const double to_s = fmin(c[MR_POWER_STEPS_START_S][i] + c[MR_POWER_STEPS_TIME_S][i], end_s);
        if (c[MR_POWER_STEPS_RACK][i] == rack && to_s > from_s)
            sum_j += (c[MR_POWER_STEPS_POWER_W][i] - c[MR_POWER_STEPS_IDLE_W][i]) * (to_s - from_s);
    }
    return sum_j;
}

/* Two racks, three instances each, any lengths and gaps; some steps end after the last row. */
MR_TEST(random_joules)
{
    struct mr_rng rng = mr_rng_stream(5, 0, 0);
    for (int trial = 0; trial < 20; trial++) {
        struct bench b;
        struct table t = {.n = 0};
        struct mr_err err = {0};
        begin(&b, 12, 50e3);
        for (uint32_t k = 0; k < 6; k++)
            for (double at_s = mr_rng_f64(&rng); at_s < 12;) {
                const double time_s = 0.2 * mr_rng_f64(&rng);
                add(&t, k % 2, k / 2, at_s, time_s, 2e3 + 3e3 * mr_rng_f64(&rng), 1e3);
                at_s += time_s + (mr_rng_f64(&rng) < 0.5 ? 0 : 0.1 * mr_rng_f64(&rng));
            }
        assert_int_equal(build(&b, &t, &err), MR_OK);
        for (uint32_t rack = 0; rack < 2; rack++) {
            for (size_t row = 0; row < 11; row++) {
                const double want_w = brute_j(&t, rack, b.time_s[row], b.time_s[row + 1]);
                const double mean_w = b.steps.mean_w[2 * row + rack];
                mr_assert_near(mean_w, want_w, 0, 1e-9 * 15e3);
                /* rest and steps make what was recorded */
                mr_assert_near(mr_power_steps_rest_w(&b.steps, row, rack, 50e3) + mean_w, 50e3, 0,
                               1e-9 * 50e3);
            }
            mr_assert_near(b.steps.whole_w[rack], brute_j(&t, rack, 0, 11) / 11, 0, 1e-9 * 15e3);
        }
        mr_power_steps_fini(&b.steps);
    }
}

/* More than was recorded: told, and nothing is added to it. */
MR_TEST(over)
{
    struct bench b;
    struct table t = {.n = 0};
    struct mr_err err = {0};
    begin(&b, 3, 1e3);
    add(&t, 0, 0, 1, 0.5, 6e3, 1e3);
    assert_int_equal(build(&b, &t, &err), MR_OK);
    mr_assert_near(b.steps.over_w, 1.5e3, 0, 1e-9);
    assert_int_equal(b.steps.over_rack, 1);
    mr_assert_near(b.steps.over_s, 1, 0, 0);
    mr_assert_near(mr_power_steps_rest_w(&b.steps, 1, 0, 1e3), 0, 0, 0);
    mr_power_steps_fini(&b.steps);
}

static void refused(const double row[MR_POWER_N_STEPS_COLUMN], const char *why)
{
    struct bench b;
    struct table t = {.n = 0};
    struct mr_err err = {0};
    begin(&b, 3, 1e3);
    add(&t, 0, 0, 0, 0.1, 2e3, 1e3);
    add(&t, 0, 0, 0.1, 0.1, 2e3, 1e3);
    for (int c = 0; c < MR_POWER_N_STEPS_COLUMN; c++)
        t.value[c][1] = row[c];
    assert_int_equal(build(&b, &t, &err), MR_RANGE);
    if (strstr(err.text, why) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, why);
    mr_power_steps_fini(&b.steps);
}

MR_TEST(hostile)
{
    const double nan = (double)NAN, inf = (double)INFINITY;
    refused((const double[]){2, 0, 0, 1, 0.1, 2e3, 1e3}, "row 1: its rack");
    refused((const double[]){0.5, 0, 0, 1, 0.1, 2e3, 1e3}, "row 1: its rack");
    refused((const double[]){0, nan, 0, 1, 0.1, 2e3, 1e3}, "row 1: its rack");
    refused((const double[]){0, 0, -1, 1, 0.1, 2e3, 1e3}, "row 1: its rack");
    refused((const double[]){0, 0, 0, -1, 0.1, 2e3, 1e3}, "row 1: a step has a start");
    refused((const double[]){0, 0, 0, 1, nan, 2e3, 1e3}, "row 1: a step has a start");
    refused((const double[]){0, 0, 0, inf, 0.1, 2e3, 1e3}, "row 1: a step has a start");
    refused((const double[]){0, 0, 0, 1, 0.1, nan, 1e3}, "watts of its instance are not known");
    refused((const double[]){0, 0, 0, 1, 0.1, 2e3, nan}, "watts of its instance are not known");
    refused((const double[]){0, 0, 0, 0.05, 0.1, 2e3, 1e3}, "two steps at 0.05 s");
}

MR_TEST_MAIN(MR_TEST_ENTRY(square), MR_TEST_ENTRY(joined), MR_TEST_ENTRY(random_joules),
             MR_TEST_ENTRY(over), MR_TEST_ENTRY(hostile))
