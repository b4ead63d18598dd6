/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of power nodes and heat rejection a site may have, and its levels of detail: names as
 * they stand in files, each with its meaning. Append only: the values are written to result files.
 */
#ifndef MR_PLATFORMS_SITE_KIND_H
#define MR_PLATFORMS_SITE_KIND_H

/* name in files, one-line meaning */
#define MR_SITE_POWER_LIST(X)                                                    \
    X(SUBSTATION, "substation", "grid voltage to medium voltage")                \
    X(MV, "mv", "medium-voltage feeder")                                         \
    X(UNIT, "unit", "unit substation, medium to low voltage")                    \
    X(UPS, "ups", "uninterruptible supply, units share the load")                \
    X(UPS_ECO, "ups_eco", "the same, line-interactive")                          \
    X(LV, "lv", "low-voltage switchboard")                                       \
    X(RPP, "rpp", "remote power panel of a row")                                 \
    X(BUSWAY, "busway", "overhead busway of a row")                              \
    X(SIDECAR, "sidecar", "power rack beside compute racks, 415 VAC to 800 VDC") \
    X(SST, "sst", "solid-state transformer, medium voltage to 800 VDC")          \
    X(RECTIFIER, "rectifier", "industrial rectifier to 800 VDC")                 \
    X(GENERATOR, "generator", "backup generator")                                \
    X(TURBINE, "turbine", "on-site gas turbine")                                 \
    X(SOLAR, "solar", "solar field or array")                                    \
    X(BESS, "bess", "battery on the site")                                       \
    X(BBU, "bbu", "battery backup in or beside racks")

enum mr_site_power_kind {
#define MR_SITE_POWER_ENUM(name, text, doc) MR_SITE_POWER_##name,
    MR_SITE_POWER_LIST(MR_SITE_POWER_ENUM)
#undef MR_SITE_POWER_ENUM
    MR_SITE_N_POWER_KIND
};

#define MR_SITE_REJECT_LIST(X)                                           \
    X(DRY_COOLER, "dry_cooler", "dry cooler, heat to outdoor air")       \
    X(ADIABATIC, "adiabatic", "dry cooler with evaporative pre-cooling") \
    X(TOWER, "tower", "wet cooling tower")                               \
    X(CHILLER, "chiller", "chiller, alone or trimming")                  \
    X(CRAH, "crah", "room air handler (heat to the facility loop)")      \
    X(RADIATOR, "radiator", "radiator to space")

enum mr_site_reject_kind {
#define MR_SITE_REJECT_ENUM(name, text, doc) MR_SITE_REJECT_##name,
    MR_SITE_REJECT_LIST(MR_SITE_REJECT_ENUM)
#undef MR_SITE_REJECT_ENUM
    MR_SITE_N_REJECT_KIND
};

#define MR_SITE_GRID_LIST(X)                                           \
    X(FIRM, "firm", "the limit holds at all hours")                    \
    X(FLEXIBLE, "flexible", "a share of the limit may be called back") \
    X(ISLAND, "island", "there is no connection")

enum mr_site_grid_kind {
#define MR_SITE_GRID_ENUM(name, text, doc) MR_SITE_GRID_##name,
    MR_SITE_GRID_LIST(MR_SITE_GRID_ENUM)
#undef MR_SITE_GRID_ENUM
};

/* level of detail of SimGrid's view */
#define MR_SITE_LEVEL_LIST(X) \
    X(GPU, "gpu")             \
    X(TRAY, "tray")           \
    X(RACK, "rack")

enum mr_site_level {
#define MR_SITE_LEVEL_ENUM(name, text) MR_SITE_LEVEL_##name,
    MR_SITE_LEVEL_LIST(MR_SITE_LEVEL_ENUM)
#undef MR_SITE_LEVEL_ENUM
};

#endif
