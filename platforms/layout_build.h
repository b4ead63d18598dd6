/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to the layout pairs: what is being built of the specs, and the rules for everything the
 * file does not say:
 *
 * - grant of a rack: max_p, rated power; max_q, the card's Max-Q; maxlps, rated power times
 *   min(1, grid limit / (overhead x sum of rated)), down to 100 W; never above rated
 * - overhead: 1 / chain efficiency at full load, plus cooling: CDUs 3.7 % of liquid heat, CRAH fans
 *   3 % of air heat, and on both 4.02 % dry cooler, 1 % adiabatic or tower, 18 % chiller
 * - CDUs: one group per row with liquid heat; units by the larger of heat / capacity and flow /
 *   design flow of the card, + 1 (N+1) or x 2 (2N); flow: the racks' design flows over the units
 *   that are not spare
 * - loops: one per hall for liquid heat at CDU supply - approach, one for air at air_supply
 * - rejection of liquid heat: dry cooler if supply - dry bulb >= 1/4 of its 5.55 K, derated by that
 *   ratio up to 1; else tower if supply >= wet bulb + 6 K; else chiller. Air heat: CRAH + chiller
 * - voltage of the connection: medium voltage up to 10 MW (of the limit; without one, of the racks'
 *   rated power) if no substation is written, else 110 kV
 * - substation, of the site: 63 MW units to 20 kV (grid up to 150 kV), 160 MW units to 110 kV and
 *   then 63 MW ones (above); none up to 36 kV; sized to grants x overhead
 * - mv, unit, ups, lv, of a hall: 20 MW, 2.5 MW, 2 MW, 2.5 MW units, sized to what they carry
 * - smaller units of substation, unit, ups, sst, rectifier, generator and bess (layout_node.c)
 *   where one of them, beside its spares, carries it all; units: overhead counted, for pumps and
 *   fans hang on them
 * - rpp, busway, of a row: 500 kW panels up to a row of 2 MW and racks of 450 kW, else 2.5 MW
 *   busways; racks are packed in order, a rack never stands on two units
 * - sidecar, per 4 racks: units of 660 kW, or of the largest grant when that is more
 * - sst, rectifier, of a row: 2.5 MW units on the hall's medium voltage
 * - units: load / (rating x fill), fill 0.9; N+1: + 1 where units share a bar (not mv, lv, rpp,
 *   busway); given units: what the load leaves over is spare; oversubscribe: rating x fill x that
 * - generator, turbine: site load / fill, + 1 unless N; 2.5 MW, 34 MW
 * - bess: 25 % of the load for 2 h; bbu: the load for 240 s
 * - 2N: systems A and B carry all each, racks hang on both. 4N/3: systems A-D, rows dealt over the
 *   six pairs; a system carries what is left to it when the worst other one is lost. block: systems
 *   A-C carry a third each, R takes the place of any one
 *
 * Transformer ratings count as real power (pf 0.99 is inside `fill`). Row pitch, floor limit, fill
 * and overhead shares are assumptions. */
#ifndef MR_PLATFORMS_LAYOUT_BUILD_H
#define MR_PLATFORMS_LAYOUT_BUILD_H

#include "engine/base/intern.h"
#include "platforms/fabric.h"
#include "platforms/layout_plan.h"

/* Nodes in a row of the array; racks, rows or sidecars hang on them in turn. */
struct mr_layout_tip {
    uint32_t first, n; /* n 0: nothing to hang on */
};

struct mr_layout_row_info {
    const struct mr_layout_row *spec;
    uint32_t system[2]; /* of the hall, feed A and B; MR_SITE_NONE */
    double grant_w;     /* sum of its racks */
};

struct mr_layout_hall_info {
    const struct mr_layout_hall *spec;
    double supply_c;                          /* of CDUs that say nothing else */
    double loop_c[mr_layout_n_loop];          /* set points of the facility loops */
    int reject[mr_layout_n_loop];             /* enum mr_site_reject_kind that takes their heat */
    double grant_w, heat_w[mr_layout_n_loop]; /* heat by the loop that takes it */
    uint32_t loop[mr_layout_n_loop];
};

struct mr_layout_build {
    struct mr_layout_plan *plan;
    struct mr_site *site;
    struct mr_intern names;             /* of all entities */
    const struct mr_layout_rack **rack; /* per rack of the site: its spec */
    struct mr_layout_row_info *row;
    struct mr_layout_hall_info *hall;
    size_t cap_rack, cap_row, cap_hall;
    uint32_t *power_of; /* per name: the power node it names, or MR_SITE_NONE */
    size_t n_power_of, cap_power_of;
    double overhead; /* power at the meter over power of the racks */
    uint32_t n_single_domain, n_pod;
};

/* Building steps, in this order; each returns MR_OK (also with diagnostics) or MR_NOMEM. */

/** Halls, pods, rows, racks, domains, places on the floor. */
MR_CHECKED mr_status mr_layout_room_build(struct mr_layout_build *build);

/** Temperatures and kinds of heat rejection, before there are loads. */
MR_CHECKED mr_status mr_layout_cooling_decide(struct mr_layout_build *build);

/** Overhead, and the grants of all racks. */
MR_CHECKED mr_status mr_layout_grant_build(struct mr_layout_build *build);

/** Loops, CDUs, heat rejection. */
MR_CHECKED mr_status mr_layout_cooling_build(struct mr_layout_build *build);

/** The power chain and everything that hangs on it. */
MR_CHECKED mr_status mr_layout_power_build(struct mr_layout_build *build);

/* ---- figures of cards ---- */

struct mr_layout_cdu_figures {
    double capacity_w, flow_m3_s, approach_k;
};

/** Figures of a CDU card, named by `attribute` of `node` (NULL: by nobody).
 *  @return MR_OK (also with diagnostics, figures have then no bounds) or MR_NOMEM */
MR_CHECKED mr_status mr_layout_card_cdu(struct mr_layout_plan *plan, const char *id,
                                        const struct mr_xml_node *node,
                                        struct mr_layout_cdu_figures *out);

/** Design point of a heat rejection card.
 *  @param[in] kind enum mr_site_reject_kind it must be of
 *  @param[out] design_k water that leaves above outdoor air */
MR_CHECKED mr_status mr_layout_card_reject(struct mr_layout_plan *plan, const char *id,
                                           const struct mr_xml_node *node, int kind,
                                           double *capacity_w, double *design_k);

/** Figures of a rack card. The domain is that of one node of the rack.
 *  @return how many such domains it has */
uint32_t mr_layout_card_domain(const struct mr_rack_card *card, struct mr_domain *domain);

/** Racks of one domain of a card whose domains span racks, else 0 or 1. */
uint64_t mr_layout_card_span(const struct mr_rack_card *card);
double mr_layout_card_width(const struct mr_rack_card *card);
MR_CHECKED mr_status mr_layout_card_fill(struct mr_layout_build *build,
                                         const struct mr_layout_rack *spec, struct mr_rack *rack);

/** A figure of the fabric that its switch cards know better than the defaults. */
MR_CHECKED mr_status mr_layout_card_fabric(struct mr_layout_build *build);

/** A new entity's name in the site's arena, "A.B" or "B" when `scope` is NULL. A name that is taken
 *  is an error at `node` and *out is "". */
MR_CHECKED mr_status mr_layout_room_name(struct mr_layout_build *build, const char *scope,
                                         const char *local, const struct mr_xml_node *node,
                                         const char **out);

/** "BASE" alone of its kind, else "BASE7". @return out */
const char *mr_layout_room_local(const char *base, uint64_t i, bool is_alone, char out[64]);

/** Power that cooling takes for one watt of a rack's heat in this hall. */
double mr_layout_cooling_overhead(const struct mr_layout_hall_info *hall, double liquid_frac);

/** Efficiency of a chain at full load, meter to rack. */
double mr_layout_power_efficiency(const struct mr_layout_plan *plan,
                                  const struct mr_layout_power *power);

#endif
