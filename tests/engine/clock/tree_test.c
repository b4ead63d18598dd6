/* SPDX-License-Identifier: Apache-2.0 */
/* engine/clock/tree: the winner against a search of all slots, ties, seats that are empty. */
#include "engine/clock/tree.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static uint32_t search(const uint64_t *key, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        best = key[i] < key[best] ? i : best;
    return best;
}

static uint64_t random_key(struct mr_rng *rng)
{
    switch (mr_rng_below(rng, 8)) {
    case 0:
        return MR_TREE_NEVER;
    case 1:
        return mr_rng_below(rng, 2) == 0 ? 0 : MR_TREE_NEVER - 1;
    case 2:
    case 3:
    case 4:
        return mr_rng_below(rng, 4); /* ties */
    default:
        return mr_rng_u64(rng) / 2;
    }
}

static void play(uint32_t n, int n_turn)
{
    struct mr_tree tree;
    uint64_t *key = malloc(n * sizeof *key);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, n);
    assert_int_equal(mr_tree_init(&tree, n, NULL), MR_OK);
    for (uint32_t i = 0; i < n; i++)
        key[i] = MR_TREE_NEVER;
    assert_int_equal(mr_tree_winner(&tree), 0);
    assert_true(mr_tree_winner_key(&tree) == MR_TREE_NEVER);
    for (int turn = 0; turn < n_turn; turn++) {
        /* half of all changes hit the winner, as the clock does; in between everything is set */
        const bool hits_winner = mr_rng_below(&rng, 2) == 0;
        const uint32_t slot = hits_winner ? mr_tree_winner(&tree) : (uint32_t)mr_rng_below(&rng, n);
        if (turn % 1000 == 999) {
            for (uint32_t i = 0; i < n; i++)
                key[i] = random_key(&rng);
            mr_tree_fill(&tree, key);
        } else {
            key[slot] = random_key(&rng);
            mr_tree_set(&tree, slot, key[slot]);
        }
        const uint32_t best = search(key, n);
        assert_int_equal(mr_tree_winner(&tree), best);
        assert_true(mr_tree_winner_key(&tree) == key[best]);
        assert_true(mr_tree_key(&tree, slot) == key[slot]);
    }
    mr_tree_fini(&tree);
    free(key);
}

MR_TEST(every_small_size_equals_a_search)
{
    for (uint32_t n = 1; n <= 40; n++)
        play(n, 50000);
}

MR_TEST(a_cell_and_more_equal_a_search)
{
    play(64, 500000);
    play(100, 500000);
    play(128, 500000);
    play(1000, 50000);
    play(5003, 10000);
}

MR_TEST(all_equal_keys_leave_the_lowest_slot)
{
    struct mr_tree tree;
    assert_int_equal(mr_tree_init(&tree, 100, NULL), MR_OK);
    for (uint32_t i = 100; i-- > 0;) {
        mr_tree_set(&tree, i, 7);
        assert_int_equal(mr_tree_winner(&tree), i);
    }
    for (uint32_t i = 0; i < 99; i++) {
        mr_tree_set(&tree, i, MR_TREE_NEVER);
        assert_int_equal(mr_tree_winner(&tree), i + 1);
    }
    mr_tree_set(&tree, 99, MR_TREE_NEVER);
    assert_int_equal(mr_tree_winner(&tree), 0);
    mr_tree_fini(&tree);
}

MR_TEST(times_are_keys_too)
{
    struct mr_tree tree;
    assert_int_equal(mr_tree_init(&tree, 5, NULL), MR_OK);
    for (uint32_t i = 0; i < 5; i++)
        mr_tree_set_time(&tree, i, (double)INFINITY);
    mr_tree_set_time(&tree, 3, 2.5);
    mr_tree_set_time(&tree, 1, 2.5);
    assert_int_equal(mr_tree_winner(&tree), 1);
    mr_tree_set_time(&tree, 4, -0.0);
    mr_tree_set_time(&tree, 2, 0);
    assert_int_equal(mr_tree_winner(&tree), 2);
    assert_true(mr_tree_winner_time_s(&tree) == 0);
    mr_tree_set_time(&tree, 4, -1e300);
    assert_int_equal(mr_tree_winner(&tree), 4);
    assert_true(mr_tree_winner_time_s(&tree) == -1e300);
    mr_tree_fini(&tree);
}

static void nan_time(void *tree)
{
    mr_tree_set_time(tree, 0, (double)NAN);
}

static void slot_outside(void *tree)
{
    mr_tree_set(tree, 5, 0); /* a leaf of the tree, but no slot */
}

static void key_of_none(void *tree)
{
    mr_tree_set(tree, 0, UINT64_MAX);
}

static void no_slot(void *tree)
{
    (void)!mr_tree_init(tree, 0, NULL);
}

MR_TEST(nonsense_is_refused)
{
    struct mr_tree tree;
    assert_int_equal(mr_tree_init(&tree, 5, NULL), MR_OK);
    mr_assert_refused(nan_time, &tree, "time_s == time_s");
    mr_assert_refused(slot_outside, &tree, "slot < tree->n");
    mr_assert_refused(key_of_none, &tree, "key <= MR_TREE_NEVER");
    mr_assert_refused(no_slot, &tree, "n > 0");
    mr_tree_fini(&tree);
}

static mr_status make(void *context, struct mr_err *err)
{
    struct mr_tree tree;
    (void)context;
    const mr_status st = mr_tree_init(&tree, 1000, err);
    mr_tree_fini(&tree);
    return st;
}

MR_TEST(every_allocation_may_fail)
{
    mr_test_every_nomem(make, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(every_small_size_equals_a_search),
             MR_TEST_ENTRY(a_cell_and_more_equal_a_search),
             MR_TEST_ENTRY(all_equal_keys_leave_the_lowest_slot), MR_TEST_ENTRY(times_are_keys_too),
             MR_TEST_ENTRY(nonsense_is_refused), MR_TEST_ENTRY(every_allocation_may_fail))
