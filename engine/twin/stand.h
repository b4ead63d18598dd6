/* SPDX-License-Identifier: Apache-2.0 */
/* Where instances stand: which packages of which racks are whose. Pools take racks of their card's
 * package in the order of the site; an instance that fits into one rack stays in one, larger ones
 * take racks that follow each other. What is left over idles. Description only: const once made. */
#ifndef MR_ENGINE_TWIN_STAND_H
#define MR_ENGINE_TWIN_STAND_H

#include "platforms/site.h"

/* Packages [first, first + n) of a rack. */
struct mr_stand_span {
    uint32_t rack, first, n;
};

struct mr_stand {
    struct mr_stand_span *span;
    size_t n_span, span_cap;
    uint32_t *begin; /* [n_instance + 1]: spans of instance i are begin[i] .. begin[i + 1] - 1 */
    uint32_t n_instance;
    size_t begin_cap;
    uint32_t *n_taken; /* [site->n_rack] packages of each rack */
};

/** Zero-initialized @param[in] site lent to the calls below @return MR_OK or MR_NOMEM */
MR_CHECKED mr_status mr_stand_init(struct mr_stand *stand, const struct mr_site *site,
                                   struct mr_err *err);
void mr_stand_fini(struct mr_stand *stand);

/** Place n_instance more, of n_package packages each.
 *  @param[in] card of the packages @param[in] element of the scenario, for messages
 *  @return MR_REF when the site has no such package, MR_LIMIT when it has too few, saying how many
 */
MR_CHECKED mr_status mr_stand_pool(struct mr_stand *stand, const struct mr_site *site,
                                   const char *card, uint32_t n_package, uint32_t n_instance,
                                   const char *element, struct mr_err *err);

/** Is one of the instance's packages among the first n_dark of rack? Trays lose power from the
 *  first on. */
bool mr_stand_is_hit(const struct mr_stand *stand, uint32_t instance, uint32_t rack,
                     uint32_t n_dark);

#endif
