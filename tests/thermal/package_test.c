/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/package: the table of types, what its defaults settle at, parameters that cannot be. */
#include "thermal/package.h"

#include "engine/base/fmath.h"
#include "tests/test.h"

static struct mr_package_params params_of(const char *type)
{
    struct mr_package_params p;
    struct mr_err err = {0};
    if (mr_package_params(type, &p, &err) != MR_OK)
        fail_msg("%s", err.text);
    return p;
}

static struct mr_package *create(const char *name, const struct mr_package_params *p)
{
    struct mr_package *package;
    struct mr_err err = {0};
    if (mr_package_create(name, p, &package, &err) != MR_OK)
        fail_msg("%s", err.text);
    return package;
}

MR_TEST(types_settle_where_their_makers_say)
{
    static const struct {
        const char *type;
        double power_w, inlet_c, die_c;
    } known[] = {{"h100_sxm", 700, 25, 81}, {"gb300", 1400, 45, 87},   {"gb300", 1400, 40, 82},
                 {"gb300", 1400, 25, 67},   {"rubin", 2300, 45, 81.8}, {"rubin", 1800, 45, 73.8},
                 {"vera", 450, 45, 76.5}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct mr_package_params p = params_of(known[i].type);
        struct mr_package *package = create(known[i].type, &p);
        mr_assert_near(
            mr_package_settled_c(package, MR_FLOW_DESIGN, known[i].power_w, known[i].inlet_c),
            known[i].die_c, 1e-12, 0);
        mr_package_destroy(package);
    }
}

MR_TEST(every_type_can_be_built_and_names_its_sources)
{
    const char *last = "";
    int n_type = 0;
    for (size_t i = 0; mr_package_figure(i) != NULL; i++) {
        const struct mr_package_figure *f = mr_package_figure(i);
        assert_true(strlen(f->source) > 2);
        if (strcmp(f->type, last) == 0)
            continue;
        last = f->type;
        n_type++;
        const struct mr_package_params p = params_of(f->type);
        struct mr_package *package = create(f->type, &p);
        struct mr_buf out = {0};
        if (mr_package_warn(package, &out)) /* no default throttles at its own design */
            fail_msg("%s", out.text);
        mr_buf_fini(&out);
        mr_package_destroy(package);
    }
    assert_true(n_type == 15);
}

MR_TEST(time_constants)
{
    struct mr_package_params p = params_of("gb300");
    struct mr_package *package = create("gb300", &p);
    const struct mr_package_class *c = mr_package_class_of(package, MR_FLOW_DESIGN, 0);
    mr_assert_near(-1 / c->mean.l[0], 8.381, 1e-4, 0);
    mr_assert_near(-1 / c->mean.l[1], 0.6185, 1e-4, 0);
    assert_true(c->worst.g1_w_k < c->mean.g1_w_k && c->worst.g2_w_k < c->mean.g2_w_k);
    mr_package_destroy(package);
    p = params_of("rubin");
    package = create("rubin", &p);
    c = mr_package_class_of(package, MR_FLOW_DESIGN, 0);
    mr_assert_near(-1 / c->mean.l[0], 7.529, 1e-4, 0);
    mr_assert_near(-1 / c->mean.l[1], 0.3506, 1e-4, 0);
    mr_package_destroy(package);
}

MR_TEST(leakage_slopes_are_a_ladder)
{
    const struct mr_package_params p = params_of("gb300");
    struct mr_package *package = create("gb300", &p);
    mr_assert_near(mr_package_leak_w(package, 60), 140, 1e-15, 0);
    mr_assert_near(mr_package_leak_w(package, 95), 140 * mr_exp(0.7), 1e-14, 0);
    assert_true(package->slope_w_k[0] == 0 && package->slope_w_k[1] == 0.1);
    for (double t = 20; t < 110; t += 0.37) {
        const double slope = 0.02 * mr_package_leak_w(package, t);
        mr_assert_near(package->slope_w_k[mr_package_slope(package, t)], slope, 0.049, 0);
    }
    mr_package_destroy(package);
    struct mr_package_params none = p;
    none.leakage_frac = 0;
    package = create("gb300", &none);
    assert_int_equal(mr_package_slope(package, 100), 0);
    assert_true(mr_package_leak_w(package, 100) == 0);
    mr_package_destroy(package);
}

MR_TEST(fouled_plates_are_slower_flows)
{
    const struct mr_package_params p = params_of("gb300");
    struct mr_package *package = create("gb300", &p);
    assert_int_equal(mr_package_fouled(package, MR_FLOW_DESIGN, 0), MR_FLOW_DESIGN);
    assert_int_equal(mr_package_fouled(package, MR_FLOW_NONE, 0.2), MR_FLOW_NONE);
    const int fouled = mr_package_fouled(package, MR_FLOW_DESIGN, 0.2);
    assert_true(fouled < MR_FLOW_DESIGN);
    const struct mr_package_member *m = &mr_package_class_of(package, fouled, 0)->mean;
    mr_assert_near(1 / m->g2_w_k, 0.018 * 1.2, 0.02, 0);
    mr_package_destroy(package);
}

static void refused(const char *name, const struct mr_package_params *p, const char *part)
{
    struct mr_package *package;
    struct mr_err err = {0};
    assert_int_equal(mr_package_create(name, p, &package, &err), MR_RANGE);
    assert_null(package);
    mr_assert_contains(err.text, part);
}

#define REFUSED(change, part)                             \
    do {                                                  \
        struct mr_package_params p_ = params_of("gb300"); \
        p_.change;                                        \
        refused("X", &p_, part);                          \
    } while (0)

MR_TEST(impossible_packages)
{
    REFUSED(r1_k_w = 0, "package 'X': r1 must be > 0 K/W");
    REFUSED(r1_k_w = (double)NAN, "package 'X': r1 must be > 0 K/W");
    REFUSED(r2_k_w = -0.01, "package 'X': r2 must be > 0 K/W");
    REFUSED(c1_j_k = (double)INFINITY, "package 'X': c1 must be > 0 J/K");
    REFUSED(c2_j_k = 0, "package 'X': c2 must be > 0 J/K");
    REFUSED(slow_c = 105, "package 'X': t_slow 105 degC must be below t_crit 105 degC");
    REFUSED(restart_c = 84, "package 'X': t_restart 84 degC must be below t_slow - hysteresis, 83");
    REFUSED(flow_m3_s = 6.1 * 1.4 / 60e3,
            "package 'X': flow 6.1 L/min is outside 0.4-2.4 of fit pg25: give r2 directly");
    struct mr_package_params p = params_of("gb300");
    p.leakage_per_k = 0.05;
    p.leakage_frac = 702.0 / 1400 / mr_exp(0.05 * 27); /* 702 W at 87 degC */
    refused("X", &p,
            "package 'X': leakage slope 35.1 W/K >= 33.3 W/K = 1/(r1+r2): thermal runaway at "
            "design flow");
    struct mr_err err = {0};
    assert_int_equal(mr_package_params("rubbin", &p, &err), MR_REF);
    mr_assert_contains(err.text, "no heat path of a package 'rubbin' (did you mean 'rubin'?)");
}

MR_TEST(warm_water_is_warned_of)
{
    struct mr_package_params p = params_of("gb300");
    p.inlet_c = 45;
    struct mr_package *package = create("gb300", &p);
    struct mr_buf out = {0};
    assert_true(mr_package_warn(package, &out));
    mr_assert_contains(out.text, "gb300 at 1400 W, inlet 45 degC settles at 8");
    mr_assert_contains(out.text, ", above t_slow 87: it will throttle");
    mr_buf_fini(&out);
    mr_package_destroy(package);
}

static mr_status build(void *context, struct mr_err *err)
{
    struct mr_package *package;
    MR_TRY(mr_package_create("gb300", context, &package, err));
    mr_package_destroy(package);
    return MR_OK;
}

MR_TEST(no_memory)
{
    struct mr_package_params p = params_of("gb300");
    mr_test_every_nomem(build, &p);
}

MR_TEST_MAIN(MR_TEST_ENTRY(types_settle_where_their_makers_say),
             MR_TEST_ENTRY(every_type_can_be_built_and_names_its_sources),
             MR_TEST_ENTRY(time_constants), MR_TEST_ENTRY(leakage_slopes_are_a_ladder),
             MR_TEST_ENTRY(fouled_plates_are_slower_flows), MR_TEST_ENTRY(impossible_packages),
             MR_TEST_ENTRY(warm_water_is_warned_of), MR_TEST_ENTRY(no_memory))
