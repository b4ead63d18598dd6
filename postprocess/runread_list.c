/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a result file: its groups to a fixed depth, their attributes, datasets with shape,
 * axes and words. Map: attributes - datasets - the walk. */
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "postprocess/runread_impl.h"

#include <hdf5.h>
#include <hdf5_hl.h>

#include <stdio.h>

enum {
    n_set_max = 1 << 16,
    depth_max = 8,
    text_max_bytes = 1 << 26,
    name_max_bytes = 1024
};

/* ---- attributes ---- */

/* A text, of fixed or variable length. NULL: it is none. */
static const char *read_text(struct mr_runread *run, hid_t attr, hid_t type, struct mr_err *err)
{
    const char *kept = NULL;
    const hid_t space = H5Aget_space(attr);
    const bool is_one = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
    if (space >= 0)
        (void)H5Sclose(space);
    if (!is_one)
        return NULL;
    if (H5Tis_variable_str(type) > 0) {
        char *text = NULL;
        if (H5Aread(attr, type, (void *)&text) >= 0 && text != NULL)
            kept = mr_runread_keep(run, text, err);
        if (text != NULL)
            (void)H5free_memory(text);
        return kept;
    }
    const size_t n = H5Tget_size(type);
    char *text = n > 0 && n <= text_max_bytes ? mr_alloc_zero(n + 1, 1) : NULL;
    if (text != NULL && H5Aread(attr, type, text) >= 0)
        kept = mr_runread_keep(run, text, err);
    mr_free(text);
    return kept;
}

static const char *read_number(struct mr_runread *run, hid_t attr, hid_t type, struct mr_err *err)
{
    char text[MR_NUM_CAP] = "";
    const hid_t space = H5Aget_space(attr);
    const bool is_one = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
    if (space >= 0)
        (void)H5Sclose(space);
    if (!is_one)
        return NULL;
    if (H5Tget_class(type) == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE) {
        uint64_t value = 0;
        if (H5Aread(attr, H5T_NATIVE_UINT64, &value) < 0)
            return NULL;
        (void)mr_num_format_u64(value, text);
    } else {
        double value = 0;
        if (H5Aread(attr, H5T_NATIVE_DOUBLE, &value) < 0)
            return NULL;
        (void)mr_num_format_f64(value, text);
    }
    return mr_runread_keep(run, text, err);
}

/* The value of an attribute as text, or NULL where it is neither a text nor one number. */
static const char *attribute(struct mr_runread *run, hid_t object, const char *name,
                             struct mr_err *err)
{
    const hid_t attr =
        H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (attr < 0)
        return NULL;
    const char *text = NULL;
    const hid_t type = H5Aget_type(attr);
    const H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    if (class == H5T_STRING)
        text = read_text(run, attr, type, err);
    else if (class == H5T_INTEGER || class == H5T_FLOAT)
        text = read_number(run, attr, type, err);
    if (type >= 0)
        (void)H5Tclose(type);
    (void)H5Aclose(attr);
    return text;
}

/* What is under way during a walk. */
struct walk {
    struct mr_runread *run;
    const char *group; /* its path, "/" or "/racks" */
    int depth;
    mr_status st;
    struct mr_err *err;
};

static herr_t take_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    struct walk *walk = context;
    struct mr_runread *run = walk->run;
    (void)info;
    const char *text = attribute(run, object, name, walk->err);
    if (text == NULL)
        return 0;
    walk->st = mr_grow(&run->attr, &run->cap_attr, run->n_attr + 1, sizeof *run->attr, walk->err);
    if (walk->st != MR_OK)
        return -1;
    const char *own = mr_runread_keep(run, name, walk->err);
    if (own == NULL) {
        walk->st = MR_NOMEM;
        return -1;
    }
    run->attr[run->n_attr++] = (struct mr_runread_attr){walk->group, own, text};
    return 0;
}

/* ---- datasets ---- */

static herr_t take_scale(hid_t set, unsigned dim, hid_t scale, void *context)
{
    char *path = context;
    (void)set;
    (void)dim;
    if (H5Iget_name(scale, path, name_max_bytes) <= 0)
        path[0] = '\0';
    return 1; /* the first is enough */
}

/* Words between blanks. */
static mr_status take_words(struct mr_runread *run, const char *text, const char *const **out,
                            size_t *n_out, struct mr_err *err)
{
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++)
        n += *p != ' ' && (p == text || p[-1] == ' ');
    const char **word = mr_arena_zero(&run->arena, n + 1, sizeof *word, err);
    if (word == NULL)
        return MR_NOMEM;
    for (*n_out = 0; *n_out < n;) {
        text += strspn(text, " ");
        const size_t length = strcspn(text, " ");
        word[*n_out] = mr_arena_text(&run->arena, (struct mr_str){text, length}, err);
        if (word[(*n_out)++] == NULL)
            return MR_NOMEM;
        text += length;
    }
    *out = word;
    return MR_OK;
}

static mr_status take_flags(struct mr_runread *run, struct mr_runread_set *set, const char *flags,
                            const char *units, struct mr_err *err)
{
    const char *const *unit = NULL;
    size_t n_unit = 0;
    if (flags == NULL)
        return MR_OK;
    MR_TRY(take_words(run, flags, &set->flag, &set->n_flag, err));
    if (units == NULL)
        return MR_OK;
    MR_TRY(take_words(run, units, &unit, &n_unit, err));
    set->flag_unit = n_unit == set->n_flag ? unit : NULL;
    return MR_OK;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* Kind and extent. @return false: of a kind that is not read */
static bool describe_shape(hid_t dataset, struct mr_runread_set *set)
{
    hsize_t dim[MR_RUNREAD_RANK] = {0};
    const hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    const int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    const H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    bool is_good = rank >= 0 && rank <= MR_RUNREAD_RANK &&
                   (class == H5T_STRING || class == H5T_INTEGER || class == H5T_FLOAT) &&
                   (rank == 0 || H5Sget_simple_extent_dims(space, dim, NULL) == rank);
    set->rank = is_good ? (size_t)rank : 0;
    for (size_t i = 0; i < set->rank; i++) {
        set->dim[i] = (size_t)dim[i];
        is_good = is_good && dim[i] <= SIZE_MAX / 16;
    }
    set->is_text = class == H5T_STRING;
    set->is_integer = class == H5T_INTEGER;
    if (space >= 0)
        (void)H5Sclose(space);
    if (type >= 0)
        (void)H5Tclose(type);
    return is_good;
}

/* "time: mean", "time: maximum": of cells of time, which end at the dates. */
static bool is_of_cells(const char *cell_methods)
{
    return strncmp(cell_methods, "time: ", 6) == 0 && strncmp(cell_methods, "time: point", 11) != 0;
}

static mr_status describe(struct mr_runread *run, hid_t dataset, struct mr_runread_set *set,
                          struct mr_err *err)
{
    const char *flags = attribute(run, dataset, "flag_meanings", err);
    const char *flag_units = attribute(run, dataset, "flag_units", err);
    const char *scale = attribute(run, dataset, "NAME", err);
    set->units = or_empty(attribute(run, dataset, "units", err));
    set->long_name = or_empty(attribute(run, dataset, "long_name", err));
    set->dsx = or_empty(attribute(run, dataset, "dsx", err));
    set->formula = or_empty(attribute(run, dataset, "formula", err));
    set->better = or_empty(attribute(run, dataset, "better", err));
    set->asked = or_empty(attribute(run, dataset, "asked", err));
    const char *cell_methods = or_empty(attribute(run, dataset, "cell_methods", err));
    set->is_before = is_of_cells(cell_methods);
    set->is_peak = strcmp(cell_methods, "time: maximum") == 0;
    set->is_low = strcmp(cell_methods, "time: minimum") == 0;
    set->is_axis = H5DSis_scale(dataset) > 0;
    set->is_bare = scale != NULL && strncmp(scale, "This is a netCDF dimension", 26) == 0;
    for (size_t i = 0; i < MR_RUNREAD_RANK; i++)
        set->axis[i] = "";
    for (size_t i = 0; i < set->rank && !set->is_axis; i++) {
        char path[name_max_bytes] = "";
        if (H5DSiterate_scales(dataset, (unsigned)i, NULL, take_scale, path) > 0)
            set->axis[i] = or_empty(mr_runread_keep(run, path, err));
    }
    if (err->status != MR_OK)
        return err->status;
    return take_flags(run, set, flags, flag_units, err);
}

static mr_status take_dataset(struct walk *walk, hid_t parent, const char *name)
{
    struct mr_runread *run = walk->run;
    struct mr_runread_set set = {0};
    char path[name_max_bytes];
    const hid_t dataset = H5Dopen2(parent, name, H5P_DEFAULT);
    if (dataset < 0)
        return mr_runread_broken(walk->err, run->path, name);
    (void)snprintf(path, sizeof path, "%s%s%s", walk->group, walk->group[1] != '\0' ? "/" : "",
                   name);
    mr_status st = MR_OK;
    if (describe_shape(dataset, &set)) {
        set.group = walk->group;
        set.path = mr_runread_keep(run, path, walk->err);
        set.name = mr_runread_keep(run, name, walk->err);
        st = set.path == NULL || set.name == NULL
                 ? MR_NOMEM
                 : mr_grow(&run->set, &run->cap_set, run->n_set + 1, sizeof set, walk->err);
        if (st == MR_OK)
            st = describe(run, dataset, &set, walk->err);
        if (st == MR_OK)
            run->set[run->n_set++] = set;
    }
    (void)H5Dclose(dataset);
    return st;
}

/* ---- the walk ---- */

static mr_status walk_group(struct walk *walk, hid_t group);

static mr_status take_group(struct walk *walk, hid_t parent, const char *name)
{
    char path[name_max_bytes];
    const hid_t group = H5Gopen2(parent, name, H5P_DEFAULT);
    if (group < 0)
        return mr_runread_broken(walk->err, walk->run->path, name);
    (void)snprintf(path, sizeof path, "%s%s%s", walk->group, walk->group[1] != '\0' ? "/" : "",
                   name);
    struct walk below = {walk->run, mr_runread_keep(walk->run, path, walk->err), walk->depth + 1,
                         MR_OK, walk->err};
    const mr_status st = below.group != NULL ? walk_group(&below, group) : MR_NOMEM;
    (void)H5Gclose(group);
    return st;
}

static herr_t take_link(hid_t parent, const char *name, const H5L_info_t *link, void *context)
{
    struct walk *walk = context;
    H5O_info_t info;
    if (link->type != H5L_TYPE_HARD)
        return 0;
    if (strlen(name) + strlen(walk->group) + 2 > name_max_bytes || walk->run->n_set >= n_set_max) {
        walk->st = mr_err_set(walk->err, MR_LIMIT, (struct mr_place){walk->run->path, 0, 0},
                              "more datasets, or longer names, than a result file has");
        return -1;
    }
    if (H5Oget_info_by_name2(parent, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
        walk->st = mr_runread_broken(walk->err, walk->run->path, name);
    else if (info.type == H5O_TYPE_DATASET)
        walk->st = take_dataset(walk, parent, name);
    else if (info.type == H5O_TYPE_GROUP && walk->depth < depth_max)
        walk->st = take_group(walk, parent, name);
    return walk->st == MR_OK ? 0 : -1;
}

static mr_status walk_group(struct walk *walk, hid_t group)
{
    hsize_t at = 0;
    if (H5Aiterate2(group, H5_INDEX_NAME, H5_ITER_INC, &at, take_attribute, walk) < 0)
        return walk->st != MR_OK ? walk->st
                                 : mr_runread_broken(walk->err, walk->run->path, walk->group);
    at = 0;
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &at, take_link, walk) < 0)
        return walk->st != MR_OK ? walk->st
                                 : mr_runread_broken(walk->err, walk->run->path, walk->group);
    return MR_OK;
}

mr_status mr_runread_list(struct mr_runread *run, struct mr_err *err)
{
    struct walk walk = {run, "/", 0, MR_OK, err};
    const hid_t root = H5Gopen2(run->file, "/", H5P_DEFAULT);
    if (root < 0)
        return mr_runread_broken(err, run->path, "the file cannot be read");
    const mr_status st = walk_group(&walk, root);
    (void)H5Gclose(root);
    MR_TRY(st);
    run->texts = mr_alloc_zero(run->n_set + 1, sizeof *run->texts);
    if (run->texts == NULL)
        return mr_err_nomem(err, run->n_set * sizeof *run->texts);
    const char *state = mr_runread_attr(run, "/", "status");
    run->is_complete = state != NULL && strcmp(state, "complete") == 0;
    return MR_OK;
}
