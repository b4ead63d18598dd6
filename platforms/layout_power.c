/* SPDX-License-Identifier: Apache-2.0 */
/* The power chain, from the grid down to the racks: which stages stand in the site, in every hall
 * and every row, what they carry, and which of them racks hang on.
 * Map: the site - halls and the loads of their systems - rows, sidecars, racks. */
#include "platforms/layout_node.h"

#include <math.h>

static const double two_steps_v = 150e3; /* from here on two transformers in a row */
static const double high_rating_w = 160e6, high_voltage_v = 110e3, high_efficiency = 0.9971;
static const double row_on_panels_w = 2e6; /* four panels of 500 kW */

double mr_layout_power_efficiency(const struct mr_layout_plan *plan,
                                  const struct mr_layout_power *power)
{
    double efficiency = 1;
    for (size_t i = 0; mr_layout_node_kind(i) >= 0; i++) {
        const int kind = mr_layout_node_kind(i);
        if (mr_layout_node_is_automatic(plan, power, kind))
            efficiency *= mr_site_power_efficiency(kind);
    }
    if (plan->grid.voltage_v >= two_steps_v &&
        mr_layout_node_is_automatic(plan, power, MR_SITE_POWER_SUBSTATION))
        efficiency *= high_efficiency;
    return efficiency;
}

/* ---- the site ---- */

static double grants(const struct mr_layout_build *build)
{
    double sum_w = 0;
    for (size_t h = 0; h < build->site->n_hall; h++)
        sum_w += build->hall[h].grant_w;
    return sum_w;
}

static mr_status put_site(struct mr_layout_scope *scope)
{
    struct mr_layout_plan *plan = scope->build->plan;
    const double load_w = fmax(1, grants(scope->build) * scope->build->overhead);
    for (int s = 0; s < scope->n_system; s++)
        scope->load_w[s] = load_w;
    if (!plan->has_grid) {
        /* an island: what there is instead of a grid is the root of everything */
        const struct mr_site *site = scope->build->site;
        MR_TRY(mr_layout_node_put_sources(scope, load_w));
        for (int s = 0; s < scope->n_system && site->n_power > 0; s++) {
            scope->tip[s] = (struct mr_layout_tip){0, 1};
            scope->second[s] = site->n_power > 1 ? 1 : MR_SITE_NONE;
        }
    }
    if (plan->grid.voltage_v >= two_steps_v &&
        mr_layout_node_given(scope->power, MR_SITE_POWER_SUBSTATION) == NULL &&
        mr_layout_node_is_automatic(plan, scope->power, MR_SITE_POWER_SUBSTATION)) {
        struct mr_layout_node high = mr_layout_node_automatic(MR_SITE_POWER_SUBSTATION);
        high.name = scope->n_system == 1 ? "hv0" : "hv";
        MR_TRY(mr_layout_node_put_stage(
            scope, &high, &(struct mr_layout_sizing){high_rating_w, high_voltage_v, NULL, 0}));
    }
    for (size_t i = 0; mr_layout_node_kind(i) >= 0; i++)
        MR_TRY(
            mr_layout_node_put_kind(scope, mr_layout_node_kind(i), &(struct mr_layout_sizing){0}));
    return plan->has_grid ? mr_layout_node_put_sources(scope, load_w) : MR_OK;
}

/* ---- halls ---- */

static const struct {
    const char *letter;
    int n_system;
} redundancies[] = {
#define REDUNDANCY_ROW(name, text, n_system, doc) {"ABCD", n_system},
    MR_LAYOUT_REDUNDANCY_LIST(REDUNDANCY_ROW)
#undef REDUNDANCY_ROW
};

/* Systems of the i-th row of a hall of n. */
static void deal_row(int redundancy, uint32_t i, uint32_t n, uint32_t system[2])
{
    static const uint32_t pairs[][2] = {{0, 1}, {2, 3}, {0, 2}, {1, 3}, {0, 3}, {1, 2}};
    const uint32_t n_active = n < 3 ? n : 3;
    system[0] = 0;
    system[1] = MR_SITE_NONE;
    if (redundancy == MR_LAYOUT_TWO_N)
        system[1] = 1;
    else if (redundancy == MR_LAYOUT_FOUR_THIRDS)
        memcpy(system, pairs[i % (sizeof pairs / sizeof *pairs)], sizeof pairs[0]);
    else if (redundancy == MR_LAYOUT_BLOCK) {
        system[0] = i % n_active;
        system[1] = 3;
    }
}

/* What a row puts on a system when another one is lost (-1: none is). */
static double share_of(const struct mr_layout_row_info *row, bool is_block, uint32_t system,
                       int lost)
{
    if (row->system[0] != system && row->system[1] != system)
        return 0;
    if (row->system[1] == MR_SITE_NONE)
        return row->grant_w;
    const uint32_t other = row->system[row->system[0] == system ? 1 : 0];
    if (lost >= 0 && other == (uint32_t)lost)
        return row->grant_w;
    if (is_block)
        return row->system[0] == system ? row->grant_w : 0;
    return row->grant_w / 2;
}

/* Every system is sized for the worst loss of another one. */
static void hall_loads(struct mr_layout_scope *scope, const struct mr_hall *hall)
{
    const bool is_block = scope->power->redundancy == MR_LAYOUT_BLOCK;
    for (int s = 0; s < scope->n_system; s++) {
        scope->load_w[s] = 0;
        for (int lost = -1; lost < scope->n_system; lost++) {
            double load_w = 0;
            for (uint32_t i = hall->first_row; lost != s && i < hall->first_row + hall->n_row; i++)
                load_w += share_of(&scope->build->row[i], is_block, (uint32_t)s, lost);
            scope->load_w[s] = fmax(scope->load_w[s], load_w);
        }
    }
}

static mr_status put_hall(const struct mr_layout_scope *around, uint32_t h,
                          struct mr_layout_scope *scope)
{
    struct mr_layout_build *build = around->build;
    const struct mr_hall *hall = &build->site->hall[h];
    const struct mr_layout_hall *spec = build->hall[h].spec;
    *scope = (struct mr_layout_scope){
        .build = build,
        .up = around,
        .power = &spec->power,
        .per = MR_LAYOUT_PER_HALL,
        .hall = h,
        .row = MR_SITE_NONE,
        .name = hall->name,
        .cause = spec->power.node != NULL ? spec->power.node : spec->node,
        .n_system = redundancies[spec->power.redundancy].n_system,
        .letter = spec->power.redundancy == MR_LAYOUT_BLOCK ? "ABCR" : "ABCD"};
    for (uint32_t i = 0; i < hall->n_row; i++)
        deal_row(spec->power.redundancy, i, hall->n_row, build->row[hall->first_row + i].system);
    for (int s = 0; s < scope->n_system; s++) {
        const int above = around->n_system > 1 ? s & 1 : 0;
        scope->above[s] = above;
        scope->tip[s] = around->tip[above];
        scope->second[s] = around->second[above];
    }
    hall_loads(scope, hall);
    for (size_t i = 0; mr_layout_node_kind(i) >= 0; i++)
        MR_TRY(mr_layout_node_put_kind(scope, mr_layout_node_kind(i),
                                       &(struct mr_layout_sizing){.i_child = h}));
    return mr_layout_node_put_sources(scope, build->hall[h].grant_w * build->overhead);
}

/* ---- rows ---- */

/* Panels and busways: racks are packed in order, none stands on two of them. */
static uint64_t packed(const struct mr_layout_scope *scope, double rating_w)
{
    const struct mr_site *site = scope->build->site;
    const struct mr_row *row = &site->row[scope->row];
    const double room_w = rating_w * scope->power->fill_frac;
    double used_w = 0;
    uint64_t n = 1;
    for (uint32_t r = row->first_rack; r < row->first_rack + row->n_rack; r++) {
        const double limit_w = site->rack[r].limit_w;
        if (used_w > 0 && used_w + limit_w > room_w) {
            n++;
            used_w = 0;
        }
        used_w += limit_w;
    }
    return n;
}

/* Does this rack of the row hang on a sidecar? */
static bool takes_sidecar(const struct mr_layout_scope *scope, const struct mr_rack *rack)
{
    const int chain = scope->power->chain;
    if (rack->bus_v == 0)
        return false;
    return mr_layout_node_given(scope->power, MR_SITE_POWER_SIDECAR) != NULL ||
           chain == MR_LAYOUT_CHAIN_DC800 || (chain == MR_LAYOUT_CHAIN_AC415 && rack->bus_v >= 400);
}

/* Racks of the row: the largest grant, and whether sidecars are needed. */
struct row_needs {
    double largest_w;
    bool has_sidecar;
};

static struct row_needs needs_of(const struct mr_layout_scope *scope)
{
    const struct mr_site *site = scope->build->site;
    const struct mr_row *row = &site->row[scope->row];
    struct row_needs needs = {0};
    for (uint32_t r = row->first_rack; r < row->first_rack + row->n_rack; r++) {
        needs.largest_w = fmax(needs.largest_w, site->rack[r].limit_w);
        needs.has_sidecar |= takes_sidecar(scope, &site->rack[r]);
    }
    return needs;
}

/* Panels or busways, whichever the row is for. */
static mr_status put_row_stage(struct mr_layout_scope *scope, const struct row_needs *needs,
                               const struct mr_layout_sizing *sizing)
{
    const struct mr_layout_stage *panel = mr_layout_node_stage(MR_SITE_POWER_RPP);
    const bool is_written = mr_layout_node_is_replaced(scope->power, MR_SITE_POWER_RPP);
    const bool on_panels = scope->power->chain == MR_LAYOUT_CHAIN_AC415 && !needs->has_sidecar &&
                           scope->load_w[0] <= row_on_panels_w &&
                           needs->largest_w <= panel->rating_w * scope->power->fill_frac;
    if (!is_written && on_panels) {
        const struct mr_layout_node plain = mr_layout_node_automatic(MR_SITE_POWER_RPP);
        struct mr_layout_sizing with = *sizing;
        with.rating_w = panel->rating_w;
        with.voltage_v = panel->voltage_v;
        return mr_layout_node_put_stage(scope, &plain, &with);
    }
    MR_TRY(mr_layout_node_put_kind(scope, MR_SITE_POWER_RPP, sizing));
    return mr_layout_node_put_kind(scope, MR_SITE_POWER_BUSWAY, sizing);
}

/* The next racks from *r on that share a sidecar. @return how many */
static uint64_t take_group(const struct mr_layout_scope *scope, const struct mr_layout_node *spec,
                           uint32_t *r, struct mr_layout_making *making)
{
    struct mr_site *site = scope->build->site;
    const struct mr_row *row = &site->row[scope->row];
    uint64_t n = 0;
    making->load_w = 0;
    making->rating_w = mr_layout_node_stage(MR_SITE_POWER_SIDECAR)->rating_w;
    for (; *r < row->first_rack + row->n_rack && n < spec->n_rack; (*r)++) {
        struct mr_rack *rack = &site->rack[*r];
        if (!takes_sidecar(scope, rack))
            continue;
        making->load_w += rack->limit_w;
        making->rating_w = fmax(making->rating_w, rack->limit_w);
        rack->feed[0] = (uint32_t)site->n_power;
        n++;
    }
    return n;
}

static mr_status put_sidecars(struct mr_layout_scope *scope)
{
    struct mr_layout_plan *plan = scope->build->plan;
    const struct mr_layout_node *given = mr_layout_node_given(scope->power, MR_SITE_POWER_SIDECAR);
    const struct mr_layout_node plain = mr_layout_node_automatic(MR_SITE_POWER_SIDECAR);
    const struct mr_layout_node *spec = given != NULL ? given : &plain;
    uint32_t r = scope->build->site->row[scope->row].first_rack;
    if (given != NULL && (mr_layout_node_next(given) != NULL ||
                          mr_layout_node_per(given) != MR_LAYOUT_PER_ROW || given->n_count != 1))
        mr_layout_plan_error(plan, MR_SCHEMA, given->node, NULL,
                             "%s: sidecars stand in rows, as many as \"racks\" says: one element, "
                             "no count",
                             given->node->name);
    struct mr_layout_making making = {
        .spec = spec, .voltage_v = mr_layout_node_stage(MR_SITE_POWER_SIDECAR)->voltage_v};
    for (uint64_t i = 0; take_group(scope, spec, &r, &making) > 0; i++) {
        making.parent[0] = mr_layout_node_dealt(scope->tip[0], i);
        making.parent[1] =
            scope->n_system > 1 ? mr_layout_node_dealt(scope->tip[1], i) : scope->second[0];
        mr_layout_room_local(spec->name != NULL ? spec->name
                                                : mr_layout_node_stage(spec->kind)->prefix,
                             i, false, making.local);
        MR_TRY(mr_layout_node_make(scope, &making, 0));
    }
    return MR_OK;
}

/* Racks that are on no sidecar hang on the tips. */
static void hang_racks(const struct mr_layout_scope *scope)
{
    struct mr_site *site = scope->build->site;
    const struct mr_row *row = &site->row[scope->row];
    for (uint32_t i = 0; i < row->n_rack; i++) {
        struct mr_rack *rack = &site->rack[row->first_rack + i];
        if (rack->feed[0] != MR_SITE_NONE)
            continue;
        rack->feed[0] = mr_layout_node_dealt(scope->tip[0], i);
        rack->feed[1] =
            scope->n_system > 1 ? mr_layout_node_dealt(scope->tip[1], i) : scope->second[0];
        mr_layout_node_pair(rack->feed);
        rack->has_standby = scope->power->redundancy == MR_LAYOUT_BLOCK;
        if (rack->bus_v > 0 || rack->feed[0] == MR_SITE_NONE)
            continue;
        const int kind = site->power[rack->feed[0]].kind;
        if (kind == MR_SITE_POWER_SST || kind == MR_SITE_POWER_RECTIFIER)
            mr_layout_plan_error(scope->build->plan, MR_SCHEMA,
                                 scope->build->rack[row->first_rack + i]->node, "card",
                                 "rack: card \"%s\" takes alternating current, row %s brings 800 "
                                 "VDC (use chain ac415 for its hall)",
                                 rack->card, row->name);
    }
}

static mr_status put_row(const struct mr_layout_scope *hall, uint32_t i)
{
    struct mr_layout_build *build = hall->build;
    const struct mr_row *row = &build->site->row[i];
    const struct mr_layout_row_info *info = &build->row[i];
    struct mr_layout_scope scope = {.build = build,
                                    .up = hall,
                                    .power = hall->power,
                                    .per = MR_LAYOUT_PER_ROW,
                                    .hall = row->hall,
                                    .row = i,
                                    .name = row->name,
                                    .cause = info->spec->node,
                                    .n_system = info->system[1] != MR_SITE_NONE ? 2 : 1,
                                    .letter = "AB"};
    for (int side = 0; side < scope.n_system; side++) {
        scope.above[side] = (int)info->system[side];
        scope.tip[side] = hall->tip[info->system[side]];
        scope.second[side] = hall->second[info->system[side]];
        scope.load_w[side] = fmax(1, info->grant_w);
    }
    const struct row_needs needs = needs_of(&scope);
    const bool is_last =
        !needs.has_sidecar &&
        !mr_layout_node_is_automatic(build->plan, scope.power, MR_SITE_POWER_SST) &&
        !mr_layout_node_is_automatic(build->plan, scope.power, MR_SITE_POWER_RECTIFIER);
    const struct mr_layout_sizing sizing = {.i_child = i - build->site->hall[row->hall].first_row,
                                            .need = is_last ? packed : NULL};
    const struct mr_layout_sizing by_load = {.i_child = sizing.i_child};
    for (size_t k = 0; mr_layout_node_kind(k) >= 0; k++) {
        const int kind = mr_layout_node_kind(k);
        if (kind == MR_SITE_POWER_RPP)
            MR_TRY(put_row_stage(&scope, &needs, &sizing));
        else if (kind != MR_SITE_POWER_BUSWAY && kind != MR_SITE_POWER_SIDECAR)
            MR_TRY(mr_layout_node_put_kind(&scope, kind, &by_load));
    }
    MR_TRY(put_sidecars(&scope));
    hang_racks(&scope);
    return mr_layout_node_put_sources(&scope, info->grant_w);
}

static const struct mr_layout_tip no_tip = {MR_SITE_NONE, 0};

static mr_status put_all(struct mr_layout_build *build)
{
    const struct mr_layout_plan *plan = build->plan;
    const bool is_double = plan->power.redundancy == MR_LAYOUT_TWO_N;
    struct mr_layout_scope site = {.build = build,
                                   .power = &plan->power,
                                   .per = MR_LAYOUT_PER_SITE,
                                   .hall = MR_SITE_NONE,
                                   .row = MR_SITE_NONE,
                                   .name = "S",
                                   .cause =
                                       plan->power.node != NULL ? plan->power.node : plan->top.node,
                                   .n_system = is_double ? 2 : 1,
                                   .letter = is_double ? "AB" : "0"};
    for (int s = 0; s < mr_layout_system_max; s++) {
        site.tip[s] = no_tip;
        site.second[s] = MR_SITE_NONE;
    }
    MR_TRY(put_site(&site));
    for (uint32_t h = 0; h < build->site->n_hall; h++) {
        struct mr_layout_scope hall;
        MR_TRY(put_hall(&site, h, &hall));
        const struct mr_hall *it = &build->site->hall[h];
        for (uint32_t i = it->first_row; i < it->first_row + it->n_row; i++)
            MR_TRY(put_row(&hall, i));
    }
    return MR_OK;
}

mr_status mr_layout_power_build(struct mr_layout_build *build)
{
    const mr_status st = put_all(build);
    return st == MR_LIMIT ? MR_OK : st; /* the limit has been told */
}
