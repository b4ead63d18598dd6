/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of models/step share: plain cards whose answers can be reckoned by hand. */
#ifndef MR_TESTS_MODELS_STEP_BED_H
#define MR_TESTS_MODELS_STEP_BED_H

#include "models/step.h"
#include "tests/test.h"

#include <math.h>

/* A package of round numbers: 1 Pflop/s in every format it has, 1 TB/s, 100 GB/s links. */
static inline struct mr_gpu_card plain_gpu(void)
{
    return (struct mr_gpu_card){.fp8_flop_s = 2e15,
                                .bf16_flop_s = 1e15,
                                .memory_bytes = 100e9,
                                .memory_bytes_s = 1e12,
                                .domain_packages = 8,
                                .nvlink_bytes_s = 100e9,
                                .nvlink_latency_s = 1e-6,
                                .scaleout_bytes_s = 10e9,
                                .scaleout_latency_s = 4e-6,
                                .max_p_w = 1000};
}

/* Four layers of 1000 wide, 10 heads of 100, 10 KV heads, MLP 4000: 4e6 + 12e6 weights each. */
static inline struct mr_llm_card plain_llm(void)
{
    return (struct mr_llm_card){.n_layer = 4,
                                .hidden = 1000,
                                .n_head = 10,
                                .n_kv_head = 10,
                                .head_dim = 100,
                                .dense_inter = 4000,
                                .n_vocabulary = 50000,
                                .n_kv_layer = 4,
                                .kv_elements_per_token = 8000,
                                .n_expert_matrix = 3,
                                .expert_skew = 1,
                                .native_dense = MR_N_FORMAT,
                                .native_experts = MR_N_FORMAT};
}

/* Everything at its peak, nothing added. */
static inline struct mr_software_card plain_software(void)
{
    struct mr_software_card card;
    mr_software_defaults(&card);
    card.host_s = card.layer_s = 0;
    card.memory_frac = card.expert_memory_frac = card.kv_frac = 1;
    card.flop_frac = card.expert_flop_frac = card.attention_frac = 1;
    card.half_rows = card.expert_half_rows = 1e-9;
    card.join_exponent = 100;
    card.reduce_frac = card.exchange_frac = 1;
    card.reduce_s = card.exchange_s = 0;
    return card;
}

struct fixture {
    struct mr_gpu_card gpu;
    struct mr_llm_card llm;
    struct mr_software_card software;
    struct mr_step_setup setup;
};

static inline void plain(struct fixture *f)
{
    f->gpu = plain_gpu();
    f->llm = plain_llm();
    f->software = plain_software();
    f->setup = (struct mr_step_setup){.gpu = &f->gpu,
                                      .llm = &f->llm,
                                      .software = &f->software,
                                      .parallel = {1, 1, 1, 1, 1},
                                      .dense_format = MR_FORMAT_BF16,
                                      .expert_format = MR_FORMAT_BF16,
                                      .kv_element_bytes = 2};
}

static inline struct mr_step_terms terms_of(const struct fixture *f, const struct mr_batch *batch)
{
    struct mr_step_terms terms;
    mr_step_terms(&f->setup, batch, 1, &terms);
    return terms;
}

static inline struct mr_step *table_of(const struct fixture *f)
{
    struct mr_step *step;
    struct mr_err err = {0};
    if (mr_step_create(&f->setup, &step, &err) != MR_OK)
        fail_msg("%s", err.text);
    return step;
}

#endif
