/* SPDX-License-Identifier: Apache-2.0 */
/* The checks. Power: a rack's limit is shared by its feeds, a node's load by its parents; with one
 * of two feeds lost the other carries all. Heat: what racks give to liquid against the CDU groups,
 * what the groups of a loop carry against its rejection. Reachability: union-find over routers and
 * hosts. Map: messages - power - heat and flow - floor - domains - reachability. */
#include "platforms/check.h"

#include "engine/base/intern.h"
#include "engine/base/mem.h"
#include "engine/base/unit.h"

/* ---- messages ---- */

struct check {
    const struct mr_site *site;
    struct mr_diags *diags;
};

static struct mr_place place_of(const struct check *c, struct mr_spot at)
{
    return (struct mr_place){c->site->path, at.line, at.col};
}

/* Text of a value in a rotating buffer, so that several fit one message. */
struct texts {
    char text[6][MR_UNIT_CAP];
    int i;
};

static const char *shown(struct texts *t, double value, enum mr_quantity q)
{
    char *out = t->text[t->i++ % 6];
    mr_unit_human(value, q, 4, out);
    return out;
}

MR_PRINTF(6, 7)
static void violation(const struct check *c, enum mr_severity severity, struct mr_spot at,
                      const char *kind, const char *name, const char *fmt, ...)
{
    struct mr_err what = {0};
    va_list args;
    va_start(args, fmt);
    (void)mr_err_vset(&what, MR_RANGE, MR_NOWHERE, fmt, args);
    va_end(args);
    mr_diags_add(c->diags, severity, MR_RANGE, place_of(c, at), "%s \"%s\": %s", kind, name,
                 what.text);
}

/* More than what rounding of sums explains. */
static bool exceeds(double load, double capacity)
{
    return load > capacity * (1 + 1e-9);
}

static double capacity_of(double each, uint64_t n_unit, uint64_t n_spare)
{
    return each * (double)(n_unit > n_spare ? n_unit - n_spare : 0);
}

/* ---- power ---- */

struct loads {
    double *normal_w; /* of every power node */
    double *failed_w; /* with the other feed of every two-feed load lost */
    uint32_t *n_child;
    uint32_t *queue;
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

/* Leaves first; what is never reached hangs in a circle. */
static size_t spread_loads(const struct mr_site *site, struct loads *l)
{
    size_t n = 0;
    for (size_t i = 0; i < site->n_rack; i++)
        add_load(l, site->rack[i].feed, site->rack[i].limit_w, site->rack[i].limit_w);
    for (size_t i = 0; i < site->n_power; i++)
        for (int p = 0; p < 2; p++)
            if (site->power[i].parent[p] != MR_SITE_NONE)
                l->n_child[site->power[i].parent[p]]++;
    for (uint32_t i = 0; i < site->n_power; i++)
        if (l->n_child[i] == 0)
            l->queue[n++] = i;
    for (size_t i = 0; i < n; i++) {
        const struct mr_power_node *node = &site->power[l->queue[i]];
        const double normal_w = l->normal_w[l->queue[i]], failed_w = l->failed_w[l->queue[i]];
        /* two parents feed one node: each may have to carry all of it */
        add_load(l, node->parent, normal_w, failed_w);
        for (int p = 0; p < 2; p++)
            if (node->parent[p] != MR_SITE_NONE && --l->n_child[node->parent[p]] == 0)
                l->queue[n++] = node->parent[p];
    }
    return n;
}

static bool is_source(int kind)
{
    return kind == MR_SITE_POWER_GENERATOR || kind == MR_SITE_POWER_TURBINE ||
           kind == MR_SITE_POWER_SOLAR || kind == MR_SITE_POWER_BESS || kind == MR_SITE_POWER_BBU;
}

static void check_node(const struct check *c, const struct mr_power_node *node,
                       const struct loads *l, size_t i)
{
    struct texts t = {0};
    const double in_service = capacity_of(node->rating_w, node->n_unit, node->n_spare);
    const double installed = node->rating_w * (double)node->n_unit;
    const char *kind = mr_site_power_kind_name(node->kind);
    if (is_source(node->kind))
        return;
    if (exceeds(l->normal_w[i], in_service)) {
        violation(
            c, MR_SEVERITY_ERROR, node->at, kind, node->name,
            "carries %s but has %s in service (add a unit, move racks, or lower their limits)",
            shown(&t, l->normal_w[i], MR_Q_POWER), shown(&t, in_service, MR_Q_POWER));
    } else if (exceeds(l->failed_w[i], installed)) {
        violation(c, MR_SEVERITY_WARNING, node->at, kind, node->name,
                  "would carry %s when the other feed fails, %s are installed (no full redundancy)",
                  shown(&t, l->failed_w[i], MR_Q_POWER), shown(&t, installed, MR_Q_POWER));
    }
}

static void check_feeds(const struct check *c)
{
    const struct mr_site *site = c->site;
    struct texts t = {0};
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        for (int f = 0; f < 2; f++) {
            if (rack->feed[f] == MR_SITE_NONE)
                continue;
            const struct mr_power_node *node = &site->power[rack->feed[f]];
            if (!exceeds(rack->limit_w, node->rating_w))
                continue;
            violation(
                c, MR_SEVERITY_ERROR, rack->at, "rack", rack->name,
                "%s on %s \"%s\" of %s (no single rack may exceed what feeds it: use a busway "
                "or sidecar of %s or more)",
                shown(&t, rack->limit_w, MR_Q_POWER), mr_site_power_kind_name(node->kind),
                node->name, shown(&t, node->rating_w, MR_Q_POWER),
                shown(&t, rack->limit_w, MR_Q_POWER));
        }
        if (site->n_power > 0 && rack->feed[0] == MR_SITE_NONE && rack->feed[1] == MR_SITE_NONE &&
            rack->limit_w > 0)
            violation(c, MR_SEVERITY_WARNING, rack->at, "rack", rack->name,
                      "hangs on no power node (give it a feed)");
    }
}

static void check_grid(const struct check *c)
{
    const struct mr_site *site = c->site;
    struct texts t = {0};
    double racks_w = 0, onsite_w = 0;
    for (size_t i = 0; i < site->n_rack; i++)
        racks_w += site->rack[i].limit_w;
    for (size_t i = 0; i < site->n_power; i++)
        if (site->power[i].kind == MR_SITE_POWER_TURBINE ||
            site->power[i].kind == MR_SITE_POWER_SOLAR)
            onsite_w += site->power[i].rating_w * (double)site->power[i].n_unit;
    if (!site->has_props || !exceeds(racks_w, site->grid.limit_w + onsite_w))
        return;
    violation(c, MR_SEVERITY_ERROR, site->grid.at, "grid of", site->name,
              "racks may draw %s, the grid connection and what stands on the site give %s "
              "(lower the racks' limits, take racks out, or raise the limit)",
              shown(&t, racks_w, MR_Q_POWER), shown(&t, site->grid.limit_w + onsite_w, MR_Q_POWER));
}

static mr_status check_power(const struct check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    const size_t n = site->n_power;
    struct mr_arena arena = {0};
    struct loads l = {.normal_w = mr_arena_zero(&arena, n, sizeof(double), err),
                      .failed_w = mr_arena_zero(&arena, n, sizeof(double), err),
                      .n_child = mr_arena_zero(&arena, n, sizeof(uint32_t), err),
                      .queue = mr_arena_zero(&arena, n, sizeof(uint32_t), err)};
    if (l.normal_w == NULL || l.failed_w == NULL || l.n_child == NULL || l.queue == NULL) {
        mr_arena_fini(&arena);
        return MR_NOMEM;
    }
    if (spread_loads(site, &l) < n) {
        size_t i = 0;
        while (l.n_child[i] == 0)
            i++;
        violation(c, MR_SEVERITY_ERROR, site->power[i].at,
                  mr_site_power_kind_name(site->power[i].kind), site->power[i].name,
                  "feeds itself in a circle (parents must point towards the grid)");
    } else {
        for (size_t i = 0; i < n; i++)
            check_node(c, &site->power[i], &l, i);
    }
    mr_arena_fini(&arena);
    check_feeds(c);
    check_grid(c);
    return MR_OK;
}

/* ---- heat and flow ---- */

static void check_cdu(const struct check *c, const struct mr_cdu *cdu, double heat_w,
                      double flow_m3_s)
{
    struct texts t = {0};
    const double capacity = capacity_of(cdu->capacity_w, cdu->n_unit, cdu->n_spare);
    const double flow = capacity_of(cdu->flow_m3_s, cdu->n_unit, cdu->n_spare);
    if (exceeds(heat_w, capacity)) {
        violation(c, MR_SEVERITY_ERROR, cdu->at, "cdu", cdu->name,
                  "%s of rack heat on %s in service (add a unit or move racks to another group)",
                  shown(&t, heat_w, MR_Q_POWER), shown(&t, capacity, MR_Q_POWER));
    }
    if (cdu->flow_m3_s > 0 && exceeds(flow_m3_s, flow)) {
        violation(c, MR_SEVERITY_ERROR, cdu->at, "cdu", cdu->name,
                  "its racks need %s, it moves %s (add a unit)",
                  shown(&t, flow_m3_s, MR_Q_VOLUME_FLOW), shown(&t, flow, MR_Q_VOLUME_FLOW));
    }
}

static void check_liquid(const struct check *c, const struct mr_rack *rack)
{
    struct texts t = {0};
    if (!(rack->liquid_frac > 0) || !(rack->limit_w > 0) || !c->site->has_props)
        return;
    if (rack->cdu == MR_SITE_NONE) {
        violation(c, c->site->n_cdu > 0 ? MR_SEVERITY_ERROR : MR_SEVERITY_WARNING, rack->at, "rack",
                  rack->name, "needs liquid for %s but hangs on no CDU group (add a cdu)",
                  shown(&t, rack->limit_w * rack->liquid_frac, MR_Q_POWER));
        return;
    }
    const struct mr_cdu *cdu = &c->site->cdu[rack->cdu];
    if (rack->inlet_max_c > 0 && cdu->supply_c > rack->inlet_max_c) {
        violation(c, MR_SEVERITY_ERROR, rack->at, "rack", rack->name,
                  "takes water up to %s, \"%s\" sends %s (lower the set point)",
                  shown(&t, rack->inlet_max_c, MR_Q_TEMPERATURE), cdu->name,
                  shown(&t, cdu->supply_c, MR_Q_TEMPERATURE));
    }
}

static void check_loop(const struct check *c, const struct mr_loop *loop, double heat_w,
                       double capacity_w)
{
    struct texts t = {0};
    if (!exceeds(heat_w, capacity_w))
        return;
    violation(c, MR_SEVERITY_ERROR, loop->at, "loop", loop->name,
              "%s of heat on %s of rejection in service (add units; a hot day needs more still)",
              shown(&t, heat_w, MR_Q_POWER), shown(&t, capacity_w, MR_Q_POWER));
}

static mr_status check_heat(const struct check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    struct mr_arena arena = {0};
    double *heat_w = mr_arena_zero(&arena, site->n_cdu, sizeof(double), err);
    double *flow_m3_s = mr_arena_zero(&arena, site->n_cdu, sizeof(double), err);
    double *loop_w = mr_arena_zero(&arena, site->n_loop, sizeof(double), err);
    double *reject_w = mr_arena_zero(&arena, site->n_loop, sizeof(double), err);
    mr_status st = MR_NOMEM;
    if (heat_w != NULL && flow_m3_s != NULL && loop_w != NULL && reject_w != NULL) {
        st = MR_OK;
        for (size_t i = 0; i < site->n_rack; i++) {
            const struct mr_rack *rack = &site->rack[i];
            check_liquid(c, rack);
            if (rack->cdu == MR_SITE_NONE)
                continue;
            heat_w[rack->cdu] += rack->limit_w * rack->liquid_frac;
            flow_m3_s[rack->cdu] += rack->flow_m3_s;
        }
        for (size_t i = 0; i < site->n_cdu; i++) {
            check_cdu(c, &site->cdu[i], heat_w[i], flow_m3_s[i]);
            if (site->cdu[i].loop != MR_SITE_NONE)
                loop_w[site->cdu[i].loop] += heat_w[i];
        }
        for (size_t i = 0; i < site->n_rejector; i++) {
            const struct mr_rejector *unit = &site->rejector[i];
            if (unit->loop != MR_SITE_NONE)
                reject_w[unit->loop] += capacity_of(unit->capacity_w, unit->n_unit, unit->n_spare);
        }
        for (size_t i = 0; i < site->n_loop; i++)
            check_loop(c, &site->loop[i], loop_w[i], reject_w[i]);
    }
    mr_arena_fini(&arena);
    return st;
}

/* ---- floor ---- */

static void check_floor(const struct check *c)
{
    const double footprint_m2 = 0.6 * 1.2; /* of a rack, without aisles */
    struct texts t = {0};
    for (size_t i = 0; i < c->site->n_rack; i++) {
        const struct mr_rack *rack = &c->site->rack[i];
        const double limit =
            rack->hall != MR_SITE_NONE ? c->site->hall[rack->hall].floor_limit_kg_m2 : 0;
        const double load = rack->mass_kg / footprint_m2;
        if (!(limit > 0) || !exceeds(load, limit))
            continue;
        violation(c, MR_SEVERITY_ERROR, rack->at, "rack", rack->name,
                  "%s on 0.6 m x 1.2 m are %s, the floor of \"%s\" bears %s (spread the load)",
                  shown(&t, rack->mass_kg, MR_Q_MASS), shown(&t, load, MR_Q_MASS_PER_AREA),
                  c->site->hall[rack->hall].name, shown(&t, limit, MR_Q_MASS_PER_AREA));
    }
}

/* ---- scale-up domains ---- */

static mr_status check_domains(const struct check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    struct mr_arena arena = {0};
    uint32_t *hall = mr_arena_alloc(&arena, site->n_domain * sizeof *hall, err);
    uint64_t *n_package = mr_arena_zero(&arena, site->n_domain, sizeof *n_package, err);
    if (hall == NULL || n_package == NULL) {
        mr_arena_fini(&arena);
        return MR_NOMEM;
    }
    for (size_t i = 0; i < site->n_domain; i++)
        hall[i] = MR_SITE_NONE;
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        if (rack->domain == MR_SITE_NONE || rack->domain >= site->n_domain)
            continue;
        for (uint32_t d = 0; d < (rack->n_domain > 0 ? rack->n_domain : 1); d++)
            if (rack->domain + d < site->n_domain)
                n_package[rack->domain + d] +=
                    rack->n_package / (rack->n_domain > 0 ? rack->n_domain : 1);
        if (hall[rack->domain] == MR_SITE_NONE)
            hall[rack->domain] = rack->hall;
        else if (hall[rack->domain] != rack->hall)
            violation(c, MR_SEVERITY_ERROR, rack->at, "rack", rack->name,
                      "its scale-up domain has racks in another hall (keep a domain in one hall)");
    }
    for (size_t i = 0; i < site->n_domain; i++) {
        const struct mr_domain *domain = &site->domain[i];
        if (n_package[i] == domain->n_package || domain->n_package == 0)
            continue;
        violation(c, n_package[i] > domain->n_package ? MR_SEVERITY_ERROR : MR_SEVERITY_WARNING,
                  domain->at, "domain", domain->name,
                  "%llu packages are wired to it, it has %llu ports",
                  (unsigned long long)n_package[i], (unsigned long long)domain->n_package);
    }
    mr_arena_fini(&arena);
    return MR_OK;
}

/* ---- reachability ---- */

struct graph {
    struct mr_intern names; /* hosts first, then routers: id = index */
    uint32_t *root;
    uint32_t n;
};

static uint32_t root_of(struct graph *g, uint32_t i)
{
    while (g->root[i] != i) {
        g->root[i] = g->root[g->root[i]];
        i = g->root[i];
    }
    return i;
}

/* The smaller index becomes the root, so that the answer does not depend on the order of routes. */
static void join(struct graph *g, uint32_t a, uint32_t b)
{
    a = root_of(g, a);
    b = root_of(g, b);
    if (a < b)
        g->root[b] = a;
    else
        g->root[a] = b;
}

static void join_names(struct graph *g, const char *a, const char *b)
{
    const uint32_t i = mr_intern_find(&g->names, mr_str_of(a));
    const uint32_t k = mr_intern_find(&g->names, mr_str_of(b));
    if (i != MR_INTERN_NONE && k != MR_INTERN_NONE)
        join(g, i, k);
}

static bool joins_all(const char *routing)
{
    return strcmp(routing, "Cluster") == 0 || strcmp(routing, "Vivaldi") == 0 ||
           strcmp(routing, "Wifi") == 0;
}

static mr_status graph_init(struct graph *g, const struct mr_site *site, struct mr_err *err)
{
    uint32_t id;
    for (size_t i = 0; i < site->n_host; i++)
        MR_TRY(mr_intern_add(&g->names, mr_str_of(site->host[i].name), &id, err));
    for (size_t i = 0; i < site->n_router; i++)
        MR_TRY(mr_intern_add(&g->names, mr_str_of(site->router[i].name), &id, err));
    g->n = (uint32_t)g->names.n;
    g->root = mr_alloc(g->n, sizeof *g->root);
    if (g->root == NULL)
        return mr_err_nomem(err, g->n * sizeof *g->root);
    for (uint32_t i = 0; i < g->n; i++)
        g->root[i] = i;
    return MR_OK;
}

/* Zones that connect their members by themselves: everybody with the first of the zone. */
static mr_status join_zones(struct graph *g, const struct mr_site *site, struct mr_err *err)
{
    uint32_t *first = mr_alloc(site->n_zone, sizeof *first);
    if (first == NULL)
        return mr_err_nomem(err, site->n_zone * sizeof *first);
    for (size_t i = 0; i < site->n_zone; i++)
        first[i] = MR_SITE_NONE;
    for (uint32_t i = 0; i < site->n_host + site->n_router; i++) {
        const bool is_host = i < site->n_host;
        const uint32_t zone = is_host ? site->host[i].zone : site->router[i - site->n_host].zone;
        const char *name = is_host ? site->host[i].name : site->router[i - site->n_host].name;
        if (!joins_all(site->zone[zone].routing))
            continue;
        const uint32_t id = mr_intern_find(&g->names, mr_str_of(name));
        if (first[zone] == MR_SITE_NONE)
            first[zone] = id;
        else
            join(g, first[zone], id);
    }
    mr_free(first);
    return MR_OK;
}

static void report_unreachable(const struct check *c, struct graph *g)
{
    const struct mr_site *site = c->site;
    uint32_t n_apart = 0, example = MR_SITE_NONE;
    const uint32_t main_root = root_of(g, 0);
    for (uint32_t i = 1; i < site->n_host; i++)
        if (root_of(g, i) != main_root) {
            n_apart++;
            if (example == MR_SITE_NONE)
                example = i;
        }
    if (n_apart == 0)
        return;
    violation(c, MR_SEVERITY_ERROR, site->host[example].at, "host", site->host[example].name,
              "no route leads to it from \"%s\" (%u of %zu hosts are cut off: add a route or "
              "zoneRoute)",
              site->host[0].name, n_apart, site->n_host);
}

static mr_status check_reachable(const struct check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    struct graph g = {0};
    if (site->n_host < 2)
        return MR_OK;
    mr_status st = graph_init(&g, site, err);
    if (st == MR_OK)
        st = join_zones(&g, site, err);
    if (st == MR_OK) {
        for (size_t i = 0; i < site->n_route; i++) {
            const struct mr_route *route = &site->route[i];
            if (route->gw_src[0] != '\0')
                join_names(&g, route->gw_src, route->gw_dst);
            else
                join_names(&g, route->src, route->dst);
        }
        report_unreachable(c, &g);
    }
    mr_intern_fini(&g.names);
    mr_free(g.root);
    return st;
}

mr_status mr_check_site(const struct mr_site *site, struct mr_diags *diags, struct mr_err *err)
{
    const struct check c = {site, diags};
    MR_TRY(check_power(&c, err));
    MR_TRY(check_heat(&c, err));
    check_floor(&c);
    MR_TRY(check_domains(&c, err));
    return check_reachable(&c, err);
}
