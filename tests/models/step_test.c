/* SPDX-License-Identifier: Apache-2.0 */
/* models/step and memory: terms against hand arithmetic, limits, and what cannot be. */
#include "models/step.h"

#include "engine/base/shelf.h"
#include "models/memory.h"
#include "tests/models/step_bed.h"

#include <math.h>

/* One decode of 1,000 tokens of context: weights 4 x 4e6 x 2 B = 32 MB, 4 x 12e6 x 2 B = 96 MB, the
 * head 100 MB, KV 8000 x 2 B x 1000 = 16 MB, all at 1 TB/s. */
MR_TEST(one_decode_reads_everything_once)
{
    struct fixture f;
    plain(&f);
    const struct mr_step_terms t =
        terms_of(&f, &(struct mr_batch){.n_decode = 1, .kv_tokens = 1000});
    mr_assert_near(t.part[MR_STEP_TERM_PROJECTIONS].time_s, 32e-6, 1e-6, 0);
    mr_assert_near(t.part[MR_STEP_TERM_DENSE].time_s, 96e-6, 1e-6, 0);
    mr_assert_near(t.part[MR_STEP_TERM_HEAD].time_s, 100e-6, 1e-6, 0);
    mr_assert_near(t.part[MR_STEP_TERM_KV].time_s, 16e-6, 1e-6, 0);
    mr_assert_near(t.time_s, 244e-6, 1e-6, 0);
    mr_assert_near(t.work.memory_bytes, 244e6, 1e-9, 0);
    assert_true(t.part[MR_STEP_TERM_DENSE].memory_s > t.part[MR_STEP_TERM_DENSE].compute_s);
}

/* A prompt of 10,000 tokens: 2 x 64e6 x 1e4 FLOP = 1.28e12 at 1 Pflop/s; attention 4 layers x 4 x
 * 10 x 100 x 5e7 pairs = 8e11; one row of logits. */
MR_TEST(a_long_prompt_is_bound_by_compute)
{
    struct fixture f;
    plain(&f);
    const struct mr_step_terms t = terms_of(
        &f, &(struct mr_batch){.chunk_tokens = 1e4, .chunk_pairs = 5e7, .n_prompt_end = 1});
    mr_assert_near(t.part[MR_STEP_TERM_PROJECTIONS].time_s + t.part[MR_STEP_TERM_DENSE].time_s,
                   1.28e-3, 1e-6, 0);
    mr_assert_near(t.part[MR_STEP_TERM_PREFILL].time_s, 0.8e-3, 1e-6, 0);
    assert_true(t.part[MR_STEP_TERM_DENSE].compute_s > t.part[MR_STEP_TERM_DENSE].memory_s);
    mr_assert_near(t.work.flop[MR_FORMAT_BF16], 1.28e12 + 8e11 + 1e8, 1e-9, 0);
}

/* 64 experts, 4 of them per token: N = 1 touches 4, N = 16 touches 64 (1 - (15/16)^16) = 41.2. */
MR_TEST(experts_that_a_batch_touches)
{
    struct fixture f;
    plain(&f);
    f.llm.n_expert = 64;
    f.llm.top_k = 4;
    f.llm.expert_inter = 1000;
    f.llm.n_expert_layer = 4;
    const double expert_s = 4 * 3e6 * 2 / 1e12; /* four layers, one expert each */
    const double router_s = 4 * 64e3 * 2 / 1e12;
    const double one =
        terms_of(&f, &(struct mr_batch){.n_decode = 1}).part[MR_STEP_TERM_EXPERTS].time_s;
    const double many =
        terms_of(&f, &(struct mr_batch){.n_decode = 16}).part[MR_STEP_TERM_EXPERTS].time_s;
    mr_assert_near(one, 4 * expert_s + router_s, 1e-6, 0);
    mr_assert_near(many, 64 * (1 - pow(15.0 / 16, 16)) * expert_s + router_s, 1e-6, 0);
}

/* Halving: two packages read half each and add two all-reduces of N x h x 2 B per layer. Between
 * two one-shot is never worse: one latency, all bytes. */
MR_TEST(tensor_parallel_halves_weights_and_adds_reduces)
{
    struct fixture f;
    plain(&f);
    f.software.reduce_s = 5e-6;
    f.setup.parallel = (struct mr_parallel){2, 1, 1, 1, 2};
    const struct mr_step_terms t = terms_of(&f, &(struct mr_batch){.n_decode = 10});
    mr_assert_near(t.part[MR_STEP_TERM_DENSE].time_s, 48e-6, 1e-6, 0);
    mr_assert_near(t.part[MR_STEP_TERM_REDUCE].time_s,
                   4 * 2 * (5e-6 * 1.3 + 1e-6 + 10 * 1000 * 2 / 100e9), 1e-9, 0);
    /* beyond the domain: its latency, scale-out ports */
    f.gpu.domain_packages = 1;
    const struct mr_step_terms far = terms_of(&f, &(struct mr_batch){.n_decode = 10});
    mr_assert_near(far.part[MR_STEP_TERM_REDUCE].time_s,
                   4 * 2 * (5e-6 * 1.3 + 4e-6 + 10 * 1000 * 2 / 10e9), 1e-9, 0);
}

static double reduce_s(struct fixture *f, double n_token)
{
    return terms_of(f, &(struct mr_batch){.n_decode = n_token}).part[MR_STEP_TERM_REDUCE].time_s;
}

/* Ten packages, messages of m: by hand the three ways cross at m = 17 a b / (9 - 1.8) (one-shot and
 * ring, no switch adds), at m = 2 a b / 8 (one-shot and in-switch). */
MR_TEST(a_reduce_takes_the_shortest_way)
{
    struct fixture f;
    plain(&f);
    const double a = 1e-6, b = 100e9, token_bytes = 2000, n_reduce = 4 * 2;
    f.gpu.domain_packages = 10;
    f.setup.parallel = (struct mr_parallel){10, 1, 1, 1, 10};
    const double ring_bytes = 17 * a * b / (9 - 1.8), switch_bytes = 2 * a * b / 8;
    const double few = floor(switch_bytes / token_bytes), some = few + 1;
    const double more = floor(ring_bytes / token_bytes), many = more + 1;
    for (double n = 1; n <= more; n++)
        mr_assert_near(reduce_s(&f, n), n_reduce * (a + 9 * n * token_bytes / b), 1e-9, 0);
    mr_assert_near(reduce_s(&f, many), n_reduce * (18 * a + 1.8 * many * token_bytes / b), 1e-9, 0);
    f.gpu.nvlink_reduces = true;
    mr_assert_near(reduce_s(&f, few), n_reduce * (a + 9 * few * token_bytes / b), 1e-9, 0);
    mr_assert_near(reduce_s(&f, some), n_reduce * (3 * a + some * token_bytes / b), 1e-9, 0);
    mr_assert_near(reduce_s(&f, 5000), n_reduce * (3 * a + 5000 * token_bytes / b), 1e-9, 0);
    /* not where the software leaves it, nor beyond the domain */
    f.software.reduces_in_switch = false;
    mr_assert_near(reduce_s(&f, 5000), n_reduce * (18 * a + 1.8 * 5000 * token_bytes / b), 1e-9, 0);
    f.software.reduces_in_switch = true;
    f.gpu.domain_packages = 5;
    mr_assert_near(reduce_s(&f, 5000), n_reduce * (18 * 4e-6 + 1.8 * 5000 * token_bytes / 10e9),
                   1e-9, 0);
    /* a slower network is never faster, and more tokens never take less */
    double before_s = 0;
    for (double n = 1; n < 2000; n *= 1.5) {
        const double now_s = reduce_s(&f, n);
        f.gpu.scaleout_latency_s *= 2;
        assert_true(reduce_s(&f, n) > now_s && now_s > before_s);
        f.gpu.scaleout_latency_s /= 2;
        before_s = now_s;
    }
}

/* Dimensions: with twice every rate and half of every start all times are half, to the bit, and
 * work is the same: nothing in a term is a bare number of seconds. */
MR_TEST(times_scale_with_their_unit)
{
    struct fixture f;
    plain(&f);
    f.llm.n_expert = 64;
    f.llm.top_k = 4;
    f.llm.expert_inter = 1000;
    f.llm.n_expert_layer = 4;
    f.gpu.nvlink_reduces = true;
    mr_software_defaults(&f.software);
    f.setup.parallel = (struct mr_parallel){2, 2, 1, 4, 1};
    const struct mr_batch batch = {.n_decode = 50,
                                   .kv_tokens = 50e3,
                                   .chunk_tokens = 300,
                                   .chunk_pairs = 6e5,
                                   .chunk_kv_tokens = 2300,
                                   .n_prompt_end = 1};
    const struct mr_step_terms slow = terms_of(&f, &batch);
    double *const rates[] = {&f.gpu.bf16_flop_s, &f.gpu.fp8_flop_s, &f.gpu.memory_bytes_s,
                             &f.gpu.nvlink_bytes_s, &f.gpu.scaleout_bytes_s};
    double *const times[] = {&f.gpu.nvlink_latency_s, &f.gpu.scaleout_latency_s,
                             &f.software.host_s,      &f.software.layer_s,
                             &f.software.reduce_s,    &f.software.exchange_s};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        *rates[i] *= 2;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        *times[i] /= 2;
    const struct mr_step_terms fast = terms_of(&f, &batch);
    for (int i = 0; i < MR_STEP_TERMS; i++)
        assert_true(fast.part[i].time_s == slow.part[i].time_s / 2);
    assert_true(slow.part[MR_STEP_TERM_REDUCE].time_s > 0);
    assert_true(slow.part[MR_STEP_TERM_EXCHANGE].time_s > 0);
    assert_true(fast.time_s == slow.time_s / 2);
    assert_true(fast.work.memory_bytes == slow.work.memory_bytes &&
                fast.work.link_bytes == slow.work.link_bytes &&
                fast.work.flop[MR_FORMAT_BF16] == slow.work.flop[MR_FORMAT_BF16]);
}

/* Two drafts: three rows per sequence, and 2.2 tokens per step. */
MR_TEST(drafts_widen_the_step_and_shorten_the_answer)
{
    struct fixture f;
    plain(&f);
    f.setup.n_draft = 2;
    assert_true(mr_step_accepted(&f.setup) == 1);
    f.llm.accepted[0] = 1.8;
    assert_true(mr_step_accepted(&f.setup) == 1.8);
    f.setup.accepted = 2.2;
    assert_true(mr_step_accepted(&f.setup) == 2.2);
    const struct mr_step_terms t = terms_of(&f, &(struct mr_batch){.n_decode = 100});
    /* and a layer of 16e6 behind 2e6, and a head, twice for 100 */
    mr_assert_near(t.work.flop[MR_FORMAT_BF16], 300 * 2 * (64e6 + 50e6) + 2 * 100 * 2 * 68e6, 1e-9,
                   0);
    mr_assert_near(t.part[MR_STEP_TERM_DRAFT].time_s, 2 * 68e6 * 2 / 1e12, 1e-3, 0);
    f.setup.drafts_elsewhere = true;
    const struct mr_step_terms apart = terms_of(&f, &(struct mr_batch){.n_decode = 100});
    mr_assert_near(apart.work.flop[MR_FORMAT_BF16], 300 * 2 * (64e6 + 50e6), 1e-9, 0);
    assert_true(apart.part[MR_STEP_TERM_DRAFT].time_s == 0);
}

/* Compute stretches with 1 / phi, memory and links do not. */
MR_TEST(clocks_move_compute_only)
{
    struct fixture f;
    struct mr_step_terms slow, fast;
    plain(&f);
    f.software.host_s = 1e-3;
    const struct mr_batch prompt = {.chunk_tokens = 1e4}, decode = {.n_decode = 1};
    mr_step_terms(&f.setup, &prompt, 0.5, &slow);
    mr_step_terms(&f.setup, &prompt, 1, &fast);
    mr_assert_near(slow.time_s - 1e-3, 2 * (fast.time_s - 1e-3), 1e-6, 0);
    mr_step_terms(&f.setup, &decode, 0.5, &slow);
    mr_step_terms(&f.setup, &decode, 1, &fast);
    mr_assert_near(slow.time_s, fast.time_s, 1e-9, 0);
}

/* Rows that are lost: 8 of a tile, then as many as there are, then 96 (BF16) or 192 (FP8). */
MR_TEST(few_rows_lose_as_many_at_most)
{
    struct fixture f;
    plain(&f);
    f.software.half_rows = 96;
    static const struct {
        double n, rows;
    } cases[] = {{1, 8 + 96.0 * 8 / 104}, {8, 8 + 96.0 * 8 / 104}, {96, 144}, {1e6, 1e6 + 96}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct mr_step_terms t = terms_of(&f, &(struct mr_batch){.n_decode = cases[i].n});
        mr_assert_near(t.part[MR_STEP_TERM_DENSE].compute_s, cases[i].rows * 2 * 48e6 / 1e15, 1e-7,
                       0);
    }
    f.setup.dense_format = MR_FORMAT_FP8;
    const struct mr_step_terms t = terms_of(&f, &(struct mr_batch){.n_decode = 192});
    mr_assert_near(t.part[MR_STEP_TERM_DENSE].compute_s, 288 * 2 * 48e6 / 2e15, 1e-9, 0);
}

static const void *object_of(struct mr_shelf *shelf, const struct mr_card_kind *kind,
                             const char *id)
{
    struct mr_diags diags = {0};
    const struct mr_card *card = mr_shelf_card(shelf, kind, id, MR_NOWHERE, &diags);
    assert_non_null(card);
    return card->object;
}

static void one_row_of(const struct mr_gpu_card *gpu, const struct mr_llm_card *llm,
                       const struct mr_software_card *software)
{
    for (int format = 0; format < MR_N_FORMAT; format++) {
        struct mr_step_setup setup = {.gpu = gpu,
                                      .llm = llm,
                                      .software = software,
                                      .parallel = {1, 1, 1, 1, 1},
                                      .dense_format = format,
                                      .expert_format = format,
                                      .kv_element_bytes = 2};
        struct mr_step_terms t;
        mr_step_terms(&setup, &(struct mr_batch){.n_decode = 1, .kv_tokens = 1000}, 1, &t);
        for (int i = 0; i < MR_STEP_TERMS; i++)
            if (i != MR_STEP_TERM_KV && t.part[i].compute_s > t.part[i].memory_s)
                fail_msg("%s of one row in %s: compute %g s, memory %g s", mr_step_term_name(i),
                         mr_step_format_name(format), t.part[i].compute_s, t.part[i].memory_s);
    }
}

/* Every package, LLM, engine and format: one sequence is bound by the stream of weights. */
MR_TEST(one_row_is_bound_by_memory)
{
    static const struct mr_card_kind *const kinds[] = {&mr_gpu_kind, &mr_llm_kind,
                                                       &mr_software_kind};
    struct mr_shelf *shelf = NULL;
    struct mr_err err = {0};
    struct mr_shelf_list list[3] = {{0}};
    size_t n = 0;
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    for (int k = 0; k < 3; k++)
        assert_int_equal(mr_shelf_list_add(&list[k], kinds[k], NULL, &err), MR_OK);
    for (size_t g = 0; g < list[0].n; g++)
        for (size_t l = 0; l < list[1].n; l++)
            for (size_t e = 0; e < list[2].n; e++, n++)
                one_row_of(object_of(shelf, &mr_gpu_kind, list[0].id[g]),
                           object_of(shelf, &mr_llm_kind, list[1].id[l]),
                           object_of(shelf, &mr_software_kind, list[2].id[e]));
    for (int k = 0; k < 3; k++)
        mr_shelf_list_fini(&list[k]);
    assert_true(n > 500);
    mr_shelf_destroy(shelf);
}

/* More work never takes less time; twice the batch never twice as long per token. */
MR_TEST(more_takes_longer)
{
    struct fixture f;
    plain(&f);
    f.software.half_rows = 96;
    f.llm.n_expert = 32;
    f.llm.top_k = 4;
    f.llm.expert_inter = 500;
    double last = 0, last_per_token = HUGE_VAL;
    for (double n = 1; n < 1e5; n *= 1.7) {
        const double time =
            terms_of(&f, &(struct mr_batch){.n_decode = n, .kv_tokens = n * 500}).time_s;
        assert_true(time > last);
        assert_true(time / n <= last_per_token * (1 + 1e-12));
        last = time;
        last_per_token = time / n;
    }
}

/* Drafts: their layer's weights and keys in memory, their term in tables, work and leaps. */
MR_TEST(drafts_take_time_and_memory)
{
    struct fixture f;
    struct mr_memory less, more;
    struct mr_err err = {0};
    struct mr_work work;
    plain(&f);
    f.software.layer_s = 1e-6;
    assert_int_equal(mr_memory_of(&f.setup, 10, 0, &less, &err), MR_OK);
    f.setup.n_draft = 3;
    f.setup.accepted = 2.5;
    assert_int_equal(mr_memory_of(&f.setup, 10, 0, &more, &err), MR_OK);
    mr_assert_near(more.weight_bytes - less.weight_bytes, 18e6 * 2, 1e-9, 0);
    mr_assert_near(more.kv_token_bytes, less.kv_token_bytes * 5 / 4, 1e-12, 0);
    struct mr_step *step = table_of(&f);
    for (double n = 1; n <= 1024; n *= 2) {
        struct mr_batch batch = {.n_decode = n, .kv_tokens = 1000 * n};
        const struct mr_step_terms terms = terms_of(&f, &batch);
        const struct mr_step_leap leap = mr_step_leap(step, &batch, 1);
        mr_step_work(step, &batch, &work);
        mr_assert_near(leap.a_s, terms.time_s, 1e-12, 0);
        mr_assert_near(work.memory_bytes, terms.work.memory_bytes, 1e-9, 0);
        mr_assert_near(work.flop[MR_FORMAT_BF16], terms.work.flop[MR_FORMAT_BF16], 1e-9, 0);
        batch.kv_tokens += 2.5 * n;
        mr_assert_near(mr_step_time(step, &batch, 1), leap.a_s + leap.b_s, 1e-12, 0);
        mr_assert_near(terms.part[MR_STEP_TERM_KV].time_s, 1000 * n * 16000 * 7 / 4 / 1e12, 1e-6,
                       0);
    }
    mr_step_destroy(step);
}

/* Pairs below a window of 100, across it and beyond, against a sum over tokens. */
MR_TEST(pairs_cut_at_the_window)
{
    for (double before = 0; before < 300; before += 37)
        for (double chunk = 1; chunk < 300; chunk += 41) {
            double sum = 0;
            for (double token = before; token < before + chunk; token++)
                sum += token < 100 ? token + 0.5 : 100;
            mr_assert_near(mr_step_window_pairs(before, chunk, 100), sum, 1e-12, 0);
        }
}

/* Two layers with a window, two without; then a cut at 100 keys in all four, with an index of 8 x
 * 128 B. A pair of one layer costs 4 x 10 x 100 FLOP; cache reads come on top. */
MR_TEST(prefill_with_windows_and_sparse_keys)
{
    struct fixture f;
    struct mr_work work, growth, next;
    plain(&f);
    struct mr_batch batch = {.chunk_tokens = 1000,
                             .chunk_pairs = 1000 * 2500.0,
                             .chunk_window_pairs = mr_step_window_pairs(2000, 1000, 100),
                             .chunk_kv_tokens = 3000};
    f.llm.n_kv_layer = f.llm.n_window_layer = 2;
    f.llm.kv_elements_per_token = 4000;
    f.llm.window_tokens = 100;
    f.llm.window_elements = 100 * 4000;
    struct mr_step_terms t = terms_of(&f, &batch);
    mr_assert_near(t.part[MR_STEP_TERM_PREFILL].time_s,
                   4000 * 2 * (2.5e6 + 1e5) / 1e15 + 3000 * 8000 / 1e12, 1e-9, 0);
    f.llm.n_kv_layer = 4;
    f.llm.n_window_layer = f.llm.window_tokens = 0;
    f.llm.window_elements = 0;
    f.llm.sparse_keys = 100;
    f.llm.indexer_bytes_per_token = 4 * 128;
    f.llm.n_index_head = 8;
    t = terms_of(&f, &batch);
    mr_assert_near(t.part[MR_STEP_TERM_PREFILL].time_s,
                   (4000 * 4 * 1e5 + 2 * 8 * 512 * 2.5e6) / 1e15 + 3000 * (8000 + 512) / 1e12, 1e-9,
                   0);
    struct mr_step *step = table_of(&f);
    const struct mr_step_leap leap = mr_step_leap(step, &batch, 1);
    mr_step_work(step, &batch, &work);
    mr_step_work_growth(step, &batch, &growth);
    mr_assert_near(work.memory_bytes, t.work.memory_bytes, 1e-9, 0);
    batch.chunk_pairs += 1e6;
    batch.chunk_kv_tokens += 1000;
    mr_step_work(step, &batch, &next);
    mr_assert_near(mr_step_time(step, &batch, 1), leap.a_s + leap.b_s, 1e-12, 0);
    mr_assert_near(next.memory_bytes, work.memory_bytes + growth.memory_bytes, 1e-12, 0);
    mr_assert_near(next.flop[MR_FORMAT_BF16],
                   work.flop[MR_FORMAT_BF16] + growth.flop[MR_FORMAT_BF16], 1e-12, 0);
    mr_step_destroy(step);
}

MR_TEST(work_of_a_step)
{
    struct fixture f;
    struct mr_work work;
    plain(&f);
    f.llm.state_bytes = 1e6;
    f.llm.n_state_layer = 1;
    struct mr_step *step = table_of(&f);
    const struct mr_batch batch = {.n_decode = 64,
                                   .kv_tokens = 64e3,
                                   .chunk_tokens = 64,
                                   .chunk_pairs = 5000,
                                   .n_prompt_end = 1};
    const struct mr_step_terms terms = terms_of(&f, &batch);
    mr_step_work(step, &batch, &work);
    mr_assert_near(work.flop[MR_FORMAT_BF16], terms.work.flop[MR_FORMAT_BF16], 1e-9, 0);
    mr_assert_near(work.memory_bytes, terms.work.memory_bytes, 1e-9, 0);
    mr_assert_near(work.busy_s, terms.work.busy_s, 1e-9, 0);
    mr_step_destroy(step);
}

static mr_status create_once(void *context, struct mr_err *err)
{
    struct mr_step *step;
    const struct fixture *f = context;
    MR_TRY(mr_step_create(&f->setup, &step, err));
    mr_step_destroy(step);
    return MR_OK;
}

MR_TEST(every_failing_allocation)
{
    struct fixture f;
    plain(&f);
    mr_test_every_nomem(create_once, &f);
}

MR_TEST(accepted_tokens_are_of_the_drafts)
{
    static const double wrong[] = {0.5, -1, 3.01, HUGE_VAL, (double)NAN};
    struct fixture f;
    struct mr_err err = {0};
    plain(&f);
    f.setup.n_draft = 2;
    f.setup.accepted = 3;
    assert_int_equal(mr_step_check(&f.setup, &err), MR_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        f.setup.accepted = wrong[i];
        assert_int_equal(mr_step_check(&f.setup, &err), MR_RANGE);
        mr_assert_contains(err.text, "accepted: a step with 2 drafts gives 1 to 3 tokens, not ");
    }
    f.setup.n_draft = 0;
    f.setup.accepted = 2;
    assert_int_equal(mr_step_check(&f.setup, &err), MR_RANGE);
}

MR_TEST(layouts_that_cannot_be)
{
    static const struct {
        struct mr_parallel parallel;
        const char *part;
    } cases[] = {
        {{0, 1, 1, 1, 1}, "every factor is at least 1"},
        {{2, 1, 1, 2, 0}, "ep 2 x moe_tp 0 must be tp 2 x dp 1"},
        {{16, 1, 1, 1, 16}, "tp 16 of 10 heads: more shards than heads"},
        {{3, 1, 1, 1, 3}, "tp 3 of 10 heads: it must divide them"},
        {{5, 1, 1, 1, 5}, "tp 5 of 4 KV heads: one must divide the other"},
        {{1, 1, 1, 8, 0}, "ep 8 is more than tp 1 x dp 1: experts lie on the same packages"},
        {{1, 1, 5, 1, 1}, "pp 5 of 4 layers"},
        {{2, 4, 1, 4, 1}, "ep 4 x moe_tp 1 must be tp 2 x dp 4"},
        {{2, 64, 1, 128, 1}, "ep 128 of 64 experts"},
    };
    struct fixture f;
    plain(&f);
    f.llm.n_expert = 64;
    f.llm.top_k = 4;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_err err = {0};
        f.setup.parallel = cases[i].parallel;
        f.llm.n_kv_head = cases[i].parallel.tp == 5 ? 4 : 10;
        assert_int_equal(mr_step_check(&f.setup, &err), MR_RANGE);
        mr_assert_contains(err.text, cases[i].part);
    }
    struct mr_err err = {0};
    f.llm.n_expert = 0;
    f.setup.parallel = (struct mr_parallel){2, 1, 1, 2, 1};
    assert_int_equal(mr_step_check(&f.setup, &err), MR_RANGE);
    mr_assert_contains(err.text, "ep 2, but the LLM has no experts to deal");
    err = (struct mr_err){0};
    f.setup.parallel = (struct mr_parallel){2, 1, 1, 1, 2};
    f.gpu.nvlink_bytes_s = f.gpu.scaleout_bytes_s = 0;
    assert_int_equal(mr_step_check(&f.setup, &err), MR_RANGE);
    mr_assert_contains(err.text, "packages without links cannot share a model");
}

/* 90 GB less 64e6 x 2 B + 2 x 100 MB of weights and 3.87 GB: 16,000 B a token, blocks of 16. */
MR_TEST(memory_left_for_contexts)
{
    struct fixture f;
    struct mr_memory memory;
    struct mr_err err = {0};
    plain(&f);
    assert_int_equal(mr_memory_of(&f.setup, 10, 0, &memory, &err), MR_OK);
    mr_assert_near(memory.weight_bytes, 328e6, 1e-9, 0);
    mr_assert_near(memory.kv_token_bytes, 16000, 1e-12, 0);
    assert_int_equal(memory.n_block, (uint64_t)((90e9 - 328e6 - 3.87e9) / (16 * 16000)));
    assert_int_equal(mr_memory_of(&f.setup, 10, 777, &memory, &err), MR_OK);
    assert_int_equal(memory.n_block, 777);
    /* 10 experts of 3e6 in 4 groups: three each, two of them copies */
    f.llm.n_expert = 10;
    f.llm.top_k = 1;
    f.llm.expert_inter = 1000;
    f.setup.parallel = (struct mr_parallel){1, 4, 1, 4, 1};
    assert_int_equal(mr_memory_of(&f.setup, 10, 0, &memory, &err), MR_OK);
    mr_assert_near(memory.weight_bytes, 4 * (4e6 * 2 + 3 * 3e6 * 2 + 1000 * 10 * 2) + 2 * 100e6,
                   1e-9, 0);
    f.llm.n_expert = 0;
    f.setup.parallel = (struct mr_parallel){1, 1, 1, 1, 1};
    f.llm.dense_inter = 4000000;
    assert_int_equal(mr_memory_of(&f.setup, 10, 0, &memory, &err), MR_LIMIT);
    mr_assert_contains(err.text, "the LLM does not fit: 96.23 GB of weights and 3.87 GB of reserve "
                                 "per package of 90 GB, ");
}

MR_TEST_MAIN(MR_TEST_ENTRY(one_decode_reads_everything_once),
             MR_TEST_ENTRY(a_long_prompt_is_bound_by_compute),
             MR_TEST_ENTRY(experts_that_a_batch_touches),
             MR_TEST_ENTRY(tensor_parallel_halves_weights_and_adds_reduces),
             MR_TEST_ENTRY(a_reduce_takes_the_shortest_way),
             MR_TEST_ENTRY(times_scale_with_their_unit),
             MR_TEST_ENTRY(drafts_widen_the_step_and_shorten_the_answer),
             MR_TEST_ENTRY(clocks_move_compute_only), MR_TEST_ENTRY(few_rows_lose_as_many_at_most),
             MR_TEST_ENTRY(one_row_is_bound_by_memory), MR_TEST_ENTRY(more_takes_longer),
             MR_TEST_ENTRY(drafts_take_time_and_memory), MR_TEST_ENTRY(pairs_cut_at_the_window),
             MR_TEST_ENTRY(prefill_with_windows_and_sparse_keys), MR_TEST_ENTRY(work_of_a_step),
             MR_TEST_ENTRY(every_failing_allocation),
             MR_TEST_ENTRY(accepted_tokens_are_of_the_drafts),
             MR_TEST_ENTRY(layouts_that_cannot_be), MR_TEST_ENTRY(memory_left_for_contexts))
