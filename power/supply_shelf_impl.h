/* SPDX-License-Identifier: Apache-2.0 */
/* Capacitors in the shelves of racks, as a supply keeps them. */
#ifndef MR_POWER_SUPPLY_SHELF_IMPL_H
#define MR_POWER_SUPPLY_SHELF_IMPL_H

#include "power/buffer.h"

struct mr_supply;
struct mr_supply_total;

/* Of one rack. */
struct mr_supply_shelf {
    struct mr_buffer_params params; /* n_unit 0: it has none */
    struct mr_buffer buffer;
    double mean_w;             /* at the terminals over the running step, above 0 taken */
    double taken_w;            /* of the rack's feed, told to the chain */
    bool is_backed, is_riding; /* told to the chain; they carry the rack now */
};

MR_CHECKED mr_status mr_supply_shelf_init(struct mr_supply *s, struct mr_err *err);

/** Who runs on from its own, who fills again. @return whether the chain must settle again */
bool mr_supply_shelf_decide(struct mr_supply *s);
double mr_supply_shelf_next_s(const struct mr_supply *s);

/** They give and take their energy up to t_s. */
void mr_supply_shelf_step(struct mr_supply *s, double t_s);

/** Of all, above 0 taken; their energy at the date of readings; what they add to sums. */
double mr_supply_shelf_w(const struct mr_supply *s);
double mr_supply_shelf_j(const struct mr_supply *s);
void mr_supply_shelf_total(const struct mr_supply *s, struct mr_supply_total *t);

#endif
