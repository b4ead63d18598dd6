/* SPDX-License-Identifier: Apache-2.0 */
/* <record> of a scenario: what of the run a result file keeps. */
#ifndef MR_ENGINE_TWIN_SCENARIO_RECORD_H
#define MR_ENGINE_TWIN_SCENARIO_RECORD_H

#include <stdbool.h>

/* What the options of run of the same names say, which go before it. */
struct mr_scenario_record {
    const char *what;  /* record_level.h */
    const char *every; /* record_every.h */
    double flush_s;
    bool is_live;
};

#endif
