/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions held against measured rows, and their errors by group.
 *
 * Half of all configurations, by their hash, are held out: calibration never sees them. Rows whose
 * first token takes longer than 5 s are dominated by queues that no column records: they are in the
 * raw score and not in the clean one. Where a file does not say whether drafts were used, both
 * readings are reported for networks that have them; which one is true is never looked up in the
 * answer. */
#ifndef MR_MODELS_FIDELITY_H
#define MR_MODELS_FIDELITY_H

#include "models/measured.h"
#include "models/steady.h"

/* One row's prediction. */
struct mr_fidelity_case {
    bool is_scored; /* good, and the model could be priced */
    bool is_clean;  /* and not dominated by queues */
    bool is_held_out;
    bool may_draft; /* the file does not say, and the network has drafts */
    struct mr_steady plain, drafted;
};

/* Which number of which rows. */
#define MR_FIDELITY_SCORE_LIST(X)                                                        \
    X(TPOT_MIXED, "TPOT aggregated", "one instance prefills and decodes")                \
    X(TPOT_SPLIT, "TPOT disaggregated", "workers known")                                 \
    X(TPOT_SPLIT_BLIND, "TPOT disaggregated, workers unknown", "one of each is assumed") \
    X(TTFT_MIXED, "TTFT aggregated below 1 s", "measured below 1 s")                     \
    X(TTFT_SPLIT, "TTFT disaggregated", "workers known")

enum mr_fidelity_score {
#define MR_FIDELITY_SCORE_ENUM(name, text, doc) MR_FIDELITY_SCORE_##name,
    MR_FIDELITY_SCORE_LIST(MR_FIDELITY_SCORE_ENUM)
#undef MR_FIDELITY_SCORE_ENUM
    MR_FIDELITY_SCORES
};

struct mr_fidelity_stat {
    size_t n;
    double median, mean, p90; /* of |predicted / measured - 1| */
    double bias;              /* median of predicted / measured - 1 */
    double near_frac;         /* TPOT within 20 %, TTFT within a factor of two */
};

const char *mr_fidelity_score_name(int score);

/** The software card a row is predicted with, or NULL. */
typedef const struct mr_software_card *mr_fidelity_software(void *context,
                                                            const struct mr_measured_row *row);

/** Predict one row with `n_draft` drafts. @return MR_OK, or why not */
MR_CHECKED mr_status mr_fidelity_predict(const struct mr_measured_row *row,
                                         const struct mr_software_card *software, uint32_t n_draft,
                                         struct mr_steady *out, struct mr_err *err);

/** Predict all rows. @param[out] out set->n of them */
void mr_fidelity_cases(const struct mr_measured *set, mr_fidelity_software *software, void *context,
                       struct mr_fidelity_case *out);

/* Rows to be scored together. */
struct mr_fidelity_filter {
    int score;   /* enum mr_fidelity_score */
    bool is_raw; /* queue-dominated ones, too */
    bool only_held_out;
    bool without_drafts;                  /* leave out rows that may have used drafts */
    bool as_drafted;                      /* rows that may have used drafts: as if they had */
    const char *system, *model, *backend; /* NULL: all */
};

/** @param[out] scratch set->n doubles */
struct mr_fidelity_stat mr_fidelity_stat_of(const struct mr_measured *set,
                                            const struct mr_fidelity_case *cases,
                                            const struct mr_fidelity_filter *filter,
                                            double *scratch);

/** Predicted over measured of one row under a filter, NaN when it is not among its rows. */
double mr_fidelity_ratio(const struct mr_measured_row *row, const struct mr_fidelity_case *it,
                         const struct mr_fidelity_filter *filter);

#endif
