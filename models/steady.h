/* SPDX-License-Identifier: Apache-2.0 */
/* The steady state of an instance under a constant load of equal requests, without playing them:
 * what measured rows (concurrency, input, output -> TTFT, TPOT) are compared with until the serving
 * engine plays them request by request.
 *
 * In a closed loop of C requests of p prompt and d output tokens every request sees, while it
 * decodes, the prefill of the others once: TPOT = T(n) + kappa (C - 1) T_p / d, where n = C x the
 * share of its time that a request decodes. Its first token waits for its own prefill and for those
 * that came before it. */
#ifndef MR_MODELS_STEADY_H
#define MR_MODELS_STEADY_H

#include "models/memory.h"

struct mr_steady_load {
    double n_request;      /* in flight at the instance */
    double input, output;  /* tokens of each */
    double cached;         /* input tokens whose keys and values are there already */
    double n_sequence_max; /* most that decode together; 0: what fits */
};

struct mr_steady {
    double ttft_s, tpot_s;
    double n_decode;  /* of the requests in flight */
    double decode_s;  /* one step of decodes alone */
    double prefill_s; /* one prompt alone */
    double n_fit;     /* requests whose keys and values fit */
};

/** One instance that prefills and decodes. @return MR_OK, or MR_LIMIT when the LLM does not fit */
MR_CHECKED mr_status mr_steady_mixed(const struct mr_step_setup *setup,
                                     const struct mr_steady_load *load, struct mr_steady *out,
                                     struct mr_err *err);

/* Prefill and decode on instances of their own. */
struct mr_steady_split {
    const struct mr_step_setup *prefill, *decode;
    double n_prefill, n_decode; /* instances */
};

MR_CHECKED mr_status mr_steady_split(const struct mr_steady_split *split,
                                     const struct mr_steady_load *load, struct mr_steady *out,
                                     struct mr_err *err);

#endif
