/* SPDX-License-Identifier: Apache-2.0 */
/* Channels of some entities over time: a group with an axis `time`, an axis of entities and one
 * dataset time x entity per channel. Each series has its own dates, and may be looked at more often
 * than it has samples: a mean or an extreme (channel.h) is that of all looks since the sample
 * before. Declared before mr_runfile_start, owned by the file. */
#ifndef MR_ENGINE_RECORD_TRACK_H
#define MR_ENGINE_RECORD_TRACK_H

#include "engine/record/runfile.h"

struct mr_track;

/* Texts outlive the file; the table of channels and the names of entities are copied. */
struct mr_track_plan {
    const char *group;       /* "/racks" */
    const char *axis;        /* name of the entity axis, "rack"; NULL: one value per channel */
    const char *axis_name;   /* its sentence, "Racks in the order of the platform" */
    const char *const *name; /* n_entity of them; NULL: the axis is a length only */
    size_t n_entity;
    double interval_s; /* becomes an attribute of the group; 0: irregular */
    const struct mr_channel *channel;
    size_t n_channel;
};

/** @param[out] out lent until the file is destroyed */
MR_CHECKED mr_status mr_track_create(struct mr_runfile *file, const struct mr_track_plan *plan,
                                     struct mr_track **out, struct mr_err *err);

/** What holds, or held, for some time without a sample of its own.
 *  @param[in] lasts_s that time [s] @param[in] value as for a row; of channels that are of their
 *  date alone nothing is read, and NULL will do */
void mr_track_look(struct mr_track *track, double lasts_s, const void *const *value);

/** One sample. Times rise.
 *  @param[in] t_s time [s] @param[in] value for each channel, in the order of the plan, n_entity
 *  values as given of its type (one without an axis); read before the call returns. Means and
 *  extremes are read from it where nobody has ever looked; a row without a look since the one
 *  before repeats what was seen last. */
MR_CHECKED mr_status mr_track_row(struct mr_track *track, double t_s, const void *const *value,
                                  struct mr_err *err);

/** Rows given so far. */
uint64_t mr_track_rows(const struct mr_track *track);

#endif
