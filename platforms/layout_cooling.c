/* SPDX-License-Identifier: Apache-2.0 */
/* Coolant: which racks hang on which CDUs, the facility loops of a hall, and what rejects their
 * heat. Sizes follow the granted power, temperatures the design weather.
 * Liquid heat and air heat have loops of their own: a room needs colder water than a cold plate. */
#include "engine/base/mem.h"
#include "platforms/layout_build.h"

#include <math.h>
#include <stdio.h>

static const double dry_range_k = 5.55;   /* the dry cooler's water range at its design point */
static const double dry_least = 0.25;     /* share of its capacity below which it is not taken */
static const double tower_approach_k = 6; /* tower and heat exchanger above the wet bulb */
static const double pump_reserve = 1.15;  /* CDU pumps run up to this of their design flow */
static const double trim_c = 25;          /* chillers for warmer water have a card of their own */
static const char trim_card[] = "carnot_trim";

/* Usual product of every kind. */
static const char *const reject_cards[MR_SITE_N_REJECT_KIND] = {
    [MR_SITE_REJECT_DRY_COOLER] = "trillium_2931",
    [MR_SITE_REJECT_ADIABATIC] = "trillium_adiabatic",
    [MR_SITE_REJECT_TOWER] = "york_tower",
    [MR_SITE_REJECT_CHILLER] = "mcquay_wsc_471",
    [MR_SITE_REJECT_CRAH] = "crah_300",
    [MR_SITE_REJECT_RADIATOR] = "space_radiator",
};

/* By redundancy, of as many as the heat takes. */
static uint64_t spare_of(const struct mr_layout_cooling *cooling, uint64_t n_need)
{
    if (cooling->redundancy == MR_LAYOUT_TWO_N)
        return n_need;
    return cooling->redundancy == MR_LAYOUT_N ? 0 : 1;
}

/* ---- before the loads: temperatures and kinds ---- */

static int kind_for(const struct mr_layout_plan *plan, double supply_c)
{
    if (supply_c - plan->top.dry_bulb_c >= dry_least * dry_range_k)
        return MR_SITE_REJECT_DRY_COOLER;
    return supply_c >= plan->top.wet_bulb_c + tower_approach_k ? MR_SITE_REJECT_TOWER
                                                               : MR_SITE_REJECT_CHILLER;
}

/* The hall's own elements for a loop, else the layout's. */
static const struct mr_layout_reject *given_for(const struct mr_layout_cooling *cooling, int loop)
{
    for (; cooling != NULL; cooling = cooling->up)
        for (const struct mr_layout_reject *r = cooling->first; r != NULL; r = r->next)
            if (r->loop == loop)
                return r;
    return NULL;
}

static const struct mr_layout_reject *next_given(const struct mr_layout_reject *reject)
{
    const int loop = reject->loop;
    do
        reject = reject->next;
    while (reject != NULL && reject->loop != loop);
    return reject;
}

static bool has(const struct mr_layout_cooling *cooling, const char *attribute)
{
    return mr_layout_plan_has(cooling->node, attribute) ||
           (cooling->up != NULL && mr_layout_plan_has(cooling->up->node, attribute));
}

/* The element that names the CDUs' card: the hall's own, else the layout's. */
static const struct mr_xml_node *cdu_node(const struct mr_layout_cooling *cooling)
{
    while (cooling->up != NULL && !mr_layout_plan_has(cooling->node, "cdu"))
        cooling = cooling->up;
    return cooling->node;
}

/* Lower a loop's set point to what one CDU element needs. */
static mr_status lower(struct mr_layout_build *build, const struct mr_layout_hall_info *hall,
                       const struct mr_layout_cdu *cdu, double *loop_c)
{
    const struct mr_layout_cooling *cooling = &hall->spec->cooling;
    const bool is_named = cdu != NULL && cdu->card_id != NULL;
    struct mr_layout_cdu_figures card;
    MR_TRY(mr_layout_card_cdu(build->plan, is_named ? cdu->card_id : cooling->cdu,
                              is_named ? cdu->node : cdu_node(cooling), &card));
    const double supply_c =
        cdu != NULL && mr_layout_plan_has(cdu->node, "supply") ? cdu->supply_c : hall->supply_c;
    *loop_c = fmin(*loop_c, supply_c - card.approach_k);
    return MR_OK;
}

static mr_status liquid_temperatures(struct mr_layout_build *build,
                                     struct mr_layout_hall_info *hall)
{
    double *loop_c = &hall->loop_c[MR_LAYOUT_LOOP_LIQUID];
    const struct mr_layout_cooling *cooling = &hall->spec->cooling;
    if (has(cooling, "facility")) {
        *loop_c = cooling->facility_c;
        return MR_OK;
    }
    *loop_c = HUGE_VAL;
    bool has_automatic = false;
    if (hall->spec->cdu != NULL)
        MR_TRY(lower(build, hall, hall->spec->cdu, loop_c));
    for (const struct mr_layout_group *g = hall->spec->group; g != NULL; g = g->next)
        for (const struct mr_layout_row *row = g->row; row != NULL; row = row->next) {
            has_automatic |= row->cdu == NULL && hall->spec->cdu == NULL;
            for (const struct mr_layout_cdu *cdu = row->cdu; cdu != NULL; cdu = cdu->next)
                MR_TRY(lower(build, hall, cdu, loop_c));
        }
    return has_automatic ? lower(build, hall, NULL, loop_c) : MR_OK;
}

/* The set point that is not given is what the most delicate rack takes, at most the default. */
static void decide_supply(struct mr_layout_build *build, struct mr_layout_hall_info *hall, size_t h,
                          bool *has_liquid)
{
    const struct mr_site *site = build->site;
    const struct mr_hall *it = &site->hall[h];
    hall->supply_c = hall->spec->cooling.supply_c;
    *has_liquid = false;
    for (uint32_t i = it->first_row; i < it->first_row + it->n_row; i++)
        for (uint32_t r = site->row[i].first_rack;
             r < site->row[i].first_rack + site->row[i].n_rack; r++) {
            if (!(site->rack[r].liquid_frac > 0))
                continue;
            *has_liquid = true;
            if (!has(&hall->spec->cooling, "supply"))
                hall->supply_c = fmin(hall->supply_c, site->rack[r].inlet_max_c);
        }
}

mr_status mr_layout_cooling_decide(struct mr_layout_build *build)
{
    for (size_t h = 0; h < build->site->n_hall; h++) {
        struct mr_layout_hall_info *hall = &build->hall[h];
        bool has_liquid;
        decide_supply(build, hall, h, &has_liquid);
        hall->loop_c[MR_LAYOUT_LOOP_AIR] = hall->spec->cooling.air_c;
        if (has_liquid)
            MR_TRY(liquid_temperatures(build, hall));
        for (int loop = 0; loop < mr_layout_n_loop; loop++) {
            const struct mr_layout_reject *given = given_for(&hall->spec->cooling, loop);
            while (given != NULL && given->kind == MR_SITE_REJECT_CRAH)
                given = next_given(given);
            hall->reject[loop] =
                given != NULL ? given->kind : kind_for(build->plan, hall->loop_c[loop]);
        }
    }
    return MR_OK;
}

double mr_layout_cooling_overhead(const struct mr_layout_hall_info *hall, double liquid_frac)
{
    const double liquid =
        mr_site_cdu_power() + mr_site_reject_power(hall->reject[MR_LAYOUT_LOOP_LIQUID]);
    const double air = mr_site_reject_power(MR_SITE_REJECT_CRAH) +
                       mr_site_reject_power(hall->reject[MR_LAYOUT_LOOP_AIR]);
    return liquid_frac * liquid + (1 - liquid_frac) * air;
}

/* ---- CDU groups ---- */

/* A group being gathered. */
struct group {
    const struct mr_layout_cdu *spec; /* NULL: automatic */
    uint32_t hall, row, ordinal;
    uint64_t n_rack;
    double heat_w, flow_m3_s;
};

static void take_rack(struct mr_layout_build *build, struct group *group, uint32_t r)
{
    struct mr_rack *rack = &build->site->rack[r];
    const uint64_t n_most =
        group->spec != NULL && group->spec->n_rack > 0 ? group->spec->n_rack : UINT64_MAX;
    if (!(rack->liquid_frac > 0) || rack->cdu != MR_SITE_NONE || group->n_rack == n_most)
        return;
    rack->cdu = (uint32_t)build->site->n_cdu;
    group->n_rack++;
    group->heat_w += rack->limit_w * rack->liquid_frac;
    group->flow_m3_s += rack->flow_m3_s;
}

static mr_status push_cdu(struct mr_layout_build *build, const struct group *group,
                          const struct mr_xml_node *cause)
{
    struct mr_site *site = build->site;
    struct mr_layout_plan *plan = build->plan;
    const struct mr_layout_hall_info *hall = &build->hall[group->hall];
    const struct mr_layout_cooling *cooling = &hall->spec->cooling;
    static const struct mr_layout_cdu nothing;
    const struct mr_layout_cdu *spec = group->spec != NULL ? group->spec : &nothing;
    const bool is_named = spec->card_id != NULL;
    struct mr_layout_cdu_figures card;
    char local[64];
    MR_TRY(mr_layout_card_cdu(plan, is_named ? spec->card_id : cooling->cdu,
                              is_named ? spec->node : cdu_node(cooling), &card));
    MR_TRY(mr_grow(&site->cdu, &site->cap_cdu, site->n_cdu + 1, sizeof *site->cdu, &plan->err));
    struct mr_cdu *cdu = &site->cdu[site->n_cdu];
    *cdu = (struct mr_cdu){
        .card = mr_arena_text(&site->arena, mr_str_of(is_named ? spec->card_id : cooling->cdu),
                              &plan->err),
        .capacity_w = spec->capacity_w > 0 ? spec->capacity_w : card.capacity_w,
        .approach_k = card.approach_k,
        .supply_c = mr_layout_plan_has(spec->node, "supply") ? spec->supply_c : hall->supply_c,
        .loop = hall->loop[MR_LAYOUT_LOOP_LIQUID],
        .hall = group->hall,
        .row = group->row,
        .at = mr_layout_plan_spot(cause)};
    if (cdu->card == NULL)
        return MR_NOMEM;
    const uint64_t n_heat = mr_layout_plan_need(plan, cause, group->heat_w, cdu->capacity_w);
    const uint64_t n_flow =
        mr_layout_plan_need(plan, cause, group->flow_m3_s, card.flow_m3_s * pump_reserve);
    const uint64_t n_need = n_heat > n_flow ? n_heat : n_flow;
    mr_layout_plan_units(plan,
                         &(struct mr_layout_stock){spec->node, spec->n_unit, spec->n_spare, n_need,
                                                   spare_of(cooling, n_need),
                                                   has(cooling, "redundancy")},
                         &cdu->n_unit, &cdu->n_spare);
    cdu->flow_m3_s = spec->flow_m3_s > 0 ? spec->flow_m3_s
                                         : group->flow_m3_s / (double)(cdu->n_unit - cdu->n_spare);
    if (spec->name != NULL)
        mr_layout_room_local(spec->name, 0, true, local);
    else
        mr_layout_room_local("C", group->ordinal, false, local);
    const char *scope =
        group->row != MR_SITE_NONE ? site->row[group->row].name : site->hall[group->hall].name;
    MR_TRY(mr_layout_room_name(build, scope, local, cause, &cdu->name));
    site->n_cdu++;
    return MR_OK;
}

static mr_status row_group(struct mr_layout_build *build, uint32_t i, uint32_t ordinal,
                           const struct mr_layout_cdu *spec)
{
    const struct mr_row *row = &build->site->row[i];
    struct group group = {.spec = spec, .hall = row->hall, .row = i, .ordinal = ordinal};
    for (uint32_t r = row->first_rack; r < row->first_rack + row->n_rack; r++)
        take_rack(build, &group, r);
    if (group.n_rack > 0)
        return push_cdu(build, &group, spec != NULL ? spec->node : build->row[i].spec->node);
    if (spec != NULL)
        mr_layout_plan_error(build->plan, MR_REF, spec->node, NULL,
                             "cdu: no liquid-cooled rack of row %s is left for it", row->name);
    return MR_OK;
}

static mr_status row_groups(struct mr_layout_build *build, uint32_t i)
{
    const struct mr_row *row = &build->site->row[i];
    const struct mr_layout_cdu *spec = build->row[i].spec->cdu;
    uint32_t ordinal = 0;
    if (spec == NULL)
        return row_group(build, i, 0, NULL);
    for (; spec != NULL; spec = spec->next)
        MR_TRY(row_group(build, i, ordinal++, spec));
    for (uint32_t r = row->first_rack; r < row->first_rack + row->n_rack; r++)
        if (build->site->rack[r].liquid_frac > 0 && build->site->rack[r].cdu == MR_SITE_NONE) {
            mr_layout_plan_error(build->plan, MR_REF, build->row[i].spec->node, NULL,
                                 "row: rack %s needs liquid and no <cdu> of the row is left for "
                                 "it (raise racks=\"...\" or add a <cdu>)",
                                 build->site->rack[r].name);
            break;
        }
    return MR_OK;
}

/* One group for all rows of the hall that have none of their own. */
static mr_status hall_group(struct mr_layout_build *build, uint32_t h)
{
    const struct mr_site *site = build->site;
    const struct mr_hall *hall = &site->hall[h];
    struct group group = {.spec = build->hall[h].spec->cdu, .hall = h, .row = MR_SITE_NONE};
    for (uint32_t i = hall->first_row; i < hall->first_row + hall->n_row; i++)
        for (uint32_t r = site->row[i].first_rack;
             build->row[i].spec->cdu == NULL && r < site->row[i].first_rack + site->row[i].n_rack;
             r++)
            take_rack(build, &group, r);
    if (group.n_rack > 0)
        return push_cdu(build, &group, group.spec->node);
    mr_layout_plan_error(build->plan, MR_REF, group.spec->node, NULL,
                         "cdu: no liquid-cooled rack of hall %s is left for it", hall->name);
    return MR_OK;
}

/* ---- loops and heat rejection ---- */

static mr_status push_loop(struct mr_layout_build *build, uint32_t h, int loop, uint32_t ordinal)
{
    struct mr_site *site = build->site;
    struct mr_layout_hall_info *hall = &build->hall[h];
    const struct mr_xml_node *cause =
        hall->spec->cooling.node != NULL ? hall->spec->cooling.node : hall->spec->node;
    char local[64];
    MR_TRY(mr_grow(&site->loop, &site->cap_loop, site->n_loop + 1, sizeof *site->loop,
                   &build->plan->err));
    struct mr_loop *it = &site->loop[site->n_loop];
    *it = (struct mr_loop){
        .supply_c = hall->loop_c[loop], .hall = h, .at = mr_layout_plan_spot(cause)};
    mr_layout_room_local("L", ordinal, false, local);
    MR_TRY(mr_layout_room_name(build, site->hall[h].name, local, cause, &it->name));
    hall->loop[loop] = (uint32_t)site->n_loop++;
    return MR_OK;
}

/* Share of a unit's capacity at the site's design weather (the cliff of dry coolers:
 * heat goes with the water that leaves above the air). */
static double derating(const struct mr_layout_plan *plan, int kind, double design_k, double loop_c)
{
    double air_c = plan->top.dry_bulb_c;
    if (kind == MR_SITE_REJECT_ADIABATIC)
        air_c -= 0.8 * (air_c - plan->top.wet_bulb_c);
    else if (kind != MR_SITE_REJECT_DRY_COOLER)
        return 1;
    return fmax(0.05, fmin(1, (loop_c - air_c) / design_k));
}

/* Both sides, emissivity 0.9, fin efficiency 0.85, no sun. */
static double radiated_w(double area_m2, double loop_c)
{
    const double t_k = loop_c + 273.15;
    return 2 * 0.9 * 0.85 * 5.670374419e-8 * (t_k * t_k) * (t_k * t_k) * area_m2;
}

/* Rejection units being sized: of an element, or automatic ones. */
struct reject {
    const struct mr_layout_reject *spec; /* NULL: automatic */
    uint32_t hall, ordinal;
    int loop, kind;
    const char *card;
    double capacity_w, design_k; /* at design: water that leaves above the air */
};

static mr_status reject_capacity(struct mr_layout_build *build, struct reject *r)
{
    const struct mr_layout_hall_info *hall = &build->hall[r->hall];
    const struct mr_layout_reject *spec = r->spec;
    const double loop_c = hall->loop_c[r->loop];
    const bool is_named = spec != NULL && spec->card_id != NULL;
    const bool is_trim = r->kind == MR_SITE_REJECT_CHILLER && loop_c > trim_c;
    r->card = is_named ? spec->card_id : is_trim ? trim_card : reject_cards[r->kind];
    r->capacity_w = 1e3;
    r->design_k = dry_range_k;
    MR_TRY(mr_layout_card_reject(build->plan, r->card, is_named ? spec->node : NULL, r->kind,
                                 &r->capacity_w, &r->design_k));
    if (spec != NULL && spec->area_m2 > 0 && r->kind == MR_SITE_REJECT_RADIATOR)
        r->capacity_w = radiated_w(spec->area_m2, loop_c);
    r->capacity_w *= derating(build->plan, r->kind, r->design_k, loop_c);
    if (spec != NULL && spec->capacity_w > 0)
        r->capacity_w = spec->capacity_w;
    if (spec != NULL && !isfinite(r->capacity_w))
        mr_layout_plan_error(build->plan, MR_RANGE, spec->node, "area",
                             "reject: its capacity is out of range");
    return MR_OK;
}

static mr_status push_reject(struct mr_layout_build *build, const struct reject *r, double heat_w)
{
    struct mr_site *site = build->site;
    struct mr_layout_plan *plan = build->plan;
    const struct mr_layout_hall_info *hall = &build->hall[r->hall];
    static const struct mr_layout_reject nothing;
    const struct mr_layout_reject *spec = r->spec != NULL ? r->spec : &nothing;
    const struct mr_xml_node *cause = spec->node != NULL                 ? spec->node
                                      : hall->spec->cooling.node != NULL ? hall->spec->cooling.node
                                                                         : hall->spec->node;
    char local[64];
    MR_TRY(mr_grow(&site->rejector, &site->cap_rejector, site->n_rejector + 1,
                   sizeof *site->rejector, &plan->err));
    struct mr_rejector *it = &site->rejector[site->n_rejector];
    *it = (struct mr_rejector){.kind = r->kind,
                               .capacity_w = r->capacity_w,
                               .area_m2 = spec->area_m2,
                               .loop = hall->loop[r->loop],
                               .at = mr_layout_plan_spot(cause)};
    it->card = mr_arena_text(&site->arena, mr_str_of(r->card), &plan->err);
    if (it->card == NULL)
        return MR_NOMEM;
    const uint64_t n_need = mr_layout_plan_need(plan, cause, heat_w, r->capacity_w);
    mr_layout_plan_units(plan,
                         &(struct mr_layout_stock){spec->node, spec->n_unit, spec->n_spare, n_need,
                                                   spare_of(&hall->spec->cooling, n_need),
                                                   has(&hall->spec->cooling, "redundancy")},
                         &it->n_unit, &it->n_spare);
    if (spec->name != NULL)
        mr_layout_room_local(spec->name, 0, true, local);
    else
        mr_layout_room_local("X", r->ordinal, false, local);
    MR_TRY(mr_layout_room_name(build, site->hall[r->hall].name, local, cause, &it->name));
    site->n_rejector++;
    return MR_OK;
}

/* All units of a loop that are room air handlers, or all that are not. Elements with units take
 * what they can, the others share the rest; without elements there is one automatic entry. */
static mr_status reject_class(struct mr_layout_build *build, struct reject *r, bool is_crah,
                              double heat_w)
{
    const struct mr_layout_cooling *cooling = &build->hall[r->hall].spec->cooling;
    uint64_t n_given = 0, n_open = 0;
    double left_w = heat_w;
    for (const struct mr_layout_reject *g = given_for(cooling, r->loop); g != NULL;
         g = next_given(g)) {
        if ((g->kind == MR_SITE_REJECT_CRAH) != is_crah)
            continue;
        n_given++;
        n_open += g->n_unit == 0;
        r->spec = g;
        r->kind = g->kind;
        MR_TRY(reject_capacity(build, r));
        left_w -= r->capacity_w * (double)g->n_unit;
    }
    for (const struct mr_layout_reject *g = n_given > 0 ? given_for(cooling, r->loop) : NULL;
         g != NULL; g = next_given(g)) {
        if ((g->kind == MR_SITE_REJECT_CRAH) != is_crah)
            continue;
        r->spec = g;
        r->kind = g->kind;
        MR_TRY(reject_capacity(build, r));
        const double others_w = left_w + r->capacity_w * (double)g->n_unit;
        MR_TRY(push_reject(build, r, g->n_unit > 0 ? others_w : fmax(0, left_w) / (double)n_open));
        r->ordinal++;
    }
    if (n_given > 0)
        return MR_OK;
    r->spec = NULL;
    r->kind = is_crah ? MR_SITE_REJECT_CRAH : build->hall[r->hall].reject[r->loop];
    MR_TRY(reject_capacity(build, r));
    MR_TRY(push_reject(build, r, heat_w));
    r->ordinal++;
    return MR_OK;
}

mr_status mr_layout_cooling_build(struct mr_layout_build *build)
{
    for (uint32_t h = 0; h < build->site->n_hall; h++) {
        const struct mr_layout_hall_info *hall = &build->hall[h];
        struct reject r = {.hall = h};
        uint32_t n_loop = 0;
        for (int loop = 0; loop < mr_layout_n_loop; loop++)
            if (hall->heat_w[loop] > 0)
                MR_TRY(push_loop(build, h, loop, n_loop++));
        if (hall->spec->cdu != NULL)
            MR_TRY(hall_group(build, h));
        for (uint32_t i = build->site->hall[h].first_row;
             i < build->site->hall[h].first_row + build->site->hall[h].n_row; i++)
            if (build->row[i].spec->cdu != NULL || hall->spec->cdu == NULL)
                MR_TRY(row_groups(build, i));
        for (r.loop = 0; r.loop < mr_layout_n_loop; r.loop++) {
            const bool is_air = r.loop == MR_LAYOUT_LOOP_AIR;
            const double power =
                is_air ? mr_site_reject_power(MR_SITE_REJECT_CRAH) : mr_site_cdu_power();
            if (!(hall->heat_w[r.loop] > 0))
                continue;
            if (is_air)
                MR_TRY(reject_class(build, &r, true, hall->heat_w[r.loop]));
            MR_TRY(reject_class(build, &r, false, hall->heat_w[r.loop] * (1 + power)));
        }
    }
    return MR_OK;
}
