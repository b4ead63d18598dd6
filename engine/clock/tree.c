/* SPDX-License-Identifier: Apache-2.0 */
/* Building a winner tree. Keys and winners stand in one block: a tree of 100 slots is 2 KiB. */
#include "engine/clock/tree.h"

#include "engine/base/mem.h"

/* Winners of all inner nodes from the leaves up. */
static void play_all(struct mr_tree *tree)
{
    for (uint32_t node = tree->n_leaf - 1; node > 0; node--) {
        const uint32_t left = tree->winner[2 * node], right = tree->winner[2 * node + 1];
        tree->winner[node] = tree->above[right] < tree->above[left] ? right : left;
    }
}

mr_status mr_tree_init(struct mr_tree *tree, uint32_t n, struct mr_err *err)
{
    MR_ASSERT(n > 0 && n <= 1u << 30);
    uint32_t n_leaf = 1;
    while (n_leaf < n)
        n_leaf *= 2;
    *tree = (struct mr_tree){.n = n, .n_leaf = n_leaf};
    tree->above = mr_alloc(n_leaf, sizeof *tree->above + 2 * sizeof *tree->winner);
    if (tree->above == NULL)
        return mr_err_nomem(err, n_leaf * (sizeof *tree->above + 2 * sizeof *tree->winner));
    tree->winner = (uint32_t *)(tree->above + n_leaf);
    tree->winner[0] = 0;
    for (uint32_t i = 0; i < n_leaf; i++) {
        tree->above[i] = MR_TREE_NEVER + 1;
        tree->winner[n_leaf + i] = i;
    }
    play_all(tree);
    return MR_OK;
}

void mr_tree_fini(struct mr_tree *tree)
{
    mr_free(tree->above);
    *tree = (struct mr_tree){0};
}

void mr_tree_fill(struct mr_tree *tree, const uint64_t *key)
{
    for (uint32_t i = 0; i < tree->n; i++) {
        MR_ASSERT(key[i] <= MR_TREE_NEVER);
        tree->above[i] = key[i] + 1;
    }
    play_all(tree);
}
