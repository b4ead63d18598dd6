/* SPDX-License-Identifier: Apache-2.0 */
/* Cards by id, each file read once however many racks name it. Cards live as long as the library.
 */
#ifndef MR_PLATFORMS_LIBRARY_H
#define MR_PLATFORMS_LIBRARY_H

#include "platforms/cdu.h"
#include "platforms/rack.h"
#include "platforms/reject.h"
#include "platforms/switch.h"

struct mr_library; /* one thread at a time */

MR_CHECKED mr_status mr_library_create(struct mr_library **out, struct mr_err *err);
void mr_library_destroy(struct mr_library *library); /* NULL is fine */

/** Forget which cards are absent or wrong, so that the next file is told of them too. */
void mr_library_forget_misses(struct mr_library *library);

/** The card of an id, looked for as platforms/KINDs/ID.xml beside the naming file and in the
 * folders of share.h. A card that is absent or wrong is told once, with the nearest id of that kind
 * when there is one; later calls return NULL silently.
 *  @param[in] at where the id stands: the place of "no such card"
 *  @return the card, or NULL */
const struct mr_card *mr_library_card(struct mr_library *library, const struct mr_card_kind *kind,
                                      const char *id, struct mr_place at, struct mr_diags *diags);
/** The i-th of the cards that have been found so far; NULL: there are no more. */
const struct mr_card *mr_library_nth(const struct mr_library *library, size_t i);
const struct mr_rack_card *mr_library_rack(struct mr_library *library, const char *id,
                                           struct mr_place at, struct mr_diags *diags);
const struct mr_cdu_card *mr_library_cdu(struct mr_library *library, const char *id,
                                         struct mr_place at, struct mr_diags *diags);
const struct mr_switch_card *mr_library_switch(struct mr_library *library, const char *id,
                                               struct mr_place at, struct mr_diags *diags);
const struct mr_reject_card *mr_library_reject(struct mr_library *library, const char *id,
                                               struct mr_place at, struct mr_diags *diags);

#endif
