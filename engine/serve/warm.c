/* SPDX-License-Identifier: Apache-2.0 */
/* In passes over instances and sessions: what a pass reads, the pass before has asked for. Calls
 * that end soon or are admitted next: the call, its place and its stub; then its neighbors, its
 * extent, its names and its session; then what stands around the extent and what the session does
 * next. Who calls: the session; then its node and the extent where its last context ended; then the
 * extents around that one and the names of the prompt. */
#include "engine/serve/warm.h"

#include "engine/base/fetch.h"

#include <math.h>
#include <stddef.h>

enum {
    soon_max = 4096,
    heap_top = 1 + 4 + 16 + 64, /* keys of four levels */
    part_wakes = 128            /* of a window that are looked at at once: some dozens of calls */
};

static const double part_least_s = 1.0 / 64; /* however many come at once */

/* Calls that are likely to be touched, as far as there is room. */
struct soon {
    uint32_t n, call[soon_max], instance[soon_max];
    const struct mr_cache_node *extent[soon_max]; /* that they hold; with a cache */
};

/* ---- calls ---- */

/* Decode clock of the heap's base by which the calls end that end by a time, if steps stay as long.
 */
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

static void add(struct soon *soon, uint32_t call, uint32_t instance)
{
    if (soon->n == soon_max)
        return;
    soon->instance[soon->n] = instance;
    soon->call[soon->n++] = call;
}

/* Calls of a heap that end by `last`, the first of which does: their places are added, each behind
 * the one above it, and give way to the calls. */
static void add_ending(struct soon *soon, const struct mr_heap *finish, uint32_t last,
                       uint32_t instance)
{
    const uint64_t *key = finish->key;
    uint32_t k = soon->n;
    for (add(soon, 0, instance); k < soon->n; k++) {
        const uint64_t at = soon->call[k], first = 4 * at + 1;
        const uint64_t end = first + 4 < finish->n ? first + 4 : finish->n;
        for (uint64_t child = first; child < end; child++)
            if (mr_heap_key_finish(key[child]) <= last)
                add(soon, (uint32_t)child, instance);
        soon->call[k] = mr_heap_key_id(key[at]);
    }
}

/* Will the head of the queue be admitted when the segment ends? Not while a prompt fills steps. */
static bool admits_soon(const struct mr_instance *instance)
{
    return instance->queue.n > 0 &&
           (instance->n_part == 0 ||
            instance->part->chunk + (uint64_t)instance->finish.n < instance->serving->token_max);
}

static void find_soon(const struct mr_cell *cell, double until_s, struct soon *soon)
{
    soon->n = 0;
    for (uint32_t i = 0; i < cell->plan.n_instance; i++) {
        const struct mr_instance *instance = &cell->instance[i];
        const uint32_t last = last_finish(instance, until_s);
        if (instance->finish.n > 0 && mr_heap_key_finish(instance->finish.key[0]) <= last)
            add_ending(soon, &instance->finish, last, i);
        if (admits_soon(instance))
            add(soon, mr_instance_waiting(instance), i);
    }
    for (uint32_t k = 0; k < soon->n; k++) {
        mr_fetch(&cell->calls.call[soon->call[k]]);
        mr_fetch(&cell->calls.link[soon->call[k]]);
        mr_fetch(&cell->stub[soon->call[k]]);
    }
}

static const struct mr_cache_node *extent_of_call(const struct mr_cell *cell,
                                                  const struct soon *soon, uint32_t k)
{
    const struct mr_cache_tree *tree = &cell->instance[soon->instance[k]].cache.tree;
    return &tree->node[cell->calls.call[soon->call[k]].pinned];
}

/* Half of the extents lie across two lines. */
MR_FETCH void ask_for_extent(const struct mr_cache_node *extent)
{
    mr_fetch(extent);
    mr_fetch(&extent->younger);
}

/* Neighbors in the running list, and the extent that is held. */
MR_FETCH void ask_around_calls(const struct mr_cell *cell, struct soon *soon)
{
    for (uint32_t k = 0; k < soon->n; k++) {
        const struct mr_call_link link = cell->calls.link[soon->call[k]];
        if (link.next != MR_CALL_NONE)
            mr_fetch(&cell->calls.link[link.next]);
        if (link.previous != MR_CALL_NONE)
            mr_fetch(&cell->calls.link[link.previous]);
        if (!cell->plan.serving->has_cache)
            continue;
        soon->extent[k] = extent_of_call(cell, soon, k);
        ask_for_extent(soon->extent[k]);
    }
}

/* ---- instances ---- */

MR_FETCH void ask_for_bytes(const void *from, size_t n)
{
    for (size_t at = 0; at < n; at += 64)
        mr_fetch((const char *)from + at);
}

/* Of the queue the head's ring. Of the heap all levels but the one with most of its keys, of which
 * a finish reads a line. */
void mr_warm_instances(const struct mr_cell *cell)
{
    const uint32_t n = cell->plan.n_instance;
    ask_for_bytes(cell->due.winner, 2 * (size_t)cell->due.n_leaf * sizeof *cell->due.winner);
    ask_for_bytes(cell->due.above, n * sizeof *cell->due.above);
    ask_for_bytes(cell->instance, n * sizeof *cell->instance);
    for (uint32_t i = 0; i < n; i++) {
        const struct mr_instance *instance = &cell->instance[i];
        const uint32_t n_top = instance->finish.n < heap_top ? instance->finish.n : heap_top;
        ask_for_bytes(instance->finish.key, n_top * sizeof *instance->finish.key);
        ask_for_bytes(instance->blocks.count,
                      instance->blocks.size * sizeof *instance->blocks.count);
        if (instance->queue.ranks != 0)
            mr_fetch(&instance->queue.ring[__builtin_ctz(instance->queue.ranks)]);
        const struct mr_cache_tree *tree = &instance->cache.tree; /* where new extents go */
        if (cell->plan.serving->has_cache && tree->free != 0)
            ask_for_extent(&tree->node[tree->free]);
        else if (cell->plan.serving->has_cache)
            ask_for_bytes(&tree->node[tree->n_slot], 4 * 64);
    }
}

/* ---- extents ---- */

/* Extent i of an instance's cache, or NULL. */
static const struct mr_cache_node *extent_at(const struct mr_cell *cell, uint32_t instance,
                                             uint32_t i)
{
    if (instance >= cell->plan.n_instance || !cell->plan.serving->has_cache)
        return NULL;
    const struct mr_cache_tree *tree = &cell->instance[instance].cache.tree;
    return i < tree->n_slot ? &tree->node[i] : NULL;
}

MR_FETCH void ask_around_extent(const struct mr_cell *cell, uint32_t instance,
                                const struct mr_cache_node *extent)
{
    const struct mr_cache_tree *tree = &cell->instance[instance].cache.tree;
    ask_for_extent(&tree->node[extent->parent]);
    if (extent->is_pinned) /* it grows and is let go where it stands */
        return;
    mr_fetch(&tree->node[extent->older].younger);
    mr_fetch(&tree->node[extent->younger].older);
    mr_fetch(&tree->node[extent->next].prev);
    mr_fetch(&tree->node[extent->prev].next);
    ask_for_extent(&tree->node[extent->child]);
    const uint32_t *entry = mr_cache_tree_entry(tree, extent);
    if (entry != NULL)
        mr_fetch(entry);
}

/* ---- sessions that the cell remembers ---- */

/* Where a session's last context ended, or NULL. */
static const struct mr_cache_node *extent_of(const struct mr_cell *cell, uint32_t session)
{
    return session < cell->session_cap
               ? extent_at(cell, cell->session[session].instance, cell->session[session].extent)
               : NULL;
}

void mr_warm_cell(const struct mr_cell *cell, double until_s, const struct mr_event *wake, size_t n)
{
    struct soon soon;
    for (size_t k = 0; k < n; k++)
        if (mr_event_entity(wake[k]) < cell->session_cap)
            mr_fetch(&cell->session[mr_event_entity(wake[k])]);
    find_soon(cell, until_s, &soon);
    for (size_t k = 0; k < n; k++) {
        const struct mr_cache_node *extent = extent_of(cell, mr_event_entity(wake[k]));
        if (extent != NULL)
            ask_for_extent(extent);
    }
    ask_around_calls(cell, &soon);
    for (uint32_t k = 0; k < soon.n; k++)
        if (cell->stub[soon.call[k]].session < cell->session_cap)
            mr_fetch(&cell->session[cell->stub[soon.call[k]].session]);
    for (size_t k = 0; k < n; k++) {
        const uint32_t session = mr_event_entity(wake[k]);
        const struct mr_cache_node *extent = extent_of(cell, session);
        if (extent == NULL)
            continue;
        ask_around_extent(cell, cell->session[session].instance, extent);
    }
}

/* ---- sessions of a player ---- */

/* Strands that wake up by a time: those that slept, and those planned since. */
struct wakes {
    uint32_t n, strand[soon_max];
    uint32_t context[soon_max]; /* of the next call; MR_SCRIPT_NONE: there is none soon */
    const struct mr_cache_node *extent[soon_max]; /* where the last one ended; NULL: unknown */
};

static void find_wakes(const struct mr_player *player, double until_s, struct wakes *wakes)
{
    const struct mr_calendar *calendar = &player->calendar;
    const uint64_t until = mr_event_key(until_s);
    wakes->n = 0;
    for (size_t i = calendar->i_ready; i < calendar->n_ready && wakes->n < soon_max; i++) {
        if (calendar->ready.event[i].when >= until)
            break;
        wakes->strand[wakes->n++] = mr_event_entity(calendar->ready.event[i]);
    }
    for (uint32_t i = 0; i < calendar->coming.n && wakes->n < soon_max; i++)
        if (calendar->coming.event[i].when < until)
            wakes->strand[wakes->n++] = mr_event_entity(calendar->coming.event[i]);
    for (uint32_t k = 0; k < wakes->n; k++)
        mr_fetch(&player->strand[wakes->strand[k]]);
}

/* Two nodes are a line: these and the two that follow. */
MR_FETCH void ask_for_nodes(const struct mr_script *script, size_t node)
{
    mr_fetch(&script->node[node]);
    mr_fetch(&script->node[node + 2]);
}

/* The last names, of which mostly one or two are new. */
MR_FETCH void ask_for_names(const struct mr_script *script, const struct mr_script_context *context)
{
    if (context->n_run == 0)
        return;
    const struct mr_script_run *run = &script->run[context->run + context->n_run - 1];
    mr_fetch(context->n_run > 1 ? run - 1 : run);
    mr_fetch(&run->n);
}

/* Context of a strand's node, or of one of the two after it, a think and what calls then. */
static uint32_t context_of(const struct mr_script *script, const struct mr_player_strand *strand)
{
    for (size_t i = strand->node; i < script->n_node && i < (size_t)strand->node + 3; i++)
        if (script->node[i].kind == MR_SCRIPT_LLM)
            return script->node[i].llm.context;
    return MR_SCRIPT_NONE;
}

static const struct mr_cache_node *extent_of_strand(const struct mr_cell *cell,
                                                    const struct mr_player_strand *strand)
{
    return extent_at(cell, strand->place.instance, strand->place.extent);
}

/* Sessions and names of calls; then what comes next, and around their extents. */
MR_FETCH void ask_for_sessions(const struct mr_cell *cell, const struct mr_player *player,
                               const struct soon *soon)
{
    for (uint32_t k = 0; k < soon->n; k++) {
        mr_fetch(&player->strand[cell->stub[soon->call[k]].session]);
        mr_fetch(&player->plan.script->context[cell->calls.call[soon->call[k]].context]);
    }
}

MR_FETCH void ask_after_calls(const struct mr_cell *cell, const struct mr_player *player,
                              const struct soon *soon)
{
    const struct mr_script *script = player->plan.script;
    for (uint32_t k = 0; k < soon->n; k++) {
        const uint32_t call = soon->call[k];
        const struct mr_player_strand *strand = &player->strand[cell->stub[call].session];
        ask_for_nodes(script, strand->node);
        if (strand->has_family)
            mr_fetch(&player->family[strand->family]);
        ask_for_names(script, &script->context[cell->calls.call[call].context]);
        if (cell->plan.serving->has_cache)
            ask_around_extent(cell, soon->instance[k], soon->extent[k]);
    }
}

/* Of who wakes up: nodes and extent; then names and what stands around the extent. */
MR_FETCH void ask_for_calls(const struct mr_cell *cell, const struct mr_player *player,
                            struct wakes *wakes)
{
    for (uint32_t k = 0; k < wakes->n; k++) {
        const struct mr_player_strand *strand = &player->strand[wakes->strand[k]];
        wakes->extent[k] = extent_of_strand(cell, strand);
        ask_for_nodes(player->plan.script, strand->node);
        if (wakes->extent[k] != NULL)
            ask_for_extent(wakes->extent[k]);
    }
}

MR_FETCH void ask_for_prompts(const struct mr_cell *cell, const struct mr_player *player,
                              struct wakes *wakes)
{
    const struct mr_script *script = player->plan.script;
    for (uint32_t k = 0; k < wakes->n; k++) {
        const struct mr_player_strand *strand = &player->strand[wakes->strand[k]];
        wakes->context[k] = context_of(script, strand);
        if (wakes->context[k] == MR_SCRIPT_NONE)
            continue;
        mr_fetch(&script->context[wakes->context[k]]);
        if (wakes->extent[k] != NULL)
            ask_around_extent(cell, strand->place.instance, wakes->extent[k]);
    }
}

/* End of the part of the open window that begins now: every part looks at all instances, so it has
 * so many wakes that this is little for each, and so few that what they touch stays near. */
static double part_end_s(const struct mr_calendar *calendar, double now_s)
{
    const double end_s = mr_window_start_s(calendar->grid, calendar->at + 1);
    const struct mr_event *last = mr_calendar_ahead(calendar, part_wakes);
    return last != NULL ? fmin(end_s, fmax(mr_event_time_s(*last), now_s + part_least_s)) : end_s;
}

double mr_warm_player(const struct mr_cell *cell, const struct mr_player *player, double now_s)
{
    const double until_s = part_end_s(&player->calendar, now_s);
    const struct mr_script *script = player->plan.script;
    struct wakes wakes;
    struct soon soon;
    if (player->n_strand == 0) /* all are to begin */
        return until_s;
    find_wakes(player, until_s, &wakes);
    find_soon(cell, until_s, &soon);
    ask_for_calls(cell, player, &wakes);
    ask_around_calls(cell, &soon);
    ask_for_sessions(cell, player, &soon);
    ask_for_prompts(cell, player, &wakes);
    ask_after_calls(cell, player, &soon);
    for (uint32_t k = 0; k < wakes.n; k++)
        if (wakes.context[k] != MR_SCRIPT_NONE)
            ask_for_names(script, &script->context[wakes.context[k]]);
    return until_s;
}
