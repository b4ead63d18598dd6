/* SPDX-License-Identifier: Apache-2.0 */
/* Open-loop workloads: calls with an arrival time and two lengths, from a file of any format that
 * trace.h reads and whose sessions are single calls, or drawn at random. Rows of a file need not
 * stand quite in order: those of a window of time are in memory, no more than MR_ARRIVALS_AHEAD. */
#ifndef MR_ENGINE_WORK_ARRIVALS_H
#define MR_ENGINE_WORK_ARRIVALS_H

#include "engine/base/param.h"
#include "engine/base/rng.h"
#include "engine/work/trace.h"

enum {
    MR_ARRIVALS_AHEAD = 32768
};

struct mr_arrival {
    double arrived_s; /* never before the call before it */
    uint32_t n_input, n_output;
    uint32_t session; /* its number in the file, or the call's when it is alone */
    uint8_t tier;
    bool is_alone; /* its session has no other call */
    const uint64_t
        *hash; /* of its prompt's blocks, `hash_block` tokens each; lent until the next */
    size_t n_hash;
};

/* Calls beyond the longest context of the network. In the order of the schema. */
enum mr_arrivals_long {
    MR_ARRIVALS_LONG_REFUSE, /* come and are refused */
    MR_ARRIVALS_LONG_CLIP,   /* prompts are cut */
    MR_ARRIVALS_LONG_ERROR
};

/* Models that rows name. In the order of the schema. */
enum mr_arrivals_models {
    MR_ARRIVALS_MODELS_SERVED, /* others are bad rows; clipped, they are left out as well */
    MR_ARRIVALS_MODELS_ANY     /* all are played by the one that is served */
};

/* Where recorded times count from. In the order of the schema. */
enum mr_arrivals_origin {
    MR_ARRIVALS_ORIGIN_AUTO, /* from the first call where its time is no run's: a date */
    MR_ARRIVALS_ORIGIN_ZERO,
    MR_ARRIVALS_ORIGIN_FIRST
};

struct mr_arrivals_counts {
    uint64_t n_skipped, n_clipped;
    uint64_t n_empty; /* calls without input or output: one token was played */
};

/* Who plays them. Texts are lent. */
struct mr_arrivals_served {
    const char *model;       /* NULL: any */
    uint64_t context_max;    /* 0: no limit */
    const char *const *tier; /* [n_tier] names; rows may also say their numbers */
    size_t n_tier;           /* 0: numbers up to 255 */
};

/* <workload>: a file, or a rate. */
struct mr_arrivals_spec {
    const char *file;                   /* NULL: drawn */
    const char *format;                 /* as trace.h names it; NULL: by content */
    const char *windows, *lengths;      /* of a client (client.h) that is drawn; NULL: none */
    double factor;                      /* its rates are as many times higher */
    double speed;                       /* recorded times are divided by it */
    double window_s;                    /* recorded; rows stand so far behind later ones */
    double rate_s;                      /* mean arrivals per second, Poisson */
    double input_tok, output_tok;       /* medians of lognormal lengths */
    double input_spread, output_spread; /* their sigma; 0: all equal */
    uint64_t n_call;                    /* at most; 0: no limit */
    double prefix_tok;                  /* at the beginning of every prompt, the same for all */
    uint64_t length_max;                /* input + output are cut to it; 0: not */
    uint64_t n_hash_tok;                /* tokens of a hash id; 0: the format's */
    int bad, longer, models; /* enum mr_trace_bad, mr_arrivals_long, mr_arrivals_models */
    int origin;              /* enum mr_arrivals_origin */
};

extern const struct mr_param_table mr_arrivals_table;

struct mr_arrivals_source;

/** @param[in] spec its texts are lent until the source is closed @param[in] served copied
 *  @param[out] out owned by the caller: mr_arrivals_close */
MR_CHECKED mr_status mr_arrivals_open(const struct mr_arrivals_spec *spec, uint64_t seed,
                                      const struct mr_arrivals_served *served,
                                      struct mr_arrivals_source **out, struct mr_err *err);

/** From memory that outlives the source, whatever the spec's file says.
 *  @param[in] name for messages, copied */
MR_CHECKED mr_status mr_arrivals_open_memory(const void *bytes, size_t n, const char *name,
                                             const struct mr_arrivals_spec *spec,
                                             const struct mr_arrivals_served *served,
                                             struct mr_arrivals_source **out, struct mr_err *err);
void mr_arrivals_close(struct mr_arrivals_source *source); /* NULL is fine */

/** @param[out] has_call false at the end */
MR_CHECKED mr_status mr_arrivals_next(struct mr_arrivals_source *source, struct mr_arrival *call,
                                      bool *has_call, struct mr_err *err);

/** Tokens of a hash id; 0: the calls have none that mean anything to other calls. */
uint32_t mr_arrivals_hash_tok(const struct mr_arrivals_source *source);

/** Recorded time that is 0 s of the run [s]; known from the first call on. */
double mr_arrivals_origin_s(const struct mr_arrivals_source *source);

/** Rows so far that were not played as they stand. */
struct mr_arrivals_counts mr_arrivals_counted(const struct mr_arrivals_source *source);

#endif
