/* SPDX-License-Identifier: Apache-2.0 */
/* A run as a trace: calls as spans of three parts on their instance, loads and temperatures as
 * counters, events as instants, in the trace event format of Chrome; or its calls as the request
 * trace of Dynamo. Times are simulated, in microseconds and milliseconds as those formats have
 * them. Hashes of prompts and tools are not recorded, so they are not written. */
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "postprocess/curve.h"
#include "postprocess/export.h"
#include "postprocess/where.h"

#include <math.h>
#include <stdio.h>

enum {
    piece_bytes = 1 << 16,
    n_counter_point = 2000
};

struct writer {
    struct mr_runread *run;
    const struct mr_export_sink *sink;
    struct mr_buf text;
    bool has_item;
    struct mr_err *err;
};

static mr_status spill(struct writer *w, size_t above)
{
    MR_TRY(mr_buf_check(&w->text, w->err));
    if (w->text.n > above) {
        MR_TRY(w->sink->take(w->sink->context, (struct mr_str){w->text.text, w->text.n}, w->err));
        mr_buf_clear(&w->text);
    }
    return MR_OK;
}

/* ---- calls ---- */

#define CALL_LIST(X) \
    X(id)            \
    X(session)       \
    X(tier)          \
    X(instance)      \
    X(arrived_s)     \
    X(scheduled_s)   \
    X(first_token_s) \
    X(finished_s)    \
    X(input)         \
    X(cached_input)  \
    X(output)

struct calls {
#define CALL_FIELD(name) double *name;
    CALL_LIST(CALL_FIELD)
#undef CALL_FIELD
    size_t n;
};

static void free_calls(struct calls *calls)
{
#define CALL_FREE(name) mr_free(calls->name);
    CALL_LIST(CALL_FREE)
#undef CALL_FREE
}

static mr_status read_calls(const struct mr_runread *run, struct calls *calls, struct mr_err *err)
{
    const struct {
        const char *path;
        double **to;
    } columns[] = {
#define CALL_ROW(name) {"/requests/" #name, &calls->name},
        CALL_LIST(CALL_ROW)
#undef CALL_ROW
    };
    *calls = (struct calls){.n = SIZE_MAX};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        const struct mr_runread_set *set = mr_runread_find(run, columns[i].path);
        if (set == NULL || set->is_text || set->rank != 1)
            continue;
        const size_t n = mr_runread_rows(run, set);
        MR_TRY(mr_runread_all(run, set, columns[i].to, err));
        calls->n = n < calls->n ? n : calls->n;
    }
    if (calls->arrived_s == NULL || calls->finished_s == NULL)
        calls->n = 0;
    return MR_OK;
}

static double at(const double *column, size_t i, double absent)
{
    return column != NULL ? column[i] : absent;
}

/* ---- Chrome ---- */

static void begin_item(struct writer *w)
{
    mr_buf_text(&w->text, w->has_item ? ",\n" : "\n");
    w->has_item = true;
}

static void number(struct mr_buf *out, const char *key, double value)
{
    char text[MR_NUM_CAP];
    (void)mr_num_format_f64(value, text);
    mr_buf_printf(out, ",\"%s\":%s", key, text);
}

/* Spans of calls overlap on an instance, so they are asynchronous: paired by their id. */
static void put_span(struct writer *w, const struct calls *c, size_t i, const char *name,
                     double from_s, double to_s)
{
    const double ends_s[] = {from_s, to_s};
    if (!(to_s >= from_s))
        return;
    for (int k = 0; k < 2; k++) {
        begin_item(w);
        mr_buf_printf(&w->text, "{\"name\":\"%s\",\"cat\":\"call\",\"ph\":\"%c\",\"id\":%.0f", name,
                      k == 0 ? 'b' : 'e', at(c->id, i, (double)i));
        number(&w->text, "ts", ends_s[k] * 1e6);
        mr_buf_printf(&w->text, ",\"pid\":1,\"tid\":%.0f", at(c->instance, i, 0));
        if (k == 0)
            mr_buf_printf(
                &w->text,
                ",\"args\":{\"session\":%.0f,\"tier\":%.0f,\"input\":%.0f,\"cached\":%.0f,"
                "\"output\":%.0f}",
                at(c->session, i, 0), at(c->tier, i, 0), at(c->input, i, 0),
                at(c->cached_input, i, 0), at(c->output, i, 0));
        mr_buf_char(&w->text, '}');
    }
}

static mr_status put_calls(struct writer *w)
{
    struct calls c;
    mr_status st = read_calls(w->run, &c, w->err);
    for (size_t i = 0; i < c.n && st == MR_OK; i++) {
        put_span(w, &c, i, "call", c.arrived_s[i], c.finished_s[i]);
        if (c.scheduled_s != NULL && c.first_token_s != NULL) {
            put_span(w, &c, i, "wait", c.arrived_s[i], c.scheduled_s[i]);
            put_span(w, &c, i, "prompt", c.scheduled_s[i], c.first_token_s[i]);
            put_span(w, &c, i, "tokens", c.first_token_s[i], c.finished_s[i]);
        }
        st = spill(w, piece_bytes);
    }
    free_calls(&c);
    return st;
}

static mr_status put_counters(struct writer *w)
{
    for (size_t i = 0; i < mr_runread_n(w->run); i++) {
        const struct mr_runread_set *set = mr_runread_at(w->run, i);
        const bool adds_up = strstr(set->name, "_kw") != NULL || strstr(set->name, "tok_s") != NULL;
        const enum mr_curve_how how = mr_curve_way(set, adds_up, MR_CURVE_MAX);
        struct mr_curve curve;
        if (set->n_flag > 0 || !mr_curve_is(w->run, set->path))
            continue;
        MR_TRY(mr_curve_read(w->run, set->path, how, &curve, w->err));
        mr_curve_hold(&curve); /* as counters do */
        mr_curve_thin(&curve, n_counter_point, mr_curve_way(set, false, MR_CURVE_MEAN));
        for (size_t k = 0; k < curve.n; k++) {
            if (isnan(curve.value[k]))
                continue;
            begin_item(w);
            mr_buf_printf(&w->text, "{\"name\":\"%s%s\",\"ph\":\"C\",\"pid\":2", set->path + 1,
                          set->rank < 2         ? ""
                          : how == MR_CURVE_SUM ? " (sum)"
                          : how == MR_CURVE_MIN ? " (min)"
                                                : " (max)");
            number(&w->text, "ts", curve.t_s[k] * 1e6);
            mr_buf_text(&w->text, ",\"args\":{\"value\":");
            char text[MR_NUM_CAP];
            (void)mr_num_format_f64(curve.value[k], text);
            mr_buf_printf(&w->text, "%s}}", text);
        }
        mr_curve_fini(&curve);
        MR_TRY(spill(w, piece_bytes));
    }
    return MR_OK;
}

enum {
    EVENT_T,
    EVENT_KIND,
    EVENT_ENTITY,
    EVENT_INDEX,
    EVENT_NODE,
    N_EVENT_COLUMN
};

/* @param[out] column NULL where the file has none */
static mr_status read_events(struct writer *w, double *column[N_EVENT_COLUMN], size_t *n)
{
    static const char *const paths[] = {"/events/t_s", "/events/kind", "/events/entity",
                                        "/events/index", "/events/node"};
    *n = SIZE_MAX;
    for (size_t k = 0; k < N_EVENT_COLUMN; k++) {
        const struct mr_runread_set *set = mr_runread_find(w->run, paths[k]);
        if (set == NULL || set->is_text || set->rank != 1)
            continue;
        const size_t rows = mr_runread_rows(w->run, set);
        MR_TRY(mr_runread_all(w->run, set, &column[k], w->err));
        *n = rows < *n ? rows : *n;
    }
    if (column[EVENT_T] == NULL || column[EVENT_KIND] == NULL)
        *n = 0;
    return MR_OK;
}

static mr_status put_event(struct writer *w, double *const column[N_EVENT_COLUMN], size_t i)
{
    const struct mr_runread_set *kinds = mr_runread_find(w->run, "/events/kind");
    const double kind = column[EVENT_KIND][i];
    const struct mr_where at_place = {.entity = at(column[EVENT_ENTITY], i, (double)NAN),
                                      .index = at(column[EVENT_INDEX], i, (double)NAN),
                                      .node = at(column[EVENT_NODE], i, (double)NAN)};
    char where[96];
    MR_TRY(mr_where_text(w->run, &at_place, where, w->err));
    begin_item(w);
    if (kind >= 0 && kind < (double)kinds->n_flag)
        mr_buf_printf(&w->text, "{\"name\":\"%s\"", kinds->flag[(size_t)kind]);
    else
        mr_buf_printf(&w->text, "{\"name\":\"kind %.0f\"", kind);
    mr_buf_text(&w->text, ",\"ph\":\"i\",\"s\":\"g\",\"pid\":2,\"tid\":0");
    number(&w->text, "ts", column[EVENT_T][i] * 1e6);
    if (where[0] != '\0') {
        struct mr_jsonw j;
        mr_buf_text(&w->text, ",\"args\":");
        mr_jsonw_init(&j, &w->text, 0);
        mr_jsonw_object(&j);
        mr_jsonw_key_text(&j, "where", where);
        mr_jsonw_end(&j);
    }
    mr_buf_char(&w->text, '}');
    return spill(w, piece_bytes);
}

static mr_status put_events(struct writer *w)
{
    double *column[N_EVENT_COLUMN] = {NULL};
    size_t n = 0;
    mr_status st = read_events(w, column, &n);
    for (size_t i = 0; i < n && st == MR_OK; i++)
        st = put_event(w, column, i);
    for (size_t k = 0; k < N_EVENT_COLUMN; k++)
        mr_free(column[k]);
    return st;
}

static mr_status write_trace(struct writer *w)
{
    mr_buf_text(&w->text, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    begin_item(w);
    mr_buf_text(&w->text, "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":"
                          "\"instances\"}}");
    begin_item(w);
    mr_buf_text(&w->text,
                "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":2,\"args\":{\"name\":\"site\"}}");
    MR_TRY(put_calls(w));
    MR_TRY(put_counters(w));
    MR_TRY(put_events(w));
    mr_buf_text(&w->text, "\n]}\n");
    return spill(w, 0);
}

/* ---- Dynamo ---- */

static void put_request(struct writer *w, const struct calls *c, size_t i)
{
    char session[32];
    struct mr_jsonw j;
    (void)snprintf(session, sizeof session, "%.0f", at(c->session, i, (double)i));
    mr_jsonw_init(&j, &w->text, 0);
    mr_jsonw_object(&j);
    mr_jsonw_key_f64(&j, "timestamp", c->finished_s[i] * 1e3);
    mr_jsonw_key(&j, "event");
    mr_jsonw_object(&j);
    mr_jsonw_key_text(&j, "schema", "dynamo.request.trace.v1");
    mr_jsonw_key_text(&j, "event_type", "request_end");
    mr_jsonw_key(&j, "agent_context");
    mr_jsonw_object(&j);
    mr_jsonw_key_text(&j, "session_id", session);
    mr_jsonw_end(&j);
    mr_jsonw_key(&j, "request");
    mr_jsonw_object(&j);
    mr_jsonw_key_f64(&j, "request_id", at(c->id, i, (double)i));
    mr_jsonw_key_f64(&j, "input_tokens", at(c->input, i, (double)NAN));
    mr_jsonw_key_f64(&j, "cached_tokens", at(c->cached_input, i, (double)NAN));
    mr_jsonw_key_f64(&j, "output_tokens", at(c->output, i, (double)NAN));
    mr_jsonw_key_f64(&j, "request_received_ms", c->arrived_s[i] * 1e3);
    mr_jsonw_key_f64(&j, "ttft_ms", (at(c->first_token_s, i, (double)NAN) - c->arrived_s[i]) * 1e3);
    mr_jsonw_key_f64(&j, "total_time_ms", (c->finished_s[i] - c->arrived_s[i]) * 1e3);
    mr_jsonw_end(&j);
    mr_jsonw_end(&j);
    mr_jsonw_end(&j);
    mr_buf_char(&w->text, '\n');
}

static mr_status write_requests(struct writer *w)
{
    struct calls c;
    mr_status st = read_calls(w->run, &c, w->err);
    if (st == MR_OK && c.n == 0)
        st = mr_err_set(w->err, MR_REF, (struct mr_place){mr_runread_path(w->run), 0, 0},
                        "records no calls one by one (group /requests): run with "
                        "--record rack,requests");
    for (size_t i = 0; i < c.n && st == MR_OK; i++) {
        if (!isnan(c.finished_s[i]))
            put_request(w, &c, i);
        st = spill(w, piece_bytes);
    }
    free_calls(&c);
    return st == MR_OK ? spill(w, 0) : st;
}

mr_status mr_export_run(struct mr_runread *run, enum mr_export_format format,
                        const struct mr_export_sink *sink, struct mr_err *err)
{
    struct writer w = {.run = run, .sink = sink, .err = err};
    const mr_status st = format == MR_EXPORT_TRACE ? write_trace(&w) : write_requests(&w);
    mr_buf_fini(&w.text);
    return st;
}
