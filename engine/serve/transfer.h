/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on their way between hosts: KV caches from prefill to decode, offload and reload, weights.
 * One interface, three ways of sharing links:
 *
 *   ideal   end = start + latency + bytes / (smallest bandwidth of the route); nobody shares
 *   shared  every transfer gets the smallest fair share among its links (transfer_shared.c)
 *   flow    max-min over whole routes, by SimGrid (engine/net/flow.h)
 *
 * In all of them a transfer first waits for its latency (class + route), then its bytes move.
 * The owner of time drives it:
 *
 *     if (mr_transfer_next_s(net) <= next_s)             // of my own events
 *         now_s = mr_transfer_advance(net, next_s, &done) // stops early when something ends
 *
 * `done` holds all that ended at that instant, by tag. Ends come in the order of (time, tag)
 * whatever the order of starts. Asking changes nothing: results have the same bits however often
 * next_s, link_bytes or an advance without ends are called. One thread. */
#ifndef MR_ENGINE_SERVE_TRANSFER_H
#define MR_ENGINE_SERVE_TRANSFER_H

#include "engine/serve/topology.h"

struct mr_transfer;

/* name, text, latency before the first byte beside the route's [s], meaning; all assumptions */
#define MR_TRANSFER_CLASS_LIST(X)                                     \
    X(WIRE, "wire", 0.0, "memory to memory: the route alone")         \
    X(HOST, "host", 2e-6, "from or to host memory")                   \
    X(NVME, "nvme", 100e-6, "from or to a drive in the node")         \
    X(CONTEXT, "context", 100e-6, "from or to a context memory rack") \
    X(REMOTE, "remote", 3e-3, "from or to shared storage")

enum mr_transfer_class {
#define MR_TRANSFER_CLASS_ENUM(name, text, latency_s, doc) MR_TRANSFER_##name,
    MR_TRANSFER_CLASS_LIST(MR_TRANSFER_CLASS_ENUM)
#undef MR_TRANSFER_CLASS_ENUM
    MR_TRANSFER_CLASSES
};

#define MR_TRANSFER_REASON_LIST(X)  \
    X(DONE, "done")                 \
    X(LINK_FAILED, "a link failed") \
    X(HOST_FAILED, "a host failed")

enum mr_transfer_reason {
#define MR_TRANSFER_REASON_ENUM(name, text) MR_TRANSFER_##name,
    MR_TRANSFER_REASON_LIST(MR_TRANSFER_REASON_ENUM)
#undef MR_TRANSFER_REASON_ENUM
};

/* Out of an instance, or into it: all its transfers share it, wherever its host is. */
struct mr_transfer_line {
    uint32_t number; /* of the instance, from 1; 0: no such line */
    double bytes_s;  /* before efficiency */
};

struct mr_transfer_job {
    uint32_t from, to;  /* hosts of the topology */
    double bytes;       /* 0 or more: 0 takes the latency only */
    double cap_bytes_s; /* what the two ends can do, before efficiency; INFINITY: no limit */
    struct mr_transfer_line out, in; /* for `flow`; others know what cap_bytes_s says */
    int latency_class;               /* enum mr_transfer_class */
    uint64_t tag;                    /* yours; orders ends of one instant */
};

struct mr_transfer_done {
    double time_s;
    uint64_t tag, id;
    int reason;     /* enum mr_transfer_reason */
    uint32_t where; /* the link or host that failed, else MR_TOPOLOGY_NONE */
    double bytes;   /* that went through; 0 for a failed one where the mode cannot tell */
};

struct mr_transfer_ends {
    const struct mr_transfer_done *item; /* lent until the next call */
    size_t n;
};

struct mr_transfer_count {
    uint64_t n_start, n_done, n_failed, n_canceled;
    uint64_t n_flight; /* not ended yet */
    double done_bytes;
};

/* ---- making ---- */

/** Without sharing. @param[in] topology lent @param[in] class_latency_s MR_TRANSFER_CLASSES of
 * them, or NULL for the list above */
MR_CHECKED mr_status mr_transfer_ideal(struct mr_topology *topology, const double *class_latency_s,
                                       struct mr_transfer **out, struct mr_err *err);

/** With the smallest fair share. @param[in] topology lent */
MR_CHECKED mr_status mr_transfer_shared(struct mr_topology *topology, const double *class_latency_s,
                                        struct mr_transfer **out, struct mr_err *err);

void mr_transfer_destroy(struct mr_transfer *net);

/** "ideal", "shared", "flow" */
const char *mr_transfer_name(const struct mr_transfer *net);
const char *mr_transfer_reason_text(int reason);

/** Call body(data), inside which everything below happens: SimGrid wants an actor of its own around
 *  whoever owns time; the other modes just call. Returns when body does. Once per `flow`. */
MR_CHECKED mr_status mr_transfer_run(struct mr_transfer *net, void (*body)(void *data), void *data,
                                     struct mr_err *err);

/* ---- time ---- */

/** Where the transfers stand: the largest time that was given so far. */
double mr_transfer_now_s(const struct mr_transfer *net);

/** Start one. Its end comes out of mr_transfer_advance, at once when its way is out of order.
 *  @param[in] now_s not before mr_transfer_now_s @param[out] id for mr_transfer_cancel, or NULL
 *  @return MR_OK, or with nothing started MR_REF (no route), MR_RANGE, MR_NOMEM */
MR_CHECKED mr_status mr_transfer_start(struct mr_transfer *net, const struct mr_transfer_job *job,
                                       double now_s, uint64_t *id, struct mr_err *err);

/** Nothing happens inside before this time; INFINITY when nothing is on its way. Something need not
 *  end then: latencies run out too, and `flow` knows a bound only. */
double mr_transfer_next_s(struct mr_transfer *net);

/** Go on to `to_s`, or to the first instant at which something ends if that is earlier.
 *  @param[in] to_s INFINITY: to the first end @param[out] ends of that instant, by tag
 *  @return the time reached; without any transfer and to_s = INFINITY the old one */
double mr_transfer_advance(struct mr_transfer *net, double to_s, struct mr_transfer_ends *ends);

/* ---- trouble, at mr_transfer_now_s ---- */

/** Take one back; it will not come out of mr_transfer_advance. @return false: it has ended */
bool mr_transfer_cancel(struct mr_transfer *net, uint64_t id);

/** What is on the link, or comes from or goes to the host, fails now, and so does what is started
 *  over it until it is repaired. Links are those of the site. */
MR_CHECKED mr_status mr_transfer_fail_link(struct mr_transfer *net, uint32_t link,
                                           struct mr_err *err);
MR_CHECKED mr_status mr_transfer_fail_host(struct mr_transfer *net, uint32_t host,
                                           struct mr_err *err);
void mr_transfer_repair_link(struct mr_transfer *net, uint32_t link);
void mr_transfer_repair_host(struct mr_transfer *net, uint32_t host);

/** A link's line rate from now on: a share of a link that others use too. What nobody shares (mode
 *  `ideal`) keeps the rate it started with. */
void mr_transfer_set_bandwidth(struct mr_transfer *net, uint32_t link, double bandwidth_bytes_s);

/* ---- looking ---- */

struct mr_transfer_count mr_transfer_counted(const struct mr_transfer *net);

/** Bytes that each link of the site has carried since the beginning, at mr_transfer_now_s. Where a
 *  mode cannot tell how far a transfer is, its bytes count when it ends.
 *  @param[out] bytes topology->n_site_link of them */
MR_CHECKED mr_status mr_transfer_link_bytes(struct mr_transfer *net, double *bytes,
                                            struct mr_err *err);

#endif
