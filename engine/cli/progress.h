/* SPDX-License-Identifier: Apache-2.0 */
/* The progress line. On a terminal: one line rewritten in place, only after the first second, at
 * most five times a second. Elsewhere: one plain line per 10 % or per 60 s, whichever is rarer.
 * Wall time is handed in, so that tests need no clock. */
#ifndef MR_ENGINE_CLI_PROGRESS_H
#define MR_ENGINE_CLI_PROGRESS_H

#include "engine/base/text.h"

#include <stdint.h>

/* What there is to tell; NaN leaves a part out. */
struct mr_progress_state {
    double done_frac;    /* 0..1 */
    double sim_s, end_s; /* simulated time and its end */
    double events_per_s; /* of wall time */
    double real_time;    /* simulated seconds per wall second */
    double site_mw;
    const char *what; /* free text, or NULL */
};

/** A state in which nothing is known. */
struct mr_progress_state mr_progress_nothing(void);

struct mr_progress {
    bool is_on, is_tty, has_drawn;
    uint64_t start_ns, last_ns;
    int last_tenth;
};

void mr_progress_init(struct mr_progress *p, bool is_on, bool is_tty, uint64_t now_ns);

/** The line itself: "[=====>    ] 42 %  sim 1512/3600 s  1.9e6 ev/s  63x real time  118.4 MW  ETA
 *  0:33". The end is estimated from the share done so far. */
void mr_progress_text(const struct mr_progress *p, const struct mr_progress_state *state,
                      uint64_t now_ns, struct mr_buf *out);

/** Whether an update would write anything: for what is worth a reading only then. */
bool mr_progress_is_due(const struct mr_progress *p, double done_frac, uint64_t now_ns);

/** What to write to stderr now, if anything: the text with its carriage return or newline.
 *  @return false when it is not time yet; cheap, may be called often */
bool mr_progress_update(struct mr_progress *p, const struct mr_progress_state *state,
                        uint64_t now_ns, struct mr_buf *out);

/** What clears the line at the end; empty when nothing was drawn. */
void mr_progress_finish(struct mr_progress *p, struct mr_buf *out);

/** The same two, now, to stderr. */
void mr_progress_show(struct mr_progress *p, const struct mr_progress_state *state);
void mr_progress_clear(struct mr_progress *p);

#endif
