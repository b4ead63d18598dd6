/* SPDX-License-Identifier: Apache-2.0 */
/* Racks of which a part rests: where a budget has no room for all packages of a rack at their
 * lowest clocks, it may have it for some. The first parts in the order of their turns work, the
 * others draw what they draw without work. What is drawn outside packages goes with the watts of
 * those at work. Only racks of which every part says what it draws at its lowest clock and at rest.
 */
#include "engine/base/assert.h"
#include "power/supply_impl.h"

#include <stdlib.h>

struct turn {
    double turn;
    uint32_t rack, part;
};

static int compare(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;
    if (x->rack != y->rack)
        return x->rack < y->rack ? -1 : 1;
    if (x->turn != y->turn)
        return x->turn < y->turn ? -1 : 1;
    return x->part < y->part ? -1 : x->part > y->part;
}

mr_status mr_supply_part_init(struct mr_supply *s, struct mr_err *err)
{
    const uint32_t n = s->options.n_part;
    struct turn *sorted = mr_arena_zero(&s->arena, n + 1, sizeof *sorted, err);
    s->part_least_w = mr_arena_zero(&s->arena, n + 1, sizeof(double), err);
    s->part_rest_w = mr_arena_zero(&s->arena, n + 1, sizeof(double), err);
    s->part_turn = mr_arena_zero(&s->arena, n + 1, sizeof *s->part_turn, err);
    s->turn_of = mr_arena_zero(&s->arena, n + 1, sizeof *s->turn_of, err);
    if (sorted == NULL || s->part_least_w == NULL || s->part_rest_w == NULL ||
        s->part_turn == NULL || s->turn_of == NULL)
        return MR_NOMEM;
    for (uint32_t p = 0; p < n; p++) {
        s->part_least_w[p] = -1; /* not told */
        sorted[p] = (struct turn){s->options.part[p].turn, s->options.part[p].rack, p};
    }
    qsort(sorted, n, sizeof *sorted, compare);
    for (uint32_t k = 0; k < n; k++) {
        struct mr_supply_rack *rack = &s->rack[sorted[k].rack];
        if (rack->n_part == 0)
            rack->first_part = k;
        s->part_turn[k] = sorted[k].part;
        s->turn_of[sorted[k].part] = rack->n_part++;
        mr_supply_part_wake(rack);
    }
    return MR_OK;
}

static double beyond_w(const struct mr_supply *s, uint32_t part)
{
    return s->options.part[part].n * (s->part_least_w[part] - s->part_rest_w[part]);
}

bool mr_supply_part_may_rest(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    double sum_w = 0;
    for (uint32_t k = rack->first_part; k < rack->first_part + rack->n_part; k++) {
        if (s->part_least_w[s->part_turn[k]] < 0)
            return false;
        sum_w += beyond_w(s, s->part_turn[k]);
    }
    return rack->n_part > 1 && sum_w > 0;
}

double mr_supply_part_frac(const struct mr_supply *s, const struct mr_supply_rack *rack, uint32_t n)
{
    double all_w = 0, first_w = 0;
    if (n == rack->n_part)
        return 1;
    for (uint32_t k = 0; k < rack->n_part; k++) {
        const double w = beyond_w(s, s->part_turn[rack->first_part + k]);
        all_w += w;
        first_w += k < n ? w : 0;
    }
    return all_w > 0 ? first_w / all_w : 1;
}

double mr_supply_part_low_w(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    const double all_w = mr_supply_least_w(&s->params, rack, rack->decided);
    if (rack->decided != MR_SUPPLY_FREE || mr_supply_is_whole(rack))
        return all_w;
    const double rest_w = mr_supply_least_w(&s->params, rack, MR_SUPPLY_SUSPENDED);
    return rest_w + mr_supply_part_frac(s, rack, rack->n_awake) * (all_w - rest_w);
}

bool mr_supply_part_rests(const struct mr_supply *s, uint32_t part)
{
    return s->turn_of[part] >= s->rack[s->options.part[part].rack].n_awake;
}

void mr_supply_set_part_least(struct mr_supply *s, uint32_t part, double least_w, double rest_w)
{
    MR_ASSERT(part < s->options.n_part && rest_w >= 0 && least_w >= rest_w);
    s->part_least_w[part] = least_w;
    s->part_rest_w[part] = rest_w;
}

bool mr_supply_part_is_held(const struct mr_supply *s, uint32_t part)
{
    const struct mr_supply_rack *rack = &s->rack[s->options.part[part].rack];
    return rack->held != MR_SUPPLY_FREE || s->turn_of[part] >= rack->n_up;
}
