/* SPDX-License-Identifier: Apache-2.0 */
/* Every draw is made from (flow, number), so that one tenant's rate does not shift another's
 * sessions. Rates that change are thinned: candidates come at the highest rate, and one is taken
 * with the share that the rate has of it. Parts: tables - shapes - schedules - flows - life. */
#include "engine/work/demand.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- tables ---- */

static const char *const modes[] = {"open", "closed", "live", "arrivals"};
static const char *const timings[] = {"think", "original", "scaled"};
static const char *const overs[] = {"none", "stop", "downgrade", "throttle"};
static const char *const shapes[] = {"flat", "general", "reasoning", "office"};

// clang-format off
#define S struct mr_demand_spec
static const struct mr_param demand_rows[] = {
    MR_PARAM_STR(S, file, "file", NULL, "Sessions: any format that trace info knows; not given: drawn"),
    MR_PARAM_ONE_OF(S, mode, "mode", modes, "live", "open: at recorded arrivals; closed: all once; live: always as many; arrivals: drawn dates"),
    MR_PARAM_ONE_OF(S, timing, "timing", timings, "think", "think: after what they depend on; original: recorded starts; scaled: thinks times a factor"),
    MR_PARAM(S, speed, "speed", MR_Q_COUNT, "1", 1e-6, 1e6, "Recorded arrivals are this many times faster (open)"),
    MR_PARAM(S, think_factor, "think_factor", MR_Q_COUNT, "1", 0, 1e6, "Of thinks (scaled)"),
    MR_PARAM(S, idle_cap_s, "idle_cap", MR_Q_TIME, "10 s", 0, 1e9, "Longest think; tools are never cut. 0: no cap"),
    MR_PARAM(S, ramp_s, "ramp", MR_Q_TIME, "60 s", 0, 1e9, "Over which the first sessions begin (closed, live)"),
    MR_PARAM(S, rate_s, "rate", MR_Q_RATE, "0 req/s", 0, 1e9, "Sessions that begin, a Poisson process (arrivals without tenants)"),
    MR_PARAM_N(S, n_session, "sessions", "0", 0, 1000000000, "Live ones, or most in all; 0: those of the file, or no limit"),
    MR_PARAM_N(S, n_drawn, "drawn", "200", 1, 10000000, "Recordings that are drawn where there is no file"),
    MR_PARAM_YES(S, is_warm, "warm", "yes", "First sessions begin in the middle, with their contexts cached (live)"),
    MR_PARAM_YES(S, shares, "shared_prompts", "yes", "Tools and system prompts of the same size are the same"),
    MR_PARAM_YES(S, drops_ended, "drop_ended", "yes", "Blocks of a session are free when its last call ends"),
    MR_PARAM_N(S, length_max, "length_max", "0", 0, 4000000000, "Sessions with longer contexts are left out; 0: those longer than the deployment's"),
};
#undef S
#define T struct mr_demand_tenant
static const struct mr_param tenant_rows[] = {
    MR_PARAM_STR(T, name, "name", NULL, "Name of the tenant"),
    MR_PARAM_STR(T, tier, "tier", NULL, "Name of its tier; not given: the first"),
    MR_PARAM(T, n_employee, "employees", MR_Q_COUNT, "1", 0, 1e9, "People of the tenant"),
    MR_PARAM(T, agents_each, "agents", MR_Q_COUNT, "1", 0, 1e6, "Agents of each"),
    MR_PARAM(T, budget_tok, "budget", MR_Q_TOKENS, "0 tok", 0, 1e18, "Tokens of one agent in a year, input and output; needed without cron"),
    MR_PARAM_ONE_OF(T, shape, "shape", shapes, "flat", "Of days: flat, two measured services, office hours"),
    MR_PARAM(T, weekend_frac, "weekend", MR_Q_FRACTION, "100 %", 0, 1, "Rate of Saturday and Sunday over that of other days"),
    MR_PARAM(T, burst, "burst", MR_Q_COUNT, "1", 1, 1e3, "Rate of busy hours over the mean; as seldom as the mean needs"),
    MR_PARAM_STR(T, cron, "cron", NULL, "Schedule: minute hour day month weekday; one session per agent"),
    MR_PARAM(T, jitter_s, "jitter", MR_Q_TIME, "30 s", 0, 1e6, "Scheduled sessions begin evenly within it"),
    MR_PARAM_ONE_OF(T, over, "over", overs, "none", "Beyond the budget of a period its calls are served all the same, stop, are downgraded to the lower tier, or come again later (throttle)"),
    MR_PARAM(T, period_s, "period", MR_Q_TIME, "1 d", 1, 1e12, "Time in which the budget's share is to last"),
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

/* ---- schedules ---- */

/* A whole number below 1,000. */
static bool parse_number(const char **at, uint64_t *out)
{
    const char *p = *at;
    for (*out = 0; *p >= '0' && *p <= '9' && *out < 100; p++)
        *out = 10 * *out + (uint64_t)(*p - '0');
    const bool is_number = p > *at && !(*p >= '0' && *p <= '9');
    *at = p;
    return is_number;
}

/* One of a list: "*", "N" or "N-M", each with "/S". */
static bool parse_range(const char **at, uint64_t low, uint64_t high, uint64_t *bits)
{
    uint64_t from = low, to = high, step = 1;
    if (**at == '*') {
        ++*at;
    } else {
        if (!parse_number(at, &from))
            return false;
        to = from;
        if (**at == '-' && (++*at, !parse_number(at, &to)))
            return false;
    }
    if (**at == '/' && (++*at, !parse_number(at, &step)))
        return false;
    if (from < low || to > high || from > to || step == 0)
        return false;
    for (uint64_t i = from; i <= to; i += step)
        *bits |= UINT64_C(1) << i;
    return true;
}

static bool parse_field(const char **at, uint64_t low, uint64_t high, uint64_t *bits)
{
    *bits = 0;
    do {
        if (!parse_range(at, low, high, bits))
            return false;
    } while (**at == ',' && *(*at)++ == ',');
    return **at == ' ' || **at == '\0';
}

mr_status mr_demand_cron_parse(const char *text, struct mr_demand_cron *cron, struct mr_err *err)
{
    static const struct {
        const char *name;
        uint64_t low, high;
    } fields[] = {
        {"minute", 0, 59}, {"hour", 0, 23}, {"day", 1, 31}, {"month", 1, 12}, {"weekday", 0, 7}};
    uint64_t bits[5];
    const char *p = text;
    for (size_t i = 0; i < 5; i++) {
        while (*p == ' ')
            p++;
        if (!parse_field(&p, fields[i].low, fields[i].high, &bits[i]))
            return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                              "schedule \"%.64s\": %s: expected *, N, N-M or lists of them, from "
                              "%u to %u",
                              text, fields[i].name, (unsigned)fields[i].low,
                              (unsigned)fields[i].high);
    }
    while (*p == ' ')
        p++;
    if (*p != '\0')
        return mr_err_set(err, MR_PARSE, MR_NOWHERE, "schedule \"%.64s\": more than five fields",
                          text);
    if (bits[2] != ((UINT64_C(1) << 32) - 2) || bits[3] != ((UINT64_C(1) << 13) - 2))
        return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                          "schedule \"%.64s\": day and month must be *: runs have weeks, no "
                          "calendar",
                          text);
    *cron = (struct mr_demand_cron){bits[0], (uint32_t)bits[1],
                                    (uint8_t)((bits[4] & 127) | (bits[4] >> 7 & 1))};
    return MR_OK;
}

double mr_demand_cron_next_s(const struct mr_demand_cron *cron, double after_s)
{
    const double first = floor(after_s / 60) + 1;
    for (uint64_t i = 0; i < 7 * 24 * 60; i++) {
        const uint64_t at = (uint64_t)fmax(0, first) + i;
        const unsigned weekday = (unsigned)((at / 1440 + 1) % 7); /* day 0 is a Monday */
        if ((cron->minute >> (at % 60) & 1) != 0 && (cron->hour >> (at / 60 % 24) & 1) != 0 &&
            (cron->weekday >> weekday & 1) != 0)
            return 60 * (double)at;
    }
    return (double)INFINITY;
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

static uint8_t tier_of(const struct mr_demand *demand, uint32_t session, double u)
{
    const struct mr_script_session *s = &demand->plan.script->session[session];
    double sum = 0, at = 0;
    if (s->has_tier)
        return s->tier;
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
            flow->date_s = mr_demand_cron_next_s(&flow->cron, flow->date_s);
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
            mr_demand_shape(tenant->shape, tenant->weekend_frac, flow->next_s) / flow->peak;
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
    start->session = pick(draw(demand, first, n, 2), plan->script->n_session);
    start->tenant = (uint16_t)first;
    start->tier = plan->n_tenant > 0 ? plan->tier_of_tenant[first]
                                     : tier_of(demand, start->session, draw(demand, first, n, 3));
    plan_flow(demand, first);
    return true;
}

static void draw_live(const struct mr_demand *demand, uint64_t n, struct mr_player_start *start)
{
    start->session = pick(draw(demand, stream_live, n, 0), demand->plan.script->n_session);
    start->tier = tier_of(demand, start->session, draw(demand, stream_live, n, 1));
}

/* Somewhere in a life: a call of all there are, and its session. */
static void draw_middle(const struct mr_demand *demand, uint64_t n, struct mr_player_start *start)
{
    const struct mr_script *script = demand->plan.script;
    if (script->n_cut == 0)
        return;
    const uint32_t at = pick(draw(demand, stream_live, n, 2), script->n_cut);
    uint32_t low = 0, high = (uint32_t)script->n_session - 1;
    while (low < high) { /* the last session whose cuts begin by then */
        const uint32_t middle = high - (high - low) / 2;
        if (script->session[middle].cut <= at)
            low = middle;
        else
            high = middle - 1;
    }
    start->session = low;
    start->cut = script->cut[at];
    start->tier = tier_of(demand, low, draw(demand, stream_live, n, 1));
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
    if (n == script->n_session)
        return false;
    start->session = demand->order[n];
    start->tier = tier_of(demand, start->session, draw(demand, stream_live, n, 1));
    const double arrival_s = script->session[start->session].arrival_s;
    start->at_s = spec->mode == MR_DEMAND_CLOSED
                      ? spec->ramp_s * (double)n / (double)script->n_session
                      : fmax(0, isnan(arrival_s) ? 0 : arrival_s / spec->speed);
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

static mr_status make_flows(struct mr_demand *demand, struct mr_err *err)
{
    const struct mr_demand_plan *plan = &demand->plan;
    demand->n_flow = plan->n_tenant > 0 ? plan->n_tenant : 1;
    demand->flow[0].rate_s = plan->spec.rate_s;
    if (plan->n_tenant == 0 && !(plan->spec.rate_s > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "agents: drawn arrivals need a \"rate\" or a <tenant>");
    for (size_t i = 0; i < plan->n_tenant; i++) {
        const struct mr_demand_tenant *t = &plan->tenant[i];
        struct mr_demand_flow *flow = &demand->flow[i];
        flow->peak = peak_of(t->shape, t->weekend_frac);
        flow->rate_s =
            t->n_employee * t->agents_each * t->budget_tok / year_s / demand->session_tok;
        flow->date_s = -1;
        if (t->cron != NULL)
            MR_TRY(mr_demand_cron_parse(t->cron, &flow->cron, err));
        else if (t->budget_tok == 0)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "tenant %zu: needs a \"budget\" of tokens or a schedule (\"cron\")",
                              i + 1);
    }
    for (size_t f = 0; f < demand->n_flow; f++)
        plan_flow(demand, f);
    return MR_OK;
}

static double mean_tok(const struct mr_script *script)
{
    double sum = 0;
    for (size_t i = 0; i < script->n_node; i++)
        if (script->node[i].kind == MR_SCRIPT_LLM)
            sum += (double)script->node[i].llm.n_input + (double)script->node[i].llm.n_output;
    return sum / (double)script->n_session;
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
    struct by_arrival *by = mr_alloc(script->n_session, sizeof *by);
    demand->order = mr_alloc(script->n_session, sizeof *demand->order);
    if (by == NULL || demand->order == NULL) {
        mr_free(by);
        return mr_err_nomem(err, script->n_session * sizeof *by);
    }
    for (uint32_t i = 0; i < script->n_session; i++) {
        const double at_s = script->session[i].arrival_s;
        by[i] = (struct by_arrival){isnan(at_s) ? 0 : at_s, i};
    }
    if (demand->plan.spec.mode == MR_DEMAND_OPEN)
        qsort(by, script->n_session, sizeof *by, compare_arrivals);
    for (uint32_t i = 0; i < script->n_session; i++)
        demand->order[i] = by[i].i;
    mr_free(by);
    return MR_OK;
}

mr_status mr_demand_init(struct mr_demand *demand, const struct mr_demand_plan *plan,
                         struct mr_err *err)
{
    MR_ASSERT(plan->n_tier > 0 && plan->n_tenant <= MR_DEMAND_TENANTS);
    *demand = (struct mr_demand){.plan = *plan};
    if (plan->script->n_session == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "agents: there is no session to play");
    if (plan->spec.mode == MR_DEMAND_LIVE && plan->spec.n_session == 0)
        demand->plan.spec.n_session = plan->script->n_session;
    demand->session_tok = mean_tok(plan->script);
    if (plan->spec.mode == MR_DEMAND_ARRIVALS)
        return make_flows(demand, err);
    return sort_sessions(demand, err);
}

void mr_demand_fini(struct mr_demand *demand)
{
    mr_free(demand->order);
    *demand = (struct mr_demand){0};
}

struct mr_player_source mr_demand_source(struct mr_demand *demand)
{
    return (struct mr_player_source){next, mr_demand_goes_on(demand) ? again : NULL, demand};
}
