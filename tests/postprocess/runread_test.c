/* SPDX-License-Identifier: Apache-2.0 */
/* postprocess/runread and figures: what was written comes back; parts are told from finished files;
 * damaged ones end in a message, whichever byte of them is wrong. */
#include "postprocess/runread.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "postprocess/figures.h"
#include "tests/postprocess/sample.h"

#include <hdf5.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static struct mr_runread *must_open(const char *path)
{
    struct mr_runread *run = NULL;
    struct mr_err err = {0};
    if (mr_runread_open(path, NULL, &run, &err) != MR_OK)
        fail_msg("%s: %s", path, err.text);
    return run;
}

static void check(const char *path)
{
    struct mr_runread *run = must_open(path);
    struct mr_err err = {0};
    const struct mr_runread_set *power = mr_runread_find(run, "/racks/power_kw");
    const struct mr_runread_set *kind = mr_runread_find(run, "/events/kind");
    const char *const *name;
    double *value, column[SAMPLE_ROWS], row[SAMPLE_RACKS];
    assert_non_null(power);
    assert_string_equal(power->units, "kW");
    assert_string_equal(power->dsx, "Rack/RackPower");
    assert_string_equal(power->axis[0], "/racks/time");
    assert_string_equal(power->axis[1], "/racks/rack");
    assert_int_equal(mr_runread_rows(run, power), SAMPLE_ROWS);
    assert_int_equal(mr_runread_width(power), SAMPLE_RACKS);
    assert_int_equal(mr_runread_all(run, power, &value, &err), MR_OK);
    for (size_t i = 0; i < SAMPLE_ROWS; i++)
        for (size_t k = 0; k < SAMPLE_RACKS; k++)
            assert_true(value[i * SAMPLE_RACKS + k] == sample_power_kw(i, k));
    mr_free(value);
    assert_int_equal(mr_runread_column(run, power, 5, column, &err), MR_OK);
    assert_true(column[9] == sample_power_kw(9, 5));
    assert_int_equal(mr_runread_f64(run, power, 3, 1, row, &err), MR_OK);
    assert_true(row[11] == sample_power_kw(3, 11));
    assert_int_equal(mr_runread_texts(run, mr_runread_find(run, "/racks/rack"), &name, &err),
                     MR_OK);
    assert_string_equal(name[6], "H0.R1.K2");
    assert_int_equal(kind->n_flag, 2);
    assert_string_equal(kind->flag[1], "too_hot");
    assert_true(mr_runread_find(run, "/requests/request")->is_bare);
    assert_string_equal(mr_runread_attr(run, "/provenance", "seed"), "3");
    assert_null(mr_runread_find(run, "/racks/nothing"));
    assert_int_equal(mr_runread_f64(run, power, SAMPLE_ROWS, 1, row, &err), MR_RANGE);
    mr_runread_close(run);
}

MR_TEST(what_was_written_comes_back)
{
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("run.h5"));
    sample_write(path, 1, true);
    check(path);
    struct mr_runread *run = must_open(path);
    assert_true(mr_runread_is_complete(run));
    mr_runread_close(run);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(a_part_is_told)
{
    char path[512], part[530];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("cut.h5"));
    snprintf(part, sizeof part, "%s.part", path);
    sample_write(path, 1, false);
    check(part);
    struct mr_runread *run = must_open(part);
    assert_false(mr_runread_is_complete(run));
    mr_runread_close(run);
}

MR_TEST(figures_of_file_and_summary_are_the_same)
{
    struct mr_figures file, json;
    struct mr_err err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("f.h5"));
    sample_write(path, 1, true);
    assert_int_equal(mr_figures_load(path, &file, &err), MR_OK);
    const char *summary = mr_test_write("f.json", sample_json, sizeof sample_json - 1);
    assert_int_equal(mr_figures_load(summary, &json, &err), MR_OK);
    assert_string_equal(json.name, "sample");
    assert_string_equal(file.name, "sample");
    for (size_t i = 0; i < json.n_item; i++)
        assert_true(mr_figures_value(&file, json.item[i].path) == json.item[i].value);
    assert_int_equal(file.n_item, json.n_item + 1); /* what only /kpi has */
    assert_true(mr_figures_value(&file, "energy.extra_j") == 7);
    assert_true(mr_figures_value(&json, "tiers.gold.slo_met_frac") == 0.99);
    assert_true(mr_figures_value(&json, "violations") == 2);
    assert_int_equal(json.n_tier, 2);
    assert_string_equal(json.tier[1], "free");
    assert_string_equal(json.violation[0].where, "feed <A&B>");
    assert_true(json.seed == 3);
    assert_true(isnan(mr_figures_value(&json, "schema")));
    mr_figures_fini(&file);
    mr_figures_fini(&json);
    assert_int_equal(mr_test_live_allocations(), 0);
}

static void must_refuse(const char *path, mr_status st, const char *why)
{
    struct mr_runread *run;
    struct mr_err err = {0};
    assert_int_equal(mr_runread_open(path, NULL, &run, &err), st);
    assert_null(run);
    assert_string_equal(err.file, path);
    mr_assert_contains(err.text, why);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(other_files_are_told)
{
    must_refuse("no-such.h5", MR_IO, "no such file");
    must_refuse(mr_test_write("text.h5", "hello", 5), MR_PARSE, "is no result file");
    must_refuse(mr_test_write("empty.h5", "", 0), MR_PARSE, "is no result file");
    must_refuse(mr_test_write("magic.h5", "\x89HDF\r\n\x1a\n", 8), MR_PARSE, "cannot be read");
    must_refuse(mr_test_tmp(), MR_PARSE, "is no result file");
    struct mr_figures figures;
    struct mr_err err = {0};
    assert_int_equal(mr_figures_load(mr_test_write("bad.json", "{\"a\":", 5), &figures, &err),
                     MR_PARSE);
    mr_figures_fini(&figures);
    err = (struct mr_err){0};
    assert_int_equal(mr_figures_load(mr_test_write("array.json", "[1]", 3), &figures, &err),
                     MR_SCHEMA);
    mr_figures_fini(&figures);
}

/* A file of ours whose number is changed, or gone. */
static const char *with_schema(const char *name, const uint64_t *schema)
{
    const char *path = mr_test_tmp_path(name);
    sample_write(path, 1, true);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0 && H5Adelete(file, "schema") >= 0);
    if (schema != NULL) {
        const hid_t space = H5Screate(H5S_SCALAR);
        const hid_t attr =
            H5Acreate2(file, "schema", H5T_NATIVE_UINT64, space, H5P_DEFAULT, H5P_DEFAULT);
        assert_true(attr >= 0 && H5Awrite(attr, H5T_NATIVE_UINT64, schema) >= 0);
        H5Aclose(attr);
        H5Sclose(space);
    }
    H5Fclose(file);
    return path;
}

MR_TEST(other_schemas_are_told)
{
    const uint64_t later = 2, same = MR_RUNREAD_SCHEMA;
    must_refuse(with_schema("later.h5", &later), MR_SCHEMA, "which a later version writes");
    must_refuse(with_schema("none.h5", NULL), MR_SCHEMA, "is no result file of millrace");
    check(with_schema("same.h5", &same));
    struct mr_figures figures;
    struct mr_err err = {0};
    assert_int_equal(
        mr_figures_load(mr_test_write("later.json", "{\"schema\":2}", 12), &figures, &err),
        MR_SCHEMA);
    mr_assert_contains(err.text, "schema 2");
    mr_figures_fini(&figures);
}

MR_TEST(a_file_that_is_written_is_told)
{
    const struct mr_runread_options torn = {.may_be_torn = true};
    struct mr_runread *run = NULL;
    struct mr_err err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("held.h5"));
    sample_write(path, 1, true);
    const int writer = open(path, O_RDWR);
    assert_int_equal(flock(writer, LOCK_EX | LOCK_NB), 0);
    must_refuse(path, MR_IO, "is being written");
    assert_int_equal(mr_runread_open(path, &torn, &run, &err), MR_OK);
    assert_non_null(mr_runread_find(run, "/racks/power_kw"));
    mr_runread_close(run);
    close(writer);
    check(path);
}

/* Everything that can be asked of a file, whatever is in it. */
static void read_everything(const char *path)
{
    struct mr_runread *run = NULL;
    struct mr_figures figures;
    struct mr_err err = {0};
    if (mr_figures_load(path, &figures, &err) == MR_OK)
        (void)mr_figures_value(&figures, "tok_s.output");
    mr_figures_fini(&figures);
    err = (struct mr_err){0};
    if (mr_runread_open(path, NULL, &run, &err) != MR_OK) {
        if (err.text[0] == '\0')
            _exit(3); /* not a word */
        return;
    }
    for (size_t i = 0; i < mr_runread_n(run); i++) {
        const struct mr_runread_set *set = mr_runread_at(run, i);
        const char *const *text;
        double *value = NULL;
        struct mr_err own = {0};
        if (set->is_text)
            (void)!mr_runread_texts(run, set, &text, &own);
        else if (mr_runread_rows(run, set) < 1 << 20)
            (void)!mr_runread_all(run, set, &value, &own);
        mr_free(value);
    }
    mr_runread_close(run);
}

/* In a process of its own with little memory: a size in the file may be anything. */
static void must_survive(const char *path, const char *what, size_t at)
{
    const pid_t child = fork();
    int status = 0;
    if (child == 0) {
        read_everything(path);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s at byte %zu: %s %d", what, at, WIFEXITED(status) ? "exit" : "signal",
                 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static unsigned char *slurp(const char *path, size_t *n)
{
    static unsigned char bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(*n > 0 && *n < sizeof bytes);
    return bytes;
}

MR_TEST(cut_files_end_in_a_message)
{
    size_t n;
    sample_write(mr_test_tmp_path("whole.h5"), 1, true);
    const unsigned char *bytes = slurp(mr_test_tmp_path("whole.h5"), &n);
    for (size_t i = 0; i < 40; i++)
        must_survive(mr_test_write("cut.h5", bytes, n * i / 40), "cut", n * i / 40);
}

MR_TEST(flipped_bytes_end_in_a_message)
{
    struct mr_rng rng = mr_rng_stream(20, MR_RNG_TEST, 0);
    size_t n;
    sample_write(mr_test_tmp_path("whole.h5"), 1, true);
    unsigned char *bytes = slurp(mr_test_tmp_path("whole.h5"), &n);
    for (int i = 0; i < 200; i++) {
        const size_t at = (size_t)mr_rng_below(&rng, n);
        const unsigned char was = bytes[at], mask = (unsigned char)(1 + mr_rng_below(&rng, 255));
        bytes[at] = was ^ mask;
        must_survive(mr_test_write("flipped.h5", bytes, n), "flip", at);
        bytes[at] = was;
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(what_was_written_comes_back), MR_TEST_ENTRY(a_part_is_told),
             MR_TEST_ENTRY(figures_of_file_and_summary_are_the_same),
             MR_TEST_ENTRY(other_files_are_told), MR_TEST_ENTRY(other_schemas_are_told),
             MR_TEST_ENTRY(a_file_that_is_written_is_told),
             MR_TEST_ENTRY(cut_files_end_in_a_message),
             MR_TEST_ENTRY(flipped_bytes_end_in_a_message))
