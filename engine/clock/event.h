/* SPDX-License-Identifier: Apache-2.0 */
/* An event of simulated time and its place in the total order (time, kind, entity): two integers
 * that compare like the triple, so that a comparison is one 128-bit subtraction and equal times
 * never depend on memory layout or insertion history. Sixteen bytes wherever an event is kept.
 *
 * Nobody deletes an event. Each carries the generation its (kind, entity) had when it was planned;
 * whoever plans anew counts the generation up, and whoever receives an event drops it when the
 * generations differ. Two events of one (kind, entity) at one time differ by generation, so that
 * even stale ones have one order. Inline: an event is made and compared several times per call. */
#ifndef MR_ENGINE_CLOCK_EVENT_H
#define MR_ENGINE_CLOCK_EVENT_H

#include "engine/base/assert.h"

#include <string.h>

enum {
    MR_EVENT_KINDS = 1 << 8, /* kinds count from 0, the first at one time first */
    MR_EVENT_GENERATIONS = 1 << 24
};

struct mr_event {
    uint64_t when; /* mr_event_key of the time */
    uint64_t what; /* kind 8 bits, entity 32, generation 24 */
};

/** A whole number that orders like the time it is made of. Of two doubles that are not negative the
 *  larger has the larger bits; negative ones order backwards, so their bits are inverted and the
 *  rest moved above them. -0 is 0. @param[in] time_s not NaN; infinite times are times */
static inline uint64_t mr_event_key(double time_s)
{
    const double plain = time_s + 0.0; /* -0 + 0 = +0 */
    uint64_t bits;
    MR_ASSERT(time_s == time_s);
    memcpy(&bits, &plain, sizeof bits);
    return bits ^ ((0 - (bits >> 63)) | UINT64_C(1) << 63);
}

/** The time a key was made of, every bit of it. */
static inline double mr_event_key_time_s(uint64_t key)
{
    const uint64_t is_negative = (key >> 63) - 1; /* every bit, or none */
    const uint64_t bits = key ^ (is_negative | UINT64_C(1) << 63);
    double time_s;
    memcpy(&time_s, &bits, sizeof time_s);
    return time_s;
}

/** @param[in] kind below MR_EVENT_KINDS @param[in] generation counted modulo MR_EVENT_GENERATIONS
 */
static inline struct mr_event mr_event_at(double time_s, uint32_t kind, uint32_t entity,
                                          uint32_t generation)
{
    MR_ASSERT(kind < MR_EVENT_KINDS);
    return (struct mr_event){mr_event_key(time_s), (uint64_t)kind << 56 | (uint64_t)entity << 24 |
                                                       (generation & (MR_EVENT_GENERATIONS - 1))};
}

static inline double mr_event_time_s(struct mr_event e)
{
    return mr_event_key_time_s(e.when);
}

static inline uint32_t mr_event_kind(struct mr_event e)
{
    return (uint32_t)(e.what >> 56);
}

static inline uint32_t mr_event_entity(struct mr_event e)
{
    return (uint32_t)(e.what >> 24);
}

static inline uint32_t mr_event_generation(struct mr_event e)
{
    return (uint32_t)e.what & (MR_EVENT_GENERATIONS - 1);
}

/** Strictly before in the total order. Without a branch: which of two events comes first is what a
 *  predictor cannot know. */
static inline bool mr_event_is_before(struct mr_event a, struct mr_event b)
{
    __extension__ typedef unsigned __int128 u128;
    return ((u128)a.when << 64 | a.what) < ((u128)b.when << 64 | b.what);
}

#endif
