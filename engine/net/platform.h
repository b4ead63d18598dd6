/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid's own reading of a platform file, held against ours; and a player of plain transfers on
 * it. SimGrid is a per-process singleton: one platform per process, all calls from one thread.
 * Routes can be asked only while SimGrid runs, so every question is answered by one actor in one
 * short run at simulated time 0. Whatever would make SimGrid abort is looked for before it sees the
 * file. */
#ifndef MR_ENGINE_NET_PLATFORM_H
#define MR_ENGINE_NET_PLATFORM_H

#include "platforms/site.h"

/* How SimGrid is started. Zero-initialize for the defaults. */
struct mr_platform_options {
    const char *const *config; /* n_config times "key:value", as after --cfg= */
    size_t n_config;
    const char *log;      /* "root.thres:warning" when NULL */
    bool under_sanitizer; /* thread contexts instead of assembly ones; those of sanitized builds */
};

/** Start SimGrid and load the site's own file (with XInclude resolved through a temporary file).
 *  A second call in one process is MR_LIMIT. */
MR_CHECKED mr_status mr_platform_load(const struct mr_site *site,
                                      const struct mr_platform_options *options,
                                      struct mr_err *err);

/** Both readings must know the same hosts (names, speeds, cores) and links (names, bandwidths,
 *  latencies, sharing). Every difference is a diagnostic. Call after mr_platform_load. */
void mr_platform_check(const struct mr_site *site, struct mr_diags *diags);

/* One route as SimGrid sees it. */
struct mr_platform_route {
    uint32_t src, dst;                   /* in: hosts of the site */
    double latency_s, bandwidth_bytes_s; /* out: sum, and the smallest of the links */
    uint32_t n_link;
};

/** Fill in n routes. */
MR_CHECKED mr_status mr_platform_routes(const struct mr_site *site, struct mr_platform_route *route,
                                        size_t n, struct mr_err *err);

/* One transfer to be played as a flow. */
struct mr_platform_transfer {
    uint32_t src, dst; /* hosts of the site */
    double bytes, start_s;
    double end_s; /* out */
};

/** Play all transfers together, from simulated time 0 of this process on. At most once per process,
 *  after every question about routes. */
MR_CHECKED mr_status mr_platform_play(const struct mr_site *site,
                                      struct mr_platform_transfer *transfer, size_t n,
                                      struct mr_err *err);

#endif
