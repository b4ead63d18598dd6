/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of the electric side in one table: what is documented, what the models say. Each
 * has a test of its own beside its model; here they can be read (run the program by itself). */
#include "engine/base/shelf.h"
#include "models/optic.h"
#include "power/breaker.h"
#include "power/buffer.h"
#include "power/chain.h"
#include "power/feed.h"
#include "power/frequency.h"
#include "power/govern.h"
#include "power/series.h"
#include "power/smooth.h"
#include "power/tariff.h"
#include "power/units.h"
#include "tests/engine/net/sanitizer.h"
#include "tests/test.h"

#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/host.h>
#include <simgrid/plugins/energy.h>

static int n_wrong;

/* Documented answers are printed figures: `abs` is half of the last digit. */
static void row(const char *id, const char *what, double wanted, double got, double abs)
{
    const bool is_right = fabs(got - wanted) <= abs + 1e-9 * fabs(wanted);
    print_message("%-4s %-52s %16.9g %16.9g %9.1e%s\n", id, what, wanted, got, fabs(got - wanted),
                  is_right ? "" : "  WRONG");
    n_wrong += !is_right;
}

static double input_w(const struct mr_stage *unit, double out_w)
{
    return out_w + mr_stage_loss_w(unit, 1, out_w);
}

/* 74 racks, 8 chassis, 4 rectifiers of 4 nodes and a switch; 25 coolant units. */
static void frontier(void)
{
    static const double cpu_w[] = {90, 280}, gpu_w[] = {88, 560};
    static const double total_kw[] = {7306.52, 28227.88}, lost_kw[] = {570.75, 1809.30};
    const struct mr_stage brick = mr_stage_affine(13, 0.98, (double)INFINITY),
                          rectifier = mr_stage_affine(17, 0.96, (double)INFINITY);
    for (int c = 0; c < 2; c++) {
        const double node_w = cpu_w[c] + 4 * gpu_w[c] + 74.26 + 80 + 30, n = 74 * 8 * 4;
        const double given_w = 4 * node_w + 250;
        const double taken_w = input_w(&rectifier, 4 * input_w(&brick, node_w) + 250);
        row("G1", c == 0 ? "Frontier idle, kW" : "Frontier peak, kW", total_kw[c],
            (n * taken_w + 25 * 8473.47) / 1e3, 5e-3);
        row("G1", "  losses, kW", lost_kw[c], n * (taken_w - given_w) / 1e3, 5e-3);
    }
}

static double chain_eff(const int *kind, int n, double load)
{
    double w = load;
    for (int i = 0; i < n; i++) {
        const struct mr_stage stage = mr_stage_of(kind[i], 1);
        w = input_w(&stage, w);
    }
    return load / w;
}

static void stages(void)
{
    static const int ac[] = {MR_STAGE_BRICK, MR_STAGE_BUSBAR, MR_STAGE_SHELF, MR_STAGE_BUSWAY,
                             MR_STAGE_UPS,   MR_STAGE_UNIT,   MR_STAGE_SUB_63};
    static const int eco[] = {MR_STAGE_BRICK,   MR_STAGE_BUSBAR, MR_STAGE_SHELF, MR_STAGE_BUSWAY,
                              MR_STAGE_UPS_ECO, MR_STAGE_UNIT,   MR_STAGE_SUB_63};
    static const int dc[] = {MR_STAGE_BRICK, MR_STAGE_BUSWAY, MR_STAGE_SST, MR_STAGE_SUB_63};
    const struct mr_stage substation = mr_stage_of(MR_STAGE_SUB_63, 63e6);
    row("G2", "63 MVA at full load, loss in %", 0.35492,
        mr_stage_loss_w(&substation, 1, 63e6) / 63e6 * 100, 5e-6);
    const struct mr_units ups = {.unit = mr_stage_of(MR_STAGE_UPS, 2e6),
                                 .n_installed = 6,
                                 .staging = MR_UNITS_OPTIMAL,
                                 .dwell_s = 60,
                                 .high_frac = 0.8,
                                 .low_frac = 0.6};
    const struct mr_units_state state = mr_units_start(&ups);
    row("G3", "best number of UPS at 4 MW", 4, mr_units_wanted(&ups, &state, 4e6), 0);
    row("G3", "best number of UPS at 1 MW", 1, mr_units_wanted(&ups, &state, 1e6), 0);
    row("G3", "losses of 4 at 4 MW, kW", 145.0, mr_stage_loss_w(&ups.unit, 4, 4e6) / 1e3, 0.05);
    row("G3", "losses of 1 at 1 MW, kW", 36.25, mr_stage_loss_w(&ups.unit, 1, 1e6) / 1e3, 5e-3);
    row("G3", "losses of 2 at 4 MW, kW", 166.8, mr_stage_loss_w(&ups.unit, 2, 4e6) / 1e3, 0.05);
    row("G4", "415 VAC, half load", 0.90900, chain_eff(ac, 7, 0.5), 5e-6);
    row("G4", "415 VAC, 80 %", 0.89619, chain_eff(ac, 7, 0.8), 5e-6);
    row("G4", "with eco UPS, half load", 0.93282, chain_eff(eco, 7, 0.5), 5e-6);
    row("G4", "with eco UPS, 80 %", 0.92348, chain_eff(eco, 7, 0.8), 5e-6);
    row("G5", "800 VDC, half load", 0.95851, chain_eff(dc, 4, 0.5), 5e-6);
    row("G5", "800 VDC, 80 %", 0.95454, chain_eff(dc, 4, 0.8), 5e-6);
    row("G5", "gap to double conversion, points", 5.0,
        100 * (chain_eff(dc, 4, 0.5) - chain_eff(ac, 7, 0.5)), 0.05);
    row("G5", "gap to eco, points", 2.6, 100 * (chain_eff(dc, 4, 0.5) - chain_eff(eco, 7, 0.5)),
        0.05);
}

static void fills(void)
{
    static const double max_w[3][3] = {{20, 50, 80}, {60, 60, 60}, {20, 50, 60}};
    static const double weight[3][3] = {{1, 1, 1}, {1, 1, 1}, {1, 1, 2}};
    static const double want_w[3][3] = {
        {20, 40, 40}, {100. / 3, 100. / 3, 100. / 3}, {20, 80. / 3, 160. / 3}};
    static const double min_w[] = {10, 10, 10}, gain[] = {1, 1, 1};
    for (int k = 0; k < 3; k++) {
        double alloc_w[3];
        const struct mr_govern_children child = {3, min_w, max_w[k], weight[k], gain};
        assert_true(mr_govern_fill(&child, 0, 100, alloc_w));
        for (int i = 0; i < 3; i++)
            row("G6", i == 0 ? "water-filling of 100 W over three" : "", want_w[k][i], alloc_w[i],
                0);
    }
}

static double trip_s(int law, double preload, double current)
{
    const struct mr_breaker breaker = mr_breaker_of(law, 1);
    struct mr_breaker_state state = mr_breaker_start(&breaker, preload, 0);
    mr_breaker_set(&breaker, &state, current, 0);
    return mr_breaker_trip_s(&breaker, &state);
}

static void breakers(void)
{
    static const struct {
        int law;
        double at2_s, at5_s;
    } law[] = {{MR_BREAKER_SI, 10.029, 4.280},
               {MR_BREAKER_VI, 13.5, 3.375},
               {MR_BREAKER_EI, 26.667, 3.333},
               {MR_BREAKER_LI, 120, 30}};
    for (int i = 0; i < 4; i++) {
        row("G7", mr_breaker_law_name(law[i].law), law[i].at2_s, trip_s(law[i].law, 0, 2), 5e-4);
        row("G7", "  at five times", law[i].at5_s, trip_s(law[i].law, 0, 5), 5e-4);
    }
    row("G8", "thermal image, 80 % before, 1.3 after, s", 348.402,
        trip_s(MR_BREAKER_THERMAL, 0.8, 1.3), 5e-4);
}

/* A load on four panels, k of them lost. */
static void panel(double total_w, double rack_w, const double *panel_kw, const double *whip_pct)
{
    struct mr_circuit_node node[7];
    struct mr_circuit_edge edge[12];
    struct mr_diags diags = {0};
    struct mr_circuit *circuit;
    struct mr_chain *chain;
    struct mr_err err = {0};
    node[0] = mr_circuit_node_of("grid", MR_STAGE_NONE, 10e6);
    for (uint32_t i = 1; i < 7; i++) {
        node[i] = mr_circuit_node_of(i < 5 ? "rpp" : "racks", MR_STAGE_NONE, i < 5 ? 500e3 : 2e6);
        node[i].may_oversubscribe = true;
        node[i].first_edge = i < 5 ? i - 1 : 4 + 4 * (i - 5);
        node[i].n_edge = i < 5 ? 1 : 4;
    }
    node[0].may_oversubscribe = true;
    for (uint32_t i = 0; i < 12; i++)
        edge[i] = (struct mr_circuit_edge){i < 4 ? 0 : 1 + i % 4, 1, (double)INFINITY};
    const struct mr_chain_options options = {0};
    assert_int_equal(mr_circuit_create(node, 7, edge, 12, 0, &circuit, &diags), MR_OK);
    assert_int_equal(mr_chain_create(circuit, &options, &chain, &err), MR_OK);
    mr_chain_set_demand(chain, 5, rack_w);
    mr_chain_set_demand(chain, 6, total_w - rack_w);
    for (uint32_t k = 0; k < 4; k++) {
        if (k > 0)
            mr_chain_set_failed(chain, k, true);
        mr_chain_settle(chain);
        struct mr_chain_flow flow;
        mr_chain_read(chain, 4, 0, &flow);
        row("G9", k == 0 ? "panels, none lost, kW" : "  one more lost, kW", panel_kw[k],
            flow.out_w / 1e3, 0.51); /* 382.75 is printed as 383 */
        const double whip_kw = floor(mr_chain_edge_w(chain, 5, 3) / 2e3 + 0.5);
        row("G9", "  whip, % of 33 kW", whip_pct[k], floor(whip_kw / 33 * 100 + 0.5), 0);
    }
    mr_chain_destroy(chain);
    mr_circuit_destroy(circuit);
}

static void panels(void)
{
    static const double low_kw[] = {329, 439, 658, 1316}, low_pct[] = {55, 73, 112, 221};
    static const double high_kw[] = {383, 510, 766, 1531}, high_pct[] = {67, 88, 130, 264};
    panel(1316e3, 146e3, low_kw, low_pct);
    panel(1531e3, 173e3, high_kw, high_pct);
}

/* What a gigawatt gives every rack under one limit, all asking for more. */
static double share_w(uint32_t n_rack, double limit_w, double max_w)
{
    struct mr_arena arena = {0};
    struct mr_err err = {0};
    struct mr_govern_params params;
    struct mr_govern_tree *tree;
    struct mr_govern_pass pass;
    const uint32_t n = n_rack + 1;
    struct mr_govern_node *node = mr_arena_zero(&arena, n, sizeof *node, &err);
    double *min = mr_arena_zero(&arena, n, sizeof *min, &err);
    double *max = mr_arena_zero(&arena, n, sizeof *max, &err);
    assert_true(node != NULL && min != NULL && max != NULL);
    for (uint32_t i = 0; i < n; i++) {
        node[i] = (struct mr_govern_node){0, i == 0 ? limit_w : (double)INFINITY, 1, 1};
        max[i] = max_w;
    }
    mr_govern_defaults(&params);
    assert_int_equal(mr_govern_tree_build(&arena, node, n, &tree, &err), MR_OK);
    assert_int_equal(mr_govern_pass_init(&arena, tree, &pass, &err), MR_OK);
    const struct mr_govern_load load = {
        .min_w = min, .max_w = max, .demand_w = max, .budget_w = (double)INFINITY};
    mr_govern_decide(tree, &params, &load, &pass);
    const double w = pass.alloc_w[n - 1];
    mr_arena_fini(&arena);
    return w;
}

static void lent_watts(void)
{
    const uint32_t off = 274968 / 72, on = 399096 / 72;
    const double off_w = share_w(off, 1e9, 1e6), on_w = share_w(on, 1e9, 1e6);
    row("G10", "racks without lending", 3819, off, 0);
    row("G10", "racks with lending", 5543, on, 0);
    row("G10", "a rack without, kW", 261.85, off_w / 1e3, 5e-3);
    row("G10", "a rack with, kW", 180.41, on_w / 1e3, 5e-3);
    row("G10", "a GPU without, kW", 3.6368, off_w / 72e3, 5e-5);
    row("G10", "a GPU with, kW", 2.5057, on_w / 72e3, 5e-5);
    row("G10", "power of a rack, share", 0.68898, on_w / off_w, 5e-6);
    row("G10", "more GPUs, %", 45.14, (off_w / on_w - 1) * 100, 5e-3);
    row("G10", "revenue of a GPU, share", 0.91521, 267. / 201 * on_w / off_w, 5e-6);
    row("G11", "4 racks of 101 kW in the envelope of 3 of 136, kW", 404,
        4 * share_w(4, 3 * 136e3, 101e3) / 1e3, 0);
}

static double optic_w(struct mr_shelf *shelf, const char *id)
{
    struct mr_diags diags = {0};
    const struct mr_card *card = mr_shelf_card(shelf, &mr_optic_kind, id, MR_NOWHERE, &diags);
    assert_non_null(card);
    return mr_optic_of(card)->power_w;
}

static void optics(void)
{
    struct mr_err err = {0};
    struct mr_shelf *shelf;
    setenv("MILLRACE_PATH", MR_SOURCE_DIR, 1);
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    row("G12", "400,000 GPUs x 6 pluggables, MW", 72.0,
        400e3 * 6 * optic_w(shelf, "pluggable_1600") / 1e6, 0.05);
    row("G12", "  co-packaged, MW", 21.6, 400e3 * 6 * optic_w(shelf, "cpo_1600") / 1e6, 0.05);
    mr_shelf_destroy(shelf);
}

static void smoothing(void)
{
    static const double corner_s[] = {0.8, 2.0, 2.8};
    struct mr_smooth_params params;
    mr_smooth_defaults(&params);
    params.is_on = true;
    params.floor_frac = 0.6;
    struct mr_smooth s = mr_smooth_start(&params, 1000, 0, 1000);
    mr_smooth_set(&params, &s, 200);
    for (int i = 0; i < 3; i++) {
        const double next_s = mr_smooth_next_s(&params, &s);
        row("G13", i == 0 ? "smoothing, 1000 to 200 W: corners, s" : "", corner_s[i], next_s, 0);
        mr_smooth_advance(&params, &s, next_s);
    }
    row("G13", "  burn, J", 1120, s.burn_j, 0);
}

static void storage(void)
{
    struct mr_buffer_params p;
    enum mr_buffer_event event;
    mr_buffer_defaults(&p, MR_BUFFER_BESS);
    p.energy_j = 3.6e9;
    p.discharge_w = 4e6;
    p.discharge_eff = 0.95;
    p.soc_min_frac = 0;
    p.soc_max_frac = p.soc_start_frac = 1;
    p.n_unit = 1;
    struct mr_buffer b = mr_buffer_start(&p, 0);
    mr_buffer_set(&p, &b, -4e6);
    row("G14", "1 MWh at 4 MW is empty after, s", 855, mr_buffer_next_s(&p, &b, &event), 0);
    mr_buffer_defaults(&p, MR_BUFFER_BBU);
    b = mr_buffer_start(&p, 0);
    mr_buffer_set(&p, &b, -5.5e3);
    row("G14", "battery unit at 5.5 kW, s", 240, mr_buffer_next_s(&p, &b, &event), 0);
    mr_buffer_advance(&p, &b, 240);
    row("G14", "  gave, kWh", 0.3667, b.out_j / 3.6e6, 5e-5);
}

static double hz_at(const struct mr_frequency_params *p, double t_s)
{
    struct mr_frequency swing = mr_frequency_start(0);
    mr_frequency_disturb(p, &swing, -10e6);
    mr_frequency_advance(p, &swing, t_s);
    return mr_frequency_hz(p, &swing);
}

static void frequency(void)
{
    struct mr_frequency_params p;
    mr_frequency_defaults(&p);
    row("G15", "island, a tenth lost: after 1 s, Hz", 59.636899, hz_at(&p, 1), 5e-7);
    struct mr_frequency swing = mr_frequency_start(0);
    mr_frequency_disturb(&p, &swing, -10e6);
    double hz;
    const double nadir_s = mr_frequency_extremum_s(&p, &swing, &hz);
    row("G15", "  nadir, Hz", 59.630977, hz, 5e-7);
    row("G15", "  at, s", 1.17375, nadir_s, 5e-5);
    row("G15", "  settles, Hz", 59.714286, mr_frequency_steady_hz(&p, &swing), 5e-7);
    p.droop = 0;
    row("G15", "  without governor after 1 s, Hz", 59.42902, hz_at(&p, 1), 5e-6);
}

static void read_series(const char *file, const char *time, const char *value,
                        struct mr_arena *arena, struct mr_series *s, struct mr_series_summary *sum)
{
    struct mr_err err = {0};
    const struct mr_series_columns columns = {time, value, 1, 0};
    char path[1024];
    snprintf(path, sizeof path, "%s/grid/%s", getenv("MILLRACE_DATA"), file);
    assert_int_equal(mr_series_read(arena, path, &columns, s, &err), MR_OK);
    assert_int_equal(mr_series_summarize(s, sum, NULL), MR_OK);
}

static void readers(struct mr_arena *arena)
{
    struct mr_series s;
    struct mr_series_summary sum;
    read_series("ercot_price_2024.csv", "Datetime (UTC)", "Price (USD/MWh)", arena, &s, &sum);
    row("G16", "prices of 2024: rows", 8784, s.n, 0);
    row("G16", "  mean, USD/MWh", 28.0821, sum.mean, 5e-5);
    row("G16", "  median", 19.945, sum.median, 5e-4);
    row("G16", "  most", 2064.495, sum.max, 5e-4);
    row("G16", "  below 0", 15, sum.n_negative, 0);
    read_series("erco_carbon_2022.csv", "timestamp", "avg_CI", arena, &s, &sum);
    row("G16", "carbon of 2022: rows", 8760, s.n, 0);
    row("G16", "  mean, g/kWh", 347.202, sum.mean, 5e-4);
    row("G16", "  least", 110.747, sum.min, 5e-4);
    row("G16", "  most", 516.686, sum.max, 5e-4);
}

static void money(void)
{
    static const double step_s[] = {0, 3600}, usd_j[] = {16.62 / 3.6e9, 16.62 / 3.6e9};
    struct mr_arena arena = {0};
    struct mr_err err = {0};
    struct mr_series s;
    struct mr_tariff_params p;
    mr_tariff_defaults(&p);
    assert_int_equal(mr_series_of(&arena, step_s, usd_j, 2, 7200, &s, &err), MR_OK);
    struct mr_tariff tariff = mr_tariff_start(&p, 0);
    mr_tariff_advance(&p, &tariff, &s, NULL, 5400, 100e6, 100e6);
    row("G16", "100 MW for 1.5 h at 16.62 USD/MWh, USD", 2493, tariff.energy_usd, 0);
    if (getenv("MILLRACE_DATA") != NULL)
        readers(&arena);
    else
        print_message("G16  readers of prices and carbon: not run, MILLRACE_DATA is not set\n");
    mr_arena_fini(&arena);
}

/* -25 % for three hours, told 30 s before; once it is met, once load stays 21 % above it. */
static void curtailment(void)
{
    static const int order[] = {MR_FEED_TARGET_SET, MR_FEED_START_RAMP_DOWN, MR_FEED_END_RAMP_DOWN,
                                MR_FEED_START_RAMP_UP, MR_FEED_END_RAMP_UP};
    struct mr_feed_params p;
    struct mr_err err = {0};
    mr_feed_defaults(&p);
    p.limit_w = 120e6;
    p.min_w = 0;
    const struct mr_feed_target target = {.start_s = 30, .end_s = 10830, .limit_w = 75e6};
    for (int is_over = 0; is_over < 2; is_over++) {
        static struct mr_feed feed;
        int k = 0, n_wrong_order = 0, n_not_met = 0, severity = -1;
        mr_feed_start(&p, 0, 100e6, &feed);
        assert_int_equal(mr_feed_set(&p, &feed, &target, &err), MR_OK);
        for (double t_s = 0; t_s < 12000; t_s += 1) {
            const double kept_w = is_over ? 1.21 * 75e6 : 75e6;
            const double load_w = t_s < 60 || t_s >= 10830 ? 100e6 : kept_w;
            mr_feed_step(&p, &feed, t_s, load_w);
            for (uint32_t i = 0; i < feed.n_status; i++)
                if (feed.status[i].event != MR_FEED_PERIODIC && !is_over)
                    n_wrong_order += k >= 5 || feed.status[i].event != order[k++];
            for (uint32_t i = 0; i < feed.n_alert; i++)
                severity = feed.alert[i].breach == MR_FEED_ACTIVE && feed.alert[i].t_s > 60
                               ? feed.alert[i].severity
                               : severity;
            if (t_s >= 60 && t_s < 10830)
                n_not_met += !mr_feed_is_compliant(&p, &feed);
            if (is_over && t_s >= 60 && t_s < 10830 && feed.is_breached)
                severity = feed.severity;
            feed.n_status = feed.n_alert = 0;
        }
        if (!is_over) {
            row("G17", "statuses of a curtailment, in order", 5, k - n_wrong_order, 0);
            row("G17", "seconds of it that are not compliant", 0, n_not_met, 0);
        } else {
            row("G17", "held 21 % over: severity (1 critical)", MR_FEED_CRITICAL, severity, 0);
        }
    }
}

/* A host of 100 W idle and 200 W busy computes for 5 s and rests for 1 s. */
static void compute(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    sg_actor_execute(500);
    sg_actor_sleep_for(1);
}

static void simgrid(void)
{
    static const char text[] =
        "<?xml version='1.0'?><!DOCTYPE platform SYSTEM "
        "\"https://simgrid.org/simgrid.dtd\"><platform version=\"4.1\"><zone id=\"z\" "
        "routing=\"Full\"><host id=\"h\" speed=\"100f\"><prop id=\"wattage_per_state\" "
        "value=\"100:100:200\"/></host></zone></platform>";
    const char *const path = mr_test_write("host.xml", text, sizeof text - 1);
    char *argv[] = {(char[]){"golden"}, (char[]){"--log=root.thres:warning"},
                    (char[]){"--cfg=contexts/factory:thread"}, NULL};
    int argc = UNDER_SANITIZER ? 3 : 2;
    simgrid_init(&argc, argv);
    sg_host_energy_plugin_init();
    simgrid_load_platform(path);
    const sg_host_t host = sg_host_by_name("h");
    sg_actor_create("compute", host, compute, 0, NULL);
    simgrid_run();
    row("G18", "SimGrid's host_energy, J", 1100, sg_host_get_consumed_energy(host), 0);
    struct mr_circuit_node node[2] = {mr_circuit_node_of("grid", MR_STAGE_NONE, 1e3),
                                      mr_circuit_node_of("host", MR_STAGE_NONE, 1e3)};
    struct mr_circuit_edge edge = {0, 1, (double)INFINITY};
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_circuit *circuit;
    struct mr_chain *chain;
    const struct mr_chain_options options = {0};
    node[1].n_edge = 1;
    assert_int_equal(mr_circuit_create(node, 2, &edge, 1, 0, &circuit, &diags), MR_OK);
    assert_int_equal(mr_chain_create(circuit, &options, &chain, &err), MR_OK);
    mr_chain_set_demand(chain, 1, 200);
    mr_chain_advance(chain, simgrid_get_clock() - 1);
    mr_chain_set_demand(chain, 1, 100);
    mr_chain_advance(chain, simgrid_get_clock());
    struct mr_chain_flow flow;
    mr_chain_read(chain, 1, simgrid_get_clock(), &flow);
    row("G18", "the chain's, J", 1100, flow.served_j, 0);
    mr_chain_destroy(chain);
    mr_circuit_destroy(circuit);
}

MR_TEST(electric_answers)
{
    n_wrong = 0;
    print_message("%-4s %-52s %16s %16s %9s\n", "", "", "documented", "computed", "off");
    frontier();
    stages();
    fills();
    breakers();
    panels();
    lent_watts();
    optics();
    smoothing();
    storage();
    frequency();
    money();
    curtailment();
    simgrid();
    assert_int_equal(n_wrong, 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(electric_answers))
