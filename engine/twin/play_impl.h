/* SPDX-License-Identifier: Apache-2.0 */
/* A run from the inside: its cells, and what they share. */
#ifndef MR_ENGINE_TWIN_PLAY_IMPL_H
#define MR_ENGINE_TWIN_PLAY_IMPL_H

#include "engine/base/file.h"
#include "engine/clock/windows.h"
#include "engine/serve/cache_names.h"
#include "engine/twin/factory.h"
#include "engine/twin/play.h"
#include "engine/work/session_index.h"

struct mr_play_run;

/* What a cell has counted of a tier. Sums of doubles are per cell: they are added in the order of
 * cells, whoever owns them. Histograms add up exactly in any order and are the rank's. */
struct mr_play_count {
    uint64_t n_arrived, n_finished, n_refused[MR_CELL_REFUSALS], n_loaded[MR_ONBOARD_LEVELS];
    uint64_t n_moved_in, n_moved_out, n_input, n_cached, n_output, n_met;
    uint64_t n_in_flight, n_late; /* at the end; of them those that have missed an objective */
};

struct mr_play_hists {
    struct mr_play_latency read[2]; /* of calls, by the pool that read the prompt */
    struct mr_hist completion;
};

/* A call that comes to a cell in the window being played. */
struct mr_play_coming {
    double arrived_s;
    struct mr_ticket ticket;
    size_t run; /* of its names, in the cell's own list */
    bool is_too_long;
};

struct mr_play_cell {
    struct mr_play_run *run;
    uint32_t i, n_kept; /* n_kept: of `sessions`, when some were forgotten */
    struct mr_outages_span span;
    struct mr_cell cell;
    bool has_cell;
    struct mr_outages *outages;
    struct mr_planner *planner; /* NULL: all instances serve */
    struct mr_agents *agents;   /* NULL: calls come from the run's arrivals */
    struct mr_play_coming *coming;
    size_t n_coming, cap_coming;
    struct mr_cache_runs names;       /* of all that come */
    struct mr_session_index sessions; /* that the cell knows */
    struct mr_play_count *count;      /* [n_tier] */
    struct mr_play_count *before;     /* [n_tier] of it, before what is measured */
    double last_s;                    /* the last that happened to a call or session */
    struct mr_play_part *sample;      /* [n] of this window (play_sample.c) */
    size_t i_sample;                  /* those that are taken already */
    char *post;                       /* rows of this window (play_rows.c) */
    size_t n_post, cap_post;
    struct mr_play_watch *watch; /* of the seats that are watched (play_steps.c) */
    size_t n_watch, cap_watch;
    mr_status st; /* of rows: sinks return nothing */
    struct mr_err err;
};

enum {
    MR_PLAY_DATES = 64 /* of samples that a window passes at most */
};

struct mr_play_date {
    double t_s;
    uint32_t due; /* of which intervals */
};

struct mr_play_run {
    const struct mr_scenario *scenario;
    const struct mr_play_options *options;
    struct mr_play_result *result;
    struct mr_shelf *shelf;
    struct mr_pool pool, prefill; /* prefill: all 0 when there is none */
    struct mr_split_plan split;
    struct mr_ranks *ranks;
    struct mr_windows windows;
    uint32_t n_cell;
    struct mr_play_cell *cell;   /* [windows.end - windows.first] */
    struct mr_play_hists *hists; /* [2 n_tier], of this rank: before what is measured, and then */
    bool is_measured;            /* what happens from now on */
    struct mr_factory *factory;  /* NULL: no site */
    struct mr_agents_deal *deal;
    struct mr_arrivals_source *arrivals;
    const char *tier_name[MR_SCENARIO_TIERS];
    struct mr_arrival next; /* not dealt yet */
    bool has_next;
    uint64_t id;                /* of it */
    struct mr_cache_runs names; /* of it */
    double *open_to; /* [n_cell] open instances of the cells up to this one, at the last exchange */
    double *tool_core_s;                         /* [own cells] scratch: cores x time of tools */
    double end_s;                                /* INFINITY: when all calls have ended */
    double due_s;                                /* no event of any cell is before it */
    bool is_dealt;                               /* calls of this window */
    struct mr_play_date date[MR_PLAY_DATES + 1]; /* of the next samples */
    uint64_t n_multiple[MR_PLAY_INTERVALS];      /* of every interval, behind them */
    size_t n_window_sample;
    bool has_seen;             /* the parts of the first of the next window are taken */
    struct mr_play_part *part; /* scratch: of own cells */
    size_t cap_part;
    uint32_t *host; /* of every seat, on options->net */
    char *gathered;
    size_t cap_gathered;
    size_t *n_bytes; /* [2 n_rank] */
    int64_t *status; /* [n_rank] */
    uint32_t n_made; /* cells */
    struct mr_file_out requests;
    bool has_requests, has_begun;
    struct mr_buf row;
    struct mr_play_event *early; /* [n_early] of the site's set-up, until on_begin */
    size_t n_early, cap_early;
    mr_status st; /* of telling events: sinks return nothing */
    struct mr_err err;
};

/* ---- sharing (play_share.c) ---- */

/** First of n things of cell `i`, when n are dealt to n_cell cells in order. */
static inline uint32_t mr_play_first(uint64_t n, uint32_t i, uint32_t n_cell)
{
    return (uint32_t)(n * i / n_cell);
}

/** Every rank gives `each` bytes for each of its own cells, and gets those of all, in cell order.
 *  @param[out] all lent until the next call; with one rank it is `mine` */
MR_CHECKED mr_status mr_play_gather(struct mr_play_run *run, const void *mine, size_t each,
                                    const void **all, struct mr_err *err);

/** The same with as many bytes as a rank has. @param[out] n_all bytes of all ranks together */
MR_CHECKED mr_status mr_play_gather_bytes(struct mr_play_run *run, const void *mine, size_t n_mine,
                                          const char **all, size_t *n_all, struct mr_err *err);

/** What is true for one rank is the error of all. @param[in] st of this rank, with *err */
MR_CHECKED mr_status mr_play_agree(struct mr_play_run *run, mr_status st, struct mr_err *err);

/** What all instances have done up to now, for the exchange. */
MR_CHECKED mr_status mr_play_share_seen(struct mr_play_run *run, double now_s, struct mr_err *err);

/** Orders of the site reach the instances that are played here. */
MR_CHECKED mr_status mr_play_obey(struct mr_play_run *run, double now_s, struct mr_err *err);

/** The rank's sums become the run's. */
MR_CHECKED mr_status mr_play_settle(struct mr_play_run *run, struct mr_err *err);

/* ---- a cell (play_cell.c) ---- */

MR_CHECKED mr_status mr_play_cell_init(struct mr_play_run *run, uint32_t i,
                                       struct mr_play_cell *cell, struct mr_err *err);
void mr_play_cell_fini(struct mr_play_cell *cell);
/** Once there is something to talk to. */
MR_CHECKED mr_status mr_play_cell_start(struct mr_play_cell *cell, struct mr_err *err);
/** Play what comes before the end of a window. */
MR_CHECKED mr_status mr_play_cell_play(struct mr_play_cell *cell, double end_s, struct mr_err *err);

/** It is told what happens on the site, too. */
void mr_play_take_event(void *run, double t_s, const char *kind, const char *entity, double value,
                        double limit);

double mr_play_cell_due_s(const struct mr_play_cell *cell);
bool mr_play_cell_is_over(const struct mr_play_cell *cell);
uint64_t mr_play_cell_events(const struct mr_play_cell *cell); /* since the start */

/** Has a call that has not ended missed what was promised for its first token? */
bool mr_play_cell_is_late(const struct mr_play_cell *own, const struct mr_ticket *ticket,
                          const struct mr_call *call, double now_s);

/** Seconds in which a seat drew no more than idling: neither at work nor down. */
double mr_play_cell_idle_s(const struct mr_cell *cell, uint32_t seat, double now_s);

/** Watts of an idle package; NaN: not known. */
double mr_play_idle_w(const struct mr_pool *pool);
/** Watts of an instance's LPUs beside its packages, idle or at most. */
double mr_play_lpu_w(const struct mr_pool *pool, bool is_most);

/** Number of a seat's instance in the stand. */
uint32_t mr_play_cell_number(const struct mr_play_cell *cell, uint32_t seat);

/* ---- calls that come (play_calls.c) ---- */

MR_CHECKED mr_status mr_play_calls_open(struct mr_play_run *run, struct mr_diags *diags,
                                        struct mr_err *err);

/** Can the workload be? */
MR_CHECKED mr_status mr_play_calls_check(const struct mr_play_run *run, struct mr_err *err);

/** Deal out the calls that come before the end of a window. */
MR_CHECKED mr_status mr_play_calls_deal(struct mr_play_run *run, double end_s, struct mr_err *err);

/** Is there anywhere to go for calls that wait? Sessions of agents stay where they are. */
bool mr_play_calls_may_move(const struct mr_play_run *run);

/** Calls that wait in cells of which nothing is open leave for others. */
MR_CHECKED mr_status mr_play_calls_move(struct mr_play_run *run, double now_s, struct mr_err *err);

/** A call's session gets a place in the cell. @param[in,out] ticket its number, then its place */
MR_CHECKED mr_status mr_play_calls_seat(struct mr_play_cell *cell, struct mr_ticket *ticket,
                                        struct mr_err *err);

/** One of them comes. */
MR_CHECKED mr_status mr_play_calls_enter(struct mr_play_cell *cell, const void *bytes, double now_s,
                                         struct mr_err *err);

/** Number of a ticket's session, which has its place in the cell. */
uint32_t mr_play_calls_session(const struct mr_play_cell *cell, const struct mr_ticket *ticket);

/* First 8 bytes of what is posted. */
enum mr_play_mail {
    MR_PLAY_MAIL_CALL, /* rows */
    MR_PLAY_MAIL_SESSION,
    MR_PLAY_MAIL_EVENT,
    MR_PLAY_MAIL_STEP,
    MR_PLAY_MAIL_MOVE /* struct mr_cell_move */
};

/* ---- rows (play_rows.c) ---- */

/** @param[in] call NULL: it was refused */
MR_CHECKED mr_status mr_play_rows_call(struct mr_play_cell *cell, const struct mr_ticket *ticket,
                                       const struct mr_call *call, double arrived_s,
                                       double finished_s, uint8_t outcome, struct mr_err *err);
MR_CHECKED mr_status mr_play_rows_session(struct mr_play_cell *cell,
                                          const struct mr_agents_row *row, struct mr_err *err);

/** Something happened to an instance. @param[in] kind of outages.h */
MR_CHECKED mr_status mr_play_rows_event(struct mr_play_cell *cell,
                                        const struct mr_play_event *event, struct mr_err *err);

MR_CHECKED mr_status mr_play_rows_step(struct mr_play_cell *cell, const struct mr_play_step *step,
                                       struct mr_err *err);

/** What cells have posted reaches rank 0's listeners. */
MR_CHECKED mr_status mr_play_rows_tell(struct mr_play_run *run, const char *bytes, size_t n,
                                       struct mr_err *err);
MR_CHECKED mr_status mr_play_rows_open(struct mr_play_run *run, struct mr_err *err);

/** @param[in] st of the run: rows are kept when it is well, @return it or what closing met */
MR_CHECKED mr_status mr_play_rows_close(struct mr_play_run *run, mr_status st, struct mr_err *err);

/* ---- steps (play_steps.c) ---- */

/** Watch those instances of own cells that stand on the racks whose steps are wanted.
 *  @return MR_REF naming a rack that is not there, or on which no instance stands */
MR_CHECKED mr_status mr_play_steps_open(struct mr_play_run *run, struct mr_err *err);

/** Steps in flight that have ended by the end of the run. */
MR_CHECKED mr_status mr_play_steps_end(struct mr_play_cell *cell, struct mr_err *err);

#endif
