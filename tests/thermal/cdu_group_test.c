/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/cdu_group: design points, a lost unit, a step of facility water, modes against an oracle
 * that only knows the law of r, energy, pumps that stop, groups that can not be. */
#include "thermal/cdu_group.h"

#include "engine/base/fmath.h"
#include "engine/base/rng.h"
#include "tests/test.h"

static struct mr_cdu_group deschutes(uint64_t n_unit, uint64_t n_spare)
{
    struct mr_cdu_group g;
    struct mr_err err = {0};
    mr_cdu_group_defaults(&g);
    g.name = "C1";
    g.runs_spares = false;
    g.n_unit = n_unit;
    g.n_spare = n_spare;
    if (mr_cdu_group_init(&g, &err) != MR_OK)
        fail_msg("%s", err.text);
    return g;
}

MR_TEST(design_point)
{
    struct mr_cdu_group g = deschutes(1, 0);
    struct mr_cdu_group_state s;
    g.set_c = 20; /* below what is possible: saturated */
    mr_cdu_group_start(&g, &s, 0, 26.8);
    const double heat_w = 2e6 - s.fluid_w;
    mr_cdu_group_settle(&g, &s, heat_w);
    assert_int_equal(s.mode, MR_CDU_GROUP_LIMITED);
    mr_assert_near(mr_cdu_group_supply_c(&g, &s) - 26.8, 3, 1e-9, 0);
    mr_assert_near(s.return_c - mr_cdu_group_supply_c(&g, &s), 16.29, 1e-4, 0);
    mr_assert_near(mr_cdu_group_rejected_w(&g, &s), 2e6, 1e-12, 0);
    mr_assert_near(26.8 + 2e6 / (32.3 * 4180), 41.61, 1e-4, 0);
    mr_assert_near(s.electric_w, 74e3, 1e-12, 0);
}

MR_TEST(one_of_four_is_lost)
{
    struct mr_cdu_group g = deschutes(4, 0);
    struct mr_cdu_group_state s;
    g.set_c = 20;
    g.boost_frac = 1; /* flow of each unit is kept */
    g.electric_w = 0;
    mr_cdu_group_start(&g, &s, 0, 26.8);
    mr_cdu_group_lose(&g, &s, 1);
    assert_true(mr_cdu_group_flow(&s) == 0.75);
    mr_cdu_group_settle(&g, &s, 8e6 - s.fluid_w);
    mr_assert_near(mr_cdu_group_supply_c(&g, &s) - 26.8, 4, 1e-9, 0);
    mr_assert_near(s.return_c - mr_cdu_group_supply_c(&g, &s), 21.72, 1e-4, 0);
}

MR_TEST(step_of_facility_water)
{
    struct mr_cdu_group g = deschutes(1, 0);
    g.unit_m3 = 2;
    g.rack_m3 = 0;
    g.set_c = 20;
    assert_int_equal(mr_cdu_group_init(&g, NULL), MR_OK);
    struct mr_cdu_group_state s;
    mr_cdu_group_start(&g, &s, 0, 26.8);
    mr_cdu_group_settle(&g, &s, 1.5e6);
    mr_assert_near(g.heat_j_k / s.limit_w_k, 75.985, 1e-5, 0);
    const double before_c = s.return_c;
    mr_cdu_group_set_facility(&g, &s, 31.8);
    mr_cdu_group_advance(&g, &s, 60, 1.5e6, NULL);
    mr_assert_near(s.return_c - before_c, 2.7299, 1e-4, 0);
}

/* Saturated, Tret goes to Tfws + Q / G with C / G: the date at which the supply is 2 K high is a
 * logarithm, and how often anybody advances does not move it. */
MR_TEST(supply_is_high_at_its_crossing)
{
    struct mr_cdu_group g = deschutes(1, 0);
    g.set_c = 30;
    assert_int_equal(mr_cdu_group_init(&g, NULL), MR_OK);
    const double high_c = g.set_c + g.high_k, heat_w = 2.4e6, facility_c = 29;
    for (int n_part = 1; n_part <= 1000; n_part *= 10) {
        struct mr_cdu_group_state s;
        struct mr_cdu_group_notes notes = {0};
        mr_cdu_group_start(&g, &s, 0, 26.8);
        mr_cdu_group_settle(&g, &s, 1.5e6);
        mr_cdu_group_set_facility(&g, &s, facility_c);
        assert_int_equal(s.mode, MR_CDU_GROUP_LIMITED);
        assert_true(mr_cdu_group_supply_c(&g, &s) < high_c);
        const double share = s.limit_w_k / s.coolant_w_k;
        const double level_c = (high_c - share * facility_c) / (1 - share);
        const double steady_c = facility_c + (heat_w + s.fluid_w) / s.limit_w_k;
        const double want_s =
            g.heat_j_k / s.limit_w_k * mr_log((steady_c - s.return_c) / (steady_c - level_c));
        assert_true(want_s > 1 && want_s < 900);
        for (int i = 1; i <= n_part; i++)
            mr_cdu_group_advance(&g, &s, 1000.0 * i / n_part, heat_w, &notes);
        size_t n_high = 0;
        for (size_t i = 0; i < notes.n; i++) {
            if (notes.item[i].event != MR_CDU_GROUP_SUPPLY_HIGH)
                continue;
            n_high++;
            mr_assert_near(notes.item[i].t_s, want_s, 0, 1e-5);
            mr_assert_near(notes.item[i].supply_c, high_c, 0, 1e-5);
        }
        assert_int_equal(n_high, 1);
        assert_true(s.is_high);
        /* down again, and up for a second time */
        mr_cdu_group_advance(&g, &s, 2000, 0, &notes);
        assert_false(s.is_high);
        mr_cdu_group_advance(&g, &s, 4000, heat_w, &notes);
        assert_true(s.is_high);
    }
}

/* dT/dt = (Q - max(0, min(m cp (T - Tset), G (T - Tfws)))) / C, and no more. */
static double law_w(const struct mr_cdu_group *g, const struct mr_cdu_group_state *s, double t_c)
{
    return fmax(0, fmin(s->coolant_w_k * (t_c - g->set_c), s->limit_w_k * (t_c - s->facility_c)));
}

MR_TEST(modes_are_one_law)
{
    struct mr_cdu_group g = deschutes(2, 0);
    g.n_rack = 12;
    g.electric_w = 1e3;
    assert_int_equal(mr_cdu_group_init(&g, NULL), MR_OK);
    struct mr_cdu_group_state s;
    struct mr_rng rng = mr_rng_stream(3, MR_RNG_TEST, 0);
    struct mr_cdu_group_notes notes = {0};
    mr_cdu_group_start(&g, &s, 0, 38);
    double oracle_c = s.return_c, out_j = 0, stored_j = g.heat_j_k * s.return_c;
    int n_mode[3] = {0};
    for (int i = 0; i < 1000; i++) {
        const double heat_w = fmax(0, mr_rng_range(&rng, -3e6, 4.4e6));
        const double end_s = s.t_s + 0.05 * (double)mr_rng_below(&rng, 800);
        mr_cdu_group_set_facility(&g, &s, mr_rng_range(&rng, 30, 47));
        const double h = 0.05;
        const long n = lround((end_s - s.t_s) / h);
        const double in_w = heat_w + s.fluid_w;
        for (long j = 0; j < n; j++) {
            double k[4], y = oracle_c;
            for (int q = 0; q < 4; q++) {
                k[q] = (in_w - law_w(&g, &s, y)) / g.heat_j_k;
                y = oracle_c + (q == 2 ? h : 0.5 * h) * k[q];
            }
            oracle_c += h / 6 * (k[0] + 2 * k[1] + 2 * k[2] + k[3]);
        }
        /* in pieces, each of one mode: their rejected heat is integrated on its own */
        while (s.t_s < end_s) {
            const double to_s = fmin(end_s, mr_cdu_group_next_s(&g, &s, heat_w));
            const double dt = to_s - s.t_s, r0 = mr_cdu_group_rejected_w(&g, &s);
            const enum mr_cdu_group_mode mode = s.mode;
            const double slope = mode == MR_CDU_GROUP_BYPASS       ? 0
                                 : mode == MR_CDU_GROUP_REGULATING ? s.coolant_w_k
                                                                   : s.limit_w_k;
            mr_cdu_group_advance(&g, &s, to_s, heat_w, &notes);
            /* mean of r over the piece from the balance of an exponential */
            const double l = slope / g.heat_j_k;
            const double steady_w = in_w, x = l * dt;
            out_j += slope == 0 ? 0 : steady_w * dt + (r0 - steady_w) * -mr_expm1(-x) / l;
            n_mode[mode]++;
        }
        mr_assert_near(s.return_c, oracle_c, 0, 2e-3);
        mr_assert_near(mr_cdu_group_rejected_w(&g, &s), law_w(&g, &s, s.return_c), 1e-9, 1e-3);
        oracle_c = s.return_c;
    }
    assert_true(n_mode[0] > 20 && n_mode[1] > 20 && n_mode[2] > 20 && notes.n > 20);
    mr_assert_near(s.in_j + s.fluid_j, s.out_j + g.heat_j_k * s.return_c - stored_j, 1e-12, 0);
    mr_assert_near(s.out_j, out_j, 1e-9, 0);
}

MR_TEST(lazy_is_stepped)
{
    const struct mr_cdu_group g = deschutes(2, 1);
    struct mr_cdu_group_state a, b;
    mr_cdu_group_start(&g, &a, 0, 40);
    b = a;
    mr_cdu_group_lose(&g, &a, 1);
    mr_cdu_group_lose(&g, &b, 1);
    mr_cdu_group_advance(&g, &a, 100, 1.9e6, NULL);
    for (int i = 1; i <= 10000; i++)
        mr_cdu_group_advance(&g, &b, 0.01 * i, 1.9e6, NULL);
    mr_assert_near(a.return_c, b.return_c, 1e-10, 0);
    mr_assert_near(a.out_j, b.out_j, 1e-9, 0);
    assert_true(a.flow == b.flow && a.mode == b.mode);
}

MR_TEST(a_spare_takes_over)
{
    const struct mr_cdu_group g = deschutes(2, 1);
    struct mr_cdu_group_state s;
    struct mr_cdu_group_notes notes = {0};
    mr_cdu_group_start(&g, &s, 0, 38);
    mr_cdu_group_settle(&g, &s, 1.8e6);
    assert_int_equal(s.mode, MR_CDU_GROUP_REGULATING);
    assert_true(mr_cdu_group_supply_c(&g, &s) == 45);
    mr_cdu_group_lose(&g, &s, 1);
    assert_int_equal(s.flow, MR_FLOW_NONE);
    double before_s = 0, t_s;
    while ((t_s = mr_cdu_group_flow_next_s(&s)) < HUGE_VAL) {
        assert_true(t_s >= before_s && t_s < 30);
        mr_cdu_group_advance(&g, &s, t_s, 1.8e6, &notes);
        before_s = t_s;
    }
    assert_true(mr_cdu_group_flow(&s) == 1);
    mr_cdu_group_advance(&g, &s, 1000, 1.8e6, &notes);
    mr_assert_near(mr_cdu_group_supply_c(&g, &s), 45, 1e-12, 0);
    /* the second is lost too: no coolant moves, the loop warms */
    mr_cdu_group_lose(&g, &s, 1);
    const double before_c = s.return_c;
    mr_cdu_group_advance(&g, &s, 1060, 1.8e6, &notes);
    mr_assert_near(s.return_c - before_c, 60 * 1.8e6 / g.heat_j_k, 1e-12, 0);
    /* one comes back */
    mr_cdu_group_lose(&g, &s, -1);
    mr_cdu_group_advance(&g, &s, 3000, 1.8e6, &notes);
    mr_assert_near(mr_cdu_group_supply_c(&g, &s), 45, 1e-9, 0);
}

MR_TEST(spares_share_the_flow)
{
    struct mr_cdu_group g = deschutes(3, 1);
    struct mr_cdu_group_state s;
    mr_cdu_group_start(&g, &s, 0, 38);
    const double alone_w = s.electric_w, alone_w_k = s.limit_w_k;
    mr_assert_near(alone_w, 2 * 74e3, 1e-12, 0);
    g.runs_spares = true;
    mr_cdu_group_start(&g, &s, 0, 38);
    mr_assert_near(s.electric_w, alone_w * mr_pow(2.0 / 3, 1.85), 1e-12, 0);
    assert_true(s.limit_w_k > alone_w_k);
    /* one is lost: two thirds of the flow, what boost gives at once, all of it after the ramp */
    mr_cdu_group_lose(&g, &s, 1);
    mr_assert_near(mr_flow_at(&s.path, 0), 2.0 / 3 * 1.15, 1e-12, 0);
    mr_cdu_group_advance(&g, &s, 31, 3e6, NULL);
    assert_true(mr_cdu_group_flow(&s) == 1);
    mr_assert_near(s.electric_w, alone_w, 1e-12, 0);
}

MR_TEST(pumps_coast_down_and_come_back)
{
    const struct mr_cdu_group g = deschutes(1, 0);
    struct mr_cdu_group_state s;
    struct mr_cdu_group_notes notes = {0};
    mr_cdu_group_start(&g, &s, 0, 38);
    mr_cdu_group_settle(&g, &s, 1e6);
    mr_cdu_group_set_pumps(&g, &s, false);
    assert_true(s.electric_w == 0);
    mr_cdu_group_advance(&g, &s, 3, 1e6, &notes);
    mr_assert_near(mr_cdu_group_flow(&s), 0.5, 0.026, 0);
    mr_cdu_group_advance(&g, &s, 600, 1e6, &notes);
    assert_int_equal(s.flow, MR_FLOW_NONE);
    bool told = false;
    for (size_t i = 0; i < notes.n && i < MR_CDU_GROUP_NOTES; i++)
        told |= notes.item[i].event == MR_CDU_GROUP_NOFLOW;
    assert_true(told);
    mr_cdu_group_set_pumps(&g, &s, true);
    mr_cdu_group_advance(&g, &s, 615, 1e6, &notes);
    assert_true(mr_cdu_group_flow(&s) > 0.45 && mr_cdu_group_flow(&s) < 0.55);
    mr_cdu_group_advance(&g, &s, 700, 1e6, &notes);
    assert_true(mr_cdu_group_flow(&s) == 1);
    mr_assert_near(s.electric_w, 74e3, 1e-12, 0);
}

/* Affinity: half the flow against the same racks takes 0.5^2.85 of the watts. Up at once, in the
 * start time; down in an hour from full to none; never below the least; a load that trembles moves
 * nothing. */
MR_TEST(pumps_follow_the_need)
{
    struct mr_cdu_group g = deschutes(2, 0);
    struct mr_cdu_group_state s;
    mr_cdu_group_start(&g, &s, 0, 30);
    const double full_w = s.electric_w;
    mr_cdu_group_set_need(&g, &s, 0.6);
    const double low = s.need_frac;
    assert_true(low >= 0.6 && low < 0.6 * MR_FLOW_RATIO);
    mr_cdu_group_advance(&g, &s, 0.5 * (1 - low) * 3600, 1e6, NULL);
    mr_assert_near(mr_cdu_group_flow(&s), 0.5 * (1 + low), 0.026, 0); /* within its class */
    mr_cdu_group_advance(&g, &s, 3600, 1e6, NULL);
    mr_assert_near(mr_cdu_group_flow(&s), low, 1e-12, 0);
    mr_assert_near(s.electric_w / full_w, mr_pow(low, 2.85), 1e-9, 0);
    mr_assert_near(mr_cdu_group_speed_frac(&g, &s), mr_pump_speed(&g.pump, low, mr_pow(low, 1.85)),
                   1e-9, 0);
    mr_cdu_group_set_need(&g, &s, 0.6 / MR_FLOW_RATIO);
    assert_true(s.need_frac == low);
    mr_cdu_group_set_need(&g, &s, 0.01);
    assert_true(s.need_frac >= 0.5 && s.need_frac < 0.5 * MR_FLOW_RATIO);
    mr_cdu_group_set_need(&g, &s, 0.97);
    assert_true(s.need_frac == 1);
    mr_cdu_group_advance(&g, &s, 3600 + (1 - low) * g.pump.start_s + 1e-6, 1e6, NULL);
    assert_true(mr_cdu_group_flow(&s) == 1);
    mr_assert_near(s.electric_w, full_w, 1e-12, 0);
    mr_assert_near(s.in_j + s.fluid_j - s.out_j - g.heat_j_k * (s.return_c - 30), 0, 0,
                   1e-9 * s.in_j);
    mr_cdu_group_set_need(&g, &s, 0.6); /* without pumps it is only remembered */
    mr_cdu_group_set_pumps(&g, &s, false);
    mr_cdu_group_advance(&g, &s, 7200, 0, NULL);
    assert_true(mr_cdu_group_flow(&s) == 0);
    mr_cdu_group_set_pumps(&g, &s, true);
    mr_cdu_group_advance(&g, &s, 7300, 0, NULL);
    mr_assert_near(mr_cdu_group_flow(&s), low, 1e-12, 0);
    g.least_frac = 1;
    mr_cdu_group_set_need(&g, &s, 0);
    assert_true(s.need_frac == 1);
}

MR_TEST(fouling_grows)
{
    const struct mr_cdu_group g = deschutes(1, 0);
    struct mr_cdu_group_state s;
    mr_cdu_group_start(&g, &s, 0, 38);
    const double clean_w_k = s.limit_w_k;
    mr_cdu_group_set_age(&g, &s, 8760 * 3600.0);
    assert_true(s.limit_w_k < clean_w_k && s.limit_w_k > clean_w_k / 1.15);
    mr_assert_near(s.electric_w, 74e3 * 1.3, 1e-12, 0);
    mr_assert_near(mr_cdu_group_plate_fouling(&g, &s), 0.2, 1e-15, 0);
}

static void refused(const struct mr_cdu_group *group, const char *part)
{
    struct mr_cdu_group g = *group;
    struct mr_err err = {0};
    assert_int_equal(mr_cdu_group_init(&g, &err), MR_RANGE);
    mr_assert_contains(err.text, part);
}

MR_TEST(impossible_groups)
{
    struct mr_cdu_group g = deschutes(1, 0);
    struct mr_err err = {0};
    assert_int_equal(mr_cdu_group_check(&g, 2e6, 42, false, &err), MR_OK);
    assert_int_equal(mr_cdu_group_check(&g, 2.76e6, 42, false, &err), MR_RANGE);
    mr_assert_contains(err.text, "2760 kW design heat on 1 x 2000 kW CDU");
    assert_int_equal(mr_cdu_group_check(&g, 2.76e6, 42, true, NULL), MR_OK);
    err = (struct mr_err){0};
    assert_int_equal(mr_cdu_group_check(&g, 1e6, 43, false, &err), MR_RANGE);
    mr_assert_contains(err.text, "cdu 'C1': facility 43 + approach 3 > supply set-point 45");
    g.n_unit = 0;
    refused(&g, "needs at least one unit");
    g.n_unit = g.n_spare = 1;
    refused(&g, "1 spare of 1 unit(s) leave none to run: N+1 needs two");
    g = deschutes(1, 0);
    g.facility_kg_s = 10;
    refused(&g, "cdu 'C1': no exchanger moves 2e+06 W");
    g = deschutes(1, 0);
    g.unit_m3 = g.rack_m3 = 0;
    refused(&g, "holds no coolant");
    g = deschutes(1, 0);
    g.pump.head[1] = 9;
    refused(&g, "flow must grow and head must fall");
}

MR_TEST_MAIN(MR_TEST_ENTRY(design_point), MR_TEST_ENTRY(one_of_four_is_lost),
             MR_TEST_ENTRY(step_of_facility_water), MR_TEST_ENTRY(supply_is_high_at_its_crossing),
             MR_TEST_ENTRY(modes_are_one_law), MR_TEST_ENTRY(lazy_is_stepped),
             MR_TEST_ENTRY(a_spare_takes_over), MR_TEST_ENTRY(spares_share_the_flow),
             MR_TEST_ENTRY(pumps_coast_down_and_come_back), MR_TEST_ENTRY(pumps_follow_the_need),
             MR_TEST_ENTRY(fouling_grows), MR_TEST_ENTRY(impossible_groups))
