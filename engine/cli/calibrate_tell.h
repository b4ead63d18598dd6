/* SPDX-License-Identifier: Apache-2.0 */
/* What a fit to measured rows found, as a table and as JSON, and what a fit of either kind gives
 * out. May include base and models. */
#ifndef MR_ENGINE_CLI_CALIBRATE_TELL_H
#define MR_ENGINE_CLI_CALIBRATE_TELL_H

#include "engine/base/text.h"
#include "models/calibrate.h"

enum {
    MR_CALIBRATE_MODELS = 64
};

struct mr_calibrate_score {
    int score; /* of the list */
    bool is_fitted, only_held_out;
    struct mr_fidelity_stat stat;
};

/* Time per token of a model by a fit that has not seen it, and without any fit. */
struct mr_calibrate_unseen {
    const char *llm; /* lent */
    size_t n_row;
    double fitted, plain; /* medians */
};

struct mr_calibrate_told {
    const char *id;
    double holdout_frac;
    struct mr_calibrate_result result;
    struct mr_calibrate_score score[4 * MR_FIDELITY_SCORES];
    size_t n_score;
    struct mr_calibrate_unseen unseen[MR_CALIBRATE_MODELS];
    size_t n_unseen;
};

void mr_calibrate_tell_text(const struct mr_calibrate_told *told, struct mr_buf *out);
void mr_calibrate_tell_json(const struct mr_calibrate_told *told, struct mr_buf *out);

/* Zero-initialize; json stays empty where it was not asked for. */
struct mr_calibrate_out {
    struct mr_buf text, json, card;
};

MR_CHECKED mr_status mr_calibrate_out_check(const struct mr_calibrate_out *out, struct mr_err *err);
void mr_calibrate_out_fini(struct mr_calibrate_out *out);

#endif
