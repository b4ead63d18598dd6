/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of the native form of sessions, once: the reader's names and the page that explains them
 * (millrace schema session). */
#ifndef MR_ENGINE_WORK_TRACE_NATIVE_KEYS_H
#define MR_ENGINE_WORK_TRACE_NATIVE_KEYS_H

#include <stddef.h>

// clang-format off
/* X: name in the reader, key, kinds of nodes that have it, what it says */
#define MR_NATIVE_HEADER_LIST(X) \
    X(schema, "schema", "", "\"millrace.session\"") \
    X(version, "version", "", "1") \
    X(block_size, "block_size", "", "Tokens of a block; without it no call has blocks") \
    X(hash_scope, "hash_scope", "", "Numbers of blocks mean the same \"global\" to all sessions, or \"local\" to one") \
    X(time_base, "time_base", "", "\"ms\"") \
    X(models, "models", "", "{alias: LLM card} of all models that calls name; without it aliases are free") \
    X(tiers, "tiers", "", "{name: {in, cache_write, cache_read, out}} in USD per million tokens") \
    X(prefixes, "prefixes", "", "{name: tokens} of prompts that sessions share") \
    X(source, "source", "", "{format, digest, license} of the recording it comes from")
#define MR_NATIVE_SESSION_LIST(X) \
    X(id, "id", "", "Text or number") \
    X(arrival, "arrival_ms", "", "Its start, for plays that follow recorded arrivals") \
    X(tenant, "tenant", "", "A <tenant> of the scenario, by name") \
    X(tier, "tier", "", "A <tier> of the scenario, by name") \
    X(slo, "slo", "", "{ttft_ms, tpot_ms, deadline_ms} promised to this session") \
    X(priority, "priority", "", "Of its calls that say none") \
    X(cron, "cron", "", "Schedule in place of arrival_ms: minute hour day month weekday") \
    X(shared, "shared", "", "[prefix, ...] in front of every context, in order; before nodes") \
    X(lanes, "lanes", "", "[{name, tools, system}, ...]: tokens of tools and system prompt of each trajectory") \
    X(nodes, "nodes", "", "[node, ...]: those that a node waits for stand before it") \
    X(x, "x", "", "Members of a recording that no key here is for, kept as they stand")
#define MR_NATIVE_NODE_LIST(X) \
    X(n, "n", "all", "Number, ascending in the session") \
    X(k, "k", "all", "llm, tool, think or mem") \
    X(after, "after", "all", "[[node, trigger, delay_ms, relation], ...]: it starts at the latest trigger plus delay. Node null: the session's start; trigger c: completion, d: dispatch; relation seq, spawn, join or barrier. Without it: the completion of the node before it in its lane") \
    X(lane, "lane", "all", "Trajectory, 0: the root's; each has one context. Without it: that of the node before") \
    X(m, "m", "llm", "Model, by alias; without it the header's first") \
    X(in, "in", "llm", "Tokens of the prompt, cached and shared ones included") \
    X(out, "out", "llm", "Tokens made") \
    X(reason, "reason", "llm", "Of those: reasoning") \
    X(keep, "keep", "llm", "Blocks at the beginning that are those of the call before it in its lane; without keep and new all are, and the growth is new") \
    X(new, "new", "llm", "[[first, count], ...]: blocks behind those that are kept, after the shared ones") \
    X(from, "from", "llm", "keep counts blocks of this node instead") \
    X(hints, "hints", "llm", "What the agent says: an object of its own, below") \
    X(rec, "rec", "llm", "{api_ms, ttft_ms, start_ms} as recorded; start_ms from the session's start") \
    X(class, "class", "tool", "Kind of tool; what is not said is drawn from it") \
    X(where, "where", "tool", "cpu: in the sandbox on the pool of cores; gpu: on the pool of accelerators; ext: elsewhere, time only") \
    X(cpu, "cpu_ms", "tool", "Work of a core") \
    X(wall, "wall_ms", "tool", "Time from start to end; what is beyond cpu_ms waits without a core") \
    X(mem, "mem_mb", "tool", "Memory of the sandbox") \
    X(io, "io_mb", "tool", "Read and written on storage") \
    X(net, "net_mb", "tool", "Sent and received") \
    X(out_tokens, "out_tokens", "tool", "Tokens of its result") \
    X(err, "err", "tool", "true: it failed") \
    X(ms, "ms", "think", "Pause") \
    X(cap, "cap", "think", "false: no idle cap shortens it") \
    X(rd, "rd_mb", "mem", "Read from long-term memory") \
    X(wr, "wr_mb", "mem", "Written to it") \
    X(tier, "tier", "mem", "The memory's name") \
    X(name, "name", "all", "Its name in the recording") \
    X(x, "x", "all", "Members of a recording that no key here is for, kept as they stand")
#define MR_NATIVE_HINT_LIST(X) \
    X(prio, "prio", "llm", "Larger goes first within its tier") \
    X(strict, "strict", "llm", "true: priority beats the tier's class") \
    X(osl, "osl", "llm", "Tokens that it expects to make") \
    X(spec_prefill, "spec_prefill", "llm", "true: the next prompt may be read while its tools run") \
    X(cache_ttl, "cache_ttl_ms", "llm", "Its blocks may go after this time without use") \
    X(session_final, "session_final", "llm", "true: nothing of the session is needed afterwards")
// clang-format on

struct mr_trace_native_key {
    const char *key, *kinds, *doc;
};

/* Members of one object of the form. */
struct mr_trace_native_part {
    const char *name, *doc;
    const struct mr_trace_native_key *key;
    size_t n;
};

/** In the order of a file. @return NULL past the last */
const struct mr_trace_native_part *mr_trace_native_part(size_t i);

#endif
