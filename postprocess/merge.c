/* SPDX-License-Identifier: Apache-2.0 */
/* One run is read at a time and closed again: ten thousand open files are more than a process may
 * have. Map: the manifest - runs - columns - the file. */
#define _XOPEN_SOURCE 700
#include "postprocess/merge.h"

#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "postprocess/merge_impl.h"

#include <hdf5.h>
#include <hdf5_hl.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    run_max = 1 << 20
};

struct mr_merge_column {
    const char *name, *units, *doc;
    double *value;
    const struct mr_asked_kpi *asked; /* that makes it, or NULL: a figure of the runs */
    bool is_output;                   /* asked for by name */
};

/* ---- the manifest ---- */

static const char *keep(struct mr_merge *m, struct mr_str text, struct mr_err *err)
{
    return mr_arena_text(&m->arena, text, err);
}

static mr_status read_row(struct mr_merge *m, const struct mr_csv *csv, size_t id_column,
                          struct mr_err *err)
{
    const struct mr_str id = mr_csv_field(csv, id_column);
    char file[128];
    if (id.n == 0 || id.n > 64 || memchr(id.p, '/', id.n) != NULL)
        return mr_csv_error(csv, id_column, err, MR_RANGE, "is no name of a run");
    MR_TRY(mr_grow(&m->run, &m->cap_run, m->n_run + 1, sizeof *m->run, err));
    struct mr_merge_run *run = &m->run[m->n_run++];
    *run = (struct mr_merge_run){0};
    (void)snprintf(file, sizeof file, "run_%.*s.h5", (int)id.n, id.p);
    run->id = keep(m, id, err);
    run->file = keep(m, mr_str_of(file), err);
    run->value = mr_arena_zero(&m->arena, m->n_factor + 1, sizeof *run->value, err);
    if (run->id == NULL || run->file == NULL || run->value == NULL)
        return MR_NOMEM;
    size_t k = 0;
    for (size_t i = 0; i < mr_csv_n_column(csv); i++) {
        const struct mr_str name = mr_csv_column_name(csv, i);
        if (mr_str_is(name, "config_hash")) {
            run->hash = keep(m, mr_csv_field(csv, i), err);
            if (run->hash == NULL)
                return MR_NOMEM;
            continue;
        }
        if (i == id_column)
            continue;
        run->value[k] = keep(m, mr_csv_field(csv, i), err);
        if (run->value[k++] == NULL)
            return MR_NOMEM;
    }
    return MR_OK;
}

static mr_status read_head(struct mr_merge *m, const struct mr_csv *csv, size_t id_column,
                           struct mr_err *err)
{
    m->factor = mr_arena_zero(&m->arena, mr_csv_n_column(csv), sizeof *m->factor, err);
    if (m->factor == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < mr_csv_n_column(csv); i++) {
        const struct mr_str name = mr_csv_column_name(csv, i);
        if (i == id_column || mr_str_is(name, "config_hash"))
            continue;
        m->factor[m->n_factor] = keep(m, name, err);
        if (m->factor[m->n_factor++] == NULL)
            return MR_NOMEM;
    }
    return MR_OK;
}

static mr_status read_manifest(struct mr_merge *m, struct mr_err *err)
{
    struct mr_buf path = {0};
    struct mr_csv *csv = NULL;
    size_t id_column = 0;
    bool has_row = true;
    mr_buf_printf(&path, "%s/manifest.csv", m->folder);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK)
        st = mr_csv_open(path.text, NULL, &csv, err);
    if (st == MR_OK)
        st = mr_csv_column(csv, "run_id", &id_column, err);
    if (st == MR_OK)
        st = read_head(m, csv, id_column, err);
    while (st == MR_OK && has_row) {
        st = mr_csv_next(csv, &has_row, err);
        if (st == MR_OK && has_row)
            st = m->n_run < run_max
                     ? read_row(m, csv, id_column, err)
                     : mr_csv_error(csv, id_column, err, MR_LIMIT, "is a run too many");
    }
    mr_csv_close(csv);
    if (st == MR_OK && m->n_run == 0)
        st = mr_err_set(err, MR_SCHEMA, (struct mr_place){path.text, 0, 0}, "names no run");
    mr_buf_fini(&path);
    return st;
}

/* ---- runs ---- */

static void miss(struct mr_merge *m, size_t i_run, const char *why)
{
    struct mr_merge_result *r = m->result;
    const char *file = m->run[i_run].file;
    mr_buf_printf(&r->missing, "%s%s (%s)", r->missing.n > 0 ? ", " : "", file, why);
    if (i_run - r->n_there < MR_MERGE_NAMED)
        mr_buf_printf(&r->missing_first, "%s%s (%s)", r->missing_first.n > 0 ? ", " : "", file,
                      why);
}

/* Figures stand in the same order in most runs: the search begins behind the last one found. */
static mr_status column_of(struct mr_merge *m, const struct mr_figures_item *item, size_t *at,
                           struct mr_err *err)
{
    for (size_t i = 0; i < m->n_column; i++, *at = *at + 1 < m->n_column ? *at + 1 : 0)
        if (*at < m->n_column && strcmp(m->column[*at].name, item->path) == 0)
            return MR_OK;
    MR_TRY(mr_grow(&m->column, &m->cap_column, m->n_column + 1, sizeof *m->column, err));
    struct mr_merge_column *column = &m->column[m->n_column];
    *column = (struct mr_merge_column){keep(m, mr_str_of(item->path), err),
                                       keep(m, mr_str_of(item->unit), err),
                                       keep(m, mr_str_of(item->doc), err),
                                       mr_arena_zero(&m->arena, m->n_run, sizeof(double), err),
                                       NULL,
                                       false};
    if (column->name == NULL || column->units == NULL || column->doc == NULL ||
        column->value == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < m->n_run; i++)
        column->value[i] = (double)NAN;
    for (size_t i = 0; i < m->asked.n_output; i++)
        column->is_output = column->is_output || strcmp(m->asked.output[i].path, column->name) == 0;
    *at = m->n_column++;
    return MR_OK;
}

/* Derived figures come first among the columns, in the order of the experiment. */
static mr_status make_derived(struct mr_merge *m, struct mr_err *err)
{
    for (size_t i = 0; i < m->asked.n_kpi; i++) {
        const struct mr_asked_kpi *kpi = &m->asked.kpi[i];
        const struct mr_figures_item item = {kpi->name, kpi->unit, kpi->formula, 0, NULL};
        size_t at = 0;
        MR_TRY(column_of(m, &item, &at, err));
        m->column[at].asked = kpi;
    }
    if (m->asked.n_constraint == 0)
        return MR_OK;
    m->feasible = mr_arena_zero(&m->arena, m->n_run, sizeof *m->feasible, err);
    m->broken = mr_arena_zero(&m->arena, m->n_run, sizeof *m->broken, err);
    if (m->feasible == NULL || m->broken == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < m->n_run; i++) {
        m->feasible[i] = (double)NAN;
        m->broken[i] = "";
    }
    return MR_OK;
}

static mr_status take_figures(struct mr_merge *m, size_t i_run, const struct mr_figures *figures,
                              struct mr_asked_answer *answer, struct mr_err *err)
{
    size_t at = 0;
    for (size_t k = 0; k < figures->n_item; k++) {
        MR_TRY(column_of(m, &figures->item[k], &at, err));
        m->column[at].value[i_run] = figures->item[k].value;
    }
    MR_TRY(mr_asked_look(&m->asked, figures, answer, err));
    for (size_t k = 0; k < m->n_column; k++)
        if (m->column[k].asked != NULL)
            m->column[k].value[i_run] = answer->derived[m->column[k].asked - m->asked.kpi];
    if (m->feasible == NULL)
        return MR_OK;
    m->feasible[i_run] = answer->is_feasible ? 1 : 0;
    m->broken[i_run] = keep(m, (struct mr_str){answer->broken.text, answer->broken.n}, err);
    return m->broken[i_run] != NULL ? MR_OK : MR_NOMEM;
}

/* Figures and axes: all that is read of a run before its series are copied. */
static void trial(struct mr_runread *run)
{
    mr_figures_trial(run);
    for (size_t i = 0; i < mr_runread_n(run); i++) {
        const struct mr_runread_set *set = mr_runread_at(run, i);
        struct mr_err err = {0};
        const char *const *text;
        double *value = NULL;
        if (set->is_axis && !set->is_bare)
            (void)!(set->is_text ? mr_runread_texts(run, set, &text, &err)
                                 : mr_runread_all(run, set, &value, &err));
        mr_free(value);
    }
}

/* Of a manifest that has changed since, or put there by hand: its figures are another run's. */
static void check_hash(struct mr_merge *m, const struct mr_merge_run *run,
                       const struct mr_runread *data)
{
    const char *own = mr_runread_attr(data, "/provenance", "config_hash");
    struct mr_buf *files = &m->result->other_files;
    if (run->hash == NULL || run->hash[0] == '\0' || (own != NULL && strcmp(own, run->hash) == 0))
        return;
    if (m->result->n_other++ < MR_MERGE_NAMED)
        mr_buf_printf(files, "%s%s", files->n > 0 ? ", " : "", run->file);
}

/* ".part": it was stopped, or is being written. */
static bool has_part(const char *path)
{
    struct mr_buf part = {0};
    mr_buf_printf(&part, "%s.part", path);
    const bool has = part.status == MR_OK && access(part.text, F_OK) == 0;
    mr_buf_fini(&part);
    return has;
}

/* A run that cannot be read is missing, and says why. */
static mr_status read_run(struct mr_merge *m, size_t i_run, struct mr_asked_answer *answer,
                          struct mr_err *err)
{
    struct mr_merge_run *run = &m->run[i_run];
    struct mr_buf path = {0};
    struct mr_err own = {0};
    const struct mr_runread_options brief = {.trial = trial};
    struct mr_runread *data = NULL;
    struct mr_figures figures = {0};
    mr_buf_printf(&path, "%s/%s", m->folder, run->file);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK && access(path.text, F_OK) != 0)
        miss(m, i_run, has_part(path.text) ? "not complete: only its .part" : "no such file");
    else if (st == MR_OK && mr_runread_open(path.text, &brief, &data, &own) != MR_OK)
        miss(m, i_run, own.text);
    else if (st == MR_OK && !mr_runread_is_complete(data))
        miss(m, i_run, "not complete");
    else
        run->is_there = st == MR_OK;
    if (run->is_there) {
        m->result->n_there++;
        check_hash(m, run, data);
        st = mr_figures_read(data, &figures, err);
        if (st == MR_OK)
            st = take_figures(m, i_run, &figures, answer, err);
        mr_figures_fini(&figures);
        if (st == MR_OK)
            st = mr_merge_take_series(m, run, data, err);
    }
    mr_runread_close(data);
    mr_buf_fini(&path);
    return st;
}

static mr_status read_runs(struct mr_merge *m, struct mr_err *err)
{
    struct mr_asked_answer answer = {0};
    MR_TRY(make_derived(m, err));
    mr_status st = MR_OK;
    for (size_t i = 0; i < m->n_run && st == MR_OK; i++)
        st = read_run(m, i, &answer, err);
    mr_asked_answer_fini(&answer);
    if (st == MR_OK && m->result->n_there == 0)
        st = mr_err_set(err, MR_REF, (struct mr_place){m->folder, 0, 0},
                        "holds none of the %zu runs of its manifest", m->n_run);
    return st;
}

/* ---- columns ---- */

/* Numbers of one unit, "8 req/s", are numbers. @param[out] units "" or what follows all of them */
static bool as_numbers(const struct mr_merge *m, size_t k, double *value, const char **units)
{
    for (size_t i = 0; i < m->n_run; i++) {
        const char *text = m->run[i].value[k];
        const size_t n = mr_num_scan_f64(text, strlen(text), &value[i]);
        const char *rest = text + n;
        while (mr_char_is_space(*rest))
            rest++;
        if (n == 0 || (i > 0 && strcmp(rest, *units) != 0))
            return false;
        *units = rest;
    }
    return true;
}

/* "workload/rate" is a column "workload.rate": names of datasets hold no '/'. */
static bool put_factor(const struct mr_merge *m, hid_t group, hid_t axis, size_t k)
{
    char name[200], long_name[240];
    const char *units = "";
    double *value = mr_alloc(m->n_run, sizeof *value);
    const char **text = mr_alloc(m->n_run, sizeof *text);
    bool is_good = false;
    (void)snprintf(name, sizeof name, "%s", m->factor[k]);
    for (char *p = name; *p != '\0'; p++)
        if (*p == '/')
            *p = '.';
    (void)snprintf(long_name, sizeof long_name, "Factor %s", m->factor[k]);
    for (size_t i = 0; text != NULL && i < m->n_run; i++)
        text[i] = m->run[i].value[k];
    if (value != NULL && text != NULL && H5Lexists(group, name, H5P_DEFAULT) == 0) {
        const bool is_number = as_numbers(m, k, value, &units);
        const hid_t set =
            mr_merge_put_column(group, name, is_number ? units : "1", long_name,
                                is_number ? value : NULL, is_number ? NULL : text, m->n_run);
        is_good = set >= 0 && H5DSattach_scale(set, axis, 0) >= 0;
        if (set >= 0)
            (void)H5Dclose(set);
    }
    mr_free(value);
    mr_free(text);
    return is_good;
}

static bool put_column(const struct mr_merge *m, hid_t group, hid_t axis,
                       const struct mr_merge_column *c)
{
    const hid_t set =
        mr_merge_put_column(group, c->name, c->units, c->doc, c->value, NULL, m->n_run);
    bool is_good = set >= 0 && H5DSattach_scale(set, axis, 0) >= 0;
    if (is_good && c->asked != NULL)
        is_good = mr_merge_put_text(set, "formula", c->asked->formula) &&
                  mr_merge_put_text(set, "better", c->asked->better == MR_KPI_DOWN ? "down" : "up");
    if (is_good && (c->asked != NULL || c->is_output))
        is_good = mr_merge_put_text(set, "asked", c->asked != NULL ? "kpi" : "output");
    if (set >= 0)
        (void)H5Dclose(set);
    return is_good;
}

/* 1 where a run keeps all constraints, and which it breaks. */
static bool put_feasible(const struct mr_merge *m, hid_t group, hid_t axis)
{
    struct mr_buf all = {0};
    for (size_t i = 0; i < m->asked.n_constraint; i++) {
        mr_buf_text(&all, i > 0 ? "; " : "");
        mr_asked_print_constraint(&m->asked.constraint[i], &all);
    }
    const hid_t is = mr_merge_put_column(group, "feasible", "1", "1: the run keeps all constraints",
                                         m->feasible, NULL, m->n_run);
    const hid_t broken = mr_merge_put_column(group, "broken", "1", "Constraints the run breaks",
                                             NULL, m->broken, m->n_run);
    const bool is_good =
        all.status == MR_OK && is >= 0 && broken >= 0 && H5DSattach_scale(is, axis, 0) >= 0 &&
        H5DSattach_scale(broken, axis, 0) >= 0 && mr_merge_put_text(group, "constraints", all.text);
    if (is >= 0)
        (void)H5Dclose(is);
    if (broken >= 0)
        (void)H5Dclose(broken);
    mr_buf_fini(&all);
    return is_good;
}

/* What ranks configurations, and which runs are not there. */
static bool put_notes(const struct mr_merge *m, hid_t group)
{
    static const char *const better[] = {"own", "up", "down"};
    const struct mr_asked_rank *rank = &m->asked.rank;
    bool is_good =
        rank->path == NULL || (mr_merge_put_text(group, "rank_by", rank->path) &&
                               mr_merge_put_text(group, "rank_better", better[rank->better]));
    if (is_good && rank->against != NULL)
        is_good = mr_merge_put_text(group, "against", rank->against) &&
                  mr_merge_put_text(group, "against_better", better[rank->against_better]);
    if (is_good && m->result->missing.n > 0)
        is_good = mr_merge_put_text(group, "missing", m->result->missing.text);
    return is_good;
}

static mr_status put_columns(struct mr_merge *m, struct mr_err *err)
{
    const hid_t group = mr_merge_group(m, "/kpi");
    const hid_t axis = group >= 0 ? mr_merge_put_run_axis(m, group) : -1;
    bool is_good = axis >= 0;
    for (size_t k = 0; k < m->n_factor && is_good; k++)
        is_good = put_factor(m, group, axis, k);
    if (is_good && m->feasible != NULL)
        is_good = put_feasible(m, group, axis);
    for (size_t k = 0; k < m->n_column && is_good; k++) {
        if (H5Lexists(group, m->column[k].name, H5P_DEFAULT) != 0)
            continue; /* the seed, or a factor of that name: the manifest has it */
        is_good = put_column(m, group, axis, &m->column[k]);
        m->result->n_figure++;
    }
    is_good = is_good && put_notes(m, group);
    if (axis >= 0)
        (void)H5Dclose(axis);
    if (group >= 0)
        (void)H5Gclose(group);
    return is_good ? MR_OK : mr_merge_failed(m, err, "/kpi");
}

/* ---- the file ---- */

static bool put_schema(hid_t root)
{
    const uint64_t schema = MR_RUNREAD_SCHEMA;
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attr =
        H5Acreate2(root, "schema", H5T_NATIVE_UINT64, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool is_good = attr >= 0 && H5Awrite(attr, H5T_NATIVE_UINT64, &schema) >= 0;
    if (attr >= 0)
        (void)H5Aclose(attr);
    (void)H5Sclose(space);
    return is_good;
}

static mr_status put_root(struct mr_merge *m, struct mr_err *err)
{
    const hid_t root = H5Gopen2(m->file, "/", H5P_DEFAULT);
    const bool is_good = root >= 0 && mr_merge_put_text(root, "Conventions", "CF-1.8") &&
                         put_schema(root) && mr_merge_put_text(root, "title", m->folder) &&
                         mr_merge_put_text(root, "kind", "merge") &&
                         mr_merge_put_text(root, "status", "complete") &&
                         mr_merge_put_text(root, "exit_reason",
                                           m->result->missing.n > 0 ? "runs are missing" : "done");
    if (root >= 0)
        (void)H5Gclose(root);
    return is_good ? MR_OK : mr_merge_failed(m, err, "the root group");
}

static mr_status write_file(struct mr_merge *m, const char *part, struct mr_err *err)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    if (access >= 0 && create >= 0 && mr_merge_track_order(create) &&
        H5Pset_file_locking(access, false, true) >= 0 && /* the part is locked by its owner */
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0)
        m->file = H5Fcreate(part, H5F_ACC_TRUNC, create, access);
    (void)H5Pclose(access);
    (void)H5Pclose(create);
    if (m->file < 0)
        return mr_merge_failed(m, err, "the file");
    mr_status st = put_root(m, err);
    if (st == MR_OK)
        st = put_columns(m, err);
    if (st == MR_OK)
        st = mr_merge_put_series(m, err);
    if (H5Fclose(m->file) < 0 && st == MR_OK)
        st = mr_merge_failed(m, err, "the file");
    return st;
}

static void forget(struct mr_merge *m)
{
    mr_merge_forget_series(m);
    mr_free(m->run);
    mr_free(m->column);
    mr_asked_fini(&m->asked);
    mr_arena_fini(&m->arena);
}

mr_status mr_merge(const char *folder, const char *path, const struct mr_merge_options *options,
                   struct mr_merge_result *result, struct mr_err *err)
{
    struct mr_merge m = {.folder = folder, .path = path, .options = options, .result = result};
    struct mr_file_out out;
    *result = (struct mr_merge_result){0};
    m.file = H5I_INVALID_HID;
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    mr_status st = read_manifest(&m, err);
    if (st == MR_OK)
        st = mr_asked_load(folder, &m.asked, err);
    if (st == MR_OK)
        st = read_runs(&m, err);
    if (st == MR_OK)
        st = mr_file_out_open(&out, path, options->may_overwrite, err);
    if (st == MR_OK)
        st = mr_file_out_end(&out, write_file(&m, out.part, err), err);
    result->n_run = m.n_run;
    result->n_factor = m.n_factor;
    forget(&m);
    return st;
}

void mr_merge_fini(struct mr_merge_result *result)
{
    mr_buf_fini(&result->missing);
    mr_buf_fini(&result->missing_first);
    mr_buf_fini(&result->uneven);
    mr_buf_fini(&result->uneven_files);
    mr_buf_fini(&result->other_files);
}
