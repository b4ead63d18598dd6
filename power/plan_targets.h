/* SPDX-License-Identifier: Apache-2.0 */
/* Load targets out of a file of messages grid.loadtarget.set.v1 (DSX Flex 1.7.0): one JSON object
 * after the other (JSON Lines) or an array of them, each the payload alone or in its CloudEvents
 * envelope. What is signed (JWS) is not read; carrying messages over a bus is not done here.
 *
 *     {"type": "grid.loadtarget.set.v1", "time": 570, "data": {"targets": [{
 *         "interval": {"start_time": 600, "end_time": 4200}, "feed_tags": ["hall"],
 *         "load_constraint": {"value": 15, "unit": "megawatt"},
 *         "strategy": {"best_effort": true}}]}}
 *
 * Times are dates (ISO 8601) or seconds of the run. A message is known at its `time`; without one
 * each target as it begins. No start_time: at `time`; no end_time: until replaced or released; a
 * load_constraint of null releases. `type` stands before `data`. No feed_tags: every feed; the
 * site's feed has its name. Messages of other types and targets of other feeds are passed over. */
#ifndef MR_POWER_PLAN_TARGETS_H
#define MR_POWER_PLAN_TARGETS_H

#include "power/plan.h"

/** @param[in] start_s date of the run's start, since 1970; NAN: not known, so dates are refused
 *  @param[in,out] plan they are added to it; mr_free(item), after errors too */
MR_CHECKED mr_status mr_plan_read_targets(const char *path, const struct mr_site *site,
                                          double start_s, struct mr_plan *plan, struct mr_err *err);

/** The same from memory. @param[in] name used in messages */
MR_CHECKED mr_status mr_plan_read_targets_memory(const void *bytes, size_t n, const char *name,
                                                 const struct mr_site *site, double start_s,
                                                 struct mr_plan *plan, struct mr_err *err);

#endif
