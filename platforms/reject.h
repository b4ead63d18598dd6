/* SPDX-License-Identifier: Apache-2.0 */
/* Cards of heat rejection (platforms/rejects/ID.xml): the design point of one unit. How it behaves
 * elsewhere is the business of thermal/. */
#ifndef MR_PLATFORMS_REJECT_H
#define MR_PLATFORMS_REJECT_H

#include "engine/base/card.h"

struct mr_reject_card {
    int kind;                            /* enum mr_site_reject_kind */
    double capacity_w;                   /* heat of one unit at design */
    double electric_w;                   /* fans, or compressor, at design */
    double air_c, leaving_c, entering_c; /* design: outdoor dry bulb; water out; water in */
    double area_m2;                      /* radiators: one side */
};

extern const struct mr_card_kind mr_reject_kind;

static inline const struct mr_reject_card *mr_reject_of(const struct mr_card *card)
{
    return card->object;
}

#endif
