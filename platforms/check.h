/* SPDX-License-Identifier: Apache-2.0 */
/* Does a site hold together? Sums of power, heat, flow and mass against what carries them, scale-up
 * domains, reachability. Every finding names the object, the numbers and a cure, and stands where
 * the object stands in its file. Errors are violations; warnings are what a careful planner would
 * ask about. */
#ifndef MR_PLATFORMS_CHECK_H
#define MR_PLATFORMS_CHECK_H

#include "platforms/site.h"

/** Add every finding to `diags`.
 *  @return MR_OK also when there are violations; MR_NOMEM */
MR_CHECKED mr_status mr_check_site(const struct mr_site *site, struct mr_diags *diags,
                                   struct mr_err *err);

/** Warnings of it, for who plays or shows a site without checking it: a contract below what racks
 * may draw. @return whether it is */
bool mr_check_contract(const struct mr_site *site, struct mr_diags *diags);

/** Units of the chain that are far too large for the racks, with what they lose at no load. */
void mr_check_standing(const struct mr_site *site, struct mr_diags *diags);

#endif
