/* SPDX-License-Identifier: Apache-2.0 */
/* A hall of 96 racks under load for minutes, played with its result file and without it: the ratio
 * is what recording costs, and both must come to the same. Scenario, layout and result lie in
 * TMPDIR. What is fixed is part of it: the descriptions of some 200 datasets, 0.05 s beside the run
 * where a processor is free, and the sums at its end. */
#include "engine/cli/bench/bench_record_site.h"

#include "engine/base/assert.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/cli/confighash.h"
#include "engine/cli/run_files.h"
#include "engine/cli/run_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    n_rack = 96,
    n_s = 240,
    n_quick_s = 10
};

static const char layout_text[] =
    "<layout name=\"bench\"><grid limit=\"30 MW\"/><hall><row count=\"8\">"
    "<rack card=\"vr_nvl72\" count=\"12\"/><cdu units=\"2\"/></row></hall></layout>\n";
static const char scenario_text[] =
    "<scenario name=\"bench\" seed=\"1\" until=\"%u s\">"
    "<site file=\"millrace-bench-%ld.layout.xml\"/>"
    "<deployment gpu=\"rubin\" llm=\"Llama-3.1-70B\" tp=\"8\" instances=\"864\"/>"
    "<workload rate=\"%u req/s\" input=\"1000 tok\" output=\"300 tok\"/>"
    "<tier name=\"all\" input=\"3 USD/Mtok\" output=\"15 USD/Mtok\"/>"
    "<record what=\"%s\"/></scenario>\n";

struct job {
    char layout[512], scenario_path[512], result[512];
    struct mr_scenario scenario;
    bool has_scenario;
    bool has_calls;
};

static void free_job(void *data)
{
    struct job *job = data;
    if (job->has_scenario)
        mr_scenario_fini(&job->scenario);
    (void)unlink(job->layout);
    (void)unlink(job->scenario_path);
    mr_free(job);
}

static mr_status setup(const struct mr_bench_case *self, struct mr_bench_job *bench,
                       struct mr_err *err)
{
    struct job *job = mr_alloc_zero(1, sizeof *job);
    struct mr_diags diags = {0};
    char text[2048];
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    const unsigned until_s = bench->is_quick ? n_quick_s : n_s;
    bench->n_op = (uint64_t)n_rack * until_s;
    job->has_calls = strcmp(self->name, "record/run_calls") == 0;
    const char *what = job->has_calls ? "rack,requests" : "rack";
    const char *folder = getenv("TMPDIR");
    folder = folder != NULL && folder[0] != '\0' ? folder : "/tmp";
    const long pid = (long)getpid();
    snprintf(job->layout, sizeof job->layout, "%s/millrace-bench-%ld.layout.xml", folder, pid);
    snprintf(job->scenario_path, sizeof job->scenario_path, "%s/millrace-bench-%ld.scenario.xml",
             folder, pid);
    snprintf(job->result, sizeof job->result, "%s/millrace-bench-%ld.h5", folder, pid);
    snprintf(text, sizeof text, scenario_text, until_s, pid, self->size, what);
    if (mr_file_write(job->layout, true, mr_str_of(layout_text), err) != MR_OK ||
        mr_file_write(job->scenario_path, true, mr_str_of(text), err) != MR_OK) {
        snprintf(bench->skipped, sizeof bench->skipped, "%.80s: %.60s", err->file, err->text);
        *err = (struct mr_err){0};
        return MR_OK;
    }
    job->has_scenario = true;
    if (mr_scenario_load(job->scenario_path, NULL, 0, &job->scenario, &diags) == MR_OK)
        return MR_OK;
    for (size_t i = 0; i < diags.n_item; i++)
        if (diags.item[i].severity == MR_SEVERITY_ERROR)
            *err = diags.item[i].err;
    return diags.first_error;
}

/* ---- loops ---- */

static uint64_t play(const struct job *job, struct mr_run_record *record)
{
    const bool has_calls = record != NULL && job->has_calls;
    const struct mr_play_options options = {
        .on_begin = record != NULL ? mr_run_record_begin : NULL,
        .on_call = has_calls ? mr_run_record_call : NULL,
        .on_event = record != NULL ? mr_run_record_event : NULL,
        .on_sample = record != NULL ? mr_run_record_sample : NULL,
        .context = record,
        .every_s = {1},
        .n_every = record != NULL ? 1 : 0,
        .on_exchange = record != NULL ? mr_run_record_exchange : NULL,
        .wants_calls = has_calls,
        .wants_events = record != NULL};
    struct mr_play_result result;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    mr_status st = mr_play(&job->scenario, &options, &result, &diags);
    const uint64_t n = st == MR_OK ? result.tier[0].n_output : 0;
    if (st == MR_OK && record != NULL)
        st = mr_run_record_finish(record, &result, mr_str_of("{}"), &err);
    MR_ASSERT(st == MR_OK);
    mr_play_fini(&result);
    return n;
}

static uint64_t work(void *data)
{
    const struct job *job = data;
    struct mr_confighash hashes = {0};
    const struct mr_run_files no_files = {0};
    const struct mr_run_record_options options = {
        .may_overwrite = true, .files = &no_files, .hashes = &hashes};
    struct mr_run_record *record;
    struct mr_err err = {0};
    const mr_status st = mr_run_record_create(job->result, &options, &job->scenario, &record, &err);
    MR_ASSERT(st == MR_OK);
    const uint64_t n = play(job, record);
    mr_run_record_destroy(record);
    mr_confighash_fini(&hashes);
    (void)unlink(job->result);
    return n;
}

static uint64_t plain(void *data)
{
    return play(data, NULL);
}

// clang-format off
static const struct mr_bench_case cases[] = {
    {.name = "record/run", .op = "rack second", .reference = "the run without a result file", .size = 4000,
     .setup = setup, .work = work, .plain = plain, .teardown = free_job},
    {.name = "record/run_light", .op = "rack second", .reference = "the run without a result file", .size = 400,
     .setup = setup, .work = work, .plain = plain, .teardown = free_job},
    {.name = "record/run_calls", .op = "rack second", .reference = "the run without a result file", .size = 4000,
     .setup = setup, .work = work, .plain = plain, .teardown = free_job},
};
// clang-format on

const struct mr_bench_group mr_bench_record_site_group = {cases, sizeof cases / sizeof *cases};
