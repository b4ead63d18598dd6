/* SPDX-License-Identifier: Apache-2.0 */
/* Ignored: events and sessions; the groups of single storages and machines, of which sites have a
 * handful. */
#include "engine/cli/show_size.h"

#include "engine/cli/groups.h"
#include "engine/cli/power_points.h"
#include "engine/cli/power_record.h"
#include "engine/cli/run_record.h"
#include "engine/cli/site_record.h"
#include "engine/cli/thermal_series.h"
#include "engine/twin/record_every.h"
#include "platforms/fabric.h"
#include "platforms/open.h"
#include "power/stage.h"

#include <math.h>

/* Written over unpacked bytes. Measured: series of racks 0.15 to 0.28, calls 0.34 of 107 MB. */
static const double packed_frac = 0.25, packed_call_frac = 0.35;

/* What is always there: key figures, histograms, configuration, the descriptions of datasets, of
 * which a site has some 150. Measured, the same from 12 to 96 racks. */
static const double alone_b = 0.13e6, site_b = 0.32e6;

/* What its <record> says. */
struct recording {
    struct mr_record_level level;
    struct mr_record_every every;
    double kind_b[MR_RECORD_KINDS]; /* of a sample */
};

static double n_of(const char *axis, const struct mr_scenario *scenario, const struct mr_site *site)
{
    const struct {
        const char *axis;
        size_t n;
    } counts[] = {{"pool", scenario->has_prefill ? 2 : 1},
                  {"tier", scenario->n_tier},
                  {"rack", site != NULL ? site->n_rack : 0},
                  {"row", site != NULL ? site->n_row : 0},
                  {"hall", site != NULL ? site->n_hall : 0},
                  {"cdu", site != NULL ? site->n_cdu : 0},
                  {"loop", site != NULL ? site->n_loop : 0},
                  {"meter", site != NULL ? site->n_power : 0},
                  {"stage", MR_N_STAGE}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (strcmp(counts[i].axis, axis) == 0)
            return (double)counts[i].n;
    return 0; /* packages, single storages and machines */
}

static double bytes_of(const struct mr_group *group)
{
    double bytes = 0;
    for (size_t i = 0; i < group->n; i++)
        bytes += (double)mr_channel_stored_bytes(group->channel[i].type);
    return bytes;
}

static void add_list(const struct mr_group_list *list, const struct mr_scenario *scenario,
                     const struct mr_site *site, struct recording *recording,
                     struct mr_show_size *size)
{
    static const char along[] = "time, ";
    const double time_b = 8;
    for (size_t i = 0; i < list->n; i++) {
        const struct mr_group *g = &list->group[i];
        const bool is_again = list == &mr_power_groups && strcmp(g->path, "/racks") == 0;
        enum mr_record_kind kind;
        if (strcmp(g->path, "/requests") == 0)
            size->call_b = bytes_of(g);
        if (!mr_record_kind_of(g->path, &kind) || !mr_record_has(&recording->level, kind))
            continue;
        if (strcmp(g->axes, "time") == 0)
            recording->kind_b[kind] += bytes_of(g) + time_b;
        else if (strncmp(g->axes, along, sizeof along - 1) == 0 && !is_again)
            recording->kind_b[kind] +=
                bytes_of(g) * n_of(g->axes + sizeof along - 1, scenario, site);
    }
}

/* Of so many, as rows. */
static double kept_of(const struct mr_record_level *level, double calls)
{
    if (level->n_kept > 0)
        return fmin(calls, (double)level->n_kept);
    return level->one_in_n > 0 ? calls / (double)level->one_in_n : calls;
}

static void count(const struct mr_scenario *scenario, const struct recording *recording,
                  struct mr_show_size *size)
{
    const double until_s = mr_scenario_guess_s(scenario);
    size->calls = mr_scenario_guess_calls(scenario);
    size->every_s = (double)INFINITY;
    for (int k = 0; k < MR_RECORD_KINDS; k++) {
        if (!(recording->kind_b[k] > 0))
            continue;
        size->sample_b += recording->kind_b[k];
        size->unpacked_b +=
            recording->kind_b[k] * (floor(until_s / recording->every.every_s[k]) + 1);
        size->every_s = fmin(size->every_s, recording->every.every_s[k]);
    }
    size->samples = size->sample_b > 0 ? floor(until_s / size->every_s) + 1 : 0;
    size->calls_b = size->calls * size->call_b * packed_call_frac;
    size->beside_b = alone_b + (scenario->site.file != NULL ? site_b : 0);
    size->packed_b = size->unpacked_b * packed_frac + size->beside_b;
    size->has_calls = recording->level.has_calls;
    if (size->has_calls)
        size->packed_b += kept_of(&recording->level, size->calls) * size->call_b * packed_call_frac;
}

mr_status mr_show_size_of(const struct mr_scenario *scenario, struct mr_show_size *size,
                          struct mr_diags *diags)
{
    struct mr_site *site = NULL;
    struct recording recording = {0};
    struct mr_err err = {0};
    *size = (struct mr_show_size){0};
    mr_status st = mr_record_level_parse(scenario->record.what, &recording.level, &err);
    if (st == MR_OK)
        st = mr_record_every_parse(scenario->record.every, &recording.every, &err);
    if (st != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    if (scenario->site.file != NULL)
        st = mr_open_site_changed(scenario->site.file, scenario->layout, scenario->n_layout,
                                  MR_FABRIC_LEVEL_AUTO, &site, diags);
    add_list(&mr_run_groups, scenario, site, &recording, size);
    if (site != NULL) {
        add_list(&mr_site_groups, scenario, site, &recording, size);
        add_list(&mr_thermal_series_groups, scenario, site, &recording, size);
        add_list(&mr_power_groups, scenario, site, &recording, size);
        add_list(&mr_power_points_groups, scenario, site, &recording, size);
    }
    count(scenario, &recording, size);
    mr_site_destroy(site);
    return st;
}
