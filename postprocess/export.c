/* SPDX-License-Identifier: Apache-2.0 */
/* Tables out of groups. Columns over (row, entity), over rows and over entities stand in one table;
 * what has other axes than the rest of its group is not in it. */
#include "postprocess/export.h"

#include "engine/base/csv.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "postprocess/where.h"

#include <math.h>

enum {
    n_column_max = 256,
    block_values = 1 << 16,
    piece_bytes = 1 << 16
};

enum place {
    BY_CELL,
    BY_ROW,
    BY_ENTITY
};

struct column {
    const struct mr_runread_set *set;
    enum place place;
    const char *const *text; /* of texts */
    double *value;           /* a block of rows; all of BY_ENTITY */
};

struct table {
    struct mr_runread *run;
    const char *group, *axis[2]; /* paths of the scales; "": none */
    size_t n_row, n_entity;      /* n_entity 1 without an axis */
    struct column column[n_column_max];
    size_t n;
    const struct mr_runread_set *times;
    double *time_s;
    const char *const *row_name, *const *entity_name; /* NULL: none */
    bool is_events;
    char where[96]; /* of events: the name of the row's place */
};

/* ---- what a table is made of ---- */

/* Axes of the group: those of its first dataset of two axes, else of its first of one. */
static void find_axes(struct table *t)
{
    t->axis[0] = t->axis[1] = "";
    t->n_row = t->n_entity = 0;
    for (size_t rank = 2; rank > 0 && t->n_row == 0; rank--)
        for (size_t i = 0; i < mr_runread_n(t->run) && t->n_row == 0; i++) {
            const struct mr_runread_set *set = mr_runread_at(t->run, i);
            if (strcmp(set->group, t->group) != 0 || set->is_axis || set->rank != rank ||
                (set->is_text && rank == 2))
                continue;
            t->axis[0] = set->axis[0];
            t->axis[1] = rank == 2 ? set->axis[1] : "";
            t->n_row = mr_runread_rows(t->run, set);
            t->n_entity = rank == 2 ? set->dim[1] : 1;
        }
}

static bool place_of(const struct table *t, const struct mr_runread_set *set, enum place *place)
{
    const bool has_entities = t->axis[1][0] != '\0';
    if (strcmp(set->group, t->group) != 0 || set->is_axis || set->rank == 0 || set->rank > 2)
        return false;
    *place = set->rank == 2 ? BY_CELL : BY_ROW;
    if (set->rank == 1 && has_entities && strcmp(set->axis[0], t->axis[1]) == 0)
        *place = BY_ENTITY;
    else if (strcmp(set->axis[0], t->axis[0]) != 0)
        return false;
    if (set->rank == 2 && (set->is_text || strcmp(set->axis[1], t->axis[1]) != 0))
        return false;
    return *place == BY_ENTITY
               ? set->dim[0] >= t->n_entity
               : mr_runread_rows(t->run, set) >= t->n_row || mr_runread_rows(t->run, set) > 0;
}

static mr_status axis_names(struct table *t, const char *path, const char *const **name,
                            struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(t->run, path);
    *name = NULL;
    return set != NULL && set->is_text && set->rank == 1 ? mr_runread_texts(t->run, set, name, err)
                                                         : MR_OK;
}

static mr_status take_columns(struct table *t, size_t n_block, struct mr_err *err)
{
    for (size_t i = 0; i < mr_runread_n(t->run) && t->n < n_column_max; i++) {
        struct column c = {.set = mr_runread_at(t->run, i)};
        if (!place_of(t, c.set, &c.place))
            continue;
        if (c.place != BY_ENTITY && mr_runread_rows(t->run, c.set) < t->n_row)
            t->n_row = mr_runread_rows(t->run, c.set);
        t->column[t->n] = c;
        struct column *column = &t->column[t->n++];
        if (c.set->is_text) {
            MR_TRY(mr_runread_texts(t->run, c.set, &column->text, err));
            continue;
        }
        const size_t n = c.place == BY_CELL  ? n_block * t->n_entity
                         : c.place == BY_ROW ? n_block
                                             : c.set->dim[0];
        column->value = mr_alloc(n + 1, sizeof *column->value);
        if (column->value == NULL)
            return mr_err_nomem(err, n * sizeof *column->value);
        if (c.place == BY_ENTITY)
            MR_TRY(mr_runread_f64(t->run, c.set, 0, c.set->dim[0], column->value, err));
    }
    return MR_OK;
}

static mr_status tell_unknown(const struct mr_runread *run, const char *name, struct mr_err *err)
{
    const char **groups = mr_alloc(mr_runread_n(run) + 1, sizeof *groups);
    char hint[128];
    size_t n = 0;
    for (size_t i = 0; groups != NULL && i < mr_runread_n(run); i++) {
        const struct mr_runread_set *set = mr_runread_at(run, i);
        if (!set->is_axis && set->rank > 0 && set->rank <= 2 && mr_runread_rows(run, set) > 0)
            groups[n++] = set->group + 1;
    }
    mr_text_hint(mr_str_of(name), groups, n, hint, sizeof hint);
    mr_free(groups);
    return mr_err_set(err, MR_REF, (struct mr_place){mr_runread_path(run), 0, 0},
                      "there is no table \"%s\" with rows in this file%s", name,
                      hint[0] != '\0' ? hint : " (millrace export lists them)");
}

static mr_status open_table(struct table *t, struct mr_runread *run, const char *group,
                            size_t *n_block, struct mr_err *err)
{
    *t = (struct table){.run = run, .group = group, .is_events = strcmp(group, "/events") == 0};
    find_axes(t);
    const char *name = group[0] == '/' ? group + 1 : group;
    const bool is_calls = strcmp(name, "requests") == 0;
    const bool is_rows = is_calls || strcmp(name, "sessions") == 0;
    const char *id = is_calls ? "/requests/id" : "/sessions/id";
    if (t->n_entity == 0 && is_rows && mr_runread_find(run, id) == NULL)
        return mr_err_set(err, MR_REF, (struct mr_place){mr_runread_path(run), 0, 0},
                          "records no %s one by one: run with --record rack,requests (a result "
                          "file can be run again)",
                          is_calls ? "calls" : "sessions");
    if (t->n_entity == 0)
        return tell_unknown(run, name, err);
    *n_block = block_values / t->n_entity + 1;
    MR_TRY(take_columns(t, *n_block, err));
    MR_TRY(axis_names(t, t->axis[0], &t->row_name, err));
    MR_TRY(axis_names(t, t->axis[1], &t->entity_name, err));
    const struct mr_runread_set *axis = mr_runread_find(run, t->axis[0]);
    if (axis == NULL || axis->is_text || axis->is_bare || axis->rank != 1)
        return MR_OK;
    t->times = axis;
    t->time_s = mr_alloc(*n_block + 1, sizeof *t->time_s);
    return t->time_s != NULL ? MR_OK : mr_err_nomem(err, *n_block * sizeof *t->time_s);
}

static void close_table(struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        mr_free(t->column[i].value);
    mr_free(t->time_s);
}

static mr_status read_block(struct table *t, size_t first, size_t n, struct mr_err *err)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->column[i].place != BY_ENTITY && !t->column[i].set->is_text)
            MR_TRY(mr_runread_f64(t->run, t->column[i].set, first, n, t->column[i].value, err));
    return t->times != NULL ? mr_runread_f64(t->run, t->times, first, n, t->time_s, err) : MR_OK;
}

static double value_of(const struct table *t, const char *name, size_t row)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->column[i].place == BY_ROW && !t->column[i].set->is_text &&
            strcmp(t->column[i].set->name, name) == 0)
            return t->column[i].value[row];
    return (double)NAN;
}

/* A place on an axis of another group says nothing in a table that stands alone. */
static mr_status find_where(struct table *t, size_t row, struct mr_err *err)
{
    const struct mr_where where = {.entity = value_of(t, "entity", row),
                                   .index = value_of(t, "index", row),
                                   .node = value_of(t, "node", row)};
    return t->is_events ? mr_where_text(t->run, &where, t->where, err) : MR_OK;
}

/* ---- cells ---- */

struct cell {
    const char *text; /* NULL: a number */
    double number;
};

static struct cell cell_of(const struct table *t, const struct column *c, size_t first, size_t row,
                           size_t entity)
{
    const size_t i = c->place == BY_ENTITY ? entity
                     : c->place == BY_ROW  ? row
                                           : row * t->n_entity + entity;
    if (c->set->is_text)
        return (struct cell){c->text[c->place == BY_ENTITY ? entity : first + row], 0};
    const double v = c->value[i];
    if (c->set->n_flag > 0 && v >= 0 && v < (double)c->set->n_flag)
        return (struct cell){c->set->flag[(size_t)v], 0};
    return (struct cell){NULL, v};
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void csv_head(const struct table *t, struct mr_csv_writer *w)
{
    if (t->times != NULL)
        mr_csv_put_text(w, strcmp(t->times->name, "time") == 0 ? "t_s" : t->times->name);
    if (t->row_name != NULL)
        mr_csv_put_text(w, last_name(t->axis[0]));
    if (t->entity_name != NULL)
        mr_csv_put_text(w, last_name(t->axis[1]));
    for (size_t i = 0; i < t->n; i++)
        mr_csv_put_text(w, t->column[i].set->name);
    if (t->is_events)
        mr_csv_put_text(w, "where");
    mr_csv_put_end(w);
}

static void csv_row(const struct table *t, size_t first, size_t row, size_t entity,
                    struct mr_csv_writer *w)
{
    if (t->times != NULL)
        mr_csv_put_f64(w, t->time_s[row]);
    if (t->row_name != NULL)
        mr_csv_put_text(w, t->row_name[first + row]);
    if (t->entity_name != NULL)
        mr_csv_put_text(w, t->entity_name[entity]);
    for (size_t i = 0; i < t->n; i++) {
        const struct cell c = cell_of(t, &t->column[i], first, row, entity);
        if (c.text != NULL)
            mr_csv_put_text(w, c.text);
        else
            mr_csv_put_f64(w, c.number);
    }
    if (t->is_events)
        mr_csv_put_text(w, t->where);
    mr_csv_put_end(w);
}

static void json_row(const struct table *t, size_t first, size_t row, size_t entity,
                     struct mr_buf *out)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 0);
    mr_jsonw_object(&w);
    if (t->times != NULL)
        mr_jsonw_key_f64(&w, strcmp(t->times->name, "time") == 0 ? "t_s" : t->times->name,
                         t->time_s[row]);
    if (t->row_name != NULL)
        mr_jsonw_key_text(&w, last_name(t->axis[0]), t->row_name[first + row]);
    if (t->entity_name != NULL)
        mr_jsonw_key_text(&w, last_name(t->axis[1]), t->entity_name[entity]);
    for (size_t i = 0; i < t->n; i++) {
        const struct cell c = cell_of(t, &t->column[i], first, row, entity);
        if (c.text != NULL)
            mr_jsonw_key_text(&w, t->column[i].set->name, c.text);
        else
            mr_jsonw_key_f64(&w, t->column[i].set->name, c.number);
    }
    if (t->is_events)
        mr_jsonw_key_text(&w, "where", t->where);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

/* "Rack/RackPower" is object type and point type. */
static void dsx_row(const struct table *t, size_t first, size_t row, size_t entity,
                    struct mr_buf *out)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct mr_runread_set *set = t->column[i].set;
        const char *slash = strchr(set->dsx, '/');
        const struct cell c = cell_of(t, &t->column[i], first, row, entity);
        struct mr_jsonw w;
        if (slash == NULL)
            continue;
        mr_jsonw_init(&w, out, 0);
        mr_jsonw_object(&w);
        mr_jsonw_key_f64(&w, "t_s", t->times != NULL ? t->time_s[row] : (double)NAN);
        mr_jsonw_key(&w, "objectType");
        mr_jsonw_str(&w, (struct mr_str){set->dsx, (size_t)(slash - set->dsx)});
        mr_jsonw_key_text(&w, "objectId",
                          t->entity_name != NULL ? t->entity_name[entity] : t->group + 1);
        mr_jsonw_key_text(&w, "pointType", slash + 1);
        if (c.text != NULL)
            mr_jsonw_key_text(&w, "value", c.text);
        else
            mr_jsonw_key_f64(&w, "value", c.number);
        mr_jsonw_key_text(&w, "units", set->units);
        mr_jsonw_key_text(&w, "dataset", set->path);
        mr_jsonw_end(&w);
        mr_buf_char(out, '\n');
    }
}

/* ---- tables ---- */

static mr_status hand_over(const struct mr_export_sink *sink, struct mr_buf *text,
                           struct mr_err *err)
{
    MR_TRY(mr_buf_check(text, err));
    if (text->n > 0)
        MR_TRY(sink->take(sink->context, (struct mr_str){text->text, text->n}, err));
    mr_buf_clear(text);
    return MR_OK;
}

static mr_status write_rows(struct table *t, size_t n_block, enum mr_export_format format,
                            const struct mr_export_sink *sink, struct mr_buf *text,
                            struct mr_err *err)
{
    struct mr_csv_writer w = {text, false};
    if (format == MR_EXPORT_CSV)
        csv_head(t, &w);
    for (size_t first = 0; first < t->n_row; first += n_block) {
        const size_t n = t->n_row - first < n_block ? t->n_row - first : n_block;
        MR_TRY(read_block(t, first, n, err));
        for (size_t row = 0; row < n; row++) {
            MR_TRY(find_where(t, row, err));
            for (size_t entity = 0; entity < t->n_entity; entity++) {
                if (format == MR_EXPORT_CSV)
                    csv_row(t, first, row, entity, &w);
                else if (format == MR_EXPORT_JSONL)
                    json_row(t, first, row, entity, text);
                else
                    dsx_row(t, first, row, entity, text);
                if (text->n > piece_bytes)
                    MR_TRY(hand_over(sink, text, err));
            }
        }
    }
    return hand_over(sink, text, err);
}

static bool has_dsx(const struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (strchr(t->column[i].set->dsx, '/') != NULL)
            return true;
    return false;
}

mr_status mr_export_table(struct mr_runread *run, const char *name, enum mr_export_format format,
                          const struct mr_export_sink *sink, struct mr_err *err)
{
    struct mr_buf group = {0}, text = {0};
    struct table *t = mr_alloc_zero(1, sizeof *t);
    size_t n_block = 1;
    if (t == NULL)
        return mr_err_nomem(err, sizeof *t);
    mr_buf_printf(&group, "/%s", name[0] == '/' ? name + 1 : name);
    mr_status st = mr_buf_check(&group, err);
    if (st == MR_OK)
        st = open_table(t, run, group.text, &n_block, err);
    if (st == MR_OK && format == MR_EXPORT_DSX && !has_dsx(t))
        st = mr_err_set(err, MR_REF, (struct mr_place){mr_runread_path(run), 0, 0},
                        "table \"%s\": none of its columns has a name in DSX Exchange", name);
    if (st == MR_OK)
        st = write_rows(t, n_block, format, sink, &text, err);
    close_table(t);
    mr_free(t);
    mr_buf_fini(&group);
    mr_buf_fini(&text);
    return st;
}

/* Groups come in one piece each, but for those with subgroups between. */
static bool is_first_of_group(const struct mr_runread *run, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(mr_runread_at(run, k)->group, mr_runread_at(run, i)->group) == 0)
            return false;
    return true;
}

static bool has_dsx_group(const struct mr_runread *run, const char *group)
{
    for (size_t i = 0; i < mr_runread_n(run); i++) {
        const struct mr_runread_set *set = mr_runread_at(run, i);
        if (strcmp(set->group, group) == 0 && strchr(set->dsx, '/') != NULL)
            return true;
    }
    return false;
}

mr_status mr_export_dsx(struct mr_runread *run, const struct mr_export_sink *sink,
                        struct mr_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < mr_runread_n(run); i++) {
        const char *group = mr_runread_at(run, i)->group;
        if (!is_first_of_group(run, i) || !has_dsx_group(run, group))
            continue;
        MR_TRY(mr_export_table(run, group, MR_EXPORT_DSX, sink, err));
        n++;
    }
    if (n > 0)
        return MR_OK;
    return mr_err_set(err, MR_REF, (struct mr_place){mr_runread_path(run), 0, 0},
                      "nothing in it has a name in DSX Exchange: it was played without a site, or "
                      "recorded as a summary");
}

void mr_export_list(const struct mr_runread *run, struct mr_buf *out)
{
    const char *before = "";
    for (size_t i = 0; i < mr_runread_n(run); i++) {
        const struct mr_runread_set *set = mr_runread_at(run, i);
        if (set->is_axis || set->rank == 0 || set->rank > 2)
            continue;
        if (strcmp(before, set->group) != 0) {
            mr_buf_printf(out, "%s%-18s %zu rows", before[0] != '\0' ? "\n" : "", set->group + 1,
                          mr_runread_rows(run, set));
            if (set->rank == 2)
                mr_buf_printf(out, " x %zu %s", set->dim[1], last_name(set->axis[1]));
            mr_buf_char(out, ':');
            before = set->group;
        }
        mr_buf_printf(out, " %s", set->name);
        if (set->units[0] != '\0' && strcmp(set->units, "1") != 0)
            mr_buf_printf(out, " [%s]", set->units);
    }
    mr_buf_text(out, before[0] != '\0' ? "\n" : "");
}
