/* SPDX-License-Identifier: Apache-2.0 */
/* Experiments (NAME.experiment.xml): a scenario, what is varied in it, and with which seeds.
 *
 *   <experiment name="chat" scenario="chat.scenario.xml">
 *    <grid>
 *     <factor path="deployment/tp" values="1, 2, 4"/>
 *     <factor path="workload/rate" from="10 req/s" to="50 req/s" steps="5"/>
 *    </grid>
 *    <seeds count="3"/>
 *    <output kpi="tok_s.output"/>
 *    <kpi name="per_call" formula="tokens.output / requests.finished" unit="tok"/>
 *    <constraint kpi="ttft_s.p99" max="2"/>
 *    <rank kpi="per_call" against="ttft_s.p99"/>
 *   </experiment>
 *
 * A <grid> takes every combination of its factors, a <zip> their first values together, then their
 * second ones, a <latin> spreads samples evenly over each of its factors (Latin hypercube), a
 * <list> takes its rows one by one. Several of them multiply, the first one slowest; seeds change
 * fastest. Paths and values are those of run --set; file names count from the scenario's folder. */
#ifndef MR_EXPERIMENTS_EXPERIMENT_H
#define MR_EXPERIMENTS_EXPERIMENT_H

#include "engine/base/param.h"
#include "postprocess/asked.h"

enum {
    MR_EXPERIMENT_ROW_MAX = 1000000
};

enum mr_experiment_kind {
    MR_EXPERIMENT_GRID,
    MR_EXPERIMENT_ZIP,
    MR_EXPERIMENT_LATIN,
    MR_EXPERIMENT_LIST,
    MR_EXPERIMENT_KINDS
};

struct mr_experiment_factor {
    const char *path;
    const char *values, *from, *to; /* values, or from and to; NULL: not given */
    uint64_t n_step;
    int scale; /* 0 linear, 1 logarithmic */
    bool is_whole;
    struct mr_place at;
    const char *
        *value; /* of `values` or of the steps; in a list one per row, NULL: not set there */
    size_t n_value;
};

struct mr_experiment_block {
    int kind; /* enum mr_experiment_kind */
    struct mr_experiment_factor *factor;
    size_t n_factor, cap_factor;
    size_t n_row;            /* combinations, samples or rows */
    uint64_t n_sample, seed; /* of a Latin hypercube */
    struct mr_place at;
};

struct mr_experiment_top {
    const char *name, *scenario;
};

struct mr_experiment_seeds {
    const char *values; /* NULL: count from `first` on */
    uint64_t n_first, n_count;
};

struct mr_experiment_run {
    double record_every_s; /* 0: the scenario's */
    bool has_no_leap;
};

/* Owned by the caller: mr_experiment_fini. */
struct mr_experiment {
    struct mr_arena texts;
    const char *path;
    struct mr_experiment_top top; /* scenario: as this process may open it */
    struct mr_experiment_block *block;
    size_t n_block, cap_block;
    struct mr_experiment_seeds seeds;
    uint64_t *seed; /* n_seed of them; 0: the scenario's own */
    size_t n_seed, cap_seed;
    struct mr_experiment_run run;
    struct mr_asked asked; /* of every run that is done: answers.h */
};

/** Read and check; all mistakes are added to `diags`. @param[out] out mr_experiment_fini, also
 *  after errors @return MR_OK, or the status of the first error */
MR_CHECKED mr_status mr_experiment_load(const char *path, struct mr_experiment *out,
                                        struct mr_diags *diags);
void mr_experiment_fini(struct mr_experiment *experiment);

/** Told by the name's ending. */
bool mr_experiment_is(const char *path);

/** Elements and their tables, in the order of the reference page; NULL past the last. */
const struct mr_param_table *mr_experiment_table(size_t i, const char **element);

/** The RELAX NG grammar, made of the tables. */
void mr_experiment_print_rng(struct mr_buf *out);

#endif
