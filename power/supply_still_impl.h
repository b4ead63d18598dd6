/* SPDX-License-Identifier: Apache-2.0 */
/* A controller that has come to rest: what it found, and whether it may be left alone. */
#ifndef MR_POWER_SUPPLY_STILL_IMPL_H
#define MR_POWER_SUPPLY_STILL_IMPL_H

struct mr_supply;

struct mr_supply_still {
    int n;                   /* its last beats that have found the same */
    double budget_w, grid_w; /* at the last of them */
};

/** Something has happened, or was told. */
void mr_supply_still_stir(struct mr_supply *s);

/** After a beat of the controller: has it come to rest? */
void mr_supply_still_look(struct mr_supply *s);

/** Its next beat that something may come of; INFINITY: none before something happens. */
double mr_supply_still_clock_s(const struct mr_supply *s);

#endif
