/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a site's supply, and when, out of words: "units:S.gen0@1h+30min=2". */
#ifndef MR_POWER_PLAN_H
#define MR_POWER_PLAN_H

#include "power/supply.h"

/* kind; does it need a name; meaning of the value */
// clang-format off
#define MR_PLAN_LIST(X) \
    X(UTILITY, "utility", false, "voltage over its nominal, 0") \
    X(NODE, "node", true, "none: the power node fails") \
    X(UNITS, "units", true, "units lost, 1; also of generators") \
    X(CLOSE, "close", true, "none: breakers of the node are closed again") \
    X(CURTAIL, "curtail", false, "what may be drawn: watts, or a share of the draw before; none: released") \
    X(POLICY, "policy", false, "max_p, max_q, max_lps")
// clang-format on

enum mr_plan_kind {
#define MR_PLAN_ENUM(name, text, has_name, doc) MR_PLAN_##name,
    MR_PLAN_LIST(MR_PLAN_ENUM)
#undef MR_PLAN_ENUM
    MR_N_PLAN
};

enum {
    mr_plan_own = -1 /* the supply's own policy */
};

struct mr_plan_item {
    double t_s, end_s; /* end_s: INFINITY without a duration */
    double start_s;    /* CURTAIL: it is known from t_s on */
    int kind;          /* enum mr_plan_kind */
    uint32_t power;    /* node */
    /* CURTAIL: watts, INFINITY: released; of others all that holds from t_s on, of this item and of
     * those that still last: UTILITY: share; NODE: 1 failed; UNITS: count; POLICY: which,
     * mr_plan_own */
    double value;
    bool is_share; /* CURTAIL: of what was last drawn from the grid before */
    bool is_best_effort;
    bool is_end;
};

struct mr_plan {
    struct mr_plan_item *item;
    size_t n, cap;
};

/** "KIND[:NAME]@TIME[+DURATION][~NOTICE][=VALUE]", such as "units:S.gen0@1h+30min=2"; NOTICE: how
 *  long before TIME a curtailment is known, whose VALUE may end in "best_effort". Sorted by date at
 * the end. @param[out] plan mr_free(item), after errors too */
MR_CHECKED mr_status mr_plan_read(const struct mr_param_list *text, const struct mr_site *site,
                                  struct mr_plan *plan, struct mr_err *err);

/** One more, behind those of its date. */
MR_CHECKED mr_status mr_plan_insert(struct mr_plan *plan, const struct mr_plan_item *item,
                                    struct mr_err *err);

/** At its date. */
MR_CHECKED mr_status mr_plan_apply(const struct mr_plan_item *item, struct mr_supply *supply,
                                   struct mr_err *err);

#endif
