/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that holds electric energy, from the capacitors of a shelf to a battery plant: one
 * integrator.
 *
 *   E(t) = E0 + int (eta_c P_charge - P_discharge / eta_d) dt      P at the terminals
 *
 * Power is constant or changes linearly, so E is a parabola at most and the time it meets a bound
 * is the root of one: predicted, then an event. Linear losses are enough (Wiesner et al. 2025 find
 * no gain in more, a large error without any). Ignored: aging, self-discharge, capacity that
 * shrinks at high rates, temperature. */
#ifndef MR_POWER_BUFFER_H
#define MR_POWER_BUFFER_H

#include "engine/base/param.h"

/* name in files; energy, charge, discharge of one unit; eta of charge, discharge; window; start;
 * confidence and reason. Capacitors: joules are press, watts ours. Hold-up: 3 kW for 20 ms, up to
 * 150 % of load. BBU: 5.5 kW for 240 s, in 4 ms. Row: 480 kW beside 660 kW of power, 90 s ours. */
// clang-format off
#define MR_BUFFER_KIND_LIST(X)                                                                                        \
    X(SHELF, "shelf_capacitor", "65 J", "1 kW", "1 kW", "98 %", "98 %", "0 %", "100 %", "0 s", "capacitors of a GPU's share of a power shelf") \
    X(HOLD_UP, "hold_up", "60 J", "4.5 kW", "4.5 kW", "100 %", "100 %", "0 %", "100 %", "0 s", "bulk capacitors of a power supply") \
    X(BBU, "bbu", "1.32 MJ", "550 W", "5.5 kW", "95 %", "100 %", "0 %", "100 %", "4 ms", "battery unit of a rack's shelf, delivered energy") \
    X(ROW, "row", "43.2 MJ", "48 kW", "480 kW", "95 %", "95 %", "0 %", "100 %", "4 ms", "battery of an 800 VDC row") \
    X(UPS, "ups", "600 MJ", "200 kW", "2 MW", "95 %", "95 %", "0 %", "100 %", "0 s", "batteries of a 2 MW UPS unit, five minutes") \
    X(BESS, "bess", "4 MWh", "2 MW", "2 MW", "95 %", "95 %", "10 %", "90 %", "0 s", "battery plant on the medium-voltage bus")
// clang-format on

enum mr_buffer_kind {
#define MR_BUFFER_KIND_ENUM(name, text, e, c, d, eta_c, eta_d, low, high, start, doc) \
    MR_BUFFER_##name,
    MR_BUFFER_KIND_LIST(MR_BUFFER_KIND_ENUM)
#undef MR_BUFFER_KIND_ENUM
};

struct mr_buffer_params {
    int kind; /* enum mr_buffer_kind: defaults of the rest */
    uint64_t n_unit;
    double energy_j, charge_w, discharge_w; /* of one unit; power at the terminals */
    double charge_eff, discharge_eff;
    double soc_min_frac, soc_max_frac, soc_start_frac;
    double reserve_frac; /* state of charge below which only ride-through may go */
    double start_s;      /* from asked to delivering: what stands before it must bridge that */
    double ramp_w_s;     /* of the inverter, all units; 0: at once */
};

/** Defaults of a kind. */
void mr_buffer_defaults(struct mr_buffer_params *params, enum mr_buffer_kind kind);
MR_CHECKED mr_status mr_buffer_check(const struct mr_buffer_params *params, const char *name,
                                     struct mr_err *err);

/** Refuse a buffer that is empty, or too weak, before whoever relieves it takes over.
 *  @param[in] until what comes then: "generator g1" */
MR_CHECKED mr_status mr_buffer_check_bridge(const struct mr_buffer_params *params, double load_w,
                                            double bridge_s, const char *name, const char *until,
                                            struct mr_err *err);

/* ---- bounds of all units ---- */

double mr_buffer_floor_j(const struct mr_buffer_params *params, bool uses_reserve);
double mr_buffer_ceiling_j(const struct mr_buffer_params *params);

/* ---- state ---- */

struct mr_buffer {
    double t_s, energy_j;
    double power_w, ramp_w_s, target_w; /* at the terminals, above 0 charges; where the ramp ends */
    double in_j, out_j;                 /* through the terminals since the start */
    bool uses_reserve;
};

struct mr_buffer mr_buffer_start(const struct mr_buffer_params *params, double t_s);

double mr_buffer_soc_frac(const struct mr_buffer_params *params, const struct mr_buffer *buffer);

/** Lost since the start: in - out - change of energy. */
double mr_buffer_loss_j(const struct mr_buffer_params *params, const struct mr_buffer *buffer);

/** To a later time. A bound that is met on the way ends charge or discharge there. */
void mr_buffer_advance(const struct mr_buffer_params *params, struct mr_buffer *buffer, double t_s);

/** Ask for a constant power from now on; the inverter's ramp leads there.
 *  @return what is granted: within the units' power, 0 at a bound */
double mr_buffer_set(const struct mr_buffer_params *params, struct mr_buffer *buffer,
                     double power_w);

/** What of a constant power it can keep up until t_s, on the mean: no bound is met before. */
double mr_buffer_mean_w(const struct mr_buffer_params *params, const struct mr_buffer *buffer,
                        double power_w, double t_s);

enum mr_buffer_event {
    MR_BUFFER_EVENT_NONE,    /* nothing ahead */
    MR_BUFFER_EVENT_EMPTY,   /* the window's lower end */
    MR_BUFFER_EVENT_RESERVE, /* only the reserve is left */
    MR_BUFFER_EVENT_FULL,    /* the window's upper end */
    MR_BUFFER_EVENT_LEVEL    /* the ramp is over */
};

/** When something happens next if nothing is asked. @return INFINITY with NONE */
double mr_buffer_next_s(const struct mr_buffer_params *params, const struct mr_buffer *buffer,
                        enum mr_buffer_event *event);

/* ---- what a battery plant is for ---- */

#define MR_BUFFER_USE_LIST(X)                                           \
    X(REST, "rest", "nothing to do")                                    \
    X(RIDE, "ride_through", "the grid is away: all of it, reserve too") \
    X(SHAVE, "peak_shave", "the feed's limit is below the load")        \
    X(SELL, "price_high", "energy is dear")                             \
    X(BUY, "price_low", "energy is cheap")                              \
    X(REFILL, "refill", "back to where it should stand")

enum mr_buffer_use {
#define MR_BUFFER_USE_ENUM(name, text, doc) MR_BUFFER_USE_##name,
    MR_BUFFER_USE_LIST(MR_BUFFER_USE_ENUM)
#undef MR_BUFFER_USE_ENUM
};

struct mr_buffer_plan {
    double buy_usd_j, sell_usd_j; /* charges below, discharges above; buy < sell */
    double refill_frac;           /* state of charge to return to between uses */
    bool may_export;              /* discharge beyond the load */
};

struct mr_buffer_need {
    double load_w;  /* behind the same meter, without the buffer */
    double limit_w; /* what the feed may draw now; INFINITY: any */
    double price_usd_j;
    bool has_grid;
};

struct mr_buffer_order {
    double power_w; /* to ask for; above 0 charges */
    int use;        /* enum mr_buffer_use */
};

MR_CHECKED mr_status mr_buffer_plan_check(const struct mr_buffer_plan *plan,
                                          const struct mr_buffer_params *params, const char *name,
                                          struct mr_err *err);

/** Ride-through before peak, before price, before refill. Only ride-through touches the reserve. */
struct mr_buffer_order mr_buffer_dispatch(const struct mr_buffer_params *params,
                                          const struct mr_buffer *buffer,
                                          const struct mr_buffer_plan *plan,
                                          const struct mr_buffer_need *need);

#endif
