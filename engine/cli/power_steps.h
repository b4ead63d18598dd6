/* SPDX-License-Identifier: Apache-2.0 */
/* Racks of a run file at the resolution of the steps of their instances (`run --record
 * rack,steps=RACK`), for the power verb. What the packages of an instance draw beyond idling holds
 * from the start of a step to its end; what is left of the rack's recorded watts (hosts, network,
 * idling, leakage) holds over the interval of the record, and is such that the joules of every
 * interval are those that were recorded. */
#ifndef MR_ENGINE_CLI_POWER_STEPS_H
#define MR_ENGINE_CLI_POWER_STEPS_H

#include "engine/cli/thermal_load.h"

/* From t_s on the steps on a rack draw power_w beyond idling. */
struct mr_power_edge {
    double t_s, power_w;
    uint32_t place; /* of the rack in `rack` */
};

struct mr_power_steps {
    uint32_t *rack; /* of the site, as the file lists them */
    size_t n_rack;  /* 0: the file has no steps */
    struct mr_power_edge *edge;
    size_t n_edge, cap_edge;
    double *mean_w;   /* [row of the load * n_rack + place]: of the steps, while the row holds */
    double *whole_w;  /* of a rack's steps, from the first row to the last */
    bool *is_stepped; /* of the site's racks */
    /* the largest of what steps draw beyond what the rack's record says, and where; 0: none */
    double over_w, over_s;
    uint32_t over_rack;
};

/* Columns of /steps, a row per step and rack. */
enum mr_power_steps_column {
    MR_POWER_STEPS_RACK, /* place in `rack` */
    MR_POWER_STEPS_POOL,
    MR_POWER_STEPS_INSTANCE,
    MR_POWER_STEPS_START_S,
    MR_POWER_STEPS_TIME_S,
    MR_POWER_STEPS_POWER_W,
    MR_POWER_STEPS_IDLE_W,
    MR_POWER_N_STEPS_COLUMN
};

/** @param[in] path a run file; without /steps there are none, and load is as
 *  mr_thermal_load_read has it @param[out] load with steps: mr_thermal_load_read_means
 *  @param[out] steps both are to be freed, after errors too */
MR_CHECKED mr_status mr_power_steps_read(const char *path, const struct mr_site *site,
                                         struct mr_thermal_load *load, struct mr_power_steps *steps,
                                         struct mr_err *err);

/** The same from columns: `rack` and `n_rack` of `steps` are set.
 *  @param[in] path for messages @param[in] column MR_POWER_N_STEPS_COLUMN of n_row values */
MR_CHECKED mr_status mr_power_steps_of(const char *path, const double *const *column, size_t n_row,
                                       const struct mr_site *site,
                                       const struct mr_thermal_load *load,
                                       struct mr_power_steps *steps, struct mr_err *err);
void mr_power_steps_fini(struct mr_power_steps *steps);

/** What a rack with steps draws beside them while a row holds; at least 0.
 *  @param[in] recorded_w of that row */
double mr_power_steps_rest_w(const struct mr_power_steps *steps, size_t row, size_t place,
                             double recorded_w);

#endif
