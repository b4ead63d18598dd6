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
 * unpacked: 2 H (n + r) + 2 H v. */
#include "models/llm.h"

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
    MR_PARAM_N(M, n_layer, "layers", NULL, 1, 10000, "Transformer layers"),
    MR_PARAM_N(M, hidden, "hidden", NULL, 1, 1e6, "Width of the residual stream"),
    MR_PARAM_N(M, n_head, "heads", NULL, 1, 10000, "Query heads"),
    MR_PARAM_N(M, n_kv_head, "kv_heads", NULL, 1, 10000, "Key and value heads; 1 for a latent"),
    MR_PARAM_N(M, head_dim, "head_dim", NULL, 1, 10000, "Size of a head"),
    MR_PARAM_N(M, n_expert, "experts", "0", 0, 100000, "Routed experts of a layer; 0: dense"),
    MR_PARAM_N(M, top_k, "experts.active", "0", 0, 1000, "Routed experts a token visits"),
    MR_PARAM_N(M, n_shared_expert, "experts.shared", "0", 0, 1000, "Experts every token visits"),
    MR_PARAM_N(M, expert_inter, "experts.inner", "0", 0, 1e6, "Inner width of an expert"),
    MR_PARAM_N(M, dense_inter, "dense.inner", "0", 0, 1e7, "Inner width of a dense layer's MLP"),
    MR_PARAM_N(M, n_first_dense, "dense.first", "0", 0, 10000, "First layers that have no experts"),
    MR_PARAM_N(M, n_expert_layer, "experts.layers", "0", 0, 10000, "Layers with experts; 0: all but the first dense ones"),
    MR_PARAM_N(M, n_vocabulary, "vocabulary", NULL, 1, 1e8, "Tokens of the vocabulary"),
    MR_PARAM_N(M, context_max, "context", "0", 0, 1e9, "Longest context; 0: not stated"),
    MR_PARAM(M, n_param, "parameters", MR_Q_COUNT, "0", 0, 1e15, "All weights; 0: not published"),
    MR_PARAM(M, n_active_param, "parameters.active", MR_Q_COUNT, "0", 0, 1e15, "Weights a token uses; 0: not published"),
    MR_PARAM_ONE_OF(M, attention, "attention", attentions, "gqa", "What is kept of a token, and how it is read"),
    MR_PARAM_N(M, n_kv_layer, "kv.layers", NULL, 0, 10000, "Layers that keep every token"),
    MR_PARAM(M, kv_elements_per_token, "kv.elements", MR_Q_COUNT, NULL, 0, 1e9, "Elements kept per token over all these layers"),
    MR_PARAM(M, indexer_bytes_per_token, "kv.indexer", MR_Q_DATA, "0 B", 0, 1e9, "Index of sparse attention, per token"),
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
    ACCEPTED(1), ACCEPTED(2), ACCEPTED(3), ACCEPTED(4), ACCEPTED(5), ACCEPTED(6), ACCEPTED(7), ACCEPTED(8),
};
#undef ACCEPTED
#undef M
// clang-format on

static const struct mr_param_table table = {"llm", "One language model; files models/llms/ID.xml.",
                                            rows, sizeof rows / sizeof *rows};

const struct mr_card_kind mr_llm_kind = {"llm", "models/llms", &table, sizeof(struct mr_llm_card),
                                         NULL};

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
    if (llm->q_rank == 0)
        return h * (double)llm->head_dim * (2 * heads + 2 * (double)llm->n_kv_head);
    const double q = (double)llm->q_rank, c = (double)llm->kv_rank, r = (double)llm->rope_dim;
    const double n = (double)llm->nope_dim, v = (double)llm->v_dim;
    return h * q + q * heads * (n + r) + h * (c + r) + c * heads * (n + v) + heads * v * h;
}

double mr_llm_expert_elements(const struct mr_llm_card *llm)
{
    return 3 * (double)llm->hidden * (double)llm->expert_inter;
}

double mr_llm_dense_elements(const struct mr_llm_card *llm)
{
    return 3 * (double)llm->hidden * (double)llm->dense_inter;
}

double mr_llm_router_elements(const struct mr_llm_card *llm)
{
    return (double)llm->hidden * (double)llm->n_expert;
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

/* Everything but the layers with a state. */
static double stateless_elements(const struct mr_llm_card *llm)
{
    const double experts = (double)(llm->n_expert + llm->n_shared_expert);
    return (double)mr_llm_n_attention_layer(llm) * mr_llm_attention_elements(llm) +
           (double)mr_llm_n_dense_layer(llm) * mr_llm_dense_elements(llm) +
           (double)mr_llm_n_moe_layer(llm) *
               (experts * mr_llm_expert_elements(llm) + mr_llm_router_elements(llm)) +
           2 * mr_llm_head_elements(llm); /* embedding and head */
}

double mr_llm_state_elements(const struct mr_llm_card *llm)
{
    const double left = llm->n_param - stateless_elements(llm);
    return llm->n_state_layer > 0 && left > 0 ? left / (double)llm->n_state_layer : 0;
}

double mr_llm_elements(const struct mr_llm_card *llm)
{
    return stateless_elements(llm) + (double)llm->n_state_layer * mr_llm_state_elements(llm);
}

uint64_t mr_llm_window(const struct mr_llm_card *llm)
{
    return llm->window_tokens > 0 ? llm->window_tokens : llm->sparse_keys;
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
