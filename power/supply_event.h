/* SPDX-License-Identifier: Apache-2.0 */
/* What a supply tells while it moves on: its own events and, by their names, the chain's. */
#ifndef MR_POWER_SUPPLY_EVENT_H
#define MR_POWER_SUPPLY_EVENT_H

/* kind is a chain's event name or one of these */
#define MR_SUPPLY_EVENT_LIST(X)                                                                  \
    X(GRID_LOST, "grid.lost", "the connection is gone")                                          \
    X(GRID_BACK, "grid.back", "it is there again")                                               \
    X(RACK_LOST, "power.rack_lost", "a rack has no supply; value: what it drew")                 \
    X(RACK_RIDES, "power.rack_rides",                                                            \
      "its shelves' capacitors carry it; value: what it draws, limit: seconds they last")        \
    X(RACK_BACK, "power.rack_back", "it runs again; value: what it may draw")                    \
    X(BUFFER_EMPTY, "power.buffer_empty", "a storage has nothing left")                          \
    X(BUFFER_FULL, "power.buffer_full", "a storage is full")                                     \
    X(SOURCE_SHORT, "power.source_short", "what stands at a bar cannot carry it")                \
    X(GEN_START, "power.gen_start", "a block of generators was asked to run")                    \
    X(SOURCE_ON, "power.source_on", "what stands at a bar carries it; value: watts")             \
    X(BUDGET, "power.budget_infeasible", "not even the lowest caps fit; value: their sum")       \
    X(RAMP, "power.ramp_violation",                                                              \
      "the meter moved faster than allowed; value: W/s, below 0: down")                          \
    X(STATUS, "grid.powerstate", "a status of the connection; value: load, limit: target")       \
    X(SUSPEND, "power.rack_suspended", "a rack must rest; value: what it drew, limit: may draw") \
    X(SHUT_DOWN, "power.rack_shut", "a rack must stop; value: what it drew")                     \
    X(PARTLY, "power.rack_partly",                                                               \
      "a part of it must rest; value: packages that may work, limit: of so many")                \
    X(RESUME, "power.rack_resumed", "it may go on; value: what it may draw")                     \
    X(UFLS, "grid.ufls", "a frequency relay opened; value: Hz, limit: its threshold")            \
    X(FREQUENCY, "grid.frequency",                                                               \
      "the grid's frequency passes what the site leaves it at; value: Hz, limit: that")          \
    X(COLLAPSE, "grid.collapse", "machines have left the bus; value: Hz, limit: the least")      \
    X(GEN_ON, "power.gen_on", "units came on the bus; value: units on it, limit: installed")     \
    X(GEN_OFF, "power.gen_off", "units left the bus as planned; value: units on it")             \
    X(GEN_FAIL, "power.gen_fail", "units failed, or did not start; value: failed, limit: all")   \
    X(GEN_REPAIRED, "power.gen_repaired", "units are there again; value: still failed")          \
    X(SOURCE_OFF, "power.source_off", "what stood at a bar carries it no more")                  \
    X(ISLAND, "grid.island", "machines carry a bus alone; value: watts")                         \
    X(RECONNECT, "grid.reconnect", "that has ended")                                             \
    X(NADIR, "grid.nadir", "lowest frequency of a swing; value: Hz, limit: the nominal")         \
    X(DIP, "grid.dip", "the grid's voltage is low; value: over nominal")                         \
    X(LEVEL_OVER, "power.level_over", "racks draw more than their level may; value: watts")      \
    X(CAP_ON, "power.cap_on", "caps hold back work; value: racks, limit: of so many")            \
    X(CAP_OFF, "power.cap_off", "they do no more")                                               \
    X(CAP_INFEASIBLE, "power.cap_infeasible",                                                    \
      "a package draws more than its cap at its lowest clock; value: watts, limit: cap")         \
    X(BREACH, "grid.powerbreach", "an alert of the connection; value: load, limit: target")

enum mr_supply_event_kind {
#define MR_SUPPLY_ENUM(name, text, doc) MR_SUPPLY_##name,
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
