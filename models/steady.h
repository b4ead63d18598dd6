/* SPDX-License-Identifier: Apache-2.0 */
/* The steady state of an instance under a constant load of equal requests, without playing them:
 * what measured rows (concurrency, input, output -> TTFT, TPOT) are compared with until the serving
 * engine plays them request by request.
 *
 * In a closed loop of C requests of p prompt and d output tokens every request sees, while it
 * decodes, the prefill of the others once: TPOT = T(n) + kappa (C - 1) T_p / d, where n = C x the
 * share of its time that a request decodes. Its first token waits for its own prefill and for those
 * that came before it, and for launches: a prompt's step runs without a captured graph, so every
 * layer's kernels are launched one by one.
 *
 * Prefill instances of their own hand on at most what full steps of theirs hold: prompts shorter
 * than a step's tokens go through together and read the weights once. */
#ifndef MR_MODELS_STEADY_H
#define MR_MODELS_STEADY_H

#include "models/memory.h"

/* How requests come. */
#define MR_STEADY_PROTOCOL_LIST(X)                                                      \
    X(UNKNOWN, "", "not said: as closed")                                               \
    X(CLOSED, "closed", "a new request when one ends: as many in flight as said")       \
    X(BURST, "burst", "all at once: a first token waits for half of the other prompts") \
    X(POISSON, "poisson", "by chance: a first token waits for a queue alone")

enum mr_steady_protocol {
#define MR_STEADY_PROTOCOL_ENUM(name, text, doc) MR_STEADY_PROTOCOL_##name,
    MR_STEADY_PROTOCOL_LIST(MR_STEADY_PROTOCOL_ENUM)
#undef MR_STEADY_PROTOCOL_ENUM
    MR_STEADY_PROTOCOLS
};

/** The protocol of this name, or -1. */
int mr_steady_protocol_find(struct mr_str name);

struct mr_steady_load {
    double n_request;      /* in flight at the instance */
    double input, output;  /* tokens of each */
    double cached;         /* input tokens whose keys and values are there already */
    double n_sequence_max; /* most that decode together; 0: what fits */
    uint64_t n_block;      /* KV blocks of a decoding instance; 0: what fits */
    int protocol;          /* enum mr_steady_protocol */
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
