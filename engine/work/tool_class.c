/* SPDX-License-Identifier: Apache-2.0 */
/* The table, and quantiles of it. */
#include "engine/work/tool_class.h"

#include "engine/base/fmath.h"
#include "engine/base/rng.h"

#include <math.h>

static const struct mr_tool_class classes[] = {
#define ROW(name, share, mu, sigma, core_frac, is_outside) \
    {name, share, mu, sigma, core_frac, is_outside},
    MR_TOOL_CLASS_LIST(ROW)
#undef ROW
};

enum {
    n_class = sizeof classes / sizeof *classes
};

const struct mr_tool_class *mr_tool_class_at(size_t i)
{
    return i < n_class ? &classes[i] : NULL;
}

const struct mr_tool_class *mr_tool_class_of(struct mr_str name, double u)
{
    double sum = 0;
    for (size_t i = 0; i < n_class; i++)
        if (mr_str_is(name, classes[i].name))
            return &classes[i];
    for (size_t i = 0; i + 1 < n_class; i++) {
        sum += classes[i].share;
        if (u < sum)
            return &classes[i];
    }
    return &classes[n_class - 1];
}

double mr_tool_class_draw_s(const struct mr_tool_class *class, double u)
{
    return fmin(MR_TOOL_CLASS_LONGEST_S,
                mr_exp(class->mu + class->sigma * mr_rng_normal_quantile(u)));
}
