/* SPDX-License-Identifier: Apache-2.0 */
/* What flows in a power chain (circuit.h): watts, losses, currents, energies; who is supplied by
 * whom after failures; breakers.
 *
 *   delivered = demand of the node + sum over live children (their input x share) - injected
 *   input     = delivered + loss(delivered)
 *
 * Everything is constant between changes. A change marks the nodes above it; mr_chain_settle
 * recomputes those only, children before parents, each as a sum in a fixed order, so the result
 * does not depend on the order of changes. Energies are watts times time, added when watts change.
 * Between ticks losses are either recomputed at every change (EVENT) or held (HOLD); held ones are
 * off by no more than mr_chain_hold_w says.
 *
 * A node is alive when it works, its breaker is closed, and a feed of it is alive, or it is a
 * source that is on, or something stands behind it (`backed`: a battery, a generator; the caller
 * drains it by the node's own_w). A dead node draws nothing, and what it should deliver is counted
 * as unserved. While a transfer switch changes over nobody feeds the node, which its loads do not
 * notice when it takes no longer than their hold-up; the little energy that the hold-up gives
 * counts as own_w and is not put back. Ignored: reactive power and harmonics, voltage drop, faults.
 */
#ifndef MR_POWER_CHAIN_H
#define MR_POWER_CHAIN_H

#include "power/circuit.h"

/* name, text, what value and limit are in, meaning */
#define MR_CHAIN_EVENT_LIST(X)                                                                    \
    X(OVERLOAD, "power.stage_overload", "W", "delivers more than the running units are rated")    \
    X(OVERLOAD_END, "power.stage_overload_end", "W", "back within the rating")                    \
    X(CABLE_OVERLOAD, "power.cable_overload", "W",                                                \
      "the cable to a feed carries more than its rating")                                         \
    X(UNIT_ON, "power.stage_unit_on", "units",                                                    \
      "units of a stage began to run; value: how many do")                                        \
    X(UNIT_OFF, "power.stage_unit_off", "units", "units of a stage stopped; value: how many run") \
    X(TRANSFER, "power.transfer", "", "took another feed; value: its number")                     \
    X(FEED_LOST, "power.feed_lost", "W", "no supply any more; value: what it delivered")          \
    X(FEED_BACK, "power.feed_back", "W", "supplied again")                                        \
    X(ALARM, "power.breaker_alarm", "A", "longer above the continuous rating than allowed")       \
    X(TRIP, "power.breaker_trip", "A", "the breaker opened")

enum mr_chain_event_kind {
#define MR_CHAIN_ENUM(name, text, unit, doc) MR_CHAIN_##name,
    MR_CHAIN_EVENT_LIST(MR_CHAIN_ENUM)
#undef MR_CHAIN_ENUM
    MR_N_CHAIN_EVENT
};

struct mr_chain_event {
    double t_s;
    uint32_t kind, node; /* enum mr_chain_event_kind */
    double value, limit;
};

enum mr_chain_loss_mode {
    MR_CHAIN_EVENT,
    MR_CHAIN_HOLD
};

struct mr_chain_options {
    double t_s;    /* where it begins */
    int loss_mode; /* enum mr_chain_loss_mode */
    bool has_no_trips;
    /* called for every event, in order of time; may be NULL */
    void (*take)(void *context, const struct mr_chain_event *event);
    void *context;
};

struct mr_chain; /* state over one tree; belongs to one thread */

/** All nodes work, sources are on, there is no demand. @param[in] tree must outlive the chain */
MR_CHECKED mr_status mr_chain_create(const struct mr_circuit *tree,
                                     const struct mr_chain_options *options, struct mr_chain **out,
                                     struct mr_err *err);
void mr_chain_destroy(struct mr_chain *chain);

/* ---- inputs, from now on; they take effect at the next mr_chain_settle or _advance ---- */

bool mr_chain_set_demand(struct mr_chain *chain, uint32_t node, double w); /* another one? */

/** Demand of nodes first .. first + n - 1. */
void mr_chain_set_demands(struct mr_chain *chain, uint32_t first, size_t n, const double *w);

/** Power that something on the site gives to the node's bar; negative: that it takes. */
void mr_chain_set_inject(struct mr_chain *chain, uint32_t node, double w);
void mr_chain_set_source(struct mr_chain *chain, uint32_t node, bool is_on);
void mr_chain_set_backed(struct mr_chain *chain, uint32_t node, bool is_backed);
void mr_chain_set_failed(struct mr_chain *chain, uint32_t node, bool has_failed);
void mr_chain_set_units_failed(struct mr_chain *chain, uint32_t node, uint32_t n_failed);

/** A breaker opened or closed by hand, or by a plan. Nodes without a breaker have a switch. */
void mr_chain_set_open(struct mr_chain *chain, uint32_t node, bool is_open);

/* ---- time ---- */

/** Bring all watts up to date. Instantaneous trips happen here. */
void mr_chain_settle(struct mr_chain *chain);

/** Whoever owns demands and injections answers what he finds, settles again, all of it now: what is
 *  overloaded meanwhile is told at the end, if it still is. */
void mr_chain_set_answering(struct mr_chain *chain, bool is_answering);

/** Settle, then play transfers, trips and alarms up to and including t_s. */
void mr_chain_advance(struct mr_chain *chain, double t_s);

/** The next of those if nothing changes; INFINITY: none. */
double mr_chain_next_s(const struct mr_chain *chain);
double mr_chain_now_s(const struct mr_chain *chain);

/** Present currents have flown for long: thermal images of breakers stand where these have brought
 *  them. A current that trips a breaker cannot have: before, it was what it may carry for good. */
void mr_chain_warm(struct mr_chain *chain);

/** When a staging switches units next if no load changes; INFINITY: none does. Units that a load
 *  needs are switched on with it. */
double mr_chain_staging_s(const struct mr_chain *chain);

/** The controllers' tick: held losses are made exact, stagings decide. */
void mr_chain_tick(struct mr_chain *chain);

/* ---- readings; valid after settle ---- */

struct mr_chain_flow {
    double out_w, loss_w, in_w; /* in_w: from feeds, from the source itself, or from own_w */
    double own_w;               /* part of in_w that what backs it gives: all or nothing */
    double demand_w, inject_w;
    double out_j, loss_j, in_j, own_j, inject_j, served_j, unserved_j;
    double current_a, load_frac; /* delivered over rated of what runs */
    double heat, trip_s;         /* of the breakers */
    uint32_t n_on;
    bool is_live, is_own, is_open, has_failed;
};

/** @param[in] t_s not before now: energies are extrapolated, nothing is written */
void mr_chain_read(const struct mr_chain *chain, uint32_t node, double t_s,
                   struct mr_chain_flow *flow);

/** Of that reading, the energy that its loads got. */
double mr_chain_served_j(const struct mr_chain *chain, uint32_t node, double t_s);

/** Input of every node [W], n_node values. The cheap reading. */
double mr_chain_in_w(const struct mr_chain *chain, uint32_t node);
bool mr_chain_is_live(const struct mr_chain *chain, uint32_t node);
bool mr_chain_is_own(const struct mr_chain *chain, uint32_t node); /* what backs it carries it */

/** Watts in the cable to feed number `e` of a node, at the node's end, and the amperes. */
double mr_chain_edge_w(const struct mr_chain *chain, uint32_t node, uint32_t e);
double mr_chain_edge_a(const struct mr_chain *chain, uint32_t node, uint32_t e);

struct mr_chain_total {
    double source_w, own_w, inject_w, served_w, unserved_w, loss_w;
    double source_j, own_j, inject_j, served_j, unserved_j, loss_j;
    double stage_loss_w[MR_N_STAGE], stage_loss_j[MR_N_STAGE];
    double closure_rel; /* |in - out| / in of the energies; the largest of the site and its nodes */
};

/** Sums in index order. */
void mr_chain_total(const struct mr_chain *chain, double t_s, struct mr_chain_total *total);

/** HOLD: the most that held losses were off at any tick, a bound [W]. */
double mr_chain_hold_w(const struct mr_chain *chain);

/* ---- what if: nothing of the state changes ---- */

/** Demands and injections as they are, for a question. */
void mr_chain_ask_begin(struct mr_chain *chain);

/** More is drawn at a node. @param[in] w below 0: less */
void mr_chain_ask_more(struct mr_chain *chain, uint32_t node, double w);

/** What source 0 would give if it were on, and nothing but feeds carried what hangs on them, with
 *  the units that run now. The question stays: more may be added to it. */
double mr_chain_ask_w(struct mr_chain *chain);

const char *mr_chain_event_name(int kind);

#endif
