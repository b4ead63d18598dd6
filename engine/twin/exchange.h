/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: what instances draw goes to the racks they stand in, from there to coolant and dies and
 * up the electric chain; what those allow comes back as clocks. One exchange covers the time since
 * the last one, in this order:
 *
 *   1 instances tell their joules           5 feeds give, trip, shave, meet targets
 *   2 racks add up; what is not at work idles 6 what dies and caps allow becomes clocks
 *   3 dies and loops move on, with leakage  7 who has no power is down
 *   4 racks and cooling ask the feeds for it
 *
 * Joules are exact, and so are heat and losses: the mean power of the interval is what the interval
 * is played with. Clocks answer at the next exchange, so whoever is above a cap stays there for one
 * interval. Dates of exchanges are the ticks, and dies that are about to throttle
 * (mr_exchange_next_s).
 *
 * A cap is for the mean of an interval. With P = base + clocked d(phi), the share of `clocked` is
 * what instances say of their work; clocks come in steps of 1/128, rounded down, as clock
 * generators have them. Packages of a rack are as warm as their mean member and its spread.
 *
 * Of work that has not been seen, at the start and where a rack comes back, the most is taken that
 * models/ has for its lowest clock: who does not fit a limit with that is held before it begins.
 *
 * Smoothing: the feeds are told what racks would draw at clocks that no ramp holds, and draw what
 * ramps make of it. While that is less, clocks are lower in proportion; what is drawn beyond the
 * work, or less than it, is heat of the packages over the next interval. Ramps within a tick are
 * means.
 *
 * Processors of racks that run tools draw by the mean of their busy cores (struct
 * mr_exchange_tools), the rest of those racks as hosts do. No cap holds tools.
 *
 * Knows neither cells nor calls: unit tests drive it with numbers. */
#ifndef MR_ENGINE_TWIN_EXCHANGE_H
#define MR_ENGINE_TWIN_EXCHANGE_H

#include "engine/twin/stand.h"
#include "models/power.h"
#include "power/supply.h"
#include "thermal/plant.h"

enum mr_exchange_start {
    MR_EXCHANGE_STEADY,
    MR_EXCHANGE_COLD
};

struct mr_exchange_params {
    double tick_s;
    double memory_s;
    double warm_s;         /* after the start nothing is known of the work */
    double rest_idle_frac; /* of a rack's parts outside packages, without work, over rating */
    double support_frac;   /* drawn by racks without packages of the pools, over rating */
    double lock;           /* highest clock, over the full clock */
    int start;             /* enum mr_exchange_start */
};

const struct mr_param_table *mr_exchange_table(void);
void mr_exchange_defaults(struct mr_exchange_params *params);

/* Of one rack whose processors run tools; no cores: it runs none. */
struct mr_exchange_tools {
    double n_core, min_w, max_w; /* of all its processors: none or all of their cores busy */
};

/* Who is stopped first where watts are short, from the first decision on. */
struct mr_exchange_tier {
    const char *name; /* of a rack, row or hall */
    uint8_t tier;
};

struct mr_exchange_plan {
    const struct mr_site *site;
    const struct mr_stand *stand;
    const struct mr_weather *weather;
    const struct mr_power *const *power; /* of the packages of every instance of `stand` */
    const double *slow_w; /* of one of them, beyond idling, at full work and the lowest clock, until
                             its work has been seen; NULL: of work that clocks drive alone */
    const struct mr_exchange_tools *tools; /* [racks]; NULL: no rack runs any */
    struct mr_exchange_params params;
    struct mr_plant_params plant; /* leakage is switched on here */
    const struct mr_plant_set *set;
    size_t n_set;
    struct mr_supply_options supply; /* take is the exchange's own */
    const struct mr_exchange_tier *tier;
    size_t n_tier;
    /* told of everything that happens, in the order of dates; may be NULL */
    void (*event)(void *context, double t_s, const char *kind, const char *entity, double value,
                  double limit);
    void *context;
};

/* What an instance says at an exchange. */
struct mr_exchange_work {
    double busy_s, busy_j; /* of one package, since the start: in steps */
    double clocked_frac;   /* of its watts beyond idling, at full clock: what clocks drive;
                              below 0: not at work just now */
};

/* why a clock is not the full one, in the order of ties */
#define MR_EXCHANGE_REASON_LIST(X)                              \
    X(NONE, "none", "the full clock")                           \
    X(THERMAL, "thermal", "a die of its racks is at its limit") \
    X(CAP, "cap", "a cap of its racks")                         \
    X(LOCK, "lock", "the scenario's highest clock")             \
    X(SMOOTHING, "smoothing", "watts rise no faster than the packages' ramps")

enum mr_exchange_reason {
#define MR_EXCHANGE_REASON_ENUM(name, text, doc) MR_EXCHANGE_##name,
    MR_EXCHANGE_REASON_LIST(MR_EXCHANGE_REASON_ENUM)
#undef MR_EXCHANGE_REASON_ENUM
    MR_EXCHANGE_N_REASON
};

/* What an instance is told. */
struct mr_exchange_order {
    double phi;
    uint8_t reason; /* enum mr_exchange_reason */
    bool is_up;     /* all its packages have power and coolant, and are not told to rest */
    bool is_short;  /* it would do more if it had the watts: a cap, told to rest, no feed */
};

struct mr_exchange;

/** Everything idles, in the steady state of that.
 *  @param[in] plan lent; what it points to lives as long */
MR_CHECKED mr_status mr_exchange_create(const struct mr_exchange_plan *plan,
                                        struct mr_exchange **out, struct mr_diags *diags);
void mr_exchange_destroy(struct mr_exchange *exchange);

double mr_exchange_now_s(const struct mr_exchange *exchange);

/** When the next exchange should be if nobody interferes. */
double mr_exchange_next_s(const struct mr_exchange *exchange);

/** @param[in] work one per instance of the stand @param[out] order the same
 *  @return MR_OK, or MR_DIVERGED naming what has left every physical range */
MR_CHECKED mr_status mr_exchange_do(struct mr_exchange *exchange, double t_s,
                                    const struct mr_exchange_work *work,
                                    struct mr_exchange_order *order, struct mr_err *err);

/** What tools have done up to the next exchange, told before it. @param[in] core_s cores x time,
 *  since the start */
void mr_exchange_set_tools(struct mr_exchange *exchange, double core_s);

/** Share of the cores of tools that is at work until the next exchange; without racks for them:
 * all.
 *  @param[out] lost_frac of those that were, the share that has lost its power */
double mr_exchange_tools_frac(const struct mr_exchange *exchange, double *lost_frac);

/** Something was done to the site at now: cooling that has lost its power, or has it again, is told
 *  before the next interval and not behind it. */
void mr_exchange_look(struct mr_exchange *exchange);

/* ---- for outages and readers, at now ---- */

struct mr_supply *mr_exchange_supply(struct mr_exchange *exchange);
const struct mr_plant *mr_exchange_plant(const struct mr_exchange *exchange);
struct mr_plant_state *mr_exchange_plant_state(struct mr_exchange *exchange);

/** From all feeds, mean of a second or more before the last exchange; NaN: none has passed. */
double mr_exchange_site_w(const struct mr_exchange *exchange);

/* Of the last interval; rows of racks. */
struct mr_exchange_rack {
    double drawn_w, want_w, cap_w, phi_min;
    double host_j;   /* since the start: outside packages */
    uint32_t n_held; /* packages that have power and are told to rest, for want of watts */
};

const struct mr_exchange_rack *mr_exchange_rack(const struct mr_exchange *exchange, uint32_t rack);

/* Why instances do not run for their site's sake; of several the first. */
enum mr_exchange_down {
    MR_EXCHANGE_DARK, /* no feed, or not let on again yet */
    MR_EXCHANGE_HELD, /* suspended or shut, for want of watts */
    MR_EXCHANGE_OFF,  /* heat, coolant, leaks */
    MR_EXCHANGE_DOWNS
};

/* Since the start. */
struct mr_exchange_sums {
    double time_s;
    double site_j, it_j, house_j;    /* taken, from grid, machines, sun; racks; cooling and pumps */
    double grid_j, export_j;         /* at the grid's meter, net; fed into the grid there */
    double untaken_j;                /* of sun, by nobody */
    double grid_peak_w;              /* at the grid's meter */
    double site_peak_w, closure_rel; /* the largest of heat, watts, and what cooling has not paid */
    double unfed_j;  /* asked by cooling in intervals in which its power went, and not given */
    double astray_j; /* of racks that feeds lost or found within an interval: seen at its end */
    double die_max_c, supply_max_c, water_m3;
    double die_limit_c, supply_limit_c; /* of those packages and that coolant unit */
    double throttled_package_s, capped_package_s,
        down_package_s;                /* instances below their lock; off */
    double energy_usd, carbon_kg;      /* meter, fuel, and what storages gave at their mean */
    double ramp_up_w_s, ramp_down_w_s; /* fastest moves of the meter, both above 0 */
    double burn_j;                     /* of it_j: drawn for the sake of ramps, and not for work */
    double loss_j;                     /* on the way to the racks */
    double used_j;    /* site_j with what storages gave of their own, or kept: over it_j the PUE */
    double storage_j; /* kept and lost in storages */
    double module_j, package_j;     /* of it_j: behind the racks' stages; of that: packages */
    double cap_events, trip_events; /* caps that began to hold work back, breakers that opened */
    double down_why_s[MR_EXCHANGE_DOWNS]; /* of down_package_s */
    double stage_loss_j[MR_N_STAGE];      /* on the way to the racks and inside */
};

void mr_exchange_sums(const struct mr_exchange *exchange, struct mr_exchange_sums *sums);

/** Are they an answer? Energies that do not close to 1e-6 are none (PHYSICS.md D.5). */
MR_CHECKED mr_status mr_exchange_sums_check(const struct mr_exchange_sums *sums, const char *site,
                                            struct mr_err *err);

#endif
