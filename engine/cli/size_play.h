/* SPDX-License-Identifier: Apache-2.0 */
/* Trials of builds: short runs as child processes, and the judgment of what they left. */
#ifndef MR_ENGINE_CLI_SIZE_PLAY_H
#define MR_ENGINE_CLI_SIZE_PLAY_H

#include "engine/cli/progress.h"
#include "engine/cli/size_space.h"
#include "experiments/batch.h"
#include "experiments/sla.h"
#include "experiments/steady.h"

/* More calls than that share under way at the end of a run: it is short for them. */
#define MR_SIZE_OPEN_MAX_FRAC 0.05

/* The answer and those next to it are played again, so many times as long; what came in the time of
 * a short run warms it up and is not judged. */
enum {
    MR_SIZE_LONGER = 4,
    MR_SIZE_CONFIRMED = 3
};

/* A trial that was played. Figures are NaN where the run has none. */
struct mr_size_run {
    size_t build, load;
    bool has_failed, holds;
    double tok_s, peak_mw, mean_mw, usd_mtok, user_tok_s, n_violation;
    double open_frac; /* calls under way when it ended, of those that came */
    double call_frac; /* mean time of a call, of the run's */
};

/* A longer run of a build under the heaviest load that it held in a short one. */
struct mr_size_confirm {
    struct mr_search_trial trial; /* why: of what it does not hold */
    bool holds;
    struct mr_steady_verdict verdict;
    double tok_s, peak_mw;
};

/* Zero-initialize but for what says so; mr_size_play_fini. */
struct mr_size_play {
    const struct mr_size_space *space; /* from here to keeps_results: given, lent */
    const struct mr_sla *sla;
    double target_tok_s;
    const char *folder; /* takes run_ID.json, and run_ID.h5 when results are kept */
    bool keeps_results;
    double until_s;   /* of runs, instead of what they say; 0: that */
    bool keeps_calls; /* run_ID.csv, for who looks at it before the next round */
    struct mr_size_confirm confirm[MR_SIZE_CONFIRMED];
    size_t n_confirm;
    struct mr_size_run *run; /* in the order of trials */
    size_t n_run, cap_run;
    struct mr_search_trial *trial; /* of the round that is played */
    size_t first, n_trial;
    struct mr_arena texts; /* of one command */
    struct mr_batch_command command;
    const char **argv;
    struct mr_progress progress;
};

/** Play a round (struct mr_search_plan): `context` is a struct mr_size_play. */
mr_status mr_size_play_round(void *context, struct mr_search_trial *trial, size_t n,
                             struct mr_err *err);

/** Play one build once more, into a result file. */
MR_CHECKED mr_status mr_size_play_result(struct mr_size_play *play, size_t build, size_t load,
                                         const char *path, struct mr_err *err);

/** Longer runs are possible: not where they end when all calls have. */
bool mr_size_play_can_confirm(const struct mr_size_play *play);

/** Do builds hold loads in longer runs, after a warm-up? @param[in,out] confirm n of them, at most
 *  MR_SIZE_CONFIRMED, with build and load in their trials */
MR_CHECKED mr_status mr_size_play_confirm(struct mr_size_play *play,
                                          struct mr_size_confirm *confirm, size_t n,
                                          struct mr_err *err);

/** The last run of a build under a load, or NULL. */
const struct mr_size_run *mr_size_play_find(const struct mr_size_play *play, size_t build,
                                            long load);

/** Remove what the runs left in the folder. */
void mr_size_play_remove(const struct mr_size_play *play);
void mr_size_play_fini(struct mr_size_play *play);

#endif
