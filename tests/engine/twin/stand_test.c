/* SPDX-License-Identifier: Apache-2.0 */
/* engine/twin/stand: no package is given twice, domains are not straddled, what does not fit is
 * refused with the numbers. */
#include "engine/twin/stand.h"

#include "platforms/layout.h"
#include "tests/test.h"

static struct mr_site *load(const char *layout)
{
    struct mr_site *site;
    struct mr_diags diags = {0};
    if (mr_layout_load_text("t.layout.xml", mr_str_of(layout), &site, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    return site;
}

#define MIXED                                                                            \
    "<layout name=\"t\"><hall><row count=\"2\"><rack card=\"gb200_nvl72\" count=\"3\"/>" \
    "<rack card=\"hgx_h100_rack\" count=\"2\"/></row></hall></layout>"

/* Every span within its rack, of the right card, and no package twice. */
static void check(const struct mr_stand *stand, const struct mr_site *site)
{
    for (size_t a = 0; a < stand->n_span; a++) {
        const struct mr_stand_span *s = &stand->span[a];
        assert_true(s->first + s->n <= site->rack[s->rack].n_package);
        assert_true(s->first + s->n <= stand->n_taken[s->rack]);
        for (size_t b = 0; b < a; b++) {
            const struct mr_stand_span *o = &stand->span[b];
            assert_true(s->rack != o->rack || s->first >= o->first + o->n ||
                        o->first >= s->first + s->n);
        }
    }
    assert_int_equal(stand->begin[stand->n_instance], stand->n_span);
}

MR_TEST(pools_take_racks_in_order)
{
    struct mr_site *site = load(MIXED);
    struct mr_stand stand;
    struct mr_err err = {0};
    assert_int_equal(mr_stand_init(&stand, site, &err), MR_OK);
    assert_int_equal(mr_stand_pool(&stand, site, "gb200", 16, 5, "prefill", &err), MR_OK);
    assert_int_equal(mr_stand_pool(&stand, site, "gb200", 72, 3, "deployment", &err), MR_OK);
    assert_int_equal(stand.n_instance, 8);
    check(&stand, site);
    /* four of sixteen in a rack of 72, the fifth in the next; whole racks after those */
    assert_int_equal(stand.n_taken[stand.span[0].rack], 64);
    assert_int_equal(stand.span[3].first, 48);
    assert_true(stand.span[4].rack != stand.span[3].rack && stand.span[4].first == 0);
    assert_true(stand.span[5].rack != stand.span[4].rack && stand.span[5].n == 72);
    assert_true(mr_stand_is_hit(&stand, 1, stand.span[1].rack, 17));
    assert_false(mr_stand_is_hit(&stand, 1, stand.span[1].rack, 16));
    assert_false(mr_stand_is_hit(&stand, 1, stand.span[5].rack, 72));
    mr_stand_fini(&stand);
    mr_site_destroy(site);
}

MR_TEST(nodes_are_not_straddled)
{
    struct mr_site *site = load(MIXED);
    struct mr_stand stand;
    struct mr_err err = {0};
    assert_int_equal(mr_stand_init(&stand, site, &err), MR_OK);
    assert_int_equal(mr_stand_pool(&stand, site, "h100_sxm", 5, 8, "deployment", &err), MR_OK);
    check(&stand, site);
    for (size_t i = 0; i < stand.n_span; i++)
        assert_int_equal(stand.span[i].first % 8, 0); /* 5 of each node of 8 */
    mr_stand_fini(&stand);
    mr_site_destroy(site);
}

MR_TEST(large_instances_take_racks_that_follow)
{
    struct mr_site *site = load(MIXED);
    struct mr_stand stand;
    struct mr_err err = {0};
    assert_int_equal(mr_stand_init(&stand, site, &err), MR_OK);
    assert_int_equal(mr_stand_pool(&stand, site, "gb200", 144, 2, "deployment", &err), MR_OK);
    check(&stand, site);
    assert_int_equal(stand.begin[1], 2);
    assert_true(stand.span[0].n == 72 && stand.span[1].n == 72);
    assert_true(stand.span[2].rack > stand.span[1].rack);
    mr_stand_fini(&stand);
    mr_site_destroy(site);
}

MR_TEST(what_does_not_fit_is_refused)
{
    struct mr_site *site = load(MIXED);
    struct mr_stand stand;
    struct mr_err err = {0};
    assert_int_equal(mr_stand_init(&stand, site, &err), MR_OK);
    assert_int_equal(mr_stand_pool(&stand, site, "gb200", 40, 7, "deployment", &err), MR_LIMIT);
    mr_assert_contains(err.text, "only 6 fit");
    mr_assert_contains(err.text, "6 racks with 432 packages");
    mr_stand_fini(&stand);
    err = (struct mr_err){0};
    assert_int_equal(mr_stand_init(&stand, site, &err), MR_OK);
    assert_int_equal(mr_stand_pool(&stand, site, "rubin", 1, 1, "prefill", &err), MR_REF);
    mr_assert_contains(err.text, "prefill: site \"t\" has no rack with packages \"rubin\"");
    mr_stand_fini(&stand);
    mr_site_destroy(site);
}

MR_TEST_MAIN(MR_TEST_ENTRY(pools_take_racks_in_order), MR_TEST_ENTRY(nodes_are_not_straddled),
             MR_TEST_ENTRY(large_instances_take_racks_that_follow),
             MR_TEST_ENTRY(what_does_not_fit_is_refused))
