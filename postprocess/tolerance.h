/* SPDX-License-Identifier: Apache-2.0 */
/* How far figures may be worse than a baseline: a file NAME.tolerance.xml over the program's own
 * table (kpi.h). The first row whose path fits counts. */
#ifndef MR_POSTPROCESS_TOLERANCE_H
#define MR_POSTPROCESS_TOLERANCE_H

#include "engine/base/param.h"
#include "postprocess/figures.h"

enum mr_tolerance_worse {
    MR_TOLERANCE_KNOWN, /* as the program's table says; figures it does not know: both */
    MR_TOLERANCE_DOWN,
    MR_TOLERANCE_UP,
    MR_TOLERANCE_BOTH
};

struct mr_tolerance_row {
    const char *path; /* '*' stands for any text */
    double rel, abs;
    int worse; /* enum mr_tolerance_worse */
    bool fails;
    int line, col;
};

/* Zero-initialized: no file, the program's own limits. Owned by the caller: mr_tolerance_fini. */
struct mr_tolerance {
    struct mr_arena arena;
    const char *file;
    struct mr_tolerance_row *row;
    size_t n, cap;
    struct {
        double rel;
        bool fails;
    } speed;
    bool has_speed;
};

/* What holds for one figure. */
struct mr_tolerance_limit {
    double rel, abs;
    bool is_worse_down, is_worse_up; /* neither: nothing is checked */
    bool fails;
};

/** @param[out] out mr_tolerance_fini, after errors too */
MR_CHECKED mr_status mr_tolerance_load(const char *path, struct mr_tolerance *out,
                                       struct mr_diags *diags);
void mr_tolerance_fini(struct mr_tolerance *tolerance);

/** Rows without '*' must name a figure of one of the two. */
MR_CHECKED mr_status mr_tolerance_check(const struct mr_tolerance *tolerance,
                                        const struct mr_figures *base, const struct mr_figures *now,
                                        struct mr_diags *diags);

struct mr_tolerance_limit mr_tolerance_of(const struct mr_tolerance *tolerance,
                                          const struct mr_figures_item *item);

/** The tables that read the elements, with their names; NULL past the last. */
const struct mr_param_table *mr_tolerance_table(size_t i, const char **element);

#endif
