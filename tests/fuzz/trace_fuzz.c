/* SPDX-License-Identifier: Apache-2.0 */
/* Workload files: the first byte forces a format or leaves it to the content. Whatever the bytes
 * are, reading ends; an error says why; a session that is read survives the native form and the
 * packed one unchanged, and can be written as Mooncake, plain and agentic, and as request trace. */
#include "engine/work/session_copy.h"
#include "engine/work/trace.h"
#include "engine/work/trace_pack.h"
#include "engine/work/trace_stat.h"
#include "engine/work/trace_write.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

enum {
    session_max = 50,
    block_max = 1 << 20 /* agentic rows hold every id */
};

/* Sessions of a text as native lines. */
static mr_status read_all(const char *text, size_t n, const struct mr_trace_options *options,
                          struct mr_buf *native)
{
    struct mr_trace *trace;
    struct mr_session session = {0};
    struct mr_trace_stat stat = {0};
    struct mr_err err = {0};
    struct mr_buf body = {0}, agentic = {0}, events = {0}, plain = {0};
    struct mr_trace_lost lost = {0};
    bool has = true;
    mr_status st = mr_trace_open_memory(text, n, "fuzz", options, &trace, &err);
    if (st != MR_OK) {
        require(err.text[0] != '\0', "an error says why");
        return st;
    }
    for (int i = 0; i < session_max && has; i++) {
        st = mr_trace_next(trace, &session, &has, &err);
        if (st != MR_OK || !has)
            break;
        require(mr_trace_stat_add(&stat, &session, mr_trace_book(trace), &err) == MR_OK, "sums");
        mr_trace_write_session(&body, mr_trace_book(trace), &session);
        if (stat.blocks >= block_max)
            continue;
        require(mr_trace_write_agentic(&agentic, mr_trace_book(trace), &session, 0, &lost, &err) ==
                    MR_OK,
                "it can be written as agentic Mooncake");
        require(mr_trace_write_mooncake(&plain, mr_trace_book(trace), &session, 0, &lost, &err) ==
                    MR_OK,
                "it can be written as Mooncake rows");
        require(mr_trace_write_request(&events, mr_trace_book(trace), &session, 0, &lost, &err) ==
                    MR_OK,
                "it can be written as request trace");
    }
    require(st == MR_OK || err.text[0] != '\0', "an error says why");
    mr_trace_write_header(native, mr_trace_book(trace), NULL);
    if (body.n > 0)
        mr_buf_add(native, body.text, body.n);
    mr_buf_fini(&body);
    mr_buf_fini(&agentic);
    mr_buf_fini(&events);
    mr_buf_fini(&plain);
    mr_trace_stat_fini(&stat);
    mr_session_fini(&session);
    mr_trace_close(trace);
    return st;
}

/* A native file, packed. Its names are all known when it has been read once. */
static void pack_all(const struct mr_buf *native, struct mr_buf *packed)
{
    struct mr_trace *trace[2];
    struct mr_session session = {0};
    struct mr_trace_pack pack;
    for (int pass = 0; pass < 2; pass++) {
        bool has = true;
        require(mr_trace_open_memory(native->text, native->n, "fuzz", NULL, &trace[pass], NULL) ==
                    MR_OK,
                "the native form is opened");
        if (pass == 1)
            mr_trace_pack_begin(&pack, packed, mr_trace_book(trace[0]));
        while (has) {
            require(mr_trace_next(trace[pass], &session, &has, NULL) == MR_OK, "and read");
            if (has && pass == 1)
                require(mr_trace_pack_add(&pack, packed, &session, NULL) == MR_OK, "and packed");
        }
    }
    mr_trace_pack_end(&pack, packed);
    mr_session_fini(&session);
    mr_trace_close(trace[0]);
    mr_trace_close(trace[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_trace_options options = {0};
    struct mr_buf first = {0}, second = {0}, packed = {0}, third = {0};
    const char *doc;
    if (size == 0)
        return 0;
    if (data[0] >= 'A' && data[0] <= 'Z')
        options.format = mr_trace_format_at((size_t)(data[0] - 'A'), &doc);
    const mr_status st = read_all((const char *)data + 1, size - 1, &options, &first);
    if (st == MR_OK) {
        require(read_all(first.text, first.n, NULL, &second) == MR_OK, "the native form is read");
        require(
            mr_str_eq((struct mr_str){first.text, first.n}, (struct mr_str){second.text, second.n}),
            "it is the same again");
        pack_all(&first, &packed);
        require(read_all(packed.text, packed.n, NULL, &third) == MR_OK, "the packed form is read");
        require(
            mr_str_eq((struct mr_str){first.text, first.n}, (struct mr_str){third.text, third.n}),
            "it is the same, too");
    }
    mr_buf_fini(&first);
    mr_buf_fini(&second);
    mr_buf_fini(&packed);
    mr_buf_fini(&third);
    return 0;
}
