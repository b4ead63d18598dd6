/* SPDX-License-Identifier: Apache-2.0 */
/* power/wire: every shipped layout becomes a chain that carries its racks; a small one node by
 * node; sites that cannot. */
#include "power/wire.h"

#include "platforms/layout.h"
#include "platforms/meter.h"
#include "power/chain.h"
#include "power/strand.h"
#include "tests/test.h"

#include <dirent.h>

static struct mr_site *load_text(const char *text)
{
    struct mr_diags diags = {0};
    struct mr_site *site;
    if (mr_layout_load_text("t", mr_str_of(text), &site, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    return site;
}

static struct mr_wire wire_of(const struct mr_site *site)
{
    struct mr_wire_params params;
    struct mr_wire wire;
    struct mr_diags diags = {0};
    mr_wire_defaults(&params);
    if (mr_wire_of(site, &params, &wire, &diags) != MR_OK)
        fail_msg("%s: %s", site->name, diags.item[0].err.text);
    return wire;
}

/* Racks at a share of their limits, cooling beside them: everything is served, the loss is what
 * sizing has estimated, energies close. Cooling that is estimated hall by hall is shared by what
 * racks draw here, hence the looser bound. */
static void check_load(const struct mr_site *site, double load, double rel)
{
    struct mr_wire wire = wire_of(site);
    struct mr_chain *chain;
    struct mr_err err = {0};
    struct mr_meter meter;
    struct mr_chain_total total;
    const struct mr_chain_options options = {.has_no_trips = true};
    assert_int_equal(mr_chain_create(wire.tree, &options, &chain, &err), MR_OK);
    assert_int_equal(mr_meter_estimate(site, load, &meter, &err), MR_OK);
    for (uint32_t i = 0; i < site->n_rack; i++)
        mr_chain_set_demand(chain, wire.of_rack[i], load * site->rack[i].limit_w);
    for (uint32_t h = 0; h < site->n_hall; h++) {
        double hall_w = 0;
        for (uint32_t i = 0; i < site->n_rack; i++)
            hall_w += site->rack[i].hall == h ? load * site->rack[i].limit_w : 0;
        mr_chain_set_demand(chain, wire.of_hall[h], hall_w / meter.rack_w * meter.cooling_w);
    }
    mr_chain_advance(chain, 3600);
    mr_chain_total(chain, 3600, &total);
    mr_assert_near(total.served_w, meter.rack_w + meter.cooling_w, 1e-12, 0);
    assert_true(total.unserved_w == 0 && total.closure_rel < 1e-12);
    mr_assert_near(total.loss_w, meter.chain_w, rel, 0);
    mr_chain_destroy(chain);
    mr_wire_fini(&wire);
}

static void check_site(struct mr_site *site)
{
    check_load(site, 1, 2e-3);
    check_load(site, 0.6, 2e-3);
    for (uint32_t i = 0; i < site->n_rack; i++) { /* the chain alone */
        site->rack[i].cdu = MR_SITE_NONE;
        site->rack[i].liquid_frac = 1;
    }
    check_load(site, 1, 1e-12);
    check_load(site, 0.3, 1e-12);
}

MR_TEST(every_shipped_layout_is_a_chain)
{
    char path[1024];
    int n = 0;
    snprintf(path, sizeof path, "%s/platforms/examples", MR_SOURCE_DIR);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct mr_diags diags = {0};
        struct mr_site *site;
        if (strstr(entry->d_name, ".layout.xml") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/platforms/examples/%s", MR_SOURCE_DIR, entry->d_name);
        assert_int_equal(mr_layout_load(path, &site, &diags), MR_OK);
        check_site(site);
        mr_site_destroy(site);
        n++;
    }
    closedir(folder);
    assert_true(n >= 12);
}

static uint32_t find(const struct mr_wire *wire, const char *name)
{
    for (uint32_t i = 0; i < wire->tree->n_node; i++)
        if (strcmp(wire->tree->node[i].name, name) == 0)
            return i;
    fail_msg("no node %s", name);
    return 0;
}

static const struct mr_circuit_node *parent(const struct mr_wire *wire, const char *name,
                                            uint32_t e)
{
    const struct mr_circuit_node *node = &wire->tree->node[find(wire, name)];
    assert_true(e < node->n_edge);
    return &wire->tree->node[wire->tree->edge[node->first_edge + e].parent];
}

MR_TEST(small_site_node_by_node)
{
    struct mr_site *site =
        load_text("<layout name=\"s\"><grid limit=\"3 MW\" voltage=\"110 kV\"/>"
                  "<power redundancy=\"2N\"><bess rating=\"1 MW\" duration=\"1 h\"/><generator/>"
                  "</power><hall><row><rack card=\"gb200_nvl72\" count=\"4\"/></row></hall>"
                  "</layout>");
    struct mr_wire wire = wire_of(site);
    const struct mr_circuit *tree = wire.tree;
    assert_string_equal(tree->node[0].name, "grid");
    assert_true(tree->node[0].units.unit.rating_w == 3e6);
    /* racks on both panels, panels on their UPS, batteries on a bar behind the substations */
    const struct mr_circuit_node *rack = &tree->node[wire.of_rack[0]];
    assert_int_equal(rack->n_edge, 2);
    assert_true(rack->is_load && rack->split == MR_CIRCUIT_SHARE);
    assert_string_equal(parent(&wire, rack->name, 0)->name, "H0.R0.rppA");
    assert_string_equal(parent(&wire, rack->name, 1)->name, "H0.R0.rppB");
    assert_string_equal(parent(&wire, "H0.R0.rppB", 0)->name, "H0.upsB");
    assert_string_equal(parent(&wire, "H0.mvA", 0)->name, "S.subA.bar");
    assert_string_equal(parent(&wire, "S.subA.bar", 0)->name, "S.subA");
    assert_int_equal(tree->node[find(&wire, "S.subA")].kind, MR_STAGE_SUB_25);
    assert_int_equal(tree->node[find(&wire, "H0.upsA")].kind, MR_STAGE_UPS);
    assert_string_equal(parent(&wire, "H0.house", 0)->name, "H0.unitA");
    assert_string_equal(parent(&wire, "s.house", 0)->name, "grid");
    /* a panel's breaker has the current of its rating */
    const struct mr_circuit_node *panel = &tree->node[find(&wire, "H0.R0.rppA")];
    mr_assert_near(panel->breaker.rated_a, 500e3 / (sqrt(3) * 415 * 0.99), 1e-12, 0);
    assert_true(panel->units.n_installed > 1);
    for (size_t i = 0; i < site->n_power; i++)
        assert_int_equal(wire.of_power[i] == MR_CIRCUIT_NONE,
                         site->power[i].kind == MR_SITE_POWER_BESS ||
                             site->power[i].kind == MR_SITE_POWER_GENERATOR);
    mr_wire_fini(&wire);
    mr_site_destroy(site);
}

MR_TEST(direct_current_rows)
{
    struct mr_site *site =
        load_text("<layout name=\"s\"><grid limit=\"3 MW\"/><power chain=\"sst\"/>"
                  "<hall><row><rack card=\"vr_nvl144_kyber\" count=\"3\"/></row></hall></layout>");
    struct mr_wire wire = wire_of(site);
    const struct mr_circuit_node *sst = &wire.tree->node[find(&wire, "H0.R0.sstA")];
    assert_true(sst->is_dc && sst->voltage_v == 800 && sst->kind == MR_STAGE_SST);
    mr_assert_near(sst->breaker.rated_a, 2e6 / 800, 1e-12, 0);
    mr_wire_fini(&wire);
    mr_site_destroy(site);
}

static mr_status wire_once(void *context, struct mr_err *err)
{
    struct mr_wire_params params;
    struct mr_wire wire;
    struct mr_diags diags = {0};
    mr_wire_defaults(&params);
    const mr_status st = mr_wire_of(context, &params, &wire, &diags);
    if (st == MR_OK)
        mr_wire_fini(&wire);
    else
        *err = diags.item[0].err;
    return st;
}

MR_TEST(sites_that_cannot_be_wired)
{
    struct mr_site *site =
        load_text("<layout name=\"s\"><grid limit=\"3 MW\"/><hall><row>"
                  "<rack card=\"gb200_nvl72\" count=\"4\"/></row></hall></layout>");
    struct mr_err err = {0};
    mr_test_every_nomem(wire_once, site);
    const double rating_w = site->power[0].rating_w;
    site->power[0].rating_w = 0;
    assert_int_equal(wire_once(site, &err), MR_RANGE);
    mr_assert_contains(err.text, "rating 0 W: losses are computed from it");
    site->power[0].rating_w = rating_w;
    err = (struct mr_err){0};
    site->power[0].parent[0] = (uint32_t)(site->n_power - 1);
    assert_int_equal(wire_once(site, &err), MR_SCHEMA);
    mr_assert_contains(err.text, "feeds itself in a circle");
    mr_site_destroy(site);
}

/* A row of four racks on a CDU of 600 kW beside panels of 1 MW: of what is free, heat that the CDU
 * cannot take is stranded by cooling; spare units count for nothing. */
MR_TEST(cooling_strands_power)
{
    static const char *const text =
        "<layout name=\"s\"><grid limit=\"6 MW\"/><hall><row><rack card=\"gb200_nvl72\" "
        "count=\"4\"/></row></hall></layout>";
    struct mr_diags diags = {0};
    struct mr_site *site;
    struct mr_wire_params params;
    struct mr_wire wire;
    struct mr_err err = {0};
    double cooling_w[64];
    mr_wire_defaults(&params);
    assert_int_equal(mr_layout_load_text("t", mr_str_of(text), &site, &diags), MR_OK);
    const double rack_w = site->rack[0].rated_w, frac = site->rack[0].liquid_frac;
    assert_true(site->n_cdu == 1 && site->rack[0].cdu == 0 && frac > 0.5);
    site->cdu[0].n_unit = 3;
    site->cdu[0].n_spare = 1;
    site->cdu[0].capacity_w = 300e3;
    assert_int_equal(mr_wire_of(site, &params, &wire, &diags), MR_OK);
    assert_true(wire.tree->n_node <= 64);
    mr_wire_cooling(&wire, site, cooling_w);
    double room_w = 0;
    for (size_t i = 0; i < wire.tree->n_node; i++)
        room_w += isfinite(cooling_w[i]) ? cooling_w[i] : 0;
    mr_assert_near(room_w, (600e3 - 4 * rack_w * frac) / frac, 1e-12, 0);
    struct mr_strand_site free_site, cooled;
    assert_int_equal(mr_strand_of(wire.tree, NULL, &free_site, &err), MR_OK);
    site->cdu[0].capacity_w = 2 * rack_w * frac; /* nothing left */
    mr_wire_cooling(&wire, site, cooling_w);
    assert_int_equal(mr_strand_of(wire.tree, cooling_w, &cooled, &err), MR_OK);
    assert_true(free_site.sum.cooling_w == 0 && cooled.sum.free_w == 0);
    mr_assert_near(cooled.sum.cooling_w, free_site.sum.free_w + free_site.sum.granularity_w, 1e-9,
                   1e-3);
    mr_strand_fini(&free_site);
    mr_strand_fini(&cooled);
    mr_wire_fini(&wire);
    mr_site_destroy(site);
}

MR_TEST_MAIN(MR_TEST_ENTRY(cooling_strands_power), MR_TEST_ENTRY(every_shipped_layout_is_a_chain),
             MR_TEST_ENTRY(small_site_node_by_node), MR_TEST_ENTRY(direct_current_rows),
             MR_TEST_ENTRY(sites_that_cannot_be_wired))
