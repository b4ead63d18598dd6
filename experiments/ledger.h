/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a sweep: manifest.csv (what there is to do), status.csv (a line for every row that
 * ended), run_ID.h5 (results) and sweep.lock. Several sweeps may work in one folder as long as they
 * have different rows: each row is a byte of the lock file, locked as long as its sweep lives, so
 * that nothing stays locked when a process is killed. */
#ifndef MR_EXPERIMENTS_LEDGER_H
#define MR_EXPERIMENTS_LEDGER_H

#include "experiments/batch.h"
#include "experiments/design.h"

enum {
    MR_LEDGER_HOST = 72
};

/* Owned by the caller: mr_ledger_close. */
struct mr_ledger {
    const char *folder; /* lent */
    int lock, status;   /* open files */
    char host[MR_LEDGER_HOST];
};

/** Make the folder, if it is not there, and open it. */
MR_CHECKED mr_status mr_ledger_open(const char *folder, struct mr_ledger *ledger,
                                    struct mr_err *err);
void mr_ledger_close(struct mr_ledger *ledger); /* gives the rows back */

/** Take rows for this process. @return MR_IO naming the process that has one of them */
MR_CHECKED mr_status mr_ledger_claim(struct mr_ledger *ledger, const bool *is_on, size_t n_row,
                                     struct mr_err *err);

/** Write the manifest. One that is there and differs is an error, or replaced.
 *  @param[out] was_replaced */
MR_CHECKED mr_status mr_ledger_manifest(struct mr_ledger *ledger, struct mr_str text,
                                        bool may_replace, bool *was_replaced, struct mr_err *err);

/** Be the only one that writes files over all rows, for a moment. */
MR_CHECKED mr_status mr_ledger_hold(struct mr_ledger *ledger, struct mr_err *err);
void mr_ledger_let(struct mr_ledger *ledger);

/** Add a line to status.csv. */
MR_CHECKED mr_status mr_ledger_note(struct mr_ledger *ledger, const struct mr_batch_end *end,
                                    struct mr_err *err);

/** "FOLDER/run_00417ENDING" */
void mr_ledger_path(const struct mr_ledger *ledger, size_t row, const char *ending,
                    struct mr_buf *out);

#endif
