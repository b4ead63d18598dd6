/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of power/chain share: a chain described node by node, and what happened in it. */
#ifndef MR_TESTS_POWER_CHAIN_BED_H
#define MR_TESTS_POWER_CHAIN_BED_H

#include "engine/base/mem.h"
#include "power/chain.h"
#include "tests/test.h"

#include <math.h>

enum {
    cap_node = 16000
};

/* A chain being described, and what happened in it. */
struct site {
    struct mr_circuit_node *node;
    struct mr_circuit_edge *edge;
    uint32_t n_node, n_edge;
    struct mr_circuit *tree;
    struct mr_chain *chain;
    struct mr_chain_event event[4096];
    size_t n_event;
};

static inline struct site *new_site(void)
{
    struct site *s = mr_alloc_zero(1, sizeof *s);
    assert_non_null(s);
    s->node = mr_alloc_zero(cap_node, sizeof *s->node);
    s->edge = mr_alloc_zero(2 * cap_node, sizeof *s->edge);
    assert_true(s->node != NULL && s->edge != NULL);
    return s;
}

static inline void free_site(struct site *s)
{
    mr_chain_destroy(s->chain);
    mr_circuit_destroy(s->tree);
    mr_free(s->node);
    mr_free(s->edge);
    mr_free(s);
}

/* Feeds are given right after their node. */
static inline uint32_t put(struct site *s, const char *name, int kind, double rating_w)
{
    assert_true(s->n_node < cap_node);
    s->node[s->n_node] = mr_circuit_node_of(name, kind, rating_w);
    s->node[s->n_node].first_edge = s->n_edge;
    return s->n_node++;
}

static inline void feed(struct site *s, uint32_t parent)
{
    s->edge[s->n_edge++] = (struct mr_circuit_edge){parent, 1, (double)INFINITY};
    s->node[s->n_node - 1].n_edge++;
}

static inline uint32_t put_on(struct site *s, const char *name, int kind, double rating_w,
                              uint32_t parent)
{
    const uint32_t i = put(s, name, kind, rating_w);
    feed(s, parent);
    return i;
}

static inline void take(void *context, const struct mr_chain_event *event)
{
    struct site *s = context;
    assert_true(s->n_event < sizeof s->event / sizeof *s->event);
    s->event[s->n_event++] = *event;
}

static inline void start(struct site *s, int loss_mode)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    if (mr_circuit_create(s->node, s->n_node, s->edge, s->n_edge, mr_circuit_holdup_s, &s->tree,
                          &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    const struct mr_chain_options options = {.loss_mode = loss_mode, .take = take, .context = s};
    assert_int_equal(mr_chain_create(s->tree, &options, &s->chain, &err), MR_OK);
}

static inline struct mr_chain_flow read(const struct site *s, uint32_t node)
{
    struct mr_chain_flow flow;
    mr_chain_read(s->chain, node, mr_chain_now_s(s->chain), &flow);
    return flow;
}

static inline size_t count(const struct site *s, int kind)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_event; i++)
        n += s->event[i].kind == (uint32_t)kind;
    return n;
}

#endif
