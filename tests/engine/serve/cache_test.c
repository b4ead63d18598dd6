/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/cache against a list of single blocks, on random branching traces with calls in
 * flight; what a growing session costs; names; failing allocations. */
#include "engine/serve/cache.h"

#include "engine/base/rng.h"
#include "engine/serve/cache_names.h"
#include "tests/test.h"

/* ---- the reference: single blocks, each a node of a trie ---- */

enum {
    n_trie_max = 4000,
    n_path_max = 64,
    n_lane = 5,
    n_flight_max = 4
};

struct block {
    uint64_t id;
    int parent, depth; /* depth of the first block: 1 */
    int n_pin;
    long age; /* number of the last release */
    bool is_resident;
    bool yields; /* only calls that do have used it */
};

/* A path as the nodes of the trie it runs through. */
struct walk {
    int n, at[n_path_max];
};

struct flight {
    bool is_used, yields;
    int lane;
    struct walk walk;
    struct mr_cache_hold hold;
};

struct world {
    struct mr_rng rng;
    struct mr_cache cache;
    struct block block[n_trie_max];
    int n_block, n_resident;
    long n_release;
    uint32_t limit;
    bool has_background;
    struct walk last[n_lane]; /* of the lane's last call, which `hint` was given for */
    struct mr_cache_ref hint[n_lane];
    struct flight flight[n_flight_max];
    struct mr_cache_run run[n_path_max];
};

static uint64_t below(struct world *w, uint64_t n)
{
    return mr_rng_below(&w->rng, n);
}

static bool has_child(const struct world *w, int parent, uint64_t id)
{
    for (int i = 1; i < w->n_block; i++)
        if (w->block[i].parent == parent && w->block[i].id == id)
            return true;
    return false;
}

/* One step down: often a child that exists, else a new one, mostly named in sequence. Names repeat
 * below different parents, which must not matter. */
static int step_down(struct world *w, int at)
{
    int child = 0, n_child = 0;
    for (int i = 1; i < w->n_block; i++)
        if (w->block[i].parent == at && below(w, (uint64_t)++n_child) == 0)
            child = i;
    if (n_child > 0 && below(w, 10) < 8)
        return child;
    uint64_t id = w->block[at].id + 1;
    while (below(w, 5) == 0 || has_child(w, at, id))
        id = below(w, 50);
    assert_true(w->n_block < n_trie_max);
    w->block[w->n_block] = (struct block){.id = id, .parent = at, .depth = w->block[at].depth + 1};
    return w->n_block++;
}

/* The lane's last path, mostly grown, sometimes cut first, or another lane's. */
static struct walk next_walk(struct world *w, int lane)
{
    struct walk walk = w->last[below(w, 6) == 0 ? below(w, n_lane) : (uint64_t)lane];
    const uint64_t what = below(w, 10);
    if (what < 3)
        walk.n = (int)below(w, (uint64_t)walk.n + 1);
    if (walk.n > n_path_max - 12)
        walk.n = (int)below(w, 8);
    int n_more = (int)below(w, 8);
    if (walk.n + n_more == 0)
        n_more = 1;
    for (int at = walk.n > 0 ? walk.at[walk.n - 1] : 0; n_more > 0; n_more--)
        at = walk.at[walk.n++] = step_down(w, at);
    return walk;
}

static struct mr_cache_path path_of(struct world *w, const struct walk *walk, int lane)
{
    struct mr_cache_path path = {.run = w->run, .n_block = (uint32_t)walk->n};
    for (int i = 0; i < walk->n; i++) {
        const uint64_t id = w->block[walk->at[i]].id;
        struct mr_cache_run *run = path.n_run > 0 ? &w->run[path.n_run - 1] : NULL;
        if (run != NULL && run->id + run->n == id && below(w, 20) > 0)
            run->n++;
        else
            w->run[path.n_run++] = (struct mr_cache_run){id, 1};
    }
    if (lane >= 0) {
        path.hint = w->hint[lane];
        while ((int)path.n_keep < walk->n && (int)path.n_keep < w->last[lane].n &&
               walk->at[path.n_keep] == w->last[lane].at[path.n_keep])
            path.n_keep++;
    }
    return path;
}

static void model_evict(struct world *w)
{
    while (w->n_resident > (int)w->limit) {
        int worst = 0;
        for (int i = 1; i < w->n_block; i++) {
            const struct block *b = &w->block[i], *o = &w->block[worst];
            const bool is_same = b->yields == o->yields;
            if (b->is_resident && b->n_pin == 0 &&
                (worst == 0 || (!is_same && b->yields) || (is_same && b->age < o->age) ||
                 (is_same && b->age == o->age && b->depth > o->depth)))
                worst = i;
        }
        if (worst == 0)
            return;
        w->block[worst].is_resident = false;
        w->n_resident--;
    }
}

static int model_match(const struct world *w, const struct walk *walk)
{
    int n = 0;
    while (n < walk->n && w->block[walk->at[n]].is_resident)
        n++;
    return n;
}

static void model_pin(struct world *w, const struct walk *walk, int first, int end, int sign)
{
    for (int i = first; i < end; i++) {
        w->block[walk->at[i]].n_pin += sign;
        assert_true(w->block[walk->at[i]].n_pin >= 0);
    }
}

static void model_use(struct world *w, const struct walk *walk, int n, bool yields)
{
    for (int i = 0; i < n; i++)
        w->block[walk->at[i]].yields &= yields;
}

static int model_extend(struct world *w, const struct walk *walk, bool yields)
{
    int n_new = 0;
    for (int i = 0; i < walk->n; i++)
        if (!w->block[walk->at[i]].is_resident) {
            w->block[walk->at[i]].is_resident = w->block[walk->at[i]].yields = true;
            n_new++;
        }
    model_use(w, walk, walk->n, yields);
    w->n_resident += n_new;
    return n_new;
}

static bool model_is_below(const struct world *w, int i, int top)
{
    while (i != 0 && i != top)
        i = w->block[i].parent;
    return i == top;
}

/* ---- what must always hold ---- */

static void check_world(struct world *w)
{
    const struct mr_cache *cache = &w->cache;
    const struct mr_cache_node *node = cache->tree.node;
    uint32_t n_block = 0, n_pinned = 0, n_free = 0, n_listed = 0, n_node = 0;
    for (uint32_t i = 1; i < cache->tree.n_slot; i++) {
        if (node[i].n == 0)
            continue;
        n_node++;
        n_block += node[i].n;
        n_pinned += node[i].is_pinned ? node[i].n : 0;
        n_free += !node[i].is_pinned;
        assert_int_equal(node[i].start, node[node[i].parent].start + node[node[i].parent].n);
        assert_true(!node[i].is_pinned || node[i].parent == 0 || node[node[i].parent].is_pinned);
    }
    for (int k = 0; k < 2; k++)
        for (uint32_t i = (k == 0 ? cache->list : cache->first).oldest, before = 0; i != 0;
             before = i, i = node[i].younger) {
            n_listed++;
            assert_int_equal(node[i].older, before);
            assert_int_equal(node[i].yields, k);
            assert_false(node[i].is_pinned);
        }
    assert_int_equal(n_listed, n_free);
    assert_int_equal(n_node, cache->tree.n_node);
    assert_int_equal(n_block, cache->n_block);
    assert_int_equal(n_pinned, cache->n_pinned);
    assert_int_equal(n_block, w->n_resident);
    uint32_t n_model_pinned = 0;
    for (int i = 1; i < w->n_block; i++) {
        n_model_pinned += w->block[i].n_pin > 0;
        assert_true(w->block[i].n_pin == 0 || w->block[i].is_resident);
    }
    assert_int_equal(n_pinned, n_model_pinned);
    assert_int_equal(mr_cache_evictable(cache), n_block - n_model_pinned);
    const struct mr_cache_counts *counts = &cache->counts;
    assert_int_equal(counts->n_inserted_block,
                     n_block + counts->n_evicted_block + counts->n_dropped_block);
}

/* ---- moves ---- */

static void begin_call(struct world *w, struct flight *flight)
{
    struct mr_err err = {0};
    const int lane = (int)below(w, n_lane);
    *flight = (struct flight){.is_used = true, .lane = lane, .walk = next_walk(w, lane)};
    flight->yields = w->has_background && below(w, 2) == 0;
    const int hit = model_match(w, &flight->walk);
    const uint32_t n_max = below(w, 4) == 0 ? (uint32_t)below(w, 20) : 1000;
    const int held = hit < (int)n_max ? hit : (int)n_max;
    const struct mr_cache_path plain = path_of(w, &flight->walk, -1);
    assert_int_equal(mr_cache_resident(&w->cache, &plain, UINT32_MAX), hit);
    struct mr_cache_path path = path_of(w, &flight->walk, lane);
    path.yields = flight->yields;
    assert_int_equal(mr_cache_resident(&w->cache, &path, n_max), held);
    assert_int_equal(mr_cache_acquire(&w->cache, &path, n_max, &flight->hold, &err), MR_OK);
    assert_int_equal(flight->hold.n_block, held);
    model_use(w, &flight->walk, held, flight->yields);
    model_pin(w, &flight->walk, 0, held, 1);
}

static void extend_call(struct world *w, struct flight *flight)
{
    struct mr_err err = {0};
    struct walk part = flight->walk;
    part.n = (int)flight->hold.n_block +
             (int)below(w, (uint64_t)(part.n - (int)flight->hold.n_block) + 1);
    if (part.n == 0)
        return;
    struct mr_cache_path path = path_of(w, &part, below(w, 2) == 0 ? flight->lane : -1);
    path.yields = flight->yields;
    const int held = (int)flight->hold.n_block;
    uint32_t n_new;
    assert_int_equal(mr_cache_extend(&w->cache, &flight->hold, &path, &n_new, &err), MR_OK);
    assert_int_equal(n_new, model_extend(w, &part, flight->yields));
    model_pin(w, &part, held, part.n, 1);
    model_evict(w);
}

static void end_call(struct world *w, struct flight *flight)
{
    /* what was generated, sometimes */
    while (below(w, 2) == 0 && flight->walk.n < n_path_max - 1) {
        flight->walk.at[flight->walk.n] = step_down(w, flight->walk.at[flight->walk.n - 1]);
        flight->walk.n++;
    }
    struct mr_err err = {0};
    if (below(w, 8) > 0) {
        struct mr_cache_path path = path_of(w, &flight->walk, -1);
        path.yields = flight->yields;
        const int held = (int)flight->hold.n_block;
        assert_int_equal(mr_cache_extend(&w->cache, &flight->hold, &path, NULL, &err), MR_OK);
        (void)model_extend(w, &flight->walk, flight->yields);
        model_pin(w, &flight->walk, held, flight->walk.n, 1);
        model_evict(w);
        check_world(w);
    }
    flight->walk.n = (int)flight->hold.n_block; /* aborted: as far as it came */
    w->hint[flight->lane] = mr_cache_release(&w->cache, &flight->hold);
    w->last[flight->lane] = flight->walk;
    w->n_release++;
    model_pin(w, &flight->walk, 0, flight->walk.n, -1);
    for (int i = 0; i < flight->walk.n; i++)
        w->block[flight->walk.at[i]].age = w->n_release;
    model_evict(w);
    flight->is_used = false;
}

static void change_limit(struct world *w, uint32_t limit)
{
    w->limit = limit;
    const uint32_t over = mr_cache_limit(&w->cache, limit);
    model_evict(w);
    assert_int_equal(over, w->n_resident > (int)limit ? w->n_resident - (int)limit : 0);
}

static void drop_some(struct world *w)
{
    struct mr_err err = {0};
    const int lane = (int)below(w, n_lane);
    const struct walk walk = w->last[lane];
    if (walk.n == 0)
        return;
    const int first = (int)below(w, (uint64_t)walk.n);
    const struct mr_cache_path path = path_of(w, &walk, lane);
    if (model_match(w, &walk) > first)
        for (int i = 1; i < w->n_block; i++)
            if (w->block[i].is_resident && w->block[i].n_pin == 0 &&
                model_is_below(w, i, walk.at[first])) {
                w->block[i].is_resident = false;
                w->n_resident--;
            }
    assert_int_equal(mr_cache_drop(&w->cache, &path, (uint32_t)first, &err), MR_OK);
}

static void lose_all(struct world *w)
{
    mr_cache_clear(&w->cache);
    for (int i = 0; i < w->n_block; i++) {
        w->block[i].is_resident = false;
        w->block[i].n_pin = 0;
    }
    w->n_resident = 0;
    for (int f = 0; f < n_flight_max; f++)
        w->flight[f].is_used = false;
}

static void play(struct world *w, int n_flight, int n_move, uint32_t capacity)
{
    for (int m = 0; m < n_move; m++) {
        struct flight *flight = &w->flight[below(w, (uint64_t)n_flight)];
        const uint64_t what = below(w, 100);
        if (!flight->is_used)
            begin_call(w, flight);
        else if (what < 30)
            extend_call(w, flight);
        else
            end_call(w, flight);
        check_world(w);
        if (what < 3)
            change_limit(w, capacity - (uint32_t)below(w, capacity));
        else if (what == 3)
            change_limit(w, capacity);
        else if (what == 4)
            drop_some(w);
        else if (what == 5 && below(w, 10) == 0)
            lose_all(w);
        check_world(w);
    }
}

static void play_trace(uint64_t seed, int n_flight, bool has_background)
{
    static struct world w;
    struct mr_err err = {0};
    memset(&w, 0, sizeof w);
    w.rng = mr_rng_stream(seed, MR_RNG_TEST, 0);
    w.n_block = 1; /* the root */
    w.has_background = has_background;
    const uint32_t capacity = 1 + (uint32_t)(seed % 60);
    assert_int_equal(mr_cache_init(&w.cache, capacity, &err), MR_OK);
    w.limit = capacity;
    play(&w, n_flight, 120, capacity);
    for (int f = 0; f < n_flight_max; f++)
        if (w.flight[f].is_used)
            end_call(&w, &w.flight[f]);
    check_world(&w);
    assert_int_equal(w.cache.n_pinned, 0);
    assert_int_equal(mr_cache_limit(&w.cache, 0), 0);
    assert_int_equal(w.cache.tree.n_node, 0);
    mr_cache_fini(&w.cache);
}

MR_TEST(one_call_at_a_time_equals_blocks)
{
    for (uint64_t seed = 0; seed < 3000; seed++)
        play_trace(seed, 1, false);
}

MR_TEST(calls_in_flight_equal_blocks)
{
    for (uint64_t seed = 3000; seed < 6000; seed++)
        play_trace(seed, n_flight_max, false);
}

/* What only background work has used goes first. */
MR_TEST(classes_equal_blocks)
{
    for (uint64_t seed = 6000; seed < 9000; seed++)
        play_trace(seed, n_flight_max, true);
}

/* ---- by hand ---- */

static uint32_t call(struct mr_cache *cache, const struct mr_cache_run *run, uint32_t n_run)
{
    struct mr_cache_path path = {.run = run, .n_run = n_run};
    struct mr_cache_hold hold;
    struct mr_err err = {0};
    for (uint32_t i = 0; i < n_run; i++)
        path.n_block += run[i].n;
    assert_int_equal(mr_cache_acquire(cache, &path, path.n_block, &hold, &err), MR_OK);
    const uint32_t hit = hold.n_block;
    assert_int_equal(mr_cache_extend(cache, &hold, &path, NULL, &err), MR_OK);
    (void)mr_cache_release(cache, &hold);
    return hit;
}

MR_TEST(shared_prefix_then_own_space)
{
    struct mr_cache cache;
    struct mr_err err = {0};
    assert_int_equal(mr_cache_init(&cache, 1000, &err), MR_OK);
    const struct mr_cache_run a[] = {{mr_cache_id(1, 0), 100}, {mr_cache_id(7, 0), 25}};
    const struct mr_cache_run b[] = {{mr_cache_id(1, 0), 100}, {mr_cache_id(8, 0), 40}};
    assert_int_equal(call(&cache, a, 2), 0);
    assert_int_equal(call(&cache, b, 2), 100); /* only its own tail is computed */
    assert_int_equal(call(&cache, a, 2), 125);
    assert_int_equal(cache.n_block, 165);
    /* a recycled session has a fresh space: nothing of its last life is found */
    const struct mr_cache_run again[] = {{mr_cache_id(1, 0), 100}, {mr_cache_id(9, 0), 25}};
    assert_int_equal(call(&cache, again, 2), 100);
    /* a session ends: its blocks are free at once, the prefix stays */
    const struct mr_cache_path path = {.run = b, .n_run = 2, .n_block = 140};
    assert_int_equal(mr_cache_drop(&cache, &path, 100, &err), MR_OK);
    assert_int_equal(cache.n_block, 150);
    assert_int_equal(call(&cache, a, 2), 125);
    assert_int_equal(call(&cache, b, 2), 100);
    mr_cache_fini(&cache);
}

MR_TEST(paths_shrink_to_their_branches)
{
    struct mr_cache cache;
    struct mr_err err = {0};
    assert_int_equal(mr_cache_init(&cache, 1000, &err), MR_OK);
    const struct mr_cache_run a[] = {{0, 100}}, b[] = {{0, 50}, {200, 10}};
    const struct mr_cache_path path = {.run = b, .n_run = 2, .n_block = 60};
    assert_int_equal(call(&cache, a, 1), 0);
    assert_int_equal(call(&cache, b, 2), 50);
    assert_int_equal(cache.tree.n_node, 3);
    assert_int_equal(call(&cache, a, 1), 100);
    assert_int_equal(cache.tree.n_node, 3); /* both halves have one age, but there is a branch */
    assert_int_equal(mr_cache_drop(&cache, &path, 50, &err), MR_OK);
    assert_int_equal(cache.tree.n_node, 2);
    assert_int_equal(call(&cache, a, 1), 100);
    assert_int_equal(cache.tree.n_node, 1);
    assert_int_equal(cache.n_block, 100);
    mr_cache_fini(&cache);
}

MR_TEST(whole_blocks_and_one_token_left_to_compute)
{
    assert_int_equal(mr_cache_whole(63, 64), 0);
    assert_int_equal(mr_cache_whole(64, 64), 1);
    assert_int_equal(mr_cache_reusable(0, 64), 0);
    assert_int_equal(mr_cache_reusable(64, 64), 0); /* its last token must run */
    assert_int_equal(mr_cache_reusable(65, 64), 1);
    assert_int_equal(mr_cache_reusable(128, 64), 1);
}

MR_TEST(pinned_blocks_outlive_any_limit)
{
    struct mr_cache cache;
    struct mr_err err = {0};
    assert_int_equal(mr_cache_init(&cache, 100, &err), MR_OK);
    const struct mr_cache_run a[] = {{mr_cache_id(1, 0), 60}}, b[] = {{mr_cache_id(2, 0), 30}};
    const struct mr_cache_path path = {.run = a, .n_run = 1, .n_block = 60};
    struct mr_cache_hold hold;
    assert_int_equal(call(&cache, a, 1), 0);
    assert_int_equal(call(&cache, b, 1), 0);
    assert_int_equal(mr_cache_acquire(&cache, &path, 20, &hold, &err), MR_OK);
    assert_int_equal(hold.n_block, 20);
    assert_int_equal(mr_cache_evictable(&cache), 70);
    assert_int_equal(mr_cache_limit(&cache, 5), 15); /* 20 pinned, 15 too many */
    assert_int_equal(cache.n_block, 20);
    assert_int_equal(mr_cache_evictable(&cache), 0);
    (void)mr_cache_release(&cache, &hold);
    assert_int_equal(cache.n_block, 5);
    mr_cache_fini(&cache);
}

MR_TEST(stale_hints_are_seen)
{
    struct mr_cache cache;
    struct mr_err err = {0};
    assert_int_equal(mr_cache_init(&cache, 100, &err), MR_OK);
    const struct mr_cache_run a[] = {{mr_cache_id(1, 0), 10}}, b[] = {{mr_cache_id(2, 0), 100}};
    struct mr_cache_path path = {.run = a, .n_run = 1, .n_block = 10};
    struct mr_cache_hold hold;
    assert_int_equal(mr_cache_acquire(&cache, &path, 10, &hold, &err), MR_OK);
    assert_int_equal(mr_cache_extend(&cache, &hold, &path, NULL, &err), MR_OK);
    path.hint = mr_cache_release(&cache, &hold);
    path.n_keep = 10;
    assert_true(mr_cache_tree_is_live(&cache.tree, path.hint));
    assert_int_equal(mr_cache_resident(&cache, &path, 10), 10);
    assert_int_equal(call(&cache, b, 1), 0); /* takes all the room, and the slot */
    assert_false(mr_cache_tree_is_live(&cache.tree, path.hint));
    assert_int_equal(mr_cache_resident(&cache, &path, 10), 0);
    mr_cache_clear(&cache);
    assert_int_equal(call(&cache, a, 1), 0);
    assert_false(mr_cache_tree_is_live(&cache.tree, path.hint));
    assert_int_equal(mr_cache_resident(&cache, &path, 10), 10); /* found from the root */
    mr_cache_fini(&cache);
}

/* ---- cost ---- */

/* Steps and list operations of one call of a session that has grown to `n_block` blocks. */
static uint64_t cost_at(struct mr_cache *cache, uint32_t space, struct mr_cache_ref *hint,
                        uint32_t n_before, uint32_t n_block)
{
    const struct mr_cache_run run[] = {{mr_cache_id(1, 0), 200},
                                       {mr_cache_id(space, 0), n_block - 200}};
    const struct mr_cache_path path = {
        .run = run, .n_run = 2, .n_block = n_block, .hint = *hint, .n_keep = n_before};
    struct mr_cache_hold hold;
    struct mr_err err = {0};
    const uint64_t before = cache->tree.n_step + cache->list.n_op;
    assert_int_equal(mr_cache_acquire(cache, &path, n_block - 1, &hold, &err), MR_OK);
    assert_int_equal(hold.n_block, n_before);
    assert_int_equal(mr_cache_extend(cache, &hold, &path, NULL, &err), MR_OK);
    *hint = mr_cache_release(cache, &hold);
    return cache->tree.n_step + cache->list.n_op - before;
}

MR_TEST(growing_session_costs_the_same_at_any_length)
{
    enum {
        n_session = 400,
        n_call = 2000
    };
    struct mr_cache cache;
    struct mr_cache_ref hint[n_session] = {{0, 0}};
    uint64_t most = 0, first = 0;
    struct mr_err err = {0};
    assert_int_equal(mr_cache_init(&cache, UINT32_MAX, &err), MR_OK);
    for (uint32_t c = 0; c < n_call; c++)
        for (uint32_t s = 0; s < n_session; s++) {
            const uint32_t n = 210 + 11 * c;
            const uint32_t before = c > 0 ? n - 11 : s > 0 ? 200 : 0;
            const uint64_t cost = cost_at(&cache, 2 + s, &hint[s], before, n);
            if (c == 10)
                first = cost > first ? cost : first;
            else if (c > 10)
                most = cost > most ? cost : most;
        }
    assert_int_equal(most, first); /* 22,000 blocks of 16 are 352,000 tokens */
    assert_in_range(most, 1, 20);
    assert_int_equal(cache.tree.n_node, n_session + 1);
    assert_in_range(mr_cache_bytes(&cache) / n_session, 1, 256);
    mr_cache_fini(&cache);
}

MR_TEST(memory_is_bounded_by_what_is_cached)
{
    struct mr_cache cache;
    struct mr_err err = {0};
    size_t bytes = 0;
    assert_int_equal(mr_cache_init(&cache, 500, &err), MR_OK);
    for (uint32_t s = 1; s < 20000; s++) {
        const struct mr_cache_run run[] = {{mr_cache_id(0, 0), 5}, {mr_cache_id(s, 0), 1 + s % 7}};
        assert_int_equal(call(&cache, run, 2), s > 1 ? 5 : 0);
        if (s == 2000)
            bytes = mr_cache_bytes(&cache);
    }
    assert_int_equal(mr_cache_bytes(&cache), bytes);
    mr_cache_fini(&cache);
}

/* ---- names ---- */

MR_TEST(hashes_become_runs)
{
    struct mr_cache_names names = {0};
    struct mr_cache_runs runs = {0};
    struct mr_err err = {0};
    static const uint64_t a[] = {0, UINT64_MAX, 1u << 31, 77}, b[] = {0, UINT64_MAX, 5, 77, 6, 9};
    assert_int_equal(mr_cache_names_add(&names, 3, a, 4, &runs, &err), MR_OK);
    assert_int_equal(runs.n, 1);
    assert_true(runs.item[0].id == mr_cache_id(3, 0) && runs.item[0].n == 4);
    runs.n = 0;
    assert_int_equal(mr_cache_names_add(&names, 3, b, 6, &runs, &err), MR_OK);
    assert_int_equal(names.n, 7);
    static const struct mr_cache_run want[] = {{0, 2}, {4, 1}, {3, 1}, {5, 2}};
    assert_int_equal(runs.n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(runs.item[i].id == mr_cache_id(3, (uint32_t)want[i].id));
        assert_int_equal(runs.item[i].n, want[i].n);
    }
    /* many: the number of a hash never changes */
    struct mr_rng rng = mr_rng_stream(5, MR_RNG_TEST, 0);
    for (int round = 0; round < 2; round++) {
        mr_rng_seek(&rng, 0);
        for (uint32_t i = 0; i < 5000; i++) {
            const uint64_t hash = mr_rng_u64(&rng);
            runs.n = 0;
            assert_int_equal(mr_cache_names_add(&names, 0, &hash, 1, &runs, &err), MR_OK);
            assert_true(runs.item[0].id == 7 + i);
        }
    }
    mr_cache_names_fini(&names);
    mr_cache_names_runs_fini(&runs);
}

/* ---- no memory ---- */

static mr_status some_calls(void *context, struct mr_err *err)
{
    struct mr_cache cache = {0};
    struct mr_cache_names names = {0};
    struct mr_cache_runs runs = {0};
    (void)context;
    mr_status st = mr_cache_init(&cache, 300, err);
    for (uint64_t c = 0; st == MR_OK && c < 40; c++) {
        const uint64_t hash[] = {1, 2 + c % 3, c * c % 11, c, c % 5, 3, c % 2, 100 + c};
        struct mr_cache_hold hold;
        runs.n = 0;
        st = mr_cache_names_add(&names, 0, hash, 8, &runs, err);
        const struct mr_cache_path path = {
            .run = runs.item, .n_run = (uint32_t)runs.n, .n_block = 8};
        if (st == MR_OK)
            st = mr_cache_acquire(&cache, &path, 7, &hold, err);
        if (st != MR_OK)
            break;
        const uint32_t n_block = cache.n_block, held = hold.n_block;
        st = mr_cache_extend(&cache, &hold, &path, NULL, err);
        if (st != MR_OK) { /* nothing changed */
            assert_int_equal(cache.n_block, n_block);
            assert_int_equal(hold.n_block, held);
        }
        (void)mr_cache_release(&cache, &hold);
        if (st == MR_OK && c % 7 == 6)
            st = mr_cache_drop(&cache, &path, 2, err);
    }
    assert_int_equal(cache.n_pinned, 0);
    mr_cache_names_fini(&names);
    mr_cache_names_runs_fini(&runs);
    mr_cache_fini(&cache);
    return st;
}

MR_TEST(every_allocation_may_fail)
{
    mr_test_every_nomem(some_calls, NULL);
}

/* Counts that share a word stop where they end, and touch no neighbor. */
MR_TEST(uses_stop_where_they_end)
{
    const struct mr_cache_run run = {mr_cache_id(1, 0), 4};
    const struct mr_cache_path path = {.run = &run, .n_run = 1, .n_block = 4};
    struct mr_cache cache;
    struct mr_cache_hold hold[100];
    assert_int_equal(mr_cache_init(&cache, 8, NULL), MR_OK);
    for (int c = 0; c < 100; c++) {
        assert_int_equal(mr_cache_acquire(&cache, &path, 4, &hold[c], NULL), MR_OK);
        assert_int_equal(mr_cache_extend(&cache, &hold[c], &path, NULL, NULL), MR_OK);
    }
    const struct mr_cache_node *node = &cache.tree.node[hold[0].node];
    const uint32_t generation = node->generation;
    assert_int_equal(node->n_use, MR_CACHE_USES);
    assert_int_equal(mr_cache_pins(node), 100);
    for (int c = 0; c < 100; c++)
        (void)mr_cache_release(&cache, &hold[c]);
    assert_int_equal(node->n_use, MR_CACHE_USES);
    assert_int_equal(mr_cache_pins(node), 0);
    assert_int_equal(node->generation, generation);
    assert_false(node->is_absent);
    assert_int_equal(cache.n_pinned, 0);
    mr_cache_fini(&cache);
}

MR_TEST_MAIN(MR_TEST_ENTRY(one_call_at_a_time_equals_blocks),
             MR_TEST_ENTRY(calls_in_flight_equal_blocks), MR_TEST_ENTRY(classes_equal_blocks),
             MR_TEST_ENTRY(shared_prefix_then_own_space),
             MR_TEST_ENTRY(paths_shrink_to_their_branches),
             MR_TEST_ENTRY(whole_blocks_and_one_token_left_to_compute),
             MR_TEST_ENTRY(pinned_blocks_outlive_any_limit), MR_TEST_ENTRY(stale_hints_are_seen),
             MR_TEST_ENTRY(growing_session_costs_the_same_at_any_length),
             MR_TEST_ENTRY(memory_is_bounded_by_what_is_cached), MR_TEST_ENTRY(hashes_become_runs),
             MR_TEST_ENTRY(uses_stop_where_they_end), MR_TEST_ENTRY(every_allocation_may_fail))
