/* SPDX-License-Identifier: Apache-2.0 */
/* The XML reader: places, refusals with exact messages, hostile input, writing back, memory.
 * Includes: xml_include. */
#include "engine/base/xml.h"

#include "tests/test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#define XI "xmlns:xi=\"http://www.w3.org/2001/XInclude\""

static struct mr_xml_doc *load(const char *text)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    if (mr_xml_load_text("t.xml", mr_str_of(text), NULL, &doc, &err) != MR_OK)
        fail_msg("%s: %s", text, err.text);
    return doc;
}

static void refused(struct mr_str text, mr_status status, const char *expected)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    char got[1024];
    const long live = mr_test_live_allocations();
    assert_int_equal(mr_xml_load_text("t.xml", text, NULL, &doc, &err), status);
    assert_null(doc);
    mr_err_print(&err, got, sizeof got);
    assert_string_equal(got, expected);
    assert_int_equal(mr_test_live_allocations(), live);
}

/* ---- places ---- */

/* Every element as NAME@LINE:COL and attribute as NAME@LINE:COL=VALUE, in document order. */
static void list_places(const struct mr_xml_node *root, struct mr_buf *buf)
{
    for (const struct mr_xml_node *n = root; n != NULL; n = mr_xml_walk(root, n)) {
        mr_buf_printf(buf, "%s%s@%d:%d", buf->n > 0 ? " " : "", n->name, n->line, n->col);
        for (uint32_t i = 0; i < n->n_attribute; i++)
            mr_buf_printf(buf, " %s@%d:%d=%s", n->attribute[i].name, n->attribute[i].line,
                          n->attribute[i].col, n->attribute[i].value);
    }
}

MR_TEST(places)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"<a/>", "a@1:1"},
        {"\n\n  <a/>", "a@3:3"},
        {"<?xml version=\"1.0\"?>\n<a>\n <b/><c/>\n</a>\n", "a@2:1 b@3:2 c@3:6"},
        {"<a\n  b='1'\n\tc = \"2\"\n>\n<d/></a>", "a@1:1 b@2:3=1 c@3:2=2 d@5:1"},
        {"<a>\r\n<b c=\"1\"\r\n d=\"2\"/>\r\n</a>", "a@1:1 b@2:1 c@2:4=1 d@3:2=2"},
        {"<a b=\"x > y\" c='>\n>'><d/></a>", "a@1:1 b@1:4=x > y c@1:14=> > d@2:4"},
        {"<a><!-- <x y=\"1\"> --><b/><![CDATA[<x>]]><c/><?p <x>?><d/></a>",
         "a@1:1 b@1:22 c@1:41 d@1:54"},
        {"<a b=\"&lt;&amp;&#65;&#x20AC;&quot;\"><c d=\"1\"/></a>",
         "a@1:1 b@1:4=<&A\xE2\x82\xAC\" c@1:37 d@1:40=1"},
        {"\xEF\xBB\xBF<a>\n<b/></a>", "a@1:1 b@2:1"},
        {"<a>\xC3\xA9<b/></a>", "a@1:1 b@1:6"},
        {"<a b=\"\" c=''/>", "a@1:1 b@1:4= c@1:9="},
        {"<a b=\"x\ny\tz\"/>", "a@1:1 b@1:4=x y z"},
        {"<x:a xmlns:x=\"u\" x:b=\"1\" xmlns=\"v\"/>",
         "x:a@1:1 xmlns:x@1:6=u x:b@1:18=1 xmlns@1:26=v"},
        {"<!DOCTYPE a SYSTEM \"http://x.invalid/a.dtd\">\n<a b=\"'\" c='\"'/>",
         "a@2:1 b@2:4=' c@2:10=\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_xml_doc *doc = load(cases[i].text);
        struct mr_buf buf = {0};
        list_places(mr_xml_root(doc), &buf);
        assert_string_equal(buf.text, cases[i].expected);
        mr_buf_fini(&buf);
        mr_xml_destroy(doc);
    }
}

/* Elements farther apart than any buffer of the parser. */
MR_TEST(places_far_apart)
{
    enum {
        n_element = 3000
    };
    struct mr_buf text = {0};
    mr_buf_text(&text, "<a>");
    for (int i = 0; i < n_element; i++) {
        mr_buf_printf(&text, "\n%*s<b%d>%*s</b%d><!--%*s-->", i % 97, "", i, i % 1009, "x", i,
                      i % 5003, "c");
    }
    mr_buf_text(&text, "</a>");
    struct mr_xml_doc *doc = load(text.text);
    int i = 0;
    for (const struct mr_xml_node *n = mr_xml_root(doc)->child; n != NULL; n = n->next, i++) {
        assert_int_equal(n->line, i + 2);
        assert_int_equal(n->col, i % 97 + 1);
    }
    assert_int_equal(i, n_element);
    mr_xml_destroy(doc);
    mr_buf_fini(&text);
}

MR_TEST(text_is_collected)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"<a/>", ""},
        {"<a>  \n </a>", ""},
        {"<a> x </a>", "x"},
        {"<a>x<b>no</b>y</a>", "xy"},
        {"<a>\n  <b/>x\n<b/></a>", "x"},
        {"<a><![CDATA[<&]]>&gt;<!-- c -->&#x41;</a>", "<&>A"},
        {"<a>x\r\ny</a>", "x\ny"},
        {"<a>one<b>two<c>three</c></b> four</a>", "one four"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_xml_doc *doc = load(cases[i].text);
        assert_string_equal(mr_xml_root(doc)->text, cases[i].expected);
        mr_xml_destroy(doc);
    }
    struct mr_xml_doc *doc = load("<a>one<b>two<c>three</c></b> four</a>");
    assert_string_equal(mr_xml_root(doc)->child->text, "two");
    assert_string_equal(mr_xml_root(doc)->child->child->text, "three");
    mr_xml_destroy(doc);
}

MR_TEST(helpers)
{
    struct mr_xml_doc *doc = load(
        "<a xmlns=\"u\" xmlns:p=\"v\"><h id=\"1\"/><l/><h id=\"2\"/><p:q xml:lang=\"en\"/></a>");
    const struct mr_xml_node *a = mr_xml_root(doc);
    const struct mr_xml_node *h = mr_xml_child(a, "h");
    assert_string_equal(mr_xml_value(h, "id"), "1");
    h = mr_xml_next(h, "h");
    assert_string_equal(mr_xml_value(h, "id"), "2");
    assert_null(mr_xml_next(h, "h"));
    assert_null(mr_xml_child(a, "x"));
    assert_null(mr_xml_value(h, "x"));
    assert_int_equal(mr_xml_n_child(a, "h"), 2);
    assert_int_equal(a->n_child, 4);
    const struct mr_place at = mr_xml_attribute_place(h, mr_xml_attribute(h, "id"));
    assert_string_equal(at.file, "t.xml");
    assert_int_equal(at.col, 44);
    assert_int_equal(mr_xml_place(h).col, 41);
    const struct mr_xml_node *q = h->next;
    assert_string_equal(mr_xml_local_name(q), "q");
    assert_string_equal(mr_xml_namespace(q), "v");
    assert_string_equal(mr_xml_namespace(h), "u");
    assert_null(mr_xml_doctype(doc));
    assert_int_equal(mr_xml_n_file(doc), 1);
    assert_string_equal(mr_xml_file(doc, 0), "t.xml");
    mr_xml_destroy(doc);
    mr_xml_destroy(NULL);
    mr_assert_contains(mr_xml_library_version(), "2.");
}

/* ---- refusals ---- */

MR_TEST(malformed)
{
#define ONLY_UTF8 ": only UTF-8 is read (save the file as UTF-8)"
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "1:1: error: empty file: expected an XML document"},
        {"x", "1:1: error: expected \"<\" of the root element"},
        {"<a>\n <b>\n</a>", "3:1: error: element <b> opened at 2:2 is closed by </a>"},
        {"<a>\n <b>", "2:5: error: element <b> opened at 2:2 is never closed"},
        {"<a/>\n<b/>", "2:1: error: nothing may follow the root element"},
        {"<a>\n x & y</a>", "2:4: error: a plain \"&\" must be written \"&amp;\""},
        {"<a b=\"1\" c=\"2\"\n b=\"3\"/>", "2:2: error: attribute \"b\" is given twice"},
        {"<a b=\"<\"/>",
         "1:7: error: \"<\" in an attribute must be written \"&lt;\" (or a quote is missing)"},
        {"<a b=1/>", "1:6: error: the value of an attribute must stand in quotes"},
        {"<a b/>", "1:5: error: an attribute needs a value: =\"...\""},
        {"<a b=\"1\"c=\"2\"/>", "1:9: error: white space is missing here"},
        {"<a", "1:3: error: a tag is not closed by \">\""},
        {"<a b=\"", "1:7: error: the value of an attribute is never closed by its quote"},
        {"<a><!-- ", "1:9: error: a comment is never closed by \"-->\""},
        {"<a>]]></a>", "1:4: error: \"]]>\" in text must be written \"]]&gt;\""},
        {"<a>\x01</a>", "1:4: error: a character that XML does not allow"},
        {"<a>&#0;</a>", "1:4: error: a character reference that XML does not allow"},
        {" <?xml version=\"1.0\"?><a/>",
         "1:7: error: <?xml ...?> may stand only at the very start of the file"},
        {"<a>\n<p:b/></a>", "2:1: error: prefix \"p\" is not bound to a namespace"},
        {"<a>\xE9</a>", "1:4: error: byte 0xE9 is not UTF-8 (save the file as UTF-8)"},
        {"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
         "1:31: error: encoding \"ISO-8859-1\"" ONLY_UTF8},
        {"<!DOCTYPE a [\n<!ENTITY b \"x\">]><a>&b;</a>",
         "1:13: error: declarations inside <!DOCTYPE> (entities, defaults) are not accepted"},
        {"<a>\n&nbsp;</a>",
         "2:1: error: unknown entity \"&nbsp;\" (only amp, lt, gt, quot and apos are known)"},
        {"<!DOCTYPE a SYSTEM \"x\"><a b=\"&c;\"/>",
         "1:30: error: unknown entity \"&c;\" (only amp, lt, gt, quot and apos are known)"},
    };
    char expected[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(expected, sizeof expected, "t.xml:%s", cases[i].expected);
        refused(mr_str_of(cases[i].text), MR_PARSE, expected);
    }
    refused(MR_STR("<a>\0</a>"), MR_PARSE, "t.xml:1:4: error: NUL byte: this is not a text file");
    refused(MR_STR("\xFF\xFE<\0a\0/\0>\0"), MR_PARSE,
            "t.xml:1:1: error: encoding UTF-16 or UTF-32" ONLY_UTF8);
    refused(MR_STR("\0<\0a\0/\0>"), MR_PARSE,
            "t.xml:1:1: error: encoding UTF-16 or UTF-32" ONLY_UTF8);
}

MR_TEST(good_encodings)
{
    static const char *const names[] = {"UTF-8", "utf-8", "US-ASCII", "ascii"};
    char text[100];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(text, sizeof text, "<?xml version=\"1.0\" encoding=\"%s\"?>\n<a b=\"1\"/>",
                 names[i]);
        struct mr_xml_doc *doc = load(text);
        assert_int_equal(mr_xml_root(doc)->attribute[0].col, 4);
        mr_xml_destroy(doc);
    }
}

static void every_prefix_is_refused(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct mr_xml_doc *doc = NULL;
        struct mr_err err = {0};
        char *exact = malloc(i + 1); /* so that a sanitizer sees a byte too far */
        assert_non_null(exact);
        memcpy(exact, text, i);
        assert_int_equal(mr_xml_load_text("t.xml", (struct mr_str){exact, i}, NULL, &doc, &err),
                         MR_PARSE);
        assert_true(err.line >= 1 && err.col >= 1);
        free(exact);
    }
}

MR_TEST(truncated)
{
    static const char sample[] =
        "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n"
        "<!DOCTYPE p SYSTEM \"https://simgrid.org/simgrid.dtd\">\n<!-- c --><p:a xmlns:p='u'\n"
        " b = \"x&lt;\xC3\xA9\" ><![CDATA[ t ]]>&amp;<c d='1'/><?pi x?>text</p:a>";
    struct mr_xml_doc *doc = load(sample);
    mr_xml_destroy(doc);
    every_prefix_is_refused(sample, sizeof sample - 1);
}

/* ---- hostile input ---- */

static int saved_stderr;

static void capture_stderr(const char *path)
{
    const int to = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    fflush(stderr);
    saved_stderr = dup(2);
    assert_true(to >= 0 && saved_stderr >= 0 && dup2(to, 2) == 2);
    close(to);
}

/* Number of bytes printed. */
static long released_stderr(const char *path)
{
    fflush(stderr);
    assert_int_equal(dup2(saved_stderr, 2), 2);
    close(saved_stderr);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    const long n = ftell(f);
    fclose(f);
    return n;
}

static void repeat_text(struct mr_buf *buf, const char *text, int n)
{
    for (int i = 0; i < n; i++)
        mr_buf_text(buf, text);
}

static mr_status load_buf(const struct mr_buf *buf, const struct mr_xml_options *options,
                          struct mr_err *err)
{
    struct mr_xml_doc *doc = NULL;
    *err = (struct mr_err){0};
    const mr_status status =
        mr_xml_load_text("t.xml", (struct mr_str){buf->text, buf->n}, options, &doc, err);
    mr_xml_destroy(doc);
    return status;
}

MR_TEST(hostile_entities)
{
    static const char *const cases[] = {
        "<!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
        "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;\">"
        "]><l>&d;</l>",
        "<!DOCTYPE l [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><l>&a;</l>",
        "<!DOCTYPE l [<!ENTITY % a SYSTEM \"file:///etc/passwd\"> %a;]><l/>",
        "<!DOCTYPE l SYSTEM \"file:///etc/passwd\" [<!ATTLIST l x CDATA \"1\">]><l/>",
        "<!DOCTYPE l [<!ELEMENT l ANY>]><l/>",
    };
    const char *path = mr_test_tmp_path("stderr");
    struct mr_err err[sizeof cases / sizeof *cases];
    capture_stderr(path);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_xml_doc *doc = NULL;
        err[i] = (struct mr_err){0};
        (void)!mr_xml_load_text("t.xml", mr_str_of(cases[i]), NULL, &doc, &err[i]);
        mr_xml_destroy(doc);
    }
    assert_int_equal(released_stderr(path), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(err[i].status, MR_PARSE);
        mr_assert_contains(err[i].text, "declarations inside <!DOCTYPE>");
    }
}

/* A DTD that is only named is never looked for. */
MR_TEST(external_dtd_is_ignored)
{
    struct mr_buf buf = {0};
    mr_buf_printf(&buf, "<!DOCTYPE a SYSTEM \"%s\"><a/>", "file:///etc/passwd");
    struct mr_xml_doc *doc = load(buf.text);
    assert_string_equal(mr_xml_doctype(doc), "file:///etc/passwd");
    assert_int_equal(mr_xml_n_file(doc), 1);
    mr_xml_destroy(doc);
    mr_buf_fini(&buf);
    doc = load("<!DOCTYPE a><a/>");
    assert_string_equal(mr_xml_doctype(doc), "");
    mr_xml_destroy(doc);
}

MR_TEST(hostile_sizes)
{
    struct mr_buf buf = {0};
    struct mr_err err;
    const char *path = mr_test_tmp_path("stderr");
    capture_stderr(path);
    repeat_text(&buf, "<a>", mr_xml_depth_max);
    repeat_text(&buf, "</a>", mr_xml_depth_max);
    const mr_status deep = load_buf(&buf, NULL, &err);
    mr_buf_clear(&buf);
    repeat_text(&buf, "<a>", 100000);
    const mr_status deeper = load_buf(&buf, NULL, &err);
    const int deeper_col = err.col;

    mr_buf_clear(&buf);
    mr_buf_text(&buf, "\n<a");
    for (int i = 0; i < 100000; i++)
        mr_buf_printf(&buf, " b%d=\"1\"", i);
    mr_buf_text(&buf, "/>");
    const mr_status wide = load_buf(&buf, NULL, &err);
    const int wide_line = err.line;

    mr_buf_clear(&buf);
    mr_buf_text(&buf, "<a");
    for (int i = 0; i < mr_xml_attribute_max; i++)
        mr_buf_printf(&buf, " b%d = \"1\"", i);
    mr_buf_text(&buf, "/>");
    const mr_status at_limit = load_buf(&buf, NULL, &err);

    mr_buf_clear(&buf);
    mr_buf_text(&buf, "<a>");
    repeat_text(&buf, "\"text\" = \"text\" ", 1 << 20); /* 16 MiB; no attributes */
    mr_buf_text(&buf, "</a>");
    const mr_status huge_text = load_buf(&buf, NULL, &err);
    const mr_status too_long =
        load_buf(&buf, &(struct mr_xml_options){.limit_bytes = 1 << 20}, &err);

    mr_buf_clear(&buf);
    mr_buf_text(&buf, "<a b=\"");
    repeat_text(&buf, "0123456789", 1 << 20);
    mr_buf_text(&buf, "\"/>");
    const mr_status huge_value = load_buf(&buf, NULL, &err);
    mr_buf_fini(&buf);
    assert_int_equal(released_stderr(path), 0);

    assert_int_equal(deep, MR_OK);
    assert_int_equal(deeper, MR_LIMIT);
    assert_int_equal(deeper_col, 3 * mr_xml_depth_max + 1);
    assert_int_equal(wide, MR_LIMIT);
    assert_int_equal(wide_line, 2);
    assert_int_equal(at_limit, MR_OK);
    assert_int_equal(huge_text, MR_OK);
    assert_int_equal(too_long, MR_LIMIT);
    assert_true(huge_value == MR_OK || huge_value == MR_LIMIT); /* libxml2's own limit is 10 MB */
}

MR_TEST(files_that_are_none)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    assert_int_equal(mr_xml_load("/nonexistent/a.xml", NULL, &doc, &err), MR_IO);
    assert_string_equal(err.text, "cannot open: No such file or directory");
    assert_string_equal(err.file, "/nonexistent/a.xml");
    err = (struct mr_err){0};
    assert_int_equal(mr_xml_load(mr_test_tmp(), NULL, &doc, &err), MR_IO);
    assert_string_equal(err.text, "cannot read: a folder");
    err = (struct mr_err){0};
    assert_int_equal(mr_xml_load("/dev/zero", NULL, &doc, &err), MR_IO);
    assert_string_equal(err.text, "cannot read: neither a file nor a pipe");
    assert_null(doc);
}

/* ---- writing back ---- */

MR_TEST(written_reads_back)
{
    static const char *const cases[] = {
        "<a/>",
        "<a b=\"&lt;&gt;&amp;&quot;'&#10;&#9;\">x &lt; y &amp; z<b>]]&gt;</b></a>",
        "<a>\n <b>  text  </b>\n more\n<c><d/></c></a>",
        "<x:a xmlns:x=\"u\"><b x:c=\"1\"/></x:a>",
        "<!DOCTYPE a PUBLIC \"-//p\" \"it's\"><a>\xE2\x82\xAC</a>",
        "<!DOCTYPE a SYSTEM 'say \"x\"'><a/>",
        "<!DOCTYPE a><a>x<b/>y<b/>z</a>",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int indent = 0; indent <= 3; indent++) {
            struct mr_xml_doc *doc = load(cases[i]);
            struct mr_buf buf = {0}, buf2 = {0};
            mr_xml_doc_write(doc, indent, &buf);
            struct mr_xml_doc *again = load(buf.text);
            assert_true(mr_xml_equal(mr_xml_root(doc), mr_xml_root(again)));
            mr_xml_doc_write(again, indent, &buf2);
            assert_string_equal(buf.text, buf2.text);
            mr_buf_fini(&buf);
            mr_buf_fini(&buf2);
            mr_xml_destroy(again);
            mr_xml_destroy(doc);
        }
    }
}

MR_TEST(written_form)
{
    struct mr_xml_doc *doc = load("<!DOCTYPE a SYSTEM \"s\"><a b='1'>\n\n<c>t</c><d><e/></d></a>");
    struct mr_buf buf = {0};
    mr_xml_doc_write(doc, 1, &buf);
    assert_string_equal(buf.text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                  "<!DOCTYPE a SYSTEM \"s\">\n"
                                  "<a b=\"1\">\n"
                                  " <c>t</c>\n"
                                  " <d>\n"
                                  "  <e/>\n"
                                  " </d>\n"
                                  "</a>\n");
    mr_buf_fini(&buf);
    mr_xml_destroy(doc);
}

MR_TEST(unequal_trees)
{
    static const char *const cases[] = {
        "<a b=\"1\">t<c/></a>", "<a b=\"2\">t<c/></a>", "<a c=\"1\">t<c/></a>",
        "<a>t<c/></a>",         "<a b=\"1\">u<c/></a>", "<a b=\"1\">t<d/></a>",
        "<a b=\"1\">t</a>",     "<b b=\"1\">t<c/></b>", "<a b=\"1\">t<c><c/></c></a>",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            struct mr_xml_doc *a = load(cases[i]), *b = load(cases[k]);
            assert_int_equal(mr_xml_equal(mr_xml_root(a), mr_xml_root(b)), i == k);
            mr_xml_destroy(a);
            mr_xml_destroy(b);
        }
}

/* ---- real size ---- */

static const char platform_path[] = MR_SOURCE_DIR "/tests/engine/base/data/site.platform.xml";

MR_TEST(simgrid_platform)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    assert_int_equal(mr_xml_load(platform_path, NULL, &doc, &err), MR_OK);
    assert_string_equal(mr_xml_doctype(doc), "https://simgrid.org/simgrid.dtd");
    const struct mr_xml_node *root = mr_xml_root(doc);
    assert_string_equal(mr_xml_value(root, "version"), "4.1");
    const struct mr_xml_node *site = mr_xml_child(root, "zone");
    const struct mr_xml_node *rack = mr_xml_child(mr_xml_child(site, "zone"), "zone");
    assert_string_equal(mr_xml_value(rack, "id"), "A.K0");
    const struct mr_xml_node *host = mr_xml_child(rack, "host");
    assert_int_equal(host->line, 12);
    assert_int_equal(host->col, 4);
    assert_int_equal(mr_xml_attribute(host, "speed")->col, 23);
    assert_string_equal(mr_xml_value(host, "speed"), "35Pf,28Pf,21Pf");
    assert_int_equal(mr_xml_n_child(rack, "link"), 3);
    mr_xml_destroy(doc);
}

static long write_racks(FILE *f, long n_bytes)
{
    long n = 0;
    for (int k = 0; n < n_bytes; k++) {
        n += fprintf(f, "  <zone id=\"H.R%d.K%d\" routing=\"Floyd\">\n", k / 10, k);
        for (int g = 0; g < 72; g++)
            n += fprintf(f,
                         "    <host id=\"H.R%d.K%d.g%d\" speed=\"35Pf,28Pf,21Pf\"><prop id=\"tray\""
                         " value=\"%d\"/></host>\n",
                         k / 10, k, g, g / 4);
        for (int g = 0; g < 72; g++)
            n += fprintf(f,
                         "    <link id=\"H.R%d.K%d.g%d.nv\" bandwidth=\"1800GBps\" "
                         "latency=\"250ns\" sharing_policy=\"SPLITDUPLEX\"/>\n",
                         k / 10, k, g);
        for (int g = 0; g < 72; g++)
            n += fprintf(f,
                         "    <route src=\"H.R%d.K%d.g%d\" dst=\"H.R%d.K%d.sw\"><link_ctn "
                         "id=\"H.R%d.K%d.g%d.nv\" direction=\"UP\"/></route>\n",
                         k / 10, k, g, k / 10, k, k / 10, k, g);
        n += fprintf(f, "  </zone>\n");
    }
    return n;
}

/* 50 MB of platform in about three times its size: text, tree and parser together. */
MR_TEST(large_platform)
{
    const char *path = mr_test_tmp_path("large.xml");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f, "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
               "<platform version=\"4.1\">\n<zone id=\"site\" routing=\"Floyd\">\n");
    const long n_bytes = write_racks(f, 50000000);
    fprintf(f, "</zone>\n</platform>\n");
    assert_int_equal(fclose(f), 0);
    struct rusage before, after;
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    getrusage(RUSAGE_SELF, &before);
    assert_int_equal(mr_xml_load(path, NULL, &doc, &err), MR_OK);
    getrusage(RUSAGE_SELF, &after);
    print_message("%ld bytes of XML: document %zu bytes, resident +%ld kB\n", n_bytes,
                  mr_xml_size_bytes(doc), after.ru_maxrss - before.ru_maxrss);
    assert_true((double)mr_xml_size_bytes(doc) <= 3.1 * (double)n_bytes);
#if !defined(MR_TORTURE) && !defined(__SANITIZE_ADDRESS__) && !defined(__has_feature)
    assert_true(1024.0 * (double)(after.ru_maxrss - before.ru_maxrss) <= 3.2 * (double)n_bytes);
#endif
    const struct mr_xml_node *last = mr_xml_root(doc)->child->child;
    while (last->next != NULL)
        last = last->next;
    const struct mr_xml_node *route = mr_xml_child(last, "route");
    assert_string_equal(mr_xml_value(route->child, "direction"), "UP");
    assert_int_equal(route->line, last->line + 145);
    assert_int_equal(route->col, 5);
    mr_xml_destroy(doc);
}

/* ---- failing allocator ---- */

static mr_status load_everything(void *context, struct mr_err *err)
{
    const struct mr_xml_options options = {.xinclude = true};
    struct mr_xml_doc *doc = NULL;
    const mr_status status = mr_xml_load(context, &options, &doc, err);
    mr_xml_destroy(doc);
    return status;
}

MR_TEST(every_allocation_may_fail)
{
    static const char text[] =
        "<!DOCTYPE a PUBLIC \"x\" \"y\"><a " XI "><b c=\"1\">text<b/></b>"
        "<xi:include href=\"c.xml\"/><xi:include href=\"no.xml\"><xi:fallback>t<d/>"
        "</xi:fallback></xi:include></a>";
    static const char included[] = "<c d=\"1\">text<e f=\"2\"/></c>";
    char path[512];
    (void)mr_test_write("c.xml", included, sizeof included - 1);
    snprintf(path, sizeof path, "%s", mr_test_write("a.xml", text, sizeof text - 1));
    mr_test_every_nomem(load_everything, path);
}

/* of libxml2: whose allocations fail here (free, malloc, realloc, strdup), and forgetting the
 * thread's last error */
void xmlResetLastError(void);
int xmlMemSetup(void (*)(void *), void *(*)(size_t), void *(*)(void *, size_t),
                char *(*)(const char *));

static long n_library, fail_library_at, n_library_live; /* from the n-th on everything fails */

static void library_free(void *p)
{
    n_library_live -= p != NULL;
    free(p);
}

static void *library_realloc(void *old, size_t n)
{
    if (fail_library_at > 0 && ++n_library >= fail_library_at)
        return NULL;
    void *p = realloc(old, n);
    n_library_live += old == NULL && p != NULL;
    return p;
}

static void *library_malloc(size_t n)
{
    return library_realloc(NULL, n);
}

static char *library_strdup(const char *text)
{
    const size_t n = strlen(text) + 1;
    char *p = library_malloc(n);
    return p != NULL ? memcpy(p, text, n) : NULL;
}

/* Here libxml2 does print: it has no context yet to report to. */
MR_TEST(library_out_of_memory)
{
    static const char text[] = "<!DOCTYPE a SYSTEM 'x'><a b='1' xmlns:c='d'><c:e c:f='&lt;2'>text"
                               "&amp;more<!-- c --></c:e><![CDATA[x]]></a>";
    const char *path = mr_test_tmp_path("stderr");
    struct mr_err err = {0};
    long bad_status = 0, leaked = 0;
    mr_status status = MR_NOMEM;
    assert_int_equal(xmlMemSetup(library_free, library_malloc, library_realloc, library_strdup), 0);
    mr_xml_destroy(load(text)); /* what is kept for the process */
    capture_stderr(path);
    for (long n = 1; n < 10000 && status != MR_OK; n++) {
        struct mr_xml_doc *doc = NULL;
        xmlResetLastError();
        const long live = n_library_live;
        err = (struct mr_err){0};
        n_library = 0;
        fail_library_at = n;
        status = mr_xml_load_text("t.xml", mr_str_of(text), NULL, &doc, &err);
        fail_library_at = 0;
        mr_xml_destroy(doc);
        xmlResetLastError();
        bad_status += status != MR_NOMEM && status != MR_OK;
        leaked += n_library_live - live;
    }
    (void)released_stderr(path);
    assert_int_equal(status, MR_OK);
    assert_int_equal(bad_status, 0);
    assert_int_equal(leaked, 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(places), MR_TEST_ENTRY(places_far_apart),
             MR_TEST_ENTRY(text_is_collected), MR_TEST_ENTRY(helpers), MR_TEST_ENTRY(malformed),
             MR_TEST_ENTRY(good_encodings), MR_TEST_ENTRY(truncated),
             MR_TEST_ENTRY(hostile_entities), MR_TEST_ENTRY(external_dtd_is_ignored),
             MR_TEST_ENTRY(hostile_sizes), MR_TEST_ENTRY(files_that_are_none),
             MR_TEST_ENTRY(written_reads_back), MR_TEST_ENTRY(written_form),
             MR_TEST_ENTRY(unequal_trees), MR_TEST_ENTRY(simgrid_platform),
             MR_TEST_ENTRY(large_platform), MR_TEST_ENTRY(every_allocation_may_fail),
             MR_TEST_ENTRY(library_out_of_memory))
