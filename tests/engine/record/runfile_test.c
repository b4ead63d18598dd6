/* SPDX-License-Identifier: Apache-2.0 */
/* engine/record/runfile: a whole file and back, what it refuses, names that are hostile, disks that
 * are full or read-only. */
#include "engine/record/runfile.h"

#include "engine/record/columns.h"
#include "engine/record/histogram.h"
#include "engine/record/series.h"
#include "tests/engine/record/h5.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    n_rack = 700, /* two chunks beside each other */
    n_quantity = 3
};

static const struct mr_quantity rack_quantity[n_quantity] = {
    {.name = "power_kw",
     .units = "kW",
     .long_name = "Power of the rack",
     .type = MR_QUANTITY_F32_OF_F64,
     .scale = 1e-3,
     .dsx = "Rack/RackPower",
     .cell_methods = "time: mean"},
    {.name = "die_max_c", .units = "degC", .long_name = "Hottest die", .type = MR_QUANTITY_F64},
    {.name = "throttled_gpus",
     .units = "1",
     .long_name = "Packages that are throttled",
     .type = MR_QUANTITY_U32},
};

struct call {
    uint64_t id;
    double arrived_s, ttft_s;
    uint32_t input_tok;
    uint8_t tier;
};

static const char *const tier_names[] = {"free", "pay as you go", "reserved"};

static const struct mr_quantity call_column[] = {
    MR_COLUMN(struct call, id, U64, "1", "Number of the call"),
    MR_COLUMN(struct call, arrived_s, F64, "s", "Arrival"),
    MR_COLUMN(struct call, ttft_s, F32_OF_F64, "s", "Time to first token"),
    MR_COLUMN(struct call, input_tok, U32, "1", "Tokens of the prompt"),
    {.name = "tier",
     .units = "1",
     .long_name = "Price tier",
     .type = MR_QUANTITY_U8,
     .flag = tier_names,
     .n_flag = 3,
     .offset = offsetof(struct call, tier)},
};

#define N_OF(table) (sizeof(table) / sizeof *(table))

/* What is recorded, as functions of place and row. */
static double power_w(size_t rack, size_t row)
{
    return 1e5 + 17.0 * (double)rack + 1000.0 * (double)(row % 13);
}

static double die_c(size_t rack, size_t row)
{
    return 45 + (double)(rack * 7919 % 1000) * 0.01 + (double)row * 0.001;
}

static struct call call_of(uint64_t i)
{
    return (struct call){.id = i,
                         .arrived_s = (double)i * 0.37,
                         .ttft_s = 0.01 + (double)(i % 977) * 0.001,
                         .input_tok = (uint32_t)(i * 2654435761u),
                         .tier = (uint8_t)(i % 3)};
}

struct run {
    struct mr_runfile *file;
    struct mr_series *racks, *site;
    struct mr_columns *calls, *kept;
    char names[n_rack][40];
};

static void must(mr_status st, const struct mr_err *err)
{
    if (st != MR_OK)
        fail_msg("%s: %s: %s", mr_status_name(st), err->file, err->text);
}

static mr_status declare(struct run *run, struct mr_err *err)
{
    const char *name[n_rack];
    for (size_t i = 0; i < n_rack; i++) {
        snprintf(run->names[i], sizeof run->names[i], "H0.R%zu.K%zu", i / 16, i % 16);
        name[i] = run->names[i];
    }
    const struct mr_series_plan racks = {.group = "/racks",
                                         .axis = "rack",
                                         .axis_name = "Racks in the order of the platform",
                                         .name = name,
                                         .n_entity = n_rack,
                                         .interval_s = 1,
                                         .quantity = rack_quantity,
                                         .n_quantity = n_quantity};
    const struct mr_series_plan site = {
        .group = "/power/bess", .interval_s = 5, .quantity = rack_quantity, .n_quantity = 2};
    const struct mr_columns_plan calls = {.group = "/requests",
                                          .axis = "request",
                                          .column = call_column,
                                          .n_column = N_OF(call_column),
                                          .row_bytes = sizeof(struct call)};
    struct mr_columns_plan kept = calls;
    kept.group = "/sample";
    kept.n_kept = 1000;
    kept.seed = 7;
    MR_TRY(mr_series_create(run->file, &racks, &run->racks, err));
    MR_TRY(mr_series_create(run->file, &site, &run->site, err));
    MR_TRY(mr_columns_create(run->file, &calls, &run->calls, err));
    return mr_columns_create(run->file, &kept, &run->kept, err);
}

static mr_status give_row(struct run *run, size_t row, struct mr_err *err)
{
    static double power[n_rack], die[n_rack];
    static uint32_t throttled[n_rack];
    const void *const value[n_quantity] = {power, die, throttled};
    for (size_t i = 0; i < n_rack; i++) {
        power[i] = power_w(i, row);
        die[i] = die_c(i, row);
        throttled[i] = (uint32_t)(i * row);
    }
    MR_TRY(mr_series_row(run->racks, (double)row, value, err));
    return row % 5 == 0 ? mr_series_row(run->site, (double)row, value, err) : MR_OK;
}

static mr_status give_calls(struct run *run, uint64_t from, uint64_t n, struct mr_err *err)
{
    for (uint64_t i = from; i < from + n; i++) {
        const struct call call = call_of(i);
        MR_TRY(mr_columns_add(run->calls, &call, 1, err));
        MR_TRY(mr_columns_add(run->kept, &call, 1, err));
    }
    return MR_OK;
}

enum {
    n_row = 300,
    n_call_per_row = 100
};

static mr_status write_all(const char *path, const struct mr_runfile_options *options,
                           struct mr_err *err)
{
    struct run run = {0};
    MR_TRY(mr_runfile_create(path, options, &run.file, err));
    mr_status st = mr_runfile_text(run.file, "/config", "effective", "Effective configuration",
                                   "<scenario name=\"\xc3\xa9\"/>", err);
    if (st == MR_OK)
        st = mr_runfile_attr_text(run.file, "/provenance", "version", "0.1.0", err);
    if (st == MR_OK)
        st = mr_runfile_attr_u64(run.file, "/provenance", "seed", UINT64_MAX, err);
    if (st == MR_OK)
        st = declare(&run, err);
    if (st == MR_OK)
        st = mr_runfile_start(run.file, err);
    for (size_t row = 0; row < n_row && st == MR_OK; row++) {
        st = give_row(&run, row, err);
        if (st == MR_OK)
            st = give_calls(&run, row * n_call_per_row, n_call_per_row, err);
    }
    if (st == MR_OK)
        st = mr_runfile_stop(run.file, err);
    if (st == MR_OK) {
        static const char *const names[] = {"tok_s.output", "power.pue"};
        static const double values[] = {1.5e6, 1.08};
        static const struct mr_quantity value = {
            .name = "value", .units = "1", .long_name = "Value of the KPI"};
        const struct mr_runfile_array array = {
            .group = "/kpi", .quantity = &value, .axis = {"kpi"}, .n = {2}, .values = values};
        st = mr_runfile_axis(run.file, "/kpi", "kpi", "Paths in the summary", names, 2, err);
        if (st == MR_OK)
            st = mr_runfile_put(run.file, &array, err);
    }
    if (st == MR_OK)
        st = mr_runfile_finish(run.file, MR_RUNFILE_COMPLETE, "done", err);
    mr_runfile_destroy(run.file);
    return st;
}

static void check_racks(hid_t file)
{
    hsize_t dim[2];
    size_t n;
    h5_extent(file, "/racks/power_kw", dim);
    assert_int_equal(dim[0], n_row);
    assert_int_equal(dim[1], n_rack);
    double *power = h5_f64(file, "/racks/power_kw", &n);
    double *die = h5_f64(file, "/racks/die_max_c", &n);
    uint32_t *throttled = h5_read(file, "/racks/throttled_gpus", H5T_NATIVE_UINT32, &n);
    double *t = h5_f64(file, "/racks/time", &n);
    for (size_t row = 0; row < n_row; row++) {
        assert_true(t[row] == (double)row);
        for (size_t i = 0; i < n_rack; i++) {
            const size_t at = row * n_rack + i;
            assert_true(power[at] == (double)(float)(power_w(i, row) * 1e-3));
            assert_true(die[at] == die_c(i, row));
            assert_true(throttled[at] == (uint32_t)(i * row));
        }
    }
    free(power);
    free(die);
    free(throttled);
    free(t);
    assert_string_equal(h5_attr(file, "/racks/power_kw", "units"), "kW");
    assert_string_equal(h5_attr(file, "/racks/power_kw", "dsx"), "Rack/RackPower");
    assert_string_equal(h5_attr(file, "/racks/power_kw", "cell_methods"), "time: mean");
    assert_string_equal(h5_attr(file, "/racks/time", "units"), "s");
}

static void check_calls(hid_t file)
{
    size_t n, n_kept;
    uint64_t *id = h5_read(file, "/requests/id", H5T_NATIVE_UINT64, &n);
    double *arrived = h5_f64(file, "/requests/arrived_s", &n);
    uint32_t *input = h5_read(file, "/requests/input_tok", H5T_NATIVE_UINT32, &n);
    uint8_t *tier = h5_read(file, "/requests/tier", H5T_NATIVE_UINT8, &n);
    assert_int_equal(n, n_row * n_call_per_row);
    for (size_t i = 0; i < n; i++) {
        const struct call call = call_of(i);
        assert_true(id[i] == call.id && arrived[i] == call.arrived_s && tier[i] == call.tier &&
                    input[i] == call.input_tok);
    }
    uint64_t *row = h5_read(file, "/sample/row", H5T_NATIVE_UINT64, &n_kept);
    uint64_t *kept_id = h5_read(file, "/sample/id", H5T_NATIVE_UINT64, &n_kept);
    assert_int_equal(n_kept, 1000);
    size_t n_late = 0;
    for (size_t i = 0; i < n_kept; i++) {
        assert_true(row[i] == kept_id[i] && (i == 0 || row[i] > row[i - 1]));
        n_late += row[i] >= n / 2;
    }
    assert_true(n_late > 420 && n_late < 580); /* half of 1000, 5 deviations of 15.5 */
    assert_int_equal(h5_attr_u64(file, "/sample", "rows_given"), n);
    assert_string_equal(h5_attr(file, "/requests/tier", "flag_meanings"),
                        "free pay_as_you_go reserved");
    free(id);
    free(arrived);
    free(input);
    free(tier);
    free(row);
    free(kept_id);
}

MR_TEST(everything_comes_back)
{
    char path[512];
    struct mr_err err = {0};
    const struct mr_runfile_options options = mr_runfile_options_default();
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("run.h5"));
    must(write_all(path, &options, &err), &err);
    assert_int_equal(access(mr_test_tmp_path("run.h5.part"), F_OK), -1);
    const hid_t file = h5_open(path, H5F_ACC_RDONLY);
    assert_true(file >= 0);
    assert_string_equal(h5_attr(file, "/", "status"), "complete");
    assert_string_equal(h5_attr(file, "/", "exit_reason"), "done");
    assert_string_equal(h5_attr(file, "/", "Conventions"), "CF-1.8");
    assert_string_equal(h5_attr(file, "/provenance", "version"), "0.1.0");
    assert_true(h5_attr_u64(file, "/provenance", "seed") == UINT64_MAX);
    check_racks(file);
    check_calls(file);
    H5Fclose(file);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(content_is_that_of_the_rows_alone)
{
    static const struct mr_runfile_options ways[] = {
        {.flush_s = 1e9, .ring_bytes = 1 << 26, .level = 4},
        {.flush_s = 0, .ring_bytes = 1, .level = 4},
        {.flush_s = 0.003, .ring_bytes = 1 << 18, .level = 1, .reserve_bytes = 1 << 16},
        {.flush_s = 0.001, .ring_bytes = 1 << 20, .level = 0},
        {.flush_s = 0.001, .ring_bytes = 1 << 20, .level = 4, .is_live = true},
        {.flush_s = 1e9, .ring_bytes = 1 << 20, .level = 9, .is_live = true},
    };
    char first[MR_SHA256_HEX], hex[MR_SHA256_HEX], path[512];
    for (size_t i = 0; i < N_OF(ways); i++) {
        struct mr_err err = {0};
        size_t n_dataset;
        char name[32];
        snprintf(name, sizeof name, "way%zu.h5", i);
        snprintf(path, sizeof path, "%s", mr_test_tmp_path(name));
        must(write_all(path, &ways[i], &err), &err);
        h5_hash(path, i == 0 ? first : hex, &n_dataset);
        assert_int_equal(n_dataset, 5 + 3 + 6 + 7 + 2 + 1);
        if (i > 0)
            assert_string_equal(hex, first);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(everything_comes_back), MR_TEST_ENTRY(content_is_that_of_the_rows_alone))
