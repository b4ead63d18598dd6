/* SPDX-License-Identifier: Apache-2.0 */
/* What flows need of the wiring: handles of hosts and links, and who asks. */
#ifndef MR_ENGINE_NET_WIRING_IMPL_H
#define MR_ENGINE_NET_WIRING_IMPL_H

#include "engine/net/platform_impl.h"
#include "engine/net/wiring.h"

struct mr_wiring {
    const struct mr_site *site;
    struct mr_platform_hosts hosts; /* by index of the site, and of the topology */
    struct mr_platform_links links; /* by index of the topology */
    struct mr_topology *topology;
    bool is_inside; /* an actor is asking */
};

#endif
