/* SPDX-License-Identifier: Apache-2.0 */
/* engine/twin/exchange: a hall whose instances draw what a formula says, through lost pumps, lost
 * grid, leaks: clocks obey, energies close, ticks do not matter. */
#include "engine/twin/exchange.h"

#include "tests/engine/twin/exchange_bed.h"

/* 800 W beyond idling: watts of a rack from the card, heat and meter from those. */
MR_TEST(a_quiet_hall)
{
    begin_at(1, 700);
    play(3600);
    struct mr_plant_rack_row row;
    mr_plant_rack_row(mr_exchange_plant(w.exchange), mr_exchange_plant_state(w.exchange), 0, &row);
    const double leakage_w = 60 * exp(0.02 * (row.die_mean_c - 60));
    const double rest_w =
        (1 - mr_exchange_plant(w.exchange)->rack[0].share_frac) * w.site->rack[0].rated_w;
    mr_assert_near(row.power_w, 72 * (100 + 700 + leakage_w) + rest_w, 1e-4,
                   0); /* leakage by tangents */
    mr_assert_near(mr_exchange_rack(w.exchange, 0)->drawn_w, row.power_w, 1e-4, 0);
    assert_true(w.phi_min == 1 && w.n_down + w.n_thermal + w.n_cap == 0);
    assert_string_equal(w.first, "");
    struct mr_exchange_sums sums;
    mr_exchange_sums(w.exchange, &sums);
    assert_true(sums.site_j > sums.it_j + sums.house_j && sums.house_j > 0.005 * sums.it_j);
    assert_true(sums.it_j > 3600 * 8 * 0.98 * row.power_w && sums.time_s == 3600);
    mr_assert_near(sums.die_max_c, row.die_max_c, 1e-3, 0);
    end();
}

/* Two instances a rack, one of them without work, a target that binds: lent watts go to the other
 * inside the rack, equal caps leave them unused. */
MR_TEST(packages_of_a_rack_lend_to_each_other)
{
    double phi[2];
    for (int k = 0; k < 2; k++) {
        struct mr_err err = {0};
        w.policy = k == 0 ? MR_GOVERN_POLICY_MAXP : MR_GOVERN_POLICY_MAXLPS;
        begin_at(1, 1000);
        for (int i = 0; i < n_instance; i++)
            w.rests[i] = i % 2 == 1;
        play(300);
        const struct mr_feed_target target = {
            .start_s = 400, .end_s = 2000, .limit_w = 0.85 * meter_w()};
        assert_int_equal(mr_supply_set_target(mr_exchange_supply(w.exchange), &target, &err),
                         MR_OK);
        play(900);
        phi[k] = w.order[0].phi;
        assert_true(meter_w() <= target.limit_w && w.n_level_over == 0);
        assert_int_equal(w.order[0].reason, MR_EXCHANGE_CAP);
        end();
    }
    assert_true(phi[1] > phi[0] + 0.05);
    w.policy = MR_GOVERN_POLICY_MAXP;
}

/* All instances work and rest together. With smoothing the meter moves less and slower, work is
 * held while watts rise, what is burnt is heat, and the books of feeds and of heat agree. */
MR_TEST(smoothing_in_the_loop)
{
    double swing_w[2], step_w[2], heat_j[2], work_j[2];
    for (int k = 0; k < 2; k++) {
        double low_w = HUGE_VAL, high_w = 0, last_w = 0;
        w.smooths = k == 1;
        begin_at(0.05, 950);
        play(60);
        step_w[k] = 0;
        for (int half = 0; half < 40; half++) {
            for (int i = 0; i < n_instance; i++)
                w.rests[i] = half % 2 == 0;
            for (int t = 1; t <= 30; t++) {
                play(60 + 1.5 * half + 0.05 * t);
                const double now_w = meter_w();
                step_w[k] = half + t > 1 ? fmax(step_w[k], fabs(now_w - last_w)) : 0;
                last_w = now_w;
                low_w = half > 1 ? fmin(low_w, now_w) : low_w;
                high_w = half > 1 ? fmax(high_w, now_w) : high_w;
            }
        }
        swing_w[k] = high_w - low_w;
        struct mr_exchange_sums sums;
        mr_exchange_sums(w.exchange, &sums);
        struct mr_plant_sums heat;
        mr_plant_sums(mr_exchange_plant(w.exchange), mr_exchange_plant_state(w.exchange), &heat);
        mr_assert_near(heat.it_j, sums.it_j, k == 0 ? 1e-12 : 2e-3, 0); /* a tick behind */
        heat_j[k] = heat.it_j;
        work_j[k] = w.work[0].busy_j;
        assert_true(k == 0 ? sums.burn_j == 0 : sums.burn_j > 0.02 * sums.it_j);
        end();
    }
    assert_true(swing_w[1] < 0.7 * swing_w[0]);
    assert_true(step_w[1] < 0.4 * step_w[0]); /* 1 kW/s and 0.5 kW/s of a package */
    assert_true(heat_j[1] > 1.02 * heat_j[0] && work_j[1] < work_j[0]);
    assert_true(work_j[1] > 0.85 * work_j[0]);
    w.smooths = false;
}

/* A target that clocks of one row can meet: those of tier 0 slow down, the others never know. One
 * that no clocks can meet: racks of tier 0 stop, what they draw is that of idlers, and they go on
 * when it is over. */
MR_TEST(the_lower_tier_goes_first)
{
    struct mr_err err = {0};
    begin_at(1, 900);
    struct mr_supply *const supply = mr_exchange_supply(w.exchange);
    assert_int_equal(mr_supply_set_tier_of(supply, mr_str_of("H0.R1"), 7, &err), MR_OK);
    assert_int_equal(mr_supply_set_tier_of(supply, mr_str_of("H0.R"), 7, &err), MR_REF);
    mr_assert_contains(err.text, "tier of 'H0.R': site 't' has no such rack, row or hall");
    err = (struct mr_err){0};
    play(600);
    const double before_w = meter_w();
    struct mr_feed_target target = {.start_s = 630, .end_s = 1800, .limit_w = 0.85 * before_w};
    assert_int_equal(mr_supply_set_target(supply, &target, &err), MR_OK);
    play(1000);
    assert_true(meter_w() <= target.limit_w && w.n_down == 0);
    for (int i = 0; i < n_instance; i++) /* the first row is the first half */
        assert_true(i < n_instance / 2 ? w.order[i].phi < 0.95 : w.order[i].phi == 1);
    target = (struct mr_feed_target){.start_s = 2000, .end_s = 3000, .limit_w = 0.55 * before_w};
    assert_int_equal(mr_supply_set_target(supply, &target, &err), MR_OK);
    play(2500);
    int n_up = 0;
    for (int i = 0; i < n_instance; i++) {
        n_up += w.order[i].is_up;
        assert_true(i < n_instance / 2 || w.order[i].is_up);
    }
    assert_true(n_up >= n_instance / 2 && n_up < n_instance);
    assert_true(mr_supply_rack_is_held(supply, 0) && !mr_supply_rack_is_held(supply, 7));
    assert_true(meter_w() <= target.limit_w && meter_w() > 0.7 * target.limit_w);
    play(3600);
    for (int i = 0; i < n_instance; i++)
        assert_true(w.order[i].is_up && w.order[i].phi == 1);
    mr_assert_near(meter_w(), before_w, 1e-3, 0);
    end();
}

/* Pumps of one row stop for 12 s: those racks slow down, the others never know. Forever: their
 * packages go off, the instances are down, and come back with the coolant. */
MR_TEST(lost_pumps)
{
    begin_at(1, 1000);
    play(60);
    mr_plant_set_outage(mr_exchange_plant(w.exchange), mr_exchange_plant_state(w.exchange),
                        MR_PLANT_OUT_PUMPS, 0, 1);
    play(72);
    mr_plant_set_outage(mr_exchange_plant(w.exchange), mr_exchange_plant_state(w.exchange),
                        MR_PLANT_OUT_PUMPS, 0, 0);
    play(200);
    assert_true(w.n_thermal > 0 && w.phi_min < 1 && w.n_down == 0);
    assert_true(w.order[0].phi == 1 && w.order[0].reason == MR_EXCHANGE_NONE);
    assert_true(mr_exchange_rack(w.exchange, 7)->phi_min == 1);
    mr_plant_set_outage(mr_exchange_plant(w.exchange), mr_exchange_plant_state(w.exchange),
                        MR_PLANT_OUT_PUMPS, 0, 1);
    play(860); /* packages try again ten minutes after they went off */
    for (int i = 0; i < n_instance; i++)
        assert_int_equal(w.order[i].is_up, i >= n_instance / 2);
    mr_plant_set_outage(mr_exchange_plant(w.exchange), mr_exchange_plant_state(w.exchange),
                        MR_PLANT_OUT_PUMPS, 0, 0);
    play(3600);
    for (int i = 0; i < n_instance; i++)
        assert_true(w.order[i].is_up && w.order[i].phi == 1);
    struct mr_exchange_sums sums;
    mr_exchange_sums(w.exchange, &sums);
    assert_true(sums.die_max_c > 90 && sums.die_max_c < 120 && sums.down_package_s > 288 * 600);
    end();
}

MR_TEST(a_leaking_tray_takes_its_instance)
{
    begin_at(1, 700);
    play(60);
    assert_int_equal(mr_plant_leak(mr_exchange_plant(w.exchange),
                                   mr_exchange_plant_state(w.exchange), 1, MR_LEAK_SCOPE_TRAY,
                                   NULL),
                     MR_OK);
    play(600);
    for (int i = 0; i < n_instance; i++)
        assert_int_equal(w.order[i].is_up, i != 2); /* the first of rack 1 */
    end();
}

MR_TEST(without_grid_all_are_down_until_it_is_back)
{
    begin_at(1, 700);
    play(60);
    const double before_w = mr_exchange_rack(w.exchange, 0)->drawn_w;
    mr_supply_set_voltage(mr_exchange_supply(w.exchange), 0);
    play(2400); /* the batteries of the UPS last some twenty minutes */
    for (int i = 0; i < n_instance; i++)
        assert_false(w.order[i].is_up);
    assert_true(mr_exchange_rack(w.exchange, 0)->drawn_w < 1);
    mr_supply_set_voltage(mr_exchange_supply(w.exchange), 1);
    play(5000);
    for (int i = 0; i < n_instance; i++)
        assert_true(w.order[i].is_up);
    mr_assert_near(mr_exchange_rack(w.exchange, 0)->drawn_w, before_w, 0.01, 0);
    end();
}

/* Pumps outlive the grid behind the batteries of their racks, and are paid for by them; when those
 * are empty pumps stand still. Fans and compressors stop at once. What storages gave counts. */
MR_TEST(cooling_without_grid_is_paid_for)
{
    struct mr_exchange_sums before, during, after;
    begin_at(1, 700);
    play(60);
    mr_exchange_sums(w.exchange, &before);
    const struct mr_plant_state *heat = mr_exchange_plant_state(w.exchange);
    const double pumps_w = heat->group[0].electric_w + heat->group[1].electric_w;
    mr_supply_set_voltage(mr_exchange_supply(w.exchange), 0);
    mr_exchange_look(w.exchange);
    play(360);
    mr_exchange_sums(w.exchange, &during);
    const double house_w = (during.house_j - before.house_j) / 300;
    assert_true(pumps_w > 1e3 && house_w > pumps_w); /* and those of the facility loop */
    assert_true(heat->group[0].electric_w > 0 && during.closure_rel < 1e-9);
    assert_true(during.site_j < before.site_j * 1.01); /* the meter stands still */
    assert_true(during.used_j > during.it_j && during.used_j > 3 * during.site_j);
    mr_assert_near(during.energy_usd / during.used_j, before.energy_usd / before.used_j, 0.05, 0);
    play(2400); /* empty */
    mr_exchange_sums(w.exchange, &after);
    assert_true(heat->group[0].electric_w == 0 && after.closure_rel < 1e-9);
    assert_true(after.unfed_j < 2 * house_w); /* of one interval at most */
    const double house_j = after.house_j;
    play(2460);
    mr_exchange_sums(w.exchange, &after);
    assert_true(after.house_j == house_j);
    mr_supply_set_voltage(mr_exchange_supply(w.exchange), 1);
    mr_exchange_look(w.exchange);
    play(3000);
    assert_true(heat->group[0].electric_w > 0);
    mr_exchange_sums(w.exchange, &after);
    assert_true(after.used_j > after.it_j);
    end();
}

/* A hall whose transformers fail has no air handlers; another hall, and heat rejection, run on. */
MR_TEST(cooling_stops_where_it_is_dark)
{
    begin_in(true, 1, 700);
    play(600);
    const struct mr_plant_state *heat = mr_exchange_plant_state(w.exchange);
    double fan_j[2], loop_j = 0, loops_j = 0;
    for (uint32_t i = 0; i < w.site->n_power; i++)
        if (w.site->power[i].kind == MR_SITE_POWER_UNIT && w.site->power[i].hall == 1)
            mr_supply_set_failed(mr_exchange_supply(w.exchange), i, true);
    mr_exchange_look(w.exchange);
    for (int h = 0; h < 2; h++)
        fan_j[h] = mr_sum_of(heat->hall[h].room.fan_j);
    for (uint32_t l = 0; l < mr_exchange_plant(w.exchange)->n_loop; l++)
        loop_j += heat->loop[l].fan_j + heat->loop[l].work_j;
    assert_true(fan_j[0] > 0 && fan_j[1] > 0 && loop_j > 0);
    play(1200);
    for (uint32_t l = 0; l < mr_exchange_plant(w.exchange)->n_loop; l++)
        loops_j += heat->loop[l].fan_j + heat->loop[l].work_j;
    assert_true(mr_sum_of(heat->hall[1].room.fan_j) == fan_j[1]);
    assert_true(mr_sum_of(heat->hall[0].room.fan_j) > 1.5 * fan_j[0] && loops_j > 1.5 * loop_j);
    for (uint32_t i = 0; i < w.site->n_power; i++)
        mr_supply_set_failed(mr_exchange_supply(w.exchange), i, false);
    mr_exchange_look(w.exchange);
    play(1800);
    assert_true(mr_sum_of(heat->hall[1].room.fan_j) > fan_j[1]);
    end();
}

/* What feeds have given a rack is its heat, joule by joule, from the start on; a rack that loses
 * its feed is off by an interval at most. */
MR_TEST(what_racks_were_fed_is_their_heat)
{
    struct mr_exchange_sums sums;
    begin_at(1, 700);
    play(600);
    const struct mr_plant_state *heat = mr_exchange_plant_state(w.exchange);
    for (uint32_t r = 0; r < 8; r++) {
        assert_true(heat->rack[r].in_j > 1e6);
        mr_assert_near(mr_supply_rack_j(mr_exchange_supply(w.exchange), r), heat->rack[r].in_j,
                       1e-12, 0);
    }
    mr_exchange_sums(w.exchange, &sums);
    assert_true(sums.astray_j == 0);
    const double interval_j = 1.5 * sums.it_j / 600; /* of all racks */
    for (uint32_t i = 0; i < w.site->n_power; i++)
        if (w.site->power[i].kind == MR_SITE_POWER_RPP)
            mr_supply_set_failed(mr_exchange_supply(w.exchange), i, true);
    play(900);
    for (uint32_t i = 0; i < w.site->n_power; i++)
        mr_supply_set_failed(mr_exchange_supply(w.exchange), i, false);
    play(1500);
    mr_exchange_sums(w.exchange, &sums);
    assert_true(sums.astray_j > 0 && sums.astray_j < 2 * interval_j && sums.closure_rel < 1e-9);
    end();
}

/* Energies that do not close are no answer. */
MR_TEST(sums_that_do_not_close_are_refused)
{
    struct mr_exchange_sums sums = {.closure_rel = 0.9e-6};
    struct mr_err err = {0};
    assert_int_equal(mr_exchange_sums_check(&sums, "t", &err), MR_OK);
    sums.closure_rel = 1.5e-6;
    assert_int_equal(mr_exchange_sums_check(&sums, "t", &err), MR_DIVERGED);
    mr_assert_contains(err.text, "t: energies do not close: 1.5e-06 of what passed through");
}

/* Half the tick: the same answers. */
MR_TEST(ticks_do_not_matter)
{
    double site_j[2], capped_s[2];
    for (int k = 0; k < 2; k++) {
        begin_at(k == 0 ? 1 : 0.5, 900);
        play(600);
        const struct mr_feed_target target = {
            .start_s = 630, .end_s = 1800, .limit_w = 0.8 * meter_w()};
        struct mr_err err = {0};
        assert_int_equal(mr_supply_set_target(mr_exchange_supply(w.exchange), &target, &err),
                         MR_OK);
        play(1000);
        mr_plant_set_outage(mr_exchange_plant(w.exchange), mr_exchange_plant_state(w.exchange),
                            MR_PLANT_OUT_PUMPS, 1, 1);
        play(1010);
        mr_plant_set_outage(mr_exchange_plant(w.exchange), mr_exchange_plant_state(w.exchange),
                            MR_PLANT_OUT_PUMPS, 1, 0);
        play(2400);
        struct mr_exchange_sums sums;
        mr_exchange_sums(w.exchange, &sums);
        site_j[k] = sums.site_j;
        capped_s[k] = sums.capped_package_s;
        end();
    }
    mr_assert_near(site_j[1], site_j[0], 0.005, 0);
    mr_assert_near(capped_s[1], capped_s[0], 0.005, 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_quiet_hall), MR_TEST_ENTRY(packages_of_a_rack_lend_to_each_other),
             MR_TEST_ENTRY(smoothing_in_the_loop), MR_TEST_ENTRY(the_lower_tier_goes_first),
             MR_TEST_ENTRY(lost_pumps), MR_TEST_ENTRY(a_leaking_tray_takes_its_instance),
             MR_TEST_ENTRY(without_grid_all_are_down_until_it_is_back),
             MR_TEST_ENTRY(cooling_without_grid_is_paid_for),
             MR_TEST_ENTRY(cooling_stops_where_it_is_dark),
             MR_TEST_ENTRY(what_racks_were_fed_is_their_heat),
             MR_TEST_ENTRY(sums_that_do_not_close_are_refused), MR_TEST_ENTRY(ticks_do_not_matter))
