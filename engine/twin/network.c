/* SPDX-License-Identifier: Apache-2.0 */
/* The pools are opened to know bytes and links, and closed again: nothing is played. */
#include "engine/twin/network.h"

#include "engine/twin/pool.h"

#include <math.h>
#include <stdio.h>

static double expected(const struct mr_scenario *scenario, const struct mr_split_plan *plan)
{
    const struct mr_arrivals_spec *drawn = &scenario->workload;
    const double n_link = (double)scenario->deployment.n_instance;
    const double n_sender = (double)plan->n_instance * (double)plan->n_slot;
    const double bytes = plan->token_bytes * drawn->input_tok + plan->sequence_bytes;
    const double bandwidth_bytes_s = plan->efficiency * plan->receive_bytes_s;
    if (scenario->has_agents || drawn->file != NULL || drawn->windows != NULL)
        return n_sender;
    return fmin(n_sender,
                n_link * mr_transfer_choice_expected(drawn->rate_s / n_link, bytes,
                                                     bandwidth_bytes_s, plan->latency_s, n_sender));
}

static mr_status choose(struct mr_scenario *scenario, bool has_platform,
                        char why[MR_TRANSFER_CHOICE_CAP], struct mr_pool pool[2],
                        struct mr_shelf *shelf, struct mr_diags *diags, struct mr_err *err)
{
    struct mr_split_plan plan;
    MR_TRY(
        mr_pool_open(shelf, scenario, &scenario->deployment, "deployment", &pool[0], diags, err));
    MR_TRY(mr_pool_open(shelf, scenario, &scenario->prefill, "prefill", &pool[1], diags, err));
    MR_TRY(mr_pool_split(scenario, &pool[1], &pool[0], &plan, err));
    const bool is_flow =
        has_platform && mr_transfer_choice_of(MR_TRANSFER_CHOICE_AUTO, expected(scenario, &plan),
                                              why) == MR_TRANSFER_CHOICE_FLOW;
    if (!has_platform)
        snprintf(why, MR_TRANSFER_CHOICE_CAP, "shared: flows need the platform of a site");
    scenario->transfer.network = is_flow ? MR_SCENARIO_FLOW : MR_SCENARIO_SHARED;
    return MR_OK;
}

mr_status mr_network_choose(struct mr_scenario *scenario, bool has_platform,
                            char why[MR_TRANSFER_CHOICE_CAP], struct mr_diags *diags)
{
    struct mr_pool pool[2] = {0};
    struct mr_shelf *shelf = NULL;
    struct mr_err err = {0};
    why[0] = '\0';
    if (!scenario->has_prefill || scenario->transfer.network != MR_SCENARIO_AUTO)
        return MR_OK;
    mr_status st = mr_shelf_create(&shelf, &err);
    if (st == MR_OK)
        st = choose(scenario, has_platform, why, pool, shelf, diags, &err);
    if (st != MR_OK && diags->first_error == MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_pool_close(&pool[0]);
    mr_pool_close(&pool[1]);
    mr_shelf_destroy(shelf);
    return st;
}
