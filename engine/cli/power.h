/* SPDX-License-Identifier: Apache-2.0 */
/* The power verb: a site's electric side under a power trace, with outages and grid events. */
#ifndef MR_ENGINE_CLI_POWER_H
#define MR_ENGINE_CLI_POWER_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_power_opts_values {
    const char *power, *price, *carbon, *sun, *frequency, *targets, *start, *csv, *events, *output,
        *spectrum_csv;
    double load_frac, house_frac, until_s, every_s, swing_s, odds;
    struct mr_param_list set, tier, fail, spectrum, band;
    int policy;
    bool as_json;
};

extern const struct mr_opt_table mr_power_opts;

int mr_power_run(const struct mr_verb_call *call);

#endif
