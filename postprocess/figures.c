/* SPDX-License-Identifier: Apache-2.0 */
/* Summaries are walked with a path that grows; null is no figure. */
#include "postprocess/figures.h"

#include "engine/base/gz.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "postprocess/runread.h"

#include <math.h>
#include <stdio.h>

enum {
    path_cap = 256,
    depth_max = 16,
    file_max_bytes = 64 << 20
};

/* ---- items ---- */

const struct mr_figures_item *mr_figures_find(const struct mr_figures *figures, const char *path)
{
    for (size_t i = 0; i < figures->n_item; i++)
        if (strcmp(figures->item[i].path, path) == 0)
            return &figures->item[i];
    return NULL;
}

double mr_figures_value(const struct mr_figures *figures, const char *path)
{
    const struct mr_figures_item *item = mr_figures_find(figures, path);
    return item != NULL ? item->value : (double)NAN;
}

/* The first of a name stays. */
static mr_status add(struct mr_figures *f, const char *path, double value, const char *unit,
                     const char *doc, struct mr_err *err)
{
    const struct mr_kpi *kpi = mr_kpi_find(path);
    if (strcmp(path, "schema") == 0 || !isfinite(value) || mr_figures_find(f, path) != NULL)
        return MR_OK;
    if (strcmp(path, "seed") == 0) {
        f->seed = value;
        return MR_OK;
    }
    MR_TRY(mr_grow(&f->item, &f->cap_item, f->n_item + 1, sizeof *f->item, err));
    struct mr_figures_item *item = &f->item[f->n_item];
    if (unit == NULL || unit[0] == '\0')
        unit = kpi != NULL ? kpi->unit : "";
    if (doc == NULL || doc[0] == '\0')
        doc = kpi != NULL ? kpi->doc : "";
    *item = (struct mr_figures_item){mr_arena_text(&f->arena, mr_str_of(path), err),
                                     mr_arena_text(&f->arena, mr_str_of(unit), err),
                                     mr_arena_text(&f->arena, mr_str_of(doc), err), value, kpi};
    if (item->path == NULL || item->unit == NULL || item->doc == NULL)
        return MR_NOMEM;
    f->n_item++;
    return MR_OK;
}

/* ---- the summary ---- */

struct reading {
    struct mr_json *json;
    struct mr_figures *out;
    struct mr_err *err;
};

static mr_status walk(struct reading *r, const char *path, int depth);

/* Longer paths are cut. */
static void join(char out[path_cap], const char *path, struct mr_str key)
{
    const size_t n = strlen(path), room = path_cap - 2 - n;
    const size_t n_key = key.n < room ? key.n : room;
    memcpy(out, path, n);
    if (n > 0)
        out[n] = '.';
    memcpy(out + n + (n > 0), key.p, n_key);
    out[n + (n > 0) + n_key] = '\0';
}

static mr_status keep(struct reading *r, struct mr_str text, const char **out)
{
    *out = mr_arena_text(&r->out->arena, text, r->err);
    return *out != NULL ? MR_OK : MR_NOMEM;
}

static mr_status walk_object(struct reading *r, const char *path, int depth)
{
    MR_TRY(mr_json_enter_object(r->json, r->err));
    for (;;) {
        char below[path_cap];
        struct mr_str key;
        bool has_more;
        MR_TRY(mr_json_key(r->json, &key, &has_more, r->err));
        if (!has_more)
            return MR_OK;
        join(below, path, key);
        MR_TRY(walk(r, below, depth + 1));
    }
}

/* A member of an array is read twice: for its name, then for its figures. */
static mr_status walk_named(struct reading *r, const char *path, struct mr_str text, int depth)
{
    char below[path_cap] = "";
    bool has_more = false;
    struct reading inner = {NULL, r->out, r->err};
    MR_TRY(mr_json_open_memory(text.p, text.n, r->out->file, NULL, &inner.json, r->err));
    mr_status st = mr_json_document(inner.json, &has_more, r->err);
    if (st == MR_OK)
        st = mr_json_enter_object(inner.json, r->err);
    while (st == MR_OK && has_more) {
        struct mr_str key, name;
        enum mr_json_token token;
        st = mr_json_key(inner.json, &key, &has_more, r->err);
        if (st != MR_OK || !has_more)
            break;
        const bool is_name = mr_str_is(key, "name");
        st = mr_json_peek(inner.json, &token, r->err);
        if (st == MR_OK && is_name && token == MR_JSON_STRING) {
            st = mr_json_str(inner.json, &name, r->err);
            if (st == MR_OK)
                join(below, path, name);
        } else if (st == MR_OK) {
            st = mr_json_skip(inner.json, r->err);
        }
    }
    mr_json_close(inner.json);
    inner.json = NULL;
    if (st != MR_OK || below[0] == '\0')
        return st;
    if (strcmp(path, "tiers") == 0) {
        struct mr_figures *f = r->out;
        MR_TRY(mr_grow(&f->tier, &f->cap_tier, f->n_tier + 1, sizeof *f->tier, r->err));
        MR_TRY(keep(r, mr_str_of(below + strlen("tiers.")), &f->tier[f->n_tier]));
        f->n_tier++;
    }
    MR_TRY(mr_json_open_memory(text.p, text.n, r->out->file, NULL, &inner.json, r->err));
    st = mr_json_document(inner.json, &has_more, r->err);
    if (st == MR_OK)
        st = walk_object(&inner, below, depth + 1);
    mr_json_close(inner.json);
    return st;
}

static mr_status read_violation(struct reading *r)
{
    struct mr_figures *f = r->out;
    struct mr_figures_violation v = {"", "", 1, (double)NAN};
    MR_TRY(mr_json_enter_object(r->json, r->err));
    for (;;) {
        struct mr_str key, text;
        enum mr_json_token token;
        bool has_more;
        MR_TRY(mr_json_key(r->json, &key, &has_more, r->err));
        if (!has_more)
            break;
        const char **const as_text = mr_str_is(key, "what")    ? &v.what
                                     : mr_str_is(key, "where") ? &v.where
                                                               : NULL;
        double *const as_number = mr_str_is(key, "count")     ? &v.count
                                  : mr_str_is(key, "first_s") ? &v.first_s
                                                              : NULL;
        MR_TRY(mr_json_peek(r->json, &token, r->err));
        if (as_text != NULL && token == MR_JSON_STRING) {
            MR_TRY(mr_json_str(r->json, &text, r->err));
            MR_TRY(keep(r, text, as_text));
        } else if (as_number != NULL && token == MR_JSON_NUMBER) {
            MR_TRY(mr_json_f64(r->json, as_number, r->err));
        } else {
            MR_TRY(mr_json_skip(r->json, r->err));
        }
    }
    MR_TRY(mr_grow(&f->violation, &f->cap_violation, f->n_violation + 1, sizeof *f->violation,
                   r->err));
    f->violation[f->n_violation++] = v;
    return MR_OK;
}

static mr_status walk_array(struct reading *r, const char *path, int depth)
{
    const bool is_violations = strcmp(path, "violations") == 0;
    r->out->has_violations = r->out->has_violations || is_violations;
    MR_TRY(mr_json_enter_array(r->json, r->err));
    for (;;) {
        enum mr_json_token token;
        struct mr_str text;
        bool has_more;
        MR_TRY(mr_json_array_more(r->json, &has_more, r->err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_json_peek(r->json, &token, r->err));
        if (token != MR_JSON_BEGIN_OBJECT) {
            MR_TRY(mr_json_skip(r->json, r->err));
        } else if (is_violations) {
            MR_TRY(read_violation(r));
        } else {
            MR_TRY(mr_json_raw(r->json, &text, r->err));
            MR_TRY(walk_named(r, path, text, depth));
        }
    }
}

static mr_status walk(struct reading *r, const char *path, int depth)
{
    enum mr_json_token token;
    struct mr_str text;
    double value;
    MR_TRY(mr_json_peek(r->json, &token, r->err));
    if (token == MR_JSON_BEGIN_OBJECT && depth < depth_max)
        return walk_object(r, path, depth);
    if (token == MR_JSON_BEGIN_ARRAY && depth < depth_max)
        return walk_array(r, path, depth);
    if (token == MR_JSON_NUMBER) {
        MR_TRY(mr_json_f64(r->json, &value, r->err));
        if (strcmp(path, "schema") == 0 && value != MR_RUNREAD_SCHEMA)
            return mr_err_set(r->err, MR_SCHEMA, (struct mr_place){r->out->file, 0, 0},
                              "is a summary of schema %g: this version reads schema %d", value,
                              MR_RUNREAD_SCHEMA);
        return add(r->out, path, value, NULL, NULL, r->err);
    }
    if (token == MR_JSON_STRING && (strcmp(path, "scenario") == 0 || strcmp(path, "site") == 0)) {
        MR_TRY(mr_json_str(r->json, &text, r->err));
        return text.n > 0 ? keep(r, text, &r->out->name) : MR_OK;
    }
    if (token == MR_JSON_STRING && strcmp(path, "asked_sha256") == 0) {
        MR_TRY(mr_json_str(r->json, &text, r->err));
        return text.n > 0 ? keep(r, text, &r->out->asked) : MR_OK;
    }
    if (token == MR_JSON_TRUE && strcmp(path, "partial") == 0)
        r->out->is_partial = true;
    return mr_json_skip(r->json, r->err);
}

/* @param[in] text lives as long as the figures */
static mr_status read_summary(struct mr_figures *out, struct mr_str text, struct mr_err *err)
{
    struct reading r = {NULL, out, err};
    bool has_more = false;
    double n_violation = 0;
    MR_TRY(mr_json_open_memory(text.p, text.n, out->file, NULL, &r.json, err));
    mr_status st = mr_json_document(r.json, &has_more, err);
    if (st == MR_OK && !has_more)
        st = mr_err_set(err, MR_PARSE, (struct mr_place){out->file, 1, 1},
                        "is empty: no summary of a run");
    if (st == MR_OK)
        st = walk_object(&r, "", 0);
    if (st == MR_OK)
        st = mr_json_end(r.json, err);
    mr_json_close(r.json);
    for (size_t i = 0; i < out->n_violation; i++)
        n_violation += out->violation[i].count;
    if (st == MR_OK && out->has_violations)
        st = add(out, "violations", n_violation, NULL, NULL, err);
    return st;
}

/* ---- files ---- */

static mr_status begin(struct mr_figures *out, const char *path, struct mr_err *err)
{
    const char *slash = strrchr(path, '/');
    *out = (struct mr_figures){.seed = (double)NAN};
    out->file = mr_arena_text(&out->arena, mr_str_of(path), err);
    out->name = mr_arena_text(&out->arena, mr_str_of(slash != NULL ? slash + 1 : path), err);
    return out->file != NULL && out->name != NULL ? MR_OK : MR_NOMEM;
}

/* The texts of a column of /kpi, or NULL where there is none. */
static mr_status column(struct mr_runread *run, const char *path, size_t n,
                        const char *const **text, struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(run, path);
    *text = NULL;
    if (set == NULL || !set->is_text || set->rank != 1 || set->dim[0] < n)
        return MR_OK;
    return mr_runread_texts(run, set, text, err);
}

static mr_status read_kpi(struct mr_runread *run, struct mr_figures *out, struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(run, "/kpi/value");
    const char *const *name, *const *unit, *const *doc;
    double *value;
    if (set == NULL || set->rank != 1 || set->is_text)
        return MR_OK;
    const size_t n = mr_runread_rows(run, set);
    MR_TRY(column(run, "/kpi/kpi", n, &name, err));
    MR_TRY(column(run, "/kpi/unit", n, &unit, err));
    MR_TRY(column(run, "/kpi/formula", n, &doc, err));
    if (name == NULL)
        return mr_err_set(err, MR_SCHEMA, (struct mr_place){mr_runread_path(run), 0, 0},
                          "dataset /kpi/kpi: there are no names of key figures");
    MR_TRY(mr_runread_all(run, set, &value, err));
    mr_status st = MR_OK;
    for (size_t i = 0; i < n && st == MR_OK; i++)
        st = add(out, name[i], value[i], unit != NULL ? unit[i] : NULL, doc != NULL ? doc[i] : NULL,
                 err);
    mr_free(value);
    return st;
}

mr_status mr_figures_read(struct mr_runread *run, struct mr_figures *out, struct mr_err *err)
{
    const struct mr_runread_set *summary = mr_runread_find(run, "/provenance/summary");
    const char *title = mr_runread_attr(run, "/", "title");
    MR_TRY(begin(out, mr_runread_path(run), err));
    out->is_partial = !mr_runread_is_complete(run);
    if (title != NULL && title[0] != '\0')
        out->name = mr_arena_text(&out->arena, mr_str_of(title), err);
    if (out->name == NULL)
        return MR_NOMEM;
    MR_TRY(read_kpi(run, out, err));
    if (summary == NULL || !summary->is_text || summary->rank != 0)
        return MR_OK;
    const char *const *text;
    MR_TRY(mr_runread_texts(run, summary, &text, err));
    out->json = mr_arena_text(&out->arena, mr_str_of(text[0]), err);
    return out->json != NULL ? read_summary(out, mr_str_of(out->json), err) : MR_NOMEM;
}

mr_status mr_figures_of(struct mr_str json, const char *name, struct mr_figures *out,
                        struct mr_err *err)
{
    MR_TRY(begin(out, name, err));
    out->json = mr_arena_text(&out->arena, json, err);
    return out->json != NULL ? read_summary(out, (struct mr_str){out->json, json.n}, err)
                             : MR_NOMEM;
}

static mr_status read_json(const char *path, struct mr_figures *out, struct mr_err *err)
{
    struct mr_gz *file = NULL;
    char *bytes = NULL;
    size_t n = 0;
    MR_TRY(begin(out, path, err));
    mr_status st = mr_gz_open(path, &file, err);
    if (st == MR_OK)
        st = mr_gz_read_all(file, file_max_bytes, &bytes, &n, err);
    mr_gz_close(file);
    if (st == MR_OK) {
        out->json = mr_arena_text(&out->arena, (struct mr_str){bytes, n}, err);
        st = out->json != NULL ? read_summary(out, (struct mr_str){out->json, n}, err) : MR_NOMEM;
    }
    mr_free(bytes);
    return st;
}

void mr_figures_trial(struct mr_runread *run)
{
    struct mr_figures figures = {0};
    struct mr_err err = {0};
    (void)!mr_figures_read(run, &figures, &err);
    mr_figures_fini(&figures);
}

mr_status mr_figures_load(const char *path, struct mr_figures *out, struct mr_err *err)
{
    const struct mr_runread_options options = {.trial = mr_figures_trial};
    struct mr_runread *run = NULL;
    *out = (struct mr_figures){0};
    if (!mr_runread_is(path))
        return read_json(path, out, err);
    MR_TRY(mr_runread_open(path, &options, &run, err));
    const mr_status st = mr_figures_read(run, out, err);
    mr_runread_close(run);
    return st;
}

void mr_figures_fini(struct mr_figures *figures)
{
    mr_free(figures->item);
    mr_free(figures->violation);
    mr_free(figures->tier);
    mr_arena_fini(&figures->arena);
    *figures = (struct mr_figures){0};
}
