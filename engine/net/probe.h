/* SPDX-License-Identifier: Apache-2.0 */
/* Would SimGrid take a file, or a setting? It ends the whole process over what it does not like, so
 * a child goes first. */
#ifndef MR_ENGINE_NET_PROBE_H
#define MR_ENGINE_NET_PROBE_H

#include "engine/base/status.h"

/** Run load(what) in a child process that shares nothing with this one afterwards.
 *  @param[in] name what to call it in messages
 *  @return MR_OK when the child came to its end; MR_SCHEMA with the last thing it said when it did
 *  not, or took longer than a minute; MR_IO when no child can be made */
MR_CHECKED mr_status mr_probe(void (*load)(const void *what), const void *what, const char *name,
                              struct mr_err *err);

#endif
