/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of key figures beside their values: unit, which way is better, what limits them,
 * how far they may move before a check fails. Found by the path in the summary; '*' in a row's path
 * stands for any text (tiers.*.tok_s). */
#ifndef MR_POSTPROCESS_KPI_H
#define MR_POSTPROCESS_KPI_H

#include <stdbool.h>
#include <stddef.h>

enum mr_kpi_better {
    MR_KPI_NEITHER, /* a fact of the scenario, or a count */
    MR_KPI_UP,
    MR_KPI_DOWN
};

struct mr_kpi {
    const char *path, *unit;
    enum mr_kpi_better better;
    double rel; /* share of the baseline it may get worse by; 0: at all */
    double abs; /* and in its own unit, for figures near 0: values so near to each other are one */
    const char *limit; /* path of the figure that bounds it from above; NULL: none */
    bool is_headline;  /* among the dozen that a person looks at first */
    const char *doc;
};

/** The first row that fits, or NULL: nothing is known. */
const struct mr_kpi *mr_kpi_find(const char *path);

/** Whether two values differ by rounding or by what cannot matter. @param[in] kpi or NULL */
bool mr_kpi_is_same(const struct mr_kpi *kpi, double a, double b);

/** How fast the simulator was: noisy, and no result of the simulation. */
bool mr_kpi_is_speed(const char *path);

/** '*' stands for any text, the empty one too. */
bool mr_kpi_match(const char *pattern, const char *path);

size_t mr_kpi_n(void);
const struct mr_kpi *mr_kpi_at(size_t i);

#endif
