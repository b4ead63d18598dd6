/* SPDX-License-Identifier: Apache-2.0 */
/* What transfers run over: links, and the routes between hosts as a list of links. A route is asked
 * for once, when its two hosts first talk, and kept: sites have tens of millions of pairs and use
 * few. Where routes come from is a table of one function, so that engine/net answers with SimGrid's
 * and a unit test with its own. One direction of a duplex link is a link of its own. */
#ifndef MR_ENGINE_SERVE_TOPOLOGY_H
#define MR_ENGINE_SERVE_TOPOLOGY_H

#include "engine/base/status.h"

#include <stdint.h>

#define MR_TOPOLOGY_NONE UINT32_MAX

enum {
    MR_TOPOLOGY_HOPS = 64 /* links of one route at most */
};

struct mr_topology_link {
    const char *name; /* lent: lives longer than the topology; NULL: the limit of two ends */
    double bandwidth_bytes_s, latency_s;
    bool is_fatpipe; /* no bottleneck by sharing: all get the full bandwidth */
};

/* Inside one host: between the packages of a rack that is one host. */
struct mr_topology_local {
    double bandwidth_bytes_s, latency_s; /* INFINITY, 0: at once */
};

struct mr_topology_path {
    uint32_t link[MR_TOPOLOGY_HOPS];
    uint32_t n_link;
};

struct mr_topology_source {
    void *data;
    /* Links from one host to another, which is never the same. */
    mr_status (*find)(void *data, uint32_t from, uint32_t to, struct mr_topology_path *path,
                      struct mr_err *err);
};

struct mr_topology_options {
    const struct mr_topology_link *link; /* copied */
    size_t n_link, n_host;
    const struct mr_topology_local *local; /* per host, copied; NULL: all at once */
    struct mr_topology_source source;
    double efficiency; /* payload over line rate, of every bandwidth, 0 < efficiency <= 1 */
};

/* The links of a route stand in mr_topology.hop; inside one host there are none. */
struct mr_topology_route {
    uint32_t from, to;
    uint32_t first, n_link;
    double latency_s;   /* sum over the links, or inside the host */
    double cap_bytes_s; /* what the two ends can do, before efficiency; INFINITY: no limit */
};

struct mr_topology {
    struct mr_topology_link *link; /* of the site, then the limits of ends; payload bandwidths */
    size_t n_link, cap_link;
    size_t n_site_link; /* the first so many are the site's */
    struct mr_topology_local *local;
    size_t n_host;
    struct mr_topology_route *route;
    size_t n_route, cap_route;
    uint32_t *hop;
    size_t n_hop, cap_hop;
    uint32_t *slot; /* open addressing: route + 1, 0 = empty */
    size_t n_slot;
    struct mr_topology_source source;
    double efficiency;
};

/** @return MR_OK, MR_RANGE (a bandwidth, latency or efficiency that cannot be), MR_NOMEM */
MR_CHECKED mr_status mr_topology_create(const struct mr_topology_options *options,
                                        struct mr_topology **out, struct mr_err *err);
void mr_topology_destroy(struct mr_topology *topology);

/** The route between two hosts, asked for when it is new.
 *  @param[in] cap_bytes_s what the two ends can do, before efficiency; INFINITY: no limit
 *  @param[out] route its index, the same in every later call */
MR_CHECKED mr_status mr_topology_route(struct mr_topology *topology, uint32_t from, uint32_t to,
                                       double cap_bytes_s, uint32_t *route, struct mr_err *err);

/** Does the route cross this link? */
bool mr_topology_crosses(const struct mr_topology *topology, uint32_t route, uint32_t link);

/** Smallest bandwidth along the route, of payload [B/s]. */
double mr_topology_bandwidth_bytes_s(const struct mr_topology *topology, uint32_t route);

/** A link's line rate from now on. */
void mr_topology_set_bandwidth(struct mr_topology *topology, uint32_t link,
                               double bandwidth_bytes_s);

#endif
