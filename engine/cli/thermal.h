/* SPDX-License-Identifier: Apache-2.0 */
/* The thermal verb: a site's coolant plant under a power trace, in the weather, with outages. */
#ifndef MR_ENGINE_CLI_THERMAL_H
#define MR_ENGINE_CLI_THERMAL_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_thermal_opts_values {
    const char *output, *power, *weather, *csv, *racks, *events, *dies;
    uint64_t seed;
    double load_frac, until_s, every_s, start_s, inside_frac;
    struct mr_param_list set, fail;
    bool as_json, is_cold;
};

extern const struct mr_opt_table mr_thermal_opts;

int mr_thermal_run(const struct mr_verb_call *call);

#endif
