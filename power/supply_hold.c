/* SPDX-License-Identifier: Apache-2.0 */
/* Tiers of racks as the governor takes them, and who stops when not even the lowest caps fit a
 * budget. A rack that must go on draws its lowest cap at least, a suspended one a share of its
 * maximum, a shut one nothing. Racks are suspended in order of their tiers until the rest fits;
 * when all are and it still does not, they are shut in the same order. Where so none is left that
 * works, the first of the highest tier goes on if there is room for it with the lowest of the
 * others shut: hosts that rest beside nobody's work are of no use. Racks without work of their own
 * (tools, storage, network) have none to stop, and serve the others: they are not shut for that.
 * Racks go on in the opposite order, once there is more room than that takes; away from the grid
 * one at each decision, as machines cannot take a jump. */
#include "engine/base/assert.h"
#include "power/supply_impl.h"

#include <math.h>

enum {
    n_tier = 256
};

mr_status mr_supply_hold_init(struct mr_supply *s, struct mr_err *err)
{
    s->order = mr_arena_zero(&s->arena, s->site->n_rack, sizeof *s->order, err);
    if (s->order == NULL)
        return MR_NOMEM;
    mr_supply_hold_sort(s);
    return mr_govern_load_check(s->tree, &s->load, err);
}

/* A decision takes a round for each tier, so only those that racks have are told, 0, 1, 2 ... The
 * highest of more than the governor counts are one. */
static void tell_governor(struct mr_supply *s)
{
    uint8_t rank = 0;
    for (uint32_t k = 0; k < s->site->n_rack; k++) {
        const struct mr_supply_rack *rack = &s->rack[s->order[k]];
        if (k > 0 && rack->tier > s->rack[s->order[k - 1]].tier && rank < UINT8_MAX - 1)
            rank++;
        mr_supply_tree_tier(s, s->order[k], rank);
    }
    s->load.tier = rank > 0 ? s->tier : NULL;
    s->load.n_tier = (uint8_t)(rank + 1);
}

void mr_supply_hold_sort(struct mr_supply *s)
{
    uint32_t first[n_tier + 1] = {0};
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        first[s->rack[i].tier + 1]++;
    for (int t = 0; t < n_tier; t++)
        first[t + 1] += first[t];
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        s->order[first[s->rack[i].tier]++] = i;
    mr_supply_still_stir(s);
    tell_governor(s);
}

/* What a rack draws at least. One that is dark asks for nothing, one that wants less than its
 * lowest cap for that, unless it is told that it may come to draw more at its lowest clock. */
static double least_w(const struct mr_supply *s, const struct mr_supply_rack *rack, int held)
{
    if (rack->state == MR_SUPPLY_RACK_DARK)
        return 0;
    return fmin(fmax(rack->demand_w, rack->least_w), mr_supply_least_w(&s->params, rack, held));
}

static bool may_stop(const struct mr_supply *s)
{
    return !(s->has_grid && s->has_feed && s->feed.is_active && s->feed.target[0].is_best_effort);
}

static void put(struct mr_supply *s, uint32_t i, uint8_t held, double *need_w)
{
    struct mr_supply_rack *rack = &s->rack[i];
    *need_w += least_w(s, rack, held) - least_w(s, rack, rack->decided);
    rack->decided = held;
    mr_supply_govern_bound(s, i);
}

static void go_on(struct mr_supply *s, double budget_w, double *need_w)
{
    const double room_w = budget_w * (1 - s->params.resume_margin);
    for (size_t k = s->site->n_rack; k-- > 0;) {
        const uint32_t i = s->order[k];
        const struct mr_supply_rack *rack = &s->rack[i];
        if (rack->decided == MR_SUPPLY_FREE || s->t_s < rack->free_s)
            continue;
        const double more_w = least_w(s, rack, MR_SUPPLY_FREE) - least_w(s, rack, rack->decided);
        if (*need_w + more_w > room_w)
            return;
        put(s, i, MR_SUPPLY_FREE, need_w);
        if (!s->has_grid)
            return;
    }
}

/* Is there work that a rest would stop? */
static bool has_work(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    return rack->state != MR_SUPPLY_RACK_DARK &&
           least_w(s, rack, MR_SUPPLY_FREE) > least_w(s, rack, MR_SUPPLY_SUSPENDED);
}

/* @return the rack that goes on first; MR_SITE_NONE: one works, or none may */
static uint32_t first_to_work(const struct mr_supply *s)
{
    uint32_t first = MR_SITE_NONE;
    for (size_t k = 0; k < s->site->n_rack; k++) {
        const struct mr_supply_rack *rack = &s->rack[s->order[k]];
        if (!has_work(s, rack))
            continue;
        if (rack->decided == MR_SUPPLY_FREE)
            return MR_SITE_NONE;
        if (s->t_s >= rack->free_s)
            first = s->order[k];
    }
    return first;
}

/* Nobody works: may one, with others shut? */
static void shut_for_one(struct mr_supply *s, double budget_w, double *need_w)
{
    const uint32_t first = first_to_work(s);
    if (first == MR_SITE_NONE)
        return;
    const struct mr_supply_rack *rack = &s->rack[first];
    const double room_w = budget_w * (1 - s->params.resume_margin);
    double one_w = *need_w + least_w(s, rack, MR_SUPPLY_FREE) - least_w(s, rack, rack->decided);
    size_t n = 0; /* racks in order, of which those with work are shut */
    for (; n < s->site->n_rack && one_w > room_w; n++) {
        const struct mr_supply_rack *other = &s->rack[s->order[n]];
        if (s->order[n] != first && has_work(s, other))
            one_w -= least_w(s, other, other->decided);
    }
    if (one_w > room_w)
        return;
    for (size_t k = 0; k < n; k++)
        if (s->order[k] != first && has_work(s, &s->rack[s->order[k]]))
            put(s, s->order[k], MR_SUPPLY_SHUT, need_w);
    put(s, first, MR_SUPPLY_FREE, need_w);
}

void mr_supply_hold_decide(struct mr_supply *s, double budget_w)
{
    double need_w = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        need_w += least_w(s, &s->rack[i], s->rack[i].decided);
    if (need_w <= budget_w && !mr_supply_island_moves(s))
        go_on(s, budget_w, &need_w);
    for (uint8_t held = MR_SUPPLY_SUSPENDED; held <= MR_SUPPLY_SHUT && may_stop(s); held++)
        for (size_t k = 0; k < s->site->n_rack && need_w > budget_w; k++)
            if (s->rack[s->order[k]].state != MR_SUPPLY_RACK_DARK &&
                s->rack[s->order[k]].decided < held)
                put(s, s->order[k], held, &need_w);
    if (may_stop(s) && !mr_supply_island_moves(s))
        shut_for_one(s, budget_w, &need_w);
}

static void tell_stop(struct mr_supply *s, uint32_t i)
{
    const struct mr_supply_rack *rack = &s->rack[i];
    const bool is_shut = rack->held == MR_SUPPLY_SHUT;
    *(is_shut ? &s->total.n_shut : &s->total.n_suspended) += 1;
    mr_supply_emit(s, is_shut ? MR_SUPPLY_SHUT_DOWN : MR_SUPPLY_SUSPEND, s->site->rack[i].name, "",
                   rack->draw_w, is_shut ? 0 : rack->cap_w);
}

void mr_supply_hold_tell_start(struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (s->rack[i].held != MR_SUPPLY_FREE)
            tell_stop(s, i);
}

static void stop(struct mr_supply *s, uint32_t i)
{
    struct mr_supply_rack *rack = &s->rack[i];
    const bool is_shut = rack->held == MR_SUPPLY_SHUT;
    if (!s->is_probing)
        tell_stop(s, i);
    if (is_shut && rack->state == MR_SUPPLY_RACK_ON)
        rack->state = MR_SUPPLY_RACK_WAITING;
}

void mr_supply_hold_apply(struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        struct mr_supply_rack *rack = &s->rack[i];
        const uint8_t held = rack->held;
        if (held == rack->decided)
            continue;
        rack->held = rack->decided;
        if (rack->held != MR_SUPPLY_FREE) {
            stop(s, i);
            continue;
        }
        if (s->is_probing) { /* it was never shut */
            if (rack->state == MR_SUPPLY_RACK_WAITING && held == MR_SUPPLY_SHUT)
                rack->state = MR_SUPPLY_RACK_ON;
            continue;
        }
        if (rack->state == MR_SUPPLY_RACK_WAITING && held == MR_SUPPLY_SHUT)
            rack->ready_s = mr_supply_govern_permit(s, i, s->t_s);
        mr_supply_emit(s, MR_SUPPLY_RESUME, s->site->rack[i].name, "", rack->cap_w, 0);
    }
}

void mr_supply_hold_shed(struct mr_supply *s, double w)
{
    for (size_t k = 0; k < s->site->n_rack && w > 0; k++) {
        struct mr_supply_rack *rack = &s->rack[s->order[k]];
        if (rack->state != MR_SUPPLY_RACK_ON)
            continue;
        w -= rack->draw_w;
        rack->held = rack->decided = MR_SUPPLY_SHUT;
        rack->cap_w = 0;
        rack->free_s = s->t_s + s->params.return_s;
        mr_supply_govern_bound(s, s->order[k]);
        stop(s, s->order[k]);
    }
}
