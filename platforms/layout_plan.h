/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to the layout pairs: a whole layout as specs, and what reading and expanding it share:
 * how mistakes are told, what attributes an element has, how units are counted. */
#ifndef MR_PLATFORMS_LAYOUT_PLAN_H
#define MR_PLATFORMS_LAYOUT_PLAN_H

#include "platforms/layout_impl.h"

struct mr_layout_plan {
    const char *file;
    struct mr_layout_top top;
    struct mr_layout_provision provision;
    struct mr_layout_power power;
    struct mr_layout_cooling cooling;
    struct mr_grid grid;
    bool has_grid;
    const struct mr_xml_node *fabric; /* NULL: defaults */
    struct mr_layout_pod *pod;
    struct mr_layout_hall *hall;
    struct mr_library *library;
    struct mr_diags *diags;
    struct mr_site *site;  /* takes the fabric's parameters */
    struct mr_arena arena; /* specs */
    struct mr_err err;     /* out of memory */
};

/** Specs of a document. Mistakes go to plan->diags.
 *  @return MR_OK (also with mistakes) or MR_NOMEM */
MR_CHECKED mr_status mr_layout_plan_read(struct mr_layout_plan *plan,
                                         const struct mr_xml_node *root);

/** Add an error unless one of the same place is already there. */
void mr_layout_plan_complain(struct mr_layout_plan *plan, const struct mr_err *err);

/** The card of a rack spec; a diagnostic when there is none. */
MR_CHECKED mr_status mr_layout_card_rack(struct mr_layout_plan *plan, struct mr_layout_rack *rack);

/** Has the element this attribute? node NULL: no. */
bool mr_layout_plan_has(const struct mr_xml_node *node, const char *attribute);

/** Where an element stands; node NULL: nowhere. */
struct mr_spot mr_layout_plan_spot(const struct mr_xml_node *node);

/* Units of something that carries a load. */
struct mr_layout_stock {
    const struct mr_xml_node *node;  /* element that says units and spare; NULL: automatic */
    uint64_t n_unit, n_spare;        /* as it says them; 0 units: not said */
    uint64_t n_need, n_spare_normal; /* what the load takes; what redundancy adds to that */
    bool is_asked;                   /* the file asks for that redundancy */
};

/** Units installed and, of these, spare: at least one is left to work. */
void mr_layout_plan_units(struct mr_layout_plan *plan, const struct mr_layout_stock *stock,
                          uint64_t *n_unit, uint64_t *n_spare);

/** ceil(load / size), at least 1; a hair above a whole number is that number. More than
 *  mr_layout_unit_max is an error at `node`. */
uint64_t mr_layout_plan_need(struct mr_layout_plan *plan, const struct mr_xml_node *node,
                             double load, double size);

/** An error about an attribute of an element (its own place when it is not there). */
void mr_layout_plan_error(struct mr_layout_plan *plan, mr_status st, const struct mr_xml_node *node,
                          const char *attribute, const char *fmt, ...) MR_PRINTF(5, 6);

#endif
