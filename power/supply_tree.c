/* SPDX-License-Identifier: Apache-2.0 */
/* The tree that caps are spread over: site, feeds, rows behind the same panels, racks, trays,
 * packages.
 *
 * A row's group is the racks that hang on the same panels, a feed the groups of a hall whose panels
 * hang on the same nodes, one system or A and B. With every rack at its rating R a node of the
 * chain that is rated S carries W when the worst other one fails (strand.h), so a group that hangs
 * on it may draw R S / W in all: nothing is exceeded, whatever fails. A node limits the smallest
 * group that holds all of its racks; where it carries only a part of several (distributed
 * redundancy), each of these in proportion.
 *
 * Trays are nodes where a limit is stated for them: without one they can hold nobody back.
 * Packages are leaves in runs of alike ones, which is the same as one by one: the level of water
 * is one for all. What a rack draws outside its packages is a leaf of hardly any weight: it keeps
 * what it draws now when there is little, and gets the rest up to the rack's maximum when there is
 * enough. Racks of which no packages are told are leaves. */
#include "engine/base/assert.h"
#include "power/strand.h"
#include "power/supply_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

static const double host_weight = 1e-6; /* beside 1 of a rack's packages */

enum {
    above_max = 8 /* nodes that the panels of a group hang on */
};

/* A group of racks, while groups are found. */
struct group {
    uint32_t hall, row, feed[2];
    uint32_t above[above_max], n_above;
    uint32_t n_child; /* groups of a feed */
};

struct plan {
    struct mr_supply *s;
    struct group *panel, *feed; /* beside s->level: feeds first */
    uint32_t n_panel, n_feed;
    uint32_t *feed_of;  /* of panel groups */
    uint32_t *panel_of; /* of racks */
    double *rated_w;    /* of levels */
    uint32_t *n_rack;
    struct mr_govern_node *node;
    uint32_t n_node;
    struct mr_arena scratch;
};

/* ---- groups ---- */

static void add_above(struct group *group, uint32_t node)
{
    uint32_t k = 0;
    while (k < group->n_above && group->above[k] < node)
        k++;
    if (group->n_above == above_max || (k < group->n_above && group->above[k] == node))
        return;
    for (uint32_t j = group->n_above++; j > k; j--)
        group->above[j] = group->above[j - 1];
    group->above[k] = node;
}

/* What the panels of a rack hang on. */
static void look_above(const struct mr_circuit *tree, uint32_t rack_node, struct group *group)
{
    const struct mr_circuit_node *rack = &tree->node[rack_node];
    for (uint32_t e = rack->first_edge; e < rack->first_edge + rack->n_edge; e++) {
        const struct mr_circuit_node *panel = &tree->node[tree->edge[e].parent];
        for (uint32_t k = panel->first_edge; k < panel->first_edge + panel->n_edge; k++)
            add_above(group, tree->edge[k].parent);
    }
}

static uint32_t panel_group(struct plan *plan, uint32_t i)
{
    const struct mr_rack *rack = &plan->s->site->rack[i];
    uint32_t g = plan->n_panel; /* racks of a group stand together: the last is looked at first */
    while (g-- > 0) {
        const struct group *group = &plan->panel[g];
        if (group->hall == rack->hall && group->row == rack->row &&
            group->feed[0] == rack->feed[0] && group->feed[1] == rack->feed[1])
            return g;
    }
    g = plan->n_panel++;
    plan->panel[g] = (struct group){
        .hall = rack->hall, .row = rack->row, .feed = {rack->feed[0], rack->feed[1]}};
    look_above(plan->s->wire.tree, plan->s->wire.of_rack[i], &plan->panel[g]);
    return g;
}

static uint32_t feed_group(struct plan *plan, const struct group *panel)
{
    uint32_t f = plan->n_feed;
    while (f-- > 0) {
        const struct group *group = &plan->feed[f];
        if (group->hall == panel->hall && group->n_above == panel->n_above &&
            memcmp(group->above, panel->above, panel->n_above * sizeof *panel->above) == 0)
            return f;
    }
    plan->feed[plan->n_feed] = *panel;
    plan->feed[plan->n_feed].n_child = 0;
    return plan->n_feed++;
}

static mr_status find_groups(struct plan *plan, struct mr_err *err)
{
    struct mr_supply *s = plan->s;
    const size_t n = s->site->n_rack;
    plan->panel = mr_arena_zero(&plan->scratch, n, sizeof *plan->panel, err);
    plan->feed = mr_arena_zero(&plan->scratch, n, sizeof *plan->feed, err);
    plan->feed_of = mr_arena_zero(&plan->scratch, n, sizeof(uint32_t), err);
    plan->panel_of = mr_arena_zero(&plan->scratch, n, sizeof(uint32_t), err);
    if (plan->panel == NULL || plan->feed == NULL || plan->feed_of == NULL ||
        plan->panel_of == NULL)
        return MR_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        plan->panel_of[i] = panel_group(plan, i);
    for (uint32_t g = 0; g < plan->n_panel; g++) {
        plan->feed_of[g] = feed_group(plan, &plan->panel[g]);
        plan->feed[plan->feed_of[g]].n_child++;
    }
    s->n_feed = plan->n_feed;
    s->n_level = plan->n_feed + plan->n_panel;
    s->level = mr_arena_zero(&s->arena, s->n_level, sizeof *s->level, err);
    plan->rated_w = mr_arena_zero(&plan->scratch, s->n_level, sizeof(double), err);
    plan->n_rack = mr_arena_zero(&plan->scratch, s->n_level, sizeof(uint32_t), err);
    if (s->level == NULL || plan->rated_w == NULL || plan->n_rack == NULL)
        return MR_NOMEM;
    for (uint32_t k = 0; k < s->n_level; k++)
        s->level[k].limit_w = never;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t level = plan->n_feed + plan->panel_of[i];
        const uint32_t feed = plan->feed_of[plan->panel_of[i]];
        s->rack[i].level = level;
        s->level[level].feed = feed;
        plan->rated_w[level] = s->level[level].most_w += s->rack[i].most_w;
        plan->rated_w[feed] = s->level[feed].most_w += s->rack[i].most_w;
        s->site_level.most_w += s->rack[i].most_w;
        plan->n_rack[level]++;
        plan->n_rack[feed]++;
    }
    return MR_OK;
}

/* ---- limits of groups ---- */

/* Nodes above one rack of a group, each once; those on a way of several are marked. */
static uint32_t walk_up(const struct mr_circuit *tree, uint32_t rack_node, uint32_t mark,
                        uint32_t *seen, uint32_t *found)
{
    uint32_t n = 0;
    found[n++] = rack_node;
    for (uint32_t k = 0; k < n; k++) {
        const struct mr_circuit_node *node = &tree->node[found[k]];
        for (uint32_t e = node->first_edge; e < node->first_edge + node->n_edge; e++) {
            const uint32_t parent = tree->edge[e].parent;
            if (seen[parent] == mark)
                continue;
            seen[parent] = mark;
            found[n++] = parent;
        }
    }
    return n;
}

static void limit(struct mr_supply_level *level, double limit_w, const char *name)
{
    if (!(limit_w < level->limit_w))
        return;
    level->limit_w = limit_w;
    level->name = name;
}

/* One node of the chain and the groups behind it. */
static void limit_groups(struct plan *plan, const char *name, double frac, const uint32_t *behind,
                         uint32_t n, uint32_t *count)
{
    struct mr_supply *s = plan->s;
    uint32_t n_rack = 0;
    double rated_w = 0;
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t level = plan->n_feed + behind[k];
        count[plan->feed_of[behind[k]]] += plan->n_rack[level];
        n_rack += plan->n_rack[level];
        rated_w += plan->rated_w[level];
    }
    if (n_rack == s->site->n_rack)
        limit(&s->site_level, frac * rated_w, name);
    for (uint32_t k = 0; k < n && n_rack < s->site->n_rack; k++) {
        const uint32_t feed = plan->feed_of[behind[k]], level = plan->n_feed + behind[k];
        const bool is_whole = count[feed] == plan->n_rack[feed];
        const uint32_t at = is_whole ? feed : level;
        limit(&s->level[at], frac * plan->rated_w[at], name);
    }
    for (uint32_t k = 0; k < n; k++)
        count[plan->feed_of[behind[k]]] = 0;
}

/* Pairs of nodes and groups, in the order of nodes: counted, then filled in. */
static mr_status find_limits(struct plan *plan, struct mr_err *err)
{
    struct mr_supply *s = plan->s;
    const struct mr_circuit *tree = s->wire.tree;
    struct mr_strand_site strand;
    uint32_t *seen = mr_arena_zero(&plan->scratch, tree->n_node, sizeof *seen, err);
    uint32_t *found = mr_arena_zero(&plan->scratch, tree->n_node, sizeof *found, err);
    uint32_t *first = mr_arena_zero(&plan->scratch, tree->n_node + 2, sizeof *first, err);
    uint32_t *count = mr_arena_zero(&plan->scratch, plan->n_feed + 1, sizeof *count, err);
    uint32_t *of_group = mr_arena_zero(&plan->scratch, plan->n_panel, sizeof *of_group, err);
    if (seen == NULL || found == NULL || first == NULL || count == NULL || of_group == NULL)
        return MR_NOMEM;
    for (uint32_t i = (uint32_t)s->site->n_rack; i-- > 0;)
        of_group[plan->panel_of[i]] = s->wire.of_rack[i];
    for (uint32_t g = 0; g < plan->n_panel; g++) {
        const uint32_t n = walk_up(tree, of_group[g], g + 1, seen, found);
        for (uint32_t k = 1; k < n; k++)
            first[found[k] + 2]++;
    }
    for (size_t v = 0; v < tree->n_node; v++)
        first[v + 2] += first[v + 1];
    uint32_t *behind =
        mr_arena_zero(&plan->scratch, first[tree->n_node + 1] + 1, sizeof *behind, err);
    if (behind == NULL)
        return MR_NOMEM;
    for (uint32_t g = 0; g < plan->n_panel; g++) {
        const uint32_t n = walk_up(tree, of_group[g], plan->n_panel + g + 1, seen, found);
        for (uint32_t k = 1; k < n; k++)
            behind[first[found[k] + 1]++] = g;
    }
    MR_TRY(mr_strand_of(tree, NULL, &strand, err));
    for (uint32_t v = 1; v < tree->n_node; v++) { /* the connection itself has its budget */
        const double rated_w = mr_circuit_rating_w(&tree->node[v]);
        const double worst_w = strand.worst[v].failed_w;
        if (first[v + 1] > first[v] && isfinite(rated_w) && worst_w > 0)
            limit_groups(plan, tree->node[v].name, rated_w / worst_w, behind + first[v],
                         first[v + 1] - first[v], count);
    }
    mr_strand_fini(&strand);
    return MR_OK;
}

/* ---- nodes, level by level ---- */

static uint32_t put(struct plan *plan, uint32_t parent, double limit_w, double weight)
{
    plan->node[plan->n_node] = (struct mr_govern_node){parent, limit_w, 1, weight};
    return plan->n_node++;
}

/* Of package k of the rack. */
static uint32_t tray_of(const struct mr_rack *rack, uint32_t k)
{
    return (uint32_t)((uint64_t)k * rack->n_tray / rack->n_package);
}

static bool has_trays(const struct mr_supply *s, uint32_t i)
{
    return s->params.tray_limit_w > 0 && s->site->rack[i].n_package > 0;
}

/* Leaves of a rack below its node, or below those of its trays: a run of packages of the same part
 * in the same tray. */
static void put_run(struct plan *plan, uint32_t i, uint32_t part, uint32_t first, uint32_t n)
{
    struct mr_supply *s = plan->s;
    struct mr_supply_rack *rack = &s->rack[i];
    const struct mr_rack *at = &s->site->rack[i];
    for (uint32_t k = first, end; k < first + n; k = end) {
        const uint32_t tray = has_trays(s, i) ? tray_of(at, k) : 0;
        end = first + n;
        while (has_trays(s, i) && tray_of(at, end - 1) != tray)
            end--;
        s->leaf[s->n_leaf++] = (struct mr_supply_leaf){.part = part, .n = end - k, .tray = tray};
        rack->n_leaf++;
        rack->n_governed += end - k;
    }
}

/* What is not packages, in every tray, or for the rack. */
static void put_hosts(struct plan *plan, uint32_t i)
{
    struct mr_supply *s = plan->s;
    const uint32_t first = s->rack[i].first_leaf, end = s->n_leaf;
    uint32_t n = 1, last = s->leaf[first].tray;
    s->leaf[s->n_leaf++] = (struct mr_supply_leaf){.part = MR_SITE_NONE, .tray = last};
    for (uint32_t k = first + 1; k < end; k++)
        if (s->leaf[k].tray != last) {
            last = s->leaf[k].tray;
            s->leaf[s->n_leaf++] = (struct mr_supply_leaf){.part = MR_SITE_NONE, .tray = last};
            n++;
        }
    s->rack[i].n_host = n;
    s->rack[i].n_leaf += n;
}

/* Runs are in the order of trays: an insertion sort of what is nearly sorted. */
static void sort_leaves(struct mr_supply_leaf *leaf, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        const struct mr_supply_leaf moved = leaf[i];
        uint32_t k = i;
        for (; k > 0 && leaf[k - 1].tray > moved.tray; k--)
            leaf[k] = leaf[k - 1];
        leaf[k] = moved;
    }
}

static void find_leaves(struct plan *plan, const uint32_t *first_part, const uint32_t *part_of)
{
    struct mr_supply *s = plan->s;
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        s->rack[i].first_leaf = s->n_leaf;
        for (uint32_t k = first_part[i]; k < first_part[i + 1]; k++) {
            const struct mr_supply_part *part = &s->options.part[part_of[k]];
            put_run(plan, i, part_of[k], part->first, part->n);
        }
        if (s->rack[i].n_leaf == 0 && has_trays(s, i))
            put_run(plan, i, MR_SITE_NONE, 0, s->site->rack[i].n_package);
        if (s->rack[i].n_leaf == 0)
            continue;
        sort_leaves(s->leaf + s->rack[i].first_leaf, s->rack[i].n_leaf);
        put_hosts(plan, i);
        sort_leaves(s->leaf + s->rack[i].first_leaf, s->rack[i].n_leaf);
    }
}

static void put_racks(struct plan *plan, uint32_t *order)
{
    struct mr_supply *s = plan->s;
    const uint32_t n = (uint32_t)s->site->n_rack;
    uint32_t *begin = order + n; /* of every level's racks */
    for (uint32_t i = 0; i < n; i++)
        begin[s->rack[i].level + 1]++;
    for (uint32_t k = 0; k < s->n_level; k++)
        begin[k + 1] += begin[k];
    for (uint32_t i = 0; i < n; i++)
        order[begin[s->rack[i].level]++] = i;
    put(plan, 0, s->site_level.limit_w, 1);
    for (uint32_t f = 0; f < plan->n_feed; f++)
        s->level[f].node = put(plan, 0, s->level[f].limit_w, 1);
    for (uint32_t f = 0; f < plan->n_feed; f++)
        for (uint32_t g = 0, left = plan->feed[f].n_child; left > 0; g++)
            if (plan->feed_of[g] == f) {
                struct mr_supply_level *level = &s->level[plan->n_feed + g];
                level->node = put(plan, s->level[f].node, level->limit_w, 1);
                left--;
            }
    /* groups of a feed have followed each other, so racks are put in the order of their nodes */
    for (uint32_t f = 0; f < plan->n_feed; f++)
        for (uint32_t g = 0, left = plan->feed[f].n_child; left > 0; g++)
            if (plan->feed_of[g] == f) {
                const uint32_t level = plan->n_feed + g;
                for (uint32_t k = begin[level] - plan->n_rack[level]; k < begin[level]; k++)
                    s->rack[order[k]].node =
                        put(plan, s->level[level].node,
                            s->rack[order[k]].most_w > 0 ? s->rack[order[k]].most_w : never, 1);
                left--;
            }
}

/* By node, which is the order that their children must have. */
static void sort_by_node(const struct plan *plan, uint32_t *order)
{
    const struct mr_supply *s = plan->s;
    const uint32_t n = (uint32_t)s->site->n_rack, first = plan->n_node - n;
    for (uint32_t i = 0; i < n; i++)
        order[s->rack[i].node - first] = i;
}

static void put_inside(struct plan *plan, const uint32_t *order)
{
    struct mr_supply *s = plan->s;
    const uint32_t n = (uint32_t)s->site->n_rack;
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t i = order[k];
        const struct mr_supply_rack *rack = &s->rack[i];
        for (uint32_t j = 0; has_trays(s, i) && j < rack->n_leaf; j++) {
            struct mr_supply_leaf *leaf = &s->leaf[rack->first_leaf + j];
            leaf->above = j > 0 && leaf->tray == leaf[-1].tray
                              ? leaf[-1].above
                              : put(plan, rack->node, s->params.tray_limit_w, 1);
        }
    }
    for (uint32_t k = 0; k < n; k++) {
        const struct mr_supply_rack *rack = &s->rack[order[k]];
        for (uint32_t j = 0; j < rack->n_leaf; j++) {
            struct mr_supply_leaf *leaf = &s->leaf[rack->first_leaf + j];
            leaf->node =
                put(plan, has_trays(s, order[k]) ? leaf->above : rack->node, never,
                    leaf->n > 0 ? (double)leaf->n / rack->n_governed : host_weight / rack->n_host);
        }
    }
}

/* Parts by rack, in their own order: a leaf of a rack for each, and one more for every tray that
 * it reaches into. */
static mr_status put_leaves(struct plan *plan, struct mr_err *err)
{
    struct mr_supply *s = plan->s;
    const uint32_t n = (uint32_t)s->site->n_rack, n_part = s->options.n_part;
    uint32_t *first = mr_arena_zero(&plan->scratch, n + 2, sizeof *first, err);
    uint32_t *part_of = mr_arena_zero(&plan->scratch, n_part + 1, sizeof *part_of, err);
    if (first == NULL || part_of == NULL)
        return MR_NOMEM;
    size_t cap = 2 * (size_t)n_part + 1;
    for (uint32_t p = 0; p < n_part; p++) {
        const struct mr_supply_part *part = &s->options.part[p];
        MR_ASSERT(part->n > 0 && part->first + part->n <= s->site->rack[part->rack].n_package);
        first[part->rack + 2]++;
    }
    for (uint32_t i = 0; i < n; i++) {
        first[i + 2] += first[i + 1];
        cap += has_trays(s, i) ? 2 * s->site->rack[i].n_tray : 0;
    }
    for (uint32_t p = 0; p < n_part; p++)
        part_of[first[s->options.part[p].rack + 1]++] = p;
    s->leaf = mr_arena_zero(&s->arena, cap, sizeof *s->leaf, err);
    if (s->leaf == NULL)
        return MR_NOMEM;
    find_leaves(plan, first, part_of);
    return MR_OK;
}

static mr_status build(struct plan *plan, struct mr_err *err)
{
    struct mr_supply *s = plan->s;
    const size_t n = s->site->n_rack;
    MR_TRY(find_groups(plan, err));
    MR_TRY(find_limits(plan, err));
    MR_TRY(put_leaves(plan, err));
    const size_t cap = 1 + s->n_level + n + 2 * (size_t)s->n_leaf;
    uint32_t *order = mr_arena_zero(&plan->scratch, n + s->n_level + 2, sizeof *order, err);
    plan->node = mr_arena_zero(&plan->scratch, cap, sizeof *plan->node, err);
    if (order == NULL || plan->node == NULL)
        return MR_NOMEM;
    put_racks(plan, order);
    sort_by_node(plan, order);
    put_inside(plan, order);
    return mr_govern_tree_build(&s->arena, plan->node, plan->n_node, &s->tree, err);
}

mr_status mr_supply_tree_init(struct mr_supply *s, struct mr_err *err)
{
    struct plan plan = {.s = s};
    s->site_level = (struct mr_supply_level){.limit_w = never};
    s->watched_s = s->t_s;
    const mr_status st = build(&plan, err);
    mr_arena_fini(&plan.scratch);
    return st;
}

/* ---- what the tree is told ---- */

static double share_of(const struct mr_supply_rack *rack, const struct mr_supply_leaf *leaf)
{
    return leaf->n > 0 ? (double)leaf->n / rack->n_governed : 1. / rack->n_host;
}

static void bound(struct mr_supply *s, uint32_t node, double low_w, double high_w, double q_w)
{
    s->low_w[node] = low_w;
    s->high_w[node] = fmax(low_w, high_w);
    s->max_q_w[node] = fmin(fmax(q_w, low_w), s->high_w[node]);
}

/* Of a rack that rests in part: those at work have the maxima of their card. */
static void bound_partly(struct mr_supply *s, const struct mr_supply_rack *rack)
{
    double low_w = 0, high_w = 0;
    for (uint32_t k = rack->first_leaf; k < rack->first_leaf + rack->n_leaf; k++) {
        const struct mr_supply_leaf *leaf = &s->leaf[k];
        if (leaf->part == MR_SITE_NONE)
            continue;
        const bool rests = mr_supply_part_rests(s, leaf->part);
        const double most_w =
            rack->package_w > 0 ? rack->package_w : rack->high_w / rack->n_governed;
        const double least_w = leaf->n * (rests ? s->part_rest_w : s->part_least_w)[leaf->part];
        bound(s, leaf->node, least_w, rests ? least_w : leaf->n * most_w,
              leaf->n * rack->max_q_w / rack->n_governed);
        low_w += least_w;
        high_w += s->high_w[leaf->node];
    }
    for (uint32_t k = rack->first_leaf; k < rack->first_leaf + rack->n_leaf; k++)
        if (s->leaf[k].part == MR_SITE_NONE)
            bound(s, s->leaf[k].node, fmax(0, rack->low_w - low_w) / rack->n_host,
                  fmax(0, rack->high_w - high_w) / rack->n_host, rack->fixed_w / rack->n_host);
}

/* A rack's bounds, divided: hosts keep what they draw now, of the lowest cap at most; packages
 * share the rest of it evenly, and have the maxima of their card. */
void mr_supply_tree_bound(struct mr_supply *s, uint32_t i)
{
    const struct mr_supply_rack *rack = &s->rack[i];
    const double host_w = fmin(rack->fixed_w, rack->low_w), low_w = rack->low_w - host_w;
    const bool is_held = rack->decided != MR_SUPPLY_FREE;
    if (!is_held && !mr_supply_is_whole(rack)) {
        bound_partly(s, rack);
        return;
    }
    const double packages_w = rack->n_governed * rack->package_w;
    const double most_w = is_held ? low_w : packages_w > 0 ? packages_w : rack->high_w - host_w;
    const double q_w = fmin(fmax(0, rack->max_q_w - host_w), most_w);
    const double most_host_w = is_held ? host_w : fmax(host_w, rack->high_w - most_w);
    if (rack->n_leaf == 0) {
        s->low_w[rack->node] = rack->low_w;
        s->high_w[rack->node] = rack->high_w;
        s->max_q_w[rack->node] = rack->max_q_w;
    }
    for (uint32_t k = rack->first_leaf; k < rack->first_leaf + rack->n_leaf; k++) {
        const struct mr_supply_leaf *leaf = &s->leaf[k];
        const double share = share_of(rack, leaf);
        s->low_w[leaf->node] = share * (leaf->n > 0 ? fmin(low_w, most_w) : host_w);
        s->high_w[leaf->node] = share * (leaf->n > 0 ? most_w : most_host_w);
        s->max_q_w[leaf->node] =
            share * (leaf->n > 0 ? q_w : fmin(fmax(host_w, rack->max_q_w - q_w), most_host_w));
    }
}

void mr_supply_tree_want(struct mr_supply *s, uint32_t i, double w)
{
    struct mr_supply_rack *rack = &s->rack[i];
    rack->demand_w = w;
    if (rack->n_leaf == 0)
        s->demand_w[rack->node] = w;
    for (uint32_t k = rack->first_leaf; k < rack->first_leaf + rack->n_leaf; k++) {
        const struct mr_supply_leaf *leaf = &s->leaf[k];
        const bool is_told = leaf->part != MR_SITE_NONE && s->part_want_w[leaf->part] >= 0;
        const double of_w = leaf->n > 0 ? fmax(0, w - rack->fixed_w) : fmin(w, rack->fixed_w);
        s->demand_w[leaf->node] =
            is_told ? leaf->n * s->part_want_w[leaf->part] : of_w * share_of(rack, leaf);
    }
}

void mr_supply_tree_tier(struct mr_supply *s, uint32_t i, uint8_t tier)
{
    const struct mr_supply_rack *rack = &s->rack[i];
    if (rack->n_leaf == 0)
        s->tier[rack->node] = tier;
    for (uint32_t k = rack->first_leaf; k < rack->first_leaf + rack->n_leaf; k++)
        s->tier[s->leaf[k].node] = tier;
}

void mr_supply_tree_apply(struct mr_supply *s)
{
    for (uint32_t p = 0; p < s->options.n_part; p++)
        s->part_cap_w[p] = never;
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        struct mr_supply_rack *rack = &s->rack[i];
        rack->cap_w = s->pass.alloc_w[rack->node];
        for (uint32_t k = rack->first_leaf; k < rack->first_leaf + rack->n_leaf; k++) {
            const struct mr_supply_leaf *leaf = &s->leaf[k];
            if (leaf->part != MR_SITE_NONE)
                s->part_cap_w[leaf->part] =
                    fmin(s->part_cap_w[leaf->part], s->pass.alloc_w[leaf->node] / leaf->n);
        }
    }
}

/* ---- watching ---- */

static void look_at_level(struct mr_supply *s, struct mr_supply_level *level, double dt_s)
{
    const double slack = 1e-9; /* caps add up in another order */
    const bool is_over = level->draw_w > level->limit_w * (1 + slack);
    if (is_over && !level->is_over) {
        s->total.n_level_over++;
        mr_supply_emit(s, MR_SUPPLY_LEVEL_OVER, level->name, "", level->draw_w, level->limit_w);
    }
    level->is_over = is_over;
    mr_supply_odds_add(level, dt_s);
    level->draw_w = level->ask_w = 0;
}

void mr_supply_tree_watch(struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        const struct mr_supply_rack *rack = &s->rack[i];
        s->level[rack->level].draw_w += rack->draw_w;
        s->level[rack->level].ask_w += fmax(rack->want_w, rack->draw_w);
    }
    for (uint32_t k = s->n_feed; k < s->n_level; k++) {
        s->level[s->level[k].feed].draw_w += s->level[k].draw_w;
        s->level[s->level[k].feed].ask_w += s->level[k].ask_w;
    }
    for (uint32_t f = 0; f < s->n_feed; f++) {
        s->site_level.draw_w += s->level[f].draw_w;
        s->site_level.ask_w += s->level[f].ask_w;
    }
    const double dt_s = s->t_s - s->watched_s;
    for (uint32_t k = 0; k < s->n_level; k++)
        look_at_level(s, &s->level[k], dt_s);
    look_at_level(s, &s->site_level, dt_s);
    s->watched_s = s->t_s;
}
