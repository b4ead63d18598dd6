/* SPDX-License-Identifier: Apache-2.0 */
/* power/supply_shelf: how long a rack runs on from its own capacitors, by hand; gaps that are
 * bridged; filling again; who has none. */
#include "platforms/layout.h"
#include "power/supply.h"
#include "tests/test.h"

#include <stdio.h>

static const double card_j = 4680, eff = 0.98, rated_w = 142e3;

struct told {
    uint64_t n_rides, n_lost;
    double rides_s, lost_s, lasts_s;
};

static void take(void *context, const struct mr_supply_event *event)
{
    struct told *told = context;
    if (strcmp(event->kind, "power.rack_rides") == 0) {
        told->n_rides++;
        told->rides_s = event->t_s;
        told->lasts_s = event->limit;
    } else if (strcmp(event->kind, "power.rack_lost") == 0) {
        told->n_lost++;
        told->lost_s = event->t_s;
    }
}

static struct mr_site *site;
static struct mr_supply *supply;
static struct told told;

/* Eight racks on their panel; every one wants w. */
static void begin(const char *power, const char *card, const struct mr_supply_params *params,
                  double w)
{
    char text[256];
    struct mr_diags diags = {0};
    const struct mr_supply_options o = {.params = *params, .take = take, .context = &told};
    told = (struct told){0};
    snprintf(text, sizeof text,
             "<layout name=\"s\"><grid limit=\"6 MW\"/><power %s/><hall><row><rack "
             "card=\"%s\" count=\"8\"/></row></hall></layout>",
             power, card);
    if (mr_layout_load_text("t", mr_str_of(text), &site, &diags) != MR_OK ||
        mr_supply_create(site, &o, &supply, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    for (uint32_t i = 0; i < site->n_rack; i++)
        mr_supply_set_rack(supply, i, w);
    mr_supply_advance(supply, 100);
}

static struct mr_supply_total end(void)
{
    struct mr_supply_total t;
    mr_supply_total(supply, &t);
    assert_true(t.closure_rel < 1e-12);
    mr_supply_destroy(supply);
    mr_site_destroy(site);
    return t;
}

/* The panel of the row. */
static void break_panels(bool has_failed)
{
    for (uint32_t i = 0; i < site->n_power; i++)
        if (site->power[i].kind == MR_SITE_POWER_RPP)
            mr_supply_set_failed(supply, i, has_failed);
}

static struct mr_supply_reading at(double t_s)
{
    struct mr_supply_reading r;
    mr_supply_advance(supply, t_s);
    mr_supply_read(supply, &r);
    return r;
}

static struct mr_supply_params defaults(void)
{
    struct mr_supply_params p;
    mr_supply_defaults(&p);
    return p;
}

MR_TEST(they_last_as_long_as_their_energy)
{
    const struct mr_supply_params p = defaults();
    begin("ups=\"none\"", "gb300_nvl72", &p, 100e3);
    assert_true(told.n_rides == 0);
    break_panels(true);
    struct mr_supply_reading r = at(100.02);
    mr_assert_near(r.shelf_j, 8 * (card_j - 0.02 * 100e3 / eff), 1e-12, 0);
    mr_assert_near(r.storage_w, -800e3, 1e-12, 0);
    assert_true(r.n_rack_on == 8 && told.n_rides == 8 && told.n_lost == 0);
    mr_assert_near(told.lasts_s, card_j * eff / 100e3, 1e-12, 0);
    r = at(200);
    mr_assert_near(told.lost_s - 100, card_j * eff / 100e3, 1e-9, 0);
    assert_true(told.n_lost == 8 && r.n_rack_on == 0 && r.shelf_j < 1e-9);
    /* fed again: they fill at once, racks wait */
    break_panels(false);
    const double fill_s = card_j / (eff * 0.01 * rated_w);
    r = at(200 + fill_s / 2);
    mr_assert_near(r.shelf_j, 4 * card_j, 1e-9, 0);
    mr_assert_near(r.storage_w, 8 * 0.01 * rated_w, 1e-12, 0);
    r = at(200 + fill_s + 1);
    assert_true(r.storage_w == 0);
    mr_assert_near(r.shelf_j, 8 * card_j, 1e-9, 0);
    r = at(300);
    assert_true(r.n_rack_on == 8 && r.storage_w == 0);
    const struct mr_supply_total t = end();
    mr_assert_near(t.shelf_out_j, 8 * card_j * eff, 1e-9, 0);
    mr_assert_near(t.storage_in_j, 8 * card_j / eff, 1e-9, 0);
    assert_true(t.n_ride == 8 && t.short_j < 1e-6 && t.holdup_j == 0);
}

MR_TEST(a_short_gap_is_nothing)
{
    const struct mr_supply_params p = defaults();
    begin("ups=\"none\"", "gb300_nvl72", &p, 120e3);
    const double before_w = at(100).grid_w;
    break_panels(true);
    assert_true(at(100.03).n_rack_on == 8);
    break_panels(false);
    const struct mr_supply_reading r = at(100.04);
    assert_true(r.n_rack_on == 8 && told.n_lost == 0 && r.rack_w == 8 * 120e3);
    assert_true(r.grid_w > before_w + 8 * 0.01 * rated_w);
    const double fill_s = 0.03 * 120e3 / eff / (eff * 0.01 * rated_w);
    mr_assert_near(at(100.03 + fill_s * 0.5).shelf_j, 8 * (card_j - 0.015 * 120e3 / eff), 1e-9, 0);
    mr_assert_near(at(100.03 + fill_s * 1.01).grid_w, before_w, 1e-12, 0);
    const struct mr_supply_total t = end();
    assert_true(t.n_lost == 0 && t.dark_j == 0 && t.unserved_j == 0);
    mr_assert_near(t.shelf_out_j, 8 * 0.03 * 120e3, 1e-9, 0);
}

/* 100 kW for 20 ms, then half of it. */
MR_TEST(they_follow_the_load)
{
    const struct mr_supply_params p = defaults();
    begin("ups=\"none\"", "gb300_nvl72", &p, 100e3);
    break_panels(true);
    mr_supply_advance(supply, 100.02);
    for (uint32_t i = 0; i < site->n_rack; i++)
        mr_supply_set_rack(supply, i, 50e3);
    mr_supply_advance(supply, 101);
    mr_assert_near(told.lost_s, 100.02 + (card_j * eff - 0.02 * 100e3) / 50e3, 1e-12, 0);
    assert_true(told.n_rides == 8 && told.n_lost == 8);
    (void)end();
}

MR_TEST(who_has_none_is_dark_at_once)
{
    struct mr_supply_params p = defaults();
    begin("ups=\"none\"", "gb200_nvl72", &p, 100e3);
    break_panels(true);
    mr_supply_advance(supply, 101);
    assert_true(told.n_rides == 0 && told.n_lost == 8 && told.lost_s == 100);
    (void)end();
    /* of a rack that draws nothing they hold nothing up */
    begin("ups=\"none\"", "gb300_nvl72", &p, 0);
    break_panels(true);
    mr_supply_advance(supply, 101);
    assert_true(told.n_rides == 0 && told.n_lost == 8 && told.lost_s == 100);
    (void)end();
    /* asked for, they are there, but not where the row makes the direct current */
    p.shelf_j = 65;
    begin("ups=\"none\"", "gb200_nvl72", &p, 100e3);
    break_panels(true);
    mr_supply_advance(supply, 101);
    mr_assert_near(told.lost_s - 100, 72 * 65 * eff / 100e3, 1e-9, 0);
    (void)end();
    begin("ups=\"none\" chain=\"dc800\"", "vr_nvl144_kyber", &p, 100e3);
    assert_true(at(100).shelf_j == 0);
    (void)end();
}

/* A catcher whose switch takes 30 ms: hold-up bridges 20, capacitors the whole. */
MR_TEST(a_slow_switch_is_bridged)
{
    for (int has_shelf = 0; has_shelf <= 1; has_shelf++) {
        struct mr_supply_params p = defaults();
        p.wire.transfer_s = 0.03;
        begin("redundancy=\"block\"", has_shelf ? "gb300_nvl72" : "gb200_nvl72", &p, 100e3);
        for (uint32_t i = 0; i < site->n_power; i++)
            if (strcmp(site->power[i].name, "H0.upsA") == 0)
                mr_supply_set_failed(supply, i, true);
        const struct mr_supply_reading r = at(100.05);
        assert_int_equal(told.n_rides, has_shelf ? 8 : 0);
        assert_int_equal(told.n_lost, has_shelf ? 0 : 8);
        assert_int_equal(r.n_rack_on, has_shelf ? 8 : 0);
        const struct mr_supply_total t = end();
        mr_assert_near(t.shelf_out_j, has_shelf ? 8 * 0.03 * 100e3 : 0, 1e-9, 0);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(they_last_as_long_as_their_energy),
             MR_TEST_ENTRY(a_short_gap_is_nothing), MR_TEST_ENTRY(they_follow_the_load),
             MR_TEST_ENTRY(who_has_none_is_dark_at_once), MR_TEST_ENTRY(a_slow_switch_is_bridged))
