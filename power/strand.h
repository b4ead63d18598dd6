/* SPDX-License-Identifier: Apache-2.0 */
/* Power that is installed and cannot be used, by cause. Looked at where racks are plugged in
 * (panels, busways: the first nodes with a rating above loads, bars of storage looked through),
 * with every rack at its rating:
 *
 *   installed + over = placed + redundancy + chain + cooling + granularity + free
 *
 * redundancy   spare units, and what must stay free for the worst failure of another node: with a
 *              load L that grows to M then, only L / M of the rating may be used
 * chain        the rest, as far as no node above can deliver it (in index order of the panels)
 * cooling      the rest, as far as its heat cannot be taken away (given from outside)
 * granularity  the rest, as far as no whole rack fits: less than the smallest one there
 * free         whole racks that could still be placed
 * over         racks placed beyond the rating
 *
 * Beside them: what the sources are good for and no panel could take. Ignored: two failures at
 * once, breakers. */
#ifndef MR_POWER_STRAND_H
#define MR_POWER_STRAND_H

#include "power/chain.h"

struct mr_strand {
    double installed_w, over_w;
    double placed_w, redundancy_w, chain_w, cooling_w, granularity_w, free_w;
};

/* What stands in the way: the worst failure of every node. */
struct mr_strand_worst {
    double normal_w,
        failed_w;     /* delivered with all racks at their rating; the most when one fails */
    uint32_t failure; /* which one; MR_CIRCUIT_NONE: no failure adds load */
};

struct mr_strand_site {
    struct mr_strand sum;
    double unused_source_w;        /* of the sources' rating, beyond what all panels could take */
    struct mr_strand *panel;       /* n_node; zero for nodes that are no panels */
    struct mr_strand_worst *worst; /* n_node */
    uint32_t n_panel;
    struct mr_arena arena;
};

/** @param[in] cooling_w per node: how much more heat the loads right on it may give [W]; NULL:
 * any
 *  @param[out] site mr_strand_fini */
MR_CHECKED mr_status mr_strand_of(const struct mr_circuit *tree, const double *cooling_w,
                                  struct mr_strand_site *site, struct mr_err *err);
void mr_strand_fini(struct mr_strand_site *site);

#endif
