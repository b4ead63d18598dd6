/* SPDX-License-Identifier: Apache-2.0 */
/* The whole electric side of a site in time: the chain (chain.h) with what stands beside it -
 * batteries, generators, turbines, solar - the connection to the grid, and the governor that tells
 * every rack what it may draw. Racks ask for watts; what they get is told.
 *
 * Between events all demands are constant and the chain is exact. Every step does, in this order:
 * sources and storage give their energy, the chain moves on, meters add up; then who is due acts
 * (governor, grid targets, permits, storages that are empty or full), and the chain settles. Powers
 * of generators change linearly; over a step their mean counts, so energies are exact and the power
 * between is off by a step of tick_s at most.
 *
 * Rules that stand for what is not published:
 * - A source gives only where the node it stands at has lost its feed (and to islands); batteries
 *   at once, generators when they have started. What stands behind carries all or nothing: less
 *   than asked, and the bar goes dark. It comes back with pumps and fans alone, and its racks start
 *   on what there is, highest tier first, as fast as the machines may ramp.
 * - Battery plants also shave what exceeds the budget of the connection, and racks may draw what
 *   they can shave for a while; they trade if told to, and hold the meter to the connection's ramp
 *   (`assists`), in stairs of a step.
 *   Turbines beside a grid give what racks ask for, without caps, beyond the budget, and feed no
 *   grid. Solar gives what the sun gives. Sets are for outages, and stand beside a grid.
 * - A rack that was dark comes back when its feed has lived for return_s, as start permits allow.
 * - Budgets are for the meter, caps for racks: supply_budget.c knows the way, `margin` stays free.
 * - Caps are lowered tier by tier from 0 on. Where the lowest do not fit, racks are suspended, then
 *   shut, in that order (not for a target of best effort), and go on when there is room.
 * - Machines that carry bars alone are an island with a frequency (frequency.h): what the load asks
 *   beyond their set points and storage moves it; relays shed racks in order of tiers, and the
 *   machines leave below `trip_below`. A grid may have a trace of its frequency: the same relays
 *   shed by it, and below `trip_below` its voltage counts as gone. Until a takeover is in balance
 * for the first time supplies walk in, and frequency is not looked at.
 * - Smoothing is that of packages, all those of a rack in step, the floor a share of the rack's
 * cap. A falling cap is followed as fast as packages may fall. Ignored: island voltage, surges. */
#ifndef MR_POWER_SUPPLY_H
#define MR_POWER_SUPPLY_H

#include "power/buffer.h"
#include "power/chain.h"
#include "power/feed.h"
#include "power/feed_ride.h"
#include "power/frequency.h"
#include "power/generator.h"
#include "power/govern.h"
#include "power/smooth.h"
#include "power/supply_admit.h"
#include "power/supply_event.h"
#include "power/supply_part.h"
#include "power/supply_target.h"
#include "power/tariff.h"
#include "power/wire.h"

struct mr_supply_params {
    double tick_s;   /* longest step while anything ramps */
    double return_s; /* a rack waits so long after its feed is back */
    double ups_s;    /* battery of a UPS that states no energy, at its rating */
    double ramp_window_s;
    double rack_min_frac, margin; /* least cap of a rack that runs; of a budget kept free */
    double buy_usd_j, sell_usd_j; /* battery plants: trade below, above; INFINITY, -INFINITY: no */
    double refill_frac;           /* battery plants: rest here, share of their window */
    double ups_refill_frac; /* of a budget, left to batteries of supplies until they are full */
    bool assists;           /* battery plants hold the meter to its ramp */
    double tray_limit_w;    /* 0: none is stated */
    double swing_tick_s;    /* longest step while a frequency or the packages' ramps move */
    double suspend_frac;    /* a suspended rack, of its maximum */
    double shelf_j, shelf_charge_frac; /* capacitors: of a package, 0: cards say; fill at */
    double resume_margin; /* of a budget that must be free beyond `margin` before racks go on */
    struct mr_wire_params wire;
    struct mr_govern_params govern;
    struct mr_feed_params feed; /* of its limit and ramps and those of the site the smaller */
    struct mr_feed_ride_params ride;
    struct mr_frequency_params frequency; /* base and headroom come from what runs */
    struct mr_smooth_params smooth;
    struct mr_tariff_params tariff;
};

const struct mr_param_table *mr_supply_table(void);
void mr_supply_defaults(struct mr_supply_params *params);

struct mr_supply_options {
    struct mr_supply_params params;
    double t_s;
    const struct mr_supply_part *part; /* governed one by one; racks without: as a whole */
    uint32_t n_part;
    const double *package_w; /* the most of one package, for every rack (0: not known); or NULL */
    const struct mr_series *price, *carbon, *sun; /* USD/J, kg/J, share of rated solar; or NULL */
    const struct mr_series *frequency;            /* of the grid, Hz; NULL: the nominal */
    bool steps; /* every beat of the controller is a step, also where nothing can come of it */
    void (*take)(void *context, const struct mr_supply_event *event); /* or NULL */
    void (*step)(void *context); /* or NULL: after every step, powers hold until the next */
    void *context;
};

struct mr_supply;

/** Everything runs, racks draw nothing. First demands: before the first advance, caps for them hold
 *  at once. @param[in] site, series must outlive it */
MR_CHECKED mr_status mr_supply_create(const struct mr_site *site,
                                      const struct mr_supply_options *options,
                                      struct mr_supply **out, struct mr_diags *diags);
void mr_supply_destroy(struct mr_supply *supply);

/* ---- inputs, from now on ---- */

/** What racks would draw without caps. @param[in] w one per rack of the site */
void mr_supply_set_racks(struct mr_supply *supply, const double *w);
void mr_supply_set_rack(struct mr_supply *supply, uint32_t rack, double w);

/** The same when the caller owns the rack's clocks: what it draws now, and would without caps. It
 *  obeys caps by lowering the next value; until then the rack may draw more than its cap. */
void mr_supply_set_load(struct mr_supply *supply, uint32_t rack, double draw_w, double want_w);

/** What the rack draws at its lowest clock and at rest, if more than `rack_min` and `suspended` of
 *  its maximum say: no cap is below, so racks are stopped where these do not fit. */
void mr_supply_set_least(struct mr_supply *supply, uint32_t rack, double least_w, double rest_w);

/** What of the rack's watts is drawn outside the packages of its parts, and what one package of a
 *  part would draw without caps. */
void mr_supply_set_fixed(struct mr_supply *supply, uint32_t rack, double w);
void mr_supply_set_part(struct mr_supply *supply, uint32_t part, double want_w);

/** Tiers: where not all can have what they ask for, 0 is capped first; where not even the lowest
 *  caps fit, it is stopped first. */
void mr_supply_set_tier(struct mr_supply *supply, uint32_t rack, uint8_t tier);

/** The same for a rack or all of a row or hall, by name. @return MR_OK, MR_REF: none is there */
MR_CHECKED mr_status mr_supply_set_tier_of(struct mr_supply *supply, struct mr_str name,
                                           uint8_t tier, struct mr_err *err);

/** Pumps, fans, chillers. @param[in] hall or MR_SITE_NONE: of the site */
void mr_supply_set_house(struct mr_supply *supply, uint32_t hall, double w);
void mr_supply_set_pumps(struct mr_supply *supply, uint32_t cdu, double w); /* has_pumps */

/** All of these may come to draw so much more until caps of the next decision hold, and when the
 *  grid is back. Is that read until t_s, or at a date nobody knows yet? */
void mr_supply_expect_house(struct mr_supply *supply, double more_w);
bool mr_supply_reads_house(const struct mr_supply *supply, double t_s);

/** A power node fails or is repaired, or some of its units do (0: none). Sources: units only. */
void mr_supply_set_failed(struct mr_supply *supply, uint32_t power, bool has_failed);
void mr_supply_set_units_failed(struct mr_supply *supply, uint32_t power, uint32_t n_failed);

void mr_supply_close(struct mr_supply *supply, uint32_t power); /* tripped breakers of a node */

/** Voltage of the grid over its nominal; 0: lost. The ride-through curve decides who stays. */
void mr_supply_set_voltage(struct mr_supply *supply, double voltage_frac);

/** Another ceiling of every rack: policies at run time. @param[in] policy below 0: its own */
void mr_supply_set_policy(struct mr_supply *supply, int policy);

/* ---- time ---- */

void mr_supply_advance(struct mr_supply *supply, double t_s);
double mr_supply_now_s(const struct mr_supply *supply);
double mr_supply_next_s(const struct mr_supply *supply); /* if nothing is asked meanwhile */

/* ---- readings, at now ---- */

/** Readings are of this date, mr_supply_next_s at most, until time goes on: steps stay. */
void mr_supply_look(struct mr_supply *supply, double t_s);

struct mr_supply_reading {
    double t_s;
    double grid_w, meter_w; /* meter_w: while the grid is away, what it gave last */
    double rack_w, want_w, house_w, generator_w, solar_w;
    double set_point_w, governor_w, inertia_w, damping_w; /* of generator_w */
    double loss_w;                                        /* on the way to the racks */
    double module_w;                                      /* of rack_w: behind the stages inside */
    double stage_loss_w[MR_N_STAGE];                      /* on the way and inside racks */
    double storage_w;                            /* at the terminals, above 0 charges; all */
    double storage_j, storage_soc_frac, shelf_j; /* shelf_j: in racks, not in storage_j */
    double budget_w, target_w;                   /* of the meter; INFINITY: none */
    double limit_w, least_w; /* of the contract; INFINITY: none; what it takes at least */
    double price_usd_j, carbon_kg_j, frequency_hz; /* Hz: the grid's, or the lowest of islands */
    int feed_event; /* enum mr_feed_event of the last status; MR_FEED_PERIODIC: none yet */
    uint32_t n_rack_on, n_rack_capped, n_rack_held;
    bool has_grid, is_compliant, in_flight;
};

void mr_supply_read(const struct mr_supply *supply, struct mr_supply_reading *reading);

struct mr_supply_total {
    double grid_j, generator_j, solar_j, export_j; /* in; grid_j is net of what is fed into it */
    double rack_j, house_j, loss_j;                /* out; loss_j: on the way to the racks */
    double module_j, rack_loss_j;    /* parts of rack_j: behind the stages inside, lost in them */
    double stage_loss_j[MR_N_STAGE]; /* of both losses */
    double storage_in_j, storage_out_j, storage_loss_j, storage_change_j;
    double shelf_out_j, holdup_j; /* of it racks' shelves; given by what bridges switches' gaps */
    double set_point_j, machine_rest_j, governor_j, inertia_j, damping_j; /* of generator_j */
    double short_j, dump_j;    /* asked and given by nobody; given by sun and not taken */
    double want_j, unserved_j; /* asked by racks; not drawn, for caps and for darkness */
    double capped_j, dark_j, held_j, delayed_j; /* of it: caps, no feed, stopped, ramps */
    double burn_j;                              /* drawn by racks beyond what was asked */
    double capped_rack_s, dark_rack_s, held_rack_s;
    double low_hz; /* of islands and the grid; the nominal: none was below */
    double peak_w, fuel_j, fuel_usd, fuel_kg, energy_usd, demand_usd, carbon_kg;
    double ramp_up_w_s, ramp_down_w_s; /* fastest moves of the meter, both above 0 */
    double closure_rel, hold_w;
    uint64_t n_ramp, n_trip, n_alarm, n_overload, n_transfer, n_lost, n_infeasible, n_breach;
    uint64_t n_ride, n_dip, n_away, n_event, n_suspended, n_shut, n_ufls, n_collapse, n_cap,
        n_level_over;
};

void mr_supply_total(const struct mr_supply *supply, struct mr_supply_total *total);

/* Words of DSX's stateText. */
enum mr_supply_status {
    MR_SUPPLY_STATUS_OFF,
    MR_SUPPLY_STATUS_ON,
    MR_SUPPLY_STATUS_ALARM, /* a storage that is empty */
    MR_SUPPLY_STATUS_FAILED
};

/* Storages, batteries of supplies, blocks of machines, solar. */
struct mr_supply_source_reading {
    const char *name;
    int kind;                  /* enum mr_site_power_kind */
    double power_w;            /* given at the terminals; below 0: taken */
    double energy_j, soc_frac; /* of storages */
    int status;                /* enum mr_supply_status */
    bool is_available;
};

uint32_t mr_supply_n_source(const struct mr_supply *supply);
void mr_supply_source_read(const struct mr_supply *supply, uint32_t source,
                           struct mr_supply_source_reading *reading);

double mr_supply_rack_w(const struct mr_supply *supply, uint32_t rack);     /* drawn */
double mr_supply_rack_j(const struct mr_supply *supply, uint32_t rack);     /* since the start */
double mr_supply_rack_cap_w(const struct mr_supply *supply, uint32_t rack); /* may be drawn */
double mr_supply_part_cap_w(const struct mr_supply *supply, uint32_t part); /* one package may */
bool mr_supply_rack_is_on(const struct mr_supply *supply, uint32_t rack);   /* fed and permitted */

/** Has a decision stopped the work of a rack? Its cap is that of a suspended rack, or 0. */
bool mr_supply_rack_is_held(const struct mr_supply *supply, uint32_t rack);

/** Rate of its work over what its watts are asked for: below 1 while ramps delay it. */
double mr_supply_rack_rate(const struct mr_supply *supply, uint32_t rack);

/* How often the racks of a level would exceed its limit, before any cap: by mean and deviation of
 * what they asked for (normal), and in fact. */
struct mr_supply_odds {
    const char *name; /* of the node that limits it */
    double limit_w, most_w, mean_w, deviation_w, odds, over_frac;
};

/** The worst so far. @return levels that have a limit; 0: none is worst */
uint32_t mr_supply_worst_odds(const struct mr_supply *supply, struct mr_supply_odds *worst);
const struct mr_chain *mr_supply_chain(const struct mr_supply *supply);
const struct mr_wire *mr_supply_wire(const struct mr_supply *supply);

#endif
