/* SPDX-License-Identifier: Apache-2.0 */
/* engine/clock/windows and ranks: a toy site of cells whose sessions sleep, wake, slow each other
 * down through the site's load and move to other cells. Its event hash is a constant, on one rank
 * and under mpirun on several. Then the order of mail, dealing out of halls, failures. */
#include "engine/clock/windows.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/clock/calendar.h"
#include "tests/test.h"

#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the toy ---- */

enum {
    n_cell = 13,
    n_hall = 5,
    n_session = 100, /* per cell, at first */
    cap_slot = 8 * n_session
};

static const uint32_t hall_first[n_hall + 1] = {0, 2, 3, 7, 11, n_cell};

struct session {
    uint64_t id, n_draw;
    double wake_s;
};

struct cell {
    struct mr_calendar calendar;
    struct session session[cap_slot];
    uint32_t generation[cap_slot];
    bool is_taken[cap_slot];
    uint64_t hash, n_event, n_here;
    double load;
};

struct record { /* what a cell tells the site */
    double load;
    uint64_t n_here, hash, n_event;
};

struct site {
    struct mr_calendar_store store;
    struct cell *cell; /* [n_cell]; only own ones are used */
    double slow;       /* all think longer when the site was loaded */
    uint32_t emptiest; /* cell that gets whoever moves */
    uint64_t hash, n_event;
    uint64_t fails_at; /* window in which cell 5 fails */
};

static uint64_t mix(uint64_t hash, uint64_t x)
{
    hash = (hash ^ x) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t draw(struct session *session)
{
    return mr_rng_u64_at(1, MR_RNG_TEST, session->id, session->n_draw++);
}

static mr_status settle_in(struct cell *cell, struct session session, struct mr_err *err)
{
    uint32_t slot = 0;
    while (cell->is_taken[slot])
        slot++;
    assert_true(slot < cap_slot);
    cell->session[slot] = session;
    cell->is_taken[slot] = true;
    cell->n_here++;
    return mr_calendar_push(&cell->calendar,
                            mr_event_at(session.wake_s, 1, slot, ++cell->generation[slot]), err);
}

static mr_status wake(struct site *site, struct mr_windows *windows, uint32_t i_cell,
                      struct mr_event event, struct mr_err *err)
{
    struct cell *const cell = &site->cell[i_cell];
    const uint32_t slot = mr_event_entity(event);
    if (mr_event_generation(event) != cell->generation[slot])
        return MR_OK; /* it has other plans by now */
    struct session *const s = &cell->session[slot];
    const uint64_t dice = draw(s);
    const double now_s = mr_event_time_s(event);
    const double think_s = site->slow * (double)(1 + (dice >> 32 & 1023)) * 0.003;
    cell->hash = mix(mix(cell->hash, event.when), s->id);
    cell->n_event++;
    cell->load += 1 / (0.1 + think_s);
    s->wake_s = now_s + think_s;
    if (dice % 50 == 0) { /* goes where there is most room */
        s->wake_s = fmax(s->wake_s, windows->now.end_s);
        MR_TRY(mr_windows_post(windows, i_cell, site->emptiest, s, sizeof *s, err));
        cell->is_taken[slot] = false;
        cell->n_here--;
        cell->generation[slot]++;
        return MR_OK;
    }
    if (dice % 7 == 0) /* plans, and at once plans anew */
        MR_TRY(mr_calendar_push(&cell->calendar,
                                mr_event_at(now_s, 1, slot, ++cell->generation[slot]), err));
    return mr_calendar_push(&cell->calendar,
                            mr_event_at(s->wake_s, 1, slot, ++cell->generation[slot]), err);
}

static mr_status play(void *state, struct mr_windows *windows, uint32_t i_cell, struct mr_err *err)
{
    struct site *const site = state;
    struct mr_calendar *const calendar = &site->cell[i_cell].calendar;
    if (windows->now.index == site->fails_at && i_cell == 5)
        return mr_err_set(err, MR_DIVERGED, MR_NOWHERE, "cell 5 boils over");
    MR_TRY(mr_calendar_open(calendar, windows->now.index, err));
    while (mr_event_key_time_s(mr_calendar_peek(calendar).when) < windows->now.end_s)
        MR_TRY(wake(site, windows, i_cell, mr_calendar_take(calendar), err));
    if (!mr_calendar_has_event(calendar)) /* else the run ends within the window */
        mr_calendar_close(calendar);
    return MR_OK;
}

static void report(void *state, const struct mr_windows *windows, uint32_t i_cell, void *out)
{
    const struct site *const site = state;
    const struct cell *const cell = &site->cell[i_cell];
    struct record *const record = out;
    assert_true(i_cell >= windows->first && i_cell < windows->end);
    *record = (struct record){cell->load, cell->n_here, cell->hash, cell->n_event};
}

static mr_status exchange(void *state, struct mr_windows *windows, const void *records,
                          bool *is_last, struct mr_err *err)
{
    struct site *const site = state;
    const struct record *const record = records;
    double load = 0;
    uint64_t n_here = 0;
    (void)windows;
    (void)err;
    site->emptiest = 0;
    site->n_event = 0;
    for (uint32_t c = 0; c < n_cell; c++) {
        load += record[c].load; /* in any other order the last bits differ */
        n_here += record[c].n_here;
        site->hash = mix(site->hash, record[c].hash);
        site->n_event += record[c].n_event;
        if (record[c].n_here < record[site->emptiest].n_here)
            site->emptiest = c;
    }
    site->slow = 0.5 + load / (load + 1000 * (double)n_here);
    *is_last = false;
    return MR_OK;
}

static mr_status deliver(void *state, const struct mr_windows *windows,
                         const struct mr_windows_mail *mail, struct mr_err *err)
{
    struct site *const site = state;
    struct session session;
    assert_true(mail->to >= windows->first && mail->to < windows->end);
    assert_int_equal(mail->n_bytes, sizeof session);
    memcpy(&session, mail->bytes, sizeof session);
    return settle_in(&site->cell[mail->to], session, err);
}

static const struct mr_windows_model toy = {
    sizeof(struct record), play, report, exchange, deliver, NULL};

static const struct mr_windows_plan *toy_plan(void)
{
    static struct mr_windows_plan plan;
    plan = (struct mr_windows_plan){.n_cell = n_cell,
                                    .hall_first = hall_first,
                                    .n_hall = n_hall,
                                    .grid = mr_window_grid_of(0.25),
                                    .end_s = 20.1};
    return &plan;
}

static mr_status run_toy(struct site *site, struct mr_ranks *ranks, struct mr_err *err)
{
    struct mr_windows windows;
    site->slow = 1;
    site->cell = mr_alloc_zero(n_cell, sizeof *site->cell);
    if (site->cell == NULL)
        return mr_err_nomem(err, n_cell * sizeof *site->cell);
    mr_status st = mr_windows_init(&windows, toy_plan(), ranks, err);
    const uint32_t first = windows.first, end = windows.end;
    for (uint32_t c = first; c < end; c++) {
        mr_calendar_init(&site->cell[c].calendar, &site->store, windows.plan.grid, 0);
        for (uint64_t i = 0; i < n_session && st == MR_OK; i++)
            st = settle_in(&site->cell[c],
                           (struct session){.id = c * n_session + i, .wake_s = 0.02 * (double)i},
                           err);
    }
    if (st == MR_OK)
        st = mr_windows_run(&windows, &toy, site, err);
    for (uint32_t c = first; c < end; c++)
        mr_calendar_fini(&site->cell[c].calendar);
    mr_calendar_store_fini(&site->store);
    mr_windows_fini(&windows);
    mr_free(site->cell);
    return st;
}

/* ---- on one rank and on many ---- */

static const uint64_t golden_hash = UINT64_C(0x070015b146745e7d);

/* Run alone, or by mpirun as one of many. */
MR_TEST(rank_of_the_toy)
{
    struct mr_ranks ranks;
    struct mr_err err = {0};
    struct site site = {.fails_at = UINT64_MAX};
    assert_int_equal(mr_ranks_open(&ranks, &err), MR_OK);
    const mr_status st = run_toy(&site, &ranks, &err);
    printf("rank %" PRIu32 " of %" PRIu32 ": %s %016" PRIx64 " %" PRIu64 "\n", ranks.i, ranks.n,
           mr_status_name(st), site.hash, site.n_event);
    fflush(stdout);
    mr_ranks_close(&ranks);
    assert_int_equal(st, MR_OK);
    assert_true(site.hash == golden_hash);
    assert_true(site.n_event > 10000);
}

MR_TEST(rank_of_a_failing_toy)
{
    struct mr_ranks ranks;
    struct mr_err err = {0};
    struct site site = {.fails_at = 3};
    assert_int_equal(mr_ranks_open(&ranks, &err), MR_OK);
    const mr_status st = run_toy(&site, &ranks, &err);
    printf("rank %" PRIu32 " of %" PRIu32 ": %s %s\n", ranks.i, ranks.n, mr_status_name(st),
           err.text);
    fflush(stdout);
    mr_ranks_close(&ranks);
    assert_int_equal(st, MR_DIVERGED);
}

/* Play a test of this program under mpirun. @return what it printed; skips without MPI */
static const char *under_mpirun(int n, const char *test, int *exit_code)
{
    static char out[16384];
    char self[512] = {0}, command[1024], version[MR_RANKS_VERSION_CAP];
    if (mr_ranks_library_version(version) == NULL)
        mr_test_skip("this build has no MPI");
    if (system("mpirun --version >/dev/null 2>&1") != 0)
        mr_test_skip("no mpirun here");
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        fail_msg("/proc/self/exe");
    /* OpenMPI itself leaks: sanitizers look at our one-rank runs */
    snprintf(
        command, sizeof command,
        "ASAN_OPTIONS=detect_leaks=0 mpirun --allow-run-as-root --oversubscribe -n %d %s %s 2>&1",
        n, self, test);
    FILE *const pipe = popen(command, "r");
    assert_non_null(pipe);
    const size_t length = fread(out, 1, sizeof out - 1, pipe);
    out[length] = '\0';
    *exit_code = WEXITSTATUS(pclose(pipe));
    return out;
}

MR_TEST(any_number_of_ranks_has_the_same_bits)
{
    static const int sizes[] = {1, 2, 3, 4, 7}; /* 7: more than halls */
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int exit_code = 0;
        const char *const out = under_mpirun(sizes[s], "rank_of_the_toy", &exit_code);
        for (int i = 0; i < sizes[s]; i++) {
            char line[80];
            snprintf(line, sizeof line, "rank %d of %d: OK %016" PRIx64, i, sizes[s], golden_hash);
            mr_assert_contains(out, line);
        }
        assert_int_equal(exit_code, 0);
    }
}

MR_TEST(one_failing_rank_stops_all)
{
    int exit_code = 0;
    const char *const out = under_mpirun(3, "rank_of_a_failing_toy", &exit_code);
    /* halls 0-1-2, 3.., 7..: cell 5 is in the hall from 3 on, which cell 3 gives to rank 0 */
    mr_assert_contains(out, "rank 0 of 3: DIVERGED cell 5 boils over");
    mr_assert_contains(out, "rank 1 of 3: DIVERGED rank 0 of 3: model did not converge");
    mr_assert_contains(out, "rank 2 of 3: DIVERGED rank 0 of 3: model did not converge");
    assert_int_equal(exit_code, 0);
}

/* ---- dealing out ---- */

MR_TEST(halls_are_dealt_out_whole)
{
    for (uint32_t n = 1; n <= 20; n++) {
        uint32_t next = 0;
        for (uint32_t i = 0; i < n; i++) {
            struct mr_ranks ranks = {.n = n, .i = i};
            struct mr_windows windows;
            assert_int_equal(mr_windows_init(&windows, toy_plan(), &ranks, NULL), MR_OK);
            assert_int_equal(windows.first, next);
            next = windows.end;
            bool is_edge = windows.end == n_cell;
            for (int h = 0; h < n_hall; h++)
                is_edge |= hall_first[h] == windows.end;
            assert_true(is_edge);
            for (uint32_t c = windows.first; c < windows.end; c++)
                assert_int_equal(mr_windows_rank_of(&windows, c), i);
            mr_windows_fini(&windows);
        }
        assert_int_equal(next, n_cell);
    }
    /* without halls as even as can be */
    for (uint32_t i = 0; i < 4; i++) {
        struct mr_ranks ranks = {.n = 4, .i = i};
        struct mr_windows windows;
        const struct mr_windows_plan plan = {.n_cell = 10, .grid = mr_window_grid_of(1)};
        assert_int_equal(mr_windows_init(&windows, &plan, &ranks, NULL), MR_OK);
        assert_in_range(windows.end - windows.first, 2, 3);
        mr_windows_fini(&windows);
    }
}

/* ---- the order of things ---- */

struct log {
    char text[4096];
    size_t n;
    uint64_t last; /* window after which the run ends */
    int n_mail;
};

static void put(struct log *log, const char *what, uint32_t a, uint32_t b)
{
    log->n +=
        (size_t)snprintf(log->text + log->n, sizeof log->text - log->n, "%s%u.%u ", what, a, b);
}

static mr_status log_play(void *state, struct mr_windows *windows, uint32_t cell,
                          struct mr_err *err)
{
    put(state, "p", (uint32_t)windows->now.index, cell);
    /* odd sizes, and nothing at all */
    MR_TRY(mr_windows_post(windows, cell, (cell + 1) % 3, "abc", cell, err));
    return mr_windows_post(windows, cell, 0, "xy", 2, err);
}

static void log_report(void *state, const struct mr_windows *windows, uint32_t cell, void *record)
{
    const uint64_t value = 10 * windows->now.index + cell;
    assert_memory_equal(record, "\0\0\0\0\0\0\0\0", 8);
    memcpy(record, &value, sizeof value);
    put(state, "r", (uint32_t)windows->now.index, cell);
}

static mr_status log_exchange(void *state, struct mr_windows *windows, const void *records,
                              bool *is_last, struct mr_err *err)
{
    struct log *const log = state;
    const uint64_t *const value = records;
    for (uint32_t c = 0; c < 3; c++)
        assert_int_equal(value[c], 10 * windows->now.index + c);
    put(state, "x", (uint32_t)windows->now.index, 0);
    *is_last = windows->now.index == log->last;
    return mr_windows_post(windows, 2, 0, "from the exchange", 17, err);
}

static mr_status log_deliver(void *state, const struct mr_windows *windows,
                             const struct mr_windows_mail *mail, struct mr_err *err)
{
    char what[32];
    struct log *const log = state;
    (void)windows;
    assert_int_equal((uintptr_t)mail->bytes % 8, 0);
    snprintf(what, sizeof what, "d%.*s:", (int)mail->n_bytes, (const char *)mail->bytes);
    put(log, what, mail->from, mail->to);
    return ++log->n_mail == 1000 ? mr_err_set(err, MR_LIMIT, MR_NOWHERE, "full") : MR_OK;
}

static const struct mr_windows_model logger = {8,           log_play, log_report, log_exchange,
                                               log_deliver, NULL};

static mr_status run_log(struct log *log, double end_s, struct mr_err *err)
{
    struct mr_ranks ranks;
    struct mr_windows windows;
    const struct mr_windows_plan plan = {.n_cell = 3, .grid = mr_window_grid_of(1), .end_s = end_s};
    MR_TRY(mr_ranks_open(&ranks, err));
    mr_status st = mr_windows_init(&windows, &plan, &ranks, err);
    if (st == MR_OK)
        st = mr_windows_run(&windows, &logger, log, err);
    mr_windows_fini(&windows);
    mr_ranks_close(&ranks);
    return st;
}

MR_TEST(play_report_exchange_deliver)
{
    struct log log = {.last = 1};
    assert_int_equal(run_log(&log, 99, NULL), MR_OK);
    assert_string_equal(log.text,
                        "p0.0 p0.1 p0.2 r0.0 r0.1 r0.2 x0.0 dxy:0.0 dxy:1.0 dab:2.0 dxy:2.0 "
                        "dfrom the exchange:2.0 d:0.1 da:1.2 "
                        "p1.0 p1.1 p1.2 r1.0 r1.1 r1.2 x1.0 dxy:0.0 dxy:1.0 dab:2.0 dxy:2.0 "
                        "dfrom the exchange:2.0 d:0.1 da:1.2 ");
}

MR_TEST(runs_end_where_they_should)
{
    struct log log = {.last = 99};
    assert_int_equal(run_log(&log, 0, NULL), MR_OK);
    assert_int_equal(log.n, 0);
    assert_int_equal(run_log(&log, 1, NULL), MR_OK);
    assert_null(strstr(log.text, "p1"));
    assert_int_equal(run_log(&log, 1.5, NULL), MR_OK);
    assert_non_null(strstr(log.text, "p1"));
    /* an error in the very last piece of mail is not lost */
    struct mr_err err = {0};
    log = (struct log){.last = 0, .n_mail = 993};
    assert_int_equal(run_log(&log, 9, &err), MR_LIMIT);
    assert_string_equal(err.text, "full");
}

static void post_from_nowhere(void *windows)
{
    (void)!mr_windows_post(windows, 3, 0, "", 0, NULL);
}

static void post_to_nowhere(void *windows)
{
    (void)!mr_windows_post(windows, 0, 3, "", 0, NULL);
}

MR_TEST(nonsense_is_refused)
{
    struct mr_ranks ranks = {.n = 1};
    struct mr_windows windows;
    const struct mr_windows_plan plan = {.n_cell = 3, .grid = mr_window_grid_of(1)};
    assert_int_equal(mr_windows_init(&windows, &plan, &ranks, NULL), MR_OK);
    mr_assert_refused(post_from_nowhere, &windows, "from < windows->end");
    mr_assert_refused(post_to_nowhere, &windows, "cell < windows->plan.n_cell");
    mr_windows_fini(&windows);
}

static mr_status live(void *context, struct mr_err *err)
{
    struct log log = {.last = 1};
    (void)context;
    return run_log(&log, 9, err);
}

MR_TEST(every_allocation_may_fail)
{
    mr_test_every_nomem(live, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(rank_of_the_toy), MR_TEST_ENTRY(rank_of_a_failing_toy),
             MR_TEST_ENTRY(any_number_of_ranks_has_the_same_bits),
             MR_TEST_ENTRY(one_failing_rank_stops_all), MR_TEST_ENTRY(halls_are_dealt_out_whole),
             MR_TEST_ENTRY(play_report_exchange_deliver), MR_TEST_ENTRY(runs_end_where_they_should),
             MR_TEST_ENTRY(nonsense_is_refused), MR_TEST_ENTRY(every_allocation_may_fail))
