/* SPDX-License-Identifier: Apache-2.0 */
/* What is left when a run does not end well: killed at any moment, a full disk, a limit on files, a
 * folder that cannot be written; and that a long run needs no more memory than a short one.
 * Runs are child processes; a row's values say which row it is, so a reader can check each. */
#define _GNU_SOURCE /* pipe2, unshare */
#include "engine/base/wall.h"
#include "engine/record/columns.h"
#include "engine/record/runfile.h"
#include "engine/record/track.h"
#include "tests/engine/record/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    n_pump = 600,
    n_forever = 1 << 30
};

static const struct mr_channel pump_channel[] = {
    {.name = "flow_lpm", .units = "L min-1", .long_name = "Flow", .type = MR_CHANNEL_F64},
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

/* Hard to compress, and a function of place and row. */
static double flow(size_t pump, size_t row)
{
    const uint64_t x = (row * 1000003 + pump) * UINT64_C(0x9E3779B97F4A7C15);
    return (double)(x >> 11) * 0x1p-53;
}

struct child {
    const char *path;
    struct mr_runfile_options options;
    int n_row;
    int report;    /* a row's number is written here once it is flushed; -1: nobody asks */
    int every;     /* rows between explicit flushes; 0: none */
    long pause_ns; /* after every eighth row */
};

static mr_status declare(struct mr_runfile *file, struct mr_track **series,
                         struct mr_columns **events, struct mr_err *err)
{
    const struct mr_track_plan pumps = {.group = "/pumps",
                                        .axis = "pump",
                                        .axis_name = "Pumps",
                                        .n_entity = n_pump,
                                        .interval_s = 1,
                                        .channel = pump_channel,
                                        .n_channel = 2};
    const struct mr_columns_plan plan = {.group = "/events",
                                         .axis = "event",
                                         .column = event_column,
                                         .n_column = 2,
                                         .row_bytes = sizeof(struct event)};
    MR_TRY(mr_track_create(file, &pumps, series, err));
    MR_TRY(mr_columns_create(file, &plan, events, err));
    return mr_runfile_start(file, err);
}

static mr_status give(struct mr_track *series, struct mr_columns *events, size_t row,
                      struct mr_err *err)
{
    static double values[n_pump];
    const void *const value[] = {values, values};
    const struct event event = {row, (double)row};
    for (size_t i = 0; i < n_pump; i++)
        values[i] = flow(i, row);
    MR_TRY(mr_track_row(series, (double)row, value, err));
    return mr_columns_add(events, &event, 1, err);
}

static mr_status rows(const struct child *c, struct mr_runfile *file, struct mr_err *err)
{
    struct mr_track *series;
    struct mr_columns *events;
    MR_TRY(declare(file, &series, &events, err));
    for (int row = 0; row < c->n_row; row++) {
        MR_TRY(give(series, events, (size_t)row, err));
        if (c->every > 0 && (row + 1) % c->every == 0) {
            const int n = row + 1;
            MR_TRY(mr_runfile_flush(file, err));
            if (c->report >= 0 && write(c->report, &n, sizeof n) != sizeof n)
                return MR_IO;
        }
        if (c->pause_ns > 0 && row % 8 == 0)
            nanosleep(&(struct timespec){.tv_nsec = c->pause_ns}, NULL);
    }
    return MR_OK;
}

static mr_status run(const struct child *c, struct mr_err *err)
{
    struct mr_runfile *file;
    MR_TRY(mr_runfile_create(c->path, &c->options, &file, err));
    mr_status st = rows(c, file, err);
    if (st == MR_OK)
        st = mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "done", err);
    mr_runfile_destroy(file);
    return st;
}

/* Every row there is right, in every dataset. @param[in] may_differ datasets of a group in length
 * @return rows that all of them have */
static size_t check_file(hid_t file, bool may_differ)
{
    hsize_t dim[2], first = 0, least = n_forever;
    static const char *const names[] = {"/pumps/flow_lpm", "/pumps/power_kw", "/pumps/time",
                                        "/events/number", "/events/t_s"};
    for (size_t k = 0; k < 5; k++) {
        size_t n;
        h5_extent(file, names[k], dim);
        least = dim[0] < least ? dim[0] : least;
        if (k == 0 || k == 3) /* of a group */
            first = dim[0];
        if (dim[0] != first && !may_differ)
            fail_msg("%s has %zu rows, others %zu", names[k], (size_t)dim[0], (size_t)first);
        double *value = h5_f64(file, names[k], &n);
        for (size_t row = 0; row < dim[0]; row++)
            for (size_t i = 0; i < (dim[1] > 0 ? dim[1] : 1); i++) {
                const double is = value[row * (dim[1] > 0 ? dim[1] : 1) + i];
                const double want = k == 0   ? flow(i, row)
                                    : k == 1 ? (double)(float)flow(i, row)
                                             : (double)row;
                if (is != want)
                    fail_msg("%s: row %zu of %zu, place %zu: %g, not %g", names[k], row,
                             (size_t)dim[0], i, is, want);
            }
        free(value);
    }
    return (size_t)least;
}

static struct mr_runfile_options options_now(void)
{
    struct mr_runfile_options options = mr_runfile_options_default();
    options.may_overwrite = true;
    return options;
}

/* A child that is killed after delay_ns; afterwards all it said was flushed must be there. */
static size_t kill_after(const char *path, bool is_live, int every, long delay_ns)
{
    char part[600];
    int report[2], flushed = 0, n;
    assert_int_equal(pipe2(report, O_CLOEXEC), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        struct child c = {path, options_now(), n_forever, report[1], every, 300000};
        struct mr_err err = {0};
        c.options.is_live = is_live;
        c.options.flush_s = 0.002;
        _exit(run(&c, &err) == MR_OK ? 0 : 1);
    }
    close(report[1]);
    assert_int_equal(read(report[0], &flushed, sizeof flushed), sizeof flushed);
    nanosleep(&(struct timespec){.tv_nsec = delay_ns}, NULL);
    kill(pid, SIGKILL);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    while (read(report[0], &n, sizeof n) == sizeof n)
        flushed = n;
    close(report[0]);
    snprintf(part, sizeof part, "%s.part", path);
    assert_int_equal(access(path, F_OK), -1);
    const hid_t file = h5_open(part, is_live ? H5F_ACC_RDONLY | H5F_ACC_SWMR_READ : H5F_ACC_RDONLY);
    if (file < 0)
        fail_msg("%s, killed after %d rows, cannot be opened", part, flushed);
    assert_string_equal(h5_attr(file, "/", "status"), "partial");
    const size_t n_row = check_file(file, false);
    H5Fclose(file);
    if (n_row < (size_t)flushed)
        fail_msg("%d rows were flushed, %zu are there", flushed, n_row);
    return n_row;
}

static void kill_many(bool is_live)
{
    char path[512];
    size_t n_row = 0;
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("killed.h5"));
    const char *many = getenv("MILLRACE_TEST_KILLS");
    const int n = many != NULL ? atoi(many) : 20;
    for (int i = 0; i < n; i++)
        n_row += kill_after(path, is_live, 1 + i % 50, 100000 + (long)i * 7919173 % 60000000);
    assert_true(n_row > (size_t)n);
}

MR_TEST(killed_at_any_moment)
{
    kill_many(false);
}

MR_TEST(killed_while_live)
{
    kill_many(true);
}

/* ---- disks ---- */

static void check_failed(const struct child *c, const struct mr_err *err, const char *reason)
{
    char part[600];
    snprintf(part, sizeof part, "%s.part", c->path);
    mr_assert_contains(err->text, reason);
    assert_string_equal(err->file, part);
    assert_int_equal(access(c->path, F_OK), -1);
    const hid_t file = h5_open(part, H5F_ACC_RDONLY);
    if (file < 0)
        fail_msg("%s cannot be opened after: %s", part, err->text);
    assert_string_equal(h5_attr(file, "/", "status"), "failed");
    mr_assert_contains(h5_attr(file, "/", "exit_reason"), reason);
    assert_true(check_file(file, false) >= 128);
    H5Fclose(file);
}

/* In a child, since a limit or a mount is the process's own. 0: passed; 77: cannot be set up */
static void in_child(int (*body)(void), const char *what)
{
    int status;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0)
        exit(body()); /* not _exit: HDF5 must end well too */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        mr_test_skip("%s", what);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child ended with %d (signal %d)", WEXITSTATUS(status), WTERMSIG(status));
}

static int fill_limit(void)
{
    static const struct rlimit limit = {6 << 20, 6 << 20};
    char path[512];
    struct mr_err err = {0};
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("limit.h5"));
    struct child c = {path, options_now(), 2000, -1, 0, 0};
    c.options.flush_s = 0.01;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 77;
    assert_int_equal(run(&c, &err), MR_IO);
    check_failed(&c, &err, "limit on the size of files (ulimit -f)");
    return 0;
}

MR_TEST(limit_on_the_size_of_files)
{
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp());
    in_child(fill_limit, "no limit can be set");
}

static char mount_point[512];

/* A small disk that only this process sees: it is gone with it, however it ends. */
static bool mount_disk(unsigned long flags, const char *size)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", mount_point, "tmpfs", flags, size) == 0;
}

static int fill_disk(void)
{
    char path[600];
    for (int i = 0; i < 8; i++) {
        const bool is_live = i % 2, is_before_a_flush = i % 4 / 2;
        struct mr_err err = {0};
        if (!mount_disk(0, "size=8m"))
            return 77;
        snprintf(path, sizeof path, "%s/full.h5", mount_point);
        struct child c = {path, options_now(), 20000, -1, 0, 0};
        c.options.flush_s = is_before_a_flush ? 1e6 : 0.005;
        c.options.reserve_bytes = (size_t)(i < 4 ? 1 : 3) << 20;
        c.options.is_live = is_live;
        const mr_status st = run(&c, &err);
        if (st == MR_IO)
            check_failed(&c, &err, "No space left on device");
        umount(mount_point);
        if (st != MR_IO)
            return 1;
    }
    return 0;
}

/* Too small for what is held back: the file cannot even be closed, and the process still ends. */
static int fill_tiny_disk(void)
{
    char path[600];
    struct mr_err err = {0};
    if (!mount_disk(0, "size=200k"))
        return 77;
    snprintf(path, sizeof path, "%s/full.h5", mount_point);
    struct child c = {path, options_now(), 20000, -1, 0, 0};
    const mr_status st = run(&c, &err);
    return st == MR_IO && strstr(err.text, "No space left on device") != NULL ? 0 : 1;
}

/* Whatever fits, the part opens or is not there. */
static int fill_small_disks(void)
{
    char path[600], part[620], size[32];
    int n_gone = 0, n_left = 0;
    for (int kb = 4; kb <= 256; kb += kb < 64 ? 4 : 16) {
        struct mr_err err = {0};
        snprintf(size, sizeof size, "size=%dk", kb);
        if (!mount_disk(0, size))
            return 77;
        snprintf(path, sizeof path, "%s/full.h5", mount_point);
        snprintf(part, sizeof part, "%s.part", path);
        struct child c = {path, options_now(), 20000, -1, 0, 0};
        c.options.reserve_bytes = (size_t)kb << 8; /* a quarter of it */
        const mr_status st = run(&c, &err);
        const bool is_there = access(part, F_OK) == 0;
        n_gone += !is_there;
        n_left += is_there;
        if (st != MR_IO || err.text[0] == '\0' || (is_there && H5Fis_hdf5(part) <= 0) ||
            (is_there && strstr(err.text, "taken away") != NULL)) {
            fprintf(stderr, "%d KB: %s\n", kb, err.text);
            return 1;
        }
        umount(mount_point);
    }
    return n_gone > 0 && n_left > 0 ? 0 : 1;
}

MR_TEST(small_disks)
{
    snprintf(mount_point, sizeof mount_point, "%s", mr_test_tmp_path("disk"));
    assert_int_equal(mkdir(mount_point, 0700), 0);
    in_child(fill_small_disks, "a small disk cannot be mounted here (needs root)");
}

MR_TEST(tiny_disk)
{
    snprintf(mount_point, sizeof mount_point, "%s", mr_test_tmp_path("disk"));
    assert_int_equal(mkdir(mount_point, 0700), 0);
    in_child(fill_tiny_disk, "a small disk cannot be mounted here (needs root)");
}

MR_TEST(full_disk)
{
    snprintf(mount_point, sizeof mount_point, "%s", mr_test_tmp_path("disk"));
    assert_int_equal(mkdir(mount_point, 0700), 0);
    in_child(fill_disk, "a small disk cannot be mounted here (needs root)");
}

MR_TEST(targets_that_cannot_be_written)
{
    struct mr_err err = {0};
    struct mr_runfile *file;
    struct mr_runfile_options options = mr_runfile_options_default();
    assert_int_equal(mr_runfile_create("/no/such/folder/run.h5", &options, &file, &err), MR_IO);
    assert_string_equal(err.file, "/no/such/folder/run.h5.part");
    mr_assert_contains(err.text, "No such file or directory");
    static const char *const stream[] = {"-", "/dev/null"};
    for (int i = 0; i < 2; i++) {
        err = (struct mr_err){0};
        assert_int_equal(mr_runfile_create(stream[i], &options, &file, &err), MR_IO);
        mr_assert_contains(err.text, "needs a name on a disk");
    }
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_write("there.h5", "old", 3));
    err = (struct mr_err){0};
    assert_int_equal(mr_runfile_create(path, &options, &file, &err), MR_IO);
    mr_assert_contains(err.text, "exists already (-f overwrites it)");
    struct mr_runfile *second;
    err = (struct mr_err){0};
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("held.h5"));
    assert_int_equal(mr_runfile_create(path, &options, &file, &err), MR_OK);
    assert_int_equal(mr_runfile_create(path, &options, &second, &err), MR_IO);
    mr_assert_contains(err.text, "another process is writing this file");
    mr_runfile_destroy(file);
    assert_int_equal(mr_test_live_allocations(), 0);
}

static int read_only(void)
{
    char path[600];
    struct mr_err err = {0};
    struct mr_runfile *file;
    const struct mr_runfile_options options = mr_runfile_options_default();
    if (!mount_disk(MS_RDONLY, "size=1m"))
        return 77;
    snprintf(path, sizeof path, "%s/run.h5", mount_point);
    const mr_status st = mr_runfile_create(path, &options, &file, &err);
    umount(mount_point);
    assert_int_equal(st, MR_IO);
    mr_assert_contains(err.text, "Read-only file system");
    return 0;
}

MR_TEST(read_only_disk)
{
    snprintf(mount_point, sizeof mount_point, "%s", mr_test_tmp_path("disk"));
    assert_int_equal(mkdir(mount_point, 0700), 0);
    in_child(read_only, "a read-only disk cannot be mounted here (needs root)");
}

/* ---- a reader beside a live run ---- */

static int follow(const char *part)
{
    size_t last = 0, n_look = 0;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    for (int i = 0; i < 2000 && n_look < 20; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        const hid_t file = H5Fopen(part, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, H5P_DEFAULT);
        if (file < 0)
            continue;
        const size_t n = check_file(file, true); /* a flush half way */
        H5Fclose(file);
        if (n < last)
            return 1;
        n_look += n > last;
        last = n;
    }
    return n_look >= 20 ? 0 : 2;
}

MR_TEST(read_while_it_grows)
{
    char path[512], part[600];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("watched.h5"));
    snprintf(part, sizeof part, "%s.part", path);
    fflush(NULL);
    const pid_t writer = fork();
    if (writer == 0) {
        struct child c = {path, options_now(), n_forever, -1, 0, 5000000};
        struct mr_err err = {0};
        c.options.is_live = true;
        c.options.flush_s = 0.005;
        _exit(run(&c, &err) == MR_OK ? 0 : 1);
    }
    const int seen = follow(part);
    kill(writer, SIGKILL);
    int status;
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(seen, 0);
}

/* Readers that look in all the time, also while the file is made and closed, never stop a run. */
MR_TEST(onlookers_do_not_stop_a_run)
{
    char path[512], part[600];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("crowd.h5"));
    snprintf(part, sizeof part, "%s.part", path);
    fflush(NULL);
    const pid_t reader = fork();
    if (reader == 0) {
        H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        for (uint64_t i = 0;; i++) {
            const hid_t file =
                H5Fopen(part, H5F_ACC_RDONLY | (i % 2 > 0 ? H5F_ACC_SWMR_READ : 0u), H5P_DEFAULT);
            if (file >= 0)
                H5Fclose(file);
        }
    }
    struct mr_err err = {0};
    mr_status st = MR_OK;
    for (int i = 0; i < 40 && st == MR_OK; i++) {
        struct child c = {path, options_now(), 20, -1, 5, 0};
        c.options.is_live = i % 2;
        st = run(&c, &err);
    }
    kill(reader, SIGKILL);
    int status;
    assert_int_equal(waitpid(reader, &status, 0), reader);
    if (st != MR_OK)
        fail_msg("%s: %s", err.file, err.text);
}

/* ---- memory ---- */

MR_TEST(ten_million_rows_in_bounded_memory)
{
    enum {
        n_batch = 1000,
        n_warm = 1000000,
        n_all = 10000000
    };
    static struct event batch[n_batch];
    struct mr_err err = {0};
    struct mr_runfile *file;
    struct mr_columns *events;
    struct mr_track *series;
    struct mr_runfile_options options = options_now();
    options.ring_bytes = 1 << 20;
    options.level = 1;
    options.flush_s = 0.1;
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("long.h5"));
    assert_int_equal(mr_runfile_create(path, &options, &file, &err), MR_OK);
    assert_int_equal(declare(file, &series, &events, &err), MR_OK);
    uint64_t warm_bytes = 0;
    for (uint64_t row = 0; row < n_all; row += n_batch) {
        for (uint64_t i = 0; i < n_batch; i++)
            batch[i] = (struct event){row + i, (double)(row + i)};
        assert_int_equal(mr_columns_add(events, batch, n_batch, &err), MR_OK);
        if (row == n_warm)
            warm_bytes = mr_wall_peak_rss_bytes();
    }
    const uint64_t grown = mr_wall_peak_rss_bytes() - warm_bytes;
    assert_int_equal(mr_columns_rows(events), n_all);
    assert_int_equal(mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "", &err), MR_OK);
    mr_runfile_destroy(file);
    if (grown > 8 << 20)
        fail_msg("9 million rows of 16 bytes took %llu bytes", (unsigned long long)grown);
    hsize_t dim[2];
    const hid_t h5 = h5_open(path, H5F_ACC_RDONLY);
    h5_extent(h5, "/events/t_s", dim);
    assert_true(dim[0] == n_all);
    H5Fclose(h5);
}

MR_TEST_MAIN(MR_TEST_ENTRY(killed_at_any_moment), MR_TEST_ENTRY(killed_while_live),
             MR_TEST_ENTRY(limit_on_the_size_of_files), MR_TEST_ENTRY(tiny_disk),
             MR_TEST_ENTRY(small_disks), MR_TEST_ENTRY(full_disk),
             MR_TEST_ENTRY(targets_that_cannot_be_written), MR_TEST_ENTRY(read_only_disk),
             MR_TEST_ENTRY(read_while_it_grows), MR_TEST_ENTRY(onlookers_do_not_stop_a_run),
             MR_TEST_ENTRY(ten_million_rows_in_bounded_memory))
