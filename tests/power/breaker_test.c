/* SPDX-License-Identifier: Apache-2.0 */
/* power/breaker: published curves, the thermal image, random currents against small steps, alarms,
 * settings that cannot be. */
#include "power/breaker.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static double trip_s(int law, double ratio)
{
    const struct mr_breaker breaker = mr_breaker_of(law, 100);
    const struct mr_breaker_state state = mr_breaker_start(&breaker, 100 * ratio, 0);
    return mr_breaker_trip_s(&breaker, &state);
}

MR_TEST(inverse_time_curves)
{
    mr_assert_near(trip_s(MR_BREAKER_SI, 2), 10.029, 0, 5e-4);
    mr_assert_near(trip_s(MR_BREAKER_SI, 5), 4.280, 0, 5e-4);
    mr_assert_near(trip_s(MR_BREAKER_VI, 2), 13.5, 1e-14, 0);
    mr_assert_near(trip_s(MR_BREAKER_VI, 5), 3.375, 1e-14, 0);
    mr_assert_near(trip_s(MR_BREAKER_EI, 2), 80.0 / 3, 1e-14, 0);
    mr_assert_near(trip_s(MR_BREAKER_EI, 5), 80.0 / 24, 1e-14, 0);
    mr_assert_near(trip_s(MR_BREAKER_LI, 2), 120, 1e-14, 0);
    mr_assert_near(trip_s(MR_BREAKER_LI, 5), 30, 1e-14, 0);
    assert_true(isinf(trip_s(MR_BREAKER_SI, 1)));
    assert_true(isinf(trip_s(MR_BREAKER_NONE, 1000)));
    assert_true(trip_s(MR_BREAKER_SI, 8.01) == 0); /* instantaneous */
}

MR_TEST(thermal_image_with_preload)
{
    const struct mr_breaker breaker = mr_breaker_of(MR_BREAKER_THERMAL, 100);
    struct mr_breaker_state state = mr_breaker_start(&breaker, 80, 0);
    assert_true(state.heat == 0.8 * 0.8);
    assert_true(isinf(mr_breaker_trip_s(&breaker, &state)));
    mr_breaker_set(&breaker, &state, 130, 1000);
    mr_assert_near(mr_breaker_trip_s(&breaker, &state) - 1000, 348.402, 0, 5e-4);
    /* at the rating, even at 1.05 of it, never */
    assert_true(isinf(trip_s(MR_BREAKER_THERMAL, 1.05)));
    mr_breaker_set(&breaker, &state, 105, 1300);
    assert_true(isinf(mr_breaker_trip_s(&breaker, &state)));
    mr_assert_near(mr_breaker_heat(&breaker, &state, 1e6), 1.1025, 1e-9, 0);
}

MR_TEST(partial_travel_and_reset)
{
    const struct mr_breaker breaker = mr_breaker_of(MR_BREAKER_VI, 100);
    struct mr_breaker_state state = mr_breaker_start(&breaker, 200, 0);
    mr_breaker_set(&breaker, &state, 50, 6.75); /* half way */
    mr_assert_near(state.heat, 0.5, 1e-14, 0);
    mr_breaker_set(&breaker, &state, 500, 6.75 + 2); /* 0.2 of a full reset */
    mr_assert_near(state.heat, 0.3, 1e-14, 0);
    mr_assert_near(mr_breaker_trip_s(&breaker, &state), 8.75 + 0.7 * 3.375, 1e-14, 0);
    mr_breaker_set(&breaker, &state, 0, 9);
    assert_true(mr_breaker_heat(&breaker, &state, 100) == 0);
}

/* dD/dt and dth/dt in steps of a millisecond; the trip may be off by one step's travel. */
static double stepped_trip_s(const struct mr_breaker *breaker, const double *current_a,
                             const double *at_s, int n, double end_s)
{
    double heat = breaker->law == MR_BREAKER_THERMAL ? 0.25 : 0;
    const double dt_s = 1e-3, k = breaker->law == MR_BREAKER_VI ? 13.5 : 80;
    int i = 0;
    for (double t_s = 0; t_s < end_s; t_s += dt_s) {
        while (i + 1 < n && t_s >= at_s[i + 1])
            i++;
        const double x = current_a[i] / 100;
        if (breaker->law == MR_BREAKER_THERMAL)
            heat += dt_s / breaker->tau_s * (x * x - heat);
        else if (x > 1)
            heat += dt_s / (k / ((breaker->law == MR_BREAKER_VI ? x : x * x) - 1));
        else
            heat = fmax(0, heat - dt_s / breaker->reset_s);
        if (heat >= (breaker->law == MR_BREAKER_THERMAL ? breaker->trip_theta : 1))
            return t_s;
    }
    return (double)INFINITY;
}

MR_TEST(random_currents_against_small_steps)
{
    static const int law[] = {MR_BREAKER_VI, MR_BREAKER_EI, MR_BREAKER_THERMAL};
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 4);
    int n_trip = 0;
    for (int round = 0; round < 90; round++) {
        struct mr_breaker breaker = mr_breaker_of(law[round % 3], 100);
        breaker.tau_s = 40;
        double current_a[12], at_s[12];
        for (int i = 0; i < 12; i++) {
            current_a[i] = mr_rng_range(&rng, 20, 210);
            at_s[i] = i == 0 ? 0 : at_s[i - 1] + mr_rng_exponential(&rng, 8);
        }
        const double end_s = at_s[11] + 60;
        struct mr_breaker_state state = mr_breaker_start(&breaker, 50, 0);
        double found_s = (double)INFINITY;
        for (int i = 0; i < 12 && isinf(found_s); i++) {
            mr_breaker_set(&breaker, &state, current_a[i], at_s[i]);
            /* setting the same again half way changes nothing */
            const double due_s = mr_breaker_trip_s(&breaker, &state);
            const double next_s = i < 11 ? at_s[i + 1] : end_s;
            if (due_s <= next_s) {
                found_s = due_s;
                struct mr_breaker_state again = state;
                mr_breaker_set(&breaker, &again, current_a[i], 0.5 * (at_s[i] + due_s));
                mr_assert_near(mr_breaker_trip_s(&breaker, &again), due_s, 1e-10, 0);
            }
        }
        const double small_s = stepped_trip_s(&breaker, current_a, at_s, 12, end_s);
        assert_int_equal(isinf(found_s), isinf(small_s));
        if (!isinf(found_s)) {
            mr_assert_near(found_s, small_s, 2e-3, 0.05);
            n_trip++;
        }
    }
    assert_true(n_trip > 30 && n_trip < 90);
}

MR_TEST(alarms_and_hands)
{
    const struct mr_breaker breaker = mr_breaker_of(MR_BREAKER_THERMAL, 100);
    struct mr_breaker_state state = mr_breaker_start(&breaker, 80, 0);
    assert_true(isinf(mr_breaker_alarm_s(&breaker, &state))); /* 0.8 is allowed */
    mr_breaker_set(&breaker, &state, 81, 5);
    assert_true(mr_breaker_alarm_s(&breaker, &state) == 15);
    mr_breaker_set(&breaker, &state, 90, 10); /* still the same excess */
    assert_true(mr_breaker_alarm_s(&breaker, &state) == 15);
    mr_breaker_set(&breaker, &state, 79, 12);
    assert_true(isinf(mr_breaker_alarm_s(&breaker, &state)));
    mr_breaker_set(&breaker, &state, 150, 20);
    const double heat = mr_breaker_heat(&breaker, &state, 100);
    mr_breaker_open(&breaker, &state, 100);
    assert_true(isinf(mr_breaker_trip_s(&breaker, &state)));
    mr_breaker_set(&breaker, &state, 1e6, 150); /* no current can flow */
    mr_breaker_close(&breaker, &state, 700);
    mr_assert_near(state.heat, heat * exp(-1), 1e-14, 0);
    mr_breaker_close(&breaker, &state, 650); /* closed already: nothing happens */
    assert_true(state.t_s == 700);
}

#define REFUSED(law, change, part)                                                        \
    do {                                                                                  \
        struct mr_breaker breaker_ = mr_breaker_of(law, 100);                             \
        struct mr_err err_ = {0};                                                         \
        breaker_.change;                                                                  \
        assert_int_equal(mr_breaker_check(&breaker_, "p3", MR_NOWHERE, &err_), MR_RANGE); \
        mr_assert_contains(err_.text, part);                                              \
    } while (0)

MR_TEST(impossible_settings)
{
    struct mr_err err = {0};
    for (int law = 0; law < MR_N_BREAKER_LAW; law++) {
        const struct mr_breaker breaker = mr_breaker_of(law, 100);
        assert_int_equal(mr_breaker_check(&breaker, "p3", MR_NOWHERE, &err), MR_OK);
    }
    REFUSED(MR_BREAKER_SI, rated_a = 0, "breaker of p3: rated current 0 must be above 0");
    REFUSED(MR_BREAKER_SI, pickup_a = (double)NAN, "pickup current");
    REFUSED(MR_BREAKER_SI, tms = -1, "time multiplier -1");
    REFUSED(MR_BREAKER_SI, instant_frac = 0, "instantaneous multiple 0");
    REFUSED(MR_BREAKER_THERMAL, trip_theta = 0.9, "at its rating it would trip too");
    REFUSED(MR_BREAKER_THERMAL, continuous_frac = 1.2, "continuous share 1.2");
    REFUSED(MR_BREAKER_THERMAL, alarm_s = -1, "alarm after -1 s");
    assert_string_equal(mr_breaker_law_name(MR_BREAKER_EI), "ei");
}

MR_TEST_MAIN(MR_TEST_ENTRY(inverse_time_curves), MR_TEST_ENTRY(thermal_image_with_preload),
             MR_TEST_ENTRY(partial_travel_and_reset),
             MR_TEST_ENTRY(random_currents_against_small_steps), MR_TEST_ENTRY(alarms_and_hands),
             MR_TEST_ENTRY(impossible_settings))
