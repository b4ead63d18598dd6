/* SPDX-License-Identifier: Apache-2.0 */
/* How large the result file of a scenario will be, before it is run: the tables that are written,
 * times how many of each there are, times how often. */
#ifndef MR_ENGINE_CLI_SHOW_SIZE_H
#define MR_ENGINE_CLI_SHOW_SIZE_H

#include "engine/twin/scenario.h"

struct mr_show_size {
    double calls;              /* NaN: only a run can tell */
    double samples, every_s;   /* of series that are recorded most often */
    double call_b, sample_b;   /* of one, as they are stored, before packing [B] */
    double unpacked_b;         /* of all samples */
    double calls_b;            /* of all calls (--record requests), packed */
    double beside_b, packed_b; /* descriptions and figures; the file */
    bool has_calls;            /* those it keeps are in packed_b */
};

/** Of what its <record> says; steps of racks come on top.
 *  @param[out] size all of it, also where a site cannot be opened: without the site then */
MR_CHECKED mr_status mr_show_size_of(const struct mr_scenario *scenario, struct mr_show_size *size,
                                     struct mr_diags *diags);

#endif
