/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/plant: small sites built from layouts: energy of every level, readers that leave no
 * trace, outages played through, the hours in which dry coolers are too small, what is refused. */
#include "engine/base/fmath.h"
#include "tests/thermal/plant_site.h"

#include <stdio.h>

MR_TEST(a_steady_site_stays_steady)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 132e3);
    mr_plant_advance(f.plant, f.state, 7200);
    struct mr_plant_rack_row row;
    for (uint32_t i = 0; i < f.plant->n_rack; i++) {
        mr_plant_rack_row(f.plant, f.state, i, &row);
        mr_assert_near(row.power_w, 132e3, 1e-9, 0);
        mr_assert_near(row.supply_c, 40, 1e-6, 0);
        /* 1,200 W of each package over 0.03 K/W */
        mr_assert_near(row.die_mean_c, 40 + 0.03 * 1200, 1e-3, 0);
        assert_true(row.die_max_c > row.die_mean_c && row.n_throttled == 0);
        /* 87 % of the heat in 175 L/min */
        mr_assert_near(row.return_c - 40, 0.87 * 132e3 / (175 / 60e3 * 1010 * 3900), 1e-3, 0);
    }
    for (int k = 0; k < MR_PLANT_N_EVENT; k++)
        assert_true(k == MR_PLANT_MODE || f.n_event[k] == 0);
    check_energy(&f, 1e-11);
    struct mr_plant_sums s;
    mr_plant_sums(f.plant, f.state, &s);
    mr_assert_near(s.it_j, 6 * 132e3 * 7200.0, 1e-9, 0);
    mr_assert_near(s.asked_j, s.it_j, 1e-9, 0);
    close_site(&f);
}

MR_TEST(readers_leave_no_trace)
{
    struct fixture f;
    start(&f, ROW(COOL), 30, 100e3);
    struct mr_plant_state *watched;
    assert_int_equal(mr_plant_state_create(f.plant, 0, &watched, NULL), MR_OK);
    for (uint32_t i = 0; i < f.plant->n_rack; i++)
        mr_plant_set_power(f.plant, watched, i, 100e3);
    assert_int_equal(mr_plant_settle(f.plant, watched, NULL), MR_OK);
    for (int hour = 1; hour <= 3; hour++) {
        for (uint32_t i = 0; i < f.plant->n_rack; i++) {
            const double power_w = 60e3 + 10e3 * ((i + (uint32_t)hour) % 7);
            mr_plant_set_power(f.plant, f.state, i, power_w);
            mr_plant_set_power(f.plant, watched, i, power_w);
        }
        mr_plant_advance(f.plant, f.state, hour * 3600.0);
        while (watched->t_s < hour * 3600.0) {
            struct mr_plant_rack_row row;
            struct mr_plant_sums sums;
            mr_plant_rack_row(f.plant, watched, 2, &row);
            mr_plant_sums(f.plant, watched, &sums);
            assert_true(mr_plant_next_crossing(f.plant, watched).t_s >= watched->t_s);
            mr_plant_step(f.plant, watched, hour * 3600.0);
        }
    }
    assert_true(f.state->n_cohort == watched->n_cohort);
    for (size_t i = 0; i < watched->n_cohort; i++)
        assert_memory_equal(&f.state->cohort[i].cohort.mean_c, &watched->cohort[i].cohort.mean_c,
                            sizeof watched->cohort[i].cohort.mean_c);
    assert_true(f.state->loop[0].water.return_c == watched->loop[0].water.return_c);
    check_energy(&f, 1e-11);
    mr_plant_state_destroy(watched);
    close_site(&f);
}

/* A year of swinging air and racks that change every hour, pumps that fail once a month. */
MR_TEST(energy_closes_over_a_year)
{
    struct fixture f;
    struct mr_weather_params weather;
    struct mr_plant_sums s;
    const double hour_s = 3600;
    open_site(&f, ROW(COOL));
    mr_weather_defaults(&weather);
    weather.dry_bulb_c = 30;
    weather.wet_bulb_c = 16;
    weather.swing_k = 12;
    assert_int_equal(mr_weather_make(&weather, &f.weather, NULL), MR_OK);
    f.params.period_s = 60;
    f.params.fouled_s = 1;
    build(&f, NULL, 0);
    load(&f, 90e3);
    assert_int_equal(mr_plant_settle(f.plant, f.state, NULL), MR_OK);
    for (int hour = 1; hour <= 8760; hour++) {
        for (uint32_t i = 0; i < f.plant->n_rack; i++)
            mr_plant_set_power(f.plant, f.state, i, 40e3 + 10e3 * ((hour * 7 + (int)i * 3) % 10));
        if (hour % 730 == 0)
            mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_PUMPS, 1, 1);
        mr_plant_advance(f.plant, f.state, hour * hour_s);
        mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_PUMPS, 1, 0);
    }
    assert_int_equal(mr_plant_fault(f.state, NULL), MR_OK);
    assert_true(f.n_event[MR_PLANT_SHUTDOWN] >= 12);
    mr_plant_sums(f.plant, f.state, &s);
    assert_true(s.it_j > 6 * 40e3 * 8760 * hour_s);
    for (int level = 0; level < 4; level++)
        assert_true(s.residual[level] < (level < 2 ? 1e-12 : 1e-9));
    close_site(&f);
}

/* Supply above its set point counts from the set point on, not from where an event is told. */
MR_TEST(time_above_the_set_point)
{
    struct fixture f;
    start(&f, ROW(""), 25, 132e3);
    mr_weather_fini(&f.weather);
    set_weather(&f, 46, NULL); /* dry coolers give out: the supply is 1.3 K too warm */
    mr_plant_advance(f.plant, f.state, 4 * 3600.0);
    struct mr_plant_sums s;
    mr_plant_sums(f.plant, f.state, &s);
    const double over_k = s.supply_max_c - f.plant->group[0].set_c;
    assert_true(over_k > 0.1 && over_k < f.plant->group[0].high_k);
    assert_true(f.n_event[MR_PLANT_SUPPLY_HIGH] == 0);
    assert_true(s.supply_high_s > 2 * 3 * 3600.0 && s.facility_high_s > 3 * 3600.0);
    close_site(&f);
}

/* Told watts are those of dies in design coolant: warmer coolant leaks more, cooler less, and what
 * has no power nothing. */
MR_TEST(leakage_follows_the_die)
{
    static const double shift_k[] = {-10, 0, 5};
    for (int leakage = 0; leakage < 3; leakage++)
        for (size_t k = 0; k < sizeof shift_k / sizeof *shift_k; k++) {
            struct fixture f;
            struct mr_plant_rack_row row;
            char inlet[32];
            (void)snprintf(inlet, sizeof inlet, "%g degC", 40 - shift_k[k]);
            const struct mr_plant_set set = {"package", "inlet", inlet};
            open_site(&f, ROW(COOL));
            set_weather(&f, 25, NULL);
            f.params.leakage = leakage;
            build(&f, &set, 1);
            assert_true(f.plant->package[0]->p.inlet_c == 40 - shift_k[k]); /* not overridden */
            load(&f, 110e3);
            assert_int_equal(mr_plant_settle(f.plant, f.state, NULL), MR_OK);
            mr_plant_advance(f.plant, f.state, 600);
            mr_plant_rack_row(f.plant, f.state, 0, &row);
            /* 1,000 W a package at 40 degC: 70; leakage 120 W at 60 degC, 2 % a kelvin */
            const double told = 40 - shift_k[k] + 0.03 * 1000, at = row.die_mean_c;
            const double leak_w = 120 * mr_exp(0.02 * (at - 60));
            const double extra_w = leakage == MR_PLANT_LEAKAGE_NONE ? 0
                                   : leakage == MR_PLANT_LEAKAGE_ADDED
                                       ? leak_w
                                       : leak_w - 120 * mr_exp(0.02 * (told - 60));
            mr_assert_near(row.power_w, 110e3 + 72 * extra_w, 1e-4, 0);
            load(&f, 0);
            mr_plant_advance(f.plant, f.state, 1200);
            mr_plant_rack_row(f.plant, f.state, 0, &row);
            assert_true(row.power_w == 0);
            close_site(&f);
        }
}

/* What an owner of clocks does: tell watts, ask what comes next, go there, ask what is allowed. */
MR_TEST(the_next_crossing)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 132e3);
    struct mr_plant_next next = mr_plant_next_crossing(f.plant, f.state);
    assert_true(isinf(next.t_s)); /* at rest nothing comes */
    mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_PUMPS, 0, 1);
    for (int i = 0; i < 200 && f.n_event[MR_PLANT_THROTTLE_ON] == 0; i++) {
        next = mr_plant_next_crossing(f.plant, f.state);
        mr_plant_step(f.plant, f.state, 600);
    }
    /* what was foreseen within its step is what happened */
    assert_int_equal(next.kind, MR_PLANT_THROTTLE_ON);
    mr_assert_near(next.t_s, f.first_s[MR_PLANT_THROTTLE_ON], 1e-9, 0);
    assert_string_equal(next.entity, f.plant->site->rack[0].name);
    assert_int_equal(next.rack, 0);
    const double allowed_w = mr_plant_rack_allowed_w(f.plant, f.state, 0);
    assert_true(allowed_w < 1200 && allowed_w > 0.3 * 1200);
    mr_plant_set_load(f.plant, f.state, 0, &(struct mr_plant_load){allowed_w, 1200, 20e3, false});
    next = mr_plant_next_crossing(f.plant, f.state);
    assert_true(next.t_s > f.state->t_s);
    close_site(&f);
}

static double rejection_j(const struct fixture *f, double *air_j)
{
    double j = 0;
    for (size_t i = 0; i < f->plant->n_loop; i++)
        j += f->state->loop[i].fan_j + f->state->loop[i].work_j;
    *air_j = mr_sum_of(f->state->hall[0].room.fan_j);
    return j;
}

/* The most that heat rejection draws in the 16 s to come is foreseen while heat grows and falls;
 * what it and the air handlers will take when the utility comes back, while that is away. */
MR_TEST(what_cooling_will_draw)
{
    enum {
        n = 90,
        dark = 40,
        back = 50
    };
    struct fixture f;
    double foreseen_w[n], most_w[n], air_w[n], last_j, last_air_j, air_j, most = 0,
                                                                          least = HUGE_VAL;
    start(&f, ROW(COOL), 34, 60e3);
    for (int k = 0; k < n; k++) {
        if (k == 5 || k == 60)
            load(&f, k == 5 ? 132e3 : 90e3);
        if (k == dark || k == back)
            mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_UTILITY, 0, k == dark);
        foreseen_w[k] = mr_plant_ahead_w(f.plant, f.state, f.state->t_s + 16);
        most_w[k] = air_w[k] = 0;
        for (int t = 0; t < 10; t++) {
            last_j = rejection_j(&f, &last_air_j);
            mr_plant_advance(f.plant, f.state, f.state->t_s + 1);
            most_w[k] = fmax(most_w[k], rejection_j(&f, &air_j) - last_j);
            air_w[k] = fmax(air_w[k], air_j - last_air_j);
        }
    }
    for (int k = 1; k < n - 1; k++) {
        const double w = fmax(most_w[k], most_w[k + 1]);
        if (k >= dark - 1 && k <= back) /* racks warm the air meanwhile */
            continue;
        assert_true(foreseen_w[k] >= most_w[k] * (1 - 2e-5));
        assert_true(k == 5 || k == back + 1 || foreseen_w[k] <= w * 1.002);
        most = fmax(most, w);
        least = fmin(least, w);
    }
    assert_true(most > 1.8 * least);
    for (int k = back - 2; k < back; k++) {
        assert_true(most_w[k] == 0 && air_w[k] == 0);
        assert_true(foreseen_w[k] > most_w[back] + air_w[back]);
        assert_true(foreseen_w[k] < 1.05 * (most_w[back + 1] + air_w[back + 1]));
    }
    close_site(&f);
}

/* Fans or chillers that are repaired are at work again at the next period: what they will draw is
 * foreseen while they are out. */
MR_TEST(what_repaired_cooling_will_draw)
{
    enum {
        n = 30,
        out = 10,
        back = 20
    };
    static const struct {
        int kind;
        double air_c;
    } cases[] = {{MR_PLANT_OUT_CHILLERS, 34}, {MR_PLANT_OUT_FANS, 36}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        double foreseen_w[n], most_w[n], last_j, air_j;
        const int kind = cases[i].kind;
        uint32_t loop = 0;
        start(&f, ROW("<cooling supply=\"40 degC\" air_supply=\"12 degC\"/>\n"), cases[i].air_c,
              132e3);
        while (mr_plant_outage_most(f.plant, kind, loop) < 1)
            assert_true(++loop < f.plant->n_loop);
        const double all = mr_plant_outage_most(f.plant, kind, loop);
        for (int k = 0; k < n; k++) {
            if (k == out || k == back)
                mr_plant_set_outage(f.plant, f.state, kind, loop, k == out ? all : 0);
            foreseen_w[k] = mr_plant_ahead_w(f.plant, f.state, f.state->t_s + 16);
            most_w[k] = 0;
            for (int t = 0; t < 10; t++) {
                last_j = rejection_j(&f, &air_j);
                mr_plant_advance(f.plant, f.state, f.state->t_s + 1);
                most_w[k] = fmax(most_w[k], rejection_j(&f, &air_j) - last_j);
            }
        }
        const double then_w = fmax(most_w[back], most_w[back + 1]);
        assert_true(then_w > 1.3 * most_w[back - 1]);
        /* as if they were repaired now: ten seconds more of heat are not in it */
        assert_true(foreseen_w[back - 1] >= then_w * 0.98);
        assert_true(foreseen_w[back - 1] < then_w * 1.1);
        close_site(&f);
    }
}

MR_TEST(pumps_stop)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 132e3);
    mr_plant_advance(f.plant, f.state, 600);
    mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_PUMPS, 0, 1);
    mr_plant_advance(f.plant, f.state, 900);
    assert_int_equal(f.n_event[MR_PLANT_THROTTLE_ON], 3); /* the racks of that row */
    assert_true(f.first_s[MR_PLANT_THROTTLE_ON] > 605 && f.first_s[MR_PLANT_THROTTLE_ON] < 640);
    assert_true(f.n_event[MR_PLANT_RACK_FLOW_LOW] == 3 && f.n_event[MR_PLANT_NOFLOW] == 1);
    assert_int_equal(f.n_event[MR_PLANT_SHUTDOWN], 3);
    struct mr_plant_rack_row row;
    mr_plant_rack_row(f.plant, f.state, 0, &row);
    assert_int_equal(row.n_off, 72);
    mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_PUMPS, 0, 0);
    mr_plant_advance(f.plant, f.state, 3600);
    assert_int_equal(f.n_event[MR_PLANT_RESTART], 3);
    mr_plant_rack_row(f.plant, f.state, 0, &row);
    assert_true(row.n_off == 0 && row.n_throttled == 0);
    mr_assert_near(row.power_w, 132e3, 1e-3, 0);  /* leakage within the band of its inlet */
    mr_plant_rack_row(f.plant, f.state, 5, &row); /* the other row never knew */
    assert_true(row.die_max_c < 80);
    check_energy(&f, 1e-9);
    struct mr_plant_sums s;
    mr_plant_sums(f.plant, f.state, &s);
    assert_true(s.asked_j > s.it_j && s.throttled_s > 600 * 3 * 72);
    close_site(&f);
}

MR_TEST(a_spare_unit_saves_the_row)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 132e3);
    mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_UNITS, 1, 1);
    mr_plant_advance(f.plant, f.state, 3600);
    assert_true(f.n_event[MR_PLANT_CDU_TRIP] == 1 && f.n_event[MR_PLANT_THROTTLE_ON] == 0);
    struct mr_plant_sums s;
    mr_plant_sums(f.plant, f.state, &s);
    assert_true(s.die_max_c < 87 && s.die_max_c > 77);
    mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_UNITS, 1, 0);
    mr_plant_advance(f.plant, f.state, 7200);
    check_energy(&f, 1e-10);
    close_site(&f);
}

MR_TEST(leaks_are_cut_off)
{
    for (int scope = 0; scope < MR_LEAK_N_SCOPE; scope++) {
        struct fixture f;
        start(&f, ROW(COOL), 25, 132e3);
        mr_plant_advance(f.plant, f.state, 100);
        assert_int_equal(mr_plant_leak(f.plant, f.state, 4, (enum mr_leak_scope)scope, NULL),
                         MR_OK);
        mr_plant_advance(f.plant, f.state, 400);
        struct mr_plant_rack_row hit, other;
        mr_plant_rack_row(f.plant, f.state, 4, &hit);
        mr_plant_rack_row(f.plant, f.state, 3, &other);
        assert_true(hit.is_leaking && hit.is_liquid_isolated);
        mr_assert_near(f.first_s[MR_PLANT_LEAK], 101, 1e-12, 0);
        mr_assert_near(f.first_s[MR_PLANT_ISOLATED], 111, 1e-12, 0);
        assert_int_equal(f.n_event[MR_PLANT_LEAK], scope == MR_LEAK_SCOPE_ROW ? 3 : 1);
        assert_int_equal(hit.n_off, scope == MR_LEAK_SCOPE_TRAY ? 4 : 72);
        if (scope == MR_LEAK_SCOPE_TRAY) {
            mr_assert_near(hit.power_w, 132e3 * 68 / 72, 1e-9, 0);
            assert_true(hit.flow_m3_s > 0);
        } else {
            assert_true(hit.power_w < 1 && hit.flow_m3_s == 0);
        }
        assert_true((other.power_w < 1) == (scope == MR_LEAK_SCOPE_ROW));
        check_energy(&f, 1e-10);
        close_site(&f);
    }
}

MR_TEST(utility_loss_with_and_without_ups)
{
    for (int has_ups = 0; has_ups < 2; has_ups++) {
        struct fixture f;
        open_site(&f, ROW(COOL));
        set_weather(&f, 25, NULL);
        f.params.has_ups_pumps = has_ups != 0;
        build(&f, NULL, 0);
        load(&f, 132e3);
        assert_int_equal(mr_plant_settle(f.plant, f.state, NULL), MR_OK);
        mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_UTILITY, 0, 1);
        mr_plant_advance(f.plant, f.state, 60);
        /* a minute: with pumps the water carries it, without the dies are off */
        assert_int_equal(f.n_event[MR_PLANT_THROTTLE_ON], has_ups ? 0 : 6);
        mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_UTILITY, 0, 0);
        mr_plant_advance(f.plant, f.state, 3600);
        assert_true(f.n_event[MR_PLANT_UTILITY_LOSS] == 1 && f.n_event[MR_PLANT_UTILITY_BACK] == 1);
        check_energy(&f, 1e-9);
        close_site(&f);
    }
}

/* Dry coolers sized for 35 degC; at 52 degC water floats, dies throttle, and power goes down. */
MR_TEST(a_hot_afternoon_throttles)
{
    struct fixture f;
    start(&f, ROW(""), 25, 132e3);
    mr_weather_fini(&f.weather);
    set_weather(&f, 52, NULL);
    mr_plant_advance(f.plant, f.state, 4 * 3600.0);
    assert_true(f.n_event[MR_PLANT_FWS_HIGH] > 0 && f.n_event[MR_PLANT_CDU_SATURATED] > 0);
    assert_true(f.n_event[MR_PLANT_THROTTLE_ON] == 6 && f.n_event[MR_PLANT_SUPPLY_HIGH] > 0);
    struct mr_plant_sums s;
    mr_plant_sums(f.plant, f.state, &s);
    assert_true(s.asked_j > 1.01 * s.it_j && s.mode_s[MR_REJECTION_FLOAT] > 3600);
    mr_assert_near(s.die_max_c, 87, 1e-3, 0);
    check_energy(&f, 1e-10);
    close_site(&f);
}

/* Air temperature at which coolers alone still reach the set point with this heat, by halving. */
static double limit_c(const struct fixture *f, double heat_w)
{
    const struct mr_plant_loop *l = &f->plant->loop[0];
    const double water_w_k = l->facility.water_w_k;
    struct mr_rejection_state state;
    mr_rejection_start(&state);
    double low = 0, high = 60;
    for (int i = 0; i < 50; i++) {
        const double air_c = 0.5 * (low + high);
        const struct mr_weather_point point = mr_weather_at(&f->weather, 190 * 86400.0);
        const struct mr_rejection_in in = {.return_c = l->rejection.p.set_c + heat_w / water_w_k,
                                           .water_w_k = water_w_k,
                                           .dry_bulb_c = air_c,
                                           .wet_bulb_c = fmin(point.wet_bulb_c, air_c),
                                           .pressure_pa = point.pressure_pa};
        const struct mr_rejection_out out =
            mr_rejection_at(&l->rejection, &state, MR_REJECTION_FREE, l->rejection.p.set_c, &in);
        if (out.short_w > 1)
            high = air_c;
        else
            low = air_c;
    }
    return low;
}

MR_TEST(hours_that_dry_coolers_can_not_hold)
{
    static const char *const places[] = {"weather/USA_AZ_Phoenix-Sky.Harbor.epw",
                                         "weather/USA_TX_Dallas-Fort.Worth.epw"};
    for (int place = 0; place < 2; place++) {
        struct fixture f;
        const char *file = mr_test_data(places[place]);
        if (file == NULL)
            mr_test_skip("no %s in MILLRACE_DATA", places[place]);
        open_site(&f, "<layout name=\"t\">\n <hall>\n  <row>\n   <rack card=\"vr_nvl72\" "
                      "count=\"12\"/>\n   <cdu units=\"3\"/>\n  </row>\n </hall>\n</layout>\n");
        set_weather(&f, 25, file);
        f.params.period_s = 60;
        build(&f, NULL, 0);
        f.plant->loop[0].rejection.n_dry = 1; /* no spare */
        load(&f, 190e3);
        const double from_s = 180 * 86400.0, to_s = 210 * 86400.0; /* July */
        f.state->t_s = f.state->next_period_s = from_s;
        for (size_t i = 0; i < f.state->n_cohort; i++)
            f.state->cohort[i].cohort.t_s = from_s;
        for (uint32_t i = 0; i < f.plant->n_group; i++)
            f.state->group[i].t_s = from_s;
        assert_int_equal(mr_plant_settle(f.plant, f.state, NULL), MR_OK);
        mr_plant_advance(f.plant, f.state, to_s);
        struct mr_plant_sums s;
        mr_plant_sums(f.plant, f.state, &s);
        const double heat_w = 12 * 190e3 + f.state->group[0].fluid_w;
        const double above_s =
            mr_weather_integrate(&f.weather, from_s, to_s, limit_c(&f, heat_w)).above_s;
        assert_true(above_s > 3600); /* both places have such hours */
        mr_assert_near(s.mode_s[MR_REJECTION_FLOAT], above_s, 0.15, 3600);
        check_energy(&f, 1e-9);
        close_site(&f);
    }
}

/* An owner of clocks that says the same as the plant would assume changes nothing. */
MR_TEST(told_loads_are_the_same_loads)
{
    struct fixture assumed, told;
    start(&assumed, ROW(COOL), 25, 100e3);
    start(&told, ROW(COOL), 25, 100e3);
    for (uint32_t i = 0; i < told.plant->n_rack; i++) {
        const struct mr_plant_rack *r = &told.plant->rack[i];
        const double rack_w = 90e3 + 5e3 * i, package_w = r->share_frac * rack_w / r->n_package;
        mr_plant_set_power(assumed.plant, assumed.state, i, rack_w);
        mr_plant_set_load(told.plant, told.state, i,
                          &(struct mr_plant_load){package_w, package_w,
                                                  rack_w - package_w * r->n_package, false});
    }
    mr_plant_advance(assumed.plant, assumed.state, 3600);
    mr_plant_advance(told.plant, told.state, 3600);
    for (uint32_t i = 0; i < told.plant->n_rack; i++) {
        struct mr_plant_rack_row a, b;
        mr_plant_rack_row(assumed.plant, assumed.state, i, &a);
        mr_plant_rack_row(told.plant, told.state, i, &b);
        mr_assert_near(b.power_w, a.power_w, 1e-12, 0);
        mr_assert_near(b.die_max_c, a.die_max_c, 1e-9, 0);
        mr_assert_near(b.return_c, a.return_c, 1e-9, 0);
        assert_true(isinf(mr_plant_rack_allowed_w(told.plant, told.state, i)));
    }
    close_site(&assumed);
    close_site(&told);
}

/* Pumps stop for some seconds: an owner that obeys once a second keeps dies off t_crit at full
 * load, and is let go when the coolant is back. */
MR_TEST(an_owner_obeys_a_second_late)
{
    struct fixture f;
    double least_w = HUGE_VAL;
    start(&f, ROW(COOL), 25, 132e3);
    const uint32_t rack = 0;
    const double full_w = 1200;
    mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_PUMPS, f.plant->rack[rack].group, 1);
    for (int t = 1; t <= 600; t++) {
        for (uint32_t i = 0; i < f.plant->n_rack; i++) {
            const double package_w = fmin(full_w, mr_plant_rack_allowed_w(f.plant, f.state, i));
            mr_plant_set_load(f.plant, f.state, i,
                              &(struct mr_plant_load){package_w, full_w, 10e3, false});
            least_w = fmin(least_w, package_w);
        }
        mr_plant_advance(f.plant, f.state, t);
        if (t == 15)
            mr_plant_set_outage(f.plant, f.state, MR_PLANT_OUT_PUMPS, f.plant->rack[rack].group, 0);
    }
    assert_true(f.n_event[MR_PLANT_THROTTLE_ON] > 0 && f.n_event[MR_PLANT_THROTTLE_OFF] > 0);
    assert_true(least_w < full_w && f.n_event[MR_PLANT_SHUTDOWN] == 0);
    struct mr_plant_rack_row row;
    mr_plant_rack_row(f.plant, f.state, rack, &row);
    assert_int_equal(row.n_throttled, 0);
    check_energy(&f, 1e-11);
    close_site(&f);
}

static void refused(const char *layout, const struct mr_plant_set *set, size_t n_set,
                    const char *part)
{
    struct fixture f;
    struct mr_diags diags = {0};
    struct mr_buf all = {0};
    open_site(&f, layout);
    set_weather(&f, 25, NULL);
    assert_true(mr_plant_create(f.site, &f.weather, &f.params, set, n_set, &f.plant, &diags) !=
                MR_OK);
    assert_null(f.plant);
    for (size_t i = 0; i < diags.n_item; i++)
        mr_buf_printf(&all, "%s\n", diags.item[i].err.text);
    mr_assert_contains(all.text, part);
    mr_buf_fini(&all);
    close_site(&f);
}

#define REFUSED(scope, name, value, part)                      \
    do {                                                       \
        const struct mr_plant_set set_ = {scope, name, value}; \
        refused(ROW(COOL), &set_, 1, part);                    \
    } while (0)

MR_TEST(sites_that_can_not_be_cooled)
{
    REFUSED("package", "r1", "0 K/W", "package 'gb200': r1 must be > 0 K/W");
    REFUSED("gb200", "t_slow", "110 degC", "must be below t_crit");
    REFUSED("package", "r9", "1 K/W", "r9");
    REFUSED("rack", "liquid", "1.5", "must be in 0 .. 1");
    REFUSED("rack", "inlet_max", "30 degC", "coolant of 40 degC is above the 30 degC");
    REFUSED("rack", "flow", "60 L/min", "L/min/kW gives dT");
    REFUSED("cdu", "capacity", "200 kW", "kW design heat on 1 x 200 kW CDU");
    REFUSED("cdu", "approach", "20 K", "+ approach 20 > supply set-point 40");
    REFUSED("cdu", "units", "0", "needs at least one unit");
    REFUSED("rejection", "supply", "10 degC", "is never reached without chillers");
    REFUSED("leak", "detect", "-1 s", "leak");
    REFUSED("tower", "approach", "4 K", "site 't' has nothing of 'tower' to set");
    REFUSED("package", "c1", "1e300 J/K", "must be in 0.01 .. 1e+08");
}

static mr_status make_state(void *context, struct mr_err *err)
{
    struct mr_plant_state *state;
    MR_TRY(mr_plant_state_create(context, 0, &state, err));
    mr_plant_state_destroy(state);
    return MR_OK;
}

MR_TEST(no_memory_for_a_state)
{
    struct fixture f;
    start(&f, ROW(COOL), 25, 132e3);
    mr_test_every_nomem(make_state, f.plant);
    close_site(&f);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_steady_site_stays_steady), MR_TEST_ENTRY(readers_leave_no_trace),
             MR_TEST_ENTRY(energy_closes_over_a_year), MR_TEST_ENTRY(time_above_the_set_point),
             MR_TEST_ENTRY(leakage_follows_the_die), MR_TEST_ENTRY(the_next_crossing),
             MR_TEST_ENTRY(what_cooling_will_draw), MR_TEST_ENTRY(what_repaired_cooling_will_draw),
             MR_TEST_ENTRY(pumps_stop), MR_TEST_ENTRY(a_spare_unit_saves_the_row),
             MR_TEST_ENTRY(leaks_are_cut_off), MR_TEST_ENTRY(utility_loss_with_and_without_ups),
             MR_TEST_ENTRY(a_hot_afternoon_throttles),
             MR_TEST_ENTRY(hours_that_dry_coolers_can_not_hold),
             MR_TEST_ENTRY(told_loads_are_the_same_loads),
             MR_TEST_ENTRY(an_owner_obeys_a_second_late),
             MR_TEST_ENTRY(sites_that_can_not_be_cooled), MR_TEST_ENTRY(no_memory_for_a_state))
