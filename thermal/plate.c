/* SPDX-License-Identifier: Apache-2.0 */
/* The laws of cold plates, and packages scaled to them. */
#include "thermal/plate.h"

#include "engine/base/fmath.h"

#include <math.h>

/* Beyond this share outside its range a fit says nothing. */
static const double beyond_frac = 0.2;

static const struct law {
    const char *name;
    double r0, a, n, min, max;
} laws[] = {
#define LAW_ROW(name, text, r0, a, n, min, max, error_frac, source) {text, r0, a, n, min, max},
    MR_PLATE_LAW_LIST(LAW_ROW)
#undef LAW_ROW
};

double mr_plate_law_k_w(int law, double flow_lpm)
{
    return laws[law].r0 + laws[law].a * mr_pow(flow_lpm, -laws[law].n);
}

mr_status mr_plate_law_check(int law, double flow_lpm, struct mr_err *err)
{
    const struct law *l = &laws[law];
    if (flow_lpm >= l->min * (1 - beyond_frac) && flow_lpm <= l->max * (1 + beyond_frac))
        return MR_OK;
    return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                      "flow %.3g L/min is outside %g-%g of fit %s: give r2 directly", flow_lpm,
                      l->min, l->max, l->name);
}

double mr_plate_k_w(const struct mr_plate *plate, double flow_frac)
{
    if (!(flow_frac > 0))
        return plate->none_k_w;
    const double k_w = plate->design_k_w *
                       mr_plate_law_k_w(plate->law, flow_frac * plate->design_lpm) /
                       mr_plate_law_k_w(plate->law, plate->design_lpm);
    return fmin(k_w, plate->none_k_w);
}

double mr_plate_flow_of(const struct mr_plate *plate, double k_w)
{
    const struct law *l = &laws[plate->law];
    if (k_w >= plate->none_k_w)
        return 0;
    const double own =
        k_w / plate->design_k_w * mr_plate_law_k_w(plate->law, plate->design_lpm) - l->r0;
    return own > 0 ? mr_pow(own / l->a, -1 / l->n) / plate->design_lpm : HUGE_VAL;
}
