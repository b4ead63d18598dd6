/* SPDX-License-Identifier: Apache-2.0 */
/* A flexible connection in time: for so many hours a year a share of the limit may be
 * called back (the layout's curtail and curtail_hours). With prices these are the dearest rows of
 * the price file, as many as are its share of a year, and a call is a load target like any other,
 * but that it relaxes none: where a deeper one is known as it begins, that one stays. Without
 * prices nobody says when, and only the year is reckoned. */
#ifndef MR_POWER_FLEX_H
#define MR_POWER_FLEX_H

#include "engine/base/jsonw.h"
#include "power/supply.h"
#include "power/tariff.h"

struct mr_flex {
    bool is_on, is_scheduled;
    struct mr_tariff_flexible year; /* in joules: a value of 1 USD/J */
    struct mr_tariff_year gain;
    struct mr_series called; /* 1 in hours that are called */
    const struct mr_series *price;
    double until_s, call_s, end_s; /* of the run; of the call in force, end 0: none */
    double held_j;                 /* kept from racks before it */
    uint64_t n_call;
    double called_s, kept_j, saved_usd; /* over calls that ended, at their mean prices */
};

/** @param[in] price NULL: none */
MR_CHECKED mr_status mr_flex_init(struct mr_flex *flex, const struct mr_site *site,
                                  const struct mr_series *price, double until_s,
                                  struct mr_arena *arena, struct mr_err *err);

/** Begins and ends calls at now_s; the supply has advanced to it. */
MR_CHECKED mr_status mr_flex_step(struct mr_flex *flex, struct mr_supply *supply, double now_s,
                                  struct mr_err *err);

/** The run is over: a call in force ends, shares of a year are of what was run. */
void mr_flex_end(struct mr_flex *flex, const struct mr_supply *supply, double now_s);
double mr_flex_next_s(const struct mr_flex *flex, double now_s);

void mr_flex_text(const struct mr_flex *flex, struct mr_buf *out);
void mr_flex_json(const struct mr_flex *flex, struct mr_jsonw *w);

#endif
