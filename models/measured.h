/* SPDX-License-Identifier: Apache-2.0 */
/* Measured rows of served models: what ran, under which load, and how long tokens took. Columns are
 * found by name; inputs that a file lacks are left unknown and never guessed from its answers.
 *
 * needed     system, model or model_path, isl, osl, concurrency or batch_size, and silicon_ttft_ms
 * and silicon_tpot_ms, or ttft_ms and tpot_ms optional   id, precision, gemm_quant_mode,
 * moe_quant_mode, backend, mode (agg, disagg), tp_size, pp_size, attention_dp_size, moe_tp_size,
 * moe_ep_size, the same with prefill_ and decode_ before, prefill_num_workers, decode_num_workers;
 * mtp (drafts), accepted (mean tokens per step with them), max_num_seqs, num_gpu_blocks (of a
 * decoding instance), protocol (closed, burst, poisson). A blank precision is that of the LLM's own
 * files. */
#ifndef MR_MODELS_MEASURED_H
#define MR_MODELS_MEASURED_H

#include "engine/base/arena.h"
#include "engine/base/shelf.h"
#include "models/steady.h"

/* Why a row is not scored; the first that applies. Rows of one measurement (system, LLM, mode, load
 * and times agree) count once, by the row that says most. */
#define MR_MEASURED_FATE_LIST(X)                                                 \
    X(GOOD, "good", "scored")                                                    \
    X(DUPLICATE, "duplicate", "another row of the same measurement")             \
    X(NO_LLM, "no-llm", "no card for this model")                                \
    X(NO_GPU, "no-gpu", "no card for this system")                               \
    X(NO_LOAD, "no-load", "neither concurrency nor batch size")                  \
    X(COUNT, "bad-count", "a count below 1, with a fraction, or beyond any use") \
    X(FORMAT, "bad-format", "a precision that is not modeled")                   \
    X(LONG, "too-long", "prompt and output exceed the context of the LLM")       \
    X(LAYOUT, "bad-layout", "packages cannot share the LLM like this")           \
    X(FIT, "no-fit", "the LLM does not fit into the memory of its packages")

enum mr_measured_fate {
#define MR_MEASURED_FATE_ENUM(name, text, doc) MR_MEASURED_FATE_##name,
    MR_MEASURED_FATE_LIST(MR_MEASURED_FATE_ENUM)
#undef MR_MEASURED_FATE_ENUM
    MR_MEASURED_FATES
};

struct mr_measured_row {
    const char *id, *system, *model, *backend; /* in the set's arena; "" when not said */
    const struct mr_gpu_card *gpu;
    const struct mr_llm_card *llm;
    const char *llm_id;
    int fate; /* enum mr_measured_fate */
    bool is_split, knows_workers, knows_drafts;
    bool has_counts;                 /* those that are given can be */
    int dense_format, expert_format; /* -1: not modeled */
    double kv_element_bytes;
    struct mr_parallel mixed, prefill, decode;
    double n_prefill, n_decode; /* instances; 1 when not known */
    double input, output, concurrency, n_sequence_max;
    double accepted;  /* tokens per step with drafts; 0: not said */
    uint64_t n_block; /* 0: what fits */
    int protocol;     /* enum mr_steady_protocol */
    uint32_t n_draft;
    double ttft_s, tpot_s;
    uint64_t
        config; /* hash of everything but concurrency: rows of one configuration stay together */
    int line;
};

struct mr_measured {
    struct mr_measured_row *row;
    size_t n, cap;
    size_t n_fate[MR_MEASURED_FATES];
    bool has_holdout; /* stated: holdout_frac; else fits do not see half of the configurations */
    double holdout_frac;
    const char *strange; /* names of columns that mean nothing here, of all files; NULL: none */
    struct mr_arena arena;
};

const char *mr_measured_fate_name(int fate);

/** The LLM card whose id or alias a model path begins with, the longest; NULL: none.
 *  @param[in] ids of the LLM cards @param[out] id of the card */
const struct mr_llm_card *mr_measured_llm(struct mr_shelf *shelf, const struct mr_shelf_list *ids,
                                          struct mr_str model, const char **id);

/** The format (enum mr_format) that a file names like this; -1: none that is modeled. */
int mr_measured_format(struct mr_str name);

/** Read a file. Rows that cannot be used are kept with their fate; malformed ones are errors.
 *  @param[in] shelf of the cards; they live as long as it
 *  @param[in,out] set zero before the first file; mr_measured_fini */
MR_CHECKED mr_status mr_measured_read(const char *path, struct mr_shelf *shelf,
                                      struct mr_measured *set, struct mr_err *err);
/** The error of a file that has only a header, whatever it measures. */
MR_CHECKED mr_status mr_measured_no_rows(const char *path, struct mr_err *err);
void mr_measured_fini(struct mr_measured *set);

#endif
