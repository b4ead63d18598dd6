/* SPDX-License-Identifier: Apache-2.0 */
/* Values as SimGrid spells them: "1800GBps", "100Gbps" (bits), "250ns", "5m" (minutes), "35Pf". No
 * space before the unit; the same bits back. SimGrid itself multiplies doubles, so its value may
 * differ in the last bit. */
#ifndef MR_PLATFORMS_SGUNIT_H
#define MR_PLATFORMS_SGUNIT_H

#include "engine/base/unit.h"

/** @param[in] q MR_Q_DATA_RATE, MR_Q_TIME or MR_Q_FLOP_RATE
 *  @param[in] subject start of the message, such as `link "up": bandwidth "14400 Tb"`
 *  @param[out] value set only on MR_OK
 *  @param[out] has_unit false: a plain number, taken in the base unit
 *  @return MR_OK, MR_PARSE, MR_UNIT (with the nearest unit), MR_RANGE */
MR_CHECKED mr_status mr_sgunit_parse(struct mr_str text, enum mr_quantity q, const char *subject,
                                     struct mr_place at, double *value, bool *has_unit,
                                     struct mr_err *err);

/** Text that mr_sgunit_parse reads back to the same bits. @return length */
size_t mr_sgunit_format(double value, enum mr_quantity q, char out[MR_UNIT_CAP]);

#endif
