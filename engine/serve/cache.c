/* SPDX-License-Identifier: Apache-2.0 */
/* Ages and pins over the tree of extents.
 *
 * Ages. Extents that nobody pins stand in one list from oldest to youngest. Release appends the
 * nodes of its path from the last up to the root, so two things always hold: an ancestor is never
 * older than a descendant, and of the same age the deeper one is older. Hence the head of the list
 * is a leaf, and cutting blocks off its tail takes them in the order of a list of single blocks in
 * which each call's last block is its oldest.
 *
 * Pins. n_pin of a node counts the holds that end in it and its pinned children, so a pin climbs
 * only to the first ancestor that is pinned already, and a release to the first that stays so. A
 * pinned node is in no list: release makes it youngest anyway. A hold ends where its node ends, so
 * a pinned node is not extended but by its only holder.
 *
 * Background work. What only calls that yield have used stands in a list of its own and goes before
 * all else. Who uses a block uses those above it: so below a block of that kind there are no
 * others, and the heads of both lists are leaves.
 *
 * Joining. On the way up a node takes the blocks of a parent that has no other child, was released
 * by the same call and is named in sequence: paths shrink to their branches. */
#include "engine/serve/cache.h"

#include "engine/base/assert.h"
#include "engine/serve/cache_tier.h"

/* ---- pins ---- */

static struct mr_cache_list *list_of(struct mr_cache *cache, uint32_t i)
{
    return cache->tree.node[i].yields ? &cache->first : &cache->list;
}

/* A call that does not yield uses a path that is pinned: none of it is background work's any more.
 * @param[in] top the first node above that is known for that */
static void keep(struct mr_cache *cache, const struct mr_cache_path *path, uint32_t i, uint32_t top)
{
    struct mr_cache_node *node = cache->tree.node;
    if (path->yields || !cache->has_yielding)
        return;
    for (; i != top; i = node[i].parent)
        node[i].yields = false;
}

/* @param[in] is_found a call has found these blocks; else it has made them */
static void pin(struct mr_cache *cache, uint32_t i, bool is_found)
{
    struct mr_cache_node *node = cache->tree.node;
    for (; i != 0; i = node[i].parent) {
        if (is_found && node[i].n_use < MR_CACHE_USES)
            node[i].n_use++;
        if (node[i].is_pinned) {
            node[i].n_pin++;
            break;
        }
        mr_cache_list_remove(list_of(cache, i), cache->tree.node, i);
        node[i].is_pinned = true;
        node[i].n_pin = 1;
        cache->n_pinned += node[i].n;
    }
}

/* Take one pin off; what is free of pins becomes youngest, deepest first. Whoever uses a block uses
 * those above it, of which the climb of a pin may have missed some. */
static void unpin(struct mr_cache *cache, uint32_t i)
{
    struct mr_cache_node *node = cache->tree.node;
    uint32_t lower = 0, n_use = 0;
    while (i != 0) {
        const uint32_t parent = node[i].parent;
        MR_ASSERT(node[i].is_pinned && node[i].n_pin > 0);
        if (node[i].n_use < n_use)
            mr_cache_set_uses(&node[i], n_use);
        n_use = node[i].n_use;
        if (--node[i].n_pin > 0)
            break;
        node[i].is_pinned = false;
        cache->n_pinned -= node[i].n;
        if (lower != 0 && node[lower].yields == node[i].yields &&
            mr_cache_tree_can_join(&cache->tree, lower)) {
            mr_cache_tree_join(&cache->tree, lower);
            mr_cache_set_uses(&node[lower], n_use);
        } else {
            mr_cache_list_append(list_of(cache, i), cache->tree.node, i);
            lower = i;
        }
        i = parent;
    }
}

/* The path ends after `n` blocks of node i, within it: pins and ages hold for whole nodes.
 * @return the node that ends there */
static uint32_t cut_at(struct mr_cache *cache, uint32_t i, uint32_t n_block)
{
    struct mr_cache_tree *tree = &cache->tree;
    const uint32_t upper = mr_cache_tree_split(tree, i, n_block - tree->node[i].start);
    tree->node[upper].n_use = tree->node[i].n_use;
    tree->node[upper].yields = tree->node[i].yields;
    if (tree->node[i].is_pinned) {
        tree->node[upper].is_pinned = true;
        tree->node[upper].n_pin = 1; /* its child */
    } else {
        mr_cache_list_insert_after(list_of(cache, i), tree->node, upper,
                                   i); /* as old, and deeper goes first */
    }
    return upper;
}

/* Most often the node ends there already. */
static inline uint32_t end_at(struct mr_cache *cache, uint32_t i, uint32_t n_block)
{
    const struct mr_cache_node *node = &cache->tree.node[i];
    return i == 0 || node->start + node->n == n_block ? i : cut_at(cache, i, n_block);
}

/* ---- room ---- */

static void evict_some(struct mr_cache *cache)
{
    while (cache->n_block > cache->n_limit && (cache->first.oldest | cache->list.oldest) != 0) {
        const uint32_t i = cache->first.oldest != 0 ? cache->first.oldest : cache->list.oldest;
        struct mr_cache_node *node = &cache->tree.node[i];
        uint32_t n = cache->n_block - cache->n_limit;
        MR_ASSERT(node->child == 0);
        if (n > node->n)
            n = node->n;
        if (cache->lower != NULL)
            mr_cache_tier_take(cache->lower, &cache->tree, i, n);
        if (n == node->n) {
            mr_cache_list_remove(list_of(cache, i), cache->tree.node, i);
            mr_cache_tree_remove(&cache->tree, i);
        } else {
            node->n -= n;
        }
        cache->n_block -= n;
        cache->counts.n_evicted_block += n;
        cache->counts.n_eviction++;
    }
    if (cache->lower != NULL)
        mr_cache_tier_settle(cache->lower);
}

static inline void evict(struct mr_cache *cache)
{
    if (cache->n_block > cache->n_limit || cache->lower != NULL)
        evict_some(cache);
}

uint32_t mr_cache_limit(struct mr_cache *cache, uint32_t n_limit)
{
    cache->n_limit = n_limit;
    evict(cache);
    return cache->n_block > n_limit ? cache->n_block - n_limit : 0;
}

/* ---- calls ---- */

uint32_t mr_cache_resident(struct mr_cache *cache, const struct mr_cache_path *path, uint32_t n_max)
{
    return mr_cache_tree_match(&cache->tree, path, (struct mr_cache_spot){0, 0}, n_max).n_block;
}

mr_status mr_cache_acquire(struct mr_cache *cache, const struct mr_cache_path *path, uint32_t n_max,
                           struct mr_cache_hold *hold, struct mr_err *err)
{
    MR_TRY(mr_cache_tree_reserve(&cache->tree, 1, err)); /* one cut */
    const struct mr_cache_spot spot =
        mr_cache_tree_match(&cache->tree, path, (struct mr_cache_spot){0, 0}, n_max);
    *hold = (struct mr_cache_hold){end_at(cache, spot.node, spot.n_block), spot.n_block};
    pin(cache, hold->node, true);
    keep(cache, path, hold->node, 0);
    cache->counts.n_acquired++;
    cache->counts.n_hit_block += spot.n_block;
    return MR_OK;
}

/* May blocks be added to node i itself, by the holder of `held`? */
static bool can_grow(const struct mr_cache_node *node, uint32_t i, uint32_t held, uint64_t id,
                     bool yields)
{
    return i != 0 && node[i].child == 0 && node[i].id + node[i].n == id &&
           node[i].yields == yields && mr_cache_pins(&node[i]) == (i == held ? 1 : 0);
}

/* Add what the path has beyond `spot`, from the place `skip` of its run r on.
 * @return the node in which it ends */
static uint32_t append(struct mr_cache *cache, struct mr_cache_spot spot,
                       const struct mr_cache_path *path, uint32_t r, uint32_t skip, uint32_t held)
{
    struct mr_cache_tree *tree = &cache->tree;
    uint32_t i = spot.node;
    for (; r < path->n_run; r++, skip = 0) {
        const uint64_t id = path->run[r].id + skip;
        const uint32_t n = path->run[r].n - skip;
        tree->n_step++;
        if (can_grow(tree->node, i, held, id, path->yields)) {
            tree->node[i].n += n;
            if (tree->node[i].is_pinned)
                cache->n_pinned += n;
        } else {
            i = mr_cache_tree_add(tree, i, id, n);
            tree->node[i].yields = path->yields;
            cache->has_yielding |= path->yields;
            mr_cache_list_append(list_of(cache, i), cache->tree.node, i);
        }
    }
    cache->n_block += path->n_block - spot.n_block;
    cache->counts.n_inserted_block += path->n_block - spot.n_block;
    return i;
}

mr_status mr_cache_extend(struct mr_cache *cache, struct mr_cache_hold *hold,
                          const struct mr_cache_path *path, uint32_t *n_new, struct mr_err *err)
{
    MR_ASSERT(path->n_block >= hold->n_block);
    struct mr_cache_spot spot = {hold->node, hold->n_block};
    /* a hold ends where its node does: below a leaf there is nothing to look for */
    if (hold->node == 0 || cache->tree.node[hold->node].child != 0)
        spot = mr_cache_tree_match(&cache->tree, path, spot, path->n_block);
    if (path->n_block > UINT32_MAX - cache->n_block)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "prefix cache: more than 2^32 blocks");
    uint32_t skip = 0, r = path->n_run;
    if (spot.n_block < path->n_block)
        r = mr_cache_tree_run_at(&cache->tree, path, spot.n_block, &skip);
    MR_TRY(mr_cache_tree_reserve(&cache->tree, path->n_run - r + 1, err));
    uint32_t end = end_at(cache, spot.node, spot.n_block);
    if (r < path->n_run)
        end = append(cache, (struct mr_cache_spot){end, spot.n_block}, path, r, skip, hold->node);
    if (end != hold->node) {
        pin(cache, end, false);
        if (hold->node != 0) /* pinned from below now: nothing to climb for */
            cache->tree.node[hold->node].n_pin--;
    }
    keep(cache, path, end, hold->node);
    *hold = (struct mr_cache_hold){end, path->n_block};
    if (n_new != NULL)
        *n_new = path->n_block - spot.n_block;
    evict(cache);
    return MR_OK;
}

struct mr_cache_ref mr_cache_release(struct mr_cache *cache, struct mr_cache_hold *hold)
{
    const uint32_t i = hold->node;
    const struct mr_cache_node *node = &cache->tree.node[i];
    MR_ASSERT(i == 0 || (node->is_pinned && node->start + node->n == hold->n_block));
    unpin(cache, i);
    const struct mr_cache_ref ref = {i, node->generation};
    *hold = (struct mr_cache_hold){0, 0};
    evict(cache);
    return ref;
}

/* ---- loss ---- */

static uint32_t first_leaf(const struct mr_cache_node *node, uint32_t i)
{
    while (node[i].child != 0)
        i = node[i].child;
    return i;
}

/* Children before parents, so that each that goes is a leaf. A pinned one has only pinned
 * ancestors, which stay with it. */
static void drop_below(struct mr_cache *cache, uint32_t top)
{
    const struct mr_cache_node *node = cache->tree.node;
    uint32_t i = first_leaf(node, top);
    for (bool is_last = false; !is_last;) {
        const uint32_t sibling = node[i].next, parent = node[i].parent;
        is_last = i == top;
        if (!node[i].is_pinned) {
            cache->n_block -= node[i].n;
            cache->counts.n_dropped_block += node[i].n;
            mr_cache_list_remove(list_of(cache, i), cache->tree.node, i);
            mr_cache_tree_remove(&cache->tree, i);
        }
        i = sibling != 0 ? first_leaf(node, sibling) : parent;
    }
}

mr_status mr_cache_drop(struct mr_cache *cache, const struct mr_cache_path *path, uint32_t first,
                        struct mr_err *err)
{
    struct mr_cache_tree *tree = &cache->tree;
    MR_TRY(mr_cache_tree_reserve(tree, 1, err));
    /* one block further than `first`, if it is there, lies in the topmost node to go */
    uint32_t i = 0;
    const struct mr_cache_spot spot =
        mr_cache_tree_match(tree, path, (struct mr_cache_spot){0, 0}, path->n_block);
    if (spot.n_block <= first)
        return MR_OK;
    for (i = spot.node; tree->node[i].start > first; i = tree->node[i].parent)
        tree->n_step++;
    if (tree->node[i].start < first)
        (void)end_at(cache, i, first);
    drop_below(cache, i);
    return MR_OK;
}

void mr_cache_clear(struct mr_cache *cache)
{
    cache->counts.n_dropped_block += cache->n_block;
    mr_cache_tree_clear(&cache->tree);
    cache->list.oldest = cache->list.youngest = 0;
    cache->first.oldest = cache->first.youngest = 0;
    cache->n_block = cache->n_pinned = 0;
}

/* ---- life ---- */

mr_status mr_cache_init(struct mr_cache *cache, uint32_t n_limit, struct mr_err *err)
{
    *cache = (struct mr_cache){.n_limit = n_limit};
    return mr_cache_tree_init(&cache->tree, err);
}

void mr_cache_fini(struct mr_cache *cache)
{
    mr_cache_tree_fini(&cache->tree);
    *cache = (struct mr_cache){0};
}

size_t mr_cache_bytes(const struct mr_cache *cache)
{
    return sizeof *cache + mr_cache_tree_bytes(&cache->tree);
}
