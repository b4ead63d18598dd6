/* SPDX-License-Identifier: Apache-2.0 */
/* experiments/experiment and design: what blocks make of factors, the order of rows, Latin
 * hypercubes with one sample in every part, parts of a sweep, and mistakes with their places. */
#include "experiments/design.h"

#include "engine/base/num.h"
#include "tests/test.h"

struct expanded {
    struct mr_experiment experiment;
    struct mr_design design;
    struct mr_diags diags;
};

static mr_status expand(const char *inside, struct expanded *x)
{
    char text[4096];
    struct mr_err err = {0};
    *x = (struct expanded){0};
    snprintf(text, sizeof text, "<experiment scenario=\"s.scenario.xml\">%s</experiment>", inside);
    const char *path = mr_test_write("x.experiment.xml", text, strlen(text));
    const mr_status st = mr_experiment_load(path, &x->experiment, &x->diags);
    return st == MR_OK ? mr_design_expand(&x->experiment, &x->design, &err) : st;
}

static void drop(struct expanded *x)
{
    mr_design_fini(&x->design);
    mr_experiment_fini(&x->experiment);
}

static void assert_row(const struct expanded *x, size_t row, const char *values)
{
    char text[256] = "";
    for (size_t i = 0; i < x->design.n_factor; i++) {
        const char *value = x->design.value[row * x->design.n_factor + i];
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? "|" : "",
                 value != NULL ? value : "-");
    }
    assert_string_equal(text, values);
}

MR_TEST(blocks_multiply_and_the_last_is_fastest)
{
    struct expanded x;
    assert_int_equal(
        expand("<grid><factor path='a/x' values='1, 2'/>"
               "<factor path='a/y' from='10 W' to='30 W' steps='3'/></grid>"
               "<zip><factor path='b/u' values='p,q'/><factor path='b/v' values='r,s'/></zip>"
               "<list><row><set path='c/z' to='7, 8'/></row><row/></list>"
               "<seeds values='5, 9'/>",
               &x),
        MR_OK);
    assert_int_equal(x.design.n_row, 2 * 3 * 2 * 2 * 2);
    assert_int_equal(x.design.n_factor, 5);
    assert_row(&x, 0, "1|10 W|p|r|7, 8");
    assert_row(&x, 1, "1|10 W|p|r|7, 8");
    assert_row(&x, 2, "1|10 W|p|r|-");
    assert_row(&x, 4, "1|10 W|q|s|7, 8");
    assert_row(&x, 8, "1|20 W|p|r|7, 8");
    assert_row(&x, 24, "2|10 W|p|r|7, 8");
    assert_row(&x, 47, "2|30 W|q|s|-");
    assert_int_equal(x.design.seed[0], 5);
    assert_int_equal(x.design.seed[47], 9);
    drop(&x);
}

MR_TEST(spaces_are_even)
{
    struct expanded x;
    assert_int_equal(expand("<zip><factor path='a/x' from='0.1' to='0.4' steps='4'/>"
                            "<factor path='a/y' from='1 kW' to='1000 kW' steps='4' scale='log'/>"
                            "<factor path='a/z' from='1' to='8' steps='4' whole='yes'/></zip>",
                            &x),
                     MR_OK);
    assert_row(&x, 0, "0.1|1 kW|1");
    assert_row(&x, 1, "0.2|10 kW|3");
    assert_row(&x, 2, "0.3|100 kW|6");
    assert_row(&x, 3, "0.4|1000 kW|8");
    drop(&x);
}

/* Each of n equal parts of each range holds one sample; another seed draws others, and a factor
 * more leaves the first one's alone. */
MR_TEST(latin_hypercubes_fill_every_part)
{
    enum {
        n = 50
    };
    static const char first[] = "<factor path='a/x' from='10 W' to='60 W'/>";
    static const char second[] = "<factor path='a/y' from='1' to='1000' scale='log'/>";
    double alone[n];
    char text[512];
    for (int k = 0; k < 3; k++) {
        struct expanded x;
        bool has[2][n] = {{false}};
        size_t n_equal = 0;
        snprintf(text, sizeof text, "<latin samples='%d' seed='%d'>%s%s</latin>", n, k == 2 ? 8 : 7,
                 first, k > 0 ? second : "");
        assert_int_equal(expand(text, &x), MR_OK);
        assert_int_equal(x.design.n_row, n);
        for (size_t i = 0; i < n; i++) {
            double v;
            const char *value = x.design.value[i * x.design.n_factor];
            assert_true(mr_num_scan_f64(value, strlen(value), &v) > 0);
            n_equal += v == alone[i];
            if (k == 0)
                alone[i] = v;
            const size_t part = (size_t)((v - 10) / 50 * n);
            assert_false(has[0][part]);
            has[0][part] = true;
            if (k == 0)
                continue;
            assert_int_equal(
                mr_num_parse_f64(mr_str_of(x.design.value[i * x.design.n_factor + 1]), &v), MR_OK);
            const size_t of_log = (size_t)(log10(v) / 3 * n);
            assert_false(has[1][of_log]);
            has[1][of_log] = true;
        }
        if (k == 1)
            assert_int_equal(n_equal, n);
        if (k == 2)
            assert_true(n_equal < n / 2);
        drop(&x);
    }
}

MR_TEST(shards_are_the_whole)
{
    enum {
        n_row = 101
    };
    size_t seen[n_row] = {0};
    struct mr_err err = {0};
    for (int part = 0; part < 7; part++) {
        bool is_on[n_row];
        char text[16];
        memset(is_on, true, sizeof is_on);
        snprintf(text, sizeof text, "%d/7", part);
        assert_int_equal(mr_design_shard(text, n_row, is_on, &err), MR_OK);
        for (size_t i = 0; i < n_row; i++)
            seen[i] += is_on[i];
    }
    for (size_t i = 0; i < n_row; i++)
        assert_int_equal(seen[i], 1);
}

MR_TEST(rows_are_named)
{
    bool is_on[10];
    struct mr_err err = {0};
    memset(is_on, true, sizeof is_on);
    assert_int_equal(mr_design_rows("2-4, 9", 10, is_on, &err), MR_OK);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(is_on[i], (i >= 2 && i <= 4) || i == 9);
    static const char *const wrong[] = {"", "x", "4-2", "1,", "10", "3-10", "-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct mr_err one = {0};
        assert_int_not_equal(mr_design_rows(wrong[i], 10, is_on, &one), MR_OK);
    }
    static const char *const parts[] = {"1", "2/2", "0/0", "a/b", "-1/2"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct mr_err one = {0};
        assert_int_not_equal(mr_design_shard(parts[i], 10, is_on, &one), MR_OK);
    }
}

MR_TEST(mistakes_are_told)
{
    static const struct {
        const char *inside, *message;
    } cases[] = {
        {"<gird/>", "did you mean \"grid\""},
        {"<grid><factor path='a/x'/></grid>", "give either values, or from and to"},
        {"<grid><factor values='1'/></grid>", "\"path\" is missing"},
        {"<grid><factor path='a/x' from='1 W' to='2 kW' steps='2'/></grid>",
         "not in the same unit"},
        {"<grid><factor path='a/x' from='0' to='2' steps='2' scale='log'/></grid>", "has no 0"},
        {"<grid><factor path='a/x' from='1' to='2'/></grid>", "steps are missing"},
        {"<grid><factor path='a/x' values='1,,2'/></grid>", "an empty value"},
        {"<grid><factor path='a/x' values='1'/><factor path='a/x' values='2'/></grid>",
         "varied twice"},
        {"<grid><factor path='scenario/seed' values='1'/></grid>", "seeds are given by <seeds>"},
        {"<zip><factor path='a/x' values='1,2'/><factor path='a/y' values='1'/></zip>",
         "1 values beside 2"},
        {"<seeds values='1, x'/>", "are not whole numbers"},
        {"<list><row><set path='a/x'/></row></list>", "\"to\" is missing"},
        {"<latin samples='0'><factor path='a/x' values='1'/></latin>", "samples"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expanded x;
        assert_int_not_equal(expand(cases[i].inside, &x), MR_OK);
        assert_true(x.diags.n_item > 0);
        mr_assert_contains(x.diags.item[0].err.text, cases[i].message);
        drop(&x);
    }
}

MR_TEST(too_many_rows_are_refused)
{
    struct expanded x;
    assert_int_equal(expand("<grid><factor path='a/x' from='0' to='1' steps='1000'/>"
                            "<factor path='a/y' from='0' to='1' steps='1001'/></grid>",
                            &x),
                     MR_LIMIT);
    drop(&x);
    assert_int_equal(expand("<grid><factor path='a/x' from='0' to='1' steps='1000'/></grid>"
                            "<seeds count='1001'/>",
                            &x),
                     MR_LIMIT);
    drop(&x);
}

static mr_status load_once(void *context, struct mr_err *err)
{
    struct expanded x = {0};
    (void)context;
    mr_status st =
        mr_experiment_load(mr_test_tmp_path("m.experiment.xml"), &x.experiment, &x.diags);
    if (st == MR_OK)
        st = mr_design_expand(&x.experiment, &x.design, err);
    drop(&x);
    return st;
}

MR_TEST(memory_may_run_out)
{
    static const char text[] =
        "<experiment scenario='s'><latin samples='4'><factor path='a/x' values='1,2'/>"
        "<factor path='a/y' from='1' to='2'/></latin><list><row><set path='c/z' to='7'/></row>"
        "</list><seeds count='2'/></experiment>";
    (void)mr_test_write("m.experiment.xml", text, sizeof text - 1);
    mr_test_every_nomem(load_once, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(blocks_multiply_and_the_last_is_fastest), MR_TEST_ENTRY(spaces_are_even),
             MR_TEST_ENTRY(latin_hypercubes_fill_every_part), MR_TEST_ENTRY(shards_are_the_whole),
             MR_TEST_ENTRY(rows_are_named), MR_TEST_ENTRY(mistakes_are_told),
             MR_TEST_ENTRY(too_many_rows_are_refused), MR_TEST_ENTRY(memory_may_run_out))
