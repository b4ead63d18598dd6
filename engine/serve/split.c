/* SPDX-License-Identifier: Apache-2.0 */
/* Order of events: what ends within a tie (segment.h) of each other is played as if it ended in the
 * order network, prefill, decode. A boundary of a decode instance so sees every call that comes by
 * then, whatever the rounding of the sums that brought it there. */
#include "engine/serve/split.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/serve/cell_outage.h"
#include "engine/serve/handover.h"
#include "engine/serve/onboard.h"
#include "engine/serve/policy.h"

#include <math.h>

/* ---- calls that come ---- */

static mr_status last_of(struct mr_split *split, uint32_t session, uint32_t **out,
                         struct mr_err *err)
{
    const size_t before = split->last_cap;
    MR_TRY(mr_grow(&split->last, &split->last_cap, (size_t)session + 1, sizeof *split->last, err));
    for (size_t i = before; i < split->last_cap; i++)
        split->last[i] = 0;
    *out = &split->last[session];
    return MR_OK;
}

mr_status mr_split_choose(struct mr_cell *cell, struct mr_ticket *ticket,
                          const struct mr_call *call, double now_s, struct mr_err *err)
{
    struct mr_split *split = cell->split;
    uint32_t nobody = 0, *last = &nobody;
    if (!ticket->is_alone)
        MR_TRY(last_of(split, ticket->session, &last, err));
    const uint64_t found =
        mr_handover_found(&cell->instance[ticket->instance], call, call->arrived_s);
    if (call->n_prompt - found <= split->plan.local_tok)
        return MR_OK;
    /* NOWHERE is -1: 0 - 1 */
    const struct mr_router_seeker seeker = {
        call, ticket->id, *last - 1, {cell->plan.goal[ticket->tier].ttft_s, 0}, split->plan.call_s};
    const uint32_t i = split->kv != NULL
                           ? mr_router_kv_choose(split->kv, &split->router, &seeker, now_s)
                           : mr_router_choose(&split->router, ticket->id, *last - 1);
    if (i == MR_ROUTER_NOWHERE || split->router.n_call[i] >= split->plan.n_slot ||
        !mr_instance_can_hold(&split->instance[i], call->n_prompt, 1))
        return MR_OK;
    ticket->prefill = i;
    *last = i + 1;
    return MR_OK;
}

void mr_split_plan_event(struct mr_split *split, uint32_t i)
{
    mr_tree_set_time(&split->due, i, mr_instance_due_s(&split->instance[i]));
    if (split->kv != NULL)
        mr_router_kv_update(split->kv, &split->router, i);
}

void mr_split_count(struct mr_split *split, uint32_t i, int more)
{
    mr_router_count(&split->router, i, more);
    if (split->kv != NULL)
        mr_router_kv_update(split->kv, &split->router, i);
}

mr_status mr_split_arrive(struct mr_cell *cell, uint32_t call, double now_s, struct mr_err *err)
{
    struct mr_split *split = cell->split;
    const uint32_t i = cell->stub[call].prefill;
    cell->calls.call[call].leaves = true;
    mr_split_count(split, i, 1);
    if (split->kv != NULL)
        MR_TRY(mr_router_kv_sent(split->kv, &cell->calls.call[call], i, err));
    MR_TRY(mr_instance_arrive(&split->instance[i], call, now_s, err));
    mr_split_plan_event(split, i);
    return MR_OK;
}

/* ---- transfers ---- */

/* Bytes that are left to send when the prompt has ended. In mode ideal latency + left / bandwidth
 * is the visible time above. */
static double left_bytes(const struct mr_split_plan *plan, double bytes, double prefill_s)
{
    if (plan->way == MR_SPLIT_PUSH)
        return bytes;
    const double bandwidth_bytes_s =
        plan->efficiency * fmin(plan->send_bytes_s, plan->receive_bytes_s);
    const double covered_s = plan->overlap_frac * prefill_s + plan->latency_s;
    return fmin(bytes, fmax(bytes / plan->n_layer, bytes - covered_s * bandwidth_bytes_s));
}

/* The instance it was meant for has gone down meanwhile: another one decodes, or all of it was in
 * vain. */
static mr_status send_elsewhere(struct mr_cell *cell, uint32_t call, double now_s, bool *is_sent,
                                struct mr_err *err)
{
    struct mr_split *split = cell->split;
    struct mr_ticket_stub *stub = &cell->stub[call];
    const uint32_t other = mr_router_choose(&cell->router, stub->id, MR_ROUTER_NOWHERE);
    mr_cell_count(cell, stub->instance, -1);
    *is_sent = other != MR_ROUTER_NOWHERE;
    if (*is_sent) {
        stub->instance = other;
        mr_cell_count(cell, other, 1);
        return MR_OK;
    }
    MR_TRY(mr_handover_release(&split->instance[stub->prefill], call, now_s, err));
    mr_cell_forget(&cell->calls.call[call]);
    cell->n_rerouted++;
    return mr_cell_reroute(cell, call, now_s, err);
}

static mr_status send(struct mr_cell *cell, uint32_t call, double now_s, struct mr_err *err)
{
    struct mr_split *split = cell->split;
    bool is_sent = true;
    if (cell->seat[cell->stub[call].instance].state == MR_CELL_SEAT_DOWN)
        MR_TRY(send_elsewhere(cell, call, now_s, &is_sent, err));
    if (!is_sent)
        return MR_OK;
    const struct mr_split_plan *plan = &split->plan;
    const struct mr_ticket_stub *stub = &cell->stub[call];
    const struct mr_call *c = &cell->calls.call[call];
    const double at_s = fmax(now_s, mr_transfer_now_s(split->net));
    const uint64_t found = mr_handover_found(&cell->instance[stub->instance], c, now_s);
    const double bytes = plan->token_bytes * (double)(c->n_prompt - found) + plan->sequence_bytes;
    const double left = left_bytes(plan, bytes, c->first_s - c->scheduled_s);
    const uint32_t from = cell->plan.n_instance + stub->prefill, to = stub->instance;
    const double cap_bytes_s = fmin(plan->send_bytes_s, plan->receive_bytes_s);
    const struct mr_transfer_job job = {.from = plan->net != NULL ? plan->host[from] : from,
                                        .to = plan->net != NULL ? plan->host[to] : to,
                                        .bytes = left,
                                        .cap_bytes_s =
                                            plan->net != NULL ? cap_bytes_s : (double)INFINITY,
                                        .out = {from + 1, plan->send_bytes_s},
                                        .in = {to + 1, plan->receive_bytes_s},
                                        .latency_class = MR_TRANSFER_WIRE,
                                        .tag = stub->id};
    uint64_t id = 0;
    MR_TRY(mr_transfer_start(split->net, &job, at_s, &id, err));
    const uint32_t slot = (uint32_t)id;
    const size_t before = split->flight_cap;
    MR_TRY(
        mr_grow(&split->flight, &split->flight_cap, (size_t)slot + 1, sizeof *split->flight, err));
    for (size_t i = before; i < split->flight_cap; i++)
        split->flight[i].is_on = false;
    split->flight[slot] = (struct mr_split_flight){.call = call,
                                                   .is_on = true,
                                                   .id = id,
                                                   .start_s = now_s,
                                                   .bytes = bytes,
                                                   .early_bytes = bytes - left};
    return MR_OK;
}

static mr_status deliver(struct mr_cell *cell, const struct mr_transfer_done *done,
                         struct mr_err *err)
{
    struct mr_split *split = cell->split;
    const struct mr_split_flight flight = split->flight[(uint32_t)done->id];
    split->flight[(uint32_t)done->id].is_on = false;
    const struct mr_ticket_stub *stub = &cell->stub[flight.call];
    MR_ASSERT(done->reason == MR_TRANSFER_DONE && done->tag == stub->id);
    split->counts.n_transfer++;
    split->counts.sent_bytes += flight.bytes;
    split->counts.early_bytes += flight.early_bytes;
    split->counts.visible_s += done->time_s - flight.start_s;
    MR_TRY(mr_handover_release(&split->instance[stub->prefill], flight.call, done->time_s, err));
    mr_split_plan_event(split, stub->prefill);
    MR_TRY(mr_handover_arrive(&cell->instance[stub->instance], flight.call, done->time_s, err));
    mr_cell_plan_event(cell, stub->instance);
    return MR_OK;
}

/* ---- events ---- */

/* With its only token. */
static void finished(void *context, uint32_t call, double now_s)
{
    struct mr_cell *cell = context;
    mr_split_count(cell->split, cell->stub[call].prefill, -1);
    mr_cell_finish(cell, call, now_s);
}

static void left(void *context, uint32_t call, double now_s)
{
    struct mr_cell *cell = context;
    struct mr_split *split = cell->split;
    mr_split_count(split, cell->stub[call].prefill, -1);
    if (split->st == MR_OK)
        split->st = send(cell, call, now_s, &split->err);
}

static mr_status advance(struct mr_cell *cell, uint32_t i, struct mr_err *err)
{
    struct mr_split *split = cell->split;
    const struct mr_instance_sink sink = {finished, cell, left};
    MR_TRY(mr_instance_advance(&split->instance[i], &sink, err));
    mr_split_plan_event(split, i);
    cell->n_event++;
    if (split->st == MR_OK)
        return mr_cell_open_gate(cell, err);
    *err = split->err;
    return split->st;
}

/* @param[out] has_moved something ended, or time went on */
static mr_status advance_net(struct mr_cell *cell, double to_s, bool *has_moved, struct mr_err *err)
{
    struct mr_transfer *net = cell->split->net;
    struct mr_transfer_ends ends;
    const double before_s = mr_transfer_now_s(net);
    const double now_s = mr_transfer_advance(net, to_s, &ends);
    *has_moved = ends.n > 0 || now_s > before_s;
    if (ends.n > 0)
        mr_cell_tell(cell, now_s);
    for (size_t i = 0; i < ends.n; i++) {
        MR_TRY(deliver(cell, &ends.item[i], err));
        cell->n_event++;
    }
    return MR_OK;
}

mr_status mr_split_settle(struct mr_cell *cell, double now_s, struct mr_err *err)
{
    bool has_moved = true;
    while (has_moved)
        MR_TRY(advance_net(cell, now_s, &has_moved, err));
    return MR_OK;
}

double mr_split_due_s(const struct mr_split *split)
{
    return fmin(mr_transfer_next_s(split->net), mr_tree_winner_time_s(&split->due));
}

mr_status mr_split_play(struct mr_cell *cell, double before_s, struct mr_err *err)
{
    struct mr_split *split = cell->split;
    const struct mr_split_plan *plan = &split->plan;
    for (;;) {
        const double net_s = mr_transfer_next_s(split->net);
        const double prefill_s = mr_tree_winner_time_s(&split->due);
        const double decode_s = mr_tree_winner_time_s(&cell->due);
        const bool is_net = net_s <= fmin(prefill_s, decode_s) + MR_SEGMENT_TIE_S;
        const double gate_s = cell->gate.next_s;
        const double other_s = is_net ? net_s : fmin(prefill_s, decode_s);
        const double next_s = fmin(gate_s, other_s);
        if (!(next_s < before_s))
            return MR_OK;
        if (gate_s < other_s) {
            mr_cell_tell(cell, gate_s);
            MR_TRY(mr_gate_ask(cell, gate_s, err));
            continue;
        }
        bool has_moved = false;
        if (is_net) { /* tells by itself */
            /* a network that is given may know a bound only: on to the next event of others */
            const double own_s = fmin(fmin(prefill_s, decode_s), fmin(gate_s, before_s));
            MR_TRY(
                advance_net(cell, plan->net != NULL ? fmax(net_s, own_s) : net_s, &has_moved, err));
        }
        if (is_net && (has_moved || plan->net == NULL))
            continue;
        mr_cell_tell(cell, next_s);
        if (prefill_s <= decode_s + MR_SEGMENT_TIE_S)
            MR_TRY(advance(cell, mr_tree_winner(&split->due), err));
        else
            MR_TRY(mr_cell_advance(cell, mr_tree_winner(&cell->due), decode_s, err));
    }
}

/* ---- life ---- */

mr_status mr_split_check(const struct mr_split_plan *plan, const struct mr_serving *decode,
                         struct mr_err *err)
{
    MR_TRY(mr_instance_check(plan->serving, err));
    if (decode->policy == &mr_policy_static)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "policy static: cannot decode calls that come one by one from a prefill "
                          "pool (any other policy can)");
    if (plan->n_instance == 0 || plan->n_slot == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "a prefill pool has at least one instance with one slot");
    if (!(plan->token_bytes >= 0) || !(plan->sequence_bytes >= 0) || isinf(plan->token_bytes) ||
        isinf(plan->sequence_bytes))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "KV caches of %g B a token and %g B a sequence: expected 0 or more",
                          plan->token_bytes, plan->sequence_bytes);
    if (plan->way == MR_SPLIT_STREAM &&
        (plan->n_layer == 0 || !(plan->overlap_frac >= 0 && plan->overlap_frac <= 1)))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "streaming %u layers during %g of the prompt: expected at least one "
                          "layer and a share of 0 to 1",
                          plan->n_layer, plan->overlap_frac);
    return MR_OK;
}

/* Two links a host: out, in. */
static mr_status find(void *data, uint32_t from, uint32_t to, struct mr_topology_path *path,
                      struct mr_err *err)
{
    (void)data, (void)err;
    path->link[path->n_link++] = 2 * from;
    path->link[path->n_link++] = 2 * to + 1;
    return MR_OK;
}

static mr_status make_net(struct mr_split *split, uint32_t n_decode, struct mr_err *err)
{
    const struct mr_split_plan *plan = &split->plan;
    const size_t n_host = (size_t)n_decode + plan->n_instance;
    struct mr_topology_link *link = mr_alloc(2 * n_host, sizeof *link);
    if (link == NULL)
        return mr_err_nomem(err, 2 * n_host * sizeof *link);
    for (size_t i = 0; i < n_host; i++) {
        link[2 * i] = (struct mr_topology_link){.name = "out of a prefill instance",
                                                .bandwidth_bytes_s = plan->send_bytes_s,
                                                .latency_s = plan->latency_s};
        link[2 * i + 1] = (struct mr_topology_link){.name = "into a decode instance",
                                                    .bandwidth_bytes_s = plan->receive_bytes_s};
    }
    const struct mr_topology_options options = {.link = link,
                                                .n_link = 2 * n_host,
                                                .n_host = n_host,
                                                .source = {NULL, find},
                                                .efficiency = plan->efficiency};
    mr_status st = mr_topology_create(&options, &split->topology, err);
    if (st == MR_OK)
        st = plan->is_shared ? mr_transfer_shared(split->topology, NULL, &split->net, err)
                             : mr_transfer_ideal(split->topology, NULL, &split->net, err);
    mr_free(link);
    return st;
}

static mr_status fill(struct mr_split *split, struct mr_cell *cell, struct mr_err *err)
{
    const struct mr_split_plan *plan = &split->plan;
    split->net = plan->net;
    if (split->net == NULL)
        MR_TRY(make_net(split, cell->plan.n_instance, err));
    MR_TRY(mr_tree_init(&split->due, plan->n_instance, err));
    MR_TRY(mr_router_init(&split->router, plan->router, plan->n_instance, plan->seed, err));
    split->instance = mr_alloc_zero(plan->n_instance, sizeof *split->instance);
    if (split->instance == NULL)
        return mr_err_nomem(err, plan->n_instance * sizeof *split->instance);
    for (uint32_t i = 0; i < plan->n_instance; i++) {
        MR_TRY(mr_instance_init(&split->instance[i], plan->serving, &cell->calls, err));
        mr_split_plan_event(split, i);
    }
    if (plan->serving->onboard != NULL)
        MR_TRY(mr_onboard_open(split->instance, plan->n_instance, &split->onboard, err));
    return mr_router_kv_is(plan->router, plan->serving->has_cache)
               ? mr_router_kv_create(split->instance, plan->n_instance, plan->router, plan->call_s,
                                     &split->kv, err)
               : MR_OK;
}

mr_status mr_split_create(struct mr_cell *cell, const struct mr_split_plan *plan,
                          struct mr_split **out, struct mr_err *err)
{
    *out = NULL;
    MR_TRY(mr_split_check(plan, cell->plan.serving, err));
    struct mr_split *split = mr_alloc_zero(1, sizeof *split);
    if (split == NULL)
        return mr_err_nomem(err, sizeof *split);
    split->plan = *plan;
    const mr_status st = fill(split, cell, err);
    if (st != MR_OK) {
        mr_split_destroy(split);
        return st;
    }
    *out = split;
    return MR_OK;
}

void mr_split_destroy(struct mr_split *split)
{
    if (split == NULL)
        return;
    for (uint32_t i = 0; i < split->plan.n_instance && split->instance != NULL; i++)
        mr_instance_fini(&split->instance[i]);
    mr_free(split->instance);
    mr_onboard_close(split->onboard);
    mr_tree_fini(&split->due);
    mr_router_fini(&split->router);
    mr_router_kv_destroy(split->kv);
    if (split->net != split->plan.net)
        mr_transfer_destroy(split->net);
    mr_topology_destroy(split->topology);
    mr_free(split->flight);
    mr_free(split->last);
    mr_free(split);
}
