/* SPDX-License-Identifier: Apache-2.0 */
/* engine/net/platform: SimGrid's reading against ours; routes, latencies and transfers on a small
 * hand-written site of three racks. SimGrid lives once per process, and every test is a process. */
#include "engine/net/platform.h"

#include "platforms/check.h"
#include "platforms/read.h"
#include "tests/engine/net/sanitizer.h"
#include "tests/test.h"

static struct mr_site *site;

static void load(void)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/tests/engine/net/data/three_racks.platform.xml", MR_SOURCE_DIR);
    const struct mr_platform_options options = {.under_sanitizer = UNDER_SANITIZER};
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    if (mr_read_site(path, &site, &diags) != MR_OK) {
        char line[1024];
        mr_diag_print(&diags.item[0], line, sizeof line);
        fail_msg("%s", line);
    }
    if (mr_platform_load(site, &options, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static uint32_t host(const char *name)
{
    for (uint32_t i = 0; i < site->n_host; i++)
        if (strcmp(site->host[i].name, name) == 0)
            return i;
    fail_msg("no host %s", name);
    return 0;
}

MR_TEST(both_read_the_same_hosts_and_links)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    load();
    mr_platform_check(site, &diags);
    if (diags.n_error > 0)
        fail_msg("%s", diags.item[0].err.text);
    assert_int_equal(site->n_host, 5);
    assert_int_equal(mr_check_site(site, &diags, &err), MR_OK);
    mr_site_destroy(site);
}

MR_TEST(a_difference_is_found)
{
    struct mr_diags diags = {0};
    load();
    site->link[0].bandwidth_bytes_s *= 2;
    site->host[0].speed_flop_s *= 2;
    site->host[1].name = "stranger";
    mr_platform_check(site, &diags);
    assert_true(diags.n_error >= 4); /* speed, stranger, absent, bandwidth up and down */
    mr_site_destroy(site);
}

/* In the rack over NVLink, across racks over NIC, port and leaf; latencies as declared. */
MR_TEST(routes_inside_and_between_racks)
{
    load();
    struct mr_platform_route routes[] = {
        {.src = host("H0.R0.K0.g0"), .dst = host("H0.R0.K0.g1")},
        {.src = host("H0.R0.K0.g0"), .dst = host("H0.R0.K1.all")},
        {.src = host("H0.R0.K0.g1"), .dst = host("H1.R0.K0.g0")},
    };
    struct mr_err err = {0};
    assert_int_equal(mr_platform_routes(site, routes, 3, &err), MR_OK);
    assert_int_equal(routes[0].n_link, 2);
    mr_assert_near(routes[0].latency_s, 0.5e-6, 1e-12, 0);
    mr_assert_near(routes[0].bandwidth_bytes_s, 1.8e12, 1e-12, 0);
    assert_int_equal(routes[1].n_link, 5); /* nic, port, up, up, nic of K1 */
    mr_assert_near(routes[1].bandwidth_bytes_s, 200e9, 1e-12, 0);
    mr_assert_near(routes[1].latency_s, 2.0e-6, 1e-12, 0);
    mr_assert_near(routes[2].bandwidth_bytes_s, 200e9, 1e-12, 0);
    mr_assert_near(routes[2].latency_s, 2 * (0.4e-6 + 0.1e-6 + 0.5e-6 + 0.5e-6 + 1e-6), 1e-12, 0);
    mr_site_destroy(site);
}

/* TCP-gamma, latency factors and cross traffic would each make this another number. */
MR_TEST(a_second_at_line_rate_lasts_a_second)
{
    load();
    struct mr_platform_transfer transfers[] = {
        {host("H0.R0.K0.g0"), host("H0.R0.K0.g1"), 1.8e12, 0, 0},
        {host("H0.R0.K0.g1"), host("H0.R0.K0.g0"), 1.8e12, 0, 0}, /* the other way at once */
        {host("H0.R0.K0.g0"), host("H1.R0.K0.g0"), 100e9, 5, 0},
        {host("H0.R0.K0.g1"), host("H0.R0.K0.g1"), 1e15, 6, 0},
    };
    struct mr_err err = {0};
    assert_int_equal(mr_platform_play(site, transfers, 4, &err), MR_OK);
    mr_assert_near(transfers[0].end_s, 1 + 0.5e-6, 1e-12, 0);
    mr_assert_near(transfers[1].end_s, 1 + 0.5e-6, 1e-12, 0);
    mr_assert_near(transfers[2].end_s, 5 + 0.5 + 5e-6, 1e-12, 0);
    assert_true(transfers[3].end_s == 6);
    mr_site_destroy(site);
}

/* Two senders on one rack uplink of 300 GB/s share it; each NIC alone could do 200. */
MR_TEST(oversubscription_shows)
{
    load();
    struct mr_platform_transfer transfers[] = {
        {host("H0.R0.K0.g0"), host("H0.R0.K1.all"), 150e9, 0, 0},
        {host("H0.R0.K0.g1"), host("H0.R0.K1.all"), 150e9, 0, 0},
    };
    struct mr_err err = {0};
    assert_int_equal(mr_platform_play(site, transfers, 2, &err), MR_OK);
    mr_assert_near(transfers[0].end_s, 1, 1e-5, 0);
    mr_assert_near(transfers[1].end_s, 1, 1e-5, 0);
    mr_site_destroy(site);
}

MR_TEST(bad_settings_are_errors)
{
    static const char *const wrong[] = {"no-colon"};
    const struct mr_platform_options options = {
        .config = wrong, .n_config = 1, .under_sanitizer = UNDER_SANITIZER};
    struct mr_site nowhere = {.path = "/no/such.platform.xml"};
    struct mr_err err = {0};
    assert_int_equal(mr_platform_load(&nowhere, &options, &err), MR_PARSE);
    mr_assert_contains(err.text, "expected KEY:VALUE");
}

MR_TEST_MAIN(MR_TEST_ENTRY(both_read_the_same_hosts_and_links),
             MR_TEST_ENTRY(a_difference_is_found), MR_TEST_ENTRY(routes_inside_and_between_racks),
             MR_TEST_ENTRY(a_second_at_line_rate_lasts_a_second),
             MR_TEST_ENTRY(oversubscription_shows), MR_TEST_ENTRY(bad_settings_are_errors))
