/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/plant_outage: what fails and overlaps, leaks by the dozen, headers and valves, states
 * that no plant can have. */
#include "thermal/plant_outage.h"

#include "engine/base/fmath.h"
#include "tests/thermal/plant_site.h"

static void lose(struct fixture *f, int kind, uint32_t part, double value)
{
    mr_plant_set_outage(f->plant, f->state, kind, part, value);
}

static struct mr_plant_rack_row row_of(const struct fixture *f, uint32_t rack)
{
    struct mr_plant_rack_row row;
    mr_plant_rack_row(f->plant, f->state, rack, &row);
    return row;
}

/* The utility comes back while a group's pumps are out for a reason of their own. */
MR_TEST(utility_brings_back_only_what_it_took)
{
    struct fixture f;
    open_site(&f, ROW(COOL));
    set_weather(&f, 25, NULL);
    f.params.has_ups_pumps = false;
    build(&f, NULL, 0);
    load(&f, 60e3);
    assert_int_equal(mr_plant_settle(f.plant, f.state, NULL), MR_OK);
    lose(&f, MR_PLANT_OUT_PUMPS, 0, 1);
    lose(&f, MR_PLANT_OUT_UTILITY, 0, 1);
    mr_plant_advance(f.plant, f.state, 20);
    lose(&f, MR_PLANT_OUT_UTILITY, 0, 0);
    mr_plant_advance(f.plant, f.state, 400);
    assert_true(row_of(&f, 0).flow_m3_s == 0 && row_of(&f, 5).flow_m3_s > 0);
    lose(&f, MR_PLANT_OUT_PUMPS, 0, 0);
    mr_plant_advance(f.plant, f.state, 800);
    assert_true(row_of(&f, 0).flow_m3_s > 0);
    close_site(&f);
}

MR_TEST(units_lost_are_counted_in_all)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 60e3);
    assert_true(mr_plant_outage_most(f.plant, MR_PLANT_OUT_UNITS, 0) == 2);
    lose(&f, MR_PLANT_OUT_UNITS, 0, 2);
    mr_plant_advance(f.plant, f.state, 100);
    assert_true(row_of(&f, 0).flow_m3_s == 0);
    lose(&f, MR_PLANT_OUT_UNITS, 0, 1);
    mr_plant_advance(f.plant, f.state, 300);
    assert_true(f.state->group[0].n_running == 1 && row_of(&f, 0).flow_m3_s > 0);
    lose(&f, MR_PLANT_OUT_UNITS, 0, 0);
    assert_true(f.state->group[0].n_running == 2);
    close_site(&f);
}

/* Every tray of every rack leaks: far more cohorts than the plant had room for. */
MR_TEST(every_tray_leaks)
{
    struct fixture f;
    open_site(&f, ROW(COOL));
    set_weather(&f, 25, NULL);
    f.params.n_cohort = 0;
    f.params.leak.repair_s = 600;
    build(&f, NULL, 0);
    load(&f, 132e3);
    assert_int_equal(mr_plant_settle(f.plant, f.state, NULL), MR_OK);
    const uint32_t n_tray = f.plant->rack[0].n_tray;
    assert_int_equal(n_tray, 18);
    for (int turn = 0; turn < 2; turn++) {
        const double from_s = turn * 3000.0;
        mr_plant_advance(f.plant, f.state, from_s);
        for (uint32_t t = 0; t < n_tray; t++) {
            for (uint32_t i = 0; i < f.plant->n_rack; i++)
                assert_int_equal(mr_plant_leak(f.plant, f.state, i, MR_LEAK_SCOPE_TRAY, NULL),
                                 MR_OK);
            mr_plant_advance(f.plant, f.state, from_s + 10 * (t + 1));
            for (uint32_t i = 0; i < f.plant->n_rack; i++)
                assert_int_equal(row_of(&f, i).n_off, 4 * (t + 1));
            mr_assert_near(row_of(&f, 1).power_w, 132e3 * (17 - t) / 18, 0.02, 1e-6);
        }
        assert_int_equal(f.state->n_cohort, 6 * 18); /* the second time they are there already */
        check_energy(&f, 1e-10);
    }
    mr_plant_advance(f.plant, f.state, 6000);
    for (uint32_t i = 0; i < f.plant->n_rack; i++)
        assert_int_equal(row_of(&f, i).n_off, 0);
    check_energy(&f, 1e-10);
    close_site(&f);
}

/* A tray's leak is repaired while the whole rack is cut off: it stays off. */
MR_TEST(leaks_overlap)
{
    struct fixture f;
    open_site(&f, ROW(COOL));
    set_weather(&f, 25, NULL);
    f.params.leak.repair_s = 100;
    build(&f, NULL, 0);
    load(&f, 100e3);
    assert_int_equal(mr_plant_settle(f.plant, f.state, NULL), MR_OK);
    assert_int_equal(mr_plant_leak(f.plant, f.state, 2, MR_LEAK_SCOPE_TRAY, NULL), MR_OK);
    mr_plant_advance(f.plant, f.state, 50);
    assert_int_equal(row_of(&f, 2).n_off, 4);
    assert_int_equal(mr_plant_leak(f.plant, f.state, 2, MR_LEAK_SCOPE_RACK, NULL), MR_OK);
    mr_plant_advance(f.plant, f.state, 130); /* the tray is repaired at 111, the rack at 161 */
    const struct mr_plant_rack_row cut = row_of(&f, 2);
    assert_true(cut.n_off == 72 && cut.power_w == 0 && cut.flow_m3_s == 0);
    assert_true(cut.is_liquid_isolated && cut.is_power_isolated && !cut.is_tray_leaking);
    mr_plant_advance(f.plant, f.state, 2000);
    const struct mr_plant_rack_row back = row_of(&f, 2);
    assert_true(back.n_off == 0 && !back.is_leaking && back.valve_frac == 1);
    mr_assert_near(back.power_w, 100e3, 0.01, 0);
    close_site(&f);
}

MR_TEST(blind_detectors_see_nothing)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 100e3);
    lose(&f, MR_PLANT_OUT_SENSOR, 4, 1);
    assert_int_equal(mr_plant_leak(f.plant, f.state, 4, MR_LEAK_SCOPE_RACK, NULL), MR_OK);
    mr_plant_advance(f.plant, f.state, 500);
    assert_true(f.n_event[MR_PLANT_LEAK] == 0 && row_of(&f, 4).is_sensor_faulty);
    lose(&f, MR_PLANT_OUT_SENSOR, 4, 0);
    mr_plant_advance(f.plant, f.state, 600);
    mr_assert_near(f.first_s[MR_PLANT_LEAK], 501, 1e-12, 0);
    close_site(&f);
}

/* Half of the pressure gives a rack 0.5^(1/1.85) = 0.6875 of its flow. */
MR_TEST(rack_flow_follows_the_header)
{
    struct fixture f;
    const struct mr_plant_set set[] = {{"cdu", "header", "60 kPa"}, /* 60 + 60 kPa are needed */
                                       {"cdu", "flow.least", "1"}};
    open_site(&f, ROW(COOL));
    set_weather(&f, 25, NULL);
    build(&f, set, 2);
    load(&f, 60e3);
    assert_int_equal(mr_plant_settle(f.plant, f.state, NULL), MR_OK);
    mr_plant_advance(f.plant, f.state, 60);
    const struct mr_plant_rack_row row = row_of(&f, 0);
    mr_assert_near(row.flow_m3_s / f.plant->rack[0].manifold.flow_m3_s, mr_pow(0.5, 1 / 1.85),
                   1e-12, 0);
    mr_assert_near(row.flow_m3_s / f.plant->rack[0].manifold.flow_m3_s, 0.6875, 1e-4, 0);
    mr_assert_near(row.header_pa, 60e3, 1e-12, 0);
    mr_assert_near(row.return_c - row.supply_c,
                   0.87 * row.power_w / (0.6875 * 175 / 60e3 * 1010 * 3900), 1e-3, 0);
    close_site(&f);
}

/* Where pumps give half, every rack gets half, and the pressure falls with the power 1.85. One rack
 * whose valve closes leaves the others theirs while the pumps hold the pressure. */
MR_TEST(racks_share_a_header)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 132e3);
    const double full_m3_s = row_of(&f, 0).flow_m3_s;
    lose(&f, MR_PLANT_OUT_VALVE, 0, 1);
    mr_plant_advance(f.plant, f.state, 60); /* half of the stroke: 1/50^0.5 of its width */
    const double open = mr_pow(50, -0.5), own = mr_pow(120 / (60 + 60 / (open * open)), 1 / 1.85);
    mr_assert_near(row_of(&f, 0).flow_m3_s / full_m3_s, own, 0.026, 0);
    mr_assert_near(row_of(&f, 0).valve_frac, 0.5, 1e-9, 0);
    mr_plant_advance(f.plant, f.state, 200);
    assert_true(row_of(&f, 0).valve_frac == 0 && row_of(&f, 0).flow_m3_s == 0);
    mr_assert_near(row_of(&f, 1).flow_m3_s, full_m3_s, 1e-9, 0);
    mr_assert_near(mr_cdu_group_flow(&f.state->group[0]), 2.0 / 3, 1e-9, 0);
    lose(&f, MR_PLANT_OUT_UNITS, 0, 2);
    lose(&f, MR_PLANT_OUT_UNITS, 0, 0);
    mr_plant_advance(f.plant, f.state, 1000);
    mr_assert_near(row_of(&f, 1).flow_m3_s, full_m3_s, 1e-9, 0);
    close_site(&f);
}

/* Watts of the rest of racks that no shutdown of packages takes away. */
MR_TEST(no_plant_is_like_that)
{
    struct fixture f;
    struct mr_err err = {0};
    start(&f, ROW(COOL), 25, 132e3);
    mr_plant_set_load(f.plant, f.state, 1, &(struct mr_plant_load){100, 100, 1e9, false});
    mr_plant_advance(f.plant, f.state, 3600);
    assert_int_equal(mr_plant_fault(f.state, &err), MR_DIVERGED);
    mr_assert_contains(err.text, "CDU group 'H0.R0.C0': coolant of");
    mr_assert_contains(err.text, "outside of -100 .. 400 degC");
    const double t_s = f.state->t_s;
    assert_true(t_s < 3600);
    mr_plant_step(f.plant, f.state, 7200); /* time stands still */
    assert_true(f.state->t_s == t_s);
    close_site(&f);
}

/* Ten hours without pumps: packages switch off, and the rest of their racks with them. */
MR_TEST(racks_switch_off_as_a_whole)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 132e3);
    lose(&f, MR_PLANT_OUT_PUMPS, 0, 1);
    mr_plant_advance(f.plant, f.state, 36000);
    assert_int_equal(mr_plant_fault(f.state, NULL), MR_OK);
    assert_true(row_of(&f, 0).power_w == 0 && row_of(&f, 0).n_off == 72);
    assert_true(f.state->group[0].return_c < 105);
    /* once: nobody starts into coolant that stands still, however cold dies are */
    assert_true(f.n_event[MR_PLANT_SHUTDOWN] == 3 && f.n_event[MR_PLANT_RESTART] == 0);
    lose(&f, MR_PLANT_OUT_PUMPS, 0, 0);
    mr_plant_advance(f.plant, f.state, 40000);
    assert_int_equal(f.n_event[MR_PLANT_RESTART], 3);
    mr_assert_near(row_of(&f, 0).power_w, 132e3, 1e-3, 0);
    check_energy(&f, 1e-9);
    close_site(&f);
}

/* While pumps coast to nothing the rest of racks still gives its heat to a trickle: what leaves is
 * no warmer than the plates, and what stands still is as warm as they are. */
MR_TEST(coolant_is_no_warmer_than_plates)
{
    struct fixture f;
    double most_c = 0;
    start(&f, ROW(COOL), 25, 132e3);
    lose(&f, MR_PLANT_OUT_PUMPS, 0, 1);
    for (double t_s = 1; t_s < 3600; t_s *= 1.05) {
        mr_plant_advance(f.plant, f.state, t_s);
        const struct mr_plant_rack_row row = row_of(&f, 0);
        assert_true(row.return_c <= fmax(row.die_max_c, row.supply_c) + 1e-9);
        assert_true(row.return_c >= row.supply_c);
        most_c = fmax(most_c, row.return_c);
    }
    const struct mr_plant_rack_row last = row_of(&f, 0);
    assert_true(last.flow_m3_s == 0 && most_c > 60 && most_c < 105);
    mr_assert_near(last.return_c,
                   fmax(last.supply_c, f.state->cohort[f.state->rack[0].first].cohort.mean_c[1]),
                   1e-12, 0);
    close_site(&f);
}

/* A site at 45 % of its watts: pumps at their least, less heat than it saves in pumps; at full
 * watts as ever, within the pumps' start time; down again within the hour. */
MR_TEST(pumps_turn_down_with_the_load)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 132e3);
    const double full_w = f.state->group[0].electric_w;
    close_site(&f);
    start(&f, ROW(COOL), 25, 60e3);
    const double low = mr_cdu_group_flow(&f.state->group[0]);
    assert_true(low >= 0.5 && low < 0.526);
    mr_plant_advance(f.plant, f.state, 7200);
    assert_int_equal(f.n_event[MR_PLANT_RACK_FLOW_LOW], 0);
    mr_assert_near(f.state->group[0].electric_w, full_w * mr_pow(low, 2.85), 1e-9, 0);
    mr_assert_near(row_of(&f, 0).flow_m3_s / f.plant->rack[0].manifold.flow_m3_s, low, 1e-12, 0);
    mr_assert_near(row_of(&f, 0).supply_c, 40, 1e-9, 0);
    mr_plant_set_power(f.plant, f.state, 2, 132e3); /* one rack needs it all */
    mr_plant_advance(f.plant, f.state, 7200 + 16);
    assert_true(mr_cdu_group_flow(&f.state->group[0]) == 1);
    assert_true(mr_cdu_group_flow(&f.state->group[1]) == low);
    mr_plant_set_power(f.plant, f.state, 2, 60e3);
    mr_plant_advance(f.plant, f.state, 7200 + 16 + 900);
    const double on_its_way = mr_cdu_group_flow(&f.state->group[0]);
    assert_true(on_its_way > 0.7 && on_its_way < 0.85);
    mr_plant_advance(f.plant, f.state, 10000);
    assert_true(mr_cdu_group_flow(&f.state->group[0]) == low);
    assert_int_equal(f.n_event[MR_PLANT_SHUTDOWN], 0);
    check_energy(&f, 1e-10);
    close_site(&f);
}

/* A year after cleaning the racks' drop has grown by 30 %: at the pressure that is held, half of
 * which the valve takes, (2 / 2.3)^(1/1.85) of the flow is left. */
MR_TEST(fouled_racks_take_less)
{
    struct fixture f;
    open_site(&f, ROW(COOL));
    set_weather(&f, 25, NULL);
    f.params.fouled_s = 8760 * 3600.0;
    build(&f, NULL, 0);
    load(&f, 132e3);
    assert_int_equal(mr_plant_settle(f.plant, f.state, NULL), MR_OK);
    mr_plant_advance(f.plant, f.state, 60);
    const double left = mr_pow(2 / 2.3, 1 / 1.85);
    mr_assert_near(left, 0.927, 1e-3, 0);
    const struct mr_plant_rack_row row = row_of(&f, 0);
    mr_assert_near(row.flow_m3_s / f.plant->rack[0].manifold.flow_m3_s, left, 1e-5, 0);
    mr_assert_near(row.header_pa, row.header_set_pa, 1e-9, 0);
    mr_assert_near(row.drop_pa, 60e3 * 1.3 * 2 / 2.3, 1e-4, 0);
    lose(&f, MR_PLANT_OUT_VALVE, 0, 1); /* valves move by the same law */
    mr_plant_advance(f.plant, f.state, 300);
    assert_true(row_of(&f, 0).flow_m3_s == 0);
    lose(&f, MR_PLANT_OUT_VALVE, 0, 0);
    mr_plant_advance(f.plant, f.state, 600);
    mr_assert_near(row_of(&f, 0).flow_m3_s / f.plant->rack[0].manifold.flow_m3_s, left, 1e-4, 0);
    close_site(&f);
}

/* A unit that leaks stops when that is seen, a second later, and is shut off ten later; the other
 * one gives what it can; repaired, it is back. */
MR_TEST(units_leak)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 132e3);
    mr_plant_advance(f.plant, f.state, 100);
    lose(&f, MR_PLANT_OUT_UNIT_LEAK, 0, 1);
    assert_true(f.state->group[0].n_running == 2 && f.n_event[MR_PLANT_LEAK] == 0);
    mr_plant_advance(f.plant, f.state, 150);
    assert_true(f.n_event[MR_PLANT_LEAK] == 1 && f.n_event[MR_PLANT_ISOLATED] == 1);
    mr_assert_near(f.first_s[MR_PLANT_LEAK], 101, 1e-12, 0);
    mr_assert_near(f.first_s[MR_PLANT_CDU_TRIP], 101, 1e-12, 0);
    mr_assert_near(f.first_s[MR_PLANT_ISOLATED], 111, 1e-12, 0);
    assert_true(f.state->group[0].n_running == 1 && f.state->group[1].n_running == 2);
    assert_int_equal(row_of(&f, 0).n_off, 0);
    lose(&f, MR_PLANT_OUT_UNITS, 0, 1); /* and the other one fails */
    assert_int_equal(f.state->group[0].n_running, 0);
    lose(&f, MR_PLANT_OUT_UNITS, 0, 2); /* no more than there are */
    assert_int_equal(f.state->group[0].n_running, 0);
    lose(&f, MR_PLANT_OUT_UNITS, 0, 0);
    lose(&f, MR_PLANT_OUT_UNIT_LEAK, 0, 0);
    assert_int_equal(f.state->group[0].n_running, 2);
    lose(&f, MR_PLANT_OUT_UNIT_LEAK, 0, 2); /* repaired before anybody saw it */
    lose(&f, MR_PLANT_OUT_UNIT_LEAK, 0, 0);
    mr_plant_advance(f.plant, f.state, 1000);
    assert_true(f.n_event[MR_PLANT_LEAK] == 1 && f.state->group[0].n_running == 2);
    check_energy(&f, 1e-10);
    close_site(&f);
}

/* Half a day without air handlers: racks that breathe switch off before their hall melts. */
MR_TEST(racks_need_air)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 132e3);
    lose(&f, MR_PLANT_OUT_AIR, 0, mr_plant_outage_most(f.plant, MR_PLANT_OUT_AIR, 0));
    mr_plant_advance(f.plant, f.state, 43200);
    assert_int_equal(mr_plant_fault(f.state, NULL), MR_OK);
    assert_int_equal(f.n_event[MR_PLANT_SHUTDOWN], 6);
    assert_true(f.state->hall[0].inlet_c < 65 && row_of(&f, 3).power_w == 0);
    assert_int_equal(row_of(&f, 3).n_off, 72);
    lose(&f, MR_PLANT_OUT_AIR, 0, 0);
    mr_plant_advance(f.plant, f.state, 50000);
    assert_true(f.n_event[MR_PLANT_RESTART] == 6 && row_of(&f, 3).power_w > 120e3);
    check_energy(&f, 1e-9);
    close_site(&f);
}

/* Late in a long run, in next to no time: rounding of dates never holds time up. */
MR_TEST(valves_that_close_at_once)
{
    struct fixture f;
    open_site(&f, ROW(COOL));
    set_weather(&f, 25, NULL);
    f.params.leak.detect_s = 0;
    f.params.leak.isolation_s = 0;
    f.params.period_s = 3600;
    build(&f, NULL, 0);
    load(&f, 100e3);
    assert_int_equal(mr_plant_settle(f.plant, f.state, NULL), MR_OK);
    mr_plant_advance(f.plant, f.state, 1e7);
    assert_int_equal(mr_plant_leak(f.plant, f.state, 0, MR_LEAK_SCOPE_ROW, NULL), MR_OK);
    mr_plant_advance(f.plant, f.state, 1e7 + 60);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(row_of(&f, i).flow_m3_s == 0 && row_of(&f, i).valve_frac == 0);
    close_site(&f);
}

MR_TEST(parts_that_have_nothing_to_lose)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 60e3);
    assert_true(mr_plant_outage_most(f.plant, MR_PLANT_OUT_WATER, 0) == 0);
    assert_true(mr_plant_outage_most(f.plant, MR_PLANT_OUT_CHILLERS, 0) == 0);
    assert_true(mr_plant_outage_most(f.plant, MR_PLANT_OUT_FANS, 0) == 1);
    assert_true(mr_plant_outage_most(f.plant, MR_PLANT_OUT_LOOP_PUMPS, 0) == 3);
    assert_true(mr_plant_outage_most(f.plant, MR_PLANT_OUT_UTILITY, 0) == 1);
    assert_int_equal(mr_plant_n_part(f.plant, MR_PLANT_PART_RACK), 6);
    close_site(&f);
}

MR_TEST(facility_pumps_and_air_handlers)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 100e3);
    lose(&f, MR_PLANT_OUT_LOOP_PUMPS, 0, 3);
    lose(&f, MR_PLANT_OUT_AIR, 0, mr_plant_outage_most(f.plant, MR_PLANT_OUT_AIR, 0));
    assert_true(f.n_event[MR_PLANT_LOOP_PUMP_TRIP] == 1 && f.n_event[MR_PLANT_CRAH_TRIP] == 1);
    mr_plant_advance(f.plant, f.state, 900);
    assert_true(f.state->loop[0].water_w_k == 0);
    assert_true(f.n_event[MR_PLANT_ROOM_HIGH] > 0 && f.n_event[MR_PLANT_CDU_SATURATED] > 0);
    assert_int_equal(mr_plant_fault(f.state, NULL), MR_OK);
    check_energy(&f, 1e-9);
    close_site(&f);
}

/* Whoever drives the plant says which hall's air handlers have power; the utility is not asked. */
MR_TEST(air_handlers_follow_their_feed)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 100e3);
    mr_plant_advance(f.plant, f.state, 600);
    mr_plant_feed_hall(f.plant, f.state, 0, false);
    mr_plant_feed_hall(f.plant, f.state, 0, false); /* told once */
    assert_int_equal(f.n_event[MR_PLANT_CRAH_TRIP], 1);
    const double before_j = mr_sum_of(f.state->hall[0].room.fan_j);
    mr_plant_advance(f.plant, f.state, 900);
    assert_true(mr_sum_of(f.state->hall[0].room.fan_j) == before_j);
    mr_plant_feed_hall(f.plant, f.state, 0, true);
    lose(&f, MR_PLANT_OUT_UTILITY, 0, 1);
    mr_plant_advance(f.plant, f.state, 1000);
    assert_true(mr_sum_of(f.state->hall[0].room.fan_j) > before_j);
    check_energy(&f, 1e-9);
    close_site(&f);
}

static mr_status leak_all(void *context, struct mr_err *err)
{
    const struct fixture *f = context;
    struct mr_plant_state *state;
    mr_status st = mr_plant_state_create(f->plant, 0, &state, err);
    for (int i = 0; i < 80 && st == MR_OK; i++)
        st = mr_plant_leak(f->plant, state, 0, MR_LEAK_SCOPE_TRAY, err);
    mr_plant_state_destroy(state);
    return st;
}

MR_TEST(no_memory_for_a_leak)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 100e3);
    mr_test_every_nomem(leak_all, &f);
    close_site(&f);
}

MR_TEST_MAIN(MR_TEST_ENTRY(utility_brings_back_only_what_it_took),
             MR_TEST_ENTRY(units_lost_are_counted_in_all), MR_TEST_ENTRY(every_tray_leaks),
             MR_TEST_ENTRY(leaks_overlap), MR_TEST_ENTRY(blind_detectors_see_nothing),
             MR_TEST_ENTRY(rack_flow_follows_the_header), MR_TEST_ENTRY(racks_share_a_header),
             MR_TEST_ENTRY(no_plant_is_like_that), MR_TEST_ENTRY(racks_switch_off_as_a_whole),
             MR_TEST_ENTRY(coolant_is_no_warmer_than_plates),
             MR_TEST_ENTRY(pumps_turn_down_with_the_load), MR_TEST_ENTRY(fouled_racks_take_less),
             MR_TEST_ENTRY(units_leak), MR_TEST_ENTRY(racks_need_air),
             MR_TEST_ENTRY(valves_that_close_at_once),
             MR_TEST_ENTRY(parts_that_have_nothing_to_lose),
             MR_TEST_ENTRY(facility_pumps_and_air_handlers),
             MR_TEST_ENTRY(air_handlers_follow_their_feed), MR_TEST_ENTRY(no_memory_for_a_leak))
