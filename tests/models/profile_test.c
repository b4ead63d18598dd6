/* SPDX-License-Identifier: Apache-2.0 */
/* models/profile, models/profile_fit: the five constants by hand and to the bit, the table at and
 * between its points, leaps as sums of steps, fits that find what made their data, the recorded
 * profiles, and files that cannot be. */
#include "models/profile.h"

#include "models/profile_fit.h"
#include "tests/test.h"

#include <sys/stat.h>

static const double t0 = 0.002, tw = 0.010, ctok = 8.56e-5, ckv = 8.19e-8, catt = 3.36e-9;

static struct mr_profile *load(const char *path)
{
    struct mr_profile *profile;
    struct mr_diags diags = {0};
    char line[1024];
    if (mr_profile_load(path, &profile, &diags) != MR_OK) {
        mr_diag_print(&diags.item[0], line, sizeof line);
        fail_msg("%s", line);
    }
    return profile;
}

static struct mr_profile *reference(void)
{
    return load(MR_SOURCE_DIR "/models/profiles/reference.xml");
}

/* A measured profile with every term. */
static struct mr_profile_card full_card(void)
{
    struct mr_profile_card card;
    mr_profile_defaults(&card);
    card.form = MR_PROFILE_MEASURED;
    card.t0_s = 1e-3;
    card.decode_s = 4e-4;
    card.decode_kv_s = 1.5e-7;
    card.prefill_s = 5e-4;
    card.prefill_pair_s = 4e-9;
    card.mixed_s = 6e-4;
    card.mixed_kv_s = 4e-7;
    card.mixed_pair_s = 4.5e-9;
    card.head_s = 1.1e-3;
    card.head_sequence_s = 1.2e-6;
    card.collective_s = 3e-4;
    card.collective_token_s = 2e-7;
    return card;
}

static const struct mr_profile_point points[] = {{1, 0.016},  {2, 0.0165},   {16, 0.017},
                                                 {64, 0.018}, {128, 0.0225}, {256, 0.042}};

enum {
    n_point = sizeof points / sizeof *points
};

static struct mr_profile *full(void)
{
    const struct mr_profile_card card = full_card();
    struct mr_profile *profile;
    struct mr_err err = {0};
    assert_int_equal(mr_profile_create(&card, points, n_point, &profile, &err), MR_OK);
    return profile;
}

/* The batch after `j` steps: every decode is a token longer, the chunk a chunk further. */
static struct mr_batch after(struct mr_batch batch, double j)
{
    batch.kv_tokens += j * batch.n_decode;
    batch.chunk_pairs += j * batch.chunk_tokens * batch.chunk_tokens;
    return batch;
}

/* ---- five constants ---- */

MR_TEST(five_constants_by_hand)
{
    struct mr_profile *p = reference();
    /* 2 ms + 10 ms: weights bound; 16 decodes of 1000 tokens: + 16000 x 81.9 ns */
    mr_assert_near(mr_profile_time(p, &(struct mr_batch){.n_decode = 16, .kv_tokens = 16000}),
                   0.0133104, 1e-12, 0);
    /* 512 tokens: 2 ms + 512 x 85.6 us, pairs 512 x 256 x 3.36 ns = 0.44040192 ms */
    mr_assert_near(
        mr_profile_time(p, &(struct mr_batch){.chunk_tokens = 512, .chunk_pairs = 512. * 256}),
        0.04626760192, 1e-12, 0);
    /* both, in one regime: 500 + 12 tokens */
    mr_assert_near(mr_profile_time(p, &(struct mr_batch){.n_decode = 12,
                                                         .kv_tokens = 6000,
                                                         .chunk_tokens = 500,
                                                         .chunk_pairs = 500. * 250}),
                   0.002 + 0.0438272 + 0.0004914 + 0.00042, 1e-12, 0);
    assert_true(mr_profile_time(p, &(struct mr_batch){0}) == t0 + tw);
    mr_profile_destroy(p);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* t0 + max(tw, ctok N) + ckv S + catt Q from left to right: each operation rounded on its own.
 * Other orders differ in the last bit for many of these batches, so the test can tell them apart.
 */
MR_TEST(five_constants_to_the_bit)
{
    struct mr_profile *p = reference();
    size_t n_other = 0;
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        double draw[4];
        for (int k = 0; k < 4; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            draw[k] = (double)(state >> 40);
        }
        const struct mr_batch batch = {.n_decode = fmod(draw[0], 128),
                                       .kv_tokens = fmod(draw[1], 500000),
                                       .chunk_tokens = fmod(draw[2], 512),
                                       .chunk_pairs = fmod(draw[3], 4e6) / 2};
        const double tokens = batch.n_decode + batch.chunk_tokens;
        volatile double product = ctok * tokens;
        volatile double sum = product > tw ? product : tw;
        sum = t0 + sum;
        product = ckv * batch.kv_tokens;
        sum = sum + product;
        product = catt * batch.chunk_pairs;
        const double other = (t0 + fmax(tw, ctok * tokens)) + (ckv * batch.kv_tokens + product);
        sum = sum + product;
        assert_true(mr_profile_time(p, &batch) == sum);
        n_other += other != sum;
    }
    assert_true(n_other > 1000);
    mr_profile_destroy(p);
}

/* ---- the table ---- */

MR_TEST(table_at_between_and_past_its_points)
{
    struct mr_profile *p = full();
    for (size_t i = 0; i < n_point; i++)
        assert_true(mr_profile_dense(p, points[i].tokens) == points[i].time_s);
    mr_assert_near(mr_profile_dense(p, 1.5), 0.01625, 1e-14, 0);
    mr_assert_near(mr_profile_dense(p, 40), 0.0175, 1e-14, 0);
    mr_assert_near(mr_profile_dense(p, 192), (0.0225 + 0.042) / 2, 1e-14, 0);
    assert_true(mr_profile_dense(p, 0) == 0.016 && mr_profile_dense(p, 0.5) == 0.016);
    /* past the last as steep as from 128 to 256 */
    mr_assert_near(mr_profile_dense(p, 512), 0.042 + 2 * 0.0195, 1e-14, 0);
    mr_profile_destroy(p);
    /* one point is a constant; falling ends are not carried on */
    const struct mr_profile_card card = full_card();
    const struct mr_profile_point falling[] = {{8, 0.02}, {16, 0.019}};
    struct mr_err err = {0};
    assert_int_equal(mr_profile_create(&card, points, 1, &p, &err), MR_OK);
    assert_true(mr_profile_dense(p, 0) == 0.016 && mr_profile_dense(p, 1e6) == 0.016);
    mr_profile_destroy(p);
    assert_int_equal(mr_profile_create(&card, falling, 2, &p, &err), MR_OK);
    assert_true(mr_profile_dense(p, 1e6) == 0.019);
    mr_profile_destroy(p);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(regimes_by_hand)
{
    struct mr_profile *p = full();
    const double s = 32000, q = 48 * 24;
    mr_assert_near(mr_profile_time(p, &(struct mr_batch){.n_decode = 16, .kv_tokens = s}),
                   1e-3 + 0.017 + (1.1e-3 + 16 * 1.2e-6) + (3e-4 + 16 * 2e-7) + 4e-4 + s * 1.5e-7,
                   1e-14, 0);
    /* a chunk that does not end its prompt needs no logits */
    mr_assert_near(
        mr_profile_time(p, &(struct mr_batch){.chunk_tokens = 64, .chunk_pairs = 64 * 32}),
        1e-3 + 0.018 + (3e-4 + 64 * 2e-7) + 5e-4 + 64 * 32 * 4e-9, 1e-14, 0);
    mr_assert_near(mr_profile_time(p, &(struct mr_batch){.n_decode = 16,
                                                         .kv_tokens = s,
                                                         .chunk_tokens = 48,
                                                         .chunk_pairs = q,
                                                         .n_prompt_end = 1}),
                   1e-3 + 0.018 + (1.1e-3 + 17 * 1.2e-6) + (3e-4 + 64 * 2e-7) + 6e-4 + s * 4e-7 +
                       q * 4.5e-9,
                   1e-14, 0);
    mr_profile_destroy(p);
}

static void check_leap(const struct mr_profile *p, struct mr_batch batch)
{
    enum {
        n_step = 1000
    };
    const struct mr_step_leap leap = mr_profile_leap(p, &batch);
    double sum_s = 0;
    for (int j = 0; j < n_step; j++) {
        const struct mr_batch now = after(batch, j);
        mr_assert_near(leap.a_s + leap.b_s * j, mr_profile_time(p, &now), 1e-12, 0);
        sum_s += mr_profile_time(p, &now);
    }
    mr_assert_near(n_step * leap.a_s + leap.b_s * (n_step * (n_step - 1.) / 2), sum_s, 1e-12, 0);
}

MR_TEST(a_leap_is_the_sum_of_its_steps)
{
    const struct mr_batch batches[] = {
        {.n_decode = 1, .kv_tokens = 17},
        {.n_decode = 100, .kv_tokens = 123456},
        {.chunk_tokens = 64, .chunk_pairs = 64 * 32},
        {.n_decode = 31, .kv_tokens = 9999, .chunk_tokens = 97, .chunk_pairs = 97 * 48.5}};
    struct mr_profile *linear = reference(), *measured = full();
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        check_leap(linear, batches[i]);
        check_leap(measured, batches[i]);
    }
    /* as the reference runs have it, to the bit */
    const struct mr_step_leap leap = mr_profile_leap(linear, &batches[1]);
    assert_true(leap.b_s == ckv * 100 && leap.a_s == mr_profile_time(linear, &batches[1]));
    mr_profile_destroy(linear);
    mr_profile_destroy(measured);
}

/* ---- cards ---- */

static mr_status try_card(const char *figures, struct mr_diags *diags)
{
    struct mr_buf text = {0};
    struct mr_profile *profile;
    mr_buf_printf(&text, "<profile id=\"x\" name=\"X\">");
    for (const char *p = figures; *p != '\0';) {
        const size_t name = strcspn(p, "="), end = strcspn(p, ";");
        mr_buf_printf(&text,
                      "<figure name=\"%.*s\" value=\"%.*s\" confidence=\"measured\" source=\"x\"/>",
                      (int)name, p, (int)(end - name - 1), p + name + 1);
        p += end + (p[end] == ';');
    }
    mr_buf_printf(&text, "</profile>\n");
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_write("card.xml", text.text, text.n));
    const mr_status st = mr_profile_load(path, &profile, diags);
    mr_profile_destroy(profile);
    mr_buf_fini(&text);
    return st;
}

MR_TEST(cards_and_their_points)
{
    struct mr_diags diags = {0};
    assert_int_equal(try_card("form=measured;dense=1:0.01 16:2e-2", &diags), MR_OK);
    assert_int_equal(try_card("form=measured;dense=  1:0.01  ", &diags), MR_OK);
    assert_int_equal(try_card("form=linear5;t0=2 ms;tw=10 ms", &diags), MR_OK);
    static const char csv[] = "tokens,time_s\n1,0.25\n3,0.5\n";
    (void)mr_test_write("points.csv", csv, sizeof csv - 1);
    static const char card[] =
        "<profile id=\"x\" name=\"X\">"
        "<figure name=\"form\" value=\"measured\" confidence=\"measured\" source=\"x\"/>"
        "<figure name=\"dense.file\" value=\"points.csv\" confidence=\"measured\" source=\"x\"/>"
        "</profile>";
    struct mr_profile *p = load(mr_test_write("card.xml", card, sizeof card - 1));
    mr_assert_near(mr_profile_dense(p, 2), 0.375, 1e-15, 0);
    mr_profile_destroy(p);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(impossible_cards_are_refused)
{
    static const struct {
        const char *figures, *message;
    } cases[] = {
        {"t0=2 ms", "form"},
        {"form=cubic", "form"},
        {"form=linear5;t0=-2 ms", "t0"},
        {"form=linear5;tw=2", "unit"},
        {"form=linear5;dense=1:1", "dense: goes with form measured"},
        {"form=linear5;head.start=1 ms", "head.start: goes with form measured"},
        {"form=measured;dense=1:1;ckv=1 ns", "ckv: goes with form linear5"},
        {"form=measured", "one of dense and dense.file is needed"},
        {"form=measured;dense=1:1;dense.file=a.csv", "one of dense and dense.file is needed"},
        {"form=measured;dense=1:1 2", "point 2: TOKENS:SECONDS is expected at \"2\""},
        {"form=measured;dense=1:x 2:1", "point 1: TOKENS:SECONDS is expected at \"1:x 2:1\""},
        {"form=measured;dense= ", "point 1: TOKENS:SECONDS is expected"},
        {"form=measured;dense=1:1 1:2", "point 2: tokens must rise"},
        {"form=measured;dense=-1:1", "point 1: tokens must rise"},
        {"form=measured;dense=1:1 2:-1", "point 2: a time must be above 0"},
        {"form=measured;dense=1:0", "point 1: a time must be above 0"},
        {"form=measured;dense.file=absent.csv", "absent.csv"},
        {"form=measured;dense.file=bad_time.csv", "column \"time_s\": a time must be above 0"},
        {"form=measured;dense.file=bad_order.csv", "column \"tokens\": tokens must rise"},
        {"form=measured;dense.file=bad_column.csv", "time_s"},
        {"form=measured;dense.file=empty.csv", "no points"},
    };
    (void)mr_test_write("bad_time.csv", "tokens,time_s\n1,-1\n", 19);
    (void)mr_test_write("bad_order.csv", "tokens,time_s\n2,1\n1,1\n", 22);
    (void)mr_test_write("bad_column.csv", "tokens,time_us\n2,1\n", 19);
    (void)mr_test_write("empty.csv", "tokens,time_s\n", 14);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_diags diags = {0};
        char line[1024];
        if (try_card(cases[i].figures, &diags) == MR_OK)
            fail_msg("accepted: %s", cases[i].figures);
        mr_diag_print(&diags.item[0], line, sizeof line);
        mr_assert_contains(line, cases[i].message);
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* ---- fits ---- */

static const char *const ops[] = {"qkv_proj",     "rotary_emb", "o_proj",
                                  "gate_up_proj", "act_fn",     "down_proj",
                                  "layernorm",    "embedding",  "final_layernorm"};

enum {
    n_layer = 10
};

static void put(const char *name, const struct mr_buf *text)
{
    (void)mr_test_write(name, text->text, text->n);
}

/* Layer times [us] of which every coefficient is known: per layer attention is
 * 10 + 0.004 S | 12 + 1e-4 Q | 15 + 0.01 S + 1.5e-4 Q, the head 1000 + 2 ns. */
static const char *write_profile(void)
{
    struct mr_buf text = {0};
    mr_buf_text(&text, "layer,tokens,time_us\n");
    for (int k = 0; k < 9; k++) /* unsorted: by operator */
        for (int tokens = 1; tokens <= 64; tokens *= 2)
            mr_buf_printf(&text, "%s,%d,%d\n", ops[k], tokens, (k + 1) * (100 + tokens));
    put("dense.csv", &text);
    mr_buf_clear(&text);
    mr_buf_text(&text, "layer,sequences,time_us\n");
    for (int n = 1; n <= 40; n++)
        mr_buf_printf(&text, "lm_head,%d,%d\nsampler,%d,%d\n", n, 900 + n, n, 100 + n);
    put("per_sequence.csv", &text);
    mr_buf_clear(&text);
    mr_buf_text(&text, "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n");
    for (int chunk = 0; chunk <= 64; chunk += 16)
        for (int before = 0; before <= (chunk > 0 ? 512 : 0); before += 128)
            for (int n = 0; n <= 8; n += 2)
                for (int kv = n > 0 ? 64 : 0; kv <= (n > 0 ? 1024 : 0); kv += 64) {
                    const double s = n * kv, q = chunk * (before + chunk / 2.);
                    if (chunk > 0 || n > 0)
                        mr_buf_printf(&text, "%d,%d,%d,%d,%.9g\n", chunk, before, n, kv,
                                      chunk == 0 ? 10 + 0.004 * s
                                      : n == 0   ? 12 + 1e-4 * q
                                                 : 15 + 0.01 * s + 1.5e-4 * q);
                }
    put("attention.csv", &text);
    mr_buf_fini(&text);
    return mr_test_tmp();
}

MR_TEST(a_fit_finds_what_made_its_data)
{
    struct mr_profile_fit fit = {0};
    struct mr_err err = {0};
    const struct mr_profile_fit_options options = {n_layer, 0.5};
    assert_int_equal(mr_profile_fit_folder(write_profile(), &options, &fit, &err), MR_OK);
    assert_int_equal(fit.n_point, 7);
    for (size_t i = 0; i < fit.n_point; i++) {
        /* 10 (1 + ... + 6 + 2 x 7) + 8 + 9 = 367 times (100 + tokens) us */
        mr_assert_near(fit.point[i].tokens, (double)(1 << i), 0, 0);
        mr_assert_near(fit.point[i].time_s, 367e-6 * (100 + (1 << i)), 1e-12, 0);
    }
    const double us = 1e-6 * n_layer;
    mr_assert_near(fit.card.decode_s, 10 * us, 1e-6, 0);
    mr_assert_near(fit.card.decode_kv_s, 0.004 * us, 1e-6, 0);
    mr_assert_near(fit.card.prefill_s, 12 * us, 1e-6, 0);
    mr_assert_near(fit.card.prefill_pair_s, 1e-4 * us, 1e-6, 0);
    mr_assert_near(fit.card.mixed_s, 15 * us, 1e-6, 0);
    mr_assert_near(fit.card.mixed_kv_s, 0.01 * us, 1e-6, 0);
    mr_assert_near(fit.card.mixed_pair_s, 1.5e-4 * us, 1e-6, 0);
    mr_assert_near(fit.card.head_s, 1000e-6, 1e-6, 0);
    mr_assert_near(fit.card.head_sequence_s, 2e-6, 1e-6, 0);
    for (int k = 0; k < MR_PROFILE_REGIMES; k++) {
        assert_true(fit.fitted[k].n > 4 && fit.held_out[k].n > 4);
        assert_true(fit.fitted[k].mean < 1e-6 && fit.held_out[k].mean < 1e-6);
        mr_assert_near(fit.r2[k], 1, 1e-9, 0);
    }
    assert_true(fit.dense_error < 1e-12 && fit.card.error_frac < 1e-6);
    /* time and table agree */
    struct mr_profile *p;
    assert_int_equal(mr_profile_create(&fit.card, fit.point, fit.n_point, &p, &err), MR_OK);
    mr_assert_near(mr_profile_time(p, &(struct mr_batch){.n_decode = 4, .kv_tokens = 1000}),
                   367e-6 * 104 + 1008e-6 + (10 + 4) * us, 1e-6, 0);
    mr_profile_destroy(p);
    mr_profile_fit_fini(&fit);
    assert_int_equal(mr_test_live_allocations(), 0);
}

static mr_status fit_once(void *context, struct mr_err *err)
{
    struct mr_profile_fit fit = {0};
    const struct mr_profile_fit_options options = {n_layer, 0};
    const mr_status st = mr_profile_fit_folder(context, &options, &fit, err);
    mr_profile_fit_fini(&fit);
    return st;
}

static mr_status load_once(void *context, struct mr_err *err)
{
    struct mr_profile *profile;
    struct mr_diags diags = {0};
    const mr_status st = mr_profile_load(context, &profile, &diags);
    mr_profile_destroy(profile);
    if (st != MR_OK)
        *err = diags.item[0].err;
    return st;
}

MR_TEST(every_allocation_may_fail)
{
    char path[512];
    static const char card[] =
        "<profile id=\"x\" name=\"X\">"
        "<figure name=\"form\" value=\"measured\" confidence=\"measured\" source=\"x\"/>"
        "<figure name=\"dense\" value=\"1:1 2:2 3:3\" confidence=\"measured\" source=\"x\"/>"
        "</profile>";
    snprintf(path, sizeof path, "%s", write_profile());
    mr_test_every_nomem(fit_once, path);
    snprintf(path, sizeof path, "%s", mr_test_write("card.xml", card, sizeof card - 1));
    mr_test_every_nomem(load_once, path);
}

MR_TEST(impossible_folders_are_refused)
{
    static const struct {
        const char *file, *text, *message;
    } cases[] = {
        {"dense.csv", "layer,tokens\nqkv_proj,1\n", "time_us"},
        {"dense.csv", "layer,tokens,time_us\n", "dense.csv: error: no rows"},
        {"dense.csv", "layer,tokens,time_us\nqkv_proj,1,-3\n", "-3 us: a time is above 0"},
        {"dense.csv", "layer,tokens,time_us\nqkv_proj,1,3\n", "no time of rotary_emb at 1"},
        {"dense.csv", "layer,tokens,time_us\nqkv_proj,1,3\nqkv_proj,1,4\n",
         "two times of qkv_proj at 1"},
        {"dense.csv", "layer,tokens,time_us\nqkv_prj,1,3\n", "did you mean \"qkv_proj\""},
        {"dense.csv", "layer,tokens,time_us\nqkv_proj,1.5,3\n", "column \"tokens\""},
        {"per_sequence.csv", "layer,sequences,time_us\nlm_head,1,3\n", "no time of sampler at 1"},
        {"per_sequence.csv", "layer,sequences,time_us\nlm_head,1,3\nsampler,1,3\nsampler,1,3\n",
         "two times of sampler at 1"},
        {"per_sequence.csv", "layer,sequences,time_us\nlm_head,1,3\nsampler,1,3\n",
         "rows of logits and sampler to fit"},
        {"attention.csv", "prefill_chunk,kv_prefill,n_decode,time_us\n", "kv_decode"},
        {"attention.csv", "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n0,0,0,0,1\n",
         "neither a chunk nor decodes"},
        {"attention.csv", "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n0,0,1,16,0\n",
         "0 us: a time is above 0"},
        {"attention.csv", "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n0,0,1,16,2\n",
         "of attention of decodes alone to fit, at least 4 are needed"},
    };
    const struct mr_profile_fit_options options = {n_layer, 0.5};
    struct mr_profile_fit fit = {0};
    char line[1024];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_err err = {0};
        const char *folder = write_profile();
        (void)mr_test_write(cases[i].file, cases[i].text, strlen(cases[i].text));
        if (mr_profile_fit_folder(folder, &options, &fit, &err) == MR_OK)
            fail_msg("accepted: %s", cases[i].message);
        mr_err_print(&err, line, sizeof line);
        mr_assert_contains(line, cases[i].message);
        mr_profile_fit_fini(&fit);
    }
    struct mr_err err = {0};
    (void)write_profile();
    assert_int_equal(remove(mr_test_tmp_path("attention.csv")), 0);
    assert_int_not_equal(mr_profile_fit_folder(mr_test_tmp(), &options, &fit, &err), MR_OK);
    mr_err_print(&err, line, sizeof line);
    mr_assert_contains(line, "attention.csv");
    mr_profile_fit_fini(&fit);
    const struct mr_profile_fit_options none = {0, 0.5};
    struct mr_err few = {0};
    assert_int_equal(mr_profile_fit_folder(mr_test_tmp(), &none, &fit, &few), MR_RANGE);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(notes_name_the_model)
{
    struct mr_buf model = {0};
    struct mr_err err = {0};
    assert_int_equal(mr_profile_fit_model(mr_test_tmp(), &model, &err), MR_OK);
    assert_int_equal(model.n, 0);
    static const char notes[] =
        "gpu: x\n model: no\nmodel: meta-llama/Llama-3.1-8B \nmodel: late\n";
    (void)mr_test_write("profile_meta.yaml", notes, sizeof notes - 1);
    assert_int_equal(mr_profile_fit_model(mr_test_tmp(), &model, &err), MR_OK);
    assert_string_equal(model.text, "Llama-3.1-8B");
    mr_buf_clear(&model);
    assert_int_equal(mkdir(mr_test_tmp_path("tp1"), 0700), 0);
    assert_int_equal(mr_profile_fit_model(mr_test_tmp_path("tp1"), &model, &err), MR_OK);
    assert_string_equal(model.text, "Llama-3.1-8B");
    mr_buf_fini(&model);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* A coefficient that wants to be negative is 0, and the rest is the best line without it. */
MR_TEST(no_coefficient_is_negative)
{
    struct mr_profile_fit fit = {0};
    struct mr_err err = {0};
    struct mr_buf text = {0};
    const struct mr_profile_fit_options options = {1, 0};
    (void)write_profile();
    mr_buf_text(&text, "layer,sequences,time_us\n");
    for (int n = 11; n <= 40; n++) /* 2 (n - 10): through 0 it is steeper than nothing */
        mr_buf_printf(&text, "lm_head,%d,%d\nsampler,%d,%d\n", n, n - 10, n, n - 10);
    put("per_sequence.csv", &text);
    mr_buf_fini(&text);
    assert_int_equal(mr_profile_fit_folder(mr_test_tmp(), &options, &fit, &err), MR_OK);
    assert_true(fit.card.head_s == 0);
    double up = 0, down = 0; /* sum x / sum (x^2 / t) */
    for (int n = 11; n <= 40; n++) {
        up += n;
        down += n * n / (2e-6 * (n - 10));
    }
    mr_assert_near(fit.card.head_sequence_s, up / down, 1e-9, 0);
    for (int k = 0; k < MR_PROFILE_REGIMES; k++)
        assert_int_equal(fit.held_out[k].n, 0);
    mr_profile_fit_fini(&fit);
}

/* ---- recorded ---- */

static void check_recorded(const char *gpu)
{
    char name[128], folder[512];
    struct mr_profile_fit fit = {0};
    struct mr_err err = {0};
    snprintf(name, sizeof name, "vllm_runs/%s/profile/tp1/dense.csv", gpu);
    const char *path = mr_test_data(name);
    if (path == NULL)
        mr_test_skip("%s is not in MILLRACE_DATA", name);
    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(path) - strlen("/dense.csv")), path);
    assert_int_equal(
        mr_profile_fit_folder(folder, &(struct mr_profile_fit_options){32, 0.5}, &fit, &err),
        MR_OK);
    assert_int_equal(fit.n_point, 152);
    for (int k = 0; k < MR_PROFILE_REGIMES; k++)
        print_message("%s, %s: %zu rows %.2f %% (steps %.2f %%), held out %zu rows %.2f %% (steps "
                      "%.2f %%), R2 %.5f\n",
                      gpu, mr_profile_fit_name(k), fit.fitted[k].n, 100 * fit.fitted[k].mean,
                      100 * fit.fitted[k].step_mean, fit.held_out[k].n, 100 * fit.held_out[k].mean,
                      100 * fit.held_out[k].step_mean, fit.r2[k]);
    print_message("%s, dense %.2f %%, mixed kv %.2f x decode kv\n", gpu, 100 * fit.dense_error,
                  fit.card.mixed_kv_s / fit.card.decode_kv_s);
    assert_true(fit.r2[MR_PROFILE_REGIME_DECODE] > 0.999);
    assert_true(fit.card.mixed_kv_s > 1.5 * fit.card.decode_kv_s &&
                fit.card.mixed_kv_s < 4 * fit.card.decode_kv_s);
    assert_true(fit.dense_error < 0.05 && fit.held_out[MR_PROFILE_REGIME_HEAD].mean < 0.05);
    assert_true(fit.card.error_frac > 0 && fit.card.error_frac < 0.15);
    /* a step of one decode reads the weights, 16 GB, at most at the memory's rate */
    struct mr_profile *p;
    assert_int_equal(mr_profile_create(&fit.card, fit.point, fit.n_point, &p, &err), MR_OK);
    const double one_s = mr_profile_time(p, &(struct mr_batch){.n_decode = 1, .kv_tokens = 100});
    assert_true(one_s > 8e-3 && one_s < 25e-3);
    mr_profile_destroy(p);
    mr_profile_fit_fini(&fit);
}

MR_TEST(recorded_rtx4090)
{
    check_recorded("rtx4090_llama8b");
}

MR_TEST(recorded_rtxpro6000)
{
    check_recorded("rtxpro6000_llama8b");
}

MR_TEST_MAIN(MR_TEST_ENTRY(five_constants_by_hand), MR_TEST_ENTRY(five_constants_to_the_bit),
             MR_TEST_ENTRY(table_at_between_and_past_its_points), MR_TEST_ENTRY(regimes_by_hand),
             MR_TEST_ENTRY(a_leap_is_the_sum_of_its_steps), MR_TEST_ENTRY(cards_and_their_points),
             MR_TEST_ENTRY(impossible_cards_are_refused),
             MR_TEST_ENTRY(a_fit_finds_what_made_its_data),
             MR_TEST_ENTRY(every_allocation_may_fail),
             MR_TEST_ENTRY(impossible_folders_are_refused), MR_TEST_ENTRY(notes_name_the_model),
             MR_TEST_ENTRY(no_coefficient_is_negative), MR_TEST_ENTRY(recorded_rtx4090),
             MR_TEST_ENTRY(recorded_rtxpro6000))
