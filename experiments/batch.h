/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as child processes: so many at a time, with a time limit each, failed ones once more at the
 * end, until all are done or a signal says to stop. INT, TERM and USR1: no new row begins, running
 * ones get a grace period, what is left then is killed; a second INT or TERM ends the grace at
 * once. Children stand in process groups of their own, so that the terminal's ^C reaches this
 * process alone, and die with it (Linux: PR_SET_PDEATHSIG), also when it is killed: nothing is left
 * behind that would hold files which a resumed sweep needs. */
#ifndef MR_EXPERIMENTS_BATCH_H
#define MR_EXPERIMENTS_BATCH_H

#include "engine/base/text.h"

struct mr_batch_options {
    size_t n_slot;    /* children at a time, at least 1 */
    double timeout_s; /* of a row; 0: none. TERM, then KILL after grace_s */
    double grace_s;
    uint64_t n_retry; /* further attempts of a row that failed by chance */
};

enum mr_batch_state {
    MR_BATCH_DONE,
    MR_BATCH_FAILED,
    MR_BATCH_TIMEOUT,
    MR_BATCH_DROPPED /* by a signal to this process */
};

/* How a row ended. */
struct mr_batch_end {
    size_t row;
    enum mr_batch_state state;
    int exit_code; /* 128 + number of the signal that killed it */
    double wall_s; /* of the last attempt */
    uint64_t rss_bytes;
    unsigned n_attempt;
    bool will_retry;
    const char *message; /* the last line of its log; "" without one */
};

/* What a child runs. */
struct mr_batch_command {
    const char *const *argv; /* ends with NULL; argv[0] is the program's path */
    const char *log;         /* file that takes its stderr */
};

struct mr_batch_tell {
    size_t n_row, n_over, n_running, n_failed;
};

/* Who knows the rows. */
struct mr_batch_hooks {
    void *context;
    /** @param[out] command lent until the next call */
    mr_status (*start)(void *context, size_t row, struct mr_batch_command *command,
                       struct mr_err *err);
    mr_status (*end)(void *context, const struct mr_batch_end *end, struct mr_err *err);
    void (*tell)(void *context, const struct mr_batch_tell *tell); /* a few times a second */
};

struct mr_batch_result {
    size_t n_done, n_failed, n_left;
    int signal; /* that stopped it; 0: none */
};

/** Children at a time: as many as are asked for, or 0: as there are cores. */
size_t mr_batch_slots(uint64_t asked);

/** @param[in] row n_row numbers, in this order
 *  @return MR_OK, also when rows failed or were left; else what starting or the hooks failed with,
 *          after all children have been ended */
MR_CHECKED mr_status mr_batch_run(const size_t *row, size_t n_row,
                                  const struct mr_batch_options *options,
                                  const struct mr_batch_hooks *hooks,
                                  struct mr_batch_result *result, struct mr_err *err);

#endif
