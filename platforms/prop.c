/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of all props, and the text form of one entity. Every kind is a row of `kinds`: table,
 * where its entities are, how large they are. Entities are the first member of their forms, so one
 * copy serves all kinds.
 * Map: tables - references - kinds - places - defaults - writing - reading - reference page. */
#include "platforms/prop.h"

#include "engine/base/assert.h"
#include "engine/base/num.h"

#include <stdio.h>

/* ---- tables ---- */

static const char *const levels[] = {
#define LEVEL_TEXT(name, text) text,
    MR_SITE_LEVEL_LIST(LEVEL_TEXT)
#undef LEVEL_TEXT
};

static const char *const power_kinds[] = {
#define KIND_TEXT(name, text, doc) text,
    MR_SITE_POWER_LIST(KIND_TEXT)};

static const char *const reject_kinds[] = {MR_SITE_REJECT_LIST(KIND_TEXT)};

static const char *const interconnects[] = {MR_SITE_GRID_LIST(KIND_TEXT)};
#undef KIND_TEXT

#define ANY MR_UNBOUNDED

static const struct mr_param site_rows[] = {
    MR_PARAM_STR(struct mr_prop_site, name, "name", NULL, "What people call the site"),
    MR_PARAM_STR(struct mr_prop_site, layout, "layout", NULL, "Layout file it was made from"),
    MR_PARAM_STR(struct mr_prop_site, sha256, "sha256", NULL, "SHA-256 of that layout"),
    MR_PARAM_ONE_OF(struct mr_prop_site, level, "level", levels, "gpu",
                    "What one host of this file is"),
    MR_PARAM(struct mr_prop_site, wet_bulb_c, "wet_bulb", MR_Q_TEMPERATURE, "25 degC", -60, 60,
             "Design wet-bulb temperature of the place"),
    MR_PARAM(struct mr_prop_site, dry_bulb_c, "dry_bulb", MR_Q_TEMPERATURE, "35 degC", -60, 60,
             "Design dry-bulb temperature of the place"),
};

static const struct mr_param grid_rows[] = {
    MR_PARAM(struct mr_grid, limit_w, "limit", MR_Q_POWER, "0 W", 0, ANY,
             "Contract limit at the meter, 0: none stated"),
    MR_PARAM(struct mr_grid, ramp_w_s, "ramp", MR_Q_RAMP, "0 W/s", 0, ANY,
             "Fastest allowed change of load; not given: no limit, 0 is refused"),
    MR_PARAM(
        struct mr_grid, voltage_v, "voltage", MR_Q_VOLTAGE, "110 kV", 0, ANY,
        "Voltage at the point of connection; of a layout that does not say and has no substation: "
        "medium voltage up to 10 MW"),
    MR_PARAM(struct mr_grid, curtail_frac, "curtail", MR_Q_FRACTION, "0", 0, 1,
             "Share of the limit that may be called back (flexible)"),
    MR_PARAM(struct mr_grid, curtail_h_year, "curtail_hours", MR_Q_COUNT, "0", 0, 8784,
             "Hours per year in which it may be called back"),
    MR_PARAM_ONE_OF(struct mr_grid, interconnect, "interconnect", interconnects, "firm",
                    "Kind of the connection; island: there is none"),
};

static const struct mr_param hall_rows[] = {
    MR_PARAM(struct mr_hall, floor_limit_kg_m2, "floor", MR_Q_MASS_PER_AREA, "0 kg/m2", 0, ANY,
             "Load the floor carries, 0: not stated"),
};

static const struct mr_param loop_rows[] = {
    MR_PARAM(struct mr_prop_loop, it.supply_c, "supply", MR_Q_TEMPERATURE, "40 degC", -60, 120,
             "Set point of the water sent to the halls"),
    MR_PARAM(struct mr_prop_loop, it.volume_m3, "volume", MR_Q_VOLUME, "0 m3", 0, ANY,
             "Water in the loop, 0: from its design power"),
};

static const struct mr_param cdu_rows[] = {
    MR_PARAM_STR(struct mr_prop_cdu, it.card, "card", NULL, "Product of the units, platforms/cdus"),
    MR_PARAM_N(struct mr_prop_cdu, it.n_unit, "units", "1", 1, 1e6, "Units on one header"),
    MR_PARAM_N(struct mr_prop_cdu, it.n_spare, "spare", "0", 0, 1e6,
               "Of these, not needed at full load"),
    MR_PARAM(struct mr_prop_cdu, it.capacity_w, "capacity", MR_Q_POWER, "0 W", 0, ANY,
             "Heat one unit carries"),
    MR_PARAM(struct mr_prop_cdu, it.approach_k, "approach", MR_Q_TEMPERATURE_DIFF, "0 K", 0, 100,
             "Supply above the facility water, at design"),
    MR_PARAM(struct mr_prop_cdu, it.supply_c, "supply", MR_Q_TEMPERATURE, "45 degC", -60, 120,
             "Set point of the water sent to racks"),
    MR_PARAM(struct mr_prop_cdu, it.flow_m3_s, "flow", MR_Q_VOLUME_FLOW, "0 m3/s", 0, ANY,
             "Design flow of one unit to the racks"),
    MR_PARAM_STR(struct mr_prop_cdu, loop, "loop", NULL, "Facility loop that takes the heat"),
};

static const struct mr_param reject_rows[] = {
    MR_PARAM_STR(struct mr_prop_reject, it.card, "card", NULL,
                 "Product of the units, platforms/rejects"),
    MR_PARAM_ONE_OF(struct mr_prop_reject, it.kind, "kind", reject_kinds, NULL,
                    "How the heat leaves"),
    MR_PARAM_N(struct mr_prop_reject, it.n_unit, "units", "1", 1, 1e6, "Units installed"),
    MR_PARAM_N(struct mr_prop_reject, it.n_spare, "spare", "0", 0, 1e6,
               "Of these, not needed at full load"),
    MR_PARAM(struct mr_prop_reject, it.capacity_w, "capacity", MR_Q_POWER, "0 W", 0, ANY,
             "Heat one unit rejects at its design point"),
    MR_PARAM(struct mr_prop_reject, it.area_m2, "area", MR_Q_AREA, "0 m2", 0, ANY,
             "Radiators: area of one side of one unit"),
    MR_PARAM_STR(struct mr_prop_reject, loop, "loop", NULL, "Facility loop it cools"),
};

static const struct mr_param power_rows[] = {
    MR_PARAM_ONE_OF(struct mr_prop_power, it.kind, "kind", power_kinds, NULL,
                    "What stands here in the power chain"),
    MR_PARAM(struct mr_prop_power, it.rating_w, "rating", MR_Q_POWER, "0 W", 0, ANY,
             "Rating of one unit at its output"),
    MR_PARAM_N(struct mr_prop_power, it.n_unit, "units", "1", 1, 1e6, "Units in parallel"),
    MR_PARAM_N(struct mr_prop_power, it.n_spare, "spare", "0", 0, 1e6,
               "Of these, not needed at full load"),
    MR_PARAM(struct mr_prop_power, it.voltage_v, "voltage", MR_Q_VOLTAGE, "415 V", 0, ANY,
             "Output voltage"),
    MR_PARAM(struct mr_prop_power, it.energy_j, "energy", MR_Q_ENERGY, "0 J", 0, ANY,
             "Usable energy of storage"),
    MR_PARAM(
        struct mr_prop_power, it.oversubscribe, "oversubscribe", MR_Q_COUNT, "1", 1, 10,
        "Limits of the racks on it over what it has in service, at most; caps keep its rating"),
    MR_PARAM_STR(struct mr_prop_power, parent, "parent", NULL,
                 "Nodes towards the grid: one, or two (A and B)"),
};

static const struct mr_param domain_rows[] = {
    MR_PARAM_N(struct mr_domain, generation, "generation", "0", 0, 1000,
               "Generation of the scale-up links, 0: not NVLink"),
    MR_PARAM_N(struct mr_domain, n_package, "packages", "1", 1, 1e6, "Packages of the domain"),
    MR_PARAM(struct mr_domain, bandwidth_bytes_s, "bandwidth", MR_Q_DATA_RATE, "0 B/s", 0, ANY,
             "Of one package, one way"),
    MR_PARAM(struct mr_domain, latency_s, "latency", MR_Q_TIME, "250 ns", 0, 1,
             "One hop, package to switch"),
    MR_PARAM_YES(struct mr_domain, is_optical, "optical", "no", "Links leave the rack as light"),
};

static const struct mr_param rack_rows[] = {
    MR_PARAM_STR(struct mr_prop_rack, it.card, "card", NULL,
                 "Product, platforms/racks; gives the figures that are not said"),
    MR_PARAM_STR(struct mr_prop_rack, it.package, "package", NULL, "Card of its packages"),
    MR_PARAM_STR(struct mr_prop_rack, domain, "domain", NULL, "Scale-up domain, or the first"),
    MR_PARAM_N(struct mr_prop_rack, n_domain, "domains", "1", 0, 1e6,
               "Domains inside it, consecutive (nodes of their own)"),
    MR_PARAM_STR(struct mr_prop_rack, cdu, "cdu", NULL, "Coolant distribution units it hangs on"),
    MR_PARAM_STR(struct mr_prop_rack, pod, "pod", NULL, "Pod it belongs to"),
    MR_PARAM_STR(struct mr_prop_rack, feed, "feed", NULL, "Power nodes: one, or two (A and B)"),
    MR_PARAM_YES(struct mr_prop_rack, it.has_standby, "standby", "no",
                 "Its second feed carries nothing while the first lives (catcher)"),
    MR_PARAM_N(struct mr_prop_rack, n_package, "packages", NULL, 0, 1e6,
               "GPU or LPU packages; not given: the cores of its hosts"),
    MR_PARAM_N(struct mr_prop_rack, it.n_tray, "trays", "0", 0, 1e6, "Compute trays"),
    MR_PARAM_N(struct mr_prop_rack, it.n_cpu, "cpus", "0", 0, 1e6, "Host or compute CPUs"),
    MR_PARAM(struct mr_prop_rack, it.flop_s, "flops", MR_Q_FLOP_RATE, "0 flop/s", 0, ANY,
             "Dense peak of one package in the card's headline format"),
    MR_PARAM(struct mr_prop_rack, it.memory_bytes, "memory", MR_Q_DATA, "0 B", 0, ANY,
             "Memory of all packages"),
    MR_PARAM(struct mr_prop_rack, it.limit_w, "limit", MR_Q_POWER, NULL, 0, ANY,
             "What its feed grants; not given: the rated power"),
    MR_PARAM(struct mr_prop_rack, it.rated_w, "rated", MR_Q_POWER, "0 W", 0, ANY,
             "Rated power as installed"),
    MR_PARAM(struct mr_prop_rack, it.max_q_w, "max_q", MR_Q_POWER, "0 W", 0, ANY,
             "Power of the efficient operating point, 0: none"),
    MR_PARAM(struct mr_prop_rack, it.liquid_frac, "liquid", MR_Q_FRACTION, "0", 0, 1,
             "Share of the heat that goes to liquid"),
    MR_PARAM(struct mr_prop_rack, it.flow_m3_s, "flow", MR_Q_VOLUME_FLOW, "0 m3/s", 0, ANY,
             "Design flow of coolant"),
    MR_PARAM(struct mr_prop_rack, it.inlet_max_c, "inlet", MR_Q_TEMPERATURE, "45 degC", -60, 120,
             "Warmest allowed inlet"),
    MR_PARAM(struct mr_prop_rack, it.mass_kg, "mass", MR_Q_MASS, "0 kg", 0, ANY, "Mass, filled"),
    MR_PARAM(struct mr_prop_rack, it.footprint_m2, "footprint", MR_Q_AREA, "0.72 m2", 0, ANY,
             "Floor under it, without aisles"),
    MR_PARAM(struct mr_prop_rack, it.nic_latency_s, "nic", MR_Q_TIME, "0 s", 0, 1,
             "Latency from a package to its port, 0: the fabric's"),
    MR_PARAM(struct mr_prop_rack, it.x_m, "x", MR_Q_LENGTH, "0 m", -ANY, ANY,
             "Place on the floor, along the row"),
    MR_PARAM(struct mr_prop_rack, it.y_m, "y", MR_Q_LENGTH, "0 m", -ANY, ANY,
             "Place on the floor, across rows"),
    MR_PARAM_N(struct mr_prop_rack, it.n_port, "ports", "0", 0, 1e6, "Scale-out ports"),
    MR_PARAM(struct mr_prop_rack, it.port_bytes_s, "port", MR_Q_DATA_RATE, "0 B/s", 0, ANY,
             "Bandwidth of one port, one way"),
    MR_PARAM_N(struct mr_prop_rack, it.bus_v, "bus", "54", 0, 1e5,
               "Bus voltage in volts (DC), 0: alternating current"),
    MR_PARAM(struct mr_prop_rack, it.shelf_j, "shelf", MR_Q_ENERGY, "0 J", 0, ANY,
             "Energy of the capacitors in its power shelves"),
};

#define TABLE(name_, rows_, doc_)                                                            \
    {                                                                                        \
        .name = (name_), .doc = (doc_), .row = (rows_), .n = sizeof(rows_) / sizeof *(rows_) \
    }

static const struct mr_param_table tables[MR_N_PROP] = {
    [MR_PROP_SITE] = TABLE("site", site_rows, "The site, on the outermost zone."),
    [MR_PROP_GRID] = TABLE("grid", grid_rows, "Grid connection, on the outermost zone."),
    [MR_PROP_HALL] = TABLE("hall", hall_rows, "A hall, on its zone."),
    [MR_PROP_ROW] = {.name = "row", .doc = "A row, on its zone. It has no figures of its own."},
    [MR_PROP_POD] = {.name = "pod", .doc = "Racks that are planned together. No figures."},
    [MR_PROP_LOOP] = TABLE("loop", loop_rows, "Facility water loop of a hall or the site."),
    [MR_PROP_CDU] = TABLE("cdu", cdu_rows, "Coolant distribution units on one header."),
    [MR_PROP_REJECT] = TABLE("reject", reject_rows, "Heat rejection units of one kind."),
    [MR_PROP_POWER] = TABLE("power", power_rows, "A node of the power chain."),
    [MR_PROP_DOMAIN] = TABLE("domain", domain_rows, "A scale-up domain."),
    [MR_PROP_RACK] = TABLE("rack", rack_rows, "A rack, on its zone or its only host."),
};

const struct mr_param_table *mr_prop_table(int kind)
{
    return kind == MR_PROP_FABRIC ? mr_fabric_table() : &tables[kind];
}

/* ---- references ---- */

#define REF(kind_, key_, form_, text_, entity_, index_, target_, n_)                  \
    {                                                                                 \
        .kind = (kind_), .key = (key_), .text_offset = offsetof(form_, text_),        \
        .index_offset = offsetof(entity_, index_), .target = (target_), .n_max = (n_) \
    }

/* grouped by kind */
// clang-format off
static const struct mr_prop_ref refs[] = {
    REF(MR_PROP_CDU, "loop", struct mr_prop_cdu, loop, struct mr_cdu, loop, MR_PROP_LOOP, 1),
    REF(MR_PROP_REJECT, "loop", struct mr_prop_reject, loop, struct mr_rejector, loop, MR_PROP_LOOP, 1),
    REF(MR_PROP_POWER, "parent", struct mr_prop_power, parent, struct mr_power_node, parent, MR_PROP_POWER, 2),
    REF(MR_PROP_RACK, "domain", struct mr_prop_rack, domain, struct mr_rack, domain, MR_PROP_DOMAIN, 1),
    REF(MR_PROP_RACK, "cdu", struct mr_prop_rack, cdu, struct mr_rack, cdu, MR_PROP_CDU, 1),
    REF(MR_PROP_RACK, "pod", struct mr_prop_rack, pod, struct mr_rack, pod, MR_PROP_POD, 1),
    REF(MR_PROP_RACK, "feed", struct mr_prop_rack, feed, struct mr_rack, feed, MR_PROP_POWER, 2),
};
// clang-format on

enum {
    n_refs = sizeof refs / sizeof *refs
};

size_t mr_prop_refs(int kind, const struct mr_prop_ref **out)
{
    size_t first = 0, n = 0;
    while (first < n_refs && refs[first].kind != kind)
        first++;
    while (first + n < n_refs && refs[first + n].kind == kind)
        n++;
    *out = &refs[first < n_refs ? first : 0];
    return n;
}

/* ---- kinds ---- */

static const struct {
    const char *text;
    bool has_name;
} kinds[] = {
#define KIND_ROW(name, text, has_name) {text, has_name},
    MR_PROP_KIND_LIST(KIND_ROW)
#undef KIND_ROW
};

/* Array of a kind's entities; SITE, GRID and FABRIC have none. */
struct entities {
    const void *item;
    size_t n, bytes;
};

static struct entities entities_of(const struct mr_site *site, int kind)
{
#define ENTITIES(array) ((struct entities){site->array, site->n_##array, sizeof *site->array})
    switch (kind) {
    case MR_PROP_HALL:
        return ENTITIES(hall);
    case MR_PROP_ROW:
        return ENTITIES(row);
    case MR_PROP_POD:
        return ENTITIES(pod);
    case MR_PROP_LOOP:
        return ENTITIES(loop);
    case MR_PROP_CDU:
        return ENTITIES(cdu);
    case MR_PROP_REJECT:
        return ENTITIES(rejector);
    case MR_PROP_POWER:
        return ENTITIES(power);
    case MR_PROP_DOMAIN:
        return ENTITIES(domain);
    case MR_PROP_RACK:
        return ENTITIES(rack);
    default:
        return (struct entities){NULL, 1, 0};
    }
#undef ENTITIES
}

const char *mr_prop_kind_name(int kind)
{
    return kinds[kind].text;
}

bool mr_prop_kind_has_name(int kind)
{
    return kinds[kind].has_name;
}

size_t mr_prop_n(const struct mr_site *site, int kind)
{
    return entities_of(site, kind).n;
}

const char *mr_prop_name(const struct mr_site *site, int kind, size_t index)
{
    const struct entities e = entities_of(site, kind);
    if (e.bytes == 0)
        return site->name != NULL ? site->name : "";
    /* the name is the first member of every entity */
    const char *name;
    memcpy(&name, (const char *)e.item + index * e.bytes, sizeof name);
    return name;
}

/* ---- places ---- */

static void common_place(struct mr_prop_place *place, const struct mr_rack *rack, bool is_first)
{
    if (is_first || (place->row == rack->row && place->hall == rack->hall))
        *place = (struct mr_prop_place){rack->hall, rack->row};
    else
        *place = (struct mr_prop_place){place->hall == rack->hall ? place->hall : MR_SITE_NONE,
                                        MR_SITE_NONE};
}

static void domain_places(const struct mr_site *site, struct mr_prop_place *place)
{
    /* row 0 of no hall cannot be: it marks domains that no rack has named yet */
    const struct mr_prop_place fresh = {MR_SITE_NONE, 0};
    for (size_t i = 0; i < site->n_domain; i++)
        place[i] = fresh;
    for (size_t r = 0; r < site->n_rack; r++) {
        const struct mr_rack *rack = &site->rack[r];
        for (uint32_t k = 0; rack->domain != MR_SITE_NONE && k < rack->n_domain; k++) {
            struct mr_prop_place *its = &place[rack->domain + k];
            common_place(its, rack, its->hall == fresh.hall && its->row == fresh.row);
        }
    }
    for (size_t i = 0; i < site->n_domain; i++)
        if (place[i].hall == MR_SITE_NONE)
            place[i].row = MR_SITE_NONE;
}

void mr_prop_places(const struct mr_site *site, int kind, struct mr_prop_place *place)
{
    const size_t n = mr_prop_n(site, kind);
    if (kind == MR_PROP_DOMAIN) {
        domain_places(site, place);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        place[i] = (struct mr_prop_place){MR_SITE_NONE, MR_SITE_NONE};
        if (kind == MR_PROP_HALL)
            place[i].hall = (uint32_t)i;
        else if (kind == MR_PROP_ROW)
            place[i] = (struct mr_prop_place){site->row[i].hall, (uint32_t)i};
        else if (kind == MR_PROP_LOOP)
            place[i].hall = site->loop[i].hall;
        else if (kind == MR_PROP_REJECT && site->rejector[i].loop != MR_SITE_NONE)
            place[i].hall = site->loop[site->rejector[i].loop].hall;
        else if (kind == MR_PROP_CDU)
            place[i] = (struct mr_prop_place){site->cdu[i].hall, site->cdu[i].row};
        else if (kind == MR_PROP_POWER)
            place[i] = (struct mr_prop_place){site->power[i].hall, site->power[i].row};
        else if (kind == MR_PROP_RACK)
            place[i] = (struct mr_prop_place){site->rack[i].hall, site->rack[i].row};
    }
}

/* ---- defaults ---- */

static void no_references(union mr_prop_form *form, int kind)
{
    const struct mr_prop_ref *ref;
    const size_t n = mr_prop_refs(kind, &ref);
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < ref[i].n_max; k++) {
            const uint32_t none = MR_SITE_NONE;
            memcpy((char *)form + ref[i].index_offset + k * sizeof none, &none, sizeof none);
        }
}

void mr_prop_defaults(struct mr_prop_defaults *defaults)
{
    memset(defaults, 0, sizeof *defaults);
    for (int kind = 0; kind < MR_N_PROP; kind++) {
        const struct mr_param_table *table = mr_prop_table(kind);
        const struct mr_param_target target = {table, &defaults->form[kind], defaults->origin[kind],
                                               NULL, NULL};
        MR_ASSERT(table->n <= mr_prop_row_max);
        mr_param_defaults(&target);
        no_references(&defaults->form[kind], kind);
    }
    struct mr_prop_rack *rack = &defaults->form[MR_PROP_RACK].rack;
    rack->it.hall = rack->it.row = rack->it.zone = rack->it.uplink = MR_SITE_NONE;
    struct mr_power_node *power = &defaults->form[MR_PROP_POWER].power.it;
    power->hall = power->row = MR_SITE_NONE;
    struct mr_cdu *cdu = &defaults->form[MR_PROP_CDU].cdu.it;
    cdu->hall = cdu->row = MR_SITE_NONE;
    defaults->form[MR_PROP_LOOP].loop.it.hall = MR_SITE_NONE;
}

/* ---- writing ---- */

void mr_prop_form(const struct mr_prop_defaults *defaults, const struct mr_site *site, int kind,
                  size_t index, union mr_prop_form *form)
{
    const struct entities e = entities_of(site, kind);
    *form = defaults->form[kind];
    if (e.bytes > 0)
        memcpy(form, (const char *)e.item + index * e.bytes, e.bytes);
    if (kind == MR_PROP_SITE)
        form->site = (struct mr_prop_site){site->name,  site->layout_path, site->layout_sha256,
                                           site->level, site->wet_bulb_c,  site->dry_bulb_c};
    else if (kind == MR_PROP_GRID)
        form->grid = site->grid;
    else if (kind == MR_PROP_FABRIC && site->fabric != NULL)
        form->fabric = *site->fabric;
    else if (kind == MR_PROP_RACK) {
        form->rack.n_package = form->rack.it.n_package;
        form->rack.n_domain = form->rack.it.n_domain;
    }
}

static bool is_default(const struct mr_param *row, const void *form, const void *fallback)
{
    const char *a = (const char *)form + row->offset, *b = (const char *)fallback + row->offset;
    if (row->kind == MR_PARAM_TEXT) {
        const char *text;
        memcpy(&text, a, sizeof text);
        return text == NULL || text[0] == '\0';
    }
    if (row->fallback == NULL)
        return false;
    if (row->kind == MR_PARAM_BOOL)
        return *(const bool *)(const void *)a == *(const bool *)(const void *)b;
    return memcmp(a, b, row->kind == MR_PARAM_CHOICE ? sizeof(int) : sizeof(double)) == 0;
}

bool mr_prop_is_of_card(int kind, size_t row)
{
    static const struct {
        int kind;
        const char *key;
    } figures[] = {
        {MR_PROP_RACK, "flops"},      {MR_PROP_RACK, "memory"},    {MR_PROP_RACK, "rated"},
        {MR_PROP_RACK, "max_q"},      {MR_PROP_RACK, "liquid"},    {MR_PROP_RACK, "flow"},
        {MR_PROP_RACK, "inlet"},      {MR_PROP_RACK, "mass"},      {MR_PROP_RACK, "port"},
        {MR_PROP_RACK, "trays"},      {MR_PROP_RACK, "cpus"},      {MR_PROP_RACK, "ports"},
        {MR_PROP_RACK, "bus"},        {MR_PROP_RACK, "footprint"}, {MR_PROP_RACK, "nic"},
        {MR_PROP_CDU, "approach"},    {MR_PROP_CDU, "capacity"},   {MR_PROP_CDU, "flow"},
        {MR_PROP_REJECT, "capacity"}, {MR_PROP_REJECT, "area"},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (figures[i].kind == kind &&
            strcmp(figures[i].key, mr_prop_table(kind)->row[row].name) == 0)
            return true;
    return false;
}

/* Card of an entity, "" when it has none. */
static const char *card_of(int kind, const union mr_prop_form *form)
{
    const char *card = kind == MR_PROP_RACK     ? form->rack.it.card
                       : kind == MR_PROP_CDU    ? form->cdu.it.card
                       : kind == MR_PROP_REJECT ? form->reject.it.card
                                                : NULL;
    return card != NULL ? card : "";
}

static void write_key(const char *key, bool *is_first, struct mr_buf *out)
{
    if (!*is_first)
        mr_buf_text(out, "; ");
    *is_first = false;
    mr_buf_text(out, key);
    mr_buf_char(out, '=');
}

static void write_text(const char *text, struct mr_buf *out)
{
    const size_t n = strlen(text);
    if (strpbrk(text, ";") == NULL && text[0] != '\'' && !mr_char_is_space(text[0]) &&
        !mr_char_is_space(text[n - 1])) {
        mr_buf_add(out, text, n);
        return;
    }
    mr_buf_char(out, '\'');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'')
            mr_buf_char(out, '\'');
        mr_buf_char(out, *p);
    }
    mr_buf_char(out, '\'');
}

static const struct mr_prop_ref *find_ref(const struct mr_prop_ref *ref, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(ref[i].key, key) == 0)
            return &ref[i];
    return NULL;
}

static void write_ref(const struct mr_site *site, const struct mr_prop_ref *ref, const void *entity,
                      bool *is_first, struct mr_buf *out)
{
    bool has_key = false;
    for (uint32_t k = 0; k < ref->n_max; k++) {
        uint32_t index;
        memcpy(&index, (const char *)entity + ref->index_offset + k * sizeof index, sizeof index);
        if (index == MR_SITE_NONE)
            continue;
        MR_ASSERT(index < mr_prop_n(site, ref->target));
        if (has_key)
            mr_buf_char(out, ' ');
        else
            write_key(ref->key, is_first, out);
        has_key = true;
        mr_buf_text(out, mr_prop_name(site, ref->target, index));
    }
}

void mr_prop_write(const struct mr_prop_defaults *defaults, const struct mr_site *site, int kind,
                   size_t index, struct mr_buf *out)
{
    const struct mr_param_table *table = mr_prop_table(kind);
    const struct mr_prop_ref *ref;
    const size_t n_ref = mr_prop_refs(kind, &ref);
    union mr_prop_form form;
    bool is_first = true;
    mr_prop_form(defaults, site, kind, index, &form);
    const bool has_card = card_of(kind, &form)[0] != '\0';
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_param *row = &table->row[i];
        const struct mr_prop_ref *is_ref = find_ref(ref, n_ref, row->name);
        if (is_ref != NULL) {
            write_ref(site, is_ref, &form, &is_first, out);
            continue;
        }
        const bool is_needed = has_card && mr_prop_is_of_card(kind, i);
        if (!is_needed && is_default(row, &form, &defaults->form[kind]))
            continue;
        write_key(row->name, &is_first, out);
        if (row->kind == MR_PARAM_TEXT)
            write_text(*(const char *const *)(const void *)((const char *)&form + row->offset),
                       out);
        else
            mr_param_value(row, &form, out);
    }
}

/* ---- reading ---- */

/* Take the next "key=value" off `rest`. A quoted value is copied without its quotes into `plain`.
 */
static bool take_pair(struct mr_str *rest, struct mr_str *key, struct mr_str *value,
                      struct mr_buf *plain, const char **what)
{
    size_t i = 0;
    *what = NULL;
    while (i < rest->n && rest->p[i] != '=' && rest->p[i] != ';')
        i++;
    *key = mr_str_trim((struct mr_str){rest->p, i});
    if (i == rest->n || rest->p[i] == ';') {
        *what = key->n > 0 ? "has no \"=\"" : "";
        *value = *key;
        i += i < rest->n;
        *rest = (struct mr_str){rest->p + i, rest->n - i};
        return false;
    }
    i++;
    while (i < rest->n && mr_char_is_space(rest->p[i]))
        i++;
    const size_t start = i;
    const bool is_quoted = i < rest->n && rest->p[i] == '\'';
    mr_buf_clear(plain);
    if (is_quoted) {
        for (i++; i < rest->n; i++) {
            if (rest->p[i] == '\'' && (i + 1 == rest->n || rest->p[i + 1] != '\''))
                break;
            mr_buf_char(plain, rest->p[i]);
            i += rest->p[i] == '\'';
        }
        if (i == rest->n)
            *what = "has no closing quote";
        i += i < rest->n;
    }
    const size_t after = i;
    while (i < rest->n && rest->p[i] != ';')
        i++;
    *value = mr_str_trim((struct mr_str){rest->p + start, i - start});
    if (is_quoted && *what == NULL &&
        mr_str_trim((struct mr_str){rest->p + after, i - after}).n > 0)
        *what = "goes on after its closing quote";
    if (is_quoted && *what == NULL)
        *value = (struct mr_str){plain->n > 0 ? plain->text : "", plain->n};
    i += i < rest->n;
    *rest = (struct mr_str){rest->p + i, rest->n - i};
    return *what == NULL;
}

mr_status mr_prop_read(const struct mr_param_target *target, struct mr_str value,
                       struct mr_place at, struct mr_diags *diags)
{
    struct mr_buf plain = {0};
    mr_status st = MR_OK;
    while (value.n > 0 && st == MR_OK) {
        struct mr_str key, text;
        struct mr_err err = {0};
        const char *what;
        char quoted[MR_QUOTE_CAP];
        if (take_pair(&value, &key, &text, &plain, &what))
            st = mr_param_set(target, key, text, MR_PARAM_GIVEN, at, &err);
        else if (what[0] != '\0')
            st = mr_err_set(&err, MR_PARSE, at, "%s: \"%s\" %s: expected KEY=VALUE; KEY=VALUE...",
                            target->what, mr_text_quote(text, quoted), what);
        if (plain.status != MR_OK)
            st = mr_buf_check(&plain, &err);
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
        if (st != MR_NOMEM)
            st = MR_OK;
    }
    mr_buf_fini(&plain);
    return st;
}

bool mr_prop_is_name(const char *name)
{
    if (name == NULL || name[0] == '\0')
        return false;
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == ';' || *p == '\'' || *p == 0x7f)
            return false;
    return mr_utf8_valid_len(name, strlen(name)) == strlen(name);
}

/* ---- reference page ---- */

const char *mr_prop_single(size_t i, const char **on, const char **doc)
{
    static const struct {
        const char *id, *on, *doc;
    } singles[] = {
#define SINGLE_ROW(id, on, doc) {id, on, doc},
        MR_PROP_SINGLE_LIST(SINGLE_ROW)
#undef SINGLE_ROW
    };
    if (i >= sizeof singles / sizeof *singles)
        return NULL;
    *on = singles[i].on;
    *doc = singles[i].doc;
    return singles[i].id;
}

void mr_prop_check_ramp(const struct mr_grid *grid, struct mr_place at, struct mr_diags *diags)
{
    if (grid->ramp_w_s == 0)
        (void)mr_diags_add(diags, MR_SEVERITY_ERROR, MR_RANGE, at,
                           "grid: ramp 0: the load could never change (give a rate above 0, such "
                           "as \"10 MW/min\", or leave it out where the contract has none)");
}
