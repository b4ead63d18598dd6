/* SPDX-License-Identifier: Apache-2.0 */
/* The table of heat rejection figures. */
#include "platforms/reject.h"

#include "platforms/site.h"

static const char *const kinds[] = {
#define KIND_ROW(name, text, doc) text,
    MR_SITE_REJECT_LIST(KIND_ROW)
#undef KIND_ROW
};

static const struct mr_param rows[] = {
    MR_PARAM_ONE_OF(struct mr_reject_card, kind, "kind", kinds, NULL, "What the unit is"),
    MR_PARAM(struct mr_reject_card, capacity_w, "capacity", MR_Q_POWER, NULL, 1e3, 1e9,
             "Heat one unit rejects at design"),
    MR_PARAM(struct mr_reject_card, electric_w, "electric", MR_Q_POWER, "0 W", 0, 1e8,
             "Fans, pumps or compressor at design"),
    MR_PARAM(struct mr_reject_card, air_c, "air", MR_Q_TEMPERATURE, "35 degC", -60, 60,
             "Outdoor air at design (wet bulb for towers)"),
    MR_PARAM(struct mr_reject_card, leaving_c, "leaving", MR_Q_TEMPERATURE, "40 degC", -60, 120,
             "Water that leaves the unit at design"),
    MR_PARAM(struct mr_reject_card, entering_c, "entering", MR_Q_TEMPERATURE, "46 degC", -60, 120,
             "Water that enters the unit at design"),
    MR_PARAM(struct mr_reject_card, area_m2, "area", MR_Q_AREA, "0 m2", 0, 1e6,
             "Area of a radiator, one side"),
};

static const struct mr_param_table table = {
    "reject", "One heat rejection unit; files platforms/rejects/ID.xml.", rows,
    sizeof rows / sizeof *rows};

const struct mr_card_kind mr_reject_kind = {"reject", "platforms/rejects", &table,
                                            sizeof(struct mr_reject_card), NULL};
