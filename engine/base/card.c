/* SPDX-License-Identifier: Apache-2.0 */
/* Reading cards: the file's shape is fixed (a root element with an id and a name, figures below),
 * what the figures may be is the business of the kind's parameter table. */
#include "engine/base/card.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *doc;
} confidences[] = {
#define CONFIDENCE_ROW(name, text, doc) {text, doc},
    MR_CONFIDENCE_LIST(CONFIDENCE_ROW)
#undef CONFIDENCE_ROW
};

enum {
    n_confidence = sizeof confidences / sizeof *confidences
};

const char *mr_card_confidence_name(enum mr_confidence confidence)
{
    return confidences[confidence].name;
}

/* One card being read. */
struct reading {
    struct mr_card *card;
    struct mr_param_target target;
    char what[128];
    struct mr_diags *diags;
};

static mr_status complain(struct reading *r, mr_status st, struct mr_place at, const char *what,
                          const char *found, const char *const *names, size_t n_name)
{
    char quoted[MR_QUOTE_CAP], hint[96];
    mr_text_hint(mr_str_of(found), names, n_name, hint, sizeof hint);
    return mr_diags_add(r->diags, MR_SEVERITY_ERROR, st, at, "%s: %s \"%s\"%s", r->what, what,
                        mr_text_quote(mr_str_of(found), quoted), hint);
}

static bool read_confidence(struct reading *r, const struct mr_xml_node *node,
                            const struct mr_xml_attribute *attribute, enum mr_confidence *out)
{
    const char *names[n_confidence];
    for (size_t i = 0; i < n_confidence; i++) {
        names[i] = confidences[i].name;
        if (strcmp(attribute->value, names[i]) == 0) {
            *out = (enum mr_confidence)i;
            return true;
        }
    }
    (void)complain(r, MR_RANGE, mr_xml_attribute_place(node, attribute), "unknown confidence",
                   attribute->value, names, n_confidence);
    return false;
}

static void unknown_attributes(struct reading *r, const struct mr_xml_node *node,
                               const char *const *names, size_t n_name)
{
    for (uint32_t i = 0; i < node->n_attribute; i++) {
        const struct mr_xml_attribute *attribute = &node->attribute[i];
        size_t known = 0;
        while (known < n_name && strcmp(names[known], attribute->name) != 0)
            known++;
        if (known == n_name)
            (void)complain(r, MR_SCHEMA, mr_xml_attribute_place(node, attribute),
                           "unknown attribute", attribute->name, names, n_name);
    }
}

static const struct mr_xml_attribute *required(struct reading *r, const struct mr_xml_node *node,
                                               const char *name)
{
    const struct mr_xml_attribute *attribute = mr_xml_attribute(node, name);
    if (attribute == NULL)
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(node),
                     "%s: <%s> has no %s", r->what, node->name, name);
    return attribute;
}

static mr_status lasting(struct mr_arena *arena, const char *text, const char **out,
                         struct mr_err *err)
{
    *out = mr_arena_text(arena, mr_str_of(text != NULL ? text : ""), err);
    return *out != NULL ? MR_OK : MR_NOMEM;
}

/* Mistakes go to the diagnostics; only running out of memory is returned. */
static mr_status read_figure(struct reading *r, const struct mr_xml_node *node)
{
    static const char *const names[] = {"name", "value", "confidence", "source", "note"};
    struct mr_card *card = r->card;
    unknown_attributes(r, node, names, sizeof names / sizeof *names);
    const struct mr_xml_attribute *name = required(r, node, "name");
    const struct mr_xml_attribute *value = required(r, node, "value");
    const struct mr_xml_attribute *confidence = required(r, node, "confidence");
    const struct mr_xml_attribute *source = required(r, node, "source");
    if (name == NULL || value == NULL || confidence == NULL || source == NULL)
        return MR_OK;
    struct mr_err err = {0};
    const mr_status st = mr_param_set(&r->target, mr_str_of(name->value), mr_str_of(value->value),
                                      MR_PARAM_GIVEN, mr_xml_attribute_place(node, value), &err);
    if (st == MR_NOMEM)
        return st;
    (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
    const size_t i = mr_param_find(r->target.table, mr_str_of(name->value));
    if (i == r->target.table->n)
        return MR_OK;
    struct mr_card_figure *figure = &card->figure[i];
    figure->line = node->line;
    figure->col = node->col;
    if (!read_confidence(r, node, confidence, &figure->confidence))
        return MR_OK;
    if (source->value[0] == '\0' && figure->confidence != MR_CONFIDENCE_ASSUMPTION)
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_attribute_place(node, source),
                     "%s: %s is called %s but names no source", r->what, name->value,
                     confidence->value);
    MR_TRY(lasting(&card->arena, source->value, &figure->source, &err));
    return lasting(&card->arena, mr_xml_value(node, "note"), &figure->note, &err);
}

static mr_status read_root(struct reading *r, const struct mr_xml_node *root)
{
    static const char *const names[] = {"id", "name"}, *const children[] = {"figure"};
    struct mr_card *card = r->card;
    const char *expected = card->kind->element;
    if (strcmp(root->name, expected) != 0) {
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(root),
                     "this is a <%s>, a card <%s> is expected", root->name, expected);
        return MR_OK;
    }
    unknown_attributes(r, root, names, 2);
    const struct mr_xml_attribute *id = required(r, root, "id"), *name = required(r, root, "name");
    struct mr_err err = {0};
    MR_TRY(lasting(&card->arena, id != NULL ? id->value : "", &card->id, &err));
    MR_TRY(lasting(&card->arena, name != NULL ? name->value : "", &card->name, &err));
    snprintf(r->what, sizeof r->what, "%s \"%s\"", expected, card->id);
    for (const struct mr_xml_node *node = root->child; node != NULL; node = node->next) {
        if (strcmp(node->name, "figure") == 0)
            MR_TRY(read_figure(r, node));
        else
            (void)complain(r, MR_SCHEMA, mr_xml_place(node), "unknown element", node->name,
                           children, 1);
    }
    struct mr_err missing = {0};
    if (mr_param_complete(&r->target, mr_xml_place(root), &missing) != MR_OK)
        (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &missing);
    return MR_OK;
}

static mr_status prepare(struct mr_card *card, const char *path, struct mr_err *err)
{
    const struct mr_card_kind *kind = card->kind;
    const size_t n = kind->table->n;
    MR_TRY(lasting(&card->arena, path, &card->path, err));
    card->id = card->name = "";
    card->object = mr_arena_zero(&card->arena, 1, kind->object_bytes, err);
    card->figure = mr_arena_zero(&card->arena, n, sizeof *card->figure, err);
    card->origin = mr_arena_zero(&card->arena, n, 1, err);
    if (card->object == NULL || card->figure == NULL || card->origin == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < n; i++)
        card->figure[i] = (struct mr_card_figure){MR_CONFIDENCE_ASSUMPTION, "", "", 0, 0};
    return MR_OK;
}

static mr_status build(struct mr_xml_doc *doc, const char *path, const struct mr_card_kind *kind,
                       struct mr_card **out, struct mr_diags *diags)
{
    struct mr_err err = {0};
    mr_status st = MR_NOMEM;
    struct mr_card *card = mr_alloc_zero(1, sizeof *card);
    if (card != NULL) {
        card->kind = kind;
        st = prepare(card, path, &err);
    } else {
        (void)mr_err_nomem(&err, sizeof *card);
    }
    if (card != NULL && st == MR_OK) {
        const size_t n_error = diags->n_error;
        struct reading r = {.card = card, .diags = diags};
        r.target =
            (struct mr_param_target){kind->table, card->object, card->origin, &card->arena, r.what};
        snprintf(r.what, sizeof r.what, "%s", kind->element);
        mr_param_defaults(&r.target);
        st = read_root(&r, mr_xml_root(doc));
        if (st == MR_OK && diags->n_error == n_error && kind->check != NULL)
            kind->check(card, diags);
        if (st == MR_OK && diags->n_error > n_error)
            st = diags->first_error;
        else if (st != MR_OK)
            (void)mr_err_nomem(&err, 0);
    }
    (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    if (st != MR_OK) {
        mr_card_destroy(card);
        card = NULL;
    }
    *out = card;
    mr_xml_destroy(doc);
    return st;
}

mr_status mr_card_load(const char *path, const struct mr_card_kind *kind, struct mr_card **out,
                       struct mr_diags *diags)
{
    struct mr_xml_doc *doc;
    struct mr_err err = {0};
    *out = NULL;
    if (mr_xml_load(path, NULL, &doc, &err) != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    return build(doc, path, kind, out, diags);
}

mr_status mr_card_load_text(const char *name, struct mr_str text, const struct mr_card_kind *kind,
                            struct mr_card **out, struct mr_diags *diags)
{
    struct mr_xml_doc *doc;
    struct mr_err err = {0};
    *out = NULL;
    if (mr_xml_load_text(name, text, NULL, &doc, &err) != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    return build(doc, name, kind, out, diags);
}

void mr_card_destroy(struct mr_card *card)
{
    if (card == NULL)
        return;
    if (card->object != NULL && card->origin != NULL) {
        const struct mr_param_target target = {card->kind->table, card->object, card->origin, NULL,
                                               NULL};
        mr_param_fini(&target);
    }
    mr_arena_fini(&card->arena);
    mr_free(card);
}

static enum mr_confidence weakest(const struct mr_card *card, bool with_defaults)
{
    enum mr_confidence least = MR_CONFIDENCE_MEASURED;
    for (size_t i = 0; i < card->kind->table->n; i++)
        if (card->figure[i].confidence > least && (with_defaults || card->figure[i].line > 0))
            least = card->figure[i].confidence;
    return least;
}

enum mr_confidence mr_card_weakest(const struct mr_card *card)
{
    return weakest(card, true);
}

enum mr_confidence mr_card_weakest_stated(const struct mr_card *card)
{
    return weakest(card, false);
}

void mr_card_refuse(const struct mr_card *card, const char *figure, struct mr_diags *diags,
                    const char *fmt, ...)
{
    char text[256];
    va_list args;
    const size_t i = mr_param_find(card->kind->table, mr_str_of(figure));
    MR_ASSERT(i < card->kind->table->n);
    const struct mr_card_figure *at = &card->figure[i];
    const struct mr_place place = {card->path, at->line > 0 ? at->line : 1,
                                   at->line > 0 ? at->col : 1};
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    mr_diags_add(diags, MR_SEVERITY_ERROR, MR_RANGE, place, "%s \"%s\": %s: %s",
                 card->kind->element, card->id, figure, text);
}

void mr_card_print_md(const struct mr_card *card, struct mr_buf *out)
{
    mr_buf_printf(out,
                  "## %s: %s\n\n| figure | value | confidence | source | note |\n"
                  "|---|---|---|---|---|\n",
                  card->id, card->name);
    for (size_t i = 0; i < card->kind->table->n; i++) {
        const struct mr_param *row = &card->kind->table->row[i];
        const struct mr_card_figure *figure = &card->figure[i];
        mr_buf_printf(out, "| %s | ", row->name);
        mr_param_value(row, card->object, out);
        mr_buf_printf(out, " | %s | %s | %s |\n", confidences[figure->confidence].name,
                      figure->source, figure->line == 0 ? "default" : figure->note);
    }
}
