/* SPDX-License-Identifier: Apache-2.0 */
/* power/generator: starts, shares, losses of a unit, fuel, least loads, random loads. */
#include "power/generator.h"

#include "engine/base/rng.h"
#include "tests/test.h"

struct site {
    struct mr_arena arena;
    struct mr_generator_params params;
    struct mr_generator block;
};

static void build(struct site *s, enum mr_generator_kind kind, uint64_t n, uint64_t n_spare)
{
    *s = (struct site){0};
    mr_generator_defaults(&s->params, kind);
    s->params.n_unit = n;
    s->params.n_spare = n_spare;
    assert_int_equal(mr_generator_check(&s->params, "g", NULL), MR_OK);
    assert_int_equal(mr_generator_init(&s->arena, &s->params, 0, &s->block, NULL), MR_OK);
}

static void ask(struct site *s, double load_w)
{
    mr_generator_set(&s->params, &s->block, load_w);
}

static void go(struct site *s, double t_s)
{
    mr_generator_advance(&s->params, &s->block, t_s);
}

static double next_s(const struct site *s)
{
    return mr_generator_next_s(&s->params, &s->block);
}

MR_TEST(a_diesel_set_starts)
{
    struct site s;
    build(&s, MR_GENERATOR_DIESEL, 1, 0);
    assert_true(next_s(&s) == (double)INFINITY);
    ask(&s, 2.4e6);
    assert_int_equal(s.block.unit[0].state, MR_GENERATOR_CRANKING);
    assert_true(next_s(&s) == 10);
    go(&s, 10);
    assert_int_equal(s.block.unit[0].state, MR_GENERATOR_RAMPING);
    assert_true(next_s(&s) == 14); /* 2.4 MW at 0.6 MW/s */
    go(&s, 12);
    mr_assert_near(mr_generator_power_w(&s.block), 1.2e6, 1e-12, 0);
    mr_assert_near(mr_generator_surplus_w(&s.block), -1.2e6, 1e-12, 0);
    go(&s, 60);
    assert_int_equal(s.block.unit[0].state, MR_GENERATOR_ON);
    assert_true(mr_generator_power_w(&s.block) == 2.4e6);
    mr_assert_near(s.block.energy_j, 0.5 * 2.4e6 * 4 + 2.4e6 * 46, 1e-12, 0);
    mr_assert_near(mr_generator_headroom_w(&s.params, &s.block), 0.6e6, 1e-12, 0);
    ask(&s, 0); /* not before it has run for ten minutes */
    mr_assert_near(mr_generator_power_w(&s.block), 2.4e6, 1e-12, 0);
    go(&s, 600);
    assert_int_equal(s.block.unit[0].state, MR_GENERATOR_ON);
    mr_assert_near(mr_generator_power_w(&s.block), 0.9e6, 1e-12, 0); /* its least */
    go(&s, 700);
    assert_int_equal(s.block.unit[0].state, MR_GENERATOR_OFF);
    assert_true(next_s(&s) == (double)INFINITY && mr_generator_power_w(&s.block) == 0);
    mr_arena_fini(&s.arena);
}

/* 60 MW on turbines of 34 MW: two carry it, a third spins. One is lost: 20 MW are missing, the
 * others find them in 20 s, a fourth takes ten minutes. */
MR_TEST(a_turbine_is_lost)
{
    struct site s;
    build(&s, MR_GENERATOR_TURBINE, 4, 1);
    ask(&s, 60e6);
    go(&s, 3000);
    assert_int_equal(mr_generator_n_running(&s.block), 3);
    assert_int_equal(s.block.unit[3].state, MR_GENERATOR_OFF);
    assert_true(mr_generator_power_w(&s.block) == 60e6);
    mr_assert_near(mr_generator_headroom_w(&s.params, &s.block), 42e6, 1e-12, 0);
    mr_generator_fail(&s.params, &s.block, 1);
    mr_assert_near(mr_generator_surplus_w(&s.block), -20e6, 1e-12, 0);
    const double before_j = s.block.energy_j;
    assert_true(next_s(&s) == 3020);
    go(&s, 3020);
    mr_assert_near(mr_generator_power_w(&s.block), 60e6, 1e-12, 0);
    mr_assert_near(60e6 * 20 - (s.block.energy_j - before_j), 0.5 * 20e6 * 20, 1e-10, 0);
    assert_int_equal(s.block.unit[3].state, MR_GENERATOR_CRANKING);
    assert_true(next_s(&s) == 3600);
    /* the fourth joins without disturbing the sum */
    go(&s, 3600);
    for (int i = 0; i < 40; i++) {
        go(&s, 3600 + i);
        mr_assert_near(mr_generator_power_w(&s.block), 60e6, 1e-12, 0);
    }
    go(&s, 4000);
    assert_true(s.block.unit[3].power_w == 20e6 && s.block.unit[0].power_w == 20e6);
    mr_generator_repair(&s.params, &s.block, 1);
    assert_int_equal(s.block.unit[1].state, MR_GENERATOR_OFF);
    mr_arena_fini(&s.arena);
}

MR_TEST(all_that_is_there_is_not_enough)
{
    struct site s;
    build(&s, MR_GENERATOR_TURBINE, 2, 1);
    ask(&s, 100e6);
    go(&s, 2000);
    assert_true(mr_generator_power_w(&s.block) == 68e6);
    mr_assert_near(mr_generator_surplus_w(&s.block), -32e6, 1e-12, 0);
    mr_arena_fini(&s.arena);
}

/* 5 MW now, 4 MW that will come when units are there for it: three of 3 MW run and share 5 MW. */
MR_TEST(units_for_more)
{
    struct site s;
    build(&s, MR_GENERATOR_DIESEL, 4, 0);
    mr_generator_set_more(&s.params, &s.block, 5e6, 4e6);
    go(&s, 100);
    assert_int_equal(mr_generator_n_running(&s.block), 3);
    mr_assert_near(mr_generator_power_w(&s.block), 5e6, 1e-12, 0);
    mr_assert_near(mr_generator_headroom_w(&s.params, &s.block), 4e6, 1e-12, 0);
    mr_generator_set_more(&s.params, &s.block, 9e6, 0);
    go(&s, 200);
    assert_int_equal(mr_generator_n_running(&s.block), 3);
    mr_assert_near(mr_generator_power_w(&s.block), 9e6, 1e-12, 0);
    mr_arena_fini(&s.arena);
}

MR_TEST(the_least_load_is_kept)
{
    struct site s;
    build(&s, MR_GENERATOR_TURBINE, 2, 1);
    ask(&s, 20e6); /* one would do, two spin: 15.3 MW each at least */
    go(&s, 2000);
    mr_assert_near(mr_generator_surplus_w(&s.block), 2 * 15.3e6 - 20e6, 1e-12, 0);
    mr_assert_near(mr_generator_least_frac(&s.params, 20e6), 20 / 30.6, 1e-12, 0);
    assert_true(mr_generator_least_frac(&s.params, 31e6) == 1);
    mr_arena_fini(&s.arena);
}

MR_TEST(fuel_runs_out_when_it_must)
{
    struct site s;
    build(&s, MR_GENERATOR_DIESEL, 1, 0);
    s.params.fuel_j = 3e6 / 0.4 * 3600; /* an hour at rated power */
    assert_int_equal(mr_generator_init(&s.arena, &s.params, 0, &s.block, NULL), MR_OK);
    ask(&s, 3e6);
    /* 10 s to start, 5 s to full: those burn (0.12 + 0.88 / 2) of full power's fuel */
    go(&s, 16);
    const double end_s = 15 + (3600 - 5 * (0.12 + 0.44));
    mr_assert_near(next_s(&s), end_s, 1e-12, 0);
    go(&s, 5000);
    assert_int_equal(s.block.unit[0].state, MR_GENERATOR_FAILED);
    assert_true(mr_generator_power_w(&s.block) == 0);
    mr_assert_near(s.block.fuel_j, s.params.fuel_j, 1e-12, 0);
    mr_assert_near(s.block.energy_j, 3e6 * (2.5 + end_s - 15), 1e-12, 0);
    /* also in the middle of a ramp */
    s.params.fuel_j = 3e6 / 0.4 * 2;
    assert_int_equal(mr_generator_init(&s.arena, &s.params, 0, &s.block, NULL), MR_OK);
    ask(&s, 3e6);
    go(&s, 10);
    const double t_s = next_s(&s) - 10; /* 0.12 t + 0.88 t^2 / 10 = 2 */
    mr_assert_near(0.12 * t_s + 0.088 * t_s * t_s, 2, 1e-12, 0);
    mr_arena_fini(&s.arena);
}

/* What a governor adds comes from the stores of the units that run, and ends them sooner. */
MR_TEST(what_is_drained_ends_them_sooner)
{
    struct site s;
    build(&s, MR_GENERATOR_DIESEL, 3, 0);
    const double full_w = 3e6 / 0.4;
    s.params.fuel_j = full_w * 3600;
    assert_int_equal(mr_generator_init(&s.arena, &s.params, 0, &s.block, NULL), MR_OK);
    ask(&s, 6e6);
    go(&s, 100);
    assert_int_equal(mr_generator_n_running(&s.block), 2);
    const double end_s = next_s(&s), left_j = s.block.unit[0].fuel_j;
    mr_generator_drain(&s.params, &s.block, 2 * full_w * 600);
    mr_assert_near(next_s(&s), end_s - 600, 1e-12, 0);
    mr_assert_near(left_j - s.block.unit[0].fuel_j, full_w * 600, 1e-12, 0);
    assert_true(s.block.unit[2].fuel_j == s.params.fuel_j);
    mr_generator_drain(&s.params, &s.block, 1e3 * left_j);
    go(&s, 100.1);
    assert_int_equal(s.block.unit[0].state, MR_GENERATOR_FAILED);
    assert_int_equal(s.block.unit[1].state, MR_GENERATOR_FAILED);
    mr_arena_fini(&s.arena);
}

MR_TEST(random_loads)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
        struct site s;
        build(&s, (enum mr_generator_kind)mr_rng_below(&rng, 2), 2 + mr_rng_below(&rng, 6),
              mr_rng_below(&rng, 2));
        s.params.fuel_j = mr_rng_below(&rng, 2) == 0 ? 0 : s.params.rated_w * 20000;
        assert_int_equal(mr_generator_init(&s.arena, &s.params, 0, &s.block, NULL), MR_OK);
        const double most_w = (double)s.params.n_unit * s.params.rated_w;
        double t_s = 0, stepped_j = 0;
        for (int k = 0; k < 40; k++) {
            switch (mr_rng_below(&rng, 6)) {
            case 0:
                mr_generator_fail(&s.params, &s.block, (uint32_t)mr_rng_below(&rng, s.block.n));
                break;
            case 1:
                mr_generator_repair(&s.params, &s.block, (uint32_t)mr_rng_below(&rng, s.block.n));
                break;
            default:
                ask(&s, mr_rng_below(&rng, 5) == 0 ? 0 : mr_rng_range(&rng, 0, 1.1 * most_w));
            }
            const double end_s = t_s + mr_rng_range(&rng, 1, 900);
            /* from event to event: between them everything is linear */
            while (t_s < end_s) {
                const double to_s = fmin(end_s, next_s(&s));
                assert_true(to_s > t_s || next_s(&s) <= t_s);
                struct mr_generator_unit then[8];
                memcpy(then, s.block.unit, s.block.n * sizeof *then);
                go(&s, to_s);
                for (uint32_t i = 0; i < s.block.n; i++) {
                    const struct mr_generator_unit *const unit = &s.block.unit[i];
                    assert_true(fabs(then[i].slope_w_s) <= s.params.ramp_w_s * (1 + 1e-12));
                    assert_true(unit->power_w >= -1e-6 && unit->power_w <= s.params.rated_w + 1e-6);
                    stepped_j +=
                        (then[i].power_w + 0.5 * then[i].slope_w_s * (to_s - t_s)) * (to_s - t_s);
                    assert_true(unit->fuel_j >= 0);
                }
                t_s = to_s;
            }
        }
        mr_assert_near(s.block.energy_j, stepped_j, 1e-9, 1);
        /* no unit is better than at its rated power */
        assert_true(s.block.energy_j <= s.params.efficiency * s.block.fuel_j * (1 + 1e-12));
        mr_arena_fini(&s.arena);
    }
}

MR_TEST(impossible_blocks)
{
    struct mr_generator_params params;
    struct mr_err err = {0};
    mr_generator_defaults(&params, MR_GENERATOR_TURBINE);
    assert_true(params.rated_w == 34e6 && params.start_s == 600 && params.min_load_frac == 0.45);
    params.n_unit = params.n_spare = 2;
    assert_int_equal(mr_generator_check(&params, "gas", &err), MR_RANGE);
    mr_assert_contains(err.text, "gas: 2 spares of 2 units: none is left to carry load");
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_diesel_set_starts), MR_TEST_ENTRY(a_turbine_is_lost),
             MR_TEST_ENTRY(all_that_is_there_is_not_enough), MR_TEST_ENTRY(units_for_more),
             MR_TEST_ENTRY(the_least_load_is_kept), MR_TEST_ENTRY(fuel_runs_out_when_it_must),
             MR_TEST_ENTRY(what_is_drained_ends_them_sooner), MR_TEST_ENTRY(random_loads),
             MR_TEST_ENTRY(impossible_blocks))
