/* SPDX-License-Identifier: Apache-2.0 */
/* The integrator, its roots, and what a battery plant does when.
 *
 * Between two events power is p + r t. Where it changes sign the efficiency changes, so a piece
 * ends there. Inside a piece of one sign, with k = eta_c or 1/eta_d, the energy has changed by k (p
 * t + r t^2 / 2); it is D away from a bound after
 *
 *   t = 2 D' / (p + s sqrt(p^2 + 2 r D')),  D' = D / k, s the sign of D
 *
 * (the first root, without cancellation; none when the root is imaginary: power turns before).
 * Map: parameters - pieces - state - dispatch. */
#include "power/buffer.h"

#include "engine/base/assert.h"

#include <math.h>

/* ---- parameters ---- */

static const char *const kinds[] = {
#define KIND_TEXT(name, text, e, c, d, eta_c, eta_d, low, high, start, doc) text,
    MR_BUFFER_KIND_LIST(KIND_TEXT)
#undef KIND_TEXT
};

// clang-format off
#define P struct mr_buffer_params
static const struct mr_param rows[] = {
    MR_PARAM_ONE_OF(P, kind, "kind", kinds, "bess", "What it is: the defaults of all else"),
    MR_PARAM_N(P, n_unit, "units", "1", 1, 1e7, "Number of equal units"),
    MR_PARAM(P, energy_j, "energy", MR_Q_ENERGY, "4 MWh", 1e-3, 1e15, "Energy of one unit, full"),
    MR_PARAM(P, charge_w, "charge", MR_Q_POWER, "2 MW", 0, 1e12, "Highest charging power of one unit at its terminals"),
    MR_PARAM(P, discharge_w, "discharge", MR_Q_POWER, "2 MW", 0, 1e12, "Highest power one unit delivers at its terminals"),
    MR_PARAM(P, charge_eff, "charge_efficiency", MR_Q_FRACTION, "95 %", 0.01, 1, "Share of what comes in that is stored"),
    MR_PARAM(P, discharge_eff, "discharge_efficiency", MR_Q_FRACTION, "95 %", 0.01, 1, "Share of what is stored that comes out"),
    MR_PARAM(P, soc_min_frac, "soc_min", MR_Q_FRACTION, "10 %", 0, 1, "State of charge that is called empty"),
    MR_PARAM(P, soc_max_frac, "soc_max", MR_Q_FRACTION, "90 %", 0, 1, "State of charge that is called full"),
    MR_PARAM(P, soc_start_frac, "soc_start", MR_Q_FRACTION, "90 %", 0, 1, "State of charge at the start"),
    MR_PARAM(P, reserve_frac, "reserve", MR_Q_FRACTION, "0 %", 0, 1, "State of charge below which only ride-through may go"),
    MR_PARAM(P, start_s, "start", MR_Q_TIME, "0 s", 0, 3600, "From asked for to delivering"),
    MR_PARAM(P, ramp_w_s, "ramp", MR_Q_RAMP, "0 W/s", 0, 1e12, "Change of power of all units; 0: at once"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"storage", "Electric energy that is held for later.",
                                            rows, sizeof rows / sizeof *rows};

void mr_buffer_defaults(struct mr_buffer_params *params, enum mr_buffer_kind kind)
{
    enum {
        n_preset = 9
    };
    static const char *const names[n_preset] = {
        "energy",  "charge",    "discharge", "charge_efficiency", "discharge_efficiency", "soc_min",
        "soc_max", "soc_start", "start"};
    static const char *const preset[][n_preset] = {
#define KIND_ROW(name, text, e, c, d, eta_c, eta_d, low, high, start, doc) \
    {e, c, d, eta_c, eta_d, low, high, high, start},
        MR_BUFFER_KIND_LIST(KIND_ROW)
#undef KIND_ROW
    };
    uint8_t origin[sizeof rows / sizeof *rows];
    const struct mr_param_target target = {&table, params, origin, NULL, "storage"};
    *params = (struct mr_buffer_params){0};
    mr_param_defaults(&target);
    params->kind = (int)kind;
    for (int i = 0; i < n_preset; i++) {
        const mr_status st = mr_param_set(&target, mr_str_of(names[i]), mr_str_of(preset[kind][i]),
                                          MR_PARAM_GIVEN, MR_NOWHERE, NULL);
        MR_ASSERT(st == MR_OK);
    }
}

double mr_buffer_floor_j(const struct mr_buffer_params *params, bool uses_reserve)
{
    const double soc =
        uses_reserve ? params->soc_min_frac : fmax(params->soc_min_frac, params->reserve_frac);
    return soc * params->energy_j * (double)params->n_unit;
}

double mr_buffer_ceiling_j(const struct mr_buffer_params *params)
{
    return params->soc_max_frac * params->energy_j * (double)params->n_unit;
}

mr_status mr_buffer_check(const struct mr_buffer_params *params, const char *name,
                          struct mr_err *err)
{
    if (!(params->soc_min_frac < params->soc_max_frac))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: soc_min %g, soc_max %g: the window between empty and full is empty",
                          name, params->soc_min_frac, params->soc_max_frac);
    if (!(params->soc_start_frac >= params->soc_min_frac &&
          params->soc_start_frac <= params->soc_max_frac))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: soc_start %g: outside the window %g .. %g", name,
                          params->soc_start_frac, params->soc_min_frac, params->soc_max_frac);
    if (params->reserve_frac > params->soc_max_frac)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: reserve %g: above soc_max %g", name,
                          params->reserve_frac, params->soc_max_frac);
    return MR_OK;
}

mr_status mr_buffer_check_bridge(const struct mr_buffer_params *params, double load_w,
                                 double bridge_s, const char *name, const char *until,
                                 struct mr_err *err)
{
    const double n = (double)params->n_unit, most_w = params->discharge_w * n;
    const double held_j =
        (fmax(params->soc_start_frac, params->reserve_frac) - params->soc_min_frac) *
        params->energy_j * n * params->discharge_eff;
    if (load_w > most_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: delivers %g W, %g W hang on it until %s takes over", name, most_w,
                          load_w, until);
    if (held_j < load_w * bridge_s)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: holds %g J, %s takes over after %g s: %g W need %g J until then "
                          "(more units, or a faster start)",
                          name, held_j, until, bridge_s, load_w, load_w * bridge_s);
    return MR_OK;
}

/* ---- pieces of one sign ---- */

static double storing(const struct mr_buffer_params *params, bool charges)
{
    return charges ? params->charge_eff : 1 / params->discharge_eff;
}

/* Power does not change its sign in a piece. */
struct piece {
    double end_s;
    bool charges, is_last; /* the ramp ends with it, else power turns */
};

static struct piece piece_of(const struct mr_buffer *b)
{
    const double p = b->power_w, r = b->ramp_w_s;
    if (r == 0)
        return (struct piece){(double)INFINITY, p > 0, true};
    const bool turns = p * r < 0 && b->target_w * r > 0;
    return (struct piece){b->t_s + ((turns ? 0 : b->target_w) - p) / r, p > 0 || (p == 0 && r > 0),
                          !turns};
}

/* First time in the piece at which the energy has changed by `delta_j`; INFINITY: not in it. */
static double root_s(const struct mr_buffer_params *params, const struct mr_buffer *b,
                     const struct piece *piece, double delta_j)
{
    const double d = delta_j / storing(params, piece->charges);
    const double p = b->power_w, r = b->ramp_w_s, inside = p * p + 2 * r * d;
    if ((d > 0) != piece->charges || inside < 0)
        return (double)INFINITY;
    const double denominator = p + (d > 0 ? sqrt(inside) : -sqrt(inside));
    if (denominator == 0)
        return (double)INFINITY;
    const double t_s = b->t_s + 2 * d / denominator;
    return t_s <= piece->end_s ? t_s : (double)INFINITY;
}

static void run(const struct mr_buffer_params *params, struct mr_buffer *b, double t_s)
{
    const struct piece piece = piece_of(b);
    const double dt_s = t_s - b->t_s, p = b->power_w, r = b->ramp_w_s;
    const double through_j = dt_s * (p + 0.5 * r * dt_s);
    b->energy_j += storing(params, piece.charges) * through_j;
    if (piece.charges)
        b->in_j += through_j;
    else
        b->out_j -= through_j;
    b->power_w = p + r * dt_s;
    b->t_s = t_s;
}

/* ---- state ---- */

struct mr_buffer mr_buffer_start(const struct mr_buffer_params *params, double t_s)
{
    return (struct mr_buffer){
        .t_s = t_s,
        .energy_j = params->soc_start_frac * params->energy_j * (double)params->n_unit,
    };
}

double mr_buffer_soc_frac(const struct mr_buffer_params *params, const struct mr_buffer *buffer)
{
    return buffer->energy_j / (params->energy_j * (double)params->n_unit);
}

double mr_buffer_loss_j(const struct mr_buffer_params *params, const struct mr_buffer *buffer)
{
    const double start_j = params->soc_start_frac * params->energy_j * (double)params->n_unit;
    return buffer->in_j - buffer->out_j - (buffer->energy_j - start_j);
}

/* To the end of the piece: power there is known, not a rounded sum. */
static void finish(const struct mr_buffer_params *params, struct mr_buffer *b,
                   const struct piece *piece)
{
    run(params, b, piece->end_s);
    b->power_w = piece->is_last ? b->target_w : 0;
    if (piece->is_last)
        b->ramp_w_s = 0;
}

/* When the present piece meets its bound. */
static double hit_s(const struct mr_buffer_params *params, const struct mr_buffer *b,
                    const struct piece *piece, double *bound_j)
{
    *bound_j = piece->charges ? fmax(mr_buffer_ceiling_j(params), b->energy_j)
                              : fmin(mr_buffer_floor_j(params, b->uses_reserve), b->energy_j);
    if (b->power_w == 0 && b->ramp_w_s == 0)
        return (double)INFINITY;
    return b->energy_j == *bound_j ? b->t_s : root_s(params, b, piece, *bound_j - b->energy_j);
}

/* Full or empty: power is 0 from here on, or a ramp that leads away goes on from 0. */
static void stop(struct mr_buffer *b, const struct piece *piece, double bound_j)
{
    const bool leads_away = b->ramp_w_s != 0 && (b->target_w > 0) != piece->charges;
    b->energy_j = bound_j;
    b->power_w = 0;
    if (!leads_away)
        b->ramp_w_s = b->target_w = 0;
}

/* To whatever comes first, `t_s` at the latest. */
static enum mr_buffer_event step(const struct mr_buffer_params *params, struct mr_buffer *b,
                                 double t_s)
{
    const struct piece piece = piece_of(b);
    double bound_j;
    const double stop_s = hit_s(params, b, &piece, &bound_j);
    if (stop_s <= t_s && stop_s <= piece.end_s && stop_s < (double)INFINITY) {
        run(params, b, stop_s);
        stop(b, &piece, bound_j);
        if (piece.charges)
            return MR_BUFFER_EVENT_FULL;
        return bound_j > mr_buffer_floor_j(params, true) ? MR_BUFFER_EVENT_RESERVE
                                                         : MR_BUFFER_EVENT_EMPTY;
    }
    if (piece.end_s <= t_s && piece.end_s < (double)INFINITY) {
        finish(params, b, &piece);
        return piece.is_last ? MR_BUFFER_EVENT_LEVEL : MR_BUFFER_EVENT_NONE;
    }
    if (t_s < (double)INFINITY)
        run(params, b, t_s);
    else
        b->t_s = t_s;
    return MR_BUFFER_EVENT_NONE;
}

void mr_buffer_advance(const struct mr_buffer_params *params, struct mr_buffer *buffer, double t_s)
{
    MR_ASSERT(t_s >= buffer->t_s && t_s < (double)INFINITY);
    while (buffer->t_s < t_s)
        step(params, buffer, t_s);
}

double mr_buffer_next_s(const struct mr_buffer_params *params, const struct mr_buffer *buffer,
                        enum mr_buffer_event *event)
{
    struct mr_buffer b = *buffer;
    do
        *event = step(params, &b, (double)INFINITY);
    while (*event == MR_BUFFER_EVENT_NONE && b.t_s < (double)INFINITY);
    return b.t_s;
}

/* Within the units' power; nothing out of an empty one, nothing into a full one. */
static double grant(const struct mr_buffer_params *params, const struct mr_buffer *b,
                    double power_w)
{
    const double n = (double)params->n_unit;
    if (power_w > 0)
        return b->energy_j < mr_buffer_ceiling_j(params) ? fmin(power_w, params->charge_w * n) : 0;
    if (power_w < 0)
        return b->energy_j > mr_buffer_floor_j(params, b->uses_reserve)
                   ? fmax(power_w, -params->discharge_w * n)
                   : 0;
    return 0;
}

double mr_buffer_set(const struct mr_buffer_params *params, struct mr_buffer *buffer,
                     double power_w)
{
    buffer->target_w = grant(params, buffer, power_w);
    const double step_w = buffer->target_w - buffer->power_w;
    if (params->ramp_w_s == 0 || step_w == 0) {
        buffer->power_w = buffer->target_w;
        buffer->ramp_w_s = 0;
    } else {
        buffer->ramp_w_s = step_w > 0 ? params->ramp_w_s : -params->ramp_w_s;
    }
    return buffer->target_w;
}

double mr_buffer_mean_w(const struct mr_buffer_params *params, const struct mr_buffer *buffer,
                        double power_w, double t_s)
{
    MR_ASSERT(t_s > buffer->t_s);
    const double bound_j =
        power_w > 0 ? mr_buffer_ceiling_j(params) : mr_buffer_floor_j(params, buffer->uses_reserve);
    const double may_w =
        (bound_j - buffer->energy_j) / (storing(params, power_w > 0) * (t_s - buffer->t_s));
    return power_w > 0 ? fmax(0, fmin(power_w, may_w)) : fmin(0, fmax(power_w, may_w));
}

/* ---- dispatch ---- */

mr_status mr_buffer_plan_check(const struct mr_buffer_plan *plan,
                               const struct mr_buffer_params *params, const char *name,
                               struct mr_err *err)
{
    if (!(plan->buy_usd_j < plan->sell_usd_j))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: charges below %g $/MWh, discharges above %g $/MWh: must rise", name,
                          plan->buy_usd_j * 3.6e9, plan->sell_usd_j * 3.6e9);
    if (!(plan->refill_frac >= params->soc_min_frac && plan->refill_frac <= params->soc_max_frac))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: refill to %g: outside the window %g .. %g", name, plan->refill_frac,
                          params->soc_min_frac, params->soc_max_frac);
    return MR_OK;
}

struct mr_buffer_order mr_buffer_dispatch(const struct mr_buffer_params *params,
                                          const struct mr_buffer *buffer,
                                          const struct mr_buffer_plan *plan,
                                          const struct mr_buffer_need *need)
{
    const double n = (double)params->n_unit, most_w = params->discharge_w * n;
    const double refill_j = fmax(plan->refill_frac, params->reserve_frac) * params->energy_j * n;
    const double headroom_w = fmax(need->limit_w - need->load_w, 0);
    const bool is_spare = buffer->energy_j > mr_buffer_floor_j(params, false);
    if (!need->has_grid)
        return (struct mr_buffer_order){-fmin(need->load_w, most_w), MR_BUFFER_USE_RIDE};
    if (need->load_w > need->limit_w)
        return (struct mr_buffer_order){is_spare ? -fmin(need->load_w - need->limit_w, most_w) : 0,
                                        MR_BUFFER_USE_SHAVE};
    if (need->price_usd_j > plan->sell_usd_j && is_spare)
        return (struct mr_buffer_order){plan->may_export ? -most_w : -fmin(need->load_w, most_w),
                                        MR_BUFFER_USE_SELL};
    const double charge_w = fmin(params->charge_w * n, headroom_w);
    if (need->price_usd_j < plan->buy_usd_j && buffer->energy_j < mr_buffer_ceiling_j(params))
        return (struct mr_buffer_order){charge_w, MR_BUFFER_USE_BUY};
    if (buffer->energy_j < refill_j && need->price_usd_j <= plan->sell_usd_j)
        return (struct mr_buffer_order){charge_w, MR_BUFFER_USE_REFILL};
    return (struct mr_buffer_order){0, MR_BUFFER_USE_REST};
}
