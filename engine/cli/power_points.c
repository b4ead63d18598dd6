/* SPDX-License-Identifier: Apache-2.0 */
/* A class is a track whose axis names its members; what never changes (volts, ratings) is an array
 * beside it. Map: channels - classes - life - rows. */
#include "engine/cli/power_points.h"

#include "engine/base/mem.h"

#include <math.h>

// clang-format off
#define POINT .cell_methods = "time: point"
#define F32(name_, units_, long_, scale_, dsx_) \
    {.name = (name_), .units = (units_), .long_name = (long_), .type = MR_CHANNEL_F32_OF_F64, .scale = (scale_), .dsx = (dsx_), POINT}
#define FLAG(name_, long_, flags_, dsx_) \
    {.name = (name_), .units = "1", .long_name = (long_), .type = MR_CHANNEL_U8, .flag = (flags_), .n_flag = sizeof(flags_) / sizeof *(flags_), .dsx = (dsx_), POINT}

static const char *const states[] = {"off", "on", "alarm", "failed"};
static const char *const no_yes[] = {"no", "yes"};

#define STORAGE(type)                                                                       \
    FLAG("status", "State", states, type "/Status"),                                        \
    FLAG("available", "It could give power now", no_yes, type "/Available"),                \
    F32("power_kw", "kW", "Given at the terminals, below 0: taken; from the sample on, /power/storage_kw is the mean before it", 1e-3, "PowerMeter/ActivePower"), \
    F32("energy_kwh", "kW h", "Energy that is in it, at the sample", 1 / 3.6e6, type "/GenericPoint"),    \
    F32("soc", "1", "State of charge, at the sample", 1, type "/GenericPoint")

static const struct mr_channel ups_channels[] = {STORAGE("UPS")};
static const struct mr_channel bess_channels[] = {STORAGE("BESS")};
static const struct mr_channel generator_channels[] = {
    FLAG("status", "State", states, "Generator/Status"),
    FLAG("available", "A unit of it could run", no_yes, "Generator/Available"),
    F32("power_kw", "kW", "Given, at the sample; /power/generator_kw is the mean before it", 1e-3, "PowerMeter/ActivePower"),
};
static const struct mr_channel breaker_channels[] = {
    FLAG("status", "Off: open", states, "Breaker/Status"),
    FLAG("available", "What it feeds works", no_yes, "Breaker/Available"),
};
static const struct mr_channel meter_channels[] = {
    {.name = "active_power_kw", .units = "kW", .long_name = "Taken in by the node; mean since the sample before", .type = MR_CHANNEL_F32_OF_F64,
     .scale = 1e-3, .dsx = "PowerMeter/ActivePower", MR_CHANNEL_OVER_MEAN},
    {.name = "active_power_max_kw", .units = "kW", .long_name = "The most that was taken in since the sample before",
     .type = MR_CHANNEL_F32_OF_F64, .scale = 1e-3, MR_CHANNEL_OVER_MAX},
    F32("apparent_power_kva", "kV A", "The same over its power factor", 1e-3, "PowerMeter/ApparentPower"),
    F32("current_a", "A", "Of a phase, at the node's output; NaN without a voltage", 1, "PowerMeter/Current"),
    F32("phase_current_a", "A", "The same of one running unit, which current_limit_a is for", 1, "PowerMeter/PhaseCurrent"),
    F32("frequency_hz", "Hz", "Of the site's bus; NaN: direct current", 1, "PowerMeter/Frequency"),
};
/* Of meters; they do not change. */
static const struct mr_channel constants[] = {
    {.name = "voltage_v", .units = "V", .long_name = "Nominal voltage of the node's output; 0: not stated", .type = MR_CHANNEL_F64, .dsx = "PowerMeter/Voltage"},
    {.name = "power_factor", .units = "1", .long_name = "Power factor", .type = MR_CHANNEL_F64, .dsx = "PowerMeter/PowerFactor"},
    {.name = "current_limit_a", .units = "A", .long_name = "Rated current of the breaker; NaN: none", .type = MR_CHANNEL_F64, .dsx = "PowerMeter/CurrentLimit"},
};

static const struct mr_group own_groups[] = {
    MR_GROUP("/power/ups", "time, ups", ups_channels, "Uninterruptible supplies"),
    MR_GROUP("/power/bess", "time, bess", bess_channels, "Battery plants"),
    MR_GROUP("/power/generator", "time, generator", generator_channels, "Blocks of generators and turbines"),
    MR_GROUP("/power/breaker", "time, breaker", breaker_channels, "Breakers, by the node they protect"),
    MR_GROUP("/meters", "time, meter", meter_channels, "Meters, by the node they stand at"),
    MR_GROUP("/meters", "meter", constants, "Constants of the meters"),
};
const struct mr_group_list mr_power_points_groups = MR_GROUP_LIST("power, and run with a site", own_groups);
// clang-format on

#define N_OF(table) (sizeof(table) / sizeof *(table))

enum {
    n_channel_max = 6,
    n_flag = 2 /* of the classes with a status: the first channels */
};

/* Places of their groups. */
enum point_class {
    UPS,
    BESS,
    GENERATOR,
    BREAKER,
    METER,
    N_CLASS
};

static const struct {
    const char *axis;
    size_t n_flag;
} classes[N_CLASS] = {
    [UPS] = {"ups", n_flag},         [BESS] = {"bess", n_flag}, [GENERATOR] = {"generator", n_flag},
    [BREAKER] = {"breaker", n_flag}, [METER] = {"meter", 0},
};

struct mr_power_points {
    const struct mr_supply *supply;
    struct mr_track *track[N_CLASS];
    uint32_t *member[N_CLASS]; /* sources; nodes of the chain */
    size_t n[N_CLASS];
    double frequency_hz; /* of the row */
    bool looks_back;
    double looked_s, *in_j, *mean_w; /* of meters: energies up to the last look, means before it */
    double *f64;                     /* scratch: all channels of a class */
    uint8_t *u8;
    struct mr_arena arena;
};

/* ---- classes ---- */

static enum point_class class_of(int kind)
{
    switch (kind) {
    case MR_SITE_POWER_UPS:
    case MR_SITE_POWER_UPS_ECO:
        return UPS;
    case MR_SITE_POWER_BESS:
    case MR_SITE_POWER_BBU:
        return BESS;
    case MR_SITE_POWER_TURBINE:
    case MR_SITE_POWER_GENERATOR:
        return GENERATOR;
    default:
        return N_CLASS;
    }
}

static void add(struct mr_power_points *p, enum point_class class, uint32_t member)
{
    p->member[class][p->n[class]++] = member;
}

static void find_members(struct mr_power_points *p)
{
    const struct mr_circuit *circuit = mr_supply_wire(p->supply)->tree;
    for (uint32_t i = 0; i < mr_supply_n_source(p->supply); i++) {
        struct mr_supply_source_reading source;
        mr_supply_source_read(p->supply, i, &source);
        if (class_of(source.kind) != N_CLASS)
            add(p, class_of(source.kind), i);
    }
    for (uint32_t i = 0; i < circuit->n_node; i++) {
        const struct mr_circuit_node *node = &circuit->node[i];
        if (node->is_load || mr_circuit_is_leaf(circuit, i))
            continue;
        add(p, METER, i);
        if (node->breaker.law != MR_BREAKER_NONE)
            add(p, BREAKER, i);
    }
}

static const char *name_of(const struct mr_power_points *p, enum point_class class, size_t i)
{
    const uint32_t member = p->member[class][i];
    struct mr_supply_source_reading source;
    if (class == BREAKER || class == METER)
        return mr_supply_wire(p->supply)->tree->node[member].name;
    mr_supply_source_read(p->supply, member, &source);
    return source.name;
}

/* ---- life ---- */

static mr_status put_constants(struct mr_power_points *p, struct mr_runfile *file,
                               struct mr_err *err)
{
    const struct mr_circuit *circuit = mr_supply_wire(p->supply)->tree;
    for (size_t k = 0; k < N_OF(constants); k++) {
        for (size_t i = 0; i < p->n[METER]; i++) {
            const struct mr_circuit_node *node = &circuit->node[p->member[METER][i]];
            const double limit_a =
                node->breaker.law != MR_BREAKER_NONE ? node->breaker.rated_a : (double)NAN;
            const double value[] = {node->voltage_v, node->is_dc ? 1 : node->power_factor, limit_a};
            p->f64[i] = value[k];
        }
        const struct mr_runfile_array array = {.group = own_groups[METER].path,
                                               .channel = &constants[k],
                                               .axis = {classes[METER].axis, NULL},
                                               .n = {p->n[METER], 0},
                                               .values = p->f64};
        MR_TRY(mr_runfile_put(file, &array, err));
    }
    return MR_OK;
}

static enum mr_record_kind kind_of(int class)
{
    return class == METER ? MR_RECORD_METERS : MR_RECORD_POWER;
}

static mr_status declare(struct mr_power_points *p, struct mr_runfile *file,
                         const struct mr_record_every *every, const char **name, struct mr_err *err)
{
    for (int c = 0; c < N_CLASS; c++) {
        if (p->n[c] == 0)
            continue;
        for (size_t i = 0; i < p->n[c]; i++)
            name[i] = name_of(p, (enum point_class)c, i);
        const struct mr_track_plan plan = {
            own_groups[c].path,         classes[c].axis,       own_groups[c].doc, name, p->n[c],
            every->every_s[kind_of(c)], own_groups[c].channel, own_groups[c].n};
        MR_TRY(mr_track_create(file, &plan, &p->track[c], err));
    }
    return put_constants(p, file, err);
}

mr_status mr_power_points_create(struct mr_runfile *file, const struct mr_site *site,
                                 const struct mr_supply *supply,
                                 const struct mr_record_every *every, struct mr_power_points **out,
                                 struct mr_err *err)
{
    struct mr_power_points *p = mr_alloc_zero(1, sizeof *p);
    *out = p;
    if (p == NULL)
        return mr_err_nomem(err, sizeof *p);
    const size_t n = mr_supply_wire(supply)->tree->n_node + site->n_power;
    p->supply = supply;
    for (int c = 0; c < N_CLASS; c++) {
        p->member[c] = mr_arena_zero(&p->arena, n, sizeof *p->member[c], err);
        if (p->member[c] == NULL)
            return MR_NOMEM;
    }
    p->f64 = mr_arena_zero(&p->arena, n_channel_max * n, sizeof *p->f64, err);
    p->u8 = mr_arena_zero(&p->arena, n_flag * n, sizeof *p->u8, err);
    const char **name = mr_arena_zero(&p->arena, n, sizeof *name, err);
    p->in_j = mr_arena_zero(&p->arena, n, sizeof *p->in_j, err);
    p->mean_w = mr_arena_zero(&p->arena, n, sizeof *p->mean_w, err);
    if (p->f64 == NULL || p->u8 == NULL || p->in_j == NULL || p->mean_w == NULL || name == NULL)
        return MR_NOMEM;
    p->looked_s = -1;
    find_members(p);
    return declare(p, file, every, name, err);
}

void mr_power_points_look_back(struct mr_power_points *points)
{
    points->looks_back = true;
}

void mr_power_points_destroy(struct mr_power_points *points)
{
    if (points == NULL)
        return;
    mr_arena_fini(&points->arena);
    mr_free(points);
}

/* ---- rows ---- */

static void read_source(struct mr_power_points *p, enum point_class class, size_t i)
{
    const size_t n = p->n[class];
    struct mr_supply_source_reading source;
    mr_supply_source_read(p->supply, p->member[class][i], &source);
    p->u8[i] = (uint8_t)source.status;
    p->u8[n + i] = source.is_available;
    p->f64[i] = source.power_w;
    p->f64[n + i] = source.energy_j;
    p->f64[2 * n + i] = source.soc_frac;
}

static void read_node(struct mr_power_points *p, enum point_class class, size_t i)
{
    const size_t n = p->n[class];
    const uint32_t at = p->member[class][i];
    const struct mr_circuit_node *node = &mr_supply_wire(p->supply)->tree->node[at];
    struct mr_chain_flow flow;
    mr_chain_read(mr_supply_chain(p->supply), at, mr_supply_now_s(p->supply), &flow);
    if (class == BREAKER) {
        p->u8[i] = flow.has_failed ? MR_SUPPLY_STATUS_FAILED
                   : flow.is_open  ? MR_SUPPLY_STATUS_OFF
                                   : MR_SUPPLY_STATUS_ON;
        p->u8[n + i] = !flow.has_failed;
        return;
    }
    p->f64[i] = p->f64[n + i] = p->looks_back && p->looked_s >= 0 ? p->mean_w[i] : flow.in_w;
    p->f64[2 * n + i] = flow.in_w / (node->is_dc ? 1 : node->power_factor);
    p->f64[3 * n + i] = node->voltage_v > 0 ? flow.current_a : (double)NAN;
    p->f64[4 * n + i] = p->f64[3 * n + i] / (flow.n_on > 0 ? flow.n_on : 1);
    p->f64[5 * n + i] = node->is_dc ? (double)NAN : p->frequency_hz;
}

/* Meters alone have means. */
void mr_power_points_look(struct mr_power_points *p, double lasts_s)
{
    const void *const value[n_channel_max] = {p->f64, p->f64};
    const double now_s = mr_supply_now_s(p->supply), over_s = now_s - p->looked_s;
    for (size_t i = 0; i < p->n[METER]; i++) {
        struct mr_chain_flow flow;
        mr_chain_read(mr_supply_chain(p->supply), p->member[METER][i], now_s, &flow);
        if (over_s > 0)
            p->mean_w[i] = p->looked_s >= 0 ? (flow.in_j - p->in_j[i]) / over_s : flow.in_w;
        p->in_j[i] = flow.in_j;
        p->f64[i] = p->looks_back ? p->mean_w[i] : flow.in_w;
    }
    p->looked_s = now_s;
    if (p->n[METER] > 0)
        mr_track_look(p->track[METER], lasts_s, value);
}

mr_status mr_power_points_row(struct mr_power_points *p, double t_s, uint32_t due,
                              struct mr_err *err)
{
    struct mr_supply_reading reading;
    mr_supply_read(p->supply, &reading);
    p->frequency_hz = reading.frequency_hz;
    for (int c = 0; c < N_CLASS; c++) {
        const enum point_class class = (enum point_class)c;
        const void *value[n_channel_max];
        const size_t n = p->n[c];
        if (n == 0 || !mr_record_is_due(due, kind_of(c)))
            continue;
        for (size_t i = 0; i < n; i++) {
            if (class == BREAKER || class == METER)
                read_node(p, class, i);
            else
                read_source(p, class, i);
        }
        for (size_t k = 0; k < own_groups[c].n; k++)
            value[k] = k < classes[c].n_flag ? (const void *)&p->u8[k * n]
                                             : &p->f64[(k - classes[c].n_flag) * n];
        MR_TRY(mr_track_row(p->track[c], t_s, value, err));
    }
    return MR_OK;
}
