/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs about sites: platform, show, validate. */
#ifndef MR_ENGINE_CLI_SITE_H
#define MR_ENGINE_CLI_SITE_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_site_platform_opts {
    const char *output;
    int level; /* index into gpu, tray, rack, auto */
    bool do_check;
};

struct mr_site_show_opts {
    double load_frac;
    bool as_json, is_effective;
    int graph; /* index into none, dot */
};

struct mr_site_validate_opts {
    bool with_simgrid, as_json, is_strict;
};

extern const struct mr_opt_table mr_site_platform_table, mr_site_show_table, mr_site_validate_table;

int mr_site_platform_run(const struct mr_verb_call *call);
int mr_site_show_run(const struct mr_verb_call *call);
int mr_site_validate_run(const struct mr_verb_call *call);

#endif
