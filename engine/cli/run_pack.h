/* SPDX-License-Identifier: Apache-2.0 */
/* Contents of a file as a text: gzip, then base64 (RFC 4648). Equal contents are equal texts. */
#ifndef MR_ENGINE_CLI_RUN_PACK_H
#define MR_ENGINE_CLI_RUN_PACK_H

#include "engine/base/text.h"

MR_CHECKED mr_status mr_run_pack(const void *bytes, size_t n, struct mr_buf *out,
                                 struct mr_err *err);

/** @param[in] name for messages @param[in] n_max contents of more bytes are refused
 *  @param[out] bytes owned by the caller: mr_free
 *  @return MR_PARSE where the text is none of mr_run_pack's, MR_LIMIT */
MR_CHECKED mr_status mr_run_unpack(struct mr_str text, const char *name, size_t n_max, char **bytes,
                                   size_t *n, struct mr_err *err);

#endif
