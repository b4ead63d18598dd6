/* SPDX-License-Identifier: Apache-2.0 */
/* engine/record/writer: order, bounds, wrap-around, calls between records, failing allocator. */
#include "engine/record/writer.h"

#include "engine/base/rng.h"
#include "tests/test.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

/* What the writing thread saw. Each record is its number, then bytes made of it. */
struct seen {
    uint64_t n_record, n_bad, n_flush, sum;
    bool is_slow, is_signal_blocked;
};

static size_t length_of(uint64_t i)
{
    return 8 + (size_t)(mr_rng_u64_at(1, MR_RNG_TEST, 5, i) % 500);
}

static void on_record(void *context, const void *bytes, size_t n)
{
    struct seen *seen = context;
    const unsigned char *p = bytes;
    uint64_t i;
    memcpy(&i, p, sizeof i);
    seen->n_bad += (uintptr_t)bytes % 8 != 0 || i != seen->n_record || n != length_of(i);
    for (size_t k = 8; k < n; k++)
        seen->n_bad += p[k] != (unsigned char)(i + k);
    seen->n_record++;
    seen->sum += n;
    if (seen->is_slow && i % 64 == 0)
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
}

static void on_flush(void *context)
{
    struct seen *seen = context;
    seen->n_flush++;
}

static void give(struct mr_writer *writer, uint64_t i)
{
    const size_t n = length_of(i);
    unsigned char *p = mr_writer_reserve(writer, n);
    memcpy(p, &i, sizeof i);
    for (size_t k = 8; k < n; k++)
        p[k] = (unsigned char)(i + k);
    mr_writer_commit(writer);
}

static void start(struct seen *seen, size_t ring_bytes, double flush_s, struct mr_writer **writer)
{
    const struct mr_writer_client client = {on_record, on_flush, seen};
    assert_int_equal(mr_writer_create(&client, ring_bytes, flush_s, writer, NULL), MR_OK);
}

MR_TEST(every_record_once_and_in_order)
{
    struct seen seen = {0};
    struct mr_writer *writer;
    uint64_t sum = 0;
    start(&seen, 1 << 20, 1e9, &writer);
    for (uint64_t i = 0; i < 200000; i++) {
        give(writer, i);
        sum += length_of(i);
    }
    mr_writer_destroy(writer);
    assert_int_equal(seen.n_record, 200000);
    assert_int_equal(seen.n_bad, 0);
    assert_int_equal(seen.sum, sum);
    assert_int_equal(seen.n_flush, 0);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(a_slow_writer_holds_the_producer_back)
{
    struct seen seen = {.is_slow = true};
    struct mr_writer *writer;
    start(&seen, 1, 0, &writer);
    for (uint64_t i = 0; i < 20000; i++)
        give(writer, i);
    assert_true(mr_writer_waits(writer) > 0); /* 5 MB went through 4 KiB */
    mr_writer_destroy(writer);
    assert_int_equal(seen.n_record, 20000);
    assert_int_equal(seen.n_bad, 0);
    assert_true(seen.n_flush > 0);
}

static void look(void *arg)
{
    struct seen *seen = arg;
    sigset_t blocked;
    seen->n_bad += seen->n_record != seen->sum; /* `sum` holds what was committed */
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    seen->is_signal_blocked = sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGXFSZ);
}

static void count(void *context, const void *bytes, size_t n)
{
    struct seen *seen = context;
    (void)bytes;
    (void)n;
    seen->n_record++;
}

MR_TEST(calls_come_after_what_was_committed)
{
    struct seen seen = {0};
    const struct mr_writer_client client = {count, on_flush, &seen};
    struct mr_writer *writer;
    assert_int_equal(mr_writer_create(&client, 1 << 14, 0.001, &writer, NULL), MR_OK);
    for (uint64_t i = 0; i < 300; i++) {
        for (uint64_t k = 0; k < i % 7; k++) {
            memset(mr_writer_reserve(writer, 100), 1, 100);
            mr_writer_commit(writer);
            seen.sum++; /* only `look` reads it */
        }
        mr_writer_call(writer, look, &seen);
    }
    mr_writer_destroy(writer);
    assert_int_equal(seen.n_bad, 0);
    assert_true(seen.is_signal_blocked);
}

MR_TEST(the_ring_widens_between_records)
{
    struct seen seen = {0};
    struct mr_writer *writer;
    start(&seen, 1, 1e9, &writer);
    for (uint64_t i = 0; i < 1000; i++)
        give(writer, i);
    for (size_t bytes = 1 << 10; bytes <= 1 << 22; bytes *= 4)
        assert_int_equal(mr_writer_widen(writer, bytes, NULL), MR_OK);
    for (uint64_t i = 1000; i < 50000; i++)
        give(writer, i);
    mr_writer_destroy(writer);
    assert_int_equal(seen.n_record, 50000);
    assert_int_equal(seen.n_bad, 0);
}

static mr_status create_and_widen(void *context, struct mr_err *err)
{
    const struct mr_writer_client client = {on_record, on_flush, context};
    struct mr_writer *writer;
    MR_TRY(mr_writer_create(&client, 1, 1, &writer, err));
    const mr_status st = mr_writer_widen(writer, 1 << 20, err);
    mr_writer_destroy(writer);
    return st;
}

MR_TEST(every_failing_allocation)
{
    struct seen seen = {0};
    struct mr_err err = {0};
    struct mr_writer *writer;
    mr_test_every_nomem(create_and_widen, &seen);
    start(&seen, 1, 1, &writer);
    assert_int_equal(mr_writer_widen(writer, SIZE_MAX / 2, &err), MR_NOMEM);
    mr_writer_destroy(writer);
}

MR_TEST_MAIN(MR_TEST_ENTRY(every_record_once_and_in_order),
             MR_TEST_ENTRY(a_slow_writer_holds_the_producer_back),
             MR_TEST_ENTRY(calls_come_after_what_was_committed),
             MR_TEST_ENTRY(the_ring_widens_between_records),
             MR_TEST_ENTRY(every_failing_allocation))
