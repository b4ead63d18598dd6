/* SPDX-License-Identifier: Apache-2.0 */
/* What could be built: every combination of the values that --over gives, each with its settings
 * and with what is known of it before any run: watts of the site and dollars from its cards, and
 * the tokens per second that its packages cannot exceed.
 *
 * What a build leaves open follows its racks: the package of the deployment is the one they hold,
 * and instances fill the same share of them as in the scenario as it stands. */
#ifndef MR_ENGINE_CLI_SIZE_SPACE_H
#define MR_ENGINE_CLI_SIZE_SPACE_H

#include "engine/cli/size.h"
#include "engine/twin/scenario.h"
#include "experiments/search.h"
#include "experiments/sla.h"
#include "experiments/steady.h"

enum {
    MR_SIZE_BUILDS = 20000,
    MR_SIZE_VALUES = 10000, /* of one factor */
    MR_SIZE_FACTORS = 12
};

struct mr_size_factor {
    const char *path;
    const char **value;
    size_t n_value, cap_value;
};

struct mr_size_build {
    const char **set; /* "PATH=VALUE", all but the load's */
    size_t n_set;
    const char *value[MR_SIZE_FACTORS];
    double nominal_w, capital_usd; /* of the site; NaN: not known */
    uint64_t n_rack, n_package, n_instance;
};

/* Zero-initialize; mr_size_space_fini. */
struct mr_size_space {
    const char *path; /* of the scenario; lent, as the options are */
    const struct mr_size_opts_values *opts;
    const struct mr_sla *sla; /* whose tiers must be the scenario's */
    struct mr_arena texts;
    struct mr_size_factor factor[MR_SIZE_FACTORS];
    size_t n_factor;
    struct mr_size_factor load;     /* no path: the scenario's own */
    size_t first_load;              /* with a target: which to try first */
    bool is_load_mine, has_factors; /* of the user, not chosen here */
    struct mr_size_build *build;    /* n_build of them, the last factor fastest */
    struct mr_search_item *item;    /* likewise: size, bound, and who is refused */
    size_t n_build;
    struct mr_steady_goal *goal; /* of the scenario's tiers, n_goal of them */
    size_t n_goal;
    double grid_w;  /* of --limit-mw; 0: none */
    double until_s; /* end of a run */
};

/** @param[in] target_tok_s of all tiers, to offer enough load; 0: none
 *  @return MR_OK also when builds are refused; an error when all are, or when a path or a value is
 *          none */
MR_CHECKED mr_status mr_size_space_make(struct mr_size_space *space, double target_tok_s,
                                        struct mr_diags *diags);
void mr_size_space_fini(struct mr_size_space *space);

#endif
