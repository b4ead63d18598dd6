/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to the grid: what may be drawn now, what the grid asks for, and whether it gets
 * it. Words of statuses, alerts and actions are those of the DSX Flex interface 1.7.0 (load targets
 * in, power states and breach alerts out); carrying them over its bus is not done here.
 *
 *   idle -set-> scheduled -start-> ramping_down -load <= target-> holding -end-> ramping_up -> idle
 *
 * What is set last holds from its start to its end; of earlier targets that part is dropped. So one
 * in force is deepened, relaxed and released. The feed says a budget (constant or a ramp); caps and
 * shedding are others' work. A target that is still exceeded `notice` after its start is a breach
 * (warning up to 20 % over, critical above); until then what was asked before it counts. */
#ifndef MR_POWER_FEED_H
#define MR_POWER_FEED_H

#include "engine/base/param.h"

#define MR_FEED_PHASE_LIST(X)                                        \
    X(IDLE, "idle", "the contract's limit holds")                    \
    X(SCHEDULED, "scheduled", "a target is known, not yet in force") \
    X(RAMPING_DOWN, "ramping_down", "in force, load not yet there")  \
    X(HOLDING, "holding", "load has been at or below the target")    \
    X(RAMPING_UP, "ramping_up", "over, the budget returns")

/* `event` of grid.powerstate.status.v1 */
#define MR_FEED_EVENT_LIST(X)             \
    X(TARGET_SET, "target_set")           \
    X(START_RAMP_DOWN, "start_ramp_down") \
    X(END_RAMP_DOWN, "end_ramp_down")     \
    X(START_RAMP_UP, "start_ramp_up")     \
    X(END_RAMP_UP, "end_ramp_up")         \
    X(PERIODIC, "periodic")

/* of grid.powerbreach.alert.v1 */
#define MR_FEED_BREACH_LIST(X) \
    X(ACTIVE, "active")        \
    X(ESCALATED, "escalated")  \
    X(RESOLVED, "resolved")

#define MR_FEED_SEVERITY_LIST(X) \
    X(WARNING, "warning")        \
    X(CRITICAL, "critical")

#define MR_FEED_RESOURCE_LIST(X) \
    X(NODE, "node")              \
    X(GPU, "gpu")                \
    X(CHASSIS, "chassis")

#define MR_FEED_ACTION_LIST(X) \
    X(POWER_CAP, "power_cap")  \
    X(THROTTLE, "throttle")    \
    X(SUSPEND, "suspend")

#define MR_FEED_INFRASTRUCTURE_LIST(X)  \
    X(SHUTDOWN_NODES, "SHUTDOWN_NODES") \
    X(SHUTDOWN_RACKS, "SHUTDOWN_RACKS") \
    X(CUT_DATA_FEEDS, "CUT_DATA_FEEDS") \
    X(TRIP_BREAKERS, "TRIP_BREAKERS")

/* of grid.powerbreach.enforcement.v1 */
#define MR_FEED_RESULT_LIST(X) \
    X(SUCCESS, "success")      \
    X(PARTIAL, "partial")      \
    X(ERROR, "error")

enum mr_feed_phase {
#define MR_FEED_PHASE_ENUM(name, text, doc) MR_FEED_##name,
    MR_FEED_PHASE_LIST(MR_FEED_PHASE_ENUM)
#undef MR_FEED_PHASE_ENUM
};

#define MR_FEED_WORD_ENUM(name, text) MR_FEED_##name,
enum mr_feed_event {
    MR_FEED_EVENT_LIST(MR_FEED_WORD_ENUM)
};
enum mr_feed_breach {
    MR_FEED_BREACH_LIST(MR_FEED_WORD_ENUM)
};
enum mr_feed_severity {
    MR_FEED_SEVERITY_LIST(MR_FEED_WORD_ENUM)
};
enum mr_feed_resource {
    MR_FEED_RESOURCE_LIST(MR_FEED_WORD_ENUM)
};
enum mr_feed_action {
    MR_FEED_ACTION_LIST(MR_FEED_WORD_ENUM)
};
enum mr_feed_infrastructure {
    MR_FEED_INFRASTRUCTURE_LIST(MR_FEED_WORD_ENUM)
};
enum mr_feed_result {
    MR_FEED_RESULT_LIST(MR_FEED_WORD_ENUM)
};
#undef MR_FEED_WORD_ENUM

/* Static texts. */
const char *mr_feed_event_text(int event);
const char *mr_feed_breach_text(int breach);
const char *mr_feed_resource_text(int resource);
const char *mr_feed_action_text(int action);
const char *mr_feed_infrastructure_text(int infrastructure);
const char *mr_feed_result_text(int result);

struct mr_feed_params {
    double limit_w, min_w; /* contract; least the site draws */
    double ramp_up_w_s, ramp_down_w_s;
    double notice_s;      /* from a target's start to when it must be met */
    double periodic_s;    /* between statuses while a target is known */
    double critical_frac; /* over the target */
    double escalate_s;    /* a warning that lasts so long is escalated */
};

const struct mr_param_table *mr_feed_table(void);
void mr_feed_defaults(struct mr_feed_params *params);
MR_CHECKED mr_status mr_feed_check(const struct mr_feed_params *params, const char *name,
                                   struct mr_err *err);

struct mr_feed_target {
    double start_s, end_s; /* end INFINITY: until replaced or released */
    double limit_w;        /* load_constraint; INFINITY: null, which releases */
    bool is_best_effort;   /* shed only what stops nothing; may stay above */
};

/* FeedState of a status. */
struct mr_feed_status {
    double t_s;
    int event; /* enum mr_feed_event */
    int phase;
    double calculated_load_w, power_minimum_w, power_maximum_w, default_constraint_w;
    double target_w; /* in force; INFINITY: none */
    bool in_flight, compliant;
    struct mr_feed_target about; /* set, begun, ended, or the next one known; start NAN: none */
};

struct mr_feed_alert {
    double t_s, start_s;
    int breach, severity; /* enum mr_feed_breach, mr_feed_severity */
    double load_w, target_w;
    bool is_best_effort; /* of the target */
};

enum {
    MR_FEED_TARGETS = 16, /* known at a time */
    MR_FEED_QUEUE = 64    /* statuses and alerts not yet taken */
};

struct mr_feed {
    double t_s, load_w;
    int phase;                                     /* enum mr_feed_phase */
    double line_s, line_w, slope_w_s, line_to_w;   /* the budget: from here, so fast, up to there */
    struct mr_feed_target target[MR_FEED_TARGETS]; /* by start; the first may be in force */
    uint32_t n_target;
    bool is_active;
    bool is_back;    /* the budget comes back from a target of best effort: nobody stops for that */
    double before_w; /* what the load is held against while the notice of a target lasts */
    double next_periodic_s;
    bool is_breached, is_escalated;
    int severity;
    double breach_s;
    /* written here in order of time; whoever reads them sets the counts to 0. When a queue is full
     * the oldest entries stay and n_lost counts. */
    struct mr_feed_status status[MR_FEED_QUEUE];
    struct mr_feed_alert alert[MR_FEED_QUEUE];
    uint32_t n_status, n_alert, n_lost;
};

void mr_feed_start(const struct mr_feed_params *params, double t_s, double load_w,
                   struct mr_feed *feed);

/** grid.loadtarget.set. Refused when it lies in the past, or makes too many; nothing changes then.
 */
MR_CHECKED mr_status mr_feed_set(const struct mr_feed_params *params, struct mr_feed *feed,
                                 const struct mr_feed_target *target, struct mr_err *err);

/** The same beside what is known: only where that leaves more. In pieces, one for each gap. */
MR_CHECKED mr_status mr_feed_deepen(const struct mr_feed_params *params, struct mr_feed *feed,
                                    const struct mr_feed_target *target, struct mr_err *err);

/** To a later time with the load as it was. Whoever follows the budget acts then, and says what the
 *  load has become: only that is judged at t_s. */
void mr_feed_advance(const struct mr_feed_params *params, struct mr_feed *feed, double t_s);
void mr_feed_load(const struct mr_feed_params *params, struct mr_feed *feed, double load_w);

/** Both. */
void mr_feed_step(const struct mr_feed_params *params, struct mr_feed *feed, double t_s,
                  double load_w);

/** When something happens next if the load stays. @return INFINITY: nothing */
double mr_feed_next_s(const struct mr_feed_params *params, const struct mr_feed *feed);

/** What may be drawn at the feed's present time or a bit later (before mr_feed_next_s). */
double mr_feed_budget_w(const struct mr_feed *feed, double t_s);

/** The least of it from now to a date, with targets that begin by then; the same without those of
 *  best effort, which stop nobody; when the next one begins (INFINITY: none is known). */
double mr_feed_least_budget_w(const struct mr_feed_params *params, const struct mr_feed *feed,
                              double until_s);
double mr_feed_hard_budget_w(const struct mr_feed_params *params, const struct mr_feed *feed,
                             double until_s);
double mr_feed_next_target_s(const struct mr_feed *feed);

/** Is a target in force, or will one be by then, that stops nobody? */
bool mr_feed_is_best_effort(const struct mr_feed *feed, double until_s);

/** The constraint in force: the target's or the contract's. */
double mr_feed_constraint_w(const struct mr_feed_params *params, const struct mr_feed *feed);
bool mr_feed_is_compliant(const struct mr_feed_params *params, const struct mr_feed *feed);

/* ---- what to do about a breach ---- */

struct mr_feed_hint {
    int resource, action; /* enum mr_feed_resource, mr_feed_action */
    int priority;         /* 1 first */
};

/** shed_hints of an alert. @param[out] hint up to 3 @return how many */
int mr_feed_hints(int severity, bool is_best_effort, struct mr_feed_hint hint[3]);

/** infrastructure_actions of a critical alert that caps and suspending do not answer, mildest
 *  first. @return how many */
int mr_feed_infrastructure(int severity, bool is_best_effort, int action[4]);

/** enum mr_feed_result of shedding. */
int mr_feed_result(double need_w, double unmet_w);

#endif
