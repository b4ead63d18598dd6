/* SPDX-License-Identifier: Apache-2.0 */
/* experiments/steady: which calls are judged, by which promise, and how sure that is. */
#include "experiments/steady.h"

#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct mr_steady_goal goals[] = {{"all", 1, 0.1}};

/* @param[in] rows "tier,arrived,first,finished,output,outcome" */
static struct mr_steady_verdict judge(const char *rows, double from_s, const struct mr_sla *sla)
{
    char path[] = "steady_XXXXXX";
    struct mr_steady_verdict v;
    struct mr_err err = {0};
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    fprintf(file, "tier,arrived_s,first_token_s,finished_s,output,outcome\n%s", rows);
    fclose(file);
    const mr_status st = mr_steady_judge(path, from_s, goals, 1, sla, 0.5, &v, &err);
    unlink(path);
    if (st != MR_OK)
        fail_msg("%s", err.text);
    return v;
}

static const struct mr_sla none = {.n_tier = 0};

MR_TEST(calls_are_judged_after_the_warm_up)
{
    /* before it; kept; late first token; slow tokens; refused; of a tier nobody asked for */
    static const char rows[] = "all,0.5,9,9.5,2,finished\nall,2,2.5,3.4,10,finished\n"
                               "all,2,3.5,3.6,2,finished\nall,3,3.1,4.1,2,finished\n"
                               "all,3,,,5,shed\nother,3,9,10,5,finished\n";
    struct mr_steady_verdict v = judge(rows, 1, &none);
    assert_int_equal(v.n_call, 4);
    assert_true(v.share == 0.25 && v.wanted_frac == 0.5 && !v.is_kept);
    assert_true(fabs(v.half95 - 0.75) < 1e-12 && !v.is_sure); /* four calls tell little */
    mr_assert_contains(v.what, "tier all: within objectives");
    v = judge(rows, 0, &none);
    assert_int_equal(v.n_call, 5);
}

/* Under way at the end, 10 s: with a first token in time it is open, late it is missed, and without
 * one it is missed when it has waited too long. */
MR_TEST(open_calls_are_missed_when_they_are_late)
{
    static const char rows[] = "all,1,1.5,10,100,finished\nall,2,2.1,,100,in_flight\n"
                               "all,2,4,,100,in_flight\nall,3,,,100,in_flight\n"
                               "all,9.5,,,100,in_flight\n";
    const struct mr_steady_verdict v = judge(rows, 0, &none);
    assert_int_equal(v.n_call, 3);
    assert_true(fabs(v.share - 1.0 / 3) < 1e-12);
}

MR_TEST(the_worst_promise_is_told)
{
    struct mr_sla_tier tier = {.name = "all", .met_frac = 0.2, .ttft_p90_s = 2, .tpot_p99_s = 0.05};
    const struct mr_sla sla = {.tier = &tier, .n_tier = 1};
    char rows[100 * 40] = "";
    for (int i = 0; i < 100; i++) {
        char row[64];
        /* five calls of a hundred have 0.08 s a token */
        (void)snprintf(row, sizeof row, "all,1,1.5,%s,11,finished\n", i < 5 ? "2.3" : "1.7");
        strcat(rows, row);
    }
    struct mr_steady_verdict v = judge(rows, 0, &sla);
    mr_assert_contains(v.what, "within tpot p99");
    assert_true(!v.is_kept && fabs(v.share - 0.95) < 1e-12 && v.wanted_frac == 0.99);
    assert_true(fabs(v.half95 - 1.959964 * sqrt(0.95 * 0.05 / 100)) < 1e-12);
    tier.tpot_p99_s = 0.09;
    v = judge(rows, 0, &sla);
    assert_true(v.is_kept && v.is_sure == false && v.share == 1); /* 100 calls: 1 % is chance */
}

MR_TEST(without_calls_nothing_is_sure)
{
    const struct mr_steady_verdict v = judge("all,1,1.5,2,3,finished\n", 5, &none);
    assert_true(v.n_call == 0 && v.is_kept && !v.is_sure);
}

MR_TEST_MAIN(MR_TEST_ENTRY(calls_are_judged_after_the_warm_up),
             MR_TEST_ENTRY(open_calls_are_missed_when_they_are_late),
             MR_TEST_ENTRY(the_worst_promise_is_told), MR_TEST_ENTRY(without_calls_nothing_is_sure))
