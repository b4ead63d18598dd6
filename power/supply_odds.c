/* SPDX-License-Identifier: Apache-2.0 */
/* How often a level, or the contract of the grid, is asked for more than it gives, before caps.
 *
 * Levels add up what racks ask for. The contract is kept at the meter, so what is asked of it is
 * what the chain would draw (mr_chain_ask_w) if racks drew all they ask for, with cooling as it
 * runs and with what storages and machines give now; where no rack draws less than it asks for
 * that is the meter itself. Only time with a grid counts. */
#include "power/govern_odds.h"
#include "power/supply_impl.h"

#include <math.h>

static const double slack = 1e-9; /* caps add up in another order */

void mr_supply_odds_add(struct mr_supply_level *level, double dt_s)
{
    level->time_s += dt_s;
    level->ask_j += level->ask_w * dt_s;
    level->square += level->ask_w * level->ask_w * dt_s;
    level->over_s += level->ask_w > level->limit_w * (1 + slack) ? dt_s : 0;
}

/* ---- the contract ---- */

static double asked_of(const struct mr_supply_rack *rack)
{
    return fmax(rack->want_w, rack->draw_w);
}

static double most_of(const struct mr_supply_rack *rack)
{
    return fmax(rack->most_w, rack->draw_w);
}

/* Of the meter, if racks drew what they ask for, or the most they can. */
static double meter_w(const struct mr_supply *s, double (*w_of)(const struct mr_supply_rack *rack))
{
    double more_w = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        more_w += w_of(&s->rack[i]) - s->rack[i].draw_w;
    if (!(more_w > 0))
        return s->grid_w;
    mr_chain_ask_begin(s->chain);
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        mr_chain_ask_more(s->chain, s->wire.of_rack[i], w_of(&s->rack[i]) - s->rack[i].draw_w);
    return fmax(s->grid_w, mr_chain_ask_w(s->chain));
}

void mr_supply_odds_watch(struct mr_supply *s)
{
    struct mr_supply_level *contract = &s->contract;
    const double dt_s = s->t_s - s->watched_s;
    if (!s->has_feed || !s->has_grid || !(dt_s > 0))
        return;
    if (contract->time_s == 0) {
        const struct mr_circuit_node *node = &s->wire.tree->node[0];
        contract->name = node->name;
        contract->limit_w = fmin(s->feed_params.limit_w, mr_circuit_rating_w(node));
        contract->most_w = meter_w(s, most_of);
    }
    contract->ask_w = meter_w(s, asked_of);
    contract->most_w = fmax(contract->most_w, contract->ask_w);
    mr_supply_odds_add(contract, dt_s);
}

/* ---- the worst ---- */

static struct mr_supply_odds odds_of(const struct mr_supply_level *level)
{
    const double mean_w = level->ask_j / level->time_s;
    const double variance = fmax(0, level->square / level->time_s - mean_w * mean_w);
    const struct mr_govern_spread spread = {mean_w, sqrt(variance), level->most_w};
    return (struct mr_supply_odds){.name = level->name,
                                   .limit_w = level->limit_w,
                                   .most_w = level->most_w,
                                   .mean_w = mean_w,
                                   .deviation_w = spread.deviation_w,
                                   .odds = mr_govern_odds(&spread, level->limit_w),
                                   .over_frac = level->over_s / level->time_s};
}

static bool is_worse(const struct mr_supply_odds *a, const struct mr_supply_odds *b)
{
    if (a->over_frac != b->over_frac)
        return a->over_frac > b->over_frac;
    return a->odds != b->odds ? a->odds > b->odds : a->most_w * b->limit_w > b->most_w * a->limit_w;
}

/* Levels, the site, the contract. */
static const struct mr_supply_level *level_at(const struct mr_supply *s, uint32_t k)
{
    return k < s->n_level ? &s->level[k] : k == s->n_level ? &s->site_level : &s->contract;
}

uint32_t mr_supply_worst_odds(const struct mr_supply *s, struct mr_supply_odds *worst)
{
    uint32_t n = 0;
    *worst = (struct mr_supply_odds){.name = ""};
    for (uint32_t k = 0; k < s->n_level + 2; k++) {
        const struct mr_supply_level *level = level_at(s, k);
        if (!isfinite(level->limit_w) || !(level->time_s > 0))
            continue;
        const struct mr_supply_odds odds = odds_of(level);
        if (n++ == 0 || is_worse(&odds, worst))
            *worst = odds;
    }
    return n;
}
