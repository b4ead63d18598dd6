/* SPDX-License-Identifier: Apache-2.0 */
/* What happened: a line per kind of event over the run, and a table: a row per kind and place, with
 * how often it came. Of a kind at many places the first are rows, the others one row together: no
 * kind is hidden behind the repeats of another. */
#include "engine/base/mem.h"
#include "postprocess/report_impl.h"
#include "postprocess/where.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    n_row_shown = 48, /* of all kinds; each has at least n_place_min places of its own */
    n_place_min = 2,
    n_place_max = 8,
    event_max = 1 << 22
};

struct events {
    double *t_s, *kind, *entity, *index, *node, *value, *limit;
    double *word; /* of statuses of the grid's connection, in their order */
    size_t n, n_word;
    const struct mr_runread_set *kind_set, *word_set;
    struct mr_runread *run;
};

/* A row of the table. */
struct row {
    size_t i, n;      /* its first event, how many */
    const char *word; /* "": none */
    double last_s;
    bool is_rest; /* of places that have no row of their own */
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
    }
    if (e->t_s == NULL || e->kind == NULL)
        e->n = 0;
    e->word_set = mr_runread_find(run, "/grid/powerstate/event");
    if (e->n == 0 || e->word_set == NULL || e->word_set->n_flag == 0 || e->word_set->rank != 1)
        return MR_OK;
    e->n_word = mr_runread_rows(run, e->word_set);
    return mr_runread_all(run, e->word_set, &e->word, err);
}

static void free_events(struct events *e)
{
    double *const all[] = {e->t_s,  e->kind,  e->entity, e->index,
                           e->node, e->value, e->limit,  e->word};
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

static mr_status where_text(const struct events *e, size_t i, char out[96], struct mr_err *err)
{
    const struct mr_where where = {.entity = e->entity != NULL ? e->entity[i] : (double)NAN,
                                   .index = e->index != NULL ? e->index[i] : (double)NAN,
                                   .node = e->node != NULL ? e->node[i] : (double)NAN};
    return mr_where_text(e->run, &where, out, err);
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

/* Marks that would lie over each other are one, and say where of the first. */
static mr_status put_marks(const struct events *e, size_t kind, double end_s, double y,
                           struct mr_page *page, struct mr_err *err)
{
    double last_x = -HUGE_VAL;
    char where[96];
    for (size_t i = 0; i < e->n; i++) {
        const double x = label_width + line_width * e->t_s[i] / end_s;
        if ((size_t)e->kind[i] != kind || x - last_x < 1)
            continue;
        last_x = x;
        MR_TRY(where_text(e, i, where, err));
        mr_buf_printf(&page->out,
                      "<path class=\"d b c%zu\" d=\"M%.1f %.1fh3v%dh-3z\"><title>%s: %.6g s%s",
                      kind % 8, x - 1.5, y - line_height + 5, line_height - 4,
                      e->kind_set->flag[kind], e->t_s[i], where[0] != '\0' ? ", " : "");
        mr_buf_xml(&page->out, (struct mr_str){where, mr_utf8_valid_len(where, strlen(where))});
        mr_buf_text(&page->out, "</title></path>");
    }
    return MR_OK;
}

/* A line per kind over the whole run: the order of the kinds is that of the file. */
static mr_status put_timeline(const struct events *e, double sim_s, struct mr_page *page,
                              struct mr_err *err)
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
        MR_TRY(put_marks(e, k, end_s, y, page, err));
    }
    mr_buf_text(&page->out, "</svg></figure>\n");
    return MR_OK;
}

/* ---- the table ---- */

static bool is_kind(const struct events *e, size_t i, size_t kind)
{
    return e->kind[i] >= 0 && (size_t)e->kind[i] == kind;
}

static bool is_same_place(const struct events *e, size_t i, size_t k)
{
    return e->node != NULL ? e->node[i] == e->node[k]
                           : (e->entity == NULL || e->entity[i] == e->entity[k]) &&
                                 (e->index == NULL || e->index[i] == e->index[k]);
}

/* What a status of the connection is told for; each has a row of /grid/powerstate. */
static const char *word_of(const struct events *e, size_t kind, size_t i_of_kind, size_t n_of_kind)
{
    if (strcmp(e->kind_set->flag[kind], "grid.powerstate") != 0 || n_of_kind != e->n_word ||
        !(e->word[i_of_kind] >= 0) || e->word[i_of_kind] >= (double)e->word_set->n_flag)
        return "";
    return e->word_set->flag[(size_t)e->word[i_of_kind]];
}

static size_t n_of(const struct events *e, size_t kind)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        n += is_kind(e, i, kind) ? 1 : 0;
    return n;
}

/* Rows of one kind: n_place places with rows of their own, then one of all others. */
static mr_status fold(const struct events *e, size_t kind, size_t n_place, struct row **row,
                      size_t *n_row, size_t *cap, struct mr_err *err)
{
    const size_t from = *n_row, n = n_of(e, kind);
    size_t i_of_kind = 0;
    for (size_t i = 0; i < e->n; i++) {
        if (!is_kind(e, i, kind))
            continue;
        const char *word = word_of(e, kind, i_of_kind++, n);
        size_t k = from;
        while (k < *n_row && !(*row)[k].is_rest &&
               ((*row)[k].word != word || !is_same_place(e, i, (*row)[k].i)))
            k++;
        if (k == *n_row) {
            MR_TRY(mr_grow(row, cap, *n_row + 1, sizeof **row, err));
            (*row)[(*n_row)++] = (struct row){
                .i = i, .word = word, .is_rest = word[0] == '\0' && k - from == n_place};
        }
        (*row)[k].n++;
        (*row)[k].last_s = e->t_s[i];
    }
    return MR_OK;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return x->i < y->i ? -1 : x->i > y->i;
}

/* Values of some watts as such, of more as kilowatts. "W,s": the limit is in s. */
static void put_value(const struct events *e, const struct row *row, struct mr_page_table *table)
{
    const size_t kind = (size_t)e->kind[row->i];
    const char *unit = e->kind_set->flag_unit != NULL ? e->kind_set->flag_unit[kind] : "1";
    double value = e->value != NULL ? e->value[row->i] : (double)NAN,
           limit = e->limit != NULL ? e->limit[row->i] : (double)NAN;
    const char *other = strchr(unit, ',');
    const int n = other != NULL ? (int)(other - unit) : (int)strlen(unit);
    const bool is_power = unit[0] == 'W',
               is_kilo = is_power && (fabs(value) >= 1e3 || (other == NULL && fabs(limit) >= 1e3));
    char text[64];
    if (is_kilo) {
        value *= 1e-3;
        limit *= other == NULL ? 1e-3 : 1;
    }
    if (strcmp(unit, "1") == 0)
        text[0] = '\0';
    else
        (void)snprintf(text, sizeof text, "%s%.*s%s%s", is_kilo ? "k" : "", n, unit,
                       other != NULL ? "; limit " : "", other != NULL ? other + 1 : "");
    for (char *p = text; *p != '\0'; p++)
        *p = *p == '_' ? ' ' : *p;
    mr_page_cell_f64(table, value);
    mr_page_cell_f64(table, limit);
    mr_page_cell(table, text);
}

static mr_status put_rows(const struct events *e, const struct row *row, size_t n_row,
                          const struct mr_report_file *file, struct mr_page *page,
                          struct mr_err *err)
{
    static const char *const head[] = {"#first, s", "kind", "where",  "#value",
                                       "#limit",    "unit", "#times", "#last, s"};
    struct mr_page_table table;
    char sheet[64];
    (void)snprintf(sheet, sizeof sheet, "events%s%s", file->label[0] != '\0' ? "_" : "",
                   file->label);
    mr_page_table(&table, page, sheet, head, sizeof head / sizeof *head);
    for (size_t k = 0; k < n_row; k++) {
        char kind[64], named[128], where[96] = "other places";
        if (!row[k].is_rest)
            MR_TRY(where_text(e, row[k].i, where, err));
        (void)snprintf(named, sizeof named, "%s%s%s",
                       flag_text(e->kind_set, e->kind[row[k].i], kind),
                       row[k].word[0] != '\0' ? ": " : "", row[k].word);
        mr_page_row(&table);
        mr_page_cell_f64(&table, e->t_s[row[k].i]);
        mr_page_cell(&table, named);
        mr_page_cell(&table, where);
        put_value(e, &row[k], &table);
        mr_page_cell_f64(&table, (double)row[k].n);
        mr_page_cell_f64(&table, row[k].last_s);
    }
    mr_page_table_end(&table);
    if (n_row < e->n)
        mr_page_say(page,
                    "A row is a kind at a place: its first date with value and limit then, how "
                    "often it came, its last date. millrace export --table events has every "
                    "one.");
    return MR_OK;
}

static mr_status put_events(const struct events *e, const struct mr_report_file *file,
                            struct mr_page *page, struct mr_err *err)
{
    struct row *row = NULL;
    size_t n_row = 0, cap = 0, n_kind = 0;
    for (size_t kind = 0; kind < e->kind_set->n_flag; kind++)
        n_kind += n_of(e, kind) > 0 ? 1 : 0;
    const size_t fair = n_kind > 0 ? n_row_shown / n_kind : 0,
                 n_place = fair < n_place_min   ? n_place_min
                           : fair > n_place_max ? n_place_max
                                                : fair;
    mr_status st = MR_OK;
    for (size_t kind = 0; kind < e->kind_set->n_flag && st == MR_OK; kind++)
        st = fold(e, kind, n_place, &row, &n_row, &cap, err);
    if (st == MR_OK && n_row > 0) {
        qsort(row, n_row, sizeof *row, compare_rows);
        st = put_rows(e, row, n_row, file, page, err);
    }
    mr_free(row);
    return st;
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
                st = put_timeline(&e, mr_figures_value(&file->figures, "sim_s"), page, err);
            if (st == MR_OK)
                st = put_events(&e, file, page, err);
        }
        free_events(&e);
        MR_TRY(st);
    }
    return MR_OK;
}
