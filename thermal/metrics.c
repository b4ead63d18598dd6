/* SPDX-License-Identifier: Apache-2.0 */
/* Sums and their ratios. A quotient of two sums loses no more than the sums do. */
#include "thermal/metrics.h"

#include "engine/base/assert.h"

static const struct {
    const char *name, *formula;
} kinds[MR_METRICS_N_KIND] = {
#define KIND_ROW(name, text, formula) {text, formula},
    MR_METRICS_LIST(KIND_ROW)
#undef KIND_ROW
};

const char *mr_metrics_name(int kind)
{
    MR_ASSERT(kind >= 0 && kind < MR_METRICS_N_KIND);
    return kinds[kind].name;
}

const char *mr_metrics_formula(int kind)
{
    MR_ASSERT(kind >= 0 && kind < MR_METRICS_N_KIND);
    return kinds[kind].formula;
}

void mr_metrics_add_j(struct mr_metrics *metrics, enum mr_metrics_flow flow, double energy_j)
{
    mr_sum_add(&metrics->energy_j[flow], energy_j);
}

void mr_metrics_add_water(struct mr_metrics *metrics, double volume_m3)
{
    mr_sum_add(&metrics->water_m3, volume_m3);
}

static double over(double value, double base_j)
{
    return base_j > 0 ? value / base_j : (double)NAN;
}

double mr_metrics_value(const struct mr_metrics *metrics, int kind)
{
    double e[MR_METRICS_N_FLOW];
    MR_ASSERT(kind >= 0 && kind < MR_METRICS_N_KIND);
    for (int i = 0; i < MR_METRICS_N_FLOW; i++)
        e[i] = mr_sum_of(metrics->energy_j[i]);
    const double it_j = e[MR_METRICS_IT];
    const double value[MR_METRICS_N_KIND] = {
        [MR_METRICS_PUE] = over(e[MR_METRICS_SITE], it_j),
        [MR_METRICS_PUE_UPS] = over(e[MR_METRICS_SITE], e[MR_METRICS_UPS]),
        [MR_METRICS_ITUE] = over(it_j, e[MR_METRICS_COMPUTE]),
        [MR_METRICS_TUE] = over(e[MR_METRICS_SITE], e[MR_METRICS_COMPUTE]),
        [MR_METRICS_WUE] = over(mr_sum_of(metrics->water_m3), it_j),
        [MR_METRICS_COOLING] =
            over(e[MR_METRICS_PUMPS] + e[MR_METRICS_FANS] + e[MR_METRICS_CHILLERS], it_j),
    };
    return value[kind];
}

/* ---- one temperature ---- */

void mr_metrics_track_start(struct mr_metrics_track *track, double limit)
{
    *track = (struct mr_metrics_track){.limit = limit, .least = HUGE_VAL, .most = -HUGE_VAL};
}

/* Above the limit a line is a trapezoid, or a triangle when it crosses. */
void mr_metrics_track_add(struct mr_metrics_track *track, double from, double to, double dt_s)
{
    const double high = fmax(from, to) - track->limit, low = fmin(from, to) - track->limit;
    if (!(dt_s > 0))
        return;
    track->least = fmin(track->least, fmin(from, to));
    track->most = fmax(track->most, fmax(from, to));
    mr_sum_add(&track->time_s, dt_s);
    mr_sum_add(&track->value_s, 0.5 * (from + to) * dt_s);
    if (!(high > 0))
        return;
    const double above_s = low >= 0 ? dt_s : dt_s * (high / (high - low));
    mr_sum_add(&track->above_s, above_s);
    mr_sum_add(&track->above_ks, 0.5 * (high + fmax(low, 0)) * above_s);
}

double mr_metrics_track_mean(const struct mr_metrics_track *track)
{
    const double time_s = mr_sum_of(track->time_s);
    return time_s > 0 ? mr_sum_of(track->value_s) / time_s : (double)NAN;
}
