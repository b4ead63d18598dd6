/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as they were recorded, one after the other, to the script that players read.
 *
 * Blocks: a recording's blocks of T tokens become the engine's of b. Where b divides T, block i
 * becomes T/b blocks from i T/b on, token for token. Where T divides b, b/T blocks of a call become
 * one, which calls have in common if they have all of it in common (coarse.h); what does not fill
 * one is left out.
 * Names are 32 bits wide: ids that are small enough are names as they stand, others get numbers,
 * those of a session's own forgotten with it.
 *
 * Blocks that no file names, added to all that a call's base has, begin with what the base made: as
 * many as its output fills are named as the base names them (script.h), whatever stands before.
 *
 * Shared prefixes that a session names have spaces of their own. With `shares` so have the tools
 * and system prompts of recordings, whose sizes are known but not their contents: sessions of one
 * model whose prompts have the same size, within 1,024 tokens, are taken to have the same prompt.
 *
 * Calls that are strict are so to one degree: among them priority decides.
 *
 * A delay of a dependency is a pause of which nobody says what it was: it is capped and scaled as
 * thinking is.
 *
 * Tools without durations draw them from their class. A session's priority is that of its calls
 * which say none. */
#ifndef MR_ENGINE_WORK_LOWER_H
#define MR_ENGINE_WORK_LOWER_H

#include "engine/work/block_names.h"
#include "engine/work/coarse.h"
#include "engine/work/script_names.h"
#include "engine/work/session.h"

struct mr_lower_plan {
    uint32_t block_tok; /* of the engine; a power of two */
    uint64_t seed;
    bool shares;
    double gap_cap_s, gap_factor; /* of delays behind completions, pauses that are nothing else;
                                     the factor comes first. 0: no cap, no factor */
    uint32_t input_max;           /* sessions with longer contexts are left out; 0: none is */
    /* Names that sessions may say, in their order; none: what they say means nothing */
    const char *const *tier, *const *tenant;
    size_t n_tier, n_tenant;
    const char *llm; /* card that serves; NULL: nobody asks */
};

/* Engine blocks that no file names, and as what they are known: a base's output. */
struct mr_lower_alias {
    uint32_t id, n, name;
};

struct mr_lower {
    struct mr_lower_plan plan;
    struct mr_script *script; /* lent */
    struct mr_intern prefix;  /* names of shared spaces, from 1 */
    struct mr_intern hint;    /* those of the script, from 0 (script_hint.h) */
    struct mr_script_run *run;
    size_t cap_run;
    struct mr_script_after *after;
    size_t cap_after;
    uint32_t *context; /* by LLM node of the session: index of its context, or MR_SCRIPT_NONE */
    struct mr_session_context *blocks; /* by LLM node */
    struct mr_session_context *large;  /* by LLM node; where the engine's blocks are larger */
    struct mr_block_names names;       /* of large ids, of the session or of all */
    struct mr_coarse coarse;           /* of the session or of all */
    struct mr_lower_alias *alias;      /* of the session, by id */
    size_t n_alias, cap_alias;
    struct mr_script_names sequence; /* of the session's names, once its nodes are there */
    uint32_t *last; /* by lane: context of its last call so far, or MR_SCRIPT_NONE */
    size_t cap_context, cap_blocks, cap_large, cap_last;
    uint64_t n_left_out;  /* sessions */
    uint64_t n_no_tenant; /* sessions that name tenants where there are none */
    uint64_t n_no_hint;   /* calls whose hints are more kinds than a script keeps */
    uint64_t n_other_llm; /* calls of models that are not the plan's */
};

void mr_lower_init(struct mr_lower *lower, const struct mr_lower_plan *plan,
                   struct mr_script *script);
void mr_lower_fini(struct mr_lower *lower);

/** Add one session. @return MR_OK, MR_RANGE, MR_LIMIT, MR_NOMEM, MR_REF (a tier or tenant),
 * MR_PARSE (a schedule) */
MR_CHECKED mr_status mr_lower_add(struct mr_lower *lower, const struct mr_session *session,
                                  const struct mr_session_book *book, struct mr_err *err);

#endif
