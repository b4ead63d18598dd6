/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/transfer_shared: the law against brute force, its place below max-min, exact
 * sharing, order of starts, asking in between, long runs. */
#include "engine/serve/transfer.h"
#include "tests/engine/serve/fluid.h"

static struct fluid_site site;
static struct fluid_job job[FLUID_CAP], other[FLUID_CAP];

static struct mr_transfer *shared_on(struct mr_topology *topology)
{
    struct mr_transfer *net;
    struct mr_err err = {0};
    assert_int_equal(mr_transfer_shared(topology, NULL, &net, &err), MR_OK);
    return net;
}

MR_TEST(n_equal_transfers_share_exactly)
{
    struct mr_topology *topology = fluid_topology(&site, 9, 9, 0, 1);
    struct mr_transfer *net = shared_on(topology);
    struct mr_transfer_ends ends;
    struct mr_err err = {0};
    for (uint64_t i = 0; i < 8; i++) {
        const struct mr_transfer_job into_one = {.from = (uint32_t)i,
                                                 .to = 8,
                                                 .bytes = 1e9,
                                                 .cap_bytes_s = (double)INFINITY,
                                                 .tag = 7 - i};
        assert_int_equal(mr_transfer_start(net, &into_one, 0, NULL, &err), MR_OK);
    }
    const double end_s = mr_transfer_advance(net, (double)INFINITY, &ends);
    assert_true(end_s == 2e-6 + 1e9 / (1e11 / 8));
    assert_int_equal(ends.n, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(ends.item[i].tag, i);
    assert_true(isinf(mr_transfer_next_s(net)));
    mr_transfer_destroy(net);
    mr_topology_destroy(topology);
}

/* One link, three sizes, one of them late: 1 and 3 GB from t = 0, 1 GB from t = 0.01 (all plus 2
 * us). At 50 GB/s each until 0.01: 0.5 and 2.5 left. Three at 33.3: the first ends at 0.025, the
 * others have 2.0 and 0.5 left. Two at 50: 0.035, 1.5 left. One at 100: 0.05. */
MR_TEST(processor_sharing_as_on_paper)
{
    struct mr_topology *topology = fluid_topology(&site, 4, 4, 0, 1);
    struct mr_transfer *net = shared_on(topology);
    const double bytes[3] = {1e9, 3e9, 1e9};
    const double expected_s[3] = {0.025, 0.05, 0.035};
    for (int i = 0; i < 3; i++)
        job[i] = (struct fluid_job){.job = {.from = (uint32_t)i,
                                            .to = 3,
                                            .bytes = bytes[i],
                                            .cap_bytes_s = (double)INFINITY,
                                            .tag = (uint64_t)i},
                                    .start_s = i == 2 ? 0.01 : 0};
    fluid_send(net, job, 3);
    for (int i = 0; i < 3; i++)
        mr_assert_near(job[i].end_s - 2e-6, expected_s[i], 1e-12, 0);
    mr_transfer_destroy(net);
    mr_topology_destroy(topology);
}

/* The law, as the head of the file states it, on networks where rulers change all the time. */
MR_TEST(law_equals_brute_force)
{
    double worst = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const int n = 20 + (int)(seed % 5) * 30;
        const uint32_t n_host = 3 + (uint32_t)(seed % 7) * 2;
        struct mr_topology *topology = fluid_topology(&site, n_host, 4, seed, 0.7);
        struct mr_transfer *net = shared_on(topology);
        fluid_random(job, n, n_host, (double)(seed % 4) * 0.3, seed);
        for (int i = 0; i < n; i += 3) /* a third is held back by its ends, at two rates */
            job[i].job.cap_bytes_s = i % 2 == 0 ? 2e10 : 5e10;
        memcpy(other, job, sizeof job);
        fluid_play(topology, other, n, fluid_fair_share);
        fluid_send(net, job, n);
        for (int i = 0; i < n; i++) {
            const double lasts_s = other[i].end_s - other[i].start_s;
            mr_assert_near(job[i].end_s - job[i].start_s, lasts_s, 1e-9, 0);
            worst = fmax(worst, fabs(job[i].end_s - other[i].end_s) / lasts_s);
        }
        mr_transfer_destroy(net);
        mr_topology_destroy(topology);
    }
    print_message("law against brute force: at most %.1e of a transfer's time apart\n", worst);
}

/* Rates of what moves together: never above max-min, equal for the slowest, and the sum of the law
 * on every link within its capacity. */
MR_TEST(rates_are_feasible_and_never_above_max_min)
{
    static struct fluid law, fair;
    double sum = 0, least = 1;
    int n_all = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const int n = 5 + (int)(seed % 10) * 8;
        struct mr_topology *topology = fluid_topology(&site, 12, 4, seed, 1);
        struct mr_err err = {0};
        fluid_random(job, n, 12, 0, seed);
        law = (struct fluid){.topology = topology, .job = job, .n = n};
        for (int i = 0; i < n; i++) {
            assert_int_equal(mr_topology_route(topology, job[i].job.from, job[i].job.to,
                                               (double)INFINITY, &law.route[i], &err),
                             MR_OK);
            law.is_moving[i] = true;
        }
        fair = law;
        fluid_fair_share(&law);
        fluid_max_min(&fair);
        double slowest = (double)INFINITY, slowest_fair = (double)INFINITY;
        for (int i = 0; i < n; i++) {
            assert_true(law.rate[i] <= fair.rate[i] * (1 + 1e-12));
            slowest = fmin(slowest, law.rate[i]);
            slowest_fair = fmin(slowest_fair, fair.rate[i]);
            sum += law.rate[i] / fair.rate[i];
            least = fmin(least, law.rate[i] / fair.rate[i]);
        }
        n_all += n;
        mr_assert_near(slowest, slowest_fair, 1e-12, 0);
        for (uint32_t l = 0; l < topology->n_link; l++) {
            double load = 0;
            for (int i = 0; i < n; i++)
                load += mr_topology_crosses(topology, law.route[i], l) ? law.rate[i] : 0;
            assert_true(topology->link[l].is_fatpipe ||
                        load <= topology->link[l].bandwidth_bytes_s * (1 + 1e-12));
        }
        mr_topology_destroy(topology);
    }
    print_message("rates over those of max-min: mean %.3f, least %.3f\n", sum / n_all, least);
    assert_true(least < 0.9); /* or these networks would show nothing */
}

/* How far whole runs are from max-min, in durations, on sites whose links differ by a decade and on
 * even ones. All is told; bound is that the law is slower on the mean, and nearly as good as
 * max-min where links are even and seldom shared. */
MR_TEST(deviation_from_max_min_is_known)
{
    static const double windows_s[] = {0.02, 0.2, 1, 5};
    for (int even = 0; even < 2; even++)
        for (int w = 0; w < 4; w++) {
            double sum = 0, worst = 0, sum_signed = 0, busy_s = 0;
            int n_all = 0;
            for (uint64_t seed = 1; seed <= 20; seed++) {
                enum {
                    n = 100
                };
                struct mr_topology *topology = fluid_topology(&site, 16, 4, even ? 0 : seed, 1);
                struct mr_transfer *net = shared_on(topology);
                fluid_random(job, n, 16, windows_s[w], seed);
                memcpy(other, job, sizeof job);
                fluid_play(topology, other, n, fluid_max_min);
                fluid_send(net, job, n);
                for (int i = 0; i < n; i++) {
                    const double lasts_s = other[i].end_s - other[i].start_s;
                    const double off = (job[i].end_s - other[i].end_s) / lasts_s;
                    sum += fabs(off);
                    sum_signed += off;
                    worst = fmax(worst, fabs(off));
                    busy_s += lasts_s;
                }
                n_all += n;
                mr_transfer_destroy(net);
                mr_topology_destroy(topology);
            }
            print_message("%s links, %4.1f at once: durations against max-min %+5.1f %%, mean |x| "
                          "%4.1f %%, worst %3.0f %%\n",
                          even ? "even " : "mixed", busy_s / (20 * windows_s[w]),
                          100 * sum_signed / n_all, 100 * sum / n_all, 100 * worst);
            assert_true(sum_signed >= 0);
            if (w == 3 && even)
                assert_true(sum / n_all < 0.02);
        }
}

/* Same transfers, another order of starts at each instant: same bits. */
MR_TEST(order_of_starts_does_not_matter)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        enum {
            n = 120
        };
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 9);
        struct mr_topology *topology = fluid_topology(&site, 10, 3, seed, 1);
        struct mr_transfer *net = shared_on(topology);
        fluid_random(job, n, 10, 0.1, seed);
        for (int i = 0; i < n; i++) /* twelve instants */
            job[i].start_s = 0.01 * (double)(i / 10);
        memcpy(other, job, sizeof job);
        fluid_send(net, job, n);
        mr_transfer_destroy(net);
        mr_topology_destroy(topology);
        for (int i = 0; i < n; i++) { /* shuffle within each ten */
            const int k = i / 10 * 10 + (int)mr_rng_below(&rng, 10);
            const struct fluid_job kept = other[i];
            other[i] = other[k];
            other[k] = kept;
        }
        topology = fluid_topology(&site, 10, 3, seed, 1);
        net = shared_on(topology);
        struct mr_transfer_ends ends;
        struct mr_err err = {0};
        int n_end = 0;
        for (int i = 0; i < n;) {
            const double start_s = other[i].start_s;
            while (mr_transfer_now_s(net) < start_s) {
                (void)mr_transfer_advance(net, start_s, &ends);
                for (size_t e = 0; e < ends.n; e++, n_end++)
                    assert_true(job[ends.item[e].tag].end_s == ends.item[e].time_s);
            }
            for (; i < n && other[i].start_s == start_s; i++)
                assert_int_equal(mr_transfer_start(net, &other[i].job, start_s, NULL, &err), MR_OK);
        }
        while (!isinf(mr_transfer_next_s(net))) {
            (void)mr_transfer_advance(net, (double)INFINITY, &ends);
            for (size_t e = 0; e < ends.n; e++, n_end++)
                assert_true(job[ends.item[e].tag].end_s == ends.item[e].time_s);
        }
        assert_int_equal(n_end, n);
        mr_transfer_destroy(net);
        mr_topology_destroy(topology);
    }
}

/* Asking for the next end, for bytes on links, and stopping anywhere in between: same bits. */
MR_TEST(asking_changes_nothing)
{
    enum {
        n = 150
    };
    double bytes[FLUID_CAP];
    struct mr_topology *topology = fluid_topology(&site, 8, 4, 5, 1);
    struct mr_transfer *net = shared_on(topology);
    struct mr_err err = {0};
    fluid_random(job, n, 8, 0.2, 5);
    fluid_send(net, job, n);
    mr_transfer_destroy(net);
    net = shared_on(topology);
    int i = 0, n_end = 0;
    while (n_end < n) {
        struct mr_transfer_ends ends;
        for (; i < n && job[i].start_s <= mr_transfer_now_s(net); i++)
            assert_int_equal(mr_transfer_start(net, &job[i].job, job[i].start_s, NULL, &err),
                             MR_OK);
        const double stop_s = mr_transfer_now_s(net) + 1e-4;
        (void)mr_transfer_next_s(net);
        assert_int_equal(mr_transfer_link_bytes(net, bytes, &err), MR_OK);
        (void)mr_transfer_advance(net, i < n ? fmin(stop_s, job[i].start_s) : stop_s, &ends);
        for (size_t e = 0; e < ends.n; e++, n_end++)
            assert_true(job[ends.item[e].tag].end_s == ends.item[e].time_s);
    }
    mr_transfer_destroy(net);
    mr_topology_destroy(topology);
}

/* A link that is never idle for a simulated quarter of an hour: its clock runs over 2^36 bytes many
 * times, and small transfers still come out to 1e-9. One sender at a time fills it beside a flow of
 * two overlapping transfers: brute force of the same law is the judge. */
MR_TEST(clocks_start_over)
{
    enum {
        n = 300
    };
    struct mr_topology *topology = fluid_topology(&site, 3, 3, 0, 1);
    struct mr_transfer *net = shared_on(topology);
    for (int i = 0; i < n; i++)
        job[i] = (struct fluid_job){.job = {.from = (uint32_t)(i % 2),
                                            .to = 2,
                                            .bytes = i % 10 == 0 ? 1e6 : 2.5e11 + 1e8 * (double)i,
                                            .cap_bytes_s = (double)INFINITY,
                                            .tag = (uint64_t)i},
                                    .start_s = 3 * (double)i};
    memcpy(other, job, sizeof job);
    fluid_play(topology, other, n, fluid_fair_share);
    fluid_send(net, job, n);
    for (int i = 0; i < n; i++)
        mr_assert_near(job[i].end_s - job[i].start_s, other[i].end_s - other[i].start_s, 1e-9,
                       1e-12);
    mr_transfer_destroy(net);
    mr_topology_destroy(topology);
}

/* Half of the link from t = 0.005 on: 0.5 GB in 0.005 s, the rest at 50 GB/s. */
MR_TEST(a_link_gets_another_rate)
{
    struct mr_topology *topology = fluid_topology(&site, 3, 3, 0, 1);
    struct mr_transfer *net = shared_on(topology);
    struct mr_transfer_ends ends;
    struct mr_err err = {0};
    const struct mr_transfer_job one = {
        .from = 0, .to = 1, .bytes = 1e9, .cap_bytes_s = (double)INFINITY};
    assert_int_equal(mr_transfer_start(net, &one, 0, NULL, &err), MR_OK);
    (void)mr_transfer_advance(net, 0.005 + 2e-6, &ends);
    assert_int_equal(ends.n, 0);
    mr_transfer_set_bandwidth(net, 0, 5e10);
    mr_assert_near(mr_transfer_advance(net, (double)INFINITY, &ends), 0.015 + 2e-6, 1e-12, 0);
    assert_int_equal(ends.n, 1);
    mr_transfer_destroy(net);
    mr_topology_destroy(topology);
}

static mr_status play_a_little(void *context, struct mr_err *err)
{
    struct mr_topology *topology = NULL;
    struct mr_transfer *net = NULL;
    double bytes[FLUID_CAP];
    const struct mr_topology_options options = {.link = site.link,
                                                .n_link = site.n_link,
                                                .n_host = site.n_host,
                                                .source = {&site, fluid_find},
                                                .efficiency = 1};
    (void)context;
    mr_status st = mr_topology_create(&options, &topology, err);
    if (st == MR_OK)
        st = mr_transfer_shared(topology, NULL, &net, err);
    for (int i = 0; i < 12 && st == MR_OK; i++)
        st = mr_transfer_start(net, &job[i].job, 0, NULL, err);
    if (st == MR_OK)
        st = mr_transfer_link_bytes(net, bytes, err);
    while (st == MR_OK && !isinf(mr_transfer_next_s(net))) {
        struct mr_transfer_ends ends;
        (void)mr_transfer_advance(net, (double)INFINITY, &ends);
    }
    mr_transfer_destroy(net);
    mr_topology_destroy(topology);
    return st;
}

MR_TEST(out_of_memory_is_told)
{
    mr_topology_destroy(fluid_topology(&site, 4, 2, 1, 1));
    fluid_random(job, 12, 4, 0, 1);
    mr_test_every_nomem(play_a_little, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(n_equal_transfers_share_exactly),
             MR_TEST_ENTRY(processor_sharing_as_on_paper), MR_TEST_ENTRY(law_equals_brute_force),
             MR_TEST_ENTRY(rates_are_feasible_and_never_above_max_min),
             MR_TEST_ENTRY(deviation_from_max_min_is_known),
             MR_TEST_ENTRY(order_of_starts_does_not_matter), MR_TEST_ENTRY(asking_changes_nothing),
             MR_TEST_ENTRY(clocks_start_over), MR_TEST_ENTRY(a_link_gets_another_rate),
             MR_TEST_ENTRY(out_of_memory_is_told))
