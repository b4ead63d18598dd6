/* SPDX-License-Identifier: Apache-2.0 */
/* platform: layout to SimGrid XML. show: a site in numbers. validate: everything that is wrong with
 * it. */
#include "engine/cli/site.h"

#include "engine/base/file.h"
#include "engine/base/jsonw.h"
#include "engine/cli/show_scenario.h"
#include "engine/cli/sweep.h"
#include "engine/cli/verbs.h"
#include "engine/net/platform.h"
#include "engine/record/rundata.h"
#include "engine/twin/play.h"
#include "experiments/experiment.h"
#include "platforms/assumed.h"
#include "platforms/check.h"
#include "platforms/emit.h"
#include "platforms/fabric.h"
#include "platforms/open.h"
#include "platforms/summary.h"
#include "power/supply.h"

static const char *const levels[] = {"gpu", "tray", "rack", "auto"};
static const char *const graphs[] = {"none", "dot"};

enum {
    level_auto = 3,
    graph_dot = 1
};

static const struct mr_opt platform_rows[] = {
    {MR_PARAM_STR(struct mr_site_platform_opts, output, "output", "-",
                  "File to write; - is standard output"),
     'o', "FILE"},
    {MR_PARAM_ONE_OF(struct mr_site_platform_opts, level, "level", levels, "auto",
                     "What a host is: gpu, tray, rack; auto picks by size"),
     0, "LEVEL"},
    {MR_PARAM_YES(struct mr_site_platform_opts, do_check, "check", "no",
                  "Let SimGrid load the written file and compare"),
     0, NULL},
};
static const struct mr_opt show_rows[] = {
    {MR_PARAM_YES(struct mr_site_show_opts, as_json, "json", "no", "One JSON object"), 0, NULL},
    {MR_PARAM_ONE_OF(struct mr_site_show_opts, graph, "graph", graphs, "none",
                     "Power, coolant and racks as a graph, of a scenario those of its site: dot"),
     0, "KIND"},
    {MR_PARAM(struct mr_site_show_opts, load_frac, "load", MR_Q_FRACTION, "1", 0, 1.5,
              "What racks draw, of their limits, for the estimate at the meter"),
     0, "FRAC"},
    {MR_PARAM_YES(struct mr_site_show_opts, is_effective, "effective", "no",
                  "Print a scenario with all defaults filled in"),
     0, NULL},
};
static const struct mr_opt validate_rows[] = {
    {MR_PARAM_YES(struct mr_site_validate_opts, as_json, "json", "no",
                  "An array of findings on standard output"),
     0, NULL},
    {MR_PARAM_YES(struct mr_site_validate_opts, is_strict, "strict", "no",
                  "Warnings count as violations"),
     0, NULL},
    {MR_PARAM_YES(struct mr_site_validate_opts, with_simgrid, "simgrid", "no",
                  "Let SimGrid load the platform, too, and compare (one file)"),
     0, NULL},
};

#define TABLE(rows)                         \
    {                                       \
        rows, sizeof(rows) / sizeof *(rows) \
    }
const struct mr_opt_table mr_site_platform_table = TABLE(platform_rows);
const struct mr_opt_table mr_site_show_table = TABLE(show_rows);
const struct mr_opt_table mr_site_validate_table = TABLE(validate_rows);

static int site_level(int option)
{
    return option == level_auto ? MR_FABRIC_LEVEL_AUTO : option;
}

/* Show what was found so far. @return exit code, 0 when the site may be used */
static int report(const struct mr_verb_call *call, const struct mr_diags *diags)
{
    return mr_ui_diags(call->ui, diags);
}

/* ---- platform ---- */

/* The written file through SimGrid's own eyes. */
static int cross_check(const struct mr_verb_call *call, const char *path)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_site *site;
    if (mr_open_site(path, MR_FABRIC_LEVEL_AUTO, &site, &diags) != MR_OK)
        return report(call, &diags);
    if (mr_platform_load(site, NULL, &err) != MR_OK)
        (void)mr_diags_add_err(&diags, MR_SEVERITY_ERROR, &err);
    else
        mr_platform_check(site, &diags);
    if (diags.n_error == 0)
        mr_ui_say(call->ui, 0, "%s: SimGrid and we read the same %zu hosts and %zu links", path,
                  site->n_host, site->n_link);
    mr_site_destroy(site);
    return diags.n_error > 0 ? (report(call, &diags), 4) : 0;
}

int mr_site_platform_run(const struct mr_verb_call *call)
{
    const struct mr_site_platform_opts *opts = call->opts;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_site *site;
    struct mr_buf text = {0};
    if (opts->do_check && strcmp(opts->output, "-") == 0)
        return mr_ui_usage(call->ui, "platform", "platform: --check needs a file (-o FILE)");
    const mr_status st = mr_open_site(call->arg[0], site_level(opts->level), &site, &diags);
    int code = report(call, &diags);
    if (st != MR_OK)
        return code;
    if (mr_open_is_platform(call->arg[0]))
        mr_ui_say(call->ui, 0,
                  "%s: written again from what we know of it: disks, profiles and props "
                  "of others are left out",
                  call->arg[0]);
    mr_emit_site(site, &text);
    mr_ui_say(call->ui, opts->level == level_auto ? 0 : 1,
              "%s: %s level, %zu zones, %zu hosts, %zu links", site->name,
              mr_site_level_name(site->level), site->n_zone, site->n_host, site->n_link);
    mr_site_destroy(site);
    if (mr_buf_check(&text, &err) != MR_OK ||
        mr_file_write(opts->output, call->ui->may_overwrite, (struct mr_str){text.text, text.n},
                      &err) != MR_OK)
        code = mr_ui_error(call->ui, &err);
    else if (opts->do_check)
        code = cross_check(call, opts->output);
    mr_buf_fini(&text);
    return code;
}

/* ---- show ---- */

int mr_site_show_run(const struct mr_verb_call *call)
{
    const struct mr_site_show_opts *opts = call->opts;
    struct mr_diags diags = {0};
    struct mr_site *site;
    const bool is_graph = opts->graph == graph_dot;
    const bool is_scenario = mr_open_is_scenario(call->arg[0]) || mr_rundata_is(call->arg[0]);
    if (is_graph && (opts->as_json || opts->is_effective))
        return mr_ui_usage(call->ui, "show", "show: --graph goes without --%s",
                           opts->as_json ? "json" : "effective");
    if (is_scenario && !is_graph)
        return mr_show_scenario(
            call, &(struct mr_show_scenario_options){opts->as_json, opts->is_effective});
    if (opts->is_effective && !is_scenario)
        return mr_ui_usage(call->ui, "show", "show: --effective is for scenarios");
    mr_status st = is_scenario ? mr_show_scenario_site(call->arg[0], &site, &diags)
                               : mr_open_site(call->arg[0], MR_FABRIC_LEVEL_AUTO, &site, &diags);
    int code = report(call, &diags);
    if (st != MR_OK)
        return code;
    struct mr_diags missing = {0};
    struct mr_summary summary;
    struct mr_buf out = {0};
    (void)mr_check_contract(site, &missing);
    mr_check_standing(site, &missing);
    out.status = mr_summary_of(site, &summary, &missing, NULL);
    if (out.status == MR_OK && summary.meter.rack_w > 0)
        out.status = mr_meter_estimate(site, opts->load_frac, &summary.meter, NULL);
    if (is_graph) {
        mr_summary_dot(site, &out);
    } else if (opts->as_json) {
        struct mr_jsonw w;
        mr_jsonw_init(&w, &out, 2);
        mr_jsonw_object(&w);
        mr_summary_json(site, &summary, &w);
        mr_jsonw_key(&w, "assumed");
        st = mr_assumed_json(site, &w, &missing);
        mr_jsonw_end(&w);
        mr_buf_char(&out, '\n');
    } else {
        mr_summary_print(site, &summary, &out);
        st = mr_assumed_print(site, &out, &missing);
    }
    if (st != MR_OK)
        out.status = st;
    (void)report(call, &missing);
    code = mr_ui_out(call->ui, &out);
    mr_buf_fini(&out);
    mr_site_destroy(site);
    return code;
}

/* ---- validate ---- */

static void json_findings(const struct mr_diags *diags, struct mr_jsonw *w)
{
    for (size_t i = 0; i < diags->n_item; i++) {
        const struct mr_diag *diag = &diags->item[i];
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "file", diag->err.file);
        mr_jsonw_key_u64(w, "line", (uint64_t)diag->err.line);
        mr_jsonw_key_u64(w, "col", (uint64_t)diag->err.col);
        mr_jsonw_key_text(w, "severity", mr_severity_name(diag->severity));
        mr_jsonw_key_text(w, "status", mr_status_name(diag->err.status));
        mr_jsonw_key_text(w, "text", diag->err.text);
        mr_jsonw_end(w);
    }
}

/* What is not there yet: who sets up a site finds what its check has found, too. */
static void join(const struct mr_diags *more, struct mr_diags *diags)
{
    for (size_t i = 0; i < more->n_item; i++) {
        const struct mr_err *err = &more->item[i].err;
        size_t k = 0;
        while (k < diags->n_item && (diags->item[k].err.line != err->line ||
                                     strcmp(diags->item[k].err.text, err->text) != 0))
            k++;
        if (k == diags->n_item)
            (void)mr_diags_add_err(diags, more->item[i].severity, err);
    }
}

/* What `power` would refuse, or warn of, before it begins. */
static mr_status check_supply(const struct mr_site *site, struct mr_diags *diags)
{
    struct mr_supply_options options = {0};
    struct mr_supply *supply = NULL;
    struct mr_diags more = {0};
    mr_supply_defaults(&options.params);
    const mr_status st = mr_supply_create(site, &options, &supply, &more);
    mr_supply_destroy(supply);
    join(&more, diags);
    return st;
}

/* A scenario, whether it can be played, and its site. */
static int validate_scenario(const char *path, bool is_strict, struct mr_diags *diags)
{
    struct mr_scenario scenario;
    struct mr_err err = {0};
    struct mr_diags more = {0};
    mr_status st = mr_scenario_load(path, NULL, 0, &scenario, diags);
    if (st == MR_OK)
        st = mr_scenario_check_grammar(path, diags);
    if (st == MR_OK)
        st = mr_play_check(&scenario, &more);
    if (st == MR_OK && scenario.site.file != NULL) {
        struct mr_site *site;
        st = mr_open_site_changed(scenario.site.file, scenario.layout, scenario.n_layout,
                                  MR_FABRIC_LEVEL_AUTO, &site, diags);
        if (st == MR_OK) {
            st = mr_check_site(site, diags, &err);
            (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
            mr_site_destroy(site);
        }
    }
    join(&more, diags);
    mr_scenario_fini(&scenario);
    if (st != MR_OK)
        return mr_status_exit_code(st);
    return diags->n_error > 0 || (is_strict && diags->n_warning > 0);
}

/* @return exit code of this file: 0; 1 violations; 3, 5 when it could not be read */
static int validate_file(const struct mr_verb_call *call, const char *path, struct mr_diags *diags)
{
    const struct mr_site_validate_opts *opts = call->opts;
    struct mr_err err = {0};
    struct mr_site *site;
    if (mr_experiment_is(path)) {
        const mr_status found = mr_sweep_check(path, diags);
        return found != MR_OK ? mr_status_exit_code(found)
                              : opts->is_strict && diags->n_warning > 0;
    }
    if (mr_open_is_scenario(path))
        return validate_scenario(path, opts->is_strict, diags);
    if (mr_open_site(path, MR_FABRIC_LEVEL_AUTO, &site, diags) != MR_OK)
        return mr_status_exit_code(diags->first_error);
    mr_status st = mr_check_site(site, diags, &err);
    if (st == MR_OK && opts->with_simgrid) {
        st = mr_platform_load(site, NULL, &err);
        if (st == MR_OK)
            mr_platform_check(site, diags);
    }
    const mr_status carried =
        st == MR_OK && diags->n_error == 0 && site->n_rack > 0 ? check_supply(site, diags) : MR_OK;
    mr_site_destroy(site);
    if (carried != MR_OK)
        return mr_status_exit_code(carried);
    if (st != MR_OK) {
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
        return mr_status_exit_code(st);
    }
    return diags->n_error > 0 || (opts->is_strict && diags->n_warning > 0);
}

int mr_site_validate_run(const struct mr_verb_call *call)
{
    const struct mr_site_validate_opts *opts = call->opts;
    struct mr_buf out = {0};
    struct mr_jsonw w;
    int worst = 0;
    if (opts->with_simgrid && (call->n_arg != 1 || !mr_open_is_platform(call->arg[0])))
        return mr_ui_usage(call->ui, "validate",
                           "validate: --simgrid takes one platform (SimGrid can be started once; "
                           "layouts: millrace platform LAYOUT -o FILE --check)");
    mr_jsonw_init(&w, &out, 2);
    if (opts->as_json)
        mr_jsonw_array(&w);
    for (int i = 0; i < call->n_arg; i++) {
        struct mr_diags diags = {0};
        const int code = validate_file(call, call->arg[i], &diags);
        worst = code > worst ? code : worst;
        if (opts->as_json) {
            json_findings(&diags, &w);
            continue;
        }
        (void)report(call, &diags);
        mr_buf_printf(&out, "%s: %zu errors, %zu warnings\n", call->arg[i], diags.n_error,
                      diags.n_warning);
    }
    if (opts->as_json) {
        mr_jsonw_end(&w);
        mr_buf_char(&out, '\n');
    }
    const int code = mr_ui_out(call->ui, &out);
    mr_buf_fini(&out);
    return code != 0 ? code : worst;
}
