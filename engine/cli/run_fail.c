/* SPDX-License-Identifier: Apache-2.0 */
/* Figures are found by the paths that regress and compare know them by. */
#include "engine/cli/run_fail.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "postprocess/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    path_cap = 256
};

struct condition {
    char path[path_cap]; /* of the figure */
    bool is_below;       /* else above */
    double value;
};

static mr_status refuse(const char *text, const char *why, struct mr_err *err)
{
    return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                      "--fail-on \"%s\": %s (violation, slo:TIER<FRAC, kpi:PATH<VALUE or "
                      "kpi:PATH>VALUE)",
                      text, why);
}

static bool read_value(const char *text, double *value)
{
    struct mr_str s = mr_str_of(text);
    const bool is_percent = s.n > 0 && s.p[s.n - 1] == '%';
    s.n -= is_percent;
    if (mr_num_parse_f64(mr_str_trim(s), value) != MR_OK || !isfinite(*value))
        return false;
    *value *= is_percent ? 0.01 : 1;
    return true;
}

static mr_status parse(const char *text, struct condition *c, struct mr_err *err)
{
    const bool is_slo = strncmp(text, "slo:", 4) == 0;
    if (strcmp(text, "violation") == 0) {
        *c = (struct condition){"violations", false, 0};
        return MR_OK;
    }
    if (!is_slo && strncmp(text, "kpi:", 4) != 0)
        return refuse(text, "is no condition", err);
    const char *name = text + 4, *sign = strpbrk(name, "<>");
    if (sign == NULL || sign == name)
        return refuse(text, "a name, < or >, and a value are wanted", err);
    if (is_slo && *sign == '>')
        return refuse(text, "objectives may be met too seldom, never too often", err);
    c->is_below = *sign == '<';
    if (!read_value(sign + 1, &c->value))
        return refuse(text, "behind the sign there is no number", err);
    const int n = snprintf(c->path, sizeof c->path, is_slo ? "tiers.%.*s.slo_met_frac" : "%.*s",
                           (int)(sign - name), name);
    return n < path_cap ? MR_OK : refuse(text, "the name is too long", err);
}

/* Figures of no run; those that only some runs have are missed afterwards. */
static mr_status check_figure(const char *text, const char *path, struct mr_err *err)
{
    char hint[path_cap];
    if (strncmp(text, "kpi:", 4) != 0 || mr_kpi_find(path) != NULL)
        return MR_OK;
    const char **names = mr_alloc(mr_kpi_n(), sizeof *names);
    for (size_t i = 0; names != NULL && i < mr_kpi_n(); i++)
        names[i] = mr_kpi_at(i)->path;
    mr_text_hint(mr_str_of(path), names, names != NULL ? mr_kpi_n() : 0, hint, sizeof hint);
    mr_free(names);
    return mr_err_set(err, MR_REF, MR_NOWHERE, "--fail-on \"%s\": no run has a figure \"%s\"%s",
                      text, path, hint[0] != '\0' ? hint : " (millrace schema kpi names them)");
}

mr_status mr_run_fail_check(const struct mr_param_list *conditions, struct mr_err *err)
{
    struct condition c = {0};
    for (size_t i = 0; i < conditions->n; i++) {
        MR_TRY(parse(conditions->item[i], &c, err));
        MR_TRY(check_figure(conditions->item[i], c.path, err));
    }
    return MR_OK;
}

mr_status mr_run_fail_check_tiers(const struct mr_param_list *conditions, const char *const *tier,
                                  size_t n, struct mr_err *err)
{
    char hint[path_cap];
    for (size_t i = 0; i < conditions->n; i++) {
        const char *text = conditions->item[i];
        if (strncmp(text, "slo:", 4) != 0)
            continue;
        const struct mr_str name = {text + 4, strcspn(text + 4, "<>")};
        size_t k = 0;
        while (k < n && !(strlen(tier[k]) == name.n && memcmp(tier[k], name.p, name.n) == 0))
            k++;
        if (k < n)
            continue;
        mr_text_hint(name, tier, n, hint, sizeof hint);
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "--fail-on \"%s\": the scenario has no tier \"%.*s\"%s", text,
                          (int)name.n, name.p, hint);
    }
    return MR_OK;
}

static mr_status tell_unknown(const char *text, const char *path, const struct mr_figures *figures,
                              struct mr_err *err)
{
    char hint[path_cap];
    const char **names = mr_alloc(figures->n_item, sizeof *names);
    for (size_t i = 0; names != NULL && i < figures->n_item; i++)
        names[i] = figures->item[i].path;
    mr_text_hint(mr_str_of(path), names, names != NULL ? figures->n_item : 0, hint, sizeof hint);
    mr_free(names);
    return mr_err_set(err, MR_REF, MR_NOWHERE, "--fail-on \"%s\": the run has no figure \"%s\"%s",
                      text, path, hint[0] != '\0' ? hint : " (or does not know it)");
}

static mr_status look(const char *text, const struct mr_figures *figures, struct mr_buf *out,
                      struct mr_err *err)
{
    struct condition c = {0};
    MR_TRY(parse(text, &c, err));
    const struct mr_figures_item *item = mr_figures_find(figures, c.path);
    if (item == NULL)
        return tell_unknown(text, c.path, figures, err);
    if (c.is_below ? item->value < c.value : item->value > c.value) {
        char value[MR_NUM_CAP];
        mr_num_format_f64(item->value, value);
        mr_buf_printf(out, "%s\"%s\": %s is %s", out->n > 0 ? "; " : "", text, c.path, value);
    }
    return MR_OK;
}

mr_status mr_run_fail_find(const struct mr_param_list *conditions, struct mr_str summary,
                           struct mr_buf *out, struct mr_err *err)
{
    struct mr_figures figures = {0};
    mr_status st = mr_figures_of(summary, "summary", &figures, err);
    for (size_t i = 0; i < conditions->n && st == MR_OK; i++)
        st = look(conditions->item[i], &figures, out, err);
    mr_figures_fini(&figures);
    return st == MR_OK ? mr_buf_check(out, err) : st;
}
