/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/script_hint: as many kinds as a script keeps are told apart; classes follow the order
 * of priorities, one each where there are few, and never cross 0. */
#include "engine/work/script_hint.h"

#include "engine/base/rng.h"
#include "tests/test.h"

struct world {
    struct mr_script script;
    struct mr_intern kinds;
};

static uint16_t add(struct world *w, struct mr_script_hint hint)
{
    struct mr_err err = {0};
    uint16_t place;
    assert_int_equal(mr_script_hint_add(&w->script, &w->kinds, &hint, &place, &err), MR_OK);
    return place;
}

static void levels(struct world *w, size_t above, size_t below)
{
    struct mr_err err = {0};
    size_t n_above, n_below;
    assert_int_equal(mr_script_hint_levels(&w->script, &n_above, &n_below, &err), MR_OK);
    assert_int_equal(n_above, above);
    assert_int_equal(n_below, below);
}

static void end(struct world *w)
{
    mr_intern_fini(&w->kinds);
    mr_script_fini(&w->script);
}

MR_TEST(kinds_are_told_apart)
{
    struct world w = {0};
    const struct mr_script_hint base = {.priority = 3, .n_expected = 7, .ttl_s = 1};
    struct mr_script_hint other[5];
    for (int i = 0; i < 5; i++)
        other[i] = base;
    other[0].priority = 4;
    other[1].is_strict = true;
    other[2].prefills = true;
    other[3].n_expected = 8;
    other[4].ttl_s = 2;
    assert_int_equal(add(&w, base), 1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(add(&w, other[i]), i + 2);
    assert_int_equal(add(&w, base), 1);
    assert_int_equal(w.script.n_hint, 7);
    end(&w);
}

/* Lengths of outputs as published traces say them, one each. */
MR_TEST(there_are_65535_kinds)
{
    struct world w = {0};
    for (uint32_t i = 1; i <= MR_SCRIPT_HINTS; i++)
        assert_int_equal(add(&w, (struct mr_script_hint){.n_expected = i}), i);
    assert_int_equal(add(&w, (struct mr_script_hint){.n_expected = 1 << 20}), 0);
    assert_int_equal(add(&w, (struct mr_script_hint){.n_expected = 300}), 300);
    assert_int_equal(w.script.hint[300].n_expected, 300);
    end(&w);
}

MR_TEST(few_priorities_have_a_class_each)
{
    struct world w = {0};
    static const int32_t priority[] = {0, 1000000000, -5, 100, 7, 8, -2000000000, 9, 10, 1, 7};
    static const int8_t level[] = {0, 7, -1, 6, 2, 3, -2, 4, 5, 1, 2};
    for (size_t i = 0; i < sizeof priority / sizeof *priority; i++)
        add(&w, (struct mr_script_hint){.priority = priority[i], .n_expected = (uint32_t)i + 1});
    levels(&w, 7, 2);
    for (size_t i = 0; i < sizeof priority / sizeof *priority; i++)
        assert_int_equal(w.script.hint[i + 1].level, level[i]);
    end(&w);
}

MR_TEST(many_priorities_share_classes_in_order)
{
    struct world w = {0};
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 1);
    bool is_used[16] = {false};
    for (uint32_t i = 0; i < 400; i++)
        add(&w, (struct mr_script_hint){.priority = (int32_t)mr_rng_below(&rng, 2000) - 1000,
                                        .n_expected = i + 1});
    struct mr_err err = {0};
    size_t n_above, n_below;
    assert_int_equal(mr_script_hint_levels(&w.script, &n_above, &n_below, &err), MR_OK);
    assert_true(n_above > 100 && n_below > 100 && n_above + n_below <= 400);
    for (size_t i = 1; i < w.script.n_hint; i++) {
        const struct mr_script_hint *a = &w.script.hint[i];
        assert_true(a->level >= MR_SCRIPT_LEVEL_MIN && a->level <= MR_SCRIPT_LEVEL_MAX);
        assert_int_equal((a->level > 0) - (a->level < 0), (a->priority > 0) - (a->priority < 0));
        is_used[a->level - MR_SCRIPT_LEVEL_MIN] = true;
        for (size_t k = 1; k < i; k++) {
            const struct mr_script_hint *b = &w.script.hint[k];
            assert_true(a->priority <= b->priority || a->level >= b->level);
            assert_true(a->priority != b->priority || a->level == b->level);
        }
    }
    for (int i = 0; i < 16; i++)
        assert_true(is_used[i] || i == -MR_SCRIPT_LEVEL_MIN);
    end(&w);
}

MR_TEST(without_hints_there_is_nothing_to_do)
{
    struct world w = {0};
    levels(&w, 0, 0);
    end(&w);
}

MR_TEST_MAIN(MR_TEST_ENTRY(kinds_are_told_apart), MR_TEST_ENTRY(there_are_65535_kinds),
             MR_TEST_ENTRY(few_priorities_have_a_class_each),
             MR_TEST_ENTRY(many_priorities_share_classes_in_order),
             MR_TEST_ENTRY(without_hints_there_is_nothing_to_do))
