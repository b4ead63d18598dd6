/* SPDX-License-Identifier: Apache-2.0 */
/* Usual memories, of a package:
 *   host     half of a CPU's 480 GB; half of its 450 GB/s one way to two packages
 *   flash    a drive of 7.7 TB in the node for each package, 7 GB/s (assumption)
 *   context  16 TB in a rack of context stores, 200 GB/s of two network cards, 6.4 TB/s of the rack
 *            (published rack; capacity and latency are assumptions)
 *   storage  no limit, 5 GB/s of a node's 20 (assumption)
 * A byte moved takes 20 pJ a bit where the scenario says nothing else (assumption). */
#include "engine/twin/pool_kv.h"

#include <math.h>

struct usual {
    double capacity_bytes, bytes_s, shared_bytes_s, latency_s;
    bool is_shared, takes_ended;
};

static const struct usual usual[] = {
    [MR_SCENARIO_HOST] = {240e9, 225e9, 0, 2e-6, false, false},
    [MR_SCENARIO_FLASH] = {7.7e12, 7e9, 0, 100e-6, false, true},
    [MR_SCENARIO_CONTEXT] = {16e12, 200e9, 6.4e12, 100e-6, true, true},
    [MR_SCENARIO_STORAGE] = {HUGE_VAL, 5e9, 0, 3e-3, true, true},
};

static const struct mr_scenario_kv *find(const struct mr_scenario *scenario, int memory)
{
    for (size_t i = 0; i < scenario->n_kv; i++)
        if (scenario->kv[i].memory == memory)
            return &scenario->kv[i];
    return NULL;
}

int mr_pool_kv_memory(const struct mr_scenario *scenario, uint32_t level)
{
    for (int memory = MR_SCENARIO_NO_MEMORY + 1; memory < MR_SCENARIO_MEMORIES; memory++)
        if (find(scenario, memory) != NULL && level-- == 0)
            return memory;
    return MR_SCENARIO_NO_MEMORY;
}

const char *mr_pool_kv_name(const struct mr_scenario *scenario, uint32_t level)
{
    static const char *const names[] = {
#define MEMORY_TEXT(name, text) text,
        MR_SCENARIO_MEMORY_LIST(MEMORY_TEXT)
#undef MEMORY_TEXT
    };
    return names[mr_pool_kv_memory(scenario, level)];
}

static double or_usual(double given, double fallback)
{
    return given > 0 ? given : fallback;
}

static struct mr_onboard_level level_of(const struct mr_scenario_kv *kv, double n_package,
                                        double n_instance, double block_bytes)
{
    const struct usual *u = &usual[kv->memory];
    const double shared_bytes_s = or_usual(kv->shared_bytes_s, u->shared_bytes_s);
    return (struct mr_onboard_level){
        .n_block = floor(or_usual(kv->capacity_bytes, u->capacity_bytes) * n_package / block_bytes),
        .latency_s = or_usual(kv->latency_s, u->latency_s),
        .bytes_s = or_usual(kv->bandwidth_bytes_s, u->bytes_s) * n_package,
        .shared_bytes_s = shared_bytes_s > 0 ? shared_bytes_s / n_instance : (double)INFINITY,
        .byte_j = kv->gigabyte_j * 1e-9,
        .min_use = (uint32_t)kv->n_use,
        .is_shared = u->is_shared,
        .takes_ended = kv->write == MR_SCENARIO_WRITE_USUAL ? u->takes_ended
                                                            : kv->write == MR_SCENARIO_WRITE_ENDED};
}

mr_status mr_pool_kv_plan(const struct mr_scenario *scenario, const struct mr_serving *serving,
                          double n_package, double n_instance, double token_bytes,
                          struct mr_onboard_plan *plan, struct mr_err *err)
{
    *plan = (struct mr_onboard_plan){.block_bytes = token_bytes * serving->block_tokens};
    if (!serving->has_cache)
        return MR_OK;
    for (int memory = MR_SCENARIO_NO_MEMORY + 1; memory < MR_SCENARIO_MEMORIES; memory++) {
        const struct mr_scenario_kv *kv = find(scenario, memory);
        if (kv != NULL)
            plan->level[plan->n_level++] = level_of(kv, n_package, n_instance, plan->block_bytes);
    }
    mr_onboard_price(plan, serving);
    return mr_onboard_check(plan, err);
}
