/* SPDX-License-Identifier: Apache-2.0 */
/* models/power_table: work of operators from their shapes, what a sensor says of short and long
 * runs, wrong files, and the errors on the measured B200 tables. */
#include "models/power_table.h"

#include "tests/test.h"

/* B200 as the tables see it: the card's figures */
static struct mr_power b200(void)
{
    const struct mr_gpu_card gpu = {
        .fp4_flop_s = 9e15,
        .fp8_flop_s = 4.5e15,
        .bf16_flop_s = 2.25e15,
        .memory_bytes_s = 7.7e12,
        .max_p_w = 1000,
        .clock_min = 0.35,
        .clock_knee = 0.6,
        .power_exponent = 2.6,
        .idle_w = 140,
        .context_w = 108,
        .compute_w = 80,
        .flop_bf16_j = 4.7e-13,
        .flop_fp8_j = 3.4e-13,
        .flop_fp4_j = 1.2e-13,
        .byte_j = 1.2e-10,
        .link_byte_j = 4e-11,
    };
    struct mr_power power;
    struct mr_err err = {0};
    if (mr_power_of(&gpu, &power, &err) != MR_OK)
        fail_msg("%s", err.text);
    return power;
}

#define GEMM_HEADER "op_name,gemm_dtype,m,n,k,latency,power,power_limit\n"
#define ATTENTION_HEADER                                                                    \
    "op_name,batch_size,isl,num_heads,num_key_value_heads,head_dim,window_size,attn_dtype," \
    "kv_cache_dtype,step,latency,power,power_limit\n"

static mr_status read_text(const char *text, struct mr_power_table *table, struct mr_err *err)
{
    return mr_power_table_read(mr_test_write("power.csv", text, strlen(text)), table, err);
}

MR_TEST(work_of_matrix_products)
{
    struct mr_power_table table = {0};
    struct mr_err err = {0};
    assert_int_equal(read_text(GEMM_HEADER "gemm,bfloat16,16,1024,2048,0.2,400,1000\n"
                                           "gemm,nvfp4,16,1024,2048,0.002,300,1000\n"
                                           "gemm,fp8_block,4096,32768,8192,3,900,1000\n",
                               &table, &err),
                     MR_OK);
    assert_int_equal(table.n, 3);
    const struct mr_power_row *row = table.row;
    assert_string_equal(mr_power_table_op(row[1].kind), "gemm");
    assert_string_equal(mr_power_table_type(row[1].kind), "nvfp4");
    assert_true(row[0].flop == 2.0 * 16 * 1024 * 2048);
    assert_true(row[0].memory_bytes == 2.0 * (16 * 2048 + 2048 * 1024 + 16 * 1024));
    assert_true(row[1].memory_bytes ==
                0.5625 * (16 * 2048 + 2048 * 1024) + 2.0 * 16 * 1024 + 2.5625 * 16 * 2048);
    assert_int_equal(row[2].line, 4);
    assert_true(row[0].is_first && !row[1].is_first);
    /* 5 copies of 0.2 ms: 1001 times; of 2 us, 30 us from the host: 0.3 s of that; one copy */
    mr_assert_near(row[0].run_s, 1001 * 1e-3, 1e-2, 0);
    mr_assert_near(row[1].run_s, 1001 * 10e-6 * (0.3 / 0.15), 2, 0);
    mr_assert_near(row[2].run_s, 334 * 3e-3, 1e-12, 0);
    mr_power_table_fini(&table);
}

MR_TEST(work_of_attention)
{
    struct mr_power_table table = {0};
    struct mr_err err = {0};
    assert_int_equal(
        read_text(ATTENTION_HEADER
                  "context_attention,2,100,8,2,64,0,fp8,fp8,0,0.5,400,1000\n"
                  "context_attention,2,100,8,2,64,10,bfloat16,bfloat16,0,0.5,400,1000\n"
                  "generation_attention,4,1,8,2,64,0,bfloat16,fp8,999,0.5,400,1000\n"
                  "generation_attention,4,1,8,2,64,128,bfloat16,bfloat16,999,0.5,400,1000\n",
                  &table, &err),
        MR_OK);
    const struct mr_power_row *row = table.row;
    assert_true(row[0].flop == 4.0 * 2 * 8 * 64 * 5050);
    assert_true(row[0].memory_bytes == 2.0 * 100 * 64 * (8 * 4 + 2 * (4 + 2)));
    assert_true(row[1].flop == 4.0 * 2 * 8 * 64 * (55 + 90 * 10));
    assert_true(row[1].memory_bytes == 2.0 * 100 * 64 * (8 * 4 + 2 * (4 + 4)));
    assert_true(row[2].flop == 4.0 * 4 * 8 * 64 * 1000);
    assert_true(row[2].memory_bytes == 4.0 * 64 * (1000 * 2 + 4 * 8));
    assert_true(row[3].flop == 4.0 * 4 * 8 * 64 * 128);
    mr_assert_near(row[0].cores_frac, 2 * 8 * 1 / 148.0, 1e-15, 0);
    mr_assert_near(row[2].cores_frac, 4 * 2 * 4 / 148.0, 1e-15, 0);
    assert_true(row[2].is_first && row[3].is_first); /* another window: another kernel */
    mr_power_table_fini(&table);
}

/* A long run after a gap reads near its steady power, a short one what was before. */
MR_TEST(what_the_sensor_says)
{
    struct mr_power_table table = {0};
    struct mr_err err = {0};
    const struct mr_power power = b200();
    assert_int_equal(read_text(GEMM_HEADER "gemm,bfloat16,8192,8192,8192,0.8,970,1000\n"
                                           "gemm,bfloat16,1,64,64,0.002,270,1000\n"
                                           "gemm,bfloat16,1,64,64,0.002,270,1000\n"
                                           "gemm,fp8_block,1,64,64,0.02,250,1000\n",
                               &table, &err),
                     MR_OK);
    mr_power_table_predict(&table, &power);
    struct mr_power_row *row = table.row;
    assert_true(row[0].steady_w == 985); /* 1.1 Tflop in 0.8 ms wants more */
    assert_true(row[0].reading_w > 640 && row[0].reading_w < 985);
    mr_assert_near(row[1].steady_w, 328, 1e-2, 0);
    assert_true(row[1].reading_w > 600); /* still warm from the run before */
    assert_true(row[2].reading_w < row[1].reading_w);
    assert_true(row[3].reading_w > 248 && row[3].reading_w < 330); /* a second later */
    for (size_t i = 0; i < table.n; i++)
        assert_true(row[i].reading_w >= 248 && row[i].reading_w <= 985);
    mr_power_table_fini(&table);
}

MR_TEST(scores)
{
    struct mr_power_row row[4] = {{.measured_w = 100, .reading_w = 110, .steady_w = 100},
                                  {.measured_w = 100, .reading_w = 80, .steady_w = 100},
                                  {.measured_w = 200, .reading_w = 260, .steady_w = 200},
                                  {.measured_w = 100, .reading_w = 100, .steady_w = 300}};
    row[3].kind = MR_POWER_TABLE_GENERATION;
    row[3].run_s = 1;
    row[3].is_held_out = true;
    const struct mr_power_table table = {row, 4, 4};
    struct mr_power_score score;
    struct mr_err err = {0};
    assert_int_equal(mr_power_table_score(&table, &(struct mr_power_select){0}, &score, &err),
                     MR_OK);
    assert_int_equal(score.n, 4);
    mr_assert_near(score.mean, 0.15, 1e-12, 0);
    mr_assert_near(score.median, 0.15, 1e-12, 0);
    mr_assert_near(score.p90, 0.3, 1e-12, 0);
    mr_assert_near(score.bias, 0.05, 1e-12, 0);
    const struct mr_power_select some[] = {
        {.op = "gemm"},       {.type = "bfloat16", .is_steady = true},
        {.held_out = 1},      {.held_out = 2},
        {.run_least_s = 0.5}, {.op = "none"}};
    const size_t n[] = {3, 4, 3, 1, 1, 0};
    const double mean[] = {0.2, 0.5, 0.2, 0, 0, 0};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        assert_int_equal(mr_power_table_score(&table, &some[i], &score, &err), MR_OK);
        assert_int_equal(score.n, n[i]);
        mr_assert_near(score.mean, mean[i], 1e-12, 1e-15);
    }
}

static void wrong(const char *text, mr_status st, const char *part)
{
    struct mr_power_table table = {0};
    struct mr_err err = {0};
    char line[1024];
    assert_int_equal(read_text(text, &table, &err), st);
    mr_err_print(&err, line, sizeof line);
    mr_assert_contains(line, part);
    mr_power_table_fini(&table);
}

MR_TEST(wrong_files)
{
    wrong("m,n,k\n1,2,3\n", MR_SCHEMA, "op_name");
    wrong("op_name,latency,power,power_limit\n", MR_SCHEMA, "attn_dtype");
    wrong(GEMM_HEADER "gemm,int3,1,1,1,1,1,1\n", MR_REF,
          "power.csv:2:6: error: column \"gemm_dtype\": no model for \"int3\"");
    wrong(GEMM_HEADER "mla,fp8,1,1,1,1,1,1\n", MR_REF, "column \"op_name\": no model for \"mla\"");
    wrong(GEMM_HEADER "gemm,fp8,0,1,1,1,1,1\n", MR_RANGE, "column \"m\": 0: must be 1 or more");
    wrong(GEMM_HEADER "gemm,fp8,1,1,1,0,1,1\n", MR_RANGE, "column \"latency\"");
    wrong(GEMM_HEADER "gemm,fp8,1,1,1,nan,1,1\n", MR_PARSE, "column \"latency\"");
    wrong(GEMM_HEADER "gemm,fp8,1,1,1,1,,1\n", MR_PARSE, "column \"power\"");
    wrong(ATTENTION_HEADER "gemm,1,1,1,1,1,1,fp8,fp8,1,1,1,1\n", MR_REF, "no model for \"gemm\"");
    struct mr_power_table table = {0};
    struct mr_err err = {0};
    assert_int_equal(mr_power_table_read("/nowhere/power.csv", &table, &err), MR_IO);
}

static mr_status read_and_score(MR_UNUSED void *context, struct mr_err *err)
{
    struct mr_power_table table = {0};
    struct mr_power_score score;
    const struct mr_power power = b200();
    mr_status st = mr_power_table_read(mr_test_tmp_path("power.csv"), &table, err);
    if (st == MR_OK) {
        mr_power_table_predict(&table, &power);
        st = mr_power_table_score(&table, &(struct mr_power_select){0}, &score, err);
    }
    mr_power_table_fini(&table);
    return st;
}

MR_TEST(every_allocation_may_fail)
{
    static const char text[] = GEMM_HEADER "gemm,fp8,8,64,64,0.02,260,1000\n"
                                           "gemm,fp8,9,64,64,0.02,260,1000\n";
    mr_test_write("power.csv", text, sizeof text - 1);
    mr_test_every_nomem(read_and_score, NULL);
}

/* ---- B200, measured ---- */

static void read_measured(struct mr_power_table *table)
{
    static const char *const file[] = {"op_power/b200_gemm.csv.gz",
                                       "op_power/b200_context_attention.csv.gz",
                                       "op_power/b200_generation_attention.csv.gz"};
    struct mr_err err = {0};
    for (size_t i = 0; i < 3; i++) {
        const char *path = mr_test_data(file[i]);
        if (path == NULL) {
            mr_power_table_fini(table);
            mr_test_skip("%s is not in MILLRACE_DATA", file[i]);
        }
        if (mr_power_table_read(path, table, &err) != MR_OK)
            fail_msg("%s", err.text);
    }
    const struct mr_power power = b200();
    mr_power_table_predict(table, &power);
}

MR_TEST(errors_on_measured_operators)
{
    struct mr_power_table table = {0};
    read_measured(&table);
    assert_int_equal(table.n, 2930 + 3000 + 2991);
    static const struct {
        const char *op;
        size_t n;
        double mean; /* at most */
    } expected[] = {{"gemm", 2930, 0.15},
                    {"context_attention", 2991, 0.125},
                    {"generation_attention", 3000, 0.17}};
    struct mr_err err = {0};
    print_message("                                        n  median    mean     p90    bias\n");
    for (size_t i = 0; i < 3; i++)
        for (int held = 0; held <= 2; held++) {
            struct mr_power_score score;
            const struct mr_power_select select = {.op = expected[i].op, .held_out = held};
            assert_int_equal(mr_power_table_score(&table, &select, &score, &err), MR_OK);
            static const char *const which[] = {"all", "fitted", "held out"};
            print_message("%-22s %-12s %6zu  %5.1f %%  %5.1f %%  %5.1f %%  %+5.1f %%\n", select.op,
                          which[held], score.n, 100 * score.median, 100 * score.mean,
                          100 * score.p90, 100 * score.bias);
            if (held == 0)
                assert_int_equal(score.n, expected[i].n);
            assert_true(score.mean <= expected[i].mean + (held > 0 ? 0.01 : 0));
        }
    for (int kind = 0; kind < MR_POWER_TABLE_N_KIND; kind++)
        for (int steady = 0; steady <= 1; steady++) {
            struct mr_power_score score;
            const struct mr_power_select select = {.op = mr_power_table_op(kind),
                                                   .type = mr_power_table_type(kind),
                                                   .is_steady = steady == 1,
                                                   .run_least_s = steady == 1 ? 0.3 : 0};
            assert_int_equal(mr_power_table_score(&table, &select, &score, &err), MR_OK);
            print_message("%-22s %-12s %6zu  %5.1f %%  %5.1f %%  %5.1f %%  %+5.1f %%%s\n",
                          select.op, select.type, score.n, 100 * score.median, 100 * score.mean,
                          100 * score.p90, 100 * score.bias,
                          steady == 1 ? "  steady, runs of 0.3 s and more" : "");
        }
    mr_power_table_fini(&table);
}

MR_TEST_MAIN(MR_TEST_ENTRY(work_of_matrix_products), MR_TEST_ENTRY(work_of_attention),
             MR_TEST_ENTRY(what_the_sensor_says), MR_TEST_ENTRY(scores), MR_TEST_ENTRY(wrong_files),
             MR_TEST_ENTRY(every_allocation_may_fail), MR_TEST_ENTRY(errors_on_measured_operators))
