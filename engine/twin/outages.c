/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of a winner tree: outages of the scenario, each with a beginning and an end, then seats,
 * which fail and are repaired in turn. */
#include "engine/twin/outages.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"

#include <math.h>
#include <stdio.h>

static const uint32_t nowhere = UINT32_MAX;

struct seat {
    struct mr_rng rng;
    uint32_t n_down, n_drain; /* reasons */
    double phi;               /* wanted from outside */
    bool is_failed;
};

struct mr_outages {
    const struct mr_scenario *scenario;
    struct mr_tree next;
    struct seat *seat;
    struct mr_outages_span span;
    uint32_t n_seat;
    void (*event)(void *context, double t_s, const char *kind, const char *entity, double value,
                  double limit);
    void *context;
    bool is_on[MR_SCENARIO_OUTAGES];
};

/* NOWHERE: it is of another cell. */
static uint32_t seat_of(const struct mr_outages *o, const struct mr_scenario_outage *outage)
{
    const struct mr_outages_span *span = &o->span;
    const bool is_reader = outage->pool == MR_SCENARIO_POOL_PREFILL;
    const uint32_t first = is_reader ? span->first_reader : span->first;
    const uint32_t n = is_reader ? span->n_reader : span->n;
    const uint32_t i = (uint32_t)outage->n_instance;
    return i >= first && i - first < n ? i - first + (is_reader ? span->n : 0) : nowhere;
}

/* Number of a seat's instance over all cells: those that decode first. */
static uint32_t number_of(const struct mr_outages *o, uint32_t seat)
{
    const struct mr_outages_span *span = &o->span;
    return seat < span->n
               ? span->first + seat
               : (uint32_t)o->scenario->deployment.n_instance + span->first_reader + seat - span->n;
}

/* ---- what a seat is to be ---- */

static void tell(const struct mr_outages *o, uint32_t seat, const char *kind, double value,
                 double now_s)
{
    const struct mr_outages_span *span = &o->span;
    const bool is_prefill = seat >= span->n;
    char entity[32];
    if (o->event == NULL)
        return;
    snprintf(entity, sizeof entity, "%s %u", is_prefill ? "prefill" : "deployment",
             is_prefill ? span->first_reader + seat - span->n : span->first + seat);
    o->event(o->context, now_s, kind, entity, value, (double)NAN);
}

static double clock_of(const struct mr_outages *o, uint32_t seat)
{
    double phi = o->seat[seat].phi;
    for (size_t i = 0; i < o->scenario->n_outage; i++) {
        const struct mr_scenario_outage *outage = &o->scenario->outage[i];
        if (o->is_on[i] && outage->what == MR_SCENARIO_SLOW && seat_of(o, outage) == seat)
            phi = fmin(phi, outage->clock_frac);
    }
    return phi;
}

/* One that was down stays so until it need not drain either. */
static mr_status settle(struct mr_outages *o, struct mr_cell *cell, uint32_t seat, double now_s,
                        struct mr_err *err)
{
    const struct seat *s = &o->seat[seat];
    mr_cell_slow(cell, seat, clock_of(o, seat), now_s);
    if (s->n_down > 0)
        return mr_cell_down(cell, seat, now_s, err);
    if (s->n_drain == 0)
        return mr_cell_up(cell, seat, now_s, err);
    mr_cell_drain(cell, seat, now_s);
    return MR_OK;
}

mr_status mr_outages_hold(struct mr_outages *o, struct mr_cell *cell, uint32_t seat, int more,
                          double now_s, struct mr_err *err)
{
    o->seat[seat].n_down += more > 0 ? 1 : UINT32_MAX;
    return settle(o, cell, seat, now_s, err);
}

void mr_outages_boot(struct mr_outages *o, struct mr_cell *cell, uint32_t seat, double now_s)
{
    struct seat *s = &o->seat[seat];
    s->n_drain++;
    s->n_down--;
    if (s->n_down == 0)
        mr_cell_boot(cell, seat, now_s);
}

mr_status mr_outages_drain(struct mr_outages *o, struct mr_cell *cell, uint32_t seat, int more,
                           double now_s, struct mr_err *err)
{
    o->seat[seat].n_drain += more > 0 ? 1 : UINT32_MAX;
    return settle(o, cell, seat, now_s, err);
}

void mr_outages_clock(struct mr_outages *o, struct mr_cell *cell, uint32_t seat, double phi,
                      double now_s)
{
    o->seat[seat].phi = phi;
    mr_cell_slow(cell, seat, clock_of(o, seat), now_s);
}

/* ---- dates ---- */

double mr_outages_next_s(const struct mr_outages *o)
{
    return o->next.n > 0 ? mr_tree_winner_time_s(&o->next) : (double)INFINITY;
}

/* By what happens, then whether it is over. */
static const char *const kinds[][2] = {[MR_SCENARIO_DOWN] = {"serve.down", "serve.down_end"},
                                       [MR_SCENARIO_DRAIN] = {"serve.drain", "serve.drain_end"},
                                       [MR_SCENARIO_SLOW] = {"serve.slow", "serve.slow_end"}};

static mr_status do_outage(struct mr_outages *o, struct mr_cell *cell, uint32_t i, double now_s,
                           struct mr_err *err)
{
    const struct mr_scenario_outage *outage = &o->scenario->outage[i];
    struct seat *s = &o->seat[seat_of(o, outage)];
    o->is_on[i] = !o->is_on[i];
    const uint32_t more = o->is_on[i] ? 1 : UINT32_MAX;
    if (outage->what == MR_SCENARIO_DOWN)
        s->n_down += more;
    if (outage->what == MR_SCENARIO_DRAIN)
        s->n_drain += more;
    mr_tree_set_time(&o->next, i,
                     o->is_on[i] && outage->for_s > 0 ? now_s + outage->for_s : (double)INFINITY);
    tell(o, seat_of(o, outage), kinds[outage->what][o->is_on[i] ? 0 : 1],
         outage->what == MR_SCENARIO_SLOW && o->is_on[i] ? outage->clock_frac : (double)NAN, now_s);
    return settle(o, cell, seat_of(o, outage), now_s, err);
}

static mr_status do_failure(struct mr_outages *o, struct mr_cell *cell, uint32_t seat, double now_s,
                            struct mr_err *err)
{
    const struct mr_scenario_failures *f = &o->scenario->failures;
    struct seat *s = &o->seat[seat];
    s->is_failed = !s->is_failed;
    s->n_down += s->is_failed ? 1 : UINT32_MAX;
    tell(o, seat, s->is_failed ? "serve.failure" : "serve.repair", (double)NAN, now_s);
    const double mean_s = s->is_failed ? f->mttr_s : f->mtbf_s;
    mr_tree_set_time(&o->next, (uint32_t)o->scenario->n_outage + seat,
                     now_s + mr_rng_exponential(&s->rng, mean_s));
    return settle(o, cell, seat, now_s, err);
}

mr_status mr_outages_do(struct mr_outages *o, struct mr_cell *cell, struct mr_err *err)
{
    const uint32_t i = mr_tree_winner(&o->next), n_outage = (uint32_t)o->scenario->n_outage;
    const double now_s = mr_outages_next_s(o);
    return i < n_outage ? do_outage(o, cell, i, now_s, err)
                        : do_failure(o, cell, i - n_outage, now_s, err);
}

/* ---- life ---- */

static mr_status check(const struct mr_scenario *scenario, struct mr_err *err)
{
    for (size_t i = 0; i < scenario->n_outage; i++) {
        const struct mr_scenario_outage *outage = &scenario->outage[i];
        const bool is_prefill = outage->pool == MR_SCENARIO_POOL_PREFILL;
        const uint64_t n = !is_prefill             ? scenario->deployment.n_instance
                           : scenario->has_prefill ? scenario->prefill.n_instance
                                                   : 0;
        if (outage->n_instance >= n)
            return mr_err_set(err, MR_REF, (struct mr_place){scenario->path, 0, 0},
                              "<outage> %zu: instance %llu of the %s: there are %llu, from 0 on",
                              i + 1, (unsigned long long)outage->n_instance,
                              is_prefill ? "prefill pool" : "deployment", (unsigned long long)n);
    }
    return MR_OK;
}

static void start(struct mr_outages *o)
{
    const struct mr_scenario *scenario = o->scenario;
    const uint32_t n_outage = (uint32_t)scenario->n_outage;
    for (uint32_t i = 0; i < n_outage; i++)
        mr_tree_set_time(&o->next, i,
                         seat_of(o, &scenario->outage[i]) != nowhere ? scenario->outage[i].at_s
                                                                     : (double)INFINITY);
    for (uint32_t s = 0; s < o->n_seat; s++) {
        o->seat[s].phi = 1;
        o->seat[s].rng = mr_rng_stream(scenario->top.seed, MR_RNG_FAILURE, number_of(o, s));
        mr_tree_set_time(&o->next, n_outage + s,
                         scenario->failures.mtbf_s > 0
                             ? mr_rng_exponential(&o->seat[s].rng, scenario->failures.mtbf_s)
                             : (double)INFINITY);
    }
}

mr_status mr_outages_create(const struct mr_scenario *scenario, const struct mr_outages_span *span,
                            struct mr_outages **out, struct mr_err *err)
{
    *out = NULL;
    MR_TRY(check(scenario, err));
    struct mr_outages *o = mr_alloc_zero(1, sizeof *o);
    if (o == NULL)
        return mr_err_nomem(err, sizeof *o);
    o->scenario = scenario;
    o->span = *span;
    o->n_seat = span->n + span->n_reader;
    o->seat = mr_alloc_zero(o->n_seat, sizeof *o->seat);
    mr_status st = o->seat != NULL ? MR_OK : mr_err_nomem(err, o->n_seat * sizeof *o->seat);
    if (st == MR_OK)
        st = mr_tree_init(&o->next, (uint32_t)scenario->n_outage + o->n_seat, err);
    if (st != MR_OK) {
        mr_outages_destroy(o);
        return st;
    }
    start(o);
    *out = o;
    return MR_OK;
}

void mr_outages_listen(struct mr_outages *o,
                       void (*event)(void *context, double t_s, const char *kind,
                                     const char *entity, double value, double limit),
                       void *context)
{
    o->event = event;
    o->context = context;
}

void mr_outages_destroy(struct mr_outages *outages)
{
    if (outages == NULL)
        return;
    mr_tree_fini(&outages->next);
    mr_free(outages->seat);
    mr_free(outages);
}
