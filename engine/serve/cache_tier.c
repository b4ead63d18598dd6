/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of extents in which some are absent: structure above blocks that are here. Tails come down
 * before heads, so a context fills from its end. Pieces of it that follow each other in the list
 * and in the path are joined, whenever each was written: the order of single blocks stays the same.
 */
#include "engine/serve/cache_tier.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

/* ---- extents ---- */

/* Cut where a range of blocks begins or ends. @return the node that ends after n_block blocks */
static uint32_t end_at(struct mr_cache_tier *tier, uint32_t i, uint32_t n_block)
{
    struct mr_cache_tree *tree = &tier->tree;
    if (i == 0 || tree->node[i].start + tree->node[i].n == n_block)
        return i;
    const uint32_t upper = mr_cache_tree_split(tree, i, n_block - tree->node[i].start);
    tree->node[upper].n_use = tree->node[i].n_use;
    tree->node[upper].is_absent = tree->node[i].is_absent;
    if (!tree->node[i].is_absent)
        mr_cache_list_insert_after(&tier->list, tree->node, upper, i);
    return upper;
}

/* Structure that leads to nothing goes, from here up. */
static void prune(struct mr_cache_tier *tier, uint32_t i)
{
    const struct mr_cache_node *node = tier->tree.node;
    while (i != 0 && node[i].child == 0 && node[i].is_absent) {
        const uint32_t parent = node[i].parent;
        mr_cache_tree_remove(&tier->tree, i);
        i = parent;
    }
}

static void leave(struct mr_cache_tier *tier, uint32_t i)
{
    mr_cache_list_remove(&tier->list, tier->tree.node, i);
    tier->tree.node[i].is_absent = true;
    tier->n_block -= tier->tree.node[i].n;
}

void mr_cache_tier_settle(struct mr_cache_tier *tier)
{
    if (tier->n_block <= tier->n_limit)
        return;
    /* the last one to go may have to be cut */
    const mr_status st = mr_cache_tree_reserve(&tier->tree, 1, NULL);
    if (st != MR_OK) {
        tier->status = st;
        return;
    }
    while (tier->n_block > tier->n_limit) {
        struct mr_cache_node *node = tier->tree.node;
        const uint32_t i = tier->list.oldest;
        uint32_t n = tier->n_block - tier->n_limit;
        if (n > node[i].n)
            n = node[i].n;
        if (tier->lower != NULL)
            mr_cache_tier_take(tier->lower, &tier->tree, i, n);
        if (n < node[i].n && node[i].child == 0) {
            node[i].n -= n;
            tier->n_block -= n;
        } else {
            if (n < node[i].n)
                (void)end_at(tier, i, node[i].start + node[i].n - n);
            leave(tier, i);
            prune(tier, i);
        }
        tier->counts.n_evicted_block += n;
    }
    if (tier->lower != NULL)
        mr_cache_tier_settle(tier->lower);
}

/* Node i is written or loaded: it becomes youngest, one with what is below it if that is as young.
 */
static uint32_t freshen(struct mr_cache_tier *tier, uint32_t i, uint32_t n_use)
{
    struct mr_cache_node *node = tier->tree.node;
    if (node[i].is_absent) {
        node[i].is_absent = false;
        tier->n_block += node[i].n;
        tier->counts.n_written_block += node[i].n;
    } else {
        mr_cache_list_remove(&tier->list, node, i);
        tier->counts.n_again_block += node[i].n;
    }
    if (node[i].n_use < n_use)
        mr_cache_set_uses(&node[i], n_use);
    const uint32_t before = tier->list.youngest;
    if (before != 0 && node[before].parent == i && mr_cache_tree_can_join(&tier->tree, before)) {
        if (node[before].n_use < node[i].n_use)
            node[before].n_use = node[i].n_use;
        mr_cache_tree_join(&tier->tree, before);
        return before;
    }
    mr_cache_list_append(&tier->list, node, i);
    return i;
}

/* Blocks first .. end - 1 of a path that ends in node i, the deepest first. */
static void freshen_range(struct mr_cache_tier *tier, uint32_t i, uint32_t first, uint32_t end,
                          uint32_t n_use)
{
    const struct mr_cache_node *node = tier->tree.node;
    i = end_at(tier, i, end);
    while (i != 0 && node[i].start + node[i].n > first) {
        if (node[i].start < first)
            (void)end_at(tier, i, first);
        i = freshen(tier, i, n_use);
        i = node[i].parent;
    }
}

/* From the root: the path's hint is a node of another tree. */
static struct mr_cache_spot match(struct mr_cache_tier *tier, const struct mr_cache_path *path,
                                  uint32_t n_max)
{
    struct mr_cache_path plain = *path;
    plain.n_keep = 0;
    return mr_cache_tree_match(&tier->tree, &plain, (struct mr_cache_spot){0, 0}, n_max);
}

/* ---- writing ---- */

/* Room for the runs of node i's path; it counts them. */
static mr_status path_of(struct mr_cache_tier *tier, const struct mr_cache_tree *above, uint32_t i,
                         struct mr_cache_path *path, struct mr_err *err)
{
    uint32_t n_run = 0;
    for (uint32_t k = i; k != 0; k = above->node[k].parent)
        n_run++;
    MR_TRY(mr_grow(&tier->run, &tier->cap_run, n_run, sizeof *tier->run, err));
    path->n_run = n_run;
    for (uint32_t k = i; k != 0; k = above->node[k].parent)
        tier->run[--n_run] = (struct mr_cache_run){above->node[k].id, above->node[k].n};
    path->run = tier->run;
    path->n_block = above->node[i].start + above->node[i].n;
    return MR_OK;
}

/* Structure for all of a path, absent where it is new. @return the node that holds its last block
 */
static uint32_t reach(struct mr_cache_tier *tier, const struct mr_cache_path *path,
                      struct mr_cache_spot spot)
{
    struct mr_cache_tree *tree = &tier->tree;
    if (spot.n_block == path->n_block)
        return spot.node;
    uint32_t skip, r = mr_cache_tree_run_at(tree, path, spot.n_block, &skip);
    uint32_t i = end_at(tier, spot.node, spot.n_block);
    for (; r < path->n_run; r++, skip = 0) {
        i = mr_cache_tree_add(tree, i, path->run[r].id + skip, path->run[r].n - skip);
        tree->node[i].is_absent = true;
    }
    return i;
}

static mr_status write(struct mr_cache_tier *tier, const struct mr_cache_path *path, uint32_t first,
                       uint32_t n_use, struct mr_err *err)
{
    MR_TRY(mr_cache_tree_reserve(&tier->tree, path->n_run + 3, err));
    const struct mr_cache_spot spot = match(tier, path, path->n_block);
    freshen_range(tier, reach(tier, path, spot), first, path->n_block, n_use);
    return MR_OK;
}

void mr_cache_tier_take(struct mr_cache_tier *tier, const struct mr_cache_tree *above, uint32_t i,
                        uint32_t n)
{
    const struct mr_cache_node *node = &above->node[i];
    if (!tier->params.is_write_back || node->n_use < tier->params.min_use || tier->n_limit == 0) {
        tier->counts.n_declined_block += n;
        return;
    }
    struct mr_cache_path path = {0};
    mr_status st = path_of(tier, above, i, &path, NULL);
    if (st == MR_OK)
        st = write(tier, &path, path.n_block - n, node->n_use, NULL);
    if (st != MR_OK)
        tier->status = st;
}

/* ---- reading ---- */

uint32_t mr_cache_tier_resident(struct mr_cache_tier *tier, const struct mr_cache_path *path,
                                uint32_t first)
{
    const struct mr_cache_node *node = tier->tree.node;
    const struct mr_cache_spot spot = match(tier, path, path->n_block);
    uint32_t end = spot.n_block;
    for (uint32_t i = spot.node; i != 0 && node[i].start + node[i].n > first; i = node[i].parent)
        if (node[i].is_absent)
            end = node[i].start;
    return end > first ? end - first : 0;
}

mr_status mr_cache_tier_load(struct mr_cache_tier *tier, const struct mr_cache_path *path,
                             uint32_t first, uint32_t end, struct mr_err *err)
{
    if (first >= end)
        return MR_OK;
    MR_TRY(mr_cache_tree_reserve(&tier->tree, 2, err));
    const struct mr_cache_spot spot = match(tier, path, end);
    MR_ASSERT(spot.n_block == end);
    const struct mr_cache_tier_counts before = tier->counts;
    freshen_range(tier, spot.node, first, end, tier->tree.node[spot.node].n_use + 1);
    MR_ASSERT(tier->counts.n_written_block == before.n_written_block);
    tier->counts.n_again_block = before.n_again_block;
    tier->counts.n_loaded_block += end - first;
    return MR_OK;
}

/* ---- loss ---- */

static uint32_t first_leaf(const struct mr_cache_node *node, uint32_t i)
{
    while (node[i].child != 0)
        i = node[i].child;
    return i;
}

mr_status mr_cache_tier_drop(struct mr_cache_tier *tier, const struct mr_cache_path *path,
                             uint32_t first, struct mr_err *err)
{
    struct mr_cache_tree *tree = &tier->tree;
    MR_TRY(mr_cache_tree_reserve(tree, 1, err));
    const struct mr_cache_spot spot = match(tier, path, path->n_block);
    if (spot.n_block <= first)
        return MR_OK;
    uint32_t top = spot.node;
    while (tree->node[top].start > first)
        top = tree->node[top].parent;
    if (tree->node[top].start < first)
        (void)end_at(tier, top, first);
    const uint32_t above = tree->node[top].parent, n_before = tier->n_block;
    uint32_t i = first_leaf(tree->node, top);
    for (bool is_last = false; !is_last;) {
        const uint32_t sibling = tree->node[i].next, parent = tree->node[i].parent;
        is_last = i == top;
        if (!tree->node[i].is_absent)
            leave(tier, i);
        mr_cache_tree_remove(tree, i);
        i = sibling != 0 ? first_leaf(tree->node, sibling) : parent;
    }
    prune(tier, above);
    tier->counts.n_dropped_block += n_before - tier->n_block;
    return MR_OK;
}

void mr_cache_tier_clear(struct mr_cache_tier *tier)
{
    tier->counts.n_dropped_block += tier->n_block;
    mr_cache_tree_clear(&tier->tree);
    tier->list.oldest = tier->list.youngest = 0;
    tier->n_block = 0;
}

double mr_cache_tier_energy_j(const struct mr_cache_tier *tier)
{
    return tier->params.byte_j * tier->params.block_bytes *
           (double)(tier->counts.n_written_block + tier->counts.n_loaded_block);
}

/* ---- life ---- */

mr_status mr_cache_tier_init(struct mr_cache_tier *tier, const struct mr_cache_tier_params *params,
                             struct mr_err *err)
{
    *tier = (struct mr_cache_tier){.params = *params};
    tier->n_limit = params->n_limit < UINT32_MAX ? (uint32_t)params->n_limit : UINT32_MAX;
    return mr_cache_tree_init(&tier->tree, err);
}

void mr_cache_tier_fini(struct mr_cache_tier *tier)
{
    mr_cache_tree_fini(&tier->tree);
    mr_free(tier->run);
    *tier = (struct mr_cache_tier){0};
}
