/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of units along the water, and the choice of stages. Water is split evenly over the
 * units of a kind that are in service. A lost fan bank lowers the air of all units of its kind
 * alike. With chillers on towers both share the towers' water: its temperature is the root of
 *
 *   T = wet bulb + approach(range),  range = (heat to exchanger + heat and work of chillers) / C
 *
 * Ignored: pumps of the tower side, which the loop's pump carries; time of starting a stage.
 * Map: parameters and checks - the chain - stages. */
#include "thermal/rejection.h"

#include "engine/base/assert.h"
#include "thermal/moist.h"
#include "thermal/root.h"

#include <math.h>

static const double sea_level_pa = 101325;

static const char *const condensers[] = {"air", "tower"};

// clang-format off
#define R struct mr_rejection_params
static const struct mr_param rows[] = {
    MR_PARAM(R, set_c, "supply", MR_Q_TEMPERATURE, "40 degC", 0, 80, "Set point of the water sent to the loop"),
    MR_PARAM(R, dead_band_k, "dead_band", MR_Q_TEMPERATURE_DIFF, "1 K", 0, 20, "A lower stage must reach the set point with this to spare"),
    MR_PARAM(R, hold_s, "hold", MR_Q_TIME, "600 s", 0, 86400, "Least time between changes of the stage"),
    MR_PARAM(R, exchanger_k, "exchanger", MR_Q_TEMPERATURE_DIFF, "2 K", 0, 20, "Approach of the heat exchanger between towers and loop"),
    MR_PARAM(R, design_heat_w, "heat", MR_Q_POWER, "0 W", 0, 1e12, "Design heat of the loop; 0: capacity is not checked"),
    MR_PARAM_YES(R, has_water, "water", "yes", "There is a water supply for pads and towers"),
    MR_PARAM_YES(R, may_float, "allow_float", "no", "Capacity below the design heat is meant"),
    MR_PARAM_ONE_OF(R, condenser, "condenser", condensers, "air", "What cools the condensers of chillers"),
};
#undef R
// clang-format on

static const struct mr_limits_source sources[] = {
    {"supply", MR_CONFIDENCE_ASSUMPTION, "the loop says"},
    {"dead_band", MR_CONFIDENCE_ASSUMPTION, "common practice"},
    {"hold", MR_CONFIDENCE_ASSUMPTION, "compressors start a few times an hour"},
    {"exchanger", MR_CONFIDENCE_ASSUMPTION, "plate heat exchanger"},
    {"heat", MR_CONFIDENCE_ASSUMPTION, "the loop says"},
    {"water", MR_CONFIDENCE_ASSUMPTION, "the site says"},
    {"allow_float", MR_CONFIDENCE_ASSUMPTION, "the site says"},
    {"condenser", MR_CONFIDENCE_ASSUMPTION, "the site says"},
};

const struct mr_limits_table mr_rejection_table = {
    {"rejection", "The heat rejection of a facility loop and its stages.", rows,
     sizeof rows / sizeof *rows},
    sources};

void mr_rejection_defaults(struct mr_rejection_params *params)
{
    mr_limits_defaults(&mr_rejection_table.param, params);
}

const char *mr_rejection_mode_name(int mode)
{
    static const char *const names[] = {
#define MODE_NAME(name, text) text,
        MR_REJECTION_LIST(MODE_NAME)
#undef MODE_NAME
    };
    MR_ASSERT(mode >= 0 && mode < MR_REJECTION_N_MODE);
    return names[mode];
}

/* ---- checks ---- */

mr_status mr_rejection_make(const char *what, const struct mr_rejection_params *params,
                            struct mr_rejection *rejection, struct mr_err *err)
{
    const struct mr_rejection *r = rejection;
    MR_TRY(mr_limits_check(what, &mr_rejection_table.param, params, err));
    if (r->n_dry + r->n_tower + r->n_chiller == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: no unit: the heat of the loop has nowhere to go", what);
    if (!params->has_water && (r->n_tower > 0 || r->has_pads))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: %s without a water supply", what,
                          r->n_tower > 0 ? "towers" : "adiabatic pads");
    if (params->condenser == MR_REJECTION_TOWER && r->n_chiller > 0 && r->n_tower == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: chillers with condensers on towers, but there are no towers", what);
    const bool on_towers = params->condenser == MR_REJECTION_TOWER && r->n_chiller > 0;
    const double capacity_w = (double)r->n_dry * r->dry.p.capacity_w +
                              (double)r->n_tower * r->tower.p.capacity_w +
                              (on_towers ? 0 : (double)r->n_chiller * r->chiller.p.capacity_w);
    if (capacity_w < params->design_heat_w && !params->may_float)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: %.0f kW of design heat on %.0f kW of heat rejection (add units, or "
                          "allow_float=\"yes\" to let the water warm)",
                          what, params->design_heat_w / 1e3, capacity_w / 1e3);
    rejection->p = *params;
    return MR_OK;
}

mr_status mr_rejection_check_weather(const char *what, const struct mr_rejection *rejection,
                                     const struct mr_weather *weather, struct mr_err *err)
{
    if (rejection->n_chiller > 0 || weather->dry_min_c < rejection->p.set_c)
        return MR_OK; /* wet bulbs are below dry bulbs */
    return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                      "%s: supply set-point %g degC is never reached without chillers: the coldest "
                      "hour has %g degC",
                      what, rejection->p.set_c, weather->dry_min_c);
}

void mr_rejection_start(struct mr_rejection_state *state)
{
    *state = (struct mr_rejection_state){.stage = -1, .dry_fans_frac = 1, .tower_fans_frac = 1};
}

/* ---- the chain ---- */

static double in_service(uint64_t n, uint64_t n_lost)
{
    return n > n_lost ? (double)(n - n_lost) : 0;
}

struct chain {
    const struct mr_rejection *r;
    const struct mr_rejection_state *state;
    const struct mr_rejection_in *in;
    double set_c, density_frac;
    double n_dry, n_tower, n_chiller;
    double water_c; /* along the chain */
};

static void run_dry(struct chain *c, bool is_wet, struct mr_rejection_out *out)
{
    const struct mr_rejection_in *in = c->in;
    const struct mr_dry_cooler *dry = &c->r->dry;
    const double air_c =
        is_wet ? mr_adiabatic_air_c(&c->r->pads, in->dry_bulb_c, in->wet_bulb_c) : in->dry_bulb_c;
    const struct mr_dry_cooler_in unit = {.entering_c = c->water_c,
                                          .flow_frac = in->water_w_k / (c->n_dry * dry->water_w_k),
                                          .air_c = air_c,
                                          .density_frac = c->density_frac,
                                          .fans_frac = c->state->dry_fans_frac,
                                          .set_c = c->set_c};
    const struct mr_dry_cooler_out one = mr_dry_cooler_run(dry, &unit);
    const double latent_w = is_wet && one.heat_w > 0
                                ? c->n_dry * mr_adiabatic_latent_w(&c->r->pads, one.air_w_k,
                                                                   in->dry_bulb_c, in->wet_bulb_c)
                                : 0;
    const struct mr_water water = mr_water_of(&c->r->water, latent_w, 0);
    out->dry_speed_frac = one.speed_frac;
    out->dry_heat_w = c->n_dry * one.heat_w;
    out->fan_w += c->n_dry * one.fan_w;
    out->latent_w += latent_w;
    if (one.heat_w > 0) /* what the air brought in and carries away */
        out->ambient_w += c->n_dry * one.air_w_k * (one.air_out_c - in->dry_bulb_c);
    out->water.evaporated_kg_s += water.evaporated_kg_s;
    out->water.blow_down_kg_s += water.blow_down_kg_s;
    c->water_c = one.leaving_c;
}

static struct mr_tower_in tower_in(const struct chain *c, double water_w_k, double entering_c)
{
    return (struct mr_tower_in){.entering_c = entering_c,
                                .flow_frac = water_w_k / (c->n_tower * c->r->tower.water_w_k),
                                .wet_bulb_c = c->in->wet_bulb_c,
                                .density_frac = c->density_frac,
                                .fans_frac = c->state->tower_fans_frac,
                                .set_c = c->set_c - c->r->p.exchanger_k};
}

static void add_tower(const struct chain *c, const struct mr_tower_out *one,
                      struct mr_rejection_out *out)
{
    const double latent_w = c->n_tower * one->latent_w;
    const struct mr_water water = mr_water_of(
        &c->r->water, latent_w, one->heat_w > 0 ? c->n_tower * one->circulating_kg_s : 0);
    out->tower_speed_frac = one->speed_frac;
    out->fan_w += c->n_tower * one->fan_w;
    out->latent_w += latent_w;
    out->ambient_w += c->n_tower * (one->heat_w - one->latent_w);
    out->is_clamped |= one->is_clamped && one->heat_w > 0;
    out->water.evaporated_kg_s += water.evaporated_kg_s;
    out->water.blow_down_kg_s += water.blow_down_kg_s;
    out->water.drift_kg_s += water.drift_kg_s;
}

static void run_tower(struct chain *c, struct mr_rejection_out *out)
{
    const double exchanger_k = c->r->p.exchanger_k;
    const struct mr_tower_in in = tower_in(c, c->in->water_w_k, c->water_c - exchanger_k);
    const struct mr_tower_out one = mr_tower_run(&c->r->tower, &in);
    add_tower(c, &one, out);
    out->tower_heat_w = c->n_tower * one.heat_w;
    if (one.heat_w > 0)
        c->water_c = one.is_saturated ? one.leaving_c + exchanger_k : c->set_c;
}

static void run_chiller(struct chain *c, struct mr_rejection_out *out)
{
    const double heat_w = c->in->water_w_k * (c->water_c - c->set_c);
    const struct mr_chiller_out all =
        mr_chiller_run_n(&c->r->chiller, c->n_chiller, heat_w, c->set_c, c->in->dry_bulb_c);
    if (!(all.heat_w > 0))
        return;
    out->chiller_heat_w = all.heat_w;
    out->work_w = all.work_w;
    out->ambient_w += all.heat_w + all.work_w;
    out->is_clamped |= all.is_clamped;
    c->water_c = all.heat_w < heat_w ? c->water_c - all.heat_w / c->in->water_w_k : c->set_c;
}

/* ---- chillers on towers ---- */

struct joint {
    const struct chain *c;
    struct mr_tower_in in; /* of one tower, at its design flow */
    double exchanger_w;    /* filled by solve_at: to the towers through the exchanger */
    struct mr_chiller_out chillers;
    struct mr_tower_out tower;
};

/* With tower water of this temperature: what the exchanger and the chillers do. */
static void solve_at(struct joint *j, double tower_c)
{
    const struct chain *c = j->c;
    const double behind_c = fmax(tower_c + c->r->p.exchanger_k, c->set_c);
    const double cooled_k = fmax(c->water_c - behind_c, 0);
    j->exchanger_w = c->in->water_w_k * cooled_k;
    const double rest_w = c->in->water_w_k * (c->water_c - cooled_k - c->set_c);
    j->chillers = mr_chiller_run_n(&c->r->chiller, c->n_chiller, rest_w, c->set_c, tower_c);
    j->tower =
        mr_tower_of_heat(&c->r->tower, &j->in,
                         (j->exchanger_w + j->chillers.heat_w + j->chillers.work_w) / c->n_tower);
}

static double excess_tower_k(double tower_c, const void *context)
{
    struct joint j = *(const struct joint *)context;
    solve_at(&j, tower_c);
    return j.tower.leaving_c - tower_c;
}

static void run_joint(struct chain *c, struct mr_rejection_out *out)
{
    struct joint j = {.c = c};
    const double tower_w_k = c->n_tower * c->r->tower.water_w_k;
    if (!(c->water_c > c->set_c))
        return;
    j.in = tower_in(c, tower_w_k, 0);
    const double wet_c = c->in->wet_bulb_c;
    solve_at(&j, mr_root_of(excess_tower_k, &j, wet_c, wet_c + 60, 1e-10));
    add_tower(c, &j.tower, out);
    out->tower_heat_w = j.exchanger_w;
    out->chiller_heat_w = j.chillers.heat_w;
    out->work_w = j.chillers.work_w;
    out->is_clamped |= j.chillers.is_clamped;
    const double taken_w = j.exchanger_w + j.chillers.heat_w;
    const double wanted_w = c->in->water_w_k * (c->water_c - c->set_c);
    const double met = 1e-12;
    c->water_c =
        taken_w < wanted_w * (1 - met) ? c->water_c - taken_w / c->in->water_w_k : c->set_c;
}

/* ---- stages ---- */

static struct chain chain_of(const struct mr_rejection *r, const struct mr_rejection_state *state,
                             double set_c, const struct mr_rejection_in *in)
{
    const bool has_water = r->p.has_water && !state->is_water_lost;
    return (struct chain){.r = r,
                          .state = state,
                          .in = in,
                          .set_c = set_c,
                          .density_frac = in->pressure_pa / sea_level_pa,
                          .n_dry = in_service(r->n_dry, state->n_dry_lost),
                          .n_tower = has_water ? in_service(r->n_tower, state->n_tower_lost) : 0,
                          .n_chiller = in_service(r->n_chiller, state->n_chiller_lost),
                          .water_c = in->return_c};
}

static bool is_on_towers(const struct mr_rejection *r)
{
    return r->p.condenser == MR_REJECTION_TOWER;
}

static bool is_available(const struct chain *c, int stage)
{
    switch (stage) {
    case MR_REJECTION_FREE:
        return c->n_dry > 0;
    case MR_REJECTION_ADIABATIC:
        return c->n_dry > 0 && c->r->has_pads && c->r->p.has_water && !c->state->is_water_lost;
    case MR_REJECTION_WET:
        return c->n_tower > 0;
    default:
        return c->n_chiller > 0 && (!is_on_towers(c->r) || c->n_tower > 0);
    }
}

static void run_chain(struct chain *c, int stage, struct mr_rejection_out *out)
{
    const double return_c = c->water_c;
    if (!(c->in->water_w_k > 0) || stage < 0) {
        out->supply_c = return_c;
        return;
    }
    const bool has_trim = stage >= MR_REJECTION_TRIM && is_available(c, MR_REJECTION_TRIM);
    if (c->n_dry > 0)
        run_dry(c, stage >= MR_REJECTION_ADIABATIC && is_available(c, MR_REJECTION_ADIABATIC), out);
    if (has_trim && is_on_towers(c->r)) {
        run_joint(c, out);
    } else {
        if (stage >= MR_REJECTION_WET && c->n_tower > 0)
            run_tower(c, out);
        if (has_trim)
            run_chiller(c, out);
    }
    out->supply_c = c->water_c;
    out->heat_w = out->dry_heat_w + out->tower_heat_w + out->chiller_heat_w;
}

struct mr_rejection_out mr_rejection_at(const struct mr_rejection *rejection,
                                        const struct mr_rejection_state *state, int stage,
                                        double set_c, const struct mr_rejection_in *in)
{
    struct mr_rejection_out out = {.stage = stage, .mode = stage >= 0 ? stage : MR_REJECTION_FLOAT};
    struct chain c = chain_of(rejection, state, set_c, in);
    const double wanted_w = in->water_w_k * (in->return_c - set_c);
    run_chain(&c, stage, &out);
    out.slope_w_k = out.heat_w > 0 ? in->water_w_k : 0;
    if (wanted_w > 0 && out.supply_c > set_c) {
        out.mode = MR_REJECTION_FLOAT;
        out.short_w = wanted_w - out.heat_w;
        out.short_frac = out.short_w / wanted_w;
        struct mr_rejection_in warmer = *in;
        struct mr_rejection_out then = {0};
        warmer.return_c += 1;
        c = chain_of(rejection, state, set_c, &warmer);
        run_chain(&c, stage, &then);
        out.slope_w_k = fmax(then.heat_w - out.heat_w, 0);
    }
    return out;
}

/* The lowest stage in [from, to) that holds this set-point, or -1. */
static int lowest_that_holds(const struct mr_rejection *r, const struct mr_rejection_state *state,
                             const struct mr_rejection_in *in, double set_c, int from, int to)
{
    for (int stage = from; stage < to; stage++) {
        struct chain c = chain_of(r, state, set_c, in);
        struct mr_rejection_out out = {0};
        if (!is_available(&c, stage))
            continue;
        run_chain(&c, stage, &out);
        if (!(out.supply_c > set_c))
            return stage;
    }
    return -1;
}

static int highest_available(const struct chain *c)
{
    int stage = MR_REJECTION_N_STAGE - 1;
    while (stage >= 0 && !is_available(c, stage))
        stage--;
    return stage;
}

static int choose(const struct mr_rejection *r, const struct mr_rejection_state *state,
                  const struct mr_rejection_in *in)
{
    const struct chain c = chain_of(r, state, r->p.set_c, in);
    const int highest = highest_available(&c);
    int stage;
    if (highest < 0 || !(in->water_w_k > 0))
        return highest;
    if (state->stage < 0 || !is_available(&c, state->stage)) {
        stage = lowest_that_holds(r, state, in, r->p.set_c, 0, highest);
        return stage >= 0 ? stage : highest;
    }
    stage = lowest_that_holds(r, state, in, r->p.set_c - r->p.dead_band_k, 0, state->stage);
    if (stage >= 0)
        return stage;
    stage = lowest_that_holds(r, state, in, r->p.set_c, state->stage, highest);
    return stage >= 0 ? stage : highest;
}

struct mr_rejection_out mr_rejection_run(const struct mr_rejection *rejection,
                                         struct mr_rejection_state *state, double t_s,
                                         const struct mr_rejection_in *in)
{
    const struct chain c = chain_of(rejection, state, rejection->p.set_c, in);
    const bool may_stay = state->stage >= 0 && is_available(&c, state->stage);
    if (!may_stay || t_s - state->since_s >= rejection->p.hold_s) {
        const int stage = choose(rejection, state, in);
        if (stage != state->stage) {
            state->stage = stage;
            state->since_s = t_s;
        }
    }
    return mr_rejection_at(rejection, state, state->stage, rejection->p.set_c, in);
}
