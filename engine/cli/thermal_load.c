/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of the thermal and the power verb. */
#include "engine/cli/thermal_load.h"

#include "engine/base/csv.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/record/rundata.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const load_names[] = {
#define LOAD_NAME(name, text, doc) text,
    MR_THERMAL_LOAD_LIST(LOAD_NAME)
#undef LOAD_NAME
};

/* Runs are no longer, as the verbs' --until has it. */
static const double longest_s = 1e10;
static const double most_frac = 1.5; /* as --load */

/* What a rack's feed grants; rated power where nothing is said. */
static double granted_w(const struct mr_rack *rack)
{
    return rack->limit_w > 0 ? rack->limit_w : rack->rated_w;
}

static mr_status add_row(struct mr_thermal_load *load, double time_s, const double *value,
                         struct mr_err *err)
{
    MR_TRY(mr_grow(&load->time_s, &load->cap_row, load->n_row + 1, sizeof *load->time_s, err));
    MR_TRY(mr_grow(&load->value, &load->cap_value, (load->n_row + 1) * load->n_column,
                   sizeof *load->value, err));
    load->time_s[load->n_row] = time_s;
    memcpy(&load->value[load->n_row * load->n_column], value, load->n_column * sizeof *value);
    load->n_row++;
    return MR_OK;
}

static mr_status make_columns(struct mr_thermal_load *load, const struct mr_site *site, size_t n,
                              struct mr_err *err)
{
    *load = (struct mr_thermal_load){.n_column = n, .kind = MR_THERMAL_N_LOAD};
    load->rack = mr_alloc_zero(n + 1, sizeof *load->rack);
    load->is_named = mr_alloc_zero(site->n_rack + 1, sizeof *load->is_named);
    if (load->rack == NULL || load->is_named == NULL)
        return mr_err_nomem(err, (n + site->n_rack) * sizeof *load->rack);
    return MR_OK;
}

mr_status mr_thermal_load_of(double frac, const struct mr_site *site, struct mr_thermal_load *load,
                             struct mr_err *err)
{
    MR_TRY(make_columns(load, site, 1, err));
    load->rack[0] = MR_SITE_NONE;
    load->kind = MR_THERMAL_LOAD_FRAC;
    return add_row(load, 0, &frac, err);
}

void mr_thermal_load_fini(struct mr_thermal_load *load)
{
    mr_free(load->time_s);
    mr_free(load->value);
    mr_free(load->rack);
    mr_free(load->is_named);
    *load = (struct mr_thermal_load){0};
}

static uint32_t rack_by_name(const struct mr_site *site, struct mr_str name)
{
    for (uint32_t i = 0; i < site->n_rack; i++)
        if (mr_str_is(name, site->rack[i].name))
            return i;
    return MR_SITE_NONE;
}

static mr_status read_header(const struct mr_csv *csv, const struct mr_site *site,
                             struct mr_thermal_load *load, struct mr_err *err)
{
    bool has_other = false;
    if (mr_csv_n_column(csv) < 2 || !mr_str_is(mr_csv_column_name(csv, 0), "t_s"))
        return mr_csv_error(csv, 0, err, MR_SCHEMA,
                            "a power trace begins with t_s, seconds of the run, and has at least "
                            "one column more: site_w, rack_w, load or names of racks");
    for (size_t c = 1; c < mr_csv_n_column(csv); c++) {
        const struct mr_str name = mr_csv_column_name(csv, c);
        uint32_t *rack = &load->rack[c - 1];
        *rack = rack_by_name(site, name);
        if (*rack != MR_SITE_NONE) {
            if (load->is_named[*rack])
                return mr_csv_error(csv, c, err, MR_SCHEMA,
                                    "this rack has a column already: its watts stand in one");
            load->is_named[*rack] = true;
            continue;
        }
        int kind = 0;
        while (kind < MR_THERMAL_N_LOAD && !mr_str_is(name, load_names[kind]))
            kind++;
        if (kind == MR_THERMAL_N_LOAD)
            return mr_csv_error(csv, c, err, MR_REF,
                                "neither a rack of site '%s' nor site_w, rack_w or load",
                                site->name);
        if (has_other)
            return mr_csv_error(csv, c, err, MR_SCHEMA,
                                "only one of site_w, rack_w and load may stand in a trace");
        has_other = true;
        load->kind = kind;
    }
    for (uint32_t i = 0; i < site->n_rack; i++)
        load->other_w += load->is_named[i] ? 0 : granted_w(&site->rack[i]);
    return MR_OK;
}

static mr_status read_rows(struct mr_csv *csv, struct mr_thermal_load *load, double *value,
                           struct mr_err *err)
{
    for (;;) {
        bool has_row;
        double time_s;
        MR_TRY(mr_csv_next(csv, &has_row, err));
        if (!has_row)
            return MR_OK;
        MR_TRY(mr_csv_f64(csv, 0, &time_s, err));
        if (!(time_s >= 0) || (load->n_row > 0 && !(time_s > load->time_s[load->n_row - 1])))
            return mr_csv_error(csv, 0, err, MR_RANGE,
                                "%g: time begins at 0 or later and grows from row to row", time_s);
        if (time_s > longest_s)
            return mr_csv_error(csv, 0, err, MR_RANGE,
                                "%g s: a trace ends %g s after its start at the latest (are these "
                                "seconds of the run?)",
                                time_s, longest_s);
        for (size_t c = 0; c < load->n_column; c++) {
            MR_TRY(mr_csv_f64(csv, c + 1, &value[c], err));
            if (!(value[c] >= 0 && value[c] < 1e12))
                return mr_csv_error(csv, c + 1, err, MR_RANGE,
                                    "%g: power must be 0 or more, and below 1e12 W", value[c]);
            if (load->rack[c] == MR_SITE_NONE && load->kind == MR_THERMAL_LOAD_FRAC &&
                value[c] > most_frac)
                return mr_csv_error(csv, c + 1, err, MR_RANGE,
                                    "%g: a share of what feeds grant, %g at most (85 %% is 0.85)",
                                    value[c], most_frac);
        }
        MR_TRY(add_row(load, time_s, value, err));
    }
}

static mr_status read_csv(struct mr_csv *csv, const struct mr_site *site,
                          struct mr_thermal_load *load, struct mr_err *err)
{
    MR_TRY(make_columns(load, site, mr_csv_n_column(csv) > 1 ? mr_csv_n_column(csv) - 1 : 1, err));
    MR_TRY(read_header(csv, site, load, err));
    double *value = mr_alloc_zero(load->n_column, sizeof *value);
    if (value == NULL)
        return mr_err_nomem(err, load->n_column * sizeof *value);
    const mr_status st = read_rows(csv, load, value, err);
    mr_free(value);
    MR_TRY(st);
    if (load->n_row == 0)
        return mr_csv_error(csv, 0, err, MR_SCHEMA, "a power trace has at least one row");
    return MR_OK;
}

static const char run_dataset[] = "/racks/power_kw";

static mr_status power_scale(const char *path, const char *units, double *scale, struct mr_err *err)
{
    static const struct {
        const char *units;
        double scale;
    } known[] = {{"kW", 1e3}, {"W", 1}, {"MW", 1e6}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(units, known[i].units) == 0) {
            *scale = known[i].scale;
            return MR_OK;
        }
    return mr_err_set(err, MR_UNIT, (struct mr_place){path, 0, 0},
                      "dataset %s: units '%s' are not W, kW or MW", run_dataset, units);
}

static mr_status name_columns(const char *path, const struct mr_rundata *data,
                              const struct mr_site *site, struct mr_thermal_load *load,
                              struct mr_err *err)
{
    for (size_t c = 0; c < data->n_entity; c++) {
        const uint32_t rack = rack_by_name(site, mr_str_of(data->name[c]));
        if (rack == MR_SITE_NONE || load->is_named[rack])
            return mr_err_set(err, MR_REF, (struct mr_place){path, 0, 0},
                              rack == MR_SITE_NONE ? "dataset %s: site '%s' has no rack '%s'"
                                                   : "dataset %s: site '%s': rack '%s' comes twice",
                              run_dataset, site->name, data->name[c]);
        load->rack[c] = rack;
        load->is_named[rack] = true;
    }
    return MR_OK;
}

/* Watts, checked. */
static mr_status check_rows(const char *path, struct mr_rundata *data, struct mr_err *err)
{
    double scale = 0;
    MR_TRY(power_scale(path, data->units, &scale, err));
    const size_t n = data->n_entity;
    for (size_t i = 0; i < data->n_time; i++) {
        double *value = &data->value[i * n];
        for (size_t c = 0; c < n; c++) {
            value[c] *= scale;
            if (!(value[c] >= 0 && value[c] < 1e12))
                return mr_err_set(err, MR_RANGE, (struct mr_place){path, 0, 0},
                                  "dataset %s: rack '%s' at %g s: %g W: power must be 0 or more, "
                                  "and below 1e12 W",
                                  run_dataset, data->name[c], data->time_s[i], value[c]);
        }
        if (!(data->time_s[i] >= 0 && data->time_s[i] <= longest_s))
            return mr_err_set(err, MR_RANGE, (struct mr_place){path, 0, 0},
                              "dataset %s: time %g is not within 0 .. %g s of the run", run_dataset,
                              data->time_s[i], longest_s);
    }
    return MR_OK;
}

/* Rows that change nothing are left out, so that where somebody recorded cuts no step of the
 * plant; the last says how long the run was. */
static mr_status take_rows(const struct mr_rundata *data, struct mr_thermal_load *load,
                           struct mr_err *err)
{
    const size_t n = data->n_entity;
    const double *last = NULL;
    for (size_t i = 0; i < data->n_time; i++) {
        const double *value = &data->value[i * n];
        if (last != NULL && i + 1 < data->n_time && memcmp(last, value, n * sizeof *value) == 0)
            continue;
        MR_TRY(add_row(load, data->time_s[i], value, err));
        last = value;
    }
    return MR_OK;
}

/* The first row, before which there is nothing, is not taken. */
static mr_status take_means(const struct mr_rundata *data, struct mr_thermal_load *load,
                            struct mr_err *err)
{
    const size_t n = data->n_entity, last = data->n_time - 1;
    for (size_t i = 1; i <= last; i++)
        MR_TRY(add_row(load, data->time_s[i - 1], &data->value[i * n], err));
    return add_row(load, data->time_s[last], &data->value[last * n], err);
}

static mr_status read_run(const char *path, const struct mr_site *site, bool has_means,
                          struct mr_thermal_load *load, struct mr_err *err)
{
    struct mr_rundata data;
    mr_status st = mr_rundata_read(path, run_dataset, &data, err);
    if (st == MR_OK)
        st = make_columns(load, site, data.n_entity, err);
    if (st == MR_OK)
        st = name_columns(path, &data, site, load, err);
    if (st == MR_OK)
        st = check_rows(path, &data, err);
    if (st == MR_OK)
        st = has_means ? take_means(&data, load, err) : take_rows(&data, load, err);
    mr_rundata_fini(&data);
    return st;
}

mr_status mr_thermal_load_read(const char *path, const struct mr_site *site,
                               struct mr_thermal_load *load, struct mr_err *err)
{
    struct mr_csv *csv = NULL;
    *load = (struct mr_thermal_load){0};
    if (mr_rundata_is(path))
        return read_run(path, site, false, load, err);
    MR_TRY(mr_csv_open(path, NULL, &csv, err));
    const mr_status st = read_csv(csv, site, load, err);
    mr_csv_close(csv);
    return st;
}

mr_status mr_thermal_load_read_means(const char *path, const struct mr_site *site,
                                     struct mr_thermal_load *load, struct mr_err *err)
{
    *load = (struct mr_thermal_load){0};
    return read_run(path, site, true, load, err);
}

void mr_thermal_load_racks(const struct mr_thermal_load *load, size_t row,
                           const struct mr_site *site, double *rack_w)
{
    const double *value = &load->value[row * load->n_column];
    double other = 0;
    for (size_t c = 0; c < load->n_column; c++) {
        if (load->rack[c] == MR_SITE_NONE)
            other = value[c];
        else
            rack_w[load->rack[c]] = value[c];
    }
    for (uint32_t i = 0; load->kind != MR_THERMAL_N_LOAD && i < site->n_rack; i++) {
        const double own_w = granted_w(&site->rack[i]);
        if (!load->is_named[i])
            rack_w[i] = load->kind == MR_THERMAL_LOAD_RACK   ? other
                        : load->kind == MR_THERMAL_LOAD_FRAC ? other * own_w
                                                             : other * own_w / load->other_w;
    }
}

void mr_thermal_load_apply(const struct mr_thermal_load *load, size_t row,
                           const struct mr_plant *plant, struct mr_plant_state *state)
{
    const double *value = &load->value[row * load->n_column];
    double other = 0;
    for (size_t c = 0; c < load->n_column; c++) {
        if (load->rack[c] == MR_SITE_NONE)
            other = value[c];
        else
            mr_plant_set_power(plant, state, load->rack[c], value[c]);
    }
    for (uint32_t i = 0; load->kind != MR_THERMAL_N_LOAD && i < plant->n_rack; i++) {
        const double own_w = granted_w(&plant->site->rack[i]);
        if (!load->is_named[i])
            mr_plant_set_power(plant, state, i,
                               load->kind == MR_THERMAL_LOAD_RACK ? other
                               : load->kind == MR_THERMAL_LOAD_FRAC
                                   ? other * own_w
                                   : other * own_w / load->other_w);
    }
}
