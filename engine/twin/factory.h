/* SPDX-License-Identifier: Apache-2.0 */
/* A site under the cells of a run: the exchange (exchange.h) driven by their instances, with what a
 * scenario says of weather, plant, supply and events. An exchange is three steps: every cell looks
 * at its instances, the site answers, every cell obeys. With several ranks each looks at its own
 * cells and all hear the whole answer, which all of them compute: the same bits. */
#ifndef MR_ENGINE_TWIN_FACTORY_H
#define MR_ENGINE_TWIN_FACTORY_H

#include "engine/twin/exchange.h"
#include "engine/twin/gauge.h"
#include "engine/twin/outages.h"
#include "engine/twin/pool.h"
#include "power/flex.h"
#include "power/strand.h"

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

/* What is seen of an instance at an exchange. */
struct mr_factory_seen {
    struct mr_exchange_work work;
    struct mr_gauge gauge;
    double lpu_j; /* of all its LPUs beside packages, in steps */
};

/** Of all instances, to be filled before an exchange: those that decode, then those that read.
 *  @return [seats of all cells] */
struct mr_factory_seen *mr_factory_seen(struct mr_factory *factory);

/** Look at some of a cell's seats. @param[in] cell made of the same pools; played up to now
 *  @param[out] seen [n] */
void mr_factory_look(const struct mr_cell *cell, uint32_t seat, uint32_t n, double now_s,
                     struct mr_factory_seen *seen);

/* Of all cells. */
struct mr_factory_mood {
    uint64_t n_parked; /* calls that wait for an instance that is open */
    bool is_idle;      /* nothing runs, and no outage is to end */
};

/** The exchange, and the events that are due.
 *  @return MR_DIVERGED also when calls have waited for a day with nothing to come that could help
 */
MR_CHECKED mr_status mr_factory_do(struct mr_factory *factory, const struct mr_factory_mood *mood,
                                   double now_s, struct mr_err *err);

/** Orders that are new reach a seat. @param[in] i its instance in the stand @param[in] outages of
 *  the cell's seats: the site is one more reason to be down or slow */
MR_CHECKED mr_status mr_factory_obey(struct mr_factory *factory, uint32_t i, struct mr_cell *cell,
                                     struct mr_outages *outages, uint32_t seat, double now_s,
                                     struct mr_err *err);

/** Would the instance do more if it had the watts? As of the last exchange. */
bool mr_factory_is_short(const struct mr_factory *factory, uint32_t i);

const struct mr_stand *mr_factory_stand(const struct mr_factory *factory);
const struct mr_site *mr_factory_site(const struct mr_factory *factory);
struct mr_exchange *mr_factory_exchange(struct mr_factory *factory);

/* What the instances of a rack show; those of several racks are on each by their packages. */
struct mr_factory_rack {
    double n_package;                      /* that serve */
    double n_token;                        /* made since the start */
    double kv_used_frac, kv_resident_frac; /* mean of its packages that serve; NaN: none does */
};

/** As of the last exchange. @param[out] rack one per rack of the site */
void mr_factory_racks(const struct mr_factory *factory, struct mr_factory_rack *rack);

/* Of a site, for its summary. */
struct mr_factory_books {
    struct mr_flex flex;        /* calls of a flexible connection */
    struct mr_supply_odds odds; /* of its worst level; the name ends with the factory */
    char level[64];             /* that name */
    uint32_t n_level;
    double compute_j;        /* behind the racks' power shelves, since the start */
    struct mr_strand strand; /* installed and not to be used, with every rack at its rating */
};

/** Shelves lose what they lose at a rack's mean power: their loss is nearly a line, and the mean
 *  of the losses is larger by its curvature only. */
MR_CHECKED mr_status mr_factory_books(const struct mr_factory *factory,
                                      struct mr_factory_books *books, struct mr_err *err);

/** Price of all racks, from their cards; NaN where one of them has none. */
double mr_factory_capital_usd(const struct mr_factory *factory);

#endif
