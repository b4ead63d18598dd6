/* SPDX-License-Identifier: Apache-2.0 */
/* Hardware of the scale-out fabric: how many switches of the named cards, ports and optics the
 * racks' ports and the oversubscription ask for. Its power is not added to racks: network racks
 * have their own. Rails decide how leaf switches are grouped; SimGrid's zones have one gateway, so
 * that routes do not tell rails apart. */
#ifndef MR_PLATFORMS_NETWORK_H
#define MR_PLATFORMS_NETWORK_H

#include "platforms/library.h"
#include "platforms/site.h"

enum {
    MR_NETWORK_LEAF,
    MR_NETWORK_SPINE,
    MR_NETWORK_CORE,
    MR_NETWORK_LAYERS
};

struct mr_network_layer {
    const char *card; /* lent by the site; NULL: not named, then nothing is counted */
    uint64_t n_switch, n_down, n_up; /* ports in use */
    double power_w;                  /* of the switches; 0: their card does not say */
};

struct mr_network {
    struct mr_network_layer layer[MR_NETWORK_LAYERS];
    uint64_t n_optic; /* ends of cables, in ports of the layer below */
    double optic_w;
};

/** Cards that are not there are told in `diags` as warnings and counted as not named.
 *  @return MR_OK or MR_NOMEM */
MR_CHECKED mr_status mr_network_of(const struct mr_site *site, struct mr_network *network,
                                   struct mr_diags *diags);

#endif
