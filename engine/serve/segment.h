/* SPDX-License-Identifier: Apache-2.0 */
/* A run of steps with a batch that stays as it is: n steps in one event. Step 0 lasts `first_s`
 * (what is left of it, when a clock changed in its middle), step j = 1, 2, ... lasts a + b j:
 *
 *   G(k) = first + (k - 1) a + b k (k - 1) / 2        k steps, k >= 1
 *
 * All of it is arithmetic on values of the caller.
 *
 * Segments follow each other millions of times, steps of equal length round alike at each, and what
 * a single end loses adds up: half an ulp of an hour, 2e-13 s, becomes 1e-7 s. So an end hands on
 * what it lost, and single steps reach where a leap does. */
#ifndef MR_ENGINE_SERVE_SEGMENT_H
#define MR_ENGINE_SERVE_SEGMENT_H

#include <stdint.h>

/* An arrival that is later than a boundary by no more counts as seen by the step that begins there:
 * the sums of leaps and of steps round differently, and a tie must not tell them apart. */
#define MR_SEGMENT_TIE_S 1e-9

struct mr_segment {
    double start_s;
    double lost_s; /* the start lies later than start_s by so much, less than its ulp */
    double first_s, a_s, b_s;
    uint64_t n_step; /* 0: nothing runs */
};

/** G(k) [s]; 0 for k = 0. */
static inline double mr_segment_sum_s(const struct mr_segment *segment, uint64_t k)
{
    if (k == 0)
        return 0;
    const double m = (double)(k - 1);
    return segment->first_s + m * segment->a_s + segment->b_s * (m * (m + 1) / 2);
}

/** When step k - 1 ends. */
static inline double mr_segment_end_s(const struct mr_segment *segment, uint64_t k)
{
    return segment->start_s + (segment->lost_s + mr_segment_sum_s(segment, k));
}

/** What that end lost by being rounded: exact where the start is later than the segment is long, as
 *  it is but for the first moments of a run (Dekker). */
static inline double mr_segment_lost_s(const struct mr_segment *segment, uint64_t k)
{
    const double span_s = segment->lost_s + mr_segment_sum_s(segment, k);
    const double end_s = segment->start_s + span_s;
    return span_s - (end_s - segment->start_s);
}

/** Steps until the first boundary at or after a time, ties included; at least 1, at most n_step. */
uint64_t mr_segment_until(const struct mr_segment *segment, double time_s);

/** Steps that have ended by a time, at most n_step. */
uint64_t mr_segment_ended(const struct mr_segment *segment, double time_s);

/** Share of step k that is done at a time between its ends, of all of it: `done_frac` says how much
 *  of step 0 was done when the segment began. */
double mr_segment_share(const struct mr_segment *segment, uint64_t k, double time_s,
                        double done_frac);

#endif
