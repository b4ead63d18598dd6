/* SPDX-License-Identifier: Apache-2.0 */
/* The calendar of a cell: events of later windows sleep unsorted, 16 bytes each, in the list of
 * their window; opening a window sorts its list by radix; what is planned for the window being
 * played goes to a small heap beside it. No structure ever holds all sleepers in order.
 *
 * The lists of the next 64 windows are exact. Farther ones share: 64 lists of 64 windows, 64 lists
 * of 64^2 windows, up to 64^6; when the first window of a shared list comes near, the list is dealt
 * out to finer ones. So an event a year ahead costs what one in a minute does, and is touched at
 * most five times before its window. Times from MR_WINDOW_LAST on are counted and forgotten.
 *
 * Lists are chains of chunks of 31 events cut from a store that all cells of a rank share: an open
 * end costs half a chunk, nothing ever moves to grow, and the chunks of an opened window are at
 * once those of others. Events are never deleted: see event.h for generations.
 *
 * A cell is opened, played and closed window by window; between windows only mr_calendar_push is
 * allowed. After MR_NOMEM only mr_calendar_fini is. */
#ifndef MR_ENGINE_CLOCK_CALENDAR_H
#define MR_ENGINE_CLOCK_CALENDAR_H

#include "engine/clock/heap.h"
#include "engine/clock/window.h"

enum {
    MR_CALENDAR_DIGIT = 6, /* bits of the window number that one level resolves */
    MR_CALENDAR_LEVELS = 6,
    MR_CALENDAR_LISTS = 1 << MR_CALENDAR_DIGIT
};

/* No event in any window. */
#define MR_CALENDAR_NEVER UINT64_MAX

/* ---- chunks of events, shared by the calendars of a rank ---- */

struct mr_calendar_chunk;
struct mr_calendar_block;

struct mr_calendar_events {
    struct mr_event *event;
    size_t cap;
};

/* Zero-initialize. Not shared between threads. */
struct mr_calendar_store {
    struct mr_calendar_block *block; /* [n_block] */
    size_t n_block, cap_block;
    uint32_t with_free;                      /* 1 + first block with a free chunk, 0: none */
    uint32_t unused;                         /* 1 + first block entry without memory, 0: none */
    uint32_t n_empty;                        /* blocks all of whose chunks are free: one is kept */
    size_t n_chunk;                          /* in all blocks */
    size_t n_chunk_taken;                    /* in lists */
    struct mr_calendar_events sorting;       /* where opening a window puts its list */
    struct mr_calendar_events ready, coming; /* kept from the last calendar that closed */
};

/** Bytes held: chunks and buffers that no calendar has. */
size_t mr_calendar_store_bytes(const struct mr_calendar_store *store);

/** All calendars are finished. */
void mr_calendar_store_fini(struct mr_calendar_store *store);

/* ---- the calendar ---- */

struct mr_calendar {
    struct mr_calendar_store *store; /* lent */
    struct mr_window_grid grid;
    uint64_t at;   /* window opened last; before that the first */
    uint64_t next; /* first window that is still to be opened */
    bool is_open;
    double now_s;                    /* time of the event taken last */
    uint64_t n_asleep;               /* events of windows that are not open */
    uint64_t n_never;                /* events past the last window: counted, not kept */
    struct mr_calendar_events ready; /* of the open window, sorted; lent by the store */
    size_t n_ready, i_ready;         /* ready.event[n_ready] is past all events */
    struct mr_heap_events coming;    /* planned while the window was open */
    size_t cap_coming;
    uint64_t has[MR_CALENDAR_LEVELS]; /* bit i: list[level][i] is not empty */
    struct mr_calendar_chunk *list[MR_CALENDAR_LEVELS][MR_CALENDAR_LISTS];
};

/** Empty; events from window `first` on may come. @param[in] store lent, outlives the calendar */
void mr_calendar_init(struct mr_calendar *calendar, struct mr_calendar_store *store,
                      struct mr_window_grid grid, uint64_t first);
void mr_calendar_fini(struct mr_calendar *calendar);

/** Plan an event. Its time is in the open window and not before the event taken last, or in a
 *  window that is still to be opened. About 5 ns; allocates once in some thousand times. */
MR_CHECKED mr_status mr_calendar_push(struct mr_calendar *calendar, struct mr_event event,
                                      struct mr_err *err);

/** Open a window: its events can be taken. No event may be in a window that is skipped.
 *  @param[in] window at least calendar->next, below MR_WINDOW_LAST */
MR_CHECKED mr_status mr_calendar_open(struct mr_calendar *calendar, uint64_t window,
                                      struct mr_err *err);

/** Close the open window, all of whose events have been taken. */
void mr_calendar_close(struct mr_calendar *calendar);

/** A window no event is before: the exact next one among the nearest 64, else possibly an earlier
 *  one, whose opening resolves it; MR_CALENDAR_NEVER when nothing sleeps. For loops that skip. */
uint64_t mr_calendar_next_window(const struct mr_calendar *calendar);

/** The first event of the open window, or one past all events (when and what UINT64_MAX). */
static inline struct mr_event mr_calendar_peek(const struct mr_calendar *calendar)
{
    MR_ASSERT(calendar->is_open);
    const struct mr_event ready = calendar->ready.event[calendar->i_ready];
    if (calendar->coming.n == 0)
        return ready;
    const struct mr_event coming = calendar->coming.event[0];
    return mr_event_is_before(coming, ready) ? coming : ready;
}

/** When that is: UINT64_MAX where the open window has none. */
static inline uint64_t mr_calendar_next_key(const struct mr_calendar *calendar)
{
    MR_ASSERT(calendar->is_open);
    const uint64_t ready = calendar->ready.event[calendar->i_ready].when;
    const uint64_t coming = calendar->coming.n > 0 ? calendar->coming.event[0].when : ready;
    return coming < ready ? coming : ready;
}

static inline bool mr_calendar_has_event(const struct mr_calendar *calendar)
{
    return calendar->i_ready < calendar->n_ready || calendar->coming.n > 0;
}

/** Take the first event. The open window has one. */
static inline struct mr_event mr_calendar_take(struct mr_calendar *calendar)
{
    MR_ASSERT(mr_calendar_has_event(calendar));
    struct mr_event event = calendar->ready.event[calendar->i_ready];
    if (calendar->coming.n > 0 && mr_event_is_before(calendar->coming.event[0], event))
        event = mr_heap_events_pop(&calendar->coming);
    else
        calendar->i_ready++;
    calendar->now_s = mr_event_time_s(event);
    return event;
}

/** The event `distance` places ahead among those that slept, for prefetching what it will touch, or
 *  NULL. @return lent until the window closes */
static inline const struct mr_event *mr_calendar_ahead(const struct mr_calendar *calendar,
                                                       size_t distance)
{
    return calendar->n_ready - calendar->i_ready > distance
               ? &calendar->ready.event[calendar->i_ready + distance]
               : NULL;
}

#endif
