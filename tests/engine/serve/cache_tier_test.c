/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/cache_tier below a cache: three levels against single blocks on random traces, known
 * cases, recorded traces with an unlimited tier, failing allocations. */
#include "engine/serve/cache_tier.h"

#include "engine/base/rng.h"
#include "engine/serve/cache.h"
#include "tests/test.h"

/* ---- the reference: single blocks in three levels ---- */

enum {
    n_trie_max = 3000,
    n_path_max = 48,
    n_level = 3
};

struct block {
    uint64_t id;
    int parent, depth;
    bool is_in[n_level];
    long age[n_level];
};

struct walk {
    int n, at[n_path_max];
};

struct world {
    struct mr_rng rng;
    struct mr_cache cache;
    struct mr_cache_tier tier[n_level - 1];
    struct block block[n_trie_max];
    int n_block, n_in[n_level];
    uint32_t limit[n_level];
    long now;
    struct walk last;
    struct mr_cache_run run[n_path_max];
};

static uint64_t below(struct world *w, uint64_t n)
{
    return mr_rng_below(&w->rng, n);
}

static int step_down(struct world *w, int at)
{
    int child = 0, n_child = 0;
    bool is_taken = false;
    for (int i = 1; i < w->n_block; i++)
        if (w->block[i].parent == at) {
            is_taken |= w->block[i].id == w->block[at].id + 1;
            if (below(w, (uint64_t)++n_child) == 0)
                child = i;
        }
    if (n_child > 0 && below(w, 20) < 17)
        return child;
    assert_true(w->n_block < n_trie_max);
    const uint64_t id = is_taken ? (uint64_t)(1000 * w->n_block) : w->block[at].id + 1;
    w->block[w->n_block] = (struct block){.id = id, .parent = at, .depth = w->block[at].depth + 1};
    return w->n_block++;
}

static struct walk next_walk(struct world *w)
{
    struct walk walk = w->last;
    if (below(w, 3) > 0)
        walk.n = (int)below(w, (uint64_t)walk.n + 1);
    int n_more = 1 + (int)below(w, 12);
    if (walk.n + n_more > n_path_max)
        walk.n = (int)below(w, 8);
    for (int at = walk.n > 0 ? walk.at[walk.n - 1] : 0; n_more > 0; n_more--)
        at = walk.at[walk.n++] = step_down(w, at);
    w->last = walk;
    return walk;
}

static struct mr_cache_path path_of(struct world *w, const struct walk *walk)
{
    struct mr_cache_path path = {.run = w->run, .n_block = (uint32_t)walk->n};
    for (int i = 0; i < walk->n; i++) {
        const uint64_t id = w->block[walk->at[i]].id;
        if (path.n_run > 0 && w->run[path.n_run - 1].id + w->run[path.n_run - 1].n == id)
            w->run[path.n_run - 1].n++;
        else
            w->run[path.n_run++] = (struct mr_cache_run){id, 1};
    }
    return path;
}

static void model_put(struct world *w, int i, int level, long age)
{
    w->n_in[level] += !w->block[i].is_in[level];
    w->block[i].is_in[level] = true;
    w->block[i].age[level] = age;
}

/* All that goes from one level goes before the next one makes room. */
static void model_settle(struct world *w, int level, long pinned_age)
{
    while (w->n_in[level] > (int)w->limit[level]) {
        int worst = 0;
        for (int i = 1; i < w->n_block; i++) {
            const struct block *b = &w->block[i], *o = &w->block[worst];
            if (b->is_in[level] && b->age[level] != pinned_age &&
                (worst == 0 || b->age[level] < o->age[level] ||
                 (b->age[level] == o->age[level] && b->depth > o->depth)))
                worst = i;
        }
        if (worst == 0)
            break; /* all that is left is pinned */
        w->block[worst].is_in[level] = false;
        w->n_in[level]--;
        if (level + 1 < n_level)
            model_put(w, worst, level + 1, ++w->now);
    }
    if (level + 1 < n_level)
        model_settle(w, level + 1, -1);
}

static int model_run(const struct world *w, const struct walk *walk, int level, int first)
{
    int n = first;
    while (n < walk->n && w->block[walk->at[n]].is_in[level])
        n++;
    return n - first;
}

static void check_tier(const struct world *w, int level)
{
    const struct mr_cache_tier *tier = &w->tier[level - 1];
    const struct mr_cache_node *node = tier->tree.node;
    uint32_t n_block = 0, n_here = 0, n_listed = 0;
    for (uint32_t i = 1; i < tier->tree.n_slot; i++) {
        if (node[i].n == 0)
            continue;
        n_here += !node[i].is_absent;
        n_block += node[i].is_absent ? 0 : node[i].n;
        assert_true(!node[i].is_absent || node[i].child != 0);
        assert_int_equal(node[i].start, node[node[i].parent].start + node[node[i].parent].n);
    }
    for (uint32_t i = tier->list.oldest; i != 0; i = node[i].younger) {
        assert_false(node[i].is_absent);
        n_listed++;
    }
    assert_int_equal(n_listed, n_here);
    assert_int_equal(n_block, tier->n_block);
    assert_int_equal(n_block, w->n_in[level]);
    assert_int_equal(tier->status, MR_OK);
    const struct mr_cache_tier_counts *counts = &tier->counts;
    assert_int_equal(counts->n_written_block,
                     n_block + counts->n_evicted_block + counts->n_dropped_block);
}

/* What the next level has of a path after `first`, loaded if the call wants to. */
static int load_some(struct world *w, const struct walk *walk, const struct mr_cache_path *path,
                     int level, int first)
{
    struct mr_err err = {0};
    struct mr_cache_tier *tier = &w->tier[level - 1];
    const int n = model_run(w, walk, level, first);
    assert_int_equal(mr_cache_tier_resident(tier, path, (uint32_t)first), n);
    const int end = first + (below(w, 4) == 0 ? (int)below(w, (uint64_t)n + 1) : n);
    assert_int_equal(mr_cache_tier_load(tier, path, (uint32_t)first, (uint32_t)end, &err), MR_OK);
    w->now++;
    for (int i = first; i < end; i++)
        model_put(w, walk->at[i], level, w->now);
    return end;
}

static void play_call(struct world *w)
{
    struct mr_err err = {0};
    struct mr_cache_hold hold;
    const struct walk walk = next_walk(w);
    const struct mr_cache_path path = path_of(w, &walk);
    const int hit = model_run(w, &walk, 0, 0);
    assert_int_equal(mr_cache_acquire(&w->cache, &path, path.n_block, &hold, &err), MR_OK);
    assert_int_equal(hold.n_block, hit);
    int end = hit;
    for (int level = 1; level < n_level; level++)
        end = load_some(w, &walk, &path, level, end);
    /* blocks of the path below a gap are not loaded but may be there */
    for (int level = 1; level < n_level; level++) {
        const int first = (int)below(w, (uint64_t)walk.n);
        assert_int_equal(mr_cache_tier_resident(&w->tier[level - 1], &path, (uint32_t)first),
                         model_run(w, &walk, level, first));
    }
    assert_int_equal(mr_cache_extend(&w->cache, &hold, &path, NULL, &err), MR_OK);
    w->now++;
    for (int i = 0; i < walk.n; i++)
        model_put(w, walk.at[i], 0, w->now);
    model_settle(w, 0, w->now);
    (void)mr_cache_release(&w->cache, &hold);
    model_settle(w, 0, -1);
}

static void drop_some(struct world *w, int level)
{
    struct mr_err err = {0};
    const struct walk walk = next_walk(w);
    const struct mr_cache_path path = path_of(w, &walk);
    const int first = (int)below(w, (uint64_t)walk.n);
    for (int i = 1; i < w->n_block; i++) {
        int k = i;
        while (k != 0 && k != walk.at[first])
            k = w->block[k].parent;
        if (k != 0 && w->block[i].is_in[level]) {
            w->block[i].is_in[level] = false;
            w->n_in[level]--;
        }
    }
    /* all of a path's blocks, wherever it leaves what is here, go from the same node on */
    assert_int_equal(mr_cache_tier_drop(&w->tier[level - 1], &path, (uint32_t)first, &err), MR_OK);
}

static void init_world(struct world *w, uint64_t seed)
{
    struct mr_err err = {0};
    memset(w, 0, sizeof *w);
    w->rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
    w->n_block = 1;
    for (int level = 0; level < n_level; level++)
        w->limit[level] = 1 + (uint32_t)below(w, 60);
    if (seed % 7 == 0)
        w->limit[2] = 0;
    assert_int_equal(mr_cache_init(&w->cache, w->limit[0], &err), MR_OK);
    for (int t = 0; t < n_level - 1; t++) {
        const struct mr_cache_tier_params params = {.n_limit = w->limit[t + 1],
                                                    .is_write_back = true};
        assert_int_equal(mr_cache_tier_init(&w->tier[t], &params, &err), MR_OK);
    }
    w->cache.lower = &w->tier[0];
    w->tier[0].lower = &w->tier[1];
}

MR_TEST(three_levels_equal_blocks)
{
    static struct world w;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        init_world(&w, seed);
        for (int c = 0; c < 60; c++) {
            play_call(&w);
            check_tier(&w, 1);
            check_tier(&w, 2);
            if (below(&w, 40) == 0) {
                drop_some(&w, 1 + (int)below(&w, n_level - 1));
                check_tier(&w, 1);
                check_tier(&w, 2);
            }
        }
        mr_cache_tier_clear(&w.tier[0]);
        assert_int_equal(w.tier[0].tree.n_node, 0);
        mr_cache_fini(&w.cache);
        mr_cache_tier_fini(&w.tier[0]);
        mr_cache_tier_fini(&w.tier[1]);
    }
}

/* ---- by hand ---- */

static uint32_t call(struct mr_cache *cache, struct mr_cache_tier *tier,
                     const struct mr_cache_run *run)
{
    const struct mr_cache_path path = {.run = run, .n_run = 1, .n_block = run->n};
    struct mr_cache_hold hold;
    struct mr_err err = {0};
    assert_int_equal(mr_cache_acquire(cache, &path, run->n, &hold, &err), MR_OK);
    const uint32_t first = hold.n_block, n = mr_cache_tier_resident(tier, &path, first);
    assert_int_equal(mr_cache_tier_load(tier, &path, first, first + n, &err), MR_OK);
    assert_int_equal(mr_cache_extend(cache, &hold, &path, NULL, &err), MR_OK);
    (void)mr_cache_release(cache, &hold);
    return first + n;
}

static void make(struct mr_cache *cache, struct mr_cache_tier *tier, uint32_t n_limit,
                 const struct mr_cache_tier_params *params)
{
    struct mr_err err = {0};
    assert_int_equal(mr_cache_init(cache, n_limit, &err), MR_OK);
    assert_int_equal(mr_cache_tier_init(tier, params, &err), MR_OK);
    cache->lower = tier;
}

MR_TEST(only_what_was_reused_is_written)
{
    struct mr_cache cache;
    struct mr_cache_tier tier;
    const struct mr_cache_tier_params params = {.n_limit = UINT64_MAX,
                                                .block_bytes = 100,
                                                .byte_j = 0.5,
                                                .min_use = 1,
                                                .is_write_back = true};
    const struct mr_cache_run once[] = {{mr_cache_id(1, 0), 30}};
    const struct mr_cache_run twice[] = {{mr_cache_id(2, 0), 40}};
    const struct mr_cache_run push[] = {{mr_cache_id(3, 0), 100}};
    make(&cache, &tier, 100, &params);
    assert_int_equal(call(&cache, &tier, once), 0);
    assert_int_equal(call(&cache, &tier, twice), 0);
    assert_int_equal(call(&cache, &tier, twice), 40);
    assert_int_equal(call(&cache, &tier, push), 0);
    assert_int_equal(tier.counts.n_declined_block, 30);
    assert_int_equal(tier.counts.n_written_block, 40);
    assert_int_equal(call(&cache, &tier, twice), 40); /* from below */
    assert_int_equal(tier.counts.n_loaded_block, 40);
    assert_true(mr_cache_tier_energy_j(&tier) == 0.5 * 100 * 80);
    assert_int_equal(call(&cache, &tier, push), 60); /* its tail was never reused: gone */
    assert_int_equal(tier.counts.n_declined_block, 30 + 40 + 40); /* `twice`: not since it came */
    assert_int_equal(call(&cache, &tier, twice), 40);             /* its copy stayed below */
    assert_int_equal(call(&cache, &tier, twice), 40);
    assert_int_equal(call(&cache, &tier, push), 100); /* found once by now, so its tail was kept */
    assert_int_equal(tier.counts.n_again_block, 40);
    assert_int_equal(tier.counts.n_written_block, 80);
    mr_cache_fini(&cache);
    mr_cache_tier_fini(&tier);
}

MR_TEST(no_write_back_is_no_tier)
{
    struct mr_cache cache;
    struct mr_cache_tier tier;
    const struct mr_cache_tier_params params = {.n_limit = UINT64_MAX};
    const struct mr_cache_run a[] = {{mr_cache_id(1, 0), 30}}, b[] = {{mr_cache_id(2, 0), 30}};
    make(&cache, &tier, 40, &params);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(call(&cache, &tier, a), i > 0 ? 10 : 0);
        assert_int_equal(call(&cache, &tier, b), i > 0 ? 10 : 0);
    }
    assert_int_equal(tier.tree.n_node, 0);
    assert_int_equal(tier.counts.n_declined_block, cache.counts.n_evicted_block);
    mr_cache_fini(&cache);
    mr_cache_tier_fini(&tier);
}

MR_TEST(a_context_that_comes_down_in_pieces_is_one_extent)
{
    struct mr_cache cache;
    struct mr_cache_tier tier;
    const struct mr_cache_tier_params params = {.n_limit = UINT64_MAX, .is_write_back = true};
    const struct mr_cache_run old[] = {{mr_cache_id(1, 0), 1000}};
    make(&cache, &tier, 1000, &params);
    assert_int_equal(call(&cache, &tier, old), 0);
    for (uint32_t i = 1; i < 95; i++) {
        const struct mr_cache_run grown[] = {{mr_cache_id(2, 0), 10 * i}};
        assert_int_equal(call(&cache, &tier, grown), 10 * (i - 1));
        assert_int_equal(tier.n_block, 10 * i);
        assert_int_equal(tier.tree.n_node, 2); /* it, and the beginning that is still above */
    }
    assert_int_equal(call(&cache, &tier, old), 1000);
    assert_int_equal(tier.counts.n_loaded_block, 940);
    mr_cache_fini(&cache);
    mr_cache_tier_fini(&tier);
}

/* ---- no memory ---- */

static mr_status some_calls(void *context, struct mr_err *err)
{
    struct mr_cache cache = {0};
    struct mr_cache_tier tier = {0};
    const struct mr_cache_tier_params params = {.n_limit = 120, .is_write_back = true};
    (void)context;
    mr_status st = mr_cache_init(&cache, 40, err);
    if (st == MR_OK)
        st = mr_cache_tier_init(&tier, &params, err);
    cache.lower = &tier;
    for (uint32_t c = 0; st == MR_OK && c < 60; c++) {
        const struct mr_cache_run run[] = {{mr_cache_id(1, 0), 1 + c % 4},
                                           {mr_cache_id(2 + c % 5, c % 3), 5 + c % 17},
                                           {mr_cache_id(100 + c % 9, 0), 3}};
        const struct mr_cache_path path = {
            .run = run, .n_run = 3, .n_block = run[0].n + run[1].n + run[2].n};
        struct mr_cache_hold hold;
        st = mr_cache_acquire(&cache, &path, path.n_block, &hold, err);
        if (st != MR_OK)
            break;
        const uint32_t end = hold.n_block + mr_cache_tier_resident(&tier, &path, hold.n_block);
        st = mr_cache_tier_load(&tier, &path, hold.n_block, end, err);
        if (st == MR_OK)
            st = mr_cache_extend(&cache, &hold, &path, NULL, err);
        (void)mr_cache_release(&cache, &hold);
        if (st == MR_OK && c % 13 == 12)
            st = mr_cache_tier_drop(&tier, &path, 2, err);
        if (st == MR_OK)
            st = tier.status;
    }
    mr_cache_fini(&cache);
    mr_cache_tier_fini(&tier);
    return st;
}

MR_TEST(every_allocation_may_fail)
{
    mr_test_every_nomem(some_calls, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(three_levels_equal_blocks),
             MR_TEST_ENTRY(only_what_was_reused_is_written),
             MR_TEST_ENTRY(no_write_back_is_no_tier),
             MR_TEST_ENTRY(a_context_that_comes_down_in_pieces_is_one_extent),
             MR_TEST_ENTRY(every_allocation_may_fail))
