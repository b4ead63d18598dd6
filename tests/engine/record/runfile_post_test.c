/* SPDX-License-Identifier: Apache-2.0 */
/* engine/record/runfile: what is given is written behind the caller's back. All of it is copied,
 * and what cannot be written is told. */
#include "engine/record/columns.h"
#include "engine/record/runfile.h"
#include "engine/record/track.h"
#include "tests/engine/record/h5.h"

#include <unistd.h>

enum {
    n_long = 1 << 20,
    n_rack = 40
};

static const char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path(name));
    return path;
}

static struct mr_runfile *create(const char *path, size_t ring_bytes)
{
    struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_runfile *file;
    struct mr_err err = {0};
    options.ring_bytes = ring_bytes;
    must(mr_runfile_create(path, &options, &file, &err), &err);
    return file;
}

/* Whichever call is the first that may tell. */
static void fails(struct mr_runfile *file, const char *path, mr_status want, const char *text)
{
    struct mr_err err;
    char part[600];
    for (int i = 0; i < 2; i++) {
        err = (struct mr_err){0};
        assert_int_equal(mr_runfile_flush(file, &err), want);
        mr_assert_contains(err.text, text);
        mr_assert_contains(err.file, ".h5.part");
    }
    assert_int_equal(mr_runfile_text(file, "/config", "later", "L", "x", &err), want);
    assert_int_equal(mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "", &err), want);
    mr_runfile_destroy(file);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(part, sizeof part, "%s.part", path);
    const hid_t h5 = h5_open(part, H5F_ACC_RDONLY);
    assert_true(h5 >= 0);
    assert_string_equal(h5_attr(h5, "/", "status"), "failed");
    mr_assert_contains(h5_attr(h5, "/", "exit_reason"), text);
    H5Fclose(h5);
}

MR_TEST(a_missing_axis)
{
    struct mr_err err = {0};
    const struct mr_channel channel = {.name = "a", .units = "1", .long_name = "A"};
    const struct mr_runfile_array stray = {.group = "/kpi",
                                           .channel = &channel,
                                           .axis = {"no_axis"},
                                           .n = {1},
                                           .values = &(double){1}};
    const char *path = path_of("stray.h5");
    struct mr_runfile *file = create(path, 1 << 16);
    must(mr_runfile_put(file, &stray, &err), &err);
    fails(file, path, MR_REF, "no_axis");
}

MR_TEST(a_name_that_is_there)
{
    struct mr_err err = {0};
    const char *path = path_of("twice.h5");
    struct mr_runfile *file = create(path, 1 << 16);
    must(mr_runfile_text(file, "/config", "a", "A", "x", &err), &err);
    const mr_status st = mr_runfile_text(file, "/config", "a", "A", "x", &err);
    assert_true(st == MR_OK || st == MR_SCHEMA);
    fails(file, path, MR_SCHEMA, "twice");
}

/* Two series of one group: the second cannot be declared. Both are the file's all the same, and
 * rows of either are refused. */
MR_TEST(a_series_that_cannot_be_declared)
{
    struct mr_err err = {0};
    const struct mr_channel channel = {.name = "a", .units = "1", .long_name = "A"};
    const struct mr_track_plan plan = {
        .group = "/g", .interval_s = 1, .channel = &channel, .n_channel = 1};
    struct mr_track *good, *bad;
    const char *path = path_of("series.h5");
    struct mr_runfile *file = create(path, 1 << 16);
    must(mr_track_create(file, &plan, &good, &err), &err);
    must(mr_track_create(file, &plan, &bad, &err), &err);
    const mr_status st = mr_runfile_start(file, &err);
    assert_true(st == MR_OK || st == MR_SCHEMA);
    err = (struct mr_err){0};
    assert_int_equal(mr_runfile_flush(file, &err), MR_SCHEMA);
    const double value = 1;
    if (st == MR_OK) {
        assert_int_equal(mr_track_row(good, 0, (const void *const[]){&value}, &err), MR_SCHEMA);
        assert_int_equal(mr_track_row(bad, 0, (const void *const[]){&value}, &err), MR_SCHEMA);
    }
    fails(file, path, MR_SCHEMA, "twice");
}

MR_TEST(what_is_not_finished_stays_a_part)
{
    struct mr_err err = {0};
    const char *path = path_of("left.h5");
    struct mr_runfile *file = create(path, 1 << 16);
    must(mr_runfile_text(file, "/config", "a", "A", "x", &err), &err);
    mr_runfile_destroy(file);
    assert_int_equal(access(path, F_OK), -1);
    const hid_t h5 = h5_open(mr_test_tmp_path("left.h5.part"), H5F_ACC_RDONLY);
    assert_string_equal(h5_attr(h5, "/", "status"), "partial");
    assert_string_equal(h5_attr(h5, "/", "exit_reason"), "not finished");
    H5Fclose(h5);
}

static void check_text(hid_t h5, const char *name, size_t n)
{
    const hid_t set = H5Dopen2(h5, name, H5P_DEFAULT), type = H5Dget_type(set);
    char *text = NULL;
    assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text) >= 0);
    assert_int_equal(strlen(text), n);
    assert_int_equal(strspn(text, "x"), n);
    H5free_memory(text);
    H5Tclose(type);
    H5Dclose(set);
}

/* Also what is larger than the ring. */
MR_TEST(what_was_given_may_change_at_once)
{
    static const size_t length[] = {10, n_long};
    struct mr_err err = {0};
    char group[8] = "/config", name[8] = "a", unit[8] = "kW", entity[n_rack][8];
    const char *entities[n_rack];
    double value[n_rack], other[n_rack];
    hsize_t dim[2];
    size_t n;
    const char *path = path_of("changed.h5");
    struct mr_runfile *file = create(path, 1 << 16);
    char *text = malloc(n_long + 1);
    assert_non_null(text);
    for (size_t i = 0; i < 2; i++, name[0]++) {
        memset(text, 'x', length[i]);
        text[length[i]] = '\0';
        must(mr_runfile_text(file, group, name, "A", text, &err), &err);
        memset(text, 'y', length[i]);
    }
    free(text);
    for (size_t i = 0; i < n_rack; i++) {
        snprintf(entity[i], sizeof entity[i], "R%zu", i);
        entities[i] = entity[i];
        value[i] = other[i] = (double)i;
    }
    must(mr_runfile_axis(file, group, "rack", "Racks", entities, n_rack, &err), &err);
    const struct mr_channel channel = {.name = name, .units = unit, .long_name = "C"};
    const struct mr_runfile_array array = {
        .group = group, .channel = &channel, .axis = {"rack"}, .n = {n_rack}, .values = value};
    must(mr_runfile_put(file, &array, &err), &err);
    memset(entity, 'z', sizeof entity);
    memset(entities, 0, sizeof entities);
    memset(value, 0, sizeof value);
    name[0] = group[1] = unit[0] = 'z';
    must(mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "", &err), &err);
    mr_runfile_destroy(file);
    const hid_t h5 = h5_open(path, H5F_ACC_RDONLY);
    check_text(h5, "/config/a", length[0]);
    check_text(h5, "/config/b", length[1]);
    h5_extent(h5, "/config/rack", dim);
    assert_int_equal(dim[0], n_rack);
    assert_string_equal(h5_attr(h5, "/config/c", "units"), "kW");
    double *read = h5_f64(h5, "/config/c", &n);
    assert_int_equal(n, n_rack);
    assert_memory_equal(read, other, sizeof other);
    free(read);
    H5Fclose(h5);
}

struct mishap {
    double t_s;
    uint32_t number;
};

/* Rows of a date keep their order; what is open at the end comes, too, and what came too late
 * follows what was written. */
MR_TEST(dated_rows_come_in_their_order)
{
    static const struct mishap given[] = {{2, 0}, {1, 1}, {3, 2}, {1, 3}, {2, 4}, {0.5, 5}};
    static const double want_s[] = {1, 1, 2, 2, 0.5, 3};
    static const double want[] = {1, 3, 0, 4, 5, 2};
    static const struct mr_channel columns[] = {MR_COLUMN(struct mishap, t_s, F64, "s", "Date"),
                                                {.name = "number",
                                                 .units = "1",
                                                 .long_name = "Which",
                                                 .type = MR_CHANNEL_U32,
                                                 .offset = offsetof(struct mishap, number)}};
    const struct mr_columns_plan plan = {.group = "/events",
                                         .axis = "event",
                                         .column = columns,
                                         .n_column = 2,
                                         .row_bytes = sizeof(struct mishap),
                                         .is_dated = true};
    struct mr_err err = {0};
    struct mr_columns *events;
    size_t n;
    const char *path = path_of("dated.h5");
    struct mr_runfile *file = create(path, 1 << 16);
    must(mr_columns_create(file, &plan, &events, &err), &err);
    must(mr_runfile_start(file, &err), &err);
    must(mr_columns_add(events, given, 2, &err), &err);
    must(mr_columns_until(events, 0.5, &err), &err);
    must(mr_columns_add(events, given + 2, 3, &err), &err);
    must(mr_columns_until(events, 2, &err), &err);
    must(mr_columns_add(events, given + 5, 1, &err), &err);
    assert_int_equal(mr_columns_rows(events), 6);
    must(mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "", &err), &err);
    mr_runfile_destroy(file);
    const hid_t h5 = h5_open(path, H5F_ACC_RDONLY);
    double *t_s = h5_f64(h5, "/events/t_s", &n);
    assert_int_equal(n, 6);
    double *number = h5_f64(h5, "/events/number", &n);
    for (size_t i = 0; i < 6; i++) {
        assert_true(t_s[i] == want_s[i]);
        assert_true(number[i] == want[i]);
    }
    free(t_s);
    free(number);
    H5Fclose(h5);
}

/* Rows that wait for more come with the file's end at the latest, in their order. */
static void test_rows_are_gathered(void **state)
{
    (void)state;
    enum {
        n_all = 150
    };
    struct mishap given[n_all];
    const struct mr_channel columns[] = {{.name = "number",
                                          .units = "1",
                                          .long_name = "Number",
                                          .type = MR_CHANNEL_U32,
                                          .offset = offsetof(struct mishap, number)}};
    const struct mr_columns_plan plan = {.group = "/events",
                                         .axis = "event",
                                         .column = columns,
                                         .n_column = 1,
                                         .row_bytes = sizeof(struct mishap),
                                         .is_gathered = true};
    struct mr_err err = {0};
    struct mr_columns *events;
    size_t n;
    const char *path = path_of("gathered.h5");
    struct mr_runfile *file = create(path, 1 << 16);
    for (uint32_t i = 0; i < n_all; i++)
        given[i] = (struct mishap){.t_s = i, .number = i};
    must(mr_columns_create(file, &plan, &events, &err), &err);
    must(mr_runfile_start(file, &err), &err);
    for (size_t i = 0; i < 70; i++) /* more than are gathered */
        must(mr_columns_add(events, given + i, 1, &err), &err);
    must(mr_columns_send(events, &err), &err);
    must(mr_columns_send(events, &err), &err); /* nothing is left to send */
    must(mr_columns_add(events, given + 70, 79, &err), &err);
    must(mr_columns_add(events, given + 149, 1, &err), &err);
    assert_int_equal(mr_columns_rows(events), n_all);
    must(mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "", &err), &err);
    mr_runfile_destroy(file);
    const hid_t h5 = h5_open(path, H5F_ACC_RDONLY);
    double *number = h5_f64(h5, "/events/number", &n);
    assert_int_equal(n, n_all);
    for (size_t i = 0; i < n_all; i++)
        assert_true(number[i] == (double)i);
    free(number);
    H5Fclose(h5);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_missing_axis), MR_TEST_ENTRY(a_name_that_is_there),
             MR_TEST_ENTRY(a_series_that_cannot_be_declared),
             MR_TEST_ENTRY(what_is_not_finished_stays_a_part),
             MR_TEST_ENTRY(what_was_given_may_change_at_once),
             MR_TEST_ENTRY(dated_rows_come_in_their_order), MR_TEST_ENTRY(rows_are_gathered))
