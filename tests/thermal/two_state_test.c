/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/two_state: known answers of a die on a cold plate, every form against classic
 * Runge-Kutta, crossings against a fine walk, singular and unstable systems. */
#include "thermal/two_state.h"

#include "engine/base/rng.h"
#include "tests/test.h"

/* R1 0.012, R2 0.018 K/W, C1 60, C2 400 J/K, coolant 45 degC; k leakage slope about t0. */
static struct mr_two_state plate(double r1, double r2, double c1, double c2, double k)
{
    const double a[2][2] = {{(k - 1 / r1) / c1, 1 / (r1 * c1)},
                            {1 / (r1 * c2), -(1 / r1 + 1 / r2) / c2}};
    return mr_two_state_of(a);
}

struct oracle {
    double a[2][2], g[2], ramp[2];
};

static void slope_of(const struct oracle *o, double t, const double x[4], double out[4])
{
    for (int i = 0; i < 2; i++) {
        out[i] = o->a[i][0] * x[0] + o->a[i][1] * x[1] + o->g[i] + o->ramp[i] * t;
        out[2 + i] = x[i];
    }
}

/* x[0..1] states, x[2..3] their integrals */
static void runge_kutta(const struct oracle *o, double end_s, double step_s, double x[4])
{
    const long n = lround(end_s / step_s);
    const double h = end_s / (double)n;
    for (long j = 0; j < n; j++) {
        double k[4][4], y[4];
        const double t = (double)j * h;
        slope_of(o, t, x, k[0]);
        for (int s = 1; s < 4; s++) {
            const double part = s == 3 ? 1 : 0.5;
            for (int i = 0; i < 4; i++)
                y[i] = x[i] + part * h * k[s - 1][i];
            slope_of(o, t + part * h, y, k[s]);
        }
        for (int i = 0; i < 4; i++)
            x[i] += h / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    }
}

MR_TEST(die_and_plate)
{
    const struct mr_two_state s = plate(0.012, 0.018, 60, 400, 0);
    mr_assert_near(-1 / s.l[0], 8.381, 1e-4, 0);
    mr_assert_near(-1 / s.l[1], 0.6185, 1e-4, 0);
    const double g[2] = {1200.0 / 60, 45 / (0.018 * 400)};
    static const double known[][3] = {{1, 56.274672767, 46.243570667},
                                      {10, 73.262591822, 59.527263602},
                                      {60, 80.980148119, 66.581853466}};
    for (int i = 0; i < 3; i++) {
        double x[2] = {45, 45};
        mr_two_state_advance(&s, g, NULL, known[i][0], x, NULL);
        mr_assert_near(x[0], known[i][1], 1e-9, 0);
        mr_assert_near(x[1], known[i][2], 1e-9, 0);
    }
    double x[2];
    assert_true(mr_two_state_steady(&s, g, x));
    mr_assert_near(x[0], 81, 1e-13, 0);
    mr_assert_near(x[1], 66.6, 1e-13, 0);
    /* energy to 10 s: 12 kJ are stored or carried away */
    double y[2] = {45, 45}, sum[2] = {0, 0};
    mr_two_state_advance(&s, g, NULL, 10, y, sum);
    const double stored_j = 60 * (y[0] - 45) + 400 * (y[1] - 45);
    mr_assert_near(stored_j, 7506.661, 1e-7, 0);
    mr_assert_near((sum[1] - 45 * 10) / 0.018, 4493.339, 1e-7, 0);
    mr_assert_near(stored_j + (sum[1] - 450) / 0.018, 12000, 1e-13, 0);
}

MR_TEST(die_that_leaks)
{
    const struct mr_two_state s = plate(0.012, 0.018, 60, 400, 1.5);
    mr_assert_near(-1 / s.l[0], 8.661677, 1e-6, 0);
    mr_assert_near(-1 / s.l[1], 0.626700, 1e-6, 0);
    const double g[2] = {(1200.0 - 1.5 * 60) / 60, 45 / (0.018 * 400)};
    static const double known[][3] = {{1, 56.171919115, 46.228632840},
                                      {10, 73.599752879, 59.652356904},
                                      {60, 81.963421501, 67.170250077}};
    for (int i = 0; i < 3; i++) {
        double x[2] = {45, 45};
        mr_two_state_advance(&s, g, NULL, known[i][0], x, NULL);
        mr_assert_near(x[0], known[i][1], 1e-9, 0);
        mr_assert_near(x[1], known[i][2], 1e-9, 0);
    }
    double x[2];
    assert_true(mr_two_state_steady(&s, g, x));
    mr_assert_near(x[0], 81.989528796, 1e-10, 0);
    mr_assert_near(x[1], 67.193717277, 1e-10, 0);
}

/* Values and integrals on 0.1 .. 60 s against steps of 0.1 ms. */
MR_TEST(oracle_agrees)
{
    for (int leaks = 0; leaks < 2; leaks++) {
        const double k = leaks ? 1.5 : 0;
        const struct mr_two_state s = plate(0.012, 0.018, 60, 400, k);
        struct oracle o = {.g = {(1200.0 - k * 60) / 60, 45 / (0.018 * 400)}};
        memcpy(o.a, s.a, sizeof o.a);
        double walk[4] = {45, 45, 0, 0}, at = 0;
        static const double when[] = {0.1, 0.5, 2, 10, 60};
        for (int i = 0; i < 5; i++) {
            runge_kutta(&o, when[i] - at, 1e-4, walk);
            at = when[i];
            double x[2] = {45, 45}, sum[2] = {0, 0};
            mr_two_state_advance(&s, o.g, NULL, at, x, sum);
            for (int j = 0; j < 2; j++) {
                mr_assert_near(x[j], walk[j], 0, 1e-8);
                mr_assert_near(sum[j], walk[2 + j], 1e-10, 0);
            }
        }
    }
}

MR_TEST(ramps_agree)
{
    const struct mr_two_state s = plate(0.005, 0.011, 80, 600, 2);
    struct oracle o = {.g = {10, 7}, .ramp = {0.3, -0.05}};
    memcpy(o.a, s.a, sizeof o.a);
    double walk[4] = {50, 47, 0, 0}, x[2] = {50, 47};
    runge_kutta(&o, 12, 1e-4, walk);
    mr_two_state_advance(&s, o.g, o.ramp, 12, x, NULL);
    mr_assert_near(x[0], walk[0], 0, 1e-8);
    mr_assert_near(x[1], walk[1], 0, 1e-8);
    /* many small steps are one large one */
    double y[2] = {50, 47};
    for (int i = 0; i < 1200; i++) {
        const double t = 0.01 * i, g[2] = {o.g[0] + o.ramp[0] * t, o.g[1] + o.ramp[1] * t};
        mr_two_state_advance(&s, g, o.ramp, 0.01, y, NULL);
    }
    mr_assert_near(y[0], x[0], 1e-12, 0);
    mr_assert_near(y[1], x[1], 1e-12, 0);
}

/* No flow and a leakage slope of 3.4 W/K: the state grows, the forms hold. */
MR_TEST(unstable_and_singular)
{
    const struct mr_two_state s = plate(0.012, 0.36, 60, 400, 3.4);
    mr_assert_near(s.l[0], 0.00164866, 1e-5, 0);
    struct oracle o = {.g = {(1400 - 3.4 * 60) / 60, 25 / (0.36 * 400)}};
    memcpy(o.a, s.a, sizeof o.a);
    double walk[4] = {67, 50.2, 0, 0}, x[2] = {67, 50.2}, sum[2] = {0, 0};
    runge_kutta(&o, 20, 1e-4, walk);
    mr_two_state_advance(&s, o.g, NULL, 20, x, sum);
    mr_assert_near(x[0], walk[0], 0, 1e-8);
    mr_assert_near(x[1], walk[1], 0, 1e-8);
    mr_assert_near(sum[0], walk[2], 1e-10, 0);
    assert_false(mr_two_state_steady(&s, o.g, walk));
    /* two bodies and no way out: all heat stays */
    const double a[2][2] = {{-2, 2}, {0.5, -0.5}};
    const struct mr_two_state closed = mr_two_state_of(a);
    assert_true(closed.l[0] == 0);
    const double g[2] = {3, 0};
    double y[2] = {10, 20};
    mr_two_state_advance(&closed, g, NULL, 1000, y, NULL);
    mr_assert_near(y[0] + 4 * y[1], 10 + 4 * 20 + 3 * 1000, 1e-14, 0);
    assert_false(mr_two_state_steady(&closed, g, y));
}

MR_TEST(series_meets_exponential)
{
    for (int sign = -1; sign <= 1; sign += 2)
        for (double l = 1e-9; l < 10; l *= 1.7) {
            const double t = 0.999999 * MR_TWO_STATE_SMALL / l, u = 1.000001 / 0.999999 * t;
            const struct mr_two_state_phi a = mr_two_state_phi_of(sign * l, sign / l, t);
            const struct mr_two_state_phi b = mr_two_state_phi_of(sign * l, sign / l, u);
            /* phi2' = phi1, phi1' = e^(l t) */
            mr_assert_near(b.one - a.one, (u - t) * mr_exp(sign * l * t), 1e-5, 0);
            mr_assert_near(b.two - a.two, (u - t) * 0.5 * (a.one + b.one), 1e-6, 0);
            mr_assert_near(a.one, mr_expm1(sign * l * t) / (sign * l), 4e-16, 0);
        }
}

MR_TEST(crossings_of_a_warming_die)
{
    const struct mr_two_state s = plate(0.012, 0.018, 60, 400, 0);
    const double g[2] = {1400.0 / 60, 45 / (0.018 * 400)}, x[2] = {45, 45};
    const struct mr_two_state_wave w = mr_two_state_wave_of(&s, g, x, 0);
    mr_assert_near(mr_two_state_wave_crossing_s(&w, 83, 1, 1e-9), 16.821891, 1e-7, 0);
    mr_assert_near(mr_two_state_wave_crossing_s(&w, 86, 1, 1e-9), 28.441110, 1e-7, 0);
    /* the steady value itself: within rounding of never */
    assert_true(mr_two_state_wave_crossing_s(&w, 87.000001, 1, 1e-9) == HUGE_VAL);
    assert_true(mr_two_state_wave_crossing_s(&w, 87, 1, 1e-9) > 250);
    assert_true(mr_two_state_wave_crossing_s(&w, 44, -1, 1e-9) == HUGE_VAL);
    assert_true(mr_two_state_wave_crossing_s(&w, 45, 1, 1e-9) == 0);
    assert_true(mr_two_state_wave_crossing_s(&w, 50, -1, 1e-9) == HUGE_VAL); /* leaves it */
}

/* First upward crossing of a walk in small steps; INFINITY when there is none. */
static double walked(const struct mr_two_state_wave *w, double level, int direction, double end_s,
                     double step_s)
{
    double before = direction * (w->y0 - level);
    for (double t = step_s; t <= end_s; t += step_s) {
        const double z = direction * (mr_two_state_wave_at(w, t) - level);
        if (before < 0 && z >= 0)
            return t;
        before = z;
    }
    return (double)INFINITY;
}

MR_TEST(crossings_of_random_systems)
{
    struct mr_rng rng = mr_rng_stream(11, MR_RNG_TEST, 0);
    int n_found = 0, n_turned = 0;
    for (int i = 0; i < 3000; i++) {
        const struct mr_two_state s = plate(
            mr_rng_range(&rng, 0.003, 0.02), mr_rng_range(&rng, 0.005, 0.4),
            mr_rng_range(&rng, 30, 80), mr_rng_range(&rng, 200, 900), mr_rng_range(&rng, 0, 4));
        const double g[2] = {mr_rng_range(&rng, 0, 40), mr_rng_range(&rng, 0, 20)};
        const double x[2] = {mr_rng_range(&rng, 20, 100), mr_rng_range(&rng, 20, 100)};
        const int direction = i % 2 ? 1 : -1;
        const double level = mr_rng_range(&rng, 20, 110);
        const struct mr_two_state_wave w = mr_two_state_wave_of(&s, g, x, i % 3 == 0);
        const double t = mr_two_state_wave_crossing_s(&w, level, direction, 1e-9);
        const double bound = mr_two_state_wave_bound(&w, direction);
        if (direction * (bound - level) < 0)
            assert_true(t == HUGE_VAL);
        if (t == 0 || t > 40) {
            assert_true(t == 0 || walked(&w, level, direction, 39, 0.01) > 39 ||
                        direction * (w.y0 - level) >= 0);
            continue;
        }
        n_found++;
        n_turned += direction * (w.w[0] + w.w[1]) < 0;
        const double slope =
            fabs(mr_two_state_wave_at(&w, t + 1e-6) - mr_two_state_wave_at(&w, t - 1e-6)) / 2e-6;
        const double y = mr_two_state_wave_at(&w, t);
        if (direction * (w.y0 - level) < 0) {
            mr_assert_near(y, level, 0, 2e-9 * (1 + slope));
            mr_assert_near(walked(&w, level, direction, 41, 0.01), t, 0, 0.0101);
        } else if (direction * (y - level) > 2e-9 * (1 + slope)) {
            mr_assert_near(slope, 0, 0, 1e-4); /* turned before it came back to the level */
        } else {
            mr_assert_near(y, level, 0, 2e-9 * (1 + slope));
        }
    }
    assert_true(n_found > 500 && n_turned > 20);
}

MR_TEST(one_state)
{
    /* +5 K into tau 75.985 s: 2.7299 K after a minute */
    const double l = -1 / 75.985;
    const struct mr_two_state_wave w = mr_two_state_wave_of_one(l, -l * 5, 0);
    mr_assert_near(mr_two_state_wave_at(&w, 60), 2.7299, 1e-4, 0);
    mr_assert_near(mr_two_state_wave_crossing_s(&w, 2.5, 1, 1e-9), 75.985 * mr_log(2), 1e-10, 0);
    mr_assert_near(mr_two_state_wave_integral(&w, 60), 5 * 60 - mr_two_state_wave_at(&w, 60) / -l,
                   1e-12, 0);
    assert_true(mr_two_state_wave_crossing_s(&w, 5, 1, 1e-9) == HUGE_VAL);
    /* l = 0: a straight line; l > 0: without end */
    const struct mr_two_state_wave line = mr_two_state_wave_of_one(0, 0.25, 10);
    mr_assert_near(mr_two_state_wave_at(&line, 8), 12, 1e-15, 0);
    mr_assert_near(mr_two_state_wave_crossing_s(&line, 12, 1, 1e-9), 8, 1e-9, 0);
    const struct mr_two_state_wave grows = mr_two_state_wave_of_one(0.1, 1, 0);
    mr_assert_near(mr_two_state_wave_crossing_s(&grows, 1e6, 1, 1e-9), 10 * mr_log(1e5 + 1), 1e-9,
                   0);
    assert_true(isinf(mr_two_state_wave_bound(&grows, 1)));
    assert_true(mr_two_state_wave_bound(&w, 1) <= 5 + 1e-12);
}

MR_TEST_MAIN(MR_TEST_ENTRY(die_and_plate), MR_TEST_ENTRY(die_that_leaks),
             MR_TEST_ENTRY(oracle_agrees), MR_TEST_ENTRY(ramps_agree),
             MR_TEST_ENTRY(unstable_and_singular), MR_TEST_ENTRY(series_meets_exponential),
             MR_TEST_ENTRY(crossings_of_a_warming_die), MR_TEST_ENTRY(crossings_of_random_systems),
             MR_TEST_ENTRY(one_state))
