/* SPDX-License-Identifier: Apache-2.0 */
/* In passes over all instances and sessions: what a pass reads, the pass before has asked for. Who
 * ends: call and ticket; then its neighbors in the running list and its extent. Who calls: the
 * session; then the extent where its last context ended; then the extents beside that in age, and
 * its bucket. */
#include "engine/serve/warm.h"

static void fetch(const void *line)
{
    __builtin_prefetch(line, 1);
}

/* Decode clock of the heap's base by which the calls of a window end, if steps stay as long. */
static uint32_t last_finish(const struct mr_instance *instance, double until_s)
{
    const struct mr_segment *segment = &instance->segment;
    const double n = segment->n_step > 0 && segment->a_s > 0
                         ? (until_s - segment->start_s) / segment->a_s + 1
                         : 0;
    const uint64_t at =
        instance->clock - instance->clock_base + (n > 0 && n < 1e9 ? (uint64_t)n : 0);
    return at < UINT32_MAX ? (uint32_t)at : UINT32_MAX;
}

static void ask_for_call(const struct mr_cell *cell, const struct mr_instance *instance,
                         uint32_t call)
{
    fetch(mr_instance_call(instance, call));
    fetch(mr_instance_link(instance, call));
    fetch(&cell->ticket[call]);
}

static void ask_around_call(const struct mr_cell *cell, const struct mr_instance *instance,
                            uint32_t call)
{
    const struct mr_call_link link = *mr_instance_link(instance, call);
    if (link.next != MR_CALL_NONE)
        fetch(mr_instance_link(instance, link.next));
    if (link.previous != MR_CALL_NONE)
        fetch(mr_instance_link(instance, link.previous));
    if (instance->serving->has_cache)
        fetch(&instance->cache.tree.node[mr_instance_call(instance, call)->pinned]);
    if (cell->ticket[call].session < cell->session_cap)
        fetch(&cell->session[cell->ticket[call].session]);
}

/* Calls of all instances that end by a time. */
static void ask(const struct mr_cell *cell, double until_s,
                void (*what)(const struct mr_cell *cell, const struct mr_instance *instance,
                             uint32_t call))
{
    for (uint32_t i = 0; i < cell->plan.n_instance; i++) {
        const struct mr_instance *instance = &cell->instance[i];
        const uint32_t last = last_finish(instance, until_s);
        for (uint32_t k = 0; k < instance->finish.n; k++)
            if (mr_heap_key_finish(instance->finish.key[k]) <= last)
                what(cell, instance, mr_heap_key_id(instance->finish.key[k]));
    }
}

/* Where a session's last context ended, or NULL. */
static const struct mr_cache_node *extent_of(const struct mr_cell *cell, uint32_t session,
                                             const struct mr_cache **cache)
{
    if (session >= cell->session_cap || !cell->plan.serving->has_cache)
        return NULL;
    const struct mr_cell_session *s = &cell->session[session];
    if (s->instance == MR_ROUTER_NOWHERE)
        return NULL;
    *cache = &cell->instance[s->instance].cache;
    return s->extent < (*cache)->tree.n_slot ? &(*cache)->tree.node[s->extent] : NULL;
}

void mr_warm_cell(const struct mr_cell *cell, double until_s, const struct mr_event *wake, size_t n)
{
    const struct mr_cache *cache = NULL;
    for (size_t k = 0; k < n; k++)
        if (mr_event_entity(wake[k]) < cell->session_cap)
            fetch(&cell->session[mr_event_entity(wake[k])]);
    ask(cell, until_s, ask_for_call);
    for (size_t k = 0; k < n; k++) {
        const struct mr_cache_node *node = extent_of(cell, mr_event_entity(wake[k]), &cache);
        if (node != NULL)
            fetch(node);
    }
    ask(cell, until_s, ask_around_call);
    for (size_t k = 0; k < n; k++) {
        const struct mr_cache_node *node = extent_of(cell, mr_event_entity(wake[k]), &cache);
        if (node == NULL)
            continue;
        fetch(&cache->tree.node[node->older]);
        fetch(&cache->tree.node[node->younger]);
        fetch(mr_cache_tree_bucket(&cache->tree, node->parent, node->id));
    }
}
