/* SPDX-License-Identifier: Apache-2.0 */
/* Site to chain. */
#include "power/wire.h"

#include "engine/base/assert.h"

#include <math.h>

static const double never = (double)INFINITY;

/* ---- parameters ---- */

static const char *const stagings[] = {
#define STAGING_TEXT(name, text, doc) text,
    MR_UNITS_STAGING_LIST(STAGING_TEXT)
#undef STAGING_TEXT
};
static const char *const splits[] = {"share", "first"};
static const char *const laws[] = {
#define LAW_TEXT(name, text, k, alpha, doc) text,
    MR_BREAKER_LAW_LIST(LAW_TEXT)
#undef LAW_TEXT
};

/* down to these; a rack's watts are told at its shelves, so no further out */
static const char *const planes[] = {"core", "module", "shelf"};

#define WIRE struct mr_wire_params
static const struct mr_param rows[] = {
    MR_PARAM_ONE_OF(WIRE, staging, "ups_staging", stagings, "all",
                    "Which units of a UPS run: all, hysteresis, optimal"),
    MR_PARAM_ONE_OF(
        WIRE, feeds, "feeds", splits, "share",
        "Racks on two feeds: share both, or take the first that lives, as those do whose "
        "second one stands by"),
    MR_PARAM(WIRE, transfer_s, "transfer", MR_Q_TIME, "8 ms", 0, 3600,
             "Time a transfer switch takes: static 8 ms, automatic 10 s"),
    MR_PARAM(WIRE, holdup_s, "holdup", MR_Q_TIME, "20 ms", 0, 60,
             "Gap of supply that power supplies of racks bridge"),
    MR_PARAM_ONE_OF(WIRE, breaker, "breakers", laws, "thermal",
                    "Law of the breakers: none, si, vi, ei, li, thermal"),
    MR_PARAM(WIRE, breaker_frac, "breaker_rating", MR_Q_FRACTION, "1", 0.5, 4,
             "Rated current of a breaker over that of the node's rating"),
    MR_PARAM(WIRE, breaker_tau_s, "breaker_tau", MR_Q_TIME, "600 s", 1, 1e5,
             "Time constant of thermal breakers"),
    MR_PARAM(WIRE, power_factor, "power_factor", MR_Q_FRACTION, "0.99", 0.5, 1,
             "Of alternating current everywhere"),
    MR_PARAM_ONE_OF(WIRE, rack_plane, "rack_plane", planes, "module",
                    "Where a rack's watts are followed to: its input (shelf), packages and hosts "
                    "(module), behind their regulators (core)"),
};
#undef WIRE

static const struct mr_param_table table = {
    "wire", "How the power chain behaves beside its ratings.", rows, sizeof rows / sizeof *rows};

const struct mr_param_table *mr_wire_table(void)
{
    return &table;
}

void mr_wire_defaults(struct mr_wire_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    const struct mr_param_target target = {
        .table = &table, .object = params, .origin = origin, .what = "wire"};
    *params = (struct mr_wire_params){0};
    mr_param_defaults(&target);
}

/* ---- kinds ---- */

bool mr_wire_is_source(int site_kind)
{
    return site_kind == MR_SITE_POWER_GENERATOR || site_kind == MR_SITE_POWER_TURBINE ||
           site_kind == MR_SITE_POWER_SOLAR || site_kind == MR_SITE_POWER_BESS ||
           site_kind == MR_SITE_POWER_BBU;
}

int mr_wire_stage(const struct mr_power_node *node)
{
    static const int stage[MR_SITE_N_POWER_KIND] = {
        [MR_SITE_POWER_MV] = MR_STAGE_NONE,       [MR_SITE_POWER_UNIT] = MR_STAGE_UNIT,
        [MR_SITE_POWER_UPS] = MR_STAGE_UPS,       [MR_SITE_POWER_UPS_ECO] = MR_STAGE_UPS_ECO,
        [MR_SITE_POWER_LV] = MR_STAGE_NONE,       [MR_SITE_POWER_RPP] = MR_STAGE_BUSWAY,
        [MR_SITE_POWER_BUSWAY] = MR_STAGE_BUSWAY, [MR_SITE_POWER_SIDECAR] = MR_STAGE_SST,
        [MR_SITE_POWER_SST] = MR_STAGE_SST,       [MR_SITE_POWER_RECTIFIER] = MR_STAGE_SST,
    };
    MR_ASSERT(!mr_wire_is_source(node->kind));
    return node->kind == MR_SITE_POWER_SUBSTATION ? mr_stage_transformer(node->rating_w)
                                                  : stage[node->kind];
}

/* ---- building: nodes and edges grow together, a node's edges right after it ---- */

struct build {
    const struct mr_site *site;
    const struct mr_wire_params *params;
    struct mr_wire *wire;
    struct mr_diags *diags;
    struct mr_circuit_node *node;
    struct mr_circuit_edge *edge;
    size_t n_node, n_edge;
    bool *has_bar;        /* of power nodes: something stands at it */
    bool *has_battery;    /* of power nodes: it carries what hangs on it when it is dark above */
    uint32_t *first_rack; /* of CDU groups; MR_SITE_NONE: none hangs on it */
    struct mr_arena scratch;
    struct mr_err err; /* memory */
};

static struct mr_place place(const struct mr_site *site, struct mr_spot at)
{
    return (struct mr_place){site->path, at.line, at.col};
}

/* "OF.WHAT" in scratch memory; the tree copies it. */
static const char *joined(struct build *b, const char *of, const char *what)
{
    struct mr_buf name = {0};
    mr_buf_printf(&name, "%s.%s", of, what);
    const char *kept = NULL;
    if (mr_buf_check(&name, &b->err) == MR_OK)
        kept = mr_arena_text(&b->scratch, (struct mr_str){name.text, name.n}, &b->err);
    mr_buf_fini(&name);
    return kept != NULL ? kept : of;
}

static uint32_t put(struct build *b, const char *name, int kind, double rating_w)
{
    struct mr_circuit_node *node = &b->node[b->n_node];
    *node = mr_circuit_node_of(name, kind, rating_w);
    node->first_edge = (uint32_t)b->n_edge;
    node->power_factor = b->params->power_factor;
    node->transfer_s = b->params->transfer_s;
    node->may_oversubscribe = true; /* a site's own check looks at loads, not at plates */
    return (uint32_t)b->n_node++;
}

static void feed(struct build *b, uint32_t parent)
{
    b->edge[b->n_edge++] = (struct mr_circuit_edge){parent, 1, never};
    b->node[b->n_node - 1].n_edge++;
}

/* The bars that stand for a list of parents; what stands at a source, or at nothing, is on node 0.
 */
static void feed_from(struct build *b, const uint32_t parent[2])
{
    uint32_t last = MR_CIRCUIT_NONE;
    for (int p = 0; p < 2; p++) {
        if (parent[p] == MR_SITE_NONE)
            continue;
        const bool is_source = mr_wire_is_source(b->site->power[parent[p]].kind);
        const uint32_t bar = is_source ? 0 : b->wire->bar_of[parent[p]];
        if (bar != last)
            feed(b, bar);
        last = bar;
    }
    if (last == MR_CIRCUIT_NONE)
        feed(b, 0);
}

static bool is_dc(const struct build *b, const struct mr_power_node *power, int kind)
{
    if (kind == MR_STAGE_SST)
        return true;
    if (mr_stage_info(kind)->is_converter || power->parent[0] == MR_SITE_NONE)
        return false;
    const struct mr_power_node *up = &b->site->power[power->parent[0]];
    if (mr_wire_is_source(up->kind))
        return up->kind == MR_SITE_POWER_SOLAR || up->kind == MR_SITE_POWER_BESS;
    return b->node[b->wire->of_power[power->parent[0]]].is_dc;
}

static void put_power(struct build *b, uint32_t i)
{
    const struct mr_power_node *power = &b->site->power[i];
    const int kind = mr_wire_stage(power);
    const uint32_t at = put(b, power->name, kind, power->rating_w);
    struct mr_circuit_node *node = &b->node[at];
    node->at = place(b->site, power->at);
    node->units.n_installed = (uint32_t)power->n_unit;
    node->units.n_spare = (uint32_t)power->n_spare;
    node->voltage_v = power->voltage_v;
    node->is_dc = is_dc(b, power, kind);
    if (kind == MR_STAGE_UPS || kind == MR_STAGE_UPS_ECO)
        node->units.staging = b->params->staging;
    feed_from(b, power->parent);
    if (node->n_edge > 1 && !mr_site_power_shares(power->kind))
        node->split = MR_CIRCUIT_TRANSFER; /* one source at a time */
    b->wire->of_power[i] = b->wire->bar_of[i] = at;
    if (node->voltage_v > 0 && b->params->breaker != MR_BREAKER_NONE) {
        node->breaker =
            mr_breaker_of(b->params->breaker,
                          power->rating_w * mr_circuit_amp_per_w(node) * b->params->breaker_frac);
        node->breaker.tau_s = b->params->breaker_tau_s;
    }
    if (!b->has_bar[i])
        return;
    b->wire->bar_of[i] = put(b, joined(b, power->name, "bar"), MR_STAGE_NONE, never);
    b->node[b->n_node - 1].voltage_v = power->voltage_v;
    b->node[b->n_node - 1].is_dc = b->node[at].is_dc;
    feed(b, at);
}

static void put_rack(struct build *b, uint32_t i)
{
    const struct mr_rack *rack = &b->site->rack[i];
    const uint32_t at =
        put(b, rack->name, MR_STAGE_NONE, rack->limit_w > 0 ? rack->limit_w : never);
    b->node[at].at = place(b->site, rack->at);
    b->node[at].is_load = true;
    b->node[at].split = rack->has_standby ? MR_CIRCUIT_TRANSFER : b->params->feeds;
    feed_from(b, rack->feed);
    b->wire->of_rack[i] = at;
}

/* The low voltage of a hall: what its racks' panels hang on, without the UPS where that can be. */
static uint32_t hall_bar(const struct build *b, uint32_t hall)
{
    static const int wanted[] = {MR_SITE_POWER_UNIT, MR_SITE_POWER_LV, MR_SITE_POWER_MV};
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
        for (size_t i = 0; i < b->site->n_power; i++)
            if (b->site->power[i].hall == hall && b->site->power[i].kind == wanted[k])
                return b->wire->bar_of[i];
    return 0;
}

static uint32_t put_house(struct build *b, const char *of, uint32_t bar)
{
    const uint32_t at = put(b, joined(b, of, "house"), MR_STAGE_NONE, never);
    feed(b, bar);
    return at;
}

/* The node with a battery at or above a power node, along first parents; MR_SITE_NONE: none. */
static uint32_t backed_by(const struct build *b, uint32_t power)
{
    while (power != MR_SITE_NONE && !b->has_battery[power])
        power = b->site->power[power].parent[0];
    return power;
}

static void put_pumps(struct build *b, uint32_t i)
{
    const struct mr_cdu *cdu = &b->site->cdu[i];
    const uint32_t rack = b->params->backs_pumps ? b->first_rack[i] : MR_SITE_NONE;
    const uint32_t at = put(b, joined(b, cdu->name, "pumps"), MR_STAGE_NONE, never);
    uint32_t parent[2] = {MR_SITE_NONE, MR_SITE_NONE};
    for (int p = 0; p < 2 && rack != MR_SITE_NONE; p++)
        parent[p] = backed_by(b, b->site->rack[rack].feed[p]);
    if (parent[0] != MR_SITE_NONE || parent[1] != MR_SITE_NONE) {
        feed_from(b, parent);
        b->node[at].split =
            b->site->rack[rack].has_standby ? MR_CIRCUIT_TRANSFER : b->params->feeds;
    } else {
        const uint32_t house =
            cdu->hall < b->site->n_hall ? b->wire->of_hall[cdu->hall] : b->wire->house;
        feed(b, b->edge[b->node[house].first_edge].parent);
    }
    b->wire->of_cdu[i] = at;
}

static void put_all(struct build *b, const uint32_t *order, size_t n)
{
    const struct mr_site *site = b->site;
    const bool is_island = site->grid.interconnect == MR_SITE_GRID_ISLAND;
    put(b, is_island ? "island" : "grid", MR_STAGE_NONE,
        site->grid.limit_w > 0 ? site->grid.limit_w : never);
    for (size_t k = n; k-- > 0;) /* parents first */
        if (!mr_wire_is_source(site->power[order[k]].kind))
            put_power(b, order[k]);
    for (uint32_t i = 0; i < site->n_rack; i++)
        put_rack(b, i);
    for (uint32_t i = 0; i < site->n_hall; i++)
        b->wire->of_hall[i] = put_house(b, site->hall[i].name, hall_bar(b, i));
    b->wire->house = put_house(b, site->name, 0);
    for (uint32_t i = 0; i < site->n_cdu && b->params->has_pumps; i++)
        put_pumps(b, i);
}

/* What pumps hang on. */
static bool look_for_batteries(struct build *b)
{
    const struct mr_site *site = b->site;
    b->wire->of_cdu = mr_arena_zero(&b->wire->arena, site->n_cdu, sizeof(uint32_t), &b->err);
    b->has_battery = mr_arena_zero(&b->scratch, site->n_power, sizeof *b->has_battery, &b->err);
    b->first_rack = mr_arena_zero(&b->scratch, site->n_cdu, sizeof *b->first_rack, &b->err);
    if (b->wire->of_cdu == NULL || b->has_battery == NULL || b->first_rack == NULL)
        return false;
    for (size_t i = 0; i < site->n_power; i++) {
        const struct mr_power_node *power = &site->power[i];
        b->has_battery[i] |=
            power->kind == MR_SITE_POWER_UPS || power->kind == MR_SITE_POWER_UPS_ECO;
        for (int p = 0; p < 2; p++)
            if (power->kind == MR_SITE_POWER_BBU && power->parent[p] != MR_SITE_NONE)
                b->has_battery[power->parent[p]] = true;
    }
    for (size_t i = 0; i < site->n_cdu; i++)
        b->first_rack[i] = MR_SITE_NONE;
    for (size_t i = site->n_rack; i-- > 0;)
        if (site->rack[i].cdu < site->n_cdu)
            b->first_rack[site->rack[i].cdu] = (uint32_t)i;
    return true;
}

static bool allocate(struct build *b, uint32_t **order, uint32_t **n_child, struct mr_err *err)
{
    const struct mr_site *site = b->site;
    struct mr_wire *wire = b->wire;
    const size_t cap = 2 + 2 * site->n_power + site->n_rack + site->n_hall + site->n_cdu;
    wire->of_power = mr_arena_zero(&wire->arena, site->n_power, sizeof(uint32_t), err);
    wire->bar_of = mr_arena_zero(&wire->arena, site->n_power, sizeof(uint32_t), err);
    wire->of_rack = mr_arena_zero(&wire->arena, site->n_rack, sizeof(uint32_t), err);
    wire->of_hall = mr_arena_zero(&wire->arena, site->n_hall, sizeof(uint32_t), err);
    b->node = mr_arena_zero(&b->scratch, cap, sizeof *b->node, err);
    b->edge = mr_arena_zero(&b->scratch, 2 * cap, sizeof *b->edge, err);
    b->has_bar = mr_arena_zero(&b->scratch, site->n_power, sizeof *b->has_bar, err);
    *order = mr_arena_zero(&b->scratch, site->n_power, sizeof(uint32_t), err);
    *n_child = mr_arena_zero(&b->scratch, site->n_power, sizeof(uint32_t), err);
    return wire->of_power != NULL && wire->bar_of != NULL && wire->of_rack != NULL &&
           wire->of_hall != NULL && b->node != NULL && b->edge != NULL && b->has_bar != NULL &&
           *order != NULL && *n_child != NULL;
}

static mr_status build(struct build *b)
{
    const struct mr_site *site = b->site;
    uint32_t *order, *n_child;
    if (!allocate(b, &order, &n_child, &b->err) || (b->params->has_pumps && !look_for_batteries(b)))
        return mr_diags_add_err(b->diags, MR_SEVERITY_ERROR, &b->err);
    const size_t n = mr_site_power_order(site, order, n_child);
    if (n < site->n_power)
        return mr_diags_add(
            b->diags, MR_SEVERITY_ERROR, MR_SCHEMA, MR_NOWHERE,
            "site \"%s\": a power node feeds itself in a circle (parents must point "
            "towards the grid)",
            site->name);
    for (size_t i = 0; i < site->n_power; i++) {
        const struct mr_power_node *power = &site->power[i];
        b->wire->of_power[i] = b->wire->bar_of[i] = MR_CIRCUIT_NONE;
        if (power->rating_w <= 0 && !mr_wire_is_source(power->kind))
            return mr_diags_add(b->diags, MR_SEVERITY_ERROR, MR_RANGE, place(site, power->at),
                                "%s \"%s\": rating 0 W: losses are computed from it (give one)",
                                mr_site_power_kind_name(power->kind), power->name);
        for (int p = 0; p < 2; p++)
            if (mr_wire_is_source(power->kind) && power->parent[p] != MR_SITE_NONE)
                b->has_bar[power->parent[p]] = true;
    }
    put_all(b, order, n);
    if (b->err.status != MR_OK)
        return mr_diags_add_err(b->diags, MR_SEVERITY_ERROR, &b->err);
    return mr_circuit_create(b->node, b->n_node, b->edge, b->n_edge, b->params->holdup_s,
                             &b->wire->tree, b->diags);
}

mr_status mr_wire_of(const struct mr_site *site, const struct mr_wire_params *params,
                     struct mr_wire *wire, struct mr_diags *diags)
{
    struct build b = {.site = site, .params = params, .wire = wire, .diags = diags};
    *wire = (struct mr_wire){.site = site};
    const mr_status st = build(&b);
    mr_arena_fini(&b.scratch);
    if (st != MR_OK)
        mr_wire_fini(wire);
    return st;
}

void mr_wire_fini(struct mr_wire *wire)
{
    mr_circuit_destroy(wire->tree);
    mr_arena_fini(&wire->arena);
    *wire = (struct mr_wire){0};
}

/* ---- cooling ---- */

static double liquid_w(const struct mr_rack *rack)
{
    return (rack->rated_w > 0 ? rack->rated_w : rack->limit_w) * rack->liquid_frac;
}

/* What one rack's share of its CDU's spare capacity lets it draw more; INFINITY: it has none. */
static double room_w(const struct mr_site *site, const struct mr_rack *rack)
{
    if (rack->cdu == MR_SITE_NONE || !(rack->liquid_frac > 0))
        return never;
    const struct mr_cdu *cdu = &site->cdu[rack->cdu];
    double spare_w = (double)(cdu->n_unit - cdu->n_spare) * cdu->capacity_w;
    double n_rack = 0;
    for (uint32_t i = 0; i < site->n_rack; i++)
        if (site->rack[i].cdu == rack->cdu) {
            spare_w -= liquid_w(&site->rack[i]);
            n_rack++;
        }
    return fmax(0, spare_w) / n_rack / rack->liquid_frac;
}

void mr_wire_cooling(const struct mr_wire *wire, const struct mr_site *site, double *cooling_w)
{
    const struct mr_circuit *tree = wire->tree;
    double spare_w = 0;
    uint32_t cdu = MR_SITE_NONE;
    for (size_t i = 0; i < tree->n_node; i++)
        cooling_w[i] = -1;
    for (uint32_t i = 0; i < site->n_rack; i++) {
        const struct mr_circuit_node *node = &tree->node[wire->of_rack[i]];
        if (i == 0 || site->rack[i].cdu != cdu ||
            site->rack[i].liquid_frac != site->rack[i - 1].liquid_frac)
            spare_w = room_w(site, &site->rack[i]); /* racks of a CDU stand together */
        cdu = site->rack[i].cdu;
        for (uint32_t e = node->first_edge; e < node->first_edge + node->n_edge; e++) {
            double *at_w = &cooling_w[tree->edge[e].parent];
            *at_w = fmax(0, *at_w) + spare_w / node->n_edge;
        }
    }
    for (size_t i = 0; i < tree->n_node; i++)
        cooling_w[i] = cooling_w[i] < 0 ? never : cooling_w[i];
}
