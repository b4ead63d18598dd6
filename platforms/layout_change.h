/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts with other values than their file says: "hall/row/rack/count" = "6". A path names the
 * elements below <layout> and an attribute of the last one; among several elements of a name the
 * one meant is told by its number, from 0 on: "hall/row[1]/rack/card". What is changed is the text
 * of the file, so that all its checks hold and messages still point into it. */
#ifndef MR_PLATFORMS_LAYOUT_CHANGE_H
#define MR_PLATFORMS_LAYOUT_CHANGE_H

#include "engine/base/text.h"

struct mr_layout_change {
    const char *path, *value;
};

/** A layout's text with n changes, one after the other. An attribute that is not there is added,
 *  and so are <grid>, <provision>, <power>, <cooling> and <fabric>.
 *  @param[in] name of the file, for messages
 *  @return MR_OK; MR_REF for a path that leads nowhere or to several elements; what reading gives
 */
MR_CHECKED mr_status mr_layout_change_text(const char *name, struct mr_str text,
                                           const struct mr_layout_change *change, size_t n,
                                           struct mr_buf *out, struct mr_err *err);

#endif
