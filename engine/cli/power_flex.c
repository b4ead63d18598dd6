/* SPDX-License-Identifier: Apache-2.0 */
/* /grid/feed has the last change of state at every sample, so what follows at once on something
 * else is not seen there; here every status has a row of its own, periodic ones included. */
#include "engine/cli/power_flex.h"

#include "power/feed.h"

#include <math.h>

// clang-format off
#define FEED_WORD(name, text) text,
static const char *const events[] = {MR_FEED_EVENT_LIST(FEED_WORD)};
static const char *const breaches[] = {MR_FEED_BREACH_LIST(FEED_WORD)};
static const char *const severities[] = {MR_FEED_SEVERITY_LIST(FEED_WORD)};
static const char *const results[] = {MR_FEED_RESULT_LIST(FEED_WORD)};
#undef FEED_WORD
static const char *const phases[] = {
#define PHASE_NAME(name, text, doc) text,
    MR_FEED_PHASE_LIST(PHASE_NAME)
#undef PHASE_NAME
};
static const char *const no_yes[] = {"no", "yes"};

#define N_OF(table) (sizeof(table) / sizeof *(table))
#define WORD(row, field, long_, flags_, dsx_) \
    {.name = #field, .units = "1", .long_name = (long_), .type = MR_CHANNEL_U8, .flag = (flags_), .n_flag = N_OF(flags_), \
     .offset = offsetof(row, field), .dsx = (dsx_)}
#define VALUE(row, field, units_, long_, dsx_) \
    {.name = #field, .units = (units_), .long_name = (long_), .type = MR_CHANNEL_F64, .offset = offsetof(row, field), .dsx = (dsx_)}

struct status_row {
    double t_s, calculated_load_kw, target_kw, power_minimum_kw, power_maximum_kw, default_constraint_kw;
    double target_start_s, target_end_s, load_constraint_kw;
    uint8_t event, phase, in_flight, compliant, best_effort;
};
static const struct mr_channel status_columns[] = {
    VALUE(struct status_row, t_s, "s", "When it was told", NULL),
    WORD(struct status_row, event, "Why it was told", events, "FeedState/event"),
    WORD(struct status_row, phase, "State of the connection", phases, NULL),
    VALUE(struct status_row, calculated_load_kw, "kW", "Drawn at the grid's meter", "FeedState/calculated_load"),
    VALUE(struct status_row, target_kw, "kW", "Target in force; NaN: none", NULL),
    WORD(struct status_row, in_flight, "The budget is on its way to a target, or back", no_yes, "FeedState/in_flight"),
    WORD(struct status_row, compliant, "Load is at or below the constraint", no_yes, "FeedState/compliant"),
    VALUE(struct status_row, power_minimum_kw, "kW", "What the site takes at least", "FeedMetadata/power_minimum"),
    VALUE(struct status_row, power_maximum_kw, "kW", "Limit of the contract; NaN: none", "FeedMetadata/power_maximum"),
    VALUE(struct status_row, default_constraint_kw, "kW", "Constraint without a target; NaN: none", "FeedMetadata/default_constraint"),
    VALUE(struct status_row, target_start_s, "s", "Start of the target that was set, begins, has ended, or is known next; NaN: none", "FeedState/targets"),
    VALUE(struct status_row, target_end_s, "s", "Its end; NaN: until it is released", "FeedState/targets"),
    VALUE(struct status_row, load_constraint_kw, "kW", "What it allows; NaN: released", "FeedState/load_constraint"),
    WORD(struct status_row, best_effort, "It stops nobody, and may not be met", no_yes, "FeedState/best_effort"),
};

struct alert_row {
    double t_s, start_s, end_s, excess_kw;
    uint8_t status, severity, shed_hints, infrastructure_actions, result;
};
static const struct mr_channel alert_columns[] = {
    MR_COLUMN(struct alert_row, t_s, F64, "s", "When it was told"),
    MR_COLUMN(struct alert_row, start_s, F64, "s", "When the breach began"),
    MR_COLUMN(struct alert_row, end_s, F64, "s", "When it ended; NaN: not yet"),
    MR_COLUMN(struct alert_row, excess_kw, F64, "kW", "Load above the target"),
    WORD(struct alert_row, status, "State of the alert", breaches, "powerbreach/status"),
    WORD(struct alert_row, severity, "How far above", severities, "powerbreach/severity"),
    MR_COLUMN(struct alert_row, shed_hints, U8, "1", "Shed hints, by priority: cap and throttle GPUs, then suspend nodes"),
    MR_COLUMN(struct alert_row, infrastructure_actions, U8, "1", "Infrastructure actions: shut nodes, racks, cut data feeds, trip breakers; 0: none"),
    WORD(struct alert_row, result, "What caps and shedding have made of the breach so far", results, NULL),
};

static const struct mr_group own_groups[] = {
    MR_GROUP("/grid/powerstate", "status", status_columns, "Every status of the grid connection"),
    MR_GROUP("/grid/breach", "alert", alert_columns, "Alerts of loads above the target"),
};
const struct mr_group_list mr_power_flex_groups = MR_GROUP_LIST("power, and run with a site", own_groups);
// clang-format on

mr_status mr_power_flex_create(struct mr_runfile *file, struct mr_power_flex *flex,
                               struct mr_err *err)
{
    struct mr_columns_plan told = {.group = "/grid/powerstate",
                                   .axis = "status",
                                   .column = status_columns,
                                   .n_column = N_OF(status_columns),
                                   .row_bytes = sizeof(struct status_row),
                                   .n_guess = MR_COLUMNS_FEW};
    MR_TRY(mr_columns_create(file, &told, &flex->statuses, err));
    told.group = "/grid/breach";
    told.axis = "alert";
    told.column = alert_columns;
    told.n_column = N_OF(alert_columns);
    told.row_bytes = sizeof(struct alert_row);
    return mr_columns_create(file, &told, &flex->alerts, err);
}

static double known(double x)
{
    return isfinite(x) ? x : (double)NAN;
}

static mr_status add_status(struct mr_power_flex *flex, const struct mr_feed_status *status,
                            struct mr_err *err)
{
    const struct status_row row = {.t_s = status->t_s,
                                   .calculated_load_kw = status->calculated_load_w * 1e-3,
                                   .target_kw = known(status->target_w) * 1e-3,
                                   .power_minimum_kw = status->power_minimum_w * 1e-3,
                                   .power_maximum_kw = known(status->power_maximum_w) * 1e-3,
                                   .default_constraint_kw =
                                       known(status->default_constraint_w) * 1e-3,
                                   .target_start_s = status->about.start_s,
                                   .target_end_s = known(status->about.end_s),
                                   .load_constraint_kw = known(status->about.limit_w) * 1e-3,
                                   .event = (uint8_t)status->event,
                                   .phase = (uint8_t)status->phase,
                                   .in_flight = status->in_flight,
                                   .compliant = status->compliant,
                                   .best_effort = status->about.is_best_effort};
    return mr_columns_add(flex->statuses, &row, 1, err);
}

static mr_status add_alert(struct mr_power_flex *flex, const struct mr_feed_alert *alert,
                           double t_s, struct mr_err *err)
{
    const bool is_over = alert->breach == MR_FEED_RESOLVED;
    struct mr_feed_hint hint[3];
    int action[4];
    const bool is_gentle = alert->is_best_effort;
    const double over_w = fmax(alert->load_w - alert->target_w, 0);
    flex->need_w = alert->breach == MR_FEED_ACTIVE ? over_w : flex->need_w;
    const struct alert_row row = {
        .t_s = t_s,
        .start_s = alert->start_s,
        .end_s = is_over ? t_s : (double)NAN,
        .excess_kw = (alert->load_w - alert->target_w) * 1e-3,
        .status = (uint8_t)alert->breach,
        .severity = (uint8_t)alert->severity,
        .shed_hints = (uint8_t)mr_feed_hints(alert->severity, is_gentle, hint),
        .infrastructure_actions =
            (uint8_t)mr_feed_infrastructure(alert->severity, is_gentle, action),
        .result = (uint8_t)mr_feed_result(flex->need_w, over_w)};
    return mr_columns_add(flex->alerts, &row, 1, err);
}

mr_status mr_power_flex_take(struct mr_power_flex *flex, const struct mr_supply *supply, double t_s,
                             struct mr_err *err)
{
    const struct mr_feed_status *status = mr_supply_status(supply);
    const struct mr_feed_alert *alert = mr_supply_alert(supply);
    if (status != NULL)
        MR_TRY(add_status(flex, status, err));
    return alert != NULL ? add_alert(flex, alert, t_s, err) : MR_OK;
}
