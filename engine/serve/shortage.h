/* SPDX-License-Identifier: Apache-2.0 */
/* A shortage of watts at the door. While the site holds instances of a cell back (caps below their
 * work, racks told to rest, feeds lost) a call comes in only where it leaves calls of dearer tiers
 * what those were promised:
 *
 *   first token   prompts that wait at the instance already are read in time
 *   each token    a step of all that decode there, with it, is short enough, and the steps of the
 *                 cell's instances were of late, prompts in them included
 *   room          it need not wait for somebody's slot or blocks
 *
 * So the cheapest tiers go first, no more of them than it takes, and the dearest never. Estimates
 * are of the instance the router has chosen, at the clock it has now; what is inside stays. */
#ifndef MR_ENGINE_SERVE_SHORTAGE_H
#define MR_ENGINE_SERVE_SHORTAGE_H

#include "engine/serve/instance.h"
#include "engine/serve/router_kv.h"

/* Of a cell, whose instances make tokens; zero-initialize. */
struct mr_shortage {
    bool is_on, may_refuse;        /* just now, by who knows; some tier gives way */
    double busy_s, n_step, look_s; /* of all instances, up to the last look */
    double late_s, n_late;         /* the same of late: what is older counts less and less */
};

void mr_shortage_look(struct mr_shortage *shortage, const struct mr_instance *instance,
                      uint32_t n_instance, double now_s);

/** Is anything promised to dearer tiers? */
static inline bool mr_shortage_asks(const struct mr_router_goal *spared)
{
    return spared->ttft_s > 0 || spared->tpot_s > 0;
}

/** Would a call take what dearer ones were promised?
 *  @param[in] spared what is left of it for them; 0: nothing was promised
 *  @param[in] maker who would make its tokens
 *  @param[in] wait_s until the prompts before its own have been read, at the clock of now */
bool mr_shortage_refuses(const struct mr_shortage *shortage, const struct mr_router_goal *spared,
                         const struct mr_call *call, const struct mr_instance *maker, double wait_s,
                         double now_s);

#endif
