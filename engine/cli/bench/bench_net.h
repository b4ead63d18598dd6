/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers between hosts: one start and one end each, at a constant number in flight. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_NET_H
#define MR_ENGINE_CLI_BENCH_BENCH_NET_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_net_group;

#endif
