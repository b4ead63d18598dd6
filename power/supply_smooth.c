/* SPDX-License-Identifier: Apache-2.0 */
/* Packages that smooth what they draw: a rack is n of one package in step. Over a step the rack
 * draws the mean, so energies are exact; the meter sees stairs of the step. */
#include "power/supply_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

bool mr_supply_smooths(const struct mr_supply *s, uint32_t rack)
{
    return s->params.smooth.is_on && s->site->rack[rack].n_package > 0;
}

double mr_supply_smooth_w(struct mr_supply *s, uint32_t i, bool is_on, double w)
{
    const struct mr_smooth_params *p = &s->params.smooth;
    struct mr_supply_rack *rack = &s->rack[i];
    const double n = s->site->rack[i].n_package;
    const double want_w = is_on ? w / n : 0, limit_w = fmin(rack->cap_w, rack->most_w) / n;
    if (!is_on || s->t_s == s->options.t_s) { /* settled before anything has passed */
        rack->smooth = mr_smooth_start(p, limit_w, s->t_s, want_w);
    } else if (want_w != rack->smooth.want_w || limit_w != rack->smooth.limit_w) {
        rack->smooth.limit_w = limit_w;
        mr_smooth_set(p, &rack->smooth, want_w);
    }
    return n * rack->smooth.draw_w;
}

static void step_rack(struct mr_supply *s, uint32_t i, double t_s)
{
    struct mr_supply_rack *rack = &s->rack[i];
    struct mr_smooth *smooth = &rack->smooth;
    const double n = s->site->rack[i].n_package, dt_s = t_s - s->t_s;
    const bool is_constant = smooth->slope_w_s == 0;
    smooth->energy_j = smooth->burn_j = smooth->missed_j = 0; /* of this step */
    mr_smooth_advance(&s->params.smooth, smooth, t_s);
    rack->burn_w = n * smooth->burn_j / dt_s;
    if (is_constant)
        return;
    mr_supply_draw(s, i, n * smooth->energy_j / dt_s);
}

void mr_supply_smooth_step(struct mr_supply *s, double t_s)
{
    for (uint32_t i = 0; i < s->site->n_rack && s->params.smooth.is_on; i++) {
        s->rack[i].burn_w = 0;
        if (mr_supply_smooths(s, i) && s->rack[i].state == MR_SUPPLY_RACK_ON)
            step_rack(s, i, t_s);
        s->rack[i].smooth.t_s = t_s; /* of those that rest, too: they start from now */
    }
}

double mr_supply_smooth_next_s(const struct mr_supply *s)
{
    double next_s = never;
    for (uint32_t i = 0; i < s->site->n_rack && s->params.smooth.is_on; i++) {
        const struct mr_smooth *smooth = &s->rack[i].smooth;
        if (!mr_supply_smooths(s, i) || s->rack[i].state != MR_SUPPLY_RACK_ON)
            continue;
        next_s = fmin(next_s, mr_smooth_next_s(&s->params.smooth, smooth));
        if (smooth->slope_w_s != 0)
            next_s = fmin(next_s, s->t_s + s->params.swing_tick_s);
    }
    return next_s;
}
