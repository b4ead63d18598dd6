/* SPDX-License-Identifier: Apache-2.0 */
/* Elements as a list of tables and the objects they fill. Overrides are kept per element and set
 * after the file's attributes, so they are checked like them. */
#include "engine/twin/scenario.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/xml.h"
#include "engine/serve/policy.h"
#include "engine/serve/router.h"
#include "engine/serve/split.h"
#include "models/step.h"

#include <stdio.h>

/* ---- tables ---- */

static const char *const formats[] = {
#define FORMAT_TEXT(name, text, bytes) text,
    MR_FORMAT_LIST(FORMAT_TEXT)
#undef FORMAT_TEXT
        "own"};
static const char *const kv_formats[] = {"bf16", "fp8"};
static const char *const verifies[] = {"up", "drawn"};
static const char *const schedulings[] = {"fcfs", "priority"};
static const char *const policies[] = {"vllm1", "sarathi", "vllm0", "orca", "static"};
static const char *const routers[] = {
#define ROUTER_TEXT(name, text, doc) text,
    MR_ROUTER_LIST(ROUTER_TEXT)
#undef ROUTER_TEXT
};
static const char *const networks[] = {"ideal", "shared", "flow"};
static const char *const ways[] = {
#define WAY_TEXT(name, text, doc) text,
    MR_SPLIT_WAY_LIST(WAY_TEXT)
#undef WAY_TEXT
};

// clang-format off
#define T struct mr_scenario_top
static const struct mr_param top_rows[] = {
    MR_PARAM_STR(T, name, "name", NULL, "Name of the scenario, for reports"),
    MR_PARAM_N(T, seed, "seed", "1", 0, MR_UNBOUNDED, "Seed of everything that is drawn"),
    MR_PARAM(T, until_s, "until", MR_Q_TIME, "0 s", 0, 1e10, "End of the run; 0: when all calls have ended"),
};
#undef T
#define S struct mr_scenario_site
static const struct mr_param site_rows[] = {
    MR_PARAM_STR(S, file, "file", NULL, "Layout or platform of the site; not given: none"),
};
#undef S
#define D struct mr_scenario_deployment
static const struct mr_param deployment_rows[] = {
    MR_PARAM_STR(D, gpu, "gpu", "h100_sxm", "Card of the packages"),
    MR_PARAM_STR(D, llm, "llm", "Llama-3.1-8B", "Card of the network"),
    MR_PARAM_STR(D, software, "software", "vllm", "Card of the serving engine; spec: fitted to nothing"),
    MR_PARAM_STR(D, profile, "profile", NULL, "Card of measured step times, instead of the others"),
    MR_PARAM_N(D, n_instance, "instances", "1", 1, 1000000, "Instances behind the router"),
    MR_PARAM_N(D, n_tp, "tp", "1", 1, 1024, "Shards of attention and dense layers"),
    MR_PARAM_N(D, n_dp, "dp", "1", 1, 4096, "Copies of attention"),
    MR_PARAM_N(D, n_pp, "pp", "1", 1, 256, "Pipeline stages"),
    MR_PARAM_N(D, n_ep, "ep", "1", 1, 4096, "Groups that experts are dealt to"),
    MR_PARAM_N(D, n_domain, "domain", "0", 0, 100000, "Packages NVLink reaches; 0: the card's"),
    MR_PARAM_ONE_OF(D, format, "format", formats, "own", "Weights; own: as published, else fp8"),
    MR_PARAM_ONE_OF(D, kv, "kv", kv_formats, "fp8", "Format of keys and values"),
    MR_PARAM_N(D, n_draft, "drafts", "0", 0, 64, "Speculative tokens per step"),
    MR_PARAM(D, accepted, "accepted", MR_Q_COUNT, "0", 0, 64, "Mean tokens of a step with drafts; 0: the card's"),
    MR_PARAM_ONE_OF(D, verify, "verify", verifies, "up", "Steps of a call with drafts: rounded up, or drawn so that their mean is right"),
    MR_PARAM_ONE_OF(D, policy, "policy", policies, "vllm1", "Who is in the next step"),
    MR_PARAM_ONE_OF(D, scheduling, "scheduling", schedulings, "fcfs", "Within a class: by arrival, the last to start is preempted; or by priority, the lowest is (vllm1)"),
    MR_PARAM_N(D, n_batch, "batch", "256", 1, 1000000, "Most requests of an instance that run at once"),
    MR_PARAM_N(D, n_token, "tokens", "0", 0, 10000000, "Tokens of a step; 0: the engine card's chunk"),
    MR_PARAM_N(D, n_context, "context", "0", 0, 100000000, "Longest context, which orca reserves; 0: the network's"),
    MR_PARAM_N(D, n_block_token, "block", "0", 0, 1048576, "Tokens of a KV block, a power of two; 0: the engine card's"),
    MR_PARAM_N(D, n_block, "blocks", "0", 0, 4000000000, "KV blocks of an instance; 0: what fits beside the weights"),
    MR_PARAM_YES(D, has_cache, "cache", "no", "Keep the KV blocks of ended calls for later ones of the session (vllm1)"),
    MR_PARAM(D, watermark_frac, "watermark", MR_Q_FRACTION, "1 %", 0, 0.9, "Blocks that admissions leave free (sarathi, vllm0)"),
    MR_PARAM_ONE_OF(D, router, "router", routers, "least_outstanding", "Which instance a call goes to"),
    MR_PARAM_N(D, n_affinity, "affinity_excess", "8", 0, 1000000, "Calls more than the best instance has that affinity puts up with"),
};
#undef D
#define X struct mr_scenario_transfer
static const struct mr_param transfer_rows[] = {
    MR_PARAM_ONE_OF(X, network, "network", networks, "ideal", "ideal: nobody shares; shared: transfers of an instance share its links"),
    MR_PARAM(X, bandwidth_bytes_s, "bandwidth", MR_Q_DATA_RATE, "0 B/s", 0, 1e16, "Line rate of an instance, one way; 0: the scale-out links of its packages"),
    MR_PARAM(X, latency_s, "latency", MR_Q_TIME, "10 us", 0, 1e3, "From the start of a transfer to its first byte"),
    MR_PARAM(X, efficiency, "efficiency", MR_Q_FRACTION, "70 %", 1e-6, 1, "Keys and values over line rate"),
    MR_PARAM_ONE_OF(X, way, "way", ways, "push", "push: all after the prompt; stream: layer by layer while it is read"),
    MR_PARAM(X, overlap_frac, "overlap", MR_Q_FRACTION, "100 %", 0, 1, "Share of the prompt's time that carries bytes (stream)"),
    MR_PARAM(X, token_bytes, "token", MR_Q_DATA, "0 B", 0, 1e9, "Keys and values of a token; 0: the LLM's"),
    MR_PARAM_N(X, n_local, "local", "512", 0, 100000000, "Tokens not cached up to which a prompt is read where it is decoded"),
    MR_PARAM_N(X, n_slot, "slots", "0", 0, 4000000000, "Calls of a prefill instance at which others are read where they are decoded; 0: its batch"),
};
#undef X
#define R struct mr_scenario_tier
static const struct mr_param tier_rows[] = {
    MR_PARAM_STR(R, name, "name", NULL, "Name of the tier, in the order of the workload's numbers"),
    MR_PARAM(R, input_usd_mtok, "input", MR_Q_TOKEN_PRICE, "0 USD/Mtok", 0, 1e6, "Price of input that is computed"),
    MR_PARAM(R, cached_usd_mtok, "cached", MR_Q_TOKEN_PRICE, "0 USD/Mtok", 0, 1e6, "Price of input that was cached"),
    MR_PARAM(R, output_usd_mtok, "output", MR_Q_TOKEN_PRICE, "0 USD/Mtok", 0, 1e6, "Price of output"),
    MR_PARAM(R, ttft_s, "ttft", MR_Q_TIME, "0 s", 0, 1e9, "Objective: time to the first token; 0: none"),
    MR_PARAM(R, tpot_s, "tpot", MR_Q_TIME, "0 s", 0, 1e9, "Objective: time per output token after it; 0: none"),
    MR_PARAM_N(R, n_class, "class", "0", 0, 1000, "Strict class in the queue: 0 before 1 before 2"),
    MR_PARAM_N(R, n_priority, "priority", "0", 0, 1000, "Within the class, with scheduling priority: higher first"),
    MR_PARAM_N(R, n_wait, "shed_at", "0", 0, 4000000000, "Waiting calls of an instance at which the tier is shed; 0: never"),
};
#undef R
// clang-format on

#define TABLE(name, element, doc)                                                 \
    static const struct mr_param_table name##_table = {element, doc, name##_rows, \
                                                       sizeof name##_rows / sizeof *name##_rows}
TABLE(top, "scenario", "What is played; the root of the file.");
TABLE(site, "site", "Where it is played.");
TABLE(deployment, "deployment", "Which network runs on which packages, and how.");
TABLE(transfer, "transfer", "How keys and values go from the prefill pool to the deployment.");
TABLE(tier, "tier", "A class of calls: prices and objectives. Several may be given.");

static const struct mr_param_table prefill_table = {
    "prefill", "A pool that reads prompts; what is not given is as in the deployment.",
    deployment_rows, sizeof deployment_rows / sizeof *deployment_rows};

enum {
    part_site,
    part_deployment,
    part_prefill,
    part_transfer,
    part_workload,
    part_tier,
    n_part,
    n_row_max = 32
};

static const struct {
    const struct mr_param_table *table;
    size_t offset; /* in struct mr_scenario */
    bool may_repeat;
} parts[n_part] = {
    [part_site] = {&site_table, offsetof(struct mr_scenario, site), false},
    [part_deployment] = {&deployment_table, offsetof(struct mr_scenario, deployment), false},
    [part_prefill] = {&prefill_table, offsetof(struct mr_scenario, prefill), false},
    [part_transfer] = {&transfer_table, offsetof(struct mr_scenario, transfer), false},
    [part_workload] = {&mr_arrivals_table, offsetof(struct mr_scenario, workload), false},
    [part_tier] = {&tier_table, offsetof(struct mr_scenario, tier), true},
};

const struct mr_param_table *mr_scenario_table(size_t i, const char **element)
{
    if (i > n_part)
        return NULL;
    const struct mr_param_table *table = i == 0 ? &top_table : parts[i - 1].table;
    *element = table->name;
    return table;
}

/* ---- reading ---- */

struct reading {
    struct mr_scenario *scenario;
    struct mr_diags *diags;
    const char *const *set;
    size_t n_set;
    bool *is_used;                     /* [n_set] */
    const struct mr_xml_node *prefill; /* NULL: none in the file */
};

/* "deployment/tp=4" for this element: its attribute and value. */
static bool is_for(const char *set, const char *element, struct mr_str *name, struct mr_str *value)
{
    const char *equals = strchr(set, '='), *slash = strchr(set, '/');
    const bool is_top = strcmp(element, "scenario") == 0;
    if (equals == NULL)
        return false;
    const char *from = set;
    if (slash != NULL && slash < equals) {
        if (strlen(element) != (size_t)(slash - set) ||
            strncmp(set, element, (size_t)(slash - set)) != 0)
            return false;
        from = slash + 1;
    } else if (!is_top) {
        return false;
    }
    *name = (struct mr_str){from, (size_t)(equals - from)};
    *value = mr_str_of(equals + 1);
    return true;
}

/* One element: its attributes, then what is set from outside, then what must be there. Defaults are
 * the table's, or those of another deployment. */
static void fill(struct reading *r, const struct mr_param_table *table, void *object,
                 const struct mr_scenario_deployment *defaults, const struct mr_xml_node *node)
{
    uint8_t origin[n_row_max] = {0};
    char what[64];
    snprintf(what, sizeof what, "<%s>", table->name);
    const struct mr_param_target target = {table, object, origin, &r->scenario->texts, what};
    const struct mr_place at = node != NULL ? mr_xml_place(node) : MR_NOWHERE;
    mr_param_defaults(&target);
    if (defaults != NULL)
        *(struct mr_scenario_deployment *)object = *defaults;
    for (uint32_t i = 0; node != NULL && i < node->n_attribute; i++) {
        const struct mr_xml_attribute *a = &node->attribute[i];
        struct mr_err err = {0};
        if (mr_param_set(&target, mr_str_of(a->name), mr_str_of(a->value), MR_PARAM_GIVEN,
                         mr_xml_attribute_place(node, a), &err) != MR_OK)
            (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
    }
    for (size_t i = 0; i < r->n_set; i++) {
        struct mr_str name, value;
        if (!is_for(r->set[i], table->name, &name, &value))
            continue;
        struct mr_err err = {0};
        r->is_used[i] = true;
        if (mr_param_set(&target, name, value, MR_PARAM_OVERRIDDEN,
                         (struct mr_place){"--set", 0, 0}, &err) != MR_OK)
            (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
    }
    struct mr_err err = {0};
    if (mr_param_complete(&target, at, &err) != MR_OK)
        (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
}

static void unknown(struct reading *r, const struct mr_xml_node *node)
{
    const char *names[n_part];
    char quoted[MR_QUOTE_CAP], hint[96];
    for (int i = 0; i < n_part; i++)
        names[i] = parts[i].table->name;
    mr_text_hint(mr_str_of(node->name), names, n_part, hint, sizeof hint);
    mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(node),
                 "<scenario>: unknown element \"%s\"%s",
                 mr_text_quote(mr_str_of(node->name), quoted), hint);
}

static void read_element(struct reading *r, const struct mr_xml_node *node, bool seen[n_part])
{
    struct mr_scenario *scenario = r->scenario;
    int k = 0;
    while (k < n_part && strcmp(parts[k].table->name, node->name) != 0)
        k++;
    if (k == n_part) {
        unknown(r, node);
        return;
    }
    if (seen[k] && !parts[k].may_repeat) {
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(node),
                     "<%s>: given twice", node->name);
        return;
    }
    if (node->n_child > 0 || node->text[0] != '\0')
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(node),
                     "<%s>: has attributes only", node->name);
    seen[k] = true;
    char *object = (char *)scenario + parts[k].offset;
    if (k == part_tier) {
        if (scenario->n_tier == MR_SCENARIO_TIERS) {
            mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_LIMIT, mr_xml_place(node),
                         "<tier>: more than %d", MR_SCENARIO_TIERS);
            return;
        }
        object = (char *)&scenario->tier[scenario->n_tier++];
    }
    if (k == part_prefill)
        r->prefill = node; /* when the deployment is known */
    else
        fill(r, parts[k].table, object, NULL, node);
}

static bool is_set(const struct reading *r, const char *element)
{
    struct mr_str name, value;
    for (size_t i = 0; i < r->n_set; i++)
        if (is_for(r->set[i], element, &name, &value))
            return true;
    return false;
}

static void read_root(struct reading *r, const struct mr_xml_node *root)
{
    struct mr_scenario *scenario = r->scenario;
    bool seen[n_part] = {false};
    if (strcmp(root->name, "scenario") != 0) {
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(root),
                     "the root is <%s>, a scenario's is <scenario>", root->name);
        return;
    }
    fill(r, &top_table, &scenario->top, NULL, root);
    for (const struct mr_xml_node *n = root->child; n != NULL; n = n->next)
        read_element(r, n, seen);
    for (int k = 0; k < n_part; k++)
        if (!seen[k] && k != part_tier && k != part_prefill)
            fill(r, parts[k].table, (char *)scenario + parts[k].offset, NULL, NULL);
    scenario->has_prefill = seen[part_prefill] || is_set(r, prefill_table.name);
    if (scenario->has_prefill)
        fill(r, &prefill_table, &scenario->prefill, &scenario->deployment, r->prefill);
    else if (seen[part_transfer] || is_set(r, transfer_table.name))
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(root),
                     "<transfer>: nothing is sent without a <prefill> pool");
    if (scenario->n_tier == 0)
        scenario->tier[scenario->n_tier++] = (struct mr_scenario_tier){.name = "all"};
    for (size_t i = 0; i < r->n_set; i++)
        if (!r->is_used[i])
            mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, (struct mr_place){"--set", 0, 0},
                         "\"%s\": no such path (ELEMENT/ATTRIBUTE=VALUE, as in deployment/tp=4)",
                         r->set[i]);
}

/* Files are named from the scenario's folder. */
static mr_status join(struct mr_scenario *scenario, const char **file, struct mr_err *err)
{
    struct mr_buf path = {0};
    if (*file == NULL)
        return MR_OK;
    mr_file_join(scenario->path, *file, &path);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK) {
        *file = mr_arena_text(&scenario->texts, (struct mr_str){path.text, path.n}, err);
        st = *file != NULL ? MR_OK : MR_NOMEM;
    }
    mr_buf_fini(&path);
    return st;
}

mr_status mr_scenario_load(const char *path, const char *const *set, size_t n_set,
                           struct mr_scenario *scenario, struct mr_diags *diags)
{
    struct reading r = {.scenario = scenario, .diags = diags, .set = set, .n_set = n_set};
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    *scenario = (struct mr_scenario){0};
    r.is_used = mr_alloc_zero(n_set + 1, sizeof *r.is_used);
    if (r.is_used == NULL) {
        (void)mr_err_nomem(&err, n_set + 1);
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    }
    mr_status st = mr_xml_load(path, NULL, &doc, &err);
    if (st == MR_OK) {
        scenario->path = mr_arena_text(&scenario->texts, mr_str_of(path), &err);
        st = scenario->path != NULL ? MR_OK : MR_NOMEM;
    }
    if (st == MR_OK) {
        read_root(&r, mr_xml_root(doc));
        if (join(scenario, &scenario->site.file, &err) == MR_OK)
            (void)join(scenario, &scenario->workload.file, &err);
    }
    (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_xml_destroy(doc);
    mr_free(r.is_used);
    return diags->first_error;
}

void mr_scenario_fini(struct mr_scenario *scenario)
{
    mr_arena_fini(&scenario->texts);
    *scenario = (struct mr_scenario){0};
}

uint32_t mr_scenario_rank(const struct mr_scenario *scenario, size_t tier)
{
    const struct mr_scenario_tier *own = &scenario->tier[tier];
    uint32_t n = 0;
    for (const struct mr_scenario_tier *t = scenario->tier; t < scenario->tier + scenario->n_tier;
         t++)
        n += t->n_class < own->n_class ||
             (scenario->deployment.scheduling == 1 && t->n_class == own->n_class &&
              t->n_priority > own->n_priority);
    return n;
}

/* ---- writing ---- */

static void write_element(const struct mr_param_table *table, const void *object, const char *end,
                          struct mr_buf *out)
{
    struct mr_buf value = {0};
    mr_buf_printf(out, "<%s", table->name);
    for (size_t i = 0; i < table->n; i++) {
        value.n = 0;
        mr_param_value(&table->row[i], object, &value);
        if (value.n == 0)
            continue;
        mr_buf_printf(out, " %s=\"", table->row[i].name);
        for (size_t k = 0; k < value.n; k++) {
            const char c = value.text[k];
            mr_buf_text(out, c == '&'   ? "&amp;"
                             : c == '<' ? "&lt;"
                             : c == '"' ? "&quot;"
                                        : (const char[]){c, '\0'});
        }
        mr_buf_char(out, '"');
    }
    mr_buf_text(out, end);
    if (value.status != MR_OK)
        out->status = value.status;
    mr_buf_fini(&value);
}

void mr_scenario_write(const struct mr_scenario *scenario, struct mr_buf *out)
{
    mr_buf_text(out, "<?xml version=\"1.0\"?>\n");
    write_element(&top_table, &scenario->top, ">\n", out);
    for (int k = 0; k < n_part; k++) {
        const char *object = (const char *)scenario + parts[k].offset;
        const bool is_there = scenario->has_prefill || (k != part_prefill && k != part_transfer);
        if (k != part_tier && is_there) {
            mr_buf_char(out, ' ');
            write_element(parts[k].table, object, "/>\n", out);
        }
    }
    for (size_t i = 0; i < scenario->n_tier; i++) {
        mr_buf_char(out, ' ');
        write_element(&tier_table, &scenario->tier[i], "/>\n", out);
    }
    mr_buf_text(out, "</scenario>\n");
}
