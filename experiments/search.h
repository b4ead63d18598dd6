/* SPDX-License-Identifier: Apache-2.0 */
/* Which build? Candidates that cost so much and can make so many tokens at most are played, at one
 * load or at several, until it is certain which is best; the fewer runs the better.
 *
 * With a target the best is the smallest candidate that reaches it under some load that it holds.
 * Where it holds a load and falls short of the target a heavier one is tried, where it misses one a
 * lighter one: bisection, from the load that is likely to do. Candidates are tried from the
 * smallest on; those that are larger than one that reaches it need no more runs.
 *
 * Without one it is the candidate that holds the heaviest load; of several the smallest, then the
 * first. With one load it is, of those that hold it, the one that makes most tokens before that. A
 * candidate holds all loads up to some and none beyond (assumed): bisection finds it. Branch and
 * bound: once one is known to hold a load, all others are tried with that one first, and those that
 * miss it are done, but for the first n_refine of them, whose own heaviest load is found out at the
 * end; those whose cards cannot make as many tokens as the best has made are never
 * played.
 *
 * Trials are asked for in rounds of up to MR_SEARCH_ROUND, which may be played side by side; what
 * is in a round depends on the answers before alone, so that any number of processes finds the same
 * by the same way. */
#ifndef MR_EXPERIMENTS_SEARCH_H
#define MR_EXPERIMENTS_SEARCH_H

#include "engine/base/status.h"

#include <stddef.h>

enum {
    MR_SEARCH_ROUND = 4,
    MR_SEARCH_WHY = 200
};

/* name, text, meaning; what became of a candidate */
#define MR_SEARCH_FATE_LIST(X)                                                                  \
    X(OPEN, "open", "not decided")                                                              \
    X(BEST, "best", "the answer")                                                               \
    X(REFUSED, "refused", "known before any run: over a limit, or not buildable")               \
    X(LARGER, "larger", "a smaller one reaches the target: not played to the end")              \
    X(BOUND, "bound", "its cards cannot make as many tokens: not played")                       \
    X(MISSED, "missed", "played, holds no load")                                                \
    X(UNCONFIRMED, "unconfirmed", "was the answer, and does not hold its load in a longer run") \
    X(LESS, "less", "played, holds less than the best")                                         \
    X(EQUAL, "equal", "holds as much as the best and is larger, or makes fewer tokens")         \
    X(FAILED, "failed", "its run failed")

enum mr_search_fate {
#define MR_SEARCH_FATE_ENUM(name, text, doc) MR_SEARCH_##name,
    MR_SEARCH_FATE_LIST(MR_SEARCH_FATE_ENUM)
#undef MR_SEARCH_FATE_ENUM
};

const char *mr_search_fate_name(enum mr_search_fate fate);

/* A run of a candidate under one of the loads. */
struct mr_search_trial {
    size_t item, load;
    bool has_failed, holds; /* from here on: the answer */
    bool is_short;          /* it holds, and makes fewer tokens than are wanted */
    double tok_s;
    char why[MR_SEARCH_WHY]; /* it does not hold, or has failed */
};

struct mr_search_item {
    double size, second_size; /* smaller is better; the second counts among equal first ones; NaN:
                                 after all numbers */
    double bound_tok_s;       /* it cannot make more; INFINITY: not known */
    enum mr_search_fate fate; /* in: OPEN or REFUSED */
    long lo, hi;              /* out: heaviest load it held, -1: none; lightest it missed. What it
                                 holds between them is not known */
    bool is_short;            /* out: under load `lo` it makes fewer tokens than are wanted */
    double tok_s;             /* out: made under load `lo` */
    char why[MR_SEARCH_WHY];  /* out: of the last trial that it missed */
    char why_short[MR_SEARCH_WHY]; /* out: of load `lo` */
};

struct mr_search_plan {
    size_t n_item, n_load; /* loads grow with their number */
    bool has_target;
    double target_tok_s; /* of the sum, for bounds; who falls short is the hook's business */
    size_t first_load;   /* with a target: tried first */
    void *context;
    mr_status (*play)(void *context, struct mr_search_trial *trial, size_t n, struct mr_err *err);
    size_t n_refine; /* without a target: so many of those that hold less are tried until it is
                        known how much less; the answer is the same */
};

/** @param[in,out] item plan->n_item of them @param[out] best of them, or n_item: none
 *  @return MR_OK, or what a hook or memory failed with */
MR_CHECKED mr_status mr_search_run(const struct mr_search_plan *plan, struct mr_search_item *item,
                                   size_t *best, struct mr_err *err);

#endif
