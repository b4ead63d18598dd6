/* SPDX-License-Identifier: Apache-2.0 */
/* What one package does in one step: the currency between time (models/step.h) and power
 * (models/power.h). */
#ifndef MR_MODELS_WORK_H
#define MR_MODELS_WORK_H

#include <stdint.h>

/* format of numbers, text in files, bytes of a weight (scales included) */
#define MR_FORMAT_LIST(X)     \
    X(BF16, "bf16", 2.0)      \
    X(FP8, "fp8", 1.0)        \
    X(NVFP4, "nvfp4", 0.5625) \
    X(MXFP4, "mxfp4", 0.53125)

enum mr_format {
#define MR_FORMAT_ENUM(name, text, bytes) MR_FORMAT_##name,
    MR_FORMAT_LIST(MR_FORMAT_ENUM)
#undef MR_FORMAT_ENUM
    MR_N_FORMAT
};

struct mr_work {
    double busy_s;            /* while kernels run */
    double idle_s;            /* host time: nothing runs */
    double flop[MR_N_FORMAT]; /* by the format they run in */
    double memory_bytes, link_bytes;
};

#endif
