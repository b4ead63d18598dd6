/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/transfer: what all modes share. Each test plays `ideal` and `shared`: closed forms
 * of lone transfers, ends in order, trouble, bytes on links, refusals. */
#include "engine/serve/transfer.h"

#include "tests/engine/serve/fluid.h"

static struct fluid_site site;
static struct fluid_job job[FLUID_CAP];
static const char *const modes[] = {"ideal", "shared"};

static struct mr_transfer *net_on(struct mr_topology *topology, int mode)
{
    struct mr_transfer *net;
    struct mr_err err = {0};
    assert_int_equal(
        (mode == 0 ? mr_transfer_ideal : mr_transfer_shared)(topology, NULL, &net, &err), MR_OK);
    assert_string_equal(mr_transfer_name(net), modes[mode]);
    return net;
}

static uint64_t start(struct mr_transfer *net, uint32_t from, uint32_t to, double bytes,
                      uint64_t tag, double now_s)
{
    const struct mr_transfer_job one = {
        .from = from, .to = to, .bytes = bytes, .cap_bytes_s = (double)INFINITY, .tag = tag};
    struct mr_err err = {0};
    uint64_t id = 0;
    assert_int_equal(mr_transfer_start(net, &one, now_s, &id, &err), MR_OK);
    return id;
}

/* One at a time, start to end: latency + bytes / smallest bandwidth, in both modes. */
MR_TEST(alone_a_transfer_takes_its_closed_form)
{
    for (int mode = 0; mode < 2; mode++) {
        struct mr_topology *topology = fluid_topology(&site, 12, 4, 3, 0.7);
        struct mr_transfer *net = net_on(topology, mode);
        struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 10);
        struct mr_err err = {0};
        for (int i = 0; i < 200; i++) {
            struct mr_transfer_ends ends;
            const struct mr_transfer_job one = {.from = (uint32_t)mr_rng_below(&rng, 6),
                                                .to = 6 + (uint32_t)mr_rng_below(&rng, 6),
                                                .bytes = mr_rng_range(&rng, 0, 1e10),
                                                .cap_bytes_s = i % 2 == 0 ? (double)INFINITY : 3e10,
                                                .latency_class = i % MR_TRANSFER_CLASSES};
            static const double class_s[] = {0, 2e-6, 1e-4, 1e-4, 3e-3};
            const double now_s = mr_transfer_now_s(net) + mr_rng_f64(&rng);
            double least = one.cap_bytes_s, latency_s = class_s[one.latency_class];
            struct mr_topology_path path = {.n_link = 0};
            assert_int_equal(fluid_find(&site, one.from, one.to, &path, &err), MR_OK);
            for (uint32_t h = 0; h < path.n_link; h++) {
                least = fmin(least, site.link[path.link[h]].bandwidth_bytes_s);
                latency_s += site.link[path.link[h]].latency_s;
            }
            assert_int_equal(mr_transfer_start(net, &one, now_s, NULL, &err), MR_OK);
            const double end_s = mr_transfer_advance(net, (double)INFINITY, &ends);
            assert_int_equal(ends.n, 1);
            mr_assert_near(end_s - now_s, latency_s + one.bytes / (0.7 * least), 1e-9, 1e-13);
            assert_true(ends.item[0].bytes == one.bytes);
        }
        mr_transfer_destroy(net);
        mr_topology_destroy(topology);
    }
}

MR_TEST(nothing_and_nowhere_take_their_latency)
{
    for (int mode = 0; mode < 2; mode++) {
        struct mr_topology *topology = fluid_topology(&site, 4, 4, 0, 1);
        struct mr_transfer *net = net_on(topology, mode);
        struct mr_transfer_ends ends;
        topology->local[3] = (struct mr_topology_local){1e12, 5e-7};
        assert_true(isinf(mr_transfer_next_s(net)));
        assert_true(mr_transfer_advance(net, (double)INFINITY, &ends) == 0 && ends.n == 0);
        (void)start(net, 0, 1, 0, 2, 1);    /* no bytes: 2 links of 1 us */
        (void)start(net, 2, 2, 1e12, 1, 1); /* to itself: at once */
        (void)start(net, 3, 3, 1e12, 3, 1); /* inside a rack: a second at its rate */
        assert_true(mr_transfer_next_s(net) == 1);
        assert_true(mr_transfer_advance(net, 5, &ends) == 1);
        assert_int_equal(ends.n, 1);
        assert_int_equal(ends.item[0].tag, 1);
        assert_true(mr_transfer_advance(net, 5, &ends) == 1 + 2e-6 && ends.item[0].tag == 2);
        assert_true(mr_transfer_advance(net, 5, &ends) == 1 + 5e-7 + 1);
        assert_true(mr_transfer_advance(net, 5, &ends) == 5 && ends.n == 0);
        mr_transfer_destroy(net);
        mr_topology_destroy(topology);
    }
}

/* All modes give each transfer at least its time alone, and links no more than they carry. */
MR_TEST(bytes_are_conserved)
{
    enum {
        n = 200
    };
    for (int mode = 0; mode < 2; mode++) {
        struct mr_topology *topology = fluid_topology(&site, 10, 4, 2, 0.9);
        struct mr_transfer *net = net_on(topology, mode);
        double bytes[FLUID_CAP], expected[FLUID_CAP] = {0}, before[FLUID_CAP] = {0}, total = 0;
        struct mr_err err = {0};
        struct mr_transfer_ends ends;
        fluid_random(job, n, 10, 0.5, 2);
        for (int i = 0; i < n; i++) {
            struct mr_topology_path path = {.n_link = 0};
            (void)fluid_find(&site, job[i].job.from, job[i].job.to, &path, &err);
            for (uint32_t h = 0; h < path.n_link; h++)
                expected[path.link[h]] += job[i].job.bytes;
            total += job[i].job.bytes;
            while (mr_transfer_advance(net, job[i].start_s, &ends) < job[i].start_s)
                continue;
            (void)start(net, job[i].job.from, job[i].job.to, job[i].job.bytes, 0, job[i].start_s);
        }
        double then_s = 0;
        while (!isinf(mr_transfer_next_s(net))) {
            const double now_s = mr_transfer_advance(net, mr_transfer_now_s(net) + 1e-3, &ends);
            assert_int_equal(mr_transfer_link_bytes(net, bytes, &err), MR_OK);
            for (size_t l = 0; l < site.n_link; l++) {
                const double room = topology->link[l].bandwidth_bytes_s * (now_s - then_s);
                assert_true(bytes[l] >= before[l] * (1 - 1e-12));
                if (mode == 1 && then_s > 0 && !topology->link[l].is_fatpipe)
                    assert_true(bytes[l] - before[l] <= room * (1 + 1e-9) + 1e-2);
                before[l] = bytes[l];
            }
            then_s = now_s;
        }
        for (size_t l = 0; l < site.n_link; l++)
            mr_assert_near(bytes[l], expected[l], 1e-12, 0);
        const struct mr_transfer_count count = mr_transfer_counted(net);
        assert_int_equal(count.n_start, n);
        assert_int_equal(count.n_done, n);
        assert_int_equal(count.n_flight + count.n_failed + count.n_canceled, 0);
        mr_assert_near(count.done_bytes, total, 1e-12, 0);
        mr_transfer_destroy(net);
        mr_topology_destroy(topology);
    }
}

/* Two transfers into host 2 (1e11 B/s links), 1 GB each; the link of the first sender breaks after
 * 4 ms: ideal had moved 0.4 GB of it, shared 0.2 GB, and the other goes on alone. */
MR_TEST(a_broken_link_fails_what_it_carries)
{
    for (int mode = 0; mode < 2; mode++) {
        struct mr_topology *topology = fluid_topology(&site, 4, 4, 0, 1);
        struct mr_transfer *net = net_on(topology, mode);
        struct mr_transfer_ends ends;
        struct mr_err err = {0};
        double bytes[FLUID_CAP];
        const double stop_s = 0.004 + 2e-6, through = mode == 0 ? 4e8 : 2e8;
        (void)start(net, 0, 2, 1e9, 1, 0);
        (void)start(net, 1, 2, 1e9, 2, 0);
        assert_true(mr_transfer_advance(net, stop_s, &ends) == stop_s && ends.n == 0);
        assert_int_equal(mr_transfer_fail_link(net, 0, &err), MR_OK);
        (void)start(net, 0, 3, 1e9, 3, stop_s); /* refused: still broken */
        assert_true(mr_transfer_next_s(net) == stop_s);
        assert_true(mr_transfer_advance(net, 9, &ends) == stop_s);
        assert_int_equal(ends.n, 2);
        assert_int_equal(ends.item[0].tag, 1);
        assert_int_equal(ends.item[0].reason, MR_TRANSFER_LINK_FAILED);
        assert_string_equal(mr_transfer_reason_text(ends.item[0].reason), "a link failed");
        assert_int_equal(ends.item[0].where, 0);
        mr_assert_near(ends.item[0].bytes, through, 1e-9, 0);
        assert_int_equal(ends.item[1].tag, 3);
        assert_true(ends.item[1].bytes == 0);
        mr_assert_near(mr_transfer_advance(net, 9, &ends),
                       mode == 0 ? 0.01 + 2e-6 : 0.004 + 2e-6 + 0.008, 1e-12, 0);
        assert_int_equal(ends.item[0].reason, MR_TRANSFER_DONE);
        mr_transfer_repair_link(net, 0);
        (void)start(net, 0, 3, 1e9, 4, 1);
        mr_assert_near(mr_transfer_advance(net, 9, &ends), 1.01 + 2e-6, 1e-12, 0);
        assert_int_equal(mr_transfer_link_bytes(net, bytes, &err), MR_OK);
        mr_assert_near(bytes[0], through + 1e9, 1e-9, 0);
        const struct mr_transfer_count count = mr_transfer_counted(net);
        assert_int_equal(count.n_done, 2);
        assert_int_equal(count.n_failed, 2);
        assert_int_equal(mr_transfer_fail_link(net, (uint32_t)site.n_link, &err), MR_REF);
        mr_transfer_destroy(net);
        mr_topology_destroy(topology);
    }
}

MR_TEST(a_broken_host_fails_what_comes_and_goes)
{
    for (int mode = 0; mode < 2; mode++) {
        struct mr_topology *topology = fluid_topology(&site, 4, 4, 0, 1);
        struct mr_transfer *net = net_on(topology, mode);
        struct mr_transfer_ends ends;
        struct mr_err err = {0};
        (void)start(net, 0, 1, 1e9, 4, 0);
        (void)start(net, 2, 0, 1e9, 3, 0);
        (void)start(net, 0, 0, 1e9, 2, 0);
        (void)start(net, 2, 3, 1e9, 1, 0);
        assert_int_equal(mr_transfer_fail_host(net, 0, &err), MR_OK); /* still in their latency */
        assert_true(mr_transfer_advance(net, 9, &ends) == 0);
        assert_int_equal(ends.n, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(ends.item[i].tag, 2 + i);
            assert_int_equal(ends.item[i].reason, MR_TRANSFER_HOST_FAILED);
            assert_int_equal(ends.item[i].where, 0);
            assert_true(ends.item[i].bytes == 0);
        }
        mr_assert_near(mr_transfer_advance(net, 9, &ends), 0.01 + 2e-6, 1e-12, 0);
        mr_transfer_repair_host(net, 0);
        (void)start(net, 0, 1, 1e9, 5, 1);
        mr_assert_near(mr_transfer_advance(net, 9, &ends), 1.01 + 2e-6, 1e-12, 0);
        mr_transfer_destroy(net);
        mr_topology_destroy(topology);
    }
}

MR_TEST(taken_back_is_not_told)
{
    for (int mode = 0; mode < 2; mode++) {
        struct mr_topology *topology = fluid_topology(&site, 4, 4, 0, 1);
        struct mr_transfer *net = net_on(topology, mode);
        struct mr_transfer_ends ends;
        const uint64_t a = start(net, 0, 2, 1e9, 1, 0), b = start(net, 1, 2, 1e9, 2, 0);
        (void)mr_transfer_advance(net, 0.002 + 2e-6, &ends);
        assert_true(mr_transfer_cancel(net, a));
        assert_false(mr_transfer_cancel(net, a));
        mr_assert_near(mr_transfer_advance(net, 9, &ends),
                       (mode == 0 ? 0.01 : 0.002 + 0.009) + 2e-6, 1e-12, 0);
        assert_int_equal(ends.n, 1);
        assert_int_equal(ends.item[0].tag, 2);
        assert_true(ends.item[0].id == b);
        assert_false(mr_transfer_cancel(net, b));
        const uint64_t c = start(net, 0, 2, 1e9, 3, 1); /* its latency has not run out */
        assert_true(mr_transfer_cancel(net, c));
        assert_true(isinf(mr_transfer_next_s(net)));
        assert_int_equal(mr_transfer_counted(net).n_canceled, 2);
        mr_transfer_destroy(net);
        mr_topology_destroy(topology);
    }
}

static void note(void *data)
{
    ++*(int *)data;
}

MR_TEST(runs_its_body_once)
{
    struct mr_topology *topology = fluid_topology(&site, 4, 4, 0, 1);
    struct mr_transfer *net = net_on(topology, 1);
    struct mr_err err = {0};
    int n = 0;
    assert_int_equal(mr_transfer_run(net, note, &n, &err), MR_OK);
    assert_int_equal(n, 1);
    mr_transfer_destroy(net);
    mr_topology_destroy(topology);
}

MR_TEST(hostile_jobs_are_refused)
{
    struct mr_topology *topology = fluid_topology(&site, 4, 4, 0, 1);
    struct mr_transfer *net = net_on(topology, 1);
    const struct mr_transfer_job good = {.to = 1, .bytes = 1, .cap_bytes_s = 1};
    const struct {
        double bytes, cap_bytes_s;
        uint32_t to;
        mr_status st;
    } bad[] = {
        {-1, 1, 1, MR_RANGE}, {(double)NAN, 1, 1, MR_RANGE}, {(double)INFINITY, 1, 1, MR_RANGE},
        {1, 0, 1, MR_RANGE},  {1, (double)NAN, 1, MR_RANGE}, {1, -1, 2, MR_RANGE},
        {1, 1, 4, MR_REF},    {1, 1, UINT32_MAX, MR_REF}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mr_transfer_job one = good;
        struct mr_err err = {0};
        one.bytes = bad[i].bytes;
        one.cap_bytes_s = bad[i].cap_bytes_s;
        one.to = bad[i].to;
        assert_int_equal(mr_transfer_start(net, &one, 0, NULL, &err), bad[i].st);
        assert_true(err.text[0] != '\0');
    }
    const double latencies_s[MR_TRANSFER_CLASSES] = {0, -1};
    struct mr_transfer *none;
    struct mr_err err = {0};
    assert_int_equal(mr_transfer_ideal(topology, latencies_s, &none, &err), MR_RANGE);
    assert_null(none);
    assert_true(isinf(mr_transfer_next_s(net)));
    mr_transfer_destroy(net);
    mr_topology_destroy(topology);
}

MR_TEST_MAIN(MR_TEST_ENTRY(alone_a_transfer_takes_its_closed_form),
             MR_TEST_ENTRY(nothing_and_nowhere_take_their_latency),
             MR_TEST_ENTRY(bytes_are_conserved), MR_TEST_ENTRY(a_broken_link_fails_what_it_carries),
             MR_TEST_ENTRY(a_broken_host_fails_what_comes_and_goes),
             MR_TEST_ENTRY(taken_back_is_not_told), MR_TEST_ENTRY(runs_its_body_once),
             MR_TEST_ENTRY(hostile_jobs_are_refused))
