/* SPDX-License-Identifier: Apache-2.0 */
/* Files, groups, attributes and datasets over HDF5. Every return value is checked, and every error
 * names the file and the object. Map: errors; files; groups; attributes; datasets; growing
 * datasets. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/record/hdf5_impl.h"

#include <hdf5.h>

#include <math.h>
#include <stdio.h>

_Static_assert(sizeof(hid_t) == sizeof(mr_hid), "handles of HDF5");

enum {
    n_compact_max = 65535, /* HDF5's own limit */
    n_index_half = 8, /* chunks in a node of an index, at least: a dataset has few, and a node */
    n_member_guess = 24,
    n_name_guess = 12,
    text_buffer_bytes = 1 << 14
};

/* ---- errors ---- */

struct cause {
    int error_number; /* of the system; 0: none told */
    char text[160];   /* HDF5's innermost message */
};

/* The drivers put "errno = 28" into their messages; the stack is walked from the innermost. */
static herr_t note_cause(unsigned n, const H5E_error2_t *entry, void *context)
{
    struct cause *cause = context;
    const char *at = entry->desc != NULL ? strstr(entry->desc, "errno = ") : NULL;
    if (n == 0 && entry->desc != NULL)
        snprintf(cause->text, sizeof cause->text, "%s", entry->desc);
    if (at != NULL && cause->error_number == 0)
        for (at += strlen("errno = "); mr_char_is_digit(*at) && cause->error_number < 1000; at++)
            cause->error_number = cause->error_number * 10 + (*at - '0');
    return 0;
}

mr_status mr_hdf5_error(struct mr_err *err, const char *path, const char *fmt, ...)
{
    struct cause cause = {0};
    char what[256];
    va_list args;
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_cause, &cause);
    (void)H5Eclear2(H5E_DEFAULT);
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    const char *why = cause.error_number != 0 ? strerror(cause.error_number)
                      : cause.text[0] != '\0' ? cause.text
                                              : "HDF5 gives no reason";
    return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0}, "%s: %s", what, why);
}

/* Every file is closed by whoever opened it. HDF5's own last look at exit would try those again
 * that a full disk kept from being closed, and fall over what is left of them. */
void mr_hdf5_silence(void)
{
    (void)H5dont_atexit(); /* counts before the first call alone */
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* ---- files ---- */

/* Without evictions the metadata cache neither shrinks nor grows by itself and writes when told. */
static bool keep_metadata(hid_t access)
{
    H5AC_cache_config_t config = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    if (H5Pget_mdc_config(access, &config) < 0)
        return false;
    config.evictions_enabled = 0;
    config.incr_mode = H5C_incr__off;
    config.flash_incr_mode = H5C_flash_incr__off;
    config.decr_mode = H5C_decr__off;
    return H5Pset_mdc_config(access, &config) >= 0;
}

/* In their order, and never elsewhere than in the header of their object: it is one piece, a heap
 * with an index several, which a killed process would tear. */
static bool keep_attributes(hid_t list)
{
    return H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
           H5Pset_attr_phase_change(list, n_compact_max, 0) >= 0;
}

/* Members in the order they were made, in the header too, with room for some that come late; no
 * dates, so equal runs give equal bytes. */
static bool keep_members(hid_t list)
{
    return H5Pset_obj_track_times(list, false) >= 0 && keep_attributes(list) &&
           H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
           H5Pset_link_phase_change(list, n_compact_max, 0) >= 0 &&
           H5Pset_est_link_info(list, n_member_guess, n_name_guess) >= 0;
}

/* A live file is not locked by HDF5: a reader who looks in at the moment of its creation, or when
 * it is opened again at its end, would stop the run. */
static bool set_access(hid_t access, struct mr_hdf5_slots *slots, bool is_live, struct mr_err *err)
{
    const H5F_libver_t low = is_live ? H5F_LIBVER_LATEST : H5F_LIBVER_EARLIEST;
    return access >= 0 && H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
           H5Pset_libver_bounds(access, low, H5F_LIBVER_LATEST) >= 0 && keep_metadata(access) &&
           (!is_live || H5Pset_file_locking(access, false, true) >= 0) &&
           mr_hdf5_drive(access, slots, err) == MR_OK;
}

mr_status mr_hdf5_create(const char *path, struct mr_hdf5_slots *slots, bool is_live, mr_hid *id,
                         struct mr_err *err)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    *id = -1;
    if (create >= 0 && keep_members(create) &&
        H5Pset_file_space_strategy(create, H5F_FSPACE_STRATEGY_NONE, false, 1) >= 0 &&
        H5Pset_istore_k(create, n_index_half) >= 0 && set_access(access, slots, is_live, err))
        *id = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    mr_status st = MR_OK;
    if (*id < 0) /* the driver may have told why already */
        st = err->status != MR_OK ? err->status
                                  : mr_hdf5_error(err, path, "the run file cannot be created");
    if (access >= 0)
        (void)H5Pclose(access);
    if (create >= 0)
        (void)H5Pclose(create);
    return st;
}

mr_status mr_hdf5_reopen(const char *path, struct mr_hdf5_slots *slots, mr_hid *id,
                         struct mr_err *err)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    *id = -1;
    if (set_access(access, slots, true, err))
        *id = H5Fopen(path, H5F_ACC_RDWR, access);
    mr_status st = MR_OK;
    if (*id < 0)
        st = err->status != MR_OK ? err->status
                                  : mr_hdf5_error(err, path, "the run file cannot be opened again");
    if (access >= 0)
        (void)H5Pclose(access);
    return st;
}

mr_status mr_hdf5_close(struct mr_hdf5_file file, struct mr_err *err)
{
    return H5Fclose(file.id) >= 0 ? MR_OK
                                  : mr_hdf5_error(err, file.path, "the run file cannot be closed");
}

mr_status mr_hdf5_start_swmr(struct mr_hdf5_file file, struct mr_err *err)
{
    mr_hdf5_order(file);
    return H5Fstart_swmr_write(file.id) >= 0
               ? mr_hdf5_release(file, err)
               : mr_hdf5_error(err, file.path, "live reading (SWMR) cannot be started");
}

mr_status mr_hdf5_flush(struct mr_hdf5_file file, struct mr_err *err)
{
    return H5Fflush(file.id, H5F_SCOPE_LOCAL) >= 0
               ? mr_hdf5_release(file, err)
               : mr_hdf5_error(err, file.path, "the run file cannot be written");
}

mr_status mr_hdf5_check_room(struct mr_hdf5_file file, uint64_t limit_bytes, size_t n,
                             struct mr_err *err)
{
    hsize_t size = 0;
    if (limit_bytes == UINT64_MAX)
        return MR_OK;
    if (H5Fget_filesize(file.id, &size) < 0)
        return mr_hdf5_error(err, file.path, "the run file does not tell its size");
    if (size <= limit_bytes && n <= limit_bytes - size)
        return MR_OK;
    return mr_err_set(err, MR_IO, (struct mr_place){file.path, 0, 0},
                      "the run file has reached the limit on the size of files (ulimit -f): "
                      "%llu bytes, some kept back to close it",
                      (unsigned long long)size);
}

/* ---- groups ---- */

/* One level: `name` in `parent`. */
static hid_t enter(hid_t parent, const char *name)
{
    const htri_t is_there = H5Lexists(parent, name, H5P_DEFAULT);
    if (is_there > 0)
        return H5Gopen2(parent, name, H5P_DEFAULT);
    if (is_there < 0)
        return -1;
    const hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    hid_t group = -1;
    if (list >= 0 && keep_members(list))
        group = H5Gcreate2(parent, name, H5P_DEFAULT, list, H5P_DEFAULT);
    if (list >= 0)
        (void)H5Pclose(list);
    return group;
}

mr_status mr_hdf5_group(struct mr_hdf5_file file, const char *path, mr_hid *group,
                        struct mr_err *err)
{
    MR_ASSERT(path[0] == '/');
    hid_t at = H5Gopen2(file.id, "/", H5P_DEFAULT);
    for (const char *p = path + 1; at >= 0 && *p != '\0';) {
        char name[256];
        const size_t n = strcspn(p, "/");
        MR_ASSERT(n > 0 && n < sizeof name); /* names were checked */
        memcpy(name, p, n);
        name[n] = '\0';
        const hid_t next = enter(at, name);
        if (next >= 0) /* else the reason would be lost */
            (void)H5Gclose(at);
        else {
            const mr_status st =
                mr_hdf5_error(err, file.path, "group \"%s\" cannot be created", path);
            (void)H5Gclose(at);
            return st;
        }
        at = next;
        p += n + (p[n] == '/');
    }
    *group = at;
    return at >= 0 ? MR_OK : mr_hdf5_error(err, file.path, "group \"%s\" cannot be opened", path);
}

void mr_hdf5_group_close(mr_hid group)
{
    if (group >= 0)
        (void)H5Gclose(group);
}

void mr_hdf5_dataset_close(mr_hid dataset)
{
    if (dataset >= 0)
        (void)H5Dclose(dataset);
}

/* ---- attributes ---- */

static hid_t text_type(void)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0)
        return -1;
    if (H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        return type;
    (void)H5Tclose(type);
    return -1;
}

static hid_t stored_type(enum mr_channel_type type)
{
    MR_ASSERT(type < MR_CHANNEL_N_TYPE);
    switch (type) {
    case MR_CHANNEL_F64:
        return H5T_IEEE_F64LE;
    case MR_CHANNEL_F32:
    case MR_CHANNEL_F32_OF_F64:
        return H5T_IEEE_F32LE;
    case MR_CHANNEL_U64:
        return H5T_STD_U64LE;
    case MR_CHANNEL_U32:
        return H5T_STD_U32LE;
    case MR_CHANNEL_U8:
        return H5T_STD_U8LE;
    case MR_CHANNEL_N_TYPE:
        break;
    }
    return -1;
}

/* An attribute of that name, type and extent, or -1. */
static hid_t same_attr(hid_t object, const char *name, hid_t type, hid_t space)
{
    if (H5Aexists(object, name) <= 0)
        return -1;
    const hid_t attr = H5Aopen(object, name, H5P_DEFAULT);
    const hid_t own_type = H5Aget_type(attr), own_space = H5Aget_space(attr);
    const bool is_same = H5Tequal(own_type, type) > 0 && H5Sextent_equal(own_space, space) > 0;
    if (own_type >= 0)
        (void)H5Tclose(own_type);
    if (own_space >= 0)
        (void)H5Sclose(own_space);
    if (is_same || attr < 0)
        return attr;
    (void)H5Aclose(attr);
    return -1;
}

/* One that is there is written where it lies, if it fits: nothing else moves. */
static mr_status put_attr(struct mr_hdf5_file file, hid_t object, const char *name, hid_t type,
                          hid_t space, const void *value, struct mr_err *err)
{
    bool is_good = type >= 0 && space >= 0;
    hid_t attr = is_good ? same_attr(object, name, type, space) : -1;
    if (is_good && attr < 0) {
        if (H5Aexists(object, name) > 0)
            is_good = H5Adelete(object, name) >= 0;
        if (is_good)
            attr = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    }
    is_good = attr >= 0 && H5Awrite(attr, type, value) >= 0;
    const mr_status st =
        is_good ? MR_OK : mr_hdf5_error(err, file.path, "attribute \"%s\" cannot be written", name);
    if (attr >= 0)
        (void)H5Aclose(attr);
    return st;
}

mr_status mr_hdf5_attr_text(struct mr_hdf5_file file, mr_hid object, const char *name,
                            const char *text, struct mr_err *err)
{
    const hid_t type = text_type(), space = H5Screate(H5S_SCALAR);
    const mr_status st = put_attr(file, object, name, type, space, &text, err);
    if (type >= 0)
        (void)H5Tclose(type);
    if (space >= 0)
        (void)H5Sclose(space);
    return st;
}

mr_status mr_hdf5_attr_number(struct mr_hdf5_file file, mr_hid object, const char *name,
                              enum mr_channel_type type, const void *value, size_t n,
                              struct mr_err *err)
{
    const hsize_t dim = n;
    const hid_t space = n > 0 ? H5Screate_simple(1, &dim, NULL) : H5Screate(H5S_SCALAR);
    const mr_status st = put_attr(file, object, name, stored_type(type), space, value, err);
    if (space >= 0)
        (void)H5Sclose(space);
    return st;
}

/* Words without spaces, one after the other; none is "1". */
static mr_status put_words(struct mr_hdf5_file file, hid_t dataset, const char *name,
                           const char *const *word, size_t n, struct mr_err *err)
{
    struct mr_buf words = {0};
    for (size_t i = 0; i < n; i++) {
        mr_buf_text(&words, i > 0 ? " " : "");
        for (const char *p = word[i][0] != '\0' ? word[i] : "1"; *p != '\0'; p++)
            mr_buf_char(&words, *p == ' ' ? '_' : *p);
    }
    mr_status st = mr_buf_check(&words, err);
    if (st == MR_OK)
        st = mr_hdf5_attr_text(file, dataset, name, words.text, err);
    mr_buf_fini(&words);
    return st;
}

/* CF's way to say what numbers mean: flag_values and flag_meanings. */
static mr_status put_flags(struct mr_hdf5_file file, hid_t dataset, const struct mr_channel *q,
                           struct mr_err *err)
{
    const size_t size = mr_channel_stored_bytes(q->type);
    unsigned char *values = mr_alloc_zero(q->n_flag, size);
    if (values == NULL)
        return mr_err_nomem(err, q->n_flag * size);
    for (size_t i = 0; i < q->n_flag; i++) {
        const uint64_t value = i;
        memcpy(values + i * size, &value, size); /* little-endian, as everything here */
    }
    mr_status st =
        mr_hdf5_attr_number(file, dataset, "flag_values", q->type, values, q->n_flag, err);
    if (st == MR_OK)
        st = put_words(file, dataset, "flag_meanings", q->flag, q->n_flag, err);
    if (st == MR_OK && q->flag_unit != NULL)
        st = put_words(file, dataset, "flag_units", q->flag_unit, q->n_flag, err);
    mr_free(values);
    return st;
}

static mr_status describe(struct mr_hdf5_file file, hid_t dataset, const struct mr_channel *q,
                          struct mr_err *err)
{
    const struct {
        const char *name, *text;
    } row[] = {{"units", q->units},
               {"long_name", q->long_name},
               {"dsx", q->dsx},
               {"cell_methods", q->cell_methods}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].text != NULL)
            MR_TRY(mr_hdf5_attr_text(file, dataset, row[i].name, row[i].text, err));
    return q->n_flag > 0 ? put_flags(file, dataset, q, err) : MR_OK;
}

/* ---- datasets ---- */

static bool set_float_fill(hid_t list, enum mr_channel_type type)
{
    const double nan = (double)NAN;
    return !mr_channel_is_float(type) || H5Pset_fill_value(list, H5T_NATIVE_DOUBLE, &nan) >= 0;
}

/* The creation list of a dataset of this shape; -1 on failure. */
static hid_t creation_list(enum mr_channel_type type, const struct mr_hdf5_shape *shape)
{
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    bool is_good = list >= 0 && keep_attributes(list) && H5Pset_obj_track_times(list, false) >= 0 &&
                   set_float_fill(list, type);
    if (is_good && shape->chunk[0] > 0) {
        const hsize_t chunk[mr_hdf5_rank_max] = {shape->chunk[0], shape->chunk[1]};
        is_good = H5Pset_chunk(list, shape->rank, chunk) >= 0;
    }
    if (is_good && shape->level > 0)
        is_good = H5Pset_shuffle(list) >= 0 && H5Pset_deflate(list, (unsigned)shape->level) >= 0;
    if (is_good || list < 0)
        return list;
    (void)H5Pclose(list);
    return -1;
}

/* HDF5 would say that it cannot insert a link. */
static mr_status check_free(struct mr_hdf5_file file, hid_t group, const char *name,
                            struct mr_err *err)
{
    return H5Lexists(group, name, H5P_DEFAULT) <= 0
               ? MR_OK
               : mr_err_set(err, MR_SCHEMA, (struct mr_place){file.path, 0, 0},
                            "dataset \"%s\" is there twice", name);
}

static hid_t make(hid_t group, const char *name, hid_t type, enum mr_channel_type fill_type,
                  const struct mr_hdf5_shape *shape)
{
    hsize_t dim[mr_hdf5_rank_max], dim_max[mr_hdf5_rank_max];
    for (int i = 0; i < shape->rank; i++)
        dim[i] = dim_max[i] = shape->dim[i];
    if (shape->is_growing)
        dim_max[0] = H5S_UNLIMITED;
    const hid_t list = creation_list(fill_type, shape);
    const hid_t space = H5Screate_simple(shape->rank, dim, dim_max);
    hid_t dataset = -1;
    if (list >= 0 && space >= 0)
        dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (list >= 0)
        (void)H5Pclose(list);
    if (space >= 0)
        (void)H5Sclose(space);
    return dataset;
}

mr_status mr_hdf5_dataset(struct mr_hdf5_file file, mr_hid group, const struct mr_channel *channel,
                          const struct mr_hdf5_shape *shape, mr_hid *dataset, struct mr_err *err)
{
    const hid_t type = stored_type(channel->type);
    const double nan = (double)NAN;
    const float nan_f = NAN;
    const uint32_t none = UINT32_MAX;
    *dataset = -1;
    MR_TRY(check_free(file, group, channel->name, err));
    *dataset = make(group, channel->name, type, channel->type, shape);
    if (*dataset < 0)
        return mr_hdf5_error(err, file.path, "dataset \"%s\" cannot be created", channel->name);
    mr_status st = describe(file, *dataset, channel, err);
    if (st == MR_OK && mr_channel_is_float(channel->type))
        st = mr_hdf5_attr_number(
            file, *dataset, "_FillValue", channel->type,
            channel->type == MR_CHANNEL_F64 ? (const void *)&nan : (const void *)&nan_f, 1, err);
    if (st == MR_OK && channel->has_none)
        st = mr_hdf5_attr_number(file, *dataset, "_FillValue", MR_CHANNEL_U32, &none, 1, err);
    return st;
}

mr_status mr_hdf5_write(struct mr_hdf5_file file, mr_hid dataset, const struct mr_channel *channel,
                        const void *bytes, struct mr_err *err)
{
    const hid_t type = stored_type(channel->type);
    return H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0
               ? MR_OK
               : mr_hdf5_error(err, file.path, "dataset \"%s\" cannot be written", channel->name);
}

/* HDF5 turns texts into its own form in a buffer, of a megabyte where nothing is said, that it
 * clears each time. */
static herr_t write_texts(mr_hid dataset, mr_hid type, const char *const *text)
{
    const hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    herr_t st = -1;
    if (transfer >= 0 && H5Pset_buffer(transfer, text_buffer_bytes, NULL, NULL) >= 0)
        st = H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, transfer, (const void *)text);
    if (transfer >= 0)
        (void)H5Pclose(transfer);
    return st;
}

mr_status mr_hdf5_texts(struct mr_hdf5_file file, mr_hid group, const struct mr_channel *channel,
                        const char *const *text, size_t n, mr_hid *dataset, struct mr_err *err)
{
    const hsize_t dim = n;
    const struct mr_hdf5_shape bare = {0};
    *dataset = -1;
    MR_TRY(check_free(file, group, channel->name, err));
    const hid_t type = text_type(), list = creation_list(MR_CHANNEL_U8, &bare);
    const hid_t space = n == SIZE_MAX ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &dim, NULL);
    bool is_good = false;
    if (type >= 0 && list >= 0 && space >= 0)
        *dataset = H5Dcreate2(group, channel->name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (*dataset >= 0)
        is_good = n == 0 || write_texts(*dataset, type, text) >= 0;
    mr_status st =
        is_good ? MR_OK
                : mr_hdf5_error(err, file.path, "dataset \"%s\" cannot be written", channel->name);
    if (st == MR_OK)
        st = describe(file, *dataset, channel, err);
    if (type >= 0)
        (void)H5Tclose(type);
    if (list >= 0)
        (void)H5Pclose(list);
    if (space >= 0)
        (void)H5Sclose(space);
    return st;
}

mr_status mr_hdf5_bare_axis(struct mr_hdf5_file file, mr_hid group, const char *name, uint64_t n,
                            uint64_t chunk, mr_hid *dataset, struct mr_err *err)
{
    static const char label[] = "This is a netCDF dimension but not a netCDF variable.%10llu";
    char text[sizeof label + 24];
    const struct mr_hdf5_shape shape = {
        .rank = 1, .dim = {n}, .chunk = {chunk}, .is_growing = chunk > 0};
    *dataset = -1;
    MR_TRY(check_free(file, group, name, err));
    *dataset = make(group, name, H5T_IEEE_F32BE, MR_CHANNEL_U8, &shape);
    if (*dataset < 0)
        return mr_hdf5_error(err, file.path, "axis \"%s\" cannot be created", name);
    snprintf(text, sizeof text, label, (unsigned long long)n);
    return mr_hdf5_scale(file, *dataset, text, err);
}

/* ---- growing datasets ---- */

mr_status mr_hdf5_extend(struct mr_hdf5_file file, mr_hid dataset, const char *name,
                         const struct mr_hdf5_shape *shape, uint64_t n_row, struct mr_err *err)
{
    const hsize_t dim[mr_hdf5_rank_max] = {n_row, shape->dim[1]};
    return H5Dset_extent(dataset, dim) >= 0
               ? MR_OK
               : mr_hdf5_error(err, file.path, "dataset \"%s\" cannot be extended", name);
}

void mr_hdf5_dataset_renew(struct mr_hdf5_file file, const char *group, const char *name,
                           mr_hid *dataset)
{
    mr_hdf5_dataset_close(*dataset);
    const hid_t parent = H5Gopen2(file.id, group, H5P_DEFAULT);
    *dataset = parent >= 0 ? H5Dopen2(parent, name, H5P_DEFAULT) : -1;
    mr_hdf5_group_close(parent);
}

mr_status mr_hdf5_chunk(struct mr_hdf5_file file, mr_hid dataset, const char *name,
                        const uint64_t *at, uint32_t skipped, const void *bytes, size_t n,
                        struct mr_err *err)
{
    const hsize_t offset[mr_hdf5_rank_max] = {at[0], at[1]};
    return H5Dwrite_chunk(dataset, H5P_DEFAULT, skipped, offset, n, bytes) >= 0
               ? MR_OK
               : mr_hdf5_error(err, file.path, "dataset \"%s\" cannot be written", name);
}

mr_status mr_hdf5_chunk_place(struct mr_hdf5_file file, mr_hid dataset, const char *name,
                              const uint64_t *at, uint64_t *place, uint64_t *bytes,
                              struct mr_err *err)
{
    const hsize_t offset[mr_hdf5_rank_max] = {at[0], at[1]};
    unsigned skipped;
    haddr_t address;
    hsize_t size;
    if (H5Dget_chunk_info_by_coord(dataset, offset, &skipped, &address, &size) < 0)
        return mr_hdf5_error(err, file.path, "dataset \"%s\" does not tell where it lies", name);
    *place = address;
    *bytes = size;
    return MR_OK;
}
