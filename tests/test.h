/* SPDX-License-Identifier: Apache-2.0 */
/* Every unit test program is a list of MR_TEST functions and one MR_TEST_MAIN. ctest finds the
 * names in the source and runs each in its own process: PROGRAM NAME. Without a name all are run.
 * A test that lacks something it cannot make itself calls mr_test_skip with the reason. */
#ifndef MR_TESTS_TEST_H
#define MR_TESTS_TEST_H

/* order matters: cmocka.h needs these four */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* */
#include "engine/base/status.h"

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MR_TEST(name) static void test_##name(MR_UNUSED void **cmocka_state)
#define MR_TEST_ENTRY(name)                  \
    {                                        \
#name, test_##name, NULL, NULL, NULL \
    }

/* The list names every test once more; one that is forgotten is an unused function, an error in ci.
 */
#define MR_TEST_MAIN(...)                                                    \
    int main(int argc, char **argv)                                          \
    {                                                                        \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                     \
        return mr_test_run(tests, sizeof tests / sizeof *tests, argc, argv); \
    }

/* Exit codes: 0 passed or skipped (ctest knows a skip by its printed reason), 1 failed, 2 no such
 * test. */
int mr_test_run(const struct CMUnitTest *tests, size_t n, int argc, char **argv);

/** Print the reason and end this test as skipped. */
#define mr_test_skip(...)                       \
    do {                                        \
        print_message("SKIPPED: " __VA_ARGS__); \
        print_message("\n");                    \
        skip();                                 \
    } while (0)

/** A fresh folder of this process's own, removed at the end. Lent. */
const char *mr_test_tmp(void);

/** "TMP/name" in a static buffer that the next call reuses. */
const char *mr_test_tmp_path(const char *name);

/** Write a file into the temporary folder. @return its path, as mr_test_tmp_path */
const char *mr_test_write(const char *name, const void *bytes, size_t n);

/** "DATA/name" where the real traces and measurements are (environment MILLRACE_DATA, else
 *  ../shared/data beside the checkout), or NULL when the file is absent. Static buffer. */
const char *mr_test_data(const char *name);

/* |a - b| <= rel * max(|a|, |b|) + abs, both finite */
#define mr_assert_near(a, b, rel, abs) mr_test_near((a), (b), (rel), (abs), #a, __FILE__, __LINE__)
void mr_test_near(double a, double b, double rel, double abs, const char *what, const char *file,
                  int line);

#define mr_assert_contains(text, part) mr_test_contains((text), (part), __FILE__, __LINE__)
void mr_test_contains(const char *text, const char *part, const char *file, int line);

/** `body` must fail an MR_ASSERT whose expression contains `cond`. It runs in a child process, so
 *  nothing it does is seen here. */
#define mr_assert_refused(body, context, cond) \
    mr_test_refused((body), (context), (cond), __FILE__, __LINE__)
void mr_test_refused(void (*body)(void *context), void *context, const char *cond, const char *file,
                     int line);

/* ---- failing allocator ---- */

/** Run `body` with the n-th allocation failing, for n = 1, 2, ... until a run in which none fails.
 *  Every failing run must return MR_NOMEM and leave no
 *  allocation of its own behind; the last must return MR_OK. Counts malloc, calloc, realloc of this
 *  program's objects (link with --wrap, which tests/CMakeLists.txt does for all). */
void mr_test_every_nomem(mr_status (*body)(void *context, struct mr_err *err), void *context);

/** Allocations made and not yet freed by this program's objects. */
long mr_test_live_allocations(void);

#endif
