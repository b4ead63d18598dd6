/* SPDX-License-Identifier: Apache-2.0 */
/* Racks that go off by themselves, for their dies or their coolant, and would come back. What
 * returns asks for room before it draws: such a rack is as good as shut, and goes on as those do
 * that a decision has shut, under caps of a division that counts it. Where all that runs may draw
 * its maximum beside it there is nothing to divide, and it goes on at once. */
#include "engine/base/assert.h"
#include "power/supply_impl.h"

bool mr_supply_is_away(const struct mr_supply *s, uint32_t rack)
{
    MR_ASSERT(rack < s->site->n_rack);
    return s->rack[rack].is_away;
}

void mr_supply_leave(struct mr_supply *s, uint32_t i)
{
    MR_ASSERT(i < s->site->n_rack);
    struct mr_supply_rack *rack = &s->rack[i];
    if (rack->state == MR_SUPPLY_RACK_DARK || rack->is_away)
        return;
    mr_supply_still_stir(s);
    rack->is_away = true;
    rack->asks = false;
    rack->held = rack->decided = MR_SUPPLY_SHUT;
    rack->state = MR_SUPPLY_RACK_WAITING;
    rack->cap_w = 0;
    mr_supply_part_wake(rack);
    mr_supply_govern_bound(s, i);
}

void mr_supply_ask(struct mr_supply *s, uint32_t i)
{
    MR_ASSERT(i < s->site->n_rack);
    struct mr_supply_rack *rack = &s->rack[i];
    if (!mr_supply_is_off(rack))
        return;
    mr_supply_still_stir(s);
    rack->asks = true;
    s->has_asked = true;
}

static bool asks(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    return rack->is_away && rack->asks && rack->free_s <= s->t_s;
}

/* May everybody who runs, or asks, draw his maximum? */
static bool is_roomy(struct mr_supply *s)
{
    double most_w = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (s->rack[i].held != MR_SUPPLY_SHUT || asks(s, &s->rack[i]))
            most_w += s->rack[i].most_w;
    for (uint32_t k = 0; k < s->n_level; k++)
        if (s->level[k].most_w > s->level[k].limit_w)
            return false;
    return s->has_grid && most_w <= mr_supply_budget_w(s);
}

bool mr_supply_admit(struct mr_supply *s)
{
    if (!s->has_asked)
        return false;
    s->has_asked = false;
    if (!is_roomy(s)) {
        mr_supply_govern_hurry(s);
        return false;
    }
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (asks(s, &s->rack[i])) {
            s->rack[i].decided = MR_SUPPLY_FREE;
            mr_supply_govern_bound(s, i);
        }
    mr_supply_govern_at_once(s);
    return true;
}
