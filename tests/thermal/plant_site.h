/* SPDX-License-Identifier: Apache-2.0 */
/* Small sites for tests of the plant: six racks in two rows, events counted by kind. */
#ifndef MR_TESTS_THERMAL_PLANT_SITE_H
#define MR_TESTS_THERMAL_PLANT_SITE_H

#include "platforms/layout.h"
#include "tests/test.h"
#include "thermal/plant.h"

#define ROW(rest)                                                                       \
    "<layout name=\"t\">\n <hall>\n  <row count=\"2\">\n   <rack card=\"gb200_nvl72\" " \
    "count=\"3\"/>\n"                                                                   \
    "   <cdu units=\"2\"/>\n  </row>\n </hall>\n" rest "</layout>\n"
#define COOL "<cooling supply=\"40 degC\"/>\n"

struct fixture {
    struct mr_site *site;
    struct mr_weather weather;
    struct mr_plant_params params;
    struct mr_plant *plant;
    struct mr_plant_state *state;
    int n_event[MR_PLANT_N_EVENT];
    double first_s[MR_PLANT_N_EVENT];
};

static inline void on_event(void *context, const struct mr_plant_event *event)
{
    struct fixture *f = context;
    if (f->n_event[event->kind]++ == 0)
        f->first_s[event->kind] = event->t_s;
    assert_non_null(event->entity);
}

static inline void open_site(struct fixture *f, const char *layout)
{
    struct mr_diags diags = {0};
    *f = (struct fixture){0};
    if (mr_layout_load_text("t.layout.xml", mr_str_of(layout), &f->site, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    mr_plant_defaults(&f->params);
}

static inline void set_weather(struct fixture *f, double dry_bulb_c, const char *file)
{
    struct mr_weather_params p;
    struct mr_err err = {0};
    mr_weather_defaults(&p);
    p.file = file;
    p.dry_bulb_c = dry_bulb_c;
    p.wet_bulb_c = fmin(p.wet_bulb_c, dry_bulb_c);
    if (mr_weather_make(&p, &f->weather, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static inline void build(struct fixture *f, const struct mr_plant_set *set, size_t n_set)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    if (mr_plant_create(f->site, &f->weather, &f->params, set, n_set, &f->plant, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    f->plant->on_event = on_event;
    f->plant->context = f;
    if (mr_plant_state_create(f->plant, 0, &f->state, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static inline void load(struct fixture *f, double rack_w)
{
    for (uint32_t i = 0; i < f->plant->n_rack; i++)
        mr_plant_set_power(f->plant, f->state, i, rack_w);
}

static inline void start(struct fixture *f, const char *layout, double dry_bulb_c, double rack_w)
{
    struct mr_err err = {0};
    open_site(f, layout);
    set_weather(f, dry_bulb_c, NULL);
    build(f, NULL, 0);
    load(f, rack_w);
    if (mr_plant_settle(f->plant, f->state, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static inline void close_site(struct fixture *f)
{
    mr_plant_state_destroy(f->state);
    mr_plant_destroy(f->plant);
    mr_weather_fini(&f->weather);
    mr_site_destroy(f->site);
}

static inline void check_energy(const struct fixture *f, double loops)
{
    struct mr_plant_sums s;
    mr_plant_sums(f->plant, f->state, &s);
    assert_true(s.residual[0] < 1e-12 && s.residual[1] < 1e-12);
    assert_true(s.residual[2] < loops && s.residual[3] < loops);
    assert_true(s.it_j > 0 && s.cdu_j + s.facility_pump_j + s.fan_j + s.work_j + s.air_j > 0);
}

#endif
