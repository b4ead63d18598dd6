/* SPDX-License-Identifier: Apache-2.0 */
/* What a supply tells while it moves on: its own events and, by their names, the chain's. */
#ifndef MR_POWER_SUPPLY_EVENT_H
#define MR_POWER_SUPPLY_EVENT_H

/* kind is a chain's event name or one of these: name, text, what value and limit are in ("W,s":
 * the limit is in s), meaning */
#define MR_SUPPLY_EVENT_LIST(X)                                                                   \
    X(GRID_LOST, "grid.lost", "W", "the connection is gone")                                      \
    X(GRID_BACK, "grid.back", "W", "it is there again")                                           \
    X(RACK_LOST, "power.rack_lost", "W", "a rack has no supply; value: what it drew")             \
    X(RACK_RIDES, "power.rack_rides", "W,s",                                                      \
      "its shelves' capacitors carry it; value: what it draws, limit: seconds they last")         \
    X(RACK_BACK, "power.rack_back", "W", "it runs again; value: what it may draw")                \
    X(BUFFER_EMPTY, "power.buffer_empty", "J", "a storage has nothing left")                      \
    X(BUFFER_FULL, "power.buffer_full", "J", "a storage is full")                                 \
    X(SOURCE_SHORT, "power.source_short", "W", "what stands at a bar cannot carry it")            \
    X(GEN_START, "power.gen_start", "W", "a block of generators was asked to run")                \
    X(SOURCE_ON, "power.source_on", "W", "what stands at a bar carries it; value: watts")         \
    X(BUDGET, "power.budget_infeasible", "W", "not even the lowest caps fit; value: their sum")   \
    X(RAMP, "power.ramp_violation", "W/s",                                                        \
      "the meter moved faster than allowed; value: W/s, below 0: down")                           \
    X(STATUS, "grid.powerstate", "W", "a status of the connection; value: load, limit: target")   \
    X(SUSPEND, "power.rack_suspended", "W",                                                       \
      "a rack must rest; value: what it drew, limit: may draw")                                   \
    X(SHUT_DOWN, "power.rack_shut", "W", "a rack must stop; value: what it drew")                 \
    X(PARTLY, "power.rack_partly", "packages",                                                    \
      "a part of it must rest; value: packages that may work, limit: of so many")                 \
    X(RESUME, "power.rack_resumed", "W", "it may go on; value: what it may draw")                 \
    X(UFLS, "grid.ufls", "Hz", "a frequency relay opened; value: Hz, limit: its threshold")       \
    X(FREQUENCY, "grid.frequency", "Hz",                                                          \
      "the grid's frequency passes what the site leaves it at; value: Hz, limit: that")           \
    X(COLLAPSE, "grid.collapse", "Hz", "machines have left the bus; value: Hz, limit: the least") \
    X(GEN_ON, "power.gen_on", "units",                                                            \
      "units came on the bus; value: units on it, limit: installed")                              \
    X(GEN_OFF, "power.gen_off", "units", "units left the bus as planned; value: units on it")     \
    X(GEN_FAIL, "power.gen_fail", "units",                                                        \
      "units failed, or did not start; value: failed, limit: all")                                \
    X(GEN_REPAIRED, "power.gen_repaired", "units", "units are there again; value: still failed")  \
    X(SOURCE_OFF, "power.source_off", "", "what stood at a bar carries it no more")               \
    X(ISLAND, "grid.island", "W", "machines carry a bus alone; value: watts")                     \
    X(RECONNECT, "grid.reconnect", "", "that has ended")                                          \
    X(NADIR, "grid.nadir", "Hz", "lowest frequency of a swing; value: Hz, limit: the nominal")    \
    X(DIP, "grid.dip", "", "the grid's voltage is low; value: over nominal")                      \
    X(LEVEL_OVER, "power.level_over", "W", "racks draw more than their level may; value: watts")  \
    X(CAP_ON, "power.cap_on", "racks", "caps hold back work; value: racks, limit: of so many")    \
    X(CAP_OFF, "power.cap_off", "racks", "they do no more")                                       \
    X(CAP_INFEASIBLE, "power.cap_infeasible", "W",                                                \
      "a package draws more than its cap at its lowest clock; value: watts, limit: cap")          \
    X(BREACH, "grid.powerbreach", "W", "an alert of the connection; value: load, limit: target")

enum mr_supply_event_kind {
#define MR_SUPPLY_ENUM(name, text, unit, doc) MR_SUPPLY_##name,
    MR_SUPPLY_EVENT_LIST(MR_SUPPLY_ENUM)
#undef MR_SUPPLY_ENUM
    MR_N_SUPPLY_EVENT
};

struct mr_supply_event {
    double t_s;
    const char *kind, *entity, *detail; /* static or lent from site and tree; detail may be "" */
    double value, limit;
};

const char *mr_supply_event_name(int kind);

struct mr_supply;
struct mr_feed_alert;
struct mr_feed_status;

/** The alert whose event is being told just now, for listeners who only hear of it; else NULL. */
const struct mr_feed_alert *mr_supply_alert(const struct mr_supply *supply);

/** The same of statuses. */
const struct mr_feed_status *mr_supply_status(const struct mr_supply *supply);

#endif
