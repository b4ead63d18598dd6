/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of a run's summary (play_json.c) mean. */
#ifndef MR_ENGINE_TWIN_PLAY_KEYS_H
#define MR_ENGINE_TWIN_PLAY_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* A key, with dots between levels and [] after lists. Times have p50, p90, p99 and mean below. */
struct mr_play_key {
    const char *path, *unit, *doc;
};

/** In the order of the summary; NULL past the last. */
const struct mr_play_key *mr_play_key(size_t i);

/** Has p50, p90, p99 and mean below it. */
bool mr_play_key_is_times(const struct mr_play_key *key);

#endif
