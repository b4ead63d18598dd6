/* SPDX-License-Identifier: Apache-2.0 */
/* Cooling as a load of the feeds. Fans of air handlers hang on their hall, fans and compressors of
 * heat rejection on the site; pumps of a CDU group hang where its racks do (wire.h), and pumps of a
 * facility loop are shared out to its groups that have power, in proportion to their design heat.
 * Who has no power is told so, and stops: air handlers with their hall, fans and compressors of
 * heat rejection with the site's house, pumps with their own. A change inside an interval is seen
 * at its end: what was asked for meanwhile and not given is `unfed_j`. Everything else that the
 * plant says it drew must have been paid for. */
#include "engine/base/assert.h"
#include "engine/twin/exchange_impl.h"

#include <math.h>

static double since(double *last_j, double now_j)
{
    const double j = now_j - *last_j;
    *last_j = now_j;
    return j;
}

/* ---- who pays for a loop's pumps ---- */

/* Where no group of a loop has heat to carry, or power, they are the site's: they stand still in
 * the latter case. */
static void share_out(struct mr_exchange *x)
{
    const struct mr_plant *plant = x->plant;
    for (uint32_t l = 0; l < plant->n_loop; l++)
        x->fed_w[l] = 0;
    for (uint32_t g = 0; g < plant->n_group; g++)
        if (x->is_fed[g])
            x->fed_w[plant->group_loop[g]] += plant->group_w[g];
}

static double group_w(const struct mr_exchange *x, uint32_t group, double loop_w)
{
    const double all_w = x->fed_w[x->plant->group_loop[group]];
    return x->is_fed[group] && all_w > 0 ? loop_w * x->plant->group_w[group] / all_w : 0;
}

/* ---- telling ---- */

void mr_exchange_begin_house(struct mr_exchange *x)
{
    MR_ASSERT(x->plant->n_group == x->plan.site->n_cdu);
    for (uint32_t g = 0; g < x->plant->n_group; g++)
        x->is_fed[g] = true;
    for (uint32_t h = 0; h < x->plan.site->n_hall; h++)
        x->has_air[h] = true;
    x->has_utility = true;
    share_out(x);
    for (uint32_t l = 0; l < x->plant->n_loop; l++)
        x->design_w[l] = x->fed_w[l];
}

void mr_exchange_tell_house(struct mr_exchange *x, double dt_s)
{
    double site_j = 0, reject_j = 0;
    x->house_w = 0;
    for (uint32_t h = 0; h < x->plan.site->n_hall; h++) {
        const double air_w = since(&x->hall_j[h], mr_sum_of(x->heat->hall[h].room.fan_j)) / dt_s;
        mr_supply_set_house(x->supply, h, air_w);
        x->house_w += air_w;
    }
    for (uint32_t l = 0; l < x->plant->n_loop; l++) {
        const struct mr_plant_loop_state *s = &x->heat->loop[l];
        x->pump_w[l] = since(&x->pump_j[l], mr_sum_of(s->water.pump_j)) / dt_s;
        reject_j += since(&x->loop_j[l], s->fan_j + s->work_j);
        site_j += x->fed_w[l] > 0 ? 0 : x->pump_w[l] * dt_s;
    }
    for (uint32_t g = 0; g < x->plant->n_group; g++) {
        const double w = since(&x->group_j[g], x->heat->group[g].electric_j) / dt_s +
                         group_w(x, g, x->pump_w[x->plant->group_loop[g]]);
        mr_supply_set_pumps(x->supply, g, w);
        x->house_w += w;
    }
    x->rejection_w = reject_j / dt_s;
    x->house_w += x->rejection_w + site_j / dt_s;
    mr_supply_set_house(x->supply, MR_SITE_NONE, x->rejection_w + site_j / dt_s);
}

/* What more cooling may draw until caps of the decision after the next one hold, so that these
 * leave room for it. Where it stands still for want of power, it will be what it was before, at
 * least. */
void mr_exchange_foresee_house(struct mr_exchange *x)
{
    const double now_s = x->heat->t_s;
    if (x->has_utility)
        x->lit_house_w = x->house_w;
    if (!mr_supply_reads_house(x->supply, now_s))
        return;
    const double ahead_w = mr_plant_ahead_w(x->plant, x->heat, now_s + x->foresight_s);
    mr_supply_expect_house(x->supply,
                           fmax(0, fmax(ahead_w - x->rejection_w, x->lit_house_w - x->house_w)));
}

/* The same before time begins: pumps run full, fans and compressors as the plant has settled. Fans
 * of air handlers are told after the first interval. */
void mr_exchange_expect_house(struct mr_exchange *x)
{
    double site_w = 0;
    for (uint32_t l = 0; l < x->plant->n_loop; l++) {
        const struct mr_rejection_out *out = &x->heat->loop[l].out;
        x->pump_w[l] = 0;
        if (x->plant->loop[l].has_orbit)
            continue;
        x->pump_w[l] = mr_facility_pump_w(&x->plant->loop[l].facility, 1, 0);
        site_w += out->fan_w + out->work_w + (x->fed_w[l] > 0 ? 0 : x->pump_w[l]);
    }
    for (uint32_t g = 0; g < x->plant->n_group; g++)
        mr_supply_set_pumps(x->supply, g,
                            x->heat->group[g].electric_w +
                                group_w(x, g, x->pump_w[x->plant->group_loop[g]]));
    mr_supply_set_house(x->supply, MR_SITE_NONE, site_w);
}

/* ---- who has power ---- */

static void look_at_pumps(struct mr_exchange *x)
{
    const struct mr_chain *chain = mr_supply_chain(x->supply);
    const struct mr_wire *wire = mr_supply_wire(x->supply);
    bool has_changed = false;
    for (uint32_t g = 0; g < x->plant->n_group; g++) {
        const bool is_fed = mr_chain_is_live(chain, wire->of_cdu[g]);
        if (is_fed == x->is_fed[g])
            continue;
        x->is_fed[g] = is_fed;
        has_changed = true;
        mr_plant_feed_group(x->plant, x->heat, g, is_fed);
    }
    if (has_changed)
        share_out(x);
}

void mr_exchange_look_at_house(struct mr_exchange *x)
{
    const struct mr_chain *chain = mr_supply_chain(x->supply);
    const struct mr_wire *wire = mr_supply_wire(x->supply);
    const bool has_power = mr_chain_is_live(chain, wire->house);
    for (uint32_t h = 0; h < x->plan.site->n_hall; h++) {
        x->has_air[h] = mr_chain_is_live(chain, wire->of_hall[h]);
        mr_plant_feed_hall(x->plant, x->heat, h, x->has_air[h]);
    }
    look_at_pumps(x);
    if (has_power != x->has_utility)
        mr_plant_set_outage(x->plant, x->heat, MR_PLANT_OUT_UTILITY, 0, has_power ? 0 : 1);
    x->has_utility = has_power;
    for (uint32_t l = 0; l < x->plant->n_loop; l++)
        mr_plant_feed_loop(x->plant, x->heat, l, x->design_w[l] > 0 ? x->fed_w[l] > 0 : has_power);
}

/* ---- who has paid ---- */

static double unserved_j(struct mr_exchange *x, uint32_t node, double *last_j)
{
    struct mr_chain_flow flow;
    mr_chain_read(mr_supply_chain(x->supply), node, x->t_s, &flow);
    return since(last_j, flow.unserved_j);
}

void mr_exchange_meter_house(struct mr_exchange *x)
{
    const struct mr_wire *wire = mr_supply_wire(x->supply);
    const double fans_j = unserved_j(x, wire->house, &x->unserved_j[0]);
    double *last_j = &x->unserved_j[1];
    x->unfed_j += x->has_utility ? fans_j : 0;
    for (uint32_t h = 0; h < x->plan.site->n_hall; h++) {
        const double j = unserved_j(x, wire->of_hall[h], last_j++);
        x->unfed_j += x->has_air[h] ? j : 0;
    }
    for (uint32_t g = 0; g < x->plant->n_group; g++) {
        const double j = unserved_j(x, wire->of_cdu[g], last_j++);
        x->unfed_j += x->is_fed[g] ? j : 0;
    }
}

double mr_exchange_unpaid_j(const struct mr_exchange *x, const struct mr_plant_sums *heat,
                            double house_j)
{
    return heat->cdu_j + heat->facility_pump_j + heat->fan_j + heat->work_j + heat->air_j -
           house_j - x->unfed_j;
}
