/* SPDX-License-Identifier: Apache-2.0 */
/* What fails in a plant or comes back, and when, out of words: "cdu:H0.R0.C0@1h+30min=1". */
#ifndef MR_THERMAL_OUTAGE_H
#define MR_THERMAL_OUTAGE_H

#include "thermal/plant.h"

/* One date. */
struct mr_outage {
    double t_s;
    int kind;       /* enum mr_outage_kind */
    uint32_t which; /* group, loop or rack */
    double value;   /* units, share of fans, scope */
    bool is_end;
};

/* kind, what follows the colon, meaning of the value */
#define MR_OUTAGE_LIST(X)                                             \
    X(PUMPS, "pumps", "CDU group, all of them without a name")        \
    X(CDU, "cdu", "CDU group; value: units lost, 1")                  \
    X(FANS, "fans", "loop, all without a name; value: share lost, 1") \
    X(LEAK, "leak", "rack; value: tray, rack or row")                 \
    X(UTILITY, "utility", "nothing")

enum mr_outage_kind {
#define MR_OUTAGE_ENUM(name, text, doc) MR_OUTAGE_##name,
    MR_OUTAGE_LIST(MR_OUTAGE_ENUM)
#undef MR_OUTAGE_ENUM
    MR_N_OUTAGE
};

struct mr_outage_list {
    struct mr_outage *item;
    size_t n, cap;
};

/** "KIND[:NAME]@TIME[+DURATION][=VALUE]", such as "cdu:H0.R0.C0@1h+30min=1". Sorted by date at the
 *  end. @param[out] outages mr_free(item), after errors too */
MR_CHECKED mr_status mr_outage_read(const struct mr_param_list *text, const struct mr_site *site,
                                    struct mr_outage_list *outages, struct mr_err *err);

void mr_outage_apply(const struct mr_outage *outage, const struct mr_plant *plant,
                     struct mr_plant_state *state);

#endif
