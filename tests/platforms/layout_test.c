/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts that are expanded: numbers worked out by hand from the rules of platforms/layout_build.h.
 * Mistakes are in layout_mistake_test.c. */
#include "platforms/layout.h"

#include "engine/base/mem.h"
#include "platforms/fabric.h"
#include "tests/platforms/layout_holds.h"
#include "tests/test.h"

#define LAYOUT(inside) "<layout name='a'>" inside "</layout>"
#define ROWS(n, card, m) \
    "<hall><row count='" #n "'><rack card='" card "' count='" #m "'/></row></hall>"

/* No mistakes, these warnings, and nothing broken. */
static struct mr_site *expand_warned(const char *text, size_t n_warning)
{
    struct mr_diags diags = {0};
    struct mr_site *site;
    char line[1024] = "";
    const mr_status st = mr_layout_load_text("a.xml", mr_str_of(text), &site, &diags);
    if (diags.n_item > 0)
        mr_diag_print(&diags.item[0], line, sizeof line);
    if (st != MR_OK || diags.n_warning != n_warning)
        fail_msg("%s\n  %s", text, line);
    const char *broken = layout_holds(site);
    if (broken != NULL)
        fail_msg("%s\n  %s", text, broken);
    return site;
}

static struct mr_site *expand(const char *text)
{
    return expand_warned(text, 0);
}

static void discard(struct mr_site *site)
{
    mr_site_destroy(site);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* The power node of a name; "" is none. */
static uint32_t power(const struct mr_site *site, const char *name)
{
    if (name[0] == '\0')
        return MR_SITE_NONE;
    for (uint32_t i = 0; i < site->n_power; i++)
        if (strcmp(site->power[i].name, name) == 0)
            return i;
    fail_msg("no power node \"%s\"", name);
    return MR_SITE_NONE;
}

static void expect_power(const struct mr_site *site, const char *name, const char *parent,
                         uint64_t n_unit, uint64_t n_spare, double rating_w)
{
    const struct mr_power_node *node = &site->power[power(site, name)];
    if (node->n_unit != n_unit || node->n_spare != n_spare || node->rating_w != rating_w ||
        node->parent[0] != power(site, parent))
        fail_msg("%s: %llu units, %llu spare, %g W, parent %u", name,
                 (unsigned long long)node->n_unit, (unsigned long long)node->n_spare,
                 node->rating_w, node->parent[0]);
}

static size_t n_power_of(const struct mr_site *site, int kind)
{
    size_t n = 0;
    for (size_t i = 0; i < site->n_power; i++)
        n += site->power[i].kind == kind;
    return n;
}

/* ---- the ten lines of layout.h ---- */

/* Overhead: chain 1 / (0.9965 x 0.9921 x 0.96 x 0.995) = 1.05896; cooling 0.037 + 0.0402; 1.13616
 * in all. 20 MW / (1.13616 x 96 racks) = 183.37 kW, down to 100 W: 183.3 kW. */
MR_TEST(ten_lines)
{
    struct mr_site *site = expand("<layout name=\"ten\">\n"
                                  " <grid limit=\"20 MW\"/>\n"
                                  " <provision policy=\"maxlps\"/>\n"
                                  " <hall>\n"
                                  "  <row count=\"8\">\n"
                                  "   <rack card=\"vr_nvl72\" count=\"12\"/>\n"
                                  "   <cdu units=\"2\"/>\n"
                                  "  </row>\n"
                                  " </hall>\n"
                                  "</layout>\n");
    assert_string_equal(site->name, "ten");
    assert_int_equal(site->n_hall, 1);
    assert_int_equal(site->n_row, 8);
    assert_int_equal(site->n_rack, 96);
    assert_int_equal(site->n_domain, 96);
    assert_int_equal(site->n_package, 6912);
    assert_int_equal(site->n_pod, 0);
    assert_int_equal(site->n_zone, 0); /* mr_fabric_build's */
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        assert_true(rack->limit_w == 183300 && rack->rated_w == 230000);
        mr_assert_near(rack->x_m, 0.6 * (double)(i % 12), 0, 1e-9);
        mr_assert_near(rack->y_m, 3.0 * (double)(i / 12), 0, 1e-9);
        assert_int_equal(rack->cdu, i / 12);
        assert_int_equal(rack->domain, i);
    }
    assert_string_equal(site->rack[95].name, "H0.R7.K11");
    assert_int_equal(site->rack[95].at.line, 6);
    assert_int_equal(site->rack[95].at.col, 4);
    /* 12 x 183.3 kW = 2.2 MW on two of 2 MW; 12 x 350 L/min on two */
    assert_int_equal(site->n_cdu, 8);
    assert_int_equal(site->cdu[7].n_unit, 2);
    assert_int_equal(site->cdu[7].n_spare, 0);
    mr_assert_near(site->cdu[7].flow_m3_s, 0.035, 1e-12, 0);
    assert_string_equal(site->cdu[7].card, "deschutes");
    assert_true(site->cdu[7].supply_c == 45);
    /* 42 degC is 7 K above the dry bulb: dry coolers at their capacity; 17.6 MW x 1.037 on 2.931 MW
     * each: 6.2, so seven and one spare */
    assert_int_equal(site->n_loop, 1);
    assert_true(site->loop[0].supply_c == 42);
    assert_int_equal(site->n_rejector, 1);
    assert_int_equal(site->rejector[0].kind, MR_SITE_REJECT_DRY_COOLER);
    assert_int_equal(site->rejector[0].n_unit, 8);
    assert_int_equal(site->rejector[0].n_spare, 1);
    /* units filled to 90 %: 20.0 MW at the meter on 63 MW; 17.6 MW in the hall; 2.2 MW in a row,
     * more than four panels carry */
    assert_int_equal(site->n_power, 4 + 8);
    expect_power(site, "S.sub0", "", 2, 1, 63e6);
    expect_power(site, "H0.mvA", "S.sub0", 1, 0, 20e6);
    expect_power(site, "H0.unitA", "H0.mvA", 9, 1, 2.5e6);
    expect_power(site, "H0.upsA", "H0.unitA", 11, 1, 2e6);
    expect_power(site, "H0.R7.busA", "H0.upsA", 1, 0, 2.5e6);
    assert_int_equal(site->rack[95].feed[0], power(site, "H0.R7.busA"));
    assert_int_equal(site->rack[95].feed[1], MR_SITE_NONE);
    discard(site);
}

/* ---- power ---- */

/* Grants by policy, a rack's own limit first; lpx: 115 kW; gb200: 132 kW, Max-Q 90 kW. */
MR_TEST(grants)
{
    static const struct {
        const char *provision;
        double own_w, lpx_w, gb200_w;
    } cases[] = {
        {"", 50e3, 115e3, 132e3},
        {"<provision policy='max_p'/>", 50e3, 115e3, 132e3},
        {"<provision policy='max_q'/>", 50e3, 115e3, 90e3}, /* lpx has no Max-Q */
        {"<provision rack_power='120 kW'/>", 50e3, 115e3, 120e3},
        {"<provision policy='maxlps' rack_power='60 kW'/>", 50e3, 60e3, 60e3},
        /* 247 kW of 250 - 50 kW: 0.8097; grants down to 100 W */
        {"<grid limit='250 kW'/><provision policy='maxlps' overhead='1'/>", 50e3, 93100, 106800},
        {"<grid limit='9 MW'/><provision policy='maxlps'/>", 50e3, 115e3, 132e3}, /* no more */
        /* the same, with half of it lost on the way */
        {"<grid limit='500 kW'/><provision policy='maxlps' overhead='2'/>", 50e3, 93100, 106800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 LAYOUT("%s<hall><row><rack card='vr_nvl72' limit='50 kW'/><rack card='lpx'/>"
                        "<rack card='gb200_nvl72'/></row></hall>"),
                 cases[i].provision);
        struct mr_site *site = expand(text);
        if (site->rack[0].limit_w != cases[i].own_w || site->rack[1].limit_w != cases[i].lpx_w ||
            site->rack[2].limit_w != cases[i].gb200_w)
            fail_msg("%s: %g, %g and %g W", cases[i].provision, site->rack[0].limit_w,
                     site->rack[1].limit_w, site->rack[2].limit_w);
        discard(site);
    }
}

/* Six rows of 2.3 MW. Units of 2.5 MW, filled to 90 %: 2.25 MW each.
 *  N, N+1, 2N     13.8 MW: seven, one spare more, seven on both systems
 *  4N/3           rows on AB, CD, AC, BD, AD, BC: a system has three halves, 3.45 MW; when another
 * is lost one of them becomes a whole row: 4.6 MW, three block          A-C carry two rows
 * each, 4.6 MW, R the two of any one: three */
MR_TEST(redundancies)
{
    static const struct {
        const char *word;
        size_t n_system;
        const char *letters;
        uint64_t n_unit, n_spare;
        const char *feed[6]; /* systems of every row */
    } cases[] = {
        {"N", 1, "A", 7, 0, {"A", "A", "A", "A", "A", "A"}},
        {"N+1", 1, "A", 8, 1, {"A", "A", "A", "A", "A", "A"}},
        {"2N", 2, "AB", 7, 0, {"AB", "AB", "AB", "AB", "AB", "AB"}},
        {"4N/3", 4, "ABCD", 3, 0, {"AB", "CD", "AC", "BD", "AD", "BC"}},
        {"block", 4, "ABCR", 3, 0, {"AR", "BR", "CR", "AR", "BR", "CR"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], name[64];
        snprintf(text, sizeof text, LAYOUT("<power redundancy='%s'/>" ROWS(6, "vr_nvl72", 10)),
                 cases[i].word);
        struct mr_site *site = expand(text);
        assert_int_equal(n_power_of(site, MR_SITE_POWER_UNIT), cases[i].n_system);
        for (size_t s = 0; s < cases[i].n_system; s++) {
            char mv[64];
            snprintf(name, sizeof name, "H0.unit%c", cases[i].letters[s]);
            snprintf(mv, sizeof mv, "H0.mv%c", cases[i].letters[s]);
            expect_power(site, name, mv, cases[i].n_unit, cases[i].n_spare, 2.5e6);
        }
        for (size_t r = 0; r < site->n_row; r++) {
            const struct mr_rack *rack = &site->rack[site->row[r].first_rack];
            const char *feed = cases[i].feed[r];
            assert_int_equal(rack->feed[1] != MR_SITE_NONE, feed[1] != '\0');
            for (size_t f = 0; feed[f] != '\0'; f++) {
                snprintf(name, sizeof name, "H0.ups%c", feed[f]);
                assert_int_equal(site->power[rack->feed[f]].parent[0], power(site, name));
            }
        }
        discard(site);
    }
}

/* Two rows of four 600 kW racks with an 800 V bus, no reserve: 4.8 MW, 2.4 MW a row. A sidecar of
 * four racks has five units of 660 kW, filled to 90 %. */
MR_TEST(chains)
{
    static const struct {
        const char *attributes;
        uint8_t n[MR_SITE_N_POWER_KIND]; /* nodes */
        int feed;
    } cases[] = {
        {"chain='ac415'",
         {[MR_SITE_POWER_SUBSTATION] = 1,
          [MR_SITE_POWER_MV] = 1,
          [MR_SITE_POWER_UNIT] = 1,
          [MR_SITE_POWER_UPS] = 1,
          [MR_SITE_POWER_BUSWAY] = 2,
          [MR_SITE_POWER_SIDECAR] = 2},
         MR_SITE_POWER_SIDECAR},
        {"chain='ac415' ups='eco'",
         {[MR_SITE_POWER_SUBSTATION] = 1,
          [MR_SITE_POWER_MV] = 1,
          [MR_SITE_POWER_UNIT] = 1,
          [MR_SITE_POWER_UPS_ECO] = 1,
          [MR_SITE_POWER_BUSWAY] = 2,
          [MR_SITE_POWER_SIDECAR] = 2},
         MR_SITE_POWER_SIDECAR},
        {"chain='dc800'",
         {[MR_SITE_POWER_SUBSTATION] = 1,
          [MR_SITE_POWER_MV] = 1,
          [MR_SITE_POWER_UNIT] = 1,
          [MR_SITE_POWER_BUSWAY] = 2,
          [MR_SITE_POWER_SIDECAR] = 2},
         MR_SITE_POWER_SIDECAR},
        {"chain='dc800' ups='double'",
         {[MR_SITE_POWER_SUBSTATION] = 1,
          [MR_SITE_POWER_MV] = 1,
          [MR_SITE_POWER_UNIT] = 1,
          [MR_SITE_POWER_UPS] = 1,
          [MR_SITE_POWER_BUSWAY] = 2,
          [MR_SITE_POWER_SIDECAR] = 2},
         MR_SITE_POWER_SIDECAR},
        {"chain='rectifier'",
         {[MR_SITE_POWER_SUBSTATION] = 1, [MR_SITE_POWER_MV] = 1, [MR_SITE_POWER_RECTIFIER] = 2},
         MR_SITE_POWER_RECTIFIER},
        {"chain='sst'",
         {[MR_SITE_POWER_SUBSTATION] = 1, [MR_SITE_POWER_MV] = 1, [MR_SITE_POWER_SST] = 2},
         MR_SITE_POWER_SST},
        {"chain='none'", {0}, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 LAYOUT("<grid limit='6 MW' voltage='110 kV'/><power redundancy='N' %s/>" ROWS(
                     2, "vr_nvl144_kyber", 4)),
                 cases[i].attributes);
        struct mr_site *site = expand(text);
        for (int kind = 0; kind < MR_SITE_N_POWER_KIND; kind++)
            if (n_power_of(site, kind) != cases[i].n[kind])
                fail_msg("%s: %zu %s", cases[i].attributes, n_power_of(site, kind),
                         mr_site_power_kind_name(kind));
        const uint32_t feed = site->rack[7].feed[0];
        if (cases[i].feed < 0) {
            assert_int_equal(feed, MR_SITE_NONE);
        } else {
            assert_int_equal(site->power[feed].kind, cases[i].feed);
            assert_int_equal(site->power[feed].n_unit,
                             cases[i].feed == MR_SITE_POWER_SIDECAR ? 5 : 2);
            assert_true(site->power[feed].voltage_v == 800);
        }
        discard(site);
    }
}

/* What stands between grid and medium voltage follows the grid's voltage. */
MR_TEST(substations)
{
    static const struct {
        const char *voltage;
        size_t n;
    } cases[] = {{"20 kV", 0}, {"36 kV", 0}, {"110 kV", 1}, {"220 kV", 2}, {"400 kV", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text, LAYOUT("<grid voltage='%s'/>" ROWS(1, "lpx", 1)),
                 cases[i].voltage);
        struct mr_site *site = expand(text);
        assert_int_equal(n_power_of(site, MR_SITE_POWER_SUBSTATION), cases[i].n);
        if (cases[i].n == 2)
            expect_power(site, "S.sub0", "S.hv0", 2, 1, 10e6);
        discard(site);
    }
}

/* Nobody hangs a small site on high voltage, unless he says so. */
MR_TEST(small_sites_are_on_medium_voltage)
{
    static const struct {
        const char *inside;
        double voltage_v;
    } cases[] = {
        {"<grid limit='10 MW'/>", 20e3},
        {"<grid limit='10.1 MW'/>", 110e3},
        {"<grid/>", 20e3},
        {"<grid limit='1 MW'/><power mv_voltage='11 kV'/>", 11e3},
        {"<grid limit='1 MW' voltage='110 kV'/>", 110e3},
        {"<grid limit='1 MW'/><power><substation/></power>", 110e3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text, LAYOUT("%s" ROWS(1, "lpx", 4)), cases[i].inside);
        struct mr_site *site = expand(text);
        assert_true(site->grid.voltage_v == cases[i].voltage_v);
        assert_int_equal(n_power_of(site, MR_SITE_POWER_SUBSTATION), cases[i].voltage_v > 36e3);
        discard(site);
    }
    struct mr_site *site = expand(LAYOUT("<grid/>" ROWS(8, "vr_nvl72", 6))); /* 11 MW of racks */
    assert_true(site->grid.voltage_v == 110e3);
    discard(site);
}

/* One unit that works carries what there is, and of the sizes that can the smallest is taken: units
 * of a hall with its cooling. What is larger is made of the standard size. */
MR_TEST(units_fit_what_they_carry)
{
    static const struct {
        const char *inside;
        uint64_t n_unit, n_spare, n_ups, n_ups_spare;
        double unit_w, ups_w;
    } cases[] = {
        {"<power/>" ROWS(1, "vr_nvl72", 1), 2, 1, 2, 1, 400e3, 300e3}, /* 230 kW */
        {"<power redundancy='N'/>" ROWS(1, "vr_nvl72", 4), 1, 0, 1, 0, 1.25e6, 1.2e6},
        {"<power/>" ROWS(2, "vr_nvl72", 4), 2, 1, 3, 1, 2.5e6, 2e6}, /* 1.84 MW */
        {"<power fill='50 %'/>" ROWS(1, "vr_nvl72", 1), 2, 1, 2, 1, 630e3, 500e3},
        {"<power><ups units='3'/><unit units='3' spare='0'/></power>" ROWS(1, "vr_nvl72", 4), 3, 0,
         3, 1, 400e3, 600e3},
        {"<power><ups rating='750 kW'/><unit count='2'/></power>" ROWS(1, "vr_nvl72", 4), 2, 1, 3,
         1, 630e3, 750e3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text, LAYOUT("<grid/>%s"), cases[i].inside);
        struct mr_site *site = expand(text);
        const struct mr_power_node *mv = &site->power[power(site, "H0.mvA")];
        const uint32_t unit = power(site, "H0.mvA") + 1;
        expect_power(site, site->power[unit].name, "H0.mvA", cases[i].n_unit, cases[i].n_spare,
                     cases[i].unit_w);
        expect_power(site, "H0.upsA", site->power[unit].name, cases[i].n_ups, cases[i].n_ups_spare,
                     cases[i].ups_w);
        assert_true(mv->rating_w == 20e6);
        discard(site);
    }
}

/* 920 kW in one row. Sources hang on the last stage of where they are written, storage of a hall
 * behind its first. The bess: a quarter of the load, filled to 0.9, is 256 kW: a unit of 500, for
 * two hours; three sets share 920 / 0.9 kW: 400 each; the bbu: the load for 240 s. */
MR_TEST(sources_and_storage)
{
    struct mr_site *site = expand(LAYOUT(
        "<grid voltage='110 kV'/><provision overhead='1'/><power redundancy='N'><bess/><bbu/>"
        "<generator name='g' units='3'/><solar rating='1 MW'/>"
        "<bess name='h' per='hall' rating='1 MW' energy='5 MWh'/></power>" ROWS(1, "vr_nvl72", 4)));
    expect_power(site, "S.bess0", "S.sub0", 1, 0, 500e3);
    expect_power(site, "S.g", "S.sub0", 3, 0, 400e3);
    expect_power(site, "S.pv0", "S.sub0", 1, 0, 1e6);
    expect_power(site, "H0.h", "H0.mvA", 1, 0, 1e6);
    expect_power(site, "H0.R0.rppA", "H0.upsA", 4, 0, 500e3); /* one rack on each panel */
    expect_power(site, "H0.R0.bbu0", "H0.R0.rppA", 1, 0, 920e3);
    assert_true(site->power[power(site, "S.bess0")].energy_j == 500e3 * 7200);
    assert_true(site->power[power(site, "S.pv0")].energy_j == 0);
    assert_true(site->power[power(site, "H0.h")].energy_j == 5e6 * 3600);
    assert_true(site->power[power(site, "H0.R0.bbu0")].energy_j == 920e3 * 240);
    discard(site);
}

/* Generators carry the site: one that works and one spare, or the written number of them. Batteries
 * carry a quarter of it, all their units together. What is larger is made of the standard size. */
MR_TEST(sources_fit_what_they_carry)
{
    static const struct {
        const char *inside;
        uint64_t n_gen, n_gen_spare, n_bess;
        double gen_w, bess_w;
    } cases[] = {
        {"<generator/><bess/></power>" ROWS(1, "vr_nvl72", 1), 2, 1, 1, 300e3, 100e3},
        {"<generator/><bess/></power>" ROWS(1, "vr_nvl72", 4), 2, 1, 1, 1.25e6, 500e3},
        {"<generator/><bess/></power>" ROWS(3, "vr_nvl72", 4), 3, 1, 1, 2.5e6, 1e6}, /* 2.76 MW */
        {"<generator/><bess/></power>" ROWS(8, "vr_nvl72", 6), 6, 1, 2, 2.5e6, 2.5e6},
        {"<generator units='3'/><bess units='4'/></power>" ROWS(1, "vr_nvl72", 4), 3, 1, 4, 600e3,
         100e3},
        {"<generator rating='1.1 MW'/><bess rating='2 MW'/></power>" ROWS(1, "vr_nvl72", 4), 2, 1,
         1, 1.1e6, 2e6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text, LAYOUT("<grid/><provision overhead='1'/><power>%s"),
                 cases[i].inside);
        struct mr_site *site = expand(text);
        const struct mr_power_node *gen = &site->power[power(site, "S.gen0")];
        const struct mr_power_node *bess = &site->power[power(site, "S.bess0")];
        assert_int_equal(gen->n_unit, cases[i].n_gen);
        assert_int_equal(gen->n_spare, cases[i].n_gen_spare);
        assert_true(gen->rating_w == cases[i].gen_w && bess->rating_w == cases[i].bess_w);
        assert_int_equal(bess->n_unit, cases[i].n_bess);
        assert_int_equal(bess->n_spare, 0);
        assert_true(bess->energy_j == cases[i].bess_w * (double)cases[i].n_bess * 7200);
        discard(site);
    }
}

/* 920 kW of racks on panels of 500 kW: two racks on one, where their limits may add up to more.
 * Units that are given never become spare for it. */
MR_TEST(oversubscribed_panels)
{
    static const struct {
        const char *panel;
        uint64_t n;
    } cases[] = {{"<rpp oversubscribe='1.1'/>", 2},
                 {"<rpp oversubscribe='1.02'/>", 4}, /* 459 kW by design: no two racks of 230 kW */
                 {"<rpp oversubscribe='2.1'/>", 1},
                 {"<rpp oversubscribe='2.1' units='2'/>", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 LAYOUT("<grid/><provision overhead='1'/><power redundancy='N'>%s</power>" ROWS(
                     1, "vr_nvl72", 4)),
                 cases[i].panel);
        struct mr_site *site = expand(text);
        expect_power(site, "H0.R0.rppA", "H0.upsA", cases[i].n, 0, 500e3);
        discard(site);
    }
}

/* An island hangs on what is written for it. */
MR_TEST(islands)
{
    static const char *const grids[] = {"", "<grid interconnect='island'/>"};
    for (size_t i = 0; i < 2; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 LAYOUT("%s<power redundancy='N'><turbine/><bess/></power>" ROWS(1, "lpx", 2)),
                 grids[i]);
        struct mr_site *site = expand(text);
        expect_power(site, "S.gt0", "", 1, 0, 34e6);
        expect_power(site, "S.bess0", "", 1, 0, 100e3); /* a quarter of 230 kW */
        expect_power(site, "H0.mvA", "S.gt0", 1, 0, 20e6);
        assert_int_equal(site->power[power(site, "H0.mvA")].parent[1], power(site, "S.bess0"));
        assert_int_equal(n_power_of(site, MR_SITE_POWER_SUBSTATION), 0);
        discard(site);
    }
}

/* One feed written of two: it is the first of what hangs on it. A name twice is one parent, and
 * with four systems a named node of side B stands in three of them. */
MR_TEST(one_sided_nodes)
{
    struct mr_site *site = expand(LAYOUT("<power chain='none' redundancy='2N'>"
                                         "<ups name='u' side='B'/></power>" ROWS(1, "lpx", 2)));
    assert_int_equal(site->n_power, 1);
    assert_string_equal(site->power[0].name, "H0.u");
    assert_int_equal(site->rack[1].feed[0], 0);
    assert_int_equal(site->rack[1].feed[1], MR_SITE_NONE);
    discard(site);
    site = expand(LAYOUT(
        "<power redundancy='N'><unit name='u'/><ups parent='u u'/></power>" ROWS(1, "lpx", 2)));
    expect_power(site, "H0.upsA", "H0.u", 1, 0, 300e3);
    discard(site);
    site = expand(LAYOUT("<power redundancy='4N/3'><ups name='a' side='A'/><ups name='b' side='B'/>"
                         "</power>" ROWS(6, "lpx", 2)));
    assert_int_equal(n_power_of(site, MR_SITE_POWER_UPS), 4);
    expect_power(site, "H0.a", "H0.unitA", 1, 0, 600e3);
    expect_power(site, "H0.bD", "H0.unitD", 1, 0, 600e3);
    discard(site);
}

/* ---- overrides ---- */

MR_TEST(halls_refine_the_layout)
{
    struct mr_site *site = expand(LAYOUT(
        "<cooling supply='40 degC' cdu='xdu1350' redundancy='N'><reject kind='tower'/></cooling>"
        "<power redundancy='2N'><ups rating='1 MW'/></power>"
        "<hall><row><rack card='lpx' count='2'/></row></hall>"
        "<hall name='B'><power redundancy='N'><lv/></power>"
        "<cooling supply='35 degC' redundancy='2N'/>"
        "<row><rack card='lpx' count='2'/></row>"
        "<row><rack card='lpx'/><cdu card='inrow_1300' supply='33 degC' capacity='100 kW'/></row>"
        "</hall>"));
    expect_power(site, "H0.upsB", "H0.unitB", 1, 0, 1e6);
    expect_power(site, "B.upsA", "B.unitA", 1, 0, 1e6);
    expect_power(site, "B.lvA", "B.upsA", 1, 0, 2.5e6);
    assert_int_equal(n_power_of(site, MR_SITE_POWER_UPS), 3);
    assert_int_equal(n_power_of(site, MR_SITE_POWER_LV), 1);
    assert_int_equal(site->n_cdu, 3);
    static const struct {
        const char *card;
        double supply_c;
        uint64_t n_unit;
    } cdus[] = {{"xdu1350", 40, 1}, {"xdu1350", 35, 2}, {"inrow_1300", 33, 4}};
    for (size_t i = 0; i < site->n_cdu; i++) {
        assert_string_equal(site->cdu[i].card, cdus[i].card);
        assert_true(site->cdu[i].supply_c == cdus[i].supply_c);
        assert_int_equal(site->cdu[i].n_unit, cdus[i].n_unit);
    }
    /* the coldest CDU's supply less its approach of 4 K */
    assert_true(site->loop[0].supply_c == 36 && site->loop[1].supply_c == 29);
    for (size_t i = 0; i < site->n_rejector; i++)
        assert_int_equal(site->rejector[i].kind, MR_SITE_REJECT_TOWER);
    assert_int_equal(site->rejector[0].n_spare, 0);
    assert_int_equal(site->rejector[1].n_spare, 1);
    discard(site);
}

MR_TEST(racks_refine_their_card)
{
    struct mr_site *site = expand(
        LAYOUT("<pod name='red'/><pod name='unused'/>"
               "<hall row_pitch='5 m'><row><rack card='lpx'/></row>"
               "<row pod='red'><rack card='lpx' gap='1 m'/>"
               "<rack card='lpx' rated='100 kW' max_q='80 kW' flow='60 L/min' mass='1000 kg' "
               "liquid='50 %' inlet='40 degC' width='0.8 m' gap='2 m' count='2' name='k'/>"
               "</row></hall>"));
    const struct mr_rack *rack = &site->rack[3];
    assert_string_equal(rack->name, "H0.R1.k1");
    assert_true(rack->rated_w == 100e3 && rack->limit_w == 100e3 && rack->max_q_w == 80e3);
    assert_true(rack->mass_kg == 1000 && rack->liquid_frac == 0.5 && rack->inlet_max_c == 40);
    mr_assert_near(rack->flow_m3_s, 1e-3, 1e-12, 0);
    mr_assert_near(rack->x_m, 1 + 0.6 + 2 + 0.8, 0, 1e-9);
    mr_assert_near(rack->y_m, 5, 0, 1e-9);
    assert_int_equal(rack->pod, 0);
    assert_int_equal(site->rack[0].pod, MR_SITE_NONE);
    assert_int_equal(site->pod[0].n_rack, 3);
    assert_int_equal(site->pod[1].n_rack, 0);
    assert_int_equal(site->n_loop, 2); /* half of the heat is the room's */
    assert_true(site->cdu[1].supply_c == 40);
    discard(site);
}

/* Racks of eight nodes, NVL576 with and without whole groups, and written groups. */
MR_TEST(domains)
{
    static const struct {
        const char *row;
        size_t n_domain;
        uint64_t n_package[2]; /* of the first and the last */
        bool is_optical;       /* the first */
        size_t n_warning;      /* racks that make no whole domain */
    } cases[] = {
        {"<rack card='hgx_h100_rack' count='2'/>", 8, {8, 8}, false, 0},
        {"<rack card='vr_nvl576_oberon' count='16'/>", 2, {576, 576}, true, 0},
        {"<rack card='vr_nvl576_oberon' count='9'/>", 2, {576, 72}, true, 1},
        {"<rack card='vr_nvl576_oberon' count='7'/>", 7, {72, 72}, true, 1},
        {"<rack card='vr_nvl576_oberon' count='4'/><rack card='spx'/>"
         "<rack card='vr_nvl576_oberon' count='4'/>",
         8,
         {72, 72},
         true,
         2}, /* not neighbors */
        {"<rack card='vr_nvl576_oberon' count='4'/><rack card='spx'/>"
         "<rack card='vr_nvl576_oberon' count='4'/><domain/>",
         1,
         {576, 576},
         true,
         0}, /* but said to be */
        {"<rack card='vr_nvl576_oberon' count='8'/><domain racks='4'/>", 2, {288, 288}, true, 0},
        {"<rack card='vr_nvl72' count='4'/><rack card='lpx'/>"
         "<domain racks='2' card='vr_nvl72' optical='no'/>",
         3,
         {144, 256},
         false,
         0},
        {"<rack card='hgx_h100_rack' count='2'/><domain racks='2'/>", 1, {64, 64}, true, 0},
        {"<rack card='spx'/><rack card='space1_module'/>", 1, {8, 8}, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text, LAYOUT("<hall><row>%s</row></hall>"), cases[i].row);
        struct mr_site *site = expand_warned(text, cases[i].n_warning);
        const struct mr_domain *first = &site->domain[0], *last = &site->domain[site->n_domain - 1];
        if (site->n_domain != cases[i].n_domain || first->n_package != cases[i].n_package[0] ||
            last->n_package != cases[i].n_package[1] || first->is_optical != cases[i].is_optical)
            fail_msg("%s: %zu domains, %llu to %llu packages", cases[i].row, site->n_domain,
                     (unsigned long long)first->n_package, (unsigned long long)last->n_package);
        discard(site);
    }
    struct mr_site *site = expand(LAYOUT("<hall><row><rack card='vr_nvl72' count='2'/>"
                                         "<domain racks='2' bandwidth='900 GB/s' latency='2 us'/>"
                                         "</row></hall>"));
    assert_true(site->domain[0].bandwidth_bytes_s == 900e9);
    mr_assert_near(site->domain[0].latency_s, 2e-6, 1e-12, 0);
    discard(site);
}

/* A named switch brings its latency, 300 ns, unless the layout has its own; the rest is default. */
MR_TEST(fabrics_refine_their_cards)
{
    struct mr_site *site = expand(LAYOUT(
        "<fabric kind='infiniband' leaf='quantum_q3450' spine='quantum_q3450' spine_latency='1 us' "
        "rails='4'/>" ROWS(1, "lpx", 1)));
    assert_non_null(site->fabric);
    mr_assert_near(site->fabric->leaf_latency_s, 300e-9, 1e-12, 0);
    mr_assert_near(site->fabric->spine_latency_s, 1e-6, 1e-12, 0);
    mr_assert_near(site->fabric->core_latency_s, 600e-9, 1e-12, 0);
    assert_int_equal(site->fabric->n_rail, 4);
    assert_null(site->fabric->core);
    discard(site);
    site = expand(LAYOUT(ROWS(1, "lpx", 1)));
    assert_null(site->fabric);
    discard(site);
}

/* ---- memory ---- */

static mr_status load_once(void *context, struct mr_err *err)
{
    struct mr_diags diags = {0};
    struct mr_site *site;
    (void)err;
    const mr_status st = mr_layout_load_text("a.xml", mr_str_of(context), &site, &diags);
    assert_int_equal(st == MR_OK, site != NULL);
    assert_int_equal(diags.n_error == 0, st == MR_OK);
    assert_int_equal(diags.first_error, st);
    mr_site_destroy(site);
    return st;
}

MR_TEST(every_failing_allocation)
{
    static char text[] = LAYOUT(
        "<power redundancy='2N'><bess name='b'/></power><cooling><reject kind='tower'/></cooling>"
        "<fabric leaf='spectrum6_sn6810'/><hall><pod><row><rack card='gb200_nvl72' count='2'/>"
        "<domain racks='2'/></row></pod></hall>");
    mr_test_every_nomem(load_once, text);
}

/* A row of the second pair hangs on the systems C and D, and the hall's fourth system on the second
 * of the site. */
MR_TEST(written_parents_of_many_systems)
{
    struct mr_site *site =
        expand(LAYOUT("<grid limit='9 MW'/><power redundancy='4N/3'><ups name='u'/><busway "
                      "parent='u'/></power>" ROWS(2, "gb200_nvl72", 4)));
    const uint32_t last = site->row[1].first_rack;
    assert_int_equal(site->power[site->rack[last].feed[0]].parent[0], power(site, "H0.uC"));
    assert_int_equal(site->power[site->rack[last].feed[1]].parent[0], power(site, "H0.uD"));
    discard(site);
    site = expand(LAYOUT("<grid limit='9 MW'/><power redundancy='2N'><substation name='s'/>"
                         "<mv parent='s'/></power><hall><power redundancy='4N/3'/>"
                         "<row><rack card='gb200_nvl72'/></row></hall>"));
    assert_int_equal(site->power[power(site, "H0.mvB")].parent[0], power(site, "S.sB"));
    discard(site);
}

/* Air handlers stand on the air loop without being told. */
MR_TEST(air_handlers_are_of_the_air_loop)
{
    struct mr_site *site =
        expand(LAYOUT("<grid limit='9 MW'/><cooling><reject kind='crah' units='9'/></cooling>" ROWS(
            1, "hgx_h100_rack", 4)));
    uint64_t n = 0;
    for (size_t i = 0; i < site->n_rejector; i++)
        if (site->rejector[i].kind == MR_SITE_REJECT_CRAH)
            n += site->rejector[i].n_unit;
    assert_int_equal(n, 9);
    discard(site);
}

MR_TEST_MAIN(MR_TEST_ENTRY(written_parents_of_many_systems),
             MR_TEST_ENTRY(air_handlers_are_of_the_air_loop), MR_TEST_ENTRY(ten_lines),
             MR_TEST_ENTRY(grants), MR_TEST_ENTRY(redundancies), MR_TEST_ENTRY(chains),
             MR_TEST_ENTRY(substations), MR_TEST_ENTRY(small_sites_are_on_medium_voltage),
             MR_TEST_ENTRY(units_fit_what_they_carry), MR_TEST_ENTRY(oversubscribed_panels),
             MR_TEST_ENTRY(sources_and_storage), MR_TEST_ENTRY(sources_fit_what_they_carry),
             MR_TEST_ENTRY(islands), MR_TEST_ENTRY(one_sided_nodes),
             MR_TEST_ENTRY(halls_refine_the_layout), MR_TEST_ENTRY(racks_refine_their_card),
             MR_TEST_ENTRY(domains), MR_TEST_ENTRY(fabrics_refine_their_cards),
             MR_TEST_ENTRY(every_failing_allocation))
