/* SPDX-License-Identifier: Apache-2.0 */
/* platforms/read: what each kind of SimGrid platform comes to, every prop of ours, defaults and
 * their warnings. Mistakes are a table of their own: tests/platforms/read_cases.h, which
 * tests/engine/net/fixtures_test.c holds against SimGrid. */
#include "platforms/read.h"

#include "platforms/check.h"
#include "tests/platforms/read_cases.h"
#include "tests/test.h"

#define NONE MR_SITE_NONE

static void print_all(const struct mr_diags *diags)
{
    char line[1024];
    for (size_t i = 0; i < diags->n_item; i++) {
        mr_diag_print(&diags->item[i], line, sizeof line);
        print_message("  %s\n", line);
    }
}

static struct mr_site *read_file(const char *name, struct mr_diags *diags)
{
    char path[1024];
    struct mr_site *site;
    snprintf(path, sizeof path, "%s/tests/platforms/data/%s.platform.xml", MR_SOURCE_DIR, name);
    *diags = (struct mr_diags){0};
    if (mr_read_site(path, &site, diags) != MR_OK) {
        print_all(diags);
        fail_msg("%s cannot be read", name);
    }
    return site;
}

static mr_status read_text(const char *text, struct mr_site **site, struct mr_diags *diags)
{
    *diags = (struct mr_diags){0};
    return mr_read_site_text("case.xml", mr_str_of(text), site, diags);
}

/* ---- fixtures ---- */

static const struct {
    const char *name;
    size_t n_zone, n_host, n_router, n_link, n_route, n_warning;
    bool has_props;
} fixtures[] = {
    {"cluster", 1, 5, 1, 16, 0, 4, false}, /* a link, a loopback, a limiter per host; backbone */
    {"fat_tree", 4, 16 + 12 + 60, 0, 0, 0, 4, false},
    {"floyd", 4, 5, 1, 4, 4, 5, false}, /* LV08 */
    {"included", 3, 3, 0, 2, 2, 4, false},
    {"sample", 8, 3, 6, 10, 8, 1, true}, /* two packages of 72 */
    {"small", 1, 7, 0, 6, 8, 4, false},
    {"two_clusters", 4, 9, 3, 15, 2, 4, false},
    {"vivaldi", 1, 3, 0, 6, 0, 4, false},
    {"wifi", 1, 1, 1, 0, 0, 4, false},
};

MR_TEST(every_fixture_has_what_stands_in_it)
{
    for (size_t i = 0; i < sizeof fixtures / sizeof *fixtures; i++) {
        struct mr_diags diags;
        struct mr_site *site = read_file(fixtures[i].name, &diags);
        const size_t found[] = {site->n_zone, site->n_host,  site->n_router,
                                site->n_link, site->n_route, diags.n_warning},
                     meant[] = {fixtures[i].n_zone, fixtures[i].n_host,  fixtures[i].n_router,
                                fixtures[i].n_link, fixtures[i].n_route, fixtures[i].n_warning};
        static const char *const what[] = {"zones", "hosts",  "routers",
                                           "links", "routes", "warnings"};
        for (size_t k = 0; k < 6; k++)
            if (found[k] != meant[k]) {
                print_all(&diags);
                fail_msg("%s: %zu %s, not %zu", fixtures[i].name, found[k], what[k], meant[k]);
            }
        assert_int_equal(diags.n_error, 0);
        assert_int_equal(site->has_props, fixtures[i].has_props);
        mr_site_destroy(site);
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* ---- plain platforms ---- */

MR_TEST(a_plain_platform_is_one_row_of_racks_of_one_package)
{
    struct mr_diags diags;
    struct mr_site *site = read_file("small", &diags);
    static const char *const told[] = {"no rack is described: each of the 7 hosts",
                                       "no power is described", "no cooling is described",
                                       "no grid connection is described"};
    for (size_t i = 0; i < 4; i++)
        mr_assert_contains(diags.item[i].err.text, told[i]);
    assert_int_equal(site->n_hall, 1);
    assert_int_equal(site->n_row, 1);
    assert_int_equal(site->n_rack, 7);
    assert_int_equal(site->n_package, 7);
    assert_int_equal(site->n_domain + site->n_pod + site->n_cdu + site->n_loop, 0);
    assert_int_equal(site->level, MR_SITE_LEVEL_RACK);
    assert_true(site->wet_bulb_c == 25 && site->grid.limit_w == 0);
    for (uint32_t i = 0; i < 7; i++) {
        const struct mr_rack *rack = &site->rack[i];
        assert_string_equal(rack->name, site->host[i].name);
        assert_int_equal(rack->first_package, i);
        assert_int_equal(rack->first_host, i);
        assert_true(rack->n_package == 1 && rack->n_host == 1 && rack->row == 0);
        assert_true(rack->cdu == NONE && rack->domain == NONE && rack->feed[0] == NONE);
        assert_int_equal(site->host[i].rack, i);
    }
    mr_site_destroy(site);
}

MR_TEST(numbers_of_a_plain_platform)
{
    struct mr_diags diags;
    struct mr_site *site = read_file("small", &diags);
    assert_true(site->host[0].speed_flop_s == 98.095e6);
    assert_true(site->host[5].speed_flop_s == 137.333e6);
    assert_string_equal(site->host[5].speed, "137.333Mf,100Mf,50Mf");
    assert_int_equal(site->host[3].n_core, 2);
    assert_true(site->link[0].bandwidth_bytes_s == 41.279125e6);
    assert_true(site->link[0].latency_s == 59.904e-6);
    assert_true(site->link[3].bandwidth_bytes_s == 10e6 && site->link[3].is_fatpipe);
    assert_true(site->link[4].bandwidth_bytes_s == 1073741824 && site->link[4].latency_s == 60);
    assert_false(site->link[0].is_split);
    assert_true(site->route[3].is_one_way && !site->route[5].is_one_way);
    assert_int_equal(site->route[1].n_link, 2);
    assert_int_equal(site->rack[1].uplink, 1); /* the last link of the first route to Blaise */
    mr_site_destroy(site);
}

MR_TEST(names_of_clusters_are_as_simgrid_makes_them)
{
    struct mr_diags diags;
    struct mr_site *site = read_file("cluster", &diags);
    static const char *const hosts[] = {"node-0.lab", "node-1.lab", "node-2.lab", "node-3.lab",
                                        "node-7.lab"};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(site->host[i].name, hosts[i]);
        assert_int_equal(site->host[i].n_core, 4);
    }
    assert_string_equal(site->link[0].name, "pool_link_0");
    assert_string_equal(site->link[1].name, "pool_link_0_loopback");
    assert_string_equal(site->link[14].name, "pool_link_7_limiter");
    assert_string_equal(site->link[15].name, "pool_backbone");
    assert_string_equal(site->router[0].name, "node-pool_router.lab");
    assert_true(site->link[0].is_split && site->host[4].uplink == 12);
    mr_site_destroy(site);
}

/* ---- our props ---- */

/* Two racks in a row of a hall, every kind of MR_PROP_KIND_LIST once or more. */
static const char every_kind[] = MR_READ_DOC(
    "<zone id='w' routing='Full'>"
    "<prop id='site' value='name=Fa&#xdf;; layout=a.layout.xml; sha256=00ff; level=tray; "
    "wet_bulb=18 "
    "degC'/>"
    "<prop id='grid' value='limit=120 MW; ramp=5 MW/s; voltage=220 kV; curtail=0.25; "
    "curtail_hours=88; interconnect=flexible'/>"
    "<prop id='fabric' value=''/>"
    "<prop id='pod.P' value=''/>"
    "<prop id='loop.L' value='supply=30 degC; volume=12 m3'/>"
    "<prop id='reject.X' value='card=a; kind=tower; units=4; spare=1; capacity=2 MW; area=3 m2; "
    "loop=L'/>"
    "<prop id='power.S' value='kind=substation; rating=150 MW'/>"
    "<zone id='h' routing='Full'><prop id='hall.H' value='floor=1500 kg/m2'/>"
    "<prop id='power.U' value='kind=ups; rating=1 MW; units=5; spare=1; voltage=415 V; energy=60 "
    "MJ; "
    "parent=S'/>"
    "<zone id='r' routing='Full'><prop id='row.R' value=''/>"
    "<prop id='cdu.C' value=\"card='x; ''y'''; units=2; spare=1; capacity=1 MW; approach=3 K; "
    "supply=40 degC; "
    "flow=1 m3/s; loop=L\"/>"
    "<prop id='power.B1' value='kind=busway; parent=U S'/><prop id='power.B2' value='kind=busway'/>"
    "<prop id='domain.D' value='generation=6; packages=8; bandwidth=1.8 TB/s; latency=100 ns; "
    "optical=yes'/>"
    "<zone id='k0' routing='Full'><prop id='rack' value='card=any; domain=D; cdu=C; pod=P; feed=B1 "
    "B2; "
    "packages=8; trays=2; cpus=4; flops=35 Pflop/s; memory=2 TB; limit=90 kW; rated=100 kW; "
    "max_q=70 "
    "kW; liquid=0.8; flow=0.001 m3/s; inlet=35 degC; mass=1500 kg; x=-1 m; y=2 m; ports=16; "
    "port=100 "
    "GB/s; bus=800; footprint=0.8 m2; nic=1 us'/><host id='k0.t0' speed='1Gf' core='4'/><host "
    "id='k0.t1' speed='1Gf' "
    "core='4'/></zone>"
    "<zone id='k1' routing='Full'><prop id='rack' value=''/><host id='k1.t0' speed='1Gf' "
    "core='3'/></zone></zone></zone></zone>");

MR_TEST(every_kind_of_prop)
{
    struct mr_site *site;
    struct mr_diags diags;
    const mr_status st = read_text(every_kind, &site, &diags);
    print_all(&diags);
    assert_int_equal(st, MR_OK);
    assert_int_equal(diags.n_item, 0);
    assert_string_equal(site->name, "Fa\xC3\x9F");
    assert_string_equal(site->layout_path, "a.layout.xml");
    assert_string_equal(site->layout_sha256, "00ff");
    assert_true(site->level == MR_SITE_LEVEL_TRAY && site->wet_bulb_c == 18);
    const struct mr_grid *grid = &site->grid;
    assert_true(grid->limit_w == 120e6 && grid->ramp_w_s == 5e6 && grid->voltage_v == 220e3);
    assert_true(grid->curtail_frac == 0.25 && grid->curtail_h_year == 88 &&
                grid->interconnect == 1);
    assert_true(site->hall[0].floor_limit_kg_m2 == 1500 && site->n_hall == 1 && site->n_row == 1);
    assert_string_equal(site->row[0].name, "R");
    assert_true(site->pod[0].n_rack == 1);
    const struct mr_loop *loop = &site->loop[0];
    assert_true(loop->supply_c == 30 && loop->volume_m3 == 12 && loop->hall == NONE);
    const struct mr_rejector *reject = &site->rejector[0];
    assert_true(reject->kind == MR_SITE_REJECT_TOWER && reject->n_unit == 4 &&
                reject->n_spare == 1);
    assert_true(reject->capacity_w == 2e6 && reject->area_m2 == 3 && reject->loop == 0);
    const struct mr_cdu *cdu = &site->cdu[0];
    assert_string_equal(cdu->card, "x; 'y'");
    assert_true(cdu->n_unit == 2 && cdu->n_spare == 1 && cdu->capacity_w == 1e6 && cdu->row == 0);
    assert_true(cdu->supply_c == 40 && cdu->flow_m3_s == 1 && cdu->loop == 0 && cdu->hall == 0);
    assert_int_equal(site->n_power, 4);
    const struct mr_power_node *ups = &site->power[1], *busway = &site->power[2];
    assert_true(ups->kind == MR_SITE_POWER_UPS && ups->n_unit == 5 && ups->energy_j == 60e6);
    assert_true(ups->parent[0] == 0 && ups->parent[1] == NONE && ups->hall == 0 &&
                ups->row == NONE);
    assert_true(busway->parent[0] == 1 && busway->parent[1] == 0 && busway->row == 0);
    const struct mr_domain *domain = &site->domain[0];
    assert_true(domain->generation == 6 && domain->n_package == 8 && domain->is_optical);
    assert_true(domain->bandwidth_bytes_s == 1.8e12 && domain->latency_s == 100e-9);
    const struct mr_rack *rack = &site->rack[0];
    assert_string_equal(rack->name, "k0");
    assert_true(rack->domain == 0 && rack->cdu == 0 && rack->pod == 0 && rack->n_package == 8);
    assert_true(rack->feed[0] == 2 && rack->feed[1] == 3 && rack->n_tray == 2 && rack->n_cpu == 4);
    assert_true(rack->flop_s == 35e15 && rack->memory_bytes == 2e12 && rack->limit_w == 90e3);
    assert_true(rack->rated_w == 100e3 && rack->max_q_w == 70e3 && rack->liquid_frac == 0.8);
    assert_true(rack->flow_m3_s == 0.001 && rack->inlet_max_c == 35 && rack->mass_kg == 1500);
    assert_true(rack->x_m == -1 && rack->y_m == 2 && rack->n_port == 16 && rack->bus_v == 800);
    assert_true(rack->port_bytes_s == 100e9 && rack->first_host == 0 && rack->n_host == 2);
    const struct mr_rack *bare = &site->rack[1];
    assert_true(bare->n_package == 3 && bare->bus_v == 54 && bare->inlet_max_c == 45);
    assert_true(bare->first_package == 8 && bare->cdu == NONE && bare->domain == NONE);
    mr_site_destroy(site);
}

/* Every single prop of MR_PROP_SINGLE_LIST is in the sample. */
MR_TEST(single_props_of_a_hand_written_file)
{
    struct mr_diags diags;
    struct mr_site *site = read_file("sample", &diags);
    assert_true(site->grid.limit_w == 120e6 && site->grid.ramp_w_s == 5e6 &&
                site->wet_bulb_c == 18);
    assert_int_equal(site->n_loop, 1);
    assert_string_equal(site->loop[0].name, "H0.loop");
    assert_true(site->loop[0].supply_c == 45 && site->loop[0].hall == 0);
    assert_int_equal(site->n_power, 1);
    assert_string_equal(site->power[0].name, "H0.R0.busway");
    assert_int_equal(site->power[0].kind, MR_SITE_POWER_BUSWAY);
    assert_true(site->power[0].rating_w == 2.5e6 && site->power[0].row == 0);
    const struct mr_rack *gpu = &site->rack[0], *whole = &site->rack[1];
    assert_string_equal(gpu->card, "vr_nvl72");
    assert_true(gpu->feed[0] == 0 && whole->feed[0] == 0);
    assert_true(gpu->limit_w == 190e3 && whole->limit_w == 600e3);
    assert_true(gpu->n_package == 2 && whole->n_package == 144); /* what the file shows */
    assert_true(gpu->rated_w > 0 && gpu->n_tray == 18);          /* of the card */
    assert_int_equal(site->n_domain, 2);
    assert_string_equal(site->domain[0].name, "D0");
    assert_true(site->domain[0].n_package == 2 && site->domain[1].n_package == 144);
    assert_true(site->domain[0].bandwidth_bytes_s > 0);
    assert_string_equal(site->hall[0].name, "H0");
    assert_string_equal(site->row[0].name, "H0.R0");
    assert_int_equal(site->level, MR_SITE_LEVEL_GPU);
    mr_site_destroy(site);
}

/* Warnings that stand beside a good file. */
MR_TEST(what_is_left_alone_or_assumed_is_told)
{
    static const struct {
        const char *text, *part;
        size_t n_warning; /* besides the four of a platform without props */
    } cases[] = {
        {MR_READ_ZONE("<prop id='racks' value=''/><prop id='rackety' value=''/>" MR_READ_HOSTS),
         "prop \"racks\" is none of ours and left alone (did you mean \"rack\"?)", 1},
        {MR_READ_ZONE("<prop id='nvl.domian' value='D'/><prop id='busway.limt' value='1 MW'/>"
                      "<prop id='rak.limit' value='1 kW'/>" MR_READ_HOSTS),
         "did you mean \"busway.limit\"?", 3},
        {MR_READ_ZONE("<prop id='hall' value=''/>" MR_READ_HOSTS), "did you mean \"hall.NAME\"?",
         1},
        {MR_READ_ZONE("<prop id='color' value='red'/>" MR_READ_HOSTS), "no rack is described", 0},
        {MR_READ_ZONE("<host id='a' speed='1e9'/><host id='b' speed='2e9'/>"),
         "no unit: taken as flop/s (told once)", 1},
        {MR_READ_DOC("<config><prop id='network/TCP-gamma' value='4194304'/></config>"
                     "<zone id='w' routing='Full'>" MR_READ_HOSTS "</zone>"),
         "Millrace sets 0", 1},
        {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value=''/><host id='a' "
                      "speed='1Gf'/></zone><zone id='o' routing='Full'><host id='b' "
                      "speed='1Gf'/></zone>"),
         "1 hosts belong to no rack, the first is \"b\"", SIZE_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_site *site;
        struct mr_diags diags;
        char all[4096] = "";
        if (read_text(cases[i].text, &site, &diags) != MR_OK) {
            print_all(&diags);
            fail_msg("case %zu", i);
        }
        const size_t n_plain = site->has_props ? 0 : 4;
        for (size_t k = 0; k < diags.n_item; k++)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s\n", diags.item[k].err.text);
        mr_assert_contains(all, cases[i].part);
        assert_int_equal(diags.n_warning,
                         cases[i].n_warning == SIZE_MAX ? 1 : n_plain + cases[i].n_warning);
        mr_site_destroy(site);
    }
}

/* ---- mistakes ---- */

MR_TEST(mistakes_are_told_with_their_place)
{
    size_t n_bad = 0;
    for (size_t i = 0; i < n_read_mistake; i++) {
        const struct read_case *c = &read_mistakes[i];
        struct mr_site *site;
        struct mr_diags diags;
        const mr_status st = read_text(c->text, &site, &diags);
        assert_int_equal(st == MR_OK, site != NULL);
        size_t k = 0;
        while (k < diags.n_item && diags.item[k].severity != MR_SEVERITY_ERROR)
            k++;
        const struct mr_err *err = &diags.item[k].err;
        if (st == MR_OK || k == diags.n_item || err->line != c->line || err->col != c->col ||
            strstr(err->text, c->part) == NULL) {
            print_message("case %zu, expected %d:%d: %s\n", i, c->line, c->col, c->part);
            print_all(&diags);
            n_bad++;
        } else {
            assert_int_equal(st, err->status);
        }
        mr_site_destroy(site);
    }
    assert_int_equal(n_bad, 0);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* What SimGrid takes although it looks odd, we take. */
MR_TEST(oddities_are_read)
{
    size_t n_bad = 0;
    for (size_t i = 0; i < n_read_oddity; i++) {
        struct mr_site *site;
        struct mr_diags diags;
        if (read_text(read_oddities[i], &site, &diags) != MR_OK) {
            print_message("case %zu\n%s\n", i, read_oddities[i]);
            print_all(&diags);
            n_bad++;
        }
        mr_site_destroy(site);
    }
    assert_int_equal(n_bad, 0);
}

/* Sums and shapes that need the whole site: read as they stand, found by mr_check_site. */
MR_TEST(what_is_left_to_the_checks)
{
#define HALL(name, rack)                                                                    \
    "<zone id='" name "' routing='Full'><prop id='hall." name "' value=''/><zone id='" name \
    "k' routing='Full'><prop id='rack' value='" rack "'/><host id='" name                   \
    "h' speed='1Gf' core='4'/></zone></zone>"
    static const struct {
        const char *text, *part;
    } cases[] = {
        {MR_READ_ZONE("<prop id='power.A' value='kind=ups; parent=B'/><prop id='power.B' "
                      "value='kind=ups; parent=A'/>" HALL("h", "feed=A")),
         "feeds itself in a circle"},
        {MR_READ_ZONE("<prop id='domain.D' value='packages=2'/>" HALL("h", "domain=D")),
         "4 packages are wired to it, it has 2 ports"},
        {MR_READ_ZONE("<prop id='domain.D' value='packages=8'/>" HALL("h", "domain=D")),
         "4 packages are wired to it, it has 8 ports"},
        {MR_READ_ZONE("<prop id='domain.D' value='packages=8'/>" HALL("h", "domain=D")
                          HALL("i", "domain=D")),
         "its scale-up domain has racks in another"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_site *site;
        struct mr_diags diags;
        struct mr_err err = {0};
        char all[8192] = "";
        assert_int_equal(read_text(cases[i].text, &site, &diags), MR_OK);
        assert_int_equal(mr_check_site(site, &diags, &err), MR_OK);
        for (size_t k = 0; k < diags.n_item; k++)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s\n", diags.item[k].err.text);
        mr_assert_contains(all, cases[i].part);
        mr_site_destroy(site);
    }
}

MR_TEST(a_file_that_is_not_there)
{
    struct mr_site *site;
    struct mr_diags diags = {0};
    assert_int_equal(mr_read_site("/no/such.platform.xml", &site, &diags), MR_IO);
    assert_null(site);
    assert_int_equal(diags.n_error, 1);
}

/* ---- out of memory ---- */

static mr_status starve(void *context, struct mr_err *err)
{
    struct mr_diags diags = {0};
    struct mr_site *site;
    const mr_status st = mr_read_site_text("case.xml", mr_str_of(context), &site, &diags);
    if (diags.n_error > 0)
        *err = diags.item[0].err;
    mr_site_destroy(site);
    return st;
}

MR_TEST(out_of_memory)
{
    mr_test_every_nomem(starve, (void *)(uintptr_t)every_kind);
}

MR_TEST_MAIN(MR_TEST_ENTRY(every_fixture_has_what_stands_in_it),
             MR_TEST_ENTRY(a_plain_platform_is_one_row_of_racks_of_one_package),
             MR_TEST_ENTRY(numbers_of_a_plain_platform),
             MR_TEST_ENTRY(names_of_clusters_are_as_simgrid_makes_them),
             MR_TEST_ENTRY(every_kind_of_prop), MR_TEST_ENTRY(single_props_of_a_hand_written_file),
             MR_TEST_ENTRY(what_is_left_alone_or_assumed_is_told),
             MR_TEST_ENTRY(mistakes_are_told_with_their_place), MR_TEST_ENTRY(oddities_are_read),
             MR_TEST_ENTRY(what_is_left_to_the_checks), MR_TEST_ENTRY(a_file_that_is_not_there),
             MR_TEST_ENTRY(out_of_memory))
