/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/cache on recorded traces: hits counted beforehand by scripts of their own, with one
 * list of single blocks. Sessions in file order, calls in list order, one space per session. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/serve/cache.h"
#include "engine/serve/cache_names.h"
#include "engine/serve/cache_tier.h"
#include "tests/test.h"

struct replay {
    struct mr_cache cache;
    struct mr_cache_tier *tier; /* below it, or NULL */
    struct mr_json *json;
    uint32_t space;
    uint64_t n_call, n_block;
    uint64_t n_list_most; /* list operations of the dearest call, without evictions */
};

static void check(const struct replay *replay, mr_status st, const struct mr_err *err)
{
    if (st != MR_OK)
        fail_msg("call %llu: %s", (unsigned long long)replay->n_call, err->text);
}

/* One call: everything of it is computed and cached; with the hint and without it alike. */
static struct mr_cache_ref play_call(struct replay *replay, struct mr_cache_path path)
{
    struct mr_cache *cache = &replay->cache;
    struct mr_cache_path plain = path;
    struct mr_cache_hold hold;
    struct mr_err err = {0};
    plain.hint = (struct mr_cache_ref){0, 0};
    const uint32_t hit = mr_cache_resident(cache, &plain, UINT32_MAX);
    check(replay, mr_cache_acquire(cache, &path, UINT32_MAX, &hold, &err), &err);
    assert_int_equal(hold.n_block, hit);
    if (replay->tier != NULL) {
        const uint32_t end = hit + mr_cache_tier_resident(replay->tier, &path, hit);
        check(replay, mr_cache_tier_load(replay->tier, &path, hit, end, &err), &err);
    }
    check(replay, mr_cache_extend(cache, &hold, &path, NULL, &err), &err);
    replay->n_call++;
    replay->n_block += path.n_block;
    return mr_cache_release(cache, &hold);
}

/* ---- agentic sessions: keep and new runs ---- */

/* One stream: a session's root, or one of its sub-agents. */
struct stream {
    struct mr_cache_runs runs, before;
    struct mr_cache_ref hint;
};

static uint32_t length(const struct mr_cache_runs *runs)
{
    uint32_t n = 0;
    for (size_t i = 0; i < runs->n; i++)
        n += runs->item[i].n;
    return n;
}

static void keep_runs(struct replay *replay, struct stream *stream, uint32_t keep)
{
    struct mr_err err = {0};
    const struct mr_cache_runs last = stream->runs;
    stream->runs = stream->before;
    stream->before = last;
    stream->runs.n = 0;
    for (size_t i = 0; i < last.n && keep > 0; i++) {
        const uint32_t n = last.item[i].n < keep ? last.item[i].n : keep;
        const struct mr_cache_run run = {last.item[i].id, n};
        check(replay, mr_cache_names_run(&stream->runs, run, &err), &err);
        keep -= n;
    }
    assert_int_equal(keep, 0);
}

static void read_new(struct replay *replay, struct stream *stream)
{
    struct mr_err err = {0};
    bool has_more;
    check(replay, mr_json_enter_array(replay->json, &err), &err);
    for (;;) {
        uint64_t *pair = NULL;
        size_t cap = 0, n = 0;
        check(replay, mr_json_array_more(replay->json, &has_more, &err), &err);
        if (!has_more)
            break;
        check(replay, mr_json_u64_array(replay->json, &pair, &cap, &n, &err), &err);
        assert_int_equal(n, 2);
        const struct mr_cache_run run = {mr_cache_id(replay->space, (uint32_t)pair[0]),
                                         (uint32_t)pair[1]};
        check(replay, mr_cache_names_run(&stream->runs, run, &err), &err);
        mr_free(pair);
    }
}

static void play_stream(struct replay *replay);

/* One entry of "requests": a call, or a sub-agent with calls of its own where it stands. */
static void play_entry(struct replay *replay, struct stream *stream)
{
    struct mr_err err = {0};
    struct mr_str key;
    bool has_more, is_call = false;
    uint64_t keep = 0;
    check(replay, mr_json_enter_object(replay->json, &err), &err);
    for (;;) {
        check(replay, mr_json_key(replay->json, &key, &has_more, &err), &err);
        if (!has_more)
            break;
        if (mr_str_is(key, "keep")) {
            check(replay, mr_json_u64(replay->json, &keep, &err), &err);
            keep_runs(replay, stream, (uint32_t)keep);
            is_call = true;
        } else if (mr_str_is(key, "new")) {
            assert_true(is_call); /* "keep" stands before */
            read_new(replay, stream);
        } else if (mr_str_is(key, "requests")) {
            play_stream(replay);
        } else {
            check(replay, mr_json_skip(replay->json, &err), &err);
        }
    }
    if (!is_call)
        return;
    const uint64_t n_list = replay->cache.list.n_op;
    stream->hint = play_call(replay, (struct mr_cache_path){.run = stream->runs.item,
                                                            .n_run = (uint32_t)stream->runs.n,
                                                            .n_block = length(&stream->runs),
                                                            .hint = stream->hint,
                                                            .n_keep = (uint32_t)keep});
    if (replay->cache.list.n_op - n_list > replay->n_list_most)
        replay->n_list_most = replay->cache.list.n_op - n_list;
}

static void play_stream(struct replay *replay)
{
    struct stream stream = {0};
    struct mr_err err = {0};
    bool has_more;
    check(replay, mr_json_enter_array(replay->json, &err), &err);
    for (;;) {
        check(replay, mr_json_array_more(replay->json, &has_more, &err), &err);
        if (!has_more)
            break;
        play_entry(replay, &stream);
    }
    mr_cache_names_runs_fini(&stream.runs);
    mr_cache_names_runs_fini(&stream.before);
}

static void play_sessions(struct replay *replay)
{
    struct mr_err err = {0};
    struct mr_str key;
    bool has_more;
    for (;; replay->space++) {
        check(replay, mr_json_document(replay->json, &has_more, &err), &err);
        if (!has_more)
            return;
        check(replay, mr_json_enter_object(replay->json, &err), &err);
        for (;;) {
            check(replay, mr_json_key(replay->json, &key, &has_more, &err), &err);
            if (!has_more)
                break;
            if (mr_str_is(key, "requests"))
                play_stream(replay);
            else
                check(replay, mr_json_skip(replay->json, &err), &err);
        }
    }
}

/* ---- chats: lists of hashes ---- */

static void play_chats(struct replay *replay)
{
    struct mr_cache_names names = {0};
    struct mr_cache_runs runs = {0};
    struct mr_err err = {0};
    struct mr_str key;
    uint64_t *hash = NULL;
    size_t cap = 0;
    bool has_more;
    for (;;) {
        size_t n = 0;
        check(replay, mr_json_document(replay->json, &has_more, &err), &err);
        if (!has_more)
            break;
        check(replay, mr_json_enter_object(replay->json, &err), &err);
        for (;;) {
            check(replay, mr_json_key(replay->json, &key, &has_more, &err), &err);
            if (!has_more)
                break;
            if (mr_str_is(key, "hash_ids"))
                check(replay, mr_json_u64_array(replay->json, &hash, &cap, &n, &err), &err);
            else
                check(replay, mr_json_skip(replay->json, &err), &err);
        }
        runs.n = 0;
        check(replay, mr_cache_names_add(&names, 0, hash, n, &runs, &err), &err);
        (void)play_call(replay, (struct mr_cache_path){.run = runs.item,
                                                       .n_run = (uint32_t)runs.n,
                                                       .n_block = (uint32_t)n});
    }
    assert_int_equal(names.n, 182790);
    mr_free(hash);
    mr_cache_names_fini(&names);
    mr_cache_names_runs_fini(&runs);
}

/* ---- known counts ---- */

struct golden {
    uint32_t capacity;
    uint64_t n_hit;
};

static void replay_file(const char *name, void (*play)(struct replay *),
                        const struct golden *golden, size_t n_golden, uint64_t n_call,
                        uint64_t n_block)
{
    const char *path = mr_test_data(name);
    if (path == NULL)
        mr_test_skip("%s is not here: set MILLRACE_DATA", name);
    for (size_t i = 0; i < n_golden; i++) {
        struct replay replay = {.space = 1};
        struct mr_err err = {0};
        check(&replay, mr_cache_init(&replay.cache, golden[i].capacity, &err), &err);
        check(&replay, mr_json_open(path, NULL, &replay.json, &err), &err);
        play(&replay);
        const struct mr_cache_counts *counts = &replay.cache.counts;
        assert_int_equal(replay.n_call, n_call);
        assert_int_equal(replay.n_block, n_block);
        assert_int_equal(counts->n_hit_block, golden[i].n_hit);
        assert_int_equal(counts->n_inserted_block, n_block - golden[i].n_hit);
        assert_int_equal(counts->n_inserted_block - counts->n_evicted_block, replay.cache.n_block);
        assert_true(replay.cache.n_block <= golden[i].capacity);
        print_message("%u blocks: %.2f list operations per call (most %llu), %u extents, %zu B\n",
                      golden[i].capacity, (double)replay.cache.list.n_op / (double)n_call,
                      (unsigned long long)replay.n_list_most, replay.cache.tree.n_node,
                      mr_cache_bytes(&replay.cache));
        mr_json_close(replay.json);
        mr_cache_fini(&replay.cache);
    }
}

MR_TEST(agentic_sample)
{
    static const struct golden golden[] = {{500, 612530},   {1000, 1098051}, {2000, 1635890},
                                           {3000, 1735956}, {5000, 1801579}, {UINT32_MAX, 1802630}};
    replay_file("agentic/packed_ci_sample.jsonl", play_sessions, golden, 6, 1362, 1919128);
}

MR_TEST(agentic_corpus)
{
    static const struct golden golden[] = {{UINT32_MAX, 78517962}};
    replay_file("agentic/packed_dedup.jsonl.gz", play_sessions, golden, 1, 44758, 81587090);
}

MR_TEST(chats)
{
    static const struct golden golden[] = {{1000, 12847},  {3000, 18850},   {10000, 61046},
                                           {30000, 93978}, {50000, 102290}, {UINT32_MAX, 105710}};
    replay_file("mooncake/conversation_trace.jsonl.gz", play_chats, golden, 6, 12031, 288500);
}

/* Whatever the size of the cache: with all it evicts kept below, hits are those without a limit. */
static void replay_above_all(const char *name, void (*play)(struct replay *), uint64_t n_hit,
                             bool is_write_back)
{
    const char *path = mr_test_data(name);
    if (path == NULL)
        mr_test_skip("%s is not here: set MILLRACE_DATA", name);
    static const uint32_t capacity[] = {1, 500, 2000};
    for (size_t i = 0; i < sizeof capacity / sizeof *capacity; i++) {
        struct mr_cache_tier tier;
        const struct mr_cache_tier_params params = {.n_limit = UINT64_MAX,
                                                    .is_write_back = is_write_back};
        struct replay replay = {.space = 1, .tier = &tier};
        struct mr_err err = {0};
        check(&replay, mr_cache_tier_init(&tier, &params, &err), &err);
        check(&replay, mr_cache_init(&replay.cache, capacity[i], &err), &err);
        replay.cache.lower = &tier;
        check(&replay, mr_json_open(path, NULL, &replay.json, &err), &err);
        play(&replay);
        const uint64_t n_above = replay.cache.counts.n_hit_block;
        if (is_write_back)
            assert_int_equal(n_above + tier.counts.n_loaded_block, n_hit);
        else
            assert_int_equal(tier.counts.n_loaded_block, 0);
        assert_int_equal(tier.status, MR_OK);
        print_message("%u blocks: %llu hits there, %llu below, %u extents below\n", capacity[i],
                      (unsigned long long)n_above, (unsigned long long)tier.counts.n_loaded_block,
                      tier.tree.n_node);
        mr_json_close(replay.json);
        mr_cache_fini(&replay.cache);
        mr_cache_tier_fini(&tier);
    }
}

MR_TEST(agentic_sample_above_an_unlimited_tier)
{
    replay_above_all("agentic/packed_ci_sample.jsonl", play_sessions, 1802630, true);
    replay_above_all("agentic/packed_ci_sample.jsonl", play_sessions, 0, false);
}

MR_TEST(chats_above_an_unlimited_tier)
{
    replay_above_all("mooncake/conversation_trace.jsonl.gz", play_chats, 105710, true);
}

MR_TEST_MAIN(MR_TEST_ENTRY(agentic_sample), MR_TEST_ENTRY(agentic_corpus), MR_TEST_ENTRY(chats),
             MR_TEST_ENTRY(agentic_sample_above_an_unlimited_tier),
             MR_TEST_ENTRY(chats_above_an_unlimited_tier))
