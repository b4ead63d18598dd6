/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every site that a layout gives, for tests and the fuzz target. */
#ifndef MR_TESTS_PLATFORMS_LAYOUT_HOLDS_H
#define MR_TESTS_PLATFORMS_LAYOUT_HOLDS_H

#include "platforms/prop.h"
#include "platforms/site.h"

#include <math.h>

static inline bool layout_ref(uint32_t i, size_t n)
{
    return i == MR_SITE_NONE || i < n;
}

/** NULL, or what is broken about halls, rows, racks, packages, pods and domains. */
static inline const char *layout_rooms_hold(const struct mr_site *site)
{
    uint32_t row = 0, rack = 0, package = 0;
    for (size_t h = 0; h < site->n_hall; h++) {
        if (site->hall[h].first_row != row)
            return "rows of a hall do not follow those of the one before";
        row += site->hall[h].n_row;
    }
    for (size_t i = 0; i < site->n_row; i++) {
        const struct mr_row *it = &site->row[i];
        if (it->first_rack != rack || it->hall >= site->n_hall)
            return "racks of a row do not follow those of the one before";
        if (i < site->hall[it->hall].first_row ||
            i >= site->hall[it->hall].first_row + site->hall[it->hall].n_row)
            return "a row is not among its hall's";
        rack += it->n_rack;
    }
    if (row != site->n_row || rack != site->n_rack)
        return "rows or racks are left over";
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *it = &site->rack[i];
        if (it->row >= site->n_row || site->row[it->row].hall != it->hall ||
            i < site->row[it->row].first_rack ||
            i >= site->row[it->row].first_rack + site->row[it->row].n_rack)
            return "a rack is not among its row's";
        if (it->first_package != package)
            return "packages are not dense";
        package += it->n_package;
        if (!layout_ref(it->pod, site->n_pod) || !layout_ref(it->cdu, site->n_cdu) ||
            !layout_ref(it->feed[0], site->n_power) || !layout_ref(it->feed[1], site->n_power))
            return "a rack refers to nothing";
        if ((it->n_package > 0) != (it->domain != MR_SITE_NONE) ||
            (it->domain != MR_SITE_NONE && it->domain + it->n_domain > site->n_domain))
            return "a rack's domains are not there";
        if (it->feed[1] != MR_SITE_NONE &&
            (it->feed[0] == MR_SITE_NONE || it->feed[0] == it->feed[1]))
            return "a rack has a second feed without a first, or one twice";
        if (!(it->limit_w >= 0) || !isfinite(it->limit_w) || !isfinite(it->x_m))
            return "a rack's figures are not finite";
    }
    return package == site->n_package ? NULL : "packages are left over";
}

static inline const char *layout_plant_holds(const struct mr_site *site)
{
    for (size_t i = 0; i < site->n_power; i++) {
        const struct mr_power_node *it = &site->power[i];
        for (int p = 0; p < 2; p++)
            if (it->parent[p] != MR_SITE_NONE && it->parent[p] >= i)
                return "a power node stands before its parent";
        if (it->parent[1] != MR_SITE_NONE &&
            (it->parent[0] == MR_SITE_NONE || it->parent[0] == it->parent[1]))
            return "a power node has a second parent without a first, or one twice";
        if (!isfinite(it->rating_w) || !isfinite(it->energy_j) || !isfinite(it->voltage_v))
            return "a power node's figures are not finite";
        if (it->n_spare >= it->n_unit || !(it->rating_w > 0))
            return "a power node has nothing in service";
        if (!layout_ref(it->hall, site->n_hall) || !layout_ref(it->row, site->n_row))
            return "a power node stands nowhere";
    }
    for (size_t i = 0; i < site->n_cdu; i++)
        if (site->cdu[i].n_spare >= site->cdu[i].n_unit || !(site->cdu[i].capacity_w > 0) ||
            !layout_ref(site->cdu[i].loop, site->n_loop) || site->cdu[i].hall >= site->n_hall)
            return "a CDU group is not whole";
    for (size_t i = 0; i < site->n_cdu; i++)
        if (!isfinite(site->cdu[i].capacity_w) || !isfinite(site->cdu[i].flow_m3_s))
            return "a CDU group's figures are not finite";
    for (size_t i = 0; i < site->n_rejector; i++)
        if (site->rejector[i].n_spare >= site->rejector[i].n_unit ||
            !(site->rejector[i].capacity_w > 0) || !isfinite(site->rejector[i].capacity_w) ||
            site->rejector[i].loop >= site->n_loop)
            return "a heat rejection is not whole";
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *it = &site->rack[i];
        if (it->liquid_frac > 0 && (it->cdu == MR_SITE_NONE || site->cdu[it->cdu].hall != it->hall))
            return "a rack that needs liquid has none of its hall";
    }
    return NULL;
}

static inline const char *layout_names_hold(const struct mr_site *site)
{
    for (int kind = MR_PROP_HALL; kind < MR_N_PROP; kind++)
        for (size_t i = 0; i < mr_prop_n(site, kind); i++)
            if (!mr_prop_is_name(mr_prop_name(site, kind, i)))
                return "a name is none";
    return NULL;
}

static inline const char *layout_holds(const struct mr_site *site)
{
    const char *broken = layout_rooms_hold(site);
    if (broken == NULL)
        broken = layout_plant_holds(site);
    return broken != NULL ? broken : layout_names_hold(site);
}

#endif
