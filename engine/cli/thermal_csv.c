/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the thermal verb's tables. */
#include "engine/cli/thermal_csv.h"

#include "engine/base/csv.h"

#include <math.h>

static double sum_mode_w(const struct mr_plant *plant, const struct mr_plant_state *state,
                         double *fws_c)
{
    double cooling_w = 0;
    *fws_c = -273.15;
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        const struct mr_plant_loop_state *s = &state->loop[i];
        cooling_w += s->out.fan_w + s->out.work_w +
                     mr_facility_pump_w(&plant->loop[i].facility, s->water_w_k > 0 ? 1 : 0, 0);
        *fws_c = fmax(*fws_c, mr_plant_facility_c(plant, state, i));
    }
    for (uint32_t i = 0; i < plant->n_group; i++)
        cooling_w += state->group[i].electric_w;
    return cooling_w;
}

void mr_thermal_csv_racks(const struct mr_plant *plant, const struct mr_plant_state *state,
                          double t_s, struct mr_buf *out)
{
    struct mr_csv_writer w = {out, false};
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        struct mr_plant_rack_row row;
        mr_plant_rack_row(plant, state, i, &row);
        mr_csv_put_f64(&w, t_s);
        mr_csv_put_text(&w, plant->site->rack[i].name);
        mr_csv_put_f64(&w, row.power_w * 1e-3);
        mr_csv_put_f64(&w, row.supply_c);
        mr_csv_put_f64(&w, row.return_c);
        mr_csv_put_f64(&w, row.flow_m3_s * 60e3);
        mr_csv_put_f64(&w, row.die_max_c);
        mr_csv_put_f64(&w, row.die_mean_c);
        mr_csv_put_u64(&w, row.n_throttled);
        mr_csv_put_u64(&w, row.n_off);
        mr_csv_put_end(&w);
    }
}

/* Members of a cohort share everything but their manufacturing: that is looked up here alone. */
void mr_thermal_csv_dies(const struct mr_plant *plant, const struct mr_plant_state *state,
                         uint64_t seed, struct mr_buf *out)
{
    struct mr_csv_writer w = {out, false};
    for (uint32_t i = 0; i < plant->n_rack; i++)
        for (uint32_t k = 0; k < plant->rack[i].n_package; k++) {
            mr_csv_put_text(&w, plant->site->rack[i].name);
            mr_csv_put_u64(&w, k);
            mr_csv_put_f64(&w, mr_plant_die_c(plant, state, seed, i, k));
            mr_csv_put_end(&w);
        }
}

void mr_thermal_csv_site(const struct mr_plant *plant, const struct mr_plant_state *state,
                         double t_s, struct mr_buf *out)
{
    struct mr_csv_writer w = {out, false};
    const struct mr_weather_point air = mr_weather_at(plant->weather, t_s);
    double it_w = 0, fws_c, die_c = -273.15, supply_c = -273.15, return_c = -273.15;
    uint64_t n_throttled = 0, n_off = 0;
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        struct mr_plant_rack_row row;
        mr_plant_rack_row(plant, state, i, &row);
        it_w += row.power_w;
        supply_c = fmax(supply_c, row.supply_c);
        return_c = fmax(return_c, row.return_c);
        if (!isnan(row.die_max_c))
            die_c = fmax(die_c, row.die_max_c);
        n_throttled += row.n_throttled;
        n_off += row.n_off;
    }
    const double cooling_w = sum_mode_w(plant, state, &fws_c);
    const double column[] = {t_s,   it_w * 1e-3, cooling_w * 1e-3, air.dry_bulb_c, air.wet_bulb_c,
                             fws_c, supply_c,    return_c,         die_c};
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        mr_csv_put_f64(&w, column[i] > -273 ? column[i] : (double)NAN);
    mr_csv_put_u64(&w, n_throttled);
    mr_csv_put_u64(&w, n_off);
    mr_csv_put_end(&w);
}
