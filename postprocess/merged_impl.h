/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the page about merged files share: runs, and the configurations they repeat. */
#ifndef MR_POSTPROCESS_MERGED_IMPL_H
#define MR_POSTPROCESS_MERGED_IMPL_H

#include "engine/base/arena.h"
#include "postprocess/kpi.h"
#include "postprocess/merged.h"
#include "postprocess/repeat.h"

enum {
    MR_MERGED_LABEL = 200
};

struct mr_merged_factor {
    const char *name;
    const char **text;       /* of each run, with its unit */
    size_t *level;           /* of each configuration */
    const char **level_text; /* n_level of them */
    size_t n_level;
};

/* Runs that differ in their seed alone. */
struct mr_merged_config {
    size_t first; /* its first run */
    size_t n_run, n_there;
    size_t n_infeasible; /* runs that break a constraint */
    bool is_feasible;    /* none of those that are there does */
    bool is_best;        /* no feasible one is at least as good in both goals and better in one */
};

/* A figure of all runs. */
struct mr_merged_figure {
    const char *name, *units; /* NULL: there is none */
    enum mr_kpi_better better;
    double *value;        /* of each run */
    struct mr_repeat *of; /* of each configuration */
};

struct mr_merged {
    struct mr_arena arena;
    struct mr_runread *run;
    const char *const *id;
    const char **seed; /* of each run, NULL: not told */
    size_t n, n_there, n_config, n_factor;
    size_t *config; /* of each run */
    bool *is_there;
    bool *is_repeat; /* same factors and seed as another run: the same run, counted once */
    size_t n_repeat;
    struct mr_merged_factor *factor; /* all but the seed */
    struct mr_merged_config *of;     /* n_config of them */
    struct mr_merged_figure goal, against, broken_limits;
    bool has_own_rank;         /* asked for by the experiment */
    const char *constraints;   /* NULL: none */
    const char *const *broken; /* of each run, NULL: none */
    const char *missing;       /* runs that are not there, and why; NULL: none */
};

/** @param[out] m mr_merged_forget, after errors too */
MR_CHECKED mr_status mr_merged_read(struct mr_runread *run, struct mr_merged *m,
                                    struct mr_err *err);
void mr_merged_forget(struct mr_merged *m);

/** A column of /kpi by name, also one that is not there. Lives as long as m. */
MR_CHECKED mr_status mr_merged_figure(struct mr_merged *m, const char *name, const char *better,
                                      struct mr_merged_figure *out, struct mr_err *err);

/** "deployment.tp=2 workload.rate=8 req/s"; cut at its end if need be. */
const char *mr_merged_label(const struct mr_merged *m, size_t config, char out[MR_MERGED_LABEL]);

/** Constraints that runs of a configuration break, each once, with "; " between. */
void mr_merged_broken(const struct mr_merged *m, size_t config, struct mr_buf *out);

/* ---- effects: merged_effects.c ---- */

/** Standard deviation of runs within their configurations. @param[out] n_free 0: no repetitions */
double mr_merged_pooled_sd(const struct mr_merged *m, const struct mr_merged_figure *figure,
                           size_t *n_free);

struct mr_merged_effect {
    double value, half95; /* NaN: not known */
    double mean;          /* over all configurations */
    size_t lowest, highest;
};

/** How far the means over a factor's levels lie apart. @return false with fewer than two levels */
bool mr_merged_effect(const struct mr_merged *m, const struct mr_merged_figure *figure,
                      size_t factor, struct mr_merged_effect *out);

struct mr_merged_interaction {
    double value, half95, mean;
    size_t n_hole;    /* pairs of levels that no run has: value and half95 are NaN */
    bool is_together; /* one factor's level tells the other's */
};

/** @return MR_OK, out->value NaN where there is nothing to tell */
MR_CHECKED mr_status mr_merged_interaction(const struct mr_merged *m,
                                           const struct mr_merged_figure *figure, size_t a,
                                           size_t b, struct mr_merged_interaction *out,
                                           struct mr_err *err);

/** Tables of the page: headline figures and those that are asked for. */
MR_CHECKED mr_status mr_merged_put_effects(struct mr_merged *m, const char *sheet,
                                           struct mr_page *page, struct mr_err *err);
MR_CHECKED mr_status mr_merged_put_interactions(struct mr_merged *m, const char *sheet,
                                                struct mr_page *page, struct mr_err *err);

/** For the terminal: the goals and what is asked for. */
MR_CHECKED mr_status mr_merged_tell_effects(struct mr_merged *m, struct mr_buf *out,
                                            struct mr_err *err);

#endif
