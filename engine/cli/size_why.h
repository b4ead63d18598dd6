/* SPDX-License-Identifier: Apache-2.0 */
/* What a search knows of one build, and why that build won or lost, in words. */
#ifndef MR_ENGINE_CLI_SIZE_WHY_H
#define MR_ENGINE_CLI_SIZE_WHY_H

#include "engine/cli/size_tell.h"

enum {
    MR_SIZE_WHY = 3 * MR_SEARCH_WHY
};

/** It may hold heavier loads that were not tried: its tokens are a lower bound. */
bool mr_size_is_bounded(const struct mr_size_told *told, size_t i);

/** The run that stands for a build: that of the heaviest load it held, else its last; NULL: none.
 */
const struct mr_size_run *mr_size_run_of(const struct mr_size_told *told, size_t i);

/** What a build drew: in its longer run, where it had one; NaN: it was not played. */
double mr_size_peak_mw(const struct mr_size_told *told, size_t i);

/** @param[in] cap MR_SIZE_WHY holds every sentence */
void mr_size_why(const struct mr_size_told *told, size_t i, char *out, size_t cap);

#endif
