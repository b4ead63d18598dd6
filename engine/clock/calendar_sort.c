/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting the events of a window. Times in a window are close to uniform, so one pass that deals
 * them into about half as many buckets as there are events, by the leading bits of the offset from
 * the first, leaves one or two in each, and an insertion sort over everything finishes. A bucket
 * that is fuller (thousands of agents at nine o'clock) is dealt again by its own range, and when
 * all its times are equal by kind and entity; each deal uses up at least four bits of a key, so the
 * worst input costs 32 passes and not n^2. */
#include "engine/clock/calendar_impl.h"

enum {
    deal_from = 33, /* fewer are sorted by insertion alone */
    buckets_max_bits = 12,
    buckets_max = 1 << buckets_max_bits,
    per_bucket = 2
};

static uint64_t word_of(const struct mr_event *e, bool by_what)
{
    return by_what ? e->what : e->when;
}

static void insertion_sort(struct mr_event *e, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct mr_event x = e[i];
        size_t hole = i;
        for (; hole > 0 && mr_event_is_before(x, e[hole - 1]); hole--)
            e[hole] = e[hole - 1];
        e[hole] = x;
    }
}

struct range {
    uint64_t low, high;
};

static struct range range_of(const struct mr_event *e, size_t n, bool by_what)
{
    struct range r = {UINT64_MAX, 0};
    for (size_t i = 0; i < n; i++) {
        const uint64_t word = word_of(&e[i], by_what);
        r.low = word < r.low ? word : r.low;
        r.high = word > r.high ? word : r.high;
    }
    return r;
}

static void deal(struct mr_event *from, struct mr_event *to, size_t n, bool by_what)
{
    const struct range range = range_of(from, n, by_what);
    if (range.low == range.high && by_what) { /* all the same event */
        memcpy(to, from, n * sizeof *to);
        return;
    }
    if (range.low == range.high) {
        deal(from, to, n, true);
        return;
    }
    uint32_t end[buckets_max];
    int bits = 0;
    while (bits < buckets_max_bits && ((size_t)per_bucket << bits) < n)
        bits++;
    /* the least shift that leaves no number above the last bucket's */
    const uint32_t n_bucket = 1u << bits;
    const int range_bits = 64 - __builtin_clzll(range.high - range.low);
    const int shift = range_bits > bits ? range_bits - bits : 0;
    memset(end, 0, n_bucket * sizeof *end);
    for (size_t i = 0; i < n; i++)
        end[(word_of(&from[i], by_what) - range.low) >> shift]++;
    uint32_t start = 0;
    for (uint32_t b = 0; b < n_bucket; b++) { /* count -> first place, which dealing moves to end */
        const uint32_t count = end[b];
        end[b] = start;
        start += count;
    }
    for (size_t i = 0; i < n; i++)
        to[end[(word_of(&from[i], by_what) - range.low) >> shift]++] = from[i];
    start = 0;
    for (uint32_t b = 0; b < n_bucket; start = end[b++]) {
        const uint32_t count = end[b] - start;
        if (count < deal_from)
            continue;
        memcpy(from + start, to + start, count * sizeof *to);
        deal(from + start, to + start, count, by_what);
    }
    insertion_sort(to, n);
}

void mr_calendar_sort(struct mr_event *from, struct mr_event *to, size_t n)
{
    MR_ASSERT(n <= UINT32_MAX);
    if (n < deal_from) {
        memcpy(to, from, n * sizeof *to);
        insertion_sort(to, n);
    } else {
        deal(from, to, n, false);
    }
}
