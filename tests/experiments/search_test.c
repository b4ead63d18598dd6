/* SPDX-License-Identifier: Apache-2.0 */
/* experiments/search: the same answer as playing everything, for drawn builds with ties, unknown
 * prices, refusals and failures; what is never played; the same rounds whatever plays them. */
#include "experiments/search.h"

#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    n_item_max = 24,
    n_load_max = 9
};

/* A world in which a candidate holds the loads up to `held` and makes tok_s[load] under them. */
struct world {
    size_t n_item, n_load, n_played, n_round;
    struct mr_search_item item[n_item_max];
    long held[n_item_max];
    bool fails[n_item_max];
    double tok_s[n_item_max][n_load_max];
    bool is_played[n_item_max][n_load_max];
    double target_tok_s; /* 0: none */
    uint64_t trail;      /* hash of all trials in order */
};

static mr_status play(void *context, struct mr_search_trial *trial, size_t n, struct mr_err *err)
{
    struct world *w = context;
    (void)err;
    assert_true(n > 0 && n <= MR_SEARCH_ROUND);
    w->n_round++;
    for (size_t i = 0; i < n; i++) {
        const size_t a = trial[i].item, l = trial[i].load;
        assert_int_equal(w->item[a].fate, MR_SEARCH_OPEN); /* nothing decided is played */
        assert_false(w->is_played[a][l]);                  /* nothing twice */
        w->is_played[a][l] = true;
        w->n_played++;
        w->trail = (w->trail ^ (a * 64 + l + 1)) * 1099511628211u;
        trial[i].has_failed = w->fails[a];
        trial[i].holds = (long)l <= w->held[a];
        trial[i].tok_s = w->tok_s[a][l];
        trial[i].is_short = trial[i].holds && trial[i].tok_s < w->target_tok_s;
        if (!trial[i].holds || trial[i].has_failed)
            snprintf(trial[i].why, sizeof trial[i].why, "load %zu", l);
    }
    return MR_OK;
}

static bool is_less(double a, double b)
{
    return isnan(b) ? !isnan(a) : a < b;
}

static bool is_equal(double a, double b)
{
    return !is_less(a, b) && !is_less(b, a);
}

/* All played, the definition read word by word. */
static size_t brute(const struct world *w, bool has_target, double target_tok_s)
{
    size_t best = w->n_item;
    for (size_t i = 0; i < w->n_item; i++) {
        const struct mr_search_item *x = &w->item[i];
        if (x->fate == MR_SEARCH_REFUSED || w->fails[i] || w->held[i] < 0 ||
            (has_target && x->bound_tok_s < target_tok_s))
            continue;
        if (has_target && !(w->tok_s[i][w->held[i]] >= target_tok_s))
            continue; /* more load, more tokens */
        if (best == w->n_item) {
            best = i;
            continue;
        }
        const struct mr_search_item *y = &w->item[best];
        const double t = w->tok_s[i][w->held[i]], u = w->tok_s[best][w->held[best]];
        bool wins = is_less(x->size, y->size) ||
                    (is_equal(x->size, y->size) && is_less(x->second_size, y->second_size));
        if (!has_target && w->held[i] != w->held[best])
            wins = w->held[i] > w->held[best];
        else if (!has_target && w->n_load == 1 && t != u)
            wins = t > u;
        if (wins)
            best = i;
    }
    return best;
}

static void draw(struct mr_rng *rng, struct world *w)
{
    *w = (struct world){.n_item = (size_t)mr_rng_below(rng, n_item_max + 1),
                        .n_load = 1 + (size_t)mr_rng_below(rng, n_load_max)};
    for (size_t i = 0; i < w->n_item; i++) {
        const bool has_price = mr_rng_below(rng, 8) > 0;
        w->held[i] = (long)mr_rng_below(rng, w->n_load + 1) - 1;
        w->fails[i] = mr_rng_below(rng, 10) == 0;
        for (size_t l = 0; l < w->n_load; l++) /* loads differ by more than builds do */
            w->tok_s[i][l] = 100 * (double)(l + 1) + (double)mr_rng_below(rng, 4);
        w->item[i] = (struct mr_search_item){
            .size = has_price ? (double)mr_rng_below(rng, 6) : (double)NAN,
            .second_size = (double)mr_rng_below(rng, 3),
            .fate = mr_rng_below(rng, 6) == 0 ? MR_SEARCH_REFUSED : MR_SEARCH_OPEN,
            .bound_tok_s = mr_rng_below(rng, 5) == 0 ? (double)INFINITY
                                                     : 100 * (double)(w->held[i] + 1) + 3 +
                                                           (double)mr_rng_below(rng, 90)};
    }
}

MR_TEST(finds_what_playing_everything_finds)
{
    struct mr_rng rng = mr_rng_stream(7, MR_RNG_TEST, 0);
    size_t n_played = 0, n_all = 0;
    for (int k = 0; k < 4000; k++) {
        struct world w;
        struct mr_err err = {0};
        size_t best;
        draw(&rng, &w);
        const bool has_target = k % 2 == 1;
        w.target_tok_s = has_target ? 100 * (double)mr_rng_below(&rng, n_load_max) + 2 : 0;
        const struct mr_search_plan plan = {w.n_item,
                                            w.n_load,
                                            has_target,
                                            w.target_tok_s,
                                            (size_t)mr_rng_below(&rng, w.n_load),
                                            &w,
                                            play,
                                            k % 8 < 2 ? (size_t)mr_rng_below(&rng, 4) : 0};
        const size_t expected = brute(&w, has_target, plan.target_tok_s);
        assert_int_equal(mr_search_run(&plan, w.item, &best, &err), MR_OK);
        assert_int_equal(best, expected);
        for (size_t i = 0; i < w.n_item; i++) {
            assert_int_not_equal(w.item[i].fate, MR_SEARCH_OPEN);
            assert_int_equal(w.item[i].fate == MR_SEARCH_BEST, i == best);
            if (w.item[i].fate == MR_SEARCH_MISSED && !has_target)
                assert_string_equal(w.item[i].why, "load 0");
            if (w.item[i].hi - w.item[i].lo == 1 && !w.fails[i])
                assert_int_equal(w.item[i].lo, w.held[i]);
        }
        n_played += w.n_played;
        n_all += w.n_item * w.n_load;
    }
    assert_true(n_played * 3 < n_all); /* that is what it is for */
}

MR_TEST(with_a_target_larger_ones_are_not_played)
{
    struct world w = {.n_item = 20, .n_load = 1, .target_tok_s = 100};
    struct mr_err err = {0};
    size_t best;
    for (size_t i = 0; i < w.n_item; i++) {
        w.item[i] = (struct mr_search_item){.size = (double)(20 - i), .bound_tok_s = 1e9};
        w.held[i] = 20 - (long)i >= 6 ? 0 : -1;
        w.tok_s[i][0] = 100;
    }
    w.item[17].bound_tok_s = 50; /* size 3 */
    const struct mr_search_plan plan = {w.n_item, 1, true, 100, 0, &w, play, 0};
    assert_int_equal(mr_search_run(&plan, w.item, &best, &err), MR_OK);
    assert_int_equal(best, 14);
    assert_int_equal(w.n_round, 2); /* sizes 1 2 4 5, then 6 7 8 9 */
    assert_int_equal(w.n_played, 8);
    assert_int_equal(w.item[17].fate, MR_SEARCH_BOUND);
    assert_int_equal(w.item[0].fate, MR_SEARCH_LARGER);
    assert_int_equal(w.item[13].fate, MR_SEARCH_EQUAL); /* was in the round */
    assert_int_equal(w.item[18].fate, MR_SEARCH_MISSED);
}

MR_TEST(losers_need_one_run)
{
    struct world w = {.n_item = 12, .n_load = 9};
    struct mr_err err = {0};
    size_t best;
    for (size_t i = 0; i < w.n_item; i++) {
        w.item[i] = (struct mr_search_item){.size = 1, .bound_tok_s = 2000 - (double)i};
        w.held[i] = i == 0 ? 7 : 3;
        for (size_t l = 0; l < w.n_load; l++)
            w.tok_s[i][l] = (double)l;
    }
    const struct mr_search_plan plan = {w.n_item, w.n_load, false, 0, 0, &w, play, 0};
    assert_int_equal(mr_search_run(&plan, w.item, &best, &err), MR_OK);
    assert_int_equal(best, 0);
    for (size_t i = 4; i < w.n_item; i++) { /* beyond the first round */
        size_t n = 0;
        for (size_t l = 0; l < w.n_load; l++)
            n += w.is_played[i][l];
        assert_int_equal(n, 1);
        assert_int_equal(w.item[i].fate, MR_SEARCH_LESS);
    }
}

/* Loads 0 to 8: the others hold 3, which is known of as many as are asked for. */
MR_TEST(losers_are_tried_on_when_asked_for)
{
    for (size_t n_refine = 0; n_refine <= 12; n_refine++) {
        struct world w = {.n_item = 12, .n_load = 9};
        struct mr_err err = {0};
        size_t best, n_sharp = 0, n_less = 0;
        for (size_t i = 0; i < w.n_item; i++) {
            w.item[i] = (struct mr_search_item){.size = 1, .bound_tok_s = 2000 - (double)i};
            w.held[i] = i == 0 ? 7 : 3;
            for (size_t l = 0; l < w.n_load; l++)
                w.tok_s[i][l] = (double)l;
        }
        const struct mr_search_plan plan = {w.n_item, w.n_load, false, 0, 0, &w, play, n_refine};
        assert_int_equal(mr_search_run(&plan, w.item, &best, &err), MR_OK);
        assert_int_equal(best, 0);
        for (size_t i = 1; i < w.n_item; i++) {
            n_less += w.item[i].fate == MR_SEARCH_LESS;
            n_sharp += w.item[i].hi - w.item[i].lo == 1 && w.item[i].lo == 3;
        }
        assert_int_equal(n_less, 11);
        assert_int_equal(n_sharp, n_refine < 11 ? n_refine : 11);
    }
}

static mr_status stop(void *context, struct mr_search_trial *trial, size_t n, struct mr_err *err)
{
    (void)context;
    (void)trial;
    return mr_err_set(err, MR_STOPPED, MR_NOWHERE, "after %zu", n);
}

MR_TEST(a_hook_may_stop_it)
{
    struct mr_search_item item[2] = {{.bound_tok_s = 1}, {.bound_tok_s = 2}};
    struct mr_err err = {0};
    size_t best;
    const struct mr_search_plan plan = {2, 3, false, 0, 0, NULL, stop, 0};
    assert_int_equal(mr_search_run(&plan, item, &best, &err), MR_STOPPED);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(finds_what_playing_everything_finds),
             MR_TEST_ENTRY(with_a_target_larger_ones_are_not_played),
             MR_TEST_ENTRY(losers_need_one_run), MR_TEST_ENTRY(losers_are_tried_on_when_asked_for),
             MR_TEST_ENTRY(a_hook_may_stop_it))
