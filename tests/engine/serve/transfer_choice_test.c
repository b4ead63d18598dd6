/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/transfer_choice: the threshold and its sentence; the expectation against a run. */
#include "engine/serve/transfer_choice.h"

#include "tests/engine/serve/fluid.h"

MR_TEST(auto_says_which_and_why)
{
    char why[MR_TRANSFER_CHOICE_CAP];
    assert_int_equal(mr_transfer_choice_of(MR_TRANSFER_CHOICE_AUTO, 300, why),
                     MR_TRANSFER_CHOICE_FLOW);
    mr_assert_contains(why, "flow: about 300 transfers");
    assert_int_equal(mr_transfer_choice_of(MR_TRANSFER_CHOICE_AUTO, 301, why),
                     MR_TRANSFER_CHOICE_SHARED);
    mr_assert_contains(why, "shared: about 301 transfers");
    assert_int_equal(mr_transfer_choice_of(MR_TRANSFER_CHOICE_AUTO, (double)INFINITY, why),
                     MR_TRANSFER_CHOICE_SHARED);
    mr_assert_contains(why, "more is to be sent than the links carry");
    assert_int_equal(mr_transfer_choice_of(MR_TRANSFER_CHOICE_FLOW, 1e9, why),
                     MR_TRANSFER_CHOICE_FLOW);
    assert_string_equal(why, "flow: asked for");
    assert_string_equal(mr_transfer_choice_name(MR_TRANSFER_CHOICE_IDEAL), "ideal");
}

/* Poisson transfers of exponential size over one link, load 0.7: 0.7 / 0.3 on the link and 0.1 s of
 * latency for each of 140 a second. The time average is taken at every start and end; its standard
 * error over 200,000 of them is below 2 %. */
MR_TEST(expectation_is_what_a_link_sees)
{
    static struct fluid_site site;
    static const double latency_s[MR_TRANSFER_CLASSES] = {0.1};
    struct mr_topology *topology = fluid_topology(&site, 2, 2, 0, 1);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 15);
    struct mr_transfer *net;
    struct mr_err err = {0};
    const double per_s = 140, bytes = 5e8;
    double area = 0, then_s = 0, start_s = 0;
    const double expected =
        mr_transfer_choice_expected(per_s, bytes, 1e11, 0.1 + 2e-6, (double)INFINITY);
    mr_assert_near(expected, 0.7 / 0.3 + 14, 1e-3, 0);
    assert_int_equal(mr_transfer_shared(topology, latency_s, &net, &err), MR_OK);
    for (int i = 0; i < 200000;) {
        struct mr_transfer_ends ends;
        const double n = (double)mr_transfer_counted(net).n_flight;
        const double now_s = mr_transfer_advance(net, start_s, &ends);
        area += n * (now_s - then_s);
        then_s = now_s;
        if (now_s < start_s || ends.n > 0)
            continue;
        const struct mr_transfer_job one = {.from = 0,
                                            .to = 1,
                                            .bytes = mr_rng_exponential(&rng, bytes),
                                            .cap_bytes_s = (double)INFINITY};
        assert_int_equal(mr_transfer_start(net, &one, now_s, NULL, &err), MR_OK);
        start_s += mr_rng_exponential(&rng, 1 / per_s);
        i++;
    }
    mr_assert_near(area / then_s, expected, 0.03, 0);
    mr_transfer_destroy(net);
    mr_topology_destroy(topology);
}

MR_TEST(overload_is_bound_by_senders)
{
    assert_true(isinf(mr_transfer_choice_expected(10, 1e9, 1e9, 0, (double)INFINITY)));
    assert_true(mr_transfer_choice_expected(10, 1e9, 1e9, 0, 64) == 64);
    assert_true(mr_transfer_choice_expected(0, 1e9, 1e9, 1, 64) == 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(auto_says_which_and_why), MR_TEST_ENTRY(expectation_is_what_a_link_sees),
             MR_TEST_ENTRY(overload_is_bound_by_senders))
