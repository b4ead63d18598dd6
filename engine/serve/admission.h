/* SPDX-License-Identifier: Apache-2.0 */
/* Who may come in, by tier. In this order, each for a reason of its own:
 *
 *   limit   so many calls of the tier are inside already
 *   rate    a bucket of tokens, prompt and output together, that fills at a constant rate up to its
 *           size; a call that is let in takes its tokens out
 *   late    the estimated time to the first token, prompts before it and its own, is beyond what
 *           the tier puts up with
 *
 * A tier without a limit is never asked for it. What is refused takes nothing. */
#ifndef MR_ENGINE_SERVE_ADMISSION_H
#define MR_ENGINE_SERVE_ADMISSION_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* All 0: no limits. */
struct mr_admission_rule {
    uint64_t n_inside; /* calls at once; 0: any number */
    double rate_tok_s; /* 0: any */
    double burst_tok;  /* size of the bucket */
    double ttft_s;     /* longest estimate; 0: any */
};

enum mr_admission_answer {
    MR_ADMISSION_YES,
    MR_ADMISSION_LIMIT,
    MR_ADMISSION_RATE,
    MR_ADMISSION_LATE
};

/* What is known of a tier; zero-initialize, then mr_admission_start. */
struct mr_admission {
    uint64_t n_inside;
    double level_tok, level_s; /* of the bucket, at a date */
};

/** The bucket is full. */
void mr_admission_start(struct mr_admission *state, const struct mr_admission_rule *rule);

/** Can it refuse anybody? */
static inline bool mr_admission_asks(const struct mr_admission_rule *rule)
{
    return rule->n_inside > 0 || rule->rate_tok_s > 0 || rule->ttft_s > 0;
}

/** Does it need an estimate? */
static inline bool mr_admission_asks_ttft(const struct mr_admission_rule *rule)
{
    return rule->ttft_s > 0;
}

/** A call of n tokens comes. Times rise. Let in, it is inside until mr_admission_leave.
 *  @param[in] ttft_s the estimate, if it is asked for */
enum mr_admission_answer mr_admission_ask(struct mr_admission *state,
                                          const struct mr_admission_rule *rule, double n_tok,
                                          double ttft_s, double now_s);

/** When will the bucket hold n tokens? INFINITY: never; with no bucket, or now: in the past. */
double mr_admission_full_s(const struct mr_admission *state, const struct mr_admission_rule *rule,
                           double n_tok);

/** A call comes in that nothing is asked of. */
static inline void mr_admission_enter(struct mr_admission *state)
{
    state->n_inside++;
}

static inline void mr_admission_leave(struct mr_admission *state)
{
    state->n_inside--;
}

#endif
