/* SPDX-License-Identifier: Apache-2.0 */
/* Lognormal fits as (mu, sigma) of the natural logarithm; where one fit is poor, quantiles. */
#include "engine/work/synthetic.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "engine/base/rng.h"
#include "engine/work/tool_class.h"

#include <math.h>

enum {
    tool_tok = 12288, /* medians of tools and system prompt */
    system_tok = 2816,
    context_least = 16384, /* more than these two */
    n_turn_max = 40,
    n_call_max = 400, /* of a turn */
    n_tool_max = 4
};

static const double reset_frac = 0.017, agent_frac = 0.024, overlap_frac = 0.236;

/* A session that is being drawn. */
struct drawing {
    const struct mr_synthetic *synthetic;
    struct mr_session *session;
    struct mr_session_book *book;
    struct mr_rng rng;
    uint32_t model;
    uint64_t context_tok; /* of the lane: what its next call has before it */
};

/* First context: a fresh start, or one that goes on from an earlier day. */
static uint64_t draw_context(struct mr_rng *rng)
{
    static const struct {
        double p, ln_tok; /* ln of 9 k, 13.0 k, 18.6 k, 24.5 k, 104 k, 259 k, 716 k, 900 k */
    } quantile[] = {{0, 9.105},     {0.05, 9.473}, {0.25, 9.831},  {0.5, 10.106},
                    {0.75, 11.552}, {0.9, 12.465}, {0.99, 13.482}, {1, 13.710}};
    const double u = mr_rng_f64(rng);
    size_t i = 1;
    while (quantile[i].p < u)
        i++;
    const double share = (u - quantile[i - 1].p) / (quantile[i].p - quantile[i - 1].p);
    return (uint64_t)mr_exp(quantile[i - 1].ln_tok +
                            share * (quantile[i].ln_tok - quantile[i - 1].ln_tok));
}

static uint32_t draw_count(struct mr_rng *rng, double mu, double sigma, double most)
{
    return (uint32_t)fmin(most, fmax(1, floor(mr_rng_lognormal(rng, mu, sigma) + 0.5)));
}

static mr_status add_node(struct drawing *d, enum mr_session_kind kind, uint32_t lane,
                          struct mr_err *err)
{
    return mr_session_node_add(d->session, kind, lane, mr_session_next_id(d->session), err);
}

static mr_status add_call(struct drawing *d, uint32_t lane, uint64_t new_tok, bool is_first,
                          struct mr_err *err)
{
    struct mr_session *s = d->session;
    const uint32_t most = d->synthetic->context_max, b = d->synthetic->block_tok;
    const uint32_t n_output = draw_count(&d->rng, 5.56, 0.89, most / 8.0);
    uint64_t input = d->context_tok + new_tok;
    uint64_t keep_tok = is_first ? 0 : d->context_tok;
    const bool is_reset = !is_first && mr_rng_f64(&d->rng) < reset_frac;
    if (is_reset || input + n_output > most) {
        /* tools and instructions stay, and less than half of the rest */
        const uint64_t prompt_tok = tool_tok + system_tok;
        const double rest_tok =
            d->context_tok > prompt_tok ? (double)(d->context_tok - prompt_tok) : 0;
        keep_tok = prompt_tok + (uint64_t)(rest_tok * 0.5 * mr_rng_f64(&d->rng));
        keep_tok = keep_tok < most / 2 ? keep_tok : most / 2;
        keep_tok = keep_tok < d->context_tok ? keep_tok : d->context_tok;
        input = keep_tok + (new_tok < most / 4 ? new_tok : most / 4);
    }
    input = input < context_least ? context_least : input;
    if (input + n_output > most)
        input = most - n_output;
    struct mr_session_llm *llm = &s->llm[s->n_llm - 1];
    llm->model = d->model;
    llm->n_input = (uint32_t)input;
    llm->n_output = n_output;
    d->context_tok = input + n_output;
    s->lane[lane].n_tool_tok = tool_tok;
    s->lane[lane].n_system_tok = system_tok;
    return mr_session_mint(s, b, (uint32_t)(keep_tok / b), err);
}

static mr_status add_think(struct drawing *d, double s, struct mr_err *err)
{
    MR_TRY(add_node(d, MR_SESSION_THINK, 0, err));
    d->session->think[d->session->n_think - 1].s = s;
    return mr_session_after_lane(d->session, 0, err);
}

static void fill_tool(struct drawing *d, double wall_s, const struct mr_tool_class *class)
{
    struct mr_session_tool *tool = &d->session->tool[d->session->n_tool - 1];
    tool->wall_s = wall_s;
    tool->cpu_s = wall_s * class->core_frac;
    tool->where = class->is_outside ? MR_SESSION_EXT : MR_SESSION_CPU;
}

/* The tools of one call and the rest of the gap. What comes next depends on the nodes from
 * *first on, *n of them. */
static mr_status add_tools(struct drawing *d, uint32_t *first, uint32_t *n, struct mr_err *err)
{
    struct mr_session *s = d->session;
    const double gap_s = fmin(1e5, mr_rng_lognormal(&d->rng, 2.52, 1.29)), u = mr_rng_f64(&d->rng);
    const uint32_t n_tool = u < 0.027 ? 0 : u < 0.893 ? 1 : u < 0.978 ? 2 : u < 0.997 ? 3 : 4;
    const bool is_parallel = n_tool > 1 && mr_rng_f64(&d->rng) < overlap_frac * 2;
    const uint32_t call = (uint32_t)s->n_node - 1;
    double left_s = gap_s;
    for (uint32_t i = 0; i < n_tool; i++) {
        const struct mr_tool_class *class =
            mr_tool_class_of((struct mr_str){"", 0}, mr_rng_open(&d->rng));
        const double drawn_s = mr_tool_class_draw_s(class, mr_rng_open(&d->rng));
        const double wall_s = fmin(drawn_s, is_parallel ? gap_s : left_s);
        MR_TRY(add_node(d, MR_SESSION_TOOL, 0, err));
        fill_tool(d, wall_s, class);
        left_s = is_parallel ? fmin(left_s, gap_s - wall_s) : left_s - wall_s;
        const uint32_t before = is_parallel || i == 0 ? call : (uint32_t)s->n_node - 2;
        MR_TRY(mr_session_after_add(
            s, (struct mr_session_after){.node = before, .relation = MR_SESSION_SEQ}, err));
    }
    *n = is_parallel ? n_tool : 1;
    *first = (uint32_t)s->n_node - *n;
    MR_TRY(add_node(d, MR_SESSION_THINK, 0, err));
    s->think[s->n_think - 1].s = fmax(0, left_s);
    for (uint32_t i = 0; i < *n; i++)
        MR_TRY(mr_session_after_add(
            s, (struct mr_session_after){.node = *first + i, .relation = MR_SESSION_SEQ}, err));
    *first = (uint32_t)s->n_node - 1;
    *n = 1;
    return MR_OK;
}

/* A sub-agent: calls and tools on a lane of its own. @param[out] last its last node */
static mr_status add_agent(struct drawing *d, uint32_t lane, uint32_t spawner, uint32_t *last,
                           struct mr_err *err)
{
    struct mr_session *s = d->session;
    const uint64_t context_tok = d->context_tok;
    const uint32_t n_call = draw_count(&d->rng, 2.40, 0.7, 60);
    d->context_tok = 0;
    for (uint32_t i = 0; i < n_call; i++) {
        MR_TRY(add_node(d, MR_SESSION_LLM, lane, err));
        if (i == 0)
            MR_TRY(mr_session_after_add(
                s, (struct mr_session_after){.node = spawner, .relation = MR_SESSION_SPAWN}, err));
        else
            MR_TRY(mr_session_after_lane(s, 0, err));
        const double new_tok = i == 0 ? (double)(tool_tok + system_tok) * 1.2
                                      : fmin(20000, mr_rng_lognormal(&d->rng, 6.78, 1.21));
        MR_TRY(add_call(d, lane, (uint64_t)new_tok, i == 0, err));
        if (i + 1 == n_call)
            break;
        MR_TRY(add_node(d, MR_SESSION_TOOL, lane, err));
        const struct mr_tool_class *class =
            mr_tool_class_of((struct mr_str){"", 0}, mr_rng_open(&d->rng));
        fill_tool(d, mr_tool_class_draw_s(class, mr_rng_open(&d->rng)), class);
        MR_TRY(mr_session_after_lane(s, 0, err));
    }
    *last = (uint32_t)s->n_node - 1;
    d->context_tok = context_tok;
    return MR_OK;
}

/* Sub-agents side by side after the last call; the next one waits for all of them. */
static mr_status add_agents(struct drawing *d, uint32_t *join, uint32_t *n_join, struct mr_err *err)
{
    const uint32_t spawner = (uint32_t)d->session->n_node - 1;
    *n_join = 1 + (uint32_t)mr_rng_below(&d->rng, 12);
    for (uint32_t i = 0; i < *n_join; i++) {
        MR_TRY(mr_session_lane_reach(d->session, i + 1, err));
        MR_TRY(add_agent(d, i + 1, spawner, &join[i], err));
    }
    return MR_OK;
}

static mr_status add_turns(struct drawing *d, struct mr_err *err)
{
    struct mr_session *s = d->session;
    const uint32_t n_turn = draw_count(&d->rng, 0.693, 1.17, n_turn_max);
    const bool has_agents = mr_rng_f64(&d->rng) < agent_frac;
    const uint64_t first_tok = draw_context(&d->rng);
    uint32_t join[12], n_join = 0;
    for (uint32_t turn = 0; turn < n_turn; turn++) {
        const uint32_t n_call = draw_count(&d->rng, 1.79, 1.36, n_call_max);
        for (uint32_t k = 0; k < n_call; k++) {
            const bool is_first = turn == 0 && k == 0;
            uint32_t before = 0, n_before = 0;
            if (k == 0 && turn > 0)
                MR_TRY(add_think(d, fmin(1e6, mr_rng_lognormal(&d->rng, 4.75, 1.86)), err));
            else if (k > 0)
                MR_TRY(add_tools(d, &before, &n_before, err));
            MR_TRY(add_node(d, MR_SESSION_LLM, 0, err));
            if (is_first || k == 0)
                MR_TRY(mr_session_after_lane(s, 0, err));
            for (uint32_t i = 0; i < n_before; i++)
                MR_TRY(mr_session_after_add(
                    s, (struct mr_session_after){.node = before + i, .relation = MR_SESSION_SEQ},
                    err));
            for (uint32_t i = 0; i < n_join; i++)
                MR_TRY(mr_session_after_add(
                    s, (struct mr_session_after){.node = join[i], .relation = MR_SESSION_JOIN},
                    err));
            n_join = 0;
            const double new_tok =
                is_first ? (double)first_tok : fmin(5e5, mr_rng_lognormal(&d->rng, 6.78, 1.21));
            MR_TRY(add_call(d, 0, (uint64_t)new_tok, is_first, err));
            if (has_agents && is_first && n_turn * n_call > 1)
                MR_TRY(add_agents(d, join, &n_join, err));
        }
    }
    return MR_OK;
}

mr_status mr_synthetic_draw(const struct mr_synthetic *synthetic, uint64_t i,
                            struct mr_session *session, struct mr_session_book *book,
                            struct mr_err *err)
{
    struct drawing d = {.synthetic = synthetic,
                        .session = session,
                        .book = book,
                        .rng = mr_rng_stream(synthetic->seed, MR_RNG_SESSION, i)};
    MR_ASSERT(synthetic->context_max >= 2 * context_least && synthetic->block_tok > 0);
    mr_session_reset(session);
    book->block_tok = synthetic->block_tok;
    MR_TRY(mr_session_book_model(book, mr_str_of("agent"), (struct mr_str){"", 0}, &d.model, err));
    MR_TRY(mr_session_lane_reach(session, 0, err));
    MR_TRY(add_turns(&d, err));
    return mr_session_check(session, book, err);
}
