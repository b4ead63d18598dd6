/* SPDX-License-Identifier: Apache-2.0 */
/* One instance played from a list of calls: for tests. */
#ifndef MR_TESTS_ENGINE_SERVE_PLAY_H
#define MR_TESTS_ENGINE_SERVE_PLAY_H

#include "engine/serve/onboard.h"
#include "engine/serve/policy.h"

struct play_call {
    double arrived_s;
    uint32_t n_prompt, n_output;
    double scheduled_s, first_s, finished_s; /* filled */
    uint32_t n_restart, n_cached;
    double load_s;                        /* of the time before scheduled_s */
    double again_s[2];                    /* of that before and after first_s */
    uint32_t n_loaded[MR_ONBOARD_LEVELS]; /* blocks of n_cached, from the memories below */
    uint32_t space, n_prefix;             /* with a prefix cache */
    uint8_t rank;
    int8_t level;
    bool yields;
};

struct play_result {
    uint64_t n_iteration, n_segment, n_restart;
    double end_s;
    struct mr_onboard_counts loads;
    uint32_t n_resident[MR_ONBOARD_LEVELS];
};

/** Calls in the order of arrival. Fails the test on errors, and unless all blocks come back. */
struct play_result play(const struct mr_serving *serving, struct play_call *call, size_t n);

/** Places 0 to n - 1. */
void play_take_calls(struct mr_calls *calls, size_t n);

/** The profile of the recorded runs: .002 + max(.010, 8.56e-5 N) + 8.19e-8 S + 3.36e-9 Q seconds.
 */
struct mr_profile *play_five_constants(void);

#endif
