/* SPDX-License-Identifier: Apache-2.0 */
/* Prefill and decode apart: a cell's instances decode, instances of a second pool read prompts.
 *
 *   router -> prefill instance: queue, chunks, batches of prompts; first token at the prompt's end
 *          -> its keys and values are sent; the blocks it was read into are held until they are
 * there
 *          -> decode instance: queue, then all other tokens
 *
 * Both instances are chosen when the call comes. The decode instance reads the prompt itself
 * (conditional disaggregation) when it has cached all of it but `local_tok` tokens, when the
 * prefill instance has no slot, or when the prompt is more than that one could hold.
 *
 * Sent are the prompt's tokens without those that the decode instance has cached when the prompt
 * ends, and what a sequence has once (windows, states). Either all of it after the last chunk
 * (push),
 *
 *   visible = latency + bytes / bandwidth
 *
 * or layer by layer while the prompt is read (stream): a share `overlap` of that time T carries
 * bytes too, but the last layer cannot be sent before it is computed:
 *
 *   visible = max(latency + last layer, bytes / bandwidth - overlap x T)
 *
 * Instances are hosts of a network without bottlenecks inside: each has the bandwidth of its own
 * links, which its transfers share (mode shared) or not (ideal); or they stand on the hosts of a
 * network that is given, whose links all share. Ignored: what is evicted from the
 * decode instance's cache between the prompt's end and the call's first step there; the contention
 * of bytes that are streamed before the prompt's end. */
#ifndef MR_ENGINE_SERVE_SPLIT_H
#define MR_ENGINE_SERVE_SPLIT_H

#include "engine/serve/cell.h"
#include "engine/serve/transfer.h"

/* name, name in files, meaning */
#define MR_SPLIT_WAY_LIST(X)                    \
    X(PUSH, "push", "all after the last chunk") \
    X(STREAM, "stream", "layer by layer while it is read")

enum mr_split_way {
#define MR_SPLIT_WAY_ENUM(name, text, doc) MR_SPLIT_##name,
    MR_SPLIT_WAY_LIST(MR_SPLIT_WAY_ENUM)
#undef MR_SPLIT_WAY_ENUM
};

struct mr_split_plan {
    const struct mr_serving *serving; /* of the prefill instances */
    uint32_t n_instance;
    int router;    /* enum mr_router_policy */
    double call_s; /* what a call counts for (router_kv.h) */
    uint64_t seed;
    uint64_t local_tok; /* tokens not cached up to which a prompt is read where it is decoded */
    uint64_t n_slot;    /* calls of a prefill instance, running and waiting; at least 1 */
    /* what is sent */
    double token_bytes, sequence_bytes;
    uint32_t n_layer;
    int way; /* enum mr_split_way */
    double overlap_frac;
    /* over what */
    bool is_shared;
    struct mr_transfer *net; /* lent; NULL: links of their own, as above */
    const uint32_t *host;    /* with net: of every seat (cell_outage.h), known by the first call */
    double send_bytes_s, receive_bytes_s; /* line rates of an instance's links */
    double latency_s, efficiency;
};

struct mr_split_counts {
    uint64_t n_local;    /* prompts read by the instances that decode */
    uint64_t n_transfer; /* that have ended */
    double sent_bytes;   /* of them; those streamed early included */
    double early_bytes;  /* streamed before the prompts' ends */
    uint64_t n_lost;     /* on their way when an end went down */
    double visible_s;    /* sum over transfers: from the prompt's end to the last byte */
};

/* A transfer on its way, by its slot in the network. */
struct mr_split_flight {
    uint32_t call;
    bool is_on;
    uint64_t id; /* of the transfer */
    double start_s, bytes, early_bytes;
};

struct mr_split {
    struct mr_split_plan plan;
    struct mr_instance *instance; /* that read prompts */
    struct mr_tree due;
    struct mr_router router;
    struct mr_router_kv *kv;         /* NULL: the router does not look at instances */
    struct mr_onboard_pool *onboard; /* of the readers; NULL: none */
    struct mr_topology *topology;
    struct mr_transfer *net; /* hosts: the instances that decode, then those that read */
    struct mr_split_flight *flight;
    size_t flight_cap;
    uint32_t *last; /* by session: the instance that read its last prompt, plus 1; 0: none */
    size_t last_cap;
    struct mr_split_counts counts;
    mr_status st; /* of a prompt's end: sinks return nothing */
    struct mr_err err;
};

/** Can it be? @param[in] decode how the cell's instances serve @return MR_OK or MR_RANGE */
MR_CHECKED mr_status mr_split_check(const struct mr_split_plan *plan,
                                    const struct mr_serving *decode, struct mr_err *err);

/** @param[in] cell whose instances decode */
MR_CHECKED mr_status mr_split_create(struct mr_cell *cell, const struct mr_split_plan *plan,
                                     struct mr_split **out, struct mr_err *err);
void mr_split_destroy(struct mr_split *split);

/* ---- for the cell ---- */

/** Who reads the prompt? @param[in,out] ticket its `prefill` is set, if anywhere; its instance
 * decodes
 *  @param[in] call with its prompt and space; need not be one of the cell's */
MR_CHECKED mr_status mr_split_choose(struct mr_cell *cell, struct mr_ticket *ticket,
                                     const struct mr_call *call, double now_s, struct mr_err *err);

/** The end of a prefill instance's segment may have moved, and what the router knows of it. */
void mr_split_plan_event(struct mr_split *split, uint32_t i);

/** A call has come to a prefill instance, or left it. */
void mr_split_count(struct mr_split *split, uint32_t i, int more);

/** A call comes to the prefill instance of its ticket. */
MR_CHECKED mr_status mr_split_arrive(struct mr_cell *cell, uint32_t call, double now_s,
                                     struct mr_err *err);

/** The next event of the prefill pool or of the network; INFINITY when nothing runs. */
double mr_split_due_s(const struct mr_split *split);

/** Bring the network up to now, to which the cell has been played: what has arrived is delivered.
 */
MR_CHECKED mr_status mr_split_settle(struct mr_cell *cell, double now_s, struct mr_err *err);

/** Play the events of both pools and of the network that are before a time. */
MR_CHECKED mr_status mr_split_play(struct mr_cell *cell, double before_s, struct mr_err *err);

#endif
