/* SPDX-License-Identifier: Apache-2.0 */
/* Loads in flight are few: one list in the order of time. A call that waits for one has room for
 * its whole prompt reserved, as admission has asked for it; when it reads it gives that back and
 * takes its blocks piece by piece, as every prompt does. Blocks that have not arrived are nobody's
 * to find: they are cached when they are here.
 *
 * Parts: levels - loads - writing and losing - life. */
#include "engine/serve/onboard.h"

#include "engine/base/mem.h"
#include "engine/serve/call_path.h"
#include "engine/serve/instance_cache.h"
#include "engine/serve/instance_wait.h"

#include <math.h>
#include <string.h>

/* ---- levels ---- */

/* A step of one chunk takes t = c a + (c before + c^2 / 2) p seconds, with a chunk before it or
 * not: two of them tell what a token costs and what a pair does. */
void mr_onboard_price(struct mr_onboard_plan *plan, const struct mr_serving *serving)
{
    const double c = serving->token_max, b = serving->block_tokens;
    const double first_s = mr_instance_wait_read_s(serving, 0, c);
    const double second_s = mr_instance_wait_read_s(serving, c, c);
    const double pair_s = fmax(0, second_s - first_s) / (c * c);
    plan->pair_s = pair_s * b * b;
    plan->block_s = fmax(0, first_s / c - pair_s * c / 2) * b;
}

mr_status mr_onboard_check(const struct mr_onboard_plan *plan, struct mr_err *err)
{
    for (uint32_t k = 0; k < plan->n_level; k++) {
        const struct mr_onboard_level *level = &plan->level[k];
        if (!level->takes_ended && (k > 0 || level->is_shared))
            return mr_err_set(
                err, MR_RANGE, MR_NOWHERE,
                "level %u of the KV memories: only the first one, of an instance, can "
                "take what is evicted: say write=\"ended\"",
                k + 1);
    }
    return MR_OK;
}

static struct mr_cache_path path_of(const struct mr_instance *instance, const struct mr_call *call,
                                    struct mr_cache_run run[2])
{
    const uint32_t b = instance->serving->block_tokens;
    struct mr_cache_path path;
    mr_call_path_of(instance->calls, call, (uint64_t)mr_cache_reusable(call->n_prompt, b) * b, b, 0,
                    run, &path);
    return path;
}

static double rate_of(const struct mr_onboard *o, uint32_t k)
{
    return o->shared[k] != NULL ? fmin(o->way[k].bytes_s, o->shared[k]->bytes_s)
                                : o->way[k].bytes_s;
}

static double free_s(const struct mr_onboard *o, uint32_t k)
{
    return o->shared[k] != NULL ? fmax(o->way[k].free_s, o->shared[k]->free_s) : o->way[k].free_s;
}

/* What of a path behind its first blocks is worth loading. @param[out] source of every level */
static struct mr_cache_load choose(const struct mr_instance *instance,
                                   const struct mr_cache_path *path, uint32_t n_held,
                                   uint64_t n_prompt, double now_s,
                                   struct mr_cache_load_source source[MR_ONBOARD_LEVELS])
{
    const struct mr_onboard *o = instance->onboard;
    const struct mr_onboard_plan *plan = o->plan;
    const struct mr_cache_load_compute compute = {
        (double)n_prompt / instance->serving->block_tokens, plan->block_s, plan->pair_s};
    uint32_t first = n_held;
    for (uint32_t k = 0; k < plan->n_level; k++) {
        source[k] = (struct mr_cache_load_source){
            .n_block = first < path->n_block ? mr_cache_tier_resident(o->tier[k], path, first) : 0,
            .latency_s = plan->level[k].latency_s + fmax(0, free_s(o, k) - now_s),
            .block_s = plan->block_bytes / rate_of(o, k)};
        first += source[k].n_block;
    }
    return mr_cache_load_choose(source, (int)plan->n_level, n_held, &compute, 0);
}

double mr_onboard_gain_s(const struct mr_instance *instance, const struct mr_call *call,
                         uint32_t n_held, double now_s)
{
    const struct mr_onboard_plan *plan = instance->serving->onboard;
    struct mr_cache_load_source source[MR_ONBOARD_LEVELS] = {{0}};
    struct mr_cache_run run[2];
    if (instance->onboard == NULL)
        return 0;
    const struct mr_cache_load_compute compute = {
        (double)call->n_prompt / instance->serving->block_tokens, plan->block_s, plan->pair_s};
    const struct mr_cache_path path = path_of(instance, call, run);
    return mr_cache_load_compute_s(&compute, n_held) -
           choose(instance, &path, n_held, call->n_prompt, now_s, source).delay_s;
}

uint32_t mr_onboard_worth(const struct mr_instance *instance, const struct mr_call *call,
                          uint32_t n_held, double now_s)
{
    struct mr_cache_load_source source[MR_ONBOARD_LEVELS] = {{0}};
    struct mr_cache_run run[2];
    const struct mr_cache_path path = path_of(instance, call, run);
    return choose(instance, &path, n_held, call->n_prompt, now_s, source).n_load;
}

double mr_onboard_resident(const struct mr_onboard_pool *pool, uint32_t level)
{
    double n = 0;
    if (pool->plan->level[level].is_shared)
        return pool->tier[level].n_block;
    for (uint32_t i = 0; i < pool->n; i++)
        n += pool->each[i].own[level].n_block;
    return n;
}

/* ---- loads ---- */

double mr_onboard_due_s(const struct mr_instance *instance)
{
    const struct mr_onboard *o = instance->onboard;
    return o != NULL && o->n_ready < o->n_load ? o->load[o->n_ready].ready_s : (double)INFINITY;
}

void mr_onboard_arrived(struct mr_instance *instance)
{
    struct mr_onboard *o = instance->onboard;
    mr_instance_interrupt(instance, o->load[o->n_ready++].ready_s);
}

void mr_onboard_look(struct mr_instance *instance, double now_s)
{
    struct mr_onboard *o = instance->onboard;
    while (o != NULL && o->n_ready < o->n_load &&
           o->load[o->n_ready].ready_s <= now_s + MR_SEGMENT_TIE_S)
        o->n_ready++;
}

/* @return when so many bytes have arrived that are asked for at a time */
static double carry(struct mr_onboard *o, uint32_t k, double at_s, double bytes)
{
    const double start_s = fmax(at_s, free_s(o, k));
    o->way[k].free_s = start_s + bytes / rate_of(o, k);
    if (o->shared[k] != NULL)
        o->shared[k]->free_s = start_s + bytes / o->shared[k]->bytes_s;
    return o->way[k].free_s + o->plan->level[k].latency_s;
}

/* What it has brought the first time; of loads after preemptions their time alone. */
static mr_status remember(struct mr_calls *calls, const struct mr_onboard_load *load,
                          struct mr_err *err)
{
    const struct mr_call *c = &calls->call[load->call];
    const double load_s = load->ready_s - load->asked_s;
    const size_t before = calls->load_cap;
    MR_TRY(mr_grow(&calls->load, &calls->load_cap, calls->n, sizeof *calls->load, err));
    for (size_t i = before; i < calls->load_cap; i++)
        calls->load[i] = (struct mr_call_load){0};
    struct mr_call_load *own = &calls->load[load->call];
    if (c->is_scheduled) {
        own->again_s[c->has_first] += load_s;
        return MR_OK;
    }
    own->load_s = load_s;
    memcpy(own->n_block, load->n_block, sizeof load->n_block);
    return MR_OK;
}

static void put(struct mr_onboard *o, const struct mr_onboard_load *load)
{
    size_t i = o->n_load++;
    for (; i > o->n_ready && o->load[i - 1].ready_s > load->ready_s; i--)
        o->load[i] = o->load[i - 1];
    o->load[i] = *load;
}

static void remove_load(struct mr_onboard *o, size_t i)
{
    o->n_ready -= i < o->n_ready;
    for (o->n_load--; i < o->n_load; i++)
        o->load[i] = o->load[i + 1];
}

static mr_status status_of(const struct mr_onboard *o, struct mr_err *err)
{
    for (uint32_t k = 0; k < o->plan->n_level; k++)
        if (o->tier[k]->status != MR_OK)
            return mr_err_set(err, o->tier[k]->status, MR_NOWHERE,
                              "level %u of the KV memories: no memory to write to", k + 1);
    return MR_OK;
}

/* Out of the queue, into the running list, with room for all of its prompt. */
static void wait_for(struct mr_instance *instance, struct mr_onboard_load *load, uint32_t n_held,
                     uint32_t n_load)
{
    struct mr_call *c = mr_instance_call(instance, load->call);
    (void)mr_instance_next(instance);
    c->state = MR_CALL_LOADING;
    mr_instance_link_after(instance, load->call, instance->tail);
    load->n_reserved = (uint32_t)mr_blocks_of(&instance->blocks, c->n_prompt) - n_held;
    load->n_rest = c->n_prompt - (n_held + n_load) * instance->serving->block_tokens;
    instance->n_free -= load->n_reserved;
    instance->n_waiting_tok += load->n_rest;
    put(instance->onboard, load);
}

mr_status mr_onboard_ask(struct mr_instance *instance, double now_s, bool *loads,
                         struct mr_err *err)
{
    struct mr_onboard *o = instance->onboard;
    struct mr_cache_load_source source[MR_ONBOARD_LEVELS] = {{0}};
    struct mr_cache_run run[2];
    MR_TRY(status_of(o, err));
    struct mr_onboard_load load = {
        .asked_s = now_s, .ready_s = now_s, .call = mr_instance_waiting(instance)};
    const struct mr_call *c = mr_instance_call(instance, load.call);
    const uint32_t n_held = mr_instance_cache_held(instance, c);
    const struct mr_cache_path path = path_of(instance, c, run);
    const uint32_t n_load = choose(instance, &path, n_held, c->n_prompt, now_s, source).n_load;
    if (n_load == 0)
        return MR_OK;
    MR_TRY(mr_grow(&o->load, &o->load_cap, o->n_load + 1, sizeof *o->load, err));
    uint32_t at = n_held;
    for (uint32_t k = 0; k < o->plan->n_level && at < n_held + n_load; k++) {
        const uint32_t left = n_held + n_load - at;
        const uint32_t n = source[k].n_block < left ? source[k].n_block : left;
        if (n == 0)
            continue;
        MR_TRY(mr_cache_tier_load(o->tier[k], &path, at, at + n, err));
        load.ready_s = carry(o, k, load.ready_s, n * o->plan->block_bytes);
        load.n_block[k] = n;
        at += n;
    }
    o->counts.load_s += load.ready_s - now_s;
    wait_for(instance, &load, n_held, n_load);
    *loads = true;
    return MR_OK;
}

mr_status mr_onboard_take(struct mr_instance *instance, uint32_t *call, struct mr_err *err)
{
    struct mr_onboard *o = instance->onboard;
    const struct mr_onboard_load load = o->load[0];
    struct mr_call *c = mr_instance_call(instance, load.call);
    uint32_t n_block = mr_instance_cache_held(instance, c);
    *call = load.call;
    MR_TRY(remember(instance->calls, &load, err));
    for (uint32_t k = 0; k < o->plan->n_level; k++) {
        n_block += load.n_block[k];
        o->counts.n_block[k] += load.n_block[k];
    }
    o->counts.n_load++;
    mr_onboard_forget(instance, load.call);
    MR_TRY(mr_instance_cache_came(instance, c, n_block, err));
    mr_instance_unlink(instance, load.call);
    mr_instance_link_after(instance, load.call, instance->tail);
    return MR_OK;
}

void mr_onboard_forget(struct mr_instance *instance, uint32_t call)
{
    struct mr_onboard *o = instance->onboard;
    size_t i = 0;
    while (o->load[i].call != call)
        i++;
    instance->n_free += o->load[i].n_reserved;
    instance->n_waiting_tok -= o->load[i].n_rest;
    remove_load(o, i);
}

/* ---- writing and losing ---- */

void mr_onboard_write(struct mr_instance *instance, uint32_t end)
{
    const struct mr_onboard *o = instance->onboard;
    const struct mr_cache_tree *tree = &instance->cache.tree;
    for (uint32_t k = 0; o != NULL && k < o->plan->n_level; k++) {
        if (!o->plan->level[k].takes_ended)
            continue;
        for (uint32_t i = end; i != 0; i = tree->node[i].parent)
            mr_cache_tier_take(o->tier[k], tree, i, tree->node[i].n);
        mr_cache_tier_settle(o->tier[k]);
    }
}

mr_status mr_onboard_drop(struct mr_instance *instance, const struct mr_cache_path *path,
                          uint32_t first, struct mr_err *err)
{
    const struct mr_onboard *o = instance->onboard;
    for (uint32_t k = 0; o != NULL && k < o->plan->n_level; k++)
        MR_TRY(mr_cache_tier_drop(o->tier[k], path, first, err));
    return MR_OK;
}

void mr_onboard_lose(struct mr_instance *instance)
{
    struct mr_onboard *o = instance->onboard;
    if (o == NULL)
        return;
    for (size_t i = 0; i < o->n_load; i++)
        instance->n_waiting_tok -= o->load[i].n_rest;
    o->n_load = o->n_ready = 0;
    for (uint32_t k = 0; k < o->plan->n_level; k++) {
        o->way[k].free_s = 0;
        if (!o->plan->level[k].is_shared)
            mr_cache_tier_clear(&o->own[k]);
    }
}

/* ---- life ---- */

static mr_status make_tier(const struct mr_onboard_plan *plan, uint32_t k, uint32_t n_instance,
                           struct mr_cache_tier *tier, struct mr_err *err)
{
    const struct mr_onboard_level *level = &plan->level[k];
    const double n_block = level->n_block * n_instance;
    const struct mr_cache_tier_params params = {.n_limit = n_block < UINT32_MAX ? (uint64_t)n_block
                                                                                : UINT32_MAX,
                                                .block_bytes = plan->block_bytes,
                                                .latency_s = level->latency_s,
                                                .bytes_s = level->bytes_s,
                                                .byte_j = level->byte_j,
                                                .min_use = level->min_use,
                                                .is_write_back = true};
    return mr_cache_tier_init(tier, &params, err);
}

static mr_status fill(struct mr_onboard_pool *pool, struct mr_instance *instance,
                      struct mr_err *err)
{
    const struct mr_onboard_plan *plan = pool->plan;
    for (uint32_t k = 0; k < plan->n_level; k++) {
        pool->way[k].bytes_s = plan->level[k].shared_bytes_s * pool->n;
        if (plan->level[k].is_shared)
            MR_TRY(make_tier(plan, k, pool->n, &pool->tier[k], err));
    }
    for (uint32_t i = 0; i < pool->n; i++) {
        struct mr_onboard *o = &pool->each[i];
        o->plan = plan;
        for (uint32_t k = 0; k < plan->n_level; k++) {
            const bool is_shared = plan->level[k].is_shared;
            o->way[k].bytes_s = plan->level[k].bytes_s;
            o->shared[k] = is_shared ? &pool->way[k] : NULL;
            o->tier[k] = is_shared ? &pool->tier[k] : &o->own[k];
            if (!is_shared)
                MR_TRY(make_tier(plan, k, 1, &o->own[k], err));
        }
        instance[i].onboard = o;
        if (!plan->level[0].takes_ended)
            instance[i].cache.lower = o->tier[0];
    }
    return MR_OK;
}

mr_status mr_onboard_open(struct mr_instance *instance, uint32_t n, struct mr_onboard_pool **out,
                          struct mr_err *err)
{
    *out = NULL;
    struct mr_onboard_pool *pool = mr_alloc_zero(1, sizeof *pool);
    if (pool == NULL)
        return mr_err_nomem(err, sizeof *pool);
    pool->plan = instance->serving->onboard;
    pool->n = n;
    pool->each = mr_alloc_zero(n, sizeof *pool->each);
    const mr_status st =
        pool->each != NULL ? fill(pool, instance, err) : mr_err_nomem(err, n * sizeof *pool->each);
    if (st != MR_OK) {
        mr_onboard_close(pool);
        return st;
    }
    *out = pool;
    return MR_OK;
}

void mr_onboard_close(struct mr_onboard_pool *pool)
{
    if (pool == NULL)
        return;
    for (uint32_t k = 0; k < MR_ONBOARD_LEVELS; k++)
        mr_cache_tier_fini(&pool->tier[k]);
    for (uint32_t i = 0; i < pool->n && pool->each != NULL; i++) {
        for (uint32_t k = 0; k < MR_ONBOARD_LEVELS; k++)
            mr_cache_tier_fini(&pool->each[i].own[k]);
        mr_free(pool->each[i].load);
    }
    mr_free(pool->each);
    mr_free(pool);
}
