/* SPDX-License-Identifier: Apache-2.0 */
/* Coolant distribution units on one header, with the loop of coolant they feed: one node.
 *
 *   C dTret/dt = Q + pumps - r(Tret)          r: heat given to the facility water
 *   bypass     r = 0                          Tsup = Tret           not warm enough to cool
 *   regulated  r = m cp (Tret - Tset)         Tsup = Tset
 *   saturated  r = G (Tret - Tfws)            Tsup = Tret - r/(m cp)      G = eps Cmin
 *
 * r is the least of what the set point asks for and what the exchangers can do, never below 0; it
 * is continuous in Tret, so a mode ends where two laws meet, at a date known in closed form. Pumps
 * follow what the neediest rack asks for: they speed up for it at once and slow down to it in their
 * own time, no lower than a least flow. Less flow against the same racks needs less head, so watts
 * fall with flow^2.85 (affinity: flow ~ N, head ~ N^2, against a drop of flow^1.85). Flow is
 * piecewise constant by class (thermal/flow). Heat from the racks is constant within a call: its
 * mean over the interval, so energy is exact.
 *
 * Ignored: transport delay in pipes; facility flow behind the valve is the design flow whenever the
 * valve must be open. */
#ifndef MR_THERMAL_CDU_GROUP_H
#define MR_THERMAL_CDU_GROUP_H

#include "thermal/exchanger.h"
#include "thermal/flow.h"
#include "thermal/pump.h"

enum mr_cdu_group_event {
    MR_CDU_GROUP_SATURATED,   /* exchangers at their limit, supply floats up */
    MR_CDU_GROUP_REGULATED,   /* supply at its set point */
    MR_CDU_GROUP_SUPPLY_HIGH, /* supply above set point by more than allowed */
    MR_CDU_GROUP_NOFLOW       /* coolant stands still */
};

enum mr_cdu_group_mode {
    MR_CDU_GROUP_BYPASS,
    MR_CDU_GROUP_REGULATING,
    MR_CDU_GROUP_LIMITED
};

struct mr_cdu_group {
    const char *name;                     /* lent */
    uint64_t n_unit, n_spare;             /* installed; not needed at design */
    double capacity_w, approach_k, set_c; /* of one unit */
    double it_kg_s, facility_kg_s;        /* design flows of one unit */
    double duty_kg_s;                     /* coolant of one unit that the racks need; 0: design */
    double electric_w;                    /* of one unit at design; 0: from the pump */
    double header_pa;                     /* held between supply and return; 0: racks' design */
    double unit_m3, rack_m3;              /* coolant in one unit, and for each rack */
    uint64_t n_rack;
    double cp_j_kgk, rho_kg_m3, facility_cp_j_kgk;
    double boost_frac; /* remaining units' flow when one is lost, of rated */
    double least_frac; /* of the design flow: pumps do not go below; 1: they stay at it */
    double trim_s;     /* pumps slow down from full flow to none in this time */
    double high_k;     /* supply above set point that raises an event */
    double fouling_exchanger_frac, fouling_drop_frac, fouling_plate_frac, fouling_s;
    bool has_ups_pumps, runs_spares;
    struct mr_pump pump;
    /* made by mr_cdu_group_init */
    struct mr_exchanger exchanger; /* of one unit */
    double heat_j_k;               /* C */
    double design_m3_s;            /* of the group: units that are not spare */
};

struct mr_cdu_group_state {
    double t_s, return_c, facility_c;
    uint64_t n_running;       /* units that are not lost, spares included */
    bool has_pumps;           /* powered */
    struct mr_flow_path path; /* group flow over design */
    int flow;                 /* its class */
    double open_frac;         /* of the design flow that racks take at the header's pressure */
    double need_frac;         /* of the design flow that pumps go to, the neediest rack's share */
    double age_s;             /* of the fouling */
    enum mr_cdu_group_mode mode;
    double coolant_w_k, limit_w_k; /* m cp, G */
    double electric_w, fluid_w;
    double held_c, stopped_c;                /* supply and return when the flow stopped */
    bool is_high, is_saturated;              /* as last told */
    double above_s;                          /* time with a supply above its set point */
    double in_j, fluid_j, out_j, electric_j; /* racks, pumps into coolant, to facility; drawn */
};

/* Told by advance, in order of date. */
struct mr_cdu_group_note {
    double t_s, supply_c; /* then */
    enum mr_cdu_group_event event;
};

enum {
    MR_CDU_GROUP_NOTES = 16
};

struct mr_cdu_group_notes {
    struct mr_cdu_group_note item[MR_CDU_GROUP_NOTES];
    size_t n; /* may exceed the array: the rest is only counted */
};

const struct mr_param_table *mr_cdu_group_table(void);
void mr_cdu_group_defaults(struct mr_cdu_group *group);

/** Check and derive. @return MR_OK, MR_RANGE */
MR_CHECKED mr_status mr_cdu_group_init(struct mr_cdu_group *group, struct mr_err *err);

/** Can it carry what hangs on it? @param[in] heat_w of racks at design @param[in] facility_c design
 *  facility water */
MR_CHECKED mr_status mr_cdu_group_check(const struct mr_cdu_group *group, double heat_w,
                                        double facility_c, bool may_be_oversized,
                                        struct mr_err *err);

/** All units that are not spare run, at rest in temperature. */
void mr_cdu_group_start(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                        double t_s, double facility_c);

/** Steady state under this heat; unlike advance, energies stay. Without flow nothing happens. */
void mr_cdu_group_settle(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                         double heat_w);

/** Go on to t_s with this heat from the racks. Flow classes and modes change on the way. */
void mr_cdu_group_advance(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                          double t_s, double heat_w, struct mr_cdu_group_notes *notes);

/** Date of the next change of mode or flow class if heat stays what it is. */
double mr_cdu_group_next_s(const struct mr_cdu_group *group, const struct mr_cdu_group_state *state,
                           double heat_w);

/** Date at which the exchangers come to their limit if heat stays what it is. INFINITY: not as the
 *  next change of mode, or they are there. */
double mr_cdu_group_saturated_s(const struct mr_cdu_group *group,
                                const struct mr_cdu_group_state *state, double heat_w);

/** Date at which the supply passes its limit upwards if heat stays what it is. INFINITY: not before
 *  the next change of mode or flow class, or it is above already. */
double mr_cdu_group_high_s(const struct mr_cdu_group *group, const struct mr_cdu_group_state *state,
                           double heat_w);

/** Date at which the flow enters its next class: the racks feel it. */
double mr_cdu_group_flow_next_s(const struct mr_cdu_group_state *state);

/* Inputs, at the state's own date. */
void mr_cdu_group_set_facility(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                               double facility_c);
/** Units lost (or back, n below 0): a spare starts in the pump's start time, the others speed up at
 *  once as far as boost_frac. */
void mr_cdu_group_lose(const struct mr_cdu_group *group, struct mr_cdu_group_state *state, int n);
/** All pumps lose power (coast down), or have it again. */
void mr_cdu_group_set_pumps(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                            bool has_power);
/** What racks let through at the header's pressure, over design: valves that close. The pumps hold
 *  that pressure, so the flow falls with them; where pumps give less, the pressure does. */
void mr_cdu_group_set_open(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                           double open_frac);
/** Flow over design that the neediest rack asks for. Pumps go to the class above it. */
void mr_cdu_group_set_need(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                           double need_frac);
/** Pumps are where they were going to. */
void mr_cdu_group_rest(const struct mr_cdu_group *group, struct mr_cdu_group_state *state);
/** Fouling is linear in time: full at fouling_s. */
void mr_cdu_group_set_age(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                          double age_s);

/** Supply to the racks: without flow what stands in them, which warms as the loop does. Heat given
 * to the facility now [W]. */
double mr_cdu_group_supply_c(const struct mr_cdu_group *group,
                             const struct mr_cdu_group_state *state);
double mr_cdu_group_rejected_w(const struct mr_cdu_group *group,
                               const struct mr_cdu_group_state *state);

/** Flow over design as it counts now: that of its class, exact once it is where it goes, and no
 * more than racks let through. */
double mr_cdu_group_flow(const struct mr_cdu_group_state *state);

/** Flow of the racks over what they take at the header's pressure; that pressure is this to the
 *  power of their law. */
double mr_cdu_group_header_frac(const struct mr_cdu_group_state *state);

/** Speed of the pumps that run, over their rated one. */
double mr_cdu_group_speed_frac(const struct mr_cdu_group *group,
                               const struct mr_cdu_group_state *state);

/** Facility water that the valve lets through for the heat taken now, over its design flow. */
double mr_cdu_group_valve_frac(const struct mr_cdu_group *group,
                               const struct mr_cdu_group_state *state);

/** Growth of plates' resistance, and of pressure drops, by fouling at the state's age. */
double mr_cdu_group_plate_fouling(const struct mr_cdu_group *group,
                                  const struct mr_cdu_group_state *state);
double mr_cdu_group_drop_fouling(const struct mr_cdu_group *group,
                                 const struct mr_cdu_group_state *state);

#endif
