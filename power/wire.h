/* SPDX-License-Identifier: Apache-2.0 */
/* From the description of a site to its power chain: which node of the tree stands for which power
 * node, rack and hall, and what stage each is.
 *
 * Node 0 is the grid connection, or on an island the bar that everything on the site feeds; its
 * rating is the connection's limit. Sources and storage (generators, turbines, solar, batteries)
 * are no nodes: they give to the output of what they stand at, on a bar of its own behind that
 * node. Uninterruptible supplies carry their batteries themselves. Pumps and fans are loads of
 * their hall, hung on its low voltage where there is one, and of the site, hung on the connection.
 * Pumps of a CDU group can be a load by themselves (`has_pumps`), that outlives the grid with the
 * group's racks: it hangs on the next supplies with a battery above the feeds of its first rack.
 */
#ifndef MR_POWER_WIRE_H
#define MR_POWER_WIRE_H

#include "platforms/site.h"
#include "power/circuit.h"

struct mr_wire_params {
    int staging; /* of UPS: enum mr_units_staging */
    int feeds;   /* racks on two feeds: enum mr_circuit_split */
    double transfer_s, holdup_s;
    int breaker;          /* enum mr_breaker_law */
    double breaker_frac;  /* rated current over the current of the node's rating */
    double breaker_tau_s; /* of thermal ones */
    double power_factor;
    int rack_plane;   /* enum mr_plane: down to where watts of racks are followed */
    bool has_pumps;   /* pumps of every CDU group are a load of their own */
    bool backs_pumps; /* and hang behind the batteries of its racks, where they have any */
};

const struct mr_param_table *mr_wire_table(void);
void mr_wire_defaults(struct mr_wire_params *params);

struct mr_wire {
    const struct mr_site *site;
    struct mr_circuit *tree;
    uint32_t *of_power; /* tree node of a power node; of a source or storage: MR_CIRCUIT_NONE */
    uint32_t *bar_of; /* where what stands at a power node gives to; its own node if nothing does */
    uint32_t *of_rack;
    uint32_t *of_hall; /* its pumps and fans */
    uint32_t *of_cdu;  /* with has_pumps: pumps of a CDU group, not its hall's; else NULL */
    uint32_t house;    /* those of the site */
    struct mr_arena arena;
};

/** @param[in] site must outlive the wire @param[out] wire mr_wire_fini; empty on error */
MR_CHECKED mr_status mr_wire_of(const struct mr_site *site, const struct mr_wire_params *params,
                                struct mr_wire *wire, struct mr_diags *diags);
void mr_wire_fini(struct mr_wire *wire);

/** How much more the loads on each panel may draw before CDUs at their capacity, spares left out,
 * can take no more: what a CDU has left is shared by the racks on it, and over a rack's feeds.
 * INFINITY where a rack gives no heat to a CDU. @param[out] cooling_w n_node of the tree */
void mr_wire_cooling(const struct mr_wire *wire, const struct mr_site *site, double *cooling_w);

/** Generators, turbines, solar, batteries beside or behind the chain. */
bool mr_wire_is_source(int site_kind);

/** enum mr_stage_kind of a power node that is no source. */
int mr_wire_stage(const struct mr_power_node *node);

#endif
