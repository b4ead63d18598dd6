/* SPDX-License-Identifier: Apache-2.0 */
/* Everything an instance knows of its calls is sums and lists, so that emptying it is setting them
 * to zero; only the calls themselves are walked. */
#include "engine/serve/cell_outage.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/serve/call_path.h"
#include "engine/serve/handover.h"
#include "engine/serve/onboard.h"
#include "engine/serve/split.h"

#include <math.h>
#include <string.h>

/* ---- one instance ---- */

/* What it has made becomes part of its prompt. */
static void forget(struct mr_call *call, uint64_t n_known)
{
    const uint64_t all = (uint64_t)call->n_prompt + call->n_output;
    const uint64_t y = n_known < all ? n_known : all - 1; /* drafts may be a token ahead */
    call->n_prompt = (uint32_t)y;
    call->n_output = (uint32_t)(all - y);
    mr_call_restarted(call);
}

static void reset_call(struct mr_call *call)
{
    call->n_read = 0;
    call->state = MR_CALL_WAITING;
    call->pinned = 0;
    call->is_growing = false;
    call->leaves = false;
    call->is_computed = false;
}

void mr_cell_forget(struct mr_call *call)
{
    forget(call, (uint64_t)call->n_prompt + 1);
    reset_call(call);
}

static void reset_sums(struct mr_instance *instance)
{
    const struct mr_serving *serving = instance->serving;
    instance->decodes = false;
    instance->is_single = false;
    instance->is_reordered = false;
    instance->done_frac = 0;
    instance->finish.n = 0;
    memset(instance->blocks.count, 0, instance->blocks.size * sizeof *instance->blocks.count);
    instance->blocks.n = 0;
    instance->window.tokens = 0;
    instance->window.steps = 0;
    instance->window.n_growing = 0;
    instance->window.n_cross = 0;
    if (serving->has_cache)
        mr_cache_clear(&instance->cache);
    mr_onboard_lose(instance);
    instance->kv_tokens = 0;
    instance->kv_steps = 0;
    instance->n_free = serving->n_block;
    instance->n_part = 0;
    instance->n_fill = 0;
    instance->n_filled = 0;
    instance->head = MR_CALL_NONE;
    instance->tail = MR_CALL_NONE;
    instance->n_run = 0;
    instance->n_yield = 0;
    instance->n_left = 0;
}

/* All calls out, in the order of the running list and then of the queue; everything in its memory
 * is gone. Those that have left it are lose_flights' business.
 * @param[out] lost with room for all @return how many */
static size_t empty_instance(struct mr_instance *instance, double now_s, uint32_t *lost)
{
    size_t n = 0;
    mr_instance_halt(instance, now_s);
    for (uint32_t i = instance->head; i != MR_CALL_NONE; i = mr_instance_link(instance, i)->next)
        lost[n++] = i;
    instance->n_restart += n;
    for (size_t i = 0; i < n; i++) {
        struct mr_call *call = mr_instance_call(instance, lost[i]);
        forget(call, call->state == MR_CALL_DECODING ? mr_instance_known(instance, call)
                                                     : call->n_prompt);
    }
    while (instance->queue.n > 0)
        lost[n++] = mr_instance_next(instance);
    for (size_t i = 0; i < n; i++)
        reset_call(mr_instance_call(instance, lost[i]));
    reset_sums(instance);
    return n;
}

/* ---- seats ---- */

uint32_t mr_cell_n_seat(const struct mr_cell *cell)
{
    return cell->plan.n_instance + (cell->split != NULL ? cell->split->plan.n_instance : 0);
}

static bool is_reader(const struct mr_cell *cell, uint32_t seat)
{
    return seat >= cell->plan.n_instance;
}

struct mr_instance *mr_cell_instance(const struct mr_cell *cell, uint32_t seat)
{
    MR_ASSERT(seat < mr_cell_n_seat(cell));
    return is_reader(cell, seat) ? &cell->split->instance[seat - cell->plan.n_instance]
                                 : &cell->instance[seat];
}

static void plan_event(struct mr_cell *cell, uint32_t seat)
{
    if (is_reader(cell, seat))
        mr_split_plan_event(cell->split, seat - cell->plan.n_instance);
    else
        mr_cell_plan_event(cell, seat);
}

static void open_seat(struct mr_cell *cell, uint32_t seat, bool is_open)
{
    if (is_reader(cell, seat))
        mr_router_open(&cell->split->router, seat - cell->plan.n_instance, is_open);
    else
        mr_router_open(&cell->router, seat, is_open);
    plan_event(cell, seat);
}

/* A call that is lost is nobody's until it is routed again. */
static void uncount(struct mr_cell *cell, uint32_t call, bool is_with_reader)
{
    struct mr_ticket_stub *stub = &cell->stub[call];
    if (is_with_reader)
        mr_split_count(cell->split, stub->prefill, -1);
    mr_cell_count(cell, stub->instance, -1);
    stub->instance = MR_ROUTER_NOWHERE;
    stub->prefill = MR_ROUTER_NOWHERE;
}

/* Transfers from or to the seat: blocks at the other end are free again. */
static mr_status lose_flights(struct mr_cell *cell, uint32_t seat, double now_s, struct mr_err *err)
{
    struct mr_split *split = cell->split;
    if (split != NULL)
        MR_TRY(mr_split_settle(cell, now_s, err));
    for (size_t i = 0; split != NULL && i < split->flight_cap; i++) {
        struct mr_split_flight *flight = &split->flight[i];
        if (!flight->is_on)
            continue;
        const struct mr_ticket_stub *stub = &cell->stub[flight->call];
        const uint32_t reader = cell->plan.n_instance + stub->prefill;
        if (seat != reader && seat != stub->instance)
            continue;
        (void)mr_transfer_cancel(split->net, flight->id);
        flight->is_on = false;
        split->counts.n_lost++;
        if (seat != reader) {
            MR_TRY(mr_handover_release(&split->instance[stub->prefill], flight->call, now_s, err));
            plan_event(cell, reader);
        }
        mr_cell_forget(&cell->calls.call[flight->call]);
        cell->lost[cell->n_lost++] = flight->call;
        uncount(cell, flight->call, false);
    }
    return MR_OK;
}

mr_status mr_cell_down(struct mr_cell *cell, uint32_t seat, double now_s, struct mr_err *err)
{
    struct mr_cell_seat *s = &cell->seat[seat];
    if (s->state == MR_CELL_SEAT_DOWN)
        return MR_OK;
    mr_cell_tell(cell, now_s);
    s->state = MR_CELL_SEAT_DOWN;
    s->since_s = now_s;
    s->n_down++;
    open_seat(cell, seat, false);
    MR_TRY(mr_grow(&cell->lost, &cell->lost_cap, cell->calls.n + 1, sizeof *cell->lost, err));
    cell->n_lost = empty_instance(mr_cell_instance(cell, seat), now_s, cell->lost);
    for (size_t i = 0; i < cell->n_lost; i++)
        uncount(cell, cell->lost[i], is_reader(cell, seat));
    MR_TRY(lose_flights(cell, seat, now_s, err));
    plan_event(cell, seat);
    cell->n_rerouted += cell->n_lost;
    for (size_t i = 0; i < cell->n_lost; i++)
        MR_TRY(mr_cell_reroute(cell, cell->lost[i], now_s, err));
    cell->n_event++;
    return MR_OK;
}

void mr_cell_drain(struct mr_cell *cell, uint32_t seat, double now_s)
{
    struct mr_cell_seat *s = &cell->seat[seat];
    if (s->state != MR_CELL_SEAT_UP)
        return;
    mr_cell_tell(cell, now_s);
    s->state = MR_CELL_SEAT_DRAINED;
    open_seat(cell, seat, false);
}

void mr_cell_boot(struct mr_cell *cell, uint32_t seat, double now_s)
{
    struct mr_cell_seat *s = &cell->seat[seat];
    if (s->state != MR_CELL_SEAT_DOWN)
        return;
    mr_cell_tell(cell, now_s);
    s->down_s += now_s - s->since_s;
    s->state = MR_CELL_SEAT_DRAINED;
}

void mr_cell_slow(struct mr_cell *cell, uint32_t seat, double phi, double now_s)
{
    mr_cell_tell(cell, now_s);
    mr_instance_set_clock(mr_cell_instance(cell, seat), phi, now_s);
    plan_event(cell, seat);
}

mr_status mr_cell_up(struct mr_cell *cell, uint32_t seat, double now_s, struct mr_err *err)
{
    struct mr_cell_seat *s = &cell->seat[seat];
    if (s->state == MR_CELL_SEAT_UP)
        return MR_OK;
    mr_cell_tell(cell, now_s);
    if (s->state == MR_CELL_SEAT_DOWN)
        s->down_s += now_s - s->since_s;
    s->state = MR_CELL_SEAT_UP;
    open_seat(cell, seat, true);
    cell->n_event++;
    if (is_reader(cell, seat) || cell->n_parked == 0)
        return MR_OK;
    /* those that waited for anybody; none of them waits again */
    const size_t n = cell->n_parked;
    cell->n_parked = 0;
    for (size_t i = 0; i < n; i++)
        MR_TRY(mr_cell_reroute(cell, cell->parked[i], now_s, err));
    return MR_OK;
}

bool mr_cell_is_empty(const struct mr_cell *cell, uint32_t seat)
{
    const uint32_t i = is_reader(cell, seat) ? seat - cell->plan.n_instance : seat;
    const struct mr_instance *instance = mr_cell_instance(cell, seat);
    const struct mr_router *router = is_reader(cell, seat) ? &cell->split->router : &cell->router;
    return router->n_call[i] == 0 && instance->n_run == 0 && instance->queue.n == 0 &&
           instance->n_left == 0;
}

double mr_cell_down_s(const struct mr_cell *cell, uint32_t seat, double now_s)
{
    const struct mr_cell_seat *s = &cell->seat[seat];
    return s->down_s + (s->state == MR_CELL_SEAT_DOWN ? now_s - s->since_s : 0);
}

/* ---- calls that go to another cell ---- */

void mr_cell_leave(struct mr_cell *cell, size_t i, double now_s, struct mr_cell_move *move)
{
    const uint32_t call = cell->parked[i];
    *move = (struct mr_cell_move){cell->calls.call[call], mr_cell_ticket(cell, call)};
    MR_ASSERT(!move->call.is_scripted);
    mr_cell_inside(cell, -1, now_s);
    cell->sojourn_s += now_s - move->call.arrived_s;
    mr_admission_leave(&cell->admission[move->ticket.tier]);
    cell->gate.has_left = cell->gate.n > 0;
    cell->gate.left_s = now_s;
    mr_call_path_give(&cell->calls, &cell->calls.call[call]);
    cell->calls.call[call].state = MR_CALL_DONE;
    mr_call_give_back(&cell->calls, call);
}

void mr_cell_leave_done(struct mr_cell *cell)
{
    cell->n_parked = 0;
}

mr_status mr_cell_enter(struct mr_cell *cell, const struct mr_cell_move *move, double now_s,
                        struct mr_err *err)
{
    uint32_t call = MR_CALL_NONE;
    MR_ASSERT(move->ticket.is_alone && move->ticket.n_run == 0);
    mr_cell_tell(cell, now_s);
    MR_TRY(mr_cell_take_call(cell, &call, err));
    mr_cell_keep_ticket(cell, call, &move->ticket);
    struct mr_call *own = &cell->calls.call[call];
    *own = move->call;
    reset_call(own);
    own->is_named = false;
    own->n_prefix = move->ticket.n_prefix;
    own->space = ++cell->n_space;
    mr_cell_inside(cell, 1, now_s);
    cell->sojourn_s -= now_s - own->arrived_s; /* that was spent elsewhere */
    cell->admission[move->ticket.tier].n_inside++;
    cell->n_event++;
    return mr_cell_reroute(cell, call, now_s, err);
}
