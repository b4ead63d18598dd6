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
};

/* <workload>: a file, or a rate. */
struct mr_arrivals_spec {
    const char *file;                   /* CSV; NULL: drawn */
    double speed;                       /* recorded times are divided by it */
    double rate_s;                      /* mean arrivals per second, Poisson */
    double input_tok, output_tok;       /* medians of lognormal lengths */
    double input_spread, output_spread; /* their sigma; 0: all equal */
    uint64_t n_call;                    /* at most; 0: no limit */
    double prefix_tok;                  /* at the beginning of every prompt, the same for all */
    uint64_t length_max;                /* input + output are cut to it; 0: not */
};

extern const struct mr_param_table mr_arrivals_table;

struct mr_arrivals_source;

/** @param[in] spec its texts are lent until the source is closed
 *  @param[out] out owned by the caller: mr_arrivals_close */
MR_CHECKED mr_status mr_arrivals_open(const struct mr_arrivals_spec *spec, uint64_t seed,
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

#endif
