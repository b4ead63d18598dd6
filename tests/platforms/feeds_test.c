/* SPDX-License-Identifier: Apache-2.0 */
/* What survivors carry: the redundancies by hand, random trees rack by rack, circles. */
#include "platforms/feeds.h"

#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    most_power = 40,
    most_rack = 60
};

struct bench {
    struct mr_power_node power[most_power];
    struct mr_rack rack[most_rack];
    struct mr_site site;
    char name[most_power][8];
};

static void begin(struct bench *b)
{
    *b = (struct bench){.site = {.name = "s", .power = b->power, .rack = b->rack}};
}

static uint32_t put(struct bench *b, int kind, uint32_t first, uint32_t second)
{
    const uint32_t at = (uint32_t)b->site.n_power++;
    assert_true(at < most_power);
    snprintf(b->name[at], sizeof b->name[at], "p%u", at);
    b->power[at] = (struct mr_power_node){
        .name = b->name[at], .kind = kind, .parent = {first, second}, .n_unit = 1};
    return at;
}

static void put_rack(struct bench *b, uint32_t first, uint32_t second, bool has_standby, double w)
{
    assert_true(b->site.n_rack < most_rack);
    b->rack[b->site.n_rack++] = (struct mr_rack){
        .name = "k", .feed = {first, second}, .has_standby = has_standby, .limit_w = w};
}

/* ---- by hand ---- */

static void expect(const struct bench *b, uint32_t node, double normal_w, double failed_w,
                   uint32_t failure)
{
    struct mr_feeds f;
    struct mr_err err = {0};
    assert_int_equal(mr_feeds_of(&b->site, &f, &err), MR_OK);
    assert_int_equal(f.circle, MR_SITE_NONE);
    mr_assert_near(f.normal_w[node], normal_w, 1e-14, 0);
    mr_assert_near(f.failed_w[node], failed_w, 1e-14, 0);
    assert_int_equal(f.failure[node], failure);
    mr_feeds_fini(&f);
}

/* One panel: whoever is lost, nobody else has more. */
MR_TEST(one_feed)
{
    struct bench b;
    begin(&b);
    const uint32_t top = put(&b, MR_SITE_POWER_SUBSTATION, MR_SITE_NONE, MR_SITE_NONE);
    const uint32_t a = put(&b, MR_SITE_POWER_RPP, top, MR_SITE_NONE);
    put_rack(&b, a, MR_SITE_NONE, false, 100);
    expect(&b, a, 100, 100, MR_SITE_NONE);
    expect(&b, top, 100, 100, MR_SITE_NONE);
}

/* 2N: the other side carries all; the common ancestor what it carried before, not twice. */
MR_TEST(two_n)
{
    struct bench b;
    begin(&b);
    const uint32_t top = put(&b, MR_SITE_POWER_SUBSTATION, MR_SITE_NONE, MR_SITE_NONE);
    const uint32_t ups_a = put(&b, MR_SITE_POWER_UPS, top, MR_SITE_NONE);
    const uint32_t ups_b = put(&b, MR_SITE_POWER_UPS, top, MR_SITE_NONE);
    const uint32_t rpp_a = put(&b, MR_SITE_POWER_RPP, ups_a, MR_SITE_NONE);
    const uint32_t rpp_b = put(&b, MR_SITE_POWER_RPP, ups_b, MR_SITE_NONE);
    for (int i = 0; i < 5; i++)
        put_rack(&b, rpp_a, rpp_b, false, 100);
    expect(&b, ups_a, 250, 500, ups_b);
    expect(&b, rpp_b, 250, 500, ups_a);
    expect(&b, top, 500, 500, MR_SITE_NONE);
}

/* 4N/3: 4.5 MW dealt over the six pairs of four systems. Each carries 9/8 MW, and when another one
 * is lost the half of the 0.75 MW that hang on both: 1.5 MW, 4.5 / 3, as the name says. */
MR_TEST(four_thirds)
{
    static const uint32_t pairs[][2] = {{0, 1}, {2, 3}, {0, 2}, {1, 3}, {0, 3}, {1, 2}};
    struct bench b;
    uint32_t ups[4], rpp[4];
    begin(&b);
    const uint32_t top = put(&b, MR_SITE_POWER_SUBSTATION, MR_SITE_NONE, MR_SITE_NONE);
    for (int s = 0; s < 4; s++) {
        ups[s] = put(&b, MR_SITE_POWER_UPS, top, MR_SITE_NONE);
        rpp[s] = put(&b, MR_SITE_POWER_RPP, ups[s], MR_SITE_NONE);
    }
    for (int i = 0; i < 6; i++)
        put_rack(&b, rpp[pairs[i][0]], rpp[pairs[i][1]], false, 750e3);
    for (int s = 0; s < 4; s++)
        expect(&b, ups[s], 1.125e6, 1.5e6, s == 0 ? ups[1] : ups[0]);
    expect(&b, top, 4.5e6, 4.5e6, MR_SITE_NONE);
}

/* A catcher: the reserve carries nothing, and whichever one system is lost. */
MR_TEST(catcher)
{
    struct bench b;
    uint32_t ups[4];
    begin(&b);
    for (int s = 0; s < 4; s++)
        ups[s] = put(&b, MR_SITE_POWER_UPS, MR_SITE_NONE, MR_SITE_NONE);
    for (uint32_t s = 0; s < 3; s++)
        put_rack(&b, ups[s], ups[3], true, 100e3 * (s + 1));
    expect(&b, ups[3], 0, 300e3, ups[2]);
    for (uint32_t s = 0; s < 3; s++)
        expect(&b, ups[s], 100e3 * (s + 1), 100e3 * (s + 1), MR_SITE_NONE);
}

/* ---- brute force ---- */

static bool lives(const struct bench *b, uint32_t node, uint32_t lost)
{
    const uint32_t *up = b->power[node].parent;
    if (node == lost)
        return false;
    return (up[0] == MR_SITE_NONE && up[1] == MR_SITE_NONE) ||
           (up[0] != MR_SITE_NONE && lives(b, up[0], lost)) ||
           (up[1] != MR_SITE_NONE && lives(b, up[1], lost));
}

/* One rack's watts, way by way up to the roots. */
static void climb(const struct bench *b, const uint32_t feed[2], bool shares, double w,
                  uint32_t lost, double *load_w)
{
    uint32_t live[2];
    int n = 0;
    for (int p = 0; p < 2; p++)
        if (feed[p] != MR_SITE_NONE && lives(b, feed[p], lost))
            live[n++] = feed[p];
    n = n > 1 && !shares ? 1 : n;
    for (int p = 0; p < n; p++) {
        const struct mr_power_node *node = &b->power[live[p]];
        load_w[live[p]] += w / n;
        climb(b, node->parent, mr_site_power_shares(node->kind), w / n, lost, load_w);
    }
}

static void loads_of(const struct bench *b, uint32_t lost, double *load_w)
{
    memset(load_w, 0, most_power * sizeof *load_w);
    for (size_t i = 0; i < b->site.n_rack; i++)
        climb(b, b->rack[i].feed, !b->rack[i].has_standby, b->rack[i].limit_w, lost, load_w);
}

/* Any parents among the nodes before, kinds that share and that do not. */
static void draw(struct bench *b, struct mr_rng *rng)
{
    static const int kinds[] = {MR_SITE_POWER_UPS, MR_SITE_POWER_UPS_ECO, MR_SITE_POWER_MV,
                                MR_SITE_POWER_SST, MR_SITE_POWER_RPP};
    begin(b);
    const uint32_t n = 2 + (uint32_t)mr_rng_below(rng, most_power - 2);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t first =
            i < 2 || mr_rng_below(rng, 8) == 0 ? MR_SITE_NONE : (uint32_t)mr_rng_below(rng, i);
        const uint32_t other = i < 2 ? MR_SITE_NONE : (uint32_t)mr_rng_below(rng, i);
        const bool has_two = first != MR_SITE_NONE && other != first && mr_rng_below(rng, 3) == 0;
        put(b, kinds[mr_rng_below(rng, 5)], first, has_two ? other : MR_SITE_NONE);
    }
    for (uint32_t i = 0; i < most_rack; i++) {
        const uint32_t first = (uint32_t)mr_rng_below(rng, n);
        const uint32_t second = (uint32_t)mr_rng_below(rng, n);
        put_rack(b, first, second != first ? second : MR_SITE_NONE, mr_rng_below(rng, 2) == 0,
                 1e3 + 1e5 * mr_rng_f64(rng));
    }
}

MR_TEST(random_trees)
{
    static struct bench b;
    double load_w[most_power];
    uint32_t n_more = 0;
    struct mr_rng rng = mr_rng_stream(11, 0, 0);
    for (int trial = 0; trial < 300; trial++) {
        struct mr_feeds f;
        struct mr_err err = {0};
        double worst_w[most_power];
        draw(&b, &rng);
        assert_int_equal(mr_feeds_of(&b.site, &f, &err), MR_OK);
        loads_of(&b, MR_SITE_NONE, load_w);
        memcpy(worst_w, load_w, sizeof worst_w);
        for (size_t i = 0; i < b.site.n_power; i++)
            mr_assert_near(f.normal_w[i], load_w[i], 1e-12, 0);
        for (uint32_t lost = 0; lost < b.site.n_power; lost++) {
            loads_of(&b, lost, load_w);
            for (size_t i = 0; i < b.site.n_power; i++)
                worst_w[i] = fmax(worst_w[i], load_w[i]);
        }
        for (size_t i = 0; i < b.site.n_power; i++) {
            mr_assert_near(f.failed_w[i], worst_w[i], 1e-12, 0);
            if (f.failure[i] == MR_SITE_NONE)
                continue;
            n_more++;
            assert_true(f.failure[i] != i);
            loads_of(&b, f.failure[i], load_w);
            mr_assert_near(f.failed_w[i], load_w[i], 1e-12, 0);
        }
        mr_feeds_fini(&f);
    }
    assert_true(n_more > 1000);
}

MR_TEST(circle)
{
    struct bench b;
    struct mr_feeds f;
    struct mr_err err = {0};
    begin(&b);
    put(&b, MR_SITE_POWER_MV, MR_SITE_NONE, MR_SITE_NONE);
    put(&b, MR_SITE_POWER_RPP, 2, MR_SITE_NONE);
    put(&b, MR_SITE_POWER_RPP, 1, 0);
    assert_int_equal(mr_feeds_of(&b.site, &f, &err), MR_OK);
    assert_true(f.circle == 1 || f.circle == 2);
    mr_feeds_fini(&f);
}

static mr_status feeds_once(void *context, struct mr_err *err)
{
    struct mr_feeds f;
    const struct bench *b = context;
    const mr_status st = mr_feeds_of(&b->site, &f, err);
    mr_feeds_fini(&f);
    return st;
}

MR_TEST(memory_may_run_out)
{
    static struct bench b;
    struct mr_rng rng = mr_rng_stream(12, 0, 0);
    draw(&b, &rng);
    mr_test_every_nomem(feeds_once, &b);
}

MR_TEST_MAIN(MR_TEST_ENTRY(one_feed), MR_TEST_ENTRY(two_n), MR_TEST_ENTRY(four_thirds),
             MR_TEST_ENTRY(catcher), MR_TEST_ENTRY(random_trees), MR_TEST_ENTRY(circle),
             MR_TEST_ENTRY(memory_may_run_out))
