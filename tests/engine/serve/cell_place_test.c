/* SPDX-License-Identifier: Apache-2.0 */
/* Where a lane's last call was served makes the next one fast and nothing else: sessions that keep
 * part of their contexts, begin anew and end, in caches that are roomy and tight, once with their
 * places and once without, have the same calls at the same times; and places save steps. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/serve/cell.h"
#include "engine/work/script.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>

enum {
    n_session = 30,
    n_lane_call = 60, /* of each */
    n_call = n_session * n_lane_call,
    block_tok = 16
};

struct outcome {
    uint32_t n_cached, instance, n_restart;
    double scheduled_s, finished_s;
};

struct world {
    struct mr_script script;
    uint32_t context[n_session][n_lane_call], n_prompt[n_session][n_lane_call];
    uint32_t n_made[n_session]; /* calls that have begun */
    struct mr_script_place place[n_session];
    struct mr_cell cell;
    struct outcome outcome[n_call];
    bool has_places;
};

/* Contexts of one lane: what a call keeps of the one before, then names that are new or that go on
 * with the last one's. */
static void draw_lane(struct world *w, struct mr_rng *rng, uint32_t s)
{
    struct mr_script_run run[2] = {{1, 0, 20}};
    uint32_t n_own = 0, first = 1, n_name = 1, base = MR_SCRIPT_NONE;
    for (uint32_t i = 0; i < n_lane_call; i++) {
        const bool begins_anew = mr_rng_f64(rng) < 0.1;
        const uint32_t more = 1 + (uint32_t)mr_rng_below(rng, 6);
        if (begins_anew || n_own > 150) {
            first = n_name;
            n_own = 0;
        }
        n_own += more;
        n_name = first + n_own > n_name ? first + n_own : n_name;
        run[1] = (struct mr_script_run){0, first, n_own};
        assert_int_equal(mr_script_context_add(&w->script, run, 2, base, &w->context[s][i], NULL),
                         MR_OK);
        base = w->context[s][i];
        w->n_prompt[s][i] = (20 + n_own) * block_tok + (uint32_t)mr_rng_below(rng, block_tok);
    }
}

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct world *w = context;
    w->outcome[ticket->id] = (struct outcome){ticket->n_cached, ticket->instance, call->n_restart,
                                              call->scheduled_s, now_s};
    w->place[ticket->session] = mr_cell_place(&w->cell, ticket, call);
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    (void)context, (void)ticket, (void)now_s, (void)why;
    fail_msg("refused");
}

/* @return nodes and runs of caches that were looked at */
static uint64_t play_sessions(struct world *w, const struct mr_serving *serving, bool has_places)
{
    struct mr_rng rng = mr_rng_stream(3, MR_RNG_TEST, 7);
    const struct mr_cell_plan plan = {
        .serving = serving, .n_instance = 2, .router = MR_ROUTER_AFFINITY};
    uint64_t n_step = 0;
    double now_s = 0;
    assert_int_equal(
        mr_cell_init(&w->cell, &plan, &(struct mr_cell_sink){finished, refused, w}, NULL), MR_OK);
    assert_int_equal(mr_cell_take_script(&w->cell, &w->script, NULL), MR_OK);
    for (uint32_t s = 0; s < n_session; s++) {
        w->n_made[s] = 0;
        w->place[s].instance = MR_SCRIPT_NONE;
    }
    for (uint64_t id = 0; id < n_call; id++) {
        uint32_t s = (uint32_t)mr_rng_below(&rng, n_session);
        while (w->n_made[s] == n_lane_call)
            s = (s + 1) % n_session;
        const uint32_t i = w->n_made[s]++;
        now_s += mr_rng_exponential(&rng, 0.4);
        assert_int_equal(mr_cell_play(&w->cell, now_s, NULL), MR_OK);
        const struct mr_ticket ticket = {.id = id,
                                         .session = s,
                                         .n_prompt = w->n_prompt[s][i],
                                         .n_output = 1 + (uint32_t)mr_rng_below(&rng, 60),
                                         .is_alone = true,
                                         .context = w->context[s][i] + 1,
                                         .space = 2 + s,
                                         .instance = w->place[s].instance,
                                         .is_final = mr_rng_f64(&rng) < 0.1,
                                         .place = has_places ? &w->place[s] : NULL};
        assert_int_equal(mr_cell_arrive(&w->cell, &ticket, now_s, NULL), MR_OK);
    }
    assert_int_equal(mr_cell_play(&w->cell, (double)INFINITY, NULL), MR_OK);
    for (uint32_t i = 0; i < plan.n_instance; i++)
        n_step += w->cell.instance[i].cache.tree.n_step;
    mr_cell_fini(&w->cell);
    return n_step;
}

static void check_same(uint64_t n_block, bool is_tight)
{
    static struct world w, without;
    struct mr_profile *profile = play_five_constants();
    struct mr_rng rng = mr_rng_stream(2, MR_RNG_TEST, n_block);
    const struct mr_serving serving = {.policy = &mr_policy_vllm1,
                                       .pricer = {.profile = profile},
                                       .batch_max = 16,
                                       .token_max = 512,
                                       .block_tokens = block_tok,
                                       .n_block = n_block,
                                       .has_cache = true};
    uint64_t n_cached = 0;
    w = (struct world){.script.n_space = 1};
    for (uint32_t s = 0; s < n_session; s++)
        draw_lane(&w, &rng, s);
    const uint64_t n_without = play_sessions(&w, &serving, false);
    without = w;
    const uint64_t n_with = play_sessions(&w, &serving, true);
    for (uint32_t i = 0; i < n_call; i++) {
        assert_int_equal(w.outcome[i].n_cached, without.outcome[i].n_cached);
        assert_int_equal(w.outcome[i].instance, without.outcome[i].instance);
        assert_int_equal(w.outcome[i].n_restart, without.outcome[i].n_restart);
        assert_true(w.outcome[i].scheduled_s == without.outcome[i].scheduled_s);
        assert_true(w.outcome[i].finished_s == without.outcome[i].finished_s);
        n_cached += w.outcome[i].n_cached;
    }
    assert_true(n_cached > 0);
    if (!is_tight)
        assert_true(n_with < n_without);
    mr_script_fini(&w.script);
    mr_profile_destroy(profile);
}

MR_TEST(places_change_nothing_in_roomy_caches)
{
    check_same(20000, false);
}

MR_TEST(places_change_nothing_in_tight_caches)
{
    check_same(400, true);
    check_same(900, true);
}

MR_TEST_MAIN(MR_TEST_ENTRY(places_change_nothing_in_roomy_caches),
             MR_TEST_ENTRY(places_change_nothing_in_tight_caches))
