/* SPDX-License-Identifier: Apache-2.0 */
/* The first complete run says which series there are and over which times; another run that has
 * other times leaves only its columns. Conventions are those of run files: every axis a scale,
 * creation order tracked. Map: the manifest - runs - HDF5 - columns - series - the file. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "postprocess/merge.h"

#include "engine/base/assert.h"
#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "postprocess/figures.h"
#include "postprocess/runread.h"

#include <hdf5.h>
#include <hdf5_hl.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    n_factor_max = 64,
    run_max = 1 << 20
};

struct run {
    const char *id, *file; /* file: "run_00001.h5" */
    const char *value[n_factor_max];
    struct mr_runread *data; /* NULL: missing */
    struct mr_figures figures;
};

struct column {
    const char *name, *units, *doc;
    double *value;
};

struct merge {
    struct mr_arena arena;
    const char *folder, *path;
    const struct mr_merge_options *options;
    struct mr_merge_result *result;
    const char *factor[n_factor_max];
    size_t n_factor;
    struct run *run;
    size_t n_run, cap_run;
    struct column *column;
    size_t n_column, cap_column;
    hid_t file;
};

/* ---- the manifest ---- */

static const char *keep(struct merge *m, struct mr_str text, struct mr_err *err)
{
    return mr_arena_text(&m->arena, text, err);
}

static mr_status read_row(struct merge *m, const struct mr_csv *csv, size_t id_column,
                          struct mr_err *err)
{
    const struct mr_str id = mr_csv_field(csv, id_column);
    char file[128];
    if (id.n == 0 || id.n > 64 || memchr(id.p, '/', id.n) != NULL)
        return mr_csv_error(csv, id_column, err, MR_RANGE, "is no name of a run");
    MR_TRY(mr_grow(&m->run, &m->cap_run, m->n_run + 1, sizeof *m->run, err));
    struct run *run = &m->run[m->n_run++];
    *run = (struct run){0};
    (void)snprintf(file, sizeof file, "run_%.*s.h5", (int)id.n, id.p);
    run->id = keep(m, id, err);
    run->file = keep(m, mr_str_of(file), err);
    if (run->id == NULL || run->file == NULL)
        return MR_NOMEM;
    size_t k = 0;
    for (size_t i = 0; i < mr_csv_n_column(csv); i++) {
        const struct mr_str name = mr_csv_column_name(csv, i);
        if (i == id_column || mr_str_is(name, "config_hash"))
            continue;
        run->value[k] = keep(m, mr_csv_field(csv, i), err);
        if (run->value[k++] == NULL)
            return MR_NOMEM;
    }
    return MR_OK;
}

static mr_status read_head(struct merge *m, const struct mr_csv *csv, size_t id_column,
                           struct mr_err *err)
{
    for (size_t i = 0; i < mr_csv_n_column(csv); i++) {
        const struct mr_str name = mr_csv_column_name(csv, i);
        if (i == id_column || mr_str_is(name, "config_hash"))
            continue;
        if (m->n_factor == n_factor_max)
            return mr_csv_error(csv, i, err, MR_LIMIT, "is one factor more than %d", n_factor_max);
        m->factor[m->n_factor] = keep(m, name, err);
        if (m->factor[m->n_factor++] == NULL)
            return MR_NOMEM;
    }
    return MR_OK;
}

static mr_status read_manifest(struct merge *m, struct mr_err *err)
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

static void miss(struct merge *m, const struct run *run, const char *why)
{
    mr_buf_printf(&m->result->missing, "%s%s (%s)", m->result->missing.n > 0 ? ", " : "", run->file,
                  why);
}

/* A run that cannot be read is missing, and says why. */
static mr_status open_run(struct merge *m, struct run *run, struct mr_err *err)
{
    struct mr_buf path = {0};
    struct mr_err own = {0};
    mr_buf_printf(&path, "%s/%s", m->folder, run->file);
    MR_TRY(mr_buf_check(&path, err));
    mr_status st = MR_OK;
    if (access(path.text, F_OK) != 0)
        miss(m, run, "no such file");
    else if (mr_runread_open(path.text, NULL, &run->data, &own) != MR_OK)
        miss(m, run, own.text);
    else if (!mr_runread_is_complete(run->data))
        miss(m, run, "not complete");
    else
        st = mr_figures_read(run->data, &run->figures, err);
    if (run->data != NULL && !mr_runread_is_complete(run->data)) {
        mr_runread_close(run->data);
        run->data = NULL;
    }
    m->result->n_there += run->data != NULL ? 1 : 0;
    mr_buf_fini(&path);
    return st;
}

static mr_status column_of(struct merge *m, const struct mr_figures_item *item, struct column **out,
                           struct mr_err *err)
{
    for (size_t i = 0; i < m->n_column; i++)
        if (strcmp(m->column[i].name, item->path) == 0) {
            *out = &m->column[i];
            return MR_OK;
        }
    MR_TRY(mr_grow(&m->column, &m->cap_column, m->n_column + 1, sizeof *m->column, err));
    struct column *column = *out = &m->column[m->n_column];
    *column = (struct column){item->path, item->unit, item->doc,
                              mr_arena_zero(&m->arena, m->n_run, sizeof(double), err)};
    if (column->value == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < m->n_run; i++)
        column->value[i] = (double)NAN;
    m->n_column++;
    return MR_OK;
}

static mr_status read_runs(struct merge *m, struct mr_err *err)
{
    for (size_t i = 0; i < m->n_run; i++) {
        MR_TRY(open_run(m, &m->run[i], err));
        for (size_t k = 0; k < m->run[i].figures.n_item; k++) {
            struct column *column;
            MR_TRY(column_of(m, &m->run[i].figures.item[k], &column, err));
            column->value[i] = m->run[i].figures.item[k].value;
        }
    }
    if (m->result->n_there == 0)
        return mr_err_set(err, MR_REF, (struct mr_place){m->folder, 0, 0},
                          "holds none of the %zu runs of its manifest", m->n_run);
    return MR_OK;
}

/* ---- HDF5 ---- */

static mr_status failed(const struct merge *m, struct mr_err *err, const char *what)
{
    (void)H5Eclear2(H5E_DEFAULT);
    return mr_err_set(err, MR_IO, (struct mr_place){m->path, 0, 0}, "%s cannot be written", what);
}

static bool put_text_attr(hid_t object, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    bool is_good = H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0;
    const hid_t attr =
        is_good ? H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT) : -1;
    is_good = attr >= 0 && H5Awrite(attr, type, (const void *)&text) >= 0;
    if (attr >= 0)
        (void)H5Aclose(attr);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    return is_good;
}

static bool track_order(hid_t list)
{
    return H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
           H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0;
}

/* Groups on the way are made too. */
static hid_t make_group(const struct merge *m, const char *path)
{
    hid_t at = H5Gopen2(m->file, "/", H5P_DEFAULT);
    const hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    (void)track_order(list);
    for (const char *p = path + 1; at >= 0 && *p != '\0';) {
        char name[256];
        const size_t n = strcspn(p, "/");
        (void)snprintf(name, sizeof name, "%.*s", (int)n, p);
        const hid_t next = H5Lexists(at, name, H5P_DEFAULT) > 0
                               ? H5Gopen2(at, name, H5P_DEFAULT)
                               : H5Gcreate2(at, name, H5P_DEFAULT, list, H5P_DEFAULT);
        (void)H5Gclose(at);
        at = next;
        p += n + (p[n] == '/');
    }
    (void)H5Pclose(list);
    return at;
}

static hid_t make_dataset(hid_t group, const char *name, hid_t type, int rank, const hsize_t *dim,
                          hid_t create)
{
    const hid_t space = H5Screate_simple(rank, dim, NULL);
    hid_t set = -1;
    if (space >= 0 &&
        H5Pset_attr_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0)
        set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    if (space >= 0)
        (void)H5Sclose(space);
    return set;
}

static bool describe(hid_t set, const char *units, const char *long_name)
{
    return put_text_attr(set, "units", units[0] != '\0' ? units : "1") &&
           put_text_attr(set, "long_name", long_name[0] != '\0' ? long_name : "As in the runs");
}

/* A column of doubles or texts. @return the open dataset, negative on failure */
static hid_t put_column(hid_t group, const char *name, const char *units, const char *long_name,
                        const double *value, const char *const *text, size_t n)
{
    const hsize_t dim[] = {n};
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t type = text != NULL ? H5Tcopy(H5T_C_S1) : H5Tcopy(H5T_NATIVE_DOUBLE);
    const double fill = (double)NAN;
    bool is_good =
        text != NULL ? H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0
                     : H5Pset_fill_value(create, H5T_NATIVE_DOUBLE, &fill) >= 0;
    hid_t set = is_good ? make_dataset(group, name, type, 1, dim, create) : -1;
    is_good = set >= 0 &&
              H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                       text != NULL ? (const void *)text : (const void *)value) >= 0 &&
              describe(set, units, long_name);
    if (set >= 0 && !is_good) {
        (void)H5Dclose(set);
        set = -1;
    }
    (void)H5Tclose(type);
    (void)H5Pclose(create);
    return set;
}

/* ---- columns ---- */

/* The axis of runs in a group. */
static hid_t put_run_axis(const struct merge *m, hid_t group)
{
    const char **id = mr_alloc(m->n_run, sizeof *id);
    hid_t axis = -1;
    for (size_t i = 0; id != NULL && i < m->n_run; i++)
        id[i] = m->run[i].id;
    if (id != NULL)
        axis =
            put_column(group, "run", "1", "Runs in the order of the manifest", NULL, id, m->n_run);
    mr_free(id);
    if (axis >= 0 && H5DSset_scale(axis, "run") < 0) {
        (void)H5Dclose(axis);
        return -1;
    }
    return axis;
}

/* "workload/rate" is a column "workload.rate": names of datasets hold no '/'. */
static bool put_factor(const struct merge *m, hid_t group, hid_t axis, size_t k)
{
    char name[200], long_name[240];
    double *value = mr_alloc(m->n_run, sizeof *value);
    const char **text = mr_alloc(m->n_run, sizeof *text);
    bool is_number = true, is_good = false;
    (void)snprintf(name, sizeof name, "%s", m->factor[k]);
    for (char *p = name; *p != '\0'; p++)
        if (*p == '/')
            *p = '.';
    (void)snprintf(long_name, sizeof long_name, "Factor %s", m->factor[k]);
    for (size_t i = 0; value != NULL && text != NULL && i < m->n_run; i++) {
        text[i] = m->run[i].value[k];
        is_number = is_number && mr_num_parse_f64(mr_str_of(text[i]), &value[i]) == MR_OK;
    }
    if (value != NULL && text != NULL && H5Lexists(group, name, H5P_DEFAULT) == 0) {
        const hid_t set = put_column(group, name, "1", long_name, is_number ? value : NULL,
                                     is_number ? NULL : text, m->n_run);
        is_good = set >= 0 && H5DSattach_scale(set, axis, 0) >= 0;
        if (set >= 0)
            (void)H5Dclose(set);
    }
    mr_free(value);
    mr_free(text);
    return is_good;
}

static mr_status put_columns(struct merge *m, struct mr_err *err)
{
    const hid_t group = make_group(m, "/kpi");
    const hid_t axis = group >= 0 ? put_run_axis(m, group) : -1;
    bool is_good = axis >= 0;
    for (size_t k = 0; k < m->n_factor && is_good; k++)
        is_good = put_factor(m, group, axis, k);
    for (size_t k = 0; k < m->n_column && is_good; k++) {
        const struct column *c = &m->column[k];
        if (H5Lexists(group, c->name, H5P_DEFAULT) != 0)
            continue; /* the seed, or a factor of that name: the manifest has it */
        const hid_t set = put_column(group, c->name, c->units, c->doc, c->value, NULL, m->n_run);
        is_good = set >= 0 && H5DSattach_scale(set, axis, 0) >= 0;
        if (set >= 0)
            (void)H5Dclose(set);
        m->result->n_figure++;
    }
    if (axis >= 0)
        (void)H5Dclose(axis);
    if (group >= 0)
        (void)H5Gclose(group);
    return is_good ? MR_OK : failed(m, err, "/kpi");
}

/* ---- series ---- */

static struct mr_runread *first_run(const struct merge *m)
{
    size_t i = 0;
    MR_ASSERT(m->run != NULL && m->result->n_there > 0);
    while (m->run[i].data == NULL)
        i++;
    return m->run[i].data;
}

static bool is_series(const struct mr_runread *run, const struct mr_runread_set *set)
{
    const struct mr_runread_set *time = mr_runread_find(run, set->axis[0]);
    return !set->is_text && !set->is_axis && (set->rank == 1 || set->rank == 2) && time != NULL &&
           strcmp(time->name, "time") == 0 && time->rank == 1 && mr_runread_rows(run, set) > 0 &&
           (set->rank == 1 || mr_runread_find(run, set->axis[1]) != NULL);
}

/* Same extent and the same times in every run that is there. */
static mr_status is_even(struct merge *m, const struct mr_runread_set *set, bool *out,
                         struct mr_err *err)
{
    const struct mr_runread *first = first_run(m);
    const struct mr_runread_set *time = mr_runread_find(first, set->axis[0]);
    double *t_s = NULL, *other_s = NULL;
    MR_ASSERT(time != NULL); /* is_series */
    *out = true;
    MR_TRY(mr_runread_all(first, time, &t_s, err));
    mr_status st = MR_OK;
    for (size_t i = 0; i < m->n_run && st == MR_OK && *out; i++) {
        const struct mr_runread *run = m->run[i].data;
        if (run == NULL || run == first)
            continue;
        const struct mr_runread_set *there = mr_runread_find(run, set->path),
                                    *times = mr_runread_find(run, time->path);
        *out = there != NULL && times != NULL && there->rank == set->rank &&
               memcmp(there->dim, set->dim, sizeof set->dim) == 0 && times->dim[0] == time->dim[0];
        if (*out)
            st = mr_runread_all(run, times, &other_s, err);
        *out = *out && st == MR_OK && memcmp(t_s, other_s, time->dim[0] * sizeof *t_s) == 0;
        if (!*out && st == MR_OK &&
            (m->result->uneven.n == 0 || strstr(m->result->uneven.text, set->group) == NULL))
            mr_buf_printf(&m->result->uneven, "%s%s (%s)", m->result->uneven.n > 0 ? ", " : "",
                          set->group, m->run[i].file);
        mr_free(other_s);
        other_s = NULL;
    }
    mr_free(t_s);
    return st;
}

/* Axes of a group, once: run, time, and the entities by name or number. */
static bool put_axis(hid_t group, struct mr_runread *run, const struct mr_runread_set *set,
                     struct mr_err *err)
{
    const char *const *text = NULL;
    double *value = NULL;
    if (H5Lexists(group, set->name, H5P_DEFAULT) != 0)
        return true;
    const mr_status st = set->is_text ? mr_runread_texts(run, set, &text, err)
                                      : mr_runread_all(run, set, &value, err);
    const hid_t axis = st == MR_OK ? put_column(group, set->name, set->units, set->long_name, value,
                                                text, set->dim[0])
                                   : -1;
    const bool is_good = axis >= 0 && H5DSset_scale(axis, set->name) >= 0;
    if (axis >= 0)
        (void)H5Dclose(axis);
    mr_free(value);
    return is_good;
}

/* Where a run is for the merged file: beside it, or by its absolute path. */
static bool source_path(const struct merge *m, const struct run *run, struct mr_buf *out)
{
    const char *slash = strrchr(m->path, '/');
    const size_t n = slash != NULL ? (size_t)(slash - m->path) : 0;
    struct mr_buf own = {0};
    struct stat a, b;
    mr_buf_printf(&own, "%.*s", slash != NULL ? (int)n : 1, slash != NULL ? m->path : ".");
    const bool is_beside = own.status == MR_OK && stat(own.text, &a) == 0 &&
                           stat(m->folder, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    mr_buf_fini(&own);
    mr_buf_clear(out);
    if (is_beside) {
        mr_buf_text(out, run->file);
    } else {
        char whole[PATH_MAX];
        if (realpath(m->folder, whole) != NULL)
            mr_buf_printf(out, "%s/%s", whole, run->file);
    }
    return out->status == MR_OK && out->n > 0;
}

static bool map_runs(const struct merge *m, const struct mr_runread_set *set, hid_t create,
                     int rank, const hsize_t *dim)
{
    struct mr_buf path = {0};
    bool is_good = true;
    for (size_t i = 0; i < m->n_run && is_good; i++) {
        hsize_t at[MR_RUNREAD_RANK] = {i, 0, 0}, n[MR_RUNREAD_RANK] = {1, dim[1], dim[2]};
        if (m->run[i].data == NULL)
            continue;
        const hid_t to = H5Screate_simple(rank, dim, NULL),
                    from = H5Screate_simple(rank - 1, dim + 1, NULL);
        is_good = to >= 0 && from >= 0 && source_path(m, &m->run[i], &path) &&
                  H5Sselect_hyperslab(to, H5S_SELECT_SET, at, NULL, n, NULL) >= 0 &&
                  H5Pset_virtual(create, to, path.text, set->path, from) >= 0;
        (void)H5Sclose(to);
        (void)H5Sclose(from);
    }
    mr_buf_fini(&path);
    return is_good;
}

static bool copy_runs(const struct merge *m, const struct mr_runread_set *set, hid_t dataset,
                      int rank, const hsize_t *dim, struct mr_err *err)
{
    bool is_good = true;
    for (size_t i = 0; i < m->n_run && is_good; i++) {
        const hsize_t at[MR_RUNREAD_RANK] = {i, 0, 0}, n[MR_RUNREAD_RANK] = {1, dim[1], dim[2]};
        double *value = NULL;
        if (m->run[i].data == NULL)
            continue;
        is_good = mr_runread_all(m->run[i].data, mr_runread_find(m->run[i].data, set->path), &value,
                                 err) == MR_OK;
        const hid_t to = H5Dget_space(dataset), from = H5Screate_simple(rank, n, NULL);
        is_good = is_good && to >= 0 && from >= 0 &&
                  H5Sselect_hyperslab(to, H5S_SELECT_SET, at, NULL, n, NULL) >= 0 &&
                  H5Dwrite(dataset, H5T_NATIVE_DOUBLE, from, to, H5P_DEFAULT, value) >= 0;
        (void)H5Sclose(to);
        (void)H5Sclose(from);
        mr_free(value);
    }
    return is_good;
}

static bool attach(hid_t group, hid_t set, const char *const *axis, int rank)
{
    bool is_good = true;
    for (int i = 0; i < rank && is_good; i++) {
        const hid_t scale = H5Dopen2(group, axis[i], H5P_DEFAULT);
        is_good = scale >= 0 && H5DSattach_scale(set, scale, (unsigned)i) >= 0;
        if (scale >= 0)
            (void)H5Dclose(scale);
    }
    return is_good;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static mr_status put_series(struct merge *m, const struct mr_runread_set *set, struct mr_err *err)
{
    struct mr_runread *const first = first_run(m);
    const int rank = (int)set->rank + 1;
    const hsize_t dim[MR_RUNREAD_RANK] = {m->n_run, set->dim[0], set->rank == 2 ? set->dim[1] : 1};
    const hsize_t chunk[MR_RUNREAD_RANK] = {1, dim[1] < 1024 ? dim[1] : 1024,
                                            dim[2] < 512 ? dim[2] : 512};
    const char *const axis[] = {"run", last_name(set->axis[0]), last_name(set->axis[1])};
    const float fill = (float)NAN;
    const hid_t group = make_group(m, set->group), create = H5Pcreate(H5P_DATASET_CREATE);
    bool is_good = group >= 0 && create >= 0;
    if (is_good && H5Lexists(group, "run", H5P_DEFAULT) == 0) {
        const hid_t run_axis = put_run_axis(m, group);
        is_good = run_axis >= 0 && H5Dclose(run_axis) >= 0;
    }
    for (size_t i = 0; i < set->rank && is_good; i++)
        is_good = put_axis(group, first, mr_runread_find(first, set->axis[i]), err);
    is_good =
        is_good && H5Pset_fill_value(create, H5T_NATIVE_FLOAT, &fill) >= 0 &&
        (m->options->is_copy ? H5Pset_chunk(create, rank, chunk) >= 0 &&
                                   H5Pset_shuffle(create) >= 0 && H5Pset_deflate(create, 4) >= 0
                             : map_runs(m, set, create, rank, dim));
    const hid_t dataset =
        is_good ? make_dataset(group, set->name, H5T_NATIVE_FLOAT, rank, dim, create) : -1;
    is_good = dataset >= 0 && describe(dataset, set->units, set->long_name) &&
              attach(group, dataset, axis, rank) &&
              (!m->options->is_copy || copy_runs(m, set, dataset, rank, dim, err));
    if (dataset >= 0)
        (void)H5Dclose(dataset);
    (void)H5Pclose(create);
    if (group >= 0)
        (void)H5Gclose(group);
    m->result->n_series++;
    return is_good ? MR_OK : err->status != MR_OK ? err->status : failed(m, err, set->path);
}

static mr_status put_all_series(struct merge *m, struct mr_err *err)
{
    const struct mr_runread *first = first_run(m);
    for (size_t i = 0; i < mr_runread_n(first); i++) {
        const struct mr_runread_set *set = mr_runread_at(first, i);
        bool is_good;
        if (!is_series(first, set))
            continue;
        MR_TRY(is_even(m, set, &is_good, err));
        if (is_good)
            MR_TRY(put_series(m, set, err));
    }
    return MR_OK;
}

/* ---- the file ---- */

static mr_status put_root(struct merge *m, struct mr_err *err)
{
    const hid_t root = H5Gopen2(m->file, "/", H5P_DEFAULT);
    const bool is_good =
        root >= 0 && put_text_attr(root, "Conventions", "CF-1.8") &&
        put_text_attr(root, "title", m->folder) && put_text_attr(root, "kind", "merge") &&
        put_text_attr(root, "status", "complete") &&
        put_text_attr(root, "exit_reason", m->result->missing.n > 0 ? "runs are missing" : "done");
    if (root >= 0)
        (void)H5Gclose(root);
    return is_good ? MR_OK : failed(m, err, "the root group");
}

static mr_status write_file(struct merge *m, const char *part, struct mr_err *err)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    if (access >= 0 && create >= 0 && track_order(create) &&
        H5Pset_file_locking(access, false, true) >= 0 && /* the part is locked by its owner */
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0)
        m->file = H5Fcreate(part, H5F_ACC_TRUNC, create, access);
    (void)H5Pclose(access);
    (void)H5Pclose(create);
    if (m->file < 0)
        return failed(m, err, "the file");
    mr_status st = put_root(m, err);
    if (st == MR_OK)
        st = put_columns(m, err);
    if (st == MR_OK)
        st = put_all_series(m, err);
    if (H5Fclose(m->file) < 0 && st == MR_OK)
        st = failed(m, err, "the file");
    return st;
}

static void forget(struct merge *m)
{
    for (size_t i = 0; i < m->n_run; i++) {
        mr_runread_close(m->run[i].data);
        mr_figures_fini(&m->run[i].figures);
    }
    mr_free(m->run);
    mr_free(m->column);
    mr_arena_fini(&m->arena);
}

mr_status mr_merge(const char *folder, const char *path, const struct mr_merge_options *options,
                   struct mr_merge_result *result, struct mr_err *err)
{
    struct merge m = {.folder = folder, .path = path, .options = options, .result = result};
    struct mr_file_out out;
    *result = (struct mr_merge_result){0};
    m.file = H5I_INVALID_HID;
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    mr_status st = read_manifest(&m, err);
    if (st == MR_OK)
        st = read_runs(&m, err);
    if (st == MR_OK)
        st = mr_file_out_open(&out, path, options->may_overwrite, err);
    if (st == MR_OK) {
        st = write_file(&m, out.part, err);
        if (st == MR_OK)
            st = mr_file_out_commit(&out, err);
        else
            mr_file_out_abort(&out);
    }
    result->n_run = m.n_run;
    result->n_factor = m.n_factor;
    forget(&m);
    return st;
}

void mr_merge_fini(struct mr_merge_result *result)
{
    mr_buf_fini(&result->missing);
    mr_buf_fini(&result->uneven);
}
