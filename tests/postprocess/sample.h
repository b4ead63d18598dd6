/* SPDX-License-Identifier: Apache-2.0 */
/* A result file with a little of everything, for the tests of postprocess. */
#ifndef MR_TESTS_POSTPROCESS_SAMPLE_H
#define MR_TESTS_POSTPROCESS_SAMPLE_H

#include "engine/record/columns.h"
#include "engine/record/track.h"
#include "tests/test.h"

enum {
    SAMPLE_RACKS = 12,
    SAMPLE_ROWS = 50,
    SAMPLE_CALLS = 200
};

struct sample_call {
    double arrived_s, scheduled_s, first_token_s, finished_s;
    uint32_t session, output;
    uint8_t tier;
};

struct sample_event {
    double t_s, value, limit;
    uint32_t entity;
    uint8_t kind;
};

static inline double sample_power_kw(size_t row, size_t rack)
{
    return 100 + 3.0 * (double)rack + (double)(row % 7);
}

static const char *const sample_kinds[] = {"quiet", "too_hot"};

static const struct mr_channel sample_racks[] = {
    {.name = "power_kw",
     .units = "kW",
     .long_name = "Power of the rack",
     .type = MR_CHANNEL_F64,
     .dsx = "Rack/RackPower"},
    {.name = "throttled_gpus",
     .units = "1",
     .long_name = "Packages that draw less than asked for",
     .type = MR_CHANNEL_U32},
};
static const struct mr_channel sample_calls[] = {
    MR_COLUMN(struct sample_call, arrived_s, F64, "s", "Arrival"),
    MR_COLUMN(struct sample_call, scheduled_s, F64, "s", "Start"),
    MR_COLUMN(struct sample_call, first_token_s, F64, "s", "First token"),
    MR_COLUMN(struct sample_call, finished_s, F64, "s", "End"),
    MR_COLUMN(struct sample_call, session, U32, "1", "Session"),
    MR_COLUMN(struct sample_call, output, U32, "1", "Tokens"),
    MR_COLUMN(struct sample_call, tier, U8, "1", "Tier"),
};
static const struct mr_channel sample_events[] = {
    MR_COLUMN(struct sample_event, t_s, F64, "s", "Date"),
    {.name = "kind",
     .units = "1",
     .long_name = "What",
     .type = MR_CHANNEL_U8,
     .flag = sample_kinds,
     .n_flag = 2,
     .offset = offsetof(struct sample_event, kind)},
    MR_COLUMN(struct sample_event, entity, U32, "1", "Whom"),
    MR_COLUMN(struct sample_event, value, F64, "1", "Value"),
    MR_COLUMN(struct sample_event, limit, F64, "1", "Limit"),
};

static const char sample_json[] =
    "{\"schema\":1,\"scenario\":\"sample\",\"seed\":3,\"sim_s\":50,\"tok_s\":{\"output\":400,"
    "\"output_per_user_p50\":80},\"tok_s_per_mw\":300000,\"ttft_s\":{\"p50\":0.1,\"p99\":0.5},"
    "\"power\":{\"site_mw_mean\":1.2,\"site_mw_peak\":1.4,\"feed_limit_mw\":2,\"pue\":1.1},"
    "\"tiers\":[{\"name\":\"gold\",\"tok_s\":300,\"slo_met_frac\":0.99,\"revenue_usd_h\":12},"
    "{\"name\":\"free\",\"tok_s\":100,\"slo_met_frac\":0.5,\"revenue_usd_h\":0}],"
    "\"violations\":[{\"what\":\"ramp\",\"where\":\"feed <A&B>\",\"count\":2,\"first_s\":7}],"
    "\"engine\":{\"requests_per_s\":1000000,\"events\":123}}\n";

struct sample_file {
    struct mr_runfile *file;
    struct mr_track *racks;
    struct mr_columns *calls, *events;
};

static inline mr_status sample_declare(struct sample_file *s, struct mr_err *err)
{
    static char text[SAMPLE_RACKS][24];
    static const char *const tiers[] = {"gold", "free"};
    const char *name[SAMPLE_RACKS];
    for (size_t i = 0; i < SAMPLE_RACKS; i++) {
        (void)snprintf(text[i], sizeof text[i], "H0.R%zu.K%zu", i / 4, i % 4);
        name[i] = text[i];
    }
    const struct mr_track_plan racks = {"/racks",     "rack", "Racks",      name,
                                        SAMPLE_RACKS, 1,      sample_racks, 2};
    const struct mr_columns_plan calls = {.group = "/requests",
                                          .axis = "request",
                                          .column = sample_calls,
                                          .n_column = 7,
                                          .row_bytes = sizeof(struct sample_call)};
    const struct mr_columns_plan events = {.group = "/events",
                                           .axis = "event",
                                           .column = sample_events,
                                           .n_column = 5,
                                           .row_bytes = sizeof(struct sample_event)};
    MR_TRY(mr_runfile_attr_text(s->file, "/", "title", "sample", err));
    MR_TRY(mr_runfile_attr_u64(s->file, "/provenance", "seed", 3, err));
    MR_TRY(mr_runfile_axis(s->file, "/tiers", "tier", "Tiers", tiers, 2, err));
    MR_TRY(mr_track_create(s->file, &racks, &s->racks, err));
    MR_TRY(mr_columns_create(s->file, &calls, &s->calls, err));
    MR_TRY(mr_columns_create(s->file, &events, &s->events, err));
    return mr_runfile_start(s->file, err);
}

static inline mr_status sample_fill(struct sample_file *s, double scale, struct mr_err *err)
{
    for (size_t row = 0; row < SAMPLE_ROWS; row++) {
        double power[SAMPLE_RACKS];
        uint32_t throttled[SAMPLE_RACKS];
        const void *const value[] = {power, throttled};
        for (size_t i = 0; i < SAMPLE_RACKS; i++) {
            power[i] = scale * sample_power_kw(row, i);
            throttled[i] = i == 5 && row > 40 ? 2 : 0;
        }
        MR_TRY(mr_track_row(s->racks, (double)row, value, err));
    }
    for (uint32_t i = 0; i < SAMPLE_CALLS; i++) {
        const double at_s = 0.25 * i;
        const struct sample_call call = {at_s,   at_s + 0.1, at_s + 0.3,      at_s + 2.3,
                                         i % 40, 101,        (uint8_t)(i % 2)};
        MR_TRY(mr_columns_add(s->calls, &call, 1, err));
    }
    for (uint32_t i = 0; i < 4; i++) {
        const struct sample_event event = {40.0 + i, 90, 85, 5, 1};
        MR_TRY(mr_columns_add(s->events, &event, 1, err));
    }
    return MR_OK;
}

static inline mr_status sample_figures(struct sample_file *s, struct mr_err *err)
{
    static const char *const name[] = {"tok_s.output", "energy.extra_j"};
    static const char *const unit[] = {"tok/s", "J"};
    static const double value[] = {400, 7};
    static const struct mr_channel value_channel = {
        .name = "value", .units = "1", .long_name = "Value", .type = MR_CHANNEL_F64};
    static const struct mr_channel unit_channel = {
        .name = "unit", .units = "1", .long_name = "Unit", .type = MR_CHANNEL_U8};
    const struct mr_runfile_array values = {
        .group = "/kpi", .channel = &value_channel, .axis = {"kpi"}, .n = {2}, .values = value};
    const struct mr_runfile_array units = {
        .group = "/kpi", .channel = &unit_channel, .axis = {"kpi"}, .n = {2}, .texts = unit};
    MR_TRY(mr_runfile_axis(s->file, "/kpi", "kpi", "Figures", name, 2, err));
    MR_TRY(mr_runfile_put(s->file, &values, err));
    MR_TRY(mr_runfile_put(s->file, &units, err));
    return mr_runfile_text(s->file, "/provenance", "summary", "Summary", sample_json, err);
}

/** A finished file, or one left as PATH.part. @param[in] scale of powers */
static inline void sample_write(const char *path, double scale, bool is_finished)
{
    struct mr_runfile_options options = mr_runfile_options_default();
    struct sample_file s = {0};
    struct mr_err err = {0};
    options.may_overwrite = true;
    mr_status st = mr_runfile_create(path, &options, &s.file, &err);
    if (st == MR_OK)
        st = sample_declare(&s, &err);
    if (st == MR_OK)
        st = sample_fill(&s, scale, &err);
    if (st == MR_OK && is_finished) {
        st = mr_runfile_stop(s.file, &err);
        if (st == MR_OK)
            st = sample_figures(&s, &err);
        if (st == MR_OK)
            st = mr_runfile_finish(s.file, MR_RUNFILE_COMPLETE, "done", &err);
    }
    mr_runfile_destroy(s.file);
    if (st != MR_OK)
        fail_msg("%s: %s", path, err.text);
}

#endif
