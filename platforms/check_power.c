/* SPDX-License-Identifier: Apache-2.0 */
/* Loads of the power tree (feeds.h), when all is well and with one node lost, against what is
 * installed; what stands in when the grid is lost; the contract. */
#include "platforms/check_impl.h"
#include "platforms/feeds.h"
#include "platforms/meter.h"

#include <math.h>
#include <stdio.h>

static bool is_source(int kind)
{
    return kind == MR_SITE_POWER_GENERATOR || kind == MR_SITE_POWER_TURBINE ||
           kind == MR_SITE_POWER_SOLAR || kind == MR_SITE_POWER_BESS || kind == MR_SITE_POWER_BBU;
}

static void check_node(const struct mr_check *c, const struct mr_power_node *node,
                       const struct mr_feeds *l, size_t i)
{
    struct mr_check_texts t = {0};
    const double in_service = mr_check_capacity(node->rating_w, node->n_unit, node->n_spare);
    const double ratio = fmax(1, node->oversubscribe);
    const double installed = node->rating_w * (double)node->n_unit * ratio;
    const char *kind = mr_site_power_kind_name(node->kind);
    if (is_source(node->kind)) {
        if (ratio > 1)
            mr_check_tell(c, MR_SEVERITY_ERROR, node->at, kind, node->name,
                          "oversubscribe %g: sources cannot be (what stands behind them can)",
                          ratio);
        return;
    }
    if (mr_check_exceeds(l->normal_w[i], mr_site_power_grants_w(node))) {
        char times[48] = "";
        if (ratio > 1)
            (void)snprintf(times, sizeof times, ", oversubscribed %g : 1 at most", ratio);
        mr_check_tell(c, MR_SEVERITY_ERROR, node->at, kind, node->name,
                      "carries %s but has %s in service%s (add a unit, move racks, lower their "
                      "limits, or let caps keep it: oversubscribe)",
                      mr_check_shown(&t, l->normal_w[i], MR_Q_POWER),
                      mr_check_shown(&t, in_service, MR_Q_POWER), times);
    } else if (mr_check_exceeds(l->failed_w[i], installed)) {
        mr_check_tell(c, MR_SEVERITY_WARNING, node->at, kind, node->name,
                      "would carry %s when %s \"%s\" fails, %s are installed (no full redundancy)",
                      mr_check_shown(&t, l->failed_w[i], MR_Q_POWER),
                      mr_site_power_kind_name(c->site->power[l->failure[i]].kind),
                      c->site->power[l->failure[i]].name,
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
static void check_backup(const struct mr_check *c, const struct mr_feeds *l, double racks_w)
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

static bool is_island(const struct mr_site *site)
{
    return site->grid.interconnect == MR_SITE_GRID_ISLAND;
}

/* What feeds a site for long: the sun counts where there is nothing else. */
static double feeds_w(const struct mr_site *site)
{
    double sum_w = site->grid.limit_w;
    for (size_t i = 0; i < site->n_power; i++)
        if (site->power[i].kind == MR_SITE_POWER_TURBINE ||
            (site->power[i].kind == MR_SITE_POWER_SOLAR && is_island(site)))
            sum_w += site->power[i].rating_w * (double)site->power[i].n_unit;
    return sum_w;
}

static double all_racks_w(const struct mr_site *site)
{
    double sum_w = 0;
    for (size_t i = 0; i < site->n_rack; i++)
        sum_w += site->rack[i].limit_w;
    return sum_w;
}

/* What oversubscription means can be asked: caps and rests keep the contract. On an island where
 * nothing stands nobody keeps anything. */
bool mr_check_contract(const struct mr_site *site, struct mr_diags *diags)
{
    const struct mr_check c = {site, diags};
    const double limit_w = feeds_w(site);
    struct mr_check_texts t = {0};
    if (!site->has_props || (site->grid.limit_w <= 0 && !is_island(site)) ||
        !mr_check_exceeds(all_racks_w(site), limit_w))
        return false;
    mr_check_tell(&c, limit_w > 0 ? MR_SEVERITY_WARNING : MR_SEVERITY_ERROR, site->grid.at,
                  "grid of", site->name,
                  "racks may draw %s, the grid connection and what stands on the site give %s: "
                  "caps hold them to it, and racks rest where lowest caps do not fit (lower the "
                  "racks' limits, take racks out, or raise the limit)",
                  mr_check_shown(&t, all_racks_w(site), MR_Q_POWER),
                  mr_check_shown(&t, limit_w, MR_Q_POWER));
    return true;
}

/* Racks alone over the limit are told so. With losses and cooling, which are estimates, over it by
 * more than the estimate's own doubt, what these are. */
static mr_status check_grid(const struct mr_check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    const double doubt = 1.01;
    struct mr_check_texts t = {0};
    struct mr_meter meter;
    if (!site->has_props)
        return MR_OK; /* the reader has said that there is no power */
    if (site->grid.limit_w <= 0 && !is_island(site)) {
        mr_check_tell(c, MR_SEVERITY_WARNING, site->grid.at, "grid of", site->name,
                      "no limit of the connection is stated (grid limit; interconnect=island when "
                      "there is none)");
        return MR_OK;
    }
    MR_TRY(mr_meter_estimate(site, 1, &meter, err));
    const double total_w = mr_meter_total_w(&meter), limit_w = feeds_w(site);
    if (!mr_check_contract(site, c->diags) && mr_check_exceeds(total_w, limit_w * doubt))
        mr_check_tell(c, MR_SEVERITY_WARNING, site->grid.at, "grid of", site->name,
                      "racks may draw %s, with losses of the chain (%s) and cooling (%s) about %s; "
                      "the grid connection and what stands on the site give %s",
                      mr_check_shown(&t, meter.rack_w, MR_Q_POWER),
                      mr_check_shown(&t, meter.chain_w, MR_Q_POWER),
                      mr_check_shown(&t, meter.cooling_w, MR_Q_POWER),
                      mr_check_shown(&t, total_w, MR_Q_POWER),
                      mr_check_shown(&t, limit_w, MR_Q_POWER));
    return MR_OK;
}

/* Units that are far too large lose more than they carry: iron and housekeeping go with ratings, at
 * no load. Full redundancy of units that fit takes some 2.5 %. */
void mr_check_standing(const struct mr_site *site, struct mr_diags *diags)
{
    const struct mr_check c = {site, diags};
    const double most_frac = 0.05;
    const struct mr_power_node *worst = NULL;
    const double most_w = all_racks_w(site);
    double sum_w = 0, worst_w = 0;
    struct mr_check_texts t = {0};
    for (size_t i = 0; i < site->n_power; i++) {
        const struct mr_power_node *node = &site->power[i];
        const double standing_w = mr_site_power_loss(node->kind, node->rating_w).standing *
                                  node->rating_w * (double)node->n_unit;
        if (is_source(node->kind) || !(standing_w > 0))
            continue;
        sum_w += standing_w;
        worst = standing_w > worst_w ? node : worst;
        worst_w = fmax(worst_w, standing_w);
    }
    if (worst == NULL || !(most_w > 0) || !(sum_w > most_frac * most_w))
        return;
    mr_check_tell(
        &c, MR_SEVERITY_WARNING, worst->at, mr_site_power_kind_name(worst->kind), worst->name,
        "%llu units of %s lose %s at no load; all units of the chain lose %s, %.3g %% of "
        "the racks' %s (state smaller ratings, or none)",
        (unsigned long long)worst->n_unit, mr_check_shown(&t, worst->rating_w, MR_Q_POWER),
        mr_check_shown(&t, worst_w, MR_Q_POWER), mr_check_shown(&t, sum_w, MR_Q_POWER),
        100 * sum_w / most_w, mr_check_shown(&t, most_w, MR_Q_POWER));
}

mr_status mr_check_power(const struct mr_check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    struct mr_feeds feeds;
    mr_status st = mr_feeds_of(site, &feeds, err);
    const bool is_tree = st == MR_OK && feeds.circle == MR_SITE_NONE;
    if (st == MR_OK && !is_tree) {
        const struct mr_power_node *node = &site->power[feeds.circle];
        mr_check_tell(c, MR_SEVERITY_ERROR, node->at, mr_site_power_kind_name(node->kind),
                      node->name, "feeds itself in a circle (parents must point towards the grid)");
    } else if (is_tree) {
        for (size_t i = 0; i < site->n_power; i++)
            check_node(c, &site->power[i], &feeds, i);
        check_backup(c, &feeds, all_racks_w(site));
        mr_check_standing(site, c->diags);
    }
    mr_feeds_fini(&feeds);
    if (st != MR_OK)
        return st;
    check_feeds(c);
    return is_tree ? check_grid(c, err) : MR_OK;
}
