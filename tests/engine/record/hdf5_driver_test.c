/* SPDX-License-Identifier: Apache-2.0 */
/* A run file after every single write to it. A process under SIGKILL leaves what its writes have
 * left, so the run is a child that stops before each of them, and this process opens the file,
 * walks over all that is in it, and lets it go on; the first of the rules is that a file is either
 * empty or opens. Then the same by real kills, of the run alone and of its helper with it. The
 * linker routes pwrite and ftruncate of our objects through here. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, F_OFD_SETLKW */
#include "engine/record/columns.h"
#include "engine/record/runfile.h"
#include "engine/record/track.h"
#include "tests/engine/record/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    n_pump = 520, /* two chunks beside each other */
    n_flush = 7,
    row_flush = 40000, /* of the meter, whose index then has two levels */
    n_row = n_flush * row_flush,
    n_group = 20,
    n_attr = 20,
    n_kept = 50
};

/* What grows at its own pace: one row for so many of the meter. */
enum series {
    METER,
    EVENTS,
    PUMPS,
    N_SERIES
};
static const struct {
    const char *group;
    int every;
} series[N_SERIES] = {{"site/", 1}, {"events/", 4}, {"plant/pumps/", 500}};

/* ---- the run ---- */

static const struct mr_channel pump_channel[] = {
    {.name = "flow_lpm", .units = "L min-1", .long_name = "Flow", .type = MR_CHANNEL_F64},
    {.name = "state",
     .units = "1",
     .long_name = "State",
     .type = MR_CHANNEL_U8,
     .flag = (const char *const[]){"off", "on"},
     .n_flag = 2},
};

static const struct mr_channel meter_channel[] = {
    {.name = "power_kw", .units = "kW", .long_name = "Power", .type = MR_CHANNEL_F32_OF_F64},
};

struct event {
    uint64_t number;
    double t_s;
};

static const struct mr_channel event_column[] = {
    MR_COLUMN(struct event, number, U64, "1", "Number"),
    MR_COLUMN(struct event, t_s, F64, "s", "Time"),
};

struct streams {
    struct mr_track *pumps, *meter;
    struct mr_columns *events, *few;
};

static mr_status declare(struct mr_runfile *file, struct streams *s, struct mr_err *err)
{
    static const char *const name[n_pump] = {[0] = "first"};
    static const char *names[n_pump];
    const struct mr_track_plan pumps = {.group = "/plant/pumps",
                                        .axis = "pump",
                                        .axis_name = "Pumps",
                                        .name = names,
                                        .n_entity = n_pump,
                                        .interval_s = 1,
                                        .channel = pump_channel,
                                        .n_channel = 2};
    const struct mr_track_plan meter = {
        .group = "/site", .interval_s = 1, .channel = meter_channel, .n_channel = 1};
    const struct mr_columns_plan events = {.group = "/events",
                                           .axis = "event",
                                           .column = event_column,
                                           .n_column = 2,
                                           .row_bytes = sizeof(struct event)};
    struct mr_columns_plan few = events;
    for (int i = 0; i < n_pump; i++)
        names[i] = name[i] != NULL ? name[i] : "pump";
    few.group = "/few";
    few.n_kept = n_kept;
    MR_TRY(mr_track_create(file, &pumps, &s->pumps, err));
    MR_TRY(mr_track_create(file, &meter, &s->meter, err));
    MR_TRY(mr_columns_create(file, &events, &s->events, err));
    MR_TRY(mr_columns_create(file, &few, &s->few, err));
    return mr_runfile_text(file, "/config", "effective", "Configuration", "<run/>", err);
}

static double value_of(size_t row, size_t i)
{
    return (double)(row + i % 5);
}

static mr_status give_pumps(struct streams *s, size_t row, struct mr_err *err)
{
    static double flow[n_pump];
    static uint8_t state[n_pump];
    for (size_t i = 0; i < n_pump; i++) {
        flow[i] = value_of(row, i);
        state[i] = (uint8_t)(row & 1);
    }
    return mr_track_row(s->pumps, (double)row, (const void *const[]){flow, state}, err);
}

static mr_status give(struct streams *s, size_t row, struct mr_err *err)
{
    const double power = (double)row;
    if (row % (size_t)series[PUMPS].every == 0)
        MR_TRY(give_pumps(s, row / (size_t)series[PUMPS].every, err));
    if (row % (size_t)series[EVENTS].every == 0) {
        const size_t i = row / (size_t)series[EVENTS].every;
        const struct event event = {i, (double)i};
        MR_TRY(mr_columns_add(s->events, &event, 1, err));
        MR_TRY(mr_columns_add(s->few, &event, 1, err));
    }
    return mr_track_row(s->meter, (double)row, (const void *const[]){&power}, err);
}

/* Groups and attributes by the dozen, old groups and old axes used again. */
static mr_status conclude(struct mr_runfile *file, struct mr_err *err)
{
    static const double value[n_pump] = {1};
    static const struct mr_channel mean = {
        .name = "mean_lpm", .units = "L min-1", .long_name = "Mean flow", .type = MR_CHANNEL_F64};
    const struct mr_runfile_array means = {.group = "/plant/pumps",
                                           .channel = &mean,
                                           .axis = {"pump"},
                                           .n = {n_pump},
                                           .values = value};
    char name[32];
    MR_TRY(mr_runfile_put(file, &means, err));
    for (int i = 0; i < n_attr; i++) {
        snprintf(name, sizeof name, "a%d", i);
        MR_TRY(mr_runfile_attr_text(file, "/events", name, "text", err));
        MR_TRY(mr_runfile_attr_f64(file, "/", name, i, err));
    }
    for (int i = 0; i < n_group; i++) {
        snprintf(name, sizeof name, "/group_%d", i);
        MR_TRY(mr_runfile_axis(file, name, "place", "Places", (const char *const[]){"a", "b"}, 2,
                               err));
        MR_TRY(mr_runfile_text(file, "/config", name + 1, "Text", "text", err));
    }
    return MR_OK;
}

/* What both sides see. */
static struct shared {
    pid_t run;
    bool is_live;
    int n_flushed; /* rows of the meter */
    bool is_started, is_ending, is_helper;
    int n_call; /* writes so far */
    int kill_at;
    bool is_helper_killed, has_killed;
} * shared;

static mr_status play(struct mr_runfile *file, struct mr_err *err)
{
    struct streams s;
    MR_TRY(declare(file, &s, err));
    MR_TRY(mr_runfile_start(file, err));
    MR_TRY(mr_runfile_flush(file, err)); /* the start is the thread's */
    shared->is_started = true;
    for (size_t row = 0; row < n_row; row++) {
        MR_TRY(give(&s, row, err));
        if ((row + 1) % row_flush == 0) {
            MR_TRY(mr_runfile_flush(file, err));
            shared->n_flushed = (int)row + 1;
        }
    }
    MR_TRY(mr_runfile_stop(file, err));
    MR_TRY(conclude(file, err));
    shared->is_ending = true;
    return mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "done", err);
}

static mr_status run(const char *path)
{
    struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_runfile *file;
    struct mr_err err = {0};
    options.may_overwrite = true;
    options.flush_s = 1e6; /* when told */
    options.level = 1;
    options.is_live = shared->is_live;
    MR_TRY(mr_runfile_create(path, &options, &file, &err));
    const mr_status st = play(file, &err);
    mr_runfile_destroy(file);
    return st;
}

/* ---- before each write ---- */

static int asking = -1, answering = -1; /* pipes of the child; -1: it does not stop */

static void before_write(void)
{
    const int saved = errno;
    const pid_t self = getpid();
    char byte = 0;
    shared->n_call++;
    shared->is_helper = self != shared->run;
    if (shared->n_call == shared->kill_at) {
        shared->has_killed = true;
        kill(shared->run, SIGKILL);
        if (shared->is_helper_killed)
            kill(self, SIGKILL);
    }
    if (asking >= 0 && (write(asking, &byte, 1) != 1 || read(answering, &byte, 1) != 1))
        abort();
    errno = saved;
}

ssize_t __real_pwrite(int fd, const void *from, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *from, size_t n, off_t at);
int __real_ftruncate(int fd, off_t n);
int __wrap_ftruncate(int fd, off_t n);

ssize_t __wrap_pwrite(int fd, const void *from, size_t n, off_t at)
{
    before_write();
    return __real_pwrite(fd, from, n, at);
}

int __wrap_ftruncate(int fd, off_t n)
{
    before_write();
    const int rc = __real_ftruncate(fd, n);
    before_write(); /* the next may be the helper's, too late to see this one alone */
    return rc;
}

/* ---- what is in the file ---- */

/* The value of a place is that of its row but for two datasets. */
static size_t first_wrong(const char *dataset, const double *value, size_t n, size_t n_col)
{
    const bool is_flow = strcmp(dataset, "plant/pumps/flow_lpm") == 0;
    const bool is_state = strcmp(dataset, "plant/pumps/state") == 0;
    for (size_t k = 0, row = 0, i = 0; k < n; k++) {
        const double want = is_flow ? value_of(row, i) : (double)(is_state ? row & 1 : row);
        if (value[k] != want)
            return k;
        i = i + 1 < n_col ? i + 1 : 0;
        row += i == 0;
    }
    return n;
}

struct look {
    hid_t file;
    struct {
        size_t n;
        hsize_t least, most; /* rows of all its datasets */
    } series[N_SERIES];
};

static herr_t read_attr(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    (void)info;
    (void)context;
    const hid_t attr = H5Aopen(object, name, H5P_DEFAULT);
    const hid_t type = H5Aget_type(attr), space = H5Aget_space(attr);
    if (attr < 0 || type < 0 || space < 0)
        fail_msg("attribute %s cannot be opened", name);
    const size_t n = (size_t)H5Sget_simple_extent_npoints(space);
    void *value = malloc(n * H5Tget_size(type) + 1);
    if (value == NULL || H5Aread(attr, type, value) < 0)
        fail_msg("attribute %s cannot be read", name);
    if (H5Tdetect_class(type, H5T_VLEN) > 0 || H5Tis_variable_str(type) > 0)
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, value);
    free(value);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attr);
    return 0;
}

static enum series series_of(const char *name)
{
    enum series i = METER;
    while (i < N_SERIES && strncmp(name, series[i].group, strlen(series[i].group)) != 0)
        i++;
    return i;
}

static void check_series(const char *name, hid_t set, const hsize_t *dim, int rank,
                         struct look *look)
{
    const enum series of = series_of(name);
    const size_t n_col = rank > 1 ? (size_t)dim[1] : 1, n = (size_t)dim[0] * n_col;
    double *value = malloc(n * sizeof *value + 1);
    if (value == NULL ||
        H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0) {
        free(value);
        fail_msg("%s cannot be read", name);
        return;
    }
    const size_t bad = first_wrong(name, value, n, n_col);
    if (bad < n)
        fail_msg("%s: row %zu of %zu, place %zu: %g", name, bad / n_col, (size_t)dim[0],
                 bad % n_col, value[bad]);
    free(value);
    if (look->series[of].n++ == 0 || dim[0] < look->series[of].least)
        look->series[of].least = dim[0];
    if (dim[0] > look->series[of].most)
        look->series[of].most = dim[0];
}

static void check_dataset(const char *name, hid_t set, struct look *look)
{
    hsize_t dim[2] = {0}, dim_max[2] = {0};
    const hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    const int rank = H5Sget_simple_extent_dims(space, dim, dim_max);
    const size_t n = (size_t)H5Sget_simple_extent_npoints(space);
    if (rank > 0 && dim_max[0] == H5S_UNLIMITED && series_of(name) < N_SERIES &&
        strcmp(name, "events/event") != 0) {
        check_series(name, set, dim, rank, look);
    } else {
        void *value = malloc(n * H5Tget_size(type) + 1);
        if (value == NULL || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0)
            fail_msg("%s cannot be read", name);
        if (H5Tis_variable_str(type) > 0)
            H5Dvlen_reclaim(type, space, H5P_DEFAULT, value);
        free(value);
    }
    H5Tclose(type);
    H5Sclose(space);
}

static herr_t visit(hid_t root, const char *name, const H5O_info_t *info, void *context)
{
    struct look *look = context;
    const hid_t object = H5Oopen(root, name, H5P_DEFAULT);
    if (object < 0)
        fail_msg("%s cannot be opened", name);
    if (H5Aiterate2(object, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, read_attr, NULL) < 0)
        fail_msg("attributes of %s cannot be told", name);
    if (info->type == H5O_TYPE_DATASET)
        check_dataset(name, object, look);
    H5Oclose(object);
    return 0;
}

/* As a reader opens it, who takes it from a writer that only waits. What is live is marked as being
 * written; HDF5's h5clear -s takes the mark off a copy just like this. */
static hid_t open_part(const char *path)
{
    const bool is_clear = true;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    char copy[600], command[1300];
    H5Pset_file_locking(access, false, true);
    snprintf(copy, sizeof copy, "%s", path);
    if (shared->is_live) {
        snprintf(copy, sizeof copy, "%s.copy", path);
        snprintf(command, sizeof command, "cp '%s' '%s'", path, copy);
        assert_int_equal(system(command), 0);
        assert_true(H5Pset(access, "clear_status_flags", &is_clear) >= 0);
    }
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t file = H5Fopen(copy, shared->is_live ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (file < 0)
        fail_msg("before write %d (of %s) the file cannot be opened", shared->n_call,
                 shared->is_helper ? "the helper" : "the run");
    return file;
}

/* @param[in] is_torn the helper has not come to its end: while it makes the file of nothing it is
 * none, later not all datasets of a group have the rows of the last flush
 * @return rows of the meter; 0 of a file that is empty yet */
static size_t check_file(const char *path, bool is_torn)
{
    struct look look = {.file = -1};
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    if (st.st_size == 0 || (is_torn && !shared->is_started)) {
        assert_false(shared->is_started);
        return 0;
    }
    look.file = open_part(path);
    const char *status = h5_attr(look.file, "/", "status");
    if (strcmp(status, "partial") != 0 && !(shared->is_ending && strcmp(status, "complete") == 0))
        fail_msg("before write %d the status is \"%s\"", shared->n_call, status);
    if (H5Ovisit(look.file, H5_INDEX_NAME, H5_ITER_INC, visit, &look) < 0)
        fail_msg("before write %d not all objects can be told", shared->n_call);
    H5Fclose(look.file);
    for (int i = 0; i < N_SERIES; i++) {
        const int least = (int)look.series[i].least, most = (int)look.series[i].most;
        assert_int_equal(look.series[i].n, i == PUMPS ? 3 : 2);
        if (least != most && !is_torn)
            fail_msg("before write %d %s has %d to %d rows", shared->n_call, series[i].group, least,
                     most);
        if (least < shared->n_flushed / series[i].every)
            fail_msg("before write %d %s has %d rows, %d of the meter were flushed", shared->n_call,
                     series[i].group, least, shared->n_flushed);
    }
    return (size_t)look.series[METER].least;
}

static const char *part_of(const char *path)
{
    static char part[600];
    snprintf(part, sizeof part, "%s.part", path);
    return part;
}

static void share(void)
{
    if (shared == NULL)
        shared =
            mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    *shared = (struct shared){0};
}

static void stop_at_each_write(bool is_live)
{
    char path[512], byte;
    int ask[2], answer[2], status, n_helped = 0, n_look = 0;
    size_t most = 0;
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("run.h5"));
    share();
    shared->is_live = is_live;
    assert_int_equal(pipe(ask), 0);
    assert_int_equal(pipe(answer), 0);
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        close(ask[0]);
        close(answer[1]);
        shared->run = getpid();
        asking = ask[1];
        answering = answer[0];
        _exit(run(path) == MR_OK ? 0 : 1);
    }
    close(ask[1]);
    close(answer[0]);
    for (; read(ask[0], &byte, 1) == 1; n_look++) {
        const size_t n = check_file(part_of(path), shared->is_helper);
        assert_true(n >= most);
        most = n;
        n_helped += shared->is_helper;
        assert_int_equal(write(answer[1], &byte, 1), 1);
    }
    close(ask[0]);
    close(answer[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(check_file(path, false), n_row);
    assert_int_equal(n_look, shared->n_call);
    assert_true(n_helped > 100 && n_look > n_helped + 100);
}

MR_TEST(a_file_hangs_together_after_each_write)
{
    stop_at_each_write(false);
}

MR_TEST(a_live_file_hangs_together_after_each_write)
{
    stop_at_each_write(true);
}

/* Who has the part open has its locks: the file's own, and HDF5's. */
static void wait_for_the_helper(const char *part)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open(part, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    assert_int_equal(fcntl(fd, F_OFD_SETLKW, &lock), 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    close(fd);
}

/* @return whether it came to that */
static bool kill_at(const char *path, int n_call, bool is_helper_killed)
{
    int status;
    share();
    shared->is_live = n_call % 2 == 0;
    shared->kill_at = n_call;
    shared->is_helper_killed = is_helper_killed;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        shared->run = getpid();
        _exit(run(path) == MR_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    wait_for_the_helper(part_of(path));
    if (!shared->has_killed) {
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        return false;
    }
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(access(path, F_OK), -1);
    (void)check_file(part_of(path), is_helper_killed && shared->is_helper);
    return true;
}

static void kill_all_along(bool is_helper_killed)
{
    enum {
        stride = 37
    };
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path(is_helper_killed ? "both.h5" : "killed.h5"));
    int n = 1;
    while (kill_at(path, n, is_helper_killed))
        n += stride;
    assert_true(n > 10 * stride);
}

MR_TEST(killed_all_along)
{
    kill_all_along(false);
}

MR_TEST(killed_with_its_helper)
{
    kill_all_along(true);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_file_hangs_together_after_each_write),
             MR_TEST_ENTRY(a_live_file_hangs_together_after_each_write),
             MR_TEST_ENTRY(killed_all_along), MR_TEST_ENTRY(killed_with_its_helper))
