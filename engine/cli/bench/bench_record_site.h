/* SPDX-License-Identifier: Apache-2.0 */
/* What recording costs a run. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_RECORD_SITE_H
#define MR_ENGINE_CLI_BENCH_BENCH_RECORD_SITE_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_record_site_group;

#endif
