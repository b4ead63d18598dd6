/* SPDX-License-Identifier: Apache-2.0 */
/* power/buffer: known depletion times, random ramps against small steps, energy closure, bounds,
 * what a battery plant does when, buffers that cannot be. */
#include "power/buffer.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static struct mr_buffer_params plain(void)
{
    struct mr_buffer_params params;
    mr_buffer_defaults(&params, MR_BUFFER_BESS);
    params.energy_j = 3.6e9; /* 1 MWh */
    params.charge_w = params.discharge_w = 4e6;
    params.soc_min_frac = 0;
    params.soc_max_frac = params.soc_start_frac = 1;
    return params;
}

MR_TEST(known_depletion_times)
{
    struct mr_buffer_params params = plain();
    struct mr_buffer b = mr_buffer_start(&params, 100);
    enum mr_buffer_event event;
    assert_true(mr_buffer_next_s(&params, &b, &event) == (double)INFINITY);
    assert_int_equal(event, MR_BUFFER_EVENT_NONE);
    assert_true(mr_buffer_set(&params, &b, -4e6) == -4e6);
    mr_assert_near(mr_buffer_next_s(&params, &b, &event), 100 + 855, 1e-12, 0);
    assert_int_equal(event, MR_BUFFER_EVENT_EMPTY);
    mr_buffer_advance(&params, &b, 2000);
    assert_true(b.energy_j == 0 && b.power_w == 0);
    mr_assert_near(b.out_j, 4e6 * 855, 1e-12, 0);
    mr_assert_near(mr_buffer_loss_j(&params, &b), 0.05 * 3.6e9, 1e-9, 0);
    assert_true(mr_buffer_set(&params, &b, -1) == 0); /* nothing left */
    /* and back: 3.6e9 / (0.95 x 4 MW) */
    assert_true(mr_buffer_set(&params, &b, 5e6) == 4e6);
    mr_assert_near(mr_buffer_next_s(&params, &b, &event), 2000 + 3.6e9 / 3.8e6, 1e-12, 0);
    assert_int_equal(event, MR_BUFFER_EVENT_FULL);
    /* a rack's battery unit: 5.5 kW for 240 s, 0.3667 kWh */
    mr_buffer_defaults(&params, MR_BUFFER_BBU);
    mr_assert_near(params.energy_j / 3.6e6, 0.3667, 1e-4, 0);
    b = mr_buffer_start(&params, 0);
    mr_buffer_set(&params, &b, -5.5e3);
    mr_assert_near(mr_buffer_next_s(&params, &b, &event), 240, 1e-12, 0);
    /* a power supply: 3 kW for 20 ms, or 150 % of that for 13.3 ms */
    mr_buffer_defaults(&params, MR_BUFFER_HOLD_UP);
    b = mr_buffer_start(&params, 0);
    mr_buffer_set(&params, &b, -3e3);
    mr_assert_near(mr_buffer_next_s(&params, &b, &event), 0.02, 1e-12, 0);
    mr_buffer_set(&params, &b, -6e3);
    mr_assert_near(mr_buffer_next_s(&params, &b, &event), 60 / 4.5e3, 1e-12, 0);
}

/* Random asks with an inverter's ramp: the integral against 20,000 small steps. */
MR_TEST(random_asks_against_small_steps)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
        struct mr_buffer_params params = plain();
        params.energy_j = 1e9;
        params.soc_start_frac = 0.5;
        params.soc_min_frac = 0.2;
        params.soc_max_frac = 0.7;
        params.ramp_w_s = mr_rng_below(&rng, 3) == 0 ? 0 : mr_rng_range(&rng, 1e4, 1e6);
        struct mr_buffer b = mr_buffer_start(&params, 0);
        double energy_j = b.energy_j, t_s = 0;
        for (int k = 0; k < 12; k++) {
            enum mr_buffer_event event;
            mr_buffer_set(&params, &b, mr_rng_range(&rng, -4e6, 4e6));
            const double next_s = mr_buffer_next_s(&params, &b, &event);
            double end_s = t_s + mr_rng_range(&rng, 1, 100);
            if (next_s < end_s)
                end_s = next_s; /* bounds are events: ask anew there */
            struct mr_buffer fine = b;
            const int n = 2000;
            const double dt_s = (end_s - t_s) / n;
            for (int i = 0; i < n; i++) {
                const double middle_s = t_s + (i + 0.5) * dt_s;
                mr_buffer_advance(&params, &fine, fmin(middle_s, end_s));
                const double p = fine.power_w;
                energy_j += dt_s * (p > 0 ? 0.95 * p : p / 0.95);
            }
            mr_buffer_advance(&params, &b, end_s);
            mr_assert_near(b.energy_j, energy_j, 1e-5, 0);
            energy_j = b.energy_j;
            t_s = end_s;
            assert_true(b.energy_j >= 0.2e9 && b.energy_j <= 0.7e9);
        }
        /* first law: what came in is stored, lost or went out */
        mr_assert_near(mr_buffer_loss_j(&params, &b), 0.05 * b.in_j + b.out_j * (1 / 0.95 - 1),
                       1e-9, 1e-2);
    }
}

MR_TEST(advancing_in_parts_is_advancing_at_once)
{
    struct mr_buffer_params params = plain();
    params.ramp_w_s = 1e5;
    params.soc_start_frac = 0.5;
    struct mr_buffer once = mr_buffer_start(&params, 0), parts = once;
    mr_buffer_set(&params, &once, 4e6);
    mr_buffer_advance(&params, &once, 20);
    mr_buffer_set(&params, &once, -3e6); /* turns through 0 */
    parts = once;
    mr_buffer_advance(&params, &once, 400);
    for (double t_s = 20; t_s < 400; t_s += 0.37)
        mr_buffer_advance(&params, &parts, t_s);
    mr_buffer_advance(&params, &parts, 400);
    mr_assert_near(once.energy_j, parts.energy_j, 1e-12, 0);
    mr_assert_near(once.in_j, parts.in_j, 1e-10, 0);
    assert_true(once.power_w == -3e6 && parts.power_w == -3e6);
}

MR_TEST(a_full_one_turns_to_discharge)
{
    struct mr_buffer_params params = plain();
    params.ramp_w_s = 1e6;
    params.soc_start_frac = 1 - 1e-6;
    struct mr_buffer b = mr_buffer_start(&params, 0);
    enum mr_buffer_event event;
    mr_buffer_set(&params, &b, 4e6);
    assert_true(mr_buffer_next_s(&params, &b, &event) < 0.1);
    assert_int_equal(event, MR_BUFFER_EVENT_FULL);
    b.power_w = 1; /* still charging a little when asked to give */
    mr_buffer_set(&params, &b, -4e6);
    mr_buffer_advance(&params, &b, 100);
    assert_true(b.power_w == -4e6 && b.energy_j < 3.6e9);
}

MR_TEST(the_reserve_is_for_riding_through)
{
    struct mr_buffer_params params = plain();
    params.reserve_frac = 0.3;
    struct mr_buffer b = mr_buffer_start(&params, 0);
    enum mr_buffer_event event;
    mr_buffer_set(&params, &b, -4e6);
    mr_assert_near(mr_buffer_next_s(&params, &b, &event), 0.7 * 855, 1e-12, 0);
    assert_int_equal(event, MR_BUFFER_EVENT_RESERVE);
    mr_buffer_advance(&params, &b, 700);
    mr_assert_near(mr_buffer_soc_frac(&params, &b), 0.3, 1e-12, 0);
    assert_true(mr_buffer_set(&params, &b, -4e6) == 0);
    b.uses_reserve = true;
    assert_true(mr_buffer_set(&params, &b, -4e6) == -4e6);
    mr_assert_near(mr_buffer_next_s(&params, &b, &event), 700 + 0.3 * 855, 1e-12, 0);
    assert_int_equal(event, MR_BUFFER_EVENT_EMPTY);
    mr_buffer_advance(&params, &b, 750);
    b.uses_reserve = false; /* the grid is back: what is left of the reserve stays */
    mr_buffer_set(&params, &b, -4e6);
    const double left_j = b.energy_j;
    mr_buffer_advance(&params, &b, 800);
    assert_true(b.energy_j == left_j);
}

static struct mr_buffer_order ordered(double soc, double load_w, double limit_w, double price,
                                      bool has_grid)
{
    struct mr_buffer_params params = plain();
    params.reserve_frac = 0.3;
    struct mr_buffer b = mr_buffer_start(&params, 0);
    b.energy_j = soc * params.energy_j;
    const double mwh_j = 3.6e9;
    const struct mr_buffer_plan plan = {
        .buy_usd_j = 20 / mwh_j, .sell_usd_j = 100 / mwh_j, .refill_frac = 0.8};
    assert_int_equal(mr_buffer_plan_check(&plan, &params, "bess", NULL), MR_OK);
    const struct mr_buffer_need need = {load_w, limit_w, price / mwh_j, has_grid};
    return mr_buffer_dispatch(&params, &b, &plan, &need);
}

#define ORDERED(soc, load, limit, price, grid, watts, why)                            \
    do {                                                                              \
        const struct mr_buffer_order order_ = ordered(soc, load, limit, price, grid); \
        mr_assert_near(order_.power_w, watts, 1e-15, 0);                              \
        assert_int_equal(order_.use, MR_BUFFER_USE_##why);                            \
    } while (0)

MR_TEST(what_a_battery_does_when)
{
    ORDERED(0.9, 3e6, (double)INFINITY, 50, true, 0, REST);
    ORDERED(0.9, 3e6, (double)INFINITY, 50, false, -3e6, RIDE);
    ORDERED(0.1, 3e6, (double)INFINITY, 50, false, -3e6, RIDE); /* reserve, too */
    ORDERED(0.9, 12e6, 10e6, 50, true, -2e6, SHAVE);
    ORDERED(0.9, 12e6, 10e6, 500, true, -2e6, SHAVE); /* before price */
    ORDERED(0.2, 12e6, 10e6, 50, true, 0, SHAVE);     /* reserve is not sold */
    ORDERED(0.9, 3e6, (double)INFINITY, 500, true, -3e6, SELL);
    ORDERED(0.2, 3e6, (double)INFINITY, 500, true, 0, REST);
    ORDERED(0.9, 3e6, (double)INFINITY, -5, true, 4e6, BUY);
    ORDERED(0.9, 3e6, 4e6, 10, true, 1e6, BUY); /* within the feed */
    ORDERED(1.0, 3e6, (double)INFINITY, -5, true, 0, REST);
    ORDERED(0.5, 3e6, 5e6, 50, true, 2e6, REFILL);
}

#define REFUSED(change, part)                                               \
    do {                                                                    \
        struct mr_buffer_params params_ = plain();                          \
        struct mr_err err_ = {0};                                           \
        params_.change;                                                     \
        assert_int_equal(mr_buffer_check(&params_, "b1", &err_), MR_RANGE); \
        mr_assert_contains(err_.text, part);                                \
    } while (0)

MR_TEST(impossible_buffers)
{
    for (int kind = 0; kind <= MR_BUFFER_BESS; kind++) {
        struct mr_buffer_params params;
        mr_buffer_defaults(&params, (enum mr_buffer_kind)kind);
        assert_int_equal(mr_buffer_check(&params, "default", NULL), MR_OK);
        assert_true(params.kind == kind && params.n_unit == 1);
    }
    REFUSED(soc_min_frac = 1, "b1: soc_min 1, soc_max 1: the window between empty and full is");
    REFUSED(soc_start_frac = 1.5, "b1: soc_start 1.5: outside the window 0 .. 1");
    REFUSED(soc_max_frac = 0.5; params_.soc_start_frac = 0.5;
            params_.reserve_frac = 0.6, "b1: reserve 0.6: above soc_max 0.5");
    struct mr_buffer_params bbu;
    struct mr_err err = {0};
    mr_buffer_defaults(&bbu, MR_BUFFER_BBU);
    assert_int_equal(mr_buffer_check_bridge(&bbu, 5.5e3, 240, "bbu", "generator g1", &err), MR_OK);
    assert_int_equal(mr_buffer_check_bridge(&bbu, 5.5e3, 600, "bbu", "generator g1", &err),
                     MR_RANGE);
    mr_assert_contains(err.text, "bbu: holds 1.32e+06 J, generator g1 takes over after 600 s");
    err = (struct mr_err){0};
    assert_int_equal(mr_buffer_check_bridge(&bbu, 6e3, 1, "bbu", "generator g1", &err), MR_RANGE);
    mr_assert_contains(err.text, "bbu: delivers 5500 W, 6000 W hang on it");
    /* hold-up of the supplies until the battery unit delivers */
    struct mr_buffer_params psu;
    mr_buffer_defaults(&psu, MR_BUFFER_HOLD_UP);
    assert_int_equal(mr_buffer_check_bridge(&psu, 3e3, bbu.start_s, "psu", "bbu", NULL), MR_OK);
    const struct mr_buffer_plan plan = {.buy_usd_j = 2, .sell_usd_j = 1, .refill_frac = 0.5};
    err = (struct mr_err){0};
    assert_int_equal(mr_buffer_plan_check(&plan, &bbu, "bbu", &err), MR_RANGE);
    mr_assert_contains(err.text, "must rise");
}

MR_TEST_MAIN(MR_TEST_ENTRY(known_depletion_times), MR_TEST_ENTRY(random_asks_against_small_steps),
             MR_TEST_ENTRY(advancing_in_parts_is_advancing_at_once),
             MR_TEST_ENTRY(a_full_one_turns_to_discharge),
             MR_TEST_ENTRY(the_reserve_is_for_riding_through),
             MR_TEST_ENTRY(what_a_battery_does_when), MR_TEST_ENTRY(impossible_buffers))
