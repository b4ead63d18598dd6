/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of a feed. Times at which it moves by itself (start and end of a target, end of
 * a ramp, end of the notice, escalation, the periodic status) are all known; a step plays them in
 * order, then looks at the load.
 * Map: words - parameters - reports - budget - transitions - breaches - steps. */
#include "power/feed.h"

#include "engine/base/assert.h"

#include <math.h>

/* Loads that follow a budget meet it but for rounding of sums. */
static const double slack = 1e-9;

/* ---- words ---- */

#define WORD(name, text) text,
static const char *const event_texts[] = {MR_FEED_EVENT_LIST(WORD)};
static const char *const breach_texts[] = {MR_FEED_BREACH_LIST(WORD)};
static const char *const resource_texts[] = {MR_FEED_RESOURCE_LIST(WORD)};
static const char *const action_texts[] = {MR_FEED_ACTION_LIST(WORD)};
static const char *const infrastructure_texts[] = {MR_FEED_INFRASTRUCTURE_LIST(WORD)};
static const char *const result_texts[] = {MR_FEED_RESULT_LIST(WORD)};
#undef WORD

const char *mr_feed_event_text(int event)
{
    return event_texts[event];
}

const char *mr_feed_breach_text(int breach)
{
    return breach_texts[breach];
}

const char *mr_feed_resource_text(int resource)
{
    return resource_texts[resource];
}

const char *mr_feed_action_text(int action)
{
    return action_texts[action];
}

const char *mr_feed_infrastructure_text(int infrastructure)
{
    return infrastructure_texts[infrastructure];
}

const char *mr_feed_result_text(int result)
{
    return result_texts[result];
}

/* ---- parameters ---- */

// clang-format off
#define P struct mr_feed_params
static const struct mr_param rows[] = {
    MR_PARAM(P, limit_w, "limit", MR_Q_POWER, "1000 GW", 0, 1e12, "What the contract allows to draw; the smaller of this and the layout's holds"),
    MR_PARAM(P, min_w, "minimum", MR_Q_POWER, "0 W", 0, 1e12, "What the site draws at least"),
    MR_PARAM(P, ramp_up_w_s, "ramp_up", MR_Q_RAMP, "1 GW/s", 0, 1e12, "Fastest rise the grid takes; the smaller of this and the layout's holds"),
    MR_PARAM(P, ramp_down_w_s, "ramp_down", MR_Q_RAMP, "1 GW/s", 0, 1e12, "Fastest fall the grid takes; the same"),
    MR_PARAM(P, notice_s, "notice", MR_Q_TIME, "30 s", 0, 86400, "From a target's start to when it must be met"),
    MR_PARAM(P, periodic_s, "status_period", MR_Q_TIME, "100 s", 1, 86400, "Between statuses while a target is known"),
    MR_PARAM(P, critical_frac, "critical", MR_Q_FRACTION, "20 %", 0, 10, "Excess over the target above which a breach is critical"),
    MR_PARAM(P, escalate_s, "escalation", MR_Q_TIME, "60 s", 0, 86400, "A warning that lasts longer is escalated"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"feed", "Connection to the grid.", rows,
                                            sizeof rows / sizeof *rows};

const struct mr_param_table *mr_feed_table(void)
{
    return &table;
}

void mr_feed_defaults(struct mr_feed_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    *params = (struct mr_feed_params){0};
    mr_param_defaults(&(struct mr_param_target){&table, params, origin, NULL, NULL});
}

mr_status mr_feed_check(const struct mr_feed_params *params, const char *name, struct mr_err *err)
{
    if (params->limit_w == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: contract of 0 W: nothing could be drawn (a larger contract)", name);
    if (params->limit_w < params->min_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: contract of %g W: the site draws %g W at least (a larger contract, "
                          "or fewer racks)",
                          name, params->limit_w, params->min_w);
    if (params->ramp_up_w_s == 0 || params->ramp_down_w_s == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: ramp limit 0 W/s: the load could never change", name);
    return MR_OK;
}

/* ---- reports ---- */

double mr_feed_constraint_w(const struct mr_feed_params *params, const struct mr_feed *feed)
{
    return feed->is_active ? fmin(feed->target[0].limit_w, params->limit_w) : params->limit_w;
}

bool mr_feed_is_compliant(const struct mr_feed_params *params, const struct mr_feed *feed)
{
    return feed->load_w <= mr_feed_constraint_w(params, feed) * (1 + slack);
}

/* @param[in] about NULL: the first target that is known, if any */
static void emit(const struct mr_feed_params *params, struct mr_feed *feed,
                 enum mr_feed_event event, const struct mr_feed_target *about)
{
    const double unknown = (double)NAN;
    const struct mr_feed_target none = {unknown, unknown, unknown, false};
    if (about == NULL)
        about = feed->n_target > 0 ? &feed->target[0] : &none;
    if (feed->n_status == MR_FEED_QUEUE) {
        feed->n_lost++;
        return;
    }
    feed->status[feed->n_status++] = (struct mr_feed_status){
        .t_s = feed->t_s,
        .event = (int)event,
        .phase = feed->phase,
        .calculated_load_w = feed->load_w,
        .power_minimum_w = params->min_w,
        .power_maximum_w = params->limit_w,
        .default_constraint_w = params->limit_w,
        .target_w = feed->is_active ? feed->target[0].limit_w : (double)INFINITY,
        .in_flight = feed->phase == MR_FEED_RAMPING_DOWN || feed->phase == MR_FEED_RAMPING_UP,
        .compliant = mr_feed_is_compliant(params, feed),
        .about = *about,
    };
}

/* The contract has no notice: only targets give time. */
static double notice_end_s(const struct mr_feed_params *params, const struct mr_feed *feed)
{
    return feed->is_active ? feed->target[0].start_s + params->notice_s : -(double)INFINITY;
}

/* What the load is held against: until the notice of a target is over, what was before it. */
static double judged_w(const struct mr_feed_params *params, const struct mr_feed *feed)
{
    const double w = mr_feed_constraint_w(params, feed);
    return feed->t_s < notice_end_s(params, feed) ? fmax(w, feed->before_w) : w;
}

static void alert(const struct mr_feed_params *params, struct mr_feed *feed,
                  enum mr_feed_breach breach)
{
    if (feed->n_alert == MR_FEED_QUEUE) {
        feed->n_lost++;
        return;
    }
    feed->alert[feed->n_alert++] = (struct mr_feed_alert){
        .t_s = feed->t_s,
        .start_s = feed->breach_s,
        .breach = (int)breach,
        .severity = feed->severity,
        .load_w = feed->load_w,
        .target_w = judged_w(params, feed),
        .is_best_effort = feed->is_active && feed->target[0].is_best_effort,
    };
}

/* ---- budget ---- */

double mr_feed_budget_w(const struct mr_feed *feed, double t_s)
{
    const double w = feed->line_w + feed->slope_w_s * (t_s - feed->line_s);
    return feed->slope_w_s < 0   ? fmax(w, feed->line_to_w)
           : feed->slope_w_s > 0 ? fmin(w, feed->line_to_w)
                                 : feed->line_w;
}

static const struct mr_feed_target *next_target(const struct mr_feed *feed)
{
    const uint32_t i = feed->is_active ? 1 : 0;
    return i < feed->n_target ? &feed->target[i] : NULL;
}

double mr_feed_next_target_s(const struct mr_feed *feed)
{
    const struct mr_feed_target *target = next_target(feed);
    return target != NULL ? target->start_s : (double)INFINITY;
}

bool mr_feed_is_best_effort(const struct mr_feed *feed, double until_s)
{
    if (feed->is_back)
        return true;
    for (uint32_t i = 0; i < feed->n_target; i++)
        if (feed->target[i].is_best_effort && feed->target[i].start_s <= until_s)
            return true;
    return false;
}

/* @param[in] is_hard targets of best effort do not count */
static double least_w(const struct mr_feed_params *params, const struct mr_feed *feed,
                      double until_s, bool is_hard)
{
    const bool is_soft = feed->is_active && feed->target[0].is_best_effort;
    double w = fmin(mr_feed_budget_w(feed, feed->t_s), mr_feed_budget_w(feed, until_s));
    if (is_hard && (is_soft || feed->is_back))
        w = is_soft ? params->limit_w : mr_feed_constraint_w(params, feed);
    for (uint32_t i = feed->is_active ? 1 : 0; i < feed->n_target; i++) {
        const struct mr_feed_target *target = &feed->target[i];
        if (target->start_s > until_s || (is_hard && target->is_best_effort))
            continue;
        const double ramp_s = until_s - target->start_s; /* from the load, as the ramp will begin */
        w = fmin(w, fmax(target->limit_w, feed->load_w - params->ramp_down_w_s * ramp_s));
    }
    return w;
}

double mr_feed_least_budget_w(const struct mr_feed_params *params, const struct mr_feed *feed,
                              double until_s)
{
    return least_w(params, feed, until_s, false);
}

double mr_feed_hard_budget_w(const struct mr_feed_params *params, const struct mr_feed *feed,
                             double until_s)
{
    return least_w(params, feed, until_s, true);
}

static void head_for(const struct mr_feed_params *params, struct mr_feed *feed, double from_w,
                     double to_w)
{
    feed->line_s = feed->t_s;
    feed->line_w = from_w;
    feed->line_to_w = to_w;
    feed->slope_w_s = to_w > from_w   ? params->ramp_up_w_s
                      : to_w < from_w ? -params->ramp_down_w_s
                                      : 0;
}

/* Nothing to rise by takes no time. */
static double line_end_s(const struct mr_feed *feed)
{
    if (feed->slope_w_s != 0)
        return feed->line_s + (feed->line_to_w - feed->line_w) / feed->slope_w_s;
    return feed->phase == MR_FEED_RAMPING_UP ? feed->line_s : (double)INFINITY;
}

/* ---- transitions ---- */

static void settle(struct mr_feed *feed)
{
    feed->phase = feed->n_target > 0 ? MR_FEED_SCHEDULED : MR_FEED_IDLE;
}

/* What a ramp begins at: the budget, or the load where that has not followed it. */
static double from_w(const struct mr_feed_params *params, const struct mr_feed *feed)
{
    return fmax(mr_feed_budget_w(feed, feed->t_s), fmin(feed->load_w, params->limit_w));
}

/* No higher than the load: a budget above it would fall for nothing. */
static void begin(const struct mr_feed_params *params, struct mr_feed *feed, double before_w)
{
    feed->is_active = true;
    feed->is_back = false;
    feed->before_w = before_w;
    const double to_w = mr_feed_constraint_w(params, feed);
    head_for(params, feed, fmin(from_w(params, feed), fmax(feed->load_w, to_w)), to_w);
    feed->phase = MR_FEED_RAMPING_DOWN;
    emit(params, feed, MR_FEED_START_RAMP_DOWN, NULL);
}

/* Of the one in force there is another at once: tightened, or relaxed. */
static void follow(const struct mr_feed_params *params, struct mr_feed *feed, double before_w)
{
    const double now_w = from_w(params, feed), to_w = mr_feed_constraint_w(params, feed);
    if (to_w < now_w || !mr_feed_is_compliant(params, feed)) {
        begin(params, feed, before_w);
        return;
    }
    feed->before_w = before_w;
    feed->phase = MR_FEED_RAMPING_UP;
    head_for(params, feed, now_w, to_w);
    emit(params, feed, MR_FEED_START_RAMP_UP, NULL);
}

static void end(const struct mr_feed_params *params, struct mr_feed *feed)
{
    const struct mr_feed_target over = feed->target[0];
    const double before_w = judged_w(params, feed);
    feed->is_back = over.is_best_effort;
    memmove(feed->target, feed->target + 1, --feed->n_target * sizeof *feed->target);
    if (feed->n_target > 0 && feed->target[0].start_s <= feed->t_s) {
        follow(params, feed, before_w);
        return;
    }
    feed->is_active = false;
    feed->phase = MR_FEED_RAMPING_UP;
    head_for(params, feed, from_w(params, feed), params->limit_w);
    emit(params, feed, MR_FEED_START_RAMP_UP, &over);
}

/* The line has arrived. */
static void arrive(const struct mr_feed_params *params, struct mr_feed *feed)
{
    feed->line_w = feed->line_to_w;
    feed->line_s = feed->t_s;
    feed->slope_w_s = 0;
    feed->is_back = false;
    if (feed->phase != MR_FEED_RAMPING_UP)
        return;
    if (feed->is_active)
        feed->phase = MR_FEED_HOLDING;
    else
        settle(feed);
    emit(params, feed, MR_FEED_END_RAMP_UP, NULL);
}

/* ---- breaches ---- */

static void watch(const struct mr_feed_params *params, struct mr_feed *feed)
{
    const double limit_w = judged_w(params, feed), over = feed->load_w / limit_w - 1;
    const bool is_over = feed->load_w > limit_w * (1 + slack);
    const int severity = over > params->critical_frac ? MR_FEED_CRITICAL : MR_FEED_WARNING;
    if (is_over && !feed->is_breached) {
        feed->is_breached = true;
        feed->is_escalated = false;
        feed->severity = severity;
        feed->breach_s = feed->t_s;
        alert(params, feed, MR_FEED_ACTIVE);
    } else if (is_over) {
        const bool is_worse = severity > feed->severity;
        const bool is_long = feed->t_s >= feed->breach_s + params->escalate_s;
        feed->severity = severity;
        if (is_worse || (is_long && !feed->is_escalated)) {
            feed->is_escalated = true;
            alert(params, feed, MR_FEED_ESCALATED);
        }
    } else if (feed->is_breached) {
        alert(params, feed, MR_FEED_RESOLVED);
        feed->is_breached = false;
    }
}

static void look(const struct mr_feed_params *params, struct mr_feed *feed)
{
    if (feed->phase == MR_FEED_RAMPING_DOWN && mr_feed_is_compliant(params, feed)) {
        feed->phase = MR_FEED_HOLDING;
        emit(params, feed, MR_FEED_END_RAMP_DOWN, NULL);
    }
    watch(params, feed);
}

/* ---- steps ---- */

void mr_feed_start(const struct mr_feed_params *params, double t_s, double load_w,
                   struct mr_feed *feed)
{
    *feed = (struct mr_feed){.t_s = t_s, .load_w = load_w, .next_periodic_s = (double)INFINITY};
    feed->line_w = feed->line_to_w = feed->before_w = params->limit_w;
    watch(params, feed);
}

/* What is left of the targets known when another holds from start_s to end_s. The one in force ends
 * by itself, at start_s at the latest. @return how many */
static uint32_t clear(const struct mr_feed *feed, double start_s, double end_s,
                      struct mr_feed_target left[MR_FEED_TARGETS + 1])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < feed->n_target; i++) {
        struct mr_feed_target head = feed->target[i], tail = head;
        head.end_s = fmin(head.end_s, start_s);
        tail.start_s = fmax(tail.start_s, end_s);
        if (head.start_s < head.end_s || (i == 0 && feed->is_active))
            left[n++] = head;
        if (tail.start_s < tail.end_s)
            left[n++] = tail;
    }
    return n;
}

static mr_status check_target(const struct mr_feed *feed, const struct mr_feed_target *target,
                              struct mr_err *err)
{
    if (!(target->start_s >= feed->t_s && target->end_s > target->start_s))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "load target from %g s to %g s: must lie ahead of %g s and have a length",
                          target->start_s, target->end_s, feed->t_s);
    if (!(target->limit_w >= 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "load target of %g W: must be 0 W or more",
                          target->limit_w);
    return MR_OK;
}

mr_status mr_feed_set(const struct mr_feed_params *params, struct mr_feed *feed,
                      const struct mr_feed_target *target, struct mr_err *err)
{
    struct mr_feed_target left[MR_FEED_TARGETS + 2];
    MR_TRY(check_target(feed, target, err));
    uint32_t n = clear(feed, target->start_s, target->end_s, left);
    if (isfinite(target->limit_w)) {
        uint32_t at = 0; /* behind what begins before it, and the one in force */
        while (at < n && (left[at].start_s < target->start_s || (at == 0 && feed->is_active)))
            at++;
        memmove(left + at + 1, left + at, (n++ - at) * sizeof *left);
        left[at] = *target;
    }
    if (n > MR_FEED_TARGETS)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "more than %d load targets on one feed",
                          MR_FEED_TARGETS);
    memcpy(feed->target, left, n * sizeof *left);
    feed->n_target = n;
    if (feed->phase == MR_FEED_IDLE || feed->phase == MR_FEED_SCHEDULED)
        settle(feed);
    if (n > 0 && feed->next_periodic_s == (double)INFINITY)
        feed->next_periodic_s = feed->t_s + params->periodic_s;
    emit(params, feed, MR_FEED_TARGET_SET, target);
    return MR_OK;
}

mr_status mr_feed_deepen(const struct mr_feed_params *params, struct mr_feed *feed,
                         const struct mr_feed_target *target, struct mr_err *err)
{
    struct mr_feed_target known[MR_FEED_TARGETS], piece = *target;
    const uint32_t n = feed->n_target;
    memcpy(known, feed->target, n * sizeof *known);
    for (uint32_t i = 0; i < n; i++) {
        if (known[i].limit_w > target->limit_w || known[i].end_s <= piece.start_s)
            continue;
        piece.end_s = fmin(known[i].start_s, target->end_s);
        if (piece.start_s < piece.end_s)
            MR_TRY(mr_feed_set(params, feed, &piece, err));
        piece.start_s = known[i].end_s;
    }
    piece.end_s = target->end_s;
    return piece.start_s < piece.end_s ? mr_feed_set(params, feed, &piece, err) : MR_OK;
}

/* When it moves by itself, whatever the load. */
static double next_move_s(const struct mr_feed *feed)
{
    double next_s = fmin(line_end_s(feed), feed->next_periodic_s);
    if (feed->n_target > 0)
        next_s = fmin(next_s, feed->is_active ? feed->target[0].end_s : feed->target[0].start_s);
    return next_s;
}

double mr_feed_next_s(const struct mr_feed_params *params, const struct mr_feed *feed)
{
    double next_s = next_move_s(feed);
    const double notice_s = notice_end_s(params, feed);
    if (feed->t_s < notice_s && !mr_feed_is_compliant(params, feed))
        next_s = fmin(next_s, notice_s);
    if (feed->is_breached && !feed->is_escalated)
        next_s = fmin(next_s, feed->breach_s + params->escalate_s);
    return fmax(next_s, feed->t_s);
}

static void move(const struct mr_feed_params *params, struct mr_feed *feed)
{
    const double t_s = feed->t_s;
    if (line_end_s(feed) <= t_s)
        arrive(params, feed);
    if (feed->is_active && feed->target[0].end_s <= t_s)
        end(params, feed);
    if (!feed->is_active && feed->n_target > 0 && feed->target[0].start_s <= t_s)
        begin(params, feed, params->limit_w);
}

static void report(const struct mr_feed_params *params, struct mr_feed *feed)
{
    if (feed->next_periodic_s > feed->t_s)
        return;
    if (feed->n_target > 0)
        emit(params, feed, MR_FEED_PERIODIC, NULL);
    feed->next_periodic_s =
        feed->n_target > 0 ? feed->next_periodic_s + params->periodic_s : (double)INFINITY;
}

/* What is due at the very end is not judged here: the load of that date is not known yet. */
void mr_feed_advance(const struct mr_feed_params *params, struct mr_feed *feed, double t_s)
{
    MR_ASSERT(t_s >= feed->t_s);
    for (;;) {
        const double next_s = mr_feed_next_s(params, feed);
        const bool is_before = next_s < t_s;
        if (!is_before && next_move_s(feed) > t_s)
            break;
        feed->t_s = is_before ? next_s : t_s;
        move(params, feed);
        if (is_before)
            look(params, feed);
        report(params, feed);
    }
    feed->t_s = t_s;
}

void mr_feed_load(const struct mr_feed_params *params, struct mr_feed *feed, double load_w)
{
    feed->load_w = load_w;
    look(params, feed);
}

void mr_feed_step(const struct mr_feed_params *params, struct mr_feed *feed, double t_s,
                  double load_w)
{
    mr_feed_advance(params, feed, t_s);
    mr_feed_load(params, feed, load_w);
}

/* ---- what to do about a breach ---- */

int mr_feed_hints(int severity, bool is_best_effort, struct mr_feed_hint hint[3])
{
    hint[0] = (struct mr_feed_hint){MR_FEED_GPU, MR_FEED_POWER_CAP, 1};
    hint[1] = (struct mr_feed_hint){MR_FEED_GPU, MR_FEED_THROTTLE, 2};
    hint[2] = (struct mr_feed_hint){MR_FEED_NODE, MR_FEED_SUSPEND, 3};
    return severity == MR_FEED_CRITICAL && !is_best_effort ? 3 : 2;
}

int mr_feed_infrastructure(int severity, bool is_best_effort, int action[4])
{
    if (severity != MR_FEED_CRITICAL || is_best_effort)
        return 0;
    for (int i = 0; i < 4; i++)
        action[i] = i;
    return 4;
}

int mr_feed_result(double need_w, double unmet_w)
{
    return unmet_w <= need_w * slack ? MR_FEED_SUCCESS
           : unmet_w < need_w        ? MR_FEED_PARTIAL
                                     : MR_FEED_ERROR;
}
