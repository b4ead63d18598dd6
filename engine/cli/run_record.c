/* SPDX-License-Identifier: Apache-2.0 */
/* Key figures are read back from the summary's text, so that both always say the same. */
#include "engine/cli/run_record.h"

#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/record/columns.h"
#include "revision.h"

#include <math.h>
#include <stdio.h>

// clang-format off
static const struct mr_channel call_columns[] = {
    MR_COLUMN(struct mr_play_row, id, U64, "1", "Number of the call, in the order of arrival"),
    MR_COLUMN(struct mr_play_row, session, U32, "1", "Number of its session"),
    MR_COLUMN(struct mr_play_row, tier, U8, "1", "Place of its tier on the axis of tiers"),
    MR_COLUMN(struct mr_play_row, instance, U32, "1", "Number of the instance that served it"),
    MR_COLUMN(struct mr_play_row, arrived_s, F64, "s", "Arrival of the call"),
    MR_COLUMN(struct mr_play_row, scheduled_s, F64, "s", "Start of the first step it was in"),
    MR_COLUMN(struct mr_play_row, first_token_s, F64, "s", "End of the step that read its prompt"),
    MR_COLUMN(struct mr_play_row, finished_s, F64, "s", "End of its last step; NaN: it did not end"),
    MR_COLUMN(struct mr_play_row, input, U32, "1", "Tokens of the prompt"),
    MR_COLUMN(struct mr_play_row, cached_input, U32, "1", "Of them found in the prefix cache"),
    MR_COLUMN(struct mr_play_row, output, U32, "1", "Tokens of the answer"),
    MR_COLUMN(struct mr_play_row, restarts, U32, "1", "How often it was preempted"),
};
struct event_row {
    double t_s, value, limit;
    uint32_t entity;
    uint8_t kind;
};
static const struct mr_channel event_columns[] = {
    MR_COLUMN(struct event_row, t_s, F64, "s", "Date of the event"),
    MR_COLUMN(struct event_row, kind, U8, "1", "What happened"),
    MR_COLUMN(struct event_row, entity, U32, "1", "Whom it happened to"),
    MR_COLUMN(struct event_row, value, F64, "1", "Value, in the unit of the kind"),
    MR_COLUMN(struct event_row, limit, F64, "1", "Limit it passed; NaN where there is none"),
};
// clang-format on

#define N_OF(table) (sizeof(table) / sizeof *(table))

enum {
    n_path_max = 160,
    n_figure_max = 256
};

struct mr_run_record {
    const struct mr_scenario *scenario;
    struct mr_runfile *file;
    struct mr_columns *calls, *events;
};

/* ---- life ---- */

static mr_status declare(struct mr_run_record *r, struct mr_err *err)
{
    const struct mr_scenario *scenario = r->scenario;
    const char *tiers[MR_SCENARIO_TIERS];
    const struct mr_columns_plan calls = {.group = "/requests",
                                          .axis = "request",
                                          .column = call_columns,
                                          .n_column = N_OF(call_columns),
                                          .row_bytes = sizeof(struct mr_play_row)};
    const struct mr_columns_plan events = {.group = "/events",
                                           .axis = "event",
                                           .column = event_columns,
                                           .n_column = N_OF(event_columns),
                                           .row_bytes = sizeof(struct event_row)};
    const char *name = scenario->top.name != NULL ? scenario->top.name : "";
    for (size_t i = 0; i < scenario->n_tier; i++)
        tiers[i] = scenario->tier[i].name;
    MR_TRY(mr_runfile_attr_text(r->file, "/", "Conventions", "CF-1.8", err));
    MR_TRY(mr_runfile_attr_text(r->file, "/", "title", name, err));
    MR_TRY(mr_runfile_attr_text(r->file, "/provenance", "program", "millrace " MR_VERSION, err));
    MR_TRY(mr_runfile_attr_text(r->file, "/provenance", "revision", MR_GIT_HASH, err));
    MR_TRY(mr_runfile_attr_text(r->file, "/provenance", "scenario", scenario->path, err));
    MR_TRY(mr_runfile_axis(r->file, "/tiers", "tier", "Tiers in the order of the scenario", tiers,
                           scenario->n_tier, err));
    MR_TRY(mr_runfile_attr_text(r->file, "/site", "name",
                                scenario->site.file != NULL ? scenario->site.file : "", err));
    MR_TRY(mr_columns_create(r->file, &calls, &r->calls, err));
    return mr_columns_create(r->file, &events, &r->events, err);
}

static mr_status open_file(struct mr_run_record *r, const char *path, bool may_overwrite,
                           struct mr_err *err)
{
    struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_buf effective = {0};
    options.may_overwrite = may_overwrite;
    MR_TRY(mr_runfile_create(path, &options, &r->file, err));
    mr_scenario_write(r->scenario, &effective);
    mr_status st = mr_buf_check(&effective, err);
    if (st == MR_OK)
        st = mr_runfile_text(r->file, "/config", "effective",
                             "The scenario with all defaults filled in", effective.text, err);
    mr_buf_fini(&effective);
    if (st == MR_OK)
        st = declare(r, err);
    return st == MR_OK ? mr_runfile_start(r->file, err) : st;
}

mr_status mr_run_record_create(const char *path, bool may_overwrite,
                               const struct mr_scenario *scenario, struct mr_run_record **out,
                               struct mr_err *err)
{
    struct mr_run_record *r = mr_alloc_zero(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return mr_err_nomem(err, sizeof *r);
    r->scenario = scenario;
    const mr_status st = open_file(r, path, may_overwrite, err);
    if (st != MR_OK) {
        mr_run_record_destroy(r);
        return st;
    }
    *out = r;
    return MR_OK;
}

void mr_run_record_destroy(struct mr_run_record *record)
{
    if (record == NULL)
        return;
    mr_runfile_destroy(record->file);
    mr_free(record);
}

mr_status mr_run_record_call(void *record, const struct mr_play_row *row, struct mr_err *err)
{
    return mr_columns_add(((struct mr_run_record *)record)->calls, row, 1, err);
}

/* ---- key figures ---- */

struct figures {
    char path[n_figure_max][n_path_max];
    double value[n_figure_max];
    size_t n;
};

/* Every number below a value of the summary; arrays hold what tiers say themselves. */
static mr_status collect(struct mr_json *r, const char *path, struct figures *f, struct mr_err *err)
{
    enum mr_json_token token;
    MR_TRY(mr_json_peek(r, &token, err));
    if (token == MR_JSON_BEGIN_OBJECT) {
        MR_TRY(mr_json_enter_object(r, err));
        for (;;) {
            struct mr_str key;
            char below[n_path_max];
            bool has_more;
            MR_TRY(mr_json_key(r, &key, &has_more, err));
            if (!has_more)
                return MR_OK;
            snprintf(below, sizeof below, "%s%s%.*s", path, path[0] != '\0' ? "." : "", (int)key.n,
                     key.p);
            MR_TRY(collect(r, below, f, err));
        }
    }
    if (token != MR_JSON_NUMBER || f->n == n_figure_max)
        return mr_json_skip(r, err);
    snprintf(f->path[f->n], sizeof f->path[f->n], "%s", path);
    return mr_json_f64(r, &f->value[f->n++], err);
}

static mr_status put_figures(struct mr_run_record *r, struct mr_str json, struct mr_err *err)
{
    static const struct mr_channel channel = {.name = "value",
                                              .units = "1",
                                              .long_name = "In the unit its path ends with",
                                              .type = MR_CHANNEL_F64};
    struct figures *f = mr_alloc_zero(1, sizeof *f);
    const char **name = mr_alloc(n_figure_max, sizeof *name);
    struct mr_json *reader = NULL;
    bool has_more;
    mr_status st = MR_OK;
    if (f == NULL || name == NULL) {
        mr_free(f);
        mr_free(name);
        return mr_err_nomem(err, sizeof *f);
    }
    st = mr_json_open_memory(json.p, json.n, "summary", NULL, &reader, err);
    if (st == MR_OK)
        st = mr_json_document(reader, &has_more, err);
    if (st == MR_OK)
        st = collect(reader, "", f, err);
    mr_json_close(reader);
    for (size_t i = 0; i < f->n; i++)
        name[i] = f->path[i];
    if (st == MR_OK)
        st = mr_runfile_axis(r->file, "/kpi", "kpi", "Paths in the summary", name, f->n, err);
    if (st == MR_OK)
        st = mr_runfile_put(r->file,
                            &(struct mr_runfile_array){.group = "/kpi",
                                                       .channel = &channel,
                                                       .axis = {"kpi", NULL},
                                                       .n = {f->n, 0},
                                                       .values = f->value},
                            err);
    mr_free(f);
    mr_free(name);
    return st;
}

/* ---- tiers ---- */

static mr_status put_tier(struct mr_run_record *r, const char *name, const char *units,
                          const char *long_name, const double *value, struct mr_err *err)
{
    const struct mr_channel channel = {
        .name = name, .units = units, .long_name = long_name, .type = MR_CHANNEL_F64};
    const struct mr_runfile_array array = {.group = "/tiers",
                                           .channel = &channel,
                                           .axis = {"tier", NULL},
                                           .n = {r->scenario->n_tier, 0},
                                           .values = value};
    return mr_runfile_put(r->file, &array, err);
}

static mr_status put_quantiles(struct mr_run_record *r, const struct mr_play_result *result,
                               const char *what, const char *doc, size_t offset, struct mr_err *err)
{
    static const struct {
        const char *name;
        double q;
    } quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}};
    double value[MR_SCENARIO_TIERS];
    for (size_t k = 0; k < N_OF(quantiles); k++) {
        char name[48], text[96];
        snprintf(name, sizeof name, "%s_%s_s", what, quantiles[k].name);
        snprintf(text, sizeof text, "%s, %s", doc, quantiles[k].name);
        for (size_t i = 0; i < result->n_tier; i++) {
            const void *hist = (const char *)&result->tier[i] + offset;
            value[i] = mr_hist_quantile_s(hist, quantiles[k].q);
        }
        MR_TRY(put_tier(r, name, "s", text, value, err));
    }
    return MR_OK;
}

static mr_status put_tiers(struct mr_run_record *r, const struct mr_play_result *result,
                           struct mr_err *err)
{
    double arrived[MR_SCENARIO_TIERS], finished[MR_SCENARIO_TIERS], tok_s[MR_SCENARIO_TIERS];
    double met[MR_SCENARIO_TIERS];
    for (size_t i = 0; i < result->n_tier; i++) {
        const struct mr_play_tier *tier = &result->tier[i];
        arrived[i] = (double)tier->n_arrived;
        finished[i] = (double)tier->n_finished;
        tok_s[i] = result->sim_s > 0 ? (double)tier->n_output / result->sim_s : 0;
        met[i] = tier->n_arrived > 0 ? (double)tier->n_met / arrived[i] : (double)NAN;
    }
    MR_TRY(put_tier(r, "arrived", "1", "Calls that came", arrived, err));
    MR_TRY(put_tier(r, "finished", "1", "Calls that ended", finished, err));
    MR_TRY(put_tier(r, "tok_s", "s-1", "Output tokens per second", tok_s, err));
    MR_TRY(put_tier(r, "slo_met_frac", "1", "Calls within all objectives", met, err));
    MR_TRY(put_quantiles(r, result, "ttft", "Time to the first token",
                         offsetof(struct mr_play_tier, ttft), err));
    MR_TRY(put_quantiles(r, result, "tpot", "Time per output token",
                         offsetof(struct mr_play_tier, tpot), err));
    return put_quantiles(r, result, "e2e", "Time of the whole call",
                         offsetof(struct mr_play_tier, e2e), err);
}

mr_status mr_run_record_finish(struct mr_run_record *record, const struct mr_play_result *result,
                               struct mr_str json, struct mr_err *err)
{
    MR_TRY(mr_runfile_stop(record->file, err));
    MR_TRY(put_tiers(record, result, err));
    MR_TRY(put_figures(record, json, err));
    MR_TRY(mr_runfile_text(record->file, "/provenance", "summary", "Summary as JSON", json.p, err));
    return mr_runfile_finish(record->file, MR_RUNFILE_COMPLETE, "done", err);
}
