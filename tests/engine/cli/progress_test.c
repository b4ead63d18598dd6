/* SPDX-License-Identifier: Apache-2.0 */
/* engine/cli/progress: when it speaks and what it says, with a clock made of numbers. */
#include "engine/cli/progress.h"

#include "tests/test.h"

static const uint64_t s = 1000000000u;

static struct mr_progress_state state_at(double done)
{
    return (struct mr_progress_state){.done_frac = done,
                                      .sim_s = done * 3600,
                                      .end_s = 3600,
                                      .events_per_s = 1.9e6,
                                      .real_time = 63,
                                      .site_mw = 118.4,
                                      .what = NULL};
}

MR_TEST(the_line)
{
    struct mr_progress p;
    struct mr_buf out = {0};
    mr_progress_init(&p, true, true, 0);
    const struct mr_progress_state state = state_at(0.42);
    mr_progress_text(&p, &state, (uint64_t)(24 * s), &out);
    assert_string_equal(out.text, "[====>     ] 42 %  sim 1512/3600 s  1.9e6 ev/s  63x real "
                                  "time  118.4 MW  ETA 0:33");
    mr_buf_fini(&out);
}

MR_TEST(parts_not_known_are_left_out)
{
    struct mr_progress p;
    struct mr_buf out = {0};
    mr_progress_init(&p, true, true, 0);
    struct mr_progress_state state = mr_progress_nothing();
    state.done_frac = 0;
    state.what = "json";
    mr_progress_text(&p, &state, 5 * s, &out);
    assert_string_equal(out.text, "[>         ] 0 %  json");
    mr_buf_clear(&out);
    struct mr_progress_state full = mr_progress_nothing();
    full.done_frac = 1;
    full.what = NULL;
    mr_progress_text(&p, &full, 5 * s, &out);
    assert_string_equal(out.text, "[==========] 100 %  ETA 0:00");
    mr_buf_clear(&out);
    struct mr_progress_state slow = mr_progress_nothing();
    slow.done_frac = 0.001;
    slow.what = NULL;
    mr_progress_text(&p, &slow, 10 * s, &out);
    assert_string_equal(out.text, "[>         ] 0 %  ETA 2:46:30");
    mr_buf_fini(&out);
}

MR_TEST(terminal_after_a_second_five_times_a_second)
{
    struct mr_progress p;
    struct mr_buf out = {0};
    int n = 0;
    mr_progress_init(&p, true, true, 7 * s);
    for (uint64_t ms = 0; ms < 3000; ms += 10) {
        const struct mr_progress_state state = state_at((double)ms / 3000);
        n += mr_progress_update(&p, &state, 7 * s + ms * 1000000u, &out);
        if (ms < 1000)
            assert_int_equal(n, 0);
    }
    assert_int_equal(n, 10); /* at 1.0, 1.2, ... 2.8 s */
    mr_assert_contains(out.text, "\r\033[K[");
    assert_null(strchr(out.text, '\n'));
    mr_buf_clear(&out);
    mr_progress_finish(&p, &out);
    assert_string_equal(out.text, "\r\033[K");
    mr_buf_fini(&out);
}

MR_TEST(elsewhere_ten_percent_or_a_minute_whichever_is_rarer)
{
    struct mr_progress fast, slow;
    struct mr_buf out = {0};
    int n_fast = 0, n_slow = 0;
    mr_progress_init(&fast, true, false, 0);
    mr_progress_init(&slow, true, false, 0);
    for (uint64_t i = 0; i <= 1000; i++) {
        const struct mr_progress_state state = state_at((double)i / 1000);
        n_fast += mr_progress_update(&fast, &state, i * s / 10, &out); /* 100 s in all */
        n_slow += mr_progress_update(&slow, &state, i * 10 * s, &out); /* 10,000 s in all */
    }
    assert_int_equal(n_fast, 1);
    assert_int_equal(n_slow, 10);
    assert_null(strchr(out.text, '\r'));
    mr_buf_fini(&out);
}

MR_TEST(switched_off_it_is_silent)
{
    struct mr_progress p;
    struct mr_buf out = {0};
    mr_progress_init(&p, false, true, 0);
    const struct mr_progress_state state = state_at(0.5);
    assert_false(mr_progress_update(&p, &state, 100 * s, &out));
    mr_progress_finish(&p, &out);
    assert_int_equal(out.n, 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(the_line), MR_TEST_ENTRY(parts_not_known_are_left_out),
             MR_TEST_ENTRY(terminal_after_a_second_five_times_a_second),
             MR_TEST_ENTRY(elsewhere_ten_percent_or_a_minute_whichever_is_rarer),
             MR_TEST_ENTRY(switched_off_it_is_silent))
