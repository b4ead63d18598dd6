/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of a flexible connection. */
#include "power/flex.h"

#include <math.h>

static const double never = (double)INFINITY;
static const double year_s = 8760 * 3600.;

mr_status mr_flex_init(struct mr_flex *flex, const struct mr_site *site,
                       const struct mr_series *price, double until_s, struct mr_arena *arena,
                       struct mr_err *err)
{
    const struct mr_grid *grid = &site->grid;
    *flex = (struct mr_flex){.price = price, .until_s = until_s};
    flex->is_on = grid->limit_w > 0 && grid->curtail_frac > 0 && grid->curtail_h_year > 0;
    if (!flex->is_on)
        return MR_OK;
    const double firm_w = grid->limit_w * (1 - grid->curtail_frac);
    flex->year =
        (struct mr_tariff_flexible){.firm_w = firm_w,
                                    .flexible_w = grid->limit_w,
                                    .curtailed_w = firm_w,
                                    .curtail_s_year = fmin(grid->curtail_h_year * 3600, year_s),
                                    .value_usd_j = 1};
    MR_TRY(mr_tariff_flexible_year(&flex->year, site->name, &flex->gain, err));
    flex->is_scheduled = price != NULL;
    return price != NULL ? mr_series_highest(arena, price, flex->year.curtail_s_year / year_s,
                                             &flex->called, err)
                         : MR_OK;
}

static double held_j(const struct mr_supply *supply)
{
    struct mr_supply_total t;
    mr_supply_total(supply, &t);
    return t.want_j - t.rack_j;
}

static void end_call(struct mr_flex *flex, const struct mr_supply *supply, double now_s)
{
    const double length_s = now_s - flex->call_s, kept_j = held_j(supply) - flex->held_j;
    flex->called_s += length_s;
    flex->kept_j += kept_j;
    if (length_s > 0)
        flex->saved_usd += kept_j * mr_series_integral(flex->price, flex->call_s, now_s) / length_s;
    flex->end_s = 0;
}

mr_status mr_flex_step(struct mr_flex *flex, struct mr_supply *supply, double now_s,
                       struct mr_err *err)
{
    if (flex->end_s > 0 && (now_s >= flex->end_s || now_s >= flex->until_s))
        end_call(flex, supply, now_s);
    if (!flex->is_scheduled || flex->end_s > 0 || now_s >= flex->until_s ||
        mr_series_at(&flex->called, now_s) < 1)
        return MR_OK;
    double end_s = now_s;
    do
        end_s = mr_series_next_s(&flex->called, end_s);
    while (end_s < flex->until_s && mr_series_at(&flex->called, end_s) >= 1);
    const struct mr_feed_target target = {
        .start_s = now_s, .end_s = end_s, .limit_w = flex->year.curtailed_w};
    flex->call_s = now_s;
    flex->end_s = end_s;
    flex->held_j = held_j(supply);
    flex->n_call++;
    return mr_supply_deepen_target(supply, &target, err);
}

void mr_flex_end(struct mr_flex *flex, const struct mr_supply *supply, double now_s)
{
    if (flex->end_s > 0)
        end_call(flex, supply, now_s);
    flex->until_s = now_s;
}

double mr_flex_next_s(const struct mr_flex *flex, double now_s)
{
    if (!flex->is_scheduled)
        return never;
    return flex->end_s > 0 ? flex->end_s : mr_series_next_s(&flex->called, now_s);
}

/* ---- output ---- */

/* What the hours of a year take away at most: a load at the limit all year. */
static double most_j(const struct mr_flex *flex)
{
    return (flex->year.flexible_w - flex->year.curtailed_w) * flex->year.curtail_s_year;
}

void mr_flex_text(const struct mr_flex *flex, struct mr_buf *out)
{
    const double mwh = 1 / 3.6e9;
    if (!flex->is_on)
        return;
    mr_buf_printf(out,
                  "%-20s %.5g h a year at %.4g of %.4g MW: at most %.5g MWh less, %.5g MWh more "
                  "than firm; of this run's share at most %.4g MWh\n",
                  "flexible", flex->year.curtail_s_year / 3600, flex->year.curtailed_w * 1e-6,
                  flex->year.flexible_w * 1e-6, most_j(flex) * mwh, flex->gain.gain_usd * mwh,
                  most_j(flex) * flex->until_s / year_s * mwh);
    if (flex->is_scheduled)
        mr_buf_printf(out,
                      "%-20s %llu times, %.5g h in the dearest hours: racks kept from %.5g MWh "
                      "worth %.6g USD\n",
                      "  called", (unsigned long long)flex->n_call, flex->called_s / 3600,
                      flex->kept_j * mwh, flex->saved_usd);
}

void mr_flex_json(const struct mr_flex *flex, struct mr_jsonw *w)
{
    mr_jsonw_object(w);
    mr_jsonw_key_f64(w, "hours_year", flex->year.curtail_s_year / 3600);
    mr_jsonw_key_f64(w, "curtailed_kw", flex->year.curtailed_w * 1e-3);
    mr_jsonw_key_f64(w, "flexible_kw", flex->year.flexible_w * 1e-3);
    mr_jsonw_key_f64(w, "year_curtailed_j", most_j(flex));
    mr_jsonw_key_f64(w, "year_gain_j", flex->gain.gain_usd);
    mr_jsonw_key_f64(w, "share_curtailed_j", most_j(flex) * flex->until_s / year_s);
    if (flex->is_scheduled) {
        mr_jsonw_key_u64(w, "calls", flex->n_call);
        mr_jsonw_key_f64(w, "called_s", flex->called_s);
        mr_jsonw_key_f64(w, "kept_j", flex->kept_j);
        mr_jsonw_key_f64(w, "saved_usd", flex->saved_usd);
    }
    mr_jsonw_end(w);
}
