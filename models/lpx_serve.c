/* SPDX-License-Identifier: Apache-2.0 */
/* Growth is the difference of two neighboring steps: everything in them is linear in the contexts
 * up to the kink. A prompt's pieces see ever longer contexts and are priced one by one.
 *
 * Prompts of instances that decode on LPUs alone (a call that was preempted reads its own again)
 * pass token by token, as decodes do. Drafting LLMs are taken to know the prompts: what reading
 * them costs LPUs is not counted. */
#include "models/lpx_serve.h"

#include "engine/base/assert.h"

#include <math.h>

mr_status mr_lpx_serve_check(const struct mr_lpx_serve *serve, struct mr_err *err)
{
    struct mr_lpx_fit fit;
    if (serve->way == MR_LPX_AFD)
        return mr_lpx_afd_check(
            &(struct mr_lpx_afd_setup){serve->lpx, serve->setup, serve->n_micro}, err);
    if (serve->way == MR_LPX_DRAFT) {
        MR_TRY(mr_step_check(serve->setup, err));
        if (serve->setup->n_draft == 0)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE, "LPUs that draft, and no drafts");
    }
    return mr_lpx_fit_of(&serve->lpx, MR_LPX_ALL, &fit, err);
}

static double room_tok(const struct mr_lpx_serve *serve, double n_sequence)
{
    const struct mr_lpx *lpx = &serve->lpx;
    struct mr_lpx_fit fit;
    struct mr_err err = {0};
    if (serve->way == MR_LPX_AFD)
        return (double)INFINITY;
    if (mr_lpx_fit_of(lpx, MR_LPX_ALL, &fit, &err) != MR_OK)
        return 0;
    const double room = fit.kv_bytes + (lpx->lpu->ddr_tray_bytes_s > 0 ? fit.spill_bytes : 0);
    const double once = n_sequence * mr_llm_sequence_bytes(lpx->llm, lpx->kv_element_bytes, 0);
    const double token_bytes = mr_llm_token_bytes(lpx->llm, lpx->kv_element_bytes);
    return token_bytes > 0 ? fmax(0, floor((room - once) / token_bytes)) : (double)INFINITY;
}

double mr_lpx_serve_kv_tok(const struct mr_lpx_serve *serve, double n_sequence)
{
    const double drafted = 4 * n_sequence; /* tokens that means of drafts are ahead by, at most */
    return fmax(0, room_tok(serve, n_sequence) - drafted);
}

struct mr_power mr_lpx_serve_power(const struct mr_lpu_card *lpu)
{
    return (struct mr_power){.limit_w = lpu->max_p_w,
                             .idle_w = lpu->idle_w,
                             .clock_min = 1,
                             .clock_knee = 1,
                             .exponent = 1};
}

/* ---- one batch ---- */

static uint64_t first_kink(const struct mr_lpx_leap *leap)
{
    return leap->n_piece > 1 ? leap->piece[1].first : UINT64_MAX;
}

/* The same batch one step later. */
static struct mr_batch next_of(const struct mr_batch *batch, double accepted)
{
    struct mr_batch next = *batch;
    next.kv_tokens += batch->n_decode * accepted;
    next.window_kv_tokens += batch->n_growing * accepted;
    return next;
}

static struct mr_work difference(const struct mr_work *a, const struct mr_work *b)
{
    struct mr_work d = {.memory_bytes = b->memory_bytes - a->memory_bytes,
                        .link_bytes = b->link_bytes - a->link_bytes,
                        .busy_s = b->busy_s - a->busy_s,
                        .idle_s = b->idle_s - a->idle_s};
    for (int f = 0; f < MR_N_FORMAT; f++)
        d.flop[f] = b->flop[f] - a->flop[f];
    return d;
}

static void price_steps(const struct mr_lpx_leap *step, const struct mr_lpx_leap *active,
                        const struct mr_batch *batch, struct mr_lpx_price *price)
{
    const uint64_t a = first_kink(step), b = first_kink(active);
    price->step = (struct mr_step_leap){step->piece[0].a_s, step->piece[0].b_s};
    price->active_s = active->piece[0].a_s;
    price->active_grow_s = active->piece[0].b_s;
    price->n_step = batch->chunk_tokens > 0 ? 1 : a < b ? a : b;
}

static void price_afd(const struct mr_lpx_serve *serve, const struct mr_batch *batch, double phi,
                      struct mr_lpx_price *price)
{
    const struct mr_lpx_afd_setup setup = {serve->lpx, serve->setup, serve->n_micro};
    const struct mr_batch next = next_of(batch, mr_step_accepted(serve->setup));
    struct mr_lpx_afd now, then;
    mr_lpx_afd_step(&setup, batch, phi, &now);
    price_steps(&now.step, &now.active, batch, price);
    price->work = now.gpu_work;
    if (price->n_step == 1)
        return;
    mr_lpx_afd_step(&setup, &next, phi, &then);
    price->growth = difference(&now.gpu_work, &then.gpu_work);
}

static struct mr_work verify_work(const struct mr_step_setup *setup, const struct mr_batch *batch,
                                  double phi, double time_s, double *verify_s)
{
    struct mr_step_setup apart = *setup;
    struct mr_step_terms terms;
    apart.drafts_elsewhere = true;
    mr_step_terms(&apart, batch, phi, &terms);
    *verify_s = terms.time_s;
    terms.work.idle_s += time_s - terms.time_s;
    return terms.work;
}

static void price_draft(const struct mr_lpx_serve *serve, const struct mr_batch *batch, double phi,
                        struct mr_lpx_price *price)
{
    const struct mr_lpx_draft_setup setup = {serve->lpx, serve->setup, serve->overlaps};
    const struct mr_batch next = next_of(batch, mr_step_accepted(serve->setup));
    struct mr_lpx_draft draft;
    struct mr_err err = {0};
    double verify_s = 0;
    if (!(batch->n_decode > 0)) { /* prompts alone: nobody drafts */
        price->work = verify_work(serve->setup, batch, phi, 0, &verify_s);
        price->work.idle_s += verify_s;
        price->step.a_s = verify_s;
        price->n_step = 1;
        return;
    }
    const mr_status st = mr_lpx_draft_step(&setup, batch, phi, &draft, &err);
    MR_ASSERT(st == MR_OK);
    price_steps(&draft.step, &draft.active, batch, price);
    price->work = verify_work(serve->setup, batch, phi, price->step.a_s, &verify_s);
    const struct mr_work then =
        verify_work(serve->setup, &next, phi, price->step.a_s + price->step.b_s, &verify_s);
    price->growth = difference(&price->work, &then);
}

static void price_decode(const struct mr_lpx_serve *serve, const struct mr_batch *batch,
                         struct mr_lpx_price *price)
{
    struct mr_lpx_decode decode;
    struct mr_err err = {0};
    const mr_status st = mr_lpx_decode_step(&serve->lpx, batch, &decode, &err);
    MR_ASSERT(st == MR_OK);
    price_steps(&decode.step, &decode.active, batch, price);
}

void mr_lpx_serve_price(const struct mr_lpx_serve *serve, const struct mr_batch *batch, double phi,
                        struct mr_lpx_price *price)
{
    *price = (struct mr_lpx_price){0};
    if (serve->way == MR_LPX_AFD) {
        price_afd(serve, batch, phi, price);
        return;
    }
    struct mr_batch held = *batch;
    held.kv_tokens =
        fmin(held.kv_tokens, fmax(0, room_tok(serve, held.n_decode) - held.chunk_kv_tokens));
    if (serve->way == MR_LPX_DRAFT)
        price_draft(serve, &held, phi, price);
    else
        price_decode(serve, &held, price);
}
