/* SPDX-License-Identifier: Apache-2.0 */
/* Profilers time one layer; how many there are is said by --layers or by the card of the LLM that
 * the profiler's notes name. Points are written with six digits, more than any timer has. */
#include "engine/cli/calibrate_profile.h"

#include "engine/base/jsonw.h"
#include "engine/base/num.h"
#include "engine/base/xmlw.h"
#include "engine/cli/calibrate.h"
#include "engine/cli/calibrate_tell.h"
#include "engine/cli/verbs.h"
#include "models/llm.h"
#include "models/profile_fit.h"

#include <math.h>
#include <sys/stat.h>

bool mr_calibrate_profile_is(const char *path)
{
    struct stat it;
    return stat(path, &it) == 0 && S_ISDIR(it.st_mode);
}

/* Layers of a model, by its card. */
static mr_status layers_of(const char *folder, struct mr_shelf *shelf, const char *model,
                           double *n_layer, struct mr_err *err)
{
    struct mr_diags diags = {0};
    const struct mr_place at = {folder, 0, 0};
    if (model == NULL)
        return mr_err_set(err, MR_REF, at, "no profile_meta.yaml names the model: give --layers N");
    const struct mr_card *card = mr_shelf_card(shelf, &mr_llm_kind, model, at, &diags);
    if (card == NULL)
        return mr_err_set(err, MR_REF, at, "%s: give --layers N",
                          diags.n_item > 0 ? diags.item[0].err.text : "no such card");
    *n_layer = (double)mr_llm_of(card)->n_layer;
    return MR_OK;
}

static void print_error(const char *of, const char *which, const struct mr_profile_error *e,
                        struct mr_buf *out)
{
    if (e->n > 0)
        mr_buf_printf(
            out, "%-42s %5zu rows, mean %5.1f %%, signed %+6.1f %%; of whole steps %5.2f %%%s\n",
            of, e->n, 100 * e->mean, 100 * e->bias, 100 * e->step_mean, which);
}

static void print_errors(const struct mr_profile_fit *fit, double n_layer, const char *model,
                         struct mr_buf *out)
{
    mr_buf_printf(out,
                  "%s, %.0f layers: table of %zu points, %.2f %% off the line between their "
                  "neighbours\n",
                  model != NULL ? model : "profile", n_layer, fit->n_point, 100 * fit->dense_error);
    for (int regime = 0; regime < MR_PROFILE_REGIMES; regime++) {
        print_error(mr_profile_fit_doc(regime), ", fitted", &fit->fitted[regime], out);
        print_error("", ", held out", &fit->held_out[regime], out);
        mr_buf_printf(out, "%-42s R2 %.4f\n", "", fit->r2[regime]);
    }
    if (fit->card.error_frac > 0)
        mr_buf_printf(out, "steps that were held out: %.2f %%\n", 100 * fit->card.error_frac);
}

static void put_figure(struct mr_xmlw *w, const char *name, const char *value,
                       enum mr_confidence confidence, const char *source, const char *note)
{
    mr_xmlw_open(w, "figure");
    mr_xmlw_attr(w, "name", name);
    mr_xmlw_attr(w, "value", value);
    mr_xmlw_attr(w, "confidence", mr_card_confidence_name(confidence));
    mr_xmlw_attr(w, "source", source);
    if (note != NULL)
        mr_xmlw_attr(w, "note", note);
    mr_xmlw_close(w, "figure");
}

static void put_points(struct mr_xmlw *w, const struct mr_profile_fit *fit)
{
    struct mr_buf text = {0};
    for (size_t i = 0; i < fit->n_point; i++) {
        char tokens[MR_NUM_CAP];
        mr_num_format_f64(fit->point[i].tokens, tokens);
        mr_buf_printf(&text, "%s%s:%.6g", i > 0 ? " " : "", tokens, fit->point[i].time_s);
    }
    if (text.status != MR_OK)
        w->buf->status = text.status;
    else
        put_figure(w, "dense", text.text, MR_CONFIDENCE_MEASURED, "profiled", NULL);
    mr_buf_fini(&text);
}

static void write_card(const struct mr_profile_fit *fit, const char *id, const char *name,
                       const char *errors, struct mr_buf *out)
{
    const struct mr_param_table *table = mr_profile_kind.table;
    const size_t first = mr_param_find(table, MR_STR("decode.start"));
    struct mr_buf comment = {0};
    struct mr_xmlw w;
    mr_buf_printf(&comment, "Fitted by millrace calibrate.\n%s", errors);
    mr_xmlw_init(&w, out, 1);
    mr_xmlw_prolog(&w, NULL, NULL, NULL);
    mr_xmlw_comment(&w, "SPDX-License-Identifier: Apache-2.0");
    mr_xmlw_comment(&w, comment.status == MR_OK ? comment.text : "");
    mr_xmlw_open(&w, mr_profile_kind.element);
    mr_xmlw_attr(&w, "id", id);
    mr_xmlw_attr(&w, "name", name);
    put_figure(&w, "form", "measured", MR_CONFIDENCE_MEASURED, "profiled", NULL);
    put_figure(&w, "t0", "0 s", MR_CONFIDENCE_ASSUMPTION, "unsourced",
               "layer profiles do not see the host");
    put_points(&w, fit);
    for (size_t i = first; i < table->n; i++) {
        char value[MR_UNIT_CAP];
        const double x =
            *(const double *)(const void *)((const char *)&fit->card + table->row[i].offset);
        mr_unit_human(x, table->row[i].quantity, 6, value);
        if (x > 0)
            put_figure(&w, table->row[i].name, value, MR_CONFIDENCE_ESTIMATED, "fitted", NULL);
    }
    mr_xmlw_close(&w, mr_profile_kind.element);
    mr_xmlw_end(&w);
    if (comment.status != MR_OK)
        out->status = comment.status;
    mr_buf_fini(&comment);
}

/* ---- JSON ---- */

static void put_error(struct mr_jsonw *w, const char *key, const struct mr_profile_error *e)
{
    mr_jsonw_key(w, key);
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "rows", e->n);
    mr_jsonw_key_f64(w, "mean", e->mean);
    mr_jsonw_key_f64(w, "bias", e->bias);
    mr_jsonw_key_f64(w, "of_step", e->step_mean);
    mr_jsonw_end(w);
}

static void write_json(const struct mr_profile_fit *fit,
                       const struct mr_calibrate_opts_values *opts, const char *id,
                       const char *model, double n_layer, struct mr_buf *out)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "id", id);
    mr_jsonw_key_text(&w, "llm", model != NULL ? model : "");
    mr_jsonw_key_f64(&w, "layers", n_layer);
    mr_jsonw_key_f64(&w, "holdout", opts->uses_all ? 0 : opts->holdout_frac);
    mr_jsonw_key_u64(&w, "points", fit->n_point);
    mr_jsonw_key_f64(&w, "points_mean", fit->dense_error);
    mr_jsonw_key(&w, "regimes");
    mr_jsonw_array(&w);
    for (int regime = 0; regime < MR_PROFILE_REGIMES; regime++) {
        mr_jsonw_object(&w);
        mr_jsonw_key_text(&w, "regime", mr_profile_fit_name(regime));
        put_error(&w, "fitted", &fit->fitted[regime]);
        put_error(&w, "held_out", &fit->held_out[regime]);
        mr_jsonw_key_f64(&w, "r2", fit->r2[regime]);
        mr_jsonw_end(&w);
    }
    mr_jsonw_end(&w);
    mr_jsonw_key_f64(&w, "held_out_steps",
                     fit->card.error_frac > 0 ? fit->card.error_frac : (double)NAN);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

mr_status mr_calibrate_profile_fit(const struct mr_verb_call *call, struct mr_shelf *shelf,
                                   struct mr_calibrate_out *out, struct mr_err *err)
{
    const struct mr_calibrate_opts_values *opts = call->opts;
    const char *folder = call->arg[0];
    struct mr_profile_fit fit = {0};
    struct mr_buf model = {0}, id = {0};
    double n_layer = (double)opts->n_layer;
    mr_status st = mr_calibrate_id(opts, "mine", &id, err);
    if (st == MR_OK)
        st = mr_profile_fit_model(folder, &model, err);
    if (st == MR_OK && opts->n_layer == 0)
        st = layers_of(folder, shelf, model.text, &n_layer, err);
    if (st == MR_OK)
        st = mr_profile_fit_folder(
            folder,
            &(struct mr_profile_fit_options){n_layer, opts->uses_all ? 0 : opts->holdout_frac},
            &fit, err);
    if (st == MR_OK) {
        print_errors(&fit, n_layer, model.text, &out->text);
        if (opts->as_json)
            write_json(&fit, opts, id.text, model.text, n_layer, &out->json);
        if (out->text.status == MR_OK)
            write_card(&fit, id.text, model.text != NULL ? model.text : id.text, out->text.text,
                       &out->card);
        st = mr_calibrate_out_check(out, err);
    }
    mr_profile_fit_fini(&fit);
    mr_buf_fini(&model);
    mr_buf_fini(&id);
    return st;
}
