/* SPDX-License-Identifier: Apache-2.0 */
/* The packed form, whole and damaged. */
#include "tests/engine/work/trace_whole.h"

/* Whatever is cut off or changed is found out: by the size, by a rule of sessions, or by the hash.
 */
MR_TEST(packed_and_damaged)
{
    struct whole whole, again;
    struct mr_buf packed = {0};
    read_text(&whole, demo);
    write_pack(&whole, &packed);
    for (size_t n = 0; n < packed.n; n++) {
        read_with(&again, packed.text, n, &(struct mr_trace_options){.format = "pack"});
        if (again.status == MR_OK)
            fail_msg("%zu of %zu bytes are enough", n, packed.n);
        close_whole(&again);
    }
    for (size_t i = 0; i < packed.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            packed.text[i] = (char)(packed.text[i] ^ 1 << bit);
            read_with(&again, packed.text, packed.n, &(struct mr_trace_options){.format = "pack"});
            if (again.status == MR_OK)
                fail_msg("bit %d of byte %zu may be anything", bit, i);
            close_whole(&again);
            packed.text[i] = (char)(packed.text[i] ^ 1 << bit);
        }
    mr_buf_add(&packed, "x", 1);
    read_with(&again, packed.text, packed.n, NULL);
    mr_assert_contains(again.err.text, "behind its end");
    close_whole(&again);
    /* a record of 4 GB in a file of 60 bytes; another version; a file of another kind */
    memcpy(packed.text + 12, "\xff\xff\xff\xff", 4);
    read_with(&again, packed.text, 60, NULL);
    mr_assert_contains(again.err.text, "cut off");
    close_whole(&again);
    packed.text[8] = 2;
    read_with(&again, packed.text, packed.n, NULL);
    mr_assert_contains(again.err.text, "version 2");
    close_whole(&again);
    read_with(&again, demo, strlen(demo), &(struct mr_trace_options){.format = "pack"});
    mr_assert_contains(again.err.text, "not a packed trace");
    close_whole(&again);
    mr_buf_fini(&packed);
    close_whole(&whole);
}

static mr_status read_packed(void *context, struct mr_err *err)
{
    const struct mr_buf *packed = context;
    struct mr_trace *trace = NULL;
    struct mr_session session = {0};
    bool has = true;
    mr_status st = mr_trace_open_memory(packed->text, packed->n, "p", NULL, &trace, err);
    while (st == MR_OK && has)
        st = mr_trace_next(trace, &session, &has, err);
    mr_session_fini(&session);
    mr_trace_close(trace);
    return st;
}

MR_TEST(packed_every_failing_allocation)
{
    struct whole whole;
    struct mr_buf packed = {0};
    read_text(&whole, demo);
    write_pack(&whole, &packed);
    mr_test_every_nomem(read_packed, &packed);
    mr_buf_fini(&packed);
    close_whole(&whole);
}

MR_TEST_MAIN(MR_TEST_ENTRY(packed_and_damaged), MR_TEST_ENTRY(packed_every_failing_allocation))
