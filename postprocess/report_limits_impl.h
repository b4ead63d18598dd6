/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates of the table of limiting components, and who finds them. */
#ifndef MR_POSTPROCESS_REPORT_LIMITS_IMPL_H
#define MR_POSTPROCESS_REPORT_LIMITS_IMPL_H

#include "postprocess/report_impl.h"

struct mr_report_limit {
    char what[64], where[80], limit[64], why[240], gain[96];
    double held_s; /* NaN: it is not known for how long */
    bool is_root;  /* others follow from it, and stand after it where they held as long */
};

/* Zero-initialize; mr_free the items. */
struct mr_report_limits {
    struct mr_report_limit *item;
    size_t n, cap;
};

/** One that held for no time at all is left out. */
MR_CHECKED mr_status mr_report_limits_add(struct mr_report_limits *list,
                                          const struct mr_report_limit *item, struct mr_err *err);

/** Pools out of memory, batch or time; calls that tiers refused; budgets of tenants.
 *  @param[in] file its run may be NULL: then what its summary tells */
MR_CHECKED mr_status mr_report_limits_serve(const struct mr_report_file *file,
                                            struct mr_report_limits *list, struct mr_err *err);

#endif
