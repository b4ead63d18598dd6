/* SPDX-License-Identifier: Apache-2.0 */
/* What a site's racks are likely to draw at the meter: losses of the chain as power/ has them, all
 * units running, and cooling at its design, the hottest hour: on a mild day pumps and fans take
 * less, some 3 % of the meter. An estimate for sizing and checking; the models of power/ and
 * thermal/ know better. */
#ifndef MR_PLATFORMS_METER_H
#define MR_PLATFORMS_METER_H

#include "platforms/site.h"

struct mr_meter {
    double rack_w;    /* sum of the racks */
    double chain_w;   /* lost between the meter, racks and cooling */
    double cooling_w; /* CDUs, air handlers, heat rejection */
};

/** @param[in] load_frac what racks draw, of their limits
 *  @return MR_OK, MR_NOMEM, or MR_SCHEMA when a power node feeds itself in a circle */
MR_CHECKED mr_status mr_meter_estimate(const struct mr_site *site, double load_frac,
                                       struct mr_meter *meter, struct mr_err *err);

static inline double mr_meter_total_w(const struct mr_meter *meter)
{
    return meter->rack_w + meter->chain_w + meter->cooling_w;
}

#endif
