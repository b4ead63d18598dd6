/* SPDX-License-Identifier: Apache-2.0 */
/* The result file of a run: configuration, every call as columns, tiers, key figures. */
#ifndef MR_ENGINE_CLI_RUN_RECORD_H
#define MR_ENGINE_CLI_RUN_RECORD_H

#include "engine/twin/play.h"

struct mr_run_record;

struct mr_run_record_options {
    bool may_overwrite, steps_singly;
    double interval_s; /* of the series */
};

/** @param[in] scenario outlives it @param[out] out owned by the caller: mr_run_record_destroy,
 *  which leaves PATH.part when it was not finished */
MR_CHECKED mr_status mr_run_record_create(const char *path,
                                          const struct mr_run_record_options *options,
                                          const struct mr_scenario *scenario,
                                          struct mr_run_record **out, struct mr_err *err);
void mr_run_record_destroy(struct mr_run_record *record);

/** One call, ended or not. For mr_play_options.on_call. */
mr_status mr_run_record_call(void *record, const struct mr_play_row *row, struct mr_err *err);

/** Pools and tiers at an instant. For mr_play_options.on_sample. */
mr_status mr_run_record_sample(void *record, const struct mr_play_sample *now, struct mr_err *err);

/** Tiers, every number of the summary as a key figure named by its path, and the file's own name.
 *  @param[in] json the summary */
MR_CHECKED mr_status mr_run_record_finish(struct mr_run_record *record,
                                          const struct mr_play_result *result, struct mr_str json,
                                          struct mr_err *err);

#endif
