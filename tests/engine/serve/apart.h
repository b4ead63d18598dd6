/* SPDX-License-Identifier: Apache-2.0 */
/* A cell with a prefill pool played from a list of calls: for tests. All that must come back is
 * checked at the end. */
#ifndef MR_TESTS_ENGINE_SERVE_APART_H
#define MR_TESTS_ENGINE_SERVE_APART_H

#include "engine/base/rng.h"
#include "engine/serve/policy.h"
#include "engine/serve/split.h"
#include "tests/test.h"

enum {
    n_call_max = 160
};

static const double token_bytes = 1e5, sequence_bytes = 3e6;

static MR_UNUSED struct mr_serving serving_of(const struct mr_profile *profile)
{
    return (struct mr_serving){.policy = &mr_policy_vllm1,
                               .pricer = {.profile = profile},
                               .batch_max = 8,
                               .token_max = 512,
                               .context_max = 2000,
                               .block_tokens = 16,
                               .n_block = 2000};
}

static MR_UNUSED struct mr_split_plan plan_of(const struct mr_serving *serving)
{
    return (struct mr_split_plan){.serving = serving,
                                  .n_instance = 1,
                                  .n_slot = 1000,
                                  .token_bytes = token_bytes,
                                  .sequence_bytes = sequence_bytes,
                                  .n_layer = 32,
                                  .overlap_frac = 1,
                                  .send_bytes_s = 2e9,
                                  .receive_bytes_s = 1e9,
                                  .latency_s = 1e-3,
                                  .efficiency = 0.5};
}

struct item {
    double arrived_s;
    uint32_t n_prompt, n_output, session;
    double scheduled_s, first_s, finished_s; /* filled */
    uint32_t n_cached, n_restart, prefill, instance;
    bool is_refused;
};

/* The packages of an instance go at another pace from now on. */
struct pace {
    double at_s, phi;
    uint32_t instance; /* those that decode, then those that read */
};

struct total {
    uint64_t n_iteration, n_segment, n_restart, n_local, n_transfer, n_space;
    double sent_bytes, early_bytes, visible_s;
};

static MR_UNUSED void finished(void *context, const struct mr_ticket *ticket,
                               const struct mr_call *call, double now_s)
{
    struct item *item = (struct item *)context + ticket->id;
    assert_true(isnan(item->finished_s));
    item->scheduled_s = call->scheduled_s;
    item->first_s = call->first_s;
    item->finished_s = now_s;
    item->n_cached = ticket->n_cached;
    item->n_restart = call->n_restart;
    item->prefill = ticket->prefill;
    item->instance = ticket->instance;
}

static MR_UNUSED void refused(void *context, const struct mr_ticket *ticket, double now_s,
                              enum mr_cell_refusal why)
{
    (void)now_s, (void)why;
    ((struct item *)context)[ticket->id].is_refused = true;
}

static MR_UNUSED void add(struct total *total, const struct mr_instance *instance)
{
    total->n_iteration += instance->n_iteration;
    total->n_segment += instance->n_segment;
    total->n_restart += instance->n_restart;
    assert_int_equal(instance->n_free, instance->serving->n_block);
    assert_int_equal(instance->n_run + instance->queue.n + instance->n_part + instance->finish.n,
                     0);
    assert_int_equal(instance->kv_tokens + instance->n_left + instance->cache.n_pinned, 0);
}

static MR_UNUSED void set_pace(struct mr_cell *cell, const struct pace *pace)
{
    const uint32_t n = cell->plan.n_instance;
    assert_int_equal(mr_cell_play(cell, pace->at_s, NULL), MR_OK);
    if (pace->instance < n) {
        mr_instance_set_clock(&cell->instance[pace->instance], pace->phi, pace->at_s);
        mr_cell_plan_event(cell, pace->instance);
        return;
    }
    struct mr_instance *reads = &cell->split->instance[pace->instance - n];
    mr_instance_set_clock(reads, pace->phi, pace->at_s);
    mr_tree_set_time(&cell->split->due, pace->instance - n, mr_instance_due_s(reads));
}

/* @param[in] pace [n_pace] in the order of time */
static MR_UNUSED struct total play_paced(const struct mr_cell_plan *plan, struct item *item,
                                         size_t n, const struct pace *pace, size_t n_pace)
{
    size_t i_pace = 0;
    struct mr_cell cell;
    struct mr_err err = {0};
    struct total total = {0};
    if (mr_cell_init(&cell, plan, &(struct mr_cell_sink){finished, refused, item}, &err) != MR_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < n; i++) {
        const struct mr_ticket ticket = {.id = i,
                                         .session = item[i].session,
                                         .n_prompt = item[i].n_prompt,
                                         .n_output = item[i].n_output};
        item[i].finished_s = (double)NAN;
        item[i].is_refused = false;
        for (; i_pace < n_pace && pace[i_pace].at_s < item[i].arrived_s; i_pace++)
            set_pace(&cell, &pace[i_pace]);
        assert_int_equal(mr_cell_play(&cell, item[i].arrived_s, &err), MR_OK);
        assert_int_equal(mr_cell_arrive(&cell, &ticket, item[i].arrived_s, &err), MR_OK);
    }
    for (; i_pace < n_pace; i_pace++)
        set_pace(&cell, &pace[i_pace]);
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    for (size_t i = 0; i < n; i++)
        assert_true(item[i].is_refused || item[i].finished_s >= item[i].first_s);
    for (uint32_t i = 0; i < plan->n_instance; i++) {
        add(&total, &cell.instance[i]);
        assert_int_equal(cell.router.n_call[i], 0);
    }
    for (uint32_t i = 0; cell.split != NULL && i < cell.split->plan.n_instance; i++) {
        add(&total, &cell.split->instance[i]);
        assert_int_equal(cell.split->router.n_call[i], 0);
    }
    if (cell.split != NULL) {
        const struct mr_split_counts *c = &cell.split->counts;
        const struct mr_transfer_count net = mr_transfer_counted(cell.split->net);
        assert_int_equal(net.n_flight, 0);
        assert_int_equal(net.n_done, c->n_transfer);
        mr_assert_near(net.done_bytes + c->early_bytes, c->sent_bytes, 1e-12, 0);
        total.n_local = c->n_local;
        total.n_transfer = c->n_transfer;
        total.sent_bytes = c->sent_bytes;
        total.early_bytes = c->early_bytes;
        total.visible_s = c->visible_s;
    }
    assert_true(mr_cell_little_rel(&cell) < 1e-9);
    mr_cell_fini(&cell);
    return total;
}

static MR_UNUSED struct total play_cell(const struct mr_cell_plan *plan, struct item *item,
                                        size_t n)
{
    return play_paced(plan, item, n, NULL, 0);
}

/* Some come together. */
static MR_UNUSED size_t draw_calls(struct mr_rng *rng, struct item *item, uint32_t length)
{
    const size_t n = 20 + mr_rng_below(rng, n_call_max - 20);
    const double gap_s = mr_rng_range(rng, 0.005, 0.2);
    double at_s = 0;
    for (size_t i = 0; i < n; i++) {
        at_s += i % 7 == 0 ? 0 : mr_rng_exponential(rng, gap_s);
        item[i] = (struct item){.arrived_s = at_s,
                                .n_prompt = 1 + (uint32_t)mr_rng_below(rng, length),
                                .n_output = 1 + (uint32_t)mr_rng_below(rng, length),
                                .session = (uint32_t)i};
    }
    return n;
}

#endif
