/* SPDX-License-Identifier: Apache-2.0 */
/* What readers of open-loop workloads share: a row as it stands in the file, before anybody judges
 * it. */
#ifndef MR_ENGINE_WORK_ARRIVALS_IMPL_H
#define MR_ENGINE_WORK_ARRIVALS_IMPL_H

#include "engine/base/json.h"
#include "engine/work/arrivals.h"

enum {
    MR_ARRIVALS_MODEL_CAP = 128
};

struct mr_arrivals_raw {
    double arrived_s, input, output; /* any number */
    uint64_t session, tier;
    bool has_session;
    char model[MR_ARRIVALS_MODEL_CAP]; /* "": not said */
    struct mr_place at;
};

/* Hash ids of the row before, in memory that is kept. */
struct mr_arrivals_hashes {
    uint64_t *item;
    size_t n, cap;
};

/** The next line of a Mooncake trace. @param[out] has_row false at the end */
MR_CHECKED mr_status mr_arrivals_jsonl_next(struct mr_json *r, struct mr_arrivals_raw *row,
                                            struct mr_arrivals_hashes *hashes, bool *has_row,
                                            struct mr_err *err);

#endif
