/* SPDX-License-Identifier: Apache-2.0 */
/* power/supply and what stores: batteries that carry, refill, hold ramps and shave peaks; smoothing
 * in racks. */
#include "power/series.h"
#include "tests/power/supply_bed.h"

/* Nobody's contract is in the way of batteries that refill: what racks leave of the transformers
 * is, all of them behind one and each behind its own. */
MR_TEST(batteries_refill_within_the_transformers)
{
    struct mr_supply_options o = options();
    o.params.return_s = 0;
    o.params.ups_s = 120;
    begin("<layout name=\"s\"><grid limit=\"100 MW\"/><power><substation units=\"1\" rating=\"10 "
          "MW\" "
          "spare=\"0\"/></power>" HALL HALL "</layout>",
          &o);
    want_all(128e3);
    mr_supply_advance(world.supply, 60);
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 120);
    mr_supply_set_voltage(world.supply, 1);
    mr_supply_advance(world.supply, 7200);
    assert_true(count("power.stage_overload") == 0 && count("power.rack_lost") == 0);
    mr_assert_near(now().storage_soc_frac, 1, 1e-9, 0);
    assert_true(totals().storage_in_j > 0.9 * totals().storage_out_j &&
                totals().storage_out_j > 4e8);
    end(1e-12);
}

/* The contract binds all the time: batteries refill with the share that racks leave them, nobody is
 * above it, and racks have all of it again when they are full. */
MR_TEST(batteries_refill_under_a_limit_that_binds)
{
    for (int refills = 0; refills < 2; refills++) {
        struct mr_supply_options o = options();
        o.params.ups_s = 120;
        if (refills == 0)
            o.params.ups_refill_frac = 0;
        begin("<layout name=\"s\"><grid limit=\"3.5 MW\"/>" HALL "</layout>", &o);
        want_all(128e3);
        mr_supply_advance(world.supply, 600);
        const double before_w = now().rack_w;
        mr_supply_set_voltage(world.supply, 0);
        mr_supply_advance(world.supply, 660);
        mr_supply_set_voltage(world.supply, 1);
        mr_supply_advance(world.supply, 900);
        const double soc = now().storage_soc_frac;
        assert_true(soc < 0.8);
        for (double t_s = 900; t_s < 2 * 3600; t_s += 10) {
            mr_supply_advance(world.supply, t_s);
            assert_true(now().grid_w <= 3.5e6 && now().rack_w > 0.97 * before_w);
        }
        mr_supply_advance(world.supply, 4 * 3600);
        mr_assert_near(now().storage_soc_frac, refills ? 1 : soc, 1e-3, 0);
        mr_assert_near(now().rack_w, before_w, 1e-3, 0);
        assert_true(now().n_rack_on == 32 && totals().n_breach == 0);
        end(1e-9);
    }
}

MR_TEST(batteries_end_and_racks_come_back_under_the_ramp_limit)
{
    struct mr_supply_options o = options();
    o.params.ups_s = 120;
    begin("<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"2 MW/min\"/>" HALL "</layout>", &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 600);
    const double steady_w = now().grid_w;
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 1200);
    struct mr_supply_reading r = now();
    assert_true(r.n_rack_on == 0 && r.rack_w == 0);
    assert_int_equal(count("power.rack_lost"), 32);
    assert_true(count("power.source_short") >= 1);
    const uint64_t n_before = totals().n_ramp; /* the loss itself is as fast as it is */
    mr_supply_set_voltage(world.supply, 1);
    double last_w = 0, rise_w = 0;
    for (int minute = 1; minute <= 15; minute++) {
        mr_supply_advance(world.supply, 1200 + 60 * minute);
        rise_w = fmax(rise_w, now().rack_w - last_w);
        last_w = now().rack_w;
    }
    r = now();
    assert_int_equal(r.n_rack_on, 32);
    assert_true(rise_w <= 2e6 && rise_w > 1e6);
    assert_int_equal(totals().n_ramp, n_before);
    assert_true(r.grid_w >= steady_w); /* batteries charge */
    /* dark for the outage less what batteries gave, and the restart */
    assert_true(totals().dark_j > 3.84e6 * (600 - 200));
    end(1e-9);
}

/* Smoothing: a fall of all packages burns, holds its floor, then leaves at the ramp: the corners
 * and the joules of one package, 72 times per rack. */
MR_TEST(smoothing_in_the_racks)
{
    struct mr_supply_options o = options();
    o.params.smooth.is_on = true;
    begin(plain, &o);
    const double high_w = 132e3, floor_w = 0.65 * high_w, n = 72;
    want_all(120e3);
    mr_supply_advance(world.supply, 10);
    mr_assert_near(now().rack_w, 32 * 120e3, 1e-12, 0);
    want_all(20e3);
    /* down at 500 W/s a package: the floor after (120 - 85.8) / 36 = 0.95 s, left at 2 s */
    const double down_w_s = 500 * n, to_floor_s = (120e3 - floor_w) / down_w_s;
    for (double t_s = 0.1; t_s < 7; t_s += 0.1) {
        mr_supply_advance(world.supply, 10 + t_s);
        const double w = t_s < to_floor_s ? 120e3 - down_w_s * t_s
                         : t_s < 2        ? floor_w
                                          : fmax(20e3, floor_w - down_w_s * (t_s - 2));
        mr_assert_near(now().rack_w, 32 * w, 1e-9, 0);
    }
    const double burn_j = 0.5 * (100e3 + floor_w - 20e3) * to_floor_s +
                          (floor_w - 20e3) * (2 - to_floor_s) +
                          0.5 * (floor_w - 20e3) * (floor_w - 20e3) / down_w_s;
    mr_assert_near(totals().burn_j, 32 * burn_j, 1e-9, 0);
    assert_true(totals().delayed_j < 1e-6 * burn_j);
    want_all(120e3); /* up at 1 kW/s a package */
    mr_supply_advance(world.supply, 10 + 7);
    const double rate = mr_supply_rack_rate(world.supply, 5);
    assert_true(rate > 0.1 && rate < 1);
    mr_supply_advance(world.supply, 60);
    mr_assert_near(totals().delayed_j, 32 * 0.5 * 100e3 * 100e3 / (1000 * n), 1e-9, 0);
    mr_assert_near(totals().unserved_j, totals().delayed_j, 1e-9, 0);
    end(1e-12);
}

/* A jump of 1.2 MW on a connection of 0.6 MW/min: the battery carries a triangle of two minutes. */
MR_TEST(battery_plant_holds_the_ramp)
{
    struct mr_supply_options o = options();
    o.params.refill_frac = 0.7;
    begin("<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"0.6 MW/min\" voltage=\"20 kV\"/>"
          "<power><bess rating=\"1 MW\" units=\"2\" duration=\"1 h\"/></power>" HALL "</layout>",
          &o);
    want_all(60e3);
    mr_supply_advance(world.supply, 3600);
    const double low_w = now().grid_w, before_j = totals().storage_out_j;
    assert_true(now().storage_w == 0);
    want_all(60e3 + 1.2e6 / 32);
    double last_w = low_w;
    for (int t = 0; t < 300; t++) {
        mr_supply_advance(world.supply, 3600 + t + 1);
        assert_true(now().grid_w - last_w <= (t == 0 ? 20e3 : 10e3) * (1 + 1e-9)); /* two stairs */
        last_w = now().grid_w;
    }
    const double rise_w = last_w - low_w;
    assert_true(rise_w > 1.2e6 && rise_w < 1.4e6);
    /* a stair stands above the line by half a step: 0.5 x 1 s x the jump */
    mr_assert_near(totals().storage_out_j - before_j, 0.5 * rise_w * rise_w / 10e3, 0, rise_w);
    want_all(60e3);
    for (int t = 300; t < 600; t++) {
        mr_supply_advance(world.supply, 3600 + t + 1);
        assert_true(last_w - now().grid_w <= (t == 300 ? 20e3 : 10e3) * (1 + 1e-9));
        last_w = now().grid_w;
    }
    assert_int_equal(totals().n_ramp, 0);
    end(1e-9);
    o.params.assists = false;
    begin("<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"0.6 MW/min\" voltage=\"20 kV\"/>"
          "<power><bess rating=\"1 MW\" units=\"2\" duration=\"1 h\"/></power>" HALL "</layout>",
          &o);
    want_all(60e3);
    mr_supply_advance(world.supply, 3600);
    want_all(60e3 + 1.2e6 / 32);
    mr_supply_advance(world.supply, 4000);
    assert_true(totals().n_ramp > 0);
    end(1e-9);
}

MR_TEST(battery_plant_shaves_the_peak)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"5 MW\" voltage=\"20 kV\"/>"
          "<power><bess rating=\"1 MW\" units=\"2\" duration=\"1 h\"/></power>" HALL "</layout>",
          &o);
    want_all(100e3);
    mr_supply_advance(world.supply, 600);
    assert_true(now().storage_w == 0);
    mr_supply_set_house(world.supply, 0, 2e6); /* a hot hour: 5.2 MW and losses */
    mr_supply_advance(world.supply, 1200);
    struct mr_supply_reading r = now();
    assert_true(r.storage_w < -0.3e6 && r.grid_w < 5e6);
    mr_supply_set_house(world.supply, 0, 0);
    mr_supply_advance(world.supply, 7200);
    r = now();
    mr_assert_near(totals().storage_change_j, 0, 0, 1e-9 * r.storage_j); /* filled again */
    assert_true(totals().storage_loss_j > 0);
    end(1e-9);
}

/* The moment at which a plant stands where it rests is found, not met by chance. */
MR_TEST(battery_plant_fills_to_where_it_rests)
{
    struct mr_supply_options o = options();
    o.params.refill_frac = 0.99;
    begin("<layout name=\"s\"><grid limit=\"5 MW\" voltage=\"20 kV\"/>"
          "<power><bess rating=\"1 MW\" units=\"2\" duration=\"1 h\"/></power>" HALL "</layout>",
          &o);
    want_all(100e3);
    mr_supply_advance(world.supply, 600);
    const double full_j = now().storage_j;
    mr_supply_set_house(world.supply, 0, 2e6);
    mr_supply_advance(world.supply, 1200);
    mr_supply_set_house(world.supply, 0, 0);
    mr_supply_advance(world.supply, 7200.5);
    assert_true(now().storage_w == 0);
    mr_assert_near(full_j - now().storage_j, 0.01 * 7.2e9 / 0.95, 1e-6, 0); /* of its window */
    end(1e-9);
}

/* A set that comes to the bus while the plant carries it, at its least load, fills the plant within
 * the step: then it gives what is asked for, and nothing that nobody takes. */
MR_TEST(a_set_gives_no_more_than_is_taken)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"5 MW\" voltage=\"20 kV\"/>"
          "<power ups=\"none\"><generator rating=\"2 MW\" units=\"3\"/><bess rating=\"6 MW\" "
          "units=\"1\" energy=\"1 MWh\"/></power>" HALL "</layout>",
          &o);
    want_all(1e3);
    mr_supply_advance(world.supply, 600);
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 1200);
    assert_true(totals().generator_j > 0);
    assert_true(count("power.buffer_full") > 0);
    end(1e-9);
}

/* Racks ask for more than the connection gives and have it, as long as the plant gives the rest
 * from above its reserve; caps have come before it is down there, and nothing is above the limit at
 * any time. What has little charge is no room: not before it is half full again. */
MR_TEST(racks_have_what_a_battery_plant_shaves)
{
    struct mr_supply_options o = options();
    const double limit_w = 3.8e6, floor_j = 0.1 * 720e6 / (0.8 * 0.95);
    begin("<layout name=\"s\"><grid limit=\"3.8 MW\" voltage=\"20 kV\"/><power ups=\"none\"><bess "
          "rating=\"1 MW\" units=\"1\" energy=\"200 kWh\"/></power>" HALL "</layout>",
          &o);
    want_all(128e3);
    mr_supply_advance(world.supply, 1);
    const double need_w = -now().storage_w;
    assert_true(need_w > 0.3e6 && need_w < 0.6e6 && now().n_rack_capped == 0);
    const double lasts_s = 720e6 / need_w;
    for (double t_s = 2; t_s < lasts_s - 60; t_s++) {
        mr_supply_advance(world.supply, t_s);
        assert_true(now().grid_w <= limit_w && now().n_rack_capped == 0);
    }
    for (double t_s = lasts_s - 60; t_s < lasts_s + 600; t_s++) {
        mr_supply_advance(world.supply, t_s);
        assert_true(now().grid_w <= limit_w);
    }
    assert_true(now().n_rack_capped == 32 && now().storage_w > -1e3);
    assert_true(now().storage_j >= floor_j && now().storage_j < floor_j + 1e6);
    assert_true(totals().n_breach == 0 && count("power.buffer_empty") == 0);
    double t_s = lasts_s + 600, at_s = t_s;
    want_all(100e3); /* it charges */
    for (; t_s < at_s + 120; t_s++)
        mr_supply_advance(world.supply, t_s);
    want_all(128e3);
    for (at_s = t_s; t_s < at_s + 30; t_s++) { /* what caps are late for is shaved */
        mr_supply_advance(world.supply, t_s);
        assert_true(now().grid_w <= limit_w);
    }
    assert_true(now().n_rack_capped == 32 && now().storage_j > floor_j + 5e6);
    want_all(100e3);
    mr_supply_advance(world.supply, t_s += 3600);
    want_all(128e3);
    mr_supply_advance(world.supply, t_s + 60);
    assert_true(now().n_rack_capped == 0 && now().grid_w <= limit_w);
    mr_assert_near(-now().storage_w, need_w, 1e-9, 0);
    end(1e-9);
}

/* A plant that never charges again leaves racks what they would have without it. */
MR_TEST(a_plant_that_is_empty_is_no_room)
{
    struct mr_supply_options o = options();
    o.params.refill_frac = 0;
    begin("<layout name=\"s\"><grid limit=\"4 MW\" voltage=\"20 kV\"/><power><bess "
          "rating=\"1 MW\" units=\"1\" energy=\"20 kWh\"/></power>" HALL "</layout>",
          &o);
    want_all(128e3);
    mr_supply_advance(world.supply, 3600);
    const double empty_w = now().rack_w;
    assert_true(now().n_rack_capped == 32 && now().grid_w <= 4e6);
    end(1e-9);
    begin("<layout name=\"s\"><grid limit=\"4 MW\" voltage=\"20 kV\"/>" HALL "</layout>", &o);
    want_all(128e3);
    mr_supply_advance(world.supply, 3600);
    mr_assert_near(empty_w, now().rack_w, 1e-3, 0);
    end(1e-9);
}

/* Nothing comes in: the storage gives, then all is dark. */
MR_TEST(a_storage_alone_closes)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"o\"><power chain=\"none\" redundancy=\"N\"><solar name=\"a\" "
          "rating=\"6 MW\" voltage=\"800 V\"/><bess name=\"b\" rating=\"6 MW\" units=\"1\" "
          "energy=\"2 MWh\" voltage=\"800 V\"/><busway per=\"site\" name=\"bus\" rating=\"6 MW\" "
          "units=\"1\" voltage=\"800 V\" parent=\"a b\"/></power>" HALL "</layout>",
          &o);
    want_all(100e3);
    mr_supply_advance(world.supply, 86400);
    assert_true(now().n_rack_on == 0);
    mr_assert_near(totals().storage_out_j, 7.2e9, 1e-9, 0);
    end(1e-12);
}

/* Racks go first: what charges gives way at once, so it is no reason to cap anybody. */
MR_TEST(charging_leaves_racks_their_power)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"8 MW\"/><power ups=\"none\"><bess rating=\"6 MW\" "
          "energy=\"1 MWh\" units=\"1\"/></power>" HALL "</layout>",
          &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 300);
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 1500);
    assert_true(now().n_rack_on == 0 && now().storage_soc_frac < 0.2);
    const uint64_t n_overload = totals().n_overload;
    mr_supply_set_voltage(world.supply, 1);
    mr_supply_advance(world.supply, 1531); /* the voltage is trusted, racks wait */
    assert_true(now().storage_w > 5.9e6 && now().rack_w == 0);
    for (double t_s = 1560; t_s <= 1800; t_s += 10) {
        mr_supply_advance(world.supply, t_s);
        const struct mr_supply_reading r = now();
        mr_assert_near(r.rack_w, 32 * 120e3, 1e-12, 0);
        assert_true(r.n_rack_capped == 0 && r.n_rack_held == 0 && r.grid_w <= 8e6);
        mr_assert_near(r.grid_w, 0.99 * 8e6, 1e-3, 0); /* the battery has all the rest */
        assert_true(r.storage_w > 3e6);
    }
    assert_true(totals().capped_j == 0 && totals().n_suspended == 0 &&
                totals().n_overload == n_overload);
    end(1e-9);
}

/* A plant and batteries of supplies fill again beside racks that draw what all may, and cooling
 * steps up and down: these batteries give way before the plant gives, and nobody answers what
 * others have just answered, so what an instant shows in between is no overload. */
MR_TEST(storages_share_one_room)
{
    struct mr_supply_options o = options();
    o.params.ride.return_delay_s = 0;
    begin("<layout name=\"s\"><grid limit=\"4.7 MW\"/><power><bess rating=\"500 kW\" "
          "energy=\"200 kWh\" units=\"1\"/></power>" HALL "</layout>",
          &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 300);
    assert_true(now().n_rack_capped == 0 && now().grid_w > 4e6 && now().grid_w < 4.3e6);
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 310);
    mr_supply_set_voltage(world.supply, 1);
    mr_supply_advance(world.supply, 312);
    const uint64_t n_before = totals().n_overload;
    const double calm_w = now().grid_w - now().storage_w;
    const double room_w = 4.7e6 * 0.99 - calm_w;
    for (int k = 0; k < 30; k++) {
        const double house_w = k % 2 == 0 ? 0.3 * room_w : 0;
        mr_supply_set_house(world.supply, MR_SITE_NONE, house_w);
        mr_supply_advance(world.supply, 313 + k);
        assert_true(now().grid_w <= 4.7e6 * (1 + 1e-12));
        assert_true(now().storage_w > 0.5 * room_w && now().storage_w < room_w + 1);
    }
    mr_supply_set_house(world.supply, MR_SITE_NONE, 1.2 * room_w); /* the plant gives */
    mr_supply_advance(world.supply, 345);
    assert_true(now().grid_w <= 4.7e6 && now().storage_w < -0.1 * room_w);
    assert_int_equal(totals().n_overload, n_before);
    end(1e-9);
}

/* Supplies carry more than the connection may: as it is back, they go on until caps that count it
 * hold. Where racks ask for no more than it gives, or no battery would last so long, none waits. */
MR_TEST(racks_carried_come_back_under_their_caps)
{
    for (int k = 0; k < 3; k++) {
        struct mr_supply_options o = options();
        o.params.ride.return_delay_s = 0;
        o.params.ups_s = k == 2 ? 12 : 300;
        begin(k == 1 ? "<layout name=\"s\"><grid limit=\"6 MW\"/>" HALL "</layout>"
                     : "<layout name=\"s\"><grid limit=\"3 MW\"/>" HALL "</layout>",
              &o);
        want_all(120e3);
        mr_supply_advance(world.supply, 300);
        mr_supply_set_voltage(world.supply, 0);
        mr_supply_advance(world.supply, 320);
        mr_supply_set_voltage(world.supply, 1);
        mr_supply_advance(world.supply, 320.5);
        assert_true(now().has_grid == (k > 0));
        for (double t_s = 321; t_s < 400; t_s += 0.5) {
            mr_supply_advance(world.supply, t_s);
            assert_true(now().grid_w <= (k == 1 ? 6e6 : 3e6) || (k == 2 && t_s < 337));
        }
        assert_true(now().has_grid && now().n_rack_on == 32 && totals().n_lost == 0);
        end(1e-9);
    }
}

/* Hours of 200, 50 and 20 USD/MWh: sold in the first, bought in the third. In the second a plant
 * that rests full waits for its price, one that rests at half of its window goes back there. */
MR_TEST(a_plant_that_buys_by_price_waits_for_it)
{
    const double start_s[] = {0, 3600, 7200}, mwh_j = 3.6e9;
    const double usd_j[] = {200 / mwh_j, 50 / mwh_j, 20 / mwh_j};
    for (int rests_half = 0; rests_half <= 1; rests_half++) {
        struct mr_arena arena = {0};
        struct mr_series price;
        struct mr_err err = {0};
        struct mr_supply_options o = options();
        assert_int_equal(mr_series_of(&arena, start_s, usd_j, 3, 10800, &price, &err), MR_OK);
        o.price = &price;
        o.params.buy_usd_j = 30 / mwh_j;
        o.params.sell_usd_j = 100 / mwh_j;
        o.params.refill_frac = rests_half ? 0.5 : 1;
        begin("<layout name=\"s\"><grid limit=\"9 MW\"/><power><bess rating=\"1 MW\" units=\"2\" "
              "duration=\"30 min\"/></power>" HALL "</layout>",
              &o);
        want_all(120e3);
        mr_supply_advance(world.supply, 3500);
        const double sold_j = totals().storage_out_j;
        assert_true(sold_j > 2e6 * 1800 && now().storage_w == 0);
        mr_supply_advance(world.supply, 7100);
        if (rests_half)
            assert_true(totals().storage_in_j > 0.5 * sold_j &&
                        totals().storage_in_j < 0.6 * sold_j);
        else
            assert_true(totals().storage_in_j == 0 && now().storage_w == 0);
        mr_supply_advance(world.supply, 10700);
        assert_true(totals().storage_in_j > sold_j && totals().storage_out_j == sold_j);
        end(1e-9);
        mr_arena_fini(&arena);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(storages_share_one_room),
             MR_TEST_ENTRY(racks_carried_come_back_under_their_caps),
             MR_TEST_ENTRY(a_plant_that_buys_by_price_waits_for_it),
             MR_TEST_ENTRY(batteries_refill_within_the_transformers),
             MR_TEST_ENTRY(batteries_refill_under_a_limit_that_binds),
             MR_TEST_ENTRY(batteries_end_and_racks_come_back_under_the_ramp_limit),
             MR_TEST_ENTRY(smoothing_in_the_racks), MR_TEST_ENTRY(battery_plant_holds_the_ramp),
             MR_TEST_ENTRY(racks_have_what_a_battery_plant_shaves),
             MR_TEST_ENTRY(a_plant_that_is_empty_is_no_room),
             MR_TEST_ENTRY(battery_plant_shaves_the_peak),
             MR_TEST_ENTRY(battery_plant_fills_to_where_it_rests),
             MR_TEST_ENTRY(a_set_gives_no_more_than_is_taken),
             MR_TEST_ENTRY(a_storage_alone_closes),
             MR_TEST_ENTRY(charging_leaves_racks_their_power))
