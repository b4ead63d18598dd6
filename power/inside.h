/* SPDX-License-Identifier: Apache-2.0 */
/* The stages between a rack's input and its chips. Cards state what a rack draws at its input, so
 * these divide its watts and never add any: going inwards, stage by stage, each delivers what the
 * inverse of its loss law says.
 *
 *   bus 48..54 V   power shelf, busbar, bus converter ("brick") to 12 V
 *   bus 800 V      busbar, brick: the conversion to direct current is the row's, in the chain
 *   no bus         the nodes' own power supplies ("shelf"), brick
 *
 * What they deliver are modules: packages, hosts, switches. Their voltage regulators are inside a
 * package's watts and followed on demand only. A stage's rating is that of the rack: the makers'
 * counts of shelves and bricks hold spares that are not published. */
#ifndef MR_POWER_INSIDE_H
#define MR_POWER_INSIDE_H

#include "platforms/site.h"
#include "power/stage.h"

enum {
    mr_inside_max = 4
};

struct mr_inside {
    struct mr_stage stage[mr_inside_max]; /* from the input on */
    uint8_t kind[mr_inside_max];          /* enum mr_stage_kind */
    uint8_t n;
};

/** @param[in] plane SHELF: no stage is followed; MODULE; CORE: the regulators too */
struct mr_inside mr_inside_of(const struct mr_rack *rack, int plane);

/** Does it make the direct current of its own bus? */
bool mr_inside_has_shelf(const struct mr_rack *rack);

/** @param[out] loss_w of every stage, `inside->n` values; with what is returned they make in_w
 *  @return delivered at the plane */
double mr_inside_split(const struct mr_inside *inside, double in_w, double *loss_w);

#endif
