/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/room: control, the first law, time above the inlet limit, lost air handlers, refusals. */
#include "thermal/room.h"

#include "tests/thermal/sources.h"

static struct mr_room_params plain(void)
{
    struct mr_room_params params;
    mr_room_defaults(&params);
    return params;
}

static struct mr_room made(void)
{
    struct mr_room_params params = plain();
    struct mr_room room;
    struct mr_err err = {0};
    sources_hold(&mr_room_table, &params);
    params.design_heat_w = 1.1e6;
    params.n_unit = 4;
    if (mr_room_make("hall", &params, &room, &err) != MR_OK)
        fail_msg("%s", err.text);
    return room;
}

static void settle(const struct mr_room *room, struct mr_room_state *state,
                   const struct mr_room_in *in, int n)
{
    for (int i = 0; i < n; i++) {
        const struct mr_room_out out = mr_room_control(room, state, in);
        mr_room_step(room, state, in, &out, 15);
    }
}

MR_TEST(set_point_is_held)
{
    const struct mr_room room = made();
    for (int load = 1; load <= 11; load++) {
        const struct mr_room_in in = {load * 1e5, 18, 0};
        struct mr_room_state state;
        mr_room_start(&state, 22);
        settle(&room, &state, &in, 40000);
        const struct mr_room_out out = mr_room_control(&room, &state, &in);
        assert_false(out.is_saturated);
        mr_assert_near(state.room_c, 25, 0, 1e-6);
        mr_assert_near(out.taken_w, in.heat_w + out.fan_w, 1e-6, 1);
        mr_assert_near(out.fan_w, 5 * 9e3 * pow(out.speed_frac, 3), 1e-12, 0);
        mr_assert_near(mr_room_inlet_c(&room, &state), 27, 0, 1e-6);
        assert_true(fabs(mr_room_residual(&room, &state)) < 1e-12);
        assert_true(state.high_s == 0);
    }
}

MR_TEST(lost_air_handlers)
{
    const struct mr_room room = made();
    struct mr_room_state state;
    mr_room_start(&state, 25);
    /* one of five: the spare; two of five: 918 kW with fans at their best */
    const struct mr_room_in one = {1.1e6, 18, 1}, two = {1.1e6, 18, 2}, all = {1.1e6, 18, 9};
    assert_false(mr_room_control(&room, &state, &one).is_saturated);
    struct mr_room_out out = mr_room_control(&room, &state, &two);
    assert_true(out.is_saturated && out.speed_frac == 1);
    settle(&room, &state, &two, 40000);
    mr_assert_near(state.room_c, 18 + (1.1e6 + 3 * 9e3) / (3 * 3e5 / 7), 1e-9, 0);
    assert_true(state.high_s == 0); /* 26.8 degC */
    /* none: it warms in proportion, and passes the limit on the way */
    out = mr_room_control(&room, &state, &all);
    assert_true(out.is_saturated && out.fan_w == 0 && out.g_w_k == 0);
    const double rate_k_s = 1.1e6 / room.capacity_j_k;
    const double start_c = state.room_c, to_limit_s = (33 - start_c) / rate_k_s;
    mr_room_step(&room, &state, &all, &out, 2 * to_limit_s);
    mr_assert_near(state.high_s, to_limit_s, 1e-9, 0);
    mr_assert_near(state.room_c, start_c + 2 * to_limit_s * rate_k_s, 1e-12, 0);
    /* repaired: full speed until it is back */
    const struct mr_room_in whole = {1.1e6, 18, 0};
    assert_true(mr_room_control(&room, &state, &whole).speed_frac == 1);
    settle(&room, &state, &whole, 40000);
    mr_assert_near(state.room_c, 25, 0, 1e-6);
    assert_true(state.high_s > to_limit_s && state.high_s < 3 * to_limit_s);
    assert_true(fabs(mr_room_residual(&room, &state)) < 1e-12);
}

MR_TEST(warm_water)
{
    const struct mr_room room = made();
    struct mr_room_state state;
    const struct mr_room_in in = {5e5, 26, 0};
    mr_room_start(&state, 25);
    settle(&room, &state, &in, 40000);
    const struct mr_room_out out = mr_room_control(&room, &state, &in);
    assert_true(out.is_saturated);
    mr_assert_near(state.room_c, 26 + (5e5 + 5 * 9e3) / (5 * 3e5 / 7), 1e-9, 0);
}

MR_TEST(time_above_the_limit_is_exact)
{
    const struct mr_room room = made();
    struct mr_room_state coarse, fine;
    const struct mr_room_in hot = {1.1e6, 29, 3};
    mr_room_start(&coarse, 25);
    fine = coarse;
    struct mr_room_out out = mr_room_control(&room, &coarse, &hot);
    mr_room_step(&room, &coarse, &hot, &out, 3600);
    for (int i = 0; i < 3600; i++)
        mr_room_step(&room, &fine, &hot, &out, 1);
    assert_true(coarse.high_s > 0 && coarse.high_s < 3600);
    mr_assert_near(coarse.high_s, fine.high_s, 1e-9, 0);
    mr_assert_near(mr_sum_of(coarse.taken_j), mr_sum_of(fine.taken_j), 1e-11, 0);
}

MR_TEST(impossible_rooms)
{
    static const char *const texts[] = {
        "hall: room 25 degC is not above water 25 degC",
        "hall: room 34 degC + recirculation 2 K is not below inlet_max 35 degC",
        "hall: 400 kW of air heat on 300 kW of air handlers (add units)",
        "hall: fans of 300 kW heat more than their unit carries, 300 kW",
        "hall: effectiveness 0 %: must be",
    };
    static const double value[] = {25, 34, 4e5, 3e5, 0};
    for (int i = 0; i < 5; i++) {
        struct mr_room_params params = plain();
        double *const field[] = {&params.water_c, &params.set_c, &params.design_heat_w,
                                 &params.fan_w, &params.effectiveness};
        struct mr_room room;
        struct mr_err err = {0};
        *field[i] = value[i];
        assert_int_equal(mr_room_make("hall", &params, &room, &err), MR_RANGE);
        mr_assert_contains(err.text, texts[i]);
    }
    const struct mr_reject_card card = {.capacity_w = 2e5, .electric_w = 5e3};
    struct mr_room_params params = plain();
    mr_room_of_card(&card, &params);
    assert_true(params.capacity_w == 2e5 && params.fan_w == 5e3);
}

MR_TEST_MAIN(MR_TEST_ENTRY(set_point_is_held), MR_TEST_ENTRY(lost_air_handlers),
             MR_TEST_ENTRY(warm_water), MR_TEST_ENTRY(time_above_the_limit_is_exact),
             MR_TEST_ENTRY(impossible_rooms))
