/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over a site and their three forms: text, JSON, graph.
 * Bisection: the site is a tree above its racks (a rack hangs on a row, a row on a hall, a hall on
 * the core), so half against half is bounded by half the sum of the narrowest level's uplinks. */
#include "platforms/summary.h"

#include "engine/base/unit.h"
#include "platforms/feeds.h"

#include <math.h>
#include <stdio.h>

static const char *known(const char *text)
{
    return text != NULL ? text : "";
}

static void count_card(struct mr_summary *s, const struct mr_rack *rack)
{
    const char *card = known(rack->card), *package = known(rack->package);
    size_t i = 0;
    const size_t kept = s->n_card < MR_SUMMARY_CARDS ? s->n_card : MR_SUMMARY_CARDS;
    while (i < kept &&
           (strcmp(s->card[i].card, card) != 0 || strcmp(s->card[i].package, package) != 0))
        i++;
    if (i == kept) {
        s->n_card++;
        if (i == MR_SUMMARY_CARDS)
            return;
        s->card[i] = (struct mr_summary_card){.card = card, .package = package};
    }
    s->card[i].n_rack++;
    s->card[i].n_package += rack->n_package;
    s->card[i].memory_bytes += rack->memory_bytes;
    s->card[i].rated_w += rack->rated_w;
    s->card[i].granted_w += rack->limit_w;
}

static void count_racks(const struct mr_site *site, struct mr_summary *s)
{
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        s->n_cpu += rack->n_cpu;
        s->n_port += rack->n_port;
        s->memory_bytes += rack->memory_bytes;
        s->flop_s += rack->flop_s * rack->n_package;
        s->rated_w += rack->rated_w;
        s->max_q_w += rack->max_q_w;
        s->granted_w += rack->limit_w;
        s->liquid_w += rack->limit_w * rack->liquid_frac;
        s->air_w += rack->limit_w * (1 - rack->liquid_frac);
        s->flow_m3_s += rack->flow_m3_s;
        s->mass_kg += rack->mass_kg;
        s->scaleout_bytes_s += (double)rack->n_port * rack->port_bytes_s;
        s->n_rack_two_feeds += rack->feed[0] != MR_SITE_NONE && rack->feed[1] != MR_SITE_NONE;
        count_card(s, rack);
    }
}

/* Units needed at full load, and those beyond. */
static double in_service(double each, uint64_t n_unit, uint64_t n_spare)
{
    return each * (double)(n_unit > n_spare ? n_unit - n_spare : 0);
}

static void count_plant(const struct mr_site *site, struct mr_summary *s)
{
    for (size_t i = 0; i < site->n_cdu; i++) {
        const struct mr_cdu *cdu = &site->cdu[i];
        s->cdu_w += in_service(cdu->capacity_w, cdu->n_unit, cdu->n_spare);
        s->cdu_spare_w += cdu->capacity_w * (double)cdu->n_spare;
    }
    for (size_t i = 0; i < site->n_rejector; i++) {
        const struct mr_rejector *unit = &site->rejector[i];
        const bool is_crah = unit->kind == MR_SITE_REJECT_CRAH;
        *(is_crah ? &s->crah_w : &s->rejection_w) +=
            in_service(unit->capacity_w, unit->n_unit, unit->n_spare);
        *(is_crah ? &s->crah_spare_w : &s->rejection_spare_w) +=
            unit->capacity_w * (double)unit->n_spare;
    }
    for (size_t i = 0; i < site->n_power; i++) {
        const struct mr_power_node *node = &site->power[i];
        s->n_power[node->kind] += node->n_unit;
        s->n_spare[node->kind] += node->n_spare;
        s->power_w[node->kind] += in_service(node->rating_w, node->n_unit, node->n_spare);
    }
}

/* With every rack at its limit and nothing lost. */
static mr_status count_oversubscribed(const struct mr_site *site, struct mr_summary *s,
                                      struct mr_err *err)
{
    const double rounding = 1e-9;
    struct mr_feeds feeds;
    const mr_status st = mr_feeds_of(site, &feeds, err);
    for (size_t i = 0; i < site->n_power && st == MR_OK && feeds.circle == MR_SITE_NONE; i++) {
        const struct mr_power_node *node = &site->power[i];
        const double has_w = in_service(node->rating_w, node->n_unit, node->n_spare);
        if (!(node->oversubscribe > 1) || !(feeds.normal_w[i] > has_w * (1 + rounding)))
            continue;
        const double ratio = feeds.normal_w[i] / has_w;
        if (s->n_oversubscribed++ == 0 || ratio > s->oversubscription) {
            s->oversubscription = ratio;
            s->oversubscribed = (uint32_t)i;
        }
    }
    mr_feeds_fini(&feeds);
    return st;
}

/* Depth of a zone below the root, which is 1. */
static int depth_of(const struct mr_site *site, uint32_t zone)
{
    int depth = 0;
    for (; zone != MR_SITE_NONE; zone = site->zone[zone].parent)
        depth++;
    return depth;
}

static double narrowest_of(const struct mr_site *site, const struct mr_route *route)
{
    const struct mr_route_link *hop = &site->route_link[route->first_link];
    double narrowest = HUGE_VAL;
    for (uint32_t i = 0; i < route->n_link; i++)
        narrowest = fmin(narrowest, site->link[hop[i].link].bandwidth_bytes_s);
    return narrowest;
}

enum {
    depth_max = 3 /* site, hall, row */
};

/* Zones of one depth leave their parent with `level` in sum. A level with a single child divides
 * nothing: what is below it must be cut. */
static double bisection(const struct mr_site *site, double scaleout_bytes_s)
{
    double level[depth_max + 1] = {0}, narrowest = scaleout_bytes_s;
    size_t n_child[depth_max + 1] = {0};
    if (site->n_rack < 2)
        return 0;
    for (size_t r = 0; r < site->n_route; r++) {
        const struct mr_route *route = &site->route[r];
        const int depth = depth_of(site, route->zone);
        if (depth > depth_max || route->gw_src[0] == '\0' || route->n_link == 0)
            continue;
        level[depth] += narrowest_of(site, route);
        n_child[depth]++;
    }
    for (int depth = 1; depth <= depth_max; depth++)
        if (n_child[depth] > 1 && (narrowest == 0 || level[depth] < narrowest))
            narrowest = level[depth];
    return narrowest / 2;
}

mr_status mr_summary_of(const struct mr_site *site, struct mr_summary *s, struct mr_diags *diags,
                        struct mr_err *err)
{
    *s = (struct mr_summary){.n_hall = site->n_hall,
                             .n_row = site->n_row,
                             .n_rack = site->n_rack,
                             .n_package = site->n_package,
                             .n_domain = site->n_domain,
                             .n_pod = site->n_pod,
                             .n_zone = site->n_zone,
                             .n_host = site->n_host,
                             .n_link = site->n_link,
                             .grid_limit_w = site->grid.limit_w};
    count_racks(site, s);
    count_plant(site, s);
    s->bisection_bytes_s = bisection(site, s->scaleout_bytes_s);
    MR_TRY(mr_network_of(site, &s->network, diags));
    MR_TRY(count_oversubscribed(site, s, err));
    struct mr_err circle = {0}; /* the checks tell where */
    const mr_status st = mr_meter_estimate(site, 1, &s->meter, &circle);
    if (st == MR_NOMEM && err != NULL)
        *err = circle;
    return st == MR_NOMEM ? st : MR_OK;
}

/* ---- text ---- */

static void line(struct mr_buf *out, const char *what, double value, enum mr_quantity q,
                 const char *more)
{
    char text[MR_UNIT_CAP];
    mr_unit_human(value, q, 4, text);
    mr_buf_printf(out, "%-22s %s%s\n", what, text, more);
}

static void print_cards(const struct mr_summary *s, struct mr_buf *out)
{
    for (size_t i = 0; i < s->n_card && i < MR_SUMMARY_CARDS; i++) {
        char rated[MR_UNIT_CAP], granted[MR_UNIT_CAP];
        mr_unit_human(s->card[i].rated_w, MR_Q_POWER, 4, rated);
        mr_unit_human(s->card[i].granted_w, MR_Q_POWER, 4, granted);
        mr_buf_printf(
            out, "  %-20s %6llu racks %8llu %-14s rated %-10s granted %s\n",
            s->card[i].card[0] != '\0' ? s->card[i].card : "(no card)",
            (unsigned long long)s->card[i].n_rack, (unsigned long long)s->card[i].n_package,
            s->card[i].package[0] != '\0' ? s->card[i].package : "packages", rated, granted);
    }
    if (s->n_card > MR_SUMMARY_CARDS)
        mr_buf_printf(out, "  and %zu more products\n", s->n_card - MR_SUMMARY_CARDS);
}

static const char *const layers[MR_NETWORK_LAYERS] = {"leaf switches", "spine switches",
                                                      "core switches"};

static void print_network(const struct mr_network *network, struct mr_buf *out)
{
    char watts[MR_UNIT_CAP];
    for (int i = 0; i < MR_NETWORK_LAYERS; i++) {
        const struct mr_network_layer *layer = &network->layer[i];
        if (layer->n_switch == 0)
            continue;
        mr_unit_human(layer->power_w, MR_Q_POWER, 4, watts);
        mr_buf_printf(out, "%-22s %llu %s, %llu ports down, %llu up, %s\n", layers[i],
                      (unsigned long long)layer->n_switch, layer->card,
                      (unsigned long long)layer->n_down, (unsigned long long)layer->n_up,
                      layer->power_w > 0 ? watts : "power not known");
    }
    mr_unit_human(network->optic_w, MR_Q_POWER, 4, watts);
    if (network->n_optic > 0)
        mr_buf_printf(out, "%-22s %llu ends of cables, %s\n", "optics",
                      (unsigned long long)network->n_optic, watts);
}

void mr_summary_print(const struct mr_site *site, const struct mr_summary *s, struct mr_buf *out)
{
    char more[192], spare[MR_UNIT_CAP];
    mr_buf_printf(out, "%s\n", site->name);
    if (site->layout_path[0] != '\0')
        mr_buf_printf(out, "%-22s %s (sha256 %.12s)\n", "layout", site->layout_path,
                      site->layout_sha256);
    mr_buf_printf(out, "%-22s %llu halls, %llu rows, %llu racks, %llu pods\n", "floor",
                  (unsigned long long)s->n_hall, (unsigned long long)s->n_row,
                  (unsigned long long)s->n_rack, (unsigned long long)s->n_pod);
    print_cards(s, out);
    mr_buf_printf(out, "%-22s %llu in %llu scale-up domains, %llu host processors\n", "packages",
                  (unsigned long long)s->n_package, (unsigned long long)s->n_domain,
                  (unsigned long long)s->n_cpu);
    line(out, "memory", s->memory_bytes, MR_Q_DATA, "");
    line(out, "compute, dense", s->flop_s, MR_Q_FLOP_RATE, "");
    line(out, "rated power", s->rated_w, MR_Q_POWER, " (racks at Max-P)");
    line(out, "granted power", s->granted_w, MR_Q_POWER, " (racks at their limit)");
    if (s->meter.rack_w > 0) {
        char chain[MR_UNIT_CAP], cooling[MR_UNIT_CAP];
        mr_unit_human(s->meter.chain_w, MR_Q_POWER, 4, chain);
        mr_unit_human(s->meter.cooling_w, MR_Q_POWER, 4, cooling);
        snprintf(more, sizeof more, ", estimated (chain %s, cooling %s)", chain, cooling);
        line(out, "at the meter", mr_meter_total_w(&s->meter), MR_Q_POWER, more);
    }
    if (s->grid_limit_w > 0)
        line(out, "grid limit", s->grid_limit_w, MR_Q_POWER, "");
    else
        mr_buf_printf(out, "%-22s %s\n", "grid",
                      site->grid.interconnect == MR_SITE_GRID_ISLAND ? "none" : "no limit stated");
    for (int kind = 0; kind < MR_SITE_N_POWER_KIND; kind++) {
        if (s->n_power[kind] == 0)
            continue;
        snprintf(more, sizeof more, " in %llu units, %llu of them spare",
                 (unsigned long long)s->n_power[kind], (unsigned long long)s->n_spare[kind]);
        line(out, mr_site_power_kind_name(kind), s->power_w[kind], MR_Q_POWER, more);
    }
    if (s->n_oversubscribed > 0)
        mr_buf_printf(out, "%-22s %llu power nodes, up to %.4g : 1 (%s)\n", "oversubscribed",
                      (unsigned long long)s->n_oversubscribed, s->oversubscription,
                      site->power[s->oversubscribed].name);
    mr_buf_printf(out, "%-22s %llu of %llu racks on two feeds\n", "redundancy",
                  (unsigned long long)s->n_rack_two_feeds, (unsigned long long)s->n_rack);
    line(out, "heat to liquid", s->liquid_w, MR_Q_POWER, "");
    line(out, "heat to air", s->air_w, MR_Q_POWER, "");
    line(out, "coolant flow", s->flow_m3_s, MR_Q_VOLUME_FLOW, "");
    mr_unit_human(s->cdu_spare_w, MR_Q_POWER, 4, spare);
    snprintf(more, sizeof more, " and %s spare, %zu groups", spare, site->n_cdu);
    line(out, "CDU capacity", s->cdu_w, MR_Q_POWER, more);
    mr_unit_human(s->crah_spare_w, MR_Q_POWER, 4, spare);
    snprintf(more, sizeof more, " and %s spare", spare);
    if (s->crah_w > 0)
        line(out, "air handlers", s->crah_w, MR_Q_POWER, more);
    mr_unit_human(s->rejection_spare_w, MR_Q_POWER, 4, spare);
    snprintf(more, sizeof more, " and %s spare", spare);
    line(out, "heat rejection", s->rejection_w, MR_Q_POWER, more);
    line(out, "mass of racks", s->mass_kg, MR_Q_MASS, "");
    line(out, "scale-out, one way", s->scaleout_bytes_s, MR_Q_DATA_RATE, "");
    line(out, "bisection, one way", s->bisection_bytes_s, MR_Q_DATA_RATE, "");
    print_network(&s->network, out);
    if (s->n_host > 0)
        mr_buf_printf(out, "%-22s %s level: %llu zones, %llu hosts, %llu links\n", "SimGrid",
                      mr_site_level_name(site->level), (unsigned long long)s->n_zone,
                      (unsigned long long)s->n_host, (unsigned long long)s->n_link);
}

/* ---- JSON ---- */

void mr_summary_json(const struct mr_site *site, const struct mr_summary *s, struct mr_jsonw *w)
{
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {
        {"halls", s->n_hall},
        {"rows", s->n_row},
        {"racks", s->n_rack},
        {"packages", s->n_package},
        {"cpus", s->n_cpu},
        {"domains", s->n_domain},
        {"pods", s->n_pod},
        {"ports", s->n_port},
        {"zones", s->n_zone},
        {"hosts", s->n_host},
        {"links", s->n_link},
        {"racks_on_two_feeds", s->n_rack_two_feeds},
        {"leaf_switches", s->network.layer[MR_NETWORK_LEAF].n_switch},
        {"spine_switches", s->network.layer[MR_NETWORK_SPINE].n_switch},
        {"core_switches", s->network.layer[MR_NETWORK_CORE].n_switch},
        {"optics", s->network.n_optic},
    };
    const struct {
        const char *key;
        double value;
    } sums[] = {
        {"memory_bytes", s->memory_bytes},
        {"flop_s", s->flop_s},
        {"rated_w", s->rated_w},
        {"max_q_w", s->max_q_w},
        {"granted_w", s->granted_w},
        {"meter_w", mr_meter_total_w(&s->meter)},
        {"chain_w", s->meter.chain_w},
        {"cooling_w", s->meter.cooling_w},
        {"grid_limit_w", s->grid_limit_w},
        {"liquid_w", s->liquid_w},
        {"air_w", s->air_w},
        {"flow_m3_s", s->flow_m3_s},
        {"cdu_w", s->cdu_w},
        {"cdu_spare_w", s->cdu_spare_w},
        {"rejection_w", s->rejection_w},
        {"rejection_spare_w", s->rejection_spare_w},
        {"crah_w", s->crah_w},
        {"crah_spare_w", s->crah_spare_w},
        {"mass_kg", s->mass_kg},
        {"scaleout_bytes_s", s->scaleout_bytes_s},
        {"bisection_bytes_s", s->bisection_bytes_s},
        {"optic_w", s->network.optic_w},
        {"switch_w", s->network.layer[MR_NETWORK_LEAF].power_w +
                         s->network.layer[MR_NETWORK_SPINE].power_w +
                         s->network.layer[MR_NETWORK_CORE].power_w},
    };
    mr_jsonw_key_u64(w, "schema", 1);
    mr_jsonw_key_text(w, "name", site->name);
    mr_jsonw_key_text(w, "level", s->n_host > 0 ? mr_site_level_name(site->level) : NULL);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        mr_jsonw_key_u64(w, counts[i].key, counts[i].value);
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        mr_jsonw_key_f64(w, sums[i].key, sums[i].value);
    mr_jsonw_key(w, "cards");
    mr_jsonw_array(w);
    for (size_t i = 0; i < s->n_card && i < MR_SUMMARY_CARDS; i++) {
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "card", s->card[i].card);
        mr_jsonw_key_text(w, "package", s->card[i].package);
        mr_jsonw_key_u64(w, "racks", s->card[i].n_rack);
        mr_jsonw_key_u64(w, "packages", s->card[i].n_package);
        mr_jsonw_key_f64(w, "memory_bytes", s->card[i].memory_bytes);
        mr_jsonw_key_f64(w, "rated_w", s->card[i].rated_w);
        mr_jsonw_key_f64(w, "granted_w", s->card[i].granted_w);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
    mr_jsonw_key(w, "power");
    mr_jsonw_object(w);
    for (int kind = 0; kind < MR_SITE_N_POWER_KIND; kind++)
        if (s->n_power[kind] > 0)
            mr_jsonw_key_f64(w, mr_site_power_kind_name(kind), s->power_w[kind]);
    mr_jsonw_end(w);
    if (s->n_oversubscribed == 0)
        return;
    mr_jsonw_key(w, "oversubscribed");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "nodes", s->n_oversubscribed);
    mr_jsonw_key_text(w, "most", site->power[s->oversubscribed].name);
    mr_jsonw_key_f64(w, "ratio", s->oversubscription);
    mr_jsonw_end(w);
}

/* ---- graph ---- */

static void dot_name(struct mr_buf *out, const char *name)
{
    mr_buf_char(out, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            mr_buf_char(out, '\\');
        mr_buf_char(out, *name);
    }
    mr_buf_char(out, '"');
}

static void dot_edge(struct mr_buf *out, const char *from, const char *to, const char *style)
{
    mr_buf_text(out, "  ");
    dot_name(out, from);
    mr_buf_text(out, " -> ");
    dot_name(out, to);
    mr_buf_printf(out, " [%s];\n", style);
}

void mr_summary_dot(const struct mr_site *site, struct mr_buf *out)
{
    mr_buf_text(out, "digraph ");
    dot_name(out, site->name);
    mr_buf_text(out, " {\n  rankdir=LR;\n  node [shape=box];\n");
    for (size_t i = 0; i < site->n_power; i++) {
        const struct mr_power_node *node = &site->power[i];
        for (size_t p = 0; p < 2; p++)
            if (node->parent[p] != MR_SITE_NONE)
                dot_edge(out, site->power[node->parent[p]].name, node->name, "color=red");
        if (node->parent[0] == MR_SITE_NONE && node->parent[1] == MR_SITE_NONE &&
            site->grid.limit_w > 0)
            dot_edge(out, "grid", node->name, "color=red");
    }
    for (size_t i = 0; i < site->n_rejector; i++)
        if (site->rejector[i].loop != MR_SITE_NONE)
            dot_edge(out, site->rejector[i].name, site->loop[site->rejector[i].loop].name,
                     "color=blue,dir=both");
    for (size_t i = 0; i < site->n_cdu; i++)
        if (site->cdu[i].loop != MR_SITE_NONE)
            dot_edge(out, site->loop[site->cdu[i].loop].name, site->cdu[i].name,
                     "color=blue,dir=both");
    for (size_t i = 0; i < site->n_route; i++) {
        const struct mr_route *route = &site->route[i];
        if (route->gw_src[0] != '\0')
            dot_edge(out, route->src, route->dst, "dir=none,color=gray");
    }
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        for (size_t f = 0; f < 2; f++)
            if (rack->feed[f] != MR_SITE_NONE)
                dot_edge(out, site->power[rack->feed[f]].name, rack->name, "color=red");
        if (rack->cdu != MR_SITE_NONE)
            dot_edge(out, site->cdu[rack->cdu].name, rack->name, "color=blue");
    }
    mr_buf_text(out, "}\n");
}
