/* SPDX-License-Identifier: Apache-2.0 */
/* Figures made of figures: "tok_s.output / power.site_mw_mean". Numbers, paths of figures, + - * /,
 * parentheses, min(a, b) and max(a, b); a path with other characters than letters, digits, "_" and
 * "." stands in brackets, [tiers.gold-plus.tok_s]. What a figure that is not there makes is NaN,
 * and so is what is divided by 0 or grows beyond all numbers. */
#ifndef MR_POSTPROCESS_FORMULA_H
#define MR_POSTPROCESS_FORMULA_H

#include "engine/base/text.h"

/** @param[in] value_of the figure of that path, NaN when there is none
 *  @param[out] value finite, or NaN @param[out] why "" or why it is NaN, other than by a figure
 *  @return MR_OK, or MR_PARSE with the place in the text */
MR_CHECKED mr_status mr_formula_value(const char *text,
                                      double (*value_of)(const void *context, struct mr_str path),
                                      const void *context, double *value, const char **why,
                                      struct mr_err *err);

#endif
