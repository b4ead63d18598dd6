/* SPDX-License-Identifier: Apache-2.0 */
/* What is written at once: attributes, texts, axes, arrays. Arguments are checked in the caller's
 * thread, the rest runs in the writing one. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/record/runfile_impl.h"

mr_status mr_runfile_check_group(const char *group, struct mr_err *err)
{
    if (group == NULL || group[0] != '/')
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "group \"%s\" does not begin with '/'",
                          group != NULL ? group : "");
    for (const char *p = group + 1; *p != '\0';) {
        char name[256], quoted[MR_QUOTE_CAP];
        const size_t n = strcspn(p, "/");
        if (n >= sizeof name || (p[n] == '/' && p[n + 1] == '\0'))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE, "group \"%s\" is no path",
                              mr_text_quote(mr_str_of(group), quoted));
        memcpy(name, p, n);
        name[n] = '\0';
        MR_TRY(mr_channel_check_name(name, "group", err));
        p += n + (p[n] == '/');
    }
    return MR_OK;
}

/* ---- attributes ---- */

struct attr {
    const char *group, *name, *text; /* text NULL: a number */
    enum mr_channel_type type;
    const void *number;
};

static size_t number_bytes(const struct attr *attr)
{
    return attr->number != NULL ? mr_channel_stored_bytes(attr->type) : 0;
}

static void *copy_attr(const void *arg, struct mr_runfile_pack *pack)
{
    struct attr own = *(const struct attr *)arg;
    own.number = mr_runfile_pack(pack, own.number, number_bytes(&own));
    own.group = mr_runfile_pack_text(pack, own.group);
    own.name = mr_runfile_pack_text(pack, own.name);
    own.text = mr_runfile_pack_text(pack, own.text);
    return mr_runfile_pack(pack, &own, sizeof own);
}

static mr_status put_attr(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    const struct attr *attr = arg;
    mr_hid group;
    MR_TRY(mr_hdf5_group(tools->file, attr->group, &group, err));
    const mr_status st =
        attr->text != NULL
            ? mr_hdf5_attr_text(tools->file, group, attr->name, attr->text, err)
            : mr_hdf5_attr_number(tools->file, group, attr->name, attr->type, attr->number, 0, err);
    mr_hdf5_group_close(group);
    return st;
}

static mr_status attr(struct mr_runfile *file, struct attr *what, struct mr_err *err)
{
    MR_TRY(mr_runfile_check_group(what->group, err));
    MR_TRY(mr_channel_check_name(what->name, "attribute", err));
    return mr_runfile_post(file, what->name, put_attr, copy_attr, what, err);
}

mr_status mr_runfile_attr_text(struct mr_runfile *file, const char *group, const char *name,
                               const char *text, struct mr_err *err)
{
    struct attr what = {.group = group, .name = name, .text = text};
    MR_ASSERT(text != NULL);
    return attr(file, &what, err);
}

mr_status mr_runfile_attr_f64(struct mr_runfile *file, const char *group, const char *name,
                              double value, struct mr_err *err)
{
    struct attr what = {.group = group, .name = name, .type = MR_CHANNEL_F64, .number = &value};
    return attr(file, &what, err);
}

mr_status mr_runfile_attr_u64(struct mr_runfile *file, const char *group, const char *name,
                              uint64_t value, struct mr_err *err)
{
    struct attr what = {.group = group, .name = name, .type = MR_CHANNEL_U64, .number = &value};
    return attr(file, &what, err);
}

/* ---- datasets ---- */

struct put {
    const struct mr_channel *channel;
    struct mr_runfile_array array; /* its axes empty: an axis of its own, n[0] long */
    const void *stored;
    size_t n_text, stored_bytes;
};

static const struct mr_channel *copy_channel(const struct mr_channel *channel,
                                             struct mr_runfile_pack *pack)
{
    struct mr_channel own = *channel;
    own.name = mr_runfile_pack_text(pack, own.name);
    own.units = mr_runfile_pack_text(pack, own.units);
    own.long_name = mr_runfile_pack_text(pack, own.long_name);
    own.dsx = mr_runfile_pack_text(pack, own.dsx);
    own.cell_methods = mr_runfile_pack_text(pack, own.cell_methods);
    own.flag = mr_runfile_pack_texts(pack, own.flag, own.n_flag);
    if (own.flag_unit != NULL)
        own.flag_unit = mr_runfile_pack_texts(pack, own.flag_unit, own.n_flag);
    return mr_runfile_pack(pack, &own, sizeof own);
}

static void *copy_put(const void *arg, struct mr_runfile_pack *pack)
{
    struct put own = *(const struct put *)arg;
    own.channel = copy_channel(own.channel, pack);
    own.array.texts = mr_runfile_pack_texts(pack, own.array.texts, own.n_text);
    own.array.group = mr_runfile_pack_text(pack, own.array.group);
    for (size_t i = 0; i < sizeof own.array.axis / sizeof *own.array.axis; i++)
        own.array.axis[i] = mr_runfile_pack_text(pack, own.array.axis[i]);
    own.array.channel = NULL; /* values as given stay with the caller */
    own.array.values = NULL;
    own.stored = mr_runfile_pack(pack, own.stored, own.stored_bytes);
    return mr_runfile_pack(pack, &own, sizeof own);
}

static mr_status put_axis(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    const struct put *put = arg;
    mr_hid group, dataset = -1;
    MR_TRY(mr_hdf5_group(tools->file, put->array.group, &group, err));
    mr_status st;
    if (put->stored == NULL) {
        st = mr_runfile_make_axis(tools, group, put->channel, put->array.texts, put->array.n[0],
                                  &dataset, err);
    } else {
        const struct mr_hdf5_shape shape = {.rank = 1, .dim = {put->array.n[0]}};
        st = mr_hdf5_dataset(tools->file, group, put->channel, &shape, &dataset, err);
        if (st == MR_OK)
            st = mr_hdf5_write(tools->file, dataset, put->channel, put->stored, err);
        if (st == MR_OK)
            st = mr_hdf5_scale(tools->file, dataset, put->channel->name, err);
    }
    mr_hdf5_dataset_close(dataset);
    mr_hdf5_group_close(group);
    return st;
}

mr_status mr_runfile_make_axis(struct mr_tape_tools *tools, mr_hid group,
                               const struct mr_channel *channel, const char *const *names, size_t n,
                               mr_hid *axis, struct mr_err *err)
{
    if (names == NULL)
        return mr_hdf5_bare_axis(tools->file, group, channel->name, n, 0, axis, err);
    MR_TRY(mr_hdf5_texts(tools->file, group, channel, names, n, axis, err));
    return mr_hdf5_scale(tools->file, *axis, channel->name, err);
}

static mr_status put_array(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    const struct put *put = arg;
    const struct mr_runfile_array *array = &put->array;
    const int rank = array->axis[0] == NULL ? 0 : array->axis[1] == NULL ? 1 : 2;
    mr_hid group, dataset = -1;
    MR_TRY(mr_hdf5_group(tools->file, array->group, &group, err));
    mr_status st;
    if (array->texts != NULL) {
        st = mr_hdf5_texts(tools->file, group, put->channel, array->texts,
                           rank == 0 ? SIZE_MAX : array->n[0], &dataset, err);
    } else {
        const struct mr_hdf5_shape shape = {.rank = rank, .dim = {array->n[0], array->n[1]}};
        st = mr_hdf5_dataset(tools->file, group, put->channel, &shape, &dataset, err);
        if (st == MR_OK)
            st = mr_hdf5_write(tools->file, dataset, put->channel, put->stored, err);
    }
    if (st == MR_OK && rank > 0)
        st = mr_hdf5_attach_named(tools->file, group, dataset, array->axis, array->n, (size_t)rank,
                                  err);
    mr_hdf5_dataset_close(dataset);
    mr_hdf5_group_close(group);
    return st;
}

/* Texts are UTF-8, or the file would not be. */
static mr_status check_texts(const char *name, const char *const *text, size_t n,
                             struct mr_err *err)
{
    for (size_t i = 0; i < n; i++) {
        char quoted[MR_QUOTE_CAP];
        const size_t length = strlen(text[i]);
        if (mr_utf8_valid_len(text[i], length) != length)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE, "\"%s\", text %zu \"%s\", is not UTF-8",
                              name, i, mr_text_quote(mr_str_of(text[i]), quoted));
    }
    return MR_OK;
}

/* Values as stored, in memory of their own where they differ from those given. */
static mr_status convert(struct put *put, size_t n, void **made, struct mr_err *err)
{
    const struct mr_channel *q = put->channel;
    *made = mr_alloc(n, mr_channel_stored_bytes(q->type));
    if (*made == NULL)
        return mr_err_nomem(err, n * mr_channel_stored_bytes(q->type));
    mr_channel_store(q, put->array.values, mr_channel_given_bytes(q->type), n, *made);
    put->stored = *made;
    put->stored_bytes = n * mr_channel_stored_bytes(q->type);
    return MR_OK;
}

static mr_status put_dataset(struct mr_runfile *file, struct put *put, mr_runfile_fn *fn, size_t n,
                             struct mr_err *err)
{
    void *made = NULL;
    mr_status st = MR_OK;
    MR_TRY(mr_runfile_check_group(put->array.group, err));
    MR_TRY(mr_channel_check(put->channel, 1, err));
    put->n_text = put->array.texts != NULL ? n : 0;
    if (put->array.texts != NULL)
        MR_TRY(check_texts(put->channel->name, put->array.texts, n, err));
    else if (put->array.values != NULL)
        st = convert(put, n, &made, err);
    if (st == MR_OK)
        st = mr_runfile_post(file, put->channel->name, fn, copy_put, put, err);
    mr_free(made);
    return st;
}

mr_status mr_runfile_text(struct mr_runfile *file, const char *group, const char *name,
                          const char *long_name, const char *text, struct mr_err *err)
{
    const struct mr_channel channel = {.name = name, .units = "1", .long_name = long_name};
    struct put put = {.channel = &channel, .array = {.group = group, .texts = &text}};
    return put_dataset(file, &put, put_array, 1, err);
}

mr_status mr_runfile_axis(struct mr_runfile *file, const char *group, const char *name,
                          const char *long_name, const char *const *names, size_t n,
                          struct mr_err *err)
{
    const struct mr_channel channel = {.name = name, .units = "1", .long_name = long_name};
    struct put put = {.channel = &channel, .array = {.group = group, .texts = names, .n = {n, 0}}};
    return put_dataset(file, &put, put_axis, n, err);
}

mr_status mr_runfile_scale(struct mr_runfile *file, const char *group,
                           const struct mr_channel *channel, const void *values, size_t n,
                           struct mr_err *err)
{
    struct put put = {.channel = channel, .array = {.group = group, .values = values, .n = {n, 0}}};
    MR_ASSERT(values != NULL);
    return put_dataset(file, &put, put_axis, n, err);
}

mr_status mr_runfile_put(struct mr_runfile *file, const struct mr_runfile_array *array,
                         struct mr_err *err)
{
    struct put put = {.channel = array->channel, .array = *array};
    MR_ASSERT((array->values == NULL) != (array->texts == NULL) && array->axis[0] != NULL);
    MR_ASSERT(array->texts == NULL || array->axis[1] == NULL);
    return put_dataset(file, &put, put_array, array->n[0] * (array->axis[1] ? array->n[1] : 1),
                       err);
}
