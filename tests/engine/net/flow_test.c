/* SPDX-License-Identifier: Apache-2.0 */
/* engine/net/flow and wiring: SimGrid's flows against closed forms and brute-force max-min, beside
 * the other modes of transfers; trouble; the run around it. One SimGrid per process and test. */
#include "engine/net/flow.h"

#include "engine/net/platform.h"
#include "platforms/emit.h"
#include "platforms/fabric.h"
#include "platforms/layout.h"
#include "platforms/read.h"
#include "tests/engine/net/sanitizer.h"
#include "tests/engine/serve/fluid.h"

#include <sys/wait.h>
#include <unistd.h>

static struct mr_site *site;
static struct mr_wiring *wiring;
static struct mr_topology *topology;
static struct fluid_job job[FLUID_CAP], other[FLUID_CAP];

static void load(const char *path, double efficiency)
{
    const struct mr_platform_options options = {.under_sanitizer = UNDER_SANITIZER};
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    if (mr_read_site(path, &site, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    if (mr_platform_load(site, &options, &err) != MR_OK ||
        mr_wiring_create(site, efficiency, &wiring, &err) != MR_OK)
        fail_msg("%s", err.text);
    topology = mr_wiring_topology(wiring);
}

static void load_three_racks(double efficiency)
{
    load(MR_SOURCE_DIR "/tests/engine/net/data/three_racks.platform.xml", efficiency);
}

/* Hosts in rows as in fluid.h, every figure drawn; one way of split links narrower is not possible
 * in a platform, so that both ways are alike. */
static void load_random(uint64_t seed, int n_host, int per_row)
{
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 12);
    struct mr_buf text = {0};
    const int n_row = n_host / per_row;
    mr_buf_text(
        &text,
        "<?xml version=\"1.0\"?>\n<!DOCTYPE platform SYSTEM "
        "\"https://simgrid.org/simgrid.dtd\">\n<platform version=\"4.1\">\n<config id=\"net\">"
        "<prop id=\"network/model\" value=\"CM02\"/>"
        "<prop id=\"network/crosstraffic\" value=\"no\"/>"
        "<prop id=\"network/TCP-gamma\" value=\"0\"/></config>\n"
        "<zone id=\"site\" routing=\"Floyd\">\n");
    for (int h = 0; h < n_host; h++)
        mr_buf_printf(&text, "<host id=\"h%d\" speed=\"1Pf\"/>\n", h);
    for (int r = 0; r < n_row; r++)
        mr_buf_printf(&text, "<router id=\"leaf%d\"/>\n", r);
    mr_buf_text(&text, "<router id=\"spine\"/>\n");
    for (int l = 0; l < n_host + n_row; l++)
        mr_buf_printf(&text,
                      "<link id=\"l%d\" bandwidth=\"%.3fGBps\" latency=\"%.3fus\" "
                      "sharing_policy=\"SPLITDUPLEX\"/>\n",
                      l, mr_rng_range(&rng, 20, 200), mr_rng_range(&rng, 0.1, 20));
    for (int l = 0; l < n_host + n_row; l++)
        mr_buf_printf(&text,
                      l < n_host ? "<route src=\"h%d\" dst=\"leaf%d\">"
                                   "<link_ctn id=\"l%d\" direction=\"UP\"/></route>\n"
                                 : "<route src=\"leaf%d\" dst=\"spine\"><!-- %d -->"
                                   "<link_ctn id=\"l%d\" direction=\"UP\"/></route>\n",
                      l < n_host ? l : l - n_host, l / per_row, l);
    mr_buf_text(&text, "</zone>\n</platform>\n");
    assert_int_equal(text.status, MR_OK);
    load(mr_test_write("random.platform.xml", text.text, text.n), 1);
    mr_buf_fini(&text);
}

static void unload(void)
{
    mr_wiring_destroy(wiring);
    mr_site_destroy(site);
}

static uint32_t host(const char *name)
{
    for (uint32_t i = 0; i < site->n_host; i++)
        if (strcmp(site->host[i].name, name) == 0)
            return i;
    fail_msg("no host %s", name);
    return 0;
}

static struct mr_transfer *flow(void)
{
    struct mr_transfer *net;
    struct mr_err err = {0};
    assert_int_equal(mr_flow_create(wiring, NULL, &net, &err), MR_OK);
    assert_string_equal(mr_transfer_name(net), "flow");
    return net;
}

static void run(struct mr_transfer *net, void (*body)(void *data))
{
    struct mr_err err = {0};
    if (mr_transfer_run(net, body, net, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static uint64_t start(struct mr_transfer *net, uint32_t from, uint32_t to, double bytes,
                      uint64_t tag, double now_s)
{
    const struct mr_transfer_job one = {
        .from = from, .to = to, .bytes = bytes, .cap_bytes_s = (double)INFINITY, .tag = tag};
    struct mr_err err = {0};
    uint64_t id = 0;
    if (mr_transfer_start(net, &one, now_s, &id, &err) != MR_OK)
        fail_msg("%s", err.text);
    return id;
}

/* ---- wiring ---- */

MR_TEST(wiring_knows_simgrids_routes)
{
    struct mr_err err = {0};
    uint32_t route;
    load_three_racks(1);
    assert_int_equal(topology->n_site_link, 2 * site->n_link - 2); /* two pipes are not split */
    for (size_t i = 1; i < topology->n_site_link; i++)
        assert_true(strcmp(topology->link[i - 1].name, topology->link[i].name) < 0);
    struct mr_platform_route theirs[3] = {
        {.src = host("H0.R0.K0.g0"), .dst = host("H0.R0.K0.g1")},
        {.src = host("H0.R0.K0.g0"), .dst = host("H0.R0.K1.all")},
        {.src = host("H0.R0.K0.g1"), .dst = host("H1.R0.K0.g0")},
    };
    assert_int_equal(mr_platform_routes(site, theirs, 3, &err), MR_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mr_topology_route(topology, theirs[i].src, theirs[i].dst, (double)INFINITY,
                                           &route, &err),
                         MR_OK);
        assert_int_equal(topology->route[route].n_link, theirs[i].n_link);
        mr_assert_near(topology->route[route].latency_s, theirs[i].latency_s, 1e-12, 0);
        mr_assert_near(mr_topology_bandwidth_bytes_s(topology, route), theirs[i].bandwidth_bytes_s,
                       1e-12, 0);
    }
    const uint32_t hop = topology->route[route].first;
    assert_string_equal(topology->link[topology->hop[hop]].name, "H0.R0.K0.g1.nic_UP");
    unload();
}

MR_TEST(a_package_has_a_host_at_every_level)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_buf text = {0};
    struct mr_site *layout;
    static const char xml[] = "<layout name=\"two\"><grid limit=\"1 MW\"/><hall><row>"
                              "<rack card=\"vr_nvl72\" count=\"2\"/></row></hall></layout>";
    assert_int_equal(mr_layout_load_text("two", mr_str_of(xml), &layout, &diags), MR_OK);
    assert_int_equal(mr_fabric_build(layout, MR_SITE_LEVEL_RACK, &err), MR_OK);
    mr_emit_site(layout, &text);
    load(mr_test_write("two.platform.xml", text.text, text.n), 0.5);
    assert_int_equal(mr_wiring_host(site, 1, 71), 1);
    const struct mr_domain *domain = &site->domain[site->rack[0].domain];
    assert_true(topology->local[0].bandwidth_bytes_s == 0.5 * domain->bandwidth_bytes_s);
    assert_true(topology->local[0].latency_s == 2 * domain->latency_s);
    unload();
    mr_site_destroy(layout);
    assert_int_equal(mr_layout_load_text("two", mr_str_of(xml), &layout, &diags), MR_OK);
    assert_int_equal(mr_fabric_build(layout, MR_SITE_LEVEL_GPU, &err), MR_OK);
    assert_int_equal(mr_wiring_host(layout, 0, 5), 5);
    assert_int_equal(mr_wiring_host(layout, 1, 71), 143);
    mr_site_destroy(layout);
    mr_buf_fini(&text);
}

/* ---- one at a time ---- */

static void one_by_one(void *data)
{
    struct mr_transfer *net[3] = {data};
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 13);
    struct mr_err err = {0};
    double worst = 0;
    assert_int_equal(mr_transfer_ideal(topology, NULL, &net[1], &err), MR_OK);
    assert_int_equal(mr_transfer_shared(topology, NULL, &net[2], &err), MR_OK);
    for (int i = 0; i < 300; i++) {
        double end_s[3], now_s = mr_transfer_now_s(net[0]) + mr_rng_f64(&rng);
        const struct mr_transfer_job one = {.from = (uint32_t)mr_rng_below(&rng, site->n_host),
                                            .to = (uint32_t)mr_rng_below(&rng, site->n_host),
                                            .bytes = mr_rng_range(&rng, 1e8, 1e11),
                                            .cap_bytes_s = i % 3 == 0 ? 2.5e10 : (double)INFINITY,
                                            .latency_class = i % MR_TRANSFER_CLASSES};
        for (int m = 0; m < 3; m++) {
            struct mr_transfer_ends ends;
            now_s = fmax(now_s, mr_transfer_now_s(net[m]));
            if (mr_transfer_start(net[m], &one, now_s, NULL, &err) != MR_OK)
                fail_msg("%s", err.text);
            end_s[m] = mr_transfer_advance(net[m], (double)INFINITY, &ends) - now_s;
            assert_int_equal(ends.n, 1);
            /* 1e-11: the clock is at hundreds of seconds, and SimGrid adds to it */
            mr_assert_near(end_s[m], end_s[0], 1e-9, 1e-11);
            worst = fmax(worst, fabs(end_s[m] - end_s[0]) / fmax(end_s[0], 1e-3));
        }
    }
    print_message("one at a time: flow, shared and ideal at most %.1e apart\n", worst);
    mr_transfer_destroy(net[1]);
    mr_transfer_destroy(net[2]);
}

MR_TEST(one_at_a_time_all_modes_agree)
{
    load_three_racks(0.7);
    struct mr_transfer *net = flow();
    run(net, one_by_one);
    mr_transfer_destroy(net);
    unload();
}

/* ---- max-min ---- */

/* The body gets the jobs relative to its own start. */
static void random_rounds(void *data)
{
    struct mr_transfer *net = data;
    double worst = 0;
    for (uint64_t round = 1; round <= 20; round++) {
        const int n = 10 + 9 * (int)(round % 10);
        const double base_s = mr_transfer_now_s(net);
        fluid_random(job, n, (uint32_t)site->n_host, (double)(round % 3) * 0.05, round);
        memcpy(other, job, sizeof job);
        fluid_play(topology, other, n, fluid_max_min);
        for (int i = 0; i < n; i++)
            job[i].start_s += base_s;
        fluid_send(net, job, n);
        for (int i = 0; i < n; i++) {
            const double lasts_s = other[i].end_s - other[i].start_s;
            /* SimGrid's own precision: 1e-9 s at every end that may matter to this one */
            mr_assert_near(job[i].end_s - job[i].start_s, lasts_s, 1e-6, 1e-8);
            worst = fmax(worst, fabs(job[i].end_s - job[i].start_s - lasts_s) / lasts_s);
        }
    }
    print_message("flow against brute-force max-min: at most %.1e of a transfer's time\n", worst);
}

static void max_min_on(uint64_t seed, int n_host, int per_row)
{
    load_random(seed, n_host, per_row);
    struct mr_transfer *net = flow();
    run(net, random_rounds);
    mr_transfer_destroy(net);
    unload();
}

MR_TEST(max_min_in_one_row)
{
    max_min_on(1, 6, 6);
}

MR_TEST(max_min_over_rows)
{
    max_min_on(2, 12, 3);
}

/* A host next door and one of another hall send to the same: SimGrid with latencies would give the
 * near one the larger part. */
static void near_and_far(void *data)
{
    struct mr_transfer *net = data;
    struct mr_transfer_ends ends;
    double near_s = 0;
    (void)start(net, host("H0.R0.K1.all"), host("H0.R0.K0.g0"), 1e11, 1, 0);
    (void)start(net, host("H1.R0.K0.g0"), host("H0.R0.K0.g0"), 1e11, 2, 0);
    while (mr_transfer_counted(net).n_done < 2) {
        (void)mr_transfer_advance(net, (double)INFINITY, &ends);
        for (size_t i = 0; i < ends.n; i++)
            if (ends.item[i].tag == 1)
                near_s = ends.item[i].time_s;
    }
    mr_assert_near(near_s, 1, 1e-5, 0);
    mr_assert_near(mr_transfer_now_s(net), 1, 1e-5, 0);
}

MR_TEST(latency_is_no_weight)
{
    load_three_racks(1);
    struct mr_transfer *net = flow();
    run(net, near_and_far);
    mr_transfer_destroy(net);
    unload();
}

/* ---- the three modes ---- */

static void compare(void *data)
{
    struct mr_transfer *net[3] = {data};
    const char *const loads[] = {"light", "busy", "crowded"};
    struct mr_err err = {0};
    enum {
        n = 120
    };
    for (int load = 0; load < 3; load++) {
        double mean_s[3] = {0}, off[3] = {0};
        const double base_s = mr_transfer_now_s(net[0]), window_s = load == 0   ? 5
                                                                    : load == 1 ? 0.5
                                                                                : 0.05;
        double flow_s[n];
        for (int m = 0; m < 3; m++) {
            if (m == 1)
                assert_int_equal(mr_transfer_shared(topology, NULL, &net[1], &err), MR_OK);
            if (m == 2)
                assert_int_equal(mr_transfer_ideal(topology, NULL, &net[2], &err), MR_OK);
            fluid_random(job, n, (uint32_t)site->n_host, window_s, 3);
            for (int i = 0; i < n; i++)
                job[i].start_s += base_s;
            fluid_send(net[m], job, n);
            for (int i = 0; i < n; i++) {
                const double lasts_s = job[i].end_s - job[i].start_s;
                if (m == 0)
                    flow_s[i] = lasts_s;
                mean_s[m] += lasts_s / n;
                off[m] += fabs(lasts_s / flow_s[i] - 1) / n;
            }
        }
        print_message("%-7s flow %6.2f ms on the mean; shared %+5.1f %% (each %4.1f %%), ideal "
                      "%+5.1f %% (each %4.1f %%)\n",
                      loads[load], 1e3 * mean_s[0], 100 * (mean_s[1] / mean_s[0] - 1), 100 * off[1],
                      100 * (mean_s[2] / mean_s[0] - 1), 100 * off[2]);
        assert_true(mean_s[2] <= mean_s[0] && mean_s[0] <= mean_s[1] * (1 + 1e-9));
        mr_transfer_destroy(net[1]);
        mr_transfer_destroy(net[2]);
    }
}

MR_TEST(one_scenario_in_three_modes)
{
    load_random(4, 16, 4);
    struct mr_transfer *net = flow();
    run(net, compare);
    mr_transfer_destroy(net);
    unload();
}

/* ---- trouble, determinism, the run ---- */

/* g0 and g1 send 100 GB to K1 over the rack's uplink of 300 GB/s; the NIC of g0 breaks at 0.2 s.
 * Both ran at 150 GB/s, so g1 has 70 GB left for its NIC of 200 GB/s. */
static void broken(void *data)
{
    struct mr_transfer *net = data;
    struct mr_transfer_ends ends;
    struct mr_err err = {0};
    uint32_t nic = MR_TOPOLOGY_NONE;
    double bytes[64];
    const uint32_t g0 = host("H0.R0.K0.g0"), g1 = host("H0.R0.K0.g1"), k1 = host("H0.R0.K1.all");
    for (uint32_t i = 0; i < topology->n_site_link; i++)
        if (strcmp(topology->link[i].name, "H0.R0.K0.g0.nic_UP") == 0)
            nic = i;
    (void)start(net, g0, k1, 1e11, 1, 0);
    (void)start(net, g1, k1, 1e11, 2, 0);
    assert_true(mr_transfer_advance(net, 0.2 + 2e-6, &ends) == 0.2 + 2e-6);
    assert_int_equal(ends.n, 0);
    assert_int_equal(mr_transfer_fail_link(net, nic, &err), MR_OK);
    assert_true(mr_transfer_advance(net, 9, &ends) == 0.2 + 2e-6);
    assert_int_equal(ends.n, 1);
    assert_int_equal(ends.item[0].tag, 1);
    assert_int_equal(ends.item[0].reason, MR_TRANSFER_LINK_FAILED);
    mr_assert_near(mr_transfer_advance(net, 9, &ends), 0.2 + 7e10 / 2e11 + 2e-6, 1e-9, 0);
    assert_int_equal(ends.item[0].tag, 2);
    mr_transfer_repair_link(net, nic);
    const uint64_t id = start(net, g0, k1, 1e11, 3, 1); /* the sender that was killed sends again */
    (void)mr_transfer_advance(net, 1.1, &ends);
    assert_true(mr_transfer_cancel(net, id));
    (void)start(net, g0, k1, 1e11, 4, 1.1);
    mr_assert_near(mr_transfer_advance(net, 9, &ends), 1.1 + 0.5 + 2e-6, 1e-9, 0);
    assert_int_equal(ends.item[0].tag, 4);
    mr_transfer_set_bandwidth(net, nic, 1e11);
    (void)start(net, g0, k1, 1e11, 5, 2);
    mr_assert_near(mr_transfer_advance(net, 9, &ends), 3 + 2e-6, 1e-9, 0);
    assert_int_equal(mr_transfer_link_bytes(net, bytes, &err), MR_OK);
    mr_assert_near(bytes[nic], 2e11, 1e-12, 0); /* what was cut off counts as nothing */
    (void)start(net, g0, k1, 1e15, 6, 4);       /* left in flight at the end of the run */
    (void)mr_transfer_advance(net, 5, &ends);
    (void)start(net, g0, g1, 1, 7, 5); /* and one that never left its latency */
}

MR_TEST(a_broken_link_fails_what_it_carries)
{
    struct mr_err err = {0};
    load_three_racks(1);
    struct mr_transfer *net = flow();
    run(net, broken);
    assert_int_equal(mr_transfer_run(net, broken, net, &err), MR_LIMIT);
    mr_transfer_destroy(net);
    unload();
}

/* Another order of starts at each instant, and stops in between: the same dates to SimGrid's
 * precision; ends that come together come by tag. */
static void shuffled(void *data)
{
    struct mr_transfer *net = data;
    enum {
        n = 60
    };
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 14);
    struct mr_transfer_ends ends;
    for (int turn = 0; turn < 2; turn++) {
        const double base_s = 100 * (double)turn;
        (void)mr_transfer_advance(net, base_s, &ends);
        fluid_random(job, n, (uint32_t)site->n_host, 0, 6);
        for (int i = 0; i < n; i++) {
            job[i].start_s = base_s + 0.02 * (double)(i / 10);
            const int k = i / 10 * 10 + (int)mr_rng_below(&rng, (uint64_t)(i % 10) + 1);
            if (turn == 1) {
                const struct fluid_job kept = job[i];
                job[i] = job[k];
                job[k] = kept;
            }
        }
        double end_s[n];
        int n_end = 0, i = 0;
        while (n_end < n) {
            for (; i < n && job[i].start_s <= mr_transfer_now_s(net); i++)
                (void)start(net, job[i].job.from, job[i].job.to, job[i].job.bytes, job[i].job.tag,
                            job[i].start_s);
            const double stop_s = mr_transfer_now_s(net) + (turn == 0 ? 1 : 1e-3);
            (void)mr_transfer_advance(net, i < n ? fmin(stop_s, job[i].start_s) : stop_s, &ends);
            for (size_t e = 0; e < ends.n; e++, n_end++) {
                assert_true(e == 0 || ends.item[e].tag > ends.item[e - 1].tag);
                end_s[ends.item[e].tag] = ends.item[e].time_s - base_s;
            }
        }
        for (int t = 0; t < n; t++) {
            if (turn == 1)
                mr_assert_near(end_s[t], other[t].end_s, 1e-7, 0);
            other[t].end_s = end_s[t];
        }
    }
}

MR_TEST(order_of_starts_and_stops_do_not_matter)
{
    load_random(5, 9, 3);
    struct mr_transfer *net = flow();
    run(net, shuffled);
    mr_transfer_destroy(net);
    unload();
}

/* Transfers of one row are played in two processes, in one of them beside as many of another row:
 * the same dates, which is what lets halls be split over processes. Not always the same bits:
 * SimGrid adds up its clock, and strangers cut the time into other pieces. */
struct beside {
    struct mr_transfer *net;
    bool has_strangers;
    double end_s[40];
};

static void play_beside(void *data)
{
    struct beside *b = data;
    enum {
        n = 40
    };
    struct mr_transfer_ends ends;
    fluid_random(job, 2 * n, 3, 0.3, 9);
    for (int i = 0; i < 2 * n; i++) { /* every other one moves to the second row */
        job[i].job.from += i % 2 == 1 ? 3 : 0;
        job[i].job.to += i % 2 == 1 ? 3 : 0;
    }
    for (int i = 0, n_end = 0; n_end < n;) {
        for (; i < 2 * n && job[i].start_s <= mr_transfer_now_s(b->net); i++)
            if (i % 2 == 0 || b->has_strangers)
                (void)start(b->net, job[i].job.from, job[i].job.to, job[i].job.bytes,
                            job[i].job.tag, job[i].start_s);
        (void)mr_transfer_advance(b->net, i < 2 * n ? job[i].start_s : (double)INFINITY, &ends);
        for (size_t e = 0; e < ends.n; e++)
            if (ends.item[e].tag % 2 == 0) {
                b->end_s[ends.item[e].tag / 2] = ends.item[e].time_s;
                n_end++;
            }
    }
}

MR_TEST(strangers_change_nothing)
{
    struct beside got[2];
    for (int turn = 0; turn < 2; turn++) {
        int ends[2], status = 0;
        assert_int_equal(pipe(ends), 0);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct beside b = {.has_strangers = turn == 1};
            load_random(6, 6, 3);
            b.net = flow();
            struct mr_err err = {0};
            (void)alarm(60);
            _exit(mr_transfer_run(b.net, play_beside, &b, &err) == MR_OK &&
                          write(ends[1], &b, sizeof b) == (ssize_t)sizeof b
                      ? 0
                      : 1);
        }
        assert_int_equal(close(ends[1]), 0);
        assert_true(read(ends[0], &got[turn], sizeof got[turn]) == (ssize_t)sizeof got[turn]);
        assert_int_equal(close(ends[0]), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_true(got[0].end_s[39] > 0);
    for (int i = 0; i < 40; i++)
        mr_assert_near(got[0].end_s[i], got[1].end_s[i], 1e-13, 0);
}

/* Whoever owns time may read files and write results: the body has a stack like main's. */
static void deep(void *data)
{
    volatile unsigned char big[6 << 20];
    for (size_t i = 0; i < sizeof big; i += 4096)
        big[i] = 1;
    (void)start(data, 0, 1, 1e9, big[4096], 0);
}

MR_TEST(the_body_has_a_large_stack)
{
    if (UNDER_SANITIZER)
        mr_test_skip("contexts of sanitizers have stacks of their own");
    load_three_racks(1);
    struct mr_transfer *net = flow();
    run(net, deep);
    assert_int_equal(mr_transfer_counted(net).n_start, 1);
    mr_transfer_destroy(net);
    unload();
}

/* ---- lines of instances ---- */

/* Lines in the same numbers as links of a network of their own, one host per instance. */
static mr_status line_links(void *data, uint32_t from, uint32_t to, struct mr_topology_path *path,
                            struct mr_err *err)
{
    (void)data, (void)err;
    path->link[path->n_link++] = 2 * from;
    path->link[path->n_link++] = 2 * to + 1;
    return MR_OK;
}

static const double line_bytes_s = 1e9;

static struct mr_topology *line_topology(double latency_s)
{
    struct mr_topology_link link[20];
    struct mr_topology *out;
    struct mr_err err = {0};
    for (int i = 0; i < 20; i++)
        link[i] = (struct mr_topology_link){"line", line_bytes_s, i % 2 == 0 ? latency_s : 0, 0};
    const struct mr_topology_options options = {.link = link,
                                                .n_link = 20,
                                                .n_host = 10,
                                                .source = {NULL, line_links},
                                                .efficiency = topology->efficiency};
    assert_int_equal(mr_topology_create(&options, &out, &err), MR_OK);
    return out;
}

/* Instances 1 to 8 send to 9, or 9 to them; all on two hosts. */
static void draw_lines(uint64_t seed, int n, bool is_in, uint32_t from, uint32_t to)
{
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 14);
    double at_s = 0;
    for (int i = 0; i < n; i++) {
        const uint32_t many = 1 + (uint32_t)mr_rng_below(&rng, 8);
        at_s += seed % 2 == 0 ? 0 : mr_rng_exponential(&rng, 0.1);
        job[i] = (struct fluid_job){.job = {.bytes = mr_rng_range(&rng, 1e7, 4e8),
                                            .cap_bytes_s = line_bytes_s,
                                            .out = {is_in ? many : 9, line_bytes_s},
                                            .in = {is_in ? 9 : many, line_bytes_s},
                                            .from = from,
                                            .to = to,
                                            .tag = (uint64_t)i},
                                    .start_s = at_s};
    }
}

/* The links carry far more than the lines: `shared` over the lines is exact. */
static void lines_alone(void *data)
{
    enum {
        n = 60
    };
    struct mr_transfer *net = data, *shared;
    const uint32_t from = host("H0.R0.K0.g0"), to = host("H0.R0.K0.g1");
    struct mr_err err = {0};
    uint32_t route;
    double worst_s = 0;
    assert_int_equal(mr_topology_route(topology, from, to, line_bytes_s, &route, &err), MR_OK);
    struct mr_topology *lines = line_topology(topology->route[route].latency_s);
    for (uint64_t round = 0; round < 8; round++) {
        const double base_s = mr_transfer_now_s(net);
        draw_lines(round, n, round / 2 % 2 == 0, from, to);
        memcpy(other, job, sizeof job);
        double bytes = 0;
        for (int i = 0; i < n; i++) {
            bytes += job[i].job.bytes;
            job[i].start_s += base_s;
            other[i].job.from = other[i].job.out.number;
            other[i].job.to = other[i].job.in.number;
            other[i].job.cap_bytes_s = (double)INFINITY;
        }
        assert_int_equal(mr_transfer_shared(lines, NULL, &shared, &err), MR_OK);
        fluid_send(shared, other, n);
        mr_transfer_destroy(shared);
        fluid_send(net, job, n);
        double last_s = 0;
        for (int i = 0; i < n; i++) {
            mr_assert_near(job[i].end_s - base_s, other[i].end_s, 0, 1e-9);
            worst_s = fmax(worst_s, fabs(job[i].end_s - base_s - other[i].end_s));
            last_s = fmax(last_s, job[i].end_s - base_s);
        }
        assert_true(last_s >= bytes / (line_bytes_s * topology->efficiency));
    }
    print_message("lines alone: flow and shared at most %.1e s apart\n", worst_s);
    mr_topology_destroy(lines);
}

MR_TEST(lines_bind_all_their_transfers)
{
    load_three_racks(0.8);
    struct mr_transfer *net = flow();
    run(net, lines_alone);
    mr_transfer_destroy(net);
    unload();
}

static void send_over(struct mr_transfer *net, const struct mr_transfer_job *ends, double bytes,
                      uint64_t *id)
{
    struct mr_transfer_job one = *ends;
    struct mr_err err = {0};
    one.bytes = bytes;
    one.cap_bytes_s = (double)INFINITY;
    if (mr_transfer_start(net, &one, mr_transfer_now_s(net), id, &err) != MR_OK)
        fail_msg("%s", err.text);
}

/* 1 sends to 3 and 4, 2 to 4, whose line is 0.6 GB/s: both into it get 0.3, and the other one the
 * 0.7 that are left of the line out of 1. Then two share a line until one is taken back after half
 * a second: the other has 0.75 GB to go. All inside one host. */
static void lines_known(void *data)
{
    struct mr_transfer *net = data;
    struct mr_transfer_ends ends;
    const uint32_t at = host("H0.R0.K0.g0");
    const struct mr_transfer_job way[] = {
        {.from = at, .to = at, .out = {1, 1e9}, .in = {3, 1e9}},
        {.from = at, .to = at, .out = {1, 1e9}, .in = {4, 6e8}},
        {.from = at, .to = at, .out = {2, 1e9}, .in = {4, 6e8}},
    };
    uint64_t id;
    send_over(net, &way[0], 7e8, NULL);
    send_over(net, &way[1], 3e8, NULL);
    send_over(net, &way[2], 3e8, NULL);
    double at_s = 0;
    for (size_t n = 0; n < 3; n += ends.n)
        at_s = mr_transfer_advance(net, (double)INFINITY, &ends);
    mr_assert_near(at_s, 1, 0, 1e-9);
    send_over(net, &way[0], 1e9, NULL);
    send_over(net, &way[0], 1e9, &id);
    (void)mr_transfer_advance(net, at_s + 0.5, &ends);
    assert_int_equal(ends.n, 0);
    assert_true(mr_transfer_cancel(net, id));
    mr_assert_near(mr_transfer_advance(net, (double)INFINITY, &ends), at_s + 1.25, 0, 1e-9);
    assert_int_equal(ends.n, 1);
}

MR_TEST(lines_are_shared_by_max_min)
{
    load_three_racks(1);
    struct mr_transfer *net = flow();
    run(net, lines_known);
    mr_transfer_destroy(net);
    unload();
}

MR_TEST_MAIN(MR_TEST_ENTRY(wiring_knows_simgrids_routes),
             MR_TEST_ENTRY(a_package_has_a_host_at_every_level),
             MR_TEST_ENTRY(one_at_a_time_all_modes_agree), MR_TEST_ENTRY(max_min_in_one_row),
             MR_TEST_ENTRY(max_min_over_rows), MR_TEST_ENTRY(latency_is_no_weight),
             MR_TEST_ENTRY(one_scenario_in_three_modes),
             MR_TEST_ENTRY(a_broken_link_fails_what_it_carries),
             MR_TEST_ENTRY(order_of_starts_and_stops_do_not_matter),
             MR_TEST_ENTRY(strangers_change_nothing), MR_TEST_ENTRY(the_body_has_a_large_stack),
             MR_TEST_ENTRY(lines_bind_all_their_transfers),
             MR_TEST_ENTRY(lines_are_shared_by_max_min))
