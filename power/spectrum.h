/* SPDX-License-Identifier: Apache-2.0 */
/* How much a site's power shakes, and how fast: density of its spectrum, 0.1 to 20 Hz as a rule,
 * where generators and lines have their own resonances; and its swing in time. Power is piecewise
 * linear (steps, or steps with ramps), and its Fourier integrals are taken exactly: no sampling, so
 * nothing above the band folds into it. Segments of equal length, half overlapping, Hann window,
 * means of the squares (Welch). */
#ifndef MR_POWER_SPECTRUM_H
#define MR_POWER_SPECTRUM_H

#include "engine/base/arena.h"
#include "engine/base/param.h"

/* Power from t_s to the next knot: power_w + slope_w_s (t - t_s). */
struct mr_spectrum_knot {
    double t_s, power_w, slope_w_s;
};

/* name in files, meaning */
#define MR_SPECTRUM_ROWS_LIST(X)                                                      \
    X(MEANS, "means", "a recording: nothing is known above half of the rate of rows") \
    X(CHANGES, "changes", "watts hold from row to row: every frequency is known")

enum mr_spectrum_rows {
#define MR_SPECTRUM_ROWS_ENUM(name, text, doc) MR_SPECTRUM_ROWS_##name,
    MR_SPECTRUM_ROWS_LIST(MR_SPECTRUM_ROWS_ENUM)
#undef MR_SPECTRUM_ROWS_ENUM
};

struct mr_spectrum_params {
    double low_hz, high_hz;
    double segment_s; /* resolution is its inverse */
    int rows;         /* enum mr_spectrum_rows: what rows of a trace of loads are */
};

const struct mr_param_table *mr_spectrum_table(void);
void mr_spectrum_defaults(struct mr_spectrum_params *params);
MR_CHECKED mr_status mr_spectrum_check(const struct mr_spectrum_params *params, const char *name,
                                       struct mr_err *err);

struct mr_spectrum {
    uint32_t n_bin, n_segment;
    double step_hz;
    const double *hz, *density; /* [W^2/Hz], one-sided */
};

/** @param[in] knot n with rising times @param[in] end_s of the last piece
 *  @param[in,out] arena owns the result and its scratch
 *  @return MR_OK, MR_NOMEM, MR_RANGE when not even one segment fits */
MR_CHECKED mr_status mr_spectrum_of(struct mr_arena *arena, const struct mr_spectrum_params *params,
                                    const struct mr_spectrum_knot *knot, uint32_t n, double end_s,
                                    struct mr_spectrum *out, struct mr_err *err);

/** Effective (root mean square) power of what lies between two frequencies [W]. */
double mr_spectrum_band_w(const struct mr_spectrum *spectrum, double low_hz, double high_hz);

struct mr_spectrum_limit {
    double low_hz, high_hz, most_w;
};

/** The limit that is exceeded most, by ratio. @return n when all are kept
 *  @param[out] ratio of that one, or of the nearest to be exceeded */
uint32_t mr_spectrum_over(const struct mr_spectrum *spectrum, const struct mr_spectrum_limit *limit,
                          uint32_t n, double *ratio);

/** Dynamic range: the largest difference of two powers at most window_s apart [W]. Exact.
 *  @param[in,out] arena scratch */
MR_CHECKED mr_status mr_spectrum_swing(struct mr_arena *arena, const struct mr_spectrum_knot *knot,
                                       uint32_t n, double end_s, double window_s, double *swing_w,
                                       struct mr_err *err);

#endif
