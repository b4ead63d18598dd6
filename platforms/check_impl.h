/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to the check files: how findings are told, and the two comparisons all of them make. */
#ifndef MR_PLATFORMS_CHECK_IMPL_H
#define MR_PLATFORMS_CHECK_IMPL_H

#include "engine/base/unit.h"
#include "platforms/check.h"

struct mr_check {
    const struct mr_site *site;
    struct mr_diags *diags;
};

/* Texts of values in a rotating buffer, so that several fit one message. */
struct mr_check_texts {
    char text[6][MR_UNIT_CAP];
    int i;
};

const char *mr_check_shown(struct mr_check_texts *t, double value, enum mr_quantity q);

/** Add a finding: KIND "NAME": what is wrong. */
void mr_check_tell(const struct mr_check *c, enum mr_severity severity, struct mr_spot at,
                   const char *kind, const char *name, const char *fmt, ...) MR_PRINTF(6, 7);

/** More than what rounding of sums explains. */
static inline bool mr_check_exceeds(double load, double capacity)
{
    return load > capacity * (1 + 1e-9);
}

/** Of the units that are not spare. */
static inline double mr_check_capacity(double each, uint64_t n_unit, uint64_t n_spare)
{
    return each * (double)(n_unit > n_spare ? n_unit - n_spare : 0);
}

MR_CHECKED mr_status mr_check_power(const struct mr_check *c, struct mr_err *err);

/** Scale-up domains, and whether every host reaches every other. */
MR_CHECKED mr_status mr_check_network(const struct mr_check *c, struct mr_err *err);

/** Does every host reach every other, zone by zone as SimGrid looks for routes? */
MR_CHECKED mr_status mr_check_reach(const struct mr_check *c, struct mr_err *err);

#endif
