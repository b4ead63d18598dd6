/* SPDX-License-Identifier: Apache-2.0 */
/* What held the site back, longest first: throttled racks, racks at their caps, CDUs at their end,
 * constraints of the grid; and the events. Times come from the series, so they are as fine as the
 * recording. Map: candidates - gains - the table - events. */
#include "engine/base/mem.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    n_shown = 10,
    n_event_shown = 60,
    event_max = 1 << 22
};

/* ---- candidates ---- */

struct limiting {
    char what[64], where[64], limit[48], gain[64];
    double held_s;
};

struct list {
    struct limiting *item;
    size_t n, cap;
};

static mr_status add(struct list *list, const struct limiting *item, struct mr_err *err)
{
    if (!(item->held_s > 0))
        return MR_OK;
    MR_TRY(mr_grow(&list->item, &list->cap, list->n + 1, sizeof *item, err));
    list->item[list->n++] = *item;
    return MR_OK;
}

static int compare_items(const void *a, const void *b)
{
    const struct limiting *x = a, *y = b;
    if (x->held_s < y->held_s || x->held_s > y->held_s)
        return x->held_s < y->held_s ? 1 : -1;
    const int what = strcmp(x->what, y->what);
    return what != 0 ? what : strcmp(x->where, y->where);
}

static mr_status names_of(struct mr_runread *run, const char *path, const char *const **name,
                          size_t *n, struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(run, path);
    *name = NULL;
    *n = 0;
    if (set == NULL || !set->is_text || set->rank != 1)
        return MR_OK;
    *n = set->dim[0];
    return mr_runread_texts(run, set, name, err);
}

/* Entities and the time in which a series of them is above 0. */
static mr_status add_times(struct mr_runread *run, const char *series, const char *axis,
                           const char *what, const char *limit, struct list *list,
                           struct mr_err *err)
{
    const char *const *name;
    double *held_s;
    size_t n, n_name;
    MR_TRY(names_of(run, axis, &name, &n_name, err));
    MR_TRY(mr_curve_entities(run, series, MR_CURVE_TIME, &held_s, &n, err));
    mr_status st = MR_OK;
    for (size_t i = 0; i < n && i < n_name && st == MR_OK; i++) {
        struct limiting item = {.held_s = held_s[i], .gain = "not told: run it again"};
        (void)snprintf(item.what, sizeof item.what, "%s", what);
        (void)snprintf(item.where, sizeof item.where, "%s", name[i]);
        (void)snprintf(item.limit, sizeof item.limit, "%s", limit);
        st = add(list, &item, err);
    }
    mr_free(held_s);
    return st;
}

/* Of n racks. @param[in,out] scratch times of the rows, a row of each of both, then held_s and caps
 */
static mr_status time_at_cap(const struct mr_runread *run, const struct mr_runread_set *power,
                             const struct mr_runread_set *cap, double *scratch, struct mr_err *err)
{
    const size_t n = mr_runread_width(power), n_row = mr_runread_rows(run, power);
    double *const t_s = scratch, *const row = scratch + n_row, *const held_s = row + 2 * n;
    MR_TRY(mr_runread_f64(run, mr_runread_find(run, power->axis[0]), 0, n_row, t_s, err));
    for (size_t r = 0; r + 1 < n_row; r++) {
        MR_TRY(mr_runread_f64(run, power, r, 1, row, err));
        MR_TRY(mr_runread_f64(run, cap, r, 1, row + n, err));
        for (size_t i = 0; i < n; i++)
            if (row[i] >= 0.995 * row[n + i]) {
                held_s[i] += t_s[r + 1] - t_s[r];
                held_s[n + i] = row[n + i];
            }
    }
    return MR_OK;
}

/* Racks within 0.5 % of what they may draw. A cap that holds all of the time is a nameplate. */
static mr_status add_caps(struct mr_runread *run, struct list *list, struct mr_err *err)
{
    const struct mr_runread_set *power = mr_runread_find(run, "/racks/power_kw"),
                                *cap = mr_runread_find(run, "/racks/cap_kw");
    const char *const *name;
    size_t n_name;
    MR_TRY(names_of(run, "/racks/rack", &name, &n_name, err));
    if (!mr_curve_is(run, "/racks/power_kw") || !mr_curve_is(run, "/racks/cap_kw"))
        return MR_OK;
    const size_t n = mr_runread_width(power), n_row = mr_runread_rows(run, power);
    if (n != mr_runread_width(cap) || n != n_name || n_row > mr_runread_rows(run, cap))
        return MR_OK;
    double *scratch = mr_alloc_zero(n_row + 4 * n + 1, sizeof *scratch);
    if (scratch == NULL)
        return mr_err_nomem(err, (n_row + 4 * n) * sizeof *scratch);
    double *const held_s = scratch + n_row + 2 * n;
    mr_status st = time_at_cap(run, power, cap, scratch, err);
    for (size_t i = 0; i < n && st == MR_OK; i++) {
        struct limiting item = {.what = "cap on a rack",
                                .held_s = held_s[i],
                                .gain = "not told: what the rack asked for is not recorded"};
        (void)snprintf(item.where, sizeof item.where, "%s", name[i]);
        (void)snprintf(item.limit, sizeof item.limit, "%.4g kW", held_s[n + i]);
        st = add(list, &item, err);
    }
    mr_free(scratch);
    return st;
}

/* ---- gains ---- */

/* The feed: load at its constraint while racks asked for more. With a tenth more, racks would have
 * had min(asked, 1.1 drawn) instead of what they drew. */
static mr_status add_feed(const struct mr_runread *run, struct list *list, struct mr_err *err)
{
    struct mr_curve load, target, asked, drawn;
    struct limiting item = {.what = "constraint of the grid", .where = "feed"};
    double lowest = HUGE_VAL, gain_kws = 0, asked_s = 0;
    MR_TRY(mr_curve_read(run, "/grid/feed/calculated_load_kw", MR_CURVE_SUM, &load, err));
    mr_status st = mr_curve_read(run, "/grid/feed/target_kw", MR_CURVE_SUM, &target, err);
    asked = drawn = (struct mr_curve){.units = ""};
    if (st == MR_OK)
        st = mr_curve_read(run, "/power/asked_kw", MR_CURVE_SUM, &asked, err);
    if (st == MR_OK)
        st = mr_curve_read(run, "/power/rack_kw", MR_CURVE_SUM, &drawn, err);
    for (size_t i = 0; i + 1 < load.n && i < target.n && st == MR_OK; i++) {
        const double step_s = load.t_s[i + 1] - load.t_s[i];
        if (isnan(target.value[i]) || load.value[i] < 0.99 * target.value[i])
            continue;
        item.held_s += step_s;
        lowest = fmin(lowest, target.value[i]);
        if (i < asked.n && i < drawn.n) {
            gain_kws += (fmin(asked.value[i], 1.1 * drawn.value[i]) - drawn.value[i]) * step_s;
            asked_s += step_s;
        }
    }
    (void)snprintf(item.limit, sizeof item.limit, "%.5g kW", lowest);
    if (asked_s > 0)
        (void)snprintf(item.gain, sizeof item.gain, "%.4g kWh for racks", gain_kws / 3600);
    else
        (void)snprintf(item.gain, sizeof item.gain,
                       "not told: what racks asked for is not recorded");
    if (st == MR_OK)
        st = add(list, &item, err);
    mr_curve_fini(&load);
    mr_curve_fini(&target);
    mr_curve_fini(&asked);
    mr_curve_fini(&drawn);
    return st;
}

/* CDU groups in their last mode, "saturated". */
static mr_status add_cdus(struct mr_runread *run, struct list *list, struct mr_err *err)
{
    const struct mr_runread_set *mode = mr_runread_find(run, "/cdus/mode");
    const char *const *name;
    size_t n_name, saturated = 0;
    MR_TRY(names_of(run, "/cdus/cdu", &name, &n_name, err));
    for (size_t i = 0; mode != NULL && i < mode->n_flag; i++)
        if (strcmp(mode->flag[i], "saturated") == 0)
            saturated = i;
    if (saturated == 0 || !mr_curve_is(run, "/cdus/mode"))
        return MR_OK;
    for (size_t k = 0; k < n_name && k < mr_runread_width(mode); k++) {
        struct mr_curve s;
        struct limiting item = {.what = "CDU at the end of its range",
                                .limit = "supply set point",
                                .gain = "not told: run it again"};
        MR_TRY(mr_curve_one(run, "/cdus/mode", k, &s, err));
        for (size_t i = 0; i + 1 < s.n; i++)
            item.held_s += s.value[i] >= (double)saturated ? s.t_s[i + 1] - s.t_s[i] : 0;
        mr_curve_fini(&s);
        (void)snprintf(item.where, sizeof item.where, "%s", name[k]);
        MR_TRY(add(list, &item, err));
    }
    return MR_OK;
}

/* ---- the table ---- */

static mr_status collect(struct mr_runread *run, struct list *list, struct mr_err *err)
{
    MR_TRY(add_times(run, "/racks/throttled_gpus", "/racks/rack", "throttled packages",
                     "die temperature", list, err));
    MR_TRY(add_times(run, "/racks/off_gpus", "/racks/rack", "packages without power", "supply",
                     list, err));
    MR_TRY(add_cdus(run, list, err));
    MR_TRY(add_caps(run, list, err));
    return add_feed(run, list, err);
}

/* The ten that held longest of each file; the table begins with the first. */
static void put_items(const struct mr_report_file *file, const struct list *list,
                      struct mr_page_table *table, struct mr_page *page)
{
    static const char *const head[] = {"file",  "what",           "where",
                                       "limit", "#held it for s", "10 % more would give"};
    char named[96];
    if (list->n > 0 && table->page == NULL)
        mr_page_table(table, page, "limits", head, sizeof head / sizeof *head);
    for (size_t k = 0; k < list->n && k < n_shown; k++) {
        const struct limiting *item = &list->item[k];
        mr_page_row(table);
        mr_page_cell(table, mr_report_named(file, file->figures.name, named));
        mr_page_cell(table, item->what);
        mr_page_cell(table, item->where);
        mr_page_cell(table, item->limit);
        mr_page_cell_f64(table, item->held_s);
        mr_page_cell(table, item->gain);
    }
}

mr_status mr_report_limits(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    struct mr_page_table table = {.page = NULL};
    mr_status st = MR_OK;
    for (size_t i = 0; i < report->n && st == MR_OK; i++) {
        struct list list = {0};
        if (report->file[i].run != NULL)
            st = collect(report->file[i].run, &list, err);
        if (list.n > 0)
            qsort(list.item, list.n, sizeof *list.item, compare_items);
        put_items(&report->file[i], &list, &table, page);
        mr_free(list.item);
    }
    if (table.page != NULL)
        mr_page_table_end(&table);
    else
        mr_page_missing(
            page, "Nothing in the file was at a limit that it records: throttled packages, CDUs "
                  "at their end, caps of racks, constraints of the grid. Limits of serving "
                  "(batch, KV memory) are not recorded over time.");
    return st;
}

/* ---- events ---- */

struct events {
    double *t_s, *kind, *entity, *index, *node, *value, *limit;
    size_t n;
    const struct mr_runread_set *kind_set, *entity_set;
    struct mr_runread *run;
};

static mr_status read_events(struct mr_runread *run, struct events *e, struct mr_err *err)
{
    const struct {
        const char *path;
        double **to;
    } columns[] = {{"/events/t_s", &e->t_s},       {"/events/kind", &e->kind},
                   {"/events/entity", &e->entity}, {"/events/index", &e->index},
                   {"/events/node", &e->node},     {"/events/value", &e->value},
                   {"/events/limit", &e->limit}};
    *e = (struct events){.run = run, .n = event_max};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        const struct mr_runread_set *set = mr_runread_find(run, columns[i].path);
        if (set == NULL || set->is_text || set->rank != 1)
            continue;
        const size_t rows = mr_runread_rows(run, set);
        MR_TRY(mr_runread_all(run, set, columns[i].to, err));
        e->n = rows < e->n ? rows : e->n;
        if (columns[i].to == &e->kind)
            e->kind_set = set;
        if (columns[i].to == &e->entity)
            e->entity_set = set;
    }
    if (e->t_s == NULL || e->kind == NULL)
        e->n = 0;
    return MR_OK;
}

static void free_events(struct events *e)
{
    double *const all[] = {e->t_s, e->kind, e->entity, e->index, e->node, e->value, e->limit};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mr_free(all[i]);
}

static const char *flag_text(const struct mr_runread_set *set, double value, char out[64])
{
    const size_t i = value >= 0 && value < 1e9 ? (size_t)value : SIZE_MAX;
    if (set != NULL && i < set->n_flag)
        (void)snprintf(out, 64, "%s", set->flag[i]);
    else
        (void)snprintf(out, 64, "%.0f", value);
    return out;
}

/* The name on an axis, or the number. */
static mr_status axis_text(struct mr_runread *run, const char *path, double value, char out[96],
                           struct mr_err *err)
{
    const char *const *name;
    size_t n;
    MR_TRY(names_of(run, path, &name, &n, err));
    if (value >= 0 && value < (double)n)
        (void)snprintf(out, 96, "%s", name[(size_t)value]);
    else
        (void)snprintf(out, 96, "site");
    return MR_OK;
}

/* Events of the chain name a node; those of the coolant a kind and a place; others a number. */
static mr_status where_text(const struct events *e, size_t i, char out[96], struct mr_err *err)
{
    static const struct {
        const char *kind, *axis;
    } axes[] = {{"rack", "/racks/rack"}, {"cdu", "/cdus/cdu"},    {"loop", "/plant/rejection/loop"},
                {"hall", "/plant/hall"}, {"tier", "/tiers/tier"}, {"pool", "/pools/pool"}};
    char kind[64];
    out[0] = '\0';
    if (e->node != NULL)
        return axis_text(e->run, "/power/nodes/node", e->node[i], out, err);
    if (e->entity == NULL)
        return MR_OK;
    (void)flag_text(e->entity_set, e->entity[i], kind);
    if (e->index != NULL)
        for (size_t k = 0; k < sizeof axes / sizeof *axes; k++)
            if (strcmp(kind, axes[k].kind) == 0)
                return axis_text(e->run, axes[k].axis, e->index[i], out, err);
    (void)snprintf(out, 96, "%s", kind);
    return MR_OK;
}

/* A row of points per kind over time: the order of the kinds is that of the file. */
static bool put_timeline(const struct events *e, const struct mr_report_file *file,
                         struct mr_page *page, struct mr_err *err)
{
    struct mr_report_chart chart = {0};
    bool is_drawn = false;
    const size_t n_kind = e->kind_set->n_flag;
    char sheet[64];
    for (size_t k = 0; k < n_kind; k++) {
        struct mr_curve s = {mr_alloc(e->n + 1, sizeof(double)), mr_alloc(e->n + 1, sizeof(double)),
                             0, ""};
        if (s.t_s == NULL || s.value == NULL) {
            mr_curve_fini(&s);
            (void)mr_err_nomem(err, e->n * sizeof(double));
            break;
        }
        for (size_t i = 0; i < e->n; i++)
            if ((size_t)e->kind[i] == k) {
                s.t_s[s.n] = e->t_s[i];
                s.value[s.n++] = (double)chart.n + 1;
            }
        mr_report_chart_add(&chart, &s, MR_CHART_POINTS, "%zu %s", chart.n + 1,
                            e->kind_set->flag[k]);
    }
    (void)snprintf(sheet, sizeof sheet, "events_timeline%s%s", file->label[0] != '\0' ? "_" : "",
                   file->label);
    const struct mr_report_axes axes = {.title = "Timeline",
                                        .y_label = "number of the kind",
                                        .sheet = sheet,
                                        .is_over_time = true,
                                        .is_from_zero = true,
                                        .shade_x = (double)NAN};
    mr_buf_text(&page->out, "<div class=\"grid\">");
    if (err->status == MR_OK)
        is_drawn = mr_report_chart_put(&chart, &axes, page);
    mr_buf_text(&page->out, "</div>\n");
    mr_report_chart_fini(&chart);
    return is_drawn;
}

static mr_status put_events(const struct events *e, const struct mr_report_file *file,
                            struct mr_page *page, struct mr_err *err)
{
    static const char *const head[] = {"#t_s", "kind", "where", "#value", "#limit"};
    struct mr_page_table table;
    char sheet[64];
    (void)snprintf(sheet, sizeof sheet, "events%s%s", file->label[0] != '\0' ? "_" : "",
                   file->label);
    mr_page_table(&table, page, sheet, head, sizeof head / sizeof *head);
    for (size_t i = 0; i < e->n && i < n_event_shown; i++) {
        char kind[64], where[96];
        MR_TRY(where_text(e, i, where, err));
        mr_page_row(&table);
        mr_page_cell_f64(&table, e->t_s[i]);
        mr_page_cell(&table, flag_text(e->kind_set, e->kind[i], kind));
        mr_page_cell(&table, where);
        mr_page_cell_f64(&table, e->value != NULL ? e->value[i] : (double)NAN);
        mr_page_cell_f64(&table, e->limit != NULL ? e->limit[i] : (double)NAN);
    }
    mr_page_table_end(&table);
    if (e->n > n_event_shown)
        mr_page_say(page, "The first %d of %zu events; millrace export --table events has all.",
                    n_event_shown, e->n);
    return MR_OK;
}

mr_status mr_report_events(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    for (size_t i = 0; i < report->n; i++) {
        const struct mr_report_file *file = &report->file[i];
        struct events e = {0};
        char named[96];
        (void)mr_report_named(file, file->figures.name, named);
        mr_status st = MR_OK;
        if (file->run != NULL)
            st = read_events(file->run, &e, err);
        if (st == MR_OK && e.n == 0) {
            mr_page_missing(page, "%s: no events%s.", named,
                            e.t_s != NULL ? " happened" : " are recorded in the file");
        } else if (st == MR_OK) {
            mr_page_say(page, "%s: %zu events", named, e.n);
            if (e.kind_set->n_flag > 0)
                (void)put_timeline(&e, file, page, err);
            st = err->status == MR_OK ? put_events(&e, file, page, err) : err->status;
        }
        free_events(&e);
        MR_TRY(st);
    }
    return MR_OK;
}
