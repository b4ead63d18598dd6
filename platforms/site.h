/* SPDX-License-Identifier: Apache-2.0 */
/* The site: everything Millrace knows about where things are, built once and const afterwards.
 * It is read from one SimGrid platform XML (platforms/read.h) or expanded from a layout
 * (platforms/layout.h); SimGrid itself loads the same file, so there is no second truth.
 * Entities are dense 32-bit indices in file order; the index is the row in the HDF5 file. Strings
 * and arrays belong to the site. Power in watts, heat in watts, bandwidth one-way in bytes per
 * second. */
#ifndef MR_PLATFORMS_SITE_H
#define MR_PLATFORMS_SITE_H

#include "engine/base/arena.h"
#include "platforms/site_kind.h"

#include <stdint.h>

#define MR_SITE_NONE UINT32_MAX

/* Where an entity stands in its file (mr_site.path); 0 when that is not known. */
struct mr_spot {
    int line, col;
};

/* Grid connection; limit_w 0: none is stated, or there is no connection (island, orbit). */
struct mr_grid {
    double limit_w, ramp_w_s, voltage_v;
    double curtail_frac, curtail_h_year; /* flexible interconnection: how much, how many hours */
    int interconnect;                    /* enum mr_site_grid_kind */
    struct mr_spot at;
};

struct mr_power_node {
    const char *name;
    int kind;                   /* enum mr_site_power_kind */
    double rating_w;            /* of one unit, at its output */
    uint64_t n_unit, n_spare;   /* installed; of these, not needed at full load */
    double voltage_v, energy_j; /* output voltage; usable energy of storage */
    double oversubscribe; /* of what it has in service racks' limits may add up to; below 1: 1 */
    uint32_t parent[2];   /* towards the grid; A and B; MR_SITE_NONE: none */
    uint32_t hall, row;   /* where it stands, or MR_SITE_NONE */
    struct mr_spot at;
};

/* A group of coolant distribution units on one header. */
struct mr_cdu {
    const char *name, *card;
    uint64_t n_unit, n_spare;
    double capacity_w, approach_k; /* of one unit; supply above the facility water, at design */
    double supply_c, flow_m3_s; /* set point of the water sent to racks; design flow of one unit */
    uint32_t loop;              /* facility loop it gives its heat to */
    uint32_t hall, row;
    struct mr_spot at;
};

/* Facility water loop. */
struct mr_loop {
    const char *name;
    double supply_c, volume_m3;
    uint32_t hall; /* MR_SITE_NONE: the whole site's */
    struct mr_spot at;
};

/* Heat rejection units of one kind on one loop. */
struct mr_rejector {
    const char *name, *card;
    int kind; /* enum mr_site_reject_kind */
    uint64_t n_unit, n_spare;
    double capacity_w, area_m2; /* of one unit; radiators: area of one side */
    uint32_t loop;
    struct mr_spot at;
};

/* Scale-up domain: packages that talk over NVLink (or LPU links) without the scale-out fabric. */
struct mr_domain {
    const char *name;
    uint64_t generation, n_package;
    double bandwidth_bytes_s, latency_s; /* per package, one way; one hop */
    bool is_optical;
    struct mr_spot at;
};

struct mr_rack {
    const char *name, *card, *package;    /* package: card of its packages */
    uint32_t hall, row, cdu, domain, pod; /* or MR_SITE_NONE */
    uint32_t n_domain; /* nodes with domains of their own: so many, from `domain` on; else 1 */
    uint32_t feed[2];  /* power nodes it hangs on, A and B */
    bool has_standby;  /* B carries nothing while A lives */
    uint32_t first_package, n_package; /* dense over the site */
    uint32_t zone, first_host, n_host; /* SimGrid's view */
    uint32_t uplink;                   /* its link to the leaf, MR_SITE_NONE when it has none */
    double limit_w;                    /* what its feed grants */
    double rated_w, max_q_w;           /* of the card, as installed */
    double liquid_frac, flow_m3_s, inlet_max_c, mass_kg, footprint_m2, x_m, y_m;
    double nic_latency_s; /* package to its port; 0: the fabric's */
    uint64_t n_tray;      /* compute trays, packages spread evenly over them */
    double flop_s;        /* of one package, dense, as the card gives it; 0: not known */
    double memory_bytes;  /* of all packages */
    uint64_t n_port;      /* scale-out ports */
    double port_bytes_s;  /* of one port, one way */
    uint64_t bus_v;       /* 0: alternating current */
    double shelf_j;       /* capacitors of its power shelves */
    uint64_t n_cpu;
    struct mr_spot at;
};

struct mr_row {
    const char *name;
    uint32_t hall, first_rack, n_rack, zone;
    struct mr_spot at;
};

struct mr_hall {
    const char *name;
    uint32_t first_row, n_row, zone;
    double floor_limit_kg_m2;
    struct mr_spot at;
};

struct mr_pod {
    const char *name;
    uint32_t n_rack;
};

/* ---- SimGrid's view of the same file ---- */

struct mr_zone {
    const char *name, *routing;
    uint32_t parent;
    int line;
};

struct mr_host {
    const char *name;
    const char *speed;   /* as written: "35Pf,28Pf,21Pf", one value per power state */
    double speed_flop_s; /* of the first power state, one core */
    uint64_t n_core;
    uint32_t zone, rack;
    uint32_t uplink; /* Cluster zones: the link of its host_link, else MR_SITE_NONE */
    struct mr_spot at;
};

struct mr_site_router {
    const char *name;
    uint32_t zone;
};

struct mr_link {
    const char *name;
    double bandwidth_bytes_s, latency_s;
    bool is_split;   /* SPLITDUPLEX: one such link per direction */
    bool is_fatpipe; /* never a bottleneck by sharing */
    uint32_t zone;
};

/* A declared route between two hosts or routers of a zone (gw "" and ""), or between two sub-zones.
 */
struct mr_route {
    uint32_t zone;
    const char *src, *dst, *gw_src, *gw_dst;
    uint32_t first_link, n_link; /* into site->route_link */
    bool is_one_way;             /* symmetrical="NO" */
};

enum mr_link_direction {
    MR_LINK_BOTH,
    MR_LINK_UP,
    MR_LINK_DOWN
};

struct mr_route_link {
    uint32_t link;
    int direction; /* enum mr_link_direction; BOTH: the link is not split */
};

#define MR_SITE_ENTITY_LIST(X)       \
    X(hall, struct mr_hall)          \
    X(row, struct mr_row)            \
    X(rack, struct mr_rack)          \
    X(domain, struct mr_domain)      \
    X(pod, struct mr_pod)            \
    X(cdu, struct mr_cdu)            \
    X(loop, struct mr_loop)          \
    X(rejector, struct mr_rejector)  \
    X(power, struct mr_power_node)   \
    X(zone, struct mr_zone)          \
    X(host, struct mr_host)          \
    X(router, struct mr_site_router) \
    X(link, struct mr_link)          \
    X(route, struct mr_route)        \
    X(route_link, struct mr_route_link)

struct mr_site {
    const char *name, *path;
    const char *layout_path, *layout_sha256; /* "" when not made from a layout */
    int level;                               /* enum mr_site_level */
    bool has_props; /* false: a plain SimGrid platform, everything of ours is a default */
    double wet_bulb_c, dry_bulb_c; /* design weather of the place */
    struct mr_grid grid;
    struct mr_fabric_params *fabric; /* platforms/fabric.h, in the arena; NULL: defaults */
#define MR_SITE_ARRAY(name, type) \
    type *name;                   \
    size_t n_##name, cap_##name;
    MR_SITE_ENTITY_LIST(MR_SITE_ARRAY)
#undef MR_SITE_ARRAY
    uint32_t n_package;
    struct mr_arena arena; /* names */
};

/** Zero-initialized site in heap memory, or NULL. Whoever builds it may write to it; everybody else
 *  gets a const pointer. Arrays grow with mr_grow. */
struct mr_site *mr_site_create(struct mr_err *err);
void mr_site_destroy(struct mr_site *site);

/** Power nodes with children before their parents.
 *  @param[out] order, n_child n_power of each; n_child is scratch
 *  @return how many: fewer than n_power when some feed themselves in a circle; n_child of one of
 *  those is left above 0 */
size_t mr_site_power_order(const struct mr_site *site, uint32_t *order, uint32_t *n_child);

/** What racks' limits on it may add up to: units that are not spare, times `oversubscribe`. */
double mr_site_power_grants_w(const struct mr_power_node *node);

/** Does a node of this kind on two feeds draw from both? Others take all from the first that lives.
 */
bool mr_site_power_shares(int kind);

/* Of a unit at load x, over its rating: standing + linear x + square x^2. */
struct mr_site_loss {
    double standing, linear, square;
};

/** @param[in] rating_w of one unit: grid transformers differ by it */
struct mr_site_loss mr_site_power_loss(int kind, double rating_w);

/** Efficiency of a node of this kind at full load, and the power that heat rejection of this kind,
 * or a CDU, takes per heat: for sizing and checking. How they behave at other loads is the business
 * of power/ and thermal/. */
double mr_site_power_efficiency(int kind);
double mr_site_reject_power(int kind);
double mr_site_cdu_power(void);

const char *mr_site_power_kind_name(int kind);
const char *mr_site_reject_kind_name(int kind);
const char *mr_site_level_name(int level);

/** Canonical text of everything but places and paths, one entity per line: equal sites give equal
 *  texts, which is how tests compare them and what config hashes cover. */
void mr_site_dump(const struct mr_site *site, struct mr_buf *out);

#endif
