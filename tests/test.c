/* SPDX-License-Identifier: Apache-2.0 */
/* The runner, temporary folders, data look-up and the failing allocator of tests/test.h. */
#include "tests/test.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- failing allocator: the linker routes malloc and friends here (--wrap) ---- */

void *__real_malloc(size_t n);           /* NOLINT: names fixed by the linker */
void *__real_calloc(size_t n, size_t s); /* NOLINT */
void *__real_realloc(void *p, size_t n); /* NOLINT */
void __real_free(void *p);               /* NOLINT */
void *__wrap_malloc(size_t n);           /* NOLINT */
void *__wrap_calloc(size_t n, size_t s); /* NOLINT */
void *__wrap_realloc(void *p, size_t n); /* NOLINT */
void __wrap_free(void *p);               /* NOLINT */

static long n_live, n_seen, fail_at; /* fail_at 0: never */

static int must_fail(void)
{
    return fail_at > 0 && ++n_seen == fail_at;
}

void *__wrap_malloc(size_t n)
{
    void *p = must_fail() ? NULL : __real_malloc(n);
    n_live += p != NULL;
    return p;
}

void *__wrap_calloc(size_t n, size_t s)
{
    void *p = must_fail() ? NULL : __real_calloc(n, s);
    n_live += p != NULL;
    return p;
}

void *__wrap_realloc(void *p, size_t n)
{
    if (must_fail())
        return NULL;
    void *q = __real_realloc(p, n);
    n_live += p == NULL && q != NULL;
    return q;
}

void __wrap_free(void *p)
{
    n_live -= p != NULL;
    __real_free(p);
}

long mr_test_live_allocations(void)
{
    return n_live;
}

void mr_test_every_nomem(mr_status (*body)(void *context, struct mr_err *err), void *context)
{
    enum {
        n_max = 100000
    };
    for (long n = 1; n < n_max; n++) {
        const long before = n_live;
        struct mr_err err = {0};
        n_seen = 0;
        fail_at = n;
        const mr_status st = body(context, &err);
        const int failed = n_seen >= fail_at;
        fail_at = 0;
        if (n_live != before)
            fail_msg("allocation %ld failing: %ld allocations leaked", n, n_live - before);
        if (!failed) {
            if (st != MR_OK)
                fail_msg("nothing failed, yet: %s: %s", mr_status_name(st), err.text);
            if (n == 1)
                fail_msg("the body never allocates: this test proves nothing");
            return;
        }
        if (st != MR_NOMEM)
            fail_msg("allocation %ld failing: status %s instead of NOMEM (%s)", n,
                     mr_status_name(st), err.text);
    }
    fail_msg("still failing after %d allocations", n_max);
}

/* ---- temporary folder ---- */

static char tmp_folder[64];

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

const char *mr_test_tmp(void)
{
    if (tmp_folder[0] == '\0') {
        strcpy(tmp_folder, "/tmp/millrace-test-XXXXXX");
        if (mkdtemp(tmp_folder) == NULL)
            fail_msg("mkdtemp: %s", strerror(errno));
    }
    return tmp_folder;
}

const char *mr_test_tmp_path(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", mr_test_tmp(), name);
    return path;
}

const char *mr_test_write(const char *name, const void *bytes, size_t n)
{
    const char *path = mr_test_tmp_path(name);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
        fail_msg("%s: %s", path, strerror(errno));
    return path;
}

const char *mr_test_data(const char *name)
{
    static char path[1024];
    const char *root = getenv("MILLRACE_DATA");
    if (root != NULL && root[0] != '\0')
        snprintf(path, sizeof path, "%s/%s", root, name);
    else
        snprintf(path, sizeof path, "%s/../shared/data/%s", MR_SOURCE_DIR, name);
    return access(path, R_OK) == 0 ? path : NULL;
}

/* ---- assertions ---- */

void mr_test_near(double a, double b, double rel, double abs_tol, const char *what,
                  const char *file, int line)
{
    const double scale = fmax(fabs(a), fabs(b));
    if (!isfinite(a) || !isfinite(b) || fabs(a - b) > rel * scale + abs_tol) {
        print_error("%s = %.17g, expected %.17g (off by %.3g)\n", what, a, b, a - b);
        _fail(file, line);
    }
}

void mr_test_contains(const char *text, const char *part, const char *file, int line)
{
    if (strstr(text, part) == NULL) {
        print_error("\"%s\"\n  does not contain \"%s\"\n", text, part);
        _fail(file, line);
    }
}

/* The child says on a pipe why it dies: its signals are the default ones again (cmocka catches them
 * to fail the test), and 3 means that the body came back. */
void mr_test_refused(void (*body)(void *context), void *context, const char *cond, const char *file,
                     int line)
{
    int ends[2], status = 0;
    char text[1024];
    size_t n = 0;
    if (pipe(ends) != 0)
        fail_msg("pipe: %s", strerror(errno));
    fflush(NULL);
    const pid_t child = fork();
    if (child < 0)
        fail_msg("fork: %s", strerror(errno));
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], STDERR_FILENO);
        body(context);
        _exit(3);
    }
    close(ends[1]);
    for (ssize_t got;
         n < sizeof text - 1 && (got = read(ends[0], text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    close(ends[0]);
    if (waitpid(child, &status, 0) != child)
        fail_msg("waitpid: %s", strerror(errno));
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) {
        print_error("not refused: \"%s\"; %s\n", cond, text);
        _fail(file, line);
    }
    mr_test_contains(text, cond, file, line);
}

/* ---- runner ---- */

static int run_and_clean(const struct CMUnitTest *tests, size_t n)
{
    const int failed = _cmocka_run_group_tests("millrace", tests, n, NULL, NULL);
    if (tmp_folder[0] != '\0')
        nftw(tmp_folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return failed != 0;
}

int mr_test_run(const struct CMUnitTest *tests, size_t n, int argc, char **argv)
{
    if (argc < 2)
        return run_and_clean(tests, n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(tests[i].name, argv[1]) == 0)
            return run_and_clean(&tests[i], 1);
    fprintf(stderr, "no test \"%s\"\n", argv[1]);
    return 2;
}
