/* SPDX-License-Identifier: Apache-2.0 */
/* models/lpx: the three uses of LPUs against hand arithmetic, limits, monotonicity, leaps against
 * steps. */
#include "models/lpx.h"

#include "models/memory.h"
#include "tests/models/lpx_bed.h"

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

MR_TEST_MAIN(MR_TEST_ENTRY(pipeline_formula_and_limits), MR_TEST_ENTRY(afd_step_by_hand),
             MR_TEST_ENTRY(afd_of_experts_by_hand), MR_TEST_ENTRY(afd_is_monotone),
             MR_TEST_ENTRY(afd_keeps_one_reduce), MR_TEST_ENTRY(attention_llm_is_what_is_left),
             MR_TEST_ENTRY(afd_leaps_equal_stepping), MR_TEST_ENTRY(afd_leaps_with_windows),
             MR_TEST_ENTRY(decode_leaps_equal_stepping), MR_TEST_ENTRY(decode_step_by_hand),
             MR_TEST_ENTRY(decode_reads_state_windows_and_sparse_keys),
             MR_TEST_ENTRY(decode_spills_and_refuses), MR_TEST_ENTRY(drafts_beside_verification))
