/* SPDX-License-Identifier: Apache-2.0 */
/* Reading run files back with HDF5 alone, independent of what wrote them. */
#ifndef MR_TESTS_ENGINE_RECORD_H5_H
#define MR_TESTS_ENGINE_RECORD_H5_H

#include "engine/base/sha256.h"
#include "tests/test.h"

#include <hdf5.h>
#include <hdf5_hl.h>

static inline void must(mr_status st, const struct mr_err *err)
{
    if (st != MR_OK)
        fail_msg("%s: %s: %s", mr_status_name(st), err->file, err->text);
}

static inline hid_t h5_open(const char *path, unsigned flags)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return H5Fopen(path, flags, H5P_DEFAULT);
}

/* Extent of a dataset; the second is 0 when there is one axis. */
static inline void h5_extent(hid_t file, const char *name, hsize_t dim[2])
{
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    if (set < 0)
        fail_msg("no dataset %s", name);
    const hid_t space = H5Dget_space(set);
    dim[0] = dim[1] = 0;
    assert_true(H5Sget_simple_extent_ndims(space) <= 2);
    assert_true(H5Sget_simple_extent_dims(space, dim, NULL) >= 0);
    H5Sclose(space);
    H5Dclose(set);
}

/* All values as `type`; the caller frees. */
static inline void *h5_read(hid_t file, const char *name, hid_t type, size_t *n)
{
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    if (set < 0)
        fail_msg("no dataset %s", name);
    const hid_t space = H5Dget_space(set);
    *n = (size_t)H5Sget_simple_extent_npoints(space);
    void *values = malloc(*n * H5Tget_size(type) + 1);
    assert_non_null(values);
    if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        fail_msg("%s cannot be read", name);
    H5Sclose(space);
    H5Dclose(set);
    return values;
}

static inline double *h5_f64(hid_t file, const char *name, size_t *n)
{
    return h5_read(file, name, H5T_NATIVE_DOUBLE, n);
}

/* A text attribute in a static buffer; "" when there is none. */
static inline const char *h5_attr(hid_t file, const char *object, const char *name)
{
    static char text[1024];
    char *value = NULL;
    text[0] = '\0';
    if (H5Aexists_by_name(file, object, name, H5P_DEFAULT) <= 0)
        return text;
    const hid_t attr = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t type = H5Aget_type(attr);
    assert_true(H5Tis_variable_str(type) > 0);
    assert_true(H5Aread(attr, type, &value) >= 0);
    snprintf(text, sizeof text, "%s", value);
    H5free_memory(value);
    H5Tclose(type);
    H5Aclose(attr);
    return text;
}

static inline uint64_t h5_attr_u64(hid_t file, const char *object, const char *name)
{
    uint64_t value = 0;
    const hid_t attr = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attr >= 0 && H5Aread(attr, H5T_NATIVE_UINT64, &value) >= 0);
    H5Aclose(attr);
    return value;
}

struct h5_walk {
    struct mr_sha256 sha;
    size_t n_dataset;
};

static inline void h5_hash_texts(struct h5_walk *walk, hid_t set, hid_t type, size_t n)
{
    char **text = calloc(n + 1, sizeof *text);
    assert_true(text != NULL && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0);
    for (size_t i = 0; i < n; i++) {
        mr_sha256_add(&walk->sha, text[i] != NULL ? text[i] : "",
                      strlen(text[i] ? text[i] : "") + 1);
        H5free_memory(text[i]);
    }
    free(text);
}

/* Name, extent and content of every dataset, and whether each axis has its scale. */
static inline herr_t h5_visit(hid_t object, const char *name, const H5O_info_t *info, void *context)
{
    struct h5_walk *walk = context;
    hsize_t dim[8] = {0};
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    const hid_t set = H5Dopen2(object, name, H5P_DEFAULT), type = H5Dget_type(set);
    const hid_t space = H5Dget_space(set);
    const int rank = H5Sget_simple_extent_dims(space, dim, NULL);
    const size_t n = (size_t)H5Sget_simple_extent_npoints(space), size = H5Tget_size(type);
    mr_sha256_add(&walk->sha, name, strlen(name) + 1);
    mr_sha256_add(&walk->sha, dim, sizeof dim);
    if (H5Tis_variable_str(type) > 0) {
        h5_hash_texts(walk, set, type, n);
    } else {
        unsigned char *bytes = malloc(n * size + 1);
        assert_true(bytes != NULL && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
        mr_sha256_add(&walk->sha, bytes, n * size);
        free(bytes);
    }
    for (int i = 0; i < rank && H5DSis_scale(set) <= 0; i++)
        if (H5DSget_num_scales(set, (unsigned)i) != 1)
            fail_msg("%s: axis %d has no scale", name, i);
    walk->n_dataset++;
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(set);
    return 0;
}

/* One hash over all datasets below the root in the order of their names. */
static inline void h5_hash(const char *path, char hex[MR_SHA256_HEX], size_t *n_dataset)
{
    struct h5_walk walk = {.n_dataset = 0};
    uint8_t digest[MR_SHA256_BYTES];
    const hid_t file = h5_open(path, H5F_ACC_RDONLY);
    if (file < 0)
        fail_msg("%s cannot be opened", path);
    mr_sha256_init(&walk.sha);
    assert_true(H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, h5_visit, &walk) >= 0);
    mr_sha256_finish(&walk.sha, digest);
    mr_sha256_hex(digest, hex);
    *n_dataset = walk.n_dataset;
    H5Fclose(file);
}

#endif
