/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of engine/twin/exchange share: a hall, its plant and supply, instances that draw
 * what they are told, and what happened. One world at a time. */
#ifndef MR_TESTS_ENGINE_TWIN_EXCHANGE_BED_H
#define MR_TESTS_ENGINE_TWIN_EXCHANGE_BED_H

#include "engine/twin/exchange.h"
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

static inline void event(void *context, double t_s, const char *kind, const char *entity,
                         double value, double limit)
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
static inline struct mr_power some_power(void)
{
    return (struct mr_power){.limit_w = 1200,
                             .idle_w = 160,
                             .leakage_w = 60,
                             .leakage_per_k = 0.02,
                             .clock_min = 0.35,
                             .clock_knee = 0.6,
                             .exponent = 2.5};
}

static inline void begin_in(bool has_two, double tick_s, double dynamic_w)
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

static inline void begin_at(double tick_s, double dynamic_w)
{
    begin_in(false, tick_s, dynamic_w);
}

static inline void end(void)
{
    struct mr_exchange_sums sums;
    mr_exchange_sums(w.exchange, &sums);
    assert_true(sums.closure_rel < 1e-9);
    mr_exchange_destroy(w.exchange);
    mr_weather_fini(&w.weather);
    mr_stand_fini(&w.stand);
    mr_site_destroy(w.site);
}

static inline double meter_w(void)
{
    struct mr_supply_reading reading;
    mr_supply_read(mr_exchange_supply(w.exchange), &reading);
    return reading.grid_w;
}

/* Instances work all the time. */
static inline void play(double until_s)
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

#endif
