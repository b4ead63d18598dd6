/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the supply: the trace's rows, outages and the end are dates that it is driven to, so
 * are records; between them it steps by itself.
 * Map: options - parameters and series - events - records - preparing - the run - output. */
#include "engine/cli/power.h"

#include "engine/base/csv.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/cli/alone.h"
#include "engine/cli/power_play.h"
#include "engine/cli/power_record.h"
#include "engine/cli/power_set.h"
#include "engine/cli/power_tell.h"
#include "engine/cli/verbs.h"
#include "engine/record/rundata.h"
#include "engine/twin/sun.h"
#include "platforms/check.h"
#include "power/plan_targets.h"
#include "power/series.h"

#include <stdio.h>

static const double least_over_w = 1; /* records are single precision */

static const char *const policies[] = {
#define POLICY_TEXT(name, text, doc) text,
    MR_GOVERN_POLICY_LIST(POLICY_TEXT)
#undef POLICY_TEXT
};

#define OPT struct mr_power_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(
         OPT, power, "power", NULL,
         "Power trace: a run file, or t_s, then site_w, rack_w, load or names of racks; its "
         "first row holds from the start"),
     0, "FILE"},
    {MR_PARAM(OPT, load_frac, "load", MR_Q_FRACTION, "1", 0, 1.5,
              "Without a trace: constant share of granted power"),
     0, "FRAC"},
    {MR_PARAM(OPT, house_frac, "house", MR_Q_FRACTION, "0", 0, 2,
              "Cooling and the rest of the house, share of what a hall's racks ask"),
     0, "FRAC"},
    {MR_PARAM_ONE_OF(OPT, policy, "policy", policies, "max_p", "Caps: max_p, max_q, max_lps"), 0,
     "POLICY"},
    {MR_PARAM_STR(OPT, price, "price", NULL, "Prices over time, USD/MWh"), 0, "FILE.csv"},
    {MR_PARAM_STR(OPT, carbon, "carbon", NULL, "Carbon intensity over time, g/kWh"), 0, "FILE.csv"},
    {MR_PARAM_STR(OPT, sun, "sun", NULL, "Solar power over time: share of its rating, or weather"),
     0, "FILE"},
    {MR_PARAM_STR(OPT, frequency, "frequency", NULL, "The grid's frequency over time, Hz"), 0,
     "FILE.csv"},
    {MR_PARAM_STR(OPT, targets, "targets", NULL,
                  "Load targets over time: messages grid.loadtarget.set of DSX Flex"),
     0, "FILE.json"},
    {MR_PARAM_STR(OPT, start, "start", NULL,
                  "Date of the start in those files, 2024-07-01T00:00Z; else where they begin"),
     0, "DATE"},
    {MR_PARAM(OPT, until_s, "until", MR_Q_TIME, "0 s", 0, 1e10,
              "Length of the run; 0: to the trace's end, one day without a trace"),
     0, "TIME"},
    {MR_PARAM_MANY(OPT, fail, "fail",
                   "KIND[:NAME]@TIME[+DURATION][~NOTICE][=VALUE]: utility, node, units, close, "
                   "curtail, policy"),
     0, "EVENT"},
    {MR_PARAM_MANY(OPT, set, "set",
                   "Parameter of supply, wire, governor, feed, ride, tariff, frequency, smoothing "
                   "or spectrum"),
     0, "SCOPE.NAME=VALUE"},
    {MR_PARAM_MANY(OPT, tier, "tier",
                   "Tier 0 to 255 of a rack, or of all of a row or hall: 0 is capped and stopped "
                   "first"),
     0, "NAME=TIER"},
    {MR_PARAM(OPT, every_s, "every", MR_Q_TIME, "60 s", 0.001, 1e9, "Between two records"), 0,
     "TIME"},
    {MR_PARAM_STR(OPT, output, "output", NULL, "Write everything over time, and events"), 'o',
     "FILE.h5"},
    {MR_PARAM_MANY(OPT, spectrum, "spectrum",
                   "Spectrum and swing of the meter (site), of all racks (racks) or of a rack"),
     0, "NAME"},
    {MR_PARAM_MANY(OPT, band, "band",
                   "Effective power in a band (0.1Hz..2Hz), and what the meter's may be"),
     0, "LOW..HIGH[=WATTS]"},
    {MR_PARAM(OPT, swing_s, "swing", MR_Q_TIME, "1 s", 1e-6, 1e9,
              "Longest time between two powers of a swing"),
     0, "TIME"},
    {MR_PARAM(OPT, odds, "odds", MR_Q_FRACTION, "0", 0, 1,
              "How often nodes are asked for too much, and how many racks fit at this probability"),
     0, "PROB"},
    {MR_PARAM_STR(OPT, spectrum_csv, "spectrum-csv", NULL, "Write spectra, W^2/Hz"), 0, "FILE"},
    {MR_PARAM_STR(OPT, csv, "csv", NULL, "Write the site over time"), 0, "FILE"},
    {MR_PARAM_STR(OPT, events, "events", NULL, "Write every event"), 0, "FILE"},
    {MR_PARAM_YES(OPT, as_json, "json", "no", "One JSON object"), 0, NULL},
};
#undef OPT

const struct mr_opt_table mr_power_opts = {rows, sizeof rows / sizeof *rows};

struct job {
    const struct mr_power_opts_values *opts;
    const struct mr_ui *ui;
    struct mr_arena arena;
    struct mr_site *site;
    struct mr_supply_options options;
    struct mr_series price, carbon, sun, frequency;
    struct mr_thermal_load load;
    struct mr_power_steps steps;
    struct mr_plan plan;
    struct mr_supply *supply;
    struct mr_strand_site strand;
    struct mr_power_odds odds;
    struct mr_flex flex;
    double until_s, need_w; /* need_w: over the target when the breach in force began */
    struct mr_buf site_csv, event_csv;
    struct mr_power_record *record;
    struct mr_power_spectrum spectrum;
    uint64_t n_record;
    double looked_s; /* up to where powers are in the record's means */
    double next_s;   /* to where it is driven */
    mr_status record_status;
    struct mr_err record_err;
    struct mr_alone_watch watch;
};

/* ---- parameters and series ---- */

static mr_status read_series(struct job *job, const char *path, int kind, double unix_s,
                             struct mr_series *series, const struct mr_series **used,
                             struct mr_err *err)
{
    if (path == NULL)
        return MR_OK;
    MR_TRY(mr_series_read_known(&job->arena, path, kind, series, err));
    if (series->origin_s != 0 && job->opts->start != NULL)
        mr_series_align(series, unix_s);
    *used = series;
    return mr_series_check_span(series, 0, job->until_s, path, err);
}

static mr_status read_all_series(struct job *job, struct mr_err *err)
{
    const struct mr_power_opts_values *o = job->opts;
    double unix_s = (double)NAN;
    if (o->start != NULL && !mr_series_date(mr_str_of(o->start), &unix_s))
        return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                          "--start '%s': a date such as 2024-07-01T00:00Z is wanted", o->start);
    MR_TRY(
        read_series(job, o->price, MR_SERIES_PRICE, unix_s, &job->price, &job->options.price, err));
    MR_TRY(read_series(job, o->carbon, MR_SERIES_CARBON, unix_s, &job->carbon, &job->options.carbon,
                       err));
    MR_TRY(read_series(job, o->frequency, MR_SERIES_FREQUENCY, unix_s, &job->frequency,
                       &job->options.frequency, err));
    if (o->targets != NULL)
        MR_TRY(mr_plan_read_targets(o->targets, job->site, unix_s, &job->plan, err));
    if (o->sun == NULL)
        return MR_OK;
    MR_TRY(mr_sun_read(&job->arena, o->sun, o->start, &job->sun, err));
    job->options.sun = &job->sun;
    return mr_series_check_span(&job->sun, 0, job->until_s, o->sun, err);
}

static void put_event(struct job *job, const struct mr_supply_event *event, const char *kind,
                      const char *detail, double value, double limit)
{
    struct mr_csv_writer w = {&job->event_csv, false};
    mr_csv_put_f64(&w, event->t_s);
    mr_csv_put_text(&w, kind);
    mr_csv_put_text(&w, event->entity);
    mr_csv_put_text(&w, detail);
    mr_csv_put_f64(&w, value);
    mr_csv_put_f64(&w, isfinite(limit) ? limit : (double)NAN);
    mr_csv_put_end(&w);
}

/* What DSX's alert says beside its state: hints (value: priority), actions, and of a later alert
 * what caps and shedding have made of the first one (value: watts to shed, limit: left over). */
static void put_alert(struct job *job, const struct mr_supply_event *event,
                      const struct mr_feed_alert *alert)
{
    const double over_w = fmax(alert->load_w - alert->target_w, 0), none = (double)NAN;
    struct mr_feed_hint hint[3];
    int action[4];
    if (alert->breach == MR_FEED_ACTIVE)
        job->need_w = over_w;
    else
        put_event(job, event, "grid.powerbreach.enforcement",
                  mr_feed_result_text(mr_feed_result(job->need_w, over_w)), job->need_w, over_w);
    if (alert->breach == MR_FEED_RESOLVED)
        return;
    const int n_hint = mr_feed_hints(alert->severity, alert->is_best_effort, hint);
    for (int i = 0; i < n_hint; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s %s", mr_feed_resource_text(hint[i].resource),
                 mr_feed_action_text(hint[i].action));
        put_event(job, event, "grid.powerbreach.shed_hint", text, hint[i].priority, none);
    }
    const int n = mr_feed_infrastructure(alert->severity, alert->is_best_effort, action);
    for (int i = 0; i < n; i++)
        put_event(job, event, "grid.powerbreach.infrastructure_action",
                  mr_feed_infrastructure_text(action[i]), none, none);
}

static void on_event(void *context, const struct mr_supply_event *event)
{
    struct job *job = context;
    if (job->record != NULL)
        mr_power_record_event(job->record, event);
    if (job->opts->events == NULL)
        return;
    put_event(job, event, event->kind, event->detail, event->value, event->limit);
    const struct mr_feed_alert *alert = job->supply != NULL ? mr_supply_alert(job->supply) : NULL;
    if (alert != NULL)
        put_alert(job, event, alert);
}

/* ---- records ---- */

static mr_status record(struct job *job, struct mr_err *err)
{
    struct mr_supply_reading r;
    struct mr_csv_writer w = {&job->site_csv, false};
    mr_supply_read(job->supply, &r);
    if (job->record != NULL)
        MR_TRY(mr_power_record_row(job->record, r.t_s, MR_RECORD_ALL_KINDS, err));
    if (job->opts->csv == NULL)
        return MR_OK;
    const double column[] = {r.t_s,
                             r.grid_w * 1e-3,
                             r.rack_w * 1e-3,
                             r.want_w * 1e-3,
                             r.house_w * 1e-3,
                             r.loss_w * 1e-3,
                             r.generator_w * 1e-3,
                             r.solar_w * 1e-3,
                             r.storage_w * 1e-3,
                             r.storage_soc_frac,
                             isfinite(r.target_w) ? r.target_w * 1e-3 : (double)NAN,
                             r.frequency_hz,
                             r.set_point_w * 1e-3,
                             r.governor_w * 1e-3,
                             r.inertia_w * 1e-3,
                             r.damping_w * 1e-3};
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        mr_csv_put_f64(&w, column[i]);
    mr_csv_put_u64(&w, r.n_rack_on);
    mr_csv_put_u64(&w, r.n_rack_capped);
    mr_csv_put_u64(&w, r.n_rack_held);
    mr_csv_put_u64(&w, r.is_compliant);
    mr_csv_put_end(&w);
    return MR_OK;
}

static double next_record_s(const struct job *job)
{
    const bool is_wanted = job->opts->csv != NULL || job->record != NULL;
    return is_wanted ? job->opts->every_s * (double)job->n_record : HUGE_VAL;
}

/* The powers of now hold until then. */
static void look_until(struct job *job, double t_s)
{
    if (job->record == NULL || !(t_s > job->looked_s))
        return;
    mr_power_record_look(job->record, t_s - job->looked_s);
    job->looked_s = t_s;
}

/* Dates of records that lie before the next step: powers hold until then. Steps are the same
 * whether anything is recorded or not. */
static void record_ahead(struct job *job, double to_s)
{
    const double end_s = fmin(to_s, mr_supply_next_s(job->supply));
    for (; job->record_status == MR_OK && next_record_s(job) < end_s; job->n_record++) {
        look_until(job, next_record_s(job));
        mr_supply_look(job->supply, next_record_s(job));
        job->record_status = record(job, &job->record_err);
    }
    look_until(job, end_s);
    mr_supply_look(job->supply, mr_supply_now_s(job->supply));
}

static void on_step(void *context)
{
    struct job *job = context;
    mr_power_spectrum_add(&job->spectrum, job->supply);
    record_ahead(job, job->next_s);
    const double now_s = mr_supply_now_s(job->supply);
    if (!mr_alone_watch_is_due(&job->watch, now_s, job->until_s))
        return;
    struct mr_supply_reading r;
    mr_supply_read(job->supply, &r);
    mr_alone_watch_show(&job->watch, now_s, job->until_s, r.grid_w + r.generator_w + r.solar_w);
}

/* ---- preparing ---- */

/* Heat that CDUs can still take counts where they are stated. */
static mr_status find_stranded(struct job *job, struct mr_err *err)
{
    const struct mr_wire *wire = mr_supply_wire(job->supply);
    double *cooling_w = mr_arena_zero(&job->arena, wire->tree->n_node, sizeof *cooling_w, err);
    if (cooling_w == NULL)
        return MR_NOMEM;
    mr_wire_cooling(wire, job->site, cooling_w);
    return mr_strand_of(wire->tree, cooling_w, &job->strand, err);
}

static mr_status find_odds(struct job *job, struct mr_err *err)
{
    struct mr_supply_reading r;
    mr_supply_read(job->supply, &r);
    const struct mr_power_odds_asked asked = {.wire = mr_supply_wire(job->supply),
                                              .load = job->opts->power != NULL ? &job->load : NULL,
                                              .until_s = job->until_s,
                                              .busy_frac = job->opts->load_frac,
                                              .rest_frac = job->options.params.suspend_frac,
                                              .house_frac = job->opts->house_frac,
                                              .grid_limit_w = r.limit_w,
                                              .at = job->opts->odds};
    return job->opts->odds > 0 ? mr_power_odds_of(&asked, &job->odds, err) : MR_OK;
}

/* Rows of a trace are its resolution, steps of racks beside them. */
static struct mr_power_resolution resolution_of(const struct job *job)
{
    const struct mr_thermal_load *load = &job->load;
    double gap_s = HUGE_VAL;
    for (size_t i = 1; i < load->n_row; i++)
        gap_s = fmin(gap_s, load->time_s[i] - load->time_s[i - 1]);
    const bool is_run = job->opts->power != NULL && mr_rundata_is(job->opts->power);
    const bool is_known = !is_run && job->spectrum.params.rows == MR_SPECTRUM_ROWS_CHANGES;
    return (struct mr_power_resolution){.path = job->opts->power,
                                        .row_s = is_known || isinf(gap_s) ? 0 : gap_s,
                                        .is_stepped = job->steps.is_stepped,
                                        .n_stepped = job->steps.n_rack,
                                        .is_run = is_run};
}

/* Steps are read for the sake of spectra alone: nothing else here asks for milliseconds. */
static mr_status read_load(struct job *job, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_power_opts_values *o = job->opts;
    if (o->power == NULL)
        return mr_thermal_load_of(o->load_frac, job->site, &job->load, err);
    if (o->spectrum.n == 0)
        return mr_thermal_load_read(o->power, job->site, &job->load, err);
    MR_TRY(mr_power_steps_read(o->power, job->site, &job->load, &job->steps, err));
    if (job->steps.over_w > least_over_w)
        (void)mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, (struct mr_place){o->power, 0, 0},
                           "steps of rack '%s' draw %.4g W more than its record says at %g s: "
                           "nothing else is added to them there (record with --interval no longer "
                           "than the twin's tick)",
                           job->site->rack[job->steps.over_rack].name, job->steps.over_w,
                           job->steps.over_s);
    return MR_OK;
}

/* Nothing is played that `validate` refuses, and in its words. */
static mr_status check_site(const struct job *job, struct mr_diags *diags, struct mr_err *err)
{
    struct mr_diags found = {0};
    MR_TRY(mr_check_site(job->site, &found, err));
    if (found.n_error > 0) {
        *diags = found;
        return found.first_error;
    }
    (void)mr_check_contract(job->site, diags);
    mr_check_standing(job->site, diags);
    return MR_OK;
}

static mr_status prepare(void *data, struct mr_diags *diags, struct mr_err *err)
{
    struct job *job = data;
    const struct mr_power_opts_values *o = job->opts;
    struct mr_supply_params *p = &job->options.params;
    MR_TRY(check_site(job, diags, err));
    mr_supply_defaults(p);
    mr_spectrum_defaults(&job->spectrum.params);
    job->spectrum.window_s = o->swing_s;
    p->govern.policy = o->policy;
    for (size_t i = 0; i < o->set.n; i++)
        MR_TRY(mr_power_set(o->set.item[i], p, &job->spectrum.params, err));
    MR_TRY(read_load(job, diags, err));
    MR_TRY(mr_plan_read(&o->fail, job->site, &job->plan, err));
    const double one_day_s = 86400;
    job->until_s = o->until_s > 0     ? o->until_s
                   : o->power != NULL ? job->load.time_s[job->load.n_row - 1]
                                      : one_day_s;
    if (!(job->until_s > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "the trace has one row at 0: say how long it holds (--until TIME)");
    for (size_t i = 0; i < job->plan.n; i++)
        if (!job->plan.item[i].is_end && job->plan.item[i].t_s >= job->until_s)
            (void)mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, MR_NOWHERE,
                               "--fail: an event at %g s never happens: the run ends at %g s",
                               job->plan.item[i].t_s, job->until_s);
    MR_TRY(read_all_series(job, err));
    mr_sun_check(job->site, job->options.sun, diags);
    MR_TRY(mr_flex_init(&job->flex, job->site, job->options.price, job->until_s, &job->arena, err));
    const struct mr_power_spectrum_asked asked = {&o->spectrum, &o->band, job->site,
                                                  resolution_of(job)};
    MR_TRY(mr_power_spectrum_init(&job->spectrum, &asked, diags, err));
    if (o->spectrum_csv != NULL && o->spectrum.n == 0)
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "--spectrum-csv needs a spectrum: --spectrum site");
    job->options.take = on_event;
    job->options.step = on_step;
    job->options.context = job;
    MR_TRY(mr_supply_create(job->site, &job->options, &job->supply, diags));
    for (size_t i = 0; i < o->tier.n; i++)
        MR_TRY(mr_power_set_tier(o->tier.item[i], job->supply, err));
    if (o->output != NULL)
        MR_TRY(mr_power_record_create(o->output, job->ui->may_overwrite, job->site, job->supply,
                                      o->every_s, &job->record, err));
    MR_TRY(find_odds(job, err));
    return find_stranded(job, err);
}

/* ---- the run ---- */

static mr_status record_last(struct job *job, struct mr_err *err)
{
    for (; job->record_status == MR_OK && next_record_s(job) <= job->until_s; job->n_record++)
        job->record_status = record(job, &job->record_err);
    if (job->record_status != MR_OK)
        *err = job->record_err;
    return job->record_status;
}

static void on_ahead(void *context, double to_s)
{
    struct job *job = context;
    job->next_s = to_s;
    record_ahead(job, to_s);
}

static void add_powers(void *context)
{
    struct job *job = context;
    mr_power_spectrum_add(&job->spectrum, job->supply);
}

static struct mr_power_play play_of(struct job *job)
{
    return (struct mr_power_play){.site = job->site,
                                  .supply = job->supply,
                                  .load = &job->load,
                                  .steps = &job->steps,
                                  .plan = &job->plan,
                                  .flex = &job->flex,
                                  .house_frac = job->opts->house_frac,
                                  .until_s = job->until_s,
                                  .ahead = on_ahead,
                                  .step = add_powers,
                                  .context = job};
}

/* Steps alone, on a supply of their own, for what rows cannot tell. */
static mr_status run_fine(const struct job *job, struct mr_power_spectrum *spectrum,
                          struct mr_err *err)
{
    struct mr_diags diags = {0}; /* told before */
    struct job fine = *job;
    fine.arena = (struct mr_arena){0};
    fine.spectrum = *spectrum;
    fine.spectrum.is_fine = true;
    fine.options.context = &fine;
    fine.options.take = NULL;
    fine.options.step = add_powers;
    fine.supply = NULL;
    mr_status st =
        mr_flex_init(&fine.flex, job->site, job->options.price, job->until_s, &fine.arena, err);
    if (st == MR_OK)
        st = mr_supply_create(job->site, &fine.options, &fine.supply, &diags);
    for (size_t i = 0; i < job->opts->tier.n && st == MR_OK; i++)
        st = mr_power_set_tier(job->opts->tier.item[i], fine.supply, err);
    struct mr_power_play play = play_of(&fine);
    play.is_fine = true;
    play.ahead = NULL;
    if (st == MR_OK)
        st = mr_power_play(&play, err);
    *spectrum = fine.spectrum;
    spectrum->is_fine = false;
    mr_supply_destroy(fine.supply);
    mr_arena_fini(&fine.arena);
    return st;
}

static mr_status run(struct job *job, struct mr_err *err)
{
    const struct mr_power_play play = play_of(job);
    MR_TRY(mr_power_play(&play, err));
    MR_TRY(record_last(job, err));
    return mr_power_spectrum_needs_fine(&job->spectrum) ? run_fine(job, &job->spectrum, err)
                                                        : MR_OK;
}

/* ---- output ---- */

static struct mr_power_tell told_of(const struct job *job)
{
    return (struct mr_power_tell){.site = job->site,
                                  .until_s = job->until_s,
                                  .supply = job->supply,
                                  .params = &job->options.params,
                                  .strand = &job->strand,
                                  .flex = &job->flex,
                                  .odds = &job->odds,
                                  .spectrum = &job->spectrum};
}

static void print_table(const void *data, struct mr_buf *out)
{
    const struct mr_power_tell told = told_of(data);
    mr_power_tell_table(&told, out);
}

static void print_json(const void *data, struct mr_buf *out)
{
    const struct mr_power_tell told = told_of(data);
    mr_power_tell_json(&told, out);
}

static mr_status write_files(const struct job *job, struct mr_err *err)
{
    MR_TRY(mr_alone_write(
        job->opts->csv, job->ui->may_overwrite,
        "t_s,grid_kw,rack_kw,asked_kw,house_kw,loss_kw,generator_kw,solar_kw,"
        "storage_kw,soc,target_kw,frequency_hz,set_point_kw,governor_kw,inertia_kw,damping_kw,"
        "racks_on,racks_capped,racks_stopped,compliant\n",
        &job->site_csv, err));
    if (job->opts->spectrum_csv != NULL) {
        struct mr_buf spectra = {0};
        mr_power_spectrum_csv(&job->spectrum, &spectra);
        const mr_status st =
            mr_alone_write(job->opts->spectrum_csv, job->ui->may_overwrite, "", &spectra, err);
        mr_buf_fini(&spectra);
        MR_TRY(st);
    }
    return mr_alone_write(job->opts->events, job->ui->may_overwrite,
                          "t_s,kind,entity,detail,value,limit\n", &job->event_csv, err);
}

static void free_job(struct job *job)
{
    mr_power_record_destroy(job->record);
    mr_power_spectrum_fini(&job->spectrum);
    mr_supply_destroy(job->supply);
    mr_strand_fini(&job->strand);
    mr_power_odds_fini(&job->odds);
    mr_thermal_load_fini(&job->load);
    mr_power_steps_fini(&job->steps);
    mr_free(job->plan.item);
    mr_site_destroy(job->site);
    mr_buf_fini(&job->site_csv);
    mr_buf_fini(&job->event_csv);
    mr_arena_fini(&job->arena);
}

static mr_status finish_record(const struct job *job, struct mr_err *err)
{
    struct mr_buf summary;
    if (job->record == NULL)
        return MR_OK;
    mr_status st = mr_alone_summary(print_json, job, &summary, err);
    if (st == MR_OK)
        st = mr_power_record_finish(job->record, summary.text, &job->strand.sum, &job->spectrum,
                                    err);
    mr_buf_fini(&summary);
    return st;
}

static mr_status check_closure(const struct job *job, struct mr_err *err)
{
    const double most = 1e-6;
    struct mr_supply_total t;
    mr_supply_total(job->supply, &t);
    return t.closure_rel <= most
               ? MR_OK
               : mr_err_set(err, MR_DIVERGED, MR_NOWHERE,
                            "%s: energies do not close: %.1e of what passed through (%g at most)",
                            job->site->name, t.closure_rel, most);
}

static mr_status play(void *data, struct mr_err *err)
{
    struct job *job = data;
    mr_alone_watch_begin(&job->watch, job->ui);
    mr_status st = run(job, err);
    mr_alone_watch_end(&job->watch);
    if (st == MR_OK)
        st = check_closure(job, err);
    if (st == MR_OK)
        st = mr_power_spectrum_end(&job->spectrum, job->until_s, err);
    if (st == MR_OK)
        st = write_files(job, err);
    return st == MR_OK ? finish_record(job, err) : st;
}

int mr_power_run(const struct mr_verb_call *call)
{
    struct job job = {.opts = call->opts, .ui = call->ui};
    const struct mr_power_opts_values *o = job.opts;
    const struct mr_apart_file file[] = {{"--power", o->power, true},
                                         {"--price", o->price, true},
                                         {"--carbon", o->carbon, true},
                                         {"--sun", o->sun, true},
                                         {"--frequency", o->frequency, true},
                                         {"--targets", o->targets, true},
                                         {"--csv", o->csv, false},
                                         {"--events", o->events, false},
                                         {"--output", o->output, false},
                                         {"--spectrum-csv", o->spectrum_csv, false},
                                         {0}};
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
