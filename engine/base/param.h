/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters as tables. One row says name, field, unit, bounds, default and one sentence; from it
 * come parsing, range checks, --help, reference pages, the RELAX NG of its attributes and the
 * effective configuration. Texts carry units ("45 degC"); fields hold the base unit of their
 * quantity. A row without a sentence does not compile. */
#ifndef MR_ENGINE_BASE_PARAM_H
#define MR_ENGINE_BASE_PARAM_H

#include "engine/base/arena.h"
#include "engine/base/unit.h"

#include <math.h>

enum mr_param_kind {
    MR_PARAM_QUANTITY, /* double in the base unit of `quantity` */
    MR_PARAM_COUNT,    /* uint64_t */
    MR_PARAM_BOOL,     /* bool: yes, no */
    MR_PARAM_TEXT,     /* const char *, NULL when not given */
    MR_PARAM_CHOICE,   /* int: index into `choices` */
    MR_PARAM_LIST      /* struct mr_param_list: may be given several times */
};

struct mr_param_list {
    const char **item; /* owned here; the texts are lent or in the reader's arena */
    size_t n, cap;
};

#define MR_UNBOUNDED HUGE_VAL

struct mr_param {
    const char *name, *doc;
    const char *fallback; /* default as text; NULL: must be given (TEXT and LIST: may be absent) */
    size_t offset;
    enum mr_param_kind kind;
    enum mr_quantity quantity;
    double min, max; /* inclusive, base unit; counts too. -+MR_UNBOUNDED: none */
    const char *const *choices;
    size_t n_choice;
};

/* A named group of rows that fills one struct. */
struct mr_param_table {
    const char *name, *doc;
    const struct mr_param *row;
    size_t n;
};

/* The checked sentence of a row: a literal of at least ten characters. */
#define MR_PARAM_DOC(doc) (&("" doc)[0 * sizeof(char[sizeof(doc) > 10 ? 1 : -1])])

#define MR_PARAM_FIELD(type, field, ctype)                                                   \
    (offsetof(type, field) + 0 * sizeof(char[_Generic(((type *)0)->field, ctype : 1, default \
                                                      : -1)]))

// clang-format off
#define MR_PARAM(type, field, name_, q, fallback_, min_, max_, doc_)                              \
    {.name = (name_), .doc = MR_PARAM_DOC(doc_), .fallback = (fallback_),                          \
     .offset = MR_PARAM_FIELD(type, field, double), .kind = MR_PARAM_QUANTITY, .quantity = (q),    \
     .min = (min_), .max = (max_)}
#define MR_PARAM_N(type, field, name_, fallback_, min_, max_, doc_)                                \
    {.name = (name_), .doc = MR_PARAM_DOC(doc_), .fallback = (fallback_),                          \
     .offset = MR_PARAM_FIELD(type, field, uint64_t), .kind = MR_PARAM_COUNT,                      \
     .quantity = MR_Q_COUNT, .min = (min_), .max = (max_)}
#define MR_PARAM_YES(type, field, name_, fallback_, doc_)                                          \
    {.name = (name_), .doc = MR_PARAM_DOC(doc_), .fallback = (fallback_),                          \
     .offset = MR_PARAM_FIELD(type, field, bool), .kind = MR_PARAM_BOOL, .quantity = MR_Q_COUNT}
#define MR_PARAM_STR(type, field, name_, fallback_, doc_)                                          \
    {.name = (name_), .doc = MR_PARAM_DOC(doc_), .fallback = (fallback_),                          \
     .offset = MR_PARAM_FIELD(type, field, const char *), .kind = MR_PARAM_TEXT,                   \
     .quantity = MR_Q_COUNT}
#define MR_PARAM_ONE_OF(type, field, name_, names, fallback_, doc_)                                \
    {.name = (name_), .doc = MR_PARAM_DOC(doc_), .fallback = (fallback_),                          \
     .offset = MR_PARAM_FIELD(type, field, int), .kind = MR_PARAM_CHOICE, .quantity = MR_Q_COUNT,  \
     .choices = (names), .n_choice = sizeof(names) / sizeof *(names)}
#define MR_PARAM_MANY(type, field, name_, doc_)                                                    \
    {.name = (name_), .doc = MR_PARAM_DOC(doc_),                                                   \
     .offset = MR_PARAM_FIELD(type, field, struct mr_param_list), .kind = MR_PARAM_LIST,           \
     .quantity = MR_Q_COUNT}
// clang-format on

/* Where a value came from, one byte per row of a table. */
enum mr_param_origin {
    MR_PARAM_ABSENT,
    MR_PARAM_DEFAULTED,
    MR_PARAM_GIVEN,
    MR_PARAM_OVERRIDDEN
};

/* One struct being filled. `what` names the object in messages, e.g. `cdu "C1"`. */
struct mr_param_target {
    const struct mr_param_table *table;
    void *object;
    uint8_t *origin;        /* table->n bytes */
    struct mr_arena *texts; /* copies of TEXT and LIST values; NULL: they are lent */
    const char *what;
};

/** Fill every field with its default. Asserts that every default of the table is valid. */
void mr_param_defaults(const struct mr_param_target *target);

/** Set one field from text. Unknown names (with a hint), bad units, values out of bounds and second
 *  settings of the same origin are errors that name place, value and cure. */
MR_CHECKED mr_status mr_param_set(const struct mr_param_target *target, struct mr_str name,
                                  struct mr_str value, enum mr_param_origin origin,
                                  struct mr_place at, struct mr_err *err);

/** After all settings: an error naming the first row that must be given and was not. */
MR_CHECKED mr_status mr_param_complete(const struct mr_param_target *target, struct mr_place at,
                                       struct mr_err *err);

/** Frees what LIST fields own. */
void mr_param_fini(const struct mr_param_target *target);

/** Row index by name, or table->n. */
size_t mr_param_find(const struct mr_param_table *table, struct mr_str name);

/** The field's value as text that mr_param_set reads back to the same bits. Lists: joined by
 * spaces. */
void mr_param_value(const struct mr_param *row, const void *object, struct mr_buf *out);

/** Bounds in words: "5 degC .. 80 degC", ">= 1", "one of a, b"; empty when there are none. */
void mr_param_bounds(const struct mr_param *row, struct mr_buf *out);

/** What a value of the row is: "temperature", "whole number". */
const char *mr_param_kind_name(const struct mr_param *row);

/** What stands for the default of a row that has none: "none", "must be given". */
const char *mr_param_without_default(const struct mr_param *row);

/** Reference page: a heading, the table's sentence, one Markdown row per parameter. */
void mr_param_print_md(const struct mr_param_table *table, struct mr_buf *out);

/** RELAX NG <attribute> patterns, optional where there is a default, one per line. */
void mr_param_print_rng(const struct mr_param_table *table, int indent, struct mr_buf *out);

#endif
