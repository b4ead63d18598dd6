/* SPDX-License-Identifier: Apache-2.0 */
/* models/lpx_serve: what is told of a run of steps is what every step of it costs when asked alone,
 * up to the kink and not beyond; prices are those of models/lpx; what fits. */
#include "models/lpx_serve.h"

#include "engine/base/rng.h"
#include "engine/base/shelf.h"
#include "tests/test.h"

#include <stdlib.h>

struct fixture {
    struct mr_shelf *shelf;
    struct mr_step_setup setup;
    struct mr_lpx_serve serve;
};

static const void *object_of(struct fixture *f, const struct mr_card_kind *kind, const char *id)
{
    struct mr_diags diags = {0};
    const struct mr_card *card = mr_shelf_card(f->shelf, kind, id, MR_NOWHERE, &diags);
    if (card == NULL)
        fail_msg("%s", diags.item[0].err.text);
    return card->object;
}

static void set_up(struct fixture *f, int way, const char *llm, uint64_t n_lpu)
{
    struct mr_err err = {0};
    *f = (struct fixture){0};
    setenv("MILLRACE_PATH", MR_SOURCE_DIR, 1);
    if (mr_shelf_create(&f->shelf, &err) != MR_OK)
        fail_msg("%s", err.text);
    f->setup = (struct mr_step_setup){.gpu = object_of(f, &mr_gpu_kind, "rubin"),
                                      .llm = object_of(f, &mr_llm_kind, llm),
                                      .software = object_of(f, &mr_software_kind, "spec"),
                                      .parallel = {8, 1, 1, 1, 8},
                                      .dense_format = MR_FORMAT_FP8,
                                      .expert_format = MR_FORMAT_FP8,
                                      .kv_element_bytes = 1,
                                      .n_draft = way == MR_LPX_DRAFT ? 4 : 0,
                                      .accepted = way == MR_LPX_DRAFT ? 2.75 : 0,
                                      .drafts_elsewhere = way == MR_LPX_DRAFT};
    if (f->setup.llm->n_expert == 0)
        f->setup.parallel.moe_tp = 1;
    f->serve = (struct mr_lpx_serve){.way = way,
                                     .lpx = {.lpu = object_of(f, &mr_lpu_kind, "lp30"),
                                             .llm = way == MR_LPX_DRAFT
                                                        ? object_of(f, &mr_llm_kind, "Llama-3.1-8B")
                                                        : f->setup.llm,
                                             .n_lpu = n_lpu,
                                             .dense_format = MR_FORMAT_FP8,
                                             .expert_format = MR_FORMAT_FP8,
                                             .kv_element_bytes = 1},
                                     .setup = &f->setup,
                                     .n_micro = 2,
                                     .overlaps = true};
}

static struct mr_batch later(const struct mr_batch *batch, double accepted, uint64_t j)
{
    struct mr_batch next = *batch;
    next.kv_tokens += batch->n_decode * accepted * (double)j;
    next.window_kv_tokens += batch->n_growing * accepted * (double)j;
    return next;
}

static void same_work(const struct mr_work *a, const struct mr_work *g, double j,
                      const struct mr_work *b)
{
    const double tiny_s = 1e-15;
    mr_assert_near(a->busy_s + j * g->busy_s, b->busy_s, 1e-9, tiny_s);
    mr_assert_near(a->idle_s + j * g->idle_s, b->idle_s, 1e-9, 1e-12);
    mr_assert_near(a->memory_bytes + j * g->memory_bytes, b->memory_bytes, 1e-9, 1);
    mr_assert_near(a->link_bytes + j * g->link_bytes, b->link_bytes, 1e-9, 1);
    for (int k = 0; k < MR_N_FORMAT; k++)
        mr_assert_near(a->flop[k] + j * g->flop[k], b->flop[k], 1e-9, 1);
}

/* Steps of a run against prices of their own. @return was there a kink? */
static bool runs_are_steps(const struct fixture *f, const struct mr_batch *batch, double accepted,
                           double phi)
{
    struct mr_lpx_price run, alone;
    mr_lpx_serve_price(&f->serve, batch, phi, &run);
    assert_true(run.n_step >= 1 && run.step.a_s > 0);
    const uint64_t most = 100000;
    const uint64_t last = run.n_step < most ? run.n_step - 1 : most;
    const uint64_t probe[] = {0, 1, last / 2, last};
    for (size_t k = 0; k < sizeof probe / sizeof *probe; k++) {
        const uint64_t j = probe[k] < last ? probe[k] : last;
        const struct mr_batch then = later(batch, accepted, j);
        const double n = (double)j;
        mr_lpx_serve_price(&f->serve, &then, phi, &alone);
        mr_assert_near(run.step.a_s + n * run.step.b_s, alone.step.a_s, 1e-11, 0);
        mr_assert_near(run.active_s + n * run.active_grow_s, alone.active_s, 1e-11, 1e-18);
        same_work(&run.work, &run.growth, n, &alone.work);
        assert_true(run.n_step == UINT64_MAX || alone.n_step == run.n_step - j ||
                    alone.n_step == run.n_step - j + 1); /* a kink may round */
    }
    if (run.n_step >= most)
        return false;
    const struct mr_batch beyond = later(batch, accepted, run.n_step + 10);
    mr_lpx_serve_price(&f->serve, &beyond, phi, &alone);
    assert_true(alone.step.a_s > run.step.a_s + (double)(run.n_step + 10) * run.step.b_s ||
                alone.active_s > run.active_s + (double)(run.n_step + 10) * run.active_grow_s);
    return true;
}

static int kinks(int way, const char *llm, uint64_t n_lpu, double n_max, double context_max)
{
    struct fixture f;
    struct mr_err err = {0};
    int n_kink = 0;
    set_up(&f, way, llm, n_lpu);
    if (mr_lpx_serve_check(&f.serve, &err) != MR_OK)
        fail_msg("%s", err.text);
    const double accepted = way == MR_LPX_DECODE ? 1 : mr_step_accepted(&f.setup);
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 31);
        const double n = 1 + floor(mr_rng_f64(&rng) * n_max);
        const struct mr_batch batch = {.n_decode = n,
                                       .kv_tokens = floor(n * mr_rng_range(&rng, 10, context_max))};
        n_kink += runs_are_steps(&f, &batch, accepted, mr_rng_range(&rng, 0.4, 1));
    }
    mr_shelf_destroy(f.shelf);
    return n_kink;
}

MR_TEST(runs_are_steps_up_to_kinks)
{
    assert_true(kinks(MR_LPX_AFD, "Llama-3.1-70B", 256, 512, 60000) > 20);
    assert_true(kinks(MR_LPX_AFD, "Qwen3-235B-A22B", 768, 512, 60000) > 20);
    assert_true(kinks(MR_LPX_DRAFT, "Llama-3.1-70B", 32, 64, 30000) > 20);
    assert_true(kinks(MR_LPX_DECODE, "Llama-3.1-8B", 24, 64, 30000) > 20);
}

/* Pieces of prompts are priced one by one; alone they cost the drafting LPUs nothing. */
MR_TEST(prompts)
{
    struct fixture f;
    struct mr_lpx_price with, without;
    const struct mr_batch chunk = {.chunk_tokens = 512,
                                   .chunk_pairs = 512 * 256.,
                                   .chunk_window_pairs = 512 * 256.,
                                   .chunk_kv_tokens = 512,
                                   .n_prompt_end = 1};
    struct mr_batch both = chunk;
    both.n_decode = 8;
    both.kv_tokens = 8000;
    const struct mr_batch decodes = {.n_decode = 8, .kv_tokens = 8000};
    static const char *const llm[] = {"Llama-3.1-70B", "Llama-3.1-70B", "Llama-3.1-8B"};
    static const uint64_t n_lpu[] = {256, 32, 64};
    for (int way = 0; way < 3; way++) {
        set_up(&f, way, llm[way], n_lpu[way]);
        mr_lpx_serve_price(&f.serve, &both, 1, &with);
        mr_lpx_serve_price(&f.serve, &decodes, 1, &without);
        assert_true(with.n_step == 1 && with.step.a_s > without.step.a_s);
        mr_lpx_serve_price(&f.serve, &chunk, 1, &with);
        assert_true(with.n_step == 1 && with.step.a_s > 0);
        assert_true((with.active_s > 0) == (way != MR_LPX_DRAFT));
        mr_shelf_destroy(f.shelf);
    }
}

/* 70B at one byte: 57 GB of MLPs stand in 126 LPUs of 0.45 GB. */
MR_TEST(what_fits)
{
    struct fixture f;
    struct mr_err err = {0};
    set_up(&f, MR_LPX_AFD, "Llama-3.1-70B", 64);
    assert_int_equal(mr_lpx_serve_check(&f.serve, &err), MR_LIMIT);
    mr_assert_contains(err.text, "1 racks, would hold it");
    f.serve.lpx.n_lpu = 256;
    assert_int_equal(mr_lpx_serve_check(&f.serve, &err), MR_OK);
    assert_true(isinf(mr_lpx_serve_kv_tok(&f.serve, 8)));
    mr_shelf_destroy(f.shelf);
    set_up(&f, MR_LPX_DECODE, "Llama-3.1-8B", 24);
    const double tok = mr_lpx_serve_kv_tok(&f.serve, 8);
    struct mr_lpx_fit fit;
    assert_int_equal(mr_lpx_fit_of(&f.serve.lpx, MR_LPX_ALL, &fit, &err), MR_OK);
    const double token_bytes = mr_llm_token_bytes(f.serve.lpx.llm, 1);
    mr_assert_near((tok + 32) * token_bytes, fit.kv_bytes + fit.spill_bytes, 1e-6, 0);
    struct mr_lpx_decode step;
    const struct mr_batch full = {.n_decode = 8, .kv_tokens = tok};
    assert_int_equal(mr_lpx_decode_step(&f.serve.lpx, &full, &step, &err), MR_OK);
    struct mr_lpx_price at_most, beyond;
    mr_lpx_serve_price(&f.serve, &(struct mr_batch){.n_decode = 8, .kv_tokens = tok + 32}, 1,
                       &at_most);
    mr_lpx_serve_price(&f.serve, &(struct mr_batch){.n_decode = 8, .kv_tokens = 2 * tok}, 1,
                       &beyond);
    assert_true(beyond.step.a_s == at_most.step.a_s);
    mr_shelf_destroy(f.shelf);
    set_up(&f, MR_LPX_DRAFT, "Llama-3.1-70B", 32);
    f.setup.n_draft = 0;
    f.setup.accepted = 0;
    err = (struct mr_err){0};
    assert_int_equal(mr_lpx_serve_check(&f.serve, &err), MR_RANGE);
    mr_assert_contains(err.text, "no drafts");
    mr_shelf_destroy(f.shelf);
}

MR_TEST(watts_of_an_lpu)
{
    struct fixture f;
    set_up(&f, MR_LPX_DECODE, "Llama-3.1-8B", 24);
    const struct mr_power power = mr_lpx_serve_power(f.serve.lpx.lpu);
    assert_true(mr_power_idle_w(&power, 90) == f.serve.lpx.lpu->idle_w);
    const struct mr_power_mix mix = {200, 0};
    assert_true(mr_power_operate(&power, &mix, 100, 1).clock == 1);
    mr_shelf_destroy(f.shelf);
}

MR_TEST_MAIN(MR_TEST_ENTRY(runs_are_steps_up_to_kinks), MR_TEST_ENTRY(prompts),
             MR_TEST_ENTRY(what_fits), MR_TEST_ENTRY(watts_of_an_lpu))
