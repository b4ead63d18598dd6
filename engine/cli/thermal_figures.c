/* SPDX-License-Identifier: Apache-2.0 */
/* Map: approaches over time - the electric chain - the list. */
#include "engine/cli/thermal_figures.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "power/inside.h"
#include "power/supply.h"

#include <math.h>
#include <string.h>

/* ---- approaches over time ---- */

mr_status mr_thermal_figures_init(struct mr_thermal_figures *figures, const struct mr_plant *plant,
                                  struct mr_err *err)
{
    const size_t n = plant->n_group + 2 * plant->n_loop + plant->n_rack;
    *figures = (struct mr_thermal_figures){.plant = plant};
    figures->last_k = mr_alloc(n + 1, sizeof *figures->last_k);
    if (figures->last_k == NULL)
        return mr_err_nomem(err, n * sizeof *figures->last_k);
    figures->rack_k = figures->last_k + plant->n_group + 2 * plant->n_loop;
    for (size_t i = 0; i < n; i++)
        figures->last_k[i] = (double)NAN;
    for (int k = 0; k < MR_THERMAL_N_APPROACH; k++)
        mr_metrics_track_start(&figures->approach[k], HUGE_VAL);
    return MR_OK;
}

void mr_thermal_figures_fini(struct mr_thermal_figures *figures)
{
    mr_free(figures->last_k);
    *figures = (struct mr_thermal_figures){0};
}

/* A line from the last value, where there was one, to this one. */
static void add(struct mr_thermal_figures *f, int kind, double *last_k, double now_k, double dt_s)
{
    if (!isnan(*last_k) && !isnan(now_k))
        mr_metrics_track_add(&f->approach[kind], *last_k, now_k, dt_s);
    *last_k = now_k;
}

void mr_thermal_figures_step(struct mr_thermal_figures *figures, const struct mr_plant_state *state,
                             double dt_s)
{
    const struct mr_plant *plant = figures->plant;
    const struct mr_weather_point air = mr_weather_at(plant->weather, state->t_s);
    double *last_k = figures->last_k;
    for (uint32_t i = 0; i < plant->n_group; i++) {
        const struct mr_cdu_group *g = &plant->group[i];
        const bool has_flow = mr_cdu_group_flow(&state->group[i]) > 0;
        const double now_k =
            has_flow ? mr_cdu_group_supply_c(g, &state->group[i]) - state->group[i].facility_c
                     : (double)NAN;
        add(figures, MR_THERMAL_APPROACH_CDU, last_k++, now_k, dt_s);
    }
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        const struct mr_plant_loop_state *s = &state->loop[i];
        const double supply_c =
            s->out.mode == MR_REJECTION_TRIM ? (double)NAN : mr_plant_facility_c(plant, state, i);
        const bool has_tower = plant->loop[i].rejection.n_tower > 0;
        add(figures, MR_THERMAL_APPROACH_DRY, last_k++, supply_c - air.dry_bulb_c, dt_s);
        add(figures, MR_THERMAL_APPROACH_WET, last_k++,
            has_tower ? supply_c - air.wet_bulb_c : (double)NAN, dt_s);
    }
    double it_j = 0;
    for (uint32_t i = 0; i < plant->n_rack; i++)
        it_j += state->rack[i].in_j;
    if (dt_s > 0)
        figures->it_w_max = fmax(figures->it_w_max, (it_j - figures->it_j) / dt_s);
    figures->it_j = it_j;
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const struct mr_plant_rack_state *s = &state->rack[i];
        double die_c = (double)NAN;
        for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
            die_c = fmax(die_c, state->cohort[c].cohort.worst_c[0]);
        add(figures, MR_THERMAL_APPROACH_DIE, &figures->rack_k[i], die_c - s->inlet_c, dt_s);
    }
}

/* ---- the electric chain ---- */

/* Losses at constant powers: what a second of it loses, all ramps being over after one. */
static mr_status chain_losses(const struct mr_site *site, const double *rack_w, double house_w,
                              double *all_w, double *below_ups_w, struct mr_err *err)
{
    static const double least_frac = 0.5; /* less was granted: no proportion holds */
    struct mr_supply_options options = {0};
    struct mr_supply *supply = NULL;
    struct mr_supply_total begin, end;
    struct mr_diags diags = {0};
    *all_w = *below_ups_w = (double)NAN;
    mr_supply_defaults(&options.params);
    const mr_status st = mr_supply_create(site, &options, &supply, &diags);
    if (st == MR_NOMEM)
        return mr_err_nomem(err, 0);
    if (st != MR_OK)
        return MR_OK; /* no chain: `millrace power` tells why */
    const bool has_house = mr_supply_wire(supply)->house != MR_CIRCUIT_NONE;
    mr_supply_set_racks(supply, rack_w);
    if (has_house)
        mr_supply_set_house(supply, MR_SITE_NONE, house_w);
    mr_supply_advance(supply, 1);
    mr_supply_total(supply, &begin);
    mr_supply_advance(supply, 2);
    mr_supply_total(supply, &end);
    /* The connection's limit may cap racks here that the run did not cap: then in proportion. */
    const double drawn_w = end.rack_j - begin.rack_j, want_w = end.want_j - begin.want_j;
    const bool is_dark = end.dark_j > 0 || !(drawn_w >= least_frac * want_w);
    const double scale = (want_w + house_w) / (drawn_w + house_w);
    if (has_house && !is_dark && end.grid_j > begin.grid_j) {
        *all_w = scale * (end.loss_j - begin.loss_j);
        *below_ups_w =
            scale * (end.stage_loss_j[MR_STAGE_BUSWAY] - begin.stage_loss_j[MR_STAGE_BUSWAY]);
    }
    mr_supply_destroy(supply);
    return MR_OK;
}

/* Power behind the shelves of a rack, without its fans and pumps. */
static double compute_w(const struct mr_rack *rack, double in_w, double inside_frac)
{
    double loss_w[mr_inside_max];
    const struct mr_inside inside = mr_inside_of(rack, MR_PLANE_MODULE);
    (void)mr_inside_split(&inside, in_w, loss_w);
    double beside_w = inside_frac * in_w;
    for (uint8_t k = 0; k < inside.n; k++)
        beside_w += inside.kind[k] == MR_STAGE_SHELF ? loss_w[k] : 0;
    return fmax(in_w - beside_w, 0);
}

static mr_status fill_metrics(const struct mr_plant *plant, const struct mr_plant_state *state,
                              double until_s, double inside_frac, struct mr_metrics *m,
                              struct mr_err *err)
{
    struct mr_plant_sums s;
    mr_plant_sums(plant, state, &s);
    const double cooling_j = s.cdu_j + s.facility_pump_j + s.fan_j + s.work_j + s.air_j;
    double *rack_w = mr_alloc_zero(plant->n_rack + 1, sizeof *rack_w), all_w, below_ups_w;
    *m = (struct mr_metrics){0};
    if (rack_w == NULL)
        return mr_err_nomem(err, plant->n_rack * sizeof *rack_w);
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const uint32_t at = plant->rack[i].i_site;
        rack_w[at] = state->rack[i].in_j / until_s;
        mr_metrics_add_j(m, MR_METRICS_COMPUTE,
                         compute_w(&plant->site->rack[at], rack_w[at], inside_frac) * until_s);
    }
    const mr_status st =
        chain_losses(plant->site, rack_w, cooling_j / until_s, &all_w, &below_ups_w, err);
    mr_free(rack_w);
    MR_TRY(st);
    mr_metrics_add_j(m, MR_METRICS_IT, s.it_j);
    mr_metrics_add_j(m, MR_METRICS_SITE, s.it_j + cooling_j + all_w * until_s);
    mr_metrics_add_j(m, MR_METRICS_UPS, s.it_j + below_ups_w * until_s);
    mr_metrics_add_j(m, MR_METRICS_PUMPS, s.cdu_j + s.facility_pump_j);
    mr_metrics_add_j(m, MR_METRICS_FANS, s.fan_j + s.air_j);
    mr_metrics_add_j(m, MR_METRICS_CHILLERS, s.work_j);
    mr_metrics_add_water(m, s.water_m3);
    return MR_OK;
}

/* ---- the list ---- */

static void put(struct mr_thermal_figure_list *list, struct mr_thermal_figure figure)
{
    MR_ASSERT(list->n < MR_THERMAL_FIGURES);
    list->item[list->n++] = figure;
}

static void put_approaches(const struct mr_thermal_figures *f, struct mr_thermal_figure_list *list)
{
    static const struct {
        const char *mean, *most, *doc;
    } kinds[] = {
#define APPROACH_ROW(name, text, doc) {text "_k_mean", text "_k_max", doc},
        MR_THERMAL_APPROACH_LIST(APPROACH_ROW)
#undef APPROACH_ROW
    };
    for (int k = 0; k < MR_THERMAL_N_APPROACH; k++) {
        const struct mr_metrics_track *t = &f->approach[k];
        const double most = t->most > -HUGE_VAL ? t->most : (double)NAN;
        put(list, (struct mr_thermal_figure){"approach", kinds[k].mean, "K", kinds[k].doc,
                                             mr_metrics_track_mean(t)});
        put(list, (struct mr_thermal_figure){"approach", kinds[k].most, "K", kinds[k].doc, most});
    }
}

static void put_hours(const struct mr_plant *plant, const struct mr_plant_state *state,
                      struct mr_thermal_figure_list *list)
{
    const double hour_s = 3600;
    struct mr_plant_sums s;
    double room_s = 0;
    mr_plant_sums(plant, state, &s);
    for (size_t i = 0; i < plant->n_hall; i++)
        room_s += state->hall[i].room.high_s;
    const struct mr_thermal_figure rows[] = {
        {"hours_above", "held_or_off", "package h",
         "packages x time in which they drew less than asked", s.throttled_s / hour_s},
        {"hours_above", "supply", "group h", "CDU groups x time above set point and margin",
         s.supply_high_s / hour_s},
        {"hours_above", "facility", "loop h", "loops x time above set point and dead band",
         s.facility_high_s / hour_s},
        {"hours_above", "room", "hall h", "halls x time above the air inlet limit",
         room_s / hour_s},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put(list, rows[i]);
}

/* At the meter, and what the connection gives. The most is that of racks, with cooling and losses
 * in proportion: they follow a little later and a little less. */
static void put_meter(const struct mr_thermal_figures *f, const struct mr_metrics *m,
                      double until_s, struct mr_thermal_figure_list *list)
{
    static const double mega = 1e6;
    const double limit_w = f->plant->site->grid.limit_w, pue = mr_metrics_value(m, MR_METRICS_PUE);
    const struct mr_thermal_figure rows[] = {
        {"power", "it_mw_peak", "MW", "most that racks drew in one step", f->it_w_max / mega},
        {"power", "site_mw_mean", "MW", "E_site / time", pue * f->it_j / until_s / mega},
        {"power", "site_mw_peak", "MW", "it_mw_peak x pue", pue * f->it_w_max / mega},
        {"power", "limit_mw", "MW", "what the connection gives",
         limit_w > 0 ? limit_w / mega : (double)NAN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put(list, rows[i]);
}

mr_status mr_thermal_figures_end(const struct mr_thermal_figures *figures,
                                 const struct mr_plant_state *state, double until_s,
                                 double inside_frac, struct mr_thermal_figure_list *list,
                                 struct mr_err *err)
{
    static const int power[] = {MR_METRICS_PUE, MR_METRICS_PUE_UPS, MR_METRICS_ITUE,
                                MR_METRICS_TUE};
    static const double l_kwh_of_m3_j = 1e3 * 3.6e6;
    struct mr_metrics m;
    *list = (struct mr_thermal_figure_list){0};
    MR_TRY(fill_metrics(figures->plant, state, until_s, inside_frac, &m, err));
    for (size_t i = 0; i < sizeof power / sizeof *power; i++)
        put(list, (struct mr_thermal_figure){"power", mr_metrics_name(power[i]), "1",
                                             mr_metrics_formula(power[i]),
                                             mr_metrics_value(&m, power[i])});
    put(list, (struct mr_thermal_figure){"power", "pue_cooling", "1",
                                         "(E_it + E_pumps + E_fans + E_chillers) / E_it, without "
                                         "the electric chain",
                                         1 + mr_metrics_value(&m, MR_METRICS_COOLING)});
    put_meter(figures, &m, until_s, list);
    put(list, (struct mr_thermal_figure){"thermal", "wue_l_kwh", "L kWh-1",
                                         mr_metrics_formula(MR_METRICS_WUE),
                                         mr_metrics_value(&m, MR_METRICS_WUE) * l_kwh_of_m3_j});
    put_approaches(figures, list);
    put_hours(figures->plant, state, list);
    return MR_OK;
}

double mr_thermal_figure(const struct mr_thermal_figure_list *list, const char *group,
                         const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->item[i].group, group) == 0 && strcmp(list->item[i].name, name) == 0)
            return list->item[i].value;
    return (double)NAN;
}
