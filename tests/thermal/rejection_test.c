/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/rejection: stages in order, energy of every stage, lost units and fans, what is short,
 * chillers on towers, hysteresis, refusals. */
#include "thermal/rejection.h"

#include "tests/thermal/sources.h"

enum kind {
    dry_only,
    dry_pads_trim,
    towers_only,
    towers_and_chillers, /* condensers on towers */
    everything,
    n_kind
};

static struct mr_rejection made(int kind, double set_c)
{
    struct mr_rejection r = {0};
    struct mr_rejection_params params;
    struct mr_dry_cooler_params dry;
    struct mr_tower_params tower;
    struct mr_chiller_params chiller;
    struct mr_err err = {0};
    mr_rejection_defaults(&params);
    sources_hold(&mr_rejection_table, &params);
    mr_dry_cooler_defaults(&dry);
    mr_tower_defaults(&tower);
    mr_chiller_defaults(&chiller);
    mr_adiabatic_defaults(&r.pads);
    mr_water_defaults(&r.water);
    params.set_c = set_c;
    const bool is_cold = kind == towers_and_chillers;
    if (is_cold) {
        chiller.model = MR_CHILLER_EIR;
        chiller.capacity_w = 471.2e3;
        params.condenser = MR_REJECTION_TOWER;
    }
    r.n_dry = kind == dry_only || kind == dry_pads_trim || kind == everything ? 4 : 0;
    r.n_tower = kind == towers_only || kind == everything ? 3 : is_cold ? 1 : 0;
    r.n_chiller = kind == dry_pads_trim || kind == everything ? 5 : is_cold ? 4 : 0;
    r.has_pads = kind == dry_pads_trim || kind == everything;
    if (mr_dry_cooler_make("dry", &dry, &r.dry, &err) != MR_OK ||
        mr_tower_make("tower", &tower, &r.tower, &err) != MR_OK ||
        mr_chiller_make("chiller", &chiller, set_c, &r.chiller, &err) != MR_OK ||
        mr_rejection_make("loop", &params, &r, &err) != MR_OK)
        fail_msg("%s", err.text);
    return r;
}

static struct mr_rejection_in weather_of(double return_c, double water_w_k, double dry_c,
                                         double wet_c)
{
    return (struct mr_rejection_in){return_c, water_w_k, dry_c, wet_c, 101325};
}

static const double hot_w_k = 4 * 527.2e3; /* design flow of four dry coolers */

/* ---- energy ---- */

MR_TEST(energy_closes_at_every_stage)
{
    double worst = 0;
    int n = 0;
    for (int kind = 0; kind < n_kind; kind++) {
        const bool is_cold = kind == towers_and_chillers;
        const struct mr_rejection r = made(kind, is_cold ? 10 : kind == towers_only ? 28 : 41);
        const double water_w_k = is_cold ? 200e3 : hot_w_k;
        struct mr_rejection_state state;
        mr_rejection_start(&state);
        for (int stage = 0; stage < MR_REJECTION_N_STAGE; stage++)
            for (int dry = -10; dry <= 46; dry += 4)
                for (int spread = 0; spread <= 18; spread += 6)
                    for (int rise = 1; rise <= 13; rise += 4) {
                        const struct mr_rejection_in in =
                            weather_of(r.p.set_c + rise, water_w_k, dry, dry - spread);
                        const struct mr_rejection_out out =
                            mr_rejection_at(&r, &state, stage, r.p.set_c, &in);
                        const double left_w =
                            out.heat_w + out.work_w - out.ambient_w - out.latent_w;
                        const double size_w =
                            fabs(out.heat_w) + out.work_w + fabs(out.ambient_w) + out.latent_w;
                        worst = fmax(worst, size_w > 0 ? fabs(left_w) / size_w : 0);
                        n += out.heat_w > 0;
                        /* water, too */
                        mr_assert_near(out.heat_w, water_w_k * (in.return_c - out.supply_c), 1e-9,
                                       1e-3);
                        mr_assert_near(out.short_w, water_w_k * (out.supply_c - r.p.set_c), 1e-6,
                                       1e-2);
                        mr_assert_near(out.latent_w,
                                       out.water.evaporated_kg_s * r.water.latent_j_kg, 1e-12, 0);
                        mr_assert_near(out.heat_w,
                                       out.dry_heat_w + out.tower_heat_w + out.chiller_heat_w,
                                       1e-14, 0);
                        assert_true(out.supply_c >= r.p.set_c - 1e-9);
                    }
    }
    print_message("%d points, worst residual %.3g\n", n, worst);
    assert_true(n > 500);
    assert_true(worst < 1e-12);
}

/* ---- stages ---- */

MR_TEST(stages_follow_the_heat_outside)
{
    const struct mr_rejection r = made(dry_pads_trim, 41);
    static const struct {
        double dry_c, wet_c;
        int mode;
    } cases[] = {
        {10, 5, MR_REJECTION_FREE},       {34, 20, MR_REJECTION_FREE},
        {37, 22, MR_REJECTION_ADIABATIC}, {46, 24, MR_REJECTION_ADIABATIC},
        {38, 37.5, MR_REJECTION_TRIM}, /* pads do not help in damp air */
        {45, 44, MR_REJECTION_FLOAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_rejection_state state;
        mr_rejection_start(&state);
        const struct mr_rejection_in in =
            weather_of(41 + 5.56, hot_w_k, cases[i].dry_c, cases[i].wet_c);
        const struct mr_rejection_out out = mr_rejection_run(&r, &state, 0, &in);
        assert_string_equal(mr_rejection_mode_name(out.mode),
                            mr_rejection_mode_name(cases[i].mode));
        assert_int_equal(out.supply_c > 41, cases[i].mode == MR_REJECTION_FLOAT);
        assert_int_equal(out.work_w > 0, cases[i].mode >= MR_REJECTION_TRIM);
        assert_int_equal(out.latent_w > 0, cases[i].mode >= MR_REJECTION_ADIABATIC &&
                                               cases[i].dry_c - cases[i].wet_c > 0.5);
    }
}

MR_TEST(what_dry_coolers_cannot_take)
{
    /* the record's cliff: heat over design at 38 degC outside and 41.5 degC water is 0.631 */
    const struct mr_rejection r = made(dry_only, 41.5);
    struct mr_rejection_state state;
    mr_rejection_start(&state);
    const double load_c = 41.5 + 11.724e6 / hot_w_k;
    struct mr_rejection_in in = weather_of(load_c, hot_w_k, 38, 20);
    const struct mr_rejection_out out = mr_rejection_run(&r, &state, 0, &in);
    assert_int_equal(out.mode, MR_REJECTION_FLOAT);
    /* entering water is that of full load, so more than at the cliff's balance goes */
    const double g_w_k = 4 * mr_dry_cooler_g_w_k(&r.dry, hot_w_k / (4 * r.dry.water_w_k), 1);
    mr_assert_near(out.heat_w, g_w_k * (load_c - 38), 1e-9, 0);
    mr_assert_near(out.short_frac, 1 - out.heat_w / 11.724e6, 1e-9, 0);
    mr_assert_near(out.slope_w_k, g_w_k, 1e-6, 0);
    /* the water warms until all heat goes; there nothing is lost but the set-point */
    double return_c = load_c;
    for (int i = 0; i < 200; i++) {
        in.return_c = return_c;
        const struct mr_rejection_out now = mr_rejection_run(&r, &state, i, &in);
        return_c += (11.724e6 - now.heat_w) / now.slope_w_k;
    }
    mr_assert_near(return_c, 38 + 11.724e6 / g_w_k, 1e-9, 0);
    mr_assert_near(mr_rejection_run(&r, &state, 1e4, &in).supply_c, 38 + 5.55, 0, 0.02);
}

MR_TEST(a_stage_stays_and_leaves_with_room_to_spare)
{
    const struct mr_rejection r = made(dry_pads_trim, 41);
    struct mr_rejection_state state;
    struct mr_rejection_in in = weather_of(46.56, hot_w_k, 36, 20);
    mr_rejection_start(&state);
    assert_int_equal(mr_rejection_run(&r, &state, 0, &in).stage, MR_REJECTION_ADIABATIC);
    /* cooler at once: it stays for its time */
    in.dry_bulb_c = 30;
    assert_int_equal(mr_rejection_run(&r, &state, 599, &in).stage, MR_REJECTION_ADIABATIC);
    assert_int_equal(mr_rejection_run(&r, &state, 600, &in).stage, MR_REJECTION_FREE);
    assert_true(state.since_s == 600);
    in.dry_bulb_c = 36;
    const struct mr_rejection_out early = mr_rejection_run(&r, &state, 700, &in);
    assert_int_equal(early.stage, MR_REJECTION_FREE);
    assert_int_equal(early.mode, MR_REJECTION_FLOAT); /* the supply floats until then */
    assert_int_equal(mr_rejection_run(&r, &state, 1200, &in).stage, MR_REJECTION_ADIABATIC);
    /* 35.2 degC is within reach of dry coils (35.45), but not with 1 K to spare */
    in.dry_bulb_c = 35.2;
    assert_int_equal(mr_rejection_run(&r, &state, 9000, &in).stage, MR_REJECTION_ADIABATIC);
    in.dry_bulb_c = 33.4; /* 6.56 of 46.56 - 33.45 K */
    assert_int_equal(mr_rejection_run(&r, &state, 18000, &in).stage, MR_REJECTION_FREE);
}

/* ---- outages ---- */

MR_TEST(lost_units_fans_and_water)
{
    const struct mr_rejection r = made(dry_pads_trim, 41);
    const struct mr_rejection_in in = weather_of(46.56, hot_w_k, 34, 20);
    struct mr_rejection_state state;
    mr_rejection_start(&state);
    const struct mr_rejection_out whole = mr_rejection_at(&r, &state, MR_REJECTION_FREE, 41, &in);
    assert_int_equal(whole.mode, MR_REJECTION_FREE);
    state.n_dry_lost = 1;
    const struct mr_rejection_out three = mr_rejection_at(&r, &state, MR_REJECTION_FREE, 41, &in);
    assert_true(three.short_w > 0 && three.heat_w < whole.heat_w);
    assert_true(three.heat_w > 0.75 * whole.heat_w); /* the others get more water each */
    state.n_dry_lost = 0;
    state.dry_fans_frac = 0.5;
    const struct mr_rejection_out half = mr_rejection_at(&r, &state, MR_REJECTION_FREE, 41, &in);
    assert_true(half.short_w > 0);
    assert_true(half.fan_w <= 0.5 * 4 * 117.68e3 * (1 + 1e-12));
    /* without water the next stage is chillers */
    assert_int_equal(mr_rejection_run(&r, &state, 0, &in).stage, MR_REJECTION_ADIABATIC);
    state.is_water_lost = true;
    const struct mr_rejection_out no_water = mr_rejection_run(&r, &state, 1, &in);
    assert_int_equal(no_water.stage, MR_REJECTION_TRIM);
    assert_true(no_water.latent_w == 0);
    /* nothing left at all: the water comes back as it went */
    state.n_dry_lost = 9;
    state.n_chiller_lost = 5;
    const struct mr_rejection_out none = mr_rejection_run(&r, &state, 2, &in);
    assert_true(none.heat_w == 0 && none.supply_c == in.return_c && none.short_frac == 1);
    assert_int_equal(none.mode, MR_REJECTION_FLOAT);
    /* repaired */
    mr_rejection_start(&state);
    assert_int_equal(mr_rejection_run(&r, &state, 3, &in).mode, MR_REJECTION_FREE);
}

MR_TEST(no_flow_or_cold_return)
{
    const struct mr_rejection r = made(everything, 41);
    struct mr_rejection_state state;
    mr_rejection_start(&state);
    struct mr_rejection_in in = weather_of(45, 0, 20, 15);
    struct mr_rejection_out out = mr_rejection_run(&r, &state, 0, &in);
    assert_true(out.heat_w == 0 && out.supply_c == 45 && out.fan_w == 0);
    in = weather_of(39, hot_w_k, 20, 15);
    out = mr_rejection_run(&r, &state, 0, &in);
    assert_true(out.heat_w == 0 && out.supply_c == 39 && out.short_w == 0 && out.slope_w_k == 0);
}

/* ---- chillers on towers ---- */

MR_TEST(economizer)
{
    const struct mr_rejection r = made(towers_and_chillers, 10);
    struct mr_rejection_state state;
    const double water_w_k = 150e3;
    double before_w = -1;
    int n_mode[MR_REJECTION_N_MODE] = {0};
    for (int wet = -8; wet <= 24; wet += 2) {
        mr_rejection_start(&state);
        const struct mr_rejection_in in = weather_of(18, water_w_k, wet + 4, wet);
        const struct mr_rejection_out out = mr_rejection_run(&r, &state, 0, &in);
        n_mode[out.mode]++;
        /* the warmer, the more work; what the exchanger takes needs none */
        assert_true(out.work_w >= before_w);
        before_w = out.work_w;
        mr_assert_near(out.tower_heat_w + out.chiller_heat_w, 8 * water_w_k, 1e-9, 0);
        if (out.mode == MR_REJECTION_TRIM) /* the condensers' heat evaporates, too */
            mr_assert_near(out.latent_w, out.heat_w + out.work_w, 1e-9, 0);
    }
    assert_true(n_mode[MR_REJECTION_WET] > 1 && n_mode[MR_REJECTION_TRIM] > 5);
    assert_int_equal(n_mode[MR_REJECTION_FLOAT], 0);
    /* a partly free hour: both take a share */
    mr_rejection_start(&state);
    const struct mr_rejection_in in = weather_of(18, water_w_k, 10, 6);
    const struct mr_rejection_out out = mr_rejection_run(&r, &state, 0, &in);
    assert_true(out.tower_heat_w > 0 && out.chiller_heat_w > 0);
}

/* ---- the cards of the house ---- */

static struct mr_reject_card card_of(const char *id)
{
    char path[512];
    struct mr_card *card;
    struct mr_diags diags = {0};
    snprintf(path, sizeof path, "%s/platforms/rejects/%s.xml", MR_SOURCE_DIR, id);
    if (mr_card_load(path, &mr_reject_kind, &card, &diags) != MR_OK)
        fail_msg("%s: %s", path, diags.item[0].err.text);
    const struct mr_reject_card object = *mr_reject_of(card);
    mr_card_destroy(card);
    return object;
}

MR_TEST(cards_make_units_that_do_what_they_say)
{
    static const char *const dry_ids[] = {"trillium_2931", "trillium_adiabatic"};
    struct mr_err err = {0};
    for (int i = 0; i < 2; i++) {
        const struct mr_reject_card card = card_of(dry_ids[i]);
        struct mr_dry_cooler_params params;
        struct mr_dry_cooler dry;
        mr_dry_cooler_defaults(&params);
        mr_dry_cooler_of_card(&card, &params);
        assert_int_equal(mr_dry_cooler_make(dry_ids[i], &params, &dry, &err), MR_OK);
        const struct mr_dry_cooler_in in = {card.entering_c, 1, card.air_c, 1, 1, 0};
        mr_assert_near(mr_dry_cooler_run(&dry, &in).heat_w, card.capacity_w, 1e-9, 0);
        mr_assert_near(mr_dry_cooler_run(&dry, &in).fan_w, card.electric_w, 1e-12, 0);
    }
    const struct mr_reject_card york = card_of("york_tower");
    struct mr_tower_params tower_params;
    struct mr_tower tower;
    mr_tower_defaults(&tower_params);
    mr_tower_of_card(&york, &tower_params);
    assert_int_equal(mr_tower_make("york", &tower_params, &tower, &err), MR_OK);
    const struct mr_tower_in wet = {york.entering_c, 1, york.air_c, 1, 1, 0};
    mr_assert_near(mr_tower_run(&tower, &wet).heat_w, york.capacity_w, 0.02, 0);
    static const char *const chiller_ids[] = {"mcquay_wsc_471", "carnot_trim"};
    for (int i = 0; i < 2; i++) {
        const struct mr_reject_card card = card_of(chiller_ids[i]);
        struct mr_chiller_params params;
        struct mr_chiller chiller;
        mr_chiller_defaults(&params);
        mr_chiller_of_card(&card, &params);
        assert_int_equal(mr_chiller_make(chiller_ids[i], &params, card.leaving_c, &chiller, &err),
                         MR_OK);
        const struct mr_chiller_out out =
            mr_chiller_run(&chiller, card.capacity_w, card.leaving_c, card.air_c);
        mr_assert_near(out.heat_w, card.capacity_w, 0.01, 0);
        mr_assert_near(out.work_w, card.electric_w, 0.01, 0);
    }
}

/* ---- refusals ---- */

MR_TEST(impossible_sites)
{
    static const struct {
        uint64_t n_dry, n_tower, n_chiller;
        bool has_pads, has_water, on_towers;
        double heat_w;
        const char *text;
    } cases[] = {
        {0, 0, 0, false, true, false, 0, "loop: no unit: the heat of the loop has nowhere to go"},
        {0, 2, 0, false, false, false, 0, "loop: towers without a water supply"},
        {2, 0, 0, true, false, false, 0, "loop: adiabatic pads without a water supply"},
        {2, 0, 1, false, true, true, 0, "condensers on towers, but there are no towers"},
        {2, 0, 1, false, true, false, 7e6,
         "loop: 7000 kW of design heat on 6862 kW of heat rejection (add units, or allow_float"},
        {0, 1, 4, false, true, true, 3.5e6, "3500 kW of design heat on 3000 kW"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_rejection r = made(everything, 41);
        struct mr_rejection_params params = r.p;
        struct mr_err err = {0};
        r.n_dry = cases[i].n_dry;
        r.n_tower = cases[i].n_tower;
        r.n_chiller = cases[i].n_chiller;
        r.has_pads = cases[i].has_pads;
        params.has_water = cases[i].has_water;
        params.condenser = cases[i].on_towers ? MR_REJECTION_TOWER : MR_REJECTION_AIR;
        params.design_heat_w = cases[i].heat_w;
        assert_int_equal(mr_rejection_make("loop", &params, &r, &err), MR_RANGE);
        mr_assert_contains(err.text, cases[i].text);
        params.may_float = true;
        if (cases[i].heat_w > 0)
            assert_int_equal(mr_rejection_make("loop", &params, &r, NULL), MR_OK);
    }
}

MR_TEST(set_points_no_hour_allows)
{
    struct mr_weather_params params;
    struct mr_weather weather;
    struct mr_err err = {0};
    mr_weather_defaults(&params);
    params.dry_bulb_c = 36;
    params.swing_k = 4;
    assert_int_equal(mr_weather_make(&params, &weather, &err), MR_OK);
    const struct mr_rejection cold = made(dry_only, 30), warm = made(dry_only, 40);
    assert_int_equal(mr_rejection_check_weather("loop", &cold, &weather, &err), MR_RANGE);
    mr_assert_contains(err.text, "loop: supply set-point 30 degC is never reached without "
                                 "chillers: the coldest hour has 32 degC");
    assert_int_equal(mr_rejection_check_weather("loop", &warm, &weather, NULL), MR_OK);
    const struct mr_rejection chilled = made(dry_pads_trim, 30);
    assert_int_equal(mr_rejection_check_weather("loop", &chilled, &weather, NULL), MR_OK);
    mr_weather_fini(&weather);
}

MR_TEST_MAIN(MR_TEST_ENTRY(energy_closes_at_every_stage),
             MR_TEST_ENTRY(stages_follow_the_heat_outside),
             MR_TEST_ENTRY(what_dry_coolers_cannot_take),
             MR_TEST_ENTRY(a_stage_stays_and_leaves_with_room_to_spare),
             MR_TEST_ENTRY(lost_units_fans_and_water), MR_TEST_ENTRY(no_flow_or_cold_return),
             MR_TEST_ENTRY(economizer), MR_TEST_ENTRY(cards_make_units_that_do_what_they_say),
             MR_TEST_ENTRY(impossible_sites), MR_TEST_ENTRY(set_points_no_hour_allows))
