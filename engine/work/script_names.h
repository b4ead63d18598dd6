/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of a session named anew, so that its contexts are few runs.
 *
 * Recordings number blocks as they first see them. An agent whose prompts end in what the next one
 * no longer has (a reminder, a mark of the cache) goes on with a number behind that end: each such
 * call breaks the sequence, and every run is an extent in the caches of the engines. To these a
 * name is a name (serve/cache.h). So what a session goes on with is named in sequence, and the ends
 * that it dropped stand aside. What calls have in common stays the same, with what their outputs
 * are named (script.h). */
#ifndef MR_ENGINE_WORK_SCRIPT_NAMES_H
#define MR_ENGINE_WORK_SCRIPT_NAMES_H

#include "engine/work/script.h"

/* Ids that stand together in all contexts. */
struct mr_script_part {
    uint32_t id, n;
    uint32_t name; /* of its first block, from now on */
    uint32_t wish; /* part that most contexts have behind it, or MR_SCRIPT_NONE */
    uint32_t votes;
    uint32_t next, before; /* parts that are named in sequence with it, or MR_SCRIPT_NONE */
    bool is_used;          /* some ids between others are in no context */
    bool goes_on, forks;   /* contexts have the ids behind its own there; others */
    bool is_entered;       /* from elsewhere than the ids before its own */
    bool is_said;          /* outputs have its last id and the one behind it, or could have */
    bool is_named;
};

/* Memory for one session after the other; zero-initialize. */
struct mr_script_names {
    uint32_t *bound; /* ids where parts begin and end */
    struct mr_script_part *part;
    struct mr_script_run *run;
    size_t n_bound, cap_bound, n_part, cap_part, n_run, cap_run;
};

/** Name the own blocks of the session that is being built, whose nodes are all there.
 *  @param[in] block_tok tokens of a block */
MR_CHECKED mr_status mr_script_names_join(struct mr_script_names *names, struct mr_script *script,
                                          uint32_t block_tok, struct mr_err *err);
void mr_script_names_fini(struct mr_script_names *names);

#endif
