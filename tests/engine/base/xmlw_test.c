/* SPDX-License-Identifier: Apache-2.0 */
/* The XML writer: exact text, escapes, numbers, comments, the sticky buffer. */
#include "engine/base/xmlw.h"

#include "tests/test.h"

MR_TEST(document)
{
    struct mr_buf buf = {0};
    struct mr_xmlw w;
    mr_xmlw_init(&w, &buf, 1);
    mr_xmlw_prolog(&w, "platform", NULL, "https://simgrid.org/simgrid.dtd");
    mr_xmlw_open(&w, "platform");
    mr_xmlw_attr(&w, "version", "4.1");
    mr_xmlw_comment(&w, "two -- racks");
    mr_xmlw_open(&w, "zone");
    mr_xmlw_attr_printf(&w, "id", "H%d.K%d", 0, 7);
    mr_xmlw_open(&w, "prop");
    mr_xmlw_attr_u64(&w, "n", UINT64_MAX);
    mr_xmlw_attr_f64(&w, "x", 0.1);
    mr_xmlw_attr_str(&w, "s", MR_STR("a<b>&\"c\"\n"));
    mr_xmlw_close(&w, "prop");
    mr_xmlw_open(&w, "note");
    mr_xmlw_text(&w, MR_STR("1 < 2"));
    mr_xmlw_close(&w, "note");
    mr_xmlw_close(&w, "zone");
    mr_xmlw_close(&w, "platform");
    mr_xmlw_end(&w);
    assert_string_equal(buf.text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                  "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
                                  "<platform version=\"4.1\">\n"
                                  " <!-- two - - racks -->\n"
                                  " <zone id=\"H0.K7\">\n"
                                  "  <prop n=\"18446744073709551615\" x=\"0.1\" "
                                  "s=\"a&lt;b&gt;&amp;&quot;c&quot;&#10;\"/>\n"
                                  "  <note>1 &lt; 2</note>\n"
                                  " </zone>\n"
                                  "</platform>\n");
    mr_buf_fini(&buf);
}

MR_TEST(one_line)
{
    struct mr_buf buf = {0};
    struct mr_xmlw w;
    mr_xmlw_init(&w, &buf, 0);
    mr_xmlw_open(&w, "a");
    mr_xmlw_open(&w, "b");
    mr_xmlw_close(&w, "b");
    mr_xmlw_comment(&w, "--");
    mr_xmlw_text(&w, MR_STR("t"));
    mr_xmlw_close(&w, "a");
    mr_xmlw_end(&w);
    assert_string_equal(buf.text, "<a><b/><!-- - - -->t</a>\n");
    mr_buf_fini(&buf);
}

MR_TEST(deep_indent)
{
    struct mr_buf buf = {0};
    struct mr_xmlw w;
    mr_xmlw_init(&w, &buf, 4);
    for (int i = 0; i < mr_xmlw_depth_max; i++)
        mr_xmlw_open(&w, "a");
    for (int i = 0; i < mr_xmlw_depth_max; i++)
        mr_xmlw_close(&w, "a");
    mr_xmlw_end(&w);
    char line[4 * mr_xmlw_depth_max + 16];
    snprintf(line, sizeof line, "\n%*s<a/>\n", 4 * (mr_xmlw_depth_max - 1), "");
    mr_assert_contains(buf.text, line);
    mr_buf_fini(&buf);
}

static mr_status write_something(void *context, struct mr_err *err)
{
    struct mr_buf buf = {0};
    struct mr_xmlw w;
    (void)context;
    mr_xmlw_init(&w, &buf, 2);
    mr_xmlw_prolog(&w, "a", "p", "s");
    for (int i = 0; i < 50; i++)
        mr_xmlw_open(&w, "a");
    mr_xmlw_attr(&w, "b", "c");
    mr_xmlw_text(&w, MR_STR("text"));
    for (int i = 0; i < 50; i++)
        mr_xmlw_close(&w, "a");
    mr_xmlw_end(&w);
    const mr_status status = mr_buf_check(&buf, err);
    mr_buf_fini(&buf);
    return status;
}

MR_TEST(every_allocation_may_fail)
{
    mr_test_every_nomem(write_something, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(document), MR_TEST_ENTRY(one_line), MR_TEST_ENTRY(deep_indent),
             MR_TEST_ENTRY(every_allocation_may_fail))
