/* SPDX-License-Identifier: Apache-2.0 */
/* The result file of the power verb: racks, the connection, losses by stage, storage over time,
 * events, key figures. */
#ifndef MR_ENGINE_CLI_POWER_RECORD_H
#define MR_ENGINE_CLI_POWER_RECORD_H

#include "engine/cli/groups.h"
#include "engine/cli/power_spectrum.h"
#include "engine/record/runfile.h"
#include "engine/twin/record_every.h"
#include "power/strand.h"

struct mr_power_record;

/* What it writes. */
extern const struct mr_group_list mr_power_groups;

/** @param[in] site, supply outlive it @param[in] every_s between two rows @param[out] out owned by
 *  the caller: mr_power_record_destroy, which leaves PATH.part when it was not finished */
MR_CHECKED mr_status mr_power_record_create(const char *path, bool may_overwrite,
                                            const struct mr_site *site,
                                            const struct mr_supply *supply, double every_s,
                                            struct mr_power_record **out, struct mr_err *err);
/** The series alone but those of racks, as a part of somebody's file that has not begun: no events,
 *  no end. @param[in] reading lent: what looks and rows write, in place of the supply's of now */
MR_CHECKED mr_status mr_power_record_within(struct mr_runfile *file, const struct mr_site *site,
                                            const struct mr_supply *supply,
                                            const struct mr_record_every *every,
                                            const struct mr_supply_reading *reading,
                                            struct mr_power_record **out, struct mr_err *err);
void mr_power_record_destroy(struct mr_power_record *record);

/** The supply's state holds, or held, for some time: means and extremes of the next row are made
 *  of it. */
void mr_power_record_look(struct mr_power_record *record, double lasts_s);

/** One row of the tracks of some kinds (record_every.h): the supply's state, which has not changed
 *  since its own date. @param[in] t_s rises */
MR_CHECKED mr_status mr_power_record_row(struct mr_power_record *record, double t_s, uint32_t due,
                                         struct mr_err *err);

/** Whatever the supply is telling of its connection: a status, an alert of a breach, or nothing. */
MR_CHECKED mr_status mr_power_record_flex(struct mr_power_record *record, double t_s,
                                          struct mr_err *err);

/** Place of what stands at a bar on the axis of sources; their number: there is none of that name.
 */
uint32_t mr_power_record_source(const struct mr_supply *supply, const char *name);

/** One event. Failures are told by the next row. */
void mr_power_record_event(struct mr_power_record *record, const struct mr_supply_event *event);

/** Key figures, the summary as text, spectra, and the file's own name.
 *  @param[in] strand of the whole site @param[in] spectrum at its end, or nothing watched */
MR_CHECKED mr_status mr_power_record_finish(struct mr_power_record *record, const char *summary,
                                            const struct mr_strand *strand,
                                            const struct mr_power_spectrum *spectrum,
                                            struct mr_err *err);

#endif
