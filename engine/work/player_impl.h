/* SPDX-License-Identifier: Apache-2.0 */
/* What player.c (sessions, strands, dependencies), player_node.c (what nodes do), player_meet.c
 * (sessions in the middle of their lives) and life.c (lengths) share. */
#ifndef MR_ENGINE_WORK_PLAYER_IMPL_H
#define MR_ENGINE_WORK_PLAYER_IMPL_H

#include "engine/work/player.h"

/* Kinds of events, the first at one time first. */
enum mr_player_event {
    MR_PLAYER_WAKE, /* of a strand */
    MR_PLAYER_START /* of a session */
};

/** An event of a strand, not before what has been played. */
MR_CHECKED mr_status mr_player_wake_at(struct mr_player *player, uint32_t strand, double time_s,
                                       struct mr_err *err);

/** A strand's node starts now. */
MR_CHECKED mr_status mr_player_run(struct mr_player *player, uint32_t strand, double now_s,
                                   struct mr_err *err);

/** Its event has come. */
MR_CHECKED mr_status mr_player_wake(struct mr_player *player, uint32_t strand, double now_s,
                                    struct mr_err *err);

/** Tell the nodes that depend on this one: those by dispatch, or those by completion. */
MR_CHECKED mr_status mr_player_tell(struct mr_player *player, uint32_t strand, bool is_dispatch,
                                    double now_s, struct mr_err *err);

/** One dependency of a node is there. @param[out] is_ready it was the last one
 *  @param[in,out] join what is known of the node; its dates and its lane's place */
MR_CHECKED mr_status mr_player_tell_one(struct mr_player *player, uint32_t strand,
                                        const struct mr_script_edge *edge, double now_s,
                                        struct mr_player_open *join, bool *is_ready,
                                        struct mr_err *err);

/** A strand goes on with a node that all is there for. */
MR_CHECKED mr_status mr_player_follow(struct mr_player *player, uint32_t strand, uint32_t node,
                                      const struct mr_player_open *join, double now_s,
                                      struct mr_err *err);

/** Another strand of the same session, as if it were at the same node. */
MR_CHECKED mr_status mr_player_fork(struct mr_player *player, uint32_t strand, uint32_t *out,
                                    struct mr_err *err);

/** A strand that has no sisters left, and no joins, goes on without a family. */
void mr_player_end_family(struct mr_player *player, uint32_t strand);

/** A session that has begun goes on from where it is met. */
MR_CHECKED mr_status mr_player_meet(struct mr_player *player, uint32_t strand,
                                    const struct mr_player_start *start, double now_s,
                                    struct mr_err *err);

/** How long a think is as it is played. */
double mr_player_think_s(const struct mr_player_plan *plan, const struct mr_script_node *node);

/** A strand has nothing more to do. */
MR_CHECKED mr_status mr_player_leave(struct mr_player *player, uint32_t strand, double now_s,
                                     struct mr_err *err);

/** The session that was to begin in a while begins. */
MR_CHECKED mr_status mr_player_begin_next(struct mr_player *player, uint32_t strand, double now_s,
                                          struct mr_err *err);

/** Count time of a strand's session. */
static inline void mr_player_count(struct mr_player *player, uint32_t strand,
                                   enum mr_player_part part, double time_s)
{
    player->sums[player->strand[strand].tier].part_s[part] += time_s;
    if (player->plan.has_ledger)
        player->ledger[strand].part_s[part] += time_s;
}

/** Memory of the sandbox of a strand's session. */
float *mr_player_sandbox(struct mr_player *player, uint32_t strand);

/** A session's sandbox is gone: who waits may have its memory. */
MR_CHECKED mr_status mr_player_give_sandbox(struct mr_player *player, float memory_mb, double now_s,
                                            struct mr_err *err);

/** The pool that a strand's node works in; NULL: none. */
struct mr_cores *mr_player_pool(struct mr_player *player, const struct mr_script_node *node);

/** The sink of the pools. */
MR_CHECKED mr_status mr_player_work_ended(void *player, uint32_t strand, double now_s,
                                          bool was_planned, struct mr_err *err);

#endif
