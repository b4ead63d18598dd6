/* SPDX-License-Identifier: Apache-2.0 */
/* How often series keep a sample. There is one pace of samples; a series keeps every n-th of them,
 * and the last. Series of one kind keep the same: they go by the first part of their group's path,
 * "grid" of "/grid/feed". */
#ifndef MR_ENGINE_RECORD_PACE_H
#define MR_ENGINE_RECORD_PACE_H

#include <stddef.h>
#include <stdint.h>

enum {
    MR_PACE_KINDS = 32,
    MR_PACE_NAME = 24
};

struct mr_pace {
    uint64_t n_guess; /* samples that are thought to come, for the size of chunks; 0: not known */
    uint64_t every_n; /* of kinds that are not named; 0: all */
    struct {
        char name[MR_PACE_NAME];
        uint64_t every_n;
    } kind[MR_PACE_KINDS];
    size_t n_kind;
};

/** Of how many samples a group keeps one; at least 1. */
uint64_t mr_pace_of(const struct mr_pace *pace, const char *group);

#endif
