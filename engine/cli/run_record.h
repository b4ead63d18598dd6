/* SPDX-License-Identifier: Apache-2.0 */
/* The result file of a run: configuration, every call as columns, tiers, key figures. */
#ifndef MR_ENGINE_CLI_RUN_RECORD_H
#define MR_ENGINE_CLI_RUN_RECORD_H

#include "engine/cli/groups.h"
#include "engine/record/runfile.h"
#include "engine/twin/play.h"
#include "engine/twin/record_every.h"

struct mr_run_record;

/* What it writes. */
extern const struct mr_group_list mr_run_groups;

/* Beside what the scenario says (<record>). */
struct mr_run_record_options {
    bool may_overwrite, steps_singly;
    /* lent, never NULL */
    const struct mr_run_files
        *files;                   /* of the scenario; empty, unless it came out of a result file */
    struct mr_confighash *hashes; /* of files that were read */
};

/** A session that ended: for mr_play_options. */
mr_status mr_run_record_session(void *record, const struct mr_agents_row *row, struct mr_err *err);

/** @param[in] scenario outlives it @param[out] out owned by the caller: mr_run_record_destroy,
 *  which leaves PATH.part when it was not finished */
MR_CHECKED mr_status mr_run_record_create(const char *path,
                                          const struct mr_run_record_options *options,
                                          const struct mr_scenario *scenario,
                                          struct mr_run_record **out, struct mr_err *err);
void mr_run_record_destroy(struct mr_run_record *record);

/** What is played is known, the file begins. For mr_play_options.on_begin. */
mr_status mr_run_record_begin(void *record, struct mr_factory *factory, struct mr_err *err);

/** For mr_play_options.on_event. */
mr_status mr_run_record_event(void *record, const struct mr_play_event *event, struct mr_err *err);

/** One call, ended or not. For mr_play_options.on_call. */
mr_status mr_run_record_call(void *record, const struct mr_play_row *row, struct mr_err *err);

/** One step of an instance. For mr_play_options.on_step. */
mr_status mr_run_record_step(void *record, const struct mr_play_step *step, struct mr_err *err);

/** For mr_play_options.on_exchange. */
void mr_run_record_exchange(void *record, double now_s);

/** Pools and tiers at an instant. For mr_play_options.on_sample, with the intervals of
 *  mr_record_every_dates. */
mr_status mr_run_record_sample(void *record, const struct mr_play_sample *now, struct mr_err *err);

/** The run has ended without its sums: everything given is in PATH.part, which says why.
 *  @param[in] end not MR_RUNFILE_COMPLETE */
void mr_run_record_give_up(struct mr_run_record *record, enum mr_runfile_end end,
                           const char *reason);

/** Tiers, every number of the summary as a key figure named by its path, and the file's own name.
 *  @param[in] json the summary */
MR_CHECKED mr_status mr_run_record_finish(struct mr_run_record *record,
                                          const struct mr_play_result *result, struct mr_str json,
                                          struct mr_err *err);

#endif
