/* SPDX-License-Identifier: Apache-2.0 */
/* What a result file has of the plant over time: racks, CDU groups, heat rejection, halls and
 * weather. The file is its user's: the thermal verb's own, or that of a run. */
#ifndef MR_ENGINE_CLI_THERMAL_SERIES_H
#define MR_ENGINE_CLI_THERMAL_SERIES_H

#include "engine/cli/groups.h"
#include "engine/record/runfile.h"
#include "engine/twin/record_every.h"
#include "thermal/plant.h"

struct mr_thermal_series;

/* What it writes. */
extern const struct mr_group_list mr_thermal_series_groups;

enum {
    MR_THERMAL_SERIES_MORE = 16
};

/* What the file's owner knows of racks, beside the plant. Lent. */
struct mr_thermal_series_more {
    const struct mr_channel *channel; /* of doubles; their texts outlive the file */
    size_t n;                         /* at most MR_THERMAL_SERIES_MORE */
    const double *value;              /* [n * n_rack], by channel: read with every row */
};

/** Declare them in a file that has not begun.
 *  @param[in] more NULL: no series of racks @param[out] out owned by the caller:
 *  mr_thermal_series_destroy */
MR_CHECKED mr_status mr_thermal_series_create(struct mr_runfile *file, const struct mr_plant *plant,
                                              const struct mr_thermal_series_more *more,
                                              const struct mr_record_every *every,
                                              struct mr_thermal_series **out, struct mr_err *err);

/** The file keeps what it was given. NULL is fine. */
void mr_thermal_series_destroy(struct mr_thermal_series *series);

/** What was for some time: means and extremes of the next row are made of it. */
void mr_thermal_series_look(struct mr_thermal_series *series, const struct mr_plant_state *state,
                            double lasted_s);

/** One row of the series of some kinds (record_every.h). */
MR_CHECKED mr_status mr_thermal_series_row(struct mr_thermal_series *series,
                                           const struct mr_plant_state *state, double t_s,
                                           uint32_t due, struct mr_err *err);

#endif
