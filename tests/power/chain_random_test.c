/* SPDX-License-Identifier: Apache-2.0 */
/* power/chain: random chains under random changes, against a recursive reckoning, and
 * in another order. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "power/chain.h"
#include "tests/power/chain_bed.h"

struct random {
    struct site *s;
    bool *failed, *on;
    double *demand_w, *inject_w;
    double *in_w; /* reckoned; NAN: not yet */
    int *live;    /* reckoned; -1: not yet */
};

static bool reckon_live(struct random *r, uint32_t i)
{
    const struct mr_circuit_node *node = &r->s->node[i];
    if (r->live[i] >= 0)
        return r->live[i] != 0;
    bool is_live = node->n_edge == 0 && r->on[i];
    for (uint32_t e = 0; e < node->n_edge; e++)
        is_live |= reckon_live(r, r->s->edge[node->first_edge + e].parent);
    r->live[i] = is_live && !r->failed[i];
    return r->live[i] != 0;
}

static double reckon_share(struct random *r, uint32_t child, uint32_t edge)
{
    const struct mr_circuit_node *node = &r->s->node[child];
    double sum = 0;
    uint32_t first = MR_CIRCUIT_NONE;
    if (!reckon_live(r, child) || !reckon_live(r, r->s->edge[edge].parent))
        return 0;
    for (uint32_t e = node->first_edge; e < node->first_edge + node->n_edge; e++)
        if (reckon_live(r, r->s->edge[e].parent)) {
            sum += r->s->edge[e].share;
            first = first == MR_CIRCUIT_NONE ? e : first;
        }
    return node->split == MR_CIRCUIT_TRANSFER ? edge == first : r->s->edge[edge].share / sum;
}

static double reckon_w(struct random *r, uint32_t i)
{
    double out_w = r->demand_w[i] - r->inject_w[i];
    if (!reckon_live(r, i))
        return 0;
    if (!isnan(r->in_w[i]))
        return r->in_w[i];
    for (uint32_t c = 0; c < r->s->n_node; c++)
        for (uint32_t e = 0; e < r->s->node[c].n_edge; e++) {
            const uint32_t edge = r->s->node[c].first_edge + e;
            if (r->s->edge[edge].parent == i)
                out_w += reckon_share(r, c, edge) * reckon_w(r, c);
        }
    const struct mr_units *units = &r->s->node[i].units;
    return r->in_w[i] = out_w + mr_stage_loss_w(&units->unit, units->n_installed, out_w);
}

static void reckon(struct random *r)
{
    for (uint32_t i = 0; i < r->s->n_node; i++) {
        r->live[i] = -1;
        r->in_w[i] = (double)NAN;
    }
    for (uint32_t i = 0; i < r->s->n_node; i++)
        r->in_w[i] = reckon_w(r, i);
}

static void grow(struct random *r, struct mr_rng *rng)
{
    struct site *s = r->s;
    const uint32_t n = 5 + (uint32_t)mr_rng_below(rng, 60);
    for (uint32_t i = 0; i < n; i++) {
        const int kind = i < 2 ? MR_STAGE_NONE : (int)mr_rng_below(rng, MR_N_STAGE);
        put(s, "n", kind, 1e6);
        s->node[i].units.n_installed = 1 + (uint32_t)mr_rng_below(rng, 3);
        s->node[i].may_oversubscribe = true;
        const uint32_t n_feed = i < 2 ? 0 : 1 + (uint32_t)mr_rng_below(rng, 3);
        for (uint32_t e = 0; e < n_feed; e++) {
            feed(s, (uint32_t)mr_rng_below(rng, i));
            s->edge[s->n_edge - 1].share = mr_rng_range(rng, 0.5, 2);
        }
        /* several feeds of a bar need a switch; rectifiers do without */
        if (mr_rng_f64(rng) < 0.5 || i < 2)
            s->node[i].split = MR_CIRCUIT_TRANSFER;
        else
            s->node[i].is_dc = true;
    }
}

static void change(struct random *r, struct mr_rng *rng)
{
    const uint32_t i = (uint32_t)mr_rng_below(rng, r->s->n_node);
    const double dice = mr_rng_f64(rng);
    if (dice < 0.1 && i < 2) {
        r->on[i] = !r->on[i];
        mr_chain_set_source(r->s->chain, i, r->on[i]);
    } else if (dice < 0.2) {
        r->failed[i] = !r->failed[i];
        mr_chain_set_failed(r->s->chain, i, r->failed[i]);
    } else if (dice < 0.3) {
        r->inject_w[i] = mr_rng_range(rng, 0, 3e5);
        mr_chain_set_inject(r->s->chain, i, r->inject_w[i]);
    } else {
        r->demand_w[i] = mr_rng_range(rng, 0, 2e5);
        mr_chain_set_demand(r->s->chain, i, r->demand_w[i]);
    }
}

/* What the grid would give if it were there and one node drew more, and that nothing has moved. */
static void ask(struct random *r, struct mr_rng *rng)
{
    const uint32_t more = (uint32_t)mr_rng_below(rng, r->s->n_node);
    const double more_w = mr_rng_range(rng, -1e5, 2e5), now_w = mr_chain_in_w(r->s->chain, 0);
    const bool was_on = r->on[0];
    mr_chain_ask_begin(r->s->chain);
    if (was_on && !r->failed[0])
        mr_assert_near(mr_chain_ask_w(r->s->chain), now_w, 1e-12, 1e-6);
    mr_chain_ask_more(r->s->chain, more, more_w);
    r->on[0] = true;
    r->demand_w[more] += more_w;
    reckon(r);
    mr_assert_near(mr_chain_ask_w(r->s->chain), r->in_w[0], 1e-12, 1e-6);
    r->demand_w[more] -= more_w;
    r->on[0] = was_on;
    assert_true(mr_chain_in_w(r->s->chain, 0) == now_w && r->s->n_event == 0);
}

MR_TEST(random_chains_against_recursion)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 6);
    for (int round = 0; round < 150; round++) {
        struct random r = {.s = new_site()};
        grow(&r, &rng);
        const uint32_t n = r.s->n_node;
        bool failed[80] = {0}, on[80];
        double demand_w[80] = {0}, inject_w[80] = {0}, in_w[80], in_j[80] = {0};
        int live[80];
        r.failed = failed, r.on = on, r.demand_w = demand_w, r.inject_w = inject_w;
        r.in_w = in_w, r.live = live;
        for (uint32_t i = 0; i < n; i++)
            on[i] = true;
        start(r.s, MR_CHAIN_EVENT);
        double t_s = 0;
        for (int step = 0; step < 60; step++) {
            for (uint64_t k = mr_rng_below(&rng, 4); k-- > 0;)
                change(&r, &rng);
            mr_chain_settle(r.s->chain);
            r.s->n_event = 0;
            reckon(&r);
            const double dt_s = mr_rng_exponential(&rng, 10);
            for (uint32_t i = 0; i < n; i++) {
                assert_int_equal(mr_chain_is_live(r.s->chain, i), live[i]);
                mr_assert_near(mr_chain_in_w(r.s->chain, i), in_w[i], 1e-12, 1e-6);
                in_j[i] += in_w[i] * dt_s;
            }
            ask(&r, &rng);
            t_s += dt_s;
            mr_chain_advance(r.s->chain, t_s);
        }
        struct mr_chain_total total;
        mr_chain_total(r.s->chain, t_s, &total);
        for (uint32_t i = 0; i < n; i++) {
            const struct mr_chain_flow flow = read(r.s, i);
            mr_assert_near(flow.in_j, in_j[i], 1e-11, 1e-3);
            mr_assert_near(flow.in_j, flow.out_j + flow.loss_j, 1e-12, 1e-3);
        }
        mr_assert_near(total.source_j + total.own_j + total.inject_j, total.served_j + total.loss_j,
                       1e-12, 0);
        free_site(r.s);
    }
}

/* The order of changes at one time, and how often the time is looked at, change no bit. */
MR_TEST(same_bits_whatever_the_order)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 8);
    struct random r[2] = {{.s = new_site()}, {.s = new_site()}};
    struct mr_rng shape = rng;
    for (int k = 0; k < 2; k++) {
        struct mr_rng copy = shape;
        grow(&r[k], &copy);
        start(r[k].s, MR_CHAIN_EVENT);
    }
    const uint32_t n = r[0].s->n_node;
    for (int step = 0; step < 100; step++) {
        double w[80];
        for (uint32_t i = 0; i < n; i++)
            w[i] = mr_rng_range(&rng, 0, 1e5);
        mr_chain_set_demands(r[0].s->chain, 0, n, w);
        for (uint32_t i = n; i-- > 0;)
            mr_chain_set_demand(r[1].s->chain, i, w[i]);
        mr_chain_advance(r[0].s->chain, step + 1);
        mr_chain_settle(r[1].s->chain);
        for (int k = 0; k < 3; k++)
            (void)read(r[1].s, (uint32_t)mr_rng_below(&rng, n));
        mr_chain_advance(r[1].s->chain, step + 1);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct mr_chain_flow a = read(r[0].s, i), b = read(r[1].s, i);
        assert_memory_equal(&a.in_j, &b.in_j, sizeof a.in_j);
        assert_memory_equal(&a.loss_j, &b.loss_j, sizeof a.loss_j);
    }
    free_site(r[0].s);
    free_site(r[1].s);
}

MR_TEST_MAIN(MR_TEST_ENTRY(random_chains_against_recursion),
             MR_TEST_ENTRY(same_bits_whatever_the_order))
