/* SPDX-License-Identifier: Apache-2.0 */
/* Live sessions on cells of instances, for benchmarks: each thinks, calls, and thinks again; its
 * context grows until it begins a new one. A cell is played for a whole window, then the next. What
 * a session does is drawn by the place of its cell and of itself in it, so that a cell does the
 * same whatever the number of cells, the window and the length of leaps. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_AGENTS_H
#define MR_ENGINE_CLI_BENCH_BENCH_AGENTS_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MR_BENCH_AGENTS_CELL = 20000 /* sessions of a cell, on 40 instances */
};

struct mr_bench_agents_plan {
    uint32_t n_cell;
    double window_s;
    double warm_s; /* played first; from half a minute on it is what it stays */
    bool steps_singly;
    bool is_cold; /* nothing is brought near the processor before a window */
};

struct mr_bench_agents;

/** Sessions, caches and calls as after warm_s.
 *  @param[out] out owned by the caller: mr_bench_agents_destroy */
MR_CHECKED mr_status mr_bench_agents_create(const struct mr_bench_agents_plan *plan,
                                            struct mr_bench_agents **out, struct mr_err *err);
void mr_bench_agents_destroy(struct mr_bench_agents *agents);

/** One more second of simulated time. */
MR_CHECKED mr_status mr_bench_agents_play(struct mr_bench_agents *agents, struct mr_err *err);

/** Calls that have ended. */
const uint64_t *mr_bench_agents_done(const struct mr_bench_agents *agents);

/** Of who ended, in which order, where, with how many cached tokens: of the first cell. */
uint64_t mr_bench_agents_decisions(const struct mr_bench_agents *agents);

/** Of all cells, in their order. */
uint64_t mr_bench_agents_whole(const struct mr_bench_agents *agents);

#endif
