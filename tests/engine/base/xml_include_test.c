/* SPDX-License-Identifier: Apache-2.0 */
/* The XML reader: files that include files, what stands in for a missing one, and what is refused.
 */
#include "engine/base/xml.h"
#include "tests/test.h"

#define XI "xmlns:xi=\"http://www.w3.org/2001/XInclude\""

static struct mr_xml_doc *load(const char *text)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    if (mr_xml_load_text("t.xml", mr_str_of(text), NULL, &doc, &err) != MR_OK)
        fail_msg("%s: %s", text, err.text);
    return doc;
}

static mr_status load_file(const char *name, const char *text, struct mr_xml_doc **doc,
                           struct mr_err *err)
{
    const struct mr_xml_options options = {.xinclude = true};
    *doc = NULL;
    *err = (struct mr_err){0};
    return mr_xml_load(mr_test_write(name, text, strlen(text)), &options, doc, err);
}

static void write_file(const char *name, const char *text)
{
    (void)mr_test_write(name, text, strlen(text));
}

MR_TEST(include_splices)
{
    struct mr_xml_doc *doc;
    struct mr_err err;
    char b_path[512];
    snprintf(b_path, sizeof b_path, "%s/b.xml", mr_test_tmp());
    write_file("b.xml", "<?xml version=\"1.0\"?>\n\n<b>\n <xi:include " XI " href=\"c.xml\"/></b>");
    write_file("c.xml", "<c d=\"1\">text</c>");
    assert_int_equal(load_file("a.xml",
                               "<a " XI ">\n<x/><xi:include href=\"b.xml\" parse=\"xml\"/>"
                               "<xi:include href=\"c.xml\"/>\n<y/></a>",
                               &doc, &err),
                     MR_OK);
    const struct mr_xml_node *a = mr_xml_root(doc);
    assert_int_equal(a->n_child, 4);
    const struct mr_xml_node *b = mr_xml_child(a, "b");
    assert_string_equal(b->file, b_path);
    assert_int_equal(b->line, 3);
    assert_ptr_equal(b->parent, a);
    assert_string_equal(b->child->name, "c");
    assert_string_equal(b->child->text, "text");
    assert_int_equal(b->child->line, 1);
    assert_string_equal(b->next->name, "c");
    assert_string_equal(b->next->next->name, "y");
    assert_int_equal(b->next->next->line, 3);
    assert_int_equal(mr_xml_n_file(doc), 3); /* c.xml once */
    assert_string_equal(mr_xml_file(doc, 1), b_path);

    struct mr_buf buf = {0};
    mr_xml_write(a, 0, &buf);
    assert_string_equal(buf.text,
                        "<a " XI "><x/><b><c d=\"1\">text</c></b><c d=\"1\">text</c><y/></a>\n");
    mr_buf_fini(&buf);
    mr_xml_destroy(doc);
    doc = load("<a " XI "><xi:include href=\"b.xml\"/></a>"); /* off by default */
    assert_string_equal(mr_xml_root(doc)->child->name, "xi:include");
    mr_xml_destroy(doc);
}

MR_TEST(include_fallback)
{
    struct mr_xml_doc *doc;
    struct mr_err err;
    write_file("good.xml", "<good/>");
    assert_int_equal(
        load_file("a.xml",
                  "<a " XI ">1<xi:include href=\"no.xml\">junk<xi:fallback>2<b/><c><d/></c>"
                  "<xi:include href=\"no2.xml\"><xi:fallback/></xi:include></xi:fallback>"
                  "</xi:include>3<xi:include href=\"good.xml\"><xi:fallback>x<no/><no/>"
                  "</xi:fallback></xi:include><e/></a>",
                  &doc, &err),
        MR_OK);
    struct mr_buf buf = {0};
    mr_xml_write(mr_xml_root(doc), 0, &buf);
    assert_string_equal(buf.text, "<a " XI ">123<b/><c><d/></c><good/><e/></a>\n");
    mr_buf_fini(&buf);
    mr_xml_destroy(doc);
    assert_int_equal(load_file("a.xml", "<xi:include " XI " href=\"good.xml\"/>", &doc, &err),
                     MR_OK);
    assert_string_equal(mr_xml_root(doc)->name, "good");
    assert_null(mr_xml_root(doc)->parent);
    mr_xml_destroy(doc);
}

MR_TEST(include_refusals)
{
    static const struct {
        const char *text;
        mr_status status;
        int line, col;
        const char *expected;
    } cases[] = {
        {"<a " XI ">\n <xi:include href=\"no.xml\"/></a>", MR_REF, 2, 2, "cannot open: No such"},
        {"<a " XI ">\n<xi:include/></a>", MR_SCHEMA, 2, 1, "missing attribute \"href\""},
        {"<a " XI ">\n<xi:include href=\"http://x.invalid/\"/></a>", MR_REF, 2, 1,
         "must be the path of a file"},
        {"<a " XI ">\n<xi:include href=\"b\" parse=\"text\"/></a>", MR_SCHEMA, 2, 1, "whole files"},
        {"<a " XI ">\n<xi:include href=\"b\" xpointer=\"x\"/></a>", MR_SCHEMA, 2, 1, "whole files"},
        {"<a " XI ">\n<xi:fallback/></a>", MR_PARSE, 2, 1, "outside of <xi:include>"},
        {"<a " XI ">\n<xi:include href=\"no\"><b/></xi:include></a>", MR_PARSE, 2, 23,
         "only one <xi:fallback>"},
        {"<a " XI ">\n<xi:include href=\"self.xml\"/></a>", MR_REF, 2, 1, "includes itself"},
        {"<a " XI ">\n<xi:include href=\"../self.xml\"/></a>", MR_REF, 2, 1, "cannot open"},
        {"<a " XI ">\n<xi:include href=\"loop.xml\"/></a>", MR_REF, 1, 62, "includes itself"},
        {"<a " XI ">\n<xi:include href=\"bad.xml\"/></a>", MR_PARSE, 2, 1, "never closed"},
        {"<a " XI ">\n<xi:include href=\"long0.xml\"/></a>", MR_LIMIT, 1, 62, "deeper than 16"},
        {"<xi:include " XI " href=\"no\"><xi:fallback><b/>\n<c/></xi:fallback></xi:include>",
         MR_PARSE, 2, 1, "a second root"},
    };
    struct mr_xml_doc *doc;
    struct mr_err err;
    char name[32], text[200];
    write_file("loop.xml", "<loop><xi:include " XI " href=\"loop2.xml\"/></loop>");
    write_file("loop2.xml", "<b " XI ">     <xi:include href=\"./loop.xml\"/></b>");
    write_file("bad.xml", "<a>\n");
    for (int i = 0; i <= mr_xml_include_depth_max; i++) {
        snprintf(name, sizeof name, "long%d.xml", i);
        snprintf(text, sizeof text, "<b %s>     <xi:include href=\"long%d.xml\"/></b>", XI, i + 1);
        write_file(name, text);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const long live = mr_test_live_allocations();
        assert_int_equal(load_file("self.xml", cases[i].text, &doc, &err), cases[i].status);
        mr_assert_contains(err.text, cases[i].expected);
        assert_int_equal(err.line, cases[i].line);
        if (strstr(cases[i].text, "loop") == NULL && strstr(cases[i].text, "long") == NULL)
            assert_int_equal(err.col, cases[i].col);
        assert_int_equal(mr_test_live_allocations(), live);
    }
}

/* Each file includes the next one twice: 2^16 readings if nobody counted. */
MR_TEST(include_bomb)
{
    struct mr_xml_doc *doc;
    struct mr_err err;
    char name[32], text[200];
    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof name, "bomb%d.xml", i);
        snprintf(text, sizeof text,
                 i < 15 ? "<b %s><xi:include href=\"bomb%d.xml\"/><xi:include "
                          "href=\"bomb%d.xml\"/></b>"
                        : "<b %s/>",
                 XI, i + 1, i + 1);
        write_file(name, text);
    }
    assert_int_equal(load_file("a.xml", "<xi:include " XI " href=\"bomb0.xml\"/>", &doc, &err),
                     MR_LIMIT);
    mr_assert_contains(err.text, "more than 1024 files");
}

MR_TEST_MAIN(MR_TEST_ENTRY(include_splices), MR_TEST_ENTRY(include_fallback),
             MR_TEST_ENTRY(include_refusals), MR_TEST_ENTRY(include_bomb))
