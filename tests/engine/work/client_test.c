/* SPDX-License-Identifier: Apache-2.0 */
/* Published clients are read as they are; drawn calls have the rate of every window, the deviation
 * of its gaps and the frequencies of the histograms; what is no such file is told with its place.
 */
#include "engine/work/client.h"

#include "tests/test.h"

#include <math.h>
#include <string.h>

/* ---- published ones ---- */

static const struct {
    const char *file;
    size_t n;
    double mean_s, max_s;
    int n_gamma, n_weibull, n_none;
} published[] = {
    {"servegen/deepseek-r1_chunk-0-trace.csv", 144, 0.0570139, 0.455, 22, 4, 118},
    {"servegen/deepseek-r1_chunk-35-trace.csv", 144, 4.5783796, 11.533333, 64, 52, 28},
    {"servegen/m-large_chunk-61-trace.csv", 2016, 31.4262789, 307.948333, 1244, 252, 520},
};

MR_TEST(published_clients)
{
    struct mr_err err = {0};
    if (mr_test_data("servegen") == NULL)
        mr_test_skip("no servegen in MILLRACE_DATA");
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        struct mr_client client = {0};
        const char *path = mr_test_data(published[i].file);
        int n_kind[MR_CLIENT_N_GAPS] = {0};
        double most = 0, n_call = 0;
        if (path == NULL)
            mr_test_skip("a client is not in MILLRACE_DATA");
        assert_true(mr_client_is_windows(path) && !mr_client_is_lengths(path));
        assert_int_equal(mr_client_read_windows(&client, path, &err), MR_OK);
        assert_int_equal(client.n_window, published[i].n);
        for (size_t k = 0; k < client.n_window; k++) {
            n_kind[client.window[k].gaps]++;
            most = fmax(most, client.window[k].rate_s);
            mr_assert_near(client.window[k].end_s, 600 * (double)(k + 1), 0, 0);
        }
        mr_assert_near(mr_client_rate_s(&client), published[i].mean_s, 0, 5e-8);
        mr_assert_near(most, published[i].max_s, 0, 5e-7);
        assert_int_equal(n_kind[MR_CLIENT_GAMMA], published[i].n_gamma);
        assert_int_equal(n_kind[MR_CLIENT_WEIBULL], published[i].n_weibull);
        assert_int_equal(n_kind[MR_CLIENT_NONE], published[i].n_none);
        /* as many calls as the rates say, within what bursts of 600 s leave open */
        const double all = published[i].mean_s * client.window[client.n_window - 1].end_s;
        const double expected = fmin(all, 1e6);
        struct mr_client_walk walk = mr_client_start(1, 0, expected / all);
        while (mr_client_next(&client, &walk))
            n_call++;
        mr_assert_near(n_call, expected, 0.02, 12 * sqrt(expected));
        mr_client_fini(&client);
    }
}

MR_TEST(published_lengths)
{
    struct mr_client client = {0};
    struct mr_err err = {0};
    const char *path = mr_test_data("servegen/deepseek-r1_chunk-0-dataset.json");
    if (path == NULL)
        mr_test_skip("no servegen in MILLRACE_DATA");
    assert_true(mr_client_is_lengths(path) && !mr_client_is_windows(path));
    assert_int_equal(mr_client_read_lengths(&client, path, &err), MR_OK);
    assert_int_equal(client.n_lengths, 4);
    assert_int_equal(client.lengths[2].input.n, 0); /* no calls */
    mr_assert_near(client.lengths[0].start_s, 0, 0, 0);
    mr_assert_near(client.lengths[1].start_s, 21600, 0, 0);
    mr_assert_near(client.lengths[0].input.mean_tok, 263.86398, 0, 5e-6);
    mr_client_fini(&client);
}

/* ---- drawn calls ---- */

static struct mr_client windows_of(const char *text)
{
    struct mr_client client = {0};
    struct mr_err err = {0};
    const char *path = mr_test_write("windows.csv", text, strlen(text));
    if (mr_client_read_windows(&client, path, &err) != MR_OK)
        fail_msg("%s", err.text);
    return client;
}

MR_TEST(windows_have_their_rates)
{
    static const char text[] = "100,0.5,1,Gamma,1,2\n160,0,0,,0,0\n200,2,0.5,Gamma,4,0.1\n"
                               "260,0.1,2.236,Weibull,0.5,7\n400,1,1,,0,0\n";
    static const double begin_s[] = {100, 160, 200, 260, 400, 540}, rate_s[] = {0.5, 0, 2, 0.1, 1};
    struct mr_client client = windows_of(text);
    double n[5] = {0};
    const int n_seed = 4000;
    mr_assert_near(client.window[4].end_s, 540, 0, 0);
    for (int seed = 0; seed < n_seed; seed++) {
        double last_s = 0;
        struct mr_client_walk walk = mr_client_start((uint64_t)seed, 0, 1);
        while (mr_client_next(&client, &walk)) {
            int k = 0;
            assert_true(walk.at_s >= last_s && walk.at_s >= 100 && walk.at_s <= 540);
            last_s = walk.at_s;
            while (walk.at_s > begin_s[k + 1])
                k++;
            n[k]++;
        }
    }
    assert_true(n[1] == 0);
    for (int k = 0; k < 5; k++) {
        const double expected = rate_s[k] * (begin_s[k + 1] - begin_s[k]);
        /* five deviations of the mean; counts of a renewal process deviate by its gaps' cv */
        mr_assert_near(n[k] / n_seed, expected, 0, 5 * 2.3 * sqrt(expected / n_seed));
    }
    mr_client_fini(&client);
}

/* Coefficients of variation: gamma 1/sqrt(k); Weibull of 1/2: second moment 24, mean 2. */
MR_TEST(gaps_have_their_deviation)
{
    static const struct {
        const char *text;
        double rate_s, cv;
    } known[] = {{"0,3,2,Gamma,0.25,9\n2e6,0,0,,0,0\n", 3, 2},
                 {"0,3,0.5,Gamma,4,9\n2e6,0,0,,0,0\n", 3, 0.5},
                 {"0,3,2,Weibull,0.5,9\n2e6,0,0,,0,0\n", 3, 2.23606797749979},
                 {"0,3,1,Weibull,1,9\n2e6,0,0,,0,0\n", 3, 1},
                 {"0,3,0.5,,0,0\n2e6,0,0,,0,0\n", 3, 1}};
    const int n = 200000;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct mr_client client = windows_of(known[i].text);
        struct mr_client_walk walk = mr_client_start(7, 3, 2), again = walk;
        double last_s = 0, sum = 0, square = 0;
        for (int k = 0; k < n; k++) {
            assert_true(mr_client_next(&client, &walk));
            sum += walk.at_s - last_s;
            square += (walk.at_s - last_s) * (walk.at_s - last_s);
            last_s = walk.at_s;
            if (k < 100) {
                assert_true(mr_client_next(&client, &again));
                assert_true(again.at_s == walk.at_s);
            }
        }
        const double mean = sum / n;
        mr_assert_near(mean, 1 / (2 * known[i].rate_s), 5 * known[i].cv / sqrt(n), 0);
        mr_assert_near(sqrt(square / n - mean * mean) / mean, known[i].cv, 0.02, 0);
        mr_client_fini(&client);
    }
}

MR_TEST(lengths_have_their_frequencies)
{
    static const char text[] =
        "{\"10\": {\"input_tokens\": \"{0: 1e-1, 45: 0.3, 46: .6}\", \"reason_ratio\": {\"x\": 1}, "
        "\"output_tokens\": \"{7: 2}\"},\n"
        " \"15\": {\"input_tokens\": \"{}\", \"output_tokens\": \"{}\"},\n"
        " \"20\": {\"output_tokens\": \"{9: 1, }\", \"input_tokens\": \"{ 3 : 1 , 5 : 3 }\"}}";
    struct mr_client client = {0};
    struct mr_err err = {0};
    struct mr_client_walk walk = mr_client_start(1, 0, 1);
    uint32_t in, out;
    const int n = 100000;
    int n_one = 0, n_45 = 0, n_three = 0;
    if (mr_client_read_lengths(&client, mr_test_write("l.json", text, strlen(text)), &err) != MR_OK)
        fail_msg("%s", err.text);
    mr_assert_near(client.lengths[0].input.mean_tok, 0.3 * 45 + 0.6 * 46, 1e-12, 0);
    mr_assert_near(client.lengths[2].input.mean_tok, 4.5, 1e-12, 0);
    for (int i = 0; i < n; i++) {
        mr_client_draw_lengths(&client, &walk, i % 2 == 0 ? 0 : 19.9, &in, &out);
        assert_true((in == 1 || in == 45 || in == 46) && out == 7);
        n_one += in == 1;
        n_45 += in == 45;
        mr_client_draw_lengths(&client, &walk, 20 + i, &in, &out);
        assert_true((in == 3 || in == 5) && out == 9);
        n_three += in == 3;
    }
    mr_assert_near(n_one, 0.1 * n, 0, 5 * sqrt(0.1 * 0.9 * n));
    mr_assert_near(n_45, 0.3 * n, 0, 5 * sqrt(0.3 * 0.7 * n));
    mr_assert_near(n_three, 0.25 * n, 0, 5 * sqrt(0.25 * 0.75 * n));
    mr_client_fini(&client);
}

/* ---- what is no such file ---- */

MR_TEST(bad_files_are_told)
{
    static const struct {
        bool is_lengths;
        const char *text, *says;
        int line;
    } bad[] = {
        {false, "", "none has a rate", 0},
        {false, "0,0,0,,0,0\n600,0,0,,0,0\n", "none has a rate", 2},
        {false, "0,1,1\n", "3 fields: a window has 6", 1},
        {false, "0,1,1,,0,0\n600,1,1,,0\n", "5 fields", 2},
        {false, "0,1,1,,0,0\n0,1,1,,0,0\n", "each later than the one above", 2},
        {false, "-5,1,1,,0,0\n", "begins at -5 s", 1},
        {false, "0,1,1,,0,0\n2e10,1,1,,0,0\n", "begins at 2e+10 s", 2},
        {false, "0,-1,1,,0,0\n", "-1 calls per second", 1},
        {false, "0,1e300,1,,0,0\n", "calls per second", 1},
        {false, "0,x,1,,0,0\n", "x", 1},
        {false, "0,1,1,Pareto,1,1\n", "Gamma, Weibull or nothing", 1},
        {false, "0,1,1,Gamma,0,1\n", "the shape of Gamma is 0.001 .. 1000", 1},
        {false, "0,1,1,Weibull,0.1,1\n", "the shape of Weibull is 0.15 .. 1000", 1},
        {true, "{}", "no window has lengths", 1},
        {true, "[]", "an object", 1},
        {true, "{\"a\": {}}", "called by the second it begins", 1},
        {true, "{\"0\": {}}", "needs input_tokens and output_tokens", 1},
        {true, "{\"0\": {\"input_tokens\": 5}}", "string", 1},
        {true, "{\"0\": {\"input_tokens\": \"5\"}}", "a text like", 1},
        {true, "{\"0\": {\"input_tokens\": \"{}\", \"output_tokens\": \"{}\"}}", "no window has",
         1},
        {true, "{\"0\": {\"input_tokens\": \"{1: 1}\", \"output_tokens\": \"{}\"}}", "needs", 1},
        {true, "{\"0\": {\"input_tokens\": \"{1: 0}\"}}", "no length has a share", 1},
        {true, "{\"0\": {\"input_tokens\": \"{1: 1, 2}\"}}", "after 1 lengths", 1},
        {true, "{\"0\": {\"input_tokens\": \"{1: 1} 2}\"}}", "after 1 lengths", 1},
        {true, "{\"0\": {\"input_tokens\": \"{1: 1, 1: 2}\"}}", "each longer than the one before",
         1},
        {true, "{\"0\": {\"input_tokens\": \"{1.5: 1}\"}}", "length 1.5: whole", 1},
        {true, "{\"0\": {\"input_tokens\": \"{5e9: 1}\"}}", "length 5e+09: whole", 1},
        {true, "{\"0\": {\"input_tokens\": \"{1: -1}\"}}", "its share is -1", 1},
        {true, "{\"0\": {\"input_tokens\": \"{1: 1}\",\n\"input_tokens\": \"{1: 1}\"}}", "twice",
         2},
        {true, "{\"0\": {\"input_tokens\": \"{1: 1}\", \"output_tokens\": \"{1: 1}\"},\n\"0\": {}}",
         "later than the one before", 2},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mr_client client = {0};
        struct mr_err err = {0};
        const char *path = mr_test_write("bad", bad[i].text, strlen(bad[i].text));
        const mr_status st = bad[i].is_lengths ? mr_client_read_lengths(&client, path, &err)
                                               : mr_client_read_windows(&client, path, &err);
        if (st == MR_OK || strstr(err.text, bad[i].says) == NULL || err.line != bad[i].line)
            fail_msg("%zu: %d %s:%d: %s", i, (int)st, path, err.line, err.text);
        mr_client_fini(&client);
    }
    assert_false(mr_client_is_windows("nowhere") || mr_client_is_lengths("nowhere"));
}

MR_TEST_MAIN(MR_TEST_ENTRY(published_clients), MR_TEST_ENTRY(published_lengths),
             MR_TEST_ENTRY(windows_have_their_rates), MR_TEST_ENTRY(gaps_have_their_deviation),
             MR_TEST_ENTRY(lengths_have_their_frequencies), MR_TEST_ENTRY(bad_files_are_told))
