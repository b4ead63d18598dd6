/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of sleeping events. Write window numbers with digits of six bits. An event of window k is
 * kept at the level of the highest digit in which k differs from `at`, in the list of that digit:
 * level 0 holds the windows of the current 64, one list each. When `at` moves to a window whose
 * digit at some level changes, the list it now points to holds exactly the events whose higher
 * digits have become equal, and they differ from `at` in a lower digit or not at all: they are
 * dealt to lower levels, the highest level first. */
#include "engine/base/mem.h"
#include "engine/clock/calendar_impl.h"

enum {
    digit_mask = MR_CALENDAR_LISTS - 1
};

_Static_assert(MR_CALENDAR_DIGIT *MR_CALENDAR_LEVELS == 36, "levels resolve MR_WINDOW_LAST");
_Static_assert(sizeof(struct mr_calendar_chunk) == 512, "a chunk is eight cache lines");

static const struct mr_event past_all = {UINT64_MAX, UINT64_MAX};

void mr_calendar_init(struct mr_calendar *calendar, struct mr_calendar_store *store,
                      struct mr_window_grid grid, uint64_t first)
{
    MR_ASSERT(first < MR_WINDOW_LAST);
    *calendar = (struct mr_calendar){.store = store, .grid = grid, .at = first, .next = first};
}

void mr_calendar_fini(struct mr_calendar *calendar)
{
    for (int level = 0; level < MR_CALENDAR_LEVELS; level++)
        for (int i = 0; i < MR_CALENDAR_LISTS; i++)
            for (struct mr_calendar_chunk *it = calendar->list[level][i], *next; it != NULL;
                 it = next) {
                next = it->next;
                mr_calendar_store_give(calendar->store, it);
            }
    mr_free(calendar->ready.event);
    mr_free(calendar->coming.event);
    *calendar = (struct mr_calendar){0};
}

/* ---- going to sleep ---- */

static mr_status append(struct mr_calendar *calendar, uint64_t window, struct mr_event event,
                        struct mr_err *err)
{
    const uint64_t differs = (window ^ calendar->at) | 1; /* the same window: level 0 */
    const int level = (63 - __builtin_clzll(differs)) / MR_CALENDAR_DIGIT;
    const unsigned i = window >> (level * MR_CALENDAR_DIGIT) & digit_mask;
    struct mr_calendar_chunk *chunk = calendar->list[level][i];
    if (chunk == NULL || chunk->n == MR_CALENDAR_CHUNK) {
        struct mr_calendar_chunk *const fresh = mr_calendar_store_take(calendar->store, err);
        if (fresh == NULL)
            return MR_NOMEM;
        fresh->next = chunk;
        calendar->list[level][i] = chunk = fresh;
        calendar->has[level] |= UINT64_C(1) << i;
    }
    chunk->event[chunk->n++] = event;
    return MR_OK;
}

/* The heap of the open window: it starts with the buffer the last calendar left. */
static mr_status push_coming(struct mr_calendar *calendar, struct mr_event event,
                             struct mr_err *err)
{
    struct mr_heap_events *const coming = &calendar->coming;
    if (coming->n == calendar->cap_coming) {
        MR_TRY(mr_grow(&coming->event, &calendar->cap_coming, (size_t)coming->n + 1,
                       sizeof *coming->event, err));
        MR_ASSERT(calendar->cap_coming <= UINT32_MAX);
        coming->cap = (uint32_t)calendar->cap_coming;
    }
    mr_heap_events_push(coming, event);
    return MR_OK;
}

mr_status mr_calendar_push(struct mr_calendar *calendar, struct mr_event event, struct mr_err *err)
{
    const double time_s = mr_event_time_s(event);
    const uint64_t window = mr_window_of(calendar->grid, time_s);
    if (calendar->is_open && window == calendar->at) {
        MR_ASSERT(time_s >= calendar->now_s);
        return push_coming(calendar, event, err);
    }
    MR_ASSERT(window >= calendar->next);
    if (window == MR_WINDOW_LAST) {
        calendar->n_never++;
        return MR_OK;
    }
    MR_TRY(append(calendar, window, event, err));
    calendar->n_asleep++;
    return MR_OK;
}

uint64_t mr_calendar_next_window(const struct mr_calendar *calendar)
{
    for (int level = 0; level < MR_CALENDAR_LEVELS; level++)
        if (calendar->has[level] != 0) {
            const int shift = level * MR_CALENDAR_DIGIT;
            const uint64_t above = calendar->at >> shift & ~(uint64_t)digit_mask;
            return (above | (uint64_t)__builtin_ctzll(calendar->has[level])) << shift;
        }
    return MR_CALENDAR_NEVER;
}

/* ---- waking up ---- */

static struct mr_calendar_chunk *take_list(struct mr_calendar *calendar, int level)
{
    const unsigned i = calendar->at >> (level * MR_CALENDAR_DIGIT) & digit_mask;
    struct mr_calendar_chunk *const list = calendar->list[level][i];
    calendar->list[level][i] = NULL;
    calendar->has[level] &= ~(UINT64_C(1) << i);
    return list;
}

/* Chunks are given back one by one, so that dealing out takes no more memory than it found, but for
 * one open chunk per finer list. */
static mr_status deal_out(struct mr_calendar *calendar, struct mr_calendar_chunk *list,
                          struct mr_err *err)
{
    mr_status st = MR_OK;
    for (struct mr_calendar_chunk *it = list, *next; it != NULL; it = next) {
        next = it->next;
        for (uint32_t i = 0; i < it->n && st == MR_OK; i++) {
            const struct mr_event e = it->event[i];
            st = append(calendar, mr_window_of(calendar->grid, mr_event_time_s(e)), e, err);
        }
        mr_calendar_store_give(calendar->store, it);
    }
    return st;
}

static mr_status grow_events(struct mr_calendar_events *events, size_t n, struct mr_err *err)
{
    return mr_grow(&events->event, &events->cap, n, sizeof *events->event, err);
}

/* The list of the window into the buffer of the store, sorted into that of the calendar. */
static mr_status make_ready(struct mr_calendar *calendar, struct mr_calendar_chunk *list,
                            struct mr_err *err)
{
    struct mr_calendar_events *const sorting = &calendar->store->sorting;
    size_t n = 0;
    for (const struct mr_calendar_chunk *it = list; it != NULL; it = it->next)
        n += it->n;
    mr_status st = grow_events(sorting, n + 1, err); /* one more: never NULL */
    if (st == MR_OK)
        st = grow_events(&calendar->ready, n + 1, err);
    size_t at = 0;
    for (struct mr_calendar_chunk *it = list, *next; it != NULL; it = next) {
        next = it->next;
        if (st == MR_OK)
            memcpy(sorting->event + at, it->event, it->n * sizeof *it->event);
        at += it->n;
        mr_calendar_store_give(calendar->store, it);
    }
    if (st != MR_OK)
        return st;
    mr_calendar_sort(sorting->event, calendar->ready.event, n);
    calendar->ready.event[n] = past_all;
    calendar->n_ready = n;
    calendar->i_ready = 0;
    calendar->n_asleep -= n;
    return MR_OK;
}

/* Buffers wander from the calendar that closes to the one that opens. */
static void borrow(struct mr_calendar *calendar)
{
    struct mr_calendar_store *const store = calendar->store;
    calendar->ready = store->ready;
    calendar->coming = (struct mr_heap_events){store->coming.event, 0, (uint32_t)store->coming.cap};
    calendar->cap_coming = store->coming.cap;
    store->ready = store->coming = (struct mr_calendar_events){0};
}

mr_status mr_calendar_open(struct mr_calendar *calendar, uint64_t window, struct mr_err *err)
{
    MR_ASSERT(!calendar->is_open);
    MR_ASSERT(window >= calendar->next && window < MR_WINDOW_LAST);
    MR_ASSERT(window <= mr_calendar_next_window(calendar));
    const uint64_t before = calendar->at;
    calendar->at = window;
    calendar->next = window + 1;
    calendar->is_open = true;
    calendar->now_s = mr_window_start_s(calendar->grid, window);
    borrow(calendar);
    for (int level = MR_CALENDAR_LEVELS - 1; level > 0; level--)
        if ((before ^ window) >> (level * MR_CALENDAR_DIGIT) != 0)
            MR_TRY(deal_out(calendar, take_list(calendar, level), err));
    return make_ready(calendar, take_list(calendar, 0), err);
}

/* Keep the larger of two buffers. */
static void lay_by(struct mr_calendar_events *kept, struct mr_calendar_events take)
{
    if (take.cap > kept->cap) {
        mr_free(kept->event);
        *kept = take;
    } else {
        mr_free(take.event);
    }
}

void mr_calendar_close(struct mr_calendar *calendar)
{
    MR_ASSERT(calendar->is_open && !mr_calendar_has_event(calendar));
    struct mr_calendar_store *const store = calendar->store;
    lay_by(&store->ready, calendar->ready);
    lay_by(&store->coming,
           (struct mr_calendar_events){calendar->coming.event, calendar->cap_coming});
    calendar->ready = (struct mr_calendar_events){0};
    calendar->coming = (struct mr_heap_events){0};
    calendar->cap_coming = 0;
    calendar->n_ready = calendar->i_ready = 0;
    calendar->is_open = false;
}
