/* SPDX-License-Identifier: Apache-2.0 */
/* Where an event of /events happened, as text: files hold a kind and a place on the axis of that
 * kind, or, of power alone, a place on the axis of nodes. */
#ifndef MR_POSTPROCESS_WHERE_H
#define MR_POSTPROCESS_WHERE_H

#include "postprocess/runread.h"

/* Values of an event's columns; NaN where the file has no such column. */
struct mr_where {
    double entity, index, node;
};

/** "H0.R0.rppA", "site", "prefill 3"; "rack 7" where the file holds no names of racks; "" where it
 *  does not say where. @param[out] out longer names are cut */
MR_CHECKED mr_status mr_where_text(struct mr_runread *run, const struct mr_where *where,
                                   char out[96], struct mr_err *err);

#endif
