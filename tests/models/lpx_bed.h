/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of models/lpx share: plain cards whose answers can be reckoned by hand. */
#ifndef MR_TESTS_MODELS_LPX_BED_H
#define MR_TESTS_MODELS_LPX_BED_H

#include "models/lpx.h"
#include "tests/test.h"

/* Round numbers: 1 Pflop/s, 1 GB of 100 TB/s, links of 1 TB/s that start after 1 us; trays of 8. */
static inline struct mr_lpu_card plain_lpu(void)
{
    return (struct mr_lpu_card){.fp8_flop_s = 1e15,
                                .sram_bytes = 1e9,
                                .sram_bytes_s = 1e14,
                                .reserve_frac = 0.1,
                                .flop_frac = 1,
                                .sram_frac = 1,
                                .link_frac = 1,
                                .link_bytes_s = 1e12,
                                .near_latency_s = 1e-6,
                                .near_bytes = 8e9,
                                .far_latency_s = 2e-6,
                                .far_bytes = 1e12,
                                .n_per_rack = 16,
                                .n_tray = 2,
                                .ddr_bytes = 1e12,
                                .ddr_tray_bytes_s = 1e11,
                                .gpu_path_latency_s = 5e-6,
                                .gpu_path_bytes_s = 1e11,
                                .max_p_w = 300,
                                .idle_w = 30};
}

static inline struct mr_gpu_card plain_gpu(void)
{
    return (struct mr_gpu_card){.fp8_flop_s = 2e15,
                                .bf16_flop_s = 1e15,
                                .memory_bytes = 100e9,
                                .memory_bytes_s = 1e12,
                                .domain_packages = 8,
                                .nvlink_bytes_s = 100e9,
                                .scaleout_bytes_s = 10e9,
                                .max_p_w = 1000};
}

/* Four layers 1000 wide: attention 4e6 weights, MLP 12e6, head 50e6. */
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
                                .expert_skew = 1};
}

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
    struct mr_lpu_card lpu;
    struct mr_gpu_card gpu;
    struct mr_llm_card llm;
    struct mr_software_card software;
    struct mr_step_setup step;
    struct mr_lpx_afd_setup afd;
};

static inline void set_up(struct fixture *f)
{
    *f = (struct fixture){
        .lpu = plain_lpu(), .gpu = plain_gpu(), .llm = plain_llm(), .software = plain_software()};
    f->step = (struct mr_step_setup){.gpu = &f->gpu,
                                     .llm = &f->llm,
                                     .software = &f->software,
                                     .parallel = {1, 1, 1, 1, 1},
                                     .dense_format = MR_FORMAT_BF16,
                                     .expert_format = MR_FORMAT_BF16,
                                     .kv_element_bytes = 2};
    f->afd = (struct mr_lpx_afd_setup){.lpx = {.lpu = &f->lpu,
                                               .llm = &f->llm,
                                               .n_lpu = 8,
                                               .n_layer_lpu = 2,
                                               .dense_format = MR_FORMAT_FP8,
                                               .expert_format = MR_FORMAT_FP8,
                                               .kv_element_bytes = 1},
                                       .gpu = &f->step,
                                       .n_micro = 2};
}

static inline void with_experts(struct fixture *f)
{
    f->llm.n_expert = 8;
    f->llm.top_k = 2;
    f->llm.expert_inter = 4000;
    f->llm.dense_inter = 0;
}

static inline struct mr_batch batch_of(double n, double context)
{
    return (struct mr_batch){.n_decode = n, .kv_tokens = n * context};
}

static inline struct mr_lpx_afd afd_of(const struct fixture *f, double n, double context)
{
    const struct mr_batch batch = batch_of(n, context);
    struct mr_lpx_afd afd;
    struct mr_err err = {0};
    if (mr_lpx_afd_check(&f->afd, &err) != MR_OK)
        fail_msg("%s", err.text);
    mr_lpx_afd_step(&f->afd, &batch, 1, &afd);
    return afd;
}

static inline struct mr_lpx_decode decode_of(const struct mr_lpx *lpx, double n, double context)
{
    const struct mr_batch batch = batch_of(n, context);
    struct mr_lpx_decode decode;
    struct mr_err err = {0};
    if (mr_lpx_decode_step(lpx, &batch, &decode, &err) != MR_OK)
        fail_msg("%s", err.text);
    return decode;
}

#endif
