/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/admission: answers equal those of a list of all that was let in, played again for
 * every call. */
#include "engine/serve/admission.h"

#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    n_call = 400
};

struct past {
    double at_s, n_tok, until_s;
    bool is_in;
};

static double level_tok(const struct past *past, size_t n, const struct mr_admission_rule *rule,
                        double now_s)
{
    double level = rule->burst_tok, at_s = 0;
    for (size_t i = 0; i < n; i++) {
        level = fmin(rule->burst_tok, level + rule->rate_tok_s * (past[i].at_s - at_s));
        at_s = past[i].at_s;
        level -= past[i].is_in ? past[i].n_tok : 0;
    }
    return fmin(rule->burst_tok, level + rule->rate_tok_s * (now_s - at_s));
}

static enum mr_admission_answer by_hand(const struct past *past, size_t n,
                                        const struct mr_admission_rule *rule,
                                        const struct past *call, double ttft_s)
{
    uint64_t n_inside = 0;
    for (size_t i = 0; i < n; i++)
        n_inside += past[i].is_in && past[i].until_s > call->at_s ? 1u : 0u;
    if (rule->n_inside > 0 && n_inside >= rule->n_inside)
        return MR_ADMISSION_LIMIT;
    if (rule->rate_tok_s > 0 && level_tok(past, n, rule, call->at_s) < call->n_tok)
        return MR_ADMISSION_RATE;
    return rule->ttft_s > 0 && ttft_s > rule->ttft_s ? MR_ADMISSION_LATE : MR_ADMISSION_YES;
}

MR_TEST(as_by_hand)
{
    uint64_t n_answer[4] = {0};
    static struct past past[n_call];
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct mr_rng rng = mr_rng_stream(701, MR_RNG_TEST, seed);
        const struct mr_admission_rule rule = {.n_inside = seed % 3 == 0 ? 0 : 3 + seed % 5,
                                               .rate_tok_s = seed % 4 == 0 ? 0 : 500,
                                               .burst_tok = 3000,
                                               .ttft_s = seed % 5 == 0 ? 0 : 1.5};
        struct mr_admission state;
        double at_s = 0;
        mr_admission_start(&state, &rule);
        for (size_t i = 0; i < n_call; i++) {
            const double before_s = at_s, ttft_s = mr_rng_range(&rng, 0, 2);
            at_s += mr_rng_below(&rng, 4) == 0 ? 0 : mr_rng_exponential(&rng, 1);
            past[i] = (struct past){.at_s = at_s,
                                    .n_tok = (double)(1 + mr_rng_below(&rng, 1000)),
                                    .until_s = at_s + mr_rng_exponential(&rng, 6)};
            for (size_t k = 0; k < i; k++)
                if (past[k].is_in && past[k].until_s > before_s && past[k].until_s <= at_s)
                    mr_admission_leave(&state);
            const enum mr_admission_answer want = by_hand(past, i, &rule, &past[i], ttft_s);
            const enum mr_admission_answer is =
                mr_admission_ask(&state, &rule, past[i].n_tok, ttft_s, at_s);
            assert_int_equal(is, want);
            past[i].is_in = is == MR_ADMISSION_YES;
            n_answer[is]++;
        }
    }
    for (int k = 0; k < 4; k++)
        assert_true(n_answer[k] > 500);
}

MR_TEST(without_rules_all_come_in)
{
    const struct mr_admission_rule rule = {0};
    struct mr_admission state;
    mr_admission_start(&state, &rule);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(mr_admission_ask(&state, &rule, 1e12, 1e9, i), MR_ADMISSION_YES);
    assert_int_equal(state.n_inside, 1000);
}

MR_TEST_MAIN(MR_TEST_ENTRY(as_by_hand), MR_TEST_ENTRY(without_rules_all_come_in))
