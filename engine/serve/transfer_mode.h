/* SPDX-License-Identifier: Apache-2.0 */
/* What a way of sharing links is to the transfers (transfer.h): a table of functions and a handle.
 * Transfers are slots, dense and reused. Latency is paid before a mode hears of a transfer, and
 * what needs no link never comes here, so that a mode knows bytes and bandwidth only. Time never
 * runs backwards; after MR_OK of `reserve` nothing can fail. */
#ifndef MR_ENGINE_SERVE_TRANSFER_MODE_H
#define MR_ENGINE_SERVE_TRANSFER_MODE_H

#include "engine/serve/topology.h"

struct mr_transfer;
struct mr_transfer_job;

/* Slots whose last byte came through at the time that `play` returns. */
struct mr_transfer_ended {
    uint32_t *slot; /* room for all */
    size_t n;
};

struct mr_transfer_mode {
    const char *name, *doc; /* doc: the law of sharing in one sentence */

    /* Room for one more transfer on this route, before it is admitted. */
    mr_status (*reserve)(void *self, uint32_t slot, uint32_t route,
                         const struct mr_transfer_job *job, struct mr_err *err);
    bool has_lines; /* of instances: it wants transfers over them inside one host too */

    /* Bytes begin to move. bytes > 0 */
    void (*admit)(void *self, uint32_t slot, uint32_t route, double bytes, double now_s);

    /* Stop one that moves. @return bytes that did not go through; all of them where a mode cannot
     * tell */
    double (*remove)(void *self, uint32_t slot, double now_s);

    /* Bytes still to go; NULL where a mode cannot tell. */
    double (*left_bytes)(const void *self, uint32_t slot, double now_s);

    /* Nothing ends before: exact where a mode can look ahead, else a bound from below. INFINITY:
     * nothing moves. */
    double (*next_s)(void *self, double now_s);

    /* Play up to `to_s` or the first instant at which something ends. @return the time reached */
    double (*play)(void *self, double to_s, struct mr_transfer_ended *ended);

    /* The topology's figure for a link has changed. */
    void (*set_bandwidth)(void *self, uint32_t link, double now_s);

    /* Call body(data) where the other functions may be called from; NULL: anywhere. */
    mr_status (*run)(void *self, void (*body)(void *data), void *data, struct mr_err *err);

    void (*destroy)(void *self);
};

/* How a mode comes to its transfers: @param[in] take_self freed by `mode->destroy`, in the end or
 * at once when this fails; NULL with mode NULL: everybody has the links to itself */
MR_CHECKED mr_status mr_transfer_create(struct mr_topology *topology, const double *class_latency_s,
                                        const struct mr_transfer_mode *mode, void *take_self,
                                        struct mr_transfer **out, struct mr_err *err);

#endif
