/* SPDX-License-Identifier: Apache-2.0 */
/* Powers of ten shared by reading and writing numbers; private to num_*.c. */
#ifndef MR_ENGINE_BASE_NUM_IMPL_H
#define MR_ENGINE_BASE_NUM_IMPL_H

#include <stdint.h>

enum {
    mr_num_pow10_min = -342,
    mr_num_pow10_max = 324
};

/* g = high * 2^64 + low; see num_pow10.py for what it bounds. */
struct mr_num_pow10 {
    uint64_t high, low;
};

extern const struct mr_num_pow10 mr_num_pow10[mr_num_pow10_max - mr_num_pow10_min + 1];

/* floor(log2(10^k)), exact over the table's range (asserted when the table is written). */
static inline int mr_num_log2_pow10(int k)
{
    return (k * 1741647) >> 19;
}

__extension__ typedef unsigned __int128 mr_u128;

#endif
