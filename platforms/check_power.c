/* SPDX-License-Identifier: Apache-2.0 */
/* Loads of the power tree. A rack's limit is shared by its feeds, a node's load by its parents;
 * with one of two feeds lost the other carries all. */
#include "engine/base/arena.h"
#include "platforms/check_impl.h"
#include "platforms/meter.h"

struct loads {
    double *normal_w; /* of every power node */
    double *failed_w; /* with the other feed of every two-feed load lost */
    uint32_t *n_child;
    uint32_t *order;
};

static void add_load(struct loads *l, const uint32_t parent[2], double normal_w, double failed_w)
{
    const bool has_two = parent[0] != MR_SITE_NONE && parent[1] != MR_SITE_NONE;
    for (int p = 0; p < 2; p++)
        if (parent[p] != MR_SITE_NONE) {
            l->normal_w[parent[p]] += has_two ? normal_w / 2 : normal_w;
            l->failed_w[parent[p]] += failed_w;
        }
}

/* @return nodes that were reached: the rest feed themselves in a circle */
static size_t spread_loads(const struct mr_site *site, struct loads *l)
{
    const size_t n = mr_site_power_order(site, l->order, l->n_child);
    for (size_t i = 0; i < site->n_rack; i++)
        add_load(l, site->rack[i].feed, site->rack[i].limit_w, site->rack[i].limit_w);
    for (size_t i = 0; i < n; i++) /* two parents feed one node: each may have to carry all of it */
        add_load(l, site->power[l->order[i]].parent, l->normal_w[l->order[i]],
                 l->failed_w[l->order[i]]);
    return n;
}

static bool is_source(int kind)
{
    return kind == MR_SITE_POWER_GENERATOR || kind == MR_SITE_POWER_TURBINE ||
           kind == MR_SITE_POWER_SOLAR || kind == MR_SITE_POWER_BESS || kind == MR_SITE_POWER_BBU;
}

static void check_node(const struct mr_check *c, const struct mr_power_node *node,
                       const struct loads *l, size_t i)
{
    struct mr_check_texts t = {0};
    const double in_service = mr_check_capacity(node->rating_w, node->n_unit, node->n_spare);
    const double installed = node->rating_w * (double)node->n_unit;
    const char *kind = mr_site_power_kind_name(node->kind);
    if (is_source(node->kind))
        return;
    if (mr_check_exceeds(l->normal_w[i], in_service)) {
        mr_check_tell(
            c, MR_SEVERITY_ERROR, node->at, kind, node->name,
            "carries %s but has %s in service (add a unit, move racks, or lower their limits)",
            mr_check_shown(&t, l->normal_w[i], MR_Q_POWER),
            mr_check_shown(&t, in_service, MR_Q_POWER));
    } else if (mr_check_exceeds(l->failed_w[i], installed)) {
        mr_check_tell(
            c, MR_SEVERITY_WARNING, node->at, kind, node->name,
            "would carry %s when the other feed fails, %s are installed (no full redundancy)",
            mr_check_shown(&t, l->failed_w[i], MR_Q_POWER),
            mr_check_shown(&t, installed, MR_Q_POWER));
    }
}

/* One panel or busway stands alone: no rack may need more than it has, not even by way of a
 * sidecar. Other stages share their bars. */
static void check_feed(const struct mr_check *c, const struct mr_rack *rack, uint32_t feed)
{
    const struct mr_site *site = c->site;
    struct mr_check_texts t = {0};
    const struct mr_power_node *node = &site->power[feed];
    if (node->kind == MR_SITE_POWER_SIDECAR && node->parent[0] != MR_SITE_NONE &&
        !mr_check_exceeds(rack->limit_w, node->rating_w * (double)node->n_unit))
        node = &site->power[node->parent[0]];
    if (is_source(node->kind) || !mr_check_exceeds(rack->limit_w, node->rating_w))
        return;
    mr_check_tell(c, MR_SEVERITY_ERROR, rack->at, "rack", rack->name,
                  "%s on %s \"%s\" of %s (no single rack may exceed what feeds it: use a busway or "
                  "sidecar of %s or more)",
                  mr_check_shown(&t, rack->limit_w, MR_Q_POWER),
                  mr_site_power_kind_name(node->kind), node->name,
                  mr_check_shown(&t, node->rating_w, MR_Q_POWER),
                  mr_check_shown(&t, rack->limit_w, MR_Q_POWER));
}

static void check_feeds(const struct mr_check *c)
{
    for (size_t i = 0; i < c->site->n_rack; i++)
        for (int f = 0; f < 2; f++)
            if (c->site->rack[i].feed[f] != MR_SITE_NONE)
                check_feed(c, &c->site->rack[i], c->site->rack[i].feed[f]);
}

/* What stands in when the grid is lost must carry what it stands behind until the next one does:
 * batteries until generators have started. */
static void check_backup(const struct mr_check *c, const struct loads *l, double racks_w)
{
    const double start_s = 10;
    const struct mr_site *site = c->site;
    struct mr_check_texts t = {0};
    double generator_w = 0;
    const struct mr_power_node *generator = NULL;
    for (size_t i = 0; i < site->n_power; i++) {
        const struct mr_power_node *node = &site->power[i];
        if (node->kind == MR_SITE_POWER_GENERATOR) {
            generator_w += node->rating_w * (double)node->n_unit;
            generator = generator == NULL ? node : generator;
        }
        if (node->kind != MR_SITE_POWER_BBU || node->parent[0] == MR_SITE_NONE)
            continue;
        const double load_w = l->normal_w[node->parent[0]];
        const double power_w = node->rating_w * (double)node->n_unit;
        if (mr_check_exceeds(load_w, power_w) || mr_check_exceeds(load_w * start_s, node->energy_j))
            mr_check_tell(c, MR_SEVERITY_WARNING, node->at, "bbu", node->name,
                          "%s and %s behind %s: not enough until generators start (%.0f s)",
                          mr_check_shown(&t, power_w, MR_Q_POWER),
                          mr_check_shown(&t, node->energy_j, MR_Q_ENERGY),
                          mr_check_shown(&t, load_w, MR_Q_POWER), start_s);
    }
    if (generator != NULL && mr_check_exceeds(racks_w, generator_w))
        mr_check_tell(c, MR_SEVERITY_WARNING, generator->at, "generator", generator->name,
                      "%s of generators for %s of racks: not all of them run without the grid",
                      mr_check_shown(&t, generator_w, MR_Q_POWER),
                      mr_check_shown(&t, racks_w, MR_Q_POWER));
}

/* Racks alone over the limit are an error. With losses and cooling, which are estimates, over it by
 * more than the estimate's own doubt, a warning. */
static mr_status check_grid(const struct mr_check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    const double doubt = 1.01;
    struct mr_check_texts t = {0};
    struct mr_meter meter;
    const bool is_island = site->grid.interconnect == MR_SITE_GRID_ISLAND;
    double onsite_w = 0; /* the sun counts where there is nothing else */
    for (size_t i = 0; i < site->n_power; i++)
        if (site->power[i].kind == MR_SITE_POWER_TURBINE ||
            (site->power[i].kind == MR_SITE_POWER_SOLAR && is_island))
            onsite_w += site->power[i].rating_w * (double)site->power[i].n_unit;
    const double limit_w = site->grid.limit_w + onsite_w;
    if (!site->has_props)
        return MR_OK; /* the reader has said that there is no power */
    if (site->grid.limit_w <= 0 && !is_island) {
        mr_check_tell(c, MR_SEVERITY_WARNING, site->grid.at, "grid of", site->name,
                      "no limit of the connection is stated (grid limit; interconnect=island when "
                      "there is none)");
        return MR_OK;
    }
    MR_TRY(mr_meter_estimate(site, &meter, err));
    const double total_w = mr_meter_total_w(&meter);
    if (mr_check_exceeds(meter.rack_w, limit_w)) {
        mr_check_tell(c, MR_SEVERITY_ERROR, site->grid.at, "grid of", site->name,
                      "racks may draw %s, the grid connection and what stands on the site give %s "
                      "(lower the racks' limits, take racks out, or raise the limit)",
                      mr_check_shown(&t, meter.rack_w, MR_Q_POWER),
                      mr_check_shown(&t, limit_w, MR_Q_POWER));
    } else if (mr_check_exceeds(total_w, limit_w * doubt)) {
        mr_check_tell(c, MR_SEVERITY_WARNING, site->grid.at, "grid of", site->name,
                      "racks may draw %s, with losses of the chain (%s) and cooling (%s) about %s; "
                      "the grid connection and what stands on the site give %s",
                      mr_check_shown(&t, meter.rack_w, MR_Q_POWER),
                      mr_check_shown(&t, meter.chain_w, MR_Q_POWER),
                      mr_check_shown(&t, meter.cooling_w, MR_Q_POWER),
                      mr_check_shown(&t, total_w, MR_Q_POWER),
                      mr_check_shown(&t, limit_w, MR_Q_POWER));
    }
    return MR_OK;
}

mr_status mr_check_power(const struct mr_check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    const size_t n = site->n_power;
    struct mr_arena arena = {0};
    struct loads l = {.normal_w = mr_arena_zero(&arena, n, sizeof(double), err),
                      .failed_w = mr_arena_zero(&arena, n, sizeof(double), err),
                      .n_child = mr_arena_zero(&arena, n, sizeof(uint32_t), err),
                      .order = mr_arena_zero(&arena, n, sizeof(uint32_t), err)};
    if (l.normal_w == NULL || l.failed_w == NULL || l.n_child == NULL || l.order == NULL) {
        mr_arena_fini(&arena);
        return MR_NOMEM;
    }
    const bool is_tree = spread_loads(site, &l) == n;
    if (!is_tree) {
        size_t i = 0;
        while (l.n_child[i] == 0)
            i++;
        mr_check_tell(c, MR_SEVERITY_ERROR, site->power[i].at,
                      mr_site_power_kind_name(site->power[i].kind), site->power[i].name,
                      "feeds itself in a circle (parents must point towards the grid)");
    } else {
        double racks_w = 0;
        for (size_t i = 0; i < site->n_rack; i++)
            racks_w += site->rack[i].limit_w;
        for (size_t i = 0; i < n; i++)
            check_node(c, &site->power[i], &l, i);
        check_backup(c, &l, racks_w);
    }
    mr_arena_fini(&arena);
    check_feeds(c);
    return is_tree ? check_grid(c, err) : MR_OK;
}
