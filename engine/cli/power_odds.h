/* SPDX-License-Identifier: Apache-2.0 */
/* How often racks, granted and loaded as they are and before any cap acts, ask for more than a node
 * of the power chain is rated for (the connection: its limit), and how many such racks it could
 * carry at a chosen probability.
 *
 * Of a trace: mean, spread and highest of every rack over the run, and the mean correlation of any
 * two, rho = (var sum - sum var) / ((sum sigma)^2 - sum var). Without one: a rack draws its rating
 * with the probability that is the load, else what a suspended one does, each by itself. The sum at
 * a node is taken as normal, cut off at all racks' highest (power/govern_odds.h); losses and shares
 * of feeds are those at the mean. Ignored: failures, storage and machines on the site. */
#ifndef MR_ENGINE_CLI_POWER_ODDS_H
#define MR_ENGINE_CLI_POWER_ODDS_H

#include "engine/base/jsonw.h"
#include "engine/cli/thermal_load.h"
#include "power/wire.h"

struct mr_power_odds_node {
    const char *name;
    double limit_w, mean_w, deviation_w, peak_w; /* what racks and house ask of it */
    double odds;                                 /* that it is more than limit_w */
    uint64_t n_rack, n_fit;                      /* below; so many such racks fit */
};

struct mr_power_odds {
    double correlation;
    struct mr_power_odds_node *node; /* rated ones with racks below, in order of the tree */
    size_t n_node, worst;            /* worst: highest odds, of equals the fullest at the peak */
    double at;                       /* probability that n_fit is for */
    struct mr_arena arena;
};

struct mr_power_odds_asked {
    const struct mr_wire *wire;
    const struct mr_thermal_load *load; /* of a trace, or NULL: of busy_frac */
    double until_s, busy_frac, rest_frac, house_frac;
    double grid_limit_w; /* contract; INFINITY: none */
    double at;
};

/** @param[out] odds mr_power_odds_fini, after errors too */
MR_CHECKED mr_status mr_power_odds_of(const struct mr_power_odds_asked *asked,
                                      struct mr_power_odds *odds, struct mr_err *err);
void mr_power_odds_fini(struct mr_power_odds *odds);
void mr_power_odds_text(const struct mr_power_odds *odds, struct mr_buf *out);

/** An object: probability, correlation, nodes that racks at their highest exceed, and the worst. */
void mr_power_odds_json(const struct mr_power_odds *odds, struct mr_jsonw *w);

#endif
