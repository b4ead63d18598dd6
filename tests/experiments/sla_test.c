/* SPDX-License-Identifier: Apache-2.0 */
/* experiments/sla: promises read, kept and broken; calls that were under way at the end are judged
 * by Little's law. */
#include "experiments/sla.h"

#include "tests/test.h"

/* A run of 100 s, one tier: n calls came, n_end ended, met of them within objectives, each of
 * mean_s on the mean and of 10 tokens. */
static void run_of(double n, double n_end, double met, double mean_s, struct mr_figures *out)
{
    char text[1024];
    struct mr_err err = {0};
    snprintf(text, sizeof text,
             "{\"schema\":1,\"scenario\":\"s\",\"sim_s\":100,\"tiers\":[{\"name\":\"gold\","
             "\"arrived\":%g,\"finished\":%g,\"refused\":{\"shed\":0,\"late\":0},\"tok_s\":%g,"
             "\"slo_met_frac\":%g,\"ttft_s\":{\"p90\":0.5,\"p99\":1.5},\"tpot_s\":{\"p90\":0.01,"
             "\"p99\":0.02},\"e2e_s\":{\"mean\":%g}}]}",
             n, n_end, n_end * 10 / 100, met / n, mean_s);
    const char *path = mr_test_write("run.json", text, strlen(text));
    if (mr_figures_load(path, out, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static bool is_kept(const char *inside, const struct mr_figures *run, char why[256])
{
    char text[512];
    struct mr_sla sla;
    struct mr_diags diags = {0};
    snprintf(text, sizeof text, "<sla>%s</sla>", inside);
    const char *path = mr_test_write("x.sla.xml", text, strlen(text));
    if (mr_sla_load(path, &sla, &diags) != MR_OK)
        fail_msg("%s: %s", inside, diags.item[0].err.text);
    why[0] = '\0';
    const bool is =
        mr_sla_is_kept(&sla, 0.95, run, why, 256) && mr_sla_has_tokens(&sla, run, why, 256);
    mr_sla_fini(&sla);
    return is;
}

MR_TEST(calls_under_way_are_not_missed_calls)
{
    struct mr_figures run;
    char why[256];
    /* 100 a second of 5 s each: 500 are always under way */
    run_of(10000, 9500, 9500, 5, &run);
    assert_true(is_kept("<tier name='gold' met='100 %'/>", &run, why));
    mr_assert_near(mr_sla_tok_s(&run, NULL), 1000, 1e-12, 0); /* as if all had ended */
    mr_assert_near(mr_sla_tok_s(&run, "gold"), 1000, 1e-12, 0);
    assert_true(mr_sla_tok_s(&run, "lead") == 0);
    mr_figures_fini(&run);
    /* 2,000 more than that: the queue grows */
    run_of(10000, 7500, 7500, 5, &run);
    assert_false(is_kept("", &run, why));
    mr_assert_contains(why, "tier gold: 79.");
    mr_assert_contains(why, "95 % wanted; the queue grows");
    mr_assert_near(mr_sla_tok_s(&run, NULL), 750, 1e-12, 0); /* those that ended */
    mr_figures_fini(&run);
}

MR_TEST(calls_that_were_moved_count_where_they_went)
{
    static const char text[] =
        "{\"schema\":1,\"sim_s\":100,\"tiers\":["
        "{\"name\":\"gold\",\"arrived\":100,\"moved_in\":0,\"moved_out\":40,\"finished\":60,"
        "\"tok_s\":6,\"slo_met_frac\":1,\"e2e_s\":{\"mean\":1}},"
        "{\"name\":\"lead\",\"arrived\":0,\"moved_in\":40,\"moved_out\":0,\"finished\":40,"
        "\"tok_s\":4,\"slo_met_frac\":0.5,\"e2e_s\":{\"mean\":1}}]}";
    struct mr_figures run;
    struct mr_err err = {0};
    char why[256];
    assert_int_equal(mr_figures_load(mr_test_write("run.json", text, strlen(text)), &run, &err),
                     MR_OK);
    assert_true(
        is_kept("<tier name='gold' met='100 %'/><tier name='lead' met='50 %'/>", &run, why));
    assert_false(is_kept("", &run, why));
    mr_assert_contains(why, "tier lead: 50 % within objectives");
    mr_assert_near(mr_sla_tok_s(&run, NULL), 10, 1e-12, 0);
    mr_figures_fini(&run);
}

MR_TEST(what_is_promised)
{
    struct mr_figures run;
    char why[256];
    run_of(1000, 1000, 900, 1, &run); /* 100 tok/s */
    assert_true(is_kept("<tier name='gold' met='90 %'/>", &run, why));
    assert_false(is_kept("<tier name='gold' met='91 %'/>", &run, why));
    mr_assert_contains(why, "90 % within objectives, 91 % wanted");
    assert_false(is_kept("", &run, why)); /* 95 % where nothing is said */
    assert_true(is_kept("<tier name='gold' met='90 %' tok_s='100 tok/s'/>", &run, why));
    assert_false(is_kept("<tier name='gold' met='90 %' tok_s='101 tok/s'/>", &run, why));
    mr_assert_contains(why, "100 tok/s of 101 tok/s");
    assert_true(
        is_kept("<tier name='gold' met='0' ttft_p90='500 ms' tpot_p99='20 ms'/>", &run, why));
    assert_false(is_kept("<tier name='gold' met='0' ttft_p99='1 s'/>", &run, why));
    mr_assert_contains(why, "ttft_s.p99 1.5 s of 1 s");
    assert_false(is_kept("<tier name='gold' met='0' tpot_p90='9 ms'/>", &run, why));
    assert_false(is_kept("<tier name='gold' met='0'/><tier name='lead'/>", &run, why));
    mr_assert_contains(why, "tier lead: the run has none of this name");
    mr_figures_fini(&run);
}

MR_TEST(files_that_are_wrong)
{
    static const struct {
        const char *text, *part;
        mr_status status;
    } cases[] = {
        {"<slo/>", "(did you mean \"sla\"?)", MR_SCHEMA},
        {"<sla><tier name='a' met='95'/></sla>", "met", MR_RANGE},
        {"<sla><tier name='a' ttft_p99='1 W'/></sla>", "1 W", MR_UNIT},
        {"<sla><tier name='a' tft='1 s'/></sla>", "unknown attribute", MR_SCHEMA},
        {"<sla><tier name='a'/><tier name='a'/></sla>", "promised twice", MR_SCHEMA},
        {"<sla><tier/></sla>", "has no name", MR_SCHEMA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_sla sla;
        struct mr_diags diags = {0};
        const char *path = mr_test_write("x.sla.xml", cases[i].text, strlen(cases[i].text));
        const mr_status st = mr_sla_load(path, &sla, &diags);
        if (st != cases[i].status || strstr(diags.item[0].err.text, cases[i].part) == NULL)
            fail_msg("%s: status %d: %s", cases[i].text, st, diags.item[0].err.text);
        mr_sla_fini(&sla);
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(calls_under_way_are_not_missed_calls),
             MR_TEST_ENTRY(calls_that_were_moved_count_where_they_went),
             MR_TEST_ENTRY(what_is_promised), MR_TEST_ENTRY(files_that_are_wrong))
