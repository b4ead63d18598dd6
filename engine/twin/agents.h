/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of agents on a cell of a run: their calls arrive there, and what becomes of them goes
 * back to the player. */
#ifndef MR_ENGINE_TWIN_AGENTS_H
#define MR_ENGINE_TWIN_AGENTS_H

#include "engine/serve/cell.h"
#include "engine/twin/agents_deal.h"
#include "engine/twin/tenants.h"

/* What a call was promised; 0: nothing. */
struct mr_agents_goal {
    double ttft_s, tpot_s;
};

/* What became of one session. */
struct mr_agents_row {
    uint32_t id, script; /* life, and place in the file */
    uint32_t tenant;     /* UINT32_MAX: of none */
    uint8_t tier;
    uint8_t failed;
    double started_s, finished_s;
    /* parts of its critical path: they add up to finished - started */
    double queue_s, kv_load_s, prefill_s, decode_s, gateway_s, network_s, tools_s, tool_queue_s,
        memory_s, think_s, delay_s;
    uint64_t n_call, n_input, n_cached, n_output; /* of its calls that have ended */
};

struct mr_agents_options {
    /* told when a call comes to the cell; not NULL */
    void (*arrived)(void *context, uint8_t tier);
    /* told of every session that ends; not NULL */
    mr_status (*on_session)(void *context, const struct mr_agents_row *row, struct mr_err *err);
    void *context;
    bool wants_tokens; /* of every session, in its row; else they are 0 there */
};

struct mr_agents;

struct mr_agents_plan {
    const struct mr_scenario *scenario; /* lent */
    struct mr_agents_options options;
    struct mr_agents_deal *deal; /* lent */
    uint32_t i_cell;             /* one of those that it deals to */
    double share;                /* of all instances that decode */
};

/** Makes the player of a cell. @param[in] cell lent; has no calls yet
 *  @param[out] out owned by the caller: mr_agents_close, before the cell's end */
MR_CHECKED mr_status mr_agents_open(const struct mr_agents_plan *plan, struct mr_cell *cell,
                                    struct mr_agents **out, struct mr_err *err);
void mr_agents_close(struct mr_agents *agents); /* NULL is fine */

/** Play the events of cell and player that are before a time. */
MR_CHECKED mr_status mr_agents_play(struct mr_agents *agents, double until_s, struct mr_err *err);

/** The next event of either; INFINITY: nothing is left. */
double mr_agents_due_s(const struct mr_agents *agents);

/* ---- for the cell's sink ---- */

void mr_agents_finished(struct mr_agents *agents, const struct mr_ticket *ticket,
                        const struct mr_call *call, double now_s);
void mr_agents_refused(struct mr_agents *agents, const struct mr_ticket *ticket, double now_s,
                       enum mr_cell_refusal why);

/** What its session was promised, where it says so, in place of its tier's promises. */
void mr_agents_goal(const struct mr_agents *agents, const struct mr_ticket *ticket,
                    struct mr_agents_goal *goal);

/** Number of the session that a ticket is of. */
uint32_t mr_agents_session(const struct mr_agents *agents, const struct mr_ticket *ticket);

/** Place of the tenant whose call it is; UINT32_MAX: of none. */
uint32_t mr_agents_tenant(const struct mr_agents *agents, const struct mr_ticket *ticket);

/* ---- what came of it ---- */

const struct mr_player *mr_agents_player(const struct mr_agents *agents);

/** Racks that run tools have gone, or are back (mr_player_set_cores). */
MR_CHECKED mr_status mr_agents_set_cores(struct mr_agents *agents, double frac, double lost_frac,
                                         double now_s, struct mr_err *err);

/* Blocks of a cell in use or cached, as of the ends of windows. */
struct mr_agents_residency {
    double area, whole; /* time integrals: of those, of all there are */
    double peak, n_block;
};

struct mr_agents_residency mr_agents_resided(const struct mr_agents *agents);

/** What tenants have got of this cell; NULL without any. */
const struct mr_tenants *mr_agents_tenants(const struct mr_agents *agents);

#endif
