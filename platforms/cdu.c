/* SPDX-License-Identifier: Apache-2.0 */
/* The table of CDU figures. */
#include "platforms/cdu.h"

static const struct mr_param rows[] = {
    MR_PARAM(struct mr_cdu_card, capacity_w, "capacity", MR_Q_POWER, NULL, 1e3, 1e8,
             "Heat one unit moves at design"),
    MR_PARAM(struct mr_cdu_card, approach_k, "approach", MR_Q_TEMPERATURE_DIFF, "4 K", 0.5, 20,
             "Supply to the racks above facility water at design"),
    MR_PARAM(struct mr_cdu_card, it_flow_kg_s, "flow.it", MR_Q_MASS_FLOW, NULL, 0.1, 1e4,
             "Coolant to the racks at design"),
    MR_PARAM(struct mr_cdu_card, facility_flow_kg_s, "flow.facility", MR_Q_MASS_FLOW, NULL, 0.1,
             1e4, "Facility water at design"),
    MR_PARAM(struct mr_cdu_card, electric_w, "electric", MR_Q_POWER, "0 W", 0, 1e7,
             "Electric power of pumps and controls at design"),
};

static const struct mr_param_table table = {
    "cdu", "One coolant distribution unit; files platforms/cdus/ID.xml.", rows,
    sizeof rows / sizeof *rows};

const struct mr_card_kind mr_cdu_kind = {"cdu", "platforms/cdus", &table,
                                         sizeof(struct mr_cdu_card), NULL};

double mr_cdu_it_flow_m3_s(const struct mr_cdu_card *cdu)
{
    const double pg25_kg_m3 = 1010; /* 25 % propylene glycol near 50 degC */
    return cdu->it_flow_kg_s / pg25_kg_m3;
}
