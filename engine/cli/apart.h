/* SPDX-License-Identifier: Apache-2.0 */
/* Files of one call that must not be the same: what is written beside what is read, and beside what
 * else is written. Looked at before anything is. */
#ifndef MR_ENGINE_CLI_APART_H
#define MR_ENGINE_CLI_APART_H

#include "engine/base/status.h"

#include <stddef.h>

struct mr_apart_file {
    const char *option; /* "--csv"; what is read: what to call it */
    const char *path;   /* NULL: not asked for; "-" is no file */
    bool is_read;
};

/** @return MR_OK, MR_RANGE: two of them are one file, whatever their spelling */
MR_CHECKED mr_status mr_apart_check(const struct mr_apart_file *file, size_t n, struct mr_err *err);

#endif
