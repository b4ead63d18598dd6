/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/cell: what agents say of a call moves it in queues, between instances and out of
 * caches, to dates that are known; it never changes its tokens. */
#include "engine/base/mem.h"
#include "engine/serve/cell.h"
#include "engine/serve/cell_expiry.h"
#include "engine/serve/policy.h"
#include "engine/serve/split.h"
#include "engine/work/script.h"
#include "engine/work/script_hint.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>

enum {
    n_max = 16,
    block_tok = 64
};

struct outcome {
    double scheduled_s, finished_s;
    uint32_t n_cached, n_prompt, n_output, instance;
    int refusal; /* -1: none */
};

struct world {
    struct mr_serving serving;
    struct mr_cell_plan plan;
    struct mr_cell cell;
    struct mr_script script;
    struct outcome out[n_max];
    struct mr_profile *profile;
    uint64_t n_told;
};

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct world *w = context;
    w->n_told++;
    w->out[ticket->id] = (struct outcome){
        call->scheduled_s, now_s, ticket->n_cached, ticket->n_prompt, ticket->n_output,
        ticket->instance,  -1};
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    struct world *w = context;
    w->n_told++;
    w->out[ticket->id] = (struct outcome){.finished_s = now_s, .refusal = (int)why};
}

/* Contexts of 1 .. 200 blocks of the session's own, all beginnings of one another: context k has
 * k + 1 of them. Hints from 1. */
static void make(struct world *w, const struct mr_script_hint *hint, size_t n_hint)
{
    struct mr_err err = {0};
    size_t n_above, n_below;
    *w = (struct world){.profile = play_five_constants()};
    w->serving = (struct mr_serving){.policy = &mr_policy_vllm1,
                                     .pricer = {.profile = w->profile},
                                     .batch_max = 1,
                                     .token_max = 2048,
                                     .context_max = 20000,
                                     .block_tokens = block_tok,
                                     .n_block = 1000,
                                     .has_cache = true};
    w->plan = (struct mr_cell_plan){.serving = &w->serving,
                                    .n_instance = 1,
                                    .router = MR_ROUTER_LEAST,
                                    .seed = 1,
                                    .rank = {0, 1}};
    for (uint32_t k = 0; k < 200; k++) {
        const struct mr_script_run run = {0, 0, k + 1};
        uint32_t context;
        assert_int_equal(mr_script_context_add(&w->script, &run, 1, MR_SCRIPT_NONE, &context, &err),
                         MR_OK);
        assert_int_equal(context, k);
    }
    assert_int_equal(
        mr_grow(&w->script.hint, &w->script.cap_hint, n_hint + 1, sizeof *w->script.hint, &err),
        MR_OK);
    w->script.hint[0] = (struct mr_script_hint){0};
    for (size_t i = 0; i < n_hint; i++)
        w->script.hint[i + 1] = hint[i];
    w->script.n_hint = n_hint + 1;
    assert_int_equal(mr_script_hint_levels(&w->script, &n_above, &n_below, &err), MR_OK);
}

static void begin(struct world *w)
{
    struct mr_err err = {0};
    assert_int_equal(
        mr_cell_init(&w->cell, &w->plan, &(struct mr_cell_sink){finished, refused, w}, &err),
        MR_OK);
    assert_int_equal(mr_cell_take_script(&w->cell, &w->script, &err), MR_OK);
}

static void arrive(struct world *w, double at_s, uint64_t id, uint32_t space, uint32_t n_block,
                   uint32_t n_output, uint8_t tier, uint8_t hint)
{
    struct mr_err err = {0};
    const struct mr_ticket ticket = {.id = id,
                                     .session = space,
                                     .n_prompt = n_block * block_tok,
                                     .n_output = n_output,
                                     .context = n_block,
                                     .space = space,
                                     .instance = MR_ROUTER_NOWHERE,
                                     .tier = tier,
                                     .hint = hint,
                                     .is_alone = true};
    assert_int_equal(mr_cell_play(&w->cell, at_s, &err), MR_OK);
    assert_int_equal(mr_cell_arrive(&w->cell, &ticket, at_s, &err), MR_OK);
}

static void end(struct world *w)
{
    struct mr_err err = {0};
    assert_int_equal(mr_cell_play(&w->cell, (double)INFINITY, &err), MR_OK);
    mr_cell_fini(&w->cell);
    mr_script_fini(&w->script);
    mr_profile_destroy(w->profile);
}

/* One slot: while call 0 runs six others come, worst first. */
MR_TEST(strict_first_then_tiers_then_priority)
{
    const struct mr_script_hint hint[] = {{.is_strict = true},
                                          {.priority = 3},
                                          {.priority = 5, .is_strict = true},
                                          {.priority = -1},
                                          {.priority = 1000000}};
    static const struct {
        uint8_t tier, hint;
    } call[] = {{0, 0}, {1, 0}, {0, 4}, {0, 0}, {0, 2}, {1, 1}, {1, 3}, {0, 5}};
    static const int order[] = {0, 6, 5, 7, 4, 3, 2, 1};
    struct world w;
    make(&w, hint, 5);
    begin(&w);
    for (uint32_t i = 0; i < 8; i++)
        arrive(&w, 0.01 * i, i, i + 1, 4, 100, call[i].tier, call[i].hint);
    end(&w);
    for (int k = 1; k < 8; k++) {
        const struct outcome *o = &w.out[order[k]], *before = &w.out[order[k - 1]];
        mr_assert_near(o->scheduled_s, before->finished_s, 0, 1e-9);
        assert_int_equal(o->n_prompt, 4 * block_tok);
        assert_int_equal(o->n_output, 100);
    }
}

/* A bucket of 1,000 tokens: 256 of the prompt and what is thought to come. */
MR_TEST(expected_output_counts_at_the_gate)
{
    const struct mr_script_hint hint[] = {{.n_expected = 745}, {.n_expected = 744}};
    struct world w;
    make(&w, hint, 2);
    w.plan.admission[0] = (struct mr_admission_rule){.rate_tok_s = 1e-9, .burst_tok = 1000};
    begin(&w);
    arrive(&w, 0, 0, 1, 4, 2000, 0, 0); /* it says nothing: its own output */
    arrive(&w, 1, 1, 1, 4, 20, 0, 1);
    arrive(&w, 2, 2, 1, 4, 20, 0, 2);
    arrive(&w, 3, 3, 1, 4, 1, 0, 0); /* the bucket is empty */
    end(&w);
    assert_int_equal(w.out[0].refusal, MR_CELL_REFUSAL_RATE);
    assert_int_equal(w.out[1].refusal, MR_CELL_REFUSAL_RATE);
    assert_int_equal(w.out[2].refusal, -1);
    assert_int_equal(w.out[2].n_output, 20);
    assert_int_equal(w.out[3].refusal, MR_CELL_REFUSAL_RATE);
}

static struct mr_split_plan one_reader(const struct mr_serving *serving)
{
    return (struct mr_split_plan){.serving = serving,
                                  .n_instance = 1,
                                  .router = MR_ROUTER_LEAST,
                                  .n_slot = n_max,
                                  .token_bytes = 1000,
                                  .n_layer = 1,
                                  .send_bytes_s = 1e12,
                                  .receive_bytes_s = 1e12,
                                  .efficiency = 1};
}

/* Two instances; 0 has the context and one call that runs. To read all of it anew takes more than
 * the last block of it: 6,400 tokens are 0.55 s of the dense part and 0.07 of pairs. Staying costs
 * the other one 8.19e-8 s for each of 6,400 tokens in every step: 5.2e-4 s, so that 2,000 steps are
 * more than reading, and 500 less. Nothing said: a call costs a microsecond here. */
static void expected_output_moves(bool reads_elsewhere)
{
    const struct mr_script_hint hint[] = {{.n_expected = 500}, {.n_expected = 2000}};
    static const uint32_t goes[] = {0, 0, 1};
    for (uint8_t h = 0; h < 3; h++) {
        struct world w;
        make(&w, hint, 2);
        w.serving.batch_max = 8;
        const struct mr_serving reader = w.serving;
        const struct mr_split_plan split = one_reader(&reader);
        w.plan.split = reads_elsewhere ? &split : NULL;
        w.plan.n_instance = 2;
        w.plan.router = MR_ROUTER_KV;
        w.plan.call_s = 1e-6;
        begin(&w);
        /* the first token is made by the reader: one more is what the others decode */
        arrive(&w, 0, 0, 1, 100, reads_elsewhere ? 2 : 1, 0, 0);
        arrive(&w, 10, 1, 1, 100, 5000, 0, 0); /* goes on for at least 50 s */
        if (!reads_elsewhere)
            assert_int_equal(w.cell.instance[0].n_run + (uint32_t)w.cell.instance[0].queue.n, 1);
        arrive(&w, 20, 2, 1, 100, 10, 0, h);
        end(&w);
        assert_int_equal(w.out[1].instance, 0);
        assert_int_equal(w.out[2].instance, goes[h]);
        assert_int_equal(w.out[2].n_output, 10);
        if (!reads_elsewhere)
            assert_int_equal(w.out[2].n_cached, goes[h] == 0 ? 99 * block_tok : 0);
    }
}

MR_TEST(expected_output_counts_where_it_goes)
{
    expected_output_moves(false);
}

/* Blocks live for ten seconds after the call that says so, or after the last one that does. */
MR_TEST(blocks_live_as_long_as_they_are_said_to)
{
    const struct mr_script_hint hint[] = {{.ttl_s = 10}};
    double ended_s[2] = {0};
    for (int late = 0; late < 2; late++)
        for (int is_used = 0; is_used < 2; is_used++) {
            struct world w;
            struct mr_err err = {0};
            make(&w, hint, 1);
            begin(&w);
            arrive(&w, 0, 0, 1, 40, 5, 0, 1);
            arrive(&w, 0, 1, 2, 40, 5, 0, 0); /* another session, which says nothing */
            assert_int_equal(mr_cell_play(&w.cell, 5, &err), MR_OK);
            ended_s[0] = w.out[0].finished_s;
            assert_true(ended_s[0] > 0 && ended_s[0] < 2);
            if (is_used == 1) { /* says nothing: its blocks stay, those of the first with them */
                arrive(&w, 6, 2, 1, 41, 5, 0, 0);
                assert_int_equal(mr_cell_play(&w.cell, 9, &err), MR_OK);
            }
            const double at_s = ended_s[0] + 10 + (late == 1 ? 1e-3 : -1e-3);
            arrive(&w, at_s, 3, 1, 42, 5, 0, 1);
            arrive(&w, at_s, 4, 2, 42, 5, 0, 0);
            assert_int_equal(mr_cell_play(&w.cell, at_s + 5, &err), MR_OK);
            const uint32_t kept = late == 1 && is_used == 0 ? 0 : is_used == 1 ? 41 : 40;
            assert_int_equal(w.out[3].n_cached, kept * block_tok);
            assert_int_equal(w.out[4].n_cached, 40 * block_tok);
            ended_s[1] = w.out[3].finished_s;
            assert_int_equal(w.cell.instance[0].cache.n_block, 84);
            /* the last one says ten seconds, too: then only the other session is left */
            arrive(&w, ended_s[1] + 10.001, 5, 3, 1, 1, 0, 0);
            assert_int_equal(w.cell.instance[0].cache.n_block, 42);
            assert_int_equal(w.cell.expiry->n, 0);
            end(&w);
            assert_int_equal(w.out[3].n_prompt, 42 * block_tok);
        }
}

/* Four blocks, 65 tokens of an answer, then a call of six blocks of which the first four are the
 * same: of the fifth, which is new, all is known before the tools have run. Read ahead, it is
 * cached when the call comes; without the hint it is not; and a call that comes at once finds the
 * four. */
MR_TEST(what_is_known_is_read_ahead)
{
    const struct mr_script_hint hint[] = {{.prefills = true}};
    for (int k = 0; k < 3; k++) {
        const bool prefills = k > 0;
        const double pause_s = k < 2 ? 5 : 0;
        struct world w;
        struct mr_err err = {0};
        make(&w, hint, 1);
        w.serving.batch_max = 8;
        const struct mr_script_run other[] = {{0, 0, 4}, {0, 100, 2}};
        uint32_t next;
        assert_int_equal(mr_script_context_add(&w.script, other, 2, MR_SCRIPT_NONE, &next, &err),
                         MR_OK);
        begin(&w);
        struct mr_ticket ticket = {.id = 0,
                                   .session = 1,
                                   .n_prompt = 4 * block_tok,
                                   .n_output = block_tok + 1,
                                   .context = 4,
                                   .space = 1,
                                   .instance = MR_ROUTER_NOWHERE,
                                   .next = prefills ? next + 1 : 0,
                                   .is_alone = true};
        assert_int_equal(mr_cell_arrive(&w.cell, &ticket, 0, &err), MR_OK);
        while (w.n_told == 0)
            assert_int_equal(
                mr_cell_play(&w.cell, mr_cell_due_s(&w.cell) + 2 * MR_SEGMENT_TIE_S, &err), MR_OK);
        const double ended_s = w.out[0].finished_s;
        assert_int_equal(w.cell.ahead_counts.n_begun, prefills);
        assert_int_equal(mr_cell_play(&w.cell, ended_s + pause_s, &err), MR_OK);
        ticket.id = 1;
        ticket.n_prompt = 6 * block_tok;
        ticket.n_output = 3;
        ticket.context = next + 1;
        ticket.next = 0;
        ticket.instance = 0;
        assert_int_equal(mr_cell_arrive(&w.cell, &ticket, ended_s + pause_s, &err), MR_OK);
        end(&w);
        assert_int_equal(w.n_told, 2);
        assert_int_equal(w.out[1].n_cached, (prefills ? 5 : 4) * block_tok);
        assert_int_equal(w.out[1].n_prompt, 6 * block_tok);
        assert_int_equal(w.out[1].n_output, 3);
        /* the five-constant profile: .002 + .010 for few tokens; calls start at once */
        mr_assert_near(w.out[1].scheduled_s, ended_s + pause_s, 0, 0.05);
    }
}

/* Nothing is read ahead that is there already: names of the answer's blocks that go on are those of
 * the next prompt. */
MR_TEST(what_is_cached_is_not_read_ahead)
{
    struct world w;
    struct mr_err err = {0};
    make(&w, NULL, 0);
    begin(&w);
    const struct mr_ticket ticket = {.session = 1,
                                     .n_prompt = 4 * block_tok,
                                     .n_output = block_tok + 1,
                                     .context = 4,
                                     .space = 1,
                                     .instance = MR_ROUTER_NOWHERE,
                                     .next = 7,
                                     .is_alone = true};
    assert_int_equal(mr_cell_arrive(&w.cell, &ticket, 0, &err), MR_OK);
    assert_int_equal(mr_cell_play(&w.cell, 100, &err), MR_OK);
    assert_int_equal(w.n_told, 1);
    assert_int_equal(w.cell.ahead_counts.n_begun, 0);
    end(&w);
}

/* A prompt that is read elsewhere leaves blocks there, too: a session's end and a time of use hold
 * for both. */
MR_TEST(readers_forget_as_those_do_who_decode)
{
    const struct mr_script_hint hint[] = {{.is_final = true}, {.ttl_s = 5}};
    struct mr_err err = {0};
    for (uint8_t h = 0; h < 3; h++) {
        struct world w;
        make(&w, hint, 2);
        const struct mr_split_plan split = {.serving = &w.serving,
                                            .n_instance = 1,
                                            .router = MR_ROUTER_LEAST,
                                            .n_slot = 8,
                                            .token_bytes = 1000,
                                            .n_layer = 1,
                                            .send_bytes_s = 1e9,
                                            .receive_bytes_s = 1e9,
                                            .efficiency = 1};
        w.plan.split = &split;
        begin(&w);
        const struct mr_ticket ticket = {.n_prompt = 4 * block_tok,
                                         .n_output = block_tok,
                                         .context = 4,
                                         .space = 1,
                                         .instance = MR_ROUTER_NOWHERE,
                                         .hint = h,
                                         .is_final = h == 1,
                                         .is_alone = true};
        assert_int_equal(mr_cell_arrive(&w.cell, &ticket, 0, &err), MR_OK);
        assert_int_equal(mr_cell_play(&w.cell, 4, &err), MR_OK);
        const struct mr_cache *cache[] = {&w.cell.instance->cache, &w.cell.split->instance->cache};
        assert_int_equal(w.n_told, 1);
        for (int i = 0; i < 2; i++)
            assert_true((cache[i]->n_block > 0) == (h != 1));
        arrive(&w, 20, 1, 2, 1, 1, 0, 0); /* dates are looked at when something happens */
        assert_int_equal(mr_cell_play(&w.cell, 30, &err), MR_OK);
        for (int i = 0; i < 2; i++)
            assert_int_equal(cache[i]->counts.n_dropped_block > 0, h > 0);
        end(&w);
    }
}

/* While a long prompt is read six others come, worst first: who is strict is read first, then tiers
 * go by their rank, and within a rank by what agents say. Decoding has room for all. */
MR_TEST(readers_follow_hints_as_well)
{
    const struct mr_script_hint hint[] = {
        {.is_strict = true}, {.priority = 3}, {.priority = 5, .is_strict = true}, {.priority = -1}};
    static const struct {
        uint8_t tier, hint;
    } call[] = {{0, 0}, {1, 0}, {0, 4}, {0, 0}, {0, 2}, {1, 1}, {1, 3}};
    static const int order[] = {0, 6, 5, 4, 3, 2, 1};
    struct world w;
    make(&w, hint, 4);
    const struct mr_serving reader = w.serving;
    const struct mr_split_plan split = one_reader(&reader);
    w.serving.batch_max = n_max;
    w.plan.split = &split;
    begin(&w);
    arrive(&w, 0, 0, 0, 150, 10, call[0].tier, call[0].hint);
    for (uint32_t i = 1; i < 7; i++)
        arrive(&w, 0.01 * i, i, i, 4, 10, call[i].tier, call[i].hint);
    end(&w);
    assert_int_equal(w.n_told, 7);
    for (int k = 1; k < 7; k++)
        assert_true(w.out[order[k]].scheduled_s > w.out[order[k - 1]].scheduled_s);
    assert_true(w.out[6].scheduled_s > 0.5); /* 9,600 tokens are 0.82 s and more */
}

/* As without readers: what an agent expects is in the way of those that decode beside it, and moves
 * its call to the other one; a single reader reads for both. */
MR_TEST(expected_output_counts_where_prompts_are_read_elsewhere)
{
    expected_output_moves(true);
}

MR_TEST_MAIN(MR_TEST_ENTRY(readers_forget_as_those_do_who_decode),
             MR_TEST_ENTRY(readers_follow_hints_as_well),
             MR_TEST_ENTRY(expected_output_counts_where_prompts_are_read_elsewhere),
             MR_TEST_ENTRY(what_is_known_is_read_ahead),
             MR_TEST_ENTRY(what_is_cached_is_not_read_ahead),
             MR_TEST_ENTRY(strict_first_then_tiers_then_priority),
             MR_TEST_ENTRY(expected_output_counts_at_the_gate),
             MR_TEST_ENTRY(expected_output_counts_where_it_goes),
             MR_TEST_ENTRY(blocks_live_as_long_as_they_are_said_to))
