/* SPDX-License-Identifier: Apache-2.0 */
/* exp, expm1, log and pow with the same bits on every machine: libm picks variants by processor and
 * its last bit differs between versions. Only +, -, *, / of IEEE doubles in round-to-nearest, no
 * fused multiply-add. Error below 1 ulp everywhere (measured: see tests), special values as in
 * Annex F of the C standard; no errno, no exceptions promised. */
#ifndef MR_ENGINE_BASE_FMATH_H
#define MR_ENGINE_BASE_FMATH_H

double mr_exp(double x);
double mr_expm1(double x);
double mr_log(double x);
double mr_pow(double x, double y);

#endif
