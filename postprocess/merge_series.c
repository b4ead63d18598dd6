/* SPDX-License-Identifier: Apache-2.0 */
/* Series of a merged file: run x time x entity. They are those of all runs; the first run that has
 * one says over which times and entities, and runs without it are NaN there. One run is open at a
 * time however many there are: what is known of a series is copied from it. Conventions are those
 * of run files: every axis a scale, creation order tracked. Map: HDF5 - which series - axes - by
 * reference - by copy. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "postprocess/merge_impl.h"

#include <hdf5.h>
#include <hdf5_hl.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- HDF5 ---- */

mr_status mr_merge_failed(const struct mr_merge *m, struct mr_err *err, const char *what)
{
    (void)H5Eclear2(H5E_DEFAULT);
    return mr_err_set(err, MR_IO, (struct mr_place){m->path, 0, 0}, "%s cannot be written", what);
}

bool mr_merge_put_text(hid_t object, const char *name, const char *text)
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

bool mr_merge_track_order(hid_t list)
{
    return H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
           H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0;
}

hid_t mr_merge_group(const struct mr_merge *m, const char *path)
{
    hid_t at = H5Gopen2(m->file, "/", H5P_DEFAULT);
    const hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    (void)mr_merge_track_order(list);
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
    return mr_merge_put_text(set, "units", units[0] != '\0' ? units : "1") &&
           mr_merge_put_text(set, "long_name", long_name[0] != '\0' ? long_name : "As in the runs");
}

hid_t mr_merge_put_column(hid_t group, const char *name, const char *units, const char *long_name,
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

hid_t mr_merge_put_run_axis(const struct mr_merge *m, hid_t group)
{
    const char **id = mr_alloc(m->n_run, sizeof *id);
    hid_t axis = -1;
    for (size_t i = 0; id != NULL && i < m->n_run; i++)
        id[i] = m->run[i].id;
    if (id != NULL)
        axis = mr_merge_put_column(group, "run", "1", "Runs in the order of the manifest", NULL, id,
                                   m->n_run);
    mr_free(id);
    if (axis >= 0 && H5DSset_scale(axis, "run") < 0) {
        (void)H5Dclose(axis);
        return -1;
    }
    return axis;
}

/* ---- which series ---- */

static bool is_series(const struct mr_runread *run, const struct mr_runread_set *set)
{
    const struct mr_runread_set *time = mr_runread_find(run, set->axis[0]);
    return !set->is_text && !set->is_axis && (set->rank == 1 || set->rank == 2) && time != NULL &&
           strcmp(time->name, "time") == 0 && time->rank == 1 && mr_runread_rows(run, set) > 0 &&
           (set->rank == 1 || mr_runread_find(run, set->axis[1]) != NULL);
}

/* What is said of a dataset, for longer than its run is open. Not its flags: series have none. */
static const struct mr_runread_set *copy_set(struct mr_merge *m, const struct mr_runread_set *set,
                                             struct mr_err *err)
{
    struct mr_runread_set *own = mr_arena_zero(&m->arena, 1, sizeof *own, err);
    if (own == NULL)
        return NULL;
    *own = *set;
    const char **const text[] = {&own->path,    &own->group,   &own->name,    &own->units,
                                 &own->dsx,     &own->formula, &own->better,  &own->asked,
                                 &own->axis[0], &own->axis[1], &own->axis[2], &own->long_name};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        *text[i] = mr_arena_text(&m->arena, mr_str_of(*text[i]), err);
        if (*text[i] == NULL)
            return NULL;
    }
    own->flag = own->flag_unit = NULL;
    own->n_flag = 0;
    return own;
}

static mr_status copy_axis(struct mr_merge *m, struct mr_runread *data,
                           const struct mr_runread_set *set, struct mr_merge_axis *out,
                           struct mr_err *err)
{
    const char *const *text = NULL;
    *out = (struct mr_merge_axis){.set = copy_set(m, set, err), .is_same = true};
    if (out->set == NULL)
        return MR_NOMEM;
    if (!set->is_text)
        return mr_runread_all(data, set, &out->value, err);
    MR_TRY(mr_runread_texts(data, set, &text, err));
    out->text = mr_arena_zero(&m->arena, set->dim[0] + 1, sizeof *out->text, err);
    for (size_t i = 0; out->text != NULL && i < set->dim[0]; i++) {
        out->text[i] = mr_arena_text(&m->arena, mr_str_of(text[i]), err);
        if (out->text[i] == NULL)
            return MR_NOMEM;
    }
    return out->text != NULL ? MR_OK : MR_NOMEM;
}

static mr_status find_axis(struct mr_merge *m, struct mr_runread *data, const char *path,
                           size_t *out, struct mr_err *err)
{
    for (*out = 0; *out < m->n_axis; ++*out)
        if (strcmp(m->axis[*out].set->path, path) == 0)
            return MR_OK;
    const struct mr_runread_set *set = mr_runread_find(data, path);
    MR_ASSERT(set != NULL); /* is_series */
    MR_TRY(mr_grow(&m->axis, &m->cap_axis, m->n_axis + 1, sizeof *m->axis, err));
    return copy_axis(m, data, set, &m->axis[m->n_axis++], err);
}

/* An axis that a run has not: no series of the run is over it. */
static mr_status match_axis(struct mr_merge_axis *axis, struct mr_runread *data, struct mr_err *err)
{
    const struct mr_runread_set *own = mr_runread_find(data, axis->set->path);
    const char *const *text = NULL;
    double *value = NULL;
    const size_t n = axis->set->dim[0];
    axis->is_same =
        own != NULL && own->rank == 1 && own->dim[0] == n && own->is_text == (axis->text != NULL);
    if (!axis->is_same)
        return MR_OK;
    if (axis->text == NULL) {
        MR_TRY(mr_runread_all(data, own, &value, err));
        axis->is_same = memcmp(value, axis->value, n * sizeof *value) == 0;
        mr_free(value);
        return MR_OK;
    }
    MR_TRY(mr_runread_texts(data, own, &text, err));
    for (size_t i = 0; i < n && axis->is_same; i++)
        axis->is_same = strcmp(text[i], axis->text[i]) == 0;
    return MR_OK;
}

/* The series of that name, added when there is none. They stand in the same order in most runs: the
 * search begins behind the last one found. */
static mr_status find_series(struct mr_merge *m, struct mr_runread *data,
                             const struct mr_runread_set *set, size_t *at, struct mr_err *err)
{
    for (size_t i = 0; i < m->n_series; i++, *at = *at + 1 < m->n_series ? *at + 1 : 0)
        if (*at < m->n_series && strcmp(m->series[*at].set->path, set->path) == 0)
            return MR_OK;
    struct mr_merge_series series = {
        .set = copy_set(m, set, err), .is_even = true, .dataset = H5I_INVALID_HID};
    if (series.set == NULL)
        return MR_NOMEM;
    for (size_t k = 0; k < set->rank; k++)
        MR_TRY(find_axis(m, data, set->axis[k], &series.i_axis[k], err));
    MR_TRY(mr_grow(&m->series, &m->cap_series, m->n_series + 1, sizeof series, err));
    *at = m->n_series;
    m->series[m->n_series++] = series;
    return MR_OK;
}

/* Over the same times and entities, in the same order. */
static bool is_even(const struct mr_merge *m, const struct mr_merge_series *series,
                    const struct mr_runread_set *there)
{
    const struct mr_runread_set *set = series->set;
    bool is = there->rank == set->rank && memcmp(there->dim, set->dim, sizeof set->dim) == 0;
    for (size_t k = 0; k < set->rank && is; k++)
        is = strcmp(there->axis[k], set->axis[k]) == 0 && m->axis[series->i_axis[k]].is_same;
    return is;
}

mr_status mr_merge_take_series(struct mr_merge *m, const struct mr_merge_run *run,
                               struct mr_runread *data, struct mr_err *err)
{
    struct mr_buf *uneven = &m->result->uneven, *files = &m->result->uneven_files;
    bool is_uneven = false;
    size_t at = 0;
    for (size_t i = 0; i < m->n_axis; i++)
        MR_TRY(match_axis(&m->axis[i], data, err));
    for (size_t i = 0; i < mr_runread_n(data); i++) {
        const struct mr_runread_set *set = mr_runread_at(data, i);
        if (!is_series(data, set))
            continue;
        MR_TRY(find_series(m, data, set, &at, err));
        m->series[at].n_run++;
        if (is_even(m, &m->series[at], set))
            continue;
        is_uneven = true;
        m->series[at].is_even = false;
        if (uneven->n == 0 || strstr(uneven->text, set->group) == NULL)
            mr_buf_printf(uneven, "%s%s", uneven->n > 0 ? ", " : "", set->group);
    }
    if (is_uneven && m->result->n_uneven++ < MR_MERGE_NAMED)
        mr_buf_printf(files, "%s%s", files->n > 0 ? ", " : "", run->file);
    return MR_OK;
}

/* ---- axes ---- */

/* Axes of a group, once: run, time, and the entities by name or number. */
static bool put_axis(hid_t group, const struct mr_merge_axis *axis)
{
    const struct mr_runread_set *set = axis->set;
    if (H5Lexists(group, set->name, H5P_DEFAULT) != 0)
        return true;
    const hid_t to = mr_merge_put_column(group, set->name, set->units, set->long_name, axis->value,
                                         axis->text, set->dim[0]);
    const bool is_good = to >= 0 && H5DSset_scale(to, set->name) >= 0;
    if (to >= 0)
        (void)H5Dclose(to);
    return is_good;
}

/* ---- by reference ---- */

/* Where a run is for the merged file: beside it, or by its absolute path. */
static bool source_path(const struct mr_merge *m, const struct mr_merge_run *run,
                        struct mr_buf *out)
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

/* Of a run without the series there is nothing to read: HDF5 gives the fill value, NaN. */
static bool map_runs(const struct mr_merge *m, const struct mr_runread_set *set, hid_t create,
                     int rank, const hsize_t *dim)
{
    struct mr_buf path = {0};
    bool is_good = true;
    for (size_t i = 0; i < m->n_run && is_good; i++) {
        hsize_t at[MR_RUNREAD_RANK] = {i, 0, 0}, n[MR_RUNREAD_RANK] = {1, dim[1], dim[2]};
        if (!m->run[i].is_there)
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

/* The shape of a series in the merged file. */
static int shape(const struct mr_merge *m, const struct mr_runread_set *set,
                 hsize_t dim[MR_RUNREAD_RANK])
{
    dim[0] = m->n_run;
    dim[1] = set->dim[0];
    dim[2] = set->rank == 2 ? set->dim[1] : 1;
    return (int)set->rank + 1;
}

/* The axes of its group, and the dataset itself, left open. */
static mr_status make_series(struct mr_merge *m, struct mr_merge_series *series, struct mr_err *err)
{
    const struct mr_runread_set *set = series->set;
    hsize_t dim[MR_RUNREAD_RANK];
    const int rank = shape(m, set, dim);
    const hsize_t chunk[MR_RUNREAD_RANK] = {1, dim[1] < 1024 ? dim[1] : 1024,
                                            dim[2] < 512 ? dim[2] : 512};
    const char *const axis[] = {"run", last_name(set->axis[0]), last_name(set->axis[1])};
    const float fill = (float)NAN;
    const hid_t group = mr_merge_group(m, set->group), create = H5Pcreate(H5P_DATASET_CREATE);
    bool is_good = group >= 0 && create >= 0;
    if (is_good && H5Lexists(group, "run", H5P_DEFAULT) == 0) {
        const hid_t run_axis = mr_merge_put_run_axis(m, group);
        is_good = run_axis >= 0 && H5Dclose(run_axis) >= 0;
    }
    for (size_t i = 0; i < set->rank && is_good; i++)
        is_good = put_axis(group, &m->axis[series->i_axis[i]]);
    is_good =
        is_good && H5Pset_fill_value(create, H5T_NATIVE_FLOAT, &fill) >= 0 &&
        (m->options->is_copy ? H5Pset_chunk(create, rank, chunk) >= 0 &&
                                   H5Pset_shuffle(create) >= 0 && H5Pset_deflate(create, 4) >= 0
                             : map_runs(m, set, create, rank, dim));
    if (is_good)
        series->dataset = make_dataset(group, set->name, H5T_NATIVE_FLOAT, rank, dim, create);
    is_good = is_good && series->dataset >= 0 &&
              describe(series->dataset, set->units, set->long_name) &&
              attach(group, series->dataset, axis, rank);
    (void)H5Pclose(create);
    if (group >= 0)
        (void)H5Gclose(group);
    return is_good ? MR_OK : mr_merge_failed(m, err, set->path);
}

/* ---- by copy ---- */

static mr_status copy_series(const struct mr_merge *m, const struct mr_merge_series *series,
                             size_t i_run, const struct mr_runread *data, struct mr_err *err)
{
    hsize_t dim[MR_RUNREAD_RANK];
    const int rank = shape(m, series->set, dim);
    const hsize_t at[MR_RUNREAD_RANK] = {i_run, 0, 0}, n[MR_RUNREAD_RANK] = {1, dim[1], dim[2]};
    const struct mr_runread_set *set = mr_runread_find(data, series->set->path);
    double *value = NULL;
    if (set == NULL)
        return MR_OK; /* NaN */
    MR_TRY(mr_runread_all(data, set, &value, err));
    const hid_t to = H5Dget_space(series->dataset), from = H5Screate_simple(rank, n, NULL);
    const bool is_good =
        to >= 0 && from >= 0 && H5Sselect_hyperslab(to, H5S_SELECT_SET, at, NULL, n, NULL) >= 0 &&
        H5Dwrite(series->dataset, H5T_NATIVE_DOUBLE, from, to, H5P_DEFAULT, value) >= 0;
    if (to >= 0)
        (void)H5Sclose(to);
    if (from >= 0)
        (void)H5Sclose(from);
    mr_free(value);
    return is_good ? MR_OK : mr_merge_failed(m, err, series->set->path);
}

static mr_status copy_run(const struct mr_merge *m, size_t i_run, struct mr_err *err)
{
    struct mr_buf path = {0};
    struct mr_runread *data = NULL;
    mr_buf_printf(&path, "%s/%s", m->folder, m->run[i_run].file);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK)
        st = mr_runread_open(path.text, NULL, &data, err);
    for (size_t k = 0; k < m->n_series && st == MR_OK; k++)
        if (m->series[k].is_even)
            st = copy_series(m, &m->series[k], i_run, data, err);
    mr_runread_close(data);
    mr_buf_fini(&path);
    return st;
}

mr_status mr_merge_put_series(struct mr_merge *m, struct mr_err *err)
{
    mr_status st = MR_OK;
    for (size_t i = 0; i < m->n_series && st == MR_OK; i++) {
        if (!m->series[i].is_even)
            continue;
        st = make_series(m, &m->series[i], err);
        m->result->n_series++;
        if (m->series[i].n_run < m->result->n_there)
            m->result->n_partial++;
    }
    for (size_t i = 0; i < m->n_run && st == MR_OK && m->options->is_copy && m->n_series > 0; i++)
        if (m->run[i].is_there)
            st = copy_run(m, i, err);
    for (size_t i = 0; i < m->n_series; i++) {
        if (m->series[i].dataset >= 0 && H5Dclose(m->series[i].dataset) < 0 && st == MR_OK)
            st = mr_merge_failed(m, err, m->series[i].set->path);
        m->series[i].dataset = H5I_INVALID_HID;
    }
    return st;
}

void mr_merge_forget_series(struct mr_merge *m)
{
    for (size_t i = 0; i < m->n_axis; i++)
        mr_free(m->axis[i].value);
    mr_free(m->axis);
    mr_free(m->series);
}
