/* SPDX-License-Identifier: Apache-2.0 */
/* power/supply_still: constant load costs what happens in it, and what comes out is what comes out
 * when every beat of the controller is a step. */
#include "tests/power/supply_bed.h"

static uint64_t n_step;

static void count_step(MR_UNUSED void *context)
{
    n_step++;
}

static const char *const sites[] = {
    "<layout name=\"s\"><grid limit=\"6 MW\"/>" HALL "</layout>",
    "<layout name=\"s\"><grid limit=\"3 MW\"/>" HALL "</layout>",
    "<layout name=\"s\"><grid limit=\"1 MW\"/>" HALL "</layout>",
    "<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"2 MW/min\"/><power><generator/></power>" HALL
    "</layout>",
    "<layout name=\"s\"><grid limit=\"4 MW\"/><power><bess rating=\"1 MW\" units=\"2\" "
    "duration=\"1 h\"/></power>" HALL "</layout>",
};
enum {
    n_site = sizeof sites / sizeof *sites
};

static void target(double start_s, double end_s, double limit_w)
{
    const struct mr_feed_target t = {.start_s = start_s, .end_s = end_s, .limit_w = limit_w};
    struct mr_err err = {0};
    assert_int_equal(mr_supply_set_target(world.supply, &t, &err), MR_OK);
}

/* Six hours: load, another one, a curtailment, an outage with its return, another policy. */
static void play(void)
{
    want_all(110e3);
    mr_supply_set_house(world.supply, 0, 200e3);
    mr_supply_advance(world.supply, 2003);
    want_all(125e3);
    mr_supply_advance(world.supply, 4007);
    target(5000, 7000, 2.5e6);
    mr_supply_advance(world.supply, 9003);
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 10000);
    mr_supply_set_voltage(world.supply, 1);
    mr_supply_advance(world.supply, 15001);
    mr_supply_set_rack(world.supply, 3, 20e3);
    mr_supply_set_policy(world.supply, MR_GOVERN_POLICY_MAXQ);
    mr_supply_advance(world.supply, 21600);
}

MR_TEST(a_leap_is_what_steps_are)
{
    /* the last has a battery plant, which tops up by crumbs at some beats: 4e-9 of the draw */
    for (int i = 0; i < n_site - 1; i++) {
        struct mr_supply_total t[2];
        struct mr_supply_reading r[2];
        static struct mr_supply_event event[sizeof world.event / sizeof *world.event];
        uint64_t n[2];
        size_t n_event = 0;
        for (int steps = 1; steps >= 0; steps--) {
            struct mr_supply_options o = options();
            o.params.govern.policy = i % 2 ? MR_GOVERN_POLICY_MAXP : MR_GOVERN_POLICY_MAXLPS;
            o.steps = steps;
            o.step = count_step;
            n_step = 0;
            begin(sites[i], &o);
            play();
            t[steps] = totals();
            r[steps] = now();
            n[steps] = n_step;
            if (steps) {
                n_event = world.n_event;
                memcpy(event, world.event, n_event * sizeof *event);
            }
            assert_true(world.n_event < sizeof event / sizeof *event);
            assert_int_equal(world.n_event, n_event);
            for (size_t k = 0; k < n_event; k++) {
                assert_string_equal(world.event[k].kind, event[k].kind);
                mr_assert_near(world.event[k].t_s, event[k].t_s, 0, 1e-6);
                mr_assert_near(world.event[k].value, event[k].value, 1e-9, 1e-6);
            }
            end(1e-9);
        }
        assert_true(n[0] < n[1]);
        mr_assert_near(t[0].grid_j, t[1].grid_j, 1e-9, 0);
        mr_assert_near(t[0].rack_j, t[1].rack_j, 1e-9, 0);
        mr_assert_near(t[0].loss_j, t[1].loss_j, 1e-9, 0);
        mr_assert_near(t[0].unserved_j, t[1].unserved_j, 1e-9, 1);
        mr_assert_near(t[0].energy_usd, t[1].energy_usd, 1e-9, 0);
        mr_assert_near(t[0].carbon_kg, t[1].carbon_kg, 1e-9, 0);
        mr_assert_near(t[0].storage_in_j, t[1].storage_in_j, 1e-9, 1);
        mr_assert_near(t[0].ramp_up_w_s, t[1].ramp_up_w_s, 1e-9, 1e-6);
        mr_assert_near(t[0].ramp_down_w_s, t[1].ramp_down_w_s, 1e-9, 1e-6);
        mr_assert_near(r[0].grid_w, r[1].grid_w, 1e-9, 0);
        mr_assert_near(r[0].storage_j, r[1].storage_j, 1e-9, 1);
    }
}

/* Three centuries; demand charges of every month among them. */
MR_TEST(constant_load_costs_what_happens)
{
    for (int i = 0; i < n_site; i++) {
        uint64_t n[2];
        for (int k = 0; k < 2; k++) {
            struct mr_supply_options o = options();
            const double t_s = k == 0 ? 1e5 : 1e10;
            o.step = count_step;
            o.params.tariff.demand_usd_w = 0.01;
            n_step = 0;
            begin(sites[i], &o);
            want_all(110e3);
            mr_supply_advance(world.supply, t_s);
            const struct mr_supply_total t = totals();
            n[k] = n_step;
            mr_assert_near(t.rack_j, now().rack_w * t_s, k == 0 ? 2e-2 : 1e-6, 0);
            if (k == 1)
                mr_assert_near(t.demand_usd, 0.01 * now().grid_w * ceil(t_s / (30 * 86400.)), 2e-3,
                               0);
            end(1e-9);
        }
        assert_true(n[0] < 5000);
        assert_int_equal(n[1], n[0]);
    }
}

/* A trace that repeats its row is no change; one that changes is answered as soon as ever. */
MR_TEST(rows_that_say_the_same_do_not_wake_it)
{
    double over_s[2];
    for (int steps = 0; steps < 2; steps++) {
        struct mr_supply_options o = options();
        o.step = count_step;
        o.steps = steps;
        n_step = 0;
        begin("<layout name=\"s\"><grid limit=\"3 MW\"/>" HALL "</layout>", &o);
        for (int row = 0; row < 1000; row++) {
            want_all(60e3);
            mr_supply_set_house(world.supply, 0, 1e5);
            mr_supply_advance(world.supply, 60. * (row + 1));
        }
        if (!steps)
            assert_true(n_step < 1100);
        want_all(131e3);
        mr_supply_advance(world.supply, 60000);
        over_s[steps] = 0;
        for (double t_s = 60000; t_s < 60060; t_s += 0.5) {
            mr_supply_advance(world.supply, t_s);
            over_s[steps] += now().grid_w > 3e6 ? 0.5 : 0;
        }
        end(1e-9);
    }
    assert_true(over_s[0] == over_s[1] && over_s[0] <= 16);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_leap_is_what_steps_are),
             MR_TEST_ENTRY(constant_load_costs_what_happens),
             MR_TEST_ENTRY(rows_that_say_the_same_do_not_wake_it))
