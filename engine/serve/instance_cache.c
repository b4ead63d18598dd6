/* SPDX-License-Identifier: Apache-2.0 */
/* Names of blocks are those of call_path.h. */
#include "engine/serve/instance_cache.h"

#include "engine/base/assert.h"
#include "engine/serve/call_path.h"
#include "engine/serve/handover.h"
#include "engine/serve/instance_wait.h"
#include "engine/serve/onboard.h"
#include "engine/work/script.h"

/* A held extent is pinned: nobody adds to it, and who cuts it leaves its end where it is. */
static struct mr_cache_hold hold_of(const struct mr_instance *instance, const struct mr_call *call)
{
    const struct mr_cache_node *node = &instance->cache.tree.node[call->pinned];
    return (struct mr_cache_hold){call->pinned, call->pinned != 0 ? node->start + node->n : 0};
}

uint32_t mr_instance_cache_held(const struct mr_instance *instance, const struct mr_call *call)
{
    return instance->serving->has_cache ? hold_of(instance, call).n_block : 0;
}

static void path_of(const struct mr_instance *instance, const struct mr_call *call, uint64_t n_tok,
                    uint32_t from, struct mr_cache_run run[2], struct mr_cache_path *path)
{
    mr_call_path_of(instance->calls, call, n_tok, instance->serving->block_tokens, from, run, path);
}

/* The prompt of a call that waits. What its lane's last context has in common with it is looked up
 * where that context ended, if it did so in this cache and is still there. */
static void prompt_of(const struct mr_instance *instance, const struct mr_call *call,
                      struct mr_cache_run run[2], struct mr_cache_path *path)
{
    const struct mr_cache_tree *tree = &instance->cache.tree;
    const struct mr_cache_ref last = {call->pinned, call->generation};
    if (!call->is_scripted || last.i == 0 || !mr_cache_tree_is_live(tree, last)) {
        path_of(instance, call, call->n_prompt, 0, run, path);
        return;
    }
    const uint32_t n_keep = instance->calls->script->context[call->context].n_keep;
    const uint32_t end = tree->node[last.i].start + tree->node[last.i].n;
    const uint32_t n_most = mr_cache_reusable(call->n_prompt, instance->serving->block_tokens);
    const uint32_t n_known = n_keep < end ? n_keep : end;
    path_of(instance, call, call->n_prompt, n_known < n_most ? n_known : n_most, run, path);
    path->hint = last;
    path->n_keep = n_keep;
}

/* Blocks at the beginning of a call's path that other sessions share. */
static uint32_t shared_of(const struct mr_instance *instance, const struct mr_call *call)
{
    const struct mr_script *script = instance->calls->script;
    uint32_t n = 0;
    if (!call->is_scripted)
        return mr_cache_whole(call->n_prefix, instance->serving->block_tokens);
    const struct mr_script_context context = script->context[call->context];
    for (uint32_t i = 0; i < context.n_run && script->run[context.run + i].space != 0; i++)
        n += script->run[context.run + i].n;
    return n;
}

mr_status mr_instance_cache_forget(struct mr_instance *instance, const struct mr_call *call,
                                   struct mr_err *err)
{
    struct mr_cache_run run[2];
    struct mr_cache_path path;
    path_of(instance, call, (uint64_t)call->n_prompt + call->n_output - 1, 0, run, &path);
    const uint32_t first = shared_of(instance, call);
    if (!instance->serving->has_cache || path.n_block <= first)
        return MR_OK;
    MR_TRY(mr_cache_drop(&instance->cache, &path, first, err));
    return mr_onboard_drop(instance, &path, first, err);
}

mr_status mr_instance_cache_warm(struct mr_instance *instance, const struct mr_call *call,
                                 double now_s, struct mr_err *err)
{
    struct mr_cache_run run[2];
    struct mr_cache *cache = &instance->cache;
    struct mr_cache_hold hold;
    if (!instance->serving->has_cache)
        return MR_OK;
    struct mr_cache_path path;
    path_of(instance, call, call->n_prompt, 0, run, &path);
    const uint64_t n_free = mr_handover_free(instance, now_s);
    if (path.n_block > n_free) /* the others are in use */
        return MR_OK;
    (void)mr_cache_limit(cache, (uint32_t)(cache->n_pinned + n_free));
    MR_TRY(mr_cache_acquire(cache, &path, path.n_block, &hold, err));
    MR_TRY(mr_cache_extend(cache, &hold, &path, NULL, err));
    (void)mr_cache_release(cache, &hold);
    return MR_OK;
}

uint64_t mr_instance_cache_found(struct mr_instance *instance, const struct mr_call *call)
{
    struct mr_cache_run run[2];
    const uint32_t size = instance->serving->block_tokens;
    struct mr_cache_path path;
    path_of(instance, call, call->n_prompt, 0, run, &path);
    return (uint64_t)mr_cache_resident(&instance->cache, &path,
                                       mr_cache_reusable(call->n_prompt, size)) *
           size;
}

mr_status mr_instance_cache_take(struct mr_instance *instance, struct mr_call *call,
                                 struct mr_err *err)
{
    struct mr_cache_run run[2];
    struct mr_cache *cache = &instance->cache;
    if (!instance->serving->has_cache)
        return MR_OK;
    MR_ASSERT(call->space > 0); /* 0 is what all share */
    const uint32_t before = cache->n_pinned;
    struct mr_cache_path path;
    struct mr_cache_hold hold;
    prompt_of(instance, call, run, &path);
    MR_TRY(mr_cache_acquire(cache, &path,
                            mr_cache_reusable(call->n_prompt, instance->serving->block_tokens),
                            &hold, err));
    call->pinned = hold.node;
    call->generation = 0;
    instance->n_free -= cache->n_pinned - before;
    instance->n_waiting_tok -= mr_instance_wait_rest(call); /* now it is known */
    call->n_read = hold.n_block * instance->serving->block_tokens;
    instance->n_waiting_tok += mr_instance_wait_rest(call);
    if (!call->is_scheduled)
        call->n_cached = call->n_read;
    return MR_OK;
}

mr_status mr_instance_cache_came(struct mr_instance *instance, struct mr_call *call,
                                 uint32_t n_block, struct mr_err *err)
{
    struct mr_cache_run run[2];
    struct mr_cache *cache = &instance->cache;
    struct mr_cache_hold hold = hold_of(instance, call);
    const uint32_t size = instance->serving->block_tokens, before = cache->n_pinned;
    struct mr_cache_path path;
    path_of(instance, call, (uint64_t)n_block * size, hold.n_block, run, &path);
    (void)mr_cache_limit(cache, (uint32_t)(cache->n_pinned + instance->n_free));
    MR_TRY(mr_cache_extend(cache, &hold, &path, NULL, err));
    call->pinned = hold.node;
    instance->n_free -= cache->n_pinned - before;
    call->n_read = n_block * size;
    if (!call->is_scheduled)
        call->n_cached = call->n_read;
    return MR_OK;
}

mr_status mr_instance_cache_leave(struct mr_instance *instance, struct mr_call *call,
                                  uint64_t n_computed, struct mr_err *err)
{
    struct mr_cache_run run[2];
    struct mr_cache *cache = &instance->cache;
    struct mr_cache_hold hold = hold_of(instance, call);
    const uint32_t before = cache->n_pinned;
    const uint64_t own = mr_blocks_of(&instance->blocks, n_computed) - hold.n_block;
    /* the last of a call's steps may have room for more than it makes */
    const uint64_t most = (uint64_t)call->n_prompt + call->n_output - 1;
    struct mr_cache_path path;
    path_of(instance, call, n_computed < most ? n_computed : most, hold.n_block, run, &path);
    /* own blocks are free before they are cached, so that the limit lets them in */
    instance->n_free += own;
    (void)mr_cache_limit(cache, (uint32_t)(cache->n_pinned + instance->n_free));
    if (path.n_block > hold.n_block)
        MR_TRY(mr_cache_extend(cache, &hold, &path, NULL, err));
    mr_onboard_write(instance, hold.node);
    call->pinned = mr_cache_release(cache, &hold).i;
    call->generation = 0;
    instance->n_free += before;
    instance->n_free -= cache->n_pinned;
    mr_instance_cache_yield(instance);
    return MR_OK;
}
