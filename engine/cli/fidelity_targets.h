/* SPDX-License-Identifier: Apache-2.0 */
/* What predictions are asked to reach, their own numbers, those of no fit at all on the same rows,
 * and a verdict. */
#ifndef MR_ENGINE_CLI_FIDELITY_TARGETS_H
#define MR_ENGINE_CLI_FIDELITY_TARGETS_H

#include "engine/base/jsonw.h"
#include "models/calibrate.h"

enum mr_fidelity_target {
    MR_FIDELITY_TARGET_TPOT_MIXED,
    MR_FIDELITY_TARGET_TPOT_SPLIT,
    MR_FIDELITY_TARGET_UNSEEN_SYSTEM,
    MR_FIDELITY_TARGET_UNSEEN_MODEL,
    MR_FIDELITY_TARGET_TTFT_MIXED,
    MR_FIDELITY_TARGET_TTFT_SPLIT,
    MR_FIDELITY_TARGET_ANCHORS,
    MR_FIDELITY_TARGETS
};

enum mr_fidelity_verdict {
    MR_FIDELITY_VERDICT_NONE, /* no rows, or fits were not asked for */
    MR_FIDELITY_VERDICT_MISSED,
    MR_FIDELITY_VERDICT_GOOD,
    MR_FIDELITY_VERDICT_EXCELLENT
};

struct mr_fidelity_targets {
    struct mr_fidelity_stat own[MR_FIDELITY_TARGETS], spec[MR_FIDELITY_TARGETS];
    bool with_fits; /* those that need fits of their own were made */
};

/** Score. With fits, every backend is fitted without each system, and again with 8 rows of it, one
 *  of each of 8 configurations chosen by hash, which are not scored.
 *  @param[in] cases of the cards that are scored @param[in] spec the card of no fit
 *  @return MR_OK, MR_NOMEM */
MR_CHECKED mr_status mr_fidelity_targets_of(const struct mr_measured *set,
                                            const struct mr_fidelity_case *cases,
                                            const struct mr_software_card *spec, bool with_fits,
                                            struct mr_fidelity_targets *out, struct mr_err *err);

/** enum mr_fidelity_verdict of one row. */
int mr_fidelity_targets_verdict(const struct mr_fidelity_targets *targets, int target);

void mr_fidelity_targets_print(const struct mr_fidelity_targets *targets, struct mr_buf *out);
void mr_fidelity_targets_json(const struct mr_fidelity_targets *targets, struct mr_jsonw *w);

#endif
