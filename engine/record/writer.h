/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that writes while the simulation runs on: one ring of bytes between exactly one
 * producing thread and the writing thread. Records arrive in the order they were committed, so what
 * is written does not depend on how fast either side is; when the ring is full the producer waits.
 * Knows nothing of files. All functions here are the producer's. */
#ifndef MR_ENGINE_RECORD_WRITER_H
#define MR_ENGINE_RECORD_WRITER_H

#include "engine/base/status.h"

struct mr_writer;

/* Called in the writing thread only. */
struct mr_writer_client {
    void (*record)(void *context, const void *bytes, size_t n); /* aligned to 8, lent */
    void (*flush)(void *context);                               /* a flush period is over */
    void *context;
};

/** Start the thread. It takes no signals.
 *  @param[in] client copied @param[in] ring_bytes bound of what is under way
 *  @param[in] flush_s wall time between two calls of client->flush; 0: after every burst
 *  @param[out] out owned by the caller: mr_writer_destroy */
MR_CHECKED mr_status mr_writer_create(const struct mr_writer_client *client, size_t ring_bytes,
                                      double flush_s, struct mr_writer **out, struct mr_err *err);

/** Let the ring hold at least four records of this size; it only ever grows. Waits until the ring
 *  is empty. */
MR_CHECKED mr_status mr_writer_widen(struct mr_writer *writer, size_t record_bytes,
                                     struct mr_err *err);

/** The largest record there is room for. */
size_t mr_writer_most(const struct mr_writer *writer);

/** Room for one record, aligned to 8; waits while the ring is full. At most mr_writer_most. */
void *mr_writer_reserve(struct mr_writer *writer, size_t n);

/** Hand the reserved record over. */
void mr_writer_commit(struct mr_writer *writer);

/** Run `fn` in the writing thread after every record committed so far, and wait for its end. */
void mr_writer_call(struct mr_writer *writer, void (*fn)(void *arg), void *arg);

/** How often the producer had to wait for room: for provenance. */
size_t mr_writer_waits(const struct mr_writer *writer);

/** Write what is in the ring, then stop. NULL is fine. */
void mr_writer_destroy(struct mr_writer *writer);

#endif
