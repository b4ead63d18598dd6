/* SPDX-License-Identifier: Apache-2.0 */
/* One instance: a group of packages that runs one batch. It has one event pending, the end of its
 * segment (segment.h): a run of steps during which the batch stays as it is. Running requests are
 * never touched one by one: a decode clock counts steps, a heap knows who finishes when, blocks are
 * counted by residue (blocks.h).
 *
 *   y = prompt + 1 + clock - entered     tokens known of a decoding request, KV blocks ceil(y / b)
 *   finish = entered + output - 1        its clock at the end
 *
 * With drafts a step makes more than one token: accept.h says what becomes of the two.
 * Who runs next is the policy's business (policy.h). With leap off every segment is one step long;
 * answers are the same to 1e-9 s. Not here: which instance a call goes to (cell.h), prefix caches,
 * calls that another instance goes on with (handover.h), transfers. */
#ifndef MR_ENGINE_SERVE_INSTANCE_H
#define MR_ENGINE_SERVE_INSTANCE_H

#include "engine/clock/heap.h"
#include "engine/serve/accept.h"
#include "engine/serve/blocks.h"
#include "engine/serve/cache.h"
#include "engine/serve/call.h"
#include "engine/serve/pricer.h"
#include "engine/serve/queue.h"
#include "engine/serve/segment.h"
#include "engine/serve/sliding.h"

struct mr_onboard;
struct mr_onboard_plan;
struct mr_policy;

/* How instances of a pool serve. Const, shared. */
struct mr_serving {
    const struct mr_policy *policy;
    struct mr_pricer pricer;
    uint32_t batch_max;       /* requests that hold blocks at once */
    uint32_t token_max;       /* tokens of a step: chunk, or padded prompt tokens (vllm0) */
    uint32_t yield_token_max; /* of a prompt of background work in a step (yield.h); 0: token_max */
    double yield_spare_frac;  /* of the blocks: background work leaves them to others' contexts */
    double yield_step_s;      /* background work is let in while decodes take no longer; 0: any */
    uint32_t context_max;     /* orca reserves for it */
    uint32_t block_tokens;    /* a power of two */
    uint64_t n_block;
    uint64_t window_tokens;  /* sliding window of the network; 0: none */
    double watermark_frac;   /* of the blocks: kept free by admissions (sarathi, vllm0) */
    struct mr_accept accept; /* speculative decoding; the pricer's step has the same */
    bool steps_singly;       /* leap off */
    bool preempts_lowest;    /* victims: latest of the last rank; else last in the list (vllm1) */
    bool has_cache;          /* prefix cache (vllm1) */
    const struct mr_onboard_plan *onboard; /* memories below it; lent; NULL: none */
};

struct mr_part {
    uint32_t call, chunk; /* tokens read in each step of the segment */
};

/* A prompt that has ended, in the pipeline (fill.h). */
struct mr_fill {
    double ready_s;
    uint32_t call;
};

struct mr_instance {
    const struct mr_serving *serving;
    struct mr_calls *calls; /* lent */
    struct mr_segment segment;
    struct mr_batch batch; /* of the segment's first step */
    double phi;            /* clock over the full clock */
    double idle_w;         /* of one package */
    double done_frac;      /* of step 0, before the segment began: a clock changed in its middle */
    double early_s, early_j; /* time and joules of step 0 before, of one package */
    bool decodes;            /* does the segment move the decode clock? */
    bool is_starting;        /* the segment is no step: idle until now, calls of this time gather */
    bool is_single;          /* the policy wants to be asked again after one step */
    uint64_t clock;          /* at the segment's start, as all below */
    uint64_t clock_base;     /* what the heap counts from: clock - base < 2^32 */
    struct mr_blocks blocks;
    struct mr_heap finish;
    struct mr_sliding window;
    struct mr_cache cache;      /* not touched without has_cache */
    struct mr_onboard *onboard; /* lent: memories below the cache; NULL: none */
    uint64_t kv_tokens;         /* sum of y of those that decode, when they began to */
    uint64_t kv_steps;          /* sum of the steps they have made since */
    uint64_t n_free;            /* blocks; those of the segment's first step are taken */
    uint64_t watermark;
    uint64_t yield_spare; /* that background work leaves free: contexts of others stay there */
    struct mr_part *part; /* prompts being read, in order */
    size_t n_part, part_cap;
    uint32_t head, tail, n_run; /* running list */
    uint32_t n_yield;           /* of them: background work */
    bool is_reordered;          /* readings stand before decodings in it */
    bool is_asked;              /* how long prompts wait: it knows what it has of those that do */
    struct mr_queue queue;      /* waiting calls */
    uint64_t n_waiting_tok;     /* of their prompts that are to be read */
    struct mr_fill *fill;       /* in the order of time */
    size_t n_fill, fill_cap;
    size_t n_filled; /* of them: through, waiting for a boundary to decode */
    uint64_t n_left; /* calls that have left but hold blocks (handover.h) */
    double formed_s; /* start of the step that is formed */
    bool is_joined;  /* a call has come with its prompt computed: others may wait like that */
    uint64_t n_iteration, n_segment, n_restart;
    uint64_t n_call_step, n_prompt_end;    /* decode steps times calls in them; prompts read */
    struct mr_power_leap energy;           /* of the segment, one package */
    double busy_s, busy_j;                 /* of all segments that have ended, one package */
    struct mr_pricer_lpu lpu;              /* where LPUs help */
    const struct mr_instance_watch *watch; /* lent, of instance_step.h; NULL: nobody */
};

/* What becomes of calls. */
struct mr_instance_sink {
    void (*finished)(void *context, uint32_t call, double now_s);
    void *context;
    void (*left)(void *context, uint32_t call, double now_s); /* NULL where no call leaves */
};

/** Can it ever serve anything? @return MR_OK or MR_RANGE, naming the figure */
MR_CHECKED mr_status mr_instance_check(const struct mr_serving *serving, struct mr_err *err);

/** @param[in] serving checked; lives as long @param[in] calls of the cell */
MR_CHECKED mr_status mr_instance_init(struct mr_instance *instance,
                                      const struct mr_serving *serving, struct mr_calls *calls,
                                      struct mr_err *err);
void mr_instance_fini(struct mr_instance *instance);

/** Would a call of this size ever be served? Otherwise it must not arrive. */
bool mr_instance_can_hold(const struct mr_instance *instance, uint32_t n_prompt, uint32_t n_output);

/** A call has come, with n_prompt and n_output set. Calls come in the order of time; all that come
 *  by MR_SEGMENT_TIE_S after `due` come before it is advanced. */
MR_CHECKED mr_status mr_instance_arrive(struct mr_instance *instance, uint32_t call, double now_s,
                                        struct mr_err *err);

/** onboard.h: when the next load arrives. */
double mr_onboard_due_s(const struct mr_instance *instance);

/** When the segment ends, a prompt is through the pipeline or a load arrives; INFINITY while idle.
 */
static inline double mr_instance_due_s(const struct mr_instance *instance)
{
    const double end_s = instance->segment.n_step > 0
                             ? mr_segment_end_s(&instance->segment, instance->segment.n_step)
                             : (double)INFINITY;
    const double due_s = instance->n_filled < instance->n_fill
                             ? fmin(end_s, instance->fill[instance->n_filled].ready_s)
                             : end_s;
    return instance->onboard != NULL ? fmin(due_s, mr_onboard_due_s(instance)) : due_s;
}

/** End the segment and begin the next one, or tell of the prompt that is through. */
MR_CHECKED mr_status mr_instance_advance(struct mr_instance *instance,
                                         const struct mr_instance_sink *sink, struct mr_err *err);

/** The clock of the packages changes now, no later than `due`. The step in flight goes on at the
 * new pace: what share of its work was done stays done. */
void mr_instance_set_clock(struct mr_instance *instance, double phi, double now_s);

/** The segment is over: steps that have ended are made, the one in flight is lost. What becomes of
 *  the calls is the caller's business (cell_outage.h). */
void mr_instance_halt(struct mr_instance *instance, double now_s);

/** Joules of one package up to a time within the segment, without changing anything. */
double mr_instance_energy_j(const struct mr_instance *instance, double now_s);
double mr_instance_lpu_j(const struct mr_instance *instance, double now_s); /* LPUs beside them */

/* ---- for policies ---- */

static inline struct mr_call *mr_instance_call(const struct mr_instance *instance, uint32_t call)
{
    return &instance->calls->call[call];
}

/** Tokens that steps up to a clock have made of a call. */
static inline uint64_t mr_instance_made(const struct mr_instance *instance, uint64_t clock)
{
    return mr_accept_made(&instance->serving->accept, clock);
}

static inline struct mr_call_link *mr_instance_link(const struct mr_instance *instance,
                                                    uint32_t call)
{
    return &instance->calls->link[call];
}

/** The decode clock when a decoding call began to. */
static inline uint64_t mr_instance_entered(const struct mr_instance *instance,
                                           const struct mr_call *call)
{
    return instance->clock - ((uint32_t)instance->clock - call->entered);
}

/** Tokens known of a decoding call, at the segment's start. */
static inline uint64_t mr_instance_known(const struct mr_instance *instance,
                                         const struct mr_call *call)
{
    return call->n_prompt + 1 + mr_instance_made(instance, instance->clock) -
           mr_instance_made(instance, mr_instance_entered(instance, call));
}

/** Head of the queue; there is one. */
static inline uint32_t mr_instance_waiting(const struct mr_instance *instance)
{
    return mr_queue_head(&instance->queue);
}

/** Is a prompt to be read the head of the queue? Policies admit it; a call whose prompt is computed
 *  joins by itself (handover.h), and holds up those behind it until then. */
static inline bool mr_instance_has_prompt(const struct mr_instance *instance)
{
    return instance->queue.n > 0 &&
           !(instance->is_joined &&
             mr_instance_call(instance, mr_instance_waiting(instance))->is_computed);
}

/** Take the head out of the queue. */
uint32_t mr_instance_next(struct mr_instance *instance);
/** A call of the running list begins to read its prompt, in the step that is formed. */
MR_CHECKED mr_status mr_instance_read(struct mr_instance *instance, uint32_t call, uint32_t chunk,
                                      struct mr_err *err);

/** The head of the queue begins to read: it leaves the queue and is last in the running list. */
MR_CHECKED mr_status mr_instance_admit(struct mr_instance *instance, uint32_t chunk,
                                       struct mr_err *err);

/** Stop a running call, free its blocks and put it at the front of its rank in the queue.
 *  @param[in] n_held its blocks
 *  @param[in] forgets_prompt a reading call goes on as if what it has read were its prompt */
MR_CHECKED mr_status mr_instance_restart(struct mr_instance *instance, uint32_t call,
                                         uint64_t n_held, bool forgets_prompt, struct mr_err *err);

/** A call whose prompt is computed begins to decode with the step that is formed next. */
MR_CHECKED mr_status mr_instance_decode(struct mr_instance *instance, uint32_t call,
                                        struct mr_err *err);
/** Give back the blocks of a call that has computed so many tokens. */
MR_CHECKED mr_status mr_instance_free_blocks(struct mr_instance *instance, struct mr_call *call,
                                             uint64_t n_computed, struct mr_err *err);

/** The head of the queue may be able to join that could not before: blocks or itself are new. */
void mr_instance_reconsider(struct mr_instance *instance, double now_s);

/** Somebody joins at the first boundary from now on; without a segment one begins. */
void mr_instance_interrupt(struct mr_instance *instance, double now_s);

void mr_instance_unlink(struct mr_instance *instance, uint32_t call);
void mr_instance_link_after(struct mr_instance *instance, uint32_t call, uint32_t after);

#endif
