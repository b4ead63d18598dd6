/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios (NAME.scenario.xml): what is played.
 *
 *   <scenario name="chat" seed="1" until="10 min">
 *    <deployment gpu="b200_sxm" llm="Llama-3.1-70B" tp="2" instances="4" router="power_of_two"/>
 *    <workload rate="20 req/s" input="1000 tok" output="300 tok"/>
 *    <tier name="standard" input="3 USD/Mtok" output="15 USD/Mtok" ttft="2 s" tpot="50 ms"/>
 *   </scenario>
 *
 * With <prefill instances="2"/> a second pool reads the prompts, and <transfer/> says how keys and
 * values go from there to the deployment. <prefill> has the attributes of <deployment>; those that
 * are not given are the deployment's.
 *
 * With <lpx way="afd"/> racks of LPUs take over MLPs and experts of the deployment, with "draft"
 * they draft for it, with "decode" its instances are LPUs alone.
 *
 * With <site file="hall.layout.xml"/> instances stand in its racks, and heat and power are played
 * with them: <weather>, <plant>, <grid>, <governor> and the rest of that part say how, <event>
 * what fails and when, <part> changes a parameter of one part of the plant, <layout> an attribute
 * of the site's layout.
 *
 * <record> says what of the run a result file keeps, and how often; it never changes the run.
 *
 * Every element is a parameter table; every attribute can also be set from outside by its path
 * ("deployment/tp"), and so can those of the layout ("layout/hall/row/rack/count"). Relative file
 * names count from the folder of the scenario. */
#ifndef MR_ENGINE_TWIN_SCENARIO_H
#define MR_ENGINE_TWIN_SCENARIO_H

#include "engine/base/param.h"
#include "engine/base/text.h"
#include "engine/twin/exchange.h"
#include "engine/twin/scenario_kv.h"
#include "engine/twin/scenario_planner.h"
#include "engine/twin/scenario_record.h"
#include "engine/work/arrivals.h"
#include "engine/work/demand.h"
#include "engine/work/tools.h"
#include "platforms/layout_change.h"

enum {
    MR_SCENARIO_TIERS = 16,
    MR_SCENARIO_KV = 4, /* <kv> elements */
    MR_SCENARIO_OUTAGES = 256,
    MR_SCENARIO_EVENTS = 64,
    MR_SCENARIO_RACKS = 64,
    MR_SCENARIO_SETS = 64,   /* <part> elements */
    MR_SCENARIO_CHANGES = 64 /* <layout> elements */
};

struct mr_scenario_top {
    const char *name;
    uint64_t seed;
    double until_s;           /* 0: until all calls have ended */
    uint64_t n_cell_instance; /* of the deployment in a routing cell at most; 0: any number */
};

struct mr_scenario_site {
    const char *file; /* layout or platform; NULL: none */
};

struct mr_scenario_deployment {
    const char *gpu, *llm, *software, *profile; /* profile NULL: priced from the others */
    uint64_t n_tp, n_dp, n_pp, n_ep, n_draft, n_domain, n_instance;
    const char *accepted; /* mr_accept_mean */
    double watermark_frac, call_s, affinity_share, background_spare_frac, background_step_s;
    uint64_t n_batch, n_token, n_context, n_block_token, n_block, n_affinity, n_background;
    int format, kv, verify, policy, scheduling, router;
    bool has_cache;
    double short_frac; /* of dearer tiers' promises, for cheaper ones while watts are short */
    uint64_t n_shed;   /* waiting calls at which the cheapest tier is shed; 0: never */
};

/* Networks between the pools, in the order of the schema. */
enum mr_scenario_network {
    MR_SCENARIO_IDEAL,
    MR_SCENARIO_SHARED,
    MR_SCENARIO_FLOW,
    MR_SCENARIO_AUTO /* network.h */
};

struct mr_scenario_transfer {
    int network; /* enum mr_scenario_network */
    int way;     /* enum mr_split_way */
    double bandwidth_bytes_s, latency_s, efficiency, overlap_frac;
    double token_bytes; /* 0: the LLM's */
    uint64_t n_local, n_slot;
};

/* LPUs of the deployment's instances, in the order of the schema: none, then enum mr_lpx_way. */
struct mr_scenario_lpx {
    int way;               /* 0: none */
    const char *lpu, *llm; /* llm: that drafts */
    uint64_t n_lpu, n_layer_lpu, n_micro;
    bool overlaps, expands;
};

struct mr_scenario_tier {
    const char *name;
    double input_usd_mtok, cached_usd_mtok, write_usd_mtok, output_usd_mtok;
    double share;          /* of the sessions whose tier nobody says */
    double ttft_s, tpot_s; /* objectives; INFINITY: none */
    uint64_t n_class, n_priority;
    bool yields;                  /* background work */
    uint64_t n_inside;            /* calls of the tier at once; 0: any number */
    double rate_tok_s, burst_tok; /* rate_tok_s 0: any */
    double late_s;                /* longest estimated time to the first token; 0: any */
    double patience_s;            /* that calls wait to be let in; 0: they do not */
    const char *downgrade;        /* tier that takes whom this one refuses; NULL: none */
    uint64_t n_wait;              /* calls waiting on an instance at which it is shed; 0: never */
};

/* In the order of the schema. */
enum mr_scenario_what {
    MR_SCENARIO_DOWN,
    MR_SCENARIO_DRAIN,
    MR_SCENARIO_SLOW
};

enum mr_scenario_pool {
    MR_SCENARIO_POOL_DEPLOYMENT,
    MR_SCENARIO_POOL_PREFILL
};

struct mr_scenario_outage {
    int what; /* enum mr_scenario_what */
    int pool; /* enum mr_scenario_pool */
    uint64_t n_instance;
    double at_s, for_s; /* for_s 0: to the end */
    double clock_frac;
};

struct mr_scenario_failures {
    double mtbf_s, mttr_s; /* mtbf_s 0: none */
};

/* Files over time. */
struct mr_scenario_grid {
    const char *price, *carbon, *sun; /* CSV, sun also .epw; NULL: the constants, no sun */
    const char *frequency;            /* CSV; NULL: the nominal */
    const char *targets;              /* JSON, as in power/plan_targets.h; NULL: none */
    const char *start;                /* date of the run's start in them; NULL: where they begin */
};

/* "pumps:H0.R0.C0@10min+5min", as in thermal/outage.h and power/plan.h */
struct mr_scenario_event {
    const char *what;
};

/* Racks of a tier */
struct mr_scenario_rack {
    const char *name; /* of one, of a row or of a hall */
    uint64_t n_tier;
};

struct mr_scenario_economy {
    double life_s;     /* racks are paid for evenly over it */
    double site_usd_w; /* shell, cooling and power of a watt of the grid connection */
    double site_life_s;
};

struct mr_scenario {
    const char *path;
    struct mr_scenario_top top;
    struct mr_scenario_site site;
    struct mr_scenario_deployment deployment;
    bool has_prefill;                      /* else the next two mean nothing */
    struct mr_scenario_deployment prefill; /* a pool that reads prompts */
    struct mr_scenario_transfer transfer;
    struct mr_scenario_lpx lpx;
    struct mr_scenario_kv kv[MR_SCENARIO_KV];
    size_t n_kv;
    struct mr_arrivals_spec workload;
    bool has_agents; /* in place of the workload; else the next four mean nothing */
    struct mr_demand_spec agents;
    struct mr_tools_spec tools;
    struct mr_demand_tenant tenant[MR_DEMAND_TENANTS];
    size_t n_tenant;
    struct mr_scenario_tier tier[MR_SCENARIO_TIERS];
    size_t n_tier; /* at least 1 */
    struct mr_scenario_outage outage[MR_SCENARIO_OUTAGES];
    size_t n_outage;
    struct mr_scenario_failures failures;
    struct mr_planner_spec planner;
    struct mr_scenario_record record;
    /* with a site */
    struct mr_exchange_params twin;
    struct mr_weather_params weather;
    struct mr_plant_params plant;
    struct mr_supply_params supply;
    struct mr_scenario_grid grid;
    struct mr_scenario_economy economy;
    struct mr_scenario_event event[MR_SCENARIO_EVENTS];
    struct mr_scenario_rack rack[MR_SCENARIO_RACKS];
    struct mr_plant_set part[MR_SCENARIO_SETS];
    struct mr_layout_change layout[MR_SCENARIO_CHANGES]; /* over what the site's file says */
    size_t n_event, n_rack, n_part, n_layout;
    struct mr_buf given, defaulted, overridden; /* paths, with spaces between */
    struct mr_arena texts;
};

/** Read and check. All mistakes are added to `diags`.
 *  @param[in] set "PATH=VALUE", n_set of them, over the file's
 *  @param[out] scenario mr_scenario_fini, also after errors
 *  @return MR_OK, or the status of the first error */
MR_CHECKED mr_status mr_scenario_load(const char *path, const char *const *set, size_t n_set,
                                      struct mr_scenario *scenario, struct mr_diags *diags);
/** The same where mistakes in what is set have places of their own. @param[in] at n_set of them */
MR_CHECKED mr_status mr_scenario_load_at(const char *path, const char *const *set,
                                         const struct mr_place *at, size_t n_set,
                                         struct mr_scenario *scenario, struct mr_diags *diags);
/** The same from a text whose file names are taken as they stand. @param[in] name for messages */
MR_CHECKED mr_status mr_scenario_load_text(const char *name, struct mr_str text,
                                           const char *const *set, size_t n_set,
                                           struct mr_scenario *scenario, struct mr_diags *diags);
void mr_scenario_fini(struct mr_scenario *scenario);

/** The scenario with every default filled in: reads back to the same. */
void mr_scenario_write(const struct mr_scenario *scenario, struct mr_buf *out);

/** The RELAX NG grammar of scenarios, made of the tables. */
void mr_scenario_print_rng(struct mr_buf *out);

/** Does a file follow the grammar? Findings are added to `diags`. */
mr_status mr_scenario_check_grammar(const char *path, struct mr_diags *diags);

/** Calls and seconds of its run, as far as the scenario itself tells; NaN: only a run can. */
double mr_scenario_guess_calls(const struct mr_scenario *scenario);
double mr_scenario_guess_s(const struct mr_scenario *scenario);

/** Place of a tier's calls in a queue: how many tiers go before it. */
uint32_t mr_scenario_rank(const struct mr_scenario *scenario, size_t tier);

/** Waiting calls of an instance at which a tier is shed (both shed_at); 0: never. */
uint64_t mr_scenario_shed_at(const struct mr_scenario *scenario, size_t tier);

struct mr_scenario_spared {
    double ttft_s, tpot_s;
};

/** What a tier's calls leave to dearer ones while the site lacks watts (short_at); 0: anything. */
struct mr_scenario_spared mr_scenario_spared(const struct mr_scenario *scenario, size_t tier);

/** Tier that takes whom another one refuses, plus 1; 0: none. */
uint8_t mr_scenario_cheaper(const struct mr_scenario *scenario, size_t tier);

/** Elements and their tables, in the order of the reference page; NULL past the last. */
const struct mr_param_table *mr_scenario_table(size_t i, const char **element);

#endif
