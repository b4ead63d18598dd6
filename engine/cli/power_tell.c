/* SPDX-License-Identifier: Apache-2.0 */
/* Watts and joules as planners read them in the table, as SI in JSON. Map: table - JSON. */
#include "engine/cli/power_tell.h"

#include <math.h>

static const double joule_mwh = 1 / 3.6e9;

void mr_power_tell_table(const struct mr_power_tell *told, struct mr_buf *out)
{
    struct mr_supply_total t;
    const struct mr_strand *s = &told->strand->sum;
    mr_supply_total(told->supply, &t);
    mr_buf_printf(out, "%-20s %s, %.6g h, %zu racks\n", "site", told->site->name,
                  told->until_s / 3600, told->site->n_rack);
    mr_buf_printf(out, "%-20s %.5g MWh (mean %.4g MW, peak %.4g MW)\n", "grid",
                  t.grid_j * joule_mwh, t.grid_j / told->until_s * 1e-6, t.peak_w * 1e-6);
    if (t.export_j > 0)
        mr_buf_printf(out, "%-20s %.5g MWh fed into it, of which grid is net\n", "grid",
                      t.export_j * joule_mwh);
    if (t.generator_j + t.solar_j > 0)
        mr_buf_printf(out, "%-20s generators %.5g MWh, solar %.5g MWh, not taken %.4g MWh\n",
                      "on site", t.generator_j * joule_mwh, t.solar_j * joule_mwh,
                      t.dump_j * joule_mwh);
    if (t.generator_j > 0 && t.low_hz < told->params->frequency.nominal_hz)
        mr_buf_printf(out,
                      "%-20s set points %.5g, governors %.4g, rotating mass %.4g, load with "
                      "frequency %.4g MWh\n",
                      "machines", t.set_point_j * joule_mwh, t.governor_j * joule_mwh,
                      t.inertia_j * joule_mwh, t.damping_j * joule_mwh);
    mr_buf_printf(out, "%-20s %.5g MWh of %.5g MWh asked for: caps kept %.4g, darkness %.4g MWh\n",
                  "racks", t.rack_j * joule_mwh, t.want_j * joule_mwh, t.capped_j * joule_mwh,
                  t.dark_j * joule_mwh);
    mr_buf_printf(out, "%-20s %.5g MWh\n", "house", t.house_j * joule_mwh);
    mr_buf_printf(out, "%-20s %.5g MWh to racks, %.5g MWh inside:", "losses", t.loss_j * joule_mwh,
                  t.rack_loss_j * joule_mwh);
    for (int k = 0; k < MR_N_STAGE; k++)
        if (t.stage_loss_j[k] > 0)
            mr_buf_printf(out, " %s %.4g", mr_stage_info(k)->name, t.stage_loss_j[k] * joule_mwh);
    mr_buf_printf(out, "\n%-20s %.5g MWh behind the racks' stages\n", "packages and hosts",
                  t.module_j * joule_mwh);
    mr_buf_printf(out, "%-20s in %.4g, out %.4g, lost %.4g MWh\n", "storage",
                  t.storage_in_j * joule_mwh, t.storage_out_j * joule_mwh,
                  t.storage_loss_j * joule_mwh);
    mr_buf_printf(out, "%-20s energy %.6g USD, demand %.6g USD, fuel %.6g USD; CO2 %.5g t\n",
                  "cost", t.energy_usd, t.demand_usd, t.fuel_usd, (t.carbon_kg + t.fuel_kg) * 1e-3);
    mr_buf_printf(out,
                  "%-20s %llu trips, %llu alarms, %llu overloads, %llu transfers, %llu racks "
                  "lost",
                  "chain", (unsigned long long)t.n_trip, (unsigned long long)t.n_alarm,
                  (unsigned long long)t.n_overload, (unsigned long long)t.n_transfer,
                  (unsigned long long)t.n_lost);
    if (t.n_ride > 0)
        mr_buf_printf(out, ", %llu carried by their shelves", (unsigned long long)t.n_ride);
    mr_buf_char(out, '\n');
    mr_buf_printf(out,
                  "%-20s %llu dips, %llu times away; %llu breaches, %llu ramp violations, "
                  "fastest %.4g MW/min up, %.4g down\n",
                  "connection", (unsigned long long)t.n_dip, (unsigned long long)t.n_away,
                  (unsigned long long)t.n_breach, (unsigned long long)t.n_ramp,
                  t.ramp_up_w_s * 60e-6, t.ramp_down_w_s * 60e-6);
    mr_buf_printf(out,
                  "%-20s capped %.5g, stopped %.5g, dark %.5g rack hours; %llu suspended, %llu "
                  "shut\n",
                  "racks held", t.capped_rack_s / 3600, t.held_rack_s / 3600, t.dark_rack_s / 3600,
                  (unsigned long long)t.n_suspended, (unsigned long long)t.n_shut);
    struct mr_supply_reading last;
    mr_supply_read(told->supply, &last);
    if (!last.has_grid && last.n_rack_on < told->site->n_rack)
        mr_buf_printf(out,
                      "%-20s %zu racks at the end: nothing carries their bars, or what does has "
                      "no room for them\n",
                      "dark", told->site->n_rack - last.n_rack_on);
    if (told->params->smooth.is_on)
        mr_buf_printf(out, "%-20s burnt %.4g MWh, delayed %.4g MWh\n", "smoothing",
                      t.burn_j * joule_mwh, t.delayed_j * joule_mwh);
    if (t.low_hz < told->params->frequency.nominal_hz)
        mr_buf_printf(out, "%-20s lowest %.5g Hz, %llu stages shed, %llu collapses\n", "frequency",
                      t.low_hz, (unsigned long long)t.n_ufls, (unsigned long long)t.n_collapse);
    mr_buf_printf(out,
                  "%-20s of %.5g MW at panels: placed %.5g, redundancy %.5g, chain %.5g, "
                  "cooling %.5g, granularity %.5g, free %.5g\n",
                  "stranded", s->installed_w * 1e-6, s->placed_w * 1e-6, s->redundancy_w * 1e-6,
                  s->chain_w * 1e-6, s->cooling_w * 1e-6, s->granularity_w * 1e-6,
                  s->free_w * 1e-6);
    mr_flex_text(told->flex, out);
    mr_power_odds_text(told->odds, out);
    mr_power_spectrum_text(told->spectrum, out);
    mr_buf_printf(out, "%-20s %.1e of energy in\n", "energy residual", t.closure_rel);
}

#define PUT(w, key, figures) \
    mr_jsonw_key_figures((w), (key), (figures), sizeof(figures) / sizeof *(figures))

void mr_power_tell_json(const struct mr_power_tell *told, struct mr_buf *out)
{
    struct mr_supply_total t;
    const struct mr_strand *s = &told->strand->sum;
    struct mr_jsonw w;
    mr_supply_total(told->supply, &t);
    const struct mr_jsonw_figure energy[] = {
        {"grid_j", t.grid_j},
        {"generator_j", t.generator_j},
        {"set_point_j", t.set_point_j},
        {"governor_j", t.governor_j},
        {"inertia_j", t.inertia_j},
        {"damping_j", t.damping_j},
        {"walk_in_j", t.machine_rest_j - t.governor_j - t.inertia_j - t.damping_j},
        {"solar_j", t.solar_j},
        {"export_j", t.export_j},
        {"rack_j", t.rack_j},
        {"asked_j", t.want_j},
        {"capped_j", t.capped_j},
        {"dark_j", t.dark_j},
        {"held_j", t.held_j},
        {"delayed_j", t.delayed_j},
        {"burn_j", t.burn_j},
        {"house_j", t.house_j},
        {"losses_j", t.loss_j},
        {"rack_losses_j", t.rack_loss_j},
        {"modules_j", t.module_j},
        {"storage_in_j", t.storage_in_j},
        {"storage_out_j", t.storage_out_j},
        {"storage_loss_j", t.storage_loss_j},
        {"storage_change_j", t.storage_change_j},
        {"shelf_out_j", t.shelf_out_j},
        {"holdup_j", t.holdup_j},
        {"short_j", t.short_j},
        {"dump_j", t.dump_j},
        {"closure_rel", t.closure_rel}};
    const struct mr_jsonw_figure power[] = {
        {"grid_mw_mean", t.grid_j / told->until_s * 1e-6},
        {"grid_mw_peak", t.peak_w * 1e-6},
        {"ramp_max_mw_min", fmax(t.ramp_up_w_s, t.ramp_down_w_s) * 60e-6},
        {"ramp_up_max_mw_min", t.ramp_up_w_s * 60e-6},
        {"ramp_down_max_mw_min", t.ramp_down_w_s * 60e-6},
        {"cap_events", (double)t.n_cap},
        {"trip_events", (double)t.n_trip},
        {"alarm_events", (double)t.n_alarm},
        {"overload_events", (double)t.n_overload},
        {"transfer_events", (double)t.n_transfer},
        {"racks_lost", (double)t.n_lost},
        {"racks_carried", (double)t.n_ride},
        {"budget_infeasible", (double)t.n_infeasible},
        {"capped_rack_s", t.capped_rack_s},
        {"dark_rack_s", t.dark_rack_s},
        {"held_rack_s", t.held_rack_s},
        {"racks_suspended", (double)t.n_suspended},
        {"racks_shut", (double)t.n_shut}};
    const struct mr_jsonw_figure stranded[] = {
        {"installed_kw", s->installed_w * 1e-3},
        {"over_kw", s->over_w * 1e-3},
        {"placed_kw", s->placed_w * 1e-3},
        {"redundancy_kw", s->redundancy_w * 1e-3},
        {"chain_kw", s->chain_w * 1e-3},
        {"cooling_kw", s->cooling_w * 1e-3},
        {"granularity_kw", s->granularity_w * 1e-3},
        {"free_kw", s->free_w * 1e-3},
        {"unused_source_kw", told->strand->unused_source_w * 1e-3}};
    const struct mr_jsonw_figure economy[] = {{"energy_usd", t.energy_usd},
                                              {"demand_usd", t.demand_usd},
                                              {"fuel_usd", t.fuel_usd},
                                              {"carbon_kg", t.carbon_kg},
                                              {"fuel_carbon_kg", t.fuel_kg}};
    const struct mr_jsonw_figure grid[] = {
        {"dips", (double)t.n_dip},          {"times_away", (double)t.n_away},
        {"breaches", (double)t.n_breach},   {"ramp_violations", (double)t.n_ramp},
        {"frequency_hz_min", t.low_hz},     {"stages_shed", (double)t.n_ufls},
        {"collapses", (double)t.n_collapse}};
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "site", told->site->name);
    mr_jsonw_key_f64(&w, "sim_s", told->until_s);
    PUT(&w, "energy", energy);
    mr_jsonw_key(&w, "losses_j");
    mr_jsonw_object(&w);
    for (int k = 0; k < MR_N_STAGE; k++)
        if (t.stage_loss_j[k] > 0)
            mr_jsonw_key_f64(&w, mr_stage_info(k)->name, t.stage_loss_j[k]);
    mr_jsonw_end(&w);
    PUT(&w, "power", power);
    PUT(&w, "stranded", stranded);
    PUT(&w, "economy", economy);
    PUT(&w, "grid", grid);
    if (told->flex->is_on) {
        mr_jsonw_key(&w, "flexible");
        mr_flex_json(told->flex, &w);
    }
    if (told->odds->n_node > 0) {
        mr_jsonw_key(&w, "oversubscription");
        mr_power_odds_json(told->odds, &w);
    }
    if (told->spectrum->n_watch > 0) {
        mr_jsonw_key(&w, "spectrum");
        mr_power_spectrum_json(told->spectrum, &w);
    }
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}
