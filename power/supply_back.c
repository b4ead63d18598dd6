/* SPDX-License-Identifier: Apache-2.0 */
/* When a site goes back to a grid whose voltage is there. Racks that batteries or machines carry
 * have caps for what these can give. Where the connection allows less than they draw, they stay
 * where they are until a decision that counts it is in force and drawn by: a latency of the
 * governor or two at the most, and not at all where somebody is dark, or a storage would end
 * meanwhile. A return delay that is longer than a latency leaves nothing to wait for. */
#include "power/supply_back_impl.h"
#include "power/supply_impl.h"

#include <math.h>

static bool has_voltage(const struct mr_supply *s)
{
    return s->ride.state == MR_FEED_RIDE_ON || s->ride.state == MR_FEED_RIDE_DIPPED ||
           s->ride.state == MR_FEED_RIDE_RETURNING;
}

bool mr_supply_back_is_soon(const struct mr_supply *s)
{
    if (s->has_grid || (!s->is_island && has_voltage(s)))
        return true;
    return s->ride.state == MR_FEED_RIDE_WAITING &&
           s->ride.back_s <= s->t_s + mr_govern_latency_s(&s->params.govern);
}

/* Do racks ask for more than the connection leaves them, or draw what their caps forbid by now? */
static bool is_over(struct mr_supply *s)
{
    double ask_w = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        const struct mr_supply_rack *rack = &s->rack[i];
        if (rack->state != MR_SUPPLY_RACK_ON)
            continue;
        ask_w += fmax(rack->draw_w, fmin(rack->want_w, rack->cap_w));
        if (s->is_counted && rack->is_told && rack->draw_w > rack->cap_w * (1 + 1e-9))
            return true;
    }
    return !s->is_counted && ask_w > mr_supply_back_budget_w(s);
}

static bool does_last(const struct mr_supply *s, double until_s)
{
    for (uint32_t i = 0; i < s->n_source; i++) {
        const struct mr_supply_source *source = &s->source[i];
        enum mr_buffer_event event;
        if (source->is_storage &&
            mr_buffer_next_s(&source->buffer_params, &source->buffer, &event) <= until_s)
            return false;
    }
    return true;
}

bool mr_supply_back_must_wait(struct mr_supply *s)
{
    const double latency_s = mr_govern_latency_s(&s->params.govern);
    if (!s->has_feed || !isfinite(latency_s))
        return false;
    const double from_s = s->is_coming ? s->back_s : s->t_s;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (s->rack[i].state == MR_SUPPLY_RACK_DARK)
            return false;
    return s->t_s < from_s + 2 * latency_s && does_last(s, s->t_s + latency_s) && is_over(s);
}
