/* SPDX-License-Identifier: Apache-2.0 */
/* engine/twin/exchange: limits of the grid and their caps, from the start, at their return, beyond
 * the latency. */
#include "engine/base/rng.h"
#include "engine/twin/exchange.h"
#include "tests/engine/twin/exchange_bed.h"

MR_TEST(curtailment_lowers_clocks_and_gives_them_back)
{
    begin_at(1, 900);
    play(600);
    const double before_w = meter_w();
    const struct mr_feed_target target = {.start_s = 630, .end_s = 1800, .limit_w = 0.8 * before_w};
    struct mr_err err = {0};
    assert_int_equal(mr_supply_set_target(mr_exchange_supply(w.exchange), &target, &err), MR_OK);
    play(690);
    for (int t = 700; t < 1800; t += 50) {
        play(t);
        assert_true(meter_w() <= target.limit_w && meter_w() > 0.85 * target.limit_w);
        assert_int_equal(w.order[3].reason, MR_EXCHANGE_CAP);
    }
    play(1900);
    assert_true(w.order[0].phi == 1 && w.n_thermal == 0 && w.n_down == 0);
    mr_assert_near(meter_w(), before_w, 1e-3, 0);
    struct mr_exchange_sums sums;
    mr_exchange_sums(w.exchange, &sums);
    mr_assert_near(sums.capped_package_s, 1150 * 576, 0.1, 0);
    end();
}

/* Caps fall and rise at random: what a rack draws over an interval keeps the cap that was in force
 * at its beginning, whatever the controller does meanwhile. Work that begins anew may be above a
 * cap that was made for less, until the controller has answered. */
MR_TEST(caps_are_kept_beyond_the_latency)
{
    struct mr_err err = {0};
    struct mr_govern_params params;
    mr_govern_defaults(&params);
    const double latency_s = mr_govern_latency_s(&params);
    for (int policy = MR_GOVERN_POLICY_MAXP; policy <= MR_GOVERN_POLICY_MAXLPS; policy++) {
        w.policy = policy;
        begin_at(1, 900);
        play(300);
        const double before_w = meter_w();
        w.over_frac = 0;
        for (int k = 0; k < 8; k++) {
            const double frac[] = {0.85, 0.7, 0.95, 0.6, 0.75, 0.9, 0.65, 0.8};
            const struct mr_feed_target target = {
                .start_s = 400 + 200. * k, .end_s = 520 + 200. * k, .limit_w = frac[k] * before_w};
            assert_int_equal(mr_supply_set_target(mr_exchange_supply(w.exchange), &target, &err),
                             MR_OK);
            play(target.end_s + 70);
        }
        assert_true(w.n_cap > 1000 && w.n_level_over == 0);
        assert_true(w.over_frac < 5e-3); /* leakage of dies that warm */
        w.over_frac = 0;
        const struct mr_feed_target target = {
            .start_s = 2100, .end_s = 4000, .limit_w = 0.7 * before_w};
        assert_int_equal(mr_supply_set_target(mr_exchange_supply(w.exchange), &target, &err),
                         MR_OK);
        for (int k = 0; k < 40; k++) {
            for (int i = 0; i < n_instance; i++)
                w.rests[i] = (i * 7 + k * 5) % 3 == 0;
            play(2200 + 30. * k + latency_s + 1);
            w.over_frac = 0;
            play(2200 + 30. * (k + 1));
            assert_true(w.over_frac < 5e-3);
        }
        end();
    }
    w.policy = MR_GOVERN_POLICY_MAXP;
}

/* Caps that were made for racks without work: when it comes, packages run at their lowest clock and
 * still draw more, until the controller has answered. That is told once, rack by rack. */
MR_TEST(a_cap_below_the_lowest_clock_is_told)
{
    struct mr_err err = {0};
    w.policy = MR_GOVERN_POLICY_MAXLPS;
    w.n_cap_infeasible = 0;
    begin_at(1, 900);
    play(300);
    assert_int_equal(w.n_cap_infeasible, 0);
    const struct mr_feed_target target = {
        .start_s = 310, .end_s = 4000, .limit_w = 0.7 * meter_w()};
    assert_int_equal(mr_supply_set_target(mr_exchange_supply(w.exchange), &target, &err), MR_OK);
    for (int i = 0; i < n_instance; i++)
        w.rests[i] = i > 0;
    play(1000);
    w.n_cap_infeasible = 0;
    for (int i = 0; i < n_instance; i++)
        w.rests[i] = false;
    play(1001);
    double least = 1;
    for (int i = 0; i < n_instance; i++)
        least = fmin(least, w.order[i].phi);
    assert_true(w.n_cap_infeasible >= 1 && least == w.power.clock_min);
    play(1040);
    const int n_told = w.n_cap_infeasible;
    assert_true(n_told <= (int)w.site->n_rack);
    play(1600);
    assert_int_equal(w.n_cap_infeasible, n_told);
    end();
    w.policy = MR_GOVERN_POLICY_MAXP;
}

/* What a connection gives is kept from the first moment on: who cannot run at its lowest clock is
 * held before it has drawn anything. Once all that may run does, no more is left than one instance
 * of those that are held would take, and what of a budget is to be free for that. */
MR_TEST(a_limit_holds_from_the_start)
{
    int n_held_last = 8, n_kind = 0;
    for (int k = 0; k < 16; k++) {
        w.limit_w = 320e3 + 50e3 * k;
        struct mr_err err = {0};
        begin_at(1, 950);
        assert_int_equal(mr_exchange_do(w.exchange, 0, w.work, w.order, &err), MR_OK);
        play(200);
        assert_true(w.over_most_s == 0);
        int n_held = 0;
        for (uint32_t r = 0; r < 8; r++)
            n_held += mr_supply_rack_is_held(mr_exchange_supply(w.exchange), r);
        assert_true(n_held <= n_held_last);
        n_kind += n_held < n_held_last;
        n_held_last = n_held;
        if (n_held > 0)
            assert_string_equal(w.first, "power.budget_infeasible");
        assert_true(n_held == 0 || n_held == 8 || w.limit_w - meter_w() < 35e3);
        end();
    }
    assert_true(n_held_last == 0 && n_kind >= 5);
    w.limit_w = 0;
}

/* Work comes and goes at random under limits that are drawn, too, racks have tiers: the meter is
 * above its limit for no longer than the controller takes to see it and to act, and then until the
 * next exchange but one, when watts are what clocks make of them. */
MR_TEST(a_limit_is_exceeded_for_no_longer_than_the_latency)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 21);
    struct mr_govern_params params;
    mr_govern_defaults(&params);
    const double bound_s = mr_govern_latency_s(&params) + 2;
    double longest_s = 0;
    for (int round = 0; round < 24; round++) {
        w.policy = round % 3;
        w.limit_w = mr_rng_range(&rng, 450e3, 1400e3);
        begin_at(1, mr_rng_range(&rng, 500, 1000));
        for (uint32_t r = 0; r < 8; r++)
            mr_supply_set_tier(mr_exchange_supply(w.exchange), r, (uint8_t)mr_rng_below(&rng, 3));
        for (double t_s = 0; t_s < 1200; play(t_s)) {
            const double busy = mr_rng_f64(&rng);
            for (int i = 0; i < n_instance; i++)
                w.rests[i] = mr_rng_f64(&rng) > busy;
            t_s += mr_rng_exponential(&rng, 60);
        }
        longest_s = fmax(longest_s, w.over_most_s);
        end();
    }
    if (!(longest_s <= bound_s))
        fail_msg("over the limit for %g s, the controller's latency is %g s", longest_s, bound_s);
    assert_true(longest_s > 0); /* work that begins anew is seen */
    w.limit_w = 0;
    w.policy = MR_GOVERN_POLICY_MAXP;
}

/* The grid goes and comes back, for times that are drawn, under limits and targets that are, behind
 * cooling that has stood still: batteries carry what racks ask for meanwhile, and the meter that
 * comes back finds caps that fit it. */
MR_TEST(a_grid_that_comes_back_finds_caps_that_fit)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 22);
    struct mr_err err = {0};
    int n_higher = 0, n_full = 0;
    for (int round = 0; round < 12; round++) {
        w.policy = round % 3;
        w.limit_w = mr_rng_range(&rng, 820e3, 1020e3);
        begin_at(1, 1000);
        play(200);
        const double lost_s = 200 + mr_rng_range(&rng, 0, 20), held_w = w.limit_w;
        const double back_s = lost_s + mr_rng_range(&rng, 5, 250);
        struct mr_supply *supply = mr_exchange_supply(w.exchange);
        struct mr_supply_reading away;
        play(lost_s);
        mr_supply_set_voltage(supply, 0);
        play(back_s - 1);
        mr_supply_read(supply, &away);
        n_higher += away.rack_w + away.house_w + away.loss_w > held_w;
        if (round % 2 == 1) { /* and less is asked for meanwhile */
            const struct mr_feed_target target = {
                .start_s = back_s, .end_s = back_s + 300, .limit_w = 0.8 * held_w};
            w.limit_w = target.limit_w;
            assert_int_equal(mr_supply_set_target(supply, &target, &err), MR_OK);
        }
        play(back_s);
        mr_supply_set_voltage(supply, 1);
        play(back_s + 29);
        assert_true(meter_w() == 0);
        w.over_most_s = 0;
        play(back_s + 250);
        n_full += meter_w() > 0.98 * w.limit_w && meter_w() <= w.limit_w;
        if (w.over_most_s > 2)
            fail_msg("round %d: over %g W for %g s", round, w.limit_w, w.over_most_s);
        end();
    }
    assert_true(n_higher >= 4 && n_full >= 11);
    w.limit_w = 0;
    w.policy = MR_GOVERN_POLICY_MAXP;
}

static void set_pumps(bool run)
{
    mr_plant_set_outage(mr_exchange_plant(w.exchange), mr_exchange_plant_state(w.exchange),
                        MR_PLANT_OUT_PUMPS, 0, run ? 0 : 1);
}

static uint32_t n_away(void)
{
    uint32_t n = 0;
    for (uint32_t r = 0; r < 8; r++)
        n += mr_supply_is_away(mr_exchange_supply(w.exchange), r);
    return n;
}

/* A row loses its pumps, its dies switch off, and the other row has the watts; when the dies are
 * cold again the row asks for room before it draws, and who finds none waits. */
MR_TEST(racks_that_come_back_ask_for_room)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 23);
    int n_off = 0, n_wait = 0; /* rounds in which somebody was off, is at the end */
    for (int round = 0; round < 9; round++) {
        w.policy = round % 3;
        w.limit_w = round == 8 ? 6e6 : mr_rng_range(&rng, 400e3, 1000e3);
        begin_at(1, 1000);
        for (uint32_t r = 0; r < 8; r++)
            mr_supply_set_tier(mr_exchange_supply(w.exchange), r, (uint8_t)mr_rng_below(&rng, 3));
        play(200);
        set_pumps(false);
        play(400 + mr_rng_range(&rng, 0, 10));
        set_pumps(true);
        n_off += n_away() > 0;
        w.over_most_s = 0;
        play(1300);
        n_wait += n_away() > 0;
        if (w.over_most_s > 1)
            fail_msg("round %d: over %g W for %g s", round, w.limit_w, w.over_most_s);
        if (round == 8) /* all the room there may be: nobody waits */
            assert_true(n_away() == 0 && w.order[0].is_up && w.order[15].is_up);
        end();
    }
    assert_true(n_off >= 7 && n_wait > 1 && n_wait < 7);
    w.limit_w = 0;
    w.policy = MR_GOVERN_POLICY_MAXP;
}

MR_TEST_MAIN(MR_TEST_ENTRY(curtailment_lowers_clocks_and_gives_them_back),
             MR_TEST_ENTRY(caps_are_kept_beyond_the_latency),
             MR_TEST_ENTRY(a_cap_below_the_lowest_clock_is_told),
             MR_TEST_ENTRY(a_limit_holds_from_the_start),
             MR_TEST_ENTRY(a_limit_is_exceeded_for_no_longer_than_the_latency),
             MR_TEST_ENTRY(a_grid_that_comes_back_finds_caps_that_fit),
             MR_TEST_ENTRY(racks_that_come_back_ask_for_room))
