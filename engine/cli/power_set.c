/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes are the tables of the pairs in power/ that have one. */
#include "engine/cli/power_set.h"

#include <math.h>
#include <string.h>

mr_status mr_power_set(const char *text, struct mr_supply_params *p,
                       struct mr_spectrum_params *spectrum, struct mr_err *err)
{
    const struct {
        const char *scope;
        const struct mr_param_table *table;
        void *object;
    } scope[] = {{"supply", mr_supply_table(), p},
                 {"wire", mr_wire_table(), &p->wire},
                 {"governor", mr_govern_table(), &p->govern},
                 {"feed", mr_feed_table(), &p->feed},
                 {"ride", mr_feed_ride_table(), &p->ride},
                 {"tariff", mr_tariff_table(), &p->tariff},
                 {"frequency", mr_frequency_table(), &p->frequency},
                 {"smoothing", mr_smooth_table(), &p->smooth},
                 {"spectrum", mr_spectrum_table(), spectrum}};
    const char *dot = strchr(text, '.'), *equals = strchr(text, '=');
    for (size_t i = 0; dot != NULL && equals > dot && i < sizeof scope / sizeof *scope; i++) {
        uint8_t origin[64] = {0};
        const struct mr_param_target target = {.table = scope[i].table,
                                               .object = scope[i].object,
                                               .origin = origin,
                                               .what = scope[i].scope};
        if (mr_str_is((struct mr_str){text, (size_t)(dot - text)}, scope[i].scope))
            return mr_param_set(&target, (struct mr_str){dot + 1, (size_t)(equals - dot) - 1},
                                mr_str_of(equals + 1), MR_PARAM_OVERRIDDEN, MR_NOWHERE, err);
    }
    const char *name[sizeof scope / sizeof *scope];
    char hint[MR_QUOTE_CAP];
    for (size_t i = 0; i < sizeof scope / sizeof *scope; i++)
        name[i] = scope[i].scope;
    mr_text_hint((struct mr_str){text, dot != NULL ? (size_t)(dot - text) : strlen(text)}, name,
                 sizeof scope / sizeof *scope, hint, sizeof hint);
    return mr_err_set(err, MR_REF, MR_NOWHERE,
                      "--set '%s': SCOPE.NAME=VALUE is wanted, of supply, wire, governor, feed, "
                      "ride, tariff, frequency, smoothing, spectrum%s",
                      text, hint);
}

mr_status mr_power_set_tier(const char *text, struct mr_supply *supply, struct mr_err *err)
{
    const char *equals = strrchr(text, '=');
    double tier = -1;
    if (equals == NULL || equals == text)
        return mr_err_set(err, MR_PARSE, MR_NOWHERE, "--tier '%s': NAME=TIER is wanted", text);
    MR_TRY(mr_unit_parse(mr_str_of(equals + 1), MR_Q_COUNT, text, MR_NOWHERE, &tier, err));
    if (!(tier >= 0 && tier <= UINT8_MAX && tier == floor(tier)))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "--tier '%s': a whole number from 0 to 255",
                          text);
    return mr_supply_set_tier_of(supply, (struct mr_str){text, (size_t)(equals - text)},
                                 (uint8_t)tier, err);
}
