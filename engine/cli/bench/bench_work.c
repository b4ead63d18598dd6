/* SPDX-License-Identifier: Apache-2.0 */
/* A round reads one whole file from memory to sessions, checks them and throws them away. Files are
 * real ones, as they are or inflated, drawn sessions in every form that can be written, or rows
 * made up for readers that have neither. The packed form is compared with reading the same sessions
 * as text, all others with adding the bytes.
 */
#include "engine/cli/bench/bench_work.h"

#include "engine/base/gz.h"
#include "engine/base/mem.h"
#include "engine/work/synthetic.h"
#include "engine/work/trace_pack.h"
#include "engine/work/trace_write.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    n_drawn = 300,
    n_request = 4000,
    n_hash = 120, /* of a request */
    file_bytes_max = 1 << 28
};

struct work_job {
    char *bytes;      /* what is read */
    char *plain_text; /* of the reference loop, if it is not the same */
    size_t n, n_plain;
    struct mr_session session; /* warm: readers allocate nothing for one */
};

static struct work_job *new_job(struct mr_bench_job *job)
{
    job->data = mr_alloc_zero(1, sizeof(struct work_job));
    return job->data;
}

static void free_job(void *data)
{
    struct work_job *own = data;
    mr_session_fini(&own->session);
    mr_free(own->bytes);
    mr_free(own->plain_text);
    mr_free(own);
}

static uint64_t read_bytes(struct work_job *own, const char *bytes, size_t n)
{
    struct mr_trace *trace = NULL;
    uint64_t sum = 0;
    bool has_session = true;
    mr_status st = mr_trace_open_memory(bytes, n, "bench", NULL, &trace, NULL);
    while (st == MR_OK && has_session) {
        st = mr_trace_next(trace, &own->session, &has_session, NULL);
        for (size_t i = 0; st == MR_OK && has_session && i < own->session.n_llm; i++)
            sum += own->session.llm[i].n_input + own->session.llm[i].n_block;
    }
    mr_trace_close(trace);
    return st == MR_OK ? sum : 0;
}

static uint64_t work_read(void *data)
{
    struct work_job *own = data;
    return read_bytes(own, own->bytes, own->n);
}

static uint64_t plain_read(void *data)
{
    struct work_job *own = data;
    return read_bytes(own, own->plain_text, own->n_plain);
}

static uint64_t plain_add(void *data)
{
    const struct work_job *own = data;
    const char *text = own->plain_text != NULL ? own->plain_text : own->bytes;
    const size_t n = own->plain_text != NULL ? own->n_plain : own->n;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (unsigned char)text[i];
    return sum;
}

/* ---- files ---- */

static mr_status open_file(const struct mr_bench_case *self, struct mr_bench_job *job,
                           struct mr_gz **gz, struct mr_err *err)
{
    const char *root = getenv("MILLRACE_DATA");
    struct mr_buf path = {0};
    struct mr_err absent = {0};
    mr_buf_printf(&path, "%s/%s", root != NULL && root[0] != '\0' ? root : "../shared/data",
                  self->file);
    MR_TRY(mr_buf_check(&path, err));
    mr_status st = mr_gz_open(path.text, gz, &absent);
    if (st == MR_IO) {
        snprintf(job->skipped, sizeof job->skipped, "%.120s: not found (MILLRACE_DATA)", path.text);
        st = MR_OK;
    }
    mr_buf_fini(&path);
    return st;
}

/* Inflated; with size 1 compressed again, its bytes being those of the text. */
static mr_status setup_file(const struct mr_bench_case *self, struct mr_bench_job *job,
                            struct mr_err *err)
{
    struct mr_gz *gz = NULL;
    MR_TRY(open_file(self, job, &gz, err));
    if (gz == NULL)
        return MR_OK;
    struct work_job *own = new_job(job);
    if (own == NULL) {
        mr_gz_close(gz);
        return mr_err_nomem(err, sizeof *own);
    }
    mr_status st = mr_gz_read_all(gz, file_bytes_max, &own->bytes, &own->n, err);
    mr_gz_close(gz);
    if (st != MR_OK)
        return st;
    job->n_op = own->n;
    if (self->size == 0)
        return MR_OK;
    void *packed = NULL;
    own->plain_text = own->bytes;
    own->n_plain = own->n;
    own->bytes = NULL;
    st = mr_gz_compress(own->plain_text, own->n_plain, 6, &packed, &own->n, err);
    own->bytes = packed;
    return st;
}

/* ---- drawn sessions ---- */

enum form {
    form_native,
    form_agentic,
    form_pack
};

/* All drawn sessions in one form. @param[in,out] book with all their names */
static mr_status write_drawn(enum form form, struct mr_session *session,
                             struct mr_session_book *book, struct mr_buf *buf, uint64_t *n_call,
                             struct mr_err *err)
{
    const struct mr_synthetic synthetic = {.seed = 1, .context_max = 1 << 18, .block_tok = 64};
    struct mr_trace_pack pack = {0};
    struct mr_trace_lost lost = {0};
    mr_status st = mr_synthetic_draw(&synthetic, 0, session, book, err);
    *n_call = 0;
    if (form == form_native)
        mr_trace_write_header(buf, book, NULL);
    else if (form == form_agentic)
        mr_trace_write_agentic_header(buf, book, NULL);
    else
        mr_trace_pack_begin(&pack, buf, book);
    for (uint64_t i = 0; i < n_drawn && st == MR_OK; i++) {
        st = mr_synthetic_draw(&synthetic, i, session, book, err);
        *n_call += session->n_llm;
        if (st == MR_OK && form == form_agentic)
            st = mr_trace_write_agentic(buf, book, session, i, &lost, err);
        else if (st == MR_OK && form == form_pack)
            st = mr_trace_pack_add(&pack, buf, session, err);
        else if (st == MR_OK)
            mr_trace_write_session(buf, book, session);
    }
    if (form == form_pack)
        mr_trace_pack_end(&pack, buf);
    return st == MR_OK ? mr_buf_check(buf, err) : st;
}

/* Takes the bytes. */
static void take(struct mr_buf *buf, char **bytes, size_t *n)
{
    *bytes = buf->text;
    *n = buf->n;
    *buf = (struct mr_buf){0};
}

static mr_status setup_drawn(const struct mr_bench_case *self, struct mr_bench_job *job,
                             struct mr_err *err)
{
    struct mr_session_book book = {0};
    struct mr_buf buf = {0};
    uint64_t n_call;
    struct work_job *own = new_job(job);
    if (own == NULL)
        return mr_err_nomem(err, sizeof *own);
    const enum form form = (enum form)self->size;
    mr_status st = write_drawn(form, &own->session, &book, &buf, &n_call, err);
    take(&buf, &own->bytes, &own->n);
    job->n_op = form == form_pack ? n_call : own->n;
    if (st == MR_OK && form == form_pack) {
        st = write_drawn(form_native, &own->session, &book, &buf, &n_call, err);
        take(&buf, &own->plain_text, &own->n_plain);
    }
    mr_buf_fini(&buf);
    mr_session_book_fini(&book);
    return st;
}

/* Calls of growing sessions, ten at a time, by their hashes. */
static mr_status setup_requests(const struct mr_bench_case *self, struct mr_bench_job *job,
                                struct mr_err *err)
{
    struct mr_buf buf = {0};
    struct work_job *own = new_job(job);
    (void)self;
    if (own == NULL)
        return mr_err_nomem(err, sizeof *own);
    for (int i = 0; i < n_request; i++) {
        mr_buf_printf(&buf,
                      "{\"schema\":\"dynamo.request.trace.v1\",\"event_type\":\"request_end\","
                      "\"event_time_unix_ms\":%d,\"agent_context\":{\"session_id\":\"s%d\"},"
                      "\"request\":{\"request_id\":\"r%d\",\"model\":\"m\",\"output_tokens\":200,"
                      "\"request_received_ms\":%d,\"replay\":{\"trace_block_size\":64,"
                      "\"input_length\":%d,\"input_sequence_hashes\":[",
                      1000 * i + 900, i % 10, i, 1000 * i, 64 * n_hash);
        for (int k = 0; k < n_hash; k++)
            mr_buf_printf(&buf, k > 0 ? ",%llu" : "%llu",
                          (unsigned long long)(k < n_hash - 2 ? i % 10 + 1 : i + 10) *
                                  UINT64_C(0x9e3779b97f4a7c15) +
                              (uint64_t)k * UINT64_C(0xbf58476d1ce4e5b9));
        mr_buf_text(&buf, "]}}}\n");
    }
    const mr_status st = mr_buf_check(&buf, err);
    take(&buf, &own->bytes, &own->n);
    job->n_op = own->n;
    return st;
}

/* ---- formats that no file here is of ---- */

enum made {
    made_tracelab,
    made_burstgpt,
    made_csv,
    made_bailian,
    made_applied,
    made_agentic1,
    made_satf,
    made_otel
};

static void put_ids(struct mr_buf *buf, int first, int n)
{
    for (int k = 0; k < n; k++)
        mr_buf_printf(buf, k > 0 ? ",%d" : "%d", first + k);
}

static void put_span(struct mr_buf *buf, int i)
{
    mr_buf_printf(buf,
                  "%s{\"traceId\":\"t%d\",\"spanId\":\"%d\",\"parentSpanId\":\"%d\",\"name\":\"x\","
                  "\"startTimeUnixNano\":\"%d000000000\",\"endTimeUnixNano\":\"%d500000000\","
                  "\"attributes\":[{\"key\":\"gen_ai.operation.name\",\"value\":{\"stringValue\":",
                  i > 0 ? "," : "", i / 20, i, i % 20 > 0 ? i - i % 20 : i - 1, 1777000000 + i,
                  1777000000 + i);
    if (i % 20 == 0) { /* an agent, below a span that is not told */
        mr_buf_text(buf, "\"invoke_agent\"}}]}");
        return;
    }
    mr_buf_printf(buf,
                  "\"chat\"}},{\"key\":\"gen_ai.usage.input_tokens\",\"value\":{\"intValue\":"
                  "\"%d\"}},{\"key\":\"gen_ai.usage.output_tokens\",\"value\":{\"intValue\":\"200\""
                  "}},{\"key\":\"gen_ai.usage.cache_read.input_tokens\",\"value\":{\"intValue\":"
                  "\"%d\"}}]}",
                  i % 20 * 1000, i % 20 * 900);
}

static void put_graph(struct mr_buf *buf, int i)
{
    mr_buf_printf(buf, "%s{\"session_id\":\"s%d\",\"nodes\":[", i > 0 ? "," : "", i);
    for (int k = 0; k < 10; k++) {
        mr_buf_printf(
            buf,
            "%s{\"kind\":\"llm_infer\",\"id\":\"c%d\",\"duration_us\":1500000,\"payload\":{"
            "\"input_tokens_total\":%d,\"output_tokens\":200,\"kv_block_ids\":[",
            k > 0 ? "," : "", k, 64 * 10 * (k + 1));
        put_ids(buf, 1000 * i, 10 * (k + 1));
        mr_buf_text(buf, "]}}");
    }
    mr_buf_text(buf, "],\"edges\":[");
    for (int k = 1; k < 10; k++)
        mr_buf_printf(buf,
                      "%s{\"from\":\"c%d\",\"to\":\"c%d\",\"delay_after_predecessor_us\":9000000}",
                      k > 1 ? "," : "", k - 1, k);
    mr_buf_text(buf, "]}");
}

static void put_row(struct mr_buf *buf, enum made made, int i)
{
    switch (made) {
    case made_tracelab:
        mr_buf_printf(buf, "s%d,%d,%d,%d,700,200,1500\n", i % 50, 1000 * i, i / 50, i / 50 * 900);
        return;
    case made_burstgpt:
        mr_buf_printf(buf, "%d.25,ChatGPT,%d,230,%d,Conversation log\n", i + i % 3, 400 + i % 97,
                      630 + i % 97);
        return;
    case made_csv:
        mr_buf_printf(buf, "%d.125,%d,200\n", i, 400 + i % 97);
        return;
    case made_bailian:
        mr_buf_printf(
            buf,
            "{\"chat_id\":%d,\"parent_chat_id\":%d,\"timestamp\":%d.5,\"input_length\":640,"
            "\"output_length\":200,\"type\":\"text\",\"turn\":1,\"hash_ids\":[",
            i, i % 3 == 0 ? -1 : i - 1, i);
        put_ids(buf, 100 * i + 1, 40);
        mr_buf_text(buf, "]}\n");
        return;
    case made_applied:
        mr_buf_text(buf, "{\"num_turns\":4,\"input_prompt_length\":9000,"
                         "\"assistant_response_length\":[200,300,250],"
                         "\"tool_call_output_length\":[900,40,1300],"
                         "\"tool_call_latency\":[1.25,0.5,12.125],"
                         "\"final_assistant_response_length\":700}\n");
        return;
    case made_agentic1:
        mr_buf_printf(buf,
                      "{\"request_id\":\"r%d\",\"session_id\":\"s%d\",\"timestamp\":%d,"
                      "\"input_length\":20480,\"output_length\":200,\"tool_wait_ms\":1500,",
                      i, i / 20, 1000 * i);
        if (i % 20 > 0)
            mr_buf_printf(buf, "\"wait_for\":[\"r%d\"],", i - 1);
        mr_buf_text(buf, "\"hash_ids\":[");
        put_ids(buf, 100 * (i / 20) + 1, 40);
        mr_buf_text(buf, "]}\n");
        return;
    case made_satf:
        put_graph(buf, i);
        return;
    case made_otel:
        put_span(buf, i);
        return;
    }
}

static mr_status setup_made(const struct mr_bench_case *self, struct mr_bench_job *job,
                            struct mr_err *err)
{
    static const struct {
        const char *head, *tail;
        int n;
    } texts[] = {
        [made_tracelab] = {"session_id,arrival_time,round_idx,prefix_len,input_len,output_len,"
                           "tool_wait_after_ms\n",
                           "", 40000},
        [made_burstgpt] = {"Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n",
                           "", 40000},
        [made_csv] = {"arrived_s,input,output\n", "", 80000},
        [made_bailian] = {"", "", 5000},
        [made_applied] = {"", "", 8000},
        [made_agentic1] = {"", "", 5000},
        [made_satf] = {"{\"format\":\"satf\",\"block_size_tokens\":64,\"sessions\":[", "]}\n", 500},
        [made_otel] = {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[", "]}]}]}\n", 5000}};
    struct mr_buf buf = {0};
    struct work_job *own = new_job(job);
    if (own == NULL)
        return mr_err_nomem(err, sizeof *own);
    mr_buf_text(&buf, texts[self->size].head);
    for (int i = 0; i < texts[self->size].n; i++)
        put_row(&buf, (enum made)self->size, i);
    mr_buf_text(&buf, texts[self->size].tail);
    const mr_status st = mr_buf_check(&buf, err);
    take(&buf, &own->bytes, &own->n);
    job->n_op = own->n;
    if (st == MR_OK && work_read(own) == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: what it has made up is not read",
                          self->name);
    return st;
}

// clang-format off
#define READ_CASE(name_, setup_, file_, size_) \
    {.name = (name_), .op = "byte", .reference = "adding the bytes", .setup = (setup_), .work = work_read, \
     .plain = plain_add, .teardown = free_job, .file = (file_), .size = (size_)}

static const struct mr_bench_case cases[] = {
    READ_CASE("work/read_weka_packed", setup_file, "agentic/packed_dedup.jsonl.gz", 0),
    READ_CASE("work/read_weka_packed_gzip", setup_file, "agentic/packed_dedup.jsonl.gz", 1),
    READ_CASE("work/read_weka", setup_file, "agentic/raw/trace_0295_excerpt.json", 0),
    READ_CASE("work/read_mooncake", setup_file, "mooncake/conversation_trace.jsonl.gz", 0),
    READ_CASE("work/read_mooncake_gzip", setup_file, "mooncake/conversation_trace.jsonl.gz", 1),
    READ_CASE("work/read_azure", setup_file, "azure/azure_llm_2023_conv.csv", 0),
    READ_CASE("work/read_native", setup_drawn, NULL, form_native),
    READ_CASE("work/read_agentic", setup_drawn, NULL, form_agentic),
    READ_CASE("work/read_request", setup_requests, NULL, 0),
    READ_CASE("work/read_tracelab", setup_made, NULL, made_tracelab),
    READ_CASE("work/read_burstgpt", setup_made, NULL, made_burstgpt),
    READ_CASE("work/read_csv", setup_made, NULL, made_csv),
    READ_CASE("work/read_bailian", setup_made, NULL, made_bailian),
    READ_CASE("work/read_applied", setup_made, NULL, made_applied),
    READ_CASE("work/read_agentic1", setup_made, NULL, made_agentic1),
    READ_CASE("work/read_satf", setup_made, NULL, made_satf),
    READ_CASE("work/read_otel", setup_made, NULL, made_otel),
    {.name = "work/read_pack", .op = "call", .reference = "the same as text", .setup = setup_drawn, .work = work_read,
     .plain = plain_read, .teardown = free_job, .size = form_pack},
};
// clang-format on

const struct mr_bench_group mr_bench_work_group = {cases, sizeof cases / sizeof *cases};
