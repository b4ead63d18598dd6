/* SPDX-License-Identifier: Apache-2.0 */
/* Scale-up domains, and reachability by union-find over routers and hosts. */
#include "engine/base/intern.h"
#include "engine/base/mem.h"
#include "platforms/check_impl.h"

/* ---- scale-up domains ---- */

static mr_status check_domains(const struct mr_check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    struct mr_arena arena = {0};
    uint32_t *row = mr_arena_alloc(&arena, site->n_domain * sizeof *row, err);
    uint64_t *n_package = mr_arena_zero(&arena, site->n_domain, sizeof *n_package, err);
    if (row == NULL || n_package == NULL) {
        mr_arena_fini(&arena);
        return MR_NOMEM;
    }
    for (size_t i = 0; i < site->n_domain; i++)
        row[i] = MR_SITE_NONE;
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        if (rack->domain == MR_SITE_NONE || rack->domain >= site->n_domain)
            continue;
        for (uint32_t d = 0; d < (rack->n_domain > 0 ? rack->n_domain : 1); d++)
            if (rack->domain + d < site->n_domain)
                n_package[rack->domain + d] +=
                    rack->n_package / (rack->n_domain > 0 ? rack->n_domain : 1);
        if (row[rack->domain] == MR_SITE_NONE)
            row[rack->domain] = rack->row;
        else if (row[rack->domain] != rack->row)
            mr_check_tell(
                c, MR_SEVERITY_ERROR, rack->at, "rack", rack->name,
                "its scale-up domain has racks in another row (keep a domain in one zone)");
    }
    for (size_t i = 0; i < site->n_domain; i++) {
        const struct mr_domain *domain = &site->domain[i];
        if (n_package[i] == domain->n_package || domain->n_package == 0)
            continue;
        mr_check_tell(c, n_package[i] > domain->n_package ? MR_SEVERITY_ERROR : MR_SEVERITY_WARNING,
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

static void report_unreachable(const struct mr_check *c, struct graph *g)
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
    mr_check_tell(c, MR_SEVERITY_ERROR, site->host[example].at, "host", site->host[example].name,
                  "no route leads to it from \"%s\" (%u of %zu hosts are cut off: add a route or "
                  "zoneRoute)",
                  site->host[0].name, n_apart, site->n_host);
}

static mr_status check_reachable(const struct mr_check *c, struct mr_err *err)
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

mr_status mr_check_network(const struct mr_check *c, struct mr_err *err)
{
    MR_TRY(check_domains(c, err));
    return check_reachable(c, err);
}
