/* SPDX-License-Identifier: Apache-2.0 */
/* models/lpx: the three uses of LPUs against hand arithmetic, limits, monotonicity, leaps against
 * steps, what does not fit, and the published points of a rack. */
#include "models/lpx.h"

#include "engine/base/shelf.h"
#include "models/memory.h"
#include "tests/test.h"

/* Round numbers: 1 Pflop/s, 1 GB of 100 TB/s, links of 1 TB/s that start after 1 us; trays of 8. */
static struct mr_lpu_card plain_lpu(void)
{
    return (struct mr_lpu_card){.fp8_flop_s = 1e15,
                                .sram_bytes = 1e9,
                                .sram_bytes_s = 1e14,
                                .reserve_frac = 0.1,
                                .flop_frac = 1,
                                .sram_frac = 1,
                                .link_frac = 1,
                                .link_bytes_s = 1e12,
                                .near_latency_s = 1e-6,
                                .near_bytes = 8e9,
                                .far_latency_s = 2e-6,
                                .far_bytes = 1e12,
                                .n_per_rack = 16,
                                .n_tray = 2,
                                .ddr_bytes = 1e12,
                                .ddr_tray_bytes_s = 1e11,
                                .gpu_path_latency_s = 5e-6,
                                .gpu_path_bytes_s = 1e11,
                                .max_p_w = 300,
                                .idle_w = 30};
}

static struct mr_gpu_card plain_gpu(void)
{
    return (struct mr_gpu_card){.fp8_flop_s = 2e15,
                                .bf16_flop_s = 1e15,
                                .memory_bytes = 100e9,
                                .memory_bytes_s = 1e12,
                                .domain_packages = 8,
                                .nvlink_bytes_s = 100e9,
                                .scaleout_bytes_s = 10e9,
                                .max_p_w = 1000};
}

/* Four layers 1000 wide: attention 4e6 weights, MLP 12e6, head 50e6. */
static struct mr_llm_card plain_llm(void)
{
    return (struct mr_llm_card){.n_layer = 4,
                                .hidden = 1000,
                                .n_head = 10,
                                .n_kv_head = 10,
                                .head_dim = 100,
                                .dense_inter = 4000,
                                .n_vocabulary = 50000,
                                .n_kv_layer = 4,
                                .kv_elements_per_token = 8000,
                                .n_expert_matrix = 3,
                                .expert_skew = 1};
}

static struct mr_software_card plain_software(void)
{
    struct mr_software_card card;
    mr_software_defaults(&card);
    card.host_s = card.layer_s = 0;
    card.memory_frac = card.expert_memory_frac = card.kv_frac = 1;
    card.flop_frac = card.expert_flop_frac = card.attention_frac = 1;
    card.half_rows = card.expert_half_rows = 1e-9;
    card.join_exponent = 100;
    card.reduce_frac = card.exchange_frac = 1;
    card.reduce_s = card.exchange_s = 0;
    return card;
}

struct fixture {
    struct mr_lpu_card lpu;
    struct mr_gpu_card gpu;
    struct mr_llm_card llm;
    struct mr_software_card software;
    struct mr_step_setup step;
    struct mr_lpx_afd_setup afd;
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){
        .lpu = plain_lpu(), .gpu = plain_gpu(), .llm = plain_llm(), .software = plain_software()};
    f->step = (struct mr_step_setup){.gpu = &f->gpu,
                                     .llm = &f->llm,
                                     .software = &f->software,
                                     .parallel = {1, 1, 1, 1, 1},
                                     .dense_format = MR_FORMAT_BF16,
                                     .expert_format = MR_FORMAT_BF16,
                                     .kv_element_bytes = 2};
    f->afd = (struct mr_lpx_afd_setup){.lpx = {.lpu = &f->lpu,
                                               .llm = &f->llm,
                                               .n_lpu = 8,
                                               .n_layer_lpu = 2,
                                               .dense_format = MR_FORMAT_FP8,
                                               .expert_format = MR_FORMAT_FP8,
                                               .kv_element_bytes = 1},
                                       .gpu = &f->step,
                                       .n_micro = 2};
}

static void with_experts(struct fixture *f)
{
    f->llm.n_expert = 8;
    f->llm.top_k = 2;
    f->llm.expert_inter = 4000;
    f->llm.dense_inter = 0;
}

static struct mr_batch batch_of(double n, double context)
{
    return (struct mr_batch){.n_decode = n, .kv_tokens = n * context};
}

static struct mr_lpx_afd afd_of(const struct fixture *f, double n, double context)
{
    const struct mr_batch batch = batch_of(n, context);
    struct mr_lpx_afd afd;
    struct mr_err err = {0};
    if (mr_lpx_afd_check(&f->afd, &err) != MR_OK)
        fail_msg("%s", err.text);
    mr_lpx_afd_step(&f->afd, &batch, 1, &afd);
    return afd;
}

static struct mr_lpx_decode decode_of(const struct mr_lpx *lpx, double n, double context)
{
    const struct mr_batch batch = batch_of(n, context);
    struct mr_lpx_decode decode;
    struct mr_err err = {0};
    if (mr_lpx_decode_step(lpx, &batch, &decode, &err) != MR_OK)
        fail_msg("%s", err.text);
    return decode;
}

/* ---- afd ---- */

MR_TEST(pipeline_formula_and_limits)
{
    const struct mr_lpx_stage stage = {3, 2, 0.5, 1.5};
    const double l = 7, head = 10;
    /* tau 3; 9 layers more, m = 2: max(6, 7) */
    assert_true(mr_lpx_pipeline_s(&stage, 10, 1, head) == 10 * l + head);
    assert_true(mr_lpx_pipeline_s(&stage, 10, 2, head) == 9 * 7 + l + 3 + head);
    assert_true(mr_lpx_pipeline_s(&stage, 10, 4, head) == 9 * 12 + l + 9 + head);
    /* many micro-batches: the bottleneck alone */
    mr_assert_near(mr_lpx_pipeline_s(&stage, 10, 1e6, head) / 1e6, 10 * 3, 1e-5, 0);
    /* nothing but attention */
    assert_true(mr_lpx_pipeline_s(&(struct mr_lpx_stage){3, 0, 0, 0}, 10, 4, 0) == 10 * 4 * 3);
    /* the way back alone is the bottleneck */
    assert_true(mr_lpx_pipeline_s(&(struct mr_lpx_stage){1, 1, 1, 5}, 2, 3, 0) == 15 + 8 + 10);
}

MR_TEST(afd_step_by_hand)
{
    struct fixture f;
    set_up(&f);
    const struct mr_lpx_afd afd = afd_of(&f, 10, 1000);
    /* five rows: 4e6 weights of 2 B at 1 TB/s, and 5000 x 4000 B of keys and values a layer */
    mr_assert_near(afd.stage.attention_s, 8e-6 + 20e-6, 1e-9, 0);
    mr_assert_near(afd.attention_growth_s, 5 * 4000. / 1e12, 1e-9, 0);
    /* 12e6 weights from two SRAMs, as long as their FLOP; 10 kB of sums from one LPU to the other
     */
    mr_assert_near(afd.stage.ffn_s, 6e-8 + 1e-6 + 1e-8, 1e-12, 0);
    /* 10 GB/s of the one GPU, not 100 of the tray */
    mr_assert_near(afd.stage.out_s, 5e-6 + 5e-7, 1e-12, 0);
    mr_assert_near(afd.stage.back_s, 5e-6 + 1e-6, 1e-12, 0);
    mr_assert_near(afd.head_s, 1e-4, 1e-9, 0);
    mr_assert_near(afd.time_s, 3 * 56e-6 + 40.57e-6 + 28e-6 + 100e-6, 1e-9, 0);
    mr_assert_near(mr_lpx_leap_step_s(&afd.step, 0), afd.time_s, 1e-14, 0);
    /* work of the GPU: 4 x 8 MB of weights twice, 160 MB of contexts, 100 MB of head */
    mr_assert_near(afd.gpu_work.memory_bytes, 2 * 32e6 + 160e6 + 100e6, 1e-9, 0);
    mr_assert_near(afd.gpu_work.link_bytes, 10 * 1000. * 3 * 4, 1e-12, 0);
    mr_assert_near(afd.gpu_work.flop[MR_FORMAT_BF16], 2 * 10 * (16e6 + 50e6) + 1e4 * 4000 * 4,
                   1e-12, 0);
    mr_assert_near(afd.gpu_work.busy_s, 8 * 28e-6 + 1e-4, 1e-9, 0);
    mr_assert_near(afd.gpu_work.busy_s + afd.gpu_work.idle_s, afd.time_s, 1e-12, 0);
    /* energy: 8 idle LPUs; 2 LPUs, 2 micro-batches, 4 layers at 270 W more */
    mr_assert_near(mr_lpx_energy_j(&f.afd.lpx, &afd.step, &afd.active, 1),
                   8 * 30 * afd.time_s + 270 * 16 * afd.stage.ffn_s, 1e-12, 0);
}

MR_TEST(afd_of_experts_by_hand)
{
    struct fixture f;
    set_up(&f);
    with_experts(&f);
    f.afd.n_micro = 1;
    f.afd.lpx.n_layer_lpu = 4;
    /* 16 pairs on four LPUs of two experts: 4 + sqrt(8 ln 4) on the busiest */
    const double pairs = 7.330218, touched = 2 * (1 - pow(0.5, pairs));
    const double experts_s = touched * 12e6 / 1e14, router_s = 2 * 8 * 8000 / 4e15;
    mr_assert_near(mr_lpx_busiest(4, 4), pairs, 1e-6, 0);
    mr_assert_near(afd_of(&f, 8, 100).stage.ffn_s,
                   experts_s + router_s + 2e-6 + pairs * 1000 * 3.03 / 1e12, 1e-6, 0);
    /* one token: one pair on the busiest, whose expert is read once */
    const double one_pairs = fmin(0.5 + sqrt(log(4)), 2);
    mr_assert_near(afd_of(&f, 1, 100).stage.ffn_s,
                   2 * (1 - pow(0.5, one_pairs)) * 12e6 / 1e14 + 2e-11 + 2e-6 +
                       one_pairs * 1000 * 3.03 / 1e12,
                   1e-6, 0);
    /* all on one LPU: no straggler, no messages */
    f.afd.lpx.n_layer_lpu = 1;
    mr_assert_near(afd_of(&f, 8, 100).stage.ffn_s,
                   8 * (1 - pow(1 - 1 / 8., 16)) * 12e6 / 1e14 + 2 * 8 * 8000 / 1e15, 1e-6, 0);
    /* more LPUs than experts: each is cut in two; shared experts lie on all */
    f.llm.n_shared_expert = 1;
    f.afd.lpx.n_lpu = f.afd.lpx.n_layer_lpu = 16;
    const double cut = 2 + sqrt(4 * log(8));
    mr_assert_near(afd_of(&f, 8, 100).stage.ffn_s,
                   fmax(12e6 / 2e14, 2 * cut * 12e6 / 2e15) + 2 * 8 * 12e6 / 16e15 + 8e-12 +
                       2 * mr_lpu_latency_s(&f.lpu, 16e9) + cut * 1000 * 3.03 / 1e12,
                   1e-6, 0);
    /* a skewed router loads the busiest more */
    const double even_s = afd_of(&f, 64, 100).stage.ffn_s;
    f.llm.expert_skew = 2;
    assert_true(afd_of(&f, 64, 100).stage.ffn_s > even_s);
    assert_true(mr_lpx_busiest(5, 1) == 5 && mr_lpx_busiest(0, 8) == 0);
}

MR_TEST(afd_is_monotone)
{
    struct fixture f;
    set_up(&f);
    with_experts(&f);
    f.afd.lpx.n_layer_lpu = 4;
    double last_s = 0;
    for (double n = 2; n < 4000; n *= 1.3) {
        const double time_s = afd_of(&f, n, 1000).time_s;
        assert_true(time_s > last_s);
        last_s = time_s;
    }
    last_s = 0;
    for (double context = 1; context < 1e6; context *= 1.7) {
        const double time_s = afd_of(&f, 16, context).time_s;
        assert_true(time_s >= last_s);
        last_s = time_s;
    }
    /* a faster path or LPU never costs time; a slower clock of the GPU never saves it */
    const double time_s = afd_of(&f, 64, 1000).time_s;
    f.lpu.gpu_path_latency_s /= 2;
    assert_true(afd_of(&f, 64, 1000).time_s <= time_s);
    f.lpu.sram_bytes_s *= 2;
    assert_true(afd_of(&f, 64, 1000).time_s <= time_s);
    const struct mr_batch batch = batch_of(64, 1000);
    struct mr_lpx_afd slow, fast;
    mr_lpx_afd_step(&f.afd, &batch, 0.5, &slow);
    mr_lpx_afd_step(&f.afd, &batch, 1, &fast);
    assert_true(slow.time_s >= fast.time_s);
}

/* Tensor-parallel attention: one all-reduce of a layer is left of two. */
MR_TEST(afd_keeps_one_reduce)
{
    struct fixture f;
    set_up(&f);
    f.software.reduce_s = 1e-5;
    const double alone_s = afd_of(&f, 10, 0).stage.attention_s;
    f.step.parallel = (struct mr_parallel){2, 1, 1, 1, 1};
    /* weights halve; start 10 us x 1.3, 5 rows x 2 kB */
    mr_assert_near(afd_of(&f, 10, 0).stage.attention_s, alone_s / 2 + 13e-6 + 1e4 / 100e9, 1e-9, 0);
    assert_true(afd_of(&f, 10, 0).gpu_work.link_bytes > 0);
}

MR_TEST(attention_llm_is_what_is_left)
{
    struct mr_llm_card llm = plain_llm(), left;
    struct fixture f;
    set_up(&f);
    mr_lpx_attention_llm(&llm, &left);
    assert_true(mr_llm_elements(&left) == 4 * 4e6 + 100e6);
    mr_assert_near(left.n_param, 116e6, 1e-12, 0);
    llm.n_param = 2 * 164e6; /* published: twice the count; all parts are scaled */
    mr_lpx_attention_llm(&llm, &left);
    mr_assert_near(left.n_param, 2 * 116e6, 1e-12, 0);
    /* layers with a state keep theirs */
    llm.n_layer = 6;
    llm.n_state_layer = 2;
    llm.state_bytes = 1e6;
    llm.n_param = 164e6 + 24e6 + 2 * 5e6;
    mr_assert_near(mr_llm_state_elements(&llm), 5e6, 1e-9, 0);
    mr_lpx_attention_llm(&llm, &left);
    mr_assert_near(mr_llm_state_elements(&left), 5e6, 1e-9, 0);
    /* the GPU has room for more keys and values */
    struct mr_memory all, rest;
    struct mr_err err = {0};
    mr_lpx_attention_llm(&f.llm, &left);
    assert_int_equal(mr_memory_of(&f.step, 1, 0, &all, &err), MR_OK);
    f.step.llm = &left;
    assert_int_equal(mr_memory_of(&f.step, 1, 0, &rest, &err), MR_OK);
    mr_assert_near(all.weight_bytes - rest.weight_bytes, 4 * 12e6 * 2, 1e-9, 0);
}

/* ---- leaps ---- */

/* Pieces found once against a step priced anew for every j. @return pieces */
static int check_afd_leap(const struct fixture *f, double n, double context, uint64_t n_step)
{
    const struct mr_lpx_afd first = afd_of(f, n, context);
    const double growth = mr_step_accepted(&f->step);
    double sum_s = 0;
    int used = 1;
    for (uint64_t j = 0; j < n_step; j++) {
        const double time_s = afd_of(f, n, context + growth * (double)j).time_s;
        mr_assert_near(mr_lpx_leap_step_s(&first.step, j), time_s, 1e-12, 0);
        sum_s += time_s;
    }
    mr_assert_near(mr_lpx_leap_sum_s(&first.step, n_step), sum_s, 1e-12, 0);
    while (used < first.step.n_piece && first.step.piece[used].first < n_step)
        used++;
    return used;
}

MR_TEST(afd_leaps_equal_stepping)
{
    struct fixture f;
    set_up(&f);
    f.gpu.memory_bytes_s = 1e13;
    f.gpu.scaleout_bytes_s = 0; /* not in the way */
    int seen[MR_LPX_LEAP_PIECES + 1] = {0};
    for (uint32_t m = 1; m <= 5; m++)
        for (int i = 0; i < 6; i++) {
            f.afd.n_micro = m;
            f.lpu.gpu_path_latency_s = 0.3e-6 * (1 << i);
            f.lpu.near_latency_s = 4e-6;
            f.lpu.far_latency_s = 5e-6;
            seen[check_afd_leap(&f, 60, 1, 1500)]++;
            f.step.n_draft = 3;
            f.step.accepted = 2.5;
            seen[check_afd_leap(&f, 60, 1, 600)]++;
            f.step.n_draft = 0;
            f.step.accepted = 0;
        }
    /* one piece with one micro-batch; all four where experts are slow and the way is short */
    assert_true(seen[1] > 0 && seen[2] > 0 && seen[3] > 0 && seen[4] > 0);
    f.afd.n_micro = 1;
    assert_int_equal(check_afd_leap(&f, 60, 1, 100), 1);
}

MR_TEST(afd_leaps_with_windows)
{
    struct fixture f;
    set_up(&f);
    f.llm.n_kv_layer = 2;
    f.llm.n_window_layer = 2;
    f.llm.kv_elements_per_token = 4000;
    f.llm.window_tokens = 512;
    f.llm.window_elements = 512 * 4000;
    for (double context = 100; context < 1000; context += 500) {
        struct mr_batch batch = batch_of(16, context);
        struct mr_lpx_afd first, later;
        batch.window_kv_tokens = 16 * fmin(context, 512);
        batch.n_growing = context < 512 ? 16 : 0;
        mr_lpx_afd_step(&f.afd, &batch, 1, &first);
        for (int j = 0; j < 200; j++) {
            mr_lpx_afd_step(&f.afd, &batch, 1, &later);
            mr_assert_near(mr_lpx_leap_step_s(&first.step, (uint64_t)j), later.time_s, 1e-12, 0);
            batch.kv_tokens += 16;
            batch.window_kv_tokens += context < 512 ? 16 : 0;
        }
    }
}

MR_TEST(decode_leaps_equal_stepping)
{
    struct fixture f;
    set_up(&f);
    /* SRAM is full at 879,500 tokens of 8 kB: after 124.5 steps of four sequences */
    const double context = 879500 / 4. - 124.5;
    const struct mr_lpx_decode first = decode_of(&f.afd.lpx, 4, context);
    double sum_s = 0;
    assert_int_equal(first.step.n_piece, 2);
    assert_int_equal(first.step.piece[1].first, 125);
    for (uint64_t j = 0; j < 400; j++) {
        const struct mr_lpx_decode now = decode_of(&f.afd.lpx, 4, context + (double)j);
        mr_assert_near(mr_lpx_leap_step_s(&first.step, j), now.time_s, 1e-12, 0);
        assert_int_equal(now.spill_bytes > 0, j >= 125);
        sum_s += now.time_s;
    }
    mr_assert_near(mr_lpx_leap_sum_s(&first.step, 400), sum_s, 1e-12, 0);
    /* two of eight LPUs work at a time: idle 240 W and 540 W more */
    mr_assert_near(mr_lpx_energy_j(&f.afd.lpx, &first.step, &first.active, 400), 780 * sum_s, 1e-12,
                   0);
}

/* ---- decode ---- */

MR_TEST(decode_step_by_hand)
{
    struct fixture f;
    set_up(&f);
    struct mr_lpx_decode decode = decode_of(&f.afd.lpx, 1, 1000);
    mr_assert_near(decode.weights_s, 4 * 16e6 / 2e14, 1e-12, 0);
    mr_assert_near(decode.kv_s, 8e6 / 2e14, 1e-12, 0);
    mr_assert_near(decode.c2c_s, 8 * 1.002e-6, 1e-12, 0);
    mr_assert_near(decode.head_s, 50e6 / 2e14 + 2e-6, 1e-12, 0);
    mr_assert_near(decode.time_s, 10.626e-6, 1e-9, 0);
    /* large batches: FLOP */
    decode = decode_of(&f.afd.lpx, 1000, 0);
    mr_assert_near(decode.weights_s, 4 * 2 * 1000 * 16e6 / 2e15, 1e-12, 0);
    /* one LPU: no messages but the token's way back */
    f.afd.lpx.n_lpu = f.afd.lpx.n_layer_lpu = 1;
    assert_true(decode_of(&f.afd.lpx, 1, 1000).c2c_s == 0);
    /* a layer per LPU: its result moves on to the next */
    f.afd.lpx.n_lpu = 4;
    f.afd.lpx.n_layer_lpu = 0;
    assert_int_equal(mr_lpx_layer_lpus(&f.afd.lpx), 1);
    mr_assert_near(decode_of(&f.afd.lpx, 1, 1000).c2c_s, 4 * 1.002e-6, 1e-12, 0);
    f.afd.lpx.n_lpu = 11;
    assert_int_equal(mr_lpx_layer_lpus(&f.afd.lpx), 2);
    f.afd.lpx.n_lpu = 2;
    assert_int_equal(mr_lpx_layer_lpus(&f.afd.lpx), 1);
}

MR_TEST(decode_reads_state_windows_and_sparse_keys)
{
    struct fixture f;
    struct mr_batch batch = {.n_decode = 2, .kv_tokens = 2000, .window_kv_tokens = 200};
    struct mr_lpx_decode decode;
    struct mr_err err = {0};
    set_up(&f);
    f.llm.state_bytes = 1e6;
    f.llm.n_kv_layer = 2;
    f.llm.n_window_layer = 1;
    f.llm.n_state_layer = 1;
    f.llm.kv_elements_per_token = 4000;
    f.llm.window_tokens = 100;
    f.llm.window_elements = 100 * 2000;
    assert_int_equal(mr_lpx_decode_step(&f.afd.lpx, &batch, &decode, &err), MR_OK);
    mr_assert_near(decode.kv_s, (2000 * 4000 + 200 * 2000 + 4e6) / 2e14, 1e-12, 0);
    set_up(&f);
    f.llm.sparse_keys = 100;
    f.llm.indexer_bytes_per_token = 64;
    f.llm.n_head = f.llm.n_kv_head = 1;
    assert_int_equal(mr_lpx_decode_step(&f.afd.lpx, &batch, &decode, &err), MR_OK);
    mr_assert_near(decode.kv_s, (2000 * 64 + 200 * 8000) / 2e14, 1e-12, 0);
}

MR_TEST(decode_spills_and_refuses)
{
    struct fixture f;
    struct mr_lpx_decode decode;
    struct mr_err err = {0};
    set_up(&f);
    /* 7.2 GB - 164 MB of room; 8 GB of keys and values; one tray's 100 GB/s */
    decode = decode_of(&f.afd.lpx, 10, 1e5);
    mr_assert_near(decode.spill_bytes, 8e9 - 7.036e9, 1e-9, 0);
    mr_assert_near(decode.spill_s, 0.964e9 / 1e11, 1e-9, 0);
    const struct mr_batch batch = batch_of(10, 2e7);
    assert_int_equal(mr_lpx_decode_step(&f.afd.lpx, &batch, &decode, &err), MR_LIMIT);
    assert_string_equal(
        err.text, "keys and values do not fit: 1.6 TB, but weights leave 7.036 GB of SRAM and "
                  "there are 1 TB of DDR, 593 GB are missing (fewer sequences, or more LPUs)");
    err = (struct mr_err){0};
    f.lpu.ddr_tray_bytes_s = 0; /* no way to DDR: none */
    const struct mr_batch small = batch_of(10, 1e5);
    assert_int_equal(mr_lpx_decode_step(&f.afd.lpx, &small, &decode, &err), MR_LIMIT);
    mr_assert_contains(err.text, "there are 0 B of DDR, 964 MB are missing");
}

/* ---- drafts ---- */

MR_TEST(drafts_beside_verification)
{
    struct fixture f;
    struct mr_lpx_draft draft;
    struct mr_err err = {0};
    struct mr_step_terms terms;
    set_up(&f);
    struct mr_llm_card small = plain_llm();
    small.dense_inter = 1000;
    struct mr_lpx_draft_setup setup = {.lpx = f.afd.lpx, .verify = &f.step};
    setup.lpx.llm = &small;
    f.step.n_draft = 3;
    f.step.accepted = 2.5;
    f.step.drafts_elsewhere = true;
    for (int overlaps = 0; overlaps < 2; overlaps++)
        for (double context = 100; context < 1e5; context *= 30) {
            struct mr_batch batch = batch_of(4, context);
            setup.overlaps = overlaps != 0;
            assert_int_equal(mr_lpx_draft_step(&setup, &batch, 1, &draft, &err), MR_OK);
            mr_step_terms(&f.step, &batch, 1, &terms);
            const double one_s = decode_of(&setup.lpx, 4, context).time_s;
            mr_assert_near(draft.draft_s, 3 * one_s + 10e-6, 1e-12, 0);
            mr_assert_near(draft.verify_s, terms.time_s, 1e-14, 0);
            assert_true(draft.accepted == 2.5);
            mr_assert_near(draft.time_s,
                           setup.overlaps ? fmax(draft.draft_s, terms.time_s)
                                          : draft.draft_s + terms.time_s,
                           1e-14, 0);
            /* every step 2.5 tokens per sequence */
            const struct mr_lpx_draft first = draft;
            double active_s = 0, sum_s = 0;
            for (uint64_t j = 0; j < 50; j++) {
                assert_int_equal(mr_lpx_draft_step(&setup, &batch, 1, &draft, &err), MR_OK);
                mr_assert_near(mr_lpx_leap_step_s(&first.step, j), draft.time_s, 1e-12, 0);
                active_s += 2 * (draft.draft_s - 10e-6);
                sum_s += draft.time_s;
                batch.kv_tokens += 4 * 2.5;
            }
            mr_assert_near(mr_lpx_energy_j(&setup.lpx, &first.step, &first.active, 50),
                           240 * sum_s + 270 * active_s, 1e-12, 0);
        }
    f.step.n_draft = 0;
    f.step.accepted = 0;
    const struct mr_batch batch = batch_of(4, 100);
    assert_int_equal(mr_lpx_draft_step(&setup, &batch, 1, &draft, &err), MR_RANGE);
    assert_string_equal(err.text, "a draft LLM without drafts: n_draft is 0");
}

/* ---- what fits ---- */

static struct mr_shelf *shelf;

static const struct mr_card *card_of(const struct mr_card_kind *kind, const char *id)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    setenv("MILLRACE_PATH", MR_SOURCE_DIR, 1);
    if (shelf == NULL)
        assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    const struct mr_card *card = mr_shelf_card(shelf, kind, id, MR_NOWHERE, &diags);
    assert_non_null(card);
    return card;
}

static void close_shelf(void)
{
    mr_shelf_destroy(shelf);
    shelf = NULL;
    assert_int_equal(mr_test_live_allocations(), 0);
}

static struct mr_lpx two_trillion(const char *lpu, uint64_t n_rack, int format)
{
    return (struct mr_lpx){.lpu = mr_lpu_of(card_of(&mr_lpu_kind, lpu)),
                           .llm = mr_llm_of(card_of(&mr_llm_kind, "MoE-2T")),
                           .n_lpu = 256 * n_rack,
                           .dense_format = format,
                           .expert_format = format,
                           .kv_element_bytes = 1};
}

static void check_fit(const struct mr_lpx *lpx, enum mr_lpx_part part, mr_status status,
                      const char *text)
{
    struct mr_lpx_fit fit;
    struct mr_err err = {0};
    assert_int_equal(mr_lpx_fit_of(lpx, part, &fit, &err), status);
    assert_string_equal(err.text, text);
}

MR_TEST(two_trillion_weights_need_18_racks)
{
    struct mr_lpx lpx = two_trillion("lp30", 17, MR_FORMAT_FP8);
    check_fit(&lpx, MR_LPX_ALL, MR_LIMIT,
              "the LLM does not fit: 2 TB of weights, but 4352 LPUs (17 racks) have room for 1.958 "
              "TB of SRAM with 10 % kept free, 41.6 GB are missing (4445 LPUs, 18 racks, would "
              "hold it)");
    lpx.n_lpu = 18 * 256;
    check_fit(&lpx, MR_LPX_ALL, MR_OK, "");
    /* experts alone: attention stays with the GPUs, and still 18 */
    lpx.n_lpu = 17 * 256;
    assert_int_equal(mr_lpx_fit_of(&lpx, MR_LPX_FFN, &(struct mr_lpx_fit){0}, NULL), MR_LIMIT);
    struct mr_lpu_card whole = *lpx.lpu;
    whole.reserve_frac = 0;
    lpx.lpu = &whole;
    lpx.n_lpu = 15 * 256;
    check_fit(&lpx, MR_LPX_ALL, MR_LIMIT,
              "the LLM does not fit: 2 TB of weights, but 3840 LPUs (15 racks) have room for 1.92 "
              "TB of SRAM with 0 % kept free, 80 GB are missing (4000 LPUs, 16 racks, would hold "
              "it)");
    lpx.n_lpu = 16 * 256;
    check_fit(&lpx, MR_LPX_ALL, MR_OK, "");
    /* a rack holds 128 GB */
    struct mr_lpx_fit fit;
    lpx.n_lpu = 256;
    assert_int_equal(mr_lpx_fit_of(&lpx, MR_LPX_ALL, &fit, NULL), MR_LIMIT);
    mr_assert_near(fit.room_bytes, 128e9, 1e-12, 0);
    mr_assert_near(fit.spill_bytes, 12e12, 1e-12, 0);
    close_shelf();
}

MR_TEST(four_bits_need_a_path)
{
    struct mr_lpx lpx = two_trillion("lp30", 18, MR_FORMAT_NVFP4);
    check_fit(&lpx, MR_LPX_ALL, MR_RANGE,
              "the LPU has no path for nvfp4 weights (expand them to fp8, 1.778 times the size, or "
              "take an LPU with one)");
    lpx.expands = true;
    check_fit(&lpx, MR_LPX_ALL, MR_OK, "");
    lpx.n_lpu = 17 * 256;
    assert_int_equal(mr_lpx_fit_of(&lpx, MR_LPX_ALL, &(struct mr_lpx_fit){0}, NULL), MR_LIMIT);
    /* with the path: 1.125 TB, and a little for what stays at 8 bits; 10 racks with the reserve */
    lpx = two_trillion("lp35", 10, MR_FORMAT_NVFP4);
    struct mr_lpx_fit fit;
    assert_int_equal(mr_lpx_fit_of(&lpx, MR_LPX_ALL, &fit, NULL), MR_OK);
    mr_assert_near(fit.weight_bytes, 1.125e12, 0.003, 0);
    lpx.n_lpu = 9 * 256;
    assert_int_equal(mr_lpx_fit_of(&lpx, MR_LPX_ALL, &fit, NULL), MR_LIMIT);
    assert_int_equal(fit.n_rack_min, 10);
    lpx.expert_format = MR_FORMAT_MXFP4;
    check_fit(&lpx, MR_LPX_ALL, MR_RANGE,
              "the LPU has no path for mxfp4 weights (expand them to fp8, 1.882 times the size, or "
              "take an LPU with one)");
    close_shelf();
}

MR_TEST(refusals)
{
    struct fixture f;
    struct mr_err err = {0};
    set_up(&f);
    f.afd.lpx.dense_format = MR_FORMAT_BF16;
    check_fit(&f.afd.lpx, MR_LPX_FFN, MR_RANGE,
              "the LPU has no path for bf16 weights (hold them as fp8)");
    f.afd.lpx.dense_format = MR_N_FORMAT;
    check_fit(&f.afd.lpx, MR_LPX_FFN, MR_RANGE, "LPU: no such format of weights");
    set_up(&f);
    f.afd.lpx.n_layer_lpu = 9;
    check_fit(&f.afd.lpx, MR_LPX_FFN, MR_RANGE, "8 LPUs cannot give a layer 9 of them");
    set_up(&f);
    f.afd.lpx.kv_element_bytes = 0;
    check_fit(&f.afd.lpx, MR_LPX_FFN, MR_OK, "");
    check_fit(&f.afd.lpx, MR_LPX_ALL, MR_RANGE, "keys and values need some bytes");
    f.step.parallel.pp = 2;
    assert_int_equal(mr_lpx_afd_check(&f.afd, &err), MR_RANGE);
    assert_string_equal(err.text, "parallel: attention apart from experts needs pp 1, not 2");
    err = (struct mr_err){0};
    f.step.parallel.pp = 1;
    f.afd.n_micro = 0;
    assert_int_equal(mr_lpx_afd_check(&f.afd, &err), MR_RANGE);
    assert_string_equal(err.text, "a step has at least 1 micro-batch");
    err = (struct mr_err){0};
    f.step.parallel.tp = 11;
    assert_int_equal(mr_lpx_afd_check(&f.afd, &err), MR_RANGE);
    mr_assert_contains(err.text, "tp 11 of 10 heads");
}

/* ---- published points ---- */

/* A dense LLM of 31e9 weights like Gemma-4-31B: 60 layers, ten of which see the whole context. */
static struct mr_llm_card gemma_like(void)
{
    return (struct mr_llm_card){.n_layer = 60,
                                .hidden = 5376,
                                .n_head = 32,
                                .n_kv_head = 16,
                                .head_dim = 256,
                                .dense_inter = 21504,
                                .n_vocabulary = 262144,
                                .n_param = 31e9,
                                .n_kv_layer = 10,
                                .kv_elements_per_token = 10 * 2 * 16 * 256,
                                .n_window_layer = 50,
                                .window_tokens = 1024,
                                .window_elements = 50. * 2 * 16 * 256 * 1024,
                                .n_expert_matrix = 3,
                                .expert_skew = 1};
}

static double user_tok_s(const struct mr_lpx *lpx, double context)
{
    const struct mr_batch batch = {
        .n_decode = 1, .kv_tokens = context, .window_kv_tokens = fmin(context, 1024)};
    struct mr_lpx_decode d;
    struct mr_err err = {0};
    if (mr_lpx_decode_step(lpx, &batch, &d, &err) != MR_OK)
        fail_msg("%s", err.text);
    print_message("%6.0f tokens, %3.0f LPUs a layer: %5.0f tok/s (us: weights %.1f, KV %.1f, "
                  "links %.1f, head %.1f)\n",
                  context, (double)mr_lpx_layer_lpus(lpx), 1 / d.time_s, 1e6 * d.weights_s,
                  1e6 * d.kv_s, 1e6 * d.c2c_s, 1e6 * d.head_s);
    return 1 / d.time_s;
}

/* The maker's rack: 10,996 tok/s for one user at best, after 16 k tokens; 4,767 in the median of a
 * coding set; 3,431 after 100 k. Nothing here is fitted to them. */
MR_TEST(a_rack_serves_a_dense_llm_within_a_factor_of_two)
{
    const struct mr_llm_card llm = gemma_like();
    struct mr_lpx lpx = {.lpu = mr_lpu_of(card_of(&mr_lpu_kind, "lp30")),
                         .llm = &llm,
                         .n_lpu = 256,
                         .dense_format = MR_FORMAT_FP8,
                         .kv_element_bytes = 1};
    const double peak = user_tok_s(&lpx, 16384);
    assert_true(peak > 10996 / 2. && peak < 10996 * 2.);
    assert_true(user_tok_s(&lpx, 1e5) < peak);
    lpx.n_layer_lpu = 256;
    (void)user_tok_s(&lpx, 16384);
    close_shelf();
}

MR_TEST_MAIN(MR_TEST_ENTRY(pipeline_formula_and_limits), MR_TEST_ENTRY(afd_step_by_hand),
             MR_TEST_ENTRY(afd_of_experts_by_hand), MR_TEST_ENTRY(afd_is_monotone),
             MR_TEST_ENTRY(afd_keeps_one_reduce), MR_TEST_ENTRY(attention_llm_is_what_is_left),
             MR_TEST_ENTRY(afd_leaps_equal_stepping), MR_TEST_ENTRY(afd_leaps_with_windows),
             MR_TEST_ENTRY(decode_leaps_equal_stepping), MR_TEST_ENTRY(decode_step_by_hand),
             MR_TEST_ENTRY(decode_reads_state_windows_and_sparse_keys),
             MR_TEST_ENTRY(decode_spills_and_refuses), MR_TEST_ENTRY(drafts_beside_verification),
             MR_TEST_ENTRY(two_trillion_weights_need_18_racks),
             MR_TEST_ENTRY(four_bits_need_a_path), MR_TEST_ENTRY(refusals),
             MR_TEST_ENTRY(a_rack_serves_a_dense_llm_within_a_factor_of_two))
