/* SPDX-License-Identifier: Apache-2.0 */
/* Cards of coolant distribution units (platforms/cdus/ID.xml): design figures of one unit. */
#ifndef MR_PLATFORMS_CDU_H
#define MR_PLATFORMS_CDU_H

#include "engine/base/card.h"

struct mr_cdu_card {
    double capacity_w, approach_k; /* heat at design; supply above facility water */
    double it_flow_kg_s, facility_flow_kg_s;
    double electric_w;
};

extern const struct mr_card_kind mr_cdu_kind;

static inline const struct mr_cdu_card *mr_cdu_of(const struct mr_card *card)
{
    return card->object;
}

/** Design flow to the racks as volume of PG25 [m3/s]. */
double mr_cdu_it_flow_m3_s(const struct mr_cdu_card *cdu);

#endif
