/* SPDX-License-Identifier: Apache-2.0 */
/* LLM cards (models/llms/ID.xml): the shape of a network, and what follows from it: bytes of a
 * token, weights of a layer, FLOP of a token. */
#ifndef MR_MODELS_LLM_H
#define MR_MODELS_LLM_H

#include "engine/base/card.h"
#include "models/work.h"

/* name in files, meaning */
#define MR_LLM_ATTENTION_LIST(X)                                         \
    X(GQA, "gqa", "keys and values of kv_heads heads")                   \
    X(MLA, "mla", "one compressed latent per token, absorbed in decode") \
    X(COMPRESSED, "compressed", "latents of several tokens merged, plus a short window")

enum mr_llm_attention {
#define MR_LLM_ATTENTION_ENUM(name, text, doc) MR_LLM_ATTENTION_##name,
    MR_LLM_ATTENTION_LIST(MR_LLM_ATTENTION_ENUM)
#undef MR_LLM_ATTENTION_ENUM
};

enum {
    MR_LLM_DRAFTS = 8 /* most draft tokens with a published acceptance length */
};

struct mr_llm_card {
    const char *aliases; /* other networks of this very shape, separated by blanks; NULL: none */
    int native_dense, native_experts; /* enum mr_format it is published in; MR_N_FORMAT: any */
    int usual_format; /* of its own files, where others requantize it; MR_N_FORMAT: not said */
    uint64_t n_layer, hidden, n_head, n_kv_head, head_dim;
    uint64_t n_expert, top_k, n_shared_expert, expert_inter, dense_inter, n_first_dense;
    uint64_t n_expert_layer;  /* 0: all but the first dense ones */
    uint64_t n_expert_matrix; /* 3 gated, 2 plain */
    uint64_t expert_width;    /* of routed experts; 0: hidden */
    uint64_t n_vocabulary, context_max;
    double n_param, n_active_param; /* 0: not published */
    int attention;                  /* enum mr_llm_attention */
    double attention_elements;      /* of one layer; 0: by the shape */
    uint64_t n_kv_layer;            /* layers that keep keys and values for every token */
    double kv_elements_per_token;   /* over all these layers */
    double indexer_bytes_per_token; /* sparse attention */
    uint64_t n_index_head;          /* of that index */
    uint64_t sparse_keys;           /* most keys a query attends to; 0: all */
    double window_elements;         /* once per sequence: sliding windows */
    uint64_t window_tokens;         /* length of the sliding window; 0: none */
    uint64_t n_window_layer;        /* layers that see only the window */
    double state_bytes;             /* once per sequence: recurrent state */
    uint64_t n_state_layer;         /* layers with a recurrent state */
    uint64_t q_rank, kv_rank, rope_dim, nope_dim, v_dim; /* MLA */
    double expert_skew;                                  /* imbalance of the busiest rank */
    uint64_t drafts;                /* draft layers it is published with; 0: none known */
    double accepted[MR_LLM_DRAFTS]; /* mean tokens per step with 1..8 drafts; 0: not published */
};

extern const struct mr_card_kind mr_llm_kind;

static inline const struct mr_llm_card *mr_llm_of(const struct mr_card *card)
{
    return card->object;
}

/** KV bytes of one more token [B]: kv_elements x bytes, indexer included. */
double mr_llm_token_bytes(const struct mr_llm_card *llm, double kv_element_bytes);

/** Bytes of a sequence of `n_token` tokens: tokens, windows, state. */
double mr_llm_sequence_bytes(const struct mr_llm_card *llm, double kv_element_bytes,
                             double n_token);

/** Weights of one layer's attention, of one routed expert, of one shared expert, and so on
 *  [elements]. The router includes the way down to the width of the experts and up again. */
double mr_llm_attention_elements(const struct mr_llm_card *llm);
double mr_llm_expert_elements(const struct mr_llm_card *llm);
double mr_llm_shared_elements(const struct mr_llm_card *llm);
double mr_llm_dense_elements(const struct mr_llm_card *llm);
double mr_llm_router_elements(const struct mr_llm_card *llm);
double mr_llm_head_elements(const struct mr_llm_card *llm);

/** Weights of one layer with a recurrent state: what the published sum leaves for it. */
double mr_llm_state_elements(const struct mr_llm_card *llm);

/** Layers by what is in them. A layer may have attention or state, and an MLP or experts. */
uint64_t mr_llm_n_attention_layer(const struct mr_llm_card *llm);
uint64_t mr_llm_n_moe_layer(const struct mr_llm_card *llm);
uint64_t mr_llm_n_dense_layer(const struct mr_llm_card *llm);

/** Where contexts are cut for layers with a window, or keys of sparse attention; 0: nowhere. */
uint64_t mr_llm_window(const struct mr_llm_card *llm);

/** All weights by this arithmetic; the card's own number is the published one. */
double mr_llm_elements(const struct mr_llm_card *llm);

/** Weights that one token uses, the head included and the embedding not. */
double mr_llm_active_elements(const struct mr_llm_card *llm);

/** Attention FLOP per query and key, over one layer; absorbed (decode) or not (prefill). */
double mr_llm_pair_flop(const struct mr_llm_card *llm, bool is_decode);

/** FLOP of the index per query and key, over all layers: scores of its heads in FP8; 0: none. */
double mr_llm_index_flop(const struct mr_llm_card *llm);

#endif
