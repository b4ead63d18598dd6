/* SPDX-License-Identifier: Apache-2.0 */
/* Every draw is made from (flow, number), so that one tenant's rate does not shift another's
 * sessions. Rates that change are thinned: candidates come at the highest rate, and one is taken
 * with the share that the rate has of it. Parts: tables - shapes - starts - draws - flows - life.
 */
#include "engine/work/demand.h"

#include "engine/base/assert.h"
#include "engine/base/date.h"
#include "engine/base/fmath.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/work/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- tables ---- */

static const char *const modes[] = {"open", "closed", "live", "arrivals"};
static const char *const timings[] = {"think", "original", "scaled"};
static const char *const overs[] = {"none", "stop", "downgrade", "throttle"};
static const char *const shapes[] = {"flat", "general", "reasoning", "office"};
#define BASIS(name, text, doc) text,
static const char *const bases[] = {MR_TRACE_BASIS_LIST(BASIS)};
#undef BASIS

// clang-format off
#define S struct mr_demand_spec
static const struct mr_param demand_rows[] = {
    MR_PARAM_STR(S, file, "file", NULL, "Sessions: any format that trace info knows; not given: drawn"),
    MR_PARAM_STR(S, format, "format", NULL, "Format of the file, by the names of trace; not given: told by its content, which takes mooncake-delta for mooncake"),
    MR_PARAM_N(S, file_block_tok, "block", "0", 0, 1000000, "Tokens of a block of the file where its format does not say; 0: its usual size"),
    MR_PARAM_ONE_OF(S, basis, "basis", bases, "auto", "What the time of a finished sub-agent in the file is: auto, start or end"),
    MR_PARAM_ONE_OF(S, mode, "mode", modes, "live", "open: at recorded arrivals; closed: all once; live: always as many; arrivals: drawn dates"),
    MR_PARAM_ONE_OF(S, timing, "timing", timings, "think", "think: after what they depend on; original: recorded starts; scaled: thinks times a factor"),
    MR_PARAM_STR(S, start, "start", NULL, "Date of the run's start, with its zone: 2024-07-01T09:00-07:00; not given: that of the grid's files, else a Monday, midnight"),
    MR_PARAM(S, speed, "speed", MR_Q_COUNT, "1", 1e-6, 1e6, "Recorded arrivals, and with timing original starts, are this many times faster (open)"),
    MR_PARAM(S, think_factor, "think_factor", MR_Q_COUNT, "1", 0, 1e6, "Of thinks (scaled)"),
    MR_PARAM(S, idle_cap_s, "idle_cap", MR_Q_TIME, "10 s", 0, 1e9, "Longest think, and longest pause of a recording that does not say what it was; tools are never cut. 0: no cap"),
    MR_PARAM(S, ramp_s, "ramp", MR_Q_TIME, "60 s", 0, 1e9, "Over which the first sessions begin (closed, live)"),
    MR_PARAM(S, rate_s, "rate", MR_Q_RATE, "0 req/s", 0, 1e9, "Sessions that begin, a Poisson process (arrivals without tenants)"),
    MR_PARAM_N(S, n_session, "sessions", "0", 0, 1000000000, "Live ones, or most in all; 0: those of the file, or no limit"),
    MR_PARAM_N(S, n_drawn, "drawn", "200", 1, 10000000, "Recordings that are drawn where there is no file"),
    MR_PARAM_YES(S, is_warm, "warm", "yes", "First sessions begin in the middle of their lives, with their contexts cached (live)"),
    MR_PARAM(S, warm_up_s, "warm_up", MR_Q_TIME, "0 s", 0, 1e9, "Calls from then to the end of the run are told by themselves, too (measured, in the summary); 30 min of them are usual, 15 min the least that says what is the rule. 0: none are"),
    MR_PARAM_YES(S, shares, "shared_prompts", "yes", "Tools and system prompts of the same size are the same"),
    MR_PARAM_YES(S, drops_ended, "drop_ended", "yes", "Blocks of a session are free when its last call ends"),
    MR_PARAM(S, from_s, "from", MR_Q_TIME, "0 s", 0, 1e12, "Of the file: sessions that arrive from then on, which is when the run starts"),
    MR_PARAM(S, until_s, "until", MR_Q_TIME, "0 s", 0, 1e12, "Of the file: sessions that arrive before it; 0: all"),
    MR_PARAM_N(S, call_min, "min_calls", "0", 0, 4000000000, "Of the file: sessions with fewer LLM calls are left out"),
    MR_PARAM_N(S, call_max, "max_calls", "0", 0, 4000000000, "Of the file: sessions with more LLM calls are left out; 0: none"),
    MR_PARAM_STR(S, model, "model", NULL, "Of the file: sessions that never call it are left out"),
    MR_PARAM_YES(S, is_once, "dedup", "no", "Of sessions whose first three calls have the same lengths the longest is taken"),
    MR_PARAM_N(S, n_sample, "sample", "0", 0, 4000000000, "Of what is left as many sessions, drawn at random; 0: all"),
    MR_PARAM(S, tick_s, "dequantize", MR_Q_TIME, "0 s", 0, 1e6, "Arrivals of one time are spread at random over this time after it"),
    MR_PARAM_N(S, length_max, "length_max", "0", 0, 4000000000, "Sessions with longer contexts are left out; 0: those longer than the deployment's"),
};
#undef S
#define T struct mr_demand_tenant
static const struct mr_param tenant_rows[] = {
    MR_PARAM_STR(T, name, "name", NULL, "Name of the tenant"),
    MR_PARAM_STR(T, tier, "tier", NULL, "Name of its tier; not given: the first"),
    MR_PARAM(T, n_employee, "employees", MR_Q_COUNT, "1", 0, 1e9, "People of the tenant"),
    MR_PARAM(T, agents_each, "agents", MR_Q_COUNT, "1", 0, 1e6, "Agents of each"),
    MR_PARAM(T, budget_tok, "budget", MR_Q_TOKENS, "0 tok", 0, 1e18, "Tokens of one agent in a year, input and output; without cron it is needed, or \"budget_usd\""),
    MR_PARAM(T, budget_usd, "budget_usd", MR_Q_MONEY, "0 USD", 0, 1e15, "The same in money, of which \"over\" tells what happens beyond it, too; without \"budget\" sessions come as often as spends it; 0: none"),
    MR_PARAM_ONE_OF(T, shape, "shape", shapes, "flat", "Of days: flat, two measured services, office hours"),
    MR_PARAM(T, weekend_frac, "weekend", MR_Q_FRACTION, "100 %", 0, 1, "Rate of Saturday and Sunday over that of other days"),
    MR_PARAM(T, burst, "burst", MR_Q_COUNT, "1", 1, 1e3, "Rate of busy hours over the mean; as seldom as the mean needs"),
    MR_PARAM_STR(T, cron, "cron", NULL, "Schedule: minute hour day month weekday; one session per agent"),
    MR_PARAM_STR(T, zone, "zone", NULL, "Offset of its days, weeks and schedule from UTC: +05:30; not given: that of the start"),
    MR_PARAM(T, jitter_s, "jitter", MR_Q_TIME, "30 s", 0, 1e6, "Scheduled sessions begin evenly within it"),
    MR_PARAM_ONE_OF(T, over, "over", overs, "none", "Beyond the budget of a period its calls are served all the same, stop, are downgraded to the lower tier, or wait for the next period (throttle)"),
    MR_PARAM(T, period_s, "period", MR_Q_TIME, "1 d", 1, 1e12, "Time in which the budget's share is to last, from local midnight on (weeks: Mondays)"),
    MR_PARAM_STR(T, lower, "lower", NULL, "Tier of calls beyond the budget (downgrade)"),
};
#undef T
// clang-format on

const struct mr_param_table mr_demand_table = {
    "agents", "Sessions of agents, in place of <workload>.", demand_rows,
    sizeof demand_rows / sizeof *demand_rows};
const struct mr_param_table mr_demand_tenant_table = {
    "tenant", "Whose agents begin sessions (mode arrivals). Several may be given.", tenant_rows,
    sizeof tenant_rows / sizeof *tenant_rows};

/* ---- shapes ---- */

enum shape {
    shape_flat,
    shape_general,
    shape_reasoning,
    shape_office,
    n_shape
};

/* Requests of an hour over those of the mean hour: two measured services, of 14 days and of one;
 * office hours are an assumption. */
static const double hours[n_shape][24] = {
    [shape_flat] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    [shape_general] = {0.99, 1.00, 0.99, 0.94, 0.91, 0.88, 0.85, 0.82, 0.79, 0.87, 1.05, 1.11,
                       0.97, 0.98, 1.05, 1.05, 1.11, 1.08, 1.04, 1.14, 1.13, 1.07, 1.10, 1.09},
    [shape_reasoning] = {1.21, 1.39, 2.03, 1.79, 1.06, 0.91, 0.75, 0.58, 0.60, 0.66, 0.81, 0.83,
                         0.45, 0.54, 0.68, 0.70, 0.88, 0.55, 0.75, 0.59, 1.24, 1.62, 2.19, 1.18},
    [shape_office] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 1.0, 2.2, 2.6, 2.6, 2.4,
                      1.6, 2.2, 2.6, 2.4, 2.0, 1.2, 0.6, 0.4, 0.3, 0.2, 0.2, 0.1},
};

static const double hour_s = 3600, day_s = 86400, week_s = 604800, year_s = 31536000;

static double sum_of_hours(int shape)
{
    double sum = 0;
    for (int h = 0; h < 24; h++)
        sum += hours[shape][h];
    return sum;
}

/* Five days of 1 and two of w, over their mean. */
double mr_demand_shape(int shape, double weekend_frac, double at_s)
{
    const double in_week = at_s - floor(at_s / week_s) * week_s;
    const int day = (int)(in_week / day_s) % 7;
    const int hour = (int)((in_week - day * day_s) / hour_s) % 24;
    return hours[shape][hour] * 24 / sum_of_hours(shape) * (day >= 5 ? weekend_frac : 1) * 7 /
           (5 + 2 * weekend_frac);
}

static double peak_of(int shape, double weekend_frac)
{
    double peak = 0;
    for (int h = 0; h < 24; h++)
        peak = fmax(peak, mr_demand_shape(shape, weekend_frac, h * hour_s));
    return peak;
}

/* ---- starts ---- */

mr_status mr_demand_start(const char *start, const char *zone, double *local_s, double *monday_s,
                          struct mr_err *err)
{
    static const double first_monday_s = 4 * 86400; /* of 1970 */
    double unix_s = 1704067200, zone_s = 0;         /* the first of 2024 was a Monday */
    if (start != NULL && !mr_date_parse(mr_str_of(start), &unix_s, &zone_s))
        return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                          "agents: start \"%s\": a date such as 2024-07-01T09:00-07:00 is wanted",
                          start);
    if (zone != NULL && !mr_date_parse_zone(mr_str_of(zone), &zone_s))
        return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                          "tenant: zone \"%s\": an offset such as +05:30 is wanted", zone);
    *local_s = unix_s + zone_s;
    const double since_s = *local_s - first_monday_s;
    *monday_s = since_s - floor(since_s / week_s) * week_s;
    return MR_OK;
}

/* ---- draws ---- */

enum {
    stream_live = 1000, /* beside those of flows */
    draws_each = 8
};

static double draw(const struct mr_demand *demand, uint64_t flow, uint64_t number, uint64_t i)
{
    const uint64_t bits =
        mr_rng_u64_at(demand->plan.seed, MR_RNG_ARRIVAL, flow + 1, number * draws_each + i);
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

static uint32_t pick(double u, size_t n)
{
    const uint32_t i = (uint32_t)(u * (double)n);
    return i < n ? i : (uint32_t)n - 1;
}

static uint16_t tenant_of(const struct mr_demand *demand, uint32_t session)
{
    const uint32_t tenant = demand->plan.script->session[session].tenant;
    return tenant > 0 ? (uint16_t)(tenant - 1) : MR_PLAYER_NO_TENANT;
}

static uint8_t tier_of(const struct mr_demand *demand, uint32_t session, uint16_t tenant, double u)
{
    const struct mr_script_session *s = &demand->plan.script->session[session];
    double sum = 0, at = 0;
    if (s->has_tier)
        return s->tier;
    if (tenant < demand->plan.n_tenant)
        return demand->plan.tier_of_tenant[tenant];
    for (size_t i = 0; i < demand->plan.n_tier; i++)
        sum += demand->plan.tier_share[i];
    for (size_t i = 0; i + 1 < demand->plan.n_tier; i++) {
        at += demand->plan.tier_share[i] / sum;
        if (u < at)
            return (uint8_t)i;
    }
    return (uint8_t)(demand->plan.n_tier - 1);
}

/* ---- flows ---- */

/* The flow's next session: its next date, or a candidate that the rate lets through. */
static void plan_flow(struct mr_demand *demand, size_t f)
{
    struct mr_demand_flow *flow = &demand->flow[f];
    const struct mr_demand_tenant *tenant =
        demand->plan.n_tenant > 0 ? &demand->plan.tenant[f] : NULL;
    if (tenant != NULL && tenant->cron != NULL) {
        if (flow->n_left == 0) {
            flow->date_s =
                mr_cron_next_s(&flow->cron, flow->local_s + flow->date_s) - flow->local_s;
            flow->n_left = (uint32_t)fmax(1, tenant->n_employee * tenant->agents_each);
        }
        /* evenly within the jitter, in order: the k-th of those that are left comes after a drawn
         * share of what is left, so that dates are those of sorted uniform draws */
        const double from_s = fmax(flow->next_s, flow->date_s);
        const double left_s = fmax(0, flow->date_s + tenant->jitter_s - from_s);
        const double u = draw(demand, f, flow->n_drawn++, 0);
        flow->next_s = from_s + left_s * (1 - mr_exp(mr_log(u) / flow->n_left));
        flow->n_left--;
        return;
    }
    double rate_s = flow->rate_s;
    if (tenant != NULL)
        rate_s *= flow->peak * tenant->burst;
    if (!(rate_s > 0)) {
        flow->next_s = (double)INFINITY;
        return;
    }
    for (;;) {
        const uint64_t n = flow->n_drawn++;
        flow->next_s += -mr_log(draw(demand, f, n, 0)) / rate_s;
        if (tenant == NULL)
            return;
        double share =
            mr_demand_shape(tenant->shape, tenant->weekend_frac, flow->monday_s + flow->next_s) /
            flow->peak;
        if (tenant->burst > 1) { /* busy for an f-th of the hours, or not at all */
            const uint64_t hour = (uint64_t)(flow->next_s / hour_s);
            share *= draw(demand, f, (UINT64_C(1) << 28) + hour, 7) * tenant->burst < 1;
        }
        if (draw(demand, f, n, 1) < share)
            return;
    }
}

static bool next_arrival(struct mr_demand *demand, struct mr_player_start *start)
{
    const struct mr_demand_plan *plan = &demand->plan;
    size_t first = 0;
    for (size_t f = 1; f < demand->n_flow; f++)
        if (demand->flow[f].next_s < demand->flow[first].next_s)
            first = f;
    struct mr_demand_flow *flow = &demand->flow[first];
    if (!isfinite(flow->next_s))
        return false;
    const uint64_t n = flow->n_drawn;
    start->at_s = flow->next_s;
    start->session = demand->pick[flow->own + pick(draw(demand, first, n, 2), flow->n_own)];
    start->tenant = plan->n_tenant > 0 ? (uint16_t)first : MR_PLAYER_NO_TENANT;
    start->tier = tier_of(demand, start->session, start->tenant, draw(demand, first, n, 3));
    plan_flow(demand, first);
    return true;
}

/* Whose it is. */
static void be_of(const struct mr_demand *demand, uint64_t n, struct mr_player_start *start)
{
    start->tenant = tenant_of(demand, start->session);
    start->tier = tier_of(demand, start->session, start->tenant, draw(demand, stream_live, n, 1));
}

static void draw_live(const struct mr_demand *demand, uint64_t n, struct mr_player_start *start)
{
    start->session = pick(draw(demand, stream_live, n, 0), demand->plan.script->n_session);
    be_of(demand, n, start);
}

/* Somewhere in a life. */
static void draw_middle(const struct mr_demand *demand, uint64_t n, struct mr_player_start *start)
{
    if (mr_life_find(demand->plan.life, draw(demand, stream_live, n, 2), start))
        be_of(demand, n, start);
}

static double arrival_s(const struct mr_demand *demand, uint32_t session)
{
    const double at_s = demand->plan.script->session[session].arrival_s;
    return fmax(0, isnan(at_s) ? 0 : at_s / demand->plan.spec.speed);
}

/* Is a schedule's date before all arrivals? */
static bool has_date(const struct mr_demand *demand)
{
    if (demand->n_date == 0)
        return false;
    const double date_s = mr_tree_winner_time_s(&demand->dates);
    return isfinite(date_s) && (demand->i_order == demand->n_order ||
                                date_s < arrival_s(demand, demand->order[demand->i_order]));
}

static double next_date_s(const struct mr_demand *demand, const struct mr_demand_date *date,
                          double after_s)
{
    const struct mr_script *script = demand->plan.script;
    const struct mr_cron *cron = &script->cron[script->session[date->session].cron - 1];
    return mr_cron_next_s(cron, date->local_s + after_s) - date->local_s;
}

static void next_date(struct mr_demand *demand, struct mr_player_start *start)
{
    const uint32_t i = mr_tree_winner(&demand->dates);
    start->session = demand->date[i].session;
    start->at_s = mr_tree_winner_time_s(&demand->dates);
    mr_tree_set_time(&demand->dates, i, next_date_s(demand, &demand->date[i], start->at_s));
}

bool mr_demand_next(struct mr_demand *demand, struct mr_player_start *start)
{
    const struct mr_demand_spec *spec = &demand->plan.spec;
    const struct mr_script *script = demand->plan.script;
    const uint64_t n = demand->n_begun;
    if (spec->n_session > 0 && n >= spec->n_session)
        return false;
    *start = (struct mr_player_start){.cut = MR_PLAYER_NONE};
    if (spec->mode == MR_DEMAND_ARRIVALS) {
        demand->n_begun++;
        return next_arrival(demand, start);
    }
    if (spec->mode == MR_DEMAND_LIVE) {
        start->at_s = spec->ramp_s * (double)n / (double)spec->n_session;
        draw_live(demand, n, start);
        if (spec->is_warm)
            draw_middle(demand, n, start);
        demand->n_begun++;
        return true;
    }
    if (spec->mode == MR_DEMAND_OPEN && has_date(demand)) {
        next_date(demand, start);
    } else if (demand->i_order < demand->n_order) {
        start->session = demand->order[demand->i_order++];
        start->at_s = spec->mode == MR_DEMAND_CLOSED
                          ? spec->ramp_s * (double)n / (double)script->n_session
                          : arrival_s(demand, start->session);
    } else {
        return false;
    }
    be_of(demand, n, start);
    demand->n_begun++;
    return true;
}

bool mr_demand_goes_on(const struct mr_demand *demand)
{
    return demand->plan.spec.mode == MR_DEMAND_LIVE;
}

void mr_demand_again(const struct mr_demand *demand, uint64_t number, double at_s,
                     struct mr_player_start *start)
{
    *start = (struct mr_player_start){.at_s = at_s, .cut = MR_PLAYER_NONE};
    draw_live(demand, (UINT64_C(1) << 32) / draws_each / 2 + number, start);
}

static bool next(void *context, struct mr_player_start *start)
{
    return mr_demand_next(context, start);
}

static bool again(void *context, const struct mr_player_end *end, struct mr_player_start *start)
{
    struct mr_demand *demand = context;
    mr_demand_again(demand, demand->n_again++, end->end_s, start);
    return true;
}

/* ---- life ---- */

/* Sessions by tenant, then those of none. @param[out] end [n_tenant + 1] of each in `pick` */
static mr_status sort_by_tenant(struct mr_demand *demand, uint32_t *end, struct mr_err *err)
{
    const struct mr_script *script = demand->plan.script;
    const size_t n_tenant = demand->plan.n_tenant;
    demand->pick = mr_alloc(script->n_session, sizeof *demand->pick);
    if (demand->pick == NULL)
        return mr_err_nomem(err, script->n_session * sizeof *demand->pick);
    uint32_t n = 0;
    for (size_t t = 0; t <= n_tenant; t++) {
        for (uint32_t i = 0; i < script->n_session; i++) {
            const uint32_t own = script->session[i].tenant;
            const size_t of = own > 0 && own <= n_tenant ? own - 1 : n_tenant;
            if (of == t)
                demand->pick[n++] = i;
        }
        end[t] = n;
    }
    return MR_OK;
}

/* Of one of a flow's sessions, on the mean. @param[in] price NULL: tokens, else USD */
static double mean_of(const struct mr_demand *demand, const struct mr_demand_flow *flow,
                      const struct mr_demand_price *price)
{
    static const struct mr_demand_price tokens = {1, 1, 1};
    const struct mr_demand_price *each = price != NULL ? price : &tokens;
    const struct mr_script *script = demand->plan.script;
    double sum = 0;
    for (uint32_t k = flow->own; k < flow->own + flow->n_own; k++) {
        const struct mr_script_session *session = &script->session[demand->pick[k]];
        for (uint32_t i = session->node; i < session->node + session->n_node; i++) {
            const struct mr_script_node *node = &script->node[i];
            if (node->kind != MR_SCRIPT_LLM)
                continue;
            const double n_input = (double)node->llm.n_input;
            const double n_kept =
                price != NULL ? fmin(n_input, (double)script->context[node->llm.context].n_keep *
                                                  demand->plan.block_tok)
                              : 0;
            sum += each->input * (n_input - n_kept) + each->cached * n_kept +
                   each->output * (double)node->llm.n_output;
        }
    }
    return sum / (double)flow->n_own;
}

/* Sessions a second that spend what a tenant has, with a year's budget of tokens, or else money. */
static mr_status spend(const struct mr_demand *demand, size_t i, double *rate_s, struct mr_err *err)
{
    const struct mr_demand_tenant *t = &demand->plan.tenant[i];
    const struct mr_demand_price *price =
        !(t->budget_tok > 0) && t->budget_usd > 0 && demand->plan.price != NULL
            ? &demand->plan.price[i]
            : NULL;
    const double mean = mean_of(demand, &demand->flow[i], price);
    *rate_s = 0;
    if (!(mean > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "tenant %zu: \"budget_usd\" spends nothing: its sessions are free, say "
                          "a \"budget\" of tokens",
                          i + 1);
    const double budget = price != NULL ? t->budget_usd : t->budget_tok;
    *rate_s = t->n_employee * t->agents_each * budget / year_s / mean;
    return MR_OK;
}

/* What a tenant draws from: its own sessions, or those that are nobody's. */
static mr_status find_own(struct mr_demand_flow *flow, const uint32_t *end, size_t i,
                          size_t n_tenant, struct mr_err *err)
{
    const size_t from = i < n_tenant && end[i] > (i > 0 ? end[i - 1] : 0) ? i : n_tenant;
    flow->own = from > 0 ? end[from - 1] : 0;
    flow->n_own = end[from] - flow->own;
    if (flow->n_own > 0)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                      "tenant %zu: all sessions name tenants, and none of them names this one",
                      i + 1);
}

static mr_status make_flow(struct mr_demand *demand, size_t i, struct mr_err *err)
{
    const struct mr_demand_tenant *t = &demand->plan.tenant[i];
    struct mr_demand_flow *flow = &demand->flow[i];
    flow->peak = peak_of(t->shape, t->weekend_frac);
    flow->date_s = -1;
    MR_TRY(mr_demand_start(demand->plan.spec.start, t->zone, &flow->local_s, &flow->monday_s, err));
    if (t->cron != NULL)
        return mr_cron_parse(t->cron, &flow->cron, err);
    if (t->budget_tok == 0 && t->budget_usd == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "tenant %zu: needs a \"budget\" of tokens, a \"budget_usd\" or a "
                          "schedule (\"cron\")",
                          i + 1);
    return spend(demand, i, &flow->rate_s, err);
}

static mr_status make_flows(struct mr_demand *demand, struct mr_err *err)
{
    const struct mr_demand_plan *plan = &demand->plan;
    uint32_t end[MR_DEMAND_TENANTS + 1] = {0};
    demand->n_flow = plan->n_tenant > 0 ? plan->n_tenant : 1;
    demand->flow[0].rate_s = plan->spec.rate_s;
    if (plan->n_tenant == 0 && !(plan->spec.rate_s > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "agents: drawn arrivals need a \"rate\" or a <tenant>");
    MR_TRY(sort_by_tenant(demand, end, err));
    for (size_t f = 0; f < demand->n_flow; f++) {
        MR_TRY(find_own(&demand->flow[f], end, f, plan->n_tenant, err));
        if (plan->n_tenant > 0)
            MR_TRY(make_flow(demand, f, err));
        plan_flow(demand, f);
    }
    return MR_OK;
}

struct by_arrival {
    double at_s;
    uint32_t i;
};

static int compare_arrivals(const void *a, const void *b)
{
    const struct by_arrival *x = a, *y = b;
    if (x->at_s < y->at_s || x->at_s > y->at_s)
        return x->at_s < y->at_s ? -1 : 1;
    return (x->i > y->i) - (x->i < y->i);
}

static mr_status sort_sessions(struct mr_demand *demand, struct mr_err *err)
{
    const struct mr_script *script = demand->plan.script;
    const bool is_open = demand->plan.spec.mode == MR_DEMAND_OPEN;
    struct by_arrival *by = mr_alloc(script->n_session, sizeof *by);
    demand->order = mr_alloc(script->n_session, sizeof *demand->order);
    if (by == NULL || demand->order == NULL) {
        mr_free(by);
        return mr_err_nomem(err, script->n_session * sizeof *by);
    }
    for (uint32_t i = 0; i < script->n_session; i++) {
        const double at_s = script->session[i].arrival_s;
        if (!is_open || script->session[i].cron == 0)
            by[demand->n_order++] = (struct by_arrival){isnan(at_s) ? 0 : at_s, i};
    }
    if (is_open && demand->n_order > 0)
        qsort(by, demand->n_order, sizeof *by, compare_arrivals);
    for (size_t i = 0; i < demand->n_order; i++)
        demand->order[i] = by[i].i;
    mr_free(by);
    return MR_OK;
}

/* A schedule that never comes is left asleep. */
static mr_status plan_dates(struct mr_demand *demand, struct mr_err *err)
{
    const struct mr_script *script = demand->plan.script;
    const size_t n = script->n_session - demand->n_order;
    if (n == 0)
        return MR_OK;
    demand->date = mr_alloc(n, sizeof *demand->date);
    if (demand->date == NULL)
        return mr_err_nomem(err, n * sizeof *demand->date);
    MR_TRY(mr_tree_init(&demand->dates, (uint32_t)n, err));
    for (uint32_t i = 0; i < script->n_session; i++) {
        const uint16_t tenant = tenant_of(demand, i);
        struct mr_demand_date *date = &demand->date[demand->n_date];
        double monday_s;
        if (script->session[i].cron == 0)
            continue;
        date->session = i;
        const char *zone = tenant < demand->plan.n_tenant ? demand->plan.tenant[tenant].zone : NULL;
        MR_TRY(mr_demand_start(demand->plan.spec.start, zone, &date->local_s, &monday_s, err));
        mr_tree_set_time(&demand->dates, (uint32_t)demand->n_date, next_date_s(demand, date, -1));
        demand->n_date++;
    }
    return MR_OK;
}

mr_status mr_demand_init(struct mr_demand *demand, const struct mr_demand_plan *plan,
                         struct mr_err *err)
{
    MR_ASSERT(plan->n_tier > 0 && plan->n_tenant <= MR_DEMAND_TENANTS);
    MR_ASSERT(plan->life != NULL || plan->spec.mode != MR_DEMAND_LIVE || !plan->spec.is_warm);
    *demand = (struct mr_demand){.plan = *plan};
    if (plan->script->n_session == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "agents: there is no session to play");
    if (plan->spec.mode == MR_DEMAND_LIVE && plan->spec.n_session == 0)
        demand->plan.spec.n_session = plan->script->n_session;
    if (plan->spec.mode == MR_DEMAND_ARRIVALS)
        return make_flows(demand, err);
    MR_TRY(sort_sessions(demand, err));
    return plan_dates(demand, err);
}

void mr_demand_fini(struct mr_demand *demand)
{
    mr_free(demand->order);
    mr_free(demand->date);
    mr_free(demand->pick);
    mr_tree_fini(&demand->dates);
    *demand = (struct mr_demand){0};
}

struct mr_player_source mr_demand_source(struct mr_demand *demand)
{
    return (struct mr_player_source){next, mr_demand_goes_on(demand) ? again : NULL, demand};
}
