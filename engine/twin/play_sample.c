/* SPDX-License-Identifier: Apache-2.0 */
/* Samples for readers. Every cell makes its part of a sample just before its first event after the
 * date, so that looking on changes nothing; at a window's end the parts of all cells are added in
 * the order of cells. A window passes few dates at most: it ends early where they are many.
 * At the date of an exchange everybody is looked at anyway: what the site has seen is used again.
 * Dates are the multiples k * interval of all intervals in one row; those that a rounding keeps
 * apart (90 * 0.7 s and 63 s) are one, the later of them: an exchange comes before its sample. */
#include "engine/twin/play_sample.h"

#include "engine/base/mem.h"
#include "engine/serve/handover.h"

#include <math.h>
#include <string.h>

struct mr_play_part {
    struct mr_play_pool pool[2]; /* kv_*_frac: summed over instances */
    struct mr_play_level tier[MR_SCENARIO_TIERS];
};

static bool is_wanted(const struct mr_play_run *run)
{
    return run->options->n_every > 0;
}

/* ---- dates ---- */

static struct mr_play_date draw_date(struct mr_play_run *run)
{
    const double *every_s = run->options->every_s, same = 1 + 1e-12;
    double last_s = 0;
    struct mr_play_date date = {.t_s = HUGE_VAL};
    for (uint32_t i = 0; i < run->options->n_every; i++)
        date.t_s = fmin(date.t_s, (double)run->n_multiple[i] * every_s[i]);
    for (uint32_t i = 0; i < run->options->n_every; i++)
        if ((double)run->n_multiple[i] * every_s[i] <= date.t_s * same) {
            date.due |= (uint32_t)1 << i;
            last_s = fmax(last_s, (double)run->n_multiple[i]++ * every_s[i]);
        }
    date.t_s = last_s;
    return date;
}

/* The first n are done: those behind them move up. */
static void pass_dates(struct mr_play_run *run, size_t n)
{
    const size_t n_date = sizeof run->date / sizeof *run->date;
    memmove(run->date, run->date + n, (n_date - n) * sizeof *run->date);
    for (size_t i = n_date - n; i < n_date; i++)
        run->date[i] = draw_date(run);
}

/* ---- a cell's part ---- */

/* Seats of one pool that lie together, and what an exchange has seen of them at this very moment
 * (NULL: nothing). */
struct seats {
    const struct mr_pool *pool;
    uint32_t from, n;
    const struct mr_factory_seen *seen;  /* [n] */
    const struct mr_onboard_pool *below; /* NULL: no memories below the HBM */
};

static struct mr_play_pool look_at(const struct mr_cell *cell, const struct seats *seats,
                                   double now_s)
{
    const double n_package = mr_pool_packages(seats->pool);
    const double idle_w = mr_play_idle_w(seats->pool), lpu_w = mr_play_lpu_w(seats->pool, false);
    struct mr_play_pool p = {0};
    for (uint32_t i = 0; seats->below != NULL && i < seats->n; i++)
        mr_handover_settle(mr_cell_instance(cell, seats->from + i), now_s);
    for (uint32_t k = 0; seats->below != NULL && k < seats->below->plan->n_level; k++)
        p.kv_bytes[k] = mr_onboard_resident(seats->below, k) * seats->below->plan->block_bytes;
    for (uint32_t i = 0; i < seats->n; i++) {
        const uint32_t seat = seats->from + i;
        const struct mr_instance *instance = mr_cell_instance(cell, seat);
        const bool is_up = cell->seat[seat].state == MR_CELL_SEAT_UP;
        const struct mr_factory_seen *seen = seats->seen != NULL && is_up ? seats->seen + i : NULL;
        const struct mr_gauge gauge = seen != NULL ? seen->gauge : mr_gauge_of(instance, now_s);
        const double idle_s = mr_play_cell_idle_s(cell, seat, now_s);
        p.n_open += is_up;
        p.n_waiting += (double)instance->queue.n;
        p.n_running += instance->n_run;
        p.kv_used_frac += gauge.kv_used_frac;
        p.kv_resident_frac += gauge.kv_resident_frac;
        p.n_token += gauge.n_token;
        p.package_j +=
            n_package *
                ((seen != NULL ? seen->work.busy_j : mr_instance_energy_j(instance, now_s)) +
                 idle_s * idle_w) +
            (seen != NULL ? seen->lpu_j : mr_instance_lpu_j(instance, now_s)) + idle_s * lpu_w;
    }
    return p;
}

/* @param[in] seen of the whole stand; NULL: look */
static void look(const struct mr_play_cell *own, const struct mr_factory_seen *seen, double now_s,
                 struct mr_play_part *part)
{
    const struct mr_play_run *run = own->run;
    const struct mr_cell *cell = &own->cell;
    const struct mr_outages_span *span = &own->span;
    const uint32_t n_decode = (uint32_t)run->scenario->deployment.n_instance;
    const struct seats decode = {&run->pool, 0, span->n, seen != NULL ? seen + span->first : NULL,
                                 cell->onboard};
    const struct seats prefill = {&run->prefill, span->n, span->n_reader,
                                  seen != NULL ? seen + n_decode + span->first_reader : NULL,
                                  cell->split != NULL ? cell->split->onboard : NULL};
    *part = (struct mr_play_part){0};
    part->pool[0] = look_at(cell, &decode, now_s);
    part->pool[0].n_waiting += (double)cell->n_parked;
    if (cell->split != NULL)
        part->pool[1] = look_at(cell, &prefill, now_s);
    for (size_t i = 0; i < run->scenario->n_tier; i++) {
        const struct mr_play_count *count = &own->count[i];
        struct mr_play_level *level = &part->tier[i];
        level->n_arrived = (double)(count->n_arrived + count->n_moved_in - count->n_moved_out);
        level->n_finished = (double)count->n_finished;
        for (int k = 0; k < MR_CELL_REFUSALS; k++)
            level->n_refused[k] = (double)count->n_refused[k];
        level->n_output = (double)count->n_output;
    }
}

void mr_play_sample_watch(void *context, double before_s)
{
    struct mr_play_cell *own = context;
    const struct mr_play_run *run = own->run;
    while (own->cell.watch_s < before_s && own->i_sample < run->n_window_sample) {
        look(own, NULL, own->cell.watch_s, own->sample + own->i_sample);
        own->i_sample++;
        own->cell.watch_s = run->date[own->i_sample].t_s;
    }
}

/* ---- windows ---- */

mr_status mr_play_sample_init(struct mr_play_run *run, struct mr_err *err)
{
    if (is_wanted(run))
        pass_dates(run, sizeof run->date / sizeof *run->date);
    for (uint32_t i = 0; is_wanted(run) && i < run->windows.end - run->windows.first; i++) {
        struct mr_play_cell *own = &run->cell[i];
        own->sample = mr_alloc(MR_PLAY_DATES, sizeof *own->sample);
        if (own->sample == NULL)
            return mr_err_nomem(err, MR_PLAY_DATES * sizeof *own->sample);
        own->cell.watch = mr_play_sample_watch;
        own->cell.watch_context = own;
        own->cell.watch_s = 0;
    }
    return MR_OK;
}

double mr_play_sample_edge_s(const struct mr_play_run *run, double end_s)
{
    return is_wanted(run) ? fmin(end_s, run->date[MR_PLAY_DATES].t_s) : end_s;
}

void mr_play_sample_plan(struct mr_play_run *run, double end_s)
{
    run->n_window_sample = 0;
    while (is_wanted(run) && run->n_window_sample < MR_PLAY_DATES &&
           run->date[run->n_window_sample].t_s < end_s)
        run->n_window_sample++;
    for (uint32_t i = 0; i < run->windows.end - run->windows.first; i++)
        run->cell[i].i_sample = run->has_seen;
}

void mr_play_sample_seen(struct mr_play_run *run, double now_s)
{
    if (!is_wanted(run) || run->date[0].t_s != now_s)
        return;
    for (uint32_t i = 0; i < run->windows.end - run->windows.first; i++) {
        struct mr_play_cell *own = &run->cell[i];
        look(own, mr_factory_seen(run->factory), now_s, own->sample);
        own->cell.watch_s = run->date[1].t_s;
    }
    run->has_seen = true;
}

/* ---- all cells ---- */

static void add_pool(struct mr_play_pool *sum, const struct mr_play_pool *p)
{
    sum->n_open += p->n_open;
    sum->n_waiting += p->n_waiting;
    sum->n_running += p->n_running;
    sum->kv_used_frac += p->kv_used_frac;
    sum->kv_resident_frac += p->kv_resident_frac;
    for (int k = 0; k < MR_ONBOARD_LEVELS; k++)
        sum->kv_bytes[k] += p->kv_bytes[k];
    sum->package_j += p->package_j;
    sum->n_token += p->n_token;
}

static mr_status tell(struct mr_play_run *run, const struct mr_play_part *part, size_t stride,
                      struct mr_play_date date, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    struct mr_play_sample sample = {.t_s = date.t_s, .due = date.due, .factory = run->factory};
    if (run->options->on_sample == NULL)
        return MR_OK;
    for (uint32_t c = 0; c < run->n_cell; c++, part += stride) {
        for (int i = 0; i < 2; i++)
            add_pool(&sample.pool[i], &part->pool[i]);
        for (size_t i = 0; i < scenario->n_tier; i++) {
            struct mr_play_level *level = &sample.tier[i];
            level->n_arrived += part->tier[i].n_arrived;
            level->n_finished += part->tier[i].n_finished;
            for (int k = 0; k < MR_CELL_REFUSALS; k++)
                level->n_refused[k] += part->tier[i].n_refused[k];
            level->n_output += part->tier[i].n_output;
        }
    }
    const double n[2] = {(double)scenario->deployment.n_instance,
                         scenario->has_prefill ? (double)scenario->prefill.n_instance : 1};
    for (int i = 0; i < 2; i++) {
        sample.pool[i].kv_used_frac /= n[i];
        sample.pool[i].kv_resident_frac /= n[i];
    }
    return run->options->on_sample(run->options->context, &sample, err);
}

/* Parts of `n` dates of all cells. @param[out] all lent until the next call */
static mr_status gather(struct mr_play_run *run, size_t n, const struct mr_play_part **all,
                        struct mr_err *err)
{
    const uint32_t n_own = run->windows.end - run->windows.first;
    const void *lent = NULL;
    mr_status st = mr_grow(&run->part, &run->cap_part, n_own * n + 1, sizeof *run->part, err);
    for (uint32_t i = 0; i < n_own && st == MR_OK; i++)
        memcpy(run->part + i * n, run->cell[i].sample, n * sizeof *run->part);
    MR_TRY(mr_play_agree(run, st, err));
    MR_TRY(mr_play_gather(run, run->part, n * sizeof *run->part, &lent, err));
    *all = lent;
    return MR_OK;
}

mr_status mr_play_sample_tell(struct mr_play_run *run, double before_s, struct mr_err *err)
{
    const size_t n = run->n_window_sample;
    const struct mr_play_part *all = NULL;
    if (n == 0)
        return MR_OK;
    MR_TRY(gather(run, n, &all, err));
    for (size_t i = 0; i < n && run->date[i].t_s < before_s; i++)
        MR_TRY(tell(run, all + i, n, run->date[i], err));
    pass_dates(run, n);
    run->n_window_sample = 0;
    run->has_seen = false;
    return MR_OK;
}

mr_status mr_play_sample_end(struct mr_play_run *run, double now_s, struct mr_err *err)
{
    const struct mr_play_part *all = NULL;
    if (!is_wanted(run))
        return MR_OK;
    for (uint32_t i = 0; i < run->windows.end - run->windows.first; i++)
        look(&run->cell[i], NULL, now_s, run->cell[i].sample);
    MR_TRY(gather(run, 1, &all, err));
    return tell(run, all, 1, (struct mr_play_date){now_s, UINT32_MAX}, err);
}
