/* SPDX-License-Identifier: Apache-2.0 */
/* One session is in memory at a time besides the script. */
#include "engine/twin/agents_file.h"

#include "engine/work/synthetic.h"

static mr_status draw_sessions(uint64_t n, const struct mr_lower_plan *lowering,
                               struct mr_lower *lower, struct mr_err *err)
{
    const uint32_t least = 32768, most = lowering->input_max;
    const struct mr_synthetic synthetic = {
        .seed = lowering->seed, .context_max = most, .block_tok = lowering->block_tok};
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

mr_status mr_agents_file_read(const char *path, uint64_t n_drawn,
                              const struct mr_lower_plan *lowering, struct mr_script *script,
                              struct mr_diags *diags, struct mr_err *err)
{
    struct mr_lower lower;
    mr_lower_init(&lower, lowering, script);
    (void)path, (void)diags;
    const mr_status st = draw_sessions(n_drawn, lowering, &lower, err);
    mr_lower_fini(&lower);
    return st;
}
