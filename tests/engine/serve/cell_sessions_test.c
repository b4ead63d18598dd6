/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting sessions that do not matter changes no call: sessions that go on after short and long
 * times in a tight cache, once each with a place of its own, once with places that are forgotten
 * every few calls and given to others, have the same hits and times; and few places are enough. */
#include "engine/serve/cell_sessions.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/work/session_index.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>

enum {
    n_call = 4000,
    n_at_once = 25, /* sessions that go on */
    forget_every = 37
};

struct outcome {
    uint32_t n_cached, instance, n_restart;
    double scheduled_s, finished_s;
};

struct drawn {
    double arrived_s;
    uint32_t session, n_prompt, n_output;
};

struct world {
    struct mr_cell cell;
    struct outcome outcome[n_call];
    uint32_t n_place, n_kept_max;
};

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct world *w = context;
    w->outcome[ticket->id] = (struct outcome){ticket->n_cached, ticket->instance, call->n_restart,
                                              call->scheduled_s, now_s};
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    (void)context, (void)ticket, (void)now_s, (void)why;
    fail_msg("refused");
}

/* Any number, as in a file. */
static uint32_t number_of(uint32_t session)
{
    return session * 2654435761u;
}

static void draw(struct drawn *call)
{
    struct mr_rng rng = mr_rng_stream(4, MR_RNG_TEST, 1);
    uint32_t session[n_at_once], n_tok[n_at_once], n_session = 0;
    double now_s = 0;
    for (uint32_t i = 0; i < n_at_once; i++)
        session[i] = n_session++, n_tok[i] = 0;
    for (uint32_t k = 0; k < n_call; k++) {
        const uint32_t i = (uint32_t)mr_rng_below(&rng, n_at_once);
        if (mr_rng_f64(&rng) < 0.2)
            session[i] = n_session++, n_tok[i] = 0;
        n_tok[i] = n_tok[i] > 2000 ? 10 : n_tok[i] + 20 + (uint32_t)mr_rng_below(&rng, 200);
        now_s += mr_rng_exponential(&rng, 0.5);
        call[k] = (struct drawn){now_s, number_of(session[i]), n_tok[i],
                                 1 + (uint32_t)mr_rng_below(&rng, 60)};
        n_tok[i] += call[k].n_output;
    }
}

static void forget_some(struct world *w, struct mr_session_index *index)
{
    bool *is_kept = mr_alloc(index->n + 1, sizeof *is_kept);
    assert_non_null(is_kept);
    assert_int_equal(mr_cell_sessions_forget(&w->cell, index->n, is_kept, NULL), MR_OK);
    mr_session_index_keep(index, is_kept);
    mr_free(is_kept);
    const uint32_t n_kept = index->n - index->n_free;
    w->n_kept_max = n_kept > w->n_kept_max ? n_kept : w->n_kept_max;
}

static void play_calls(struct world *w, const struct mr_cell_plan *plan, const struct drawn *call,
                       bool forgets)
{
    struct mr_session_index index = {0};
    assert_int_equal(
        mr_cell_init(&w->cell, plan, &(struct mr_cell_sink){finished, refused, w}, NULL), MR_OK);
    for (uint32_t k = 0; k < n_call; k++) {
        struct mr_ticket ticket = {
            .id = k, .n_prompt = call[k].n_prompt, .n_output = call[k].n_output};
        assert_int_equal(mr_cell_play(&w->cell, call[k].arrived_s, NULL), MR_OK);
        if (forgets && k % forget_every == 0)
            forget_some(w, &index);
        assert_int_equal(mr_session_index_at(&index, call[k].session, &ticket.session, NULL),
                         MR_OK);
        assert_int_equal(index.number[ticket.session], call[k].session);
        assert_int_equal(mr_cell_arrive(&w->cell, &ticket, call[k].arrived_s, NULL), MR_OK);
    }
    assert_int_equal(mr_cell_play(&w->cell, (double)INFINITY, NULL), MR_OK);
    w->n_place = index.n;
    mr_session_index_fini(&index);
    mr_cell_fini(&w->cell);
}

static void check_same(uint64_t n_block, bool has_cache, int router)
{
    static struct world with, without;
    static struct drawn call[n_call];
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = {.policy = &mr_policy_vllm1,
                                       .pricer = {.profile = profile},
                                       .batch_max = 16,
                                       .token_max = 512,
                                       .block_tokens = 16,
                                       .n_block = n_block,
                                       .has_cache = has_cache};
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 3, .router = router};
    uint64_t n_cached = 0;
    with = without = (struct world){0};
    draw(call);
    play_calls(&without, &plan, call, false);
    play_calls(&with, &plan, call, true);
    for (uint32_t k = 0; k < n_call; k++) {
        const struct outcome *a = &with.outcome[k], *b = &without.outcome[k];
        assert_int_equal(a->n_cached, b->n_cached);
        assert_int_equal(a->instance, b->instance);
        assert_int_equal(a->n_restart, b->n_restart);
        assert_true(a->scheduled_s == b->scheduled_s && a->finished_s == b->finished_s);
        n_cached += a->n_cached;
    }
    assert_true(has_cache == (n_cached > 0));
    /* nothing is cached that all blocks do not hold, and as few calls are inside */
    assert_true(with.n_kept_max <= 3 * n_block);
    assert_true(with.n_place <= with.n_kept_max + forget_every);
    assert_true(4 * with.n_place < without.n_place);
    mr_profile_destroy(profile);
}

MR_TEST(forgetting_changes_nothing)
{
    check_same(300, true, MR_ROUTER_ROUND);
    check_same(400, true, MR_ROUTER_KV);
}

MR_TEST(without_caches_only_those_inside_are_kept)
{
    check_same(300, false, MR_ROUTER_ROUND);
}

MR_TEST(places_of_an_index)
{
    struct mr_session_index index = {0};
    bool is_kept[1000];
    uint32_t place;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(mr_session_index_at(&index, number_of(i), &place, NULL), MR_OK);
        assert_int_equal(place, i);
        is_kept[i] = i % 3 == 0;
    }
    mr_session_index_keep(&index, is_kept);
    assert_int_equal(index.n_free, 666);
    mr_session_index_keep(&index, is_kept); /* free ones stay free, once */
    assert_int_equal(index.n_free, 666);
    for (uint32_t i = 0; i < 1000; i += 3) {
        assert_int_equal(mr_session_index_at(&index, number_of(i), &place, NULL), MR_OK);
        assert_int_equal(place, i);
    }
    for (uint32_t i = 2000; i < 2666; i++) {
        assert_int_equal(mr_session_index_at(&index, number_of(i), &place, NULL), MR_OK);
        assert_true(place < 1000 && place % 3 != 0 && index.number[place] == number_of(i));
    }
    assert_int_equal(index.n, 1000);
    assert_int_equal(index.n_free, 0);
    assert_int_equal(mr_session_index_at(&index, number_of(1), &place, NULL), MR_OK);
    assert_int_equal(place, 1000);
    mr_session_index_fini(&index);
}

MR_TEST_MAIN(MR_TEST_ENTRY(forgetting_changes_nothing),
             MR_TEST_ENTRY(without_caches_only_those_inside_are_kept),
             MR_TEST_ENTRY(places_of_an_index))
