/* SPDX-License-Identifier: Apache-2.0 */
/* Sine, cosine and direction with the same bits on every machine (fmath.h says why). Angles are in
 * turns: 1 is a full circle, so taking out whole circles is exact however many there are, and a
 * phase is frequency times time. Error below 1 ulp of 1 (measured: see tests). */
#ifndef MR_ENGINE_BASE_TURN_H
#define MR_ENGINE_BASE_TURN_H

struct mr_turn {
    double cos, sin;
};

/** Cosine and sine of a finite angle [turns]; exact at whole eighths but for their square roots. */
struct mr_turn mr_turn_of(double turns);

/** Direction of (x, y) in turns, above -0.5 to 0.5; 0 of (0, 0). */
double mr_turn_direction(double x, double y);

#endif
