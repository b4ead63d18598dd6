/* SPDX-License-Identifier: Apache-2.0 */
/* Arc tangent with the same bits on every machine (see fmath.h): error below 1.5 ulp. Sines and
 * cosines are in turn.h. */
#ifndef MR_ENGINE_BASE_TRIG_H
#define MR_ENGINE_BASE_TRIG_H

double mr_trig_atan(double x);

#endif
