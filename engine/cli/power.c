/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the supply: the trace's rows, outages and the end are dates that it is driven to, so
 * are records; between them it steps by itself.
 * Map: options - parameters and series - events - records - preparing - the run - output. */
#include "engine/cli/power.h"

#include "engine/base/csv.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/cli/alone.h"
#include "engine/cli/power_odds.h"
#include "engine/cli/power_record.h"
#include "engine/cli/power_spectrum.h"
#include "engine/cli/thermal_load.h"
#include "engine/cli/verbs.h"
#include "engine/twin/sun.h"
#include "power/flex.h"
#include "power/plan.h"
#include "power/series.h"
#include "power/strand.h"
#include "thermal/outage.h"

#include <stdio.h>

static const char *const policies[] = {
#define POLICY_TEXT(name, text, doc) text,
    MR_GOVERN_POLICY_LIST(POLICY_TEXT)
#undef POLICY_TEXT
};

#define OPT struct mr_power_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(OPT, power, "power", NULL,
                  "Power trace: a run file, or t_s, then site_w, rack_w, load or names of racks"),
     0, "FILE"},
    {MR_PARAM(OPT, load_frac, "load", MR_Q_FRACTION, "1", 0, 1.5,
              "Without a trace: constant share of granted power"),
     0, "FRAC"},
    {MR_PARAM(OPT, house_frac, "house", MR_Q_FRACTION, "0", 0, 2,
              "Cooling and the rest of the house, share of what racks of a hall ask for"),
     0, "FRAC"},
    {MR_PARAM_ONE_OF(OPT, policy, "policy", policies, "max_p", "Caps: max_p, max_q, max_lps"), 0,
     "POLICY"},
    {MR_PARAM_STR(OPT, price, "price", NULL, "Prices over time, USD/MWh"), 0, "FILE.csv"},
    {MR_PARAM_STR(OPT, carbon, "carbon", NULL, "Carbon intensity over time, g/kWh"), 0, "FILE.csv"},
    {MR_PARAM_STR(OPT, sun, "sun", NULL, "Solar power over time: share of its rating, or weather"),
     0, "FILE"},
    {MR_PARAM_STR(OPT, start, "start", NULL,
                  "Date of the start in those files, 2024-07-01T00:00Z; else where they begin"),
     0, "DATE"},
    {MR_PARAM(OPT, until_s, "until", MR_Q_TIME, "0 s", 0, 1e10,
              "Length of the run; 0: to the trace's end, one day without a trace"),
     0, "TIME"},
    {MR_PARAM_MANY(
         OPT, fail, "fail",
         "KIND[:NAME]@TIME[+DURATION][=VALUE]: utility, node, units, close, curtail, policy"),
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
    {MR_PARAM_MANY(OPT, band, "band", "Effective power in a band, and what the meter's may be"), 0,
     "LOW..HIGH[=WATTS]"},
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
    struct mr_series price, carbon, sun;
    struct mr_thermal_load load;
    struct mr_plan plan;
    struct mr_supply *supply;
    struct mr_strand_site strand;
    struct mr_power_odds odds;
    struct mr_flex flex;
    double *rack_w;
    double until_s, need_w; /* need_w: over the target when the breach in force began */
    struct mr_buf site_csv, event_csv;
    struct mr_power_record *record;
    struct mr_power_spectrum spectrum;
    uint64_t n_record;
    double next_s; /* to where it is driven */
    mr_status record_status;
    struct mr_err record_err;
};

/* ---- parameters and series ---- */

static mr_status set_one(struct job *job, const char *text, struct mr_err *err)
{
    struct mr_supply_params *p = &job->options.params;
    const struct {
        const char *scope;
        const struct mr_param_table *table;
        void *object;
    } scope[] = {{"supply", mr_supply_table(), p},
                 {"wire", mr_wire_table(), &p->wire},
                 {"governor", mr_govern_table(), &p->govern},
                 {"feed", mr_feed_table(), &p->feed},
                 {"ride", mr_feed_ride_table(), &p->ride},
                 {"tariff", mr_tariff_table(), &p->tariff},
                 {"frequency", mr_frequency_table(), &p->frequency},
                 {"smoothing", mr_smooth_table(), &p->smooth},
                 {"spectrum", mr_spectrum_table(), &job->spectrum.params}};
    const char *dot = strchr(text, '.'), *equals = strchr(text, '=');
    for (size_t i = 0; dot != NULL && equals > dot && i < sizeof scope / sizeof *scope; i++) {
        uint8_t origin[64] = {0};
        const struct mr_param_target target = {.table = scope[i].table,
                                               .object = scope[i].object,
                                               .origin = origin,
                                               .what = scope[i].scope};
        if (mr_str_is((struct mr_str){text, (size_t)(dot - text)}, scope[i].scope))
            return mr_param_set(&target, (struct mr_str){dot + 1, (size_t)(equals - dot) - 1},
                                mr_str_of(equals + 1), MR_PARAM_OVERRIDDEN, MR_NOWHERE, err);
    }
    const char *name[sizeof scope / sizeof *scope];
    char hint[MR_QUOTE_CAP];
    for (size_t i = 0; i < sizeof scope / sizeof *scope; i++)
        name[i] = scope[i].scope;
    mr_text_hint((struct mr_str){text, dot != NULL ? (size_t)(dot - text) : strlen(text)}, name,
                 sizeof scope / sizeof *scope, hint, sizeof hint);
    return mr_err_set(err, MR_REF, MR_NOWHERE,
                      "--set '%s': SCOPE.NAME=VALUE is wanted, of supply, wire, governor, feed, "
                      "ride, tariff, frequency, smoothing, spectrum%s",
                      text, hint);
}

static mr_status set_tier(struct job *job, const char *text, struct mr_err *err)
{
    const char *equals = strrchr(text, '=');
    double tier = -1;
    if (equals == NULL || equals == text)
        return mr_err_set(err, MR_PARSE, MR_NOWHERE, "--tier '%s': NAME=TIER is wanted", text);
    MR_TRY(mr_unit_parse(mr_str_of(equals + 1), MR_Q_COUNT, text, MR_NOWHERE, &tier, err));
    if (!(tier >= 0 && tier <= UINT8_MAX && tier == floor(tier)))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "--tier '%s': a whole number from 0 to 255",
                          text);
    return mr_supply_set_tier_of(job->supply, (struct mr_str){text, (size_t)(equals - text)},
                                 (uint8_t)tier, err);
}

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
    double unix_s = 0;
    if (o->start != NULL && !mr_series_date(mr_str_of(o->start), &unix_s))
        return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                          "--start '%s': a date such as 2024-07-01T00:00Z is wanted", o->start);
    MR_TRY(
        read_series(job, o->price, MR_SERIES_PRICE, unix_s, &job->price, &job->options.price, err));
    MR_TRY(read_series(job, o->carbon, MR_SERIES_CARBON, unix_s, &job->carbon, &job->options.carbon,
                       err));
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
static void put_alert(struct job *job, const struct mr_supply_event *event)
{
    const struct mr_feed_alert *alert = event->alert;
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
    if (event->alert != NULL)
        put_alert(job, event);
}

/* ---- records ---- */

static mr_status record(struct job *job, struct mr_err *err)
{
    struct mr_supply_reading r;
    struct mr_csv_writer w = {&job->site_csv, false};
    mr_supply_read(job->supply, &r);
    if (job->record != NULL)
        MR_TRY(mr_power_record_row(job->record, r.t_s, err));
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
                             r.frequency_hz};
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

/* Dates of records that lie before the next step: powers hold until then. Steps are the same
 * whether anything is recorded or not. */
static void record_ahead(struct job *job, double to_s)
{
    const double end_s = fmin(to_s, mr_supply_next_s(job->supply));
    for (; job->record_status == MR_OK && next_record_s(job) < end_s; job->n_record++) {
        mr_supply_look(job->supply, next_record_s(job));
        job->record_status = record(job, &job->record_err);
    }
    mr_supply_look(job->supply, mr_supply_now_s(job->supply));
}

static void on_step(void *context)
{
    struct job *job = context;
    mr_power_spectrum_add(&job->spectrum, job->supply);
    record_ahead(job, job->next_s);
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
    const struct mr_power_odds_asked asked = {.wire = mr_supply_wire(job->supply),
                                              .load = job->opts->power != NULL ? &job->load : NULL,
                                              .until_s = job->until_s,
                                              .busy_frac = job->opts->load_frac,
                                              .rest_frac = job->options.params.suspend_frac,
                                              .house_frac = job->opts->house_frac,
                                              .at = job->opts->odds};
    return job->opts->odds > 0 ? mr_power_odds_of(&asked, &job->odds, err) : MR_OK;
}

/* Between rows a trace holds its powers: what is above half of its rate is of these stairs. */
static void check_resolution(const struct job *job, struct mr_diags *diags)
{
    const struct mr_thermal_load *load = &job->load;
    double gap_s = HUGE_VAL;
    for (size_t i = 1; i < load->n_row; i++)
        gap_s = fmin(gap_s, load->time_s[i] - load->time_s[i - 1]);
    if (job->opts->spectrum.n == 0 || job->opts->power == NULL ||
        job->spectrum.params.high_hz <= 0.5 / gap_s)
        return;
    (void)mr_diags_add(
        diags, MR_SEVERITY_WARNING, MR_RANGE, (struct mr_place){job->opts->power, 0, 0},
        "rows are %g s apart at least: above %g Hz the spectrum is that of the stairs "
        "between them, not of the load; steps of racks are not read (--set "
        "spectrum.high, or a finer trace)",
        gap_s, 0.5 / gap_s);
}

static mr_status prepare(void *data, struct mr_diags *diags, struct mr_err *err)
{
    struct job *job = data;
    const struct mr_power_opts_values *o = job->opts;
    struct mr_supply_params *p = &job->options.params;
    mr_supply_defaults(p);
    mr_spectrum_defaults(&job->spectrum.params);
    job->spectrum.window_s = o->swing_s;
    p->govern.policy = o->policy;
    for (size_t i = 0; i < o->set.n; i++)
        MR_TRY(set_one(job, o->set.item[i], err));
    if (o->power != NULL)
        MR_TRY(mr_thermal_load_read(o->power, job->site, &job->load, err));
    else
        MR_TRY(mr_thermal_load_of(o->load_frac, job->site, &job->load, err));
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
    MR_TRY(mr_power_spectrum_init(&job->spectrum, &o->spectrum, &o->band, job->site, err));
    check_resolution(job, diags);
    if (o->spectrum_csv != NULL && o->spectrum.n == 0)
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "--spectrum-csv needs a spectrum: --spectrum site");
    job->rack_w = mr_arena_zero(&job->arena, job->site->n_rack, sizeof *job->rack_w, err);
    if (job->rack_w == NULL)
        return MR_NOMEM;
    job->options.take = on_event;
    job->options.step = on_step;
    job->options.context = job;
    MR_TRY(mr_supply_create(job->site, &job->options, &job->supply, diags));
    for (size_t i = 0; i < o->tier.n; i++)
        MR_TRY(set_tier(job, o->tier.item[i], err));
    if (o->output != NULL)
        MR_TRY(mr_power_record_create(o->output, job->ui->may_overwrite, job->site, job->supply,
                                      o->every_s, &job->record, err));
    MR_TRY(find_odds(job, err));
    return find_stranded(job, err);
}

/* ---- the run ---- */

static void apply_row(struct job *job, size_t row)
{
    mr_thermal_load_racks(&job->load, row, job->site, job->rack_w);
    mr_supply_set_racks(job->supply, job->rack_w);
    for (uint32_t h = 0; h < job->site->n_hall; h++) {
        double hall_w = 0;
        for (uint32_t i = 0; i < job->site->n_rack; i++)
            hall_w += job->site->rack[i].hall == h ? job->rack_w[i] : 0;
        mr_supply_set_house(job->supply, h, hall_w * job->opts->house_frac);
    }
}

static mr_status record_last(struct job *job, struct mr_err *err)
{
    for (; job->record_status == MR_OK && next_record_s(job) <= job->until_s; job->n_record++)
        job->record_status = record(job, &job->record_err);
    if (job->record_status != MR_OK)
        *err = job->record_err;
    return job->record_status;
}

static mr_status run(struct job *job, struct mr_err *err)
{
    size_t row = 0, item = 0;
    double now_s = 0;
    for (;;) {
        while (row < job->load.n_row && job->load.time_s[row] <= now_s)
            apply_row(job, row++);
        if (now_s == 0) /* what happens at the start happens to a site that runs */
            mr_supply_advance(job->supply, now_s);
        while (item < job->plan.n && job->plan.item[item].t_s <= now_s)
            MR_TRY(mr_plan_apply(&job->plan.item[item++], job->supply, err));
        MR_TRY(mr_flex_step(&job->flex, job->supply, now_s, err));
        mr_supply_advance(job->supply, now_s);
        mr_power_spectrum_add(&job->spectrum, job->supply);
        if (now_s >= job->until_s)
            return record_last(job, err);
        double next_s = fmin(job->until_s, mr_flex_next_s(&job->flex, now_s));
        if (row < job->load.n_row)
            next_s = fmin(next_s, job->load.time_s[row]);
        if (item < job->plan.n)
            next_s = fmin(next_s, job->plan.item[item].t_s);
        job->next_s = next_s;
        record_ahead(job, next_s);
        mr_supply_advance(job->supply, next_s);
        now_s = next_s;
    }
}

/* ---- output ---- */

static const double joule_mwh = 1 / 3.6e9;

static void print_table(const void *data, struct mr_buf *out)
{
    const struct job *job = data;
    struct mr_supply_total t;
    const struct mr_strand *s = &job->strand.sum;
    mr_supply_total(job->supply, &t);
    mr_buf_printf(out, "%-20s %s, %.6g h, %zu racks\n", "site", job->site->name,
                  job->until_s / 3600, job->site->n_rack);
    mr_buf_printf(out, "%-20s %.5g MWh (mean %.4g MW, peak %.4g MW)\n", "grid",
                  t.grid_j * joule_mwh, t.grid_j / job->until_s * 1e-6, t.peak_w * 1e-6);
    if (t.generator_j + t.solar_j > 0)
        mr_buf_printf(out, "%-20s generators %.5g MWh, solar %.5g MWh, not taken %.4g MWh\n",
                      "on site", t.generator_j * joule_mwh, t.solar_j * joule_mwh,
                      t.dump_j * joule_mwh);
    mr_buf_printf(out, "%-20s %.5g MWh of %.5g MWh asked for: caps kept %.4g, darkness %.4g MWh\n",
                  "racks", t.rack_j * joule_mwh, t.want_j * joule_mwh, t.capped_j * joule_mwh,
                  t.dark_j * joule_mwh);
    mr_buf_printf(out, "%-20s %.5g MWh\n", "house", t.house_j * joule_mwh);
    mr_buf_printf(out, "%-20s %.5g MWh to racks, %.5g MWh inside:", "losses", t.loss_j * joule_mwh,
                  t.rack_loss_j * joule_mwh);
    for (int k = 0; k < MR_N_STAGE; k++)
        if (t.stage_loss_j[k] > 0)
            mr_buf_printf(out, " %s %.4g", mr_stage_info(k)->name, t.stage_loss_j[k] * joule_mwh);
    mr_buf_printf(out, "\n%-20s %.5g MWh behind the racks' stages\n", "packages and hosts",
                  t.module_j * joule_mwh);
    mr_buf_printf(out, "%-20s in %.4g, out %.4g, lost %.4g MWh\n", "storage",
                  t.storage_in_j * joule_mwh, t.storage_out_j * joule_mwh,
                  t.storage_loss_j * joule_mwh);
    mr_buf_printf(out, "%-20s energy %.6g USD, demand %.6g USD, fuel %.6g USD; CO2 %.5g t\n",
                  "cost", t.energy_usd, t.demand_usd, t.fuel_usd, (t.carbon_kg + t.fuel_kg) * 1e-3);
    mr_buf_printf(out,
                  "%-20s %llu trips, %llu alarms, %llu overloads, %llu transfers, %llu racks "
                  "lost\n",
                  "chain", (unsigned long long)t.n_trip, (unsigned long long)t.n_alarm,
                  (unsigned long long)t.n_overload, (unsigned long long)t.n_transfer,
                  (unsigned long long)t.n_lost);
    mr_buf_printf(out,
                  "%-20s %llu dips, %llu times away; %llu breaches, %llu ramp violations, "
                  "fastest %.4g MW/min up, %.4g down\n",
                  "connection", (unsigned long long)t.n_dip, (unsigned long long)t.n_away,
                  (unsigned long long)t.n_breach, (unsigned long long)t.n_ramp,
                  t.ramp_up_w_s * 60e-6, t.ramp_down_w_s * 60e-6);
    mr_buf_printf(out,
                  "%-20s capped %.5g, stopped %.5g, dark %.5g rack hours; %llu suspended, %llu "
                  "shut\n",
                  "racks held", t.capped_rack_s / 3600, t.held_rack_s / 3600, t.dark_rack_s / 3600,
                  (unsigned long long)t.n_suspended, (unsigned long long)t.n_shut);
    struct mr_supply_reading last;
    mr_supply_read(job->supply, &last);
    if (!last.has_grid && last.n_rack_on < job->site->n_rack)
        mr_buf_printf(out,
                      "%-20s %zu racks at the end: bars without the grid are carried whole or not "
                      "at all, a part of the racks is not started on what is left\n",
                      "dark", job->site->n_rack - last.n_rack_on);
    if (job->options.params.smooth.is_on)
        mr_buf_printf(out, "%-20s burnt %.4g MWh, delayed %.4g MWh\n", "smoothing",
                      t.burn_j * joule_mwh, t.delayed_j * joule_mwh);
    if (t.low_hz < job->options.params.frequency.nominal_hz)
        mr_buf_printf(out, "%-20s lowest %.5g Hz, %llu stages shed, %llu collapses\n", "frequency",
                      t.low_hz, (unsigned long long)t.n_ufls, (unsigned long long)t.n_collapse);
    mr_buf_printf(out,
                  "%-20s of %.5g MW at panels: placed %.5g, redundancy %.5g, chain %.5g, "
                  "cooling %.5g, granularity %.5g, free %.5g\n",
                  "stranded", s->installed_w * 1e-6, s->placed_w * 1e-6, s->redundancy_w * 1e-6,
                  s->chain_w * 1e-6, s->cooling_w * 1e-6, s->granularity_w * 1e-6,
                  s->free_w * 1e-6);
    mr_flex_text(&job->flex, out);
    mr_power_odds_text(&job->odds, out);
    mr_power_spectrum_text(&job->spectrum, out);
    mr_buf_printf(out, "%-20s %.1e of energy in\n", "energy residual", t.closure_rel);
}

/* Names and values of one object, in order. */
struct row {
    const char *name;
    double value;
};

static void put_rows(struct mr_jsonw *w, const char *name, const struct row *row, size_t n)
{
    mr_jsonw_key(w, name);
    mr_jsonw_object(w);
    for (size_t i = 0; i < n; i++)
        mr_jsonw_key_f64(w, row[i].name, row[i].value);
    mr_jsonw_end(w);
}

#define PUT_ROWS(w, name, rows) put_rows((w), (name), (rows), sizeof(rows) / sizeof *(rows))

static void print_json(const void *data, struct mr_buf *out)
{
    const struct job *job = data;
    struct mr_supply_total t;
    const struct mr_strand *s = &job->strand.sum;
    struct mr_jsonw w;
    mr_supply_total(job->supply, &t);
    const struct row energy[] = {{"grid_j", t.grid_j},
                                 {"generator_j", t.generator_j},
                                 {"solar_j", t.solar_j},
                                 {"rack_j", t.rack_j},
                                 {"asked_j", t.want_j},
                                 {"capped_j", t.capped_j},
                                 {"dark_j", t.dark_j},
                                 {"held_j", t.held_j},
                                 {"delayed_j", t.delayed_j},
                                 {"burn_j", t.burn_j},
                                 {"house_j", t.house_j},
                                 {"losses_j", t.loss_j},
                                 {"rack_losses_j", t.rack_loss_j},
                                 {"modules_j", t.module_j},
                                 {"storage_in_j", t.storage_in_j},
                                 {"storage_out_j", t.storage_out_j},
                                 {"storage_loss_j", t.storage_loss_j},
                                 {"storage_change_j", t.storage_change_j},
                                 {"holdup_j", t.holdup_j},
                                 {"short_j", t.short_j},
                                 {"dump_j", t.dump_j},
                                 {"closure_rel", t.closure_rel}};
    const struct row power[] = {{"grid_mw_mean", t.grid_j / job->until_s * 1e-6},
                                {"grid_mw_peak", t.peak_w * 1e-6},
                                {"ramp_max_mw_min", fmax(t.ramp_up_w_s, t.ramp_down_w_s) * 60e-6},
                                {"ramp_up_max_mw_min", t.ramp_up_w_s * 60e-6},
                                {"ramp_down_max_mw_min", t.ramp_down_w_s * 60e-6},
                                {"cap_events", (double)t.n_cap},
                                {"trip_events", (double)t.n_trip},
                                {"alarm_events", (double)t.n_alarm},
                                {"overload_events", (double)t.n_overload},
                                {"transfer_events", (double)t.n_transfer},
                                {"racks_lost", (double)t.n_lost},
                                {"budget_infeasible", (double)t.n_infeasible},
                                {"capped_rack_s", t.capped_rack_s},
                                {"dark_rack_s", t.dark_rack_s},
                                {"held_rack_s", t.held_rack_s},
                                {"racks_suspended", (double)t.n_suspended},
                                {"racks_shut", (double)t.n_shut}};
    const struct row stranded[] = {{"installed_kw", s->installed_w * 1e-3},
                                   {"over_kw", s->over_w * 1e-3},
                                   {"placed_kw", s->placed_w * 1e-3},
                                   {"redundancy_kw", s->redundancy_w * 1e-3},
                                   {"chain_kw", s->chain_w * 1e-3},
                                   {"cooling_kw", s->cooling_w * 1e-3},
                                   {"granularity_kw", s->granularity_w * 1e-3},
                                   {"free_kw", s->free_w * 1e-3},
                                   {"unused_source_kw", job->strand.unused_source_w * 1e-3}};
    const struct row economy[] = {{"energy_usd", t.energy_usd},
                                  {"demand_usd", t.demand_usd},
                                  {"fuel_usd", t.fuel_usd},
                                  {"carbon_kg", t.carbon_kg},
                                  {"fuel_carbon_kg", t.fuel_kg}};
    const struct row grid[] = {
        {"dips", (double)t.n_dip},          {"times_away", (double)t.n_away},
        {"breaches", (double)t.n_breach},   {"ramp_violations", (double)t.n_ramp},
        {"frequency_hz_min", t.low_hz},     {"stages_shed", (double)t.n_ufls},
        {"collapses", (double)t.n_collapse}};
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "site", job->site->name);
    mr_jsonw_key_f64(&w, "sim_s", job->until_s);
    PUT_ROWS(&w, "energy", energy);
    mr_jsonw_key(&w, "losses_j");
    mr_jsonw_object(&w);
    for (int k = 0; k < MR_N_STAGE; k++)
        if (t.stage_loss_j[k] > 0)
            mr_jsonw_key_f64(&w, mr_stage_info(k)->name, t.stage_loss_j[k]);
    mr_jsonw_end(&w);
    PUT_ROWS(&w, "power", power);
    PUT_ROWS(&w, "stranded", stranded);
    PUT_ROWS(&w, "economy", economy);
    PUT_ROWS(&w, "grid", grid);
    if (job->flex.is_on) {
        mr_jsonw_key(&w, "flexible");
        mr_flex_json(&job->flex, &w);
    }
    if (job->odds.n_node > 0) {
        mr_jsonw_key(&w, "oversubscription");
        mr_power_odds_json(&job->odds, &w);
    }
    if (job->spectrum.n_watch > 0) {
        mr_jsonw_key(&w, "spectrum");
        mr_power_spectrum_json(&job->spectrum, &w);
    }
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

static mr_status write_files(const struct job *job, struct mr_err *err)
{
    MR_TRY(mr_alone_write(
        job->opts->csv, job->ui->may_overwrite,
        "t_s,grid_kw,rack_kw,asked_kw,house_kw,loss_kw,generator_kw,solar_kw,"
        "storage_kw,soc,target_kw,frequency_hz,racks_on,racks_capped,racks_stopped,compliant\n",
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
    mr_status st = run(job, err);
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
    const struct mr_alone alone = {.job = &job,
                                   .site = &job.site,
                                   .as_json = job.opts->as_json,
                                   .prepare = prepare,
                                   .run = play,
                                   .print_table = print_table,
                                   .print_json = print_json};
    const int code = mr_alone_run(&alone, call);
    free_job(&job);
    return code;
}
