/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of calls and sessions on their way to who listens, on rank 0. Cells keep the rows of a
 * window and post them at its end; they arrive cell by cell. A run of one cell tells them at once.
 */
#include "engine/base/assert.h"
#include "engine/base/csv.h"
#include "engine/base/mem.h"
#include "engine/twin/play_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Every row is wanted by all ranks or by none, though only rank 0 has listeners. */
static bool wants(const struct mr_play_run *run, enum mr_play_mail kind)
{
    const struct mr_play_options *o = run->options;
    return kind == MR_PLAY_MAIL_CALL ? o->wants_calls || o->requests_path != NULL
                                     : o->wants_sessions;
}

/* ---- listeners ---- */

static void put_instance(struct mr_csv_writer *w, uint32_t instance)
{
    if (instance != MR_ROUTER_NOWHERE)
        mr_csv_put_u64(w, instance);
    else
        mr_csv_put_f64(w, (double)NAN);
}

/* Empty: nobody's, or one without a name. */
static void put_tenant(struct mr_csv_writer *w, const struct mr_scenario *scenario, uint32_t tenant)
{
    const char *name = tenant < scenario->n_tenant ? scenario->tenant[tenant].name : NULL;
    mr_csv_put_text(w, name != NULL ? name : "");
}

static mr_status write_row(struct mr_play_run *run, const struct mr_play_row *row,
                           struct mr_err *err)
{
    struct mr_csv_writer w = {.buf = &run->row};
    run->row.n = 0;
    mr_csv_put_u64(&w, row->id);
    mr_csv_put_u64(&w, row->session);
    mr_csv_put_text(&w, run->scenario->tier[row->tier].name);
    mr_csv_put_f64(&w, row->arrived_s);
    mr_csv_put_f64(&w, row->scheduled_s);
    mr_csv_put_f64(&w, row->first_token_s);
    mr_csv_put_f64(&w, row->finished_s);
    mr_csv_put_u64(&w, row->input);
    mr_csv_put_u64(&w, row->cached_input);
    mr_csv_put_u64(&w, row->output);
    mr_csv_put_u64(&w, row->restarts);
    put_instance(&w, row->instance);
    put_instance(&w, row->prefill_instance);
    mr_csv_put_text(&w, mr_play_outcome_name(row->outcome));
    mr_csv_put_f64(&w, row->kv_load_s);
    if (run->scenario->n_tenant > 0)
        put_tenant(&w, run->scenario, row->tenant);
    mr_csv_put_end(&w);
    MR_TRY(mr_buf_check(&run->row, err));
    return mr_file_out_add(&run->requests, run->row.text, run->row.n, err);
}

static mr_status tell_call(struct mr_play_run *run, const struct mr_play_row *row,
                           struct mr_err *err)
{
    if (run->has_requests)
        MR_TRY(write_row(run, row, err));
    if (run->options->on_call == NULL)
        return MR_OK;
    return run->options->on_call(run->options->context, row, err);
}

static mr_status tell_session(struct mr_play_run *run, const struct mr_agents_row *row,
                              struct mr_err *err)
{
    if (run->options->on_session == NULL)
        return MR_OK;
    return run->options->on_session(run->options->context, row, err);
}

static mr_status tell_step(struct mr_play_run *run, const struct mr_play_step *step,
                           struct mr_err *err)
{
    if (run->options->on_step == NULL)
        return MR_OK;
    return run->options->on_step(run->options->context, step, err);
}

/* Kinds outlive the telling, and addresses are no news to other processes. */
static const char *const kinds[] = {"serve.down",     "serve.drain",     "serve.slow",
                                    "serve.down_end", "serve.drain_end", "serve.slow_end",
                                    "serve.failure",  "serve.repair"};

struct event {
    double t_s, value, limit;
    uint64_t kind;
    char entity[32];
};

static mr_status tell_event(struct mr_play_run *run, const struct event *event)
{
    mr_play_take_event(run, event->t_s, kinds[event->kind], event->entity, event->value,
                       event->limit);
    return MR_OK;
}

mr_status mr_play_rows_tell(struct mr_play_run *run, const char *bytes, size_t n,
                            struct mr_err *err)
{
    for (size_t at = 0; at < n;) {
        uint64_t kind;
        memcpy(&kind, bytes + at, sizeof kind);
        at += sizeof kind;
        if (kind == MR_PLAY_MAIL_CALL) {
            struct mr_play_row row;
            memcpy(&row, bytes + at, sizeof row);
            at += sizeof row;
            MR_TRY(tell_call(run, &row, err));
        } else if (kind == MR_PLAY_MAIL_EVENT) {
            struct event event;
            memcpy(&event, bytes + at, sizeof event);
            at += sizeof event;
            MR_TRY(tell_event(run, &event));
        } else if (kind == MR_PLAY_MAIL_STEP) {
            struct mr_play_step step;
            memcpy(&step, bytes + at, sizeof step);
            at += sizeof step;
            MR_TRY(tell_step(run, &step, err));
        } else {
            struct mr_agents_row row;
            memcpy(&row, bytes + at, sizeof row);
            at += sizeof row;
            MR_TRY(tell_session(run, &row, err));
        }
    }
    return MR_OK;
}

/* ---- cells ---- */

static mr_status keep(struct mr_play_cell *own, enum mr_play_mail kind_, const void *row, size_t n,
                      struct mr_err *err)
{
    const uint64_t kind = kind_;
    MR_TRY(mr_grow(&own->post, &own->cap_post, own->n_post + sizeof kind + n, 1, err));
    memcpy(own->post + own->n_post, &kind, sizeof kind);
    memcpy(own->post + own->n_post + sizeof kind, row, n);
    own->n_post += sizeof kind + n;
    return MR_OK;
}

/* Over both pools of all cells: those that read prompts are counted by themselves. */
static uint32_t number_of(const struct mr_play_cell *own, uint32_t instance, bool is_reader)
{
    if (instance == MR_ROUTER_NOWHERE)
        return instance;
    return instance + (is_reader ? own->span.first_reader : own->span.first);
}

mr_status mr_play_rows_call(struct mr_play_cell *own, const struct mr_ticket *ticket,
                            const struct mr_call *call, double arrived_s, double finished_s,
                            uint8_t outcome, struct mr_err *err)
{
    const double nan = (double)NAN;
    if (!wants(own->run, MR_PLAY_MAIL_CALL))
        return MR_OK;
    const struct mr_play_row row = {
        .id = ticket->id,
        .arrived_s = arrived_s,
        .scheduled_s = call != NULL && call->is_scheduled ? call->scheduled_s : nan,
        .first_token_s = call != NULL && call->has_first ? call->first_s : nan,
        .finished_s = finished_s,
        .kv_load_s = call != NULL ? mr_call_load_s(&own->cell.calls, call) : 0,
        .session = mr_play_calls_session(own, ticket),
        .instance = number_of(own, ticket->instance, false),
        .input = ticket->n_prompt,
        .cached_input = call != NULL ? call->n_cached : 0,
        .output = ticket->n_output,
        .restarts = call != NULL ? call->n_restart : 0,
        .prefill_instance = number_of(own, ticket->prefill, true),
        .tenant = own->agents != NULL ? mr_agents_tenant(own->agents, ticket) : UINT32_MAX,
        .tier = ticket->tier,
        .outcome = outcome};
    return own->run->n_cell == 1 ? tell_call(own->run, &row, err)
                                 : keep(own, MR_PLAY_MAIL_CALL, &row, sizeof row, err);
}

mr_status mr_play_rows_session(struct mr_play_cell *own, const struct mr_agents_row *row,
                               struct mr_err *err)
{
    if (!wants(own->run, MR_PLAY_MAIL_SESSION))
        return MR_OK;
    return own->run->n_cell == 1 ? tell_session(own->run, row, err)
                                 : keep(own, MR_PLAY_MAIL_SESSION, row, sizeof *row, err);
}

mr_status mr_play_rows_event(struct mr_play_cell *own, const struct mr_play_event *event,
                             struct mr_err *err)
{
    struct event e = {event->t_s, event->value, event->limit, 0, ""};
    while (e.kind < sizeof kinds / sizeof *kinds && strcmp(kinds[e.kind], event->kind) != 0)
        e.kind++;
    MR_ASSERT(e.kind < sizeof kinds / sizeof *kinds);
    snprintf(e.entity, sizeof e.entity, "%s", event->entity);
    if (own->run->n_cell == 1)
        return tell_event(own->run, &e);
    return own->run->options->wants_events ? keep(own, MR_PLAY_MAIL_EVENT, &e, sizeof e, err)
                                           : MR_OK;
}

mr_status mr_play_rows_step(struct mr_play_cell *own, const struct mr_play_step *step,
                            struct mr_err *err)
{
    return own->run->n_cell == 1 ? tell_step(own->run, step, err)
                                 : keep(own, MR_PLAY_MAIL_STEP, step, sizeof *step, err);
}

/* ---- the file ---- */

mr_status mr_play_rows_open(struct mr_play_run *run, struct mr_err *err)
{
    static const char head[] = "id,session,tier,arrived_s,scheduled_s,first_token_s,finished_s,"
                               "input,cached_input,output,restarts,instance,prefill_instance,"
                               "outcome,kv_load_s";
    if (run->options->requests_path == NULL || run->ranks->i > 0)
        return MR_OK;
    MR_TRY(mr_file_out_open(&run->requests, run->options->requests_path,
                            run->options->may_overwrite, err));
    run->has_requests = true;
    MR_TRY(mr_file_out_add(&run->requests, head, sizeof head - 1, err));
    const struct mr_str end = run->scenario->n_tenant > 0 ? MR_STR(",tenant\n") : MR_STR("\n");
    return mr_file_out_add(&run->requests, end.p, end.n, err);
}

mr_status mr_play_rows_close(struct mr_play_run *run, mr_status st, struct mr_err *err)
{
    if (!run->has_requests)
        return st;
    run->has_requests = false;
    return mr_file_out_end(&run->requests, st, err);
}
