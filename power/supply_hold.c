/* SPDX-License-Identifier: Apache-2.0 */
/* Tiers of racks as the governor takes them, and who stops when not even the lowest caps fit a
 * budget. A rack that must go on draws its lowest cap at least, a suspended one a share of its
 * maximum, a shut one nothing. Racks are suspended in order of their tiers until the rest fits;
 * when all are and it still does not, they are shut in the same order. Hosts that rest take watts
 * from others' work and have lost their own: where they take a third of what work takes, or where
 * none is left that works as a whole, those of the highest tier go on, or a part of one, as long as
 * there is room for it with the lowest of the others shut. Away from the grid only the latter.
 * Racks without work of their own (tools, storage, network) have none to stop, and serve the
 * others: they are not shut for that. Racks go on in the opposite order, once there is more room
 * than that takes; away from the grid one at each decision, as machines cannot take a jump.
 *
 * A rack whose lowest draw is above its own grant works in part, as far as that goes, rests, or is
 * shut, whatever room there is.
 *
 * Of the rack that is next to rest, or to go on, as many parts work as there is room for
 * (supply_part.c). At their lowest clocks no cap holds these, so away from the grid, where a bar is
 * carried whole or goes dark, that is done only while no rack works as a whole. */
#include "engine/base/assert.h"
#include "power/supply_impl.h"

#include <math.h>

enum {
    n_tier = 256
};

/* A start costs something, so two racks at most are shut for one more that works (an assumption):
 * what they rest at is a third of what that takes, or more. */
static const double rest_most_frac = 1. / 3;

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

/* What a rack draws at least with its first n parts at work. One that is dark asks for nothing, one
 * that wants less than its lowest cap for that, unless it is told that it may come to draw more at
 * its lowest clock. */
static double least_w(const struct mr_supply *s, const struct mr_supply_rack *rack, int held,
                      uint32_t n)
{
    if (rack->state == MR_SUPPLY_RACK_DARK)
        return 0;
    const double most_w = fmax(rack->demand_w, rack->least_w);
    const double all_w = fmin(most_w, mr_supply_least_w(&s->params, rack, held));
    if (held != MR_SUPPLY_FREE || n == rack->n_part)
        return all_w;
    const double rest_w = fmin(most_w, mr_supply_least_w(&s->params, rack, MR_SUPPLY_SUSPENDED));
    return rest_w + mr_supply_part_frac(s, rack, n) * (all_w - rest_w);
}

static double now_w(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    return least_w(s, rack, rack->decided, rack->n_awake);
}

static void put(struct mr_supply *s, uint32_t i, uint8_t held, uint32_t n, double *need_w)
{
    struct mr_supply_rack *rack = &s->rack[i];
    *need_w += least_w(s, rack, held, n) - now_w(s, rack);
    rack->decided = held;
    rack->n_awake = n;
    mr_supply_govern_bound(s, i);
}

/* @return how many of the rack's parts may work within so many watts; 0: none */
static uint32_t n_within(const struct mr_supply *s, const struct mr_supply_rack *rack, double w)
{
    uint32_t n = rack->n_part;
    if (least_w(s, rack, MR_SUPPLY_FREE, n) <= w)
        return n;
    if (!s->has_parts || !mr_supply_part_may_rest(s, rack))
        return 0;
    while (n > 0 && least_w(s, rack, MR_SUPPLY_FREE, n) > w)
        n--;
    return n;
}

/* Is there work that a rest would stop? */
static bool has_work(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    return rack->state != MR_SUPPLY_RACK_DARK && least_w(s, rack, MR_SUPPLY_FREE, rack->n_part) >
                                                     least_w(s, rack, MR_SUPPLY_SUSPENDED, 0);
}

/* What a rack may draw by itself. No rest makes one smaller that has no work. */
static double grant_w(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    const double dust = 1e-9; /* sums of what is told */
    return has_work(s, rack) ? rack->most_w * (1 + dust) : (double)INFINITY;
}

static double wake_grant_w(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    return grant_w(s, rack) * (1 - s->params.resume_margin);
}

/* Parts of a rack at work; of one that is not told in parts: 0 or 1. */
static uint32_t n_at_work(const struct mr_supply_rack *rack)
{
    return rack->decided != MR_SUPPLY_FREE ? 0 : rack->n_part > 0 ? rack->n_awake : 1;
}

/* Is it its own grant that lets no more of it work? */
static bool is_at_grant(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    const double w = wake_grant_w(s, rack);
    return least_w(s, rack, MR_SUPPLY_FREE, rack->n_part) > w &&
           n_within(s, rack, w) <= n_at_work(rack);
}

/* Where all are wanted, or as many as there is room for. @return whether it now works as a whole */
static bool wake(struct mr_supply *s, uint32_t i, double room_w, double *need_w)
{
    const struct mr_supply_rack *rack = &s->rack[i];
    const double may_w = fmin(room_w - *need_w + now_w(s, rack), wake_grant_w(s, rack));
    if (least_w(s, rack, MR_SUPPLY_FREE, rack->n_part) <= may_w) {
        put(s, i, MR_SUPPLY_FREE, rack->n_part, need_w);
        return true;
    }
    const uint32_t n = n_within(s, rack, may_w);
    if (n > n_at_work(rack))
        put(s, i, MR_SUPPLY_FREE, n, need_w);
    return false;
}

static bool is_at_work(const struct mr_supply_rack *rack)
{
    return rack->decided == MR_SUPPLY_FREE && mr_supply_is_whole(rack);
}

static bool may_go_on(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    return s->t_s >= rack->free_s && !mr_supply_is_off(rack);
}

static void go_on(struct mr_supply *s, double budget_w, double *need_w)
{
    const double room_w = budget_w * (1 - s->params.resume_margin);
    for (size_t k = s->site->n_rack; k-- > 0;) {
        const uint32_t i = s->order[k];
        if (is_at_work(&s->rack[i]) || !may_go_on(s, &s->rack[i]) || is_at_grant(s, &s->rack[i]))
            continue;
        if (!wake(s, i, room_w, need_w) || !s->has_grid)
            return;
    }
}

static bool does_one_work(const struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (is_at_work(&s->rack[i]) && has_work(s, &s->rack[i]))
            return true;
    return false;
}

/* Does a rack rest that may be shut for another one's work? */
static bool may_be_shut(const struct mr_supply *s, const struct mr_supply_rack *rack,
                        const struct mr_supply_rack *to_work, bool does_none)
{
    return has_work(s, rack) && !is_at_work(rack) &&
           !(rack->decided == MR_SUPPLY_FREE && is_at_grant(s, rack)) &&
           (does_none || now_w(s, rack) >=
                             rest_most_frac * least_w(s, to_work, MR_SUPPLY_FREE, to_work->n_part));
}

/* Those that may be, before place k of the order, are shut, the first first, until that one may
 * work, or as much of it as ever. @return whether more of it works now */
static bool shut_for(struct mr_supply *s, size_t k, bool does_none, double room_w, double *need_w)
{
    const uint32_t i = s->order[k];
    const struct mr_supply_rack *rack = &s->rack[i];
    double may_w = room_w - *need_w + now_w(s, rack);
    for (size_t j = 0; j < k; j++) {
        const struct mr_supply_rack *other = &s->rack[s->order[j]];
        may_w += may_be_shut(s, other, rack, does_none) ? now_w(s, other) : 0;
    }
    may_w = fmin(may_w, wake_grant_w(s, rack));
    const uint32_t n = n_within(s, rack, may_w);
    const bool is_all = least_w(s, rack, MR_SUPPLY_FREE, rack->n_part) <= may_w;
    if (!is_all && n <= n_at_work(rack))
        return false;
    const double more_w = least_w(s, rack, MR_SUPPLY_FREE, n) - now_w(s, rack);
    for (size_t j = 0; *need_w + more_w > room_w && j < k; j++)
        if (may_be_shut(s, &s->rack[s->order[j]], rack, does_none))
            put(s, s->order[j], MR_SUPPLY_SHUT, s->rack[s->order[j]].n_part, need_w);
    put(s, i, MR_SUPPLY_FREE, n, need_w);
    return true;
}

/* May more racks work, or more of one, with others shut that rest? Away from the grid, where a
 * start is a jump, that is asked only where no rack works as a whole. */
static void shut_for_work(struct mr_supply *s, double budget_w, double *need_w)
{
    const double room_w = budget_w * (1 - s->params.resume_margin);
    const bool does_none = !does_one_work(s);
    if (!s->has_grid && !does_none)
        return;
    for (size_t k = s->site->n_rack; k-- > 0;) {
        const struct mr_supply_rack *rack = &s->rack[s->order[k]];
        if (is_at_work(rack) || !has_work(s, rack) || !may_go_on(s, rack) || is_at_grant(s, rack))
            continue;
        if (!shut_for(s, k, does_none, room_w, need_w))
            return;
    }
}

/* One more that must do with less: some of it at work, if there is room for that, or as held. */
static void stop_one(struct mr_supply *s, uint32_t i, uint8_t held, double budget_w, double *need_w)
{
    const struct mr_supply_rack *rack = &s->rack[i];
    const uint32_t n = rack->decided == MR_SUPPLY_FREE
                           ? n_within(s, rack, budget_w - *need_w + now_w(s, rack))
                           : 0;
    if (n > 0 && n < n_at_work(rack))
        put(s, i, MR_SUPPLY_FREE, n, need_w);
    else
        put(s, i, held, rack->n_part, need_w);
}

/* From the first of the order on, until what is left fits. */
static void stop_some(struct mr_supply *s, uint8_t held, double stop_w, double *need_w)
{
    for (size_t k = 0; k<s->site->n_rack && * need_w> stop_w; k++)
        if (s->rack[s->order[k]].state != MR_SUPPLY_RACK_DARK &&
            s->rack[s->order[k]].decided < held)
            stop_one(s, s->order[k], held, stop_w, need_w);
}

/* Those that draw more than their grant at their lowest clocks must do with less. */
static void stop_ungranted(struct mr_supply *s, double *need_w)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        const struct mr_supply_rack *rack = &s->rack[i];
        const double may_w = grant_w(s, rack);
        if (now_w(s, rack) > may_w && rack->decided == MR_SUPPLY_FREE)
            stop_one(s, i, MR_SUPPLY_SUSPENDED, *need_w - now_w(s, rack) + may_w, need_w);
        if (now_w(s, rack) > may_w)
            put(s, i, MR_SUPPLY_SHUT, rack->n_part, need_w);
    }
}

/* Where some rest, the others are filled up: what they draw at least must be what it was weighed
 * with, and not what it was at the sample. */
static void bound_all(struct mr_supply *s)
{
    bool is_short = false;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        is_short = is_short || !is_at_work(&s->rack[i]);
    for (uint32_t i = 0; i < s->site->n_rack && is_short; i++)
        mr_supply_govern_bound(s, i);
}

void mr_supply_hold_decide(struct mr_supply *s)
{
    const double budget_w = s->budget_w, stop_w = s->stop_w;
    double need_w = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        need_w += now_w(s, &s->rack[i]);
    s->has_parts = s->has_grid || !does_one_work(s);
    stop_ungranted(s, &need_w);
    if (need_w <= budget_w && !mr_supply_island_moves(s))
        go_on(s, budget_w, &need_w);
    stop_some(s, MR_SUPPLY_SUSPENDED, stop_w, &need_w);
    stop_some(s, MR_SUPPLY_SHUT, stop_w, &need_w);
    if (stop_w <= budget_w && !mr_supply_island_moves(s))
        shut_for_work(s, budget_w, &need_w);
    bound_all(s);
}

static void tell_stop(struct mr_supply *s, uint32_t i)
{
    const struct mr_supply_rack *rack = &s->rack[i];
    const bool is_shut = rack->held == MR_SUPPLY_SHUT;
    *(is_shut ? &s->total.n_shut : &s->total.n_suspended) += 1;
    mr_supply_emit(s, is_shut ? MR_SUPPLY_SHUT_DOWN : MR_SUPPLY_SUSPEND, s->site->rack[i].name, "",
                   rack->draw_w, is_shut ? 0 : rack->cap_w);
}

static void tell_partly(struct mr_supply *s, uint32_t i)
{
    const struct mr_supply_rack *rack = &s->rack[i];
    uint32_t n = 0, n_all = 0;
    for (uint32_t k = 0; k < rack->n_part; k++) {
        const uint32_t n_package = s->options.part[s->part_turn[rack->first_part + k]].n;
        n += k < rack->n_up ? n_package : 0;
        n_all += n_package;
    }
    mr_supply_emit(s, MR_SUPPLY_PARTLY, s->site->rack[i].name, "", n, n_all);
}

void mr_supply_hold_tell_start(struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (s->rack[i].held != MR_SUPPLY_FREE)
            tell_stop(s, i);
        else if (!mr_supply_is_whole(&s->rack[i]))
            tell_partly(s, i);
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

/* It goes on, with some of its parts or all of them. */
static void go(struct mr_supply *s, uint32_t i, uint8_t held)
{
    struct mr_supply_rack *rack = &s->rack[i];
    const bool was_shut = rack->state == MR_SUPPLY_RACK_WAITING && held == MR_SUPPLY_SHUT;
    if (s->is_probing) { /* it was never shut */
        if (was_shut)
            rack->state = MR_SUPPLY_RACK_ON;
        return;
    }
    if (was_shut)
        rack->ready_s = mr_supply_govern_permit(s, i, s->t_s);
    const bool was_away = rack->is_away;
    rack->is_away = false;
    if (mr_supply_is_whole(rack) && was_away) /* nobody had stopped it */
        return;
    if (mr_supply_is_whole(rack))
        mr_supply_emit(s, MR_SUPPLY_RESUME, s->site->rack[i].name, "", rack->cap_w, 0);
    else
        tell_partly(s, i);
}

void mr_supply_hold_apply(struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        struct mr_supply_rack *rack = &s->rack[i];
        const uint8_t held = rack->held;
        if (held == rack->decided && rack->n_up == rack->n_awake)
            continue;
        rack->n_up = rack->n_awake;
        rack->held = rack->decided;
        if (rack->held == MR_SUPPLY_FREE)
            go(s, i, held);
        else if (held != rack->held)
            stop(s, i);
    }
}

void mr_supply_hold_shed(struct mr_supply *s, double w, double free_s)
{
    for (size_t k = 0; k < s->site->n_rack && w > 0; k++) {
        struct mr_supply_rack *rack = &s->rack[s->order[k]];
        if (rack->state != MR_SUPPLY_RACK_ON)
            continue;
        w -= rack->draw_w;
        rack->held = rack->decided = MR_SUPPLY_SHUT;
        mr_supply_part_wake(rack);
        rack->cap_w = 0;
        rack->free_s = free_s;
        mr_supply_govern_bound(s, s->order[k]);
        stop(s, s->order[k]);
    }
}
