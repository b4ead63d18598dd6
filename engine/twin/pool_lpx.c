/* SPDX-License-Identifier: Apache-2.0 */
/* Weights stand in SRAM or nowhere. Keys and values: afd, on the GPUs beside less weights; draft,
 * on both sides; decode, in SRAM and DDR of the LPUs. */
#include "engine/twin/pool_lpx.h"

#include "models/memory.h"

#include <math.h>

static const void *object_of(struct mr_shelf *shelf, const struct mr_card_kind *kind,
                             const char *id, struct mr_place at, struct mr_diags *diags)
{
    const struct mr_card *card = mr_shelf_card(shelf, kind, id, at, diags);
    return card != NULL ? card->object : NULL;
}

/* A drafting LLM is held as it was published. */
static mr_status take_draft(struct mr_shelf *shelf, const struct mr_scenario *scenario,
                            struct mr_lpx *lpx, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_place at = {scenario->path, 0, 0};
    if (scenario->lpx.llm == NULL)
        return mr_err_set(err, MR_SCHEMA, at, "lpx: which LLM drafts (llm=\"...\")?");
    if (scenario->deployment.n_draft == 0)
        return mr_err_set(err, MR_RANGE, at,
                          "lpx: way \"draft\" needs drafts: say <deployment drafts=\"...\">");
    lpx->llm = object_of(shelf, &mr_llm_kind, scenario->lpx.llm, at, diags);
    if (lpx->llm == NULL)
        return diags->first_error;
    if (lpx->llm->native_dense != MR_N_FORMAT)
        lpx->dense_format = lpx->llm->native_dense;
    if (lpx->llm->native_experts != MR_N_FORMAT)
        lpx->expert_format = lpx->llm->native_experts;
    return MR_OK;
}

mr_status mr_pool_lpx_open(struct mr_shelf *shelf, const struct mr_scenario *scenario,
                           struct mr_step_setup *setup, struct mr_pool_lpx *lpx,
                           struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario_lpx *s = &scenario->lpx;
    const struct mr_lpu_card *lpu =
        object_of(shelf, &mr_lpu_kind, s->lpu, (struct mr_place){scenario->path, 0, 0}, diags);
    if (lpu == NULL)
        return diags->first_error;
    lpx->serve = (struct mr_lpx_serve){.way = s->way - 1,
                                       .lpx = {.lpu = lpu,
                                               .llm = setup->llm,
                                               .n_lpu = s->n_lpu > 0 ? s->n_lpu : lpu->n_per_rack,
                                               .n_layer_lpu = s->n_layer_lpu,
                                               .dense_format = setup->dense_format,
                                               .expert_format = setup->expert_format,
                                               .expands = s->expands,
                                               .kv_element_bytes = setup->kv_element_bytes},
                                       .setup = setup,
                                       .n_micro = (uint32_t)s->n_micro,
                                       .overlaps = s->overlaps};
    lpx->used = &lpx->serve;
    if (lpx->serve.way == MR_LPX_DRAFT) {
        setup->drafts_elsewhere = true;
        MR_TRY(take_draft(shelf, scenario, &lpx->serve.lpx, diags, err));
    } else if (lpx->serve.way == MR_LPX_DECODE && setup->n_draft > 0) {
        return mr_err_set(err, MR_RANGE, (struct mr_place){scenario->path, 0, 0},
                          "lpx: way \"decode\" knows no drafts: say <deployment drafts=\"0\">");
    }
    lpx->held = *setup;
    if (lpx->serve.way == MR_LPX_AFD) {
        mr_lpx_attention_llm(setup->llm, &lpx->attention);
        lpx->held.llm = &lpx->attention;
        lpx->held.parallel.ep = lpx->held.parallel.moe_tp = 1;
    }
    return mr_lpx_serve_check(&lpx->serve, err);
}

mr_status mr_pool_lpx_blocks(const struct mr_pool_lpx *lpx, double n_sequence, uint64_t asked,
                             uint64_t block_tokens, uint64_t *n_block, struct mr_err *err)
{
    const double most_tok = mr_lpx_serve_kv_tok(&lpx->serve, n_sequence);
    const double most = floor(most_tok / (double)block_tokens);
    struct mr_memory memory = {.n_block = asked};
    if (lpx->serve.way != MR_LPX_DECODE)
        MR_TRY(mr_memory_of(&lpx->held, n_sequence, asked, &memory, err));
    const double has = memory.n_block > 0 ? fmin((double)memory.n_block, most) : most;
    if (has < 1 || (asked > 0 && has < (double)asked))
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "lpx: %llu LPUs have room for keys and values of %.4g tokens beside the "
                          "weights and what %g sequences keep (more LPUs, or a smaller batch)",
                          (unsigned long long)lpx->serve.lpx.n_lpu, most_tok, n_sequence);
    *n_block = has < 4e9 ? (uint64_t)has : 4000000000;
    return MR_OK;
}

uint64_t mr_pool_lpx_beside(const struct mr_pool_lpx *lpx)
{
    return lpx->used != NULL && lpx->serve.way != MR_LPX_DECODE ? lpx->serve.lpx.n_lpu : 0;
}

double mr_pool_lpx_link_bytes_s(const struct mr_pool_lpx *lpx)
{
    const struct mr_lpu_card *lpu = lpx->serve.lpx.lpu;
    const uint64_t per_tray = lpu->n_per_rack / lpu->n_tray;
    const uint64_t n_tray = (lpx->serve.lpx.n_lpu + per_tray - 1) / per_tray;
    return lpu->gpu_path_bytes_s * (double)n_tray;
}
