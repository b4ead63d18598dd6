/* SPDX-License-Identifier: Apache-2.0 */
/* Series of the thermal verb. Values are those of the plant's last step before the row's date;
 * power and heat are what they are then, not means. Events name their entity by kind and index,
 * which is its place on that kind's axis. Map: channels - life - rows - events - end. */
#include "engine/cli/thermal_record.h"

#include "engine/base/mem.h"
#include "engine/record/columns.h"
#include "engine/record/track.h"

#include <stdio.h>
#include <string.h>

// clang-format off
#define POINT .cell_methods = "time: point"
#define F32(name_, units_, long_, scale_, dsx_) \
    {.name = (name_), .units = (units_), .long_name = (long_), .type = MR_CHANNEL_F32_OF_F64, .scale = (scale_), .dsx = (dsx_), POINT}
#define U32(name_, long_, dsx_) \
    {.name = (name_), .units = "1", .long_name = (long_), .type = MR_CHANNEL_U32, .dsx = (dsx_), POINT}
#define ENUM(name_, long_, names, dsx_) \
    {.name = (name_), .units = "1", .long_name = (long_), .type = MR_CHANNEL_U8, .dsx = (dsx_), .flag = (names), \
     .n_flag = sizeof(names) / sizeof *(names), POINT}

static const char *const no_yes[] = {"no", "yes"};
static const char *const modes[] = {
#define MODE_NAME(name, text) text,
    MR_REJECTION_LIST(MODE_NAME)
#undef MODE_NAME
};
static const char *const cdu_modes[] = {"bypass", "regulated", "saturated"};
static const char *const kinds[] = {
#define KIND_NAME(name, text, unit) text,
    MR_PLANT_EVENT_LIST(KIND_NAME)
#undef KIND_NAME
};
static const char *const entities[] = {"rack", "cdu", "loop", "hall", "site"};

enum rack_channel { RACK_POWER, RACK_SUPPLY, RACK_RETURN, RACK_FLOW, RACK_DIE_MAX, RACK_DIE_MEAN, RACK_THROTTLED, RACK_OFF, RACK_LEAK, RACK_ISOLATED, N_RACK_CHANNEL };
static const struct mr_channel rack_channels[N_RACK_CHANNEL] = {
    F32("power_kw", "kW", "Power of the rack", 1e-3, "Rack/RackPower"),
    F32("liquid_supply_c", "degC", "Coolant to the rack", 0, "Rack/RackLiquidSupplyTemperature"),
    F32("liquid_return_c", "degC", "Coolant from the rack", 0, "Rack/RackLiquidReturnTemperature"),
    F32("liquid_flow_lpm", "L min-1", "Coolant flow", 60e3, "Rack/RackLiquidFlow"),
    F32("die_max_c", "degC", "Hottest die, of the worst package", 0, NULL),
    F32("die_mean_c", "degC", "Mean die", 0, NULL),
    U32("throttled_gpus", "Packages that draw less than asked for", NULL),
    U32("off_gpus", "Packages without power", NULL),
    ENUM("leak", "A leak is known", no_yes, "Rack/RackLeakDetect"),
    ENUM("liquid_isolated", "Coolant is shut off", no_yes, "Rack/RackLiquidIsolationStatus"),
};

enum cdu_channel { CDU_SUPPLY, CDU_RETURN, CDU_FACILITY, CDU_FLOW, CDU_HEAT, CDU_ELECTRIC, CDU_MODE, N_CDU_CHANNEL };
static const struct mr_channel cdu_channels[N_CDU_CHANNEL] = {
    F32("supply_c", "degC", "Coolant sent to the racks", 0, "CDU/LiquidTemperature"),
    F32("return_c", "degC", "Coolant back from the racks", 0, "CDU/LiquidTemperature"),
    F32("facility_supply_c", "degC", "Facility water that comes in", 0, "CDU/LiquidTemperature"),
    F32("flow_lpm", "L min-1", "Coolant of the group", 60e3, "CDU/LiquidFlow"),
    F32("heat_kw", "kW", "Heat given to the facility water", 1e-3, NULL),
    F32("electric_kw", "kW", "Pumps and controls", 1e-3, NULL),
    ENUM("mode", "What limits the supply", cdu_modes, NULL),
};

enum loop_channel { LOOP_LEAVING, LOOP_ENTERING, LOOP_FAN, LOOP_WATER, LOOP_HEAT, LOOP_FAN_POWER, LOOP_CHILLER, LOOP_MODE, N_LOOP_CHANNEL };
static const struct mr_channel loop_channels[N_LOOP_CHANNEL] = {
    F32("leaving_c", "degC", "Facility water sent out", 0, "CoolingTower/LiquidTemperature"),
    F32("entering_c", "degC", "Facility water that comes back", 0, NULL),
    F32("fan_pct", "percent", "Speed of the fans", 100, "CoolingTower/FanSpeed"),
    F32("water_lpm", "L min-1", "Water drawn", 60e3, "CoolingTower/LiquidFlow"),
    F32("heat_kw", "kW", "Heat taken from the loop", 1e-3, NULL),
    F32("fan_power_kw", "kW", "Fans", 1e-3, NULL),
    F32("chiller_power_kw", "kW", "Compressors", 1e-3, "PowerMeter/ActivePower"),
    ENUM("mode", "Stage of heat rejection", modes, NULL),
};
static const struct mr_channel hall_channels[] = {
    F32("room_c", "degC", "Air that equipment breathes", 0, "CRAH/AirTemperature"),
};
static const struct mr_channel weather_channels[] = {
    F32("dry_bulb_c", "degC", "Outdoor air", 0, "Sensor/AirTemperature"),
    F32("wet_bulb_c", "degC", "Outdoor wet bulb", 0, NULL),
};

struct event_row {
    double t_s, value, limit;
    uint32_t index;
    uint8_t kind, entity;
};
static const struct mr_channel event_columns[] = {
    MR_COLUMN(struct event_row, t_s, F64, "s", "Date of the event"),
    {.name = "kind", .units = "1", .long_name = "What happened", .type = MR_CHANNEL_U8, .flag = kinds,
     .n_flag = MR_PLANT_N_EVENT, .offset = offsetof(struct event_row, kind)},
    {.name = "entity", .units = "1", .long_name = "Kind of what it happened to", .type = MR_CHANNEL_U8, .flag = entities,
     .n_flag = sizeof entities / sizeof *entities, .offset = offsetof(struct event_row, entity)},
    MR_COLUMN(struct event_row, index, U32, "1", "Its place on the axis of that kind"),
    MR_COLUMN(struct event_row, value, F64, "1", "Value, in the unit of the kind"),
    MR_COLUMN(struct event_row, limit, F64, "1", "Limit it passed; NaN where there is none"),
};
// clang-format on

#define N_OF(table) (sizeof(table) / sizeof *(table))

struct mr_thermal_record {
    const struct mr_plant *plant;
    struct mr_runfile *file;
    struct mr_track *racks, *cdus, *loops, *halls, *weather;
    struct mr_columns *events;
    bool is_guest; /* the file is somebody else's */
    double *f64;   /* scratch: every double channel of the largest series */
    uint32_t *u32;
    uint8_t *u8;
    mr_status status; /* of events */
    struct mr_err err;
};

/* ---- life ---- */

static size_t largest(const struct mr_plant *plant)
{
    size_t n = plant->n_rack;
    n = n > plant->n_group ? n : plant->n_group;
    n = n > plant->n_loop ? n : plant->n_loop;
    return (n > plant->n_hall ? n : plant->n_hall) + 1;
}

static mr_status add_series(struct mr_thermal_record *r, const struct mr_track_plan *plan,
                            const char *const *name, struct mr_track **out, struct mr_err *err)
{
    struct mr_track_plan own = *plan;
    own.name = name;
    return own.n_entity == 0 && own.axis != NULL ? MR_OK : mr_track_create(r->file, &own, out, err);
}

static mr_status declare_series(struct mr_thermal_record *r, double every_s, const char **name,
                                struct mr_err *err)
{
    const struct mr_plant *p = r->plant;
    const struct mr_site *site = p->site;
    struct mr_track_plan plan = {.group = "/racks",
                                 .axis = "rack",
                                 .axis_name = "Racks in the order of the site",
                                 .n_entity = p->n_rack,
                                 .interval_s = every_s,
                                 .channel = rack_channels,
                                 .n_channel = N_RACK_CHANNEL};
    for (size_t i = 0; i < p->n_rack; i++)
        name[i] = site->rack[i].name;
    MR_TRY(add_series(r, &plan, name, &r->racks, err));
    plan = (struct mr_track_plan){"/cdus",      "cdu",        "CDU groups in the order of the site",
                                  NULL,         p->n_group,   every_s,
                                  cdu_channels, N_CDU_CHANNEL};
    for (size_t i = 0; i < p->n_group; i++)
        name[i] = site->cdu[i].name;
    MR_TRY(add_series(r, &plan, name, &r->cdus, err));
    plan = (struct mr_track_plan){"/plant/rejection", "loop",  "Facility loops", NULL,
                                  p->n_loop,          every_s, loop_channels,    N_LOOP_CHANNEL};
    for (size_t i = 0; i < p->n_loop; i++)
        name[i] = site->loop[i].name;
    MR_TRY(add_series(r, &plan, name, &r->loops, err));
    plan = (struct mr_track_plan){"/plant",  "hall",  "Halls",       NULL,
                                  p->n_hall, every_s, hall_channels, N_OF(hall_channels)};
    for (size_t i = 0; i < p->n_hall; i++)
        name[i] = site->hall[i].name;
    MR_TRY(add_series(r, &plan, name, &r->halls, err));
    plan = (struct mr_track_plan){
        "/weather", NULL, NULL, NULL, 0, every_s, weather_channels, N_OF(weather_channels)};
    MR_TRY(add_series(r, &plan, NULL, &r->weather, err));
    return mr_runfile_attr_f64(r->file, "/plant", "inlet_band_k", p->p.band_k, err);
}

/* What only a file of our own has. */
static mr_status declare_file(struct mr_thermal_record *r, struct mr_err *err)
{
    const struct mr_columns_plan events = {.group = "/events",
                                           .axis = "event",
                                           .column = event_columns,
                                           .n_column = N_OF(event_columns),
                                           .row_bytes = sizeof(struct event_row)};
    MR_TRY(mr_columns_create(r->file, &events, &r->events, err));
    MR_TRY(mr_runfile_attr_text(r->file, "/", "Conventions", "CF-1.8", err));
    MR_TRY(mr_runfile_attr_text(r->file, "/", "title", r->plant->site->name, err));
    MR_TRY(mr_runfile_attr_u64(r->file, "/", "schema", 1, err));
    return mr_runfile_start(r->file, err);
}

/* @param[out] name scratch, freed by the caller */
static mr_status make_scratch(struct mr_thermal_record *r, const char ***name, struct mr_err *err)
{
    const size_t n = largest(r->plant);
    r->f64 = mr_alloc_zero(n * N_LOOP_CHANNEL, sizeof *r->f64);
    r->u32 = mr_alloc_zero(n * 2, sizeof *r->u32);
    r->u8 = mr_alloc_zero(n * 2, sizeof *r->u8);
    *name = mr_alloc_zero(n, sizeof(const char *));
    if (r->f64 == NULL || r->u32 == NULL || r->u8 == NULL || *name == NULL)
        return mr_err_nomem(err, n * sizeof *r->f64);
    return MR_OK;
}

static mr_status create(const struct mr_plant *plant, struct mr_runfile *file, double every_s,
                        struct mr_thermal_record **out, struct mr_err *err)
{
    struct mr_thermal_record *r = mr_alloc_zero(1, sizeof *r);
    const char **name = NULL;
    *out = NULL;
    if (r == NULL)
        return mr_err_nomem(err, sizeof *r);
    r->plant = plant;
    r->file = file;
    r->is_guest = true; /* until all is well */
    mr_status st = make_scratch(r, &name, err);
    if (st == MR_OK)
        st = declare_series(r, every_s, name, err);
    mr_free(name);
    if (st == MR_OK)
        *out = r;
    else
        mr_thermal_record_destroy(r);
    return st;
}

mr_status mr_thermal_record_within(struct mr_runfile *file, const struct mr_plant *plant,
                                   double every_s, struct mr_thermal_record **out,
                                   struct mr_err *err)
{
    return create(plant, file, every_s, out, err);
}

mr_status mr_thermal_record_create(const char *path, bool may_overwrite,
                                   const struct mr_plant *plant, double every_s,
                                   struct mr_thermal_record **out, struct mr_err *err)
{
    struct mr_runfile_options options = mr_runfile_options_default();
    struct mr_runfile *file = NULL;
    options.may_overwrite = may_overwrite;
    *out = NULL;
    MR_TRY(mr_runfile_create(path, &options, &file, err));
    mr_status st = create(plant, file, every_s, out, err);
    if (st == MR_OK && *out != NULL) {
        (*out)->is_guest = false;
        st = declare_file(*out, err);
    }
    if (st == MR_OK)
        return MR_OK;
    if (*out != NULL)
        mr_thermal_record_destroy(*out);
    else
        mr_runfile_destroy(file);
    *out = NULL;
    return st;
}

void mr_thermal_record_destroy(struct mr_thermal_record *record)
{
    if (record == NULL)
        return;
    if (!record->is_guest)
        mr_runfile_destroy(record->file);
    mr_free(record->f64);
    mr_free(record->u32);
    mr_free(record->u8);
    mr_free(record);
}

/* ---- rows ---- */

static mr_status rack_rows(struct mr_thermal_record *r, const struct mr_plant_state *state,
                           double t_s, struct mr_err *err)
{
    const size_t n = r->plant->n_rack;
    double *f = r->f64;
    const void *const value[N_RACK_CHANNEL] = {f,         f + n,  f + 2 * n,  f + 3 * n, f + 4 * n,
                                               f + 5 * n, r->u32, r->u32 + n, r->u8,     r->u8 + n};
    for (size_t i = 0; i < n; i++) {
        struct mr_plant_rack_row row;
        mr_plant_rack_row(r->plant, state, (uint32_t)i, &row);
        const double own[] = {row.power_w,   row.supply_c,  row.return_c,
                              row.flow_m3_s, row.die_max_c, row.die_mean_c};
        for (size_t k = 0; k < N_OF(own); k++)
            f[k * n + i] = own[k];
        r->u32[i] = row.n_throttled;
        r->u32[n + i] = row.n_off;
        r->u8[i] = row.is_leaking;
        r->u8[n + i] = row.is_liquid_isolated;
    }
    return r->racks != NULL ? mr_track_row(r->racks, t_s, value, err) : MR_OK;
}

static mr_status cdu_rows(struct mr_thermal_record *r, const struct mr_plant_state *state,
                          double t_s, struct mr_err *err)
{
    const size_t n = r->plant->n_group;
    double *f = r->f64;
    const void *const value[N_CDU_CHANNEL] = {f,         f + n,     f + 2 * n, f + 3 * n,
                                              f + 4 * n, f + 5 * n, r->u8};
    for (size_t i = 0; i < n; i++) {
        const struct mr_cdu_group *g = &r->plant->group[i];
        const struct mr_cdu_group_state *s = &state->group[i];
        const double own[] = {mr_cdu_group_supply_c(g, s),
                              s->return_c,
                              s->facility_c,
                              mr_cdu_group_flow(s) * g->design_m3_s,
                              mr_cdu_group_rejected_w(g, s),
                              s->electric_w};
        for (size_t k = 0; k < N_OF(own); k++)
            f[k * n + i] = own[k];
        r->u8[i] = (uint8_t)s->mode;
    }
    return r->cdus != NULL ? mr_track_row(r->cdus, t_s, value, err) : MR_OK;
}

static mr_status loop_rows(struct mr_thermal_record *r, const struct mr_plant_state *state,
                           double t_s, struct mr_err *err)
{
    const size_t n = r->plant->n_loop;
    double *f = r->f64;
    const void *const value[N_LOOP_CHANNEL] = {f,         f + n,     f + 2 * n, f + 3 * n,
                                               f + 4 * n, f + 5 * n, f + 6 * n, r->u8};
    for (size_t i = 0; i < n; i++) {
        const struct mr_plant_loop_state *s = &state->loop[i];
        const struct mr_rejection *rejection = &r->plant->loop[i].rejection;
        const double own[] = {mr_plant_facility_c(r->plant, state, (uint32_t)i),
                              s->water.return_c,
                              fmax(s->out.dry_speed_frac, s->out.tower_speed_frac),
                              mr_water_m3_s(&rejection->water, &s->out.water),
                              s->out.heat_w,
                              s->out.fan_w,
                              s->out.work_w};
        for (size_t k = 0; k < N_OF(own); k++)
            f[k * n + i] = own[k];
        r->u8[i] = (uint8_t)s->out.mode;
    }
    return r->loops != NULL ? mr_track_row(r->loops, t_s, value, err) : MR_OK;
}

mr_status mr_thermal_record_row(struct mr_thermal_record *record,
                                const struct mr_plant_state *state, double t_s, struct mr_err *err)
{
    if (record->status != MR_OK) {
        *err = record->err;
        return record->status;
    }
    MR_TRY(rack_rows(record, state, t_s, err));
    MR_TRY(cdu_rows(record, state, t_s, err));
    MR_TRY(loop_rows(record, state, t_s, err));
    for (size_t i = 0; i < record->plant->n_hall; i++)
        record->f64[i] = state->hall[i].inlet_c;
    const void *const hall[] = {record->f64};
    if (record->halls != NULL)
        MR_TRY(mr_track_row(record->halls, t_s, hall, err));
    const struct mr_weather_point air = mr_weather_at(record->plant->weather, t_s);
    const void *const weather[] = {&air.dry_bulb_c, &air.wet_bulb_c};
    return mr_track_row(record->weather, t_s, weather, err);
}

/* ---- events ---- */

/* The place of a name that the site lent. */
#define FIND(array, n, entity_)                 \
    for (uint32_t i = 0; i < (n); i++)          \
        if ((array)[i].name == event->entity) { \
            row.entity = (entity_);             \
            row.index = i;                      \
            break;                              \
        }

void mr_thermal_record_event(struct mr_thermal_record *record, const struct mr_plant_event *event)
{
    enum {
        RACK,
        CDU,
        LOOP,
        HALL,
        SITE
    };
    const struct mr_site *site = record->plant->site;
    struct event_row row = {.t_s = event->t_s,
                            .value = event->value,
                            .limit = event->limit,
                            .kind = (uint8_t)event->kind,
                            .entity = SITE};
    FIND(site->rack, site->n_rack, RACK)
    FIND(site->cdu, site->n_cdu, CDU)
    FIND(site->loop, site->n_loop, LOOP)
    FIND(site->hall, site->n_hall, HALL)
    if (record->status == MR_OK)
        record->status = mr_columns_add(record->events, &row, 1, &record->err);
}

/* ---- end ---- */

enum {
    n_figure_max = MR_THERMAL_FIGURES + 16
};

struct figure {
    char name[48];
    const char *units, *formula;
    double value;
};

static mr_status put_figures(struct mr_thermal_record *r, const struct figure *figure, size_t n,
                             struct mr_err *err)
{
    const char *name[n_figure_max], *units[n_figure_max], *formula[n_figure_max];
    double value[n_figure_max];
    for (size_t i = 0; i < n; i++) {
        name[i] = figure[i].name;
        units[i] = figure[i].units;
        formula[i] = figure[i].formula;
        value[i] = figure[i].value;
    }
    static const struct mr_channel value_channel = {
        .name = "value", .units = "1", .long_name = "In its unit", .type = MR_CHANNEL_F64};
    static const struct mr_channel unit_channel = {
        .name = "unit", .units = "1", .long_name = "Unit of the figure", .type = MR_CHANNEL_U8};
    static const struct mr_channel formula_channel = {
        .name = "formula", .units = "1", .long_name = "What it is", .type = MR_CHANNEL_U8};
    MR_TRY(mr_runfile_axis(r->file, "/kpi", "kpi", "Key figures", name, n, err));
    MR_TRY(mr_runfile_put(r->file,
                          &(struct mr_runfile_array){.group = "/kpi",
                                                     .channel = &value_channel,
                                                     .axis = {"kpi", NULL},
                                                     .n = {n, 0},
                                                     .values = value},
                          err));
    MR_TRY(mr_runfile_put(r->file,
                          &(struct mr_runfile_array){.group = "/kpi",
                                                     .channel = &unit_channel,
                                                     .axis = {"kpi", NULL},
                                                     .n = {n, 0},
                                                     .texts = units},
                          err));
    return mr_runfile_put(r->file,
                          &(struct mr_runfile_array){.group = "/kpi",
                                                     .channel = &formula_channel,
                                                     .axis = {"kpi", NULL},
                                                     .n = {n, 0},
                                                     .texts = formula},
                          err);
}

mr_status mr_thermal_record_finish(struct mr_thermal_record *record,
                                   const struct mr_plant_state *state,
                                   const struct mr_thermal_figure_list *list, const char *summary,
                                   struct mr_err *err)
{
    struct mr_plant_sums s;
    mr_plant_sums(record->plant, state, &s);
    struct figure figures[n_figure_max] = {
        {"energy.it_j", "J", "Drawn by racks", s.it_j},
        {"energy.asked_j", "J", "Asked for by racks", s.asked_j},
        {"energy.closure_rel", "1", "Energy in - out - stored over energy in, site", s.residual[3]},
        {"thermal.die_c_max", "degC", "Hottest die of the run",
         s.die_max_c > -273 ? s.die_max_c : (double)NAN},
        {"thermal.supply_c_max", "degC", "Warmest coolant sent to racks",
         s.supply_max_c > -273 ? s.supply_max_c : (double)NAN},
        {"thermal.throttle_gpu_s", "s", "Packages x time in which less was drawn than asked for",
         s.throttled_s},
        {"thermal.water_l", "L", "Water drawn", s.water_m3 * 1e3},
    };
    size_t n = 0;
    while (figures[n].units != NULL)
        n++;
    for (size_t i = 0; i < list->n; i++, n++) {
        const struct mr_thermal_figure *f = &list->item[i];
        figures[n] = (struct figure){"", f->units, f->formula, f->value};
        (void)snprintf(figures[n].name, sizeof figures[n].name, "%s.%s", f->group, f->name);
    }
    if (record->status != MR_OK) {
        *err = record->err;
        return record->status;
    }
    MR_TRY(mr_runfile_stop(record->file, err));
    MR_TRY(put_figures(record, figures, n, err));
    MR_TRY(
        mr_runfile_text(record->file, "/provenance", "summary", "Summary as JSON", summary, err));
    return mr_runfile_finish(record->file, MR_RUNFILE_COMPLETE, "done", err);
}
