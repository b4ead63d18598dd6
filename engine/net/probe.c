/* SPDX-License-Identifier: Apache-2.0 */
/* The child's two streams come through one pipe; what counts of them is the last complaint. */
#include "engine/net/probe.h"

#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    patience_s = 60,
    kept_bytes = 8192 /* of the end of what the child says */
};

static void child(void (*load)(const void *what), const void *what, int out)
{
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    (void)alarm(patience_s);
    load(what);
    _exit(0);
}

/* The last bytes up to the end of the stream. @return how many */
static size_t listen_to(int in, char kept[kept_bytes])
{
    size_t n = 0;
    for (;;) {
        if (n == kept_bytes) { /* forget the older half */
            n = kept_bytes / 2;
            memmove(kept, kept + n, n);
        }
        const ssize_t got = read(in, kept + n, kept_bytes - n);
        if (got > 0)
            n += (size_t)got;
        else if (got == 0 || errno != EINTR)
            return n;
    }
}

static bool contains(struct mr_str line, const char *word)
{
    const size_t n = strlen(word);
    for (size_t i = 0; i + n <= line.n; i++)
        if (memcmp(line.p + i, word, n) == 0)
            return true;
    return false;
}

/* "[0.000000] [xbt/CRITICAL] why" -> "why" */
static struct mr_str without_prefix(struct mr_str line)
{
    size_t start = 0;
    for (size_t i = 0; i + 1 < line.n; i++)
        if (line.p[i] == ']' && line.p[i + 1] == ' ')
            start = i + 2;
    return mr_str_trim((struct mr_str){line.p + start, line.n - start});
}

/* The first line that is critical, else the last that complains, else the first there is. */
static struct mr_str complaint(const char *text, size_t n)
{
    struct mr_str critical = {"", 0}, error = {"", 0}, first = {"", 0};
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && text[end] != '\n')
            end++;
        const struct mr_str line = mr_str_trim((struct mr_str){text + i, end - i});
        const bool is_where = contains(line, "acktrace"); /* how SimGrid got there */
        if (first.n == 0)
            first = line;
        if (critical.n == 0 && !is_where && contains(line, "CRITICAL"))
            critical = line;
        if (!is_where && (contains(line, "rror") || contains(line, "what()")))
            error = line;
        i = end + 1;
    }
    return without_prefix(critical.n > 0 ? critical : error.n > 0 ? error : first);
}

mr_status mr_probe(void (*load)(const void *what), const void *what, const char *name,
                   struct mr_err *err)
{
    const struct mr_place at = {name, 0, 0};
    char kept[kept_bytes], quoted[MR_QUOTE_CAP];
    int ends[2], status = 0;
    if (pipe(ends) != 0)
        return mr_err_set(err, MR_IO, at, "no pipe for SimGrid's trial: %s", strerror(errno));
    (void)fflush(NULL); /* what is buffered is this process's to say */
    const pid_t pid = fork();
    if (pid == 0)
        child(load, what, ends[1]);
    (void)close(ends[1]);
    const size_t n = pid > 0 ? listen_to(ends[0], kept) : 0;
    (void)close(ends[0]);
    if (pid < 0)
        return mr_err_set(err, MR_IO, at, "no process for SimGrid's trial: %s", strerror(errno));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return MR_OK;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return mr_err_set(err, MR_SCHEMA, at, "SimGrid reads it for more than %d s without an end",
                          patience_s);
    const struct mr_str why = complaint(kept, n);
    return mr_err_set(err, MR_SCHEMA, at, "SimGrid refuses it: %s",
                      why.n > 0 ? mr_text_quote(why, quoted) : "it says nothing and ends");
}
