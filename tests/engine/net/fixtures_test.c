/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid judges what our reader judges: every fixture and oddity that we take must load there and
 * agree in hosts and links; every mistake must make it abort, unless ours is the stricter one.
 * SimGrid lives once per process and aborts: every text gets a child of its own. */
#include "engine/net/platform.h"
#include "platforms/read.h"
#include "tests/engine/net/sanitizer.h"
#include "tests/platforms/read_cases.h"
#include "tests/test.h"

#include <simgrid/engine.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum verdict {
    LOADED,
    DIFFERS,
    UNREAD,
    ABORTED
};

/* What SimGrid says before it aborts is noise here. */
static void be_quiet(void)
{
    const int null = open("/dev/null", O_WRONLY);
    if (null >= 0) {
        (void)dup2(null, 1);
        (void)dup2(null, 2);
    }
    /* not the sanitizer's or cmocka's report of a death that is meant */
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        (void)signal(signals[i], SIG_DFL);
}

/* The file as it is, past our reader. */
static int load_bare(const char *path)
{
    char *argv[] = {(char[]){"millrace"}, (char[]){"--cfg=network/model:CM02"},
                    (char[]){"--cfg=contexts/factory:thread"}, NULL};
    int argc = 3;
    simgrid_init(&argc, argv);
    simgrid_load_platform(path);
    return LOADED;
}

/* Through our reader, and compared. */
static int load_both(const char *path)
{
    const struct mr_platform_options options = {.under_sanitizer = UNDER_SANITIZER};
    struct mr_diags diags = {0}, found = {0};
    struct mr_err err = {0};
    struct mr_site *site;
    if (mr_read_site(path, &site, &diags) != MR_OK ||
        mr_platform_load(site, &options, &err) != MR_OK)
        return UNREAD;
    mr_platform_check(site, &found);
    return found.n_item == 0 ? LOADED : DIFFERS;
}

static enum verdict judge(const char *path, int (*load)(const char *path))
{
    int status = 0;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        be_quiet();
        (void)alarm(30);
        _exit(load(path));
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) && WEXITSTATUS(status) < ABORTED ? (enum verdict)WEXITSTATUS(status)
                                                              : ABORTED;
}

static size_t n_bad;

static void must_load(const char *what, const char *path)
{
    static const char *const verdicts[] = {"loads", "is read differently by SimGrid",
                                           "is not read by us", "makes SimGrid abort"};
    const enum verdict verdict = judge(path, load_both);
    if (verdict != LOADED)
        print_message("%s %s\n", what, verdicts[verdict]);
    n_bad += verdict != LOADED;
}

MR_TEST(fixtures_load_and_agree)
{
    static const char *const names[] = {"cluster", "fat_tree",     "floyd",   "included", "sample",
                                        "small",   "two_clusters", "vivaldi", "wifi"};
    char path[1024];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/tests/platforms/data/%s.platform.xml", MR_SOURCE_DIR,
                 names[i]);
        must_load(names[i], path);
    }
    assert_int_equal(n_bad, 0);
}

MR_TEST(oddities_load_and_agree)
{
    for (size_t i = 0; i < n_read_oddity; i++)
        must_load(read_oddities[i],
                  mr_test_write("odd.platform.xml", read_oddities[i], strlen(read_oddities[i])));
}

MR_TEST(mistakes_abort_unless_ours_is_the_stricter_reader)
{
    for (size_t i = 0; i < n_read_mistake; i++) {
        const struct read_case *c = &read_mistakes[i];
        if (c->simgrid == NEVER_ENDS)
            continue;
        const enum verdict verdict =
            judge(mr_test_write("bad.platform.xml", c->text, strlen(c->text)), load_bare);
        if (verdict != (c->simgrid == REFUSES ? ABORTED : LOADED))
            print_message("case %zu (%s): SimGrid %s it\n", i, c->part,
                          verdict == LOADED ? "takes" : "refuses");
        n_bad += verdict != (c->simgrid == REFUSES ? ABORTED : LOADED);
    }
    assert_int_equal(n_bad, 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(fixtures_load_and_agree), MR_TEST_ENTRY(oddities_load_and_agree),
             MR_TEST_ENTRY(mistakes_abort_unless_ours_is_the_stricter_reader))
