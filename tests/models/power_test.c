/* SPDX-License-Identifier: Apache-2.0 */
/* models/power: known answers, dimensions and limits, clocks and caps as each
 * other's inverse, cards that cannot be. */
#include "models/power.h"

#include "engine/base/rng.h"
#include "tests/test.h"

/* A package of round numbers: 185 W hold a process, 800 W are left for 2 Pflop/s. */
static struct mr_gpu_card plain(void)
{
    return (struct mr_gpu_card){
        .bf16_flop_s = 2e15,
        .fp8_flop_s = 4e15,
        .memory_bytes_s = 8e12,
        .max_p_w = 1000,
        .clock_min = 0.35,
        .clock_knee = 0.6,
        .power_exponent = 2.6,
        .idle_w = 140,
        .context_w = 45,
        .leakage_per_k = 0.02,
        .compute_w = 15,
        .byte_j = 5e-11,
        .link_byte_j = 4e-11,
    };
}

static struct mr_power power_of(const struct mr_gpu_card *gpu)
{
    struct mr_power power;
    struct mr_err err = {0};
    if (mr_power_of(gpu, &power, &err) != MR_OK)
        fail_msg("%s", err.text);
    return power;
}

/* ---- cards ---- */

MR_TEST(gaps_are_filled_up_to_the_limit)
{
    const struct mr_gpu_card gpu = plain();
    const struct mr_power power = power_of(&gpu);
    mr_assert_near(power.flop_j[MR_FORMAT_BF16], 800 / 2e15, 1e-15, 0);
    mr_assert_near(power.flop_j[MR_FORMAT_FP8], 800 / 4e15, 1e-15, 0);
    assert_true(power.flop_j[MR_FORMAT_NVFP4] == 0); /* no such path */
    assert_true(power.flop_j[MR_FORMAT_MXFP4] == 0);
    /* a second of full-rate prefill, both formats */
    for (int f = 0; f <= MR_FORMAT_FP8; f++) {
        struct mr_work work = {.busy_s = 1};
        work.flop[f] = f == MR_FORMAT_BF16 ? 2e15 : 4e15;
        mr_assert_near(mr_power_step_w(&power, &work, 1, 60), 1000, 1e-14, 0);
    }
    struct mr_gpu_card said = plain();
    said.flop_bf16_j = 3e-13;
    said.fp4_flop_s = 8e15;
    said.flop_fp4_j = 8e-14;
    const struct mr_power own = power_of(&said);
    assert_true(own.flop_j[MR_FORMAT_BF16] == 3e-13);
    assert_true(own.flop_j[MR_FORMAT_NVFP4] == 8e-14 && own.flop_j[MR_FORMAT_MXFP4] == 8e-14);
}

/* Change one figure of the card, expect a text. */
#define REFUSED(change, part)                                          \
    do {                                                               \
        struct mr_gpu_card gpu_ = plain();                             \
        struct mr_power power_;                                        \
        struct mr_err err_ = {0};                                      \
        gpu_.change;                                                   \
        assert_int_equal(mr_power_check(&gpu_, &err_), MR_RANGE);      \
        mr_assert_contains(err_.text, part);                           \
        assert_int_equal(mr_power_of(&gpu_, &power_, NULL), MR_RANGE); \
    } while (0)

MR_TEST(impossible_cards)
{
    struct mr_gpu_card gpu = plain();
    struct mr_err err = {0};
    assert_int_equal(mr_power_check(&gpu, &err), MR_OK);
    REFUSED(idle_w = -1, "power.idle -1: must be a number, 0 or more");
    REFUSED(idle_w = (double)NAN, "power.idle");
    REFUSED(max_p_w = (double)INFINITY, "power.max_p inf");
    REFUSED(max_p_w = 0, "a package needs a limit above 0 W");
    REFUSED(max_q_w = 1100, "power.max_q 1100 W: above power.max_p 1000 W");
    REFUSED(clock_min = 0, "clock.min 0: must be above 0 and below 1");
    REFUSED(clock_min = 1, "clock.min 1");
    REFUSED(clock_knee = 0.3, "clock.knee 0.3: must be between clock.min 0.35 and 1");
    REFUSED(clock_knee = 1, "clock.knee 1: must be between");
    REFUSED(power_exponent = 0.9, "clock.exponent 0.9: must be 1 or more");
    REFUSED(power_exponent = (double)NAN, "clock.exponent");
    REFUSED(leakage_w = 150, "power.leakage 150 W: is part of power.idle, which is 140 W");
    REFUSED(idle_w = 940, "power.idle 940 W + power.context 45 W + power.compute 15 W + "
                          "power.serving 0 W leave nothing of the limit of 1000 W for work");
    REFUSED(serving_w = 800, "power.serving 800 W leave nothing of the limit");
    REFUSED(serving_w = 450, "energy.byte 5e-11: is less than power.serving x the time");
    REFUSED(serving_w = 350; gpu_.flop_bf16_j = 1.7e-13, "energy.bf16 1.7e-13 J: is less than");
    REFUSED(serving_w = -1, "power.serving -1");
    /* 200 + 0.75 x 2e15 x 9e-13 = 1550 > 1500 */
    REFUSED(flop_bf16_j = 9e-13,
            "energy.bf16 9e-13 J: 1550 W at 0.75 of the full rate, above 1.5 x the limit of 1000");
    REFUSED(flop_fp8_j = 5e-13, "energy.fp8");
    REFUSED(byte_j = 2e-10, "energy.byte 2e-10 J: 1800 W at full bandwidth, above 1.5 x");
    gpu = plain();
    gpu.flop_fp4_j = 1; /* no FP4 path: nothing draws it */
    assert_int_equal(mr_power_check(&gpu, &err), MR_OK);
}

/* ---- clock ---- */

MR_TEST(factor_has_two_branches_and_an_inverse)
{
    for (int i = 0; i < 3; i++) {
        struct mr_gpu_card gpu = plain();
        gpu.power_exponent = 1 + 0.8 * i;
        const struct mr_power power = power_of(&gpu);
        assert_true(mr_power_factor(&power, 1) == 1);
        assert_true(mr_power_clock_of_factor(&power, 1) == 1);
        mr_assert_near(mr_power_factor(&power, 0.8), pow(0.8, gpu.power_exponent), 1e-15, 0);
        /* below the knee in proportion to the clock, and no jump at it */
        mr_assert_near(mr_power_factor(&power, 0.3) / mr_power_factor(&power, 0.6), 0.5, 1e-15, 0);
        mr_assert_near(mr_power_factor(&power, nextafter(0.6, 0)), mr_power_factor(&power, 0.6),
                       1e-14, 0);
        double before = 0;
        for (double clock = 0.01; clock <= 1; clock += 0.01) {
            const double factor = mr_power_factor(&power, clock);
            assert_true(factor > before);
            mr_assert_near(mr_power_clock_of_factor(&power, factor), clock, 1e-14, 0);
            before = factor;
        }
    }
}

MR_TEST(step_power_by_its_parts)
{
    struct mr_gpu_card gpu = plain();
    gpu.leakage_w = 100;
    const struct mr_power power = power_of(&gpu);
    const struct mr_work none = {0}, waits = {.idle_s = 1};
    assert_true(mr_power_step_w(&power, &none, 1, 60) == 185);
    assert_true(mr_power_step_w(&power, &waits, 1, 60) == 185);
    /* leakage: part of idle at 60 degC, e^0.6 of itself 30 K above */
    mr_assert_near(mr_power_idle_w(&power, 90), 185 + 100 * (exp(0.6) - 1), 1e-14, 0);
    assert_true(mr_power_idle_w(&power, 25) < 185);
    /* half a second each of running and waiting; 1 TB, 0.5 TB on links, 0.2 Pflop in BF16 */
    struct mr_work work = {.busy_s = 0.5, .idle_s = 0.5, .memory_bytes = 1e12, .link_bytes = 5e11};
    work.flop[MR_FORMAT_BF16] = 2e14;
    mr_assert_near(mr_power_work_j(&power, &work, 1), 7.5 + 80 + 50 + 20, 1e-14, 0);
    mr_assert_near(mr_power_step_w(&power, &work, 1, 60), 185 + 157.5, 1e-14, 0);
    /* below the knee a FLOP costs what it costs at the knee; memory does not care */
    const double v2 = pow(0.6, 1.6);
    mr_assert_near(mr_power_work_j(&power, &work, 0.5), 7.5 * v2 * 0.5 + 80 * v2 + 70, 1e-14, 0);
    /* twice the work in twice the time: the same watts */
    struct mr_work twice = work;
    twice.busy_s *= 2, twice.idle_s *= 2, twice.memory_bytes *= 2, twice.link_bytes *= 2;
    twice.flop[MR_FORMAT_BF16] *= 2;
    mr_assert_near(mr_power_step_w(&power, &twice, 0.8, 70),
                   mr_power_step_w(&power, &work, 0.8, 70), 1e-15, 0);
}

/* ---- operating point ---- */

MR_TEST(cap_and_lock)
{
    struct mr_gpu_card gpu = plain();
    const struct mr_power power = power_of(&gpu);
    /* idle 0.2, A 0.8, cap 0.689 */
    const struct mr_power_mix mix = {.base_w = 0.2, .clocked_w = 0.8};
    struct mr_power_point point = mr_power_operate(&power, &mix, 0.689, 1);
    mr_assert_near(point.clock, 0.827516, 0, 5e-7);
    mr_assert_near(point.power_w, 0.689, 1e-14, 0);
    assert_true(point.is_capped && !point.is_infeasible);
    /* the linear branch: d = 0.2 < 0.6^2.6 */
    point = mr_power_operate(&power, &mix, 0.36, 1);
    mr_assert_near(point.clock, 0.2 / pow(0.6, 1.6), 1e-14, 0);
    mr_assert_near(point.power_w, 0.36, 1e-14, 0);
    /* below what the lowest clock draws; below the base; nothing to slow */
    point = mr_power_operate(&power, &mix, 0.3, 1);
    assert_true(point.is_infeasible && point.clock == 0.35 && point.power_w > 0.3);
    assert_true(mr_power_operate(&power, &mix, 0.1, 1).is_infeasible);
    const struct mr_power_mix fixed = {.base_w = 0.2};
    assert_true(mr_power_operate(&power, &fixed, 0.1, 1).is_infeasible);
    /* a lock always applies, a cap above the lock's power does not */
    point = mr_power_operate(&power, &mix, 0.689, 0.7);
    assert_true(point.clock == 0.7 && !point.is_capped && point.power_w < 0.689);
    point = mr_power_operate(&power, &mix, 0.5, 0.8);
    assert_true(point.is_capped && point.clock < 0.8);
    assert_true(mr_power_operate(&power, &mix, (double)INFINITY, 0.1).clock == 0.35);
}

MR_TEST(a_serving_package_draws_most_where_its_work_explains_least)
{
    struct mr_gpu_card gpu = plain();
    gpu.serving_w = 200;
    const struct mr_power power = power_of(&gpu);
    /* nothing but waiting: 140 + 45 + 15 + 200 */
    struct mr_work work = {.busy_s = 0.01};
    mr_assert_near(mr_power_step_w(&power, &work, 1, 60), 400, 1e-14, 0);
    /* a host that works while kernels rest draws all but what kernels do */
    work = (struct mr_work){.idle_s = 0.01};
    mr_assert_near(mr_power_step_w(&power, &work, 1, 60), 385, 1e-14, 0);
    /* half of the step multiplies at full rate, a quarter reads at full bandwidth */
    work = (struct mr_work){.busy_s = 0.01, .memory_bytes = 0.0025 * 8e12};
    work.flop[MR_FORMAT_BF16] = 0.005 * 2e15;
    mr_assert_near(mr_power_step_w(&power, &work, 1, 60), 200 + 50 + 100 + 400, 1e-14, 0);
    struct mr_power_split split;
    mr_power_step_split(&power, &work, 1, 60, &split);
    mr_assert_near(split.idle_w, 185, 1e-14, 0);
    mr_assert_near(split.running_w, 15, 1e-14, 0);
    mr_assert_near(split.waiting_w, 50, 1e-13, 0);
    mr_assert_near(split.flop_w, 400, 1e-14, 0);
    mr_assert_near(split.memory_w, 100, 1e-14, 0);
    /* full rate leaves nothing to wait for: the limit, as without `serving` */
    work = (struct mr_work){.busy_s = 1};
    work.flop[MR_FORMAT_BF16] = 2e15;
    mr_assert_near(mr_power_step_w(&power, &work, 1, 60), 1000, 1e-14, 0);
}

/* Overlap can make the wait negative: work still costs more than the wait it ends. */
MR_TEST(no_serving_step_draws_less_than_idle)
{
    struct mr_gpu_card gpu = plain();
    gpu.serving_w = 390;
    gpu.leakage_w = 60;
    const struct mr_power power = power_of(&gpu);
    struct mr_rng rng = mr_rng_stream(7, MR_RNG_TEST, 5);
    for (int i = 0; i < 2000; i++) {
        const double flop_s = mr_rng_range(&rng, 0, 1), memory_s = mr_rng_range(&rng, 0, 1);
        const double clock = mr_rng_range(&rng, 0.35, 1), die_c = mr_rng_range(&rng, 30, 90);
        struct mr_work work = {.busy_s = fmax(flop_s / clock, memory_s),
                               .idle_s = mr_rng_range(&rng, 0, 0.1),
                               .memory_bytes = 8e12 * memory_s,
                               .link_bytes = mr_rng_range(&rng, 0, 1e12)};
        work.flop[MR_FORMAT_FP8] = 4e15 * flop_s;
        struct mr_power_split split;
        mr_power_step_split(&power, &work, clock, die_c, &split);
        const double sum_w = split.idle_w + split.running_w + split.waiting_w + split.flop_w +
                             split.memory_w + split.link_w;
        mr_assert_near(sum_w, mr_power_step_w(&power, &work, clock, die_c), 1e-13, 0);
        assert_true(sum_w >= split.idle_w);
    }
}

MR_TEST(cap_above_decode_changes_nothing)
{
    const struct mr_gpu_card gpu = plain();
    const struct mr_power power = power_of(&gpu);
    const struct mr_work decode = {.busy_s = 0.01, .memory_bytes = 2e10}; /* 2 TB/s: 300 W */
    mr_assert_near(mr_power_step_w(&power, &decode, 1, 60), 300, 1e-14, 0);
    const struct mr_power_mix mix = mr_power_mix_of(&power, &decode, 60);
    const struct mr_power_point free = mr_power_operate(&power, &mix, (double)INFINITY, 1);
    const struct mr_power_point capped = mr_power_operate(&power, &mix, 400, 1);
    assert_true(free.clock == 1 && capped.clock == 1 && !capped.is_capped);
    assert_memory_equal(&free.power_w, &capped.power_w, sizeof free.power_w);
}

MR_TEST(clock_and_cap_are_inverse)
{
    const struct mr_gpu_card gpu = plain();
    const struct mr_power power = power_of(&gpu);
    struct mr_rng rng = mr_rng_stream(7, MR_RNG_TEST, 1);
    for (int i = 0; i < 2000; i++) {
        const struct mr_power_mix mix = {.base_w = mr_rng_range(&rng, 0, 500),
                                         .clocked_w = mr_rng_range(&rng, 1, 900)};
        const double clock = mr_rng_range(&rng, 0.36, 0.999);
        const double cap_w = mix.base_w + mix.clocked_w * mr_power_factor(&power, clock);
        const struct mr_power_point point = mr_power_operate(&power, &mix, cap_w, 1);
        mr_assert_near(point.clock, clock, 1e-11, 0);
        mr_assert_near(point.power_w, cap_w, 1e-13, 0);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(gaps_are_filled_up_to_the_limit), MR_TEST_ENTRY(impossible_cards),
             MR_TEST_ENTRY(factor_has_two_branches_and_an_inverse),
             MR_TEST_ENTRY(step_power_by_its_parts),
             MR_TEST_ENTRY(a_serving_package_draws_most_where_its_work_explains_least),
             MR_TEST_ENTRY(no_serving_step_draws_less_than_idle), MR_TEST_ENTRY(cap_and_lock),
             MR_TEST_ENTRY(cap_above_decode_changes_nothing),
             MR_TEST_ENTRY(clock_and_cap_are_inverse))
