/* SPDX-License-Identifier: Apache-2.0 */
/* Reachability as SimGrid finds routes: two hosts meet in the smallest zone that holds both, and
 * that zone must know a way between the members (hosts, or zones inside it) they stand in. Routing
 * Full knows only what is declared, pair by pair; Floyd and Dijkstra find paths over members and
 * routers, each route in its direction; Cluster, Vivaldi and Wifi need none declared; None has
 * none. Members without hosts need not be reached. */
#include "engine/base/intern.h"
#include "engine/base/mem.h"
#include "platforms/check_impl.h"

#include <stdlib.h>

/* Points of all zones in one array, those of a zone together: hosts, routers, zones inside it. */
struct point {
    const char *name;
    struct mr_spot at;
    uint32_t zone;
    bool has_host; /* is one, or holds one */
};

struct edge {
    uint32_t from, to; /* points */
};

struct reach {
    const struct mr_check *c;
    struct point *point;
    size_t n_point;
    uint32_t *first;   /* per zone and one more: its points */
    struct edge *edge; /* sorted by from, to */
    size_t n_edge;
    uint32_t *queue;        /* scratch: points */
    uint8_t *is_seen;       /* scratch */
    struct mr_intern names; /* "ZONE NAME" of every point */
};

static int by_ends(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

/* ---- points ---- */

static void count_points(const struct mr_site *site, uint32_t *first)
{
    for (size_t z = 0; z < site->n_zone; z++)
        if (site->zone[z].parent != MR_SITE_NONE)
            first[site->zone[z].parent + 1]++;
    for (size_t i = 0; i < site->n_host; i++)
        first[site->host[i].zone + 1]++;
    for (size_t i = 0; i < site->n_router; i++)
        first[site->router[i].zone + 1]++;
    for (size_t z = 0; z < site->n_zone; z++)
        first[z + 1] += first[z];
}

static void fill_points(struct reach *r, uint32_t *next, const bool *holds_host)
{
    const struct mr_site *site = r->c->site;
    memcpy(next, r->first, site->n_zone * sizeof *next);
    for (uint32_t i = 0; i < site->n_host; i++)
        r->point[next[site->host[i].zone]++] =
            (struct point){site->host[i].name, site->host[i].at, site->host[i].zone, true};
    for (uint32_t i = 0; i < site->n_router; i++)
        r->point[next[site->router[i].zone]++] =
            (struct point){site->router[i].name, {0, 0}, site->router[i].zone, false};
    for (uint32_t z = 0; z < site->n_zone; z++)
        if (site->zone[z].parent != MR_SITE_NONE)
            r->point[next[site->zone[z].parent]++] = (struct point){
                site->zone[z].name, {site->zone[z].line, 0}, site->zone[z].parent, holds_host[z]};
}

static mr_status name_points(struct reach *r, struct mr_err *err)
{
    struct mr_buf key = {0};
    mr_status st = MR_OK;
    for (size_t i = 0; i < r->n_point && st == MR_OK; i++) {
        uint32_t id;
        mr_buf_clear(&key);
        mr_buf_printf(&key, "%u ", r->point[i].zone);
        mr_buf_text(&key, r->point[i].name);
        st = mr_buf_check(&key, err);
        if (st == MR_OK)
            st = mr_intern_add(&r->names, (struct mr_str){key.text, key.n}, &id, err);
    }
    mr_buf_fini(&key);
    return st;
}

static uint32_t find_point(const struct reach *r, struct mr_buf *key, uint32_t zone,
                           const char *name)
{
    mr_buf_clear(key);
    mr_buf_printf(key, "%u ", zone);
    mr_buf_text(key, name);
    return key->status == MR_OK ? mr_intern_find(&r->names, (struct mr_str){key->text, key->n})
                                : MR_INTERN_NONE;
}

static mr_status fill_edges(struct reach *r, struct mr_err *err)
{
    const struct mr_site *site = r->c->site;
    struct mr_buf key = {0};
    for (size_t i = 0; i < site->n_route && key.status == MR_OK; i++) {
        const struct mr_route *route = &site->route[i];
        const uint32_t a = find_point(r, &key, route->zone, route->src);
        const uint32_t b =
            key.status == MR_OK ? find_point(r, &key, route->zone, route->dst) : MR_INTERN_NONE;
        if (a >= r->n_point || b >= r->n_point)
            continue; /* the reader has told */
        r->edge[r->n_edge++] = (struct edge){a, b};
        if (!route->is_one_way)
            r->edge[r->n_edge++] = (struct edge){b, a};
    }
    const mr_status st = mr_buf_check(&key, err);
    mr_buf_fini(&key);
    if (r->n_edge > 1)
        qsort(r->edge, r->n_edge, sizeof *r->edge, by_ends);
    return st;
}

static size_t first_edge(const struct reach *r, uint32_t from)
{
    size_t low = 0, high = r->n_edge;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (r->edge[mid].from < from)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* ---- zones ---- */

static void tell(const struct reach *r, uint32_t zone, uint32_t from, uint32_t to, size_t n_missing)
{
    const struct mr_zone *of = &r->c->site->zone[zone];
    /* somebody else's platform may leave out what its own simulation does not need */
    mr_check_tell(r->c, r->c->site->has_props ? MR_SEVERITY_ERROR : MR_SEVERITY_WARNING,
                  r->point[to].at, "zone", of->name,
                  "no route leads from \"%s\" to \"%s\" (routing %s; %zu such pairs: add routes)",
                  r->point[from].name, r->point[to].name, of->routing, n_missing);
}

/* Every pair must be declared. Points and edges are sorted: one merge. */
static void check_full(const struct reach *r, uint32_t zone)
{
    size_t n_missing = 0;
    uint32_t from = 0, to = 0;
    for (uint32_t a = r->first[zone]; a < r->first[zone + 1]; a++) {
        size_t e = first_edge(r, a);
        if (!r->point[a].has_host)
            continue;
        for (uint32_t b = r->first[zone]; b < r->first[zone + 1]; b++) {
            if (a == b || !r->point[b].has_host)
                continue;
            while (e < r->n_edge && r->edge[e].from == a && r->edge[e].to < b)
                e++;
            if (e < r->n_edge && r->edge[e].from == a && r->edge[e].to == b)
                continue;
            if (n_missing++ == 0) {
                from = a;
                to = b;
            }
        }
    }
    if (n_missing > 0)
        tell(r, zone, from, to, n_missing);
}

/* Marks what `start` reaches inside its zone. */
static void walk(struct reach *r, uint32_t start)
{
    size_t n = 0;
    r->queue[n++] = start;
    r->is_seen[start] = 1;
    for (size_t i = 0; i < n; i++)
        for (size_t e = first_edge(r, r->queue[i]); e < r->n_edge && r->edge[e].from == r->queue[i];
             e++)
            if (!r->is_seen[r->edge[e].to]) {
                r->is_seen[r->edge[e].to] = 1;
                r->queue[n++] = r->edge[e].to;
            }
}

/* All reach each other if and only if one reaches all and all reach it: the second by turning the
 * edges around. */
static void check_paths(struct reach *r, uint32_t zone, bool is_reversed)
{
    uint32_t start = r->first[zone];
    const uint32_t end = r->first[zone + 1];
    while (start < end && !r->point[start].has_host)
        start++;
    if (start == end)
        return;
    memset(r->is_seen, 0, r->n_point);
    walk(r, start);
    size_t n_missing = 0;
    uint32_t missing = start;
    for (uint32_t i = end; i-- > start;)
        if (r->point[i].has_host && !r->is_seen[i]) {
            missing = i;
            n_missing++;
        }
    if (n_missing > 0)
        tell(r, zone, is_reversed ? missing : start, is_reversed ? start : missing, n_missing);
}

static void turn_around(struct reach *r)
{
    for (size_t i = 0; i < r->n_edge; i++)
        r->edge[i] = (struct edge){r->edge[i].to, r->edge[i].from};
    if (r->n_edge > 1)
        qsort(r->edge, r->n_edge, sizeof *r->edge, by_ends);
}

static bool finds_paths(const char *routing)
{
    return strcmp(routing, "Floyd") == 0 || strncmp(routing, "Dijkstra", 8) == 0;
}

static bool declares_pairs(const char *routing)
{
    return strcmp(routing, "Full") == 0 || strcmp(routing, "None") == 0;
}

static void check_zones(struct reach *r)
{
    const struct mr_site *site = r->c->site;
    for (uint32_t z = 0; z < site->n_zone; z++) {
        if (declares_pairs(site->zone[z].routing))
            check_full(r, z);
        if (finds_paths(site->zone[z].routing))
            check_paths(r, z, false);
    }
    bool has_one_way = false;
    for (size_t i = 0; i < site->n_route; i++)
        has_one_way = has_one_way || site->route[i].is_one_way;
    if (!has_one_way)
        return;
    turn_around(r);
    for (uint32_t z = 0; z < site->n_zone; z++)
        if (finds_paths(site->zone[z].routing))
            check_paths(r, z, true);
}

mr_status mr_check_reach(const struct mr_check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    struct mr_arena arena = {0};
    struct reach r = {.c = c};
    if (site->n_host < 2)
        return MR_OK;
    r.n_point = site->n_host + site->n_router + site->n_zone; /* at least */
    r.point = mr_arena_zero(&arena, r.n_point, sizeof *r.point, err);
    r.first = mr_arena_zero(&arena, site->n_zone + 1, sizeof *r.first, err);
    r.edge = mr_arena_zero(&arena, 2 * site->n_route, sizeof *r.edge, err);
    r.queue = mr_arena_zero(&arena, r.n_point, sizeof *r.queue, err);
    r.is_seen = mr_arena_zero(&arena, r.n_point, 1, err);
    uint32_t *next = mr_arena_zero(&arena, site->n_zone, sizeof *next, err);
    bool *holds_host = mr_arena_zero(&arena, site->n_zone, sizeof *holds_host, err);
    mr_status st = MR_NOMEM;
    if (r.point != NULL && r.first != NULL && r.edge != NULL && r.queue != NULL &&
        r.is_seen != NULL && next != NULL && holds_host != NULL) {
        for (size_t i = 0; i < site->n_host; i++)
            for (uint32_t z = site->host[i].zone; z != MR_SITE_NONE && !holds_host[z];
                 z = site->zone[z].parent)
                holds_host[z] = true;
        count_points(site, r.first);
        r.n_point = r.first[site->n_zone];
        fill_points(&r, next, holds_host);
        st = name_points(&r, err);
    }
    if (st == MR_OK)
        st = fill_edges(&r, err);
    if (st == MR_OK)
        check_zones(&r);
    mr_intern_fini(&r.names);
    mr_arena_fini(&arena);
    return st;
}
