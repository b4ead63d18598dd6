/* SPDX-License-Identifier: Apache-2.0 */
/* The meter's money: pieces end where a demand window, a billing period or the sign of power ends,
 * so that no piece needs a case of its own. */
#include "power/tariff.h"

#include "engine/base/assert.h"

#include <math.h>

static const double year_s = 8760 * 3600.;

// clang-format off
#define P struct mr_tariff_params
static const struct mr_param rows[] = {
    MR_PARAM(P, price_usd_j, "price", MR_Q_ENERGY_PRICE, "70 USD/MWh", -MR_UNBOUNDED, MR_UNBOUNDED, "Price of energy where there is no series"),
    MR_PARAM(P, carbon_kg_j, "carbon", MR_Q_CARBON, "350 g/kWh", 0, MR_UNBOUNDED, "Carbon dioxide of energy where there is no series"),
    MR_PARAM(P, demand_usd_w, "demand_charge", MR_Q_POWER_PRICE, "0 USD/kW", 0, MR_UNBOUNDED, "Price of the highest average power of a billing period"),
    MR_PARAM(P, demand_window_s, "demand_window", MR_Q_TIME, "15 min", 1, 86400, "Time over which demand is averaged"),
    MR_PARAM(P, billing_s, "billing_period", MR_Q_TIME, "30 d", 1, MR_UNBOUNDED, "Time between two bills"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"tariff", "What the meter costs.", rows,
                                            sizeof rows / sizeof *rows};

const struct mr_param_table *mr_tariff_table(void)
{
    return &table;
}

void mr_tariff_defaults(struct mr_tariff_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    *params = (struct mr_tariff_params){0};
    mr_param_defaults(&(struct mr_param_target){&table, params, origin, NULL, NULL});
}

mr_status mr_tariff_check(const struct mr_tariff_params *params, const char *name,
                          struct mr_err *err)
{
    const double windows = params->billing_s / params->demand_window_s;
    if (!(windows >= 1 && fabs(windows - floor(windows + 0.5)) <= 1e-9 * windows))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: billing period %g s: must be whole demand windows of %g s", name,
                          params->billing_s, params->demand_window_s);
    return MR_OK;
}

struct mr_tariff mr_tariff_start(const struct mr_tariff_params *params, double t_s)
{
    return (struct mr_tariff){.t_s = t_s,
                              .window_end_s = t_s + params->demand_window_s,
                              .billing_end_s = t_s + params->billing_s};
}

static double priced(const struct mr_series *series, double constant, double from_s, double to_s,
                     double from_w, double to_w)
{
    return series != NULL ? mr_series_weighted(series, from_s, to_s, from_w, to_w)
                          : constant * 0.5 * (from_w + to_w) * (to_s - from_s);
}

static void close_window(const struct mr_tariff_params *params, struct mr_tariff *tariff)
{
    tariff->peak_w = fmax(tariff->peak_w, tariff->window_j / params->demand_window_s);
    tariff->window_j = 0;
    /* half a window of tolerance: both ends are sums of their own */
    if (tariff->window_end_s > tariff->billing_end_s - 0.5 * params->demand_window_s) {
        tariff->demand_usd += params->demand_usd_w * tariff->peak_w;
        tariff->peak_w = 0;
        tariff->billing_end_s += params->billing_s;
    }
    tariff->window_end_s += params->demand_window_s;
}

/* Whole windows from now on that are alike, but for the last of a billing period. */
static double n_alike(const struct mr_tariff_params *params, const struct mr_tariff *tariff,
                      double t_s)
{
    const double window_s = params->demand_window_s;
    if (tariff->window_end_s - tariff->t_s < window_s * (1 - 1e-12))
        return 0;
    const double end_s = fmin(t_s, tariff->billing_end_s - 0.5 * window_s);
    return fmax(0, floor((end_s - tariff->t_s) / window_s));
}

void mr_tariff_advance(const struct mr_tariff_params *params, struct mr_tariff *tariff,
                       const struct mr_series *price, const struct mr_series *carbon, double t_s,
                       double from_w, double to_w)
{
    MR_ASSERT(t_s >= tariff->t_s);
    const double begin_s = tariff->t_s, span_s = t_s - begin_s;
    const double turn_s =
        from_w * to_w < 0 ? begin_s - from_w / (to_w - from_w) * span_s : (double)INFINITY;
    double p_w = from_w;
    while (tariff->t_s < t_s) {
        const double n = from_w == to_w ? n_alike(params, tariff, t_s) : 0;
        if (n > 1)
            tariff->window_end_s += (n - 1) * params->demand_window_s;
        double end_s = fmin(t_s, tariff->window_end_s);
        if (turn_s > tariff->t_s)
            end_s = fmin(end_s, turn_s);
        const double end_w =
            end_s == t_s ? to_w : from_w + (to_w - from_w) * ((end_s - begin_s) / span_s);
        const double energy_j = 0.5 * (p_w + end_w) * (end_s - tariff->t_s);
        tariff->energy_j += energy_j;
        tariff->window_j += n > 1 ? energy_j / n : energy_j;
        tariff->energy_usd += priced(price, params->price_usd_j, tariff->t_s, end_s, p_w, end_w);
        if (energy_j > 0)
            tariff->carbon_kg +=
                priced(carbon, params->carbon_kg_j, tariff->t_s, end_s, p_w, end_w);
        tariff->t_s = end_s;
        p_w = end_w;
        if (end_s >= tariff->window_end_s)
            close_window(params, tariff);
    }
}

double mr_tariff_demand_usd(const struct mr_tariff_params *params, const struct mr_tariff *tariff)
{
    return tariff->demand_usd + params->demand_usd_w * tariff->peak_w;
}

/* firm      value firm year
 * flexible  value (flexible (year - z) + curtailed z) - capital (flexible - firm)
 * gain = 0 at z = (flexible - firm) (value year - capital) / (value (flexible - curtailed)) */
mr_status mr_tariff_flexible_year(const struct mr_tariff_flexible *f, const char *name,
                                  struct mr_tariff_year *year, struct mr_err *err)
{
    if (!(f->curtailed_w >= 0 && f->curtailed_w <= f->firm_w && f->firm_w <= f->flexible_w))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: curtailed %g W, firm %g W, flexible %g W: must rise from 0 on", name,
                          f->curtailed_w, f->firm_w, f->flexible_w);
    if (!(f->curtail_s_year >= 0 && f->curtail_s_year <= year_s))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: curtailed %g h a year: must be 0 to 8760",
                          name, f->curtail_s_year / 3600);
    const double extra_w = f->flexible_w - f->firm_w, held_w = f->flexible_w - f->curtailed_w;
    const double margin_usd = extra_w * (f->value_usd_j * year_s - f->capital_usd_w_year);
    year->firm_usd = f->value_usd_j * f->firm_w * year_s;
    year->flexible_usd = f->value_usd_j * (f->flexible_w * (year_s - f->curtail_s_year) +
                                           f->curtailed_w * f->curtail_s_year) -
                         f->capital_usd_w_year * extra_w;
    year->gain_usd = year->flexible_usd - year->firm_usd;
    const double loss_usd_s = f->value_usd_j * held_w;
    const double even_s = loss_usd_s > 0 ? fmax(margin_usd, 0) / loss_usd_s : (double)INFINITY;
    year->break_even_s = even_s <= year_s ? even_s : (double)INFINITY;
    return MR_OK;
}
