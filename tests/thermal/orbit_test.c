/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/orbit: published radiation figures, transient against its closed form and Runge-Kutta,
 * eclipses, crossings, energy, refusals. */
#include "thermal/orbit.h"

#include "tests/thermal/sources.h"

static struct mr_orbit_params bare(double sides)
{
    struct mr_orbit_params p;
    mr_orbit_defaults(&p);
    sources_hold(&mr_orbit_table, &p);
    p.sides = sides;
    p.area_m2 = 200;
    p.fin_frac = 1;
    p.capacity_j_k = 2e6;
    p.sun_w_m2 = 0;
    p.earth_w_m2 = 0;
    p.eclipse_s = 0;
    return p;
}

static struct mr_orbit made(const struct mr_orbit_params *params)
{
    struct mr_orbit orbit;
    struct mr_err err = {0};
    if (mr_orbit_make("S", params, &orbit, &err) != MR_OK)
        fail_msg("%s", err.text);
    return orbit;
}

MR_TEST(radiation_of_a_square_meter)
{
    static const double cases[][2] = {{45, 1045.71}, {60, 1257.31}, {80, 1587.53}};
    for (int i = 0; i < 3; i++)
        for (int sides = 1; sides <= 2; sides++) {
            struct mr_orbit_params p = bare(sides);
            p.area_m2 = 1;
            const struct mr_orbit orbit = made(&p);
            mr_assert_near(mr_orbit_emitted_w(&orbit, cases[i][0] + 273.15),
                           cases[i][1] * sides / 2, 1e-5, 0);
        }
    struct mr_orbit_params p = bare(1);
    const struct mr_orbit orbit = made(&p);
    mr_assert_near(1e5 / (mr_orbit_emitted_w(&orbit, 318.15) / 200), 191, 0, 0.5);
}

MR_TEST(transient)
{
    const struct mr_orbit_params p = bare(1);
    const struct mr_orbit orbit = made(&p);
    mr_assert_near(mr_orbit_steady_k(&orbit, 1e5, true), 314.6146, 0, 1e-4);
    const double t_s = mr_orbit_time_s(&orbit, 1e5, true, 300, 310);
    mr_assert_near(t_s, 1890.363, 0, 1e-3);
    mr_assert_near(mr_orbit_advance_k(&orbit, 1e5, true, 300, t_s), 310, 1e-12, 0);
    assert_true(isinf(mr_orbit_time_s(&orbit, 1e5, true, 300, 315)));
    assert_true(isinf(mr_orbit_time_s(&orbit, 1e5, true, 300, 299)));
    assert_true(mr_orbit_time_s(&orbit, 1e5, true, 300, 300) == 0);
}

static double runge_kutta(const struct mr_orbit *orbit, double heat_w, double t_k, double dt_s)
{
    const double h = dt_s / 20000, c = orbit->p.capacity_j_k;
    for (int i = 0; i < 20000; i++) {
        const double a = (heat_w - mr_orbit_emitted_w(orbit, t_k)) / c;
        const double b = (heat_w - mr_orbit_emitted_w(orbit, t_k + 0.5 * h * a)) / c;
        const double d = (heat_w - mr_orbit_emitted_w(orbit, t_k + 0.5 * h * b)) / c;
        const double e = (heat_w - mr_orbit_emitted_w(orbit, t_k + h * d)) / c;
        t_k += h * (a + 2 * b + 2 * d + e) / 6;
    }
    return t_k;
}

MR_TEST(advance_matches_runge_kutta)
{
    const struct mr_orbit_params p = bare(2);
    const struct mr_orbit orbit = made(&p);
    const double steady_k = mr_orbit_steady_k(&orbit, 1e5, true);
    const double from[] = {5, 100, steady_k - 1e-6, steady_k, steady_k + 1e-6, 320, 900};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        for (double dt_s = 0.5; dt_s < 40000; dt_s *= 5)
            for (int heat = 0; heat < 2; heat++)
                mr_assert_near(mr_orbit_advance_k(&orbit, heat * 1e5, true, from[i], dt_s),
                               runge_kutta(&orbit, heat * 1e5, from[i], dt_s), 0, 1e-8);
}

MR_TEST(steps_may_be_split)
{
    const struct mr_orbit_params p = bare(2);
    const struct mr_orbit orbit = made(&p);
    double t_k = 250;
    for (int i = 0; i < 1000; i++)
        t_k = mr_orbit_advance_k(&orbit, 1e5, true, t_k, 7.3);
    mr_assert_near(t_k, mr_orbit_advance_k(&orbit, 1e5, true, 250, 7300), 0, 1e-10);
    /* warmer for ever, and never warmer than steady */
    const double steady_k = mr_orbit_steady_k(&orbit, 1e5, true);
    assert_true(mr_orbit_advance_k(&orbit, 1e5, true, 250, 1e7) <= steady_k);
    mr_assert_near(mr_orbit_advance_k(&orbit, 1e5, true, 250, 1e7), steady_k, 1e-14, 0);
}

MR_TEST(eclipses)
{
    struct mr_orbit_params p;
    mr_orbit_defaults(&p);
    p.phase_s = 600;
    const struct mr_orbit orbit = made(&p);
    int n = 0;
    for (double t_s = 0; t_s < 20 * 5700; n++) {
        const double edge_s = mr_orbit_next_edge_s(&orbit, t_s);
        assert_true(edge_s > t_s);
        assert_true(mr_orbit_is_sunlit(&orbit, 0.5 * (t_s + edge_s)) == (n % 2 == 0));
        assert_true(mr_orbit_is_sunlit(&orbit, edge_s) == (n % 2 == 1));
        t_s = edge_s;
    }
    assert_int_equal(n, 41);
    assert_true(mr_orbit_next_edge_s(&orbit, 0) == 3600 - 600);
    assert_true(mr_orbit_next_edge_s(&orbit, 3000) == 5700 - 600);
    /* sunlight 102.1 + 8.2, infrared 42.7 W/m2 of one side */
    mr_assert_near(mr_orbit_absorbed_w(&orbit, false), 30 * 0.9 * 237 * 0.2, 1e-14, 0);
    mr_assert_near(mr_orbit_absorbed_w(&orbit, true) - mr_orbit_absorbed_w(&orbit, false),
                   30 * 0.1 * 1361 * (0.25 + 0.3 * 0.2), 1e-14, 0);
    assert_true(mr_orbit_sink_k(&orbit, true) > mr_orbit_sink_k(&orbit, false));
    const double sink_k = mr_orbit_sink_k(&orbit, false);
    mr_assert_near(mr_orbit_emitted_w(&orbit, sink_k), mr_orbit_absorbed_w(&orbit, false), 1e-13,
                   0);
}

MR_TEST(orbits_repeat_and_energy_closes)
{
    struct mr_orbit_params p;
    struct mr_orbit_state state;
    mr_orbit_defaults(&p);
    const struct mr_orbit orbit = made(&p);
    double swing_k = 0, before_k = 0, warmest_k = 0, coldest_k = 1e9;
    mr_orbit_start(&state, 300);
    for (int i = 1; i <= 2000; i++) {
        mr_orbit_run(&orbit, &state, 30e3, 57.0 * i);
        if (i > 1900) {
            warmest_k = fmax(warmest_k, state.radiator_k);
            coldest_k = fmin(coldest_k, state.radiator_k);
        }
        if (i == 1900)
            before_k = state.radiator_k;
    }
    swing_k = warmest_k - coldest_k;
    mr_assert_near(state.radiator_k, before_k, 0, 1e-9); /* 100 steps are one orbit */
    assert_true(swing_k > 1 && swing_k < 20);
    assert_true(warmest_k < mr_orbit_steady_k(&orbit, 30e3, true));
    assert_true(coldest_k > mr_orbit_steady_k(&orbit, 30e3, false));
    assert_true(fabs(mr_orbit_residual(&orbit, &state)) < 1e-13);
    mr_assert_near(mr_orbit_inlet_c(&orbit, 318.15), 50, 1e-12, 0);
    print_message("swing %.3f K, residual %.3g\n", swing_k, mr_orbit_residual(&orbit, &state));
    /* one long step and many short ones agree */
    struct mr_orbit_state whole;
    mr_orbit_start(&whole, 300);
    mr_orbit_run(&orbit, &whole, 30e3, 57.0 * 2000);
    mr_assert_near(whole.radiator_k, state.radiator_k, 0, 1e-9);
    mr_assert_near(mr_sum_of(whole.emitted_j), mr_sum_of(state.emitted_j), 1e-12, 0);
}

MR_TEST(crossings_and_time_above)
{
    struct mr_orbit_params p;
    struct mr_orbit_state state;
    mr_orbit_defaults(&p);
    p.high_c = 50;
    const struct mr_orbit orbit = made(&p);
    int n = 0;
    double high_s = 0;
    mr_orbit_start(&state, 320);
    struct mr_orbit_state fine = state;
    while (n < 20) { /* from crossing to crossing */
        const double at_s = mr_orbit_crossing_s(&orbit, &state, 26.3e3, 1e6, 323.15);
        const bool was_high = state.radiator_k > 323.15 + 1e-7 ||
                              (n > 0 && fabs(state.radiator_k - 323.15) < 1e-7 && n % 2 == 1);
        if (isinf(at_s))
            break;
        high_s += was_high ? at_s - state.t_s : 0;
        mr_orbit_run(&orbit, &state, 26.3e3, at_s);
        mr_assert_near(state.radiator_k, 323.15, 0, 1e-8);
        n++;
    }
    assert_int_equal(n, 20);
    for (double t_s = 1; t_s <= state.t_s; t_s++)
        mr_orbit_run(&orbit, &fine, 26.3e3, t_s);
    mr_assert_near(fine.high_s, high_s, 0, 1);
    mr_assert_near(state.high_s, high_s, 0, 1e-3);
    assert_true(isinf(mr_orbit_crossing_s(&orbit, &state, 26.3e3, 1e6, 500)));
}

MR_TEST(impossible_orbits)
{
    static const char *const texts[] = {
        "S: eclipse 95 min is not shorter than the orbit, 95 min",
        "S: phase 100 min is not within the orbit, 95 min",
        "S: emissivity 0 %: must be",
        "S: capacity 0 J/K: must be",
        "S: area nan",
    };
    static const double value[] = {5700, 6000, 0, 0, (double)NAN};
    for (int i = 0; i < 5; i++) {
        struct mr_orbit_params p;
        mr_orbit_defaults(&p);
        double *const field[] = {&p.eclipse_s, &p.phase_s, &p.emissivity, &p.capacity_j_k,
                                 &p.area_m2};
        struct mr_orbit orbit;
        struct mr_err err = {0};
        *field[i] = value[i];
        assert_int_equal(mr_orbit_make("S", &p, &orbit, &err), MR_RANGE);
        mr_assert_contains(err.text, texts[i]);
    }
    struct mr_orbit_params p;
    mr_orbit_defaults(&p);
    const struct mr_orbit orbit = made(&p);
    struct mr_err err = {0};
    assert_int_equal(mr_orbit_check_battery("S", &orbit, 1e5, 40 * 3.6e6, &err), MR_RANGE);
    assert_string_equal(err.text, "S: battery 40 kWh < 58.3 kWh needed for 35 min eclipse");
    assert_int_equal(mr_orbit_check_battery("S", &orbit, 1e5, 59 * 3.6e6, NULL), MR_OK);
    const struct mr_reject_card card = {.capacity_w = 32e3, .area_m2 = 30, .entering_c = 60};
    mr_orbit_of_card(&card, &p);
    assert_true(p.capacity_j_k == 640e3 && p.area_m2 == 30);
    /* the card's own claim: 30 m2, both sides, fins 0.85, at 60 degC */
    mr_assert_near(mr_orbit_emitted_w(&orbit, 333.15), 32e3, 0.01, 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(radiation_of_a_square_meter), MR_TEST_ENTRY(transient),
             MR_TEST_ENTRY(advance_matches_runge_kutta), MR_TEST_ENTRY(steps_may_be_split),
             MR_TEST_ENTRY(eclipses), MR_TEST_ENTRY(orbits_repeat_and_energy_closes),
             MR_TEST_ENTRY(crossings_and_time_above), MR_TEST_ENTRY(impossible_orbits))
