/* SPDX-License-Identifier: Apache-2.0 */
/* models/step: tables against the terms they hold, stages of a pipeline, leaps, prices, joules. */
#include "models/memory.h"
#include "models/power.h"
#include "models/step.h"
#include "tests/models/step_bed.h"

#include <math.h>

/* At whole numbers below 16 and at eight points per octave exactly, between them within the
 * curvature. */
MR_TEST(tables_agree_with_terms)
{
    struct fixture f;
    plain(&f);
    f.software.half_rows = 96;
    f.software.join_exponent = 4;
    f.llm.n_expert = 64;
    f.llm.top_k = 4;
    f.llm.expert_inter = 1000;
    f.setup.parallel = (struct mr_parallel){2, 2, 1, 4, 1};
    struct mr_step *step = table_of(&f);
    static const double clocks[] = {1, 0.95, 0.6, 0.35};
    for (int c = 0; c < 4; c++)
        for (double n = 1; n < 5e5; n = floor(n * 1.37) + 1) {
            const struct mr_batch batch = {.n_decode = n,
                                           .kv_tokens = n * 700,
                                           .chunk_tokens = 3 * n,
                                           .chunk_pairs = 40 * n,
                                           .n_prompt_end = 1};
            struct mr_step_terms terms;
            mr_step_terms(&f.setup, &batch, clocks[c], &terms);
            mr_assert_near(mr_step_time(step, &batch, clocks[c]), terms.time_s, 3e-3, 0);
        }
    for (double n = 1; n <= 4096; n *= 2) {
        const struct mr_batch batch = {.n_decode = n};
        mr_assert_near(mr_step_time(step, &batch, 1), terms_of(&f, &batch).time_s, 1e-12, 0);
    }
    mr_step_destroy(step);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* Four stages of one layer: 40 sequences are four parts of 10, each as a batch of 10 on one package
 * but for three sends of 10 x 1000 x 2 B. In that time a package does what a package alone does
 * for 10, on a quarter of the layers four times. */
MR_TEST(stages_hold_a_part_each)
{
    struct fixture f;
    plain(&f);
    const struct mr_step_terms one =
        terms_of(&f, &(struct mr_batch){.n_decode = 10, .kv_tokens = 10e3});
    f.setup.parallel.pp = 4;
    const struct mr_step_terms four =
        terms_of(&f, &(struct mr_batch){.n_decode = 40, .kv_tokens = 40e3});
    mr_assert_near(four.part[MR_STEP_TERM_SEND].time_s, 3 * (10e-6 + 20e3 / 100e9), 1e-9, 0);
    mr_assert_near(four.time_s - four.part[MR_STEP_TERM_SEND].time_s, one.time_s, 1e-12, 0);
    mr_assert_near(four.work.memory_bytes, one.work.memory_bytes, 1e-12, 0);
    mr_assert_near(four.work.flop[MR_FORMAT_BF16], one.work.flop[MR_FORMAT_BF16], 1e-12, 0);
    /* one sequence passes all stages alone: each works a quarter of the time */
    const struct mr_step_terms alone = terms_of(&f, &(struct mr_batch){.n_decode = 1});
    mr_assert_near(alone.work.memory_bytes, 228e6 / 4, 1e-9, 0);
    mr_assert_near(alone.work.busy_s, alone.time_s / 4, 1e-12, 0);
    /* three stages of four layers: all at the pace of the one with two */
    f.setup.parallel.pp = 3;
    const struct mr_step_terms uneven = terms_of(&f, &(struct mr_batch){.n_decode = 3});
    mr_assert_near(uneven.part[MR_STEP_TERM_DENSE].time_s, 96e-6 * 6 / 4, 1e-6, 0);
    struct mr_memory memory;
    struct mr_err err = {0};
    assert_int_equal(mr_memory_of(&f.setup, 10, 0, &memory, &err), MR_OK);
    mr_assert_near(memory.weight_bytes, 64e6 + 100e6, 1e-9, 0);
    mr_assert_near(memory.kv_token_bytes, 8000, 1e-12, 0);
}

/* Tables, work and growth of parts are those of the terms. */
MR_TEST(tables_of_stages)
{
    struct fixture f;
    struct mr_work work, growth, next;
    plain(&f);
    f.setup.parallel.pp = 4;
    struct mr_step *step = table_of(&f);
    for (double n = 1; n <= 4096; n *= 2) {
        struct mr_batch batch = {.n_decode = n, .kv_tokens = 500 * n};
        const struct mr_step_terms terms = terms_of(&f, &batch);
        const struct mr_step_leap leap = mr_step_leap(step, &batch, 1);
        mr_step_work(step, &batch, &work);
        mr_step_work_growth(step, &batch, &growth);
        mr_assert_near(leap.a_s, terms.time_s, 1e-12, 0);
        mr_assert_near(work.memory_bytes, terms.work.memory_bytes, 1e-9, 0);
        mr_assert_near(work.flop[MR_FORMAT_BF16], terms.work.flop[MR_FORMAT_BF16], 1e-9, 0);
        mr_assert_near(work.busy_s, terms.work.busy_s, 1e-9, 0);
        batch.kv_tokens += n;
        mr_step_work(step, &batch, &next);
        mr_assert_near(mr_step_time(step, &batch, 1), leap.a_s + leap.b_s, 1e-12, 0);
        mr_assert_near(next.memory_bytes, work.memory_bytes + growth.memory_bytes, 1e-12, 0);
    }
    mr_step_destroy(step);
}

/* A batch that only grows in context: the closed form is the sum of the steps. */
MR_TEST(leaps_are_sums_of_steps)
{
    struct fixture f;
    plain(&f);
    struct mr_step *step = table_of(&f);
    struct mr_batch batch = {.n_decode = 37, .kv_tokens = 37 * 912};
    const struct mr_step_leap leap = mr_step_leap(step, &batch, 0.8);
    double sum = 0;
    const int n_step = 500;
    for (int j = 0; j < n_step; j++) {
        sum += mr_step_time(step, &batch, 0.8);
        batch.kv_tokens += batch.n_decode;
    }
    mr_assert_near(n_step * leap.a_s + leap.b_s * n_step * (n_step - 1) / 2, sum, 1e-12, 0);
    mr_step_destroy(step);
}

/* One look at the tables or three: the same bits, at any clock, with stages and chunks. */
MR_TEST(prices_are_those_of_the_parts)
{
    struct fixture f;
    plain(&f);
    for (uint32_t pp = 1; pp <= 4; pp *= 4) {
        f.setup.parallel.pp = pp;
        struct mr_step *step = table_of(&f);
        for (int k = 0; k < 300; k++) {
            const double phi = k % 3 == 0 ? 1 : 0.4 + 0.002 * k, n = k * 1.7;
            const struct mr_batch batch = {.n_decode = n,
                                           .kv_tokens = 713.0 * n,
                                           .chunk_tokens = 37.0 * (k % 50),
                                           .chunk_pairs = 1e4 * k,
                                           .chunk_kv_tokens = 100.0 * k,
                                           .n_prompt_end = k % 2,
                                           .n_growing = 0.5 * n};
            struct mr_work work[2], growth[2];
            const struct mr_step_leap leap = mr_step_leap(step, &batch, phi);
            mr_step_work(step, &batch, &work[0]);
            mr_step_work_growth(step, &batch, &growth[0]);
            const struct mr_step_leap priced =
                mr_step_price(step, &batch, phi, &work[1], &growth[1]);
            assert_memory_equal(&priced, &leap, sizeof leap);
            assert_memory_equal(&work[1], &work[0], sizeof *work);
            assert_memory_equal(&growth[1], &growth[0], sizeof *growth);
            assert_true(leap.a_s == mr_step_time(step, &batch, phi));
        }
        mr_step_destroy(step);
    }
}

/* Joules out of the tables are those of the work, seconds the same bits, with drafts and without.
 */
MR_TEST(joules_are_those_of_the_work)
{
    struct fixture f;
    struct mr_power power = {.idle_w = 200,
                             .compute_w = 90,
                             .serving_w = 50,
                             .byte_j = 80e-12,
                             .byte_s = 1e-12,
                             .link_byte_j = 11e-12};
    for (int i = 0; i < MR_N_FORMAT; i++) {
        power.flop_j[i] = 1e-13 * (1 + i);
        power.flop_s[i] = 1e-15;
    }
    const struct mr_power other = power;
    plain(&f);
    for (uint32_t n_draft = 0; n_draft <= 3; n_draft += 3) {
        f.setup.n_draft = n_draft;
        f.setup.accepted = n_draft > 0 ? 2.25 : 0;
        struct mr_step *step = table_of(&f);
        assert_false(mr_step_has_joules(step, &power, 1));
        mr_step_take_power(step, &power);
        assert_true(mr_step_has_joules(step, &power, 1));
        assert_false(mr_step_has_joules(step, &power, 0.9));
        assert_false(mr_step_has_joules(step, &other, 1));
        for (int k = 0; k < 300; k++) {
            const double n = k * 1.7;
            const struct mr_batch batch = {.n_decode = n,
                                           .kv_tokens = 71300.0 * n,
                                           .window_kv_tokens = 900 * n,
                                           .chunk_tokens = 37.0 * (k % 50),
                                           .chunk_pairs = 1e6 * k,
                                           .chunk_window_pairs = 1e5 * k,
                                           .chunk_kv_tokens = 1000.0 * k,
                                           .n_prompt_end = k % 2,
                                           .n_growing = 0.5 * n};
            struct mr_work work, growth;
            double work_j, grow_j;
            const struct mr_step_leap leap = mr_step_price(step, &batch, 1, &work, &growth);
            const struct mr_step_leap same = mr_step_joules(step, &batch, &work_j, &grow_j);
            assert_memory_equal(&same, &leap, sizeof leap);
            work.busy_s = leap.a_s - work.idle_s;
            growth.busy_s = leap.b_s;
            mr_assert_near(work_j, mr_power_work_j(&power, &work, 1), 1e-11, 0);
            mr_assert_near(grow_j, mr_power_work_j(&power, &growth, 1), 1e-11, 0);
        }
        mr_step_destroy(step);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(tables_agree_with_terms), MR_TEST_ENTRY(stages_hold_a_part_each),
             MR_TEST_ENTRY(tables_of_stages), MR_TEST_ENTRY(leaps_are_sums_of_steps),
             MR_TEST_ENTRY(prices_are_those_of_the_parts),
             MR_TEST_ENTRY(joules_are_those_of_the_work))
