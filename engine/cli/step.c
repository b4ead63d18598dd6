/* SPDX-License-Identifier: Apache-2.0 */
/* Cards and options to a setup, its terms to a table: where the time goes, what bounds it, what
 * fits. */
#include "engine/cli/step.h"

#include "engine/base/jsonw.h"
#include "engine/base/shelf.h"
#include "engine/cli/verbs.h"
#include "models/memory.h"

#include <math.h>
#include <stdio.h>

static const char *const formats[] = {
#define FORMAT_TEXT(name, text, bytes) text,
    MR_FORMAT_LIST(FORMAT_TEXT)
#undef FORMAT_TEXT
        "own"};
static const char *const kv_formats[] = {"bf16", "fp8"};

#define OPT struct mr_step_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(OPT, gpu, "gpu", "h100_sxm", "Card of the package"), 0, "ID"},
    {MR_PARAM_STR(OPT, llm, "llm", "Llama-3.1-8B", "Card of the network"), 0, "ID"},
    {MR_PARAM_STR(OPT, software, "software", "spec", "Card of the serving engine"), 0, "ID"},
    {MR_PARAM_N(OPT, n_tp, "tp", "1", 1, 1024, "Shards of attention and dense layers"), 0, "N"},
    {MR_PARAM_N(OPT, n_dp, "dp", "1", 1, 4096, "Copies of attention"), 0, "N"},
    {MR_PARAM_N(OPT, n_pp, "pp", "1", 1, 256, "Pipeline stages"), 0, "N"},
    {MR_PARAM_N(OPT, n_ep, "ep", "1", 1, 4096, "Groups that experts are dealt to"), 0, "N"},
    {MR_PARAM_N(OPT, n_batch, "batch", "1", 0, 1000000, "Sequences that decode"), 0, "N"},
    {MR_PARAM_N(OPT, n_context, "context", "1024", 0, 100000000, "Tokens of each sequence"), 0,
     "N"},
    {MR_PARAM_N(OPT, n_prompt, "prefill", "0", 0, 100000000, "Tokens of a prompt read in the step"),
     0, "N"},
    {MR_PARAM_N(OPT, n_draft, "drafts", "0", 0, 64, "Speculative tokens per step"), 0, "N"},
    {MR_PARAM_N(OPT, n_domain, "domain", "0", 0, 100000, "Packages NVLink reaches, 0: the card's"),
     0, "N"},
    {MR_PARAM(OPT, clock, "clock", MR_Q_FRACTION, "1", 0.05, 1, "Clock over the full clock"), 0,
     "FRAC"},
    {MR_PARAM_ONE_OF(OPT, format, "format", formats, "own",
                     "Weights: bf16, fp8, nvfp4, mxfp4; own: as published, else fp8"),
     0, "FORMAT"},
    {MR_PARAM_ONE_OF(OPT, kv, "kv", kv_formats, "fp8", "Keys and values: bf16, fp8"), 0, "FORMAT"},
    {MR_PARAM_YES(OPT, as_json, "json", "no", "One JSON object"), 0, NULL},
};
#undef OPT

const struct mr_opt_table mr_step_opts = {rows, sizeof rows / sizeof *rows};

/* ---- setup ---- */

static const void *card_of(struct mr_shelf *shelf, const struct mr_card_kind *kind, const char *id,
                           struct mr_diags *diags)
{
    const struct mr_card *card = mr_shelf_card(shelf, kind, id, MR_NOWHERE, diags);
    return card != NULL ? card->object : NULL;
}

static int own_format(int native, int asked)
{
    if (asked < MR_N_FORMAT)
        return asked;
    return native < MR_N_FORMAT ? native : MR_FORMAT_FP8;
}

static bool make_setup(const struct mr_step_opts_values *opts, struct mr_shelf *shelf,
                       struct mr_step_setup *setup, struct mr_diags *diags)
{
    *setup =
        (struct mr_step_setup){.gpu = card_of(shelf, &mr_gpu_kind, opts->gpu, diags),
                               .llm = card_of(shelf, &mr_llm_kind, opts->llm, diags),
                               .software = card_of(shelf, &mr_software_kind, opts->software, diags),
                               .kv_element_bytes = opts->kv == 0 ? 2 : 1,
                               .n_draft = (uint32_t)opts->n_draft,
                               .domain_packages = (uint32_t)opts->n_domain};
    if (setup->gpu == NULL || setup->llm == NULL || setup->software == NULL)
        return false;
    setup->parallel = (struct mr_parallel){.tp = (uint32_t)opts->n_tp,
                                           .dp = (uint32_t)opts->n_dp,
                                           .pp = (uint32_t)opts->n_pp,
                                           .ep = (uint32_t)opts->n_ep,
                                           .moe_tp = 1};
    if (setup->llm->n_expert > 0)
        setup->parallel.moe_tp = (uint32_t)(opts->n_tp * opts->n_dp / opts->n_ep);
    setup->dense_format = own_format(setup->llm->native_dense, opts->format);
    setup->expert_format = own_format(setup->llm->native_experts, opts->format);
    return true;
}

static struct mr_batch make_batch(const struct mr_step_opts_values *opts,
                                  const struct mr_step_setup *setup)
{
    const double n = (double)opts->n_batch, context = (double)opts->n_context;
    const double prompt = (double)opts->n_prompt, window = (double)mr_llm_window(setup->llm);
    return (struct mr_batch){.n_decode = n,
                             .kv_tokens = n * context,
                             .window_kv_tokens = window > 0 ? n * fmin(context, window) : 0,
                             .chunk_tokens = prompt,
                             .chunk_pairs = prompt * prompt / 2,
                             .n_prompt_end = prompt > 0};
}

/* ---- output ---- */

static const char *bound(const struct mr_step_part *part)
{
    if (part->compute_s <= 0 && part->memory_s <= 0)
        return "";
    return part->compute_s > part->memory_s ? "compute" : "memory";
}

static void print_terms(const struct mr_step_terms *terms, struct mr_buf *out)
{
    mr_buf_printf(out, "%-14s %10s %7s %10s %10s  %s\n", "term", "time", "share", "compute",
                  "memory", "bound by");
    for (int i = 0; i < MR_STEP_TERMS; i++) {
        const struct mr_step_part *part = &terms->part[i];
        char time[MR_UNIT_CAP], compute[MR_UNIT_CAP], memory[MR_UNIT_CAP];
        if (!(part->time_s > 0))
            continue;
        mr_unit_human(part->time_s, MR_Q_TIME, 4, time);
        mr_unit_human(part->compute_s, MR_Q_TIME, 4, compute);
        mr_unit_human(part->memory_s, MR_Q_TIME, 4, memory);
        mr_buf_printf(out, "%-14s %10s %6.1f%% %10s %10s  %s\n", mr_step_term_name(i), time,
                      100 * part->time_s / terms->time_s, compute, memory, bound(part));
    }
}

/* What the step gives and how much of the hardware it uses. */
struct figures {
    double tokens_s_user, tokens_s_package, flop_share, memory_share, packages;
};

static struct figures figures_of(const struct mr_step_setup *setup, const struct mr_batch *batch,
                                 const struct mr_step_terms *terms)
{
    const struct mr_parallel *p = &setup->parallel;
    const double packages = (double)p->tp * (double)p->dp * (double)p->pp;
    double units = 0; /* of time at the peak of every format */
    for (int f = 0; f < MR_N_FORMAT; f++)
        units += terms->work.flop[f] / mr_step_flop_rate(setup->gpu, f);
    const double accepted = mr_step_accepted(setup);
    return (struct figures){
        batch->n_decode > 0 ? accepted / terms->time_s : 0,
        batch->n_decode * accepted / terms->time_s / packages, units / terms->time_s,
        terms->work.memory_bytes / setup->gpu->memory_bytes_s / terms->time_s, packages};
}

static void print_all(const struct mr_step_setup *setup, const struct mr_batch *batch,
                      const struct mr_step_terms *terms, const struct mr_memory *memory,
                      struct mr_buf *out)
{
    const struct figures f = figures_of(setup, batch, terms);
    char time[MR_UNIT_CAP], weights[MR_UNIT_CAP], kv[MR_UNIT_CAP];
    mr_unit_human(terms->time_s, MR_Q_TIME, 5, time);
    mr_unit_human(memory->weight_bytes, MR_Q_DATA, 4, weights);
    mr_unit_human(memory->kv_token_bytes, MR_Q_DATA, 4, kv);
    print_terms(terms, out);
    mr_buf_printf(out, "%-14s %10s\n\n", "step", time);
    mr_buf_printf(out, "%-26s %.4g\n", "packages", f.packages);
    if (batch->n_decode > 0) {
        mr_buf_printf(out, "%-26s %.4g\n", "tokens/s per user", f.tokens_s_user);
        mr_buf_printf(out, "%-26s %.4g\n", "tokens/s per package", f.tokens_s_package);
    }
    mr_buf_printf(out, "%-26s %.1f %% of peak compute, %.1f %% of memory bandwidth\n", "roofline",
                  100 * f.flop_share, 100 * f.memory_share);
    mr_buf_printf(out, "%-26s %s weights per package, %s per token of context\n", "memory", weights,
                  kv);
    mr_buf_printf(out, "%-26s %llu blocks of %llu tokens\n", "room for contexts",
                  (unsigned long long)memory->n_block, (unsigned long long)memory->block_tokens);
}

static void print_json(const struct mr_step_setup *setup, const struct mr_batch *batch,
                       const struct mr_step_terms *terms, const struct mr_memory *memory,
                       struct mr_buf *out)
{
    const struct figures f = figures_of(setup, batch, terms);
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_f64(&w, "time_s", terms->time_s);
    mr_jsonw_key(&w, "terms");
    mr_jsonw_object(&w);
    for (int i = 0; i < MR_STEP_TERMS; i++) {
        if (!(terms->part[i].time_s > 0))
            continue;
        mr_jsonw_key(&w, mr_step_term_name(i));
        mr_jsonw_object(&w);
        mr_jsonw_key_f64(&w, "time_s", terms->part[i].time_s);
        mr_jsonw_key_f64(&w, "compute_s", terms->part[i].compute_s);
        mr_jsonw_key_f64(&w, "memory_s", terms->part[i].memory_s);
        mr_jsonw_end(&w);
    }
    mr_jsonw_end(&w);
    mr_jsonw_key_f64(&w, "packages", f.packages);
    mr_jsonw_key_f64(&w, "tok_s_per_user", f.tokens_s_user);
    mr_jsonw_key_f64(&w, "tok_s_per_package", f.tokens_s_package);
    mr_jsonw_key_f64(&w, "compute_frac", f.flop_share);
    mr_jsonw_key_f64(&w, "memory_frac", f.memory_share);
    mr_jsonw_key_f64(&w, "weight_bytes", memory->weight_bytes);
    mr_jsonw_key_f64(&w, "kv_token_bytes", memory->kv_token_bytes);
    mr_jsonw_key_u64(&w, "kv_blocks", memory->n_block);
    mr_jsonw_key_u64(&w, "block_tokens", memory->block_tokens);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

static int price(const struct mr_verb_call *call, const struct mr_step_setup *setup)
{
    const struct mr_step_opts_values *opts = call->opts;
    const struct mr_batch batch = make_batch(opts, setup);
    struct mr_step_terms terms;
    struct mr_memory memory;
    struct mr_err err = {0};
    struct mr_buf out = {0};
    mr_status st = mr_step_check(setup, &err);
    if (st == MR_OK)
        st = mr_memory_of(setup, batch.n_decode + batch.n_prompt_end, 0, &memory, &err);
    if (st != MR_OK)
        return mr_ui_error(call->ui, &err);
    mr_step_terms(setup, &batch, opts->clock, &terms);
    if (opts->as_json)
        print_json(setup, &batch, &terms, &memory, &out);
    else
        print_all(setup, &batch, &terms, &memory, &out);
    const double needed = (batch.kv_tokens + batch.chunk_tokens) / (double)memory.block_tokens;
    if (needed > (double)memory.n_block)
        mr_ui_say(call->ui, 0,
                  "note: the batch needs %.0f blocks and %llu fit: it could not run so",
                  ceil(needed), (unsigned long long)memory.n_block);
    const int code = mr_ui_out(call->ui, &out);
    mr_buf_fini(&out);
    return code;
}

int mr_step_run(const struct mr_verb_call *call)
{
    struct mr_shelf *shelf = NULL;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_step_setup setup;
    if (mr_shelf_create(&shelf, &err) != MR_OK)
        return mr_ui_error(call->ui, &err);
    const bool is_whole = make_setup(call->opts, shelf, &setup, &diags);
    int code = mr_ui_diags(call->ui, &diags);
    if (is_whole)
        code = price(call, &setup);
    mr_shelf_destroy(shelf);
    return code;
}
