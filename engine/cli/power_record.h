/* SPDX-License-Identifier: Apache-2.0 */
/* The result file of the power verb: racks, the connection, losses by stage, storage over time,
 * events, key figures. */
#ifndef MR_ENGINE_CLI_POWER_RECORD_H
#define MR_ENGINE_CLI_POWER_RECORD_H

#include "engine/cli/power_spectrum.h"

struct mr_power_record;

/** @param[in] site, supply outlive it @param[in] every_s between two rows @param[out] out owned by
 *  the caller: mr_power_record_destroy, which leaves PATH.part when it was not finished */
MR_CHECKED mr_status mr_power_record_create(const char *path, bool may_overwrite,
                                            const struct mr_site *site,
                                            const struct mr_supply *supply, double every_s,
                                            struct mr_power_record **out, struct mr_err *err);
void mr_power_record_destroy(struct mr_power_record *record);

/** One row of every track. */
MR_CHECKED mr_status mr_power_record_row(struct mr_power_record *record, struct mr_err *err);

/** One event. Failures are told by the next row. */
void mr_power_record_event(struct mr_power_record *record, const struct mr_supply_event *event);

/** Key figures, the summary as text, spectra, and the file's own name.
 *  @param[in] spectrum at its end, or nothing watched */
MR_CHECKED mr_status mr_power_record_finish(struct mr_power_record *record, const char *summary,
                                            const struct mr_power_spectrum *spectrum,
                                            struct mr_err *err);

#endif
