/* SPDX-License-Identifier: Apache-2.0 */
/* The result file of the thermal verb: the plant over time (thermal_series.h), events, every
 * package's die at the end, key figures. */
#ifndef MR_ENGINE_CLI_THERMAL_RECORD_H
#define MR_ENGINE_CLI_THERMAL_RECORD_H

#include "engine/cli/groups.h"
#include "engine/cli/thermal_figures.h"

struct mr_thermal_record;

/* What it writes beside the series. */
extern const struct mr_group_list mr_thermal_groups;

/** @param[in] every_s between two rows @param[out] out owned by the caller:
 *  mr_thermal_record_destroy, which leaves PATH.part when it was not finished */
MR_CHECKED mr_status mr_thermal_record_create(const char *path, bool may_overwrite,
                                              const struct mr_plant *plant, double every_s,
                                              struct mr_thermal_record **out, struct mr_err *err);

void mr_thermal_record_destroy(struct mr_thermal_record *record);

/** What was for some time: means and extremes of the next row are made of it. */
void mr_thermal_record_look(struct mr_thermal_record *record, const struct mr_plant_state *state,
                            double lasted_s);

/** One row of every series. */
MR_CHECKED mr_status mr_thermal_record_row(struct mr_thermal_record *record,
                                           const struct mr_plant_state *state, double t_s,
                                           struct mr_err *err);

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
