/* SPDX-License-Identifier: Apache-2.0 */
/* power/supply_tree: which levels there are and what limits them; caps of packages, trays, racks,
 * rows, feeds and site with random limits and demands; who gets what others do not use. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "platforms/check.h"
#include "platforms/layout.h"
#include "power/supply_impl.h"
#include "tests/test.h"

struct world {
    struct mr_site *site;
    struct mr_supply *supply;
    struct mr_supply_part *part;
    double *package_w;
    uint32_t n_part, n_over;
};

static struct world world;

static void take(void *context, const struct mr_supply_event *event)
{
    struct world *w = context;
    w->n_over += strcmp(event->kind, "power.level_over") == 0;
}

static struct mr_supply_options options(void)
{
    struct mr_supply_options o = {.take = take, .context = &world};
    mr_supply_defaults(&o.params);
    return o;
}

/* @param[in] per packages of a part; 0: racks as a whole */
static void begin(const char *layout, struct mr_supply_options *o, uint32_t per, double package_w)
{
    struct mr_diags diags = {0};
    world = (struct world){0};
    if (mr_layout_load_text("t", mr_str_of(layout), &world.site, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    const size_t n = world.site->n_rack;
    world.part = mr_alloc_zero(n * 128, sizeof *world.part);
    world.package_w = mr_alloc_zero(n, sizeof *world.package_w);
    assert_true(world.part != NULL && world.package_w != NULL);
    for (uint32_t i = 0; i < n && per > 0; i++) {
        world.package_w[i] = package_w;
        for (uint32_t k = 0; k + per <= world.site->rack[i].n_package; k += per)
            world.part[world.n_part++] = (struct mr_supply_part){i, k, per, 0};
    }
    o->part = world.part;
    o->n_part = world.n_part;
    o->package_w = world.package_w;
    if (mr_supply_create(world.site, o, &world.supply, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
}

static void end(void)
{
    mr_supply_destroy(world.supply);
    mr_site_destroy(world.site);
    mr_free(world.part);
    mr_free(world.package_w);
}

/* Caps of leaves as they are, added up: of every node of the tree. */
static void no_node_is_over(double slack)
{
    const struct mr_supply *s = world.supply;
    const uint32_t n = mr_govern_n_node(s->tree);
    double *leaf_w = mr_alloc_zero(n, sizeof *leaf_w), *node_w = mr_alloc_zero(n, sizeof *node_w);
    assert_true(leaf_w != NULL && node_w != NULL);
    for (uint32_t i = 0; i < n; i++)
        if (mr_govern_is_leaf(s->tree, i))
            leaf_w[i] = s->pass.alloc_w[i];
    mr_govern_measure(s->tree, leaf_w, NULL, node_w);
    for (uint32_t i = 0; i < n; i++)
        if (node_w[i] > mr_govern_limit_w(s->tree, i) * (1 + slack))
            fail_msg("node %u: %.17g W of %.17g W", i, node_w[i], mr_govern_limit_w(s->tree, i));
    assert_true(node_w[0] <= s->load.budget_w * (1 + slack) || s->is_infeasible);
    mr_free(leaf_w);
    mr_free(node_w);
}

#define HALL                                                               \
    "<hall><row count=\"3\"><rack card=\"gb200_nvl72\" count=\"4\"/><cdu " \
    "units=\"2\"/></row></hall>"

static const char *const twin_feeds =
    "<layout name=\"s\"><grid limit=\"6 MW\"/><power redundancy=\"2N\"/>" HALL HALL "</layout>";

MR_TEST(levels_from_the_site_to_packages)
{
    struct mr_supply_options o = options();
    o.params.tray_limit_w = 7e3;
    begin(twin_feeds, &o, 8, 1200);
    const struct mr_supply *s = world.supply;
    assert_true(s->n_feed == 2 && s->n_level == 2 + 6); /* a hall each; rows */
    for (uint32_t k = 0; k < s->n_level; k++)
        assert_true(isfinite(s->level[k].limit_w) && s->level[k].name != NULL);
    /* trays of 4: parts of 8 reach into two; a leaf of a rack's hosts in each */
    assert_int_equal(s->rack[0].n_leaf, 18 + 18);
    assert_int_equal(mr_govern_n_node(s->tree), 1 + 8 + 24 * (1 + 18 + 36));
    assert_int_equal(s->rack[0].n_governed, 72);
    no_node_is_over(1e-12);
    end();
}

/* Racks as a whole are leaves. */
MR_TEST(without_packages_racks_are_leaves)
{
    struct mr_supply_options o = options();
    begin(twin_feeds, &o, 0, 0);
    assert_int_equal(mr_govern_n_node(world.supply->tree), 1 + 8 + 24);
    mr_assert_near(mr_supply_rack_cap_w(world.supply, 3), 132e3, 1e-12, 0);
    end();
}

/* Half of a rack's packages idle under a cap: lent watts let the others run as if there were none,
 * even ones get the same of a cap that is too small for all. */
MR_TEST(packages_lend_to_each_other)
{
    struct mr_supply_options o = options();
    o.params.govern.policy = MR_GOVERN_POLICY_MAXLPS;
    begin("<layout name=\"s\"><grid limit=\"90 kW\"/><hall><row><rack card=\"gb200_nvl72\"/>"
          "<cdu units=\"2\"/></row></hall></layout>",
          &o, 36, 1200);
    mr_supply_set_load(world.supply, 0, 80e3, 110e3);
    mr_supply_set_fixed(world.supply, 0, 20e3);
    mr_supply_set_part(world.supply, 0, 2000. / 3); /* 24 kW */
    mr_supply_set_part(world.supply, 1, 66e3 / 36);
    mr_supply_advance(world.supply, 60);
    const double a_w = mr_supply_part_cap_w(world.supply, 0);
    const double b_w = mr_supply_part_cap_w(world.supply, 1);
    assert_true(b_w > 1.2 * a_w && b_w <= 1200 && a_w >= 2000. / 3 * (1 - 1e-9));
    mr_assert_near(36 * (a_w + b_w) + 20e3, mr_supply_rack_cap_w(world.supply, 0), 1e-6, 0);
    mr_supply_set_part(world.supply, 0, 66e3 / 36);
    mr_supply_advance(world.supply, 120);
    mr_assert_near(mr_supply_part_cap_w(world.supply, 0), mr_supply_part_cap_w(world.supply, 1),
                   1e-9, 0);
    end();
}

/* A row of four asks for 528 kW half of the time and for 200 kW the other half. */
MR_TEST(odds_of_the_worst_level)
{
    struct mr_supply_options o = options();
    struct mr_supply_odds worst;
    begin(twin_feeds, &o, 0, 0);
    assert_true(mr_supply_worst_odds(world.supply, &worst) == 0); /* nothing has passed */
    for (int k = 0; k < 20; k++) {
        for (uint32_t i = 0; i < world.site->n_rack; i++)
            mr_supply_set_rack(world.supply, i, k % 2 == 0 ? 132e3 : 50e3);
        mr_supply_advance(world.supply, 60. * (k + 1));
    }
    assert_true(mr_supply_worst_odds(world.supply, &worst) >= 8);
    const double n = worst.most_w / 132e3;
    mr_assert_near(worst.mean_w, n * 91e3, 1e-12, 0);
    mr_assert_near(worst.deviation_w, n * 41e3, 1e-9, 0);
    const double exact =
        worst.limit_w >= worst.most_w
            ? 0
            : 0.5 * erfc((worst.limit_w - worst.mean_w) / worst.deviation_w / sqrt(2));
    mr_assert_near(worst.odds, exact, 1e-9, 1e-15);
    mr_assert_near(worst.over_frac, worst.limit_w < worst.most_w ? 0.5 : 0, 1e-12, 0);
    end();
}

/* Half of the time 32 racks ask for 120 kW each, the other half for 50 kW; the meter of the last
 * minute of both, and the worst level. */
/* @param[out] is_grid who is at worst: names go with their supply */
static struct mr_supply_odds ask_contract(const char *limit, double meter_w[2], bool *is_grid)
{
    char layout[256];
    struct mr_supply_options o = options();
    struct mr_supply_odds worst;
    struct mr_supply_reading reading;
    snprintf(layout, sizeof layout,
             "<layout name='s'><grid limit='%s'/><power redundancy='N'/><hall><row count='4'><rack "
             "card='gb200_nvl72' count='8'/></row></hall></layout>",
             limit);
    begin(layout, &o, 0, 0);
    for (int k = 0; k < 40; k++) {
        for (uint32_t i = 0; i < world.site->n_rack; i++)
            mr_supply_set_rack(world.supply, i, k % 2 == 0 ? 120e3 : 50e3);
        mr_supply_advance(world.supply, 60. * (k + 1));
        mr_supply_read(world.supply, &reading);
        meter_w[k % 2] = reading.grid_w;
    }
    assert_true(mr_supply_worst_odds(world.supply, &worst) > 0);
    *is_grid = strcmp(worst.name, "grid") == 0;
    worst.name = NULL;
    end();
    return worst;
}

/* What is asked of a contract that binds is what the meter shows where none does. */
MR_TEST(odds_of_the_contract)
{
    double free_w[2], held_w[2];
    bool is_grid;
    const struct mr_supply_odds none = ask_contract("9 MW", free_w, &is_grid);
    const struct mr_supply_odds worst = ask_contract("3 MW", held_w, &is_grid);
    assert_true(none.over_frac == 0 && none.limit_w < 9e6);
    assert_true(free_w[0] > 3.9e6 && held_w[0] < 3e6 && free_w[1] < 2e6);
    assert_true(is_grid);
    mr_assert_near(worst.limit_w, 3e6, 1e-12, 0);
    mr_assert_near(worst.mean_w, (free_w[0] + free_w[1]) / 2, 1e-3, 0);
    mr_assert_near(worst.deviation_w, (free_w[0] - free_w[1]) / 2, 1e-3, 0);
    mr_assert_near(worst.over_frac, 0.5, 1e-12, 0);
    mr_assert_near(worst.odds, 0.5 * erfc((3e6 - worst.mean_w) / worst.deviation_w / sqrt(2)), 1e-9,
                   0);
    assert_true(worst.most_w > 32 * 132e3 && worst.most_w < 1.15 * 32 * 132e3);
}

/* Trays bind before racks do. */
MR_TEST(a_tray_limit_holds_its_packages)
{
    struct mr_supply_options o = options();
    o.params.tray_limit_w = 4e3;
    begin(twin_feeds, &o, 4, 1200);
    const double most_w = 4e3 * 18;
    mr_assert_near(mr_supply_rack_cap_w(world.supply, 0), most_w, 1e-9, 0);
    assert_true(mr_supply_part_cap_w(world.supply, 0) <= 1000);
    for (uint32_t i = 0; i < world.site->n_rack; i++)
        mr_supply_set_rack(world.supply, i, 132e3);
    mr_supply_advance(world.supply, 30);
    assert_true(mr_supply_rack_w(world.supply, 5) <= most_w * (1 + 1e-9));
    no_node_is_over(1e-12);
    end();
}

/* Random limits of racks, trays and connection, random demands of packages and hosts, targets on
 * the way: no limit of any level is exceeded by caps, nor by racks that keep them. */
MR_TEST(random_limits_and_demands_under_lent_watts)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, 1, 2);
        struct mr_supply_options o = options();
        char layout[1024];
        o.params.govern.policy = MR_GOVERN_POLICY_MAXLPS;
        o.params.govern.lends_rest = seed % 2 == 0;
        o.params.tray_limit_w = seed % 3 == 0 ? 0 : mr_rng_range(&rng, 3e3, 8e3);
        snprintf(layout, sizeof layout,
                 "<layout name=\"s\"><grid limit=\"%.3f MW\"/><power redundancy=\"%s\"/>"
                 "<provision rack_power=\"%.1f kW\"/>" HALL HALL "</layout>",
                 mr_rng_range(&rng, 1.8, 3.4), seed % 2 == 0 ? "2N" : "N",
                 mr_rng_range(&rng, 70, 130));
        begin(layout, &o, seed % 4 == 0 ? 0 : 12, 1200);
        struct mr_supply *s = world.supply;
        for (int step = 1; step <= 60; step++) {
            for (uint32_t i = 0; i < world.site->n_rack; i++) {
                const double host_w = mr_rng_range(&rng, 5e3, 30e3);
                const double want_w = host_w + mr_rng_range(&rng, 10e3, 100e3);
                mr_supply_set_rack(s, i, want_w);
                if (world.n_part > 0)
                    mr_supply_set_fixed(s, i, host_w);
            }
            for (uint32_t p = 0; p < world.n_part; p++)
                mr_supply_set_part(s, p, mr_rng_range(&rng, 100, 1300));
            mr_supply_advance(s, 7. * step);
            no_node_is_over(1e-12);
            for (uint32_t p = 0; p < world.n_part; p++)
                assert_true(mr_supply_part_cap_w(s, p) <= 1200 * (1 + 1e-12));
        }
        assert_int_equal(world.n_over, 0);
        end();
    }
}

/* What racks on one power node may draw together, and do. */
static void no_panel_is_over(uint32_t feed, double *most)
{
    const struct mr_supply *s = world.supply;
    const struct mr_power_node *panel = &world.site->power[feed];
    const double rated_w = panel->rating_w * (double)(panel->n_unit - panel->n_spare);
    double cap_w = 0, draw_w = 0;
    for (uint32_t i = 0; i < world.site->n_rack; i++)
        if (world.site->rack[i].feed[0] == feed) {
            cap_w += mr_supply_rack_cap_w(s, i);
            draw_w += mr_supply_rack_w(s, i);
        }
    struct mr_chain_flow flow;
    mr_chain_read(mr_supply_chain(s), mr_supply_wire(s)->of_power[feed], mr_supply_now_s(s), &flow);
    const double slack = 1 + 1e-12;
    if (cap_w > rated_w * slack || draw_w > rated_w * slack || flow.out_w > rated_w * slack)
        fail_msg("%s: caps %.17g, drawn %.17g, carried %.17g of %.17g W", panel->name, cap_w,
                 draw_w, flow.out_w, rated_w);
    *most = fmax(*most, cap_w / rated_w);
}

/* Panels that racks may ask for more of than they have: random ratings, racks and demands, every
 * policy, one feed or two (then either carries both). The check lets them pass, no division ever
 * exceeds a panel, and it is the panel that binds. */
MR_TEST(random_oversubscribed_panels)
{
    for (uint64_t seed = 1; seed <= 24; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, 3, 4);
        struct mr_supply_options o = options();
        struct mr_diags diags = {0};
        struct mr_err err = {0};
        char layout[1024];
        o.params.govern.policy = (int)(seed % 3);
        o.params.govern.lends_rest = seed % 2 == 0;
        snprintf(layout, sizeof layout,
                 "<layout name=\"s\"><grid limit=\"%.3f MW\"/><power redundancy=\"%s\"><rpp "
                 "rating=\"%.1f kW\" units=\"%d\" spare=\"0\" count=\"%d\" "
                 "oversubscribe=\"9\"/></power>" HALL HALL "</layout>",
                 mr_rng_range(&rng, 3.6, 5), seed % 4 == 0 ? "2N" : "N",
                 mr_rng_range(&rng, 190, 250), 1 + (int)(seed % 2), seed % 5 == 0 ? 1 : 2);
        begin(layout, &o, seed % 6 == 0 ? 12 : 0, 1200);
        assert_int_equal(mr_check_site(world.site, &diags, &err), MR_OK);
        if (diags.n_error > 0)
            fail_msg("%s", diags.item[0].err.text);
        struct mr_supply *s = world.supply;
        double most = 0;
        for (int step = 1; step <= 40; step++) {
            for (uint32_t i = 0; i < world.site->n_rack; i++)
                mr_supply_set_rack(s, i, mr_rng_range(&rng, 20e3, 140e3));
            mr_supply_advance(s, 11. * step);
            no_node_is_over(1e-12);
            for (uint32_t k = 0; k < world.site->n_power; k++)
                if (world.site->power[k].kind == MR_SITE_POWER_RPP)
                    no_panel_is_over(k, &most);
        }
        assert_int_equal(world.n_over, 0);
        struct mr_supply_odds worst;
        assert_true(mr_supply_worst_odds(s, &worst) > 0);
        if (seed % 4 != 0 && seed % 2 == 0 && o.params.govern.policy != MR_GOVERN_POLICY_MAXQ) {
            if (!(most > 1 - 1e-9)) /* one unit a panel, one feed: it binds */
                fail_msg("seed %llu: caps reach %g of a panel", (unsigned long long)seed, most);
            assert_true(worst.over_frac > 0 && worst.odds > 0 && worst.most_w > worst.limit_w);
        }
        end();
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(random_oversubscribed_panels),
             MR_TEST_ENTRY(levels_from_the_site_to_packages),
             MR_TEST_ENTRY(without_packages_racks_are_leaves),
             MR_TEST_ENTRY(odds_of_the_worst_level), MR_TEST_ENTRY(odds_of_the_contract),
             MR_TEST_ENTRY(packages_lend_to_each_other),
             MR_TEST_ENTRY(a_tray_limit_holds_its_packages),
             MR_TEST_ENTRY(random_limits_and_demands_under_lent_watts))
