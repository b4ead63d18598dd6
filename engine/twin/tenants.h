/* SPDX-License-Identifier: Apache-2.0 */
/* What tenants have used, paid and got, and what happens when one has used up its budget: of a
 * period, the tokens of all its agents, input and output of calls, or what they cost.
 *
 *   none       nothing: the budget only says how many sessions begin
 *   stop       its calls are not served: their sessions end
 *   downgrade  its calls are served as those of a lower tier, and paid as such
 *   throttle   its calls wait until the next period begins
 *
 * Sessions may be of no tenant: nothing is kept of them (MR_PLAYER_NO_TENANT).
 *
 * A call counts when it is let come, with all its tokens, as if none of its input were cached; what
 * it costs less is given back when it has finished. The one that passes the budget is served. Those
 * that wait for a period come in no order of their arrival, and those for which it is too small
 * wait for the next one. */
#ifndef MR_ENGINE_TWIN_TENANTS_H
#define MR_ENGINE_TWIN_TENANTS_H

#include "engine/base/hist.h"
#include "engine/serve/cell.h"
#include "engine/twin/scenario.h"
#include "engine/work/player.h"

/* Sums over calls and sessions. Those of cells are added in the order of cells. */
struct mr_tenant_sums {
    uint64_t n_arrived, n_finished, n_refused;   /* calls */
    uint64_t n_stopped, n_downgraded, n_delayed; /* of them beyond the budget */
    uint64_t n_input, n_cached, n_output;        /* tokens of finished calls */
    double usd;                                  /* of them, by the tier that served them */
    uint64_t n_ended, n_failed;                  /* sessions; of them those that failed */
    double part_s[MR_PLAYER_PARTS], whole_s;     /* of sessions that finished */
};

struct mr_tenant_hists {
    struct mr_hist ttft, tpot, e2e, completion;
};

struct mr_tenant {
    struct mr_tenant_sums sum;
    struct mr_tenant_hists hist;
    double budget_tok, budget_usd; /* of a period; 0: none */
    double start_s;                /* of the run, since a Monday, midnight, where it is */
    uint64_t period;               /* that used_... are of */
    double used_tok, used_usd;
    uint8_t lower; /* tier */
};

struct mr_tenants {
    const struct mr_scenario *scenario; /* lent */
    struct mr_tenant *tenant;           /* [n] */
    size_t n;
};

/** @param[in] n_cell each of them keeps its share of the budgets; sessions are dealt to them in
 * turn
 *  @return MR_REF (a tier), MR_RANGE (no budget), MR_NOMEM */
MR_CHECKED mr_status mr_tenants_create(const struct mr_scenario *scenario, uint32_t n_cell,
                                       struct mr_tenants **out, struct mr_err *err);
void mr_tenants_destroy(struct mr_tenants *tenants); /* NULL is fine */

enum mr_tenants_answer {
    MR_TENANTS_SERVE,
    MR_TENANTS_STOP,
    MR_TENANTS_LATER
};

/* A call that comes. */
struct mr_tenants_call {
    uint32_t n_input, n_output;
    uint8_t tier;   /* lowered where that is what happens */
    double until_s; /* MR_TENANTS_LATER: when it is to come again */
};

/** A call comes. */
enum mr_tenants_answer mr_tenants_ask(struct mr_tenants *tenants, uint32_t tenant, double now_s,
                                      struct mr_tenants_call *call);

void mr_tenants_finished(struct mr_tenants *tenants, uint32_t tenant,
                         const struct mr_ticket *ticket, const struct mr_call *call, double now_s);
/** It was let come, and then not served. */
void mr_tenants_refused(struct mr_tenants *tenants, uint32_t tenant, const struct mr_ticket *ticket,
                        double now_s);
void mr_tenants_ended(struct mr_tenants *tenants, const struct mr_player_end *end);

void mr_tenants_add_sums(struct mr_tenant_sums *sum, const struct mr_tenant_sums *more);
void mr_tenants_add_hists(struct mr_tenant_hists *sum, const struct mr_tenant_hists *more);

/** What tokens cost. */
double mr_tenants_usd(const struct mr_scenario *scenario, size_t tier, double n_input,
                      double n_cached, double n_output);

#endif
