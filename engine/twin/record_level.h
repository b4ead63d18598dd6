/* SPDX-License-Identifier: Apache-2.0 */
/* What a result file holds: the list of --record. More recording is never another run. */
#ifndef MR_ENGINE_TWIN_RECORD_LEVEL_H
#define MR_ENGINE_TWIN_RECORD_LEVEL_H

#include "engine/base/status.h"
#include "engine/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define MR_RECORD_LEVEL_LIST(X)                                                                \
    X(SUMMARY, "summary", "key figures, latencies by tier, events, configuration, provenance") \
    X(SITE, "site", "and site, halls, rows, loops, feeds, pools, tiers over time")             \
    X(RACK, "rack", "and racks over time")                                                     \
    X(REQUESTS, "requests", "and a row per call and session; =N: that many, =1/N: one in N")   \
    X(DIE, "die", "and every package's die over time: for small sites")                        \
    X(STEPS, "steps", "and, as steps=RACK, every step of the instances on that rack")

enum {
    MR_RECORD_LEVEL_DIES = 20000, /* packages of what a small site is */
    MR_RECORD_LEVEL_STEPS = 32    /* racks whose steps are recorded, at most */
};

#define MR_RECORD_LEVEL_DEFAULT "rack"

struct mr_record_level {
    bool has_site, has_racks, has_calls, has_dies;
    uint64_t n_kept;                                /* a fair sample of so many calls; 0: all */
    uint64_t one_in_n;                              /* or one call in so many; 0: all */
    struct mr_str step_rack[MR_RECORD_LEVEL_STEPS]; /* names, each once, lent from the text */
    size_t n_step_rack;
};

/** Of a comma list, "rack,requests=1/100". @return MR_RANGE naming what is not known */
MR_CHECKED mr_status mr_record_level_parse(const char *text, struct mr_record_level *level,
                                           struct mr_err *err);

#endif
