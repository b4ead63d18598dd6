/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of a run for those who look on; part of its inside (play_impl.h). */
#ifndef MR_ENGINE_TWIN_PLAY_SAMPLE_H
#define MR_ENGINE_TWIN_PLAY_SAMPLE_H

#include "engine/twin/play_impl.h"

MR_CHECKED mr_status mr_play_sample_init(struct mr_play_run *run, struct mr_err *err);

/** How many dates of samples a window may pass at most, and where it has to end for that. */
double mr_play_sample_edge_s(const struct mr_play_run *run, double end_s);

/** Before a window: the dates in it. */
void mr_play_sample_plan(struct mr_play_run *run, double end_s);

/** After an exchange at the date of the next sample: the cells' parts of that. */
void mr_play_sample_seen(struct mr_play_run *run, double now_s);

/** The cell's part of all dates before an event. */
void mr_play_sample_watch(void *cell, double before_s);

/** All parts of the window's dates before a time become samples. */
MR_CHECKED mr_status mr_play_sample_tell(struct mr_play_run *run, double before_s,
                                         struct mr_err *err);

/** The last one. */
MR_CHECKED mr_status mr_play_sample_end(struct mr_play_run *run, double now_s, struct mr_err *err);

#endif
