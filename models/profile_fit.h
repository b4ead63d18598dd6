/* SPDX-License-Identifier: Apache-2.0 */
/* A measured profile card from the folder of a layer profiler, times in microseconds:
 *
 *   dense.csv         layer,tokens,time_us: nine operators at each token count
 *   per_sequence.csv  layer,sequences,time_us: lm_head and sampler
 *   attention.csv     prefill_chunk,kv_prefill,n_decode,kv_decode,time_us; one chunk, and decodes
 *                     with kv_decode tokens each
 *
 * Operators are of one layer but for embedding, final_layernorm, lm_head and sampler, which a step
 * has once; layernorm is there twice per layer. What profilers do not see (host, collectives) stays
 * at zero. */
#ifndef MR_MODELS_PROFILE_FIT_H
#define MR_MODELS_PROFILE_FIT_H

#include "models/profile.h"

/* What is fitted by lines. */
#define MR_PROFILE_REGIME_LIST(X)                            \
    X(DECODE, "decode", "attention of decodes alone")        \
    X(PREFILL, "prefill", "attention of a chunk alone")      \
    X(MIXED, "mixed", "attention of a chunk beside decodes") \
    X(HEAD, "head", "logits and sampler")

enum mr_profile_regime {
#define MR_PROFILE_REGIME_ENUM(name, text, doc) MR_PROFILE_REGIME_##name,
    MR_PROFILE_REGIME_LIST(MR_PROFILE_REGIME_ENUM)
#undef MR_PROFILE_REGIME_ENUM
    MR_PROFILE_REGIMES
};

/* Of |predicted / measured - 1|, alone and as parts of whole steps. */
struct mr_profile_error {
    size_t n;
    double mean, bias; /* of the operator; bias: signed mean */
    double step_mean;  /* of the step that has it, everything else exact */
};

struct mr_profile_fit_options {
    double n_layer;      /* >= 1 */
    double holdout_frac; /* of rows, that the fit does not see; 0: for a last fit */
};

struct mr_profile_fit {
    struct mr_profile_card card;
    struct mr_profile_point *point; /* owned */
    size_t n_point;
    struct mr_profile_error fitted[MR_PROFILE_REGIMES], held_out[MR_PROFILE_REGIMES];
    double r2[MR_PROFILE_REGIMES]; /* share of variance explained, all rows */
    double dense_error;            /* mean error of a point read off its neighbours */
};

const char *mr_profile_fit_name(int regime);
const char *mr_profile_fit_doc(int regime);

/** Read a folder and fit. Rows are held out by the hash of what they say ran.
 *  @param[in,out] fit zero before; mr_profile_fit_fini, after errors too
 *  @return MR_OK, or MR_IO, MR_SCHEMA, MR_PARSE, MR_RANGE with the place, MR_NOMEM */
MR_CHECKED mr_status mr_profile_fit_folder(const char *folder,
                                           const struct mr_profile_fit_options *options,
                                           struct mr_profile_fit *fit, struct mr_err *err);
void mr_profile_fit_fini(struct mr_profile_fit *fit);

/** The model that the profiler's notes name (profile_meta.yaml in the folder or above it), without
 *  its owner: "Llama-3.1-8B". @param[out] model nothing is added when there are no such notes */
MR_CHECKED mr_status mr_profile_fit_model(const char *folder, struct mr_buf *model,
                                          struct mr_err *err);

#endif
