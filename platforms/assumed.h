/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of a site's cards that rest on press or on nobody's word: what a planner must know before
 * trusting a sum. Only figures that the cards state; defaults of the tables are not repeated. */
#ifndef MR_PLATFORMS_ASSUMED_H
#define MR_PLATFORMS_ASSUMED_H

#include "engine/base/jsonw.h"
#include "platforms/library.h"
#include "platforms/site.h"

/** One line per card and confidence: "vr_nvl72  press: power.max_p 230 kW, ...". Cards that cannot
 *  be read are told in `diags` as warnings and left out. */
MR_CHECKED mr_status mr_assumed_print(const struct mr_site *site, struct mr_buf *out,
                                      struct mr_diags *diags);

/** The same as an array of {"card", "figure", "value", "confidence", "source", "note"}. */
MR_CHECKED mr_status mr_assumed_json(const struct mr_site *site, struct mr_jsonw *w,
                                     struct mr_diags *diags);

#endif
