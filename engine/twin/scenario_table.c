/* SPDX-License-Identifier: Apache-2.0 */
/* Every element as a parameter table: reading, writing, the reference page and the grammar come
 * from these rows. */
#include "engine/serve/policy.h"
#include "engine/serve/router.h"
#include "engine/serve/split.h"
#include "engine/twin/record_every.h"
#include "engine/twin/scenario_impl.h"
#include "models/step.h"

static const char *const formats[] = {
#define FORMAT_TEXT(name, text, bytes) text,
    MR_FORMAT_LIST(FORMAT_TEXT)
#undef FORMAT_TEXT
        "own"};
static const char *const kv_formats[] = {"bf16", "fp8"};
static const char *const verifies[] = {"up", "drawn", "each"};
static const char *const schedulings[] = {"fcfs", "priority"};
static const char *const policies[] = {"vllm1", "sarathi", "vllm0", "orca", "static"};
static const char *const routers[] = {
#define ROUTER_TEXT(name, text, doc) text,
    MR_ROUTER_LIST(ROUTER_TEXT)
#undef ROUTER_TEXT
};
static const char *const outages[] = {"down", "drain", "slow"};
static const char *const pools[] = {"deployment", "prefill"};
static const char *const networks[] = {"ideal", "shared", "flow", "auto"};
static const char *const lpx_ways[] = {"none", "afd", "draft", "decode"};
static const char *const memories[] = {
#define MEMORY_TEXT(name, text) text,
    MR_SCENARIO_MEMORY_LIST(MEMORY_TEXT)
#undef MEMORY_TEXT
};
static const char *const writes[] = {"usual", "evicted", "ended"};
static const char *const ways[] = {
#define WAY_TEXT(name, text, doc) text,
    MR_SPLIT_WAY_LIST(WAY_TEXT)
#undef WAY_TEXT
};

// clang-format off
#define T struct mr_scenario_top
static const struct mr_param top_rows[] = {
    MR_PARAM_STR(T, name, "name", NULL, "Name of the scenario, for reports"),
    MR_PARAM_N(T, seed, "seed", "1", 0, MR_UNBOUNDED, "Seed of everything that is drawn"),
    MR_PARAM(T, until_s, "until", MR_Q_TIME, "0 s", 0, 1e10, "End of the run; 0: when all calls have ended"),
    MR_PARAM_N(T, n_cell_instance, "cell", "128", 0, 1000000, "Instances that share a router, at most; more are dealt to cells of equal size. 0: all share one"),
};
#undef T
#define S struct mr_scenario_site
static const struct mr_param site_rows[] = {
    MR_PARAM_STR(S, file, "file", NULL, "Layout or platform of the site; not given: none"),
};
#undef S
#define D struct mr_scenario_deployment
static const struct mr_param deployment_rows[] = {
    MR_PARAM_STR(D, gpu, "gpu", "h100_sxm", "Card of the packages"),
    MR_PARAM_STR(D, llm, "llm", "Llama-3.1-8B", "Card of the network"),
    MR_PARAM_STR(D, software, "software", "vllm", "Card of the serving engine; spec: fitted to nothing"),
    MR_PARAM_STR(D, profile, "profile", NULL, "Card of measured step times, instead of the others"),
    MR_PARAM_N(D, n_instance, "instances", "1", 1, 1000000, "Instances behind the router"),
    MR_PARAM_N(D, n_tp, "tp", "1", 1, 1024, "Shards of attention and dense layers"),
    MR_PARAM_N(D, n_dp, "dp", "1", 1, 4096, "Copies of attention"),
    MR_PARAM_N(D, n_pp, "pp", "1", 1, 256, "Pipeline stages"),
    MR_PARAM_N(D, n_ep, "ep", "1", 1, 4096, "Groups that experts are dealt to"),
    MR_PARAM_N(D, n_domain, "domain", "0", 0, 100000, "Packages NVLink reaches; 0: the card's"),
    MR_PARAM_ONE_OF(D, format, "format", formats, "own", "Weights; own: as published, else fp8"),
    MR_PARAM_ONE_OF(D, kv, "kv", kv_formats, "fp8", "Format of keys and values"),
    MR_PARAM_N(D, n_draft, "drafts", "0", 0, 64, "Speculative tokens per step"),
    MR_PARAM_STR(D, accepted, "accepted", "0", "Mean tokens of a step with drafts, or for each draft the chance that it is accepted given those before (0.8 0.6 0.4); 0: the card's"),
    MR_PARAM_ONE_OF(D, verify, "verify", verifies, "up", "Steps of a call with drafts: rounded up, drawn so that their mean is right, or each step drawn draft by draft by their chances"),
    MR_PARAM_ONE_OF(D, policy, "policy", policies, "vllm1", "Who is in the next step"),
    MR_PARAM_ONE_OF(D, scheduling, "scheduling", schedulings, "fcfs", "Within a class (tier, and what agents say: strict, priority): by arrival, the last to start is preempted; or by priority, the lowest is (vllm1)"),
    MR_PARAM_N(D, n_batch, "batch", "256", 1, 1000000, "Most requests of an instance that run at once"),
    MR_PARAM_N(D, n_token, "tokens", "0", 0, 10000000, "Tokens of a step; 0: the engine card's chunk"),
    MR_PARAM_N(D, n_context, "context", "0", 0, 100000000, "Longest context, which orca reserves; 0: the network's"),
    MR_PARAM_N(D, n_block_token, "block", "0", 0, 1048576, "Tokens of a KV block, a power of two; 0: the engine card's"),
    MR_PARAM_N(D, n_block, "blocks", "0", 0, 4000000000, "KV blocks of an instance; 0: what fits beside the weights"),
    MR_PARAM_YES(D, has_cache, "cache", "no", "Keep the KV blocks of ended calls for later ones of the session (vllm1)"),
    MR_PARAM(D, watermark_frac, "watermark", MR_Q_FRACTION, "1 %", 0, 0.9, "Blocks that admissions leave free (sarathi, vllm0)"),
    MR_PARAM(D, background_spare_frac, "background_spare", MR_Q_FRACTION, "50 %", 0, 1, "Blocks that calls which yield leave free for the contexts that the prefix cache keeps for others; an assumption"),
    MR_PARAM(D, background_step_s, "background_step", MR_Q_TIME, "0 s", 0, 1e9, "Time of a step of decodes up to which calls that yield run beside others; 0: a quarter of the shortest \"tpot\" of tiers that do not yield, without one any"),
    MR_PARAM_N(D, n_background, "background_tokens", "0", 0, 10000000, "Tokens of a prompt that yields in a step; 0: what half the shortest \"tpot\" of tiers that do not yield has time for behind an eighth of the longest context, without one as any other"),
    MR_PARAM_N(D, n_shed, "shed_at", "0", 0, 4000000000, "Waiting calls of an instance at which the tier with the cheapest output is shed, twice as many for the next, and so on; 0: never"),
    MR_PARAM(D, short_frac, "short_at", MR_Q_FRACTION, "80 %", 0, 1, "While the site lacks watts: share of what tiers with dearer output were promised (ttft, tpot) that estimates may come to before calls of the cheapest tier are refused, those of others at even steps from there to all of it; 0: never. An assumption"),
    MR_PARAM_ONE_OF(D, router, "router", routers, "least_outstanding", "Which instance a call goes to"),
    MR_PARAM(D, call_s, "call_weight", MR_Q_TIME, "10 ms", 0, 1e3, "What a call of an instance counts for beside prompts that wait (kv_aware); an assumption"),
    MR_PARAM_N(D, n_affinity, "affinity_excess", "8", 0, 1000000, "Calls more than the best instance has that affinity puts up with, beside affinity_share"),
    MR_PARAM(D, affinity_share, "affinity_share", MR_Q_FRACTION, "50 %", 0, 1e6, "As affinity_excess, as a share of the best instance's calls"),
};
#undef D
#define X struct mr_scenario_transfer
static const struct mr_param transfer_rows[] = {
    MR_PARAM_ONE_OF(X, network, "network", networks, "ideal", "ideal: nobody shares; shared: transfers of an instance share its links; flow: max-min on the platform's links, by SimGrid; auto: flow where few are expected at once, else shared"),
    MR_PARAM(X, bandwidth_bytes_s, "bandwidth", MR_Q_DATA_RATE, "0 B/s", 0, 1e16, "Line rate of an instance, one way; 0: the scale-out links of its packages"),
    MR_PARAM(X, latency_s, "latency", MR_Q_TIME, "10 us", 0, 1e3, "From the start of a transfer to its first byte"),
    MR_PARAM(X, efficiency, "efficiency", MR_Q_FRACTION, "70 %", 1e-6, 1, "Keys and values over line rate"),
    MR_PARAM_ONE_OF(X, way, "way", ways, "push", "push: all after the prompt; stream: layer by layer while it is read"),
    MR_PARAM(X, overlap_frac, "overlap", MR_Q_FRACTION, "100 %", 0, 1, "Share of the prompt's time that carries bytes (stream)"),
    MR_PARAM(X, token_bytes, "token", MR_Q_DATA, "0 B", 0, 1e9, "Keys and values of a token; 0: the LLM's"),
    MR_PARAM_N(X, n_local, "local", "512", 0, 100000000, "Tokens not cached up to which a prompt is read where it is decoded"),
    MR_PARAM_N(X, n_slot, "slots", "0", 0, 4000000000, "Calls of a prefill instance at which others are read where they are decoded; 0: its batch"),
};
#undef X
#define L struct mr_scenario_lpx
static const struct mr_param lpx_rows[] = {
    MR_PARAM_ONE_OF(L, way, "way", lpx_ways, "none", "afd: MLPs and experts on LPUs, attention on the GPUs; draft: a small network on LPUs drafts, the GPUs verify; decode: the instances are LPUs"),
    MR_PARAM_STR(L, lpu, "lpu", "lp30", "Card of the LPUs"),
    MR_PARAM_N(L, n_lpu, "lpus", "0", 0, 1000000, "LPUs of an instance; 0: a rack of them"),
    MR_PARAM_N(L, n_layer_lpu, "layer", "0", 0, 1000000, "LPUs that share a layer; 0: all, evenly"),
    MR_PARAM_N(L, n_micro, "micro", "2", 1, 1024, "Micro-batches of a step (afd)"),
    MR_PARAM_STR(L, llm, "llm", NULL, "Card of the network that drafts (draft)"),
    MR_PARAM_YES(L, overlaps, "overlap", "yes", "The next drafts are made while these are verified (draft)"),
    MR_PARAM_YES(L, expands, "expand", "no", "Weights that the LPU has no path for are held as fp8 instead of refused"),
};
#undef L
#define K struct mr_scenario_kv
static const struct mr_param kv_rows[] = {
    MR_PARAM_ONE_OF(K, memory, "memory", memories, "none", "host: of an instance's CPUs; flash: drives of its nodes; context: a rack of context stores; storage: shared by all. None: there is none"),
    MR_PARAM(K, capacity_bytes, "capacity", MR_Q_DATA, "0 B", 0, 1e18, "For contexts, of a package; 0: as usual (240 GB, 7.7 TB, 16 TB, no limit)"),
    MR_PARAM(K, bandwidth_bytes_s, "bandwidth", MR_Q_DATA_RATE, "0 B/s", 0, 1e16, "To HBM, of a package; 0: as usual (225, 7, 200, 5 GB/s)"),
    MR_PARAM(K, shared_bytes_s, "shared", MR_Q_DATA_RATE, "0 B/s", 0, 1e18, "To all packages of the pool together (context, storage); 0: as usual (6.4 TB/s, no other limit)"),
    MR_PARAM(K, latency_s, "latency", MR_Q_TIME, "0 s", 0, 1e3, "Of a load; 0: as usual (2, 100, 100 us, 3 ms)"),
    MR_PARAM_N(K, n_use, "min_use", "0", 0, 60, "Takes what so many calls have found above at least"),
    MR_PARAM_ONE_OF(K, write, "write", writes, "usual", "evicted: it takes what HBM evicts (the first memory, if it is of an instance); ended: what a call has in HBM when it ends. Usual: host evicted, others ended"),
    MR_PARAM(K, gigabyte_j, "energy", MR_Q_ENERGY, "0.16 J", 0, 1e6, "Of a gigabyte moved, either way (assumption: 20 pJ a bit)"),
};
#undef K
#define R struct mr_scenario_tier
static const struct mr_param tier_rows[] = {
    MR_PARAM_STR(R, name, "name", NULL, "Name of the tier, in the order of the workload's numbers"),
    MR_PARAM(R, input_usd_mtok, "input", MR_Q_TOKEN_PRICE, "0 USD/Mtok", 0, 1e6, "Price of input that is computed"),
    MR_PARAM(R, cached_usd_mtok, "cached", MR_Q_TOKEN_PRICE, "0 USD/Mtok", 0, 1e6, "Price of input that was cached"),
    MR_PARAM(R, write_usd_mtok, "write", MR_Q_TOKEN_PRICE, "0 USD/Mtok", 0, 1e6, "Price of input that is computed where there is a prefix cache, its last tokens that fill no block among them; 0: that of input"),
    MR_PARAM(R, output_usd_mtok, "output", MR_Q_TOKEN_PRICE, "0 USD/Mtok", 0, 1e6, "Price of output"),
    MR_PARAM(R, share, "share", MR_Q_COUNT, "1", 0, 1e6, "Sessions of agents that are of it, against those of other tiers"),
    MR_PARAM(R, ttft_s, "ttft", MR_Q_TIME, "0 s", 0, 1e9, "Objective: time to the first token; 0: none"),
    MR_PARAM(R, tpot_s, "tpot", MR_Q_TIME, "0 s", 0, 1e9, "Objective: time per output token after it; 0: none"),
    MR_PARAM_N(R, n_class, "class", "0", 0, 1000, "Strict class in the queue: 0 before 1 before 2"),
    MR_PARAM_N(R, n_priority, "priority", "0", 0, 1000, "Within the class, with scheduling priority: higher first"),
    MR_PARAM_YES(R, yields, "yields", "no", "Background work: behind all other classes, and stopped when a call of another tier waits for its slot, blocks or step (vllm1)"),
    MR_PARAM_N(R, n_inside, "limit", "0", 0, 4000000000, "Calls of the tier inside at which others are refused; 0: any number"),
    MR_PARAM(R, rate_tok_s, "rate", MR_Q_TOKEN_RATE, "0 tok/s", 0, 1e15, "Tokens a second, input and output, beyond which calls are refused; 0: any"),
    MR_PARAM(R, burst_tok, "burst", MR_Q_TOKENS, "100000 tok", 1, 1e15, "Tokens that may come at once, beyond the rate"),
    MR_PARAM(R, late_s, "late", MR_Q_TIME, "0 s", 0, 1e9, "Estimated time to the first token beyond which a call is refused; 0: any"),
    MR_PARAM(R, patience_s, "patience", MR_Q_TIME, "0 s", 0, 1e9, "Calls that are not let in wait for it at most this long; 0: they are refused at once"),
    MR_PARAM_STR(R, downgrade, "downgrade", NULL, "Cheaper tier that takes calls this one refuses, after their patience; not given: none"),
    MR_PARAM_N(R, n_wait, "shed_at", "0", 0, 4000000000, "Waiting calls of an instance at which the tier is shed; 0: as the deployment says"),
};
#undef R
#define O struct mr_scenario_outage
static const struct mr_param outage_rows[] = {
    MR_PARAM_ONE_OF(O, what, "what", outages, "down", "down: it stops, calls go elsewhere and read their prompts again; drain: no new calls; slow: another clock"),
    MR_PARAM_ONE_OF(O, pool, "pool", pools, "deployment", "Whose instance it is"),
    MR_PARAM_N(O, n_instance, "instance", "0", 0, 1000000, "Which instance of the pool, from 0 on"),
    MR_PARAM(O, at_s, "at", MR_Q_TIME, "0 s", 0, 1e10, "When it begins"),
    MR_PARAM(O, for_s, "for", MR_Q_TIME, "0 s", 0, 1e10, "How long it lasts; 0: to the end"),
    MR_PARAM(O, clock_frac, "clock", MR_Q_FRACTION, "50 %", 0.01, 1, "Clock over the full clock (slow)"),
};
#undef O
#define F struct mr_scenario_failures
static const struct mr_param failures_rows[] = {
    MR_PARAM(F, mtbf_s, "mtbf", MR_Q_TIME, "0 s", 0, 1e12, "Mean time from the end of a repair of an instance to its next failure, exponential; 0: none"),
    MR_PARAM(F, mttr_s, "mttr", MR_Q_TIME, "10 min", 1e-3, 1e10, "Mean time until it is back, exponential"),
};
#undef F
#define L struct mr_planner_spec
static const struct mr_param planner_rows[] = {
    MR_PARAM(L, interval_s, "interval", MR_Q_TIME, "0 s", 0, 1e9, "Between looks at the load; 0: no planner, all instances serve"),
    MR_PARAM(L, prompt_use, "prompt_use", MR_Q_FRACTION, "70 %", 0.01, 1, "Share of an instance's pace of reading that is counted on (assumption)"),
    MR_PARAM(L, output_use, "output_use", MR_Q_FRACTION, "80 %", 0.01, 1, "Share of its pace of decoding, and of its KV blocks, that is counted on (assumption)"),
    MR_PARAM(L, slack_frac, "slack", MR_Q_FRACTION, "10 %", 0, 0.9, "Instances serve on until so many fewer are needed (assumption)"),
    MR_PARAM(L, cooldown_s, "cooldown", MR_Q_TIME, "5 min", 0, 1e9, "After a change: no change back for so long (assumption)"),
    MR_PARAM_N(L, n_min, "min", "1", 1, 1000000, "Instances of the deployment that serve at least"),
    MR_PARAM_N(L, n_max, "max", "0", 0, 1000000, "And at most; 0: all"),
    MR_PARAM_N(L, n_start, "start", "0", 0, 1000000, "And when the run begins; 0: all"),
    MR_PARAM_N(L, prefill_min, "prefill_min", "1", 1, 1000000, "The same of the prefill pool"),
    MR_PARAM_N(L, prefill_max, "prefill_max", "0", 0, 1000000, "The same of the prefill pool; 0: all"),
    MR_PARAM_N(L, prefill_start, "prefill_start", "0", 0, 1000000, "The same of the prefill pool; 0: all"),
    MR_PARAM_N(L, n_total, "total", "0", 0, 2000000, "Instances of both pools that serve or start at most, so that one pool gives to the other; 0: any number"),
    MR_PARAM(L, allocate_s, "allocate", MR_Q_TIME, "10 s", 0, 1e6, "From a decision to the load of weights (assumption)"),
    MR_PARAM(L, load_bytes_s, "load", MR_Q_DATA_RATE, "5 GB/s", 1, 1e15, "Weights into an instance (assumption: shared storage, one node)"),
    MR_PARAM(L, weight_bytes, "weights", MR_Q_DATA, "0 B", 0, 1e15, "Of an instance; 0: those of its network (none with a profile)"),
    MR_PARAM(L, warm_s, "warm", MR_Q_TIME, "30 s", 0, 1e6, "From the last weight to the first call (assumption)"),
    MR_PARAM_YES(L, is_fast, "fast_start", "no", "Weights stream from an instance that serves"),
    MR_PARAM(L, fast, "fast", MR_Q_COUNT, "7", 1, 1000, "Load and warm-up are so much shorter then (claimed by a vendor; assumption)"),
    MR_PARAM(L, flip_s, "flip", MR_Q_TIME, "5 s", 0, 1e6, "From drained in one pool to serving in the other (assumption: weights stay)"),
};
#undef L
#define R struct mr_scenario_record
static const struct mr_param record_rows[] = {
    MR_PARAM_STR(R, what, "what", MR_RECORD_LEVEL_DEFAULT, "A list of summary, site, rack, requests (a row per call and session; =N: that many; =1/N: one in N), die, steps=RACK (every step of the instances there)"),
    MR_PARAM_STR(R, every, "every", MR_RECORD_EVERY_DEFAULT, "Time between samples, of some kinds of series their own: 5 s,racks=10 s,site=1 s"),
    MR_PARAM(R, flush_s, "flush", MR_Q_TIME, "5 s", 0, 3600, "Real time between flushes: what a killed run loses"),
    MR_PARAM_YES(R, is_live, "live", "no", "A file that may be read while it grows (SWMR)"),
};
#undef R
#define G struct mr_scenario_grid
static const struct mr_param grid_rows[] = {
    MR_PARAM_STR(G, price, "price", NULL, "Prices of energy over time, CSV in USD/MWh; not given: the tariff's"),
    MR_PARAM_STR(G, carbon, "carbon", NULL, "Carbon intensity over time, CSV in g/kWh; not given: the tariff's"),
    MR_PARAM_STR(G, sun, "sun", NULL, "Solar power over time, CSV in shares of its rating or weather file (.epw); not given: none"),
    MR_PARAM_STR(G, frequency, "frequency", NULL, "Frequency of the grid over time, CSV in Hz; not given: the nominal"),
    MR_PARAM_STR(G, targets, "targets", NULL, "Load targets of the grid over time, messages grid.loadtarget.set of DSX Flex as JSON or JSON Lines; not given: none"),
    MR_PARAM_STR(G, start, "start", NULL, "Date of the run's start in those files, 2024-07-01T00:00Z; not given: where they begin"),
};
#undef G
#define E struct mr_scenario_economy
static const struct mr_param economy_rows[] = {
    MR_PARAM(E, life_s, "life", MR_Q_TIME, "1826 d", 1, 1e10, "Racks are paid for evenly over this time (assumption: five years)"),
    MR_PARAM(E, site_usd_w, "site", MR_Q_POWER_PRICE, "12 MUSD/MW", 0, 1e6, "Shell, cooling and power, for each watt of the connection (assumption)"),
    MR_PARAM(E, site_life_s, "site_life", MR_Q_TIME, "5479 d", 1, 1e11, "They are paid for evenly over this time (assumption: fifteen years)"),
};
#undef E
static const struct mr_param event_rows[] = {
    MR_PARAM_STR(struct mr_scenario_event, what, "what", "", "KIND[:NAME]@TIME[+DURATION][~NOTICE][=VALUE]: pumps, cdu, fans, leak, utility, node, units, close, curtail, policy"),
};
static const struct mr_param rack_rows[] = {
    MR_PARAM_STR(struct mr_scenario_rack, name, "name", "", "A rack, a row or a hall, as the site names it"),
    MR_PARAM_N(struct mr_scenario_rack, n_tier, "tier", "0", 0, 255, "When watts are short, the racks of tier 0 are capped and stopped first"),
};
static const struct mr_param part_rows[] = {
    MR_PARAM_STR(struct mr_plant_set, scope, "of", "", "Which part of the plant: package, rack, cdu, loop, rejection, room, ... or a name"),
    MR_PARAM_STR(struct mr_plant_set, name, "set", "", "Its parameter, as millrace thermal --set names it"),
    MR_PARAM_STR(struct mr_plant_set, value, "to", "", "Its value, with a unit where it has one"),
};
static const struct mr_param layout_rows[] = {
    MR_PARAM_STR(struct mr_layout_change, path, "set", "", "Elements below <layout>, and an attribute: hall/row[1]/rack/count"),
    MR_PARAM_STR(struct mr_layout_change, value, "to", "", "Its value, instead of what the site's file says"),
};
// clang-format on

#define TABLE(name, element, doc)                                                 \
    static const struct mr_param_table name##_table = {element, doc, name##_rows, \
                                                       sizeof name##_rows / sizeof *name##_rows}
TABLE(site, "site", "Where it is played.");
TABLE(deployment, "deployment", "Which network runs on which packages, and how.");
TABLE(transfer, "transfer", "How keys and values go from the prefill pool to the deployment.");
TABLE(lpx, "lpx", "LPUs that decode with the deployment's packages, or in place of them.");
TABLE(kv, "kv",
      "A memory below HBM that keeps contexts for their next call. Several may be given.");
TABLE(tier, "tier", "A class of calls: prices and objectives. Several may be given.");
TABLE(outage, "outage",
      "An instance that stops or slows down at a given time. Several may be given.");
TABLE(failures, "failures", "Instances that fail at random.");
TABLE(planner, "planner", "How many instances serve, by what comes in.");
TABLE(record, "record",
      "What a result file of it keeps; options of run go before it, and it changes no result.");

TABLE(grid, "grid", "What the grid costs and emits over time.");
TABLE(economy, "economy", "What is paid for besides energy.");
TABLE(event, "event", "What fails, comes back or is asked for. Several may be given.");
TABLE(rack, "rack", "Who goes first when watts are short. Several may be given.");
TABLE(part, "part", "One parameter of one part of the plant. Several may be given.");
TABLE(layout, "layout",
      "One attribute of the site's layout, also --set layout/PATH=VALUE. Several may be given.");

static const struct mr_param_table prefill_table = {
    "prefill", "A pool that reads prompts; what is not given is as in the deployment.",
    deployment_rows, sizeof deployment_rows / sizeof *deployment_rows};

const struct mr_param_table mr_scenario_top_table = {"scenario",
                                                     "What is played; the root of the file.",
                                                     top_rows, sizeof top_rows / sizeof *top_rows};

/* Tables of other rooms are behind functions. */
#define ONE(table, field)                                              \
    {                                                                  \
        {&(table), offsetof(struct mr_scenario, field), 0, 0, 1}, NULL \
    }
#define ONE_OF(table_of, field)                                        \
    {                                                                  \
        {NULL, offsetof(struct mr_scenario, field), 0, 0, 1}, table_of \
    }
#define SOME(table, field, count)                                                             \
    {                                                                                         \
        {&(table), offsetof(struct mr_scenario, field), offsetof(struct mr_scenario, count),  \
         sizeof((struct mr_scenario *)0)->field[0],                                           \
         sizeof((struct mr_scenario *)0)->field / sizeof((struct mr_scenario *)0)->field[0]}, \
            NULL                                                                              \
    }
static const struct {
    struct mr_scenario_part part;
    const struct mr_param_table *(*table_of)(void);
} parts[MR_SCENARIO_PARTS] = {
    [MR_SCENARIO_PART_SITE] = ONE(site_table, site),
    [MR_SCENARIO_PART_DEPLOYMENT] = ONE(deployment_table, deployment),
    [MR_SCENARIO_PART_PREFILL] = ONE(prefill_table, prefill),
    [MR_SCENARIO_PART_TRANSFER] = ONE(transfer_table, transfer),
    [MR_SCENARIO_PART_LPX] = ONE(lpx_table, lpx),
    [MR_SCENARIO_PART_KV] = SOME(kv_table, kv, n_kv),
    [MR_SCENARIO_PART_WORKLOAD] = ONE(mr_arrivals_table, workload),
    [MR_SCENARIO_PART_AGENTS] = ONE(mr_demand_table, agents),
    [MR_SCENARIO_PART_TOOLS] = ONE(mr_tools_table, tools),
    [MR_SCENARIO_PART_TENANT] = SOME(mr_demand_tenant_table, tenant, n_tenant),
    [MR_SCENARIO_PART_TIER] = SOME(tier_table, tier, n_tier),
    [MR_SCENARIO_PART_OUTAGE] = SOME(outage_table, outage, n_outage),
    [MR_SCENARIO_PART_FAILURES] = ONE(failures_table, failures),
    [MR_SCENARIO_PART_PLANNER] = ONE(planner_table, planner),
    [MR_SCENARIO_PART_RECORD] = ONE(record_table, record),
    [MR_SCENARIO_PART_TWIN] = ONE_OF(mr_exchange_table, twin),
    [MR_SCENARIO_PART_WEATHER] = ONE(mr_weather_table, weather),
    [MR_SCENARIO_PART_PLANT] = ONE(mr_plant_table.param, plant),
    [MR_SCENARIO_PART_SUPPLY] = ONE_OF(mr_supply_table, supply),
    [MR_SCENARIO_PART_WIRE] = ONE_OF(mr_wire_table, supply.wire),
    [MR_SCENARIO_PART_GOVERNOR] = ONE_OF(mr_govern_table, supply.govern),
    [MR_SCENARIO_PART_FEED] = ONE_OF(mr_feed_table, supply.feed),
    [MR_SCENARIO_PART_RIDE] = ONE_OF(mr_feed_ride_table, supply.ride),
    [MR_SCENARIO_PART_TARIFF] = ONE_OF(mr_tariff_table, supply.tariff),
    [MR_SCENARIO_PART_FREQUENCY] = ONE_OF(mr_frequency_table, supply.frequency),
    [MR_SCENARIO_PART_SMOOTHING] = ONE_OF(mr_smooth_table, supply.smooth),
    [MR_SCENARIO_PART_GRID] = ONE(grid_table, grid),
    [MR_SCENARIO_PART_ECONOMY] = ONE(economy_table, economy),
    [MR_SCENARIO_PART_EVENT] = SOME(event_table, event, n_event),
    [MR_SCENARIO_PART_RACK] = SOME(rack_table, rack, n_rack),
    [MR_SCENARIO_PART_PART] = SOME(part_table, part, n_part),
    [MR_SCENARIO_PART_LAYOUT] = SOME(layout_table, layout, n_layout),
};

struct mr_scenario_part mr_scenario_part(int part)
{
    struct mr_scenario_part p = parts[part].part;
    if (parts[part].table_of != NULL)
        p.table = parts[part].table_of();
    return p;
}

const struct mr_param_table *mr_scenario_table(size_t i, const char **element)
{
    if (i > MR_SCENARIO_PARTS)
        return NULL;
    const struct mr_param_table *table =
        i == 0 ? &mr_scenario_top_table : mr_scenario_part((int)i - 1).table;
    *element = table->name;
    return table;
}

bool mr_scenario_has(const struct mr_scenario *scenario, int part)
{
    const bool is_of_prefill =
        part == MR_SCENARIO_PART_PREFILL || part == MR_SCENARIO_PART_TRANSFER;
    if (part == MR_SCENARIO_PART_LPX)
        return scenario->lpx.way != 0;
    if (part >= MR_SCENARIO_PART_TWIN)
        return scenario->site.file != NULL;
    const bool is_of_agents = part == MR_SCENARIO_PART_AGENTS || part == MR_SCENARIO_PART_TOOLS ||
                              part == MR_SCENARIO_PART_TENANT;
    if (is_of_agents || part == MR_SCENARIO_PART_WORKLOAD)
        return scenario->has_agents == is_of_agents;
    return scenario->has_prefill || !is_of_prefill;
}
