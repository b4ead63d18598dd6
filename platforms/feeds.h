/* SPDX-License-Identifier: Apache-2.0 */
/* What every node of the power tree carries with all racks at their limits: when all is well, and
 * the most when one other node is lost. Losses are not counted.
 *
 * A rack or node on two feeds draws halves from both, or all of it from the first that lives (a
 * rack whose second feed stands by, a transfer switch). A lost node takes with it what has no other
 * living feed; what has, moves to that one, and what is lost is carried by nobody. Two nodes lost
 * at once are not looked at. */
#ifndef MR_PLATFORMS_FEEDS_H
#define MR_PLATFORMS_FEEDS_H

#include "engine/base/arena.h"
#include "platforms/site.h"

/* Per power node. */
struct mr_feeds {
    double *normal_w, *failed_w; /* failed_w: at least normal_w */
    uint32_t *failure;           /* which other node is lost then; MR_SITE_NONE: none adds to it */
    uint32_t circle; /* a node that feeds itself in a circle; MR_SITE_NONE: it is a tree,
                        and only then are there loads */
    struct mr_arena arena;
};

/** @param[out] feeds mr_feeds_fini, after errors too */
MR_CHECKED mr_status mr_feeds_of(const struct mr_site *site, struct mr_feeds *feeds,
                                 struct mr_err *err);
void mr_feeds_fini(struct mr_feeds *feeds);

#endif
