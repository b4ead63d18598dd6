/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of mr_fabric_build: file order, then zones. */
#ifndef MR_PLATFORMS_FABRIC_IMPL_H
#define MR_PLATFORMS_FABRIC_IMPL_H

#include "platforms/fabric.h"

/** Check names, texts and values against what a file can hold; sort entities into file order and
 *  renumber references; count what is derived (rows of halls, racks of rows and pods, packages). */
MR_CHECKED mr_status mr_fabric_order(struct mr_site *site, struct mr_err *err);

/** Fill zone, host, router, link, route and route_link at `level`, which is not AUTO. */
MR_CHECKED mr_status mr_fabric_zones(struct mr_site *site, int level, struct mr_err *err);

#endif
