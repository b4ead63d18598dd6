/* SPDX-License-Identifier: Apache-2.0 */
/* Key figures of runs against a baseline's. Figures of the simulation repeat to the bit, so each
 * run is held to its limits by itself, and runs of one scenario and seed to each other. The speed
 * of the simulator is noise and signal: the median over all runs counts, and fails nothing unless a
 * tolerance says so. A run that did not reach its end fails by that, whatever its figures are: they
 * are of another length of time, and nothing of it is compared. */
#ifndef MR_POSTPROCESS_REGRESS_H
#define MR_POSTPROCESS_REGRESS_H

#include "postprocess/tolerance.h"

/* name, word in the table */
#define MR_REGRESS_LIST(X)                                        \
    X(SAME, "same")                                               \
    X(BETTER, "better")                                           \
    X(WITHIN, "within its limit")                                 \
    X(CHANGED, "changed")       /* nothing says which is worse */ \
    X(NEW, "new")               /* not in the baseline */         \
    X(TOLD, "worse, told only") /* beyond, but fails nothing */   \
    X(WORSE, "FAILED")          /* beyond its limit */            \
    X(GONE, "MISSING")          /* in the baseline only */        \
    X(UNSTABLE, "UNSTABLE")     /* runs of one seed differ */     \
    X(PARTIAL, "PARTIAL")       /* stopped before its end */

enum mr_regress_verdict {
#define MR_REGRESS_ENUM(name, word) MR_REGRESS_##name,
    MR_REGRESS_LIST(MR_REGRESS_ENUM)
#undef MR_REGRESS_ENUM
};

struct mr_regress_row {
    const struct mr_figures_item *item; /* of the run, or of the baseline where that has none */
    size_t i_run;
    double base, now; /* NaN: none */
    double low, high; /* over runs; of one run: now */
    struct mr_tolerance_limit limit;
    enum mr_regress_verdict verdict;
    bool is_speed;
};

/* Owned by the caller: mr_regress_fini. Figures and tolerance are lent. */
struct mr_regress {
    const struct mr_figures *base, *run;
    struct mr_regress_row *row;
    size_t n_run, n_row, cap_row, n_failed;
};

MR_CHECKED mr_status mr_regress_compare(const struct mr_figures *base, const struct mr_figures *run,
                                        size_t n_run, const struct mr_tolerance *tolerance,
                                        struct mr_regress *out, struct mr_err *err);
/** Is anything compared at all? A baseline that has nothing of a run passes whatever it did. */
bool mr_regress_has_common(const struct mr_regress *regress);

void mr_regress_fini(struct mr_regress *regress);

bool mr_regress_is_failed(const struct mr_regress_row *row);

/** "tok_s.output 22100000 -> 20400000, -7.7 %, limit -2 %". */
void mr_regress_print_cause(const struct mr_regress_row *row, struct mr_buf *out);

/** @param[in] is_full figures that did not change too */
void mr_regress_print_table(const struct mr_regress *regress, bool is_full, struct mr_buf *out);

void mr_regress_print_junit(const struct mr_regress *regress, struct mr_buf *out);

/** An array of the figures for which more is better, or less: github-action-benchmark has one
 *  direction per file (customBiggerIsBetter, customSmallerIsBetter). Of the first run; where runs
 *  did not reach their ends, how many as "partial". */
void mr_regress_print_github(const struct mr_regress *regress, enum mr_kpi_better better,
                             struct mr_buf *out);

/** Bencher Metric Format, of the first run of every scenario; where runs of it did not reach their
 *  ends, how many as "partial". */
void mr_regress_print_bencher(const struct mr_regress *regress, struct mr_buf *out);

#endif
