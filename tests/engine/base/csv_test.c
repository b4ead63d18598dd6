/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/csv: quoting, line ends, places, hostile rows, the real files with their golden sums.
 */
#include "engine/base/csv.h"

#include "engine/base/mem.h"
#include "tests/test.h"

static struct mr_csv *open_text(const char *text, const struct mr_csv_options *options,
                                struct mr_err *err)
{
    struct mr_gz *gz;
    struct mr_csv *csv = NULL;
    if (mr_gz_open_memory(text, strlen(text), "t.csv", &gz, err) == MR_OK &&
        mr_csv_create(gz, options, &csv, err) != MR_OK)
        csv = NULL;
    return csv;
}

/* All rows joined: fields by "|", rows by ";". Ends with "!STATUS" on an error. */
static void joined(const char *text, const struct mr_csv_options *options, char *out, size_t cap)
{
    struct mr_err err = {0};
    size_t n = 0;
    out[0] = '\0';
    struct mr_csv *csv = open_text(text, options, &err);
    bool has_row = csv != NULL;
    mr_status st = err.status;
    while (has_row) {
        st = mr_csv_next(csv, &has_row, &err);
        if (st != MR_OK || !has_row)
            break;
        for (size_t i = 0; i < mr_csv_n_field(csv); i++) {
            const struct mr_str f = mr_csv_field(csv, i);
            n += (size_t)snprintf(out + n, cap - n, "%s%.*s", i > 0 ? "|" : "", (int)f.n, f.p);
        }
        n += (size_t)snprintf(out + n, cap - n, ";");
    }
    if (st != MR_OK)
        snprintf(out + n, cap - n, "!%s", mr_status_name(st));
    mr_csv_close(csv);
}

MR_TEST(rows_and_quotes)
{
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"a,b\n1,2\n3,4\n", "1|2;3|4;"},
        {"a,b\r\n1,2\r\n3,4", "1|2;3|4;"},
        {"\xEF\xBB\xBF"
         "a,b\n1,2\n",
         "1|2;"},
        {"a,b\n\n1,2\n\r\n\n3,4\n\n", "1|2;3|4;"},
        {"a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", "x,y|say \"hi\";"},
        {"a,b\n\"two\nlines\",\"\"\n", "two\nlines|;"},
        {"a,b\n\"q\"\r\n", "!SCHEMA"},
        {"a\n\"q\"\r\nz\n", "q;z;"},
        {"a,b\n,\n", "|;"},
        {"a,b\n1,\n,2", "1|;|2;"},
        {"a\nb\"c\n", "b\"c;"},
        {"a,b\n1,2,3\n", "!SCHEMA"},
        {"a,b\n1\n", "!SCHEMA"},
        {"a,b\n\"never closed\n1,2\n", "!PARSE"},
        {"a,b\n\"x\"y,2\n", "!PARSE"},
        {"a,b\n\"\"\"\",2\n", "\"|2;"},
        {"a,b", ""},
        {"", "!PARSE"},
        {"\n\n", "!PARSE"},
        {"a\n\"q\"\rz\n", "!PARSE"}, /* a lone carriage return ends no line */
        {"a,b\n\"q\"\r,2\n", "!PARSE"},
        {"a\n\"q\"\r", "q;"},
        {"a,b\nx\ry,\r\n", "x\ry|;"},
        {"a,b\n1,", "1|;"},
        {"a\n\"x\"", "x;"},
        {"a\n\"\"\"\"\"\"\n", "\"\";"},
        {"a\n\"", "!PARSE"},
        {"a\n\"\"\"", "!PARSE"},
    };
    char out[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        joined(cases[i].text, NULL, out, sizeof out);
        assert_string_equal(out, cases[i].rows);
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(options_change_the_dialect)
{
    char out[256];
    const struct mr_csv_options semicolon = {
        .separator = ';', .comment = '#', .may_be_ragged = true};
    joined("a;b\n# no row\n1;2;3\n4\n", &semicolon, out, sizeof out);
    assert_string_equal(out, "1|2|3;4;");
    const struct mr_csv_options bare = {.has_no_header = true, .n_skip = 2};
    joined("title\nunits\n1,2\n3,4\n5\n", &bare, out, sizeof out);
    assert_string_equal(out, "1|2;3|4;!SCHEMA");
    const struct mr_csv_options tabs = {.separator = '\t', .has_no_header = true};
    joined("1\t\"a\tb\"\n", &tabs, out, sizeof out);
    assert_string_equal(out, "1|a\tb;");
}

/* Status and text of the first error, "" when there is none. */
static const char *first_error(const char *text, const struct mr_csv_options *options,
                               char line[900])
{
    struct mr_err err = {0};
    bool has_row = true;
    struct mr_csv *csv = open_text(text, options, &err);
    while (csv != NULL && has_row && mr_csv_next(csv, &has_row, &err) == MR_OK)
        ;
    mr_csv_close(csv);
    line[0] = '\0';
    if (err.status != MR_OK)
        mr_err_print(&err, line, 900);
    return line;
}

MR_TEST(errors_name_the_place_and_do_not_depend_on_the_reads)
{
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"a,b\n1,2\n", ""},
        {"", "t.csv:1:1: error: no header: the file is empty"},
        {"a,b\n1,2\n1,2,3\n", "t.csv:3:1: error: 3 fields, the header has 2"},
        {"a,b\n\n\"1\n2\",\"x\"y\n", "t.csv:4:7: error: found \"y\" after a closing quote, "
                                     "expected \",\" or the end of the line"},
        {"a,b\n1,\"x\"\ry\n", "t.csv:2:6: error: found \"\\x0D\" after a closing quote, expected "
                              "\",\" or the end of the "
                              "line"},
        {"a,b\n1, 2\n3,\"4\n5\n", "t.csv:3:3: error: this quote is never closed"},
        {"a,b\n123456789,2\n", ""},
        {"a,b\n1,1234567890\n", ""},
        {"a,b\n1,12345678901\n",
         "t.csv:2:3: error: a field of more than 10 bytes (a quote that is never closed?)"},
        {"a,b\n1,\"12345678\"\n", ""},
        {"a,b\n1,\"123456789\"\n",
         "t.csv:2:3: error: a field of more than 10 bytes (a quote that is never closed?)"},
        {"a,b\n\"1234\n5678901\n", /* where the field begins */
         "t.csv:2:1: error: a field of more than 10 bytes (a quote that is never closed?)"},
        {"a,b\n1234567890,12345\n", ""},
        {"a,b\n1234567890,123456\n",
         "t.csv:2:1: error: a row of more than 16 bytes (a quote that is never closed?)"},
        {"a,b\n1234567890,12345678901\n",
         "t.csv:2:1: error: a row of more than 16 bytes (a quote that is never closed?)"},
    };
    char line[900];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t read_bytes = 0; read_bytes < 20; read_bytes++) {
            const struct mr_csv_options options = {
                .field_max_bytes = 10, .row_max_bytes = 16, .read_bytes = read_bytes};
            assert_string_equal(first_error(cases[i].text, &options, line), cases[i].line);
        }
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(after_an_error)
{
    struct mr_err err = {0};
    bool has_row;
    struct mr_csv *csv = open_text("a,b\n1\n2,3\n4,\"x\"\"y\"z\n5,6\n", NULL, &err);
    assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_SCHEMA);
    assert_true(has_row); /* a row of the wrong length is there to look at */
    assert_int_equal(mr_csv_n_field(csv), 1);
    assert_int_equal(mr_csv_field(csv, 1).n, 0);
    struct mr_err none = {0};
    assert_int_equal(mr_csv_next(csv, &has_row, &none), MR_OK);
    assert_true(mr_str_is(mr_csv_field(csv, 1), "3"));
    for (int i = 0; i < 3; i++) { /* where the rows end is not known any more */
        struct mr_err again = {0};
        assert_int_equal(mr_csv_next(csv, &has_row, &again), MR_PARSE);
        assert_false(has_row);
        assert_int_equal(again.line, 4);
        assert_int_equal(mr_csv_n_field(csv), 0);
        assert_int_equal(mr_csv_field(csv, 0).n, 0);
        assert_int_equal(mr_csv_place(csv, 0).col, 1);
    }
    mr_csv_close(csv);
}

MR_TEST(damaged_gzip_is_an_error_not_an_end)
{
    static const char text[] = "a\n1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    void *packed;
    size_t n;
    struct mr_err err = {0};
    assert_int_equal(mr_gz_compress(text, sizeof text - 1, 6, &packed, &n, &err), MR_OK);
    struct mr_gz *gz;
    struct mr_csv *csv;
    bool has_row = true;
    assert_int_equal(mr_gz_open_memory(packed, n - 6, "cut.csv.gz", &gz, &err), MR_OK);
    mr_status st = mr_csv_create(gz, NULL, &csv, &err);
    if (st == MR_OK) {
        while (st == MR_OK && has_row)
            st = mr_csv_next(csv, &has_row, &err);
        mr_csv_close(csv);
    }
    assert_int_equal(st, MR_PARSE);
    mr_free(packed);
}

MR_TEST(columns_and_places)
{
    struct mr_err err = {0};
    struct mr_csv *csv = open_text("time_s, rate ,note\n1,abc,\"x\ny\"\n 2.5 ,-7,\n", NULL, &err);
    assert_non_null(csv);
    size_t rate, note;
    assert_int_equal(mr_csv_column(csv, "rate", &rate, &err), MR_OK);
    assert_int_equal(mr_csv_column(csv, "note", &note, &err), MR_OK);
    assert_int_equal(mr_csv_find_column(csv, "absent"), SIZE_MAX);
    size_t column;
    struct mr_err missing = {0};
    assert_int_equal(mr_csv_column(csv, "ratee", &column, &missing), MR_SCHEMA);
    assert_string_equal(missing.text, "no column \"ratee\" (did you mean \"rate\"?)");
    struct mr_err missing_too = {0}, twice = {0};
    assert_int_equal(mr_csv_column(csv, "xyzzy", &column, &missing_too), MR_SCHEMA);
    assert_string_equal(missing_too.text, "no column \"xyzzy\"");
    struct mr_csv *twins =
        open_text("# t\n\na,b, a\n", &(struct mr_csv_options){.comment = '#'}, &twice);
    assert_int_equal(mr_csv_column(twins, "b", &column, &twice), MR_OK);
    assert_int_equal(mr_csv_column(twins, "a", &column, &twice), MR_SCHEMA);
    assert_string_equal(twice.text, "columns 1 and 3 are both called \"a\"");
    assert_int_equal(twice.line, 3);
    mr_csv_close(twins);
    bool has_row;
    double value = 0;
    int64_t integer = 0;
    uint64_t whole = 0;
    char line[900];
    assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
    assert_int_equal(mr_csv_f64(csv, rate, &value, &err), MR_PARSE);
    mr_err_print(&err, line, sizeof line);
    assert_string_equal(line, "t.csv:2:3: error: column \"rate\": \"abc\" is not a number");
    assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
    assert_int_equal(mr_csv_f64(csv, 0, &value, &err), MR_OK);
    assert_true(value == 2.5);
    assert_int_equal(mr_csv_i64(csv, rate, &integer, &err), MR_OK);
    assert_int_equal(integer, -7);
    struct mr_err negative = {0}, empty = {0};
    assert_int_equal(mr_csv_u64(csv, rate, &whole, &negative), MR_PARSE);
    assert_int_equal(mr_csv_f64(csv, note, &value, &empty), MR_PARSE);
    mr_err_print(&empty, line, sizeof line);
    assert_string_equal(line, "t.csv:4:10: error: column \"note\": \"\" is not a number");
    assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
    assert_false(has_row);
    mr_csv_close(csv);
}

MR_TEST(a_row_longer_than_the_buffer)
{
    enum {
        n = 300000
    };
    char *text = malloc(n + 64);
    const int head = sprintf(text, "a,b\n7,\"");
    memset(text + head, 'z', n);
    strcpy(text + head + n, "\"\n8,9\n");
    struct mr_err err = {0};
    bool has_row;
    struct mr_csv *csv = open_text(text, NULL, &err);
    assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
    assert_int_equal(mr_csv_field(csv, 1).n, n);
    assert_true(mr_str_is(mr_csv_field(csv, 0), "7"));
    assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
    assert_true(mr_str_is(mr_csv_field(csv, 1), "9"));
    mr_csv_close(csv);
    free(text);
}

MR_TEST(what_is_written_reads_back)
{
    static const char *const fields[] = {
        "plain", "", "a,b", "say \"x\"", "two\nlines", "\xEF\xBB\xBFmark", " sp ", "# no", "cr\r"};
    enum {
        n = sizeof fields / sizeof *fields
    };
    struct mr_buf buf = {0};
    struct mr_csv_writer w = {&buf, false};
    for (int row = 0; row < 2; row++) {
        for (size_t i = 0; i < n; i++)
            mr_csv_put_text(&w, fields[row == 0 ? i : n - 1 - i]);
        mr_csv_put_f64(&w, 0.1);
        mr_csv_put_u64(&w, UINT64_MAX);
        mr_csv_put_f64(&w, (double)NAN);
        mr_csv_put_end(&w);
    }
    const struct mr_csv_options bare = {.has_no_header = true};
    struct mr_err err = {0};
    struct mr_csv *csv = open_text(buf.text, &bare, &err);
    for (int row = 0; row < 2; row++) {
        bool has_row;
        assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
        assert_int_equal(mr_csv_n_field(csv), n + 3);
        for (size_t i = 0; i < n; i++)
            assert_true(mr_str_is(mr_csv_field(csv, i), fields[row == 0 ? i : n - 1 - i]));
        assert_true(mr_str_is(mr_csv_field(csv, n), "0.1"));
        assert_int_equal(mr_csv_field(csv, n + 2).n, 0);
    }
    mr_csv_close(csv);
    mr_buf_fini(&buf);
}

MR_TEST(written_text)
{
    struct mr_buf buf = {0};
    struct mr_csv_writer w = {&buf, false};
    mr_csv_put_text(&w, "a");
    mr_csv_put_i64(&w, INT64_MIN);
    mr_csv_put_f64(&w, 1e22);
    mr_csv_put_text(&w, "b\"c");
    mr_csv_put_end(&w);
    mr_csv_put_f64(&w, (double)NAN); /* alone in its row it must not look like a blank line */
    mr_csv_put_end(&w);
    mr_csv_put_text(&w, "");
    mr_csv_put_text(&w, "");
    mr_csv_put_end(&w);
    assert_string_equal(buf.text, "a,-9223372036854775808,1e22,\"b\"\"c\"\n\"\"\n\"\",\n");
    mr_buf_fini(&buf);
}

static mr_status read_all(void *context, struct mr_err *err)
{
    struct mr_gz *gz;
    struct mr_csv *csv;
    bool has_row = true;
    MR_TRY(mr_gz_open_memory(context, strlen(context), "t", &gz, err));
    MR_TRY(mr_csv_create(gz, NULL, &csv, err));
    mr_status st = MR_OK;
    while (st == MR_OK && has_row)
        st = mr_csv_next(csv, &has_row, err);
    mr_csv_close(csv);
    return st;
}

MR_TEST(every_failing_allocation)
{
    enum {
        n_wide = 3000
    };
    static char text[] = "a,b,c\n1,\"2\",3\n4,5,6\n";
    static char wide[2 * 3 * n_wide + 1]; /* a header and a row of many fields */
    mr_test_every_nomem(read_all, text);
    for (size_t i = 0; i < (size_t)2 * n_wide; i++)
        memcpy(wide + 3 * i, i % n_wide == n_wide - 1 ? "xy\n" : "xy,", 3);
    mr_test_every_nomem(read_all, wide);
}

/* ---- real files ---- */

static void sum_column(const char *file, const char *name, uint64_t n_row, double sum,
                       double tolerance)
{
    const char *path = mr_test_data(file);
    if (path == NULL)
        mr_test_skip("%s is not in MILLRACE_DATA", file);
    struct mr_csv *csv;
    struct mr_err err = {0};
    assert_int_equal(mr_csv_open(path, NULL, &csv, &err), MR_OK);
    size_t column;
    assert_int_equal(mr_csv_column(csv, name, &column, &err), MR_OK);
    uint64_t n = 0;
    double total = 0;
    bool has_row;
    for (;;) {
        double value = 0;
        assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
        if (!has_row)
            break;
        assert_int_equal(mr_csv_f64(csv, column, &value, &err), MR_OK);
        total += value;
        n++;
    }
    assert_int_equal(n, n_row);
    mr_assert_near(total, sum, 0, tolerance);
    mr_csv_close(csv);
}

MR_TEST(azure_arrivals)
{
    sum_column("azure/azure_llm_2023_conv.csv", "ContextTokens", 19366, 22361870, 0);
    sum_column("azure/azure_llm_2023_conv.csv", "GeneratedTokens", 19366, 4088665, 0);
}

MR_TEST(ercot_prices)
{
    sum_column("grid/ercot_price_2024.csv", "Price (USD/MWh)", 8784, 246672.835, 1e-6);
}

MR_TEST(carbon_series)
{
    sum_column("grid/erco_carbon_2022.csv", "avg_CI", 8760, 347.201881 * 8760, 0.01);
}

MR_TEST(silicon_measurements)
{
    sum_column("silicon/silicon_calibration.csv", "silicon_ttft_ms", 2698, 9130813.621, 1e-2);
    sum_column("silicon/silicon_calibration.csv", "silicon_tpot_ms", 2698, 49522.3325, 1e-3);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Least, median and largest of a column, by the beginning of its name. */
static void order_column(const char *file, const char *begin, size_t n_row, const double known[3],
                         double tolerance)
{
    static double value[3000];
    const char *path = mr_test_data(file);
    struct mr_csv *csv;
    struct mr_err err = {0};
    size_t column = SIZE_MAX, n = 0;
    bool has_row = true;
    if (path == NULL)
        mr_test_skip("%s is not in MILLRACE_DATA", file);
    assert_int_equal(mr_csv_open(path, NULL, &csv, &err), MR_OK);
    for (size_t i = mr_csv_n_column(csv); i-- > 0;)
        if (strncmp(mr_csv_column_name(csv, i).p, begin, strlen(begin)) == 0)
            column = i;
    for (;; n++) {
        assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
        if (!has_row)
            break;
        assert_true(n < sizeof value / sizeof *value);
        assert_int_equal(mr_csv_f64(csv, column, &value[n], &err), MR_OK);
    }
    mr_csv_close(csv);
    assert_int_equal(n, n_row);
    qsort(value, n, sizeof *value, by_value);
    mr_assert_near(value[0], known[0], 0, tolerance);
    mr_assert_near(n % 2 == 1 ? value[n / 2] : (value[n / 2 - 1] + value[n / 2]) / 2, known[1], 0,
                   tolerance);
    mr_assert_near(value[n - 1], known[2], 0, tolerance);
}

MR_TEST(operator_power_gzip)
{
    static const struct {
        const char *file;
        size_t n;
        double power_w[3], latency_ms[3];
    } known[] = {{"op_power/b200_gemm.csv.gz",
                  2930,
                  {244.893, 389.275, 999.766},
                  {0.001638, 0.015935, 2.737792}},
                 {"op_power/b200_generation_attention.csv.gz",
                  3000,
                  {240.468, 280.356, 839.162},
                  {0.008190, 0.012288, 3.629708}},
                 {"op_power/b200_context_attention.csv.gz",
                  2991,
                  {270.484, 797.897, 1002.757},
                  {0.012295, 0.093271, 48.824335}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        order_column(known[i].file, "power", known[i].n, known[i].power_w, 6e-4);
        order_column(known[i].file, "latency", known[i].n, known[i].latency_ms, 6e-7);
    }
}

MR_TEST(weather_file)
{
    const struct mr_csv_options epw = {.has_no_header = true, .n_skip = 8};
    const char *path = mr_test_data("weather/USA_AZ_Phoenix-Sky.Harbor.epw");
    if (path == NULL)
        mr_test_skip("weather/USA_AZ_Phoenix-Sky.Harbor.epw is not in MILLRACE_DATA");
    struct mr_csv *csv;
    struct mr_err err = {0};
    assert_int_equal(mr_csv_open(path, &epw, &csv, &err), MR_OK);
    size_t n = 0;
    double sum = 0;
    for (bool has_row = true;; n++) {
        double value = 0;
        assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
        if (!has_row)
            break;
        assert_int_equal(mr_csv_n_field(csv), 35);
        assert_int_equal(mr_csv_f64(csv, 6, &value, &err), MR_OK);
        sum += value;
    }
    assert_int_equal(n, 8760);
    mr_assert_near(sum / 8760, 24.66744, 0, 5e-6);
    mr_csv_close(csv);
}

MR_TEST_MAIN(MR_TEST_ENTRY(rows_and_quotes), MR_TEST_ENTRY(options_change_the_dialect),
             MR_TEST_ENTRY(errors_name_the_place_and_do_not_depend_on_the_reads),
             MR_TEST_ENTRY(after_an_error), MR_TEST_ENTRY(damaged_gzip_is_an_error_not_an_end),
             MR_TEST_ENTRY(written_text), MR_TEST_ENTRY(columns_and_places),
             MR_TEST_ENTRY(a_row_longer_than_the_buffer), MR_TEST_ENTRY(what_is_written_reads_back),
             MR_TEST_ENTRY(every_failing_allocation), MR_TEST_ENTRY(azure_arrivals),
             MR_TEST_ENTRY(ercot_prices), MR_TEST_ENTRY(carbon_series),
             MR_TEST_ENTRY(silicon_measurements), MR_TEST_ENTRY(operator_power_gzip),
             MR_TEST_ENTRY(weather_file))
