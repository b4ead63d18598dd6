/* SPDX-License-Identifier: Apache-2.0 */
/* postprocess/asked: questions are kept and read back; figures, constraints and what is missing. */
#include "postprocess/asked.h"

#include "tests/test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct mr_figures_item items[] = {{"a", "", "", 3, NULL}, {"b.c", "", "", 0, NULL}};
static const struct mr_figures figures = {.item = items, .n_item = 2};

static void check_texts(const struct mr_asked_answer *answer, const char *broken, const char *note)
{
    assert_string_equal(answer->broken.n > 0 ? answer->broken.text : "", broken);
    assert_string_equal(answer->note.n > 0 ? answer->note.text : "", note);
    assert_int_equal(answer->is_feasible, broken[0] == '\0');
}

MR_TEST(figures_are_made_and_constraints_kept)
{
    struct mr_asked_kpi kpi[] = {{.name = "twice", .formula = "2 * a"},
                                 {.name = "four", .formula = "2 * twice"}};
    struct mr_asked_constraint c[] = {{.path = "four", .min = 12, .max = 12},
                                      {.path = "a", .min = -MR_ASKED_FAR, .max = 3}};
    const struct mr_asked asked = {.kpi = kpi, .n_kpi = 2, .constraint = c, .n_constraint = 2};
    struct mr_asked_answer answer = {0};
    struct mr_err err = {0};
    assert_int_equal(mr_asked_look(&asked, &figures, &answer, &err), MR_OK);
    assert_true(answer.derived[0] == 6 && answer.derived[1] == 12);
    check_texts(&answer, "", "");
    c[0].max = 11.5;
    c[0].min = 1;
    c[1].max = 2.5;
    assert_int_equal(mr_asked_look(&asked, &figures, &answer, &err), MR_OK); /* once more */
    check_texts(&answer, "1 <= four <= 11.5; a <= 2.5", "");
    mr_asked_answer_fini(&answer);
}

MR_TEST(what_is_no_number_is_noted_and_keeps_no_constraint)
{
    struct mr_asked_kpi kpi[] = {{.name = "odd", .formula = "a / b.c"},
                                 {.name = "none", .formula = "a + z"}};
    struct mr_asked_constraint c[] = {{.path = "odd", .min = -MR_ASKED_FAR, .max = 1}};
    const struct mr_asked asked = {.kpi = kpi, .n_kpi = 2, .constraint = c, .n_constraint = 1};
    struct mr_asked_answer answer = {0};
    struct mr_err err = {0};
    assert_int_equal(mr_asked_look(&asked, &figures, &answer, &err), MR_OK);
    assert_true(isnan(answer.derived[0]) && isnan(answer.derived[1]));
    check_texts(&answer, "odd <= 1",
                "odd: is divided by 0; none: the run has no z; constraint: the run has no odd");
    mr_asked_answer_fini(&answer);
}

MR_TEST(questions_are_kept)
{
    char folder[] = "asked_XXXXXX", path[64];
    struct mr_asked_output output[] = {{.path = "x, \"y\""}};
    struct mr_asked_kpi kpi[] = {
        {.name = "k", .formula = "min(a, 1)", .unit = "tok/s", .better = MR_KPI_DOWN}};
    struct mr_asked_constraint c[] = {{.path = "a", .min = -MR_ASKED_FAR, .max = 2.5},
                                      {.path = "b", .min = 1, .max = MR_ASKED_FAR}};
    struct mr_asked asked = {.output = output,
                             .n_output = 1,
                             .kpi = kpi,
                             .n_kpi = 1,
                             .constraint = c,
                             .n_constraint = 2,
                             .rank = {.path = "k", .against = "a", .against_better = MR_KPI_UP}};
    struct mr_asked back;
    struct mr_buf text = {0}, again = {0};
    struct mr_err err = {0};
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mr_asked_load(folder, &back, &err), MR_OK); /* none: nothing is asked */
    assert_false(mr_asked_is_any(&back));
    mr_asked_print(&asked, &text);
    (void)snprintf(path, sizeof path, "%s/asked.csv", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.text, 1, text.n, file), text.n);
    fclose(file);
    assert_int_equal(mr_asked_load(folder, &back, &err), MR_OK);
    mr_asked_print(&back, &again);
    assert_string_equal(again.text, text.text);
    assert_true(back.constraint[0].max == 2.5 && back.constraint[0].min <= -MR_ASKED_FAR);
    assert_int_equal(back.rank.against_better, MR_KPI_UP);
    mr_asked_fini(&back);
    mr_buf_fini(&text);
    mr_buf_fini(&again);
    unlink(path);
    rmdir(folder);
}

MR_TEST(broken_files_are_told)
{
    static const char *const texts[] = {
        "what,name\n", "what,name,formula,unit,better,min,max\nwish,a,,,,,\n",
        "what,name,formula,unit,better,min,max\nkpi,a,1,,sideways,,\n",
        "what,name,formula,unit,better,min,max\nconstraint,a,,,,low,\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char folder[] = "asked_XXXXXX", path[64];
        struct mr_asked back;
        struct mr_err err = {0};
        assert_non_null(mkdtemp(folder));
        (void)snprintf(path, sizeof path, "%s/asked.csv", folder);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(texts[i], file);
        fclose(file);
        assert_int_not_equal(mr_asked_load(folder, &back, &err), MR_OK);
        mr_asked_fini(&back);
        unlink(path);
        rmdir(folder);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(figures_are_made_and_constraints_kept),
             MR_TEST_ENTRY(what_is_no_number_is_noted_and_keeps_no_constraint),
             MR_TEST_ENTRY(questions_are_kept), MR_TEST_ENTRY(broken_files_are_told))
