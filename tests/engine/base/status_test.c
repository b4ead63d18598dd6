/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/status: names, first error wins, located printing, diagnostics cap. */
#include "engine/base/status.h"

#include "tests/test.h"

MR_TEST(names_texts_exit_codes)
{
    assert_string_equal(mr_status_name(MR_UNIT), "UNIT");
    assert_string_equal(mr_status_text(MR_UNIT), "bad or missing unit");
    assert_int_equal(mr_status_exit_code(MR_OK), 0);
    assert_int_equal(mr_status_exit_code(MR_SCHEMA), 3);
    assert_int_equal(mr_status_exit_code(MR_LIMIT), 4);
    assert_int_equal(mr_status_exit_code(MR_IO), 5);
    assert_int_equal(mr_status_exit_code(MR_STOPPED), 130);
    assert_string_equal(mr_status_name((mr_status)-77), "UNKNOWN");
    assert_int_equal(mr_status_exit_code((mr_status)-77), 4);
}

MR_TEST(first_error_wins)
{
    struct mr_err err = {0};
    const struct mr_place at = {"a.xml", 3, 7};
    assert_int_equal(mr_err_set(&err, MR_UNIT, at, "link \"%s\": bad", "L1"), MR_UNIT);
    assert_int_equal(mr_err_set(&err, MR_IO, MR_NOWHERE, "later"), MR_IO);
    char line[900];
    mr_err_print(&err, line, sizeof line);
    assert_string_equal(line, "a.xml:3:7: error: link \"L1\": bad");
    assert_int_equal(mr_err_set(NULL, MR_IO, MR_NOWHERE, "nobody listens"), MR_IO);
}

MR_TEST(unknown_places_are_left_out)
{
    char line[900];
    struct mr_err a = {0}, b = {0}, c = {0};
    mr_err_set(&a, MR_IO, MR_NOWHERE, "x");
    mr_err_set(&b, MR_IO, (struct mr_place){"f", 0, 0}, "x");
    mr_err_set(&c, MR_IO, (struct mr_place){"f", 2, 0}, "x");
    mr_err_print(&a, line, sizeof line);
    assert_string_equal(line, "error: x");
    mr_err_print(&b, line, sizeof line);
    assert_string_equal(line, "f: error: x");
    mr_err_print(&c, line, sizeof line);
    assert_string_equal(line, "f:2: error: x");
}

MR_TEST(long_texts_are_cut_visibly)
{
    char name[400], text[900];
    memset(name, 'd', sizeof name);
    memcpy(name + sizeof name - 7, "/x.xml", 7);
    memset(text, 't', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct mr_err err = {0};
    mr_err_set(&err, MR_IO, (struct mr_place){name, 1, 1}, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_string_equal(err.text + sizeof err.text - 4, "...");
    assert_int_equal(strncmp(err.file, "...", 3), 0);
    assert_string_equal(err.file + strlen(err.file) - 6, "/x.xml");
}

MR_TEST(diagnostics_count_beyond_the_cap)
{
    struct mr_diags diags = {0};
    for (int i = 1; i <= 30; i++)
        mr_diags_add(&diags, MR_SEVERITY_ERROR, i == 1 ? MR_UNIT : MR_RANGE,
                     (struct mr_place){"f", i, 1}, "nr %d", i);
    mr_diags_add(&diags, MR_SEVERITY_WARNING, MR_RANGE, MR_NOWHERE, "w");
    mr_diags_add(&diags, MR_SEVERITY_NOTE, MR_RANGE, MR_NOWHERE, "n");
    assert_int_equal(diags.n_item, MR_DIAGS_CAP);
    assert_int_equal(diags.n_error, 30);
    assert_int_equal(diags.n_warning, 1);
    assert_int_equal(diags.n_note, 1);
    assert_int_equal(diags.first_error, MR_UNIT);
    char line[900];
    mr_diag_print(&diags.item[1], line, sizeof line);
    assert_string_equal(line, "f:2:1: error: nr 2");
}

MR_TEST(no_error_is_no_diagnostic)
{
    struct mr_diags diags = {0};
    const struct mr_err none = {0};
    assert_int_equal(mr_diags_add_err(&diags, MR_SEVERITY_ERROR, &none), MR_OK);
    assert_int_equal(diags.n_error, 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(names_texts_exit_codes), MR_TEST_ENTRY(first_error_wins),
             MR_TEST_ENTRY(unknown_places_are_left_out), MR_TEST_ENTRY(long_texts_are_cut_visibly),
             MR_TEST_ENTRY(diagnostics_count_beyond_the_cap),
             MR_TEST_ENTRY(no_error_is_no_diagnostic))
