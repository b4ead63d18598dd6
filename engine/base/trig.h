/* SPDX-License-Identifier: Apache-2.0 */
/* Arc tangent and the sine of a share of a turn, with the same bits on every machine (see fmath.h).
 * Error below 1.5 ulp for the arc tangent, 1e-15 absolute for the sine (its
 * turn is rounded on the way in). */
#ifndef MR_ENGINE_BASE_TRIG_H
#define MR_ENGINE_BASE_TRIG_H

double mr_trig_atan(double x);

/** sin(2 pi turns): exact at quarters of a turn; NaN for what is not finite. */
double mr_trig_sin_turn(double turns);

#endif
