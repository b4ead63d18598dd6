/* SPDX-License-Identifier: Apache-2.0 */
/* In passes over all instances and sessions: what a pass reads, the pass before has asked for. Who
 * ends: call and ticket; then its neighbors in the running list, its extent and its session; then
 * what that does next. Who calls: the session; then its node, and the extent where its last context
 * ended; then the extents around that one and the names of the prompt. */
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

/* Calls that are likely to end, as far as there is room: no window of a cell has many more. */
enum {
    ending_max = 4096
};

struct ending {
    uint32_t n, call[ending_max], instance[ending_max];
};

/* Key k of a heap and those below it that end by `last`; k does. */
static void find_below(const struct mr_heap *finish, uint64_t k, uint32_t last, uint32_t instance,
                       struct ending *ending)
{
    if (ending->n == ending_max)
        return;
    ending->instance[ending->n] = instance;
    ending->call[ending->n++] = mr_heap_key_id(finish->key[k]);
    for (uint64_t child = 4 * k + 1; child <= 4 * k + 4 && child < finish->n; child++)
        if (mr_heap_key_finish(finish->key[child]) <= last)
            find_below(finish, child, last, instance, ending);
}

static void find_ending(const struct mr_cell *cell, double until_s, struct ending *ending)
{
    ending->n = 0;
    for (uint32_t i = 0; i < cell->plan.n_instance; i++) {
        const struct mr_heap *finish = &cell->instance[i].finish;
        const uint32_t last = last_finish(&cell->instance[i], until_s);
        if (finish->n > 0 && mr_heap_key_finish(finish->key[0]) <= last)
            find_below(finish, 0, last, i, ending);
    }
}

static void ask_for_calls(const struct mr_cell *cell, const struct ending *ending)
{
    for (uint32_t k = 0; k < ending->n; k++) {
        const uint32_t call = ending->call[k];
        fetch(&cell->calls.call[call]);
        fetch(&cell->calls.link[call]);
        fetch(&cell->ticket[call]);
    }
}

/* Neighbors in the running list, and the extent that is held. */
static void ask_around_call(const struct mr_cell *cell, uint32_t call, uint32_t instance)
{
    const struct mr_call_link link = cell->calls.link[call];
    if (link.next != MR_CALL_NONE)
        fetch(&cell->calls.link[link.next]);
    if (link.previous != MR_CALL_NONE)
        fetch(&cell->calls.link[link.previous]);
    if (cell->plan.serving->has_cache)
        fetch(&cell->instance[instance].cache.tree.node[cell->calls.call[call].pinned]);
}

/* ---- sessions that the cell remembers ---- */

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
    struct ending ending;
    for (size_t k = 0; k < n; k++)
        if (mr_event_entity(wake[k]) < cell->session_cap)
            fetch(&cell->session[mr_event_entity(wake[k])]);
    find_ending(cell, until_s, &ending);
    ask_for_calls(cell, &ending);
    for (size_t k = 0; k < n; k++) {
        const struct mr_cache_node *node = extent_of(cell, mr_event_entity(wake[k]), &cache);
        if (node != NULL)
            fetch(node);
    }
    for (uint32_t k = 0; k < ending.n; k++) {
        const uint32_t session = cell->ticket[ending.call[k]].session;
        ask_around_call(cell, ending.call[k], ending.instance[k]);
        if (session < cell->session_cap)
            fetch(&cell->session[session]);
    }
    for (size_t k = 0; k < n; k++) {
        const struct mr_cache_node *node = extent_of(cell, mr_event_entity(wake[k]), &cache);
        if (node == NULL)
            continue;
        fetch(&cache->tree.node[node->older]);
        fetch(&cache->tree.node[node->younger]);
        fetch(mr_cache_tree_bucket(&cache->tree, node->parent, node->id));
    }
}

/* ---- sessions of a player ---- */

/* Where the last context of a strand's lane ended, or NULL. */
static const struct mr_cache_node *extent_of_strand(const struct mr_cell *cell,
                                                    const struct mr_player_strand *strand,
                                                    const struct mr_cache **cache)
{
    if (strand->place.instance >= cell->plan.n_instance || !cell->plan.serving->has_cache)
        return NULL;
    *cache = &cell->instance[strand->place.instance].cache;
    return strand->place.extent < (*cache)->tree.n_slot ? &(*cache)->tree.node[strand->place.extent]
                                                        : NULL;
}

/* Context of a strand's node, or of the one after it, which calls most often where it does not;
 * NULL: neither does. */
static const struct mr_script_context *context_of(const struct mr_player *player,
                                                  const struct mr_player_strand *strand)
{
    const struct mr_script *script = player->plan.script;
    for (size_t i = strand->node; i < script->n_node && i < (size_t)strand->node + 2; i++)
        if (script->node[i].kind == MR_SCRIPT_LLM)
            return &script->context[script->node[i].llm.context];
    return NULL;
}

static const struct mr_player_strand *strand_of(const struct mr_player *player,
                                                const struct mr_event *wake)
{
    return &player->strand[mr_event_entity(*wake)];
}

void mr_warm_player(const struct mr_cell *cell, const struct mr_player *player, double until_s)
{
    const struct mr_calendar *calendar = &player->calendar;
    const struct mr_event *const wake = &calendar->ready.event[calendar->i_ready];
    const size_t n = calendar->n_ready - calendar->i_ready;
    const struct mr_cache *cache = NULL;
    const struct mr_script *script = player->plan.script;
    struct ending ending;
    if (player->n_strand == 0) /* all are to begin */
        return;
    for (size_t k = 0; k < n; k++)
        fetch(strand_of(player, &wake[k]));
    find_ending(cell, until_s, &ending);
    ask_for_calls(cell, &ending);
    for (size_t k = 0; k < n; k++) {
        const struct mr_player_strand *strand = strand_of(player, &wake[k]);
        const struct mr_cache_node *extent = extent_of_strand(cell, strand, &cache);
        fetch(&script->node[strand->node]);
        fetch(&script->node[strand->node + 1]);
        if (extent != NULL)
            fetch(extent);
    }
    for (uint32_t k = 0; k < ending.n; k++) {
        const uint32_t call = ending.call[k];
        ask_around_call(cell, call, ending.instance[k]);
        fetch(&player->strand[cell->ticket[call].session]);
        fetch(&script->context[cell->calls.call[call].context]);
    }
    for (size_t k = 0; k < n; k++) {
        const struct mr_player_strand *strand = strand_of(player, &wake[k]);
        const struct mr_cache_node *extent = extent_of_strand(cell, strand, &cache);
        const struct mr_script_context *context = context_of(player, strand);
        if (extent != NULL) {
            fetch(&cache->tree.node[extent->older]);
            fetch(&cache->tree.node[extent->younger]);
            fetch(&cache->tree.node[extent->parent]);
        }
        if (context != NULL)
            fetch(context);
    }
    for (uint32_t k = 0; k < ending.n; k++) {
        const uint32_t call = ending.call[k];
        const struct mr_script_context *context = &script->context[cell->calls.call[call].context];
        fetch(&script->node[player->strand[cell->ticket[call].session].node + 1]);
        if (context->n_run > 0)
            fetch(&script->run[context->run + context->n_run - 1]);
    }
    for (size_t k = 0; k < n; k++) {
        const struct mr_script_context *context = context_of(player, strand_of(player, &wake[k]));
        if (context != NULL && context->n_run > 0)
            fetch(&script->run[context->run + context->n_run - 1]);
    }
}
