/* SPDX-License-Identifier: Apache-2.0 */
/* RELAX NG: exact messages of our vocabulary pass and of what is left to libxml2, grammars that are
 * refused, the failing allocator. */
#include "engine/base/xml_schema.h"

#include "tests/test.h"

static const char schema_path[] = MR_SOURCE_DIR "/tests/engine/base/data/small.rng";

#define WORK "<workload kind=\"trace\" file=\"a\"><first/><second>1</second></workload>"

static struct mr_xml_schema *schema_of_tests(void)
{
    struct mr_xml_schema *schema = NULL;
    struct mr_err err = {0};
    if (mr_xml_schema_load(schema_path, &schema, &err) != MR_OK)
        fail_msg("%s:%d: %s", err.file, err.line, err.text);
    return schema;
}

/* All findings, one per line, without "s.xml:". */
static mr_status findings(const struct mr_xml_schema *schema, const char *text, struct mr_buf *buf)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    struct mr_diags diags = {0};
    char line[1024];
    mr_buf_clear(buf);
    mr_buf_text(buf, "");
    if (mr_xml_load_text("s.xml", mr_str_of(text), NULL, &doc, &err) != MR_OK)
        fail_msg("%s: %s", text, err.text);
    const mr_status status = mr_xml_schema_check(schema, doc, &diags);
    for (size_t i = 0; i < diags.n_item; i++) {
        mr_diag_print(&diags.item[i], line, sizeof line);
        assert_memory_equal(line, "s.xml:", 6);
        mr_buf_printf(buf, "%s\n", line + 6);
    }
    assert_int_equal(status == MR_OK, diags.n_error == 0);
    mr_xml_destroy(doc);
    return status;
}

MR_TEST(valid)
{
    static const char *const cases[] = {
        "<scenario name=\"a\">" WORK "</scenario>",
        "<scenario name=\"a\" seed=\"18446744073709551615\">\n<tier name=\"x\" share=\" rest \"/>"
        "<tier name=\"y\" share=\"0.5\">text</tier>\n" WORK "</scenario>",
        "<scenario name=\"a\"><workload kind=\"poisson\" rate=\"1e3\"><first/><second> -7 </second>"
        "<third/><third/></workload><record every=\"1 s\"/></scenario>",
        "<scenario name=\"a\"><record off=\"yes\"><why>x</why><why/></record>" WORK "</scenario>",
        "<scenario name=\"a\">" WORK "<links weights=\"1 2e3 4\"><link bandwidth=\"1\"/>"
        "<trunk bandwidth=\"2\" latency=\"3\"/></links></scenario>",
        "<scenario name=\"a\">" WORK "<notes>a<b c=\"1\"><scenario/></b>d</notes></scenario>",
    };
    struct mr_xml_schema *schema = schema_of_tests();
    struct mr_buf buf = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const mr_status status = findings(schema, cases[i], &buf);
        assert_string_equal(buf.text, "");
        assert_int_equal(status, MR_OK);
    }
    mr_buf_fini(&buf);
    mr_xml_schema_destroy(schema);
}

static void check_cases(const char *const (*cases)[2], size_t n)
{
    struct mr_xml_schema *schema = schema_of_tests();
    struct mr_buf buf = {0};
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(findings(schema, cases[i][0], &buf), MR_SCHEMA);
        assert_string_equal(buf.text, cases[i][1]);
    }
    mr_buf_fini(&buf);
    mr_xml_schema_destroy(schema);
}

MR_TEST(vocabulary)
{
    static const char *const cases[][2] = {
        {"<scenario name=\"a\">\n <workloed/></scenario>",
         "2:2: error: element <scenario>: unknown element <workloed> (did you mean "
         "\"workload\"?)\n"},
        {"<scenario name=\"a\">" WORK "\n<links weights=\"1\"><link bandwith=\"1\"/></links>"
         "</scenario>",
         "2:26: error: element <link>: unknown attribute \"bandwith\" (did you mean "
         "\"bandwidth\"?)\n"},
        {"<scenario seed=\"1\">" WORK "</scenario>",
         "1:1: error: element <scenario>: missing attribute \"name\"\n"},
        {"<scenario name=\"a\"/>", "1:1: error: element <scenario>: missing element <workload>\n"},
        {"<scenario name=\"a\">\n" WORK "\n" WORK "</scenario>",
         "3:1: error: element <scenario>: a second <workload> (the first is at line 2)\n"},
        {"<scenario name=\"a\">" WORK "\n<zzz><bad/></zzz></scenario>",
         "2:1: error: element <scenario>: unknown element <zzz> (expected one of: workload, tier, "
         "record, links, notes)\n"},
        {"<scenariu/>", "1:1: error: element <scenariu>: not the root of such a file (did you mean "
                        "\"scenario\"?)\n"},
        {"<x/>", "1:1: error: element <x>: not the root of such a file (expected: scenario)\n"},
        /* several at once */
        {"<scenario nmae=\"a\" zzz=\"1\">\n<tier nam=\"x\"/>\n<tier/>\n</scenario>",
         "1:11: error: element <scenario>: unknown attribute \"nmae\" (did you mean \"name\"?)\n"
         "1:20: error: element <scenario>: unknown attribute \"zzz\" (expected one of: name, "
         "seed)\n"
         "2:7: error: element <tier>: unknown attribute \"nam\" (did you mean \"name\"?)\n"
         "3:1: error: element <tier>: missing attribute \"name\"\n"
         "1:1: error: element <scenario>: missing element <workload>\n"},
    };
    check_cases(cases, sizeof cases / sizeof *cases);
}

MR_TEST(values)
{
    static const char *const cases[][2] = {
        {"<scenario name=\"1 a\" seed=\"-1\">" WORK "</scenario>",
         "1:11: error: element <scenario>: attribute \"name\": bad value \"1 a\": expected a name\n"
         "1:22: error: element <scenario>: attribute \"seed\": bad value \"-1\": expected a whole "
         "number of at least 0\n"},
        {"<scenario name=\"a\">\n<tier name=\"t\" share=\"1.5\"/>\n<tier name=\"t\" "
         "share=\"rset\"/>" WORK "</scenario>",
         "2:16: error: element <tier>: attribute \"share\": bad value \"1.5\": expected a number "
         "without exponent of at least 0 and of at most 1 (expected: rest)\n"
         "3:16: error: element <tier>: attribute \"share\": bad value \"rset\": expected a number "
         "without exponent of at least 0 and of at most 1 (did you mean \"rest\"?)\n"},
        {"<scenario name=\"a\"><workload kind=\"tracee\" file=\"a\"><first/><second>x</second>"
         "</workload></scenario>",
         "1:30: error: element <workload>: attribute \"kind\": bad value \"tracee\" (did you mean "
         "\"trace\"?)\n"
         "1:61: error: element <second>: bad value \"x\": expected a whole number\n"},
        {"<scenario name=\"a\"><workload kind=\"poisson\" rate=\"0\"><first/><second>1</second>"
         "</workload></scenario>",
         "1:45: error: element <workload>: attribute \"rate\": bad value \"0\": expected a number "
         "above 0\n"},
        {"<scenario name=\"a\">text" WORK "<record every=\"1\">x</record></scenario>",
         "1:1: error: element <scenario>: text \"text\" is not allowed here\n"
         "1:93: error: element <record>: text \"x\" is not allowed here\n"},
    };
    check_cases(cases, sizeof cases / sizeof *cases);
}

/* What our pass cannot be certain of: libxml2's findings in our words. */
MR_TEST(order_and_choice)
{
    static const char *const cases[][2] = {
        {"<scenario name=\"a\"><workload kind=\"trace\" file=\"a\">\n<second>1</second><first/>"
         "</workload></scenario>",
         "2:1: error: element <workload>: found <second> where <first> was expected\n"},
        {"<scenario name=\"a\"><workload kind=\"trace\" file=\"a\">\n<first/><third/><second>1"
         "</second></workload></scenario>",
         "2:9: error: element <workload>: found <third> where <second> was expected\n"},
        {"<scenario name=\"a\"><workload kind=\"poisson\" file=\"a\"><first/><second>1</second>"
         "</workload></scenario>",
         "1:20: error: element <workload>: these attributes do not go together or one is "
         "missing\n"},
        {"<scenario name=\"a\"><workload kind=\"trace\" file=\"a\" rate=\"2\"><first/><second>1"
         "</second></workload></scenario>",
         "1:52: error: element <workload>: attribute \"rate\" does not go with its other "
         "attributes\n"},
        {"<scenario name=\"a\" xmlns=\"urn:x\">" WORK "</scenario>",
         "1:1: error: element <scenario>: Expecting no namespace for element scenario\n"},
    };
    check_cases(cases, sizeof cases / sizeof *cases);
}

/* Twenty are kept, all are counted. */
MR_TEST(many_findings)
{
    struct mr_xml_schema *schema = schema_of_tests();
    struct mr_buf text = {0};
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    struct mr_diags diags = {0};
    mr_buf_text(&text, "<scenario name=\"a\">" WORK);
    for (int i = 0; i < 100; i++)
        mr_buf_text(&text, "\n<tier/>");
    mr_buf_text(&text, "</scenario>");
    assert_int_equal(
        mr_xml_load_text("s.xml", (struct mr_str){text.text, text.n}, NULL, &doc, &err), MR_OK);
    assert_int_equal(mr_xml_schema_check(schema, doc, &diags), MR_SCHEMA);
    assert_int_equal(diags.n_error, 100);
    assert_int_equal(diags.n_item, MR_DIAGS_CAP);
    assert_int_equal(diags.item[7].err.line, 9);
    mr_xml_destroy(doc);
    mr_buf_fini(&text);
    mr_xml_schema_destroy(schema);
}

#define RNG "xmlns=\"http://relaxng.org/ns/structure/1.0\""
#define XSD "datatypeLibrary=\"http://www.w3.org/2001/XMLSchema-datatypes\""
#define ROOT(attribute, content) \
    "<grammar " RNG " " attribute "><start><element name=\"a\">" content "</element></start>"

MR_TEST(bad_grammars)
{
    static const struct {
        const char *text;
        mr_status status;
        const char *expected;
    } cases[] = {
        {"<grammar", MR_PARSE, "not closed"},
        {"<grammar/>", MR_SCHEMA, "expected <grammar> of RELAX NG"},
        {"<grammar " RNG "/>", MR_SCHEMA, "no <start>"},
        {ROOT("", "<ref name=\"x\"/>") "</grammar>", MR_SCHEMA, "\"x\": no such define"},
        {ROOT("", "<ref name=\"x\"/>") "<define name=\"x\"><ref name=\"x\"/></define></grammar>",
         MR_SCHEMA, "refers to itself outside of an element"},
        {ROOT("", "<externalRef href=\"/etc/passwd\"/>") "</grammar>", MR_SCHEMA,
         "not a pattern this reader knows"},
        {ROOT("", "<empty/>") "<include href=\"x\"/></grammar>", MR_SCHEMA, "not read here"},
        {ROOT("", "<empty/>") "<start><empty/></start></grammar>", MR_SCHEMA, "a second <start>"},
        {ROOT("", "<data type=\"int\"/>") "</grammar>", MR_SCHEMA, "unknown type \"int\""},
        {ROOT(XSD, "<data type=\"itn\"/>") "</grammar>", MR_SCHEMA, "unknown type \"itn\""},
        {ROOT(XSD, "<data type=\"int\"><param name=\"minInclusive\">x</param></data>") "</grammar>",
         MR_SCHEMA, "bad value \"x\""},
        {ROOT(XSD, "<data type=\"int\"><param name=\"min\">1</param></data>") "</grammar>",
         MR_SCHEMA, "unknown name"},
        {ROOT(XSD, "<data type=\"token\"><param name=\"length\">-1</param></data>") "</grammar>",
         MR_SCHEMA, "bad value \"-1\""},
        {ROOT("", "<optional/>") "</grammar>", MR_SCHEMA, "schema: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_xml_schema *schema = NULL;
        struct mr_err err = {0};
        const long live = mr_test_live_allocations();
        assert_int_equal(mr_xml_schema_load_text("g.rng", mr_str_of(cases[i].text), &schema, &err),
                         cases[i].status);
        mr_assert_contains(err.text, cases[i].expected);
        assert_string_equal(err.file, "g.rng");
        assert_int_equal(err.line, 1);
        assert_int_equal(mr_test_live_allocations(), live);
    }
    mr_xml_schema_destroy(NULL);
}

/* An element pattern may contain itself; one name may mean two patterns with different insides. */
MR_TEST(recursion_and_ambiguity)
{
    static const char grammar[] =
        "<grammar " RNG " " XSD "><start><ref name=\"zone\"/></start><define name=\"zone\">"
        "<element name=\"zone\"><attribute name=\"id\"/><choice>"
        "<oneOrMore><ref name=\"zone\"/></oneOrMore>"
        "<group><attribute name=\"leaf\"/><zeroOrMore><element name=\"host\"><attribute "
        "name=\"a\"/>"
        "</element></zeroOrMore><optional><element name=\"host\"><attribute name=\"b\"/></element>"
        "</optional></group></choice></element></define></grammar>";
    static const char *const cases[][2] = {
        {"<zone id=\"1\"><zone id=\"2\" leaf=\"\"><host a=\"\"/><host b=\"\"/></zone></zone>", ""},
        {"<zone id=\"1\"><zone leaf=\"\"><host c=\"\"/></zone></zone>",
         "1:34: error: element <host>: unknown attribute \"c\" (expected one of: a, b)\n"
         "1:14: error: element <zone>: missing attribute \"id\"\n"},
    };
    struct mr_xml_schema *schema = NULL;
    struct mr_err err = {0};
    struct mr_buf buf = {0};
    if (mr_xml_schema_load_text("g.rng", mr_str_of(grammar), &schema, &err) != MR_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)findings(schema, cases[i][0], &buf);
        assert_string_equal(buf.text, cases[i][1]);
    }
    mr_buf_fini(&buf);
    mr_xml_schema_destroy(schema);
}

static mr_status load_and_check(void *context, struct mr_err *err)
{
    struct mr_xml_schema *schema = NULL;
    struct mr_xml_doc *doc = NULL;
    struct mr_diags diags = {0};
    (void)context;
    mr_status status = mr_xml_schema_load(schema_path, &schema, err);
    if (status == MR_OK)
        status = mr_xml_load_text("s.xml", MR_STR("<scenario name=\"a\">" WORK "</scenario>"), NULL,
                                  &doc, err);
    if (status == MR_OK)
        status = mr_xml_schema_check(schema, doc, &diags);
    mr_xml_destroy(doc);
    mr_xml_schema_destroy(schema);
    return status;
}

MR_TEST(every_allocation_may_fail)
{
    mr_test_every_nomem(load_and_check, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(valid), MR_TEST_ENTRY(vocabulary), MR_TEST_ENTRY(values),
             MR_TEST_ENTRY(order_and_choice), MR_TEST_ENTRY(many_findings),
             MR_TEST_ENTRY(bad_grammars), MR_TEST_ENTRY(recursion_and_ambiguity),
             MR_TEST_ENTRY(every_allocation_may_fail))
