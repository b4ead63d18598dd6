/* SPDX-License-Identifier: Apache-2.0 */
/* A figure is beyond its limit when it is worse than the baseline by more than the larger of the
 * two tolerances, rel |baseline| and abs. Better never fails. */
#include "postprocess/regress.h"

#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/xmlw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const words[] = {
#define MR_REGRESS_WORD(name, word) word,
    MR_REGRESS_LIST(MR_REGRESS_WORD)
#undef MR_REGRESS_WORD
};

/* No figure of a summary: it stands for all of a run that has none to compare. */
static const struct mr_figures_item partial_item = {
    "partial", "1", "Runs that did not reach their end: nothing of them is compared", 1, NULL};

/* ---- comparing ---- */

static enum mr_regress_verdict judge(const struct mr_regress_row *row)
{
    const struct mr_tolerance_limit *limit = &row->limit;
    if (isnan(row->base))
        return MR_REGRESS_NEW;
    if (isnan(row->now))
        return limit->is_worse_down || limit->is_worse_up ? MR_REGRESS_GONE : MR_REGRESS_CHANGED;
    const double rise = row->now - row->base;
    /* 2 -> 2.04 is 2 % whatever the last bit of the difference says */
    const double allowed = fmax(limit->rel * fabs(row->base), limit->abs) * (1 + 1e-12);
    if (row->now >= row->base && row->now <= row->base)
        return MR_REGRESS_SAME;
    if (!limit->is_worse_down && !limit->is_worse_up)
        return MR_REGRESS_CHANGED;
    if (fabs(rise) <= allowed && mr_kpi_is_same(row->item->kpi, row->base, row->now))
        return MR_REGRESS_WITHIN; /* less noise is not better */
    if (rise < 0 ? !limit->is_worse_down : !limit->is_worse_up)
        return MR_REGRESS_BETTER;
    if (fabs(rise) <= allowed)
        return MR_REGRESS_WITHIN;
    return limit->fails ? MR_REGRESS_WORSE : MR_REGRESS_TOLD;
}

bool mr_regress_is_failed(const struct mr_regress_row *row)
{
    return row->verdict >= MR_REGRESS_WORSE;
}

static mr_status add(struct mr_regress *r, struct mr_regress_row row, struct mr_err *err)
{
    MR_TRY(mr_grow(&r->row, &r->cap_row, r->n_row + 1, sizeof row, err));
    r->n_failed += mr_regress_is_failed(&row) ? 1 : 0;
    r->row[r->n_row++] = row;
    return MR_OK;
}

static int compare_values(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median over all runs that reached their end, and their range. */
static mr_status add_speed(struct mr_regress *r, const struct mr_figures_item *item,
                           const struct mr_tolerance *tolerance, struct mr_err *err)
{
    double *value = mr_alloc(r->n_run, sizeof *value);
    size_t n = 0;
    if (value == NULL)
        return mr_err_nomem(err, r->n_run * sizeof *value);
    for (size_t i = 0; i < r->n_run; i++) {
        value[n] = mr_figures_value(&r->run[i], item->path);
        n += r->run[i].is_partial || isnan(value[n]) ? 0 : 1;
    }
    qsort(value, n, sizeof *value, compare_values);
    struct mr_regress_row row = {.item = item,
                                 .base = mr_figures_value(r->base, item->path),
                                 .now = (value[(n - 1) / 2] + value[n / 2]) / 2,
                                 .low = value[0],
                                 .high = value[n - 1],
                                 .limit = mr_tolerance_of(tolerance, item),
                                 .is_speed = true};
    mr_free(value);
    row.verdict = judge(&row);
    return add(r, row, err);
}

/* An earlier run of the same question that has another answer. */
static bool differs_from_earlier(const struct mr_regress *r, size_t i_run,
                                 const struct mr_figures_item *item)
{
    const struct mr_figures *run = &r->run[i_run];
    for (size_t i = 0; i < i_run; i++) {
        const struct mr_figures *other = &r->run[i];
        const double value = mr_figures_value(other, item->path);
        if (!other->is_partial && strcmp(other->name, run->name) == 0 && other->seed >= run->seed &&
            other->seed <= run->seed && (value < item->value || value > item->value))
            return true;
    }
    return false;
}

static mr_status add_partial(struct mr_regress *r, size_t i_run, struct mr_err *err)
{
    const struct mr_regress_row row = {.item = &partial_item,
                                       .i_run = i_run,
                                       .now = 1,
                                       .low = 1,
                                       .high = 1,
                                       .limit = {.is_worse_up = true},
                                       .verdict = MR_REGRESS_PARTIAL};
    return add(r, row, err);
}

static mr_status compare_run(struct mr_regress *r, size_t i_run,
                             const struct mr_tolerance *tolerance, struct mr_err *err)
{
    const struct mr_figures *run = &r->run[i_run];
    if (run->is_partial)
        return add_partial(r, i_run, err);
    for (size_t i = 0; i < r->base->n_item; i++) {
        const struct mr_figures_item *item = &r->base->item[i];
        if (mr_kpi_is_speed(item->path) || mr_figures_find(run, item->path) != NULL)
            continue;
        struct mr_regress_row row = {.item = item,
                                     .i_run = i_run,
                                     .base = item->value,
                                     .now = (double)NAN,
                                     .low = (double)NAN,
                                     .high = (double)NAN,
                                     .limit = mr_tolerance_of(tolerance, item)};
        row.verdict = judge(&row);
        MR_TRY(add(r, row, err));
    }
    for (size_t i = 0; i < run->n_item; i++) {
        const struct mr_figures_item *item = &run->item[i];
        if (mr_kpi_is_speed(item->path))
            continue;
        struct mr_regress_row row = {.item = item,
                                     .i_run = i_run,
                                     .base = mr_figures_value(r->base, item->path),
                                     .now = item->value,
                                     .low = item->value,
                                     .high = item->value,
                                     .limit = mr_tolerance_of(tolerance, item)};
        row.verdict = differs_from_earlier(r, i_run, item) ? MR_REGRESS_UNSTABLE : judge(&row);
        MR_TRY(add(r, row, err));
    }
    return MR_OK;
}

mr_status mr_regress_compare(const struct mr_figures *base, const struct mr_figures *run,
                             size_t n_run, const struct mr_tolerance *tolerance,
                             struct mr_regress *out, struct mr_err *err)
{
    *out = (struct mr_regress){.base = base, .run = run, .n_run = n_run};
    for (size_t i = 0; i < n_run; i++)
        MR_TRY(compare_run(out, i, tolerance, err));
    size_t whole = 0;
    while (whole < n_run && run[whole].is_partial)
        whole++;
    for (size_t i = 0; whole < n_run && i < run[whole].n_item; i++)
        if (mr_kpi_is_speed(run[whole].item[i].path))
            MR_TRY(add_speed(out, &run[whole].item[i], tolerance, err));
    return MR_OK;
}

bool mr_regress_has_common(const struct mr_regress *regress)
{
    for (size_t i = 0; i < regress->n_row; i++)
        if (regress->row[i].verdict == MR_REGRESS_PARTIAL ||
            isfinite(regress->row[i].base - regress->row[i].now))
            return true;
    return false;
}

void mr_regress_fini(struct mr_regress *regress)
{
    mr_free(regress->row);
    *regress = (struct mr_regress){0};
}

/* ---- words ---- */

static const char *human(double value, char out[MR_NUM_CAP])
{
    if (isnan(value))
        (void)snprintf(out, MR_NUM_CAP, "-");
    else
        (void)mr_num_format_human(value, 4, out);
    return out;
}

/* "-7.7 %", or the difference where there is nothing to divide by. */
static void print_change(const struct mr_regress_row *row, struct mr_buf *out)
{
    char text[MR_NUM_CAP];
    const double rise = row->now - row->base;
    if (isnan(rise))
        mr_buf_char(out, '-');
    else if (row->base > 0 || row->base < 0)
        mr_buf_printf(out, "%+.*f %%", fabs(rise / row->base) < 0.001 ? 3 : 1,
                      100 * rise / fabs(row->base));
    else
        mr_buf_printf(out, "%s%s", rise > 0 ? "+" : "", human(rise, text));
}

static void print_limit(const struct mr_regress_row *row, struct mr_buf *out)
{
    const struct mr_tolerance_limit *limit = &row->limit;
    char text[MR_NUM_CAP];
    const char *sign = !limit->is_worse_up ? "-" : limit->is_worse_down ? "+-" : "+";
    if (!limit->is_worse_down && !limit->is_worse_up)
        mr_buf_text(out, "none");
    else if (limit->abs > limit->rel * fabs(row->base))
        mr_buf_printf(out, "%s%s", sign, human(limit->abs, text));
    else if (!(limit->rel > 0))
        mr_buf_char(out, '0');
    else
        mr_buf_printf(out, "%s%s %%", sign, human(100 * limit->rel, text));
}

void mr_regress_print_cause(const struct mr_regress_row *row, struct mr_buf *out)
{
    char base[MR_NUM_CAP], now[MR_NUM_CAP];
    if (row->verdict == MR_REGRESS_PARTIAL) {
        mr_buf_text(out, "the run did not reach its end (partial): nothing of it is compared");
        return;
    }
    mr_buf_printf(out, "%s %s -> %s, ", row->item->path, human(row->base, base),
                  isnan(row->now) ? "missing" : human(row->now, now));
    if (row->verdict == MR_REGRESS_UNSTABLE) {
        mr_buf_text(out, "runs of one scenario and seed differ");
        return;
    }
    print_change(row, out);
    mr_buf_text(out, ", limit ");
    print_limit(row, out);
}

static void print_row(const struct mr_regress_row *row, struct mr_buf *out)
{
    struct mr_buf change = {0}, limit = {0};
    char base[MR_NUM_CAP], now[MR_NUM_CAP];
    print_change(row, &change);
    print_limit(row, &limit);
    mr_buf_printf(out, "  %-28s %-9s %11s %11s %11s %9s  %s\n", row->item->path, row->item->unit,
                  human(row->base, base), human(row->now, now), change.n > 0 ? change.text : "",
                  limit.n > 0 ? limit.text : "", words[row->verdict]);
    mr_buf_fini(&change);
    mr_buf_fini(&limit);
}

static void print_block(const struct mr_regress *r, size_t i_run, bool is_speed, bool is_full,
                        struct mr_buf *out)
{
    size_t n_same = 0, n = 0;
    for (size_t i = 0; i < r->n_row; i++) {
        const struct mr_regress_row *row = &r->row[i];
        if (row->is_speed != is_speed || (!is_speed && row->i_run != i_run))
            continue;
        n_same += row->verdict == MR_REGRESS_SAME;
        n++;
        if (is_full || row->verdict != MR_REGRESS_SAME)
            print_row(row, out);
    }
    mr_buf_printf(out, "  %zu figures, %zu the same\n", n, n_same);
}

void mr_regress_print_table(const struct mr_regress *regress, bool is_full, struct mr_buf *out)
{
    for (size_t i = 0; i < regress->n_run; i++) {
        mr_buf_printf(out, "%s: %s against %s%s\n", regress->run[i].name, regress->run[i].file,
                      regress->base->file, regress->run[i].is_partial ? " (PARTIAL)" : "");
        mr_buf_printf(out, "  %-28s %-9s %11s %11s %11s %9s\n", "figure", "unit", "baseline", "run",
                      "change", "limit");
        print_block(regress, i, false, is_full, out);
    }
    mr_buf_printf(out, "speed of the simulator%s\n",
                  regress->n_run > 1 ? ", median of all runs" : "");
    print_block(regress, 0, true, true, out);
}

/* ---- for machines ---- */

static void junit_case(const struct mr_regress *r, const struct mr_regress_row *row,
                       struct mr_xmlw *w)
{
    struct mr_buf cause = {0};
    mr_xmlw_open(w, "testcase");
    mr_xmlw_attr(w, "classname", r->run[row->i_run].name);
    mr_xmlw_attr(w, "name", row->item->path);
    mr_regress_print_cause(row, &cause);
    if (mr_regress_is_failed(row) && cause.status == MR_OK) {
        mr_xmlw_open(w, "failure");
        mr_xmlw_attr(w, "message", cause.text);
        mr_xmlw_text(w, (struct mr_str){cause.text, cause.n});
        mr_xmlw_close(w, "failure");
    }
    mr_xmlw_close(w, "testcase");
    if (cause.status != MR_OK)
        w->buf->status = cause.status;
    mr_buf_fini(&cause);
}

static void junit_suite(const struct mr_regress *r, size_t i_run, bool is_speed, struct mr_xmlw *w)
{
    size_t n = 0, n_failed = 0;
    for (size_t i = 0; i < r->n_row; i++)
        if (r->row[i].is_speed == is_speed && (is_speed || r->row[i].i_run == i_run)) {
            n++;
            n_failed += mr_regress_is_failed(&r->row[i]) ? 1 : 0;
        }
    mr_xmlw_open(w, "testsuite");
    mr_xmlw_attr_printf(w, "name", "%s%s", r->run[i_run].name,
                        is_speed ? ", speed of the simulator" : "");
    mr_xmlw_attr_u64(w, "tests", n);
    mr_xmlw_attr_u64(w, "failures", n_failed);
    for (size_t i = 0; i < r->n_row; i++)
        if (r->row[i].is_speed == is_speed && (is_speed || r->row[i].i_run == i_run))
            junit_case(r, &r->row[i], w);
    mr_xmlw_close(w, "testsuite");
}

void mr_regress_print_junit(const struct mr_regress *regress, struct mr_buf *out)
{
    struct mr_xmlw w;
    mr_xmlw_init(&w, out, 1);
    mr_xmlw_prolog(&w, NULL, NULL, NULL);
    mr_xmlw_open(&w, "testsuites");
    mr_xmlw_attr_u64(&w, "tests", regress->n_row);
    mr_xmlw_attr_u64(&w, "failures", regress->n_failed);
    for (size_t i = 0; i < regress->n_run; i++)
        junit_suite(regress, i, false, &w);
    junit_suite(regress, 0, true, &w);
    mr_xmlw_close(&w, "testsuites");
    mr_xmlw_end(&w);
}

/* Runs that did not reach their end. @param[in] name of their scenario; NULL: of any */
static double n_partial(const struct mr_regress *r, const char *name)
{
    double n = 0;
    for (size_t i = 0; i < r->n_run; i++)
        n += r->run[i].is_partial && (name == NULL || strcmp(r->run[i].name, name) == 0) ? 1 : 0;
    return n;
}

void mr_regress_print_github(const struct mr_regress *regress, enum mr_kpi_better better,
                             struct mr_buf *out)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 1);
    mr_jsonw_array(&w);
    if (better == MR_KPI_DOWN && n_partial(regress, NULL) > 0) {
        mr_jsonw_object(&w);
        mr_jsonw_key_text(&w, "name", partial_item.path);
        mr_jsonw_key_text(&w, "unit", partial_item.unit);
        mr_jsonw_key_f64(&w, "value", n_partial(regress, NULL));
        mr_jsonw_key_text(&w, "extra", partial_item.doc);
        mr_jsonw_end(&w);
    }
    for (size_t i = 0; i < regress->n_row; i++) {
        const struct mr_regress_row *row = &regress->row[i];
        const struct mr_kpi *kpi = row->item->kpi;
        if (row->i_run != 0 || isnan(row->now) || kpi == NULL || kpi->better != better)
            continue;
        mr_jsonw_object(&w);
        mr_jsonw_key_text(&w, "name", row->item->path);
        mr_jsonw_key_text(&w, "unit", row->item->unit);
        mr_jsonw_key_f64(&w, "value", row->now);
        if (row->is_speed && regress->n_run > 1) {
            char text[MR_NUM_CAP + 4] = "+-";
            (void)mr_num_format_human((row->high - row->low) / 2, 4, text + 2);
            mr_jsonw_key_text(&w, "range", text);
        }
        mr_jsonw_key_text(&w, "extra", row->item->doc);
        mr_jsonw_end(&w);
    }
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

static bool is_first_of_its_name(const struct mr_regress *r, size_t i_run)
{
    for (size_t i = 0; i < i_run; i++)
        if (strcmp(r->run[i].name, r->run[i_run].name) == 0)
            return false;
    return true;
}

static void bencher_measure(const char *path, double value, double low, double high,
                            struct mr_jsonw *w)
{
    mr_jsonw_key(w, path);
    mr_jsonw_object(w);
    mr_jsonw_key_f64(w, "value", value);
    mr_jsonw_key_f64(w, "lower_value", low);
    mr_jsonw_key_f64(w, "upper_value", high);
    mr_jsonw_end(w);
}

void mr_regress_print_bencher(const struct mr_regress *regress, struct mr_buf *out)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 1);
    mr_jsonw_object(&w);
    for (size_t k = 0; k < regress->n_run; k++) {
        if (!is_first_of_its_name(regress, k))
            continue;
        const double n = n_partial(regress, regress->run[k].name);
        mr_jsonw_key(&w, regress->run[k].name);
        mr_jsonw_object(&w);
        for (size_t i = 0; i < regress->n_row; i++) {
            const struct mr_regress_row *row = &regress->row[i];
            if (row->i_run == k && !isnan(row->now) && row->verdict != MR_REGRESS_PARTIAL)
                bencher_measure(row->item->path, row->now, row->low, row->high, &w);
        }
        if (n > 0)
            bencher_measure(partial_item.path, n, n, n, &w);
        mr_jsonw_end(&w);
    }
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}
