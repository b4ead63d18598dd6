/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts on their way through a pipeline. An instance of pp stages cuts the tokens of a step into
 * up to pp parts that follow one another: a step of length T is what one part takes through all
 * stages, T / pp at each, and steps follow one another without a gap. The last of n parts enters
 * (n - 1) T / pp after the first, and leaves as much after the end of the step that is counted. A
 * prompt's first token comes from its last part, so it comes that much later, and what follows from
 * it too: its next token is made by a step that begins no sooner, it ends or leaves then.
 *
 * Until then the call keeps its place in the running list, its slot and its blocks, of which it may
 * be deprived as others are; it is in no step. Prompts stay in order. Ignored: a clock that changes
 * meanwhile. */
#ifndef MR_ENGINE_SERVE_FILL_H
#define MR_ENGINE_SERVE_FILL_H

#include "engine/serve/instance.h"

/** How much later than the step's end the first token of a prompt comes that ended in it [s]; 0
 *  without a pipeline. @param[in] step_s length of the step, the segment's last */
double mr_fill_s(const struct mr_instance *instance, double step_s);

/** A prompt has ended, and is in the pipeline until `ready_s`. */
MR_CHECKED mr_status mr_fill_begin(struct mr_instance *instance, uint32_t call, double ready_s,
                                   struct mr_err *err);

/** Is somebody on the way through by a time? */
static inline bool mr_fill_is_due(const struct mr_instance *instance, double by_s)
{
    return instance->n_filled < instance->n_fill &&
           instance->fill[instance->n_filled].ready_s <= by_s;
}

/** The first of them is through: it ends, leaves, or decodes from the next boundary on. */
MR_CHECKED mr_status mr_fill_end(struct mr_instance *instance, const struct mr_instance_sink *sink,
                                 struct mr_err *err);

/** Before a step is formed: who is through begins to decode. */
MR_CHECKED mr_status mr_fill_join(struct mr_instance *instance, double now_s, struct mr_err *err);

/** A call is stopped before it is through. */
void mr_fill_forget(struct mr_instance *instance, uint32_t call);

#endif
