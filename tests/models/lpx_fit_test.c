/* SPDX-License-Identifier: Apache-2.0 */
/* models/lpx: what fits on how many LPUs, what is refused, and a published point. */
#include "engine/base/shelf.h"
#include "models/lpx.h"
#include "tests/models/lpx_bed.h"

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

MR_TEST_MAIN(MR_TEST_ENTRY(two_trillion_weights_need_18_racks),
             MR_TEST_ENTRY(four_bits_need_a_path), MR_TEST_ENTRY(refusals),
             MR_TEST_ENTRY(a_rack_serves_a_dense_llm_within_a_factor_of_two))
