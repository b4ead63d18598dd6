/* SPDX-License-Identifier: Apache-2.0 */
/* blocks = floor((memory x share - weights - reserve - sequences x (windows, state)) / (block x KV
 * bytes of a token)), per copy of attention; dp copies have blocks of their own. KV heads are
 * copied beyond their number, a latent is on every shard. */
#include "models/memory.h"

#include "engine/base/unit.h"

#include <math.h>

/* Layers of the fullest stage, of all. */
static double layer_share(const struct mr_step_setup *setup)
{
    const double n_layer = (double)setup->llm->n_layer;
    return ceil(n_layer / setup->parallel.pp) / n_layer;
}

/* Per package: attention is cut by tp and copied dp times, experts are dealt to all, the rest of
 * the weights too; a pipeline's fullest stage counts. Where the published sum says more or less
 * than this arithmetic, all parts are scaled to it. */
static double weight_bytes(const struct mr_step_setup *setup)
{
    const struct mr_llm_card *llm = setup->llm;
    const double tp = setup->parallel.tp, dp = setup->parallel.dp;
    /* groups of the same size: copies fill those that an uneven deal leaves short */
    const double ep = setup->parallel.ep, n_expert = ceil((double)llm->n_expert / ep) * ep;
    const double dense_bytes = mr_step_format_bytes(setup->dense_format);
    const double expert_bytes = mr_step_format_bytes(setup->expert_format);
    const double attention =
        (double)mr_llm_n_attention_layer(llm) * mr_llm_attention_elements(llm) +
        (double)llm->n_state_layer * mr_llm_state_elements(llm);
    const double experts = (double)mr_llm_n_moe_layer(llm) *
                           (n_expert * mr_llm_expert_elements(llm) +
                            (double)llm->n_shared_expert * mr_llm_shared_elements(llm));
    const double dense = (double)mr_llm_n_dense_layer(llm) * mr_llm_dense_elements(llm);
    const double router = (double)mr_llm_n_moe_layer(llm) * mr_llm_router_elements(llm);
    /* one stage embeds, another has the logits */
    const double head = (setup->parallel.pp > 1 ? 1 : 2) * mr_llm_head_elements(llm);
    const double scale = llm->n_param > 0 ? llm->n_param / mr_llm_elements(llm) : 1;
    return scale * ((attention * dense_bytes / tp + dense * dense_bytes / (tp * dp) +
                     experts * expert_bytes / (tp * dp) + router * 2) *
                        layer_share(setup) +
                    head * 2 / tp);
}

/* The layer that drafts, beside the LLM's own: one, however often it runs. Its head is shared. */
static double draft_bytes(const struct mr_step_setup *setup)
{
    const struct mr_llm_card *llm = setup->llm;
    const double tp = setup->parallel.tp, dp = setup->parallel.dp, ep = setup->parallel.ep;
    const double h = (double)llm->hidden, n_expert = ceil((double)llm->n_expert / ep) * ep;
    const double dense_bytes = mr_step_format_bytes(setup->dense_format);
    const double expert_bytes = mr_step_format_bytes(setup->expert_format);
    const double inner = llm->n_expert > 0
                             ? (n_expert * mr_llm_expert_elements(llm) +
                                (double)llm->n_shared_expert * mr_llm_shared_elements(llm)) *
                                       expert_bytes / (tp * dp) +
                                   mr_llm_router_elements(llm) * 2
                             : mr_llm_dense_elements(llm) * dense_bytes / (tp * dp);
    if (!(mr_step_draft_runs(setup) > 0))
        return 0;
    return (2 * h * h + mr_llm_attention_elements(llm)) * dense_bytes / tp + inner;
}

mr_status mr_memory_of(const struct mr_step_setup *setup, double n_sequence, uint64_t n_block,
                       struct mr_memory *memory, struct mr_err *err)
{
    const struct mr_llm_card *llm = setup->llm;
    const struct mr_software_card *software = setup->software;
    const double tp = setup->parallel.tp, dp = setup->parallel.dp, layers = layer_share(setup);
    const double n_kv = (double)llm->n_kv_layer;
    const double drafts = mr_step_draft_runs(setup) > 0 && n_kv > 0 ? 1 + 1 / n_kv : 1;
    const double kv_shards =
        llm->attention == MR_LLM_ATTENTION_GQA ? fmin(tp, (double)llm->n_kv_head) : 1;
    *memory = (struct mr_memory){
        .package_bytes = setup->gpu->memory_bytes * software->memory_share,
        .weight_bytes = weight_bytes(setup) + draft_bytes(setup),
        .reserve_bytes = software->reserve_bytes,
        .kv_token_bytes =
            mr_llm_token_bytes(llm, setup->kv_element_bytes) / kv_shards * layers * drafts,
        .sequence_bytes =
            (llm->window_elements * setup->kv_element_bytes / kv_shards + llm->state_bytes / tp) *
            layers,
        .block_tokens = software->block_tokens,
        .n_block = n_block};
    memory->kv_bytes = memory->package_bytes - memory->weight_bytes - memory->reserve_bytes -
                       n_sequence / dp * memory->sequence_bytes;
    if (n_block > 0)
        return MR_OK;
    const double block_bytes = (double)memory->block_tokens * memory->kv_token_bytes;
    if (memory->kv_bytes >= block_bytes) {
        memory->n_block = (uint64_t)(floor(memory->kv_bytes / block_bytes) * dp);
        return MR_OK;
    }
    char weights[MR_UNIT_CAP], reserve[MR_UNIT_CAP], has[MR_UNIT_CAP], lacks[MR_UNIT_CAP];
    mr_unit_human(memory->weight_bytes, MR_Q_DATA, 4, weights);
    mr_unit_human(memory->reserve_bytes, MR_Q_DATA, 4, reserve);
    mr_unit_human(memory->package_bytes, MR_Q_DATA, 4, has);
    mr_unit_human(block_bytes - memory->kv_bytes, MR_Q_DATA, 4, lacks);
    return mr_err_set(
        err, MR_LIMIT, MR_NOWHERE,
        "the LLM does not fit: %s of weights and %s of reserve per package of %s, %s are "
        "missing (more packages, a smaller format, or less reserve)",
        weights, reserve, has, lacks);
}
