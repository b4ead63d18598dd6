/* SPDX-License-Identifier: Apache-2.0 */
/* power/chain: known answers of published chains, redundancies, transfers, trips and their
 * cascades; energies that close. */
#include "power/chain.h"

#include "engine/base/rng.h"
#include "tests/power/chain_bed.h"

/* ---- chains ---- */

/* 74 racks x 32 rectifiers x 4 nodes of an open model of Frontier, as a chain of 11,866 nodes. */
MR_TEST(published_machine_as_a_chain)
{
    struct site *s = new_site();
    const uint32_t grid = put(s, "grid", MR_STAGE_NONE, (double)INFINITY);
    const uint32_t cdus = put_on(s, "cdus", MR_STAGE_NONE, (double)INFINITY, grid);
    const uint32_t first = s->n_node;
    for (int i = 0; i < 74 * 8 * 4; i++) {
        const uint32_t rectifier = put_on(s, "rectifier", MR_STAGE_SHELF, 1, grid);
        s->node[rectifier].units.unit = mr_stage_affine(17, 0.96, (double)INFINITY);
        for (int k = 0; k < 4; k++) {
            const uint32_t node = put_on(s, "node", MR_STAGE_BRICK, 1, rectifier);
            s->node[node].units.unit = mr_stage_affine(13, 0.98, (double)INFINITY);
        }
    }
    start(s, MR_CHAIN_EVENT);
    static const double cpu_w[] = {90, 280}, gpu_w[] = {88, 560};
    static const double total_w[] = {7306523.824830, 28227884.369048},
                        lost_w[] = {570752.35, 1809296.90};
    mr_chain_set_demand(s->chain, cdus, 25 * 8473.47);
    for (int c = 0; c < 2; c++) {
        for (uint32_t i = first; i < s->n_node; i++) /* a rectifier feeds a switch of its own */
            mr_chain_set_demand(s->chain, i,
                                (i - first) % 5 == 0 ? 250 : cpu_w[c] + 4 * gpu_w[c] + 184.26);
        mr_chain_advance(s->chain, 3600.0 * c);
        struct mr_chain_total total;
        mr_chain_total(s->chain, 3600.0 * c + 3600, &total);
        mr_assert_near(total.source_w, total_w[c], 1e-12, 0);
        mr_assert_near(total.loss_w, lost_w[c], 0, 0.005);
        assert_true(total.closure_rel < 1e-12);
    }
    free_site(s);
}

/* One line of stages, as in tests/power/stage: the same efficiency, energies, and a current. */
MR_TEST(line_of_stages)
{
    static const int ac[] = {MR_STAGE_SUB_63, MR_STAGE_UNIT,   MR_STAGE_UPS,  MR_STAGE_BUSWAY,
                             MR_STAGE_SHELF,  MR_STAGE_BUSBAR, MR_STAGE_BRICK};
    static const int dc[] = {MR_STAGE_SUB_63, MR_STAGE_SST, MR_STAGE_BUSWAY, MR_STAGE_BRICK};
    for (int is_dc = 0; is_dc < 2; is_dc++) {
        struct site *s = new_site();
        uint32_t last = put(s, "grid", MR_STAGE_NONE, 1e6);
        s->node[last].voltage_v = 110e3;
        for (int i = 0; i < (is_dc ? 4 : 7); i++) {
            const int kind = is_dc ? dc[i] : ac[i];
            last = put_on(s, "stage", kind, 1e6, last);
            s->node[last].is_dc = is_dc ? i > 0 : i > 3;
            s->node[last].voltage_v = i == 0                   ? 20e3
                                      : is_dc                  ? (i < 3 ? 800 : 12)
                                      : i < 4                  ? 415
                                      : kind == MR_STAGE_BRICK ? 12
                                                               : 50;
        }
        start(s, MR_CHAIN_EVENT);
        mr_chain_set_demand(s->chain, last, 0.8e6);
        mr_chain_advance(s->chain, 100);
        mr_assert_near(0.8e6 / mr_chain_in_w(s->chain, 0), is_dc ? 0.95454 : 0.89619, 0, 5e-6);
        const struct mr_chain_flow flow = read(s, is_dc ? 3 : 4);
        mr_assert_near(flow.current_a,
                       is_dc ? flow.out_w / 800 : flow.out_w / (sqrt(3) * 415 * 0.99), 1e-14, 0);
        mr_assert_near(flow.in_j, 100 * flow.in_w, 1e-14, 0);
        free_site(s);
    }
}

/* ---- panels of one row, k of four lost ---- */

static double shown(double x) /* whole numbers, halves up */
{
    return floor(x + 0.5);
}

MR_TEST(loss_of_remote_power_panels)
{
    static const struct {
        double total_w, rack_w, panel_kw[4], whip_pct[4], current_a[4];
        bool is_over[4];
    } row[] = {{1316e3,
                146e3,
                {329, 439, 658, 1316},
                {55, 73, 112, 221},
                {458, 611, 915, 1831},
                {false, false, true, true}},
               {1531e3,
                173e3,
                {383, 510, 766, 1531},
                {67, 88, 130, 264},
                {533, 710, 1066, 2130},
                {false, true, true, true}}};
    for (int r = 0; r < 2; r++) {
        struct site *s = new_site();
        const uint32_t grid = put(s, "grid", MR_STAGE_NONE, 10e6);
        uint32_t panel[4];
        for (int p = 0; p < 4; p++) {
            panel[p] = put_on(s, "rpp", MR_STAGE_NONE, 500e3, grid);
            s->node[panel[p]].voltage_v = 415;
            s->node[panel[p]].power_factor = 1;
        }
        /* nine racks, the last one smaller; two whips of 33 kW from every panel to every rack */
        for (int k = 0; k < 9; k++) {
            put(s, "rack", MR_STAGE_NONE, 173e3);
            for (int p = 0; p < 4; p++) {
                feed(s, panel[p]);
                s->edge[s->n_edge - 1].rating_w = 2 * 33e3;
            }
        }
        start(s, MR_CHAIN_EVENT);
        for (uint32_t k = 0; k < 9; k++)
            mr_chain_set_demand(s->chain, panel[3] + 1 + k,
                                k < 8 ? row[r].rack_w : row[r].total_w - 8 * row[r].rack_w);
        for (int n_lost = 0; n_lost < 4; n_lost++) {
            if (n_lost > 0)
                mr_chain_set_failed(s->chain, panel[n_lost - 1], true);
            s->n_event = 0;
            mr_chain_advance(s->chain, n_lost);
            const struct mr_chain_flow flow = read(s, panel[3]);
            const double whip_w = mr_chain_edge_w(s->chain, panel[3] + 1, 3) / 2;
            mr_assert_near(flow.out_w, row[r].total_w / (4 - n_lost), 1e-14, 0);
            mr_assert_near(whip_w, row[r].rack_w / (8 - 2 * n_lost), 1e-14, 0);
            assert_true(shown(flow.out_w / 1e3) == row[r].panel_kw[n_lost]);
            /* the published table rounds a whip's kilowatts first */
            assert_true(shown(100 * shown(whip_w / 1e3) / 33) == row[r].whip_pct[n_lost]);
            /* and the panel's before it divides */
            assert_true(shown(shown(flow.out_w / 1e3) * 1e3 / (sqrt(3) * 415)) ==
                        row[r].current_a[n_lost]);
            mr_assert_near(mr_chain_edge_a(s->chain, panel[3] + 1, 3), 2 * whip_w / (sqrt(3) * 415),
                           1e-14, 0);
            const bool is_over = whip_w > 33e3 || flow.out_w > 500e3;
            assert_int_equal(is_over, row[r].is_over[n_lost]);
            assert_int_equal(flow.load_frac > 1, flow.out_w > 500e3);
        }
        assert_true(count(s, MR_CHAIN_CABLE_OVERLOAD) <= 9);
        mr_chain_set_failed(s->chain, panel[3], true);
        mr_chain_settle(s->chain);
        struct mr_chain_total total;
        mr_chain_total(s->chain, 3, &total); /* offline */
        assert_true(total.served_w == 0);
        mr_assert_near(total.unserved_w, row[r].total_w, 1e-14, 0);
        assert_int_equal(count(s, MR_CHAIN_FEED_LOST), 9);
        free_site(s);
    }
}

/* ---- redundancies ---- */

/* Systems of 1 MW; racks on them by a rule; @return the most any system carries when one fails. */
static double worst_w(int n_system, bool is_block, double rack_w)
{
    static const uint32_t pairs[][2] = {{0, 1}, {2, 3}, {0, 2}, {1, 3}, {0, 3}, {1, 2}};
    struct site *s = new_site();
    double worst = 0;
    const uint32_t grid = put(s, "grid", MR_STAGE_NONE, 1e8);
    for (int i = 0; i < n_system; i++)
        put_on(s, "ups", MR_STAGE_BUSWAY, 1e6, grid);
    for (uint32_t i = 0; i < 12; i++) {
        put(s, "rack", MR_STAGE_NONE, rack_w);
        const uint32_t a = n_system == 4 ? pairs[i % 6][0] : 0, b = pairs[i % 6][1];
        feed(s, 1 + (is_block ? i % 3 : a));
        feed(s, 1 + (is_block ? 3 : n_system == 4 ? b : 1));
        if (is_block) {
            s->node[s->n_node - 1].split = MR_CIRCUIT_TRANSFER;
            s->node[s->n_node - 1].transfer_s = mr_circuit_sts_s;
        }
    }
    for (uint32_t i = 0; i <= grid + (uint32_t)n_system; i++)
        s->node[i].may_oversubscribe = true;
    start(s, MR_CHAIN_EVENT);
    for (uint32_t i = 1 + (uint32_t)n_system; i < s->n_node; i++)
        mr_chain_set_demand(s->chain, i, rack_w);
    for (uint32_t f = 1; f <= (uint32_t)n_system; f++) {
        mr_chain_set_failed(s->chain, f, true);
        mr_chain_advance(s->chain, mr_chain_now_s(s->chain) + 1);
        struct mr_chain_total total;
        mr_chain_total(s->chain, mr_chain_now_s(s->chain), &total);
        mr_assert_near(total.served_w, 12 * rack_w, 1e-14, 0); /* nobody is lost */
        assert_true(total.unserved_j == 0);
        for (uint32_t i = 1; i <= (uint32_t)n_system; i++)
            worst = fmax(worst, read(s, i).out_w);
        mr_chain_set_failed(s->chain, f, false);
        mr_chain_advance(s->chain, mr_chain_now_s(s->chain) + 1);
    }
    free_site(s);
    return worst;
}

MR_TEST(loads_under_every_redundancy)
{
    /* 2N: one carries all; 4N/3: 4/3 of a quarter of the load; catcher: it takes one third */
    mr_assert_near(worst_w(2, false, 75e3), 12 * 75e3, 1e-13, 0);
    mr_assert_near(worst_w(4, false, 150e3), 12 * 150e3 / 4 * 4 / 3, 1e-13, 0);
    mr_assert_near(worst_w(4, true, 150e3), 12 * 150e3 / 3, 1e-13, 0);
}

MR_TEST(spare_unit_takes_over)
{
    struct site *s = new_site();
    const uint32_t grid = put(s, "grid", MR_STAGE_NONE, 1e8);
    const uint32_t ups = put_on(s, "ups", MR_STAGE_UPS, 1e6, grid);
    const uint32_t load = put_on(s, "racks", MR_STAGE_NONE, 2e6, ups);
    s->node[ups].units.n_installed = 3;
    s->node[ups].units.n_spare = 1;
    start(s, MR_CHAIN_EVENT);
    mr_chain_set_demand(s->chain, load, 2e6);
    mr_chain_advance(s->chain, 1);
    const struct mr_stage unit = mr_stage_of(MR_STAGE_UPS, 1e6);
    mr_assert_near(read(s, ups).loss_w, mr_stage_loss_w(&unit, 3, 2e6), 1e-14, 0);
    mr_chain_set_units_failed(s->chain, ups, 1);
    mr_chain_advance(s->chain, 2);
    mr_assert_near(read(s, ups).loss_w, mr_stage_loss_w(&unit, 2, 2e6), 1e-14, 0);
    assert_int_equal(count(s, MR_CHAIN_OVERLOAD), 0);
    mr_chain_set_units_failed(s->chain, ups, 2);
    mr_chain_advance(s->chain, 3);
    assert_int_equal(count(s, MR_CHAIN_OVERLOAD), 1);
    mr_chain_set_units_failed(s->chain, ups, 3);
    mr_chain_advance(s->chain, 4);
    assert_false(mr_chain_is_live(s->chain, load));
    mr_chain_set_units_failed(s->chain, ups, 0);
    mr_chain_advance(s->chain, 5);
    assert_true(mr_chain_is_live(s->chain, load) && read(s, ups).n_on == 3);
    assert_true(read(s, load).unserved_j == 2e6);
    free_site(s);
}

/* ---- transfers ---- */

/* Two feeds, a switch, a rack. */
static struct site *switched(double transfer_s)
{
    struct site *s = new_site();
    put(s, "A", MR_STAGE_NONE, 1e6);
    put(s, "B", MR_STAGE_NONE, 1e6);
    put(s, "switch", MR_STAGE_NONE, 1e6);
    feed(s, 0);
    feed(s, 1);
    s->node[2].split = MR_CIRCUIT_TRANSFER;
    s->node[2].transfer_s = transfer_s;
    put_on(s, "rack", MR_STAGE_NONE, 1e5, 2);
    start(s, MR_CHAIN_EVENT);
    mr_chain_set_demand(s->chain, 3, 1e5);
    mr_chain_advance(s->chain, 10);
    return s;
}

MR_TEST(static_switch_is_not_noticed)
{
    struct site *s = switched(mr_circuit_sts_s);
    mr_chain_set_source(s->chain, 0, false);
    mr_chain_settle(s->chain);
    assert_true(mr_chain_next_s(s->chain) == 10 + mr_circuit_sts_s);
    assert_true(mr_chain_is_live(s->chain, 3) && read(s, 2).own_w == 1e5);
    mr_chain_advance(s->chain, 20);
    assert_true(mr_chain_in_w(s->chain, 1) == 1e5 && read(s, 2).own_w == 0);
    mr_chain_set_source(s->chain, 0, true); /* back to the preferred one */
    mr_chain_advance(s->chain, 30);
    assert_true(mr_chain_in_w(s->chain, 0) == 1e5 && mr_chain_in_w(s->chain, 1) == 0);
    struct mr_chain_total total;
    mr_chain_total(s->chain, 30, &total);
    assert_true(total.unserved_j == 0 && total.closure_rel < 1e-12);
    mr_assert_near(total.own_j, 2 * 0.008 * 1e5, 1e-11, 0);
    mr_assert_near(total.served_j, 30 * 1e5, 1e-14, 0);
    assert_int_equal(count(s, MR_CHAIN_TRANSFER), 2);
    assert_int_equal(count(s, MR_CHAIN_FEED_LOST), 1); /* the source, nothing behind the switch */
    free_site(s);
}

MR_TEST(slow_switch_drops_the_load)
{
    struct site *s = switched(mr_circuit_ats_s);
    mr_chain_set_source(s->chain, 0, false);
    mr_chain_advance(s->chain, 19.9);
    assert_false(mr_chain_is_live(s->chain, 3));
    mr_chain_advance(s->chain, 30);
    assert_true(mr_chain_is_live(s->chain, 3));
    mr_assert_near(read(s, 3).unserved_j, 10 * 1e5, 1e-14, 0);
    mr_chain_set_source(s->chain, 0, true); /* going back would be noticed: it stays */
    mr_chain_advance(s->chain, 60);
    assert_true(mr_chain_in_w(s->chain, 1) == 1e5);
    mr_chain_set_source(s->chain, 1, false); /* the other dies while it changes over */
    mr_chain_advance(s->chain, 65);
    mr_chain_set_source(s->chain, 0, false);
    mr_chain_set_source(s->chain, 1, true);
    mr_chain_advance(s->chain, 74.9);
    assert_false(mr_chain_is_live(s->chain, 3));
    mr_chain_advance(s->chain, 75);
    assert_true(mr_chain_is_live(s->chain, 3));
    free_site(s);
}

MR_TEST(battery_bridges_the_gap)
{
    struct site *s = switched(mr_circuit_ats_s);
    mr_chain_set_backed(s->chain, 2, true);
    mr_chain_set_source(s->chain, 0, false);
    mr_chain_advance(s->chain, 15);
    assert_true(read(s, 2).own_w == 1e5 && mr_chain_is_live(s->chain, 3));
    mr_chain_advance(s->chain, 100);
    assert_true(read(s, 2).own_w == 0);
    mr_assert_near(read(s, 2).own_j, 10 * 1e5, 1e-14, 0);
    mr_chain_set_source(s->chain, 1, false);
    mr_chain_advance(s->chain, 200);
    mr_chain_set_backed(s->chain, 2, false); /* empty */
    mr_chain_advance(s->chain, 210);
    assert_false(mr_chain_is_live(s->chain, 3));
    mr_assert_near(read(s, 2).own_j, 110 * 1e5, 1e-14, 0);
    mr_assert_near(read(s, 3).unserved_j, 10 * 1e5, 1e-14, 0);
    free_site(s);
}

/* ---- breakers ---- */

/* Two panels share two racks. The second rack loses its cord to B, then A is overloaded and trips;
 * all comes to B, which trips at its own time. */
MR_TEST(one_trip_leads_to_the_next)
{
    struct site *s = new_site();
    const uint32_t grid = put(s, "grid", MR_STAGE_NONE, 1e8);
    for (int p = 0; p < 2; p++) {
        const uint32_t i = put_on(s, p == 0 ? "A" : "B", MR_STAGE_NONE, 100e3, grid);
        s->node[i].voltage_v = 415;
        s->node[i].power_factor = 1;
        s->node[i].may_oversubscribe = true;
        s->node[i].breaker = mr_breaker_of(MR_BREAKER_THERMAL, 100e3 / (sqrt(3) * 415));
    }
    const uint32_t rack = put(s, "rack", MR_STAGE_NONE, 200e3);
    feed(s, 1);
    feed(s, 2);
    const uint32_t other = put_on(s, "other", MR_STAGE_NONE, 100e3, 1);
    start(s, MR_CHAIN_EVENT);
    mr_chain_set_demand(s->chain, rack, 160e3); /* 0.8 each, until the image has settled */
    mr_chain_advance(s->chain, 36000);
    mr_assert_near(read(s, 1).heat, 0.64, 1e-9, 0);
    assert_int_equal(s->n_event, 0);
    mr_chain_set_demand(s->chain, other, 50e3); /* A at 1.3 */
    mr_chain_settle(s->chain);
    assert_int_equal(count(s, MR_CHAIN_OVERLOAD), 1);
    mr_assert_near(read(s, 1).trip_s, 36000 + 348.402, 0, 5e-4);
    mr_chain_advance(s->chain, 36100);
    assert_int_equal(count(s, MR_CHAIN_ALARM), 1);
    mr_chain_advance(s->chain, 36348);
    assert_int_equal(count(s, MR_CHAIN_TRIP), 0);
    mr_chain_advance(s->chain, 36349);
    assert_int_equal(count(s, MR_CHAIN_TRIP), 1);
    assert_false(mr_chain_is_live(s->chain, other));
    mr_assert_near(mr_chain_in_w(s->chain, 2), 160e3, 1e-14, 0); /* B at 1.6 */
    const double b_s = 600 * log((2.56 - 0.64) / (2.56 - 1.1025));
    mr_assert_near(mr_chain_next_s(s->chain), 36348.402 + 10, 0, 1e-3); /* the alarm of B */
    mr_assert_near(read(s, 2).trip_s, 36348.402 + b_s, 0, 1e-3);
    mr_chain_advance(s->chain, 40000);
    assert_int_equal(count(s, MR_CHAIN_TRIP), 2);
    assert_false(mr_chain_is_live(s->chain, rack));
    assert_true(read(s, 1).is_open);
    mr_chain_set_demand(s->chain, rack, 40e3);
    mr_chain_set_open(s->chain, 1, false); /* closed again by hand */
    mr_chain_advance(s->chain, 50000);
    assert_true(mr_chain_is_live(s->chain, rack) && !read(s, 1).is_open);
    mr_assert_near(mr_chain_in_w(s->chain, grid), 90e3, 1e-14, 0);
    mr_chain_set_demand(s->chain, rack, 900e3); /* 8 times and more: at once */
    mr_chain_settle(s->chain);
    assert_int_equal(count(s, MR_CHAIN_TRIP), 3);
    assert_true(mr_chain_in_w(s->chain, grid) == 0);
    mr_chain_set_open(s->chain, 1, false);
    mr_chain_set_open(s->chain, other, true); /* a switch */
    mr_chain_set_demand(s->chain, rack, 0);
    mr_chain_settle(s->chain);
    assert_false(mr_chain_is_live(s->chain, other));
    free_site(s);
}

/* ---- ticks ---- */

/* Held losses: off by no more than the bound, exact after the tick, energies closed throughout. */
MR_TEST(held_losses_stay_within_their_bound)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 7);
    struct site *exact = new_site(), *held = new_site();
    for (int k = 0; k < 2; k++) {
        struct site *s = k == 0 ? exact : held;
        const uint32_t grid = put(s, "grid", MR_STAGE_SUB_63, 4e6);
        const uint32_t ups = put_on(s, "ups", MR_STAGE_UPS, 4e6, grid);
        for (int p = 0; p < 4; p++) {
            const uint32_t panel = put_on(s, "p", MR_STAGE_BUSWAY, 1e6, ups);
            for (int i = 0; i < 4; i++)
                put_on(s, "rack", MR_STAGE_SHELF, 250e3, panel);
        }
        start(s, k == 0 ? MR_CHAIN_EVENT : MR_CHAIN_HOLD);
    }
    double worst_w = 0;
    for (int i = 0; i < 2000; i++) {
        const uint32_t node = 2 + (uint32_t)mr_rng_below(&rng, 20);
        const double w = mr_rng_range(&rng, 0, 240e3);
        for (int k = 0; k < 2; k++) {
            struct site *s = k == 0 ? exact : held;
            mr_chain_set_demand(s->chain, node, (node - 2) % 5 == 0 ? 0 : w);
            mr_chain_advance(s->chain, 0.1 * i);
            if (i % 10 == 9)
                mr_chain_tick(s->chain);
        }
        const double off_w = fabs(mr_chain_in_w(exact->chain, 0) - mr_chain_in_w(held->chain, 0));
        worst_w = fmax(worst_w, off_w);
        if (i % 10 == 9)
            assert_true(off_w <= 1e-12 * mr_chain_in_w(exact->chain, 0));
    }
    assert_true(worst_w > 1000 && worst_w <= mr_chain_hold_w(held->chain));
    assert_true(mr_chain_hold_w(held->chain) < 20 * worst_w);
    assert_true(mr_chain_hold_w(exact->chain) == 0);
    struct mr_chain_total total;
    mr_chain_total(held->chain, 300, &total);
    assert_true(total.closure_rel < 1e-12);
    free_site(exact);
    free_site(held);
}

MR_TEST(units_are_staged_at_ticks)
{
    struct site *s = new_site();
    const uint32_t grid = put(s, "grid", MR_STAGE_NONE, 1e8);
    const uint32_t ups = put_on(s, "ups", MR_STAGE_UPS, 2e6, grid);
    const uint32_t load = put_on(s, "racks", MR_STAGE_NONE, 12e6, ups);
    s->node[ups].units.n_installed = 6;
    s->node[ups].units.staging = MR_UNITS_OPTIMAL;
    start(s, MR_CHAIN_EVENT);
    mr_chain_set_demand(s->chain, load, 4e6);
    mr_chain_tick(s->chain);
    assert_int_equal(read(s, ups).n_on, 4);
    mr_assert_near(read(s, ups).loss_w, 145.0e3, 0, 50);
    mr_chain_set_demand(s->chain, load, 1e6);
    mr_chain_advance(s->chain, 30);
    mr_chain_tick(s->chain); /* too soon */
    assert_int_equal(read(s, ups).n_on, 4);
    mr_chain_advance(s->chain, 60);
    mr_chain_tick(s->chain);
    assert_int_equal(read(s, ups).n_on, 1);
    mr_assert_near(read(s, ups).loss_w, 36.25e3, 0, 5);
    mr_chain_set_demand(s->chain, load, 9e6); /* needed: no tick, no dwell, no overload */
    mr_chain_settle(s->chain);
    assert_int_equal(read(s, ups).n_on, 5);
    assert_int_equal(count(s, MR_CHAIN_OVERLOAD), 0);
    assert_int_equal(count(s, MR_CHAIN_UNIT_OFF), 2);
    assert_int_equal(count(s, MR_CHAIN_UNIT_ON), 1);
    free_site(s);
}

static mr_status create_once(void *context, struct mr_err *err)
{
    struct site *s = context;
    struct mr_chain *chain;
    const struct mr_chain_options options = {0};
    const mr_status st = mr_chain_create(s->tree, &options, &chain, err);
    mr_chain_destroy(chain);
    return st;
}

MR_TEST(no_memory)
{
    struct site *s = switched(1);
    mr_test_every_nomem(create_once, s);
    free_site(s);
    mr_chain_destroy(NULL);
    assert_string_equal(mr_chain_event_name(MR_CHAIN_TRIP), "power.breaker_trip");
}

MR_TEST_MAIN(MR_TEST_ENTRY(published_machine_as_a_chain), MR_TEST_ENTRY(line_of_stages),
             MR_TEST_ENTRY(loss_of_remote_power_panels),
             MR_TEST_ENTRY(loads_under_every_redundancy), MR_TEST_ENTRY(spare_unit_takes_over),
             MR_TEST_ENTRY(static_switch_is_not_noticed), MR_TEST_ENTRY(slow_switch_drops_the_load),
             MR_TEST_ENTRY(battery_bridges_the_gap), MR_TEST_ENTRY(one_trip_leads_to_the_next),
             MR_TEST_ENTRY(held_losses_stay_within_their_bound),
             MR_TEST_ENTRY(units_are_staged_at_ticks), MR_TEST_ENTRY(no_memory))
