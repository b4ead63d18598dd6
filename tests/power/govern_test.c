/* SPDX-License-Identifier: Apache-2.0 */
/* power/govern: known divisions, every division of small nodes against all ways to split them, the
 * sum of caps against the maximum flow, random trees in which no limit is ever exceeded, tiers, the
 * published examples of lent watts, and a closed loop whose caps hold after the latency. */
#include "power/govern.h"

#include "engine/base/fmath.h"
#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    n_max = 64
};

/* ---- one node ---- */

struct split {
    uint32_t n;
    double min_w[n_max], max_w[n_max], weight[n_max], gain[n_max], alloc_w[n_max];
};

static bool fill(struct split *s, double budget_w)
{
    const struct mr_govern_children child = {s->n, s->min_w, s->max_w, s->weight, s->gain};
    return mr_govern_fill(&child, 0, budget_w, s->alloc_w);
}

static struct split three(double a, double b, double c)
{
    return (struct split){
        .n = 3, .min_w = {10, 10, 10}, .max_w = {a, b, c}, .weight = {1, 1, 1}, .gain = {1, 1, 1}};
}

static void expect(const struct split *s, double a, double b, double c)
{
    mr_assert_near(s->alloc_w[0], a, 1e-15, 0);
    mr_assert_near(s->alloc_w[1], b, 1e-15, 0);
    mr_assert_near(s->alloc_w[2], c, 1e-15, 0);
}

MR_TEST(known_divisions)
{
    struct split s = three(20, 50, 80);
    assert_true(fill(&s, 100));
    expect(&s, 20, 40, 40);
    s = three(60, 60, 60);
    assert_true(fill(&s, 100));
    expect(&s, 100. / 3, 100. / 3, 100. / 3);
    s = three(20, 50, 60);
    s.weight[2] = 2;
    assert_true(fill(&s, 100));
    expect(&s, 20, 80. / 3, 160. / 3);
    /* more than enough, just enough, too little */
    assert_true(fill(&s, 1000));
    expect(&s, 20, 50, 60);
    assert_true(fill(&s, 30));
    expect(&s, 10, 10, 10);
    assert_false(fill(&s, 29));
    expect(&s, 10, 10, 10);
    /* a watt of the last costs two at the node: 10 + 20 + 2 x 35 = 100 */
    s = three(10, 20, 80);
    s.gain[2] = 2;
    assert_true(fill(&s, 100));
    expect(&s, 10, 20, 35);
}

/* The division is the one minimum of sum gain x^2 / (2 w): every child is at its minimum, at its
 * maximum, or at lambda w. Try all 3^n ways; of those that keep bounds and budget the cheapest. */
static double cheapest(const struct split *s, double budget_w, double *best_w)
{
    double best = (double)INFINITY;
    uint32_t ways = 1;
    for (uint32_t i = 0; i < s->n; i++)
        ways *= 3;
    for (uint32_t way = 0; way < ways; way++) {
        double x[n_max], held_w = 0, slope = 0, cost = 0;
        uint32_t code = way;
        for (uint32_t i = 0; i < s->n; i++, code /= 3)
            if (code % 3 == 2)
                slope += s->gain[i] * s->weight[i];
            else
                held_w += s->gain[i] * (code % 3 == 0 ? s->min_w[i] : s->max_w[i]);
        if (slope == 0 && fabs(held_w - budget_w) > 1e-9)
            continue;
        const double lambda = slope > 0 ? (budget_w - held_w) / slope : 0;
        bool is_inside = true;
        code = way;
        for (uint32_t i = 0; i < s->n; i++, code /= 3) {
            x[i] = code % 3 == 0   ? s->min_w[i]
                   : code % 3 == 1 ? s->max_w[i]
                                   : lambda * s->weight[i];
            is_inside = is_inside && x[i] >= s->min_w[i] - 1e-9 && x[i] <= s->max_w[i] + 1e-9;
            cost += s->gain[i] * x[i] * x[i] / s->weight[i];
        }
        if (is_inside && cost < best) {
            best = cost;
            memcpy(best_w, x, s->n * sizeof *x);
        }
    }
    return best;
}

static void random_split(struct mr_rng *rng, struct split *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        /* whole numbers make ties */
        const bool is_whole = mr_rng_below(rng, 2) == 0;
        const double a = mr_rng_range(rng, 0, 50), b = a + mr_rng_range(rng, 0, 60);
        s->min_w[i] = is_whole ? floor(a) : a;
        s->max_w[i] = is_whole ? floor(b) : b;
        if (s->max_w[i] < s->min_w[i] || mr_rng_below(rng, 8) == 0)
            s->max_w[i] = s->min_w[i];
        s->weight[i] = is_whole ? 1 + (double)mr_rng_below(rng, 3) : mr_rng_range(rng, 0.1, 4);
        s->gain[i] = is_whole ? 1 : mr_rng_range(rng, 1, 1.2);
    }
}

static double total(const struct split *s, const double *value_w)
{
    double sum_w = 0;
    for (uint32_t i = 0; i < s->n; i++)
        sum_w += s->gain[i] * value_w[i];
    return sum_w;
}

MR_TEST(divisions_are_the_best_of_all)
{
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
        struct split s = {.n = 1 + (uint32_t)mr_rng_below(&rng, 6)};
        random_split(&rng, &s);
        const double least_w = total(&s, s.min_w), most_w = total(&s, s.max_w);
        const double budget_w = least_w + (most_w - least_w) * mr_rng_f64(&rng);
        double best_w[n_max];
        assert_true(fill(&s, budget_w));
        assert_true(cheapest(&s, budget_w, best_w) < (double)INFINITY);
        for (uint32_t i = 0; i < s.n; i++)
            mr_assert_near(s.alloc_w[i], best_w[i], 1e-10, 1e-9);
    }
}

MR_TEST(sums_never_exceed_budgets_by_a_bit)
{
    for (uint64_t seed = 0; seed < 5000; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 2);
        struct split s = {.n = 1 + (uint32_t)mr_rng_below(&rng, n_max)};
        random_split(&rng, &s);
        const double least_w = total(&s, s.min_w), most_w = total(&s, s.max_w);
        const double budget_w = least_w + (most_w - least_w) * mr_rng_range(&rng, 0, 1.1);
        assert_true(fill(&s, budget_w));
        const double sum_w = total(&s, s.alloc_w);
        assert_true(sum_w <= budget_w);
        mr_assert_near(sum_w, fmin(budget_w, most_w), 1e-13, 0);
        for (uint32_t i = 0; i < s.n; i++)
            assert_true(s.alloc_w[i] >= s.min_w[i] && s.alloc_w[i] <= s.max_w[i]);
    }
}

/* Many children of weights far apart, budgets at bounds: caps spend all, and stand on one level. */
MR_TEST(wide_nodes_of_all_weights)
{
    enum {
        n_wide = 500
    };
    static double min_w[n_wide], max_w[n_wide], weight[n_wide], gain[n_wide], alloc_w[n_wide];
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 6);
        const uint32_t n = 1 + (uint32_t)mr_rng_below(&rng, n_wide);
        const struct mr_govern_children child = {n, min_w, max_w, weight, gain};
        const double fixed_w = mr_rng_range(&rng, 0, 1e4), spread = 20 * mr_rng_f64(&rng);
        double least_w = fixed_w, most_w = fixed_w, bound_w = fixed_w, sum_w = fixed_w;
        const double level = mr_rng_below(&rng, 2) == 0 ? 500 : 100;
        for (uint32_t i = 0; i < n; i++) {
            weight[i] = mr_exp(mr_rng_range(&rng, -spread, spread));
            gain[i] = mr_rng_range(&rng, 1, 1.1);
            min_w[i] = 100 * (double)mr_rng_below(&rng, 4);
            max_w[i] = min_w[i] + 100 * (double)mr_rng_below(&rng, 8);
            least_w += gain[i] * min_w[i];
            most_w += gain[i] * max_w[i];
            bound_w += gain[i] * fmax(min_w[i], fmin(max_w[i], level * weight[i]));
        }
        const double budget_w = seed % 4 == 0 ? fmin(fmax(bound_w, least_w), most_w)
                                              : least_w + (most_w - least_w) * mr_rng_f64(&rng);
        assert_true(mr_govern_fill(&child, fixed_w, budget_w, alloc_w));
        double low = 0, high = (double)INFINITY; /* the level is between */
        for (uint32_t i = 0; i < n; i++) {
            sum_w += gain[i] * alloc_w[i];
            assert_true(alloc_w[i] >= min_w[i] && alloc_w[i] <= max_w[i]);
            if (alloc_w[i] > min_w[i])
                low = fmax(low, alloc_w[i] / weight[i]);
            if (alloc_w[i] < max_w[i])
                high = fmin(high, alloc_w[i] / weight[i]);
        }
        assert_true(sum_w <= budget_w);
        mr_assert_near(sum_w, budget_w, (n + 4) * 0x1p-52, 0);
        assert_true(low <= high * (1 + 1e-15));
    }
}

/* ---- trees ---- */

struct forest {
    uint32_t n;
    struct mr_govern_node node[1024];
    double min_w[1024], max_w[1024], demand_w[1024], fixed_w[1024];
    uint8_t tier[1024];
    struct mr_arena arena;
    struct mr_govern_tree *tree;
    struct mr_govern_pass pass;
    struct mr_govern_load load;
};

static void plant(struct forest *f)
{
    struct mr_err err = {0};
    if (mr_govern_tree_build(&f->arena, f->node, f->n, &f->tree, &err) != MR_OK ||
        mr_govern_pass_init(&f->arena, f->tree, &f->pass, &err) != MR_OK)
        fail_msg("%s", err.text);
    f->load = (struct mr_govern_load){.min_w = f->min_w,
                                      .max_w = f->max_w,
                                      .demand_w = f->demand_w,
                                      .fixed_w = f->fixed_w,
                                      .budget_w = (double)INFINITY};
}

/* Random heights and widths, limits that bind here and there, down to the sum of minima. */
static void grow(struct mr_rng *rng, struct forest *f)
{
    *f = (struct forest){.n = 1};
    uint32_t begin = 0, end = 1;
    const int depth = 1 + (int)mr_rng_below(rng, 5);
    for (int level = 0; level < depth; level++) {
        for (uint32_t i = begin; i < end; i++) {
            const uint32_t width = (uint32_t)mr_rng_below(rng, level < 2 ? 7 : 4);
            for (uint32_t k = 0; k < width && f->n < 1000; k++)
                f->node[f->n++].parent = i;
        }
        begin = end;
        end = f->n;
    }
    double low_w[1024] = {0}, high_w[1024] = {0};
    bool is_inner[1024] = {false};
    for (uint32_t i = f->n; i-- > 0;) {
        struct mr_govern_node *const v = &f->node[i];
        v->gain = mr_rng_below(rng, 2) == 0 ? 1 : mr_rng_range(rng, 1, 1.1);
        v->weight = 1 + (double)mr_rng_below(rng, 3);
        if (is_inner[i]) {
            f->fixed_w[i] = mr_rng_below(rng, 2) == 0 ? 0 : mr_rng_range(rng, 0, 100);
            low_w[i] += f->fixed_w[i];
            high_w[i] += f->fixed_w[i];
        } else {
            f->min_w[i] = low_w[i] = mr_rng_range(rng, 0, 300);
            f->max_w[i] = high_w[i] = low_w[i] + mr_rng_range(rng, 0, 1000);
        }
        f->demand_w[i] = mr_rng_range(rng, 0, 1200);
        f->tier[i] = (uint8_t)mr_rng_below(rng, 3);
        const double room = mr_rng_below(rng, 3) == 0 ? 2 : mr_rng_f64(rng);
        v->limit_w = low_w[i] * (1 + 1e-12) + (high_w[i] - low_w[i]) * room;
        if (i > 0) {
            is_inner[v->parent] = true;
            low_w[v->parent] += v->gain * low_w[i];
            high_w[v->parent] += v->gain * fmin(high_w[i], v->limit_w);
        }
    }
    plant(f);
}

static void no_limit_is_exceeded(const struct forest *f)
{
    double node_w[1024];
    mr_govern_measure(f->tree, f->pass.alloc_w, f->fixed_w, node_w);
    assert_int_equal(mr_govern_over(f->tree, node_w, 0), f->n);
    assert_true(node_w[0] <= f->load.budget_w);
    for (uint32_t i = 0; i < f->n; i++)
        if (mr_govern_is_leaf(f->tree, i))
            assert_true(f->pass.alloc_w[i] >= f->min_w[i] && f->pass.alloc_w[i] <= f->max_w[i]);
}

/* Most that can flow through the limits: from the leaves up, independent of the passes. */
static double flow(const struct forest *f, const double *ceiling_w, uint32_t i)
{
    if (mr_govern_is_leaf(f->tree, i))
        return fmin(ceiling_w[i], f->node[i].limit_w);
    double sum_w = f->fixed_w[i];
    for (uint32_t k = i + 1; k < f->n; k++)
        if (f->node[k].parent == i)
            sum_w += f->node[k].gain * flow(f, ceiling_w, k);
    return fmin(sum_w, f->node[i].limit_w);
}

MR_TEST(random_trees_keep_every_limit_and_waste_nothing)
{
    static struct forest f;
    for (uint64_t seed = 0; seed < 1500; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 3);
        grow(&rng, &f);
        struct mr_err err = {0};
        if (mr_govern_load_check(f.tree, &f.load, &err) != MR_OK)
            fail_msg("%s", err.text);
        struct mr_govern_params params;
        mr_govern_defaults(&params);
        for (int policy = 0; policy <= MR_GOVERN_POLICY_MAXLPS; policy++)
            for (int tiers = 0; tiers < 2; tiers++)
                for (int lends = 0; lends < 2; lends++) {
                    params.policy = policy;
                    params.lends_rest = lends != 0;
                    f.load.tier = tiers != 0 ? f.tier : NULL;
                    f.load.n_tier = 3;
                    mr_govern_decide(f.tree, &params, &f.load, &f.pass);
                    assert_int_equal(f.pass.n_infeasible, 0);
                    no_limit_is_exceeded(&f);
                    double ceiling_w[1024], node_w[1024];
                    for (uint32_t i = 0; i < f.n; i++) {
                        const double lps_w =
                            fmax(f.min_w[i], fmin(f.max_w[i], 1.1 * f.demand_w[i]));
                        ceiling_w[i] = policy == MR_GOVERN_POLICY_MAXP ? f.max_w[i]
                                       : policy == MR_GOVERN_POLICY_MAXQ
                                           ? fmax(0.85 * f.max_w[i], f.min_w[i])
                                       : params.lends_rest ? f.max_w[i]
                                                           : lps_w;
                    }
                    mr_govern_measure(f.tree, f.pass.alloc_w, f.fixed_w, node_w);
                    mr_assert_near(node_w[0], flow(&f, ceiling_w, 0), 1e-11, 0);
                }
        mr_arena_fini(&f.arena);
    }
}

MR_TEST(a_lower_site_budget_is_kept)
{
    static struct forest f;
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 4);
        grow(&rng, &f);
        struct mr_govern_params params;
        mr_govern_defaults(&params);
        params.policy = MR_GOVERN_POLICY_MAXLPS;
        mr_govern_decide(f.tree, &params, &f.load, &f.pass);
        const double full_w = f.pass.alloc_w[0];
        double node_w[1024];
        mr_govern_measure(f.tree, f.min_w, f.fixed_w, node_w);
        f.load.budget_w = node_w[0] + (full_w - node_w[0]) * mr_rng_f64(&rng);
        mr_govern_decide(f.tree, &params, &f.load, &f.pass);
        no_limit_is_exceeded(&f);
        mr_govern_measure(f.tree, f.pass.alloc_w, f.fixed_w, node_w);
        mr_assert_near(node_w[0], f.load.budget_w, 1e-11, 0);
        /* below the minima: everybody keeps the minimum, and it is told where */
        mr_govern_measure(f.tree, f.min_w, f.fixed_w, node_w);
        f.load.budget_w = 0.5 * node_w[0];
        mr_govern_decide(f.tree, &params, &f.load, &f.pass);
        if (node_w[0] > 0) {
            assert_true(f.pass.n_infeasible == 1 && f.pass.infeasible == 0);
            for (uint32_t i = 0; i < f.n; i++)
                if (mr_govern_is_leaf(f.tree, i))
                    assert_true(f.pass.alloc_w[i] == f.min_w[i]);
        }
        mr_arena_fini(&f.arena);
    }
}

/* Site, then leaves under it. */
static void flat(struct forest *f, uint32_t n, double limit_w, double min_w, double max_w)
{
    *f = (struct forest){.n = n + 1, .node = {{0, limit_w, 1, 1}}};
    for (uint32_t i = 1; i <= n; i++) {
        f->node[i] = (struct mr_govern_node){0, (double)INFINITY, 1, 1};
        f->min_w[i] = min_w;
        f->max_w[i] = max_w;
    }
    plant(f);
}

MR_TEST(tiers_are_served_from_the_highest)
{
    static struct forest f;
    flat(&f, 4, 2000, 100, 1000);
    struct mr_govern_params params;
    mr_govern_defaults(&params);
    for (uint32_t i = 1; i <= 4; i++)
        f.tier[i] = i == 4 ? 2 : i == 3 ? 1 : 0;
    f.load.tier = f.tier;
    f.load.n_tier = 3;
    mr_govern_decide(f.tree, &params, &f.load, &f.pass);
    /* 1000 for the best, 200 are minima below, 800 for the next */
    assert_true(f.pass.alloc_w[4] == 1000 && f.pass.alloc_w[3] == 800);
    assert_true(f.pass.alloc_w[1] == 100 && f.pass.alloc_w[2] == 100);
    f.load.budget_w = 2600;
    f.node[0].limit_w = 3000;
    plant(&f);
    f.load.tier = f.tier;
    f.load.n_tier = 3;
    mr_govern_decide(f.tree, &params, &f.load, &f.pass);
    assert_true(f.pass.alloc_w[4] == 1000 && f.pass.alloc_w[3] == 1000);
    assert_true(f.pass.alloc_w[1] == 500 && f.pass.alloc_w[2] == 500);
    mr_arena_fini(&f.arena);
}

/* Four managed racks within what three unmanaged ones need: 136 kW each, 101 kW in use. */
MR_TEST(four_racks_in_the_envelope_of_three)
{
    static struct forest f;
    flat(&f, 4, 3 * 136e3, 20e3, 136e3);
    struct mr_govern_params params;
    mr_govern_defaults(&params);
    mr_govern_decide(f.tree, &params, &f.load, &f.pass);
    for (uint32_t i = 1; i <= 4; i++)
        assert_true(f.pass.alloc_w[i] == 102e3);
    params.policy = MR_GOVERN_POLICY_MAXLPS;
    for (uint32_t i = 1; i <= 4; i++)
        f.demand_w[i] = 101e3;
    mr_govern_decide(f.tree, &params, &f.load, &f.pass);
    for (uint32_t i = 1; i <= 4; i++)
        assert_true(f.pass.alloc_w[i] >= 101e3 && f.pass.alloc_w[i] <= 136e3);
    /* one idles: the others run at full power, which equal shares would forbid */
    f.demand_w[2] = 25e3;
    f.demand_w[1] = f.demand_w[3] = f.demand_w[4] = 122e3;
    params.margin = 1;
    mr_govern_decide(f.tree, &params, &f.load, &f.pass);
    assert_true(f.pass.alloc_w[1] >= 122e3 && f.pass.alloc_w[3] >= 122e3);
    mr_assert_near(f.pass.alloc_w[2], 408e3 - f.pass.alloc_w[1] * 3, 1e-12, 0);
    mr_arena_fini(&f.arena);
}

/* The published gigawatt: 274,968 GPUs at their peak or 399,096 under lent watts, 72 a rack. Racks
 * that all want their peak are held at 0.689 of it, and half of them idle leaves the rest at full
 * power as long as that fits. */
MR_TEST(a_gigawatt_of_racks)
{
    enum {
        n_off = 274968 / 72,
        n_on = 399096 / 72
    };
    const double peak_w = 1e9 / n_off;
    struct mr_govern_node *const node = calloc(n_on + 1, sizeof *node);
    double *const min_w = calloc(n_on + 1, sizeof *min_w), *const max_w = calloc(n_on + 1, 8);
    double *const demand_w = calloc(n_on + 1, sizeof *demand_w);
    assert_true(node != NULL && min_w != NULL && max_w != NULL && demand_w != NULL);
    node[0] = (struct mr_govern_node){0, 1e9, 1, 1};
    for (uint32_t i = 1; i <= n_on; i++) {
        node[i] = (struct mr_govern_node){0, (double)INFINITY, 1, 1};
        min_w[i] = 20e3;
        max_w[i] = peak_w;
        demand_w[i] = 10 * peak_w;
    }
    const struct mr_govern_load load = {
        .min_w = min_w, .max_w = max_w, .demand_w = demand_w, .budget_w = (double)INFINITY};
    struct mr_govern_params params;
    mr_govern_defaults(&params);
    params.policy = MR_GOVERN_POLICY_MAXLPS;
    params.margin = 1;
    struct mr_arena arena = {0};
    struct mr_govern_tree *tree;
    struct mr_govern_pass pass;
    struct mr_err err = {0};
    /* all of the smaller site run at their peak */
    assert_int_equal(mr_govern_tree_build(&arena, node, n_off + 1, &tree, &err), MR_OK);
    assert_int_equal(mr_govern_pass_init(&arena, tree, &pass, &err), MR_OK);
    mr_govern_decide(tree, &params, &load, &pass);
    mr_assert_near(pass.alloc_w[1], peak_w, 1e-9, 0);
    mr_assert_near(pass.alloc_w[1] / 72, 3636.8, 1e-5, 0);
    /* the larger one */
    assert_int_equal(mr_govern_tree_build(&arena, node, n_on + 1, &tree, &err), MR_OK);
    assert_int_equal(mr_govern_pass_init(&arena, tree, &pass, &err), MR_OK);
    mr_govern_decide(tree, &params, &load, &pass);
    mr_assert_near(pass.alloc_w[n_on] / peak_w, 0.68898, 1e-5, 0);
    mr_assert_near(pass.alloc_w[n_on] / 72, 2505.7, 2e-5, 0);
    mr_assert_near((double)n_on / n_off, 1.4514, 1e-4, 0);
    for (uint32_t i = 1; i <= n_on; i += 2)
        demand_w[i] = 90e3;
    params.lends_rest = false;
    mr_govern_decide(tree, &params, &load, &pass);
    for (uint32_t i = 1; i <= n_on; i++)
        assert_true(pass.alloc_w[i] == (i % 2 == 1 ? 90e3 : peak_w));
    mr_arena_fini(&arena);
    free(node);
    free(min_w);
    free(max_w);
    free(demand_w);
}

/* ---- the controller in a closed loop ---- */

/* Packages draw what they want up to their cap, demand and the site's budget change at random. */
MR_TEST(caps_hold_after_the_latency)
{
    static struct forest f;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 5);
        grow(&rng, &f);
        struct mr_govern_params params;
        mr_govern_defaults(&params);
        params.policy = MR_GOVERN_POLICY_MAXLPS;
        params.period_s = mr_rng_range(&rng, 2, 12);
        params.telemetry_s = mr_rng_range(&rng, 0, 2);
        params.actuation_s = mr_rng_range(&rng, 0, 20);
        assert_int_equal(mr_govern_check(&params, "governor", NULL), MR_OK);
        double cap_w[1024], sampled_w[1024], node_w[1024], least_w[1024], leaf_w[1024];
        mr_govern_measure(f.tree, f.min_w, f.fixed_w, least_w);
        mr_govern_decide(f.tree, &params, &f.load, &f.pass);
        const double full_w = f.pass.alloc_w[0];
        memcpy(cap_w, f.pass.alloc_w, f.n * sizeof *cap_w);
        struct mr_govern_clock clock = mr_govern_clock_start(0);
        double t_s = 0, change_s = 5, budget_w = full_w, safe_s = 0;
        while (t_s < 400) {
            t_s = fmin(clock.next_s, change_s);
            if (t_s == clock.next_s) {
                switch (mr_govern_clock_step(&clock, &params)) {
                case MR_GOVERN_SAMPLE:
                    memcpy(sampled_w, f.demand_w, f.n * sizeof *sampled_w);
                    f.load.budget_w = budget_w;
                    break;
                case MR_GOVERN_DECIDE:
                    f.load.demand_w = sampled_w;
                    mr_govern_decide(f.tree, &params, &f.load, &f.pass);
                    break;
                case MR_GOVERN_APPLY:
                    memcpy(cap_w, f.pass.alloc_w, f.n * sizeof *cap_w);
                    break;
                }
            } else {
                change_s += mr_rng_range(&rng, 0, 60);
                for (uint32_t i = 0; i < f.n; i++)
                    f.demand_w[i] = mr_rng_range(&rng, 0, 1200);
                budget_w = least_w[0] + (full_w - least_w[0]) * mr_rng_f64(&rng);
                safe_s = t_s + mr_govern_latency_s(&params) + 1e-9;
            }
            for (uint32_t i = 0; i < f.n; i++)
                leaf_w[i] = fmax(f.min_w[i], fmin(f.demand_w[i], cap_w[i]));
            mr_govern_measure(f.tree, leaf_w, f.fixed_w, node_w);
            /* limits of the tree hold always, the changed budget after the latency */
            assert_int_equal(mr_govern_over(f.tree, node_w, 0), f.n);
            if (t_s > safe_s)
                assert_true(node_w[0] <= budget_w);
        }
        mr_arena_fini(&f.arena);
    }
}

MR_TEST(the_clock_waits_for_what_is_under_way)
{
    struct mr_govern_params params;
    mr_govern_defaults(&params);
    struct mr_govern_clock clock = mr_govern_clock_start(100);
    const double expected_s[] = {100, 101, 106, 110, 111, 116, 120};
    for (size_t k = 0; k < sizeof expected_s / sizeof *expected_s; k++) {
        assert_true(clock.next_s == expected_s[k]);
        assert_int_equal(mr_govern_clock_step(&clock, &params), k % 3);
    }
    assert_true(mr_govern_latency_s(&params) == 16);
    params.actuation_s = 30; /* longer than the period: the next sample waits */
    clock = mr_govern_clock_start(0);
    for (int k = 0; k < 3; k++)
        mr_govern_clock_step(&clock, &params);
    assert_true(clock.next_s == 31);
    assert_true(mr_govern_latency_s(&params) == 62);
    params.period_s = 0; /* once */
    clock = mr_govern_clock_start(0);
    for (int k = 0; k < 3; k++)
        mr_govern_clock_step(&clock, &params);
    assert_true(clock.next_s == (double)INFINITY);
}

/* ---- refusals ---- */

MR_TEST(impossible_governors)
{
    struct mr_govern_params params;
    struct mr_err err = {0};
    mr_govern_defaults(&params);
    assert_int_equal(mr_govern_check(&params, "governor", &err), MR_OK);
    params.policy = MR_GOVERN_POLICY_MAXLPS;
    params.period_s = 0;
    assert_int_equal(mr_govern_check(&params, "governor", &err), MR_RANGE);
    mr_assert_contains(err.text, "governor: max_lps with period 0 s");
    err = (struct mr_err){0};
    params.period_s = 0.5;
    assert_int_equal(mr_govern_check(&params, "governor", &err), MR_RANGE);
    mr_assert_contains(err.text, "period 0.5 s: shorter than telemetry 1 s");
}

static void refused_tree(const struct mr_govern_node *node, uint32_t n, const char *part)
{
    struct mr_arena arena = {0};
    struct mr_govern_tree *tree;
    struct mr_err err = {0};
    assert_true(mr_govern_tree_build(&arena, node, n, &tree, &err) != MR_OK);
    mr_assert_contains(err.text, part);
    mr_arena_fini(&arena);
}

MR_TEST(impossible_trees)
{
    const struct mr_govern_node good = {0, 1, 1, 1};
    refused_tree(&good, 0, "needs a node");
    refused_tree((struct mr_govern_node[]){good, {1, 1, 1, 1}}, 2, "node 1: parent 1");
    refused_tree((struct mr_govern_node[]){good, good, {1, 1, 1, 1}, good}, 4, "node 3: parent 0");
    refused_tree((struct mr_govern_node[]){{0, -1, 1, 1}}, 1, "node 0: limit -1 W");
    refused_tree((struct mr_govern_node[]){{0, (double)NAN, 1, 1}}, 1, "node 0: limit nan W");
    refused_tree((struct mr_govern_node[]){good, {0, 1, 0, 1}}, 2, "node 1: gain 0");
    refused_tree((struct mr_govern_node[]){good, {0, 1, 1, 0}}, 2, "node 1: weight 0");
    static struct forest f;
    struct mr_err err = {0};
    flat(&f, 3, 250, 100, 1000);
    assert_int_equal(mr_govern_load_check(f.tree, &f.load, &err), MR_RANGE);
    mr_assert_contains(err.text, "node 0: limit 250 W: what lies below it draws 300 W at least");
    err = (struct mr_err){0};
    f.min_w[2] = 1001;
    assert_int_equal(mr_govern_load_check(f.tree, &f.load, &err), MR_RANGE);
    mr_assert_contains(err.text, "node 2: minimum 1001 W, maximum 1000 W");
    mr_arena_fini(&f.arena);
}

static mr_status build_and_check(void *context, struct mr_err *err)
{
    (void)context;
    static struct forest f;
    const struct mr_govern_node node[] = {{0, 500, 1, 1}, {0, 300, 1, 1}, {0, 300, 1, 1}};
    const double min_w[3] = {0, 1, 1}, max_w[3] = {0, 300, 300};
    const struct mr_govern_load load = {
        .min_w = min_w, .max_w = max_w, .budget_w = (double)INFINITY};
    f.arena = (struct mr_arena){0};
    mr_status st = mr_govern_tree_build(&f.arena, node, 3, &f.tree, err);
    if (st == MR_OK)
        st = mr_govern_pass_init(&f.arena, f.tree, &f.pass, err);
    if (st == MR_OK)
        st = mr_govern_load_check(f.tree, &load, err);
    mr_arena_fini(&f.arena);
    return st;
}

MR_TEST(memory_may_run_out)
{
    mr_test_every_nomem(build_and_check, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(known_divisions), MR_TEST_ENTRY(divisions_are_the_best_of_all),
             MR_TEST_ENTRY(sums_never_exceed_budgets_by_a_bit),
             MR_TEST_ENTRY(wide_nodes_of_all_weights),
             MR_TEST_ENTRY(random_trees_keep_every_limit_and_waste_nothing),
             MR_TEST_ENTRY(a_lower_site_budget_is_kept),
             MR_TEST_ENTRY(tiers_are_served_from_the_highest),
             MR_TEST_ENTRY(four_racks_in_the_envelope_of_three), MR_TEST_ENTRY(a_gigawatt_of_racks),
             MR_TEST_ENTRY(caps_hold_after_the_latency),
             MR_TEST_ENTRY(the_clock_waits_for_what_is_under_way),
             MR_TEST_ENTRY(impossible_governors), MR_TEST_ENTRY(impossible_trees),
             MR_TEST_ENTRY(memory_may_run_out))
