/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid loads the shipped layouts and routes them as meant: inside a rack over NVLink, in the row
 * over the leaf, across rows over the spine, across halls over the core; nothing blocks inside a
 * domain, and oversubscription shows where a layout declares it. One platform per process, one test
 * per process. */
#include "engine/net/platform.h"
#include "platforms/emit.h"
#include "platforms/fabric.h"
#include "platforms/layout.h"
#include "platforms/read.h"
#include "tests/engine/net/sanitizer.h"
#include "tests/test.h"

static struct mr_site *site;

/* Layout -> platform file -> our reader and SimGrid; both must see the same. */
static void load(const char *name, int level)
{
    char path[1024];
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_site *layout;
    struct mr_buf text = {0};
    const struct mr_platform_options options = {.under_sanitizer = UNDER_SANITIZER};
    snprintf(path, sizeof path, "%s/platforms/examples/%s.layout.xml", MR_SOURCE_DIR, name);
    assert_int_equal(mr_layout_load(path, &layout, &diags), MR_OK);
    assert_int_equal(mr_fabric_build(layout, level, &err), MR_OK);
    mr_emit_site(layout, &text);
    mr_site_destroy(layout);
    snprintf(path, sizeof path, "%s", mr_test_write("x.platform.xml", text.text, text.n));
    mr_buf_fini(&text);
    assert_int_equal(mr_read_site(path, &site, &diags), MR_OK);
    assert_int_equal(mr_platform_load(site, &options, &err), MR_OK);
    mr_platform_check(site, &diags);
    if (diags.n_item > 0)
        fail_msg("%s: %s", name, diags.item[0].err.text);
}

static uint32_t host(const char *name)
{
    for (uint32_t i = 0; i < site->n_host; i++)
        if (strcmp(site->host[i].name, name) == 0)
            return i;
    fail_msg("no host %s", name);
    return 0;
}

static struct mr_platform_route route(const char *src, const char *dst)
{
    struct mr_platform_route r = {.src = host(src), .dst = host(dst)};
    struct mr_err err = {0};
    assert_int_equal(mr_platform_routes(site, &r, 1, &err), MR_OK);
    return r;
}

enum {
    rack_level = MR_SITE_LEVEL_RACK,
    auto_level = MR_FABRIC_LEVEL_AUTO
};

MR_TEST(loads_hgx_h100_hall)
{
    load("hgx-h100-hall", auto_level);
    mr_site_destroy(site);
}
MR_TEST(loads_gb200_hall)
{
    load("gb200-hall", auto_level);
    mr_site_destroy(site);
}
MR_TEST(loads_gb300_hall)
{
    load("gb300-hall", auto_level);
    mr_site_destroy(site);
}
MR_TEST(loads_kyber_hall)
{
    load("kyber-hall-20mw", auto_level);
    mr_site_destroy(site);
}
MR_TEST(loads_mixed_lpx)
{
    load("mixed-lpx-25", auto_level);
    mr_site_destroy(site);
}
MR_TEST(loads_space)
{
    load("space-1", auto_level);
    mr_site_destroy(site);
}
MR_TEST(loads_100mw)
{
    load("ai-factory-100mw", auto_level);
    mr_site_destroy(site);
}
MR_TEST(loads_1gw)
{
    load("ai-factory-1gw", auto_level);
    mr_site_destroy(site);
}
MR_TEST(loads_1gw_no_maxlps)
{
    load("ai-factory-1gw-no-maxlps", auto_level);
    mr_site_destroy(site);
}
MR_TEST(loads_pod_of_trays)
{
    load("vr-pod", MR_SITE_LEVEL_TRAY);
    mr_site_destroy(site);
}
MR_TEST(loads_hall_of_racks)
{
    load("vr-hall-20mw", rack_level);
    mr_site_destroy(site);
}

MR_TEST(routes_of_the_pod)
{
    load("vr-pod", MR_SITE_LEVEL_GPU);
    const struct mr_platform_route in_rack = route("H0.R0.K0.g0", "H0.R0.K0.g71");
    const struct mr_platform_route in_row = route("H0.R0.K0.g0", "H0.R0.K5.g0");
    const struct mr_platform_route across = route("H0.R0.K0.g0", "H0.R1.K3.g0");
    assert_int_equal(in_rack.n_link, 2);
    mr_assert_near(in_rack.bandwidth_bytes_s, 1.8e12, 1e-12, 0);
    assert_true(in_rack.latency_s < in_row.latency_s && in_row.latency_s < across.latency_s);
    assert_true(in_row.n_link < across.n_link);
    assert_true(in_row.bandwidth_bytes_s >= 100e9 && in_row.bandwidth_bytes_s <= 200e9);
    mr_site_destroy(site);
}

MR_TEST(routes_across_halls_of_a_gigawatt)
{
    load("ai-factory-1gw", rack_level);
    const struct mr_platform_route in_row = route("H0.R0.K0", "H0.R0.K1");
    const struct mr_platform_route in_hall = route("H0.R0.K0", "H0.R5.K1");
    const struct mr_platform_route across = route("H0.R0.K0", "H7.R5.K1");
    assert_true(in_row.n_link < in_hall.n_link && in_hall.n_link < across.n_link);
    assert_true(in_row.latency_s < in_hall.latency_s && in_hall.latency_s < across.latency_s);
    mr_assert_near(in_row.bandwidth_bytes_s, 14.4e12, 1e-9, 0);
    mr_site_destroy(site);
}

/* An NVLink domain over eight racks: NVLink between its racks, never the NIC. */
MR_TEST(one_domain_of_576_packages)
{
    load("nvl576-row", MR_SITE_LEVEL_GPU);
    const struct mr_platform_route near_by = route("H0.R0.K0.g0", "H0.R0.K0.g1");
    const struct mr_platform_route far = route("H0.R0.K0.g0", "H0.R0.K7.g71");
    mr_assert_near(near_by.bandwidth_bytes_s, 1.8e12, 1e-12, 0);
    mr_assert_near(far.bandwidth_bytes_s, 1.8e12, 1e-12, 0);
    assert_true(far.n_link > near_by.n_link);
    mr_site_destroy(site);
}

/* 72 packages, each sending to its neighbor at once, as fast as one alone: the gamma trap included.
 */
MR_TEST(a_domain_does_not_block)
{
    enum {
        n = 72
    };
    struct mr_platform_transfer transfer[n];
    struct mr_err err = {0};
    char a[64], b[64];
    load("vr-pod", MR_SITE_LEVEL_GPU);
    for (int i = 0; i < n; i++) {
        snprintf(a, sizeof a, "H0.R0.K0.g%d", i);
        snprintf(b, sizeof b, "H0.R0.K0.g%d", (i + 31) % n);
        transfer[i] = (struct mr_platform_transfer){host(a), host(b), 1.8e12, 0, 0};
    }
    assert_int_equal(mr_platform_play(site, transfer, n, &err), MR_OK);
    for (int i = 0; i < n; i++)
        mr_assert_near(transfer[i].end_s, 1.0, 1e-5, 0);
    mr_site_destroy(site);
}

/* vr-hall-20mw declares 2:1 above its rows: all racks of a row together leave it at half rate. */
MR_TEST(oversubscription_shows_where_declared)
{
    enum {
        n = 12
    };
    struct mr_platform_transfer transfer[2 * n];
    struct mr_err err = {0};
    char a[64], b[64], c[64];
    load("vr-hall-20mw", rack_level);
    for (int i = 0; i < n; i++) {
        snprintf(a, sizeof a, "H0.R0.K%d", i);
        snprintf(b, sizeof b, "H0.R1.K%d", i);
        snprintf(c, sizeof c, "H0.R2.K%d", i);
        transfer[i] = (struct mr_platform_transfer){host(a), host(b), 14.4e12, 0, 0};
        snprintf(b, sizeof b, "H0.R2.K%d", (i + 1) % n); /* inside row 2: nothing in the way */
        transfer[n + i] = (struct mr_platform_transfer){host(c), host(b), 14.4e12, 0, 0};
    }
    assert_int_equal(mr_platform_play(site, transfer, 2 * n, &err), MR_OK);
    for (int i = 0; i < n; i++) {
        mr_assert_near(transfer[i].end_s, 2.0, 1e-5, 0);
        mr_assert_near(transfer[n + i].end_s, 1.0, 1e-5, 0);
    }
    mr_site_destroy(site);
}

MR_TEST_MAIN(MR_TEST_ENTRY(loads_hgx_h100_hall), MR_TEST_ENTRY(loads_gb200_hall),
             MR_TEST_ENTRY(loads_gb300_hall), MR_TEST_ENTRY(loads_kyber_hall),
             MR_TEST_ENTRY(loads_mixed_lpx), MR_TEST_ENTRY(loads_space), MR_TEST_ENTRY(loads_100mw),
             MR_TEST_ENTRY(loads_1gw), MR_TEST_ENTRY(loads_1gw_no_maxlps),
             MR_TEST_ENTRY(loads_pod_of_trays), MR_TEST_ENTRY(loads_hall_of_racks),
             MR_TEST_ENTRY(routes_of_the_pod), MR_TEST_ENTRY(routes_across_halls_of_a_gigawatt),
             MR_TEST_ENTRY(one_domain_of_576_packages), MR_TEST_ENTRY(a_domain_does_not_block),
             MR_TEST_ENTRY(oversubscription_shows_where_declared))
