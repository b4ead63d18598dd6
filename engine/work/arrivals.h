/* SPDX-License-Identifier: Apache-2.0 */
/* Open-loop workloads: calls with an arrival time and two lengths, from a table or drawn at random.
 * One call is in memory at a time. */
#ifndef MR_ENGINE_WORK_ARRIVALS_H
#define MR_ENGINE_WORK_ARRIVALS_H

#include "engine/base/csv.h"
#include "engine/base/param.h"
#include "engine/base/rng.h"

struct mr_arrival {
    double arrived_s; /* never before the call before it */
    uint32_t n_input, n_output;
    uint32_t session;
    uint8_t tier;
    bool is_alone; /* its session has no other call */
    const uint64_t
        *hash; /* of its prompt's blocks, `hash_block` tokens each; lent until the next */
    size_t n_hash;
};

/* What becomes of rows that cannot be played as they are: unsorted or negative times, lengths that
 * are none, models that are not served. In the order of the schema. */
enum mr_arrivals_bad {
    MR_ARRIVALS_ERROR, /* with file, line and reason */
    MR_ARRIVALS_SKIP,  /* left out and counted */
    MR_ARRIVALS_CLIP   /* set to the nearest possible value and counted; other models left out */
};

/* Calls beyond the longest context of the network. In the order of the schema. */
enum mr_arrivals_long {
    MR_ARRIVALS_LONG_REFUSE, /* come and are refused */
    MR_ARRIVALS_LONG_CLIP,   /* prompts are cut */
    MR_ARRIVALS_LONG_ERROR
};

struct mr_arrivals_counts {
    uint64_t n_skipped, n_clipped;
};

/* <workload>: a file, or a rate. */
struct mr_arrivals_spec {
    const char *file;                   /* CSV or JSON Lines; NULL: drawn */
    double speed;                       /* recorded times are divided by it */
    double rate_s;                      /* mean arrivals per second, Poisson */
    double input_tok, output_tok;       /* medians of lognormal lengths */
    double input_spread, output_spread; /* their sigma; 0: all equal */
    uint64_t n_call;                    /* at most; 0: no limit */
    double prefix_tok;                  /* at the beginning of every prompt, the same for all */
    uint64_t length_max;                /* input + output are cut to it; 0: not */
    uint64_t n_hash_tok;                /* tokens of a hash id */
    int bad, longer;                    /* enum mr_arrivals_bad, mr_arrivals_long */
};

extern const struct mr_param_table mr_arrivals_table;

struct mr_arrivals_source;

/** @param[in] spec its texts are lent until the source is closed
 *  @param[in] model that is served, lent; rows may name others @param[in] context_max its longest
 *  context; 0: no limit
 *  @param[out] out owned by the caller: mr_arrivals_close */
MR_CHECKED mr_status mr_arrivals_open(const struct mr_arrivals_spec *spec, uint64_t seed,
                                      const char *model, uint64_t context_max,
                                      struct mr_arrivals_source **out, struct mr_err *err);

/** From a table that is open already, whatever the spec's file says.
 *  @param[in] take_csv closed with the source, and when this fails */
MR_CHECKED mr_status mr_arrivals_open_csv(const struct mr_arrivals_spec *spec,
                                          struct mr_csv *take_csv, struct mr_arrivals_source **out,
                                          struct mr_err *err);
void mr_arrivals_close(struct mr_arrivals_source *source); /* NULL is fine */

/** @param[out] has_call false at the end */
MR_CHECKED mr_status mr_arrivals_next(struct mr_arrivals_source *source, struct mr_arrival *call,
                                      bool *has_call, struct mr_err *err);

/** Rows so far that were not played as they stand. */
struct mr_arrivals_counts mr_arrivals_counted(const struct mr_arrivals_source *source);

#endif
