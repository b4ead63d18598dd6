/* SPDX-License-Identifier: Apache-2.0 */
/* Single steps of an instance, read out of its segments: what a leap played in one event is told
 * step by step, in closed form. A step whose clock changed in its middle is one step: it began when
 * it began, and has the joules of all its parts. Not here: LPUs beside the packages. */
#ifndef MR_ENGINE_SERVE_INSTANCE_STEP_H
#define MR_ENGINE_SERVE_INSTANCE_STEP_H

#include "engine/serve/instance.h"

/* Told when n_step steps have ended, while the segment is still as it was. */
struct mr_instance_watch {
    void (*ended)(void *context, const struct mr_instance *instance, uint64_t n_step);
    void *context;
};

struct mr_instance_step {
    double start_s, time_s;
    double n_decode, prefill_tok; /* calls that decode; tokens of prompts that are read */
    double kv_tok;                /* whose keys and values the step works with */
    double package_j;             /* of one package; NaN: not known */
    double phi;                   /* clock at its end, over the full clock */
};

/** Step j of the segment that runs, j < its length. */
struct mr_instance_step mr_instance_step_of(const struct mr_instance *instance, uint64_t j);

/** Tell the watch of steps in flight that have ended by the end of the run. */
void mr_instance_step_end(const struct mr_instance *instance, double now_s);

#endif
