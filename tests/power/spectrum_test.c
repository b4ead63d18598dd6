/* SPDX-License-Identifier: Apache-2.0 */
/* power/spectrum: lines of square and triangle waves, the power of everything, Fourier integrals
 * against sums, bands, swings against all pairs, what smoothing does to a step-synchronous load. */
#include "power/spectrum.h"

#include "engine/base/rng.h"
#include "power/smooth.h"
#include "tests/test.h"

static const double pi = 3.14159265358979323846;

enum {
    n_max = 20000
};

static struct mr_spectrum spectrum_of(struct mr_arena *arena,
                                      const struct mr_spectrum_params *params,
                                      const struct mr_spectrum_knot *knot, uint32_t n, double end_s)
{
    struct mr_spectrum out = {0};
    struct mr_err err = {0};
    if (mr_spectrum_of(arena, params, knot, n, end_s, &out, &err) != MR_OK)
        fail_msg("%s", err.text);
    return out;
}

/* Lines at odd multiples of 1/period, effective value 4 A / (pi m sqrt(2)). */
MR_TEST(lines_of_a_square_wave)
{
    static struct mr_spectrum_knot knot[n_max];
    struct mr_spectrum_params params;
    mr_spectrum_defaults(&params);
    uint32_t n = 0;
    for (int i = 0; i < 120; i++) { /* 2 s up, 2 s down: 0.25 Hz */
        knot[n++] = (struct mr_spectrum_knot){4. * i, 1e6, 0};
        knot[n++] = (struct mr_spectrum_knot){4. * i + 2, 4e5, 0};
    }
    struct mr_arena arena = {0};
    params.segment_s = 40;
    const struct mr_spectrum s = spectrum_of(&arena, &params, knot, n, 480);
    assert_int_equal(s.n_segment, 23);
    mr_assert_near(s.step_hz, 0.025, 1e-15, 0);
    for (int m = 1; m <= 79; m += 2) {
        const double line_w = 4 * 3e5 / (pi * m * sqrt(2.));
        mr_assert_near(mr_spectrum_band_w(&s, 0.25 * m - 0.1, 0.25 * m + 0.1), line_w, 1e-10, 0);
    }
    mr_assert_near(mr_spectrum_band_w(&s, 0.4, 0.6), 0, 0, 1e-3); /* no even ones */
    mr_arena_fini(&arena);
}

/* 8 A / (pi^2 m^2 sqrt(2)) */
MR_TEST(lines_of_a_triangle_wave)
{
    static struct mr_spectrum_knot knot[n_max];
    struct mr_spectrum_params params;
    mr_spectrum_defaults(&params);
    uint32_t n = 0;
    for (int i = 0; i < 50; i++) { /* 0.5 Hz between 0 and 2 MW */
        knot[n++] = (struct mr_spectrum_knot){2. * i, 0, 2e6};
        knot[n++] = (struct mr_spectrum_knot){2. * i + 1, 2e6, -2e6};
    }
    struct mr_arena arena = {0};
    const struct mr_spectrum s = spectrum_of(&arena, &params, knot, n, 100);
    for (int m = 1; m <= 39; m += 2)
        mr_assert_near(mr_spectrum_band_w(&s, 0.5 * m - 0.2, 0.5 * m + 0.2),
                       8e6 / (pi * pi * m * m * sqrt(2.)), 1e-9, 0);
    mr_arena_fini(&arena);
}

static uint32_t random_knots(struct mr_rng *rng, struct mr_spectrum_knot *knot, uint32_t n,
                             bool has_slopes, double *end_s)
{
    double t_s = mr_rng_range(rng, -5, 5);
    for (uint32_t i = 0; i < n; i++) {
        knot[i] = (struct mr_spectrum_knot){t_s, mr_rng_range(rng, 0, 100),
                                            has_slopes ? mr_rng_range(rng, -50, 50) : 0};
        t_s += mr_rng_range(rng, 0.01, 0.4);
    }
    *end_s = t_s;
    return n;
}

/* One segment, windowed and summed at 200,000 points. */
MR_TEST(integrals_against_sums)
{
    static struct mr_spectrum_knot knot[n_max];
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
        double end_s;
        const uint32_t n = random_knots(&rng, knot, 60, seed % 2 == 1, &end_s);
        const struct mr_spectrum_params params = {0.5, 5, 0.99 * (end_s - knot[0].t_s), 0};
        struct mr_arena arena = {0};
        const struct mr_spectrum s = spectrum_of(&arena, &params, knot, n, end_s);
        assert_int_equal(s.n_segment, 1);
        const int n_point = 200000;
        const double dt_s = params.segment_s / n_point;
        for (uint32_t b = 0; b < s.n_bin; b += 7) {
            double re = 0, im = 0, mean = 0;
            for (int pass = 0; pass < 2; pass++) {
                uint32_t i = 0;
                for (int k = 0; k < n_point; k++) {
                    const double u_s = (k + 0.5) * dt_s, t_s = knot[0].t_s + u_s;
                    while (i + 1 < n && knot[i + 1].t_s <= t_s)
                        i++;
                    const double p = knot[i].power_w + knot[i].slope_w_s * (t_s - knot[i].t_s);
                    const double w = 0.5 - 0.5 * cos(2 * pi * u_s / params.segment_s);
                    if (pass == 0) {
                        mean += p / n_point;
                        continue;
                    }
                    re += (p - mean) * w * cos(2 * pi * s.hz[b] * u_s) * dt_s;
                    im -= (p - mean) * w * sin(2 * pi * s.hz[b] * u_s) * dt_s;
                }
            }
            const double density = 2 * (re * re + im * im) / (0.375 * params.segment_s);
            mr_assert_near(s.density[b], density, 1e-3, 1e-2);
        }
        mr_arena_fini(&arena);
    }
}

/* All frequencies together hold the mean square, but for the tail above the band (1/f^2). */
MR_TEST(the_power_of_everything)
{
    static struct mr_spectrum_knot knot[n_max];
    struct mr_rng rng = mr_rng_stream(7, MR_RNG_TEST, 1);
    double end_s;
    const uint32_t n = random_knots(&rng, knot, 10000, false, &end_s);
    double mean_w = 0, square = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double dt_s = (i + 1 < n ? knot[i + 1].t_s : end_s) - knot[i].t_s;
        mean_w += knot[i].power_w * dt_s / (end_s - knot[0].t_s);
        square += knot[i].power_w * knot[i].power_w * dt_s / (end_s - knot[0].t_s);
    }
    const struct mr_spectrum_params params = {0.05, 300, 20, 0};
    struct mr_arena arena = {0};
    const struct mr_spectrum s = spectrum_of(&arena, &params, knot, n, end_s);
    mr_assert_near(mr_spectrum_band_w(&s, 0, 300), sqrt(square - mean_w * mean_w), 0.02, 0);
    mr_arena_fini(&arena);
}

MR_TEST(bands_have_limits)
{
    const double hz[] = {1, 2, 3}, density[] = {4, 9, 16};
    const struct mr_spectrum s = {3, 1, 1, hz, density};
    mr_assert_near(mr_spectrum_band_w(&s, 1, 2), sqrt(13.), 1e-15, 0);
    const struct mr_spectrum_limit limit[] = {{0, 1.5, 1.9}, {1.5, 4, 4}, {0, 9, 100}};
    double ratio;
    assert_int_equal(mr_spectrum_over(&s, limit, 3, &ratio), 1); /* 5 W of 4 */
    mr_assert_near(ratio, 1.25, 1e-15, 0);
    assert_int_equal(mr_spectrum_over(&s, limit + 2, 1, &ratio), 1);
    assert_true(ratio < 1);
}

static double swing(const struct mr_spectrum_knot *knot, uint32_t n, double end_s, double window_s)
{
    struct mr_arena arena = {0};
    double swing_w = -1;
    assert_int_equal(mr_spectrum_swing(&arena, knot, n, end_s, window_s, &swing_w, NULL), MR_OK);
    mr_arena_fini(&arena);
    return swing_w;
}

MR_TEST(swings_by_hand)
{
    const struct mr_spectrum_knot steps[] = {{0, 10, 0}, {5, 14, 0}, {6, 30, 0}, {20, 0, 0}};
    assert_true(swing(steps, 4, 30, 0.5) == 30);
    assert_true(swing(steps, 3, 20, 0.5) == 16);
    assert_true(swing(steps, 3, 20, 2) == 20);
    const struct mr_spectrum_knot ramp[] = {{0, 0, 2}};
    assert_true(swing(ramp, 1, 100, 10) == 20);
    assert_true(swing(ramp, 1, 5, 10) == 10);
}

/* All pairs of many points. */
MR_TEST(swings_against_all_pairs)
{
    static struct mr_spectrum_knot knot[n_max];
    static double value[4000];
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 3);
        double end_s;
        const uint32_t n = random_knots(&rng, knot, 20, seed % 2 == 1, &end_s);
        const double window_s = mr_rng_range(&rng, 0.05, 3);
        const int n_point = 4000;
        const double dt_s = (end_s - knot[0].t_s) / n_point;
        uint32_t i = 0;
        for (int k = 0; k < n_point; k++) {
            const double t_s = knot[0].t_s + (k + 0.5) * dt_s;
            while (i + 1 < n && knot[i + 1].t_s <= t_s)
                i++;
            value[k] = knot[i].power_w + knot[i].slope_w_s * (t_s - knot[i].t_s);
        }
        double most = 0;
        for (int a = 0; a < n_point; a++)
            for (int b = a; b < n_point && (b - a) * dt_s <= window_s; b++)
                most = fmax(most, fabs(value[a] - value[b]));
        const double found = swing(knot, n, end_s, window_s);
        assert_true(found >= most - 1e-9);
        mr_assert_near(found, most, 0, 100 * dt_s + 1e-9); /* two slopes of 50 W/s */
    }
}

/* 1 Hz of work and waiting: a floor and ramps take most of it out of the band. */
MR_TEST(smoothing_calms)
{
    static struct mr_spectrum_knot rough[n_max], calm[n_max];
    struct mr_smooth_params smoothing;
    mr_smooth_defaults(&smoothing);
    smoothing.is_on = true;
    struct mr_smooth y = mr_smooth_start(&smoothing, 1000, 0, 1000);
    uint32_t n = 0, m = 0;
    for (int i = 0; i < 240; i++) {
        const double want_w = i % 2 == 0 ? 1000 : 200, end_s = 0.5 * (i + 1);
        rough[n++] = (struct mr_spectrum_knot){0.5 * i, want_w, 0};
        mr_smooth_set(&smoothing, &y, want_w);
        while (y.t_s < end_s) {
            calm[m++] = (struct mr_spectrum_knot){y.t_s, y.draw_w, y.slope_w_s};
            mr_smooth_advance(&smoothing, &y, fmin(end_s, mr_smooth_next_s(&smoothing, &y)));
        }
    }
    struct mr_spectrum_params params;
    mr_spectrum_defaults(&params);
    struct mr_arena arena = {0};
    const struct mr_spectrum before = spectrum_of(&arena, &params, rough, n, 120);
    const struct mr_spectrum after = spectrum_of(&arena, &params, calm, m, 120);
    const double before_w = mr_spectrum_band_w(&before, 0.1, 20);
    const double after_w = mr_spectrum_band_w(&after, 0.1, 20);
    mr_assert_near(before_w, 400, 0.02, 0);
    /* 1000 to 750 W in half a second, back in a quarter, then level: 82.68 W around the mean */
    mr_assert_near(after_w, 82.68, 0.02, 0);
    assert_true(swing(rough, n, 120, 1) == 800);
    mr_assert_near(swing(calm + 2, m - 2, 120, 1), 250, 1e-9, 0); /* 500 W/s for half a second */
    mr_arena_fini(&arena);
}

MR_TEST(impossible_spectra)
{
    struct mr_spectrum_params params;
    struct mr_err err = {0};
    mr_spectrum_defaults(&params);
    assert_int_equal(mr_spectrum_check(&params, "spectrum", &err), MR_OK);
    params.low_hz = 30;
    assert_int_equal(mr_spectrum_check(&params, "spectrum", &err), MR_RANGE);
    mr_assert_contains(err.text, "spectrum: from 30 Hz to 20 Hz: must rise");
    mr_spectrum_defaults(&params);
    params.segment_s = 5;
    err = (struct mr_err){0};
    assert_int_equal(mr_spectrum_check(&params, "spectrum", &err), MR_RANGE);
    mr_assert_contains(err.text, "segments of 5 s do not hold a period of 0.1 Hz (10 s at least)");
    params.segment_s = 1e6;
    err = (struct mr_err){0};
    assert_int_equal(mr_spectrum_check(&params, "spectrum", &err), MR_LIMIT);
    params = (struct mr_spectrum_params){0.11, 0.12, 10, 0};
    err = (struct mr_err){0};
    assert_int_equal(mr_spectrum_check(&params, "spectrum", &err), MR_RANGE);
    mr_assert_contains(err.text, "no multiple of 0.1 Hz lies between 0.11 Hz and 0.12 Hz");
    mr_spectrum_defaults(&params);
    struct mr_arena arena = {0};
    struct mr_spectrum s;
    const struct mr_spectrum_knot knot = {0, 1, 0};
    err = (struct mr_err){0};
    assert_int_equal(mr_spectrum_of(&arena, &params, &knot, 1, 19, &s, &err), MR_RANGE);
    mr_assert_contains(err.text, "spectrum of 19 s: a segment takes 20 s");
    mr_arena_fini(&arena);
}

static mr_status both(void *context, struct mr_err *err)
{
    (void)context;
    struct mr_arena arena = {0};
    struct mr_spectrum_params params;
    mr_spectrum_defaults(&params);
    const struct mr_spectrum_knot knot[] = {{0, 1, 0}, {10, 2, 0}};
    struct mr_spectrum s;
    double swing_w;
    mr_status st = mr_spectrum_of(&arena, &params, knot, 2, 40, &s, err);
    if (st == MR_OK)
        st = mr_spectrum_swing(&arena, knot, 2, 40, 1, &swing_w, err);
    mr_arena_fini(&arena);
    return st;
}

MR_TEST(memory_may_run_out)
{
    mr_test_every_nomem(both, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(lines_of_a_square_wave), MR_TEST_ENTRY(lines_of_a_triangle_wave),
             MR_TEST_ENTRY(integrals_against_sums), MR_TEST_ENTRY(the_power_of_everything),
             MR_TEST_ENTRY(bands_have_limits), MR_TEST_ENTRY(swings_by_hand),
             MR_TEST_ENTRY(swings_against_all_pairs), MR_TEST_ENTRY(smoothing_calms),
             MR_TEST_ENTRY(impossible_spectra), MR_TEST_ENTRY(memory_may_run_out))
