/* SPDX-License-Identifier: Apache-2.0 */
/* One serving for benchmarks that are compared with each other. */
#include "engine/cli/bench/bench_serving.h"

#include "engine/base/wall.h"
#include "engine/serve/policy.h"

#include <stdio.h>

mr_status mr_bench_serving_make(struct mr_bench_serving *it, uint32_t block_tok, uint64_t n_block,
                                bool steps_singly, struct mr_err *err)
{
    struct mr_diags diags = {0};
    MR_TRY(mr_shelf_create(&it->shelf, err));
    const struct mr_card *const gpu =
        mr_shelf_card(it->shelf, &mr_gpu_kind, "gb300", MR_NOWHERE, &diags);
    const struct mr_card *const llm =
        mr_shelf_card(it->shelf, &mr_llm_kind, "DeepSeek-R1", MR_NOWHERE, &diags);
    const struct mr_card *const software =
        mr_shelf_card(it->shelf, &mr_software_kind, "spec", MR_NOWHERE, &diags);
    if (diags.n_error > 0) {
        *err = diags.item[0].err;
        return diags.first_error;
    }
    const struct mr_step_setup setup = {.gpu = gpu->object,
                                        .llm = llm->object,
                                        .software = software->object,
                                        .parallel = {1, 16, 1, 16, 1},
                                        .dense_format = MR_FORMAT_FP8,
                                        .expert_format = MR_FORMAT_NVFP4,
                                        .kv_element_bytes = 1};
    MR_TRY(mr_step_create(&setup, &it->step, err));
    MR_TRY(mr_power_of(setup.gpu, &it->power, err));
    mr_step_take_power(it->step, &it->power);
    it->serving = (struct mr_serving){.policy = &mr_policy_vllm1,
                                      .pricer = {it->step, NULL, &it->power, NULL},
                                      .batch_max = 512,
                                      .token_max = 8192,
                                      .block_tokens = block_tok,
                                      .n_block = n_block,
                                      .steps_singly = steps_singly,
                                      .has_cache = true};
    return mr_instance_check(&it->serving, err);
}

/* T = .002 + max(.010, 8.56e-5 N) + 8.19e-8 S + 3.36e-9 Q */
mr_status mr_bench_serving_constants(struct mr_serving *serving, struct mr_profile **profile,
                                     struct mr_err *err)
{
    struct mr_profile_card figures;
    mr_profile_defaults(&figures);
    figures.form = MR_PROFILE_LINEAR5;
    figures.t0_s = 0.002;
    figures.tw_s = 0.010;
    figures.ctok_s = 8.56e-5;
    figures.ckv_s = 8.19e-8;
    figures.catt_s = 3.36e-9;
    MR_TRY(mr_profile_create(&figures, NULL, 0, profile, err));
    *serving = (struct mr_serving){.policy = &mr_policy_sarathi,
                                   .pricer = {.profile = *profile},
                                   .batch_max = 128,
                                   .token_max = 512,
                                   .block_tokens = 16,
                                   .n_block = 29696,
                                   .watermark_frac = 0.01};
    return MR_OK;
}

void mr_bench_serving_fini(struct mr_bench_serving *it)
{
    mr_step_destroy(it->step);
    mr_shelf_destroy(it->shelf);
    *it = (struct mr_bench_serving){0};
}

bool mr_bench_serving_has_room(struct mr_bench_job *job, bool takes_long, uint64_t n_bytes)
{
    const uint64_t n_free = mr_wall_free_bytes();
    if (job->is_quick && takes_long)
        snprintf(job->skipped, sizeof job->skipped, "takes long: not with --quick");
    else if (n_free < n_bytes)
        snprintf(job->skipped, sizeof job->skipped,
                 "needs %.1f GB of memory, of which %.1f are free", (double)n_bytes * 1e-9,
                 (double)n_free * 1e-9);
    return job->skipped[0] == '\0';
}
