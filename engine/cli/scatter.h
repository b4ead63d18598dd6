/* SPDX-License-Identifier: Apache-2.0 */
/* Scatter plots of predicted over measured times, as SVG: two panels on logarithmic axes, the
 * diagonal, the band of the score, one color per group. */
#ifndef MR_ENGINE_CLI_SCATTER_H
#define MR_ENGINE_CLI_SCATTER_H

#include "engine/base/text.h"

enum {
    MR_SCATTER_GROUPS = 12
};

struct mr_scatter_point {
    double measured_s, predicted_s;
    int group; /* below MR_SCATTER_GROUPS; more share the last color */
};

struct mr_scatter_panel {
    const char *title;
    double band; /* factor to both sides of the diagonal */
    const struct mr_scatter_point *point;
    size_t n;
};

/** Append one SVG document. @param[in] group names of the groups, n_group of them */
void mr_scatter_svg(const struct mr_scatter_panel *panel, size_t n_panel, const char *const *group,
                    size_t n_group, struct mr_buf *out);

#endif
