/* SPDX-License-Identifier: Apache-2.0 */
/* One loop around poll: signals arrive as data (signalfd), so there is no handler and nothing
 * global. A row that was refused for its input or its model (exit codes 2, 3, 4) would be refused
 * again and is not tried again; what killed it or its disk may have been chance. */
#define _GNU_SOURCE /* wait4, signalfd */
#include "experiments/batch.h"

#include "engine/base/mem.h"
#include "engine/base/wall.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    poll_ms = 100,
    message_cap = 300,
    exit_io = 5, /* of the statuses */
    exit_not_started = 127,
    exit_of_signal = 128
};

struct child {
    pid_t pid; /* 0: the slot is free */
    size_t job;
    uint64_t from_ns;
    bool is_late;
    uint64_t kill_ns; /* when a late one that does not end is killed */
    char *log;
};

struct job {
    size_t row;
    unsigned n_attempt;
};

struct batch {
    const struct mr_batch_options *options;
    const struct mr_batch_hooks *hooks;
    struct job *job; /* rows, then those that are tried again */
    size_t n_job, cap_job, next;
    struct child *child;
    size_t n_running, n_row;
    struct mr_batch_result *result;
    sigset_t outer; /* signals blocked before */
    int signals;    /* signalfd */
    uint64_t stop_ns;
    bool is_stopped, is_over; /* no new rows; nothing more at all */
};

static uint64_t after_ns(double s)
{
    return mr_wall_ns() + (uint64_t)(s * 1e9);
}

/* ---- a child ---- */

/* In the new process, between fork and exec. */
static void become(const struct batch *b, const struct mr_batch_command *command, pid_t parent)
{
    static const char text[] = "millrace: error: cannot be started\n";
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int log = open(command->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && null >= 0 && log >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
        dup2(null, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0 &&
        sigprocmask(SIG_SETMASK, &b->outer, NULL) == 0) {
        /* execv does not write to what it is given; its type is older than const */
        union {
            const char *const *lent;
            char *const *given;
        } argv = {command->argv};
        execv(command->argv[0], argv.given);
    }
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(exit_not_started);
}

static mr_status start(struct batch *b, struct child *child, size_t i_job, struct mr_err *err)
{
    struct mr_batch_command command = {0};
    MR_TRY(b->hooks->start(b->hooks->context, b->job[i_job].row, &command, err));
    char *log = mr_alloc_text(command.log, strlen(command.log));
    if (log == NULL)
        return mr_err_nomem(err, strlen(command.log) + 1);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0)
        become(b, &command, parent);
    if (pid < 0) {
        mr_free(log);
        return mr_err_set(err, MR_IO, MR_NOWHERE, "no process can be started: %s", strerror(errno));
    }
    setpgid(pid, pid); /* whoever comes first; the child does the same */
    *child = (struct child){.pid = pid, .job = i_job, .from_ns = mr_wall_ns(), .log = log};
    b->job[i_job].n_attempt++;
    b->n_running++;
    return MR_OK;
}

static void kill_child(const struct child *child, int signal)
{
    if (kill(-child->pid, signal) != 0)
        kill(child->pid, signal);
}

/* The last line of a log that says something. */
static void read_message(const char *path, char out[message_cap])
{
    char text[4096];
    out[0] = '\0';
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    const off_t size = lseek(fd, 0, SEEK_END);
    const off_t from = size > (off_t)sizeof text ? size - (off_t)sizeof text : 0;
    ssize_t n = pread(fd, text, sizeof text, from);
    close(fd);
    while (n > 0 && mr_char_is_space(text[n - 1]))
        n--;
    ssize_t begin = n;
    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    if (n > begin)
        snprintf(out, message_cap, "%.*s", (int)(n - begin), text + begin);
}

/* ---- the end of one ---- */

static bool was_chance(const struct mr_batch_end *end)
{
    const bool was_refused = end->exit_code >= 2 && end->exit_code <= 4;
    return end->state != MR_BATCH_DONE && !was_refused && end->exit_code != exit_not_started;
}

static mr_status over(struct batch *b, struct child *child, int status, const struct rusage *usage,
                      struct mr_err *err)
{
    char message[message_cap];
    const size_t i_job = child->job;
    struct mr_batch_end end = {.row = b->job[i_job].row,
                               .n_attempt = b->job[i_job].n_attempt,
                               .wall_s = 1e-9 * (double)(mr_wall_ns() - child->from_ns),
                               .rss_bytes = (uint64_t)usage->ru_maxrss * 1024,
                               .message = message};
    end.exit_code = WIFSIGNALED(status) ? exit_of_signal + WTERMSIG(status) : WEXITSTATUS(status);
    end.state = end.exit_code == 0 ? MR_BATCH_DONE
                : b->is_over       ? MR_BATCH_DROPPED
                : child->is_late   ? MR_BATCH_TIMEOUT
                                   : MR_BATCH_FAILED;
    read_message(child->log, message);
    if (end.exit_code == exit_io && message[0] == '\0')
        snprintf(message, sizeof message, "and could not even write its log: is the disk full?");
    if (end.state == MR_BATCH_DONE)
        unlink(child->log);
    mr_free(child->log);
    *child = (struct child){0};
    b->n_running--;
    end.will_retry =
        end.state != MR_BATCH_DROPPED && was_chance(&end) && end.n_attempt <= b->options->n_retry;
    if (end.will_retry) {
        MR_TRY(mr_grow(&b->job, &b->cap_job, b->n_job + 1, sizeof *b->job, err));
        b->job[b->n_job++] = b->job[i_job];
    } else if (end.state == MR_BATCH_DONE) {
        b->result->n_done++;
    } else if (end.state != MR_BATCH_DROPPED) {
        b->result->n_failed++;
    }
    return b->hooks->end(b->hooks->context, &end, err);
}

static mr_status reap(struct batch *b, bool waits, struct mr_err *err)
{
    mr_status st = MR_OK;
    for (size_t i = 0; i < b->options->n_slot; i++) {
        struct child *child = &b->child[i];
        struct rusage usage = {0};
        int status = 0;
        if (child->pid == 0 || wait4(child->pid, &status, waits ? 0 : WNOHANG, &usage) <= 0)
            continue;
        const mr_status one = over(b, child, status, &usage, err);
        st = st == MR_OK ? one : st;
    }
    return st;
}

/* ---- the loop ---- */

static mr_status fill(struct batch *b, struct mr_err *err)
{
    for (size_t i = 0; i < b->options->n_slot && !b->is_stopped && b->next < b->n_job; i++)
        if (b->child[i].pid == 0)
            MR_TRY(start(b, &b->child[i], b->next++, err));
    return MR_OK;
}

static void watch_times(struct batch *b)
{
    const uint64_t now_ns = mr_wall_ns();
    for (size_t i = 0; i < b->options->n_slot; i++) {
        struct child *child = &b->child[i];
        if (child->pid == 0 || b->options->timeout_s <= 0)
            continue;
        if (!child->is_late && 1e-9 * (double)(now_ns - child->from_ns) > b->options->timeout_s) {
            child->is_late = true;
            child->kill_ns = after_ns(b->options->grace_s);
            kill_child(child, SIGTERM);
        } else if (child->is_late && now_ns >= child->kill_ns) {
            kill_child(child, SIGKILL);
        }
    }
    if (b->is_stopped && now_ns >= b->stop_ns)
        b->is_over = true;
}

static void take_signals(struct batch *b)
{
    struct signalfd_siginfo info;
    while (read(b->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        const int signal = (int)info.ssi_signo;
        if (signal == SIGCHLD)
            continue;
        if (!b->is_stopped) {
            b->is_stopped = true;
            b->result->signal = signal;
            b->stop_ns = after_ns(b->options->grace_s);
        } else if (signal != SIGUSR1) {
            b->stop_ns = 0;
        }
    }
}

static mr_status loop(struct batch *b, struct mr_err *err)
{
    for (;;) {
        MR_TRY(reap(b, false, err));
        MR_TRY(fill(b, err));
        const struct mr_batch_tell tell = {b->n_row, b->result->n_done + b->result->n_failed,
                                           b->n_running, b->result->n_failed};
        if (b->hooks->tell != NULL)
            b->hooks->tell(b->hooks->context, &tell);
        if (b->n_running == 0)
            return MR_OK;
        struct pollfd poll_of = {.fd = b->signals, .events = POLLIN};
        (void)poll(&poll_of, 1, poll_ms);
        take_signals(b);
        watch_times(b);
        if (b->is_over)
            return MR_OK;
    }
}

/* Whatever happened: no child is left. */
static mr_status clear(struct batch *b, mr_status st, struct mr_err *err)
{
    b->is_over = true;
    for (size_t i = 0; b->child != NULL && i < b->options->n_slot; i++)
        if (b->child[i].pid != 0)
            kill_child(&b->child[i], SIGKILL);
    if (b->child == NULL)
        return st;
    const mr_status last = reap(b, true, err);
    return st == MR_OK ? last : st;
}

size_t mr_batch_slots(uint64_t asked)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return asked > 0 ? (size_t)asked : n > 0 ? (size_t)n : 1;
}

mr_status mr_batch_run(const size_t *row, size_t n_row, const struct mr_batch_options *options,
                       const struct mr_batch_hooks *hooks, struct mr_batch_result *result,
                       struct mr_err *err)
{
    struct batch b = {
        .options = options, .hooks = hooks, .n_row = n_row, .result = result, .signals = -1};
    sigset_t mine;
    *result = (struct mr_batch_result){0};
    sigemptyset(&mine);
    sigaddset(&mine, SIGINT);
    sigaddset(&mine, SIGTERM);
    sigaddset(&mine, SIGUSR1);
    sigaddset(&mine, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mine, &b.outer);
    b.child = mr_alloc_zero(options->n_slot, sizeof *b.child);
    b.signals = signalfd(-1, &mine, SFD_NONBLOCK | SFD_CLOEXEC);
    mr_status st = b.child != NULL ? MR_OK : MR_NOMEM;
    if (b.child == NULL)
        (void)mr_err_nomem(err, options->n_slot * sizeof *b.child);
    if (st == MR_OK && b.signals < 0)
        st = mr_err_set(err, MR_IO, MR_NOWHERE, "signals cannot be read: %s", strerror(errno));
    if (st == MR_OK)
        st = mr_grow(&b.job, &b.cap_job, n_row, sizeof *b.job, err);
    for (size_t i = 0; st == MR_OK && i < n_row; i++)
        b.job[b.n_job++] = (struct job){row[i], 0};
    if (b.child != NULL) {
        st = st == MR_OK ? loop(&b, err) : st;
        st = clear(&b, st, err);
    }
    result->n_left = n_row - result->n_done - result->n_failed;
    if (b.signals >= 0) {
        take_signals(&b); /* a second one must not end this process now */
        close(b.signals);
    }
    mr_free(b.child);
    mr_free(b.job);
    sigprocmask(SIG_SETMASK, &b.outer, NULL);
    return st;
}
