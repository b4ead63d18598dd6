/* SPDX-License-Identifier: Apache-2.0 */
/* power/frequency: known answers, both kinds of eigenvalues and headroom against Runge-Kutta,
 * crossings against fine steps, load shedding, traces. */
#include "power/frequency.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static struct mr_frequency_params plain(void)
{
    struct mr_frequency_params params;
    mr_frequency_defaults(&params);
    return params;
}

static double at(const struct mr_frequency_params *params, struct mr_frequency fr, double t_s)
{
    mr_frequency_advance(params, &fr, t_s);
    return mr_frequency_hz(params, &fr);
}

/* 10 % of the generation is lost. */
MR_TEST(known_answers)
{
    struct mr_frequency_params params = plain();
    struct mr_frequency fr = mr_frequency_start(0);
    mr_frequency_disturb(&params, &fr, -10e6);
    double hz;
    mr_assert_near(at(&params, fr, 1), 59.636899, 1e-8, 0);
    mr_assert_near(mr_frequency_extremum_s(&params, &fr, &hz), 1.17375, 1e-5, 0);
    mr_assert_near(hz, 59.630977, 1e-8, 0);
    mr_assert_near(mr_frequency_steady_hz(&params, &fr), 59.714286, 1e-8, 0);
    mr_assert_near(at(&params, fr, 100), 59.714286, 1e-8, 0);
    params.droop = 0; /* no governor */
    mr_assert_near(at(&params, fr, 1), 59.42902, 1e-7, 0);
    assert_true(mr_frequency_extremum_s(&params, &fr, &hz) == (double)INFINITY);
    mr_assert_near(mr_frequency_steady_hz(&params, &fr), 54, 1e-12, 0);
    params.damping = 0; /* nothing holds it: 0.6 Hz/s */
    mr_assert_near(at(&params, fr, 10), 54, 1e-12, 0);
    assert_true(mr_frequency_steady_hz(&params, &fr) == -(double)INFINITY);
    mr_assert_near(mr_frequency_cross_s(&params, &fr, 57), 5, 1e-12, 0);
}

/* The equations themselves, stepped; the governor's power stops at its headroom. */
static void stepped(const struct mr_frequency_params *p, double step, double t_s, double *f,
                    double *g)
{
    const double h2 = 2 * p->inertia_s, dt_s = 1e-4;
    const long n = (long)(t_s / dt_s + 0.5);
    for (long i = 0; i < n; i++) {
        double kf[4], kg[4];
        for (int k = 0; k < 4; k++) {
            const double part = k == 0 ? 0 : k == 3 ? 1 : 0.5;
            const double x = *f + part * dt_s * (k == 0 ? 0 : kf[k - 1]);
            const double y = *g + part * dt_s * (k == 0 ? 0 : kg[k - 1]);
            const double held = fmax(-p->down_frac, fmin(p->up_frac, y));
            kf[k] = (step + held - p->damping * x) / h2;
            kg[k] = p->droop > 0 ? (-x / p->droop - y) / p->governor_s : 0;
        }
        *f += dt_s / 6 * (kf[0] + 2 * kf[1] + 2 * kf[2] + kf[3]);
        *g += dt_s / 6 * (kg[0] + 2 * kg[1] + 2 * kg[2] + kg[3]);
        *g = fmax(-p->down_frac, fmin(p->up_frac, *g));
    }
}

MR_TEST(against_runge_kutta)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
        struct mr_frequency_params params = plain();
        params.inertia_s = mr_rng_range(&rng, 1, 8);
        params.damping = mr_rng_range(&rng, 0, 3);
        params.droop = seed % 3 == 0 ? mr_rng_range(&rng, 0.3, 1) : mr_rng_range(&rng, 0.03, 0.1);
        params.governor_s = mr_rng_range(&rng, 0.1, 3);
        const bool is_narrow = seed % 4 == 3;
        if (is_narrow)
            params.up_frac = params.down_frac = mr_rng_range(&rng, 0.02, 0.08);
        struct mr_frequency fr = mr_frequency_start(0);
        double f = 0, g = 0, step = 0;
        for (int k = 1; k <= 4; k++) {
            const double more = mr_rng_range(&rng, -0.1, 0.1);
            mr_frequency_disturb(&params, &fr, more * params.base_w);
            step += more;
            stepped(&params, step, 1.5, &f, &g);
            mr_frequency_advance(&params, &fr, 1.5 * k);
            /* the stepper meets the headroom to within a step of 0.1 ms */
            mr_assert_near(fr.f, f, 0, is_narrow ? 2e-6 : 1e-11);
            mr_assert_near(fr.g, g, 0, is_narrow ? 2e-5 : 1e-11);
        }
    }
}

MR_TEST(parts_are_the_whole)
{
    struct mr_frequency_params params = plain();
    params.up_frac = 0.09;
    struct mr_frequency whole = mr_frequency_start(0);
    mr_frequency_disturb(&params, &whole, -10e6);
    struct mr_frequency parts = whole;
    mr_frequency_advance(&params, &whole, 30);
    for (int i = 1; i <= 1000; i++)
        mr_frequency_advance(&params, &parts, 0.03 * i);
    mr_assert_near(parts.f, whole.f, 1e-11, 0);
    mr_assert_near(parts.g, whole.g, 1e-11, 0);
}

MR_TEST(crossings_against_fine_steps)
{
    int n_found = 0;
    for (uint64_t seed = 0; seed < 150; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 2);
        struct mr_frequency_params params = plain();
        params.damping = mr_rng_range(&rng, 0.1, 2);
        params.droop = seed % 3 == 0 ? 0.8 : mr_rng_range(&rng, 0.03, 0.1);
        struct mr_frequency fr = mr_frequency_start(0);
        mr_frequency_disturb(&params, &fr, -10e6);
        mr_frequency_advance(&params, &fr, mr_rng_range(&rng, 0, 3)); /* anywhere on the way */
        const double level_hz =
            mr_frequency_steady_hz(&params, &fr) + mr_rng_range(&rng, -0.1, 0.1);
        const double found_s = mr_frequency_cross_s(&params, &fr, level_hz);
        const double start_s = fr.t_s, dt_s = 2e-3;
        double stepped_s = (double)INFINITY, before = mr_frequency_hz(&params, &fr) - level_hz;
        for (int i = 1; i <= 5000 && stepped_s == (double)INFINITY; i++) {
            mr_frequency_advance(&params, &fr, start_s + i * dt_s);
            const double now = mr_frequency_hz(&params, &fr) - level_hz;
            if (before * now <= 0)
                stepped_s = start_s + i * dt_s;
            before = now;
        }
        if (stepped_s < (double)INFINITY) {
            mr_assert_near(found_s, stepped_s, 0, 2.001e-3);
            n_found++;
        } else {
            assert_true(found_s > start_s + 9.9);
        }
    }
    assert_true(n_found > 40 && n_found < 140);
}

/* Energies over any time, headroom and shedding on the way: those of governor and rotors against
 * fine trapezoids, all three together exactly what was missing. */
MR_TEST(energies_add_up)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 3);
        struct mr_frequency_params params = plain();
        params.inertia_s = mr_rng_range(&rng, 1, 8);
        params.damping = seed % 5 == 0 ? 0 : mr_rng_range(&rng, 0.1, 3);
        params.droop = seed % 7 == 0 ? 0 : mr_rng_range(&rng, 0.03, 0.5);
        params.governor_s = mr_rng_range(&rng, 0.1, 3);
        if (seed % 3 == 0)
            params.up_frac = params.down_frac = mr_rng_range(&rng, 0.02, 0.08);
        struct mr_frequency fr = mr_frequency_start(0);
        double missing = 0, governor = 0, damping = 0, rotor = 0;
        for (int k = 1; k <= 3; k++) {
            const int n = 20000;
            const double from_s = fr.t_s;
            mr_frequency_disturb(&params, &fr, mr_rng_range(&rng, -0.1, 0.1) * params.base_w);
            struct mr_frequency fine = fr;
            for (int i = 1; i <= n; i++) {
                const struct mr_frequency before = fine;
                mr_frequency_advance(&params, &fine, from_s + 2. * i / n);
                governor += (before.g + fine.g) / n;
                damping -= params.damping * (before.f + fine.f) / n;
            }
            rotor -= 2 * params.inertia_s * (fine.f - fr.f);
            missing -= 2 * fr.step;
            mr_frequency_advance(&params, &fr, from_s + 2);
            mr_assert_near(fr.governor, governor, 1e-6, 1e-7);
            mr_assert_near(fr.damping, damping, 1e-6, 1e-7);
            mr_assert_near(fr.rotor, rotor, 1e-9, 1e-11);
            mr_assert_near(fr.governor + fr.damping + fr.rotor, missing, 1e-12, 1e-13);
        }
    }
}

MR_TEST(headroom_is_met_and_left)
{
    struct mr_frequency_params params = plain();
    params.up_frac = 0.06;
    struct mr_frequency fr = mr_frequency_start(0);
    enum mr_frequency_event event;
    mr_frequency_disturb(&params, &fr, -10e6);
    const double held_s = mr_frequency_next_s(&params, &fr, &event);
    assert_int_equal(event, MR_FREQUENCY_HELD);
    mr_frequency_advance(&params, &fr, held_s + 1);
    assert_true(fr.is_held && fr.g == 0.06);
    mr_assert_near(mr_frequency_steady_hz(&params, &fr), 60 * (1 - 0.04), 1e-12, 0);
    assert_true(mr_frequency_next_s(&params, &fr, &event) == (double)INFINITY);
    assert_int_equal(event, MR_FREQUENCY_NONE);
    /* load goes: it turns back */
    mr_frequency_disturb(&params, &fr, 8e6);
    const double freed_s = mr_frequency_next_s(&params, &fr, &event);
    assert_int_equal(event, MR_FREQUENCY_FREED);
    mr_frequency_advance(&params, &fr, freed_s + 60);
    assert_true(!fr.is_held);
    mr_assert_near(mr_frequency_hz(&params, &fr), 60 - 60 * 0.02 / 21, 1e-9, 0);
}

/* At their rating machines give no more, and no less for that; at rest they give no less, and more
 * when it is wanted. */
MR_TEST(a_bound_may_be_nothing)
{
    for (int at_rest = 0; at_rest <= 1; at_rest++) {
        struct mr_frequency_params params = plain();
        *(at_rest ? &params.down_frac : &params.up_frac) = 0;
        struct mr_frequency fr = mr_frequency_start(0);
        mr_frequency_machines(&params, params.base_w, &fr);
        mr_assert_near(at(&params, fr, 60), 60, 1e-9, 0);
        mr_frequency_disturb(&params, &fr, -1e6); /* load comes */
        mr_frequency_advance(&params, &fr, 120);
        mr_assert_near(mr_frequency_hz(&params, &fr), 60 * (1 - (at_rest ? 0.01 / 21 : 0.01)), 1e-6,
                       0);
        mr_frequency_disturb(&params, &fr, 2e6); /* twice as much goes */
        mr_frequency_advance(&params, &fr, 240);
        mr_assert_near(mr_frequency_hz(&params, &fr), 60 * (1 + (at_rest ? 0.01 : 0.01 / 21)), 1e-6,
                       0);
    }
}

/* 30 % lost with little headroom: two stages of 10 % bring it back. */
MR_TEST(load_is_shed_in_stages)
{
    struct mr_frequency_params params = plain();
    params.up_frac = 0.12;
    params.n_stage = 3;
    for (int i = 0; i < 3; i++) {
        params.stage_hz[i] = 59.3 - 0.2 * i;
        params.shed_w[i] = 10e6;
    }
    assert_int_equal(mr_frequency_check(&params, "island", NULL), MR_OK);
    struct mr_frequency fr = mr_frequency_start(0);
    enum mr_frequency_event event;
    mr_frequency_disturb(&params, &fr, -30e6);
    double below_s = mr_frequency_next_s(&params, &fr, &event);
    assert_int_equal(event, MR_FREQUENCY_BELOW);
    mr_assert_near(at(&params, fr, below_s), 59.3, 1e-12, 0);
    mr_frequency_advance(&params, &fr, below_s);
    const double shed_s = fmin(mr_frequency_next_s(&params, &fr, &event), below_s + 0.2);
    assert_true(event == MR_FREQUENCY_SHED || event == MR_FREQUENCY_HELD);
    mr_frequency_advance(&params, &fr, below_s + 0.2);
    assert_int_equal(fr.n_shed, 1);
    assert_true(shed_s <= below_s + 0.2);
    mr_assert_near(fr.step, -0.2, 1e-12, 0);
    mr_frequency_advance(&params, &fr, 60);
    assert_int_equal(fr.n_shed, 2);
    mr_assert_near(mr_frequency_hz(&params, &fr), 60 - 60 * 0.1 / 21, 1e-9, 0);
    /* a dip shorter than the delay sheds nothing */
    params.stage_delay_s = 2;
    params.stage_hz[0] = 59.64;
    params.up_frac = 1;
    fr = mr_frequency_start(0);
    mr_frequency_disturb(&params, &fr, -10e6); /* nadir 59.631 */
    mr_frequency_advance(&params, &fr, 1.1);
    assert_true(fr.below_s < 1.1);
    mr_frequency_next_s(&params, &fr, &event);
    assert_int_equal(event, MR_FREQUENCY_ABOVE);
    mr_frequency_advance(&params, &fr, 60);
    assert_true(fr.n_shed == 0 && fr.below_s == (double)INFINITY);
}

MR_TEST(a_trace)
{
    struct mr_arena arena = {0};
    struct mr_series trace;
    assert_int_equal(mr_series_of(&arena, (double[]){0, 1, 2, 3}, (double[]){60, 59.9, 59.2, 60}, 4,
                                  4, &trace, NULL),
                     MR_OK);
    const double level_hz[] = {59.5, 59.9};
    assert_true(mr_frequency_trace_next_s(&trace, 0, level_hz, 1) == 2);
    assert_true(mr_frequency_trace_next_s(&trace, 2.5, level_hz, 1) == 3);
    assert_true(mr_frequency_trace_next_s(&trace, 3, level_hz, 1) == (double)INFINITY);
    assert_true(mr_frequency_trace_next_s(&trace, 0, level_hz, 2) == 2); /* 59.9 is not below */
    assert_true(mr_frequency_trace_next_s(&trace, 2, level_hz, 0) == (double)INFINITY);
    assert_true(mr_frequency_trace_low_hz(&trace, 0, 2) == 59.9);
    assert_true(mr_frequency_trace_low_hz(&trace, 0.5, 2.1) == 59.2);
    struct mr_frequency_params params = plain();
    struct mr_err err = {0};
    assert_int_equal(mr_frequency_trace_check(&params, &trace, "f.csv", &err), MR_OK);
    params.nominal_hz = 50;
    assert_int_equal(mr_frequency_trace_check(&params, &trace, "f.csv", &err), MR_RANGE);
    mr_assert_contains(err.text, "f.csv: frequencies about 59.95 Hz, the nominal is 50 Hz");
    mr_arena_fini(&arena);
}

MR_TEST(impossible_islands)
{
    struct mr_frequency_params params = plain();
    struct mr_err err = {0};
    params.n_stage = 2;
    params.stage_hz[0] = 59;
    params.stage_hz[1] = 59.5;
    assert_int_equal(mr_frequency_check(&params, "island", &err), MR_RANGE);
    mr_assert_contains(err.text, "island: stage 1 sheds below 59.5 Hz: must be below 59 Hz");
    params.stage_hz[1] = 58;
    params.shed_w[1] = -1;
    err = (struct mr_err){0};
    assert_int_equal(mr_frequency_check(&params, "island", &err), MR_RANGE);
    mr_assert_contains(err.text, "stage 1 sheds -1 W");
    params.n_stage = 9;
    err = (struct mr_err){0};
    assert_int_equal(mr_frequency_check(&params, "island", &err), MR_LIMIT);
    mr_assert_contains(err.text, "9 stages of shedding, at most 8");
}

MR_TEST_MAIN(MR_TEST_ENTRY(known_answers), MR_TEST_ENTRY(against_runge_kutta),
             MR_TEST_ENTRY(parts_are_the_whole), MR_TEST_ENTRY(crossings_against_fine_steps),
             MR_TEST_ENTRY(energies_add_up), MR_TEST_ENTRY(headroom_is_met_and_left),
             MR_TEST_ENTRY(a_bound_may_be_nothing), MR_TEST_ENTRY(load_is_shed_in_stages),
             MR_TEST_ENTRY(a_trace), MR_TEST_ENTRY(impossible_islands))
