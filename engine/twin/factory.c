/* SPDX-License-Identifier: Apache-2.0 */
/* Map: opening (site, stand, series, events) - events - exchanges - readers. */
#include "engine/twin/factory.h"

#include "engine/base/fmath.h"
#include "engine/base/mem.h"
#include "engine/base/unit.h"
#include "engine/twin/sun.h"
#include "engine/twin/tool_racks.h"
#include "platforms/check.h"
#include "platforms/fabric.h"
#include "platforms/library.h"
#include "platforms/open.h"
#include "power/plan.h"
#include "power/plan_targets.h"
#include "thermal/outage.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct mr_factory {
    const struct mr_scenario *scenario;
    struct mr_site *site;
    struct mr_stand stand;
    struct mr_weather weather;
    bool has_weather;
    const struct mr_power **power; /* of every instance: those that decode, then those that read */
    double *slow_w;                /* the same: at their lowest clock */
    struct mr_exchange_work *work;
    struct mr_exchange_order *order;
    struct mr_factory_seen *seen;
    struct mr_exchange *exchange;
    struct mr_series price, carbon, sun, frequency;
    struct mr_plan plan;               /* events of the supply */
    struct mr_flex flex;               /* calls of a flexible connection */
    struct mr_outage_list heat_events; /* of the plant */
    size_t i_plan, i_outage;
    struct mr_factory_sink sink;
    double capital_usd;
    bool *is_held;   /* by us, of every instance */
    uint32_t n_seat; /* instances of cells; in the stand their LPUs are more of them, behind */
    uint32_t n_lpu;  /* of an instance, beside its packages */
    struct mr_power lpu_power;
    double waiting_s; /* calls have waited since, with nobody at work; INFINITY: they do not */
    struct mr_arena arena;
};

/* ---- opening ---- */

/* Of drawn calls in the middle of their output. Those of files and agents are not known yet: what
 * is usual, for a rack that is held back for what may come is never seen at work. */
static double mean_context_tok(const struct mr_scenario *s)
{
    static const double usual_tok = 8192;
    const struct mr_arrivals_spec *w = &s->workload;
    if (s->has_agents || w->file != NULL)
        return usual_tok;
    const double input = w->input_tok * mr_exp(w->input_spread * w->input_spread / 2);
    return w->prefix_tok + input +
           w->output_tok * mr_exp(w->output_spread * w->output_spread / 2) / 2;
}

static mr_status place(struct mr_factory *f, const struct mr_pool *decode,
                       const struct mr_pool *prefill, struct mr_err *err)
{
    const struct mr_scenario *s = f->scenario;
    const uint32_t n_decode = (uint32_t)s->deployment.n_instance;
    const uint32_t n_lpu = (uint32_t)mr_pool_lpx_beside(&decode->lpx);
    const uint32_t n_seat = n_decode + (prefill != NULL ? (uint32_t)s->prefill.n_instance : 0);
    const uint32_t n_all = n_seat + (n_lpu > 0 ? n_decode : 0);
    f->n_seat = n_seat;
    MR_TRY(mr_stand_init(&f->stand, f->site, err));
    MR_TRY(mr_stand_pool(&f->stand, f->site, decode->card, (uint32_t)mr_pool_packages(decode),
                         n_decode, "deployment", err));
    if (prefill != NULL)
        MR_TRY(mr_stand_pool(&f->stand, f->site, s->prefill.gpu,
                             (uint32_t)mr_pool_packages(prefill), n_seat - n_decode, "prefill",
                             err));
    if (n_lpu > 0) {
        MR_TRY(mr_stand_pool(&f->stand, f->site, s->lpx.lpu, n_lpu, n_decode, "lpx", err));
        f->lpu_power = mr_lpx_serve_power(decode->lpx.serve.lpx.lpu);
        f->n_lpu = n_lpu;
    }
    f->power = mr_arena_zero(&f->arena, n_all, sizeof(const struct mr_power *), err);
    f->slow_w = mr_arena_zero(&f->arena, n_all, sizeof *f->slow_w, err);
    f->work = mr_arena_zero(&f->arena, n_all, sizeof *f->work, err);
    f->order = mr_arena_zero(&f->arena, n_all, sizeof *f->order, err);
    f->seen = mr_arena_zero(&f->arena, n_all, sizeof *f->seen, err);
    f->is_held = mr_arena_zero(&f->arena, n_all, sizeof *f->is_held, err);
    if (f->power == NULL || f->slow_w == NULL || f->work == NULL || f->order == NULL ||
        f->seen == NULL || f->is_held == NULL)
        return MR_NOMEM;
    const double context_tok = mean_context_tok(s);
    const double decode_w = mr_pool_slow_w(decode, true, context_tok);
    const double prefill_w = prefill != NULL ? mr_pool_slow_w(prefill, false, context_tok) : 0;
    const double lpu_w = f->lpu_power.limit_w - f->lpu_power.idle_w; /* they have one clock */
    for (uint32_t i = 0; i < n_all; i++) {
        f->power[i] = i < n_decode ? &decode->power : i < n_seat ? &prefill->power : &f->lpu_power;
        f->slow_w[i] = i < n_decode ? decode_w : i < n_seat ? prefill_w : lpu_w;
        f->order[i] = (struct mr_exchange_order){s->twin.lock, MR_EXCHANGE_NONE, true, false};
    }
    return MR_OK;
}

/* Since 1970; NAN: not said. */
static mr_status read_start(const struct mr_factory *f, double *unix_s, struct mr_err *err)
{
    const char *start = f->scenario->grid.start;
    *unix_s = (double)NAN;
    if (start == NULL || mr_series_date(mr_str_of(start), unix_s))
        return MR_OK;
    return mr_err_set(err, MR_PARSE, (struct mr_place){f->scenario->path, 0, 0},
                      "grid: start \"%s\": a date such as 2024-07-01T00:00Z is wanted", start);
}

static mr_status read_series(struct mr_factory *f, const char *path, int kind,
                             struct mr_series *series, const struct mr_series **used,
                             struct mr_err *err)
{
    double unix_s;
    if (path == NULL)
        return MR_OK;
    MR_TRY(read_start(f, &unix_s, err));
    MR_TRY(mr_series_read_known(&f->arena, path, kind, series, err));
    if (series->origin_s != 0 && !isnan(unix_s))
        mr_series_align(series, unix_s);
    *used = series;
    return mr_series_check_span(series, 0, f->scenario->top.until_s, path, err);
}

static mr_status list_tiers(struct mr_factory *f, struct mr_exchange_plan *plan, struct mr_err *err)
{
    const struct mr_scenario *s = f->scenario;
    struct mr_exchange_tier *tier = mr_arena_zero(&f->arena, s->n_rack + 1, sizeof *tier, err);
    if (tier == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < s->n_rack; i++)
        tier[i] = (struct mr_exchange_tier){s->rack[i].name, (uint8_t)s->rack[i].n_tier};
    plan->tier = tier;
    plan->n_tier = s->n_rack;
    return MR_OK;
}

static mr_status make_exchange(struct mr_factory *f, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario *s = f->scenario;
    struct mr_exchange_plan plan = {.site = f->site,
                                    .stand = &f->stand,
                                    .weather = &f->weather,
                                    .power = f->power,
                                    .slow_w = f->slow_w,
                                    .params = s->twin,
                                    .plant = s->plant,
                                    .set = s->part,
                                    .n_set = s->n_part,
                                    .supply = {.params = s->supply},
                                    .event = f->sink.event,
                                    .context = f->sink.context};
    MR_TRY(list_tiers(f, &plan, err));
    MR_TRY(read_series(f, s->grid.price, MR_SERIES_PRICE, &f->price, &plan.supply.price, err));
    MR_TRY(read_series(f, s->grid.carbon, MR_SERIES_CARBON, &f->carbon, &plan.supply.carbon, err));
    MR_TRY(read_series(f, s->grid.frequency, MR_SERIES_FREQUENCY, &f->frequency,
                       &plan.supply.frequency, err));
    if (s->grid.sun != NULL) {
        MR_TRY(mr_sun_read(&f->arena, s->grid.sun, s->grid.start, &f->sun, err));
        MR_TRY(mr_series_check_span(&f->sun, 0, s->top.until_s, s->grid.sun, err));
        plan.supply.sun = &f->sun;
    }
    mr_sun_check(f->site, plan.supply.sun, diags);
    if (s->has_agents)
        MR_TRY(mr_tool_racks_find(f->site, s->tools.cpu, &f->arena, &plan.tools, diags, err));
    return mr_exchange_create(&plan, &f->exchange, diags);
}

/* Events by kind: coolant's are the plant's, all others the supply's. */
static mr_status read_events(struct mr_factory *f, struct mr_err *err)
{
    const struct mr_scenario *s = f->scenario;
    const char *heat[MR_SCENARIO_EVENTS], *watts[MR_SCENARIO_EVENTS];
    struct mr_param_list of_heat = {.item = heat}, of_watts = {.item = watts};
    for (size_t i = 0; i < s->n_event; i++) {
        const char *what = s->event[i].what;
        const size_t n = strcspn(what, ":@");
        const int kind = mr_outage_kind_of((struct mr_str){what, n});
        const bool is_heat = kind >= 0 && kind != MR_PLANT_OUT_UTILITY;
        if (is_heat)
            heat[of_heat.n++] = what;
        else
            watts[of_watts.n++] = what;
    }
    MR_TRY(mr_outage_read(&of_heat, f->site, &f->heat_events, err));
    MR_TRY(mr_plan_read(&of_watts, f->site, &f->plan, err));
    if (s->grid.targets == NULL)
        return MR_OK;
    double start_s;
    MR_TRY(read_start(f, &start_s, err));
    return mr_plan_read_targets(s->grid.targets, f->site, start_s, &f->plan, err);
}

/* An event behind the end is a slip of who wrote it, or what --until cut off. */
static void doubt_events(const struct mr_scenario *s, struct mr_diags *diags)
{
    for (size_t i = 0; i < s->n_event && s->top.until_s > 0; i++) {
        const char *what = s->event[i].what, *at = strchr(what, '@');
        const struct mr_str date = {at != NULL ? at + 1 : "",
                                    at != NULL ? strcspn(at + 1, "+~=") : 0};
        struct mr_err unread = {0};
        double t_s = 0;
        if (mr_unit_parse(date, MR_Q_TIME, "event", MR_NOWHERE, &t_s, &unread) == MR_OK &&
            t_s > s->top.until_s)
            (void)mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE,
                               (struct mr_place){s->path, 0, 0},
                               "<event what=\"%s\">: does not happen: the run ends at %.17g s",
                               what, s->top.until_s);
    }
}

/* What the site's own check refuses can be played all the same: what happens to such a site is an
 * answer, too, and a sweep over limits goes on. Whoever plays it is told. */
static mr_status doubt_site(const struct mr_site *site, struct mr_diags *diags, struct mr_err *err)
{
    struct mr_diags found = {0};
    MR_TRY(mr_check_site(site, &found, err));
    for (size_t i = 0; i < found.n_item; i++)
        if (found.item[i].severity == MR_SEVERITY_ERROR)
            (void)mr_diags_add_err(diags, MR_SEVERITY_WARNING, &found.item[i].err);
    (void)mr_check_contract(site, diags);
    mr_check_standing(site, diags);
    return MR_OK;
}

/* Middle of what is said of a rack's price. */
static void add_capital(struct mr_factory *f, struct mr_diags *diags)
{
    struct mr_err err = {0};
    struct mr_library *library;
    if (mr_library_create(&library, &err) != MR_OK) {
        f->capital_usd = (double)NAN;
        return;
    }
    for (uint32_t i = 0; i < f->site->n_rack; i++) {
        const struct mr_rack *rack = &f->site->rack[i];
        const struct mr_rack_card *card =
            rack->card == NULL
                ? NULL
                : mr_library_rack(library, rack->card,
                                  (struct mr_place){f->site->path, rack->at.line, 0}, diags);
        f->capital_usd += card != NULL && card->price_high_usd > 0
                              ? 0.5 * (card->price_low_usd + card->price_high_usd)
                              : (double)NAN;
    }
    mr_library_destroy(library);
}

static mr_status open_all(struct mr_factory *f, const struct mr_pool *decode,
                          const struct mr_pool *prefill, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario *s = f->scenario;
    if (decode->step == NULL || (prefill != NULL && prefill->step == NULL))
        return mr_err_set(err, MR_RANGE, (struct mr_place){s->path, 0, 0},
                          "site: a profile of step times knows no watts: name cards (gpu, llm), or "
                          "play without a site");
    MR_TRY(mr_open_site_changed(s->site.file, s->layout, s->n_layout, MR_FABRIC_LEVEL_AUTO,
                                &f->site, diags));
    MR_TRY(doubt_site(f->site, diags, err));
    MR_TRY(mr_weather_make(&s->weather, &f->weather, err));
    f->has_weather = true;
    MR_TRY(mr_weather_check_span(&f->weather, s->top.until_s, err));
    MR_TRY(place(f, decode, prefill, err));
    MR_TRY(read_events(f, err));
    doubt_events(s, diags);
    add_capital(f, diags);
    MR_TRY(make_exchange(f, diags, err));
    MR_TRY(mr_flex_init(&f->flex, f->site, s->grid.price != NULL ? &f->price : NULL,
                        s->top.until_s > 0 ? s->top.until_s : (double)INFINITY, &f->arena, err));
    MR_TRY(mr_flex_step(&f->flex, mr_exchange_supply(f->exchange), 0, err));
    return mr_outage_check(&f->heat_events, mr_exchange_plant(f->exchange), err);
}

mr_status mr_factory_open(const struct mr_scenario *scenario, const struct mr_pool *decode,
                          const struct mr_pool *prefill, const struct mr_factory_sink *sink,
                          struct mr_factory **out, struct mr_diags *diags)
{
    struct mr_factory *f = mr_alloc_zero(1, sizeof *f);
    struct mr_err err = {0};
    *out = NULL;
    if (f == NULL) {
        (void)mr_err_nomem(&err, sizeof *f);
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    }
    f->scenario = scenario;
    f->waiting_s = (double)INFINITY;
    f->sink = *sink;
    const mr_status st = open_all(f, decode, prefill, diags, &err);
    if (st != MR_OK) {
        if (err.status != MR_OK)
            (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
        mr_factory_close(f);
        return st;
    }
    *out = f;
    return MR_OK;
}

void mr_factory_close(struct mr_factory *f)
{
    if (f == NULL)
        return;
    mr_exchange_destroy(f->exchange);
    mr_free(f->plan.item);
    mr_outage_fini(&f->heat_events);
    mr_stand_fini(&f->stand);
    if (f->has_weather)
        mr_weather_fini(&f->weather);
    mr_site_destroy(f->site);
    mr_arena_fini(&f->arena);
    mr_free(f);
}

/* ---- events ---- */

static double next_event_s(const struct mr_factory *f)
{
    double t_s = (double)INFINITY;
    if (f->i_plan < f->plan.n)
        t_s = fmin(t_s, f->plan.item[f->i_plan].t_s);
    if (f->i_outage < f->heat_events.n_change)
        t_s = fmin(t_s, f->heat_events.change[f->i_outage].t_s);
    return t_s;
}

/* Both rooms stand at now. */
static mr_status apply_events(struct mr_factory *f, double now_s, struct mr_err *err)
{
    const bool is_due = next_event_s(f) <= now_s;
    while (f->i_outage < f->heat_events.n_change && f->heat_events.change[f->i_outage].t_s <= now_s)
        MR_TRY(mr_outage_apply(&f->heat_events, f->i_outage++, mr_exchange_plant(f->exchange),
                               mr_exchange_plant_state(f->exchange), err));
    while (f->i_plan < f->plan.n && f->plan.item[f->i_plan].t_s <= now_s)
        MR_TRY(mr_plan_apply(&f->plan.item[f->i_plan++], mr_exchange_supply(f->exchange), err));
    if (is_due)
        mr_exchange_look(f->exchange);
    return MR_OK;
}

/* ---- exchanges ---- */

/* The batch of the step in flight: leaps tell that of their first. */
static struct mr_batch batch_at(const struct mr_instance *instance, double now_s)
{
    struct mr_batch batch = instance->batch;
    const uint64_t n_ended = mr_segment_ended(&instance->segment, now_s);
    const uint64_t n_last = instance->segment.n_step - 1;
    const double k = (double)(n_ended < n_last ? n_ended : n_last);
    const double made = 1 + instance->serving->accept.extra;
    batch.kv_tokens += batch.n_decode * made * k;
    batch.window_kv_tokens += batch.n_growing * made * k;
    batch.chunk_pairs += batch.chunk_tokens * batch.chunk_tokens * k;
    batch.chunk_kv_tokens += batch.chunk_tokens * k;
    return batch;
}

static double clocked_frac(const struct mr_instance *instance, double now_s)
{
    if (instance->segment.n_step == 0 || instance->is_starting)
        return -1;
    const struct mr_batch batch = batch_at(instance, now_s);
    return mr_pricer_clocked_frac(&instance->serving->pricer, &batch);
}

void mr_factory_look(const struct mr_cell *cell, uint32_t seat, uint32_t n, double now_s,
                     struct mr_factory_seen *seen)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct mr_instance *instance = mr_cell_instance(cell, seat + i);
        const struct mr_segment *segment = &instance->segment;
        const bool is_running =
            segment->n_step > 0 && !instance->is_starting && now_s > segment->start_s;
        seen[i].work = (struct mr_exchange_work){
            .busy_s = instance->busy_s + (is_running ? now_s - segment->start_s : 0),
            .busy_j = mr_instance_energy_j(instance, now_s),
            .clocked_frac = clocked_frac(instance, now_s)};
        seen[i].gauge = mr_gauge_of(instance, now_s);
        seen[i].lpu_j = mr_instance_lpu_j(instance, now_s);
    }
}

struct mr_factory_seen *mr_factory_seen(struct mr_factory *f)
{
    return f->seen;
}

mr_status mr_factory_obey(struct mr_factory *f, uint32_t i, struct mr_cell *cell,
                          struct mr_outages *outages, uint32_t seat, double now_s,
                          struct mr_err *err)
{
    const struct mr_exchange_order *order = &f->order[i];
    const bool has_lpus = f->n_seat + i >= f->stand.n_instance || f->order[f->n_seat + i].is_up;
    const bool is_up = order->is_up && has_lpus;
    if (is_up == f->is_held[i])
        MR_TRY(mr_outages_hold(outages, cell, seat, is_up ? -1 : 1, now_s, err));
    f->is_held[i] = !is_up;
    mr_outages_clock(outages, cell, seat, order->phi, now_s);
    return MR_OK;
}

bool mr_factory_is_short(const struct mr_factory *f, uint32_t i)
{
    const bool has_lpus = f->n_seat + i < f->stand.n_instance;
    return f->order[i].is_short || (has_lpus && f->order[f->n_seat + i].is_short);
}

/* Nobody works, calls wait, nothing is to come: it is not for us to wait for ever. */
static mr_status look_for_hope(struct mr_factory *f, const struct mr_factory_mood *mood,
                               double now_s, struct mr_err *err)
{
    const double patience_s = 86400;
    double lost_frac;
    const bool has_tools = mr_exchange_tools_frac(f->exchange, &lost_frac) > 0;
    const bool is_waiting =
        (mood->n_parked > 0 || !has_tools) && mood->is_idle && isinf(next_event_s(f));
    f->waiting_s = is_waiting ? fmin(f->waiting_s, now_s) : (double)INFINITY;
    if (now_s - f->waiting_s < patience_s || !is_waiting)
        return MR_OK;
    if (mood->n_parked == 0)
        return mr_err_set(err, MR_DIVERGED, (struct mr_place){f->scenario->path, 0, 0},
                          "tools have waited for a day, since %.6g s, and no rack that runs them "
                          "has power: say when it comes back (<event>), or an end (until)",
                          f->waiting_s);
    return mr_err_set(
        err, MR_DIVERGED, (struct mr_place){f->scenario->path, 0, 0},
        "%llu calls have waited for a day, since %.6g s, and no instance has power and "
        "coolant: say when it comes back (<event>), or an end (until)",
        (unsigned long long)mood->n_parked, f->waiting_s);
}

double mr_factory_next_s(const struct mr_factory *f)
{
    return fmin(fmin(mr_exchange_next_s(f->exchange), next_event_s(f)),
                mr_flex_next_s(&f->flex, mr_exchange_now_s(f->exchange)));
}

mr_status mr_factory_do(struct mr_factory *f, const struct mr_factory_mood *mood, double now_s,
                        struct mr_err *err)
{
    for (uint32_t i = 0; i < f->n_seat; i++)
        f->work[i] = f->seen[i].work;
    for (uint32_t i = f->n_seat; i < f->stand.n_instance; i++) {
        const struct mr_factory_seen *seen = &f->seen[i - f->n_seat];
        f->work[i] = (struct mr_exchange_work){.busy_s = seen->work.busy_s,
                                               .busy_j = seen->lpu_j / f->n_lpu};
    }
    MR_TRY(mr_exchange_do(f->exchange, now_s, f->work, f->order, err));
    MR_TRY(apply_events(f, now_s, err));
    MR_TRY(mr_flex_step(&f->flex, mr_exchange_supply(f->exchange), now_s, err));
    return look_for_hope(f, mood, now_s, err);
}

/* ---- readers ---- */

const struct mr_stand *mr_factory_stand(const struct mr_factory *factory)
{
    return &factory->stand;
}

const struct mr_site *mr_factory_site(const struct mr_factory *f)
{
    return f->site;
}

struct mr_exchange *mr_factory_exchange(struct mr_factory *f)
{
    return f->exchange;
}

double mr_factory_capital_usd(const struct mr_factory *f)
{
    return f->capital_usd;
}

static mr_status find_strand(const struct mr_factory *f, struct mr_strand *strand,
                             struct mr_err *err)
{
    const struct mr_wire *wire = mr_supply_wire(mr_exchange_supply(f->exchange));
    struct mr_strand_site found = {0};
    double *cooling_w = mr_alloc_zero(wire->tree->n_node + 1, sizeof *cooling_w);
    if (cooling_w == NULL)
        return mr_err_nomem(err, wire->tree->n_node * sizeof *cooling_w);
    mr_wire_cooling(wire, f->site, cooling_w);
    const mr_status st = mr_strand_of(wire->tree, cooling_w, &found, err);
    *strand = found.sum;
    mr_strand_fini(&found);
    mr_free(cooling_w);
    return st;
}

mr_status mr_factory_books(const struct mr_factory *f, struct mr_factory_books *books,
                           struct mr_err *err)
{
    struct mr_exchange_sums sums;
    *books = (struct mr_factory_books){0};
    mr_exchange_sums(f->exchange, &sums);
    books->flex = f->flex;
    books->n_level = mr_supply_worst_odds(mr_exchange_supply(f->exchange), &books->odds);
    snprintf(books->level, sizeof books->level, "%s", books->odds.name);
    mr_flex_end(&books->flex, mr_exchange_supply(f->exchange), sums.time_s);
    books->compute_j = sums.it_j - sums.stage_loss_j[MR_STAGE_SHELF];
    return find_strand(f, &books->strand, err);
}

void mr_factory_racks(const struct mr_factory *f, struct mr_factory_rack *rack)
{
    const struct mr_stand *stand = &f->stand;
    for (uint32_t r = 0; r < f->site->n_rack; r++)
        rack[r] = (struct mr_factory_rack){0};
    for (uint32_t i = 0; i < f->n_seat; i++) {
        double n_package = 0;
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++)
            n_package += stand->span[k].n;
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            struct mr_factory_rack *r = &rack[stand->span[k].rack];
            const double n = stand->span[k].n;
            r->n_package += n;
            r->n_token += f->seen[i].gauge.n_token * n / n_package;
            r->kv_used_frac += f->seen[i].gauge.kv_used_frac * n;
            r->kv_resident_frac += f->seen[i].gauge.kv_resident_frac * n;
        }
    }
    for (uint32_t r = 0; r < f->site->n_rack; r++) { /* 0 / 0: NaN */
        rack[r].kv_used_frac /= rack[r].n_package;
        rack[r].kv_resident_frac /= rack[r].n_package;
    }
}
