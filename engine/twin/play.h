/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a scenario: cards to instances, arrivals to the cell, and what came of them. */
#ifndef MR_ENGINE_TWIN_PLAY_H
#define MR_ENGINE_TWIN_PLAY_H

#include "engine/base/hist.h"
#include "engine/clock/ranks.h"
#include "engine/serve/onboard.h"
#include "engine/serve/split.h"
#include "engine/twin/agents.h"
#include "engine/twin/factory.h"
#include "engine/twin/planner.h"
#include "engine/twin/scenario.h"
#include "platforms/site.h"

/* What became of one call. Times are NaN where they never came. */
struct mr_play_row {
    uint64_t id;
    double arrived_s, scheduled_s, first_token_s, finished_s;
    double kv_load_s; /* of the time before scheduled_s: its context on the way to HBM */
    uint32_t session, instance, input, cached_input, output, restarts;
    uint32_t prefill_instance; /* MR_ROUTER_NOWHERE: the prompt was read where it is decoded */
    uint32_t tenant;           /* of its session; UINT32_MAX: of none */
    uint8_t tier, outcome;     /* MR_PLAY_FINISHED ... */
};

/* One step of an instance, on a rack that is watched. */
struct mr_play_step {
    double start_s, time_s, kv_tok;
    double power_w, idle_w; /* of its packages there: mean of the step; without work */
    double clock_frac;
    uint32_t instance, n_decode, prefill_tok;
    uint8_t rack; /* place among those asked for */
    uint8_t pool; /* 0: the deployment, 1: the prefill pool */
};

/* What became of a call: these, then the reasons of refusals. */
enum mr_play_outcome {
    MR_PLAY_FINISHED,
    MR_PLAY_IN_FLIGHT,
    MR_PLAY_REFUSED,
    MR_PLAY_OUTCOMES = MR_PLAY_REFUSED + MR_CELL_REFUSALS
};

const char *mr_play_outcome_name(uint8_t outcome);

/* A pool at an instant. */
struct mr_play_pool {
    double n_open, n_waiting, n_running; /* instances that take calls; calls */
    double kv_used_frac;                /* blocks of running calls and of the prefix cache's pins */
    double kv_resident_frac;            /* those, and what the prefix cache keeps beside them */
    double kv_bytes[MR_ONBOARD_LEVELS]; /* in the memories below HBM */
    double package_j;                   /* drawn by its packages since the start; NaN: not known */
    double n_token;                     /* made since the start */
};

/* A tier at an instant, since the start. */
struct mr_play_level {
    double n_arrived, n_finished, n_refused[MR_CELL_REFUSALS], n_output;
};

struct mr_factory;

/* The state of all dates up to t_s. */
struct mr_play_sample {
    double t_s;
    uint32_t due; /* 1 << i: it is a date of the i-th interval; the last sample is one of all */
    struct mr_factory *factory;  /* the site, as of its last exchange; NULL: none */
    struct mr_play_pool pool[2]; /* the deployment, the prefill pool */
    struct mr_play_level tier[MR_SCENARIO_TIERS];
};

/* Something happened on the site. Texts are lent for the call, kinds for ever. */
struct mr_play_event {
    double t_s;
    const char *kind, *entity; /* "th.throttle_on", "H0.R0.K1" */
    double value, limit;       /* NaN: none */
};

/* A limit was passed. */
struct mr_play_violation {
    const char *what; /* kind of event */
    char where[64];   /* the first time */
    uint64_t count;
    double first_s;
};

enum {
    MR_PLAY_VIOLATIONS = 24,
    MR_PLAY_INTERVALS = 16 /* of samples, at most */
};

/* How far a run is, at the end of a window. */
struct mr_play_reading {
    double now_s, end_s; /* end_s infinite: until all calls have ended */
    double site_w;       /* mr_exchange_site_w; NaN: no site */
    uint64_t n_event;    /* played so far, by all ranks */
};

struct mr_play_options {
    /* told before anything is played; factory NULL: no site. NULL: nobody */
    mr_status (*on_begin)(void *context, struct mr_factory *factory, struct mr_err *err);
    /* told of every call when it ends, and at the end of those that did not; NULL: nobody */
    mr_status (*on_call)(void *context, const struct mr_play_row *row, struct mr_err *err);
    void *context;
    /* told of the state at the multiples of every interval, dates of several once, and at the end;
     * no interval: nobody */
    mr_status (*on_sample)(void *context, const struct mr_play_sample *sample, struct mr_err *err);
    double every_s[MR_PLAY_INTERVALS];
    uint32_t n_every;
    /* told after every exchange of the site; NULL: nobody */
    void (*on_exchange)(void *context, double now_s);
    /* a network for transfers between pools, and where packages are on it; NULL: links of their own
     */
    struct mr_transfer *net;
    uint32_t (*host_of)(const struct mr_site *site, uint32_t rack, uint32_t package);
    /* told of what happens on the site, by date; NULL: nobody */
    mr_status (*on_event)(void *context, const struct mr_play_event *event, struct mr_err *err);
    bool steps_singly; /* leap off */
    /* told of every session that ends (agents); NULL: nobody */
    mr_status (*on_session)(void *context, const struct mr_agents_row *row, struct mr_err *err);
    /* told of every step of instances on these racks, those of an instance by time; the same names
     * on all ranks, each once */
    mr_status (*on_step)(void *context, const struct mr_play_step *step, struct mr_err *err);
    const struct mr_str *step_rack;
    size_t n_step_rack;
    const char *requests_path; /* CSV, a row per call; NULL: none */
    bool may_overwrite;
    /* The processes that share the run, lent; NULL: this one alone. Listeners (on_...) are those of
     * rank 0, and NULL elsewhere; all else is the same on all ranks. */
    struct mr_ranks *ranks;
    bool wants_calls, wants_sessions, wants_events; /* somebody listens, here or on rank 0 */
    /* asked at the end of every window; not 0: the run ends there, and says so. NULL: nobody */
    int (*stop)(void *context);
    void *stop_context;
    /* told there how far the run is; NULL: nobody */
    void (*on_window)(void *context, const struct mr_play_reading *reading);
    void *window_context;
};

/* Of calls that ended. */
struct mr_play_latency {
    struct mr_hist ttft, tpot, e2e;
};

struct mr_play_tier {
    uint64_t n_arrived, n_finished, n_refused[MR_CELL_REFUSALS];
    uint64_t n_moved_in, n_moved_out;     /* calls of dearer tiers, to cheaper ones */
    uint64_t n_input, n_cached, n_output; /* tokens of finished calls */
    uint64_t n_met;                       /* finished within all objectives */
    uint64_t n_in_flight, n_late; /* at the end; of them those that have missed an objective */
    uint64_t n_loaded[MR_ONBOARD_LEVELS]; /* of n_cached: from memories below HBM */
    struct mr_hist ttft, tpot, e2e;
    struct mr_player_sums sessions; /* of agents */
    struct mr_hist completion;      /* of their sessions that finished */
};

/* Memories below HBM, of one level, all pools. */
struct mr_play_memory {
    double n_byte, limit_bytes; /* at the end; INFINITY: no limit */
    double loaded_bytes, written_bytes, energy_j;
};

struct mr_play_result {
    struct mr_play_tier *tier; /* [scenario's n_tier] */
    size_t n_tier;
    struct mr_play_tier *measured; /* all tiers, from measured_s on; NULL: not asked for */
    double measured_s;             /* NaN: the run ended before */
    struct mr_play_latency *read;  /* [2] by the pool that read the prompt */
    double sim_s;
    bool is_partial; /* was told to stop: sim_s is when */
    int stop;        /* what it was told, by any rank */
    uint32_t n_rank, n_cell;
    uint64_t n_package, n_lpu; /* n_lpu: beside packages */
    uint64_t n_event, n_segment, n_iteration, n_restart;
    double made_tok;             /* by all instances, of calls that ended or not */
    uint64_t n_block;            /* of an instance */
    uint64_t n_down, n_rerouted; /* instances that went down; calls that left them */
    double down_s;               /* of all instances */
    struct mr_cell_little little;
    bool has_planner;
    struct mr_planner_counts planner;
    struct mr_arrivals_counts rows;
    bool has_split;
    struct mr_split_counts split;      /* of a prefill pool */
    uint64_t n_prefill_block;          /* of an instance of it */
    struct mr_cell_ahead_counts ahead; /* prompts read ahead */
    bool has_agents;
    struct mr_agents_residency resided;   /* of blocks; peaks of cells added */
    struct mr_tenants *tenants;           /* of agents; NULL: none */
    uint32_t n_live, n_live_max;          /* sessions, at the end and at most */
    double core_busy_s;                   /* of tools: cores x time */
    size_t session_bytes;                 /* of sessions and their script */
    uint64_t n_cached_block, n_all_block; /* of all instances, at the end */
    uint64_t n_block_evicted;             /* for want of room */
    uint32_t n_memory;                    /* levels below HBM */
    struct mr_play_memory memory[MR_ONBOARD_LEVELS];
    uint64_t n_load; /* calls that waited for blocks from them, and how long */
    double load_s;
    double package_j;      /* drawn by all packages; NaN: a profile knows no watts */
    double package_peak_w; /* most that all packages could draw */
    bool has_site;         /* else the rest means nothing */
    struct mr_exchange_sums site;
    struct mr_factory_books books;
    double capital_usd, feed_limit_w; /* of all racks; NaN, INFINITY: not known, none */
    struct mr_play_violation violation[MR_PLAY_VIOLATIONS];
    size_t n_violation;
};

/** @param[in] scenario checked by mr_scenario_load
 *  @param[out] result mr_play_fini, also after errors */
MR_CHECKED mr_status mr_play(const struct mr_scenario *scenario,
                             const struct mr_play_options *options, struct mr_play_result *result,
                             struct mr_diags *diags);
/** Can it be played: are the cards there, do weights fit, is the policy possible, can the site and
 *  all that stands in it be set up? Plays nothing. */
MR_CHECKED mr_status mr_play_check(const struct mr_scenario *scenario, struct mr_diags *diags);

void mr_play_fini(struct mr_play_result *result);

/** What a tier's finished calls cost their users. */
double mr_play_usd(const struct mr_scenario *scenario, const struct mr_play_result *result,
                   size_t tier);

/* Of a run, what its result does not know. */
struct mr_play_told {
    const char *asked_sha256; /* of the question: scenario with every default, files, cards */
    double wall_s;
};

/** The summary as one JSON object; tokens and joules per token are those of the packages.
 *  @param[in] scratch overwritten */
void mr_play_json(const struct mr_scenario *scenario, const struct mr_play_result *result,
                  const struct mr_play_told *told, struct mr_hist *scratch, struct mr_buf *out);

#endif
