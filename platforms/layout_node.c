/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of the power chain: what is automatic in which chain, how a node is named, sized and
 * hung on what is above it, and how written nodes replace automatic ones. Ratings are those of the
 * table.
 * Map: stages - nodes and their parents - sizes - one stage - sources and storage. */
#include "platforms/layout_node.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>

/* ---- stages ---- */

/* Sizes below the standard one, smallest first, 0 at the end: usual ones of what is sold, for one
 * rack to a hall of them. Which are offered, and that their losses are the same shares of the
 * rating as those of the standard size, are assumptions: iron and copper go with what they carry.
 * Grid transformers of 25 and 40 MW are left out: where they would be taken they lose no less than
 * the standard one (20 MW on two of 25: 61 kW, of 63: 54 kW), which leaves room to grow. Row
 * distribution stands without loss; panels and switchgear are built for one current. */
static const double grid_sizes_w[] = {10e6, 16e6, 0};
static const double unit_sizes_w[] = {160e3, 250e3,  400e3, 630e3, 800e3,
                                      1e6,   1.25e6, 1.6e6, 2e6,   0};
static const double ups_sizes_w[] = {50e3,  100e3, 150e3, 200e3, 250e3, 300e3, 400e3,
                                     500e3, 600e3, 800e3, 1e6,   1.2e6, 1.5e6, 0};
static const double row_sizes_w[] = {250e3, 500e3, 750e3, 1e6, 1.25e6, 1.5e6, 2e6, 0};
static const double set_sizes_w[] = {100e3, 150e3, 200e3, 250e3,  300e3, 400e3, 500e3,
                                     600e3, 800e3, 1e6,   1.25e6, 1.5e6, 2e6,   0};
static const double bess_sizes_w[] = {100e3, 250e3, 500e3, 1e6, 1.5e6, 0};

static const struct mr_layout_stage stages[MR_SITE_N_POWER_KIND] = {
    [MR_SITE_POWER_SUBSTATION] = {"sub", MR_LAYOUT_PER_SITE, 63e6, 0, true, grid_sizes_w},
    [MR_SITE_POWER_MV] = {"mv", MR_LAYOUT_PER_HALL, 20e6, 0, false, NULL},
    [MR_SITE_POWER_UNIT] = {"unit", MR_LAYOUT_PER_HALL, 2.5e6, 415, true, unit_sizes_w},
    [MR_SITE_POWER_UPS] = {"ups", MR_LAYOUT_PER_HALL, 2e6, 415, true, ups_sizes_w},
    [MR_SITE_POWER_UPS_ECO] = {"ups", MR_LAYOUT_PER_HALL, 2e6, 415, true, ups_sizes_w},
    [MR_SITE_POWER_LV] = {"lv", MR_LAYOUT_PER_HALL, 2.5e6, 415, false, NULL},
    [MR_SITE_POWER_RPP] = {"rpp", MR_LAYOUT_PER_ROW, 500e3, 415, false, NULL},
    [MR_SITE_POWER_BUSWAY] = {"bus", MR_LAYOUT_PER_ROW, 2.5e6, 415, false, NULL},
    [MR_SITE_POWER_SIDECAR] = {"sc", MR_LAYOUT_PER_ROW, 660e3, 800, true, NULL},
    [MR_SITE_POWER_SST] = {"sst", MR_LAYOUT_PER_ROW, 2.5e6, 800, true, row_sizes_w},
    [MR_SITE_POWER_RECTIFIER] = {"rec", MR_LAYOUT_PER_ROW, 2.5e6, 800, true, row_sizes_w},
    [MR_SITE_POWER_GENERATOR] = {"gen", MR_LAYOUT_PER_SITE, 2.5e6, 0, true, set_sizes_w},
    [MR_SITE_POWER_TURBINE] = {"gt", MR_LAYOUT_PER_SITE, 34e6, 0, true, NULL},
    [MR_SITE_POWER_SOLAR] = {"pv", MR_LAYOUT_PER_SITE, 0, 0, false, NULL},
    [MR_SITE_POWER_BESS] = {"bess", MR_LAYOUT_PER_SITE, 2.5e6, 0, false, bess_sizes_w},
    [MR_SITE_POWER_BBU] = {"bbu", MR_LAYOUT_PER_ROW, 0, 0, false, NULL},
};

/* The way of the current. */
static const int order[] = {MR_SITE_POWER_SUBSTATION, MR_SITE_POWER_MV,      MR_SITE_POWER_UNIT,
                            MR_SITE_POWER_UPS,        MR_SITE_POWER_UPS_ECO, MR_SITE_POWER_LV,
                            MR_SITE_POWER_RPP,        MR_SITE_POWER_BUSWAY,  MR_SITE_POWER_SST,
                            MR_SITE_POWER_RECTIFIER,  MR_SITE_POWER_SIDECAR};

static const int sources[] = {MR_SITE_POWER_TURBINE, MR_SITE_POWER_GENERATOR, MR_SITE_POWER_SOLAR,
                              MR_SITE_POWER_BESS, MR_SITE_POWER_BBU};

enum {
    n_order = sizeof order / sizeof *order,
    n_source = sizeof sources / sizeof *sources,
    automatic_group = 4 /* racks on a sidecar */
};

static const double mv_most_v = 36e3; /* up to here the grid brings the medium voltage itself */
static const double mv_most_w = 10e6; /* what a cable of 300 A carries at 20 kV */
static const double bess_share = 0.25, bess_s = 7200, bbu_s = 240;

const struct mr_layout_stage *mr_layout_node_stage(int kind)
{
    return &stages[kind];
}

/* Nobody hangs a hall on high voltage: up to the power of one medium-voltage cable the utility
 * brings that, and its substation is before the meter. */
void mr_layout_node_connect(struct mr_layout_build *build)
{
    struct mr_layout_plan *plan = build->plan;
    const struct mr_xml_node *node = mr_xml_child(plan->top.node, "grid");
    double most_w = plan->grid.limit_w;
    if (!plan->has_grid || mr_layout_plan_has(node, "voltage") || plan->power.mv_v > mv_most_v)
        return;
    for (size_t h = 0; h < build->site->n_hall; h++)
        if (mr_layout_node_given(&build->hall[h].spec->power, MR_SITE_POWER_SUBSTATION) != NULL)
            return;
    for (size_t r = 0; r < build->site->n_rack && plan->grid.limit_w <= 0; r++)
        most_w += build->site->rack[r].rated_w;
    if (most_w <= mv_most_w)
        build->site->grid.voltage_v = plan->grid.voltage_v = plan->power.mv_v;
}

int mr_layout_node_kind(size_t i)
{
    return i < n_order ? order[i] : -1;
}

static int ups_of(const struct mr_layout_power *power)
{
    const bool is_given = mr_layout_plan_has(power->node, "ups") ||
                          (power->up != NULL && mr_layout_plan_has(power->up->node, "ups"));
    return is_given || power->chain == MR_LAYOUT_CHAIN_AC415 ? power->ups : MR_LAYOUT_UPS_NONE;
}

/* Does the chain have this stage without being told? RPP or busway is decided row by row. */
bool mr_layout_node_is_automatic(const struct mr_layout_plan *plan,
                                 const struct mr_layout_power *power, int kind)
{
    const int chain = power->chain;
    const bool is_ac = chain == MR_LAYOUT_CHAIN_AC415 || chain == MR_LAYOUT_CHAIN_DC800;
    if (chain == MR_LAYOUT_CHAIN_NONE)
        return false;
    switch (kind) {
    case MR_SITE_POWER_SUBSTATION:
        return plan->has_grid && plan->grid.voltage_v > mv_most_v;
    case MR_SITE_POWER_MV:
        return true;
    case MR_SITE_POWER_UNIT:
    case MR_SITE_POWER_BUSWAY:
        return is_ac;
    case MR_SITE_POWER_UPS:
        return is_ac && ups_of(power) == MR_LAYOUT_UPS_DOUBLE;
    case MR_SITE_POWER_UPS_ECO:
        return is_ac && ups_of(power) == MR_LAYOUT_UPS_ECO;
    case MR_SITE_POWER_SST:
        return chain == MR_LAYOUT_CHAIN_SST;
    case MR_SITE_POWER_RECTIFIER:
        return chain == MR_LAYOUT_CHAIN_RECTIFIER;
    case MR_SITE_POWER_SIDECAR:
        return chain == MR_LAYOUT_CHAIN_DC800;
    default:
        return false;
    }
}

int mr_layout_node_per(const struct mr_layout_node *node)
{
    return node->per == MR_LAYOUT_PER_AUTO ? stages[node->kind].per : node->per;
}

/* The elements that count for a kind: a hall's own, else the layout's. */
const struct mr_layout_node *mr_layout_node_given(const struct mr_layout_power *power, int kind)
{
    do {
        for (const struct mr_layout_node *n = power->first; n != NULL; n = n->next)
            if (n->kind == kind)
                return n;
        power = power->up;
    } while (power != NULL);
    return NULL;
}

const struct mr_layout_node *mr_layout_node_next(const struct mr_layout_node *node)
{
    const int kind = node->kind;
    do
        node = node->next;
    while (node != NULL && node->kind != kind);
    return node;
}

/* The node the i-th child of a tip hangs on. */
uint32_t mr_layout_node_dealt(struct mr_layout_tip tip, uint64_t i)
{
    return tip.n > 0 ? tip.first + (uint32_t)(i % tip.n) : MR_SITE_NONE;
}

void mr_layout_node_pair(uint32_t pair[2])
{
    if (pair[0] == MR_SITE_NONE)
        pair[0] = pair[1];
    if (pair[1] == pair[0])
        pair[1] = MR_SITE_NONE;
}

/* ---- nodes ---- */

static mr_status push_node(const struct mr_layout_scope *scope, struct mr_power_node *node,
                           const char *local, const struct mr_xml_node *cause)
{
    struct mr_layout_build *build = scope->build;
    struct mr_site *site = build->site;
    struct mr_err *err = &build->plan->err;
    if (site->n_power >= mr_layout_position_max) {
        mr_layout_plan_error(build->plan, MR_LIMIT, cause, NULL, "%s: more than %d power nodes",
                             cause->name, mr_layout_position_max);
        return MR_LIMIT;
    }
    node->hall = scope->hall;
    node->row = scope->row;
    node->at = mr_layout_plan_spot(cause);
    MR_TRY(mr_grow(&site->power, &site->cap_power, site->n_power + 1, sizeof *site->power, err));
    const size_t n_name = build->names.n;
    MR_TRY(mr_layout_room_name(build, scope->name, local, cause, &node->name));
    MR_TRY(mr_grow(&build->power_of, &build->cap_power_of, build->names.n, sizeof *build->power_of,
                   err));
    while (build->n_power_of < build->names.n)
        build->power_of[build->n_power_of++] = MR_SITE_NONE;
    if (build->names.n > n_name)
        build->power_of[n_name] = (uint32_t)site->n_power;
    site->power[site->n_power++] = *node;
    return MR_OK;
}

static uint32_t find_node(const struct mr_layout_scope *scope, const char *prefix,
                          struct mr_str name, const char *letter)
{
    const struct mr_layout_build *build = scope->build;
    char full[256];
    (void)snprintf(full, sizeof full, "%s.%.*s%s", prefix, (int)(name.n < 80 ? name.n : 80), name.p,
                   letter);
    const uint32_t id = mr_intern_find(&build->names, mr_str_of(full));
    return id < build->n_power_of ? build->power_of[id] : MR_SITE_NONE;
}

/* A written parent: in this scope, then in the ones around it, as it is or with the letter of the
 * system there. */
static uint32_t find_parent(const struct mr_layout_scope *scope, struct mr_str name, int system)
{
    while (scope != NULL) {
        const char letter[2] = {system >= 0 ? scope->letter[system] : '\0', '\0'};
        uint32_t found = find_node(scope, scope->name, name, "");
        if (found == MR_SITE_NONE)
            found = find_node(scope, scope->name, name, letter);
        if (found != MR_SITE_NONE)
            return found;
        system = system >= 0 ? scope->above[system] : -1;
        scope = scope->up;
    }
    return MR_SITE_NONE;
}

/* Nearest of the nodes that stand above, for the message. */
static void unknown_parent(const struct mr_layout_scope *scope, const struct mr_layout_node *spec,
                           struct mr_str name)
{
    const struct mr_site *site = scope->build->site;
    const char *names[64];
    char quoted[MR_QUOTE_CAP], hint[96];
    size_t n = 0;
    for (size_t i = 0; i < site->n_power && n < sizeof names / sizeof *names; i++) {
        const struct mr_power_node *node = &site->power[i];
        if ((node->hall == MR_SITE_NONE || node->hall == scope->hall) &&
            (node->row == MR_SITE_NONE || node->row == scope->row))
            names[n++] = strchr(node->name, '.') != NULL ? strrchr(node->name, '.') + 1 : "";
    }
    mr_text_hint(name, names, n, hint, sizeof hint);
    mr_layout_plan_error(scope->build->plan, MR_REF, spec->node, "parent",
                         "%s: parent \"%s\": no such node before it on the way from the grid%s",
                         spec->node->name, mr_text_quote(name, quoted), hint);
}

/* One or two names. */
static void written_parents(const struct mr_layout_scope *scope, const struct mr_layout_node *spec,
                            int system, uint32_t parent[2])
{
    MR_ASSERT(spec->node != NULL); /* automatic nodes name no parent */
    struct mr_str rest = mr_str_trim(mr_str_of(spec->parent));
    parent[0] = parent[1] = MR_SITE_NONE;
    for (int p = 0; p < 2 && rest.n > 0; p++) {
        size_t n = 0;
        while (n < rest.n && !mr_char_is_space(rest.p[n]))
            n++;
        const struct mr_str name = {rest.p, n};
        parent[p] = find_parent(scope, name, system);
        if (parent[p] == MR_SITE_NONE)
            unknown_parent(scope, spec, name);
        rest = mr_str_trim((struct mr_str){rest.p + n, rest.n - n});
    }
    if (rest.n > 0)
        mr_layout_plan_error(scope->build->plan, MR_SCHEMA, spec->node, "parent",
                             "%s: parent: more than two names", spec->node->name);
}

/* Units kept in reserve when the file does not say. Where systems stand in for each other, their
 * own units need no spare; what all systems share does. */
static uint64_t spare_of(const struct mr_layout_scope *scope, int kind)
{
    const int redundancy = scope->power->redundancy;
    const bool is_common = kind == MR_SITE_POWER_SIDECAR || kind == MR_SITE_POWER_GENERATOR ||
                           kind == MR_SITE_POWER_TURBINE ||
                           (kind == MR_SITE_POWER_SUBSTATION && scope->n_system == 1);
    if (redundancy == MR_LAYOUT_N || !stages[kind].shares_bar)
        return 0;
    return redundancy == MR_LAYOUT_N_PLUS_1 || is_common ? 1 : 0;
}

static bool asks_for_reserve(const struct mr_layout_power *power)
{
    for (; power != NULL; power = power->up)
        if (mr_layout_plan_has(power->node, "redundancy"))
            return true;
    return false;
}

static double duration_of(const struct mr_layout_node *spec)
{
    if (spec->duration_s > 0)
        return spec->duration_s;
    if (spec->kind == MR_SITE_POWER_BESS)
        return bess_s;
    return spec->kind == MR_SITE_POWER_BBU ? bbu_s : 0;
}

/* `system` -1: of no system. */
mr_status mr_layout_node_make(const struct mr_layout_scope *scope,
                              const struct mr_layout_making *making, int system)
{
    const struct mr_layout_node *spec = making->spec;
    struct mr_layout_plan *plan = scope->build->plan;
    const struct mr_xml_node *cause = spec->node != NULL ? spec->node : scope->cause;
    struct mr_power_node node = {.kind = spec->kind,
                                 .rating_w = spec->rating_w > 0 ? spec->rating_w : making->rating_w,
                                 .voltage_v =
                                     spec->voltage_v > 0 ? spec->voltage_v : making->voltage_v,
                                 .oversubscribe = spec->oversubscribe,
                                 .parent = {making->parent[0], making->parent[1]}};
    /* given units are measured against the load itself, automatic ones leave room, or are fewer */
    const double fill = spec->n_unit > 0 ? 1 : scope->power->fill_frac * spec->oversubscribe;
    const uint64_t n_need =
        making->n_need > 0 ? making->n_need
                           : mr_layout_plan_need(plan, cause, making->load_w, node.rating_w * fill);
    mr_layout_plan_units(plan,
                         &(struct mr_layout_stock){spec->node, spec->n_unit, spec->n_spare, n_need,
                                                   spare_of(scope, spec->kind),
                                                   asks_for_reserve(scope->power)},
                         &node.n_unit, &node.n_spare);
    node.energy_j = spec->energy_j > 0
                        ? spec->energy_j
                        : node.rating_w * (double)(node.n_unit - node.n_spare) * duration_of(spec);
    if (!isfinite(node.energy_j))
        mr_layout_plan_error(plan, MR_RANGE, cause, NULL, "%s: its energy is out of range",
                             cause->name);
    if (spec->parent != NULL)
        written_parents(scope, spec, system, node.parent);
    mr_layout_node_pair(node.parent);
    return push_node(scope, &node, making->local, cause);
}

/* "upsA" of an automatic or unnamed node; a given name gets the letter only if there are several.
 */
static void local_name(const struct mr_layout_scope *scope, const struct mr_layout_node *spec,
                       int system, uint64_t i, char out[64])
{
    char base[64];
    const bool is_single = scope->n_system == 1 || spec->side == MR_LAYOUT_SIDE_A ||
                           (spec->side == MR_LAYOUT_SIDE_B && scope->n_system == 2);
    const bool has_letter = spec->name == NULL || !is_single;
    (void)snprintf(base, sizeof base, "%.48s%.1s",
                   spec->name != NULL ? spec->name : stages[spec->kind].prefix,
                   has_letter ? scope->letter + system : "");
    mr_layout_room_local(base, i, spec->n_count == 1, out);
}

static bool is_on_side(const struct mr_layout_node *spec, int system)
{
    return spec->side == MR_LAYOUT_SIDE_BOTH || (spec->side == MR_LAYOUT_SIDE_A) == (system == 0);
}

/* ---- sizes ---- */

/* What a unit of this kind carries beside the racks on it: the supplies behind it and the pumps and
 * fans of its hall. The site's own load counts them already. */
static double beside_racks(const struct mr_layout_scope *scope, int kind)
{
    return kind == MR_SITE_POWER_UNIT ? scope->build->overhead : 1;
}

/* Units that a written number leaves to work, as far as it is known before the load is. */
static double working(const struct mr_layout_scope *scope, const struct mr_layout_node *spec)
{
    const bool is_storage = spec->kind == MR_SITE_POWER_BESS; /* all of its units are its size */
    const uint64_t n_spare = is_storage ? 0
                             : spec->node != NULL && mr_layout_plan_has(spec->node, "spare")
                                 ? spec->n_spare
                                 : spare_of(scope, spec->kind);
    return spec->n_unit > n_spare ? (double)(spec->n_unit - n_spare) : 1;
}

/* The smallest size that carries the load, the standard one where none does: by one unit that works
 * if the file says no number, beside its spares. */
static double size_w(const struct mr_layout_scope *scope, const struct mr_layout_node *spec,
                     double load_w)
{
    const struct mr_layout_stage *stage = &stages[spec->kind];
    const double need_w =
        load_w / working(scope, spec) / (scope->power->fill_frac * spec->oversubscribe);
    for (const double *smaller_w = stage->smaller_w; smaller_w != NULL && *smaller_w > 0;
         smaller_w++)
        if (need_w <= *smaller_w)
            return *smaller_w;
    return stage->rating_w;
}

/* Systems that stand in for each other are alike. */
static double fitting_w(const struct mr_layout_scope *scope, const struct mr_layout_node *spec,
                        uint64_t n_all)
{
    double load_w = 0;
    for (int s = 0; s < scope->n_system; s++)
        load_w = fmax(load_w, scope->load_w[s]);
    return size_w(scope, spec, load_w / (double)n_all * beside_racks(scope, spec->kind));
}

/* ---- one stage ---- */

static mr_status stage_of_system(struct mr_layout_scope *scope, const struct mr_layout_node *first,
                                 const struct mr_layout_sizing *sizing, int system)
{
    const struct mr_layout_tip above = scope->tip[system];
    struct mr_layout_tip tip = {(uint32_t)scope->build->site->n_power, 0};
    uint64_t n_all = 0;
    for (const struct mr_layout_node *n = first; n != NULL; n = mr_layout_node_next(n))
        if (is_on_side(n, system) && mr_layout_node_per(n) == scope->per)
            n_all += n->n_count;
    for (const struct mr_layout_node *n = first; n != NULL; n = mr_layout_node_next(n)) {
        if (!is_on_side(n, system) || mr_layout_node_per(n) != scope->per)
            continue;
        for (uint64_t i = 0; i < n->n_count; i++) {
            const double fitting =
                sizing->rating_w > 0 ? sizing->rating_w : fitting_w(scope, n, n_all);
            struct mr_layout_making making = {
                .spec = n,
                .load_w = scope->load_w[system] / (double)n_all,
                .rating_w = fitting,
                .voltage_v = sizing->voltage_v,
                .parent = {mr_layout_node_dealt(above, sizing->i_child + tip.n),
                           scope->second[system]}};
            const double rating_w = n->rating_w > 0 ? n->rating_w : fitting;
            if (sizing->need != NULL && n->n_unit == 0 && n_all == 1)
                making.n_need = sizing->need(scope, rating_w * n->oversubscribe);
            local_name(scope, n, system, i, making.local);
            MR_TRY(mr_layout_node_make(scope, &making, system));
            tip.n++;
        }
    }
    if (tip.n == 0)
        return MR_OK;
    scope->tip[system] = tip;
    scope->second[system] = MR_SITE_NONE;
    return MR_OK;
}

/* The stage of a kind in this scope, if it has one. */
mr_status mr_layout_node_put_stage(struct mr_layout_scope *scope,
                                   const struct mr_layout_node *first,
                                   const struct mr_layout_sizing *sizing)
{
    const size_t n_before = scope->build->site->n_power;
    for (int s = 0; s < scope->n_system; s++)
        if (scope->load_w[s] > 0)
            MR_TRY(stage_of_system(scope, first, sizing, s));
    if (scope->has_entry || scope->build->site->n_power == n_before)
        return MR_OK;
    scope->has_entry = true;
    memcpy(scope->entry, scope->tip, sizeof scope->entry);
    return MR_OK;
}

struct mr_layout_node mr_layout_node_automatic(int kind)
{
    return (struct mr_layout_node){.kind = kind,
                                   .per = MR_LAYOUT_PER_AUTO,
                                   .oversubscribe = 1,
                                   .n_count = 1,
                                   .n_rack = automatic_group};
}

static double voltage_of(const struct mr_layout_scope *scope, int kind)
{
    return stages[kind].voltage_v > 0 ? stages[kind].voltage_v : scope->power->mv_v;
}

static bool has_given(const struct mr_layout_node *first, int per)
{
    while (first != NULL && mr_layout_node_per(first) != per)
        first = mr_layout_node_next(first);
    return first != NULL;
}

/* Two kinds that stand for each other: one written replaces either. */
bool mr_layout_node_is_replaced(const struct mr_layout_power *power, int kind)
{
    const bool is_ups = kind == MR_SITE_POWER_UPS || kind == MR_SITE_POWER_UPS_ECO;
    const bool is_row = kind == MR_SITE_POWER_RPP || kind == MR_SITE_POWER_BUSWAY;
    return (is_ups && (mr_layout_node_given(power, MR_SITE_POWER_UPS) != NULL ||
                       mr_layout_node_given(power, MR_SITE_POWER_UPS_ECO) != NULL)) ||
           (is_row && (mr_layout_node_given(power, MR_SITE_POWER_RPP) != NULL ||
                       mr_layout_node_given(power, MR_SITE_POWER_BUSWAY) != NULL));
}

/* Written nodes of a kind anywhere replace the automatic one. */
mr_status mr_layout_node_put_kind(struct mr_layout_scope *scope, int kind,
                                  const struct mr_layout_sizing *extra)
{
    const struct mr_layout_node *given = mr_layout_node_given(scope->power, kind);
    const struct mr_layout_node plain = mr_layout_node_automatic(kind);
    struct mr_layout_sizing sizing = *extra;
    sizing.voltage_v = voltage_of(scope, kind);
    if (given != NULL)
        return has_given(given, scope->per) ? mr_layout_node_put_stage(scope, given, &sizing)
                                            : MR_OK;
    if (stages[kind].per != scope->per || mr_layout_node_is_replaced(scope->power, kind) ||
        !mr_layout_node_is_automatic(scope->build->plan, scope->power, kind))
        return MR_OK;
    return mr_layout_node_put_stage(scope, &plain, &sizing);
}

/* ---- sources and storage ---- */

static mr_status put_source(struct mr_layout_scope *scope, const struct mr_layout_node *spec,
                            double load_w, uint64_t *ordinal)
{
    struct mr_layout_plan *plan = scope->build->plan;
    const struct mr_layout_tip *tip =
        scope->has_entry && scope->per == MR_LAYOUT_PER_HALL ? scope->entry : scope->tip;
    struct mr_layout_making making = {.spec = spec,
                                      .load_w = load_w / (double)spec->n_count,
                                      .voltage_v = voltage_of(scope, spec->kind)};
    if (spec->kind == MR_SITE_POWER_BESS)
        making.load_w *= bess_share;
    making.rating_w = size_w(scope, spec, making.load_w);
    if (spec->kind == MR_SITE_POWER_BBU && tip[0].n > 0) /* battery of what it stands behind */
        making.voltage_v = scope->build->site->power[tip[0].first].voltage_v;
    if (spec->kind == MR_SITE_POWER_SOLAR && spec->rating_w <= 0)
        mr_layout_plan_error(plan, MR_SCHEMA, spec->node, NULL,
                             "%s: \"rating\" is missing: nothing else says how large a field is",
                             spec->node->name);
    if (making.rating_w <= 0) {
        making.rating_w = making.load_w;
        making.n_need = spec->rating_w > 0 ? 0 : 1;
    }
    if (spec->kind == MR_SITE_POWER_SOLAR)
        making.n_need = 1;
    if (!stages[spec->kind].shares_bar && spec->n_unit > 0)
        making.n_need = spec->n_unit; /* all of a battery's units are its size: none is spare */
    making.parent[0] = mr_layout_node_dealt(tip[0], 0);
    making.parent[1] = scope->n_system > 1 ? mr_layout_node_dealt(tip[1], 0) : MR_SITE_NONE;
    for (uint64_t i = 0; i < spec->n_count; i++, (*ordinal)++) {
        if (spec->name != NULL)
            mr_layout_room_local(spec->name, i, spec->n_count == 1, making.local);
        else
            mr_layout_room_local(stages[spec->kind].prefix, *ordinal, false, making.local);
        MR_TRY(mr_layout_node_make(scope, &making, -1));
    }
    return MR_OK;
}

mr_status mr_layout_node_put_sources(struct mr_layout_scope *scope, double load_w)
{
    for (int k = 0; k < n_source; k++) {
        uint64_t ordinal = 0;
        for (const struct mr_layout_node *n = mr_layout_node_given(scope->power, sources[k]);
             n != NULL; n = mr_layout_node_next(n))
            if (mr_layout_node_per(n) == scope->per)
                MR_TRY(put_source(scope, n, fmax(load_w, 1), &ordinal));
    }
    return MR_OK;
}
