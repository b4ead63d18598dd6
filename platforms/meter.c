/* SPDX-License-Identifier: Apache-2.0 */
/* Chain, from the racks up: a node delivers what hangs on it takes, halves of what has two live
 * feeds, all of what takes the first that lives; its n units share that, each losing a share of its
 * rating at any load, so a small hall behind large units loses far more than their best efficiency
 * says. All units run, spare or not. Cooling: a rack's liquid heat pays its CDU and what cools that
 * loop; its air heat pays the hall's air handlers and what cools theirs, all at their design; what
 * they take hangs on the low voltage of the hall, and is lost on the way, too. */
#include "platforms/meter.h"

#include "engine/base/arena.h"

#include <math.h>

/* ---- cooling ---- */

/* What of a kind other than CRAH cools a loop; -1: nothing. */
static void loop_kinds(const struct mr_site *site, int *kind)
{
    for (size_t i = 0; i < site->n_loop; i++)
        kind[i] = -1;
    for (size_t i = 0; i < site->n_rejector; i++) {
        const struct mr_rejector *unit = &site->rejector[i];
        if (unit->loop != MR_SITE_NONE && unit->kind != MR_SITE_REJECT_CRAH && kind[unit->loop] < 0)
            kind[unit->loop] = unit->kind;
    }
}

static double loop_power(const int *kind, uint32_t loop)
{
    return loop != MR_SITE_NONE && kind[loop] >= 0 ? mr_site_reject_power(kind[loop]) : 0;
}

/* Per hall: power for a watt of air heat. */
static void air_powers(const struct mr_site *site, const int *kind, double *air)
{
    for (size_t i = 0; i < site->n_rejector; i++) {
        const struct mr_rejector *unit = &site->rejector[i];
        if (unit->kind != MR_SITE_REJECT_CRAH || unit->loop == MR_SITE_NONE)
            continue;
        const uint32_t hall = site->loop[unit->loop].hall;
        const double power = mr_site_reject_power(unit->kind) + loop_power(kind, unit->loop);
        for (size_t h = 0; h < site->n_hall; h++)
            if (hall == MR_SITE_NONE || hall == h)
                air[h] = power;
    }
}

/* ---- chain ---- */

struct chain {
    const struct mr_site *site;
    double *out_w; /* of power nodes */
    double top_w;  /* what has no node above it */
};

/* Batteries, machines and the sun are no way to the grid: what names one hangs on the grid. */
static bool is_way(const struct mr_site *site, uint32_t parent)
{
    return parent != MR_SITE_NONE && site->power[parent].kind != MR_SITE_POWER_GENERATOR &&
           site->power[parent].kind != MR_SITE_POWER_TURBINE &&
           site->power[parent].kind != MR_SITE_POWER_SOLAR &&
           site->power[parent].kind != MR_SITE_POWER_BESS &&
           site->power[parent].kind != MR_SITE_POWER_BBU;
}

static void take(struct chain *chain, const uint32_t parent[2], bool shares, double w)
{
    const bool has[2] = {is_way(chain->site, parent[0]), is_way(chain->site, parent[1])};
    const bool is_both = has[0] && has[1] && shares;
    double left_w = w;
    for (int p = 0; p < 2 && left_w > 0; p++)
        if (has[p]) {
            const double part_w = is_both && p == 0 ? w / 2 : left_w;
            chain->out_w[parent[p]] += part_w;
            left_w -= part_w;
        }
    chain->top_w += left_w;
}

/* Low voltage of a hall without its UPS, where there is one. */
static uint32_t bar_of(const struct mr_site *site, uint32_t hall)
{
    static const int wanted[] = {MR_SITE_POWER_UNIT, MR_SITE_POWER_LV, MR_SITE_POWER_MV};
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
        for (uint32_t i = 0; i < site->n_power; i++)
            if (site->power[i].hall == hall && site->power[i].kind == wanted[k])
                return i;
    return MR_SITE_NONE;
}

static double loss_w(const struct mr_power_node *node, double out_w)
{
    const double rating_w = node->rating_w * (double)node->n_unit;
    const struct mr_site_loss loss = mr_site_power_loss(node->kind, node->rating_w);
    if (!(rating_w > 0) || isinf(rating_w))
        return 0;
    const double x = out_w / rating_w;
    return rating_w * (loss.standing + x * (loss.linear + x * loss.square));
}

/* Children before parents. */
static double lost_w(struct chain *chain, const uint32_t *order)
{
    double sum_w = 0;
    for (size_t k = 0; k < chain->site->n_power; k++) {
        const struct mr_power_node *node = &chain->site->power[order[k]];
        if (!is_way(chain->site, order[k]))
            continue;
        const double lost = loss_w(node, chain->out_w[order[k]]);
        sum_w += lost;
        take(chain, node->parent, mr_site_power_shares(node->kind), chain->out_w[order[k]] + lost);
    }
    return sum_w;
}

/* ---- both ---- */

static void sum(const struct mr_site *site, double load_frac, struct chain *chain, const int *kind,
                const double *air, struct mr_meter *meter)
{
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        const double rack_w = rack->limit_w * load_frac, liquid_w = rack_w * rack->liquid_frac;
        double cool_w = 0;
        if (rack->cdu != MR_SITE_NONE)
            cool_w +=
                liquid_w * (mr_site_cdu_power() + loop_power(kind, site->cdu[rack->cdu].loop));
        if (rack->hall != MR_SITE_NONE)
            cool_w += (rack_w - liquid_w) * air[rack->hall];
        const uint32_t bar = rack->hall != MR_SITE_NONE ? bar_of(site, rack->hall) : MR_SITE_NONE;
        meter->rack_w += rack_w;
        meter->cooling_w += cool_w;
        take(chain, rack->feed, !rack->has_standby, rack_w);
        take(chain, (const uint32_t[2]){bar, MR_SITE_NONE}, false, cool_w);
    }
}

mr_status mr_meter_estimate(const struct mr_site *site, double load_frac, struct mr_meter *meter,
                            struct mr_err *err)
{
    struct mr_arena arena = {0};
    struct chain chain = {.site = site};
    *meter = (struct mr_meter){0};
    chain.out_w = mr_arena_zero(&arena, site->n_power, sizeof *chain.out_w, err);
    double *air = mr_arena_zero(&arena, site->n_hall, sizeof *air, err);
    uint32_t *scratch = mr_arena_zero(&arena, 2 * site->n_power, sizeof *scratch, err);
    int *kind = mr_arena_zero(&arena, site->n_loop, sizeof *kind, err);
    mr_status st = MR_OK;
    if (chain.out_w == NULL || air == NULL || scratch == NULL || kind == NULL)
        st = MR_NOMEM;
    else if (mr_site_power_order(site, scratch, scratch + site->n_power) < site->n_power)
        st = mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "a power node feeds itself in a circle");
    if (st == MR_OK) {
        loop_kinds(site, kind);
        air_powers(site, kind, air);
        sum(site, load_frac, &chain, kind, air, meter);
        meter->chain_w = lost_w(&chain, scratch);
    }
    mr_arena_fini(&arena);
    return st;
}
