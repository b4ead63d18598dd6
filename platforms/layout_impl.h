/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to the layout pairs: what the file says, as specs, one per element, in file order. What
 * is made of them is in layout_build.h.
 */
#ifndef MR_PLATFORMS_LAYOUT_IMPL_H
#define MR_PLATFORMS_LAYOUT_IMPL_H

#include "engine/base/intern.h"
#include "engine/base/xml.h"
#include "platforms/layout.h"
#include "platforms/library.h"

/* How racks hang on power systems; name in files, systems, one-line meaning. */
#define MR_LAYOUT_REDUNDANCY_LIST(X)                              \
    X(N, "N", 1, "no reserve")                                    \
    X(N_PLUS_1, "N+1", 1, "one spare unit in every shared stage") \
    X(TWO_N, "2N", 2, "two systems, each carries all")            \
    X(FOUR_THIRDS, "4N/3", 4, "four systems, every rack on two")  \
    X(BLOCK, "block", 4, "three systems and one that catches any of them")

/* name in files, output of the row [V] (0: alternating current), one-line meaning */
#define MR_LAYOUT_CHAIN_LIST(X)                                                                \
    X(AC415, "ac415", 0, "415 VAC to the racks; sidecars for racks with an 800 V bus")         \
    X(DC800, "dc800", 0, "415 VAC busways, sidecars make 800 VDC for every rack")              \
    X(RECTIFIER, "rectifier", 800, "industrial rectifiers per row, medium voltage to 800 VDC") \
    X(SST, "sst", 800, "solid-state transformers per row, medium voltage to 800 VDC")          \
    X(NONE, "none", 0, "only the nodes that are written down")

#define MR_LAYOUT_POLICY_LIST(X)                              \
    X(MAX_P, "max_p", "rated power of every rack")            \
    X(MAX_Q, "max_q", "the card's efficient operating point") \
    X(MAXLPS, "maxlps", "rated power, scaled to the grid limit")

enum {
#define MR_LAYOUT_REDUNDANCY_ENUM(name, text, n_system, doc) MR_LAYOUT_##name,
    MR_LAYOUT_REDUNDANCY_LIST(MR_LAYOUT_REDUNDANCY_ENUM)
#undef MR_LAYOUT_REDUNDANCY_ENUM
};

enum {
#define MR_LAYOUT_CHAIN_ENUM(name, text, row_v, doc) MR_LAYOUT_CHAIN_##name,
    MR_LAYOUT_CHAIN_LIST(MR_LAYOUT_CHAIN_ENUM)
#undef MR_LAYOUT_CHAIN_ENUM
};

enum {
#define MR_LAYOUT_POLICY_ENUM(name, text, doc) MR_LAYOUT_##name,
    MR_LAYOUT_POLICY_LIST(MR_LAYOUT_POLICY_ENUM)
#undef MR_LAYOUT_POLICY_ENUM
};

enum {
    MR_LAYOUT_UPS_DOUBLE,
    MR_LAYOUT_UPS_ECO,
    MR_LAYOUT_UPS_NONE
};

enum {
    MR_LAYOUT_SIDE_BOTH,
    MR_LAYOUT_SIDE_A,
    MR_LAYOUT_SIDE_B
};

enum {
    MR_LAYOUT_PER_SITE,
    MR_LAYOUT_PER_HALL,
    MR_LAYOUT_PER_ROW,
    MR_LAYOUT_PER_AUTO /* where its kind usually stands */
};

enum {
    MR_LAYOUT_LOOP_LIQUID, /* heat of cold plates, by way of CDUs */
    MR_LAYOUT_LOOP_AIR,    /* heat of the room, by way of its air handlers */
    mr_layout_n_loop,
    mr_layout_system_max = 4,
    mr_layout_unit_max = 100000,    /* units of one node */
    mr_layout_position_max = 250000 /* racks and rows of a layout; power nodes too */
};

/* Elements with attributes of their own; name in files. Kinds of power nodes share NODE's. */
#define MR_LAYOUT_ELEMENT_LIST(X) \
    X(TOP, "layout")              \
    X(GRID, "grid")               \
    X(PROVISION, "provision")     \
    X(POWER, "power")             \
    X(NODE, "node")               \
    X(COOLING, "cooling")         \
    X(REJECT, "reject")           \
    X(FABRIC, "fabric")           \
    X(POD, "pod")                 \
    X(HALL, "hall")               \
    X(ROW, "row")                 \
    X(RACK, "rack")               \
    X(CDU, "cdu")                 \
    X(DOMAIN, "domain")

enum {
#define MR_LAYOUT_ELEMENT_ENUM(name, text) MR_LAYOUT_##name,
    MR_LAYOUT_ELEMENT_LIST(MR_LAYOUT_ELEMENT_ENUM)
#undef MR_LAYOUT_ELEMENT_ENUM
    mr_layout_n_element
};

/* ---- specs: 0 and NULL mean "not said" unless a comment says otherwise ---- */

struct mr_layout_top {
    const struct mr_xml_node *node;
    const char *name, *title;
    double wet_bulb_c, dry_bulb_c;
};

struct mr_layout_provision {
    const struct mr_xml_node *node;
    int policy;
    double rack_w, overhead;
};

struct mr_layout_node {
    const struct mr_xml_node *node; /* NULL: automatic */
    struct mr_layout_node *next;
    const char *name, *parent;
    int kind, side, per;
    double rating_w, voltage_v, energy_j, duration_s, oversubscribe;
    uint64_t n_unit, n_spare, n_count, n_rack;
};

struct mr_layout_power {
    const struct mr_xml_node *node;
    const struct mr_layout_power *up; /* the layout's, under a hall's */
    int chain, redundancy, ups;
    double fill_frac, mv_v;
    struct mr_layout_node *first; /* its own */
};

struct mr_layout_reject {
    const struct mr_xml_node *node; /* NULL: automatic */
    struct mr_layout_reject *next;
    const char *name, *card_id;
    int kind, loop;
    double capacity_w, area_m2;
    uint64_t n_unit, n_spare;
};

struct mr_layout_cooling {
    const struct mr_xml_node *node;
    const struct mr_layout_cooling *up; /* the layout's, under a hall's */
    int redundancy;
    double supply_c, facility_c, air_c;
    const char *cdu;
    struct mr_layout_reject *first; /* its own */
};

struct mr_layout_pod {
    const struct mr_xml_node *node;
    struct mr_layout_pod *next;
    const char *name;
    uint64_t n_count;
    uint32_t pod; /* of the site; of those outside of halls */
};

struct mr_layout_rack {
    const struct mr_xml_node *node;
    struct mr_layout_rack *next;
    const char *name, *card_id;
    uint64_t n_count;
    double limit_w, rated_w, max_q_w, flow_m3_s, mass_kg, width_m, gap_m;
    double liquid_frac, inlet_max_c;
    const struct mr_rack_card *card;
};

struct mr_layout_cdu {
    const struct mr_xml_node *node; /* NULL: automatic */
    struct mr_layout_cdu *next;
    const char *name, *card_id;
    uint64_t n_unit, n_spare, n_rack;
    double supply_c, flow_m3_s, capacity_w;
};

struct mr_layout_domain {
    const struct mr_xml_node *node;
    struct mr_layout_domain *next;
    const char *card_id;
    uint64_t n_rack;
    double bandwidth_bytes_s, latency_s;
    bool is_optical;
};

struct mr_layout_row {
    const struct mr_xml_node *node;
    struct mr_layout_row *next;
    const char *name, *pod_name;
    uint64_t n_count;
    const struct mr_layout_pod *pod;
    struct mr_layout_rack *rack;
    struct mr_layout_cdu *cdu;
    struct mr_layout_domain *domain;
};

/* Rows of a hall that repeat together: a <pod>, or one plain <row>. */
struct mr_layout_group {
    struct mr_layout_group *next;
    struct mr_layout_pod pod; /* node NULL: a plain row */
    struct mr_layout_row *row;
};

struct mr_layout_hall {
    const struct mr_xml_node *node;
    struct mr_layout_hall *next;
    const char *name;
    uint64_t n_count;
    double floor_limit_kg_m2, row_pitch_m;
    struct mr_layout_power power;
    struct mr_layout_cooling cooling;
    struct mr_layout_group *group;
    struct mr_layout_cdu *cdu;
};

#endif
