/* SPDX-License-Identifier: Apache-2.0 */
/* The hold model: take the first of n, put it back later. The reference does the same with one
 * textbook binary heap of n events of 16 bytes (of n numbers for the finish heap), replacing its
 * top where it stands, so that the ratio says what a structure is worth. Sleepers of the calendar
 * are dealt to cells of 50,000, as in a run; its reference is one heap of all. Histograms and
 * windows, which no heap could replace, have plain loops beside them. Parts: jobs; finish heap;
 * events of a window; tree; calendar; histogram; windows; the table. */
#include "engine/cli/bench/bench_clock.h"

#include "engine/base/assert.h"
#include "engine/base/hist.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/clock/calendar.h"
#include "engine/clock/tree.h"
#include "engine/clock/windows.h"

enum {
    n_draw = 1 << 16, /* random numbers; used in turn */
    n_hold = 100000,  /* operations of a round */
    cell_sleepers = 50000,
    cycle_windows = 10 /* everybody wakes once in so many windows of a second */
};

/* ---- jobs ---- */

struct plain_event {
    double time_s;
    uint32_t kind, entity;
};

struct clock_job {
    size_t n;
    double *draw; /* [n_draw] uniform in (0, 1) */
    size_t i_draw;
    /* what is measured; each case uses its own */
    struct mr_heap heap;
    struct mr_heap_events events;
    struct mr_tree tree;
    struct mr_calendar_store store;
    struct mr_calendar *calendar;
    size_t n_calendar;
    uint64_t window;
    struct mr_hist *hist;
    struct mr_ranks ranks;
    struct mr_windows windows;
    /* the references */
    uint64_t *plain_key;
    struct plain_event *plain_event;
    double plain_sum[3];
};

static double next_draw(struct clock_job *job)
{
    return job->draw[job->i_draw++ & (n_draw - 1)];
}

static void free_job(void *data)
{
    struct clock_job *job = data;
    for (size_t i = 0; i < job->n_calendar; i++)
        mr_calendar_fini(&job->calendar[i]);
    mr_calendar_store_fini(&job->store);
    mr_tree_fini(&job->tree);
    mr_windows_fini(&job->windows);
    mr_ranks_close(&job->ranks);
    mr_free(job->calendar);
    mr_free(job->heap.key);
    mr_free(job->events.event);
    mr_free(job->hist);
    mr_free(job->plain_key);
    mr_free(job->plain_event);
    mr_free(job->draw);
    mr_free(job);
}

/* ---- the textbook heaps ---- */

static void plain_replace_key(uint64_t *key, size_t n, uint64_t x)
{
    size_t hole = 0;
    for (size_t child = 1; child < n; child = 2 * hole + 1) {
        if (child + 1 < n && key[child + 1] < key[child])
            child++;
        if (x <= key[child])
            break;
        key[hole] = key[child];
        hole = child;
    }
    key[hole] = x;
}

static bool is_before(const struct plain_event *a, const struct plain_event *b)
{
    if (a->time_s != b->time_s)
        return a->time_s < b->time_s;
    return a->kind != b->kind ? a->kind < b->kind : a->entity < b->entity;
}

static void plain_replace_event(struct plain_event *event, size_t n, struct plain_event x)
{
    size_t hole = 0;
    for (size_t child = 1; child < n; child = 2 * hole + 1) {
        if (child + 1 < n && is_before(&event[child + 1], &event[child]))
            child++;
        if (!is_before(&event[child], &x))
            break;
        event[hole] = event[child];
        hole = child;
    }
    event[hole] = x;
}

/* Rising times are a heap. One in cycle_windows seconds on average, as everywhere here. */
static mr_status fill_plain_events(struct clock_job *job, struct mr_err *err)
{
    job->plain_event = mr_alloc(job->n, sizeof *job->plain_event);
    if (job->plain_event == NULL)
        return mr_err_nomem(err, job->n * sizeof *job->plain_event);
    for (size_t i = 0; i < job->n; i++)
        job->plain_event[i] = (struct plain_event){
            (double)cycle_windows * (double)i / (double)job->n, 0, (uint32_t)i};
    return MR_OK;
}

static double hold_plain_events(struct clock_job *job, size_t n_op)
{
    for (size_t i = 0; i < n_op; i++) {
        struct plain_event first = job->plain_event[0];
        first.time_s += 2 * cycle_windows * next_draw(job);
        plain_replace_event(job->plain_event, job->n, first);
    }
    return job->plain_event[0].time_s;
}

static uint64_t plain_events(void *data)
{
    return mr_event_key(hold_plain_events(data, n_hold));
}

static uint64_t plain_events_all(void *data)
{
    struct clock_job *job = data;
    return mr_event_key(hold_plain_events(job, job->n));
}

/* ---- finish heap ---- */

static mr_status fill_heap(struct clock_job *job, struct mr_err *err)
{
    uint64_t *const key = mr_alloc(job->n, sizeof *key);
    job->heap = mr_heap_in(key, (uint32_t)job->n);
    job->plain_key = mr_alloc(job->n, sizeof *job->plain_key);
    if (key == NULL || job->plain_key == NULL)
        return mr_err_nomem(err, job->n * sizeof *key);
    for (uint32_t i = 0; i < job->n; i++) {
        job->plain_key[i] = mr_heap_key(i, i);
        mr_heap_push(&job->heap, job->plain_key[i]);
    }
    return MR_OK;
}

static uint64_t later_key(struct clock_job *job, uint64_t key)
{
    return key + ((uint64_t)(2 * (double)job->n * next_draw(job)) << 32);
}

static uint64_t work_heap(void *data)
{
    struct clock_job *job = data;
    mr_heap_rebase(&job->heap, mr_heap_key_finish(mr_heap_top(&job->heap)));
    for (int i = 0; i < n_hold; i++)
        mr_heap_replace(&job->heap, later_key(job, mr_heap_top(&job->heap)));
    return mr_heap_top(&job->heap);
}

static uint64_t plain_heap(void *data)
{
    struct clock_job *job = data;
    const uint64_t by = job->plain_key[0] >> 32 << 32;
    for (size_t i = 0; i < job->n; i++)
        job->plain_key[i] -= by;
    for (int i = 0; i < n_hold; i++)
        plain_replace_key(job->plain_key, job->n, later_key(job, job->plain_key[0]));
    return job->plain_key[0];
}

/* ---- events of a window ---- */

static mr_status fill_events(struct clock_job *job, struct mr_err *err)
{
    job->events = (struct mr_heap_events){.cap = (uint32_t)job->n};
    job->events.event = mr_alloc(job->n, sizeof *job->events.event);
    if (job->events.event == NULL)
        return mr_err_nomem(err, job->n * sizeof *job->events.event);
    for (uint32_t i = 0; i < job->n; i++)
        mr_heap_events_push(
            &job->events, mr_event_at((double)cycle_windows * (double)i / (double)job->n, 0, i, 0));
    return fill_plain_events(job, err);
}

static uint64_t work_events(void *data)
{
    struct clock_job *job = data;
    for (int i = 0; i < n_hold; i++) {
        struct mr_event e = mr_heap_events_top(&job->events);
        e.when = mr_event_key(mr_event_time_s(e) + 2 * cycle_windows * next_draw(job));
        mr_heap_events_replace(&job->events, e);
    }
    return mr_heap_events_top(&job->events).when;
}

/* ---- winner tree ---- */

static mr_status fill_tree(struct clock_job *job, struct mr_err *err)
{
    MR_TRY(mr_tree_init(&job->tree, (uint32_t)job->n, err));
    for (uint32_t i = 0; i < job->n; i++)
        mr_tree_set_time(&job->tree, i, (double)cycle_windows * (double)i / (double)job->n);
    return fill_plain_events(job, err);
}

/* The clock of a cell: the instance that was first is played and has its next event later. */
static uint64_t work_tree(void *data)
{
    struct clock_job *job = data;
    for (int i = 0; i < n_hold; i++)
        mr_tree_set_time(&job->tree, mr_tree_winner(&job->tree),
                         mr_tree_winner_time_s(&job->tree) + 2 * cycle_windows * next_draw(job));
    return mr_tree_winner_key(&job->tree);
}

/* The router: a call to the least loaded slot, and one ends somewhere. */
static uint64_t work_router(void *data)
{
    struct clock_job *job = data;
    struct mr_tree *const tree = &job->tree;
    const uint64_t one = UINT64_C(1) << 32;
    for (int i = 0; i < n_hold / 2; i++) {
        const uint32_t to = mr_tree_winner(tree);
        const uint32_t from = (uint32_t)((double)job->n * next_draw(job));
        mr_tree_set(tree, to, mr_tree_key(tree, to) + one);
        if (mr_tree_key(tree, from) >= one)
            mr_tree_set(tree, from, mr_tree_key(tree, from) - one);
    }
    return mr_tree_winner_key(tree);
}

static mr_status fill_router(struct clock_job *job, struct mr_err *err)
{
    MR_TRY(fill_tree(job, err));
    for (uint32_t i = 0; i < job->n; i++)
        mr_tree_set(&job->tree, i, (uint64_t)(64 * next_draw(job)) << 32);
    return MR_OK;
}

/* ---- calendar ---- */

static mr_status fill_calendar(struct clock_job *job, struct mr_err *err)
{
    const size_t n_cell = (job->n + cell_sleepers - 1) / cell_sleepers;
    MR_ASSERT(n_cell > 0);
    job->calendar = mr_alloc_zero(n_cell, sizeof *job->calendar);
    if (job->calendar == NULL)
        return mr_err_nomem(err, n_cell * sizeof *job->calendar);
    job->n_calendar = n_cell;
    for (size_t c = 0; c < n_cell; c++)
        mr_calendar_init(&job->calendar[c], &job->store, mr_window_grid_of(1), 0);
    for (size_t i = 0; i < job->n; i++)
        MR_TRY(mr_calendar_push(&job->calendar[i % n_cell],
                                mr_event_at(cycle_windows * next_draw(job), 0, (uint32_t)i, 0),
                                err));
    return fill_plain_events(job, err);
}

/* All windows of a cycle: each sleeper wakes once and goes to sleep until the next cycle. */
static uint64_t work_calendar(void *data)
{
    struct clock_job *job = data;
    uint64_t sum = 0;
    for (uint64_t end = job->window + cycle_windows; job->window < end; job->window++)
        for (size_t c = 0; c < job->n_calendar; c++) {
            struct mr_calendar *const calendar = &job->calendar[c];
            mr_status st = mr_calendar_open(calendar, job->window, NULL);
            while (st == MR_OK && mr_calendar_has_event(calendar)) {
                struct mr_event e = mr_calendar_take(calendar);
                sum += e.when ^ e.what;
                e.when = mr_event_key((double)end + cycle_windows * next_draw(job));
                st = mr_calendar_push(calendar, e, NULL);
            }
            MR_ASSERT(st == MR_OK);
            mr_calendar_close(calendar);
        }
    return sum;
}

/* ---- histogram ---- */

static mr_status fill_hist(struct clock_job *job, struct mr_err *err)
{
    job->hist = mr_alloc_zero(job->n, sizeof *job->hist);
    if (job->hist == NULL)
        return mr_err_nomem(err, job->n * sizeof *job->hist);
    for (int i = 0; i < n_draw; i++) /* like latencies: spread over some octaves */
        job->draw[i] = 0.05 / (job->draw[i] + 0.001);
    return MR_OK;
}

static uint64_t work_hist(void *data)
{
    struct clock_job *job = data;
    for (size_t i = 0, at = 0; i < n_hold; i++, at = at + 1 < job->n ? at + 1 : 0)
        mr_hist_add(&job->hist[at], next_draw(job));
    return job->hist[0].bin[1700] + job->hist[0].sum[25].low;
}

static uint64_t plain_hist(void *data)
{
    struct clock_job *job = data;
    double *const sum = job->plain_sum;
    for (int i = 0; i < n_hold; i++) {
        const double x = next_draw(job);
        sum[0] += x;
        sum[1] = x < sum[1] ? x : sum[1];
        sum[2] = x > sum[2] ? x : sum[2];
    }
    return (uint64_t)(sum[0] + sum[1] + sum[2]);
}

/* ---- windows ---- */

enum {
    n_window = 100,
    record_bytes = 64
};

static mr_status play_nothing(void *state, struct mr_windows *windows, uint32_t cell,
                              struct mr_err *err)
{
    struct clock_job *job = state;
    (void)err;
    job->i_draw += cell + windows->now.index;
    return MR_OK;
}

static void report_nothing(void *state, const struct mr_windows *windows, uint32_t cell,
                           void *record)
{
    (void)state;
    (void)windows;
    memcpy(record, &cell, sizeof cell);
}

static const struct mr_windows_model nothing = {
    .report_bytes = record_bytes, .play = play_nothing, .report = report_nothing};

static mr_status fill_windows(struct clock_job *job, struct mr_err *err)
{
    const struct mr_windows_plan plan = {
        .n_cell = (uint32_t)job->n, .grid = mr_window_grid_of(1), .end_s = n_window};
    job->ranks = (struct mr_ranks){.n = 1};
    MR_TRY(mr_ranks_alone(&job->ranks, err));
    return mr_windows_init(&job->windows, &plan, &job->ranks, err);
}

static uint64_t work_windows(void *data)
{
    struct clock_job *job = data;
    job->i_draw = 0;
    const mr_status st = mr_windows_run(&job->windows, &nothing, job, NULL);
    MR_ASSERT(st == MR_OK);
    return job->i_draw;
}

static uint64_t plain_windows(void *data)
{
    struct clock_job *job = data;
    for (uint64_t k = 0; k < n_window; k++)
        for (uint32_t cell = 0; cell < job->n; cell++)
            (void)nothing.play(job, &job->windows, cell, NULL);
    return job->i_draw;
}

/* ---- the table ---- */

struct clock_size {
    size_t n;
    uint64_t n_op; /* of a round */
    mr_status (*fill)(struct clock_job *job, struct mr_err *err);
};

static const struct clock_size *size_of(const struct mr_bench_case *self);

static mr_status setup(const struct mr_bench_case *self, struct mr_bench_job *bench,
                       struct mr_err *err)
{
    const struct clock_size *const size = size_of(self);
    struct clock_job *const job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    bench->n_op = size->n_op;
    job->n = size->n;
    job->draw = mr_alloc(n_draw, sizeof *job->draw);
    if (job->draw == NULL)
        return mr_err_nomem(err, n_draw * sizeof *job->draw);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 4);
    for (int i = 0; i < n_draw; i++)
        job->draw[i] = mr_rng_open(&rng);
    return size->fill(job, err);
}

#define HEAP_REFERENCE "binary heap"

// clang-format off
#define CLOCK_LIST(X) \
    X("clock/finish_heap_256", "hold", work_heap, plain_heap, HEAP_REFERENCE, 256, n_hold, fill_heap) \
    X("clock/finish_heap_16k", "hold", work_heap, plain_heap, HEAP_REFERENCE, 16384, n_hold, fill_heap) \
    X("clock/finish_heap_1m", "hold", work_heap, plain_heap, HEAP_REFERENCE, 1 << 20, n_hold, fill_heap) \
    X("clock/event_heap_64", "hold", work_events, plain_events, HEAP_REFERENCE, 64, n_hold, fill_events) \
    X("clock/event_heap_1k", "hold", work_events, plain_events, HEAP_REFERENCE, 1024, n_hold, fill_events) \
    X("clock/event_heap_64k", "hold", work_events, plain_events, HEAP_REFERENCE, 65536, n_hold, fill_events) \
    X("clock/tree_100", "hold", work_tree, plain_events, HEAP_REFERENCE, 100, n_hold, fill_tree) \
    X("clock/tree_1k", "hold", work_tree, plain_events, HEAP_REFERENCE, 1000, n_hold, fill_tree) \
    X("clock/tree_50k", "hold", work_tree, plain_events, HEAP_REFERENCE, 50000, n_hold, fill_tree) \
    X("clock/router_100", "change", work_router, plain_events, HEAP_REFERENCE, 100, n_hold, fill_router) \
    X("clock/router_1k", "change", work_router, plain_events, HEAP_REFERENCE, 1000, n_hold, fill_router) \
    X("clock/router_50k", "change", work_router, plain_events, HEAP_REFERENCE, 50000, n_hold, fill_router) \
    X("clock/calendar_50k", "sleep", work_calendar, plain_events_all, HEAP_REFERENCE, 50000, 50000, fill_calendar) \
    X("clock/calendar_500k", "sleep", work_calendar, plain_events_all, HEAP_REFERENCE, 500000, 500000, fill_calendar) \
    X("clock/calendar_4m", "sleep", work_calendar, plain_events_all, HEAP_REFERENCE, 4000000, 4000000, fill_calendar) \
    X("clock/hist_1", "value", work_hist, plain_hist, "sum, least, largest", 1, n_hold, fill_hist) \
    X("clock/hist_16", "value", work_hist, plain_hist, "sum, least, largest", 16, n_hold, fill_hist) \
    X("clock/hist_256", "value", work_hist, plain_hist, "sum, least, largest", 256, n_hold, fill_hist) \
    X("clock/windows_1", "cell", work_windows, plain_windows, "playing alone", 1, n_window, fill_windows) \
    X("clock/windows_32", "cell", work_windows, plain_windows, "playing alone", 32, 32 * n_window, fill_windows) \
    X("clock/windows_500", "cell", work_windows, plain_windows, "playing alone", 500, 500 * n_window, fill_windows)
// clang-format on

static const struct mr_bench_case cases[] = {
#define CLOCK_CASE(name_, op_, work_, plain_, reference_, n_, n_op_, fill_) \
    {.name = (name_),                                                       \
     .op = (op_),                                                           \
     .reference = (reference_),                                             \
     .setup = setup,                                                        \
     .work = (work_),                                                       \
     .plain = (plain_),                                                     \
     .teardown = free_job},
    CLOCK_LIST(CLOCK_CASE)
#undef CLOCK_CASE
};

static const struct clock_size sizes[] = {
#define CLOCK_SIZE(name_, op_, work_, plain_, reference_, n_, n_op_, fill_) \
    {(n_), (n_op_), (fill_)},
    CLOCK_LIST(CLOCK_SIZE)
#undef CLOCK_SIZE
};

static const struct clock_size *size_of(const struct mr_bench_case *self)
{
    return &sizes[self - cases];
}

const struct mr_bench_group mr_bench_clock_group = {cases, sizeof cases / sizeof *cases};
