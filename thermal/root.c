/* SPDX-License-Identifier: Apache-2.0 */
/* Illinois: the secant of the bracket; an end that stays twice has its value halved. When three
 * steps have not halved the bracket the next one is a bisection, so 3 x 60 steps are enough. */
#include "thermal/root.h"

#include <math.h>

enum {
    n_step_max = 200
};

double mr_root_of(mr_root_fn *f, const void *context, double low, double high, double tolerance)
{
    double a = low, b = high, fa = f(a, context), fb = f(b, context);
    double width_before = b - a;
    int kept = 0; /* 1: a stayed, -1: b stayed */
    if (fa == 0 || fb == 0 || (fa < 0) == (fb < 0))
        return fabs(fa) <= fabs(fb) ? a : b;
    for (int i = 0; i < n_step_max && b - a > tolerance; i++) {
        double x = b - fb * ((b - a) / (fb - fa));
        if (i % 3 == 2 && b - a > 0.5 * width_before)
            x = 0.5 * (a + b);
        /* a step next to an end is one tolerance long, so that the other end follows */
        x = fmin(fmax(x, a + 0.5 * tolerance), b - 0.5 * tolerance);
        if (!(x > a && x < b))
            x = 0.5 * (a + b);
        const double fx = f(x, context);
        if (fx == 0)
            return x;
        if ((fx < 0) == (fb < 0)) {
            if (kept == 1)
                fa *= 0.5;
            kept = 1;
            b = x;
            fb = fx;
        } else {
            if (kept == -1)
                fb *= 0.5;
            kept = -1;
            a = x;
            fa = fx;
        }
        if (i % 3 == 2)
            width_before = b - a;
    }
    return b - fb * ((b - a) / (fb - fa));
}
