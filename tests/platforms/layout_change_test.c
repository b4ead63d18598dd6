/* SPDX-License-Identifier: Apache-2.0 */
/* platforms/layout_change: what is replaced, added and made, what is left alone to the byte, paths
 * that lead nowhere; and a changed layout is the site of the layout written out. */
#include "platforms/layout_change.h"

#include "platforms/fabric.h"
#include "platforms/open.h"
#include "tests/test.h"

static const char plain[] = "<?xml version=\"1.0\"?>\n"
                            "<!-- <row count='9'/> -->\n"
                            "<layout name='a'>\n"
                            " <grid limit = \"20 MW\"/>\n"
                            " <hall>\n"
                            "  <row count='8'><rack card=\"vr_nvl72\"/><cdu units='3'/></row>\n"
                            "  <row>\n"
                            "   <rack card='lpx' count='2'/>\n"
                            "   <rack card='vr_nvl72'/>\n"
                            "  </row>\n"
                            " </hall>\n"
                            "</layout>\n";

static mr_status change(const char *path, const char *value, struct mr_buf *out, struct mr_err *err)
{
    const struct mr_layout_change one = {path, value};
    *err = (struct mr_err){0};
    return mr_layout_change_text("a.layout.xml", mr_str_of(plain), &one, 1, out, err);
}

/* The text with `from` replaced by `to`, once, is what the change makes. */
static void expect(const char *path, const char *value, const char *from, const char *to)
{
    struct mr_buf out = {0}, want = {0};
    struct mr_err err;
    const char *at = strstr(plain, from);
    assert_non_null(at);
    mr_buf_printf(&want, "%.*s%s%s", (int)(at - plain), plain, to, at + strlen(from));
    if (change(path, value, &out, &err) != MR_OK)
        fail_msg("%s: %s", path, err.text);
    assert_string_equal(out.text, want.text);
    mr_buf_fini(&out);
    mr_buf_fini(&want);
}

MR_TEST(values_are_replaced_added_and_made)
{
    expect("hall/row[0]/count", "4", "<row count='8'>", "<row count=\"4\">");
    expect("hall/row[0]/rack/card", "lpx", "card=\"vr_nvl72\"", "card=\"lpx\"");
    expect("hall/row[1]/rack[0]/count", "7", "count='2'", "count=\"7\"");
    expect("hall/row[1]/rack[1]/count", "7", "<rack card='vr_nvl72'/>",
           "<rack count=\"7\" card='vr_nvl72'/>");
    expect("grid/limit", "5 MW", "limit = \"20 MW\"", "limit = \"5 MW\"");
    expect("grid/ramp", "1 MW/s", "<grid ", "<grid ramp=\"1 MW/s\" ");
    expect("name", "b", "name='a'", "name=\"b\"");
    expect("title", "\"a<b\"", "<layout ", "<layout title=\"&quot;a&lt;b&quot;\" ");
    expect("provision/policy", "max_q", "<grid", "<provision policy=\"max_q\"/><grid");
}

MR_TEST(paths_that_lead_nowhere)
{
    static const struct {
        const char *path, *part;
        mr_status status;
    } cases[] = {
        {"hall/row/count", "several elements \"row\": which of the 2? say row[0] to [1]", MR_REF},
        {"hall/row[2]/count", "there are 2, numbered from 0 on", MR_REF},
        {"hall/rows/count", "\"rows\" (did you mean \"row\"?)", MR_REF},
        {"hall/provision/policy", "no such element", MR_REF},
        {"grid[0]/x/limit", "no such element", MR_REF},
        {"hall/row[x]/count", "not an element", MR_PARSE},
        {"hall/row[]/count", "not an element", MR_PARSE},
        {"hall//count", "not an element", MR_PARSE},
        {"/count", "not an element", MR_PARSE},
        {"hall/", "not an attribute", MR_PARSE},
        {"", "not an attribute", MR_PARSE},
        {"a<b", "not an attribute", MR_PARSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_buf out = {0};
        struct mr_err err;
        const mr_status st = change(cases[i].path, "1", &out, &err);
        if (st != cases[i].status || strstr(err.text, cases[i].part) == NULL)
            fail_msg("%s: status %d: %s", cases[i].path, st, err.text);
        mr_buf_fini(&out);
    }
    struct mr_buf out = {0};
    struct mr_err err = {0};
    const struct mr_layout_change one = {"hall/count", "1"};
    assert_int_equal(mr_layout_change_text("p.xml", MR_STR("<platform/>"), &one, 1, &out, &err),
                     MR_SCHEMA);
    mr_assert_contains(err.text, "no layout");
    mr_buf_fini(&out);
}

static mr_status every_step(void *context, struct mr_err *err)
{
    static const struct mr_layout_change two[] = {{"hall/row[0]/count", "2"},
                                                  {"provision/policy", "max_q"}};
    struct mr_buf out = {0};
    (void)context;
    const mr_status st = mr_layout_change_text("a.layout.xml", mr_str_of(plain), two, 2, &out, err);
    mr_buf_fini(&out);
    return st;
}

MR_TEST(memory_may_run_out)
{
    mr_test_every_nomem(every_step, NULL);
}

MR_TEST(a_changed_layout_is_the_one_written_out)
{
    static const struct mr_layout_change two[] = {{"hall/row[0]/count", "3"},
                                                  {"hall/row[1]/rack[1]/count", "5"}};
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_buf text = {0};
    struct mr_site *changed, *written;
    const char *path = mr_test_write("a.layout.xml", plain, strlen(plain));
    assert_int_equal(mr_open_site_changed(path, two, 2, MR_FABRIC_LEVEL_AUTO, &changed, &diags),
                     MR_OK);
    assert_int_equal(mr_layout_change_text("a", mr_str_of(plain), two, 2, &text, &err), MR_OK);
    path = mr_test_write("a.layout.xml", text.text, text.n);
    assert_int_equal(mr_open_site(path, MR_FABRIC_LEVEL_AUTO, &written, &diags), MR_OK);
    assert_int_equal(changed->n_rack, 3 + 2 + 5);
    assert_int_equal(written->n_rack, changed->n_rack);
    assert_string_equal(written->layout_sha256, changed->layout_sha256);
    mr_site_destroy(changed);
    mr_site_destroy(written);
    mr_buf_fini(&text);
}

MR_TEST_MAIN(MR_TEST_ENTRY(values_are_replaced_added_and_made),
             MR_TEST_ENTRY(paths_that_lead_nowhere), MR_TEST_ENTRY(memory_may_run_out),
             MR_TEST_ENTRY(a_changed_layout_is_the_one_written_out))
