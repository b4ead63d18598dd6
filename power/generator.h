/* SPDX-License-Identifier: Apache-2.0 */
/* A block of equal generators on one bus: diesel sets or gas turbines. A unit is off, cranks,
 * ramps, is on, or has failed. As many run as the load needs plus the spares; they share it evenly,
 * none below its minimum stable load (what that makes too much is told as surplus). When shares
 * change all units arrive together, none faster than its ramp, so a unit that joins or leaves does
 * not disturb the sum. Powers are linear between events and fuel is a parabola: all times are known
 * ahead. Fuel is affine in power. Ignored: efficiency that falls with outdoor heat, warm starts. */
#ifndef MR_POWER_GENERATOR_H
#define MR_POWER_GENERATOR_H

#include "engine/base/arena.h"
#include "engine/base/param.h"

/* name in files; rated; start; ramp of a unit; least load; efficiency, share of full fuel at no
 * load; carbon of fuel; what it is. Turbines: rated, start (below 10 min), ramp are press. */
// clang-format off
#define MR_GENERATOR_KIND_LIST(X)                                                                                     \
    X(DIESEL, "diesel", "3 MW", "10 s", "0.6 MW/s", "30 %", "40 %", "12 %", "267 g/kWh", "diesel set of 3 MW")        \
    X(TURBINE, "turbine", "34 MW", "10 min", "0.5 MW/s", "45 %", "38 %", "25 %", "202 g/kWh", "aeroderivative gas turbine of 34 MW")
// clang-format on

enum mr_generator_kind {
#define MR_GENERATOR_KIND_ENUM(name, text, rated, start, ramp, least, eff, idle, carbon, doc) \
    MR_GENERATOR_##name,
    MR_GENERATOR_KIND_LIST(MR_GENERATOR_KIND_ENUM)
#undef MR_GENERATOR_KIND_ENUM
};

struct mr_generator_params {
    int kind;                          /* enum mr_generator_kind: defaults of the rest */
    uint64_t n_unit, n_spare;          /* installed; running beyond what the load needs */
    double rated_w, start_s, ramp_w_s; /* of one unit */
    double min_load_frac;
    double efficiency, idle_fuel_frac; /* at rated power; fuel at no load over fuel at rated */
    double fuel_j;                     /* heat in the store of one unit; 0: without end */
    double min_run_s;                  /* a unit that has started is not stopped before */
    double fuel_usd_j, fuel_kg_j;      /* price and carbon of fuel heat */
};

void mr_generator_defaults(struct mr_generator_params *params, enum mr_generator_kind kind);
MR_CHECKED mr_status mr_generator_check(const struct mr_generator_params *params, const char *name,
                                        struct mr_err *err);

/** Share of the least load that `load_w` would give the units that run, or 1 when it is enough:
 *  below 1 the block is always too large and a warning is due. */
double mr_generator_least_frac(const struct mr_generator_params *params, double load_w);

#define MR_GENERATOR_STATE_LIST(X)                               \
    X(OFF, "off", "stands")                                      \
    X(CRANKING, "cranking", "starts, carries nothing yet")       \
    X(RAMPING, "ramping", "on the bus, on the way to its share") \
    X(ON, "on", "carries its share")                             \
    X(FAILED, "failed", "gone until it is repaired, or out of fuel")

enum mr_generator_state {
#define MR_GENERATOR_STATE_ENUM(name, text, doc) MR_GENERATOR_##name,
    MR_GENERATOR_STATE_LIST(MR_GENERATOR_STATE_ENUM)
#undef MR_GENERATOR_STATE_ENUM
};

struct mr_generator_unit {
    int state; /* enum mr_generator_state */
    double power_w, target_w, slope_w_s;
    double ready_s; /* end of cranking */
    double since_s; /* on the bus */
    double fuel_j;  /* left; INFINITY: without end */
};

struct mr_generator {
    double t_s, load_w;
    double more_w;   /* beyond the load: units run for it, nobody gives it yet */
    bool is_leaving; /* beside a grid that takes over: least load and least time do not count */
    uint32_t n_most; /* units on the bus, whatever is asked; more of them leave before their time */
    double room_w;   /* taken of all units by the bus at most, below their least load, too */
    double arrive_s; /* all units are at their shares; INFINITY: they are */
    uint32_t n;
    struct mr_generator_unit *unit;
    double energy_j, fuel_j; /* delivered and burnt since the start */
};

/** All units off. @param[in,out] arena owns the units */
MR_CHECKED mr_status mr_generator_init(struct mr_arena *arena,
                                       const struct mr_generator_params *params, double t_s,
                                       struct mr_generator *block, struct mr_err *err);

/** Ask for a power from now on; starts and stops what that takes. 0: the block is not wanted. */
void mr_generator_set(const struct mr_generator_params *params, struct mr_generator *block,
                      double load_w);

/** The same, with units on the bus for `more_w` that will be asked for when they are there.
 *  `is_leaving` of the block is the caller's, before. */
void mr_generator_set_more(const struct mr_generator_params *params, struct mr_generator *block,
                           double load_w, double more_w);

/** To a later time; whatever happens on the way happens. */
void mr_generator_advance(const struct mr_generator_params *params, struct mr_generator *block,
                          double t_s);

/** Fuel that units that run have burnt beyond their set points, from their own stores, evenly;
 * below 0: saved. Its sums are the caller's. Who has none left fails at the next advance. */
void mr_generator_drain(const struct mr_generator_params *params, struct mr_generator *block,
                        double fuel_j);

/** When something happens next. @return INFINITY: nothing */
double mr_generator_next_s(const struct mr_generator_params *params,
                           const struct mr_generator *block);

/** Lose a unit now; bring it back (off, fuel as it was). */
void mr_generator_fail(const struct mr_generator_params *params, struct mr_generator *block,
                       uint32_t unit);
void mr_generator_repair(const struct mr_generator_params *params, struct mr_generator *block,
                         uint32_t unit);

/* ---- reading ---- */

double mr_generator_power_w(const struct mr_generator *block);
uint32_t mr_generator_n_running(const struct mr_generator *block);

/** Delivered beyond the load because units cannot go lower; below 0: missing. */
double mr_generator_surplus_w(const struct mr_generator *block);

/** What the running units could rise by: spinning reserve. */
double mr_generator_headroom_w(const struct mr_generator_params *params,
                               const struct mr_generator *block);

#endif
