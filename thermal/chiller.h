/* SPDX-License-Identifier: Apache-2.0 */
/* Chiller: electric power of moving heat from the water it cools to a condenser.
 *
 *   eir     P = Q0 CAPFT / COP0 x EIRFT x EIRFPLR(PLR)      CAPFT, EIRFT of Te and Tc [degC]
 *   carnot  P = Q / COP     COP = eta (Te + 273.15) / max(Tc - Te, lift_min), at most cop_max
 *
 * Te leaves the evaporator, Tc enters the condenser. Records of makers hold for cold water; warm
 * water (35-41 degC) is far outside and has the second model. Below the least part load a unit
 * cycles. One unit; start-up transients are not modeled. */
#ifndef MR_THERMAL_CHILLER_H
#define MR_THERMAL_CHILLER_H

#include "platforms/reject.h"
#include "thermal/limits.h"

#define MR_CHILLER_LIST(X) \
    X(EIR, "eir")          \
    X(CARNOT, "carnot")

enum mr_chiller_model {
#define MR_CHILLER_ENUM(name, text) MR_CHILLER_##name,
    MR_CHILLER_LIST(MR_CHILLER_ENUM)
#undef MR_CHILLER_ENUM
};

struct mr_chiller_params {
    int model; /* enum mr_chiller_model */
    double capacity_w, cop;
    double eta, lift_min_k, cop_max;
    double part_min, part_max; /* heat over what it can move at these temperatures */
    double condenser_k;        /* condenser entering above its sink: 0 for water of a tower */
};

/* A maker's record. Biquadratic order: 1, Te, Te^2, Tc, Tc^2, Te Tc. */
struct mr_chiller_record {
    const char *name;
    double capacity_w, cop;
    double te_min_c, te_max_c, tc_min_c, tc_max_c;
    double capft[6], eirft[6], eirfplr[3];
};

/* Const after mr_chiller_make. */
struct mr_chiller {
    struct mr_chiller_params p;
    const struct mr_chiller_record *record; /* NULL with model carnot */
};

struct mr_chiller_out {
    double heat_w, work_w;
    double part_frac;
    bool is_clamped; /* condenser outside of the record's bounds */
};

extern const struct mr_limits_table mr_chiller_table;
extern const struct mr_chiller_record mr_chiller_mcquay; /* WSC, 471.2 kW */

void mr_chiller_defaults(struct mr_chiller_params *params);

/** Size of a card; the record's model where its design point is that of the record. */
void mr_chiller_of_card(const struct mr_reject_card *card, struct mr_chiller_params *params);

/** Check and choose the record. @param[in] te_c set-point of the water it will deliver */
MR_CHECKED mr_status mr_chiller_make(const char *what, const struct mr_chiller_params *params,
                                     double te_c, struct mr_chiller *chiller, struct mr_err *err);

/** What one unit can move at these temperatures [W]. */
double mr_chiller_capacity_w(const struct mr_chiller *chiller, double te_c, double tc_c);

/** Move this heat, or all it can. @param[in] sink_c what its condenser is cooled by */
struct mr_chiller_out mr_chiller_run(const struct mr_chiller *chiller, double heat_w, double te_c,
                                     double sink_c);

/** `n` equal units: the fewest that can carry the heat share it. Sums. */
struct mr_chiller_out mr_chiller_run_n(const struct mr_chiller *chiller, double n, double heat_w,
                                       double te_c, double sink_c);

#endif
