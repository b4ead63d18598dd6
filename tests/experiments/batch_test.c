/* SPDX-License-Identifier: Apache-2.0 */
/* experiments/batch and ledger, with shell commands for rows: success, refusal, chance, time limit,
 * a signal, locks that a killed process leaves to others. */
#include "experiments/ledger.h"
#include "tests/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    n_row = 6
};

struct told {
    const char *command[n_row];
    struct mr_batch_end end[n_row];
    unsigned n_end[n_row];
    char message[n_row][64];
    const char *argv[4];
    char log[256];
};

static mr_status on_start(void *context, size_t row, struct mr_batch_command *command,
                          struct mr_err *err)
{
    struct told *t = context;
    (void)err;
    snprintf(t->log, sizeof t->log, "%s/%zu.log", mr_test_tmp(), row);
    t->argv[0] = "/bin/sh";
    t->argv[1] = "-c";
    t->argv[2] = t->command[row];
    t->argv[3] = NULL;
    *command = (struct mr_batch_command){t->argv, t->log};
    return MR_OK;
}

static mr_status on_end(void *context, const struct mr_batch_end *end, struct mr_err *err)
{
    struct told *t = context;
    (void)err;
    t->end[end->row] = *end;
    t->n_end[end->row]++;
    snprintf(t->message[end->row], sizeof t->message[end->row], "%s", end->message);
    return MR_OK;
}

static struct mr_batch_result run(struct told *t, size_t n, const struct mr_batch_options *options)
{
    static const size_t rows[n_row] = {0, 1, 2, 3, 4, 5};
    const struct mr_batch_hooks hooks = {t, on_start, on_end, NULL};
    struct mr_batch_result result;
    struct mr_err err = {0};
    assert_int_equal(mr_batch_run(rows, n, options, &hooks, &result, &err), MR_OK);
    return result;
}

MR_TEST(a_failing_row_does_not_stop_the_others)
{
    char once[512];
    struct told t = {.command = {"exit 0", "echo first >&2; echo bad input >&2; exit 3",
                                 "kill -9 $$", NULL, "exit 5", "exit 0"}};
    snprintf(once, sizeof once, "[ -e %s/once ] || { : >%s/once; kill -9 $$; }", mr_test_tmp(),
             mr_test_tmp());
    t.command[3] = once;
    const struct mr_batch_options options = {.n_slot = 3, .grace_s = 1, .n_retry = 2};
    const struct mr_batch_result result = run(&t, n_row, &options);
    assert_int_equal(result.n_done, 3);
    assert_int_equal(result.n_failed, 3);
    assert_int_equal(result.n_left, 0);
    assert_int_equal(t.n_end[0], 1);
    assert_int_equal(t.n_end[1], 1); /* refused: not tried again */
    assert_int_equal(t.end[1].exit_code, 3);
    assert_string_equal(t.message[1], "bad input");
    assert_int_equal(t.n_end[2], 3); /* chance, as far as one can tell */
    assert_int_equal(t.end[2].exit_code, 128 + SIGKILL);
    assert_false(t.end[2].will_retry);
    assert_int_equal(t.n_end[3], 2);
    assert_int_equal(t.end[3].state, MR_BATCH_DONE);
    assert_int_equal(t.n_end[4], 3);
    assert_true(t.end[5].rss_bytes > 0);
}

MR_TEST(a_row_that_takes_too_long_is_ended)
{
    struct told t = {.command = {"trap '' TERM; while :; do sleep 0.05; done", "exec sleep 600"}};
    const struct mr_batch_options options = {.n_slot = 2, .timeout_s = 0.3, .grace_s = 0.2};
    const struct mr_batch_result result = run(&t, 2, &options);
    assert_int_equal(result.n_failed, 2);
    assert_int_equal(t.end[0].state, MR_BATCH_TIMEOUT);
    assert_int_equal(t.end[0].exit_code, 128 + SIGKILL);
    assert_int_equal(t.end[1].state, MR_BATCH_TIMEOUT);
    assert_int_equal(t.end[1].exit_code, 128 + SIGTERM);
}

/* The first row ends within the grace, the second does not, the third never begins. */
MR_TEST(a_signal_leaves_the_rest)
{
    char command[96];
    struct told t = {.command = {NULL, "exec sleep 600", "exit 0"}};
    snprintf(command, sizeof command, "kill -USR1 %ld; sleep 0.2", (long)getpid());
    t.command[0] = command;
    const struct mr_batch_options options = {.n_slot = 2, .grace_s = 1, .n_retry = 3};
    const struct mr_batch_result result = run(&t, 3, &options);
    assert_int_equal(result.signal, SIGUSR1);
    assert_int_equal(result.n_done, 1);
    assert_int_equal(result.n_failed, 0);
    assert_int_equal(result.n_left, 2);
    assert_int_equal(t.end[1].state, MR_BATCH_DROPPED);
    assert_int_equal(t.n_end[2], 0);
}

/* A process takes rows 2 to 4 and is killed: until then they are its, then anybody's. */
MR_TEST(rows_belong_to_one_sweep)
{
    static const bool theirs[n_row] = {false, false, true, true, true, false};
    static const bool others[n_row] = {true, true, false, false, false, true};
    static const bool ours[n_row] = {false, false, false, false, true, true};
    char folder[256];
    int pipes[2];
    char byte = 0;
    struct mr_err err = {0};
    struct mr_ledger ledger;
    snprintf(folder, sizeof folder, "%s/out", mr_test_tmp());
    assert_int_equal(pipe(pipes), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        alarm(60); /* should this test fail before it kills it */
        const bool is_taken = mr_ledger_open(folder, &ledger, &err) == MR_OK &&
                              mr_ledger_claim(&ledger, theirs, n_row, &err) == MR_OK;
        byte = is_taken ? 'y' : 'n';
        (void)!write(pipes[1], &byte, 1);
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(mr_ledger_open(folder, &ledger, &err), MR_OK);
    assert_int_equal(mr_ledger_claim(&ledger, others, n_row, &err), MR_OK);
    assert_int_equal(mr_ledger_claim(&ledger, ours, n_row, &err), MR_IO);
    char who[64];
    snprintf(who, sizeof who, "process %ld) is running row 4", (long)pid);
    mr_assert_contains(err.text, who);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    err = (struct mr_err){0};
    assert_int_equal(mr_ledger_claim(&ledger, ours, n_row, &err), MR_OK);
    mr_ledger_close(&ledger);
    close(pipes[0]);
    close(pipes[1]);
}

MR_TEST(a_manifest_is_not_replaced_by_accident)
{
    char folder[256];
    bool was_replaced;
    struct mr_err err = {0};
    struct mr_ledger ledger;
    snprintf(folder, sizeof folder, "%s/out", mr_test_tmp());
    assert_int_equal(mr_ledger_open(folder, &ledger, &err), MR_OK);
    assert_int_equal(mr_ledger_manifest(&ledger, MR_STR("a\n"), false, &was_replaced, &err), MR_OK);
    assert_int_equal(mr_ledger_manifest(&ledger, MR_STR("a\n"), false, &was_replaced, &err), MR_OK);
    assert_int_equal(mr_ledger_manifest(&ledger, MR_STR("b\n"), false, &was_replaced, &err), MR_IO);
    err = (struct mr_err){0};
    assert_int_equal(mr_ledger_manifest(&ledger, MR_STR("b\n"), true, &was_replaced, &err), MR_OK);
    assert_true(was_replaced);
    mr_ledger_close(&ledger);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_failing_row_does_not_stop_the_others),
             MR_TEST_ENTRY(a_row_that_takes_too_long_is_ended),
             MR_TEST_ENTRY(a_signal_leaves_the_rest), MR_TEST_ENTRY(rows_belong_to_one_sweep),
             MR_TEST_ENTRY(a_manifest_is_not_replaced_by_accident))
