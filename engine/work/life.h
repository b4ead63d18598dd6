/* SPDX-License-Identifier: Apache-2.0 */
/* Where a live session is met at any moment: a point drawn evenly over the time of all lives.
 *
 * With as many sessions as ever and each followed by one that is drawn, a moment falls into session
 * s with a probability in proportion to its length T_s, and evenly within it; so the point is even
 * over the sum of all T_s. Lives are laid out as if nobody were in the way: thinks with their caps,
 * tools on a core of their own, long-term memory at its stream's rate, calls as long as they were
 * recorded. One that was not recorded takes 2.9 s and 15.2 ms a token of its output (least squares
 * over the 40,427 calls of the deduplicated Weka corpus; measured).
 *
 * A life is kept in parts, which end where a session could begin again (cuts of the script) and at
 * its end: who draws a point is told the part and how far into it, and player_meet.c finds out what
 * is under way there, in all branches.
 *
 * Ignored: queues, retries of tools and calls, gateway and network; branches nobody waits for end
 * with their part. May include work, base. */
#ifndef MR_ENGINE_WORK_LIFE_H
#define MR_ENGINE_WORK_LIFE_H

#include "engine/work/script.h"

struct mr_player_plan;
struct mr_player_start;

struct mr_life {
    const struct mr_script *script; /* lent */
    double *end_s; /* of parts, all sessions laid end to end. Session s has one more than cuts, the
                      first of them its way to the first cut: they begin at session[s].cut + s */
};

/** One pass over all nodes.
 *  @param[in] plan its script, timing, think_factor, idle_cap_s, speed and site are read
 *  @return MR_OK, MR_NOMEM */
MR_CHECKED mr_status mr_life_init(struct mr_life *life, const struct mr_player_plan *plan,
                                  struct mr_err *err);
void mr_life_fini(struct mr_life *life);

/** Its session, cut and past_s. @param[in] at in (0, 1) of the time of all
 *  @return false: no session takes time */
bool mr_life_find(const struct mr_life *life, double at, struct mr_player_start *start);

/** How long a node takes with nobody in the way. */
double mr_life_length_s(const struct mr_player_plan *plan, uint32_t node);

/** When nodes of one session start. @param[in] first, n of the script
 *  @param[in,out] date_s [n] before which they do not; when they do */
void mr_life_dates(const struct mr_player_plan *plan, uint32_t first, uint32_t n, double *date_s);

/** The same of those from a cut on, or from the session's start (MR_SCRIPT_NONE), up to the next
 *  cut, that included. @param[out] n of them; date_s has room for all of the session
 *  @return the first */
uint32_t mr_life_part(const struct mr_player_plan *plan, uint32_t session, uint32_t cut,
                      double *date_s, uint32_t *n);

#endif
