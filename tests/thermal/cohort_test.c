/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/cohort: known answers of loss of flow, leakage against an oracle that knows no tangents,
 * energy, laziness, throttling and shutdown played through, parts that go their own way. */
#include "thermal/cohort.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static struct mr_package *of_params(const struct mr_package_params *p)
{
    struct mr_package *package;
    struct mr_err err = {0};
    if (mr_package_create("test", p, &package, &err) != MR_OK)
        fail_msg("%s", err.text);
    return package;
}

static struct mr_package_params params_of(const char *type)
{
    struct mr_package_params p;
    struct mr_err err = {0};
    if (mr_package_params(type, &p, &err) != MR_OK)
        fail_msg("%s", err.text);
    return p;
}

/* One package, no spread, no leakage: what closed forms by hand describe. */
static struct mr_package *plain(const char *type)
{
    struct mr_package_params p = params_of(type);
    p.spread_frac = 0;
    p.branch_frac = 1;
    p.leakage_frac = 0;
    p.memory_c = 200;
    return of_params(&p);
}

/* Events until t_s, in order; the cohort keeps its power. */
static int play(const struct mr_package *package, struct mr_cohort *c, double t_s,
                enum mr_cohort_event *last)
{
    int n = 0;
    while (c->next_s <= t_s) {
        *last = mr_cohort_fire(package, c);
        n++;
        assert_true(n < 100000);
    }
    mr_cohort_advance(package, c, t_s);
    return n;
}

/* What it would be at t_s: a reader's copy. */
static struct mr_cohort seen_at(const struct mr_package *package, const struct mr_cohort *cohort,
                                double t_s)
{
    struct mr_cohort copy = *cohort;
    mr_cohort_advance(package, &copy, t_s);
    return copy;
}

MR_TEST(a_die_warms_up)
{
    struct mr_package *package = plain("gb300");
    struct mr_cohort c;
    mr_cohort_start(package, &c, 100, 4, 45, MR_FLOW_DESIGN);
    assert_int_equal(mr_cohort_set_power(package, &c, 100, 1200, 1200), MR_COHORT_NONE);
    assert_true(c.next_s == HUGE_VAL); /* 81 degC: no threshold */
    static const double known[][3] = {{1, 56.274672767, 46.243570667},
                                      {10, 73.262591822, 59.527263602},
                                      {60, 80.980148119, 66.581853466}};
    for (int i = 0; i < 3; i++) {
        const struct mr_cohort then = seen_at(package, &c, 100 + known[i][0]);
        mr_assert_near(then.mean_c[0], known[i][1], 1e-9, 0);
        mr_assert_near(then.mean_c[1], known[i][2], 1e-9, 0);
        assert_true(then.worst_c[0] == then.mean_c[0]);
    }
    const struct mr_cohort ten = seen_at(package, &c, 110);
    mr_assert_near(ten.in_j, 12000, 1e-14, 0);
    mr_assert_near(ten.out_j, 4493.339, 1e-7, 0);
    mr_assert_near(mr_cohort_stored_j(package, &ten) - mr_cohort_stored_j(package, &c), 7506.661,
                   1e-7, 0);
    mr_cohort_settle(package, &c);
    mr_assert_near(c.mean_c[0], 81, 1e-12, 0);
    mr_assert_near(c.mean_c[1], 66.6, 1e-12, 0);
    mr_assert_near(mr_cohort_drawn_w(&c), 1200, 1e-12, 0);
    mr_package_destroy(package);
}

MR_TEST(loss_of_flow)
{
    static const struct {
        const char *type;
        double power_w, inlet_c, slow_s, crit_s;
    } known[] = {{"gb300", 1400, 25, 7.697, 14.329},
                 {"gb300", 1400, 40, 2.352, 8.784},
                 {"rubin", 2300, 45, 1.980, 7.756},
                 {"rubin", 1800, 45, 5.698, 13.309}};
    /* the first of them on its way: 85 degC, two below where it is told */
    struct mr_package *first = plain("gb300");
    struct mr_cohort hot;
    mr_cohort_start(first, &hot, 0, 1, 25, MR_FLOW_DESIGN);
    (void)mr_cohort_set_power(first, &hot, 0, 1400, 1400);
    mr_cohort_settle(first, &hot);
    mr_assert_near(hot.mean_c[0], 67, 0, 1e-9);
    mr_assert_near(hot.mean_c[1], 50.2, 0, 1e-9);
    (void)mr_cohort_set_flow(first, &hot, 0, MR_FLOW_NONE);
    mr_assert_near(seen_at(first, &hot, 6.976).mean_c[0], 85, 0, 2e-3);
    mr_package_destroy(first);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct mr_package *package = plain(known[i].type);
        struct mr_cohort c;
        mr_cohort_start(package, &c, 0, 1, known[i].inlet_c, MR_FLOW_DESIGN);
        (void)mr_cohort_set_power(package, &c, 0, known[i].power_w, known[i].power_w);
        mr_cohort_settle(package, &c);
        assert_int_equal(c.mode, MR_COHORT_RUN);
        (void)mr_cohort_set_flow(package, &c, 0, MR_FLOW_NONE);
        assert_int_equal(c.next, MR_COHORT_THROTTLE_ON);
        mr_assert_near(c.next_s, known[i].slow_s, 0, 6e-4);
        assert_int_equal(mr_cohort_fire(package, &c), MR_COHORT_THROTTLE_ON);
        mr_assert_near(c.worst_c[0], 87, 0, 1e-7);
        /* nobody listens: on to t_crit */
        assert_int_equal(c.next, MR_COHORT_SHUTDOWN);
        mr_assert_near(c.next_s, known[i].crit_s, 0, 6e-4);
        mr_package_destroy(package);
    }
}

/* Classic Runge-Kutta of the mean member with leakage as it is. */
static void nonlinear(const struct mr_package *package, const struct mr_cohort *c, double seconds,
                      double x[2])
{
    const struct mr_package_member *m = &mr_package_class_of(package, c->flow, 0)->mean;
    const double h = 1e-3;
    for (long j = 0; j < lround(seconds / h); j++) {
        double k[4][2], y[2] = {x[0], x[1]};
        for (int s = 0; s < 4; s++) {
            const double across_w = (y[0] - y[1]) * m->g1_w_k;
            k[s][0] =
                (c->power_w + mr_package_leak_w(package, y[0]) - across_w) * package->inverse_c1;
            k[s][1] = (across_w - (y[1] - c->inlet_c) * m->g2_w_k) * package->inverse_c2;
            for (int i = 0; i < 2; i++)
                y[i] = x[i] + (s == 2 ? h : 0.5 * h) * k[s][i];
        }
        for (int i = 0; i < 2; i++)
            x[i] += h / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    }
}

MR_TEST(tangents_follow_leakage)
{
    const struct mr_package_params p = params_of("gb300");
    struct mr_package *package = of_params(&p);
    struct mr_rng rng = mr_rng_stream(5, MR_RNG_TEST, 0);
    struct mr_cohort c;
    double x[2] = {30, 30}, worst_k = 0;
    int n_event = 0;
    enum mr_cohort_event last;
    mr_cohort_start(package, &c, 0, 1, 30, MR_FLOW_DESIGN);
    for (int i = 0; i < 60; i++) {
        const double seconds = 0.001 * (double)(100 + mr_rng_below(&rng, 20000));
        const double power_w = mr_rng_range(&rng, 100, 1250);
        (void)mr_cohort_set_power(package, &c, c.t_s, power_w, power_w);
        nonlinear(package, &c, seconds, x);
        n_event += play(package, &c, c.t_s + seconds, &last);
        worst_k = fmax(worst_k, fabs(c.mean_c[0] - x[0]));
        assert_int_equal(c.mode, MR_COHORT_RUN);
    }
    assert_true(n_event > 20); /* new tangents between changes */
    assert_true(worst_k < 0.06 && worst_k > 1e-4);
    /* settled: leakage at the die's own temperature */
    mr_cohort_settle(package, &c);
    mr_assert_near(c.mean_c[0], 30 + 0.03 * (c.power_w + mr_package_leak_w(package, c.mean_c[0])),
                   1e-10, 0);
    mr_package_destroy(package);
}

/* What leaves is counted as what came less what stayed; here it is counted at the plate. */
MR_TEST(energy_closes)
{
    const struct mr_package_params p = params_of("rubin");
    struct mr_package *package = of_params(&p);
    struct mr_rng rng = mr_rng_stream(6, MR_RNG_TEST, 0);
    struct mr_cohort c;
    mr_cohort_start(package, &c, 0, 72, 40, MR_FLOW_DESIGN);
    const double stored_j = mr_cohort_stored_j(package, &c);
    double out_j = 0, held = 0;
    for (int i = 0; i < 20000; i++) {
        const double t_s = c.t_s + mr_rng_exponential(&rng, 1);
        while (c.t_s < t_s) {
            const double to_s = fmin(t_s, c.next_s);
            const struct mr_package_member *m =
                &mr_package_class_of(package, c.flow, c.slope)->mean;
            const double a[2][2] = {
                {(c.slope_w_k - m->g1_w_k) * package->inverse_c1, m->g1_w_k * package->inverse_c1},
                {m->g1_w_k * package->inverse_c2, -(m->g1_w_k + m->g2_w_k) * package->inverse_c2}};
            const struct mr_two_state s = mr_two_state_of(a);
            const double g[2] = {(c.base_w - c.slope_w_k * c.tangent_c) * package->inverse_c1,
                                 c.inlet_c * m->g2_w_k * package->inverse_c2};
            double x[2] = {c.mean_c[0], c.mean_c[1]}, sum[2] = {0, 0};
            mr_two_state_advance(&s, g, NULL, to_s - c.t_s, x, sum);
            out_j += (sum[1] - c.inlet_c * (to_s - c.t_s)) * m->g2_w_k;
            if (to_s == c.next_s)
                (void)mr_cohort_fire(package, &c);
            else
                mr_cohort_advance(package, &c, to_s);
            mr_assert_near(c.mean_c[0], x[0], 1e-11, 0);
        }
        const double want_w = mr_rng_range(&rng, 200, 2300);
        held += c.mode != MR_COHORT_RUN;
        (void)mr_cohort_set_power(package, &c, t_s, fmin(want_w, c.allowed_w), want_w);
        if (i % 50 == 0)
            (void)mr_cohort_set_inlet(package, &c, t_s, mr_rng_range(&rng, 35, 50));
        if (i % 97 == 0)
            (void)mr_cohort_set_flow(package, &c, t_s,
                                     MR_FLOW_DESIGN - (int)mr_rng_below(&rng, 20));
    }
    assert_true(held > 100);
    const double kept_j = mr_cohort_stored_j(package, &c) - stored_j;
    mr_assert_near(c.in_j, c.out_j + kept_j, 1e-12, 0);
    mr_assert_near(c.out_j, out_j, 1e-12, 0);
    mr_package_destroy(package);
}

MR_TEST(lazy_is_stepped_and_readers_leave_no_trace)
{
    const struct mr_package_params p = params_of("gb300");
    struct mr_package *package = of_params(&p);
    struct mr_cohort lazy, stepped, watched;
    mr_cohort_start(package, &lazy, 0, 8, 40, MR_FLOW_DESIGN);
    (void)mr_cohort_set_power(package, &lazy, 0, 700, 700);
    stepped = watched = lazy;
    enum mr_cohort_event last;
    for (int i = 1; i <= 5000; i++) {
        (void)play(package, &stepped, i * 0.01, &last);
        if (watched.next_s > i * 0.01) {
            const struct mr_cohort seen = seen_at(package, &watched, i * 0.01);
            mr_assert_near(seen.mean_c[0], stepped.mean_c[0], 1e-12, 0);
        } else {
            (void)mr_cohort_fire(package, &watched);
        }
    }
    (void)play(package, &lazy, 50, &last);
    (void)play(package, &watched, 50, &last);
    assert_memory_equal(&lazy, &watched, sizeof lazy);
    for (int i = 0; i < 2; i++) {
        mr_assert_near(lazy.mean_c[i], stepped.mean_c[i], 1e-12, 0);
        mr_assert_near(lazy.worst_c[i], stepped.worst_c[i], 1e-12, 0);
    }
    mr_assert_near(lazy.out_j, stepped.out_j, 1e-12, 0);
    mr_package_destroy(package);
}

MR_TEST(warm_water_throttles_and_lets_go)
{
    const struct mr_package_params p = params_of("gb300");
    struct mr_package *package = of_params(&p);
    struct mr_cohort c;
    mr_cohort_start(package, &c, 0, 72, 40, MR_FLOW_DESIGN);
    const double demand_w = 1100; /* without leakage */
    (void)mr_cohort_set_power(package, &c, 0, demand_w, demand_w);
    enum mr_cohort_event last = MR_COHORT_NONE;
    (void)play(package, &c, 200, &last);
    assert_int_equal(c.mode, MR_COHORT_RUN);
    (void)mr_cohort_set_inlet(package, &c, 200, 48);
    while (c.mode == MR_COHORT_RUN && c.next_s < 400)
        last = mr_cohort_fire(package, &c);
    assert_int_equal(last, MR_COHORT_THROTTLE_ON);
    mr_assert_near(c.worst_c[0], 87, 0, 1e-7);
    assert_true(c.worst_c[0] > c.mean_c[0]);
    assert_true(c.allowed_w < demand_w && c.allowed_w > 0.35 * demand_w);
    const double start_s = c.t_s;
    (void)mr_cohort_set_power(package, &c, c.t_s, c.allowed_w, demand_w);
    (void)play(package, &c, 600, &last);
    mr_assert_near(c.worst_c[0], 85, 0, 0.1); /* t_slow - hysteresis / 2, but for the tangent */
    mr_assert_near(c.held_s, 600 - start_s, 1e-12, 0);
    /* a tick changes nothing while it is warm */
    assert_int_equal(mr_cohort_tick(package, &c, 601), MR_COHORT_NONE);
    /* cooler water: allowed at once, let go when the die is cold enough */
    assert_int_equal(mr_cohort_set_inlet(package, &c, 601, 38), MR_COHORT_NONE);
    assert_true(c.allowed_w > demand_w);
    int n_tick = 0;
    while (mr_cohort_tick(package, &c, 601 + 0.1 * ++n_tick) != MR_COHORT_THROTTLE_OFF)
        assert_true(n_tick < 1000);
    assert_true(c.worst_c[0] < 83 && c.worst_c[0] > 82);
    assert_true(c.allowed_w == HUGE_VAL);
    mr_package_destroy(package);
}

MR_TEST(settled_above_the_limit_is_held)
{
    const struct mr_package_params p = params_of("gb300");
    struct mr_package *package = of_params(&p);
    struct mr_cohort c;
    mr_cohort_start(package, &c, 0, 72, 48, MR_FLOW_DESIGN);
    (void)mr_cohort_set_power(package, &c, 0, 1300, 1300);
    mr_cohort_settle(package, &c);
    assert_int_equal(c.mode, MR_COHORT_HELD);
    assert_true(c.power_w == c.allowed_w && c.power_w < 1300 && c.demand_w == 1300);
    mr_assert_near(c.worst_c[0], 85, 0, 0.1);
    /* and stays there */
    enum mr_cohort_event last = MR_COHORT_NONE;
    assert_int_equal(play(package, &c, 3600, &last), 0);
    mr_assert_near(c.held_s, 3600, 1e-12, 0);
    mr_package_destroy(package);
}

MR_TEST(no_flow_switches_off_and_on_again)
{
    const struct mr_package_params p = params_of("rubin");
    struct mr_package *package = of_params(&p);
    struct mr_cohort c;
    mr_cohort_start(package, &c, 0, 72, 45, MR_FLOW_DESIGN);
    (void)mr_cohort_set_power(package, &c, 0, 1900, 1900);
    mr_cohort_settle(package, &c);
    (void)mr_cohort_set_flow(package, &c, 0, MR_FLOW_NONE);
    enum mr_cohort_event seen[8];
    int n = 0;
    double off_s = 0;
    while (n < 8 && c.next_s < 3600) {
        const enum mr_cohort_event event = mr_cohort_fire(package, &c);
        if (event == MR_COHORT_RELINEARIZE)
            continue;
        seen[n++] = event;
        if (event == MR_COHORT_THROTTLE_ON) {
            assert_true(c.allowed_w == 0.35 * 1900); /* the floor: not enough */
            (void)mr_cohort_set_power(package, &c, c.t_s, c.allowed_w, 1900);
        } else if (event == MR_COHORT_SHUTDOWN) {
            off_s = c.t_s;
            mr_assert_near(c.worst_c[0], 105, 0, 1e-6);
            assert_true(mr_cohort_drawn_w(&c) == 0 && c.allowed_w == 0);
            (void)mr_cohort_set_flow(package, &c, c.t_s + 30, MR_FLOW_DESIGN);
        }
    }
    assert_true(n >= 3 && seen[0] == MR_COHORT_THROTTLE_ON && seen[n - 2] == MR_COHORT_SHUTDOWN &&
                seen[n - 1] == MR_COHORT_RESTART);
    mr_assert_near(c.t_s, off_s + 600, 1e-12, 0);
    assert_true(c.worst_c[0] < 60 && c.mode == MR_COHORT_RUN);
    mr_package_destroy(package);
}

MR_TEST(memory_has_a_limit_of_its_own)
{
    struct mr_package_params p = params_of("gb300");
    p.memory_c = 70;
    struct mr_package *package = of_params(&p);
    struct mr_cohort c;
    mr_cohort_start(package, &c, 0, 1, 40, MR_FLOW_DESIGN);
    (void)mr_cohort_set_power(package, &c, 0, 1100, 1100);
    enum mr_cohort_event event = MR_COHORT_NONE;
    while (c.next_s < 1000 && event != MR_COHORT_HBM_LIMIT)
        event = mr_cohort_fire(package, &c);
    assert_int_equal(event, MR_COHORT_HBM_LIMIT);
    const double drawn_w = c.base_w + c.slope_w_k * (c.worst_c[0] - c.tangent_c);
    mr_assert_near(c.worst_c[0] - 0.25 * drawn_w * 0.012 * 1.06, 70, 0, 0.02);
    assert_int_equal(c.mode, MR_COHORT_HELD);
    /* held there: the proxy settles half a hysteresis below */
    assert_true(c.allowed_w < 1100);
    enum mr_cohort_event last = MR_COHORT_NONE;
    (void)mr_cohort_set_power(package, &c, c.t_s, c.allowed_w, 1100);
    (void)play(package, &c, c.t_s + 300, &last);
    assert_true(c.mode == MR_COHORT_HELD && last != MR_COHORT_HBM_LIMIT);
    mr_assert_near(c.worst_c[0] - 0.25 * mr_cohort_drawn_w(&c) * 0.012 * 1.06, 68, 0, 0.7);
    mr_package_destroy(package);
}

MR_TEST(plates_in_series_warm_each_other)
{
    struct mr_package_params p = params_of("gb300");
    p.leakage_frac = 0;
    p.series_position = 2;
    struct mr_package *second = of_params(&p);
    struct mr_cohort c;
    mr_cohort_start(second, &c, 0, 1, 30, MR_FLOW_DESIGN);
    (void)mr_cohort_set_power(second, &c, 0, 1000, 1000);
    mr_cohort_settle(second, &c);
    mr_assert_near(c.mean_c[0], 30 + 1000 * 0.03 + 1000 / second->flow_w_k[MR_FLOW_DESIGN], 1e-12,
                   0);
    mr_package_destroy(second);
}

MR_TEST(a_part_goes_its_own_way)
{
    const struct mr_package_params p = params_of("gb300");
    struct mr_package *package = of_params(&p);
    struct mr_cohort c;
    mr_cohort_start(package, &c, 0, 72, 40, MR_FLOW_DESIGN);
    (void)mr_cohort_set_power(package, &c, 0, 900, 900);
    enum mr_cohort_event last;
    (void)play(package, &c, 5, &last);
    const struct mr_cohort whole = c;
    struct mr_cohort d = mr_cohort_split(&c, 24);
    assert_true(c.n_package == 48 && d.n_package == 24);
    mr_assert_near(48 * mr_cohort_stored_j(package, &c) + 24 * mr_cohort_stored_j(package, &d),
                   72 * mr_cohort_stored_j(package, &whole), 1e-14, 0);
    (void)mr_cohort_set_power(package, &d, 5, 1000, 1000);
    (void)play(package, &c, 6, &last);
    (void)play(package, &d, 6, &last);
    assert_true(d.mean_c[0] > c.mean_c[0]);
    mr_assert_near(c.mean_c[0], seen_at(package, &whole, 6).mean_c[0], 1e-12, 0);
    mr_package_destroy(package);
}

MR_TEST(packages_differ_a_little)
{
    const struct mr_package_params p = params_of("gb300");
    struct mr_package *package = of_params(&p);
    struct mr_cohort c;
    mr_cohort_start(package, &c, 0, 72, 40, MR_FLOW_DESIGN);
    (void)mr_cohort_set_power(package, &c, 0, 1000, 1000);
    mr_cohort_settle(package, &c);
    const double rise_k = c.mean_c[0] - 40;
    double sum = 0, square = 0, most = 0;
    enum {
        n = 20000
    };
    for (uint32_t i = 0; i < n; i++) {
        const double s = (mr_cohort_package_c(package, &c, 1, i) - 40) / rise_k - 1;
        sum += s;
        square += s * s;
        most = fmax(most, fabs(s));
    }
    mr_assert_near(sum / n, 0, 0, 5e-4);
    mr_assert_near(sqrt(square / n), 0.02, 0.02, 0);
    assert_true(most <= 0.06 + 1e-12 && most > 0.058);
    assert_true(mr_cohort_package_c(package, &c, 1, 7) == mr_cohort_package_c(package, &c, 1, 7));
    assert_true(mr_cohort_package_c(package, &c, 1, 7) != mr_cohort_package_c(package, &c, 2, 7));
    mr_package_destroy(package);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_die_warms_up), MR_TEST_ENTRY(loss_of_flow),
             MR_TEST_ENTRY(tangents_follow_leakage), MR_TEST_ENTRY(energy_closes),
             MR_TEST_ENTRY(lazy_is_stepped_and_readers_leave_no_trace),
             MR_TEST_ENTRY(warm_water_throttles_and_lets_go),
             MR_TEST_ENTRY(settled_above_the_limit_is_held),
             MR_TEST_ENTRY(no_flow_switches_off_and_on_again),
             MR_TEST_ENTRY(memory_has_a_limit_of_its_own),
             MR_TEST_ENTRY(plates_in_series_warm_each_other),
             MR_TEST_ENTRY(a_part_goes_its_own_way), MR_TEST_ENTRY(packages_differ_a_little))
