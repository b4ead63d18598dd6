#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes engine/base/fmath_tables.inc, the tables of exp and log, from 60-digit decimals.

exp2_table[j] = 2^(j/64) as high + low, both doubles.
log_table[j]: c = 1/z to 8 bits after the point for z in the middle of the j-th of 128 intervals of
[0.70703125, 1.4140625), and -log(c) as high + low, high a multiple of 2^-42 so that k*ln2_high + high
is exact for every exponent k.

Run it in its folder: python3 fmath_tables.py > fmath_tables.inc
"""
from decimal import Decimal, getcontext

getcontext().prec = 60
LN2 = Decimal(2).ln()


def pair(x, bits=None):
    high = float(x) if bits is None else float((x * 2**bits).to_integral_value() / 2**bits)
    return high, float(x - Decimal(high))


print("/* written by fmath_tables.py */")
print("static const double ln2_64_high = %s, ln2_64_low = %s;" % tuple(
    v.hex() for v in pair(LN2 / 64, 42)))  # 36 bits: times 17 bits of k is exact
print("static const double ln2_high = %s, ln2_low = %s;" % tuple(v.hex() for v in pair(LN2, 42)))
print("static const double inverse_ln2_64 = %s;" % float(64 / LN2).hex())
print("\nstatic const struct {\n    double high, low;\n} exp2_table[64] = {")
for j in range(64):
    print("    {%s, %s}," % tuple(v.hex() for v in pair((LN2 * j / 64).exp())))
print("};\n\nstatic const struct {\n    double c, high, low;\n} log_table[128] = {")
for j in range(128):
    # interval j of the significand: [1 + j/128, 1 + (j+1)/128), halved when above 181/128
    z = Decimal(2 * j + 257) / 256
    if j >= 53:
        z /= 2
    c = (1 / z * 256).to_integral_value() / 256
    if j == 0 or j == 127:
        c = Decimal(1)  # around 1 the logarithm must be as exact as its argument
    high, low = pair(-c.ln(), 42)
    print("    {%s, %s, %s}," % (float(c).hex(), high.hex(), low.hex()))
print("};")
