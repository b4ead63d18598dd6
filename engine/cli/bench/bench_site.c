/* SPDX-License-Identifier: Apache-2.0 */
/* Two sites, each through the same steps: layout to site, site to XML, XML to site, and SimGrid
 * loading that XML beside us. SimGrid can be started once in a process, so that its rounds run in
 * children; the reference of those is our own reading of the same file. */
#include "engine/cli/bench/bench_site.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/share.h"
#include "engine/net/platform.h"
#include "platforms/emit.h"
#include "platforms/fabric.h"
#include "platforms/layout.h"
#include "platforms/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct site_job {
    const char *layout; /* path, or NULL: text */
    struct mr_buf path;
    int level;
    struct mr_site *site;
    struct mr_buf xml;
    char file[32]; /* the XML on disk, for SimGrid; "" when not written */
};

/* 256 racks of 72: as many as are built package by package. */
static const char *const racks_256 =
    "<layout name=\"racks-256\"><grid limit=\"100 MW\"/>"
    "<hall><row count=\"16\"><rack card=\"vr_nvl72\" count=\"16\"/></row></hall></layout>";

static mr_status load_site(const struct site_job *job, struct mr_site **site, struct mr_err *err)
{
    struct mr_diags diags = {0};
    mr_status st = job->layout != NULL
                       ? mr_layout_load(job->layout, site, &diags)
                       : mr_layout_load_text("racks-256", mr_str_of(racks_256), site, &diags);
    if (st != MR_OK) {
        if (diags.n_item > 0)
            *err = diags.item[0].err;
        return st;
    }
    st = mr_fabric_build(*site, job->level, err);
    if (st != MR_OK)
        mr_site_destroy(*site);
    return st;
}

static void free_job(void *data)
{
    struct site_job *job = data;
    if (job->file[0] != '\0')
        (void)unlink(job->file);
    mr_site_destroy(job->site);
    mr_buf_fini(&job->xml);
    mr_buf_fini(&job->path);
    mr_free(job);
}

static mr_status fill_job(const struct mr_bench_case *self, struct site_job *job,
                          struct mr_err *err)
{
    if (self->file != NULL) {
        MR_TRY(mr_share_find(self->file, NULL, &job->path, err));
        job->layout = job->path.text;
    }
    job->level = self->file != NULL ? MR_SITE_LEVEL_RACK : MR_SITE_LEVEL_GPU;
    MR_TRY(load_site(job, &job->site, err));
    mr_emit_site(job->site, &job->xml);
    return mr_buf_check(&job->xml, err);
}

static mr_status setup(const struct mr_bench_case *self, struct mr_bench_job *bench,
                       struct mr_err *err)
{
    struct site_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    bench->n_op = 1;
    return fill_job(self, job, err);
}

static mr_status setup_file(const struct mr_bench_case *self, struct mr_bench_job *bench,
                            struct mr_err *err)
{
    MR_TRY(setup(self, bench, err));
    struct site_job *job = bench->data;
    snprintf(job->file, sizeof job->file, "/tmp/millrace-XXXXXX");
    const int fd = mkstemp(job->file);
    if (fd < 0) {
        job->file[0] = '\0';
        return mr_err_set(err, MR_IO, MR_NOWHERE, "/tmp: no temporary file can be made");
    }
    const ssize_t n = write(fd, job->xml.text, job->xml.n);
    if (close(fd) != 0 || n < 0 || (size_t)n != job->xml.n)
        return mr_err_set(err, MR_IO, MR_NOWHERE, "%s: cannot be written", job->file);
    return MR_OK;
}

/* ---- loops ---- */

static uint64_t work_layout(void *data)
{
    const struct site_job *job = data;
    struct mr_site *site;
    struct mr_err err = {0};
    const mr_status st = load_site(job, &site, &err);
    MR_ASSERT(st == MR_OK);
    const uint64_t n = site->n_rack + site->n_host + site->n_link;
    mr_site_destroy(site);
    return n;
}

static uint64_t work_emit(void *data)
{
    const struct site_job *job = data;
    struct mr_buf out = {0};
    mr_emit_site(job->site, &out);
    MR_ASSERT(out.status == MR_OK);
    const uint64_t n = out.n;
    mr_buf_fini(&out);
    return n;
}

static uint64_t work_read(void *data)
{
    const struct site_job *job = data;
    struct mr_diags diags = {0};
    struct mr_site *site;
    const mr_status st =
        mr_read_site_text("bench", (struct mr_str){job->xml.text, job->xml.n}, &site, &diags);
    MR_ASSERT(st == MR_OK);
    const uint64_t n = site->n_rack + site->n_host + site->n_link;
    mr_site_destroy(site);
    return n;
}

/* A child that reads the file as we do and lets SimGrid do it too; both must see the same. */
static uint64_t work_simgrid(void *data)
{
    const struct site_job *job = data;
    int status = 0;
    const pid_t child = fork();
    MR_ASSERT(child >= 0);
    if (child == 0) {
        struct mr_diags diags = {0};
        struct mr_err err = {0};
        struct mr_site *site;
        mr_status st = mr_read_site(job->file, &site, &diags);
        if (st == MR_OK)
            st = mr_platform_load(site, NULL, &err);
        if (st == MR_OK)
            mr_platform_check(site, &diags);
        _exit(st == MR_OK && diags.n_error == 0 ? 0 : 1);
    }
    MR_ASSERT(waitpid(child, &status, 0) == child && WIFEXITED(status));
    MR_ASSERT(WEXITSTATUS(status) == 0);
    return job->xml.n;
}

static uint64_t add_bytes(void *data)
{
    const struct site_job *job = data;
    uint64_t sum = 0;
    for (size_t i = 0; i < job->xml.n; i++)
        sum += (unsigned char)job->xml.text[i];
    return sum;
}

// clang-format off
#define SITE_CASE(name_, setup_, work_, plain_, reference_, file_) \
    {.name = (name_), .op = "site", .reference = (reference_), .setup = (setup_), .work = (work_), \
     .plain = (plain_), .teardown = free_job, .file = (file_)}
#define GIGAWATT "platforms/examples/ai-factory-1gw.layout.xml"

static const struct mr_bench_case cases[] = {
    SITE_CASE("site/layout_1gw", setup, work_layout, add_bytes, "adding the bytes of its XML", GIGAWATT),
    SITE_CASE("site/emit_1gw", setup, work_emit, add_bytes, "adding the bytes of its XML", GIGAWATT),
    SITE_CASE("site/read_1gw", setup, work_read, add_bytes, "adding the bytes of its XML", GIGAWATT),
    SITE_CASE("site/simgrid_1gw", setup_file, work_simgrid, work_read, "reading it ourselves", GIGAWATT),
    SITE_CASE("site/layout_256", setup, work_layout, add_bytes, "adding the bytes of its XML", NULL),
    SITE_CASE("site/emit_256", setup, work_emit, add_bytes, "adding the bytes of its XML", NULL),
    SITE_CASE("site/read_256", setup, work_read, add_bytes, "adding the bytes of its XML", NULL),
    SITE_CASE("site/simgrid_256", setup_file, work_simgrid, work_read, "reading it ourselves", NULL),
};
// clang-format on

const struct mr_bench_group mr_bench_site_group = {cases, sizeof cases / sizeof *cases};
