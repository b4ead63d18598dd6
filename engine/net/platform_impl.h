/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid's handles in an order that does not depend on its hash tables. */
#ifndef MR_ENGINE_NET_PLATFORM_IMPL_H
#define MR_ENGINE_NET_PLATFORM_IMPL_H

#include "engine/base/intern.h"
#include "engine/net/simgrid_impl.h"
#include "platforms/site.h"

/* SimGrid's hosts by index of the site; NULL where it has none. */
struct mr_platform_hosts {
    sg_host_t *handle;
    struct mr_intern names; /* id = index of the site's host */
    size_t n_stranger;      /* hosts the site does not know */
    const char *stranger;   /* one of them */
};

MR_CHECKED mr_status mr_platform_hosts_init(struct mr_platform_hosts *table,
                                            const struct mr_site *site, struct mr_err *err);
void mr_platform_hosts_fini(struct mr_platform_hosts *table);

/* All links between hosts, by name: both halves of a split one. */
struct mr_platform_links {
    sg_link_t *handle;
    size_t n;
};

MR_CHECKED mr_status mr_platform_links_init(struct mr_platform_links *links, struct mr_err *err);
void mr_platform_links_fini(struct mr_platform_links *links);

#endif
