/* SPDX-License-Identifier: Apache-2.0 */
/* Cards to step times, memory and power; with a profile, step times alone. */
#include "engine/twin/pool.h"

#include "engine/serve/instance_wait.h"
#include "engine/serve/policy.h"
#include "engine/serve/router.h"
#include "engine/twin/pool_kv.h"
#include "models/memory.h"

#include <math.h>
#include <string.h>

static const void *card_of(struct mr_shelf *shelf, const struct mr_card_kind *kind, const char *id,
                           struct mr_place at, struct mr_diags *diags)
{
    const struct mr_card *card = mr_shelf_card(shelf, kind, id, at, diags);
    return card != NULL ? card->object : NULL;
}

static int own_format(int native, int asked)
{
    if (asked < MR_N_FORMAT)
        return asked;
    return native < MR_N_FORMAT ? native : MR_FORMAT_FP8;
}

static bool make_setup(struct mr_shelf *shelf, const struct mr_scenario_deployment *d,
                       const char *element, struct mr_place at, struct mr_step_setup *setup,
                       struct mr_diags *diags)
{
    *setup = (struct mr_step_setup){.gpu = card_of(shelf, &mr_gpu_kind, d->gpu, at, diags),
                                    .llm = card_of(shelf, &mr_llm_kind, d->llm, at, diags),
                                    .software =
                                        card_of(shelf, &mr_software_kind, d->software, at, diags),
                                    .kv_element_bytes = d->kv == 0 ? 2 : 1,
                                    .n_draft = (uint32_t)d->n_draft,
                                    .domain_packages = (uint32_t)d->n_domain};
    if (setup->gpu == NULL || setup->llm == NULL || setup->software == NULL)
        return false;
    setup->parallel = (struct mr_parallel){(uint32_t)d->n_tp, (uint32_t)d->n_dp, (uint32_t)d->n_pp,
                                           (uint32_t)d->n_ep, 1};
    if (setup->llm->n_expert > 0)
        setup->parallel.moe_tp = (uint32_t)(d->n_tp * d->n_dp / d->n_ep);
    setup->dense_format = own_format(setup->llm->native_dense, d->format);
    setup->expert_format = own_format(setup->llm->native_experts, d->format);
    if (!mr_software_knows(setup->software, d->llm))
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_REF, at,
                     "%s: the card \"%s\" was fitted without \"%s\": \"spec\" may be the better "
                     "guess",
                     element, d->software, d->llm);
    return true;
}

/* What others than background work were promised for each token; INFINITY: nothing. */
static double promised_s(const struct mr_scenario *scenario)
{
    double promise_s = (double)INFINITY;
    for (size_t i = 0; i < scenario->n_tier; i++)
        if (!scenario->tier[i].yields && scenario->tier[i].tpot_s > 0)
            promise_s = fmin(promise_s, scenario->tier[i].tpot_s);
    return promise_s;
}

/* Of a prompt that yields, in a step: with half of it, and decodes let in up to a quarter,
 * it keeps what the others were promised, behind an eighth of the longest context; but it is never
 * cut to less than a sixteenth of a step. */
static uint32_t background_tokens(const struct mr_scenario *scenario,
                                  const struct mr_scenario_deployment *d,
                                  const struct mr_serving *serving)
{
    const double promise_s = promised_s(scenario);
    if (d->n_background > 0 || isinf(promise_s))
        return (uint32_t)d->n_background;
    const uint32_t least = (serving->token_max + 15) / 16;
    const uint32_t n = mr_instance_wait_within(serving, serving->context_max / 8., promise_s / 2);
    return n > least ? n : least;
}

/* A step with both leaves a quarter of what was promised to the calls it was promised to. */
static double background_step_s(const struct mr_scenario *scenario,
                                const struct mr_scenario_deployment *d)
{
    const double promise_s = promised_s(scenario);
    if (d->background_step_s > 0 || isinf(promise_s))
        return d->background_step_s;
    return promise_s / 4;
}

mr_status mr_pool_open(struct mr_shelf *shelf, const struct mr_scenario *scenario,
                       const struct mr_scenario_deployment *deployment, const char *element,
                       struct mr_pool *pool, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario_deployment *d = deployment;
    const struct mr_place at = {scenario->path, 0, 0};
    struct mr_memory memory = {0};
    uint64_t n_block = d->n_block;
    const bool has_lpx = scenario->lpx.way != 0 && deployment == &scenario->deployment;
    *pool = (struct mr_pool){0};
    if (!make_setup(shelf, d, element, at, &pool->setup, diags))
        return diags->first_error;
    MR_TRY(mr_accept_mean(d->accepted, (uint32_t)d->n_draft, &pool->setup.accepted, err));
    if (d->profile != NULL) {
        const struct mr_card *card = mr_shelf_card(shelf, &mr_profile_kind, d->profile, at, diags);
        if (card == NULL)
            return diags->first_error;
        if (has_lpx)
            return mr_err_set(err, MR_RANGE, at, "lpx: a profile of measured steps knows no LPUs");
        if (n_block == 0)
            return mr_err_set(err, MR_RANGE, at,
                              "%s: a profile knows no memory: say how many \"blocks\"", element);
        MR_TRY(mr_profile_open(card, &pool->profile, err));
    } else {
        MR_TRY(mr_step_check(&pool->setup, err));
        if (has_lpx)
            MR_TRY(mr_pool_lpx_open(shelf, scenario, &pool->setup, &pool->lpx, diags, err));
        else
            MR_TRY(mr_memory_of(&pool->setup, (double)d->n_batch, n_block, &memory, err));
        MR_TRY(mr_step_create(&pool->setup, &pool->step, err));
        MR_TRY(mr_power_of(pool->setup.gpu, &pool->power, err));
        n_block = memory.n_block;
    }
    const struct mr_software_card *software = pool->setup.software;
    const uint64_t block_tokens = d->n_block_token > 0 ? d->n_block_token : software->block_tokens;
    if (pool->lpx.used != NULL)
        MR_TRY(mr_pool_lpx_blocks(&pool->lpx, (double)d->n_batch, d->n_block, block_tokens,
                                  &n_block, err));
    pool->card = d->gpu;
    if (pool->lpx.used != NULL && pool->lpx.used->way == MR_LPX_DECODE) {
        pool->card = scenario->lpx.lpu;
        pool->power = mr_lpx_serve_power(pool->lpx.used->lpx.lpu);
    }
    if (pool->step != NULL)
        mr_step_take_power(pool->step, &pool->power);
    if (pool->step != NULL && d->n_draft > 0 && mr_step_accepted(&pool->setup) == 1)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_REF, at,
                     "%s: the card of \"%s\" does not say how many drafts are accepted: none are, "
                     "unless \"accepted\" says so",
                     element, d->llm);
    pool->serving = (struct mr_serving){
        .policy = mr_policy_at((size_t)d->policy),
        .pricer = {pool->step, pool->profile, pool->step != NULL ? &pool->power : NULL,
                   pool->lpx.used},
        .batch_max = (uint32_t)d->n_batch,
        .token_max = (uint32_t)(d->n_token > 0 ? d->n_token : software->chunk_tokens),
        .yield_spare_frac = d->background_spare_frac,
        .yield_step_s = background_step_s(scenario, d),
        .context_max = (uint32_t)(d->n_context > 0 ? d->n_context : pool->setup.llm->context_max),
        .block_tokens = (uint32_t)block_tokens,
        .n_block = n_block,
        .window_tokens = pool->step != NULL ? mr_llm_window(pool->setup.llm) : 0,
        .watermark_frac = d->policy == 1 || d->policy == 2 ? d->watermark_frac : 0,
        .accept = {.extra = mr_step_accepted(&pool->setup) - 1,
                   .n_draft = pool->setup.n_draft,
                   .is_drawn = d->verify == 1,
                   .seed = scenario->top.seed},
        .preempts_lowest = d->scheduling == 1,
        .has_cache = d->has_cache};
    pool->serving.accept.is_each = d->verify == 2;
    if (pool->serving.accept.is_each)
        MR_TRY(mr_accept_chances(d->accepted, &pool->serving.accept, err));
    if (d->router == MR_ROUTER_KV && !d->has_cache)
        return mr_err_set(err, MR_RANGE, at,
                          "%s: router \"kv_aware\" looks at prefix caches: say cache=\"yes\"",
                          element);
    MR_TRY(mr_instance_check(&pool->serving, err));
    pool->serving.yield_token_max = background_tokens(scenario, d, &pool->serving);
    MR_TRY(mr_pool_kv_plan(scenario, &pool->serving, mr_pool_packages(pool), (double)d->n_instance,
                           mr_llm_token_bytes(pool->setup.llm, pool->setup.kv_element_bytes),
                           &pool->onboard, err));
    pool->serving.onboard = pool->onboard.n_level > 0 ? &pool->onboard : NULL;
    return MR_OK;
}

void mr_pool_close(struct mr_pool *pool)
{
    mr_step_destroy(pool->step);
    mr_profile_destroy(pool->profile);
    *pool = (struct mr_pool){0};
}

double mr_pool_packages(const struct mr_pool *pool)
{
    const struct mr_parallel *p = &pool->setup.parallel;
    if (pool->lpx.used != NULL && pool->lpx.used->way == MR_LPX_DECODE)
        return (double)pool->lpx.used->lpx.n_lpu;
    return (double)p->tp * (double)p->dp * (double)p->pp;
}

/* ---- at the lowest clock ---- */

static double batch_w(const struct mr_pool *pool, const struct mr_batch *batch)
{
    const struct mr_pricer *pricer = &pool->serving.pricer;
    const double phi = pool->power.clock_min, idle_w = mr_pricer_idle_w(pricer);
    struct mr_power_leap energy = {0};
    struct mr_pricer_lpu lpu;
    if (pricer->lpx != NULL)
        (void)mr_pricer_lpx(pricer, batch, phi, idle_w, &energy, &lpu);
    else
        (void)mr_pricer_leap(pricer, batch, phi, idle_w, &energy);
    return energy.step_s > 0 ? energy.work_j / energy.step_s : 0;
}

/* Sequences of some context each, and a chunk of a prompt behind as long a one. */
static struct mr_batch batch_of(const struct mr_serving *serving, double n, double context,
                                double chunk)
{
    const double longest = context + chunk;
    const double window =
        serving->window_tokens > 0 ? fmin((double)serving->window_tokens, longest) : longest;
    return (struct mr_batch){.n_decode = n,
                             .kv_tokens = n * context,
                             .window_kv_tokens = n * fmin(context, window),
                             .chunk_tokens = chunk,
                             .chunk_pairs = chunk * (context + chunk / 2),
                             .chunk_window_pairs = mr_step_window_pairs(context, chunk, window),
                             .chunk_kv_tokens = chunk > 0 ? context + chunk : 0,
                             .n_growing = n};
}

/* Bytes are not driven by clocks and operations are, so watts at the lowest one have their most
 * anywhere between few and many sequences, short and long ones: looked for on a coarse grid, which
 * finds it to a few percent because they are flat around it. */
double mr_pool_slow_w(const struct mr_pool *pool, bool decodes, double context_tok)
{
    enum {
        n_length = 5
    };
    const struct mr_serving *serving = &pool->serving;
    const double room = (double)serving->n_block * serving->block_tokens;
    double most_w = 0;
    for (uint32_t n = decodes ? 1 : 0; n <= (decodes ? serving->batch_max : 0);
         n = n > 0 ? 2 * n : 1)
        for (int k = 0; k < n_length; k++) {
            const double longest = fmin(context_tok, fmin(serving->context_max, room / fmax(n, 1)));
            const double context = longest / (double)(1U << 2 * k); /* 1, 1/4, ... 1/256 */
            for (int reads = decodes ? 0 : 1; reads <= 1; reads++) {
                const double chunk = reads ? fmin(serving->token_max, serving->context_max) : 0;
                const struct mr_batch batch = batch_of(serving, n, context, chunk);
                most_w = fmax(most_w, batch_w(pool, &batch));
            }
        }
    return fmin(most_w, pool->power.limit_w - pool->power.idle_w);
}

/* ---- two pools ---- */

static mr_status link_of(const struct mr_scenario *scenario, const struct mr_pool *pool,
                         double *bytes_s, struct mr_err *err)
{
    *bytes_s = scenario->transfer.bandwidth_bytes_s;
    if (*bytes_s > 0)
        return MR_OK;
    *bytes_s = pool->lpx.used != NULL && pool->lpx.used->way == MR_LPX_DECODE
                   ? mr_pool_lpx_link_bytes_s(&pool->lpx)
                   : pool->setup.gpu->scaleout_bytes_s * mr_pool_packages(pool);
    if (*bytes_s > 0)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, (struct mr_place){scenario->path, 0, 0},
                      "transfer: the card of a GPU knows no scale-out bandwidth: say the "
                      "\"bandwidth\" of an instance");
}

mr_status mr_pool_split(const struct mr_scenario *scenario, const struct mr_pool *prefill,
                        const struct mr_pool *decode, struct mr_split_plan *plan,
                        struct mr_err *err)
{
    const struct mr_scenario_transfer *t = &scenario->transfer;
    const struct mr_scenario_deployment *p = &scenario->prefill, *d = &scenario->deployment;
    const struct mr_llm_card *llm = prefill->setup.llm;
    const double element_bytes = prefill->setup.kv_element_bytes;
    const struct mr_place at = {scenario->path, 0, 0};
    if (strcmp(p->llm, d->llm) != 0 || p->kv != d->kv)
        return mr_err_set(err, MR_RANGE, at,
                          "prefill: \"llm\" and \"kv\" must be those of the deployment, which goes "
                          "on with the same keys and values");
    if (t->network == MR_SCENARIO_FLOW && scenario->site.file == NULL)
        return mr_err_set(
            err, MR_RANGE, at,
            "transfer: \"flow\" needs the links of a site: name its platform in <site>, "
            "or take \"shared\" or \"ideal\"");
    *plan = (struct mr_split_plan){
        .serving = &prefill->serving,
        .n_instance = (uint32_t)p->n_instance,
        .router = p->router,
        .call_s = p->call_s,
        .seed = scenario->top.seed + 1, /* draws beside those of the pool that decodes */
        .local_tok = t->n_local,
        .n_slot = t->n_slot > 0 ? t->n_slot : p->n_batch,
        .token_bytes = t->token_bytes > 0 ? t->token_bytes : mr_llm_token_bytes(llm, element_bytes),
        .sequence_bytes = mr_llm_sequence_bytes(llm, element_bytes, 0),
        .n_layer = (uint32_t)llm->n_layer,
        .way = t->way,
        .overlap_frac = t->overlap_frac,
        .is_shared = t->network != MR_SCENARIO_IDEAL,
        .latency_s = t->latency_s,
        .efficiency = t->efficiency};
    MR_TRY(link_of(scenario, prefill, &plan->send_bytes_s, err));
    MR_TRY(link_of(scenario, decode, &plan->receive_bytes_s, err));
    return mr_split_check(plan, &decode->serving, err);
}
