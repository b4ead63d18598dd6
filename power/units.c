/* SPDX-License-Identifier: Apache-2.0 */
/* Staging of equal units. */
#include "power/units.h"

#include "engine/base/assert.h"

#include <math.h>

const double mr_units_dwell_s = 60, mr_units_high_frac = 0.8, mr_units_low_frac = 0.6;

mr_status mr_units_check(const struct mr_units *units, const char *what, struct mr_place at,
                         struct mr_err *err)
{
    if (units->n_installed == 0)
        return mr_err_set(err, MR_RANGE, at, "%s: no unit is installed (1 or more)", what);
    if (units->n_spare >= units->n_installed)
        return mr_err_set(err, MR_RANGE, at,
                          "%s: %u spare of %u units leave none for the load (install one more)",
                          what, units->n_spare, units->n_installed);
    if (!(units->dwell_s >= 0))
        return mr_err_set(err, MR_RANGE, at, "%s: dwell %g s must be 0 or more", what,
                          units->dwell_s);
    if (units->staging == MR_UNITS_HYSTERESIS &&
        !(units->low_frac > 0 && units->low_frac < units->high_frac && units->high_frac <= 1))
        return mr_err_set(err, MR_RANGE, at, "%s: hysteresis from %g to %g must rise within 0..1",
                          what, units->low_frac, units->high_frac);
    return MR_OK;
}

struct mr_units_state mr_units_start(const struct mr_units *units)
{
    return (struct mr_units_state){.n_on = units->n_installed, .change_s = -(double)INFINITY};
}

static uint32_t working(const struct mr_units *units, const struct mr_units_state *state)
{
    return units->n_installed > state->n_failed ? units->n_installed - state->n_failed : 0;
}

static uint32_t at_most(double n, uint32_t most)
{
    return n < (double)most ? (uint32_t)n : most;
}

uint32_t mr_units_needed(const struct mr_units *units, const struct mr_units_state *state,
                         double out_w)
{
    /* a load that is n ratings up to rounding needs n units */
    const double ratings = fabs(out_w) / units->unit.rating_w;
    const double n = ceil(ratings * (1 - 1e-12));
    const uint32_t least = units->n_spare == 0 ? 1 : 0; /* one stays on for the bus */
    return at_most(fmax(n, least) + units->n_spare, working(units, state));
}

static uint32_t best(const struct mr_units *units, uint32_t least, uint32_t most, double out_w)
{
    const struct mr_stage *unit = &units->unit;
    double n = most;
    if (unit->standing_w > 0)
        n = fabs(out_w) * sqrt(unit->square_per_w / unit->standing_w);
    uint32_t low = at_most(fmax(floor(n), least), most);
    const uint32_t high = low < most ? low + 1 : low;
    if (low == 0 || mr_stage_loss_w(unit, high, out_w) < mr_stage_loss_w(unit, low, out_w))
        low = high;
    return low;
}

static uint32_t stepped(const struct mr_units *units, uint32_t n_on, uint32_t most, double out_w)
{
    const double load = fabs(out_w) / units->unit.rating_w;
    if (n_on < most && load > units->high_frac * n_on)
        return n_on + 1;
    /* one less must not ask for it back */
    if (n_on > 1 && load < units->low_frac * n_on && load <= units->high_frac * (n_on - 1))
        return n_on - 1;
    return n_on;
}

uint32_t mr_units_wanted(const struct mr_units *units, const struct mr_units_state *state,
                         double out_w)
{
    const uint32_t most = working(units, state), least = mr_units_needed(units, state, out_w);
    uint32_t n = most;
    if (units->staging == MR_UNITS_OPTIMAL)
        n = best(units, least, most, out_w);
    else if (units->staging == MR_UNITS_HYSTERESIS)
        n = stepped(units, state->n_on, most, out_w);
    return n < least ? least : n > most ? most : n;
}

static int change(struct mr_units_state *state, uint32_t n, double t_s)
{
    const int by = (int)n - (int)state->n_on;
    if (by != 0) {
        state->n_on = n;
        state->change_s = t_s;
    }
    return by;
}

int mr_units_step(const struct mr_units *units, struct mr_units_state *state, double out_w,
                  double t_s)
{
    const uint32_t needed = mr_units_needed(units, state, out_w);
    if (state->n_on < needed)
        return change(state, needed, t_s);
    if (t_s < state->change_s + units->dwell_s) /* as who waits for the date reckons it */
        return 0;
    return change(state, mr_units_wanted(units, state, out_w), t_s);
}

void mr_units_set_failed(const struct mr_units *units, struct mr_units_state *state,
                         uint32_t n_failed, double out_w, double t_s)
{
    MR_ASSERT(n_failed <= units->n_installed);
    state->n_failed = n_failed;
    const uint32_t most = working(units, state), needed = mr_units_needed(units, state, out_w);
    uint32_t n = units->staging == MR_UNITS_ALL ? most : state->n_on;
    n = n > most ? most : n;
    change(state, n < needed ? needed : n, t_s);
}
