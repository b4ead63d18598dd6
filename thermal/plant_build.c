/* SPDX-License-Identifier: Apache-2.0 */
/* A plant out of a site: cards give sizes, tables give what no card says, overrides come last.
 *
 * A rack's packages get the share n x limit / rated power of its watts, and that share of its
 * coolant; design heat is what feeds grant. A CDU unit is the exchanger of its card at the flow its
 * racks need. Facility water gets the volume and rise of its table, heat rejection all units of the
 * loop, spares included: they are there, and only fans that must turn do. Chillers asked for water
 * outside of their record's bounds follow the Carnot model, which is told.
 *
 * Map: overrides - packages - racks - groups - loops - rooms - plant and state. */
#include "engine/base/mem.h"
#include "platforms/library.h"
#include "thermal/plant_impl.h"

#include <stdio.h>

struct build {
    struct mr_plant *plant;
    const struct mr_site *site;
    struct mr_library *library;
    struct mr_diags *diags;
    const struct mr_plant_set *set;
    size_t n_set;
    bool *is_used;  /* of each override */
    double *loop_w; /* design heat of each loop */
    double *hall_w; /* and of the air of each hall */
};

static struct mr_place place_of(const struct build *b, struct mr_spot at)
{
    return (struct mr_place){b->site->path, at.line, at.col};
}

static void tell(const struct build *b, enum mr_severity severity, mr_status st, struct mr_spot at,
                 const char *text)
{
    (void)mr_diags_add(b->diags, severity, st, place_of(b, at), "%s", text);
}

/* ---- overrides ---- */

/* Set what `scope` (or `other`, when not NULL) asks for. */
static void override(const struct build *b, const char *scope, const char *other,
                     const struct mr_param_table *table, void *object)
{
    uint8_t origin[64] = {0};
    const struct mr_param_target target = {table, object, origin, NULL, scope};
    for (size_t i = 0; i < b->n_set; i++) {
        struct mr_err err = {0};
        const struct mr_plant_set *s = &b->set[i];
        if (strcmp(s->scope, scope) != 0 && (other == NULL || strcmp(s->scope, other) != 0))
            continue;
        const bool was_used = b->is_used[i];
        b->is_used[i] = true;
        if (mr_param_set(&target, mr_str_of(s->name), mr_str_of(s->value), MR_PARAM_OVERRIDDEN,
                         MR_NOWHERE, &err) != MR_OK &&
            !was_used)
            (void)mr_diags_add_err(b->diags, MR_SEVERITY_ERROR, &err);
    }
}

/* What nothing of the site took is not there. */
static void refuse_unused(const struct build *b)
{
    for (size_t i = 0; i < b->n_set; i++)
        if (!b->is_used[i])
            (void)mr_diags_add(b->diags, MR_SEVERITY_ERROR, MR_REF, MR_NOWHERE,
                               "%s.%s=%s: site '%s' has nothing of '%s' to set", b->set[i].scope,
                               b->set[i].name, b->set[i].value, b->site->name, b->set[i].scope);
}

/* ---- packages ---- */

static const struct mr_package *package_of(struct build *b, const struct mr_rack *rack,
                                           double supply_c, bool is_liquid, double *share_frac)
{
    struct mr_plant *plant = b->plant;
    struct mr_package_params p = {0};
    struct mr_err err = {0};
    if (mr_package_params(rack->package, &p, &err) != MR_OK) {
        tell(b, MR_SEVERITY_ERROR, err.status, rack->at, err.text);
        return NULL;
    }
    const double most_frac = 0.95;
    struct mr_package_params own = p; /* its power limit sets its share of power and coolant */
    p.inlet_c = supply_c;
    override(b, "package", rack->package, mr_package_table(), &own);
    *share_frac = fmin(own.tdp_w * rack->n_package / rack->rated_w, most_frac);
    if (is_liquid)
        p.flow_m3_s = rack->flow_m3_s * *share_frac / rack->n_package;
    override(b, "package", rack->package, mr_package_table(), &p);
    if (plant->p.leakage == MR_PLANT_LEAKAGE_NONE)
        p.leakage_frac = 0;
    for (size_t i = 0; i < plant->n_package; i++) {
        const struct mr_package_params *q = &plant->package[i]->p;
        if (strcmp(plant->package_name[i], rack->package) == 0 && q->inlet_c == p.inlet_c &&
            (!is_liquid || q->flow_m3_s == p.flow_m3_s))
            return plant->package[i];
    }
    if (plant->n_package == MR_PLANT_PACKAGES) {
        (void)mr_diags_add(b->diags, MR_SEVERITY_ERROR, MR_LIMIT, place_of(b, rack->at),
                           "rack '%s': more than %d kinds of package, flow and supply", rack->name,
                           MR_PLANT_PACKAGES);
        return NULL;
    }
    const size_t i = plant->n_package;
    (void)snprintf(plant->package_name[i], sizeof plant->package_name[i], "%s", rack->package);
    if (mr_package_create(plant->package_name[i], &p, &plant->package[i], &err) != MR_OK) {
        tell(b, MR_SEVERITY_ERROR, err.status, rack->at, err.text);
        return NULL;
    }
    plant->n_package++;
    struct mr_buf text = {0};
    if (mr_package_warn(plant->package[i], &text))
        tell(b, MR_SEVERITY_WARNING, MR_RANGE, rack->at, text.text);
    mr_buf_fini(&text);
    return plant->package[i];
}

/* ---- racks ---- */

static void build_rack(struct build *b, uint32_t i)
{
    const struct mr_rack *rack = &b->site->rack[i];
    struct mr_plant_rack *r = &b->plant->rack[i];
    const bool has_loop = rack->cdu != MR_SITE_NONE;
    struct mr_err err = {0};
    *r = (struct mr_plant_rack){.i_site = i,
                                .group = rack->cdu,
                                .hall = rack->hall == MR_SITE_NONE ? 0 : rack->hall,
                                .n_package = rack->n_package,
                                .n_tray = (uint32_t)rack->n_tray};
    mr_manifold_defaults(&r->manifold);
    if (rack->flow_m3_s > 0)
        r->manifold.flow_m3_s = rack->flow_m3_s;
    r->manifold.liquid_frac = rack->liquid_frac;
    if (rack->inlet_max_c > 0)
        r->manifold.inlet_max_c = rack->inlet_max_c;
    override(b, "rack", NULL, mr_manifold_table(), &r->manifold);
    const bool is_liquid = has_loop && r->manifold.liquid_frac > 0;
    const double supply_c = is_liquid ? b->plant->group[rack->cdu].set_c
                                      : b->plant->hall_set_c[r->hall] + b->plant->p.recirculation_k;
    const char *row = rack->row != MR_SITE_NONE ? b->site->row[rack->row].name : "";
    const double granted_w = r->granted_w = rack->limit_w > 0 ? rack->limit_w : rack->rated_w;
    if (mr_manifold_check(&r->manifold, rack->name, row, granted_w, is_liquid ? supply_c : 0,
                          has_loop, &err) != MR_OK)
        tell(b, MR_SEVERITY_ERROR, err.status, rack->at, err.text);
    if (rack->n_package > 0 && rack->package != NULL && rack->package[0] != '\0')
        r->package = package_of(b, rack, supply_c, is_liquid, &r->share_frac);
    if (r->package == NULL) {
        r->n_package = 0;
        r->share_frac = 0;
    }
    r->header_pa = mr_manifold_design_pa(&r->manifold);
    const double liquid_w = is_liquid ? r->manifold.liquid_frac * granted_w : 0;
    b->hall_w[r->hall] += granted_w - liquid_w;
    if (is_liquid) {
        b->loop_w[b->plant->group_loop[rack->cdu]] += liquid_w;
        b->plant->group_w[rack->cdu] += liquid_w;
    }
}

/* ---- groups ---- */

static void build_group(struct build *b, uint32_t i)
{
    const struct mr_cdu *cdu = &b->site->cdu[i];
    struct mr_cdu_group *g = &b->plant->group[i];
    mr_cdu_group_defaults(g);
    g->name = cdu->name;
    g->n_unit = cdu->n_unit;
    g->n_spare = cdu->n_spare;
    g->capacity_w = cdu->capacity_w;
    g->approach_k = cdu->approach_k;
    g->set_c = cdu->supply_c;
    g->has_ups_pumps = b->plant->p.has_ups_pumps;
    const struct mr_cdu_card *card =
        cdu->card == NULL ? NULL
                          : mr_library_cdu(b->library, cdu->card, place_of(b, cdu->at), b->diags);
    if (card != NULL) {
        g->it_kg_s = card->it_flow_kg_s;
        g->facility_kg_s = card->facility_flow_kg_s;
        g->electric_w = card->electric_w;
    }
    g->duty_kg_s = cdu->flow_m3_s * g->rho_kg_m3;
    g->n_rack = 0;
    for (size_t k = 0; k < b->site->n_rack; k++)
        g->n_rack += b->site->rack[k].cdu == i;
    override(b, "cdu", cdu->name, mr_cdu_group_table(), g);
    b->plant->group_loop[i] = cdu->loop == MR_SITE_NONE ? 0 : cdu->loop;
    struct mr_err err = {0};
    if (mr_cdu_group_init(g, &err) != MR_OK)
        tell(b, MR_SEVERITY_ERROR, err.status, cdu->at, err.text);
}

/* Pressure of a header: what its hungriest rack needs, unless it is given. Valves of the others are
 * set to their design flow; where it is less than a rack needs, the valve is open. */
static void set_header(struct build *b, uint32_t group)
{
    double header_pa = 0;
    for (uint32_t i = 0; i < b->plant->n_rack; i++) {
        const struct mr_plant_rack *r = &b->plant->rack[i];
        if (r->group == group && !mr_plant_is_air(r))
            header_pa = fmax(header_pa, r->header_pa);
    }
    if (b->plant->group[group].header_pa > 0)
        header_pa = b->plant->group[group].header_pa;
    b->plant->group[group].header_pa = header_pa;
    for (uint32_t i = 0; i < b->plant->n_rack; i++) {
        struct mr_plant_rack *r = &b->plant->rack[i];
        if (r->group != group || mr_plant_is_air(r))
            continue;
        const bool is_balanced = header_pa == mr_manifold_design_pa(&r->manifold);
        r->header_pa = header_pa;
        r->valve_frac = is_balanced ? 1 : fmin(mr_manifold_valve(&r->manifold, header_pa, 1), 1);
    }
}

static void check_group(struct build *b, uint32_t i)
{
    const struct mr_cdu *cdu = &b->site->cdu[i];
    const struct mr_loop *loop = &b->site->loop[b->plant->group_loop[i]];
    struct mr_err err = {0};
    if (mr_cdu_group_check(&b->plant->group[i], b->plant->group_w[i], loop->supply_c,
                           b->plant->p.may_oversize, &err) != MR_OK)
        tell(b, MR_SEVERITY_ERROR, err.status, cdu->at, err.text);
}

/* ---- loops ---- */

static mr_status add_dry(const struct build *b, struct mr_rejection *r,
                         const struct mr_rejector *unit, const struct mr_reject_card *card,
                         struct mr_err *err)
{
    struct mr_dry_cooler_params p;
    mr_dry_cooler_defaults(&p);
    if (card != NULL)
        mr_dry_cooler_of_card(card, &p);
    override(b, "dry_cooler", unit->name, &mr_dry_cooler_table.param, &p);
    MR_TRY(mr_dry_cooler_make(unit->name, &p, &r->dry, err));
    r->n_dry += unit->n_unit;
    if (unit->kind == MR_SITE_REJECT_ADIABATIC) {
        mr_adiabatic_defaults(&r->pads);
        override(b, "adiabatic", unit->name, &mr_adiabatic_table.param, &r->pads);
        MR_TRY(mr_adiabatic_check(unit->name, &r->pads, err));
        r->has_pads = true;
    }
    return MR_OK;
}

static mr_status add_tower(const struct build *b, struct mr_rejection *r,
                           const struct mr_rejector *unit, const struct mr_reject_card *card,
                           struct mr_err *err)
{
    struct mr_tower_params p;
    mr_tower_defaults(&p);
    if (card != NULL)
        mr_tower_of_card(card, &p);
    override(b, "tower", unit->name, &mr_tower_table.param, &p);
    MR_TRY(mr_tower_make(unit->name, &p, &r->tower, err));
    r->n_tower += unit->n_unit;
    return MR_OK;
}

static mr_status add_chiller(const struct build *b, struct mr_rejection *r,
                             const struct mr_rejector *unit, const struct mr_reject_card *card,
                             double set_c, struct mr_err *err)
{
    struct mr_chiller_params p;
    mr_chiller_defaults(&p);
    if (card != NULL)
        mr_chiller_of_card(card, &p);
    const struct mr_chiller_record *record = &mr_chiller_mcquay;
    if (p.model == MR_CHILLER_EIR && (set_c < record->te_min_c || set_c > record->te_max_c)) {
        p.model = MR_CHILLER_CARNOT;
        (void)mr_diags_add(b->diags, MR_SEVERITY_WARNING, MR_RANGE, place_of(b, unit->at),
                           "chiller '%s': %g degC is outside %g-%g of record %s: model carnot is "
                           "used",
                           unit->name, set_c, record->te_min_c, record->te_max_c, record->name);
    }
    override(b, "chiller", unit->name, &mr_chiller_table.param, &p);
    MR_TRY(mr_chiller_make(unit->name, &p, set_c, &r->chiller, err));
    r->n_chiller += unit->n_unit;
    return MR_OK;
}

static mr_status add_unit(struct build *b, struct mr_rejection *r, const struct mr_rejector *unit,
                          double set_c, struct mr_err *err)
{
    const struct mr_reject_card *card =
        unit->card == NULL
            ? NULL
            : mr_library_reject(b->library, unit->card, place_of(b, unit->at), b->diags);
    switch (unit->kind) {
    case MR_SITE_REJECT_DRY_COOLER:
    case MR_SITE_REJECT_ADIABATIC:
        return add_dry(b, r, unit, card, err);
    case MR_SITE_REJECT_TOWER:
        return add_tower(b, r, unit, card, err);
    case MR_SITE_REJECT_CHILLER:
        return add_chiller(b, r, unit, card, set_c, err);
    default: /* air handlers give heat to the loop: rooms */
        return MR_OK;
    }
}

static double battery_j(const struct mr_site *site)
{
    double sum_j = 0;
    for (size_t i = 0; i < site->n_power; i++)
        sum_j += (double)site->power[i].n_unit * site->power[i].energy_j;
    return sum_j;
}

/* All panels of a loop as one; spares radiate too. Power comes from the sun, or the battery. */
static mr_status build_orbit(struct build *b, uint32_t i, const struct mr_rejector *unit,
                             struct mr_err *err)
{
    struct mr_plant_loop *l = &b->plant->loop[i];
    const double n = (double)unit->n_unit, stored_j = battery_j(b->site);
    const struct mr_reject_card *card =
        unit->card == NULL
            ? NULL
            : mr_library_reject(b->library, unit->card, place_of(b, unit->at), b->diags);
    struct mr_orbit_params p;
    mr_orbit_defaults(&p);
    if (card != NULL)
        mr_orbit_of_card(card, &p);
    p.area_m2 *= n;
    p.capacity_j_k *= n;
    override(b, "orbit", unit->name, &mr_orbit_table.param, &p);
    for (size_t k = 0; k < b->site->n_rejector; k++)
        if (b->site->rejector[k].loop == i && &b->site->rejector[k] != unit)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "loop '%s': radiator '%s' stands alone: there is no air for '%s'",
                              l->name, unit->name, b->site->rejector[k].name);
    MR_TRY(mr_orbit_make(unit->name, &p, &l->orbit, err));
    l->has_orbit = true;
    if (stored_j > 0)
        MR_TRY(mr_orbit_check_battery(b->site->name, &l->orbit, b->loop_w[i], stored_j, err));
    return MR_OK;
}

static const struct mr_rejector *radiator(const struct mr_site *site, uint32_t loop)
{
    for (size_t k = 0; k < site->n_rejector; k++)
        if (site->rejector[k].loop == loop && site->rejector[k].kind == MR_SITE_REJECT_RADIATOR)
            return &site->rejector[k];
    return NULL;
}

static mr_status build_loop(struct build *b, uint32_t i, struct mr_err *err)
{
    const struct mr_loop *loop = &b->site->loop[i];
    struct mr_plant_loop *l = &b->plant->loop[i];
    struct mr_facility_params water;
    struct mr_rejection_params p;
    l->name = loop->name;
    mr_facility_defaults(&water);
    water.design_heat_w = fmax(b->loop_w[i], 1e3);
    override(b, "loop", loop->name, &mr_facility_table.param, &water);
    MR_TRY(mr_facility_make(loop->name, &water, &l->facility, err));
    if (radiator(b->site, i) != NULL)
        return build_orbit(b, i, radiator(b->site, i), err);
    mr_rejection_defaults(&p);
    p.set_c = loop->supply_c;
    p.design_heat_w = b->loop_w[i];
    p.may_float = b->plant->p.may_float;
    p.has_water = b->plant->p.has_water;
    for (size_t k = 0; k < b->site->n_rejector; k++)
        if (b->site->rejector[k].loop == i)
            MR_TRY(add_unit(b, &l->rejection, &b->site->rejector[k], p.set_c, err));
    if (l->rejection.n_tower > 0 && l->rejection.n_chiller > 0)
        p.condenser = MR_REJECTION_TOWER;
    override(b, "rejection", loop->name, &mr_rejection_table.param, &p);
    mr_water_defaults(&l->rejection.water);
    override(b, "water", loop->name, &mr_water_table.param, &l->rejection.water);
    MR_TRY(mr_water_check(loop->name, &l->rejection.water, err));
    MR_TRY(mr_rejection_make(loop->name, &p, &l->rejection, err));
    return mr_rejection_check_weather(loop->name, &l->rejection, b->plant->weather, err);
}

/* ---- rooms ---- */

static const struct mr_rejector *air_handler(const struct mr_site *site, uint32_t hall)
{
    for (size_t k = 0; k < site->n_rejector; k++) {
        const struct mr_rejector *r = &site->rejector[k];
        if (r->kind == MR_SITE_REJECT_CRAH && r->loop != MR_SITE_NONE &&
            (site->loop[r->loop].hall == hall || site->loop[r->loop].hall == MR_SITE_NONE))
            return r;
    }
    return NULL;
}

static void room_params(struct build *b, uint32_t hall, const struct mr_rejector *unit,
                        struct mr_room_params *p)
{
    const struct mr_reject_card *card =
        unit->card == NULL
            ? NULL
            : mr_library_reject(b->library, unit->card, place_of(b, unit->at), b->diags);
    mr_room_defaults(p);
    if (card != NULL)
        mr_room_of_card(card, p);
    p->water_c = b->site->loop[unit->loop].supply_c;
    p->recirculation_k = b->plant->p.recirculation_k;
    p->n_unit = unit->n_unit > unit->n_spare ? unit->n_unit - unit->n_spare : 1;
    p->n_spare = unit->n_spare;
    override(b, "room", b->site->hall[hall].name, &mr_room_table.param, p);
}

static void build_room(struct build *b, uint32_t hall)
{
    const struct mr_rejector *unit = air_handler(b->site, hall);
    struct mr_room_params p;
    struct mr_err err = {0};
    if (unit == NULL)
        return;
    room_params(b, hall, unit, &p);
    p.design_heat_w = fmax(b->hall_w[hall], 1e3);
    if (mr_room_make(unit->name, &p, &b->plant->room[hall], &err) != MR_OK)
        tell(b, MR_SEVERITY_ERROR, err.status, unit->at, err.text);
    b->plant->room_loop[hall] = unit->loop;
    b->loop_w[unit->loop] += p.design_heat_w;
}

/* What racks of the hall breathe at design: before racks are built. */
static void room_set(struct build *b, uint32_t hall)
{
    static const double open_c = 25; /* of a hall whose heat leaves without air handlers */
    const struct mr_rejector *unit = air_handler(b->site, hall);
    struct mr_room_params p;
    b->plant->hall_set_c[hall] = open_c;
    b->plant->room_loop[hall] = MR_SITE_NONE;
    if (unit == NULL)
        return;
    room_params(b, hall, unit, &p);
    b->plant->hall_set_c[hall] = p.set_c;
}

/* ---- plant and state ---- */

static mr_status alloc_plant(struct build *b, struct mr_err *err)
{
    struct mr_plant *p = b->plant;
    p->rack = mr_alloc_zero(p->n_rack + 1, sizeof *p->rack);
    p->group = mr_alloc_zero(p->n_group + 1, sizeof *p->group);
    p->group_loop = mr_alloc_zero(p->n_group + 1, sizeof *p->group_loop);
    p->group_w = mr_alloc_zero(p->n_group + 1, sizeof *p->group_w);
    p->loop = mr_alloc_zero(p->n_loop + 1, sizeof *p->loop);
    p->room = mr_alloc_zero(p->n_hall + 1, sizeof *p->room);
    p->room_loop = mr_alloc_zero(p->n_hall + 1, sizeof *p->room_loop);
    p->hall_set_c = mr_alloc_zero(p->n_hall + 1, sizeof *p->hall_set_c);
    b->loop_w = mr_alloc_zero(p->n_loop + 1, sizeof *b->loop_w);
    b->hall_w = mr_alloc_zero(p->n_hall + 1, sizeof *b->hall_w);
    if (p->rack == NULL || p->group == NULL || p->group_loop == NULL || p->group_w == NULL ||
        p->loop == NULL || p->room == NULL || p->room_loop == NULL || p->hall_set_c == NULL ||
        b->loop_w == NULL || b->hall_w == NULL)
        return mr_err_nomem(err, p->n_rack * sizeof *p->rack);
    return MR_OK;
}

static mr_status build_all(struct build *b, struct mr_err *err)
{
    const struct mr_site *site = b->site;
    struct mr_plant *plant = b->plant;
    MR_TRY(alloc_plant(b, err));
    MR_TRY(mr_library_create(&b->library, err));
    if (site->n_loop == 0 || site->n_hall == 0)
        return mr_err_set(err, MR_REF, (struct mr_place){site->path, 0, 0},
                          "site '%s' has no %s: nothing to cool with", site->name,
                          site->n_loop == 0 ? "facility loop" : "hall");
    for (uint32_t i = 0; i < plant->n_hall; i++)
        room_set(b, i);
    for (uint32_t i = 0; i < plant->n_group; i++)
        build_group(b, i);
    for (uint32_t i = 0; i < plant->n_rack; i++)
        build_rack(b, i);
    for (uint32_t i = 0; i < plant->n_group; i++) {
        set_header(b, i);
        check_group(b, i);
    }
    for (uint32_t i = 0; i < plant->n_hall; i++)
        build_room(b, i);
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        struct mr_err why = {0};
        if (build_loop(b, i, &why) != MR_OK)
            tell(b, MR_SEVERITY_ERROR, why.status, site->loop[i].at, why.text);
    }
    refuse_unused(b);
    return MR_OK;
}

mr_status mr_plant_create(const struct mr_site *site, const struct mr_weather *weather,
                          const struct mr_plant_params *params, const struct mr_plant_set *set,
                          size_t n_set, struct mr_plant **out, struct mr_diags *diags)
{
    struct mr_err err = {0};
    struct build b = {.site = site, .diags = diags, .set = set, .n_set = n_set};
    *out = NULL;
    b.plant = mr_alloc_zero(1, sizeof *b.plant);
    if (b.plant == NULL)
        return mr_diags_add_err(
            diags, MR_SEVERITY_ERROR,
            &(struct mr_err){.status = mr_err_nomem(&err, sizeof *b.plant), .text = "plant"});
    b.plant->site = site;
    b.plant->weather = weather;
    b.plant->p = *params;
    b.plant->n_rack = site->n_rack;
    b.plant->n_group = site->n_cdu;
    b.plant->n_loop = site->n_loop;
    b.plant->n_hall = site->n_hall;
    mr_status st = MR_OK;
    b.is_used = mr_alloc_zero(n_set + 1, sizeof *b.is_used);
    if (b.is_used == NULL) {
        st = mr_err_nomem(&err, n_set);
    } else {
        override(&b, "leak", NULL, mr_leak_table(), &b.plant->p.leak);
        st = build_all(&b, &err);
    }
    if (st != MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_free(b.is_used);
    mr_library_destroy(b.library);
    mr_free(b.loop_w);
    mr_free(b.hall_w);
    if (diags->n_error > 0) {
        mr_plant_destroy(b.plant);
        return diags->first_error;
    }
    *out = b.plant;
    return MR_OK;
}

void mr_plant_destroy(struct mr_plant *plant)
{
    if (plant == NULL)
        return;
    for (size_t i = 0; i < plant->n_package; i++)
        mr_package_destroy(plant->package[i]);
    mr_free(plant->rack);
    mr_free(plant->group);
    mr_free(plant->group_loop);
    mr_free(plant->group_w);
    mr_free(plant->loop);
    mr_free(plant->room);
    mr_free(plant->room_loop);
    mr_free(plant->hall_set_c);
    mr_free(plant);
}

static mr_status alloc_state(const struct mr_plant *plant, struct mr_plant_state *s,
                             struct mr_err *err)
{
    s->cap_cohort = plant->n_rack + plant->p.n_cohort + 1;
    s->cohort = mr_alloc_zero(s->cap_cohort, sizeof *s->cohort);
    s->rack = mr_alloc_zero(plant->n_rack + 1, sizeof *s->rack);
    s->group = mr_alloc_zero(plant->n_group + 1, sizeof *s->group);
    s->group_j = mr_alloc_zero(plant->n_group + 1, sizeof *s->group_j);
    s->group_w = mr_alloc_zero(plant->n_group + 1, sizeof *s->group_w);
    s->unit_leak = mr_alloc_zero(plant->n_group + 1, sizeof *s->unit_leak);
    s->group_need = mr_alloc_zero(plant->n_group + 1, sizeof *s->group_need);
    s->group_high_s = mr_alloc_zero(plant->n_group + 1, sizeof *s->group_high_s);
    s->group_max_c = mr_alloc_zero(plant->n_group + 1, sizeof *s->group_max_c);
    s->group0_j = mr_alloc_zero(plant->n_group + 1, sizeof *s->group0_j);
    s->loop = mr_alloc_zero(plant->n_loop + 1, sizeof *s->loop);
    s->hall = mr_alloc_zero(plant->n_hall + 1, sizeof *s->hall);
    s->is_unfed = mr_alloc_zero(plant->n_group + plant->n_loop + 1, sizeof *s->is_unfed);
    s->air_supply = mr_alloc_zero(plant->n_hall + 1, sizeof *s->air_supply);
    bool has_told = true;
    for (int k = 0; k < MR_PLANT_N_OUTAGE; k++) {
        s->told[k] = mr_alloc_zero(mr_plant_n_part(plant, mr_plant_outage_kind(k)->part) + 1,
                                   sizeof **s->told);
        has_told &= s->told[k] != NULL;
    }
    if (!has_told || s->unit_leak == NULL || s->group_need == NULL || s->group_w == NULL ||
        s->cohort == NULL || s->rack == NULL || s->group == NULL || s->group_j == NULL ||
        s->group_high_s == NULL || s->group_max_c == NULL || s->group0_j == NULL ||
        s->loop == NULL || s->hall == NULL || s->is_unfed == NULL || s->air_supply == NULL)
        return mr_err_nomem(err, s->cap_cohort * sizeof *s->cohort);
    return MR_OK;
}

/* Everything at the temperatures of design, without load. */
static void start(const struct mr_plant *plant, struct mr_plant_state *s)
{
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        const double set_c = plant->loop[i].rejection.p.set_c;
        if (plant->loop[i].has_orbit) {
            const double zero_k = 273.15;
            const struct mr_orbit *orbit = &plant->loop[i].orbit;
            mr_orbit_start(&s->loop[i].radiator,
                           plant->site->loop[i].supply_c + zero_k - orbit->p.approach_k);
            s->loop[i].radiator.t_s = s->t_s;
        }
        mr_facility_start(&s->loop[i].water, set_c);
        mr_rejection_start(&s->loop[i].rejection);
        s->loop[i].from_c = set_c;
        s->loop[i].water_w_k = plant->loop[i].facility.water_w_k;
    }
    for (uint32_t i = 0; i < plant->n_group; i++) {
        mr_cdu_group_start(&plant->group[i], &s->group[i], s->t_s,
                           mr_plant_loop_supply_c(plant, s, plant->group_loop[i]));
        mr_cdu_group_set_age(&plant->group[i], &s->group[i], plant->p.fouled_s);
        s->unit_leak[i] = (struct mr_plant_unit_leak){0, HUGE_VAL, HUGE_VAL};
    }
    for (uint32_t i = 0; i < plant->n_hall; i++) {
        mr_room_start(&s->hall[i].room, plant->hall_set_c[i]);
        s->hall[i].inlet_c = plant->hall_set_c[i] + plant->p.recirculation_k;
    }
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const struct mr_plant_rack *r = &plant->rack[i];
        struct mr_plant_rack_state *rack = &s->rack[i];
        const bool is_liquid = r->group != MR_SITE_NONE && r->manifold.liquid_frac > 0;
        *rack = (struct mr_plant_rack_state){
            .first = UINT32_MAX,
            .flow_frac = 1,
            .valve = {0, r->valve_frac, r->valve_frac},
            .stroke_s = r->manifold.stroke_s,
            .flow = MR_FLOW_DESIGN,
            .die_max_c = -273.15,
            .inlet_c = is_liquid
                           ? mr_cdu_group_supply_c(&plant->group[r->group], &s->group[r->group])
                           : s->hall[r->hall].inlet_c};
        if (is_liquid)
            rack->own_frac = mr_plant_own_frac(plant, s, i, r->valve_frac);
        if (r->package == NULL)
            continue;
        rack->first = (uint32_t)s->n_cohort++;
        s->cohort[rack->first] = (struct mr_plant_cohort){.rack = i, .next = UINT32_MAX};
        mr_cohort_start(r->package, &s->cohort[rack->first].cohort, s->t_s, r->n_package,
                        rack->inlet_c, MR_FLOW_DESIGN);
    }
}

mr_status mr_plant_state_create(const struct mr_plant *plant, double t_s,
                                struct mr_plant_state **out, struct mr_err *err)
{
    *out = NULL;
    struct mr_plant_state *s = mr_alloc_zero(1, sizeof *s);
    if (s == NULL)
        return mr_err_nomem(err, sizeof *s);
    const mr_status st = alloc_state(plant, s, err);
    if (st != MR_OK) {
        mr_plant_state_destroy(s);
        return st;
    }
    s->t_s = s->next_period_s = t_s;
    start(plant, s);
    for (uint32_t i = 0; i < plant->n_group; i++)
        mr_plant_group_flow(plant, s, i);
    mr_plant_mark(plant, s);
    *out = s;
    return MR_OK;
}

void mr_plant_state_destroy(struct mr_plant_state *state)
{
    if (state == NULL)
        return;
    for (int k = 0; k < MR_PLANT_N_OUTAGE; k++)
        mr_free(state->told[k]);
    mr_free(state->leak);
    mr_free(state->group_w);
    mr_free(state->group_need);
    mr_free(state->unit_leak);
    mr_free(state->cohort);
    mr_free(state->rack);
    mr_free(state->group);
    mr_free(state->group_j);
    mr_free(state->group_high_s);
    mr_free(state->group_max_c);
    mr_free(state->group0_j);
    mr_free(state->loop);
    mr_free(state->hall);
    mr_free(state->is_unfed);
    mr_free(state->air_supply);
    mr_free(state);
}
