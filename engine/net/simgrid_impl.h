/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid's functions, found when one is first needed: fifty other libraries come with it, and to
 * load them all takes longer than many a run without a network. Include this instead of SimGrid's
 * headers; what it names may be called once a platform was loaded. Not so what is inline in those
 * headers: it would need the library at link time (sg_actor_start_ has the work of sg_actor_start).
 */
#ifndef MR_ENGINE_NET_SIMGRID_IMPL_H
#define MR_ENGINE_NET_SIMGRID_IMPL_H

#include "engine/base/status.h"

#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/host.h>
#include <simgrid/link.h>
#include <simgrid/semaphore.h>
#include <xbt/config.h>
#include <xbt/dynar.h>
#include <xbt/sysdep.h>

#define MR_SIMGRID_LIST(X)         \
    X(sg_actor_init)               \
    X(sg_actor_kill)               \
    X(sg_actor_self_get_data)      \
    X(sg_actor_set_data)           \
    X(sg_actor_sleep_until)        \
    X(sg_actor_start_)             \
    X(sg_actor_yield)              \
    X(sg_cfg_get_int)              \
    X(sg_cfg_set_int)              \
    X(sg_host_core_count)          \
    X(sg_host_count)               \
    X(sg_host_get_name)            \
    X(sg_host_get_pstate_speed)    \
    X(sg_host_get_route)           \
    X(sg_host_get_route_bandwidth) \
    X(sg_host_get_route_latency)   \
    X(sg_host_list)                \
    X(sg_host_self)                \
    X(sg_host_sendto)              \
    X(sg_link_count)               \
    X(sg_link_get_bandwidth)       \
    X(sg_link_get_data)            \
    X(sg_link_get_latency)         \
    X(sg_link_get_name)            \
    X(sg_link_is_shared)           \
    X(sg_link_list)                \
    X(sg_link_set_bandwidth)       \
    X(sg_link_set_data)            \
    X(sg_link_set_latency)         \
    X(sg_sem_acquire)              \
    X(sg_sem_acquire_timeout)      \
    X(sg_sem_destroy)              \
    X(sg_sem_init)                 \
    X(sg_sem_release)              \
    X(sg_sem_would_block)          \
    X(simgrid_get_clock)           \
    X(simgrid_init)                \
    X(simgrid_load_platform)       \
    X(simgrid_run)                 \
    X(xbt_dynar_free)              \
    X(xbt_dynar_get_ptr)           \
    X(xbt_dynar_length)            \
    X(xbt_dynar_new)

struct mr_simgrid_calls {
#define MR_SIMGRID_CALL(name) __typeof__(&(name)) name;
    MR_SIMGRID_LIST(MR_SIMGRID_CALL)
#undef MR_SIMGRID_CALL
};

/** Load the library this was built against, once per process. */
MR_CHECKED mr_status mr_simgrid_load(struct mr_err *err);

/** Of the library that was loaded. */
const struct mr_simgrid_calls *mr_simgrid_calls(void);

// clang-format off
#define sg_actor_init (mr_simgrid_calls()->sg_actor_init)
#define sg_actor_kill (mr_simgrid_calls()->sg_actor_kill)
#define sg_actor_self_get_data (mr_simgrid_calls()->sg_actor_self_get_data)
#define sg_actor_set_data (mr_simgrid_calls()->sg_actor_set_data)
#define sg_actor_sleep_until (mr_simgrid_calls()->sg_actor_sleep_until)
#define sg_actor_start_ (mr_simgrid_calls()->sg_actor_start_)
#define sg_actor_yield (mr_simgrid_calls()->sg_actor_yield)
#define sg_cfg_get_int (mr_simgrid_calls()->sg_cfg_get_int)
#define sg_cfg_set_int (mr_simgrid_calls()->sg_cfg_set_int)
#define sg_host_core_count (mr_simgrid_calls()->sg_host_core_count)
#define sg_host_count (mr_simgrid_calls()->sg_host_count)
#define sg_host_get_name (mr_simgrid_calls()->sg_host_get_name)
#define sg_host_get_pstate_speed (mr_simgrid_calls()->sg_host_get_pstate_speed)
#define sg_host_get_route (mr_simgrid_calls()->sg_host_get_route)
#define sg_host_get_route_bandwidth (mr_simgrid_calls()->sg_host_get_route_bandwidth)
#define sg_host_get_route_latency (mr_simgrid_calls()->sg_host_get_route_latency)
#define sg_host_list (mr_simgrid_calls()->sg_host_list)
#define sg_host_self (mr_simgrid_calls()->sg_host_self)
#define sg_host_sendto (mr_simgrid_calls()->sg_host_sendto)
#define sg_link_count (mr_simgrid_calls()->sg_link_count)
#define sg_link_get_bandwidth (mr_simgrid_calls()->sg_link_get_bandwidth)
#define sg_link_get_data (mr_simgrid_calls()->sg_link_get_data)
#define sg_link_get_latency (mr_simgrid_calls()->sg_link_get_latency)
#define sg_link_get_name (mr_simgrid_calls()->sg_link_get_name)
#define sg_link_is_shared (mr_simgrid_calls()->sg_link_is_shared)
#define sg_link_list (mr_simgrid_calls()->sg_link_list)
#define sg_link_set_bandwidth (mr_simgrid_calls()->sg_link_set_bandwidth)
#define sg_link_set_data (mr_simgrid_calls()->sg_link_set_data)
#define sg_link_set_latency (mr_simgrid_calls()->sg_link_set_latency)
#define sg_sem_acquire (mr_simgrid_calls()->sg_sem_acquire)
#define sg_sem_acquire_timeout (mr_simgrid_calls()->sg_sem_acquire_timeout)
#define sg_sem_destroy (mr_simgrid_calls()->sg_sem_destroy)
#define sg_sem_init (mr_simgrid_calls()->sg_sem_init)
#define sg_sem_release (mr_simgrid_calls()->sg_sem_release)
#define sg_sem_would_block (mr_simgrid_calls()->sg_sem_would_block)
#define simgrid_get_clock (mr_simgrid_calls()->simgrid_get_clock)
#define simgrid_init (mr_simgrid_calls()->simgrid_init)
#define simgrid_load_platform (mr_simgrid_calls()->simgrid_load_platform)
#define simgrid_run (mr_simgrid_calls()->simgrid_run)
#define xbt_dynar_free (mr_simgrid_calls()->xbt_dynar_free)
#define xbt_dynar_get_ptr (mr_simgrid_calls()->xbt_dynar_get_ptr)
#define xbt_dynar_length (mr_simgrid_calls()->xbt_dynar_length)
#define xbt_dynar_new (mr_simgrid_calls()->xbt_dynar_new)
// clang-format on

#endif
