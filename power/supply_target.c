/* SPDX-License-Identifier: Apache-2.0 */
/* Load targets of the connection to the grid: who is deepened or relaxed by a share keeps the draw
 * that the first share was of, not what is left of it. */
#include "power/supply_impl.h"

#include <math.h>

double mr_supply_target_base_w(const struct mr_supply *s)
{
    return s->has_feed && s->feed.n_target > 0 ? s->base_w : s->meter_w;
}

static mr_status be_asked(struct mr_supply *s, struct mr_err *err)
{
    mr_supply_still_stir(s);
    if (!s->has_feed)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: no grid connection with a limit: nothing to curtail", s->site->name);
    s->base_w = mr_supply_target_base_w(s);
    return MR_OK;
}

mr_status mr_supply_set_target(struct mr_supply *s, const struct mr_feed_target *target,
                               struct mr_err *err)
{
    struct mr_feed_target both = s->deepened;
    MR_TRY(be_asked(s, err));
    MR_TRY(mr_feed_set(&s->feed_params, &s->feed, target, err));
    both.start_s = fmax(both.start_s, target->start_s);
    both.end_s = fmin(both.end_s, target->end_s);
    return both.start_s < both.end_s ? mr_feed_deepen(&s->feed_params, &s->feed, &both, err)
                                     : MR_OK;
}

mr_status mr_supply_deepen_target(struct mr_supply *s, const struct mr_feed_target *target,
                                  struct mr_err *err)
{
    MR_TRY(be_asked(s, err));
    s->deepened = *target;
    return mr_feed_deepen(&s->feed_params, &s->feed, target, err);
}
