/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: the content says the format. JSON documents are known by their keys, of the first rows
 * where one is not enough; tables by their header. Parts: sources - formats - life. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/work/trace_impl.h"
#include "engine/work/trace_pack.h"

#include <stdio.h>

enum {
    rows_looked_at = 64,
    slurp_max = 1 << 30
};

/* ---- sources: a file that can be opened twice ---- */

struct source {
    const char *path; /* or bytes */
    const void *bytes;
    size_t n;
    const char *name;
};

static mr_status open_stream(const struct source *source, struct mr_gz **gz, struct mr_err *err)
{
    return source->path != NULL
               ? mr_gz_open(source->path, gz, err)
               : mr_gz_open_memory(source->bytes, source->n, source->name, gz, err);
}

/* ---- formats ---- */

static const struct mr_trace_format *const formats[] = {
    &mr_trace_format_native,         &mr_trace_format_weka,     &mr_trace_format_mooncake,
    &mr_trace_format_mooncake_delta, &mr_trace_format_agentic1, &mr_trace_format_agentic2,
    &mr_trace_format_bailian,        &mr_trace_format_applied,  &mr_trace_format_azure,
    &mr_trace_format_burstgpt,       &mr_trace_format_tracelab, &mr_trace_format_csv,
    &mr_trace_format_request,        &mr_trace_format_satf,     &mr_trace_format_otel,
    &mr_trace_format_pack,           &mr_trace_format_rounds};

enum {
    n_format = sizeof formats / sizeof(formats[0])
};

const char *mr_trace_format_at(size_t i, const char **doc)
{
    if (i >= n_format)
        return NULL;
    *doc = formats[i]->doc;
    return formats[i]->name;
}

/* A key that only one format has. */
static const struct {
    const char *key;
    const struct mr_trace_format *format;
    bool is_weak; /* a later row may say more */
} keys[] = {
    {"requests", &mr_trace_format_weka, false},
    {"hash_id_scope", &mr_trace_format_weka, false},
    {"wait_for", &mr_trace_format_agentic1, false},
    {"branches", &mr_trace_format_agentic1, false},
    {"prefix_reset", &mr_trace_format_agentic1, false},
    {"tool_wait_ms", &mr_trace_format_agentic1, false},
    {"chat_id", &mr_trace_format_bailian, false},
    {"num_turns", &mr_trace_format_applied, false},
    {"block_size_tokens", &mr_trace_format_satf, false},
    {"sessions", &mr_trace_format_satf, false},
    {"resourceSpans", &mr_trace_format_otel, false},
    {"newly_append_tokens", &mr_trace_format_rounds, false},
    {"timing_events", &mr_trace_format_rounds, false},
    {"event", &mr_trace_format_request, false},
    {"event_type", &mr_trace_format_request, true},
    {"input_length", &mr_trace_format_mooncake, true},
    {"input_tokens", &mr_trace_format_mooncake, true},
    {"hash_ids", &mr_trace_format_mooncake, true},
};

static const struct {
    const char *schema;
    const struct mr_trace_format *format;
} schemas[] = {
    {"millrace.session", &mr_trace_format_native},
    {"dynamo.agentic_mooncake", &mr_trace_format_agentic2},
    {"dynamo.request.trace.v1", &mr_trace_format_request},
};

#define OTHER_SPANS "OpenTelemetry spans in another form than OTLP JSON (resourceSpans)"
#define DAG         "AIPerf's dag_jsonl, whose turns are prompts without their lengths"

/* Keys of formats that are not read, but known by name. */
static const struct {
    const char *key, *format;
} foreign[] = {
    {"traceId", OTHER_SPANS}, {"trace_id", OTHER_SPANS},
    {"spanId", OTHER_SPANS},  {"span_id", OTHER_SPANS},
    {"turns", DAG},           {"forks", DAG},
    {"spawns", DAG},
};

static const char *foreign_of(struct mr_str key)
{
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (mr_str_is(key, foreign[i].key))
            return foreign[i].format;
    return NULL;
}

/* @param[in,out] other NULL, or the name of a format that is not read */
static mr_status detect_document(struct mr_json *json, const struct mr_trace_format **format,
                                 bool *is_sure, const char **other, struct mr_err *err)
{
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        struct mr_str key, text;
        enum mr_json_token token;
        bool has_more = false;
        MR_TRY(mr_json_key(json, &key, &has_more, err));
        if (!has_more)
            return MR_OK;
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (mr_str_is(key, keys[i].key) && (*format == NULL || !keys[i].is_weak)) {
                *format = keys[i].format;
                *is_sure = !keys[i].is_weak;
            }
        if (*is_sure)
            return MR_OK;
        if (*other == NULL)
            *other = foreign_of(key);
        const bool is_schema = mr_str_is(key, "schema");
        MR_TRY(mr_json_peek(json, &token, err));
        if (!is_schema || token != MR_JSON_STRING) {
            MR_TRY(mr_json_skip(json, err));
            continue;
        }
        MR_TRY(mr_json_str(json, &text, err));
        for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++)
            if (mr_str_is(text, schemas[i].schema)) {
                *format = schemas[i].format;
                *is_sure = true;
                return MR_OK;
            }
        return mr_json_error(json, err, MR_SCHEMA, "a schema that is not known here");
    }
}

static mr_status detect_json(struct mr_gz *take_gz, const struct mr_trace_format **format,
                             struct mr_err *err)
{
    struct mr_json *json;
    bool has_more = true, is_sure = false;
    const char *other = NULL;
    MR_TRY(mr_json_create(take_gz, NULL, &json, err));
    mr_status st = MR_OK;
    for (int i = 0; st == MR_OK && has_more && !is_sure && i < rows_looked_at; i++) {
        st = mr_json_document(json, &has_more, err);
        if (st == MR_OK && has_more)
            st = detect_document(json, format, &is_sure, &other, err);
    }
    if (st != MR_OK && *format != NULL && st != MR_NOMEM) { /* its own reader says it better */
        if (err != NULL)
            *err = (struct mr_err){0};
        st = MR_OK;
    }
    if (st == MR_OK && *format == NULL && other != NULL)
        st = mr_err_set(err, MR_SCHEMA, (struct mr_place){mr_json_place(json).file, 1, 1},
                        "its keys are those of %s, which is not read: make it sessions of "
                        "Millrace's own form, or agentic Mooncake",
                        other);
    if (st == MR_OK && *format == NULL)
        st = mr_err_set(err, MR_SCHEMA, (struct mr_place){mr_json_place(json).file, 1, 1},
                        "its keys are those of no trace format known (--format says it)");
    mr_json_close(json);
    return st;
}

static mr_status detect_csv(struct mr_gz *take_gz, const struct mr_trace_format **format,
                            struct mr_err *err)
{
    static const struct {
        const char *column;
        const struct mr_trace_format *format;
    } columns[] = {
        {"ContextTokens", &mr_trace_format_azure}, {"Request tokens", &mr_trace_format_burstgpt},
        {"round_idx", &mr_trace_format_tracelab},  {"arrived_s", &mr_trace_format_csv},
        {"arrived_at", &mr_trace_format_csv},      {"timestamp_s", &mr_trace_format_csv}};
    struct mr_csv *csv;
    MR_TRY(mr_csv_create(take_gz, NULL, &csv, err));
    for (size_t i = 0; *format == NULL && i < sizeof columns / sizeof *columns; i++)
        if (mr_csv_find_column(csv, columns[i].column) != SIZE_MAX)
            *format = columns[i].format;
    mr_status st = MR_OK;
    if (*format == NULL)
        st = mr_err_set(err, MR_SCHEMA, mr_csv_place(csv, 0),
                        "its columns are those of no trace format known (--format says it)");
    mr_csv_close(csv);
    return st;
}

/* What is packed begins with its magic; else the first byte that is not white space tells JSON from
 * tables. */
static mr_status detect(const struct source *source, const struct mr_trace_format **format,
                        struct mr_err *err)
{
    struct mr_gz *gz;
    char head[4096];
    size_t got = 1, i = 0, seen = 0;
    bool is_json = false, is_empty = true;
    MR_TRY(open_stream(source, &gz, err));
    mr_status st = MR_OK;
    while (st == MR_OK && got > 0 && is_empty) {
        st = mr_gz_read(gz, head, sizeof head, &got, err);
        if (st == MR_OK && seen == 0 && got >= MR_TRACE_PACK_MAGIC &&
            memcmp(head, mr_trace_pack_magic, MR_TRACE_PACK_MAGIC) == 0)
            *format = &mr_trace_format_pack;
        for (i = 0; st == MR_OK && is_empty && i < got; i++, seen++) {
            const unsigned char c = (unsigned char)head[i];
            is_empty =
                mr_char_is_space((char)c) || (seen < 3 && c == (unsigned char)"\xef\xbb\xbf"[seen]);
            is_json = c == '{' || c == '[';
        }
    }
    const char *name = mr_gz_name(gz);
    if (st == MR_OK && is_empty)
        st = mr_err_set(err, MR_SCHEMA, (struct mr_place){name, 1, 1}, "an empty file");
    mr_gz_close(gz);
    if (st == MR_OK && *format == NULL)
        st = open_stream(source, &gz, err);
    if (st != MR_OK || *format != NULL)
        return st;
    return is_json ? detect_json(gz, format, err) : detect_csv(gz, format, err);
}

static mr_status find_format(const char *name, const struct mr_trace_format **format,
                             struct mr_err *err)
{
    const char *names[n_format];
    char hint[64] = "", all[352] = "";
    size_t n = 0;
    for (size_t i = 0; i < n_format; i++) {
        names[i] = formats[i]->name;
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i > 0 ? ", " : "", names[i]);
        MR_ASSERT(n < sizeof all);
        if (strcmp(name, names[i]) == 0)
            *format = formats[i];
    }
    mr_text_hint(mr_str_of(name), names, n_format, hint, sizeof hint);
    return *format != NULL
               ? MR_OK
               : mr_err_set(err, MR_SCHEMA, MR_NOWHERE,
                            "format \"%s\" is not known%s: formats are %s", name, hint, all);
}

/* ---- life ---- */

/* What makes no sense in a damaged gzip file is the damage, wherever it was met.
 * @param[in] st of reading, with *err */
static mr_status blame(struct mr_gz *gz, mr_status st, struct mr_err *err)
{
    struct mr_err damage = {0};
    const bool is_told = st == MR_NOMEM || st == MR_IO || st == MR_LIMIT;
    if (is_told || gz == NULL || !mr_gz_is_compressed(gz) || mr_gz_check(gz, &damage) == MR_OK)
        return st;
    *err = damage;
    return damage.status;
}

static mr_status blame_source(const struct source *source, mr_status st, struct mr_err *err)
{
    struct mr_gz *gz = NULL;
    struct mr_err absent = {0};
    if (st == MR_OK || open_stream(source, &gz, &absent) != MR_OK)
        return st;
    st = blame(gz, st, err);
    mr_gz_close(gz);
    return st;
}

static mr_status begin(struct mr_trace *trace, const struct source *source, struct mr_err *err)
{
    const struct mr_json_options json = {.is_lines = true, .window_max_bytes = 256u << 20};
    struct mr_gz *gz;
    trace->name = mr_alloc_text(source->name, strlen(source->name));
    if (trace->name == NULL)
        return mr_err_nomem(err, strlen(source->name));
    if (trace->options.format != NULL)
        MR_TRY(find_format(trace->options.format, &trace->format, err));
    else
        MR_TRY(detect(source, &trace->format, err));
    MR_TRY(open_stream(source, &gz, err));
    if (trace->format->is_binary)
        trace->gz = gz;
    else if (trace->format->is_csv)
        MR_TRY(mr_csv_create(gz, NULL, &trace->csv, err));
    else
        MR_TRY(mr_json_create(gz, trace->format->is_lines ? &json : NULL, &trace->json, err));
    return trace->format->begin != NULL ? trace->format->begin(trace, err) : MR_OK;
}

static mr_status open_source(const struct source *source, const struct mr_trace_options *options,
                             char *take_slurped, struct mr_trace **out, struct mr_err *err)
{
    struct mr_trace *trace = mr_alloc_zero(1, sizeof *trace);
    *out = NULL;
    if (trace == NULL) {
        mr_free(take_slurped);
        return mr_err_nomem(err, sizeof *trace);
    }
    trace->slurped = take_slurped;
    if (options != NULL)
        trace->options = *options;
    struct mr_err own = {0};
    const mr_status st = blame_source(source, begin(trace, source, &own), &own);
    if (st == MR_OK)
        *out = trace;
    else
        mr_trace_close(trace);
    if (st != MR_OK && err != NULL && err->status == MR_OK)
        *err = own;
    return st;
}

mr_status mr_trace_open(const char *path, const struct mr_trace_options *options,
                        struct mr_trace **out, struct mr_err *err)
{
    struct source source = {.path = path, .name = path};
    char *slurped = NULL;
    *out = NULL;
    if (strcmp(path, "-") == 0) {
        struct mr_gz *gz;
        MR_TRY(mr_gz_open(path, &gz, err));
        const mr_status st = mr_gz_read_all(gz, slurp_max, &slurped, &source.n, err);
        mr_gz_close(gz);
        if (st != MR_OK)
            return st;
        source = (struct source){.bytes = slurped, .n = source.n, .name = "<stdin>"};
    }
    return open_source(&source, options, slurped, out, err);
}

mr_status mr_trace_open_memory(const void *bytes, size_t n, const char *name,
                               const struct mr_trace_options *options, struct mr_trace **out,
                               struct mr_err *err)
{
    return open_source(&(struct source){.bytes = bytes, .n = n, .name = name}, options, NULL, out,
                       err);
}

void mr_trace_close(struct mr_trace *trace)
{
    if (trace == NULL)
        return;
    if (trace->format != NULL && trace->format->end != NULL)
        trace->format->end(trace);
    mr_json_close(trace->json);
    mr_csv_close(trace->csv);
    mr_gz_close(trace->gz);
    mr_session_book_fini(&trace->book);
    mr_intern_fini(&trace->unknown);
    mr_intern_fini(&trace->names);
    mr_free(trace->name);
    mr_free(trace->slurped);
    mr_free(trace->state);
    mr_free(trace);
}

/* Sessions of one name are different ones; that is worth a word. */
static mr_status take_name(struct mr_trace *trace, const struct mr_session *session,
                           struct mr_err *err)
{
    const char *id = mr_session_text(session, session->head.id);
    const size_t n_before = trace->names.n;
    uint32_t i = 0;
    if (id == NULL || !trace->options.knows_names)
        return MR_OK;
    MR_TRY(mr_intern_add(&trace->names, mr_str_of(id), &i, err));
    trace->counts.namesake += i < n_before;
    return MR_OK;
}

mr_status mr_trace_next(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                        struct mr_err *err)
{
    struct mr_err own = {0};
    *has_session = false;
    mr_session_reset(session);
    mr_status st = trace->format->next(trace, session, has_session, &own);
    if (st == MR_OK && *has_session)
        st = mr_session_check(session, &trace->book, &own);
    if (st == MR_OK && *has_session)
        st = take_name(trace, session, &own);
    if (st == MR_OK) {
        for (size_t i = 0; *has_session && i < session->n_llm; i++)
            trace->counts.no_output += session->llm[i].n_output == 0;
        return MR_OK;
    }
    *has_session = false;
    struct mr_gz *gz = trace->json != NULL ? mr_json_stream(trace->json) : trace->gz;
    st = blame(trace->csv != NULL ? mr_csv_stream(trace->csv) : gz, st, &own);
    /* rules of sessions know no file: the reader says where it is */
    struct mr_place at = {own.file, own.line, own.col};
    if (own.file[0] == '\0')
        at = (struct mr_place){trace->name, trace->line, 0};
    return mr_err_set(err, st, at, "%s", own.text);
}

struct mr_session_book *mr_trace_book(struct mr_trace *trace)
{
    return &trace->book;
}

const struct mr_trace_counts *mr_trace_counted(const struct mr_trace *trace)
{
    return &trace->counts;
}

struct mr_place mr_trace_place(const struct mr_trace *trace)
{
    return (struct mr_place){trace->name, trace->line, 1};
}

const struct mr_intern *mr_trace_unknown(const struct mr_trace *trace)
{
    return &trace->unknown;
}

const char *mr_trace_format_name(const struct mr_trace *trace)
{
    return trace->format->name;
}
