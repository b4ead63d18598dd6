/* SPDX-License-Identifier: Apache-2.0 */
/* The table of optical port figures. */
#include "models/optic.h"

// clang-format off
#define O struct mr_optic_card
static const struct mr_param rows[] = {
    MR_PARAM(O, port_bytes_s, "port.bandwidth", MR_Q_DATA_RATE, NULL, 1e6, 1e13, "Bandwidth of one port, one way"),
    MR_PARAM(O, power_w, "power", MR_Q_POWER, NULL, 0, 1e4, "Power of one port, all parts, while it is up"),
    MR_PARAM(O, laser_w, "power.laser", MR_Q_POWER, "0 W", 0, 1e4, "The laser's part of it; 0: not known"),
    MR_PARAM(O, loss_db, "loss", MR_Q_COUNT, "0", 0, 100, "Electrical loss between switch chip and optics [dB]; 0: not known"),
    MR_PARAM_YES(O, is_copackaged, "cpo", "no", "The optics stand on the package of the switch chip"),
};
#undef O
// clang-format on

static const struct mr_param_table table = {
    "optic", "One optical port; files models/optics/ID.xml.", rows, sizeof rows / sizeof *rows};

static void check(const struct mr_card *card, struct mr_diags *diags)
{
    const struct mr_optic_card *optic = card->object;
    if (optic->laser_w > optic->power_w)
        mr_card_refuse(card, "power.laser", diags, "above power");
}

const struct mr_card_kind mr_optic_kind = {"optic", "models/optics", &table,
                                           sizeof(struct mr_optic_card), check};
