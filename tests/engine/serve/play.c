/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/engine/serve/play.h"

#include "engine/base/mem.h"
#include "tests/test.h"

/* T = .002 + max(.010, 8.56e-5 N) + 8.19e-8 S + 3.36e-9 Q */
struct mr_profile *play_five_constants(void)
{
    struct mr_profile_card card;
    struct mr_profile *profile;
    struct mr_err err = {0};
    mr_profile_defaults(&card);
    card.form = MR_PROFILE_LINEAR5;
    card.t0_s = 0.002;
    card.tw_s = 0.010;
    card.ctok_s = 8.56e-5;
    card.ckv_s = 8.19e-8;
    card.catt_s = 3.36e-9;
    if (mr_profile_create(&card, NULL, 0, &profile, &err) != MR_OK)
        fail_msg("%s", err.text);
    return profile;
}

struct outcome {
    struct play_call *call;
    struct mr_calls *calls;
    struct play_result *result;
};

static void finished(void *context, uint32_t call, double now_s)
{
    struct outcome *out = context;
    const struct mr_call *c = &out->calls->call[call];
    out->call[call].scheduled_s = c->scheduled_s;
    out->call[call].first_s = c->first_s;
    out->call[call].finished_s = now_s;
    out->call[call].n_restart = c->n_restart;
    out->call[call].n_cached = c->n_cached;
    out->call[call].load_s = mr_call_load_s(out->calls, c);
    for (int k = 0; k < 2; k++)
        out->call[call].again_s[k] = mr_call_again_s(out->calls, c, k == 1);
    for (uint32_t k = 0; k < MR_ONBOARD_LEVELS; k++)
        out->call[call].n_loaded[k] = mr_call_loaded(out->calls, c, k);
    out->result->end_s = now_s;
}

void play_take_calls(struct mr_calls *calls, size_t n)
{
    uint32_t call;
    *calls = MR_CALLS_EMPTY;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(mr_call_take(calls, &call, NULL), MR_OK);
        assert_int_equal(call, i);
    }
}

struct play_result play(const struct mr_serving *serving, struct play_call *call, size_t n)
{
    struct mr_err err = {0};
    struct mr_calls calls;
    struct mr_instance instance;
    struct play_result result = {0};
    struct outcome outcome = {call, &calls, &result};
    const struct mr_instance_sink sink = {.finished = finished, .context = &outcome};
    size_t i = 0;
    play_take_calls(&calls, n);
    if (mr_instance_check(serving, &err) != MR_OK ||
        mr_instance_init(&instance, serving, &calls, &err) != MR_OK)
        fail_msg("%s", err.text);
    struct mr_onboard_pool *below = NULL;
    if (serving->onboard != NULL)
        assert_int_equal(mr_onboard_open(&instance, 1, &below, &err), MR_OK);
    for (size_t k = 0; k < n; k++) {
        calls.call[k] = (struct mr_call){.arrived_s = call[k].arrived_s,
                                         .n_prompt = call[k].n_prompt,
                                         .n_output = call[k].n_output,
                                         .space = call[k].space,
                                         .n_prefix = call[k].n_prefix,
                                         .number = (uint32_t)k,
                                         .rank = call[k].rank & (MR_QUEUE_RANKS - 1u),
                                         .yields = call[k].yields};
        mr_call_set_level(&calls.call[k], call[k].level);
        call[k].finished_s = (double)NAN;
    }
    for (;;) {
        const double due_s = mr_instance_due_s(&instance);
        if (i < n && call[i].arrived_s <= due_s + MR_SEGMENT_TIE_S) {
            assert_true(mr_instance_can_hold(&instance, call[i].n_prompt, call[i].n_output));
            assert_int_equal(mr_instance_arrive(&instance, (uint32_t)i, call[i].arrived_s, &err),
                             MR_OK);
            i++;
        } else if (!isinf(due_s)) {
            assert_int_equal(mr_instance_advance(&instance, &sink, &err), MR_OK);
        } else {
            break;
        }
    }
    assert_int_equal(instance.n_free, serving->n_block);
    assert_int_equal(instance.n_run + instance.queue.n + instance.n_part + instance.finish.n, 0);
    assert_int_equal(instance.kv_tokens + instance.kv_steps, 0);
    assert_int_equal(instance.window.tokens + instance.window.steps, 0);
    assert_int_equal(instance.cache.n_pinned, 0);
    result.n_iteration = instance.n_iteration;
    result.n_segment = instance.n_segment;
    result.n_restart = instance.n_restart;
    for (uint32_t k = 0; below != NULL && k < serving->onboard->n_level; k++) {
        const struct mr_cache_tier *tier = instance.onboard->tier[k];
        const struct mr_cache_tier_counts *sums = &tier->counts;
        assert_int_equal(sums->n_written_block,
                         tier->n_block + sums->n_evicted_block + sums->n_dropped_block);
        assert_true(tier->n_block <= tier->n_limit);
        result.n_resident[k] = (uint32_t)mr_onboard_resident(below, k);
    }
    if (below != NULL) {
        assert_int_equal(instance.onboard->n_load + instance.onboard->n_ready, 0);
        assert_int_equal(instance.n_waiting_tok, 0);
        result.loads = instance.onboard->counts;
    }
    mr_instance_fini(&instance);
    mr_onboard_close(below);
    mr_call_fini(&calls);
    return result;
}
