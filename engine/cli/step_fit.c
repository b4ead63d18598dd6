/* SPDX-License-Identifier: Apache-2.0 */
/* A sequence fills whole blocks. Copies of attention have blocks of their own and share sequences
 * evenly: the fullest copy counts. */
#include "engine/cli/step_fit.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What does not fit is an error, or a remark where it was asked for. */
static mr_status refuse_or_say(const struct mr_verb_call *call, mr_status st, bool *fits,
                               struct mr_err *err)
{
    const struct mr_step_opts_values *opts = call->opts;
    if (st == MR_OK || st == MR_NOMEM || !opts->is_forced)
        return st;
    mr_ui_say(call->ui, 0, "note: it could not run so: %s", err->text);
    *err = (struct mr_err){0};
    *fits = false;
    return MR_OK;
}

mr_status mr_step_fit_context(const struct mr_verb_call *call, const char *llm_id,
                              const struct mr_llm_card *llm, bool *fits, struct mr_err *err)
{
    const struct mr_step_opts_values *opts = call->opts;
    const bool is_context = opts->n_batch > 0 && opts->n_context > opts->n_prompt;
    const uint64_t longest = is_context ? opts->n_context : opts->n_prompt;
    if (llm->context_max == 0 || longest <= llm->context_max)
        return MR_OK;
    const mr_status st =
        mr_err_set(err, MR_RANGE, MR_NOWHERE,
                   "--%s %" PRIu64 ": the longest context of %s is %" PRIu64 " tokens",
                   is_context ? "context" : "prefill", longest, llm_id, llm->context_max);
    return refuse_or_say(call, st, fits, err);
}

mr_status mr_step_fit_blocks(const struct mr_step_opts_values *opts, double n_block,
                             double block_tokens, double n_copy, struct mr_err *err)
{
    const double each = ceil((double)opts->n_context / block_tokens);
    const double needed = n_copy * (ceil((double)opts->n_batch / n_copy) * each +
                                    ceil((double)opts->n_prompt / block_tokens));
    if (needed <= n_block)
        return MR_OK;
    return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                      "the batch does not fit: it needs %.0f blocks of %.0f tokens and there are "
                      "%.0f, %.0f are missing (fewer sequences, shorter contexts, more packages)",
                      needed, block_tokens, n_block, needed - n_block);
}

mr_status mr_step_fit_memory(const struct mr_verb_call *call, const struct mr_step_setup *setup,
                             struct mr_memory *memory, bool *fits, struct mr_err *err)
{
    const struct mr_step_opts_values *opts = call->opts;
    const double n_sequence = (double)opts->n_batch + (opts->n_prompt > 0);
    mr_status st = mr_memory_of(setup, n_sequence, opts->n_block, memory, err);
    if (st == MR_OK)
        st = mr_step_fit_blocks(opts, (double)memory->n_block, (double)memory->block_tokens,
                                setup->parallel.dp, err);
    return refuse_or_say(call, st, fits, err);
}

mr_status mr_step_fit_profile_opts(const struct mr_step_opts_values *opts, struct mr_err *err)
{
    static const char *const known[] = {"profile", "batch",    "context",   "prefill",
                                        "blocks",  "software", "force-fit", "json"};
    mr_status st = MR_OK;
    for (size_t i = 0; i < mr_step_opts.n && st == MR_OK; i++) {
        const struct mr_param *row = &mr_step_opts.row[i].param;
        const struct mr_param_table one = {"options", "", row, 1};
        struct mr_step_opts_values plain = {0};
        struct mr_buf has = {0}, usual = {0};
        uint8_t origin = 0;
        bool is_known = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            is_known = is_known || strcmp(known[k], row->name) == 0;
        if (is_known)
            continue;
        mr_param_defaults(&(struct mr_param_target){&one, &plain, &origin, NULL, NULL});
        mr_param_value(row, opts, &has);
        mr_param_value(row, &plain, &usual);
        st = has.status != MR_OK ? has.status : usual.status;
        if (st != MR_OK)
            st = mr_err_nomem(err, sizeof has);
        else if (has.n != usual.n || memcmp(has.text, usual.text, has.n) != 0)
            st = mr_err_set(err, MR_RANGE, MR_NOWHERE,
                            "--%s means nothing with --profile: measured times are of one setup "
                            "at one clock",
                            row->name);
        mr_buf_fini(&has);
        mr_buf_fini(&usual);
    }
    return st;
}
