/* SPDX-License-Identifier: Apache-2.0 */
/* A mixture-of-experts model on eight packages with a prefix cache and router affinity. 500
 * sessions for each instance, half of them waiting for an answer: 250 decodes side by side, a token
 * in about 25 ms, 96 % of input cached: what a site of agents looks like that is full but keeps up.
 *
 * What sessions do comes from one table of drawn calls that all share, as recorded traces would be;
 * each begins at a place of its own. */
#include "engine/cli/bench/bench_agents.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/cli/bench/bench_serving.h"
#include "engine/clock/calendar.h"
#include "engine/serve/cell.h"
#include "engine/serve/warm.h"

#include <math.h>

enum {
    n_instance = 40,
    n_drawn = 1 << 14,
    prefix_tok = 15000 /* tools and instructions */
};

struct drawn {
    uint32_t n_new, n_output; /* tokens; what is new begins a new context where is_reset */
    float think_s;            /* before the call */
    bool is_reset;
};

struct session {
    uint32_t place;   /* in the table */
    uint32_t context; /* tokens */
};

struct site_cell {
    struct mr_bench_agents *agents;
    struct mr_cell cell;
    struct mr_calendar calendar;
    struct session *session;
    uint64_t id; /* of the last call */
    uint64_t decisions;
    mr_status st; /* of falling asleep: sinks return nothing */
};

struct mr_bench_agents {
    struct mr_bench_agents_plan plan;
    struct mr_bench_serving served;
    struct mr_window_grid grid;
    uint64_t window, done;
    struct mr_calendar_store store;
    struct site_cell *cell;
    struct drawn drawn[n_drawn];
};

/* ---- what sessions do ---- */

static void draw_calls(struct mr_bench_agents *agents)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 10);
    for (uint32_t i = 0; i < n_drawn; i++)
        agents->drawn[i] =
            (struct drawn){.n_new = 1 + (uint32_t)fmin(20000, mr_rng_lognormal(&rng, 6.3, 0.9)),
                           .n_output = 1 + (uint32_t)fmin(4000, mr_rng_lognormal(&rng, 5.56, 0.89)),
                           .think_s = (float)(0.5 + mr_rng_exponential(&rng, 8.5)),
                           .is_reset = mr_rng_f64(&rng) < 0.017};
}

static mr_status sleep_from(struct site_cell *own, uint32_t i, double now_s, struct mr_err *err)
{
    const struct drawn *next = &own->agents->drawn[own->session[i].place % n_drawn];
    return mr_calendar_push(&own->calendar, mr_event_at(now_s + (double)next->think_s, 0, i, 0),
                            err);
}

static mr_status wake(struct site_cell *own, uint32_t i, double now_s, struct mr_err *err)
{
    struct session *session = &own->session[i];
    const struct drawn *call = &own->agents->drawn[session->place++ % n_drawn];
    const uint32_t before = call->is_reset ? prefix_tok : session->context;
    const struct mr_ticket ticket = {.id = own->id++,
                                     .session = i,
                                     .n_prompt = before + call->n_new,
                                     .n_output = call->n_output,
                                     .n_prefix = prefix_tok};
    session->context = ticket.n_prompt + ticket.n_output;
    return mr_cell_arrive(&own->cell, &ticket, now_s, err);
}

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct site_cell *own = context;
    const uint64_t what[] = {ticket->id, ticket->session, ticket->instance, ticket->n_cached,
                             call->n_restart};
    for (size_t i = 0; i < sizeof what / sizeof *what; i++)
        own->decisions = (own->decisions ^ what[i]) * 0x9e3779b97f4a7c15U;
    own->agents->done++;
    if (own->st == MR_OK)
        own->st = sleep_from(own, ticket->session, now_s, NULL);
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    (void)context, (void)ticket, (void)now_s, (void)why;
    MR_ASSERT(false); /* contexts begin anew long before they are too long */
}

/* ---- windows ---- */

/* What the window will touch of the sessions and of their calls, and then of the cell. */
static void warm(const struct site_cell *own, double end_s)
{
    const struct mr_calendar *calendar = &own->calendar;
    const struct mr_event *wake = &calendar->ready.event[calendar->i_ready];
    const size_t n = calendar->n_ready - calendar->i_ready;
    for (size_t i = 0; i < MR_BENCH_AGENTS_CELL; i += 64 / sizeof *own->session)
        __builtin_prefetch(&own->session[i], 1);
    mr_warm_cell(&own->cell, end_s, wake, n);
    for (size_t k = 0; k < n; k++)
        __builtin_prefetch(
            &own->agents->drawn[own->session[mr_event_entity(wake[k])].place % n_drawn]);
}

static mr_status play_cell(struct site_cell *own, uint64_t window, double end_s, struct mr_err *err)
{
    MR_TRY(mr_calendar_open(&own->calendar, window, err));
    if (!own->agents->plan.is_cold)
        warm(own, end_s);
    for (;;) {
        const double wake_s = mr_calendar_has_event(&own->calendar)
                                  ? mr_event_time_s(mr_calendar_peek(&own->calendar))
                                  : end_s;
        const double due_s = mr_cell_due_s(&own->cell);
        /* one event of the cell at a time: who ends may wake up before the one who sleeps */
        if (due_s < wake_s - MR_SEGMENT_TIE_S) {
            MR_TRY(mr_cell_play(&own->cell, fmin(wake_s, due_s + 2 * MR_SEGMENT_TIE_S), err));
            MR_TRY(own->st);
            continue;
        }
        if (!mr_calendar_has_event(&own->calendar))
            break;
        MR_TRY(wake(own, mr_event_entity(mr_calendar_take(&own->calendar)), wake_s, err));
    }
    mr_calendar_close(&own->calendar);
    return MR_OK;
}

static mr_status play_until(struct mr_bench_agents *agents, double end_s, struct mr_err *err)
{
    const uint64_t end = mr_window_of(agents->grid, end_s);
    for (; agents->window < end; agents->window++)
        for (uint32_t c = 0; c < agents->plan.n_cell; c++)
            MR_TRY(play_cell(&agents->cell[c], agents->window,
                             mr_window_start_s(agents->grid, agents->window + 1), err));
    return MR_OK;
}

/* ---- life ---- */

static mr_status make_cell(struct mr_bench_agents *agents, uint32_t c, struct mr_err *err)
{
    MR_ASSERT(agents->cell != NULL);
    struct site_cell *own = &agents->cell[c];
    const struct mr_cell_plan plan = {
        .serving = &agents->served.serving, .n_instance = n_instance, .router = MR_ROUTER_AFFINITY};
    own->agents = agents;
    own->session = mr_alloc(MR_BENCH_AGENTS_CELL, sizeof *own->session);
    if (own->session == NULL)
        return mr_err_nomem(err, MR_BENCH_AGENTS_CELL * sizeof *own->session);
    MR_TRY(mr_cell_init(&own->cell, &plan, &(struct mr_cell_sink){finished, refused, own}, err));
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 1000 + c);
    for (uint32_t i = 0; i < MR_BENCH_AGENTS_CELL; i++) {
        own->session[i] = (struct session){(uint32_t)mr_rng_below(&rng, n_drawn), prefix_tok};
        MR_TRY(sleep_from(own, i, mr_rng_range(&rng, 0, 10), err));
    }
    return MR_OK;
}

mr_status mr_bench_agents_create(const struct mr_bench_agents_plan *plan,
                                 struct mr_bench_agents **out, struct mr_err *err)
{
    struct mr_bench_agents *agents = mr_alloc_zero(1, sizeof *agents);
    *out = agents;
    if (agents == NULL)
        return mr_err_nomem(err, sizeof *agents);
    agents->plan = *plan;
    agents->grid = mr_window_grid_of(plan->window_s);
    draw_calls(agents);
    agents->cell = mr_alloc_zero(plan->n_cell, sizeof *agents->cell);
    mr_status st = agents->cell != NULL ? mr_bench_serving_make(&agents->served, 64, 600000,
                                                                agents->plan.steps_singly, err)
                                        : mr_err_nomem(err, plan->n_cell * sizeof *agents->cell);
    for (uint32_t c = 0; c < plan->n_cell && agents->cell != NULL; c++)
        mr_calendar_init(&agents->cell[c].calendar, &agents->store, agents->grid, 0);
    for (uint32_t c = 0; c < plan->n_cell && st == MR_OK; c++)
        st = make_cell(agents, c, err);
    if (st == MR_OK)
        st = play_until(agents, plan->warm_s + plan->window_s / 2, err);
    if (st != MR_OK) {
        mr_bench_agents_destroy(agents);
        *out = NULL;
    }
    return st;
}

void mr_bench_agents_destroy(struct mr_bench_agents *agents)
{
    if (agents == NULL)
        return;
    for (uint32_t c = 0; c < agents->plan.n_cell && agents->cell != NULL; c++) {
        mr_calendar_fini(&agents->cell[c].calendar);
        if (agents->cell[c].cell.instance != NULL)
            mr_cell_fini(&agents->cell[c].cell);
        mr_free(agents->cell[c].session);
    }
    mr_free(agents->cell);
    mr_calendar_store_fini(&agents->store);
    mr_bench_serving_fini(&agents->served);
    mr_free(agents);
}

mr_status mr_bench_agents_play(struct mr_bench_agents *agents, struct mr_err *err)
{
    const double now_s = mr_window_start_s(agents->grid, agents->window);
    return play_until(agents, now_s + 1 + agents->plan.window_s / 2, err);
}

const uint64_t *mr_bench_agents_done(const struct mr_bench_agents *agents)
{
    return &agents->done;
}

uint64_t mr_bench_agents_decisions(const struct mr_bench_agents *agents)
{
    return agents->cell[0].decisions;
}

uint64_t mr_bench_agents_whole(const struct mr_bench_agents *agents)
{
    uint64_t sum = 0;
    for (uint32_t c = 0; c < agents->plan.n_cell; c++)
        sum = (sum ^ agents->cell[c].decisions) * 0x9e3779b97f4a7c15U;
    return sum;
}
