/* SPDX-License-Identifier: Apache-2.0 */
/* Power of racks over time, out of a CSV or a run file, for the thermal and the power verb. */
#ifndef MR_ENGINE_CLI_THERMAL_LOAD_H
#define MR_ENGINE_CLI_THERMAL_LOAD_H

#include "thermal/plant.h"

/* Rows of a trace: what holds from time_s on; the first one from the start. Columns: watts of one
 * rack, or of all. */
struct mr_thermal_load {
    size_t n_row, cap_row, n_column;
    double *time_s, *value; /* value[row * n_column + column] */
    size_t cap_value;
    uint32_t *rack; /* of a column; MR_SITE_NONE: of every rack not named */
    int kind;       /* what the column for the others holds: enum mr_thermal_load_kind; N: none */
    bool *is_named; /* racks with columns of their own */
    double other_w; /* granted power of those without */
};

/* name of the column for racks that have none of their own, meaning */
#define MR_THERMAL_LOAD_LIST(X)                                                 \
    X(SITE, "site_w", "watts of all of them, shared by what their feeds grant") \
    X(RACK, "rack_w", "watts of each")                                          \
    X(FRAC, "load", "share of what its feed grants")

enum mr_thermal_load_kind {
#define MR_THERMAL_LOAD_ENUM(name, text, doc) MR_THERMAL_LOAD_##name,
    MR_THERMAL_LOAD_LIST(MR_THERMAL_LOAD_ENUM)
#undef MR_THERMAL_LOAD_ENUM
    MR_THERMAL_N_LOAD
};

/** A constant share of granted power. */
MR_CHECKED mr_status mr_thermal_load_of(double frac, const struct mr_site *site,
                                        struct mr_thermal_load *load, struct mr_err *err);

/** CSV: columns t_s, then site_w, rack_w or load, then racks by name [W]; time grows from row to
 *  row. Run file: /racks/power_kw, what the racks drew in it; they must be of this site.
 *  @param[out] load mr_thermal_load_fini, after errors too */
MR_CHECKED mr_status mr_thermal_load_read(const char *path, const struct mr_site *site,
                                          struct mr_thermal_load *load, struct mr_err *err);

/** The same of a run file whose rows are means of the interval before them, as records of runs are:
 *  every row holds from the date of the one before to its own, the last one's date is the end. */
MR_CHECKED mr_status mr_thermal_load_read_means(const char *path, const struct mr_site *site,
                                                struct mr_thermal_load *load, struct mr_err *err);
void mr_thermal_load_fini(struct mr_thermal_load *load);

/** Watts of every rack in a row; those that the trace does not speak of keep what they have.
 *  @param[in,out] rack_w of the site's racks */
void mr_thermal_load_racks(const struct mr_thermal_load *load, size_t row,
                           const struct mr_site *site, double *rack_w);

/** Give every rack the power of a row. */
void mr_thermal_load_apply(const struct mr_thermal_load *load, size_t row,
                           const struct mr_plant *plant, struct mr_plant_state *state);

#endif
