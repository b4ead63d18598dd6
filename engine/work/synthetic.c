/* SPDX-License-Identifier: Apache-2.0 */
/* Lognormal fits as (mu, sigma) of the natural logarithm; where one fit is poor, quantiles. Parts:
 * distributions - calls and tools - sessions. */
#include "engine/work/synthetic.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "engine/base/rng.h"
#include "engine/work/tool_class.h"

#include <math.h>

enum {
    tool_tok = 12288, /* medians of tools and system prompt */
    system_tok = 2816,
    n_turn_max = 100,
    n_call_max = 1000 /* of a session */
};

/* Of calls: those that lose their cached prefix; with compactions 0.017. */
static const double reset_frac = 0.0075, agent_frac = 0.024, fail_frac = 0.12;

/* Where contexts are compacted, and by how many of the agents that may go on to the longest. */
static const double compact_low_tok = 140e3, compact_high_tok = 168e3, long_frac = 0.13;

/* Tools whose class has its gap's rank. */
static const double with_gap_frac = 0.8;

/* A session that is being drawn. */
struct drawing {
    const struct mr_synthetic *synthetic;
    struct mr_session *session;
    struct mr_session_book *book;
    struct mr_rng rng, result; /* what tools say, beside what they take */
    uint32_t model;
    double window_tok;    /* beyond it the context is compacted */
    uint64_t context_tok; /* of the lane: the input before, which the next one goes on from. What is
                             new in a call holds the answer before it: so it was counted */
};

/* ---- distributions ---- */

struct quantile {
    double p, ln;
};

/* First context of an agent: a fresh start, or one that goes on from an earlier day. ln of 9 k,
 * 13.0 k, 18.6 k, 24.5 k, 104 k, 259 k, 716 k, 900 k */
static const struct quantile context_of_agent[] = {{0, 9.105},     {0.05, 9.473},  {0.25, 9.831},
                                                   {0.5, 10.106},  {0.75, 11.552}, {0.9, 12.465},
                                                   {0.99, 13.482}, {1, 13.710}};

/* Chats. First inputs: 891, 905, 1,336, 5,264, 13,056, 25,561, 89,869, 126,195 */
static const struct quantile input_of_chat[] = {{0, 6.792},     {0.1, 6.808},  {0.25, 7.197},
                                                {0.5, 8.569},   {0.75, 9.477}, {0.9, 10.149},
                                                {0.99, 11.406}, {1, 11.746}};
/* 1, 10, 24, 156, 350, 472, 597, 698, 1,120, 2,000 */
static const struct quantile output_of_chat[] = {
    {0, 0},        {0.05, 2.303}, {0.1, 3.178},  {0.25, 5.050}, {0.5, 5.858},
    {0.75, 6.157}, {0.9, 6.392},  {0.95, 6.548}, {0.99, 7.021}, {1, 7.601}};
/* beyond input and output of the turn before: 1, 1, 8, 27, 492, 4,397, 17,284, 91,467 */
static const struct quantile new_of_chat[] = {{0, 0},        {0.1, 0},      {0.25, 2.079},
                                              {0.5, 3.296},  {0.75, 6.198}, {0.9, 8.389},
                                              {0.99, 9.758}, {1, 11.424}};
/* from call to call [s]: 3, 30, 42, 66, 123, 264, 483, 1,482, 3,030 */
static const struct quantile gap_of_chat[] = {{0, 1.099},    {0.05, 3.401}, {0.1, 3.738},
                                              {0.25, 4.190}, {0.5, 4.812},  {0.75, 5.576},
                                              {0.9, 6.180},  {0.99, 7.301}, {1, 8.016}};

/* Between two quantiles the logarithm is linear. */
static double draw_quantile(struct mr_rng *rng, const struct quantile *quantile)
{
    const double u = mr_rng_f64(rng);
    size_t i = 1;
    while (quantile[i].p < u)
        i++;
    const double share = (u - quantile[i - 1].p) / (quantile[i].p - quantile[i - 1].p);
    return mr_exp(quantile[i - 1].ln + share * (quantile[i].ln - quantile[i - 1].ln));
}

static uint32_t draw_count(struct mr_rng *rng, double mu, double sigma, double most)
{
    return (uint32_t)fmin(most, fmax(1, floor(mr_rng_lognormal(rng, mu, sigma) + 0.5)));
}

/* ---- calls and tools ---- */

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
    if (!is_first && (double)(input + n_output) > d->window_tok) { /* less than half is kept */
        keep_tok = (uint64_t)((double)keep_tok * mr_rng_range(&d->rng, 0.15, 0.49));
        input = keep_tok + (new_tok < most / 4 ? new_tok : most / 4);
    } else if (!is_first && mr_rng_f64(&d->rng) < reset_frac) {
        keep_tok = (uint64_t)((double)keep_tok * 0.5 * mr_rng_f64(&d->rng));
    }
    if (input + n_output > most)
        input = most - n_output;
    if (is_first) { /* the prompts of short contexts are short */
        const double prompt_tok = fmin(tool_tok + system_tok, 0.9 * (double)input);
        s->lane[lane].n_tool_tok = (uint32_t)(prompt_tok * tool_tok / (tool_tok + system_tok));
        s->lane[lane].n_system_tok = (uint32_t)prompt_tok - s->lane[lane].n_tool_tok;
    }
    const uint32_t least = s->lane[lane].n_tool_tok + s->lane[lane].n_system_tok + b;
    input = input < least ? least : input;
    struct mr_session_llm *llm = &s->llm[s->n_llm - 1];
    llm->model = d->model;
    llm->n_input = (uint32_t)input;
    llm->n_output = n_output;
    d->context_tok = input;
    return mr_session_mint(s, b, (uint32_t)(keep_tok / b), err);
}

static mr_status add_think(struct drawing *d, double s, struct mr_err *err)
{
    MR_TRY(add_node(d, MR_SESSION_THINK, 0, err));
    d->session->think[d->session->n_think - 1].s = s;
    return mr_session_after_lane(d->session, 0, err);
}

/* Results: median 666 letters, mean 2,153, four to a token. */
static mr_status fill_tool(struct drawing *d, double wall_s, const struct mr_tool_class *class,
                           struct mr_err *err)
{
    struct mr_session_tool *tool = &d->session->tool[d->session->n_tool - 1];
    tool->wall_s = wall_s;
    tool->cpu_s = wall_s * class->core_frac;
    tool->where = class->is_outside ? MR_SESSION_EXT : MR_SESSION_CPU;
    tool->n_output = draw_count(&d->result, 5.115, 1.532, 1e5);
    tool->is_error = mr_rng_f64(&d->result) < fail_frac;
    return mr_intern_add(&d->book->class, mr_str_of(class->name), &tool->class, err);
}

/* The tools of one call and the rest of the gap. What comes next depends on the nodes from
 * *first on, *n of them. */
static mr_status add_tools(struct drawing *d, uint32_t *first, uint32_t *n, struct mr_err *err)
{
    struct mr_session *s = d->session;
    const double rank = mr_rng_open(&d->rng), u = mr_rng_f64(&d->rng);
    const double gap_s = fmin(1e5, mr_exp(2.52 + 1.29 * mr_rng_normal_quantile(rank)));
    const uint32_t n_tool = u < 0.027 ? 0 : u < 0.893 ? 1 : u < 0.978 ? 2 : u < 0.997 ? 3 : 4;
    const bool is_parallel = n_tool > 1;
    const uint32_t call = (uint32_t)s->n_node - 1;
    double left_s = gap_s;
    for (uint32_t i = 0; i < n_tool; i++) {
        const double own = mr_rng_open(&d->rng);
        const struct mr_tool_class *class = mr_tool_class_of(
            (struct mr_str){"", 0}, mr_rng_f64(&d->rng) < with_gap_frac ? rank : own);
        const double drawn_s = mr_tool_class_draw_s(class, mr_rng_open(&d->rng));
        const double wall_s = fmin(drawn_s, is_parallel ? gap_s : left_s);
        MR_TRY(add_node(d, MR_SESSION_TOOL, 0, err));
        MR_TRY(fill_tool(d, wall_s, class, err));
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
        MR_TRY(fill_tool(d, mr_tool_class_draw_s(class, mr_rng_open(&d->rng)), class, err));
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

/* ---- sessions ---- */

/* Calls of a session: Weibull, near to exponential, fewer where much is there already. */
static uint32_t draw_calls(struct mr_rng *rng, double first_tok)
{
    const double scale = first_tok < 25e3 ? 92 : first_tok < 104e3 ? 62 : 27;
    return (uint32_t)fmin(n_call_max, 2 + mr_rng_weibull(rng, 1.2, scale));
}

/* Its turns: one call each, and the others by weights. @param[out] n_call of every turn
 * @return turns */
static uint32_t draw_turns(struct mr_rng *rng, uint32_t n_all, uint32_t *n_call)
{
    const uint32_t drawn = draw_count(rng, 0.85, 1.2, n_turn_max);
    const uint32_t n_turn = drawn < n_all ? drawn : n_all;
    double sum[n_turn_max], all = 0;
    uint32_t n_before = 0;
    for (uint32_t i = 0; i < n_turn; i++)
        sum[i] = all += mr_rng_lognormal(rng, 0, 0.8);
    for (uint32_t i = 0; i < n_turn; i++) {
        const uint32_t n = (uint32_t)floor(sum[i] / all * (n_all - n_turn) + 0.5);
        n_call[i] = 1 + n - n_before;
        n_before = n;
    }
    return n_turn;
}

static double draw_window(struct drawing *d, double first_tok)
{
    const double most = d->synthetic->context_max;
    const bool is_long = mr_rng_f64(&d->rng) < long_frac || first_tok > compact_high_tok;
    const double at = mr_rng_range(&d->rng, compact_low_tok, compact_high_tok);
    return is_long ? most : fmin(most, fmax(at, 1.02 * first_tok));
}

static mr_status add_turns(struct drawing *d, struct mr_err *err)
{
    struct mr_session *s = d->session;
    const bool has_agents = mr_rng_f64(&d->rng) < agent_frac;
    const uint64_t first_tok = (uint64_t)draw_quantile(&d->rng, context_of_agent);
    const uint32_t n_all = draw_calls(&d->rng, (double)first_tok);
    uint32_t n_call[n_turn_max];
    const uint32_t n_turn = draw_turns(&d->rng, n_all, n_call);
    uint32_t join[12], n_join = 0;
    d->window_tok = draw_window(d, (double)first_tok);
    for (uint32_t turn = 0; turn < n_turn; turn++) {
        for (uint32_t k = 0; k < n_call[turn]; k++) {
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
            if (has_agents && is_first && n_all > 1)
                MR_TRY(add_agents(d, join, &n_join, err));
        }
    }
    return MR_OK;
}

static mr_status add_chat(struct drawing *d, struct mr_err *err)
{
    /* of chats, those that have more than 1, 2, .. turns */
    static const double more[] = {0.3076, 0.1293, 0.0663, 0.0392, 0.0232,
                                  0.0159, 0.0121, 0.0084, 0.0065, 0.0043};
    struct mr_session *s = d->session;
    const uint32_t most = d->synthetic->context_max, b = d->synthetic->block_tok;
    const double u = mr_rng_f64(&d->rng);
    uint32_t n_turn = 1, keep = 0;
    double input = draw_quantile(&d->rng, input_of_chat);
    while (n_turn <= sizeof more / sizeof *more && u < more[n_turn - 1])
        n_turn++;
    for (uint32_t turn = 0; turn < n_turn; turn++) {
        const double output = draw_quantile(&d->rng, output_of_chat);
        if (input + output > most) {
            if (turn > 0)
                return MR_OK;
            input = most - output;
        }
        MR_TRY(add_node(d, MR_SESSION_LLM, 0, err));
        MR_TRY(mr_session_after_lane(s, 0, err));
        struct mr_session_llm *llm = &s->llm[s->n_llm - 1];
        llm->model = d->model;
        llm->n_input = (uint32_t)input;
        llm->n_output = (uint32_t)output;
        MR_TRY(mr_session_mint(s, b, keep, err));
        keep = llm->n_block;
        input = (double)llm->n_input + llm->n_output + draw_quantile(&d->rng, new_of_chat);
        const double gap_s = draw_quantile(&d->rng, gap_of_chat);
        if (turn + 1 < n_turn && input < most)
            MR_TRY(add_think(d, gap_s, err));
    }
    return MR_OK;
}

double mr_synthetic_gap_s(const struct mr_synthetic *synthetic, uint64_t i, double rate_s,
                          double cv)
{
    struct mr_rng rng = mr_rng_stream(synthetic->seed, MR_RNG_ARRIVAL, i);
    const double cv2 = cv * cv;
    MR_ASSERT(rate_s > 0 && cv >= 0);
    return cv2 < 1e-6 ? 1 / rate_s : mr_rng_gamma(&rng, 1 / cv2, cv2 / rate_s);
}

mr_status mr_synthetic_draw(const struct mr_synthetic *synthetic, uint64_t i,
                            struct mr_session *session, struct mr_session_book *book,
                            struct mr_err *err)
{
    static const char *const model[MR_SYNTHETIC_KINDS] = {"agent", "chat"};
    struct drawing d = {.synthetic = synthetic,
                        .session = session,
                        .book = book,
                        .rng = mr_rng_stream(synthetic->seed, MR_RNG_SESSION, i),
                        .result = mr_rng_stream(synthetic->seed, MR_RNG_LENGTH, i)};
    MR_ASSERT(synthetic->context_max >= MR_SYNTHETIC_CONTEXT_LEAST && synthetic->block_tok > 0);
    mr_session_reset(session);
    book->block_tok = synthetic->block_tok;
    MR_TRY(mr_session_book_model(book, mr_str_of(model[synthetic->kind]), (struct mr_str){"", 0},
                                 &d.model, err));
    /* names in the order of the table, whoever draws what first */
    for (size_t k = 0; book->class.n == k && mr_tool_class_at(k) != NULL; k++) {
        uint32_t class;
        MR_TRY(mr_intern_add(&book->class, mr_str_of(mr_tool_class_at(k)->name), &class, err));
    }
    MR_TRY(mr_session_lane_reach(session, 0, err));
    MR_TRY(synthetic->kind == MR_SYNTHETIC_CHATS ? add_chat(&d, err) : add_turns(&d, err));
    return mr_session_check(session, book, err);
}
