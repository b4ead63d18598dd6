/* SPDX-License-Identifier: Apache-2.0 */
/* LPUs beside GPUs. A product on n LPUs takes the longer of FLOP / (n x rate x share) and bytes /
 * (n x SRAM bandwidth x share): schedules are static, so there is no launch and no jitter.
 *
 * Experts are dealt to min(E, n) groups of LPUs in turn; each has ceil(E / groups) of them and no
 * copies. The busiest group takes m + sqrt(2 m ln groups) token-expert pairs, m the mean,
 * and with s pairs on its e experts reads e (1 - (1 - 1/e)^s) of them.
 *
 * Messages between LPUs start with the latency of the SRAM that they cross (mr_lpu_latency_s): that
 * of a layer's own LPUs, or of two layers' where a result moves on to the next layer.
 *
 * Ignored: layers that differ have one mean time; hot experts have no copies; several batches in
 * the groups of a pipeline at once (decode); what small products cost in the matrix units.
 *
 * Parts: what fits - energy - times of a layer - afd - decode - draft. */
#include "models/lpx.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "engine/base/unit.h"

#include <math.h>

static const double out_bytes = 1, back_bytes = 2;            /* GPU to LPU in FP8, back in BF16 */
static const double dispatch_bytes = 1.03, combine_bytes = 2; /* to experts, with scales; back */

/* ---- formats ---- */

static bool is_fp4(int format)
{
    return format == MR_FORMAT_NVFP4 || format == MR_FORMAT_MXFP4;
}

/* What weights of a format are held and multiplied in. */
static int held_format(const struct mr_lpx *lpx, int format)
{
    return format == MR_FORMAT_NVFP4 && lpx->lpu->fp4_flop_s > 0 ? format : MR_FORMAT_FP8;
}

static double held_bytes(const struct mr_lpx *lpx, int format)
{
    return mr_step_format_bytes(held_format(lpx, format));
}

bool mr_lpx_is_expanded(const struct mr_lpx *lpx)
{
    return held_format(lpx, lpx->dense_format) != lpx->dense_format ||
           (lpx->llm->n_expert > 0 && held_format(lpx, lpx->expert_format) != lpx->expert_format);
}

static mr_status check_format(const struct mr_lpx *lpx, int format, struct mr_err *err)
{
    if (format < 0 || format >= MR_N_FORMAT)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "LPU: no such format of weights");
    if (held_format(lpx, format) == format || lpx->expands)
        return MR_OK;
    if (is_fp4(format))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "the LPU has no path for %s weights (expand them to fp8, %.4g times the "
                          "size, or take an LPU with one)",
                          mr_step_format_name(format), 1 / mr_step_format_bytes(format));
    return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                      "the LPU has no path for %s weights (hold them as fp8)",
                      mr_step_format_name(format));
}

/* ---- what fits ---- */

uint64_t mr_lpx_layer_lpus(const struct mr_lpx *lpx)
{
    if (lpx->n_layer_lpu > 0)
        return lpx->n_layer_lpu;
    return lpx->n_lpu > lpx->llm->n_layer ? lpx->n_lpu / lpx->llm->n_layer : 1;
}

/* Where the published sum says more or less than the shape, all parts are scaled to it. */
static double weight_bytes(const struct mr_lpx *lpx, enum mr_lpx_part part)
{
    const struct mr_llm_card *llm = lpx->llm;
    const double dense = held_bytes(lpx, lpx->dense_format);
    const double expert = held_bytes(lpx, lpx->expert_format);
    const double n_moe = (double)mr_llm_n_moe_layer(llm);
    const double scale = llm->n_param > 0 ? llm->n_param / mr_llm_elements(llm) : 1;
    const double ffn = n_moe *
                           ((double)llm->n_expert * mr_llm_expert_elements(llm) +
                            (double)llm->n_shared_expert * mr_llm_shared_elements(llm)) *
                           expert +
                       n_moe * mr_llm_router_elements(llm) * held_bytes(lpx, MR_FORMAT_FP8) +
                       (double)mr_llm_n_dense_layer(llm) * mr_llm_dense_elements(llm) * dense;
    if (part == MR_LPX_FFN)
        return scale * ffn;
    return scale * (ffn +
                    ((double)mr_llm_n_attention_layer(llm) * mr_llm_attention_elements(llm) +
                     (double)llm->n_state_layer * mr_llm_state_elements(llm)) *
                        dense +
                    2 * mr_llm_head_elements(llm) * held_bytes(lpx, MR_FORMAT_FP8));
}

static uint64_t racks_of(const struct mr_lpx *lpx, uint64_t n_lpu)
{
    return (n_lpu + lpx->lpu->n_per_rack - 1) / lpx->lpu->n_per_rack;
}

static uint64_t trays_of(const struct mr_lpx *lpx, uint64_t n_lpu)
{
    const uint64_t per_tray = lpx->lpu->n_per_rack / lpx->lpu->n_tray;
    return (n_lpu + per_tray - 1) / per_tray;
}

static mr_status refuse_size(const struct mr_lpx *lpx, const struct mr_lpx_fit *fit,
                             struct mr_err *err)
{
    char weights[MR_UNIT_CAP], room[MR_UNIT_CAP], lacks[MR_UNIT_CAP];
    mr_unit_human(fit->weight_bytes, MR_Q_DATA, 4, weights);
    mr_unit_human(fit->room_bytes, MR_Q_DATA, 4, room);
    mr_unit_human(fit->weight_bytes - fit->room_bytes, MR_Q_DATA, 4, lacks);
    return mr_err_set(
        err, MR_LIMIT, MR_NOWHERE,
        "the LLM does not fit: %s of weights, but %llu LPUs (%llu racks) have room for %s of SRAM "
        "with %.3g %% kept free, %s are missing (%llu LPUs, %llu racks, would hold it)",
        weights, (unsigned long long)lpx->n_lpu, (unsigned long long)racks_of(lpx, lpx->n_lpu),
        room, 100 * lpx->lpu->reserve_frac, lacks, (unsigned long long)fit->n_lpu_min,
        (unsigned long long)fit->n_rack_min);
}

mr_status mr_lpx_fit_of(const struct mr_lpx *lpx, enum mr_lpx_part part, struct mr_lpx_fit *fit,
                        struct mr_err *err)
{
    const struct mr_lpu_card *lpu = lpx->lpu;
    *fit = (struct mr_lpx_fit){0};
    if (lpx->n_lpu == 0 || lpx->n_layer_lpu > lpx->n_lpu)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%llu LPUs cannot give a layer %llu of them",
                          (unsigned long long)lpx->n_lpu, (unsigned long long)lpx->n_layer_lpu);
    if (part == MR_LPX_ALL && !(lpx->kv_element_bytes > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "keys and values need some bytes");
    MR_TRY(check_format(lpx, lpx->dense_format, err));
    if (lpx->llm->n_expert > 0)
        MR_TRY(check_format(lpx, lpx->expert_format, err));
    fit->weight_bytes = weight_bytes(lpx, part);
    fit->room_bytes = (double)lpx->n_lpu * lpu->sram_bytes * (1 - lpu->reserve_frac);
    fit->n_lpu_min = mr_lpu_n_for(lpu, fit->weight_bytes);
    fit->n_rack_min = racks_of(lpx, fit->n_lpu_min);
    fit->spill_bytes = (double)racks_of(lpx, lpx->n_lpu) * lpu->ddr_bytes;
    if (fit->weight_bytes > fit->room_bytes)
        return refuse_size(lpx, fit, err);
    fit->kv_bytes = fit->room_bytes - fit->weight_bytes;
    return MR_OK;
}

/* ---- energy ---- */

double mr_lpx_energy_j(const struct mr_lpx *lpx, const struct mr_lpx_leap *step,
                       const struct mr_lpx_leap *active, uint64_t n_step)
{
    const struct mr_lpu_card *lpu = lpx->lpu;
    return (double)lpx->n_lpu * lpu->idle_w * mr_lpx_leap_sum_s(step, n_step) +
           (lpu->max_p_w - lpu->idle_w) * mr_lpx_leap_sum_s(active, n_step);
}

/* ---- times of a layer ---- */

static double flop_s_of(const struct mr_lpx *lpx, double flop, int format, double n_lpu)
{
    const struct mr_lpu_card *lpu = lpx->lpu;
    const bool is_narrow = held_format(lpx, format) != MR_FORMAT_FP8;
    return flop / (n_lpu * (is_narrow ? lpu->fp4_flop_s : lpu->fp8_flop_s) * lpu->flop_frac);
}

static double sram_s_of(const struct mr_lpx *lpx, double bytes, double n_lpu)
{
    return bytes / (n_lpu * lpx->lpu->sram_bytes_s * lpx->lpu->sram_frac);
}

/* rows x a matrix that is spread evenly over n LPUs */
static double product_s(const struct mr_lpx *lpx, double rows, double elements, int format,
                        double n_lpu)
{
    if (!(rows > 0))
        return 0;
    return fmax(flop_s_of(lpx, 2 * rows * elements, format, n_lpu),
                sram_s_of(lpx, elements * held_bytes(lpx, format), n_lpu));
}

static double latency_s(const struct mr_lpx *lpx, double n_reach)
{
    return mr_lpu_latency_s(lpx->lpu, fmin(n_reach, (double)lpx->n_lpu) * lpx->lpu->sram_bytes);
}

static double link_s(const struct mr_lpx *lpx, double bytes)
{
    return bytes / (lpx->lpu->link_bytes_s * lpx->lpu->link_frac);
}

/* Partial sums of n LPUs: each sends its own to all, or all sum a share and hand it on. */
static double reduce_s(const struct mr_lpx *lpx, double n_lpu, double n_reach, double bytes)
{
    const double start_s = latency_s(lpx, n_reach);
    if (n_lpu <= 1)
        return n_reach > 1 ? start_s + link_s(lpx, bytes) : 0;
    return fmin(start_s + link_s(lpx, (n_lpu - 1) * bytes),
                2 * start_s + link_s(lpx, 2 * (n_lpu - 1) / n_lpu * bytes));
}

double mr_lpx_busiest(double mean, double n_group)
{
    return n_group > 1 ? mean + sqrt(2 * mean * mr_log(n_group)) : mean;
}

struct ffn_time {
    double work_s, c2c_s;
};

/* Experts: work and messages of the busiest group. */
static struct ffn_time moe_time(const struct mr_lpx *lpx, double rows, double n_reach)
{
    const struct mr_llm_card *llm = lpx->llm;
    const double n_lpu = (double)mr_lpx_layer_lpus(lpx);
    const double n_expert = (double)llm->n_expert, k = (double)llm->top_k;
    const double n_group = fmin(n_lpu, n_expert), group_lpus = n_lpu / n_group;
    const double homes = ceil(n_expert / n_group), elements = mr_llm_expert_elements(llm);
    const double width = (double)(llm->expert_width > 0 ? llm->expert_width : llm->hidden);
    /* at least one pair is somewhere, and one token has one pair with each expert */
    const double pairs =
        fmin(fmax(1, llm->expert_skew * mr_lpx_busiest(rows * k / n_group, n_group)),
             rows * fmin(k, homes));
    const double touched =
        homes > 1 ? -homes * mr_expm1(pairs * mr_log(1 - 1 / homes)) : fmin(1, pairs);
    const double experts_s =
        fmax(flop_s_of(lpx, 2 * pairs * elements, lpx->expert_format, group_lpus),
             sram_s_of(lpx, touched * elements * held_bytes(lpx, lpx->expert_format), group_lpus));
    const double shared_s =
        product_s(lpx, rows, (double)llm->n_shared_expert * mr_llm_shared_elements(llm),
                  lpx->expert_format, n_lpu) +
        product_s(lpx, rows, mr_llm_router_elements(llm), MR_FORMAT_FP8, n_lpu);
    const double own_s = latency_s(lpx, n_lpu), next_s = latency_s(lpx, n_reach);
    const double bytes = pairs * width * (dispatch_bytes + combine_bytes);
    return (struct ffn_time){experts_s + shared_s,
                             n_lpu > 1 || n_reach > 1 ? own_s + next_s + link_s(lpx, bytes) : 0};
}

/* What follows attention, in the mean of all layers; results are needed `n_reach` LPUs wide. */
static struct ffn_time ffn_time(const struct mr_lpx *lpx, double rows, double n_reach)
{
    const struct mr_llm_card *llm = lpx->llm;
    const double n_lpu = (double)mr_lpx_layer_lpus(lpx), n_layer = (double)llm->n_layer;
    const double n_moe = (double)mr_llm_n_moe_layer(llm);
    const double n_dense = (double)mr_llm_n_dense_layer(llm);
    struct ffn_time time = {0};
    if (!(rows > 0))
        return time;
    if (n_moe > 0) {
        const struct ffn_time moe = moe_time(lpx, rows, n_reach);
        time.work_s += n_moe / n_layer * moe.work_s;
        time.c2c_s += n_moe / n_layer * moe.c2c_s;
    }
    time.work_s += n_dense / n_layer *
                   product_s(lpx, rows, mr_llm_dense_elements(llm), lpx->dense_format, n_lpu);
    time.c2c_s +=
        n_dense / n_layer * reduce_s(lpx, n_lpu, n_reach, rows * (double)llm->hidden * back_bytes);
    return time;
}

/* ---- attention on GPUs, the rest of a layer on LPUs ---- */

double mr_lpx_pipeline_s(const struct mr_lpx_stage *stage, double n_layer, double n_micro,
                         double head_s)
{
    const double way_s = fmax(stage->out_s, stage->back_s);
    const double tau_s = fmax(fmax(stage->attention_s, stage->ffn_s), way_s);
    const double layer_s = stage->attention_s + stage->ffn_s + stage->out_s + stage->back_s;
    return (n_layer - 1) * fmax(n_micro * tau_s, layer_s) + layer_s + (n_micro - 1) * tau_s +
           head_s;
}

void mr_lpx_attention_llm(const struct mr_llm_card *llm, struct mr_llm_card *out)
{
    const double n_state = (double)llm->n_state_layer, state = mr_llm_state_elements(llm);
    *out = *llm;
    out->n_expert = out->n_shared_expert = out->n_expert_layer = 0;
    out->dense_inter = out->n_first_dense = 0;
    /* layers with a state have what the sum leaves them: the same as before */
    out->n_param = 0;
    out->n_param = mr_llm_elements(out) + n_state * state;
    if (llm->n_param > 0)
        out->n_param *= llm->n_param / mr_llm_elements(llm);
    out->n_active_param = 0;
}

/* T as a maximum of four functions linear in the attention's time: with c = max(ffn, way) and w the
 * layer without attention,
 *   T = (L-1) max(m ta, m c, ta + w) + (m-1) max(ta, c) + ta + w + head.
 * Both maxima pick ta or c alike, so of the six combinations four can lead; slopes 1, L, L+m-1, mL
 * in ta. All four do where (m-1) c < w < m c: three kinks. */
static struct mr_lpx_leap afd_leap(const struct mr_lpx_afd *afd, double n_layer, double n_micro)
{
    const struct mr_lpx_stage *stage = &afd->stage;
    const double c = fmax(stage->ffn_s, fmax(stage->out_s, stage->back_s));
    const double w = stage->ffn_s + stage->out_s + stage->back_s;
    const double a = stage->attention_s, b = afd->attention_growth_s;
    const double l = n_layer, m = n_micro, end = w + afd->head_s;
    const struct mr_lpx_leap_line line[] = {
        {(l - 1) * m * c + (m - 1) * c + a + end, b},
        {(l - 1) * (a + w) + (m - 1) * c + a + end, l * b},
        {(l - 1) * (a + w) + (m - 1) * a + a + end, (l + m - 1) * b},
        {(l - 1) * m * a + (m - 1) * a + a + end, m * l * b},
    };
    return mr_lpx_leap_of(line, sizeof line / sizeof *line);
}

/* The instance as it is without experts; `attention` must outlive it. */
static void without_experts(const struct mr_step_setup *setup, struct mr_llm_card *attention,
                            struct mr_step_setup *out)
{
    mr_lpx_attention_llm(setup->llm, attention);
    *out = *setup;
    out->llm = attention;
    out->parallel.ep = out->parallel.moe_tp = 1;
}

mr_status mr_lpx_afd_check(const struct mr_lpx_afd_setup *setup, struct mr_err *err)
{
    struct mr_lpx_fit fit;
    struct mr_llm_card attention;
    struct mr_step_setup gpu;
    MR_ASSERT(setup->gpu->llm == setup->lpx.llm);
    without_experts(setup->gpu, &attention, &gpu);
    MR_TRY(mr_step_check(&gpu, err));
    if (setup->gpu->parallel.pp != 1)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "parallel: attention apart from experts needs pp 1, not %u",
                          setup->gpu->parallel.pp);
    if (setup->n_micro == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "a step has at least 1 micro-batch");
    return mr_lpx_fit_of(&setup->lpx, MR_LPX_FFN, &fit, err);
}

/* What one more step's tokens add to the time of attention, all layers. */
static double gpu_growth_s(const struct mr_step_setup *setup, const struct mr_batch *batch,
                           double phi)
{
    struct mr_step_terms terms;
    const double tokens = batch->n_decode * mr_step_accepted(setup);
    mr_step_terms(
        setup,
        &(struct mr_batch){.kv_tokens = tokens,
                           .window_kv_tokens = batch->n_growing * mr_step_accepted(setup)},
        phi, &terms);
    return terms.part[MR_STEP_TERM_KV].time_s;
}

/* Attention of one micro-batch over all layers. Of the two all-reduces of a layer the one after the
 * MLP is gone: half of them, time and bytes. */
static double attention_s(const struct mr_step_setup *gpu, const struct mr_batch *micro, double phi,
                          struct mr_work *work)
{
    struct mr_step_terms terms;
    mr_step_terms(gpu, micro, phi, &terms);
    *work = terms.work;
    work->link_bytes /= 2;
    return terms.part[MR_STEP_TERM_LAUNCH].time_s + terms.part[MR_STEP_TERM_PROJECTIONS].time_s +
           terms.part[MR_STEP_TERM_STATE].time_s + terms.part[MR_STEP_TERM_KV].time_s +
           terms.part[MR_STEP_TERM_PREFILL].time_s + terms.part[MR_STEP_TERM_REDUCE].time_s / 2;
}

/* A way between the instance and the trays of one layer's LPUs; the slower end counts. */
static double way_s(const struct mr_lpx_afd_setup *setup, double bytes)
{
    const struct mr_lpu_card *lpu = setup->lpx.lpu;
    const struct mr_step_setup *gpu = setup->gpu;
    const double packages = (double)gpu->parallel.tp * (double)gpu->parallel.dp;
    const double port_bytes_s =
        gpu->scaleout_bytes_s > 0 ? gpu->scaleout_bytes_s : gpu->gpu->scaleout_bytes_s;
    const double trays = (double)trays_of(&setup->lpx, mr_lpx_layer_lpus(&setup->lpx));
    double bytes_s = trays * lpu->gpu_path_bytes_s;
    if (port_bytes_s > 0)
        bytes_s = fmin(bytes_s, packages * port_bytes_s);
    return lpu->gpu_path_latency_s + bytes / bytes_s;
}

void mr_lpx_afd_step(const struct mr_lpx_afd_setup *setup, const struct mr_batch *batch, double phi,
                     struct mr_lpx_afd *out)
{
    const double m = setup->n_micro, n_layer = (double)setup->gpu->llm->n_layer;
    const double h = (double)setup->gpu->llm->hidden;
    const double n_logit = batch->n_decode * (1 + (double)setup->gpu->n_draft);
    const struct mr_batch micro = {
        batch->n_decode / m,           batch->kv_tokens / m,       batch->window_kv_tokens / m,
        batch->chunk_tokens / m,       batch->chunk_pairs / m,     batch->n_prompt_end / m,
        batch->chunk_window_pairs / m, batch->chunk_kv_tokens / m, batch->n_growing / m};
    const double rows = (n_logit + batch->chunk_tokens) / m;
    struct mr_llm_card attention;
    struct mr_step_setup gpu;
    struct mr_step_terms terms;
    without_experts(setup->gpu, &attention, &gpu);
    mr_step_terms(&gpu, batch, phi, &terms);
    const double layers_s = attention_s(&gpu, &micro, phi, &out->gpu_work);
    const struct ffn_time ffn = ffn_time(&setup->lpx, rows, (double)mr_lpx_layer_lpus(&setup->lpx));
    out->stage = (struct mr_lpx_stage){layers_s / n_layer, ffn.work_s + ffn.c2c_s,
                                       way_s(setup, rows * h * out_bytes),
                                       way_s(setup, rows * h * back_bytes)};
    out->attention_growth_s = gpu_growth_s(&gpu, batch, phi) / m / n_layer;
    out->head_s = terms.part[MR_STEP_TERM_HOST].time_s + terms.part[MR_STEP_TERM_HEAD].time_s +
                  terms.part[MR_STEP_TERM_DRAFT].time_s;
    /* a drafting layer's MLP or experts are on LPUs, too: nothing runs beside it */
    out->head_s +=
        mr_step_draft_runs(&gpu) * (m * out->stage.ffn_s + out->stage.out_s + out->stage.back_s);
    out->time_s = mr_lpx_pipeline_s(&out->stage, n_layer, m, out->head_s);
    out->step = afd_leap(out, n_layer, m);
    const double active_s = m * n_layer * out->stage.ffn_s * (double)mr_lpx_layer_lpus(&setup->lpx);
    out->active = (struct mr_lpx_leap){1, {{0, active_s, 0}}};
    for (int f = 0; f < MR_N_FORMAT; f++)
        out->gpu_work.flop[f] = terms.work.flop[f];
    /* weights are read by every micro-batch, contexts and logits' weights once */
    const double head_bytes = terms.part[MR_STEP_TERM_HEAD].time_s > 0
                                  ? mr_llm_head_elements(&attention) *
                                        mr_step_format_bytes(MR_FORMAT_BF16) /
                                        (double)gpu.parallel.tp
                                  : 0;
    out->gpu_work.memory_bytes = m * (out->gpu_work.memory_bytes - head_bytes) + head_bytes;
    out->gpu_work.link_bytes = m * out->gpu_work.link_bytes +
                               (n_logit + batch->chunk_tokens) * h * (out_bytes + back_bytes) *
                                   n_layer / ((double)gpu.parallel.tp * (double)gpu.parallel.dp);
    out->gpu_work.busy_s =
        m * layers_s + terms.part[MR_STEP_TERM_HEAD].time_s + terms.part[MR_STEP_TERM_DRAFT].time_s;
    out->gpu_work.idle_s = fmax(0, out->time_s - out->gpu_work.busy_s);
}

/* ---- everything on LPUs ---- */

/* Seconds that a token of S, and one of W, adds to a step; all layers, each on its own LPUs. */
static struct mr_lpx_leap_line reading(const struct mr_lpx *lpx)
{
    const struct mr_llm_card *llm = lpx->llm;
    const double n_lpu = (double)mr_lpx_layer_lpus(lpx), kv = lpx->kv_element_bytes;
    const double pair_s = flop_s_of(lpx, mr_llm_pair_flop(llm, true), MR_FORMAT_FP8, n_lpu);
    const double kept_s = sram_s_of(lpx, llm->kv_elements_per_token * kv, n_lpu);
    const double index_s = sram_s_of(lpx, llm->indexer_bytes_per_token, n_lpu);
    const double n_kv = (double)llm->n_kv_layer, n_window = (double)llm->n_window_layer;
    const double window_s =
        llm->window_tokens > 0
            ? sram_s_of(lpx, llm->window_elements / (double)llm->window_tokens * kv, n_lpu)
            : 0;
    if (llm->sparse_keys > 0)
        return (struct mr_lpx_leap_line){index_s, fmax(n_kv * pair_s, kept_s)};
    return (struct mr_lpx_leap_line){fmax(n_kv * pair_s, kept_s + index_s),
                                     fmax(n_window * pair_s, window_s)};
}

/* Products, messages and head: what does not grow. @param[in] rows tokens of the step */
static void fixed_times(const struct mr_lpx *lpx, double rows, double n_logit,
                        struct mr_lpx_decode *out)
{
    const struct mr_llm_card *llm = lpx->llm;
    const double n_lpu = (double)mr_lpx_layer_lpus(lpx), n_layer = (double)llm->n_layer;
    const double n_next = fmin(2 * n_lpu, (double)lpx->n_lpu);
    const double n_attention = (double)mr_llm_n_attention_layer(llm);
    const double bytes = rows * (double)llm->hidden * back_bytes;
    const struct ffn_time ffn = ffn_time(lpx, rows, n_next);
    out->weights_s = n_layer * ffn.work_s +
                     n_attention * product_s(lpx, rows, mr_llm_attention_elements(llm),
                                             lpx->dense_format, n_lpu) +
                     (double)llm->n_state_layer *
                         product_s(lpx, rows, mr_llm_state_elements(llm), lpx->dense_format, n_lpu);
    out->c2c_s = n_layer * ffn.c2c_s +
                 (n_attention + (double)llm->n_state_layer) * reduce_s(lpx, n_lpu, n_lpu, bytes);
    /* logits, the best of them, and the token's way back to the first layer */
    out->head_s = product_s(lpx, n_logit, mr_llm_head_elements(llm), MR_FORMAT_FP8, n_lpu) +
                  latency_s(lpx, n_lpu) + latency_s(lpx, (double)lpx->n_lpu);
}

/* Two lines: all keys and values in SRAM; and what exceeds it read from DDR besides. They cross
 * where SRAM is full. `growth` tokens per sequence and step. */
static mr_status decode_lines(const struct mr_lpx *lpx, const struct mr_batch *batch, double growth,
                              struct mr_lpx_decode *out, struct mr_lpx_leap_line line[2],
                              struct mr_err *err)
{
    const struct mr_llm_card *llm = lpx->llm;
    const double n = batch->n_decode, rows = n + batch->chunk_tokens;
    const double n_lpu = (double)mr_lpx_layer_lpus(lpx);
    struct mr_lpx_fit fit;
    *out = (struct mr_lpx_decode){0};
    MR_TRY(mr_lpx_fit_of(lpx, MR_LPX_ALL, &fit, err));
    const double token_bytes = mr_llm_token_bytes(llm, lpx->kv_element_bytes);
    const double kept = (batch->kv_tokens + batch->chunk_kv_tokens) * token_bytes +
                        n * mr_llm_sequence_bytes(llm, lpx->kv_element_bytes, 0);
    const double ddr_bytes_s = (double)trays_of(lpx, lpx->n_lpu) * lpx->lpu->ddr_tray_bytes_s;
    if (kept > fit.kv_bytes + (ddr_bytes_s > 0 ? fit.spill_bytes : 0)) {
        char has[MR_UNIT_CAP], ddr[MR_UNIT_CAP], needs[MR_UNIT_CAP], lacks[MR_UNIT_CAP];
        const double spill = ddr_bytes_s > 0 ? fit.spill_bytes : 0;
        mr_unit_human(kept, MR_Q_DATA, 4, needs);
        mr_unit_human(fit.kv_bytes, MR_Q_DATA, 4, has);
        mr_unit_human(spill, MR_Q_DATA, 4, ddr);
        mr_unit_human(kept - fit.kv_bytes - spill, MR_Q_DATA, 4, lacks);
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "keys and values do not fit: %s, but weights leave %s of SRAM and there "
                          "are %s of DDR, %s are missing (fewer sequences, or more LPUs)",
                          needs, has, ddr, lacks);
    }
    fixed_times(lpx, rows, n + batch->n_prompt_end, out);
    const struct mr_lpx_leap_line read = reading(lpx);
    const double tokens = n * growth;
    out->kv_s = read.a_s * (batch->kv_tokens + batch->chunk_pairs) +
                read.b_s * (batch->window_kv_tokens + batch->chunk_window_pairs) +
                sram_s_of(lpx, 2 * rows * llm->state_bytes, n_lpu);
    const double spill_s = ddr_bytes_s > 0 ? (kept - fit.kv_bytes) / ddr_bytes_s : 0;
    line[0].a_s = out->weights_s + out->kv_s + out->c2c_s + out->head_s;
    line[0].b_s = tokens * read.a_s + batch->n_growing * growth * read.b_s;
    line[1] = line[0];
    if (ddr_bytes_s > 0) {
        line[1].a_s += spill_s;
        line[1].b_s += tokens * token_bytes / ddr_bytes_s;
    }
    out->spill_bytes = fmax(0, kept - fit.kv_bytes);
    out->spill_s = fmax(0, spill_s);
    out->time_s = line[0].a_s + out->spill_s;
    return MR_OK;
}

mr_status mr_lpx_decode_step(const struct mr_lpx *lpx, const struct mr_batch *batch,
                             struct mr_lpx_decode *out, struct mr_err *err)
{
    struct mr_lpx_leap_line line[2] = {{0}};
    MR_TRY(decode_lines(lpx, batch, 1, out, line, err));
    out->step = mr_lpx_leap_of(line, 2);
    /* one layer's LPUs work at a time */
    out->active = mr_lpx_leap_scaled(&out->step, (double)mr_lpx_layer_lpus(lpx));
    return MR_OK;
}

/* ---- drafts on LPUs ---- */

/* q drafts one after the other from the contexts at the start of the step, out and back once. */
mr_status mr_lpx_draft_step(const struct mr_lpx_draft_setup *setup, const struct mr_batch *batch,
                            double phi, struct mr_lpx_draft *out, struct mr_err *err)
{
    struct mr_step_setup apart = *setup->verify;
    const struct mr_step_setup *verify = &apart;
    apart.drafts_elsewhere = true;
    const double q = verify->n_draft, ways_s = 2 * setup->lpx.lpu->gpu_path_latency_s;
    struct mr_lpx_decode decode;
    struct mr_step_terms terms;
    struct mr_lpx_leap_line draft[2] = {{0}};
    const struct mr_batch decodes = {.n_decode = batch->n_decode,
                                     .kv_tokens = batch->kv_tokens,
                                     .window_kv_tokens = batch->window_kv_tokens,
                                     .n_growing = batch->n_growing};
    *out = (struct mr_lpx_draft){0};
    MR_TRY(mr_step_check(verify, err));
    if (verify->n_draft == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "a draft LLM without drafts: n_draft is 0");
    out->accepted = mr_step_accepted(verify);
    MR_TRY(decode_lines(&setup->lpx, &decodes, out->accepted, &decode, draft, err));
    mr_step_terms(verify, batch, phi, &terms);
    const struct mr_lpx_leap_line gpu = {terms.time_s, gpu_growth_s(verify, batch, phi)};
    struct mr_lpx_leap_line line[3] = {gpu, gpu, gpu};
    for (int i = 0; i < 2; i++) {
        const struct mr_lpx_leap_line drafts = {q * draft[i].a_s + ways_s, q * draft[i].b_s};
        line[i] = setup->overlaps
                      ? drafts
                      : (struct mr_lpx_leap_line){gpu.a_s + drafts.a_s, gpu.b_s + drafts.b_s};
    }
    out->draft_s = q * decode.time_s + ways_s;
    out->verify_s = gpu.a_s;
    out->time_s =
        setup->overlaps ? fmax(out->draft_s, out->verify_s) : out->draft_s + out->verify_s;
    out->step = mr_lpx_leap_of(line, setup->overlaps ? 3 : 2);
    const struct mr_lpx_leap one = mr_lpx_leap_of(draft, 2);
    out->active = mr_lpx_leap_scaled(&one, q * (double)mr_lpx_layer_lpus(&setup->lpx));
    return MR_OK;
}
