/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid's view of a site: zones, hosts, links and routes made from halls, rows, racks and
 * domains.
 *
 *   gpu, tray  site (Floyd) > hall (Floyd) > row (Floyd) > rack (Floyd): packages or trays with two
 *              links each, to the scale-up switch (nvsw) and to the rack's door (gw)
 *   rack       site > hall > row (Cluster): one host per rack, its link is the rack's uplink
 *
 * One leaf router per row, one spine per hall, one core per site; each stands for all switches of
 * its layer. A domain of several racks of one row has a zone of its own with the router nvlsw;
 * domains over several rows stay analytic. SimGrid gives a pair of zones one route, so rails are
 * not routers here: packages of a rack reach every rail over the scale-up switch, which is what
 * rail-optimized fabrics are built for, and the uplinks of all rails are pooled. */
#ifndef MR_PLATFORMS_FABRIC_H
#define MR_PLATFORMS_FABRIC_H

#include "engine/base/param.h"
#include "platforms/site.h"

/* name in files, one-line meaning */
#define MR_FABRIC_KIND_LIST(X)                    \
    X(ETHERNET, "ethernet", "Spectrum-X and kin") \
    X(INFINIBAND, "infiniband", "Quantum and kin")

enum mr_fabric_kind {
#define MR_FABRIC_KIND_ENUM(name, text, doc) MR_FABRIC_KIND_##name,
    MR_FABRIC_KIND_LIST(MR_FABRIC_KIND_ENUM)
#undef MR_FABRIC_KIND_ENUM
};

/* name, text, latency one link pays for its two ends [s], power of one 1.6 Tb/s port [W], meaning.
 * Powers are published, latencies are assumptions. */
#define MR_FABRIC_OPTICS_LIST(X)                                             \
    X(PLUGGABLE, "pluggable", 100e-9, 30.0, "laser and retimer in a module") \
    X(CPO, "cpo", 20e-9, 9.0, "co-packaged optics, laser outside")           \
    X(COPPER, "copper", 5e-9, 0.5, "passive or active copper, a few meters at most")

enum mr_fabric_optics {
#define MR_FABRIC_OPTICS_ENUM(name, text, latency_s, power_w, doc) MR_FABRIC_OPTICS_##name,
    MR_FABRIC_OPTICS_LIST(MR_FABRIC_OPTICS_ENUM)
#undef MR_FABRIC_OPTICS_ENUM
};

/* Scale-out fabric. Texts live in the site's arena. Whoever expands a layout copies the figures of
 * the named switch cards in here: a platform file stands alone. */
struct mr_fabric_params {
    int kind, optics;                               /* enum mr_fabric_kind, enum mr_fabric_optics */
    const char *leaf, *spine, *core;                /* switch cards; NULL: not named */
    double row_oversubscription;                    /* rack uplinks of a row to the row's uplink */
    double hall_oversubscription;                   /* row uplinks of a hall to the hall's uplink */
    uint64_t n_rail;                                /* 0: not rail-optimized */
    double nic_latency_s, port_latency_s;           /* package to its port; port to the cable */
    double rack_cable_s, row_cable_s, hall_cable_s; /* flight times: to leaf, to spine, to core */
    double leaf_latency_s, spine_latency_s, core_latency_s; /* one pass through the switch */
};

enum {
    MR_FABRIC_LEVEL_AUTO = -1,
    MR_FABRIC_GPU_RACKS = 256, /* auto: more racks than this are built at rack level */
    MR_FABRIC_CHILDREN = 200   /* of one zone; longer rows and halls are split */
};

const struct mr_param_table *mr_fabric_table(void);
void mr_fabric_defaults(struct mr_fabric_params *params);

/** Power of one 1.6 Tb/s port with its optics [W]. */
double mr_fabric_port_w(int optics);

/** Put entities in file order (halls with their rows, rows with their racks, and so the props of
 *  everything that stands in them; references follow) and fill the arrays of SimGrid's view.
 *  The site must have halls, rows, racks and domains, and no zones yet. site->fabric NULL means
 *  defaults.
 *  @param[in] level enum mr_site_level or MR_FABRIC_LEVEL_AUTO
 *  @return MR_OK, MR_SCHEMA (names that cannot stand in a file), MR_RANGE, MR_LIMIT, MR_NOMEM */
MR_CHECKED mr_status mr_fabric_build(struct mr_site *site, int level, struct mr_err *err);

#endif
