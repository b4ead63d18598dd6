/* SPDX-License-Identifier: Apache-2.0 */
/* glibc's thresholds. One that is set stays: glibc adapts the others no longer, so that both are.
 */
#include "engine/base/mem_system.h"

#include <malloc.h>

enum {
    map_bytes = 128 * 1024,       /* where glibc's own begins */
    keep_bytes = 32 * 1024 * 1024 /* free at the end of the heap, for who asks next */
};

void mr_mem_system_begin(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, map_bytes);
    (void)mallopt(M_TRIM_THRESHOLD, keep_bytes);
}

void mr_mem_system_return(void)
{
    (void)malloc_trim(0);
}
