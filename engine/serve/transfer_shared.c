/* SPDX-License-Identifier: Apache-2.0 */
/* Mode `shared`: the smallest fair share. With n_l transfers on link l of capacity C_l,
 *
 *     rate of a transfer = min over its links of s_l,   s_l = C_l / n_l  (fat pipes: s_l = C_l)
 *
 * The link with the smallest share rules the transfer. Against max-min:
 *   - It is feasible: the rates on l sum to at most n_l s_l = C_l.
 *   - It is never above max-min. A max-min flow has a saturated link b on which nobody is faster;
 *     were its rate below s_b, the n_b flows of b would sum to less than C_b. So its rate is at
 *     least s_b, and s_b is at least the minimum over its links.
 *   - It is equal where every transfer's ruling link rules all that it carries: single bottlenecks,
 *     symmetric patterns. The slowest flows of all are always exact: the smallest share of the
 *     network is the first level that max-min fills.
 *   - It leaves unused what others, ruled elsewhere, do not take. At worst a transfer gets C/n
 *     where max-min gives it nearly C, when the n - 1 others are held back elsewhere.
 * While the same transfers move, none is too fast. How much too slow, measured on random transfers
 * of 16 hosts in rows of 4: durations are 0.1 % above max-min's with 0.1 transfers at once, 1 %
 * with 0.8, 31 % with 10, 43 % with 290; on links that differ by a decade 2 % with 0.3, 10 % with
 * 2, 50 to 70 % in crowds. Single ones, fast senders beside slow ones, can be off by a factor.
 *
 * One clock per link: V_l = integral of s_l dt, the bytes that every transfer ruled by l has got.
 * It is known at a mark and grows linearly, so that a change of n_l costs O(1) however many
 * transfers it slows down. Transfers between the same hosts are one flow: all get the same bytes,
 * W, and a heap by the W at which each ends is all there is per transfer. A flow ruled by l carries
 * offset = V_l - W, so that its first end is at V_l = least W + offset: a heap per link. A heap
 * over links gives the next end of all.
 *
 * Who rules changes when shares cross. For a flow ruled by a and each other link l of it, a guard g
 * with s_a <= g <= s_l (their geometric mean) lies with both: l looks at its largest guard when s_l
 * falls, a at its least when s_a rises. Guards that hold prove that nobody else rules; one that
 * does not costs the flow a new look at its links, O(links log n). Shares near each other have
 * tight guards, and then flows do change hands.
 *
 * All changes of one instant are collected and settled together when time is asked for, so that the
 * order of starts at one time cannot be seen. Map: clocks - guards and rulers - settling - the
 * mode's functions. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/serve/transfer.h"
#include "engine/serve/transfer_heap.h"
#include "engine/serve/transfer_mode.h"

#include <math.h>

#define NO_HOP  UINT32_MAX
#define NO_FLOW UINT32_MAX

/* Clocks start over before their bytes lose the precision that small transfers need: 2^36 B have a
 * last bit of 2^-17 B. */
static const double clock_max_bytes = 0x1p36;

struct link {
    double share;                   /* s_l */
    double mark_s, mark_bytes;      /* V_l when s_l last changed */
    uint32_t n;                     /* transfers on it, once per crossing */
    uint32_t n_hop;                 /* crossings of known routes: room in the heaps */
    bool is_dirty, is_retimed;      /* waits for: a new share; a new place among links */
    struct mr_transfer_heap low;    /* hops of flows ruled by others, by -guard */
    struct mr_transfer_heap high;   /* hops of flows ruled from here, by least guard */
    struct mr_transfer_heap finish; /* flows ruled from here, by V of their first end */
};

/* All transfers of one route. */
struct flow {
    uint32_t first, n_hop; /* into hops of the topology */
    uint32_t ruler;        /* a hop of it, or NO_HOP: nothing moves */
    uint32_t next_ruler;   /* while settling */
    double offset;         /* V of the ruler - W; between rulers: -W */
    uint32_t n_room;       /* transfers that have a place in `level` or may want one */
    bool is_known, is_queued;
    struct mr_transfer_heap level; /* its transfers, by the W at which they end */
};

struct shared {
    struct mr_topology *topology;
    double now_s;
    struct link *link;
    size_t n_link, cap_link;
    struct flow *flow;
    size_t n_flow, cap_flow;
    uint32_t *slot_place; /* in `level` of its flow */
    uint32_t *slot_flow;  /* or NO_FLOW */
    size_t n_slot, cap_slot_place, cap_slot_flow;
    uint32_t *hop_place; /* in low or high of its link */
    uint32_t *hop_flow;
    size_t n_hop, cap_hop_place, cap_hop_flow;
    uint32_t *flow_place; /* in finish of its ruler */
    size_t cap_flow_place;
    uint32_t *link_place; /* in `time` */
    size_t cap_link_place;
    struct mr_transfer_heap time;      /* links by their next end */
    uint32_t *dirty, *retimed, *queue; /* links, links, flows that wait */
    size_t n_dirty, cap_dirty, n_retimed, cap_retimed, n_queue, cap_queue;
};

/* ---- clocks ---- */

static struct link *link_of_hop(const struct shared *s, uint32_t hop)
{
    return &s->link[s->topology->hop[hop]];
}

static double clock_bytes(const struct link *link, double now_s)
{
    return link->mark_bytes + link->share * (now_s - link->mark_s);
}

/* W */
static double got_bytes(const struct shared *s, const struct flow *flow, double now_s)
{
    return clock_bytes(link_of_hop(s, flow->ruler), now_s) - flow->offset;
}

static double current_share(const struct shared *s, const struct link *link)
{
    const struct mr_topology_link *of = &s->topology->link[link - s->link];
    return of->is_fatpipe || link->n < 2 ? of->bandwidth_bytes_s
                                         : of->bandwidth_bytes_s / (double)link->n;
}

static void mark_dirty(struct shared *s, struct link *link)
{
    if (!link->is_dirty)
        s->dirty[s->n_dirty++] = (uint32_t)(link - s->link);
    link->is_dirty = true;
}

static void mark_retimed(struct shared *s, struct link *link)
{
    if (!link->is_retimed)
        s->retimed[s->n_retimed++] = (uint32_t)(link - s->link);
    link->is_retimed = true;
}

static void mark_queued(struct shared *s, struct flow *flow)
{
    if (!flow->is_queued)
        s->queue[s->n_queue++] = (uint32_t)(flow - s->flow);
    flow->is_queued = true;
}

/* Equal keys may come out of this where there were none; their order does not matter, as all of
 * them end at once. */
static void shift_keys(struct mr_transfer_heap *heap, double by)
{
    for (size_t i = 0; i < heap->n; i++)
        heap->item[i].key += by;
}

static void set_clock(struct shared *s, struct link *link, double bytes)
{
    if (bytes > clock_max_bytes) {
        shift_keys(&link->finish, -bytes);
        for (size_t i = 0; i < link->finish.n; i++)
            s->flow[link->finish.item[i].id].offset -= bytes;
        bytes = 0;
    }
    link->mark_bytes = bytes;
    link->mark_s = s->now_s;
}

/* ---- guards and rulers ---- */

static void drop_guards(struct shared *s, const struct flow *flow)
{
    for (uint32_t hop = flow->first; hop < flow->first + flow->n_hop; hop++) {
        struct link *link = link_of_hop(s, hop);
        if (s->hop_place[hop] != MR_TRANSFER_HEAP_OUT)
            mr_transfer_heap_remove(hop == flow->ruler ? &link->high : &link->low, s->hop_place,
                                    hop);
    }
}

static void set_guards(struct shared *s, const struct flow *flow)
{
    struct link *ruler = link_of_hop(s, flow->ruler);
    double least = (double)INFINITY;
    for (uint32_t hop = flow->first; hop < flow->first + flow->n_hop; hop++) {
        struct link *link = link_of_hop(s, hop);
        if (hop == flow->ruler)
            continue;
        /* rounding must not put the mean outside of what it is the mean of */
        const double mean = sqrt(ruler->share) * sqrt(link->share);
        const double guard = fmin(fmax(mean, ruler->share), link->share);
        mr_transfer_heap_push(&link->low, s->hop_place, -guard, hop);
        least = fmin(least, guard);
    }
    mr_transfer_heap_push(&ruler->high, s->hop_place, least, flow->ruler);
}

/* The smallest share; the present ruler stays where it is one of several. */
static uint32_t find_ruler(const struct shared *s, const struct flow *flow)
{
    uint32_t best = flow->ruler != NO_HOP ? flow->ruler : flow->first;
    for (uint32_t hop = flow->first; hop < flow->first + flow->n_hop; hop++)
        if (link_of_hop(s, hop)->share < link_of_hop(s, best)->share)
            best = hop;
    return best;
}

/* The guards nearest to a share that has changed: flows whose guard does not hold leave the heap,
 * so that the next one comes up. */
static void take_broken(struct shared *s, struct mr_transfer_heap *heap, double bound)
{
    while (heap->n > 0 && heap->item[0].key < bound) {
        const uint32_t hop = heap->item[0].id;
        mr_transfer_heap_remove(heap, s->hop_place, hop);
        mark_queued(s, &s->flow[s->hop_flow[hop]]);
    }
}

/* ---- settling ---- */

static void renew_share(struct shared *s, struct link *link)
{
    const double share = current_share(s, link);
    link->is_dirty = false;
    if (share == link->share)
        return;
    if (link->finish.n > 0) {
        set_clock(s, link, clock_bytes(link, s->now_s));
        mark_retimed(s, link);
    }
    link->share = share;
    take_broken(s, &link->low, -share);
    take_broken(s, &link->high, share);
}

/* First all leave, then all join: a link left by everybody starts its clock over, and who left or
 * joined first must not matter. */
static void leave_ruler(struct shared *s, struct flow *flow)
{
    const uint32_t i = (uint32_t)(flow - s->flow);
    drop_guards(s, flow);
    flow->next_ruler = flow->level.n > 0 ? find_ruler(s, flow) : NO_HOP;
    if (flow->ruler == NO_HOP || flow->ruler == flow->next_ruler)
        return;
    struct link *old = link_of_hop(s, flow->ruler);
    flow->offset = flow->next_ruler == NO_HOP ? 0 : -got_bytes(s, flow, s->now_s);
    if (s->flow_place[i] != MR_TRANSFER_HEAP_OUT)
        mr_transfer_heap_remove(&old->finish, s->flow_place, i);
    mark_retimed(s, old);
    flow->ruler = NO_HOP;
}

static void join_ruler(struct shared *s, struct flow *flow)
{
    const uint32_t i = (uint32_t)(flow - s->flow);
    flow->is_queued = false;
    if (flow->next_ruler == NO_HOP)
        return;
    struct link *ruler = link_of_hop(s, flow->next_ruler);
    if (flow->ruler == NO_HOP) {
        if (ruler->finish.n == 0) {
            ruler->mark_bytes = 0;
            ruler->mark_s = s->now_s;
        }
        flow->ruler = flow->next_ruler;
        flow->offset += clock_bytes(ruler, s->now_s);
    }
    const double key = flow->level.item[0].key + flow->offset;
    if (s->flow_place[i] == MR_TRANSFER_HEAP_OUT)
        mr_transfer_heap_push(&ruler->finish, s->flow_place, key, i);
    else
        mr_transfer_heap_rekey(&ruler->finish, s->flow_place, key, i);
    mark_retimed(s, ruler);
    set_guards(s, flow);
}

static void renew_time(struct shared *s, struct link *link)
{
    const uint32_t i = (uint32_t)(link - s->link);
    const bool is_in = s->link_place[i] != MR_TRANSFER_HEAP_OUT;
    link->is_retimed = false;
    if (link->finish.n == 0) {
        if (is_in)
            mr_transfer_heap_remove(&s->time, s->link_place, i);
        return;
    }
    const double end_s =
        fmax(s->now_s, link->mark_s + (link->finish.item[0].key - link->mark_bytes) / link->share);
    if (is_in)
        mr_transfer_heap_rekey(&s->time, s->link_place, end_s, i);
    else
        mr_transfer_heap_push(&s->time, s->link_place, end_s, i);
}

static void settle(struct shared *s)
{
    for (size_t i = 0; i < s->n_dirty; i++)
        renew_share(s, &s->link[s->dirty[i]]);
    s->n_dirty = 0;
    for (size_t i = 0; i < s->n_queue; i++)
        leave_ruler(s, &s->flow[s->queue[i]]);
    for (size_t i = 0; i < s->n_queue; i++)
        join_ruler(s, &s->flow[s->queue[i]]);
    s->n_queue = 0;
    for (size_t i = 0; i < s->n_retimed; i++)
        renew_time(s, &s->link[s->retimed[i]]);
    s->n_retimed = 0;
}

/* ---- the mode's functions ---- */

static mr_status reserve_links(struct shared *s, struct mr_err *err)
{
    const size_t n = s->topology->n_link;
    if (s->n_link == n)
        return MR_OK;
    MR_TRY(mr_grow(&s->link, &s->cap_link, n, sizeof *s->link, err));
    MR_TRY(mr_grow(&s->link_place, &s->cap_link_place, n, sizeof *s->link_place, err));
    MR_TRY(mr_grow(&s->dirty, &s->cap_dirty, n, sizeof *s->dirty, err));
    MR_TRY(mr_grow(&s->retimed, &s->cap_retimed, n, sizeof *s->retimed, err));
    MR_TRY(mr_transfer_heap_reserve(&s->time, n, err));
    for (; s->n_link < n; s->n_link++) {
        s->link[s->n_link] = (struct link){.share = s->topology->link[s->n_link].bandwidth_bytes_s};
        s->link_place[s->n_link] = MR_TRANSFER_HEAP_OUT;
    }
    return MR_OK;
}

static mr_status reserve_hops(struct shared *s, struct mr_err *err)
{
    const size_t n = s->topology->n_hop;
    MR_TRY(mr_grow(&s->hop_place, &s->cap_hop_place, n, sizeof *s->hop_place, err));
    MR_TRY(mr_grow(&s->hop_flow, &s->cap_hop_flow, n, sizeof *s->hop_flow, err));
    for (; s->n_hop < n; s->n_hop++) {
        s->hop_place[s->n_hop] = MR_TRANSFER_HEAP_OUT;
        s->hop_flow[s->n_hop] = NO_FLOW;
    }
    return MR_OK;
}

static mr_status reserve_flows(struct shared *s, struct mr_err *err)
{
    const size_t n = s->topology->n_route;
    MR_TRY(mr_grow(&s->flow, &s->cap_flow, n, sizeof *s->flow, err));
    MR_TRY(mr_grow(&s->flow_place, &s->cap_flow_place, n, sizeof *s->flow_place, err));
    MR_TRY(mr_grow(&s->queue, &s->cap_queue, n, sizeof *s->queue, err));
    for (; s->n_flow < n; s->n_flow++) {
        s->flow[s->n_flow] = (struct flow){.ruler = NO_HOP, .next_ruler = NO_HOP};
        s->flow_place[s->n_flow] = MR_TRANSFER_HEAP_OUT;
    }
    return MR_OK;
}

/* Room for the flow in the heaps of all its links. */
static mr_status meet_flow(struct shared *s, uint32_t i, struct mr_err *err)
{
    const struct mr_topology_route *route = &s->topology->route[i];
    for (uint32_t hop = route->first; hop < route->first + route->n_link; hop++) {
        struct link *link = link_of_hop(s, hop);
        const size_t n = (size_t)link->n_hop + 1;
        MR_TRY(mr_transfer_heap_reserve(&link->low, n, err));
        MR_TRY(mr_transfer_heap_reserve(&link->high, n, err));
        MR_TRY(mr_transfer_heap_reserve(&link->finish, n, err));
        link->n_hop++;
        s->hop_flow[hop] = i;
    }
    s->flow[i].first = route->first;
    s->flow[i].n_hop = route->n_link;
    s->flow[i].is_known = true;
    return MR_OK;
}

static mr_status reserve_slots(struct shared *s, size_t n, struct mr_err *err)
{
    MR_TRY(mr_grow(&s->slot_place, &s->cap_slot_place, n, sizeof *s->slot_place, err));
    MR_TRY(mr_grow(&s->slot_flow, &s->cap_slot_flow, n, sizeof *s->slot_flow, err));
    for (; s->n_slot < n; s->n_slot++) {
        s->slot_place[s->n_slot] = MR_TRANSFER_HEAP_OUT;
        s->slot_flow[s->n_slot] = NO_FLOW;
    }
    return MR_OK;
}

/* A slot that was reserved and never admitted (taken back while it waited) leaves its room. */
static void leave_room(struct shared *s, uint32_t slot)
{
    if (s->slot_flow[slot] != NO_FLOW)
        s->flow[s->slot_flow[slot]].n_room--;
    s->slot_flow[slot] = NO_FLOW;
}

static mr_status reserve(void *self, uint32_t slot, uint32_t route,
                         const struct mr_transfer_job *job, struct mr_err *err)
{
    struct shared *s = self;
    (void)job;
    MR_TRY(reserve_links(s, err));
    MR_TRY(reserve_hops(s, err));
    MR_TRY(reserve_flows(s, err));
    MR_TRY(reserve_slots(s, (size_t)slot + 1 > s->n_slot ? (size_t)slot + 1 : s->n_slot, err));
    struct flow *flow = &s->flow[route];
    if (!flow->is_known)
        MR_TRY(meet_flow(s, route, err));
    leave_room(s, slot);
    MR_TRY(mr_transfer_heap_reserve(&flow->level, (size_t)flow->n_room + 1, err));
    flow->n_room++;
    s->slot_flow[slot] = route;
    return MR_OK;
}

static void count_on_links(struct shared *s, struct flow *flow, bool is_more)
{
    for (uint32_t hop = flow->first; hop < flow->first + flow->n_hop; hop++) {
        struct link *link = link_of_hop(s, hop);
        link->n = is_more ? link->n + 1 : link->n - 1;
        mark_dirty(s, link);
    }
    mark_queued(s, flow);
}

static void admit(void *self, uint32_t slot, uint32_t route, double bytes, double now_s)
{
    struct shared *s = self;
    struct flow *flow = &s->flow[route];
    s->now_s = now_s;
    double got = flow->ruler != NO_HOP ? got_bytes(s, flow, now_s) : 0;
    if (got > clock_max_bytes) {
        shift_keys(&flow->level, -got);
        flow->offset += got;
        got = 0;
    }
    mr_transfer_heap_push(&flow->level, s->slot_place, got + bytes, slot);
    count_on_links(s, flow, true);
}

static double left_bytes(const void *self, uint32_t slot, double now_s)
{
    const struct shared *s = self;
    const struct flow *flow = &s->flow[s->slot_flow[slot]];
    const double got = flow->ruler != NO_HOP ? got_bytes(s, flow, now_s) : 0;
    return fmax(0, flow->level.item[s->slot_place[slot]].key - got);
}

static double remove_slot(void *self, uint32_t slot, double now_s)
{
    struct shared *s = self;
    struct flow *flow = &s->flow[s->slot_flow[slot]];
    const double left = left_bytes(s, slot, now_s);
    s->now_s = now_s;
    mr_transfer_heap_remove(&flow->level, s->slot_place, slot);
    leave_room(s, slot);
    count_on_links(s, flow, false);
    return left;
}

static double next_s(void *self, double now_s)
{
    struct shared *s = self;
    s->now_s = now_s;
    settle(s);
    return s->time.n > 0 ? s->time.item[0].key : (double)INFINITY;
}

/* The first ends of a flow, all at the same W. */
static void end_first(struct shared *s, struct flow *flow, struct mr_transfer_ended *ended)
{
    const double level = flow->level.item[0].key;
    while (flow->level.n > 0 && flow->level.item[0].key <= level) {
        const uint32_t slot = flow->level.item[0].id;
        mr_transfer_heap_remove(&flow->level, s->slot_place, slot);
        leave_room(s, slot);
        count_on_links(s, flow, false);
        ended->slot[ended->n++] = slot;
    }
}

/* The clock is set to what the first end says, so that no rounding is left over. */
static void end_on_link(struct shared *s, struct link *link, struct mr_transfer_ended *ended)
{
    set_clock(s, link, link->finish.item[0].key);
    while (link->finish.n > 0 && link->finish.item[0].key <= link->mark_bytes) {
        const uint32_t i = link->finish.item[0].id;
        struct flow *flow = &s->flow[i];
        end_first(s, flow, ended);
        if (flow->level.n > 0)
            mr_transfer_heap_rekey(&link->finish, s->flow_place,
                                   flow->level.item[0].key + flow->offset, i);
        else
            mr_transfer_heap_remove(&link->finish, s->flow_place, i);
    }
    mr_transfer_heap_remove(&s->time, s->link_place, (uint32_t)(link - s->link));
    mark_retimed(s, link);
}

static double play(void *self, double to_s, struct mr_transfer_ended *ended)
{
    struct shared *s = self;
    settle(s);
    if (s->time.n == 0 || s->time.item[0].key > to_s)
        return to_s;
    s->now_s = s->time.item[0].key;
    while (s->time.n > 0 && s->time.item[0].key <= s->now_s) {
        while (s->time.n > 0 && s->time.item[0].key <= s->now_s)
            end_on_link(s, &s->link[s->time.item[0].id], ended);
        settle(s);
    }
    return s->now_s;
}

static void set_bandwidth(void *self, uint32_t link, double now_s)
{
    struct shared *s = self;
    s->now_s = now_s;
    if (link < s->n_link)
        mark_dirty(s, &s->link[link]);
}

static void destroy(void *self)
{
    struct shared *s = self;
    for (size_t i = 0; i < s->n_link; i++) {
        mr_transfer_heap_fini(&s->link[i].low);
        mr_transfer_heap_fini(&s->link[i].high);
        mr_transfer_heap_fini(&s->link[i].finish);
    }
    for (size_t i = 0; i < s->n_flow; i++)
        mr_transfer_heap_fini(&s->flow[i].level);
    mr_transfer_heap_fini(&s->time);
    mr_free(s->link);
    mr_free(s->flow);
    mr_free(s->slot_place);
    mr_free(s->slot_flow);
    mr_free(s->hop_place);
    mr_free(s->hop_flow);
    mr_free(s->flow_place);
    mr_free(s->link_place);
    mr_free(s->dirty);
    mr_free(s->retimed);
    mr_free(s->queue);
    mr_free(s);
}

static const struct mr_transfer_mode mode = {
    .name = "shared",
    .doc = "every transfer gets the smallest fair share among its links",
    .reserve = reserve,
    .admit = admit,
    .remove = remove_slot,
    .left_bytes = left_bytes,
    .next_s = next_s,
    .play = play,
    .set_bandwidth = set_bandwidth,
    .destroy = destroy,
};

mr_status mr_transfer_shared(struct mr_topology *topology, const double *class_latency_s,
                             struct mr_transfer **out, struct mr_err *err)
{
    struct shared *s = mr_alloc_zero(1, sizeof *s);
    *out = NULL;
    if (s == NULL)
        return mr_err_nomem(err, sizeof *s);
    s->topology = topology;
    return mr_transfer_create(topology, class_latency_s, &mode, s, out, err);
}
