/* SPDX-License-Identifier: Apache-2.0 */
/* Cards of serving software (models/software/ID.xml): how much of the hardware an engine uses and
 * what it adds. These are the numbers that calibration fits; the card "spec" has the published
 * ones. */
#ifndef MR_MODELS_SOFTWARE_H
#define MR_MODELS_SOFTWARE_H

#include "engine/base/card.h"

struct mr_software_card {
    const char
        *fitted_models; /* ids of the LLMs it was fitted on, separated by blanks; NULL: no fit */
    double host_s, layer_s;                          /* per step; per layer of a step */
    double memory_frac, expert_memory_frac, kv_frac; /* of memory bandwidth: weights, experts, KV */
    double expand_frac; /* of both rates that is left where weights are expanded as they are read */
    double flop_frac, expert_flop_frac, attention_frac; /* of the peak rate, for many rows */
    double expert_half_rows; /* the same for grouped products, whose tiles are smaller */
    double half_rows;        /* that a large BF16 product loses */
    double join_exponent;    /* (compute^p + memory^p)^(1/p) */
    double distinct_exponent, imbalance; /* experts touched ~ N^x; busiest rank */
    double reduce_s, reduce_frac;        /* TP all-reduce: start; of link bandwidth */
    bool reduces_in_switch;              /* where the domain's switches can add */
    double exchange_s, exchange_frac;    /* EP all-to-all */
    double mixed_prefill;                /* prefill time in a step that also decodes */
    double disaggregated;   /* decode step of a decode-only instance over that of a mixed one */
    double burst;           /* share of the prompts in flight that a first token waits for */
    double prefill_start_s; /* per prompt: tokenizer, scheduler */
    double prefill_layer_s; /* per prompt and layer: launches that no graph holds */
    double memory_share;    /* of a package's memory given to the engine */
    double reserve_bytes;
    uint64_t block_tokens, chunk_tokens;
};

extern const struct mr_card_kind mr_software_kind;

/** Every figure as the table has it: no fit. */
void mr_software_defaults(struct mr_software_card *card);

/** Was it fitted on this LLM, or on none? Fits mislead on families they never saw: the card "spec"
 * is the better guess there. */
bool mr_software_knows(const struct mr_software_card *card, const char *llm_id);

static inline const struct mr_software_card *mr_software_of(const struct mr_card *card)
{
    return card->object;
}

#endif
