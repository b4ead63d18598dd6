/* SPDX-License-Identifier: Apache-2.0 */
/* What power every rack is granted. Three policies: what the rack may draw at most, what its maker
 * calls efficient, and a share of the grid limit (racks packed by what they draw for long, MaxLPS:
 * 1 GW gives 5,543 racks of 72 GPUs instead of 3,819). */
#include "platforms/layout_node.h"

#include <math.h>

static const double grain_w = 100; /* grants by share are rounded down to it */

/* Meter over racks: mean of the racks' own, weighted by rated power. */
static double overhead_of(const struct mr_layout_build *build)
{
    const struct mr_site *site = build->site;
    double meter_w = 0, rack_w = 0;
    if (build->plan->provision.overhead > 0)
        return build->plan->provision.overhead;
    for (size_t r = 0; r < site->n_rack; r++) {
        const struct mr_layout_hall_info *hall = &build->hall[site->rack[r].hall];
        const double share = 1 / mr_layout_power_efficiency(build->plan, &hall->spec->power) +
                             mr_layout_cooling_overhead(hall, site->rack[r].liquid_frac);
        meter_w += site->rack[r].rated_w * share;
        rack_w += site->rack[r].rated_w;
    }
    return rack_w > 0 ? meter_w / rack_w : 1;
}

/* Share of rated power that fits under the grid limit once racks with a limit of their own have
 * theirs. */
static double grid_share(const struct mr_layout_build *build)
{
    const struct mr_site *site = build->site;
    double fixed_w = 0, rated_w = 0;
    for (size_t r = 0; r < site->n_rack; r++) {
        fixed_w += build->rack[r]->limit_w;
        rated_w += build->rack[r]->limit_w > 0 ? 0 : site->rack[r].rated_w;
    }
    const double left_w = build->plan->grid.limit_w / build->overhead - fixed_w;
    return rated_w > 0 ? fmin(1, left_w / rated_w) : 1;
}

static void set_grants(struct mr_layout_build *build, double share)
{
    const struct mr_layout_provision *provision = &build->plan->provision;
    struct mr_site *site = build->site;
    for (size_t r = 0; r < site->n_rack; r++) {
        struct mr_rack *rack = &site->rack[r];
        rack->limit_w = rack->rated_w;
        if (build->rack[r]->limit_w > 0)
            rack->limit_w = build->rack[r]->limit_w;
        else if (provision->rack_w > 0)
            rack->limit_w = fmin(rack->rated_w, provision->rack_w);
        else if (provision->policy == MR_LAYOUT_MAX_Q && rack->max_q_w > 0)
            rack->limit_w = fmin(rack->rated_w, rack->max_q_w);
        else if (share < 1)
            rack->limit_w = floor(rack->rated_w * share / grain_w) * grain_w;
        build->row[rack->row].grant_w += rack->limit_w;
        struct mr_layout_hall_info *hall = &build->hall[rack->hall];
        hall->grant_w += rack->limit_w;
        hall->heat_w[MR_LAYOUT_LOOP_LIQUID] += rack->limit_w * rack->liquid_frac;
        hall->heat_w[MR_LAYOUT_LOOP_AIR] += rack->limit_w * (1 - rack->liquid_frac);
    }
}

mr_status mr_layout_grant_build(struct mr_layout_build *build)
{
    struct mr_layout_plan *plan = build->plan;
    double share = 1;
    mr_layout_node_connect(build);
    build->overhead = overhead_of(build);
    if (plan->provision.overhead > 0 && plan->provision.overhead < 1)
        mr_layout_plan_error(plan, MR_RANGE, plan->provision.node, "overhead",
                             "provision: overhead: the meter cannot show less than racks draw "
                             "(at least 1, or 0 for what chain and cooling give)");
    if (!isfinite(build->overhead)) {
        mr_layout_plan_error(plan, MR_RANGE, plan->top.node, NULL,
                             "layout: the sum of all rated power is out of range");
        build->overhead = 1;
    }
    const bool is_shared =
        plan->provision.policy == MR_LAYOUT_MAXLPS && plan->provision.rack_w <= 0;
    if (is_shared && plan->grid.limit_w <= 0)
        mr_layout_plan_error(plan, MR_SCHEMA, plan->provision.node, "policy",
                             "provision: policy \"maxlps\" shares the grid limit, and there is "
                             "none (give <grid limit=\"...\"/> or rack_power)");
    else if (is_shared)
        share = grid_share(build);
    if (!(share > 0)) {
        mr_layout_plan_error(plan, MR_RANGE, plan->provision.node, "policy",
                             "provision: the limits of single racks leave nothing of the grid "
                             "limit to share");
        share = 1;
    }
    set_grants(build, share);
    return MR_OK;
}
