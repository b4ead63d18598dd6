/* SPDX-License-Identifier: Apache-2.0 */
/* A pool is shown as it was opened: its KV blocks are those a run would have. */
#include "engine/cli/show_scenario.h"

#include "engine/base/jsonw.h"
#include "engine/cli/run_repeat.h"
#include "engine/cli/show_size.h"
#include "engine/cli/verbs.h"
#include "engine/record/rundata.h"
#include "engine/serve/policy.h"
#include "engine/twin/pool.h"
#include "platforms/fabric.h"
#include "platforms/open.h"

#include <math.h>
#include <stdio.h>

struct shown {
    const struct mr_scenario *scenario;
    struct mr_buf *out;
    struct mr_jsonw *json; /* NULL: text */
};

/* ---- pools ---- */

static void put_pool(const struct shown *show, const char *element,
                     const struct mr_scenario_deployment *d, const struct mr_pool *pool)
{
    const double n = mr_pool_packages(pool) * (double)d->n_instance;
    const double tokens = (double)pool->serving.n_block * pool->serving.block_tokens;
    const double n_lpu = (double)mr_pool_lpx_beside(&pool->lpx) * (double)d->n_instance;
    const double lpu_w = n_lpu > 0 ? n_lpu * pool->lpx.serve.lpx.lpu->max_p_w : 0;
    const double limit_w = pool->step != NULL ? n * pool->power.limit_w + lpu_w : (double)NAN;
    char power[MR_UNIT_CAP], beside[128] = "";
    if (show->json != NULL) {
        mr_jsonw_object(show->json);
        mr_jsonw_key_text(show->json, "element", element);
        mr_jsonw_key_text(show->json, "llm", d->llm);
        mr_jsonw_key_text(show->json, "gpu", d->gpu);
        mr_jsonw_key_text(show->json, "package", d->profile != NULL ? NULL : pool->card);
        mr_jsonw_key_f64(show->json, "lpus", n_lpu);
        mr_jsonw_key_text(show->json, "profile", d->profile);
        mr_jsonw_key_u64(show->json, "instances", d->n_instance);
        mr_jsonw_key_f64(show->json, "packages", n);
        mr_jsonw_key_u64(show->json, "kv_blocks", pool->serving.n_block);
        mr_jsonw_key_f64(show->json, "kv_tok", tokens);
        mr_jsonw_key_f64(show->json, "limit_w", limit_w);
        mr_jsonw_end(show->json);
        return;
    }
    mr_unit_human(limit_w, MR_Q_POWER, 4, power);
    if (n_lpu > 0)
        snprintf(beside, sizeof beside, " and %g LPUs %s", n_lpu, show->scenario->lpx.lpu);
    mr_buf_printf(show->out, "%-12s %llu instances of %s, ", element,
                  (unsigned long long)d->n_instance, d->llm);
    if (d->profile != NULL)
        mr_buf_printf(show->out, "times of profile %s\n", d->profile);
    else
        mr_buf_printf(show->out, "%g packages %s%s, at most %s\n", n, pool->card, beside, power);
    mr_buf_printf(show->out, "%-12s %llu KV blocks of an instance: %g tokens; %s, batch %u\n", "",
                  (unsigned long long)pool->serving.n_block, tokens, pool->serving.policy->name,
                  pool->serving.batch_max);
}

static mr_status put_pools(const struct shown *show, struct mr_diags *diags)
{
    const struct mr_scenario *scenario = show->scenario;
    const struct {
        const char *element;
        const struct mr_scenario_deployment *deployment;
        bool is_there;
    } pools[] = {{"deployment", &scenario->deployment, true},
                 {"prefill", &scenario->prefill, scenario->has_prefill}};
    struct mr_shelf *shelf = NULL;
    struct mr_err err = {0};
    mr_status st = mr_shelf_create(&shelf, &err);
    for (size_t i = 0; i < 2 && st == MR_OK; i++) {
        struct mr_pool pool = {0};
        if (!pools[i].is_there)
            continue;
        st = mr_pool_open(shelf, scenario, pools[i].deployment, pools[i].element, &pool, diags,
                          &err);
        if (st == MR_OK)
            put_pool(show, pools[i].element, pools[i].deployment, &pool);
        mr_pool_close(&pool);
    }
    mr_shelf_destroy(shelf);
    if (st != MR_OK && diags->first_error == MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    return st;
}

/* ---- origins ---- */

static void put_paths(const struct shown *show, const char *title, const struct mr_buf *paths)
{
    struct mr_str left = {paths->n > 0 ? paths->text : "", paths->n};
    size_t col = 0;
    if (show->json != NULL) {
        mr_jsonw_key(show->json, title);
        mr_jsonw_array(show->json);
    } else {
        mr_buf_printf(show->out, "%-12s", title);
    }
    while (left.n > 0) {
        size_t n = 0;
        while (n < left.n && left.p[n] != ' ')
            n++;
        if (show->json != NULL) {
            mr_jsonw_str(show->json, (struct mr_str){left.p, n});
        } else {
            if (col > 0 && col + n > 84) {
                mr_buf_printf(show->out, "\n%-12s", "");
                col = 0;
            }
            mr_buf_printf(show->out, " %.*s", (int)n, left.p);
            col += n + 1;
        }
        n += n < left.n;
        left = (struct mr_str){left.p + n, left.n - n};
    }
    if (show->json != NULL)
        mr_jsonw_end(show->json);
    else
        mr_buf_text(show->out, "\n");
}

static void put_tiers(const struct shown *show)
{
    const struct mr_scenario *scenario = show->scenario;
    mr_buf_printf(show->out, "%-12s", "tiers");
    for (size_t i = 0; i < scenario->n_tier; i++)
        mr_buf_printf(show->out, "%s %s", i > 0 ? "," : "", scenario->tier[i].name);
    mr_buf_text(show->out, "\n");
}

/* ---- the result file ---- */

static void put_size_json(const struct mr_show_size *size, struct mr_jsonw *w)
{
    mr_jsonw_key(w, "result_file");
    mr_jsonw_object(w);
    mr_jsonw_key_f64(w, "calls", size->calls);
    mr_jsonw_key_f64(w, "call_bytes", size->call_b);
    mr_jsonw_key_f64(w, "samples", size->samples);
    mr_jsonw_key_f64(w, "sample_bytes", size->sample_b);
    mr_jsonw_key_f64(w, "unpacked_bytes", size->unpacked_b);
    mr_jsonw_key_f64(w, "beside_bytes", size->beside_b);
    mr_jsonw_key_f64(w, "file_bytes", size->packed_b);
    mr_jsonw_key_f64(w, "requests_bytes", size->calls_b);
    mr_jsonw_end(w);
}

static mr_status put_size(const struct shown *show, struct mr_diags *diags)
{
    struct mr_show_size size;
    char all[MR_UNIT_CAP], calls[MR_UNIT_CAP], sample[MR_UNIT_CAP], beside[MR_UNIT_CAP];
    MR_TRY(mr_show_size_of(show->scenario, &size, diags));
    if (show->json != NULL) {
        put_size_json(&size, show->json);
        return MR_OK;
    }
    mr_unit_human(size.packed_b, MR_Q_DATA, 2, all);
    mr_unit_human(size.calls_b, MR_Q_DATA, 2, calls);
    mr_unit_human(size.sample_b, MR_Q_DATA, 3, sample);
    mr_unit_human(size.beside_b, MR_Q_DATA, 2, beside);
    mr_buf_printf(show->out, "%-12s ", "result file");
    if (!isnan(size.packed_b))
        mr_buf_printf(show->out, "about %s: %.0f samples; ", all, size.samples);
    mr_buf_printf(show->out, "%s a sample, packed to about a quarter; %s beside", sample, beside);
    if (!isnan(size.calls_b) && !size.has_calls)
        mr_buf_printf(show->out, "; with --record rack,requests %s more for %.4g calls", calls,
                      size.calls);
    mr_buf_char(show->out, '\n');
    return MR_OK;
}

/* ---- the verb ---- */

static mr_status put_all(const struct mr_scenario *scenario, bool as_json, struct mr_buf *out,
                         struct mr_diags *diags)
{
    struct mr_jsonw w;
    struct shown show = {scenario, out, as_json ? &w : NULL};
    const char *name = scenario->top.name != NULL ? scenario->top.name : "";
    mr_jsonw_init(&w, out, 2);
    if (as_json) {
        mr_jsonw_object(&w);
        mr_jsonw_key_u64(&w, "schema", 1);
        mr_jsonw_key_text(&w, "scenario", name);
        mr_jsonw_key(&w, "pools");
        mr_jsonw_array(&w);
    } else {
        mr_buf_printf(out, "%-12s %s, seed %llu\n", "scenario", name,
                      (unsigned long long)scenario->top.seed);
    }
    mr_status st = put_pools(&show, diags);
    if (as_json)
        mr_jsonw_end(&w);
    else
        put_tiers(&show);
    if (st == MR_OK)
        st = put_size(&show, diags);
    put_paths(&show, "given", &scenario->given);
    put_paths(&show, "overridden", &scenario->overridden);
    put_paths(&show, "defaulted", &scenario->defaulted);
    if (as_json) {
        mr_jsonw_end(&w);
        mr_buf_char(out, '\n');
    }
    return st;
}

/* @param[in,out] files zero; mr_run_files_forget when nobody reads them any more */
static mr_status load(const char *path, struct mr_scenario *scenario, struct mr_run_files *files,
                      struct mr_diags *diags)
{
    bool steps_singly;
    return mr_rundata_is(path)
               ? mr_run_repeat_load(path, NULL, 0, scenario, &steps_singly, files, diags)
               : mr_scenario_load(path, NULL, 0, scenario, diags);
}

mr_status mr_show_scenario_site(const char *path, struct mr_site **site, struct mr_diags *diags)
{
    struct mr_scenario scenario = {0};
    struct mr_run_files files = {0};
    *site = NULL;
    mr_status st = load(path, &scenario, &files, diags);
    if (st == MR_OK && scenario.site.file == NULL)
        st = mr_diags_add(diags, MR_SEVERITY_ERROR, MR_REF, (struct mr_place){path, 0, 0},
                          "the scenario names no site: there is nothing to draw");
    else if (st == MR_OK)
        st = mr_open_site_changed(scenario.site.file, scenario.layout, scenario.n_layout,
                                  MR_FABRIC_LEVEL_AUTO, site, diags);
    mr_scenario_fini(&scenario);
    mr_run_files_forget(&files);
    return st;
}

int mr_show_scenario(const struct mr_verb_call *call,
                     const struct mr_show_scenario_options *options)
{
    struct mr_scenario scenario = {0};
    struct mr_run_files files = {0};
    struct mr_diags diags = {0};
    struct mr_buf out = {0};
    mr_status st = load(call->arg[0], &scenario, &files, &diags);
    const struct mr_scenario shown = mr_run_repeat_shown(&scenario, &files);
    if (st == MR_OK && options->is_effective)
        mr_scenario_write(&shown, &out);
    else if (st == MR_OK)
        st = put_all(&scenario, options->as_json, &out, &diags);
    int code = mr_ui_diags(call->ui, &diags);
    if (st == MR_OK)
        code = mr_ui_out(call->ui, &out);
    mr_buf_fini(&out);
    mr_scenario_fini(&scenario);
    mr_run_files_forget(&files);
    return code;
}
