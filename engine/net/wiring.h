/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid's links and routes as a topology of transfers (engine/serve/topology.h): what `ideal`,
 * `shared` and `flow` of one run all go by. Routes are asked for when two hosts first talk: inside
 * the actor that owns time directly, elsewhere by a short-lived one. */
#ifndef MR_ENGINE_NET_WIRING_H
#define MR_ENGINE_NET_WIRING_H

#include "engine/serve/topology.h"
#include "platforms/site.h"

struct mr_wiring;

/** After mr_platform_load, and after mr_platform_check where that is wanted.
 *  @param[in] site lent @param[in] efficiency payload over line rate, 0 < efficiency <= 1 */
MR_CHECKED mr_status mr_wiring_create(const struct mr_site *site, double efficiency,
                                      struct mr_wiring **out, struct mr_err *err);
void mr_wiring_destroy(struct mr_wiring *wiring);

/** Links are SimGrid's, by name (split ones as NAME_DOWN and NAME_UP); hosts are the site's. Inside
 *  a host of several packages the scale-up domain counts: its bandwidth per package and two hops.
 *  Lent; transfers write its cache of routes. */
struct mr_topology *mr_wiring_topology(struct mr_wiring *wiring);

/** The host that a package of a rack is or stands in. @param[in] package 0 .. rack's n_package - 1
 */
uint32_t mr_wiring_host(const struct mr_site *site, uint32_t rack, uint32_t package);

#endif
