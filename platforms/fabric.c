/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of the scale-out fabric and the steps of building it. With the
 * defaults a package in one rack reaches one in the next over nic, port and uplink and back in 2.0
 * us.
 */
#include "platforms/fabric.h"

#include "engine/base/intern.h"
#include "platforms/fabric_impl.h"

static const char *const fabric_kinds[] = {
#define KIND_TEXT(name, text, doc) text,
    MR_FABRIC_KIND_LIST(KIND_TEXT)
#undef KIND_TEXT
};

static const char *const optics[] = {
#define OPTICS_TEXT(name, text, latency_s, power_w, doc) text,
    MR_FABRIC_OPTICS_LIST(OPTICS_TEXT)
#undef OPTICS_TEXT
};

#define FIELD struct mr_fabric_params

static const struct mr_param rows[] = {
    MR_PARAM_ONE_OF(FIELD, kind, "kind", fabric_kinds, "ethernet", "Scale-out technology"),
    MR_PARAM_ONE_OF(FIELD, optics, "optics", optics, "pluggable",
                    "What the switches' cables end in: latency and power of every port"),
    MR_PARAM_STR(FIELD, leaf, "leaf", NULL, "Switch card of the rows, platforms/switches"),
    MR_PARAM_STR(FIELD, spine, "spine", NULL, "Switch card of the halls"),
    MR_PARAM_STR(FIELD, core, "core", NULL, "Switch card of the site"),
    MR_PARAM(FIELD, row_oversubscription, "row_oversubscription", MR_Q_COUNT, "1", 0.01, 1000,
             "Uplinks of a row's racks to the row's own uplink"),
    MR_PARAM(FIELD, hall_oversubscription, "hall_oversubscription", MR_Q_COUNT, "1", 0.01, 1000,
             "Uplinks of a hall's rows to the hall's own uplink"),
    MR_PARAM_N(FIELD, n_rail, "rails", "0", 0, 64,
               "Rails of a rail-optimized fabric, 0: not one; recorded, SimGrid sees one leaf"),
    MR_PARAM(FIELD, nic_latency_s, "nic_latency", MR_Q_TIME, "400 ns", 0, 1,
             "Package to its network port"),
    MR_PARAM(FIELD, port_latency_s, "port_latency", MR_Q_TIME, "100 ns", 0, 1, "Port to the cable"),
    MR_PARAM(FIELD, rack_cable_s, "rack_cable", MR_Q_TIME, "100 ns", 0, 1,
             "Flight time rack to leaf (5 ns per meter)"),
    MR_PARAM(FIELD, row_cable_s, "row_cable", MR_Q_TIME, "300 ns", 0, 1,
             "Flight time leaf to spine"),
    MR_PARAM(FIELD, hall_cable_s, "hall_cable", MR_Q_TIME, "500 ns", 0, 1,
             "Flight time spine to core"),
    MR_PARAM(FIELD, leaf_latency_s, "leaf_latency", MR_Q_TIME, "600 ns", 0, 1,
             "One pass through a leaf switch"),
    MR_PARAM(FIELD, spine_latency_s, "spine_latency", MR_Q_TIME, "600 ns", 0, 1,
             "One pass through a spine switch"),
    MR_PARAM(FIELD, core_latency_s, "core_latency", MR_Q_TIME, "600 ns", 0, 1,
             "One pass through a core switch"),
};

static const struct mr_param_table table = {"fabric", "Scale-out fabric, on the outermost zone.",
                                            rows, sizeof rows / sizeof *rows};

const struct mr_param_table *mr_fabric_table(void)
{
    return &table;
}

void mr_fabric_defaults(struct mr_fabric_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    *params = (struct mr_fabric_params){0};
    mr_param_defaults(&(struct mr_param_target){&table, params, origin, NULL, NULL});
}

double mr_fabric_port_w(int kind)
{
    static const double power_w[] = {
#define OPTICS_POWER(name, text, latency_s, power_w, doc) power_w,
        MR_FABRIC_OPTICS_LIST(OPTICS_POWER)
#undef OPTICS_POWER
    };
    return power_w[kind];
}

/* ---- names ---- */

static mr_status add_name(struct mr_intern *names, const char *what, const char *name,
                          const char *suffix, struct mr_err *err)
{
    struct mr_buf full = {0};
    mr_buf_text(&full, name);
    mr_buf_text(&full, suffix);
    mr_status st = mr_buf_check(&full, err);
    uint32_t id;
    const size_t n = names->n;
    if (st == MR_OK)
        st = mr_intern_add(names, (struct mr_str){full.text, full.n}, &id, err);
    if (st == MR_OK && id < n) {
        char quoted[MR_QUOTE_CAP];
        st = mr_err_set(err, MR_SCHEMA, MR_NOWHERE,
                        "%s \"%s\": the name is taken: zones, hosts and routers share one set of "
                        "names, links another",
                        what, mr_text_quote((struct mr_str){full.text, full.n}, quoted));
    }
    mr_buf_fini(&full);
    return st;
}

/* SimGrid refuses a second netpoint or link of one name. */
static mr_status unique_points(const struct mr_site *site, struct mr_intern *names,
                               struct mr_err *err)
{
    for (size_t i = 0; i < site->n_zone; i++)
        MR_TRY(add_name(names, "zone", site->zone[i].name, "", err));
    for (size_t i = 0; i < site->n_host; i++)
        MR_TRY(add_name(names, "host", site->host[i].name, "", err));
    for (size_t i = 0; i < site->n_router; i++)
        MR_TRY(add_name(names, "router", site->router[i].name, "", err));
    return MR_OK;
}

static mr_status unique_links(const struct mr_site *site, struct mr_intern *names,
                              struct mr_err *err)
{
    for (size_t i = 0; i < site->n_link; i++) {
        const struct mr_link *link = &site->link[i];
        MR_TRY(add_name(names, "link", link->name, link->is_split ? "_UP" : "", err));
        if (link->is_split)
            MR_TRY(add_name(names, "link", link->name, "_DOWN", err));
    }
    return MR_OK;
}

static mr_status unique_names(const struct mr_site *site, struct mr_err *err)
{
    struct mr_intern points = {0}, links = {0};
    mr_status st = unique_points(site, &points, err);
    if (st == MR_OK)
        st = unique_links(site, &links, err);
    mr_intern_fini(&points);
    mr_intern_fini(&links);
    return st;
}

mr_status mr_fabric_build(struct mr_site *site, int level, struct mr_err *err)
{
    if (level == MR_FABRIC_LEVEL_AUTO)
        level = site->n_rack <= MR_FABRIC_GPU_RACKS ? MR_SITE_LEVEL_GPU : MR_SITE_LEVEL_RACK;
    if (site->fabric == NULL) {
        site->fabric = mr_arena_alloc(&site->arena, sizeof *site->fabric, err);
        if (site->fabric == NULL)
            return MR_NOMEM;
        mr_fabric_defaults(site->fabric);
    }
    site->level = level;
    site->has_props = true;
    MR_TRY(mr_fabric_order(site, err));
    MR_TRY(mr_fabric_zones(site, level, err));
    return unique_names(site, err);
}
