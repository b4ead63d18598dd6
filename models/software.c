/* SPDX-License-Identifier: Apache-2.0 */
/* The table of software figures. Defaults are what an operator table of a large open planner
 * assumes, without any fit. */
#include "models/software.h"

// clang-format off
#define S struct mr_software_card
static const struct mr_param rows[] = {
    MR_PARAM_STR(S, fitted_models, "fitted.models", NULL, "LLM cards it was fitted on, separated by blanks; none: no fit"),
    MR_PARAM(S, host_s, "host", MR_Q_TIME, "2 ms", 0, 1, "Scheduler, launch and sampling of a step; does not scale with the clock"),
    MR_PARAM(S, layer_s, "layer", MR_Q_TIME, "10 us", 0, 1, "Launches and small kernels of one layer"),
    MR_PARAM(S, memory_frac, "memory.dense", MR_Q_FRACTION, "0.8", 0.01, 1, "Share of memory bandwidth that dense weights stream at"),
    MR_PARAM(S, expand_frac, "expand.share", MR_Q_FRACTION, "1", 0.05, 1, "Share of both rates that is left to weights in a format the package has no path for"),
    MR_PARAM(S, expert_memory_frac, "memory.experts", MR_Q_FRACTION, "0.8", 0.01, 1, "Share of memory bandwidth that experts stream at"),
    MR_PARAM(S, kv_frac, "memory.kv", MR_Q_FRACTION, "0.8", 0.01, 1, "Share of memory bandwidth that keys and values stream at"),
    MR_PARAM(S, flop_frac, "flop.dense", MR_Q_FRACTION, "0.75", 0.01, 1, "Share of the peak rate that large dense products reach"),
    MR_PARAM(S, expert_flop_frac, "flop.experts", MR_Q_FRACTION, "0.65", 0.01, 1, "Share of the peak rate that large grouped products reach"),
    MR_PARAM(S, attention_frac, "flop.attention", MR_Q_FRACTION, "0.5", 0.01, 1, "Share of the BF16 rate that prefill attention reaches"),
    MR_PARAM(S, half_rows, "flop.half_rows", MR_Q_COUNT, "96", 1, 1e5, "Rows that a large BF16 product loses to ramps, a small one as many as it has; more as other formats are faster"),
    MR_PARAM(S, expert_half_rows, "flop.expert_half_rows", MR_Q_COUNT, "24", 0.1, 1e5, "The same for grouped products, rows per expert"),
    MR_PARAM(S, join_exponent, "join", MR_Q_COUNT, "8", 1, 100, "How sharply compute and memory time join: (c^p + m^p)^(1/p)"),
    MR_PARAM(S, distinct_exponent, "experts.distinct", MR_Q_COUNT, "1", 0.3, 1.5, "Distinct experts touched by N tokens are those of N^x uniform ones"),
    MR_PARAM(S, imbalance, "experts.imbalance", MR_Q_COUNT, "1", 1, 10, "Time of the busiest rank over the mean"),
    MR_PARAM(S, reduce_s, "reduce.start", MR_Q_TIME, "5 us", 0, 1, "Start of a tensor-parallel all-reduce, without the latency of its links; longer by 0.3 per doubling of the packages"),
    MR_PARAM(S, reduce_frac, "reduce.share", MR_Q_FRACTION, "0.8", 0.01, 1, "Share of link bandwidth that an all-reduce reaches"),
    MR_PARAM_YES(S, reduces_in_switch, "reduce.in_switch", "yes", "All-reduces may be left to switches that can add"),
    MR_PARAM(S, exchange_s, "exchange.start", MR_Q_TIME, "8 us", 0, 1, "Start of an expert-parallel exchange"),
    MR_PARAM(S, exchange_frac, "exchange.share", MR_Q_FRACTION, "0.8", 0.01, 1, "Share of link bandwidth that an exchange reaches"),
    MR_PARAM(S, mixed_prefill, "prefill.mixed", MR_Q_COUNT, "1", 0.1, 5, "Time of a prefill inside steps that also decode, over alone"),
    MR_PARAM(S, disaggregated, "decode.disaggregated", MR_Q_COUNT, "1", 0.1, 2, "Step of a decode-only instance over that of a mixed one"),
    MR_PARAM(S, burst, "prefill.burst", MR_Q_FRACTION, "0.1", 0, 1, "Share of the other prompts in flight that stand before a new one, beyond chance: equal requests stay in step"),
    MR_PARAM(S, prefill_start_s, "prefill.start", MR_Q_TIME, "0 s", 0, 10, "Per prompt: tokenizer, scheduler, first launch"),
    MR_PARAM(S, prefill_layer_s, "prefill.layer", MR_Q_TIME, "0 s", 0, 1, "Per prompt and layer: launches of kernels that no graph holds"),
    MR_PARAM(S, memory_share, "memory.share", MR_Q_FRACTION, "0.9", 0.1, 1, "Share of a package's memory that the engine takes"),
    MR_PARAM(S, reserve_bytes, "memory.reserve", MR_Q_DATA, "3.87 GB", 0, 1e12, "Activations and collectives, per package"),
    MR_PARAM_N(S, block_tokens, "block", "16", 1, 100000, "Tokens of a KV block"),
    MR_PARAM_N(S, chunk_tokens, "chunk", "8192", 1, 1e9, "Most tokens of a step"),
};
#undef S
// clang-format on

static const struct mr_param_table table = {"software",
                                            "One serving engine; files models/software/ID.xml.",
                                            rows, sizeof rows / sizeof *rows};

const struct mr_card_kind mr_software_kind = {"software", "models/software", &table,
                                              sizeof(struct mr_software_card), NULL};

void mr_software_defaults(struct mr_software_card *card)
{
    uint8_t origin[sizeof rows / sizeof *rows] = {0};
    *card = (struct mr_software_card){0};
    mr_param_defaults(&(struct mr_param_target){&table, card, origin, NULL, "software"});
}

bool mr_software_knows(const struct mr_software_card *card, const char *llm_id)
{
    struct mr_str rest = mr_str_of(card->fitted_models != NULL ? card->fitted_models : "");
    if (rest.n == 0)
        return true;
    while (rest.n > 0) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ' ')
            n++;
        if (mr_str_is((struct mr_str){rest.p, n}, llm_id))
            return true;
        rest = mr_str_trim((struct mr_str){rest.p + n, rest.n - n});
    }
    return false;
}
