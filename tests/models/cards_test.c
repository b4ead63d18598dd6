/* SPDX-License-Identifier: Apache-2.0 */
/* models: every shipped card, the fact tables they are written from, arithmetic that follows from
 * them, and cards that cannot be. */
#include "engine/base/csv.h"
#include "engine/base/shelf.h"
#include "engine/base/xml.h"
#include "models/cpu.h"
#include "models/gpu.h"
#include "models/llm.h"
#include "models/lpu.h"
#include "models/nic.h"
#include "models/optic.h"
#include "models/power.h"
#include "models/profile.h"
#include "models/software.h"
#include "tests/test.h"

static const struct {
    const struct mr_card_kind *kind;
    size_t n_min;
} kinds[] = {{&mr_gpu_kind, 15},    {&mr_lpu_kind, 3},     {&mr_cpu_kind, 4},
             {&mr_nic_kind, 7},     {&mr_llm_kind, 24},    {&mr_optic_kind, 2},
             {&mr_profile_kind, 1}, {&mr_software_kind, 4}};

enum {
    n_kind = sizeof kinds / sizeof *kinds
};

static struct mr_shelf *shelf;

static const struct mr_card *card_of(const struct mr_card_kind *kind, const char *id)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    char line[1024];
    setenv("MILLRACE_PATH", MR_SOURCE_DIR, 1);
    if (shelf == NULL)
        assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    const struct mr_card *card = mr_shelf_card(shelf, kind, id, MR_NOWHERE, &diags);
    if (card == NULL || diags.n_item > 0) {
        mr_diag_print(&diags.item[0], line, sizeof line);
        fail_msg("%s", line);
    }
    return card;
}

static const struct mr_gpu_card *gpu(const char *id)
{
    return mr_gpu_of(card_of(&mr_gpu_kind, id));
}

static const struct mr_llm_card *llm(const char *id)
{
    return mr_llm_of(card_of(&mr_llm_kind, id));
}

static void close_shelf(void)
{
    mr_shelf_destroy(shelf);
    shelf = NULL;
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* ---- every card ---- */

static void check_sources(const struct mr_card *card, const struct mr_xml_node *sources)
{
    for (size_t i = 0; i < card->kind->table->n; i++) {
        const char *key = card->figure[i].source;
        while (*key != '\0') {
            const size_t n = strcspn(key, " ");
            const struct mr_xml_node *source = mr_xml_child(sources, "source");
            while (source != NULL &&
                   !mr_str_is((struct mr_str){key, n}, mr_xml_value(source, "key")))
                source = mr_xml_next(source, "source");
            if (source == NULL)
                fail_msg("%s: source \"%.*s\" of %s is not in sources.xml", card->path, (int)n, key,
                         card->kind->table->row[i].name);
            key += n + strspn(key + n, " ");
        }
        assert_int_equal(
            card->figure[i].line == 0 || card->figure[i].confidence == MR_CONFIDENCE_ASSUMPTION,
            card->figure[i].line == 0 || strcmp(card->figure[i].source, "unsourced") == 0);
    }
}

MR_TEST(every_card_loads_and_names_known_sources)
{
    struct mr_xml_doc *doc;
    struct mr_err err = {0};
    struct mr_shelf_list all = {0};
    size_t n = 0;
    setenv("MILLRACE_PATH", MR_SOURCE_DIR, 1);
    assert_int_equal(mr_xml_load(MR_SOURCE_DIR "/platforms/sources.xml", NULL, &doc, &err), MR_OK);
    const struct mr_xml_node *sources = mr_xml_root(doc);
    for (const struct mr_xml_node *a = mr_xml_child(sources, "source"); a != NULL;
         a = mr_xml_next(a, "source"))
        for (const struct mr_xml_node *b = mr_xml_next(a, "source"); b != NULL;
             b = mr_xml_next(b, "source"))
            assert_string_not_equal(mr_xml_value(a, "key"), mr_xml_value(b, "key"));
    for (size_t k = 0; k < n_kind; k++) {
        struct mr_shelf_list list = {0};
        assert_int_equal(mr_shelf_list_add(&list, kinds[k].kind, NULL, &err), MR_OK);
        assert_int_equal(mr_shelf_list_add(&all, kinds[k].kind, NULL, &err), MR_OK);
        assert_true(list.n >= kinds[k].n_min);
        n += list.n;
        for (size_t i = 0; i < list.n; i++)
            check_sources(card_of(kinds[k].kind, list.id[i]), sources);
        mr_shelf_list_fini(&list);
    }
    assert_int_equal(all.n, n); /* an id names one card, whatever its kind */
    mr_shelf_list_fini(&all);
    mr_xml_destroy(doc);
    close_shelf();
}

/* ---- against the fact tables ---- */

struct facts {
    struct mr_csv *csv;
    bool has_row;
};

static struct facts open_facts(const char *name)
{
    char path[64];
    struct facts facts = {0};
    struct mr_err err = {0};
    snprintf(path, sizeof path, "../facts/%s", name);
    const char *found = mr_test_data(path);
    if (found == NULL)
        mr_test_skip("facts/%s is not beside MILLRACE_DATA", name);
    assert_int_equal(mr_csv_open(found, NULL, &facts.csv, &err), MR_OK);
    return facts;
}

static bool next_row(struct facts *facts)
{
    struct mr_err err = {0};
    assert_int_equal(mr_csv_next(facts->csv, &facts->has_row, &err), MR_OK);
    return facts->has_row;
}

static struct mr_str cell(const struct facts *facts, const char *column)
{
    size_t i;
    struct mr_err err = {0};
    assert_int_equal(mr_csv_column(facts->csv, column, &i, &err), MR_OK);
    return mr_csv_field(facts->csv, i);
}

/* @return NAN where the cell is empty */
static double number(const struct facts *facts, const char *column)
{
    size_t i;
    double value = (double)NAN;
    struct mr_err err = {0};
    assert_int_equal(mr_csv_column(facts->csv, column, &i, &err), MR_OK);
    if (mr_csv_field(facts->csv, i).n > 0)
        assert_int_equal(mr_csv_f64(facts->csv, i, &value, &err), MR_OK);
    return value;
}

/* The id: the cell up to the first end mark. */
static const char *id_of(const struct facts *facts, const char *column, const char *end,
                         char id[64])
{
    const struct mr_str text = cell(facts, column);
    size_t n = 0;
    while (n < text.n && n < 63 && strchr(end, text.p[n]) == NULL) {
        id[n] = text.p[n];
        n++;
    }
    id[n] = '\0';
    return id;
}

static bool is_named(const struct facts *facts, const char *column, const char *name)
{
    const size_t i = mr_csv_find_column(facts->csv, column);
    if (i >= mr_csv_n_column(facts->csv))
        return false;
    struct mr_str list = mr_csv_field(facts->csv, i);
    while (list.n > 0) {
        size_t n = 0;
        while (n < list.n && list.p[n] != ';')
            n++;
        if (mr_str_is((struct mr_str){list.p, n}, name))
            return true;
        list.p += n < list.n ? n + 1 : n;
        list.n -= n < list.n ? n + 1 : n;
    }
    return false;
}

/* A figure and its cell: same value, and the confidence of the row unless the cell is downgraded.
 */
static void same(const struct facts *facts, const struct mr_card *card, const char *figure,
                 const char *column, double unit)
{
    const double fact = number(facts, column) * unit;
    const size_t i = mr_param_find(card->kind->table, mr_str_of(figure));
    assert_true(i < card->kind->table->n);
    const struct mr_param *row = &card->kind->table->row[i];
    const void *field = (const char *)card->object + row->offset;
    const double value =
        row->kind == MR_PARAM_COUNT ? (double)*(const uint64_t *)field : *(const double *)field;
    if (isnan(fact) || (fact == 0 && card->figure[i].line == 0))
        return;
    mr_test_near(value, fact, 1e-12, 0, figure, card->path, card->figure[i].line);
    const char *confidence = mr_card_confidence_name(card->figure[i].confidence);
    if (is_named(facts, "assumed_fields", column))
        assert_string_equal(confidence, "assumption");
    else if (is_named(facts, "press_fields", column))
        assert_string_equal(confidence, "press");
    else if (!mr_str_is(cell(facts, "confidence"), confidence))
        fail_msg("%s: %s is called %s", card->path, figure, confidence);
}

MR_TEST(gpus_as_in_the_fact_table)
{
    struct facts facts = open_facts("gpus.csv");
    size_t n = 0;
    char id[64];
    while (next_row(&facts)) {
        const struct mr_card *card = card_of(&mr_gpu_kind, id_of(&facts, "id", "", id));
        same(&facts, card, "fp4", "fp4_dense_pflops", 1e15);
        same(&facts, card, "fp8", "fp8_dense_pflops", 1e15);
        same(&facts, card, "bf16", "bf16_dense_pflops", 1e15);
        same(&facts, card, "memory", "mem_gb", 1e9);
        same(&facts, card, "memory.bandwidth", "mem_bw_tb_s", 1e12);
        same(&facts, card, "nvlink.generation", "nvlink_gen", 1);
        same(&facts, card, "nvlink.packages", "nvlink_domain_gpus", 1);
        same(&facts, card, "nvlink.bandwidth", "nvlink_uni_gb_s", 1e9);
        same(&facts, card, "scaleout.bandwidth", "scaleout_uni_gb_s", 1e9);
        same(&facts, card, "power.max_p", "tdp_w_maxp", 1);
        same(&facts, card, "power.max_q", "tdp_w_maxq", 1);
        n++;
    }
    assert_int_equal(n, 15);
    mr_csv_close(facts.csv);
    close_shelf();
}

MR_TEST(cpus_and_nics_as_in_the_fact_tables)
{
    struct facts facts = open_facts("cpus.csv");
    char id[64];
    while (next_row(&facts)) {
        const struct mr_card *card = card_of(&mr_cpu_kind, id_of(&facts, "id", "", id));
        same(&facts, card, "cores", "cores", 1);
        same(&facts, card, "threads", "threads", 1);
        same(&facts, card, "memory", "mem_gb", 1e9);
        same(&facts, card, "memory.bandwidth", "mem_bw_gb_s", 1e9);
        same(&facts, card, "c2c.bandwidth", "c2c_uni_gb_s", 1e9);
        same(&facts, card, "power.min", "tdp_w_min", 1);
        same(&facts, card, "power.max", "tdp_w_max", 1);
    }
    mr_csv_close(facts.csv);
    facts = open_facts("fabric.csv");
    size_t n = 0;
    while (next_row(&facts)) {
        if (!mr_str_is(cell(&facts, "kind"), "NIC") && !mr_str_is(cell(&facts, "kind"), "DPU"))
            continue;
        const struct mr_card *card = card_of(&mr_nic_kind, id_of(&facts, "id", "", id));
        same(&facts, card, "generation", "generation", 1);
        same(&facts, card, "ports", "ports", 1);
        same(&facts, card, "port.bandwidth", "port_uni_gb_s", 1e9);
        same(&facts, card, "latency", "latency_us", 1e-6);
        same(&facts, card, "power", "power_w", 1);
        n++;
    }
    assert_int_equal(n, 7);
    mr_csv_close(facts.csv);
    close_shelf();
}

MR_TEST(llms_as_in_the_fact_table)
{
    static const char *const columns[][2] = {{"layers", "layers"},
                                             {"hidden", "hidden"},
                                             {"heads", "heads"},
                                             {"kv_heads", "kv_heads"},
                                             {"head_dim", "head_dim"},
                                             {"experts", "experts"},
                                             {"experts.active", "topk"},
                                             {"experts.shared", "shared_experts"},
                                             {"experts.inner", "moe_inter"},
                                             {"dense.first", "first_dense_layers"},
                                             {"vocabulary", "vocab"},
                                             {"context", "max_context"},
                                             {"parameters", "total_params"},
                                             {"parameters.active", "active_params"},
                                             {"kv.layers", "kv_layers"},
                                             {"kv.elements", "kv_elems_per_token"},
                                             {"kv.indexer", "indexer_bytes_per_token"},
                                             {"window.elements", "fixed_kv_elems_per_seq"},
                                             {"state", "state_bytes_per_seq"}};
    struct facts facts = open_facts("models.csv");
    size_t n = 0;
    char id[64];
    while (next_row(&facts)) {
        if (cell(&facts, "layers").n == 0)
            continue;
        const struct mr_card *card = card_of(&mr_llm_kind, id_of(&facts, "model", "/( ", id));
        const struct mr_llm_card *shape = mr_llm_of(card);
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            same(&facts, card, columns[i][0], columns[i][1], 1);
        for (int k = 0; k < MR_LLM_DRAFTS; k++) {
            char column[] = "mtp_al_k1";
            column[sizeof column - 2] = (char)('1' + k);
            const double fact = number(&facts, column);
            assert_true(shape->accepted[k] == (isnan(fact) ? 0 : fact));
        }
        /* bytes of a token, to the bit */
        const double index = number(&facts, "indexer_bytes_per_token");
        assert_true(mr_llm_token_bytes(shape, 2) ==
                    number(&facts, "kv_bytes_per_token_bf16") + index);
        assert_true(mr_llm_token_bytes(shape, 1) ==
                    number(&facts, "kv_bytes_per_token_fp8") + index);
        n++;
    }
    assert_int_equal(n, 23);
    mr_csv_close(facts.csv);
    close_shelf();
}

/* ---- known numbers ---- */

MR_TEST(bytes_of_a_token)
{
    static const struct {
        const char *id;
        double bf16, fixed_bf16, state;
    } golden[] = {
        {"Llama-3.1-8B", 131072, 0, 0},      {"Llama-3.1-70B", 327680, 0, 0},
        {"Llama-3.1-405B", 516096, 0, 0},    {"DeepSeek-R1", 70272, 0, 0},
        {"gpt-oss-120b", 36864, 4718592, 0}, {"Nemotron-3-Nano-30B-A3B", 6144, 0, 49082368}};
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        const struct mr_llm_card *card = llm(golden[i].id);
        assert_true(mr_llm_token_bytes(card, 2) == golden[i].bf16);
        assert_true(mr_llm_token_bytes(card, 1) == golden[i].bf16 / 2);
        assert_true(mr_llm_sequence_bytes(card, 2, 0) == golden[i].fixed_bf16 + golden[i].state);
        assert_true(mr_llm_sequence_bytes(card, 2, 100) ==
                    100 * golden[i].bf16 + golden[i].fixed_bf16 + golden[i].state);
    }
    assert_true(mr_llm_token_bytes(llm("DeepSeek-V3.2"), 1) == 35136 + 7808); /* with its index */
    close_shelf();
}

/* The shape gives the published sum of weights, and the published active ones. Where a card leaves
 * the rest to its layers with a state, that rest must be there and be sane. */
MR_TEST(weights_add_up_to_the_published_sum)
{
    static const double total = 0.03, active = 0.075; /* 8B: the embedding is 6.5 % */
    struct mr_shelf_list list = {0};
    struct mr_err err = {0};
    setenv("MILLRACE_PATH", MR_SOURCE_DIR, 1);
    assert_int_equal(mr_shelf_list_add(&list, &mr_llm_kind, NULL, &err), MR_OK);
    for (size_t i = 0; i < list.n; i++) {
        const struct mr_llm_card *card = llm(list.id[i]);
        if (card->n_param > 0)
            mr_test_near(mr_llm_elements(card), card->n_param, total, 0, list.id[i], __FILE__,
                         __LINE__);
        if (card->n_active_param > 0)
            mr_test_near(mr_llm_active_elements(card), card->n_active_param, active, 0, list.id[i],
                         __FILE__, __LINE__);
        assert_int_equal(card->n_state_layer > 0, mr_llm_state_elements(card) > 0);
        assert_true((double)card->n_state_layer * mr_llm_state_elements(card) <=
                    0.2 * mr_llm_elements(card));
        assert_true(mr_llm_active_elements(card) <= mr_llm_elements(card));
    }
    mr_shelf_list_fini(&list);
    close_shelf();
}

MR_TEST(weights_by_hand)
{
    const struct mr_llm_card *llama = llm("Llama-3.1-8B"), *deepseek = llm("DeepSeek-R1");
    const struct mr_llm_card *super = llm("Nemotron-3-Super-120B-A12B");
    assert_true(mr_llm_attention_elements(llama) == 4096 * 4096 * 2 + 4096 * 1024 * 2);
    assert_true(mr_llm_dense_elements(llama) == 3 * 4096. * 14336);
    assert_true(mr_llm_head_elements(llama) == 4096. * 128256);
    assert_true(mr_llm_pair_flop(llama, true) == 4 * 32 * 128);
    assert_true(mr_llm_attention_elements(deepseek) == 7168. * 1536 + 1536. * 128 * 192 +
                                                           7168. * 576 + 512. * 128 * 256 +
                                                           128. * 128 * 7168);
    assert_int_equal(mr_llm_n_moe_layer(deepseek), 58);
    assert_int_equal(mr_llm_n_dense_layer(deepseek), 3);
    assert_true(mr_llm_router_elements(deepseek) == 7168. * 256);
    assert_true(mr_llm_shared_elements(deepseek) == mr_llm_expert_elements(deepseek));
    assert_true(mr_llm_pair_flop(deepseek, true) == 2 * 128 * 576 + 2 * 128 * 512);
    assert_true(mr_llm_pair_flop(deepseek, false) == 2 * 128 * 192 + 2 * 128 * 128);
    /* plain experts on a narrower width, with a way down and up */
    assert_true(mr_llm_expert_elements(super) == 2 * 1024. * 2688);
    assert_true(mr_llm_shared_elements(super) == 2 * 4096. * 2688);
    assert_true(mr_llm_router_elements(super) == 4096. * (512 + 2 * 1024));
    assert_int_equal(mr_llm_n_moe_layer(super), 40);
    close_shelf();
}

MR_TEST(lpus_hold_models_or_not)
{
    const struct mr_lpu_card *lpu = mr_lpu_of(card_of(&mr_lpu_kind, "lp30"));
    assert_true(lpu->fp4_flop_s == 0);
    mr_assert_near((double)lpu->n_per_rack * lpu->sram_bytes, 128e9, 1e-15, 0);
    mr_assert_near((double)lpu->n_per_rack * lpu->fp8_flop_s, 307.2e15, 1e-15, 0);
    mr_assert_near((double)lpu->n_per_rack * lpu->sram_bytes_s, 38.4e15, 1e-15, 0);
    /* 2T weights in FP8: 16 racks in all, 18 with the reserve (facts: 15.6, SERVING 4.2) */
    struct mr_lpu_card whole = *lpu;
    whole.reserve_frac = 0;
    assert_int_equal(mr_lpu_n_for(&whole, 2e12), 4000);
    assert_int_equal((mr_lpu_n_for(&whole, 2e12) + 255) / 256, 16);
    assert_int_equal((mr_lpu_n_for(lpu, 2e12) + 255) / 256, 18);
    assert_int_equal(mr_lpu_n_for(lpu, 0), 0);
    assert_true(mr_lpu_latency_s(lpu, 1) == 0.35e-6 && mr_lpu_latency_s(lpu, 8e9) == 0.35e-6);
    assert_true(mr_lpu_latency_s(lpu, 1152e9) == 2.95e-6 && mr_lpu_latency_s(lpu, 9e12) == 2.95e-6);
    mr_assert_near(mr_lpu_latency_s(lpu, 96e9), (0.35e-6 + 2.95e-6) / 2, 1e-9,
                   0); /* sqrt(8x1152) */
    double last = 0;
    for (double bytes = 1e9; bytes < 4e12; bytes *= 1.1) {
        assert_true(mr_lpu_latency_s(lpu, bytes) >= last);
        last = mr_lpu_latency_s(lpu, bytes);
    }
    close_shelf();
}

/* Every package leaks, and no more than it idles at: cold silicon draws less, hot silicon more. */
MR_TEST(every_package_leaks_within_its_idle_power)
{
    struct mr_shelf_list list = {0};
    struct mr_err err = {0};
    setenv("MILLRACE_PATH", MR_SOURCE_DIR, 1);
    assert_int_equal(mr_shelf_list_add(&list, &mr_gpu_kind, NULL, &err), MR_OK);
    assert_true(list.n >= 15);
    for (size_t i = 0; i < list.n; i++) {
        const struct mr_gpu_card *card = gpu(list.id[i]);
        if (!(card->leakage_w > 0 && card->leakage_w <= card->idle_w))
            fail_msg("%s: %g of %g W", list.id[i], card->leakage_w, card->idle_w);
        struct mr_power power;
        assert_int_equal(mr_power_of(card, &power, &err), MR_OK);
        assert_true(mr_power_idle_w(&power, 30) < mr_power_idle_w(&power, 60));
        assert_true(mr_power_idle_w(&power, 60) < mr_power_idle_w(&power, 85));
        assert_true(mr_power_idle_w(&power, 20) > 0);
    }
    assert_true(gpu("rtx_pro_6000")->clock_min < 181.0 / 2842);
    mr_shelf_list_fini(&list);
    close_shelf();
}

MR_TEST(optics_and_idle_power)
{
    const struct mr_optic_card *plug = mr_optic_of(card_of(&mr_optic_kind, "pluggable_1600"));
    const struct mr_optic_card *cpo = mr_optic_of(card_of(&mr_optic_kind, "cpo_1600"));
    assert_true(plug->power_w == 30 && cpo->power_w == 9 && cpo->is_copackaged);
    assert_true(plug->loss_db == 22 && cpo->loss_db == 4);
    /* the published site of 400,000 GPUs, six ports each */
    mr_assert_near(400e3 * 6 * plug->power_w, 72e6, 1e-12, 0);
    mr_assert_near(400e3 * 6 * cpo->power_w, 21.6e6, 1e-12, 0);
    assert_true(gpu("h100_sxm")->idle_w == 70 && gpu("b200_sxm")->idle_w == 140);
    mr_assert_near(gpu("rubin")->idle_w, 230, 1e-12, 0);
    assert_true(gpu("rubin")->flop_fp8_j == 0);
    close_shelf();
}

/* ---- cards that cannot be ---- */

struct figure {
    const char *name, *value; /* value NULL: left out */
};

static const struct figure moe[] = {
    {"layers", "10"},       {"hidden", "64"},    {"heads", "8"},          {"kv_heads", "2"},
    {"head_dim", "16"},     {"experts", "8"},    {"experts.active", "2"}, {"experts.inner", "128"},
    {"vocabulary", "1000"}, {"kv.layers", "10"}, {"kv.elements", "640"}};
static const struct figure plain_gpu[] = {{"bf16", "1 Pflop/s"},
                                          {"memory", "80 GB"},
                                          {"memory.bandwidth", "3 TB/s"},
                                          {"power.max_p", "700 W"},
                                          {"power.idle", "70 W"}};

/* A card of some figures, `change` replacing or adding some. @return its status */
static mr_status try_card(const struct mr_card_kind *kind, const struct figure *figures, size_t n,
                          const struct figure change[3], struct mr_diags *diags)
{
    struct mr_buf text = {0};
    struct mr_card *card;
    bool is_used[3] = {false};
    mr_buf_printf(&text, "<%s id=\"x\" name=\"X\">\n", kind->element);
    for (size_t i = 0; i < n + 3; i++) {
        struct figure figure = i < n ? figures[i] : change[i - n];
        for (size_t k = 0; k < 3 && i < n; k++)
            if (change[k].name != NULL && strcmp(change[k].name, figure.name) == 0) {
                figure = change[k];
                is_used[k] = true;
            }
        if (figure.value != NULL && (i < n || !is_used[i - n]))
            mr_buf_printf(&text,
                          " <figure name=\"%s\" value=\"%s\" confidence=\"press\" source=\"x\"/>\n",
                          figure.name, figure.value);
    }
    mr_buf_printf(&text, "</%s>\n", kind->element);
    const mr_status st =
        mr_card_load_text("x.xml", (struct mr_str){text.text, text.n}, kind, &card, diags);
    mr_card_destroy(card);
    mr_buf_fini(&text);
    return st;
}

struct impossible {
    struct figure change[3];
    const char *message;
};

static void check_impossible(const struct mr_card_kind *kind, const struct figure *figures,
                             size_t n_figure, const struct impossible *cases, size_t n)
{
    static const struct figure none[3];
    struct mr_diags fine = {0};
    assert_int_equal(try_card(kind, figures, n_figure, none, &fine), MR_OK);
    for (size_t i = 0; i < n; i++) {
        struct mr_diags diags = {0};
        if (try_card(kind, figures, n_figure, cases[i].change, &diags) == MR_OK)
            fail_msg("accepted: %s", cases[i].message);
        mr_assert_contains(diags.item[0].err.text, cases[i].message);
        assert_true(diags.item[0].err.line >= 1);
    }
}

#define N_OF(array) (sizeof(array) / sizeof *(array))

MR_TEST(impossible_llms_are_refused)
{
    static const struct impossible cases[] = {
        {{{"experts.active", "9"}}, "llm \"x\": experts.active: 9 of 8 experts"},
        {{{"experts.active", "0"}}, "experts.active and experts.inner above 0"},
        {{{"experts.inner", NULL}}, "experts.active and experts.inner above 0"},
        {{{"experts", NULL}}, "experts.active: 2 of 0 experts"},
        {{{"experts", NULL}, {"experts.active", NULL}}, "dense.inner: dense layers need it"},
        {{{"dense.first", "1"}}, "dense.inner: dense layers need it"},
        {{{"dense.first", "4"}, {"experts.layers", "7"}, {"dense.inner", "64"}},
         "7 layers with experts and 4 dense ones of 10"},
        {{{"dense.first", "11"}, {"dense.inner", "64"}}, "11 dense ones of 10"},
        {{{"kv.layers", "11"}, {"kv.elements", "704"}}, "of 10"},
        {{{"kv.layers", "0"}, {"kv.elements", "0"}}, "0 layers keep tokens"},
        {{{"kv.elements", "641"}}, "641, but 2 x layers x kv_heads x head_dim is 640"},
        {{{"kv_heads", "3"}, {"kv.elements", "960"}}, "8 heads cannot share 3"},
        {{{"attention", "mla"}}, "mla needs mla.q_rank"},
        {{{"attention", "compressed"}}, "not fewer than one latent"},
        {{{"state", "1 MB"}}, "a state and layers that have it"},
        {{{"kv.layers", "5"}, {"kv.elements", "320"}, {"state.layers", "5"}},
         "a state and layers that have it"},
        {{{"window.elements", "100"}}, "window.tokens: a window has tokens"},
        {{{"window.tokens", "100"}}, "window.tokens: a window has tokens"},
        {{{"parameters", "1e6"}, {"parameters.active", "2e6"}}, "more than all of them"},
        {{{"accepted.1", "1.9"}, {"accepted.2", "1.8"}}, "accepted.2: fewer tokens per step"},
        {{{"accepted.1", "0.5"}}, "accepted.1: fewer tokens per step"},
        {{{"accepted.1", "2.1"}}, "accepted.1"},
        {{{"hidden", "-64"}}, "hidden"},
        {{{"layers", "0"}}, "layers"},
        {{{"layers", "1.5"}}, "layers"},
        {{{"hidden", NULL}}, "hidden"},
        {{{"experts.matrices", "4"}}, "experts.matrices"},
        {{{"expert", "4"}}, "did you mean \"experts\""},
    };
    check_impossible(&mr_llm_kind, moe, N_OF(moe), cases, N_OF(cases));
}

MR_TEST(impossible_hardware_is_refused)
{
    static const struct impossible gpus[] = {
        {{{"memory", "-80 GB"}}, "memory"},
        {{{"memory", NULL}}, "memory"},
        {{{"memory", "80 GW"}}, "unit"},
        {{{"bf16", "0 flop/s"}}, "bf16"},
        {{{"power.max_q", "701 W"}}, "power.max_q: above power.max_p"},
        {{{"power.idle", "680 W"}}, "leave nothing of power.max_p"},
        {{{"power.leakage", "71 W"}}, "power.leakage: above power.idle"},
        {{{"clock.min", "0.7"}}, "clock.knee: below clock.min"},
        {{{"clock.exponent", "0.9"}}, "clock.exponent"},
        {{{"nvlink.packages", "8"}}, "nvlink.bandwidth: a scale-up domain"},
    };
    static const struct figure lpu[] = {{"fp8", "1 Pflop/s"},
                                        {"sram", "500 MB"},
                                        {"sram.bandwidth", "150 TB/s"},
                                        {"c2c.bandwidth", "1 TB/s"},
                                        {"power.max_p", "300 W"}};
    static const struct impossible lpus[] = {
        {{{"power.idle", "300 W"}}, "power.idle: not below"},
        {{{"c2c.far", "8 GB"}}, "c2c.far: not above"},
        {{{"c2c.far_latency", "0.1 us"}}, "c2c.far_latency: below"},
        {{{"rack.trays", "30"}}, "rack.trays: do not divide"},
        {{{"sram", "0 B"}}, "sram"},
        {{{"sram.reserve", "1"}}, "sram.reserve"},
    };
    static const struct figure cpu[] = {{"cores", "8"},         {"threads", "8"},
                                        {"memory", "1 TB"},     {"memory.bandwidth", "1 TB/s"},
                                        {"power.min", "100 W"}, {"power.max", "200 W"},
                                        {"power.memory", "9 W"}};
    static const struct impossible cpus[] = {
        {{{"threads", "7"}}, "threads: fewer than cores"},
        {{{"power.memory", "5 kW"}}, "power.memory: leaves nothing of power.max"},
        {{{"power.min", "201 W"}}, "power.min: above"}};
    static const struct figure optic[] = {{"port.bandwidth", "200 GB/s"}, {"power", "9 W"}};
    static const struct impossible optics[] = {{{{"power.laser", "10 W"}}, "power.laser: above"}};
    static const struct figure nic[] = {
        {"generation", "7"}, {"port.bandwidth", "50 GB/s"}, {"power", "25 W"}};
    static const struct impossible nics[] = {{{{"ports", "0"}}, "ports"},
                                             {{{"role", "switch"}}, "role"}};
    check_impossible(&mr_gpu_kind, plain_gpu, N_OF(plain_gpu), gpus, N_OF(gpus));
    check_impossible(&mr_lpu_kind, lpu, N_OF(lpu), lpus, N_OF(lpus));
    check_impossible(&mr_cpu_kind, cpu, N_OF(cpu), cpus, N_OF(cpus));
    check_impossible(&mr_optic_kind, optic, N_OF(optic), optics, N_OF(optics));
    check_impossible(&mr_nic_kind, nic, N_OF(nic), nics, N_OF(nics));
}

MR_TEST_MAIN(MR_TEST_ENTRY(every_card_loads_and_names_known_sources),
             MR_TEST_ENTRY(gpus_as_in_the_fact_table),
             MR_TEST_ENTRY(cpus_and_nics_as_in_the_fact_tables),
             MR_TEST_ENTRY(llms_as_in_the_fact_table), MR_TEST_ENTRY(bytes_of_a_token),
             MR_TEST_ENTRY(weights_add_up_to_the_published_sum), MR_TEST_ENTRY(weights_by_hand),
             MR_TEST_ENTRY(lpus_hold_models_or_not), MR_TEST_ENTRY(optics_and_idle_power),
             MR_TEST_ENTRY(every_package_leaks_within_its_idle_power),
             MR_TEST_ENTRY(impossible_llms_are_refused),
             MR_TEST_ENTRY(impossible_hardware_is_refused))
