/* SPDX-License-Identifier: Apache-2.0 */
/* engine/twin/record_every: intervals by kind. */
#include "engine/twin/record_every.h"

#include "tests/test.h"

static struct mr_record_every parse(const char *text)
{
    struct mr_record_every every;
    struct mr_err err = {0};
    if (mr_record_every_parse(text, &every, &err) != MR_OK)
        fail_msg("%s: %s", text, err.text);
    return every;
}

MR_TEST(kinds_have_their_own)
{
    for (int k = 0; k < MR_RECORD_KINDS; k++) {
        assert_true(parse("1 s").every_s[k] == 1 && parse("250ms").every_s[k] == 0.25);
        assert_true(parse("racks=10s,site=3s").every_s[k] == (k == MR_RECORD_RACKS  ? 10
                                                              : k == MR_RECORD_SITE ? 3
                                                                                    : 1));
        assert_true(parse("5 s,tiers=1 min").every_s[k] == (k == MR_RECORD_TIERS ? 60 : 5));
    }
}

MR_TEST(what_cannot_be_is_told)
{
    static const char *const wrong[] = {
        "",          "x",           "0s",          "1e10s",
        "1s,2s",     "rack=1s",     "racks=",      "racks=1s,racks=1s",
        "racks=1s,", ",racks=1s",   "racks=1s,5s", "racks=5W",
        "=1s",       "racks=nan s", "racks=-1s",   "racks==1s"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct mr_record_every every;
        struct mr_err err = {0};
        if (mr_record_every_parse(wrong[i], &every, &err) == MR_OK || err.text[0] == '\0')
            fail_msg("\"%s\" passed", wrong[i]);
        assert_int_equal(mr_status_exit_code(err.status), 3);
    }
}

/* Equal intervals are one; who is not recorded asks for none. */
MR_TEST(dates_are_of_what_is_recorded)
{
    const struct mr_record_every every = parse("2s,racks=10s,dies=1s,pools=10s");
    struct mr_record_level level = {.has_site = true, .has_racks = true};
    struct mr_record_dates dates;
    mr_record_every_dates(&every, &level, &dates);
    assert_int_equal(dates.n, 3);
    assert_true(dates.every_s[0] == 2 && dates.every_s[1] == 10 && dates.every_s[2] == 1);
    assert_true(dates.due[MR_RECORD_SITE] == 1 && dates.due[MR_RECORD_TIERS] == 1);
    assert_true(dates.due[MR_RECORD_RACKS] == 2 && dates.due[MR_RECORD_POOLS] == 2 &&
                dates.due[MR_RECORD_DIES] == 0 && dates.look == 4);
    const struct mr_record_every plain = mr_record_every_all(1);
    mr_record_every_dates(&plain, &level, &dates);
    assert_true(dates.n == 1 && dates.look == 1 && dates.due[MR_RECORD_POOLS] == 1);
    level = (struct mr_record_level){0};
    mr_record_every_dates(&every, &level, &dates);
    assert_true(dates.n == 0 && dates.look == 0);
}

MR_TEST(one_text_for_the_same)
{
    static const char *const same[][2] = {{"5s", "5 s,racks=5000ms"},
                                          {"racks=10s", "1s,racks=10s"},
                                          {"2s,tiers=3s,rows=4s", "2s,rows=4s,tiers=3s"}};
    for (size_t i = 0; i < 3; i++) {
        const struct mr_record_every a = parse(same[i][0]), b = parse(same[i][1]);
        struct mr_buf x = {0}, y = {0};
        mr_record_every_write(&a, &x);
        mr_record_every_write(&b, &y);
        assert_string_equal(x.text, y.text);
        mr_buf_fini(&x);
        mr_buf_fini(&y);
    }
    const struct mr_record_every plain = mr_record_every_all(0.5);
    struct mr_buf text = {0};
    mr_record_every_write(&plain, &text);
    assert_string_equal(text.text, "0.5"); /* what sweeps compare with */
    mr_buf_fini(&text);
}

MR_TEST_MAIN(MR_TEST_ENTRY(kinds_have_their_own), MR_TEST_ENTRY(what_cannot_be_is_told),
             MR_TEST_ENTRY(dates_are_of_what_is_recorded), MR_TEST_ENTRY(one_text_for_the_same))
