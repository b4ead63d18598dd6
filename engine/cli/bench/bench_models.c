/* SPDX-License-Identifier: Apache-2.0 */
/* One large setup, DeepSeek-R1 on eight B200, and batches of all sizes. The reference is the
 * five-constant formula: what the simplest possible model would cost. */
#include "engine/cli/bench/bench_models.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/base/shelf.h"
#include "models/step.h"

#include <math.h>

enum {
    n_batch = 4096
};

struct price_job {
    struct mr_shelf *shelf;
    struct mr_step_setup setup;
    struct mr_step *step;
    struct mr_batch batch[n_batch];
};

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static const void *card(struct price_job *job, const struct mr_card_kind *kind, const char *id,
                        struct mr_diags *diags)
{
    const struct mr_card *found = mr_shelf_card(job->shelf, kind, id, MR_NOWHERE, diags);
    return found != NULL ? found->object : NULL;
}

static void free_job(void *data)
{
    struct price_job *job = data;
    mr_step_destroy(job->step);
    mr_shelf_destroy(job->shelf);
    mr_free(job);
}

static mr_status fill(struct price_job *job, struct mr_err *err)
{
    struct mr_diags diags = {0};
    MR_TRY(mr_shelf_create(&job->shelf, err));
    job->setup = (struct mr_step_setup){.gpu = card(job, &mr_gpu_kind, "b200_sxm", &diags),
                                        .llm = card(job, &mr_llm_kind, "DeepSeek-R1", &diags),
                                        .software = card(job, &mr_software_kind, "spec", &diags),
                                        .parallel = {1, 8, 1, 8, 1},
                                        .dense_format = MR_FORMAT_FP8,
                                        .expert_format = MR_FORMAT_NVFP4,
                                        .kv_element_bytes = 1};
    if (diags.n_error > 0) {
        *err = diags.item[0].err;
        return diags.first_error;
    }
    MR_TRY(mr_step_create(&job->setup, &job->step, err));
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 3);
    for (int i = 0; i < n_batch; i++) {
        const double n = 1 + (double)(mr_rng_u64(&rng) % 2000);
        job->batch[i] =
            (struct mr_batch){.n_decode = n, .kv_tokens = n * (double)(mr_rng_u64(&rng) % 100000)};
    }
    return MR_OK;
}

static mr_status setup(const struct mr_bench_case *self, struct mr_bench_job *bench,
                       struct mr_err *err)
{
    struct price_job *job = mr_alloc_zero(1, sizeof *job);
    (void)self;
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    bench->n_op = n_batch;
    return fill(job, err);
}

static uint64_t work_time(void *data)
{
    const struct price_job *job = data;
    double sum = 0;
    for (int i = 0; i < n_batch; i++)
        sum += mr_step_time(job->step, &job->batch[i], 1);
    return bits_of(sum);
}

static uint64_t work_slow_clock(void *data)
{
    const struct price_job *job = data;
    double sum = 0;
    for (int i = 0; i < n_batch; i++)
        sum += mr_step_time(job->step, &job->batch[i], 0.83);
    return bits_of(sum);
}

static uint64_t work_leap(void *data)
{
    const struct price_job *job = data;
    double sum = 0;
    for (int i = 0; i < n_batch; i++) {
        const struct mr_step_leap leap = mr_step_leap(job->step, &job->batch[i], 0.83);
        sum += leap.a_s + leap.b_s;
    }
    return bits_of(sum);
}

static uint64_t work_terms(void *data)
{
    const struct price_job *job = data;
    double sum = 0;
    for (int i = 0; i < n_batch; i++) {
        struct mr_step_terms terms;
        mr_step_terms(&job->setup, &job->batch[i], 1, &terms);
        sum += terms.time_s;
    }
    return bits_of(sum);
}

static uint64_t plain(void *data)
{
    const struct price_job *job = data;
    double sum = 0;
    for (int i = 0; i < n_batch; i++)
        sum += 0.002 + fmax(0.010, 8.56e-5 * job->batch[i].n_decode) +
               8.19e-8 * job->batch[i].kv_tokens;
    return bits_of(sum);
}

// clang-format off
#define PRICE_CASE(name_, work_) \
    {.name = (name_), .op = "batch", .reference = "five constants", .setup = setup, .work = (work_), \
     .plain = plain, .teardown = free_job}
static const struct mr_bench_case cases[] = {
    PRICE_CASE("models/step_time", work_time),
    PRICE_CASE("models/step_time_slow_clock", work_slow_clock),
    PRICE_CASE("models/step_leap", work_leap),
    PRICE_CASE("models/step_from_cards", work_terms),
};
// clang-format on

const struct mr_bench_group mr_bench_models_group = {cases, sizeof cases / sizeof *cases};
