/* SPDX-License-Identifier: Apache-2.0 */
/* A run: cells are played window by window (windows.h), and at a window's end the site answers all
 * of them. Windows end at the edges of a grid, at exchanges, and where samples are many; none of
 * that changes what a cell does in between. Parts: windows - the site - life. */
#include "engine/twin/play.h"

#include "engine/base/mem.h"
#include "engine/twin/play_sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- windows ---- */

/* What a cell says at the end of a window. */
struct report {
    double last_s;                  /* the last that happened to one of its calls */
    double due_s, outage_s, plan_s; /* nothing happens before */
    uint64_t n_parked, n_open;      /* calls that wait for anybody; instances that take calls */
    uint64_t is_over;
    int64_t stop;     /* what its rank was told; 0: nothing */
    uint64_t n_event; /* since the start */
};

/* Where nobody has anything to do the grid's windows are passed over. */
static double edge(void *state, double start_s)
{
    struct mr_play_run *run = state;
    const struct mr_window_grid grid = run->windows.plan.grid;
    const uint64_t index = mr_window_of(grid, fmax(start_s, run->due_s));
    double end_s = index < MR_WINDOW_LAST ? mr_window_start_s(grid, index + 1) : (double)INFINITY;
    if (run->factory != NULL)
        end_s = fmin(end_s, mr_factory_next_s(run->factory));
    end_s = fmin(mr_play_sample_edge_s(run, end_s), run->end_s);
    mr_play_sample_plan(run, end_s);
    run->is_dealt = false;
    return end_s;
}

/* Calls of this window, to those of its cells that are here. */
static mr_status deal(struct mr_play_run *run, double end_s, struct mr_err *err)
{
    run->is_dealt = true;
    return run->arrivals != NULL ? mr_play_calls_deal(run, end_s, err) : MR_OK;
}

static mr_status play(void *state, struct mr_windows *windows, uint32_t cell, struct mr_err *err)
{
    struct mr_play_run *run = state;
    struct mr_play_cell *own = &run->cell[cell - windows->first];
    if (!run->is_dealt)
        MR_TRY(deal(run, windows->now.end_s, err));
    MR_TRY(mr_play_cell_play(own, windows->now.end_s, err));
    mr_play_sample_watch(own, windows->now.end_s);
    if (own->n_post > 0)
        MR_TRY(mr_windows_post(windows, cell, 0, own->post, own->n_post, err));
    own->n_post = 0;
    return MR_OK;
}

static void report(void *state, const struct mr_windows *windows, uint32_t cell, void *record)
{
    struct mr_play_run *run = state;
    const struct mr_play_cell *own = &run->cell[cell - windows->first];
    const struct mr_play_options *options = run->options;
    struct report *r = record;
    r->last_s = own->last_s;
    r->due_s = mr_play_cell_due_s(own);
    r->outage_s = mr_outages_next_s(own->outages);
    r->plan_s = own->planner != NULL ? mr_planner_next_s(own->planner) : (double)INFINITY;
    r->n_parked = own->cell.n_parked;
    for (uint32_t i = 0; i < own->span.n; i++)
        r->n_open += own->cell.seat[i].state == MR_CELL_SEAT_UP;
    r->is_over = mr_play_cell_is_over(own);
    r->stop = options->stop != NULL ? options->stop(options->stop_context) : 0;
    r->n_event = mr_play_cell_events(own);
}

static mr_status deliver(void *state, const struct mr_windows *windows,
                         const struct mr_windows_mail *mail, struct mr_err *err)
{
    struct mr_play_run *run = state;
    uint64_t kind;
    memcpy(&kind, mail->bytes, sizeof kind);
    if (kind == MR_PLAY_MAIL_MOVE)
        return mr_play_calls_enter(&run->cell[mail->to - windows->first], mail->bytes,
                                   windows->now.end_s, err);
    return mr_play_rows_tell(run, mail->bytes, mail->n_bytes, err);
}

/* Calls without an instance wait for an outage to end; without outages and site none ever does. */
struct state_of_all {
    struct mr_factory_mood mood;
    double due_s; /* of cells and outages */
    bool is_over;
    int64_t stop;
    uint64_t n_event;
};

static struct state_of_all sum_up(struct mr_play_run *run, const struct report *all)
{
    struct state_of_all s = {.due_s = (double)INFINITY, .is_over = true};
    double hope_s = (double)INFINITY, n_open = 0;
    for (uint32_t c = 0; c < run->n_cell; c++) {
        const struct report *r = &all[c];
        run->result->sim_s = fmax(run->result->sim_s, r->last_s);
        hope_s = fmin(hope_s, fmin(r->due_s, r->outage_s));
        s.due_s = fmin(s.due_s, fmin(hope_s, r->plan_s));
        s.mood.n_parked += r->n_parked;
        s.is_over = s.is_over && r->is_over != 0;
        s.stop = r->stop > s.stop ? r->stop : s.stop;
        s.n_event += r->n_event;
        n_open += (double)r->n_open;
        run->open_to[c] = n_open;
    }
    s.mood.is_idle = isinf(hope_s);
    if (run->has_next) {
        s.due_s = fmin(s.due_s, run->next.arrived_s);
        s.is_over = false;
    }
    const bool may_move = s.mood.n_parked > 0 && mr_play_calls_may_move(run);
    s.is_over = s.is_over || (isinf(s.due_s) && run->factory == NULL && !may_move);
    return s;
}

static void tell_window(const struct mr_play_run *run, double now_s, uint64_t n_event)
{
    const struct mr_play_reading reading = {
        .now_s = now_s,
        .end_s = run->end_s,
        .site_w = run->factory != NULL ? mr_exchange_site_w(mr_factory_exchange(run->factory))
                                       : (double)NAN,
        .n_event = n_event};
    run->options->on_window(run->options->window_context, &reading);
}

/* What comes from the site is the same on every rank but for who listens to it. */
static mr_status exchange_at(struct mr_play_run *run, const struct mr_factory_mood *mood,
                             double now_s, struct mr_err *err)
{
    MR_TRY(mr_play_share_seen(run, now_s, err));
    const mr_status st = mr_factory_do(run->factory, mood, now_s, err);
    MR_TRY(mr_play_agree(run, st, err));
    MR_TRY(mr_play_obey(run, now_s, err));
    mr_play_sample_seen(run, now_s);
    if (run->options->on_exchange != NULL)
        run->options->on_exchange(run->options->context, now_s);
    return MR_OK;
}

/* What is measured begins at the first end of a window behind the warm-up, in all cells. */
static void measure(struct mr_play_run *run, double now_s)
{
    if (run->is_measured || run->result->measured == NULL ||
        now_s < run->scenario->agents.warm_up_s || now_s >= run->end_s)
        return;
    run->is_measured = true;
    run->result->measured_s = now_s;
    for (uint32_t i = 0; i < run->windows.end - run->windows.first; i++)
        memcpy(run->cell[i].before, run->cell[i].count,
               run->scenario->n_tier * sizeof *run->cell[i].before);
}

static mr_status exchange(void *state, struct mr_windows *windows, const void *records,
                          bool *is_last, struct mr_err *err)
{
    struct mr_play_run *run = state;
    const double now_s = windows->now.end_s;
    if (!run->is_dealt) /* a rank without cells */
        MR_TRY(deal(run, now_s, err));
    const struct state_of_all s = sum_up(run, records);
    const bool is_over = isinf(run->end_s) && s.is_over;
    run->result->is_partial = s.stop != 0 && !is_over && now_s < run->end_s;
    if (run->result->is_partial) {
        run->result->sim_s = now_s;
        run->result->stop = (int)s.stop;
    }
    run->due_s = s.due_s;
    if (run->options->on_window != NULL)
        tell_window(run, now_s, s.n_event);
    const mr_status st = mr_play_sample_tell(run, is_over ? run->result->sim_s : now_s, err);
    MR_TRY(mr_play_agree(run, st, err));
    *is_last = is_over || run->result->is_partial;
    if (*is_last)
        return MR_OK;
    measure(run, now_s);
    if (run->factory != NULL && now_s >= mr_factory_next_s(run->factory))
        MR_TRY(exchange_at(run, &s.mood, now_s, err));
    if (s.mood.n_parked > 0 && mr_play_calls_may_move(run))
        run->due_s = now_s;
    MR_TRY(mr_play_calls_move(run, now_s, err));
    if (run->st != MR_OK)
        *err = run->err;
    return run->st;
}

static const struct mr_windows_model model = {.report_bytes = sizeof(struct report),
                                              .play = play,
                                              .report = report,
                                              .exchange = exchange,
                                              .edge = edge,
                                              .deliver = deliver};

/* ---- the site ---- */

/* Kinds of events that are limits passed. */
static const char *const bad_kinds[] = {"th.throttle_on",
                                        "th.hbm_limit",
                                        "th.shutdown",
                                        "th.supply_high",
                                        "th.rack_return_high",
                                        "th.room_high",
                                        "power.breaker_trip",
                                        "power.stage_overload",
                                        "power.cable_overload",
                                        "power.rack_lost",
                                        "power.budget_infeasible",
                                        "power.ramp_violation",
                                        "power.source_short",
                                        "power.gen_fail",
                                        "grid.ufls",
                                        "grid.frequency",
                                        "grid.collapse",
                                        "grid.powerbreach"};

static void count_violation(struct mr_play_result *result, const struct mr_play_event *event)
{
    size_t k = 0, i = 0;
    while (k < sizeof bad_kinds / sizeof *bad_kinds && strcmp(bad_kinds[k], event->kind) != 0)
        k++;
    if (k == sizeof bad_kinds / sizeof *bad_kinds)
        return;
    while (i < result->n_violation && strcmp(result->violation[i].what, event->kind) != 0)
        i++;
    struct mr_play_violation *v = &result->violation[i];
    const bool is_new = i == result->n_violation;
    if (is_new || event->t_s < v->first_s) { /* within a tick they do not come by date */
        const uint64_t count = is_new ? 0 : v->count;
        *v =
            (struct mr_play_violation){.what = bad_kinds[k], .count = count, .first_s = event->t_s};
        snprintf(v->where, sizeof v->where, "%s", event->entity);
        result->n_violation += is_new;
    }
    v->count++;
}

void mr_play_take_event(void *context, double t_s, const char *kind, const char *entity,
                        double value, double limit)
{
    struct mr_play_run *run = context;
    const struct mr_play_event event = {t_s, kind, entity, value, limit};
    count_violation(run->result, &event);
    if (run->st != MR_OK || run->options->on_event == NULL)
        return;
    if (run->has_begun) {
        run->st = run->options->on_event(run->options->context, &event, &run->err);
        return;
    }
    run->st =
        mr_grow(&run->early, &run->cap_early, run->n_early + 1, sizeof *run->early, &run->err);
    if (run->st == MR_OK)
        run->early[run->n_early++] = event; /* entities are the site's own names */
}

/* A site that is set up under a limit has stopped racks before anybody could listen. */
static mr_status begin(struct mr_play_run *run, struct mr_err *err)
{
    const struct mr_play_options *options = run->options;
    if (options->on_begin != NULL)
        MR_TRY(options->on_begin(options->context, run->factory, err));
    run->has_begun = true;
    for (size_t i = 0; i < run->n_early; i++)
        MR_TRY(options->on_event(options->context, &run->early[i], err));
    return MR_OK;
}

static mr_status open_site(struct mr_play_run *run, struct mr_diags *diags)
{
    const struct mr_scenario *scenario = run->scenario;
    const struct mr_factory_sink sink = {mr_play_take_event, run};
    if (scenario->site.file == NULL)
        return MR_OK;
    return mr_factory_open(scenario, &run->pool, scenario->has_prefill ? &run->prefill : NULL,
                           &sink, &run->factory, diags);
}

/* An instance talks from the host of its first package. */
static mr_status find_hosts(struct mr_play_run *run, struct mr_err *err)
{
    if (run->options->net == NULL)
        return MR_OK;
    const struct mr_stand *stand = mr_factory_stand(run->factory);
    const struct mr_site *site = mr_factory_site(run->factory);
    run->host = mr_alloc(stand->n_instance, sizeof *run->host);
    if (run->host == NULL)
        return mr_err_nomem(err, stand->n_instance * sizeof *run->host);
    for (uint32_t i = 0; i < stand->n_instance; i++) {
        const struct mr_stand_span *span = &stand->span[stand->begin[i]];
        run->host[i] = run->options->host_of(site, span->rack, span->first);
    }
    return MR_OK;
}

/* A breach is told when it begins, gets worse and ends: it is one all the same. */
static void count_breaches(struct mr_play_result *result, const struct mr_supply *supply)
{
    struct mr_supply_total total;
    mr_supply_total(supply, &total);
    for (size_t i = 0; i < result->n_violation; i++)
        if (strcmp(result->violation[i].what, "grid.powerbreach") == 0)
            result->violation[i].count = total.n_breach;
}

/* To the end of the run, then the sums. */
static mr_status close_books(struct mr_play_run *run, struct mr_err *err)
{
    struct mr_play_result *result = run->result;
    if (run->factory == NULL)
        return MR_OK;
    struct mr_exchange *exchange_ = mr_factory_exchange(run->factory);
    if (result->sim_s > mr_exchange_now_s(exchange_))
        MR_TRY(exchange_at(run, &(struct mr_factory_mood){0}, result->sim_s, err));
    result->has_site = true;
    mr_exchange_sums(exchange_, &result->site);
    MR_TRY(mr_exchange_sums_check(&result->site, mr_factory_site(run->factory)->name, err));
    MR_TRY(mr_factory_books(run->factory, &result->books, err));
    result->capital_usd = mr_factory_capital_usd(run->factory);
    struct mr_supply_reading connection;
    mr_supply_read(mr_exchange_supply(exchange_), &connection);
    result->feed_limit_w = connection.limit_w;
    count_breaches(result, mr_exchange_supply(exchange_));
    return MR_OK;
}

/* ---- life ---- */

static mr_status open_pools(struct mr_play_run *run, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    MR_TRY(mr_shelf_create(&run->shelf, err));
    MR_TRY(mr_pool_open(run->shelf, scenario, &scenario->deployment, "deployment", &run->pool,
                        diags, err));
    run->pool.serving.steps_singly = run->options->steps_singly;
    MR_TRY(mr_play_calls_check(run, err));
    if (!scenario->has_prefill)
        return MR_OK;
    MR_TRY(mr_pool_open(run->shelf, scenario, &scenario->prefill, "prefill", &run->prefill, diags,
                        err));
    run->prefill.serving.steps_singly = run->options->steps_singly;
    MR_TRY(mr_pool_split(scenario, &run->prefill, &run->pool, &run->split, err));
    run->split.net = run->options->net;
    return MR_OK;
}

static mr_status count_cells(struct mr_play_run *run, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    const struct mr_place at = {scenario->path, 0, 0};
    const uint64_t n = scenario->deployment.n_instance, most = scenario->top.n_cell_instance;
    run->n_cell = most > 0 ? (uint32_t)((n + most - 1) / most) : 1;
    if (scenario->has_prefill && scenario->prefill.n_instance < run->n_cell)
        return mr_err_set(err, MR_RANGE, at,
                          "prefill: %llu instances are too few for the %u cells of the deployment, "
                          "each of which needs one (\"cell\" says how large cells are)",
                          (unsigned long long)scenario->prefill.n_instance, run->n_cell);
    if (scenario->planner.interval_s > 0 && run->n_cell > 1)
        return mr_err_set(err, MR_RANGE, at,
                          "planner: it decides for all instances of a pool, which %u cells do not "
                          "share: set \"cell\" of <scenario> to 0, or take no planner",
                          run->n_cell);
    if (run->options->net != NULL && run->n_cell > 1)
        return mr_err_set(err, MR_RANGE, at,
                          "transfer: \"flow\" is one network for all, which %u cells cannot play "
                          "one after the other: set \"cell\" of <scenario> to 0, or take "
                          "\"shared\" or \"ideal\"",
                          run->n_cell);
    return MR_OK;
}

static mr_status make_windows(struct mr_play_run *run, struct mr_err *err)
{
    const struct mr_windows_plan plan = {.n_cell = run->n_cell,
                                         .grid = mr_window_grid_of(run->scenario->twin.tick_s),
                                         .end_s = run->end_s,
                                         .seed = run->scenario->top.seed};
    const size_t n_rank = run->ranks->n, n_tier = run->scenario->n_tier;
    run->n_bytes = mr_alloc_zero(2 * n_rank, sizeof *run->n_bytes);
    run->status = mr_alloc_zero(n_rank, sizeof *run->status);
    run->open_to = mr_alloc_zero(run->n_cell, sizeof *run->open_to);
    run->hists = mr_alloc_zero(2 * n_tier, sizeof *run->hists);
    run->result->measured_s = (double)NAN;
    run->result->tier = mr_alloc_zero(n_tier, sizeof *run->result->tier);
    run->result->read = mr_alloc_zero(2, sizeof *run->result->read);
    const bool measures = run->scenario->has_agents && run->scenario->agents.warm_up_s > 0;
    if (measures)
        run->result->measured = mr_alloc_zero(1, sizeof *run->result->measured);
    if (run->n_bytes == NULL || run->status == NULL || run->open_to == NULL || run->hists == NULL ||
        run->result->tier == NULL || run->result->read == NULL ||
        (measures && run->result->measured == NULL))
        return mr_err_nomem(err, 2 * n_tier * sizeof *run->hists);
    run->result->n_tier = n_tier;
    run->result->n_rank = run->ranks->n;
    run->result->n_cell = run->n_cell;
    MR_TRY(mr_windows_init(&run->windows, &plan, run->ranks, err));
    for (uint32_t c = 0; c < run->n_cell; c++)
        run->open_to[c] =
            (double)mr_play_first(run->scenario->deployment.n_instance, c + 1, run->n_cell);
    return MR_OK;
}

static mr_status make_cells(struct mr_play_run *run, struct mr_err *err)
{
    const struct mr_windows *windows = &run->windows;
    const uint32_t n = windows->end - windows->first;
    run->cell = mr_alloc_zero((size_t)n + 1, sizeof *run->cell);
    run->tool_core_s = mr_alloc_zero((size_t)n + 1, sizeof *run->tool_core_s);
    if (run->cell == NULL || run->tool_core_s == NULL)
        return mr_err_nomem(err, ((size_t)n + 1) * sizeof *run->cell);
    for (uint32_t i = 0; i < n; i++) {
        run->n_made++;
        MR_TRY(mr_play_cell_init(run, windows->first + i, &run->cell[i], err));
    }
    return mr_play_sample_init(run, err);
}

static mr_status open_all(struct mr_play_run *run, struct mr_diags *diags, struct mr_err *err)
{
    MR_TRY(open_pools(run, diags, err));
    MR_TRY(count_cells(run, err));
    MR_TRY(make_windows(run, err));
    MR_TRY(open_site(run, diags));
    MR_TRY(find_hosts(run, err));
    MR_TRY(make_cells(run, err));
    MR_TRY(mr_play_steps_open(run, err));
    MR_TRY(begin(run, err));
    MR_TRY(mr_play_calls_open(run, diags, err));
    for (uint32_t i = 0; i < run->n_made; i++)
        MR_TRY(mr_play_cell_start(&run->cell[i], err));
    return mr_play_rows_open(run, err);
}

static mr_status play_all(struct mr_play_run *run, struct mr_err *err)
{
    struct mr_play_result *result = run->result;
    if (run->factory != NULL) /* caps, locks and events of 0 s hold from 0 s on */
        MR_TRY(exchange_at(run, &(struct mr_factory_mood){0}, 0, err));
    MR_TRY(mr_windows_run(&run->windows, &model, run, err));
    if (isfinite(run->end_s) && !result->is_partial)
        result->sim_s = run->end_s;
    MR_TRY(close_books(run, err));
    const mr_status st = mr_play_sample_end(run, result->sim_s, err);
    MR_TRY(mr_play_agree(run, st, err));
    MR_TRY(mr_play_settle(run, err));
    if (run->st != MR_OK)
        *err = run->err;
    return mr_play_agree(run, run->st, err);
}

static void close_all(struct mr_play_run *run)
{
    mr_arrivals_close(run->arrivals);
    mr_factory_close(run->factory);
    for (uint32_t i = 0; i < run->n_made; i++)
        mr_play_cell_fini(&run->cell[i]);
    mr_agents_deal_close(run->deal);
    mr_free(run->cell);
    if (run->windows.ranks != NULL)
        mr_windows_fini(&run->windows);
    mr_pool_close(&run->pool);
    mr_pool_close(&run->prefill);
    mr_shelf_destroy(run->shelf);
    mr_cache_names_runs_fini(&run->names);
    mr_free(run->host);
    mr_free(run->open_to);
    mr_free(run->tool_core_s);
    mr_free(run->hists);
    mr_free(run->gathered);
    mr_free(run->part);
    mr_free(run->n_bytes);
    mr_free(run->status);
    mr_free(run->early);
    mr_buf_fini(&run->row);
}

/* Everything there is to go wrong at the start goes wrong before the first window, and then for
 * all ranks. */
static mr_status play_on(struct mr_play_run *run, struct mr_diags *diags, struct mr_err *err)
{
    mr_status st = open_all(run, diags, err);
    if (run->status == NULL) /* too early to ask the others */
        return st;
    st = mr_play_agree(run, st, err);
    if (st == MR_OK)
        st = play_all(run, err);
    return mr_play_rows_close(run, st, err);
}

mr_status mr_play(const struct mr_scenario *scenario, const struct mr_play_options *options,
                  struct mr_play_result *result, struct mr_diags *diags)
{
    const double until_s = scenario->top.until_s;
    struct mr_play_run run = {.scenario = scenario,
                              .options = options,
                              .result = result,
                              .ranks = options->ranks,
                              .end_s = until_s > 0 ? until_s : (double)INFINITY};
    struct mr_ranks alone = {0};
    struct mr_err err = {0};
    mr_status st = MR_OK;
    *result = (struct mr_play_result){0};
    if (run.ranks == NULL) {
        st = mr_ranks_alone(&alone, &err);
        run.ranks = &alone;
    }
    if (st == MR_OK)
        st = play_on(&run, diags, &err);
    if (st != MR_OK && diags->first_error == MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    close_all(&run);
    if (options->ranks == NULL)
        mr_ranks_close(&alone);
    return st;
}

mr_status mr_play_check(const struct mr_scenario *scenario, struct mr_diags *diags)
{
    const struct mr_play_options options = {0};
    struct mr_play_run run = {.scenario = scenario, .options = &options};
    struct mr_err err = {0};
    mr_status st = open_pools(&run, diags, &err);
    if (st == MR_OK)
        st = count_cells(&run, &err);
    if (st == MR_OK && scenario->site.file != NULL) {
        const struct mr_factory_sink nobody = {0};
        st = mr_factory_open(scenario, &run.pool, scenario->has_prefill ? &run.prefill : NULL,
                             &nobody, &run.factory, diags);
    }
    if (st != MR_OK && diags->first_error == MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    close_all(&run);
    return st;
}

const char *mr_play_outcome_name(uint8_t outcome)
{
    static const char *const names[] = {"finished", "in_flight",
#define OUTCOME_TEXT(name, text, doc) text,
                                        MR_CELL_REFUSAL_LIST(OUTCOME_TEXT)
#undef OUTCOME_TEXT
    };
    return names[outcome];
}

void mr_play_fini(struct mr_play_result *result)
{
    mr_free(result->tier);
    mr_free(result->read);
    mr_free(result->measured);
    mr_tenants_destroy(result->tenants);
    *result = (struct mr_play_result){0};
}
