/* SPDX-License-Identifier: Apache-2.0 */
/* The frequency of the grid, where a trace of it is given. Relays are those of islands
 * (frequency.h): a stage sheds when its threshold has been undercut for the delay, then the next
 * one looks. They are set back when the frequency is above all thresholds again; racks that they
 * shed stay away until then. Below `trip_below` the machines of the grid are gone: its voltage
 * counts as lost, and the ride-through curve decides. Dates are looked for in the trace, row by
 * row, once. */
#include "power/supply_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

mr_status mr_supply_relay_init(struct mr_supply *s, struct mr_err *err)
{
    s->voltage_frac = 1;
    s->relay = (struct mr_supply_relay){.below_s = never, .next_s = never};
    if (s->options.frequency == NULL)
        return MR_OK;
    if (s->is_island)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: a trace of the grid's frequency, and no grid: machines of an island "
                          "have their own",
                          s->site->name);
    s->relay.next_s = s->t_s;
    return mr_frequency_trace_check(&s->params.frequency, s->options.frequency, "grid's frequency",
                                    err);
}

void mr_supply_relay_step(struct mr_supply *s, double t_s)
{
    if (s->options.frequency != NULL && s->has_grid)
        s->low_hz = fmin(s->low_hz, mr_frequency_trace_low_hz(s->options.frequency, s->t_s, t_s));
}

/* ---- what is due ---- */

static void shed(struct mr_supply *s, double hz)
{
    const struct mr_frequency_params *p = &s->params.frequency;
    const uint64_t stage = s->relay.n_shed++;
    s->relay.below_s = never;
    if (!s->has_grid)
        return;
    s->total.n_ufls++;
    mr_supply_emit(s, MR_SUPPLY_UFLS, s->wire.tree->node[0].name, "", hz, p->stage_hz[stage]);
    mr_supply_hold_shed(s, p->shed_w[stage], never);
}

/* What was undercut up to now has its turn before what is undercut now. */
static void look_at_stages(struct mr_supply *s, double hz)
{
    const struct mr_frequency_params *p = &s->params.frequency;
    struct mr_supply_relay *relay = &s->relay;
    if (s->t_s >= relay->below_s + p->stage_delay_s)
        shed(s, fmin(hz, p->stage_hz[relay->n_shed]));
    while (relay->n_shed < p->n_stage && hz < p->stage_hz[relay->n_shed]) {
        relay->below_s = fmin(relay->below_s, s->t_s);
        if (s->t_s < relay->below_s + p->stage_delay_s)
            return;
        shed(s, hz);
    }
    relay->below_s = never;
    if (relay->n_shed == 0 || hz < p->stage_hz[0])
        return;
    relay->n_shed = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (s->rack[i].free_s == never)
            s->rack[i].free_s = s->t_s + s->params.return_s;
}

static void look_at_trip(struct mr_supply *s, double hz)
{
    const double trip_hz = s->params.frequency.trip_hz;
    if ((hz < trip_hz) == s->relay.is_out)
        return;
    s->relay.is_out = hz < trip_hz;
    mr_supply_emit(s, MR_SUPPLY_FREQUENCY, s->wire.tree->node[0].name,
                   s->relay.is_out ? "below" : "above", hz, trip_hz);
    mr_feed_ride_step(&s->params.ride, &s->ride, s->t_s, mr_supply_relay_voltage_frac(s));
}

void mr_supply_relay_act(struct mr_supply *s)
{
    const struct mr_frequency_params *p = &s->params.frequency;
    struct mr_supply_relay *relay = &s->relay;
    if (s->t_s < relay->next_s)
        return;
    const double hz = mr_series_at(s->options.frequency, s->t_s);
    look_at_stages(s, hz);
    look_at_trip(s, hz);
    double level_hz[3];
    size_t n = 0;
    level_hz[n++] = p->trip_hz;
    if (relay->n_shed < p->n_stage)
        level_hz[n++] = p->stage_hz[relay->n_shed];
    if (relay->n_shed > 0)
        level_hz[n++] = p->stage_hz[0];
    relay->next_s = fmin(mr_frequency_trace_next_s(s->options.frequency, s->t_s, level_hz, n),
                         relay->below_s + p->stage_delay_s);
}

double mr_supply_relay_next_s(const struct mr_supply *s)
{
    return s->relay.next_s;
}

/* ---- what is seen of it ---- */

double mr_supply_relay_hz(const struct mr_supply *s)
{
    const double hz = mr_supply_island_hz(s);
    if (s->options.frequency == NULL || !s->has_grid)
        return hz;
    const double grid_hz = mr_series_at(s->options.frequency, s->look_s);
    return hz < s->params.frequency.nominal_hz ? fmin(hz, grid_hz) : grid_hz;
}

double mr_supply_relay_voltage_frac(const struct mr_supply *s)
{
    return s->relay.is_out ? 0 : s->voltage_frac;
}
