/* SPDX-License-Identifier: Apache-2.0 */
/* Which sessions begin, and when. Four modes:
 *
 *   open      every session once, at its recorded arrival over `speed`; arrivals may stand in any
 *             order, those without one begin with the first
 *   closed    every session once, spread evenly over `ramp`
 *   live      always `sessions` of them: who ends makes room for one that is drawn. The first ones
 *             are in the middle of their lives, at points drawn evenly over time (life.h)
 *   arrivals  drawn sessions at drawn dates: at `rate`, or those of tenants
 *
 * Where there is a recorded session that names a schedule it begins at every date of it (open), and
 * its arrival means nothing.
 *
 * A session that names its tier or tenant is of it; one of a tenant that names no tier has the
 * tenant's, and others are dealt to tiers by their shares. A tenant's own sessions begin with it
 * only; one without any has those that name no tenant.
 *
 * A tenant is employees times agents with a budget of tokens a year each, or of money: then what
 * calls keep of the context before them counts as cached input. Its sessions begin as a Poisson
 * process whose rate has the shape of its days and weeks and that spends the budget on the mean;
 * with a burst factor f the rate is f times as high for an f-th of all hours, drawn. A tenant with
 * a schedule (cron) begins one session per agent at every date of it, with a jitter. Days, weeks
 * and schedules are those of a run that starts at `start`, in the zone of the tenant.
 *
 * Ignored: holidays, and that zones change their offsets in summer. */
#ifndef MR_ENGINE_WORK_DEMAND_H
#define MR_ENGINE_WORK_DEMAND_H

#include "engine/base/param.h"
#include "engine/clock/tree.h"
#include "engine/work/life.h"
#include "engine/work/player.h"

enum mr_demand_mode {
    MR_DEMAND_OPEN,
    MR_DEMAND_CLOSED,
    MR_DEMAND_LIVE,
    MR_DEMAND_ARRIVALS
};

enum {
    MR_DEMAND_TENANTS = 64
};

/* <agents> */
struct mr_demand_spec {
    const char *file;        /* NULL: none */
    const char *format;      /* of the file; NULL: by its content */
    uint64_t file_block_tok; /* tokens of the file's blocks where it does not say; 0: as usual */
    int basis;               /* enum mr_trace_basis */
    const char *start;       /* date of the run's start; NULL: a Monday, midnight */
    int mode;                /* enum mr_demand_mode */
    int timing;              /* enum mr_player_timing */
    double speed, think_factor, idle_cap_s, ramp_s, rate_s;
    uint64_t n_session; /* live at a time, or in all; 0: all of the file, or no limit */
    bool is_warm, shares, drops_ended;
    double warm_up_s;    /* from then on calls are told by themselves, too; 0: not asked */
    uint64_t n_drawn;    /* recordings where there is no file */
    uint64_t length_max; /* sessions with longer contexts are left out; 0: those the LLM cannot */
    /* which of the file's are taken (trace_pick.h); 0, NULL: all */
    double from_s, until_s, tick_s;
    uint64_t call_min, call_max, n_sample;
    const char *model;
    bool is_once;
};

/* What happens when a tenant has used up its budget. */
enum mr_demand_over {
    MR_DEMAND_UNLIMITED,
    MR_DEMAND_STOP,
    MR_DEMAND_DOWNGRADE,
    MR_DEMAND_THROTTLE
};

/* <tenant> */
struct mr_demand_tenant {
    const char *name, *tier, *cron, *lower;
    const char *zone; /* its offset from UTC; NULL: that of `start` */
    double n_employee, agents_each;
    double budget_tok;   /* of one agent and year, input and output */
    double budget_usd;   /* the same in money; 0: none */
    int shape;           /* of days */
    double weekend_frac; /* of the rate of other days */
    double burst;        /* 1: none */
    double jitter_s;     /* of schedules */
    int over;            /* enum mr_demand_over */
    double period_s;     /* that a budget is kept in */
};

extern const struct mr_param_table mr_demand_table, mr_demand_tenant_table;

/** The run's start where a tenant is. @param[in] start, zone NULL: not said
 *  @param[out] local_s since 1970-01-01 there @param[out] monday_s since a Monday, midnight
 *  @return MR_OK, MR_PARSE */
MR_CHECKED mr_status mr_demand_start(const char *start, const char *zone, double *local_s,
                                     double *monday_s, struct mr_err *err);

/** Rate of a shape over its mean, at a time [s since a Monday, midnight]. */
double mr_demand_shape(int shape, double weekend_frac, double at_s);

/* What a tenant pays for a token, in USD. */
struct mr_demand_price {
    double input, cached, output;
};

struct mr_demand_plan {
    struct mr_demand_spec spec;
    const struct mr_demand_tenant *tenant; /* lent */
    size_t n_tenant;
    const uint8_t *tier_of_tenant;       /* [n_tenant] */
    const struct mr_demand_price *price; /* [n_tenant]; NULL: budgets are of tokens */
    uint32_t block_tok;                  /* of the script's blocks; read with prices only */
    const double *tier_share; /* [n_tier] of sessions that are of no tier and no tenant */
    size_t n_tier;
    const struct mr_script *script;
    const struct mr_life *life; /* lent; read with mode live and is_warm */
    uint64_t seed;
};

struct mr_demand_flow {  /* of a tenant, or of all without tenants */
    double next_s;       /* date of its next session */
    double rate_s, peak; /* mean; highest shape */
    uint64_t n_drawn;    /* candidates */
    uint32_t n_left;     /* of a schedule's date */
    double date_s;
    double local_s;  /* when the run starts, where it is (cron.h) */
    double monday_s; /* the same, since its week began */
    struct mr_cron cron;
    uint32_t own, n_own; /* sessions in `pick` that are the tenant's, or could be */
};

/* A recorded session with a schedule. */
struct mr_demand_date {
    uint32_t session;
    double local_s; /* when the run starts, where its schedule is kept */
};

struct mr_demand {
    struct mr_demand_plan plan;
    uint64_t n_begun, n_again;
    uint32_t *order; /* sessions by arrival (open) */
    size_t n_order;
    size_t i_order;
    struct mr_demand_date *date; /* those with a schedule (open) */
    size_t n_date;
    struct mr_tree dates; /* when each begins next */
    uint32_t *pick;       /* sessions by tenant, then those of none */
    struct mr_demand_flow flow[MR_DEMAND_TENANTS];
    size_t n_flow;
};

/** @return MR_OK, MR_RANGE (what mode lacks), MR_PARSE (a schedule), MR_NOMEM */
MR_CHECKED mr_status mr_demand_init(struct mr_demand *demand, const struct mr_demand_plan *plan,
                                    struct mr_err *err);
void mr_demand_fini(struct mr_demand *demand);

/** The next session that begins, of all cells; false: there is none. */
bool mr_demand_next(struct mr_demand *demand, struct mr_player_start *start);

/** Does a session that ends make room for another one? Then mr_demand_again draws it. */
bool mr_demand_goes_on(const struct mr_demand *demand);

/** @param[in] number of the successor over all cells, from 0; what is drawn depends on nothing else
 */
void mr_demand_again(const struct mr_demand *demand, uint64_t number, double at_s,
                     struct mr_player_start *start);

/** The source of a player that is alone. */
struct mr_player_source mr_demand_source(struct mr_demand *demand);

#endif
