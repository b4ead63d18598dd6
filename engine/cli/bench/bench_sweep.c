/* SPDX-License-Identifier: Apache-2.0 */
/* Tiny rows, a small fraction of a second each, by millrace sweep on as many processes as there are
 * cores; the reference starts the same command lines itself, as many at a time, as xargs would.
 * Both take turns, so that what else the machine does falls on both. Files go to TMPDIR. */
#define _GNU_SOURCE /* mkdtemp, environ */
#include "engine/cli/bench/bench_sweep.h"

#include "engine/base/mem.h"
#include "engine/cli/sweep_row.h"
#include "experiments/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    path_cap = 600,
    text_cap = 1024,
    n_quick = 20
};

struct sweep_job {
    char folder[path_cap];
    struct mr_buf program;
    size_t n_row, n_slot;
};

static const char scenario[] =
    "<scenario name=\"tiny\" until=\"20 s\">\n"
    " <deployment gpu=\"h100_sxm\" llm=\"Llama-3.1-8B\" instances=\"2\"/>\n"
    " <workload rate=\"20 req/s\" input=\"500 tok\" output=\"100 tok\"/>\n"
    "</scenario>\n";

/* ---- processes ---- */

/* Its output is nobody's business. @return 0: not started */
static pid_t start(const struct sweep_job *job, const char *const *argv)
{
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    /* it does not write to what it is given; its type is older than const */
    union {
        const char *const *lent;
        char *const *given;
    } args = {argv};
    if (posix_spawn_file_actions_init(&files) != 0)
        return 0;
    if (posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) != 0 ||
        posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0) != 0 ||
        posix_spawn(&pid, job->program.text, &files, NULL, args.given, environ) != 0)
        pid = 0;
    (void)posix_spawn_file_actions_destroy(&files);
    return pid;
}

/* @return did it end well? */
static bool wait_for_one(void)
{
    int status = 0;
    pid_t pid;
    do
        pid = wait(&status);
    while (pid < 0 && errno == EINTR);
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void path_of(const struct sweep_job *job, const char *name, char out[text_cap])
{
    (void)snprintf(out, text_cap, "%s/%s", job->folder, name);
}

/* ---- the two ways: the rows that came out well ---- */

static uint64_t sweep(void *data)
{
    const struct sweep_job *job = data;
    char experiment[text_cap], folder[text_cap], slots[32];
    path_of(job, "tiny.experiment.xml", experiment);
    path_of(job, "swept", folder);
    (void)snprintf(slots, sizeof slots, "%zu", job->n_slot);
    const char *const argv[] = {
        job->program.text, "sweep", experiment, "-d", folder, "-j", slots, "-q", "-f", NULL};
    return start(job, argv) > 0 && wait_for_one() ? job->n_row : 0;
}

static bool start_row(const struct sweep_job *job, size_t row)
{
    char path[text_cap], output[text_cap], seed[64];
    path_of(job, "tiny.scenario.xml", path);
    (void)snprintf(output, sizeof output, "%s/bare/run_%05zu.h5", job->folder, row);
    (void)snprintf(seed, sizeof seed, "scenario/seed=%zu", row + 1);
    const char *const argv[] = {job->program.text, "run", "--alone", "-q", "-f", "-o", output,
                                "--record-every",  "1 s", "--set",   seed, "--", path, NULL};
    return start(job, argv) > 0;
}

static uint64_t bare(void *data)
{
    const struct sweep_job *job = data;
    uint64_t n_good = 0;
    size_t n_running = 0;
    for (size_t i = 0; i < job->n_row; i++) {
        if (n_running == job->n_slot) {
            n_good += wait_for_one();
            n_running--;
        }
        n_running += start_row(job, i);
    }
    for (; n_running > 0; n_running--)
        n_good += wait_for_one();
    return n_good;
}

/* ---- setting up ---- */

static bool write_text(const struct sweep_job *job, const char *name, const char *text)
{
    char path[text_cap];
    path_of(job, name, path);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    const bool is_good = fputs(text, file) >= 0;
    return fclose(file) == 0 && is_good;
}

static bool make_folder(struct sweep_job *job)
{
    const char *tmp = getenv("TMPDIR");
    char text[text_cap];
    (void)snprintf(job->folder, sizeof job->folder, "%s/millrace-bench-XXXXXX",
                   tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp");
    if (mkdtemp(job->folder) == NULL)
        return false;
    (void)snprintf(text, sizeof text,
                   "<experiment name=\"tiny\" scenario=\"tiny.scenario.xml\">"
                   "<seeds count=\"%zu\"/></experiment>\n",
                   job->n_row);
    if (!write_text(job, "tiny.scenario.xml", scenario) ||
        !write_text(job, "tiny.experiment.xml", text))
        return false;
    path_of(job, "bare", text);
    return mkdir(text, 0777) == 0;
}

static void teardown(void *data)
{
    struct sweep_job *job = data;
    static const char *const names[] = {"tiny.scenario.xml",  "tiny.experiment.xml",
                                        "swept/manifest.csv", "swept/status.csv",
                                        "swept/asked.csv",    "swept/sweep.lock"};
    static const char *const folders[] = {"swept", "bare", ""};
    char path[text_cap];
    for (size_t i = 0; i < job->n_row; i++)
        for (int k = 0; k < 2; k++) {
            (void)snprintf(path, sizeof path, "%s/%s/run_%05zu.h5", job->folder, folders[k], i);
            (void)unlink(path);
        }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_of(job, names[i], path);
        (void)unlink(path);
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        path_of(job, folders[i], path);
        (void)rmdir(path);
    }
    mr_buf_fini(&job->program);
    mr_free(job);
}

static mr_status setup(const struct mr_bench_case *self, struct mr_bench_job *bench,
                       struct mr_err *err)
{
    struct sweep_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    job->n_row = bench->is_quick ? n_quick : self->size;
    job->n_slot = mr_batch_slots(0);
    bench->n_op = job->n_row;
    MR_TRY(mr_sweep_row_program(&job->program, err));
    if (bench->is_quick && self->size > 100)
        (void)snprintf(bench->skipped, sizeof bench->skipped, "takes minutes: not with --quick");
    else if (!make_folder(job))
        (void)snprintf(bench->skipped, sizeof bench->skipped, "%.100s: %s", job->folder,
                       strerror(errno));
    else if (sweep(job) != job->n_row || bare(job) != job->n_row)
        return mr_err_set(err, MR_IO, MR_NOWHERE, "%s: not all rows end well", self->name);
    return MR_OK;
}

#define ROWS(name_, n)                                                                  \
    {                                                                                   \
        .name = (name_), .op = "row", .reference = "the runs alone, as many at a time", \
        .setup = setup, .work = sweep, .plain = bare, .teardown = teardown, .size = (n) \
    }
static const struct mr_bench_case cases[] = {
    ROWS("sweep/tiny_100", 100),
    ROWS("sweep/tiny_1k", 1000),
};

const struct mr_bench_group mr_bench_sweep_group = {cases, sizeof cases / sizeof *cases};
