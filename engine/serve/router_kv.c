/* SPDX-License-Identifier: Apache-2.0 */
/* When an extent is marked it learns what those above it know, each holder with the number of
 * blocks it has, so that nothing is lost when extents are joined, for the lower one stays. One that
 * was cut knows too little of its new upper part: that one takes over from the part below it. */
#include "engine/serve/router_kv.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/serve/call_path.h"
#include "engine/serve/handover.h"
#include "engine/serve/instance_wait.h"
#include "engine/serve/onboard.h"

#include <math.h>

/* ---- costs ---- */

static double load_s(const struct mr_router_kv *kv, const struct mr_router *router, uint32_t i,
                     double call_s)
{
    return (double)mr_instance_wait_whole_tok(&kv->instance[i]) / kv->read_tok_s +
           call_s * (double)router->n_call[i];
}

/* What lies below its HBM saves of a prompt: nothing where loading takes longer than computing. */
static double gain_s(const struct mr_instance *instance, const struct mr_call *call, double found,
                     double now_s)
{
    if (instance->onboard == NULL)
        return 0;
    return mr_onboard_gain_s(instance, call,
                             (uint32_t)found / (uint32_t)instance->serving->block_tokens, now_s);
}

double mr_router_kv_cost_s(const struct mr_router_kv *kv, const struct mr_router *router,
                           const struct mr_call *call, uint32_t i, double call_s, double now_s)
{
    const double found = (double)mr_handover_found(&kv->instance[i], call, now_s);
    return load_s(kv, router, i, call_s) +
           mr_instance_wait_read_s(kv->instance[i].serving, found, (double)call->n_prompt - found) -
           gain_s(&kv->instance[i], call, found, now_s);
}

void mr_router_kv_update(struct mr_router_kv *kv, const struct mr_router *router, uint32_t i)
{
    const bool is_open = mr_tree_key(&router->load, i) != MR_TREE_NEVER;
    mr_tree_set(&kv->load, i,
                is_open ? (uint64_t)fmin(1e18, 1e9 * load_s(kv, router, i, kv->call_s))
                        : MR_TREE_NEVER);
}

/* ---- choosing ---- */

struct mr_router_goal mr_router_kv_predict(const struct mr_router_kv *kv,
                                           const struct mr_call *call, uint32_t i, double now_s)
{
    const struct mr_instance *instance = &kv->instance[i];
    const double found = (double)mr_handover_found(&kv->instance[i], call, now_s);
    const double prompt = (double)call->n_prompt;
    return (struct mr_router_goal){
        (double)mr_instance_wait_tok(instance, now_s) / kv->read_tok_s +
            mr_instance_wait_step_s(instance, 0, found, prompt - found, now_s) -
            gain_s(instance, call, found, now_s),
        mr_instance_wait_step_s(instance, prompt + 1, 0, 0, now_s)};
}

struct choice {
    uint32_t best;
    bool misses; /* its tier's objectives */
    double cost_s;
    double call_s; /* w */
};

static bool is_better(const struct choice *a, const struct choice *b)
{
    if (b->best == MR_ROUTER_NOWHERE || a->misses != b->misses)
        return b->best == MR_ROUTER_NOWHERE || b->misses;
    return a->cost_s < b->cost_s || (a->cost_s == b->cost_s && a->best < b->best);
}

/* Of equals the lowest number. */
static void look(struct mr_router_kv *kv, const struct mr_router *router,
                 const struct mr_router_seeker *seeker, uint32_t i, double now_s,
                 struct choice *choice)
{
    if (i == MR_ROUTER_NOWHERE || i == choice->best ||
        mr_tree_key(&router->load, i) == MR_TREE_NEVER)
        return;
    struct choice own = {.best = i, .call_s = choice->call_s};
    if (kv->by_slo) {
        const struct mr_router_goal *goal = &seeker->goal;
        const struct mr_router_goal is = mr_router_kv_predict(kv, seeker->call, i, now_s);
        own.cost_s = is.ttft_s;
        own.misses = (goal->ttft_s > 0 && is.ttft_s > goal->ttft_s) ||
                     (goal->tpot_s > 0 && is.tpot_s > goal->tpot_s);
    } else {
        own.cost_s = mr_router_kv_cost_s(kv, router, seeker->call, i, choice->call_s, now_s);
    }
    kv->n_look++;
    if (is_better(&own, choice))
        *choice = own;
}

static struct mr_cache_path path_of(const struct mr_router_kv *kv, const struct mr_call *call,
                                    struct mr_cache_run own[2])
{
    struct mr_cache_path path;
    mr_call_path_of(kv->instance->calls, call, call->n_prompt, kv->instance->serving->block_tokens,
                    0, own, &path);
    return path;
}

/* Of an extent, then of those above it, which may have been sent to others since. */
static uint32_t holders_of(const struct mr_router_kv *kv, uint32_t node,
                           uint32_t holder[MR_ROUTER_KV_HOLDERS])
{
    uint32_t n = 0;
    for (uint32_t i = node; i != 0 && i < kv->extent_cap; i = kv->directory.tree.node[i].parent) {
        const struct mr_router_kv_extent *extent = &kv->extent[i];
        if (extent->generation != kv->directory.tree.node[i].generation)
            continue;
        for (uint32_t k = 0; k < extent->n; k++) {
            uint32_t known = 0;
            while (known < n && holder[known] != extent->holder[k])
                known++;
            if (known < n)
                continue;
            holder[n++] = extent->holder[k];
            if (n == MR_ROUTER_KV_HOLDERS)
                return n;
        }
    }
    return n;
}

uint32_t mr_router_kv_choose(struct mr_router_kv *kv, const struct mr_router *router,
                             const struct mr_router_seeker *seeker, double now_s)
{
    struct mr_cache_run own[2];
    struct choice choice = {
        .best = MR_ROUTER_NOWHERE, .cost_s = (double)INFINITY, .call_s = seeker->call_s};
    uint32_t holder[MR_ROUTER_KV_HOLDERS];
    if (router->n_open == 0)
        return MR_ROUTER_NOWHERE;
    look(kv, router, seeker, mr_tree_winner(&kv->load), now_s, &choice);
    if (kv->instance->serving->has_cache) {
        const struct mr_cache_path path = path_of(kv, seeker->call, own);
        const struct mr_cache_spot spot = mr_cache_tree_match(
            &kv->directory.tree, &path, (struct mr_cache_spot){0, 0}, path.n_block);
        const uint32_t n = holders_of(kv, spot.node, holder);
        for (uint32_t k = 0; k < n; k++)
            look(kv, router, seeker, holder[k], now_s, &choice);
    }
    look(kv, router, seeker, seeker->last, now_s, &choice);
    for (uint64_t k = 0; k < 2; k++) {
        const uint64_t number = mr_rng_u64_at(router->seed, MR_RNG_ROUTER, seeker->id, k);
        look(kv, router, seeker, router->open[number % router->n_open], now_s, &choice);
    }
    return choice.best;
}

/* ---- remembering ---- */

/* The last first; who is there already moves to the front. */
static void remember(struct mr_router_kv_extent *extent, uint32_t instance)
{
    uint32_t at = 0;
    while (at < extent->n && extent->holder[at] != instance)
        at++;
    if (at == extent->n && extent->n < MR_ROUTER_KV_HOLDERS)
        extent->n++;
    if (at == MR_ROUTER_KV_HOLDERS)
        at--;
    for (; at > 0; at--)
        extent->holder[at] = extent->holder[at - 1];
    extent->holder[0] = instance;
}

/* Behind all others: what is told by another extent is older than what is known here. */
static void learn(struct mr_router_kv_extent *extent, const struct mr_router_kv_extent *from)
{
    for (uint32_t k = 0; k < from->n; k++) {
        uint32_t at = 0;
        while (at < extent->n && extent->holder[at] != from->holder[k])
            at++;
        if (at == extent->n && at < MR_ROUTER_KV_HOLDERS)
            extent->holder[extent->n++] = from->holder[k];
    }
}

/* An extent that is new in its slot: the upper part of one that was cut, or a leaf. */
static void inherit(struct mr_router_kv *kv, uint32_t i)
{
    const struct mr_cache_node *node = kv->directory.tree.node;
    struct mr_router_kv_extent *extent = &kv->extent[i];
    if (extent->generation == node[i].generation && extent->n > 0)
        return;
    *extent = (struct mr_router_kv_extent){.generation = node[i].generation};
    for (uint32_t c = node[i].child; c != 0; c = node[c].next)
        if (kv->extent[c].generation == node[c].generation)
            learn(extent, &kv->extent[c]);
}

static mr_status mark(struct mr_router_kv *kv, uint32_t leaf, uint32_t instance, struct mr_err *err)
{
    const struct mr_cache_node *node = kv->directory.tree.node;
    const size_t before = kv->extent_cap;
    size_t n = 0;
    MR_TRY(mr_grow(&kv->extent, &kv->extent_cap, kv->directory.tree.cap, sizeof *kv->extent, err));
    for (size_t i = before; i < kv->extent_cap; i++)
        kv->extent[i] = (struct mr_router_kv_extent){0};
    for (uint32_t i = leaf; i != 0; i = node[i].parent) {
        MR_TRY(mr_grow(&kv->chain, &kv->chain_cap, n + 1, sizeof *kv->chain, err));
        kv->chain[n++] = i;
    }
    const struct mr_router_kv_extent *above = NULL;
    while (n-- > 0) {
        const uint32_t i = kv->chain[n];
        struct mr_router_kv_extent *extent = &kv->extent[i];
        inherit(kv, i);
        if (above != NULL)
            learn(extent, above);
        remember(extent, instance);
        above = extent;
    }
    return MR_OK;
}

mr_status mr_router_kv_sent(struct mr_router_kv *kv, const struct mr_call *call, uint32_t i,
                            struct mr_err *err)
{
    struct mr_cache_run own[2];
    struct mr_cache_hold hold;
    if (!kv->instance->serving->has_cache)
        return MR_OK;
    const struct mr_cache_path path = path_of(kv, call, own);
    if (path.n_block == 0)
        return MR_OK;
    MR_TRY(mr_cache_acquire(&kv->directory, &path, path.n_block, &hold, err));
    mr_status st = mr_cache_extend(&kv->directory, &hold, &path, NULL, err);
    if (st == MR_OK)
        st = mark(kv, hold.node, i, err);
    (void)mr_cache_release(&kv->directory, &hold);
    return st;
}

/* ---- life ---- */

mr_status mr_router_kv_create(struct mr_instance *instance, uint32_t n, int policy, double call_s,
                              struct mr_router_kv **out, struct mr_err *err)
{
    const struct mr_serving *serving = instance->serving;
    const struct mr_onboard_plan *below = serving->onboard;
    /* what is seldom used stays long where little is: longer than in the middle of all */
    double n_block = 4 * (double)n * (double)serving->n_block;
    for (uint32_t k = 0; below != NULL && k < below->n_level; k++)
        n_block += below->level[k].is_shared ? 0 : (double)n * below->level[k].n_block;
    *out = NULL;
    struct mr_router_kv *kv = mr_alloc_zero(1, sizeof *kv);
    if (kv == NULL)
        return mr_err_nomem(err, sizeof *kv);
    kv->instance = instance;
    kv->n = n;
    kv->call_s = call_s;
    kv->by_slo = policy == MR_ROUTER_SLO;
    kv->read_tok_s = mr_instance_wait_pace_tok_s(serving);
    mr_status st = mr_cache_init(&kv->directory, (uint32_t)fmin(n_block, UINT32_MAX - 1), err);
    if (st == MR_OK)
        st = mr_tree_init(&kv->load, n, err);
    if (st != MR_OK) {
        mr_router_kv_destroy(kv);
        return st;
    }
    for (uint32_t i = 0; i < n; i++)
        mr_tree_set(&kv->load, i, 0);
    *out = kv;
    return MR_OK;
}

void mr_router_kv_destroy(struct mr_router_kv *kv)
{
    if (kv == NULL)
        return;
    mr_cache_fini(&kv->directory);
    mr_tree_fini(&kv->load);
    mr_free(kv->extent);
    mr_free(kv->chain);
    mr_free(kv);
}
