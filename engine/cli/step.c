/* SPDX-License-Identifier: Apache-2.0 */
/* Cards and options to a setup, its terms to a table: where time and watts go, what bounds it, what
 * fits. A profile gives its time alone; LPUs have a page of their own (step_lpx.c). */
#include "engine/cli/step.h"

#include "engine/base/jsonw.h"
#include "engine/base/shelf.h"
#include "engine/cli/step_fit.h"
#include "engine/cli/step_lpx.h"
#include "engine/cli/verbs.h"
#include "models/memory.h"
#include "models/power.h"
#include "models/profile.h"

#include <math.h>
#include <stdio.h>

static const char *const formats[] = {
#define FORMAT_TEXT(name, text, bytes) text,
    MR_FORMAT_LIST(FORMAT_TEXT)
#undef FORMAT_TEXT
        "own"};
static const char *const kv_formats[] = {"bf16", "fp8"};
static const char *const ways[] = {"afd", "decode", "draft"}; /* enum mr_step_way */
static const double reference_c = 60;

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
    {MR_PARAM(OPT, accepted, "accepted", MR_Q_COUNT, "0", 0, 64,
              "Mean tokens of a step with drafts; 0: the card's"),
     0, "N"},
    {MR_PARAM_N(OPT, n_domain, "domain", "0", 0, 100000, "Packages NVLink reaches, 0: the card's"),
     0, "N"},
    {MR_PARAM_N(OPT, n_block, "blocks", "0", 0, 1000000000000,
                "KV blocks there are; 0: what memory holds"),
     0, "N"},
    {MR_PARAM_YES(OPT, is_forced, "force-fit", "no", "Price what does not fit, too, and say so"), 0,
     NULL},
    {MR_PARAM(OPT, clock, "clock", MR_Q_FRACTION, "1", 0.05, 1, "Lock of the clock, of the full"),
     0, "FRAC"},
    {MR_PARAM(OPT, cap_w, "cap", MR_Q_POWER, "0 W", 0, 1e5, "Cap of a package; 0: the card's"), 0,
     "POWER"},
    {MR_PARAM_ONE_OF(OPT, format, "format", formats, "own",
                     "Weights: bf16, fp8, nvfp4, mxfp4; own: as published, else fp8"),
     0, "FORMAT"},
    {MR_PARAM_ONE_OF(OPT, kv, "kv", kv_formats, "fp8", "Keys and values: bf16, fp8"), 0, "FORMAT"},
    {MR_PARAM_STR(OPT, profile, "profile", "", "Card of measured step times, instead of terms"), 0,
     "ID"},
    {MR_PARAM_STR(OPT, lpu, "lpu", "", "Card of LPUs beside the packages"), 0, "ID"},
    {MR_PARAM_N(OPT, n_lpu, "lpus", "0", 0, 1000000, "How many LPUs; 0: a rack of them"), 0, "N"},
    {MR_PARAM_ONE_OF(OPT, way, "way", ways, "afd",
                     "LPUs hold MLPs and experts (afd), decode alone (decode) or draft (draft)"),
     0, "WAY"},
    {MR_PARAM_N(OPT, n_micro, "micro", "2", 1, 1024, "Micro-batches of a step with afd"), 0, "N"},
    {MR_PARAM_YES(OPT, expands, "expand", "no", "Hold weights that LPUs have no path for as FP8"),
     0, NULL},
    {MR_PARAM_STR(OPT, draft_llm, "draft-llm", "", "Card of the network that drafts"), 0, "ID"},
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
    *setup = (struct mr_step_setup){
        .gpu = card_of(shelf, &mr_gpu_kind, opts->gpu, diags),
        .llm = card_of(shelf, &mr_llm_kind, opts->llm, diags),
        .software = card_of(shelf, &mr_software_kind, opts->software, diags),
        .kv_element_bytes = opts->kv == 0 ? 2 : 1,
        .n_draft = (uint32_t)opts->n_draft,
        .accepted = opts->accepted,
        .drafts_elsewhere = opts->lpu[0] != '\0' && opts->way == MR_STEP_WAY_DRAFT,
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
                             .chunk_window_pairs = mr_step_window_pairs(0, prompt, window),
                             .chunk_kv_tokens = prompt,
                             .n_prompt_end = prompt > 0,
                             .n_growing = context < window ? n : 0};
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

/* A batch priced at the clock that lock and cap leave. */
struct priced {
    const struct mr_step_setup *setup;
    struct mr_batch batch;
    struct mr_step_terms terms;
    struct mr_memory memory;
    struct mr_power power;
    struct mr_power_split watts;
    double clock, cap_w, package_w;
    bool is_capped, fits;
};

/* What the step gives and how much of the hardware it uses. */
struct figures {
    double tokens_s_user, tokens_s_package, j_per_token, flop_share, memory_share, packages;
};

static struct figures figures_of(const struct priced *priced)
{
    const struct mr_step_setup *setup = priced->setup;
    const struct mr_step_terms *terms = &priced->terms;
    const struct mr_parallel *p = &setup->parallel;
    const double packages = (double)p->tp * (double)p->dp * (double)p->pp;
    double units = 0; /* of time at the peak of every format */
    for (int f = 0; f < MR_N_FORMAT; f++)
        units += terms->work.flop[f] / mr_step_flop_rate(setup->gpu, f);
    const double tokens = priced->batch.n_decode * mr_step_accepted(setup);
    return (struct figures){
        .tokens_s_user = tokens > 0 ? mr_step_accepted(setup) / terms->time_s : 0,
        .tokens_s_package = tokens / terms->time_s / packages,
        .j_per_token = tokens > 0 ? priced->package_w * packages * terms->time_s / tokens : 0,
        .flop_share = units / terms->time_s,
        .memory_share = terms->work.memory_bytes / setup->gpu->memory_bytes_s / terms->time_s,
        .packages = packages,
    };
}

static void print_power(const struct priced *priced, const struct figures *f, struct mr_buf *out)
{
    const struct mr_power_split *w = &priced->watts;
    char package[MR_UNIT_CAP], all[MR_UNIT_CAP], cap[MR_UNIT_CAP];
    mr_unit_human(priced->package_w, MR_Q_POWER, 4, package);
    mr_unit_human(priced->package_w * f->packages, MR_Q_POWER, 4, all);
    mr_unit_human(priced->cap_w, MR_Q_POWER, 4, cap);
    mr_buf_printf(out, "%-26s %s per package, %s of all, at clock %.3f%s%s%s\n", "power", package,
                  all, priced->clock, priced->is_capped ? " (held by the cap of " : "",
                  priced->is_capped ? cap : "", priced->is_capped ? ")" : "");
    mr_buf_printf(out,
                  "%-26s idle %.0f, running %.0f, waiting %.0f, products %.0f, memory %.0f, "
                  "links %.0f W\n",
                  "of a package", w->idle_w, w->running_w, w->waiting_w, w->flop_w, w->memory_w,
                  w->link_w);
    if (f->j_per_token > 0)
        mr_buf_printf(out, "%-26s %.4g J\n", "energy per token", f->j_per_token);
}

static void print_all(const struct priced *priced, struct mr_buf *out)
{
    const struct figures f = figures_of(priced);
    const struct mr_memory *memory = &priced->memory;
    char time[MR_UNIT_CAP], weights[MR_UNIT_CAP], kv[MR_UNIT_CAP];
    mr_unit_human(priced->terms.time_s, MR_Q_TIME, 5, time);
    mr_unit_human(memory->weight_bytes, MR_Q_DATA, 4, weights);
    mr_unit_human(memory->kv_token_bytes, MR_Q_DATA, 4, kv);
    print_terms(&priced->terms, out);
    mr_buf_printf(out, "%-14s %10s\n\n", "step", time);
    mr_buf_printf(out, "%-26s %.4g\n", "packages", f.packages);
    if (priced->batch.n_decode > 0) {
        mr_buf_printf(out, "%-26s %.4g\n", "tokens/s per user", f.tokens_s_user);
        mr_buf_printf(out, "%-26s %.4g\n", "tokens/s per package", f.tokens_s_package);
    }
    mr_buf_printf(out, "%-26s %.1f %% of peak compute, %.1f %% of memory bandwidth\n", "roofline",
                  100 * f.flop_share, 100 * f.memory_share);
    print_power(priced, &f, out);
    mr_buf_printf(out, "%-26s %s weights per package, %s per token of context\n", "memory", weights,
                  kv);
    mr_buf_printf(out, "%-26s %llu blocks of %llu tokens%s\n", "room for contexts",
                  (unsigned long long)memory->n_block, (unsigned long long)memory->block_tokens,
                  priced->fits ? "" : ": it does not fit");
}

static void json_power(const struct priced *priced, const struct figures *f, struct mr_jsonw *w)
{
    const struct mr_power_split *watts = &priced->watts;
    mr_jsonw_key(w, "power");
    mr_jsonw_object(w);
    mr_jsonw_key_f64(w, "package_w", priced->package_w);
    mr_jsonw_key_f64(w, "all_w", priced->package_w * f->packages);
    mr_jsonw_key_f64(w, "clock", priced->clock);
    mr_jsonw_key_f64(w, "cap_w", priced->cap_w);
    mr_jsonw_key_bool(w, "is_capped", priced->is_capped);
    mr_jsonw_key_f64(w, "idle_w", watts->idle_w);
    mr_jsonw_key_f64(w, "running_w", watts->running_w);
    mr_jsonw_key_f64(w, "waiting_w", watts->waiting_w);
    mr_jsonw_key_f64(w, "products_w", watts->flop_w);
    mr_jsonw_key_f64(w, "memory_w", watts->memory_w);
    mr_jsonw_key_f64(w, "links_w", watts->link_w);
    mr_jsonw_key_f64(w, "j_per_token", f->j_per_token);
    mr_jsonw_end(w);
}

static void print_json(const struct priced *priced, struct mr_buf *out)
{
    const struct figures f = figures_of(priced);
    const struct mr_step_terms *terms = &priced->terms;
    const struct mr_memory *memory = &priced->memory;
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
    json_power(priced, &f, &w);
    mr_jsonw_key_f64(&w, "weight_bytes", memory->weight_bytes);
    mr_jsonw_key_f64(&w, "kv_token_bytes", memory->kv_token_bytes);
    mr_jsonw_key_bool(&w, "fits", priced->fits);
    mr_jsonw_key_u64(&w, "kv_blocks", memory->n_block);
    mr_jsonw_key_u64(&w, "block_tokens", memory->block_tokens);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

/* ---- prices ---- */

static double package_w_at(struct priced *priced, double clock)
{
    mr_step_terms(priced->setup, &priced->batch, clock, &priced->terms);
    return mr_power_step_w(&priced->power, &priced->terms.work, clock, reference_c);
}

/* The highest clock up to the lock that keeps the cap: power rises with the clock, every trial is
 * priced anew. Below the lowest clock nothing can be saved. */
static void settle(struct priced *priced, double lock)
{
    double low = priced->power.clock_min, high = fmax(lock, low);
    priced->clock = high;
    priced->package_w = package_w_at(priced, high);
    priced->is_capped = priced->package_w > priced->cap_w;
    if (priced->is_capped) {
        while (high - low > 1e-9) {
            const double middle = 0.5 * (low + high);
            if (package_w_at(priced, middle) > priced->cap_w)
                high = middle;
            else
                low = middle;
        }
        priced->clock = low;
        priced->package_w = package_w_at(priced, low);
    }
    mr_power_step_split(&priced->power, &priced->terms.work, priced->clock, reference_c,
                        &priced->watts);
}

static mr_status price_packages(const struct mr_verb_call *call, const struct mr_step_setup *setup,
                                const struct mr_batch *batch, bool fits, struct mr_buf *out,
                                struct mr_err *err)
{
    const struct mr_step_opts_values *opts = call->opts;
    struct priced priced = {.setup = setup, .batch = *batch, .fits = fits};
    MR_TRY(mr_step_fit_memory(call, setup, &priced.memory, &priced.fits, err));
    MR_TRY(mr_power_of(setup->gpu, &priced.power, err));
    priced.cap_w = opts->cap_w > 0 ? fmin(opts->cap_w, priced.power.limit_w) : priced.power.limit_w;
    settle(&priced, opts->clock);
    if (opts->as_json)
        print_json(&priced, out);
    else
        print_all(&priced, out);
    if (priced.package_w > priced.cap_w * (1 + 1e-9))
        mr_ui_say(call->ui, 0, "note: even the lowest clock draws more than the cap of %.4g W",
                  priced.cap_w);
    return MR_OK;
}

/* A profile knows its time and how it grows, nothing of watts or memory. */
static mr_status price_profile(const struct mr_step_opts_values *opts,
                               const struct mr_step_setup *setup, struct mr_shelf *shelf,
                               const struct mr_batch *batch, struct mr_buf *out, struct mr_err *err)
{
    MR_TRY(mr_step_fit_profile_opts(opts, err));
    if (opts->n_block > 0 && !opts->is_forced)
        MR_TRY(mr_step_fit_blocks(opts, (double)opts->n_block,
                                  (double)setup->software->block_tokens, 1, err));
    struct mr_diags diags = {0};
    struct mr_profile *profile;
    const struct mr_card *card =
        mr_shelf_card(shelf, &mr_profile_kind, opts->profile, MR_NOWHERE, &diags);
    if (card == NULL) {
        *err = diags.item[0].err;
        return diags.first_error;
    }
    MR_TRY(mr_profile_open(card, &profile, err));
    const double time_s = mr_profile_time(profile, batch);
    const struct mr_step_leap leap = mr_profile_leap(profile, batch);
    if (opts->as_json) {
        struct mr_jsonw w;
        mr_jsonw_init(&w, out, 2);
        mr_jsonw_object(&w);
        mr_jsonw_key_u64(&w, "schema", 1);
        mr_jsonw_key_f64(&w, "time_s", time_s);
        mr_jsonw_key_f64(&w, "grow_s", leap.b_s);
        mr_jsonw_key(&w, "power");
        mr_jsonw_null(&w);
        mr_jsonw_end(&w);
        mr_buf_char(out, '\n');
    } else {
        char time[MR_UNIT_CAP], grow[MR_UNIT_CAP];
        mr_unit_human(time_s, MR_Q_TIME, 5, time);
        mr_unit_human(leap.b_s, MR_Q_TIME, 4, grow);
        mr_buf_printf(out, "step           %s, longer by %s per step while the batch stays\n", time,
                      grow);
        mr_buf_printf(out, "power          not known: a profile measures time%s\n",
                      opts->n_block > 0 ? "" : "; whether the batch fits neither: give --blocks");
    }
    mr_profile_destroy(profile);
    return MR_OK;
}

/* Below its lowest clock a package does not run. */
static mr_status check_clock(const struct mr_step_opts_values *opts,
                             const struct mr_step_setup *setup, struct mr_err *err)
{
    if (opts->clock >= setup->gpu->clock_min)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, MR_NOWHERE, "--clock %.4g: the lowest of %s is %.4g",
                      opts->clock, opts->gpu, setup->gpu->clock_min);
}

static mr_status price(const struct mr_verb_call *call, const struct mr_step_setup *setup,
                       struct mr_shelf *shelf, struct mr_buf *out, struct mr_err *err)
{
    const struct mr_step_opts_values *opts = call->opts;
    const struct mr_batch batch = make_batch(opts, setup);
    if (!(batch.n_decode + batch.chunk_tokens > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "nothing to do: give --batch or --prefill above 0");
    if (opts->profile[0] != '\0')
        return price_profile(opts, setup, shelf, &batch, out, err);
    MR_TRY(mr_step_check(setup, err));
    MR_TRY(check_clock(opts, setup, err));
    bool fits = true;
    MR_TRY(mr_step_fit_context(call, opts->llm, setup->llm, &fits, err));
    if (setup->n_draft > 0 && mr_step_accepted(setup) <= 1)
        mr_ui_say(call->ui, 0,
                  "note: the card of %s does not say how many drafts are accepted: "
                  "none are, unless --accepted says so",
                  opts->llm);
    if (opts->lpu[0] != '\0')
        return mr_step_lpx_print(call, setup, &batch, shelf, out, err);
    return price_packages(call, setup, &batch, fits, out, err);
}

int mr_step_run(const struct mr_verb_call *call)
{
    struct mr_shelf *shelf = NULL;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_step_setup setup;
    struct mr_buf out = {0};
    if (mr_shelf_create(&shelf, &err) != MR_OK)
        return mr_ui_error(call->ui, &err);
    const bool is_whole = make_setup(call->opts, shelf, &setup, &diags);
    int code = mr_ui_diags(call->ui, &diags);
    if (is_whole)
        code = price(call, &setup, shelf, &out, &err) == MR_OK ? mr_ui_out(call->ui, &out)
                                                               : mr_ui_error(call->ui, &err);
    mr_buf_fini(&out);
    mr_shelf_destroy(shelf);
    return code;
}
