/* SPDX-License-Identifier: Apache-2.0 */
/* Memories below the HBM of a scenario's pools: the element <kv>. */
#ifndef MR_ENGINE_TWIN_SCENARIO_KV_H
#define MR_ENGINE_TWIN_SCENARIO_KV_H

#include <stdint.h>

/* Nearest first, in the order of the schema. */
#define MR_SCENARIO_MEMORY_LIST(X) \
    X(NO_MEMORY, "none")           \
    X(HOST, "host")                \
    X(FLASH, "flash")              \
    X(CONTEXT, "context")          \
    X(STORAGE, "storage")

enum mr_scenario_memory {
#define MR_SCENARIO_MEMORY_ENUM(name, text) MR_SCENARIO_##name,
    MR_SCENARIO_MEMORY_LIST(MR_SCENARIO_MEMORY_ENUM)
#undef MR_SCENARIO_MEMORY_ENUM
    MR_SCENARIO_MEMORIES
};

enum mr_scenario_write {
    MR_SCENARIO_WRITE_USUAL,
    MR_SCENARIO_WRITE_EVICTED,
    MR_SCENARIO_WRITE_ENDED
};

/* One of them (pool_kv.h). 0: as usual. */
struct mr_scenario_kv {
    int memory;                               /* enum mr_scenario_memory */
    double capacity_bytes, bandwidth_bytes_s; /* of a package */
    double shared_bytes_s, latency_s, gigabyte_j;
    uint64_t n_use;
    int write; /* enum mr_scenario_write */
};

#endif
