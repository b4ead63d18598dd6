/* SPDX-License-Identifier: Apache-2.0 */
/* Operator tables: errors by operator and type, fitted and held-out half. Served models: every row,
 * and errors by package. */
#include "engine/cli/fidelity_power.h"

#include "engine/base/csv.h"
#include "engine/base/mem.h"
#include "models/power_point.h"
#include "models/power_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

mr_status mr_fidelity_power_kind(const char *path, int *kind, struct mr_err *err)
{
    struct mr_csv *csv;
    MR_TRY(mr_csv_open(path, NULL, &csv, err));
    *kind = MR_FIDELITY_FILE_TIMES;
    if (mr_csv_find_column(csv, "power_w_per_gpu") != SIZE_MAX)
        *kind = MR_FIDELITY_FILE_POINTS;
    else if (mr_csv_find_column(csv, "latency") != SIZE_MAX &&
             mr_csv_find_column(csv, "power") != SIZE_MAX)
        *kind = MR_FIDELITY_FILE_OPERATORS;
    mr_csv_close(csv);
    return MR_OK;
}

/* ---- operators ---- */

static mr_status put_score(const struct mr_power_table *table, const char *name,
                           const struct mr_power_select *select, struct mr_buf *out,
                           struct mr_err *err)
{
    struct mr_power_score s;
    MR_TRY(mr_power_table_score(table, select, &s, err));
    if (s.n > 0)
        mr_buf_printf(out, "%-44s %5zu %7.1f %7.1f %7.1f %+7.1f\n", name, s.n, 100 * s.median,
                      100 * s.mean, 100 * s.p90, 100 * s.bias);
    return MR_OK;
}

static mr_status operator_scores(const struct mr_power_table *table, struct mr_buf *out,
                                 struct mr_err *err)
{
    static const char *const parts[] = {"all", "fitted", "held out"};
    char name[96];
    mr_buf_printf(out, "%-44s %5s %7s %7s %7s %7s\n", "absolute error of power [%]", "rows",
                  "median", "mean", "p90", "bias");
    for (int held_out = 0; held_out < 3; held_out++)
        MR_TRY(put_score(table, parts[held_out], &(struct mr_power_select){.held_out = held_out},
                         out, err));
    for (int kind = 0; kind < MR_POWER_TABLE_N_KIND; kind++) {
        const struct mr_power_select select = {.op = mr_power_table_op(kind),
                                               .type = mr_power_table_type(kind)};
        snprintf(name, sizeof name, "  %s %s", select.op, select.type);
        MR_TRY(put_score(table, name, &select, out, err));
    }
    return MR_OK;
}

static mr_status print_operators(char *const *path, int n_path, const char *gpu,
                                 struct mr_shelf *shelf, struct mr_buf *out, struct mr_err *err)
{
    struct mr_power_table table = {0};
    struct mr_power power;
    struct mr_diags diags = {0};
    const struct mr_card *card = mr_shelf_card(shelf, &mr_gpu_kind, gpu, MR_NOWHERE, &diags);
    if (card == NULL) {
        *err = diags.item[0].err;
        return diags.first_error;
    }
    mr_status st = mr_power_of(mr_gpu_of(card), &power, err);
    for (int i = 0; i < n_path && st == MR_OK; i++)
        st = mr_power_table_read(path[i], &table, err);
    if (st == MR_OK) {
        mr_power_table_predict(&table, &power);
        st = operator_scores(&table, out, err);
    }
    mr_power_table_fini(&table);
    return st;
}

/* ---- served models ---- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void put_points(const struct mr_power_points *set, const char *gpu, double *scratch,
                       struct mr_buf *out)
{
    size_t n = 0;
    double sum = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct mr_power_point_row *row = &set->row[i];
        if (isnan(row->predicted_w) || (gpu != NULL && strcmp(gpu, row->gpu) != 0))
            continue;
        scratch[n] = fabs(row->predicted_w / row->measured_w - 1);
        sum += scratch[n++];
    }
    if (n == 0)
        return;
    qsort(scratch, n, sizeof *scratch, by_value);
    mr_buf_printf(out, "%-44s %5zu %7.1f %7.1f %7.1f\n", gpu != NULL ? gpu : "all", n,
                  100 * scratch[n / 2], 100 * sum / (double)n,
                  100 * scratch[(size_t)(0.9 * (double)n)]);
}

static void put_rows(const struct mr_power_points *set, struct mr_buf *out)
{
    mr_buf_printf(out, "%-36s %-10s %8s %9s %9s %7s\n", "model", "gpu", "batch", "measured",
                  "predicted", "error");
    for (size_t i = 0; i < set->n; i++) {
        const struct mr_power_point_row *row = &set->row[i];
        mr_buf_printf(out, "%-36s %-10s %8.0f %7.0f W ", row->model, row->gpu, row->batch,
                      row->measured_w);
        if (isnan(row->predicted_w))
            mr_buf_printf(out, "%9s\n", row->lacks);
        else
            mr_buf_printf(out, "%7.0f W %+6.1f %%\n", row->predicted_w,
                          100 * (row->predicted_w / row->measured_w - 1));
    }
}

/* All rows together, then every package once, in the order of first sight. */
static mr_status put_scores(const struct mr_power_points *set, struct mr_buf *out,
                            struct mr_err *err)
{
    double *scratch = mr_alloc_zero(set->n + 1, sizeof *scratch);
    if (scratch == NULL)
        return mr_err_nomem(err, set->n * sizeof *scratch);
    mr_buf_printf(out, "\n%-44s %5s %7s %7s %7s\n", "absolute error of power [%]", "rows", "median",
                  "mean", "p90");
    put_points(set, NULL, scratch, out);
    for (size_t i = 0; i < set->n; i++) {
        size_t k = 0;
        while (k < i && strcmp(set->row[k].gpu, set->row[i].gpu) != 0)
            k++;
        if (k == i)
            put_points(set, set->row[i].gpu, scratch, out);
    }
    mr_free(scratch);
    return MR_OK;
}

static mr_status print_points(char *const *path, int n_path, struct mr_shelf *shelf,
                              struct mr_buf *out, struct mr_err *err)
{
    struct mr_power_points set = {0};
    mr_status st = MR_OK;
    for (int i = 0; i < n_path && st == MR_OK; i++)
        st = mr_power_point_read(path[i], shelf, &set, err);
    if (st == MR_OK) {
        put_rows(&set, out);
        st = put_scores(&set, out, err);
    }
    mr_power_point_fini(&set);
    return st;
}

mr_status mr_fidelity_power_print(int kind, char *const *path, int n_path, const char *gpu,
                                  struct mr_buf *out, struct mr_err *err)
{
    struct mr_shelf *shelf;
    MR_TRY(mr_shelf_create(&shelf, err));
    const mr_status st = kind == MR_FIDELITY_FILE_POINTS
                             ? print_points(path, n_path, shelf, out, err)
                             : print_operators(path, n_path, gpu, shelf, out, err);
    mr_shelf_destroy(shelf);
    return st;
}
