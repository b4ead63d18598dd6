/* SPDX-License-Identifier: Apache-2.0 */
/* The bench verb: named micro-benchmarks, each timed in turn with a plain reference loop over the
 * same data, so that the ratio holds on any machine. A room adds a table of cases; bench.c runs
 * them. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_H
#define MR_ENGINE_CLI_BENCH_BENCH_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_bench_opts_values {
    bool as_json, is_quick, is_list;
};

extern const struct mr_opt_table mr_bench_opts;

int mr_bench_run(const struct mr_verb_call *call);

/* What setup hands to the loops. */
struct mr_bench_job {
    void *data;             /* owned by the case: its teardown frees it */
    uint64_t n_op;          /* operations one round of `work` does */
    const uint64_t *n_done; /* where rounds differ: operations so far. NULL: n_op in each */
    uint64_t n_byte;        /* of memory that the work holds; 0: not told */
    uint64_t n_session;     /* live, that hold it; 0: not told */
    bool is_quick;          /* asked for: what takes long or much memory is skipped */
    char skipped[160];      /* not empty: why there is nothing to measure here */
    struct mr_arena texts;  /* freed by the framework */
};

struct mr_bench_case {
    const char *name;      /* "base/json_lines" */
    const char *op;        /* what is counted: "byte", "call", "number" */
    const char *reference; /* the plain loop in a few words */
    mr_status (*setup)(const struct mr_bench_case *self, struct mr_bench_job *job,
                       struct mr_err *err);
    /* One round over the data. @return a checksum that depends on all of it */
    uint64_t (*work)(void *data);
    uint64_t (*plain)(void *data);
    uint64_t (*whole)(
        void *data); /* where `work` tells of a part: a checksum of all of it; or NULL */
    void (*teardown)(void *data); /* NULL: nothing to free */
    const char *file;             /* below MILLRACE_DATA, or NULL */
    uint32_t size;                /* what its setup makes of it */
    const char *smaller;          /* a case before it: the same on less data; or NULL */
    const char *same; /* a case before it that must come to the same checksum, of the same size also
                         to that of the whole; or NULL */
    double floor;     /* most that an operation may cost of one of `smaller` */
    uint32_t session_bytes_max; /* budget of a live session, all in; 0: none is told */
};

struct mr_bench_group {
    const struct mr_bench_case *item;
    size_t n;
};

#endif
