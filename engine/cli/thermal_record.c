/* SPDX-License-Identifier: Apache-2.0 */
/* Events name their entity by kind and index, which is its place on that kind's axis. Map: channels
 * - life - events - end. */
#include "engine/cli/thermal_record.h"

#include "engine/base/mem.h"
#include "engine/cli/alone.h"
#include "engine/cli/thermal_series.h"
#include "engine/record/columns.h"

#include <stdio.h>

// clang-format off
static const char *const kinds[] = {
#define KIND_NAME(name, text, unit) text,
    MR_PLANT_EVENT_LIST(KIND_NAME)
#undef KIND_NAME
};
static const char *const kind_units[] = {
#define KIND_UNIT(name, text, unit) unit,
    MR_PLANT_EVENT_LIST(KIND_UNIT)
#undef KIND_UNIT
};
static const char *const entities[] = {"rack", "cdu", "loop", "hall", "site"};

struct event_row {
    double t_s, value, limit;
    uint32_t index;
    uint8_t kind, entity;
};
static const struct mr_channel event_columns[] = {
    MR_COLUMN(struct event_row, t_s, F64, "s", "Date of the event"),
    {.name = "kind", .units = "1", .long_name = "What happened", .type = MR_CHANNEL_U8, .flag = kinds, .flag_unit = kind_units,
     .n_flag = MR_PLANT_N_EVENT, .offset = offsetof(struct event_row, kind)},
    {.name = "entity", .units = "1", .long_name = "Kind of what it happened to", .type = MR_CHANNEL_U8, .flag = entities,
     .n_flag = sizeof entities / sizeof *entities, .offset = offsetof(struct event_row, entity)},
    MR_COLUMN(struct event_row, index, U32, "1", "Its place on the axis of that kind"),
    MR_COLUMN(struct event_row, value, F64, "1", "Value, in the unit of the kind (flag_units of kind)"),
    MR_COLUMN(struct event_row, limit, F64, "1", "Limit it passed; NaN where there is none"),
};

static const struct mr_channel package_channels[] = {
    {.name = "die_c", .units = "degC", .long_name = "Die at the end of the run, manufacturing spread included", .type = MR_CHANNEL_F32_OF_F64},
};

static const struct mr_group own_groups[] = {
    MR_GROUP("/packages", "package", package_channels, "Packages at the end"),
    MR_GROUP("/events", "event", event_columns, "What happened"),
};
const struct mr_group_list mr_thermal_groups = MR_GROUP_LIST("thermal", own_groups);
// clang-format on

#define N_OF(table) (sizeof(table) / sizeof *(table))

struct mr_thermal_record {
    const struct mr_plant *plant;
    struct mr_runfile *file;
    struct mr_thermal_series *series;
    struct mr_columns *events;
    mr_status status; /* of events */
    struct mr_err err;
};

/* ---- life ---- */

static mr_status declare(struct mr_thermal_record *r, const struct mr_record_every *every,
                         struct mr_err *err)
{
    const struct mr_thermal_series_more no_more = {0};
    const struct mr_columns_plan events = {.group = "/events",
                                           .axis = "event",
                                           .column = event_columns,
                                           .n_column = N_OF(event_columns),
                                           .row_bytes = sizeof(struct event_row),
                                           .n_guess = MR_COLUMNS_FEW,
                                           .is_dated = true};
    MR_TRY(mr_thermal_series_create(r->file, r->plant, &no_more, every, &r->series, err));
    MR_TRY(mr_columns_create(r->file, &events, &r->events, err));
    return mr_runfile_start(r->file, err);
}

mr_status mr_thermal_record_create(const char *path, bool may_overwrite,
                                   const struct mr_plant *plant, double every_s,
                                   struct mr_thermal_record **out, struct mr_err *err)
{
    const struct mr_record_every every = mr_record_every_all(every_s);
    struct mr_thermal_record *r = mr_alloc_zero(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return mr_err_nomem(err, sizeof *r);
    r->plant = plant;
    mr_status st = mr_alone_file(path, may_overwrite, plant->site->name, &r->file, err);
    if (st == MR_OK)
        st = declare(r, &every, err);
    if (st == MR_OK)
        *out = r;
    else
        mr_thermal_record_destroy(r);
    return st;
}

void mr_thermal_record_destroy(struct mr_thermal_record *record)
{
    if (record == NULL)
        return;
    mr_runfile_destroy(record->file);
    mr_thermal_series_destroy(record->series);
    mr_free(record);
}

void mr_thermal_record_look(struct mr_thermal_record *record, const struct mr_plant_state *state,
                            double lasted_s)
{
    mr_thermal_series_look(record->series, state, lasted_s);
}

mr_status mr_thermal_record_row(struct mr_thermal_record *record,
                                const struct mr_plant_state *state, double t_s, struct mr_err *err)
{
    if (record->status != MR_OK) {
        *err = record->err;
        return record->status;
    }
    MR_TRY(mr_columns_until(record->events, t_s, err));
    return mr_thermal_series_row(record->series, state, t_s, MR_RECORD_ALL_KINDS, err);
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
    n_figure_max = MR_THERMAL_FIGURES + 16,
    n_name_max = 48
};

/* Every package's die, at the end. */
static mr_status put_packages(struct mr_thermal_record *r, const struct mr_plant_state *state,
                              uint64_t seed, struct mr_err *err)
{
    const size_t n = r->plant->site->n_package;
    if (n == 0)
        return MR_OK;
    double *die_c = mr_alloc(n, sizeof *die_c);
    if (die_c == NULL)
        return mr_err_nomem(err, n * sizeof *die_c);
    for (size_t i = 0; i < n; i++)
        die_c[i] = (double)NAN;
    for (uint32_t i = 0; i < r->plant->n_rack; i++)
        for (uint32_t k = 0; k < r->plant->rack[i].n_package; k++)
            die_c[r->plant->site->rack[i].first_package + k] =
                mr_plant_die_c(r->plant, state, seed, i, k);
    mr_status st = mr_runfile_axis(r->file, "/packages", "package",
                                   "Packages in the order of the site", NULL, n, err);
    if (st == MR_OK)
        st = mr_runfile_put(r->file,
                            &(struct mr_runfile_array){.group = "/packages",
                                                       .channel = package_channels,
                                                       .axis = {"package", NULL},
                                                       .n = {n, 0},
                                                       .values = die_c},
                            err);
    mr_free(die_c);
    return st;
}

mr_status mr_thermal_record_finish(struct mr_thermal_record *record,
                                   const struct mr_plant_state *state,
                                   const struct mr_thermal_figure_list *list, const char *summary,
                                   uint64_t seed, struct mr_err *err)
{
    struct mr_plant_sums s;
    mr_plant_sums(record->plant, state, &s);
    char name[MR_THERMAL_FIGURES][n_name_max];
    struct mr_alone_figure figures[n_figure_max] = {
        {"energy.it_j", "J", "Drawn by racks", s.it_j},
        {"energy.asked_j", "J", "Asked for by racks", s.asked_j},
        {"energy.closure_rel", "1", "Energy in - out - stored over energy in, site", s.residual[3]},
        {"thermal.die_c_max", "degC", "Hottest die of the run",
         s.die_max_c > -273 ? s.die_max_c : (double)NAN},
        {"thermal.supply_c_max", "degC", "Warmest coolant sent to racks",
         s.supply_max_c > -273 ? s.supply_max_c : (double)NAN},
        {"thermal.die_limit_c", "degC", "Where packages like the hottest one throttle",
         s.die_limit_c},
        {"thermal.supply_limit_c", "degC", "Where supply of the warmest unit counts as too warm",
         s.supply_limit_c},
        {"thermal.throttle_gpu_s", "s", "Packages x time in which less was drawn than asked for",
         s.throttled_s},
        {"thermal.water_l", "L", "Water drawn", s.water_m3 * 1e3},
    };
    size_t n = 0;
    while (figures[n].units != NULL)
        n++;
    for (size_t i = 0; i < list->n; i++, n++) {
        const struct mr_thermal_figure *f = &list->item[i];
        figures[n] = (struct mr_alone_figure){name[i], f->units, f->formula, f->value};
        (void)snprintf(name[i], sizeof name[i], "%s.%s", f->group, f->name);
    }
    if (record->status != MR_OK) {
        *err = record->err;
        return record->status;
    }
    MR_TRY(mr_runfile_stop(record->file, err));
    MR_TRY(mr_alone_put_figures(record->file, figures, n, err));
    MR_TRY(put_packages(record, state, seed, err));
    MR_TRY(
        mr_runfile_text(record->file, "/provenance", "summary", "Summary as JSON", summary, err));
    return mr_runfile_finish(record->file, MR_RUNFILE_COMPLETE, "done", err);
}
