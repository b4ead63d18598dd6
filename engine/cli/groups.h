/* SPDX-License-Identifier: Apache-2.0 */
/* What result files hold, as reference pages: the records list their groups of datasets beside the
 * tables by which they write them. */
#ifndef MR_ENGINE_CLI_GROUPS_H
#define MR_ENGINE_CLI_GROUPS_H

#include "engine/base/text.h"
#include "engine/record/channel.h"

struct mr_group {
    const char *path, *axes; /* "/racks", "time, rack" */
    const char *doc;
    const struct mr_channel *channel; /* NULL: the axes alone */
    size_t n;
};

struct mr_group_list {
    const char *who; /* writes them */
    const struct mr_group *group;
    size_t n;
};

#define MR_GROUP(path_, axes_, channels, doc_)                                  \
    {                                                                           \
        .path = (path_), .axes = (axes_), .doc = (doc_), .channel = (channels), \
        .n = sizeof(channels) / sizeof *(channels)                              \
    }
#define MR_GROUP_LIST(who_, groups)                         \
    {                                                       \
        (who_), (groups), sizeof(groups) / sizeof *(groups) \
    }

void mr_groups_print_md(struct mr_buf *out);
void mr_groups_print_man(struct mr_buf *out);

/** One JSON object: schema, kind, groups with their datasets. */
void mr_groups_print_json(struct mr_buf *out);

#endif
