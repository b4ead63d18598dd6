/* SPDX-License-Identifier: Apache-2.0 */
/* Where the program's own files are: cards, platforms, schemas. Looked for in this order: the
 * folder of the file that names them, the folders of MILLRACE_PATH, share/millrace beside the
 * program's bin, and the source tree that the build folder of the program stands in. No path is
 * compiled in. */
#ifndef MR_ENGINE_BASE_SHARE_H
#define MR_ENGINE_BASE_SHARE_H

#include "engine/base/text.h"

/** Find a readable file, e.g. "platforms/racks/vr_nvl72.xml".
 *  @param[in] naming_file its folder is searched first; NULL: none
 *  @param[out] path replaced by the path found
 *  @return MR_OK, or MR_REF naming every folder that was searched */
MR_CHECKED mr_status mr_share_find(const char *file, const char *naming_file, struct mr_buf *path,
                                   struct mr_err *err);

/** Every folder searched, in order, separated by ":"; for listings that walk all of them. */
void mr_share_folders(const char *naming_file, struct mr_buf *folders);

#endif
