/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar finds unknown and missing names, the tables bad values. */
#include "postprocess/tolerance.h"

#include "engine/base/mem.h"
#include "engine/base/share.h"
#include "engine/base/xml_schema.h"

static const char *const worse_names[] = {"known", "down", "up", "both"};

struct speed {
    double rel;
    bool fails;
};

// clang-format off
static const struct mr_param kpi_rows[] = {
    MR_PARAM_STR(struct mr_tolerance_row, path, "path", NULL, "Path of the figure in the summary; * stands for any text"),
    MR_PARAM(struct mr_tolerance_row, rel, "rel", MR_Q_FRACTION, "0", 0, 1e6, "Share of the baseline it may be worse by"),
    MR_PARAM(struct mr_tolerance_row, abs, "abs", MR_Q_COUNT, "0", 0, MR_UNBOUNDED, "What it may be worse by in its own unit, if that is more"),
    MR_PARAM_ONE_OF(struct mr_tolerance_row, worse, "worse", worse_names, "known", "Which way is worse; known: as the program knows, else both"),
    MR_PARAM_YES(struct mr_tolerance_row, fails, "fails", "yes", "Beyond the limit the check fails"),
};
static const struct mr_param speed_rows[] = {
    MR_PARAM(struct speed, rel, "rel", MR_Q_FRACTION, "25 %", 0, 1e6, "Share of the baseline the simulator may be slower by"),
    MR_PARAM_YES(struct speed, fails, "fails", "no", "Beyond the limit the check fails"),
};
static const struct mr_param_table tables[] = {
    {"kpi", "A key figure, or several.", kpi_rows, sizeof kpi_rows / sizeof *kpi_rows},
    {"speed", "The speed of the simulator itself.", speed_rows, sizeof speed_rows / sizeof *speed_rows},
};
// clang-format on

enum {
    TABLE_KPI,
    TABLE_SPEED,
    n_table,
    n_row_max = 8
};

const struct mr_param_table *mr_tolerance_table(size_t i, const char **element)
{
    if (i >= n_table)
        return NULL;
    *element = tables[i].name;
    return &tables[i];
}

/* ---- reading ---- */

static mr_status read_element(struct mr_tolerance *out, const struct mr_xml_node *node, int table,
                              void *object, struct mr_diags *diags)
{
    uint8_t origin[n_row_max] = {0};
    const struct mr_param_target target = {&tables[table], object, origin, &out->arena, node->name};
    mr_status worst = MR_OK;
    mr_param_defaults(&target);
    for (uint32_t i = 0; i < node->n_attribute; i++) {
        const struct mr_xml_attribute *a = &node->attribute[i];
        struct mr_err err = {0};
        const mr_status st = mr_param_set(&target, mr_str_of(a->name), mr_str_of(a->value),
                                          MR_PARAM_GIVEN, mr_xml_attribute_place(node, a), &err);
        if (st != MR_OK)
            worst = mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    }
    return worst;
}

static mr_status read_root(struct mr_tolerance *out, const struct mr_xml_node *root,
                           struct mr_diags *diags)
{
    mr_status worst = MR_OK;
    for (const struct mr_xml_node *node = root->child; node != NULL; node = node->next) {
        struct mr_tolerance_row row = {.line = node->line, .col = node->col};
        struct speed speed = {0};
        struct mr_err err = {0};
        mr_status st;
        if (strcmp(node->name, "speed") == 0) {
            st = read_element(out, node, TABLE_SPEED, &speed, diags);
            out->speed.rel = speed.rel;
            out->speed.fails = speed.fails;
            out->has_speed = true;
        } else {
            st = read_element(out, node, TABLE_KPI, &row, diags);
            if (st == MR_OK && mr_grow(&out->row, &out->cap, out->n + 1, sizeof row, &err) != MR_OK)
                st = mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
            if (st == MR_OK)
                out->row[out->n++] = row;
        }
        worst = worst == MR_OK ? st : worst;
    }
    return worst;
}

static mr_status check_and_read(struct mr_tolerance *out, const struct mr_xml_doc *doc,
                                struct mr_diags *diags)
{
    struct mr_buf path = {0};
    struct mr_xml_schema *schema = NULL;
    struct mr_err err = {0};
    mr_status st = mr_share_find("experiments/schema/tolerance.rng", NULL, &path, &err);
    if (st == MR_OK)
        st = mr_xml_schema_load(path.text, &schema, &err);
    mr_buf_fini(&path);
    if (st != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    st = mr_xml_schema_check(schema, doc, diags);
    mr_xml_schema_destroy(schema);
    return st == MR_OK ? read_root(out, mr_xml_root(doc), diags) : st;
}

mr_status mr_tolerance_load(const char *path, struct mr_tolerance *out, struct mr_diags *diags)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    *out = (struct mr_tolerance){0};
    out->file = mr_arena_text(&out->arena, mr_str_of(path), &err);
    mr_status st = out->file != NULL ? mr_xml_load(path, NULL, &doc, &err) : MR_NOMEM;
    if (st != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    st = check_and_read(out, doc, diags);
    mr_xml_destroy(doc);
    return st;
}

void mr_tolerance_fini(struct mr_tolerance *tolerance)
{
    mr_free(tolerance->row);
    mr_arena_fini(&tolerance->arena);
    *tolerance = (struct mr_tolerance){0};
}

/* ---- use ---- */

mr_status mr_tolerance_check(const struct mr_tolerance *tolerance, const struct mr_figures *base,
                             const struct mr_figures *now, struct mr_diags *diags)
{
    mr_status worst = MR_OK;
    for (size_t i = 0; i < tolerance->n; i++) {
        const struct mr_tolerance_row *row = &tolerance->row[i];
        const struct mr_figures *const of[] = {base, now};
        char hint[128] = "", quoted[MR_QUOTE_CAP];
        if (strchr(row->path, '*') != NULL || mr_figures_find(base, row->path) != NULL ||
            mr_figures_find(now, row->path) != NULL)
            continue;
        for (size_t k = 0; k < 2 && hint[0] == '\0'; k++) {
            const char **name = mr_alloc_zero(of[k]->n_item + 1, sizeof *name);
            for (size_t j = 0; name != NULL && j < of[k]->n_item; j++)
                name[j] = of[k]->item[j].path;
            if (name != NULL)
                mr_text_hint(mr_str_of(row->path), name, of[k]->n_item, hint, sizeof hint);
            mr_free(name);
        }
        worst = mr_diags_add(diags, MR_SEVERITY_ERROR, MR_REF,
                             (struct mr_place){tolerance->file, row->line, row->col},
                             "kpi \"%s\": neither file has such a figure%s",
                             mr_text_quote(mr_str_of(row->path), quoted), hint);
    }
    return worst;
}

struct mr_tolerance_limit mr_tolerance_of(const struct mr_tolerance *tolerance,
                                          const struct mr_figures_item *item)
{
    const struct mr_kpi *kpi = item->kpi;
    const enum mr_kpi_better better = kpi != NULL ? kpi->better : MR_KPI_NEITHER;
    const bool is_speed = mr_kpi_is_speed(item->path);
    struct mr_tolerance_limit limit = {.rel = kpi != NULL ? kpi->rel : 0,
                                       .abs = kpi != NULL ? kpi->abs : 0,
                                       .is_worse_down = better == MR_KPI_UP,
                                       .is_worse_up = better == MR_KPI_DOWN,
                                       .fails = !is_speed};
    if (is_speed && tolerance->has_speed) {
        limit.rel = tolerance->speed.rel;
        limit.fails = tolerance->speed.fails;
    }
    for (size_t i = 0; i < tolerance->n; i++) {
        const struct mr_tolerance_row *row = &tolerance->row[i];
        if (!mr_kpi_match(row->path, item->path))
            continue;
        const bool is_both = row->worse == MR_TOLERANCE_BOTH ||
                             (row->worse == MR_TOLERANCE_KNOWN && better == MR_KPI_NEITHER);
        limit.rel = row->rel;
        limit.abs = row->abs;
        limit.fails = row->fails;
        if (row->worse != MR_TOLERANCE_KNOWN || is_both) {
            limit.is_worse_down = is_both || row->worse == MR_TOLERANCE_DOWN;
            limit.is_worse_up = is_both || row->worse == MR_TOLERANCE_UP;
        }
        break;
    }
    return limit;
}
