/* SPDX-License-Identifier: Apache-2.0 */
/* A sheet of figures, filled by one of three ways, printed as text or JSON. */
#include "engine/cli/step_lpx.h"

#include "engine/base/jsonw.h"
#include "engine/cli/step_fit.h"
#include "models/lpx.h"
#include "models/power.h"

#include <math.h>

static const double reference_c = 60;

struct figure {
    const char *key, *label;
    double value;
    enum mr_quantity quantity;
};

enum {
    n_figure_max = 24
};

struct sheet {
    struct figure figure[n_figure_max];
    size_t n;
    struct mr_lpx_leap leap;
};

static void put(struct sheet *sheet, const char *key, const char *label, double value,
                enum mr_quantity quantity)
{
    if (sheet->n < n_figure_max)
        sheet->figure[sheet->n++] = (struct figure){key, label, value, quantity};
}

static void print_text(const struct sheet *sheet, struct mr_buf *out)
{
    for (size_t i = 0; i < sheet->n; i++) {
        char text[MR_UNIT_CAP];
        mr_unit_human(sheet->figure[i].value, sheet->figure[i].quantity, 4, text);
        mr_buf_printf(out, "%-34s %s\n", sheet->figure[i].label, text);
    }
    mr_buf_printf(out, "\nsteps while the batch stays\n");
    for (int i = 0; i < sheet->leap.n_piece; i++) {
        char step[MR_UNIT_CAP], grow[MR_UNIT_CAP];
        const struct mr_lpx_leap_piece *piece = &sheet->leap.piece[i];
        mr_unit_human(piece->a_s + piece->b_s * (double)piece->first, MR_Q_TIME, 4, step);
        mr_unit_human(piece->b_s, MR_Q_TIME, 4, grow);
        mr_buf_printf(out, "  from step %-12llu %10s, longer by %s per step\n",
                      (unsigned long long)piece->first, step, grow);
    }
}

static void print_json(const struct sheet *sheet, struct mr_buf *out)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    for (size_t i = 0; i < sheet->n; i++)
        mr_jsonw_key_f64(&w, sheet->figure[i].key, sheet->figure[i].value);
    mr_jsonw_key(&w, "leap");
    mr_jsonw_array(&w);
    for (int i = 0; i < sheet->leap.n_piece; i++) {
        mr_jsonw_object(&w);
        mr_jsonw_key_u64(&w, "first", sheet->leap.piece[i].first);
        mr_jsonw_key_f64(&w, "a_s", sheet->leap.piece[i].a_s);
        mr_jsonw_key_f64(&w, "b_s", sheet->leap.piece[i].b_s);
        mr_jsonw_end(&w);
    }
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

/* ---- the three ways ---- */

static void put_fit(const struct mr_lpx *lpx, const struct mr_lpx_fit *fit, struct sheet *sheet)
{
    put(sheet, "lpus", "LPUs", (double)lpx->n_lpu, MR_Q_COUNT);
    put(sheet, "layer_lpus", "LPUs of a layer", (double)mr_lpx_layer_lpus(lpx), MR_Q_COUNT);
    put(sheet, "lpu_weight_bytes", "weights on them", fit->weight_bytes, MR_Q_DATA);
    put(sheet, "lpu_room_bytes", "room for them", fit->room_bytes, MR_Q_DATA);
}

static void put_pace(const struct mr_batch *batch, double time_s, double accepted,
                     struct sheet *sheet)
{
    put(sheet, "time_s", "step", time_s, MR_Q_TIME);
    if (batch->n_decode > 0) {
        put(sheet, "tok_s_per_user", "tokens/s per user", accepted / time_s, MR_Q_COUNT);
        put(sheet, "tok_s", "tokens/s", batch->n_decode * accepted / time_s, MR_Q_COUNT);
    }
}

static mr_status put_watts(const struct mr_lpx *lpx, const struct mr_step_setup *setup,
                           const struct mr_work *gpu_work, double clock,
                           const struct mr_lpx_leap *step, const struct mr_lpx_leap *active,
                           struct sheet *sheet, struct mr_err *err)
{
    const struct mr_parallel *p = &setup->parallel;
    const double lpu_w = mr_lpx_energy_j(lpx, step, active, 1) / mr_lpx_leap_step_s(step, 0);
    double total_w = lpu_w;
    put(sheet, "lpu_w", "power of all LPUs", lpu_w, MR_Q_POWER);
    if (gpu_work != NULL) {
        struct mr_power power;
        MR_TRY(mr_power_of(setup->gpu, &power, err));
        const double gpu_w =
            fmin(power.limit_w, mr_power_step_w(&power, gpu_work, clock, reference_c));
        put(sheet, "package_w", "power of a GPU package", gpu_w, MR_Q_POWER);
        total_w += gpu_w * (double)p->tp * (double)p->dp * (double)p->pp;
    }
    put(sheet, "power_w", "power of all", total_w, MR_Q_POWER);
    return MR_OK;
}

static mr_status price_afd(const struct mr_step_opts_values *opts, const struct mr_lpx *lpx,
                           const struct mr_step_setup *setup, const struct mr_batch *batch,
                           struct sheet *sheet, struct mr_err *err)
{
    const struct mr_lpx_afd_setup afd = {
        .lpx = *lpx, .gpu = setup, .n_micro = (uint32_t)opts->n_micro};
    struct mr_lpx_fit fit;
    struct mr_lpx_afd step;
    MR_TRY(mr_lpx_afd_check(&afd, err));
    MR_TRY(mr_lpx_fit_of(lpx, MR_LPX_FFN, &fit, err));
    mr_lpx_afd_step(&afd, batch, opts->clock, &step);
    put_fit(lpx, &fit, sheet);
    put(sheet, "micro_batches", "micro-batches", (double)afd.n_micro, MR_Q_COUNT);
    put(sheet, "attention_s", "a layer's attention, on GPUs", step.stage.attention_s, MR_Q_TIME);
    put(sheet, "ffn_s", "a layer's MLP or experts, on LPUs", step.stage.ffn_s, MR_Q_TIME);
    put(sheet, "out_s", "way out", step.stage.out_s, MR_Q_TIME);
    put(sheet, "back_s", "way back", step.stage.back_s, MR_Q_TIME);
    put(sheet, "head_s", "host and logits", step.head_s, MR_Q_TIME);
    put_pace(batch, step.time_s, mr_step_accepted(setup), sheet);
    sheet->leap = step.step;
    return put_watts(lpx, setup, &step.gpu_work, opts->clock, &step.step, &step.active, sheet, err);
}

static mr_status price_decode(const struct mr_lpx *lpx, const struct mr_step_setup *setup,
                              const struct mr_batch *batch, struct sheet *sheet, struct mr_err *err)
{
    struct mr_lpx_fit fit;
    struct mr_lpx_decode step;
    if (batch->chunk_tokens > 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "--prefill: LPUs that decode read no prompts, GPUs do");
    MR_TRY(mr_lpx_fit_of(lpx, MR_LPX_ALL, &fit, err));
    MR_TRY(mr_lpx_decode_step(lpx, batch, &step, err));
    put_fit(lpx, &fit, sheet);
    put(sheet, "weights_s", "products", step.weights_s, MR_Q_TIME);
    put(sheet, "kv_s", "keys, values, state from SRAM", step.kv_s, MR_Q_TIME);
    put(sheet, "spill_s", "keys and values from DDR", step.spill_s, MR_Q_TIME);
    put(sheet, "c2c_s", "messages between LPUs", step.c2c_s, MR_Q_TIME);
    put(sheet, "head_s", "logits", step.head_s, MR_Q_TIME);
    put_pace(batch, step.time_s, 1, sheet);
    sheet->leap = step.step;
    return put_watts(lpx, setup, NULL, 1, &step.step, &step.active, sheet, err);
}

static mr_status price_draft(const struct mr_step_opts_values *opts, const struct mr_lpx *lpx,
                             const struct mr_step_setup *setup, const struct mr_batch *batch,
                             struct sheet *sheet, struct mr_err *err)
{
    const struct mr_lpx_draft_setup draft = {.lpx = *lpx, .verify = setup, .overlaps = true};
    struct mr_lpx_fit fit;
    struct mr_lpx_draft step;
    struct mr_step_terms terms;
    MR_TRY(mr_lpx_fit_of(lpx, MR_LPX_ALL, &fit, err));
    MR_TRY(mr_lpx_draft_step(&draft, batch, opts->clock, &step, err));
    put_fit(lpx, &fit, sheet);
    put(sheet, "draft_s", "drafts of a step", step.draft_s, MR_Q_TIME);
    put(sheet, "verify_s", "their verification, on GPUs", step.verify_s, MR_Q_TIME);
    put(sheet, "accepted", "tokens of a step", step.accepted, MR_Q_COUNT);
    put_pace(batch, step.time_s, step.accepted, sheet);
    sheet->leap = step.step;
    mr_step_terms(setup, batch, opts->clock, &terms);
    terms.work.idle_s += step.time_s - step.verify_s;
    return put_watts(lpx, setup, &terms.work, opts->clock, &step.step, &step.active, sheet, err);
}

/* ---- which LPUs ---- */

static mr_status find(struct mr_shelf *shelf, const struct mr_card_kind *kind, const char *id,
                      const struct mr_card **card, struct mr_err *err)
{
    struct mr_diags diags = {0};
    *card = mr_shelf_card(shelf, kind, id, MR_NOWHERE, &diags);
    if (*card != NULL)
        return MR_OK;
    *err = diags.item[0].err;
    return diags.first_error;
}

static mr_status find_lpus(const struct mr_step_opts_values *opts,
                           const struct mr_step_setup *setup, struct mr_shelf *shelf,
                           struct mr_lpx *lpx, struct mr_err *err)
{
    const struct mr_card *card;
    MR_TRY(find(shelf, &mr_lpu_kind, opts->lpu, &card, err));
    *lpx = (struct mr_lpx){.lpu = mr_lpu_of(card),
                           .llm = setup->llm,
                           .n_lpu = opts->n_lpu > 0 ? opts->n_lpu : mr_lpu_of(card)->n_per_rack,
                           .dense_format = setup->dense_format,
                           .expert_format = setup->expert_format,
                           .expands = opts->expands,
                           .kv_element_bytes = setup->kv_element_bytes};
    if (opts->way != MR_STEP_WAY_DRAFT)
        return MR_OK;
    if (opts->draft_llm[0] == '\0')
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "--way draft needs --draft-llm ID");
    MR_TRY(find(shelf, &mr_llm_kind, opts->draft_llm, &card, err));
    lpx->llm = mr_llm_of(card);
    if (lpx->llm->native_dense != MR_N_FORMAT)
        lpx->dense_format = lpx->llm->native_dense;
    if (lpx->llm->native_experts != MR_N_FORMAT)
        lpx->expert_format = lpx->llm->native_experts;
    return MR_OK;
}

/* GPUs beside LPUs hold what LPUs do not: nothing when these decode alone. */
static mr_status check_packages(const struct mr_verb_call *call, const struct mr_step_setup *setup,
                                struct mr_err *err)
{
    const struct mr_step_opts_values *opts = call->opts;
    struct mr_step_setup held = *setup;
    struct mr_llm_card attention;
    struct mr_memory memory;
    bool fits = true;
    if (opts->way == MR_STEP_WAY_DECODE)
        return MR_OK;
    if (opts->way == MR_STEP_WAY_AFD) {
        mr_lpx_attention_llm(setup->llm, &attention);
        held.llm = &attention;
        held.parallel.ep = held.parallel.moe_tp = 1;
    }
    return mr_step_fit_memory(call, &held, &memory, &fits, err);
}

mr_status mr_step_lpx_print(const struct mr_verb_call *call, const struct mr_step_setup *setup,
                            const struct mr_batch *batch, struct mr_shelf *shelf,
                            struct mr_buf *out, struct mr_err *err)
{
    const struct mr_step_opts_values *opts = call->opts;
    struct mr_lpx lpx = {0};
    struct sheet sheet = {0};
    MR_TRY(find_lpus(opts, setup, shelf, &lpx, err));
    MR_TRY(check_packages(call, setup, err));
    if (opts->expands && mr_lpx_is_expanded(&lpx))
        mr_ui_say(call->ui, 0, "note: weights that %s has no path for are held as fp8", opts->lpu);
    if (opts->way == MR_STEP_WAY_AFD)
        MR_TRY(price_afd(opts, &lpx, setup, batch, &sheet, err));
    else if (opts->way == MR_STEP_WAY_DECODE)
        MR_TRY(price_decode(&lpx, setup, batch, &sheet, err));
    else
        MR_TRY(price_draft(opts, &lpx, setup, batch, &sheet, err));
    if (opts->as_json)
        print_json(&sheet, out);
    else
        print_text(&sheet, out);
    return MR_OK;
}
