/* SPDX-License-Identifier: Apache-2.0 */
/* Cards of optical ports (models/optics/ID.xml): what light costs on one port of a switch. */
#ifndef MR_MODELS_OPTIC_H
#define MR_MODELS_OPTIC_H

#include "engine/base/card.h"

struct mr_optic_card {
    double port_bytes_s;     /* one way */
    double power_w, laser_w; /* of one port; the laser's part */
    double loss_db;          /* electrical, from the switch chip to the optics */
    bool is_copackaged;
};

extern const struct mr_card_kind mr_optic_kind;

static inline const struct mr_optic_card *mr_optic_of(const struct mr_card *card)
{
    return card->object;
}

#endif
