/* SPDX-License-Identifier: Apache-2.0 */
/* Odds of asking for too much. What one rack adds is led up the tree from feed to feed; every node
 * sums mean, variance and spread of what arrives. */
#include "engine/cli/power_odds.h"

#include "power/chain.h"
#include "power/govern_odds.h"

#include <math.h>

struct moment {
    double mean_w, sigma_w, peak_w;
};

/* What arrives at a node. */
struct sum {
    double mean_w, variance, sigma_w, peak_w;
    uint64_t n_rack;
};

struct work {
    const struct mr_power_odds_asked *asked;
    const struct mr_circuit *tree;
    struct moment *rack;
    struct sum *sum;
    double *up;      /* of every edge: watts of the feed for one that its child delivers */
    double *part;    /* scratch: of one rack's watt, what a node delivers; 0: none */
    uint32_t *queue; /* nodes with a part, not yet led up */
};

/* ---- racks over time ---- */

static void of_card(const struct work *w, const struct mr_site *site)
{
    const double p = fmin(w->asked->busy_frac, 1), rest = w->asked->rest_frac;
    for (uint32_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        const double rated_w = rack->rated_w > 0 ? rack->rated_w : rack->limit_w;
        const double high_w = rack->limit_w > 0 ? fmin(rated_w, rack->limit_w) : rated_w;
        w->rack[i] = (struct moment){(rest + p * (1 - rest)) * high_w,
                                     sqrt(p * (1 - p)) * (1 - rest) * high_w, high_w};
    }
}

/* Two passes, so that a steady rack has no spread. @return mean correlation */
static double of_trace(const struct work *w, const struct mr_site *site, double *rack_w)
{
    const struct mr_thermal_load *load = w->asked->load;
    const double until_s = w->asked->until_s;
    double mean_w = 0, variance = 0, own = 0, sigma_w = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t k = 0; k < load->n_row && load->time_s[k] < until_s; k++) {
            const double from_s = k > 0 ? load->time_s[k] : 0;
            const double to_s = k + 1 < load->n_row ? fmin(load->time_s[k + 1], until_s) : until_s;
            const double share = (to_s - from_s) / until_s;
            double off_w = 0;
            mr_thermal_load_racks(load, k, site, rack_w);
            for (uint32_t i = 0; i < site->n_rack; i++) {
                struct moment *m = &w->rack[i];
                const double delta_w = rack_w[i] - m->mean_w;
                off_w += delta_w;
                if (pass == 0) {
                    m->peak_w = fmax(m->peak_w, rack_w[i]);
                    m->sigma_w += share * rack_w[i]; /* the mean, for now */
                } else {
                    m->sigma_w += share * delta_w * delta_w;
                }
            }
            variance += pass == 1 ? share * off_w * off_w : 0;
        }
        for (uint32_t i = 0; i < site->n_rack; i++) {
            struct moment *m = &w->rack[i];
            if (pass == 0) {
                m->mean_w = fmin(m->sigma_w, m->peak_w);
                m->sigma_w = 0;
            } else {
                own += m->sigma_w;
                m->sigma_w = sqrt(m->sigma_w);
                sigma_w += m->sigma_w;
            }
            mean_w += m->mean_w;
        }
    }
    const double most = sigma_w * sigma_w - own;
    return most > 1e-12 * mean_w * mean_w ? fmin(fmax((variance - own) / most, 0), 1) : 0;
}

/* ---- up the tree ---- */

static mr_status find_shares(const struct work *w, const struct mr_site *site, struct mr_err *err)
{
    const struct mr_chain_options options = {.has_no_trips = true};
    const struct mr_wire *wire = w->asked->wire;
    const struct mr_circuit *tree = w->tree;
    struct mr_chain *chain;
    MR_TRY(mr_chain_create(tree, &options, &chain, err));
    for (uint32_t i = 0; i < site->n_rack; i++)
        mr_chain_set_demand(chain, wire->of_rack[i], w->rack[i].mean_w);
    mr_chain_settle(chain);
    while (mr_chain_next_s(chain) < (double)INFINITY)
        mr_chain_advance(chain, mr_chain_next_s(chain));
    for (uint32_t i = 0; i < tree->n_node; i++) {
        struct mr_chain_flow flow;
        mr_chain_read(chain, i, mr_chain_now_s(chain), &flow);
        const double out_w = flow.out_w;
        for (uint32_t e = 0; e < tree->node[i].n_edge; e++)
            w->up[tree->node[i].first_edge + e] =
                out_w > 0 ? mr_chain_edge_w(chain, i, e) / out_w : 1.0 / tree->node[i].n_edge;
    }
    mr_chain_destroy(chain);
    return MR_OK;
}

static void arrive(const struct work *w, uint32_t *n, uint32_t node, double part)
{
    if (!(part > 0))
        return;
    if (w->part[node] == 0)
        w->queue[(*n)++] = node;
    w->part[node] += part;
}

/* Children before parents, so that what comes over both feeds is one part. */
static void lead_up(const struct work *w, const struct mr_site *site, uint32_t rack)
{
    const struct mr_wire *wire = w->asked->wire;
    const struct moment *m = &w->rack[rack];
    const uint32_t hall = site->rack[rack].hall;
    uint32_t n = 0;
    arrive(w, &n, wire->of_rack[rack], 1);
    if (hall != MR_SITE_NONE && w->asked->house_frac > 0)
        arrive(w, &n, wire->of_hall[hall], w->asked->house_frac);
    while (n > 0) {
        uint32_t lowest = 0;
        for (uint32_t k = 1; k < n; k++)
            if (w->tree->rank[w->queue[k]] > w->tree->rank[w->queue[lowest]])
                lowest = k;
        const uint32_t i = w->queue[lowest];
        const struct mr_circuit_node *node = &w->tree->node[i];
        const double part = w->part[i], sigma_w = part * m->sigma_w;
        struct sum *sum = &w->sum[i];
        w->queue[lowest] = w->queue[--n];
        w->part[i] = 0;
        sum->mean_w += part * m->mean_w;
        sum->peak_w += part * m->peak_w;
        sum->variance += sigma_w * sigma_w;
        sum->sigma_w += sigma_w;
        sum->n_rack++;
        for (uint32_t e = 0; e < node->n_edge; e++)
            arrive(w, &n, w->tree->edge[node->first_edge + e].parent,
                   part * w->up[node->first_edge + e]);
    }
}

/* ---- a node ---- */

/* The two-state rack of mean m, deviation s and highest h: low = m - s^2 / (h - m). */
static struct mr_govern_group like_one(const struct sum *sum)
{
    const double n = (double)sum->n_rack, mean_w = sum->mean_w / n, high_w = sum->peak_w / n;
    const double sigma_w = sum->sigma_w / n, above_w = high_w - mean_w;
    struct mr_govern_group one = {.low_w = mean_w, .high_w = mean_w, .busy_frac = 1};
    if (above_w > 1e-9 * high_w && sigma_w > 0) {
        one.high_w = high_w;
        one.low_w = fmax(mean_w - sigma_w * sigma_w / above_w, 0);
        one.busy_frac = (mean_w - one.low_w) / (high_w - one.low_w);
    }
    return one;
}

/* Independent racks that are alike are counted, whatever their number; of all others the sum is
 * taken as normal. Equal deviations: their squares add up to the square of their sum over n. */
static double odds_at(const struct mr_govern_group *one, const struct sum *sum, double correlation,
                      const struct mr_govern_spread *spread, double limit_w)
{
    const double n = (double)sum->n_rack, rounding = 1e-9;
    const double spread2 = sum->sigma_w * sum->sigma_w;
    struct mr_govern_group all = *one;
    all.n = sum->n_rack;
    return correlation == 0 && fabs(n * sum->variance - spread2) <= rounding * spread2
               ? mr_govern_odds_exact(&all, limit_w * (1 + rounding))
               : mr_govern_odds(spread, limit_w);
}

static struct mr_power_odds_node odds_of(const char *name, double limit_w, const struct sum *sum,
                                         double correlation, double at)
{
    const struct mr_govern_group one = like_one(sum);
    const double variance =
        (1 - correlation) * sum->variance + correlation * sum->sigma_w * sum->sigma_w;
    const struct mr_govern_spread spread = {sum->mean_w, sqrt(variance), sum->peak_w};
    return (struct mr_power_odds_node){.name = name,
                                       .limit_w = limit_w,
                                       .mean_w = sum->mean_w,
                                       .deviation_w = spread.deviation_w,
                                       .peak_w = sum->peak_w,
                                       .odds = odds_at(&one, sum, correlation, &spread, limit_w),
                                       .n_rack = sum->n_rack,
                                       .n_fit = mr_govern_odds_fit(&one, correlation, limit_w, at)};
}

/* The first node is the connection: what is asked of it is bound by its contract, too. */
static double limit_of(const struct work *w, size_t i)
{
    const double rated_w = mr_circuit_rating_w(&w->tree->node[i]);
    return i == 0 ? fmin(rated_w, w->asked->grid_limit_w) : rated_w;
}

static bool is_worse(const struct mr_power_odds_node *a, const struct mr_power_odds_node *b)
{
    return a->odds > b->odds ||
           (a->odds == b->odds && a->peak_w * b->limit_w > b->peak_w * a->limit_w);
}

mr_status mr_power_odds_of(const struct mr_power_odds_asked *asked, struct mr_power_odds *odds,
                           struct mr_err *err)
{
    const struct mr_site *site = asked->wire->site;
    struct work w = {.asked = asked, .tree = asked->wire->tree};
    *odds = (struct mr_power_odds){.at = asked->at};
    struct mr_arena *arena = &odds->arena;
    const size_t n = w.tree->n_node;
    double *const rack_w = mr_arena_zero(arena, site->n_rack, sizeof *rack_w, err);
    w.rack = mr_arena_zero(arena, site->n_rack, sizeof *w.rack, err);
    w.sum = mr_arena_zero(arena, n, sizeof *w.sum, err);
    w.up = mr_arena_zero(arena, w.tree->n_edge, sizeof *w.up, err);
    w.part = mr_arena_zero(arena, n, sizeof *w.part, err);
    w.queue = mr_arena_zero(arena, n, sizeof *w.queue, err);
    odds->node = mr_arena_zero(arena, n, sizeof *odds->node, err);
    if (rack_w == NULL || w.rack == NULL || w.sum == NULL || w.up == NULL || w.part == NULL ||
        w.queue == NULL || odds->node == NULL)
        return MR_NOMEM;
    if (asked->load != NULL)
        odds->correlation = of_trace(&w, site, rack_w);
    else
        of_card(&w, site);
    MR_TRY(find_shares(&w, site, err));
    for (uint32_t i = 0; i < site->n_rack; i++)
        lead_up(&w, site, i);
    for (size_t i = 0; i < n; i++) {
        const struct mr_circuit_node *node = &w.tree->node[i];
        const double limit_w = limit_of(&w, i);
        if (node->is_load || w.sum[i].n_rack == 0 || isinf(limit_w))
            continue;
        odds->node[odds->n_node] =
            odds_of(node->name, limit_w, &w.sum[i], odds->correlation, asked->at);
        if (is_worse(&odds->node[odds->n_node], &odds->node[odds->worst]))
            odds->worst = odds->n_node;
        odds->n_node++;
    }
    return MR_OK;
}

void mr_power_odds_fini(struct mr_power_odds *odds)
{
    mr_arena_fini(&odds->arena);
    *odds = (struct mr_power_odds){0};
}

/* ---- output ---- */

void mr_power_odds_text(const struct mr_power_odds *odds, struct mr_buf *out)
{
    if (odds->n_node == 0)
        return;
    const struct mr_power_odds_node *worst = &odds->node[odds->worst];
    size_t n_over = 0;
    for (size_t i = 0; i < odds->n_node; i++)
        n_over += odds->node[i].odds > odds->at;
    mr_buf_printf(out,
                  "%-20s %zu of %zu nodes asked for too much more often than %.3g; %s: %.3g, mean "
                  "%.4g, spread %.3g, limit %.4g MW, %llu racks, %llu fit\n",
                  "oversubscription", n_over, odds->n_node, odds->at, worst->name, worst->odds,
                  worst->mean_w * 1e-6, worst->deviation_w * 1e-6, worst->limit_w * 1e-6,
                  (unsigned long long)worst->n_rack, (unsigned long long)worst->n_fit);
}

void mr_power_odds_json(const struct mr_power_odds *odds, struct mr_jsonw *w)
{
    mr_jsonw_object(w);
    mr_jsonw_key_f64(w, "odds", odds->at);
    mr_jsonw_key_f64(w, "correlation", odds->correlation);
    mr_jsonw_key(w, "nodes");
    mr_jsonw_array(w);
    for (size_t i = 0; i < odds->n_node; i++) {
        const struct mr_power_odds_node *node = &odds->node[i];
        if (node->peak_w <= node->limit_w && i != odds->worst)
            continue;
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "name", node->name);
        mr_jsonw_key_f64(w, "limit_kw", node->limit_w * 1e-3);
        mr_jsonw_key_f64(w, "mean_kw", node->mean_w * 1e-3);
        mr_jsonw_key_f64(w, "deviation_kw", node->deviation_w * 1e-3);
        mr_jsonw_key_f64(w, "peak_kw", node->peak_w * 1e-3);
        mr_jsonw_key_f64(w, "odds", node->odds);
        mr_jsonw_key_u64(w, "racks", node->n_rack);
        mr_jsonw_key_u64(w, "racks_fit", node->n_fit);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
    mr_jsonw_end(w);
}
