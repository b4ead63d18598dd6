/* SPDX-License-Identifier: Apache-2.0 */
/* What fails in a plant and when, out of words: "cdu:H0.R0.C0@1h+30min=1". */
#ifndef MR_THERMAL_OUTAGE_H
#define MR_THERMAL_OUTAGE_H

#include "thermal/plant.h"

/* What fails, from when to when. */
struct mr_outage {
    double t_s, end_s; /* end: INFINITY, not within the run */
    int kind;          /* enum mr_plant_outage, or MR_OUTAGE_LEAK */
    uint32_t which;    /* part of the kind; MR_SITE_NONE: all of them */
    double value;      /* lost, NaN: all there is; leaks: scope */
    const char *text;  /* lent */
};

enum {
    MR_OUTAGE_LEAK = MR_PLANT_N_OUTAGE,
    MR_OUTAGES_MAX = 10000 /* of one run */
};

/* A beginning or an end. */
struct mr_outage_change {
    double t_s;
    size_t i_outage;
    bool is_end;
};

struct mr_outage_list {
    struct mr_outage *item;
    size_t n, cap;
    struct mr_outage_change *change; /* by date */
    size_t n_change, cap_change;
};

/** Kind by its name; -1: there is none. */
int mr_outage_kind_of(struct mr_str name);

/** "KIND[:NAME]@TIME[+DURATION][=VALUE]", such as "cdu:H0.R0.C0@1h+30min=1".
 *  @param[out] outages mr_outage_fini, after errors too */
MR_CHECKED mr_status mr_outage_read(const struct mr_param_list *text, const struct mr_site *site,
                                    struct mr_outage_list *outages, struct mr_err *err);
void mr_outage_fini(struct mr_outage_list *outages);

/** Refuse what the plant does not have, or not so much of; "all" becomes a number. */
MR_CHECKED mr_status mr_outage_check(struct mr_outage_list *outages, const struct mr_plant *plant,
                                     struct mr_err *err);

/** Change i begins or ends. What overlaps on one part adds up, or the worst of it counts. */
MR_CHECKED mr_status mr_outage_apply(const struct mr_outage_list *outages, size_t i,
                                     const struct mr_plant *plant, struct mr_plant_state *state,
                                     struct mr_err *err);

#endif
