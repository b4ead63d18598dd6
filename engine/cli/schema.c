/* SPDX-License-Identifier: Apache-2.0 */
/* A kind of file is a list of parameter tables, one per element; each table prints itself. The
 * summary of a run has keys instead. */
#include "engine/cli/schema.h"

#include "engine/base/gz.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/share.h"
#include "engine/cli/groups.h"
#include "engine/cli/man.h"
#include "engine/cli/schema_kpi.h"
#include "engine/cli/schema_session.h"
#include "engine/cli/verbs.h"
#include "engine/twin/play_keys.h"
#include "engine/twin/scenario.h"
#include "experiments/experiment.h"
#include "experiments/sla.h"
#include "models/cpu.h"
#include "models/gpu.h"
#include "models/llm.h"
#include "models/lpu.h"
#include "models/nic.h"
#include "models/optic.h"
#include "models/profile.h"
#include "models/software.h"
#include "platforms/layout.h"
#include "platforms/library.h"
#include "platforms/prop.h"
#include "postprocess/tolerance.h"

static const struct mr_opt rows[] = {
    {MR_PARAM_YES(struct mr_schema_opts_values, as_md, "md", "no",
                  "Markdown, as without an option"),
     0, NULL},
    {MR_PARAM_YES(struct mr_schema_opts_values, as_man, "man", "no", "A manual page (troff)"), 0,
     NULL},
    {MR_PARAM_YES(struct mr_schema_opts_values, as_json, "json", "no", "One JSON object"), 0, NULL},
    {MR_PARAM_YES(struct mr_schema_opts_values, as_rng, "rng", "no",
                  "The RELAX NG grammar, for kinds that have one"),
     0, NULL},
};

const struct mr_opt_table mr_schema_opts = {rows, sizeof rows / sizeof *rows};

static const struct mr_param_table *prop_table(size_t i, const char **element)
{
    if (i >= MR_N_PROP)
        return NULL;
    *element = mr_prop_kind_name((int)i);
    return mr_prop_table((int)i);
}

static void print_singles_md(struct mr_buf *out)
{
    const char *id, *on, *doc;
    mr_buf_text(out,
                "## Single props of hand-written files\n\n| id | on | meaning |\n|---|---|---|\n");
    for (size_t i = 0; (id = mr_prop_single(i, &on, &doc)) != NULL; i++)
        mr_buf_printf(out, "| `%s` | %s | %s |\n", id, on, doc);
}

static void print_singles_man(struct mr_buf *out)
{
    const char *id, *on, *doc;
    mr_buf_text(out, ".SH \"Single props of hand\\-written files\"\n");
    for (size_t i = 0; (id = mr_prop_single(i, &on, &doc)) != NULL; i++) {
        mr_man_item(out, id);
        mr_man_line(out, "", doc);
        mr_buf_printf(out, ".br\non a %s\n", on);
    }
}

static void print_keys_md(struct mr_buf *out)
{
    const struct mr_play_key *key;
    mr_buf_text(out, "| key | unit | meaning |\n|---|---|---|\n");
    for (size_t i = 0; (key = mr_play_key(i)) != NULL; i++)
        mr_buf_printf(out, "| `%s` | %s | %s |\n", key->path, key->unit, key->doc);
}

static void print_keys_man(struct mr_buf *out)
{
    const struct mr_play_key *key;
    mr_buf_text(out, ".SH KEYS\n");
    for (size_t i = 0; (key = mr_play_key(i)) != NULL; i++) {
        mr_man_item(out, key->path);
        mr_man_line(out, "", key->doc);
        mr_buf_printf(out, ".br\nunit %s\n", key->unit);
    }
}

static void print_keys_json(struct mr_buf *out)
{
    const struct mr_play_key *key;
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "kind", "summary");
    mr_jsonw_key(&w, "keys");
    mr_jsonw_array(&w);
    for (size_t i = 0; (key = mr_play_key(i)) != NULL; i++) {
        mr_jsonw_object(&w);
        mr_jsonw_key_text(&w, "path", key->path);
        mr_jsonw_key_text(&w, "unit", key->unit);
        mr_jsonw_key_text(&w, "doc", key->doc);
        mr_jsonw_end(&w);
    }
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

/* What a page says beside tables of parameters. */
struct more {
    void (*print_md)(struct mr_buf *out);
    void (*print_man)(struct mr_buf *out);
    void (*print_json)(struct mr_buf *out); /* instead of the tables; NULL: not there */
};

static const struct more singles = {print_singles_md, print_singles_man, NULL};
static const struct more keys = {print_keys_md, print_keys_man, print_keys_json};
static const struct more kpis = {mr_schema_kpi_md, mr_schema_kpi_man, mr_schema_kpi_json};
static const struct more session = {mr_schema_session_md, mr_schema_session_man,
                                    mr_schema_session_json};
static const struct more groups = {mr_groups_print_md, mr_groups_print_man, mr_groups_print_json};

/* Result files, sessions, summaries and figures are not read with parameters. */
static const struct mr_param_table *no_table(size_t i, const char **element)
{
    (void)i;
    *element = NULL;
    return NULL;
}

static const struct mr_param_table *card_table(size_t i, const struct mr_card_kind *kind,
                                               const char **element)
{
    *element = kind->element;
    return i == 0 ? kind->table : NULL;
}

#define CARD_TABLE(name)                                                             \
    static const struct mr_param_table *name##_table(size_t i, const char **element) \
    {                                                                                \
        return card_table(i, &mr_##name##_kind, element);                            \
    }
CARD_TABLE(rack)
CARD_TABLE(cdu)
CARD_TABLE(switch)
CARD_TABLE(reject)
CARD_TABLE(gpu)
CARD_TABLE(lpu)
CARD_TABLE(cpu)
CARD_TABLE(nic)
CARD_TABLE(optic)
CARD_TABLE(llm)
CARD_TABLE(profile)
CARD_TABLE(software)

static const struct kind {
    const char *name, *doc;
    const struct mr_param_table *(*table)(size_t i, const char **element); /* NULL past the last */
    const struct more *more;                                               /* NULL: nothing */
    const char *rng; /* file of its grammar; NULL: none, or made of the tables: */
    void (*print_rng)(struct mr_buf *out);
} kinds[] = {
    {"layout", "compact site, NAME.layout.xml: elements and their attributes", mr_layout_table,
     NULL, "platforms/schema/layout.rng", NULL},
    {"platform", "props of a SimGrid platform, NAME.platform.xml", prop_table, &singles, NULL,
     NULL},
    {"scenario", "what is played, NAME.scenario.xml: elements and their attributes",
     mr_scenario_table, NULL, NULL, mr_scenario_print_rng},
    {"session", "sessions of agents, NAME.jsonl or NAME.jsonl.gz: keys of the native form",
     no_table, &session, NULL, NULL},
    {"summary", "what millrace run --json prints: keys, with p50, p90, p99 and mean below times",
     no_table, &keys, NULL, NULL},
    {"kpi", "key figures: which way is better, what they may get worse by, what bounds them",
     no_table, &kpis, NULL, NULL},
    {"experiment", "a scenario and what is varied in it, NAME.experiment.xml", mr_experiment_table,
     NULL, NULL, mr_experiment_print_rng},
    {"sla", "what tiers are promised, NAME.sla.xml, for millrace size", mr_sla_table, NULL, NULL,
     mr_sla_print_rng},
    {"tolerance", "limits of millrace regress, NAME.tolerance.xml", mr_tolerance_table, NULL,
     "experiments/schema/tolerance.rng", NULL},
    {"h5", "result files of run, thermal and power, NAME.h5: groups of datasets (HDF5, netCDF-4)",
     no_table, &groups, NULL, NULL},
    {"rack", "figures of a rack card, platforms/racks/ID.xml", rack_table, NULL, NULL, NULL},
    {"cdu", "figures of a coolant distribution unit, platforms/cdus/ID.xml", cdu_table, NULL, NULL,
     NULL},
    {"switch", "figures of a switch, platforms/switches/ID.xml", switch_table, NULL, NULL, NULL},
    {"reject", "figures of heat rejection, platforms/rejects/ID.xml", reject_table, NULL, NULL,
     NULL},
    {"gpu", "figures of a GPU package, models/gpus/ID.xml", gpu_table, NULL, NULL, NULL},
    {"lpu", "figures of an LPU package, models/lpus/ID.xml", lpu_table, NULL, NULL, NULL},
    {"cpu", "figures of a host processor, models/cpus/ID.xml", cpu_table, NULL, NULL, NULL},
    {"nic", "figures of a network interface or DPU, models/nics/ID.xml", nic_table, NULL, NULL,
     NULL},
    {"optic", "figures of an optical port, models/optics/ID.xml", optic_table, NULL, NULL, NULL},
    {"llm", "figures of a language model, models/llms/ID.xml", llm_table, NULL, NULL, NULL},
    {"profile", "figures of measured step times, models/profiles/ID.xml", profile_table, NULL, NULL,
     NULL},
    {"software", "figures of a serving engine, models/software/ID.xml", software_table, NULL, NULL,
     NULL},
};

enum {
    n_kind = sizeof kinds / sizeof *kinds,
    grammar_max_bytes = 1 << 20
};

const char *mr_schema_kind(size_t i)
{
    return i < n_kind ? kinds[i].name : NULL;
}

static const struct kind *find(const char *name)
{
    for (size_t i = 0; i < n_kind; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static int unknown(const struct mr_verb_call *call, const char *name)
{
    const char *names[n_kind];
    char quoted[MR_QUOTE_CAP], hint[96];
    for (size_t i = 0; i < n_kind; i++)
        names[i] = kinds[i].name;
    mr_text_hint(mr_str_of(name), names, n_kind, hint, sizeof hint);
    return mr_ui_usage(call->ui, "schema", "schema: no kind \"%s\"%s",
                       mr_text_quote(mr_str_of(name), quoted), hint);
}

static void print_md(const struct kind *kind, struct mr_buf *out)
{
    const struct mr_param_table *table;
    const char *element;
    mr_buf_printf(out, "# %s\n\n%s\n\n", kind->name, kind->doc);
    for (size_t i = 0; (table = kind->table(i, &element)) != NULL; i++) {
        mr_param_print_md(table, out);
        mr_buf_char(out, '\n');
    }
    if (kind->more != NULL)
        kind->more->print_md(out);
}

static void print_man(const struct kind *kind, struct mr_buf *out)
{
    struct mr_buf name = {0};
    const struct mr_param_table *table;
    const char *element;
    mr_buf_printf(&name, "millrace-%s", kind->name);
    mr_man_head(out, name.text, 5, kind->doc);
    mr_buf_fini(&name);
    if (kind->table(0, &element) != NULL)
        mr_man_line(out, ".SH DESCRIPTION\n",
                    "Every element with its attributes. Values carry their units as text, "
                    "\"45 degC\", \"1.8 TB/s\".");
    for (size_t i = 0; (table = kind->table(i, &element)) != NULL; i++)
        mr_man_params(out, table);
    if (kind->more != NULL)
        kind->more->print_man(out);
    mr_buf_text(out, ".SH SEE ALSO\n.BR millrace (1),\n.BR millrace\\-schema (1)\n");
}

static void json_row(const struct mr_param *row, struct mr_jsonw *w)
{
    struct mr_buf bounds = {0};
    mr_param_bounds(row, &bounds);
    mr_jsonw_object(w);
    mr_jsonw_key_text(w, "name", row->name);
    mr_jsonw_key_text(w, "unit",
                      row->kind == MR_PARAM_QUANTITY ? mr_unit_quantity_base(row->quantity) : NULL);
    mr_jsonw_key_text(w, "default", row->fallback);
    mr_jsonw_key_text(w, "bounds", bounds.n > 0 ? bounds.text : "");
    mr_jsonw_key_text(w, "doc", row->doc);
    mr_jsonw_end(w);
    mr_buf_fini(&bounds);
}

static void print_json(const struct kind *kind, struct mr_buf *out)
{
    const struct mr_param_table *table;
    const char *element;
    struct mr_jsonw w;
    if (kind->more != NULL && kind->more->print_json != NULL) {
        kind->more->print_json(out);
        return;
    }
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "kind", kind->name);
    mr_jsonw_key(&w, "tables");
    mr_jsonw_array(&w);
    for (size_t i = 0; (table = kind->table(i, &element)) != NULL; i++) {
        mr_jsonw_object(&w);
        mr_jsonw_key_text(&w, "name", element);
        mr_jsonw_key_text(&w, "doc", table->doc);
        mr_jsonw_key(&w, "rows");
        mr_jsonw_array(&w);
        for (size_t k = 0; k < table->n; k++)
            json_row(&table->row[k], &w);
        mr_jsonw_end(&w);
        mr_jsonw_end(&w);
    }
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

static mr_status print_rng(const struct kind *kind, struct mr_buf *out, struct mr_err *err)
{
    struct mr_buf path = {0};
    struct mr_gz *file = NULL;
    char *text = NULL;
    size_t n = 0;
    if (kind->print_rng != NULL) {
        kind->print_rng(out);
        return mr_buf_check(out, err);
    }
    mr_status st = mr_share_find(kind->rng, NULL, &path, err);
    if (st == MR_OK)
        st = mr_gz_open(path.text, &file, err);
    if (st == MR_OK)
        st = mr_gz_read_all(file, grammar_max_bytes, &text, &n, err);
    if (st == MR_OK)
        mr_buf_add(out, text, n);
    mr_free(text);
    mr_gz_close(file);
    mr_buf_fini(&path);
    return st;
}

static bool has_rng(const struct kind *kind)
{
    return kind->rng != NULL || kind->print_rng != NULL;
}

static void print_kinds(struct mr_buf *out)
{
    for (size_t i = 0; i < n_kind; i++)
        mr_buf_printf(out, "%-10s %s%s\n", kinds[i].name, kinds[i].doc,
                      has_rng(&kinds[i]) ? " (--rng)" : "");
}

int mr_schema_run(const struct mr_verb_call *call)
{
    const struct mr_schema_opts_values *opts = call->opts;
    const struct kind *kind = call->n_arg > 0 ? find(call->arg[0]) : NULL;
    struct mr_buf out = {0};
    struct mr_err err = {0};
    mr_status st = MR_OK;
    if (opts->as_json + opts->as_md + opts->as_man + opts->as_rng > 1)
        return mr_ui_usage(call->ui, "schema", "schema: one of --md, --man, --json and --rng");
    if (call->n_arg > 0 && kind == NULL)
        return unknown(call, call->arg[0]);
    if (opts->as_rng && (kind == NULL || !has_rng(kind)))
        return mr_ui_usage(call->ui, "schema", "schema: --rng: %s",
                           kind == NULL ? "of which kind?" : "this kind has no grammar");
    if ((opts->as_json || opts->as_man) && kind == NULL)
        return mr_ui_usage(call->ui, "schema", "schema: --%s: of which kind?",
                           opts->as_json ? "json" : "man");
    if (kind == NULL)
        print_kinds(&out);
    else if (opts->as_json)
        print_json(kind, &out);
    else if (opts->as_man)
        print_man(kind, &out);
    else if (opts->as_rng)
        st = print_rng(kind, &out, &err);
    else
        print_md(kind, &out);
    const int code = st == MR_OK ? mr_ui_out(call->ui, &out) : mr_ui_error(call->ui, &err);
    mr_buf_fini(&out);
    return code;
}
