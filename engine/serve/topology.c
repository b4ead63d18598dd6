/* SPDX-License-Identifier: Apache-2.0 */
/* Links and the cache of routes. A limit of the two ends (NICs of an instance on a rack that is one
 * host) is one more link of the route that nobody else shares in: a fat pipe, one per value. */
#include "engine/serve/topology.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <math.h>
#include <string.h>

static mr_status check_link(const struct mr_topology_link *link, struct mr_err *err)
{
    if (!(link->bandwidth_bytes_s > 0) || isinf(link->bandwidth_bytes_s))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "link \"%s\": a bandwidth of %g B/s: expected more than 0", link->name,
                          link->bandwidth_bytes_s);
    if (!(link->latency_s >= 0) || isinf(link->latency_s))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "link \"%s\": a latency of %g s: expected 0 or more", link->name,
                          link->latency_s);
    return MR_OK;
}

static mr_status check_local(const struct mr_topology_local *local, size_t i, struct mr_err *err)
{
    if (!(local->bandwidth_bytes_s > 0) || !(local->latency_s >= 0) || isinf(local->latency_s))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "host %zu: %g B/s and %g s inside: expected more than 0, and 0 or more",
                          i, local->bandwidth_bytes_s, local->latency_s);
    return MR_OK;
}

static mr_status check(const struct mr_topology_options *options, struct mr_err *err)
{
    if (!(options->efficiency > 0 && options->efficiency <= 1))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "an efficiency of transfers of %g: expected above 0, at most 1",
                          options->efficiency);
    if (options->n_link >= MR_TOPOLOGY_NONE || options->n_host >= MR_TOPOLOGY_NONE)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "%zu links and %zu hosts are too many",
                          options->n_link, options->n_host);
    for (size_t i = 0; i < options->n_link; i++)
        MR_TRY(check_link(&options->link[i], err));
    for (size_t i = 0; options->local != NULL && i < options->n_host; i++)
        MR_TRY(check_local(&options->local[i], i, err));
    return MR_OK;
}

/* Payload figures. */
static void copy_options(struct mr_topology *t, const struct mr_topology_options *options)
{
    t->source = options->source;
    t->efficiency = options->efficiency;
    t->n_host = options->n_host;
    t->n_link = t->n_site_link = options->n_link;
    for (size_t i = 0; i < options->n_link; i++) {
        t->link[i] = options->link[i];
        t->link[i].bandwidth_bytes_s *= options->efficiency;
    }
    for (size_t i = 0; i < options->n_host; i++) {
        t->local[i] = options->local != NULL ? options->local[i]
                                             : (struct mr_topology_local){(double)INFINITY, 0};
        t->local[i].bandwidth_bytes_s *= options->efficiency;
    }
}

mr_status mr_topology_create(const struct mr_topology_options *options, struct mr_topology **out,
                             struct mr_err *err)
{
    *out = NULL;
    MR_TRY(check(options, err));
    struct mr_topology *t = mr_alloc_zero(1, sizeof *t);
    if (t == NULL)
        return mr_err_nomem(err, sizeof *t);
    t->cap_link = options->n_link + 1; /* one more: grown from there */
    t->link = mr_alloc(t->cap_link, sizeof *t->link);
    t->local = mr_alloc(options->n_host, sizeof *t->local);
    if (t->link == NULL || t->local == NULL) {
        mr_topology_destroy(t);
        return mr_err_nomem(err,
                            options->n_link * sizeof *t->link + options->n_host * sizeof *t->local);
    }
    copy_options(t, options);
    *out = t;
    return MR_OK;
}

void mr_topology_destroy(struct mr_topology *topology)
{
    if (topology == NULL)
        return;
    mr_free(topology->link);
    mr_free(topology->local);
    mr_free(topology->route);
    mr_free(topology->hop);
    mr_free(topology->slot);
    mr_free(topology);
}

/* ---- the cache ---- */

static uint64_t hash(uint32_t from, uint32_t to, double cap_bytes_s)
{
    uint64_t bits;
    memcpy(&bits, &cap_bytes_s, sizeof bits);
    uint64_t h = ((uint64_t)from << 32 | to) ^ bits * 0x9E3779B97F4A7C15u;
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9u; /* splitmix64 */
    h = (h ^ h >> 27) * 0x94D049BB133111EBu;
    return h ^ h >> 31;
}

/* Where the route stands, or the empty place where it would. */
static size_t find_slot(const struct mr_topology *t, uint32_t from, uint32_t to, double cap_bytes_s)
{
    size_t i = hash(from, to, cap_bytes_s) & (t->n_slot - 1);
    for (; t->slot[i] != 0; i = (i + 1) & (t->n_slot - 1)) {
        const struct mr_topology_route *r = &t->route[t->slot[i] - 1];
        if (r->from == from && r->to == to && r->cap_bytes_s == cap_bytes_s)
            break;
    }
    return i;
}

static mr_status grow_slots(struct mr_topology *t, struct mr_err *err)
{
    if (2 * (t->n_route + 1) <= t->n_slot)
        return MR_OK;
    const size_t n = t->n_slot > 0 ? 2 * t->n_slot : 64;
    uint32_t *slot = mr_alloc_zero(n, sizeof *slot);
    if (slot == NULL)
        return mr_err_nomem(err, n * sizeof *slot);
    mr_free(t->slot);
    t->slot = slot;
    t->n_slot = n;
    for (uint32_t i = 0; i < t->n_route; i++) {
        const struct mr_topology_route *r = &t->route[i];
        t->slot[find_slot(t, r->from, r->to, r->cap_bytes_s)] = i + 1;
    }
    return MR_OK;
}

/* The link that stands for a limit of the ends. */
static mr_status cap_link(struct mr_topology *t, double cap_bytes_s, uint32_t *link,
                          struct mr_err *err)
{
    const double payload = cap_bytes_s * t->efficiency;
    for (*link = (uint32_t)t->n_site_link; *link < t->n_link; ++*link)
        if (t->link[*link].bandwidth_bytes_s == payload)
            return MR_OK;
    MR_TRY(mr_grow(&t->link, &t->cap_link, t->n_link + 1, sizeof *t->link, err));
    t->link[t->n_link++] = (struct mr_topology_link){NULL, payload, 0, true};
    return MR_OK;
}

static double latency_s(const struct mr_topology *t, const struct mr_topology_route *r)
{
    if (r->n_link == 0)
        return t->local[r->from].latency_s;
    double sum_s = 0;
    for (uint32_t i = r->first; i < r->first + r->n_link; i++)
        sum_s += t->link[t->hop[i]].latency_s;
    return sum_s;
}

static mr_status find_path(struct mr_topology *t, const struct mr_topology_route *r,
                           struct mr_topology_path *path, struct mr_err *err)
{
    path->n_link = 0;
    if (r->from == r->to)
        return MR_OK;
    MR_TRY(t->source.find(t->source.data, r->from, r->to, path, err));
    if (path->n_link == 0)
        return mr_err_set(err, MR_REF, MR_NOWHERE, "no link leads from host %u to host %u", r->from,
                          r->to);
    for (uint32_t i = 0; i < path->n_link; i++)
        MR_ASSERT(path->link[i] < t->n_site_link);
    if (isinf(r->cap_bytes_s))
        return MR_OK;
    if (path->n_link == MR_TOPOLOGY_HOPS)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "the route from host %u to host %u has more than %d links", r->from,
                          r->to, MR_TOPOLOGY_HOPS - 1);
    return cap_link(t, r->cap_bytes_s, &path->link[path->n_link++], err);
}

static mr_status add_route(struct mr_topology *t, struct mr_topology_route r, struct mr_err *err)
{
    struct mr_topology_path path;
    MR_TRY(find_path(t, &r, &path, err));
    MR_TRY(mr_grow(&t->route, &t->cap_route, t->n_route + 1, sizeof *t->route, err));
    MR_TRY(mr_grow(&t->hop, &t->cap_hop, t->n_hop + path.n_link, sizeof *t->hop, err));
    MR_TRY(grow_slots(t, err));
    r.first = (uint32_t)t->n_hop;
    r.n_link = path.n_link;
    if (path.n_link > 0)
        memcpy(t->hop + t->n_hop, path.link, path.n_link * sizeof *path.link);
    t->n_hop += path.n_link;
    r.latency_s = latency_s(t, &r);
    t->slot[find_slot(t, r.from, r.to, r.cap_bytes_s)] = (uint32_t)t->n_route + 1;
    t->route[t->n_route++] = r;
    return MR_OK;
}

mr_status mr_topology_route(struct mr_topology *topology, uint32_t from, uint32_t to,
                            double cap_bytes_s, uint32_t *route, struct mr_err *err)
{
    if (topology->n_slot > 0) {
        const uint32_t known = topology->slot[find_slot(topology, from, to, cap_bytes_s)];
        if (known != 0) {
            *route = known - 1;
            return MR_OK;
        }
    }
    if (from >= topology->n_host || to >= topology->n_host)
        return mr_err_set(err, MR_REF, MR_NOWHERE, "hosts %u and %u of %zu", from, to,
                          topology->n_host);
    if (!(cap_bytes_s > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%g B/s between hosts %u and %u: expected more than 0", cap_bytes_s, from,
                          to);
    MR_TRY(add_route(topology,
                     (struct mr_topology_route){.from = from, .to = to, .cap_bytes_s = cap_bytes_s},
                     err));
    *route = (uint32_t)topology->n_route - 1;
    return MR_OK;
}

bool mr_topology_crosses(const struct mr_topology *topology, uint32_t route, uint32_t link)
{
    const struct mr_topology_route *r = &topology->route[route];
    for (uint32_t i = r->first; i < r->first + r->n_link; i++)
        if (topology->hop[i] == link)
            return true;
    return false;
}

double mr_topology_bandwidth_bytes_s(const struct mr_topology *topology, uint32_t route)
{
    const struct mr_topology_route *r = &topology->route[route];
    if (r->n_link == 0)
        return fmin(topology->local[r->from].bandwidth_bytes_s,
                    r->cap_bytes_s * topology->efficiency);
    double least = topology->link[topology->hop[r->first]].bandwidth_bytes_s;
    for (uint32_t i = r->first + 1; i < r->first + r->n_link; i++)
        least = fmin(least, topology->link[topology->hop[i]].bandwidth_bytes_s);
    return least;
}

void mr_topology_set_bandwidth(struct mr_topology *topology, uint32_t link,
                               double bandwidth_bytes_s)
{
    MR_ASSERT(link < topology->n_site_link && bandwidth_bytes_s > 0 && !isinf(bandwidth_bytes_s));
    topology->link[link].bandwidth_bytes_s = bandwidth_bytes_s * topology->efficiency;
}
