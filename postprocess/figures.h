/* SPDX-License-Identifier: Apache-2.0 */
/* Key figures of a run, from its result file or from its JSON summary: every number below its path.
 * Members of an array are named by their "name" (tiers.gold.tok_s); arrays of others are left out,
 * but violations, which are kept by themselves and counted as the figure `violations`. */
#ifndef MR_POSTPROCESS_FIGURES_H
#define MR_POSTPROCESS_FIGURES_H

#include "engine/base/arena.h"
#include "postprocess/kpi.h"

struct mr_runread;

struct mr_figures_item {
    const char *path, *unit; /* unit: "" when neither the file nor kpi.h knows it */
    const char *doc;         /* likewise */
    double value;
    const struct mr_kpi *kpi; /* or NULL */
};

struct mr_figures_violation {
    const char *what, *where;
    double count, first_s;
};

/* Owned by the caller: mr_figures_fini. Texts live as long. */
struct mr_figures {
    struct mr_arena arena;
    const char *file, *name; /* name: of the scenario, else of the file */
    const char *json;        /* the summary as it stands, or NULL */
    const char *asked;       /* hash of what was asked for, but the seed; NULL: not told */
    struct mr_figures_item *item;
    struct mr_figures_violation *violation;
    const char **tier; /* in their order */
    size_t n_item, cap_item, n_violation, cap_violation, n_tier, cap_tier;
    double seed;         /* NaN: not told */
    bool has_violations; /* the run keeps a list of them */
    bool is_partial;     /* stopped or killed before its end, or still running */
};

/** From a file, which its first bytes tell. @param[out] out mr_figures_fini, after errors too */
MR_CHECKED mr_status mr_figures_load(const char *path, struct mr_figures *out, struct mr_err *err);

/** From a summary as text. @param[in] name instead of a file's */
MR_CHECKED mr_status mr_figures_of(struct mr_str json, const char *name, struct mr_figures *out,
                                   struct mr_err *err);

/** From an open result file: its summary, and figures that only /kpi has. */
MR_CHECKED mr_status mr_figures_read(struct mr_runread *run, struct mr_figures *out,
                                     struct mr_err *err);

/** What mr_figures_read reads, for mr_runread_options: files of ten thousand runs are large, and
 *  their figures are not. */
void mr_figures_trial(struct mr_runread *run);
void mr_figures_fini(struct mr_figures *figures);

/** The figure of that path, or NULL. */
const struct mr_figures_item *mr_figures_find(const struct mr_figures *figures, const char *path);

/** Its value, or NaN. */
double mr_figures_value(const struct mr_figures *figures, const char *path);

#endif
