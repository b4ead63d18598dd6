/* SPDX-License-Identifier: Apache-2.0 */
/* Every shipped layout: no finding, the sums it promises, and the same site back from its platform.
 */
#include "engine/base/mem.h"
#include "platforms/check.h"
#include "platforms/emit.h"
#include "platforms/fabric.h"
#include "platforms/layout.h"
#include "platforms/read.h"
#include "platforms/summary.h"
#include "tests/test.h"

#include <dirent.h>

static void fail_with(const struct mr_diags *diags, const char *what)
{
    char line[1024] = "no diagnostic";
    if (diags->n_item > 0)
        mr_diag_print(&diags->item[0], line, sizeof line);
    fail_msg("%s: %s", what, line);
}

static struct mr_site *load(const char *name)
{
    char path[1024];
    struct mr_diags diags = {0};
    struct mr_site *site;
    snprintf(path, sizeof path, "%s/platforms/examples/%s.layout.xml", MR_SOURCE_DIR, name);
    if (mr_layout_load(path, &site, &diags) != MR_OK || diags.n_item > 0)
        fail_with(&diags, name);
    return site;
}

/* Sites stay alive as long as their summaries: card names are theirs. */
static struct mr_site *kept[16];
static size_t n_kept;

static struct mr_summary sums(const char *name)
{
    struct mr_summary summary;
    kept[n_kept] = load(name);
    assert_int_equal(mr_summary_of(kept[n_kept++], &summary, &(struct mr_diags){0}, NULL), MR_OK);
    return summary;
}

static uint64_t racks_of(const struct mr_summary *s, const char *card)
{
    for (size_t i = 0; i < s->n_card; i++)
        if (strcmp(s->card[i].card, card) == 0)
            return s->card[i].n_rack;
    return 0;
}

MR_TEST(sums_that_the_layouts_promise)
{
    const struct mr_summary pod = sums("vr-pod"), gw = sums("ai-factory-1gw");
    const struct mr_summary plain = sums("ai-factory-1gw-no-maxlps"), row = sums("nvl576-row");
    const struct mr_summary kyber = sums("kyber-hall-20mw"), vr = sums("vr-hall-20mw");
    const struct mr_summary mixed = sums("mixed-lpx-25"), space = sums("space-1");
    assert_int_equal(pod.n_rack, 40);
    assert_int_equal(racks_of(&pod, "vr_nvl72"), 16);
    assert_int_equal(16 * 72, 1152);
    assert_true(racks_of(&pod, "lpx") > 0 && racks_of(&pod, "vera_256") > 0 &&
                racks_of(&pod, "bf4_stx") > 0 && racks_of(&pod, "spx") > 0);
    assert_int_equal(racks_of(&gw, "vr_nvl72"), 5543);
    assert_int_equal(gw.n_package, 399096);
    assert_int_equal(racks_of(&plain, "vr_nvl72"), 3819);
    assert_int_equal(plain.n_package, 274968);
    assert_true(gw.granted_w < 1e9 && plain.granted_w < 1e9);
    assert_true(gw.rated_w > 1e9); /* oversubscribed: that is what the governor is for */
    assert_int_equal(row.n_package, 576);
    assert_int_equal(row.n_domain, 1);
    assert_int_equal(kyber.n_package, 144 * kyber.n_rack);
    mr_assert_near(vr.memory_bytes, (double)vr.n_rack * 72 * 288e9, 1e-12, 0);
    mr_assert_near(vr.flop_s, (double)vr.n_rack * 2520e15, 1e-12, 0);
    assert_int_equal(vr.n_port, vr.n_rack * 144);
    assert_true(vr.granted_w < 20e6 && kyber.granted_w < 20e6);
    assert_int_equal(4 * racks_of(&mixed, "lpx"), mixed.n_rack);
    assert_true(space.grid_limit_w == 0 && space.n_power[MR_SITE_POWER_SOLAR] > 0);
    while (n_kept > 0)
        mr_site_destroy(kept[--n_kept]);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* Layout -> site -> XML -> site, at one level; the emitted text is kept for a second emission. */
static void round_trip(const char *name, int level)
{
    struct mr_site *site = load(name), *again;
    struct mr_buf text = {0}, twice = {0}, before = {0}, after = {0};
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    assert_int_equal(mr_fabric_build(site, level, &err), MR_OK);
    mr_emit_site(site, &text);
    mr_site_dump(site, &before);
    if (mr_check_site(site, &diags, &err) != MR_OK || diags.n_item > 0)
        fail_with(&diags, name);
    if (mr_read_site_text(name, (struct mr_str){text.text, text.n}, &again, &diags) != MR_OK ||
        diags.n_item > 0)
        fail_with(&diags, name);
    mr_site_dump(again, &after);
    mr_emit_site(again, &twice);
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.text, after.text, before.n);
    assert_int_equal(text.n, twice.n);
    assert_memory_equal(text.text, twice.text, text.n);
    mr_site_destroy(site);
    mr_site_destroy(again);
    mr_buf_fini(&text);
    mr_buf_fini(&twice);
    mr_buf_fini(&before);
    mr_buf_fini(&after);
}

MR_TEST(the_same_site_comes_back_from_every_platform)
{
    char path[1024];
    int n = 0;
    snprintf(path, sizeof path, "%s/platforms/examples", MR_SOURCE_DIR);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char *end = strstr(e->d_name, ".layout.xml");
        if (end == NULL)
            continue;
        *end = '\0';
        round_trip(e->d_name, MR_FABRIC_LEVEL_AUTO);
        round_trip(e->d_name, MR_SITE_LEVEL_RACK);
        n++;
    }
    closedir(dir);
    assert_int_equal(n, 12);
}

MR_TEST(small_ones_at_tray_level_too)
{
    round_trip("vr-pod", MR_SITE_LEVEL_TRAY);
    round_trip("nvl576-row", MR_SITE_LEVEL_TRAY);
    round_trip("hgx-h100-hall", MR_SITE_LEVEL_TRAY);
}

MR_TEST_MAIN(MR_TEST_ENTRY(sums_that_the_layouts_promise),
             MR_TEST_ENTRY(the_same_site_comes_back_from_every_platform),
             MR_TEST_ENTRY(small_ones_at_tray_level_too))
