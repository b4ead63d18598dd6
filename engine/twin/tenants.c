/* SPDX-License-Identifier: Apache-2.0 */
/* Sums by tenant. */
#include "engine/twin/tenants.h"

#include "engine/base/mem.h"

#include <math.h>
#include <string.h>

static const double year_s = 365.0 * 86400;

static mr_status find_lower(const struct mr_scenario *scenario, size_t i, uint8_t *lower,
                            struct mr_err *err)
{
    const char *name = scenario->tenant[i].lower;
    for (size_t k = 0; k < scenario->n_tier; k++)
        if (name != NULL && strcmp(scenario->tier[k].name, name) == 0) {
            *lower = (uint8_t)k;
            return MR_OK;
        }
    return mr_err_set(err, MR_REF, (struct mr_place){scenario->path, 0, 0},
                      name == NULL ? "tenant %zu: \"over\" is downgrade: say its \"lower\" tier"
                                   : "tenant %zu: there is no <tier> named \"%s\"",
                      i + 1, name);
}

mr_status mr_tenants_create(const struct mr_scenario *scenario, uint32_t n_cell,
                            struct mr_tenants **out, struct mr_err *err)
{
    struct mr_tenants *tenants = mr_alloc_zero(1, sizeof *tenants);
    struct mr_tenant *tenant = mr_alloc_zero(scenario->n_tenant + 1, sizeof *tenant);
    const char *start =
        scenario->agents.start != NULL ? scenario->agents.start : scenario->grid.start;
    mr_status st = MR_OK;
    *out = NULL;
    if (tenants == NULL || tenant == NULL) {
        mr_free(tenants);
        mr_free(tenant);
        return mr_err_nomem(err, scenario->n_tenant * sizeof *tenant);
    }
    *tenants = (struct mr_tenants){scenario, tenant, scenario->n_tenant};
    for (size_t i = 0; i < tenants->n && st == MR_OK; i++) {
        const struct mr_demand_tenant *spec = &scenario->tenant[i];
        const double agents = spec->n_employee * spec->agents_each;
        const double share = agents * spec->period_s / year_s / n_cell;
        double local_s;
        tenant[i].budget_tok = spec->budget_tok * share;
        tenant[i].budget_usd = spec->budget_usd * share;
        st = mr_demand_start(start, spec->zone, &local_s, &tenant[i].start_s, err);
        if (st == MR_OK && spec->over == MR_DEMAND_DOWNGRADE)
            st = find_lower(scenario, i, &tenant[i].lower, err);
        if (st == MR_OK && spec->over != MR_DEMAND_UNLIMITED &&
            !(tenant[i].budget_tok > 0 || tenant[i].budget_usd > 0))
            st = mr_err_set(err, MR_RANGE, (struct mr_place){scenario->path, 0, 0},
                            "tenant %zu: \"over\" needs a \"budget\", or a \"budget_usd\"", i + 1);
    }
    if (st != MR_OK) {
        mr_tenants_destroy(tenants);
        return st;
    }
    *out = tenants;
    return MR_OK;
}

void mr_tenants_destroy(struct mr_tenants *tenants)
{
    if (tenants == NULL)
        return;
    mr_free(tenants->tenant);
    mr_free(tenants);
}

static uint64_t period_of(const struct mr_tenants *tenants, uint32_t i, double now_s)
{
    return (uint64_t)((tenants->tenant[i].start_s + now_s) / tenants->scenario->tenant[i].period_s);
}

/* What it has used counts from the beginning of each period. */
static struct mr_tenant *at(struct mr_tenants *tenants, uint32_t i, double now_s)
{
    struct mr_tenant *tenant = &tenants->tenant[i];
    const uint64_t period = period_of(tenants, i, now_s);
    if (period != tenant->period) {
        tenant->period = period;
        tenant->used_tok = tenant->used_usd = 0;
    }
    return tenant;
}

/* At a later date than now, whatever is lost in rounding. */
static double next_period_s(const struct mr_tenants *tenants, uint32_t i, double now_s)
{
    const struct mr_tenant *tenant = &tenants->tenant[i];
    const double period_s = tenants->scenario->tenant[i].period_s;
    return fmax(now_s + 1e-3, (double)(tenant->period + 1) * period_s - tenant->start_s);
}

static double full_usd(const struct mr_tenants *tenants, uint8_t tier, uint32_t n_input,
                       uint32_t n_output)
{
    return mr_tenants_usd(tenants->scenario, tier, n_input, 0, n_output);
}

enum mr_tenants_answer mr_tenants_ask(struct mr_tenants *tenants, uint32_t i, double now_s,
                                      struct mr_tenants_call *call)
{
    if (i >= tenants->n)
        return MR_TENANTS_SERVE;
    const int over = tenants->scenario->tenant[i].over;
    struct mr_tenant *tenant = at(tenants, i, now_s);
    const bool is_over = over != MR_DEMAND_UNLIMITED &&
                         ((tenant->budget_tok > 0 && tenant->used_tok >= tenant->budget_tok) ||
                          (tenant->budget_usd > 0 && tenant->used_usd >= tenant->budget_usd));
    if (is_over && over == MR_DEMAND_STOP) {
        tenant->sum.n_stopped++;
        return MR_TENANTS_STOP;
    }
    if (is_over && over == MR_DEMAND_THROTTLE) {
        tenant->sum.n_delayed++;
        call->until_s = next_period_s(tenants, i, now_s);
        return MR_TENANTS_LATER;
    }
    if (is_over) {
        tenant->sum.n_downgraded++;
        call->tier = tenant->lower;
    }
    tenant->sum.n_arrived++;
    tenant->used_tok += (double)call->n_input + (double)call->n_output;
    tenant->used_usd += full_usd(tenants, call->tier, call->n_input, call->n_output);
    return MR_TENANTS_SERVE;
}

double mr_tenants_usd(const struct mr_scenario *scenario, size_t tier, double n_input,
                      double n_cached, double n_output)
{
    const struct mr_scenario_tier *price = &scenario->tier[tier];
    const bool is_written = scenario->deployment.has_cache && price->write_usd_mtok > 0;
    return ((is_written ? price->write_usd_mtok : price->input_usd_mtok) * (n_input - n_cached) +
            price->cached_usd_mtok * n_cached + price->output_usd_mtok * n_output) *
           1e-6;
}

void mr_tenants_finished(struct mr_tenants *tenants, uint32_t i, const struct mr_ticket *ticket,
                         const struct mr_call *call, double now_s)
{
    if (i >= tenants->n)
        return;
    struct mr_tenant *tenant = at(tenants, i, now_s);
    tenant->sum.n_finished++;
    tenant->sum.n_input += ticket->n_prompt;
    tenant->sum.n_cached += ticket->n_cached;
    tenant->sum.n_output += ticket->n_output;
    const double usd = mr_tenants_usd(tenants->scenario, ticket->tier, ticket->n_prompt,
                                      ticket->n_cached, ticket->n_output);
    tenant->sum.usd += usd;
    if (period_of(tenants, i, call->arrived_s) == tenant->period)
        tenant->used_usd +=
            usd - full_usd(tenants, ticket->tier, ticket->n_prompt, ticket->n_output);
    mr_hist_add(&tenant->hist.ttft, call->first_s - call->arrived_s);
    if (ticket->n_output > 1)
        mr_hist_add(&tenant->hist.tpot, (now_s - call->first_s) / (ticket->n_output - 1));
    mr_hist_add(&tenant->hist.e2e, now_s - call->arrived_s);
}

void mr_tenants_refused(struct mr_tenants *tenants, uint32_t i, const struct mr_ticket *ticket,
                        double now_s)
{
    if (i >= tenants->n)
        return;
    struct mr_tenant *tenant = at(tenants, i, now_s);
    const double n_tok = (double)ticket->n_prompt + (double)ticket->n_output;
    tenant->sum.n_refused++;
    tenant->used_tok = fmax(0, tenant->used_tok - n_tok);
    tenant->used_usd = fmax(
        0, tenant->used_usd - full_usd(tenants, ticket->tier, ticket->n_prompt, ticket->n_output));
}

void mr_tenants_ended(struct mr_tenants *tenants, const struct mr_player_end *end)
{
    if (end->tenant >= tenants->n)
        return;
    struct mr_tenant *tenant = &tenants->tenant[end->tenant];
    tenant->sum.n_ended++;
    tenant->sum.n_failed += end->has_failed;
    if (end->has_failed)
        return;
    mr_hist_add(&tenant->hist.completion, end->end_s - end->start_s);
    tenant->sum.whole_s += end->end_s - end->start_s;
    for (int k = 0; k < MR_PLAYER_PARTS && end->part_s != NULL; k++)
        tenant->sum.part_s[k] += end->part_s[k];
}

void mr_tenants_add_sums(struct mr_tenant_sums *sum, const struct mr_tenant_sums *more)
{
    sum->n_arrived += more->n_arrived;
    sum->n_finished += more->n_finished;
    sum->n_refused += more->n_refused;
    sum->n_stopped += more->n_stopped;
    sum->n_downgraded += more->n_downgraded;
    sum->n_delayed += more->n_delayed;
    sum->n_input += more->n_input;
    sum->n_cached += more->n_cached;
    sum->n_output += more->n_output;
    sum->usd += more->usd;
    sum->n_ended += more->n_ended;
    sum->n_failed += more->n_failed;
    sum->whole_s += more->whole_s;
    for (int k = 0; k < MR_PLAYER_PARTS; k++)
        sum->part_s[k] += more->part_s[k];
}

void mr_tenants_add_hists(struct mr_tenant_hists *sum, const struct mr_tenant_hists *more)
{
    mr_hist_merge(&sum->ttft, &more->ttft);
    mr_hist_merge(&sum->tpot, &more->tpot);
    mr_hist_merge(&sum->e2e, &more->e2e);
    mr_hist_merge(&sum->completion, &more->completion);
}
