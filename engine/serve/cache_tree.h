/* SPDX-License-Identifier: Apache-2.0 */
/* A prefix tree of extents: nodes are runs of consecutive block ids, not single blocks. A block is
 * known by its path: the same id below another parent is another block. Ids are 64-bit names;
 * nothing is assumed of them but that a context's blocks are often named in sequence. What a node
 * is worth (age, pins) belongs to cache.h; this pair finds, adds, splits, joins and removes.
 *
 * Nodes are 48 B in one slab, named by 32-bit indices. 0 is the root, which holds no block;
 * as a link 0 means none. Freed slots are reused and their generation grows, so that a reference
 * kept outside is known to be stale. */
#ifndef MR_ENGINE_SERVE_CACHE_TREE_H
#define MR_ENGINE_SERVE_CACHE_TREE_H

#include "engine/base/status.h"

#include <stdint.h>

#define MR_CACHE_USES 63u /* of an extent: no more are counted */

/* Blocks id, id + 1, ... id + n - 1. */
struct mr_cache_run {
    uint64_t id;
    uint32_t n; /* at least 1 */
};

/* A node that may be gone by now. Zero: the root, where every path begins. */
struct mr_cache_ref {
    uint32_t i, generation;
};

/* A whole context, from its first block. The caller owns the runs. `hint` only makes things fast:
 * the node where an earlier path of the same lane ended and the number of blocks that both have in
 * common. With it a call looks at the runs after n_keep only; without it, or when the node is gone,
 * at all of them. The answer is the same. */
struct mr_cache_path {
    const struct mr_cache_run *run;
    uint32_t n_run;
    uint32_t n_block; /* sum of the runs */
    struct mr_cache_ref hint;
    uint32_t n_keep;
    bool yields; /* of background work: what nobody else has used gives way before all else */
};

struct mr_cache_node {
    uint64_t id;     /* of the first block */
    uint32_t start;  /* blocks above it */
    uint32_t n;      /* blocks in it; 0: a free slot, or the root */
    uint32_t parent; /* 0: the root */
    uint32_t child;  /* first of its children, which are linked by `next` and `prev` */
    uint32_t next, prev;
    uint32_t hash_next; /* of the same bucket; of nodes with sisters */
    uint32_t generation : 23;
    /* the rest belongs to cache.c and cache_tier.c */
    uint32_t n_use : 6;     /* calls that found it, as far as they were seen, up to MR_CACHE_USES */
    uint32_t is_pinned : 1; /* and not in the order of ages */
    uint32_t yields : 1;    /* only background work has used these blocks: they go first */
    uint32_t is_absent : 1; /* a tier: these blocks are not here, only some below them */
    union {
        uint32_t older; /* neighbours in age, of those that can be evicted */
        uint32_t n_pin; /* is_pinned: holds that end here + children that are pinned */
    };
    uint32_t younger;
};

struct mr_cache_tree {
    struct mr_cache_node *node; /* aligned to cache lines, inside `slab` */
    void *slab;
    uint32_t *bucket; /* first node of each hash */
    uint32_t n_bucket, cap;
    uint32_t n_slot; /* slots ever used, the root included */
    uint32_t n_node; /* in use, without the root */
    uint32_t free;
    uint64_t n_step; /* nodes and runs looked at: what a call costs */
};

/* Where a path leaves the tree: its first `n_block` blocks are there, the last of them in `node`.
 */
struct mr_cache_spot {
    uint32_t node, n_block;
};

MR_CHECKED mr_status mr_cache_tree_init(struct mr_cache_tree *tree, struct mr_err *err);
void mr_cache_tree_fini(struct mr_cache_tree *tree);

/** For mr_cache_tree_reserve: room for `need` slots, which there is not. */
MR_CHECKED mr_status mr_cache_tree_grow(struct mr_cache_tree *tree, uint64_t need,
                                        struct mr_err *err);

/** Make room for `n_more` nodes. Nothing below allocates. @return MR_OK, MR_NOMEM, MR_LIMIT */
MR_CHECKED static inline mr_status mr_cache_tree_reserve(struct mr_cache_tree *tree,
                                                         uint32_t n_more, struct mr_err *err)
{
    const uint64_t need = (uint64_t)tree->n_node + 1 + n_more;
    return need <= tree->cap ? MR_OK : mr_cache_tree_grow(tree, need, err);
}

/** Follow a path as far as it goes, at most `n_max` blocks.
 *  @param[in] from a spot on the path that is known already, or zero: use the path's hint */
struct mr_cache_spot mr_cache_tree_match(struct mr_cache_tree *tree,
                                         const struct mr_cache_path *path,
                                         struct mr_cache_spot from, uint32_t n_max);

/** The run that holds block `at` of a path; *skip: blocks of that run before it. Counts from the
 * end, where calls differ from the ones before them. @param[in] at below path->n_block */
uint32_t mr_cache_tree_run_at(struct mr_cache_tree *tree, const struct mr_cache_path *path,
                              uint32_t at, uint32_t *skip);

/** A new leaf. Room must have been reserved; no child may begin with that id. */
uint32_t mr_cache_tree_add(struct mr_cache_tree *tree, uint32_t parent, uint64_t id, uint32_t n);

/** Cut a node after its first `n` blocks. The lower part keeps index, generation and children.
 *  @return the upper part, new; room must have been reserved */
uint32_t mr_cache_tree_split(struct mr_cache_tree *tree, uint32_t i, uint32_t n);

/** Can a node take its parent's blocks: is it the only child, named in sequence? */
bool mr_cache_tree_can_join(const struct mr_cache_tree *tree, uint32_t i);

/** Give the parent's blocks to this node and free the parent: the inverse of split. */
void mr_cache_tree_join(struct mr_cache_tree *tree, uint32_t i);

/** Free a leaf. */
void mr_cache_tree_remove(struct mr_cache_tree *tree, uint32_t i);

/** Free all; every reference is stale afterwards. */
void mr_cache_tree_clear(struct mr_cache_tree *tree);

static inline void mr_cache_set_uses(struct mr_cache_node *node, uint32_t n)
{
    node->n_use = (n < MR_CACHE_USES ? n : MR_CACHE_USES) & MR_CACHE_USES;
}

static inline uint32_t mr_cache_pins(const struct mr_cache_node *node)
{
    return node->is_pinned ? node->n_pin : 0;
}

/** Where a node is looked for, to be fetched before it is; NULL: where its parent says. */
const uint32_t *mr_cache_tree_entry(const struct mr_cache_tree *tree,
                                    const struct mr_cache_node *node);

/** Is a reference still good? The root always is. */
bool mr_cache_tree_is_live(const struct mr_cache_tree *tree, struct mr_cache_ref ref);

/** Bytes of slab and buckets. */
size_t mr_cache_tree_bytes(const struct mr_cache_tree *tree);

#endif
