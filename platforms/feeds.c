/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over racks and nodes, children first, adds loads up. The same pass is made again for
 * every node whose loss moves anything: one with somebody on two feeds below. */
#include "platforms/feeds.h"

#include <string.h>

struct work {
    const struct mr_site *site;
    uint32_t *order; /* children first */
    bool *is_live, *moves;
    double *load_w;
};

/* Parts that two feeds carry. */
static void share_of(bool is_shared, bool is_first_live, bool is_second_live, double part[2])
{
    part[0] = !is_first_live ? 0 : is_shared && is_second_live ? 0.5 : 1;
    part[1] = is_second_live ? 1 - part[0] : 0;
}

static bool is_live(const struct work *w, uint32_t node)
{
    return node != MR_SITE_NONE && w->is_live[node];
}

static void add(const struct work *w, const uint32_t feed[2], bool is_shared, double load_w)
{
    double part[2];
    share_of(is_shared, is_live(w, feed[0]), is_live(w, feed[1]), part);
    for (int p = 0; p < 2; p++)
        if (part[p] > 0)
            w->load_w[feed[p]] += part[p] * load_w;
}

/* A node lives when it is not lost and, unless it is a root, one of its feeds lives. */
static void find_live(const struct work *w, uint32_t lost)
{
    const struct mr_site *site = w->site;
    for (size_t i = site->n_power; i-- > 0;) { /* parents first */
        const uint32_t at = w->order[i];
        const uint32_t *up = site->power[at].parent;
        const bool is_root = up[0] == MR_SITE_NONE && up[1] == MR_SITE_NONE;
        w->is_live[at] = at != lost && (is_root || is_live(w, up[0]) || is_live(w, up[1]));
    }
}

static void add_all(const struct work *w, uint32_t lost)
{
    const struct mr_site *site = w->site;
    find_live(w, lost);
    memset(w->load_w, 0, site->n_power * sizeof *w->load_w);
    for (size_t i = 0; i < site->n_rack; i++)
        add(w, site->rack[i].feed, !site->rack[i].has_standby, site->rack[i].limit_w);
    for (size_t i = 0; i < site->n_power; i++) {
        const uint32_t at = w->order[i];
        if (w->is_live[at])
            add(w, site->power[at].parent, mr_site_power_shares(site->power[at].kind),
                w->load_w[at]);
    }
}

static void mark(const struct work *w, const uint32_t feed[2], bool is_marked)
{
    const bool has_two = feed[0] != MR_SITE_NONE && feed[1] != MR_SITE_NONE;
    for (int p = 0; p < 2; p++)
        if (feed[p] != MR_SITE_NONE && (is_marked || has_two))
            w->moves[feed[p]] = true;
}

/* Nodes with somebody on two feeds below. */
static void mark_all(const struct work *w)
{
    for (size_t i = 0; i < w->site->n_rack; i++)
        mark(w, w->site->rack[i].feed, false);
    for (size_t i = 0; i < w->site->n_power; i++)
        mark(w, w->site->power[w->order[i]].parent, w->moves[w->order[i]]);
}

static void look(const struct work *w, struct mr_feeds *feeds)
{
    const size_t n = w->site->n_power;
    add_all(w, MR_SITE_NONE);
    memcpy(feeds->normal_w, w->load_w, n * sizeof *w->load_w);
    memcpy(feeds->failed_w, w->load_w, n * sizeof *w->load_w);
    for (size_t i = 0; i < n; i++)
        feeds->failure[i] = MR_SITE_NONE;
    mark_all(w);
    for (uint32_t lost = 0; lost < n; lost++) {
        if (!w->moves[lost])
            continue;
        add_all(w, lost);
        for (size_t i = 0; i < n; i++)
            if (w->load_w[i] > feeds->failed_w[i] * (1 + 1e-12)) {
                feeds->failed_w[i] = w->load_w[i];
                feeds->failure[i] = lost;
            }
    }
}

/* What is left when the order ends feeds a circle, or is one: who has no parent left goes, too. */
static uint32_t in_circle(const struct mr_site *site, uint32_t *n_child)
{
    uint32_t at = 0;
    for (bool has_changed = true; has_changed;) {
        has_changed = false;
        for (uint32_t i = 0; i < site->n_power; i++) {
            const uint32_t *up = site->power[i].parent;
            const bool is_left = n_child[i] > 0;
            if (is_left && (up[0] == MR_SITE_NONE || n_child[up[0]] == 0) &&
                (up[1] == MR_SITE_NONE || n_child[up[1]] == 0)) {
                n_child[i] = 0;
                has_changed = true;
            } else if (is_left) {
                at = i;
            }
        }
    }
    return at;
}

mr_status mr_feeds_of(const struct mr_site *site, struct mr_feeds *feeds, struct mr_err *err)
{
    const size_t n = site->n_power + 1;
    *feeds = (struct mr_feeds){.circle = MR_SITE_NONE};
    struct mr_arena *arena = &feeds->arena;
    uint32_t *n_child = mr_arena_zero(arena, n, sizeof *n_child, err);
    const struct work w = {.site = site,
                           .order = mr_arena_zero(arena, n, sizeof *w.order, err),
                           .is_live = mr_arena_zero(arena, n, sizeof *w.is_live, err),
                           .moves = mr_arena_zero(arena, n, sizeof *w.moves, err),
                           .load_w = mr_arena_zero(arena, n, sizeof *w.load_w, err)};
    feeds->normal_w = mr_arena_zero(arena, n, sizeof *feeds->normal_w, err);
    feeds->failed_w = mr_arena_zero(arena, n, sizeof *feeds->failed_w, err);
    feeds->failure = mr_arena_zero(arena, n, sizeof *feeds->failure, err);
    if (n_child == NULL || w.order == NULL || w.is_live == NULL || w.moves == NULL ||
        w.load_w == NULL || feeds->normal_w == NULL || feeds->failed_w == NULL ||
        feeds->failure == NULL)
        return MR_NOMEM;
    if (mr_site_power_order(site, w.order, n_child) == site->n_power) {
        look(&w, feeds);
        return MR_OK;
    }
    feeds->circle = in_circle(site, n_child);
    return MR_OK;
}

void mr_feeds_fini(struct mr_feeds *feeds)
{
    mr_arena_fini(&feeds->arena);
}
