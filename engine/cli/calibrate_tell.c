/* SPDX-License-Identifier: Apache-2.0 */
/* Shares are percent for people and fractions in JSON. */
#include "engine/cli/calibrate_tell.h"

#include "engine/base/jsonw.h"

#include <stdio.h>

static size_t count_worse(const struct mr_calibrate_told *told)
{
    size_t n = 0;
    for (size_t i = 0; i < told->n_unseen; i++)
        n += told->unseen[i].fitted > told->unseen[i].plain;
    return n;
}

void mr_calibrate_tell_text(const struct mr_calibrate_told *told, struct mr_buf *out)
{
    const struct mr_calibrate_result *r = &told->result;
    const size_t n_worse = count_worse(told);
    mr_buf_printf(out, "%zu rows fitted, %zu held out; cost %.4g, before %.4g\n", r->n_row,
                  r->n_held_out, r->cost_after, r->cost_before);
    for (size_t i = 0; i < told->n_score; i++) {
        const struct mr_calibrate_score *s = &told->score[i];
        char name[128];
        (void)snprintf(name, sizeof name, "%s, %s, %s", mr_fidelity_score_name(s->score),
                       s->is_fitted ? "fitted" : "no fit", s->only_held_out ? "held out" : "all");
        mr_buf_printf(out, "%-52s %5zu rows, median %.1f %%, mean %.1f %%, p90 %.1f %%\n", name,
                      s->stat.n, 100 * s->stat.median, 100 * s->stat.mean, 100 * s->stat.p90);
    }
    for (size_t i = 0; i < told->n_unseen; i++) {
        const struct mr_calibrate_unseen *u = &told->unseen[i];
        mr_buf_printf(out,
                      "unseen %-24s %5zu rows, median %.1f %% fitted without it, %.1f %% no fit\n",
                      u->llm, u->n_row, 100 * u->fitted, 100 * u->plain);
    }
    if (n_worse > 0)
        mr_buf_printf(
            out,
            "%zu models are predicted worse by a fit that never saw them than by none: for "
            "a model that is not among these rows use the card \"spec\"\n",
            n_worse);
}

/* ---- JSON ---- */

static void put_scores(const struct mr_calibrate_told *told, struct mr_jsonw *w)
{
    mr_jsonw_key(w, "scores");
    mr_jsonw_array(w);
    for (size_t i = 0; i < told->n_score; i++) {
        const struct mr_calibrate_score *s = &told->score[i];
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "score", mr_fidelity_score_name(s->score));
        mr_jsonw_key_text(w, "card", s->is_fitted ? "fitted" : "no_fit");
        mr_jsonw_key_text(w, "of", s->only_held_out ? "held_out" : "all");
        mr_jsonw_key_u64(w, "rows", s->stat.n);
        mr_jsonw_key_f64(w, "median", s->stat.median);
        mr_jsonw_key_f64(w, "mean", s->stat.mean);
        mr_jsonw_key_f64(w, "p90", s->stat.p90);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
}

static void put_unseen(const struct mr_calibrate_told *told, struct mr_jsonw *w)
{
    mr_jsonw_key(w, "unseen");
    mr_jsonw_array(w);
    for (size_t i = 0; i < told->n_unseen; i++) {
        const struct mr_calibrate_unseen *u = &told->unseen[i];
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "llm", u->llm);
        mr_jsonw_key_u64(w, "rows", u->n_row);
        mr_jsonw_key_f64(w, "median_fitted_without", u->fitted);
        mr_jsonw_key_f64(w, "median_no_fit", u->plain);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
}

/* In SI units, as the card's table has them. */
static void put_figures(const struct mr_software_card *card, struct mr_jsonw *w)
{
    const size_t *fitted;
    const size_t n = mr_calibrate_figures(&fitted);
    mr_jsonw_key(w, "figures");
    mr_jsonw_object(w);
    for (size_t i = 0; i < n; i++) {
        const struct mr_param *row = &mr_software_kind.table->row[fitted[i]];
        mr_jsonw_key_f64(w, row->name,
                         *(const double *)(const void *)((const char *)card + row->offset));
    }
    mr_jsonw_end(w);
}

void mr_calibrate_tell_json(const struct mr_calibrate_told *told, struct mr_buf *out)
{
    const struct mr_calibrate_result *r = &told->result;
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "id", told->id);
    mr_jsonw_key_f64(&w, "holdout", told->holdout_frac);
    mr_jsonw_key_u64(&w, "rows_fitted", r->n_row);
    mr_jsonw_key_u64(&w, "rows_held_out", r->n_held_out);
    mr_jsonw_key_f64(&w, "cost", r->cost_after);
    mr_jsonw_key_f64(&w, "cost_before", r->cost_before);
    put_scores(told, &w);
    put_unseen(told, &w);
    put_figures(&r->card, &w);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

/* ---- both kinds of fits ---- */

mr_status mr_calibrate_out_check(const struct mr_calibrate_out *out, struct mr_err *err)
{
    MR_TRY(mr_buf_check(&out->text, err));
    MR_TRY(mr_buf_check(&out->json, err));
    return mr_buf_check(&out->card, err);
}

void mr_calibrate_out_fini(struct mr_calibrate_out *out)
{
    mr_buf_fini(&out->text);
    mr_buf_fini(&out->json);
    mr_buf_fini(&out->card);
}
