/* SPDX-License-Identifier: Apache-2.0 */
/* Live sessions of one cell. Sessions of a script start when their source says so, and walk their
 * nodes: LLM calls are handed to whoever serves them (the sink) and come back with their end; tools
 * take cores and the memory of a sandbox; thinking takes time. A node starts at the maximum over
 * its dependencies of their dates and delays.
 *
 * What a session does now is one strand of 64 B, or several (player_strand.h). Nothing is ever done
 * per session or per window that is not due.
 *
 * The time of a session is told by parts. At a join the one that came last counts, so that the
 * parts add up to the time from the session's start to its end: they are its critical path.
 *
 * Timing: `think` (nodes follow their dependencies; thinking is capped), `original` (nodes start at
 * their recorded dates or when their dependencies are there, what comes later: thinking is in the
 * dates, so that who is late catches up), `scaled` (thinking times a factor).
 *
 * A session has one sandbox, from the first of its tools on a CPU to its end, with memory for the
 * largest of them.
 *
 * Ignored: tools that use more than one core; sandboxes that outlive their session. */
#ifndef MR_ENGINE_WORK_PLAYER_H
#define MR_ENGINE_WORK_PLAYER_H

#include "engine/base/fetch.h"
#include "engine/clock/calendar.h"
#include "engine/clock/tree.h"
#include "engine/work/cores.h"
#include "engine/work/player_strand.h"

#include <math.h>

enum mr_player_timing {
    MR_PLAYER_BY_THINK,
    MR_PLAYER_BY_ORIGINAL,
    MR_PLAYER_BY_SCALE
};

/* Pools and stages beside the LLMs. */
struct mr_player_site {
    double n_core, core_speed; /* of the CPU pool; work is in seconds of a core of speed 1 */
    double n_accelerator;      /* of tools that run on GPUs */
    double memory_mb;          /* of all sandboxes; INFINITY: no limit */
    double sandbox_mb, sandbox_spread; /* median and sigma where a tool does not say */
    double sandbox_s;                  /* to start a sandbox */
    double error_frac, retry_s;        /* a tool that fails runs again after retry_s */
    uint32_t n_retry;                  /* at most so many times */
    double storage_bytes_s, stream_bytes_s, storage_latency_s; /* long-term memory */
    double gate_s, gate_median_s, gate_spread; /* per call: a constant and a lognormal */
    uint32_t n_gate;        /* calls that the gateway works on at once; 0: no limit */
    double denied_frac;     /* calls that it does not let pass */
    double redirected_frac; /* calls that it sends to a pool beside the factory */
    uint32_t n_local;       /* that pool works on at once; 0: no limit */
    double local_input_tok_s, local_output_tok_s;
    double network_s;    /* round trip */
    double shed_retry_s; /* a call that was shed comes again after that, doubled each time */
    uint32_t n_shed_retry;
};

enum {
    MR_PLAYER_NO_TENANT = UINT16_MAX,
    MR_PLAYER_TIERS = 256
};

/* A session that begins. */
struct mr_player_start {
    double at_s;      /* not before the one before */
    uint32_t session; /* of the script */
    uint32_t cut;     /* node to begin with; MR_PLAYER_NONE: from the start */
    uint16_t tenant;  /* MR_PLAYER_NO_TENANT: of none */
    uint8_t tier;
    double past_s; /* since that node's start, or the session's: it is met there (player_meet.c) */
};

/* A session that has ended. */
struct mr_player_end {
    uint32_t life, session;
    uint16_t tenant;
    uint8_t tier;
    bool has_failed;
    double start_s, end_s;
    const double *part_s;                  /* [MR_PLAYER_PARTS]; NULL: no ledger */
    const struct mr_player_tokens *tokens; /* NULL: nobody counts */
};

/* Who says what begins. */
struct mr_player_source {
    /* The next one; false: none. */
    bool (*next)(void *context, struct mr_player_start *start);
    /* A session has ended: does another one take its place? NULL: never */
    bool (*again)(void *context, const struct mr_player_end *end, struct mr_player_start *start);
    void *context;
};

struct mr_player_sink {
    /* A call starts; mr_player_call_ended or _refused follows, the latter perhaps at once. */
    mr_status (*call)(void *context, uint32_t strand, double now_s, struct mr_err *err);
    void (*ended)(void *context, uint32_t strand, const struct mr_player_end *end);
    void *context;
};

struct mr_player_plan {
    const struct mr_script *script;
    struct mr_player_site site;
    struct mr_player_source source;
    struct mr_player_sink sink;
    uint64_t seed;
    uint32_t cell, n_cell; /* lives are numbered over all cells */
    double window_s;
    int timing;          /* enum mr_player_timing */
    double think_factor; /* of scaled thinking */
    double speed;        /* recorded starts come this many times faster; 0: once */
    double idle_cap_s;   /* on thinking; INFINITY: none */
    uint32_t n_tier;     /* of sessions; 0: MR_PLAYER_TIERS */
    bool has_ledger;     /* parts of every session, not of all together only */
    bool has_tokens;     /* of every session, on all its ways */
};

struct mr_player_sums {
    uint64_t n_started, n_finished, n_failed; /* sessions */
    uint64_t n_deadline, n_in_time;           /* of those that ended: with a deadline; before it */
    uint64_t n_call, n_tool, n_tool_error, n_denied, n_redirected, n_shed_retry;
    uint64_t n_sandbox_cut;                  /* drawn larger than all memory there is */
    double part_s[MR_PLAYER_PARTS];          /* of everything that has ended */
    double finished_part_s[MR_PLAYER_PARTS]; /* of sessions that have finished (ledger) */
    double finished_s;                       /* of them, from start to end */
};

struct mr_player {
    struct mr_player_plan plan;
    struct mr_calendar_store *store; /* lent */
    struct mr_calendar calendar;
    struct mr_cores cores, accelerators, storage;
    struct mr_tree gate;  /* when the servers of the gateway are free */
    struct mr_tree local; /* the same of the pool it redirects to */
    bool has_gate;
    struct mr_player_strand *strand; /* aligned to cache lines, inside `slab` */
    void *slab;
    struct mr_player_ledger *ledger; /* beside strand */
    struct mr_player_tokens *tokens; /* the same */
    struct mr_player_family *family;
    struct mr_player_open *open;
    double *met; /* dates of the session that is being met */
    size_t n_strand, cap_strand, cap_ledger, cap_tokens, n_family, cap_family, n_open, cap_open,
        cap_met;
    uint32_t free_strand, free_family, free_open;
    uint32_t queue_head, queue_tail; /* for sandboxes */
    double used_mb;
    struct mr_player_start coming; /* planned already */
    bool has_coming;
    bool may_call; /* the sink's `call` is not on the stack of a call's end */
    uint32_t n_life, n_live, n_live_max;
    uint64_t n_event;
    struct mr_player_sums *sums; /* [plan.n_tier] */
};

/** @param[in] store of the rank's calendars, lent @return MR_OK, MR_NOMEM */
MR_CHECKED mr_status mr_player_init(struct mr_player *player, const struct mr_player_plan *plan,
                                    struct mr_calendar_store *store, struct mr_err *err);
void mr_player_fini(struct mr_player *player);

/** Windows are opened, played and closed one after the other. */
MR_CHECKED mr_status mr_player_open_window(struct mr_player *player, uint64_t window,
                                           struct mr_err *err);
/** @param[in] end_s of the window: what is left of it is dropped where a run ends early */
void mr_player_close_window(struct mr_player *player);

/** Of the pools; INFINITY: none has an event. */
double mr_player_pools_due_s(const struct mr_player *player);

static inline bool mr_player_shares(const struct mr_player *player)
{
    return (player->cores.n_unplanned | player->accelerators.n_unplanned |
            player->storage.n_unplanned) > 0;
}

/** Of the CPU pool so much is there from now on, between two windows; what ran on a share of those
 *  that were is lost, and begins anew. A pool without limit stands nowhere. */
MR_CHECKED mr_status mr_player_set_cores(struct mr_player *player, double frac, double lost_frac,
                                         double now_s, struct mr_err *err);

/** Do tools wait for cores, and none is there? */
static inline bool mr_player_is_stuck(const struct mr_player *player)
{
    return player->cores.n > 0 && player->cores.n_server == 0;
}

/** The next event of the open window; INFINITY: none. */
static inline double mr_player_due_s(const struct mr_player *player)
{
    const uint64_t next = mr_calendar_next_key(&player->calendar);
    const double asleep_s = next != UINT64_MAX ? mr_event_key_time_s(next) : (double)INFINITY;
    const double pool_s = mr_player_shares(player) ? mr_player_pools_due_s(player) : asleep_s;
    return pool_s < asleep_s ? pool_s : asleep_s;
}

/** Play that event. */
MR_CHECKED mr_status mr_player_step(struct mr_player *player, struct mr_err *err);

/* A call that has ended. */
struct mr_player_served {
    double scheduled_s, first_s; /* its first step, its first token */
    double load_s;               /* before its first step: its context on the way to HBM */
    double again_s[2];           /* that after a preemption: before its first token, behind it */
    uint32_t n_input, n_cached, n_output;
};

MR_CHECKED mr_status mr_player_call_ended(struct mr_player *player, uint32_t strand,
                                          const struct mr_player_served *served, double now_s,
                                          struct mr_err *err);

/** A call is not served. @param[in] may_retry it may come again */
MR_CHECKED mr_status mr_player_call_refused(struct mr_player *player, uint32_t strand,
                                            bool may_retry, double now_s, struct mr_err *err);

/** A call is not served before a date, and comes again then. */
MR_CHECKED mr_status mr_player_call_put_off(struct mr_player *player, uint32_t strand,
                                            double until_s, double now_s, struct mr_err *err);

/** Do the sandboxes that sessions say they need fit into the pool? @return MR_OK, MR_RANGE */
MR_CHECKED mr_status mr_player_check_sandboxes(const struct mr_script *script, double memory_mb,
                                               struct mr_err *err);

/** Bytes allocated. */
size_t mr_player_bytes(const struct mr_player *player);

static inline const struct mr_script_node *mr_player_node(const struct mr_player *player,
                                                          uint32_t strand)
{
    return &player->plan.script->node[player->strand[strand].node];
}

/** Lives are numbered in the order in which they begin, cell by cell. */
static inline uint32_t mr_player_life(const struct mr_player *player, uint32_t strand)
{
    const uint32_t nth = player->strand[strand].space - player->plan.script->n_space - 1;
    return nth * player->plan.n_cell + player->plan.cell;
}

/** Fetch what a few events ahead will touch. */
MR_FETCH void mr_player_look_ahead(const struct mr_player *player)
{
    const struct mr_event *far = mr_calendar_ahead(&player->calendar, 12);
    const struct mr_event *near = mr_calendar_ahead(&player->calendar, 6);
    if (far != NULL)
        mr_fetch(&player->strand[mr_event_entity(*far)]);
    if (near != NULL && player->n_strand > 0)
        mr_fetch(&player->plan.script->node[player->strand[mr_event_entity(*near)].node]);
}

#endif
