/* SPDX-License-Identifier: Apache-2.0 */
/* Parameter tables: set, check, print. A kind is one row of `kinds`: how its text is read into a
 * field and written back; nothing else in the program switches on the kind. */
#include "engine/base/param.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <math.h>
#include <stdio.h>

enum {
    names_max = 128
};

/* Everything a reader of one value needs. */
struct reading {
    const struct mr_param_target *target;
    const struct mr_param *row;
    struct mr_str value;
    struct mr_place at;
    struct mr_err *err;
};

static void *field_of(const struct mr_param *row, void *object)
{
    return (char *)object + row->offset;
}

static const void *const_field_of(const struct mr_param *row, const void *object)
{
    return (const char *)object + row->offset;
}

/* `cdu "C1": supply "200 degC": `, the start of every message */
static const char *subject(const struct reading *r, char out[256])
{
    char quoted[MR_QUOTE_CAP];
    snprintf(out, 256, "%s%s%s \"%s\"", r->target->what != NULL ? r->target->what : "",
             r->target->what != NULL ? ": " : "", r->row->name, mr_text_quote(r->value, quoted));
    return out;
}

static mr_status out_of_bounds(const struct reading *r)
{
    char start[256];
    struct mr_buf bounds = {0};
    mr_param_bounds(r->row, &bounds);
    if (r->row->kind == MR_PARAM_COUNT && !isfinite(r->row->max)) {
        bounds.n = 0;
        mr_buf_printf(&bounds, "%.0f .. %llu", r->row->min, (unsigned long long)UINT64_MAX);
    }
    const mr_status st = mr_err_set(r->err, MR_RANGE, r->at, "%s: out of range: %s",
                                    subject(r, start), bounds.text != NULL ? bounds.text : "");
    mr_buf_fini(&bounds);
    return st;
}

/* ---- kinds ---- */

static mr_status read_quantity(const struct reading *r)
{
    char start[256];
    double value;
    MR_TRY(mr_unit_parse(r->value, r->row->quantity, subject(r, start), r->at, &value, r->err));
    if (!(value >= r->row->min && value <= r->row->max))
        return out_of_bounds(r);
    *(double *)field_of(r->row, r->target->object) = value;
    return MR_OK;
}

static void write_quantity(const struct mr_param *row, const void *field, struct mr_buf *out)
{
    char text[MR_UNIT_CAP];
    mr_unit_format(*(const double *)field, row->quantity, text);
    mr_buf_text(out, text);
}

static mr_status read_count(const struct reading *r)
{
    char start[256];
    uint64_t value;
    const mr_status st = mr_num_parse_u64(r->value, &value);
    if (st == MR_RANGE)
        return out_of_bounds(r);
    if (st != MR_OK)
        return mr_err_set(r->err, MR_PARSE, r->at, "%s: not a whole number", subject(r, start));
    if (!((double)value >= r->row->min && (double)value <= r->row->max))
        return out_of_bounds(r);
    *(uint64_t *)field_of(r->row, r->target->object) = value;
    return MR_OK;
}

static void write_count(const struct mr_param *row, const void *field, struct mr_buf *out)
{
    char text[MR_NUM_CAP];
    (void)row;
    mr_buf_add(out, text, mr_num_format_u64(*(const uint64_t *)field, text));
}

static mr_status read_bool(const struct reading *r)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"yes", true}, {"no", false}, {"true", true}, {"false", false}};
    char start[256];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (mr_str_is(r->value, words[i].text)) {
            *(bool *)field_of(r->row, r->target->object) = words[i].value;
            return MR_OK;
        }
    return mr_err_set(r->err, MR_RANGE, r->at, "%s: neither yes nor no", subject(r, start));
}

static void write_bool(const struct mr_param *row, const void *field, struct mr_buf *out)
{
    (void)row;
    mr_buf_text(out, *(const bool *)field ? "yes" : "no");
}

static mr_status lasting_text(const struct reading *r, const char **text)
{
    if (r->target->texts == NULL) {
        MR_ASSERT(r->value.p[r->value.n] == '\0'); /* lent texts are terminated */
        *text = r->value.p;
        return MR_OK;
    }
    *text = mr_arena_text(r->target->texts, r->value, r->err);
    return *text != NULL ? MR_OK : MR_NOMEM;
}

static mr_status read_text(const struct reading *r)
{
    const char *text;
    MR_TRY(lasting_text(r, &text));
    *(const char **)field_of(r->row, r->target->object) = text;
    return MR_OK;
}

static void write_text(const struct mr_param *row, const void *field, struct mr_buf *out)
{
    const char *text = *(const char *const *)field;
    (void)row;
    mr_buf_text(out, text != NULL ? text : "");
}

static mr_status read_choice(const struct reading *r)
{
    char start[256], hint[96];
    for (size_t i = 0; i < r->row->n_choice; i++)
        if (mr_str_is(r->value, r->row->choices[i])) {
            *(int *)field_of(r->row, r->target->object) = (int)i;
            return MR_OK;
        }
    struct mr_buf bounds = {0};
    mr_param_bounds(r->row, &bounds);
    mr_text_hint(r->value, r->row->choices, r->row->n_choice, hint, sizeof hint);
    const mr_status st = mr_err_set(r->err, MR_RANGE, r->at, "%s: not %s%s", subject(r, start),
                                    bounds.text != NULL ? bounds.text : "a choice", hint);
    mr_buf_fini(&bounds);
    return st;
}

static void write_choice(const struct mr_param *row, const void *field, struct mr_buf *out)
{
    mr_buf_text(out, row->choices[*(const int *)field]);
}

static mr_status read_list(const struct reading *r)
{
    struct mr_param_list *list = field_of(r->row, r->target->object);
    const char *text;
    MR_TRY(lasting_text(r, &text));
    MR_TRY(mr_grow(&list->item, &list->cap, list->n + 1, sizeof *list->item, r->err));
    list->item[list->n++] = text;
    return MR_OK;
}

static void write_list(const struct mr_param *row, const void *field, struct mr_buf *out)
{
    const struct mr_param_list *list = field;
    (void)row;
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            mr_buf_char(out, ' ');
        mr_buf_text(out, list->item[i]);
    }
}

static const struct {
    const char *name; /* for people */
    mr_status (*read)(const struct reading *r);
    void (*write)(const struct mr_param *row, const void *field, struct mr_buf *out);
    size_t field_bytes;
    bool may_be_absent; /* without a default it need not be given */
    bool may_repeat;
} kinds[] = {
    [MR_PARAM_QUANTITY] = {"quantity", read_quantity, write_quantity, sizeof(double), false, false},
    [MR_PARAM_COUNT] = {"whole number", read_count, write_count, sizeof(uint64_t), false, false},
    [MR_PARAM_BOOL] = {"yes or no", read_bool, write_bool, sizeof(bool), false, false},
    [MR_PARAM_TEXT] = {"text", read_text, write_text, sizeof(const char *), true, false},
    [MR_PARAM_CHOICE] = {"choice", read_choice, write_choice, sizeof(int), false, false},
    [MR_PARAM_LIST] = {"list", read_list, write_list, sizeof(struct mr_param_list), true, true},
};

/* ---- setting ---- */

size_t mr_param_find(const struct mr_param_table *table, struct mr_str name)
{
    size_t i = 0;
    while (i < table->n && !mr_str_is(name, table->row[i].name))
        i++;
    return i;
}

void mr_param_defaults(const struct mr_param_target *target)
{
    for (size_t i = 0; i < target->table->n; i++) {
        const struct mr_param *row = &target->table->row[i];
        memset(field_of(row, target->object), 0, kinds[row->kind].field_bytes);
        target->origin[i] = MR_PARAM_ABSENT;
        if (row->fallback == NULL)
            continue;
        struct mr_param_target lent = *target;
        lent.texts = NULL; /* defaults are literals */
        struct mr_err err = {0};
        const struct reading r = {&lent, row, mr_str_of(row->fallback), MR_NOWHERE, &err};
        const mr_status st = kinds[row->kind].read(&r);
        if (st != MR_OK)
            fprintf(stderr, "millrace: table %s: default of %s: %s\n", target->table->name,
                    row->name, err.text);
        MR_ASSERT(st == MR_OK);
        target->origin[i] = MR_PARAM_DEFAULTED;
    }
}

static mr_status unknown_name(const struct mr_param_target *target, struct mr_str name,
                              struct mr_place at, struct mr_err *err)
{
    const char *names[names_max];
    const size_t n = target->table->n < names_max ? target->table->n : names_max;
    char quoted[MR_QUOTE_CAP], hint[96];
    for (size_t i = 0; i < n; i++)
        names[i] = target->table->row[i].name;
    mr_text_hint(name, names, n, hint, sizeof hint);
    return mr_err_set(err, MR_SCHEMA, at, "%s%sunknown parameter \"%s\"%s",
                      target->what != NULL ? target->what : "", target->what != NULL ? ": " : "",
                      mr_text_quote(name, quoted), hint);
}

mr_status mr_param_set(const struct mr_param_target *target, struct mr_str name,
                       struct mr_str value, enum mr_param_origin origin, struct mr_place at,
                       struct mr_err *err)
{
    const size_t i = mr_param_find(target->table, name);
    if (i == target->table->n)
        return unknown_name(target, name, at, err);
    const struct mr_param *row = &target->table->row[i];
    const struct reading r = {target, row, value, at, err};
    if (origin == MR_PARAM_GIVEN && target->origin[i] == MR_PARAM_GIVEN &&
        !kinds[row->kind].may_repeat) {
        char start[256];
        return mr_err_set(err, MR_SCHEMA, at, "%s: given twice", subject(&r, start));
    }
    MR_TRY(kinds[row->kind].read(&r));
    target->origin[i] = (uint8_t)origin;
    return MR_OK;
}

mr_status mr_param_complete(const struct mr_param_target *target, struct mr_place at,
                            struct mr_err *err)
{
    for (size_t i = 0; i < target->table->n; i++) {
        const struct mr_param *row = &target->table->row[i];
        if (target->origin[i] == MR_PARAM_ABSENT && !kinds[row->kind].may_be_absent)
            return mr_err_set(err, MR_SCHEMA, at, "%s%s\"%s\" is missing: %s",
                              target->what != NULL ? target->what : "",
                              target->what != NULL ? ": " : "", row->name, row->doc);
    }
    return MR_OK;
}

void mr_param_fini(const struct mr_param_target *target)
{
    for (size_t i = 0; i < target->table->n; i++) {
        const struct mr_param *row = &target->table->row[i];
        if (row->kind != MR_PARAM_LIST)
            continue;
        struct mr_param_list *list = field_of(row, target->object);
        mr_free(list->item);
        *list = (struct mr_param_list){0};
    }
}

/* ---- printing ---- */

void mr_param_value(const struct mr_param *row, const void *object, struct mr_buf *out)
{
    kinds[row->kind].write(row, const_field_of(row, object), out);
}

static void print_bound(const struct mr_param *row, double bound, struct mr_buf *out)
{
    char text[MR_UNIT_CAP];
    if (row->kind == MR_PARAM_COUNT)
        mr_num_format_f64(bound, text);
    else
        mr_unit_format(bound, row->quantity, text);
    mr_buf_text(out, text);
}

void mr_param_bounds(const struct mr_param *row, struct mr_buf *out)
{
    if (row->kind == MR_PARAM_CHOICE) {
        mr_buf_text(out, "one of ");
        for (size_t i = 0; i < row->n_choice; i++)
            mr_buf_printf(out, "%s%s", i > 0 ? ", " : "", row->choices[i]);
        return;
    }
    if (row->kind != MR_PARAM_QUANTITY && row->kind != MR_PARAM_COUNT)
        return;
    const bool has_min = isfinite(row->min), has_max = isfinite(row->max);
    if (has_min && has_max) {
        print_bound(row, row->min, out);
        mr_buf_text(out, " .. ");
        print_bound(row, row->max, out);
    } else if (has_min || has_max) {
        mr_buf_text(out, has_min ? ">= " : "<= ");
        print_bound(row, has_min ? row->min : row->max, out);
    }
}

const char *mr_param_kind_name(const struct mr_param *row)
{
    return row->kind == MR_PARAM_QUANTITY ? mr_unit_quantity_name(row->quantity)
                                          : kinds[row->kind].name;
}

const char *mr_param_without_default(const struct mr_param *row)
{
    return kinds[row->kind].may_be_absent ? "none" : "must be given";
}

void mr_param_print_md(const struct mr_param_table *table, struct mr_buf *out)
{
    mr_buf_printf(out, "## %s\n\n%s\n\n", table->name, table->doc);
    mr_buf_text(out, "| name | kind | default | bounds | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_param *row = &table->row[i];
        mr_buf_printf(out, "| `%s` | %s | %s | ", row->name, mr_param_kind_name(row),
                      row->fallback != NULL ? row->fallback : mr_param_without_default(row));
        mr_param_bounds(row, out);
        mr_buf_printf(out, " | %s |\n", row->doc);
    }
}

void mr_param_print_rng(const struct mr_param_table *table, int indent, struct mr_buf *out)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_param *row = &table->row[i];
        const bool is_optional = row->fallback != NULL || kinds[row->kind].may_be_absent;
        mr_buf_printf(out, "%*s%s<attribute name=\"%s\">", indent, "",
                      is_optional ? "<optional>" : "", row->name);
        if (row->kind == MR_PARAM_CHOICE) {
            mr_buf_text(out, "<choice>");
            for (size_t c = 0; c < row->n_choice; c++)
                mr_buf_printf(out, "<value>%s</value>", row->choices[c]);
            mr_buf_text(out, "</choice>");
        } else {
            mr_buf_text(out, "<text/>");
        }
        mr_buf_printf(out, "</attribute>%s\n", is_optional ? "</optional>" : "");
    }
}
