/* SPDX-License-Identifier: Apache-2.0 */
/* Loads in a winner tree: the least is known, one change costs a path to the root. With affinity
 * nearly all calls go where the last one went, and all that is asked is whether the least busy
 * instance is far less so: for that a bound from below does, until it fails; then all loads of a
 * small pool are looked at, which is once in dozens of calls. */
#include "engine/serve/router.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"

#include <string.h>

enum {
    small_pool = 1024
};

mr_status mr_router_init(struct mr_router *router, int policy, uint32_t n, uint64_t seed,
                         struct mr_err *err)
{
    *router = (struct mr_router){
        .policy = policy, .seed = seed, .affinity_share = 0.5, .affinity_excess = 8};
    MR_TRY(mr_tree_init(&router->load, n, err));
    router->n_call = mr_alloc_zero(n, sizeof *router->n_call);
    router->open = mr_alloc(n, sizeof *router->open);
    const bool looks = policy == MR_ROUTER_AFFINITY && n <= small_pool;
    if (looks)
        router->key = mr_alloc_zero(n, sizeof *router->key);
    if (router->n_call == NULL || router->open == NULL || (looks && router->key == NULL)) {
        mr_router_fini(router);
        return mr_err_nomem(err, n * (2 * sizeof *router->n_call + sizeof *router->open));
    }
    for (uint32_t i = 0; i < n; i++) {
        mr_tree_set(&router->load, i, 0);
        router->open[router->n_open++] = i;
    }
    return MR_OK;
}

void mr_router_fini(struct mr_router *router)
{
    mr_tree_fini(&router->load);
    mr_free(router->n_call);
    mr_free(router->open);
    mr_free(router->key);
    *router = (struct mr_router){0};
}

static bool is_open_now(const struct mr_router *router, uint32_t instance)
{
    return mr_tree_key(&router->load, instance) != MR_TREE_NEVER;
}

void mr_router_open(struct mr_router *router, uint32_t instance, bool is_open)
{
    const uint64_t key = is_open ? router->n_call[instance] : MR_TREE_NEVER;
    uint32_t at = 0;
    if (is_open == is_open_now(router, instance))
        return;
    mr_tree_set(&router->load, instance, key);
    if (router->key != NULL)
        router->key[instance] = key;
    router->n_least = key < router->n_least ? key : router->n_least;
    while (at < router->n_open && router->open[at] < instance)
        at++;
    uint32_t *place = &router->open[at];
    if (is_open) {
        memmove(place + 1, place, (router->n_open++ - at) * sizeof *place);
        *place = instance;
    } else {
        memmove(place, place + 1, (--router->n_open - at) * sizeof *place);
    }
}

static uint32_t draw(const struct mr_router *router, uint64_t call, uint64_t i)
{
    /* a product instead of a remainder: the same for every n, biased by less than n / 2^64 */
    __extension__ typedef unsigned __int128 u128;
    const u128 number = mr_rng_u64_at(router->seed, MR_RNG_ROUTER, call, i);
    return router->open[number * router->n_open >> 64];
}

static uint32_t of_two(const struct mr_router *router, uint64_t call)
{
    const uint32_t a = draw(router, call, 0), b = draw(router, call, 1);
    const uint64_t of_a = mr_tree_key(&router->load, a), of_b = mr_tree_key(&router->load, b);
    return of_b < of_a || (of_b == of_a && b < a) ? b : a;
}

/* Calls of an instance that sessions stay with where the best one has so many. */
static double most_beside(const struct mr_router *router, uint64_t n_best)
{
    return (double)n_best * (1 + router->affinity_share) + router->affinity_excess;
}

static uint32_t least(struct mr_router *router)
{
    if (router->key != NULL) {
        for (uint32_t i = 0; i < router->n_open; i++)
            router->key[router->open[i]] = router->n_call[router->open[i]];
        mr_tree_fill(&router->load, router->key);
        router->n_least = mr_tree_winner_key(&router->load);
    }
    return mr_tree_winner(&router->load);
}

static uint32_t with_affinity(struct mr_router *router, uint32_t last)
{
    if (last == MR_ROUTER_NOWHERE || !is_open_now(router, last))
        return least(router);
    const double n_last = (double)router->n_call[last];
    if (router->key != NULL && n_last <= most_beside(router, router->n_least))
        return last;
    const uint32_t best = least(router);
    return n_last <= most_beside(router, router->n_call[best]) ? last : best;
}

uint32_t mr_router_choose(struct mr_router *router, uint64_t call, uint32_t last)
{
    const uint64_t turn = router->n_routed++;
    if (router->n_open == 0)
        return MR_ROUTER_NOWHERE;
    switch ((enum mr_router_policy)router->policy) {
    case MR_ROUTER_ROUND:
        return router->open[turn % router->n_open];
    case MR_ROUTER_RANDOM:
        return draw(router, call, 0);
    case MR_ROUTER_CHOICES:
        return of_two(router, call);
    case MR_ROUTER_AFFINITY:
        return with_affinity(router, last);
    case MR_ROUTER_LEAST:
    case MR_ROUTER_KV: /* without caches */
    case MR_ROUTER_SLO:
        break;
    }
    return mr_tree_winner(&router->load);
}

void mr_router_count(struct mr_router *router, uint32_t instance, int more)
{
    uint64_t *n = &router->n_call[instance];
    MR_ASSERT(more > 0 || *n > 0);
    *n = more > 0 ? *n + 1 : *n - 1;
    if (!is_open_now(router, instance))
        return;
    if (router->key == NULL)
        mr_tree_set(&router->load, instance, *n);
    else if (*n < router->n_least)
        router->n_least = *n;
}
