/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of power/supply share: a site from the text of a layout, its supply, the events
 * told, and two halls. One supply at a time. */
#ifndef MR_TESTS_POWER_SUPPLY_BED_H
#define MR_TESTS_POWER_SUPPLY_BED_H

#include "platforms/layout.h"
#include "power/supply.h"
#include "tests/test.h"

#include <stdio.h>

struct world {
    struct mr_site *site;
    struct mr_supply *supply;
    struct mr_supply_event event[8192];
    size_t n_event;
};

static inline void take(void *context, const struct mr_supply_event *event)
{
    struct world *w = context;
    if (w->n_event < sizeof w->event / sizeof *w->event)
        w->event[w->n_event++] = *event;
}

static struct world world;

/* At every moment what all give is what all take, and machines' parts add up. */
static inline void look(void *context)
{
    const struct world *w = context;
    struct mr_supply_reading r;
    mr_supply_read(w->supply, &r);
    const double in_w = r.grid_w + r.generator_w + r.solar_w - r.storage_w;
    const double out_w = r.rack_w + r.house_w + r.loss_w;
    const double beyond_w = r.generator_w - r.set_point_w;
    const double swing_w = r.governor_w + r.inertia_w + r.damping_w;
    if (fabs(in_w - out_w) > 1e-9 * fmax(fabs(r.storage_w), out_w))
        fail_msg("%.9g s: %.17g W given, %.17g W taken", r.t_s, in_w, out_w);
    if (swing_w != 0 && fabs(swing_w - beyond_w) > 1e-9 * r.generator_w)
        fail_msg("%.9g s: machines give %.17g W, swings explain %.17g W", r.t_s, beyond_w, swing_w);
}

static inline struct mr_supply_options options(void)
{
    struct mr_supply_options o = {.take = take, .step = look, .context = &world};
    mr_supply_defaults(&o.params);
    return o;
}

static inline void begin(const char *layout, const struct mr_supply_options *o)
{
    struct mr_diags diags = {0};
    world.n_event = 0;
    if (mr_layout_load_text("t", mr_str_of(layout), &world.site, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    if (mr_supply_create(world.site, o, &world.supply, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
}

/* Nobody but the sun gives what is not taken: a storage that is full draws nothing, from the very
 * moment on, but for a millionth of a second. */
static inline void end(double closure_rel)
{
    struct mr_supply_total total;
    mr_supply_total(world.supply, &total);
    if (!(total.closure_rel <= closure_rel))
        fail_msg("energies do not close: %g", total.closure_rel);
    if (total.solar_j == 0 && total.dump_j > 1e-9 * total.rack_j)
        fail_msg("%g J are drawn and taken by nobody", total.dump_j);
    mr_supply_destroy(world.supply);
    mr_site_destroy(world.site);
}

static inline size_t count(const char *kind)
{
    size_t n = 0;
    for (size_t i = 0; i < world.n_event; i++)
        n += strcmp(world.event[i].kind, kind) == 0;
    return n;
}

static inline double first_s(const char *kind)
{
    for (size_t i = 0; i < world.n_event; i++)
        if (strcmp(world.event[i].kind, kind) == 0)
            return world.event[i].t_s;
    return (double)INFINITY;
}

static inline struct mr_supply_reading now(void)
{
    struct mr_supply_reading reading;
    mr_supply_read(world.supply, &reading);
    return reading;
}

static inline struct mr_supply_total totals(void)
{
    struct mr_supply_total total;
    mr_supply_total(world.supply, &total);
    return total;
}

static inline void want_all(double w)
{
    for (uint32_t i = 0; i < world.site->n_rack; i++)
        mr_supply_set_rack(world.supply, i, w);
}

static inline uint32_t power_named(const char *name)
{
    for (uint32_t i = 0; i < world.site->n_power; i++)
        if (strcmp(world.site->power[i].name, name) == 0)
            return i;
    fail_msg("no power node %s", name);
    return 0;
}

#define HALL "<hall><row count=\"4\"><rack card=\"gb200_nvl72\" count=\"8\"/></row></hall>"

/* 32 racks of 132 kW: 4.2 MW */
static const char *const plain = "<layout name=\"s\"><grid limit=\"6 MW\"/>" HALL "</layout>";
static const char *const backed =
    "<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"2 MW/min\"/><power><generator/></power>" HALL
    "</layout>";

#endif
