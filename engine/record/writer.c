/* SPDX-License-Identifier: Apache-2.0 */
/* The ring counts bytes since the start in two 64-bit positions that never wrap: `head` is the
 * producer's, `tail` the writer's, and a position's place in memory is its remainder by the size.
 * Each record is a header of 8 bytes with its length, then its bytes, rounded up to 8; one that
 * would not fit before the end of memory leaves a mark there and starts at the beginning; so does
 * one that finds the ring empty, which is why most of a large ring is never touched.
 * Handing over is one store: the mutex is taken only to sleep and to wake. The writer looks at the
 * ring at least every `poll_ns`, so the producer wakes it only when the ring is half full. */
#include "engine/record/writer.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/wall.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum {
    header_bytes = 8,
    line_bytes = 64,
    ring_min_bytes = 1 << 12,
    n_record_min = 4 /* records of the largest size that fit at once */
};

static const uint64_t poll_ns = 20000000;
static const uint64_t skip_mark = UINT64_MAX;

struct mr_writer {
    struct mr_writer_client client;
    unsigned char *bytes;
    uint64_t cap; /* a power of two */
    uint64_t flush_ns;
    /* the producer's */
    uint64_t reserved_to, tail_seen;
    size_t record_max, n_wait;
    char pad_0[line_bytes];
    _Atomic uint64_t head;
    char pad_1[line_bytes];
    _Atomic uint64_t tail;
    char pad_2[line_bytes];
    atomic_bool is_asleep;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work, space;
    bool is_stopping, is_producer_waiting, is_called;
    void (*call)(void *arg);
    void *call_arg;
    pthread_t thread;
};

/* What a lock or a condition returns is an error of ours alone. */
static void must(int rc)
{
    MR_ASSERT(rc == 0);
}

static void lock(struct mr_writer *w)
{
    must(pthread_mutex_lock(&w->mutex));
}

static void unlock(struct mr_writer *w)
{
    must(pthread_mutex_unlock(&w->mutex));
}

static uint64_t round_up_8(uint64_t n)
{
    return (n + 7) & ~(uint64_t)7;
}

/* ---- the writing thread ---- */

static void free_up_to(struct mr_writer *w, uint64_t tail)
{
    atomic_store_explicit(&w->tail, tail, memory_order_release);
    lock(w);
    if (w->is_producer_waiting)
        must(pthread_cond_signal(&w->space));
    unlock(w);
}

static void flush_when_due(struct mr_writer *w, uint64_t *due_ns)
{
    const uint64_t now_ns = mr_wall_ns();
    if (now_ns < *due_ns)
        return;
    w->client.flush(w->client.context);
    *due_ns =
        mr_wall_ns() + w->flush_ns; /* counted from its end: a slow disk is not flushed twice */
}

/* Write all that is committed. Room is given back in eighths of the ring. */
static void drain(struct mr_writer *w, uint64_t *due_ns)
{
    uint64_t tail = atomic_load_explicit(&w->tail, memory_order_relaxed), freed = tail;
    uint64_t head;
    while ((head = atomic_load_explicit(&w->head, memory_order_acquire)) != tail) {
        while (tail != head) {
            const uint64_t at = tail & (w->cap - 1);
            uint64_t n;
            memcpy(&n, w->bytes + at, sizeof n);
            if (n == skip_mark) {
                tail += w->cap - at;
                continue;
            }
            w->client.record(w->client.context, w->bytes + at + header_bytes, n);
            tail += header_bytes + round_up_8(n);
            if (tail - freed >= w->cap / 8) {
                free_up_to(w, tail);
                freed = tail;
                flush_when_due(w, due_ns);
            }
        }
        free_up_to(w, tail);
        freed = tail;
        flush_when_due(w, due_ns);
    }
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

/* Called locked, with nothing to do: sleep until woken, polled or due. */
static void sleep_a_while(struct mr_writer *w, uint64_t due_ns)
{
    const uint64_t poll = mr_wall_ns() + poll_ns;
    const struct timespec until = timespec_of(poll < due_ns ? poll : due_ns);
    atomic_store(&w->is_asleep, true);
    (void)pthread_cond_timedwait(&w->work, &w->mutex, &until);
    atomic_store(&w->is_asleep, false);
}

static void *write_on(void *arg)
{
    struct mr_writer *w = arg;
    uint64_t due_ns = mr_wall_ns() + w->flush_ns;
    for (bool is_done = false; !is_done;) {
        drain(w, &due_ns);
        flush_when_due(w, &due_ns);
        lock(w);
        const bool is_empty = atomic_load_explicit(&w->head, memory_order_acquire) ==
                              atomic_load_explicit(&w->tail, memory_order_relaxed);
        if (is_empty && w->is_called) {
            unlock(w);
            w->call(w->call_arg); /* the producer waits: nothing moves meanwhile */
            lock(w);
            w->is_called = false;
            must(pthread_cond_signal(&w->space));
        } else if (is_empty && w->is_stopping) {
            is_done = true;
        } else if (is_empty) {
            sleep_a_while(w, due_ns);
        }
        unlock(w);
    }
    return NULL;
}

/* ---- the producer ---- */

/* The signals of a run are the main thread's; a file size limit becomes an error of write(2). */
static int start_thread(struct mr_writer *w)
{
    sigset_t all, before;
    sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &before));
    const int rc = pthread_create(&w->thread, NULL, write_on, w);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL));
    return rc;
}

static uint64_t power_of_two(uint64_t n)
{
    uint64_t cap = ring_min_bytes;
    while (cap < n)
        cap *= 2;
    return cap;
}

mr_status mr_writer_create(const struct mr_writer_client *client, size_t ring_bytes, double flush_s,
                           struct mr_writer **out, struct mr_err *err)
{
    static const double long_s = 1e9;
    MR_ASSERT(flush_s >= 0 && ring_bytes < SIZE_MAX / 4);
    struct mr_writer *w = mr_alloc_zero(1, sizeof *w);
    *out = NULL;
    if (w == NULL)
        return mr_err_nomem(err, sizeof *w);
    w->client = *client;
    w->flush_ns = (uint64_t)((flush_s < long_s ? flush_s : long_s) * 1e9);
    w->cap = power_of_two(ring_bytes);
    w->record_max = w->cap / n_record_min - header_bytes;
    w->bytes = mr_alloc(w->cap, 1);
    if (w->bytes == NULL) {
        mr_free(w);
        return mr_err_nomem(err, ring_bytes);
    }
    pthread_condattr_t monotonic;
    must(pthread_condattr_init(&monotonic));
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC));
    must(pthread_cond_init(&w->work, &monotonic));
    must(pthread_cond_init(&w->space, &monotonic));
    must(pthread_condattr_destroy(&monotonic));
    must(pthread_mutex_init(&w->mutex, NULL));
    const int rc = start_thread(w);
    if (rc != 0) {
        must(pthread_mutex_destroy(&w->mutex));
        must(pthread_cond_destroy(&w->space));
        must(pthread_cond_destroy(&w->work));
        mr_free(w->bytes);
        mr_free(w);
        return mr_err_set(err, MR_IO, MR_NOWHERE, "the writing thread cannot be started: %s",
                          strerror(rc));
    }
    *out = w;
    return MR_OK;
}

static void do_nothing(void *arg)
{
    (void)arg;
}

mr_status mr_writer_widen(struct mr_writer *w, size_t record_bytes, struct mr_err *err)
{
    if (record_bytes <= w->record_max)
        return MR_OK;
    if (record_bytes > SIZE_MAX / 16)
        return mr_err_nomem(err, record_bytes);
    const uint64_t cap = power_of_two(n_record_min * (round_up_8(record_bytes) + header_bytes));
    unsigned char *bytes = mr_alloc(cap, 1);
    if (bytes == NULL)
        return mr_err_nomem(err, cap);
    /* Empty now, and the writer touches the memory only after it sees a new head. */
    mr_writer_call(w, do_nothing, NULL);
    mr_free(w->bytes);
    w->bytes = bytes;
    w->cap = cap;
    w->record_max = cap / n_record_min - header_bytes;
    return MR_OK;
}

size_t mr_writer_most(const struct mr_writer *w)
{
    return w->record_max;
}

static void wait_for_space(struct mr_writer *w, uint64_t to)
{
    lock(w);
    w->n_wait++;
    w->is_producer_waiting = true;
    while (to - (w->tail_seen = atomic_load_explicit(&w->tail, memory_order_acquire)) > w->cap) {
        must(pthread_cond_signal(&w->work));
        must(pthread_cond_wait(&w->space, &w->mutex));
    }
    w->is_producer_waiting = false;
    unlock(w);
}

void *mr_writer_reserve(struct mr_writer *w, size_t n)
{
    MR_ASSERT(n <= w->record_max);
    const uint64_t head = atomic_load_explicit(&w->head, memory_order_relaxed);
    const uint64_t at = head & (w->cap - 1), need = header_bytes + round_up_8(n);
    const bool is_empty = atomic_load_explicit(&w->tail, memory_order_acquire) == head;
    const uint64_t skip = at + need > w->cap || (is_empty && at >= need) ? w->cap - at : 0;
    const uint64_t to = head + skip + need;
    if (to - w->tail_seen > w->cap) {
        w->tail_seen = atomic_load_explicit(&w->tail, memory_order_acquire);
        if (to - w->tail_seen > w->cap)
            wait_for_space(w, to);
    }
    if (skip > 0)
        memcpy(w->bytes + at, &skip_mark, sizeof skip_mark);
    unsigned char *record = w->bytes + ((head + skip) & (w->cap - 1));
    const uint64_t length = n;
    memcpy(record, &length, sizeof length);
    w->reserved_to = to;
    return record + header_bytes;
}

void mr_writer_commit(struct mr_writer *w)
{
    atomic_store_explicit(&w->head, w->reserved_to, memory_order_release);
    if (w->reserved_to - w->tail_seen <= w->cap / 2)
        return;
    w->tail_seen = atomic_load_explicit(&w->tail, memory_order_acquire);
    if (w->reserved_to - w->tail_seen > w->cap / 2 && atomic_load(&w->is_asleep)) {
        lock(w);
        must(pthread_cond_signal(&w->work));
        unlock(w);
    }
}

void mr_writer_call(struct mr_writer *w, void (*fn)(void *arg), void *arg)
{
    lock(w);
    w->call = fn;
    w->call_arg = arg;
    w->is_called = true;
    must(pthread_cond_signal(&w->work));
    while (w->is_called)
        must(pthread_cond_wait(&w->space, &w->mutex));
    unlock(w);
}

size_t mr_writer_waits(const struct mr_writer *w)
{
    return w->n_wait;
}

void mr_writer_destroy(struct mr_writer *w)
{
    if (w == NULL)
        return;
    lock(w);
    w->is_stopping = true;
    must(pthread_cond_signal(&w->work));
    unlock(w);
    must(pthread_join(w->thread, NULL));
    must(pthread_mutex_destroy(&w->mutex));
    must(pthread_cond_destroy(&w->space));
    must(pthread_cond_destroy(&w->work));
    mr_free(w->bytes);
    mr_free(w);
}
