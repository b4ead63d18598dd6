/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of generators.
 *
 *   fuel = rated / efficiency (idle + (1 - idle) P / rated)      [W of heat], unit on the bus
 *
 * A change of shares takes T = max |P_i' - P_i| / ramp, and unit i moves by (P_i' - P_i) / T.
 * Map: parameters - fuel - shares - who runs - time. */
#include "power/generator.h"

#include "engine/base/assert.h"

#include <math.h>

/* A unit is stopped when the others would be below this share of their rating without it. */
static const double stop_frac = 0.9;

/* ---- parameters ---- */

static const char *const kinds[] = {
#define KIND_TEXT(name, text, rated, start, ramp, least, eff, idle, carbon, doc) text,
    MR_GENERATOR_KIND_LIST(KIND_TEXT)
#undef KIND_TEXT
};

// clang-format off
#define P struct mr_generator_params
static const struct mr_param rows[] = {
    MR_PARAM_ONE_OF(P, kind, "kind", kinds, "diesel", "What it is: the defaults of all else"),
    MR_PARAM_N(P, n_unit, "units", "1", 1, 10000, "Number of equal units installed"),
    MR_PARAM_N(P, n_spare, "spares", "0", 0, 10000, "Units that run beyond what the load needs"),
    MR_PARAM(P, rated_w, "rated", MR_Q_POWER, "3 MW", 1, 1e12, "Power of one unit"),
    MR_PARAM(P, start_s, "start", MR_Q_TIME, "10 s", 0, 86400, "From off to accepting load"),
    MR_PARAM(P, ramp_w_s, "ramp", MR_Q_RAMP, "0.6 MW/s", 1e-3, 1e12, "Fastest change of power of one unit"),
    MR_PARAM(P, min_load_frac, "min_load", MR_Q_FRACTION, "30 %", 0, 1, "Least stable load of a unit"),
    MR_PARAM(P, efficiency, "efficiency", MR_Q_FRACTION, "40 %", 0.01, 1, "Electric power over heat of fuel at the rated power"),
    MR_PARAM(P, idle_fuel_frac, "idle_fuel", MR_Q_FRACTION, "12 %", 0, 1, "Fuel at no load, share of fuel at the rated power"),
    MR_PARAM(P, fuel_j, "fuel", MR_Q_ENERGY, "0 J", 0, MR_UNBOUNDED, "Heat of the fuel stored for one unit; 0: without end"),
    MR_PARAM(P, min_run_s, "min_run", MR_Q_TIME, "10 min", 0, 86400, "A unit on the bus is not stopped before"),
    MR_PARAM(P, fuel_usd_j, "fuel_price", MR_Q_ENERGY_PRICE, "30 USD/MWh", 0, MR_UNBOUNDED, "Price of heat of fuel"),
    MR_PARAM(P, fuel_kg_j, "fuel_carbon", MR_Q_CARBON, "267 g/kWh", 0, MR_UNBOUNDED, "Carbon dioxide of heat of fuel"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"generator", "Generators on the site.", rows,
                                            sizeof rows / sizeof *rows};

void mr_generator_defaults(struct mr_generator_params *params, enum mr_generator_kind kind)
{
    enum {
        n_preset = 7
    };
    static const char *const names[n_preset] = {"rated",      "start",     "ramp",       "min_load",
                                                "efficiency", "idle_fuel", "fuel_carbon"};
    static const char *const preset[][n_preset] = {
#define KIND_ROW(name, text, rated, start, ramp, least, eff, idle, carbon, doc) \
    {rated, start, ramp, least, eff, idle, carbon},
        MR_GENERATOR_KIND_LIST(KIND_ROW)
#undef KIND_ROW
    };
    uint8_t origin[sizeof rows / sizeof *rows];
    const struct mr_param_target target = {&table, params, origin, NULL, "generator"};
    *params = (struct mr_generator_params){0};
    mr_param_defaults(&target);
    params->kind = (int)kind;
    for (int i = 0; i < n_preset; i++) {
        const mr_status st = mr_param_set(&target, mr_str_of(names[i]), mr_str_of(preset[kind][i]),
                                          MR_PARAM_GIVEN, MR_NOWHERE, NULL);
        MR_ASSERT(st == MR_OK);
    }
}

mr_status mr_generator_check(const struct mr_generator_params *params, const char *name,
                             struct mr_err *err)
{
    if (params->n_spare >= params->n_unit)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: %llu spares of %llu units: none is left to carry load", name,
                          (unsigned long long)params->n_spare, (unsigned long long)params->n_unit);
    return MR_OK;
}

static double needed(const struct mr_generator_params *params, double load_w)
{
    return load_w > 0 ? ceil(load_w / params->rated_w) + (double)params->n_spare : 0;
}

double mr_generator_least_frac(const struct mr_generator_params *params, double load_w)
{
    const double n = fmin(needed(params, load_w), (double)params->n_unit);
    const double least_w = n * params->min_load_frac * params->rated_w;
    return load_w < least_w ? load_w / least_w : 1;
}

mr_status mr_generator_init(struct mr_arena *arena, const struct mr_generator_params *params,
                            double t_s, struct mr_generator *block, struct mr_err *err)
{
    *block = (struct mr_generator){.t_s = t_s,
                                   .arrive_s = (double)INFINITY,
                                   .n = (uint32_t)params->n_unit,
                                   .n_most = (uint32_t)params->n_unit,
                                   .room_w = (double)INFINITY};
    block->unit = mr_arena_zero(arena, block->n, sizeof *block->unit, err);
    if (block->unit == NULL)
        return MR_NOMEM;
    for (uint32_t i = 0; i < block->n; i++)
        block->unit[i].fuel_j = params->fuel_j > 0 ? params->fuel_j : (double)INFINITY;
    return MR_OK;
}

/* ---- fuel ---- */

static bool is_running(const struct mr_generator_unit *unit)
{
    return unit->state == MR_GENERATOR_RAMPING || unit->state == MR_GENERATOR_ON;
}

static double fuel_w(const struct mr_generator_params *params, double power_w)
{
    return (params->idle_fuel_frac * params->rated_w + (1 - params->idle_fuel_frac) * power_w) /
           params->efficiency;
}

/* When the store is empty: a t + b t^2 / 2 = fuel, a and b the burn now and its slope. */
static double empty_s(const struct mr_generator_params *params, double t_s,
                      const struct mr_generator_unit *unit)
{
    if (!is_running(unit) || unit->fuel_j == (double)INFINITY)
        return (double)INFINITY;
    const double a = fuel_w(params, unit->power_w);
    const double b = (1 - params->idle_fuel_frac) * unit->slope_w_s / params->efficiency;
    const double inside = a * a + 2 * b * unit->fuel_j;
    const double denominator = a + (inside > 0 ? sqrt(inside) : 0);
    return inside < 0 || denominator == 0 ? (double)INFINITY : t_s + 2 * unit->fuel_j / denominator;
}

/* ---- shares ---- */

/* Set the slopes that bring all units to their targets at once. */
static void head_for(const struct mr_generator_params *params, struct mr_generator *block)
{
    double longest_s = 0;
    for (uint32_t i = 0; i < block->n; i++) {
        const struct mr_generator_unit *const unit = &block->unit[i];
        if (is_running(unit))
            longest_s = fmax(longest_s, fabs(unit->target_w - unit->power_w) / params->ramp_w_s);
    }
    block->arrive_s = longest_s > 0 ? block->t_s + longest_s : (double)INFINITY;
    for (uint32_t i = 0; i < block->n; i++) {
        struct mr_generator_unit *const unit = &block->unit[i];
        if (!is_running(unit))
            continue;
        unit->slope_w_s = longest_s > 0 ? (unit->target_w - unit->power_w) / longest_s : 0;
        unit->state = longest_s > 0 ? MR_GENERATOR_RAMPING : MR_GENERATOR_ON;
    }
}

/* Stop now a unit whose way to 0 is over, or that is gone. */
static void stand(struct mr_generator_unit *unit, enum mr_generator_state state)
{
    unit->state = (int)state;
    unit->power_w = unit->target_w = unit->slope_w_s = 0;
}

static void arrive(struct mr_generator *block)
{
    for (uint32_t i = 0; i < block->n; i++) {
        struct mr_generator_unit *const unit = &block->unit[i];
        if (!is_running(unit))
            continue;
        unit->power_w = unit->target_w;
        unit->slope_w_s = 0;
        unit->state = MR_GENERATOR_ON;
        if (unit->target_w == 0)
            stand(unit, MR_GENERATOR_OFF);
    }
    block->arrive_s = (double)INFINITY;
}

/* ---- who runs ---- */

struct tally {
    uint32_t n_running, n_cranking;
};

/* On the bus for less than the least time. */
static bool is_held(const struct mr_generator_params *params, const struct mr_generator *block,
                    const struct mr_generator_unit *unit)
{
    return is_running(unit) && !block->is_leaving && unit->since_s + params->min_run_s > block->t_s;
}

static struct tally count(const struct mr_generator *block)
{
    struct tally tally = {0};
    for (uint32_t i = 0; i < block->n; i++) {
        tally.n_running += is_running(&block->unit[i]);
        tally.n_cranking += block->unit[i].state == MR_GENERATOR_CRANKING;
    }
    return tally;
}

static void start_units(const struct mr_generator_params *params, struct mr_generator *block,
                        uint32_t n)
{
    for (uint32_t i = 0; i < block->n && n > 0; i++) {
        struct mr_generator_unit *const unit = &block->unit[i];
        if (unit->state != MR_GENERATOR_OFF || unit->fuel_j == 0)
            continue;
        unit->state = MR_GENERATOR_CRANKING;
        unit->ready_s = block->t_s + params->start_s;
        n--;
    }
}

/* Decide who runs for the present load and where everybody goes. Units leave from the last one. */
static void dispatch(const struct mr_generator_params *params, struct mr_generator *block)
{
    const struct tally tally = count(block);
    const double n_load = fmin(needed(params, block->load_w + block->more_w), block->n_most);
    /* leave room, so that a load that moves about a multiple of the rating starts and stops none */
    const double n_keep =
        fmin(needed(params, (block->load_w + block->more_w) / stop_frac), block->n_most);
    const uint32_t n_there = tally.n_running + tally.n_cranking;
    if (n_load > n_there)
        start_units(params, block, (uint32_t)(fmin(n_load, block->n) - n_there));
    uint32_t n_surplus = n_there > n_keep ? n_there - (uint32_t)n_keep : 0;
    for (uint32_t i = block->n; i-- > 0 && n_surplus > 0;)
        if (block->unit[i].state == MR_GENERATOR_CRANKING) {
            stand(&block->unit[i], MR_GENERATOR_OFF);
            n_surplus--;
        }
    uint32_t n_share = tally.n_running;
    for (uint32_t i = block->n; i-- > 0;) {
        struct mr_generator_unit *const unit = &block->unit[i];
        const bool is_free = !is_held(params, block, unit) || n_share > block->n_most;
        const bool leaves = n_surplus > 0 && is_running(unit) && is_free;
        unit->target_w = leaves ? -1 : 0; /* a mark, for the loop below */
        n_surplus -= leaves;
        n_share -= leaves;
    }
    const double least_w = block->is_leaving ? 0 : params->min_load_frac * params->rated_w;
    const double share_w = n_share > 0
                               ? fmin(fmin(fmax(block->load_w / n_share, least_w), params->rated_w),
                                      block->room_w / n_share)
                               : 0;
    for (uint32_t i = 0; i < block->n; i++)
        if (is_running(&block->unit[i]))
            block->unit[i].target_w = block->unit[i].target_w < 0 ? 0 : share_w;
    head_for(params, block);
}

void mr_generator_set(const struct mr_generator_params *params, struct mr_generator *block,
                      double load_w)
{
    mr_generator_set_more(params, block, load_w, 0);
}

void mr_generator_set_more(const struct mr_generator_params *params, struct mr_generator *block,
                           double load_w, double more_w)
{
    MR_ASSERT(load_w >= 0 && load_w < (double)INFINITY);
    MR_ASSERT(more_w >= 0 && more_w < (double)INFINITY);
    block->load_w = load_w;
    block->more_w = more_w;
    dispatch(params, block);
}

void mr_generator_fail(const struct mr_generator_params *params, struct mr_generator *block,
                       uint32_t unit)
{
    MR_ASSERT(unit < block->n);
    stand(&block->unit[unit], MR_GENERATOR_FAILED);
    dispatch(params, block);
}

void mr_generator_repair(const struct mr_generator_params *params, struct mr_generator *block,
                         uint32_t unit)
{
    MR_ASSERT(unit < block->n);
    if (block->unit[unit].state == MR_GENERATOR_FAILED)
        stand(&block->unit[unit], MR_GENERATOR_OFF);
    dispatch(params, block);
}

/* ---- time ---- */

double mr_generator_next_s(const struct mr_generator_params *params,
                           const struct mr_generator *block)
{
    double next_s = block->arrive_s;
    const bool is_many = mr_generator_n_running(block) > needed(params, block->load_w / stop_frac);
    for (uint32_t i = 0; i < block->n; i++) {
        const struct mr_generator_unit *const unit = &block->unit[i];
        if (unit->state == MR_GENERATOR_CRANKING)
            next_s = fmin(next_s, unit->ready_s);
        next_s = fmin(next_s, empty_s(params, block->t_s, unit));
        if (is_many && is_held(params, block, unit)) /* may be stopped then */
            next_s = fmin(next_s, unit->since_s + params->min_run_s);
    }
    return next_s;
}

/* @param[in] drains stores that are to be empty then are, whatever rounding leaves */
static void run(const struct mr_generator_params *params, struct mr_generator *block, double t_s,
                bool drains)
{
    const double dt_s = t_s - block->t_s;
    for (uint32_t i = 0; i < block->n; i++) {
        struct mr_generator_unit *const unit = &block->unit[i];
        if (!is_running(unit))
            continue;
        const double middle_w = unit->power_w + 0.5 * unit->slope_w_s * dt_s;
        const double burnt_j = fuel_w(params, middle_w) * dt_s;
        const bool is_empty = drains && empty_s(params, block->t_s, unit) <= t_s;
        block->energy_j += middle_w * dt_s;
        block->fuel_j += burnt_j;
        unit->fuel_j = is_empty ? 0 : fmax(unit->fuel_j - burnt_j, 0);
        unit->power_w += unit->slope_w_s * dt_s;
    }
    block->t_s = t_s;
}

void mr_generator_drain(const struct mr_generator_params *params, struct mr_generator *block,
                        double fuel_j)
{
    const double each_j = fuel_j / fmax(1, mr_generator_n_running(block));
    for (uint32_t i = 0; i < block->n; i++) {
        struct mr_generator_unit *const unit = &block->unit[i];
        if (is_running(unit) && unit->fuel_j < (double)INFINITY)
            unit->fuel_j = fmin(params->fuel_j, fmax(0, unit->fuel_j - each_j));
    }
}

void mr_generator_advance(const struct mr_generator_params *params, struct mr_generator *block,
                          double t_s)
{
    MR_ASSERT(t_s >= block->t_s);
    for (;;) {
        const double next_s = mr_generator_next_s(params, block);
        if (next_s > t_s)
            break;
        const bool has_arrived = block->arrive_s <= next_s;
        run(params, block, next_s, true);
        if (has_arrived)
            arrive(block);
        for (uint32_t i = 0; i < block->n; i++) {
            struct mr_generator_unit *const unit = &block->unit[i];
            if (is_running(unit) && unit->fuel_j == 0)
                stand(unit, MR_GENERATOR_FAILED);
            if (unit->state == MR_GENERATOR_CRANKING && unit->ready_s <= next_s) {
                unit->state = MR_GENERATOR_RAMPING;
                unit->since_s = next_s;
            }
        }
        dispatch(params, block);
    }
    run(params, block, t_s, false);
}

/* ---- reading ---- */

double mr_generator_power_w(const struct mr_generator *block)
{
    double sum_w = 0;
    for (uint32_t i = 0; i < block->n; i++)
        sum_w += block->unit[i].power_w;
    return sum_w;
}

uint32_t mr_generator_n_running(const struct mr_generator *block)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < block->n; i++)
        n += is_running(&block->unit[i]);
    return n;
}

double mr_generator_surplus_w(const struct mr_generator *block)
{
    return mr_generator_power_w(block) - block->load_w;
}

double mr_generator_headroom_w(const struct mr_generator_params *params,
                               const struct mr_generator *block)
{
    return mr_generator_n_running(block) * params->rated_w - mr_generator_power_w(block);
}
