/* SPDX-License-Identifier: Apache-2.0 */
/* How our entities travel inside a SimGrid platform file: one <prop> per entity, on the zone that
 * contains it (racks at rack level: on their host).
 *
 *   <prop id="cdu.H0.R2.C0" value="card=deschutes; units=2; spare=1; loop=H0.L0"/>
 *
 * The id is KIND.NAME, or KIND alone where a zone or host has at most one. Keys and units are rows
 * of the kind's parameter table; a key with its default is left out, unless a card gives it
 * another; references are names. A value
 * that holds ";" or begins with "'" is written in single quotes, "''" stands for one. Names have no
 * white space. Layouts and commands use the same tables for attributes that mean the same. */
#ifndef MR_PLATFORMS_PROP_H
#define MR_PLATFORMS_PROP_H

#include "engine/base/param.h"
#include "platforms/fabric.h"
#include "platforms/site.h"

/* name, text, is the entity's name part of the id? */
#define MR_PROP_KIND_LIST(X)   \
    X(SITE, "site", false)     \
    X(GRID, "grid", false)     \
    X(FABRIC, "fabric", false) \
    X(HALL, "hall", true)      \
    X(ROW, "row", true)        \
    X(POD, "pod", true)        \
    X(LOOP, "loop", true)      \
    X(CDU, "cdu", true)        \
    X(REJECT, "reject", true)  \
    X(POWER, "power", true)    \
    X(DOMAIN, "domain", true)  \
    X(RACK, "rack", false)

enum mr_prop_kind {
#define MR_PROP_KIND_ENUM(name, text, has_name) MR_PROP_##name,
    MR_PROP_KIND_LIST(MR_PROP_KIND_ENUM)
#undef MR_PROP_KIND_ENUM
    MR_N_PROP
};

/* Forms: an entity and, as text, what the entity holds as indices. The tables fill forms. */
struct mr_prop_site {
    const char *name, *layout, *sha256;
    int level; /* enum mr_site_level */
    double wet_bulb_c, dry_bulb_c;
};

struct mr_prop_loop {
    struct mr_loop it;
};

struct mr_prop_cdu {
    struct mr_cdu it;
    const char *loop;
};

struct mr_prop_reject {
    struct mr_rejector it;
    const char *loop;
};

struct mr_prop_power {
    struct mr_power_node it;
    const char *parent; /* one or two names */
};

struct mr_prop_rack {
    struct mr_rack it;
    const char *domain, *cdu, *pod, *feed; /* feed: one or two names */
    uint64_t n_package, n_domain;
};

union mr_prop_form {
    struct mr_prop_site site;
    struct mr_grid grid;
    struct mr_fabric_params fabric;
    struct mr_hall hall;
    struct mr_row row;
    struct mr_pod pod;
    struct mr_prop_loop loop;
    struct mr_prop_cdu cdu;
    struct mr_prop_reject reject;
    struct mr_prop_power power;
    struct mr_domain domain;
    struct mr_prop_rack rack;
};

enum {
    mr_prop_row_max = 32 /* rows of the longest table */
};

/* Every kind's form with its defaults, made once per reading or writing. Zero fields are not
 * references: indices of a default form are MR_SITE_NONE. */
struct mr_prop_defaults {
    union mr_prop_form form[MR_N_PROP];
    uint8_t origin[MR_N_PROP][mr_prop_row_max];
};

void mr_prop_defaults(struct mr_prop_defaults *defaults);

const char *mr_prop_kind_name(int kind);
bool mr_prop_kind_has_name(int kind);
const struct mr_param_table *mr_prop_table(int kind);

/* A key whose value is the name, or two names, of another entity. */
struct mr_prop_ref {
    int kind; /* of the entity that refers */
    const char *key;
    size_t text_offset;  /* of the text in the form */
    size_t index_offset; /* of the first uint32_t in the entity (first member of the form) */
    int target;          /* enum mr_prop_kind */
    uint32_t n_max;
};

/** The references of a kind. @return how many */
size_t mr_prop_refs(int kind, const struct mr_prop_ref **refs);

/** Entities of a kind in the site, and the name of one. SITE, GRID, FABRIC: 1. */
size_t mr_prop_n(const struct mr_site *site, int kind);
const char *mr_prop_name(const struct mr_site *site, int kind, size_t index);

/* The zone that contains an entity: its row's, its hall's, or the outermost. */
struct mr_prop_place {
    uint32_t hall, row; /* or MR_SITE_NONE */
};

/** Places of all entities of a kind. A domain stands where all its racks do, a rejector where its
 *  loop does. @param[out] place mr_prop_n(site, kind) of them */
void mr_prop_places(const struct mr_site *site, int kind, struct mr_prop_place *place);

/** Append an entity's prop value. */
void mr_prop_write(const struct mr_prop_defaults *defaults, const struct mr_site *site, int kind,
                   size_t index, struct mr_buf *out);

/** Is this row of the kind's table a figure that the entity's card gives when nobody says it? Such
 *  figures of an entity with a card are always written. */
bool mr_prop_is_of_card(int kind, size_t row);

/** The form of an entity as it stands in the site, references as indices only. */
void mr_prop_form(const struct mr_prop_defaults *defaults, const struct mr_site *site, int kind,
                  size_t index, union mr_prop_form *form);

/** Read a prop value into a form that holds defaults. Every mistake is a diagnostic.
 *  @param[in] target table, form, origins, arena for texts, what to call it
 *  @return MR_OK (also with diagnostics) or MR_NOMEM */
MR_CHECKED mr_status mr_prop_read(const struct mr_param_target *target, struct mr_str value,
                                  struct mr_place at, struct mr_diags *diags);

/** May this be a name in a prop's id and in references? */
bool mr_prop_is_name(const char *name);

/* ---- hand-written files: single props for single figures ---- */

#define MR_PROP_SINGLE_LIST(X)                                                             \
    X("rack.*", "zone or host", "one figure of the rack, any key of the table \"rack\"")   \
    X("nvl.domain", "zone or host", "scale-up domain of the rack; made when not declared") \
    X("loop.supply", "zone", "supply temperature of the facility loop ZONE.loop")          \
    X("loop.flow", "zone", "its mass flow; checked only")                                  \
    X("busway.limit", "zone", "rating of the busway ZONE.busway that feeds these racks")   \
    X("grid.feed", "root zone", "limit of the grid connection")                            \
    X("grid.ramp", "root zone", "ramp limit of the grid connection")                       \
    X("site.wet_bulb", "root zone", "design wet-bulb temperature")                         \
    X("tray", "host", "tray of a package, counted from 0; checked only")                   \
    X("switch.card", "zone", "switch of this zone's router; checked only")

/** @return the i-th of the single props, NULL past the last @param[out] on where it stands */
const char *mr_prop_single(size_t i, const char **on, const char **doc);

/** A ramp of 0 that somebody wrote: nothing could ever change, and 0 stands for "not given".
 *  @param[in] at of the value */
void mr_prop_check_ramp(const struct mr_grid *grid, struct mr_place at, struct mr_diags *diags);

#endif
