/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the calendar: chunks and the sort. */
#ifndef MR_ENGINE_CLOCK_CALENDAR_IMPL_H
#define MR_ENGINE_CLOCK_CALENDAR_IMPL_H

#include "engine/clock/calendar.h"

enum {
    MR_CALENDAR_CHUNK = 31 /* events: 512 bytes with the head */
};

struct mr_calendar_chunk {
    struct mr_calendar_chunk *next; /* older chunk of the list, or next free one of the block */
    uint32_t n, i_block;
    struct mr_event event[MR_CALENDAR_CHUNK];
};

/** An empty chunk, or NULL with `err` filled. */
struct mr_calendar_chunk *mr_calendar_store_take(struct mr_calendar_store *store,
                                                 struct mr_err *err) MR_CHECKED;
void mr_calendar_store_give(struct mr_calendar_store *store, struct mr_calendar_chunk *chunk);

/** Sort n events of `from` into `to`; both are written. */
void mr_calendar_sort(struct mr_event *from, struct mr_event *to, size_t n);

#endif
