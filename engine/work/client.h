/* SPDX-License-Identifier: Apache-2.0 */
/* One client of a service, as ServeGen describes it: a table of windows, each with a rate and the
 * distribution of the gaps between calls (CSV without header: start_s, rate_s, cv, Gamma, Weibull
 * or nothing, and its two arguments), and histograms of lengths over longer windows (JSON; the
 * histograms are texts that hold Python dictionaries). Calls are drawn from both.
 *
 * Windows are drawn independently, each as a renewal process in equilibrium: its first gap is what
 * is left of one that was under way when the window began. So every window has its rate, whatever
 * the deviation of its gaps. The second argument, a scale, is not used: in windows of a few bursts
 * it was fitted to gaps within them, and shape and scale together are off from the rate by factors
 * of 0.002 to 4. Input and output of a call are drawn independently, as there is no more in the
 * file. */
#ifndef MR_ENGINE_WORK_CLIENT_H
#define MR_ENGINE_WORK_CLIENT_H

#include "engine/base/rng.h"
#include "engine/base/status.h"

struct mr_gz;

/* name, name in files, smallest shape: where nearly all calls come at once */
#define MR_CLIENT_GAPS_LIST(X) \
    X(NONE, "", 0)             \
    X(GAMMA, "Gamma", 1e-3)    \
    X(WEIBULL, "Weibull", 0.15)

enum mr_client_gaps {
#define MR_CLIENT_GAPS_ENUM(name, text, shape_min) MR_CLIENT_##name,
    MR_CLIENT_GAPS_LIST(MR_CLIENT_GAPS_ENUM)
#undef MR_CLIENT_GAPS_ENUM
    MR_CLIENT_N_GAPS
};

struct mr_client_window {
    double start_s, end_s;
    double rate_s; /* calls per second */
    double shape;  /* of the gaps; NONE: exponential where there is a rate all the same */
    double scale;  /* with which their mean is 1 */
    int gaps;      /* enum mr_client_gaps */
};

/* How often a length occurs, as the share of all up to it. */
struct mr_client_histogram {
    uint32_t *tok;
    double *up_to; /* the last is 1 */
    size_t n;
    double mean_tok;
};

struct mr_client_lengths {
    double start_s; /* up to that of the next, the last for ever; the first also before. Windows
                       without calls have no lengths */
    struct mr_client_histogram input, output;
};

/* Description; nothing changes it. Windows or lengths may be absent. */
struct mr_client {
    struct mr_client_window *window;
    struct mr_client_lengths *lengths;
    size_t n_window, n_lengths;
};

/** What a file is, by its first bytes: files that cannot be read are neither. */
bool mr_client_is_windows(const char *path);
bool mr_client_is_lengths(const char *path);

/** Windows follow each other, the last is as long as the one before it (alone: 600 s).
 *  @param[in,out] client zero-initialized; mr_client_fini, also after an error
 *  @return MR_RANGE also where no window has a rate */
MR_CHECKED mr_status mr_client_read_windows(struct mr_client *client, const char *path,
                                            struct mr_err *err);
MR_CHECKED mr_status mr_client_read_lengths(struct mr_client *client, const char *path,
                                            struct mr_err *err);

/** The same from an open stream, which belongs to the reader from here on, also after an error. */
MR_CHECKED mr_status mr_client_take_windows(struct mr_client *client, struct mr_gz *take_gz,
                                            struct mr_err *err);
MR_CHECKED mr_status mr_client_take_lengths(struct mr_client *client, struct mr_gz *take_gz,
                                            struct mr_err *err);
void mr_client_fini(struct mr_client *client);

/** Mean of the rate over all windows [1/s]. */
double mr_client_rate_s(const struct mr_client *client);

/* ---- calls ---- */

/* Where the drawing stands; copy it to draw the same again. Gaps and lengths have streams of their
 * own, so that another factor does not change the lengths. */
struct mr_client_walk {
    struct mr_rng gap, length;
    double at_s, factor;
    size_t window;
    bool is_inside; /* a call of the window has come */
};

/** @param[in] factor rates are as many times higher, above 0 */
struct mr_client_walk mr_client_start(uint64_t seed, uint64_t number, double factor);

/** The date of the next call is walk->at_s. @return false after the last window */
bool mr_client_next(const struct mr_client *client, struct mr_client_walk *walk);

/** Tokens of a call at a date, at least 1 each. @param[in] client has lengths */
void mr_client_draw_lengths(const struct mr_client *client, struct mr_client_walk *walk,
                            double at_s, uint32_t *n_input, uint32_t *n_output);

#endif
