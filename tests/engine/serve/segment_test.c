/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/segment: closed forms against stepping, boundaries and ties, tens of millions of
 * steps, a step that is done in parts. */
#include "engine/serve/segment.h"

#include "engine/base/rng.h"
#include "tests/test.h"

MR_TEST(sums_equal_stepping)
{
    struct mr_rng rng = mr_rng_stream(5, MR_RNG_TEST, 1);
    for (int i = 0; i < 2000; i++) {
        const struct mr_segment s = {mr_rng_range(&rng, 0, 1e4),
                                     0,
                                     mr_rng_range(&rng, 1e-3, 0.1),
                                     mr_rng_range(&rng, 1e-3, 0.1),
                                     i % 4 == 0 ? 0 : mr_rng_range(&rng, 0, 1e-5),
                                     400};
        long double end_s = 0;
        for (uint64_t k = 0; k <= s.n_step; k++) {
            mr_assert_near(mr_segment_sum_s(&s, k), (double)end_s, 1e-13, 1e-15);
            end_s += k == 0 ? (long double)s.first_s
                            : (long double)s.a_s + (long double)s.b_s * (long double)k;
        }
    }
}

/* What `until` and `ended` mean, tried one by one. */
static uint64_t slow_until(const struct mr_segment *s, double time_s)
{
    uint64_t k = 1;
    while (k < s->n_step && mr_segment_sum_s(s, k) < time_s - s->start_s - MR_SEGMENT_TIE_S)
        k++;
    return k;
}

static uint64_t slow_ended(const struct mr_segment *s, double time_s)
{
    uint64_t k = 0;
    while (k < s->n_step && mr_segment_sum_s(s, k + 1) <= time_s - s->start_s)
        k++;
    return k;
}

MR_TEST(boundaries_equal_search)
{
    struct mr_rng rng = mr_rng_stream(5, MR_RNG_TEST, 2);
    for (int i = 0; i < 1000000; i++) {
        struct mr_segment s = {0,
                               0,
                               mr_rng_range(&rng, 1e-3, 0.1),
                               mr_rng_range(&rng, 1e-3, 0.1),
                               i % 3 == 0 ? 0 : mr_rng_range(&rng, 0, 1e-3),
                               1 + mr_rng_below(&rng, 40)};
        const uint64_t at = mr_rng_below(&rng, s.n_step + 1);
        double time_s = mr_segment_sum_s(&s, at);
        switch (i % 5) {
        case 0:
            break; /* on a boundary */
        case 1:
            time_s = nextafter(time_s, 1e9);
            break;
        case 2:
            time_s = nextafter(time_s, -1);
            break;
        case 3:
            time_s += MR_SEGMENT_TIE_S;
            break;
        default:
            time_s = mr_rng_range(&rng, 0, 1.2 * mr_segment_sum_s(&s, s.n_step));
        }
        assert_int_equal(mr_segment_until(&s, time_s), slow_until(&s, time_s));
        assert_int_equal(mr_segment_ended(&s, time_s), slow_ended(&s, time_s));
    }
}

MR_TEST(ties_are_seen_from_the_boundary_they_miss)
{
    const struct mr_segment s = {10, 0, 0.5, 0.5, 0, 4};
    assert_int_equal(mr_segment_until(&s, 11), 2);
    assert_int_equal(mr_segment_until(&s, 11 + 0.9e-9), 2);
    assert_int_equal(mr_segment_until(&s, 11 + 1.2e-9), 3);
    assert_int_equal(mr_segment_until(&s, 9), 1);
    assert_int_equal(mr_segment_until(&s, 99), 4);
}

MR_TEST(ten_million_steps)
{
    const struct mr_segment s = {0, 0, 0.02, 0.02, 3e-9, 10000000};
    for (uint64_t k = 1; k <= s.n_step; k += 99991) {
        const double time_s = mr_segment_sum_s(&s, k);
        assert_int_equal(mr_segment_ended(&s, time_s), k);
        assert_int_equal(mr_segment_until(&s, time_s), k);
        assert_int_equal(mr_segment_until(&s, time_s + 0.01), k < s.n_step ? k + 1 : k);
        assert_int_equal(mr_segment_ended(&s, time_s - 0.01), k - 1);
    }
}

MR_TEST(shares_of_a_step_add_up)
{
    const struct mr_segment s = {100, 0, 0.3, 1, 0.5, 3};
    /* half of step 0 had been done when the clock changed */
    mr_assert_near(mr_segment_share(&s, 0, 100, 0.5), 0.5, 1e-12, 0);
    mr_assert_near(mr_segment_share(&s, 0, 100.15, 0.5), 0.75, 1e-12, 0);
    mr_assert_near(mr_segment_share(&s, 1, 100.3 + 0.75, 0.5), 0.5, 1e-12, 0);
}

/* Ten million steps one by one, and all of them in one leap. */
MR_TEST(single_steps_reach_where_a_leap_does)
{
    struct mr_segment s = {3600, 0, 0.0101, 0.0101, 0, 10000000};
    const double leap_s = mr_segment_end_s(&s, s.n_step);
    double careless_s = s.start_s;
    s.n_step = 1;
    for (int i = 0; i < 10000000; i++) {
        const double end_s = mr_segment_end_s(&s, 1);
        s.lost_s = mr_segment_lost_s(&s, 1);
        s.start_s = end_s;
        careless_s += s.first_s;
    }
    mr_assert_near(s.start_s, leap_s, 0, 2e-11); /* an ulp there is 1.5e-11 s */
    assert_true(fabs(careless_s - leap_s) > 1e-9);
}

MR_TEST_MAIN(MR_TEST_ENTRY(sums_equal_stepping), MR_TEST_ENTRY(boundaries_equal_search),
             MR_TEST_ENTRY(ties_are_seen_from_the_boundary_they_miss),
             MR_TEST_ENTRY(ten_million_steps), MR_TEST_ENTRY(shares_of_a_step_add_up),
             MR_TEST_ENTRY(single_steps_reach_where_a_leap_does))
