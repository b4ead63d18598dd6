/* SPDX-License-Identifier: Apache-2.0 */
/* postprocess/kpi, tolerance and regress: limits from both sides, either way, of figures near zero,
 * of figures that are gone; runs that do not repeat; speed that fails only when it is asked to. */
#include "postprocess/regress.h"

#include "tests/test.h"

MR_TEST(paths_match_with_stars)
{
    static const struct {
        const char *pattern, *path;
        bool is_match;
    } cases[] = {
        {"a.b", "a.b", true},
        {"a.b", "a.bc", false},
        {"a.b", "a", false},
        {"*", "", true},
        {"*", "anything.at.all", true},
        {"tiers.*.tok_s", "tiers.gold.tok_s", true},
        {"tiers.*.tok_s", "tiers.a.b.tok_s", true},
        {"tiers.*.tok_s", "tiers.gold.tok_sx", false},
        {"*_j", "energy.a_j", true},
        {"*_j", "energy.a_jj", false},
        {"*a*a", "banana", true},
        {"*a*b", "banana", false},
        {"a*", "a", true},
        {"", "", true},
        {"", "x", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (mr_kpi_match(cases[i].pattern, cases[i].path) != cases[i].is_match)
            fail_msg("%s on %s", cases[i].pattern, cases[i].path);
}

MR_TEST(every_row_of_the_table_is_reached)
{
    for (size_t i = 0; i < mr_kpi_n(); i++) {
        const struct mr_kpi *row = mr_kpi_at(i);
        char path[128] = "";
        for (const char *p = row->path; *p != '\0'; p++) {
            const size_t n = strlen(path);
            snprintf(path + n, sizeof path - n, *p == '*' ? "zz" : "%c", *p);
        }
        if (mr_kpi_find(path) != row)
            fail_msg("%s is hidden by an earlier row", row->path);
        assert_true(strlen(row->doc) > 5);
        if (row->limit != NULL)
            assert_non_null(mr_kpi_find(row->limit));
    }
    assert_null(mr_kpi_find("nobody.knows"));
}

struct world {
    struct mr_figures base, run[2];
    struct mr_tolerance tolerance;
    struct mr_regress regress;
};

static void load(const char *json, struct mr_figures *out)
{
    struct mr_err err = {0};
    if (mr_figures_load(mr_test_write("x.json", json, strlen(json)), out, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static void compare(struct world *w, const char *base, const char *run, const char *again,
                    const char *tolerance)
{
    struct mr_err err = {0};
    struct mr_diags diags = {0};
    *w = (struct world){0};
    load(base, &w->base);
    load(run, &w->run[0]);
    if (again != NULL)
        load(again, &w->run[1]);
    if (tolerance != NULL &&
        mr_tolerance_load(mr_test_write("t.tolerance.xml", tolerance, strlen(tolerance)),
                          &w->tolerance, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    assert_int_equal(mr_regress_compare(&w->base, w->run, again != NULL ? 2 : 1, &w->tolerance,
                                        &w->regress, &err),
                     MR_OK);
}

static void end(struct world *w)
{
    mr_regress_fini(&w->regress);
    mr_tolerance_fini(&w->tolerance);
    mr_figures_fini(&w->base);
    mr_figures_fini(&w->run[0]);
    mr_figures_fini(&w->run[1]);
    assert_int_equal(mr_test_live_allocations(), 0);
}

static enum mr_regress_verdict verdict_of(const struct world *w, const char *path)
{
    for (size_t i = 0; i < w->regress.n_row; i++)
        if (strcmp(w->regress.row[i].item->path, path) == 0)
            return w->regress.row[i].verdict;
    fail_msg("no row %s", path);
    return MR_REGRESS_SAME;
}

/* One figure from a to b under a tolerance. */
static void one(const char *path, const char *a, const char *b, const char *tolerance,
                enum mr_regress_verdict verdict)
{
    struct world w;
    char base[128], run[128];
    snprintf(base, sizeof base, "{\"%s\":%s}", path, a);
    snprintf(run, sizeof run, "{\"%s\":%s}", path, b);
    compare(&w, base, run, NULL, tolerance);
    if (verdict_of(&w, path) != verdict)
        fail_msg("%s %s -> %s: verdict %d", path, a, b, (int)verdict_of(&w, path));
    assert_int_equal(w.regress.n_failed, verdict >= MR_REGRESS_WORSE);
    end(&w);
}

MR_TEST(limits_hold_on_both_sides)
{
    static const char tight[] =
        "<tolerance><kpi path=\"j_per_tok\" rel=\"0\" abs=\"0.5\"/></tolerance>";
    static const char both[] =
        "<tolerance><kpi path=\"x\" rel=\"10 %\"/><kpi path=\"*\" rel=\"0\"/></tolerance>";
    one("energy.closure_rel", "1e-14", "1.2e-13", NULL, MR_REGRESS_WITHIN);
    one("energy.closure_rel", "1.2e-13", "1e-14", NULL, MR_REGRESS_WITHIN);
    one("energy.closure_rel", "1e-14", "1.2e-9", NULL, MR_REGRESS_WORSE);
    one("j_per_tok", "2", "2", NULL, MR_REGRESS_SAME);
    one("j_per_tok", "2", "2.04", NULL, MR_REGRESS_WITHIN);
    one("j_per_tok", "2", "2.0401", NULL, MR_REGRESS_WORSE);
    one("j_per_tok", "2", "1", NULL, MR_REGRESS_BETTER);
    one("j_per_tok", "2", "2.5", tight, MR_REGRESS_WITHIN);
    one("j_per_tok", "2", "2.51", tight, MR_REGRESS_WORSE);
    one("violations", "0", "1", NULL, MR_REGRESS_WORSE);
    one("violations", "1", "0", NULL, MR_REGRESS_BETTER);
    one("x", "10", "11", both, MR_REGRESS_WITHIN);
    one("x", "10", "8.9", both, MR_REGRESS_WORSE);
    one("x", "-10", "-11.1", both, MR_REGRESS_WORSE);
    one("x", "10", "100", NULL, MR_REGRESS_CHANGED);
    one("j_per_tok", "2", "null", NULL, MR_REGRESS_GONE);
    one("j_per_tok", "null", "2", NULL, MR_REGRESS_NEW);
}

MR_TEST(speed_fails_only_when_asked)
{
    one("wall_s", "1", "9", NULL, MR_REGRESS_TOLD);
    one("wall_s", "1", "1.2", NULL, MR_REGRESS_WITHIN);
    one("wall_s", "1", "9", "<tolerance><speed fails=\"yes\"/></tolerance>", MR_REGRESS_WORSE);
    one("wall_s", "1", "9", "<tolerance><speed rel=\"900 %\" fails=\"yes\"/></tolerance>",
        MR_REGRESS_WITHIN);
}

MR_TEST(speed_is_the_median_and_answers_repeat)
{
    struct world w;
    compare(&w, "{\"scenario\":\"s\",\"seed\":1,\"wall_s\":1,\"sim_s\":5}",
            "{\"scenario\":\"s\",\"seed\":1,\"wall_s\":1,\"sim_s\":5}",
            "{\"scenario\":\"s\",\"seed\":1,\"wall_s\":3,\"sim_s\":6}", NULL);
    for (size_t i = 0; i < w.regress.n_row; i++) {
        const struct mr_regress_row *row = &w.regress.row[i];
        if (row->is_speed)
            assert_true(row->now == 2 && row->low == 1 && row->high == 3);
    }
    assert_int_equal(w.regress.n_failed, 1);
    end(&w);
    compare(&w, "{\"seed\":1,\"sim_s\":5}", "{\"seed\":1,\"sim_s\":5}", "{\"seed\":2,\"sim_s\":6}",
            NULL);
    assert_int_equal(w.regress.n_failed, 0); /* another seed is another question */
    end(&w);
}

MR_TEST(partial_runs_fail_whatever_their_figures_and_limits_are)
{
    static const char whole[] = "{\"scenario\":\"s\",\"seed\":1,\"partial\":false,"
                                "\"wall_s\":2,\"tok_s\":{\"output\":5}}";
    static const char part[] = "{\"scenario\":\"s\",\"seed\":1,\"partial\":true,"
                               "\"wall_s\":1,\"tok_s\":{\"output\":4}}";
    static const char wide[] = "<tolerance><kpi path=\"*\" rel=\"900 %\" abs=\"9\"/></tolerance>";
    struct world w;
    compare(&w, whole, part, whole, wide);
    assert_int_equal(verdict_of(&w, "partial"), MR_REGRESS_PARTIAL);
    assert_int_equal(verdict_of(&w, "tok_s.output"), MR_REGRESS_SAME); /* of the other run */
    assert_int_equal(verdict_of(&w, "wall_s"), MR_REGRESS_SAME);
    assert_int_equal(w.regress.n_row, 3);
    assert_int_equal(w.regress.n_failed, 1);
    end(&w);
    compare(&w, whole, "{\"x\":{\"partial\":true}}", NULL, NULL); /* another one */
    assert_false(w.run[0].is_partial);
    end(&w);
    compare(&w, whole, part, part, NULL);
    assert_int_equal(w.regress.n_row, 2);
    assert_int_equal(w.regress.n_failed, 2);
    end(&w);
}

MR_TEST(causes_are_one_line)
{
    struct world w;
    struct mr_buf text = {0};
    compare(&w, "{\"tok_s\":{\"output\":22.1e6}}", "{\"tok_s\":{\"output\":20.4e6}}", NULL, NULL);
    mr_regress_print_cause(&w.regress.row[0], &text);
    assert_string_equal(text.text, "tok_s.output 2.21e7 -> 2.04e7, -7.7 %, limit -2 %");
    mr_buf_clear(&text);
    mr_regress_print_junit(&w.regress, &text);
    mr_assert_contains(text.text, "<failure message=\"tok_s.output 2.21e7 -&gt; 2.04e7, -7.7 %");
    mr_assert_contains(text.text, "failures=\"1\"");
    mr_buf_fini(&text);
    end(&w);
}

MR_TEST(mistakes_in_tolerances_are_told)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"<tolerance><kpi paht=\"a\"/></tolerance>", "path"},
        {"<tolerance><kpi path=\"a\" rel=\"two\"/></tolerance>", "rel"},
        {"<tolerance><kpi path=\"a\" rel=\"-1\"/></tolerance>", "rel"},
        {"<tolerance><kpi path=\"a\" worse=\"sideways\"/></tolerance>", "worse"},
        {"<tolerance><kip path=\"a\"/></tolerance>", "kpi"},
        {"<limits/>", "tolerance"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_tolerance t;
        struct mr_diags diags = {0};
        const char *path = mr_test_write("t.xml", cases[i].text, strlen(cases[i].text));
        assert_int_not_equal(mr_tolerance_load(path, &t, &diags), MR_OK);
        assert_true(diags.n_error > 0);
        mr_assert_contains(diags.item[0].err.text, cases[i].why);
        mr_tolerance_fini(&t);
    }
    struct world w;
    struct mr_diags diags = {0};
    compare(&w, "{\"tok_s\":1}", "{\"tok_s\":1}", NULL,
            "<tolerance><kpi path=\"tok_z\"/><kpi path=\"no*\"/></tolerance>");
    assert_int_equal(mr_tolerance_check(&w.tolerance, &w.base, &w.run[0], &diags), MR_REF);
    assert_int_equal(diags.n_error, 1);
    mr_assert_contains(diags.item[0].err.text, "did you mean \"tok_s\"");
    end(&w);
}

MR_TEST(the_grammar_has_the_rows_of_the_tables)
{
    static char grammar[1 << 14];
    FILE *file = fopen(MR_SOURCE_DIR "/experiments/schema/tolerance.rng", "r");
    assert_non_null(file);
    grammar[fread(grammar, 1, sizeof grammar - 1, file)] = '\0';
    fclose(file);
    const struct mr_param_table *table;
    const char *element;
    size_t n = 0, n_in_grammar = 0;
    for (size_t i = 0; (table = mr_tolerance_table(i, &element)) != NULL; i++)
        for (size_t k = 0; k < table->n; k++, n++) {
            char word[64];
            snprintf(word, sizeof word, "<attribute name=\"%s\">", table->row[k].name);
            mr_assert_contains(grammar, word);
        }
    for (const char *p = grammar; (p = strstr(p, "<attribute ")) != NULL; p++)
        n_in_grammar++;
    assert_int_equal(n, n_in_grammar);
}

MR_TEST_MAIN(MR_TEST_ENTRY(paths_match_with_stars),
             MR_TEST_ENTRY(every_row_of_the_table_is_reached),
             MR_TEST_ENTRY(limits_hold_on_both_sides), MR_TEST_ENTRY(speed_fails_only_when_asked),
             MR_TEST_ENTRY(speed_is_the_median_and_answers_repeat),
             MR_TEST_ENTRY(partial_runs_fail_whatever_their_figures_and_limits_are),
             MR_TEST_ENTRY(causes_are_one_line), MR_TEST_ENTRY(mistakes_in_tolerances_are_told),
             MR_TEST_ENTRY(the_grammar_has_the_rows_of_the_tables))
