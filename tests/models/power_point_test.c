/* SPDX-License-Identifier: Apache-2.0 */
/* models/power_point: a row against the same step priced by hand, rows that cannot be, the
 * recorded points. */
#include "models/power_point.h"

#include "tests/test.h"

#define HEAD "model,gpu,ngpu,tp,ep,precision,avg_batch,median_itl_ms,power_w_per_gpu\n"

static const char *write_text(const char *name, const char *text)
{
    return mr_test_write(name, text, strlen(text));
}

static struct mr_shelf *shelf_of(void)
{
    struct mr_shelf *shelf;
    struct mr_err err = {0};
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    return shelf;
}

MR_TEST(a_row_is_its_step_at_the_measured_pace)
{
    const char *path =
        write_text("points.csv", HEAD "meta/Llama-3.1-70B-Instruct,b200_sxm,2,2,1,bfloat16,64,"
                                      "22,900\n"
                                      "nobody/knows-this,b200_sxm,1,1,1,fp8,8,10,500\n"
                                      "Llama-3.1-8B,no_such_card,1,1,1,fp8,8,10,500\n"
                                      "gpt-oss-120b,b200_sxm,2,2,3,mxfp4,8,10,500\n"
                                      "Llama-3.1-8B,b200_sxm,1,1,1,int3,8,10,500\n");
    struct mr_shelf *shelf = shelf_of();
    struct mr_power_points set = {0};
    struct mr_err err = {0};
    struct mr_diags diags = {0};
    if (mr_power_point_read(path, shelf, &set, &err) != MR_OK)
        fail_msg("%s", err.text);
    static const char *const lacks[] = {"no card", "no card", "bad layout", "bad format"};
    assert_int_equal(set.n, 5);
    assert_null(set.row[0].lacks);
    for (size_t i = 1; i < set.n; i++) {
        assert_true(isnan(set.row[i].predicted_w));
        assert_string_equal(set.row[i].lacks, lacks[i - 1]);
    }
    struct mr_software_card software;
    mr_software_defaults(&software);
    const struct mr_step_setup setup = {
        .gpu = mr_gpu_of(mr_shelf_card(shelf, &mr_gpu_kind, "b200_sxm", MR_NOWHERE, &diags)),
        .llm = mr_llm_of(mr_shelf_card(shelf, &mr_llm_kind, "Llama-3.1-70B", MR_NOWHERE, &diags)),
        .software = &software,
        .parallel = {2, 1, 1, 1, 2},
        .dense_format = MR_FORMAT_BF16,
        .expert_format = MR_FORMAT_BF16,
        .kv_element_bytes = 2};
    struct mr_step_terms terms;
    struct mr_power power;
    mr_step_terms(&setup,
                  &(struct mr_batch){.n_decode = 64, .kv_tokens = 64.0 * MR_POWER_POINT_CONTEXT}, 1,
                  &terms);
    assert_int_equal(mr_power_of(setup.gpu, &power, &err), MR_OK);
    terms.work.busy_s = 22e-3 - terms.work.idle_s;
    const double expected_w = mr_power_step_w(&power, &terms.work, 1, 60);
    assert_true(expected_w > power.idle_w && expected_w < power.limit_w);
    mr_assert_near(set.row[0].predicted_w, expected_w, 1e-12, 0);
    mr_power_point_fini(&set);
    mr_shelf_destroy(shelf);
}

MR_TEST(files_that_are_none)
{
    static const char *const bad[][2] = {
        {"model,gpu\na,b\n", "ngpu"},
        {HEAD "m,b200_sxm,1,1,1,fp8,8,0,500\n", "above 0"},
        {HEAD "m,b200_sxm,0,1,1,fp8,8,10,500\n", "from 1 to"},
        {HEAD "m,b200_sxm,1,1.5,1,fp8,8,10,500\n", "from 1 to"},
        {HEAD "m,b200_sxm,1,1,1,fp8,-8,10,500\n", "above 0"},
        {HEAD "m,b200_sxm,1,1,1,fp8,1e300,10,500\n", "above 0"},
        {HEAD "m,b200_sxm,1,1,1,fp8,8,10,-5\n", "above 0"},
        {HEAD "m,b200_sxm,1,1,1,fp8,many,10,500\n", "many"},
    };
    struct mr_shelf *shelf = shelf_of();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mr_power_points set = {0};
        struct mr_err err = {0};
        const char *path = write_text("bad.csv", bad[i][0]);
        assert_true(mr_power_point_read(path, shelf, &set, &err) != MR_OK);
        mr_assert_contains(err.text, bad[i][1]);
        mr_power_point_fini(&set);
    }
    mr_shelf_destroy(shelf);
}

/* Facts about served LLMs beside the data; printed, and held to what a constant would reach. */
MR_TEST(recorded_points)
{
    const char *path = mr_test_data("../facts/power_points.csv");
    struct mr_power_points set = {0};
    struct mr_err err = {0};
    double sum = 0, power_w = 0, spread = 0;
    if (path == NULL)
        mr_test_skip("%s is not beside MILLRACE_DATA", "facts/power_points.csv");
    struct mr_shelf *shelf = shelf_of();
    if (mr_power_point_read(path, shelf, &set, &err) != MR_OK)
        fail_msg("%s", err.text);
    assert_true(set.n >= 40);
    for (size_t i = 0; i < set.n; i++)
        power_w += set.row[i].measured_w / (double)set.n;
    for (size_t i = 0; i < set.n; i++) {
        sum += fabs(set.row[i].predicted_w / set.row[i].measured_w - 1);
        spread += fabs(power_w / set.row[i].measured_w - 1);
    }
    print_message("%zu points: mean error %.1f %%, of their mean %.1f %%\n", set.n,
                  100 * sum / (double)set.n, 100 * spread / (double)set.n);
    assert_true(sum < spread);
    mr_power_point_fini(&set);
    mr_shelf_destroy(shelf);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_row_is_its_step_at_the_measured_pace),
             MR_TEST_ENTRY(files_that_are_none), MR_TEST_ENTRY(recorded_points))
