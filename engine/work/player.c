/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, strands and dependencies. Indices, never pointers, are kept across anything that may
 * make a strand: arrays move. Parts: strands - dependencies - sessions - events - life. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/work/player_impl.h"

#include <math.h>
#include <string.h>

/* ---- strands ---- */

static mr_status take_strand(struct mr_player *player, uint32_t *out, struct mr_err *err)
{
    *out = player->free_strand;
    if (*out != MR_PLAYER_NONE) {
        player->free_strand = player->strand[*out].next;
        return MR_OK;
    }
    if (player->n_strand == MR_PLAYER_NONE)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "more than 2^32 - 1 strands of sessions");
    MR_TRY(mr_grow_lines(&player->strand, &player->slab, &player->cap_strand, player->n_strand + 1,
                         sizeof *player->strand, err));
    if (player->plan.has_ledger)
        MR_TRY(mr_grow(&player->ledger, &player->cap_ledger, player->n_strand + 1,
                       sizeof *player->ledger, err));
    if (player->plan.has_tokens)
        MR_TRY(mr_grow(&player->tokens, &player->cap_tokens, player->n_strand + 1,
                       sizeof *player->tokens, err));
    *out = (uint32_t)player->n_strand++;
    player->strand[*out].generation = 0;
    return MR_OK;
}

static void give_strand(struct mr_player *player, uint32_t strand)
{
    struct mr_player_strand *s = &player->strand[strand];
    s->state = MR_PLAYER_FREE;
    s->generation++;
    s->next = player->free_strand;
    player->free_strand = strand;
}

static void add_tokens(struct mr_player_tokens *sum, const struct mr_player_tokens *more)
{
    sum->n_call += more->n_call;
    sum->n_input += more->n_input;
    sum->n_cached += more->n_cached;
    sum->n_output += more->n_output;
}

/* A strand that is about to have sisters, or joins to wait for. */
static mr_status take_family(struct mr_player *player, uint32_t strand, struct mr_err *err)
{
    struct mr_player_strand *s = &player->strand[strand];
    uint32_t i = player->free_family;
    if (s->has_family)
        return MR_OK;
    if (i != MR_PLAYER_NONE) {
        player->free_family = player->family[i].next;
    } else {
        MR_TRY(mr_grow(&player->family, &player->cap_family, player->n_family + 1,
                       sizeof *player->family, err));
        i = (uint32_t)player->n_family++;
    }
    player->family[i] = (struct mr_player_family){.n_strand = 1,
                                                  .open = MR_PLAYER_NONE,
                                                  .waiting = MR_PLAYER_NONE,
                                                  .sandbox_mb = s->sandbox_mb,
                                                  .has_failed = s->has_failed,
                                                  .was_denied = s->was_denied,
                                                  .was_answered = s->was_answered};
    s->has_family = true;
    s->family = i;
    return MR_OK;
}

/* Joins that are left: their other dependencies never came, what they waited for was refused. */
static void give_family(struct mr_player *player, uint32_t strand)
{
    struct mr_player_strand *s = &player->strand[strand];
    const uint32_t family = s->family;
    struct mr_player_family *f = &player->family[family];
    while (f->open != MR_PLAYER_NONE) {
        const uint32_t open = f->open;
        f->open = player->open[open].next;
        player->open[open].next = player->free_open;
        player->free_open = open;
    }
    s->has_family = false;
    s->has_failed = f->has_failed;
    s->was_denied |= f->was_denied;
    s->was_answered |= f->was_answered;
    s->sandbox_mb = f->sandbox_mb;
    if (player->plan.has_tokens)
        add_tokens(&player->tokens[strand], &f->tokens);
    f->next = player->free_family;
    player->free_family = family;
}

mr_status mr_player_fork(struct mr_player *player, uint32_t strand, uint32_t *out,
                         struct mr_err *err)
{
    MR_TRY(take_family(player, strand, err));
    MR_TRY(take_strand(player, out, err));
    const uint32_t generation = player->strand[*out].generation;
    player->strand[*out] = player->strand[strand];
    player->strand[*out].generation = generation;
    player->strand[*out].n_try = 0;
    if (player->plan.has_ledger)
        player->ledger[*out] = player->ledger[strand];
    if (player->plan.has_tokens)
        player->tokens[*out] = (struct mr_player_tokens){0};
    player->family[player->strand[strand].family].n_strand++;
    return MR_OK;
}

float *mr_player_sandbox(struct mr_player *player, uint32_t strand)
{
    struct mr_player_strand *s = &player->strand[strand];
    return s->has_family ? &player->family[s->family].sandbox_mb : &s->sandbox_mb;
}

mr_status mr_player_wake_at(struct mr_player *player, uint32_t strand, double time_s,
                            struct mr_err *err)
{
    const double now_s = player->calendar.now_s;
    return mr_calendar_push(&player->calendar,
                            mr_event_at(time_s > now_s ? time_s : now_s, MR_PLAYER_WAKE, strand,
                                        player->strand[strand].generation),
                            err);
}

/* ---- dependencies ---- */

/* The strand goes on with a node whose dependencies allow it from `at_s` on. */
static mr_status begin_node(struct mr_player *player, uint32_t strand, uint32_t node, double at_s,
                            double now_s, struct mr_err *err)
{
    struct mr_player_strand *s = &player->strand[strand];
    const struct mr_script_node *n = &player->plan.script->node[node];
    s->node = node;
    if (player->plan.timing == MR_PLAYER_BY_ORIGINAL && !isnan(n->offset_s))
        at_s = fmax(now_s, s->start_s + (double)n->offset_s / player->plan.speed);
    if (at_s <= now_s && (player->may_call || n->kind != MR_SCRIPT_LLM))
        return mr_player_run(player, strand, now_s, err);
    s->state = MR_PLAYER_WAITING;
    s->since_s = now_s;
    return mr_player_wake_at(player, strand, at_s, err);
}

static mr_status open_of(struct mr_player *player, struct mr_player_family *family, uint32_t node,
                         uint32_t *out, uint32_t **link, struct mr_err *err)
{
    *link = &family->open;
    while (**link != MR_PLAYER_NONE && player->open[**link].node != node)
        *link = &player->open[**link].next;
    *out = **link;
    if (*out != MR_PLAYER_NONE)
        return MR_OK;
    if (player->free_open != MR_PLAYER_NONE) {
        *out = player->free_open;
        player->free_open = player->open[*out].next;
    } else {
        MR_TRY(mr_grow(&player->open, &player->cap_open, player->n_open + 1, sizeof *player->open,
                       err));
        *out = (uint32_t)player->n_open++;
    }
    player->open[*out] = (struct mr_player_open){.start_s = -1,
                                                 .node = node,
                                                 .n_left = player->plan.script->node[node].n_dep,
                                                 .next = family->open,
                                                 .place.instance = MR_PLAYER_NONE};
    *link = &family->open;
    family->open = *out;
    return MR_OK;
}

mr_status mr_player_tell_one(struct mr_player *player, uint32_t strand,
                             const struct mr_script_edge *edge, double now_s,
                             struct mr_player_open *join, bool *is_ready, struct mr_err *err)
{
    const struct mr_player_strand *s = &player->strand[strand];
    const struct mr_script_node *from = &player->plan.script->node[s->node]; /* a root's: itself */
    const struct mr_script_node *to = &player->plan.script->node[edge->to];
    const double at_s = now_s + (double)edge->delay_s;
    uint32_t open, *link;
    *is_ready = to->n_dep == 1;
    if (*is_ready) {
        join->start_s = at_s;
        join->place = s->place;
        if (player->plan.has_ledger)
            join->ledger = player->ledger[strand];
        return MR_OK;
    }
    MR_TRY(take_family(player, strand, err));
    MR_TRY(open_of(player, &player->family[s->family], edge->to, &open, &link, err));
    struct mr_player_open *o = &player->open[open];
    if (from->lane == to->lane)
        o->place = s->place;
    if (at_s >= o->start_s) {
        o->start_s = at_s;
        o->told_s = now_s;
        if (player->plan.has_ledger)
            o->ledger = player->ledger[strand];
    }
    *is_ready = --o->n_left == 0;
    if (!*is_ready)
        return MR_OK;
    *join = *o;
    join->ledger.part_s[MR_PLAYER_DELAY] += now_s - o->told_s;
    *link = o->next;
    o->next = player->free_open;
    player->free_open = open;
    return MR_OK;
}

mr_status mr_player_follow(struct mr_player *player, uint32_t strand, uint32_t node,
                           const struct mr_player_open *join, double now_s, struct mr_err *err)
{
    struct mr_player_strand *s = &player->strand[strand];
    if (join->place.instance != MR_PLAYER_NONE)
        s->place = join->place;
    s->n_try = 0;
    if (player->plan.has_ledger)
        player->ledger[strand] = join->ledger;
    return begin_node(player, strand, node, join->start_s, now_s, err);
}

/* Has a strand no sisters left, and no joins? */
static bool is_alone(const struct mr_player *player, uint32_t strand)
{
    const struct mr_player_strand *s = &player->strand[strand];
    return s->has_family && player->family[s->family].n_strand == 1 &&
           player->family[s->family].open == MR_PLAYER_NONE;
}

void mr_player_end_family(struct mr_player *player, uint32_t strand)
{
    if (is_alone(player, strand))
        give_family(player, strand);
}

/* Edges of one node, or the roots of a session, are told of. The strand itself goes on with the
 * first node that is ready when all are told, unless its own node is still under way. */
static mr_status tell_edges(struct mr_player *player, uint32_t strand,
                            const struct mr_script_edge *edge, uint32_t n_edge, bool is_dispatch,
                            double now_s, struct mr_err *err)
{
    struct mr_player_open join, own = {0};
    uint32_t own_node = MR_PLAYER_NONE;
    for (uint32_t i = 0; i < n_edge; i++) {
        bool is_ready;
        uint32_t child;
        if (edge[i].is_dispatch != is_dispatch)
            continue;
        MR_TRY(mr_player_tell_one(player, strand, &edge[i], now_s, &join, &is_ready, err));
        if (!is_ready)
            continue;
        if (!is_dispatch && own_node == MR_PLAYER_NONE) {
            own_node = edge[i].to;
            own = join;
            continue;
        }
        MR_TRY(mr_player_fork(player, strand, &child, err));
        MR_TRY(mr_player_follow(player, child, edge[i].to, &join, now_s, err));
    }
    if (is_dispatch)
        return MR_OK;
    if (own_node == MR_PLAYER_NONE)
        return mr_player_leave(player, strand, now_s, err);
    mr_player_end_family(player, strand);
    return mr_player_follow(player, strand, own_node, &own, now_s, err);
}

mr_status mr_player_tell(struct mr_player *player, uint32_t strand, bool is_dispatch, double now_s,
                         struct mr_err *err)
{
    const struct mr_script *script = player->plan.script;
    const uint32_t from = player->strand[strand].node;
    if (!script->node[from].is_plain) {
        uint32_t n_edge;
        const struct mr_script_edge *edge = mr_script_edges(script, from, &n_edge);
        return tell_edges(player, strand, edge, n_edge, is_dispatch, now_s, err);
    }
    if (is_dispatch)
        return MR_OK;
    player->strand[strand].n_try = 0;
    return begin_node(player, strand, from + 1, now_s + (double)script->node[from + 1].delay_s,
                      now_s, err);
}

/* ---- sessions ---- */

static mr_status begin_session(struct mr_player *player, const struct mr_player_start *start,
                               double now_s, struct mr_err *err)
{
    const struct mr_script *script = player->plan.script;
    const struct mr_script_session *session = &script->session[start->session];
    uint32_t strand;
    MR_TRY(take_strand(player, &strand, err));
    MR_ASSERT(start->tier < player->plan.n_tier);
    player->strand[strand] =
        (struct mr_player_strand){.start_s = now_s,
                                  .place.instance = MR_PLAYER_NONE,
                                  .session = start->session,
                                  .space = script->n_space + 1 + player->n_life,
                                  .generation = player->strand[strand].generation,
                                  .tenant = start->tenant,
                                  .tier = start->tier};
    if (player->plan.has_ledger)
        player->ledger[strand] = (struct mr_player_ledger){{0}};
    if (player->plan.has_tokens)
        player->tokens[strand] = (struct mr_player_tokens){0};
    player->n_life++;
    player->n_live++;
    player->n_live_max = player->n_live > player->n_live_max ? player->n_live : player->n_live_max;
    player->sums[start->tier].n_started++;
    if (start->past_s > 0)
        return mr_player_meet(player, strand, start, now_s, err);
    if (start->cut == MR_PLAYER_NONE) {
        const struct mr_script_edge *root = &script->root[session->root];
        player->strand[strand].node = root->to;
        return tell_edges(player, strand, root, session->n_root, false, now_s, err);
    }
    if (!isnan(script->node[start->cut].offset_s)) /* recorded starts count from the recording's */
        player->strand[strand].start_s =
            player->plan.timing == MR_PLAYER_BY_ORIGINAL
                ? now_s - (double)script->node[start->cut].offset_s / player->plan.speed
                : now_s;
    return begin_node(player, strand, start->cut, now_s, now_s, err);
}

/* It has been told of; the next one it announces becomes an event. */
static mr_status plan_next(struct mr_player *player, struct mr_err *err)
{
    const struct mr_player_source *source = &player->plan.source;
    player->has_coming = source->next(source->context, &player->coming);
    if (!player->has_coming)
        return MR_OK;
    return mr_calendar_push(
        &player->calendar,
        mr_event_at(fmax(player->coming.at_s, player->calendar.now_s), MR_PLAYER_START, 0, 0), err);
}

/* A session that fails may fail at once, and so may the one after it: time must pass between. */
static mr_status wait_between(struct mr_player *player, const struct mr_player_start *start,
                              double now_s, struct mr_err *err)
{
    uint32_t strand;
    MR_TRY(take_strand(player, &strand, err));
    player->strand[strand] =
        (struct mr_player_strand){.session = start->session,
                                  .node = start->cut,
                                  .generation = player->strand[strand].generation,
                                  .tenant = start->tenant,
                                  .tier = start->tier,
                                  .state = MR_PLAYER_BETWEEN};
    return mr_player_wake_at(player, strand, now_s + fmax(1, player->plan.site.shed_retry_s), err);
}

mr_status mr_player_begin_next(struct mr_player *player, uint32_t strand, double now_s,
                               struct mr_err *err)
{
    const struct mr_player_strand *s = &player->strand[strand];
    const struct mr_player_start start = {now_s, s->session, s->node, s->tenant, s->tier, 0};
    give_strand(player, strand);
    return begin_session(player, &start, now_s, err);
}

static void count_deadline(struct mr_player *player, const struct mr_player_end *end)
{
    const double deadline_s = (double)player->plan.script->session[end->session].deadline_s;
    if (!(deadline_s > 0))
        return;
    player->sums[end->tier].n_deadline++;
    player->sums[end->tier].n_in_time +=
        !end->has_failed && end->end_s - end->start_s <= deadline_s;
}

static mr_status end_session(struct mr_player *player, uint32_t strand, double now_s,
                             struct mr_err *err)
{
    if (player->strand[strand].has_family)
        give_family(player, strand);
    const struct mr_player_strand s = player->strand[strand];
    const struct mr_player_source *source = &player->plan.source;
    struct mr_player_sums *sums = &player->sums[s.tier];
    const struct mr_player_end end = {
        .life = mr_player_life(player, strand),
        .session = s.session,
        .tenant = s.tenant,
        .tier = s.tier,
        .has_failed = s.has_failed || (s.was_denied && !s.was_answered),
        .start_s = s.start_s,
        .end_s = now_s,
        .part_s = player->plan.has_ledger ? player->ledger[strand].part_s : NULL,
        .tokens = player->plan.has_tokens ? &player->tokens[strand] : NULL};
    struct mr_player_start start;
    count_deadline(player, &end);
    if (end.has_failed) {
        sums->n_failed++;
    } else {
        sums->n_finished++;
        sums->finished_s += end.end_s - end.start_s;
        for (int i = 0; i < MR_PLAYER_PARTS && end.part_s != NULL; i++)
            sums->finished_part_s[i] += end.part_s[i];
    }
    if (player->plan.sink.ended != NULL)
        player->plan.sink.ended(player->plan.sink.context, strand, &end);
    const bool has_next = source->again != NULL && source->again(source->context, &end, &start);
    player->n_live--;
    give_strand(player, strand);
    if (s.sandbox_mb > 0)
        MR_TRY(mr_player_give_sandbox(player, s.sandbox_mb, now_s, err));
    if (!has_next)
        return MR_OK;
    return end.has_failed ? wait_between(player, &start, now_s, err)
                          : begin_session(player, &start, now_s, err);
}

mr_status mr_player_leave(struct mr_player *player, uint32_t strand, double now_s,
                          struct mr_err *err)
{
    const struct mr_player_strand *s = &player->strand[strand];
    if (s->has_family) {
        player->family[s->family].has_failed |= s->has_failed;
        player->family[s->family].was_denied |= s->was_denied;
        player->family[s->family].was_answered |= s->was_answered;
        if (--player->family[s->family].n_strand > 0) {
            if (player->plan.has_tokens)
                add_tokens(&player->family[s->family].tokens, &player->tokens[strand]);
            give_strand(player, strand);
            return MR_OK;
        }
    }
    return end_session(player, strand, now_s, err);
}

/* ---- events ---- */

mr_status mr_player_open_window(struct mr_player *player, uint64_t window, struct mr_err *err)
{
    return mr_calendar_open(&player->calendar, window, err);
}

void mr_player_close_window(struct mr_player *player)
{
    mr_calendar_close(&player->calendar);
}

enum {
    n_pool = 3
};

/* The pool whose event is first; n_pool: none has one. */
static int pool_due(const struct mr_player *player, double *due_s)
{
    const struct mr_cores *const pool[n_pool] = {&player->cores, &player->accelerators,
                                                 &player->storage};
    int first = n_pool;
    *due_s = (double)INFINITY;
    for (int i = 0; i < n_pool; i++) {
        const double at_s = pool[i]->n_unplanned > 0 ? mr_cores_due_s(pool[i]) : *due_s;
        if (at_s < *due_s) {
            *due_s = at_s;
            first = i;
        }
    }
    return first;
}

double mr_player_pools_due_s(const struct mr_player *player)
{
    double due_s;
    (void)pool_due(player, &due_s);
    return due_s;
}

/* The event of a pool, if one has the next event. */
static mr_status step_pools(struct mr_player *player, bool *has_stepped, struct mr_err *err)
{
    const struct mr_cores_sink sink = {mr_player_work_ended, player};
    struct mr_cores *const pool[n_pool] = {&player->cores, &player->accelerators, &player->storage};
    double due_s;
    const int first = pool_due(player, &due_s);
    *has_stepped = first < n_pool && (!mr_calendar_has_event(&player->calendar) ||
                                      due_s < mr_event_time_s(mr_calendar_peek(&player->calendar)));
    return *has_stepped ? mr_cores_advance(pool[first], due_s, &sink, err) : MR_OK;
}

mr_status mr_player_step(struct mr_player *player, struct mr_err *err)
{
    player->n_event++;
    player->may_call = true;
    if (mr_player_shares(player)) {
        bool has_stepped;
        MR_TRY(step_pools(player, &has_stepped, err));
        if (has_stepped)
            return MR_OK;
    }
    const struct mr_event event = mr_calendar_take(&player->calendar);
    const double now_s = mr_event_time_s(event);
    const uint32_t strand = mr_event_entity(event);
    if (mr_event_kind(event) == MR_PLAYER_START) {
        const struct mr_player_start start = player->coming;
        MR_TRY(plan_next(player, err));
        return begin_session(player, &start, now_s, err);
    }
    const uint32_t generation =
        player->strand[strand].generation & (uint32_t)(MR_EVENT_GENERATIONS - 1);
    if (generation != mr_event_generation(event))
        return MR_OK;
    return mr_player_wake(player, strand, now_s, err);
}

/* ---- life ---- */

/* Servers, none of them busy. */
static mr_status free_all(struct mr_tree *tree, uint32_t n, struct mr_err *err)
{
    MR_TRY(mr_tree_init(tree, n, err));
    for (uint32_t i = 0; i < n; i++)
        mr_tree_set_time(tree, i, 0);
    return MR_OK;
}

mr_status mr_player_init(struct mr_player *player, const struct mr_player_plan *plan,
                         struct mr_calendar_store *store, struct mr_err *err)
{
    const struct mr_player_site *site = &plan->site;
    *player = (struct mr_player){.plan = *plan,
                                 .store = store,
                                 .free_strand = MR_PLAYER_NONE,
                                 .free_family = MR_PLAYER_NONE,
                                 .free_open = MR_PLAYER_NONE,
                                 .queue_head = MR_PLAYER_NONE,
                                 .queue_tail = MR_PLAYER_NONE,
                                 .has_gate = site->gate_s > 0 || site->gate_median_s > 0 ||
                                             site->denied_frac > 0 || site->redirected_frac > 0};
    if (plan->n_tier == 0)
        player->plan.n_tier = MR_PLAYER_TIERS;
    player->sums = mr_alloc_zero(player->plan.n_tier, sizeof *player->sums);
    if (player->sums == NULL)
        return mr_err_nomem(err, player->plan.n_tier * sizeof *player->sums);
    if (!(plan->speed > 0))
        player->plan.speed = 1;
    mr_calendar_init(&player->calendar, store, mr_window_grid_of(plan->window_s), 0);
    mr_cores_init(&player->cores, site->n_core, site->core_speed);
    mr_cores_init(&player->accelerators, site->n_accelerator, 1);
    mr_cores_init(&player->storage, site->storage_bytes_s / site->stream_bytes_s,
                  site->stream_bytes_s);
    if (player->has_gate && site->n_gate > 0)
        MR_TRY(free_all(&player->gate, site->n_gate, err));
    if (site->redirected_frac > 0 && site->n_local > 0)
        MR_TRY(free_all(&player->local, site->n_local, err));
    return plan_next(player, err);
}

void mr_player_fini(struct mr_player *player)
{
    if (player->store != NULL)
        mr_calendar_fini(&player->calendar);
    mr_cores_fini(&player->cores);
    mr_cores_fini(&player->accelerators);
    mr_cores_fini(&player->storage);
    mr_tree_fini(&player->gate);
    mr_tree_fini(&player->local);
    mr_free(player->sums);
    mr_free(player->slab);
    mr_free(player->ledger);
    mr_free(player->tokens);
    mr_free(player->family);
    mr_free(player->open);
    mr_free(player->met);
    *player = (struct mr_player){0};
}

size_t mr_player_bytes(const struct mr_player *player)
{
    return player->cap_strand * sizeof *player->strand +
           player->cap_ledger * sizeof *player->ledger +
           player->cap_tokens * sizeof *player->tokens +
           player->cap_family * sizeof *player->family + player->cap_open * sizeof *player->open +
           player->cap_met * sizeof *player->met +
           (player->cores.cap + player->accelerators.cap + player->storage.cap) *
               sizeof(struct mr_cores_job) +
           player->plan.n_tier * sizeof *player->sums + sizeof *player;
}
