/* SPDX-License-Identifier: Apache-2.0 */
/* What bounds a simulation here: a step of arithmetic that waits for the one before, a line of
 * memory that is known only when the one before has come, and lines that do not wait for each
 * other, of working sets from a second-level cache to main memory. Every line says which is next,
 * so that no prefetcher knows it before. References read or write the same lines in their order. */
#include "engine/cli/bench/bench_machine.h"

#include "engine/base/mem.h"
#include "engine/cli/bench/bench_serving.h"

enum {
    line_bytes = 64,
    n_step = 1 << 16,
    mib_of_long = 64
};

static const uint64_t odd = 0x9e3779b97f4a7c15U;

struct line {
    uint64_t next, n;
    char rest[line_bytes - 2 * sizeof(uint64_t)];
};

struct machine_job {
    struct line *line;
    uint64_t n; /* power of two; 0: arithmetic alone */
    uint64_t at, in_turn, x;
};

/* The line after line i. A multiplier of 1 modulo 4 with an odd addend makes one round through all
 * lines of any power of two (Hull and Dobell 1962). */
static uint64_t after(const struct machine_job *job, uint64_t i)
{
    return (i * 0xd1342543de82ef95U + odd) & (job->n - 1);
}

/* ---- arithmetic ---- */

/* Two instructions that wait for each other: four cycles wherever a product takes three. */
static uint64_t multiply(void *data)
{
    struct machine_job *job = data;
    uint64_t x = job->x;
    for (uint64_t i = 0; i < n_step; i++)
        x = (x ^ i) * odd;
    return job->x = x;
}

/* Four of them side by side. */
static uint64_t multiply_four(void *data)
{
    struct machine_job *job = data;
    uint64_t a = job->x, b = a + 1, c = a + 2, d = a + 3;
    for (uint64_t i = 0; i < n_step / 4; i++) {
        a = (a ^ i) * odd;
        b = (b ^ i) * odd;
        c = (c ^ i) * odd;
        d = (d ^ i) * odd;
    }
    return job->x = a ^ b ^ c ^ d;
}

/* ---- memory ---- */

static uint64_t load(void *data)
{
    struct machine_job *job = data;
    uint64_t at = job->at, sum = 0;
    for (uint64_t i = 0; i < n_step; i++) {
        sum += at;
        at = job->line[at].next;
    }
    job->at = at;
    return sum;
}

static uint64_t load_in_turn(void *data)
{
    struct machine_job *job = data;
    uint64_t at = job->in_turn, sum = 0;
    for (uint64_t i = 0; i < n_step; i++, at = (at + 1) & (job->n - 1))
        sum += job->line[at].next;
    job->in_turn = at;
    return sum;
}

static uint64_t update(void *data)
{
    struct machine_job *job = data;
    uint64_t at = job->at, sum = 0;
    for (uint64_t i = 0; i < n_step; i++, at = after(job, at))
        sum += at ^ ++job->line[at].n;
    job->at = at;
    return sum;
}

static uint64_t update_in_turn(void *data)
{
    struct machine_job *job = data;
    uint64_t at = job->in_turn, sum = 0;
    for (uint64_t i = 0; i < n_step; i++, at = (at + 1) & (job->n - 1))
        sum += ++job->line[at].n;
    job->in_turn = at;
    return sum;
}

/* ---- set-up ---- */

static mr_status setup(const struct mr_bench_case *self, struct mr_bench_job *bench,
                       struct mr_err *err)
{
    const uint64_t n_byte = (uint64_t)self->size << 10;
    if (!mr_bench_serving_has_room(bench, n_byte > (uint64_t)mib_of_long << 20, n_byte))
        return MR_OK;
    struct machine_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    bench->n_op = n_step;
    job->n = n_byte / line_bytes;
    job->line = job->n > 0 ? mr_alloc(job->n, sizeof *job->line) : NULL;
    if (job->line == NULL && job->n > 0)
        return mr_err_nomem(err, n_byte);
    for (uint64_t i = 0; i < job->n; i++)
        job->line[i] = (struct line){.next = after(job, i)};
    return MR_OK;
}

static void free_job(void *data)
{
    struct machine_job *job = data;
    mr_free(job->line);
    mr_free(job);
}

// clang-format off
#define MACHINE(text, kib, what) .name = text, .size = kib, .op = what, .setup = setup, .teardown = free_job
#define LOAD .work = load, .plain = load_in_turn, .reference = "reading them in turn"
#define UPDATE .work = update, .plain = update_in_turn, .reference = "writing them in turn"

static const struct mr_bench_case cases[] = {
    {MACHINE("machine/multiply", 0, "step"), .work = multiply, .plain = multiply_four, .reference = "four side by side"},
    {MACHINE("machine/load_256k", 256, "line"), LOAD},
    {MACHINE("machine/load_4m", 4 << 10, "line"), LOAD},
    {MACHINE("machine/load_1g", 1 << 20, "line"), LOAD},
    {MACHINE("machine/update_1g", 1 << 20, "line"), UPDATE},
};
// clang-format on

const struct mr_bench_group mr_bench_machine_group = {cases, sizeof cases / sizeof *cases};
