/* SPDX-License-Identifier: Apache-2.0 */
/* Axes of datasets. What H5DSattach_scale leaves behind is written here, for all datasets of a
 * group at once: DIMENSION_LIST of each dataset, a list of scales for every axis, and
 * REFERENCE_LIST of each scale, one entry for every dataset that has it. HDF5 would read, delete
 * and write the second anew for each dataset and axis, which was a quarter of what a short run's
 * file cost. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/record/hdf5_impl.h"

#include <hdf5.h>
#include <hdf5_hl.h>

#include <stddef.h>

/* Of REFERENCE_LIST, as H5DS has it. */
struct use {
    hobj_ref_t dataset;
    int axis;
};

mr_status mr_hdf5_scale(struct mr_hdf5_file file, mr_hid dataset, const char *label,
                        struct mr_err *err)
{
    return H5DSset_scale(dataset, label) >= 0
               ? MR_OK
               : mr_hdf5_error(err, file.path, "axis \"%s\" cannot be made a scale", label);
}

static void close_all(hid_t attr, hid_t space, hid_t type)
{
    if (attr >= 0)
        (void)H5Aclose(attr);
    if (space >= 0)
        (void)H5Sclose(space);
    if (type >= 0)
        (void)H5Tclose(type);
}

static bool put_list(hid_t object, const char *name, hid_t type, size_t n, const void *value)
{
    const hsize_t dim = n;
    const hid_t space = H5Screate_simple(1, &dim, NULL);
    hid_t attr = -1;
    if (space >= 0)
        attr = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool is_good = attr >= 0 && H5Awrite(attr, type, value) >= 0;
    close_all(attr, space, -1);
    return is_good;
}

static bool refer(hid_t object, hobj_ref_t *to)
{
    return H5Rcreate(to, object, ".", H5R_OBJECT, -1) >= 0;
}

/* ---- of a dataset ---- */

static bool put_scales(const mr_hid *dataset, size_t n, hobj_ref_t *scale, size_t n_axis)
{
    hvl_t list[mr_hdf5_rank_max];
    const hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
    bool is_good = type >= 0;
    for (size_t i = 0; i < n_axis; i++)
        list[i] = (hvl_t){1, &scale[i]};
    for (size_t i = 0; i < n && is_good; i++)
        is_good = put_list(dataset[i], "DIMENSION_LIST", type, n_axis, list);
    close_all(-1, -1, type);
    return is_good;
}

/* ---- of a scale ---- */

static hid_t use_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct use));
    if (type >= 0 &&
        H5Tinsert(type, "dataset", offsetof(struct use, dataset), H5T_STD_REF_OBJ) >= 0 &&
        H5Tinsert(type, "dimension", offsetof(struct use, axis), H5T_NATIVE_INT) >= 0)
        return type;
    close_all(-1, -1, type);
    return -1;
}

/* Those there are, in memory of their own with room for n_more behind them. */
static mr_status read_uses(hid_t scale, hid_t type, size_t n_more, struct use **use, size_t *n,
                           struct mr_err *err)
{
    const bool is_there = H5Aexists(scale, "REFERENCE_LIST") > 0;
    const hid_t attr = is_there ? H5Aopen(scale, "REFERENCE_LIST", H5P_DEFAULT) : -1;
    const hid_t space = attr >= 0 ? H5Aget_space(attr) : -1;
    const hssize_t n_old = space >= 0 ? H5Sget_simple_extent_npoints(space) : 0;
    *n = n_old > 0 ? (size_t)n_old : 0;
    *use = mr_alloc_zero(*n + n_more, sizeof **use); /* there is padding, which is written */
    mr_status st = *use != NULL ? MR_OK : mr_err_nomem(err, (*n + n_more) * sizeof **use);
    if (st == MR_OK && is_there && (space < 0 || n_old < 0 || H5Aread(attr, type, *use) < 0))
        st = MR_IO;
    close_all(attr, space, -1);
    if (st == MR_OK && is_there && H5Adelete(scale, "REFERENCE_LIST") < 0)
        st = MR_IO;
    return st;
}

static mr_status add_uses(struct mr_hdf5_file file, hid_t scale, const hobj_ref_t *dataset,
                          size_t n, int axis, struct mr_err *err)
{
    const hid_t type = use_type();
    struct use *use = NULL;
    size_t n_old = 0;
    mr_status st = type >= 0 ? read_uses(scale, type, n, &use, &n_old, err) : MR_IO;
    for (size_t i = 0; i < n && st == MR_OK; i++) {
        use[n_old + i].dataset = dataset[i];
        use[n_old + i].axis = axis;
    }
    if (st == MR_OK && !put_list(scale, "REFERENCE_LIST", type, n_old + n, use))
        st = MR_IO;
    if (st == MR_IO)
        st = mr_hdf5_error(err, file.path, "a scale cannot be attached to axis %d", axis);
    mr_free(use);
    close_all(-1, -1, type);
    return st;
}

mr_status mr_hdf5_attach(struct mr_hdf5_file file, const mr_hid *dataset, size_t n,
                         const mr_hid *scale, size_t n_axis, struct mr_err *err)
{
    hobj_ref_t to_scale[mr_hdf5_rank_max];
    MR_ASSERT(n_axis > 0 && n_axis <= mr_hdf5_rank_max);
    if (n == 0)
        return MR_OK;
    hobj_ref_t *to = mr_alloc(n, sizeof *to);
    if (to == NULL)
        return mr_err_nomem(err, n * sizeof *to);
    bool is_good = true;
    for (size_t i = 0; i < n_axis; i++)
        is_good = is_good && refer(scale[i], &to_scale[i]);
    for (size_t i = 0; i < n; i++)
        is_good = is_good && refer(dataset[i], &to[i]);
    is_good = is_good && put_scales(dataset, n, to_scale, n_axis);
    mr_status st =
        is_good ? MR_OK : mr_hdf5_error(err, file.path, "datasets cannot be given their axes");
    for (size_t i = 0; i < n_axis && st == MR_OK; i++)
        st = add_uses(file, scale[i], to, n, (int)i, err);
    mr_free(to);
    return st;
}

/* ---- by name ---- */

/* Length of the first axis of a dataset, or -1. */
static hssize_t length_of(hid_t dataset)
{
    const hid_t space = H5Dget_space(dataset);
    const hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    if (space >= 0)
        (void)H5Sclose(space);
    return n;
}

static mr_status find(struct mr_hdf5_file file, hid_t group, const char *name, uint64_t n,
                      mr_hid *scale, struct mr_err *err)
{
    *scale = H5Lexists(group, name, H5P_DEFAULT) > 0 ? H5Dopen2(group, name, H5P_DEFAULT) : -1;
    if (*scale < 0)
        return mr_err_set(err, MR_REF, (struct mr_place){file.path, 0, 0},
                          "there is no axis \"%s\" in the group", name);
    const hssize_t length = length_of(*scale);
    return length == (hssize_t)n ? MR_OK
                                 : mr_err_set(err, MR_REF, (struct mr_place){file.path, 0, 0},
                                              "axis \"%s\" is %lld long, not %llu", name,
                                              (long long)length, (unsigned long long)n);
}

mr_status mr_hdf5_attach_named(struct mr_hdf5_file file, mr_hid group, mr_hid dataset,
                               const char *const *name, const uint64_t *n, size_t n_axis,
                               struct mr_err *err)
{
    mr_hid scale[mr_hdf5_rank_max] = {-1, -1};
    mr_status st = MR_OK;
    for (size_t i = 0; i < n_axis && st == MR_OK; i++)
        st = find(file, group, name[i], n[i], &scale[i], err);
    if (st == MR_OK)
        st = mr_hdf5_attach(file, &dataset, 1, scale, n_axis, err);
    for (size_t i = 0; i < n_axis; i++)
        mr_hdf5_dataset_close(scale[i]);
    return st;
}
