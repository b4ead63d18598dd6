/* SPDX-License-Identifier: Apache-2.0 */
/* One session is in memory at a time besides the script. */
#include "engine/twin/agents_file.h"

#include "engine/work/synthetic.h"
#include "engine/work/trace.h"

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

static mr_status read_sessions(const char *path, struct mr_lower *lower, struct mr_err *err)
{
    struct mr_trace *trace = NULL;
    struct mr_session session = {0};
    bool has_session = true;
    mr_status st = mr_trace_open(path, NULL, &trace, err);
    while (st == MR_OK && has_session) {
        st = mr_trace_next(trace, &session, &has_session, err);
        if (st == MR_OK && has_session)
            st = mr_lower_add(lower, &session, mr_trace_book(trace), err);
    }
    mr_session_fini(&session);
    mr_trace_close(trace);
    return st;
}

mr_status mr_agents_file_read(const char *path, uint64_t n_drawn,
                              const struct mr_lower_plan *lowering, struct mr_script *script,
                              struct mr_diags *diags, struct mr_err *err)
{
    struct mr_lower lower;
    mr_lower_init(&lower, lowering, script);
    const mr_status st =
        path != NULL ? read_sessions(path, &lower, err) : draw_sessions(n_drawn, &lower, err);
    const uint64_t n_all = lower.n_left_out + script->n_session;
    if (st == MR_OK && lower.n_left_out > 0)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, (struct mr_place){path, 0, 0},
                     "agents: %llu of %llu sessions are left out: their contexts are longer than "
                     "%u tokens",
                     (unsigned long long)lower.n_left_out, (unsigned long long)n_all,
                     lowering->input_max);
    mr_lower_fini(&lower);
    return st;
}
