/* SPDX-License-Identifier: Apache-2.0 */
/* Slab, table of children, matching, splitting, joining. A child is found by (parent, first id) in
 * one table for all nodes, so that thousands of sessions below one shared prefix cost no more than
 * one; children are also linked, for those who must visit them all.
 *
 * An only child stands where its parent says: the table holds those that have sisters, and no
 * others. So what grows, is cut and is joined again call by call, the one path of a session, leaves
 * the table alone, and where it has sisters one entry changes its node. */
#include "engine/serve/cache_tree.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <string.h>

enum {
    line_bytes = 64,
    cap_first = 8,
    last_generation = 0x7fffff,
    cap_busy = 1024 /* an instance of hundreds of sessions stays below it */
};

_Static_assert(sizeof(struct mr_cache_node) == 48, "four nodes are three cache lines");

/* ---- table of children ---- */

static uint32_t *bucket_of(const struct mr_cache_tree *tree, uint32_t parent, uint64_t id)
{
    /* Fibonacci hashing twice: ids and indices both come in sequences */
    uint64_t h = (id ^ (uint64_t)parent * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
    h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
    return &tree->bucket[(h >> 32) & (tree->n_bucket - 1)];
}

static void hash_insert(struct mr_cache_tree *tree, uint32_t i)
{
    struct mr_cache_node *node = &tree->node[i];
    uint32_t *bucket = bucket_of(tree, node->parent, node->id);
    node->hash_next = *bucket;
    *bucket = i;
}

static void hash_remove(struct mr_cache_tree *tree, uint32_t i)
{
    const struct mr_cache_node *node = &tree->node[i];
    uint32_t *link = bucket_of(tree, node->parent, node->id);
    while (*link != i)
        link = &tree->node[*link].hash_next;
    *link = node->hash_next;
}

static bool has_sisters(const struct mr_cache_node *node)
{
    return (node->next | node->prev) != 0;
}

/* Node `to` has the parent and the first block that `from` was found by. */
static void hash_replace(struct mr_cache_tree *tree, uint32_t from, uint32_t to)
{
    const struct mr_cache_node *node = &tree->node[to];
    uint32_t *link = bucket_of(tree, node->parent, node->id);
    while (*link != from)
        link = &tree->node[*link].hash_next;
    *link = to;
    tree->node[to].hash_next = tree->node[from].hash_next;
}

static uint32_t child_of(struct mr_cache_tree *tree, uint32_t parent, uint64_t id)
{
    const uint32_t first = tree->node[parent].child;
    if (tree->node[first].next == 0)
        return tree->node[first].id == id ? first : 0;
    uint32_t i = *bucket_of(tree, parent, id);
    while (i != 0 && (tree->node[i].id != id || tree->node[i].parent != parent)) {
        i = tree->node[i].hash_next;
        tree->n_step++;
    }
    return i;
}

const uint32_t *mr_cache_tree_entry(const struct mr_cache_tree *tree,
                                    const struct mr_cache_node *node)
{
    return has_sisters(node) ? bucket_of(tree, node->parent, node->id) : NULL;
}

/* ---- slab ---- */

/* More room, in fresh memory aligned to lines. Both are made before either is replaced. */
static mr_status grow(struct mr_cache_tree *tree, uint32_t cap, struct mr_err *err)
{
    uint32_t n_bucket = cap_first;
    while (n_bucket < cap / 4)
        n_bucket *= 2;
    const size_t bytes = (size_t)cap * sizeof *tree->node + line_bytes;
    char *slab = mr_alloc(bytes, 1);
    if (slab == NULL)
        return mr_err_nomem(err, bytes);
    uint32_t *bucket = mr_alloc_zero(n_bucket, sizeof *bucket);
    if (bucket == NULL) {
        mr_free(slab);
        return mr_err_nomem(err, n_bucket * sizeof *bucket);
    }
    char *aligned = slab + (line_bytes - (uintptr_t)slab % line_bytes) % line_bytes;
    struct mr_cache_node *node = (struct mr_cache_node *)(void *)aligned;
    if (tree->n_slot > 0)
        memcpy(node, tree->node, tree->n_slot * sizeof *node);
    mr_free(tree->slab);
    mr_free(tree->bucket);
    tree->slab = slab;
    tree->node = node;
    tree->bucket = bucket;
    tree->n_bucket = n_bucket;
    tree->cap = cap;
    for (uint32_t i = 1; i < tree->n_slot; i++)
        if (node[i].n > 0 && has_sisters(&node[i]))
            hash_insert(tree, i);
    return MR_OK;
}

mr_status mr_cache_tree_init(struct mr_cache_tree *tree, struct mr_err *err)
{
    *tree = (struct mr_cache_tree){0};
    MR_TRY(grow(tree, cap_first, err));
    tree->node[0] = (struct mr_cache_node){0};
    tree->n_slot = 1;
    return MR_OK;
}

void mr_cache_tree_fini(struct mr_cache_tree *tree)
{
    mr_free(tree->slab);
    mr_free(tree->bucket);
    *tree = (struct mr_cache_tree){0};
}

mr_status mr_cache_tree_grow(struct mr_cache_tree *tree, uint64_t need, struct mr_err *err)
{
    uint64_t cap = tree->cap;
    /* Thousands of trees that grow and move leave holes behind in the heap, twice what they need:
     * room at once for what most will have. Pages that are never touched cost nothing. */
    while (cap < need)
        cap = cap < cap_busy ? cap_busy : 2 * cap;
    if (cap > UINT32_MAX / 2)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "prefix cache: more than 2^30 extents in one instance");
    return grow(tree, (uint32_t)cap, err);
}

static uint32_t slot_take(struct mr_cache_tree *tree)
{
    uint32_t i = tree->free;
    uint32_t generation = 1;
    if (i != 0) {
        tree->free = tree->node[i].next;
        generation = tree->node[i].generation;
    } else {
        MR_ASSERT(tree->n_slot < tree->cap);
        i = tree->n_slot++;
    }
    tree->node[i] = (struct mr_cache_node){.generation = generation & last_generation};
    tree->n_node++;
    return i;
}

/* 0 is the root's generation alone. */
static void slot_free(struct mr_cache_tree *tree, uint32_t i)
{
    struct mr_cache_node *node = &tree->node[i];
    node->n = 0;
    const uint32_t generation = node->generation;
    node->generation = (generation < last_generation ? generation + 1 : 1) & last_generation;
    node->next = tree->free;
    tree->free = i;
    tree->n_node--;
}

bool mr_cache_tree_is_live(const struct mr_cache_tree *tree, struct mr_cache_ref ref)
{
    return ref.i < tree->n_slot && tree->node[ref.i].generation == ref.generation &&
           (ref.i == 0 || tree->node[ref.i].n > 0);
}

/* ---- links ---- */

static void link_child(struct mr_cache_tree *tree, uint32_t i)
{
    struct mr_cache_node *node = &tree->node[i], *parent = &tree->node[node->parent];
    const uint32_t first = parent->child;
    node->prev = 0;
    node->next = first;
    parent->child = i;
    if (first == 0)
        return;
    if (tree->node[first].next == 0)
        hash_insert(tree, first);
    tree->node[first].prev = i;
    hash_insert(tree, i);
}

static void unlink_child(struct mr_cache_tree *tree, uint32_t i)
{
    const struct mr_cache_node *node = &tree->node[i];
    struct mr_cache_node *parent = &tree->node[node->parent];
    if (has_sisters(node))
        hash_remove(tree, i);
    if (node->prev != 0)
        tree->node[node->prev].next = node->next;
    else
        parent->child = node->next;
    if (node->next != 0)
        tree->node[node->next].prev = node->prev;
    const uint32_t first = parent->child;
    if (first != 0 && tree->node[first].next == 0) /* the one that is left */
        hash_remove(tree, first);
}

/* ---- public ---- */

uint32_t mr_cache_tree_run_at(struct mr_cache_tree *tree, const struct mr_cache_path *path,
                              uint32_t at, uint32_t *skip)
{
    uint32_t r = path->n_run, before = path->n_block;
    MR_ASSERT(at < path->n_block);
    while (before > at) {
        MR_ASSERT(r > 0);
        before -= path->run[--r].n;
        tree->n_step++;
    }
    *skip = at - before;
    return r;
}

/* The hint's node and what it says of this path: blocks that are common and still there. */
static struct mr_cache_spot spot_of_hint(struct mr_cache_tree *tree,
                                         const struct mr_cache_path *path, uint32_t n_max)
{
    struct mr_cache_spot spot = {0, 0};
    if (path->hint.i == 0 || path->n_keep == 0 || !mr_cache_tree_is_live(tree, path->hint))
        return spot;
    const struct mr_cache_node *node = &tree->node[path->hint.i];
    const uint32_t end = node->start + node->n;
    spot = (struct mr_cache_spot){path->hint.i, path->n_keep < end ? path->n_keep : end};
    if (spot.n_block > n_max)
        spot.n_block = n_max;
    while (spot.node != 0 && tree->node[spot.node].start >= spot.n_block) {
        spot.node = tree->node[spot.node].parent;
        tree->n_step++;
    }
    return spot;
}

/* Is nothing known behind a block of a node? So it is for a session that nobody shares with: not a
 * run is looked at for it. */
static bool ends_there(const struct mr_cache_node *node, uint32_t n_block)
{
    return node->child == 0 && n_block == node->start + node->n;
}

struct mr_cache_spot mr_cache_tree_match(struct mr_cache_tree *tree,
                                         const struct mr_cache_path *path,
                                         struct mr_cache_spot from, uint32_t n_max)
{
    struct mr_cache_spot spot = from;
    if (n_max > path->n_block)
        n_max = path->n_block;
    if (spot.node == 0)
        spot = spot_of_hint(tree, path, n_max);
    if (spot.n_block >= n_max || ends_there(&tree->node[spot.node], spot.n_block))
        return spot;
    uint32_t skip, r = mr_cache_tree_run_at(tree, path, spot.n_block, &skip);
    while (spot.n_block < n_max) {
        const struct mr_cache_run *run = &path->run[r];
        const uint64_t id = run->id + skip;
        const struct mr_cache_node *node = &tree->node[spot.node];
        uint32_t within = spot.n_block - node->start;
        tree->n_step++;
        if (within == node->n) {
            /* most calls end here, at a leaf: not a line of the table is read for them */
            const uint32_t child = node->child != 0 ? child_of(tree, spot.node, id) : 0;
            if (child == 0)
                break;
            spot.node = child;
            node = &tree->node[child];
            within = 0;
        } else if (node->id + within != id) {
            break;
        }
        uint32_t n = node->n - within;
        if (n > run->n - skip)
            n = run->n - skip;
        if (n > n_max - spot.n_block)
            n = n_max - spot.n_block;
        spot.n_block += n;
        skip += n;
        if (skip == run->n) {
            skip = 0;
            r++;
        }
    }
    return spot;
}

uint32_t mr_cache_tree_add(struct mr_cache_tree *tree, uint32_t parent, uint64_t id, uint32_t n)
{
    const uint32_t i = slot_take(tree);
    struct mr_cache_node *node = &tree->node[i];
    node->id = id;
    node->n = n;
    node->parent = parent;
    node->start = tree->node[parent].start + tree->node[parent].n;
    link_child(tree, i);
    return i;
}

/* Put node `to`, whose first block is known, where `from` stands among the children of their
 * parent.
 */
static void take_place(struct mr_cache_tree *tree, uint32_t from, uint32_t to)
{
    struct mr_cache_node *node = &tree->node[to];
    node->parent = tree->node[from].parent;
    node->prev = tree->node[from].prev;
    node->next = tree->node[from].next;
    if (node->prev != 0)
        tree->node[node->prev].next = to;
    else
        tree->node[node->parent].child = to;
    if (node->next != 0)
        tree->node[node->next].prev = to;
    if (has_sisters(node))
        hash_replace(tree, from, to);
}

uint32_t mr_cache_tree_split(struct mr_cache_tree *tree, uint32_t i, uint32_t n)
{
    MR_ASSERT(n > 0 && n < tree->node[i].n);
    const uint32_t u = slot_take(tree);
    struct mr_cache_node *lower = &tree->node[i], *upper = &tree->node[u];
    upper->id = lower->id;
    take_place(tree, i, u);
    upper->start = lower->start;
    upper->n = n;
    upper->child = i;
    lower->id += n;
    lower->start += n;
    lower->n -= n;
    lower->parent = u;
    lower->next = lower->prev = 0;
    return u;
}

bool mr_cache_tree_can_join(const struct mr_cache_tree *tree, uint32_t i)
{
    const struct mr_cache_node *node = &tree->node[i], *parent = &tree->node[node->parent];
    return node->parent != 0 && parent->child == i && node->next == 0 &&
           parent->id + parent->n == node->id;
}

void mr_cache_tree_join(struct mr_cache_tree *tree, uint32_t i)
{
    struct mr_cache_node *node = &tree->node[i];
    const uint32_t p = node->parent;
    MR_ASSERT(mr_cache_tree_can_join(tree, i));
    node->id = tree->node[p].id;
    node->start = tree->node[p].start;
    node->n += tree->node[p].n;
    take_place(tree, p, i);
    slot_free(tree, p);
}

void mr_cache_tree_remove(struct mr_cache_tree *tree, uint32_t i)
{
    MR_ASSERT(i != 0 && tree->node[i].child == 0);
    unlink_child(tree, i);
    slot_free(tree, i);
}

void mr_cache_tree_clear(struct mr_cache_tree *tree)
{
    memset(tree->bucket, 0, tree->n_bucket * sizeof *tree->bucket);
    tree->node[0].child = 0;
    for (uint32_t i = 1; i < tree->n_slot; i++)
        if (tree->node[i].n > 0)
            slot_free(tree, i);
}

size_t mr_cache_tree_bytes(const struct mr_cache_tree *tree)
{
    return (size_t)tree->cap * sizeof *tree->node + line_bytes +
           (size_t)tree->n_bucket * sizeof *tree->bucket;
}
