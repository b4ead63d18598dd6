/* SPDX-License-Identifier: Apache-2.0 */
/* <tools>: what sessions meet besides LLMs. Zero cores or memory: no limit. */
#ifndef MR_ENGINE_WORK_TOOLS_H
#define MR_ENGINE_WORK_TOOLS_H

#include "engine/base/param.h"
#include "engine/work/player.h"

struct mr_tools_spec {
    const char *cpu; /* card; NULL: cores and memory are given */
    uint64_t n_cpu;
    double n_core, core_speed, memory_bytes;
    double n_accelerator;
    double sandbox_s, sandbox_bytes, sandbox_spread;
    double error_frac, retry_s;
    uint64_t n_retry;
    double storage_bytes_s, stream_bytes_s, storage_latency_s;
    double gate_s, gate_median_s, gate_spread, denied_frac;
    uint64_t n_gate;
    double redirected_frac, local_input_tok_s, local_output_tok_s;
    uint64_t n_local;
    double network_s, shed_retry_s;
    uint64_t n_shed_retry;
};

extern const struct mr_param_table mr_tools_table;

/** What a player needs of it. */
struct mr_player_site mr_tools_site(const struct mr_tools_spec *spec);

#endif
