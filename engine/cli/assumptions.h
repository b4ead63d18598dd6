/* SPDX-License-Identifier: Apache-2.0 */
/* What a run takes for true and nobody has measured or published: figures of the cards it uses. */
#ifndef MR_ENGINE_CLI_ASSUMPTIONS_H
#define MR_ENGINE_CLI_ASSUMPTIONS_H

#include "engine/base/card.h"
#include "engine/twin/scenario.h"
#include "platforms/site.h"

/** Is a figure an assumption? A default is one, but for zero and nothing, which say that there is
 *  none of it. */
bool mr_assumptions_is(const struct mr_card *card, size_t row);

/** Of all cards in use, estimates too: "gpu rubin: memory.bandwidth 22 TB/s, assumption: NOTE", one
 * to a line.
 *  @param[in] site NULL: none @param[in,out] out appended to */
MR_CHECKED mr_status mr_assumptions_write(const struct mr_scenario *scenario,
                                          const struct mr_site *site, struct mr_buf *out,
                                          struct mr_err *err);

#endif
