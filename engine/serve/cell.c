/* SPDX-License-Identifier: Apache-2.0 */
/* Calls in a slab with a free list, instances in a winner tree of their next ends: an event costs a
 * few comparisons, whatever the number of instances. */
#include "engine/serve/cell.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/serve/call_path.h"
#include "engine/serve/cell_ahead.h"
#include "engine/serve/cell_expiry.h"
#include "engine/serve/cell_outage.h"
#include "engine/serve/handover.h"
#include "engine/serve/instance_cache.h"
#include "engine/serve/instance_wait.h"
#include "engine/serve/onboard.h"
#include "engine/serve/split.h"
#include "engine/work/script_hint.h"

#include <math.h>

_Static_assert(sizeof(struct mr_ticket_stub) == 32, "a stub is half a cache line");
_Static_assert(MR_CALL_LEVEL_MIN == (int)MR_SCRIPT_LEVEL_MIN &&
                   MR_CALL_LEVEL_MAX == (int)MR_SCRIPT_LEVEL_MAX,
               "classes of priority are those that calls hold");

/* ---- calls ---- */

mr_status mr_cell_take_call(struct mr_cell *cell, uint32_t *out, struct mr_err *err)
{
    MR_TRY(mr_call_take(&cell->calls, out, err));
    return mr_grow_lines(&cell->stub, &cell->stubs, &cell->stub_cap, cell->calls.n,
                         sizeof *cell->stub, err);
}

void mr_cell_keep_ticket(struct mr_cell *cell, uint32_t call, const struct mr_ticket *ticket)
{
    cell->stub[call] = (struct mr_ticket_stub){
        .id = ticket->id,
        .session = ticket->session,
        .n_output = ticket->n_output,
        .instance = ticket->instance,
        .prefill = ticket->prefill,
        .next = ticket->context > 0 ? ticket->next : ticket->n_prefix,
        .tier = ticket->tier,
        .hint = ticket->hint,
        .is_alone = ticket->is_alone,
        .is_warm = ticket->is_warm,
        .is_final = ticket->is_final,
        .is_ahead = ticket->is_ahead,
    };
}

/* A call that is restarted reads what it has made: the sum of both stays. */
struct mr_ticket mr_cell_ticket(const struct mr_cell *cell, uint32_t call)
{
    const struct mr_ticket_stub *stub = &cell->stub[call];
    const struct mr_call *c = &cell->calls.call[call];
    return (struct mr_ticket){
        .id = stub->id,
        .session = stub->session,
        .n_prompt = c->n_prompt + c->n_output - stub->n_output,
        .n_output = stub->n_output,
        .n_cached = c->n_cached,
        .n_prefix = c->is_scripted ? 0 : stub->n_prefix,
        .context = c->is_scripted ? c->context + 1 : 0,
        .space = c->is_scripted ? c->space : 0,
        .instance = stub->instance,
        .prefill = stub->prefill,
        .tier = stub->tier,
        .hint = stub->hint,
        .is_alone = stub->is_alone,
        .is_warm = stub->is_warm,
        .is_final = stub->is_final,
        .is_ahead = stub->is_ahead,
        .next = c->is_scripted ? stub->next : 0,
    };
}

void mr_cell_inside(struct mr_cell *cell, int more, double now_s)
{
    cell->area_s += (double)cell->n_inside * (now_s - cell->last_s);
    cell->last_s = now_s;
    cell->n_inside += more > 0 ? 1 : -UINT64_C(1);
    cell->sums.n_in += more > 0 ? 1 : 0;
}

struct mr_cell_little mr_cell_little(const struct mr_cell *cell)
{
    const double n = (double)cell->sums.n_in, last_s = cell->last_s;
    double sojourn_s = cell->sojourn_s;
    for (size_t i = 0; i < cell->calls.n; i++)
        if (cell->calls.call[i].state != MR_CALL_DONE)
            sojourn_s += last_s - cell->calls.call[i].arrived_s;
    return (struct mr_cell_little){.inside_mean = last_s > 0 ? cell->area_s / last_s : 0,
                                   .rate_s = last_s > 0 ? n / last_s : 0,
                                   .stay_s = n > 0 ? sojourn_s / n : 0,
                                   .rel = sojourn_s > 0 ? fabs(cell->area_s - sojourn_s) / sojourn_s
                                                        : 0};
}

double mr_cell_little_rel(const struct mr_cell *cell)
{
    return mr_cell_little(cell).rel;
}

/* Its blocks are of use for a time that it says. */
static mr_status keep_for(struct mr_cell *cell, uint32_t call, double now_s)
{
    const struct mr_ticket_stub *stub = &cell->stub[call];
    const double ttl_s = stub->hint > 0 ? (double)cell->calls.script->hint[stub->hint].ttl_s : 0;
    return ttl_s > 0 ? mr_cell_expiry_add(cell, &cell->calls.call[call], stub->instance,
                                          stub->prefill, now_s + ttl_s, &cell->err)
                     : MR_OK;
}

void mr_cell_finish(struct mr_cell *cell, uint32_t call, double now_s)
{
    const struct mr_ticket ticket = mr_cell_ticket(cell, call);
    if (!ticket.is_alone)
        cell->session[ticket.session].extent = cell->calls.call[call].pinned;
    mr_cell_inside(cell, -1, now_s);
    cell->sojourn_s += now_s - cell->calls.call[call].arrived_s;
    mr_cell_count(cell, ticket.instance, -1);
    if (ticket.is_ahead) {
        mr_cell_ahead_ended(cell, call);
        return;
    }
    cell->sums.n_done++;
    cell->sums.read_tok += ticket.n_prompt;
    cell->sums.cached_tok += ticket.n_cached;
    cell->sums.made_tok += ticket.n_output;
    if (ticket.next > 0 && cell->st == MR_OK)
        cell->st = mr_cell_ahead_want(cell, &ticket, &cell->err);
    if (ticket.is_final && cell->st == MR_OK)
        cell->st = mr_cell_expiry_drop(cell, &cell->calls.call[call], ticket.instance,
                                       ticket.prefill, &cell->err);
    else if (cell->st == MR_OK)
        cell->st = keep_for(cell, call, now_s);
    mr_admission_leave(&cell->admission[ticket.tier]);
    cell->gate.has_left = cell->gate.n > 0;
    cell->gate.left_s = now_s;
    cell->sink.finished(cell->sink.context, &ticket, &cell->calls.call[call], now_s);
    mr_call_path_give(&cell->calls, &cell->calls.call[call]);
    mr_call_give_back(&cell->calls, call);
}

static void finished(void *context, uint32_t call, double now_s)
{
    mr_cell_finish(context, call, now_s);
}

/* ---- hints ---- */

static const struct mr_script_hint *hint_of(const struct mr_cell *cell,
                                            const struct mr_ticket *ticket)
{
    return ticket->hint > 0 ? &cell->calls.script->hint[ticket->hint] : NULL;
}

/* Who is strict comes before all tiers; priorities count among those of one rank. */
static void place_in_queue(const struct mr_cell *cell, const struct mr_ticket *ticket,
                           struct mr_call *call)
{
    const struct mr_script_hint *hint = hint_of(cell, ticket);
    const uint32_t rank = cell->plan.rank[ticket->tier] + 1u;
    call->rank = (rank < MR_QUEUE_RANKS ? rank : MR_QUEUE_RANKS - 1u) & (MR_QUEUE_RANKS - 1u);
    call->yields = cell->plan.yields[ticket->tier] && (hint == NULL || !hint->is_strict);
    if (hint == NULL)
        return;
    call->rank = hint->is_strict ? 0 : call->rank;
    mr_call_set_level(call, hint->level);
}

/* Tokens that it is thought to make. */
static uint32_t n_expected(const struct mr_cell *cell, const struct mr_ticket *ticket)
{
    const struct mr_script_hint *hint = hint_of(cell, ticket);
    return hint != NULL && hint->n_expected > 0 ? hint->n_expected : ticket->n_output;
}

/* What it takes from every call of the instance it goes to. */
static double call_s(const struct mr_cell *cell, const struct mr_ticket *ticket)
{
    const struct mr_script_hint *hint = hint_of(cell, ticket);
    return hint != NULL && hint->n_expected > 0
               ? hint->n_expected * mr_instance_wait_beside_s(cell->plan.serving, ticket->n_prompt)
               : cell->plan.call_s;
}

/* ---- events ---- */

mr_status mr_cell_advance(struct mr_cell *cell, uint32_t instance, double now_s, struct mr_err *err)
{
    MR_TRY(mr_cell_expiry_run(cell, now_s, err));
    MR_TRY(mr_instance_advance(&cell->instance[instance], &cell->ends, err));
    if (cell->st != MR_OK) {
        *err = cell->err;
        return cell->st;
    }
    mr_cell_plan_event(cell, instance);
    cell->n_event++;
    if (cell->n_ahead > 0)
        MR_TRY(mr_cell_ahead_begin(cell, now_s, err));
    return mr_cell_open_gate(cell, err);
}

double mr_cell_due_s(const struct mr_cell *cell)
{
    const double instance_s = mr_tree_winner_time_s(&cell->due);
    const double due_s = cell->gate.next_s < instance_s ? cell->gate.next_s : instance_s;
    return cell->split != NULL ? fmin(due_s, mr_split_due_s(cell->split)) : due_s;
}

mr_status mr_cell_play(struct mr_cell *cell, double until_s, struct mr_err *err)
{
    const double before_s = until_s - MR_SEGMENT_TIE_S;
    if (cell->split != NULL)
        return mr_split_play(cell, before_s, err);
    for (;;) {
        const double instance_s = mr_tree_winner_time_s(&cell->due);
        const bool is_gate = cell->gate.next_s < instance_s;
        const double due_s = is_gate ? cell->gate.next_s : instance_s;
        if (!(due_s < before_s))
            return MR_OK;
        mr_cell_tell(cell, due_s);
        if (is_gate)
            MR_TRY(mr_gate_ask(cell, due_s, err));
        else
            MR_TRY(mr_cell_advance(cell, mr_tree_winner(&cell->due), due_s, err));
    }
}

/* Sessions count from 0. */
static mr_status session_of(struct mr_cell *cell, const struct mr_ticket *ticket,
                            struct mr_cell_session **out, struct mr_err *err)
{
    const uint32_t id = ticket->session;
    const size_t before = cell->session_cap;
    if (ticket->is_alone) {
        const bool is_known = ticket->context > 0; /* its player remembers */
        *out = &cell->nobody;
        cell->nobody =
            (struct mr_cell_session){.instance = is_known ? ticket->instance : MR_ROUTER_NOWHERE,
                                     .space = is_known ? ticket->space : 0};
        return MR_OK;
    }
    MR_TRY(mr_grow(&cell->session, &cell->session_cap, (size_t)id + 1, sizeof *cell->session, err));
    for (size_t i = before; i < cell->session_cap; i++)
        cell->session[i] = (struct mr_cell_session){.instance = MR_ROUTER_NOWHERE};
    *out = &cell->session[id];
    return MR_OK;
}

/* A prompt that is no shorter than the session's context continues it; another one begins anew, for
 * nothing is known of what both have in common. */
static uint32_t space_of(const struct mr_cell *cell, const struct mr_cell_session *session,
                         const struct mr_ticket *ticket)
{
    const bool is_new = session->space == 0 || ticket->n_prompt < session->n_context;
    return is_new ? cell->n_space + 1 : session->space;
}

static void continue_session(struct mr_cell *cell, struct mr_cell_session *session,
                             const struct mr_ticket *ticket, uint32_t space)
{
    cell->n_space = space > cell->n_space ? space : cell->n_space;
    const uint64_t n_context = (uint64_t)ticket->n_prompt + ticket->n_output;
    *session = (struct mr_cell_session){
        ticket->instance, space, n_context < UINT32_MAX ? (uint32_t)n_context : UINT32_MAX, 0};
}

static uint32_t choose_by_cache(struct mr_cell *cell, const struct mr_ticket *ticket,
                                const struct mr_call *call, uint32_t last, double now_s)
{
    const struct mr_router_seeker seeker = {call, ticket->id, last, cell->plan.goal[ticket->tier],
                                            call_s(cell, ticket)};
    return mr_router_kv_choose(cell->kv, &cell->router, &seeker, now_s);
}

/* Where does a call go on? Its ticket's instance and prefill are set.
 * @param[in] last instance of its session
 * @param[out] reader who reads its prompt; NULL: it waits, for no instance is open */
static inline mr_status choose(struct mr_cell *cell, struct mr_ticket *ticket,
                               const struct mr_call *call, uint32_t last, double now_s,
                               struct mr_instance **reader, struct mr_err *err)
{
    *reader = NULL;
    ticket->instance = cell->kv != NULL ? choose_by_cache(cell, ticket, call, last, now_s)
                                        : mr_router_choose(&cell->router, ticket->id, last);
    ticket->prefill = MR_ROUTER_NOWHERE;
    if (ticket->instance == MR_ROUTER_NOWHERE)
        return MR_OK;
    *reader = &cell->instance[ticket->instance];
    if (cell->split == NULL)
        return MR_OK;
    MR_TRY(mr_split_choose(cell, ticket, call, now_s, err));
    if (ticket->prefill != MR_ROUTER_NOWHERE)
        *reader = &cell->split->instance[ticket->prefill];
    return MR_OK;
}

static mr_status park(struct mr_cell *cell, uint32_t call, struct mr_err *err)
{
    MR_TRY(
        mr_grow(&cell->parked, &cell->parked_cap, cell->n_parked + 1, sizeof *cell->parked, err));
    cell->parked[cell->n_parked++] = call;
    return MR_OK;
}

mr_status mr_cell_send(struct mr_cell *cell, uint32_t call, struct mr_instance *reader,
                       double now_s, struct mr_err *err)
{
    const struct mr_ticket_stub *stub = &cell->stub[call];
    if (reader == NULL)
        return park(cell, call, err);
    if (!stub->is_alone)
        cell->session[stub->session].instance = stub->instance;
    mr_cell_count(cell, stub->instance, 1);
    if (cell->kv != NULL)
        MR_TRY(mr_router_kv_sent(cell->kv, &cell->calls.call[call], stub->instance, err));
    if (stub->prefill != MR_ROUTER_NOWHERE)
        return mr_split_arrive(cell, call, now_s, err);
    if (cell->split != NULL)
        cell->split->counts.n_local++;
    const uint64_t n_step = reader->segment.n_step;
    MR_TRY(mr_instance_arrive(reader, call, now_s, err));
    if (reader->segment.n_step != n_step || cell->kv != NULL) /* most often it only waits */
        mr_cell_plan_event(cell, stub->instance);
    return MR_OK;
}

mr_status mr_cell_reroute(struct mr_cell *cell, uint32_t call, double now_s, struct mr_err *err)
{
    struct mr_instance *reader = NULL;
    struct mr_cell_session *session = NULL;
    struct mr_ticket ticket = mr_cell_ticket(cell, call);
    cell->calls.call[call].pinned = 0;
    MR_TRY(session_of(cell, &ticket, &session, err));
    MR_TRY(choose(cell, &ticket, &cell->calls.call[call], session->instance, now_s, &reader, err));
    mr_cell_keep_ticket(cell, call, &ticket);
    return mr_cell_send(cell, call, reader, now_s, err);
}

struct mr_script_place mr_cell_place(const struct mr_cell *cell, const struct mr_ticket *ticket,
                                     const struct mr_call *call)
{
    struct mr_script_place place = {.instance = ticket->instance, .context = call->context};
    if (!cell->plan.serving->has_cache)
        return place;
    const struct mr_cache_node *node =
        &cell->instance[ticket->instance].cache.tree.node[call->pinned];
    if (node->n > 0) { /* else it was forgotten or evicted at once */
        place.extent = call->pinned;
        place.generation = node->generation;
    }
    return place;
}

/* Where its lane's last context ended: if it is read there and goes on from that context. */
static void remember_place(const struct mr_cell *cell, const struct mr_ticket *ticket,
                           struct mr_call *call)
{
    const struct mr_script_place *place = ticket->place;
    if (place == NULL || place->instance != ticket->instance || cell->split != NULL ||
        place->context != cell->calls.script->context[call->context].base)
        return;
    call->pinned = place->extent;
    call->generation = place->generation;
}

/* Until the prompts that are before a new one have been read: it is work that clocks drive. */
static double wait_s(const struct mr_cell *cell, const struct mr_instance *reader, double now_s)
{
    return (double)mr_instance_wait_tok(reader, now_s) / cell->read_tok_s / reader->phi;
}

/* Its own estimate of the time to its first token. */
static double ttft_s(const struct mr_cell *cell, const struct mr_call *call,
                     struct mr_instance *reader, double now_s)
{
    const double found = (double)mr_handover_found(reader, call, now_s);
    return wait_s(cell, reader, now_s) +
           mr_instance_wait_read_s(reader->serving, found, (double)call->n_prompt - found) /
               reader->phi;
}

/* @return MR_CELL_REFUSALS: it comes in. While no instance is open nobody knows how long it takes.
 */
static int refusal_of(struct mr_cell *cell, const struct mr_ticket *ticket,
                      const struct mr_call *call, struct mr_instance *reader, double now_s)
{
    static const int refusals[] = {[MR_ADMISSION_YES] = MR_CELL_REFUSALS,
                                   [MR_ADMISSION_LIMIT] = MR_CELL_REFUSAL_LIMIT,
                                   [MR_ADMISSION_RATE] = MR_CELL_REFUSAL_RATE,
                                   [MR_ADMISSION_LATE] = MR_CELL_REFUSAL_LATE};
    const uint32_t wait_max = cell->plan.wait_max[ticket->tier];
    const struct mr_admission_rule *rule = &cell->plan.admission[ticket->tier];
    const struct mr_router_goal *spared = &cell->plan.spared[ticket->tier];
    const bool is_short = cell->shortage.is_on && mr_shortage_asks(spared);
    double estimate_s = 0;
    if (wait_max > 0 && reader != NULL && reader->queue.n >= wait_max)
        return MR_CELL_REFUSAL_SHED;
    if (is_short && (reader == NULL || mr_shortage_refuses(&cell->shortage, spared, call,
                                                           &cell->instance[ticket->instance],
                                                           wait_s(cell, reader, now_s), now_s)))
        return MR_CELL_REFUSAL_WATTS;
    if (!mr_admission_asks(rule)) {
        mr_admission_enter(&cell->admission[ticket->tier]);
        return MR_CELL_REFUSALS;
    }
    if (mr_admission_asks_ttft(rule) && reader != NULL)
        estimate_s = ttft_s(cell, call, reader, now_s);
    return refusals[mr_admission_ask(&cell->admission[ticket->tier], rule,
                                     (double)ticket->n_prompt + n_expected(cell, ticket),
                                     estimate_s, now_s)];
}

/* Not an answer of refusal_of: it waits outside. */
enum {
    WAITS = MR_CELL_REFUSALS + 1
};

enum turn {
    TURN_FIRST, /* it has come */
    TURN_AGAIN, /* it waits, and may go on to */
    TURN_LAST   /* it has waited long enough */
};

/* Is it let in: by its tier, if it does not wait there by a cheaper one, and so on?
 * @param[in,out] ticket, call its place, and its tier when it comes in or waits
 * @param[in] reader who would read its prompt
 * @return the first refusal, MR_CELL_REFUSALS: none, or WAITS */
static int ask(struct mr_cell *cell, struct mr_ticket *ticket, struct mr_call *call, enum turn turn,
               struct mr_instance *reader, double now_s)
{
    const uint8_t own = ticket->tier;
    int first = MR_CELL_REFUSALS;
    for (uint8_t tier = own;; tier = (uint8_t)(cell->plan.cheaper[tier] - 1)) {
        const bool may_wait = turn == TURN_FIRST && cell->plan.patience_s[tier] > 0;
        ticket->tier = tier;
        int why = may_wait && mr_gate_has(&cell->gate, tier)
                      ? WAITS
                      : refusal_of(cell, ticket, call, reader, now_s);
        if (why < MR_CELL_REFUSALS && may_wait)
            why = WAITS;
        if (why >= MR_CELL_REFUSALS) {
            place_in_queue(cell, ticket, call);
            if (tier != own && cell->moved != NULL)
                cell->moved(cell->sink.context, ticket, own);
            return why;
        }
        first = first < MR_CELL_REFUSALS ? first : why;
        if (turn == TURN_AGAIN || cell->plan.cheaper[tier] == 0)
            break;
    }
    ticket->tier = own;
    return first;
}

/* Nowhere until it comes in. @param[in] last instance of its session */
static mr_status hold(struct mr_cell *cell, const struct mr_ticket *ticket,
                      const struct mr_call *new_call, uint32_t last, double now_s,
                      struct mr_err *err)
{
    uint32_t call = MR_CALL_NONE;
    MR_TRY(mr_cell_take_call(cell, &call, err));
    mr_cell_keep_ticket(cell, call, ticket);
    cell->stub[call].instance = last;
    cell->stub[call].prefill = MR_ROUTER_NOWHERE;
    cell->calls.call[call] = *new_call;
    mr_cell_inside(cell, 1, now_s);
    return mr_gate_hold(cell, call, now_s, err);
}

/* Its deadline has passed. */
static void expire(struct mr_cell *cell, uint32_t call, double now_s)
{
    const struct mr_cell_sink *sink = &cell->sink;
    const struct mr_call own = cell->calls.call[call];
    struct mr_ticket ticket = mr_cell_ticket(cell, call);
    ticket.instance = MR_ROUTER_NOWHERE;
    mr_cell_inside(cell, -1, now_s);
    cell->sojourn_s += now_s - own.arrived_s;
    cell->calls.call[call].state = MR_CALL_DONE;
    mr_call_path_give(&cell->calls, &cell->calls.call[call]);
    mr_call_give_back(&cell->calls, call);
    if (cell->expired != NULL)
        cell->expired(sink->context, &ticket, &own, now_s);
    else
        sink->refused(sink->context, &ticket, now_s, MR_CELL_REFUSAL_EXPIRED);
}

mr_status mr_cell_ask_again(struct mr_cell *cell, uint32_t call, bool is_last, double now_s,
                            bool *is_settled, struct mr_err *err)
{
    struct mr_ticket own = mr_cell_ticket(cell, call);
    struct mr_call now = cell->calls.call[call];
    struct mr_instance *reader = NULL;
    struct mr_cell_session *session = NULL;
    MR_TRY(session_of(cell, &own, &session, err));
    MR_TRY(choose(cell, &own, &now, session->instance, now_s, &reader, err));
    const int why = ask(cell, &own, &now, is_last ? TURN_LAST : TURN_AGAIN, reader, now_s);
    *is_settled = is_last || why == MR_CELL_REFUSALS;
    if (why == MR_CELL_REFUSALS) {
        if (own.is_warm && reader != NULL)
            MR_TRY(mr_instance_cache_warm(reader, &now, now_s, err));
        mr_cell_keep_ticket(cell, call, &own);
        cell->calls.call[call] = now;
        return mr_cell_send(cell, call, reader, now_s, err);
    }
    if (is_last)
        expire(cell, call, now_s);
    return MR_OK;
}

mr_status mr_cell_arrive(struct mr_cell *cell, const struct mr_ticket *ticket, double now_s,
                         struct mr_err *err)
{
    uint32_t call = MR_CALL_NONE;
    struct mr_cell_session *session = NULL;
    struct mr_instance *reader = NULL;
    struct mr_ticket own = *ticket;
    MR_ASSERT(ticket->n_prompt > 0 && ticket->n_output > 0);
    mr_cell_tell(cell, now_s);
    cell->n_event++;
    cell->sums.n_come++;
    cell->sums.come_tok += ticket->n_prompt;
    MR_TRY(mr_cell_expiry_run(cell, now_s, err));
    MR_TRY(session_of(cell, ticket, &session, err));
    struct mr_call new_call = {.arrived_s = now_s,
                               .n_prompt = ticket->n_prompt,
                               .n_output = ticket->n_output,
                               .space = space_of(cell, session, ticket),
                               .n_prefix = ticket->n_prefix,
                               .number = (uint32_t)ticket->id};
    if (ticket->context > 0) {
        new_call.context = ticket->context - 1;
        new_call.is_scripted = true;
    } else {
        own.instance = MR_ROUTER_NOWHERE;
    }
    own.prefill = MR_ROUTER_NOWHERE;
    if (!mr_instance_can_hold(&cell->instance[0], ticket->n_prompt, ticket->n_output)) {
        own.instance = MR_ROUTER_NOWHERE;
        cell->sink.refused(cell->sink.context, &own, now_s, MR_CELL_REFUSAL_TOO_LONG);
        return MR_OK;
    }
    const uint32_t last = own.instance;
    if (ticket->n_run > 0)
        MR_TRY(mr_call_path_take(&cell->calls, ticket->run, ticket->n_run, &new_call, err));
    MR_TRY(choose(cell, &own, &new_call, session->instance, now_s, &reader, err));
    const int why = ask(cell, &own, &new_call, TURN_FIRST, reader, now_s);
    if (why < MR_CELL_REFUSALS) {
        mr_call_path_give(&cell->calls, &new_call);
        cell->sink.refused(cell->sink.context, &own, now_s, (enum mr_cell_refusal)why);
        return MR_OK;
    }
    if (why == WAITS)
        own.instance = session->instance; /* where the next call of its session looks */
    continue_session(cell, session, &own, new_call.space);
    mr_cell_expiry_used(cell, new_call.space);
    if (why == WAITS)
        return hold(cell, &own, &new_call, last, now_s, err);
    if (new_call.is_scripted)
        remember_place(cell, &own, &new_call);
    MR_TRY(mr_cell_take_call(cell, &call, err));
    if (ticket->is_warm && reader != NULL)
        MR_TRY(mr_instance_cache_warm(reader, &new_call, now_s, err));
    mr_cell_keep_ticket(cell, call, &own);
    cell->calls.call[call] = new_call;
    mr_cell_inside(cell, 1, now_s);
    return mr_cell_send(cell, call, reader, now_s, err);
}

mr_status mr_cell_set_short(struct mr_cell *cell, bool is_short, double now_s, struct mr_err *err)
{
    const bool was_short = cell->shortage.is_on;
    cell->shortage.is_on = is_short;
    if (cell->shortage.may_refuse)
        mr_shortage_look(&cell->shortage, cell->instance, cell->plan.n_instance, now_s);
    return was_short && cell->gate.n > 0 ? mr_gate_ask(cell, now_s, err) : MR_OK;
}

mr_status mr_cell_take_script(struct mr_cell *cell, const struct mr_script *script,
                              struct mr_err *err)
{
    cell->calls.script = script;
    return mr_grow(&cell->calls.scratch, &cell->calls.scratch_cap, (size_t)script->run_max + 2,
                   sizeof *cell->calls.scratch, err);
}

/* ---- life ---- */

/* Of instances of which somebody will ask how long a prompt waits. */
static void ask_instances(struct mr_cell *cell)
{
    bool is_asked = false;
    for (size_t i = 0; i < sizeof cell->plan.admission / sizeof *cell->plan.admission; i++) {
        is_asked |= mr_admission_asks_ttft(&cell->plan.admission[i]);
        cell->shortage.may_refuse |= mr_shortage_asks(&cell->plan.spared[i]);
    }
    is_asked |= cell->shortage.may_refuse;
    for (uint32_t i = 0; i < cell->plan.n_instance; i++)
        cell->instance[i].is_asked = is_asked || cell->kv != NULL;
    for (uint32_t i = 0; cell->split != NULL && i < cell->split->plan.n_instance; i++)
        cell->split->instance[i].is_asked = is_asked || cell->split->kv != NULL;
}

mr_status mr_cell_init(struct mr_cell *cell, const struct mr_cell_plan *plan,
                       const struct mr_cell_sink *sink, struct mr_err *err)
{
    MR_ASSERT(plan->n_instance > 0);
    *cell = (struct mr_cell){.plan = *plan,
                             .sink = *sink,
                             .ends = {.finished = finished, .context = cell},
                             .calls = MR_CALLS_EMPTY,
                             .watch_s = (double)INFINITY};
    for (size_t i = 0; i < sizeof cell->admission / sizeof *cell->admission; i++)
        mr_admission_start(&cell->admission[i], &plan->admission[i]);
    mr_gate_init(cell);
    cell->read_tok_s = mr_instance_wait_pace_tok_s(plan->serving);
    mr_status st = mr_tree_init(&cell->due, plan->n_instance, err);
    if (st == MR_OK)
        st = mr_router_init(&cell->router, plan->router, plan->n_instance, plan->seed, err);
    if (st == MR_OK) {
        cell->instance = mr_alloc_zero(plan->n_instance, sizeof *cell->instance);
        st = cell->instance != NULL ? MR_OK
                                    : mr_err_nomem(err, plan->n_instance * sizeof *cell->instance);
    }
    for (uint32_t i = 0; i < plan->n_instance && st == MR_OK; i++) {
        st = mr_instance_init(&cell->instance[i], plan->serving, &cell->calls, err);
        if (st == MR_OK)
            mr_cell_plan_event(cell, i);
    }
    if (st == MR_OK && plan->serving->onboard != NULL)
        st = mr_onboard_open(cell->instance, plan->n_instance, &cell->onboard, err);
    if (st == MR_OK && mr_router_kv_is(plan->router, plan->serving->has_cache))
        st = mr_router_kv_create(cell->instance, plan->n_instance, plan->router, plan->call_s,
                                 &cell->kv, err);
    if (st == MR_OK && plan->split != NULL)
        st = mr_split_create(cell, plan->split, &cell->split, err);
    if (st == MR_OK)
        ask_instances(cell);
    if (st == MR_OK) {
        cell->seat = mr_alloc_zero(mr_cell_n_seat(cell), sizeof *cell->seat);
        st = cell->seat != NULL ? MR_OK
                                : mr_err_nomem(err, mr_cell_n_seat(cell) * sizeof *cell->seat);
    }
    if (st != MR_OK)
        mr_cell_fini(cell);
    return st;
}

void mr_cell_fini(struct mr_cell *cell)
{
    for (uint32_t i = 0; i < cell->plan.n_instance && cell->instance != NULL; i++)
        mr_instance_fini(&cell->instance[i]);
    mr_free(cell->instance);
    mr_onboard_close(cell->onboard);
    mr_split_destroy(cell->split);
    mr_tree_fini(&cell->due);
    mr_router_fini(&cell->router);
    mr_router_kv_destroy(cell->kv);
    mr_cell_expiry_destroy(cell->expiry);
    mr_free(cell->ahead);
    mr_call_path_fini(&cell->calls);
    mr_call_fini(&cell->calls);
    mr_free(cell->stubs);
    mr_free(cell->session);
    mr_free(cell->seat);
    mr_gate_fini(&cell->gate);
    mr_free(cell->lost);
    mr_free(cell->parked);
    *cell = (struct mr_cell){0};
}
