/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a leak, in a row. */
#include "thermal/leak.h"

static const struct mr_param rows[] = {
    MR_PARAM(struct mr_leak_params, detect_s, "detect", MR_Q_TIME, "1 s", 0, 1e6,
             "From the first drop to the detector's word (assumption)"),
    MR_PARAM(struct mr_leak_params, isolation_s, "isolation", MR_Q_TIME, "10 s", 0, 1e6,
             "From the request to closed valves (assumption)"),
    MR_PARAM(struct mr_leak_params, repair_s, "repair", MR_Q_TIME, "0 s", 0, 1e9,
             "From isolation to service; 0: never in this run"),
};

static const struct mr_param_table table = {"leak", "Response to a coolant leak.", rows,
                                            sizeof rows / sizeof *rows};

const struct mr_param_table *mr_leak_table(void)
{
    return &table;
}

void mr_leak_defaults(struct mr_leak_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    mr_param_defaults(&(struct mr_param_target){&table, params, origin, NULL, "leak"});
}

struct mr_leak mr_leak_start(enum mr_leak_scope scope, double t_s)
{
    return (struct mr_leak){MR_LEAK_UNSEEN, scope, t_s};
}

double mr_leak_next_s(const struct mr_leak_params *params, const struct mr_leak *leak)
{
    switch (leak->stage) {
    case MR_LEAK_UNSEEN:
        return leak->since_s + params->detect_s;
    case MR_LEAK_ISOLATING:
        return leak->since_s + params->isolation_s;
    case MR_LEAK_ISOLATED:
        return params->repair_s > 0 ? leak->since_s + params->repair_s : HUGE_VAL;
    case MR_LEAK_NONE:
        break;
    }
    return HUGE_VAL;
}

void mr_leak_advance(const struct mr_leak_params *params, struct mr_leak *leak)
{
    leak->since_s = mr_leak_next_s(params, leak);
    leak->stage =
        leak->stage == MR_LEAK_ISOLATED ? MR_LEAK_NONE : (enum mr_leak_stage)(leak->stage + 1);
}

bool mr_leak_cuts_power(const struct mr_leak *leak)
{
    return leak->stage >= MR_LEAK_ISOLATING;
}

uint32_t mr_leak_lost(const struct mr_leak *leak, uint32_t n_package, uint32_t n_tray)
{
    if (!mr_leak_cuts_power(leak))
        return 0;
    if (leak->scope != MR_LEAK_SCOPE_TRAY || n_tray <= 1)
        return n_package;
    return (n_package + n_tray - 1) / n_tray;
}
