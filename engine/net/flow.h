/* SPDX-License-Identifier: Apache-2.0 */
/* Mode `flow` of transfers (engine/serve/transfer.h): SimGrid's max-min over whole routes.
 *
 * SimGrid owns the control flow of what lives in it, so the owner of time runs inside: everything
 * that starts or advances transfers happens in the body of mr_transfer_run, which is called in an
 * actor of its own with a large stack. Its clock moves only while something is in flight and only
 * in mr_transfer_advance, at whose end both clocks agree to 1e-9 s.
 *
 * Latencies are paid before SimGrid hears of a transfer, and its links have none: with them it
 * would share a link by the inverse of the routes' latencies, as TCP does, not evenly (a neighbor
 * got twice the rate of a host of another hall).
 *
 * Lines of instances bind all their transfers together (lines.h), beside the links: a transfer ends
 * when both the links and the lines have let its last byte through, so that no instance has sent or
 * received more by then than its line allows. Exact where all that meet are held back by links, or
 * all by lines; else one that its line holds back still takes a full share of its links.
 *
 * What it cannot do: tell how far a transfer is (bytes on links count at the end; what was cut off
 * counts as nothing), and hold a rate in SimGrid below that of the links.
 * Ends closer than 1e-9 s may come out as one instant. */
#ifndef MR_ENGINE_NET_FLOW_H
#define MR_ENGINE_NET_FLOW_H

#include "engine/net/wiring.h"
#include "engine/serve/transfer.h"

/** Once per process, as SimGrid. From here on its links carry payload bandwidths and no latency.
 *  @param[in] wiring lent @param[in] class_latency_s as mr_transfer_ideal */
MR_CHECKED mr_status mr_flow_create(struct mr_wiring *wiring, const double *class_latency_s,
                                    struct mr_transfer **out, struct mr_err *err);

#endif
