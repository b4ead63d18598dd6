/* SPDX-License-Identifier: Apache-2.0 */
/* Terms of a step from cards.
 *
 * An operator of m rows: compute = FLOP / (rate x share x m / r), memory = bytes / (bandwidth x
 * share); the two overlap: time = (compute^p + memory^p)^(1/p). r = t + h t / (t + h), t = max(m,
 * 8): a product has the rows of one tile at least, and loses up to h rows to ramps and half-filled
 * waves, but never more than it has: kernels for few rows split the sum instead, so that one row is
 * bound by the stream of weights at any clock. h grows as the rate over that of BF16, for faster
 * formats need larger products. Launches are counted per layer, not per operator.
 *
 * Experts: N tokens touch E (1 - (1 - k/E)^M) distinct ones of E, M = N^x, each token k of them; x
 * < 1 where routing is correlated. Their weights are read once per step, from every package its
 * own; the rows of a product are the mean of the experts touched.
 *
 * Drafts: one more layer of the LLM's shape, behind a product of 2 h x h, makes them one after the
 * other, each with logits of its own: a row per sequence. It keeps and reads keys and values as a
 * layer does (in the term kv).
 *
 * All-reduce of M bytes in n packages: start x (1 + 0.3 log2 n), for the last one to arrive is
 * waited for, and the shortest way that software and network know, a the network's latency, b its
 * bandwidth x share:
 *   ring       2 (n-1) a + 2 (n-1)/n M / b
 *   one-shot   a + (n-1) M / b            everyone sends everything to everyone
 *   in-switch  3 a + M / b                ready, up, and the sum down
 *
 * Exchange: a token visits R = EP (1 - (1 - 1/EP)^k) (1 - 1/EP) remote groups, FP8 with scales out,
 * BF16 back. Beyond the domain latency and bandwidth are those of the scale-out ports, whose
 * switches do not add, and starts of exchanges five times as long. */
#include "engine/base/fmath.h"
#include "models/step.h"

#include <math.h>

static const double tile_rows = 8;       /* fewest of a product on tensor units */
static const double reduce_growth = 0.3; /* of the start, per doubling of the group */
static const double far_start = 5;       /* exchange beyond the domain over inside */
static const double dispatch_bytes = 1.03, combine_bytes = 2; /* per element of a token */
static const double send_start_s = 10e-6;                     /* pipeline: point to point */

static const struct {
    const char *name;
    double bytes;
} formats[] = {
#define FORMAT_ROW(name, text, bytes) {text, bytes},
    MR_FORMAT_LIST(FORMAT_ROW)
#undef FORMAT_ROW
};

static const char *const term_names[] = {
#define TERM_NAME(name, text, doc) text,
    MR_STEP_TERM_LIST(TERM_NAME)
#undef TERM_NAME
};

const char *mr_step_term_name(int term)
{
    return term_names[term];
}

const char *mr_step_format_name(int format)
{
    return formats[format].name;
}

double mr_step_format_bytes(int format)
{
    return formats[format].bytes;
}

/* What a product of weights in `format` runs in, with the activations it is served with: MXFP4 at
 * the pace of FP8 where there is an FP4 path (their products are mixed), else of BF16; NVFP4
 * without the path is expanded to FP8. */
static int run_format(const struct mr_gpu_card *gpu, int format)
{
    if (format == MR_FORMAT_NVFP4 && gpu->fp4_flop_s > 0)
        return MR_FORMAT_NVFP4;
    if (format == MR_FORMAT_MXFP4 && !(gpu->fp4_flop_s > 0))
        return MR_FORMAT_BF16;
    return format != MR_FORMAT_BF16 && gpu->fp8_flop_s > 0 ? MR_FORMAT_FP8 : MR_FORMAT_BF16;
}

double mr_step_flop_rate(const struct mr_gpu_card *gpu, int format)
{
    const double rates[MR_N_FORMAT] = {[MR_FORMAT_BF16] = gpu->bf16_flop_s,
                                       [MR_FORMAT_FP8] = gpu->fp8_flop_s,
                                       [MR_FORMAT_NVFP4] = gpu->fp4_flop_s};
    return rates[run_format(gpu, format)];
}

double mr_step_accepted(const struct mr_step_setup *setup)
{
    if (setup->n_draft == 0)
        return 1;
    if (setup->accepted > 0)
        return setup->accepted;
    const uint32_t k = setup->n_draft < MR_LLM_DRAFTS ? setup->n_draft : MR_LLM_DRAFTS;
    for (uint32_t i = k; i > 0; i--)
        if (setup->llm->accepted[i - 1] > 0)
            return setup->llm->accepted[i - 1];
    return 1;
}

/* ---- operators ---- */

/* A term being filled. */
struct pricing {
    const struct mr_step_setup *setup;
    double phi;
    struct mr_step_terms *out;
};

struct operator
{
    double flop, bytes, rows;
    int format;                      /* of the product */
    double flop_share, memory_share; /* that large products, long streams reach */
    double half_rows;                /* h of BF16; 0: all rows fill the units */
    double repeat;                   /* layers it stands in */
    double stretch;                  /* of the busiest package */
};

/* Share of the rate that a product of few rows reaches: m / r. */
static double filled(const struct mr_gpu_card *gpu, const struct operator* op)
{
    if (!(op->half_rows > 0))
        return 1;
    const double h = op->half_rows * mr_step_flop_rate(gpu, op->format) / gpu->bf16_flop_s;
    const double t = fmax(op->rows, tile_rows);
    return op->rows / (t + h * t / (t + h));
}

static double join(double compute_s, double memory_s, double p)
{
    const double longer = fmax(compute_s, memory_s), shorter = fmin(compute_s, memory_s);
    if (!(shorter > 0))
        return longer;
    return longer * mr_pow(1 + mr_pow(shorter / longer, p), 1 / p);
}

static void add_operator(const struct pricing *p, int term, const struct operator* op)
{
    const struct mr_step_setup *setup = p->setup;
    struct mr_step_part *part = &p->out->part[term];
    if (!(op->rows > 0) || (!(op->flop > 0) && !(op->bytes > 0)))
        return;
    const double rate = mr_step_flop_rate(setup->gpu, op->format) * op->flop_share *
                        filled(setup->gpu, op) * p->phi;
    const double compute_s = op->flop > 0 ? op->flop / rate * op->stretch : 0;
    const double memory_s =
        op->bytes / (setup->gpu->memory_bytes_s * op->memory_share) * op->stretch;
    part->compute_s += op->repeat * compute_s;
    part->memory_s += op->repeat * memory_s;
    part->time_s += op->repeat * join(compute_s, memory_s, setup->software->join_exponent);
    p->out->work.flop[run_format(setup->gpu, op->format)] += op->repeat * op->flop;
    p->out->work.memory_bytes += op->repeat * op->bytes;
}

/* Four-bit weights without a path of their own are unpacked on the way to the units. */
static double left_by_expansion(const struct mr_step_setup *setup, int format)
{
    const bool is_fp4 = format == MR_FORMAT_NVFP4 || format == MR_FORMAT_MXFP4;
    return is_fp4 && !(setup->gpu->fp4_flop_s > 0) ? setup->software->expand_frac : 1;
}

static void add_weights(const struct pricing *p, int term, double rows, double elements, int format,
                        double repeat)
{
    const struct mr_software_card *software = p->setup->software;
    const double left = left_by_expansion(p->setup, format);
    add_operator(p, term,
                 &(struct operator){.flop = 2 * rows * elements,
                                    .bytes = elements * formats[format].bytes,
                                    .rows = rows,
                                    .half_rows = software->half_rows,
                                    .format = format,
                                    .flop_share = software->flop_frac * left,
                                    .memory_share = software->memory_frac * left,
                                    .repeat = repeat,
                                    .stretch = 1});
}

static void add_experts(const struct pricing *p, int term, double rows, double repeat)
{
    const struct mr_step_setup *setup = p->setup;
    const struct mr_llm_card *llm = setup->llm;
    const struct mr_software_card *software = setup->software;
    const double n_expert = (double)llm->n_expert, k = (double)llm->top_k;
    const double shards = (double)setup->parallel.ep * (double)setup->parallel.moe_tp;
    const double elements = mr_llm_expert_elements(llm);
    const double spread = mr_pow(fmax(rows, 1), software->distinct_exponent);
    const double left = left_by_expansion(setup, setup->expert_format);
    const double touched =
        k < n_expert ? -n_expert * mr_expm1(spread * mr_log(1 - k / n_expert)) : n_expert;
    add_operator(
        p, term,
        &(struct operator){
            .flop = 2 * rows * k * elements / shards,
            .bytes = touched * elements * formats[setup->expert_format].bytes / shards,
            .rows = rows * k / touched,
            .half_rows = software->expert_half_rows,
            .format = setup->expert_format,
            .flop_share = software->expert_flop_frac * left,
            .memory_share = software->expert_memory_frac * left,
            .repeat = repeat,
            .stretch = setup->parallel.ep > 1 ? software->imbalance * llm->expert_skew : 1});
}

/* ---- collectives ---- */

struct link {
    double bytes_s, latency_s, start;
    bool reduces; /* its switches add what they pass on */
};

static struct link link_of(const struct mr_step_setup *setup, double n_package)
{
    const struct mr_gpu_card *gpu = setup->gpu;
    const double near_bytes_s = setup->link_bytes_s > 0 ? setup->link_bytes_s : gpu->nvlink_bytes_s;
    const double far_bytes_s =
        setup->scaleout_bytes_s > 0 ? setup->scaleout_bytes_s : gpu->scaleout_bytes_s;
    const double domain =
        (double)(setup->domain_packages > 0 ? setup->domain_packages : gpu->domain_packages);
    if (n_package <= domain && near_bytes_s > 0)
        return (struct link){near_bytes_s, gpu->nvlink_latency_s, 1, gpu->nvlink_reduces};
    return (struct link){far_bytes_s > 0 ? far_bytes_s : near_bytes_s, gpu->scaleout_latency_s,
                         far_start, false};
}

static void add_collective(const struct pricing *p, int term, double start_s, double bytes,
                           double bytes_s, double repeat)
{
    p->out->part[term].time_s += repeat * (start_s + bytes / bytes_s);
    p->out->work.link_bytes += repeat * bytes;
}

static void add_reduce(const struct pricing *p, int term, double bytes, double repeat)
{
    const struct mr_software_card *software = p->setup->software;
    const double n = p->setup->parallel.tp;
    const struct link link = link_of(p->setup, n);
    const struct {
        double hops, copies; /* latencies; of the bytes, that a package sends */
    } ways[] = {{2 * (n - 1), 2 * (n - 1) / n}, {1, n - 1}, {3, 1}};
    const size_t n_way = link.reduces && software->reduces_in_switch ? 3 : 2;
    const double bytes_s = link.bytes_s * software->reduce_frac;
    size_t best = 0;
    double best_s = (double)INFINITY;
    for (size_t i = 0; i < n_way; i++) {
        const double time_s = ways[i].hops * link.latency_s + ways[i].copies * bytes / bytes_s;
        if (time_s < best_s) {
            best_s = time_s;
            best = i;
        }
    }
    const double skew = 1 + reduce_growth * mr_log(n) / 0.69314718055994530942;
    add_collective(p, term, software->reduce_s * skew + ways[best].hops * link.latency_s,
                   ways[best].copies * bytes, bytes_s, repeat);
}

/* Of layers, and those of them that have experts. */
struct layers {
    double n, n_moe;
    int reduce, exchange; /* terms */
};

static void add_layer_collectives(const struct pricing *p, double n_token,
                                  const struct layers *layers)
{
    const struct mr_step_setup *setup = p->setup;
    const struct mr_llm_card *llm = setup->llm;
    const struct mr_software_card *software = setup->software;
    const double tp = setup->parallel.tp, dp = setup->parallel.dp, ep = setup->parallel.ep;
    const double h = (double)llm->hidden;
    const bool exchanges = ep > 1 && dp > 1;
    if (tp > 1)
        add_reduce(p, layers->reduce, n_token / dp * h * 2,
                   layers->n * 2 - (exchanges ? layers->n_moe : 0));
    if (exchanges) {
        const struct link link = link_of(setup, ep);
        const double k = (double)llm->top_k;
        const double remote = -ep * mr_expm1(k * mr_log(1 - 1 / ep)) * (1 - 1 / ep);
        const double bytes = n_token / (tp * dp) * remote * h * (dispatch_bytes + combine_bytes);
        add_collective(p, layers->exchange, 2 * software->exchange_s * link.start, bytes,
                       link.bytes_s * software->exchange_frac, layers->n_moe);
    }
}

static void add_collectives(const struct pricing *p, double n_token)
{
    const struct mr_step_setup *setup = p->setup;
    const double tp = setup->parallel.tp, dp = setup->parallel.dp;
    add_layer_collectives(p, n_token,
                          &(struct layers){(double)setup->llm->n_layer,
                                           (double)mr_llm_n_moe_layer(setup->llm),
                                           MR_STEP_TERM_REDUCE, MR_STEP_TERM_EXCHANGE});
    if (setup->parallel.pp > 1) {
        const struct link link = link_of(setup, (double)setup->parallel.pp * tp * dp);
        const double h = (double)setup->llm->hidden;
        add_collective(p, MR_STEP_TERM_SEND, send_start_s, n_token / dp * h * 2, link.bytes_s,
                       (double)setup->parallel.pp - 1);
    }
}

/* ---- attention and state ---- */

/* KV heads are copied when there are fewer of them than shards; a latent is on every shard. */
static double kv_shards(const struct mr_step_setup *setup)
{
    const struct mr_llm_card *llm = setup->llm;
    if (llm->attention != MR_LLM_ATTENTION_GQA)
        return 1;
    return fmin(setup->parallel.tp, (double)llm->n_kv_head);
}

static void add_reading(const struct pricing *p, int term, double flop, double bytes)
{
    const struct mr_software_card *software = p->setup->software;
    add_operator(p, term,
                 &(struct operator){.flop = flop,
                                    .bytes = bytes,
                                    .rows = 1, /* heads fill the units */
                                    .format = MR_FORMAT_BF16,
                                    .flop_share = software->attention_frac,
                                    .memory_share = software->kv_frac,
                                    .repeat = 1,
                                    .stretch = 1});
}

/* Two sums of contexts are read, each linearly: S, and W of contexts cut at the window. Layers with
 * a window read W. Sparse attention reads the keys of W and the index of S. */
static void add_attention(const struct pricing *p, const struct mr_batch *batch)
{
    const struct mr_step_setup *setup = p->setup;
    const struct mr_llm_card *llm = setup->llm;
    const double tp = setup->parallel.tp, dp = setup->parallel.dp;
    const double n_kv = (double)llm->n_kv_layer, n_window = (double)llm->n_window_layer;
    const double pair_flop = mr_llm_pair_flop(llm, true) / tp / dp;
    const double per_byte = 1 / dp / kv_shards(setup);
    const double kept_bytes = llm->kv_elements_per_token * setup->kv_element_bytes * per_byte;
    const double index_bytes = llm->indexer_bytes_per_token * per_byte;
    const double window_bytes =
        llm->window_tokens > 0
            ? llm->window_elements / (double)llm->window_tokens * setup->kv_element_bytes * per_byte
            : 0;
    const double drafts = n_kv > 0 ? 1 + mr_step_draft_runs(setup) / n_kv : 1;
    const double s = batch->kv_tokens * drafts;
    const double w = batch->window_kv_tokens * (llm->sparse_keys > 0 ? drafts : 1);
    const bool is_sparse = llm->sparse_keys > 0;
    const double index_flop = mr_llm_index_flop(llm) / tp / dp;
    add_reading(p, MR_STEP_TERM_KV, s * (is_sparse ? index_flop : pair_flop * n_kv),
                s * (is_sparse ? index_bytes : kept_bytes + index_bytes));
    add_reading(p, MR_STEP_TERM_KV, w * pair_flop * (is_sparse ? n_kv : n_window),
                w * (is_sparse ? kept_bytes : window_bytes));
    /* prefill: as above, each sum on its own, so that steps stay linear in every one of them */
    const double chunk_flop = mr_llm_pair_flop(llm, false) / tp / dp;
    add_reading(p, MR_STEP_TERM_PREFILL,
                batch->chunk_pairs * (is_sparse ? index_flop : chunk_flop * n_kv), 0);
    add_reading(p, MR_STEP_TERM_PREFILL,
                batch->chunk_window_pairs * chunk_flop * (is_sparse ? n_kv : n_window), 0);
    add_reading(p, MR_STEP_TERM_PREFILL, 0, batch->chunk_kv_tokens * (kept_bytes + index_bytes));
    /* recurrent state: read and written once per sequence and step, about six FLOP per element */
    const double n_sequence = batch->n_decode + batch->n_prompt_end;
    add_reading(p, MR_STEP_TERM_STATE, 6 * llm->state_bytes / 4 * n_sequence / tp / dp,
                2 * llm->state_bytes * n_sequence / tp / dp);
}

/* ---- drafts ---- */

double mr_step_draft_runs(const struct mr_step_setup *setup)
{
    return setup->drafts_elsewhere ? 0 : setup->n_draft;
}

static void add_drafts(const struct pricing *p, double n)
{
    const struct mr_step_setup *setup = p->setup;
    const struct mr_llm_card *llm = setup->llm;
    const double q = mr_step_draft_runs(setup), h = (double)llm->hidden;
    const double tp = setup->parallel.tp, dp = setup->parallel.dp;
    if (!(q > 0 && n > 0))
        return;
    p->out->part[MR_STEP_TERM_DRAFT].time_s += q * setup->software->layer_s;
    add_weights(p, MR_STEP_TERM_DRAFT, n / dp, (2 * h * h + mr_llm_attention_elements(llm)) / tp,
                setup->dense_format, q);
    if (llm->n_expert > 0) {
        add_weights(p, MR_STEP_TERM_DRAFT, n,
                    (double)llm->n_shared_expert * mr_llm_shared_elements(llm) / (tp * dp),
                    setup->expert_format, q);
        add_weights(p, MR_STEP_TERM_DRAFT, n / dp, mr_llm_router_elements(llm), MR_FORMAT_BF16, q);
        add_experts(p, MR_STEP_TERM_DRAFT, n, q);
    } else {
        add_weights(p, MR_STEP_TERM_DRAFT, n, mr_llm_dense_elements(llm) / (tp * dp),
                    setup->dense_format, q);
    }
    add_weights(p, MR_STEP_TERM_DRAFT, n / dp, mr_llm_head_elements(llm) / tp, MR_FORMAT_BF16, q);
    add_layer_collectives(
        p, n,
        &(struct layers){q, llm->n_expert > 0 ? q : 0, MR_STEP_TERM_DRAFT, MR_STEP_TERM_DRAFT});
}

/* ---- the step ---- */

static void add_products(const struct pricing *p, double n_token, double n_logit)
{
    const struct mr_step_setup *setup = p->setup;
    const struct mr_llm_card *llm = setup->llm;
    const double tp = setup->parallel.tp, dp = setup->parallel.dp;
    const double shards = tp * dp; /* of what is not copied */
    const double n_moe = (double)mr_llm_n_moe_layer(llm);
    add_weights(p, MR_STEP_TERM_PROJECTIONS, n_token / dp, mr_llm_attention_elements(llm) / tp,
                setup->dense_format, (double)mr_llm_n_attention_layer(llm));
    add_weights(p, MR_STEP_TERM_STATE, n_token / dp, mr_llm_state_elements(llm) / tp,
                setup->dense_format, (double)llm->n_state_layer);
    add_weights(p, MR_STEP_TERM_DENSE, n_token, mr_llm_dense_elements(llm) / shards,
                setup->dense_format, (double)mr_llm_n_dense_layer(llm));
    add_weights(p, MR_STEP_TERM_DENSE, n_token,
                (double)llm->n_shared_expert * mr_llm_shared_elements(llm) / shards,
                setup->expert_format, n_moe);
    if (n_moe > 0 && n_token > 0) {
        add_weights(p, MR_STEP_TERM_EXPERTS, n_token / dp, mr_llm_router_elements(llm),
                    MR_FORMAT_BF16, n_moe);
        add_experts(p, MR_STEP_TERM_EXPERTS, n_token, n_moe);
    }
    if (n_logit > 0)
        add_weights(p, MR_STEP_TERM_HEAD, n_logit / dp, mr_llm_head_elements(llm) / tp,
                    MR_FORMAT_BF16, 1);
}

/* Layers of the fullest stage over the mean. */
static double stage_excess(const struct mr_step_setup *setup)
{
    const double n_layer = (double)setup->llm->n_layer, pp = setup->parallel.pp;
    return ceil(n_layer / pp) * pp / n_layer;
}

void mr_step_part_terms(const struct mr_step_setup *setup, const struct mr_batch *batch, double phi,
                        struct mr_step_terms *terms)
{
    *terms = (struct mr_step_terms){0};
    const double excess = stage_excess(setup);
    const struct pricing p = {setup, phi, terms};
    const double n_token = batch->n_decode * (1 + (double)setup->n_draft) + batch->chunk_tokens;
    terms->part[MR_STEP_TERM_HOST].time_s = setup->software->host_s;
    terms->part[MR_STEP_TERM_LAUNCH].time_s =
        setup->software->layer_s * (double)setup->llm->n_layer;
    add_products(&p, n_token, batch->n_decode * (1 + (double)setup->n_draft) + batch->n_prompt_end);
    add_attention(&p, batch);
    add_collectives(&p, n_token);
    add_drafts(&p, batch->n_decode);
    for (int i = 0; i < MR_STEP_TERMS; i++) {
        struct mr_step_part *part = &terms->part[i];
        if (i != MR_STEP_TERM_HOST && i != MR_STEP_TERM_HEAD && i != MR_STEP_TERM_DRAFT &&
            i != MR_STEP_TERM_SEND)
            *part = (struct mr_step_part){part->time_s * excess, part->compute_s * excess,
                                          part->memory_s * excess};
        terms->time_s += part->time_s;
    }
    terms->work.idle_s = terms->part[MR_STEP_TERM_HOST].time_s;
    terms->work.busy_s = terms->time_s - terms->work.idle_s;
}

/* A sequence's tokens stay together: no part is smaller than one of them. */
double mr_step_parts(const struct mr_step_setup *setup, double n_token)
{
    return fmin(fmax(n_token / (1 + (double)setup->n_draft), 1), setup->parallel.pp);
}

void mr_step_terms(const struct mr_step_setup *setup, const struct mr_batch *batch, double phi,
                   struct mr_step_terms *terms)
{
    const double n_token = batch->n_decode * (1 + (double)setup->n_draft) + batch->chunk_tokens;
    const double n = mr_step_parts(setup, n_token), share = n / (double)setup->parallel.pp;
    const struct mr_batch part = {
        batch->n_decode / n,           batch->kv_tokens / n,       batch->window_kv_tokens / n,
        batch->chunk_tokens / n,       batch->chunk_pairs / n,     batch->n_prompt_end / n,
        batch->chunk_window_pairs / n, batch->chunk_kv_tokens / n, batch->n_growing / n};
    struct mr_work *work = &terms->work;
    mr_step_part_terms(setup, &part, phi, terms);
    /* n parts, each with 1 / pp of the layers */
    for (int f = 0; f < MR_N_FORMAT; f++)
        work->flop[f] *= share;
    work->memory_bytes *= share;
    work->link_bytes *= share;
    work->busy_s *= share;
    work->idle_s = terms->time_s - work->busy_s;
}

/* ---- what is possible ---- */

/* Shards are alike: each has as many query heads as the others, and as many KV heads or a copy of
 * one. Experts need not divide: copies of busy ones fill the groups (models/memory.h). */
static mr_status check_heads(const struct mr_step_setup *setup, struct mr_err *err)
{
    const struct mr_llm_card *llm = setup->llm;
    const uint32_t tp = setup->parallel.tp;
    if (llm->n_head % tp != 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "parallel: tp %u of %llu heads: %s", tp,
                          (unsigned long long)llm->n_head,
                          tp > llm->n_head ? "more shards than heads" : "it must divide them");
    if (llm->attention == MR_LLM_ATTENTION_GQA && llm->n_kv_head % tp != 0 &&
        tp % llm->n_kv_head != 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "parallel: tp %u of %llu KV heads: one must divide the other", tp,
                          (unsigned long long)llm->n_kv_head);
    return MR_OK;
}

mr_status mr_step_check(const struct mr_step_setup *setup, struct mr_err *err)
{
    const struct mr_parallel *p = &setup->parallel;
    const struct mr_llm_card *llm = setup->llm;
    if (p->tp == 0 || p->dp == 0 || p->pp == 0 || p->ep == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "parallel: every factor is at least 1");
    if (llm->n_expert == 0 && p->ep > 1)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "parallel: ep %u, but the LLM has no experts to deal", p->ep);
    if (llm->n_expert > 0 && (uint64_t)p->ep > (uint64_t)p->tp * p->dp)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "parallel: ep %u is more than tp %u x dp %u: experts lie on the same "
                          "packages as attention",
                          p->ep, p->tp, p->dp);
    if (llm->n_expert > 0 && (uint64_t)p->ep * p->moe_tp != (uint64_t)p->tp * p->dp)
        return mr_err_set(
            err, MR_RANGE, MR_NOWHERE,
            "parallel: ep %u x moe_tp %u must be tp %u x dp %u: experts lie on the same "
            "packages as attention",
            p->ep, p->moe_tp, p->tp, p->dp);
    if (llm->n_expert > 0 && p->ep > llm->n_expert)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "parallel: ep %u of %llu experts", p->ep,
                          (unsigned long long)llm->n_expert);
    if (p->moe_tp == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "parallel: every factor is at least 1");
    MR_TRY(check_heads(setup, err));
    if (p->pp > llm->n_layer)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "parallel: pp %u of %llu layers", p->pp,
                          (unsigned long long)llm->n_layer);
    if (setup->accepted != 0 &&
        !(setup->accepted >= 1 && setup->accepted <= 1 + (double)setup->n_draft))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "accepted: a step with %u drafts gives 1 to %u tokens, not %.4g",
                          setup->n_draft, setup->n_draft + 1, setup->accepted);
    if (!(setup->kv_element_bytes > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "keys and values need some bytes");
    const bool is_group = (uint64_t)p->tp * p->dp * p->pp > 1;
    if (is_group && setup->link_bytes_s <= 0 && setup->gpu->nvlink_bytes_s <= 0 &&
        setup->scaleout_bytes_s <= 0 && setup->gpu->scaleout_bytes_s <= 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "parallel: packages without links cannot share a model");
    return MR_OK;
}
