/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/router: turns to the call, the least loaded, affinity's limit, draws that do not
 * depend on order, and what a second choice is worth against chance alone. */
#include "engine/serve/router.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    n_instance = 500
};

static struct mr_router router_of(int policy, uint32_t n, uint64_t seed)
{
    struct mr_router router;
    struct mr_err err = {0};
    assert_int_equal(mr_router_init(&router, policy, n, seed, &err), MR_OK);
    return router;
}

/* Calls that come and never leave: how many does the instance with most of them have? */
static uint64_t fill(int policy, uint64_t seed, uint64_t n_call)
{
    struct mr_router router = router_of(policy, n_instance, seed);
    uint64_t most = 0, sum = 0;
    for (uint64_t i = 0; i < n_call; i++)
        mr_router_count(&router, mr_router_choose(&router, i, MR_ROUTER_NOWHERE), 1);
    for (uint32_t i = 0; i < n_instance; i++) {
        const uint64_t load = mr_tree_key(&router.load, i);
        most = load > most ? load : most;
        sum += load;
    }
    assert_int_equal(sum, n_call);
    mr_router_fini(&router);
    return most;
}

MR_TEST(turns_are_exact)
{
    struct mr_router router = router_of(MR_ROUTER_ROUND, 7, 1);
    struct mr_rng rng = mr_rng_stream(71, MR_RNG_TEST, 1);
    for (uint32_t i = 0; i < 1000; i++) {
        const uint32_t at = mr_router_choose(&router, mr_rng_u64(&rng), i % 7);
        assert_int_equal(at, i % 7);
        mr_router_count(&router, at, 1);
        if (i % 3 == 0) /* loads do not matter */
            mr_router_count(&router, at, -1);
    }
    mr_router_fini(&router);
    assert_int_equal(fill(MR_ROUTER_ROUND, 1, 10 * n_instance + 1), 11);
}

MR_TEST(least_is_the_first_of_the_least)
{
    struct mr_router router = router_of(MR_ROUTER_LEAST, 50, 1);
    struct mr_rng rng = mr_rng_stream(72, MR_RNG_TEST, 1);
    uint32_t load[50] = {0};
    for (uint64_t i = 0; i < 5000; i++) {
        uint32_t least = 0;
        for (uint32_t k = 1; k < 50; k++)
            least = load[k] < load[least] ? k : least;
        assert_int_equal(mr_router_choose(&router, i, 3), least);
        mr_router_count(&router, least, 1);
        load[least]++;
        const uint32_t leaves = (uint32_t)mr_rng_below(&rng, 50);
        if (load[leaves] > 0) {
            mr_router_count(&router, leaves, -1);
            load[leaves]--;
        }
    }
    mr_router_fini(&router);
    assert_int_equal(fill(MR_ROUTER_LEAST, 1, 10 * n_instance), 10);
}

MR_TEST(affinity_until_it_is_far_busier)
{
    struct mr_router router = router_of(MR_ROUTER_AFFINITY, 4, 1);
    router.affinity_excess = 5;
    for (int i = 0; i < 5; i++)
        mr_router_count(&router, 2, 1);
    assert_int_equal(mr_router_choose(&router, 1, 2), 2);
    mr_router_count(&router, 2, 1);
    assert_int_equal(mr_router_choose(&router, 2, 2), 0);
    assert_int_equal(mr_router_choose(&router, 3, MR_ROUTER_NOWHERE), 0);
    for (uint32_t i = 0; i < 4; i++)
        mr_router_count(&router, i, 1);
    assert_int_equal(mr_router_choose(&router, 4, 2), 0);
    for (uint32_t i = 0; i < 4; i++)
        mr_router_count(&router, i, i == 2 ? -1 : 1);
    assert_int_equal(mr_router_choose(&router, 5, 2), 2);
    mr_router_fini(&router);
}

/* Far busier is relative where there are many calls, and a number where there are few. */
MR_TEST(affinity_bears_a_share)
{
    struct mr_router router = router_of(MR_ROUTER_AFFINITY, 4, 1);
    router.affinity_share = 0.25;
    router.affinity_excess = 5;
    for (uint32_t i = 0; i < 4; i++)
        for (int k = 0; k < (i == 2 ? 130 : 100); k++)
            mr_router_count(&router, i, 1);
    assert_int_equal(mr_router_choose(&router, 1, 2), 2); /* 130 = 100 * 1.25 + 5 */
    mr_router_count(&router, 2, 1);
    assert_int_equal(mr_router_choose(&router, 2, 2), 0);
    for (uint32_t i = 0; i < 4; i++)
        mr_router_count(&router, i, 1);
    assert_int_equal(mr_router_choose(&router, 3, 2), 0); /* 132 > 101 * 1.25 + 5 */
    mr_router_fini(&router);
}

/* The loads of a small pool are looked at now and then, those of a large one always known: of which
 * only as many are open here. Both choose what a look at all of them finds. */
MR_TEST(affinity_knows_what_a_look_at_all_finds)
{
    enum {
        n_small = 40,
        n_large = 2000
    };
    struct mr_router small = router_of(MR_ROUTER_AFFINITY, n_small, 1);
    struct mr_router large = router_of(MR_ROUTER_AFFINITY, n_large, 1);
    struct mr_rng rng = mr_rng_stream(73, MR_RNG_TEST, 1);
    uint32_t load[n_small] = {0}, n_stay = 0, n_move = 0;
    bool is_closed[n_small] = {false};
    for (uint32_t i = n_small; i < n_large; i++)
        mr_router_open(&large, i, false);
    for (uint64_t i = 0; i < 50000; i++) {
        const bool is_new = mr_rng_below(&rng, 50) == 0;
        const uint32_t last =
            is_new ? MR_ROUTER_NOWHERE : (uint32_t)mr_rng_below(&rng, mr_rng_below(&rng, 39) + 2);
        uint32_t best = MR_ROUTER_NOWHERE;
        for (uint32_t k = 0; k < n_small; k++)
            if (!is_closed[k] && (best == MR_ROUTER_NOWHERE || load[k] < load[best]))
                best = k;
        const bool stays = !is_new && !is_closed[last] && load[last] <= load[best] * 1.5 + 8;
        const uint32_t want = stays ? last : best;
        n_stay += stays;
        n_move += !stays && !is_new;
        assert_int_equal(mr_router_choose(&small, i, last), want);
        assert_int_equal(mr_router_choose(&large, i, last), want);
        mr_router_count(&small, want, 1);
        mr_router_count(&large, want, 1);
        load[want]++;
        const uint32_t leaves = (uint32_t)mr_rng_below(&rng, n_small);
        if (load[leaves] > 0 && i > 4000) {
            mr_router_count(&small, leaves, -1);
            mr_router_count(&large, leaves, -1);
            load[leaves]--;
        }
        if (i % 97 == 0) {
            const uint32_t k = 1 + (uint32_t)mr_rng_below(&rng, n_small - 1);
            is_closed[k] = !is_closed[k];
            mr_router_open(&small, k, !is_closed[k]);
            mr_router_open(&large, k, !is_closed[k]);
        }
    }
    assert_true(n_stay > 5000 && n_move > 5000);
    mr_router_fini(&small);
    mr_router_fini(&large);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* A draw belongs to its call: whatever was routed before, and all instances alike. */
MR_TEST(draws_belong_to_calls)
{
    enum {
        n = 100000
    };
    struct mr_router a = router_of(MR_ROUTER_RANDOM, n_instance, 5);
    struct mr_router b = router_of(MR_ROUTER_RANDOM, n_instance, 5);
    struct mr_router c = router_of(MR_ROUTER_RANDOM, n_instance, 6);
    static uint32_t at[n], count[n_instance];
    uint32_t n_same = 0;
    double chi = 0;
    for (uint64_t i = 0; i < n; i++) {
        at[i] = mr_router_choose(&a, i, MR_ROUTER_NOWHERE);
        count[at[i]]++;
    }
    for (uint64_t i = n; i-- > 0;) {
        assert_int_equal(mr_router_choose(&b, i, 0), at[i]);
        n_same += mr_router_choose(&c, i, 0) == at[i];
    }
    for (uint32_t i = 0; i < n_instance; i++) {
        const double off = count[i] - (double)n / n_instance;
        chi += off * off / ((double)n / n_instance);
    }
    /* chi square of 499 degrees: mean 499, deviation 31.6 */
    mr_assert_near(chi, n_instance - 1, 0, 4 * sqrt(2. * n_instance));
    assert_true(n_same > 100 && n_same < 320); /* 200 by chance */
    mr_router_fini(&a);
    mr_router_fini(&b);
    mr_router_fini(&c);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* n calls on n instances: by chance the most loaded has about ln n / ln ln n, here 5; with two
 * choices ln ln n / ln 2, here 3. With 50 n calls chance leaves an excess of about sqrt(100 ln n),
 * 25; two choices the same few as before, whatever their number. */
MR_TEST(a_second_choice_levels_loads)
{
    uint64_t random = 0, choices = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        random += fill(MR_ROUTER_RANDOM, seed, n_instance);
        choices += fill(MR_ROUTER_CHOICES, seed, n_instance);
    }
    print_message("%.2f by chance, %.2f with a second choice\n", (double)random / 40,
                  (double)choices / 40);
    assert_true((double)random >= 40 * 4.5 && random <= 40 * 6);
    assert_true((double)choices >= 40 * 2.5 && (double)choices <= 40 * 3.5);
    for (uint64_t seed = 0; seed < 10; seed++) {
        const uint64_t by_chance = fill(MR_ROUTER_RANDOM, seed, 50 * n_instance);
        const uint64_t of_two = fill(MR_ROUTER_CHOICES, seed, 50 * n_instance);
        assert_true(of_two <= 50 + 4 && by_chance >= 50 + 15);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(turns_are_exact), MR_TEST_ENTRY(least_is_the_first_of_the_least),
             MR_TEST_ENTRY(affinity_until_it_is_far_busier), MR_TEST_ENTRY(affinity_bears_a_share),
             MR_TEST_ENTRY(affinity_knows_what_a_look_at_all_finds),
             MR_TEST_ENTRY(draws_belong_to_calls), MR_TEST_ENTRY(a_second_choice_levels_loads))
