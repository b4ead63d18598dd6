/* SPDX-License-Identifier: Apache-2.0 */
/* Fourier integrals of piecewise linear power. On a segment of length T, with w = 2 pi k / T:
 *
 *   X_k = int P e^(-iwt) dt = sum over corners of (i/w (P- - P+) + (s- - s+) / w^2) e^(-iwt)
 *
 * P and its slope s before and after the corner; both ends of the segment stand at phase 1. The
 * Hann window mixes neighbors: X_k / 2 - (X_k-1 + X_k+1) / 4; its square integrates to 3 T / 8, so
 * the density is 2 |X|^2 / (3 T / 8). The mean is taken out by X_0 = 0. Work is corners x bins;
 * e^(-iwt) of the next k is a product, made anew every 64 of them. Map: parameters - one segment -
 * spectrum - bands - swing. */
#include "power/spectrum.h"

#include "engine/base/assert.h"
#include "engine/base/turn.h"

#include <math.h>

static const double two_pi = 6.283185307179586476925;

enum {
    n_product = 64, /* factors before a phase is made anew */
    n_bin_max = 1 << 20
};

static const char *const row_names[] = {
#define ROWS_NAME(name, text, doc) text,
    MR_SPECTRUM_ROWS_LIST(ROWS_NAME)
#undef ROWS_NAME
};

// clang-format off
#define P struct mr_spectrum_params
static const struct mr_param rows[] = {
    MR_PARAM(P, low_hz, "low", MR_Q_FREQUENCY, "0.1 Hz", 1e-6, 1e6, "Lowest frequency"),
    MR_PARAM(P, high_hz, "high", MR_Q_FREQUENCY, "20 Hz", 1e-6, 1e6, "Highest frequency"),
    MR_PARAM(P, segment_s, "segment", MR_Q_TIME, "20 s", 1e-3, 1e6, "Length of a segment; its inverse is the resolution"),
    MR_PARAM_ONE_OF(P, rows, "rows", row_names, "means", "Rows of a trace: means (a recording: nothing above half of their rate), changes (watts hold from row to row)"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"spectrum", "Spectrum of the site's power.", rows,
                                            sizeof rows / sizeof *rows};

const struct mr_param_table *mr_spectrum_table(void)
{
    return &table;
}

void mr_spectrum_defaults(struct mr_spectrum_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    *params = (struct mr_spectrum_params){0};
    mr_param_defaults(&(struct mr_param_target){&table, params, origin, NULL, NULL});
}

/* Whole periods in a segment that lie in the band, rounding of the product aside. */
static double first_bin(const struct mr_spectrum_params *params)
{
    return ceil(params->low_hz * params->segment_s - 1e-9);
}

static double last_bin(const struct mr_spectrum_params *params)
{
    return floor(params->high_hz * params->segment_s + 1e-9);
}

mr_status mr_spectrum_check(const struct mr_spectrum_params *params, const char *name,
                            struct mr_err *err)
{
    if (!(params->low_hz < params->high_hz))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: from %g Hz to %g Hz: must rise", name,
                          params->low_hz, params->high_hz);
    if (first_bin(params) < 1 || params->low_hz * params->segment_s < 1 - 1e-9)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: segments of %g s do not hold a period of %g Hz (%g s at least)",
                          name, params->segment_s, params->low_hz, 1 / params->low_hz);
    if (last_bin(params) < first_bin(params))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: no multiple of %g Hz lies between %g Hz and %g Hz (longer segments)",
                          name, 1 / params->segment_s, params->low_hz, params->high_hz);
    if (last_bin(params) - first_bin(params) > n_bin_max)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "%s: %g Hz in steps of %g Hz: more than %d (shorter segments)", name,
                          params->high_hz - params->low_hz, 1 / params->segment_s, n_bin_max);
    return MR_OK;
}

/* ---- one segment ---- */

/* Sums over corners for k = first .. first + n - 1: jumps and bends times phase. */
struct sums {
    uint32_t first, n;
    double *jump_re, *jump_im, *bend_re, *bend_im;
};

static void add_corner(struct sums *sums, double turns, double jump_w, double bend_w_s)
{
    const struct mr_turn by = mr_turn_of(-turns);
    struct mr_turn z = {0, 0};
    for (uint32_t i = 0; i < sums->n; i++) {
        if (i % n_product == 0)
            z = mr_turn_of(-turns * (sums->first + i));
        sums->jump_re[i] += jump_w * z.cos;
        sums->jump_im[i] += jump_w * z.sin;
        if (bend_w_s != 0) {
            sums->bend_re[i] += bend_w_s * z.cos;
            sums->bend_im[i] += bend_w_s * z.sin;
        }
        z = (struct mr_turn){z.cos * by.cos - z.sin * by.sin, z.cos * by.sin + z.sin * by.cos};
    }
}

static double power_at(const struct mr_spectrum_knot *knot, double t_s)
{
    return knot->power_w + knot->slope_w_s * (t_s - knot->t_s);
}

/* Corners of the segment from begin_s on. @param[in] i the piece that holds begin_s */
static void gather(struct sums *sums, const struct mr_spectrum_knot *knot, uint32_t n, uint32_t i,
                   double begin_s, double segment_s)
{
    const double end_s = begin_s + segment_s, first_w = power_at(&knot[i], begin_s);
    const double first_w_s = knot[i].slope_w_s;
    for (uint32_t k = 0; k < sums->n; k++)
        sums->jump_re[k] = sums->jump_im[k] = sums->bend_re[k] = sums->bend_im[k] = 0;
    for (; i + 1 < n && knot[i + 1].t_s < end_s; i++) {
        const double t_s = knot[i + 1].t_s, jump_w = power_at(&knot[i], t_s) - knot[i + 1].power_w;
        const double bend_w_s = knot[i].slope_w_s - knot[i + 1].slope_w_s;
        if (jump_w != 0 || bend_w_s != 0)
            add_corner(sums, (t_s - begin_s) / segment_s, jump_w, bend_w_s);
    }
    add_corner(sums, 0, power_at(&knot[i], end_s) - first_w, knot[i].slope_w_s - first_w_s);
}

/* X_k, in place of the sums of jumps; X_0 is 0: the mean is taken out. */
static void transform(struct sums *sums, double segment_s)
{
    for (uint32_t i = 0; i < sums->n; i++) {
        const double k = (double)(sums->first + i), w = two_pi * k / segment_s;
        const double jump_re = sums->jump_re[i], jump_im = sums->jump_im[i];
        sums->jump_re[i] = k == 0 ? 0 : -jump_im / w + sums->bend_re[i] / (w * w);
        sums->jump_im[i] = k == 0 ? 0 : jump_re / w + sums->bend_im[i] / (w * w);
    }
}

/* ---- spectrum ---- */

static mr_status prepare(struct mr_arena *arena, const struct mr_spectrum_params *params,
                         struct sums *sums, double **hz, double **density, struct mr_err *err)
{
    /* bins inside the band, and a neighbor on either side */
    const double low = first_bin(params), high = last_bin(params);
    MR_ASSERT(low >= 1 && high >= low);
    const uint32_t n = (uint32_t)(high - low) + 1;
    *sums = (struct sums){.first = (uint32_t)low - 1, .n = n + 2};
    sums->jump_re = mr_arena_zero(arena, n + 2, sizeof *sums->jump_re, err);
    sums->jump_im = mr_arena_zero(arena, n + 2, sizeof *sums->jump_im, err);
    sums->bend_re = mr_arena_zero(arena, n + 2, sizeof *sums->bend_re, err);
    sums->bend_im = mr_arena_zero(arena, n + 2, sizeof *sums->bend_im, err);
    double *const of_bin_hz = mr_arena_zero(arena, n, sizeof *of_bin_hz, err);
    *hz = of_bin_hz;
    *density = mr_arena_zero(arena, n, sizeof **density, err);
    if (sums->jump_re == NULL || sums->jump_im == NULL || sums->bend_re == NULL ||
        sums->bend_im == NULL || of_bin_hz == NULL || *density == NULL)
        return MR_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        of_bin_hz[i] = (low + i) / params->segment_s;
    return MR_OK;
}

mr_status mr_spectrum_of(struct mr_arena *arena, const struct mr_spectrum_params *params,
                         const struct mr_spectrum_knot *knot, uint32_t n, double end_s,
                         struct mr_spectrum *out, struct mr_err *err)
{
    const double segment_s = params->segment_s, hop_s = 0.5 * segment_s;
    const double span_s = n > 0 ? end_s - knot[0].t_s : 0;
    if (span_s < segment_s * (1 - 1e-12))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "spectrum of %g s: a segment takes %g s (a longer run, or shorter "
                          "segments)",
                          span_s, segment_s);
    struct sums sums;
    double *hz = NULL, *density = NULL;
    MR_TRY(prepare(arena, params, &sums, &hz, &density, err));
    const uint32_t n_bin = sums.n - 2;
    const uint32_t n_segment = 1 + (uint32_t)floor((span_s - segment_s) / hop_s + 1e-9);
    uint32_t i = 0;
    for (uint32_t k = 0; k < n_segment; k++) {
        const double begin_s = knot[0].t_s + k * hop_s;
        while (i + 1 < n && knot[i + 1].t_s <= begin_s)
            i++;
        gather(&sums, knot, n, i, begin_s, segment_s);
        transform(&sums, segment_s);
        for (uint32_t b = 0; b < n_bin; b++) {
            const double *const re = sums.jump_re + b, *const im = sums.jump_im + b;
            const double x = 0.5 * re[1] - 0.25 * (re[0] + re[2]);
            const double y = 0.5 * im[1] - 0.25 * (im[0] + im[2]);
            density[b] += (x * x + y * y) * 2 / (0.375 * segment_s);
        }
    }
    for (uint32_t b = 0; b < n_bin; b++)
        density[b] /= n_segment;
    *out = (struct mr_spectrum){n_bin, n_segment, 1 / segment_s, hz, density};
    return MR_OK;
}

/* ---- bands ---- */

double mr_spectrum_band_w(const struct mr_spectrum *spectrum, double low_hz, double high_hz)
{
    double sum = 0;
    for (uint32_t b = 0; b < spectrum->n_bin; b++)
        if (spectrum->hz[b] >= low_hz && spectrum->hz[b] <= high_hz)
            sum += spectrum->density[b] * spectrum->step_hz;
    return sqrt(sum);
}

uint32_t mr_spectrum_over(const struct mr_spectrum *spectrum, const struct mr_spectrum_limit *limit,
                          uint32_t n, double *ratio)
{
    uint32_t worst = n;
    *ratio = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double band_w = mr_spectrum_band_w(spectrum, limit[i].low_hz, limit[i].high_hz);
        const double part = band_w > 0 ? band_w / limit[i].most_w : 0;
        if (part > *ratio) {
            *ratio = part;
            worst = part > 1 ? i : n;
        }
    }
    return worst;
}

/* ---- swing ---- */

/* Values of the window that may still be its extreme, the extreme first: a queue whose values fall
 * (sign 1) or rise (sign -1). */
struct extremes {
    double sign;
    double *t_s, *value;
    size_t first, end;
};

static void push(struct extremes *e, double t_s, double value)
{
    while (e->end > e->first && e->sign * e->value[e->end - 1] <= e->sign * value)
        e->end--;
    e->t_s[e->end] = t_s;
    e->value[e->end++] = value;
}

static void forget(struct extremes *e, double before_s)
{
    while (e->first < e->end && e->t_s[e->first] < before_s)
        e->first++;
}

struct swing {
    const struct mr_spectrum_knot *knot;
    uint32_t n;
    double window_s, most_w;
    struct extremes high, low;
    uint32_t i_old, i_new; /* pieces of the window's two ends */
};

/* The window that ends at t_s: its corners are in the queues, its ends are looked up. */
static void measure(struct swing *s, double t_s)
{
    const double old_s = fmax(t_s - s->window_s, s->knot[0].t_s);
    while (s->i_old + 1 < s->n && s->knot[s->i_old + 1].t_s <= old_s)
        s->i_old++;
    const double a = power_at(&s->knot[s->i_old], old_s), b = power_at(&s->knot[s->i_new], t_s);
    forget(&s->high, old_s);
    forget(&s->low, old_s);
    double high = fmax(a, b), low = fmin(a, b);
    if (s->high.first < s->high.end)
        high = fmax(high, s->high.value[s->high.first]);
    if (s->low.first < s->low.end)
        low = fmin(low, s->low.value[s->low.first]);
    s->most_w = fmax(s->most_w, high - low);
}

/* Two powers that differ most lie at corners, or a whole window apart with one of them at a corner:
 * windows that end at corners and windows that begin there are enough. */
mr_status mr_spectrum_swing(struct mr_arena *arena, const struct mr_spectrum_knot *knot, uint32_t n,
                            double end_s, double window_s, double *swing_w, struct mr_err *err)
{
    MR_ASSERT(n > 0 && window_s > 0);
    struct swing s = {.knot = knot, .n = n, .window_s = window_s, .high.sign = 1, .low.sign = -1};
    double **const array[] = {&s.high.t_s, &s.high.value, &s.low.t_s, &s.low.value};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++) {
        *array[i] = mr_arena_alloc(arena, (2 * (size_t)n + 1) * sizeof **array[i], err);
        if (*array[i] == NULL)
            return MR_NOMEM;
    }
    uint32_t ahead = 0, behind = 0; /* next corner; next corner at which a window begins */
    for (;;) {
        const double corner_s = ahead < n ? knot[ahead].t_s : end_s;
        const double later_s = behind < ahead ? knot[behind].t_s + window_s : (double)INFINITY;
        if (later_s < corner_s) {
            behind++;
            measure(&s, later_s);
            continue;
        }
        push(&s.high, corner_s, power_at(&knot[s.i_new], corner_s));
        push(&s.low, corner_s, power_at(&knot[s.i_new], corner_s));
        measure(&s, corner_s);
        if (ahead == n)
            break;
        s.i_new = ahead++;
        push(&s.high, corner_s, knot[s.i_new].power_w);
        push(&s.low, corner_s, knot[s.i_new].power_w);
        measure(&s, corner_s);
    }
    *swing_w = s.most_w;
    return MR_OK;
}
