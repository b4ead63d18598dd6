/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded sessions of coding agents from their plain form into the packed one and back: lists of
 * ids become what they keep of the call before in their list and runs, in the same place; all other
 * members stay as they stand, less white space between them. They do not pass through sessions,
 * which have no place for them, so that nothing is lost. */
#include "engine/base/json.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/work/session_context.h"
#include "engine/work/trace_impl.h"
#include "engine/work/trace_write.h"

struct writer {
    struct mr_json *json;
    struct mr_buf *buf;
    bool packs;
    uint64_t *id;
    struct mr_session_run *run; /* of one call */
    size_t n_id, cap_id, n_run, cap_run;
};

/* ---- parts ---- */

static void put_u64(struct mr_buf *buf, uint64_t value)
{
    char text[MR_NUM_CAP];
    mr_buf_add(buf, text, mr_num_format_u64(value, text));
}

/* A comma, unless it is the first of its object or array. */
static void put_comma(struct mr_buf *buf)
{
    const char last = buf->status == MR_OK && buf->n > 0 ? buf->text[buf->n - 1] : '{';
    if (last != '{' && last != '[')
        mr_buf_char(buf, ',');
}

static void put_key(struct mr_buf *buf, const char *key)
{
    put_comma(buf);
    mr_buf_printf(buf, "\"%s\":", key);
}

/* A value without the white space between its parts. */
static mr_status copy_value(struct writer *w, struct mr_err *err)
{
    struct mr_str raw;
    bool is_text = false;
    MR_TRY(mr_json_raw(w->json, &raw, err));
    for (size_t from = 0, i = 0; i <= raw.n; i++) {
        const bool is_gap = i < raw.n && !is_text && mr_char_is_space(raw.p[i]);
        if (i == raw.n || is_gap) {
            mr_buf_add(w->buf, raw.p + from, i - from);
            from = i + 1;
        } else if (is_text && raw.p[i] == '\\') {
            i++;
        } else if (raw.p[i] == '"') {
            is_text = !is_text;
        }
    }
    return mr_buf_check(w->buf, err);
}

/* A key that is not one of ours, with its value. */
static mr_status copy_member(struct writer *w, struct mr_str key, struct mr_err *err)
{
    struct mr_jsonw text;
    struct mr_buf copy = {0};
    mr_buf_add(&copy, key.p, key.n);
    put_comma(w->buf);
    mr_jsonw_init(&text, w->buf, 0);
    if (copy.status == MR_OK)
        mr_jsonw_text(&text, copy.text);
    mr_buf_char(w->buf, ':');
    const mr_status st = mr_buf_check(&copy, err);
    mr_buf_fini(&copy);
    return st == MR_OK ? copy_value(w, err) : st;
}

/* ---- blocks ---- */

static mr_status pack(struct writer *w, struct mr_session_context *context, struct mr_err *err)
{
    w->n_id = 0;
    MR_TRY(mr_json_u64_array(w->json, &w->id, &w->cap_id, &w->n_id, err));
    size_t k = mr_session_context_common(context, w->id, w->n_id);
    mr_session_context_cut(context, (uint32_t)k);
    put_key(w->buf, "keep");
    put_u64(w->buf, k);
    put_key(w->buf, "new");
    mr_buf_char(w->buf, '[');
    while (k < w->n_id) {
        const size_t first = k++;
        while (k < w->n_id && w->id[k] == w->id[k - 1] + 1 && w->id[k] != 0)
            k++;
        const struct mr_session_run run = {.id = w->id[first], .n = (uint32_t)(k - first)};
        put_comma(w->buf);
        mr_buf_char(w->buf, '[');
        put_u64(w->buf, run.id);
        mr_buf_char(w->buf, ',');
        put_u64(w->buf, run.n);
        mr_buf_char(w->buf, ']');
        MR_TRY(mr_session_context_add(context, run, err));
    }
    mr_buf_char(w->buf, ']');
    return mr_buf_check(w->buf, err);
}

static mr_status unpack(struct writer *w, struct mr_session_context *context, uint32_t keep,
                        struct mr_err *err)
{
    if (keep > context->n_block)
        return mr_json_error(w->json, err, MR_RANGE, "keeps %u blocks of %u", keep,
                             context->n_block);
    mr_session_context_cut(context, keep);
    for (size_t i = 0; i < w->n_run; i++)
        MR_TRY(mr_session_context_add(context, w->run[i], err));
    put_key(w->buf, "hash_ids");
    mr_buf_char(w->buf, '[');
    for (size_t r = 0; r < context->n_run; r++)
        for (uint32_t k = 0; k < context->run[r].n; k++) {
            put_comma(w->buf);
            put_u64(w->buf, context->run[r].id + k);
        }
    mr_buf_char(w->buf, ']');
    return mr_buf_check(w->buf, err);
}

/* ---- documents ---- */

static mr_status copy_requests(struct writer *w, bool is_inner, struct mr_err *err);

/* One call, or a sub-agent with its own. Keys in their order; keep and new become ids where the
 * later of them stands. */
static mr_status copy_call(struct writer *w, struct mr_session_context *context, bool is_inner,
                           struct mr_err *err)
{
    bool has_more = false, has_keep = false, has_new = false;
    uint32_t keep = 0;
    MR_TRY(mr_json_enter_object(w->json, err));
    put_comma(w->buf);
    mr_buf_char(w->buf, '{');
    for (;;) {
        struct mr_str key;
        MR_TRY(mr_json_key(w->json, &key, &has_more, err));
        if (!has_more)
            break;
        const bool is_keep = mr_str_is(key, "keep"), is_new = mr_str_is(key, "new");
        if (w->packs && mr_str_is(key, "hash_ids")) {
            MR_TRY(pack(w, context, err));
        } else if (!w->packs && (is_keep || is_new)) {
            has_keep |= is_keep;
            has_new |= is_new;
            w->n_run = is_new ? 0 : w->n_run;
            MR_TRY(is_keep ? mr_trace_u32(w->json, &keep, err)
                           : mr_trace_runs(w->json, &w->run, &w->cap_run, &w->n_run, err));
            if (has_keep && has_new)
                MR_TRY(unpack(w, context, keep, err));
        } else if (mr_str_is(key, "requests")) {
            if (is_inner)
                return mr_json_error(w->json, err, MR_SCHEMA,
                                     "sub-agents of sub-agents are not known");
            put_key(w->buf, "requests");
            MR_TRY(copy_requests(w, true, err));
        } else {
            MR_TRY(copy_member(w, key, err));
        }
    }
    if (has_keep != has_new)
        return mr_json_error(w->json, err, MR_SCHEMA, "keep and new belong together");
    mr_buf_char(w->buf, '}');
    return MR_OK;
}

/* A list begins with an empty context. */
static mr_status copy_requests(struct writer *w, bool is_inner, struct mr_err *err)
{
    struct mr_session_context context = {0};
    bool has_more = true;
    mr_status st = mr_json_enter_array(w->json, err);
    mr_buf_char(w->buf, '[');
    while (st == MR_OK) {
        st = mr_json_array_more(w->json, &has_more, err);
        if (st != MR_OK || !has_more)
            break;
        st = copy_call(w, &context, is_inner, err);
    }
    mr_buf_char(w->buf, ']');
    mr_session_context_fini(&context);
    return st;
}

static mr_status copy_document(struct writer *w, struct mr_err *err)
{
    bool has_more = false;
    MR_TRY(mr_json_enter_object(w->json, err));
    mr_buf_char(w->buf, '{');
    for (;;) {
        struct mr_str key;
        MR_TRY(mr_json_key(w->json, &key, &has_more, err));
        if (!has_more)
            break;
        if (!mr_str_is(key, "requests")) {
            MR_TRY(copy_member(w, key, err));
            continue;
        }
        put_key(w->buf, "requests");
        MR_TRY(copy_requests(w, false, err));
    }
    mr_buf_text(w->buf, "}\n");
    return mr_buf_check(w->buf, err);
}

mr_status mr_trace_write_weka(struct mr_json *json, bool packs, struct mr_buf *buf, bool *has_more,
                              struct mr_err *err)
{
    struct writer w = {.json = json, .buf = buf, .packs = packs};
    MR_TRY(mr_json_document(json, has_more, err));
    const mr_status st = *has_more ? copy_document(&w, err) : MR_OK;
    mr_free(w.id);
    mr_free(w.run);
    return st;
}
