/* SPDX-License-Identifier: Apache-2.0 */
/* Cards: one XML file per product, every figure with its source and the confidence in it.
 *
 *   <rack id="vr_nvl72" name="Vera Rubin NVL72 (Oberon)">
 *    <figure name="packages" value="72" confidence="published" source="nvidia-vera-rubin"/>
 *    <figure name="power.max_q" value="190 kW" confidence="press" source="semianalysis-vr"
 *            note="the vendor publishes no rack power"/>
 *   </rack>
 *
 * Figures fill a struct by its parameter table (param.h); a figure that the card leaves out keeps
 * the table's default, whose confidence is "assumption". */
#ifndef MR_ENGINE_BASE_CARD_H
#define MR_ENGINE_BASE_CARD_H

#include "engine/base/param.h"
#include "engine/base/xml.h"

/* In falling order of trust. */
#define MR_CONFIDENCE_LIST(X)                                                \
    X(MEASURED, "measured", "recorded on hardware by the source")            \
    X(PUBLISHED, "published", "stated by the maker or a reproducible model") \
    X(PRESS, "press", "analyst or press, no primary confirmation")           \
    X(ESTIMATED, "estimated", "arithmetic of this project or interpolation") \
    X(ASSUMPTION, "assumption", "no source: overridable, listed with every run")

enum mr_confidence {
#define MR_CONFIDENCE_ENUM(name, text, doc) MR_CONFIDENCE_##name,
    MR_CONFIDENCE_LIST(MR_CONFIDENCE_ENUM)
#undef MR_CONFIDENCE_ENUM
};

/* Where one figure comes from. Texts live in the card's arena; "" when there is none. */
struct mr_card_figure {
    enum mr_confidence confidence;
    const char *source, *note;
    int line, col; /* of the figure; 0: the table's default */
};

struct mr_card;

/* What a kind of card looks like. */
struct mr_card_kind {
    const char *element; /* name of the root element, "rack" */
    const char *folder;  /* where its files are, "platforms/racks" */
    const struct mr_param_table *table;
    size_t object_bytes;
    /* What rows alone cannot say; called for a card without other mistakes. NULL: nothing */
    void (*check)(const struct mr_card *card, struct mr_diags *diags);
};

struct mr_card {
    const char *id, *name, *path;
    const struct mr_card_kind *kind;
    void *object;                  /* kind->object_bytes, filled by the table */
    struct mr_card_figure *figure; /* one per row of the table */
    uint8_t *origin;               /* enum mr_param_origin per row */
    struct mr_arena arena;
};

const char *mr_card_confidence_name(enum mr_confidence confidence);

/** Load one card. All mistakes of the file are added to `diags`; on error *out is NULL.
 *  @param[out] out owned by the caller: mr_card_destroy */
MR_CHECKED mr_status mr_card_load(const char *path, const struct mr_card_kind *kind,
                                  struct mr_card **out, struct mr_diags *diags);

/** As mr_card_load, from text under a name. */
MR_CHECKED mr_status mr_card_load_text(const char *name, struct mr_str text,
                                       const struct mr_card_kind *kind, struct mr_card **out,
                                       struct mr_diags *diags);
void mr_card_destroy(struct mr_card *card);

/** Figures as a Markdown table: name, value, confidence, source, note. */
void mr_card_print_md(const struct mr_card *card, struct mr_buf *out);

/** The least trusted confidence among the card's figures; defaults count as assumptions. */
enum mr_confidence mr_card_weakest(const struct mr_card *card);

/** The same among the figures that the card states. */
enum mr_confidence mr_card_weakest_stated(const struct mr_card *card);

/** For checks: an error (MR_RANGE) `ELEMENT "ID": FIGURE: ...` at that figure of the card. */
void mr_card_refuse(const struct mr_card *card, const char *figure, struct mr_diags *diags,
                    const char *fmt, ...) MR_PRINTF(4, 5);

#endif
