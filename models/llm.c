/* SPDX-License-Identifier: Apache-2.0 */
/* The table of LLM figures, and arithmetic on them.
 *
 * Elements of one layer, h hidden, H heads, K kv heads, d head size:
 *   GQA  h d (2H + 2K)                 queries and output, keys and values
 *   MLA  h q + q H (n + r) + h (c + r) + c H (n + v) + H v h
 *        down and up to queries (q rank; n without, r with position), down to the latent (c) and
 * the shared rotary key, up to keys and values, output MLP  3 h i, gated; an expert the same with
 * its own i; router h E; head h V FLOP per query and key, one layer: GQA 4 H d. MLA in decode reads
 * the latent itself: scores over c + r, sums over c: 2 H (c + r) + 2 H c; in prefill it is
 * unpacked: 2 H (n + r) + 2 H v.
 * Experts may be plain (2 matrices) and may work on a narrower width w than the stream's, then
 * every such layer has a way down and up, 2 h w; shared experts keep the full width. */
#include "models/llm.h"

#include <inttypes.h>

static const char *const formats[] = {
#define FORMAT_TEXT(name, text, bytes) text,
    MR_FORMAT_LIST(FORMAT_TEXT)
#undef FORMAT_TEXT
        "any"};

static const char *const attentions[] = {
#define ATTENTION_TEXT(name, text, doc) text,
    MR_LLM_ATTENTION_LIST(ATTENTION_TEXT)
#undef ATTENTION_TEXT
};

// clang-format off
#define M struct mr_llm_card
#define ACCEPTED(k) \
    {.name = "accepted." #k, .doc = "Mean tokens per step with " #k " drafts; 0: not published", .fallback = "0", \
     .offset = offsetof(M, accepted) + ((k) - 1) * sizeof(double), .kind = MR_PARAM_QUANTITY, .quantity = MR_Q_COUNT, .min = 0, .max = (k) + 1}
static const struct mr_param rows[] = {
    MR_PARAM_STR(M, aliases, "aliases", NULL, "Other networks of this very shape, separated by blanks"),
    MR_PARAM_ONE_OF(M, usual_format, "published.format", formats, "bf16", "Format of its own files where others requantize it"),
    MR_PARAM_ONE_OF(M, native_dense, "native.dense", formats, "any", "Format that all but the experts are published in"),
    MR_PARAM_ONE_OF(M, native_experts, "native.experts", formats, "any", "Format that the experts are published in"),
    MR_PARAM_N(M, n_layer, "layers", NULL, 1, 10000, "Transformer layers"),
    MR_PARAM_N(M, hidden, "hidden", NULL, 1, 1e6, "Width of the residual stream"),
    MR_PARAM_N(M, n_head, "heads", NULL, 1, 10000, "Query heads"),
    MR_PARAM_N(M, n_kv_head, "kv_heads", NULL, 1, 10000, "Key and value heads; 1 for a latent"),
    MR_PARAM_N(M, head_dim, "head_dim", NULL, 1, 10000, "Size of a head"),
    MR_PARAM_N(M, n_expert, "experts", "0", 0, 100000, "Routed experts of a layer; 0: dense"),
    MR_PARAM_N(M, top_k, "experts.active", "0", 0, 1000, "Routed experts a token visits"),
    MR_PARAM_N(M, n_shared_expert, "experts.shared", "0", 0, 1000, "Experts every token visits"),
    MR_PARAM_N(M, expert_inter, "experts.inner", "0", 0, 1e6, "Inner width of an expert"),
    MR_PARAM_N(M, n_expert_matrix, "experts.matrices", "3", 2, 3, "Matrices of an expert: 3 gated, 2 plain"),
    MR_PARAM_N(M, expert_width, "experts.width", "0", 0, 1e6, "Width that routed experts work on; 0: that of the residual stream"),
    MR_PARAM_N(M, dense_inter, "dense.inner", "0", 0, 1e7, "Inner width of a dense layer's MLP"),
    MR_PARAM_N(M, n_first_dense, "dense.first", "0", 0, 10000, "First layers that have no experts"),
    MR_PARAM_N(M, n_expert_layer, "experts.layers", "0", 0, 10000, "Layers with experts; 0: all but the first dense ones"),
    MR_PARAM_N(M, n_vocabulary, "vocabulary", NULL, 1, 1e8, "Tokens of the vocabulary"),
    MR_PARAM_N(M, context_max, "context", "0", 0, 1e9, "Longest context; 0: not stated"),
    MR_PARAM(M, n_param, "parameters", MR_Q_COUNT, "0", 0, 1e15, "All weights; 0: not published"),
    MR_PARAM(M, n_active_param, "parameters.active", MR_Q_COUNT, "0", 0, 1e15, "Weights a token uses; 0: not published"),
    MR_PARAM_ONE_OF(M, attention, "attention", attentions, "gqa", "What is kept of a token, and how it is read"),
    MR_PARAM(M, attention_elements, "attention.elements", MR_Q_COUNT, "0", 0, 1e12, "Weights of one layer's attention; 0: what the shape says"),
    MR_PARAM_N(M, n_kv_layer, "kv.layers", NULL, 0, 10000, "Layers that keep every token"),
    MR_PARAM(M, kv_elements_per_token, "kv.elements", MR_Q_COUNT, NULL, 0, 1e9, "Elements kept per token over all these layers"),
    MR_PARAM(M, indexer_bytes_per_token, "kv.indexer", MR_Q_DATA, "0 B", 0, 1e9, "Index of sparse attention, per token"),
    MR_PARAM_N(M, n_index_head, "kv.indexer_heads", "64", 0, 10000, "Heads of the index of sparse attention; no matter without one"),
    MR_PARAM_N(M, sparse_keys, "kv.sparse_keys", "0", 0, 1e9, "Keys a query attends to at most; 0: all"),
    MR_PARAM(M, window_elements, "window.elements", MR_Q_COUNT, "0", 0, 1e12, "Elements of all sliding windows of a sequence"),
    MR_PARAM_N(M, window_tokens, "window.tokens", "0", 0, 1e9, "Length of the sliding window; 0: none"),
    MR_PARAM_N(M, n_window_layer, "window.layers", "0", 0, 10000, "Layers that see the window only"),
    MR_PARAM(M, state_bytes, "state", MR_Q_DATA, "0 B", 0, 1e12, "Recurrent state of a sequence"),
    MR_PARAM_N(M, n_state_layer, "state.layers", "0", 0, 10000, "Layers with a recurrent state"),
    MR_PARAM_N(M, q_rank, "mla.q_rank", "0", 0, 1e6, "Rank of the queries"),
    MR_PARAM_N(M, kv_rank, "mla.kv_rank", "0", 0, 1e6, "Rank of the latent"),
    MR_PARAM_N(M, rope_dim, "mla.rope", "0", 0, 1e6, "Rotary part of a key, shared by all heads"),
    MR_PARAM_N(M, nope_dim, "mla.nope", "0", 0, 1e6, "Part of a key without position"),
    MR_PARAM_N(M, v_dim, "mla.value", "0", 0, 1e6, "Size of a value"),
    MR_PARAM(M, expert_skew, "experts.skew", MR_Q_COUNT, "1", 1, 100, "Load of the busiest rank over the mean, beyond chance"),
    MR_PARAM_N(M, drafts, "drafts", "0", 0, 100, "Draft layers it is published with; 0: none known"),
    ACCEPTED(1), ACCEPTED(2), ACCEPTED(3), ACCEPTED(4), ACCEPTED(5), ACCEPTED(6), ACCEPTED(7), ACCEPTED(8),
};
#undef ACCEPTED
#undef M
// clang-format on

static const struct mr_param_table table = {"llm", "One language model; files models/llms/ID.xml.",
                                            rows, sizeof rows / sizeof *rows};

static bool is_gqa(const struct mr_llm_card *llm)
{
    return llm->attention == MR_LLM_ATTENTION_GQA;
}

static void check_experts(const struct mr_card *card, struct mr_diags *diags)
{
    const struct mr_llm_card *llm = card->object;
    if (llm->top_k > llm->n_expert)
        mr_card_refuse(card, "experts.active", diags, "%" PRIu64 " of %" PRIu64 " experts",
                       llm->top_k, llm->n_expert);
    if (llm->n_expert > 0 && (llm->top_k == 0 || llm->expert_inter == 0))
        mr_card_refuse(card, "experts", diags,
                       "experts need experts.active and experts.inner above 0");
    if (llm->n_expert == 0 && (llm->n_shared_expert > 0 || llm->n_expert_layer > 0))
        mr_card_refuse(card, "experts", diags, "there are none, but shared ones or layers of them");
    if (llm->n_first_dense > llm->n_layer ||
        llm->n_expert_layer > llm->n_layer - llm->n_first_dense)
        mr_card_refuse(card, "experts.layers", diags,
                       "%" PRIu64 " layers with experts and %" PRIu64 " dense ones of %" PRIu64,
                       llm->n_expert_layer, llm->n_first_dense, llm->n_layer);
    if ((llm->n_expert == 0 || llm->n_first_dense > 0) && llm->dense_inter == 0)
        mr_card_refuse(card, "dense.inner", diags, "dense layers need it");
}

static void check_layers(const struct mr_card *card, struct mr_diags *diags)
{
    const struct mr_llm_card *llm = card->object;
    const uint64_t n = llm->n_kv_layer + llm->n_window_layer + llm->n_state_layer;
    if (n == 0 || n > llm->n_layer)
        mr_card_refuse(card, "kv.layers", diags,
                       "%" PRIu64 " layers keep tokens, windows or a state, of %" PRIu64, n,
                       llm->n_layer);
    if ((llm->state_bytes > 0) != (llm->n_state_layer > 0))
        mr_card_refuse(card, "state", diags, "a state and layers that have it go together");
    if ((llm->window_elements > 0) != (llm->window_tokens > 0) ||
        (llm->n_window_layer > 0 && llm->window_tokens == 0))
        mr_card_refuse(card, "window.tokens", diags, "a window has tokens, and elements of them");
}

/* What one token leaves behind follows from the shape, but for merged latents. */
static void check_kv(const struct mr_card *card, struct mr_diags *diags)
{
    const struct mr_llm_card *llm = card->object;
    const double layers = (double)llm->n_kv_layer;
    const double gqa = layers * 2 * (double)llm->n_kv_head * (double)llm->head_dim;
    const double mla = layers * (double)(llm->kv_rank + llm->rope_dim);
    const double kept = llm->kv_elements_per_token;
    if (llm->n_head % llm->n_kv_head != 0)
        mr_card_refuse(card, "kv_heads", diags, "%" PRIu64 " heads cannot share %" PRIu64,
                       llm->n_head, llm->n_kv_head);
    if (is_gqa(llm) && kept != gqa)
        mr_card_refuse(card, "kv.elements", diags,
                       "%.0f, but 2 x layers x kv_heads x head_dim is %.0f", kept, gqa);
    if (llm->attention == MR_LLM_ATTENTION_MLA &&
        (llm->kv_rank == 0 || llm->q_rank == 0 || llm->nope_dim == 0 || llm->v_dim == 0))
        mr_card_refuse(card, "attention", diags,
                       "mla needs mla.q_rank, mla.kv_rank, mla.nope and mla.value");
    else if (llm->attention == MR_LLM_ATTENTION_MLA && kept != mla)
        mr_card_refuse(card, "kv.elements", diags, "%.0f, but layers x (kv_rank + rope) is %.0f",
                       kept, mla);
    if (llm->attention == MR_LLM_ATTENTION_COMPRESSED && kept >= layers * (double)llm->head_dim)
        mr_card_refuse(card, "kv.elements", diags, "%.0f are not fewer than one latent per token",
                       kept);
}

static void check(const struct mr_card *card, struct mr_diags *diags)
{
    const struct mr_llm_card *llm = card->object;
    double least = 1;
    check_experts(card, diags);
    check_layers(card, diags);
    check_kv(card, diags);
    if (llm->n_param > 0 && llm->n_active_param > llm->n_param)
        mr_card_refuse(card, "parameters.active", diags, "more than all of them");
    for (int k = 0; k < MR_LLM_DRAFTS; k++) {
        if (llm->accepted[k] == 0)
            continue;
        char name[] = "accepted.1";
        name[sizeof name - 2] = (char)('1' + k);
        if (llm->accepted[k] < least)
            mr_card_refuse(card, name, diags, "fewer tokens per step than without the last draft");
        least = llm->accepted[k];
    }
}

const struct mr_card_kind mr_llm_kind = {"llm", "models/llms", &table, sizeof(struct mr_llm_card),
                                         check};

double mr_llm_token_bytes(const struct mr_llm_card *llm, double kv_element_bytes)
{
    return llm->kv_elements_per_token * kv_element_bytes + llm->indexer_bytes_per_token;
}

double mr_llm_sequence_bytes(const struct mr_llm_card *llm, double kv_element_bytes, double n_token)
{
    return n_token * mr_llm_token_bytes(llm, kv_element_bytes) +
           llm->window_elements * kv_element_bytes + llm->state_bytes;
}

double mr_llm_attention_elements(const struct mr_llm_card *llm)
{
    const double h = (double)llm->hidden, heads = (double)llm->n_head;
    if (llm->attention_elements > 0)
        return llm->attention_elements;
    if (llm->q_rank == 0)
        return h * (double)llm->head_dim * (2 * heads + 2 * (double)llm->n_kv_head);
    const double q = (double)llm->q_rank, c = (double)llm->kv_rank, r = (double)llm->rope_dim;
    const double n = (double)llm->nope_dim, v = (double)llm->v_dim;
    return h * q + q * heads * (n + r) + h * (c + r) + c * heads * (n + v) + heads * v * h;
}

double mr_llm_expert_elements(const struct mr_llm_card *llm)
{
    const uint64_t width = llm->expert_width > 0 ? llm->expert_width : llm->hidden;
    return (double)llm->n_expert_matrix * (double)width * (double)llm->expert_inter;
}

double mr_llm_shared_elements(const struct mr_llm_card *llm)
{
    return (double)llm->n_expert_matrix * (double)llm->hidden * (double)llm->expert_inter;
}

double mr_llm_dense_elements(const struct mr_llm_card *llm)
{
    return 3 * (double)llm->hidden * (double)llm->dense_inter;
}

double mr_llm_router_elements(const struct mr_llm_card *llm)
{
    return (double)llm->hidden * ((double)llm->n_expert + 2 * (double)llm->expert_width);
}

double mr_llm_head_elements(const struct mr_llm_card *llm)
{
    return (double)llm->hidden * (double)llm->n_vocabulary;
}

uint64_t mr_llm_n_attention_layer(const struct mr_llm_card *llm)
{
    return llm->n_kv_layer + llm->n_window_layer;
}

uint64_t mr_llm_n_moe_layer(const struct mr_llm_card *llm)
{
    if (llm->n_expert == 0)
        return 0;
    if (llm->n_expert_layer > 0)
        return llm->n_expert_layer;
    return llm->n_layer > llm->n_first_dense ? llm->n_layer - llm->n_first_dense : 0;
}

uint64_t mr_llm_n_dense_layer(const struct mr_llm_card *llm)
{
    return llm->n_expert == 0 ? llm->n_layer : llm->n_first_dense;
}

/* Everything but the layers with a state, when a layer has this many experts at work and there are
 * this many matrices of the vocabulary. */
static double stateless_elements(const struct mr_llm_card *llm, uint64_t n_expert, int n_vocabulary)
{
    const double experts = (double)n_expert * mr_llm_expert_elements(llm) +
                           (double)llm->n_shared_expert * mr_llm_shared_elements(llm);
    return (double)mr_llm_n_attention_layer(llm) * mr_llm_attention_elements(llm) +
           (double)mr_llm_n_dense_layer(llm) * mr_llm_dense_elements(llm) +
           (double)mr_llm_n_moe_layer(llm) * (experts + mr_llm_router_elements(llm)) +
           n_vocabulary * mr_llm_head_elements(llm);
}

enum {
    embedding_and_head = 2,
    head_alone = 1
};

double mr_llm_state_elements(const struct mr_llm_card *llm)
{
    const double left = llm->n_param - stateless_elements(llm, llm->n_expert, embedding_and_head);
    return llm->n_state_layer > 0 && left > 0 ? left / (double)llm->n_state_layer : 0;
}

double mr_llm_elements(const struct mr_llm_card *llm)
{
    return stateless_elements(llm, llm->n_expert, embedding_and_head) +
           (double)llm->n_state_layer * mr_llm_state_elements(llm);
}

double mr_llm_active_elements(const struct mr_llm_card *llm)
{
    return stateless_elements(llm, llm->top_k, head_alone) +
           (double)llm->n_state_layer * mr_llm_state_elements(llm);
}

uint64_t mr_llm_window(const struct mr_llm_card *llm)
{
    return llm->window_tokens > 0 ? llm->window_tokens : llm->sparse_keys;
}

double mr_llm_index_flop(const struct mr_llm_card *llm)
{
    return 2 * (double)llm->n_index_head * llm->indexer_bytes_per_token;
}

double mr_llm_pair_flop(const struct mr_llm_card *llm, bool is_decode)
{
    const double heads = (double)llm->n_head;
    const double c = (double)llm->kv_rank, r = (double)llm->rope_dim;
    if (llm->attention == MR_LLM_ATTENTION_GQA || llm->q_rank == 0)
        return 4 * heads * (double)llm->head_dim;
    return is_decode ? 2 * heads * (c + r) + 2 * heads * c
                     : 2 * heads * ((double)llm->nope_dim + r) + 2 * heads * (double)llm->v_dim;
}
