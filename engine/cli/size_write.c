/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of a search for programs. Map: JSON - CSV. */
#include "engine/base/csv.h"
#include "engine/base/jsonw.h"
#include "engine/base/num.h"
#include "engine/cli/size_tell.h"
#include "engine/cli/size_why.h"
#include "experiments/design.h"

#include <math.h>

/* ---- JSON ---- */

static void put_settings(const struct mr_size_build *build, struct mr_jsonw *w)
{
    mr_jsonw_key(w, "set");
    mr_jsonw_array(w);
    for (size_t k = 0; k < build->n_set; k++)
        mr_jsonw_str(w, mr_str_of(build->set[k]));
    mr_jsonw_end(w);
}

static void put_build(const struct mr_size_told *told, size_t i, struct mr_jsonw *w)
{
    const struct mr_size_space *space = told->space;
    const struct mr_size_build *build = &space->build[i];
    const struct mr_search_item *item = &space->item[i];
    char why[MR_SIZE_WHY];
    mr_size_why(told, i, why, sizeof why);
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "build", i);
    mr_jsonw_key_text(w, "fate", mr_search_fate_name(item->fate));
    mr_jsonw_key_text(w, "why", why);
    mr_jsonw_key(w, "factors");
    mr_jsonw_object(w);
    for (size_t k = 0; k < space->n_factor; k++)
        mr_jsonw_key_text(w, space->factor[k].path, build->value[k]);
    mr_jsonw_end(w);
    mr_jsonw_key_u64(w, "racks", build->n_rack);
    mr_jsonw_key_u64(w, "packages", build->n_package);
    mr_jsonw_key_u64(w, "instances", build->n_instance);
    mr_jsonw_key_f64(w, "nominal_mw", build->nominal_w * 1e-6);
    mr_jsonw_key_f64(w, "capital_usd", build->capital_usd);
    mr_jsonw_key_f64(w, "bound_tok_s",
                     isfinite(item->bound_tok_s) ? item->bound_tok_s : (double)NAN);
    mr_jsonw_key_text(
        w, "load", item->lo >= 0 && space->load.path != NULL ? space->load.value[item->lo] : NULL);
    mr_jsonw_key_f64(w, "tok_s", item->lo >= 0 ? item->tok_s : (double)NAN);
    mr_jsonw_key_bool(w, "tok_s_is_at_least", mr_size_is_bounded(told, i));
    put_settings(build, w);
    mr_jsonw_end(w);
}

static void put_run(const struct mr_size_told *told, size_t i, struct mr_jsonw *w)
{
    const struct mr_size_run *run = &told->play->run[i];
    char id[MR_DESIGN_ID];
    mr_jsonw_object(w);
    mr_jsonw_key_text(w, "run_id", mr_design_id(i, id));
    mr_jsonw_key_u64(w, "build", run->build);
    mr_jsonw_key_text(w, "load",
                      told->space->load.path != NULL ? told->space->load.value[run->load] : NULL);
    mr_jsonw_key_bool(w, "holds", run->holds);
    mr_jsonw_key_f64(w, "tok_s", run->tok_s);
    mr_jsonw_key_f64(w, "site_mw_peak", run->peak_mw);
    mr_jsonw_key_f64(w, "site_mw_mean", run->mean_mw);
    mr_jsonw_key_f64(w, "usd_per_mtok", run->usd_mtok);
    mr_jsonw_key_f64(w, "user_tok_s", run->user_tok_s);
    mr_jsonw_key_f64(w, "violations", run->n_violation);
    mr_jsonw_end(w);
}

static void put_confirms(const struct mr_size_told *told, struct mr_jsonw *w)
{
    mr_jsonw_key(w, "confirmed");
    mr_jsonw_array(w);
    for (size_t i = 0; i < told->play->n_confirm; i++) {
        const struct mr_size_confirm *c = &told->play->confirm[i];
        mr_jsonw_object(w);
        mr_jsonw_key_u64(w, "build", c->trial.item);
        mr_jsonw_key_text(w, "load",
                          told->space->load.path != NULL ? told->space->load.value[c->trial.load]
                                                         : NULL);
        mr_jsonw_key_f64(w, "until_s", MR_SIZE_LONGER * told->space->until_s);
        mr_jsonw_key_f64(w, "warm_up_s", told->space->until_s);
        mr_jsonw_key_bool(w, "holds", c->holds);
        mr_jsonw_key_text(w, "promise", c->verdict.what);
        mr_jsonw_key_u64(w, "calls", c->verdict.n_call);
        mr_jsonw_key_f64(w, "share", c->verdict.share);
        mr_jsonw_key_f64(w, "half95", c->verdict.half95);
        mr_jsonw_key_f64(w, "wanted", c->verdict.wanted_frac);
        mr_jsonw_key_bool(w, "is_sure", c->verdict.is_sure);
        mr_jsonw_key_f64(w, "tok_s", c->tok_s);
        mr_jsonw_key_f64(w, "site_mw_peak", c->peak_mw);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
}

void mr_size_tell_json(const struct mr_size_told *told, struct mr_buf *out)
{
    const struct mr_size_space *space = told->space;
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 1);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "goal", told->has_target ? "smallest" : "most");
    mr_jsonw_key_f64(&w, "limit_mw",
                     space->opts->limit_mw > 0 ? space->opts->limit_mw : (double)NAN);
    mr_jsonw_key_f64(&w, "budget_usd",
                     space->opts->budget_usd > 0 ? space->opts->budget_usd : (double)NAN);
    mr_jsonw_key_text(&w, "load_path", space->load.path);
    mr_jsonw_key(&w, "best");
    if (told->best < space->n_build)
        put_build(told, told->best, &w);
    else
        mr_jsonw_f64(&w, (double)NAN);
    put_confirms(told, &w);
    mr_jsonw_key(&w, "builds");
    mr_jsonw_array(&w);
    for (size_t i = 0; i < space->n_build; i++)
        put_build(told, i, &w);
    mr_jsonw_end(&w);
    mr_jsonw_key(&w, "runs");
    mr_jsonw_array(&w);
    for (size_t i = 0; i < told->play->n_run; i++)
        put_run(told, i, &w);
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

/* ---- CSV ---- */

/* Infinite and unknown ones stay empty. */
static void put_number_field(struct mr_csv_writer *w, double value)
{
    mr_csv_put_f64(w, isfinite(value) ? value : (double)NAN);
}

void mr_size_tell_csv(const struct mr_size_told *told, struct mr_buf *out)
{
    static const char *const heads[] = {
        "racks", "packages", "instances",    "nominal_mw", "capital_usd", "bound_tok_s",
        "load",  "tok_s",    "site_mw_peak", "fate",       "why",         "tok_s_is_at_least"};
    const struct mr_size_space *space = told->space;
    struct mr_csv_writer w = {.buf = out};
    mr_csv_put_text(&w, "build");
    for (size_t k = 0; k < space->n_factor; k++)
        mr_csv_put_text(&w, space->factor[k].path);
    for (size_t k = 0; k < sizeof heads / sizeof *heads; k++)
        mr_csv_put_text(&w, heads[k]);
    mr_csv_put_end(&w);
    for (size_t i = 0; i < space->n_build; i++) {
        const struct mr_size_build *build = &space->build[i];
        const struct mr_search_item *item = &space->item[i];
        char why[MR_SIZE_WHY];
        mr_size_why(told, i, why, sizeof why);
        mr_csv_put_u64(&w, i);
        for (size_t k = 0; k < space->n_factor; k++)
            mr_csv_put_text(&w, build->value[k]);
        mr_csv_put_u64(&w, build->n_rack);
        mr_csv_put_u64(&w, build->n_package);
        mr_csv_put_u64(&w, build->n_instance);
        put_number_field(&w, build->nominal_w * 1e-6);
        put_number_field(&w, build->capital_usd);
        put_number_field(&w, item->bound_tok_s);
        mr_csv_put_text(&w, item->lo >= 0 && space->load.path != NULL ? space->load.value[item->lo]
                                                                      : "");
        put_number_field(&w, item->lo >= 0 ? item->tok_s : (double)NAN);
        put_number_field(&w, mr_size_peak_mw(told, i));
        mr_csv_put_text(&w, mr_search_fate_name(item->fate));
        mr_csv_put_text(&w, why);
        mr_csv_put_text(&w, mr_size_is_bounded(told, i) ? "yes" : "no");
        mr_csv_put_end(&w);
    }
}

void mr_size_tell_manifest(const struct mr_size_told *told, struct mr_buf *out)
{
    const struct mr_size_space *space = told->space;
    struct mr_csv_writer w = {.buf = out};
    char id[MR_DESIGN_ID];
    mr_csv_put_text(&w, "run_id");
    for (size_t k = 0; k < space->n_factor; k++)
        mr_csv_put_text(&w, space->factor[k].path);
    if (space->load.path != NULL)
        mr_csv_put_text(&w, space->load.path);
    mr_csv_put_end(&w);
    for (size_t i = 0; i < told->play->n_run; i++) {
        const struct mr_size_run *run = &told->play->run[i];
        mr_csv_put_text(&w, mr_design_id(i, id));
        for (size_t k = 0; k < space->n_factor; k++)
            mr_csv_put_text(&w, space->build[run->build].value[k]);
        if (space->load.path != NULL)
            mr_csv_put_text(&w, space->load.value[run->load]);
        mr_csv_put_end(&w);
    }
}
