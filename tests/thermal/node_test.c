/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/node: against Runge-Kutta, splitting of a step, limits without loss, crossings. */
#include "thermal/node.h"

#include "tests/test.h"

static double slope(const struct mr_node_in *in, double capacity_j_k, double t_c, double s)
{
    return (in->heat_w + in->heat_w_s * s - in->g_w_k * (t_c - in->sink_c)) / capacity_j_k;
}

static double runge_kutta(double capacity_j_k, double t_c, const struct mr_node_in *in, double dt_s,
                          int n)
{
    const double h = dt_s / n;
    for (int i = 0; i < n; i++) {
        const double s = i * h;
        const double a = slope(in, capacity_j_k, t_c, s);
        const double b = slope(in, capacity_j_k, t_c + 0.5 * h * a, s + 0.5 * h);
        const double c = slope(in, capacity_j_k, t_c + 0.5 * h * b, s + 0.5 * h);
        const double d = slope(in, capacity_j_k, t_c + h * c, s + h);
        t_c += h * (a + 2 * b + 2 * c + d) / 6;
    }
    return t_c;
}

static const struct mr_node_in cases[] = {
    {1e4, 0, 5e3, 20},  {1e4, 30, 5e3, 20}, {1e4, 0, 0, 0},    {1e4, -25, 0, 0},
    {-3e4, 0, 1e3, 50}, {0, 0, 2e4, -10},   {5e3, 2, 1e-6, 0}, {5e3, 2, 0.9, 0},
};

MR_TEST(matches_runge_kutta)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (double dt_s = 0.01; dt_s < 900; dt_s *= 3) {
            const double want = runge_kutta(4e5, 33, &cases[i], dt_s, 2000);
            mr_assert_near(mr_node_advance(4e5, 33, &cases[i], dt_s, NULL), want, 0, 1e-8);
        }
}

/* Where it settles; infinite without conductance, NaN where nothing flows either. */
static double steady_c(const struct mr_node_in *in)
{
    if (in->g_w_k > 0)
        return in->sink_c + in->heat_w / in->g_w_k;
    return in->heat_w == 0 ? (double)NAN : in->heat_w > 0 ? HUGE_VAL : -HUGE_VAL;
}

MR_TEST(a_step_of_a_room)
{
    /* 10 kW more at 5 kW/K and 400 kJ/K: 2 K in the end, 63 % of it after 80 s */
    const struct mr_node_in in = {10e3, 0, 5e3, 25};
    mr_assert_near(mr_node_advance(4e5, 25, &in, 80, NULL) - 25, 2 * (1 - exp(-1)), 1e-13, 0);
    mr_assert_near(mr_node_advance(4e5, 25, &in, 1e5, NULL), 27, 1e-14, 0);
    mr_assert_near(mr_node_crossing_s(4e5, 25, &in, 26), 80 * log(2), 1e-13, 0);
}

MR_TEST(steps_may_be_split_and_energy_stays)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_node_in in = cases[i];
        double whole_j, t_c = 33, sum_j = 0;
        const double end_c = mr_node_advance(4e5, 33, &in, 600, &whole_j);
        for (int k = 0; k < 100; k++) {
            double part_j;
            in.heat_w = cases[i].heat_w + cases[i].heat_w_s * 6 * k;
            t_c = mr_node_advance(4e5, t_c, &in, 6, &part_j);
            sum_j += part_j;
        }
        mr_assert_near(t_c, end_c, 1e-12, 1e-10);
        mr_assert_near(sum_j, whole_j, 1e-10, 1e-3);
    }
}

MR_TEST(crossings_are_where_the_node_is)
{
    int n = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (double level_c = -30; level_c < 60; level_c += 7.1) {
            struct mr_node_in in = cases[i];
            in.heat_w_s = 0;
            const double t_s = mr_node_crossing_s(4e5, 33, &in, level_c);
            const double end_c = steady_c(&in);
            const bool is_between =
                (level_c > 33 && level_c < end_c) || (level_c < 33 && level_c > end_c);
            assert_int_equal(isfinite(t_s), is_between);
            if (isfinite(t_s)) {
                mr_assert_near(mr_node_advance(4e5, 33, &in, t_s, NULL), level_c, 1e-9, 1e-8);
                n++;
            }
        }
    assert_true(n > 20);
    const struct mr_node_in still = {0, 0, 0, 0};
    assert_true(isinf(mr_node_crossing_s(1, 5, &still, 6)));
    assert_true(mr_node_crossing_s(1, 5, &still, 5) == 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(matches_runge_kutta), MR_TEST_ENTRY(a_step_of_a_room),
             MR_TEST_ENTRY(steps_may_be_split_and_energy_stays),
             MR_TEST_ENTRY(crossings_are_where_the_node_is))
