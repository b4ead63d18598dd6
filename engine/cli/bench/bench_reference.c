/* SPDX-License-Identifier: Apache-2.0 */
/* One instance, calls from memory, nothing told: what the loop itself costs. A round plays one of
 * the runs, or all four. The checksum is over the bits of all three times of every request. */
#include "engine/cli/bench/bench_reference.h"

#include "engine/base/csv.h"
#include "engine/base/mem.h"
#include "engine/cli/bench/bench_serving.h"
#include "engine/serve/policy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    n_run = 4
};

static const struct {
    const char *file;
    const struct mr_policy *policy;
    uint32_t token_max;
    uint64_t n_block;
} runs[n_run] = {{"n1000", &mr_policy_sarathi, 512, 29696},
                 {"n10000", &mr_policy_sarathi, 512, 29696},
                 {"n1000_kvtight", &mr_policy_sarathi, 512, 2048},
                 {"n1000_vllmsched", &mr_policy_vllm0, 16384, 29696}};

struct request {
    double arrived_s;
    uint32_t n_prompt, n_output;
};

struct reference_run {
    struct mr_serving serving;
    struct request *request;
    size_t n, cap;
};

struct reference_job {
    struct mr_profile *profile;
    struct reference_run run[n_run]; /* those of the case */
    struct mr_calls calls;           /* in flight */
    int n_run;
};

struct told {
    struct mr_calls *calls;
    uint64_t sum;
};

/* ---- setup ---- */

static mr_status read_rows(struct mr_csv *csv, struct reference_run *run, struct mr_err *err)
{
    for (bool has_row = true;;) {
        double v[4];
        MR_TRY(mr_csv_next(csv, &has_row, err));
        if (!has_row)
            return MR_OK;
        for (size_t k = 0; k < sizeof v / sizeof *v; k++)
            MR_TRY(mr_csv_f64(csv, k, &v[k], err));
        MR_TRY(mr_grow(&run->request, &run->cap, run->n + 1, sizeof *run->request, err));
        run->request[run->n++] = (struct request){v[1], (uint32_t)v[2], (uint32_t)v[3]};
    }
}

static mr_status read_run(struct mr_bench_job *bench, int i, struct reference_run *run,
                          struct mr_err *err)
{
    const char *root = getenv("MILLRACE_DATA");
    struct mr_buf path = {0};
    struct mr_err absent = {0};
    struct mr_csv *csv = NULL;
    mr_buf_printf(&path, "%s/reference/ref_8B_r1_%s.csv",
                  root != NULL && root[0] != '\0' ? root : "../shared/data", runs[i].file);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK && mr_csv_open(path.text, NULL, &csv, &absent) != MR_OK)
        snprintf(bench->skipped, sizeof bench->skipped, "%.120s: not found (MILLRACE_DATA)",
                 path.text);
    else if (st == MR_OK)
        st = read_rows(csv, run, err);
    mr_csv_close(csv);
    mr_buf_fini(&path);
    return st;
}

mr_status mr_bench_reference_setup(const struct mr_bench_case *self, struct mr_bench_job *bench,
                                   struct mr_err *err)
{
    struct reference_job *job = mr_alloc_zero(1, sizeof *job);
    struct mr_serving serving;
    bench->data = job;
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    job->calls = MR_CALLS_EMPTY;
    MR_TRY(mr_bench_serving_constants(&serving, &job->profile, err));
    for (int i = 0; i < n_run; i++) {
        struct reference_run *run = &job->run[job->n_run];
        if (self->size != 0 && self->size != (uint32_t)i + 1)
            continue;
        MR_TRY(read_run(bench, i, run, err));
        run->serving = serving;
        run->serving.policy = runs[i].policy;
        run->serving.token_max = runs[i].token_max;
        run->serving.n_block = runs[i].n_block;
        MR_TRY(mr_instance_check(&run->serving, err));
        bench->n_op += run->n;
        job->n_run++;
    }
    return MR_OK;
}

void mr_bench_reference_free(void *data)
{
    struct reference_job *job = data;
    for (int i = 0; i < n_run; i++)
        mr_free(job->run[i].request);
    mr_call_fini(&job->calls);
    mr_profile_destroy(job->profile);
    mr_free(job);
}

/* ---- loops ---- */

static uint64_t fold(uint64_t sum, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (sum ^ bits) * 0x9e3779b97f4a7c15U;
}

static void finished(void *context, uint32_t call, double now_s)
{
    struct told *told = context;
    const struct mr_call *c = &told->calls->call[call];
    told->sum = fold(fold(fold(told->sum, c->scheduled_s), c->first_s), now_s);
    mr_call_give_back(told->calls, call);
}

static mr_status arrive(struct mr_instance *instance, const struct request *request, size_t i,
                        struct mr_err *err)
{
    uint32_t call;
    MR_TRY(mr_call_take(instance->calls, &call, err));
    instance->calls->call[call] = (struct mr_call){.arrived_s = request->arrived_s,
                                                   .n_prompt = request->n_prompt,
                                                   .n_output = request->n_output,
                                                   .number = (uint32_t)i};
    return mr_instance_arrive(instance, call, request->arrived_s, err);
}

static mr_status play(struct reference_job *job, const struct reference_run *run,
                      const struct mr_serving *serving, struct told *told, struct mr_err *err)
{
    const struct mr_instance_sink sink = {.finished = finished, .context = told};
    struct mr_instance instance;
    size_t i = 0;
    MR_TRY(mr_instance_init(&instance, serving, &job->calls, err));
    mr_status st = MR_OK;
    while (st == MR_OK) {
        const double due_s = mr_instance_due_s(&instance);
        if (i < run->n && run->request[i].arrived_s <= due_s + MR_SEGMENT_TIE_S) {
            st = arrive(&instance, &run->request[i], i, err);
            i++;
        } else if (!isinf(due_s)) {
            st = mr_instance_advance(&instance, &sink, err);
        } else {
            break;
        }
    }
    mr_instance_fini(&instance);
    return st;
}

static uint64_t play_all(struct reference_job *job, bool steps_singly)
{
    struct told told = {.calls = &job->calls};
    for (int i = 0; i < job->n_run; i++) {
        struct mr_serving serving = job->run[i].serving;
        serving.steps_singly = steps_singly;
        if (play(job, &job->run[i], &serving, &told, NULL) != MR_OK)
            return 0;
    }
    return told.sum;
}

uint64_t mr_bench_reference_work(void *data)
{
    return play_all(data, false);
}

uint64_t mr_bench_reference_steps(void *data)
{
    return play_all(data, true);
}
