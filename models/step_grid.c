/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of a setup. Tokens: every whole number below 16, then eight points per octave, so that the
 * index of N comes out of its leading bits; clocks: steps of 1/40. Between points linear.
 * Everything that is linear in its variable (contexts, pairs, sequences' state) is a coefficient
 * per clock. */
#include "engine/base/mem.h"
#include "models/power.h"
#include "models/step.h"

#include <math.h>
#include <string.h>

enum {
    n_exact = 16,
    per_octave = 8,
    n_octave = 20, /* up to 16 x 2^20 tokens */
    n_point = n_exact + per_octave * n_octave + 1,
    n_clock = 27
};

static const double clock_step = 0.025, clock_low = 0.35;

struct row {
    double token_s[n_point]; /* D */
    double head_s[n_point];  /* H of sequences with logits */
    double draft_s[n_point]; /* of decodes */
    double kv_s, window_s, pair_s, window_pair_s, chunk_kv_s, sequence_s;
};

struct place {
    uint32_t i;
    double frac; /* towards i + 1 */
};

/* What one more of something costs, seconds and joules: one instruction adds up both, each rounded
 * as if it stood alone. */
typedef double cost __attribute__((vector_size(2 * sizeof(double))));

enum {
    of_s,
    of_j
};

/* At full clock and without stages, joules beside seconds (mr_step_joules). */
struct full {
    const struct mr_power *power; /* NULL: nothing was folded */
    cost token[n_point], head[n_point], draft[n_point];
    cost kv, window, pair, window_pair, chunk_kv, sequence;
    cost kv_grow, window_grow, pair_grow, chunk_grow; /* seconds as growth_s has them */
    double host_j;
};

struct mr_step {
    struct row row[n_clock];
    double memory_bytes[n_point], link_bytes[n_point];
    double head_bytes[n_point], draft_bytes[n_point], draft_link_bytes[n_point];
    double kv_bytes, window_bytes, chunk_kv_bytes, sequence_bytes;
    double token_flop[MR_N_FORMAT], head_flop[MR_N_FORMAT], draft_flop[MR_N_FORMAT];
    double kv_flop, window_flop, pair_flop, window_pair_flop, sequence_flop; /* BF16 */
    double host_s, tokens_per_decode, accepted;
    bool drafts;
    double pp;         /* parts that a batch is cut into */
    struct place fast; /* clock_of(1) */
    struct full full;
};

/* ---- places in the tables ---- */

static double tokens_at(uint32_t i)
{
    if (i < n_exact)
        return i;
    const uint32_t k = i - n_exact;
    return ldexp((double)(per_octave + k % per_octave), (int)(k / per_octave) + 1);
}

/* For x >= 16 a point is an exponent and the first three bits after the leading one, which stand
 * side by side in a double, and the rest of its mantissa is how far the next point is. */
static struct place place_of(double x)
{
    enum {
        n_rest = 49, /* bits of the mantissa after the three */
        at_16 = (1023 + 4) << 3
    };
    uint64_t bits;
    if (x < n_exact) {
        const uint32_t whole = (uint32_t)x;
        return (struct place){whole, x - whole};
    }
    const double most = 16e6, inside = x < most ? x : most;
    memcpy(&bits, &inside, sizeof bits);
    const uint64_t rest = bits & ((UINT64_C(1) << n_rest) - 1);
    return (struct place){n_exact + (uint32_t)((bits >> n_rest) - at_16),
                          (double)(int64_t)rest * (1.0 / (double)(UINT64_C(1) << n_rest))};
}

/* Without calls of floor, fmin and fmax, which cost as much as the rest of a lookup. */
static struct place clock_of(double phi)
{
    const double above = phi > clock_low ? phi : clock_low;
    const double x = ((above < 1 ? above : 1) - clock_low) / clock_step;
    const uint32_t whole = (uint32_t)(x + 1e-9);
    const uint32_t i = whole < n_clock - 2 ? whole : n_clock - 2;
    return (struct place){i, x - i};
}

static double between(const double *table, struct place at)
{
    return table[at.i] + at.frac * (table[at.i + 1] - table[at.i]);
}

/* ---- filling ---- */

static void fill_row(const struct mr_step_setup *setup, double phi, struct row *row)
{
    struct mr_step_terms zero, one;
    mr_step_part_terms(setup, &(struct mr_batch){0}, phi, &zero);
    for (uint32_t i = 0; i < n_point; i++) {
        mr_step_part_terms(setup, &(struct mr_batch){.chunk_tokens = tokens_at(i)}, phi, &one);
        row->token_s[i] = one.time_s;
        /* as ends of prompts, so that no token is counted; their state is linear and apart */
        mr_step_part_terms(setup, &(struct mr_batch){.n_prompt_end = tokens_at(i)}, phi, &one);
        row->head_s[i] = one.part[MR_STEP_TERM_HEAD].time_s;
        mr_step_part_terms(setup, &(struct mr_batch){.n_decode = tokens_at(i)}, phi, &one);
        row->draft_s[i] = one.part[MR_STEP_TERM_DRAFT].time_s;
    }
    mr_step_part_terms(setup, &(struct mr_batch){.kv_tokens = 1e6}, phi, &one);
    row->kv_s = one.part[MR_STEP_TERM_KV].time_s / 1e6;
    mr_step_part_terms(setup, &(struct mr_batch){.window_kv_tokens = 1e6}, phi, &one);
    row->window_s = one.part[MR_STEP_TERM_KV].time_s / 1e6;
    mr_step_part_terms(setup, &(struct mr_batch){.chunk_pairs = 1e9}, phi, &one);
    row->pair_s = one.part[MR_STEP_TERM_PREFILL].time_s / 1e9;
    mr_step_part_terms(setup, &(struct mr_batch){.chunk_window_pairs = 1e9}, phi, &one);
    row->window_pair_s = one.part[MR_STEP_TERM_PREFILL].time_s / 1e9;
    mr_step_part_terms(setup, &(struct mr_batch){.chunk_kv_tokens = 1e6}, phi, &one);
    row->chunk_kv_s = one.part[MR_STEP_TERM_PREFILL].time_s / 1e6;
    mr_step_part_terms(setup, &(struct mr_batch){.n_prompt_end = 1}, phi, &one);
    row->sequence_s = one.part[MR_STEP_TERM_STATE].time_s - zero.part[MR_STEP_TERM_STATE].time_s;
}

static void fill_work(struct mr_step *step, const struct mr_step_setup *setup)
{
    struct mr_step_terms zero, one;
    const double ranks = (double)setup->parallel.tp * (double)setup->parallel.dp;
    mr_step_part_terms(setup, &(struct mr_batch){0}, 1, &zero);
    step->sequence_bytes = 2 * setup->llm->state_bytes / ranks;
    step->sequence_flop = 6 * setup->llm->state_bytes / 4 / ranks;
    for (uint32_t i = 0; i < n_point; i++) {
        mr_step_part_terms(setup, &(struct mr_batch){.chunk_tokens = tokens_at(i)}, 1, &one);
        step->memory_bytes[i] = one.work.memory_bytes;
        step->link_bytes[i] = one.work.link_bytes;
        mr_step_part_terms(setup, &(struct mr_batch){.n_prompt_end = tokens_at(i)}, 1, &one);
        step->head_bytes[i] = one.work.memory_bytes - step->sequence_bytes * tokens_at(i);
    }
    mr_step_part_terms(setup, &(struct mr_batch){.chunk_tokens = 1}, 1, &one);
    for (int f = 0; f < MR_N_FORMAT; f++)
        step->token_flop[f] = one.work.flop[f] - zero.work.flop[f];
    mr_step_part_terms(setup, &(struct mr_batch){.n_prompt_end = 1}, 1, &one);
    for (int f = 0; f < MR_N_FORMAT; f++)
        step->head_flop[f] = one.work.flop[f] - zero.work.flop[f];
    step->head_flop[MR_FORMAT_BF16] -= step->sequence_flop;
    mr_step_part_terms(setup, &(struct mr_batch){.kv_tokens = 1}, 1, &one);
    step->kv_flop = one.work.flop[MR_FORMAT_BF16] - zero.work.flop[MR_FORMAT_BF16];
    step->kv_bytes = one.work.memory_bytes - zero.work.memory_bytes;
    mr_step_part_terms(setup, &(struct mr_batch){.window_kv_tokens = 1}, 1, &one);
    step->window_flop = one.work.flop[MR_FORMAT_BF16] - zero.work.flop[MR_FORMAT_BF16];
    step->window_bytes = one.work.memory_bytes - zero.work.memory_bytes;
    mr_step_part_terms(setup, &(struct mr_batch){.chunk_pairs = 1}, 1, &one);
    step->pair_flop = one.work.flop[MR_FORMAT_BF16] - zero.work.flop[MR_FORMAT_BF16];
    mr_step_part_terms(setup, &(struct mr_batch){.chunk_window_pairs = 1}, 1, &one);
    step->window_pair_flop = one.work.flop[MR_FORMAT_BF16] - zero.work.flop[MR_FORMAT_BF16];
    mr_step_part_terms(setup, &(struct mr_batch){.chunk_kv_tokens = 1}, 1, &one);
    step->chunk_kv_bytes = one.work.memory_bytes - zero.work.memory_bytes;
}

/* What drafts add, as decodes with them less decodes whose drafts others make. */
static void fill_draft_work(struct mr_step *step, const struct mr_step_setup *setup)
{
    struct mr_step_setup without = *setup;
    struct mr_step_terms with, less;
    without.drafts_elsewhere = true;
    for (uint32_t i = 0; i < n_point; i++) {
        const struct mr_batch batch = {.n_decode = tokens_at(i)};
        mr_step_part_terms(setup, &batch, 1, &with);
        mr_step_part_terms(&without, &batch, 1, &less);
        step->draft_bytes[i] = with.work.memory_bytes - less.work.memory_bytes;
        step->draft_link_bytes[i] = with.work.link_bytes - less.work.link_bytes;
        for (int f = 0; f < MR_N_FORMAT && i == 1; f++)
            step->draft_flop[f] = with.work.flop[f] - less.work.flop[f];
    }
}

mr_status mr_step_create(const struct mr_step_setup *setup, struct mr_step **out,
                         struct mr_err *err)
{
    *out = NULL;
    MR_TRY(mr_step_check(setup, err));
    struct mr_step *step = mr_alloc_zero(1, sizeof *step);
    if (step == NULL)
        return mr_err_nomem(err, sizeof *step);
    for (int c = 0; c < n_clock; c++)
        fill_row(setup, clock_low + clock_step * c, &step->row[c]);
    fill_work(step, setup);
    fill_draft_work(step, setup);
    step->drafts = mr_step_draft_runs(setup) > 0;
    step->host_s = setup->software->host_s;
    step->tokens_per_decode = 1 + (double)setup->n_draft;
    step->accepted = mr_step_accepted(setup);
    step->pp = setup->parallel.pp;
    step->fast = clock_of(1);
    *out = step;
    return MR_OK;
}

void mr_step_destroy(struct mr_step *step)
{
    mr_free(step);
}

/* ---- pricing ---- */

struct places {
    struct place tokens, logits, drafts;
};

static double time_in_row(const struct row *row, const struct mr_batch *batch,
                          const struct places *at)
{
    return between(row->token_s, at->tokens) + between(row->head_s, at->logits) +
           between(row->draft_s, at->drafts) + row->kv_s * batch->kv_tokens +
           row->window_s * batch->window_kv_tokens + row->pair_s * batch->chunk_pairs +
           row->window_pair_s * batch->chunk_window_pairs +
           row->chunk_kv_s * batch->chunk_kv_tokens +
           row->sequence_s * (batch->n_decode + batch->n_prompt_end);
}

static double n_token(const struct mr_step *step, const struct mr_batch *batch)
{
    return batch->n_decode * step->tokens_per_decode + batch->chunk_tokens;
}

static double n_logit(const struct mr_step *step, const struct mr_batch *batch)
{
    return batch->n_decode * step->tokens_per_decode + batch->n_prompt_end;
}

/* As mr_step_parts. */
static double n_part(const struct mr_step *step, const struct mr_batch *batch)
{
    return step->pp <= 1 ? 1
                         : fmin(fmax(n_token(step, batch) / step->tokens_per_decode, 1), step->pp);
}

double mr_step_fill_frac(const struct mr_step *step, const struct mr_batch *batch)
{
    return (n_part(step, batch) - 1) / step->pp;
}

/* The part in flight, in `room` where there are several. */
static const struct mr_batch *part_of(const struct mr_step *step, const struct mr_batch *batch,
                                      struct mr_batch *room)
{
    if (step->pp <= 1)
        return batch;
    const double share = 1 / n_part(step, batch);
    *room = (struct mr_batch){batch->n_decode * share,           batch->kv_tokens * share,
                              batch->window_kv_tokens * share,   batch->chunk_tokens * share,
                              batch->chunk_pairs * share,        batch->n_prompt_end * share,
                              batch->chunk_window_pairs * share, batch->chunk_kv_tokens * share,
                              batch->n_growing * share};
    return room;
}

static struct places places_of(const struct mr_step *step, const struct mr_batch *batch)
{
    return (struct places){place_of(n_token(step, batch)), place_of(n_logit(step, batch)),
                           step->drafts ? place_of(batch->n_decode) : (struct place){0, 0}};
}

static double time_of(const struct mr_step *step, const struct mr_batch *batch,
                      const struct places *places, double phi)
{
    if (phi >= 1)
        return time_in_row(&step->row[n_clock - 1], batch, places);
    const struct place at = clock_of(phi);
    const double slow = time_in_row(&step->row[at.i], batch, places);
    const double fast = time_in_row(&step->row[at.i + 1], batch, places);
    return slow + at.frac * (fast - slow);
}

double mr_step_time(const struct mr_step *step, const struct mr_batch *whole, double phi)
{
    struct mr_batch room;
    const struct mr_batch *batch = part_of(step, whole, &room);
    const struct places places = places_of(step, batch);
    return time_of(step, batch, &places, phi);
}

static double growth_s(const struct mr_step *step, const struct mr_batch *batch, double phi)
{
    const struct place at = phi >= 1 ? step->fast : clock_of(phi);
    const struct row *slow = &step->row[at.i], *fast = &step->row[at.i + 1];
    const double kv_s = slow->kv_s + at.frac * (fast->kv_s - slow->kv_s);
    const double window_s = slow->window_s + at.frac * (fast->window_s - slow->window_s);
    const double pair_s = slow->pair_s + at.frac * (fast->pair_s - slow->pair_s);
    const double chunk_s = slow->chunk_kv_s + at.frac * (fast->chunk_kv_s - slow->chunk_kv_s);
    const double grow_s = step->accepted * (batch->n_decode * kv_s + batch->n_growing * window_s) +
                          (pair_s * batch->chunk_tokens + chunk_s) * batch->chunk_tokens;
    return step->pp > 1 ? grow_s / n_part(step, batch) : grow_s;
}

struct mr_step_leap mr_step_leap(const struct mr_step *step, const struct mr_batch *batch,
                                 double phi)
{
    return (struct mr_step_leap){mr_step_time(step, batch, phi), growth_s(step, batch, phi)};
}

/* @param[in] time_s of the step at full clock @param[in] share n parts, each 1 / pp of the layers
 */
static void work_of(const struct mr_step *step, const struct mr_batch *batch,
                    const struct places *places, double time_s, double share, struct mr_work *work)
{
    const double busy_s = (time_s - step->host_s) * share;
    const double n_tok = n_token(step, batch), n_out = n_logit(step, batch);
    *work = (struct mr_work){.idle_s = time_s - busy_s, .busy_s = busy_s};
    for (int f = 0; f < MR_N_FORMAT; f++)
        work->flop[f] = step->token_flop[f] * n_tok + step->head_flop[f] * n_out +
                        step->draft_flop[f] * batch->n_decode;
    work->flop[MR_FORMAT_BF16] +=
        step->kv_flop * batch->kv_tokens + step->window_flop * batch->window_kv_tokens +
        step->pair_flop * batch->chunk_pairs + step->window_pair_flop * batch->chunk_window_pairs +
        step->sequence_flop * (batch->n_decode + batch->n_prompt_end);
    work->memory_bytes =
        between(step->memory_bytes, places->tokens) + between(step->head_bytes, places->logits) +
        between(step->draft_bytes, places->drafts) + step->kv_bytes * batch->kv_tokens +
        step->window_bytes * batch->window_kv_tokens +
        step->chunk_kv_bytes * batch->chunk_kv_tokens +
        step->sequence_bytes * (batch->n_decode + batch->n_prompt_end);
    work->link_bytes =
        between(step->link_bytes, places->tokens) + between(step->draft_link_bytes, places->drafts);
    for (int f = 0; f < MR_N_FORMAT; f++)
        work->flop[f] *= share;
    work->memory_bytes *= share;
    work->link_bytes *= share;
}

void mr_step_work(const struct mr_step *step, const struct mr_batch *whole, struct mr_work *work)
{
    struct mr_batch room;
    const struct mr_batch *batch = part_of(step, whole, &room);
    const struct places places = places_of(step, batch);
    work_of(step, batch, &places, time_of(step, batch, &places, 1), n_part(step, whole) / step->pp,
            work);
}

void mr_step_work_growth(const struct mr_step *step, const struct mr_batch *batch,
                         struct mr_work *growth)
{
    /* of n parts, each 1 / n of the batch and 1 / pp of the layers: the n go */
    const double tokens = batch->n_decode * step->accepted / step->pp;
    const double window_tokens = batch->n_growing * step->accepted / step->pp;
    *growth = (struct mr_work){.memory_bytes =
                                   step->kv_bytes * tokens + step->window_bytes * window_tokens +
                                   step->chunk_kv_bytes * batch->chunk_tokens / step->pp};
    growth->flop[MR_FORMAT_BF16] =
        step->kv_flop * tokens + step->window_flop * window_tokens +
        step->pair_flop * batch->chunk_tokens * batch->chunk_tokens / step->pp;
}

struct mr_step_leap mr_step_price(const struct mr_step *step, const struct mr_batch *whole,
                                  double phi, struct mr_work *work, struct mr_work *growth)
{
    struct mr_batch room;
    const struct mr_batch *batch = part_of(step, whole, &room);
    const struct places places = places_of(step, batch);
    const struct mr_step_leap leap = {time_of(step, batch, &places, phi),
                                      growth_s(step, whole, phi)};
    work_of(step, batch, &places, phi >= 1 ? leap.a_s : time_of(step, batch, &places, 1),
            n_part(step, whole) / step->pp, work);
    mr_step_work_growth(step, whole, growth);
    return leap;
}

/* ---- joules ---- */

/* mr_power_work_j at full clock, with b = busy + idle:
 *
 *   compute (b - host) + serving (b - byte_s B) + sum_f (e_f - serving t_f) F_f + e_b B + e_l L
 *
 * is linear in the duration b, the bytes B and L and the FLOPs F, each of which is linear in the
 * batch but for tables over tokens, and tables at the same places add up. */
static double joules_of(const struct mr_power *power, double time_s, const struct mr_work *work)
{
    const struct mr_work rest = {.memory_bytes = work->memory_bytes,
                                 .link_bytes = work->link_bytes};
    double sum_j =
        (power->compute_w + power->serving_w) * time_s + mr_power_work_j(power, &rest, 1);
    for (int f = 0; f < MR_N_FORMAT; f++) {
        struct mr_work one = {0};
        one.flop[f] = 1;
        sum_j += mr_power_work_j(power, &one, 1) * work->flop[f];
    }
    return sum_j;
}

static cost cost_of(const struct mr_power *power, double time_s, double bytes, double flop)
{
    struct mr_work work = {.memory_bytes = bytes};
    work.flop[MR_FORMAT_BF16] = flop;
    return (cost){time_s, joules_of(power, time_s, &work)};
}

/* As growth_s has it. */
static double fast_s(const struct mr_step *step, double slow_s, double full_s)
{
    return slow_s + step->fast.frac * (full_s - slow_s);
}

static void fold_points(const struct mr_step *step, const struct mr_power *power, struct full *full)
{
    const struct row *row = &step->row[n_clock - 1];
    for (uint32_t i = 0; i < n_point; i++) {
        struct mr_work token = {.memory_bytes = step->memory_bytes[i],
                                .link_bytes = step->link_bytes[i]};
        struct mr_work head = {.memory_bytes = step->head_bytes[i]};
        struct mr_work draft = {.memory_bytes = step->draft_bytes[i],
                                .link_bytes = step->draft_link_bytes[i]};
        for (int f = 0; f < MR_N_FORMAT; f++) {
            token.flop[f] = step->token_flop[f] * tokens_at(i);
            head.flop[f] = step->head_flop[f] * tokens_at(i);
            draft.flop[f] = step->draft_flop[f] * tokens_at(i);
        }
        full->token[i] = (cost){row->token_s[i], joules_of(power, row->token_s[i], &token)};
        full->head[i] = (cost){row->head_s[i], joules_of(power, row->head_s[i], &head)};
        full->draft[i] = (cost){row->draft_s[i], joules_of(power, row->draft_s[i], &draft)};
    }
}

void mr_step_take_power(struct mr_step *step, const struct mr_power *power)
{
    const struct row *slow = &step->row[step->fast.i], *row = &step->row[n_clock - 1];
    struct full *full = &step->full;
    fold_points(step, power, full);
    full->power = power;
    full->kv = cost_of(power, row->kv_s, step->kv_bytes, step->kv_flop);
    full->window = cost_of(power, row->window_s, step->window_bytes, step->window_flop);
    full->pair = cost_of(power, row->pair_s, 0, step->pair_flop);
    full->window_pair = cost_of(power, row->window_pair_s, 0, step->window_pair_flop);
    full->chunk_kv = cost_of(power, row->chunk_kv_s, step->chunk_kv_bytes, 0);
    full->sequence = cost_of(power, row->sequence_s, step->sequence_bytes, step->sequence_flop);
    full->kv_grow =
        cost_of(power, fast_s(step, slow->kv_s, row->kv_s), step->kv_bytes, step->kv_flop);
    full->window_grow = cost_of(power, fast_s(step, slow->window_s, row->window_s),
                                step->window_bytes, step->window_flop);
    full->pair_grow = cost_of(power, fast_s(step, slow->pair_s, row->pair_s), 0, step->pair_flop);
    full->chunk_grow =
        cost_of(power, fast_s(step, slow->chunk_kv_s, row->chunk_kv_s), step->chunk_kv_bytes, 0);
    full->host_j = -power->compute_w * step->host_s;
}

bool mr_step_has_joules(const struct mr_step *step, const struct mr_power *power, double phi)
{
    return phi >= 1 && step->full.power == power && step->pp <= 1;
}

static cost cost_between(const cost *table, struct place at)
{
    return table[at.i] + at.frac * (table[at.i + 1] - table[at.i]);
}

/* Seconds in the order of time_in_row and growth_s. */
struct mr_step_leap mr_step_joules(const struct mr_step *step, const struct mr_batch *batch,
                                   double *work_j, double *grow_j)
{
    const struct full *full = &step->full;
    const struct places at = places_of(step, batch);
    cost sum = cost_between(full->token, at.tokens);
    sum += cost_between(full->head, at.logits);
    if (step->drafts)
        sum += cost_between(full->draft, at.drafts);
    sum += full->kv * batch->kv_tokens;
    sum += full->window * batch->window_kv_tokens;
    sum += full->pair * batch->chunk_pairs;
    sum += full->window_pair * batch->chunk_window_pairs;
    sum += full->chunk_kv * batch->chunk_kv_tokens;
    sum += full->sequence * (batch->n_decode + batch->n_prompt_end);
    const double n = batch->chunk_tokens;
    const cost calls = batch->n_decode * full->kv_grow + batch->n_growing * full->window_grow;
    const cost chunk = full->pair_grow * n + full->chunk_grow;
    const cost grow = step->accepted * calls + chunk * n;
    *work_j = sum[of_j] + full->host_j;
    *grow_j = grow[of_j];
    return (struct mr_step_leap){sum[of_s], grow[of_s]};
}
