/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/csv: quoting, line ends, places, hostile rows, the real files with their golden sums.
 */
#include "engine/base/csv.h"

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
    joined("title\nunits\n1,2\n3\n", &bare, out, sizeof out);
    assert_string_equal(out, "1|2;3;");
    const struct mr_csv_options tiny = {.row_max_bytes = 1000};
    static char longer[400000];
    memset(longer, 'x', sizeof longer - 1);
    memcpy(longer, "a\n", 2);
    joined(longer, &tiny, out, sizeof out);
    assert_string_equal(out, "!LIMIT");
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
        "plain", "", "a,b", "say \"x\"", "two\nlines", "\xEF\xBB\xBFmark", " sp "};
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
    static char text[] = "a,b,c\n1,\"2\",3\n4,5,6\n";
    mr_test_every_nomem(read_all, text);
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

MR_TEST(operator_power_gzip)
{
    const char *path = mr_test_data("op_power/b200_gemm.csv.gz");
    if (path == NULL)
        mr_test_skip("op_power is not in MILLRACE_DATA");
    struct mr_csv *csv;
    struct mr_err err = {0};
    assert_int_equal(mr_csv_open(path, NULL, &csv, &err), MR_OK);
    size_t n = 0, power = 0;
    for (size_t i = 0; i < mr_csv_n_column(csv); i++)
        if (strncmp(mr_csv_column_name(csv, i).p, "power", 5) == 0 &&
            mr_csv_column_name(csv, i).n < 9)
            power = i;
    double most = 0;
    for (bool has_row = true;; n++) {
        double value = 0;
        assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
        if (!has_row)
            break;
        assert_int_equal(mr_csv_f64(csv, power, &value, &err), MR_OK);
        most = fmax(most, value);
    }
    assert_int_equal(n, 2930);
    mr_assert_near(most, 999.766, 0, 5e-4);
    mr_csv_close(csv);
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
             MR_TEST_ENTRY(columns_and_places), MR_TEST_ENTRY(a_row_longer_than_the_buffer),
             MR_TEST_ENTRY(what_is_written_reads_back), MR_TEST_ENTRY(every_failing_allocation),
             MR_TEST_ENTRY(azure_arrivals), MR_TEST_ENTRY(ercot_prices),
             MR_TEST_ENTRY(carbon_series), MR_TEST_ENTRY(silicon_measurements),
             MR_TEST_ENTRY(operator_power_gzip), MR_TEST_ENTRY(weather_file))
