/* SPDX-License-Identifier: Apache-2.0 */
/* The same drawn calls through cells of one and of many instances. The reference is a binary heap
 * that takes two times per call: what the least event queue would cost. */
#include "engine/cli/bench/bench_serve.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/base/shelf.h"
#include "engine/base/wall.h"
#include "engine/cli/bench/bench_agents.h"
#include "engine/cli/bench/bench_reference.h"
#include "engine/cli/bench/bench_serving.h"
#include "engine/serve/cell.h"
#include "engine/serve/policy.h"

#include <math.h>

enum {
    n_call = 20000
};

struct serve_job {
    struct mr_shelf *shelf;
    struct mr_step *step;
    struct mr_profile *profile;
    struct mr_power power;
    struct mr_serving serving;
    uint32_t n_instance;
    struct mr_ticket ticket[n_call];
    double arrived_s[n_call];
    double heap[2 * n_call + 1];
};

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void free_job(void *data)
{
    struct serve_job *job = data;
    mr_step_destroy(job->step);
    mr_profile_destroy(job->profile);
    mr_shelf_destroy(job->shelf);
    mr_free(job);
}

static const void *card(struct serve_job *job, const struct mr_card_kind *kind, const char *id,
                        struct mr_diags *diags)
{
    const struct mr_card *found = mr_shelf_card(job->shelf, kind, id, MR_NOWHERE, diags);
    return found != NULL ? found->object : NULL;
}

static mr_status make_cards(struct serve_job *job, struct mr_err *err)
{
    struct mr_diags diags = {0};
    MR_TRY(mr_shelf_create(&job->shelf, err));
    const struct mr_step_setup setup = {.gpu = card(job, &mr_gpu_kind, "b200_sxm", &diags),
                                        .llm = card(job, &mr_llm_kind, "Llama-3.1-70B", &diags),
                                        .software = card(job, &mr_software_kind, "spec", &diags),
                                        .parallel = {2, 1, 1, 1, 1},
                                        .dense_format = MR_FORMAT_FP8,
                                        .expert_format = MR_FORMAT_FP8,
                                        .kv_element_bytes = 1};
    if (diags.n_error > 0) {
        *err = diags.item[0].err;
        return diags.first_error;
    }
    MR_TRY(mr_step_create(&setup, &job->step, err));
    MR_TRY(mr_power_of(setup.gpu, &job->power, err));
    job->serving = (struct mr_serving){.policy = &mr_policy_vllm1,
                                       .pricer = {job->step, NULL, &job->power, NULL},
                                       .batch_max = 256,
                                       .token_max = 8192,
                                       .block_tokens = 16,
                                       .n_block = 90000};
    return MR_OK;
}

static void draw_calls(struct serve_job *job, double rate_s)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 9);
    double at_s = 0;
    for (uint32_t i = 0; i < n_call; i++) {
        at_s += mr_rng_exponential(&rng, 1 / rate_s);
        job->arrived_s[i] = at_s;
        job->ticket[i] = (struct mr_ticket){
            .id = i,
            .session = i,
            .is_alone = true,
            .n_prompt = 1 + (uint32_t)fmin(8000, mr_rng_lognormal(&rng, 6.7, 0.9)),
            .n_output = 1 + (uint32_t)fmin(2000, mr_rng_lognormal(&rng, 5.1, 0.7))};
    }
}

static mr_status setup(struct mr_bench_job *bench, bool has_cards, uint32_t n_instance,
                       double rate_s, struct mr_err *err)
{
    struct serve_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    bench->n_op = n_call;
    job->n_instance = n_instance;
    draw_calls(job, rate_s);
    return has_cards ? make_cards(job, err)
                     : mr_bench_serving_constants(&job->serving, &job->profile, err);
}

static mr_status setup_constants(const struct mr_bench_case *self, struct mr_bench_job *bench,
                                 struct mr_err *err)
{
    (void)self;
    return setup(bench, false, 1, 5.5, err);
}

static mr_status setup_cards(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    (void)self;
    return setup(bench, true, 1, 12, err);
}

static mr_status setup_many(const struct mr_bench_case *self, struct mr_bench_job *bench,
                            struct mr_err *err)
{
    (void)self;
    return setup(bench, true, 64, 12 * 64, err);
}

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    double *sum_s = context;
    (void)ticket;
    *sum_s += now_s - call->first_s;
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    (void)context, (void)ticket, (void)now_s, (void)why;
}

static uint64_t work(void *data)
{
    struct serve_job *job = data;
    double sum_s = 0;
    struct mr_cell cell;
    struct mr_cell_plan plan = {
        .serving = &job->serving, .n_instance = job->n_instance, .router = MR_ROUTER_LEAST};
    if (mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, &sum_s}, NULL) !=
        MR_OK)
        return 0;
    mr_status st = MR_OK;
    for (uint32_t i = 0; i < n_call && st == MR_OK; i++) {
        st = mr_cell_play(&cell, job->arrived_s[i], NULL);
        if (st == MR_OK)
            st = mr_cell_arrive(&cell, &job->ticket[i], job->arrived_s[i], NULL);
    }
    if (st == MR_OK)
        st = mr_cell_play(&cell, (double)INFINITY, NULL);
    mr_cell_fini(&cell);
    return st == MR_OK ? bits_of(sum_s) : 0;
}

/* ---- reference ---- */

static void sift_up(double *heap, size_t at)
{
    for (; at > 1 && heap[at] < heap[at / 2]; at /= 2) {
        const double x = heap[at];
        heap[at] = heap[at / 2];
        heap[at / 2] = x;
    }
}

static void sift_down(double *heap, size_t n)
{
    size_t at = 1;
    for (size_t next = 2; next <= n; next = 2 * at) {
        next += next < n && heap[next + 1] < heap[next];
        if (heap[at] <= heap[next])
            return;
        const double x = heap[at];
        heap[at] = heap[next];
        heap[next] = x;
        at = next;
    }
}

static uint64_t plain(void *data)
{
    struct serve_job *job = data;
    size_t n = 0;
    double sum = 0;
    for (uint32_t i = 0; i < n_call; i++) {
        job->heap[++n] = job->arrived_s[i];
        sift_up(job->heap, n);
        job->heap[++n] = job->arrived_s[i] + 0.01 * job->ticket[i].n_output;
        sift_up(job->heap, n);
        while (n > 0 && job->heap[1] <= job->arrived_s[i]) {
            sum += job->heap[1];
            job->heap[1] = job->heap[n--];
            sift_down(job->heap, n);
        }
    }
    return bits_of(sum);
}

/* ---- live sessions ---- */

/* The reference is a binary heap of as many wakes, one of them moved per call. */
struct agents_job {
    struct mr_bench_agents *agents;
    double *heap; /* [1 + n] */
    size_t n;
};

static mr_status setup_agents(const struct mr_bench_case *self, struct mr_bench_job *bench,
                              const struct mr_bench_agents_plan *plan, struct mr_err *err)
{
    const size_t n = (size_t)plan->n_cell * MR_BENCH_AGENTS_CELL;
    const uint64_t need = n * 300; /* measured: below 200 */
    if (!mr_bench_serving_has_room(bench, self->size > 5, need))
        return MR_OK;
    struct agents_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    bench->n_op = n / 18; /* calls of a second */
    MR_TRY(mr_bench_agents_create(plan, &job->agents, err));
    bench->n_done = mr_bench_agents_done(job->agents);
    job->n = n;
    job->heap = mr_alloc(n + 1, sizeof *job->heap);
    if (job->heap == NULL)
        return mr_err_nomem(err, (n + 1) * sizeof *job->heap);
    for (size_t i = 0; i < n; i++)
        job->heap[1 + i] = (double)i; /* in order: a heap */
    return MR_OK;
}

static struct mr_bench_agents_plan agents_plan(const struct mr_bench_case *self,
                                               const struct mr_bench_job *bench)
{
    return (struct mr_bench_agents_plan){
        .n_cell = self->size, .window_s = 1, .warm_s = bench->is_quick ? 3 : 30};
}

static mr_status setup_windows(const struct mr_bench_case *self, struct mr_bench_job *bench,
                               struct mr_err *err)
{
    const struct mr_bench_agents_plan plan = agents_plan(self, bench);
    const uint64_t before = mr_wall_rss_bytes();
    MR_TRY(setup_agents(self, bench, &plan, err));
    const uint64_t after = mr_wall_rss_bytes(), heap = self->size * MR_BENCH_AGENTS_CELL * 8ULL;
    if (bench->skipped[0] == '\0' && after > before + heap)
        bench->n_byte = after - before - heap; /* less the reference's */
    return MR_OK;
}

static mr_status setup_short(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    struct mr_bench_agents_plan plan = agents_plan(self, bench);
    plan.window_s = 0.125;
    return setup_agents(self, bench, &plan, err);
}

static mr_status setup_steps(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    struct mr_bench_agents_plan plan = agents_plan(self, bench);
    plan.steps_singly = true;
    return setup_agents(self, bench, &plan, err);
}

static mr_status setup_cold(const struct mr_bench_case *self, struct mr_bench_job *bench,
                            struct mr_err *err)
{
    struct mr_bench_agents_plan plan = agents_plan(self, bench);
    plan.is_cold = true;
    return setup_agents(self, bench, &plan, err);
}

static uint64_t play_agents(void *data)
{
    const struct agents_job *job = data;
    return mr_bench_agents_play(job->agents, NULL) == MR_OK ? mr_bench_agents_decisions(job->agents)
                                                            : 0;
}

static uint64_t whole_agents(void *data)
{
    const struct agents_job *job = data;
    return mr_bench_agents_whole(job->agents);
}

static uint64_t plain_agents(void *data)
{
    const struct agents_job *job = data;
    for (size_t i = 0; i < job->n / 18; i++) {
        job->heap[1] += (double)job->n;
        sift_down(job->heap, job->n);
    }
    return bits_of(job->heap[1]);
}

static void free_agents(void *data)
{
    struct agents_job *job = data;
    mr_bench_agents_destroy(job->agents);
    mr_free(job->heap);
    mr_free(job);
}

// clang-format off
#define AGENTS(text, n_cell, function)                                                      \
    .name = text, .op = "call", .reference = "binary heap of as many wakes",                \
    .size = n_cell, .setup = function, .work = play_agents, .plain = plain_agents,          \
    .whole = whole_agents, .teardown = free_agents
#define REFERENCE(text, which)                                                              \
    .name = text, .op = "request", .reference = "step by step", .size = which,              \
    .setup = mr_bench_reference_setup, .work = mr_bench_reference_work,                     \
    .plain = mr_bench_reference_steps, .teardown = mr_bench_reference_free
#define AGENTS_FLOOR .same = "serve/agents_20k", .smaller = "serve/agents_20k", .floor = 1.7

static const struct mr_bench_case cases[] = {
    {.name = "serve/five_constants", .op = "call", .reference = "binary heap, two times per call",
     .setup = setup_constants, .work = work, .plain = plain, .teardown = free_job},
    {.name = "serve/cards", .op = "call", .reference = "binary heap, two times per call",
     .setup = setup_cards, .work = work, .plain = plain, .teardown = free_job},
    {.name = "serve/cell_of_64", .op = "call", .reference = "binary heap, two times per call",
     .setup = setup_many, .work = work, .plain = plain, .teardown = free_job},
    {REFERENCE("serve/reference", 0)},
    {REFERENCE("serve/reference_n1000", 1)},
    {REFERENCE("serve/reference_n10000", 2)},
    {REFERENCE("serve/reference_kvtight", 3)},
    {REFERENCE("serve/reference_vllmsched", 4)},
    {AGENTS("serve/agents_20k", 1, setup_windows)},
    {AGENTS("serve/agents_20k_steps", 1, setup_steps), .same = "serve/agents_20k"},
    {AGENTS("serve/agents_20k_windows", 1, setup_short), .same = "serve/agents_20k"},
    {AGENTS("serve/agents_100k", 5, setup_windows), AGENTS_FLOOR},
    {AGENTS("serve/agents_100k_steps", 5, setup_steps), .same = "serve/agents_100k"},
    {AGENTS("serve/agents_100k_windows", 5, setup_short), .same = "serve/agents_100k"},
    {AGENTS("serve/agents_100k_cold", 5, setup_cold), .same = "serve/agents_100k"},
    {AGENTS("serve/agents_1m", 50, setup_windows), AGENTS_FLOOR},
    {AGENTS("serve/agents_10m", 500, setup_windows), AGENTS_FLOOR},
};
// clang-format on

const struct mr_bench_group mr_bench_serve_group = {cases, sizeof cases / sizeof *cases};
