/* SPDX-License-Identifier: Apache-2.0 */
/* What an experiment asks of its runs beside their own figures: figures made of others, constraints
 * that an acceptable run keeps, and by what runs are ranked. Kept in DIR/asked.csv, so that who
 * merges the runs needs no experiment; answered for one run at a time. */
#ifndef MR_POSTPROCESS_ASKED_H
#define MR_POSTPROCESS_ASKED_H

#include "postprocess/figures.h"

struct mr_asked_output {
    const char *path;
    struct mr_place at;
};

struct mr_asked_kpi {
    const char *name, *formula, *unit;
    int better; /* enum mr_kpi_better; NEITHER: not said */
    struct mr_place at;
};

struct mr_asked_constraint {
    const char *path;
    double min, max; /* in the figure's own unit */
    struct mr_place at;
};

/* A bound that no figure reaches: none. */
#define MR_ASKED_FAR 1e300

/* By what runs are ranked, and what the front has beside it. NULL: nothing is said. */
struct mr_asked_rank {
    const char *path, *against;
    int better, against_better;
    struct mr_place at;
};

/* Texts belong to whoever filled it in, or to the arena after mr_asked_load. mr_asked_fini. */
struct mr_asked {
    struct mr_arena texts;
    struct mr_asked_output *output;
    struct mr_asked_kpi *kpi;
    struct mr_asked_constraint *constraint;
    struct mr_asked_rank rank;
    size_t n_output, cap_output, n_kpi, cap_kpi, n_constraint, cap_constraint;
};

bool mr_asked_is_any(const struct mr_asked *asked);

/** Read DIR/asked.csv; without one nothing is asked. @param[out] out mr_asked_fini, after errors
 *  too */
MR_CHECKED mr_status mr_asked_load(const char *folder, struct mr_asked *out, struct mr_err *err);

/** Its text. */
void mr_asked_print(const struct mr_asked *asked, struct mr_buf *out);
void mr_asked_fini(struct mr_asked *asked);

/** "ttft_s.p99 <= 2" */
void mr_asked_print_constraint(const struct mr_asked_constraint *constraint, struct mr_buf *out);

/* What one run answers. Zero-initialize; may be filled again and again; mr_asked_answer_fini. */
struct mr_asked_answer {
    double *derived; /* of asked->kpi; never infinite */
    size_t n_derived;
    bool is_feasible;
    struct mr_buf broken; /* constraints that do not hold, with "; " between */
    struct mr_buf note;   /* why figures are NaN, likewise */
};

/** @return MR_OK, or what is wrong with a formula */
MR_CHECKED mr_status mr_asked_look(const struct mr_asked *asked, const struct mr_figures *figures,
                                   struct mr_asked_answer *answer, struct mr_err *err);
void mr_asked_answer_fini(struct mr_asked_answer *answer);

/** A figure of the run, or one made before: what `path` means in a formula, or NaN. */
double mr_asked_value(const struct mr_asked *asked, const struct mr_figures *figures,
                      const struct mr_asked_answer *answer, struct mr_str path);

#endif
