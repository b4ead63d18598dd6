/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind that the twin counts as a violation (engine/twin/play.c). */
#include "postprocess/breach.h"

#include <string.h>

const char *mr_breach_words(const char *kind)
{
    static const struct {
        const char *kind, *words;
    } table[] = {
        {"th.throttle_on", "the temperature limit of dies"},
        {"th.hbm_limit", "the temperature limit of memories"},
        {"th.shutdown", "the temperature at which packages go off"},
        {"th.supply_high", "the limit of the coolant's supply temperature"},
        {"th.rack_return_high", "the limit of the coolant's return temperature"},
        {"th.room_high", "the temperature limit of the room"},
        {"power.breaker_trip", "the rating of a breaker, which trips,"},
        {"power.stage_overload", "the rating of a stage of the power chain"},
        {"power.cable_overload", "the rating of a cable"},
        {"power.rack_lost", "the supply of a rack, which goes dark,"},
        {"power.budget_infeasible", "a power budget below the lowest caps"},
        {"power.ramp_violation", "the ramp limit"},
        {"power.source_short", "the rating of sources on the site"},
        {"power.gen_fail", "the supply by generators, of which some fail,"},
        {"grid.ufls", "the threshold of an under-frequency relay"},
        {"grid.frequency", "the frequency at which the site leaves the grid"},
        {"grid.collapse", "the lowest frequency of an island, which collapses,"},
        {"grid.powerbreach", "the grid's load target"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].kind, kind) == 0)
            return table[i].words;
    return kind;
}
