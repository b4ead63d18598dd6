/* SPDX-License-Identifier: Apache-2.0 */
/* Extents from oldest to youngest: a list through the nodes of a tree. Whoever is evicted next
 * stands first. */
#ifndef MR_ENGINE_SERVE_CACHE_LIST_H
#define MR_ENGINE_SERVE_CACHE_LIST_H

#include "engine/serve/cache_tree.h"

struct mr_cache_list {
    uint32_t oldest, youngest; /* 0: empty */
    uint64_t n_op;             /* insertions and removals */
};

static inline void mr_cache_list_append(struct mr_cache_list *list, struct mr_cache_node *node,
                                        uint32_t i)
{
    node[i].older = list->youngest;
    node[i].younger = 0;
    if (list->youngest != 0)
        node[list->youngest].younger = i;
    else
        list->oldest = i;
    list->youngest = i;
    list->n_op++;
}

static inline void mr_cache_list_remove(struct mr_cache_list *list, struct mr_cache_node *node,
                                        uint32_t i)
{
    if (node[i].older != 0)
        node[node[i].older].younger = node[i].younger;
    else
        list->oldest = node[i].younger;
    if (node[i].younger != 0)
        node[node[i].younger].older = node[i].older;
    else
        list->youngest = node[i].older;
    list->n_op++;
}

/** Node i becomes the next younger one after `older`. */
static inline void mr_cache_list_insert_after(struct mr_cache_list *list,
                                              struct mr_cache_node *node, uint32_t i,
                                              uint32_t older)
{
    node[i].older = older;
    node[i].younger = node[older].younger;
    if (node[i].younger != 0)
        node[node[i].younger].older = i;
    else
        list->youngest = i;
    node[older].younger = i;
    list->n_op++;
}

#endif
