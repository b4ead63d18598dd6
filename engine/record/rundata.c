/* SPDX-License-Identifier: Apache-2.0 */
/* A file that a writer holds is locked, and told so; a live one (SWMR) is read as far as it is. A
 * part may have been cut off between two datasets: rows that not all have are left out.
 * Map: axes - a dataset - files - tables - texts. */
#include "engine/record/rundata.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/record/hdf5_impl.h"
#include "engine/record/runfile.h"

#include <hdf5.h>
#include <hdf5_hl.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What is open while one dataset is read. */
struct reading {
    const char *path, *dataset;
    hid_t file, set, axis[2];
    struct mr_rundata *out;
};

static mr_status wrong(const struct reading *r, struct mr_err *err, mr_status st, const char *what)
{
    return mr_err_set(err, st, (struct mr_place){r->path, 0, 0}, "dataset %s: %s", r->dataset,
                      what);
}

/* ---- axes ---- */

static herr_t take_scale(hid_t set, unsigned dim, hid_t scale, void *context)
{
    hid_t *axis = context;
    (void)set, (void)dim;
    *axis = H5Dopen2(scale, ".", H5P_DEFAULT);
    return 1; /* the first is enough */
}

static size_t length_of(hid_t set)
{
    const hid_t space = H5Dget_space(set);
    const hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints(space) : 0;
    if (space >= 0)
        (void)H5Sclose(space);
    return n > 0 ? (size_t)n : 0;
}

static H5T_class_t class_of(hid_t set)
{
    const hid_t type = H5Dget_type(set);
    const H5T_class_t class = H5Tget_class(type);
    if (type >= 0)
        (void)H5Tclose(type);
    return class;
}

static mr_status find_axes(struct reading *r, struct mr_err *err)
{
    for (unsigned i = 0; i < 2; i++)
        if (H5DSiterate_scales(r->set, i, NULL, take_scale, &r->axis[i]) < 0 || r->axis[i] < 0)
            return wrong(r, err, MR_SCHEMA,
                         i == 0 ? "its rows have no axis of times" : "its entities have no axis");
    if (class_of(r->axis[0]) != H5T_FLOAT)
        return wrong(r, err, MR_SCHEMA, "the axis of its rows holds no times");
    return class_of(r->axis[1]) == H5T_STRING
               ? MR_OK
               : wrong(r, err, MR_SCHEMA, "its entities have no names");
}

static mr_status copy_names(struct reading *r, char **text, size_t n, struct mr_err *err)
{
    MR_ASSERT(text != NULL || n == 0);
    r->out->name = mr_alloc_zero(n + 1, sizeof *r->out->name);
    if (r->out->name == NULL)
        return mr_err_nomem(err, n * sizeof *r->out->name);
    for (size_t i = 0; i < n; i++) {
        const char *name = text[i] != NULL ? text[i] : "";
        r->out->name[i] = mr_alloc_text(name, strlen(name));
        if (r->out->name[i] == NULL)
            return mr_err_nomem(err, strlen(name));
        r->out->n_entity++;
    }
    return MR_OK;
}

static mr_status read_names(struct reading *r, size_t n, struct mr_err *err)
{
    const hid_t own = H5Dget_type(r->axis[1]), type = H5Tcopy(H5T_C_S1);
    char **text = mr_alloc_zero(n + 1, sizeof *text);
    mr_status st = MR_OK;
    if (text == NULL)
        st = mr_err_nomem(err, n * sizeof *text);
    else if (length_of(r->axis[1]) != n || H5Tis_variable_str(own) <= 0)
        st = wrong(r, err, MR_SCHEMA, "its entities and their names differ in number or kind");
    else if (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5Tget_cset(own)) < 0 ||
             H5Dread(r->axis[1], type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0)
        st = mr_hdf5_error(err, r->path, "names of the entities of %s", r->dataset);
    if (st == MR_OK)
        st = copy_names(r, text, n, err);
    for (size_t i = 0; text != NULL && i < n; i++)
        if (text[i] != NULL)
            (void)H5free_memory(text[i]);
    mr_free(text);
    (void)H5Tclose(own);
    (void)H5Tclose(type);
    return st;
}

/* ---- a dataset ---- */

/* @return HDF5's to free; NULL: there is none, or it is no text */
static char *attr_text(hid_t set, const char *name)
{
    char *text = NULL;
    const hid_t attr = H5Aexists(set, name) > 0 ? H5Aopen(set, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (attr < 0)
        return NULL;
    const hid_t type = H5Aget_type(attr);
    if (H5Tis_variable_str(type) <= 0 || H5Aread(attr, type, (void *)&text) < 0)
        text = NULL;
    (void)H5Tclose(type);
    (void)H5Aclose(attr);
    return text;
}

static void read_units(struct reading *r)
{
    char *text = attr_text(r->set, "units");
    if (text == NULL)
        return;
    (void)snprintf(r->out->units, sizeof r->out->units, "%s", text);
    (void)H5free_memory(text);
}

/* The first n_row rows of a dataset as doubles. */
static bool read_rows(hid_t set, int rank, size_t n_row, size_t n_column, double *value)
{
    const hsize_t at[2] = {0, 0}, n[2] = {n_row, n_column};
    const hid_t space = H5Dget_space(set), memory = H5Screate_simple(rank, n, NULL);
    const bool is_good = space >= 0 && memory >= 0 &&
                         H5Sselect_hyperslab(space, H5S_SELECT_SET, at, NULL, n, NULL) >= 0 &&
                         H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, value) >= 0;
    if (space >= 0)
        (void)H5Sclose(space);
    if (memory >= 0)
        (void)H5Sclose(memory);
    return is_good;
}

static mr_status check_times(const struct reading *r, struct mr_err *err)
{
    const double *t_s = r->out->time_s;
    for (size_t i = 0; i < r->out->n_time; i++)
        if (!isfinite(t_s[i]) || (i > 0 && !(t_s[i] > t_s[i - 1])))
            return mr_err_set(err, MR_RANGE, (struct mr_place){r->path, 0, 0},
                              "dataset %s: time %g of row %zu does not follow %g", r->dataset,
                              t_s[i], i, i > 0 ? t_s[i - 1] : (double)-INFINITY);
    return MR_OK;
}

static mr_status read_dataset(struct reading *r, struct mr_err *err)
{
    hsize_t dim[2] = {0, 0};
    const hid_t space = H5Dget_space(r->set);
    const bool is_plane =
        H5Sget_simple_extent_ndims(space) == 2 && H5Sget_simple_extent_dims(space, dim, NULL) == 2;
    (void)H5Sclose(space);
    if (!is_plane || class_of(r->set) != H5T_FLOAT)
        return wrong(r, err, MR_SCHEMA, "no floats over time and entity");
    MR_TRY(find_axes(r, err));
    struct mr_rundata *out = r->out;
    const size_t n_time = length_of(r->axis[0]), n_entity = (size_t)dim[1];
    out->n_time = n_time < dim[0] ? n_time : (size_t)dim[0];
    if (out->n_time == 0 || n_entity == 0)
        return wrong(r, err, MR_SCHEMA, "it has no row");
    if (n_entity > SIZE_MAX / sizeof(double) / out->n_time)
        return wrong(r, err, MR_LIMIT, "it is larger than memory can be");
    out->time_s = mr_alloc_zero(out->n_time, sizeof *out->time_s);
    out->value = mr_alloc(out->n_time * n_entity, sizeof *out->value);
    if (out->time_s == NULL || out->value == NULL)
        return mr_err_nomem(err, out->n_time * n_entity * sizeof *out->value);
    if (!read_rows(r->axis[0], 1, out->n_time, 1, out->time_s) ||
        !read_rows(r->set, 2, out->n_time, n_entity, out->value))
        return mr_hdf5_error(err, r->path, "values of %s", r->dataset);
    read_units(r);
    MR_TRY(read_names(r, n_entity, err));
    return check_times(r, err);
}

/* ---- files ---- */

bool mr_rundata_is(const char *path)
{
    static const char magic[] = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
    char head[sizeof magic] = {0};
    struct stat info;
    FILE *file = stat(path, &info) == 0 && S_ISREG(info.st_mode) ? fopen(path, "rb") : NULL;
    if (file == NULL)
        return false;
    const size_t n = fread(head, 1, sizeof head, file);
    (void)fclose(file);
    return n == sizeof head && memcmp(head, magic, sizeof head) == 0;
}

/* A part that was live when its writer died opens as live only. There HDF5 reads what does not fit
 * together again and again, since a writer may be at it; a few times will do. */
static mr_status open_file(const char *path, hid_t *file, struct mr_err *err)
{
    enum {
        n_attempt = 3
    };
    struct mr_err reason = {0};
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0)
        return mr_hdf5_error(err, path, "cannot be read");
    *file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (*file < 0) {
        (void)mr_hdf5_error(&reason, path, "cannot be read as a run file");
        if (H5Pset_metadata_read_attempts(access, n_attempt) >= 0)
            *file = H5Fopen(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access);
    }
    (void)H5Pclose(access);
    if (*file >= 0)
        return MR_OK;
    *err = reason;
    if (mr_rundata_is(path)) /* it begins as HDF5 does, and is none: cut off, overwritten */
        err->status = MR_PARSE;
    return err->status;
}

mr_status mr_rundata_read(const char *path, const char *dataset, struct mr_rundata *out,
                          struct mr_err *err)
{
    struct reading r = {.path = path,
                        .dataset = dataset,
                        .set = H5I_INVALID_HID,
                        .axis = {H5I_INVALID_HID, H5I_INVALID_HID},
                        .out = out};
    *out = (struct mr_rundata){0};
    mr_hdf5_silence();
    MR_TRY(open_file(path, &r.file, err));
    r.set = H5Dopen2(r.file, dataset, H5P_DEFAULT);
    const mr_status st =
        r.set >= 0 ? read_dataset(&r, err) : wrong(&r, err, MR_REF, "there is none in this file");
    (void)H5Fclose(r.file); /* strong: with all that is open in it */
    return st;
}

/* ---- tables ---- */

/* The axis comes out shorter when a later column does. */
static mr_status read_column(struct reading *r, double **value, size_t *n_row, struct mr_err *err)
{
    const H5T_class_t class = class_of(r->set);
    const hid_t space = H5Dget_space(r->set);
    const int rank = H5Sget_simple_extent_ndims(space);
    (void)H5Sclose(space);
    const size_t n = length_of(r->set);
    if (rank != 1 || (class != H5T_FLOAT && class != H5T_INTEGER))
        return wrong(r, err, MR_SCHEMA, "no column of numbers");
    *value = mr_alloc_zero(n + 1, sizeof **value);
    if (*value == NULL)
        return mr_err_nomem(err, n * sizeof **value);
    if (n > 0 && !read_rows(r->set, 1, n, 1, *value))
        return mr_hdf5_error(err, r->path, "values of %s", r->dataset);
    *n_row = n < *n_row ? n : *n_row;
    return MR_OK;
}

mr_status mr_rundata_columns(const char *path, const char *group, struct mr_rundata_column *column,
                             size_t n_column, size_t *n_row, struct mr_err *err)
{
    struct reading r = {.path = path};
    for (size_t i = 0; i < n_column; i++)
        column[i].value = NULL;
    *n_row = SIZE_MAX;
    mr_hdf5_silence();
    MR_TRY(open_file(path, &r.file, err));
    mr_status st = MR_OK;
    for (size_t i = 0; i < n_column && st == MR_OK; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s/%s", group, column[i].name);
        r.dataset = name;
        r.set = H5Dopen2(r.file, name, H5P_DEFAULT);
        st = r.set >= 0 ? read_column(&r, &column[i].value, n_row, err)
                        : wrong(&r, err, MR_REF, "there is none in this file");
        if (r.set >= 0)
            (void)H5Dclose(r.set);
    }
    (void)H5Fclose(r.file);
    return st;
}

void mr_rundata_columns_fini(struct mr_rundata_column *column, size_t n_column)
{
    for (size_t i = 0; i < n_column; i++) {
        mr_free(column[i].value);
        column[i].value = NULL;
    }
}

bool mr_rundata_has(const char *path, const char *object)
{
    hid_t file = H5I_INVALID_HID;
    struct mr_err err = {0};
    mr_hdf5_silence();
    if (open_file(path, &file, &err) != MR_OK)
        return false;
    const bool is_there = H5Lexists(file, object, H5P_DEFAULT) > 0;
    (void)H5Fclose(file);
    return is_there;
}

/* ---- texts ---- */

mr_status mr_rundata_check(const char *path, struct mr_err *err)
{
    const struct mr_place at = {path, 0, 0};
    hid_t file = -1;
    uint64_t schema = 0;
    mr_hdf5_silence();
    MR_TRY(open_file(path, &file, err));
    const hid_t attr = H5Aopen(file, "schema", H5P_DEFAULT);
    const bool is_known = attr >= 0 && H5Aread(attr, H5T_NATIVE_UINT64, &schema) >= 0;
    if (attr >= 0)
        (void)H5Aclose(attr);
    (void)H5Fclose(file);
    if (!is_known)
        return mr_err_set(err, MR_SCHEMA, at,
                          "is no result file of millrace: its root has no attribute \"schema\" "
                          "that is a number");
    return schema == MR_RUNFILE_SCHEMA
               ? MR_OK
               : mr_err_set(err, MR_SCHEMA, at, "is of schema %llu: this version reads schema %d",
                            (unsigned long long)schema, MR_RUNFILE_SCHEMA);
}

mr_status mr_rundata_attr(const char *path, const char *dataset, const char *attr,
                          struct mr_buf *out, struct mr_err *err)
{
    struct reading r = {.path = path, .dataset = dataset};
    mr_hdf5_silence();
    MR_TRY(open_file(path, &r.file, err));
    r.set = H5Dopen2(r.file, dataset, H5P_DEFAULT);
    char *text = r.set >= 0 ? attr_text(r.set, attr) : NULL;
    const mr_status st =
        text != NULL
            ? MR_OK
            : mr_err_set(err, r.set >= 0 ? MR_SCHEMA : MR_REF, (struct mr_place){path, 0, 0},
                         "dataset %s: no attribute %s that is a text", dataset, attr);
    if (text != NULL) {
        mr_buf_text(out, text);
        (void)H5free_memory(text);
    }
    (void)H5Fclose(r.file);
    return st == MR_OK ? mr_buf_check(out, err) : st;
}

static mr_status read_text(const struct reading *r, struct mr_buf *out, struct mr_err *err)
{
    char *text = NULL;
    const hid_t own = H5Dget_type(r->set), type = H5Tcopy(H5T_C_S1);
    mr_status st = MR_OK;
    if (class_of(r->set) != H5T_STRING || H5Tis_variable_str(own) <= 0 || length_of(r->set) != 1)
        st = wrong(r, err, MR_SCHEMA, "not a text");
    else if (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5Tget_cset(own)) < 0 ||
             H5Dread(r->set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, (void *)&text) < 0)
        st = mr_hdf5_error(err, r->path, "text of %s", r->dataset);
    if (text != NULL) {
        mr_buf_text(out, text);
        (void)H5free_memory(text);
    }
    (void)H5Tclose(own);
    (void)H5Tclose(type);
    return st == MR_OK ? mr_buf_check(out, err) : st;
}

mr_status mr_rundata_text(const char *path, const char *dataset, struct mr_buf *out,
                          struct mr_err *err)
{
    struct reading r = {.path = path, .dataset = dataset};
    mr_hdf5_silence();
    MR_TRY(open_file(path, &r.file, err));
    r.set = H5Dopen2(r.file, dataset, H5P_DEFAULT);
    const mr_status st =
        r.set >= 0 ? read_text(&r, out, err) : wrong(&r, err, MR_REF, "there is none in this file");
    (void)H5Fclose(r.file);
    return st;
}

void mr_rundata_fini(struct mr_rundata *data)
{
    for (size_t i = 0; data->name != NULL && i < data->n_entity; i++)
        mr_free(data->name[i]);
    mr_free(data->name);
    mr_free(data->time_s);
    mr_free(data->value);
    *data = (struct mr_rundata){0};
}
