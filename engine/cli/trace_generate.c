/* SPDX-License-Identifier: Apache-2.0 */
/* Arrivals are those of a rate or of a client's windows; what arrives is drawn beside them. */
#include "engine/cli/trace_generate.h"

#include "engine/base/file.h"
#include "engine/cli/trace.h"
#include "engine/work/client.h"
#include "engine/work/synthetic.h"
#include "engine/work/trace_write.h"

enum {
    flush_bytes = 1 << 20
};

#define KIND(id, text) text,
static const char *const kinds[] = {MR_SYNTHETIC_KIND_LIST(KIND) "calls"};
#undef KIND

enum {
    kind_calls = MR_SYNTHETIC_KINDS,
    n_kind
};

struct drawing {
    const struct mr_trace_opts_values *opts;
    int kind;
    struct mr_synthetic synthetic;
    struct mr_client client;
    struct mr_client_walk walk;
    struct mr_session_book book;
    struct mr_session session;
    double arrival_s;
};

static mr_status find_kind(const char *name, int *kind, struct mr_err *err)
{
    char hint[64] = "";
    for (*kind = 0; *kind < n_kind; ++*kind)
        if (strcmp(name, kinds[*kind]) == 0)
            return MR_OK;
    mr_text_hint(mr_str_of(name), kinds, n_kind, hint, sizeof hint);
    return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "\"%s\": agents, chats and calls can be drawn%s",
                      name, hint);
}

/* A session of one call, whose blocks nobody shares. */
static mr_status draw_call(struct drawing *d, struct mr_err *err)
{
    struct mr_session *s = &d->session;
    uint32_t model, n_input, n_output;
    mr_session_reset(s);
    d->book.block_tok = d->synthetic.block_tok;
    MR_TRY(mr_session_book_model(&d->book, mr_str_of("call"), (struct mr_str){"", 0}, &model, err));
    mr_client_draw_lengths(&d->client, &d->walk, d->arrival_s, &n_input, &n_output);
    MR_TRY(mr_session_lane_reach(s, 0, err));
    MR_TRY(mr_session_node_add(s, MR_SESSION_LLM, 0, mr_session_next_id(s), err));
    MR_TRY(mr_session_after_lane(s, 0, err));
    s->llm[0].model = model;
    s->llm[0].n_input = n_input;
    s->llm[0].n_output = n_output;
    MR_TRY(mr_session_mint(s, d->book.block_tok, 0, err));
    return mr_session_check(s, &d->book, err);
}

static mr_status draw(struct drawing *d, uint64_t i, struct mr_err *err)
{
    return d->kind == kind_calls ? draw_call(d, err)
                                 : mr_synthetic_draw(&d->synthetic, i, &d->session, &d->book, err);
}

/* @param[out] has_time false: whoever plays them starts them @return false: no more come */
static bool arrive(struct drawing *d, uint64_t i, bool *has_time)
{
    const struct mr_trace_opts_values *opts = d->opts;
    const bool has_windows = d->client.n_window > 0;
    *has_time = has_windows || opts->rate_s > 0;
    if (opts->n_session > 0 ? i == opts->n_session : i == 1000 && !has_windows)
        return false;
    if (has_windows && !mr_client_next(&d->client, &d->walk))
        return false;
    if (has_windows)
        d->arrival_s = d->walk.at_s;
    else if (*has_time)
        d->arrival_s += mr_synthetic_gap_s(&d->synthetic, i, opts->rate_s, opts->cv);
    return true;
}

/* The head needs the names of models: the first session has them all. */
static mr_status draw_all(struct drawing *d, struct mr_file_out *file, struct mr_err *err)
{
    struct mr_buf buf = {0};
    mr_status st = MR_OK;
    bool has_time;
    for (uint64_t i = 0; arrive(d, i, &has_time) && st == MR_OK; i++) {
        st = draw(d, i, err);
        if (st != MR_OK)
            break;
        if (i == 0)
            mr_trace_write_header(&buf, &d->book, &(struct mr_trace_source){.format = "generated"});
        if (has_time)
            d->session.head.arrival_s = d->arrival_s;
        mr_trace_write_session(&buf, &d->book, &d->session);
        if (buf.n > flush_bytes || buf.status != MR_OK)
            st = mr_file_out_drain(file, &buf, err);
    }
    if (st == MR_OK)
        st = mr_file_out_drain(file, &buf, err);
    mr_buf_fini(&buf);
    return st;
}

static mr_status open_drawing(struct drawing *d, struct mr_err *err)
{
    const struct mr_trace_opts_values *opts = d->opts;
    if (opts->windows != NULL && opts->rate_s > 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "--windows and --rate both say how often sessions arrive");
    if ((d->kind == kind_calls) != (opts->lengths != NULL))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "--lengths FILE is for calls, which have no other lengths");
    if (opts->windows != NULL)
        MR_TRY(mr_client_read_windows(&d->client, opts->windows, err));
    return opts->lengths != NULL ? mr_client_read_lengths(&d->client, opts->lengths, err) : MR_OK;
}

mr_status mr_trace_generate(const struct mr_trace_opts_values *opts, const char *kind,
                            bool may_overwrite, struct mr_err *err)
{
    struct drawing d = {
        .opts = opts,
        .walk = mr_client_start(opts->seed, 0, opts->factor),
        .synthetic = {.seed = opts->seed,
                      .context_max = (uint32_t)opts->context_max,
                      .block_tok = opts->block_tok > 0 ? (uint32_t)opts->block_tok : 64}};
    struct mr_file_out file;
    MR_TRY(find_kind(kind, &d.kind, err));
    d.synthetic.kind = d.kind;
    mr_status st = open_drawing(&d, err);
    if (st == MR_OK)
        st = mr_file_out_open(&file, opts->output, may_overwrite, err);
    if (st == MR_OK)
        st = mr_file_out_end(&file, draw_all(&d, &file, err), err);
    mr_session_fini(&d.session);
    mr_session_book_fini(&d.book);
    mr_client_fini(&d.client);
    return st;
}
