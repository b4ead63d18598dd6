/* SPDX-License-Identifier: Apache-2.0 */
/* Tracks of the power verb. Powers are means since the row before, with peaks beside them; those of
 * racks, from which another run can be played, and all else are what they are at the row's date.
 * Events name the node of the chain by its place on the axis of nodes. Map: channels - life - rows
 * - events - end. */
#include "engine/cli/power_record.h"

#include "engine/base/mem.h"
#include "engine/cli/alone.h"
#include "engine/cli/power_flex.h"
#include "engine/cli/power_points.h"
#include "engine/record/columns.h"
#include "engine/record/track.h"

#include <math.h>
#include <string.h>

// clang-format off
#define POINT .cell_methods = "time: point"
#define F32(name_, units_, long_, scale_, dsx_) \
    {.name = (name_), .units = (units_), .long_name = (long_), .type = MR_CHANNEL_F32_OF_F64, .scale = (scale_), .dsx = (dsx_), POINT}

#define MEAN(name_, long_, dsx_) \
    {.name = (name_), .units = "kW", .long_name = (long_), .type = MR_CHANNEL_F32_OF_F64, .scale = 1e-3, .dsx = (dsx_), MR_CHANNEL_OVER_MEAN}
#define MAX(name_, long_) \
    {.name = (name_), .units = "kW", .long_name = (long_), .type = MR_CHANNEL_F32_OF_F64, .scale = 1e-3, MR_CHANNEL_OVER_MAX}

static const char *const no_yes[] = {"no", "yes"};
static const char *const kinds[] = {
#define KIND_NAME(name, text, unit, doc) text,
    MR_CHAIN_EVENT_LIST(KIND_NAME)
    MR_SUPPLY_EVENT_LIST(KIND_NAME)
#undef KIND_NAME
};
static const char *const kind_units[] = {
#define KIND_UNIT(name, text, unit, doc) unit,
    MR_CHAIN_EVENT_LIST(KIND_UNIT)
    MR_SUPPLY_EVENT_LIST(KIND_UNIT)
#undef KIND_UNIT
};
static const char *const stages[] = {
#define STAGE_NAME(name, text, plane, converts, a0, a1, a2, confidence, source) text,
    MR_STAGE_LIST(STAGE_NAME)
#undef STAGE_NAME
};

static const struct mr_channel rack_channels[] = {
    F32("power_kw", "kW", "Power of the rack", 1e-3, "Rack/RackPower"),
    MEAN("power_mean_kw", "Mean power of the rack since the sample before", NULL),
    MAX("power_max_kw", "Highest power of the rack since the sample before"),
    F32("cap_kw", "kW", "What the rack may draw", 1e-3, NULL),
};
#define FLAG(name_, long_, flags_, dsx_) \
    {.name = (name_), .units = "1", .long_name = (long_), .type = MR_CHANNEL_U8, .flag = (flags_), .n_flag = sizeof(flags_) / sizeof *(flags_), .dsx = (dsx_), POINT}

static const char *const feed_events[] = {
#define FEED_EVENT_NAME(name, text) text,
    MR_FEED_EVENT_LIST(FEED_EVENT_NAME)
#undef FEED_EVENT_NAME
};
static const struct mr_channel feed_channels[] = {
    MEAN("calculated_load_kw", "At the grid's meter, below 0: fed into the grid; mean since the sample before", "FeedState/calculated_load"),
    MEAN("measured_load_kw", "The same: the meter is the model; mean since the sample before", "powerbreach/measured_load"),
    MAX("load_max_kw", "The most that was drawn at the grid's meter since the sample before"),
    F32("target_kw", "kW", "Constraint in force; NaN where there is none", 1e-3, "FeedState/load_constraint"),
    F32("power_minimum_kw", "kW", "What the site takes at least", 1e-3, "FeedMetadata/power_minimum"),
    F32("power_maximum_kw", "kW", "Limit of the contract; NaN where there is none", 1e-3, "FeedMetadata/power_maximum"),
    F32("default_constraint_kw", "kW", "Constraint without a target", 1e-3, "FeedMetadata/default_constraint"),
    F32("frequency_hz", "Hz", "The grid's, or the lowest of islands; neither known: the nominal", 1, "PowerMeter/Frequency"),
    FLAG("compliant", "Load is at or below the constraint", no_yes, "FeedState/compliant"),
    FLAG("in_flight", "The budget is on its way to a target, or back", no_yes, "FeedState/in_flight"),
    FLAG("event", "Last change of state; periodic: none yet", feed_events, "FeedState/event"),
};
static const struct mr_channel grid_channels[] = {
    F32("price_usd_mwh", "USD/MWh", "Price of energy", 3.6e9, NULL),
    F32("carbon_g_kwh", "g/kWh", "Carbon of the grid's energy", 3.6e9, NULL),
};
static const struct mr_channel site_channels[] = {
    MEAN("rack_kw", "Drawn by racks; mean since the sample before", NULL),
    MEAN("module_kw", "Of that: behind the stages inside racks, to packages and hosts; mean since the sample before", NULL),
    MEAN("asked_kw", "Asked for by racks; mean since the sample before", NULL),
    MEAN("house_kw", "Cooling and the rest of the house; mean since the sample before", NULL),
    MEAN("generator_kw", "Given by generators and turbines at their terminals; mean since the sample before", NULL),
    MEAN("set_point_kw", "Of that: at the machines' set points; mean since the sample before", NULL),
    MEAN("governor_kw", "Of that: by governors, beyond the set points; mean since the sample before", NULL),
    MEAN("inertia_kw", "Of that: taken from rotating mass, below 0: put into it; mean since the sample before", NULL),
    MEAN("damping_kw", "Of that: load that goes with the frequency; mean since the sample before", NULL),
    MEAN("solar_kw", "Given by sun, as far as it was taken; mean since the sample before", NULL),
    MEAN("storage_kw", "Taken by storages, below 0: given; mean since the sample before", NULL),
    F32("storage_energy_kwh", "kW h", "Energy of all storages beside the chain, at the sample", 1 / 3.6e6, "BESS/GenericPoint"),
    F32("shelf_energy_kwh", "kW h", "Energy of the capacitors in racks' shelves, at the sample", 1 / 3.6e6, NULL),
};
static const struct mr_channel stage_channels[] = {
    MEAN("stage_loss_kw", "Lost in the stages of a kind, on the way to the racks and inside; mean since the sample before", NULL),
};

struct event_row {
    double t_s, value, limit;
    uint32_t node;
    uint8_t kind;
};
static const struct mr_channel event_columns[] = {
    MR_COLUMN(struct event_row, t_s, F64, "s", "Date of the event"),
    {.name = "kind", .units = "1", .long_name = "What happened", .type = MR_CHANNEL_U8, .flag = kinds, .flag_unit = kind_units,
     .n_flag = sizeof kinds / sizeof *kinds, .offset = offsetof(struct event_row, kind)},
    MR_COLUMN(struct event_row, node, U32, "1", "Place on the axis of nodes; their number: the site; one more and so on: places on the axis of sources"),
    MR_COLUMN(struct event_row, value, F64, "1", "Value, in the unit of the kind (flag_units of kind)"),
    MR_COLUMN(struct event_row, limit, F64, "1", "Limit it passed; NaN where there is none"),
};

static const struct mr_group own_groups[] = {
    MR_GROUP("/racks", "time, rack", rack_channels, "Racks over time (power alone)"),
    MR_GROUP("/grid/feed", "time", feed_channels, "The grid connection"),
    MR_GROUP("/grid", "time", grid_channels, "Prices and carbon of the grid"),
    MR_GROUP("/power", "time", site_channels, "The electric side of the site"),
    MR_GROUP("/power/stages", "time, stage", stage_channels, "Losses by kind of stage"),
    {.path = "/power/nodes", .axes = "node", .doc = "Names of the nodes of the chain"},
    {.path = "/power/sources", .axes = "source", .doc = "Names of what stands at bars of the chain: storages, generators, solar"},
    MR_GROUP("/events", "event", event_columns, "What happened (power alone)"),
};
const struct mr_group_list mr_power_groups = MR_GROUP_LIST("power, and run with a site", own_groups);
// clang-format on

#define N_OF(table) (sizeof(table) / sizeof *(table))

struct mr_power_record {
    const struct mr_site *site;
    const struct mr_supply *supply;
    struct mr_runfile *file;
    struct mr_track *racks, *feed, *grid, *power, *stages;
    struct mr_power_points *points;
    struct mr_columns *events;
    struct mr_power_flex flex;
    const struct mr_supply_reading *reading; /* lent; NULL: the supply's of now */
    bool is_guest;                           /* the file is somebody else's, and so are its racks */
    double *f64;                             /* scratch: both channels of the racks */
    mr_status status;                        /* of events */
    struct mr_err err;
};

/* ---- life ---- */

static mr_status declare_racks(struct mr_power_record *r, const struct mr_record_every *every,
                               const char **name, struct mr_err *err)
{
    const struct mr_track_plan plan = {"/racks",
                                       "rack",
                                       "Racks in the order of the site",
                                       name,
                                       r->site->n_rack,
                                       every->every_s[MR_RECORD_RACKS],
                                       rack_channels,
                                       N_OF(rack_channels)};
    for (size_t i = 0; i < r->site->n_rack; i++)
        name[i] = r->site->rack[i].name;
    return mr_track_create(r->file, &plan, &r->racks, err);
}

static mr_status declare_series(struct mr_power_record *r, const struct mr_record_every *every,
                                const char **name, struct mr_err *err)
{
    const double feeds_s = every->every_s[MR_RECORD_FEEDS];
    const double power_s = every->every_s[MR_RECORD_POWER];
    const struct mr_circuit *tree = mr_supply_wire(r->supply)->tree;
    struct mr_track_plan plan = {"/grid/feed",       NULL, NULL, NULL, 0, feeds_s, feed_channels,
                                 N_OF(feed_channels)};
    MR_TRY(mr_track_create(r->file, &plan, &r->feed, err));
    plan = (struct mr_track_plan){"/grid", NULL,    NULL,          NULL,
                                  0,       feeds_s, grid_channels, N_OF(grid_channels)};
    MR_TRY(mr_track_create(r->file, &plan, &r->grid, err));
    plan = (struct mr_track_plan){"/power", NULL,    NULL,          NULL,
                                  0,        power_s, site_channels, N_OF(site_channels)};
    MR_TRY(mr_track_create(r->file, &plan, &r->power, err));
    plan =
        (struct mr_track_plan){"/power/stages", "stage", "Kinds of stages", stages,
                               MR_N_STAGE,      power_s, stage_channels,    N_OF(stage_channels)};
    MR_TRY(mr_track_create(r->file, &plan, &r->stages, err));
    MR_TRY(mr_power_flex_create(r->file, &r->flex, err));
    MR_TRY(mr_power_points_create(r->file, r->site, r->supply, every, &r->points, err));
    for (size_t i = 0; i < tree->n_node; i++)
        name[i] = tree->node[i].name;
    MR_TRY(mr_runfile_axis(r->file, "/power/nodes", "node", "Nodes of the chain", name,
                           tree->n_node, err));
    const uint32_t n_source = mr_supply_n_source(r->supply);
    for (uint32_t i = 0; i < n_source; i++) {
        struct mr_supply_source_reading source;
        mr_supply_source_read(r->supply, i, &source);
        name[i] = source.name;
    }
    return n_source == 0 ? MR_OK
                         : mr_runfile_axis(r->file, "/power/sources", "source",
                                           "What stands at bars of the chain", name, n_source, err);
}

/* What only a file of our own has. */
static mr_status declare_file(struct mr_power_record *r, struct mr_err *err)
{
    const struct mr_columns_plan events = {.group = "/events",
                                           .axis = "event",
                                           .column = event_columns,
                                           .n_column = N_OF(event_columns),
                                           .row_bytes = sizeof(struct event_row),
                                           .n_guess = MR_COLUMNS_FEW};
    MR_TRY(mr_columns_create(r->file, &events, &r->events, err));
    return mr_runfile_start(r->file, err);
}

/* @param[in] has_racks their power is ours to write */
static mr_status create(const struct mr_site *site, const struct mr_supply *supply,
                        struct mr_runfile *file, bool has_racks,
                        const struct mr_record_every *every, struct mr_power_record **out,
                        struct mr_err *err)
{
    struct mr_power_record *r = mr_alloc_zero(1, sizeof *r);
    const size_t n = mr_supply_wire(supply)->tree->n_node /* racks are among them */
                     + mr_supply_n_source(supply);
    const char **name = mr_alloc_zero(n, sizeof *name);
    *out = NULL;
    if (r == NULL || name == NULL) {
        mr_free(r);
        mr_free(name);
        (void)mr_err_nomem(err, sizeof *r);
        return MR_NOMEM;
    }
    *r = (struct mr_power_record){.site = site, .supply = supply, .file = file, .is_guest = true};
    r->f64 = mr_alloc_zero(2 * n, sizeof *r->f64);
    mr_status st = r->f64 != NULL ? MR_OK : mr_err_nomem(err, 2 * n * sizeof *r->f64);
    if (st == MR_OK && has_racks)
        st = declare_racks(r, every, name, err);
    if (st == MR_OK)
        st = declare_series(r, every, name, err);
    mr_free(name);
    if (st == MR_OK)
        *out = r;
    else
        mr_power_record_destroy(r);
    return st;
}

mr_status mr_power_record_within(struct mr_runfile *file, const struct mr_site *site,
                                 const struct mr_supply *supply,
                                 const struct mr_record_every *every,
                                 const struct mr_supply_reading *reading,
                                 struct mr_power_record **out, struct mr_err *err)
{
    const mr_status st = create(site, supply, file, false, every, out, err);
    if (st != MR_OK)
        return st;
    (*out)->reading = reading;
    mr_power_points_look_back((*out)->points);
    return MR_OK;
}

mr_status mr_power_record_create(const char *path, bool may_overwrite, const struct mr_site *site,
                                 const struct mr_supply *supply, double every_s,
                                 struct mr_power_record **out, struct mr_err *err)
{
    const struct mr_record_every every = mr_record_every_all(every_s);
    struct mr_runfile *file = NULL;
    *out = NULL;
    MR_TRY(mr_alone_file(path, may_overwrite, site->name, &file, err));
    const mr_status made = create(site, supply, file, true, &every, out, err);
    if (made != MR_OK || *out == NULL) {
        mr_runfile_destroy(file);
        return made;
    }
    (*out)->is_guest = false; /* from here on it owns the file */
    const mr_status declared = declare_file(*out, err);
    if (declared != MR_OK) {
        mr_power_record_destroy(*out);
        *out = NULL;
    }
    return declared;
}

void mr_power_record_destroy(struct mr_power_record *record)
{
    if (record == NULL)
        return;
    if (!record->is_guest)
        mr_runfile_destroy(record->file);
    mr_power_points_destroy(record->points);
    mr_free(record->f64);
    mr_free(record);
}

/* ---- rows ---- */

/* Values of tracks, in the order of their channels. */
struct values {
    struct mr_supply_reading r;
    double target_w, limit_w;
    uint8_t compliant, in_flight, event;
    const void *rack[N_OF(rack_channels)], *feed[N_OF(feed_channels)], *grid[N_OF(grid_channels)],
        *power[N_OF(site_channels)], *stage[N_OF(stage_channels)];
};

/* @param[out] v stays where it is: it points to itself */
static void read_all(struct mr_power_record *record, struct values *v)
{
    const size_t n = record->site->n_rack;
    struct mr_supply_reading *r = &v->r;
    if (record->reading != NULL)
        *r = *record->reading;
    else
        mr_supply_read(record->supply, r);
    for (uint32_t i = 0; record->racks != NULL && i < n; i++) {
        record->f64[i] = mr_supply_rack_w(record->supply, i);
        record->f64[n + i] = mr_supply_rack_cap_w(record->supply, i);
    }
    v->target_w = isfinite(r->target_w) ? r->target_w : (double)NAN;
    v->limit_w = isfinite(r->limit_w) ? r->limit_w : (double)NAN;
    v->compliant = r->is_compliant;
    v->in_flight = r->in_flight;
    v->event = (uint8_t)r->feed_event;
    const void *const rack[] = {record->f64, record->f64, record->f64, record->f64 + n};
    const void *const feed[] = {&r->grid_w,    &r->grid_w,    &r->grid_w,  &v->target_w,
                                &r->least_w,   &v->limit_w,   &v->limit_w, &r->frequency_hz,
                                &v->compliant, &v->in_flight, &v->event};
    const void *const grid[] = {&r->price_usd_j, &r->carbon_kg_j};
    const void *const power[] = {&r->rack_w,      &r->module_w,    &r->want_w,     &r->house_w,
                                 &r->generator_w, &r->set_point_w, &r->governor_w, &r->inertia_w,
                                 &r->damping_w,   &r->solar_w,     &r->storage_w,  &r->storage_j,
                                 &r->shelf_j};
    memcpy(v->rack, rack, sizeof rack);
    memcpy(v->feed, feed, sizeof feed);
    memcpy(v->grid, grid, sizeof grid);
    memcpy(v->power, power, sizeof power);
    v->stage[0] = r->stage_loss_w;
}

void mr_power_record_look(struct mr_power_record *record, double lasts_s)
{
    struct values v;
    read_all(record, &v);
    if (record->racks != NULL)
        mr_track_look(record->racks, lasts_s, v.rack);
    mr_track_look(record->feed, lasts_s, v.feed);
    mr_track_look(record->power, lasts_s, v.power);
    mr_track_look(record->stages, lasts_s, v.stage);
    mr_power_points_look(record->points, lasts_s);
}

mr_status mr_power_record_row(struct mr_power_record *record, double t_s, uint32_t due,
                              struct mr_err *err)
{
    struct values v;
    if (record->status != MR_OK) {
        *err = record->err;
        return record->status;
    }
    read_all(record, &v);
    if (record->racks != NULL && mr_record_is_due(due, MR_RECORD_RACKS))
        MR_TRY(mr_track_row(record->racks, t_s, v.rack, err));
    if (mr_record_is_due(due, MR_RECORD_FEEDS)) {
        MR_TRY(mr_track_row(record->feed, t_s, v.feed, err));
        MR_TRY(mr_track_row(record->grid, t_s, v.grid, err));
    }
    if (mr_record_is_due(due, MR_RECORD_POWER)) {
        MR_TRY(mr_track_row(record->power, t_s, v.power, err));
        MR_TRY(mr_track_row(record->stages, t_s, v.stage, err));
    }
    return mr_power_points_row(record->points, t_s, due, err);
}

/* ---- events ---- */

mr_status mr_power_record_flex(struct mr_power_record *r, double t_s, struct mr_err *err)
{
    return mr_power_flex_take(&r->flex, r->supply, t_s, err);
}

uint32_t mr_power_record_source(const struct mr_supply *supply, const char *name)
{
    const uint32_t n = mr_supply_n_source(supply);
    struct mr_supply_source_reading source;
    for (uint32_t i = 0; i < n; i++) {
        mr_supply_source_read(supply, i, &source);
        if (strcmp(source.name, name) == 0)
            return i;
    }
    return n;
}

void mr_power_record_event(struct mr_power_record *record, const struct mr_supply_event *event)
{
    const struct mr_circuit *tree = mr_supply_wire(record->supply)->tree;
    struct event_row row = {.t_s = event->t_s,
                            .value = event->value,
                            .limit = isfinite(event->limit) ? event->limit : (double)NAN};
    while (row.kind < N_OF(kinds) && strcmp(kinds[row.kind], event->kind) != 0)
        row.kind++;
    while (row.node < tree->n_node && strcmp(tree->node[row.node].name, event->entity) != 0)
        row.node++;
    const uint32_t source = mr_power_record_source(record->supply, event->entity);
    if (row.node == tree->n_node && source < mr_supply_n_source(record->supply))
        row.node += 1 + source;
    if (record->status == MR_OK)
        record->status = mr_columns_add(record->events, &row, 1, &record->err);
    if (record->status == MR_OK)
        record->status = mr_power_record_flex(record, event->t_s, &record->err);
}

/* ---- end ---- */

static mr_status put_spectra(struct mr_power_record *r, const struct mr_power_spectrum *spectrum,
                             struct mr_err *err)
{
    static const struct mr_channel hz = {
        .name = "frequency", .units = "Hz", .long_name = "Frequency", .type = MR_CHANNEL_F64};
    static const struct mr_channel density = {.name = "density",
                                              .units = "W2 Hz-1",
                                              .long_name = "One-sided density of power",
                                              .type = MR_CHANNEL_F64};
    static const struct mr_channel swing = {.name = "swing_kw",
                                            .units = "kW",
                                            .long_name = "Largest difference within the window",
                                            .type = MR_CHANNEL_F64};
    const size_t n = spectrum->n_watch;
    if (n == 0)
        return MR_OK;
    const uint32_t n_bin = spectrum->watch[0].spectrum.n_bin;
    const char **name = mr_alloc_zero(n, sizeof *name);
    double *value = mr_alloc_zero(n * n_bin + n, sizeof *value);
    mr_status st = MR_OK;
    if (name == NULL || value == NULL) {
        mr_free(name);
        mr_free(value);
        return mr_err_nomem(err, n * n_bin * sizeof *value);
    }
    for (size_t i = 0; i < n; i++) {
        name[i] = spectrum->watch[i].name;
        memcpy(&value[i * n_bin], spectrum->watch[i].spectrum.density, n_bin * sizeof *value);
        value[n * n_bin + i] = spectrum->watch[i].swing_w * 1e-3;
    }
    const struct mr_runfile_array densities = {.group = "/spectrum",
                                               .channel = &density,
                                               .axis = {"watched", "frequency"},
                                               .n = {n, n_bin},
                                               .values = value};
    const struct mr_runfile_array swings = {.group = "/spectrum",
                                            .channel = &swing,
                                            .axis = {"watched", NULL},
                                            .n = {n, 0},
                                            .values = value + n * n_bin};
    if (st == MR_OK)
        st = mr_runfile_axis(r->file, "/spectrum", "watched", "Meter, racks", name, n, err);
    if (st == MR_OK)
        st =
            mr_runfile_scale(r->file, "/spectrum", &hz, spectrum->watch[0].spectrum.hz, n_bin, err);
    if (st == MR_OK)
        st = mr_runfile_put(r->file, &densities, err);
    if (st == MR_OK)
        st = mr_runfile_put(r->file, &swings, err);
    if (st == MR_OK)
        st = mr_runfile_attr_f64(r->file, "/spectrum", "swing_window_s", spectrum->window_s, err);
    mr_free(name);
    mr_free(value);
    return st;
}

mr_status mr_power_record_finish(struct mr_power_record *record, const char *summary,
                                 const struct mr_strand *strand,
                                 const struct mr_power_spectrum *spectrum, struct mr_err *err)
{
    struct mr_supply_total t;
    mr_supply_total(record->supply, &t);
    const struct mr_alone_figure figures[] = {
        {"energy.grid_j", "J", "At the grid's meter, net of what is fed in", t.grid_j},
        {"energy.export_j", "J", "Fed into the grid at its meter", t.export_j},
        {"energy.rack_j", "J", "Drawn by racks", t.rack_j},
        {"energy.losses_j", "J", "Lost on the way to the racks", t.loss_j},
        {"energy.rack_losses_j", "J", "Lost in the stages inside racks", t.rack_loss_j},
        {"energy.modules_j", "J", "Delivered to packages and hosts", t.module_j},
        {"energy.capped_j", "J", "Asked for and kept back by caps", t.capped_j},
        {"energy.dark_j", "J", "Asked for by racks without supply", t.dark_j},
        {"energy.held_j", "J", "Asked for by racks that had to stop", t.held_j},
        {"energy.burn_j", "J", "Drawn for the sake of ramps", t.burn_j},
        {"energy.closure_rel", "1", "Energy in - out - stored over energy in", t.closure_rel},
        {"power.grid_mw_peak", "MW", "Highest power at the grid's meter", t.peak_w * 1e-6},
        {"power.ramp_max_mw_min", "MW/min", "Fastest move of the grid's meter, up or down",
         fmax(t.ramp_up_w_s, t.ramp_down_w_s) * 60e-6},
        {"power.ramp_up_max_mw_min", "MW/min", "Upwards", t.ramp_up_w_s * 60e-6},
        {"power.ramp_down_max_mw_min", "MW/min", "Downwards", t.ramp_down_w_s * 60e-6},
        {"power.cap_events", "1", "Times that caps began to hold back work", (double)t.n_cap},
        {"power.stranded_cooling_kw", "kW", "Heat that cannot be taken", strand->cooling_w * 1e-3},
        {"power.stranded_chain_kw", "kW", "Beyond nodes above", strand->chain_w * 1e-3},
        {"power.stranded_redundancy_kw", "kW", "Kept for failures", strand->redundancy_w * 1e-3},
        {"power.stranded_granularity_kw", "kW", "Less than a rack", strand->granularity_w * 1e-3},
        {"power.frequency_hz_min", "Hz", "Lowest of islands and the grid", t.low_hz},
        {"power.trip_events", "1", "Breakers that opened", (double)t.n_trip},
        {"power.racks_lost", "1", "Times a rack lost its supply", (double)t.n_lost},
        {"grid.breaches", "1", "Breaches of the constraint", (double)t.n_breach},
        {"economy.energy_usd", "USD", "Energy at its price", t.energy_usd},
        {"economy.demand_usd", "USD", "Demand charge", t.demand_usd},
        {"economy.cue_kg_kwh", "kg/kWh", "Carbon over the racks' energy",
         t.rack_j > 0 ? t.carbon_kg / t.rack_j * 3.6e6 : (double)NAN},
        {"economy.carbon_kg", "kg", "Carbon dioxide of the grid's energy", t.carbon_kg},
    };
    if (record->status != MR_OK) {
        *err = record->err;
        return record->status;
    }
    MR_TRY(mr_runfile_stop(record->file, err));
    MR_TRY(mr_alone_put_figures(record->file, figures, N_OF(figures), err));
    MR_TRY(put_spectra(record, spectrum, err));
    MR_TRY(
        mr_runfile_text(record->file, "/provenance", "summary", "Summary as JSON", summary, err));
    return mr_runfile_finish(record->file, MR_RUNFILE_COMPLETE, "done", err);
}
