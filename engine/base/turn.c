/* SPDX-License-Identifier: Apache-2.0 */
/* Quarters are taken out exactly, what is left is at most an eighth of a turn: Taylor series to
 * 1e-18. Direction: the slope y / x <= 1 is moved by the arctangents of 1/4, 1/2, 3/4 and 1 to at
 * most 1/8, where the series converges fast. */
#include "engine/base/turn.h"

#include <math.h>

static const double two_pi = 6.283185307179586476925;

struct mr_turn mr_turn_of(double turns)
{
    const double quarters = floor(4 * turns + 0.5);
    const double x = two_pi * (turns - 0.25 * quarters), x2 = x * x;
    /* (-1)^k x^2k / (2k)! and (-1)^k x^(2k+1) / (2k+1)!, from the smallest term on */
    double c = 1, s = 1;
    for (int k = 18; k >= 2; k -= 2) {
        c = 1 - x2 / (k * (k - 1)) * c;
        s = 1 - x2 / (k * (k + 1)) * s;
    }
    s *= x;
    switch ((int)(quarters - 4 * floor(0.25 * quarters))) {
    case 0:
        return (struct mr_turn){c, s};
    case 1:
        return (struct mr_turn){-s, c};
    case 2:
        return (struct mr_turn){-c, -s};
    default:
        return (struct mr_turn){s, -c};
    }
}

/* 0 <= slope <= 1 [turns] */
static double arc(double slope)
{
    static const double center_turns[] = {0, 0.03898956518868466, 0.07379180882521663,
                                          0.10241638234956672, 0.125}; /* of 0, 1/4, 1/2, 3/4, 1 */
    const int i = (int)(4 * slope + 0.5);
    const double center = 0.25 * i, z = (slope - center) / (1 + slope * center), z2 = z * z;
    double sum = 0;
    for (int k = 17; k >= 1; k -= 2)
        sum = 1. / k - z2 * sum;
    return center_turns[i] + z * sum / two_pi;
}

double mr_turn_direction(double x, double y)
{
    const double a = fabs(x), b = fabs(y);
    if (a == 0 && b == 0)
        return 0;
    double turns = b <= a ? arc(b / a) : 0.25 - arc(a / b);
    if (x < 0)
        turns = 0.5 - turns;
    return y < 0 ? -turns : turns;
}
