/* SPDX-License-Identifier: Apache-2.0 */
/* Agentic sessions on instances of 500 each: a shared prefix of 240 blocks, contexts that grow by
 * 11 blocks a call up to 2,800 (180,000 tokens at 64 a block) and then begin a new life. Half of
 * the sessions are in flight at any time. Cells of 100 instances are played one after the other, as
 * the engine does. The reference moves one 64 B line to the young end of its instance's list, at
 * the same places in the same order: what any LRU costs. */
#include "engine/cli/bench/bench_cache.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/serve/cache.h"

enum {
    per_instance = 500,
    per_cell = 100,     /* instances */
    visits_cell = 8192, /* one after another before the next cell's turn */
    prefix_blocks = 240,
    grow_blocks = 11,
    life_blocks = 2800,
    mean_blocks = life_blocks / 2 - prefix_blocks, /* of a session, prefix aside */
    thrash_frac_inverse = 2 /* where calls must evict there is room for half of that */
};

struct session {
    struct mr_cache_ref hint;
    struct mr_cache_hold hold;
    uint32_t space, n_block;
    uint32_t n_cached; /* of the last call */
    bool is_in_flight;
};

struct line {
    uint32_t older, younger, n_block, rest[13];
};

struct cache_job {
    uint32_t n_session, n_instance, n_space;
    uint64_t n_visit;
    struct session *session;
    struct mr_cache *cache;
    struct line *line; /* of sessions, then one of each instance: the ends of its list */
};

static void begin_life(struct cache_job *job, struct session *session, uint32_t n_block)
{
    session->space = ++job->n_space;
    session->n_block = n_block;
    session->n_cached = 0;
    session->hint = (struct mr_cache_ref){0, 0};
}

/* A session asks for an instance, or its call ends. @return blocks found, to depend on */
static uint64_t visit(struct cache_job *job, struct mr_cache *cache, struct session *session,
                      mr_status *st)
{
    const struct mr_cache_run run[] = {
        {mr_cache_id(0, 0), prefix_blocks},
        {mr_cache_id(session->space, 0), session->n_block - prefix_blocks}};
    const struct mr_cache_path path = {.run = run,
                                       .n_run = 2,
                                       .n_block = session->n_block,
                                       .hint = session->hint,
                                       .n_keep = session->n_cached};
    if (!session->is_in_flight) {
        *st = mr_cache_acquire(cache, &path, session->n_block - 1, &session->hold, NULL);
        session->is_in_flight = *st == MR_OK;
        return session->hold.n_block;
    }
    *st = mr_cache_extend(cache, &session->hold, &path, NULL, NULL);
    session->hint = mr_cache_release(cache, &session->hold);
    session->is_in_flight = false;
    session->n_cached = session->n_block;
    session->n_block += grow_blocks;
    if (*st == MR_OK && session->n_block > life_blocks) {
        *st = mr_cache_drop(cache, &path, prefix_blocks, NULL);
        begin_life(job, session, prefix_blocks + grow_blocks);
    }
    return cache->n_block;
}

/* Visits in the order in which cells take turns: the instance and the session of number i. */
static void place(const struct cache_job *job, uint64_t i, uint32_t *instance, uint32_t *session)
{
    const uint32_t n_cell = (job->n_instance + per_cell - 1) / per_cell;
    const uint32_t cell = (uint32_t)(i / visits_cell % n_cell);
    const uint32_t first = cell * per_cell;
    const uint32_t n = job->n_instance - first < per_cell ? job->n_instance - first : per_cell;
    uint64_t h = (i + 1) * 0x9e3779b97f4a7c15u; /* all the randomness that is needed */
    h = (h ^ h >> 31) * 0xbf58476d1ce4e5b9u;
    *instance = first + (uint32_t)((h >> 32) % n);
    *session = *instance * per_instance + (uint32_t)((h & UINT32_MAX) * per_instance >> 32);
}

/* A window's wakes are known ahead: fetch in three steps what calls that are due soon will touch.
 */
MR_FETCH void look_ahead(const struct cache_job *job, uint64_t i)
{
    uint32_t instance, s;
    place(job, i + 24, &instance, &s);
    __builtin_prefetch(&job->session[s], 1);
    place(job, i + 16, &instance, &s);
    mr_cache_prefetch(&job->cache[instance], job->session[s].hint);
    place(job, i + 8, &instance, &s);
    mr_cache_prefetch_around(&job->cache[instance], job->session[s].hint);
}

static uint64_t work(void *data)
{
    struct cache_job *job = data;
    const uint64_t n = 2 * job->n_visit;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t instance, session;
        mr_status st;
        look_ahead(job, i);
        place(job, i, &instance, &session);
        sum += visit(job, &job->cache[instance], &job->session[session], &st);
        MR_ASSERT(st == MR_OK);
    }
    return sum;
}

static uint64_t plain(void *data)
{
    const struct cache_job *job = data;
    struct line *line = job->line;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < job->n_visit; i++) {
        uint32_t instance, s;
        place(job, i, &instance, &s);
        const uint32_t list = job->n_session + instance;
        line[line[s].older].younger = line[s].younger;
        line[line[s].younger].older = line[s].older;
        line[s].older = line[list].older;
        line[s].younger = list;
        line[line[list].older].younger = s;
        line[list].older = s;
        sum += line[s].n_block++;
    }
    return sum;
}

static void free_job(void *data)
{
    struct cache_job *job = data;
    for (uint32_t i = 0; job->cache != NULL && i < job->n_instance; i++)
        mr_cache_fini(&job->cache[i]);
    mr_free(job->cache);
    mr_free(job->session);
    mr_free(job->line);
    mr_free(job);
}

static void link_lines(struct cache_job *job)
{
    for (uint32_t i = 0; i < job->n_instance; i++) {
        const uint32_t list = job->n_session + i, first = i * per_instance;
        for (uint32_t s = first; s < first + per_instance; s++) {
            job->line[s].older = s == first ? list : s - 1;
            job->line[s].younger = s + 1 == first + per_instance ? list : s + 1;
        }
        job->line[list].older = first + per_instance - 1;
        job->line[list].younger = first;
    }
}

/* Every session somewhere in its life, with its context cached. */
static mr_status fill(struct cache_job *job, uint32_t n_limit, struct mr_err *err)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 4);
    job->session = mr_alloc_zero(job->n_session, sizeof *job->session);
    job->cache = mr_alloc_zero(job->n_instance, sizeof *job->cache);
    job->line = mr_alloc_zero(job->n_session + job->n_instance, sizeof *job->line);
    if (job->session == NULL || job->cache == NULL || job->line == NULL)
        return mr_err_nomem(err, job->n_session * sizeof *job->line);
    link_lines(job);
    for (uint32_t i = 0; i < job->n_instance; i++)
        MR_TRY(mr_cache_init(&job->cache[i], n_limit, err));
    for (uint32_t s = 0; s < job->n_session; s++) {
        struct session *session = &job->session[s];
        const uint64_t n_call = (life_blocks - prefix_blocks) / grow_blocks;
        begin_life(job, session,
                   prefix_blocks + grow_blocks * (1 + (uint32_t)mr_rng_below(&rng, n_call)));
        for (int half = 0; half < 2 + (int)(s % 2); half++) {
            mr_status st;
            (void)visit(job, &job->cache[s / per_instance], session, &st);
            if (st != MR_OK)
                return mr_err_nomem(err, 0);
        }
    }
    return MR_OK;
}

static mr_status setup(uint32_t n_session, uint32_t n_limit, struct mr_bench_job *bench,
                       struct mr_err *err)
{
    struct cache_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    job->n_session = n_session;
    job->n_instance = n_session / per_instance;
    const uint32_t n_cell = (job->n_instance + per_cell - 1) / per_cell;
    bench->n_op = job->n_visit = (uint64_t)n_cell * visits_cell;
    return fill(job, n_limit, err);
}

static mr_status setup_grow_20k(const struct mr_bench_case *self, struct mr_bench_job *bench,
                                struct mr_err *err)
{
    (void)self;
    return setup(20000, UINT32_MAX, bench, err);
}

static mr_status setup_grow_1m(const struct mr_bench_case *self, struct mr_bench_job *bench,
                               struct mr_err *err)
{
    (void)self;
    return setup(1000000, UINT32_MAX, bench, err);
}

static mr_status setup_evict_20k(const struct mr_bench_case *self, struct mr_bench_job *bench,
                                 struct mr_err *err)
{
    (void)self;
    return setup(20000, per_instance * mean_blocks / thrash_frac_inverse, bench, err);
}

static mr_status setup_evict_1m(const struct mr_bench_case *self, struct mr_bench_job *bench,
                                struct mr_err *err)
{
    (void)self;
    return setup(1000000, per_instance * mean_blocks / thrash_frac_inverse, bench, err);
}

// clang-format off
#define CACHE_CASE(name_, setup_) \
    {.name = (name_), .op = "call", .reference = "one LRU line", .setup = (setup_), .work = work, \
     .plain = plain, .teardown = free_job}
static const struct mr_bench_case cases[] = {
    CACHE_CASE("cache/grow_20k", setup_grow_20k),
    CACHE_CASE("cache/grow_1m", setup_grow_1m),
    CACHE_CASE("cache/evict_20k", setup_evict_20k),
    CACHE_CASE("cache/evict_1m", setup_evict_1m),
};
// clang-format on

const struct mr_bench_group mr_bench_cache_group = {cases, sizeof cases / sizeof *cases};
