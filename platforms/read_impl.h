/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parts of the platform reader: read.c (document, zones), read_element.c (hosts,
 * links, routes), read_cluster.c (what SimGrid expands), read_prop.c (our props), read_site.c (what
 * follows from all of it). Mistakes go to the diagnostics and reading goes on; functions return
 * MR_NOMEM or MR_OK. */
#ifndef MR_PLATFORMS_READ_IMPL_H
#define MR_PLATFORMS_READ_IMPL_H

#include "engine/base/intern.h"
#include "engine/base/xml.h"
#include "platforms/library.h"
#include "platforms/prop.h"
#include "platforms/read.h"

enum mr_read_routing {
    MR_READ_FULL,
    MR_READ_FLOYD,
    MR_READ_DIJKSTRA,
    MR_READ_DIJKSTRA_CACHE,
    MR_READ_NONE,
    MR_READ_CLUSTER,
    MR_READ_VIVALDI,
    MR_READ_WIFI,
    MR_READ_N_ROUTING
};

/* A host or router by name. */
struct mr_read_node {
    uint32_t index; /* in its array */
    uint32_t zone;
    uint32_t uplink; /* first link of the first route it is an end of */
    bool is_host;
};

/* Beside site->zone. */
struct mr_read_zone {
    struct mr_place at;
    int routing;              /* enum mr_read_routing */
    uint32_t rack, row, hall; /* declared on it */
    uint32_t busway;          /* power node of a "busway.limit" on it */
    uint32_t loop;            /* of a "loop.supply" on it */
    uint32_t uplink;          /* first link of the first zoneRoute it is an end of */
    uint32_t last;            /* its last descendant; zones inside are (index, last] */
};

/* A reference whose target may come later in the file. */
struct mr_read_pending {
    const struct mr_prop_ref *ref;
    uint32_t index;   /* of the entity that refers */
    const char *text; /* one or two names */
    struct mr_place at;
    bool is_made; /* a target that nobody declared is made ("nvl.domain") */
};

struct mr_read {
    struct mr_site *site;
    struct mr_diags *diags;
    const char *folder; /* a file in the folder that profiles are looked for in */
    struct mr_intern zone_names, node_names, link_names, trace_names, route_names;
    struct mr_intern names[MR_N_PROP]; /* of our entities; id = index */
    struct mr_read_node *node;         /* by id in node_names */
    size_t cap_node;
    struct mr_read_zone *zone; /* by index of the zone */
    size_t cap_zone;
    struct mr_read_pending *pending;
    size_t n_pending, cap_pending;
    struct mr_prop_defaults defaults;
    /* forms of which a site has one, and what of them was given */
    union mr_prop_form form[MR_PROP_FABRIC + 1];
    uint8_t origin[MR_PROP_FABRIC + 1][mr_prop_row_max];
    struct mr_library *library; /* NULL until a hand-written rack names its card */
    bool has_includes, has_site;
    bool has_told_units; /* this warning is given once */
};

/* Add an error; the rest is a format and its arguments. */
#define MR_READ_ERROR(r, st, at, ...) \
    ((void)mr_diags_add((r)->diags, MR_SEVERITY_ERROR, (st), (at), __VA_ARGS__))
#define MR_READ_WARNING(r, st, at, ...) \
    ((void)mr_diags_add((r)->diags, MR_SEVERITY_WARNING, (st), (at), __VA_ARGS__))

/* What an element may have; lists end with NULL. */
struct mr_read_shape {
    const char *const *required, *const *optional;
};
#define MR_READ_NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define MR_READ_NO_NAMES   ((const char *const[]){NULL})

/* ---- read.c ---- */

/** Check attributes against the shape. @return are all required ones there? */
bool mr_read_attributes(struct mr_read *r, const struct mr_xml_node *node,
                        const struct mr_read_shape *shape);

/** Place of an attribute's value, or of the element without it. */
struct mr_place mr_read_place(const struct mr_xml_node *node, const char *attribute);

/** The attribute's value, or `fallback`. */
const char *mr_read_value(const struct mr_xml_node *node, const char *attribute,
                          const char *fallback);

/** Lasting copy in the site's arena, NULL when out of memory. */
const char *mr_read_keep(struct mr_read *r, struct mr_str text) MR_CHECKED;

/** ` (did you mean "X"?)` among the texts of a table; "" once enough errors were told. */
const char *mr_read_hint(struct mr_read *r, const struct mr_intern *names, struct mr_str word,
                         char out[128]);

MR_CHECKED mr_status mr_read_new_zone(struct mr_read *r, const struct mr_xml_node *node,
                                      const char *name, int routing, uint32_t parent,
                                      uint32_t *index);

/** A child that may not have children or text has none. */
void mr_read_empty(struct mr_read *r, const struct mr_xml_node *node);

const char *mr_read_routing_name(int routing);

/* ---- read_element.c ---- */

/** A quantity in SimGrid's spelling; 0 (and an error) when it cannot be read or is below `least`.
 */
double mr_read_quantity(struct mr_read *r, const struct mr_xml_node *node, const char *attribute,
                        enum mr_quantity q, bool may_be_zero);

/** Vivaldi coordinates, where they are given or needed: three numbers. */
void mr_read_coordinates(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone);

/** Profile files that the element names must be there. */
MR_CHECKED mr_status mr_read_files(struct mr_read *r, const struct mr_xml_node *node);

MR_CHECKED mr_status mr_read_host(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone);
MR_CHECKED mr_status mr_read_router(struct mr_read *r, const struct mr_xml_node *node,
                                    uint32_t zone);
MR_CHECKED mr_status mr_read_link(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone);
MR_CHECKED mr_status mr_read_backbone(struct mr_read *r, const struct mr_xml_node *node,
                                      uint32_t zone);
MR_CHECKED mr_status mr_read_trace(struct mr_read *r, const struct mr_xml_node *node,
                                   uint32_t zone);

/* A host as all elements that make hosts give it. */
struct mr_read_new_host {
    struct mr_place at;
    const char *name, *speed; /* kept already */
    double speed_flop_s;
    uint64_t n_core;
    uint32_t zone, uplink;
};

/** Speeds "35Pf,28Pf": their number, and the first; 0 states when there was an error. */
size_t mr_read_speeds(struct mr_read *r, const struct mr_xml_node *node, double *first_flop_s);
bool mr_read_count(struct mr_read *r, const struct mr_xml_node *node, const char *attribute,
                   const char *fallback, uint64_t *value);
MR_CHECKED mr_status mr_read_add_host(struct mr_read *r, const struct mr_read_new_host *host);
MR_CHECKED mr_status mr_read_add_router(struct mr_read *r, struct mr_place at, const char *name,
                                        uint32_t zone);
MR_CHECKED mr_status mr_read_add_link(struct mr_read *r, struct mr_place at, struct mr_link link,
                                      uint32_t *index);

/** Is it a name that a split link X takes, "X_UP" or "X_DOWN"? @param[out] base X, lent */
bool mr_read_half_name(const char *name, struct mr_str *base, int *direction);

/* ---- read_route.c ---- */

MR_CHECKED mr_status mr_read_host_link(struct mr_read *r, const struct mr_xml_node *node,
                                       uint32_t zone);
MR_CHECKED mr_status mr_read_route(struct mr_read *r, const struct mr_xml_node *node,
                                   uint32_t zone);
MR_CHECKED mr_status mr_read_zone_route(struct mr_read *r, const struct mr_xml_node *node,
                                        uint32_t zone);

/* ---- read_cluster.c ---- */

MR_CHECKED mr_status mr_read_cluster(struct mr_read *r, const struct mr_xml_node *node,
                                     uint32_t zone);
MR_CHECKED mr_status mr_read_cabinet(struct mr_read *r, const struct mr_xml_node *node,
                                     uint32_t zone);
MR_CHECKED mr_status mr_read_peer(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone);

/* ---- read_card.c ---- */

/** Fill the figures of a rack, CDU or rejector that nobody gave, if it names a card. */
MR_CHECKED mr_status mr_read_from_card(struct mr_read *r, int kind,
                                       const struct mr_param_target *target, const char *id,
                                       struct mr_place at);

/** The rack card of an id (NULL or "": none). */
const struct mr_rack_card *mr_read_rack_card(struct mr_read *r, const char *id, struct mr_place at);

/* ---- read_prop.c ---- */

/** The props of a zone or cluster (host MR_SITE_NONE) or of a host. */
MR_CHECKED mr_status mr_read_props(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone,
                                   uint32_t host);

/** Turn names into indices, once everything is there. */
MR_CHECKED mr_status mr_read_references(struct mr_read *r);

/* ---- read_site.c ---- */

/** Halls, rows, racks and counts, from the declared and the inferred. */
MR_CHECKED mr_status mr_read_finish(struct mr_read *r);

#endif
