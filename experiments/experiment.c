/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar finds unknown and missing names, the tables bad values; what is left here is what
 * values mean together. Evenly spaced values are written with twelve digits, so that steps of 0.1
 * read as such. */
#include "engine/base/file.h"
#include "engine/base/fmath.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/base/rng.h"
#include "engine/base/xml_schema.h"
#include "experiments/experiment_impl.h"
#include "postprocess/formula.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    n_attribute_max = 16,
    n_digit = 12
};

struct reading {
    struct mr_experiment *out;
    struct mr_diags *diags;
};

static void keep(struct reading *r, const struct mr_err *err)
{
    (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, err);
}

static void read_attributes(struct reading *r, int element, void *object,
                            const struct mr_xml_node *node)
{
    uint8_t origin[n_attribute_max] = {0};
    char what[64];
    snprintf(what, sizeof what, "<%s>", node->name);
    const struct mr_param_target target = {&mr_experiment_tables[element], object, origin,
                                           &r->out->texts, what};
    mr_param_defaults(&target);
    for (uint32_t i = 0; i < node->n_attribute; i++) {
        const struct mr_xml_attribute *a = &node->attribute[i];
        struct mr_err err = {0};
        if (mr_param_set(&target, mr_str_of(a->name), mr_str_of(a->value), MR_PARAM_GIVEN,
                         mr_xml_attribute_place(node, a), &err) != MR_OK)
            keep(r, &err);
    }
    struct mr_err err = {0};
    if (mr_param_complete(&target, mr_xml_place(node), &err) != MR_OK)
        keep(r, &err);
}

/* ---- values of a factor ---- */

static mr_status add_value(struct reading *r, struct mr_experiment_factor *f, size_t *cap,
                           struct mr_str text, struct mr_err *err)
{
    MR_TRY(mr_grow(&f->value, cap, f->n_value + 1, sizeof *f->value, err));
    const char *own = mr_arena_text(&r->out->texts, text, err);
    if (own == NULL)
        return MR_NOMEM;
    f->value[f->n_value++] = own;
    return MR_OK;
}

/* "1, 2, 4" */
static mr_status split(struct reading *r, struct mr_experiment_factor *f, struct mr_err *err)
{
    size_t cap = 0;
    const char *from = f->values;
    for (;;) {
        const char *comma = strchr(from, ',');
        const size_t n = comma != NULL ? (size_t)(comma - from) : strlen(from);
        const struct mr_str item = mr_str_trim((struct mr_str){from, n});
        if (item.n == 0)
            return mr_err_set(err, MR_PARSE, f->at, "factor \"%s\": an empty value among \"%s\"",
                              f->path, f->values);
        MR_TRY(add_value(r, f, &cap, item, err));
        if (comma == NULL)
            return MR_OK;
        from = comma + 1;
    }
}

struct range {
    double from, to;
    struct mr_str unit;
};

static mr_status parse_range(const struct mr_experiment_factor *f, struct range *range,
                             struct mr_err *err)
{
    const struct mr_str from = mr_str_trim(mr_str_of(f->from)), to = mr_str_trim(mr_str_of(f->to));
    const size_t n = mr_num_scan_f64(from.p, from.n, &range->from);
    const size_t m = mr_num_scan_f64(to.p, to.n, &range->to);
    const struct mr_str of_from = mr_str_trim((struct mr_str){from.p + n, from.n - n});
    const struct mr_str of_to = mr_str_trim((struct mr_str){to.p + m, to.n - m});
    if (n == 0 || m == 0)
        return mr_err_set(err, MR_PARSE, f->at, "factor \"%s\": \"%s\" .. \"%s\": not numbers",
                          f->path, f->from, f->to);
    if (!mr_str_eq(of_from, of_to))
        return mr_err_set(err, MR_UNIT, f->at,
                          "factor \"%s\": \"%s\" .. \"%s\": not in the same unit", f->path, f->from,
                          f->to);
    if (f->scale == 1 && (range->from <= 0 || range->to <= 0))
        return mr_err_set(err, MR_RANGE, f->at,
                          "factor \"%s\": \"%s\" .. \"%s\": a logarithmic scale has no 0", f->path,
                          f->from, f->to);
    range->unit = of_from;
    return MR_OK;
}

/* The place u of 0..1 in the range, as text. */
static mr_status format_at(struct reading *r, const struct mr_experiment_factor *f,
                           const struct range *range, double u, const char **out,
                           struct mr_err *err)
{
    char number[MR_NUM_CAP];
    struct mr_buf text = {0};
    double value = f->scale == 1 ? range->from * mr_exp(u * mr_log(range->to / range->from))
                                 : range->from + u * (range->to - range->from);
    if (u <= 0 || u >= 1)
        value = u <= 0 ? range->from : range->to;
    if (f->is_whole)
        value = floor(value + 0.5);
    mr_num_format_human(value, n_digit, number);
    mr_buf_text(&text, number);
    if (range->unit.n > 0) {
        mr_buf_char(&text, ' ');
        mr_buf_add(&text, range->unit.p, range->unit.n);
    }
    mr_status st = mr_buf_check(&text, err);
    if (st == MR_OK) {
        *out = mr_arena_text(&r->out->texts, (struct mr_str){text.text, text.n}, err);
        st = *out != NULL ? MR_OK : MR_NOMEM;
    }
    mr_buf_fini(&text);
    return st;
}

static mr_status space(struct reading *r, struct mr_experiment_factor *f, struct mr_err *err)
{
    struct range range;
    MR_TRY(parse_range(f, &range, err));
    f->value = mr_alloc_zero((size_t)f->n_step, sizeof *f->value);
    if (f->value == NULL)
        return mr_err_nomem(err, (size_t)f->n_step * sizeof *f->value);
    f->n_value = (size_t)f->n_step;
    for (size_t i = 0; i < f->n_value; i++)
        MR_TRY(format_at(r, f, &range, f->n_value > 1 ? (double)i / (double)(f->n_value - 1) : 0,
                         &f->value[i], err));
    return MR_OK;
}

/* One sample in each of n parts of every factor's range, in an order that is drawn (Fisher-Yates);
 * each factor has a stream of its own, so that adding one leaves the others' values alone. */
static mr_status draw(struct reading *r, const struct mr_experiment_block *block, size_t i_factor,
                      struct mr_err *err)
{
    struct mr_experiment_factor *f = &block->factor[i_factor];
    const size_t n = (size_t)block->n_sample;
    struct mr_rng rng = mr_rng_stream(block->seed, MR_RNG_SWEEP, i_factor);
    struct range range = {0, 0, {NULL, 0}};
    const char **given = f->value;
    const size_t n_given = f->n_value;
    if (n_given == 0)
        MR_TRY(parse_range(f, &range, err));
    size_t *part = mr_alloc(n, sizeof *part);
    const char **value = mr_alloc_zero(n, sizeof *value);
    if (part == NULL || value == NULL) {
        mr_free(part);
        mr_free(value);
        return mr_err_nomem(err, n * sizeof *part);
    }
    mr_status st = MR_OK;
    for (size_t i = 0; i < n; i++) {
        const size_t k = (size_t)mr_rng_below(&rng, i + 1);
        part[i] = i;
        part[i] = part[k];
        part[k] = i;
    }
    for (size_t i = 0; i < n && st == MR_OK; i++) {
        const double u = ((double)part[i] + mr_rng_f64(&rng)) / (double)n;
        if (n_given > 0)
            value[i] = given[(size_t)(u * (double)n_given)];
        else
            st = format_at(r, f, &range, u, &value[i], err);
    }
    mr_free(part);
    if (st != MR_OK) {
        mr_free(value);
        return st;
    }
    mr_free(given);
    f->value = value;
    f->n_value = n;
    return MR_OK;
}

/* ---- blocks ---- */

static mr_status check_factor(const struct mr_experiment_factor *f, int kind, struct mr_err *err)
{
    const bool has_range = f->from != NULL && f->to != NULL;
    if ((f->from != NULL) != (f->to != NULL) || (f->values != NULL) == has_range)
        return mr_err_set(err, MR_SCHEMA, f->at,
                          "factor \"%s\": give either values, or from and to", f->path);
    if (has_range && kind != MR_EXPERIMENT_LATIN && f->n_step == 0)
        return mr_err_set(err, MR_SCHEMA, f->at, "factor \"%s\": steps are missing", f->path);
    if (f->n_step > 0 && (kind == MR_EXPERIMENT_LATIN || !has_range))
        return mr_err_set(err, MR_SCHEMA, f->at,
                          "factor \"%s\": steps belong to from and to in a "
                          "grid or zip",
                          f->path);
    return MR_OK;
}

/* One path may be varied once. */
static mr_status check_path(const struct reading *r, const char *path, struct mr_place at,
                            const struct mr_experiment_block *within, struct mr_err *err)
{
    if (path == NULL)
        return mr_err_set(err, MR_SCHEMA, at, "a factor's \"path\" is missing");
    if (strcmp(path, "scenario/seed") == 0 || strcmp(path, "seed") == 0)
        return mr_err_set(err, MR_SCHEMA, at, "factor \"%s\": seeds are given by <seeds>", path);
    if (strchr(path, '=') != NULL)
        return mr_err_set(err, MR_SCHEMA, at, "factor \"%s\": a path has no \"=\"", path);
    for (size_t b = 0; b < r->out->n_block; b++) {
        const struct mr_experiment_block *block = &r->out->block[b];
        for (size_t i = 0; i < block->n_factor; i++)
            if (block != within && strcmp(block->factor[i].path, path) == 0)
                return mr_err_set(err, MR_SCHEMA, at, "factor \"%s\": varied twice", path);
    }
    return MR_OK;
}

static mr_status add_factor(struct mr_experiment_block *block,
                            const struct mr_experiment_factor *factor, struct mr_err *err)
{
    MR_TRY(mr_grow(&block->factor, &block->cap_factor, block->n_factor + 1, sizeof *block->factor,
                   err));
    block->factor[block->n_factor++] = *factor;
    return MR_OK;
}

static mr_status read_factor(struct reading *r, struct mr_experiment_block *block,
                             const struct mr_xml_node *node, struct mr_err *err)
{
    const size_t n_error = r->diags->n_error;
    struct mr_experiment_factor f = {0};
    read_attributes(r, MR_EXPERIMENT_FACTOR, &f, node);
    f.at = mr_xml_place(node);
    if (r->diags->n_error > n_error)
        return MR_OK;
    MR_TRY(check_path(r, f.path, f.at, NULL, err));
    MR_TRY(check_factor(&f, block->kind, err));
    MR_TRY(add_factor(block, &f, err));
    struct mr_experiment_factor *own = &block->factor[block->n_factor - 1];
    if (own->values != NULL)
        return split(r, own, err);
    return block->kind == MR_EXPERIMENT_LATIN ? MR_OK : space(r, own, err);
}

static mr_status read_row(struct reading *r, struct mr_experiment_block *block, size_t n_row,
                          size_t i_row, const struct mr_xml_node *row, struct mr_err *err)
{
    for (const struct mr_xml_node *node = row->child; node != NULL; node = node->next) {
        struct mr_experiment_set set = {0};
        const size_t n_error = r->diags->n_error;
        size_t k = 0;
        read_attributes(r, MR_EXPERIMENT_SET, &set, node);
        if (r->diags->n_error > n_error)
            continue;
        MR_TRY(check_path(r, set.path, mr_xml_place(node), block, err));
        if (set.value == NULL)
            return mr_err_set(err, MR_SCHEMA, mr_xml_place(node),
                              "factor \"%s\": \"to\" is missing", set.path);
        while (k < block->n_factor && strcmp(block->factor[k].path, set.path) != 0)
            k++;
        if (k == block->n_factor) {
            struct mr_experiment_factor f = {.path = set.path, .at = mr_xml_place(node)};
            MR_TRY(add_factor(block, &f, err));
            block->factor[k].value = mr_alloc_zero(n_row, sizeof *f.value);
            if (block->factor[k].value == NULL)
                return mr_err_nomem(err, n_row * sizeof *f.value);
            block->factor[k].n_value = n_row;
        }
        if (block->factor[k].value[i_row] != NULL)
            return mr_err_set(err, MR_SCHEMA, mr_xml_place(node), "factor \"%s\": set twice",
                              set.path);
        block->factor[k].value[i_row] = set.value;
    }
    return MR_OK;
}

/* Values side by side; qsort hands no context on. */
struct side {
    const struct mr_experiment_factor *factor;
    size_t n_factor, i;
};

static int compare_values(const struct side *a, const struct side *b)
{
    for (size_t k = 0; k < a->n_factor; k++) {
        const char *p = a->factor[k].value[a->i], *q = b->factor[k].value[b->i];
        const int sign = p == NULL || q == NULL ? (p != NULL) - (q != NULL) : strcmp(p, q);
        if (sign != 0)
            return sign;
    }
    return 0;
}

static int compare_sides(const void *a, const void *b)
{
    const struct side *p = a, *q = b;
    const int sign = compare_values(p, q);
    return sign != 0 ? sign : (p->i > q->i) - (p->i < q->i);
}

/* The same runs twice would be taken for independent ones. @param[in] factor of n values each */
static mr_status check_twice(const struct mr_experiment_factor *factor, size_t n_factor, size_t n,
                             struct mr_place at, struct mr_err *err)
{
    struct side *side = mr_alloc(n + 1, sizeof *side);
    mr_status st = MR_OK;
    if (side == NULL)
        return mr_err_nomem(err, n * sizeof *side);
    for (size_t i = 0; i < n; i++)
        side[i] = (struct side){factor, n_factor, i};
    qsort(side, n, sizeof *side, compare_sides);
    for (size_t i = 1; i < n && st == MR_OK; i++)
        if (compare_values(&side[i - 1], &side[i]) == 0)
            st = n_factor == 1
                     ? mr_err_set(
                           err, MR_SCHEMA, at,
                           "factor \"%s\": \"%s\" is there twice: both runs would be the same",
                           factor->path,
                           factor->value[side[i].i] != NULL ? factor->value[side[i].i] : "")
                     : mr_err_set(err, MR_SCHEMA, at,
                                  "rows %zu and %zu are the same, and so would both runs be",
                                  side[i - 1].i, side[i].i);
    mr_free(side);
    return st;
}

static mr_status check_all_twice(const struct mr_experiment_block *block, struct mr_err *err)
{
    if (block->kind == MR_EXPERIMENT_LATIN) /* draws may meet */
        return MR_OK;
    if (block->kind != MR_EXPERIMENT_GRID)
        return check_twice(block->factor, block->n_factor, block->n_row,
                           block->n_factor == 1 ? block->factor->at : block->at, err);
    for (size_t i = 0; i < block->n_factor; i++)
        MR_TRY(
            check_twice(&block->factor[i], 1, block->factor[i].n_value, block->factor[i].at, err));
    return MR_OK;
}

static mr_status count_rows(struct mr_experiment_block *block, struct mr_err *err)
{
    if (block->kind == MR_EXPERIMENT_GRID) {
        block->n_row = 1;
        for (size_t i = 0; i < block->n_factor; i++) {
            block->n_row *= block->factor[i].n_value;
            if (block->n_row > MR_EXPERIMENT_ROW_MAX)
                return mr_err_set(err, MR_LIMIT, block->at, "<grid>: more than %d rows",
                                  MR_EXPERIMENT_ROW_MAX);
        }
    } else if (block->kind == MR_EXPERIMENT_ZIP) {
        block->n_row = block->factor[0].n_value;
        for (size_t i = 1; i < block->n_factor; i++)
            if (block->factor[i].n_value != block->n_row)
                return mr_err_set(err, MR_SCHEMA, block->factor[i].at,
                                  "factor \"%s\": %zu values beside %zu of \"%s\" (a zip has as "
                                  "many of each)",
                                  block->factor[i].path, block->factor[i].n_value, block->n_row,
                                  block->factor[0].path);
    } else if (block->kind == MR_EXPERIMENT_LATIN) {
        block->n_row = (size_t)block->n_sample;
    }
    return MR_OK;
}

static mr_status read_block(struct reading *r, const struct mr_xml_node *node, int kind,
                            struct mr_err *err)
{
    struct mr_experiment *out = r->out;
    const size_t n_error = r->diags->n_error;
    MR_TRY(mr_grow(&out->block, &out->cap_block, out->n_block + 1, sizeof *out->block, err));
    struct mr_experiment_block *block = &out->block[out->n_block++];
    *block = (struct mr_experiment_block){.kind = kind, .at = mr_xml_place(node)};
    if (kind == MR_EXPERIMENT_LATIN)
        read_attributes(r, MR_EXPERIMENT_OF_LATIN, block, node);
    if (kind == MR_EXPERIMENT_LIST)
        block->n_row = node->n_child;
    size_t i = 0;
    for (const struct mr_xml_node *n = node->child; n != NULL; n = n->next, i++) {
        struct mr_err one = {0};
        const mr_status st = kind == MR_EXPERIMENT_LIST
                                 ? read_row(r, block, block->n_row, i, n, &one)
                                 : read_factor(r, block, n, &one);
        if (st != MR_OK)
            keep(r, &one);
    }
    if (r->diags->n_error > n_error)
        return MR_OK; /* told already */
    for (size_t k = 0; kind == MR_EXPERIMENT_LATIN && k < block->n_factor; k++)
        MR_TRY(draw(r, block, k, err));
    MR_TRY(count_rows(block, err));
    return check_all_twice(block, err);
}

/* ---- the rest ---- */

static mr_status read_seeds(struct reading *r, const struct mr_xml_node *node, struct mr_err *err)
{
    struct mr_experiment *out = r->out;
    const struct mr_experiment_seeds *seeds = &out->seeds;
    read_attributes(r, MR_EXPERIMENT_SEEDS, &out->seeds, node);
    if (seeds->values == NULL) {
        MR_TRY(mr_grow(&out->seed, &out->cap_seed, (size_t)seeds->n_count, sizeof *out->seed, err));
        for (; out->n_seed < seeds->n_count; out->n_seed++)
            out->seed[out->n_seed] = seeds->n_first + out->n_seed;
        return MR_OK;
    }
    for (const char *from = seeds->values; from != NULL;) {
        const char *comma = strchr(from, ',');
        const size_t n = comma != NULL ? (size_t)(comma - from) : strlen(from);
        uint64_t seed;
        if (mr_num_parse_u64(mr_str_trim((struct mr_str){from, n}), &seed) != MR_OK)
            return mr_err_set(err, MR_PARSE, mr_xml_place(node),
                              "<seeds>: \"%s\" are not whole numbers with commas between",
                              seeds->values);
        for (size_t i = 0; i < out->n_seed; i++)
            if (out->seed[i] == seed)
                return mr_err_set(err, MR_SCHEMA, mr_xml_place(node),
                                  "<seeds>: %llu is there twice: both runs would be the same",
                                  (unsigned long long)seed);
        MR_TRY(mr_grow(&out->seed, &out->cap_seed, out->n_seed + 1, sizeof *out->seed, err));
        out->seed[out->n_seed++] = seed;
        from = comma != NULL ? comma + 1 : NULL;
    }
    return MR_OK;
}

/* Of the experiment's file, whose name outlives the tree. */
static struct mr_place keep_place(const struct reading *r, const struct mr_xml_node *node)
{
    struct mr_place at = mr_xml_place(node);
    at.file = r->out->path;
    return at;
}

static double any_value(const void *context, struct mr_str path)
{
    (void)context;
    (void)path;
    return 1;
}

/* What a formula can name, and no column of a merged file by itself. */
static bool can_be_name(const char *name)
{
    static const char *const taken[] = {"min", "max", "run", "seed", "feasible", "broken"};
    const char first = name[0];
    bool is_good = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_';
    for (const char *p = name; *p != '\0' && is_good; p++)
        is_good = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || mr_char_is_digit(*p) ||
                  *p == '_' || *p == '.';
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        is_good = is_good && strcmp(name, taken[i]) != 0;
    return is_good;
}

static mr_status read_kpi(struct reading *r, const struct mr_xml_node *node, struct mr_err *err)
{
    struct mr_asked *asked = &r->out->asked;
    struct mr_asked_kpi kpi = {0};
    const char *ignored;
    double value;
    read_attributes(r, MR_EXPERIMENT_KPI, &kpi, node);
    kpi.at = keep_place(r, node);
    if (kpi.name == NULL || kpi.formula == NULL)
        return mr_err_set(err, MR_SCHEMA, kpi.at, "<kpi>: has a \"name\" and a \"formula\"");
    if (!can_be_name(kpi.name))
        return mr_err_set(err, MR_SCHEMA, kpi.at,
                          "kpi \"%s\": a name has letters, digits, \"_\" and \".\", and is not "
                          "min, max, run, seed, feasible or broken",
                          kpi.name);
    for (size_t i = 0; i < asked->n_kpi; i++)
        if (strcmp(asked->kpi[i].name, kpi.name) == 0)
            return mr_err_set(err, MR_SCHEMA, kpi.at, "kpi \"%s\": there are two of this name",
                              kpi.name);
    struct mr_err why = {0};
    if (mr_formula_value(kpi.formula, any_value, NULL, &value, &ignored, &why) != MR_OK)
        return mr_err_set(err, why.status, kpi.at, "kpi \"%s\": %s", kpi.name, why.text);
    MR_TRY(mr_grow(&asked->kpi, &asked->cap_kpi, asked->n_kpi + 1, sizeof kpi, err));
    asked->kpi[asked->n_kpi++] = kpi;
    return MR_OK;
}

static mr_status read_output(struct reading *r, const struct mr_xml_node *node, struct mr_err *err)
{
    struct mr_asked *asked = &r->out->asked;
    struct mr_asked_output output = {0};
    read_attributes(r, MR_EXPERIMENT_OUTPUT, &output, node);
    output.at = keep_place(r, node);
    if (output.path == NULL)
        return mr_err_set(err, MR_SCHEMA, output.at, "<output>: \"kpi\" is missing");
    MR_TRY(mr_grow(&asked->output, &asked->cap_output, asked->n_output + 1, sizeof output, err));
    asked->output[asked->n_output++] = output;
    return MR_OK;
}

static mr_status read_constraint(struct reading *r, const struct mr_xml_node *node,
                                 struct mr_err *err)
{
    struct mr_asked *asked = &r->out->asked;
    struct mr_asked_constraint c = {0};
    read_attributes(r, MR_EXPERIMENT_CONSTRAINT, &c, node);
    c.at = keep_place(r, node);
    if (c.path == NULL)
        return mr_err_set(err, MR_SCHEMA, c.at, "<constraint>: \"kpi\" is missing");
    if (c.min > c.max)
        return mr_err_set(err, MR_RANGE, c.at, "constraint \"%s\": min above max", c.path);
    if (c.min <= -MR_ASKED_FAR && c.max >= MR_ASKED_FAR)
        return mr_err_set(err, MR_SCHEMA, c.at, "constraint \"%s\": has neither min nor max",
                          c.path);
    MR_TRY(mr_grow(&asked->constraint, &asked->cap_constraint, asked->n_constraint + 1, sizeof c,
                   err));
    asked->constraint[asked->n_constraint++] = c;
    return MR_OK;
}

/* What is asked of the runs. */
static mr_status read_wish(struct reading *r, const struct mr_xml_node *node, struct mr_err *err)
{
    if (strcmp(node->name, "kpi") == 0)
        return read_kpi(r, node, err);
    if (strcmp(node->name, "output") == 0)
        return read_output(r, node, err);
    if (strcmp(node->name, "constraint") == 0)
        return read_constraint(r, node, err);
    read_attributes(r, MR_EXPERIMENT_RANK, &r->out->asked.rank, node);
    r->out->asked.rank.at = keep_place(r, node);
    return MR_OK;
}

static void read_root(struct reading *r, const struct mr_xml_node *root)
{
    struct mr_experiment *out = r->out;
    struct mr_buf path = {0};
    struct mr_err err = {0};
    read_attributes(r, MR_EXPERIMENT_TOP, &out->top, root);
    for (const struct mr_xml_node *node = root->child; node != NULL; node = node->next) {
        struct mr_err one = {0};
        int kind = 0;
        while (kind < MR_EXPERIMENT_KINDS &&
               strcmp(mr_experiment_tables[MR_EXPERIMENT_OF_GRID + kind].name, node->name) != 0)
            kind++;
        mr_status st = MR_OK;
        if (kind < MR_EXPERIMENT_KINDS)
            st = read_block(r, node, kind, &one);
        else if (strcmp(node->name, "seeds") == 0)
            st = read_seeds(r, node, &one);
        else if (strcmp(node->name, "run") == 0)
            read_attributes(r, MR_EXPERIMENT_RUN, &out->run, node);
        else
            st = read_wish(r, node, &one);
        if (st != MR_OK)
            keep(r, &one);
    }
    if (out->top.scenario == NULL) {
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(root),
                     "<experiment>: \"scenario\" is missing");
        return;
    }
    mr_file_join(out->path, out->top.scenario, &path);
    if (mr_buf_check(&path, &err) == MR_OK)
        out->top.scenario = mr_arena_text(&out->texts, mr_str_of(path.text), &err);
    mr_buf_fini(&path);
    keep(r, &err);
}

mr_status mr_experiment_load(const char *path, struct mr_experiment *out, struct mr_diags *diags)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    struct reading r = {out, diags};
    *out = (struct mr_experiment){0};
    out->path = mr_arena_text(&out->texts, mr_str_of(path), &err);
    mr_status st = out->path != NULL ? mr_xml_load(path, NULL, &doc, &err) : MR_NOMEM;
    if (st != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    if (mr_xml_schema_check_by("experiment.rng", mr_experiment_print_rng, doc, diags) == MR_OK)
        read_root(&r, mr_xml_root(doc));
    mr_xml_destroy(doc);
    return diags->first_error;
}

void mr_experiment_fini(struct mr_experiment *experiment)
{
    for (size_t b = 0; b < experiment->n_block; b++) {
        for (size_t i = 0; i < experiment->block[b].n_factor; i++)
            mr_free(experiment->block[b].factor[i].value);
        mr_free(experiment->block[b].factor);
    }
    mr_free(experiment->block);
    mr_free(experiment->seed);
    mr_asked_fini(&experiment->asked);
    mr_arena_fini(&experiment->texts);
    *experiment = (struct mr_experiment){0};
}

bool mr_experiment_is(const char *path)
{
    static const char ending[] = ".experiment.xml";
    const size_t n = strlen(path), m = sizeof ending - 1;
    return n >= m && strcmp(path + n - m, ending) == 0;
}
