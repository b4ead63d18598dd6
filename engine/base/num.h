/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text: correctly rounded reading, shortest writing that reads back to the same double,
 * exact 64-bit integers. Independent of locale and libc, the same bits everywhere. */
#ifndef MR_ENGINE_BASE_NUM_H
#define MR_ENGINE_BASE_NUM_H

#include "engine/base/text.h"

#define MR_NUM_CAP 32 /* longest text any function here writes, with its NUL */

/** Read the longest decimal number at the start of p: [+-] digits [. digits] [e [+-] digits],
 * digits on at least one side of the point, no white space, no hex, no inf or nan.
 *  @param[out] value nearest double, ties to even; overflow gives +-infinity, underflow 0 or
 * denormal
 *  @return bytes read, 0 when p does not start with a number */
size_t mr_num_scan_f64(const char *p, size_t n, double *value);

/** All of `s` must be one number (as mr_num_scan_f64).
 *  @return MR_OK, MR_PARSE, or MR_RANGE when it overflows; *value is set only on MR_OK */
MR_CHECKED mr_status mr_num_parse_f64(struct mr_str s, double *value);

/** All of `s` must be decimal digits. @return MR_OK, MR_PARSE, MR_RANGE (above 2^64 - 1) */
MR_CHECKED mr_status mr_num_parse_u64(struct mr_str s, uint64_t *value);
MR_CHECKED mr_status mr_num_parse_i64(struct mr_str s, int64_t *value);

/** A decimal number as the integers it is made of: value = (-1)^negative * digits * 10^exp10, exact
 *  when `is_exact` (at most 19 significant digits were given). For readers that scale by powers of
 *  ten before rounding (units). @return bytes read, as mr_num_scan_f64 */
struct mr_num_decimal {
    uint64_t digits;
    int exp10;
    bool negative, is_exact;
};
size_t mr_num_scan_decimal(const char *p, size_t n, struct mr_num_decimal *decimal);

/** Nearest double of digits * 10^exp10. */
double mr_num_from_decimal(uint64_t digits, int exp10);

/** Shortest text that reads back to exactly `value`; among the shortest the nearest. Valid JSON for
 *  finite values: 0.1, 1e-7, 12345.678, 1e+22 is written 1e22, negative zero is -0. Plain notation
 *  for 1e-5 <= |value| < 1e17, exponents otherwise. inf, -inf, nan for the rest.
 *  @return length without the NUL */
size_t mr_num_format_f64(double value, char out[MR_NUM_CAP]);

/** For people: `digits` significant digits, plain notation for 1e-4 <= |value| < 1e7. */
size_t mr_num_format_human(double value, int digits, char out[MR_NUM_CAP]);

size_t mr_num_format_u64(uint64_t value, char out[MR_NUM_CAP]);
size_t mr_num_format_i64(int64_t value, char out[MR_NUM_CAP]);

#endif
