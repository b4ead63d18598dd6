/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/topology: routes are asked for once, limits of ends are links, mistakes are told. */
#include "engine/serve/topology.h"

#include "tests/engine/serve/fluid.h"

static struct fluid_site site;

MR_TEST(a_route_is_asked_for_once)
{
    struct mr_topology *t = fluid_topology(&site, 100, 10, 4, 0.5);
    struct mr_err err = {0};
    uint32_t route = 0, again = 0;
    for (int turn = 0; turn < 2; turn++)
        for (uint32_t a = 0; a < 100; a++)
            for (uint32_t b = 0; b < 100; b++) {
                assert_int_equal(mr_topology_route(t, a, b, (double)INFINITY, &route, &err), MR_OK);
                assert_int_equal(t->route[route].from, a);
                assert_int_equal(t->route[route].to, b);
                assert_int_equal(t->route[route].n_link, a == b ? 0 : a / 10 == b / 10 ? 2 : 5);
            }
    assert_int_equal(site.n_find, 100 * 99);
    assert_int_equal(t->n_route, 100 * 100);
    assert_int_equal(mr_topology_route(t, 3, 97, (double)INFINITY, &again, &err), MR_OK);
    assert_true(mr_topology_crosses(t, again, 6));
    assert_true(mr_topology_crosses(t, again, 2 * 97 + 1));
    assert_false(mr_topology_crosses(t, again, 7));
    mr_topology_destroy(t);
}

MR_TEST(limits_of_ends_are_links_of_their_own)
{
    struct mr_topology *t = fluid_topology(&site, 4, 4, 0, 0.5);
    struct mr_err err = {0};
    uint32_t open, capped, same, other;
    assert_int_equal(mr_topology_route(t, 0, 1, (double)INFINITY, &open, &err), MR_OK);
    assert_int_equal(mr_topology_route(t, 0, 1, 2e10, &capped, &err), MR_OK);
    assert_int_equal(mr_topology_route(t, 0, 1, 2e10, &same, &err), MR_OK);
    assert_int_equal(mr_topology_route(t, 1, 2, 2e10, &other, &err), MR_OK);
    assert_true(open != capped && capped == same);
    assert_int_equal(t->n_link, site.n_link + 1);
    assert_int_equal(t->route[capped].n_link, t->route[open].n_link + 1);
    assert_true(t->link[site.n_link].is_fatpipe);
    assert_true(mr_topology_bandwidth_bytes_s(t, open) == 5e10);
    assert_true(mr_topology_bandwidth_bytes_s(t, capped) == 1e10);
    assert_true(t->route[capped].latency_s == 2e-6);
    mr_topology_set_bandwidth(t, 0, 1e10);
    assert_true(mr_topology_bandwidth_bytes_s(t, open) == 5e9);
    mr_topology_destroy(t);
}

static mr_status find_none(void *data, uint32_t from, uint32_t to, struct mr_topology_path *path,
                           struct mr_err *err)
{
    (void)data;
    (void)from;
    path->n_link = 0;
    return to == 1 ? mr_err_set(err, MR_REF, MR_NOWHERE, "no way") : MR_OK;
}

MR_TEST(mistakes_are_told)
{
    const struct mr_topology_link good = {"good", 1e9, 1e-6, false};
    const struct mr_topology_link bad[] = {{"zero", 0, 0, false},
                                           {"endless", (double)INFINITY, 0, false},
                                           {"late", 1e9, -1, false},
                                           {"never", 1e9, (double)NAN, false}};
    const struct mr_topology_local inside = {0, 0};
    struct mr_topology_options options = {
        .link = &good, .n_link = 1, .n_host = 3, .source = {NULL, find_none}, .efficiency = 1};
    struct mr_topology *t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mr_err err = {0};
        options.link = &bad[i];
        assert_int_equal(mr_topology_create(&options, &t, &err), MR_RANGE);
        mr_assert_contains(err.text, bad[i].name);
        assert_null(t);
    }
    options.link = &good;
    for (int i = 0; i < 3; i++) {
        struct mr_err err = {0};
        options.efficiency = i == 0 ? 0 : i == 1 ? 1.01 : (double)NAN;
        assert_int_equal(mr_topology_create(&options, &t, &err), MR_RANGE);
    }
    struct mr_err err = {0};
    options.efficiency = 1;
    options.n_host = 1;
    options.local = &inside;
    assert_int_equal(mr_topology_create(&options, &t, &err), MR_RANGE);
    options.n_host = 3;
    options.local = NULL;
    assert_int_equal(mr_topology_create(&options, &t, NULL), MR_OK);
    uint32_t route;
    err = (struct mr_err){0};
    assert_int_equal(mr_topology_route(t, 0, 1, 1, &route, &err), MR_REF);
    mr_assert_contains(err.text, "no way");
    err = (struct mr_err){0};
    assert_int_equal(mr_topology_route(t, 0, 2, 1, &route, &err), MR_REF);
    mr_assert_contains(err.text, "no link leads from host 0 to host 2");
    assert_int_equal(t->n_route, 0);
    mr_topology_destroy(t);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_route_is_asked_for_once),
             MR_TEST_ENTRY(limits_of_ends_are_links_of_their_own), MR_TEST_ENTRY(mistakes_are_told))
