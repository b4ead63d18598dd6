/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles (models/profiles/ID.xml): what a step was measured to take, instead of what step_terms.c
 * derives from the hardware. One kind of card, two forms:
 *
 *   linear5   T = t0 + max(tw, ctok N) + ckv S + catt Q
 *   measured  T = t0 + D(N) + H(ns) + C(N) + ATT(S, Q), with
 *             D    a table over tokens, linear between its points
 *             H    head.start + head.sequence ns, when ns > 0
 *             C    collective.start + collective.token N
 *             ATT  decodes only a0 + akv S, chunks only b0 + batt Q, both m0 + mkv S + matt Q
 *
 * N, S, Q, ns as in models/step.h, without drafts: a decode is one token. Times are of a whole step
 * (all layers) at the clock of the measurement. */
#ifndef MR_MODELS_PROFILE_H
#define MR_MODELS_PROFILE_H

#include "engine/base/card.h"
#include "models/step.h"

enum mr_profile_form {
    MR_PROFILE_MEASURED,
    MR_PROFILE_LINEAR5
};

/* All in seconds: per step (start), token, pair of tokens or sequence. */
struct mr_profile_card {
    int form; /* enum mr_profile_form */
    double t0_s;
    double tw_s, ctok_s, ckv_s, catt_s;       /* linear5 only; the rest: measured only */
    const char *dense, *dense_file;           /* one of them */
    double decode_s, decode_kv_s;             /* a0, akv */
    double prefill_s, prefill_pair_s;         /* b0, batt */
    double mixed_s, mixed_kv_s, mixed_pair_s; /* m0, mkv, matt */
    double head_s, head_sequence_s;
    double collective_s, collective_token_s;
    double error_frac; /* mean |predicted / measured - 1| of steps not fitted; 0: not known */
};

extern const struct mr_card_kind mr_profile_kind;

static inline const struct mr_profile_card *mr_profile_of(const struct mr_card *card)
{
    return card->object;
}

/** Every figure as the table has it. */
void mr_profile_defaults(struct mr_profile_card *card);

/* A point of D. Tokens rise from point to point, times are above 0. */
struct mr_profile_point {
    double tokens, time_s;
};

struct mr_profile; /* const after creation */

/** From figures (their `dense` texts are not looked at) and points, which are copied.
 *  @param[in] n 0 for linear5, else at least 1
 *  @param[out] out owned by the caller: mr_profile_destroy
 *  @return MR_OK, MR_RANGE (points out of order), MR_NOMEM */
MR_CHECKED mr_status mr_profile_create(const struct mr_profile_card *figures,
                                       const struct mr_profile_point *point, size_t n,
                                       struct mr_profile **out, struct mr_err *err);

/** From a card, and the CSV file it names (columns tokens and time_s, beside the card). */
MR_CHECKED mr_status mr_profile_open(const struct mr_card *card, struct mr_profile **out,
                                     struct mr_err *err);

/** From the file of a card. All mistakes of the card are added to `diags`. */
MR_CHECKED mr_status mr_profile_load(const char *path, struct mr_profile **out,
                                     struct mr_diags *diags);
void mr_profile_destroy(struct mr_profile *profile); /* NULL is fine */

/** D: constant before the first point; past the last as steep as from half of it to it [s]. */
double mr_profile_dense(const struct mr_profile *profile, double tokens);

/** Duration of one step [s]. */
double mr_profile_time(const struct mr_profile *profile, const struct mr_batch *batch);

/** T_j = a_s + b_s j while the batch stays: each decode gains a token per step, and at most one
 *  prompt is read, in chunks of the same size. */
struct mr_step_leap mr_profile_leap(const struct mr_profile *profile, const struct mr_batch *batch);

#endif
