/* SPDX-License-Identifier: Apache-2.0 */
/* Racks whose processors run the tools of sessions: those without packages whose processors are
 * most of what they are rated for, of the card that <tools> names, if it names one. Tools spread
 * over all of them evenly; busy cores beyond theirs are elsewhere. Watts of a processor go from its
 * card's least to its most with its busy cores. */
#ifndef MR_ENGINE_TWIN_TOOL_RACKS_H
#define MR_ENGINE_TWIN_TOOL_RACKS_H

#include "engine/twin/exchange.h"

struct mr_arena;

/** @param[in] cpu card of <tools>; NULL: any
 *  @param[out] out [racks], in the arena; NULL: there are none */
MR_CHECKED mr_status mr_tool_racks_find(const struct mr_site *site, const char *cpu,
                                        struct mr_arena *arena,
                                        const struct mr_exchange_tools **out,
                                        struct mr_diags *diags, struct mr_err *err);

#endif
