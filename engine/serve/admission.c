/* SPDX-License-Identifier: Apache-2.0 */
/* The bucket is brought up to date when it is asked. */
#include "engine/serve/admission.h"

#include <math.h>

/* A date from mr_admission_full_s is one at which the call may come in, whatever it is rounded to.
 */
static const double early_s = 1e-9;

void mr_admission_start(struct mr_admission *state, const struct mr_admission_rule *rule)
{
    *state = (struct mr_admission){.level_tok = rule->burst_tok};
}

double mr_admission_full_s(const struct mr_admission *state, const struct mr_admission_rule *rule,
                           double n_tok)
{
    if (!(rule->rate_tok_s > 0))
        return -(double)INFINITY;
    if (n_tok > rule->burst_tok)
        return (double)INFINITY;
    return state->level_s + (n_tok - state->level_tok) / rule->rate_tok_s;
}

enum mr_admission_answer mr_admission_ask(struct mr_admission *state,
                                          const struct mr_admission_rule *rule, double n_tok,
                                          double ttft_s, double now_s)
{
    if (rule->n_inside > 0 && state->n_inside >= rule->n_inside)
        return MR_ADMISSION_LIMIT;
    if (rule->rate_tok_s > 0) {
        state->level_tok =
            fmin(rule->burst_tok, state->level_tok + rule->rate_tok_s * (now_s - state->level_s));
        state->level_s = now_s;
        if (state->level_tok < n_tok - rule->rate_tok_s * early_s)
            return MR_ADMISSION_RATE;
    }
    if (rule->ttft_s > 0 && ttft_s > rule->ttft_s)
        return MR_ADMISSION_LATE;
    if (rule->rate_tok_s > 0)
        state->level_tok -= n_tok;
    mr_admission_enter(state);
    return MR_ADMISSION_YES;
}
