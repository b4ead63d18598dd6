/* SPDX-License-Identifier: Apache-2.0 */
/* Speculative decoding in an instance: a decode step checks drafts and makes g tokens of every
 * call, on the mean, instead of one. The decode clock goes on counting steps; what else there is to
 * know follows from it:
 *
 *   steps of a call   fixed when it begins to decode its n tokens: n / g, rounded up, or up or down
 *                     by chance so that their mean is n / g; or step by step, each of its drafts by
 *                     its own chance, until there are n. The last one may make fewer: a call never
 *                     makes more than it should.
 *   contexts          grow by g a step: their sum after c steps of n calls is larger by n g c,
 *                     a whole number of steps times g, so that leaps and steps agree.
 *   KV blocks         all calls gain whole tokens together, made(c + 1) - made(c) of them in the
 *                     step at clock c, with made(c) = floor(g c). For a whole g that is exact; else
 *                     a call has at any time less than one token more or less than g times its
 *                     steps. A verify step thus is a few steps of one token to blocks.h.
 *
 * Ignored: slots for drafts that are refused, and that contexts differ by their calls' luck: those
 * whose steps are drawn one by one differ in how many they need, and grow by the mean meanwhile. */
#ifndef MR_ENGINE_SERVE_ACCEPT_H
#define MR_ENGINE_SERVE_ACCEPT_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MR_ACCEPT_DRAFTS = 64
};

/* All 0: no drafts, a step makes one token. */
struct mr_accept {
    double extra;     /* g - 1: tokens a step makes beyond one */
    uint32_t n_draft; /* tokens checked beside the newest: they count as tokens of a step */
    bool is_drawn;    /* steps of a call: drawn; else rounded up */
    uint64_t seed;
    bool is_each; /* steps of a call: draft by draft */
    /* is_each: chance that a step makes more than 1, 2, ... n_draft tokens; their sum is extra */
    double beyond[MR_ACCEPT_DRAFTS];
};

/** Is it possible? At most 1 + drafts are made of a step.
 *  @return MR_OK or MR_RANGE, naming the figure */
MR_CHECKED mr_status mr_accept_check(const struct mr_accept *accept, struct mr_err *err);

/** Mean tokens of a step out of text: one number of 1 or more is that mean, 0 is none known, else
 *  there is a chance for every draft that it is accepted, given that those before it were. Draft k
 *  counts when all up to it are: g = 1 + p1 + p1 p2 + ...
 *  @param[out] mean g, or 0 @return MR_OK, MR_PARSE, MR_RANGE */
MR_CHECKED mr_status mr_accept_mean(const char *text, uint32_t n_draft, double *mean,
                                    struct mr_err *err);

/** `beyond` of the text that the mean, 1 + extra, is of. Of a mean alone: every draft has the same
 *  chance. @param[in,out] accept extra and n_draft are given */
MR_CHECKED mr_status mr_accept_chances(const char *text, struct mr_accept *accept,
                                       struct mr_err *err);

/** made(c): whole tokens a call that decodes since clock 0 would have made. */
static inline uint64_t mr_accept_made(const struct mr_accept *accept, uint64_t clock)
{
    return accept->extra > 0 ? clock + (uint64_t)(accept->extra * (double)clock) : clock;
}

/** Whole tokens that one step makes, at most. */
uint32_t mr_accept_most(const struct mr_accept *accept);

/** Steps that make `n_token` tokens. @param[in] number of the call, which draws are made from */
uint32_t mr_accept_steps(const struct mr_accept *accept, uint32_t number, uint32_t n_token);

/** Most steps from a clock on, no more than `n_step`, that make no more than `n_token` tokens. */
uint64_t mr_accept_within(const struct mr_accept *accept, uint64_t clock, uint64_t n_step,
                          uint64_t n_token);

#endif
