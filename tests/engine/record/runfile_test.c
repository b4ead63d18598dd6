/* SPDX-License-Identifier: Apache-2.0 */
/* engine/record/runfile: a whole file and back, what it refuses, names that are hostile, disks that
 * are full or read-only. */
#include "engine/record/runfile.h"

#include "engine/record/columns.h"
#include "engine/record/track.h"
#include "tests/engine/record/h5.h"

#include <sys/wait.h>
#include <unistd.h>

enum {
    n_rack = 700, /* two chunks beside each other */
    n_channel = 3
};

static const struct mr_channel rack_channel[n_channel] = {
    {.name = "power_kw",
     .units = "kW",
     .long_name = "Power of the rack",
     .type = MR_CHANNEL_F32_OF_F64,
     .scale = 1e-3,
     .dsx = "Rack/RackPower",
     .cell_methods = "time: mean"},
    {.name = "die_max_c", .units = "degC", .long_name = "Hottest die", .type = MR_CHANNEL_F64},
    {.name = "throttled_gpus",
     .units = "1",
     .long_name = "Packages that are throttled",
     .type = MR_CHANNEL_U32},
};

struct call {
    uint64_t id;
    double arrived_s, ttft_s;
    uint32_t input_tok;
    uint8_t tier;
};

static const char *const tier_names[] = {"free", "pay as you go", "reserved"};

static const struct mr_channel call_column[] = {
    MR_COLUMN(struct call, id, U64, "1", "Number of the call"),
    MR_COLUMN(struct call, arrived_s, F64, "s", "Arrival"),
    MR_COLUMN(struct call, ttft_s, F32_OF_F64, "s", "Time to first token"),
    MR_COLUMN(struct call, input_tok, U32, "1", "Tokens of the prompt"),
    {.name = "tier",
     .units = "1",
     .long_name = "Price tier",
     .type = MR_CHANNEL_U8,
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
    struct mr_track *racks, *site;
    struct mr_columns *calls, *kept;
    char names[n_rack][40];
};

static mr_status declare(struct run *run, struct mr_err *err)
{
    const char *name[n_rack];
    for (size_t i = 0; i < n_rack; i++) {
        snprintf(run->names[i], sizeof run->names[i], "H0.R%zu.K%zu", i / 16, i % 16);
        name[i] = run->names[i];
    }
    const struct mr_track_plan racks = {.group = "/racks",
                                        .axis = "rack",
                                        .axis_name = "Racks in the order of the platform",
                                        .name = name,
                                        .n_entity = n_rack,
                                        .interval_s = 1,
                                        .channel = rack_channel,
                                        .n_channel = n_channel};
    const struct mr_track_plan site = {
        .group = "/power/bess", .interval_s = 5, .channel = rack_channel, .n_channel = 2};
    const struct mr_columns_plan calls = {.group = "/requests",
                                          .axis = "request",
                                          .column = call_column,
                                          .n_column = N_OF(call_column),
                                          .row_bytes = sizeof(struct call)};
    struct mr_columns_plan kept = calls;
    kept.group = "/sample";
    kept.n_kept = 1000;
    kept.seed = 7;
    MR_TRY(mr_track_create(run->file, &racks, &run->racks, err));
    MR_TRY(mr_track_create(run->file, &site, &run->site, err));
    MR_TRY(mr_columns_create(run->file, &calls, &run->calls, err));
    return mr_columns_create(run->file, &kept, &run->kept, err);
}

static mr_status give_row(struct run *run, size_t row, struct mr_err *err)
{
    static double power[n_rack], die[n_rack];
    static uint32_t throttled[n_rack];
    const void *const value[n_channel] = {power, die, throttled};
    for (size_t i = 0; i < n_rack; i++) {
        power[i] = power_w(i, row);
        die[i] = die_c(i, row);
        throttled[i] = (uint32_t)(i * row);
    }
    MR_TRY(mr_track_row(run->racks, (double)row, value, err));
    return row % 5 == 0 ? mr_track_row(run->site, (double)row, value, err) : MR_OK;
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
        static const struct mr_channel value = {
            .name = "value", .units = "1", .long_name = "Value of the KPI"};
        const struct mr_runfile_array array = {
            .group = "/kpi", .channel = &value, .axis = {"kpi"}, .n = {2}, .values = values};
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

/* ---- other readers ---- */

/* Run a program on the file. @return its exit code; 127 when there is no such program */
static int run_program(const char *const *argument)
{
    const pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL)
            _exit(126);
        execvp(argument[0], (char *const *)(uintptr_t)argument);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void open_with(const char *const *argument, size_t at, const char *what, bool is_live)
{
    struct mr_err err = {0};
    struct mr_runfile_options options = mr_runfile_options_default();
    const char *given[8] = {0};
    char path[512];
    options.is_live = is_live;
    options.may_overwrite = true;
    options.flush_s = 0.01;
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("seen.h5"));
    must(write_all(path, &options, &err), &err);
    for (size_t i = 0; argument[i] != NULL; i++)
        given[i] = argument[i];
    given[at] = path;
    const int code = run_program(given);
    if (code == 127 || code == 77)
        mr_test_skip("%s is not installed", what);
    assert_int_equal(code, 0);
}

static const char h5py_script[] =
    "import sys\n"
    "try: import h5py, numpy\n"
    "except ImportError: sys.exit(77)\n"
    "f = h5py.File(sys.argv[1], 'r')\n"
    "assert f.attrs['Conventions'] == 'CF-1.8' and f.attrs['status'] == 'complete'\n"
    "p = f['racks/power_kw']\n"
    "assert p.shape == (300, 700) and p.dtype == 'f4' and p.compression == 'gzip' and p.shuffle\n"
    "assert abs(p[13, 1] - 100.017) < 1e-4, p[13, 1]\n"
    "assert p.attrs['units'] == 'kW' and numpy.isnan(p.attrs['_FillValue'][0])\n"
    "assert p.dims[0][0].name == '/racks/time' and p.dims[1][0].name == '/racks/rack'\n"
    "assert f['racks/rack'].asstr()[17] == 'H0.R1.K1'\n"
    "assert f['config/effective'].asstr()[()] == '<scenario name=\"\\u00e9\"/>'\n"
    "assert list(f['kpi/kpi'].asstr()) == ['tok_s.output', 'power.pue']\n"
    "assert f['requests/tier'].attrs['flag_meanings'] == 'free pay_as_you_go reserved'\n"
    "assert list(f['requests/tier'].attrs['flag_values']) == [0, 1, 2]\n"
    "def look(name, d):\n"
    "    if isinstance(d, h5py.Dataset):\n"
    "        assert d.attrs.get('CLASS') == b'DIMENSION_SCALE' or all(len(x) == 1 for x in "
    "d.dims), name\n"
    "        assert d.id.get_create_plist().get_attr_creation_order() == 3, name\n"
    "    else: assert d.id.get_create_plist().get_link_creation_order() == 3, name\n"
    "f.visititems(look)\n";

static const char xarray_script[] =
    "import sys\n"
    "try: import xarray, h5netcdf\n"
    "except ImportError: sys.exit(77)\n"
    "for engine in ('h5netcdf', 'netcdf4'):\n"
    "    try: d = xarray.open_dataset(sys.argv[1], group='racks', engine=engine)\n"
    "    except (ImportError, ValueError) as e:\n"
    "        if 'unrecognized engine' in str(e) or 'No module' in str(e): continue\n"
    "        raise\n"
    "    assert d.power_kw.dims == ('time', 'rack') and d.time.dtype == 'f8', d\n"
    "    assert abs(float(d.power_kw.sel(rack='H0.R0.K1', time=13.0)) - 100.017) < 1e-4\n"
    "    r = xarray.open_dataset(sys.argv[1], group='requests', engine=engine)\n"
    "    assert r.sizes['request'] == 30000 and int(r.id[-1]) == 29999, r\n"
    "    k = xarray.open_dataset(sys.argv[1], group='kpi', engine=engine)\n"
    "    assert abs(float(k.value.sel(kpi='power.pue')) - 1.08) < 1e-12, k\n"
    "    b = xarray.open_dataset(sys.argv[1], group='power/bess', engine=engine)\n"
    "    assert b.die_max_c.dims == ('time',) and b.sizes['time'] == 60, b\n";

static const char netcdf_script[] =
    "import sys\n"
    "try: import netCDF4\n"
    "except ImportError: sys.exit(77)\n"
    "f = netCDF4.Dataset(sys.argv[1])\n"
    "assert f['racks/power_kw'].dimensions == ('time', 'rack')\n"
    "assert f['racks'].dimensions['time'].isunlimited()\n"
    "assert f['requests'].dimensions['request'].size == 30000\n"
    "assert f['sample/row'].shape == (1000,) and f['racks/rack'][17] == 'H0.R1.K1'\n";

MR_TEST(opened_by_h5py)
{
    open_with((const char *const[]){"/usr/bin/python3", "-c", h5py_script, "", NULL}, 3,
              "python3-h5py", false);
    open_with((const char *const[]){"/usr/bin/python3", "-c", h5py_script, "", NULL}, 3,
              "python3-h5py", true);
}

MR_TEST(opened_by_xarray)
{
    open_with((const char *const[]){"/usr/bin/python3", "-c", xarray_script, "", NULL}, 3,
              "python3-xarray or python3-h5netcdf", false);
}

MR_TEST(opened_by_netcdf)
{
    open_with((const char *const[]){"/usr/bin/python3", "-c", netcdf_script, "", NULL}, 3,
              "python3-netcdf4", false);
}

MR_TEST(opened_by_h5dump)
{
    open_with((const char *const[]){"h5dump", "-o", "/dev/null", "", NULL}, 3, "hdf5-tools", false);
}

/* ---- what it refuses ---- */

static mr_status series_named(struct mr_runfile *file, const char *group, const char *channel,
                              const char *entity, struct mr_err *err)
{
    const struct mr_channel q = {.name = channel, .units = "1", .long_name = "A number"};
    const struct mr_track_plan plan = {.group = group,
                                       .axis = "rack",
                                       .axis_name = "Racks",
                                       .name = &entity,
                                       .n_entity = 1,
                                       .channel = &q,
                                       .n_channel = 1};
    struct mr_track *series;
    *err = (struct mr_err){0};
    return mr_track_create(file, &plan, &series, err);
}

MR_TEST(hostile_names)
{
    static const char *const bad[] = {"",     ".",        "..",    "a/b",  " a",   "a ",
                                      "a\nb", "\xff\xfe", "a\x7f", "time", "rack", "\xc0\x80"};
    static const char *const odd[] = {"a b", "\xf0\x9f\x94\xa5", "-", "%s%n", "a.b", "..."};
    char path[512], longest[256], group[N_OF(odd)][64];
    struct mr_err err = {0};
    struct mr_runfile *file;
    const struct mr_runfile_options options = mr_runfile_options_default();
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("names.h5"));
    must(mr_runfile_create(path, &options, &file, &err), &err);
    for (size_t i = 0; i < N_OF(bad); i++) {
        if (series_named(file, "/g", bad[i], "R0", &err) == MR_OK)
            fail_msg("channel \"%s\" was taken", bad[i]);
        assert_true(err.status == MR_RANGE || err.status == MR_SCHEMA);
        assert_true(strchr(err.text, '\n') == NULL && err.text[0] != '\0');
    }
    memset(longest, 'x', sizeof longest);
    longest[201] = '\0';
    assert_int_equal(series_named(file, "/g", longest, "R0", &err), MR_RANGE);
    assert_int_equal(series_named(file, "g", "a", "R0", &err), MR_RANGE);
    assert_int_equal(series_named(file, "/g//h", "a", "R0", &err), MR_RANGE);
    assert_int_equal(series_named(file, "/g/", "a", "R0", &err), MR_RANGE);
    assert_int_equal(series_named(file, "/g", "a", "\xff", &err), MR_RANGE);
    for (size_t i = 0; i < N_OF(odd);
         i++) { /* odd, but a name; entities may be anything in UTF-8 */
        snprintf(group[i], sizeof group[i], "/odd%zu/%s", i, odd[i]);
        must(series_named(file, group[i], odd[i], i == 0 ? "" : "R/0 \n", &err), &err);
    }
    err = (struct mr_err){0};
    must(mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "", &err), &err);
    mr_runfile_destroy(file);
    const hid_t h5 = h5_open(path, H5F_ACC_RDONLY);
    hsize_t dim[2];
    h5_extent(h5, "/odd1/\xf0\x9f\x94\xa5/\xf0\x9f\x94\xa5", dim);
    assert_true(dim[0] == 0 && dim[1] == 1);
    H5Fclose(h5);
}

MR_TEST(mistakes_are_told)
{
    struct mr_err err = {0};
    const struct mr_channel no_unit = {.name = "a", .long_name = "A"};
    const struct mr_channel twice[2] = {rack_channel[0], rack_channel[0]};
    assert_int_equal(mr_channel_check(&no_unit, 1, &err), MR_SCHEMA);
    mr_assert_contains(err.text, "no unit");
    err = (struct mr_err){0};
    assert_int_equal(mr_channel_check(twice, 2, &err), MR_SCHEMA);
    mr_assert_contains(err.text, "twice");
}

MR_TEST(a_live_file_only_grows)
{
    struct mr_err err = {0};
    struct run run = {0};
    struct mr_runfile_options options = mr_runfile_options_default();
    options.is_live = true;
    must(mr_runfile_create(mr_test_tmp_path("live.h5"), &options, &run.file, &err), &err);
    must(declare(&run, &err), &err);
    must(mr_runfile_start(run.file, &err), &err);
    assert_int_equal(mr_runfile_attr_text(run.file, "/", "late", "x", &err), MR_LIMIT);
    mr_assert_contains(err.text, "nothing but rows");
    err = (struct mr_err){0};
    must(give_row(&run, 0, &err), &err);
    must(mr_runfile_stop(run.file, &err), &err);
    must(mr_runfile_attr_text(run.file, "/", "late", "x", &err), &err);
    must(mr_runfile_finish(run.file, MR_RUNFILE_COMPLETE, "", &err), &err);
    mr_runfile_destroy(run.file);
}

static mr_status small_file(void *context, struct mr_err *err)
{
    struct run run = {0};
    struct mr_runfile_options options = mr_runfile_options_default();
    options.may_overwrite = true;
    options.ring_bytes = 1;
    MR_TRY(mr_runfile_create(context, &options, &run.file, err));
    mr_status st = declare(&run, err);
    if (st == MR_OK)
        st = mr_runfile_start(run.file, err);
    if (st == MR_OK)
        st = give_row(&run, 0, err);
    if (st == MR_OK)
        st = mr_runfile_finish(run.file, MR_RUNFILE_COMPLETE, "", err);
    mr_runfile_destroy(run.file);
    return st;
}

MR_TEST(every_failing_allocation)
{
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("nomem.h5"));
    mr_test_every_nomem(small_file, path);
}

MR_TEST_MAIN(MR_TEST_ENTRY(everything_comes_back), MR_TEST_ENTRY(content_is_that_of_the_rows_alone),
             MR_TEST_ENTRY(opened_by_h5py), MR_TEST_ENTRY(opened_by_xarray),
             MR_TEST_ENTRY(opened_by_netcdf), MR_TEST_ENTRY(opened_by_h5dump),
             MR_TEST_ENTRY(hostile_names), MR_TEST_ENTRY(mistakes_are_told),
             MR_TEST_ENTRY(a_live_file_only_grows),

             MR_TEST_ENTRY(every_failing_allocation))
