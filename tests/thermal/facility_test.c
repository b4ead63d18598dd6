/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/facility: sizes, pumps, the first law over a year of weather and stages, what happens
 * when the heat has nowhere to go, refusals. */
#include "thermal/facility.h"

#include "tests/thermal/sources.h"
#include "thermal/rejection.h"

static struct mr_facility made(double heat_w)
{
    struct mr_facility_params params;
    struct mr_facility facility;
    struct mr_err err = {0};
    mr_facility_defaults(&params);
    sources_hold(&mr_facility_table, &params);
    params.design_heat_w = heat_w;
    if (mr_facility_make("L0", &params, &facility, &err) != MR_OK)
        fail_msg("%s", err.text);
    return facility;
}

static struct mr_rejection dry_coolers(uint64_t n, double set_c)
{
    struct mr_rejection r = {.n_dry = n, .has_pads = true};
    struct mr_rejection_params params;
    struct mr_dry_cooler_params dry;
    struct mr_err err = {0};
    mr_rejection_defaults(&params);
    mr_dry_cooler_defaults(&dry);
    mr_adiabatic_defaults(&r.pads);
    mr_water_defaults(&r.water);
    params.set_c = set_c;
    if (mr_dry_cooler_make("dry", &dry, &r.dry, &err) != MR_OK ||
        mr_rejection_make("loop", &params, &r, &err) != MR_OK)
        fail_msg("%s", err.text);
    return r;
}

MR_TEST(sizes)
{
    const struct mr_facility f = made(10e6);
    /* 15 L/kW of water */
    mr_assert_near(f.capacity_j_k, 150 * 990 * 4180.0, 1e-12, 0);
    mr_assert_near(f.water_w_k, 10e6 / 5.56, 1e-14, 0);
    mr_assert_near(f.flow_m3_s, 10e6 / 5.56 / (4180 * 990), 1e-14, 0);
    mr_assert_near(f.pump_w, f.flow_m3_s * 250e3 / (0.75 * 0.95 * 0.97), 1e-14, 0);
}

MR_TEST(pumps)
{
    const struct mr_facility f = made(10e6);
    assert_true(mr_facility_flow_frac(&f, 1, 0) == 1 && mr_facility_flow_frac(&f, 1, 1) == 1);
    mr_assert_near(mr_facility_pump_w(&f, 0.75, 0) / f.pump_w, 0.421875, 1e-14, 0);
    mr_assert_near(mr_facility_flow_frac(&f, sqrt(0.5), 0), 0.6875, 1e-4, 0); /* half the head */
    /* two of three lost: one runs out to 1.15 of its half */
    mr_assert_near(mr_facility_flow_frac(&f, 1, 2), 0.575, 1e-14, 0);
    mr_assert_near(mr_facility_pump_w(&f, 1, 2), 0.5 * f.pump_w, 1e-14, 0);
    assert_true(mr_facility_flow_frac(&f, 1, 3) == 0 && mr_facility_pump_w(&f, 1, 3) == 0);
    assert_true(mr_facility_flow_frac(&f, 1, 99) == 0);
    assert_true(mr_facility_flow_frac(&f, 0, 0) == 0 && mr_facility_pump_w(&f, 0, 0) == 0);
    assert_true(mr_facility_flow_frac(&f, 0.01, 0) == mr_facility_flow_frac(&f, 0.25, 0));
    assert_true(mr_facility_water_w_k(&f, 0.5) == 0.5 * f.water_w_k);
}

/* A month of plant periods: heat by day and night, weather with a wave, pumps, stages. */
static double month(double period_s, double from_s, struct mr_facility_state *state,
                    double *highest_c)
{
    const struct mr_facility f = made(11.724e6);
    const struct mr_rejection r = dry_coolers(4, 42);
    struct mr_weather_params params;
    struct mr_weather weather;
    struct mr_rejection_state stage;
    mr_weather_defaults(&params);
    params.dry_bulb_c = 30;
    params.wet_bulb_c = 24;
    params.swing_k = 9;
    params.wave_k = 5;
    params.wave_start_s = 5 * 86400;
    if (mr_weather_make(&params, &weather, NULL) != MR_OK)
        fail_msg("weather");
    mr_rejection_start(&stage);
    mr_facility_start(state, 45);
    double fan_j = 0;
    *highest_c = 0;
    for (double t_s = from_s; t_s < 30 * 86400; t_s += period_s) {
        const struct mr_weather_point air = mr_weather_at(&weather, t_s);
        const struct mr_rejection_in in = {state->return_c, mr_facility_water_w_k(&f, 1),
                                           air.dry_bulb_c, air.wet_bulb_c, air.pressure_pa};
        const struct mr_rejection_out out = mr_rejection_run(&r, &stage, t_s, &in);
        const bool is_night = fmod(t_s, 86400) < 6 * 3600;
        const struct mr_facility_in step = {
            .heat_w = is_night ? 6e6 : 11.3e6,
            .rejected_w = out.heat_w,
            .slope_w_k = out.slope_w_k,
            .speed_frac = 1,
        };
        mr_facility_step(&f, state, &step, period_s);
        *highest_c = fmax(*highest_c, out.supply_c);
        fan_j += out.fan_w * period_s;
    }
    const double residual = mr_facility_residual(&f, state);
    print_message("%g s: residual %.3g, highest supply %.4f degC, fans %.5g MWh\n", period_s,
                  residual, *highest_c, fan_j / 3.6e9);
    mr_weather_fini(&weather);
    return residual;
}

MR_TEST(first_law_over_a_month)
{
    struct mr_facility_state a, b;
    double high_a, high_b;
    assert_true(fabs(month(15, 0, &a, &high_a)) < 1e-12);
    assert_true(fabs(month(30, 0, &b, &high_b)) < 1e-12);
    assert_true(mr_sum_of(a.rejected_j) > 2e13 && mr_sum_of(a.pump_j) > mr_sum_of(a.pump_heat_j) &&
                mr_sum_of(a.pump_heat_j) > 0);
    /* the period hardly matters */
    mr_assert_near(mr_sum_of(a.rejected_j), mr_sum_of(b.rejected_j), 1e-5, 0);
    mr_assert_near(high_a, high_b, 0, 0.3);
}

MR_TEST(nowhere_to_go)
{
    const struct mr_facility f = made(10e6);
    struct mr_facility_state state;
    const struct mr_facility_in in = {.heat_w = 10e6};
    mr_facility_start(&state, 45);
    const double rate_k_s = 10e6 / f.capacity_j_k;
    assert_true(mr_facility_step(&f, &state, &in, 60) == 0);
    mr_assert_near(state.return_c, 45 + 60 * rate_k_s, 1e-13, 0);
    assert_true(fabs(mr_facility_residual(&f, &state)) < 1e-14);
}

MR_TEST(impossible_loops)
{
    struct mr_facility_params params;
    struct mr_facility facility;
    struct mr_err err = {0};
    mr_facility_defaults(&params);
    params.volume_m3_w = 0;
    assert_int_equal(mr_facility_make("L0", &params, &facility, &err), MR_RANGE);
    mr_assert_contains(err.text, "L0: volume 0");
    mr_facility_defaults(&params);
    params.head_pa = 5e6;
    params.design_rise_k = 0.5;
    params.pump_frac = 0.2;
    err = (struct mr_err){0};
    assert_int_equal(mr_facility_make("L0", &params, &facility, &err), MR_RANGE);
    mr_assert_contains(err.text, "head 5000 kPa is too high or rise 0.5 K too small");
}

MR_TEST_MAIN(MR_TEST_ENTRY(sizes), MR_TEST_ENTRY(pumps), MR_TEST_ENTRY(first_law_over_a_month),
             MR_TEST_ENTRY(nowhere_to_go), MR_TEST_ENTRY(impossible_loops))
