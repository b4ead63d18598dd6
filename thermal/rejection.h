/* SPDX-License-Identifier: Apache-2.0 */
/* The heat rejection of one facility loop: dry coolers (with pads or not), wet towers behind a heat
 * exchanger and chillers, in this order along the water. Stages are taken one after the other:
 *
 *   free       dry coolers alone
 *   adiabatic  the same with wet pads
 *   wet        towers after them; alone: free cooling of a site with towers
 *   trim       chillers take the remainder, up to their capacity
 *   float      (no stage) everything runs and the supply is warmer than its set-point
 *
 * Quasi-steady: mr_rejection_run is asked once per plant period and answers with watts, water and
 * the slope of heat over return temperature, along which the loop moves until the next time.
 * A stage stays for at least hold_s; a lower one must reach the set-point with dead_band_k to
 * spare. Energy: heat + work = ambient + latent; fans are apart. */
#ifndef MR_THERMAL_REJECTION_H
#define MR_THERMAL_REJECTION_H

#include "thermal/adiabatic.h"
#include "thermal/chiller.h"
#include "thermal/dry_cooler.h"
#include "thermal/tower.h"

#define MR_REJECTION_LIST(X)  \
    X(FREE, "free")           \
    X(ADIABATIC, "adiabatic") \
    X(WET, "wet")             \
    X(TRIM, "trim")           \
    X(FLOAT, "float")

enum mr_rejection_mode {
#define MR_REJECTION_ENUM(name, text) MR_REJECTION_##name,
    MR_REJECTION_LIST(MR_REJECTION_ENUM)
#undef MR_REJECTION_ENUM
    MR_REJECTION_N_MODE,
    MR_REJECTION_N_STAGE = MR_REJECTION_FLOAT
};

enum mr_rejection_condenser {
    MR_REJECTION_AIR,  /* chillers give heat to outdoor air */
    MR_REJECTION_TOWER /* to the towers, which also cool the water before it: an economizer */
};

struct mr_rejection_params {
    double set_c; /* water sent to the loop */
    double dead_band_k, hold_s;
    double exchanger_k;   /* water behind the towers' heat exchanger above that of the tower */
    double design_heat_w; /* 0: not checked */
    bool has_water, may_float;
    int condenser; /* enum mr_rejection_condenser */
};

/* Const after mr_rejection_make. Units of one kind are equal. */
struct mr_rejection {
    struct mr_rejection_params p;
    uint64_t n_dry, n_tower, n_chiller;
    bool has_pads;
    struct mr_dry_cooler dry;
    struct mr_adiabatic_params pads;
    struct mr_tower tower;
    struct mr_chiller chiller;
    struct mr_water_params water;
};

/* What changes in a run. mr_rejection_start fills it. */
struct mr_rejection_state {
    int stage; /* -1: none was chosen yet */
    double since_s;
    uint64_t n_dry_lost, n_tower_lost, n_chiller_lost;
    double dry_fans_frac, tower_fans_frac; /* share of the fans of units in service: banks lost */
    bool is_water_lost;
};

struct mr_rejection_in {
    double return_c, water_w_k; /* what comes back, and its flow of heat capacity */
    double dry_bulb_c, wet_bulb_c, pressure_pa;
};

struct mr_rejection_out {
    int mode, stage;
    double supply_c;
    double heat_w;        /* taken from the water */
    double slope_w_k;     /* d heat / d return temperature at this stage */
    double work_w, fan_w; /* electric: compressors, fans */
    double ambient_w, latent_w;
    struct mr_water water;
    double short_w, short_frac; /* heat that the set-point asks for and nothing takes */
    double dry_speed_frac, tower_speed_frac;
    double dry_heat_w, tower_heat_w, chiller_heat_w; /* of heat_w */
    bool is_clamped;                                 /* a correlation was held at its bounds */
};

extern const struct mr_limits_table mr_rejection_table;

void mr_rejection_defaults(struct mr_rejection_params *params);
const char *mr_rejection_mode_name(int mode);

/** Refuse what cannot be: no unit, pads or towers without water, chillers on towers that are not
 *  there, less capacity than design heat. The units of `rejection` are filled by the caller, made;
 *  `p` is set here. */
MR_CHECKED mr_status mr_rejection_make(const char *what, const struct mr_rejection_params *params,
                                       struct mr_rejection *rejection, struct mr_err *err);

/** Refuse a set-point that not even the coldest hour allows, where there are no chillers. */
MR_CHECKED mr_status mr_rejection_check_weather(const char *what,
                                                const struct mr_rejection *rejection,
                                                const struct mr_weather *weather,
                                                struct mr_err *err);

void mr_rejection_start(struct mr_rejection_state *state);

/** One stage at work, without choosing. @param[in] set_c in place of the parameter */
struct mr_rejection_out mr_rejection_at(const struct mr_rejection *rejection,
                                        const struct mr_rejection_state *state, int stage,
                                        double set_c, const struct mr_rejection_in *in);

/** Choose the stage and let it work. @param[in] t_s time of the run */
struct mr_rejection_out mr_rejection_run(const struct mr_rejection *rejection,
                                         struct mr_rejection_state *state, double t_s,
                                         const struct mr_rejection_in *in);

#endif
