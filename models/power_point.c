/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels run all of the measured step but the host's part; what they do is counted from the LLM's
 * shape; the package never draws more than its limit. Prompts read meanwhile are not recorded and
 * not counted: they are short against the answers here. */
#include "models/power_point.h"

#include "engine/base/csv.h"
#include "engine/base/mem.h"

#include <math.h>

static const double reference_c = 60, count_max = 1e6;

struct reader {
    struct mr_csv *csv;
    struct mr_shelf *shelf;
    struct mr_shelf_list llms;
    struct mr_power_points *set;
    struct mr_software_card software;
    size_t model, gpu, n_gpu, tp, ep, precision, batch, itl, power;
};

static mr_status find_columns(struct reader *r, struct mr_err *err)
{
    const struct {
        const char *name;
        size_t *column;
    } columns[] = {{"model", &r->model},
                   {"gpu", &r->gpu},
                   {"ngpu", &r->n_gpu},
                   {"tp", &r->tp},
                   {"ep", &r->ep},
                   {"precision", &r->precision},
                   {"avg_batch", &r->batch},
                   {"median_itl_ms", &r->itl},
                   {"power_w_per_gpu", &r->power}};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        MR_TRY(mr_csv_column(r->csv, columns[i].name, columns[i].column, err));
    return MR_OK;
}

static double predict(const struct mr_step_setup *setup, struct mr_power_point_row *row)
{
    const double context = MR_POWER_POINT_CONTEXT, window = (double)mr_llm_window(setup->llm);
    const struct mr_batch batch = {.n_decode = row->batch,
                                   .kv_tokens = row->batch * context,
                                   .window_kv_tokens =
                                       window > 0 ? row->batch * fmin(context, window) : 0};
    struct mr_step_terms terms;
    struct mr_power power;
    row->lacks = mr_step_check(setup, NULL) != MR_OK              ? "bad layout"
                 : mr_power_of(setup->gpu, &power, NULL) != MR_OK ? "no power"
                                                                  : NULL;
    if (row->lacks != NULL)
        return (double)NAN;
    mr_step_terms(setup, &batch, 1, &terms);
    struct mr_work work = terms.work;
    work.idle_s = fmin(terms.work.idle_s, row->itl_s);
    work.busy_s = row->itl_s - work.idle_s;
    return fmin(mr_power_step_w(&power, &work, 1, reference_c), power.limit_w);
}

static bool is_count(double x)
{
    return x >= 1 && x <= count_max && x == floor(x);
}

static mr_status read_row(struct reader *r, struct mr_err *err)
{
    struct mr_power_point_row row = {.predicted_w = (double)NAN};
    double n_gpu, tp, ep, itl_ms;
    const char *id = "";
    struct mr_diags ignored = {0};
    row.model = mr_arena_text(&r->set->arena, mr_str_trim(mr_csv_field(r->csv, r->model)), err);
    row.gpu = mr_arena_text(&r->set->arena, mr_str_trim(mr_csv_field(r->csv, r->gpu)), err);
    if (row.model == NULL || row.gpu == NULL)
        return MR_NOMEM;
    MR_TRY(mr_csv_f64(r->csv, r->n_gpu, &n_gpu, err));
    MR_TRY(mr_csv_f64(r->csv, r->tp, &tp, err));
    MR_TRY(mr_csv_f64(r->csv, r->ep, &ep, err));
    MR_TRY(mr_csv_f64(r->csv, r->batch, &row.batch, err));
    MR_TRY(mr_csv_f64(r->csv, r->itl, &itl_ms, err));
    MR_TRY(mr_csv_f64(r->csv, r->power, &row.measured_w, err));
    if (!is_count(n_gpu) || !is_count(tp) || !is_count(ep))
        return mr_csv_error(r->csv, r->tp, err, MR_RANGE,
                            "ngpu, tp and ep are whole numbers from 1 to %g", count_max);
    if (!(row.batch > 0 && row.batch <= count_max))
        return mr_csv_error(r->csv, r->batch, err, MR_RANGE, "must be above 0, at most %g",
                            count_max);
    if (!(itl_ms > 0) || !(row.measured_w > 0))
        return mr_csv_error(r->csv, r->power, err, MR_RANGE, "times and watts are above 0");
    row.itl_s = itl_ms * 1e-3;
    const struct mr_card *gpu =
        mr_shelf_card(r->shelf, &mr_gpu_kind, row.gpu, MR_NOWHERE, &ignored);
    const struct mr_llm_card *llm = mr_measured_llm(r->shelf, &r->llms, mr_str_of(row.model), &id);
    const int format = mr_measured_format(mr_str_trim(mr_csv_field(r->csv, r->precision)));
    row.lacks = gpu == NULL || llm == NULL ? "no card" : format < 0 ? "bad format" : NULL;
    if (row.lacks == NULL) {
        const uint32_t dp = (uint32_t)fmax(1, n_gpu / tp);
        const struct mr_step_setup setup = {
            .gpu = mr_gpu_of(gpu),
            .llm = llm,
            .software = &r->software,
            .parallel = {(uint32_t)tp, dp, 1, (uint32_t)ep, (uint32_t)fmax(1, tp * dp / ep)},
            .dense_format = llm->native_dense < MR_N_FORMAT ? llm->native_dense : format,
            .expert_format = llm->native_experts < MR_N_FORMAT ? llm->native_experts : format,
            .kv_element_bytes = 2};
        row.predicted_w = predict(&setup, &row);
    }
    MR_TRY(mr_grow(&r->set->row, &r->set->cap, r->set->n + 1, sizeof *r->set->row, err));
    r->set->row[r->set->n++] = row;
    return MR_OK;
}

static mr_status read_rows(struct reader *r, struct mr_err *err)
{
    for (;;) {
        bool has_row;
        MR_TRY(mr_csv_next(r->csv, &has_row, err));
        if (!has_row)
            return MR_OK;
        MR_TRY(read_row(r, err));
    }
}

mr_status mr_power_point_read(const char *path, struct mr_shelf *shelf, struct mr_power_points *set,
                              struct mr_err *err)
{
    struct reader r = {.shelf = shelf, .set = set};
    mr_software_defaults(&r.software);
    mr_status st = mr_shelf_list_add(&r.llms, &mr_llm_kind, NULL, err);
    if (st == MR_OK)
        st = mr_csv_open(path, NULL, &r.csv, err);
    if (st == MR_OK)
        st = find_columns(&r, err);
    const size_t n_before = set->n;
    if (st == MR_OK)
        st = read_rows(&r, err);
    if (st == MR_OK && set->n == n_before)
        st = mr_measured_no_rows(path, err);
    mr_csv_close(r.csv);
    mr_shelf_list_fini(&r.llms);
    return st;
}

void mr_power_point_fini(struct mr_power_points *set)
{
    mr_free(set->row);
    mr_arena_fini(&set->arena);
    *set = (struct mr_power_points){0};
}
