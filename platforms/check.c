/* SPDX-License-Identifier: Apache-2.0 */
/* The checks, and those of heat, floor and what was forgotten. Heat: what racks give to liquid
 * against the CDU groups, what the groups of a loop carry against its rejection. Map: messages -
 * heat and flow - floor - forgotten things. */
#include "engine/base/arena.h"
#include "platforms/check_impl.h"

#include <math.h>

/* ---- messages ---- */

static struct mr_place place_of(const struct mr_check *c, struct mr_spot at)
{
    return (struct mr_place){c->site->path, at.line, at.col};
}

const char *mr_check_shown(struct mr_check_texts *t, double value, enum mr_quantity q)
{
    char *out = t->text[t->i++ % 6];
    mr_unit_human(value, q, 4, out);
    return out;
}

void mr_check_tell(const struct mr_check *c, enum mr_severity severity, struct mr_spot at,
                   const char *kind, const char *name, const char *fmt, ...)
{
    struct mr_err what = {0};
    va_list args;
    va_start(args, fmt);
    (void)mr_err_vset(&what, MR_RANGE, MR_NOWHERE, fmt, args);
    va_end(args);
    mr_diags_add(c->diags, severity, MR_RANGE, place_of(c, at), "%s \"%s\": %s", kind, name,
                 what.text);
}

/* ---- heat and flow ---- */

static const double least_flow_m3_s_w = 0.8e-3 / 60 / 1e3; /* 0.8 L/min per kW */
static const double pg25_j_m3_k = 1010 * 3900.0;           /* density x heat capacity */

static void check_cdu(const struct mr_check *c, const struct mr_cdu *cdu, double heat_w,
                      double flow_m3_s)
{
    struct mr_check_texts t = {0};
    const double capacity = mr_check_capacity(cdu->capacity_w, cdu->n_unit, cdu->n_spare);
    const double flow = mr_check_capacity(cdu->flow_m3_s, cdu->n_unit, cdu->n_spare);
    if (mr_check_exceeds(heat_w, capacity)) {
        mr_check_tell(
            c, MR_SEVERITY_ERROR, cdu->at, "cdu", cdu->name,
            "%s of rack heat on %s in service (add a unit or move racks to another group)",
            mr_check_shown(&t, heat_w, MR_Q_POWER), mr_check_shown(&t, capacity, MR_Q_POWER));
    }
    if (cdu->flow_m3_s > 0 && mr_check_exceeds(flow_m3_s, flow)) {
        mr_check_tell(c, MR_SEVERITY_ERROR, cdu->at, "cdu", cdu->name,
                      "its racks need %s, it moves %s (add a unit)",
                      mr_check_shown(&t, flow_m3_s, MR_Q_VOLUME_FLOW),
                      mr_check_shown(&t, flow, MR_Q_VOLUME_FLOW));
    }
}

static void check_set_point(const struct mr_check *c, const struct mr_cdu *cdu)
{
    struct mr_check_texts t = {0};
    if (cdu->loop == MR_SITE_NONE)
        return;
    const struct mr_loop *loop = &c->site->loop[cdu->loop];
    if (cdu->supply_c >= loop->supply_c + cdu->approach_k - 1e-9)
        return;
    mr_check_tell(c, MR_SEVERITY_ERROR, cdu->at, "cdu", cdu->name,
                  "is to send %s; loop \"%s\" brings %s, and the unit needs %s between them (raise "
                  "the set point or cool the loop)",
                  mr_check_shown(&t, cdu->supply_c, MR_Q_TEMPERATURE), loop->name,
                  mr_check_shown(&t, loop->supply_c, MR_Q_TEMPERATURE),
                  mr_check_shown(&t, cdu->approach_k, MR_Q_TEMPERATURE_DIFF));
}

static void check_liquid(const struct mr_check *c, const struct mr_rack *rack)
{
    struct mr_check_texts t = {0};
    if (!(rack->liquid_frac > 0) || !(rack->limit_w > 0) || !c->site->has_props)
        return;
    if (rack->cdu == MR_SITE_NONE) {
        mr_check_tell(c, c->site->n_cdu > 0 ? MR_SEVERITY_ERROR : MR_SEVERITY_WARNING, rack->at,
                      "rack", rack->name,
                      "needs liquid for %s but hangs on no CDU group (add a cdu)",
                      mr_check_shown(&t, rack->limit_w * rack->liquid_frac, MR_Q_POWER));
        return;
    }
    const struct mr_cdu *cdu = &c->site->cdu[rack->cdu];
    const double flow_per_w = rack->flow_m3_s / (rack->limit_w * rack->liquid_frac);
    if (rack->flow_m3_s > 0 && flow_per_w < least_flow_m3_s_w) {
        mr_check_tell(c, MR_SEVERITY_WARNING, rack->at, "rack", rack->name,
                      "its design flow of %s for %s warms by %.3g K (10 K is usual: more flow or a "
                      "lower limit)",
                      mr_check_shown(&t, rack->flow_m3_s, MR_Q_VOLUME_FLOW),
                      mr_check_shown(&t, rack->limit_w * rack->liquid_frac, MR_Q_POWER),
                      1 / (flow_per_w * pg25_j_m3_k));
    }
    if (rack->inlet_max_c > 0 && cdu->supply_c > rack->inlet_max_c) {
        mr_check_tell(c, MR_SEVERITY_ERROR, rack->at, "rack", rack->name,
                      "takes water up to %s, \"%s\" sends %s (lower the set point)",
                      mr_check_shown(&t, rack->inlet_max_c, MR_Q_TEMPERATURE), cdu->name,
                      mr_check_shown(&t, cdu->supply_c, MR_Q_TEMPERATURE));
    }
}

static void check_loop(const struct mr_check *c, const struct mr_loop *loop, double heat_w,
                       double capacity_w)
{
    struct mr_check_texts t = {0};
    if (!mr_check_exceeds(heat_w, capacity_w))
        return;
    mr_check_tell(
        c, MR_SEVERITY_ERROR, loop->at, "loop", loop->name,
        "%s of heat on %s of rejection in service (add units; a hot day needs more still)",
        mr_check_shown(&t, heat_w, MR_Q_POWER), mr_check_shown(&t, capacity_w, MR_Q_POWER));
}

/* What the parts of the cooling carry. */
struct heat {
    double *cdu_w, *cdu_m3_s; /* of every CDU group */
    double *loop_w;           /* of every loop */
    double *reject_w;         /* capacity in service on every loop, air handlers apart */
    double *air_w, *crah_w;   /* of every hall: heat of the room; capacity of its air handlers */
};

static void sum_heat(const struct mr_site *site, struct heat *h)
{
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        if (rack->hall != MR_SITE_NONE)
            h->air_w[rack->hall] += rack->limit_w * (1 - rack->liquid_frac);
        if (rack->cdu == MR_SITE_NONE)
            continue;
        h->cdu_w[rack->cdu] += rack->limit_w * rack->liquid_frac;
        h->cdu_m3_s[rack->cdu] += rack->flow_m3_s;
    }
    for (size_t i = 0; i < site->n_cdu; i++)
        if (site->cdu[i].loop != MR_SITE_NONE)
            h->loop_w[site->cdu[i].loop] += h->cdu_w[i];
}

/* Air handlers take the heat of the halls of their loop, in equal shares where it serves all. */
static void sum_rejection(const struct mr_site *site, struct heat *h)
{
    for (size_t i = 0; i < site->n_rejector; i++) {
        const struct mr_rejector *unit = &site->rejector[i];
        const double in_service = mr_check_capacity(unit->capacity_w, unit->n_unit, unit->n_spare);
        if (unit->loop == MR_SITE_NONE)
            continue;
        if (unit->kind != MR_SITE_REJECT_CRAH) {
            h->reject_w[unit->loop] += in_service;
            continue;
        }
        const uint32_t hall = site->loop[unit->loop].hall;
        for (uint32_t k = 0; k < site->n_hall; k++) {
            if (hall != MR_SITE_NONE && hall != k)
                continue;
            const double share =
                hall == MR_SITE_NONE ? in_service / (double)site->n_hall : in_service;
            h->crah_w[k] += share;
            h->loop_w[unit->loop] += fmin(share, h->air_w[k]);
        }
    }
}

/* A room without air handlers is left alone where no cooling is described at all. */
static void check_air(const struct mr_check *c, const struct mr_hall *hall, double air_w,
                      double crah_w)
{
    struct mr_check_texts t = {0};
    if (!mr_check_exceeds(air_w, crah_w) || c->site->n_rejector == 0)
        return;
    mr_check_tell(c, MR_SEVERITY_ERROR, hall->at, "hall", hall->name,
                  "%s of heat to the air on %s of air handlers in service (add units of kind crah)",
                  mr_check_shown(&t, air_w, MR_Q_POWER), mr_check_shown(&t, crah_w, MR_Q_POWER));
}

static mr_status check_heat(const struct mr_check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    struct mr_arena arena = {0};
    struct heat h = {mr_arena_zero(&arena, site->n_cdu, sizeof(double), err),
                     mr_arena_zero(&arena, site->n_cdu, sizeof(double), err),
                     mr_arena_zero(&arena, site->n_loop, sizeof(double), err),
                     mr_arena_zero(&arena, site->n_loop, sizeof(double), err),
                     mr_arena_zero(&arena, site->n_hall, sizeof(double), err),
                     mr_arena_zero(&arena, site->n_hall, sizeof(double), err)};
    const bool has_all = h.cdu_w != NULL && h.cdu_m3_s != NULL && h.loop_w != NULL &&
                         h.reject_w != NULL && h.air_w != NULL && h.crah_w != NULL;
    if (has_all) {
        sum_heat(site, &h);
        sum_rejection(site, &h);
        for (size_t i = 0; i < site->n_rack; i++)
            check_liquid(c, &site->rack[i]);
        for (size_t i = 0; i < site->n_cdu; i++) {
            check_cdu(c, &site->cdu[i], h.cdu_w[i], h.cdu_m3_s[i]);
            check_set_point(c, &site->cdu[i]);
        }
        for (size_t i = 0; i < site->n_hall; i++)
            check_air(c, &site->hall[i], h.air_w[i], h.crah_w[i]);
        for (size_t i = 0; i < site->n_loop; i++)
            check_loop(c, &site->loop[i], h.loop_w[i], h.reject_w[i]);
    }
    mr_arena_fini(&arena);
    return has_all ? MR_OK : MR_NOMEM;
}

/* ---- floor ---- */

static void check_floor(const struct mr_check *c)
{
    struct mr_check_texts t = {0};
    for (size_t i = 0; i < c->site->n_rack; i++) {
        const struct mr_rack *rack = &c->site->rack[i];
        const double limit =
            rack->hall != MR_SITE_NONE ? c->site->hall[rack->hall].floor_limit_kg_m2 : 0;
        const double load = rack->mass_kg / rack->footprint_m2;
        if (!(limit > 0) || !(rack->footprint_m2 > 0) || !mr_check_exceeds(load, limit))
            continue;
        mr_check_tell(c, MR_SEVERITY_ERROR, rack->at, "rack", rack->name,
                      "%s on %s are %s, the floor of \"%s\" bears %s (spread the load)",
                      mr_check_shown(&t, rack->mass_kg, MR_Q_MASS),
                      mr_check_shown(&t, rack->footprint_m2, MR_Q_AREA),
                      mr_check_shown(&t, load, MR_Q_MASS_PER_AREA), c->site->hall[rack->hall].name,
                      mr_check_shown(&t, limit, MR_Q_MASS_PER_AREA));
    }
}

/* ---- what most racks have and one may have been forgotten to get ---- */

struct loose {
    uint64_t n;
    const struct mr_rack *first;
};

static void count_loose(struct loose *loose, const struct mr_rack *rack, bool is_loose)
{
    if (!is_loose)
        return;
    if (loose->n == 0)
        loose->first = rack;
    loose->n++;
}

static void tell_loose(const struct mr_check *c, const struct loose *loose, const char *what)
{
    if (loose->n > 0)
        mr_check_tell(c, MR_SEVERITY_WARNING, loose->first->at, "rack", loose->first->name,
                      "%s (%llu of %zu racks)", what, (unsigned long long)loose->n,
                      c->site->n_rack);
}

/* One warning per kind, however many racks: the site may be meant so. */
static void check_loose(const struct mr_check *c)
{
    const struct mr_site *site = c->site;
    struct loose feed = {0}, domain = {0};
    if (!site->has_props) /* the reader has said that nothing is described */
        return;
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        count_loose(&feed, rack,
                    rack->feed[0] == MR_SITE_NONE && rack->feed[1] == MR_SITE_NONE &&
                        (rack->limit_w > 0 || site->n_power > 0));
        count_loose(&domain, rack, rack->domain == MR_SITE_NONE && rack->n_package > 1);
    }
    tell_loose(c, &feed, "hangs on no power node: nothing limits or feeds it (feed=NAME)");
    tell_loose(c, &domain,
               "its packages are in no scale-up domain: they talk over the scale-out fabric "
               "(domain=NAME)");
}

mr_status mr_check_site(const struct mr_site *site, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_check c = {site, diags};
    MR_TRY(mr_check_power(&c, err));
    MR_TRY(check_heat(&c, err));
    check_floor(&c);
    check_loose(&c);
    return mr_check_network(&c, err);
}
