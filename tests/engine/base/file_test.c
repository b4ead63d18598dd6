/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/file: atomic output, locks, full disk, failing allocator. */
#include "engine/base/file.h"

#include "engine/base/gz.h"
#include "engine/base/mem.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t read_back(const char *path, char *buf, size_t cap)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(buf, 1, cap, f);
    fclose(f);
    return n;
}

MR_TEST(written_only_when_complete)
{
    const char *path = mr_test_tmp_path("a.json");
    struct mr_file_out out;
    struct mr_err err = {0};
    assert_int_equal(mr_file_out_open(&out, path, false, &err), MR_OK);
    assert_int_equal(mr_file_out_add(&out, "hello ", 6, &err), MR_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(mr_file_out_add(&out, "world", 5, &err), MR_OK);
    assert_int_equal(mr_file_out_commit(&out, &err), MR_OK);
    char buf[64];
    assert_int_equal(read_back(path, buf, sizeof buf), 11);
    assert_memory_equal(buf, "hello world", 11);
    assert_int_equal(access(mr_test_tmp_path("a.json.part"), F_OK), -1);
}

/* Pieces of all sizes: those of the buffer, larger ones, none. */
MR_TEST(names_in_gz_are_compressed)
{
    enum {
        n_line = 30000
    };
    const char *path = mr_test_tmp_path("a.json.gz");
    static char large[200000];
    struct mr_file_out out;
    char *text = NULL;
    size_t n = 0;
    memset(large, 'x', sizeof large);
    assert_int_equal(mr_file_out_open(&out, path, false, NULL), MR_OK);
    for (int i = 0; i < n_line; i++)
        assert_int_equal(mr_file_out_add(&out, "hello\n", 6, NULL), MR_OK);
    assert_int_equal(mr_file_out_add(&out, large, sizeof large, NULL), MR_OK);
    assert_int_equal(mr_file_out_commit(&out, NULL), MR_OK);
    struct mr_gz *gz = NULL;
    assert_int_equal(mr_gz_open(path, &gz, NULL), MR_OK);
    assert_int_equal(mr_gz_read_all(gz, 1 << 20, &text, &n, NULL), MR_OK);
    assert_true(mr_gz_is_compressed(gz));
    assert_int_equal(n, 6 * n_line + sizeof large);
    assert_memory_equal(text + 6 * (n_line - 1), "hello\nxxx", 9);
    mr_free(text);
    mr_gz_close(gz);
    /* nothing is a member without bytes, which gzip takes; not a file without any */
    const char *empty = mr_test_tmp_path("empty.json.gz");
    assert_int_equal(mr_file_out_open(&out, empty, false, NULL), MR_OK);
    assert_int_equal(mr_file_out_commit(&out, NULL), MR_OK);
    assert_int_equal(mr_gz_open(empty, &gz, NULL), MR_OK);
    assert_int_equal(mr_gz_read_all(gz, 1 << 20, &text, &n, NULL), MR_OK);
    assert_true(mr_gz_is_compressed(gz));
    assert_int_equal(n, 0);
    mr_free(text);
    mr_gz_close(gz);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(existing_files_are_kept)
{
    const char *path = mr_test_write("b.json", "old", 3);
    struct mr_err err = {0};
    assert_int_equal(mr_file_write(path, false, MR_STR("new"), &err), MR_IO);
    mr_assert_contains(err.text, "exists already (-f overwrites it)");
    char buf[8];
    read_back(path, buf, sizeof buf);
    assert_memory_equal(buf, "old", 3);
    struct mr_err none = {0};
    assert_int_equal(mr_file_write(path, true, MR_STR("new"), &none), MR_OK);
    read_back(path, buf, sizeof buf);
    assert_memory_equal(buf, "new", 3);
}

MR_TEST(abort_leaves_nothing)
{
    const char *path = mr_test_tmp_path("c.json");
    struct mr_file_out out;
    assert_int_equal(mr_file_out_open(&out, path, false, NULL), MR_OK);
    assert_int_equal(mr_file_out_add(&out, "x", 1, NULL), MR_OK);
    mr_file_out_abort(&out);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(mr_test_tmp_path("c.json.part"), F_OK), -1);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(stale_parts_are_replaced_live_ones_respected)
{
    char part[512];
    snprintf(part, sizeof part, "%s", mr_test_write("d.json.part", "left by a crash", 15));
    const char *path = mr_test_tmp_path("d.json");
    struct mr_err err = {0};
    assert_int_equal(mr_file_write(path, false, MR_STR("ok"), &err), MR_OK);
    char buf[64];
    assert_int_equal(read_back(path, buf, sizeof buf), 2);

    int to_child[2], to_parent[2];
    assert_int_equal(pipe(to_child) | pipe(to_parent), 0);
    const pid_t child = fork();
    if (child == 0) { /* holds the lock until told to go */
        struct mr_file_out held;
        char c = 'x';
        const int failed = mr_file_out_open(&held, path, true, NULL) != MR_OK ||
                           write(to_parent[1], &c, 1) != 1 || read(to_child[0], &c, 1) != 1;
        mr_file_out_abort(&held);
        _exit(failed);
    }
    char c;
    assert_int_equal(read(to_parent[0], &c, 1), 1);
    assert_true(mr_file_is_held(part));
    assert_false(mr_file_is_held(path));
    assert_int_equal(mr_file_write(path, true, MR_STR("second"), &err), MR_IO);
    mr_assert_contains(err.text, "another process is writing");
    assert_int_equal(write(to_child[1], &c, 1), 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_false(mr_file_is_held(part)); /* there is none */
}

MR_TEST(a_library_that_closes_the_part_does_not_unlock_it)
{
    const char *path = mr_test_tmp_path("held.h5");
    struct mr_file_out out, second;
    struct mr_err err = {0};
    assert_int_equal(mr_file_out_open(&out, path, false, &err), MR_OK);
    const int fd = open(out.part, O_RDWR);
    assert_true(fd >= 0 && close(fd) == 0);
    const pid_t child = fork();
    if (child == 0)
        _exit(mr_file_out_open(&second, path, true, NULL) == MR_IO ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    mr_file_out_abort(&out);
}

MR_TEST(a_part_may_be_kept)
{
    struct mr_file_out out;
    assert_int_equal(mr_file_out_open(&out, mr_test_tmp_path("kept.h5"), false, NULL), MR_OK);
    out.is_part_kept = true;
    mr_file_out_abort(&out);
    assert_int_equal(access(mr_test_tmp_path("kept.h5"), F_OK), -1);
    assert_int_equal(access(mr_test_tmp_path("kept.h5.part"), F_OK), 0);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(large_output_streams)
{
    static char block[100000];
    memset(block, 'z', sizeof block);
    const char *path = mr_test_tmp_path("e.csv");
    struct mr_file_out out;
    assert_int_equal(mr_file_out_open(&out, path, false, NULL), MR_OK);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(mr_file_out_add(&out, block, 1000, NULL), MR_OK);
        assert_int_equal(mr_file_out_add(&out, block, sizeof block, NULL), MR_OK);
    }
    assert_int_equal(mr_file_out_commit(&out, NULL), MR_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 50 * 101000);
}

MR_TEST(errors_name_the_file)
{
    struct mr_err full = {0}, folder = {0};
    if (access("/dev/full", W_OK) != 0)
        mr_test_skip("no /dev/full here");
    assert_int_equal(mr_file_write("/dev/full", true, MR_STR("x"), &full), MR_IO);
    assert_string_equal(full.file, "/dev/full");
    mr_assert_contains(full.text, "No space left");
    assert_int_equal(mr_file_write("/no/such/folder/x", true, MR_STR("x"), &folder), MR_IO);
    assert_string_equal(folder.file, "/no/such/folder/x.part");
    assert_int_equal(mr_test_live_allocations(), 0);
}

static mr_status write_one(void *context, struct mr_err *err)
{
    return mr_file_write(context, true, MR_STR("text"), err);
}

MR_TEST(every_failing_allocation)
{
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_tmp_path("f.json"));
    mr_test_every_nomem(write_one, path);
}

MR_TEST(paths_count_from_the_naming_file)
{
    struct mr_buf buf = {0};
    mr_file_join("dir/a.scenario.xml", "b.layout.xml", &buf);
    assert_string_equal(buf.text, "dir/b.layout.xml");
    mr_buf_clear(&buf);
    mr_file_join("a.scenario.xml", "b.layout.xml", &buf);
    assert_string_equal(buf.text, "b.layout.xml");
    mr_buf_clear(&buf);
    mr_file_join("dir/a.scenario.xml", "/abs/b.xml", &buf);
    assert_string_equal(buf.text, "/abs/b.xml");
    mr_buf_fini(&buf);
}

MR_TEST_MAIN(MR_TEST_ENTRY(written_only_when_complete), MR_TEST_ENTRY(names_in_gz_are_compressed),
             MR_TEST_ENTRY(existing_files_are_kept), MR_TEST_ENTRY(abort_leaves_nothing),
             MR_TEST_ENTRY(stale_parts_are_replaced_live_ones_respected),
             MR_TEST_ENTRY(a_library_that_closes_the_part_does_not_unlock_it),
             MR_TEST_ENTRY(a_part_may_be_kept), MR_TEST_ENTRY(large_output_streams),
             MR_TEST_ENTRY(errors_name_the_file), MR_TEST_ENTRY(every_failing_allocation),
             MR_TEST_ENTRY(paths_count_from_the_naming_file))
