/* SPDX-License-Identifier: Apache-2.0 */
/* Which way of sharing a run takes, and why. Max-min costs what the connected part of the network
 * that transfers are in at once costs to solve: microseconds for tens, milliseconds for thousands.
 * `auto` takes it where few are expected. */
#ifndef MR_ENGINE_SERVE_TRANSFER_CHOICE_H
#define MR_ENGINE_SERVE_TRANSFER_CHOICE_H

#include "engine/base/status.h"

/* name, text, meaning */
#define MR_TRANSFER_CHOICE_LIST(X)                                                     \
    X(AUTO, "auto", "flow where few transfers are expected at once, else shared")      \
    X(IDEAL, "ideal", "nobody shares: latency + bytes / bandwidth")                    \
    X(SHARED, "shared", "every transfer gets the smallest fair share among its links") \
    X(FLOW, "flow", "max-min over whole routes, by SimGrid")

enum mr_transfer_choice {
#define MR_TRANSFER_CHOICE_ENUM(name, text, doc) MR_TRANSFER_CHOICE_##name,
    MR_TRANSFER_CHOICE_LIST(MR_TRANSFER_CHOICE_ENUM)
#undef MR_TRANSFER_CHOICE_ENUM
};

enum {
    MR_TRANSFER_CHOICE_FLOWS = 300, /* at once in one connected part, for `flow` under `auto` */
    MR_TRANSFER_CHOICE_CAP = 200    /* of the reason */
};

const char *mr_transfer_choice_name(int choice);

/** Transfers at once on a link, on the mean: in their latency by Little's law, on the link as a
 *  processor-sharing queue, rho / (1 - rho) for any distribution of sizes; at most one per sender.
 *  @param[in] per_s, bytes offered to the busiest link: transfers a second, mean size
 *  @param[in] n_sender how many can be sending at once; INFINITY: no limit
 *  @return INFINITY for more than the link carries without a limit of senders */
double mr_transfer_choice_expected(double per_s, double bytes, double bandwidth_bytes_s,
                                   double latency_s, double n_sender);

/** @param[in] wanted enum mr_transfer_choice @param[in] n_expected at once in the largest connected
 *  part @param[out] why one sentence @return IDEAL, SHARED or FLOW */
int mr_transfer_choice_of(int wanted, double n_expected, char why[MR_TRANSFER_CHOICE_CAP]);

#endif
