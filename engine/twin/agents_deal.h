/* SPDX-License-Identifier: Apache-2.0 */
/* What all cells' agents have in common: the sessions that are played, and which of them begin
 * where. Sessions are numbered in the order in which they begin and dealt to the cells in turn, so
 * that what a cell plays depends neither on the other cells nor on who owns them. */
#ifndef MR_ENGINE_TWIN_AGENTS_DEAL_H
#define MR_ENGINE_TWIN_AGENTS_DEAL_H

#include "engine/clock/calendar.h"
#include "engine/twin/scenario.h"
#include "engine/work/script.h"

struct mr_agents_deal;

struct mr_agents_deal_plan {
    const struct mr_scenario *scenario; /* lent */
    uint32_t block_tok;                 /* of the instances */
    uint64_t context_max;               /* longest context they take */
    uint32_t n_cell, first, end;        /* first .. end - 1 are played here */
};

/** Reads the sessions. @param[out] out mr_agents_deal_close */
MR_CHECKED mr_status mr_agents_deal_open(const struct mr_agents_deal_plan *plan,
                                         struct mr_agents_deal **out, struct mr_diags *diags,
                                         struct mr_err *err);
void mr_agents_deal_close(struct mr_agents_deal *deal); /* NULL is fine */

/** The sessions of a cell that is played here. */
struct mr_player_source mr_agents_deal_to(struct mr_agents_deal *deal, uint32_t cell);

/** Has dealing failed? Sources cannot say so. */
MR_CHECKED mr_status mr_agents_deal_check(const struct mr_agents_deal *deal, struct mr_err *err);

const struct mr_script *mr_agents_deal_script(const struct mr_agents_deal *deal);
struct mr_calendar_store *mr_agents_deal_store(struct mr_agents_deal *deal);
uint32_t mr_agents_deal_n_cell(const struct mr_agents_deal *deal);

/** Pools beside the LLMs that a cell with this share of the instances has. */
struct mr_player_site mr_agents_deal_site(const struct mr_agents_deal *deal, double share);

/** Bytes of the script. */
size_t mr_agents_deal_bytes(const struct mr_agents_deal *deal);

#endif
