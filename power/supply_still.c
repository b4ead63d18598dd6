/* SPDX-License-Identifier: Apache-2.0 */
/* A controller whose last round has changed nothing need not be woken for the next one: what it
 * would read, decide and do is the same until something else happens. So constant load costs what
 * happens in it, not how long it lasts. A round has three beats, a sample, its decision and its
 * caps in force; four beats that find the same, with nothing between them, are rest. Whatever is an
 * event, and every new input, ends it. Caps that creep up to where they come to rest are there when
 * a beat moves them by less than a share of 1e-12.
 *
 * There is no rest while a storage gives or takes, which it cannot do for long, and where racks are
 * told watts at every exchange by whoever owns their clocks. */
#include "power/supply_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

enum {
    n_rest = 4
};

void mr_supply_still_stir(struct mr_supply *s)
{
    s->still.n = 0;
}

/* @param[in] scale_w sums are rounded by so much of it */
static bool is_same(double *kept, double now, double scale_w)
{
    const double near = 1e-12, was = *kept;
    *kept = now;
    return was == now || fabs(now - was) <= near * scale_w;
}

/* What goes by the date without being an event: a round may find something else then. */
static bool waits(const struct mr_supply *s)
{
    const double soon_s = s->t_s + s->params.govern.period_s;
    const double then_s = s->t_s + mr_govern_latency_s(&s->params.govern);
    const bool has_line =
        s->has_feed &&
        (mr_feed_budget_w(&s->feed, s->t_s) != mr_feed_budget_w(&s->feed, soon_s) ||
         mr_feed_least_budget_w(&s->feed_params, &s->feed, then_s) !=
             mr_feed_least_budget_w(&s->feed_params, &s->feed, then_s + s->params.govern.period_s));
    if (has_line || s->is_coming || s->is_returning || s->n_waiting > 0)
        return true;
    if (s->has_permits && s->permit.ready_s > s->t_s)
        return true;
    for (uint32_t i = 0; i < s->n_source; i++) { /* where it rests is seen at beats */
        const struct mr_supply_source *source = &s->source[i];
        const double least_w = 1e-9 * source->buffer_params.discharge_w;
        if (source->is_storage && fabs(source->mean_w) > least_w)
            return true;
    }
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        const struct mr_supply_rack *rack = &s->rack[i];
        if (rack->is_told || (rack->held != MR_SUPPLY_FREE && rack->free_s > s->t_s))
            return true;
    }
    return false;
}

void mr_supply_still_look(struct mr_supply *s)
{
    if (s->options.steps || waits(s)) {
        s->still.n = 0;
        return;
    }
    double scale_w = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        scale_w += s->rack[i].most_w;
    bool same = is_same(&s->still.budget_w, s->budget_w, scale_w);
    same &= is_same(&s->still.grid_w, s->grid_w, scale_w);
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        struct mr_supply_rack *rack = &s->rack[i];
        same &= is_same(&rack->still_cap_w, rack->cap_w, rack->most_w);
        same &= is_same(&rack->still_draw_w, rack->draw_w, rack->most_w);
    }
    s->still.n = same && s->still.n > 0 ? s->still.n + 1 : 1;
}

double mr_supply_still_clock_s(const struct mr_supply *s)
{
    return s->still.n >= n_rest ? never : s->clock.next_s;
}
