/* SPDX-License-Identifier: Apache-2.0 */
/* A routing cell: instances that share a router, and the calls in flight. The cell plays its own
 * events up to a time; who drives it brings the calls. With a plan of a split (split.h) its
 * instances decode, and others read most of the prompts. */
#ifndef MR_ENGINE_SERVE_CELL_H
#define MR_ENGINE_SERVE_CELL_H

#include "engine/clock/tree.h"
#include "engine/serve/admission.h"
#include "engine/serve/gate.h"
#include "engine/serve/instance.h"
#include "engine/serve/router_kv.h"
#include "engine/serve/shortage.h"
#include "engine/serve/ticket.h"

/* Why a call was not served. */
#define MR_CELL_REFUSAL_LIST(X)                                                      \
    X(TOO_LONG, "too_long", "prompt and output exceed the KV blocks of an instance") \
    X(SHED, "shed", "more calls waited than its tier allows")                        \
    X(LIMIT, "limit", "more calls of its tier were inside than it allows")           \
    X(RATE, "rate", "its tier's bucket of tokens was empty")                         \
    X(LATE, "late", "the estimated time to its first token was beyond its tier's")   \
    X(WATTS, "watts", "its site lacked watts for it beside dearer tiers")            \
    X(EXPIRED, "expired", "it waited to be let in as long as its tier does, in vain")

enum mr_cell_refusal {
#define MR_CELL_REFUSAL_ENUM(name, text, doc) MR_CELL_REFUSAL_##name,
    MR_CELL_REFUSAL_LIST(MR_CELL_REFUSAL_ENUM)
#undef MR_CELL_REFUSAL_ENUM
    MR_CELL_REFUSALS
};

/* Told of every call that ends. */
struct mr_cell_sink {
    void (*finished)(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s);
    void (*refused)(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why);
    void *context;
};

/* What the cell remembers of a session. */
struct mr_cell_session {
    uint32_t instance;  /* of its last call, or MR_ROUTER_NOWHERE */
    uint32_t space;     /* of its blocks; 0: none yet */
    uint32_t n_context; /* tokens of its longest call so far */
    uint32_t extent;    /* of the prefix cache, where its last call ended; a hint */
};

enum mr_cell_seat_state {
    MR_CELL_SEAT_UP,
    MR_CELL_SEAT_DRAINED,
    MR_CELL_SEAT_DOWN
};

/* An instance's place: of either pool (cell_outage.h). */
struct mr_cell_seat {
    double since_s, down_s; /* down now since; was down before */
    uint32_t n_down;
    uint8_t state; /* enum mr_cell_seat_state */
};

/* What has come and gone. */
struct mr_cell_sums {
    uint64_t n_come, come_tok;                       /* calls that came; their prompts */
    uint64_t n_in;                                   /* that were not refused at once */
    uint64_t n_done, read_tok, cached_tok, made_tok; /* of those that finished */
};

/* Prompts read ahead, and what was computed for them (cell_ahead.h). */
struct mr_cell_ahead_counts {
    uint64_t n_begun, n_ended, n_tok;
};

struct mr_onboard_pool;
struct mr_split;
struct mr_split_plan;
struct mr_cell_expiry;

struct mr_cell_plan {
    const struct mr_serving *serving;
    uint32_t n_instance;
    int router;    /* enum mr_router_policy */
    double call_s; /* what a call counts for (router_kv.h) */
    uint64_t seed;
    bool yields[256];  /* a tier's calls run in what others leave (yield.h) */
    uint8_t rank[256]; /* of a tier's calls in the queue, below MR_QUEUE_RANKS; 0 is first */
    struct mr_admission_rule admission[256]; /* of a tier */
    struct mr_router_goal goal[256];         /* what a tier was promised (predicted_slo) */
    uint32_t wait_max[256]; /* calls waiting on an instance at which a tier is shed; 0: never */
    struct mr_router_goal spared[256]; /* what a tier leaves dearer ones while it is short */
    double patience_s[256]; /* that a tier's calls wait outside (gate.h); 0: they do not */
    uint8_t cheaper[256];   /* + 1: tier that takes whom this one refuses; 0: none. No circles */
    const struct mr_split_plan *split; /* copied; NULL: every instance reads and decodes */
};

struct mr_cell {
    struct mr_cell_plan plan;
    struct mr_cell_sink sink;
    struct mr_instance *instance;
    struct mr_instance_sink ends; /* of their calls */
    struct mr_tree due;           /* ends of segments */
    struct mr_router router;
    struct mr_router_kv *kv;         /* NULL: the router does not look at caches */
    struct mr_split *split;          /* NULL: none */
    struct mr_onboard_pool *onboard; /* of the instances that decode; NULL: none */
    struct mr_calls calls;
    struct mr_ticket_stub *stub; /* beside calls.call; aligned to cache lines, inside `stubs` */
    void *stubs;
    size_t stub_cap;
    struct mr_cell_session *session;
    size_t session_cap;
    struct mr_admission admission[256]; /* of a tier */
    struct mr_gate gate;
    double read_tok_s;             /* pace of full steps, for estimates */
    struct mr_cell_session nobody; /* session of a call that is alone */
    uint32_t n_space;              /* of prefix caches, given out so far */
    struct mr_shortage shortage;   /* of watts */
    uint64_t n_inside;             /* calls that have come and not ended */
    double area_s, last_s;         /* time integral of that number, up to the last of both */
    double sojourn_s;              /* that calls which have ended spent inside */
    uint64_t n_event;
    struct mr_cell_sums sums;
    struct mr_ticket *ahead; /* to be read ahead when the event is over */
    size_t n_ahead, cap_ahead;
    struct mr_cell_ahead_counts ahead_counts;
    struct mr_cell_expiry *expiry; /* NULL: no call has said how long its blocks are of use */
    struct mr_cell_seat *seat;     /* cell_outage.h */
    uint32_t *lost, *parked;       /* calls: of an instance that goes down; while none is open */
    size_t n_lost, lost_cap, n_parked, parked_cap;
    uint64_t n_rerouted;
    /* told before the first event or call after watch_s, which it sets anew: the state is that of
     * all dates up to then. Looking on changes nothing */
    void (*watch)(void *context, double before_s);
    void *watch_context;
    double watch_s; /* INFINITY: nobody watches */
    /* told with the sink's context. A call goes on in a cheaper tier, its ticket's; NULL: nobody */
    void (*moved)(void *context, const struct mr_ticket *ticket, uint8_t from_tier);
    /* it waited outside, and is refused (MR_CELL_REFUSAL_EXPIRED); NULL: the sink's `refused` is */
    void (*expired)(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                    double now_s);
    mr_status st; /* of forgetting a session: sinks return nothing */
    struct mr_err err;
};

MR_CHECKED mr_status mr_cell_init(struct mr_cell *cell, const struct mr_cell_plan *plan,
                                  const struct mr_cell_sink *sink, struct mr_err *err);
void mr_cell_fini(struct mr_cell *cell);

/** Calls with contexts may come. @param[in] script lent; outlives the cell */
MR_CHECKED mr_status mr_cell_take_script(struct mr_cell *cell, const struct mr_script *script,
                                         struct mr_err *err);

/** A call comes. Calls come in the order of time; the cell has been played up to then.
 *  @param[in] ticket its instance is chosen here */
MR_CHECKED mr_status mr_cell_arrive(struct mr_cell *cell, const struct mr_ticket *ticket,
                                    double now_s, struct mr_err *err);

/** Does its site lack watts for some of its instances (shortage.h)? Told again and again: calls
 * that wait outside are asked. */
MR_CHECKED mr_status mr_cell_set_short(struct mr_cell *cell, bool is_short, double now_s,
                                       struct mr_err *err);

/** Play all events before a time. Those at it (ties included) wait for the calls that come then. */
MR_CHECKED mr_status mr_cell_play(struct mr_cell *cell, double until_s, struct mr_err *err);

/** The ticket of a call as it is now: it may have moved, or gone on in another tier. */
struct mr_ticket mr_cell_ticket(const struct mr_cell *cell, uint32_t call);

/** Where a call with a context was served: for the place of the next one. It has just ended.
 *  @param[in] ticket, call as the sink is told */
struct mr_script_place mr_cell_place(const struct mr_cell *cell, const struct mr_ticket *ticket,
                                     const struct mr_call *call);

/** The next event, of either pool or between them; INFINITY when nothing runs. */
double mr_cell_due_s(const struct mr_cell *cell);

/** Little's law of the run so far: calls inside, over time, are as much as the time that calls
 * spent inside. One side was counted when calls came and went, the other one is the sum of what
 * each took. @return their relative difference: rounding, unless a call was lost or told twice */
double mr_cell_little_rel(const struct mr_cell *cell);

/* Its parts, up to the last call that came or went. */
struct mr_cell_little {
    double inside_mean, rate_s, stay_s, rel; /* L, lambda, W, |L - lambda W| / lambda W */
};

struct mr_cell_little mr_cell_little(const struct mr_cell *cell);

/* ---- for split.h and cell_ahead.h ---- */

/** Something is about to happen. */
static inline void mr_cell_tell(struct mr_cell *cell, double next_s)
{
    if (next_s > cell->watch_s)
        cell->watch(cell->watch_context, next_s);
}

/** The end of a segment of an instance. @param[in] now_s when it is due */
MR_CHECKED mr_status mr_cell_advance(struct mr_cell *cell, uint32_t instance, double now_s,
                                     struct mr_err *err);

/** Its end may have moved, seldom by an arrival, which most often only waits; and with it what the
 *  router knows of it. */
static inline void mr_cell_plan_event(struct mr_cell *cell, uint32_t instance)
{
    const uint64_t key = mr_event_key(mr_instance_due_s(&cell->instance[instance]));
    if (key != mr_tree_key(&cell->due, instance))
        mr_tree_set(&cell->due, instance, key);
    if (cell->kv != NULL)
        mr_router_kv_update(cell->kv, &cell->router, instance);
}

/** A call has come to an instance, or left it. */
static inline void mr_cell_count(struct mr_cell *cell, uint32_t instance, int more)
{
    mr_router_count(&cell->router, instance, more);
    if (cell->kv != NULL)
        mr_router_kv_update(cell->kv, &cell->router, instance);
}

/** It goes where its ticket says.
 *  @param[in] reader who reads its prompt; NULL: it waits, for no instance is open */
MR_CHECKED mr_status mr_cell_send(struct mr_cell *cell, uint32_t call, struct mr_instance *reader,
                                  double now_s, struct mr_err *err);

/** A call that waits outside is asked again. @param[in] is_last else it may go on to wait
 *  @param[out] is_settled it has come in, or is refused */
MR_CHECKED mr_status mr_cell_ask_again(struct mr_cell *cell, uint32_t call, bool is_last,
                                       double now_s, bool *is_settled, struct mr_err *err);

/** Have calls ended for which others wait outside? */
static inline mr_status mr_cell_open_gate(struct mr_cell *cell, struct mr_err *err)
{
    return cell->gate.has_left ? mr_gate_ask(cell, cell->gate.left_s, err) : MR_OK;
}

/** Keep what has changed in it. @param[in] ticket of mr_cell_ticket, or of a call that comes in */
void mr_cell_keep_ticket(struct mr_cell *cell, uint32_t call, const struct mr_ticket *ticket);

/** Room for a call and its ticket. */
MR_CHECKED mr_status mr_cell_take_call(struct mr_cell *cell, uint32_t *out, struct mr_err *err);

/** A call comes in (+1) or goes (-1), for Little's law. */
void mr_cell_inside(struct mr_cell *cell, int more, double now_s);

/** A call has ended. */
void mr_cell_finish(struct mr_cell *cell, uint32_t call, double now_s);

#endif
