/* SPDX-License-Identifier: Apache-2.0 */
/* What an exchange keeps, and its steps: they are built in exchange_build.c, told to heat and watts
 * in exchange_tell.c and exchange_house.c, put in order and answered with clocks in exchange.c. */
#ifndef MR_ENGINE_TWIN_EXCHANGE_IMPL_H
#define MR_ENGINE_TWIN_EXCHANGE_IMPL_H

#include "engine/twin/exchange.h"

/* Die temperature that idle watts of cards hold for. */
#define MR_EXCHANGE_REFERENCE_C 60.0

/* One rack, over the running interval. */
struct mr_exchange_load {
    double idle_w;    /* of one package of it, without leakage; of racks without a pool: 0 */
    double leakage_w; /* of one package at reference_c */
    double rest_w;    /* rating of what is not package */
    double least_w, at_rest_w;          /* drawn at the lowest clock; without work */
    double first_least_w, first_rest_w; /* the same, before anything is known of the work; of racks
                                           without a pool: drawn when they were on */
    double slow_most_w;                 /* beyond rest at the lowest clock, of late */
    double slow_j, slow_s;              /* the same since the last whole second */
    double busy_s;                      /* sums over packages */
    double rested_s;                    /* in which those would be busy that are told to rest */
    double package_j, demand_j, least_j;
    double rested_frac;               /* of the last interval and all packages: rested_s */
    double unseen_s;                  /* in which those would be busy whose work is not known yet */
    double last_in_j;                 /* of the plant, at the last exchange */
    double other_w;                   /* told */
    double told_w;                    /* of one package */
    uint32_t n_lit;                   /* packages with power */
    uint32_t n_free;                  /* packages that no instance stands on */
    double leakage_now_w;             /* of one package, over the last interval */
    double rise_w_s;                  /* of the leakage of all, of late */
    double parts_want_w, parts_cap_w; /* sums over its parts */
    double more_j; /* what clocks below those that no ramp holds have kept back */
    double more_w, extra_w, served_j; /* the same; drawn beyond work; by the feeds */
    double over_least_w, over_cap_w;  /* of a package that its cap cannot hold, without leakage */
    double over_until_s;              /* what comes before is the same as was told */
    uint32_t n_held, n_was_held;      /* packages told to rest, then hosts do, too; before that */
    bool is_new;                      /* not all of its work is known yet */
    bool was_on;                      /* when the running interval began */
    bool runs_tools;                  /* of its cores: run tools since the last exchange */
    double fed_j, taken_j;            /* by the feeds and by the plant, at the last exchange */
    double off_j; /* of intervals in which it ran all the time: taken less fed */
    struct mr_exchange_rack row;
};

struct mr_exchange_member {
    struct mr_exchange_work last;
    double dynamic_w, clocked_frac; /* beyond idling, of one package, at full clock */
    double first_w, first_frac;     /* the same of full work, while nothing is known of it */
    double free_s;                  /* since it came up */
    struct mr_exchange_order order;
    double free_phi; /* without ramps */
    uint32_t n_package;
    bool has_worked;            /* clocked_frac is known */
    enum mr_exchange_down down; /* while its order says so */
    bool is_held;               /* told to rest for want of watts: would go on as it did */
    double busy_frac;
};

struct mr_exchange {
    struct mr_exchange_plan plan;
    struct mr_plant *plant;
    struct mr_plant_state *heat;
    struct mr_supply *supply;
    struct mr_exchange_load *rack;
    struct mr_exchange_member *member;
    /* electric energy of cooling at the last exchange; pump_j: pumps of loops */
    double *group_j, *loop_j, *pump_j, *hall_j;
    double *pump_w;           /* of loops, over the last interval */
    double *fed_w, *design_w; /* of loops: design heat of their groups, of those with power; all */
    bool *is_fed, *has_air;   /* pumps of groups, air handlers of halls, as the plant was told */
    double *unserved_j;       /* of the site, halls, groups: by the chain, at the last exchange */
    double astray_j;    /* of racks that feeds lost or found within an interval: seen at its end */
    bool has_lost_rack; /* within the running interval */
    double unfed_j;     /* of it, where what asked had been told that it has power */
    double t_s, start_s;
    double tool_core_s, last_tool_core_s; /* of tools, since the start; at the last exchange */
    double n_tool_core, n_lit_core;       /* of all racks that run tools; of those at work */
    double lost_core_frac;                /* of those before that lost their power */
    double site_peak_w, site_w;           /* site_w: of the last such window; NaN: none yet */
    double meter_s, meter_j;              /* where the window of a peak begins */
    double grid_peak_w, meter_grid_j;     /* of them: at the grid's meter */
    double throttled_s, capped_s, down_s, down_why_s[MR_EXCHANGE_DOWNS];
    bool has_utility, smooths;
    struct mr_supply_part *part; /* packages of instances, as the stand has them */
    double rejection_w, house_w; /* told: fans and compressors of heat rejection; all of it */
    double lit_house_w;          /* all of it, when it had power last */
    double foresight_s;          /* until caps of the decision after the next one hold */
    double *package_w;           /* the most of one, of every rack */
    struct mr_plant_set *set;    /* plan's and ours */
    char (*text)[32];            /* of ours */
};

/** What members did since the last exchange, added up by racks. @param[in] work of every instance
 */
void mr_exchange_gather(struct mr_exchange *x, const struct mr_exchange_work *work, double dt_s);

/** Of one package of a member at its lowest clock and full work, beyond idling. */
double mr_exchange_slow_w(const struct mr_exchange *x, uint32_t member);

/** Which racks run tools until the next exchange. */
void mr_exchange_look_at_tools(struct mr_exchange *x);

/** Means of the interval to the plant; then, once it has advanced, to the feeds, with what cooled
 *  them. @param[in] dt_s 0: before time begins */
void mr_exchange_tell_racks(struct mr_exchange *x, double dt_s);
void mr_exchange_tell_feeds(struct mr_exchange *x, double dt_s);
void mr_exchange_tell_house(struct mr_exchange *x, double dt_s);

/** What more cooling may draw soon; after it was told. */
void mr_exchange_foresee_house(struct mr_exchange *x);

/** The same before time begins: what cooling is expected to draw. */
void mr_exchange_expect_house(struct mr_exchange *x);

/** Everything has power. */
void mr_exchange_begin_house(struct mr_exchange *x);

/** After the feeds have advanced: what ramps have made of the racks' watts; what cooling was not
 *  given; whether it has power from now on. */
void mr_exchange_look_at_ramps(struct mr_exchange *x, double dt_s);

/** What feeds gave a rack that ran all the time is what the plant has as its heat. */
void mr_exchange_meter_racks(struct mr_exchange *x);

/** The worst of all racks, of what it took: 0. */
double mr_exchange_rack_residual(const struct mr_exchange *x);
void mr_exchange_meter_house(struct mr_exchange *x);
void mr_exchange_look_at_house(struct mr_exchange *x);

/** What cooling drew since the start, by the plant, beyond what the feeds gave it [J]: 0. */
double mr_exchange_unpaid_j(const struct mr_exchange *x, const struct mr_plant_sums *heat,
                            double house_j);

#endif
