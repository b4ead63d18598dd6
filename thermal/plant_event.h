/* SPDX-License-Identifier: Apache-2.0 */
/* What a plant tells: kinds of events, in the words of result files, and one event. Append only:
 * the values are written to files. */
#ifndef MR_THERMAL_PLANT_EVENT_H
#define MR_THERMAL_PLANT_EVENT_H

/* name, text, what its value is in */
#define MR_PLANT_EVENT_LIST(X)                         \
    X(THROTTLE_ON, "th.throttle_on", "degC")           \
    X(THROTTLE_OFF, "th.throttle_off", "degC")         \
    X(HBM_LIMIT, "th.hbm_limit", "degC")               \
    X(SHUTDOWN, "th.shutdown", "degC")                 \
    X(RESTART, "th.restart", "degC")                   \
    X(CDU_SATURATED, "th.cdu_saturated", "degC")       \
    X(CDU_REGULATED, "th.cdu_regulated", "degC")       \
    X(SUPPLY_HIGH, "th.supply_high", "degC")           \
    X(NOFLOW, "th.noflow", "L/min")                    \
    X(CDU_TRIP, "th.cdu_trip", "units")                \
    X(PUMP_TRIP, "th.pump_trip", "")                   \
    X(RACK_FLOW_LOW, "th.rack_flow_low", "of design")  \
    X(RACK_RETURN_HIGH, "th.rack_return_high", "degC") \
    X(LEAK, "th.leak", "")                             \
    X(ISOLATED, "th.isolated", "")                     \
    X(MODE, "th.mode", "")                             \
    X(FWS_HIGH, "th.fws_high", "degC")                 \
    X(ROOM_HIGH, "th.room_high", "degC")               \
    X(FAN_LOSS, "th.fan_loss", "of fans")              \
    X(UTILITY_LOSS, "th.utility_loss", "")             \
    X(UTILITY_BACK, "th.utility_back", "")             \
    X(CRAH_TRIP, "th.crah_trip", "units")              \
    X(CHILLER_TRIP, "th.chiller_trip", "units")        \
    X(LOOP_PUMP_TRIP, "th.loop_pump_trip", "pumps")    \
    X(WATER_LIMIT, "th.water_limit", "")               \
    X(TOWER_BOUNDS, "th.tower_bounds", "")             \
    X(VALVE_STUCK, "th.valve_stuck", "closed")         \
    X(SENSOR_FAULT, "th.leak_sensor_fault", "")        \
    X(ECLIPSE_IN, "orbit.eclipse_in", "degC")          \
    X(ECLIPSE_OUT, "orbit.eclipse_out", "degC")        \
    X(RADIATOR_HIGH, "orbit.radiator_high", "degC")

enum mr_plant_event_kind {
#define MR_PLANT_EVENT_ENUM(name, text, unit) MR_PLANT_##name,
    MR_PLANT_EVENT_LIST(MR_PLANT_EVENT_ENUM)
#undef MR_PLANT_EVENT_ENUM
    MR_PLANT_N_EVENT
};

struct mr_plant_event {
    double t_s;
    int kind;           /* enum mr_plant_event_kind */
    const char *entity; /* its name in the site; lent */
    double value, limit;
};

/* Called during mr_plant_advance, steps in order of time, inside a step in order of entity. */
typedef void mr_plant_on_event(void *context, const struct mr_plant_event *event);

/** Static text, "th.throttle_on". */
const char *mr_plant_event_name(int kind);

#endif
