/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of an instance follow each other; those that begin within a nanosecond of an end begin at
 * it. A rack's sum is made anew, instance by instance, at every change, so it does not drift. Steps
 * that the run did not end are not in the file: they count with what is left of the record.
 * Map: slots - edges - means - files. */
#include "engine/cli/power_steps.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/record/rundata.h"

#include <math.h>
#include <stdlib.h>

static const double same_s = 1e-9;

/* ---- slots: an instance on a rack ---- */

struct span {
    uint32_t place, pool, instance, slot;
    double start_s, end_s, power_w;
};

static int by_slot(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    if (a->pool != b->pool)
        return a->pool < b->pool ? -1 : 1;
    if (a->instance != b->instance)
        return a->instance < b->instance ? -1 : 1;
    return (a->start_s > b->start_s) - (a->start_s < b->start_s);
}

static mr_status wrong(const char *path, size_t row, struct mr_err *err, const char *what)
{
    return mr_err_set(err, MR_RANGE, (struct mr_place){path, 0, 0}, "group /steps: row %zu: %s",
                      row, what);
}

static bool is_index(double value, double end)
{
    return value >= 0 && value < end && value == floor(value);
}

static mr_status take_spans(const char *path, const double *const *column, size_t n, size_t n_rack,
                            struct span *span, struct mr_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const double start_s = column[MR_POWER_STEPS_START_S][i];
        const double time_s = column[MR_POWER_STEPS_TIME_S][i];
        const double power_w = column[MR_POWER_STEPS_POWER_W][i];
        const double idle_w = column[MR_POWER_STEPS_IDLE_W][i];
        if (!is_index(column[MR_POWER_STEPS_RACK][i], (double)n_rack) ||
            !is_index(column[MR_POWER_STEPS_POOL][i], UINT32_MAX) ||
            !is_index(column[MR_POWER_STEPS_INSTANCE][i], UINT32_MAX))
            return wrong(path, i, err, "its rack, pool or instance is none of the file's");
        if (!(start_s >= 0 && time_s >= 0) || !isfinite(start_s + time_s))
            return wrong(path, i, err, "a step has a start and a length of 0 s or more");
        if (!isfinite(power_w) || !isfinite(idle_w))
            return wrong(path, i, err, "the watts of its instance are not known");
        span[i] = (struct span){.place = (uint32_t)column[MR_POWER_STEPS_RACK][i],
                                .pool = (uint32_t)column[MR_POWER_STEPS_POOL][i],
                                .instance = (uint32_t)column[MR_POWER_STEPS_INSTANCE][i],
                                .start_s = start_s,
                                .end_s = start_s + time_s,
                                .power_w = power_w - idle_w};
    }
    qsort(span, n, sizeof *span, by_slot);
    return MR_OK;
}

/* Numbers slots, closes gaps that are rounding. @return how many slots */
static uint32_t number_slots(struct span *span, size_t n)
{
    uint32_t slot = 0;
    for (size_t i = 0; i < n; i++) {
        const struct span *last = i > 0 ? &span[i - 1] : NULL;
        const bool is_next = last != NULL && last->place == span[i].place &&
                             last->pool == span[i].pool && last->instance == span[i].instance;
        slot += last != NULL && !is_next;
        span[i].slot = slot;
        if (is_next && fabs(span[i].start_s - last->end_s) < same_s)
            span[i].start_s = last->end_s;
    }
    return n > 0 ? slot + 1 : 0;
}

static mr_status check_order(const char *path, const struct span *span, size_t n,
                             struct mr_err *err)
{
    for (size_t i = 1; i < n; i++)
        if (span[i].slot == span[i - 1].slot && span[i].start_s < span[i - 1].end_s)
            return mr_err_set(err, MR_RANGE, (struct mr_place){path, 0, 0},
                              "group /steps: instance %u has two steps at %g s", span[i].instance,
                              span[i].start_s);
    return MR_OK;
}

/* ---- edges ---- */

/* A slot draws power_w from t_s on. */
struct change {
    double t_s, power_w;
    uint32_t slot, place;
};

static int by_time(const void *left, const void *right)
{
    const struct change *a = left, *b = right;
    if (a->t_s != b->t_s)
        return a->t_s < b->t_s ? -1 : 1;
    return (a->slot > b->slot) - (a->slot < b->slot);
}

/* One change a slot and date: an end that is a start is that start. */
static size_t list_changes(const struct span *span, size_t n, struct change *change)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        const struct span *s = &span[i];
        const bool is_joined =
            i + 1 < n && span[i + 1].slot == s->slot && span[i + 1].start_s == s->end_s;
        if (s->end_s > s->start_s)
            change[k++] = (struct change){s->start_s, s->power_w, s->slot, s->place};
        if (!is_joined)
            change[k++] = (struct change){s->end_s, 0, s->slot, s->place};
    }
    qsort(change, k, sizeof *change, by_time);
    return k;
}

static mr_status add_edge(struct mr_power_steps *steps, double t_s, uint32_t place, double power_w,
                          struct mr_err *err)
{
    MR_TRY(mr_grow(&steps->edge, &steps->cap_edge, steps->n_edge + 1, sizeof *steps->edge, err));
    steps->edge[steps->n_edge++] = (struct mr_power_edge){t_s, power_w, place};
    return MR_OK;
}

/* @param[in] first n_rack + 1: slots of a rack */
static mr_status add_edges(struct mr_power_steps *steps, const struct change *change, size_t n,
                           const uint32_t *first, double *slot_w, double *sum_w, struct mr_err *err)
{
    for (size_t i = 0; i < n;) {
        const double t_s = change[i].t_s;
        for (; i < n && change[i].t_s == t_s;) {
            const uint32_t place = change[i].place;
            double power_w = 0;
            for (; i < n && change[i].t_s == t_s && change[i].place == place; i++)
                slot_w[change[i].slot] = change[i].power_w;
            for (uint32_t k = first[place]; k < first[place + 1]; k++)
                power_w += slot_w[k];
            if (power_w != sum_w[place])
                MR_TRY(add_edge(steps, t_s, place, power_w, err));
            sum_w[place] = power_w;
        }
    }
    return MR_OK;
}

/* ---- means ---- */

/* Joules of edges over rows, then watts; what steps draw before the first row or after the last
 * counts nowhere. */
static void add_means(struct mr_power_steps *steps, const struct mr_thermal_load *load,
                      double *now_w)
{
    const size_t n = steps->n_rack, last = load->n_row - 1;
    size_t e = 0;
    for (size_t p = 0; p < n; p++)
        now_w[p] = 0;
    for (; e < steps->n_edge && steps->edge[e].t_s <= load->time_s[0]; e++)
        now_w[steps->edge[e].place] = steps->edge[e].power_w;
    for (size_t row = 0; row < last; row++) {
        double *mean_w = &steps->mean_w[row * n];
        const double begin_s = load->time_s[row], end_s = load->time_s[row + 1];
        for (size_t p = 0; p < n; p++) /* as if nothing changed; changes correct it */
            mean_w[p] = now_w[p] * (end_s - begin_s);
        for (; e < steps->n_edge && steps->edge[e].t_s < end_s; e++) {
            const struct mr_power_edge *edge = &steps->edge[e];
            mean_w[edge->place] += (edge->power_w - now_w[edge->place]) * (end_s - edge->t_s);
            now_w[edge->place] = edge->power_w;
        }
        for (size_t p = 0; p < n; p++) {
            steps->whole_w[p] += mean_w[p];
            mean_w[p] /= end_s - begin_s;
        }
    }
    for (size_t p = 0; p < n; p++) {
        steps->mean_w[last * n + p] = last > 0 ? steps->mean_w[(last - 1) * n + p] : 0;
        steps->whole_w[p] /= last > 0 ? load->time_s[last] - load->time_s[0] : 1;
    }
}

static void find_over(struct mr_power_steps *steps, const struct mr_thermal_load *load)
{
    for (size_t c = 0; c < load->n_column; c++)
        for (size_t p = 0; p < steps->n_rack; p++)
            for (size_t row = 0; load->rack[c] == steps->rack[p] && row < load->n_row; row++) {
                const double over_w =
                    steps->mean_w[row * steps->n_rack + p] - load->value[row * load->n_column + c];
                if (over_w <= steps->over_w)
                    continue;
                steps->over_w = over_w;
                steps->over_s = load->time_s[row];
                steps->over_rack = steps->rack[p];
            }
}

double mr_power_steps_rest_w(const struct mr_power_steps *steps, size_t row, size_t place,
                             double recorded_w)
{
    return fmax(0, recorded_w - steps->mean_w[row * steps->n_rack + place]);
}

/* Scratch of one building. */
struct scratch {
    struct span *span;
    struct change *change;
    uint32_t *first;
    double *slot_w, *sum_w;
};

static mr_status build(const char *path, const double *const *column, size_t n,
                       const struct mr_thermal_load *load, struct scratch *s,
                       struct mr_power_steps *steps, struct mr_err *err)
{
    MR_ASSERT(s->span != NULL && s->change != NULL && s->first != NULL && s->slot_w != NULL);
    MR_TRY(take_spans(path, column, n, steps->n_rack, s->span, err));
    const uint32_t n_slot = number_slots(s->span, n);
    MR_TRY(check_order(path, s->span, n, err));
    MR_ASSERT(steps->is_stepped != NULL);
    for (size_t i = 0, p = 0; p < steps->n_rack; p++) {
        steps->is_stepped[steps->rack[p]] = true;
        while (i < n && s->span[i].place <= p)
            i++;
        s->first[p + 1] = i < n ? s->span[i].slot : n_slot;
    }
    const size_t n_change = list_changes(s->span, n, s->change);
    MR_TRY(add_edges(steps, s->change, n_change, s->first, s->slot_w, s->sum_w, err));
    add_means(steps, load, s->sum_w);
    find_over(steps, load);
    return MR_OK;
}

mr_status mr_power_steps_of(const char *path, const double *const *column, size_t n_row,
                            const struct mr_site *site, const struct mr_thermal_load *load,
                            struct mr_power_steps *steps, struct mr_err *err)
{
    const size_t n_rack = steps->n_rack;
    struct scratch s = {.span = mr_alloc_zero(n_row + 1, sizeof *s.span),
                        .change = mr_alloc_zero(2 * n_row + 1, sizeof *s.change),
                        .first = mr_alloc_zero(n_rack + 1, sizeof *s.first),
                        .slot_w = mr_alloc_zero(n_row + 1, sizeof *s.slot_w),
                        .sum_w = mr_alloc_zero(n_rack + 1, sizeof *s.sum_w)};
    steps->mean_w = mr_alloc_zero(load->n_row * n_rack + 1, sizeof *steps->mean_w);
    steps->whole_w = mr_alloc_zero(n_rack + 1, sizeof *steps->whole_w);
    steps->is_stepped = mr_alloc_zero(site->n_rack + 1, sizeof *steps->is_stepped);
    mr_status st = MR_OK;
    if (s.span == NULL || s.change == NULL || s.first == NULL || s.slot_w == NULL ||
        s.sum_w == NULL || steps->mean_w == NULL || steps->whole_w == NULL ||
        steps->is_stepped == NULL)
        st = mr_err_nomem(err, 3 * n_row * sizeof *s.change);
    if (st == MR_OK)
        st = build(path, column, n_row, load, &s, steps, err);
    mr_free(s.span);
    mr_free(s.change);
    mr_free(s.first);
    mr_free(s.slot_w);
    mr_free(s.sum_w);
    return st;
}

void mr_power_steps_fini(struct mr_power_steps *steps)
{
    mr_free(steps->rack);
    mr_free(steps->edge);
    mr_free(steps->mean_w);
    mr_free(steps->whole_w);
    mr_free(steps->is_stepped);
    *steps = (struct mr_power_steps){0};
}

/* ---- files ---- */

static uint32_t rack_by_name(const struct mr_site *site, struct mr_str name)
{
    for (uint32_t i = 0; i < site->n_rack; i++)
        if (mr_str_is(name, site->rack[i].name))
            return i;
    return MR_SITE_NONE;
}

static bool is_in(const struct mr_power_steps *steps, uint32_t rack)
{
    for (uint32_t p = 0; p < steps->n_rack; p++)
        if (steps->rack[p] == rack)
            return true;
    return false;
}

/* Names stand in the column itself, one after the other. */
static mr_status read_racks(const char *path, const struct mr_site *site,
                            struct mr_power_steps *steps, struct mr_err *err)
{
    struct mr_buf names = {0};
    mr_status st = mr_rundata_attr(path, "/steps/rack", "flag_meanings", &names, err);
    const char *at = names.text != NULL ? names.text : "";
    steps->rack = mr_alloc_zero(names.n + 1, sizeof *steps->rack);
    if (steps->rack == NULL) {
        mr_buf_fini(&names);
        return mr_err_nomem(err, names.n * sizeof *steps->rack);
    }
    while (st == MR_OK && *at != '\0') {
        const struct mr_str name = {at, strcspn(at, " ")};
        const uint32_t rack = rack_by_name(site, name);
        if (rack == MR_SITE_NONE || is_in(steps, rack))
            st = mr_err_set(err, MR_REF, (struct mr_place){path, 0, 0},
                            rack == MR_SITE_NONE
                                ? "group /steps: site '%s' has no rack '%.*s'"
                                : "group /steps: site '%s': rack '%.*s' comes twice",
                            site->name, (int)name.n, name.p);
        else
            steps->rack[steps->n_rack++] = rack;
        at += name.n + strspn(at + name.n, " ");
    }
    mr_buf_fini(&names);
    return st;
}

static mr_status read_steps(const char *path, const struct mr_site *site,
                            const struct mr_thermal_load *load, struct mr_power_steps *steps,
                            struct mr_err *err)
{
    struct mr_rundata_column column[MR_POWER_N_STEPS_COLUMN] = {
        [MR_POWER_STEPS_RACK] = {"rack", NULL},
        [MR_POWER_STEPS_POOL] = {"pool", NULL},
        [MR_POWER_STEPS_INSTANCE] = {"instance", NULL},
        [MR_POWER_STEPS_START_S] = {"start_s", NULL},
        [MR_POWER_STEPS_TIME_S] = {"time_s", NULL},
        [MR_POWER_STEPS_POWER_W] = {"power_w", NULL},
        [MR_POWER_STEPS_IDLE_W] = {"idle_w", NULL}};
    const double *value[MR_POWER_N_STEPS_COLUMN];
    size_t n_row = 0;
    mr_status st = mr_rundata_columns(path, "/steps", column, MR_POWER_N_STEPS_COLUMN, &n_row, err);
    for (int c = 0; c < MR_POWER_N_STEPS_COLUMN; c++)
        value[c] = column[c].value;
    if (st == MR_OK)
        st = mr_power_steps_of(path, value, n_row, site, load, steps, err);
    mr_rundata_columns_fini(column, MR_POWER_N_STEPS_COLUMN);
    return st;
}

mr_status mr_power_steps_read(const char *path, const struct mr_site *site,
                              struct mr_thermal_load *load, struct mr_power_steps *steps,
                              struct mr_err *err)
{
    *steps = (struct mr_power_steps){0};
    *load = (struct mr_thermal_load){0};
    if (!mr_rundata_is(path) || !mr_rundata_has(path, "/steps"))
        return mr_thermal_load_read(path, site, load, err);
    MR_TRY(mr_thermal_load_read_means(path, site, load, err));
    MR_TRY(read_racks(path, site, steps, err));
    return read_steps(path, site, load, steps, err);
}
