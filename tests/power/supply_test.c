/* SPDX-License-Identifier: Apache-2.0 */
/* power/supply: a hall through a day, loss of the grid, failures; stages inside racks; energies
 * that close whatever happens. */
#include "engine/base/rng.h"
#include "power/inside.h"
#include "tests/power/supply_bed.h"

MR_TEST(a_day_without_events)
{
    struct mr_supply_options o = options();
    begin(plain, &o);
    want_all(100e3);
    mr_supply_set_house(world.supply, 0, 200e3);
    mr_supply_set_house(world.supply, MR_SITE_NONE, 50e3);
    mr_supply_advance(world.supply, 86400);
    const struct mr_supply_reading r = now();
    const struct mr_supply_total t = totals();
    mr_assert_near(r.rack_w, 3.2e6, 1e-14, 0);
    mr_assert_near(r.house_w, 250e3, 1e-9, 0);
    mr_assert_near(r.grid_w, 3.45e6 + r.loss_w, 1e-9, 0);
    mr_assert_near(t.rack_j, 3.2e6 * 86400, 1e-12, 0);
    mr_assert_near(t.grid_j, r.grid_w * 86400, 1e-9, 0);
    mr_assert_near(t.energy_usd, t.grid_j * 70 / 3.6e9, 1e-9, 0);
    assert_true(t.unserved_j == 0 && t.n_trip == 0 && r.n_rack_on == 32);
    assert_true(t.storage_change_j == 0);
    end(1e-12);
}

/* Cards tell what racks draw at their inputs: how far it is followed inside moves no meter. */
MR_TEST(stages_inside_racks_divide_their_watts)
{
    struct mr_supply_total t[3];
    for (int plane = MR_PLANE_CORE; plane <= MR_PLANE_SHELF; plane++) {
        struct mr_supply_options o = options();
        o.params.wire.rack_plane = plane;
        begin(plain, &o);
        want_all(100e3);
        mr_supply_advance(world.supply, 600);
        want_all(50e3);
        mr_supply_advance(world.supply, 3600);
        t[plane] = totals();
        const struct mr_supply_reading r = now();
        assert_true(t[plane].grid_j == t[0].grid_j && t[plane].rack_j == t[0].rack_j);
        assert_true(t[plane].loss_j == t[0].loss_j);
        mr_assert_near(t[plane].module_j + t[plane].rack_loss_j, t[plane].rack_j, 1e-14, 0);
        mr_assert_near(r.module_w + r.stage_loss_w[MR_STAGE_SHELF] +
                           r.stage_loss_w[MR_STAGE_BUSBAR] + r.stage_loss_w[MR_STAGE_BRICK] +
                           r.stage_loss_w[MR_STAGE_VRM],
                       r.rack_w, 1e-14, 0);
        end(1e-12);
    }
    const struct mr_rack rack = {.rated_w = 132e3, .bus_v = 50};
    const struct mr_inside inside = mr_inside_of(&rack, MR_PLANE_MODULE);
    double full_w[mr_inside_max], half_w[mr_inside_max];
    (void)mr_inside_split(&inside, 100e3, full_w);
    (void)mr_inside_split(&inside, 50e3, half_w);
    for (int k = 0; k < 3; k++)
        mr_assert_near(t[MR_PLANE_MODULE].stage_loss_j[inside.kind[k]],
                       32 * (600 * full_w[k] + 3000 * half_w[k]), 1e-12, 0);
    assert_true(t[MR_PLANE_CORE].stage_loss_j[MR_STAGE_VRM] > 0);
    assert_true(t[MR_PLANE_MODULE].stage_loss_j[MR_STAGE_VRM] == 0);
    assert_true(t[MR_PLANE_SHELF].rack_loss_j == 0);
}

/* The controller was at work before: a load that fits is not capped at first, one that does not
 * fit never exceeds the budget, and what the meter shows at once it shows after a minute. */
MR_TEST(a_steady_load_starts_steady)
{
    for (int policy = MR_GOVERN_POLICY_MAXP; policy <= MR_GOVERN_POLICY_MAXLPS; policy++)
        for (int is_much = 0; is_much < 2; is_much++) {
            struct mr_supply_options o = options();
            o.params.govern.policy = policy;
            begin("<layout name=\"s\"><grid limit=\"4 MW\"/>" HALL "</layout>", &o);
            want_all(is_much ? 132e3 : 85e3); /* Max-Q allows 90 kW */
            mr_supply_set_house(world.supply, 0, 250e3);
            mr_supply_advance(world.supply, 0);
            const struct mr_supply_reading first = now();
            mr_supply_advance(world.supply, 60);
            const struct mr_supply_reading last = now();
            const struct mr_supply_total t = totals();
            mr_assert_near(first.grid_w, last.grid_w, 1e-3, 0);
            assert_true(t.n_overload == 0 && t.n_breach == 0 && t.peak_w <= last.limit_w);
            if (is_much)
                assert_true(first.n_rack_capped == 32 && first.grid_w > 0.8 * last.limit_w);
            else
                assert_true(first.n_rack_capped == 0 && t.capped_j == 0);
            end(1e-12);
        }
}

MR_TEST(loss_of_the_grid_is_ridden_through)
{
    struct mr_supply_options o = options();
    begin(backed, &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 100);
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 100.01); /* 20 ms are ridden through */
    assert_true(now().has_grid);
    mr_supply_advance(world.supply, 101);
    struct mr_supply_reading r = now();
    assert_true(!r.has_grid && r.n_rack_on == 32 && r.grid_w == 0);
    assert_true(r.storage_w < -3.8e6 && r.generator_w == 0); /* batteries of the UPS */
    mr_supply_advance(world.supply, 400);
    r = now();
    assert_int_equal(r.n_rack_on, 32);
    mr_assert_near(r.generator_w, 3.84e6 + r.loss_w + r.storage_w, 1e-6, 0);
    assert_true(r.storage_w == 0 && r.storage_soc_frac == 1); /* filled up again meanwhile */
    mr_supply_set_voltage(world.supply, 1);
    mr_supply_advance(world.supply, 7200);
    r = now();
    assert_true(r.has_grid && r.n_rack_on == 32 && r.generator_w == 0);
    const struct mr_supply_total t = totals();
    assert_true(t.n_lost == 0 && t.dark_j == 0 && t.n_away == 1);
    assert_true(t.generator_j > 300 * 3.8e6 && t.fuel_j > t.generator_j);
    mr_assert_near(t.storage_change_j, 0, 0, 1e-3 * t.storage_out_j); /* full again */
    assert_int_equal(count("grid.lost"), 1);
    assert_int_equal(count("grid.back"), 1);
    end(1e-9);
}

MR_TEST(failures_of_the_chain)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"12 MW\" voltage=\"20 kV\"/><power "
          "redundancy=\"2N\"/>" HALL "</layout>",
          &o);
    want_all(130e3);
    mr_supply_advance(world.supply, 100);
    mr_supply_set_failed(world.supply, power_named("H0.upsA"), true);
    mr_supply_advance(world.supply, 200);
    assert_true(now().n_rack_on == 32 && totals().n_lost == 0);
    mr_supply_set_failed(world.supply, power_named("H0.R1.rppB"), true);
    mr_supply_advance(world.supply, 300);
    assert_int_equal(now().n_rack_on, 24);
    mr_supply_set_failed(world.supply, power_named("H0.R1.rppB"), false);
    mr_supply_advance(world.supply, 400);
    assert_int_equal(now().n_rack_on, 32);
    mr_assert_near(totals().dark_j, 8 * 130e3 * 130, 1e-9, 0); /* 100 s and the wait of 30 s */
    end(1e-9);
}

static const char *const eventful[] = {
    "<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"2 MW/min\" voltage=\"110 kV\"/><power><bess "
    "rating=\"1 MW\" "
    "units=\"2\" duration=\"1 h\"/><generator/></power>" HALL "</layout>",
    "<layout name=\"s\"><grid limit=\"6 MW\" voltage=\"110 kV\"/><power "
    "redundancy=\"2N\"><generator/></power>" HALL "</layout>",
    "<layout name=\"s\"><grid interconnect=\"island\"/><power><turbine rating=\"2 MW\" "
    "units=\"3\"/><bess rating=\"2 MW\" units=\"2\" duration=\"1 h\"/></power>" HALL "</layout>"};

static void dice(struct mr_rng *rng)
{
    const double die = mr_rng_f64(rng);
    const uint32_t power = (uint32_t)mr_rng_below(rng, world.site->n_power);
    if (die < 0.1)
        mr_supply_set_voltage(world.supply, mr_rng_f64(rng) < 0.6 ? 1 : 0.5);
    else if (die < 0.2)
        mr_supply_set_failed(world.supply, power, mr_rng_f64(rng) < 0.3);
    else if (die < 0.3)
        mr_supply_set_units_failed(world.supply, power, mr_rng_f64(rng) < 0.3);
    else if (die < 0.35)
        mr_supply_close(world.supply, power);
    else
        for (uint32_t i = 0; i < world.site->n_rack; i++)
            mr_supply_set_rack(world.supply, i, mr_rng_range(rng, 20e3, 140e3));
}

/* Whatever happens: energies close, caps hold, the connection's limit after the controller's time.
 */
static void random_events(uint64_t seed)
{
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 10);
    for (int round = 0; round < 9; round++) {
        struct mr_supply_options o = options();
        o.params.ups_s = 60;
        o.params.govern.policy = round % 3;
        begin(eventful[round / 3], &o);
        double t_s = 0;
        for (int k = 0; k < 150; k++) {
            dice(&rng);
            mr_supply_advance(world.supply, t_s += mr_rng_exponential(&rng, 60));
            for (uint32_t i = 0; i < world.site->n_rack; i++)
                assert_true(mr_supply_rack_w(world.supply, i) <=
                            mr_supply_rack_cap_w(world.supply, i));
        }
        end(1e-9);
    }
}

/* In the second what rests beside bars that turbines carry moves them in its last round; in the
 * third a bar that turbines feed gives to its generators' bar; in the last a bar comes back for
 * what is left of its load while batteries below still carry the rest. */
MR_TEST(random_events_close)
{
    static const uint64_t seed[] = {1, 6, 8, 41};
    for (size_t i = 0; i < sizeof seed / sizeof *seed; i++)
        random_events(seed[i]);
}

/* The same with ramps in packages, tiers, relays and targets that no cap can meet: nothing is drawn
 * by who is held beyond a suspended rack's share once ramps are over; joules add up. */
MR_TEST(random_events_close_with_ramps_and_tiers)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 13);
    for (int round = 0; round < 6; round++) {
        struct mr_supply_options o = options();
        struct mr_err err = {0};
        o.params.ups_s = 60;
        o.params.smooth.is_on = round % 2 == 0;
        o.params.refill_frac = 0.6;
        o.params.frequency.n_stage = 2;
        o.params.frequency.shed_w[0] = o.params.frequency.shed_w[1] = 400e3;
        begin(eventful[round / 2], &o);
        for (uint32_t i = 0; i < world.site->n_rack; i++)
            mr_supply_set_tier(world.supply, i, (uint8_t)mr_rng_below(&rng, 4));
        double t_s = 0;
        for (int k = 0; k < 100; k++) {
            const struct mr_feed_target target = {
                .start_s = t_s + 30, .end_s = t_s + 300, .limit_w = mr_rng_range(&rng, 0.3e6, 5e6)};
            dice(&rng);
            if (round < 4 && k % 10 == 0)
                (void)!mr_supply_set_target(world.supply, &target, &err); /* one at a time */
            mr_supply_advance(world.supply, t_s += mr_rng_exponential(&rng, 60));
            for (uint32_t i = 0; i < world.site->n_rack && !o.params.smooth.is_on; i++) {
                assert_true(mr_supply_rack_w(world.supply, i) <=
                            mr_supply_rack_cap_w(world.supply, i));
                assert_true(!mr_supply_rack_is_held(world.supply, i) ||
                            mr_supply_rack_w(world.supply, i) <= 0.1 * 132e3 * (1 + 1e-12));
            }
        }
        const struct mr_supply_total t = totals();
        mr_assert_near(t.capped_j + t.dark_j + t.held_j + t.delayed_j, t.unserved_j, 1e-9, 0);
        mr_assert_near(t.want_j - t.unserved_j + t.burn_j, t.rack_j, 1e-9, 0);
        assert_true(o.params.smooth.is_on ? t.burn_j > 0 : t.burn_j == 0);
        end(1e-9);
    }
}

/* A site that has been running has warm breakers: the same failure trips as late in its first
 * minutes as after hours, ln((x^2 - x0^2) / (x^2 - 1.05^2)) time constants after it. */
MR_TEST(breakers_of_a_running_site_are_warm)
{
    for (int late = 0; late < 2; late++) {
        const double fail_s = late ? 7200 : 300;
        struct mr_supply_options o = options();
        o.params.wire.breaker_frac = 0.6;
        begin("<layout name=\"s\"><grid limit=\"8 MW\"/><power redundancy=\"2N\"/>" HALL
              "</layout>",
              &o);
        want_all(132e3);
        mr_supply_advance(world.supply, fail_s);
        const uint32_t b = power_named("H0.R0.rppB");
        const uint32_t at = mr_supply_wire(world.supply)->of_power[b];
        const struct mr_breaker *breaker = &mr_supply_wire(world.supply)->tree->node[at].breaker;
        struct mr_chain_flow before, after;
        mr_chain_read(mr_supply_chain(world.supply), at, fail_s, &before);
        mr_supply_set_failed(world.supply, power_named("H0.R0.rppA"), true);
        mr_supply_advance(world.supply, fail_s + 1);
        mr_chain_read(mr_supply_chain(world.supply), at, fail_s + 1, &after);
        const double x0 = before.current_a / before.n_on / breaker->rated_a;
        const double x = after.current_a / after.n_on / breaker->rated_a;
        assert_true(x0 > 0.5 && x > 1.9 * x0);
        mr_assert_near(after.trip_s - fail_s, 600 * log((x * x - x0 * x0) / (x * x - 1.1025)), 1e-4,
                       0);
        end(1e-12);
    }
}

/* Units of supplies are switched where the verb and runs drive the chain, not in the chain's own
 * tests alone: at a fifth of the load few run and lose less, when load comes they run with it. */
MR_TEST(units_are_staged)
{
    double loss_j[3];
    const int stagings[] = {MR_UNITS_ALL, MR_UNITS_OPTIMAL, MR_UNITS_HYSTERESIS};
    for (int k = 0; k < 3; k++) {
        struct mr_supply_options o = options();
        o.params.wire.staging = stagings[k];
        begin(plain, &o);
        want_all(20e3);
        mr_supply_advance(world.supply, 1800);
        loss_j[k] = totals().stage_loss_j[MR_STAGE_UPS];
        const size_t n_off = count("power.stage_unit_off");
        assert_true(k == 0 ? n_off == 0 : n_off > 0 && count("power.stage_unit_on") == 0);
        want_all(130e3);
        mr_supply_advance(world.supply, 3600);
        assert_true(now().n_rack_on == 32 && count("power.stage_overload") == 0);
        assert_true((count("power.stage_unit_on") > 0) == (k > 0));
        assert_true(count("power.stage_unit_off") + count("power.stage_unit_on") < 20);
        for (int i = 1; i <= 60; i++) { /* dates that are no sums of doubles without rounding */
            want_all(i % 2 == 0 ? 20e3 : 90e3);
            mr_supply_advance(world.supply, 3600 + 77.7 * i);
        }
        end(1e-9);
    }
    assert_true(loss_j[1] < 0.9 * loss_j[0] && loss_j[2] < loss_j[0] && loss_j[1] < loss_j[2]);
}

MR_TEST_MAIN(MR_TEST_ENTRY(units_are_staged), MR_TEST_ENTRY(a_day_without_events),
             MR_TEST_ENTRY(stages_inside_racks_divide_their_watts),
             MR_TEST_ENTRY(a_steady_load_starts_steady),
             MR_TEST_ENTRY(loss_of_the_grid_is_ridden_through),
             MR_TEST_ENTRY(failures_of_the_chain), MR_TEST_ENTRY(random_events_close),
             MR_TEST_ENTRY(random_events_close_with_ramps_and_tiers),
             MR_TEST_ENTRY(breakers_of_a_running_site_are_warm))
