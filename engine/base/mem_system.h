/* SPDX-License-Identifier: Apache-2.0 */
/* What malloc takes from the system and gives back. Nothing here changes a result. */
#ifndef MR_ENGINE_BASE_MEM_SYSTEM_H
#define MR_ENGINE_BASE_MEM_SYSTEM_H

/** Once, before the program allocates: a large array is a mapping of its own, grows without a copy
 *  and is gone when it is freed, whatever was freed before. Left alone glibc moves large arrays
 *  into the heap once one has been freed, and what grows there leaves holes of its size. */
void mr_mem_system_begin(void);

/** What has been freed goes back: who measures memory begins without it. */
void mr_mem_system_return(void);

#endif
