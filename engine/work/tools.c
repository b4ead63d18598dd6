/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the element. Defaults limit nothing: a scenario without <tools> plays recorded times.
 * Sandboxes: median 287 MB and 782 MB at the 95th percentile, measured; boot, gateway and network
 * are assumptions. */
#include "engine/work/tools.h"

#include <math.h>

// clang-format off
#define S struct mr_tools_spec
static const struct mr_param rows[] = {
    MR_PARAM_STR(S, cpu, "cpu", NULL, "Card of the CPUs of the pool, for cores and memory"),
    MR_PARAM_N(S, n_cpu, "cpus", "0", 0, 100000000, "How many of them; a rack of Vera CPUs has 256"),
    MR_PARAM(S, n_core, "cores", MR_Q_COUNT, "0", 0, 1e12, "Cores of the pool; 0: those of the CPUs, else no limit"),
    MR_PARAM(S, core_speed, "speed", MR_Q_COUNT, "1", 1e-3, 1e3, "Speed of a core over that of the recording"),
    MR_PARAM(S, memory_bytes, "memory", MR_Q_DATA, "0 B", 0, 1e18, "Of all sandboxes; 0: that of the CPUs, else no limit"),
    MR_PARAM(S, n_accelerator, "accelerators", MR_Q_COUNT, "0", 0, 1e9, "Of tools that run on GPUs; 0: no limit"),
    MR_PARAM(S, sandbox_s, "boot", MR_Q_TIME, "0 s", 0, 1e5, "To start the sandbox of a session; it has memory for the largest of its tools"),
    MR_PARAM(S, sandbox_bytes, "sandbox", MR_Q_DATA, "287 MB", 0, 1e15, "Median memory of a sandbox whose tools do not say"),
    MR_PARAM(S, sandbox_spread, "sandbox_spread", MR_Q_COUNT, "0.61", 0, 5, "Sigma of it, lognormal"),
    MR_PARAM(S, error_frac, "errors", MR_Q_FRACTION, "0 %", 0, 1, "Runs of tools that fail, in place of what was recorded of them; 0: those that failed when they were recorded (err), or were drawn so, 12 % of them"),
    MR_PARAM_N(S, n_retry, "retries", "0", 0, 60, "How often such a tool runs again, at most. One whose failure was recorded does not: what its agent did then was recorded, too"),
    MR_PARAM(S, retry_s, "retry_after", MR_Q_TIME, "1 s", 0, 1e6, "Before it does"),
    MR_PARAM(S, storage_bytes_s, "storage", MR_Q_DATA_RATE, "40 GB/s", 1, 1e18, "Of long-term memory, all together"),
    MR_PARAM(S, stream_bytes_s, "stream", MR_Q_DATA_RATE, "5 GB/s", 1, 1e18, "Of long-term memory, one access"),
    MR_PARAM(S, storage_latency_s, "storage_latency", MR_Q_TIME, "3 ms", 0, 1e3, "Of an access to long-term memory"),
    MR_PARAM(S, gate_s, "gate", MR_Q_TIME, "0 s", 0, 1e3, "Policy engine and privacy router, of every call: constant part"),
    MR_PARAM(S, gate_median_s, "gate_median", MR_Q_TIME, "0 s", 0, 1e3, "Median of its lognormal part"),
    MR_PARAM(S, gate_spread, "gate_spread", MR_Q_COUNT, "0.5", 0, 5, "Sigma of its lognormal part"),
    MR_PARAM_N(S, n_gate, "gate_slots", "0", 0, 1000000, "Calls that it works on at once; 0: no limit"),
    MR_PARAM(S, denied_frac, "denied", MR_Q_FRACTION, "0 %", 0, 1, "Calls that it does not let pass; a session that has no other has failed"),
    MR_PARAM(S, redirected_frac, "redirected", MR_Q_FRACTION, "0 %", 0, 1, "Calls that it sends to a confidential pool of the user's own, which is no part of the factory"),
    MR_PARAM_N(S, n_local, "local_slots", "0", 0, 1000000, "Calls that this pool works on at once, first come first served; 0: no limit"),
    MR_PARAM(S, local_input_tok_s, "local_input", MR_Q_TOKEN_RATE, "2000 tok/s", 1e-3, 1e12, "Its pace of reading a prompt (assumption)"),
    MR_PARAM(S, local_output_tok_s, "local_output", MR_Q_TOKEN_RATE, "30 tok/s", 1e-3, 1e12, "Its pace of making tokens, one call (assumption)"),
    MR_PARAM(S, network_s, "network", MR_Q_TIME, "0 s", 0, 1e3, "Round trip between agent and factory, of every call"),
    MR_PARAM(S, shed_retry_s, "shed_retry", MR_Q_TIME, "1 s", 0, 1e6, "Before a call that was shed comes again; doubled each time"),
    MR_PARAM_N(S, n_shed_retry, "shed_retries", "8", 0, 60, "How often it does, before its session fails"),
};
#undef S
// clang-format on

const struct mr_param_table mr_tools_table = {
    "tools", "What sessions meet besides LLMs: CPU pool, storage, gateway, network.", rows,
    sizeof rows / sizeof *rows};

static double or_no_limit(double x)
{
    return x > 0 ? x : (double)INFINITY;
}

struct mr_player_site mr_tools_site(const struct mr_tools_spec *spec)
{
    return (struct mr_player_site){.n_core = or_no_limit(spec->n_core),
                                   .core_speed = spec->core_speed,
                                   .n_accelerator = or_no_limit(spec->n_accelerator),
                                   .memory_mb = or_no_limit(spec->memory_bytes * 1e-6),
                                   .sandbox_mb = spec->sandbox_bytes * 1e-6,
                                   .sandbox_spread = spec->sandbox_spread,
                                   .sandbox_s = spec->sandbox_s,
                                   .error_frac = spec->error_frac,
                                   .retry_s = spec->retry_s,
                                   .n_retry = (uint32_t)spec->n_retry,
                                   .storage_bytes_s = spec->storage_bytes_s,
                                   .stream_bytes_s = spec->stream_bytes_s,
                                   .storage_latency_s = spec->storage_latency_s,
                                   .gate_s = spec->gate_s,
                                   .gate_median_s = spec->gate_median_s,
                                   .gate_spread = spec->gate_spread,
                                   .n_gate = (uint32_t)spec->n_gate,
                                   .denied_frac = spec->denied_frac,
                                   .redirected_frac = spec->redirected_frac,
                                   .n_local = (uint32_t)spec->n_local,
                                   .local_input_tok_s = spec->local_input_tok_s,
                                   .local_output_tok_s = spec->local_output_tok_s,
                                   .network_s = spec->network_s,
                                   .shed_retry_s = spec->shed_retry_s,
                                   .n_shed_retry = (uint32_t)spec->n_shed_retry};
}
