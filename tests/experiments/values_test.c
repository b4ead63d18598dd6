/* SPDX-License-Identifier: Apache-2.0 */
/* experiments/values: lists, steps with and without units, and what is neither. */
#include "experiments/values.h"

#include "engine/base/mem.h"
#include "tests/test.h"

struct values {
    struct mr_arena texts;
    const char **value;
    size_t n, cap;
};

static mr_status read(const char *text, size_t n_max, struct values *v, struct mr_err *err)
{
    *v = (struct values){0};
    *err = (struct mr_err){0};
    return mr_values_read(mr_str_of(text), "--over", n_max, &v->texts, &v->value, &v->n, &v->cap,
                          err);
}

static void drop(struct values *v)
{
    mr_free(v->value);
    mr_arena_fini(&v->texts);
}

static void expect(const char *text, const char *joined)
{
    struct values v;
    struct mr_err err;
    char all[512] = "";
    if (read(text, 100, &v, &err) != MR_OK)
        fail_msg("%s: %s", text, err.text);
    for (size_t i = 0; i < v.n; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i > 0 ? "|" : "", v.value[i]);
    assert_string_equal(all, joined);
    drop(&v);
}

MR_TEST(lists_and_steps)
{
    expect("4", "4");
    expect(" a , b,c ", "a|b|c");
    expect("4:8:2", "4|6|8");
    expect("4:8:3", "4|7");
    expect("0.1:0.5:0.1", "0.1|0.2|0.3|0.4|0.5"); /* 0.5 is reached, and is not 0.49999 */
    expect("10 MW:20 MW:5 MW", "10 MW|15 MW|20 MW");
    expect("5%:15%:5%", "5 %|10 %|15 %");
    expect("-1:1:1", "-1|0|1");
    expect("3:3:1", "3");
    expect("10:30 h, 2 h", "10:30 h|2 h"); /* a comma makes it a list */
}

MR_TEST(what_is_neither)
{
    static const struct {
        const char *text, *part;
        mr_status status;
    } cases[] = {
        {"", "an empty value", MR_PARSE},          {"a,,b", "an empty value", MR_PARSE},
        {"a,", "an empty value", MR_PARSE},        {"1:2", "not FROM:TO:STEP", MR_PARSE},
        {"1:2:3:4", "not FROM:TO:STEP", MR_PARSE}, {"a:b:c", "not FROM:TO:STEP", MR_PARSE},
        {"1 MW:2 MW:1", "same unit", MR_UNIT},     {"1:2:0", "leads nowhere", MR_RANGE},
        {"3:2:1", "leads nowhere", MR_RANGE},      {"0:100:1", "too many", MR_LIMIT},
        {"1:1e300:1", "too many", MR_LIMIT},       {"1:2:inf", "not FROM:TO:STEP", MR_PARSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values v;
        struct mr_err err;
        const mr_status st = read(cases[i].text, 100, &v, &err);
        if (st != cases[i].status || strstr(err.text, cases[i].part) == NULL)
            fail_msg("%s: status %d: %s", cases[i].text, st, err.text);
        drop(&v);
    }
}

static mr_status every_step(void *context, struct mr_err *err)
{
    struct values v = {0};
    (void)context;
    const mr_status st = mr_values_read(MR_STR("1 W:40 W:1 W"), "--over", 100, &v.texts, &v.value,
                                        &v.n, &v.cap, err);
    drop(&v);
    return st;
}

MR_TEST(memory_may_run_out)
{
    mr_test_every_nomem(every_step, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(lists_and_steps), MR_TEST_ENTRY(what_is_neither),
             MR_TEST_ENTRY(memory_may_run_out))
