/* SPDX-License-Identifier: Apache-2.0 */
/* What one forward pass of a batch costs on the packages of one instance.
 *
 *   T = t0 + D(N, phi) + H(ns) + akv S + awin W + apf Q          (decode, prefill and mixed alike)
 *   N   tokens of the step: decodes x (1 + drafts) + chunks      S  sum of the decodes' contexts
 *   ns  sequences that need logits                               Q  pairs of prefill attention
 *   W   the same sum of contexts cut at the window               phi clock over the full clock
 *
 * With pp stages the batch of an instance is cut into pp equal parts, one at each stage: all move
 * on by one step in the time that one part takes through all stages. N, ns, S, W, Q are then those
 * of a part, and a package works 1 / pp of the time of every part. A prompt's chunk is cut, too,
 * its parts follow one another; the first of them finds the later stages empty, which no step
 * counts (models/steady.h does). A stage holds ceil(layers / pp) at most, all go at its pace.
 *
 * Prefill: Q pairs are cut at the window too, and a chunk reads its prompt's cache once: terms of
 * their own, linear as Q is. From the first chunk beyond the window on they grow by the same every
 * step.
 *
 * D holds everything that sees tokens only: matrix products, experts, collectives, kernels'
 * launches. With a fixed batch of n decodes S grows by n (1 + accepted drafts) per step: T_j = A +
 * B j. The terms are priced from cards (step_terms.c), tabulated once (step_grid.c), and only
 * looked up by the engine. Measured tables replace them (models/profile.h). */
#ifndef MR_MODELS_STEP_H
#define MR_MODELS_STEP_H

#include "models/gpu.h"
#include "models/llm.h"
#include "models/software.h"
#include "models/work.h"

struct mr_power;

/* How an LLM lies on the packages of an instance: tp x dp x pp of them. Attention is cut into tp
 * shards and copied dp times; experts are dealt to ep groups, each cut into moe_tp shards: ep x
 * moe_tp = tp x dp. */
struct mr_parallel {
    uint32_t tp, dp, pp, ep, moe_tp;
};

struct mr_step_setup {
    const struct mr_gpu_card *gpu;
    const struct mr_llm_card *llm;
    const struct mr_software_card *software;
    struct mr_parallel parallel;
    int dense_format, expert_format; /* enum mr_format of the weights */
    double kv_element_bytes;         /* 1 or 2 */
    double link_bytes_s;             /* of one package inside the instance; 0: the card's NVLink */
    double scaleout_bytes_s;         /* between domains; 0: the card's */
    uint32_t domain_packages;        /* that NVLink reaches; 0: the card's */
    uint32_t n_draft;                /* speculative tokens per step */
    bool drafts_elsewhere;           /* others make them: only their verification costs */
    double accepted;                 /* mean tokens per step with drafts; 0: of the LLM's card */
};

/* One batch. Chunks: prompts being read in this step. */
struct mr_batch {
    double n_decode;           /* sequences that decode */
    double kv_tokens;          /* S: sum of their contexts */
    double window_kv_tokens;   /* sum of min(context, mr_llm_window) */
    double chunk_tokens;       /* tokens of all chunks */
    double chunk_pairs;        /* Q: sum of chunk x (context before + chunk / 2) */
    double n_prompt_end;       /* chunks that end their prompt */
    double chunk_window_pairs; /* the same with keys cut at mr_llm_window: mr_step_window_pairs */
    double chunk_kv_tokens;    /* keys that chunks read: sum of context before + chunk */
    double n_growing; /* decodes whose context is below the window: it grows in both sums */
};

/** Pairs of a chunk behind `before` tokens when a query sees `window` keys at most. Beyond the
 * window every token sees as many. */
static inline double mr_step_window_pairs(double before, double chunk, double window)
{
    const double below = window > before ? window - before : 0;
    const double rising = below < chunk ? below : chunk;
    return rising * (before + rising / 2) + (chunk - rising) * window;
}

/* Parts of a step. */
#define MR_STEP_TERM_LIST(X)                                       \
    X(HOST, "host", "scheduler, launch, sampling")                 \
    X(LAUNCH, "launch", "small kernels of the layers")             \
    X(PROJECTIONS, "projections", "attention's matrix products")   \
    X(DENSE, "dense", "MLPs of dense layers and shared experts")   \
    X(EXPERTS, "experts", "routed experts and router")             \
    X(STATE, "state", "layers with a recurrent state")             \
    X(KV, "kv", "keys and values read by decodes")                 \
    X(PREFILL, "prefill", "attention of chunks")                   \
    X(HEAD, "head", "logits of the sequences that need them")      \
    X(DRAFT, "draft", "drafts: their layer, its messages, logits") \
    X(REDUCE, "reduce", "tensor-parallel all-reduce")              \
    X(EXCHANGE, "exchange", "expert-parallel all-to-all")          \
    X(SEND, "send", "between pipeline stages")

enum mr_step_term {
#define MR_STEP_TERM_ENUM(name, text, doc) MR_STEP_TERM_##name,
    MR_STEP_TERM_LIST(MR_STEP_TERM_ENUM)
#undef MR_STEP_TERM_ENUM
    MR_STEP_TERMS
};

struct mr_step_part {
    double time_s, compute_s,
        memory_s; /* compute and memory join to time; 0 where they do not apply */
};

struct mr_step_terms {
    struct mr_step_part part[MR_STEP_TERMS];
    double time_s;
    struct mr_work work; /* of one package */
};

const char *mr_step_term_name(int term);
const char *mr_step_format_name(int format);
double mr_step_format_bytes(int format);

/** Rate of products in a format; a package without the path runs it in the next wider one. */
double mr_step_flop_rate(const struct mr_gpu_card *gpu, int format);

/** Is the setup possible at all? Names what is wrong.
 *  @return MR_OK, MR_RANGE */
MR_CHECKED mr_status mr_step_check(const struct mr_step_setup *setup, struct mr_err *err);

/** Times that the draft layer runs in a step: n_draft, 0 when others draft. */
double mr_step_draft_runs(const struct mr_step_setup *setup);

/** Tokens a sequence gains per decode step. */
double mr_step_accepted(const struct mr_step_setup *setup);

/** Parts of the instance's batch in flight: pp, or as many as there are sequences. */
double mr_step_parts(const struct mr_step_setup *setup, double n_token);

/** All terms of one part of a batch, what the tables are made of. Its work is that of the package's
 *  shard of all layers. */
void mr_step_part_terms(const struct mr_step_setup *setup, const struct mr_batch *part, double phi,
                        struct mr_step_terms *terms);

/** All terms of an instance's batch, priced anew. */
void mr_step_terms(const struct mr_step_setup *setup, const struct mr_batch *batch, double phi,
                   struct mr_step_terms *terms);

/* ---- tables ---- */

struct mr_step; /* const after creation, shared by all instances of one setup */

/** @param[out] out owned by the caller: mr_step_destroy */
MR_CHECKED mr_status mr_step_create(const struct mr_step_setup *setup, struct mr_step **out,
                                    struct mr_err *err);
void mr_step_destroy(struct mr_step *step);

/** Duration of one step [s]. */
double mr_step_time(const struct mr_step *step, const struct mr_batch *batch, double phi);

/** Work of one package in that step, for its power. */
void mr_step_work(const struct mr_step *step, const struct mr_batch *batch, struct mr_work *work);

/** What one more step's tokens add to the work of a step: contexts grow, and the prompt that is
 * read in equal chunks. FLOPs and memory only. */
void mr_step_work_growth(const struct mr_step *step, const struct mr_batch *batch,
                         struct mr_work *growth);

/** Of a step's length: how much later its last part leaves the pipeline than is counted, for parts
 *  follow one another and the first of them has come at the end of the step. 0 without stages. */
double mr_step_fill_frac(const struct mr_step *step, const struct mr_batch *batch);

/* T_j = a_s + b_s j for the j-th step from now. */
struct mr_step_leap {
    double a_s, b_s;
};

/** Steps of a batch that stays as it is; at most one prompt is read, in chunks of the same size. */
struct mr_step_leap mr_step_leap(const struct mr_step *step, const struct mr_batch *batch,
                                 double phi);

/** The leap with the work of its first step and what it grows by: mr_step_leap, mr_step_work and
 *  mr_step_work_growth in one look at the tables, bit for bit. */
struct mr_step_leap mr_step_price(const struct mr_step *step, const struct mr_batch *batch,
                                  double phi, struct mr_work *work, struct mr_work *growth);

/** Fold a package's joules into the tables, before the step is shared: all that a step's joules
 *  depend on its duration depends on, too, so that one look at the tables tells both.
 *  @param[in] power lent; stays as it is */
void mr_step_take_power(struct mr_step *step, const struct mr_power *power);

/** May mr_step_joules be asked, for this package at this clock? At full clock and without pipeline
 *  stages: elsewhere mr_step_price. */
bool mr_step_has_joules(const struct mr_step *step, const struct mr_power *power, double phi);

/** The leap, bit for bit that of mr_step_leap, with the joules beyond idling of its first step and
 *  what they grow by, to rounding those that mr_power_work_j has for mr_step_price's work. */
struct mr_step_leap mr_step_joules(const struct mr_step *step, const struct mr_batch *batch,
                                   double *work_j, double *grow_j);

#endif
