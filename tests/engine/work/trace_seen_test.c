/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/trace_seen against a count of every id, with runs that overlap and pages of both
 * kinds; what is forgotten is new again. */
#include "engine/work/trace_seen.h"

#include "engine/base/rng.h"
#include "tests/test.h"

enum {
    n_id = 4000,
    n_run = 600
};

MR_TEST(ids_are_counted_one_by_one)
{
    struct mr_rng rng = mr_rng_stream(11, MR_RNG_TEST, 0);
    struct mr_trace_seen seen = {0};
    for (int round = 0; round < 20; round++) {
        static uint32_t count[2][n_id];
        uint64_t n_seen = 0, n_once = 0;
        memset(count, 0, sizeof count);
        for (int i = 0; i < n_run >> round % 4; i++) {
            struct mr_session_run run = {.id = mr_rng_below(&rng, n_id),
                                         .is_minted = mr_rng_below(&rng, 2) == 1};
            const uint64_t most = n_id - run.id < 300 ? n_id - run.id : 300;
            run.n = (uint32_t)mr_rng_below(&rng, most + 1);
            uint32_t *own = &count[run.is_minted][run.id], n_known = 0;
            while (n_known < run.n && own[n_known] > 0)
                n_known++;
            assert_int_equal(mr_trace_seen_count(&seen, &run), n_known);
            assert_int_equal(mr_trace_seen_add(&seen, &run, NULL), MR_OK);
            for (uint32_t k = 0; k < run.n; k++) {
                n_seen += own[k] == 0;
                n_once += own[k] == 0;
                n_once -= own[k] == 1;
                own[k]++;
            }
            assert_int_equal(seen.n_id, n_seen);
            assert_int_equal(seen.n_once, n_once);
        }
        mr_trace_seen_clear(&seen);
        assert_int_equal(seen.n_id + seen.n_once, 0);
    }
    mr_trace_seen_fini(&seen);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(ids_are_counted_one_by_one))
