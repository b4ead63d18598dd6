/* SPDX-License-Identifier: Apache-2.0 */
/* engine/clock/calendar and window: what comes out, in one line, is everything that went in,
 * sorted; edges of windows; sleepers years ahead; memory; hostile orders. */
#include "engine/clock/calendar.h"

#include "engine/base/rng.h"
#include "tests/test.h"

/* ---- windows ---- */

MR_TEST(every_time_is_in_its_window)
{
    static const double sizes[] = {1, 0.05, 0.1, 1.0 / 3, 0.25, 7, 3600, 1e-3};
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 300);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const struct mr_window_grid grid = mr_window_grid_of(sizes[s]);
        assert_int_equal(mr_window_of(grid, 0), 0);
        assert_int_equal(mr_window_of(grid, -0.0), 0);
        for (int i = 0; i < 200000; i++) {
            uint64_t k = mr_rng_u64(&rng) >> (28 + mr_rng_below(&rng, 36));
            const double edge = mr_window_start_s(grid, k);
            /* on the edge, one step below it, anywhere */
            const double t = i % 3 == 0   ? edge
                             : i % 3 == 1 ? nextafter(edge, 0)
                                          : edge + sizes[s] * mr_rng_f64(&rng);
            k = mr_window_of(grid, t);
            assert_true(k == MR_WINDOW_LAST || t < mr_window_start_s(grid, k + 1));
            assert_true(mr_window_start_s(grid, k) <= t);
            assert_true(i % 3 != 0 || t == mr_window_start_s(grid, k));
        }
        assert_true(mr_window_of(grid, 1e300) == MR_WINDOW_LAST);
        assert_true(mr_window_of(grid, (double)INFINITY) == MR_WINDOW_LAST);
        const double last = mr_window_start_s(grid, MR_WINDOW_LAST);
        assert_true(mr_window_of(grid, last) == MR_WINDOW_LAST);
        assert_true(mr_window_of(grid, nextafter(last, 0)) == MR_WINDOW_LAST - 1);
    }
}

/* ---- against one sorted array ---- */

struct diary {
    struct mr_event *event;
    size_t n, cap;
};

static void note(struct diary *diary, struct mr_event e)
{
    if (diary->n == diary->cap) {
        diary->cap = 2 * diary->cap + 1000;
        diary->event = realloc(diary->event, diary->cap * sizeof *diary->event);
    }
    diary->event[diary->n++] = e;
}

static int by_order(const void *a, const void *b)
{
    const struct mr_event *x = a, *y = b;
    return mr_event_is_before(*y, *x) - mr_event_is_before(*x, *y);
}

struct player {
    struct mr_calendar_store store;
    struct mr_calendar calendar;
    struct mr_rng rng;
    struct diary in, out;
    double step_s; /* typical distance of new events; some are 1e6 times farther */
    size_t n_max;
    bool skips; /* empty windows */
};

static void plan(struct player *p, double time_s)
{
    const struct mr_event e =
        mr_event_at(time_s, (uint32_t)mr_rng_below(&p->rng, 3), (uint32_t)mr_rng_below(&p->rng, 50),
                    (uint32_t)p->in.n); /* generation: all are different */
    note(&p->in, e);
    assert_int_equal(mr_calendar_push(&p->calendar, e, NULL), MR_OK);
}

/* A later time: soon, far, very far, in the same window, on an edge, or many at one time. */
static double later(struct player *p)
{
    const double now_s = p->calendar.now_s, window_s = p->calendar.grid.window_s;
    const uint64_t dice = mr_rng_below(&p->rng, 100);
    double t = now_s + p->step_s * mr_rng_open(&p->rng);
    if (dice < 3)
        t = now_s + 1e6 * p->step_s * mr_rng_open(&p->rng);
    else if (dice < 30)
        t = now_s + window_s * mr_rng_open(&p->rng);
    else if (dice < 40)
        t = ceil(t / (60 * window_s)) * 60 * window_s; /* agents at the full minute */
    else if (dice < 50)
        t = mr_window_start_s(p->calendar.grid, mr_window_of(p->calendar.grid, t) + 1);
    if (t > 6e10 * window_s) /* past the last window */
        t = now_s + window_s * mr_rng_open(&p->rng);
    return t > now_s ? t : nextafter(now_s, 1e300);
}

static void play_window(struct player *p, uint64_t window)
{
    struct mr_calendar *const c = &p->calendar;
    assert_int_equal(mr_calendar_open(c, window, NULL), MR_OK);
    while (mr_calendar_has_event(c)) {
        const struct mr_event first = mr_calendar_peek(c), e = mr_calendar_take(c);
        assert_memory_equal(&first, &e, sizeof e);
        assert_true(mr_window_of(c->grid, mr_event_time_s(e)) == window);
        note(&p->out, e);
        /* 0, 1 or 2 new ones, one on average; more while there are few */
        const uint64_t n = p->in.n >= p->n_max ? 0 : mr_rng_below(&p->rng, 3) + (p->in.n < 10000);
        for (uint64_t i = 0; i < n; i++)
            plan(p, later(p));
    }
    assert_true(mr_calendar_peek(c).when == UINT64_MAX);
    mr_calendar_close(c);
    if (p->in.n < p->n_max && mr_rng_below(&p->rng, 4) == 0) /* from outside, between windows */
        plan(p, mr_window_start_s(c->grid, window + 1) + p->step_s * mr_rng_f64(&p->rng));
}

static void play(double window_s, double step_s, size_t n_first, size_t n_max, bool skips)
{
    struct player p = {.step_s = step_s, .n_max = n_max, .skips = skips};
    p.rng = mr_rng_stream(1, MR_RNG_TEST, 310);
    mr_calendar_init(&p.calendar, &p.store, mr_window_grid_of(window_s), 0);
    for (size_t i = 0; i < n_first; i++)
        plan(&p, later(&p));
    plan(&p, 0);
    for (uint64_t window = 0; p.out.n < p.in.n; window++) {
        if (skips) {
            const uint64_t next = mr_calendar_next_window(&p.calendar);
            assert_true(next >= window && next != MR_CALENDAR_NEVER);
            window = next;
        }
        play_window(&p, window);
        assert_true(p.calendar.n_asleep == p.in.n - p.out.n);
    }
    assert_true(mr_calendar_next_window(&p.calendar) == MR_CALENDAR_NEVER);
    assert_true(p.in.n >= n_max);
    qsort(p.in.event, p.in.n, sizeof *p.in.event, by_order);
    assert_memory_equal(p.in.event, p.out.event, p.in.n * sizeof *p.in.event);
    assert_int_equal(p.store.n_chunk_taken, 0);
    mr_calendar_fini(&p.calendar);
    mr_calendar_store_fini(&p.store);
    free(p.in.event);
    free(p.out.event);
}

MR_TEST(a_busy_cell_equals_a_sorted_array)
{
    play(1, 10, 20000, 1500000, false);
}

MR_TEST(short_windows_equal_a_sorted_array)
{
    play(0.05, 3, 2000, 300000, false);
}

MR_TEST(years_of_few_events_equal_a_sorted_array)
{
    play(1, 1e3, 100, 200000, true);
    play(1, 1e6, 10, 200000, true);
}

MR_TEST(skipping_or_not_takes_the_same_events)
{
    play(1, 5, 10, 20000, true);
    play(1, 5, 10, 20000, false);
}

/* ---- hostile orders of one window ---- */

static void sorted_window(struct mr_event (*make)(struct mr_rng *, size_t), size_t n)
{
    struct mr_calendar_store store = {0};
    struct mr_calendar calendar;
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 320);
    struct mr_event *const e = malloc((n + 1) * sizeof *e);
    mr_calendar_init(&calendar, &store, mr_window_grid_of(1), 7);
    for (size_t i = 0; i < n; i++) {
        e[i] = make(&rng, i);
        assert_int_equal(mr_calendar_push(&calendar, e[i], NULL), MR_OK);
    }
    assert_int_equal(mr_calendar_open(&calendar, 7, NULL), MR_OK);
    assert_int_equal(calendar.n_ready, n);
    qsort(e, n, sizeof *e, by_order);
    for (size_t i = 0; i < n; i++) {
        const struct mr_event *ahead = mr_calendar_ahead(&calendar, 3);
        assert_true(i + 3 < n ? memcmp(ahead, &e[i + 3], sizeof *e) == 0 : ahead == NULL);
        const struct mr_event got = mr_calendar_take(&calendar);
        assert_memory_equal(&got, &e[i], sizeof got);
    }
    assert_null(mr_calendar_ahead(&calendar, 0));
    mr_calendar_close(&calendar);
    mr_calendar_fini(&calendar);
    mr_calendar_store_fini(&store);
    free(e);
}

static struct mr_event uniform(struct mr_rng *rng, size_t i)
{
    return mr_event_at(7 + mr_rng_f64(rng), 0, (uint32_t)i, 0);
}

static struct mr_event nine_o_clock(struct mr_rng *rng, size_t i)
{
    (void)i;
    return mr_event_at(7.5, (uint32_t)mr_rng_below(rng, 256), (uint32_t)mr_rng_u64(rng),
                       (uint32_t)mr_rng_u64(rng));
}

static struct mr_event one_and_the_same(struct mr_rng *rng, size_t i)
{
    (void)rng;
    (void)i;
    return mr_event_at(7.5, 3, 5, 1);
}

/* Each power of two nearer to the start: every bucket of a deal but the first is empty. */
static struct mr_event ever_denser(struct mr_rng *rng, size_t i)
{
    return mr_event_at(7 + ldexp(1, -1 - (int)mr_rng_below(rng, 60)), 0, (uint32_t)i, 0);
}

static struct mr_event backwards(struct mr_rng *rng, size_t i)
{
    (void)rng;
    return mr_event_at(7.9 - (double)i * 1e-7, 0, (uint32_t)i, 0);
}

static struct mr_event last_bits(struct mr_rng *rng, size_t i)
{
    double t = 7.25;
    for (uint64_t n = mr_rng_below(rng, 8); n > 0; n--)
        t = nextafter(t, 8);
    return mr_event_at(t, 0, (uint32_t)i, 0);
}

MR_TEST(windows_of_every_shape_are_sorted)
{
    struct mr_event (*const make[])(struct mr_rng *, size_t) = {
        uniform, nine_o_clock, one_and_the_same, ever_denser, backwards, last_bits};
    static const size_t sizes[] = {0, 1, 2, 31, 32, 33, 34, 62, 100, 1000, 5000, 100000, 1000000};
    for (size_t m = 0; m < sizeof make / sizeof *make; m++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            sorted_window(make[m], sizes[s]);
}

/* ---- generations ---- */

/* Sleepers change their minds all the time; only the last plan of each may wake it. */
MR_TEST(stale_events_are_known_by_their_generation)
{
    enum {
        n_sleeper = 200,
        n_turn = 200
    };
    struct mr_calendar_store store = {0};
    struct mr_calendar calendar;
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 330);
    double wake_s[n_sleeper];
    uint32_t generation[n_sleeper] = {0};
    int n_woken = 0;
    mr_calendar_init(&calendar, &store, mr_window_grid_of(1), 0);
    for (int turn = 0; turn < n_turn; turn++)
        for (uint32_t i = 0; i < n_sleeper; i++) {
            wake_s[i] = (double)mr_rng_below(&rng, 20); /* often the same time again */
            const struct mr_event e = mr_event_at(wake_s[i], 0, i, ++generation[i]);
            assert_int_equal(mr_calendar_push(&calendar, e, NULL), MR_OK);
        }
    for (uint64_t window = 0; window < 20; window++) {
        uint32_t i_before = 0;
        assert_int_equal(mr_calendar_open(&calendar, window, NULL), MR_OK);
        while (mr_calendar_has_event(&calendar)) {
            const struct mr_event e = mr_calendar_take(&calendar);
            const uint32_t i = mr_event_entity(e);
            assert_true(i >= i_before);
            i_before = i;
            if (mr_event_generation(e) != generation[i])
                continue;
            assert_true(wake_s[i] == mr_event_time_s(e));
            n_woken++;
        }
        mr_calendar_close(&calendar);
    }
    assert_int_equal(n_woken, n_sleeper);
    mr_calendar_fini(&calendar);
    mr_calendar_store_fini(&store);
}

/* ---- memory ---- */

MR_TEST(sleepers_cost_sixteen_bytes_and_give_them_back)
{
    enum {
        n_sleeper = 1000000,
        n_cell = 20
    };
    struct mr_calendar_store store = {0};
    struct mr_calendar *const cell = calloc(n_cell, sizeof *cell);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 340);
    for (int c = 0; c < n_cell; c++)
        mr_calendar_init(&cell[c], &store, mr_window_grid_of(1), 0);
    const double spans_s[] = {10, 60, 86400, 31557600, 3e9};
    for (int s = 0; s < 5; s++) {
        const double start_s = mr_window_start_s(cell[0].grid, cell[0].next);
        uint64_t n_taken = 0;
        for (uint32_t i = 0; i < n_sleeper; i++) {
            const double t = start_s + spans_s[s] * mr_rng_f64(&rng);
            assert_int_equal(mr_calendar_push(&cell[i % n_cell], mr_event_at(t, 0, i, 0), NULL),
                             MR_OK);
        }
        /* 16.5 with the chunks' heads; half an open chunk per list; an eighth in the last block */
        assert_true(mr_calendar_store_bytes(&store) < 41 * n_sleeper / 2);
        if (s < 2) { /* all of them, window by window */
            for (uint64_t w = 0; w < (uint64_t)spans_s[s]; w++)
                for (int c = 0; c < n_cell; c++) {
                    assert_int_equal(mr_calendar_open(&cell[c], cell[c].next, NULL), MR_OK);
                    for (; mr_calendar_has_event(&cell[c]); n_taken++)
                        (void)mr_calendar_take(&cell[c]);
                    mr_calendar_close(&cell[c]);
                }
            assert_int_equal(n_taken, n_sleeper);
        } else {
            for (int c = 0; c < n_cell; c++) {
                const uint64_t next = cell[c].next;
                assert_int_equal(cell[c].n_asleep, n_sleeper / n_cell);
                mr_calendar_fini(&cell[c]);
                mr_calendar_init(&cell[c], &store, mr_window_grid_of(1), next);
            }
        }
        /* one block of at most 2 MiB and the buffers of the largest window */
        assert_int_equal(store.n_chunk_taken, 0);
        assert_true(mr_calendar_store_bytes(&store) < 3 << 20);
    }
    for (int c = 0; c < n_cell; c++)
        mr_calendar_fini(&cell[c]);
    mr_calendar_store_fini(&store);
    free(cell);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(never_is_counted_and_forgotten)
{
    struct mr_calendar_store store = {0};
    struct mr_calendar calendar;
    mr_calendar_init(&calendar, &store, mr_window_grid_of(1), 0);
    const double never_s[] = {(double)INFINITY, 1e300, 0x1p36};
    for (int i = 0; i < 3; i++)
        assert_int_equal(mr_calendar_push(&calendar, mr_event_at(never_s[i], 0, 0, 0), NULL),
                         MR_OK);
    assert_int_equal(calendar.n_never, 3);
    assert_int_equal(calendar.n_asleep, 0);
    assert_true(mr_calendar_next_window(&calendar) == MR_CALENDAR_NEVER);
    /* the very last window that can be played, reached in one go */
    const struct mr_event last = mr_event_at((double)(MR_WINDOW_LAST - 1), 1, 2, 3);
    assert_int_equal(mr_calendar_push(&calendar, last, NULL), MR_OK);
    uint64_t window = 0;
    do {
        window = mr_calendar_next_window(&calendar);
        assert_int_equal(mr_calendar_open(&calendar, window, NULL), MR_OK);
        if (!mr_calendar_has_event(&calendar))
            mr_calendar_close(&calendar);
    } while (!calendar.is_open);
    assert_true(window == MR_WINDOW_LAST - 1);
    const struct mr_event got = mr_calendar_take(&calendar);
    assert_memory_equal(&got, &last, sizeof got);
    mr_calendar_close(&calendar);
    mr_calendar_fini(&calendar);
    mr_calendar_store_fini(&store);
}

/* ---- refusals ---- */

static void push_at(void *calendar, double time_s)
{
    (void)!mr_calendar_push(calendar, mr_event_at(time_s, 0, 0, 0), NULL);
}

static void push_past(void *calendar)
{
    push_at(calendar, 2.5);
}

static void push_before_now(void *calendar)
{
    push_at(calendar, 3.25);
}

static void push_negative(void *calendar)
{
    push_at(calendar, -1);
}

static void open_twice(void *calendar)
{
    (void)!mr_calendar_open(calendar, 4, NULL);
}

static void close_too_early(void *calendar)
{
    mr_calendar_close(calendar);
}

static void take_nothing(void *calendar)
{
    (void)mr_calendar_take(calendar);
}

static void skip_an_event(void *calendar)
{
    (void)!mr_calendar_open(calendar, 6, NULL);
}

static void open_again(void *calendar)
{
    (void)!mr_calendar_open(calendar, 3, NULL);
}

static void store_in_use(void *calendar)
{
    mr_calendar_store_fini(((struct mr_calendar *)calendar)->store);
}

MR_TEST(nonsense_is_refused)
{
    struct mr_calendar_store store = {0};
    struct mr_calendar calendar;
    mr_calendar_init(&calendar, &store, mr_window_grid_of(1), 3);
    mr_assert_refused(push_past, &calendar, "window >= calendar->next");
    push_at(&calendar, 3.5);
    push_at(&calendar, 3.75);
    push_at(&calendar, 5);
    assert_int_equal(mr_calendar_open(&calendar, 3, NULL), MR_OK);
    (void)mr_calendar_take(&calendar);
    mr_assert_refused(push_before_now, &calendar, "time_s >= calendar->now_s");
    mr_assert_refused(push_past, &calendar, "window >= calendar->next");
    mr_assert_refused(push_negative, &calendar, "time_s >= 0");
    mr_assert_refused(open_twice, &calendar, "!calendar->is_open");
    mr_assert_refused(close_too_early, &calendar, "!mr_calendar_has_event");
    push_at(&calendar, 3.5); /* now: allowed */
    assert_true(mr_event_time_s(mr_calendar_take(&calendar)) == 3.5);
    (void)mr_calendar_take(&calendar);
    mr_assert_refused(take_nothing, &calendar, "mr_calendar_has_event");
    mr_calendar_close(&calendar);
    mr_assert_refused(skip_an_event, &calendar, "mr_calendar_next_window");
    mr_assert_refused(open_again, &calendar, "window >= calendar->next");
    mr_assert_refused(store_in_use, &calendar, "n_chunk_taken == 0");
    mr_calendar_fini(&calendar);
    mr_calendar_store_fini(&store);
}

static mr_status live(void *context, struct mr_err *err)
{
    struct mr_calendar_store store = {0};
    struct mr_calendar cell[2];
    mr_status st = MR_OK;
    (void)context;
    for (int c = 0; c < 2; c++)
        mr_calendar_init(&cell[c], &store, mr_window_grid_of(1), 0);
    for (uint32_t i = 0; i < 6000 && st == MR_OK; i++)
        st = mr_calendar_push(&cell[i % 2], mr_event_at(i * 0.1, 0, i, 0), err);
    for (uint64_t w = 0; w < 600 && st == MR_OK; w++)
        for (int c = 0; c < 2 && st == MR_OK; c++) {
            st = mr_calendar_open(&cell[c], w, err);
            for (uint32_t i = 0; i < 40 && st == MR_OK && w < 3; i++)
                st = mr_calendar_push(&cell[c], mr_event_at(cell[c].now_s + (i % 2) * 60, 1, i, 0),
                                      err);
            while (st == MR_OK && mr_calendar_has_event(&cell[c]))
                (void)mr_calendar_take(&cell[c]);
            if (st == MR_OK)
                mr_calendar_close(&cell[c]);
        }
    for (int c = 0; c < 2; c++)
        mr_calendar_fini(&cell[c]);
    mr_calendar_store_fini(&store);
    return st;
}

MR_TEST(every_allocation_may_fail)
{
    mr_test_every_nomem(live, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(every_time_is_in_its_window),
             MR_TEST_ENTRY(a_busy_cell_equals_a_sorted_array),
             MR_TEST_ENTRY(short_windows_equal_a_sorted_array),
             MR_TEST_ENTRY(years_of_few_events_equal_a_sorted_array),
             MR_TEST_ENTRY(skipping_or_not_takes_the_same_events),
             MR_TEST_ENTRY(windows_of_every_shape_are_sorted),
             MR_TEST_ENTRY(stale_events_are_known_by_their_generation),
             MR_TEST_ENTRY(sleepers_cost_sixteen_bytes_and_give_them_back),
             MR_TEST_ENTRY(never_is_counted_and_forgotten), MR_TEST_ENTRY(nonsense_is_refused),
             MR_TEST_ENTRY(every_allocation_may_fail))
