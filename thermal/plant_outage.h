/* SPDX-License-Identifier: Apache-2.0 */
/* What can fail in a plant, and what follows. Outages are told as what is lost in all: an owner of
 * several that overlap on one part adds them up or takes the worst (`adds`), so that the end of one
 * brings nothing back that another still holds. Loss of the utility is apart: what it takes comes
 * back with it unless it is lost for a reason of its own.
 *
 * Leaks of racks run by themselves once they begin (thermal/leak); a rack may have several, each
 * tray its own. What is cut off stays so until the last leak that cuts it is repaired. A leak of a
 * CDU is told like an outage: its unit stops when the leak is detected and is shut off while its
 * valves close; racks keep what the units that are left can give. */
#ifndef MR_THERMAL_PLANT_OUTAGE_H
#define MR_THERMAL_PLANT_OUTAGE_H

#include "thermal/leak.h"

#include <stdint.h>

struct mr_plant;
struct mr_plant_state;

#define MR_PLANT_PART_LIST(X) \
    X(SITE, "site")           \
    X(CDU, "CDU group")       \
    X(LOOP, "loop")           \
    X(HALL, "hall")           \
    X(RACK, "rack")

enum mr_plant_part {
#define MR_PLANT_PART_ENUM(name, text) MR_PLANT_PART_##name,
    MR_PLANT_PART_LIST(MR_PLANT_PART_ENUM)
#undef MR_PLANT_PART_ENUM
};

/* name, text, part, do overlapping ones add up, value */
// clang-format off
#define MR_PLANT_OUTAGE_LIST(X)                                                              \
    X(PUMPS, "pumps", CDU, false, "pumps of a CDU group have no power")                      \
    X(UNITS, "cdu", CDU, true, "units of a CDU group; value: how many, 1")                   \
    X(UNIT_LEAK, "cdu_leak", CDU, true, "units of a CDU group leak; value: how many, 1")     \
    X(FANS, "fans", LOOP, true, "fans of a loop's heat rejection; value: share, 1")          \
    X(CHILLERS, "chillers", LOOP, true, "chillers of a loop; value: how many, all")          \
    X(WATER, "water", LOOP, false, "water of a loop's towers and pads")                      \
    X(LOOP_PUMPS, "loop_pumps", LOOP, true, "facility pumps of a loop; value: how many, all") \
    X(AIR, "air", HALL, true, "air handlers of a hall; value: how many, all")                \
    X(VALVE, "valve", RACK, false, "a rack's valve sticks; value: share closed, 1")          \
    X(SENSOR, "sensor", RACK, false, "a rack's leak detectors are blind")                    \
    X(UTILITY, "utility", SITE, false, "the site's supply; pumps on UPS run on")
// clang-format on

enum mr_plant_outage {
#define MR_PLANT_OUTAGE_ENUM(name, text, part, adds, doc) MR_PLANT_OUT_##name,
    MR_PLANT_OUTAGE_LIST(MR_PLANT_OUTAGE_ENUM)
#undef MR_PLANT_OUTAGE_ENUM
    MR_PLANT_N_OUTAGE
};

struct mr_plant_outage_kind {
    const char *name, *doc;
    int part; /* enum mr_plant_part */
    bool adds;
};

/** @param[in] kind enum mr_plant_outage */
const struct mr_plant_outage_kind *mr_plant_outage_kind(int kind);
const char *mr_plant_part_name(int part);
size_t mr_plant_n_part(const struct mr_plant *plant, int part);

/** The most that can be lost: units, pumps, air handlers, or 1. 0: this part has nothing of it. */
double mr_plant_outage_most(const struct mr_plant *plant, int kind, uint32_t part);

/** What is lost from now on. @param[in] value 0: nothing; at most mr_plant_outage_most */
void mr_plant_set_outage(const struct mr_plant *plant, struct mr_plant_state *state, int kind,
                         uint32_t part, double value);

/** Whether whoever drives the plant has power for the pumps of a CDU group, or of a loop's facility
 *  water; nobody says: they have. */
void mr_plant_feed_group(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t group,
                         bool has_power);
void mr_plant_feed_loop(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t loop,
                        bool has_power);

/** And for the air handlers of a hall: once told, the utility's loss is not theirs. */
void mr_plant_feed_hall(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t hall,
                        bool has_power);

/** A leak begins, in every rack of the row where the scope says so. Racks without liquid have none.
 *  @return MR_NOMEM, and nothing leaks */
MR_CHECKED mr_status mr_plant_leak(const struct mr_plant *plant, struct mr_plant_state *state,
                                   uint32_t rack, enum mr_leak_scope scope, struct mr_err *err);

#endif
