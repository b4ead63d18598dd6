/* SPDX-License-Identifier: Apache-2.0 */
/* Chain: watts at the meter per watt handed out by a node, from the grid down; two parents carry
 * half each. Cooling: a rack's liquid heat pays its CDU and what cools that loop; its air heat pays
 * the hall's air handlers and what cools theirs. */
#include "platforms/meter.h"

#include "engine/base/arena.h"

/* Watts at the meter per watt that something with these parents takes. */
static double taken(const double *gain, const uint32_t parent[2])
{
    double sum = 0;
    int n = 0;
    for (int p = 0; p < 2; p++)
        if (parent[p] != MR_SITE_NONE) {
            sum += gain[parent[p]];
            n++;
        }
    return n > 0 ? sum / n : 1;
}

static mr_status chain_gains(const struct mr_site *site, double *gain, uint32_t *scratch,
                             struct mr_err *err)
{
    const size_t n = site->n_power;
    uint32_t *order = scratch;
    if (mr_site_power_order(site, order, scratch + n) < n)
        return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "a power node feeds itself in a circle");
    for (size_t i = n; i-- > 0;) {
        const struct mr_power_node *node = &site->power[order[i]];
        gain[order[i]] = taken(gain, node->parent) / mr_site_power_efficiency(node->kind);
    }
    return MR_OK;
}

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

mr_status mr_meter_estimate(const struct mr_site *site, struct mr_meter *meter, struct mr_err *err)
{
    struct mr_arena arena = {0};
    *meter = (struct mr_meter){0};
    double *gain = mr_arena_zero(&arena, site->n_power, sizeof *gain, err);
    double *air = mr_arena_zero(&arena, site->n_hall, sizeof *air, err);
    uint32_t *scratch = mr_arena_zero(&arena, 2 * site->n_power, sizeof *scratch, err);
    int *kind = mr_arena_zero(&arena, site->n_loop, sizeof *kind, err);
    mr_status st = MR_NOMEM;
    if (gain != NULL && air != NULL && scratch != NULL && kind != NULL)
        st = chain_gains(site, gain, scratch, err);
    if (st == MR_OK) {
        loop_kinds(site, kind);
        air_powers(site, kind, air);
        for (size_t i = 0; i < site->n_rack; i++) {
            const struct mr_rack *rack = &site->rack[i];
            const double liquid_w = rack->limit_w * rack->liquid_frac;
            meter->rack_w += rack->limit_w;
            meter->chain_w += rack->limit_w * (taken(gain, rack->feed) - 1);
            if (rack->cdu != MR_SITE_NONE)
                meter->cooling_w +=
                    liquid_w * (mr_site_cdu_power() + loop_power(kind, site->cdu[rack->cdu].loop));
            if (rack->hall != MR_SITE_NONE)
                meter->cooling_w += (rack->limit_w - liquid_w) * air[rack->hall];
        }
    }
    mr_arena_fini(&arena);
    return st;
}
