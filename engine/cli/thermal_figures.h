/* SPDX-License-Identifier: Apache-2.0 */
/* Key figures of the thermal verb: ratios of energies (thermal/metrics.h) at two boundaries of IT,
 * approach temperatures and hours above limits, one list for text, JSON and the result file.
 * Stages between the meter and the racks lose what the site's electric chain loses at the run's
 * mean powers, batteries and generators at rest, in proportion where the connection's limit caps
 * racks; a chain that cannot carry them (satellites) leaves figures of the meter undefined. */
#ifndef MR_ENGINE_CLI_THERMAL_FIGURES_H
#define MR_ENGINE_CLI_THERMAL_FIGURES_H

#include "thermal/metrics.h"
#include "thermal/plant.h"

/* name, text, what is above what */
#define MR_THERMAL_APPROACH_LIST(X)                                                    \
    X(DIE, "die", "hottest die of a rack above its coolant")                           \
    X(CDU, "cdu", "coolant sent to racks above facility water, groups that have flow") \
    X(DRY, "dry_bulb", "facility water above outdoor air while no chiller runs")       \
    X(WET, "wet_bulb", "same above the wet bulb, loops that have towers")

enum mr_thermal_approach {
#define MR_THERMAL_APPROACH_ENUM(name, text, doc) MR_THERMAL_APPROACH_##name,
    MR_THERMAL_APPROACH_LIST(MR_THERMAL_APPROACH_ENUM)
#undef MR_THERMAL_APPROACH_ENUM
    MR_THERMAL_N_APPROACH
};

/* Grows step by step of the plant, so records change nothing. */
struct mr_thermal_figures {
    const struct mr_plant *plant;
    struct mr_metrics_track approach[MR_THERMAL_N_APPROACH];
    double *last_k; /* of every group, then loops over dry and wet bulb; NaN before the first */
    double *rack_k; /* of every rack's dies */
    double it_j, it_w_max; /* drawn by racks up to the last step; the most of one step */
};

MR_CHECKED mr_status mr_thermal_figures_init(struct mr_thermal_figures *figures,
                                             const struct mr_plant *plant, struct mr_err *err);
void mr_thermal_figures_fini(struct mr_thermal_figures *figures);

/** A step of dt_s has ended; 0: the run begins. */
void mr_thermal_figures_step(struct mr_thermal_figures *figures, const struct mr_plant_state *state,
                             double dt_s);

/* ---- the end ---- */

enum {
    MR_THERMAL_FIGURES = 32
};

struct mr_thermal_figure {
    const char *group, *name, *units, *formula; /* static; units for people, "package h" */
    double value;                               /* NaN: not defined here */
};

struct mr_thermal_figure_list {
    struct mr_thermal_figure item[MR_THERMAL_FIGURES];
    size_t n;
};

/** @param[in] until_s length of the run @param[in] inside_frac of a rack's power: fans and pumps in
 *  it; its shelves lose what their curve says */
MR_CHECKED mr_status mr_thermal_figures_end(const struct mr_thermal_figures *figures,
                                            const struct mr_plant_state *state, double until_s,
                                            double inside_frac, struct mr_thermal_figure_list *list,
                                            struct mr_err *err);

/** By "group.name"; NaN when there is none. */
double mr_thermal_figure(const struct mr_thermal_figure_list *list, const char *group,
                         const char *name);

#endif
