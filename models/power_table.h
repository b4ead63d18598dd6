/* SPDX-License-Identifier: Apache-2.0 */
/* Measured power of single operators (matrix products, attention of prompts, attention of decodes)
 * against the model of models/power.h: what the card's figures are worth.
 *
 * Columns by name. Matrix products: gemm_dtype, m, n, k. Attention: op_name (context_attention,
 * generation_attention), batch_size, isl, step, num_heads, num_key_value_heads, head_dim,
 * window_size, attn_dtype, kv_cache_dtype. Both: latency [ms], power [W], power_limit [W].
 *
 * A row's power is what a sensor said while a short run repeated the operator, and the sensor
 * remembers: see power_table.c for the run and the sensor. Both are predicted: `steady_w`, what the
 * operator would draw if it ran for long, and `reading_w`, what that sensor would say. */
#ifndef MR_MODELS_POWER_TABLE_H
#define MR_MODELS_POWER_TABLE_H

#include "models/power.h"

/* kind, operator, type of numbers, format of the products, time between two runs [s] */
#define MR_POWER_TABLE_KINDS(X)                                            \
    X(GEMM_BF16, "gemm", "bfloat16", MR_FORMAT_BF16, 0.03)                 \
    X(GEMM_FP8, "gemm", "fp8", MR_FORMAT_FP8, 0.15)                        \
    X(GEMM_FP8_BLOCK, "gemm", "fp8_block", MR_FORMAT_FP8, 1.0)             \
    X(GEMM_NVFP4, "gemm", "nvfp4", MR_FORMAT_NVFP4, 0.7)                   \
    X(CONTEXT_BF16, "context_attention", "bfloat16", MR_FORMAT_BF16, 0.04) \
    X(CONTEXT_FP8, "context_attention", "fp8", MR_FORMAT_FP8, 0.04)        \
    X(GENERATION, "generation_attention", "bfloat16", MR_FORMAT_BF16, 0.55)

enum mr_power_table_kind {
#define MR_POWER_TABLE_ENUM(name, op, type, format, gap_s) MR_POWER_TABLE_##name,
    MR_POWER_TABLE_KINDS(MR_POWER_TABLE_ENUM)
#undef MR_POWER_TABLE_ENUM
    MR_POWER_TABLE_N_KIND
};

struct mr_power_row {
    int kind;         /* enum mr_power_table_kind */
    int line;         /* of the file */
    bool is_held_out; /* half of the rows, by a hash of their shape */
    bool is_first;    /* of its file, or of a shape whose kernels had to be built first */
    double latency_s; /* of one operator */
    double run_s;     /* the run that was measured */
    double flop, memory_bytes;
    double cores_frac; /* of the package's cores that get a block of the work */
    double limit_w, measured_w;
    double steady_w, reading_w; /* mr_power_table_predict */
};

struct mr_power_table {
    struct mr_power_row *row;
    size_t n, cap;
};

/* |predicted / measured - 1| over the rows of a selection */
struct mr_power_score {
    size_t n;
    double median, mean, p90;
    double bias; /* mean of predicted / measured - 1 */
};

/* Which rows; zero-initialized fields select all. */
struct mr_power_select {
    const char *op;     /* NULL: any */
    const char *type;   /* NULL: any */
    int held_out;       /* 0 any, 1 fitted rows, 2 held-out rows */
    double run_least_s; /* rows of shorter runs are left out */
    bool is_steady;     /* score steady_w, not reading_w */
};

const char *mr_power_table_op(int kind);
const char *mr_power_table_type(int kind);

/** Append a file's rows (plain or gzip). @param[in,out] table zero before the first file */
MR_CHECKED mr_status mr_power_table_read(const char *path, struct mr_power_table *table,
                                         struct mr_err *err);
void mr_power_table_fini(struct mr_power_table *table);

/** Fill steady_w and reading_w of all rows, in their order: the sensor remembers. */
void mr_power_table_predict(struct mr_power_table *table, const struct mr_power *power);

/** @param[out] score all 0 when nothing is selected @return MR_OK or MR_NOMEM */
MR_CHECKED mr_status mr_power_table_score(const struct mr_power_table *table,
                                          const struct mr_power_select *select,
                                          struct mr_power_score *score, struct mr_err *err);

#endif
