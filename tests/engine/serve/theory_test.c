/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/instance: where an instance degenerates to a queue that has been solved, the mean
 * waiting time is the solution's. Batches of one, steps of constant length s: a prompt of one step
 * is M/D/1; outputs of geometric length are M/Geo/1, whose limit of many short steps is M/M/1. All
 * by the formula of Pollaczek and Khinchine for Poisson arrivals at rate r,
 *
 *   W = r E[S^2] / (2 (1 - rho)),   rho = r E[S]
 *
 * within three standard errors, which come from the means of a hundred batches of calls: waits of
 * neighbors are alike, those of batches thousands of calls long are not. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>

enum {
    n_batch = 100,
    n_call = 400000
};

static const struct mr_policy *const policies[] = {
    &mr_policy_vllm1, &mr_policy_sarathi, &mr_policy_vllm0, &mr_policy_orca, &mr_policy_static};

static const double step_s = 0.012; /* t0 + tw */

/* Steps that know no context. */
static struct mr_profile *constant_steps(void)
{
    struct mr_profile_card card;
    struct mr_profile *profile;
    mr_profile_defaults(&card);
    card.form = MR_PROFILE_LINEAR5;
    card.t0_s = 0.002;
    card.tw_s = 0.010;
    card.ctok_s = card.ckv_s = card.catt_s = 0;
    assert_int_equal(mr_profile_create(&card, NULL, 0, &profile, NULL), MR_OK);
    return profile;
}

/* Waits from arrival to the first step. @param[in] mean_s of a service @param[in] mean_square */
static void solved(const struct mr_serving *serving, const struct play_call *call, double rate_s,
                   double mean_s, double mean_square, double rho)
{
    double mean[n_batch] = {0}, all = 0, square = 0;
    const size_t n_each = n_call / n_batch;
    for (size_t i = 0; i < n_call; i++)
        mean[i / n_each] += (call[i].scheduled_s - call[i].arrived_s) / (double)n_each;
    for (size_t k = 0; k < n_batch; k++)
        all += mean[k] / n_batch;
    for (size_t k = 0; k < n_batch; k++)
        square += (mean[k] - all) * (mean[k] - all);
    const double error = sqrt(square / (n_batch - 1) / n_batch);
    const double expected = rate_s * mean_square / (2 * (1 - rate_s * mean_s));
    print_message("%s, rho %.2f: waits %.6f s, expected %.6f, error %.6f\n", serving->policy->name,
                  rho, all, expected, error);
    assert_true(error < 0.1 * expected);
    assert_true(fabs(all - expected) < 3 * error);
}

/* Calls that arrive at random and keep the instance busy for rho of the time.
 * @param[in] p of the geometric outputs; 1: all are the one token that the prompt yields */
static void queue_of(const struct mr_policy *policy, const struct mr_profile *profile, double rho,
                     double p, uint64_t seed)
{
    const struct mr_serving serving = {.policy = policy,
                                       .pricer = {.profile = profile},
                                       .batch_max = 1,
                                       .token_max = 1 << 20,
                                       .context_max = 1 << 17,
                                       .block_tokens = 16,
                                       .n_block = 1 << 17};
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 77);
    struct play_call *call = mr_alloc_zero(n_call, sizeof *call);
    const double mean_s = step_s / p, rate_s = rho / mean_s;
    double at_s = 0;
    assert_non_null(call);
    for (size_t i = 0; i < n_call; i++) {
        at_s += mr_rng_exponential(&rng, 1 / rate_s);
        call[i].arrived_s = at_s;
        call[i].n_prompt = 1;
        /* the number of trials until the first success */
        const double trials = p < 1 ? ceil(log(mr_rng_open(&rng)) / log1p(-p)) : 1;
        call[i].n_output = trials > 1 ? (uint32_t)trials : 1;
    }
    (void)play(&serving, call, n_call);
    solved(&serving, call, rate_s, mean_s, step_s * step_s * (2 - p) / (p * p), rho);
    mr_free(call);
}

MR_TEST(prompts_of_one_step_wait_as_in_m_d_1)
{
    static const double rho[] = {0.5, 0.8, 0.95};
    struct mr_profile *profile = constant_steps();
    for (size_t k = 0; k < sizeof policies / sizeof *policies; k++)
        for (size_t i = 0; i < 3; i++)
            queue_of(policies[k], profile, rho[i], 1, 11 + i);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(geometric_outputs_wait_as_in_m_m_1)
{
    static const double rho[] = {0.5, 0.8, 0.9};
    struct mr_profile *profile = constant_steps();
    for (size_t k = 0; k < sizeof policies / sizeof *policies; k++)
        for (size_t i = 0; i < 3; i++)
            queue_of(policies[k], profile, rho[i], i == 0 ? 0.2 : 0.005, 21 + i);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(prompts_of_one_step_wait_as_in_m_d_1),
             MR_TEST_ENTRY(geometric_outputs_wait_as_in_m_m_1))
