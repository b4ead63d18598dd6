/* SPDX-License-Identifier: Apache-2.0 */
/* power/strand: every cause alone, the sum of all, failures against trying them by hand. */
#include "power/strand.h"

#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    cap = 64
};

struct site {
    struct mr_circuit_node node[cap];
    struct mr_circuit_edge edge[2 * cap];
    double cooling_w[cap];
    uint32_t n_node, n_edge;
};

static uint32_t put(struct site *s, int kind, double rating_w, uint32_t a, uint32_t b)
{
    struct mr_circuit_node *node = &s->node[s->n_node];
    *node = mr_circuit_node_of("n", kind, rating_w);
    node->may_oversubscribe = true;
    node->first_edge = s->n_edge;
    s->cooling_w[s->n_node] = (double)INFINITY;
    if (a != MR_CIRCUIT_NONE)
        s->edge[s->n_edge++] = (struct mr_circuit_edge){a, 1, (double)INFINITY};
    if (b != MR_CIRCUIT_NONE)
        s->edge[s->n_edge++] = (struct mr_circuit_edge){b, 1, (double)INFINITY};
    node->n_edge = s->n_edge - node->first_edge;
    return s->n_node++;
}

static uint32_t put_rack(struct site *s, double rating_w, uint32_t a, uint32_t b)
{
    const uint32_t i = put(s, MR_STAGE_NONE, rating_w, a, b);
    s->node[i].is_load = true;
    return i;
}

static struct mr_strand strand(const struct site *s)
{
    struct mr_circuit *tree;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_strand_site out;
    assert_int_equal(mr_circuit_create(s->node, s->n_node, s->edge, s->n_edge, mr_circuit_holdup_s,
                                       &tree, &diags),
                     MR_OK);
    assert_int_equal(mr_strand_of(tree, s->cooling_w, &out, &err), MR_OK);
    const struct mr_strand sum = out.sum;
    mr_assert_near(sum.installed_w + sum.over_w,
                   sum.placed_w + sum.redundancy_w + sum.chain_w + sum.cooling_w +
                       sum.granularity_w + sum.free_w,
                   1e-12, 0);
    mr_strand_fini(&out);
    mr_circuit_destroy(tree);
    return sum;
}

static struct mr_strand rows_of(int n_system, bool is_block, double rack_w)
{
    static const uint32_t pairs[][2] = {{0, 1}, {2, 3}, {0, 2}, {1, 3}, {0, 3}, {1, 2}};
    struct site s = {.n_node = 0};
    put(&s, MR_STAGE_NONE, 1e9, MR_CIRCUIT_NONE, MR_CIRCUIT_NONE);
    for (int i = 0; i < n_system; i++)
        put(&s, MR_STAGE_NONE, 1e6, 0, MR_CIRCUIT_NONE);
    for (uint32_t i = 0; i < 12; i++) {
        const uint32_t *pair = pairs[n_system == 4 ? i % 6 : 0];
        const uint32_t a = 1 + (is_block ? i % 3 : pair[0]), b = 1 + (is_block ? 3 : pair[1]);
        const uint32_t rack = put_rack(&s, rack_w, a, n_system > 1 ? b : MR_CIRCUIT_NONE);
        if (is_block)
            s.node[rack].split = MR_CIRCUIT_TRANSFER;
    }
    return strand(&s);
}

MR_TEST(redundancy_keeps_a_share_free)
{
    /* N: nothing; 2N: half; 4N/3: a quarter; a catcher: itself, one of four */
    struct mr_strand s = rows_of(1, false, 75e3);
    assert_true(s.redundancy_w == 0);
    mr_assert_near(s.free_w, 75e3, 1e-12, 0); /* 1 MW - 12 x 75 kW: one more, and 25 kW */
    mr_assert_near(s.granularity_w, 25e3, 1e-9, 0);
    s = rows_of(2, false, 75e3);
    mr_assert_near(s.redundancy_w, 1e6, 1e-12, 0);
    s = rows_of(4, false, 150e3);
    mr_assert_near(s.redundancy_w, 1e6, 1e-12, 0);
    mr_assert_near(s.placed_w, 12 * 150e3, 1e-12, 0);
    s = rows_of(4, true, 150e3);
    mr_assert_near(s.redundancy_w, 1e6, 1e-12, 0);
    /* and where racks take what should stay free, less is kept: placed 0.75 of each 2N system */
    s = rows_of(2, false, 125e3);
    mr_assert_near(s.redundancy_w, 0.5e6, 1e-12, 0);
    assert_true(s.over_w == 0 && s.free_w == 0);
    s = rows_of(1, false, 100e3);
    mr_assert_near(s.over_w, 0.2e6, 1e-12, 0);
}

/* Storage at a panel puts a bar without a rating between it and its racks: nothing changes by it,
 * nor when the heat that may still be taken is told of the bar. */
MR_TEST(bars_are_looked_through)
{
    for (int has_bar = 0; has_bar < 2; has_bar++) {
        struct site s = {.n_node = 0};
        put(&s, MR_STAGE_NONE, 1e9, MR_CIRCUIT_NONE, MR_CIRCUIT_NONE);
        put(&s, MR_STAGE_SST, 1e6, 0, MR_CIRCUIT_NONE);
        put(&s, MR_STAGE_SST, 1e6, 0, MR_CIRCUIT_NONE);
        uint32_t bar[2] = {1, 2};
        for (uint32_t p = 0; p < 2 && has_bar; p++) {
            const uint32_t inner =
                put(&s, MR_STAGE_NONE, (double)INFINITY, bar[p], MR_CIRCUIT_NONE);
            bar[p] = put(&s, MR_STAGE_NONE, (double)INFINITY, inner, MR_CIRCUIT_NONE);
        }
        put_rack(&s, 300e3, bar[0], bar[1]);
        put_rack(&s, 200e3, bar[0], MR_CIRCUIT_NONE);
        s.cooling_w[bar[0]] = 180e3;
        const struct mr_strand sum = strand(&s);
        mr_assert_near(sum.installed_w, 2e6, 1e-12, 0);
        mr_assert_near(sum.placed_w, 500e3, 1e-12, 0);
        /* 1: 350 kW grow to 500 when 2 fails: 700 may be used; 2: 150 to 300: 500 */
        mr_assert_near(sum.redundancy_w, 800e3, 1e-12, 0);
        mr_assert_near(sum.cooling_w, (350 - 180) * 1e3, 1e-9, 0);
        /* smallest parts 150 kW: one of 180, two of 350 */
        mr_assert_near(sum.granularity_w, (30 + 50) * 1e3, 1e-9, 0);
        mr_assert_near(sum.free_w, (150 + 300) * 1e3, 1e-9, 0);
    }
}

MR_TEST(spare_units_are_redundancy)
{
    struct site s = {.n_node = 0};
    put(&s, MR_STAGE_NONE, 1e9, MR_CIRCUIT_NONE, MR_CIRCUIT_NONE);
    put(&s, MR_STAGE_NONE, 250e3, 0, MR_CIRCUIT_NONE);
    s.node[1].units.n_installed = 5;
    s.node[1].units.n_spare = 1;
    put_rack(&s, 400e3, 1, MR_CIRCUIT_NONE);
    const struct mr_strand sum = strand(&s);
    mr_assert_near(sum.installed_w, 1.25e6, 1e-12, 0);
    mr_assert_near(sum.redundancy_w, 0.25e6, 1e-12, 0);
    mr_assert_near(sum.free_w, 400e3, 1e-12, 0);
    mr_assert_near(sum.granularity_w, 200e3, 1e-9, 0);
}

/* A published example: utility 750 kW, switchboard 1.6 MW, four panels of 450 kW. */
MR_TEST(chain_above_the_panels)
{
    struct site s = {.n_node = 0};
    put(&s, MR_STAGE_NONE, 750e3, MR_CIRCUIT_NONE, MR_CIRCUIT_NONE);
    put(&s, MR_STAGE_NONE, 1.6e6, 0, MR_CIRCUIT_NONE);
    for (uint32_t p = 0; p < 4; p++)
        put(&s, MR_STAGE_NONE, 450e3, 1, MR_CIRCUIT_NONE);
    for (uint32_t i = 0; i < 8; i++)
        put_rack(&s, 60e3, 2 + i / 2, MR_CIRCUIT_NONE);
    struct mr_strand sum = strand(&s);
    mr_assert_near(sum.placed_w, 480e3, 1e-12, 0);
    mr_assert_near(sum.chain_w, 1.8e6 - 750e3, 1e-9, 0);
    mr_assert_near(sum.free_w + sum.granularity_w, 270e3, 1e-9, 0);
    mr_assert_near(sum.free_w, 240e3, 1e-12, 0); /* all from the first panel: 4 racks and a half */
    s.cooling_w[2] = 100e3;
    sum = strand(&s);
    mr_assert_near(sum.cooling_w, 170e3, 1e-9, 0);
    mr_assert_near(sum.free_w, 60e3, 1e-12, 0);
    /* with losses on the way the utility gives less to the panels */
    s.node[1] = mr_circuit_node_of("board", MR_STAGE_UNIT, 1.6e6);
    s.node[1].n_edge = 1;
    s.node[1].may_oversubscribe = true;
    s.cooling_w[2] = (double)INFINITY;
    const struct mr_stage board = mr_stage_of(MR_STAGE_UNIT, 1.6e6);
    sum = strand(&s);
    mr_assert_near(sum.placed_w + sum.free_w + sum.granularity_w,
                   mr_stage_output_w(&board, 1, 750e3), 1e-6, 0);
}

MR_TEST(random_sites_add_up)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 9);
    for (int round = 0; round < 300; round++) {
        struct site s = {.n_node = 0};
        put(&s, MR_STAGE_SUB_63, mr_rng_range(&rng, 1e6, 2e7), MR_CIRCUIT_NONE, MR_CIRCUIT_NONE);
        const uint32_t n_system = 1 + (uint32_t)mr_rng_below(&rng, 4);
        for (uint32_t i = 0; i < n_system; i++)
            put(&s, MR_STAGE_UPS, mr_rng_range(&rng, 1e6, 5e6), 0, MR_CIRCUIT_NONE);
        const uint32_t n_panel = 1 + (uint32_t)mr_rng_below(&rng, 10);
        for (uint32_t i = 0; i < n_panel; i++)
            put(&s, MR_STAGE_BUSWAY, mr_rng_range(&rng, 1e5, 1e6),
                1 + (uint32_t)mr_rng_below(&rng, n_system), MR_CIRCUIT_NONE);
        for (uint32_t i = 0; i < n_panel; i++)
            s.cooling_w[1 + n_system + i] = mr_rng_range(&rng, -1e5, 5e5);
        while (s.n_node < 40) {
            const uint32_t a = 1 + n_system + (uint32_t)mr_rng_below(&rng, n_panel);
            const uint32_t b = 1 + n_system + (uint32_t)mr_rng_below(&rng, n_panel);
            const uint32_t rack = put_rack(&s, mr_rng_range(&rng, 2e4, 2e5), a,
                                           a != b && mr_rng_f64(&rng) < 0.5 ? b : MR_CIRCUIT_NONE);
            s.node[rack].split = mr_rng_f64(&rng) < 0.5 ? MR_CIRCUIT_TRANSFER : MR_CIRCUIT_SHARE;
        }
        const struct mr_strand sum = strand(&s); /* checks the sum */
        assert_true(sum.chain_w >= -1e-6 && sum.cooling_w >= 0 && sum.granularity_w >= -1e-6);
        assert_true(sum.redundancy_w >= 0 && sum.free_w >= 0);
    }
}

struct memory {
    struct mr_circuit *tree;
};

static mr_status strand_once(void *context, struct mr_err *err)
{
    struct mr_strand_site out;
    const mr_status st = mr_strand_of(((struct memory *)context)->tree, NULL, &out, err);
    mr_strand_fini(&out);
    return st;
}

MR_TEST(worst_failures_and_no_memory)
{
    struct site s = {.n_node = 0};
    struct memory m;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_strand_site out;
    put(&s, MR_STAGE_NONE, 1e7, MR_CIRCUIT_NONE, MR_CIRCUIT_NONE);
    put(&s, MR_STAGE_NONE, 1e6, 0, MR_CIRCUIT_NONE);
    put(&s, MR_STAGE_NONE, 1e6, 0, MR_CIRCUIT_NONE);
    put_rack(&s, 1e5, 1, 2);
    put_rack(&s, 1e5, 1, MR_CIRCUIT_NONE);
    assert_int_equal(mr_circuit_create(s.node, s.n_node, s.edge, s.n_edge, 0, &m.tree, &diags),
                     MR_OK);
    assert_int_equal(mr_strand_of(m.tree, NULL, &out, &err), MR_OK);
    assert_true(out.worst[1].normal_w == 150e3 && out.worst[1].failed_w == 200e3);
    assert_int_equal(out.worst[1].failure, 2);
    assert_true(out.worst[2].failed_w == 100e3);
    assert_int_equal(out.worst[2].failure, 1);
    assert_int_equal(out.worst[0].failure, MR_CIRCUIT_NONE);
    assert_int_equal(out.n_panel, 2);
    mr_assert_near(out.unused_source_w,
                   1e7 - out.sum.placed_w - out.sum.free_w - out.sum.granularity_w, 1e-9, 0);
    mr_strand_fini(&out);
    mr_test_every_nomem(strand_once, &m);
    mr_circuit_destroy(m.tree);
}

MR_TEST_MAIN(MR_TEST_ENTRY(redundancy_keeps_a_share_free), MR_TEST_ENTRY(bars_are_looked_through),
             MR_TEST_ENTRY(spare_units_are_redundancy), MR_TEST_ENTRY(chain_above_the_panels),
             MR_TEST_ENTRY(random_sites_add_up), MR_TEST_ENTRY(worst_failures_and_no_memory))
