/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of events are those of plant, chain and supply in one list; entities are named by kind and
 * place on that kind's axis. Map: channels - life - rows - events. */
#include "engine/cli/site_record.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/cli/power_record.h"
#include "engine/cli/thermal_series.h"
#include "engine/record/columns.h"
#include "engine/record/track.h"
#include "engine/twin/record_level.h"
#include "power/supply_mean.h"

#include <math.h>

// clang-format off
#define KW(name_, long_, over_) \
    {.name = (name_), .units = "kW", .long_name = (long_), .type = MR_CHANNEL_F32_OF_F64, .scale = 1e-3, over_}
#define MEAN MR_CHANNEL_OVER_MEAN
#define MAX MR_CHANNEL_OVER_MAX
#define POINT .cell_methods = "time: point"
enum { RACK_DRAWN, RACK_WANT, RACK_CAP, RACK_STRANDED, RACK_CLOCK, RACK_TOK_S, RACK_KV, RACK_RESIDENT, RACK_HELD, N_RACK };
static const struct mr_channel rack_channels[N_RACK] = {
    KW("drawn_kw", "Drawn by the rack, as the power chain counts it; power_mean_kw is what the coolant takes from it", MEAN),
    KW("want_kw", "What it would draw at full clocks", MEAN),
    KW("cap_kw", "What it may draw; NaN where there is no cap", POINT),
    KW("stranded_kw", "Of what it may draw: what it does not ask for, or cannot take for heat or darkness", MEAN),
    {.name = "clock", .units = "1", .long_name = "Lowest clock of its instances over the full clock, since the sample before; 0: one was down", .type = MR_CHANNEL_F32_OF_F64, MR_CHANNEL_OVER_MIN},
    {.name = "tok_s", .units = "s-1", .long_name = "Tokens made per second by its packages, mean of the interval before", .type = MR_CHANNEL_F32_OF_F64, .cell_methods = "time: mean"},
    {.name = "kv_used_frac", .units = "1", .long_name = "Share of the KV blocks that calls hold; NaN: no instance has packages here", .type = MR_CHANNEL_F32_OF_F64, POINT},
    {.name = "kv_resident_frac", .units = "1", .long_name = "Share of the KV blocks that calls hold or the prefix cache keeps; NaN: no instance has packages here", .type = MR_CHANNEL_F32_OF_F64, POINT},
    {.name = "held_gpus", .units = "1", .long_name = "Packages that have power and are told to rest, for want of watts; beside off_gpus", .type = MR_CHANNEL_F32_OF_F64, POINT},
};
static const struct mr_channel die_channels[] = {
    {.name = "die_c", .units = "degC", .long_name = "Hottest die of the package, manufacturing spread included", .type = MR_CHANNEL_F32_OF_F64, POINT},
    {.name = "cap_w", .units = "W", .long_name = "What the package may draw; NaN: no cap holds it", .type = MR_CHANNEL_F32_OF_F64, POINT},
};
static const struct mr_channel sum_channels[] = {
    KW("power_kw", "Drawn by the racks", MEAN),
    KW("power_max_kw", "The most that they drew since the sample before", MAX),
};
enum { SITE_METER, SITE_METER_MAX, SITE_RACKS, SITE_RACKS_MAX, SITE_HOUSE, SITE_LOSS, SITE_OWN, SITE_TAKEN, N_SITE_CHANNEL };
static const struct mr_channel site_channels[N_SITE_CHANNEL] = {
    KW("site_kw", "At the grid's meter, below 0: fed into the grid; own machines and sun are own_kw; mean since the sample before", MEAN),
    KW("site_max_kw", "The most that was drawn at the grid's meter since the sample before", MAX),
    KW("it_kw", "Drawn by the racks; mean since the sample before", MEAN),
    KW("it_max_kw", "The most that they drew since the sample before", MAX),
    KW("cooling_kw", "Pumps, fans and compressors; mean since the sample before", MEAN),
    KW("loss_kw", "Lost in the power chain; mean since the sample before", MEAN),
    KW("own_kw", "Given by own machines and sun; mean since the sample before", MEAN),
    KW("taken_kw", "Taken by the site: site_kw + own_kw, the summary's power.site_mw_mean over time; mean since the sample before", MEAN),
};

static const char *const kinds[] = {
#define PLANT_TEXT(name, text, unit)     text,
#define KIND_TEXT(name, text, unit, doc) text,
    MR_PLANT_EVENT_LIST(PLANT_TEXT)
    MR_CHAIN_EVENT_LIST(KIND_TEXT)
    MR_SUPPLY_EVENT_LIST(KIND_TEXT)
    MR_OUTAGES_EVENT_LIST(KIND_TEXT)
    MR_PLANNER_EVENT_LIST(KIND_TEXT)
#undef KIND_TEXT
#undef PLANT_TEXT
};
static const char *const kind_units[] = {
#define PLANT_UNIT(name, text, unit)     unit,
#define KIND_UNIT(name, text, unit, doc) unit,
    MR_PLANT_EVENT_LIST(PLANT_UNIT)
    MR_CHAIN_EVENT_LIST(KIND_UNIT)
    MR_SUPPLY_EVENT_LIST(KIND_UNIT)
    MR_OUTAGES_EVENT_LIST(KIND_UNIT)
    MR_PLANNER_EVENT_LIST(KIND_UNIT)
#undef KIND_UNIT
#undef PLANT_UNIT
};
enum entity { ENTITY_SITE, ENTITY_RACK, ENTITY_CDU, ENTITY_LOOP, ENTITY_HALL, ENTITY_NODE, ENTITY_DEPLOYMENT, ENTITY_PREFILL, ENTITY_SOURCE, N_ENTITY };
static const char *const entities[N_ENTITY] = {"site", "rack", "cdu", "loop", "hall", "node", "deployment", "prefill", "source"};

struct event_row {
    double t_s, value, limit;
    uint32_t index;
    uint8_t kind, entity;
};
static const struct mr_channel event_columns[] = {
    MR_COLUMN(struct event_row, t_s, F64, "s", "Date of the event"),
    {.name = "kind", .units = "1", .long_name = "What happened", .type = MR_CHANNEL_U8, .flag = kinds, .flag_unit = kind_units,
     .n_flag = sizeof kinds / sizeof *kinds, .offset = offsetof(struct event_row, kind)},
    {.name = "entity", .units = "1", .long_name = "Kind of what it happened to", .type = MR_CHANNEL_U8, .flag = entities,
     .n_flag = N_ENTITY, .offset = offsetof(struct event_row, entity)},
    MR_COLUMN(struct event_row, index, U32, "1", "Its place on the axis of that kind"),
    MR_COLUMN(struct event_row, value, F64, "1", "Value, in the unit of the kind (flag_units of kind)"),
    MR_COLUMN(struct event_row, limit, F64, "1", "Limit it passed; NaN where there is none"),
};
/* Of a rack, by the place of the field. */
static const struct mr_channel rack_facts[] = {
    MR_COLUMN(struct mr_rack, x_m, F64, "m", "Place in the hall, along the row"),
    MR_COLUMN(struct mr_rack, y_m, F64, "m", "Place in the hall, across rows"),
    {.name = "granted_w", .units = "W", .long_name = "What its feed grants", .type = MR_CHANNEL_F64, .offset = offsetof(struct mr_rack, limit_w)},
    MR_COLUMN(struct mr_rack, rated_w, F64, "W", "Rated power"),
};

static const struct mr_group own_groups[] = {
    MR_GROUP("/racks", "time, rack", rack_channels, "Watts, clocks and tokens of racks"),
    MR_GROUP("/rows", "time, row", sum_channels, "Rows over time"),
    MR_GROUP("/halls", "time, hall", sum_channels, "Halls over time"),
    MR_GROUP("/site", "time", site_channels, "The site over time"),
    MR_GROUP("/racks", "rack", rack_facts, "Where racks stand, and what they may draw"),
    MR_GROUP("/packages", "time, package", die_channels, "Packages over time, where dies are recorded"),
    MR_GROUP("/events", "event", event_columns, "What happened"),
};
const struct mr_group_list mr_site_groups = MR_GROUP_LIST("run with a site", own_groups);
// clang-format on

#define N_OF(table) (sizeof(table) / sizeof *(table))

struct mr_site_record {
    struct mr_runfile *file;
    struct mr_factory *factory; /* NULL: no site */
    const struct mr_site *site;
    struct mr_thermal_series *heat;
    struct mr_power_record *watts;
    struct mr_track *rows, *halls, *all;
    struct mr_columns *events;
    double *value;                /* of racks, by channel */
    double *sum;                  /* scratch: rows, then halls */
    struct mr_factory_rack *rack; /* scratch: tokens are differences, so these of the row before */
    double *last_token, last_s;
    double *drawn_w, *drawn_j; /* of racks: means of the time up to drawn_s; energies then */
    double drawn_s;
    double looked_s;            /* the exchange that was looked at last */
    bool is_fresh;              /* nothing has been exchanged since: what was read then holds */
    double known_s;             /* what happened until then has been told */
    struct mr_supply_mean mean; /* of watts, since then */
    struct mr_site_record_options options;
    struct mr_track *packages;
    double *die_c, *package_cap_w; /* scratch */
    double *fact; /* [N_OF(rack_facts) * n_rack]: sites end before their files do */
    size_t n_rack;
};

/* ---- life ---- */

static mr_status declare_dies(struct mr_site_record *r, struct mr_err *err)
{
    const size_t n = r->site->n_package;
    const struct mr_track_plan plan = {"/packages",
                                       "package",
                                       "Packages in the order of the site",
                                       NULL,
                                       n,
                                       r->options.every.every_s[MR_RECORD_DIES],
                                       die_channels,
                                       N_OF(die_channels)};
    if (!r->options.has_dies || n == 0)
        return MR_OK;
    if (n > MR_RECORD_LEVEL_DIES)
        return mr_err_set(
            err, MR_LIMIT, MR_NOWHERE,
            "record die: the site has %zu packages, and their dies are recorded up to "
            "%d of them: record rack instead (hottest and mean die of each rack)",
            n, MR_RECORD_LEVEL_DIES);
    r->die_c = mr_alloc_zero(n, sizeof *r->die_c);
    r->package_cap_w = mr_alloc_zero(n, sizeof *r->package_cap_w);
    if (r->die_c == NULL || r->package_cap_w == NULL)
        return mr_err_nomem(err, n * sizeof *r->die_c);
    for (size_t i = 0; i < n; i++)
        r->die_c[i] = r->package_cap_w[i] = (double)NAN; /* outside of racks; of no instance */
    return mr_track_create(r->file, &plan, &r->packages, err);
}

static mr_status declare_site(struct mr_site_record *r, struct mr_runfile *file, const char **name,
                              struct mr_err *err)
{
    const struct mr_record_every *every = &r->options.every;
    const struct mr_site *site = r->site;
    struct mr_track_plan plan;
    plan = (struct mr_track_plan){"/rows",
                                  "row",
                                  "Rows in the order of the site",
                                  name,
                                  0,
                                  every->every_s[MR_RECORD_ROWS],
                                  sum_channels,
                                  N_OF(sum_channels)};
    plan.n_entity = site->n_row;
    for (size_t i = 0; i < site->n_row; i++)
        name[i] = site->row[i].name;
    if (site->n_row > 0)
        MR_TRY(mr_track_create(file, &plan, &r->rows, err));
    plan = (struct mr_track_plan){"/halls",
                                  "hall",
                                  "Halls in the order of the site",
                                  name,
                                  0,
                                  every->every_s[MR_RECORD_HALLS],
                                  sum_channels,
                                  N_OF(sum_channels)};
    plan.n_entity = site->n_hall;
    for (size_t i = 0; i < site->n_hall; i++)
        name[i] = site->hall[i].name;
    if (site->n_hall > 0)
        MR_TRY(mr_track_create(file, &plan, &r->halls, err));
    plan = (struct mr_track_plan){
        "/site",       NULL,          NULL, NULL, 0, every->every_s[MR_RECORD_SITE],
        site_channels, N_SITE_CHANNEL};
    MR_TRY(mr_track_create(file, &plan, &r->all, err));
    struct mr_exchange *exchange = mr_factory_exchange(r->factory);
    const struct mr_thermal_series_more more = {rack_channels, N_RACK, r->value};
    MR_TRY(mr_thermal_series_create(file, mr_exchange_plant(exchange),
                                    r->options.has_racks ? &more : NULL, every, &r->heat, err));
    MR_TRY(declare_dies(r, err));
    return mr_power_record_within(file, site, mr_exchange_supply(exchange), every, &r->mean.reading,
                                  &r->watts, err);
}

static mr_status keep_facts(struct mr_site_record *r, struct mr_err *err)
{
    const size_t n = r->n_rack = r->site->n_rack;
    r->fact = mr_alloc_zero(N_OF(rack_facts) * n + 1, sizeof *r->fact);
    if (r->fact == NULL)
        return mr_err_nomem(err, N_OF(rack_facts) * n * sizeof *r->fact);
    for (size_t k = 0; k < N_OF(rack_facts); k++)
        for (size_t i = 0; i < n; i++)
            r->fact[k * n + i] = *(const double *)(const void *)((const char *)&r->site->rack[i] +
                                                                 rack_facts[k].offset);
    return MR_OK;
}

static mr_status declare(struct mr_site_record *r, struct mr_runfile *file, struct mr_err *err)
{
    const struct mr_columns_plan events = {.group = "/events",
                                           .axis = "event",
                                           .column = event_columns,
                                           .n_column = N_OF(event_columns),
                                           .row_bytes = sizeof(struct event_row),
                                           .n_guess = MR_COLUMNS_FEW,
                                           .is_dated = true};
    MR_TRY(mr_columns_create(file, &events, &r->events, err));
    if (r->factory == NULL)
        return MR_OK;
    r->site = mr_factory_site(r->factory);
    if (!r->options.has_site)
        return MR_OK;
    const size_t n = r->site->n_rack + r->site->n_row + r->site->n_hall + 1;
    const char **name = mr_alloc_zero(n, sizeof *name);
    r->value = mr_alloc_zero(N_RACK * n, sizeof *r->value);
    r->sum = mr_alloc_zero(n, sizeof *r->sum);
    r->rack = mr_alloc_zero(n, sizeof *r->rack);
    r->last_token = mr_alloc_zero(n, sizeof *r->last_token);
    r->drawn_w = mr_alloc_zero(n, sizeof *r->drawn_w);
    r->drawn_j = mr_alloc_zero(n, sizeof *r->drawn_j);
    r->last_s = (double)NAN;
    r->looked_s = r->drawn_s = -1;
    const mr_status st = name != NULL && r->value != NULL && r->sum != NULL && r->rack != NULL &&
                                 r->last_token != NULL && r->drawn_w != NULL && r->drawn_j != NULL
                             ? declare_site(r, file, name, err)
                             : mr_err_nomem(err, N_RACK * n * sizeof *r->value);
    mr_free(name);
    return st == MR_OK && r->options.has_racks ? keep_facts(r, err) : st;
}

mr_status mr_site_record_create(struct mr_runfile *file, struct mr_factory *factory,
                                const struct mr_site_record_options *options,
                                struct mr_site_record **out, struct mr_err *err)
{
    struct mr_site_record *r = mr_alloc_zero(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return mr_err_nomem(err, sizeof *r);
    r->factory = factory;
    r->file = file;
    r->options = *options;
    const mr_status st = declare(r, file, err);
    if (st == MR_OK)
        *out = r;
    else
        mr_site_record_destroy(r);
    return st;
}

void mr_site_record_destroy(struct mr_site_record *record)
{
    if (record == NULL)
        return;
    mr_thermal_series_destroy(record->heat);
    mr_power_record_destroy(record->watts);
    mr_free(record->value);
    mr_free(record->sum);
    mr_free(record->rack);
    mr_free(record->last_token);
    mr_free(record->drawn_w);
    mr_free(record->drawn_j);
    mr_free(record->die_c);
    mr_free(record->package_cap_w);
    mr_free(record->fact);
    mr_free(record);
}

/* ---- rows ---- */

/* What the rack is granted now, less what it can use of it: a rack that heat or darkness holds back
 * uses what it draws, any other may have what it asks for. */
static double stranded_w(struct mr_site_record *r, uint32_t i)
{
    struct mr_exchange *exchange = mr_factory_exchange(r->factory);
    const struct mr_exchange_rack *rack = mr_exchange_rack(exchange, i);
    const struct mr_rack *site = &r->site->rack[i];
    const double granted_w = isfinite(rack->cap_w) ? rack->cap_w
                             : site->limit_w > 0   ? site->limit_w
                                                   : site->rated_w;
    const bool is_held = mr_plant_rack_is_held(mr_exchange_plant_state(exchange), i);
    return fmax(0, granted_w - (is_held ? rack->drawn_w : rack->want_w));
}

/* Means out of energies: a rack that loses its feed in between is dark from then on. What lasts no
 * time to speak of goes with the next: of it energies tell little more than their rounding. */
static void meter_racks(struct mr_site_record *r, double now_s)
{
    const double least_s = 1e-6, over_s = now_s - r->drawn_s;
    const struct mr_supply *supply = mr_exchange_supply(mr_factory_exchange(r->factory));
    if (r->drawn_s >= 0 && over_s < least_s)
        return;
    for (uint32_t i = 0; i < r->site->n_rack; i++) {
        const double drawn_j = mr_supply_rack_j(supply, i);
        r->drawn_w[i] =
            r->drawn_s >= 0 ? (drawn_j - r->drawn_j[i]) / over_s : mr_supply_rack_w(supply, i);
        r->drawn_j[i] = drawn_j;
    }
    r->drawn_s = now_s;
}

/* What rows say of racks, and exchanges between rows. */
static void look_at_racks(struct mr_site_record *r)
{
    const struct mr_exchange *exchange = mr_factory_exchange(r->factory);
    const size_t n = r->site->n_rack;
    for (uint32_t i = 0; i < n; i++) {
        const struct mr_exchange_rack *rack = mr_exchange_rack(exchange, i);
        r->value[RACK_DRAWN * n + i] = r->drawn_w[i];
        r->value[RACK_WANT * n + i] = rack->want_w;
        r->value[RACK_STRANDED * n + i] = stranded_w(r, i);
        r->value[RACK_CLOCK * n + i] = rack->phi_min;
    }
}

/* What rows alone say of them. The plant's record writes it beside its own. */
static void read_racks(struct mr_site_record *r)
{
    const struct mr_exchange *exchange = mr_factory_exchange(r->factory);
    const size_t n = r->site->n_rack;
    const double now_s = mr_exchange_now_s(exchange);
    if (!r->is_fresh)
        look_at_racks(r);
    mr_factory_racks(r->factory, r->rack);
    for (uint32_t i = 0; i < n; i++) {
        const double cap_w = mr_exchange_rack(exchange, i)->cap_w;
        r->value[RACK_CAP * n + i] = isfinite(cap_w) ? cap_w : (double)NAN;
        if (!(now_s <= r->last_s)) /* rows between exchanges say the same */
            r->value[RACK_TOK_S * n + i] =
                r->rack[i].n_package > 0
                    ? (r->rack[i].n_token - r->last_token[i]) / (now_s - r->last_s)
                    : (double)NAN;
        r->value[RACK_KV * n + i] = r->rack[i].kv_used_frac;
        r->value[RACK_RESIDENT * n + i] = r->rack[i].kv_resident_frac;
        r->value[RACK_HELD * n + i] = mr_exchange_rack(exchange, i)->n_held;
        r->last_token[i] = r->rack[i].n_token;
    }
    r->last_s = now_s;
}

/* The governor's caps, package by package; those without an instance are their rack's. */
static void cap_packages(struct mr_site_record *r, const struct mr_supply *supply)
{
    const struct mr_stand *stand = mr_factory_stand(r->factory);
    for (uint32_t k = 0; k < stand->n_span; k++) {
        const struct mr_stand_span *span = &stand->span[k];
        const double cap_w = mr_supply_part_cap_w(supply, k);
        for (uint32_t p = 0; p < span->n; p++)
            r->package_cap_w[r->site->rack[span->rack].first_package + span->first + p] =
                isfinite(cap_w) ? cap_w : (double)NAN;
    }
}

static mr_status die_rows(struct mr_site_record *r, double t_s, struct mr_err *err)
{
    struct mr_exchange *exchange = mr_factory_exchange(r->factory);
    const struct mr_plant *plant = mr_exchange_plant(exchange);
    const void *const lent[] = {r->die_c, r->package_cap_w};
    if (r->packages == NULL)
        return MR_OK;
    cap_packages(r, mr_exchange_supply(exchange));
    for (uint32_t i = 0; i < plant->n_rack; i++)
        for (uint32_t k = 0; k < plant->rack[i].n_package; k++)
            r->die_c[r->site->rack[i].first_package + k] = mr_plant_die_c(
                plant, mr_exchange_plant_state(exchange), r->options.scenario->top.seed, i, k);
    return mr_track_row(r->packages, t_s, lent, err);
}

/* Rows, then halls. */
static void sum_racks(struct mr_site_record *r)
{
    const struct mr_site *site = r->site;
    double *row = r->sum, *hall = row + site->n_row;
    for (size_t i = 0; i < site->n_row + site->n_hall; i++)
        row[i] = 0;
    for (uint32_t i = 0; i < site->n_rack; i++) {
        const double w = r->drawn_w[i];
        if (site->rack[i].row != MR_SITE_NONE)
            row[site->rack[i].row] += w;
        if (site->rack[i].hall != MR_SITE_NONE)
            hall[site->rack[i].hall] += w;
    }
}

/* The site's values, in the order of its channels. */
struct whole {
    double own_w, taken_w;
    const void *value[N_SITE_CHANNEL];
};

/* Watts are of the time since the last exchange, as those of racks are; before the first of now.
 * @param[out] whole stays where it is: it points to itself, and to the record */
static void read_whole(struct mr_site_record *r, struct whole *whole)
{
    const struct mr_supply *supply = mr_exchange_supply(mr_factory_exchange(r->factory));
    const struct mr_supply_reading *now = &r->mean.reading;
    if (r->looked_s < 0)
        mr_supply_mean_begin(&r->mean, supply);
    else if (!r->is_fresh)
        mr_supply_mean_read(&r->mean, supply);
    whole->own_w = now->generator_w + now->solar_w;
    whole->taken_w = now->grid_w + whole->own_w;
    whole->value[SITE_METER] = whole->value[SITE_METER_MAX] = &now->grid_w;
    whole->value[SITE_RACKS] = whole->value[SITE_RACKS_MAX] = &now->rack_w;
    whole->value[SITE_HOUSE] = &now->house_w;
    whole->value[SITE_LOSS] = &now->loss_w;
    whole->value[SITE_OWN] = &whole->own_w;
    whole->value[SITE_TAKEN] = &whole->taken_w;
}

void mr_site_record_look(struct mr_site_record *record, double now_s)
{
    struct whole whole;
    record->known_s = now_s;
    record->is_fresh = false;
    if (record->factory == NULL || !record->options.has_site || !(now_s > record->looked_s))
        return; /* exchanges again at a date bring no time */
    const double lasted_s = record->looked_s >= 0 ? now_s - record->looked_s : 0;
    const double *row = record->sum, *hall = row + record->site->n_row;
    struct mr_exchange *exchange = mr_factory_exchange(record->factory);
    meter_racks(record, now_s);
    if (record->options.has_racks)
        look_at_racks(record);
    sum_racks(record);
    read_whole(record, &whole);
    record->looked_s = now_s;
    if (record->rows != NULL)
        mr_track_look(record->rows, lasted_s, (const void *const[]){row, row});
    if (record->halls != NULL)
        mr_track_look(record->halls, lasted_s, (const void *const[]){hall, hall});
    mr_track_look(record->all, lasted_s, whole.value);
    mr_thermal_series_look(record->heat, mr_exchange_plant_state(exchange), lasted_s);
    mr_power_record_look(record->watts, lasted_s);
    record->is_fresh = true;
}

static mr_status sum_rows(struct mr_site_record *r, double t_s, uint32_t due, struct mr_err *err)
{
    const void *const of_rows[] = {r->sum, r->sum};
    const void *const of_halls[] = {r->sum + r->site->n_row, r->sum + r->site->n_row};
    if (!r->is_fresh)
        sum_racks(r);
    if (r->rows != NULL && mr_record_is_due(due, MR_RECORD_ROWS))
        MR_TRY(mr_track_row(r->rows, t_s, of_rows, err));
    return r->halls != NULL && mr_record_is_due(due, MR_RECORD_HALLS)
               ? mr_track_row(r->halls, t_s, of_halls, err)
               : MR_OK;
}

mr_status mr_site_record_row(struct mr_site_record *record, double t_s, uint32_t due,
                             struct mr_err *err)
{
    struct whole whole;
    if (record->factory == NULL)
        record->known_s = t_s; /* nobody exchanges */
    MR_TRY(mr_columns_until(record->events, record->known_s, err));
    if (record->factory == NULL || !record->options.has_site)
        return MR_OK;
    struct mr_exchange *exchange = mr_factory_exchange(record->factory);
    if (record->drawn_s < 0)
        meter_racks(record, t_s);
    if (record->options.has_racks && mr_record_is_due(due, MR_RECORD_RACKS))
        read_racks(record);
    if (mr_record_is_due(due, MR_RECORD_DIES))
        MR_TRY(die_rows(record, t_s, err));
    MR_TRY(sum_rows(record, t_s, due, err));
    read_whole(record, &whole);
    if (mr_record_is_due(due, MR_RECORD_SITE))
        MR_TRY(mr_track_row(record->all, t_s, whole.value, err));
    MR_TRY(mr_thermal_series_row(record->heat, mr_exchange_plant_state(exchange), t_s, due, err));
    return mr_power_record_row(record->watts, t_s, due, err);
}

/* ---- events ---- */

/* Sites lend their names, so equal names are the same pointer. */
#define FIND(array, n, entity_)                 \
    for (uint32_t i = 0; i < (n); i++)          \
        if ((array)[i].name == event->entity) { \
            row.entity = (entity_);             \
            row.index = i;                      \
            break;                              \
        }

/* What stands at a bar, then nodes that somebody else names. */
static void find_power(const struct mr_supply *supply, const struct mr_play_event *event,
                       struct event_row *row)
{
    const struct mr_circuit *circuit = mr_supply_wire(supply)->tree;
    const uint32_t source = mr_power_record_source(supply, event->entity);
    uint32_t node = 0;
    while (node < circuit->n_node && strcmp(circuit->node[node].name, event->entity) != 0)
        node++;
    if (source < mr_supply_n_source(supply)) {
        row->entity = ENTITY_SOURCE;
        row->index = source;
    } else if (node < circuit->n_node) {
        row->entity = ENTITY_NODE;
        row->index = node;
    }
}

/* "deployment 3": an instance by its number. */
static void find_instance(const char *entity, struct event_row *row)
{
    for (int k = ENTITY_DEPLOYMENT; k <= ENTITY_PREFILL; k++) {
        const size_t n = strlen(entities[k]);
        uint64_t number;
        if (strncmp(entity, entities[k], n) != 0 || entity[n] != ' ' ||
            mr_num_parse_u64(mr_str_of(entity + n + 1), &number) != MR_OK)
            continue;
        row->entity = (uint8_t)k;
        row->index = (uint32_t)number;
    }
}

mr_status mr_site_record_event(struct mr_site_record *record, const struct mr_play_event *event,
                               struct mr_err *err)
{
    struct event_row row = {.t_s = event->t_s,
                            .value = event->value,
                            .limit = isfinite(event->limit) ? event->limit : (double)NAN};
    while (row.kind < N_OF(kinds) && strcmp(kinds[row.kind], event->kind) != 0)
        row.kind++;
    if (record->site != NULL) {
        const struct mr_supply *supply = mr_exchange_supply(mr_factory_exchange(record->factory));
        const struct mr_circuit *circuit = mr_supply_wire(supply)->tree;
        FIND(circuit->node, circuit->n_node, ENTITY_NODE)
        FIND(record->site->rack, record->site->n_rack, ENTITY_RACK)
        FIND(record->site->cdu, record->site->n_cdu, ENTITY_CDU)
        FIND(record->site->loop, record->site->n_loop, ENTITY_LOOP)
        FIND(record->site->hall, record->site->n_hall, ENTITY_HALL)
        if (row.entity == ENTITY_SITE && event->entity != record->site->name)
            find_power(supply, event, &row);
    }
    find_instance(event->entity, &row);
    if (record->watts != NULL)
        MR_TRY(mr_power_record_flex(record->watts, event->t_s, err));
    /* coolant is played piece by piece from one exchange to the next */
    MR_TRY(mr_columns_until(record->events, record->known_s, err));
    return mr_columns_add(record->events, &row, 1, err);
}

/* ---- end ---- */

mr_status mr_site_record_finish(struct mr_site_record *record, struct mr_err *err)
{
    for (size_t k = 0; record->fact != NULL && k < N_OF(rack_facts); k++) {
        const struct mr_runfile_array array = {.group = "/racks",
                                               .channel = &rack_facts[k],
                                               .axis = {"rack", NULL},
                                               .n = {record->n_rack, 0},
                                               .values = record->fact + k * record->n_rack};
        MR_TRY(mr_runfile_put(record->file, &array, err));
    }
    return MR_OK;
}
