/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/share: the order of the search path. */
#include "engine/base/share.h"

#include "tests/test.h"

#include <sys/stat.h>
#include <unistd.h>

MR_TEST(naming_file_first_then_millrace_path)
{
    char near_file[512], far[512];
    struct mr_buf path = {0};
    mkdir(mr_test_tmp_path("near"), 0777);
    mkdir(mr_test_tmp_path("far"), 0777);
    snprintf(near_file, sizeof near_file, "%s", mr_test_write("near/card.xml", "x", 1));
    snprintf(far, sizeof far, "%s", mr_test_write("far/card.xml", "x", 1));
    mr_test_write("far/other.xml", "x", 1);
    setenv("MILLRACE_PATH", "/no/such/folder", 1);
    struct mr_err err = {0};
    char naming[512], folder[512];
    snprintf(naming, sizeof naming, "%s", mr_test_tmp_path("near/a.scenario.xml"));
    snprintf(folder, sizeof folder, "/no/such:%s", mr_test_tmp_path("far"));
    setenv("MILLRACE_PATH", folder, 1);
    assert_int_equal(mr_share_find("card.xml", naming, &path, &err), MR_OK);
    assert_string_equal(path.text, near_file);
    assert_int_equal(mr_share_find("card.xml", NULL, &path, &err), MR_OK);
    assert_string_equal(path.text, far);
    assert_int_equal(mr_share_find("other.xml", naming, &path, &err), MR_OK);
    mr_assert_contains(path.text, "/far/other.xml");
    mr_buf_fini(&path);
}

/* The program finds the tree through its own place: not when it is built elsewhere. */
static bool is_built_in_tree(void)
{
    char exe[1024] = "";
    const ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    return n > 0 && strncmp(exe, MR_SOURCE_DIR "/", strlen(MR_SOURCE_DIR) + 1) == 0;
}

MR_TEST(the_source_tree_is_found_from_the_build_folder)
{
    if (!is_built_in_tree())
        mr_test_skip("built outside of the source tree");
    struct mr_buf path = {0};
    struct mr_err err = {0};
    unsetenv("MILLRACE_PATH");
    assert_int_equal(mr_share_find("engine/base/share.h", NULL, &path, &err), MR_OK);
    mr_buf_fini(&path);
}

MR_TEST(what_is_nowhere_is_said_with_all_folders)
{
    struct mr_buf path = {0};
    struct mr_err err = {0};
    setenv("MILLRACE_PATH", "/no/such/folder", 1);
    assert_int_equal(mr_share_find("no_such_card.xml", "dir/a.xml", &path, &err), MR_REF);
    mr_assert_contains(err.text, "\"no_such_card.xml\" is in none of dir:/no/such/folder:");
    assert_int_equal(mr_share_find("/no/such/absolute.xml", NULL, &path, NULL), MR_REF);
    mr_buf_fini(&path);
}

static mr_status find(void *context, struct mr_err *err)
{
    struct mr_buf path = {0};
    const mr_status st = mr_share_find(context, "a/b.xml", &path, err);
    mr_buf_fini(&path);
    return st;
}

MR_TEST(every_failing_allocation)
{
    if (!is_built_in_tree())
        mr_test_skip("built outside of the source tree");
    static char name[] = "engine/base/share.h";
    mr_test_every_nomem(find, name);
}

MR_TEST_MAIN(MR_TEST_ENTRY(naming_file_first_then_millrace_path),
             MR_TEST_ENTRY(the_source_tree_is_found_from_the_build_folder),
             MR_TEST_ENTRY(what_is_nowhere_is_said_with_all_folders),
             MR_TEST_ENTRY(every_failing_allocation))
