/* SPDX-License-Identifier: Apache-2.0 */
/* platforms/check and summary: a small sound site, and each way to make it unsound. */
#include "platforms/check.h"

#include "engine/base/mem.h"
#include "platforms/summary.h"
#include "tests/test.h"

enum {
    n_rack = 4
};

/* One hall, one row, four racks of 100 kW on feeds A and B, one CDU group, one loop, one cooler. */
struct fixture {
    struct mr_site site;
    struct mr_hall hall;
    struct mr_row row;
    struct mr_rack rack[n_rack];
    struct mr_cdu cdu;
    struct mr_loop loop;
    struct mr_rejector rejector;
    struct mr_power_node power[3];
    struct mr_domain domain[n_rack];
    struct mr_zone zone[2];
    struct mr_host host[n_rack];
    struct mr_site_router router[1];
    struct mr_link link;
    struct mr_route route[n_rack];
    struct mr_route_link route_link;
};

static void sound_site(struct fixture *f)
{
    static const char *const names[] = {"H0.R0.K0", "H0.R0.K1", "H0.R0.K2", "H0.R0.K3"};
    static const char *const domains[] = {"D0", "D1", "D2", "D3"};
    *f = (struct fixture){0};
    f->hall = (struct mr_hall){.name = "H0", .n_row = 1, .floor_limit_kg_m2 = 3000};
    f->row = (struct mr_row){.name = "H0.R0", .n_rack = n_rack};
    f->cdu = (struct mr_cdu){.name = "H0.R0.C0",
                             .card = "x",
                             .n_unit = 3,
                             .n_spare = 1,
                             .capacity_w = 200e3,
                             .supply_c = 40,
                             .flow_m3_s = 0.006};
    f->loop = (struct mr_loop){.name = "H0.L0"};
    f->rejector = (struct mr_rejector){
        .name = "H0.X0", .card = "x", .n_unit = 2, .n_spare = 0, .capacity_w = 250e3};
    f->power[0] = (struct mr_power_node){
        .name = "S.sub", .rating_w = 1e6, .n_unit = 1, .parent = {MR_SITE_NONE, MR_SITE_NONE}};
    for (uint32_t i = 1; i < 3; i++)
        f->power[i] = (struct mr_power_node){.name = i == 1 ? "rppA" : "rppB",
                                             .kind = MR_SITE_POWER_RPP,
                                             .rating_w = 400e3,
                                             .n_unit = 1,
                                             .parent = {0, MR_SITE_NONE}};
    for (uint32_t i = 0; i < n_rack; i++) {
        f->rack[i] = (struct mr_rack){.name = names[i],
                                      .card = "c",
                                      .domain = i,
                                      .n_domain = 1,
                                      .pod = MR_SITE_NONE,
                                      .feed = {1, 2},
                                      .first_package = 8 * i,
                                      .n_package = 8,
                                      .limit_w = 100e3,
                                      .rated_w = 120e3,
                                      .liquid_frac = 1,
                                      .flow_m3_s = 0.0025,
                                      .inlet_max_c = 45,
                                      .mass_kg = 1800,
                                      .footprint_m2 = 0.72,
                                      .n_port = 8,
                                      .port_bytes_s = 100e9,
                                      .flop_s = 1e15,
                                      .memory_bytes = 8e11,
                                      .at = {10 + (int)i, 5}};
        f->domain[i] = (struct mr_domain){.name = domains[i], .n_package = 8};
        f->host[i] = (struct mr_host){.name = names[i], .zone = 1, .rack = i};
        f->route[i] = (struct mr_route){
            .zone = 1, .src = names[i], .dst = "leaf", .gw_src = "", .gw_dst = "", .n_link = 1};
    }
    f->zone[0] = (struct mr_zone){"site", "Floyd", MR_SITE_NONE, 1};
    f->zone[1] = (struct mr_zone){"H0.R0", "Floyd", 0, 2};
    f->router[0] = (struct mr_site_router){"leaf", 1};
    f->link = (struct mr_link){.name = "l", .bandwidth_bytes_s = 800e9};
    f->site = (struct mr_site){.name = "small",
                               .path = "s.xml",
                               .layout_path = "",
                               .layout_sha256 = "",
                               .has_props = true,
                               .grid = {.limit_w = 500e3, .at = {3, 2}},
                               .hall = &f->hall,
                               .n_hall = 1,
                               .row = &f->row,
                               .n_row = 1,
                               .rack = f->rack,
                               .n_rack = n_rack,
                               .cdu = &f->cdu,
                               .n_cdu = 1,
                               .loop = &f->loop,
                               .n_loop = 1,
                               .rejector = &f->rejector,
                               .n_rejector = 1,
                               .power = f->power,
                               .n_power = 3,
                               .domain = f->domain,
                               .n_domain = n_rack,
                               .zone = f->zone,
                               .n_zone = 2,
                               .host = f->host,
                               .n_host = n_rack,
                               .router = f->router,
                               .n_router = 1,
                               .link = &f->link,
                               .n_link = 1,
                               .route = f->route,
                               .n_route = n_rack,
                               .route_link = &f->route_link,
                               .n_route_link = 1,
                               .n_package = 8 * n_rack};
}

static void expect(struct fixture *f, size_t n_error, size_t n_warning, const char *first)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    char line[1024] = "";
    assert_int_equal(mr_check_site(&f->site, &diags, &err), MR_OK);
    if (diags.n_item > 0)
        mr_diag_print(&diags.item[0], line, sizeof line);
    if (diags.n_error != n_error || diags.n_warning != n_warning)
        fail_msg("%zu errors and %zu warnings; %s", diags.n_error, diags.n_warning, line);
    if (first != NULL)
        mr_assert_contains(line, first);
}

MR_TEST(a_sound_site_has_no_findings)
{
    struct fixture f;
    sound_site(&f);
    expect(&f, 0, 0, NULL);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(power_that_does_not_fit)
{
    struct fixture f;
    sound_site(&f);
    f.power[1].rating_w = f.power[2].rating_w = 150e3; /* 200 kW each in normal operation */
    expect(&f, 2, 0, "rpp \"rppA\": carries 200 kW but has 150 kW in service (add a unit");
    sound_site(&f);
    f.power[1].rating_w = f.power[2].rating_w = 300e3; /* 400 kW when the other fails */
    expect(&f, 0, 2, "warning: rpp \"rppA\": would carry 400 kW when rpp \"rppB\" fails");
    f.power[1].rating_w = f.power[2].rating_w = 150e3;
    f.power[1].oversubscribe = f.power[2].oversubscribe = 4. / 3;
    expect(&f, 0, 2, "would carry 400 kW when rpp \"rppB\" fails, 200 kW are installed");
    f.power[1].oversubscribe = f.power[2].oversubscribe = 8. / 3;
    expect(&f, 0, 0, NULL);
    f.power[1].oversubscribe = 1.3;
    expect(&f, 1, 0, "carries 200 kW but has 150 kW in service, oversubscribed 1.3 : 1 at most (");
    f.power[1].oversubscribe = 8. / 3;
    f.power[0].kind = MR_SITE_POWER_TURBINE;
    f.power[0].oversubscribe = 1.5;
    expect(&f, 1, 0, "turbine \"S.sub\": oversubscribe 1.5: sources cannot be");
    sound_site(&f);
    f.site.grid.limit_w = 1e6;
    f.rack[2].limit_w = 190e3;
    f.rack[2].flow_m3_s = 0.004;
    f.power[1].rating_w = f.power[2].rating_w = 180e3;
    f.power[1].n_unit = f.power[2].n_unit = 3;
    f.cdu.n_spare = 0;
    expect(&f, 2, 0, "s.xml:12:5: error: rack \"H0.R0.K2\": 190 kW on rpp \"rppA\" of 180 kW");
    sound_site(&f);
    f.site.grid.limit_w = 300e3;
    expect(&f, 0, 1, "s.xml:3:2: warning: grid of \"small\": racks may draw 400 kW");
    sound_site(&f);
    /* two half loaded panels lose 500 W each, 0.41 % x 0.401^2 and 0.056 % of 1 MW the transformer;
     * 7.72 % for CDU and dry cooler */
    f.site.grid.limit_w = 420e3;
    expect(&f, 0, 1,
           "warning: grid of \"small\": racks may draw 400 kW, with losses of the chain (2.219 kW) "
           "and cooling (30.88 kW) about 433.1 kW; the grid");
    sound_site(&f);
    f.site.grid.limit_w = 0;
    expect(&f, 0, 1, "no limit of the connection is stated");
    f.site.grid.interconnect = MR_SITE_GRID_ISLAND;
    expect(&f, 1, 0, "the grid connection and what stands on the site give 0 W");
    f.power[0].kind = MR_SITE_POWER_TURBINE;
    expect(&f, 0, 0, NULL);
    sound_site(&f);
    f.power[0].parent[0] = 1;
    expect(&f, 1, 0, "feeds itself in a circle");
    sound_site(&f);
    f.rack[0].feed[0] = f.rack[0].feed[1] = MR_SITE_NONE;
    expect(&f, 0, 1, "hangs on no power node");
}

MR_TEST(heat_and_flow_that_do_not_fit)
{
    struct fixture f;
    sound_site(&f);
    f.cdu.n_spare = 2;
    expect(&f, 2, 0, "cdu \"H0.R0.C0\": 400 kW of rack heat on 200 kW in service");
    sound_site(&f);
    f.cdu.flow_m3_s = 0.004;
    expect(&f, 1, 0, "its racks need 600 L/min, it moves 480 L/min");
    sound_site(&f);
    f.rejector.n_spare = 1;
    expect(&f, 1, 0, "loop \"H0.L0\": 400 kW of heat on 250 kW of rejection");
    sound_site(&f);
    f.cdu.supply_c = 50;
    expect(&f, n_rack, 0, "takes water up to 45 degC, \"H0.R0.C0\" sends 50 degC");
    sound_site(&f);
    f.loop.supply_c = 43;
    expect(&f, 1, 0,
           "cdu \"H0.R0.C0\": is to send 40 degC; loop \"H0.L0\" brings 43 degC, and the unit "
           "needs 0 K");
    sound_site(&f);
    f.loop.supply_c = 38;
    f.cdu.approach_k = 3;
    expect(&f, 1, 0, "loop \"H0.L0\" brings 38 degC, and the unit needs 3 K between them");
    sound_site(&f);
    f.rack[0].liquid_frac = 0.4; /* 60 kW to a room without air handlers */
    expect(&f, 1, 0, "hall \"H0\": 60 kW of heat to the air on 0 W of air handlers in service");
    f.rejector.kind = MR_SITE_REJECT_CRAH; /* and nothing that cools the loop any more */
    expect(&f, 1, 0, "loop \"H0.L0\": 400 kW of heat on 0 W of rejection in service");
    sound_site(&f);
    f.rack[2].flow_m3_s = 0.62e-3 / 60 * 100; /* 0.62 L/min per kW */
    expect(&f, 0, 1, "its design flow of 62 L/min for 100 kW warms by 24.6 K (10 K is usual");
    sound_site(&f);
    f.rack[1].cdu = MR_SITE_NONE;
    expect(&f, 1, 0, "needs liquid for 100 kW but hangs on no CDU group");
}

MR_TEST(floor_domains_and_routes)
{
    struct fixture f;
    struct mr_hall halls[2];
    sound_site(&f);
    f.hall.floor_limit_kg_m2 = 2400;
    expect(&f, n_rack, 0, "1800 kg on 0.72 m2 are 2500 kg/m2, the floor of \"H0\" bears 2400");
    sound_site(&f);
    halls[0] = halls[1] = f.hall;
    f.site.hall = halls;
    f.site.n_hall = 2;
    f.rack[3].hall = 1;
    f.rack[3].domain = 0;
    f.rack[3].row = 1;
    expect(&f, 2, 1, "its scale-up domain has racks in another row");
    sound_site(&f);
    f.site.n_route = 3; /* the last host has none */
    expect(&f, 1, 0,
           "zone \"H0.R0\": no route leads from \"H0.R0.K0\" to \"H0.R0.K3\" (routing Floyd");
    sound_site(&f);
    f.route[1].is_one_way = true; /* K1 is never reached, and knows no way back */
    expect(&f, 1, 0, "no route leads from \"H0.R0.K0\" to \"H0.R0.K1\"");
    sound_site(&f);
    f.zone[1].routing = "Full"; /* knows no way over a router that nobody declares */
    expect(&f, 1, 0,
           "no route leads from \"H0.R0.K0\" to \"H0.R0.K1\" (routing Full; 12 such pairs");
}

static mr_status check_once(void *context, struct mr_err *err)
{
    struct mr_diags diags = {0};
    const struct fixture *f = context;
    return mr_check_site(&f->site, &diags, err);
}

MR_TEST(every_failing_allocation)
{
    static struct fixture f;
    sound_site(&f);
    mr_test_every_nomem(check_once, &f);
}

MR_TEST(sums_of_a_site)
{
    struct fixture f;
    struct mr_summary s;
    sound_site(&f);
    assert_int_equal(mr_summary_of(&f.site, &s, &(struct mr_diags){0}, NULL), MR_OK);
    assert_int_equal(s.n_rack, n_rack);
    assert_int_equal(s.n_package, 32);
    assert_int_equal(s.n_rack_two_feeds, n_rack);
    assert_int_equal(s.n_card, 1);
    mr_assert_near(s.rated_w, 480e3, 1e-15, 0);
    mr_assert_near(s.granted_w, 400e3, 1e-15, 0);
    mr_assert_near(s.flop_s, 32e15, 1e-15, 0);
    mr_assert_near(s.memory_bytes, 3.2e12, 1e-15, 0);
    mr_assert_near(s.cdu_w, 400e3, 1e-15, 0);
    mr_assert_near(s.cdu_spare_w, 200e3, 1e-15, 0);
    mr_assert_near(s.rejection_w, 500e3, 1e-15, 0);
    mr_assert_near(s.scaleout_bytes_s, 3.2e12, 1e-15, 0);
    struct mr_buf text = {0}, json = {0}, dot = {0};
    struct mr_jsonw w;
    mr_summary_print(&f.site, &s, &text);
    mr_assert_contains(text.text, "rated power            480 kW (racks at Max-P)");
    mr_assert_contains(text.text, "at the meter           433.1 kW, estimated (chain 2.219 kW, ");
    mr_assert_contains(text.text, "redundancy             4 of 4 racks on two feeds");
    mr_jsonw_init(&w, &json, 0);
    mr_jsonw_object(&w);
    mr_summary_json(&f.site, &s, &w);
    mr_jsonw_end(&w);
    mr_assert_contains(json.text, "\"racks\":4,\"packages\":32");
    mr_assert_contains(json.text, "\"granted_w\":400000");
    mr_summary_dot(&f.site, &dot);
    mr_assert_contains(dot.text, "\"rppA\" -> \"H0.R0.K0\" [color=red];");
    mr_assert_contains(dot.text, "\"H0.L0\" -> \"H0.R0.C0\" [color=blue,dir=both];");
    mr_buf_fini(&text);
    mr_buf_fini(&json);
    mr_buf_fini(&dot);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_sound_site_has_no_findings), MR_TEST_ENTRY(power_that_does_not_fit),
             MR_TEST_ENTRY(heat_and_flow_that_do_not_fit), MR_TEST_ENTRY(floor_domains_and_routes),
             MR_TEST_ENTRY(every_failing_allocation), MR_TEST_ENTRY(sums_of_a_site))
