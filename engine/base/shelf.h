/* SPDX-License-Identifier: Apache-2.0 */
/* Cards by id, each file read once however often it is named. A card of kind K is the file
 * FOLDER/ID.xml, FOLDER being the kind's, beside the file that names it or in the folders of
 * share.h. Cards live as long as the shelf. */
#ifndef MR_ENGINE_BASE_SHELF_H
#define MR_ENGINE_BASE_SHELF_H

#include "engine/base/card.h"

struct mr_shelf; /* one thread at a time */

MR_CHECKED mr_status mr_shelf_create(struct mr_shelf **out, struct mr_err *err);
void mr_shelf_destroy(struct mr_shelf *shelf); /* NULL is fine */

/** Forget which cards are absent or wrong, so that the next file is told of them too. */
void mr_shelf_forget_misses(struct mr_shelf *shelf);

/** The card of an id. One that is absent or wrong is told once, with the nearest id of that kind
 *  when there is one; later calls return NULL silently.
 *  @param[in] at where the id stands: the place of "no such card"
 *  @return the card, lent, or NULL */
const struct mr_card *mr_shelf_card(struct mr_shelf *shelf, const struct mr_card_kind *kind,
                                    const char *id, struct mr_place at, struct mr_diags *diags);

/** The i-th of the cards that have been found so far; NULL: there are no more. */
const struct mr_card *mr_shelf_nth(const struct mr_shelf *shelf, size_t i);

/* Ids, sorted, none twice; owned here. */
struct mr_shelf_list {
    char **id;
    size_t n, cap;
};

/** Append the ids of all files of a kind in all share folders, then sort the whole list and drop
 *  what is there twice, so that lists of several kinds may be joined.
 *  @param[in] naming_file its folder is searched too; NULL: none
 *  @param[in,out] list zero or filled before; mr_shelf_list_fini, after errors too */
MR_CHECKED mr_status mr_shelf_list_add(struct mr_shelf_list *list, const struct mr_card_kind *kind,
                                       const char *naming_file, struct mr_err *err);
void mr_shelf_list_fini(struct mr_shelf_list *list);

#endif
