/* SPDX-License-Identifier: Apache-2.0 */
/* The cards that the program knows: those of the source tree or of the installation, and what
 * MILLRACE_PATH adds. Three views (all cards, one card, assumptions) in three forms (columns,
 * Markdown, JSON). Figures that a card does not state are defaults of its kind's table and count as
 * assumptions; defaults of zero say that there is none of it and are not listed as such.
 * Map: kinds - values - what follows from an LLM card - one card - all cards - assumptions. */
#include "engine/cli/models.h"

#include "engine/base/jsonw.h"
#include "engine/base/shelf.h"
#include "engine/cli/assumptions.h"
#include "engine/cli/verbs.h"
#include "models/cpu.h"
#include "models/gpu.h"
#include "models/llm.h"
#include "models/lpu.h"
#include "models/nic.h"
#include "models/optic.h"
#include "models/profile.h"
#include "models/software.h"
#include "models/work.h"
#include "platforms/library.h"

#include <stdio.h>

static const struct mr_opt opts[] = {
    {MR_PARAM_YES(struct mr_models_opts_values, as_md, "md", "no", "Markdown tables"), 0, NULL},
    {MR_PARAM_YES(struct mr_models_opts_values, as_json, "json", "no", "One JSON value"), 0, NULL},
    {MR_PARAM_YES(struct mr_models_opts_values, assumptions, "assumptions", "no",
                  "Only figures that have no source, of all cards or of one"),
     0, NULL},
};

const struct mr_opt_table mr_models_opts = {opts, sizeof opts / sizeof *opts};

/* ---- kinds, and the figures to know one of their cards by ---- */

enum {
    n_key = 4
};

static const struct shelf {
    const struct mr_card_kind *kind;
    const char *key[n_key]; /* NULL: fewer */
} shelves[] = {
    {&mr_gpu_kind, {"fp4", "memory", "memory.bandwidth", "power.max_p"}},
    {&mr_lpu_kind, {"fp8", "sram", "sram.bandwidth", "power.max_p"}},
    {&mr_cpu_kind, {"cores", "memory", "c2c.bandwidth", "power.max"}},
    {&mr_nic_kind, {"role", "port.bandwidth", "latency", "power"}},
    {&mr_optic_kind, {"port.bandwidth", "power", "loss"}},
    {&mr_llm_kind, {"parameters", "parameters.active", "layers", "attention"}},
    {&mr_profile_kind, {"form", "t0", "error"}},
    {&mr_software_kind, {"block", "chunk", "memory.dense", "flop.dense"}},
    {&mr_rack_kind, {"packages", "package.card", "power.max_p", "bus.voltage"}},
    {&mr_cdu_kind, {"capacity", "approach", "flow.it"}},
    {&mr_switch_kind, {"ports", "port.bandwidth", "latency", "power"}},
    {&mr_reject_kind, {"kind", "capacity", "electric"}},
};

enum {
    n_shelf = sizeof shelves / sizeof *shelves
};

struct cards {
    struct mr_shelf *shelf;
    struct mr_shelf_list ids[n_shelf];
    struct mr_diags diags;
};

static mr_status cards_init(struct cards *cards, struct mr_err *err)
{
    MR_TRY(mr_shelf_create(&cards->shelf, err));
    for (size_t i = 0; i < n_shelf; i++)
        MR_TRY(mr_shelf_list_add(&cards->ids[i], shelves[i].kind, NULL, err));
    return MR_OK;
}

static void cards_fini(struct cards *cards)
{
    for (size_t i = 0; i < n_shelf; i++)
        mr_shelf_list_fini(&cards->ids[i]);
    mr_shelf_destroy(cards->shelf);
}

static const struct mr_card *card_of(struct cards *cards, size_t shelf, size_t i)
{
    return mr_shelf_card(cards->shelf, shelves[shelf].kind, cards->ids[shelf].id[i], MR_NOWHERE,
                         &cards->diags);
}

/* ---- values ---- */

/* Large plain numbers as files have them: 671e9. */
static void add_count(double value, struct mr_buf *out)
{
    char text[MR_UNIT_CAP];
    const bool is_tera = value >= 1e12;
    if (value < 1e9)
        mr_unit_human(value, MR_Q_COUNT, 9, text);
    else
        mr_unit_human(value / (is_tera ? 1e12 : 1e9), MR_Q_COUNT, 6, text);
    mr_buf_printf(out, "%s%s", text, value < 1e9 ? "" : is_tera ? "e12" : "e9");
}

static void add_quantity(double value, enum mr_quantity q, struct mr_buf *out)
{
    char text[MR_UNIT_CAP];
    if (q == MR_Q_COUNT) {
        add_count(value, out);
        return;
    }
    mr_unit_human(value, q, 6, text);
    mr_buf_text(out, text);
}

/* In the unit people use; "-" for texts that are not given. */
static void add_value(const struct mr_param *row, const void *object, struct mr_buf *out)
{
    const size_t before = out->n;
    const char *field = (const char *)object + row->offset;
    if (row->kind == MR_PARAM_QUANTITY)
        add_quantity(*(const double *)(const void *)field, row->quantity, out);
    else
        mr_param_value(row, object, out);
    if (out->n == before)
        mr_buf_char(out, '-');
}

/* The number in base units, or the text. */
static void json_value(const struct mr_param *row, const void *object, struct mr_jsonw *w)
{
    struct mr_buf text = {0};
    const char *field = (const char *)object + row->offset;
    mr_jsonw_key(w, "value");
    if (row->kind == MR_PARAM_QUANTITY) {
        mr_jsonw_f64(w, *(const double *)(const void *)field);
    } else if (row->kind == MR_PARAM_COUNT) {
        mr_jsonw_u64(w, *(const uint64_t *)(const void *)field);
    } else {
        mr_param_value(row, object, &text);
        mr_jsonw_text(w, text.n > 0 ? text.text : NULL);
    }
    mr_jsonw_key_text(w, "unit", mr_unit_quantity_base(row->quantity));
    mr_buf_clear(&text);
    add_value(row, object, &text);
    mr_jsonw_key_text(w, "text", text.n > 0 ? text.text : "");
    if (text.status != MR_OK)
        w->buf->status = text.status;
    mr_buf_fini(&text);
}

static const char *note_of(const struct mr_card_figure *figure)
{
    return figure->line > 0 ? figure->note : "default";
}

/* ---- what follows from an LLM card ---- */

struct derived {
    const char *name;
    double value;
    enum mr_quantity quantity;
};

enum {
    derived_max = 16
};

static size_t derive(const struct mr_card *card, struct derived out[derived_max])
{
    if (card->kind != &mr_llm_kind)
        return 0;
    const struct mr_llm_card *llm = mr_llm_of(card);
    const double n_weight = mr_llm_elements(llm);
    const struct derived all[] = {
        {"KV per token, bf16", llm->kv_elements_per_token * 2, MR_Q_DATA},
        {"KV per token, fp8", llm->kv_elements_per_token, MR_Q_DATA},
        {"index per token", llm->indexer_bytes_per_token, MR_Q_DATA},
        {"windows per sequence, bf16", llm->window_elements * 2, MR_Q_DATA},
        {"state per sequence", llm->state_bytes, MR_Q_DATA},
        {"weights, from the shape", n_weight, MR_Q_COUNT},
        {"weights per token, from the shape", mr_llm_active_elements(llm), MR_Q_COUNT},
#define WEIGHTS_ROW(name, text, bytes) {"weights, " text, n_weight * (bytes), MR_Q_DATA},
        MR_FORMAT_LIST(WEIGHTS_ROW)
#undef WEIGHTS_ROW
    };
    memcpy(out, all, sizeof all);
    return sizeof all / sizeof *all;
}

/* ---- one card ---- */

/* Columns end where the widest cell ends; the last one is not filled up. */
static void add_cell(const char *text, size_t width, struct mr_buf *out)
{
    mr_buf_printf(out, "%-*s", (int)width, text);
    mr_buf_text(out, "  ");
}

static void end_line(struct mr_buf *out)
{
    while (out->n > 0 && out->text[out->n - 1] == ' ')
        out->text[--out->n] = '\0';
    mr_buf_char(out, '\n');
}

/* Nobody gave them, and the default is that there is none. */
static bool is_not_given(const struct mr_card *card, size_t row)
{
    return card->figure[row].line == 0 && !mr_assumptions_is(card, row);
}

static void print_not_given(const struct mr_card *card, struct mr_buf *out)
{
    bool is_first = true;
    for (size_t i = 0; i < card->kind->table->n; i++) {
        if (!is_not_given(card, i))
            continue;
        mr_buf_printf(out, "%s%s", is_first ? "not given: " : ", ", card->kind->table->row[i].name);
        is_first = false;
    }
    if (!is_first)
        mr_buf_char(out, '\n');
}

static void print_card(const struct mr_card *card, struct mr_buf *out)
{
    struct derived derived[derived_max];
    struct mr_buf value = {0};
    const size_t n = derive(card, derived);
    mr_buf_printf(out, "%s: %s (%s)\n", card->id, card->name, card->kind->element);
    for (size_t i = 0; i < card->kind->table->n; i++) {
        const struct mr_card_figure *figure = &card->figure[i];
        if (is_not_given(card, i))
            continue;
        mr_buf_clear(&value);
        add_value(&card->kind->table->row[i], card->object, &value);
        add_cell(card->kind->table->row[i].name, 20, out);
        add_cell(value.n > 0 ? value.text : "", 16, out);
        add_cell(mr_card_confidence_name(figure->confidence), 10, out);
        add_cell(figure->source, 26, out);
        mr_buf_text(out, note_of(figure));
        end_line(out);
    }
    print_not_given(card, out);
    if (n > 0)
        mr_buf_text(out, "what follows\n");
    for (size_t i = 0; i < n; i++) {
        add_cell(derived[i].name, 34, out);
        add_quantity(derived[i].value, derived[i].quantity, out);
        mr_buf_char(out, '\n');
    }
    if (value.status != MR_OK)
        out->status = value.status;
    mr_buf_fini(&value);
}

static void md_card(const struct mr_card *card, struct mr_buf *out)
{
    struct derived derived[derived_max];
    const size_t n = derive(card, derived);
    mr_card_print_md(card, out);
    if (n > 0)
        mr_buf_text(out, "\n| what follows | value |\n|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        mr_buf_printf(out, "| %s | ", derived[i].name);
        add_quantity(derived[i].value, derived[i].quantity, out);
        mr_buf_text(out, " |\n");
    }
}

static void json_head(const struct mr_card *card, struct mr_jsonw *w)
{
    mr_jsonw_key_text(w, "id", card->id);
    mr_jsonw_key_text(w, "name", card->name);
    mr_jsonw_key_text(w, "kind", card->kind->element);
    mr_jsonw_key_text(w, "weakest", mr_card_confidence_name(mr_card_weakest_stated(card)));
}

static void json_figure(const struct mr_card *card, size_t row, struct mr_jsonw *w)
{
    const struct mr_card_figure *figure = &card->figure[row];
    mr_jsonw_key_text(w, "figure", card->kind->table->row[row].name);
    json_value(&card->kind->table->row[row], card->object, w);
    mr_jsonw_key_text(w, "confidence", mr_card_confidence_name(figure->confidence));
    mr_jsonw_key_text(w, "source", figure->source);
    mr_jsonw_key_text(w, "note", figure->note);
    mr_jsonw_key_bool(w, "default", figure->line == 0);
}

static void json_card(const struct mr_card *card, struct mr_jsonw *w)
{
    struct derived derived[derived_max];
    const size_t n = derive(card, derived);
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "schema", 1);
    json_head(card, w);
    mr_jsonw_key(w, "figures");
    mr_jsonw_array(w);
    for (size_t i = 0; i < card->kind->table->n; i++) {
        mr_jsonw_object(w);
        json_figure(card, i, w);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
    mr_jsonw_key(w, "derived");
    mr_jsonw_array(w);
    for (size_t i = 0; i < n; i++) {
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "name", derived[i].name);
        mr_jsonw_key_f64(w, "value", derived[i].value);
        mr_jsonw_key_text(w, "unit", mr_unit_quantity_base(derived[i].quantity));
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
    mr_jsonw_end(w);
}

/* ---- all cards ---- */

static void add_keys(const struct shelf *shelf, const struct mr_card *card, struct mr_buf *out)
{
    for (size_t k = 0; k < n_key && shelf->key[k] != NULL; k++) {
        const size_t row = mr_param_find(card->kind->table, mr_str_of(shelf->key[k]));
        mr_buf_printf(out, "%s%s ", k > 0 ? ", " : "", shelf->key[k]);
        add_value(&card->kind->table->row[row], card->object, out);
    }
}

static void print_row(const struct shelf *shelf, const struct mr_card *card, bool as_md,
                      struct mr_buf *out)
{
    const char *weakest = mr_card_confidence_name(mr_card_weakest_stated(card));
    if (as_md) {
        mr_buf_printf(out, "| %s | %s | %s | %s | ", card->id, card->kind->element, weakest,
                      card->name);
        add_keys(shelf, card, out);
        mr_buf_text(out, " |\n");
        return;
    }
    add_cell(card->id, 26, out);
    add_cell(card->kind->element, 8, out);
    add_cell(weakest, 10, out);
    add_cell(card->name, 45, out);
    add_keys(shelf, card, out);
    end_line(out);
}

static void json_row(const struct shelf *shelf, const struct mr_card *card, struct mr_jsonw *w)
{
    mr_jsonw_object(w);
    json_head(card, w);
    mr_jsonw_key(w, "figures");
    mr_jsonw_array(w);
    for (size_t k = 0; k < n_key && shelf->key[k] != NULL; k++) {
        mr_jsonw_object(w);
        json_figure(card, mr_param_find(card->kind->table, mr_str_of(shelf->key[k])), w);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
    mr_jsonw_end(w);
}

/* ---- assumptions ---- */

/* One line; `of` is the card, or all cards of a kind. */
static void print_assumption(const char *of, const struct mr_card *card, size_t row, bool as_md,
                             struct mr_buf *out)
{
    const struct mr_param *param = &card->kind->table->row[row];
    const char *note = note_of(&card->figure[row]);
    struct mr_buf value = {0};
    add_value(param, card->object, &value);
    const char *text = value.n > 0 ? value.text : "";
    if (as_md) {
        mr_buf_printf(out, "| %s | %s | %s | %s |\n", of, param->name, text, note);
    } else {
        add_cell(of, 26, out);
        add_cell(param->name, 20, out);
        add_cell(text, 16, out);
        mr_buf_text(out, note);
        end_line(out);
    }
    if (value.status != MR_OK)
        out->status = value.status;
    mr_buf_fini(&value);
}

static void add_assumption(const char *of, const struct mr_card *card, size_t row,
                           const struct mr_models_opts_values *opt, struct mr_jsonw *w)
{
    if (!opt->as_json) {
        print_assumption(of, card, row, opt->as_md, w->buf);
        return;
    }
    mr_jsonw_object(w);
    mr_jsonw_key_text(w, "card", of);
    mr_jsonw_key_text(w, "kind", card->kind->element);
    json_figure(card, row, w);
    mr_jsonw_end(w);
}

static void stated_assumptions(const struct mr_card *card, const struct mr_models_opts_values *opt,
                               struct mr_jsonw *w)
{
    for (size_t row = 0; row < card->kind->table->n; row++)
        if (card->figure[row].line > 0 && mr_assumptions_is(card, row))
            add_assumption(card->id, card, row, opt, w);
}

static void default_assumptions(const struct mr_card *card, const struct mr_models_opts_values *opt,
                                struct mr_jsonw *w)
{
    for (size_t row = 0; row < card->kind->table->n; row++)
        if (card->figure[row].line == 0 && mr_assumptions_is(card, row))
            add_assumption(card->id, card, row, opt, w);
}

/* Once for all cards of a kind that leave them out. */
static void kind_assumptions(struct cards *cards, size_t shelf,
                             const struct mr_models_opts_values *opt, struct mr_jsonw *w)
{
    char of[64];
    const struct mr_card_kind *kind = shelves[shelf].kind;
    snprintf(of, sizeof of, "any %s", kind->element);
    for (size_t row = 0; row < kind->table->n; row++)
        for (size_t i = 0; i < cards->ids[shelf].n; i++) {
            const struct mr_card *card = card_of(cards, shelf, i);
            if (card == NULL || card->figure[row].line > 0 || !mr_assumptions_is(card, row))
                continue;
            add_assumption(of, card, row, opt, w);
            break;
        }
}

/* ---- the verb ---- */

static void show_one(const struct mr_card *card, const struct mr_models_opts_values *opt,
                     struct mr_jsonw *w)
{
    if (opt->as_json)
        json_card(card, w);
    else if (opt->as_md)
        md_card(card, w->buf);
    else
        print_card(card, w->buf);
}

static void show_header(const struct mr_models_opts_values *opt, struct mr_jsonw *w)
{
    if (opt->as_json)
        mr_jsonw_array(w);
    else if (opt->as_md)
        mr_buf_text(w->buf, opt->assumptions
                                ? "| card | figure | value | note |\n|---|---|---|---|\n"
                                : "| id | kind | weakest | name | figures |\n"
                                  "|---|---|---|---|---|\n");
}

static void show_row(const struct shelf *shelf, const struct mr_card *card,
                     const struct mr_models_opts_values *opt, struct mr_jsonw *w)
{
    if (opt->assumptions)
        stated_assumptions(card, opt, w);
    else if (opt->as_json)
        json_row(shelf, card, w);
    else
        print_row(shelf, card, opt->as_md, w->buf);
}

static void show_all(struct cards *cards, const struct mr_models_opts_values *opt,
                     struct mr_jsonw *w)
{
    for (size_t s = 0; s < n_shelf; s++) {
        for (size_t i = 0; i < cards->ids[s].n; i++) {
            const struct mr_card *card = card_of(cards, s, i);
            if (card != NULL)
                show_row(&shelves[s], card, opt, w);
        }
        if (opt->assumptions)
            kind_assumptions(cards, s, opt, w);
    }
}

static mr_status find(struct cards *cards, const char *name, const struct mr_card **out,
                      struct mr_err *err)
{
    struct mr_shelf_list all = {0};
    char quoted[MR_QUOTE_CAP], hint[160] = "";
    mr_status st = MR_OK;
    *out = NULL;
    for (size_t s = 0; s < n_shelf; s++)
        for (size_t i = 0; i < cards->ids[s].n; i++)
            if (strcmp(cards->ids[s].id[i], name) == 0) {
                *out = card_of(cards, s, i);
                return MR_OK;
            }
    for (size_t s = 0; s < n_shelf && st == MR_OK; s++)
        st = mr_shelf_list_add(&all, shelves[s].kind, NULL, err);
    if (st == MR_OK) {
        mr_text_hint(mr_str_of(name), (const char *const *)all.id, all.n, hint, sizeof hint);
        st = mr_err_set(err, MR_REF, MR_NOWHERE, "no card \"%s\"%s; millrace models lists them",
                        mr_text_quote(mr_str_of(name), quoted), hint);
    }
    mr_shelf_list_fini(&all);
    return st;
}

static mr_status show(struct cards *cards, const struct mr_verb_call *call, struct mr_jsonw *w,
                      struct mr_err *err)
{
    const struct mr_models_opts_values *opt = call->opts;
    const struct mr_card *card = NULL;
    MR_TRY(cards_init(cards, err));
    if (call->n_arg > 0)
        MR_TRY(find(cards, call->arg[0], &card, err));
    if (call->n_arg > 0 && card == NULL) /* it is there but wrong: in the diagnostics */
        return MR_OK;
    if (card != NULL && !opt->assumptions) {
        show_one(card, opt, w);
    } else {
        show_header(opt, w);
        if (card == NULL) {
            show_all(cards, opt, w);
        } else {
            stated_assumptions(card, opt, w);
            default_assumptions(card, opt, w);
        }
        if (opt->as_json)
            mr_jsonw_end(w);
    }
    if (opt->as_json)
        mr_buf_char(w->buf, '\n');
    return MR_OK;
}

int mr_models_run(const struct mr_verb_call *call)
{
    const struct mr_models_opts_values *opt = call->opts;
    struct cards cards = {0};
    struct mr_buf out = {0};
    struct mr_err err = {0};
    struct mr_jsonw w;
    if (opt->as_json && opt->as_md)
        return mr_ui_usage(call->ui, "models", "models: one of --md and --json");
    mr_jsonw_init(&w, &out, 2);
    int code;
    if (show(&cards, call, &w, &err) != MR_OK) {
        code = mr_ui_error(call->ui, &err);
    } else {
        const int wrong = mr_ui_diags(call->ui, &cards.diags);
        code = mr_ui_out(call->ui, &out);
        code = code != 0 ? code : wrong;
    }
    cards_fini(&cards);
    mr_buf_fini(&out);
    return code;
}
