/* SPDX-License-Identifier: Apache-2.0 */
/* What a site's racks at their limits are likely to draw at the meter: losses of the chain at full
 * load and usual cooling power. An estimate for sizing and checking; the models of power/ and
 * thermal/ know better. */
#ifndef MR_PLATFORMS_METER_H
#define MR_PLATFORMS_METER_H

#include "platforms/site.h"

struct mr_meter {
    double rack_w;    /* sum of the racks' limits */
    double chain_w;   /* lost between meter and racks */
    double cooling_w; /* CDUs, air handlers, heat rejection */
};

/** @return MR_OK, MR_NOMEM, or MR_SCHEMA when a power node feeds itself in a circle */
MR_CHECKED mr_status mr_meter_estimate(const struct mr_site *site, struct mr_meter *meter,
                                       struct mr_err *err);

static inline double mr_meter_total_w(const struct mr_meter *meter)
{
    return meter->rack_w + meter->chain_w + meter->cooling_w;
}

#endif
