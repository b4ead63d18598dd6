/* SPDX-License-Identifier: Apache-2.0 */
/* Relays that follow a trace of the grid's frequency. */
#ifndef MR_POWER_SUPPLY_RELAY_IMPL_H
#define MR_POWER_SUPPLY_RELAY_IMPL_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct mr_supply;

struct mr_supply_relay {
    uint64_t n_shed;        /* stages that are out */
    double below_s, next_s; /* the next stage's threshold is undercut since; something is due */
    bool is_out;            /* so low that the site leaves */
};

MR_CHECKED mr_status mr_supply_relay_init(struct mr_supply *s, struct mr_err *err);

/** The grid's frequency counts among the lowest, up to t_s. */
void mr_supply_relay_step(struct mr_supply *s, double t_s);

/** What is due now. */
void mr_supply_relay_act(struct mr_supply *s);
double mr_supply_relay_next_s(const struct mr_supply *s);

/** The grid's frequency, or the lowest of islands. */
double mr_supply_relay_hz(const struct mr_supply *s);

/** Of the grid, as the ride-through curve sees it. */
double mr_supply_relay_voltage_frac(const struct mr_supply *s);

#endif
