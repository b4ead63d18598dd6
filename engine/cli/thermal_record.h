/* SPDX-License-Identifier: Apache-2.0 */
/* The result file of the thermal verb: racks, CDU groups, heat rejection, halls and weather over
 * time, events, key figures. */
#ifndef MR_ENGINE_CLI_THERMAL_RECORD_H
#define MR_ENGINE_CLI_THERMAL_RECORD_H

#include "engine/cli/groups.h"
#include "engine/cli/thermal_figures.h"
#include "engine/record/runfile.h"
#include "engine/twin/record_every.h"

struct mr_thermal_record;

/* What it writes. */
extern const struct mr_group_list mr_thermal_groups;

/** @param[in] every_s between two rows @param[out] out owned by the caller:
 *  mr_thermal_record_destroy, which leaves PATH.part when it was not finished */
MR_CHECKED mr_status mr_thermal_record_create(const char *path, bool may_overwrite,
                                              const struct mr_plant *plant, double every_s,
                                              struct mr_thermal_record **out, struct mr_err *err);

enum {
    MR_THERMAL_RECORD_MORE = 16
};

/* What the file's owner knows of racks, beside the plant. Lent. */
struct mr_thermal_record_more {
    const struct mr_channel *channel; /* of doubles; their texts outlive the file */
    size_t n;                         /* at most MR_THERMAL_RECORD_MORE */
    const double *value;              /* [n * n_rack], by channel: read with every row */
};

/** The series alone, as a part of somebody's file that has not begun: no events, no end.
 *  @param[in] more NULL: no series of racks */
MR_CHECKED mr_status mr_thermal_record_within(struct mr_runfile *file, const struct mr_plant *plant,
                                              const struct mr_thermal_record_more *more,
                                              const struct mr_record_every *every,
                                              struct mr_thermal_record **out, struct mr_err *err);
void mr_thermal_record_destroy(struct mr_thermal_record *record);

/** What was for some time: means and extremes of the next row are made of it. */
void mr_thermal_record_look(struct mr_thermal_record *record, const struct mr_plant_state *state,
                            double lasted_s);

/** One row of the series of some kinds (record_every.h). */
MR_CHECKED mr_status mr_thermal_record_row(struct mr_thermal_record *record,
                                           const struct mr_plant_state *state, double t_s,
                                           uint32_t due, struct mr_err *err);

/** One event. Failures are told by the next row. */
void mr_thermal_record_event(struct mr_thermal_record *record, const struct mr_plant_event *event);

/** Key figures, every package's die (seed: of the manufacturing spread), the summary as text, and
 *  the file's own name. */
MR_CHECKED mr_status mr_thermal_record_finish(struct mr_thermal_record *record,
                                              const struct mr_plant_state *state,
                                              const struct mr_thermal_figure_list *list,
                                              const char *summary, uint64_t seed,
                                              struct mr_err *err);

#endif
