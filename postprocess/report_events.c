/* SPDX-License-Identifier: Apache-2.0 */
/* What happened: a line per kind of event over the run, and a table of the first of them. */
#include "engine/base/mem.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdio.h>

enum {
    n_event_shown = 60,
    event_max = 1 << 22
};

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
    MR_TRY(mr_report_names(run, path, &name, &n, err));
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
    if (e->index != NULL && (strcmp(kind, "deployment") == 0 || strcmp(kind, "prefill") == 0))
        (void)snprintf(out, 96, "%s %.0f", kind, e->index[i]);
    else
        (void)snprintf(out, 96, "%s", kind);
    return MR_OK;
}

enum {
    label_width = 190,
    line_width = 560,
    line_height = 17
};

/* A step of 1, 2 or 5 times a power of ten that divides a span into eight parts at most. */
static double step_of(double span)
{
    double step = 1;
    while (step * 8 < span)
        step *= 10;
    while (step > span)
        step /= 10;
    return step / 5 * 8 >= span ? step / 5 : step / 2 * 8 >= span ? step / 2 : step;
}

static double longest_s(const struct events *e, double sim_s)
{
    double end_s = sim_s > 0 ? sim_s : 0;
    for (size_t i = 0; i < e->n; i++)
        end_s = fmax(end_s, e->t_s[i]);
    return end_s > 0 ? end_s : 1;
}

/* Below the lines: minutes, or seconds of a short run. */
static void put_dates(double end_s, double height, struct mr_page *page)
{
    const bool is_long = end_s >= 300;
    const double unit_s = is_long ? 60 : 1, step_s = step_of(end_s / unit_s) * unit_s;
    for (size_t i = 0; (double)i * step_s <= end_s * (1 + 1e-9); i++) {
        const double x = label_width + line_width * (double)i * step_s / end_s;
        mr_buf_printf(&page->out,
                      "<path class=\"grid\" d=\"M%.1f 2V%.1f\"/><text class=\"note\" x=\"%.1f\" "
                      "y=\"%.1f\" text-anchor=\"middle\">%.6g</text>",
                      x, height, x, height + 13, (double)i * step_s / unit_s);
    }
    mr_buf_printf(&page->out,
                  "<text class=\"note\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">simulated time, "
                  "%s</text>",
                  label_width + line_width, height + 27, is_long ? "min" : "s");
}

/* Marks that would lie over each other are one. */
static void put_marks(const struct events *e, size_t kind, double end_s, double y,
                      struct mr_page *page)
{
    double last_x = -HUGE_VAL;
    for (size_t i = 0; i < e->n; i++) {
        const double x = label_width + line_width * e->t_s[i] / end_s;
        if ((size_t)e->kind[i] != kind || x - last_x < 1)
            continue;
        last_x = x;
        mr_buf_printf(&page->out,
                      "<path class=\"d b c%zu\" d=\"M%.1f %.1fh3v%dh-3z\"><title>%s: %.6g s</title>"
                      "</path>",
                      kind % 8, x - 1.5, y - line_height + 5, line_height - 4,
                      e->kind_set->flag[kind], e->t_s[i]);
    }
}

/* A line per kind over the whole run: the order of the kinds is that of the file. */
static void put_timeline(const struct events *e, double sim_s, struct mr_page *page)
{
    const double end_s = longest_s(e, sim_s);
    size_t n_line = 0;
    for (size_t k = 0; k < e->kind_set->n_flag; k++)
        for (size_t i = 0; i < e->n; i++)
            if ((size_t)e->kind[i] == k) {
                n_line++;
                break;
            }
    const double height = (double)n_line * line_height + 4;
    mr_buf_printf(&page->out,
                  "<figure><figcaption>Timeline</figcaption><svg class=\"chart wide\" "
                  "role=\"img\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.1f\">",
                  label_width + line_width + 16, height + 32);
    put_dates(end_s, height, page);
    double y = 0;
    for (size_t k = 0; k < e->kind_set->n_flag; k++) {
        size_t n = 0;
        for (size_t i = 0; i < e->n; i++)
            n += (size_t)e->kind[i] == k ? 1 : 0;
        if (n == 0)
            continue;
        y += line_height;
        mr_buf_printf(&page->out,
                      "<text class=\"note\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s (%zu)"
                      "</text>",
                      label_width - 8, y, e->kind_set->flag[k], n);
        put_marks(e, k, end_s, y, page);
    }
    mr_buf_text(&page->out, "</svg></figure>\n");
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
            mr_page_say(page, "%s: %zu event%s", named, e.n, e.n == 1 ? "" : "s");
            if (e.kind_set->n_flag > 0)
                put_timeline(&e, mr_figures_value(&file->figures, "sim_s"), page);
            st = err->status == MR_OK ? put_events(&e, file, page, err) : err->status;
        }
        free_events(&e);
        MR_TRY(st);
    }
    return MR_OK;
}
