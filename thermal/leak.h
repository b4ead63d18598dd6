/* SPDX-License-Identifier: Apache-2.0 */
/* Response to a coolant leak, one rack: detection, isolation of liquid and of power. The points are
 * named as in DSX Exchange's Rack object; the sequence and its delays are ours (assumptions).
 *
 *   leak -> detect_s -> detected, isolation of liquid requested; power of the tray off at once, of
 *   the rack or row too when the scope says so -> isolation_s, valve closing -> isolated */
#ifndef MR_THERMAL_LEAK_H
#define MR_THERMAL_LEAK_H

#include "engine/base/param.h"

#define MR_LEAK_SCOPE_LIST(X)                                \
    X(TRAY, "tray", "one tray goes dark, the rack cools on") \
    X(RACK, "rack", "the rack is cut off")                   \
    X(ROW, "row", "every rack on the header is cut off")

enum mr_leak_scope {
#define MR_LEAK_SCOPE_ENUM(name, text, doc) MR_LEAK_SCOPE_##name,
    MR_LEAK_SCOPE_LIST(MR_LEAK_SCOPE_ENUM)
#undef MR_LEAK_SCOPE_ENUM
    MR_LEAK_N_SCOPE
};

struct mr_leak_params {
    double detect_s, isolation_s;
    double repair_s; /* after isolation; 0: not repaired in this run */
};

enum mr_leak_stage {
    MR_LEAK_NONE,
    MR_LEAK_UNSEEN,    /* it leaks, nobody knows */
    MR_LEAK_ISOLATING, /* RackLeakDetectTray, RackLiquidIsolationRequest */
    MR_LEAK_ISOLATED   /* RackLiquidIsolationStatus */
};

struct mr_leak {
    enum mr_leak_stage stage;
    enum mr_leak_scope scope;
    double since_s; /* start of the stage */
};

const struct mr_param_table *mr_leak_table(void);
void mr_leak_defaults(struct mr_leak_params *params);

struct mr_leak mr_leak_start(enum mr_leak_scope scope, double t_s);

/** Date of the next stage; INFINITY: none. */
double mr_leak_next_s(const struct mr_leak_params *params, const struct mr_leak *leak);

/** Enter the next stage, at mr_leak_next_s. A repaired leak is MR_LEAK_NONE. */
void mr_leak_advance(const struct mr_leak_params *params, struct mr_leak *leak);

/** Has the power in scope been taken away? */
bool mr_leak_cuts_power(const struct mr_leak *leak);

/** Packages without power of a rack of n in so many trays, spread evenly. */
uint32_t mr_leak_lost(const struct mr_leak *leak, uint32_t n_package, uint32_t n_tray);

#endif
