/* SPDX-License-Identifier: Apache-2.0 */
/* One session is in memory at a time besides the script. Files are read twice where which sessions
 * are taken is known only when all have been read. */
#include "engine/twin/agents_file.h"

#include "engine/work/script_hint.h"
#include "engine/work/synthetic.h"
#include "engine/work/trace.h"

#include <math.h>
#include <string.h>

static mr_status draw_sessions(uint64_t n, struct mr_lower *lower, struct mr_err *err)
{
    const uint32_t least = MR_SYNTHETIC_CONTEXT_LEAST, most = lower->plan.input_max;
    const struct mr_synthetic synthetic = {
        .seed = lower->plan.seed, .context_max = most, .block_tok = lower->plan.block_tok};
    struct mr_session session = {0};
    struct mr_session_book book = {0};
    mr_status st = MR_OK;
    if (most < least)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "agents: drawn sessions need contexts of %u tokens at least, the "
                          "deployment takes %u",
                          least, most);
    for (uint64_t i = 0; i < n && st == MR_OK; i++) {
        st = mr_synthetic_draw(&synthetic, i, &session, &book, err);
        if (st == MR_OK)
            st = mr_lower_add(lower, &session, &book, err);
    }
    mr_session_fini(&session);
    mr_session_book_fini(&book);
    return st;
}

/* What was out of order in a file that is played at its arrivals: it is sorted, but not in silence.
 */
struct order {
    double last_s; /* the latest arrival */
    uint64_t n;    /* sessions that begin long before it */
    double most_s;
    int line; /* of the first of them */
};

static void look_at_order(struct order *order, double arrival_s, int line)
{
    static const double tolerance_s = 60;
    const double late_s = order->last_s - arrival_s;
    if (late_s > tolerance_s) {
        order->line = order->n++ == 0 ? line : order->line;
        order->most_s = fmax(order->most_s, late_s);
    }
    order->last_s = fmax(order->last_s, arrival_s); /* fmax passes over NaN */
}

static void tell_order(const struct order *order, const char *path, struct mr_diags *diags)
{
    if (order->n > 0)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, (struct mr_place){path, order->line, 1},
                     "agents: %llu %s before others that stand in front, by up to %.10g s: sorted",
                     (unsigned long long)order->n,
                     order->n == 1 ? "session begins" : "sessions begin", order->most_s);
}

/* Lowering says what is wrong; where is known here. */
static mr_status lower_session(struct mr_trace *trace, const struct mr_session *session,
                               struct mr_lower *lower, struct mr_err *err)
{
    struct mr_err own = {0};
    const mr_status st = mr_lower_add(lower, session, mr_trace_book(trace), &own);
    return st == MR_OK ? st : mr_err_set(err, st, mr_trace_place(trace), "%s", own.text);
}

/* The next session of the window; its arrival counts from the window's beginning. */
static mr_status next_session(const struct mr_agents_file *file, struct mr_trace *trace,
                              struct mr_session *session, uint64_t *number, bool *has_session,
                              struct mr_err *err)
{
    const double until_s = file->until_s > 0 ? file->until_s : (double)INFINITY;
    for (;;) {
        MR_TRY(mr_trace_next(trace, session, has_session, err));
        if (!*has_session)
            return MR_OK;
        double *arrival_s = &session->head.arrival_s;
        ++*number;
        if (isnan(*arrival_s) ? file->from_s > 0
                              : !(*arrival_s >= file->from_s && *arrival_s < until_s))
            continue;
        *arrival_s -= file->from_s;
        return MR_OK;
    }
}

static mr_status choose(const struct mr_agents_file *file, struct mr_trace_pick *pick,
                        struct mr_err *err)
{
    struct mr_trace *trace = NULL;
    struct mr_session session = {0};
    bool has_session = true;
    uint64_t number = 0;
    if (strcmp(file->path, "-") == 0)
        return mr_err_set(err, MR_SCHEMA, MR_NOWHERE,
                          "agents: which sessions are taken is known only when all have been read, "
                          "and standard input is read once: name a file");
    mr_status st = mr_trace_open(file->path, &file->options, &trace, err);
    while (st == MR_OK && has_session) {
        st = next_session(file, trace, &session, &number, &has_session, err);
        if (st == MR_OK && has_session)
            st = mr_trace_pick_add(pick, mr_trace_book(trace), &session, number, err);
    }
    mr_session_fini(&session);
    mr_trace_close(trace);
    return st == MR_OK ? mr_trace_pick_choose(pick, err) : st;
}

static mr_status read_taken(const struct mr_agents_file *file, struct mr_trace_pick *pick,
                            struct mr_lower *lower, struct order *order, struct mr_err *err)
{
    struct mr_trace *trace = NULL;
    struct mr_session session = {0};
    bool has_session = true;
    uint64_t number = 0;
    mr_status st = mr_trace_open(file->path, &file->options, &trace, err);
    while (st == MR_OK) {
        st = next_session(file, trace, &session, &number, &has_session, err);
        if (st != MR_OK || !has_session)
            break;
        if (pick != NULL && !mr_trace_pick_takes(pick, number, &session.head.arrival_s))
            continue;
        if (file->is_timed && session.head.cron == MR_SESSION_NONE)
            look_at_order(order, session.head.arrival_s, mr_trace_place(trace).line);
        st = lower_session(trace, &session, lower, err);
    }
    mr_session_fini(&session);
    mr_trace_close(trace);
    return st;
}

static mr_status read_sessions(const struct mr_agents_file *file, struct mr_lower *lower,
                               struct mr_diags *diags, struct mr_err *err)
{
    struct mr_trace_pick pick = {.plan = file->pick};
    struct order order = {.last_s = -(double)INFINITY};
    const bool chooses = mr_trace_pick_is_needed(&file->pick);
    mr_status st = chooses ? choose(file, &pick, err) : MR_OK;
    if (st == MR_OK)
        st = read_taken(file, chooses ? &pick : NULL, lower, &order, err);
    mr_trace_pick_fini(&pick);
    tell_order(&order, file->path, diags);
    return st;
}

mr_status mr_agents_file_read(const struct mr_agents_file *file,
                              const struct mr_lower_plan *lowering, struct mr_script *script,
                              struct mr_diags *diags, struct mr_err *err)
{
    struct mr_lower lower;
    if (file->path == NULL &&
        (mr_trace_pick_is_needed(&file->pick) || file->from_s > 0 || file->until_s > 0))
        return mr_err_set(
            err, MR_SCHEMA, MR_NOWHERE,
            "agents: sessions are chosen of a file (from, until, min_calls, max_calls, "
            "model, dedup, sample, dequantize), and there is none");
    if (file->path == NULL && (file->options.format != NULL || file->options.block_tok > 0 ||
                               file->options.basis != MR_TRACE_BASIS_AUTO))
        return mr_err_set(err, MR_SCHEMA, MR_NOWHERE,
                          "agents: format, block and basis say how a file is read, and there is "
                          "none");
    mr_lower_init(&lower, lowering, script);
    const mr_status st = file->path != NULL ? read_sessions(file, &lower, diags, err)
                                            : draw_sessions(file->n_drawn, &lower, err);
    const uint64_t n_all = lower.n_left_out + script->n_session;
    const struct mr_place at = {file->path, 0, 0};
    if (st == MR_OK && lower.n_left_out > 0)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, at,
                     "agents: %llu of %llu sessions are left out: their contexts are longer than "
                     "%u tokens",
                     (unsigned long long)lower.n_left_out, (unsigned long long)n_all,
                     lowering->input_max);
    if (st == MR_OK && lower.n_no_tenant > 0)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_REF, at,
                     "agents: %llu sessions name tenants, and the scenario has no <tenant>: they "
                     "are nobody's",
                     (unsigned long long)lower.n_no_tenant);
    if (st == MR_OK && lower.n_no_hint > 0)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_LIMIT, at,
                     "agents: the hints of %llu calls are passed over: there are more than %d "
                     "different ones",
                     (unsigned long long)lower.n_no_hint, MR_SCRIPT_HINTS);
    if (st == MR_OK && lower.n_other_llm > 0)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_REF, at,
                     "agents: %llu calls are of models with other cards than \"%s\", which serves "
                     "them here",
                     (unsigned long long)lower.n_other_llm, lowering->llm);
    mr_lower_fini(&lower);
    return st;
}
