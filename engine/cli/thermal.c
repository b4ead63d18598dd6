/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the plant: the trace's rows, outages and the end are dates that the plant is driven
 * to; between them it steps by itself, and records show the last step before their date, so how
 * often anybody records changes nothing. Map: options - overrides - records - the run - output. */
#include "engine/cli/thermal.h"

#include "engine/base/csv.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/cli/alone.h"
#include "engine/cli/thermal_csv.h"
#include "engine/cli/thermal_figures.h"
#include "engine/cli/thermal_load.h"
#include "engine/cli/thermal_record.h"
#include "engine/cli/verbs.h"
#include "thermal/outage.h"

#include <stdio.h>

#define OPT struct mr_thermal_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(OPT, power, "power", NULL,
                  "Power trace: a run file, or t_s, then site_w, rack_w, load or names of racks"),
     0, "FILE"},
    {MR_PARAM(OPT, load_frac, "load", MR_Q_FRACTION, "1", 0, 1.5,
              "Without a trace: constant share of granted power"),
     0, "FRAC"},
    {MR_PARAM_STR(OPT, weather, "weather", NULL, "EnergyPlus weather file; else weather.* below"),
     0, "FILE.epw"},
    {MR_PARAM(OPT, start_s, "start", MR_Q_TIME, "0 s", 0, 31622400,
              "Start of the run in the weather's year"),
     0, "TIME"},
    {MR_PARAM(OPT, until_s, "until", MR_Q_TIME, "0 s", 0, 1e10,
              "Length of the run; 0: to the trace's end, one day without a trace"),
     0, "TIME"},
    {MR_PARAM_MANY(
         OPT, fail, "fail",
         "Outage KIND[:NAME]@TIME[+DURATION][=VALUE]: pumps, cdu, cdu_leak, fans, chillers, water, "
         "loop_pumps, air, valve, sensor, leak, utility"),
     0, "OUTAGE"},
    {MR_PARAM_MANY(OPT, set, "set",
                   "Parameter of plant, weather, package, rack, cdu, loop, room, ... or a name"),
     0, "SCOPE.NAME=VALUE"},
    {MR_PARAM(OPT, inside_frac, "inside", MR_Q_FRACTION, "0", 0, 0.5,
              "Fans and pumps inside racks, share of what racks draw: for ITUE and TUE"),
     0, "FRAC"},
    {MR_PARAM_YES(OPT, is_cold, "cold", "no", "Start at rest, not in the steady state"), 0, NULL},
    {MR_PARAM(OPT, every_s, "every", MR_Q_TIME, "60 s", 0.001, 1e9, "Between two records"), 0,
     "TIME"},
    {MR_PARAM_STR(OPT, output, "output", NULL, "Write everything over time, and events"), 'o',
     "FILE.h5"},
    {MR_PARAM_STR(OPT, csv, "csv", NULL, "Write the site over time"), 0, "FILE"},
    {MR_PARAM_STR(OPT, racks, "racks", NULL, "Write every rack over time"), 0, "FILE"},
    {MR_PARAM_STR(OPT, events, "events", NULL, "Write every event"), 0, "FILE"},
    {MR_PARAM_STR(OPT, dies, "dies", NULL, "Write the die of every package at the end"), 0, "FILE"},
    {MR_PARAM_N(OPT, seed, "seed", "1", 0, UINT32_MAX, "Of the manufacturing spread of packages"),
     0, "N"},
    {MR_PARAM_YES(OPT, as_json, "json", "no", "One JSON object"), 0, NULL},
};
#undef OPT

const struct mr_opt_table mr_thermal_opts = {rows, sizeof rows / sizeof *rows};

/* Everything of one run. */
struct job {
    const struct mr_thermal_opts_values *opts;
    const struct mr_ui *ui;
    struct mr_arena texts;
    struct mr_site *site;
    struct mr_weather_params weather_params;
    struct mr_weather weather;
    bool has_weather;
    struct mr_plant_params params;
    struct mr_plant_set *set;
    size_t n_set;
    const char **scope; /* everything that has parameters */
    size_t n_scope;
    struct mr_thermal_load load;
    struct mr_outage_list outages;
    struct mr_plant *plant;
    struct mr_plant_state *state;
    double until_s;
    uint64_t n_step;
    struct mr_buf site_csv, rack_csv, event_csv, die_csv;
    uint64_t n_record;
    struct mr_thermal_record *record;
    struct mr_thermal_figures figures;
    struct mr_thermal_figure_list list;
    mr_status recorded; /* of the first row that could not be written */
    struct mr_err record_err;
    struct mr_alone_watch watch;
};

/* ---- overrides ---- */

/* Names of everything that has parameters: for hints. */
static mr_status all_scopes(struct job *job, struct mr_err *err)
{
    static const char *const known[] = {"plant",   "weather",   "package",    "rack",  "cdu",
                                        "leak",    "loop",      "rejection",  "water", "room",
                                        "chiller", "adiabatic", "dry_cooler", "tower", "orbit"};
    const struct mr_site *s = job->site;
    const size_t most =
        sizeof known / sizeof *known + s->n_rack + s->n_cdu + s->n_loop + s->n_rejector + s->n_hall;
    const char **name = job->scope = mr_alloc_zero(most, sizeof *name);
    size_t n = 0;
    if (name == NULL)
        return mr_err_nomem(err, most * sizeof *name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        name[n++] = known[i];
    for (size_t i = 0; i < s->n_rack; i++)
        if (s->rack[i].package != NULL)
            name[n++] = s->rack[i].package;
    for (size_t i = 0; i < s->n_cdu; i++)
        name[n++] = s->cdu[i].name;
    for (size_t i = 0; i < s->n_loop; i++)
        name[n++] = s->loop[i].name;
    for (size_t i = 0; i < s->n_rejector; i++)
        name[n++] = s->rejector[i].name;
    for (size_t i = 0; i < s->n_hall; i++)
        name[n++] = s->hall[i].name;
    job->n_scope = n;
    return MR_OK;
}

static bool is_scope(const struct job *job, const char *scope)
{
    for (size_t i = 0; i < job->n_scope; i++)
        if (strcmp(job->scope[i], scope) == 0)
            return true;
    return false;
}

static mr_status no_scope(const struct job *job, const char *text, struct mr_err *err)
{
    char hint[160] = "", quoted[MR_QUOTE_CAP];
    const size_t n = strcspn(text, ".=");
    mr_text_hint((struct mr_str){text, n}, job->scope, job->n_scope, hint, sizeof hint);
    return mr_err_set(err, MR_REF, MR_NOWHERE,
                      "--set '%s': no such scope%s (plant, weather, package, rack, cdu, leak, "
                      "loop, rejection, water, room, dry_cooler, adiabatic, tower, chiller, orbit, "
                      "or the name of a package, CDU group, loop, cooler or hall)",
                      mr_text_quote(mr_str_of(text), quoted), hint);
}

/* A scope's name may hold dots: the longest one that is known counts. */
static mr_status split(struct job *job, const char *text, struct mr_plant_set *set,
                       struct mr_err *err)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return mr_err_set(err, MR_PARSE, MR_NOWHERE, "--set '%s': SCOPE.NAME=VALUE is wanted",
                          text);
    set->value = equals + 1;
    for (const char *dot = equals; dot > text; dot--) {
        if (*dot != '.')
            continue;
        char *scope = mr_arena_text(&job->texts, (struct mr_str){text, (size_t)(dot - text)}, err);
        char *name =
            mr_arena_text(&job->texts, (struct mr_str){dot + 1, (size_t)(equals - dot) - 1}, err);
        if (scope == NULL || name == NULL)
            return MR_NOMEM;
        if (is_scope(job, scope)) {
            set->scope = scope;
            set->name = name;
            return MR_OK;
        }
    }
    return no_scope(job, text, err);
}

static mr_status read_sets(struct job *job, struct mr_err *err)
{
    uint8_t plant_origin[32] = {0}, weather_origin[32] = {0};
    const struct mr_param_target plant = {&mr_plant_table.param, &job->params, plant_origin, NULL,
                                          "plant"};
    const struct mr_param_target weather = {&mr_weather_table, &job->weather_params, weather_origin,
                                            NULL, "weather"};
    const struct mr_param_list *list = &job->opts->set;
    job->set = mr_alloc_zero(list->n + 1, sizeof *job->set);
    if (job->set == NULL)
        return mr_err_nomem(err, list->n * sizeof *job->set);
    MR_TRY(all_scopes(job, err));
    for (size_t i = 0; i < list->n; i++) {
        struct mr_plant_set *s = &job->set[job->n_set];
        MR_TRY(split(job, list->item[i], s, err));
        const bool is_weather = strcmp(s->scope, "weather") == 0;
        if (!is_weather && strcmp(s->scope, "plant") != 0) {
            job->n_set++;
            continue;
        }
        MR_TRY(mr_param_set(is_weather ? &weather : &plant, mr_str_of(s->name), mr_str_of(s->value),
                            MR_PARAM_OVERRIDDEN, MR_NOWHERE, err));
    }
    return MR_OK;
}

/* ---- records ---- */

/* Records between here and the next step's end show what is now. */
static void record_until(struct job *job, double t_s)
{
    for (;;) {
        const double when_s = job->opts->every_s * (double)job->n_record;
        if (!(when_s < t_s))
            return;
        if (job->opts->csv != NULL)
            mr_thermal_csv_site(job->plant, job->state, when_s, &job->site_csv);
        if (job->opts->racks != NULL)
            mr_thermal_csv_racks(job->plant, job->state, when_s, &job->rack_csv);
        if (job->record != NULL && job->recorded == MR_OK)
            job->recorded =
                mr_thermal_record_row(job->record, job->state, when_s, &job->record_err);
        job->n_record++;
    }
}

static void on_event(void *context, const struct mr_plant_event *event)
{
    struct job *job = context;
    struct mr_csv_writer w = {&job->event_csv, false};
    if (job->record != NULL)
        mr_thermal_record_event(job->record, event);
    if (job->opts->events == NULL)
        return;
    mr_csv_put_f64(&w, event->t_s);
    mr_csv_put_text(&w, mr_plant_event_name(event->kind));
    mr_csv_put_text(&w, event->entity);
    mr_csv_put_f64(&w, event->value);
    mr_csv_put_f64(&w, event->limit);
    mr_csv_put_end(&w);
}

/* ---- the run ---- */

static void show(struct job *job)
{
    double it_w = 0;
    for (uint32_t i = 0; i < job->plant->n_rack; i++) {
        struct mr_plant_rack_row row;
        mr_plant_rack_row(job->plant, job->state, i, &row);
        it_w += row.power_w;
    }
    mr_alone_watch_show(&job->watch, job->state->t_s, job->until_s, it_w);
}

static void drive(struct job *job, double t_s)
{
    while (job->state->t_s < t_s && mr_plant_fault(job->state, NULL) == MR_OK) {
        record_until(job, fmin(t_s, mr_plant_step_end_s(job->plant, job->state)));
        const double before_s = job->state->t_s;
        mr_plant_step(job->plant, job->state, t_s);
        mr_thermal_figures_step(&job->figures, job->state, job->state->t_s - before_s);
        if (job->record != NULL)
            mr_thermal_record_look(job->record, job->state, job->state->t_s - before_s);
        job->n_step++;
        if (mr_alone_watch_is_due(&job->watch, job->state->t_s, job->until_s))
            show(job);
    }
}

static mr_status run(struct job *job, struct mr_err *err)
{
    size_t row = 0, change = 0;
    const struct mr_outage_list *o = &job->outages;
    mr_thermal_load_apply(&job->load, row++, job->plant, job->state);
    if (!job->opts->is_cold)
        MR_TRY(mr_plant_settle(job->plant, job->state, err));
    mr_thermal_figures_step(&job->figures, job->state, 0);
    for (;;) { /* what happens at 0 happens before the first step */
        while (row < job->load.n_row && job->load.time_s[row] <= job->state->t_s)
            mr_thermal_load_apply(&job->load, row++, job->plant, job->state);
        while (change < o->n_change && o->change[change].t_s <= job->state->t_s)
            MR_TRY(mr_outage_apply(o, change++, job->plant, job->state, err));
        if (!(job->state->t_s < job->until_s) || job->recorded != MR_OK)
            break;
        const double row_s = row < job->load.n_row ? job->load.time_s[row] : HUGE_VAL;
        const double change_s = change < o->n_change ? o->change[change].t_s : HUGE_VAL;
        drive(job, fmin(job->until_s, fmin(row_s, change_s)));
        MR_TRY(mr_plant_fault(job->state, err));
    }
    record_until(job, job->until_s * (1 + 1e-12));
    if (job->opts->dies != NULL)
        mr_thermal_csv_dies(job->plant, job->state, job->opts->seed, &job->die_csv);
    if (job->recorded != MR_OK) {
        *err = job->record_err;
        return job->recorded;
    }
    return mr_thermal_figures_end(&job->figures, job->state, job->until_s, job->opts->inside_frac,
                                  &job->list, err);
}

/* Work that ends within days, not years: told before it begins. */
static mr_status check_work(const struct job *job, struct mr_err *err)
{
    static const double steps_max = 1e8, rows_max = 1e9;
    const struct mr_thermal_opts_values *opts = job->opts;
    const bool records = opts->csv != NULL || opts->racks != NULL || opts->output != NULL;
    const double n_step = job->until_s / job->params.period_s;
    const double n_row = job->until_s / opts->every_s * (double)job->site->n_rack;
    if (n_step > steps_max)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "%.3g steps of the plant: at most %.0e in one run (a longer "
                          "plant.period, or a shorter --until)",
                          n_step, steps_max);
    if (records && n_row > rows_max)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "%.3g rows of racks to record: at most %.0e in one run (a longer "
                          "--every)",
                          n_row, rows_max);
    return MR_OK;
}

static mr_status prepare(void *data, struct mr_diags *diags, struct mr_err *err)
{
    struct job *job = data;
    const struct mr_thermal_opts_values *opts = job->opts;
    mr_plant_defaults(&job->params);
    mr_weather_defaults(&job->weather_params);
    MR_TRY(read_sets(job, err));
    if (opts->weather != NULL)
        job->weather_params.file = opts->weather;
    if (opts->start_s > 0)
        job->weather_params.start_s = opts->start_s;
    MR_TRY(mr_weather_make(&job->weather_params, &job->weather, err));
    job->has_weather = true;
    if (opts->power != NULL)
        MR_TRY(mr_thermal_load_read(opts->power, job->site, &job->load, err));
    else
        MR_TRY(mr_thermal_load_of(opts->load_frac, job->site, &job->load, err));
    MR_TRY(mr_outage_read(&opts->fail, job->site, &job->outages, err));
    const double one_day_s = 86400;
    job->until_s = opts->until_s > 0     ? opts->until_s
                   : opts->power != NULL ? job->load.time_s[job->load.n_row - 1]
                                         : one_day_s;
    if (!(job->until_s > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "the trace has one row at 0: say how long it holds (--until TIME)");
    MR_TRY(check_work(job, err));
    MR_TRY(mr_weather_check_span(&job->weather, job->until_s, err));
    MR_TRY(mr_plant_create(job->site, &job->weather, &job->params, job->set, job->n_set,
                           &job->plant, diags));
    MR_TRY(mr_outage_check(&job->outages, job->plant, err));
    MR_TRY(mr_thermal_figures_init(&job->figures, job->plant, err));
    job->plant->on_event = on_event;
    job->plant->context = job;
    if (opts->output != NULL)
        MR_TRY(mr_thermal_record_create(opts->output, job->ui->may_overwrite, job->plant,
                                        opts->every_s, &job->record, err));
    return mr_plant_state_create(job->plant, 0, &job->state, err);
}

/* ---- output ---- */

static const double joule_mwh = 1 / 3.6e9;

struct figures {
    struct mr_plant_sums sums;
    double it_w, packages_s, water_l;
};

static void get_figures(const struct job *job, struct figures *f)
{
    mr_plant_sums(job->plant, job->state, &f->sums);
    double n_package = 0;
    for (uint32_t i = 0; i < job->plant->n_rack; i++)
        n_package += job->plant->rack[i].n_package;
    f->it_w = f->sums.it_j / job->until_s;
    f->packages_s = n_package * job->until_s;
    f->water_l = f->sums.water_m3 * 1e3;
}

/* The figures of a group, those that are defined. */
static void print_group(const struct job *job, struct mr_buf *out, const char *title,
                        const char *group, bool has_units)
{
    const char *comma = "";
    mr_buf_printf(out, "%-22s", title);
    for (size_t i = 0; i < job->list.n; i++) {
        const struct mr_thermal_figure *f = &job->list.item[i];
        if (strcmp(f->group, group) != 0 || isnan(f->value))
            continue;
        mr_buf_printf(out, "%s %s %.4g%s%s", comma, f->name, f->value, has_units ? " " : "",
                      has_units ? f->units : "");
        comma = has_units ? "," : "";
    }
    mr_buf_printf(out, "\n");
}

/* What the connection gives, and whether that is enough: here nothing caps racks. */
static void print_meter(const struct job *job, struct mr_buf *out)
{
    const struct mr_thermal_figure_list *l = &job->list;
    const double mean = mr_thermal_figure(l, "power", "site_mw_mean");
    const double most = mr_thermal_figure(l, "power", "site_mw_peak");
    const double limit = mr_thermal_figure(l, "power", "limit_mw");
    if (isnan(most))
        return;
    mr_buf_printf(out, "%-22s %.4g MW, at most about %.4g MW", "meter", mean, most);
    if (!isnan(limit))
        mr_buf_printf(out,
                      most > limit ? "; ABOVE the connection's %.4g MW: millrace power "
                                     "shows what that caps"
                                   : " of %.4g MW",
                      limit);
    mr_buf_char(out, '\n');
}

static void json_group(const struct job *job, struct mr_jsonw *w, const char *group)
{
    for (size_t i = 0; i < job->list.n; i++)
        if (strcmp(job->list.item[i].group, group) == 0)
            mr_jsonw_key_f64(w, job->list.item[i].name, job->list.item[i].value);
}

static void print_pue(const struct job *job, struct mr_buf *out)
{
    const struct mr_thermal_figure_list *l = &job->list;
    const double pue = mr_thermal_figure(l, "power", "pue");
    mr_buf_printf(out, "%-22s ", "PUE");
    if (isnan(mr_thermal_figure(l, "power", "pue_cooling"))) {
        mr_buf_printf(out, "not defined: racks drew nothing\n");
        return;
    }
    if (isnan(pue))
        mr_buf_printf(out, "not defined at the meter; ");
    else
        mr_buf_printf(out, "%.4f (IT at the shelves), %.4f (IT at the UPS output); ", pue,
                      mr_thermal_figure(l, "power", "pue_ups"));
    mr_buf_printf(out, "%.4f (cooling only, without the electric chain)\n",
                  mr_thermal_figure(l, "power", "pue_cooling"));
    mr_buf_printf(out, "%-22s ", "TUE");
    const double itue = mr_thermal_figure(l, "power", "itue");
    if (isnan(pue) || isnan(itue))
        mr_buf_printf(out, "not defined; ITUE ");
    else
        mr_buf_printf(out, "%.4f = PUE x ITUE ", mr_thermal_figure(l, "power", "tue"));
    mr_buf_printf(out, isnan(itue) ? "not defined\n" : "%.4f\n", itue);
}

static void print_table(const void *data, struct mr_buf *out)
{
    const struct job *job = data;
    struct figures f = {0};
    get_figures(job, &f);
    const struct mr_plant_sums *s = &f.sums;
    const double hour = 3600,
                 cooling_j = s->cdu_j + s->facility_pump_j + s->fan_j + s->work_j + s->air_j;
    mr_buf_printf(out, "%-22s %s, %.6g h, %zu racks, %u packages\n", "site", job->site->name,
                  job->until_s / hour, job->plant->n_rack, job->site->n_package);
    /* dies warmer than those the watts were told for leak more than was asked for */
    mr_buf_printf(out, "%-22s %.5g MWh (mean %.4g MW), %.4g MWh %s\n", "IT", s->it_j * joule_mwh,
                  f.it_w * 1e-6, fabs(s->asked_j - s->it_j) * joule_mwh,
                  s->asked_j >= s->it_j ? "asked for and not drawn"
                                        : "more than asked for: leakage");
    mr_buf_printf(out,
                  "%-22s %.4g MWh: fans %.4g, chillers %.4g, facility pumps %.4g, CDUs %.4g, room "
                  "air %.4g\n",
                  "cooling", cooling_j * joule_mwh, s->fan_j * joule_mwh, s->work_j * joule_mwh,
                  s->facility_pump_j * joule_mwh, s->cdu_j * joule_mwh, s->air_j * joule_mwh);
    print_pue(job, out);
    print_meter(job, out);
    const double wue = mr_thermal_figure(&job->list, "thermal", "wue_l_kwh");
    mr_buf_printf(out, "%-22s %.4g m3", "water", s->water_m3);
    if (!isnan(wue))
        mr_buf_printf(out, " (WUE %.3g L/kWh)", wue);
    mr_buf_char(out, '\n');
    if (s->die_max_c > -273)
        mr_buf_printf(out, "%-22s %.2f degC\n", "hottest die", s->die_max_c);
    if (job->plant->n_group > 0)
        mr_buf_printf(out, "%-22s %.2f degC; above set point for %.5g group hours\n",
                      "warmest supply", s->supply_max_c, s->supply_high_s / hour);
    mr_buf_printf(out, "%-22s %.5g loop hours\n", "facility water high", s->facility_high_s / hour);
    if (f.packages_s > 0)
        mr_buf_printf(out, "%-22s %.5g package hours (%.3g %%)\n", "throttled or off",
                      s->throttled_s / hour, 100 * s->throttled_s / f.packages_s);
    print_group(job, out, "approach [K]", "approach", false);
    print_group(job, out, "hours at limit", "hours_above", true);
    mr_buf_printf(out, "%-22s", "heat rejection");
    for (int m = 0; m < MR_REJECTION_N_MODE; m++)
        if (s->mode_s[m] > 0)
            mr_buf_printf(out, " %s %.5g loop h", mr_rejection_mode_name(m), s->mode_s[m] / hour);
    mr_buf_printf(out, "\n%-22s", "events");
    for (int k = 0; k < MR_PLANT_N_EVENT; k++)
        if (job->state->n_event[k] > 0)
            mr_buf_printf(out, " %s %llu", mr_plant_event_name(k),
                          (unsigned long long)job->state->n_event[k]);
    mr_buf_printf(out, "\n%-22s packages %.1e, racks %.1e, loops %.1e, site %.1e of energy in\n",
                  "energy residual", s->residual[0], s->residual[1], s->residual[2],
                  s->residual[3]);
}

static void print_json(const void *data, struct mr_buf *out)
{
    const struct job *job = data;
    struct figures f = {0};
    get_figures(job, &f);
    const struct mr_plant_sums *s = &f.sums;
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "site", job->site->name);
    mr_jsonw_key_f64(&w, "sim_s", job->until_s);
    mr_jsonw_key(&w, "power");
    mr_jsonw_object(&w);
    mr_jsonw_key_f64(&w, "it_mw_mean", f.it_w * 1e-6);
    json_group(job, &w, "power");
    mr_jsonw_end(&w);
    mr_jsonw_key(&w, "energy");
    mr_jsonw_object(&w);
    mr_jsonw_key_f64(&w, "it_j", s->it_j);
    mr_jsonw_key_f64(&w, "asked_j", s->asked_j);
    mr_jsonw_key_f64(&w, "fans_j", s->fan_j);
    mr_jsonw_key_f64(&w, "chillers_j", s->work_j);
    mr_jsonw_key_f64(&w, "facility_pumps_j", s->facility_pump_j);
    mr_jsonw_key_f64(&w, "cdus_j", s->cdu_j);
    mr_jsonw_key_f64(&w, "room_air_j", s->air_j);
    mr_jsonw_key_f64(&w, "closure_rel", s->residual[3]);
    mr_jsonw_key_f64(&w, "closure_rel_package", s->residual[0]);
    mr_jsonw_key_f64(&w, "closure_rel_rack", s->residual[1]);
    mr_jsonw_key_f64(&w, "closure_rel_loop", s->residual[2]);
    mr_jsonw_end(&w);
    mr_jsonw_key(&w, "thermal");
    mr_jsonw_object(&w);
    mr_jsonw_key_f64(&w, "die_c_max", s->die_max_c > -273 ? s->die_max_c : (double)NAN);
    mr_jsonw_key_f64(&w, "supply_c_max", s->supply_max_c > -273 ? s->supply_max_c : (double)NAN);
    mr_jsonw_key_f64(&w, "die_limit_c", s->die_limit_c);
    mr_jsonw_key_f64(&w, "supply_limit_c", s->supply_limit_c);
    mr_jsonw_key_f64(&w, "throttle_gpu_s", s->throttled_s);
    mr_jsonw_key_f64(&w, "supply_high_s", s->supply_high_s);
    mr_jsonw_key_f64(&w, "facility_high_s", s->facility_high_s);
    mr_jsonw_key_f64(&w, "water_l", f.water_l);
    json_group(job, &w, "thermal");
    mr_jsonw_key_f64(&w, "inlet_band_k", job->plant->p.band_k);
    mr_jsonw_key(&w, "approach");
    mr_jsonw_object(&w);
    json_group(job, &w, "approach");
    mr_jsonw_end(&w);
    mr_jsonw_key(&w, "hours_above");
    mr_jsonw_object(&w);
    json_group(job, &w, "hours_above");
    mr_jsonw_end(&w);
    mr_jsonw_key(&w, "rejection_s");
    mr_jsonw_object(&w);
    for (int m = 0; m < MR_REJECTION_N_MODE; m++)
        mr_jsonw_key_f64(&w, mr_rejection_mode_name(m), s->mode_s[m]);
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    mr_jsonw_key(&w, "events");
    mr_jsonw_object(&w);
    for (int k = 0; k < MR_PLANT_N_EVENT; k++)
        if (job->state->n_event[k] > 0)
            mr_jsonw_key_u64(&w, mr_plant_event_name(k), job->state->n_event[k]);
    mr_jsonw_end(&w);
    mr_jsonw_key_u64(&w, "steps", job->n_step);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

static mr_status write_files(const struct job *job, struct mr_err *err)
{
    MR_TRY(mr_alone_write(
        job->opts->csv, job->ui->may_overwrite,
        "t_s,it_kw,cooling_kw,dry_bulb_c,wet_bulb_c,facility_supply_c,liquid_supply_c,"
        "liquid_return_c,die_max_c,throttled_gpus,off_gpus\n",
        &job->site_csv, err));
    MR_TRY(mr_alone_write(
        job->opts->racks, job->ui->may_overwrite,
        "t_s,rack,power_kw,liquid_supply_c,liquid_return_c,liquid_flow_lpm,die_max_c,"
        "die_mean_c,throttled_gpus,off_gpus\n",
        &job->rack_csv, err));
    MR_TRY(mr_alone_write(job->opts->dies, job->ui->may_overwrite, "rack,package,die_c\n",
                          &job->die_csv, err));
    return mr_alone_write(job->opts->events, job->ui->may_overwrite,
                          "t_s,kind,entity,value,limit\n", &job->event_csv, err);
}

static void free_job(struct job *job)
{
    mr_thermal_record_destroy(job->record);
    mr_thermal_figures_fini(&job->figures);
    mr_plant_state_destroy(job->state);
    mr_plant_destroy(job->plant);
    mr_thermal_load_fini(&job->load);
    mr_outage_fini(&job->outages);
    mr_free(job->set);
    mr_free(job->scope);
    if (job->has_weather)
        mr_weather_fini(&job->weather);
    mr_site_destroy(job->site);
    mr_buf_fini(&job->site_csv);
    mr_buf_fini(&job->rack_csv);
    mr_buf_fini(&job->event_csv);
    mr_buf_fini(&job->die_csv);
    mr_arena_fini(&job->texts);
}

static mr_status finish_record(const struct job *job, struct mr_err *err)
{
    struct mr_buf summary;
    if (job->record == NULL)
        return MR_OK;
    mr_status st = mr_alone_summary(print_json, job, &summary, err);
    if (st == MR_OK)
        st = mr_thermal_record_finish(job->record, job->state, &job->list, summary.text,
                                      job->opts->seed, err);
    mr_buf_fini(&summary);
    return st;
}

static mr_status play(void *data, struct mr_err *err)
{
    struct job *job = data;
    mr_alone_watch_begin(&job->watch, job->ui);
    const mr_status st = run(job, err);
    mr_alone_watch_end(&job->watch);
    MR_TRY(st);
    MR_TRY(write_files(job, err));
    return finish_record(job, err);
}

int mr_thermal_run(const struct mr_verb_call *call)
{
    struct job job = {.opts = call->opts, .ui = call->ui};
    const struct mr_apart_file file[] = {
        {"--power", job.opts->power, true},    {"--weather", job.opts->weather, true},
        {"--output", job.opts->output, false}, {"--csv", job.opts->csv, false},
        {"--racks", job.opts->racks, false},   {"--dies", job.opts->dies, false},
        {"--events", job.opts->events, false}, {0}};
    const struct mr_alone alone = {.job = &job,
                                   .site = &job.site,
                                   .file = file,
                                   .as_json = job.opts->as_json,
                                   .prepare = prepare,
                                   .run = play,
                                   .print_table = print_table,
                                   .print_json = print_json};
    const int code = mr_alone_run(&alone, call);
    free_job(&job);
    return code;
}
