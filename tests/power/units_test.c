/* SPDX-License-Identifier: Apache-2.0 */
/* power/units: known answers, the closed form against trying every number, dwell, failures. */
#include "power/units.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static struct mr_units ups(uint32_t n, uint32_t n_spare, int staging)
{
    return (struct mr_units){.unit = mr_stage_of(MR_STAGE_UPS, 2e6),
                             .n_installed = n,
                             .n_spare = n_spare,
                             .staging = staging,
                             .dwell_s = 60,
                             .high_frac = 0.8,
                             .low_frac = 0.6};
}

MR_TEST(best_number_of_ups)
{
    const struct mr_units units = ups(6, 0, MR_UNITS_OPTIMAL);
    const struct mr_units_state state = mr_units_start(&units);
    assert_int_equal(mr_units_wanted(&units, &state, 4e6), 4);
    assert_int_equal(mr_units_wanted(&units, &state, 1e6), 1);
    mr_assert_near(mr_stage_loss_w(&units.unit, 4, 4e6), 145.0e3, 0, 50);
    mr_assert_near(mr_stage_loss_w(&units.unit, 1, 1e6), 36.25e3, 0, 5);
    mr_assert_near(mr_stage_loss_w(&units.unit, 2, 4e6), 166.8e3, 0, 50);
}

MR_TEST(closed_form_is_the_best_of_all)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 2);
    for (int i = 0; i < 20000; i++) {
        struct mr_units units = ups(1 + (uint32_t)mr_rng_below(&rng, 12), 0, MR_UNITS_OPTIMAL);
        units.n_spare = (uint32_t)mr_rng_below(&rng, units.n_installed);
        units.unit.standing_w *= mr_rng_range(&rng, 0, 3);
        units.unit.square_per_w *= mr_rng_range(&rng, 0, 3);
        struct mr_units_state state = mr_units_start(&units);
        state.n_failed = (uint32_t)mr_rng_below(&rng, units.n_installed);
        const double out_w = mr_rng_range(&rng, 0, 2.2e6) * units.n_installed;
        const uint32_t most = units.n_installed - state.n_failed;
        const double load = out_w / units.unit.rating_w;
        const double least = fmin(most, fmax(ceil(load) + units.n_spare, 1));
        const uint32_t n = mr_units_wanted(&units, &state, out_w);
        assert_true(n >= least && n <= most);
        for (uint32_t k = (uint32_t)least; k <= most; k++)
            assert_true(mr_stage_loss_w(&units.unit, n, out_w) <=
                        mr_stage_loss_w(&units.unit, k, out_w) * (1 + 1e-12));
    }
}

MR_TEST(changes_wait_unless_needed)
{
    const struct mr_units units = ups(6, 1, MR_UNITS_OPTIMAL);
    struct mr_units_state state = mr_units_start(&units);
    assert_int_equal(state.n_on, 6);
    assert_int_equal(mr_units_step(&units, &state, 1e6, 0), -4);   /* best 1, needed 1 + 1 */
    assert_int_equal(mr_units_step(&units, &state, 3e6, 59.9), 1); /* two for the load, one spare */
    assert_int_equal(mr_units_step(&units, &state, 1e6, 119.8), 0); /* the dwell began anew */
    assert_int_equal(mr_units_step(&units, &state, 1e6, 119.9), -1);
    assert_int_equal(mr_units_step(&units, &state, 1e6, 1000), 0);
    /* random loads: never two changes within the dwell but for more units that are needed */
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 3);
    double last_s = state.change_s, t_s = 1000;
    int n_change = 0;
    for (int i = 0; i < 20000; i++) {
        t_s += mr_rng_exponential(&rng, 20);
        const double out_w = mr_rng_range(&rng, 0, 12e6);
        const uint32_t n_before = state.n_on;
        const int by = mr_units_step(&units, &state, out_w, t_s);
        assert_true(state.n_on >= mr_units_needed(&units, &state, out_w));
        if (by != 0) {
            const bool is_needed = n_before < mr_units_needed(&units, &state, out_w);
            assert_true(t_s - last_s >= 60 || is_needed);
            last_s = t_s;
            n_change++;
        }
    }
    assert_true(n_change > 1000);
}

MR_TEST(hysteresis_has_no_ping_pong)
{
    const struct mr_units units = ups(5, 0, MR_UNITS_HYSTERESIS);
    struct mr_units_state state = mr_units_start(&units);
    double t_s = 0;
    for (double load = 4; load > 0; load -= 0.01, t_s += 60) {
        mr_units_step(&units, &state, load * 2e6, t_s);
        assert_true(load <= 0.8 * state.n_on + 1e-9 || state.n_on == 5);
        assert_int_equal(mr_units_step(&units, &state, load * 2e6, t_s + 1000), 0);
    }
    assert_int_equal(state.n_on, 1);
    assert_int_equal(mr_units_step(&units, &state, 0.81 * 2e6, 1e6), 1);
    assert_int_equal(mr_units_step(&units, &state, 0.79 * 2e6, 2e6), -1);
}

MR_TEST(failed_units_are_replaced_at_once)
{
    const struct mr_units units = ups(5, 1, MR_UNITS_OPTIMAL);
    struct mr_units_state state = mr_units_start(&units);
    mr_units_step(&units, &state, 3e6, 0);
    assert_int_equal(state.n_on, 3);
    mr_units_set_failed(&units, &state, 3, 3e6, 1);
    assert_int_equal(state.n_on, 2); /* what is left */
    mr_units_set_failed(&units, &state, 5, 3e6, 2);
    assert_int_equal(state.n_on, 0);
    mr_units_set_failed(&units, &state, 0, 3e6, 3);
    assert_int_equal(state.n_on, 3); /* needed, not more */
    const struct mr_units all = ups(5, 1, MR_UNITS_ALL);
    state = mr_units_start(&all);
    mr_units_set_failed(&all, &state, 2, 1e6, 0);
    assert_int_equal(state.n_on, 3);
    assert_int_equal(mr_units_step(&all, &state, 1e6, 1e3), 0);
    mr_units_set_failed(&all, &state, 0, 1e6, 2e3);
    assert_int_equal(state.n_on, 5);
}

#define REFUSED(change, part)                                                                \
    do {                                                                                     \
        struct mr_units units_ = ups(3, 1, MR_UNITS_HYSTERESIS);                             \
        struct mr_err err_ = {0};                                                            \
        units_.change;                                                                       \
        assert_int_equal(mr_units_check(&units_, "ups \"U\"", MR_NOWHERE, &err_), MR_RANGE); \
        mr_assert_contains(err_.text, part);                                                 \
    } while (0)

MR_TEST(impossible_units)
{
    const struct mr_units units = ups(3, 1, MR_UNITS_HYSTERESIS);
    struct mr_err err = {0};
    assert_int_equal(mr_units_check(&units, "x", MR_NOWHERE, &err), MR_OK);
    REFUSED(n_installed = 0, "no unit is installed");
    REFUSED(n_spare = 3, "3 spare of 3 units leave none for the load");
    REFUSED(dwell_s = -1, "dwell -1 s");
    REFUSED(dwell_s = (double)NAN, "dwell");
    REFUSED(low_frac = 0.9, "hysteresis from 0.9 to 0.8");
    REFUSED(high_frac = 1.1, "must rise within 0..1");
}

MR_TEST_MAIN(MR_TEST_ENTRY(best_number_of_ups), MR_TEST_ENTRY(closed_form_is_the_best_of_all),
             MR_TEST_ENTRY(changes_wait_unless_needed), MR_TEST_ENTRY(hysteresis_has_no_ping_pong),
             MR_TEST_ENTRY(failed_units_are_replaced_at_once), MR_TEST_ENTRY(impossible_units))
