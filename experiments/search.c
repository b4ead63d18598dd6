/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds until nothing is left to ask. Map: order - targets - loads - fates. */
#include "experiments/search.h"

#include "engine/base/mem.h"

#include <math.h>
#include <string.h>

struct search {
    const struct mr_search_plan *plan;
    struct mr_search_item *item;
    size_t *order; /* candidates in the order in which they are tried */
    size_t best;   /* of those that hold a load; n_item: none */
};

const char *mr_search_fate_name(enum mr_search_fate fate)
{
    static const char *const names[] = {
#define FATE_TEXT(name, text, doc) text,
        MR_SEARCH_FATE_LIST(FATE_TEXT)
#undef FATE_TEXT
    };
    return names[fate];
}

/* ---- order ---- */

/* -1, 0, 1; NaN after all numbers. */
static int by_number(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static int by_size(const struct mr_search_item *a, const struct mr_search_item *b)
{
    const int first = by_number(a->size, b->size);
    return first != 0 ? first : by_number(a->second_size, b->second_size);
}

/* Who would be tried first: with a target the smallest, else who may make most tokens. */
static int by_promise(const struct search *s, size_t a, size_t b)
{
    const struct mr_search_item *x = &s->item[a], *y = &s->item[b];
    int sign = s->plan->has_target ? 0 : by_number(y->bound_tok_s, x->bound_tok_s);
    sign = sign != 0 ? sign : by_size(x, y);
    return sign != 0 ? sign : (a > b) - (a < b);
}

/* Insertion: qsort hands no context to its comparator, and a few thousand are few. */
static void sort(struct search *s)
{
    for (size_t i = 0; i < s->plan->n_item; i++) {
        size_t k = i;
        for (; k > 0 && by_promise(s, s->order[k - 1], i) > 0; k--)
            s->order[k] = s->order[k - 1];
        s->order[k] = i;
    }
}

/* Of two that hold a load. */
static bool is_better(const struct search *s, size_t a, size_t b)
{
    const struct mr_search_item *x = &s->item[a], *y = &s->item[b];
    if (x->lo != y->lo)
        return x->lo > y->lo;
    const int sign = s->plan->n_load > 1 ? 0 : by_number(y->tok_s, x->tok_s);
    const int size = sign != 0 ? sign : by_size(x, y);
    return size != 0 ? size < 0 : a < b;
}

/* ---- one round ---- */

static mr_status play(struct search *s, struct mr_search_trial *trial, size_t n, struct mr_err *err)
{
    MR_TRY(s->plan->play(s->plan->context, trial, n, err));
    for (size_t i = 0; i < n; i++) {
        struct mr_search_item *item = &s->item[trial[i].item];
        const long load = (long)trial[i].load;
        const bool holds = trial[i].holds && !trial[i].has_failed;
        if (holds) {
            item->lo = load;
            item->tok_s = trial[i].tok_s;
            item->is_short = trial[i].is_short;
        } else {
            item->hi = load;
        }
        if (!holds || trial[i].is_short)
            memcpy(holds ? item->why_short : item->why, trial[i].why, sizeof item->why);
        if (trial[i].has_failed && item->lo < 0)
            item->fate = MR_SEARCH_FAILED;
    }
    return MR_OK;
}

/* ---- with a target ---- */

static bool reaches(const struct mr_search_item *item)
{
    return item->lo >= 0 && !item->is_short;
}

/* Neither reached nor out of reach: loads are left between one that is short and one it misses. */
static bool is_undecided(const struct mr_search_item *item)
{
    return item->fate == MR_SEARCH_OPEN && !reaches(item) && item->hi - item->lo > 1;
}

static mr_status find_smallest(struct search *s, struct mr_err *err)
{
    const size_t n_item = s->plan->n_item;
    for (;;) {
        struct mr_search_trial trial[MR_SEARCH_ROUND];
        size_t n = 0;
        s->best = n_item;
        for (size_t k = 0; k < n_item && n < MR_SEARCH_ROUND && s->best == n_item; k++) {
            struct mr_search_item *item = &s->item[s->order[k]];
            const bool is_new = item->lo < 0 && item->hi == (long)s->plan->n_load;
            if (item->fate == MR_SEARCH_OPEN && item->bound_tok_s < s->plan->target_tok_s)
                item->fate = MR_SEARCH_BOUND;
            if (item->fate == MR_SEARCH_OPEN && reaches(item))
                s->best = s->order[k];
            else if (is_undecided(item))
                trial[n++] = (struct mr_search_trial){
                    .item = s->order[k],
                    .load = is_new ? s->plan->first_load : (size_t)((item->lo + item->hi) / 2)};
        }
        if (n == 0)
            return MR_OK;
        MR_TRY(play(s, trial, n, err));
    }
}

/* ---- the most load ---- */

/* The load to try next; -1: the candidate is decided. */
static long next_load(const struct search *s, size_t i)
{
    const struct mr_search_item *item = &s->item[i];
    const bool is_best = s->best == s->plan->n_item || s->best == i;
    const long best_load = is_best ? -1 : s->item[s->best].lo;
    if (item->fate != MR_SEARCH_OPEN || item->hi - item->lo <= 1 || item->hi <= best_load)
        return -1;
    if (is_best)
        return (item->lo + item->hi) / 2;
    return item->lo < best_load ? best_load : item->lo + 1;
}

/* Cards that cannot make what the best has made. */
static void drop_by_bound(struct search *s)
{
    if (s->best == s->plan->n_item)
        return;
    for (size_t i = 0; i < s->plan->n_item; i++) {
        struct mr_search_item *item = &s->item[i];
        if (i != s->best && item->fate == MR_SEARCH_OPEN && item->lo < 0 &&
            item->hi == (long)s->plan->n_load && item->bound_tok_s < s->item[s->best].tok_s)
            item->fate = MR_SEARCH_BOUND;
    }
}

static mr_status find_most(struct search *s, struct mr_err *err)
{
    for (;;) {
        struct mr_search_trial trial[MR_SEARCH_ROUND];
        size_t n = 0;
        drop_by_bound(s);
        for (size_t k = 0; k < s->plan->n_item && n < MR_SEARCH_ROUND; k++) {
            const long load = next_load(s, s->order[k]);
            if (load >= 0)
                trial[n++] = (struct mr_search_trial){.item = s->order[k], .load = (size_t)load};
        }
        if (n == 0)
            return MR_OK;
        MR_TRY(play(s, trial, n, err));
        for (size_t i = 0; i < s->plan->n_item; i++)
            if (s->item[i].fate == MR_SEARCH_OPEN && s->item[i].lo >= 0 &&
                (s->best == s->plan->n_item || is_better(s, i, s->best)))
                s->best = i;
    }
}

/* ---- the others ---- */

/* Played, and not known to the load. */
static bool is_vague(const struct search *s, size_t i)
{
    const struct mr_search_item *item = &s->item[i];
    return i != s->best && item->fate == MR_SEARCH_OPEN && item->hi < (long)s->plan->n_load &&
           item->hi - item->lo > 1;
}

/* Bisection of the most promising ones, side by side; what they hold is less than the best does. */
static mr_status refine(struct search *s, struct mr_err *err)
{
    const size_t n_item = s->plan->n_item;
    size_t n_left = s->plan->n_refine;
    for (size_t from = 0; from < n_item && n_left > 0;) {
        size_t group[MR_SEARCH_ROUND], n_group = 0;
        for (; from < n_item && n_group < MR_SEARCH_ROUND && n_left > 0; from++)
            if (is_vague(s, s->order[from])) {
                group[n_group++] = s->order[from];
                n_left--;
            }
        for (;;) {
            struct mr_search_trial trial[MR_SEARCH_ROUND];
            size_t n = 0;
            for (size_t k = 0; k < n_group; k++)
                if (is_vague(s, group[k]))
                    trial[n++] = (struct mr_search_trial){
                        .item = group[k],
                        .load = (size_t)((s->item[group[k]].lo + s->item[group[k]].hi) / 2)};
            if (n == 0)
                break;
            MR_TRY(play(s, trial, n, err));
        }
    }
    return MR_OK;
}

/* ---- fates ---- */

static void decide(struct search *s)
{
    for (size_t i = 0; i < s->plan->n_item; i++) {
        struct mr_search_item *item = &s->item[i];
        const bool is_played = item->lo >= 0 || item->hi < (long)s->plan->n_load;
        const bool is_open = s->plan->has_target && is_undecided(item);
        if (i == s->best)
            item->fate = MR_SEARCH_BEST;
        if (item->fate != MR_SEARCH_OPEN)
            continue;
        if (!is_played || is_open)
            item->fate = MR_SEARCH_LARGER;
        else if (item->lo < 0 && item->hi == 0)
            item->fate = MR_SEARCH_MISSED;
        else if (s->plan->has_target)
            item->fate = reaches(item) ? MR_SEARCH_EQUAL : MR_SEARCH_MISSED;
        else if (s->best < s->plan->n_item && item->lo == s->item[s->best].lo)
            item->fate = MR_SEARCH_EQUAL;
        else
            item->fate = MR_SEARCH_LESS;
    }
}

mr_status mr_search_run(const struct mr_search_plan *plan, struct mr_search_item *item,
                        size_t *best, struct mr_err *err)
{
    struct search s = {.plan = plan, .item = item, .best = plan->n_item};
    s.order = mr_alloc(plan->n_item, sizeof *s.order);
    if (s.order == NULL)
        return mr_err_nomem(err, plan->n_item * sizeof *s.order);
    for (size_t i = 0; i < plan->n_item; i++) {
        item[i].lo = -1;
        item[i].hi = (long)plan->n_load;
        item[i].tok_s = 0;
        item[i].is_short = false;
        item[i].why_short[0] = '\0';
        if (item[i].fate == MR_SEARCH_OPEN)
            item[i].why[0] = '\0';
    }
    sort(&s);
    mr_status st = plan->has_target ? find_smallest(&s, err) : find_most(&s, err);
    if (st == MR_OK && !plan->has_target && s.best < plan->n_item)
        st = refine(&s, err);
    /* who holds most load and makes too few tokens under it, makes too few under any */
    if (s.best < plan->n_item && item[s.best].is_short)
        s.best = plan->n_item;
    if (st == MR_OK)
        decide(&s);
    mr_free(s.order);
    *best = s.best;
    return st;
}
