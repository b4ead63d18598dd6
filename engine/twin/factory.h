/* SPDX-License-Identifier: Apache-2.0 */
/* A site under a cell: the exchange (exchange.h) driven by the cell's instances, with what a
 * scenario says of weather, plant, supply and events. Plays a cell to a date with exchanges on the
 * way. */
#ifndef MR_ENGINE_TWIN_FACTORY_H
#define MR_ENGINE_TWIN_FACTORY_H

#include "engine/twin/exchange.h"
#include "engine/twin/outages.h"
#include "engine/twin/pool.h"

struct mr_factory;

/* Told of what happens on the site, in the order of dates. */
struct mr_factory_sink {
    void (*event)(void *context, double t_s, const char *kind, const char *entity, double value,
                  double limit);
    void *context;
};

/** @param[in] decode, prefill open pools, prefill NULL where there is none; lent, as is the
 *  scenario @param[out] out mr_factory_close */
MR_CHECKED mr_status mr_factory_open(const struct mr_scenario *scenario,
                                     const struct mr_pool *decode, const struct mr_pool *prefill,
                                     const struct mr_factory_sink *sink, struct mr_factory **out,
                                     struct mr_diags *diags);
void mr_factory_close(struct mr_factory *factory);

/** When the next exchange, or the next event on the site, is due. */
double mr_factory_next_s(const struct mr_factory *factory);

/** It happens. The cell has been played up to then, as for mr_cell_arrive.
 *  @param[in] cell made of the same pools @param[in] outages of its seats: the site is one more
 *  reason to be down or slow
 *  @return MR_DIVERGED also when calls have waited for a day with nothing to come that could help
 */
MR_CHECKED mr_status mr_factory_do(struct mr_factory *factory, struct mr_cell *cell,
                                   struct mr_outages *outages, double now_s, struct mr_err *err);

const struct mr_stand *mr_factory_stand(const struct mr_factory *factory);
const struct mr_site *mr_factory_site(const struct mr_factory *factory);
struct mr_exchange *mr_factory_exchange(struct mr_factory *factory);

/* What the instances of a rack show; those of several racks are on each by their packages. */
struct mr_factory_rack {
    double n_package;    /* that serve */
    double n_token;      /* made since the start */
    double kv_used_frac; /* mean of its packages that serve; NaN: none does */
};

/** As of the last exchange. @param[out] rack one per rack of the site */
void mr_factory_racks(const struct mr_factory *factory, struct mr_factory_rack *rack);

/** Price of all racks, from their cards; NaN where one of them has none. */
double mr_factory_capital_usd(const struct mr_factory *factory);

#endif
