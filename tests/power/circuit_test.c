/* SPDX-License-Identifier: Apache-2.0 */
/* power/circuit: chains that may be built and chains that may not, currents, order, memory. */
#include "power/circuit.h"

#include "engine/base/rng.h"
#include "tests/test.h"

/* grid - substation - two panels - a rack on both */
struct plain {
    struct mr_circuit_node node[5];
    struct mr_circuit_edge edge[5];
};

static struct plain plain(void)
{
    struct plain p = {.node = {mr_circuit_node_of("grid", MR_STAGE_NONE, 10e6),
                               mr_circuit_node_of("sub0", MR_STAGE_SUB_63, 10e6),
                               mr_circuit_node_of("pA", MR_STAGE_BUSWAY, 500e3),
                               mr_circuit_node_of("pB", MR_STAGE_BUSWAY, 500e3),
                               mr_circuit_node_of("rack", MR_STAGE_NONE, 600e3)},
                      .edge = {{0, 1, (double)INFINITY},
                               {1, 1, (double)INFINITY},
                               {1, 1, (double)INFINITY},
                               {2, 1, (double)INFINITY},
                               {3, 1, (double)INFINITY}}};
    static const uint32_t first[] = {0, 0, 1, 2, 3}, n[] = {0, 1, 1, 1, 2};
    for (int i = 0; i < 5; i++) {
        p.node[i].first_edge = first[i];
        p.node[i].n_edge = n[i];
    }
    return p;
}

static void refused(const struct plain *p, const char *text)
{
    struct mr_circuit *tree;
    struct mr_diags diags = {0};
    assert_int_not_equal(mr_circuit_create(p->node, 5, p->edge, 5, 0.02, &tree, &diags), MR_OK);
    assert_null(tree);
    mr_assert_contains(diags.item[0].err.text, text);
}

#define REFUSED(change, text)     \
    do {                          \
        struct plain p = plain(); \
        change;                   \
        refused(&p, text);        \
    } while (0)

MR_TEST(plain_chain_is_built)
{
    const struct plain p = plain();
    struct mr_circuit *tree;
    struct mr_diags diags = {0};
    assert_int_equal(mr_circuit_create(p.node, 5, p.edge, 5, 0.02, &tree, &diags), MR_OK);
    assert_int_equal(tree->first_down[2] - tree->first_down[1], 2);
    assert_int_equal(tree->edge_child[tree->down[tree->first_down[2]]], 4);
    assert_true(mr_circuit_is_leaf(tree, 4) && !mr_circuit_is_leaf(tree, 3));
    assert_string_equal(tree->node[1].name, "sub0");
    mr_circuit_destroy(tree);
    mr_circuit_destroy(NULL);
}

MR_TEST(chains_that_cannot_be)
{
    REFUSED(p.edge[0].parent = 4, "\"sub0\": feeds itself in a circle");
    REFUSED(p.edge[1].parent = 9, "busway \"pA\": feed 0 is node 9 of 5");
    REFUSED(p.edge[4].share = 0, "share and rating of a feed must be above 0");
    REFUSED(p.node[4].units.unit.rating_w = 1.1e6,
            "busway \"pA\" 500 kW cannot carry \"rack\" 550 kW: granularity");
    REFUSED(p.node[1].units.unit.rating_w = 900e3,
            "substation_63 \"sub0\": carries 900 kW, what hangs on it is rated 1 MW");
    REFUSED(p.node[1].voltage_v = 20e3;
            p.node[2].voltage_v = 415,
            "busway \"pA\": takes 415 V AC from substation_63 \"sub0\" of 20000 V AC (put a conv");
    REFUSED(p.node[1].voltage_v = 800; p.node[3].voltage_v = 800;
            p.node[3].is_dc = true,
            "busway \"pB\": takes 800 V DC from substation_63 \"sub0\" of 800 V AC");
    REFUSED(p.node[1].voltage_v = 415; p.node[1].n_phase = 1;
            p.node[2].voltage_v = 415, "busway \"pA\": takes 415 V AC");
    REFUSED(p.node[2].n_phase = 2, "busway \"pA\": 2 phases (1 or 3, or direct current)");
    REFUSED(p.node[2].power_factor = 1.2, "power factor must be above 0");
    REFUSED(p.node[2].voltage_v = -1, "voltage must be 0 or more");
    REFUSED(p.node[2].units.n_installed = 0, "pA: no unit is installed");
    REFUSED(p.node[2].breaker = mr_breaker_of(MR_BREAKER_SI, 0), "breaker of pA");
    REFUSED(p.node[2].breaker = mr_breaker_of(MR_BREAKER_SI, 9), "its current is not known");
    REFUSED(p.node[2].transfer_s = -1, "transfer time must be 0 or more");
    struct plain p = plain(); /* allowed when one says so */
    p.node[1].units.unit.rating_w = 900e3;
    p.node[1].may_oversubscribe = true;
    struct mr_circuit *tree;
    struct mr_diags diags = {0};
    assert_int_equal(mr_circuit_create(p.node, 5, p.edge, 5, 0.02, &tree, &diags), MR_OK);
    mr_circuit_destroy(tree);
}

/* Two grids meet at one bar. */
MR_TEST(two_sources_need_a_transfer_switch)
{
    struct mr_circuit_node node[] = {mr_circuit_node_of("grid", MR_STAGE_NONE, 10e6),
                                     mr_circuit_node_of("engine", MR_STAGE_NONE, 10e6),
                                     mr_circuit_node_of("board", MR_STAGE_NONE, 5e6),
                                     mr_circuit_node_of("rack", MR_STAGE_NONE, 1e5)};
    const struct mr_circuit_edge edge[] = {
        {0, 1, (double)INFINITY}, {1, 1, (double)INFINITY}, {2, 1, (double)INFINITY}};
    struct mr_circuit *tree;
    struct mr_diags diags = {0};
    node[2].n_edge = 2;
    node[3].first_edge = 2;
    node[3].n_edge = 1;
    assert_int_equal(mr_circuit_create(node, 4, edge, 3, 0, &tree, &diags), MR_RANGE);
    mr_assert_contains(diags.item[0].err.text,
                       "\"board\": joins the sources \"grid\" and \"engine\" without a transfer");
    node[2].split = MR_CIRCUIT_TRANSFER;
    diags = (struct mr_diags){0};
    assert_int_equal(mr_circuit_create(node, 4, edge, 3, 0, &tree, &diags), MR_OK);
    mr_circuit_destroy(tree);
    node[2].split = MR_CIRCUIT_SHARE; /* rectifiers in parallel may */
    node[2].kind = MR_STAGE_SST;
    assert_int_equal(mr_circuit_create(node, 4, edge, 3, 0, &tree, &diags), MR_OK);
    mr_circuit_destroy(tree);
}

MR_TEST(currents_of_a_watt)
{
    struct mr_circuit_node node = mr_circuit_node_of("x", MR_STAGE_NONE, 1);
    assert_true(mr_circuit_amp_per_w(&node) == 0);
    node.voltage_v = 415;
    mr_assert_near(100e3 * mr_circuit_amp_per_w(&node), 100e3 / (sqrt(3) * 415 * 0.99), 1e-15, 0);
    node.n_phase = 1;
    mr_assert_near(100e3 * mr_circuit_amp_per_w(&node), 100e3 / (415 * 0.99), 1e-15, 0);
    node.is_dc = true;
    node.voltage_v = 800;
    mr_assert_near(100e3 * mr_circuit_amp_per_w(&node), 125, 1e-15, 0);
}

/* Parents of random graphs whose nodes are in no order at all. */
MR_TEST(order_has_parents_first)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 5);
    enum {
        n = 60
    };
    for (int round = 0; round < 200; round++) {
        struct mr_circuit_node node[n];
        struct mr_circuit_edge edge[3 * n];
        uint32_t at[n], n_edge = 0; /* at: place in a hidden order */
        for (uint32_t i = 0; i < n; i++)
            at[i] = i;
        for (uint32_t i = n - 1; i > 0; i--) {
            const uint32_t j = (uint32_t)mr_rng_below(&rng, i + 1), k = at[i];
            at[i] = at[j];
            at[j] = k;
        }
        for (uint32_t i = 0; i < n; i++) {
            node[i] = mr_circuit_node_of("n", MR_STAGE_NONE, (double)INFINITY);
            node[i].split = MR_CIRCUIT_TRANSFER;
            node[i].first_edge = n_edge;
            for (uint32_t j = 0; j < n && node[i].n_edge < 3; j++)
                if (at[j] < at[i] && mr_rng_f64(&rng) < 0.1) {
                    edge[n_edge++] = (struct mr_circuit_edge){j, 1, (double)INFINITY};
                    node[i].n_edge++;
                }
        }
        struct mr_circuit *tree;
        struct mr_diags diags = {0};
        assert_int_equal(mr_circuit_create(node, n, edge, n_edge, 0, &tree, &diags), MR_OK);
        for (uint32_t e = 0; e < n_edge; e++)
            assert_true(tree->rank[tree->edge[e].parent] < tree->rank[tree->edge_child[e]]);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(tree->order[tree->rank[i]], i);
            for (uint32_t d = tree->first_down[i]; d < tree->first_down[i + 1]; d++)
                assert_int_equal(tree->edge[tree->down[d]].parent, i);
        }
        assert_int_equal(tree->first_down[n], n_edge);
        mr_circuit_destroy(tree);
    }
}

static mr_status build_once(void *context, struct mr_err *err)
{
    const struct plain *p = context;
    struct mr_circuit *tree;
    struct mr_diags diags = {0};
    const mr_status st = mr_circuit_create(p->node, 5, p->edge, 5, 0.02, &tree, &diags);
    if (diags.n_error > 0)
        *err = diags.item[0].err;
    mr_circuit_destroy(tree);
    return st;
}

MR_TEST(no_memory)
{
    struct plain p = plain();
    mr_test_every_nomem(build_once, &p);
}

MR_TEST_MAIN(MR_TEST_ENTRY(plain_chain_is_built), MR_TEST_ENTRY(chains_that_cannot_be),
             MR_TEST_ENTRY(two_sources_need_a_transfer_switch), MR_TEST_ENTRY(currents_of_a_watt),
             MR_TEST_ENTRY(order_has_parents_first), MR_TEST_ENTRY(no_memory))
