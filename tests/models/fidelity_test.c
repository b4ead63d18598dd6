/* SPDX-License-Identifier: Apache-2.0 */
/* models/measured, steady, fidelity, calibrate: rows as they are written, what becomes of those
 * that cannot be used, steady states against arithmetic, and a fit that finds what rows were made
 * with. */
#include "engine/base/mem.h"
#include "models/calibrate.h"
#include "tests/test.h"

#include <math.h>

#define HEADER                                                                        \
    "id,system,model,backend,mode,precision,isl,osl,concurrency,tp_size,moe_ep_size," \
    "prefill_num_workers,decode_num_workers,prefill_tp_size,decode_tp_size,mtp,ttft_ms,tpot_ms\n"

struct rows {
    struct mr_shelf *shelf;
    struct mr_measured set;
};

static void read_rows(const char *text, struct rows *r)
{
    struct mr_err err = {0};
    *r = (struct rows){0};
    const char *path = mr_test_write("rows.csv", text, strlen(text));
    assert_int_equal(mr_shelf_create(&r->shelf, &err), MR_OK);
    if (mr_measured_read(path, r->shelf, &r->set, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static void discard(struct rows *r)
{
    mr_measured_fini(&r->set);
    mr_shelf_destroy(r->shelf);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(rows_and_their_fates)
{
    struct rows r;
    read_rows(
        HEADER
        "a,h100_sxm,meta-llama/Llama-3.1-70B,vllm,agg,fp8,1024,512,8,4,,,,,,,100,20\n"
        "b,h100_sxm,meta-llama/Llama-3.1-70B,vllm,agg,fp8,1024,512,8,8,,,,,,,100.00000000001,20\n"
        "c,h100_sxm,nobody/Unknown-1B,vllm,agg,fp8,1024,512,8,1,,,,,,,100,21\n"
        "d,quantum9,meta-llama/Llama-3.1-70B,vllm,agg,fp8,1024,512,8,4,,,,,,,100,22\n"
        "e,h100_sxm,meta-llama/Llama-3.1-70B,vllm,agg,fp8,1024,512,,4,,,,,,,100,23\n"
        "f,h100_sxm,deepseek-ai/DeepSeek-R1,vllm,agg,fp8,1024,512,8,1,,,,,,,100,24\n"
        "g,gb200,nvidia/DeepSeek-V3.1-NVFP4,trtllm,disagg,fp4,1024,512,64,,,2,1,4,8,3,100,25\n"
        "h,b200_sxm,openai/gpt-oss-120b,trtllm,agg,fp4,1024,512,64,2,,,,,,,100,26\n",
        &r);
    static const int fates[] = {MR_MEASURED_FATE_GOOD,    MR_MEASURED_FATE_DUPLICATE,
                                MR_MEASURED_FATE_NO_LLM,  MR_MEASURED_FATE_NO_GPU,
                                MR_MEASURED_FATE_NO_LOAD, MR_MEASURED_FATE_FIT,
                                MR_MEASURED_FATE_GOOD,    MR_MEASURED_FATE_GOOD};
    assert_int_equal(r.set.n, 8);
    for (size_t i = 0; i < r.set.n; i++)
        if (r.set.row[i].fate != fates[i])
            fail_msg("row %zu: %s", i, mr_measured_fate_name(r.set.row[i].fate));
    const struct mr_measured_row *split = &r.set.row[6], *oss = &r.set.row[7];
    assert_string_equal(split->llm_id, "DeepSeek-R1"); /* an alias */
    assert_true(split->is_split && split->knows_workers && split->knows_drafts);
    assert_true(split->n_prefill == 2 && split->n_draft == 3);
    assert_true(split->prefill.tp == 4 && split->decode.tp == 8);
    assert_int_equal(split->dense_format, MR_FORMAT_FP8); /* latents keep eight bits */
    assert_int_equal(split->expert_format, MR_FORMAT_NVFP4);
    assert_int_equal(oss->dense_format, MR_FORMAT_BF16); /* as published */
    assert_int_equal(oss->expert_format, MR_FORMAT_MXFP4);
    assert_true(oss->mixed.tp == 2 && oss->mixed.ep == 1 && oss->mixed.moe_tp == 2);
    assert_true(!oss->knows_drafts && oss->kv_element_bytes > 0);
    discard(&r);
}

/* One measurement under several ids counts once: times that agree to the last digit but one, the
 * same system, shape, load and mode; anything else is a measurement of its own. Of twins the one
 * with worker counts is scored. */
MR_TEST(twins_count_once)
{
    struct rows r;
    read_rows(
        HEADER
        "a,gb200,deepseek-ai/DeepSeek-V3,trtllm,disagg,fp8,1024,512,64,,,,,8,8,0,100,25\n"
        "b,gb200,deepseek-ai/DeepSeek-R1,trtllm,disagg,fp8,1024,512,64,,,2,1,8,8,0,100,"
        "25.000000000000004\n"
        "c,gb200,deepseek-ai/DeepSeek-R1,trtllm,disagg,fp8,1024,512,64,,,,,8,8,0,100,25\n"
        "d,gb200,deepseek-ai/DeepSeek-R1,trtllm,disagg,fp8,1024,512,32,,,2,1,8,8,0,100,25\n"
        "e,gb300,deepseek-ai/DeepSeek-R1,trtllm,disagg,fp8,1024,512,64,,,2,1,8,8,0,100,25\n"
        "f,gb200,deepseek-ai/DeepSeek-R1,trtllm,disagg,fp8,1024,256,64,,,2,1,8,8,0,100,25\n"
        "g,gb200,Qwen/Qwen3-235B-A22B,trtllm,disagg,fp8,1024,512,64,,,2,1,8,8,0,100,25\n"
        "h,gb200,deepseek-ai/DeepSeek-R1,trtllm,disagg,fp8,1024,512,64,,,2,1,8,8,0,100,25.00001\n",
        &r);
    static const bool is_twin[] = {true, false, true, false, false, false, false, false};
    for (size_t i = 0; i < r.set.n; i++)
        if ((r.set.row[i].fate == MR_MEASURED_FATE_DUPLICATE) != is_twin[i])
            fail_msg("row %zu: %s", i, mr_measured_fate_name(r.set.row[i].fate));
    assert_int_equal(r.set.n_fate[MR_MEASURED_FATE_DUPLICATE], 2);
    assert_int_equal(r.set.n_fate[MR_MEASURED_FATE_GOOD], 6);
    discard(&r);
}

/* What cannot be represented is counted under its reason, and none of it takes long. */
MR_TEST(rows_that_cannot_be_are_counted_by_reason)
{
    static const struct {
        const char *row;
        int fate;
    } cases[] = {
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,8,1,1,0,64", MR_MEASURED_FATE_GOOD},
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,8,-5,1,0,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,8,0,1,0,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,8,1.5,1,0,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,8,1e300,1,0,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,-8,1,1,0,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,1e12,1,1,0,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,1e12,512,8,1,1,0,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,12345678901234567890,512,8,1,1,0,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,1e308,1e308,8,1,1,0,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,8,1,1,-3,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,8,1,1,1000,64", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,8,1,1,0,-8", MR_MEASURED_FATE_COUNT},
        {"h100_sxm,Llama-3.1-8B,int3,1024,512,8,1,1,0,64", MR_MEASURED_FATE_FORMAT},
        {"h100_sxm,Llama-3.1-8B,w4a16,1024,512,8,1,1,0,64", MR_MEASURED_FATE_FORMAT},
        {"h100_sxm,Llama-3.1-8B,fp8,131072,1,8,1,1,0,64", MR_MEASURED_FATE_LONG},
        {"h100_sxm,Llama-3.1-8B,fp8,1024,512,8,64,1,0,64", MR_MEASURED_FATE_LAYOUT},
        {"h100_sxm,DeepSeek-R1,fp8,1024,512,8,1,1,0,64", MR_MEASURED_FATE_FIT},
        {"h100_sxm,Llama-3.1-8B,,1024,512,8,1,1,,", MR_MEASURED_FATE_GOOD},
        {"b200_sxm,nvidia/DeepSeek-R1-NVFP4,,1024,512,8,8,8,,", MR_MEASURED_FATE_GOOD},
        {"b200_sxm,deepseek-ai/DeepSeek-R1,,1024,512,8,8,8,,", MR_MEASURED_FATE_GOOD},
    };
    struct rows r;
    struct mr_buf text = {0};
    const size_t n = sizeof cases / sizeof *cases;
    mr_buf_text(&text, "system,model,precision,isl,osl,concurrency,tp_size,moe_ep_size,mtp,"
                       "max_num_seqs,ttft_ms,tpot_ms\n");
    for (size_t i = 0; i < n; i++)
        mr_buf_printf(&text, "%s,%zu,20\n", cases[i].row, 100 + i);
    read_rows(text.text, &r);
    mr_buf_fini(&text);
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        if (r.set.row[i].fate != cases[i].fate)
            fail_msg("%s: %s", cases[i].row, mr_measured_fate_name(r.set.row[i].fate));
    for (int f = 0; f < MR_MEASURED_FATES; f++)
        sum += r.set.n_fate[f];
    assert_int_equal(sum, n);
    /* a blank precision is that of the files, not BF16 for all */
    assert_int_equal(r.set.row[n - 3].dense_format, MR_FORMAT_BF16);
    assert_int_equal(r.set.row[n - 2].expert_format, MR_FORMAT_NVFP4);
    assert_int_equal(r.set.row[n - 1].expert_format, MR_FORMAT_FP8);
    assert_int_equal(r.set.row[n - 1].dense_format, MR_FORMAT_FP8);
    discard(&r);
}

MR_TEST(files_that_are_none)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"id,model,isl,osl,concurrency,ttft_ms,tpot_ms\n", "no column system"},
        {"system,isl,osl,concurrency,ttft_ms,tpot_ms\n", "no column model or model_path"},
        {"system,model,isl,osl,concurrency,ttft_ms\n", "no column tpot_ms"},
        {"system,model,isl,osl,ttft_ms,tpot_ms\n", "no column concurrency or batch_size"},
        {"system,model,isl,osl,concurrency,ttft_ms,tpot_ms\nh100_sxm,x,5,9,1,-1,1\n",
         "must be above 0"},
        {"system,model,isl,osl,concurrency,ttft_ms,tpot_ms,mode\nh100_sxm,x,5,9,1,1,1,zzz\n",
         "must be agg, disagg or blank"},
        {"system,model,isl,osl,concurrency,ttft_ms,tpot_ms\n", "a header without rows"},
        {"system,model,isl,osl,concurrency,ttft_ms,tpot_ms,protocol\nh100_sxm,x,5,9,1,1,1,open\n",
         "must be closed, burst, poisson"},
        {"system,model,isl,osl,concurrency,ttft_ms,tpot_ms\nh100_sxm,x,five,9,1,1,1\n", "number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_err err = {0};
        struct mr_measured set = {0};
        struct mr_shelf *shelf;
        const char *path = mr_test_write("bad.csv", cases[i].text, strlen(cases[i].text));
        assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
        assert_true(mr_measured_read(path, shelf, &set, &err) != MR_OK);
        mr_assert_contains(err.text, cases[i].part);
        mr_measured_fini(&set);
        mr_shelf_destroy(shelf);
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* One request alone: no others' prefill; its first token waits for its own. */
MR_TEST(a_single_request_waits_for_nobody)
{
    struct rows r;
    struct mr_software_card software;
    struct mr_steady one, many;
    mr_software_defaults(&software);
    read_rows(HEADER "a,h100_sxm,Llama-3.1-8B,vllm,agg,,1024,512,1,1,,,,,,,100,20\n"
                     "b,h100_sxm,Llama-3.1-8B,vllm,agg,,1024,512,64,1,,,,,,,101,20\n",
              &r);
    assert_int_equal(mr_fidelity_predict(&r.set.row[0], &software, 0, &one, NULL), MR_OK);
    assert_int_equal(mr_fidelity_predict(&r.set.row[1], &software, 0, &many, NULL), MR_OK);
    mr_assert_near(one.tpot_s, one.decode_s, 1e-12, 0);
    mr_assert_near(one.ttft_s, one.prefill_s + one.decode_s, 0.3, 0);
    assert_true(many.tpot_s > one.tpot_s && many.ttft_s > one.ttft_s);
    assert_true(many.n_decode <= 64 && many.n_decode > 32);
    discard(&r);
}

/* A prefill instance in demand fills its steps with prompts: what limits the rate, and so the
 * number that decode, is the time of a full step. */
MR_TEST(prompts_in_demand_share_a_step)
{
    struct rows r;
    struct mr_software_card software;
    struct mr_steady single, full, slow;
    struct mr_step_terms alone, eight;
    mr_software_defaults(&software);
    read_rows(HEADER "a,gb200,DeepSeek-R1,trtllm,disagg,fp4,1024,512,4096,,,1,4,4,8,0,100,20\n",
              &r);
    const struct mr_measured_row *row = &r.set.row[0];
    assert_int_equal(row->fate, MR_MEASURED_FATE_GOOD);
    const struct mr_step_setup setup = {.gpu = row->gpu,
                                        .llm = row->llm,
                                        .software = &software,
                                        .parallel = row->prefill,
                                        .dense_format = row->dense_format,
                                        .expert_format = row->expert_format,
                                        .kv_element_bytes = row->kv_element_bytes};
    mr_step_terms(&setup,
                  &(struct mr_batch){.chunk_tokens = 1024,
                                     .chunk_pairs = 1024 * 512,
                                     .chunk_kv_tokens = 1024,
                                     .n_prompt_end = 1},
                  1, &alone);
    mr_step_terms(&setup,
                  &(struct mr_batch){.chunk_tokens = 8192,
                                     .chunk_pairs = 8 * 1024 * 512,
                                     .chunk_kv_tokens = 8192,
                                     .n_prompt_end = 8},
                  1, &eight);
    software.chunk_tokens = 1024;
    assert_int_equal(mr_fidelity_predict(row, &software, 0, &single, NULL), MR_OK);
    software.chunk_tokens = 8192;
    assert_int_equal(mr_fidelity_predict(row, &software, 0, &full, NULL), MR_OK);
    assert_true(single.prefill_s == alone.time_s && full.prefill_s == alone.time_s);
    assert_true(4 * full.n_decode < 4096 && full.n_decode > 1.2 * single.n_decode);
    mr_assert_near(4 * single.n_decode / (512 * single.tpot_s), 1 / alone.time_s, 0.02, 0);
    mr_assert_near(4 * full.n_decode / (512 * full.tpot_s), 8 / eight.time_s, 0.02, 0);
    /* launches of every layer stand before a first token, not in a step */
    software.prefill_layer_s = 1e-3;
    assert_int_equal(mr_fidelity_predict(row, &software, 0, &slow, NULL), MR_OK);
    mr_assert_near(slow.ttft_s - full.ttft_s, 61e-3, 1e-9, 0);
    assert_true(slow.tpot_s == full.tpot_s);
    discard(&r);
}

/* The protocol moves the first token, blocks the batch, accepted drafts the pace. */
MR_TEST(optional_columns_count)
{
    static const char *const rows[] = {",,,",          ",,,closed",     ",,,burst",    ",,,poisson",
                                       ",,100,closed", "3,2.5,,closed", "3,2,,closed", "3,4.5,,",
                                       ",2,,",         ",,0.5,"};
    struct rows r;
    struct mr_buf text = {0};
    struct mr_software_card software;
    struct mr_steady said[7];
    mr_software_defaults(&software);
    mr_buf_text(&text, "system,model,precision,isl,osl,concurrency,tp_size,mtp,accepted,"
                       "num_gpu_blocks,protocol,ttft_ms,tpot_ms,colour,Mtp\n");
    for (size_t i = 0; i < 10; i++)
        mr_buf_printf(&text, "h100_sxm,Llama-3.1-8B,fp8,1024,512,64,1,%s,%zu,20,red,\n", rows[i],
                      100 + i);
    read_rows(text.text, &r);
    mr_buf_fini(&text);
    assert_string_equal(r.set.strange, "colour, Mtp");
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(r.set.row[i].fate, i < 7 ? MR_MEASURED_FATE_GOOD : MR_MEASURED_FATE_COUNT);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(
            mr_fidelity_predict(&r.set.row[i], &software, r.set.row[i].n_draft, &said[i], NULL),
            MR_OK);
    assert_true(said[0].ttft_s == said[1].ttft_s && said[0].tpot_s == said[1].tpot_s);
    assert_true(said[2].ttft_s > said[1].ttft_s && said[1].ttft_s > said[3].ttft_s);
    assert_true(said[2].tpot_s == said[1].tpot_s);
    /* 100 blocks of 16 tokens: one request of 1,536 at a time */
    assert_true(said[4].n_fit == 1 && said[4].ttft_s > said[1].ttft_s);
    mr_assert_near(said[6].decode_s / said[5].decode_s, 2.5 / 2, 0.02, 0);
    discard(&r);
}

/* Rows made by the model itself with other figures: the fit finds its way back to the times. */
MR_TEST(a_fit_explains_rows_it_has_not_seen)
{
    struct rows r;
    struct mr_buf text = {0};
    struct mr_software_card truth;
    struct mr_calibrate_result result;
    struct mr_err err = {0};
    mr_buf_text(&text, HEADER);
    for (int i = 0; i < 120; i++)
        mr_buf_printf(&text, "r%d,%s,%s,vllm,agg,fp8,%d,%d,%d,%d,,,,,,,%d,%d\n", i,
                      i % 2 ? "h200_sxm" : "h100_sxm", i % 3 ? "Llama-3.1-8B" : "Llama-3.1-70B",
                      i % 5 ? 1024 : 4096, i % 7 ? 512 : 128, 1 << (i % 8), i % 3 ? 1 : 4, 1 + i,
                      1000 + i);
    read_rows(text.text, &r);
    mr_buf_fini(&text);
    mr_software_defaults(&truth);
    truth.host_s = 4e-3;
    truth.memory_frac = 0.7;
    truth.reduce_s = 15e-6;
    for (size_t i = 0; i < r.set.n; i++) {
        struct mr_steady said;
        assert_int_equal(mr_fidelity_predict(&r.set.row[i], &truth, 0, &said, NULL), MR_OK);
        r.set.row[i].tpot_s = said.tpot_s;
        r.set.row[i].ttft_s = said.ttft_s;
    }
    assert_int_equal(
        mr_calibrate_rows(&r.set, &(struct mr_calibrate_options){.backend = "vllm"}, &result, &err),
        MR_OK);
    assert_true(result.n_held_out > 20 && result.n_row > 20);
    for (size_t i = 0; i < r.set.n; i++) {
        struct mr_steady said;
        assert_int_equal(mr_fidelity_predict(&r.set.row[i], &result.card, 0, &said, NULL), MR_OK);
        mr_assert_near(said.tpot_s, r.set.row[i].tpot_s, 0.1, 0); /* held out or not */
    }
    /* chosen rows only, from a start that is right already: it stays there */
    bool uses[120] = {false};
    for (int i = 0; i < 8; i++)
        uses[11 * i] = true;
    assert_int_equal(
        mr_calibrate_rows(&r.set, &(struct mr_calibrate_options){.uses = uses, .start = &truth},
                          &result, &err),
        MR_OK);
    assert_int_equal(result.n_row, 8);
    assert_true(result.cost_after < 1e-3);
    assert_int_equal(
        mr_calibrate_rows(&r.set, &(struct mr_calibrate_options){.backend = "none"}, &result, &err),
        MR_RANGE);
    mr_assert_contains(err.text, "0 rows of none to fit, at least 8 are needed");
    discard(&r);
}

/* Median, mean and p90 of errors that are known: 10 rows off by 1 % to 10 %. */
MR_TEST(statistics_of_known_errors)
{
    struct rows r;
    struct mr_buf text = {0};
    struct mr_fidelity_case cases[10] = {0};
    double scratch[10];
    mr_buf_text(&text, HEADER);
    for (int i = 1; i <= 10; i++)
        mr_buf_printf(&text, "r%d,h100_sxm,Llama-3.1-8B,vllm,agg,fp8,1024,512,8,1,,,,,,,%d,%d\n", i,
                      100 + i, 1000);
    read_rows(text.text, &r);
    mr_buf_fini(&text);
    for (int i = 0; i < 10; i++)
        cases[i] = (struct mr_fidelity_case){
            .is_scored = true, .is_clean = true, .plain.tpot_s = 1 + 0.01 * (i + 1)};
    cases[9].plain.tpot_s = 1.5;
    const struct mr_fidelity_stat s = mr_fidelity_stat_of(
        &r.set, cases, &(struct mr_fidelity_filter){.score = MR_FIDELITY_SCORE_TPOT_MIXED},
        scratch);
    assert_int_equal(s.n, 10);
    mr_assert_near(s.median, 0.06, 1e-9, 0);
    mr_assert_near(s.p90, 0.5, 1e-9, 0);
    mr_assert_near(s.mean, (0.45 + 0.5) / 10, 1e-9, 0);
    mr_assert_near(s.bias, 0.06, 1e-9, 0);
    mr_assert_near(s.near_frac, 0.9, 1e-9, 0);
    discard(&r);
}

/* The public collection: golden counts, and errors that a regression would move. */
MR_TEST(the_public_collection)
{
    const char *path = mr_test_data("silicon/silicon_calibration.csv");
    struct mr_shelf *shelf;
    struct mr_measured set = {0};
    struct mr_err err = {0};
    double ttft_ms = 0, tpot_ms = 0;
    if (path == NULL)
        skip();
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    if (mr_measured_read(path, shelf, &set, &err) != MR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(set.n, 2698);
    for (size_t i = 0; i < set.n; i++) {
        ttft_ms += set.row[i].ttft_s * 1e3;
        tpot_ms += set.row[i].tpot_s * 1e3;
    }
    mr_assert_near(ttft_ms, 9130813.621, 1e-9, 0);
    mr_assert_near(tpot_ms, 49522.3325, 1e-9, 0);
    assert_int_equal(set.n_fate[MR_MEASURED_FATE_NO_LLM] + set.n_fate[MR_MEASURED_FATE_NO_GPU], 0);
    assert_int_equal(set.n_fate[MR_MEASURED_FATE_DUPLICATE], 2698 - 2061);
    assert_true(set.n_fate[MR_MEASURED_FATE_GOOD] > 1900);
    mr_measured_fini(&set);
    mr_shelf_destroy(shelf);
}

MR_TEST_MAIN(MR_TEST_ENTRY(rows_and_their_fates), MR_TEST_ENTRY(twins_count_once),
             MR_TEST_ENTRY(rows_that_cannot_be_are_counted_by_reason),
             MR_TEST_ENTRY(files_that_are_none), MR_TEST_ENTRY(a_single_request_waits_for_nobody),
             MR_TEST_ENTRY(prompts_in_demand_share_a_step), MR_TEST_ENTRY(optional_columns_count),
             MR_TEST_ENTRY(a_fit_explains_rows_it_has_not_seen),
             MR_TEST_ENTRY(statistics_of_known_errors), MR_TEST_ENTRY(the_public_collection))
