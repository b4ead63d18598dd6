/* SPDX-License-Identifier: Apache-2.0 */
/* Random layouts that have no mistakes: each gives a site whose invariants hold, and that site
 * comes back the same from the platform file it becomes. Every layout follows from its seed alone,
 * which a failure prints together with the text. Kept small (at most some sixty racks), because
 * what goes wrong goes wrong between elements and not in numbers. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "platforms/check.h"
#include "platforms/emit.h"
#include "platforms/fabric.h"
#include "platforms/layout.h"
#include "platforms/read.h"
#include "tests/platforms/layout_holds.h"
#include "tests/test.h"

/* ---- drawing ---- */

struct draft {
    struct mr_rng rng;
    struct mr_buf text;
    unsigned n_name;
    bool has_limit, has_pods;
    bool chain_is_dc, node_is_dc; /* here: every rack must take direct current */
};

static unsigned below(struct draft *d, unsigned n)
{
    return (unsigned)mr_rng_below(&d->rng, n);
}

static unsigned between(struct draft *d, unsigned low, unsigned high)
{
    return low + below(d, high - low + 1);
}

static bool maybe(struct draft *d, unsigned percent)
{
    return below(d, 100) < percent;
}

#define ONE_OF(d, ...)                                                                           \
    ((const char *const[]){__VA_ARGS__})[below((d), sizeof((const char *const[]){__VA_ARGS__}) / \
                                                        sizeof(const char *))]

/* ` KEY="VALUE"` in `percent` of the cases */
static void attribute(struct draft *d, unsigned percent, const char *key, const char *value)
{
    if (maybe(d, percent))
        mr_buf_printf(&d->text, " %s=\"%s\"", key, value);
}

static void number(struct draft *d, unsigned percent, const char *key, const char *unit,
                   unsigned low, unsigned high)
{
    const unsigned value = between(d, low, high);
    if (maybe(d, percent))
        mr_buf_printf(&d->text, " %s=\"%u%s%s\"", key, value, unit[0] != '\0' ? " " : "", unit);
}

/* A name no other element has; it ends in "_", so that numbered ones cannot meet either. */
static void name(struct draft *d, unsigned percent)
{
    const unsigned i = d->n_name++;
    if (maybe(d, percent))
        mr_buf_printf(&d->text, " name=\"%s%u_\"", ONE_OF(d, "q", "Zoe-", "_", "7"), i);
}

static void units(struct draft *d, unsigned percent)
{
    if (!maybe(d, percent))
        return;
    const unsigned n = between(d, 1, 6);
    mr_buf_printf(&d->text, " units=\"%u\"", n);
    if (maybe(d, 40))
        mr_buf_printf(&d->text, " spare=\"%u\"", below(d, n));
}

/* ---- racks ---- */

struct card {
    const char *id;
    bool has_liquid, is_dc, has_packages;
};

static const struct card cards[] = {
    {"vr_nvl72", true, true, true},
    {"gb200_nvl72", true, true, true},
    {"gb300_nvl72", true, true, true},
    {"vr_nvl144_kyber", true, true, true},
    {"feynman_kyber", true, true, true},
    {"vr_nvl576_oberon", true, true, true},
    {"lpx", true, true, true},
    {"spx", true, true, false},
    {"vera_256", true, true, false},
    {"space1_module", true, true, true},
    {"hgx_h100_rack", false, false, true},
    {"dgx_b200_rack", false, false, true},
};

static const struct card *draw_card(struct draft *d)
{
    const struct card *card;
    do
        card = &cards[below(d, sizeof cards / sizeof *cards)];
    while ((d->chain_is_dc || d->node_is_dc) && !card->is_dc);
    return card;
}

/* @return racks that need liquid */
static unsigned draw_rack(struct draft *d, const struct card *card, unsigned n)
{
    bool has_liquid = card->has_liquid;
    mr_buf_printf(&d->text, "   <rack card=\"%s\"", card->id);
    if (n > 1 || maybe(d, 30))
        mr_buf_printf(&d->text, " count=\"%u\"", n);
    name(d, 20);
    number(d, 10, "limit", "kW", 1, 20);
    number(d, 10, "rated", "kW", 30, 400);
    number(d, 10, "max_q", "kW", 20, 300);
    number(d, 5, "flow", "L/min", 10, 500);
    number(d, 5, "inlet", "degC", 30, 60);
    number(d, 5, "mass", "kg", 500, 2500);
    number(d, 5, "width", "mm", 400, 1200);
    number(d, 10, "gap", "m", 0, 4);
    if (maybe(d, 10)) {
        const unsigned share = maybe(d, 40) ? 0 : below(d, 101);
        mr_buf_printf(&d->text, " liquid=\"%u %%\"", share);
        has_liquid = share > 0;
    }
    mr_buf_text(&d->text, "/>\n");
    return has_liquid ? n : 0;
}

/* @param[in] n_rack racks the element serves, 0: not said */
static void draw_cdu(struct draft *d, unsigned n_rack)
{
    mr_buf_text(&d->text, "   <cdu");
    attribute(d, 40, "card", ONE_OF(d, "deschutes", "inrow_1300", "xdu1350"));
    name(d, 30);
    units(d, 40);
    if (n_rack > 0)
        mr_buf_printf(&d->text, " racks=\"%u\"", n_rack);
    number(d, 20, "supply", "degC", 20, 50);
    number(d, 10, "flow", "L/min", 100, 2000);
    number(d, 10, "capacity", "kW", 300, 3000);
    mr_buf_text(&d->text, "/>\n");
}

/* @return racks that need liquid and hang on no CDU of the row's own */
static unsigned draw_row(struct draft *d, bool in_pod, unsigned n_pod)
{
    const unsigned n_times = maybe(d, 70) ? 1 : between(d, 2, 4);
    unsigned n_liquid = 0;
    mr_buf_text(&d->text, "  <row");
    if (n_times > 1)
        mr_buf_printf(&d->text, " count=\"%u\"", n_times);
    name(d, n_pod == 1 ? 20 : 0); /* rows are named by their hall: pods may not repeat a name */
    if (!in_pod && d->has_pods)
        attribute(d, 50, "pod", ONE_OF(d, "red", "blue"));
    mr_buf_text(&d->text, ">\n");
    if (maybe(d, 20)) { /* one card, in whole groups */
        const struct card *card;
        do
            card = draw_card(d);
        while (!card->has_packages);
        const unsigned n_group = between(d, 1, 3), n_of = between(d, 1, 3);
        if (maybe(d, 50))
            n_liquid += draw_rack(d, &cards[7], 1); /* without packages: in no group */
        n_liquid += draw_rack(d, card, n_group * n_of);
        mr_buf_printf(&d->text, "   <domain racks=\"%u\"", n_of);
        attribute(d, 50, "card", card->id);
        number(d, 30, "bandwidth", "GB/s", 100, 2000);
        number(d, 30, "latency", "ns", 100, 5000);
        attribute(d, 30, "optical", ONE_OF(d, "yes", "no"));
        mr_buf_text(&d->text, "/>\n");
    } else {
        for (unsigned i = between(d, 1, 3); i > 0; i--)
            n_liquid += draw_rack(d, draw_card(d), maybe(d, 10) ? 8 : between(d, 1, 4));
    }
    if (n_liquid > 0 && maybe(d, 30)) {
        if (n_liquid > 1 && maybe(d, 50))
            draw_cdu(d, between(d, 1, n_liquid - 1));
        draw_cdu(d, 0);
        n_liquid = 0;
    }
    mr_buf_text(&d->text, "  </row>\n");
    return n_liquid;
}

/* ---- power and cooling ---- */

/* In the order of the current, sources last. */
static const struct {
    const char *kind;
    bool is_source;
} kinds[] = {{"substation", false}, {"mv", false},        {"unit", false},    {"ups", false},
             {"ups_eco", false},    {"lv", false},        {"rpp", false},     {"busway", false},
             {"sst", false},        {"rectifier", false}, {"sidecar", false}, {"turbine", true},
             {"generator", true},   {"solar", true},      {"bess", true},     {"bbu", true}};

static void draw_node(struct draft *d, size_t k, bool is_hall)
{
    const char *kind = kinds[k].kind;
    const bool is_sidecar = strcmp(kind, "sidecar") == 0;
    if (maybe(d, 30))
        mr_buf_printf(&d->text, "  <node kind=\"%s\"", kind);
    else
        mr_buf_printf(&d->text, "  <%s", kind);
    name(d, strcmp(kind, "ups_eco") == 0 ? 100 : 30); /* the two kinds of UPS share "ups" */
    number(d, strcmp(kind, "solar") == 0 ? 100 : 50, "rating", "kW", 200, 20000);
    units(d, 30);
    number(d, 20, "voltage", "V", 400, 900);
    number(d, 10, "energy", "kWh", 10, 5000);
    number(d, 10, "duration", "min", 1, 300);
    if (!kinds[k].is_source)
        number(d, 20, "oversubscribe", "", 1, 3);
    if (is_sidecar) {
        number(d, 50, "racks", "", 1, 6);
    } else {
        number(d, 20, "count", "", 1, 3);
        attribute(d, 20, "side", ONE_OF(d, "A", "B", "both"));
        attribute(d, 30, "per",
                  is_hall ? ONE_OF(d, "hall", "row") : ONE_OF(d, "site", "hall", "row"));
    }
    mr_buf_text(&d->text, "/>\n");
}

static void draw_power(struct draft *d, bool is_hall)
{
    const char *chain = ONE_OF(d, "ac415", "dc800", "rectifier", "sst", "none");
    const char *redundancy = ONE_OF(d, "N", "N+1", "2N", "4N/3", "block");
    mr_buf_text(&d->text, " <power");
    if (maybe(d, 60)) {
        mr_buf_printf(&d->text, " chain=\"%s\"", chain);
        d->chain_is_dc = chain[0] == 'r' || chain[0] == 's';
    }
    attribute(d, 70, "redundancy", redundancy);
    attribute(d, 30, "ups", ONE_OF(d, "double", "eco", "none"));
    number(d, 20, "fill", "%", 50, 100);
    number(d, 20, "mv_voltage", "kV", 5, 35);
    mr_buf_text(&d->text, ">\n");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (maybe(d, 10)) {
            d->node_is_dc |=
                strcmp(kinds[k].kind, "sst") == 0 || strcmp(kinds[k].kind, "rectifier") == 0;
            draw_node(d, k, is_hall);
        }
    mr_buf_text(&d->text, " </power>\n");
}

static void draw_cooling(struct draft *d)
{
    static const struct {
        const char *kind, *card;
    } rejects[] = {{"dry_cooler", "trillium_2931"}, {"adiabatic", "trillium_adiabatic"},
                   {"tower", "york_tower"},         {"chiller", "mcquay_wsc_471"},
                   {"radiator", "space_radiator"},  {"crah", "crah_300"}};
    mr_buf_text(&d->text, " <cooling");
    number(d, 40, "supply", "degC", 18, 60);
    number(d, 30, "facility", "degC", 10, 50);
    number(d, 20, "air_supply", "degC", 8, 30);
    attribute(d, 50, "redundancy", ONE_OF(d, "N", "N+1", "2N"));
    attribute(d, 30, "cdu", ONE_OF(d, "deschutes", "inrow_1300", "xdu1350"));
    mr_buf_text(&d->text, ">\n");
    for (unsigned i = maybe(d, 50) ? between(d, 1, 3) : 0; i > 0; i--) {
        const size_t k = below(d, sizeof rejects / sizeof *rejects);
        mr_buf_printf(&d->text, "  <reject kind=\"%s\"", rejects[k].kind);
        attribute(d, 50, "card", rejects[k].card);
        name(d, 30);
        if (k == 5)
            attribute(d, 100, "loop", "air");
        else
            attribute(d, 40, "loop", ONE_OF(d, "liquid", "air"));
        units(d, 40);
        number(d, 20, "capacity", "kW", 20, 5000);
        if (strcmp(rejects[k].kind, "radiator") == 0)
            number(d, 50, "area", "m2", 10, 300);
        mr_buf_text(&d->text, "/>\n");
    }
    mr_buf_text(&d->text, " </cooling>\n");
}

/* ---- the layout ---- */

static void draw_hall(struct draft *d)
{
    const bool was_chain_dc = d->chain_is_dc, was_node_dc = d->node_is_dc;
    unsigned n_open = 0;
    mr_buf_text(&d->text, " <hall");
    const unsigned n_hall = maybe(d, 80) ? 1 : 2;
    name(d, 20);
    if (n_hall > 1)
        mr_buf_printf(&d->text, " count=\"%u\"", n_hall);
    number(d, 20, "floor_limit", "kg/m2", 0, 5000);
    number(d, 20, "row_pitch", "m", 1, 6);
    mr_buf_text(&d->text, ">\n");
    if (maybe(d, 30))
        draw_power(d, true);
    if (maybe(d, 20))
        draw_cooling(d);
    for (unsigned i = between(d, 1, 3); i > 0; i--) {
        const bool in_pod = maybe(d, 25);
        const unsigned n_pod = in_pod ? between(d, 1, 2) : 1;
        if (in_pod) {
            mr_buf_text(&d->text, "  <pod");
            name(d, n_hall == 1 ? 40 : 0); /* pods are the site's */
            if (n_pod > 1)
                mr_buf_printf(&d->text, " count=\"%u\"", n_pod);
            mr_buf_text(&d->text, ">\n");
        }
        n_open += draw_row(d, in_pod, n_pod);
        if (in_pod && maybe(d, 30))
            n_open += draw_row(d, true, n_pod);
        if (in_pod)
            mr_buf_text(&d->text, "  </pod>\n");
    }
    if (n_open > 0 && maybe(d, 20))
        draw_cdu(d, 0); /* for the whole hall */
    mr_buf_text(&d->text, " </hall>\n");
    d->chain_is_dc = was_chain_dc;
    d->node_is_dc = was_node_dc;
}

static void draw_surroundings(struct draft *d)
{
    if (maybe(d, 80)) {
        const bool is_island = maybe(d, 10);
        mr_buf_text(&d->text, " <grid");
        d->has_limit = maybe(d, 80);
        number(d, d->has_limit ? 100 : 0, "limit", "MW", 8, 80);
        number(d, 30, "ramp", "MW/s", 1, 9);
        attribute(d, 60, "voltage", ONE_OF(d, "11 kV", "20 kV", "110 kV", "220 kV", "400 kV"));
        number(d, 20, "curtail", "%", 0, 100);
        number(d, 20, "curtail_hours", "", 0, 500);
        attribute(d, is_island ? 100 : 20, "interconnect",
                  is_island ? "island" : ONE_OF(d, "firm", "flexible"));
        mr_buf_text(&d->text, "/>\n");
    }
    if (maybe(d, 60)) {
        mr_buf_text(&d->text, " <provision");
        attribute(d, 80, "policy", ONE_OF(d, "max_p", "max_q", d->has_limit ? "maxlps" : "max_q"));
        number(d, 20, "rack_power", "kW", 5, 500);
        attribute(d, 20, "overhead", ONE_OF(d, "1.05", "1.2", "0"));
        mr_buf_text(&d->text, "/>\n");
    }
    if (maybe(d, 70))
        draw_power(d, false);
    if (maybe(d, 50))
        draw_cooling(d);
    if (maybe(d, 60)) {
        mr_buf_text(&d->text, " <fabric");
        attribute(d, 30, "kind", ONE_OF(d, "ethernet", "infiniband"));
        attribute(d, 40, "optics", ONE_OF(d, "pluggable", "cpo", "copper"));
        attribute(d, 40, "leaf", ONE_OF(d, "spectrum6_sn6810", "quantum_q3450"));
        attribute(d, 30, "spine", ONE_OF(d, "spectrum6_sn6800", "spectrum4_sn5600"));
        attribute(d, 20, "core", "quantum_q3400");
        number(d, 30, "row_oversubscription", "", 1, 4);
        attribute(d, 20, "hall_oversubscription", ONE_OF(d, "0.5", "1.75", "8"));
        number(d, 30, "rails", "", 0, 8);
        number(d, 20, "leaf_latency", "ns", 0, 900);
        number(d, 20, "hall_cable", "ns", 0, 900);
        mr_buf_text(&d->text, "/>\n");
    }
    d->has_pods = maybe(d, 20);
    if (d->has_pods)
        mr_buf_text(&d->text, " <pod name=\"red\"/>\n <pod name=\"blue\"/>\n");
}

static void draw_layout(struct draft *d, uint64_t seed)
{
    *d = (struct draft){.rng = mr_rng_stream(seed, MR_RNG_TEST, 0)};
    mr_buf_printf(&d->text, "<layout name=\"random-%llu\"", (unsigned long long)seed);
    attribute(d, 10, "title", "one &amp; all, \xC3\xBC\xC3\xB1");
    number(d, 20, "wet_bulb", "degC", 5, 30);
    number(d, 20, "dry_bulb", "degC", 5, 48);
    mr_buf_text(&d->text, ">\n");
    draw_surroundings(d);
    for (unsigned i = maybe(d, 70) ? 1 : between(d, 2, 3); i > 0; i--)
        draw_hall(d);
    mr_buf_text(&d->text, "</layout>\n");
}

/* ---- one layout ---- */

struct subject {
    uint64_t seed;
    const struct mr_buf *layout;
};

static void fail_layout(const struct subject *of, const char *what, const struct mr_diags *diags)
{
    char line[1024] = "";
    if (diags != NULL && diags->n_item > 0)
        mr_diag_print(&diags->item[0], line, sizeof line);
    print_error("seed %llu: %s: %s\n%s", (unsigned long long)of->seed, what, line,
                of->layout->text);
    fail();
}

static void expect_equal(const struct subject *of, const char *what, const struct mr_buf *a,
                         const struct mr_buf *b)
{
    char note[512];
    size_t i = 0;
    if (a->n == b->n && memcmp(a->text, b->text, a->n) == 0)
        return;
    while (i < a->n && i < b->n && a->text[i] == b->text[i])
        i++;
    while (i > 0 && a->text[i - 1] != '\n') /* the whole line says which entity it is */
        i--;
    snprintf(note, sizeof note, "%s\n  %.*s\n  %.*s", what, (int)strcspn(a->text + i, "\n"),
             a->text + i, (int)strcspn(b->text + i, "\n"), b->text + i);
    fail_layout(of, note, NULL);
}

enum {
    most_packages = 600 /* above that, hosts that are packages only cost time */
};

static void check_layout(struct mr_layout_reader *reader, uint64_t seed)
{
    struct draft d;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_site *site, *again;
    struct mr_buf text = {0}, twice = {0}, before = {0}, after = {0};
    const struct subject of = {seed, &d.text};
    draw_layout(&d, seed);
    const struct mr_str layout = {d.text.text, d.text.n};
    if (mr_layout_read(reader, "random.layout.xml", layout, &site, &diags) != MR_OK ||
        diags.n_error > 0)
        fail_layout(&of, "is not read", &diags);
    const char *broken = layout_holds(site);
    if (broken != NULL)
        fail_layout(&of, broken, NULL);
    int level = (int)below(&d, 4) - 1;
    if (level <= MR_SITE_LEVEL_GPU && site->n_package > most_packages)
        level = MR_SITE_LEVEL_RACK;
    if (mr_fabric_build(site, level, &err) != MR_OK)
        fail_layout(&of, err.text, NULL);
    broken = layout_holds(site);
    if (broken != NULL)
        fail_layout(&of, broken, NULL);
    assert_int_equal(mr_check_site(site, &diags, &err), MR_OK); /* with findings or without */
    mr_emit_site(site, &text);
    mr_site_dump(site, &before);
    diags = (struct mr_diags){0};
    if (mr_read_site_text("random.xml", (struct mr_str){text.text, text.n}, &again, &diags) !=
            MR_OK ||
        diags.n_item > 0)
        fail_layout(&of, "its platform is not read", &diags);
    mr_site_dump(again, &after);
    mr_emit_site(again, &twice);
    expect_equal(&of, "another site comes back", &before, &after);
    expect_equal(&of, "another platform comes back", &text, &twice);
    mr_site_destroy(site);
    mr_site_destroy(again);
    mr_buf_fini(&text);
    mr_buf_fini(&twice);
    mr_buf_fini(&before);
    mr_buf_fini(&after);
    mr_buf_fini(&d.text);
}

static void check_layouts(uint64_t first, uint64_t n)
{
    struct mr_layout_reader *reader;
    struct mr_err err = {0};
    assert_int_equal(mr_layout_reader_create(&reader, &err), MR_OK);
    for (uint64_t seed = first; seed < first + n; seed++)
        check_layout(reader, seed);
    mr_layout_reader_destroy(reader);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* Three programs instead of one, for machines that run tests side by side. */
MR_TEST(seeds_from_0)
{
    check_layouts(0, 100);
}

MR_TEST(seeds_from_100)
{
    check_layouts(100, 100);
}

MR_TEST(seeds_from_200)
{
    check_layouts(200, 100);
}

MR_TEST_MAIN(MR_TEST_ENTRY(seeds_from_0), MR_TEST_ENTRY(seeds_from_100),
             MR_TEST_ENTRY(seeds_from_200))
