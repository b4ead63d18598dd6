/* SPDX-License-Identifier: Apache-2.0 */
/* Reading result files. Nothing in a file is trusted: sizes are bounded before memory is asked for,
 * links are followed to a fixed depth, what is of another kind than expected is left out or told.
 * HDF5 checks most of its own structures, and what it finds wrong comes back with its words; what
 * it does not find can end the process (one wrong byte in twenty of its tables, 1.10.8). So a child
 * process reads a file first, and when that child does not come back the file is damaged.
 * Map: errors - files - the child - values. runread_list.c lists what is in a file. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "postprocess/runread_impl.h"

#include <hdf5.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    text_max_bytes = 1 << 26,
    trial_s = 10,              /* of processor time: what loops is damaged too */
    trial_max_bytes = 64 << 20 /* of numbers; beyond, first and last rows only */
};

#define VALUE_MAX ((size_t)1 << 31) /* numbers of one dataset at a time */

/* ---- errors ---- */

struct cause {
    int error_number;
    char text[160];
};

/* From the innermost message outwards; drivers put "errno = 11" into theirs. */
static herr_t note_cause(unsigned n, const H5E_error2_t *entry, void *context)
{
    struct cause *cause = context;
    const char *at = entry->desc != NULL ? strstr(entry->desc, "errno = ") : NULL;
    if (n == 0 && entry->desc != NULL)
        (void)snprintf(cause->text, sizeof cause->text, "%s", entry->desc);
    if (at != NULL && cause->error_number == 0)
        for (at += strlen("errno = "); mr_char_is_digit(*at) && cause->error_number < 1000; at++)
            cause->error_number = cause->error_number * 10 + (*at - '0');
    return 0;
}

mr_status mr_runread_broken(struct mr_err *err, const char *path, const char *what)
{
    struct cause cause = {0};
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_cause, &cause);
    (void)H5Eclear2(H5E_DEFAULT);
    if (cause.error_number == EAGAIN)
        return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0},
                          "is being written by another process (millrace watch looks into it)");
    const char *why = cause.error_number != 0 ? strerror(cause.error_number)
                      : cause.text[0] != '\0' ? cause.text
                                              : "HDF5 gives no reason";
    return mr_err_set(err, cause.error_number != 0 ? MR_IO : MR_PARSE,
                      (struct mr_place){path, 0, 0}, "%s: %s", what, why);
}

static mr_status wrong(const struct mr_runread *run, const struct mr_runread_set *set,
                       struct mr_err *err, mr_status st, const char *what)
{
    return mr_err_set(err, st, (struct mr_place){run->path, 0, 0}, "dataset %s: %s", set->path,
                      what);
}

const char *mr_runread_keep(struct mr_runread *run, const char *text, struct mr_err *err)
{
    const size_t n = strnlen(text, text_max_bytes);
    return mr_arena_text(&run->arena, (struct mr_str){text, mr_utf8_valid_len(text, n)}, err);
}

/* ---- files ---- */

bool mr_runread_is(const char *path)
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

/* A part that was live when its writer died opens as live only; there HDF5 reads what does not fit
 * together again and again, since a writer may be at it: a few times will do. A file that is
 * written without --live is locked; a watcher may look past that. */
static mr_status open_file(struct mr_runread *run, bool may_be_torn, struct mr_err *err)
{
    enum {
        n_attempt = 3
    };
    struct mr_err reason = {0};
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0)
        return mr_runread_broken(err, run->path, "cannot be read");
    run->file = H5Fopen(run->path, H5F_ACC_RDONLY, access);
    if (run->file < 0) {
        (void)mr_runread_broken(&reason, run->path, "cannot be read as a result file");
        if (H5Pset_metadata_read_attempts(access, n_attempt) >= 0)
            run->file = H5Fopen(run->path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access);
    }
    if (run->file < 0 && may_be_torn && H5Pset_file_locking(access, false, true) >= 0)
        run->file = H5Fopen(run->path, H5F_ACC_RDONLY, access);
    (void)H5Pclose(access);
    (void)H5Eclear2(H5E_DEFAULT);
    if (run->file >= 0)
        return MR_OK;
    *err = reason;
    return reason.status;
}

static mr_status check_kind(const char *path, struct mr_err *err)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0}, "cannot be read: %s",
                          "no such file");
    if (!mr_runread_is(path))
        return mr_err_set(err, MR_PARSE, (struct mr_place){path, 0, 0},
                          "is no result file: it does not begin as HDF5 does");
    return MR_OK;
}

/* Another program's file has no such number, and a later one of ours may mean something else by the
 * same names. */
static mr_status check_schema(const struct mr_runread *run, struct mr_err *err)
{
    const char *schema = mr_runread_attr(run, "/", "schema");
    uint64_t number = 0;
    if (schema == NULL)
        return mr_err_set(err, MR_SCHEMA, (struct mr_place){run->path, 0, 0},
                          "is no result file of millrace: its root has no attribute \"schema\"");
    if (mr_num_parse_u64(mr_str_of(schema), &number) == MR_OK && number == MR_RUNREAD_SCHEMA)
        return MR_OK;
    char quoted[MR_QUOTE_CAP];
    return mr_err_set(
        err, MR_SCHEMA, (struct mr_place){run->path, 0, 0},
        "is of schema %s%s: this version reads schema %d", mr_text_quote(mr_str_of(schema), quoted),
        number > MR_RUNREAD_SCHEMA ? ", which a later version writes" : "", MR_RUNREAD_SCHEMA);
}

static mr_status open_run(const char *path, const struct mr_runread_options *options,
                          struct mr_runread **out, struct mr_err *err)
{
    struct mr_err own = {0}; /* told to the caller once, at the end */
    struct mr_runread *run = mr_alloc_zero(1, sizeof *run);
    *out = NULL;
    if (run == NULL)
        return mr_err_nomem(err, sizeof *run);
    run->file = H5I_INVALID_HID;
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    run->path = mr_arena_text(&run->arena, mr_str_of(path), &own);
    mr_status st = run->path != NULL ? MR_OK : MR_NOMEM;
    if (st == MR_OK)
        st = open_file(run, options != NULL && options->may_be_torn, &own);
    if (st == MR_OK)
        st = mr_runread_list(run, &own);
    if (st == MR_OK)
        st = check_schema(run, &own);
    if (st == MR_OK) {
        *out = run;
        return MR_OK;
    }
    mr_runread_close(run);
    return mr_err_set(err, st, (struct mr_place){path, 0, 0}, "%s", own.text);
}

/* ---- the child ---- */

static void try_numbers(const struct mr_runread *run, const struct mr_runread_set *set)
{
    const size_t n = mr_runread_rows(run, set), width = mr_runread_width(set);
    struct mr_err ignored = {0};
    double *value = NULL;
    if (n == 0 || width == 0 || width > trial_max_bytes / sizeof *value)
        return;
    if (n <= trial_max_bytes / sizeof *value / width) {
        (void)!mr_runread_all(run, set, &value, &ignored);
    } else if ((value = mr_alloc(width, sizeof *value)) != NULL) {
        (void)!mr_runread_f64(run, set, 0, 1, value, &ignored);
        (void)!mr_runread_f64(run, set, n - 1, 1, value, &ignored);
    }
    mr_free(value);
}

/* Everything a reader may ask for, in the order it does. */
static MR_NORETURN void try_all(const char *path, const struct mr_runread_options *options)
{
    const struct rlimit no_core = {0, 0}, cpu = {trial_s, trial_s};
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct mr_runread *run;
    struct mr_err err = {0};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        (void)signal(fatal[i], SIG_DFL); /* whatever the parent does about them */
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)setrlimit(RLIMIT_CPU, &cpu);
    (void)dup2(null, STDERR_FILENO); /* libc may have last words */
    if (open_run(path, options, &run, &err) != MR_OK || run == NULL)
        _exit(0); /* the reader will be told the same */
    if (options != NULL && options->trial != NULL) {
        options->trial(run);
        _exit(0);
    }
    for (size_t i = 0; i < run->n_set; i++) {
        const char *const *text;
        struct mr_err ignored = {0};
        if (run->set[i].is_text)
            (void)!mr_runread_texts(run, &run->set[i], &text, &ignored);
        else
            try_numbers(run, &run->set[i]);
    }
    mr_runread_close(run);
    _exit(0);
}

static mr_status try_in_child(const char *path, const struct mr_runread_options *options,
                              struct mr_err *err)
{
    int status = 0;
    const pid_t child = fork();
    if (child < 0)
        return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0}, "no process to try it in: %s",
                          strerror(errno));
    if (child == 0)
        try_all(path, options);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0},
                              "the process that tried it is lost: %s", strerror(errno));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? MR_OK
               : mr_err_set(err, MR_PARSE, (struct mr_place){path, 0, 0},
                            "is damaged: HDF5 does not survive reading it");
}

mr_status mr_runread_open(const char *path, const struct mr_runread_options *options,
                          struct mr_runread **out, struct mr_err *err)
{
    *out = NULL;
    MR_TRY(check_kind(path, err));
    MR_TRY(try_in_child(path, options, err));
    return open_run(path, options, out, err);
}

void mr_runread_close(struct mr_runread *run)
{
    if (run == NULL)
        return;
    if (run->file >= 0)
        (void)H5Fclose(run->file);
    mr_free(run->set);
    mr_free(run->texts);
    mr_free(run->attr);
    mr_arena_fini(&run->arena);
    mr_free(run);
}

const char *mr_runread_path(const struct mr_runread *run)
{
    return run->path;
}

bool mr_runread_is_complete(const struct mr_runread *run)
{
    return run->is_complete;
}

size_t mr_runread_n(const struct mr_runread *run)
{
    return run->n_set;
}

const struct mr_runread_set *mr_runread_at(const struct mr_runread *run, size_t i)
{
    return &run->set[i];
}

const struct mr_runread_set *mr_runread_find(const struct mr_runread *run, const char *path)
{
    for (size_t i = 0; i < run->n_set; i++)
        if (strcmp(run->set[i].path, path) == 0)
            return &run->set[i];
    return NULL;
}

size_t mr_runread_n_attr(const struct mr_runread *run)
{
    return run->n_attr;
}

const struct mr_runread_attr *mr_runread_attr_at(const struct mr_runread *run, size_t i)
{
    return &run->attr[i];
}

const char *mr_runread_attr(const struct mr_runread *run, const char *group, const char *name)
{
    for (size_t i = 0; i < run->n_attr; i++)
        if (strcmp(run->attr[i].group, group) == 0 && strcmp(run->attr[i].name, name) == 0)
            return run->attr[i].text;
    return NULL;
}

/* ---- values ---- */

size_t mr_runread_rows(const struct mr_runread *run, const struct mr_runread_set *set)
{
    if (set->rank == 0)
        return 1;
    const struct mr_runread_set *axis =
        set->axis[0][0] != '\0' ? mr_runread_find(run, set->axis[0]) : NULL;
    return axis != NULL && axis->rank == 1 && axis->dim[0] < set->dim[0] ? axis->dim[0]
                                                                         : set->dim[0];
}

size_t mr_runread_width(const struct mr_runread_set *set)
{
    size_t n = 1;
    for (size_t i = 1; i < set->rank; i++)
        n = set->dim[i] > 0 && n > SIZE_MAX / set->dim[i] ? SIZE_MAX : n * set->dim[i];
    return n;
}

/* A box of a dataset as doubles. */
static mr_status read_box(const struct mr_runread *run, const struct mr_runread_set *set,
                          const hsize_t *at, const hsize_t *n, double *value, struct mr_err *err)
{
    const hid_t dataset = H5Dopen2(run->file, set->path, H5P_DEFAULT);
    if (dataset < 0)
        return mr_runread_broken(err, run->path, set->path);
    const hid_t space = H5Dget_space(dataset);
    const hid_t memory =
        set->rank > 0 ? H5Screate_simple((int)set->rank, n, NULL) : H5Screate(H5S_SCALAR);
    const bool is_good =
        space >= 0 && memory >= 0 &&
        (set->rank == 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET, at, NULL, n, NULL) >= 0) &&
        H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, value) >= 0;
    const mr_status st = is_good ? MR_OK : mr_runread_broken(err, run->path, set->path);
    if (space >= 0)
        (void)H5Sclose(space);
    if (memory >= 0)
        (void)H5Sclose(memory);
    (void)H5Dclose(dataset);
    return st;
}

mr_status mr_runread_f64(const struct mr_runread *run, const struct mr_runread_set *set,
                         size_t first, size_t n, double *value, struct mr_err *err)
{
    hsize_t at[MR_RUNREAD_RANK] = {first}, extent[MR_RUNREAD_RANK] = {n};
    if (set->is_text)
        return wrong(run, set, err, MR_SCHEMA, "it holds texts, not numbers");
    if (set->rank > 0 && (first > set->dim[0] || n > set->dim[0] - first))
        return wrong(run, set, err, MR_RANGE, "it has fewer rows");
    for (size_t i = 1; i < set->rank; i++)
        extent[i] = set->dim[i];
    if (n == 0 || mr_runread_width(set) == 0)
        return MR_OK;
    return read_box(run, set, at, extent, value, err);
}

mr_status mr_runread_all(const struct mr_runread *run, const struct mr_runread_set *set,
                         double **value, struct mr_err *err)
{
    const size_t n = mr_runread_rows(run, set), width = mr_runread_width(set);
    *value = NULL;
    if (width > 0 && n > VALUE_MAX / width)
        return wrong(run, set, err, MR_LIMIT, "it is larger than can be read at once");
    *value = mr_alloc(n * width + 1, sizeof **value);
    if (*value == NULL)
        return mr_err_nomem(err, n * width * sizeof **value);
    const mr_status st = mr_runread_f64(run, set, 0, n, *value, err);
    if (st != MR_OK) {
        mr_free(*value);
        *value = NULL;
    }
    return st;
}

mr_status mr_runread_column(const struct mr_runread *run, const struct mr_runread_set *set,
                            size_t column, double *value, struct mr_err *err)
{
    const size_t n = mr_runread_rows(run, set);
    const hsize_t at[MR_RUNREAD_RANK] = {0, column}, extent[MR_RUNREAD_RANK] = {n, 1};
    if (set->is_text || set->rank != 2 || column >= set->dim[1])
        return wrong(run, set, err, MR_SCHEMA, "it has no such column of numbers");
    return n > 0 ? read_box(run, set, at, extent, value, err) : MR_OK;
}

/* Texts as HDF5 gives them, made ours. */
static mr_status copy_texts(struct mr_runread *run, char **text, size_t n, const char **out,
                            struct mr_err *err)
{
    MR_ASSERT(text != NULL || n == 0);
    for (size_t i = 0; i < n; i++) {
        out[i] = mr_runread_keep(run, text[i] != NULL ? text[i] : "", err);
        if (out[i] == NULL)
            return MR_NOMEM;
    }
    return MR_OK;
}

static mr_status read_texts(struct mr_runread *run, const struct mr_runread_set *set, hid_t dataset,
                            size_t n, const char **out, struct mr_err *err)
{
    const hid_t own = H5Dget_type(dataset), type = H5Tcopy(H5T_C_S1);
    char **text = mr_alloc_zero(n + 1, sizeof *text);
    mr_status st = MR_OK;
    if (text == NULL)
        st = mr_err_nomem(err, n * sizeof *text);
    else if (own < 0 || H5Tis_variable_str(own) <= 0)
        st = wrong(run, set, err, MR_SCHEMA, "its texts are not of variable length");
    else if (type < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 ||
             H5Tset_cset(type, H5Tget_cset(own)) < 0 ||
             H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0)
        st = mr_runread_broken(err, run->path, set->path);
    if (st == MR_OK)
        st = copy_texts(run, text, n, out, err);
    for (size_t i = 0; text != NULL && i < n; i++)
        if (text[i] != NULL)
            (void)H5free_memory(text[i]);
    mr_free(text);
    if (own >= 0)
        (void)H5Tclose(own);
    if (type >= 0)
        (void)H5Tclose(type);
    return st;
}

mr_status mr_runread_texts(struct mr_runread *run, const struct mr_runread_set *set,
                           const char *const **text, struct mr_err *err)
{
    const size_t i = (size_t)(set - run->set), n = set->rank == 0 ? 1 : set->dim[0];
    *text = NULL;
    if (!set->is_text || set->rank > 1 || n > text_max_bytes)
        return wrong(run, set, err, MR_SCHEMA, "it is no list of texts");
    if (run->texts[i].item == NULL) {
        const char **item = mr_arena_zero(&run->arena, n + 1, sizeof *item, err);
        if (item == NULL)
            return MR_NOMEM;
        const hid_t dataset = H5Dopen2(run->file, set->path, H5P_DEFAULT);
        if (dataset < 0)
            return mr_runread_broken(err, run->path, set->path);
        const mr_status st = read_texts(run, set, dataset, n, item, err);
        (void)H5Dclose(dataset);
        MR_TRY(st);
        run->texts[i].item = item;
    }
    *text = run->texts[i].item;
    return MR_OK;
}
