/* SPDX-License-Identifier: Apache-2.0 */
/* A link carries its index as SimGrid's user data, so that a route is turned around without names.
 */
#include "engine/net/wiring.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/net/wiring_impl.h"

#include <math.h>

/* ---- routes ---- */

struct question {
    sg_host_t from, to;
    struct mr_topology_path *path;
    uint32_t n_link; /* out: more than fit, then */
};

static void ask(struct question *q)
{
    xbt_dynar_t links = xbt_dynar_new(sizeof(sg_link_t), NULL);
    sg_host_get_route(q->from, q->to, links);
    q->n_link = (uint32_t)xbt_dynar_length(links);
    for (uint32_t i = 0; i < q->n_link && i < MR_TOPOLOGY_HOPS; i++) {
        const sg_link_t link = *(sg_link_t *)xbt_dynar_get_ptr(links, i);
        const uintptr_t index = (uintptr_t)sg_link_get_data(link);
        MR_ASSERT(index > 0);
        q->path->link[i] = (uint32_t)(index - 1);
    }
    xbt_dynar_free(&links);
}

static void ask_as_actor(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    ask(sg_actor_self_get_data());
}

static mr_status find(void *data, uint32_t from, uint32_t to, struct mr_topology_path *path,
                      struct mr_err *err)
{
    const struct mr_wiring *w = data;
    struct question q = {w->hosts.handle[from], w->hosts.handle[to], path, 0};
    if (q.from == NULL || q.to == NULL)
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "hosts \"%s\" and \"%s\": SimGrid does not have "
                          "both",
                          w->site->host[from].name, w->site->host[to].name);
    if (w->is_inside) {
        ask(&q);
    } else {
        const sg_actor_t actor = sg_actor_init("ask", q.from);
        sg_actor_set_data(actor, &q);
        sg_actor_start_(actor, ask_as_actor, 0, NULL);
        simgrid_run();
    }
    if (q.n_link > MR_TOPOLOGY_HOPS)
        return mr_err_set(
            err, MR_LIMIT, MR_NOWHERE, "the route from \"%s\" to \"%s\" has %u links, more than %d",
            w->site->host[from].name, w->site->host[to].name, q.n_link, MR_TOPOLOGY_HOPS);
    path->n_link = q.n_link;
    return MR_OK;
}

/* ---- the topology ---- */

static struct mr_topology_local inside(const struct mr_site *site, const struct mr_host *host)
{
    const struct mr_topology_local at_once = {(double)INFINITY, 0};
    const struct mr_rack *rack = host->rack < site->n_rack ? &site->rack[host->rack] : NULL;
    if (rack == NULL || rack->n_package <= rack->n_host || rack->domain >= site->n_domain)
        return at_once;
    const struct mr_domain *domain = &site->domain[rack->domain];
    if (!(domain->bandwidth_bytes_s > 0))
        return at_once;
    return (struct mr_topology_local){domain->bandwidth_bytes_s, 2 * domain->latency_s};
}

/* Every link learns its index. */
static void fill_links(const struct mr_wiring *w, struct mr_topology_link *link)
{
    for (size_t i = 0; i < w->links.n; i++) {
        const sg_link_t of = w->links.handle[i];
        sg_link_set_data(of, (void *)(uintptr_t)(i + 1)); // NOLINT(performance-no-int-to-ptr)
        link[i] = (struct mr_topology_link){.name = sg_link_get_name(of),
                                            .bandwidth_bytes_s = sg_link_get_bandwidth(of),
                                            .latency_s = sg_link_get_latency(of),
                                            .is_fatpipe = sg_link_is_shared(of) == 0};
    }
}

static mr_status fill_topology(struct mr_wiring *w, double efficiency, struct mr_err *err)
{
    const struct mr_site *site = w->site;
    struct mr_topology_link *link = mr_alloc_zero(w->links.n, sizeof *link);
    struct mr_topology_local *local = mr_alloc_zero(site->n_host, sizeof *local);
    mr_status st;
    if (link != NULL && local != NULL) {
        fill_links(w, link);
        for (size_t i = 0; i < site->n_host; i++)
            local[i] = inside(site, &site->host[i]);
        const struct mr_topology_options options = {.link = link,
                                                    .n_link = w->links.n,
                                                    .n_host = site->n_host,
                                                    .local = local,
                                                    .source = {w, find},
                                                    .efficiency = efficiency};
        st = mr_topology_create(&options, &w->topology, err);
    } else {
        st = mr_err_nomem(err, w->links.n * sizeof *link + site->n_host * sizeof *local);
    }
    mr_free(link);
    mr_free(local);
    return st;
}

mr_status mr_wiring_create(const struct mr_site *site, double efficiency, struct mr_wiring **out,
                           struct mr_err *err)
{
    *out = NULL;
    struct mr_wiring *w = mr_alloc_zero(1, sizeof *w);
    if (w == NULL)
        return mr_err_nomem(err, sizeof *w);
    w->site = site;
    mr_status st = mr_platform_hosts_init(&w->hosts, site, err);
    if (st != MR_OK) {
        mr_free(w);
        return st;
    }
    st = mr_platform_links_init(&w->links, err);
    if (st == MR_OK)
        st = fill_topology(w, efficiency, err);
    if (st != MR_OK) {
        mr_wiring_destroy(w);
        return st;
    }
    *out = w;
    return MR_OK;
}

void mr_wiring_destroy(struct mr_wiring *wiring)
{
    if (wiring == NULL)
        return;
    mr_topology_destroy(wiring->topology);
    mr_platform_links_fini(&wiring->links);
    mr_platform_hosts_fini(&wiring->hosts);
    mr_free(wiring);
}

struct mr_topology *mr_wiring_topology(struct mr_wiring *wiring)
{
    return wiring->topology;
}

uint32_t mr_wiring_host(const struct mr_site *site, uint32_t rack, uint32_t package)
{
    const struct mr_rack *of = &site->rack[rack];
    MR_ASSERT(rack < site->n_rack && package < of->n_package && of->n_host > 0);
    return of->first_host + (uint32_t)((uint64_t)package * of->n_host / of->n_package);
}
