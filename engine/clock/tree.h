/* SPDX-License-Identifier: Apache-2.0 */
/* Winner tree: the slot with the least key out of n, kept while keys change. The next instance of a
 * cell to have an event (keys mr_event_key of times), the instance with the least load (any whole
 * number, e.g. load << 32). Ties go to the lowest slot, whatever happened before.
 *
 * A complete binary tree over the next power of two; each node holds the slot that won below it.
 * One change walks from the leaf to the root and compares at each level with the other child's
 * winner: which child that is, is known from the slot alone, so all loads start at once and the
 * only chain is a compare and a select per level. The walk ends where some other slot wins as
 * before: nothing above can have changed. There is no position to look up and none to keep.
 *
 * The left child holds the lower slots and wins ties: a right child that walks up loses against
 * other <= own, a left one against other < own. As keys are kept one higher than they are, never 0,
 * the first is other - 1 < own, and both are one comparison without a case. */
#ifndef MR_ENGINE_CLOCK_TREE_H
#define MR_ENGINE_CLOCK_TREE_H

#include "engine/clock/event.h"

/* An empty seat and the largest key there is: it loses against every other; of all empty slots the
 * lowest is the winner. */
#define MR_TREE_NEVER (UINT64_MAX - 1)

struct mr_tree {
    uint64_t *above;  /* [n_leaf] key + 1; from n on that of MR_TREE_NEVER */
    uint32_t *winner; /* [2 n_leaf]: 1 is the root, n_leaf + i the slot i itself; 0 is not used */
    uint32_t n, n_leaf;
};

/** All keys MR_TREE_NEVER. @param[in] n 1..2^30 */
MR_CHECKED mr_status mr_tree_init(struct mr_tree *tree, uint32_t n, struct mr_err *err);
void mr_tree_fini(struct mr_tree *tree);

/** All keys at once, in O(n). @param[in] key [n] each at most MR_TREE_NEVER */
void mr_tree_fill(struct mr_tree *tree, const uint64_t *key);

static inline uint32_t mr_tree_winner(const struct mr_tree *tree)
{
    return tree->winner[1];
}

static inline uint64_t mr_tree_winner_key(const struct mr_tree *tree)
{
    return tree->above[tree->winner[1]] - 1;
}

static inline uint64_t mr_tree_key(const struct mr_tree *tree, uint32_t slot)
{
    MR_ASSERT(slot < tree->n);
    return tree->above[slot] - 1;
}

/** Change one key. Inline: it is the one step every event of an instance takes. The selects are
 *  written as masks because compilers make branches of the conditional operator here, which a
 *  predictor gets wrong half of the time. @param[in] key at most MR_TREE_NEVER */
static inline void mr_tree_set(struct mr_tree *tree, uint32_t slot, uint64_t key)
{
    MR_ASSERT(slot < tree->n);
    MR_ASSERT(key <= MR_TREE_NEVER);
    uint64_t *const above = tree->above;
    uint32_t *const winner = tree->winner;
    uint32_t best = slot;
    uint64_t best_above = key + 1;
    above[slot] = best_above;
    /* who won everything: no winner above it is known to stay */
    const bool was_first = winner[1] == slot;
    for (uint32_t node = tree->n_leaf + slot; node > 1; node /= 2) {
        const uint32_t other = winner[node ^ 1];
        const uint64_t other_above = above[other];
        const uint64_t is_other = 0 - (uint64_t)(other_above - (node & 1) < best_above);
        best ^= (best ^ other) & (uint32_t)is_other;
        best_above ^= (best_above ^ other_above) & is_other;
        if (!was_first && winner[node / 2] != slot && winner[node / 2] == best)
            return;
        winner[node / 2] = best;
    }
}

/** The key is a time. @param[in] time_s not NaN; infinite: never, but before MR_TREE_NEVER */
static inline void mr_tree_set_time(struct mr_tree *tree, uint32_t slot, double time_s)
{
    mr_tree_set(tree, slot, mr_event_key(time_s));
}

/** The least time. All keys are times. */
static inline double mr_tree_winner_time_s(const struct mr_tree *tree)
{
    return mr_event_key_time_s(mr_tree_winner_key(tree));
}

#endif
