/* SPDX-License-Identifier: Apache-2.0 */
/* engine/record/rundata: what was written comes back, from finished files, parts and live ones;
 * files that are something else are told so. */
#include "engine/record/rundata.h"

#include "engine/record/track.h"
#include "tests/engine/record/h5.h"

enum {
    n_rack = 300, /* more than a chunk of columns holds */
    n_row = 200
};

static const struct mr_channel channel[] = {
    {.name = "power_kw",
     .units = "kW",
     .long_name = "Power of the rack",
     .type = MR_CHANNEL_F32_OF_F64,
     .scale = 1e-3},
    {.name = "die_c", .units = "degC", .long_name = "Die", .type = MR_CHANNEL_F64},
    {.name = "off", .units = "1", .long_name = "Without power", .type = MR_CHANNEL_U32},
};

static double power_w(size_t rack, size_t row)
{
    return 1e5 + 17.0 * (double)rack + 1000.0 * (double)(row % 13);
}

static mr_status declare(struct mr_runfile *file, bool has_names, struct mr_track **track,
                         struct mr_err *err)
{
    static char text[n_rack][24];
    const char *name[n_rack];
    for (size_t i = 0; i < n_rack; i++) {
        snprintf(text[i], sizeof text[i], "H0.R\xc3\xa9.K%zu", i);
        name[i] = text[i];
    }
    const struct mr_track_plan racks = {.group = "/racks",
                                        .axis = "rack",
                                        .axis_name = "Racks",
                                        .name = has_names ? name : NULL,
                                        .n_entity = n_rack,
                                        .interval_s = 15,
                                        .channel = channel,
                                        .n_channel = 3};
    return mr_track_create(file, &racks, track, err);
}

struct way {
    size_t n_row;
    bool has_names, is_live, is_finished;
};

/* A file of n rows; one that is not finished stays as its part. */
static mr_status write_file(const char *path, const struct way *way, struct mr_err *err)
{
    struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_runfile *file = NULL;
    struct mr_track *track = NULL;
    static double power[n_rack], die[n_rack];
    static uint32_t off[n_rack];
    const void *const value[] = {power, die, off};
    options.is_live = way->is_live;
    MR_TRY(mr_runfile_create(path, &options, &file, err));
    mr_status st = declare(file, way->has_names, &track, err);
    if (st == MR_OK)
        st = mr_runfile_start(file, err);
    for (size_t row = 0; row < way->n_row && st == MR_OK; row++) {
        for (size_t i = 0; i < n_rack; i++) {
            power[i] = power_w(i, row);
            die[i] = i == row ? (double)NAN : (double)(i + row);
        }
        st = mr_track_row(track, 15.0 * (double)row, value, err);
    }
    if (st == MR_OK && way->is_finished)
        st = mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "done", err);
    mr_runfile_destroy(file);
    return st;
}

static void must_write(const char *path, const struct way *way)
{
    struct mr_err err = {0};
    if (write_file(path, way, &err) != MR_OK)
        fail_msg("%s: %s", err.file, err.text);
}

static void check(const char *path)
{
    struct mr_rundata data;
    struct mr_err err = {0};
    char name[32];
    assert_true(mr_rundata_is(path));
    if (mr_rundata_read(path, "/racks/power_kw", &data, &err) != MR_OK)
        fail_msg("%s: %s", err.file, err.text);
    assert_int_equal(data.n_time, n_row);
    assert_int_equal(data.n_entity, n_rack);
    assert_string_equal(data.units, "kW");
    for (size_t row = 0; row < n_row; row++) {
        assert_true(data.time_s[row] == 15.0 * (double)row);
        for (size_t i = 0; i < n_rack; i++)
            assert_true(data.value[row * n_rack + i] == (double)(float)(power_w(i, row) * 1e-3));
    }
    for (size_t i = 0; i < n_rack; i++) {
        snprintf(name, sizeof name, "H0.R\xc3\xa9.K%zu", i);
        assert_string_equal(data.name[i], name);
    }
    mr_rundata_fini(&data);
    assert_int_equal(mr_rundata_read(path, "/racks/die_c", &data, &err), MR_OK);
    for (size_t row = 0; row < n_row; row++)
        for (size_t i = 0; i < n_rack; i++)
            assert_true(i == row ? isnan(data.value[row * n_rack + i])
                                 : data.value[row * n_rack + i] == (double)(i + row));
    mr_rundata_fini(&data);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(every_way_of_ending)
{
    char path[512], part[520];
    for (int i = 0; i < 4; i++) {
        const struct way way = {n_row, true, (i & 1) != 0, (i & 2) != 0};
        char name[24];
        snprintf(name, sizeof name, "end%d.h5", i);
        snprintf(path, sizeof path, "%s", mr_test_tmp_path(name));
        snprintf(part, sizeof part, "%s.part", path);
        must_write(path, &way);
        check(way.is_finished ? path : part);
    }
}

static void must_refuse(const char *path, const char *dataset, mr_status st, const char *why)
{
    struct mr_rundata data;
    struct mr_err err = {0};
    assert_int_equal(mr_rundata_read(path, dataset, &data, &err), st);
    assert_string_equal(err.file, path);
    if (strstr(err.text, why) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, why);
    mr_rundata_fini(&data);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(other_things_are_told)
{
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("good.h5"));
    must_write(path, &(struct way){3, true, false, true});
    must_refuse(path, "/racks/power", MR_REF, "dataset /racks/power: there is none");
    must_refuse(path, "/nowhere/power_kw", MR_REF, "there is none");
    must_refuse(path, "/racks", MR_REF, "there is none");
    must_refuse(path, "/racks/off", MR_SCHEMA, "no floats over time and entity");
    must_refuse(path, "/racks/time", MR_SCHEMA, "no floats over time and entity");
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("nameless.h5"));
    must_write(path, &(struct way){3, false, false, true});
    must_refuse(path, "/racks/power_kw", MR_SCHEMA, "have no names");
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("empty.h5"));
    must_write(path, &(struct way){0, true, false, true});
    must_refuse(path, "/racks/power_kw", MR_SCHEMA, "it has no row");
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("none.h5"));
    assert_false(mr_rundata_is(path));
    must_refuse(path, "/racks/power_kw", MR_IO, "No such file");
}

static void write_bytes(const char *path, const char *from, size_t n)
{
    static char bytes[1 << 16];
    FILE *in = fopen(from, "rb"), *out = fopen(path, "wb");
    assert_true(in != NULL && out != NULL && n <= sizeof bytes);
    assert_int_equal(fread(bytes, 1, n, in), n);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(in);
    fclose(out);
}

/* A file that a broken disk or a copy cut short. */
MR_TEST(cut_files_are_told)
{
    char path[512], cut[512];
    struct mr_rundata data;
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("whole.h5"));
    must_write(path, &(struct way){20, true, false, true});
    for (size_t n = 0; n < 20000; n = n * 2 + 1) {
        struct mr_err err = {0};
        snprintf(cut, sizeof cut, "%s", mr_test_tmp_path("cut.h5"));
        write_bytes(cut, path, n);
        assert_int_equal(mr_rundata_is(cut), n >= 8);
        assert_int_equal(mr_rundata_read(cut, "/racks/power_kw", &data, &err),
                         n >= 8 ? MR_PARSE : MR_IO);
        mr_rundata_fini(&data);
    }
}

static mr_status read_it(void *context, struct mr_err *err)
{
    struct mr_rundata data;
    const mr_status st = mr_rundata_read(context, "/racks/power_kw", &data, err);
    mr_rundata_fini(&data);
    return st;
}

MR_TEST(every_failing_allocation)
{
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("nomem.h5"));
    must_write(path, &(struct way){2, true, false, true});
    mr_test_every_nomem(read_it, path);
}

static mr_status read_text(void *path, struct mr_err *err)
{
    struct mr_buf text = {0};
    const mr_status st = mr_rundata_text(path, "/config/effective", &text, err);
    if (st == MR_OK)
        assert_string_equal(text.text, "<a b=\"\xc3\xa9\"/>\n");
    mr_buf_fini(&text);
    return st;
}

MR_TEST(texts_come_back)
{
    const struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_runfile *file = NULL;
    struct mr_buf text = {0};
    struct mr_err err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("text.h5"));
    assert_int_equal(mr_runfile_create(path, &options, &file, &err), MR_OK);
    assert_int_equal(
        mr_runfile_text(file, "/config", "effective", "Text", "<a b=\"\xc3\xa9\"/>\n", &err),
        MR_OK);
    assert_int_equal(mr_runfile_text(file, "/config", "empty", "Text", "", &err), MR_OK);
    assert_int_equal(
        mr_runfile_axis(file, "/tiers", "tier", "Tiers", (const char *[]){"a", "b"}, 2, &err),
        MR_OK);
    assert_int_equal(mr_runfile_start(file, &err), MR_OK);
    assert_int_equal(mr_runfile_stop(file, &err), MR_OK);
    assert_int_equal(mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "done", &err), MR_OK);
    mr_runfile_destroy(file);
    assert_int_equal(read_text(path, &err), MR_OK);
    assert_int_equal(mr_rundata_text(path, "/config/empty", &text, &err), MR_OK);
    assert_int_equal(text.n, 0);
    assert_int_equal(mr_rundata_text(path, "/config/none", &text, &err), MR_REF);
    assert_int_equal(mr_rundata_text(path, "/tiers/tier", &text, &err), MR_SCHEMA);
    mr_buf_fini(&text);
}

MR_TEST_MAIN(MR_TEST_ENTRY(every_way_of_ending), MR_TEST_ENTRY(texts_come_back),
             MR_TEST_ENTRY(other_things_are_told), MR_TEST_ENTRY(cut_files_are_told),
             MR_TEST_ENTRY(every_failing_allocation))
