/* SPDX-License-Identifier: Apache-2.0 */
/* How often what is recorded: one time for all series, or times of their own by kind, as
 * --record-every has them: "5s", "racks=10s,site=1s", "5s,racks=1min". Kinds that are not named
 * have the first, or the default. */
#ifndef MR_ENGINE_TWIN_RECORD_EVERY_H
#define MR_ENGINE_TWIN_RECORD_EVERY_H

#include "engine/twin/record_level.h"

/* kind, group of its series */
#define MR_RECORD_EVERY_LIST(X)       \
    X(SITE, "site", "/site")          \
    X(HALLS, "halls", "/halls")       \
    X(ROWS, "rows", "/rows")          \
    X(RACKS, "racks", "/racks")       \
    X(DIES, "dies", "/packages")      \
    X(CDUS, "cdus", "/cdus")          \
    X(PLANT, "plant", "/plant")       \
    X(WEATHER, "weather", "/weather") \
    X(FEEDS, "feeds", "/grid")        \
    X(POWER, "power", "/power")       \
    X(METERS, "meters", "/meters")    \
    X(POOLS, "pools", "/pools")       \
    X(TIERS, "tiers", "/tiers")

/* Kinds of which it is a date, 1 << enum mr_record_kind each. */
#define MR_RECORD_ALL_KINDS UINT32_MAX

enum mr_record_kind {
#define MR_RECORD_KIND(name, text, group) MR_RECORD_##name,
    MR_RECORD_EVERY_LIST(MR_RECORD_KIND)
#undef MR_RECORD_KIND
    MR_RECORD_KINDS
};

static inline bool mr_record_is_due(uint32_t kinds, enum mr_record_kind kind)
{
    return (kinds >> kind & 1) != 0;
}

#define MR_RECORD_EVERY_DEFAULT "1 s"

struct mr_record_every {
    double every_s[MR_RECORD_KINDS];
};

/** @return MR_RANGE, MR_UNIT or MR_SCHEMA saying what is wrong */
MR_CHECKED mr_status mr_record_every_parse(const char *text, struct mr_record_every *every,
                                           struct mr_err *err);

/** Kind of the series of a group, "/plant/rejection". @return is it one? */
bool mr_record_kind_of(const char *group, enum mr_record_kind *kind);

/** Is a kind recorded at all? */
bool mr_record_has(const struct mr_record_level *level, enum mr_record_kind kind);

/** One time for all. */
struct mr_record_every mr_record_every_all(double every_s);

/* Intervals of dates, and whose they are. */
struct mr_record_dates {
    double every_s[MR_RECORD_KINDS + 1];
    uint32_t n;
    uint32_t due[MR_RECORD_KINDS]; /* 1 << place of the kind's interval; 0: it is not recorded */
    uint32_t look; /* likewise: when pools and tiers, which no exchange looks at, are for peaks */
};

/** Different intervals of what a level records. */
void mr_record_every_dates(const struct mr_record_every *every, const struct mr_record_level *level,
                           struct mr_record_dates *dates);

/** Always the same text for the same intervals. */
void mr_record_every_write(const struct mr_record_every *every, struct mr_buf *out);

#endif
