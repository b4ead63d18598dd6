#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes engine/base/num_pow10.inc: powers of ten as 128-bit significands.

Row k - K_MIN holds g_k = ceil(10^k * 2^(127 - e_k)) with e_k = floor(log2(10^k)), so that
2^127 <= g_k < 2^128 and (g_k - 1) * 2^(e_k - 127) < 10^k <= g_k * 2^(e_k - 127).
g_k is exact for 0 <= k <= 55 (5^55 < 2^128). The range covers every finite double, read (up to 19
digits in front of the exponent) and written.

Run it in its folder: python3 num_pow10.py > num_pow10.inc
"""
K_MIN, K_MAX = -342, 324


def significand(k):
    numerator, denominator = (10**k, 1) if k >= 0 else (1, 10**-k)
    e = numerator.bit_length() - denominator.bit_length()
    while (numerator << max(0, -e)) < (denominator << max(0, e)):
        e -= 1
    while (numerator << max(0, -e - 1)) >= (denominator << max(0, e + 1)):
        e += 1
    shift = 127 - e
    numerator, denominator = (numerator << shift, denominator) if shift >= 0 else (numerator, denominator << -shift)
    return -(-numerator // denominator), e


print("/* written by num_pow10.py */")
for k in range(K_MIN, K_MAX + 1):
    g, e = significand(k)
    assert 2**127 <= g < 2**128 and e == (k * 1741647) >> 19, k
    print(f"{{UINT64_C(0x{g >> 64:016x}), UINT64_C(0x{g & (2**64 - 1):016x})}}, /* 1e{k} */")
