/* SPDX-License-Identifier: Apache-2.0 */
/* One actor drives; every slot of the transfers has an actor that sends, made when the slot is
 * first used and kept. A sender waits on a semaphore of its own, sends, writes its slot into the
 * list of ends and wakes the driver by another semaphore. What ended is in the list: the semaphore
 * may hold more or less than that (a sender that is killed may not have come to its release) and
 * only wakes.
 *
 * Lines of instances are shared beside SimGrid (lines.h): a transfer has come when its last byte
 * has both come over the links and passed the lines.
 *
 * Never used, as they are broken in SimGrid 3.32: wait_any and wait with a timeout, links that are
 * switched off under a transfer (they abort), rates of a transfer (ignored). */
#include "engine/net/flow.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/net/lines.h"
#include "engine/net/wiring_impl.h"
#include "engine/serve/transfer.h"
#include "engine/serve/transfer_mode.h"

#include <math.h>

enum {
    driver_stack_kib = 64 << 10 /* address space; pages come as they are used */
};

static const char stack_size[] = "contexts/stack-size";
static const double least_gap_s = 1e-9; /* SimGrid skips shorter ones */

struct flow;

struct sender {
    struct flow *flow;
    sg_actor_t actor;
    sg_sem_t go;
    uint32_t slot;
    bool is_busy, has_come, has_passed;
    sg_host_t from, to;
    double bytes;
    double floor_s; /* what the two ends can do for it alone, or its host, allows no earlier end */
    double bound_s; /* the links allow no earlier end */
};

struct flow {
    struct mr_wiring *wiring;
    struct sender **sender; /* by slot; senders do not move */
    size_t n_sender, cap_sender;
    uint32_t *come; /* slots */
    size_t n_come, cap_come, n_busy;
    struct mr_lines lines;
    double now_s; /* as far as anybody was told: SimGrid's clock may be a hair behind */
    sg_sem_t wake;
    bool is_over;
    void (*body)(void *data);
    void *data;
};

/* ---- senders ---- */

static void send(int argc, char **argv)
{
    struct sender *me = sg_actor_self_get_data();
    (void)argc;
    (void)argv;
    for (;;) {
        sg_sem_acquire(me->go);
        if (me->flow->is_over)
            return;
        if (me->from != me->to)
            sg_host_sendto(me->from, me->to, me->bytes);
        if (me->floor_s > simgrid_get_clock() + least_gap_s)
            sg_actor_sleep_until(me->floor_s);
        me->flow->come[me->flow->n_come++] = me->slot;
        sg_sem_release(me->flow->wake);
    }
}

static void start_sender(struct sender *sender)
{
    sender->actor = sg_actor_init("send", sg_host_self());
    sg_actor_set_data(sender->actor, sender);
    sg_actor_start_(sender->actor, send, 0, NULL);
}

static mr_status reserve(void *self, uint32_t slot, uint32_t route,
                         const struct mr_transfer_job *job, struct mr_err *err)
{
    struct flow *f = self;
    const size_t n = (size_t)slot + 1;
    const double efficiency = f->wiring->topology->efficiency;
    const uint32_t number[2] = {job->out.number, job->in.number};
    const double bytes_s[2] = {job->out.bytes_s * efficiency, job->in.bytes_s * efficiency};
    (void)route;
    MR_ASSERT(f->wiring->is_inside); /* in the body of mr_transfer_run */
    if (n > f->n_sender) {
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): of pointers */
        MR_TRY(mr_grow(&f->sender, &f->cap_sender, n, sizeof *f->sender, err));
        MR_TRY(mr_grow(&f->come, &f->cap_come, n, sizeof *f->come, err));
        while (f->n_sender < n)
            f->sender[f->n_sender++] = NULL;
    }
    MR_TRY(mr_lines_reserve(&f->lines, slot, number, bytes_s, err));
    if (f->sender[slot] != NULL)
        return MR_OK;
    struct sender *sender = mr_alloc_zero(1, sizeof *sender);
    if (sender == NULL)
        return mr_err_nomem(err, sizeof *sender);
    sender->flow = f;
    sender->slot = slot;
    sender->go = sg_sem_init(0);
    f->sender[slot] = sender;
    start_sender(sender);
    return MR_OK;
}

/* ---- the mode's functions ---- */

static void admit(void *self, uint32_t slot, uint32_t route, double bytes, double now_s)
{
    struct flow *f = self;
    const struct mr_topology *t = f->wiring->topology;
    const struct mr_topology_route *r = &t->route[route];
    struct sender *sender = f->sender[slot];
    if (now_s >
        simgrid_get_clock() + least_gap_s) { /* it stood still while nothing was in flight */
        MR_ASSERT(f->n_busy == 0);
        sg_actor_sleep_until(now_s);
    }
    sender->from = f->wiring->hosts.handle[r->from];
    sender->to = f->wiring->hosts.handle[r->to];
    sender->bytes = bytes;
    sender->bound_s = now_s + bytes / mr_topology_bandwidth_bytes_s(t, route);
    sender->floor_s = isinf(r->cap_bytes_s) ? 0 : now_s + bytes / (r->cap_bytes_s * t->efficiency);
    if (r->n_link == 0)
        sender->floor_s = sender->bound_s;
    sender->is_busy = true;
    sender->has_come = sender->has_passed = false;
    mr_lines_admit(&f->lines, slot, bytes, now_s);
    f->now_s = now_s;
    f->n_busy++;
    sg_sem_release(sender->go);
}

/* Its flow dies with the sender; another takes its place. */
static double remove_slot(void *self, uint32_t slot, double now_s)
{
    struct flow *f = self;
    struct sender *sender = f->sender[slot];
    MR_ASSERT(sender->is_busy);
    mr_lines_remove(&f->lines, slot, now_s);
    sg_actor_kill(sender->actor);
    for (size_t i = 0; i < f->n_come; i++)
        if (f->come[i] == slot)
            f->come[i--] = f->come[--f->n_come];
    if (!sg_sem_would_block(sender->go)) /* it had not come to take its order */
        sg_sem_acquire(sender->go);
    sender->is_busy = false;
    f->n_busy--;
    start_sender(sender);
    return sender->bytes;
}

static double next_s(void *self, double now_s)
{
    const struct flow *f = self;
    double least_s = (double)INFINITY;
    for (size_t i = 0; i < f->n_sender && f->n_busy > 0; i++)
        if (f->sender[i] != NULL && f->sender[i]->is_busy)
            least_s = fmin(least_s, f->sender[i]->bound_s);
    /* SimGrid may end one a hair before the bound */
    return f->n_come > 0 ? now_s : fmax(now_s, least_s - 2 * least_gap_s);
}

/* Until something is in the list or the time has come. */
static void wait_until(struct flow *f, double to_s)
{
    while (f->n_come == 0) {
        const double gap_s = to_s - simgrid_get_clock();
        if (gap_s <= least_gap_s) {
            sg_actor_yield(); /* who ends at this very time may not have had its turn */
            return;
        }
        if (isinf(gap_s))
            sg_sem_acquire(f->wake);
        else
            (void)sg_sem_acquire_timeout(f->wake, gap_s);
    }
}

static void end(struct flow *f, struct sender *sender, struct mr_transfer_ended *ended)
{
    if (!sender->has_come || !sender->has_passed)
        return;
    sender->is_busy = false;
    f->n_busy--;
    ended->slot[ended->n++] = sender->slot;
}

/* Who has come, and who has passed the lines by now. */
static void collect(struct flow *f, struct mr_transfer_ended *ended)
{
    uint32_t slot;
    for (size_t i = 0; i < f->n_come; i++) {
        f->sender[f->come[i]]->has_come = true;
        end(f, f->sender[f->come[i]], ended);
    }
    f->n_come = 0;
    while (mr_lines_take(&f->lines, f->now_s, &slot)) {
        f->sender[slot]->has_passed = true;
        end(f, f->sender[slot], ended);
    }
    while (!sg_sem_would_block(f->wake))
        sg_sem_acquire(f->wake);
}

static double play(void *self, double to_s, struct mr_transfer_ended *ended)
{
    struct flow *f = self;
    while (f->n_busy > 0 && ended->n == 0) {
        const double until_s = fmin(to_s, fmax(f->now_s, mr_lines_next_s(&f->lines)));
        wait_until(f, until_s);
        f->now_s = f->n_come > 0 ? fmin(until_s, fmax(f->now_s, simgrid_get_clock())) : until_s;
        collect(f, ended);
        if (ended->n == 0 && f->now_s >= to_s)
            break;
    }
    return ended->n > 0 ? f->now_s : to_s;
}

static void set_bandwidth(void *self, uint32_t link, double now_s)
{
    struct flow *f = self;
    (void)now_s;
    sg_link_set_bandwidth(f->wiring->links.handle[link],
                          f->wiring->topology->link[link].bandwidth_bytes_s);
}

/* ---- the run ---- */

static void drive(int argc, char **argv)
{
    struct flow *f = sg_actor_self_get_data();
    (void)argc;
    (void)argv;
    f->wake = sg_sem_init(0);
    f->wiring->is_inside = true;
    f->body(f->data);
    f->wiring->is_inside = false;
    f->is_over = true;
    for (size_t i = 0; i < f->n_sender; i++) {
        if (f->sender[i] == NULL)
            continue;
        if (f->sender[i]->is_busy)
            sg_actor_kill(f->sender[i]->actor);
        else
            sg_sem_release(f->sender[i]->go);
    }
}

static mr_status run(void *self, void (*body)(void *data), void *data, struct mr_err *err)
{
    struct flow *f = self;
    if (f->is_over || f->wiring->is_inside)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "flows were played already: once per process");
    f->body = body;
    f->data = data;
    /* not by the actor's own stack size: SimGrid 3.32 starts at the top of that many bytes but
     * allocates the common number */
    const int common_kib = sg_cfg_get_int(stack_size);
    sg_cfg_set_int(stack_size, driver_stack_kib);
    const sg_actor_t driver = sg_actor_init("drive", f->wiring->hosts.handle[0]);
    sg_actor_set_data(driver, f);
    sg_actor_start_(driver, drive, 0, NULL);
    sg_cfg_set_int(stack_size, common_kib);
    simgrid_run();
    return MR_OK;
}

static void destroy(void *self)
{
    struct flow *f = self;
    for (size_t i = 0; i < f->n_sender; i++) {
        if (f->sender[i] != NULL)
            sg_sem_destroy(f->sender[i]->go);
        mr_free(f->sender[i]);
    }
    if (f->wake != NULL)
        sg_sem_destroy(f->wake);
    mr_free(f->sender);
    mr_lines_fini(&f->lines);
    mr_free(f->come);
    mr_free(f);
}

static const struct mr_transfer_mode mode = {
    .name = "flow",
    .doc = "max-min over whole routes, by SimGrid, and over the lines of instances",
    .reserve = reserve,
    .has_lines = true,
    .admit = admit,
    .remove = remove_slot,
    .next_s = next_s,
    .play = play,
    .set_bandwidth = set_bandwidth,
    .run = run,
    .destroy = destroy,
};

mr_status mr_flow_create(struct mr_wiring *wiring, const double *class_latency_s,
                         struct mr_transfer **out, struct mr_err *err)
{
    *out = NULL;
    if (wiring->site->n_host == 0 || wiring->hosts.handle[0] == NULL)
        return mr_err_set(err, MR_REF, MR_NOWHERE, "flows need a host that SimGrid has");
    struct flow *f = mr_alloc_zero(1, sizeof *f);
    if (f == NULL)
        return mr_err_nomem(err, sizeof *f);
    f->wiring = wiring;
    for (size_t i = 0; i < wiring->links.n; i++) {
        sg_link_set_latency(wiring->links.handle[i], 0);
        sg_link_set_bandwidth(wiring->links.handle[i], wiring->topology->link[i].bandwidth_bytes_s);
    }
    return mr_transfer_create(wiring->topology, class_latency_s, &mode, f, out, err);
}
