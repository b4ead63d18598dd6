/* SPDX-License-Identifier: Apache-2.0 */
/* models/lpx_leap: pieces of a maximum of lines against the maximum itself, step by step. */
#include "models/lpx_leap.h"

#include "tests/test.h"

static double max_of(const struct mr_lpx_leap_line *line, int n, uint64_t j)
{
    double most_s = 0;
    for (int i = 0; i < n; i++)
        most_s = fmax(most_s, line[i].a_s + line[i].b_s * (double)j);
    return most_s;
}

static void check_lines(const struct mr_lpx_leap_line *line, int n, uint64_t n_step)
{
    const struct mr_lpx_leap leap = mr_lpx_leap_of(line, n);
    double sum_s = 0;
    assert_in_range(leap.n_piece, 1, n);
    assert_int_equal(leap.piece[0].first, 0);
    for (int i = 1; i < leap.n_piece; i++) {
        assert_true(leap.piece[i].first > leap.piece[i - 1].first);
        assert_true(leap.piece[i].b_s > leap.piece[i - 1].b_s);
    }
    for (uint64_t j = 0; j < n_step; j++) {
        const double most_s = max_of(line, n, j);
        mr_assert_near(mr_lpx_leap_step_s(&leap, j), most_s, 1e-14, 0);
        sum_s += most_s;
        if (j % 17 == 0)
            mr_assert_near(mr_lpx_leap_sum_s(&leap, j + 1), sum_s, 1e-12, 0);
    }
}

MR_TEST(pieces_by_hand)
{
    /* 10 to step 4, then 6 + j (equal at 4), then 3 j from 3: 6 + j = 3 j */
    static const struct mr_lpx_leap_line line[] = {{10, 0}, {6, 1}, {-30, 4}};
    const struct mr_lpx_leap leap = mr_lpx_leap_of(line, 3);
    assert_int_equal(leap.n_piece, 3);
    assert_int_equal(leap.piece[1].first, 4);
    assert_int_equal(leap.piece[2].first, 12);
    assert_true(mr_lpx_leap_step_s(&leap, 3) == 10 && mr_lpx_leap_step_s(&leap, 11) == 17);
    assert_true(mr_lpx_leap_step_s(&leap, 12) == 18 && mr_lpx_leap_step_s(&leap, 13) == 22);
    assert_true(mr_lpx_leap_sum_s(&leap, 0) == 0 && mr_lpx_leap_sum_s(&leap, 4) == 40);
    assert_true(mr_lpx_leap_sum_s(&leap, 12) == 40 + 8 * 6 + (4 + 11) * 8 / 2.);
    const struct mr_lpx_leap twice = mr_lpx_leap_scaled(&leap, 2);
    assert_true(mr_lpx_leap_sum_s(&twice, 20) == 2 * mr_lpx_leap_sum_s(&leap, 20));
}

MR_TEST(one_piece_where_nothing_crosses)
{
    static const struct mr_lpx_leap_line equal[] = {{1, 0.5}, {1, 0.5}, {1, 0.5}};
    static const struct mr_lpx_leap_line below[] = {{5, 2}, {4, 2}, {5, 1}, {3, 0}};
    static const struct mr_lpx_leap_line flat[] = {{5, 0}, {7, 0}};
    assert_int_equal(mr_lpx_leap_of(equal, 3).n_piece, 1);
    assert_int_equal(mr_lpx_leap_of(below, 4).n_piece, 1);
    assert_true(mr_lpx_leap_of(flat, 2).piece[0].a_s == 7);
    /* a kink beyond any run is none */
    static const struct mr_lpx_leap_line far[] = {{1, 0}, {0, 1e-18}};
    assert_int_equal(mr_lpx_leap_of(far, 2).n_piece, 1);
}

MR_TEST(random_lines_equal_stepping)
{
    uint64_t state = 88172645463325252u;
    for (int trial = 0; trial < 2000; trial++) {
        struct mr_lpx_leap_line line[MR_LPX_LEAP_PIECES];
        for (int i = 0; i < MR_LPX_LEAP_PIECES; i++) {
            double draw[2];
            for (int k = 0; k < 2; k++) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                draw[k] = (double)(state >> 11) * 0x1p-53;
            }
            line[i] = (struct mr_lpx_leap_line){1 + draw[0], 0.02 * draw[1] * draw[1]};
        }
        check_lines(line, 1 + trial % MR_LPX_LEAP_PIECES, 300);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(pieces_by_hand), MR_TEST_ENTRY(one_piece_where_nothing_crosses),
             MR_TEST_ENTRY(random_lines_equal_stepping))
