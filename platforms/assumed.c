/* SPDX-License-Identifier: Apache-2.0 */
/* The distinct cards of racks, CDUs and heat rejection in the order of first use, each walked row
 * by row of its table. */
#include "platforms/assumed.h"

#include "engine/base/mem.h"

/* Distinct cards of a site. */
struct cards {
    const struct mr_card **item;
    size_t n, cap;
    struct mr_library *library;
    struct mr_diags *diags; /* of the library: a site may name cards that are not here */
};

static mr_status add(struct cards *cards, const struct mr_card_kind *kind, const char *id,
                     const struct mr_site *site, struct mr_spot at)
{
    struct mr_diags missing = {0};
    if (id == NULL || id[0] == '\0')
        return MR_OK;
    for (size_t i = cards->n; i-- > 0;) /* the last one mostly */
        if (cards->item[i]->kind == kind && strcmp(cards->item[i]->id, id) == 0)
            return MR_OK;
    const struct mr_place place = {site->path, at.line, at.col};
    const struct mr_card *card = mr_library_card(cards->library, kind, id, place, &missing);
    for (size_t i = 0; i < missing.n_item; i++)
        (void)mr_diags_add_err(cards->diags, MR_SEVERITY_WARNING, &missing.item[i].err);
    if (missing.first_error == MR_NOMEM)
        return MR_NOMEM;
    if (card == NULL)
        return MR_OK;
    MR_TRY(mr_grow(&cards->item, &cards->cap, cards->n + 1, sizeof(struct mr_card *), NULL));
    cards->item[cards->n++] = card;
    return MR_OK;
}

static mr_status collect(struct cards *cards, const struct mr_site *site)
{
    MR_TRY(mr_library_create(&cards->library, NULL));
    for (size_t i = 0; i < site->n_rack; i++)
        MR_TRY(add(cards, &mr_rack_kind, site->rack[i].card, site, site->rack[i].at));
    for (size_t i = 0; i < site->n_cdu; i++)
        MR_TRY(add(cards, &mr_cdu_kind, site->cdu[i].card, site, site->cdu[i].at));
    for (size_t i = 0; i < site->n_rejector; i++)
        MR_TRY(add(cards, &mr_reject_kind, site->rejector[i].card, site, site->rejector[i].at));
    return MR_OK;
}

static void cards_fini(struct cards *cards)
{
    mr_free(cards->item);
    mr_library_destroy(cards->library);
}

static bool is_weak(const struct mr_card *card, size_t row, enum mr_confidence confidence)
{
    return card->figure[row].line > 0 && card->figure[row].confidence == confidence;
}

static const enum mr_confidence weak[] = {MR_CONFIDENCE_PRESS, MR_CONFIDENCE_ESTIMATED,
                                          MR_CONFIDENCE_ASSUMPTION};

/* In the unit people use. */
static void print_value(const struct mr_card *card, const struct mr_param *row, struct mr_buf *out)
{
    char text[MR_UNIT_CAP];
    if (row->kind != MR_PARAM_QUANTITY) {
        mr_param_value(row, card->object, out);
        return;
    }
    const char *field = (const char *)card->object + row->offset;
    mr_unit_human(*(const double *)(const void *)field, row->quantity, 4, text);
    mr_buf_text(out, text);
}

static void print_card(const struct mr_card *card, enum mr_confidence confidence,
                       struct mr_buf *out)
{
    const struct mr_param_table *table = card->kind->table;
    bool is_first = true;
    for (size_t i = 0; i < table->n; i++) {
        if (!is_weak(card, i, confidence))
            continue;
        if (is_first)
            mr_buf_printf(out, "  %-20s %s: ", card->id, mr_card_confidence_name(confidence));
        else
            mr_buf_text(out, ", ");
        mr_buf_printf(out, "%s ", table->row[i].name);
        print_value(card, &table->row[i], out);
        is_first = false;
    }
    if (!is_first)
        mr_buf_char(out, '\n');
}

mr_status mr_assumed_print(const struct mr_site *site, struct mr_buf *out, struct mr_diags *diags)
{
    struct cards cards = {.diags = diags};
    const mr_status st = collect(&cards, site);
    if (st == MR_OK && cards.n > 0)
        mr_buf_text(out, "card figures that nobody published\n");
    for (size_t i = 0; st == MR_OK && i < cards.n; i++)
        for (size_t k = 0; k < sizeof weak / sizeof *weak; k++)
            print_card(cards.item[i], weak[k], out);
    cards_fini(&cards);
    return st;
}

static void json_figure(const struct mr_card *card, size_t row, struct mr_jsonw *w)
{
    const struct mr_card_figure *figure = &card->figure[row];
    struct mr_buf value = {0};
    mr_param_value(&card->kind->table->row[row], card->object, &value);
    mr_jsonw_object(w);
    mr_jsonw_key_text(w, "card", card->id);
    mr_jsonw_key_text(w, "figure", card->kind->table->row[row].name);
    mr_jsonw_key_text(w, "value", value.n > 0 ? value.text : "");
    mr_jsonw_key_text(w, "confidence", mr_card_confidence_name(figure->confidence));
    mr_jsonw_key_text(w, "source", figure->source);
    mr_jsonw_key_text(w, "note", figure->note);
    mr_jsonw_end(w);
    mr_buf_fini(&value);
}

mr_status mr_assumed_json(const struct mr_site *site, struct mr_jsonw *w, struct mr_diags *diags)
{
    struct cards cards = {.diags = diags};
    const mr_status st = collect(&cards, site);
    mr_jsonw_array(w);
    for (size_t i = 0; st == MR_OK && i < cards.n; i++)
        for (size_t row = 0; row < cards.item[i]->kind->table->n; row++)
            for (size_t k = 0; k < sizeof weak / sizeof *weak; k++)
                if (is_weak(cards.item[i], row, weak[k]))
                    json_figure(cards.item[i], row, w);
    mr_jsonw_end(w);
    cards_fini(&cards);
    return st;
}
