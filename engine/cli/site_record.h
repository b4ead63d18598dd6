/* SPDX-License-Identifier: Apache-2.0 */
/* The site's part of a run's result file: what the thermal and the power verb write over time, caps
 * and clocks of racks, watts of rows, halls and the site, events. */
#ifndef MR_ENGINE_CLI_SITE_RECORD_H
#define MR_ENGINE_CLI_SITE_RECORD_H

#include "engine/cli/groups.h"
#include "engine/record/runfile.h"
#include "engine/twin/factory.h"
#include "engine/twin/play.h"
#include "engine/twin/record_every.h"

struct mr_site_record;

/* What it writes. */
extern const struct mr_group_list mr_site_groups;

struct mr_site_record_options {
    struct mr_record_every every; /* between two rows */
    bool has_site, has_racks, has_dies;
    const struct mr_scenario *scenario; /* lent: pools, and the seed of dies */
};

/** @param[in] file not yet begun, outlives the record @param[in] factory NULL: no site, only the
 *  columns of events are there @return MR_LIMIT: too many dies @param[out] out
 * mr_site_record_destroy */
MR_CHECKED mr_status mr_site_record_create(struct mr_runfile *file, struct mr_factory *factory,
                                           const struct mr_site_record_options *options,
                                           struct mr_site_record **out, struct mr_err *err);
void mr_site_record_destroy(struct mr_site_record *record);

/** There was an exchange: means and extremes of the next rows are made of it. */
void mr_site_record_look(struct mr_site_record *record, double now_s);

/** One row of the series of some kinds: the state of the last exchange. */
MR_CHECKED mr_status mr_site_record_row(struct mr_site_record *record, double t_s, uint32_t due,
                                        struct mr_err *err);

MR_CHECKED mr_status mr_site_record_event(struct mr_site_record *record,
                                          const struct mr_play_event *event, struct mr_err *err);

/** After the series have stopped: where racks stand, and what they may draw. */
MR_CHECKED mr_status mr_site_record_finish(struct mr_site_record *record, struct mr_err *err);

#endif
