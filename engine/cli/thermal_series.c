/* SPDX-License-Identifier: Apache-2.0 */
/* Values are those of the plant's last step before the row's date; power is what it is then, so
 * that another run can be played from it, and beside it are mean and peak of the steps since the
 * row before; of those steps is the hottest die of a rack, too. Map: channels - life - rows. */
#include "engine/cli/thermal_series.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/record/track.h"
#include "thermal/moist.h"

#include <string.h>

// clang-format off
#define POINT .cell_methods = "time: point"
#define F32(name_, units_, long_, scale_, dsx_) \
    {.name = (name_), .units = (units_), .long_name = (long_), .type = MR_CHANNEL_F32_OF_F64, .scale = (scale_), .dsx = (dsx_), POINT}
#define PEAK(name_, units_, long_, scale_) \
    {.name = (name_), .units = (units_), .long_name = (long_), .type = MR_CHANNEL_F32_OF_F64, .scale = (scale_), MR_CHANNEL_OVER_MAX}
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

/* Channels of one series: doubles first, then counts, then states. */
static const struct mr_channel rack_channels[] = {
    F32("power_kw", "kW", "Power of the rack", 1e-3, "Rack/RackPower"),
    {.name = "power_mean_kw", .units = "kW", .long_name = "Mean power of the rack since the sample before",
     .type = MR_CHANNEL_F32_OF_F64, .scale = 1e-3, MR_CHANNEL_OVER_MEAN},
    {.name = "power_max_kw", .units = "kW", .long_name = "Highest power of the rack since the sample before",
     .type = MR_CHANNEL_F32_OF_F64, .scale = 1e-3, MR_CHANNEL_OVER_MAX},
    F32("liquid_supply_c", "degC", "Coolant to the rack", 0, "Rack/RackLiquidSupplyTemperature"),
    F32("liquid_return_c", "degC", "Coolant from the rack", 0, "Rack/RackLiquidReturnTemperature"),
    F32("liquid_flow_lpm", "L min-1", "Coolant flow", 60e3, "Rack/RackLiquidFlow"),
    F32("liquid_dp_kpa", "kPa", "Header pressure across rack and valve", 1e-3, "Rack/RackLiquidDifferentialPressure"),
    F32("liquid_dp_sp_kpa", "kPa", "Header pressure that pumps hold", 1e-3, "Rack/RackLiquidDifferentialPressureSp"),
    F32("valve_pct", "percent", "Stroke of the control valve", 100, "Rack/RackControlValvePosition"),
    {.name = "die_max_c", .units = "degC", .long_name = "Hottest die, of the worst package, since the sample before",
     .type = MR_CHANNEL_F32_OF_F64, MR_CHANNEL_OVER_MAX},
    F32("die_mean_c", "degC", "Mean die", 0, NULL),
    U32("throttled_gpus", "Packages that draw less than asked for", NULL),
    U32("off_gpus", "Packages without power: no feed, rack shut, heat, coolant or a leak", NULL),
    ENUM("leak", "A leak is known", no_yes, "Rack/RackLeakDetect"),
    ENUM("leak_tray", "A leak of a tray is known", no_yes, "Rack/RackLeakDetectTray"),
    ENUM("leak_sensor_fault", "Leak detectors are blind", no_yes, "Rack/RackLeakSensorFault"),
    ENUM("liquid_isolation_request", "Coolant is to be shut off", no_yes, "Rack/RackLiquidIsolationRequest"),
    ENUM("liquid_isolated", "Coolant is shut off", no_yes, "Rack/RackLiquidIsolationStatus"),
    ENUM("electrical_isolation_request", "Power is to be taken away, of a tray or all", no_yes, "Rack/RackElectricalIsolationRequest"),
    ENUM("electrical_isolated", "Power is taken away, of a tray or all", no_yes, "Rack/RackElectricalIsolationStatus"),
};
static const struct mr_channel cdu_channels[] = {
    F32("supply_c", "degC", "Coolant sent to the racks", 0, "CDU/LiquidTemperature"),
    F32("return_c", "degC", "Coolant back from the racks", 0, "CDU/LiquidTemperature"),
    F32("facility_supply_c", "degC", "Facility water that comes in", 0, "CDU/LiquidTemperature"),
    F32("supply_sp_request_c", "degC", "Set point of the coolant sent to the racks", 0, "CDU/LiquidTemperatureSpRequest"),
    F32("flow_lpm", "L min-1", "Coolant of the group", 60e3, "CDU/LiquidFlow"),
    F32("dp_kpa", "kPa", "Header pressure", 1e-3, "CDU/LiquidDifferentialPressure"),
    F32("pump_pct", "percent", "Speed of the pumps that run", 100, "CDU/PumpSpeed"),
    F32("valve_pct", "percent", "Facility water let through, of the most", 100, "CDU/ValvePosition"),
    F32("heat_kw", "kW", "Heat given to the facility water", 1e-3, NULL),
    F32("electric_kw", "kW", "Pumps and controls", 1e-3, NULL),
    PEAK("supply_max_c", "degC", "The warmest coolant sent to the racks since the sample before", 0),
    PEAK("heat_max_kw", "kW", "The most heat given to the facility water since the sample before", 1e-3),
    U32("units", "Units in service", NULL),
    ENUM("leak", "A leak of one of its units or racks is known", no_yes, "CDU/LeakDetect"),
    ENUM("mode", "What limits the supply", cdu_modes, NULL),
};
static const struct mr_channel loop_channels[] = {
    F32("leaving_c", "degC", "Facility water sent out", 0, "CoolingTower/LiquidTemperature"),
    F32("entering_c", "degC", "Facility water that comes back", 0, NULL),
    F32("fan_pct", "percent", "Speed of the fans", 100, "CoolingTower/FanSpeed"),
    F32("water_lpm", "L min-1", "Water drawn", 60e3, "CoolingTower/LiquidFlow"),
    F32("heat_kw", "kW", "Heat taken from the loop", 1e-3, NULL),
    F32("fan_power_kw", "kW", "Fans", 1e-3, NULL),
    ENUM("mode", "Stage of heat rejection", modes, NULL),
};
static const struct mr_channel chiller_channels[] = {
    F32("leaving_c", "degC", "Water that leaves the chillers; NaN while none runs", 0, "Chiller/LiquidTemperature"),
    F32("power_kw", "kW", "Compressors", 1e-3, "PowerMeter/ActivePower"),
    U32("available_units", "Chillers in service", NULL),
    ENUM("available", "There is one in service", no_yes, "Chiller/Available"),
};
static const struct mr_channel orbit_channels[] = {
    F32("radiator_c", "degC", "Radiator", 0, NULL),
    F32("sink_c", "degC", "Radiator without load in the light of now", 0, NULL),
    F32("absorbed_kw", "kW", "Sunlight and what the Earth sends", 1e-3, NULL),
    F32("emitted_kw", "kW", "Heat to space", 1e-3, NULL),
    F32("heat_kw", "kW", "Heat from the loop", 1e-3, NULL),
    ENUM("sunlit", "Outside of the Earth's shadow", no_yes, NULL),
};
static const struct mr_channel hall_channels[] = {
    F32("room_c", "degC", "Air that equipment breathes", 0, "CRAH/AirTemperature"),
    F32("room_rh_pct", "percent", "Its humidity: outdoor vapor at its temperature", 100, "CRAH/AirRelativeHumidity"),
};
static const struct mr_channel weather_channels[] = {
    F32("dry_bulb_c", "degC", "Outdoor air", 0, "Sensor/AirTemperature"),
    F32("wet_bulb_c", "degC", "Outdoor wet bulb", 0, NULL),
};

static const struct mr_group own_groups[] = {
    MR_GROUP("/racks", "time, rack", rack_channels, "Racks over time"),
    MR_GROUP("/cdus", "time, cdu", cdu_channels, "Groups of CDUs over time"),
    MR_GROUP("/plant/rejection", "time, loop", loop_channels, "Heat rejection of the facility loops"),
    MR_GROUP("/plant/chiller", "time, loop", chiller_channels, "Chillers, where there are some"),
    MR_GROUP("/plant/orbit", "time, loop", orbit_channels, "Radiators of loops in orbit"),
    MR_GROUP("/plant", "time, hall", hall_channels, "Air of the halls"),
    MR_GROUP("/weather", "time", weather_channels, "Outdoor air, unless every loop is in orbit"),
};
const struct mr_group_list mr_thermal_series_groups = MR_GROUP_LIST("thermal, and run with a site", own_groups);
// clang-format on

#define N_OF(table) (sizeof(table) / sizeof *(table))

/* Channels of racks that are looked at. */
enum {
    CDU_SUPPLY_MAX = 10, /* places in cdu_channels */
    CDU_HEAT_MAX = 11,
    RACK_POWER_MEAN = 1,
    RACK_POWER_MAX = 2,
    RACK_DIE_MAX = 9
};

enum {
    MOST_CHANNELS = N_OF(rack_channels)
};

struct mr_thermal_series {
    const struct mr_plant *plant;
    struct mr_runfile *file;
    struct mr_track *racks, *cdus, *loops, *chillers, *orbits, *halls, *weather;
    /* scratch: every channel of a type, of the largest series; and where each channel begins */
    double *f64;
    uint32_t *u32;
    uint8_t *u8;
    const void *value[MOST_CHANNELS + MR_THERMAL_SERIES_MORE];
    struct mr_thermal_series_more more; /* of racks */
    bool has_racks;
    uint32_t *first_rack; /* of each group */
};

/* ---- life ---- */

static size_t largest(const struct mr_plant *plant)
{
    size_t n = plant->n_rack;
    n = n > plant->n_group ? n : plant->n_group;
    n = n > plant->n_loop ? n : plant->n_loop;
    return (n > plant->n_hall ? n : plant->n_hall) + 1;
}

static mr_status add_series(struct mr_thermal_series *r, const struct mr_track_plan *plan,
                            const char *const *name, struct mr_track **out, struct mr_err *err)
{
    struct mr_track_plan own = *plan;
    own.name = name;
    return own.n_entity == 0 && own.axis != NULL ? MR_OK : mr_track_create(r->file, &own, out, err);
}

static bool has_orbit(const struct mr_plant *plant)
{
    bool has = false;
    for (size_t i = 0; i < plant->n_loop; i++)
        has |= plant->loop[i].has_orbit;
    return has;
}

/* Loops in orbit have no weather. */
static bool has_air(const struct mr_plant *plant)
{
    bool has = false;
    for (size_t i = 0; i < plant->n_loop; i++)
        has |= !plant->loop[i].has_orbit;
    return has;
}

static bool has_chiller(const struct mr_plant *plant)
{
    bool has = false;
    for (size_t i = 0; i < plant->n_loop; i++)
        has |= plant->loop[i].rejection.n_chiller > 0;
    return has;
}

static mr_status declare_series(struct mr_thermal_series *r, const struct mr_record_every *every,
                                const char **name, struct mr_err *err)
{
    const double plant_s = every->every_s[MR_RECORD_PLANT];
    const struct mr_plant *p = r->plant;
    const struct mr_site *site = p->site;
    struct mr_channel of_racks[MOST_CHANNELS + MR_THERMAL_SERIES_MORE];
    struct mr_track_plan plan = {.group = "/racks",
                                 .axis = "rack",
                                 .axis_name = "Racks in the order of the site",
                                 .n_entity = p->n_rack,
                                 .interval_s = every->every_s[MR_RECORD_RACKS],
                                 .channel = of_racks,
                                 .n_channel = N_OF(rack_channels) + r->more.n};
    memcpy(of_racks, rack_channels, sizeof rack_channels);
    for (size_t i = 0; i < r->more.n; i++)
        of_racks[N_OF(rack_channels) + i] = r->more.channel[i];
    for (size_t i = 0; i < p->n_rack; i++)
        name[i] = site->rack[i].name;
    if (r->has_racks)
        MR_TRY(add_series(r, &plan, name, &r->racks, err));
    plan = (struct mr_track_plan){"/cdus",
                                  "cdu",
                                  "CDU groups in the order of the site",
                                  NULL,
                                  p->n_group,
                                  every->every_s[MR_RECORD_CDUS],
                                  cdu_channels,
                                  N_OF(cdu_channels)};
    for (size_t i = 0; i < p->n_group; i++)
        name[i] = site->cdu[i].name;
    MR_TRY(add_series(r, &plan, name, &r->cdus, err));
    for (size_t i = 0; i < p->n_loop; i++)
        name[i] = site->loop[i].name;
    plan =
        (struct mr_track_plan){"/plant/rejection", "loop",  "Facility loops", NULL,
                               p->n_loop,          plant_s, loop_channels,    N_OF(loop_channels)};
    MR_TRY(has_air(p) ? add_series(r, &plan, name, &r->loops, err) : MR_OK);
    plan.group = "/plant/chiller";
    plan.channel = chiller_channels;
    plan.n_channel = N_OF(chiller_channels);
    MR_TRY(has_chiller(p) ? add_series(r, &plan, name, &r->chillers, err) : MR_OK);
    plan.group = "/plant/orbit";
    plan.channel = orbit_channels;
    plan.n_channel = N_OF(orbit_channels);
    MR_TRY(has_orbit(p) ? add_series(r, &plan, name, &r->orbits, err) : MR_OK);
    plan = (struct mr_track_plan){"/plant",  "hall",  "Halls",       NULL,
                                  p->n_hall, plant_s, hall_channels, N_OF(hall_channels)};
    for (size_t i = 0; i < p->n_hall; i++)
        name[i] = site->hall[i].name;
    MR_TRY(add_series(r, &plan, name, &r->halls, err));
    plan = (struct mr_track_plan){"/weather",
                                  NULL,
                                  NULL,
                                  NULL,
                                  0,
                                  every->every_s[MR_RECORD_WEATHER],
                                  weather_channels,
                                  N_OF(weather_channels)};
    MR_TRY(has_air(p) ? add_series(r, &plan, NULL, &r->weather, err) : MR_OK);
    return mr_runfile_attr_f64(r->file, "/plant", "inlet_band_k", p->p.band_k, err);
}

/* @param[out] name scratch, freed by the caller */
static mr_status make_scratch(struct mr_thermal_series *r, const char ***name, struct mr_err *err)
{
    const size_t n = largest(r->plant);
    r->f64 = mr_alloc_zero(n * MOST_CHANNELS, sizeof *r->f64);
    r->u32 = mr_alloc_zero(n * MOST_CHANNELS, sizeof *r->u32);
    r->u8 = mr_alloc_zero(n * MOST_CHANNELS, sizeof *r->u8);
    r->first_rack = mr_alloc_zero(n, sizeof *r->first_rack);
    *name = mr_alloc_zero(n, sizeof(const char *));
    if (r->f64 == NULL || r->u32 == NULL || r->u8 == NULL || r->first_rack == NULL || *name == NULL)
        return mr_err_nomem(err, n * sizeof *r->f64);
    for (size_t i = 0; i < r->plant->n_group; i++)
        r->first_rack[i] = MR_SITE_NONE;
    for (uint32_t i = (uint32_t)r->plant->n_rack; i-- > 0;)
        if (r->plant->rack[i].group != MR_SITE_NONE)
            r->first_rack[r->plant->rack[i].group] = i;
    return MR_OK;
}

mr_status mr_thermal_series_create(struct mr_runfile *file, const struct mr_plant *plant,
                                   const struct mr_thermal_series_more *more,
                                   const struct mr_record_every *every,
                                   struct mr_thermal_series **out, struct mr_err *err)
{
    struct mr_thermal_series *r = mr_alloc_zero(1, sizeof *r);
    const char **name = NULL;
    *out = NULL;
    if (r == NULL)
        return mr_err_nomem(err, sizeof *r);
    r->plant = plant;
    r->file = file;
    r->has_racks = more != NULL;
    if (more != NULL)
        r->more = *more;
    MR_ASSERT(r->more.n <= MR_THERMAL_SERIES_MORE);
    mr_status st = make_scratch(r, &name, err);
    if (st == MR_OK)
        st = declare_series(r, every, name, err);
    mr_free(name);
    if (st == MR_OK)
        *out = r;
    else
        mr_thermal_series_destroy(r);
    return st;
}

void mr_thermal_series_destroy(struct mr_thermal_series *series)
{
    if (series == NULL)
        return;
    mr_free(series->f64);
    mr_free(series->u32);
    mr_free(series->u8);
    mr_free(series->first_rack);
    mr_free(series);
}

/* ---- rows ---- */

/* One entity's values, in the order of the channels. */
struct values {
    double f64[MOST_CHANNELS];
    uint32_t u32[MOST_CHANNELS];
    bool u8[MOST_CHANNELS];
};

/* Values of entity i of n beside those of the others. */
static void put(struct mr_thermal_series *r, const struct mr_channel *channel, size_t n_channel,
                size_t n, size_t i, const struct values *v)
{
    size_t n_f64 = 0, n_u32 = 0, n_u8 = 0;
    for (size_t c = 0; c < n_channel; c++) {
        if (channel[c].type == MR_CHANNEL_U32) {
            r->u32[n_u32 * n + i] = v->u32[n_u32];
            r->value[c] = &r->u32[n_u32++ * n];
        } else if (channel[c].type == MR_CHANNEL_U8) {
            r->u8[n_u8 * n + i] = v->u8[n_u8];
            r->value[c] = &r->u8[n_u8++ * n];
        } else {
            r->f64[n_f64 * n + i] = v->f64[n_f64];
            r->value[c] = &r->f64[n_f64++ * n];
        }
    }
}

static mr_status rack_rows(struct mr_thermal_series *r, const struct mr_plant_state *state,
                           double t_s, struct mr_err *err)
{
    const size_t n = r->plant->n_rack;
    for (size_t i = 0; r->racks != NULL && i < n; i++) {
        struct mr_plant_rack_row x;
        mr_plant_rack_row(r->plant, state, (uint32_t)i, &x);
        const struct values v = {
            {x.power_w, x.power_w, x.power_w, x.supply_c, x.return_c, x.flow_m3_s, x.header_pa,
             x.header_set_pa, x.valve_frac, x.die_max_c, x.die_mean_c},
            {x.n_throttled, x.is_dark ? r->plant->rack[i].n_package : x.n_off},
            {x.is_leaking, x.is_tray_leaking, x.is_sensor_faulty, x.is_liquid_requested,
             x.is_liquid_isolated, x.is_power_requested, x.is_power_isolated}};
        put(r, rack_channels, N_OF(rack_channels), n, i, &v);
    }
    for (size_t k = 0; k < r->more.n; k++)
        r->value[N_OF(rack_channels) + k] = r->more.value + k * n;
    return r->racks != NULL ? mr_track_row(r->racks, t_s, r->value, err) : MR_OK;
}

/* Of one of its units, or of one of its racks, as their detectors say. */
static bool leaks(const struct mr_plant *plant, const struct mr_plant_state *state, uint32_t group)
{
    if (state->unit_leak[group].n_known > 0)
        return true;
    for (size_t i = 0; i < state->n_leak; i++) {
        const uint32_t rack = state->leak[i].rack;
        if (plant->rack[rack].group == group && state->rack[rack].n_known > 0)
            return true;
    }
    return false;
}

/* Header pressure: that of any of its racks, which all see the same. */
static double header_pa(const struct mr_thermal_series *r, const struct mr_plant_state *state,
                        size_t group)
{
    return r->first_rack[group] != MR_SITE_NONE
               ? mr_plant_header_pa(r->plant, state, r->first_rack[group])
               : (double)NAN;
}

static mr_status cdu_rows(struct mr_thermal_series *r, const struct mr_plant_state *state,
                          double t_s, struct mr_err *err)
{
    const size_t n = r->plant->n_group;
    for (size_t i = 0; i < n; i++) {
        const struct mr_cdu_group *g = &r->plant->group[i];
        const struct mr_cdu_group_state *s = &state->group[i];
        const struct values v = {{mr_cdu_group_supply_c(g, s), s->return_c, s->facility_c, g->set_c,
                                  mr_cdu_group_flow(s) * g->design_m3_s, header_pa(r, state, i),
                                  mr_cdu_group_speed_frac(g, s), mr_cdu_group_valve_frac(g, s),
                                  mr_cdu_group_rejected_w(g, s), s->electric_w,
                                  mr_cdu_group_supply_c(g, s), mr_cdu_group_rejected_w(g, s)},
                                 {(uint32_t)s->n_running},
                                 {leaks(r->plant, state, (uint32_t)i)}};
        put(r, cdu_channels, N_OF(cdu_channels), n, i, &v);
        r->u8[n + i] = (uint8_t)s->mode;
    }
    return r->cdus != NULL ? mr_track_row(r->cdus, t_s, r->value, err) : MR_OK;
}

static mr_status loop_rows(struct mr_thermal_series *r, const struct mr_plant_state *state,
                           double t_s, struct mr_err *err)
{
    const size_t n = r->plant->n_loop;
    for (size_t i = 0; i < n; i++) {
        const struct mr_plant_loop_state *s = &state->loop[i];
        const struct values v = {{mr_plant_facility_c(r->plant, state, (uint32_t)i),
                                  s->water.return_c,
                                  fmax(s->out.dry_speed_frac, s->out.tower_speed_frac),
                                  mr_water_m3_s(&r->plant->loop[i].rejection.water, &s->out.water),
                                  s->out.heat_w, s->out.fan_w},
                                 {0},
                                 {0}};
        put(r, loop_channels, N_OF(loop_channels), n, i, &v);
        r->u8[i] = (uint8_t)s->out.mode;
    }
    return r->loops != NULL ? mr_track_row(r->loops, t_s, r->value, err) : MR_OK;
}

static mr_status chiller_rows(struct mr_thermal_series *r, const struct mr_plant_state *state,
                              double t_s, struct mr_err *err)
{
    const size_t n = r->plant->n_loop;
    for (size_t i = 0; i < n; i++) {
        const struct mr_plant_loop_state *s = &state->loop[i];
        const uint64_t all = r->plant->loop[i].rejection.n_chiller;
        const uint64_t lost = s->rejection.n_chiller_lost;
        const uint32_t left = (uint32_t)(all > lost ? all - lost : 0);
        const struct values v = {{s->out.chiller_heat_w > 0
                                      ? mr_plant_facility_c(r->plant, state, (uint32_t)i)
                                      : (double)NAN,
                                  s->out.work_w},
                                 {left},
                                 {left > 0}};
        put(r, chiller_channels, N_OF(chiller_channels), n, i, &v);
    }
    return r->chillers != NULL ? mr_track_row(r->chillers, t_s, r->value, err) : MR_OK;
}

static mr_status orbit_rows(struct mr_thermal_series *r, const struct mr_plant_state *state,
                            double t_s, struct mr_err *err)
{
    const size_t n = r->plant->n_loop;
    const double zero_k = 273.15;
    for (size_t i = 0; r->orbits != NULL && i < n; i++) {
        const struct mr_plant_loop_state *s = &state->loop[i];
        const struct mr_orbit *orbit = &r->plant->loop[i].orbit;
        const bool is_sunlit = mr_orbit_is_sunlit(orbit, state->t_s);
        const struct values v = {{s->radiator.radiator_k - zero_k,
                                  mr_orbit_sink_k(orbit, is_sunlit) - zero_k,
                                  mr_orbit_absorbed_w(orbit, is_sunlit),
                                  mr_orbit_emitted_w(orbit, s->radiator.radiator_k), s->out.heat_w},
                                 {0},
                                 {is_sunlit}};
        put(r, orbit_channels, N_OF(orbit_channels), n, i, &v);
    }
    return r->orbits != NULL ? mr_track_row(r->orbits, t_s, r->value, err) : MR_OK;
}

/* Nobody wets or dries the air of a hall: vapor is what came in with outdoor air. */
static mr_status hall_rows(struct mr_thermal_series *r, const struct mr_plant_state *state,
                           double t_s, struct mr_err *err)
{
    const size_t n = r->plant->n_hall;
    const struct mr_weather_point air = mr_weather_at(r->plant->weather, t_s);
    for (size_t i = 0; i < n; i++) {
        const double room_c = state->hall[i].inlet_c;
        const struct values v = {{room_c, r->weather == NULL
                                              ? (double)NAN
                                              : mr_moist_rh_warmed(air.dry_bulb_c, air.rh_frac,
                                                                   room_c - air.dry_bulb_c)},
                                 {0},
                                 {0}};
        put(r, hall_channels, N_OF(hall_channels), n, i, &v);
    }
    return r->halls != NULL ? mr_track_row(r->halls, t_s, r->value, err) : MR_OK;
}

static mr_status plant_rows(struct mr_thermal_series *r, const struct mr_plant_state *state,
                            double t_s, struct mr_err *err)
{
    MR_TRY(loop_rows(r, state, t_s, err));
    MR_TRY(chiller_rows(r, state, t_s, err));
    MR_TRY(orbit_rows(r, state, t_s, err));
    return hall_rows(r, state, t_s, err);
}

static void look_at_cdus(struct mr_thermal_series *r, const struct mr_plant_state *state,
                         double lasted_s)
{
    const void *value[N_OF(cdu_channels)] = {0};
    const size_t n = r->plant->n_group;
    double *supply_c = r->f64, *heat_w = r->f64 + n;
    if (r->cdus == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        supply_c[i] = mr_cdu_group_supply_c(&r->plant->group[i], &state->group[i]);
        heat_w[i] = mr_cdu_group_rejected_w(&r->plant->group[i], &state->group[i]);
    }
    value[CDU_SUPPLY_MAX] = supply_c;
    value[CDU_HEAT_MAX] = heat_w;
    mr_track_look(r->cdus, lasted_s, value);
}

void mr_thermal_series_look(struct mr_thermal_series *series, const struct mr_plant_state *state,
                            double lasted_s)
{
    const void *value[MOST_CHANNELS + MR_THERMAL_SERIES_MORE] = {0};
    const size_t n = series->plant->n_rack;
    double *power_w = series->f64, *die_c = series->f64 + n;
    look_at_cdus(series, state, lasted_s);
    if (series->racks == NULL)
        return;
    for (uint32_t i = 0; i < n; i++)
        mr_plant_rack_brief(state, i, &power_w[i], &die_c[i]);
    value[RACK_POWER_MEAN] = value[RACK_POWER_MAX] = power_w;
    value[RACK_DIE_MAX] = die_c;
    for (size_t k = 0; k < series->more.n; k++)
        value[N_OF(rack_channels) + k] = series->more.value + k * n;
    mr_track_look(series->racks, lasted_s, value);
}

mr_status mr_thermal_series_row(struct mr_thermal_series *series,
                                const struct mr_plant_state *state, double t_s, uint32_t due,
                                struct mr_err *err)
{
    if (mr_record_is_due(due, MR_RECORD_RACKS))
        MR_TRY(rack_rows(series, state, t_s, err));
    if (mr_record_is_due(due, MR_RECORD_CDUS))
        MR_TRY(cdu_rows(series, state, t_s, err));
    if (mr_record_is_due(due, MR_RECORD_PLANT))
        MR_TRY(plant_rows(series, state, t_s, err));
    if (series->weather == NULL || !mr_record_is_due(due, MR_RECORD_WEATHER))
        return MR_OK;
    const struct mr_weather_point air = mr_weather_at(series->plant->weather, t_s);
    const void *const weather[] = {&air.dry_bulb_c, &air.wet_bulb_c};
    return mr_track_row(series->weather, t_s, weather, err);
}
