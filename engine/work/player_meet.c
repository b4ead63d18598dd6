/* SPDX-License-Identifier: Apache-2.0 */
/* A session that is met in the middle of its life (life.h): what is under way at that point goes
 * on. Of the nodes since the last cut those that have ended have told their followers; who still
 * waits for others is a join, who waits for a date waits for the rest. Thinks, tools and accesses
 * last their rest, without a share of their pool; a call begins anew, with its context cached. */
#include "engine/base/mem.h"
#include "engine/work/life.h"
#include "engine/work/player_impl.h"

#include <math.h>

/* One session while it is met. */
struct meeting {
    uint32_t strand; /* that goes on with the first thing found, when all others have theirs */
    uint32_t first, n;
    double at_s, now_s;
    uint32_t node; /* found first; MR_PLAYER_NONE: nothing yet */
    double rest_s; /* of it; NaN: it waits for its date, `join` */
    struct mr_player_open join;
};

/* A strand is in the middle of its node. */
static mr_status go_on(struct mr_player *player, uint32_t strand, uint32_t node, double rest_s,
                       double now_s, struct mr_err *err)
{
    struct mr_player_strand *s = &player->strand[strand];
    const struct mr_script_node *own = &player->plan.script->node[node];
    s->node = node;
    if (own->kind == MR_SCRIPT_LLM) {
        s->was_put_off = true; /* it has told who waits for its start */
        return mr_player_run(player, strand, now_s, err);
    }
    s->state = MR_PLAYER_RESTING;
    s->since_s = now_s;
    s->wait_s = own->kind == MR_SCRIPT_TOOL  ? own->tool.wait_s
                : own->kind == MR_SCRIPT_MEM ? (float)player->plan.site.storage_latency_s
                                             : 0;
    return mr_player_wake_at(player, strand, now_s + rest_s, err);
}

/* Something is to be done: by the meeting's own strand, or by another one. */
static mr_status found(struct mr_player *player, struct meeting *m, uint32_t node, double rest_s,
                       const struct mr_player_open *join, struct mr_err *err)
{
    uint32_t child;
    if (m->node == MR_PLAYER_NONE) {
        m->node = node;
        m->rest_s = rest_s;
        if (join != NULL)
            m->join = *join;
        return MR_OK;
    }
    MR_TRY(mr_player_fork(player, m->strand, &child, err));
    return join != NULL ? mr_player_follow(player, child, node, join, m->now_s, err)
                        : go_on(player, child, node, rest_s, m->now_s, err);
}

/* A node was told at a date; who has not started since is told now, with the rest of the delay. */
static mr_status tell(struct mr_player *player, struct meeting *m,
                      const struct mr_script_edge *edge, double told_s, struct mr_err *err)
{
    const uint32_t to = edge->to - m->first;
    struct mr_player_open join;
    bool is_ready;
    if (told_s > m->at_s || to >= m->n || player->met[to] <= m->at_s)
        return MR_OK;
    const double rest_s = fmax(0, told_s + (double)edge->delay_s - m->at_s);
    const struct mr_script_edge now = {edge->to, (float)rest_s, edge->is_dispatch};
    MR_TRY(mr_player_tell_one(player, m->strand, &now, m->now_s, &join, &is_ready, err));
    return is_ready ? found(player, m, edge->to, (double)NAN, &join, err) : MR_OK;
}

static mr_status look_at(struct mr_player *player, struct meeting *m, uint32_t i,
                         struct mr_err *err)
{
    const struct mr_script *script = player->plan.script;
    const uint32_t node = m->first + i;
    const double date_s = player->met[i], end_s = date_s + mr_life_length_s(&player->plan, node);
    uint32_t n_edge;
    const struct mr_script_edge *edge = mr_script_edges(script, node, &n_edge);
    if (date_s > m->at_s)
        return MR_OK;
    player->strand[m->strand].node = node; /* it tells for it */
    if (end_s > m->at_s)
        MR_TRY(found(player, m, node, end_s - m->at_s, NULL, err));
    if (script->node[node].is_plain)
        return tell(player, m,
                    &(struct mr_script_edge){node + 1, script->node[node + 1].delay_s, false},
                    end_s, err);
    for (uint32_t k = 0; k < n_edge; k++)
        MR_TRY(tell(player, m, &edge[k], edge[k].is_dispatch ? date_s : end_s, err));
    return MR_OK;
}

mr_status mr_player_meet(struct mr_player *player, uint32_t strand,
                         const struct mr_player_start *start, double now_s, struct mr_err *err)
{
    const struct mr_script *script = player->plan.script;
    const struct mr_script_session *session = &script->session[start->session];
    struct meeting m = {.strand = strand, .now_s = now_s, .node = MR_PLAYER_NONE};
    MR_TRY(mr_grow(&player->met, &player->cap_met, session->n_node, sizeof *player->met, err));
    m.first = mr_life_part(&player->plan, start->session, start->cut, player->met, &m.n);
    m.at_s = start->past_s + (start->cut != MR_PLAYER_NONE ? player->met[0] : 0);
    if (player->plan.timing == MR_PLAYER_BY_ORIGINAL) /* recorded starts count from the session's */
        player->strand[strand].start_s = now_s - m.at_s;
    for (uint32_t i = 0; start->cut == MR_PLAYER_NONE && i < session->n_root; i++) {
        player->strand[strand].node = script->root[session->root + i].to;
        MR_TRY(tell(player, &m, &script->root[session->root + i], 0, err));
    }
    for (uint32_t i = 0; i < m.n; i++)
        MR_TRY(look_at(player, &m, i, err));
    if (m.node == MR_PLAYER_NONE) { /* rounded past the end of all */
        m.node = m.first + m.n - 1;
        m.rest_s = 0;
    }
    mr_player_end_family(player, strand);
    return isnan(m.rest_s) ? mr_player_follow(player, strand, m.node, &m.join, now_s, err)
                           : go_on(player, strand, m.node, m.rest_s, now_s, err);
}
