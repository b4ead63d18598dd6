/* SPDX-License-Identifier: Apache-2.0 */
/* What stands where: halls, pods, rows, racks and their domains, counted out and named. x runs
 * along the row from the hall's corner, y across rows; every hall has its own corner. */
#include "engine/base/mem.h"
#include "platforms/layout_build.h"

#include <math.h>
#include <stdio.h>

/* ---- names ---- */

const char *mr_layout_room_local(const char *base, uint64_t i, bool is_alone, char out[64])
{
    if (is_alone)
        (void)snprintf(out, 64, "%s", base);
    else
        (void)snprintf(out, 64, "%s%llu", base, (unsigned long long)i);
    return out;
}

mr_status mr_layout_room_name(struct mr_layout_build *build, const char *scope, const char *local,
                              const struct mr_xml_node *node, const char **out)
{
    struct mr_layout_plan *plan = build->plan;
    char full[256];
    uint32_t id;
    const size_t n = build->names.n;
    (void)snprintf(full, sizeof full, "%s%s%s", scope != NULL ? scope : "",
                   scope != NULL ? "." : "", local);
    *out = "";
    MR_TRY(mr_intern_add(&build->names, mr_str_of(full), &id, &plan->err));
    if (id < n) {
        mr_layout_plan_error(
            plan, MR_SCHEMA, node != NULL ? node : plan->top.node, "name",
            "%s: the name \"%s\" is taken (what repeats is numbered when it has no "
            "name)",
            node != NULL ? node->name : "layout", full);
        return MR_OK;
    }
    *out = mr_arena_text(&build->site->arena, mr_str_of(full), &plan->err);
    return *out != NULL ? MR_OK : MR_NOMEM;
}

/* Name of the i-th of `n_count` like it; `ordinal` counts all of its kind in the scope. */
static mr_status name_of(struct mr_layout_build *build, const char *scope, const char *given,
                         const char *letter, uint64_t i, uint64_t n_count, uint64_t ordinal,
                         const struct mr_xml_node *node, const char **out)
{
    char local[64];
    if (given != NULL)
        mr_layout_room_local(given, i, n_count == 1, local);
    else
        mr_layout_room_local(letter, ordinal, false, local);
    return mr_layout_room_name(build, scope, local, node, out);
}

/* ---- domains ---- */

static mr_status push_domain(struct mr_layout_build *build, const char *scope, const char *local,
                             const struct mr_xml_node *node, const struct mr_domain *domain)
{
    struct mr_site *site = build->site;
    MR_TRY(mr_grow(&site->domain, &site->cap_domain, site->n_domain + 1, sizeof *site->domain,
                   &build->plan->err));
    struct mr_domain *it = &site->domain[site->n_domain];
    *it = *domain;
    it->at = mr_layout_plan_spot(node);
    MR_TRY(mr_layout_room_name(build, scope, local, node, &it->name));
    site->n_domain++;
    return MR_OK;
}

/* Racks in no group: every node of theirs is a domain. */
static mr_status single_domains(struct mr_layout_build *build, uint32_t r)
{
    struct mr_rack *rack = &build->site->rack[r];
    struct mr_domain domain;
    char local[64];
    rack->domain = (uint32_t)build->site->n_domain;
    rack->n_domain = mr_layout_card_domain(build->rack[r]->card, &domain);
    for (uint32_t i = 0; i < rack->n_domain; i++) {
        mr_layout_room_local("D", build->n_single_domain++, false, local);
        MR_TRY(push_domain(build, NULL, local, build->rack[r]->node, &domain));
    }
    return MR_OK;
}

static bool is_of(const struct mr_layout_build *build, const struct mr_layout_domain *spec,
                  uint32_t r)
{
    const struct mr_rack *rack = &build->site->rack[r];
    return rack->n_package > 0 && rack->domain == MR_SITE_NONE &&
           (spec->card_id == NULL || strcmp(spec->card_id, build->rack[r]->card_id) == 0);
}

/* One domain over the next racks from *r on that the spec means. @return racks it got */
static uint64_t take_racks(struct mr_layout_build *build, const struct mr_layout_domain *spec,
                           const struct mr_row *row, uint32_t *r, struct mr_domain *domain)
{
    const uint32_t end = row->first_rack + row->n_rack;
    uint64_t n = 0;
    const char *card_id = NULL;
    for (; *r < end && n < spec->n_rack; (*r)++) {
        if (!is_of(build, spec, *r))
            continue;
        if (card_id == NULL) {
            card_id = build->rack[*r]->card_id;
            (void)mr_layout_card_domain(build->rack[*r]->card, domain);
            domain->n_package = 0;
        } else if (strcmp(card_id, build->rack[*r]->card_id) != 0) {
            mr_layout_plan_error(build->plan, MR_SCHEMA, spec->node, NULL,
                                 "domain: a group of %s and %s (say which with card=\"...\")",
                                 card_id, build->rack[*r]->card_id);
        }
        struct mr_rack *rack = &build->site->rack[*r];
        rack->domain = (uint32_t)build->site->n_domain;
        rack->n_domain = 1;
        domain->n_package += rack->n_package;
        n++;
    }
    return n;
}

static mr_status grouped_domains(struct mr_layout_build *build, const struct mr_layout_domain *spec,
                                 const struct mr_row *row, uint64_t *n_group)
{
    uint32_t r = row->first_rack;
    uint64_t n_taken = 0, n;
    struct mr_domain domain;
    char local[64];
    while ((n = take_racks(build, spec, row, &r, &domain)) == spec->n_rack) {
        n_taken += n;
        domain.is_optical = spec->is_optical;
        if (spec->bandwidth_bytes_s > 0)
            domain.bandwidth_bytes_s = spec->bandwidth_bytes_s;
        if (spec->latency_s > 0)
            domain.latency_s = spec->latency_s;
        mr_layout_room_local("D", (*n_group)++, false, local);
        MR_TRY(push_domain(build, row->name, local, spec->node, &domain));
    }
    if (n == 0 && n_taken > 0)
        return MR_OK;
    mr_layout_plan_error(build->plan, MR_RANGE, spec->node, "racks",
                         "domain: racks \"%llu\": row %s has %llu such racks, which are not whole "
                         "groups",
                         (unsigned long long)spec->n_rack, row->name,
                         (unsigned long long)n_taken + n);
    /* whatever was taken for an incomplete group needs some domain */
    return n > 0 ? push_domain(build, row->name, "D", spec->node, &domain) : MR_OK;
}

static void tell_short_group(struct mr_layout_build *build, const struct mr_row *row,
                             const struct mr_layout_rack *spec, uint64_t n_rack, uint64_t n_whole)
{
    mr_diags_add(build->plan->diags, MR_SEVERITY_WARNING, MR_RANGE, mr_xml_place(spec->node),
                 "rack: %llu of %s in row %s are no whole domain of %llu racks: each stands alone",
                 (unsigned long long)n_rack, spec->card_id, row->name, (unsigned long long)n_whole);
}

/* Cards whose domains span racks: groups of neighbors, as far as the row has whole ones. */
static mr_status spanning_domains(struct mr_layout_build *build, const struct mr_row *row,
                                  uint64_t *n_group)
{
    const uint32_t end = row->first_rack + row->n_rack;
    for (uint32_t first = row->first_rack; first < end;) {
        const struct mr_layout_rack *spec = build->rack[first];
        const uint64_t n = mr_layout_card_span(spec->card);
        uint32_t last = first;
        struct mr_domain domain;
        char local[64];
        while (last < end && last - first < n && build->rack[last]->card == spec->card &&
               build->site->rack[last].domain == MR_SITE_NONE)
            last++;
        if (n < 2 || last - first < n) {
            /* groups that were cut short by the row's end, once per run of racks */
            if (n >= 2 && last > first && last - first < n)
                tell_short_group(build, row, spec, last - first, n);
            first = n >= 2 && last > first ? last : first + 1;
            continue;
        }
        (void)mr_layout_card_domain(spec->card, &domain);
        domain.n_package = 0;
        for (; first < last; first++) {
            build->site->rack[first].domain = (uint32_t)build->site->n_domain;
            build->site->rack[first].n_domain = 1;
            domain.n_package += build->site->rack[first].n_package;
        }
        domain.is_optical = true;
        mr_layout_room_local("D", (*n_group)++, false, local);
        MR_TRY(push_domain(build, row->name, local, spec->node, &domain));
    }
    return MR_OK;
}

static mr_status add_domains(struct mr_layout_build *build, const struct mr_layout_row *spec,
                             const struct mr_row *row)
{
    uint64_t n_group = 0;
    for (const struct mr_layout_domain *d = spec->domain; d != NULL; d = d->next)
        MR_TRY(grouped_domains(build, d, row, &n_group));
    MR_TRY(spanning_domains(build, row, &n_group));
    for (uint32_t r = row->first_rack; r < row->first_rack + row->n_rack; r++)
        if (build->site->rack[r].n_package > 0 && build->site->rack[r].domain == MR_SITE_NONE)
            MR_TRY(single_domains(build, r));
    return MR_OK;
}

/* ---- racks ---- */

/* The card's figures and what the element says instead. */
static mr_status fill_rack(struct mr_layout_build *build, const struct mr_layout_rack *spec,
                           struct mr_rack *rack)
{
    MR_TRY(mr_layout_card_fill(build, spec, rack));
    if (spec->rated_w > 0)
        rack->rated_w = spec->rated_w;
    if (spec->max_q_w > 0)
        rack->max_q_w = spec->max_q_w;
    if (spec->flow_m3_s > 0)
        rack->flow_m3_s = spec->flow_m3_s;
    if (spec->mass_kg > 0)
        rack->mass_kg = spec->mass_kg;
    if (mr_layout_plan_has(spec->node, "liquid"))
        rack->liquid_frac = spec->liquid_frac;
    if (mr_layout_plan_has(spec->node, "inlet"))
        rack->inlet_max_c = spec->inlet_max_c;
    return MR_OK;
}

static mr_status push_rack(struct mr_layout_build *build, const struct mr_layout_rack *spec,
                           const struct mr_rack *rack)
{
    struct mr_site *site = build->site;
    struct mr_err *err = &build->plan->err;
    MR_TRY(mr_grow(&site->rack, &site->cap_rack, site->n_rack + 1, sizeof *site->rack, err));
    MR_TRY(mr_grow(&build->rack, &build->cap_rack, site->n_rack + 1, sizeof(void *), err));
    build->rack[site->n_rack] = spec;
    site->rack[site->n_rack++] = *rack;
    return MR_OK;
}

static mr_status add_racks(struct mr_layout_build *build, const struct mr_layout_rack *spec,
                           struct mr_row *row, double y_m, double *x_m)
{
    struct mr_site *site = build->site;
    struct mr_rack rack = {.hall = row->hall,
                           .row = (uint32_t)(site->n_row - 1),
                           .cdu = MR_SITE_NONE,
                           .domain = MR_SITE_NONE,
                           .pod = MR_SITE_NONE,
                           .feed = {MR_SITE_NONE, MR_SITE_NONE},
                           .zone = MR_SITE_NONE,
                           .uplink = MR_SITE_NONE,
                           .y_m = y_m,
                           .at = mr_layout_plan_spot(spec->node)};
    const double width_m = spec->width_m > 0 ? spec->width_m : mr_layout_card_width(spec->card);
    MR_TRY(fill_rack(build, spec, &rack));
    rack.footprint_m2 = width_m * spec->card->depth_m;
    *x_m += spec->gap_m;
    for (uint64_t i = 0; i < spec->n_count; i++) {
        if (rack.n_package > MR_SITE_NONE - 1 - site->n_package) {
            mr_layout_plan_error(build->plan, MR_LIMIT, spec->node, "count",
                                 "rack: more packages than can be counted");
            return MR_OK;
        }
        rack.x_m = floor(*x_m * 1000 + 0.5) / 1000; /* millimeters read better */
        rack.first_package = site->n_package;
        MR_TRY(name_of(build, row->name, spec->name, "K", i, spec->n_count, row->n_rack, spec->node,
                       &rack.name));
        MR_TRY(push_rack(build, spec, &rack));
        site->n_package += rack.n_package;
        row->n_rack++;
        *x_m += width_m;
    }
    return MR_OK;
}

/* ---- pods, rows, halls ---- */

static mr_status push_pod(struct mr_layout_build *build, const struct mr_layout_pod *spec,
                          uint64_t i, uint32_t *out)
{
    struct mr_site *site = build->site;
    MR_TRY(
        mr_grow(&site->pod, &site->cap_pod, site->n_pod + 1, sizeof *site->pod, &build->plan->err));
    struct mr_pod *pod = &site->pod[site->n_pod];
    *pod = (struct mr_pod){0};
    MR_TRY(name_of(build, NULL, spec->name, "P", i, spec->n_count, site->n_pod, spec->node,
                   &pod->name));
    *out = (uint32_t)site->n_pod++;
    return MR_OK;
}

static mr_status add_row(struct mr_layout_build *build, const struct mr_layout_row *spec,
                         uint64_t i, uint32_t pod)
{
    struct mr_site *site = build->site;
    struct mr_err *err = &build->plan->err;
    const uint32_t h = (uint32_t)(site->n_hall - 1);
    struct mr_hall *hall = &site->hall[h];
    MR_TRY(mr_grow(&site->row, &site->cap_row, site->n_row + 1, sizeof *site->row, err));
    MR_TRY(mr_grow(&build->row, &build->cap_row, site->n_row + 1, sizeof *build->row, err));
    struct mr_row *row = &site->row[site->n_row];
    *row = (struct mr_row){.hall = h,
                           .first_rack = (uint32_t)site->n_rack,
                           .zone = MR_SITE_NONE,
                           .at = mr_layout_plan_spot(spec->node)};
    build->row[site->n_row] =
        (struct mr_layout_row_info){.spec = spec, .system = {MR_SITE_NONE, MR_SITE_NONE}};
    const double y_m = (double)hall->n_row * build->hall[h].spec->row_pitch_m;
    MR_TRY(name_of(build, hall->name, spec->name, "R", i, spec->n_count, hall->n_row, spec->node,
                   &row->name));
    site->n_row++;
    hall->n_row++;
    double x_m = 0;
    for (const struct mr_layout_rack *r = spec->rack; r != NULL; r = r->next)
        MR_TRY(add_racks(build, r, row, y_m, &x_m));
    if (spec->pod != NULL)
        pod = spec->pod->pod;
    for (uint32_t r = row->first_rack; r < row->first_rack + row->n_rack; r++)
        site->rack[r].pod = pod;
    if (pod != MR_SITE_NONE)
        site->pod[pod].n_rack += row->n_rack;
    return add_domains(build, spec, row);
}

static mr_status add_groups(struct mr_layout_build *build, const struct mr_layout_hall *hall)
{
    for (const struct mr_layout_group *group = hall->group; group != NULL; group = group->next)
        for (uint64_t i = 0; i < group->pod.n_count; i++) {
            uint32_t pod = MR_SITE_NONE;
            if (group->pod.node != NULL)
                MR_TRY(push_pod(build, &group->pod, i, &pod));
            for (const struct mr_layout_row *row = group->row; row != NULL; row = row->next)
                for (uint64_t k = 0; k < row->n_count; k++)
                    MR_TRY(add_row(build, row, k, pod));
        }
    return MR_OK;
}

static mr_status add_hall(struct mr_layout_build *build, const struct mr_layout_hall *spec,
                          uint64_t i)
{
    struct mr_site *site = build->site;
    struct mr_err *err = &build->plan->err;
    MR_TRY(mr_grow(&site->hall, &site->cap_hall, site->n_hall + 1, sizeof *site->hall, err));
    MR_TRY(mr_grow(&build->hall, &build->cap_hall, site->n_hall + 1, sizeof *build->hall, err));
    struct mr_hall *hall = &site->hall[site->n_hall];
    *hall = (struct mr_hall){.first_row = (uint32_t)site->n_row,
                             .zone = MR_SITE_NONE,
                             .floor_limit_kg_m2 = spec->floor_limit_kg_m2,
                             .at = mr_layout_plan_spot(spec->node)};
    build->hall[site->n_hall] =
        (struct mr_layout_hall_info){.spec = spec, .loop = {MR_SITE_NONE, MR_SITE_NONE}};
    MR_TRY(name_of(build, NULL, spec->name, "H", i, spec->n_count, site->n_hall, spec->node,
                   &hall->name));
    site->n_hall++;
    return add_groups(build, spec);
}

/* Racks, rows, halls and domains the layout asks for, as a double: counts may be absurd. */
static double count_positions(const struct mr_layout_plan *plan)
{
    double n = 0;
    for (const struct mr_layout_hall *hall = plan->hall; hall != NULL; hall = hall->next) {
        double in_hall = 1;
        for (const struct mr_layout_group *group = hall->group; group != NULL;
             group = group->next) {
            double in_group = 1;
            for (const struct mr_layout_row *row = group->row; row != NULL; row = row->next) {
                double in_row = 1;
                for (const struct mr_layout_rack *r = row->rack; r != NULL; r = r->next) {
                    struct mr_domain domain;
                    in_row +=
                        (double)r->n_count * (double)(1 + mr_layout_card_domain(r->card, &domain));
                }
                in_group += (double)row->n_count * in_row;
            }
            in_hall += (double)group->pod.n_count * in_group;
        }
        n += (double)hall->n_count * in_hall;
    }
    return n;
}

mr_status mr_layout_room_build(struct mr_layout_build *build)
{
    struct mr_layout_plan *plan = build->plan;
    const double n = count_positions(plan);
    if (n > mr_layout_position_max) {
        mr_layout_plan_error(plan, MR_LIMIT, plan->top.node, NULL,
                             "layout: %.0f halls, rows, racks and domains: at most %d", n,
                             mr_layout_position_max);
        return MR_OK;
    }
    for (struct mr_layout_pod *pod = plan->pod; pod != NULL; pod = pod->next)
        MR_TRY(push_pod(build, pod, 0, &pod->pod));
    for (const struct mr_layout_hall *hall = plan->hall; hall != NULL; hall = hall->next)
        for (uint64_t i = 0; i < hall->n_count; i++)
            MR_TRY(add_hall(build, hall, i));
    return MR_OK;
}
