/* SPDX-License-Identifier: Apache-2.0 */
/* A gigawatt by racks, 5,500 x 20 channels, one row a second; and a table of calls. Values wander
 * around a mean per rack as telemetry does, or compression would be flattered. Whole files are
 * written into TMPDIR and removed: that time holds creating, compressing, writing and syncing. The
 * reference is what memory alone would take. */
#include "engine/cli/bench/bench_record.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/record/columns.h"
#include "engine/record/track.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    n_rack = 5500,
    n_channel = 20,
    n_row = 128,
    n_noise = 1 << 16,
    n_call = 200000
};

struct call {
    uint64_t id;
    double arrived_s, first_token_s, finished_s;
    uint32_t input_tok, output_tok, instance, tier;
};

static const struct mr_channel call_column[] = {
    MR_COLUMN(struct call, id, U64, "1", "Number of the call"),
    MR_COLUMN(struct call, arrived_s, F64, "s", "Arrival"),
    MR_COLUMN(struct call, first_token_s, F64, "s", "First token"),
    MR_COLUMN(struct call, finished_s, F64, "s", "Last token"),
    MR_COLUMN(struct call, input_tok, U32, "1", "Tokens of the prompt"),
    MR_COLUMN(struct call, output_tok, U32, "1", "Tokens made"),
    MR_COLUMN(struct call, instance, U32, "1", "Instance that made them"),
    MR_COLUMN(struct call, tier, U32, "1", "Price tier"),
};

struct record_job {
    char path[512];
    int level;
    struct mr_channel channel[n_channel];
    char name[n_channel][16];
    double *mean, *noise, *row; /* n_rack; n_noise; n_channel x n_rack */
    float *stored;
    struct call *call, *copy;
};

static void free_job(void *data)
{
    struct record_job *job = data;
    mr_free(job->mean);
    mr_free(job->noise);
    mr_free(job->row);
    mr_free(job->stored);
    mr_free(job->call);
    mr_free(job->copy);
    mr_free(job);
}

static void fill(struct record_job *job)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 11);
    for (size_t i = 0; i < n_rack; i++)
        job->mean[i] = mr_rng_range(&rng, 90e3, 130e3);
    for (size_t i = 0; i < n_noise; i++) /* watts to the tenth, like meters */
        job->noise[i] = (double)(mr_rng_u64(&rng) % 20000) * 0.1;
    for (size_t i = 0; i < n_call; i++) {
        const double at = (double)i * 1e-4;
        job->call[i] = (struct call){.id = i,
                                     .arrived_s = at,
                                     .first_token_s = at + mr_rng_range(&rng, 0.1, 2),
                                     .finished_s = at + mr_rng_range(&rng, 2, 60),
                                     .input_tok = (uint32_t)(mr_rng_u64(&rng) % 100000),
                                     .output_tok = (uint32_t)(mr_rng_u64(&rng) % 2000),
                                     .instance = (uint32_t)(mr_rng_u64(&rng) % 4096),
                                     .tier = (uint32_t)(i % 5)};
    }
    for (size_t q = 0; q < n_channel; q++) {
        snprintf(job->name[q], sizeof job->name[q], "q%zu_kw", q);
        job->channel[q] = (struct mr_channel){.name = job->name[q],
                                              .units = "kW",
                                              .long_name = "A recorded power",
                                              .type = MR_CHANNEL_F32_OF_F64,
                                              .scale = 1e-3};
    }
}

static const double *make_row(struct record_job *job, size_t row)
{
    for (size_t q = 0; q < n_channel; q++)
        for (size_t i = 0; i < n_rack; i++)
            job->row[q * n_rack + i] =
                job->mean[i] + job->noise[(i * 31 + q * 977 + row * 13) % n_noise];
    return job->row;
}

/* Where files cannot be written there is nothing to measure. */
static bool can_write(struct record_job *job, struct mr_bench_job *bench)
{
    const char *folder = getenv("TMPDIR");
    const struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_runfile *file;
    struct mr_err err = {0};
    snprintf(job->path, sizeof job->path, "%s/millrace-bench-%ld.h5",
             folder != NULL && folder[0] != '\0' ? folder : "/tmp", (long)getpid());
    if (mr_runfile_create(job->path, &options, &file, &err) == MR_OK) {
        char part[600];
        snprintf(part, sizeof part, "%s", mr_runfile_part(file));
        mr_runfile_destroy(file);
        (void)unlink(part);
        return true;
    }
    snprintf(bench->skipped, sizeof bench->skipped, "%.80s: %.60s", err.file, err.text);
    return false;
}

static mr_status setup(const struct mr_bench_case *self, struct mr_bench_job *bench,
                       struct mr_err *err)
{
    struct record_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    job->mean = mr_alloc(n_rack, sizeof *job->mean);
    job->noise = mr_alloc(n_noise, sizeof *job->noise);
    job->row = mr_alloc((size_t)n_rack * n_channel, sizeof *job->row);
    job->stored = mr_alloc((size_t)n_rack * n_channel, sizeof *job->stored);
    job->call = mr_alloc_zero(n_call, sizeof *job->call);
    job->copy = mr_alloc(n_call, sizeof *job->copy);
    if (job->mean == NULL || job->noise == NULL || job->row == NULL || job->stored == NULL ||
        job->call == NULL || job->copy == NULL)
        return mr_err_nomem(err, n_call * sizeof *job->call);
    fill(job);
    make_row(job, 0);
    const bool is_store = strcmp(self->name, "record/store") == 0;
    const bool is_table = strcmp(self->name, "record/requests") == 0;
    const bool is_bytes = strcmp(self->op, "byte") == 0;
    job->level = strcmp(self->name, "record/racks_plain") == 0 ? 0 : 4;
    bench->n_op = is_table ? n_call : (uint64_t)n_rack * n_channel * (is_store ? 1 : n_row);
    if (is_bytes)
        bench->n_op *= sizeof(float);
    if (!is_store)
        (void)can_write(job, bench);
    return MR_OK;
}

/* ---- loops ---- */

static uint64_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint64_t work_store(void *data)
{
    struct record_job *job = data;
    for (size_t q = 0; q < n_channel; q++)
        mr_channel_store(&job->channel[q], job->row + q * n_rack, sizeof(double), n_rack,
                         job->stored + q * n_rack);
    return bits_of(job->stored[n_rack * n_channel - 1]);
}

static uint64_t plain_store(void *data)
{
    struct record_job *job = data;
    memcpy(job->stored, job->row, sizeof(float) * n_rack * n_channel);
    return bits_of(job->stored[n_rack * n_channel - 1]);
}

static struct mr_runfile *create(const struct record_job *job)
{
    struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_runfile *file;
    options.may_overwrite = true;
    options.level = job->level;
    const mr_status st = mr_runfile_create(job->path, &options, &file, NULL);
    MR_ASSERT(st == MR_OK); /* setup has tried */
    return file;
}

/* The rows are written when this returns. */
static uint64_t close_and_count(const struct record_job *job, struct mr_runfile *file, uint64_t n)
{
    const mr_status st = mr_runfile_finish(file, MR_RUNFILE_COMPLETE, "", NULL);
    MR_ASSERT(st == MR_OK);
    mr_runfile_destroy(file);
    (void)unlink(job->path);
    return n;
}

static uint64_t work_racks(void *data)
{
    struct record_job *job = data;
    struct mr_runfile *file = create(job);
    struct mr_track *racks;
    const struct mr_track_plan plan = {.group = "/racks",
                                       .axis = "rack",
                                       .axis_name = "Racks",
                                       .n_entity = n_rack,
                                       .interval_s = 1,
                                       .channel = job->channel,
                                       .n_channel = n_channel};
    mr_status st = mr_track_create(file, &plan, &racks, NULL);
    if (st == MR_OK)
        st = mr_runfile_start(file, NULL);
    for (size_t row = 0; row < n_row && st == MR_OK; row++) {
        const void *value[n_channel];
        for (size_t q = 0; q < n_channel; q++)
            value[q] = job->row + q * n_rack;
        make_row(job, row);
        st = mr_track_row(racks, (double)row, value, NULL);
    }
    MR_ASSERT(st == MR_OK);
    return close_and_count(job, file, mr_track_rows(racks));
}

static uint64_t plain_racks(void *data)
{
    uint64_t sum = 0;
    for (size_t row = 0; row < n_row; row++) {
        make_row(data, row);
        sum += plain_store(data);
    }
    return sum;
}

static uint64_t work_requests(void *data)
{
    struct record_job *job = data;
    struct mr_runfile *file = create(job);
    struct mr_columns *calls;
    const struct mr_columns_plan plan = {.group = "/requests",
                                         .axis = "request",
                                         .column = call_column,
                                         .n_column = sizeof call_column / sizeof *call_column,
                                         .row_bytes = sizeof(struct call),
                                         .is_gathered = true};
    mr_status st = mr_columns_create(file, &plan, &calls, NULL);
    if (st == MR_OK)
        st = mr_runfile_start(file, NULL);
    for (size_t i = 0; i < n_call && st == MR_OK; i++)
        st = mr_columns_add(calls, &job->call[i], 1, NULL);
    MR_ASSERT(st == MR_OK);
    return close_and_count(job, file, mr_columns_rows(calls));
}

static uint64_t plain_requests(void *data)
{
    struct record_job *job = data;
    memcpy(job->copy, job->call, n_call * sizeof *job->call);
    return job->copy[n_call - 1].id;
}

// clang-format off
#define RECORD_CASE(name_, op_, reference_, work_, plain_) \
    {.name = (name_), .op = (op_), .reference = (reference_), .setup = setup, .work = (work_), \
     .plain = (plain_), .teardown = free_job}
static const struct mr_bench_case cases[] = {
    RECORD_CASE("record/store", "value", "copying the row", work_store, plain_store),
    RECORD_CASE("record/racks", "value", "making and copying the rows", work_racks, plain_racks),
    RECORD_CASE("record/racks_bytes", "byte", "making and copying the rows", work_racks, plain_racks),
    RECORD_CASE("record/racks_plain", "byte", "making and copying the rows", work_racks, plain_racks),
    RECORD_CASE("record/requests", "row", "copying the rows", work_requests, plain_requests),
};
// clang-format on

const struct mr_bench_group mr_bench_record_group = {cases, sizeof cases / sizeof *cases};
