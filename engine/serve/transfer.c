/* SPDX-License-Identifier: Apache-2.0 */
/* What all modes have in common, and all of `ideal`: slots, latencies, ends in order, trouble,
 * bytes per link. One heap of timers holds what is known ahead: when a latency runs out, when a
 * transfer that shares with nobody ends. Bytes that do share are the mode's business. */
#include "engine/serve/transfer.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/serve/transfer_heap.h"
#include "engine/serve/transfer_mode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum state {
    FREE,
    WAITS, /* timer: its latency runs out */
    ALONE, /* timer: it ends */
    MOVES, /* the mode has it */
    DOOMED /* timer: it is told that it failed */
};

struct slot {
    uint64_t tag;
    double bytes, move_s, end_s; /* move_s: latency paid; end_s: of ALONE */
    double carried;              /* of DOOMED */
    uint32_t route, generation;
    uint32_t where; /* of DOOMED */
    uint8_t state, reason;
};

struct mr_transfer {
    struct mr_topology *topology;
    const struct mr_transfer_mode *mode;
    void *self;
    double class_latency_s[MR_TRANSFER_CLASSES];
    double now_s;
    struct slot *slot;
    size_t n_slot, cap_slot;
    uint32_t *place; /* of slots in `timer` */
    size_t cap_place;
    uint32_t *spare; /* free slots, a stack */
    size_t n_spare, cap_spare;
    struct mr_transfer_heap timer;
    struct mr_transfer_ended ended; /* what the mode tells */
    size_t cap_ended;
    struct mr_transfer_done *done; /* what the owner is told */
    size_t n_done, cap_done;
    bool *is_link_down, *is_host_down;
    size_t n_down;
    double *carried; /* bytes that came through so far, by route, of transfers that ended */
    size_t n_carried, cap_carried;
    uint32_t *order; /* routes by (from, to, cap), for sums that do not know who came first */
    size_t n_order, cap_order;
    struct mr_transfer_count count;
};

static const char *const reasons[] = {
#define REASON_TEXT(name, text) text,
    MR_TRANSFER_REASON_LIST(REASON_TEXT)
#undef REASON_TEXT
};

static const double class_latencies_s[MR_TRANSFER_CLASSES] = {
#define CLASS_LATENCY(name, text, latency_s, doc) latency_s,
    MR_TRANSFER_CLASS_LIST(CLASS_LATENCY)
#undef CLASS_LATENCY
};

/* ---- making ---- */

static mr_status fill(struct mr_transfer *net, struct mr_err *err)
{
    const struct mr_topology *t = net->topology;
    for (int i = 0; i < MR_TRANSFER_CLASSES; i++)
        if (!(net->class_latency_s[i] >= 0) || isinf(net->class_latency_s[i]))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "a transfer's latency of %g s: expected 0 or more",
                              net->class_latency_s[i]);
    net->is_link_down = mr_alloc_zero(t->n_site_link, sizeof *net->is_link_down);
    net->is_host_down = mr_alloc_zero(t->n_host, sizeof *net->is_host_down);
    if (net->is_link_down == NULL || net->is_host_down == NULL)
        return mr_err_nomem(err, t->n_site_link + t->n_host);
    return MR_OK;
}

mr_status mr_transfer_create(struct mr_topology *topology, const double *class_latency_s,
                             const struct mr_transfer_mode *mode, void *take_self,
                             struct mr_transfer **out, struct mr_err *err)
{
    *out = NULL;
    struct mr_transfer *net = mr_alloc_zero(1, sizeof *net);
    if (net == NULL) {
        if (mode != NULL)
            mode->destroy(take_self);
        return mr_err_nomem(err, sizeof *net);
    }
    net->topology = topology;
    net->mode = mode;
    net->self = take_self;
    memcpy(net->class_latency_s, class_latency_s != NULL ? class_latency_s : class_latencies_s,
           sizeof net->class_latency_s);
    const mr_status st = fill(net, err);
    if (st != MR_OK) {
        mr_transfer_destroy(net);
        return st;
    }
    *out = net;
    return MR_OK;
}

mr_status mr_transfer_ideal(struct mr_topology *topology, const double *class_latency_s,
                            struct mr_transfer **out, struct mr_err *err)
{
    return mr_transfer_create(topology, class_latency_s, NULL, NULL, out, err);
}

void mr_transfer_destroy(struct mr_transfer *net)
{
    if (net == NULL)
        return;
    if (net->mode != NULL)
        net->mode->destroy(net->self);
    mr_free(net->slot);
    mr_free(net->place);
    mr_free(net->spare);
    mr_transfer_heap_fini(&net->timer);
    mr_free(net->ended.slot);
    mr_free(net->done);
    mr_free(net->is_link_down);
    mr_free(net->is_host_down);
    mr_free(net->carried);
    mr_free(net->order);
    mr_free(net);
}

const char *mr_transfer_name(const struct mr_transfer *net)
{
    return net->mode != NULL ? net->mode->name : "ideal";
}

const char *mr_transfer_reason_text(int reason)
{
    MR_ASSERT(reason >= 0 && (size_t)reason < sizeof reasons / sizeof *reasons);
    return reasons[reason];
}

mr_status mr_transfer_run(struct mr_transfer *net, void (*body)(void *data), void *data,
                          struct mr_err *err)
{
    if (net->mode != NULL && net->mode->run != NULL)
        return net->mode->run(net->self, body, data, err);
    body(data);
    return MR_OK;
}

/* ---- starting ---- */

/* Room for one more of everything, so that the way to its end cannot fail. */
static mr_status reserve_slot(struct mr_transfer *net, struct mr_err *err)
{
    const size_t n = net->n_slot + 1;
    if (net->n_spare > 0)
        return MR_OK;
    if (n >= MR_TRANSFER_HEAP_OUT)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "%zu transfers at once are too many", n);
    MR_TRY(mr_grow(&net->slot, &net->cap_slot, n, sizeof *net->slot, err));
    MR_TRY(mr_grow(&net->place, &net->cap_place, n, sizeof *net->place, err));
    MR_TRY(mr_grow(&net->spare, &net->cap_spare, n, sizeof *net->spare, err));
    MR_TRY(mr_transfer_heap_reserve(&net->timer, n, err));
    MR_TRY(mr_grow(&net->ended.slot, &net->cap_ended, n, sizeof *net->ended.slot, err));
    MR_TRY(mr_grow(&net->done, &net->cap_done, n, sizeof *net->done, err));
    net->slot[net->n_slot] = (struct slot){.generation = 0};
    net->place[net->n_slot] = MR_TRANSFER_HEAP_OUT;
    net->spare[net->n_spare++] = (uint32_t)net->n_slot++;
    return MR_OK;
}

static mr_status reserve_route(struct mr_transfer *net, uint32_t route, struct mr_err *err)
{
    while (net->n_carried <= route) {
        MR_TRY(mr_grow(&net->carried, &net->cap_carried, net->n_carried + 1, sizeof *net->carried,
                       err));
        net->carried[net->n_carried++] = 0;
    }
    return MR_OK;
}

/* What is out of order along a route, if anything. */
static bool find_trouble(const struct mr_transfer *net, uint32_t route, struct slot *slot)
{
    const struct mr_topology_route *r = &net->topology->route[route];
    if (net->n_down == 0)
        return false;
    slot->reason = MR_TRANSFER_HOST_FAILED;
    slot->where = net->is_host_down[r->from] ? r->from : r->to;
    if (net->is_host_down[slot->where])
        return true;
    slot->reason = MR_TRANSFER_LINK_FAILED;
    for (uint32_t i = r->first; i < r->first + r->n_link; i++) {
        slot->where = net->topology->hop[i];
        if (slot->where < net->topology->n_site_link && net->is_link_down[slot->where])
            return true;
    }
    return false;
}

static void set_timer(struct mr_transfer *net, uint32_t i, uint8_t state, double time_s)
{
    net->slot[i].state = state;
    mr_transfer_heap_push(&net->timer, net->place, time_s, i);
}

mr_status mr_transfer_start(struct mr_transfer *net, const struct mr_transfer_job *job,
                            double now_s, uint64_t *id, struct mr_err *err)
{
    uint32_t route;
    MR_ASSERT(now_s >= net->now_s && !isinf(now_s));
    MR_ASSERT(job->latency_class >= 0 && job->latency_class < MR_TRANSFER_CLASSES);
    if (!(job->bytes >= 0) || isinf(job->bytes))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "a transfer of %g bytes: expected 0 or more",
                          job->bytes);
    MR_TRY(mr_topology_route(net->topology, job->from, job->to, job->cap_bytes_s, &route, err));
    MR_TRY(reserve_slot(net, err));
    MR_TRY(reserve_route(net, route, err));
    const uint32_t i = net->spare[net->n_spare - 1];
    const struct mr_topology_route *r = &net->topology->route[route];
    const bool is_alone = net->mode == NULL || job->bytes == 0 ||
                          (r->n_link == 0 && !(net->mode->has_lines && job->out.number > 0));
    if (!is_alone)
        MR_TRY(net->mode->reserve(net->self, i, route, job, err));
    net->n_spare--;
    struct slot *slot = &net->slot[i];
    const double latency_s = net->class_latency_s[job->latency_class] + r->latency_s;
    *slot = (struct slot){.tag = job->tag,
                          .bytes = job->bytes,
                          .move_s = now_s + latency_s,
                          .route = route,
                          .generation = slot->generation};
    slot->end_s = slot->move_s + job->bytes / mr_topology_bandwidth_bytes_s(net->topology, route);
    if (find_trouble(net, route, slot))
        set_timer(net, i, DOOMED, now_s);
    else if (is_alone)
        set_timer(net, i, ALONE, slot->end_s);
    else
        set_timer(net, i, WAITS, slot->move_s);
    net->count.n_start++;
    net->count.n_flight++;
    if (id != NULL)
        *id = (uint64_t)slot->generation << 32 | i;
    return MR_OK;
}

/* ---- time ---- */

double mr_transfer_now_s(const struct mr_transfer *net)
{
    return net->now_s;
}

static double timer_s(const struct mr_transfer *net)
{
    return net->timer.n > 0 ? net->timer.item[0].key : (double)INFINITY;
}

double mr_transfer_next_s(struct mr_transfer *net)
{
    const double mode_s =
        net->mode != NULL ? net->mode->next_s(net->self, net->now_s) : (double)INFINITY;
    return fmin(timer_s(net), mode_s);
}

static void release(struct mr_transfer *net, uint32_t i)
{
    net->slot[i].state = FREE;
    net->slot[i].generation++;
    net->spare[net->n_spare++] = i;
    net->count.n_flight--;
}

static void tell(struct mr_transfer *net, uint32_t i, double bytes)
{
    const struct slot *slot = &net->slot[i];
    const bool is_doomed = slot->state == DOOMED;
    net->carried[slot->route] += bytes;
    net->count.n_done += !is_doomed;
    net->count.n_failed += is_doomed;
    if (!is_doomed)
        net->count.done_bytes += bytes;
    net->done[net->n_done++] =
        (struct mr_transfer_done){.time_s = net->now_s,
                                  .tag = slot->tag,
                                  .id = (uint64_t)slot->generation << 32 | i,
                                  .reason = is_doomed ? slot->reason : MR_TRANSFER_DONE,
                                  .where = is_doomed ? slot->where : MR_TOPOLOGY_NONE,
                                  .bytes = bytes};
    release(net, i);
}

static void ring(struct mr_transfer *net)
{
    const uint32_t i = net->timer.item[0].id;
    struct slot *slot = &net->slot[i];
    mr_transfer_heap_remove(&net->timer, net->place, i);
    if (slot->state == WAITS) {
        slot->state = MOVES;
        net->mode->admit(net->self, i, slot->route, slot->bytes, net->now_s);
        return;
    }
    tell(net, i, slot->state == DOOMED ? slot->carried : slot->bytes);
}

static int by_tag(const void *a, const void *b)
{
    const struct mr_transfer_done *x = a, *y = b;
    if (x->tag != y->tag)
        return x->tag < y->tag ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

double mr_transfer_advance(struct mr_transfer *net, double to_s, struct mr_transfer_ends *ends)
{
    MR_ASSERT(to_s >= net->now_s);
    net->n_done = 0;
    for (;;) {
        const double until_s = fmin(to_s, timer_s(net));
        net->ended.n = 0;
        const double reached_s =
            net->mode != NULL ? net->mode->play(net->self, until_s, &net->ended) : until_s;
        if (isinf(reached_s)) /* nothing is on its way */
            break;
        MR_ASSERT(reached_s >= net->now_s && reached_s <= until_s);
        net->now_s = reached_s;
        for (size_t i = 0; i < net->ended.n; i++)
            tell(net, net->ended.slot[i], net->slot[net->ended.slot[i]].bytes);
        while (timer_s(net) <= reached_s)
            ring(net);
        if (net->n_done > 0 || reached_s >= to_s)
            break;
    }
    if (net->n_done > 1)
        qsort(net->done, net->n_done, sizeof *net->done, by_tag);
    *ends = (struct mr_transfer_ends){net->done, net->n_done};
    return net->now_s;
}

/* ---- trouble ---- */

/* Bytes through by now. */
static double through(const struct mr_transfer *net, uint32_t i)
{
    const struct slot *slot = &net->slot[i];
    if (slot->state == MOVES)
        return net->mode->left_bytes != NULL
                   ? slot->bytes - net->mode->left_bytes(net->self, i, net->now_s)
                   : 0;
    if (slot->state != ALONE || net->now_s <= slot->move_s)
        return slot->state == DOOMED ? slot->carried : 0;
    return net->now_s >= slot->end_s
               ? slot->bytes
               : slot->bytes * (net->now_s - slot->move_s) / (slot->end_s - slot->move_s);
}

/* Out of timers and mode. @return bytes that went through */
static double take_out(struct mr_transfer *net, uint32_t i)
{
    const double bytes = through(net, i);
    if (net->slot[i].state != MOVES) {
        mr_transfer_heap_remove(&net->timer, net->place, i);
        return bytes;
    }
    return fmax(0, net->slot[i].bytes - net->mode->remove(net->self, i, net->now_s));
}

bool mr_transfer_cancel(struct mr_transfer *net, uint64_t id)
{
    const uint32_t i = (uint32_t)id;
    if (i >= net->n_slot || net->slot[i].state == FREE || net->slot[i].generation != id >> 32)
        return false;
    net->carried[net->slot[i].route] += take_out(net, i);
    net->count.n_canceled++;
    release(net, i);
    return true;
}

/* All that the new trouble hits is taken out and told at the next advance. */
static void fail_all(struct mr_transfer *net)
{
    for (uint32_t i = 0; i < net->n_slot; i++) {
        struct slot *slot = &net->slot[i];
        struct slot found = *slot;
        if (slot->state == FREE || slot->state == DOOMED || !find_trouble(net, slot->route, &found))
            continue;
        found.carried = take_out(net, i);
        *slot = found;
        set_timer(net, i, DOOMED, net->now_s);
    }
}

static mr_status fail(struct mr_transfer *net, bool *is_down, size_t n, uint32_t i,
                      const char *what, struct mr_err *err)
{
    if (i >= n)
        return mr_err_set(err, MR_REF, MR_NOWHERE, "%s %u of %zu", what, i, n);
    if (!is_down[i]) {
        is_down[i] = true;
        net->n_down++;
        fail_all(net);
    }
    return MR_OK;
}

mr_status mr_transfer_fail_link(struct mr_transfer *net, uint32_t link, struct mr_err *err)
{
    return fail(net, net->is_link_down, net->topology->n_site_link, link, "link", err);
}

mr_status mr_transfer_fail_host(struct mr_transfer *net, uint32_t host, struct mr_err *err)
{
    return fail(net, net->is_host_down, net->topology->n_host, host, "host", err);
}

static void repair(struct mr_transfer *net, bool *is_down)
{
    net->n_down -= *is_down;
    *is_down = false;
}

void mr_transfer_repair_link(struct mr_transfer *net, uint32_t link)
{
    MR_ASSERT(link < net->topology->n_site_link);
    repair(net, &net->is_link_down[link]);
}

void mr_transfer_repair_host(struct mr_transfer *net, uint32_t host)
{
    MR_ASSERT(host < net->topology->n_host);
    repair(net, &net->is_host_down[host]);
}

void mr_transfer_set_bandwidth(struct mr_transfer *net, uint32_t link, double bandwidth_bytes_s)
{
    mr_topology_set_bandwidth(net->topology, link, bandwidth_bytes_s);
    if (net->mode != NULL)
        net->mode->set_bandwidth(net->self, link, net->now_s);
}

/* ---- looking ---- */

struct mr_transfer_count mr_transfer_counted(const struct mr_transfer *net)
{
    return net->count;
}

static bool is_route_before(const struct mr_topology_route *a, const struct mr_topology_route *b)
{
    if (a->from != b->from)
        return a->from < b->from;
    return a->to != b->to ? a->to < b->to : a->cap_bytes_s < b->cap_bytes_s;
}

/* Heap sort: qsort takes no context. */
static void sort_routes(const struct mr_topology_route *route, uint32_t *order, size_t n)
{
    for (size_t start = n / 2, end = n; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            const uint32_t last = order[--end];
            order[end] = order[0];
            order[0] = last;
        }
        size_t i = start;
        const uint32_t moving = order[i];
        for (size_t child = 2 * i + 1; child < end; child = 2 * i + 1) {
            if (child + 1 < end && is_route_before(&route[order[child]], &route[order[child + 1]]))
                child++;
            if (!is_route_before(&route[moving], &route[order[child]]))
                break;
            order[i] = order[child];
            i = child;
        }
        order[i] = moving;
    }
}

static mr_status sort_order(struct mr_transfer *net, struct mr_err *err)
{
    if (net->n_order == net->n_carried)
        return MR_OK;
    MR_TRY(mr_grow(&net->order, &net->cap_order, net->n_carried, sizeof *net->order, err));
    net->n_order = net->n_carried;
    for (uint32_t i = 0; i < net->n_order; i++)
        net->order[i] = i;
    sort_routes(net->topology->route, net->order, net->n_order);
    return MR_OK;
}

static void add_to_links(const struct mr_topology *t, uint32_t route, double bytes, double *sum)
{
    const struct mr_topology_route *r = &t->route[route];
    for (uint32_t i = r->first; i < r->first + r->n_link; i++)
        if (t->hop[i] < t->n_site_link)
            sum[t->hop[i]] += bytes;
}

mr_status mr_transfer_link_bytes(struct mr_transfer *net, double *bytes, struct mr_err *err)
{
    const struct mr_topology *t = net->topology;
    MR_TRY(sort_order(net, err));
    memset(bytes, 0, t->n_site_link * sizeof *bytes);
    for (size_t i = 0; i < net->n_order; i++)
        add_to_links(t, net->order[i], net->carried[net->order[i]], bytes);
    for (uint32_t i = 0; i < net->n_slot; i++)
        if (net->slot[i].state != FREE)
            add_to_links(t, net->slot[i].route, through(net, i), bytes);
    return MR_OK;
}
