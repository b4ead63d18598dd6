/* SPDX-License-Identifier: Apache-2.0 */
/* A constant number of transfers between racks of 1,024, in cells of 32 that talk among themselves;
 * each end starts another. `shared` plays on a two-level site made here. `flow` plays on the same
 * shape as SimGrid's platform, in a child that stays: SimGrid lives once per process, and loading
 * is not what is measured. The reference is a plain heap of as many ends. */
#include "engine/cli/bench/bench_net.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/net/flow.h"
#include "engine/net/platform.h"
#include "engine/serve/transfer.h"
#include "engine/serve/transfer_heap.h"
#include "platforms/emit.h"
#include "platforms/fabric.h"
#include "platforms/layout.h"
#include "platforms/read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    n_row = 16,
    per_row = 64,
    n_host = n_row * per_row,
    per_cell = 32,
    n_link = 2 * n_host + 2 * n_row,
    n_draw = 1 << 14, /* jobs, used in turn */
    n_end = 2000      /* of one round */
};

struct net_job {
    uint64_t n_flight;
    struct mr_transfer_job draw[n_draw];
    uint64_t i_draw;
    struct mr_topology_link link[n_link];
    struct mr_topology *topology;
    struct mr_transfer *net;
    struct mr_transfer_heap heap; /* of the reference */
    uint32_t *place;
    int to_child, from_child;
    pid_t child; /* 0: none */
};

/* ---- the work ---- */

static void draw_jobs(struct net_job *job)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 20);
    for (int i = 0; i < n_draw; i++) {
        const uint32_t cell = (uint32_t)mr_rng_below(&rng, n_host / per_cell);
        const uint32_t from = (uint32_t)mr_rng_below(&rng, per_cell);
        const uint32_t step = 1 + (uint32_t)mr_rng_below(&rng, per_cell - 1);
        job->draw[i] = (struct mr_transfer_job){.from = cell * per_cell + from,
                                                .to = cell * per_cell + (from + step) % per_cell,
                                                .bytes = mr_rng_range(&rng, 1e8, 1e9),
                                                .cap_bytes_s = (double)INFINITY,
                                                .tag = (uint64_t)i};
    }
}

static void start_next(struct net_job *job)
{
    struct mr_err err = {0};
    const struct mr_transfer_job *next = &job->draw[job->i_draw++ % n_draw];
    const mr_status st = mr_transfer_start(job->net, next, mr_transfer_now_s(job->net), NULL, &err);
    MR_ASSERT(st == MR_OK);
}

/* So many ends, and as many starts. */
static uint64_t play(struct net_job *job)
{
    uint64_t sum = 0;
    while (mr_transfer_counted(job->net).n_flight < job->n_flight)
        start_next(job);
    for (size_t n = 0; n < n_end;) {
        struct mr_transfer_ends ends;
        (void)mr_transfer_advance(job->net, (double)INFINITY, &ends);
        n += ends.n;
        for (size_t i = 0; i < ends.n; i++)
            sum = sum * 31 + ends.item[i].tag;
        for (size_t i = ends.n; i > 0; i--)
            start_next(job);
    }
    return sum;
}

static uint64_t work_here(void *data)
{
    return play(data);
}

static uint64_t plain_heap(void *data)
{
    struct net_job *job = data;
    uint64_t sum = 0;
    for (int i = 0; i < n_end; i++) {
        const struct mr_transfer_heap_entry top = job->heap.item[0];
        sum += top.id;
        mr_transfer_heap_rekey(&job->heap, job->place,
                               top.key + job->draw[job->i_draw++ % n_draw].bytes, top.id);
    }
    return sum;
}

/* ---- setting up ---- */

static mr_status find(void *data, uint32_t from, uint32_t to, struct mr_topology_path *path,
                      struct mr_err *err)
{
    (void)data;
    (void)err;
    path->link[path->n_link++] = 2 * from;
    if (from / per_row != to / per_row) {
        path->link[path->n_link++] = 2 * n_host + 2 * (from / per_row);
        path->link[path->n_link++] = 2 * n_host + 2 * (to / per_row) + 1;
    }
    path->link[path->n_link++] = 2 * to + 1;
    return MR_OK;
}

static mr_status fill_heap(struct net_job *job, struct mr_err *err)
{
    job->place = mr_alloc(job->n_flight, sizeof *job->place);
    if (job->place == NULL)
        return mr_err_nomem(err, job->n_flight * sizeof *job->place);
    MR_TRY(mr_transfer_heap_reserve(&job->heap, job->n_flight, err));
    for (uint32_t i = 0; i < job->n_flight; i++)
        mr_transfer_heap_push(&job->heap, job->place, job->draw[i % n_draw].bytes, i);
    return MR_OK;
}

/* The name's number says how many are in flight; k: thousands. */
static mr_status make_job(const struct mr_bench_case *self, struct mr_bench_job *bench,
                          struct mr_err *err)
{
    struct net_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    bench->n_op = n_end;
    for (const char *c = self->name; *c != '\0'; c++)
        if (*c >= '0' && *c <= '9')
            job->n_flight = 10 * job->n_flight + (uint64_t)(*c - '0');
        else if (*c == 'k' && c[1] == '\0')
            job->n_flight *= 1000;
    draw_jobs(job);
    return fill_heap(job, err);
}

static mr_status setup_shared(const struct mr_bench_case *self, struct mr_bench_job *bench,
                              struct mr_err *err)
{
    MR_TRY(make_job(self, bench, err));
    struct net_job *job = bench->data;
    for (int i = 0; i < n_link; i++)
        job->link[i] = (struct mr_topology_link){
            .name = "link",
            .bandwidth_bytes_s = i < 2 * n_host ? 14.4e12 : 14.4e12 * per_row / 2,
            .latency_s = 1e-6};
    const struct mr_topology_options options = {.link = job->link,
                                                .n_link = n_link,
                                                .n_host = n_host,
                                                .source = {NULL, find},
                                                .efficiency = 0.7};
    MR_TRY(mr_topology_create(&options, &job->topology, err));
    return mr_transfer_shared(job->topology, NULL, &job->net, err);
}

/* ---- the child ---- */

/* One byte comes per round, its checksum goes back; the end of the pipe is the end. */
static void serve_rounds(void *data)
{
    struct net_job *job = data;
    char go;
    while (read(job->from_child, &go, 1) == 1) {
        const uint64_t sum = play(job);
        if (write(job->to_child, &sum, sizeof sum) != (ssize_t)sizeof sum)
            return;
    }
}

static mr_status write_site(char *path, struct mr_err *err)
{
    static const char text[] = "<layout name=\"flows\"><grid limit=\"400 MW\"/><hall>"
                               "<row count=\"16\"><rack card=\"vr_nvl72\" count=\"64\"/></row>"
                               "</hall></layout>";
    struct mr_diags diags = {0};
    struct mr_site *layout;
    struct mr_buf xml = {0};
    mr_status st = mr_layout_load_text("flows", mr_str_of(text), &layout, &diags);
    if (st != MR_OK)
        return st;
    st = mr_fabric_build(layout, MR_SITE_LEVEL_RACK, err);
    if (st == MR_OK)
        mr_emit_site(layout, &xml);
    mr_site_destroy(layout);
    const int fd = st == MR_OK ? mkstemp(path) : -1;
    if (fd < 0 || write(fd, xml.text, xml.n) != (ssize_t)xml.n)
        st = MR_IO;
    if (fd >= 0 && close(fd) != 0)
        st = MR_IO;
    mr_buf_fini(&xml);
    return st;
}

static mr_status be_child(struct net_job *job)
{
    char path[] = "/tmp/millrace-XXXXXX";
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_site *site;
    struct mr_wiring *wiring;
    mr_status st = write_site(path, &err);
    if (st == MR_OK)
        st = mr_read_site(path, &site, &diags);
    if (st == MR_OK)
        st = mr_platform_load(site, NULL, &err);
    (void)unlink(path);
    if (st == MR_OK)
        st = mr_wiring_create(site, 0.7, &wiring, &err);
    if (st == MR_OK)
        st = mr_flow_create(wiring, NULL, &job->net, &err);
    return st == MR_OK ? mr_transfer_run(job->net, serve_rounds, job, &err) : st;
}

static mr_status setup_flow(const struct mr_bench_case *self, struct mr_bench_job *bench,
                            struct mr_err *err)
{
    MR_TRY(make_job(self, bench, err));
    struct net_job *job = bench->data;
    int down[2], up[2];
    if (pipe(down) != 0)
        return mr_err_set(err, MR_IO, MR_NOWHERE, "no pipe for a process of SimGrid's own");
    if (pipe(up) != 0) {
        (void)close(down[0]);
        (void)close(down[1]);
        return mr_err_set(err, MR_IO, MR_NOWHERE, "no pipe for a process of SimGrid's own");
    }
    (void)fflush(NULL);
    job->child = fork();
    if (job->child == 0) {
        (void)close(down[1]);
        (void)close(up[0]);
        job->from_child = down[0];
        job->to_child = up[1];
        _exit(be_child(job) == MR_OK ? 0 : 1);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    job->to_child = down[1];
    job->from_child = up[0];
    if (job->child < 0) {
        job->child = 0;
        (void)close(down[1]);
        (void)close(up[0]);
        return mr_err_set(err, MR_IO, MR_NOWHERE, "no process of SimGrid's own");
    }
    return MR_OK;
}

static uint64_t work_child(void *data)
{
    const struct net_job *job = data;
    uint64_t sum = 0;
    const bool is_asked = write(job->to_child, "", 1) == 1;
    MR_ASSERT(is_asked && read(job->from_child, &sum, sizeof sum) == (ssize_t)sizeof sum);
    return sum;
}

static void free_job(void *data)
{
    struct net_job *job = data;
    if (job->child > 0) {
        (void)close(job->to_child);
        (void)close(job->from_child);
        (void)waitpid(job->child, NULL, 0);
    }
    mr_transfer_destroy(job->net);
    mr_topology_destroy(job->topology);
    mr_transfer_heap_fini(&job->heap);
    mr_free(job->place);
    mr_free(job);
}

// clang-format off
#define NET_CASE(name_, setup_, work_) \
    {.name = (name_), .op = "transfer", .reference = "a heap of as many ends", .setup = (setup_), \
     .work = (work_), .plain = plain_heap, .teardown = free_job}

static const struct mr_bench_case cases[] = {
    NET_CASE("net/shared_10", setup_shared, work_here),
    NET_CASE("net/shared_1k", setup_shared, work_here),
    NET_CASE("net/shared_10k", setup_shared, work_here),
    NET_CASE("net/shared_100k", setup_shared, work_here),
    NET_CASE("net/flow_10", setup_flow, work_child),
    NET_CASE("net/flow_300", setup_flow, work_child),
};
// clang-format on

const struct mr_bench_group mr_bench_net_group = {cases, sizeof cases / sizeof *cases};
