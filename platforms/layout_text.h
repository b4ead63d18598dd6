/* SPDX-License-Identifier: Apache-2.0 */
/* A layout's content as text, the same however it is spelled. */
#ifndef MR_PLATFORMS_LAYOUT_TEXT_H
#define MR_PLATFORMS_LAYOUT_TEXT_H

#include "engine/base/text.h"

/** @param[in] name of the file, for messages @param[out] is_layout false: another kind of file, of
 *  which nothing is written @param[in,out] out text is appended */
MR_CHECKED mr_status mr_layout_text(const char *name, struct mr_str text, bool *is_layout,
                                    struct mr_buf *out, struct mr_err *err);

#endif
