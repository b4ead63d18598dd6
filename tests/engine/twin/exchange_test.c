/* SPDX-License-Identifier: Apache-2.0 */
/* engine/twin/exchange: a hall whose instances draw what a formula says, through curtailment, lost
 * pumps, lost grid, leaks: clocks obey, energies close, ticks do not matter. */
#include "engine/twin/exchange.h"

#include "engine/base/rng.h"
#include "models/gpu.h"
#include "platforms/layout.h"
#include "tests/test.h"

static const char *const hall =
    "<layout name=\"t\"><grid limit=\"%.17g MW\"/><cooling supply=\"40 degC\"/>"
    "<hall><row count=\"2\"><rack card=\"gb200_nvl72\" count=\"4\"/><cdu units=\"2\"/></row></hall>"
    "</layout>";

/* The second one stands empty. */
static const char *const two_halls =
    "<layout name=\"t\"><grid limit=\"%g MW\"/><cooling supply=\"40 degC\"/><hall count=\"2\">"
    "<row count=\"2\"><rack card=\"gb200_nvl72\" count=\"4\"/><cdu units=\"2\"/></row></hall>"
    "</layout>";

enum {
    n_instance = 16,
    n_package = 36
};

static const double clocked = 0.8; /* share of instances' watts that follow the clock */

struct world {
    struct mr_site *site;
    struct mr_stand stand;
    struct mr_weather weather;
    struct mr_power power;
    const struct mr_power *power_of[n_instance];
    struct mr_exchange *exchange;
    struct mr_exchange_work work[n_instance];
    struct mr_exchange_order order[n_instance];
    double dynamic_w;        /* beyond idling, at full clock */
    double phi_min, least_w; /* of all instances and dates; of the meter */
    int n_down, n_thermal, n_cap, n_level_over, n_cap_infeasible;
    bool rests[n_instance];     /* has no work */
    bool smooths;               /* from begin_at on */
    int policy;                 /* of the governor, from begin_at on */
    double over_frac;           /* worst of racks drawn over caps that were in force */
    double limit_w;             /* of the connection, from begin_at on; 0: 6 MW */
    double over_s, over_most_s; /* the meter has been above it; the longest time of all */
    double slow_w[n_instance];
    double cap_w[8]; /* at the last exchange */
    char first[64];  /* kind of the first event */
};

static struct world w;

static void event(void *context, double t_s, const char *kind, const char *entity, double value,
                  double limit)
{
    (void)context;
    (void)t_s;
    assert_non_null(entity);
    w.n_level_over += strcmp(kind, "power.level_over") == 0;
    if (strcmp(kind, "power.cap_infeasible") == 0) {
        w.n_cap_infeasible++;
        assert_true(value > limit && limit > 0);
    }
    if (w.first[0] == '\0')
        snprintf(w.first, sizeof w.first, "%s", kind);
}

/* A card with round figures: 100 W idle, 60 W of them leakage, d = phi^2.5 */
static struct mr_power some_power(void)
{
    return (struct mr_power){.limit_w = 1200,
                             .idle_w = 160,
                             .leakage_w = 60,
                             .leakage_per_k = 0.02,
                             .clock_min = 0.35,
                             .clock_knee = 0.6,
                             .exponent = 2.5};
}

static void begin_in(bool has_two, double tick_s, double dynamic_w)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_weather_params weather;
    w = (struct world){.dynamic_w = dynamic_w,
                       .phi_min = 1,
                       .least_w = HUGE_VAL,
                       .policy = w.policy,
                       .smooths = w.smooths,
                       .limit_w = w.limit_w > 0 ? w.limit_w : 6e6};
    w.power = some_power();
    char layout[512];
    if (has_two)
        snprintf(layout, sizeof layout, two_halls, w.limit_w / 1e6);
    else
        snprintf(layout, sizeof layout, hall, w.limit_w / 1e6);
    if (mr_layout_load_text("t.layout.xml", mr_str_of(layout), &w.site, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    mr_weather_defaults(&weather);
    weather.dry_bulb_c = 25;
    if (mr_weather_make(&weather, &w.weather, &err) != MR_OK ||
        mr_stand_init(&w.stand, w.site, &err) != MR_OK ||
        mr_stand_pool(&w.stand, w.site, "gb200", n_package, n_instance, "deployment", &err) !=
            MR_OK)
        fail_msg("%s", err.text);
    for (int i = 0; i < n_instance; i++) {
        w.power_of[i] = &w.power;
        w.slow_w[i] = dynamic_w * (1 - clocked + clocked * mr_power_factor(&w.power, 0.35));
    }
    struct mr_exchange_plan plan = {.site = w.site,
                                    .stand = &w.stand,
                                    .weather = &w.weather,
                                    .power = w.power_of,
                                    .slow_w = w.slow_w,
                                    .event = event};
    mr_exchange_defaults(&plan.params);
    plan.params.tick_s = tick_s;
    mr_plant_defaults(&plan.plant);
    mr_supply_defaults(&plan.supply.params);
    plan.supply.params.govern.policy = w.policy;
    plan.supply.params.smooth.is_on = w.smooths;
    if (mr_exchange_create(&plan, &w.exchange, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    for (int i = 0; i < n_instance; i++)
        w.order[i] = (struct mr_exchange_order){.phi = 1, .is_up = true};
}

static void begin_at(double tick_s, double dynamic_w)
{
    begin_in(false, tick_s, dynamic_w);
}

static void end(void)
{
    struct mr_exchange_sums sums;
    mr_exchange_sums(w.exchange, &sums);
    assert_true(sums.closure_rel < 1e-9);
    mr_exchange_destroy(w.exchange);
    mr_weather_fini(&w.weather);
    mr_stand_fini(&w.stand);
    mr_site_destroy(w.site);
}

static double meter_w(void)
{
    struct mr_supply_reading reading;
    mr_supply_read(mr_exchange_supply(w.exchange), &reading);
    return reading.grid_w;
}

/* Instances work all the time. */
static void play(double until_s)
{
    struct mr_err err = {0};
    const double c = clocked;
    while (mr_exchange_now_s(w.exchange) < until_s) {
        const double t_s = fmin(until_s, mr_exchange_next_s(w.exchange));
        const double dt_s = t_s - mr_exchange_now_s(w.exchange);
        assert_true(dt_s > 0);
        for (int i = 0; i < n_instance; i++) {
            const double d = mr_power_factor(&w.power, w.order[i].phi);
            w.work[i].clocked_frac = c;
            if (!w.order[i].is_up || w.rests[i])
                continue;
            w.work[i].busy_s += dt_s;
            w.work[i].busy_j += dt_s * (w.power.idle_w + w.dynamic_w * (1 - c + c * d));
        }
        for (uint32_t r = 0; r < 8; r++)
            w.cap_w[r] = mr_supply_rack_cap_w(mr_exchange_supply(w.exchange), r);
        if (mr_exchange_do(w.exchange, t_s, w.work, w.order, &err) != MR_OK)
            fail_msg("%s", err.text);
        w.over_s = meter_w() > w.limit_w ? w.over_s + dt_s : 0;
        w.over_most_s = fmax(w.over_most_s, w.over_s);
        for (uint32_t r = 0; r < 8; r++)
            w.over_frac =
                fmax(w.over_frac, mr_exchange_rack(w.exchange, r)->drawn_w / w.cap_w[r] - 1);
        for (int i = 0; i < n_instance; i++) {
            w.phi_min = fmin(w.phi_min, w.order[i].phi);
            w.n_down += !w.order[i].is_up;
            w.n_thermal += w.order[i].reason == MR_EXCHANGE_THERMAL;
            w.n_cap += w.order[i].reason == MR_EXCHANGE_CAP;
        }
    }
}

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
        w.limit_w = 500e3 + 60e3 * k;
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
        w.limit_w = mr_rng_range(&rng, 900e3, 1300e3);
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

MR_TEST_MAIN(MR_TEST_ENTRY(a_quiet_hall),
             MR_TEST_ENTRY(curtailment_lowers_clocks_and_gives_them_back),
             MR_TEST_ENTRY(caps_are_kept_beyond_the_latency),
             MR_TEST_ENTRY(a_cap_below_the_lowest_clock_is_told),
             MR_TEST_ENTRY(smoothing_in_the_loop), MR_TEST_ENTRY(a_limit_holds_from_the_start),
             MR_TEST_ENTRY(a_limit_is_exceeded_for_no_longer_than_the_latency),
             MR_TEST_ENTRY(a_grid_that_comes_back_finds_caps_that_fit),
             MR_TEST_ENTRY(packages_of_a_rack_lend_to_each_other),
             MR_TEST_ENTRY(the_lower_tier_goes_first), MR_TEST_ENTRY(lost_pumps),
             MR_TEST_ENTRY(a_leaking_tray_takes_its_instance),
             MR_TEST_ENTRY(without_grid_all_are_down_until_it_is_back),
             MR_TEST_ENTRY(cooling_without_grid_is_paid_for),
             MR_TEST_ENTRY(cooling_stops_where_it_is_dark),
             MR_TEST_ENTRY(what_racks_were_fed_is_their_heat),
             MR_TEST_ENTRY(sums_that_do_not_close_are_refused), MR_TEST_ENTRY(ticks_do_not_matter))
