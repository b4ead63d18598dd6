/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found, for people and for programs: the builds from the best on, the front they
 * make, and why each of the others lost. */
#ifndef MR_ENGINE_CLI_SIZE_TELL_H
#define MR_ENGINE_CLI_SIZE_TELL_H

#include "engine/cli/size_play.h"

struct mr_size_told {
    const struct mr_size_space *space;
    const struct mr_size_play *play;
    size_t best; /* n_build: none */
    bool has_target;
};

/** The order of the table: does build a stand before b? */
bool mr_size_tell_is_before(const struct mr_size_told *told, size_t a, size_t b);

/** Table, plot in characters and reasons. */
void mr_size_tell_text(const struct mr_size_told *told, struct mr_buf *out);

/** One object: goal, best build with its settings, all builds, all runs in order. */
void mr_size_tell_json(const struct mr_size_told *told, struct mr_buf *out);

/** A line per build. */
void mr_size_tell_csv(const struct mr_size_told *told, struct mr_buf *out);

/** A line per run: manifest.csv, so that the folder can be merged. */
void mr_size_tell_manifest(const struct mr_size_told *told, struct mr_buf *out);

#endif
