/* SPDX-License-Identifier: Apache-2.0 */
/* Propagators and crossing prediction.
 *
 * y' = w0 e^(l0 t) + w1 e^(l1 t) has a zero only where w1 / w0 < 0, at t = ln(-w1 / w0) / (l0 -
 * l1). That splits the time axis into at most two pieces on which y is monotone; the first that
 * ends beyond the level holds the crossing, and Newton's method kept inside its bracket finds it.
 */
#include "thermal/two_state.h"

#include "engine/base/assert.h"

static double inverse_of(double l)
{
    return l != 0 ? 1 / l : 0;
}

struct mr_two_state mr_two_state_of(const double a[2][2])
{
    MR_ASSERT(a[0][1] * a[1][0] > 0);
    struct mr_two_state s = {.a = {{a[0][0], a[0][1]}, {a[1][0], a[1][1]}}};
    const double half = 0.5 * (a[0][0] + a[1][1]), difference = 0.5 * (a[0][0] - a[1][1]);
    const double root = sqrt(difference * difference + a[0][1] * a[1][0]);
    s.l[0] = half + root;
    s.l[1] = half - root;
    for (int i = 0; i < 2; i++)
        s.inverse_l[i] = inverse_of(s.l[i]);
    const double scale = 0.5 / root;
    s.p[0][0] = (difference + root) * scale; /* a - l2 = difference + root */
    s.p[0][1] = a[0][1] * scale;
    s.p[1][0] = a[1][0] * scale;
    s.p[1][1] = (root - difference) * scale;
    return s;
}

bool mr_two_state_steady(const struct mr_two_state *s, const double g[2], double x[2])
{
    const double determinant = s->a[0][0] * s->a[1][1] - s->a[0][1] * s->a[1][0];
    if (!(s->l[0] < 0) || !(determinant > 0))
        return false;
    x[0] = (s->a[0][1] * g[1] - s->a[1][1] * g[0]) / determinant;
    x[1] = (s->a[1][0] * g[0] - s->a[0][0] * g[1]) / determinant;
    return true;
}

void mr_two_state_advance(const struct mr_two_state *s, const double g[2], const double ramp[2],
                          double t_s, double x[2], double integral[2])
{
    MR_ASSERT(ramp == NULL || integral == NULL);
    const double f[2] = {s->a[0][0] * x[0] + s->a[0][1] * x[1] + g[0],
                         s->a[1][0] * x[0] + s->a[1][1] * x[1] + g[1]};
    const struct mr_two_state_phi slow = mr_two_state_phi_of(s->l[0], s->inverse_l[0], t_s);
    const struct mr_two_state_phi fast = mr_two_state_phi_of(s->l[1], s->inverse_l[1], t_s);
    for (int i = 0; i < 2; i++) {
        const double u = s->p[i][0] * f[0] + s->p[i][1] * f[1], v = f[i] - u;
        if (integral != NULL)
            integral[i] += x[i] * t_s + slow.two * u + fast.two * v;
        x[i] += slow.one * u + fast.one * v;
    }
    for (int i = 0; ramp != NULL && i < 2; i++) {
        const double u = s->p[i][0] * ramp[0] + s->p[i][1] * ramp[1];
        x[i] += slow.two * u + fast.two * (ramp[i] - u);
    }
}

struct mr_two_state_wave mr_two_state_wave_of(const struct mr_two_state *s, const double g[2],
                                              const double x[2], int i)
{
    const double f[2] = {s->a[0][0] * x[0] + s->a[0][1] * x[1] + g[0],
                         s->a[1][0] * x[0] + s->a[1][1] * x[1] + g[1]};
    const double u = s->p[i][0] * f[0] + s->p[i][1] * f[1];
    return (struct mr_two_state_wave){.y0 = x[i],
                                      .w = {u, f[i] - u},
                                      .l = {s->l[0], s->l[1]},
                                      .inverse_l = {s->inverse_l[0], s->inverse_l[1]}};
}

struct mr_two_state_wave mr_two_state_wave_of_one(double l, double g, double x)
{
    return (struct mr_two_state_wave){
        .y0 = x, .w = {l * x + g, 0}, .l = {l, 0}, .inverse_l = {inverse_of(l), 0}};
}

double mr_two_state_wave_at(const struct mr_two_state_wave *wave, double t_s)
{
    double y = wave->y0;
    for (int i = 0; i < 2; i++)
        if (wave->w[i] != 0)
            y += wave->w[i] * mr_two_state_phi_of(wave->l[i], wave->inverse_l[i], t_s).one;
    return y;
}

double mr_two_state_wave_integral(const struct mr_two_state_wave *wave, double t_s)
{
    double sum = wave->y0 * t_s;
    for (int i = 0; i < 2; i++)
        if (wave->w[i] != 0)
            sum += wave->w[i] * mr_two_state_phi_of(wave->l[i], wave->inverse_l[i], t_s).two;
    return sum;
}

/* ---- crossing ---- */

/* The wave relative to the level, turned so that the crossing is upward. */
struct climb {
    double z0, w[2];
    const struct mr_two_state_wave *wave;
};

struct climb_point {
    double z, slope;
};

static struct climb_point point_at(const struct climb *c, double t_s)
{
    struct climb_point p = {c->z0, 0};
    for (int i = 0; i < 2; i++) {
        if (c->w[i] == 0)
            continue;
        const double x = c->wave->l[i] * t_s, e = mr_expm1(x);
        const double phi = x != 0 ? e * c->wave->inverse_l[i] : t_s;
        p.z += c->w[i] * phi;
        p.slope += c->w[i] * (1 + e);
    }
    return p;
}

/* Value for t -> infinity of a wave that climbs in the end. */
static double final_of(const struct climb *c)
{
    double z = c->z0;
    for (int i = 0; i < 2; i++) {
        if (c->w[i] == 0)
            continue;
        if (!(c->wave->l[i] < 0))
            return c->w[i] * HUGE_VAL;
        z -= c->w[i] * c->wave->inverse_l[i];
    }
    return z;
}

/* Where the slow mode alone would cross, the fast one being over: a good first guess. */
static double guess(const struct climb *c, double low_s)
{
    const double l = c->wave->l[0], w = c->w[0];
    const double fast = c->w[1] != 0 && c->wave->l[1] < 0 ? -c->w[1] * c->wave->inverse_l[1] : 0;
    const double need = -(c->z0 + fast);
    double t_s = (double)NAN;
    if (w != 0 && l != 0 && 1 + l * need / w > 0)
        t_s = mr_log(1 + l * need / w) / l;
    return t_s > low_s && t_s < HUGE_VAL ? t_s : low_s + 1;
}

/* The only zero in (low, high): z < 0 at low, z >= 0 at high, monotone between; high may be
 * infinite. What is returned is the end of a bracket no wider than the tolerance (or than a few
 * roundings), or a Newton point that moved less. */
static double zero_between(const struct climb *c, double low_s, double high_s, double tolerance_s)
{
    enum {
        n_round = 200
    };
    double t_s = guess(c, low_s);
    if (!(t_s < high_s))
        t_s = 0.5 * (low_s + high_s);
    for (int i = 0; i < n_round; i++) {
        const struct climb_point p = point_at(c, t_s);
        if (p.z < 0)
            low_s = t_s;
        else
            high_s = t_s;
        const double enough_s = fmax(tolerance_s, 4 * 0x1p-52 * t_s);
        double next_s = p.slope > 0 ? t_s - p.z / p.slope : (double)NAN;
        if (fabs(next_s - t_s) <= enough_s)
            return fmin(fmax(next_s, low_s), high_s);
        if (!(next_s > low_s && next_s < high_s))
            next_s = high_s < HUGE_VAL ? 0.5 * (low_s + high_s) : 2 * t_s;
        if (high_s - low_s <= enough_s)
            return high_s;
        t_s = next_s;
    }
    return high_s;
}

double mr_two_state_wave_crossing_s(const struct mr_two_state_wave *wave, double level,
                                    int direction, double tolerance_s)
{
    const struct climb c = {.z0 = direction * (wave->y0 - level),
                            .w = {direction * wave->w[0], direction * wave->w[1]},
                            .wave = wave};
    const double slope = c.w[0] + c.w[1];
    if (c.z0 >= 0 && slope >= 0)
        return 0;
    /* the extremum, when there is one ahead */
    double turn_s = HUGE_VAL;
    if (c.w[0] * c.w[1] < 0) {
        const double ratio = -c.w[1] / c.w[0];
        if (ratio > 1)
            turn_s = mr_log(ratio) / (wave->l[0] - wave->l[1]);
    }
    if (slope > 0 || (slope == 0 && c.w[0] > 0)) { /* climbs first: to the top, or for ever */
        const double top = turn_s < HUGE_VAL ? point_at(&c, turn_s).z : final_of(&c);
        if (!(top >= 0))
            return HUGE_VAL;
        if (turn_s < HUGE_VAL || final_of(&c) > 0)
            return zero_between(&c, 0, turn_s, tolerance_s);
        return HUGE_VAL; /* the level is the steady state: never reached */
    }
    if (!(turn_s < HUGE_VAL) || !(final_of(&c) > 0))
        return HUGE_VAL;
    /* falls to a bottom, then climbs; from beyond the level it may never leave */
    if (point_at(&c, turn_s).z >= 0)
        return turn_s;
    return zero_between(&c, turn_s, HUGE_VAL, tolerance_s);
}
