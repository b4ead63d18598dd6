/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes into the XML reader and the schema check. The first byte says
 * whether includes are on. Held: an error has a place inside the text; every
 * node and attribute is found in the text where its place says; what is written
 * reads back equal; libxml2 prints nothing; and what our vocabulary pass calls
 * an error libxml2's validator refuses too. */
#include "engine/base/xml.h"
#include "engine/base/xml_schema.h"
#include "engine/base/xml_schema_impl.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* of libxml2: where it prints what no structured handler takes */
void xmlSetGenericErrorFunc(void *context, void (*handler)(void *context, const char *fmt, ...));

/* The grammar of tests/engine/base/data/small.rng. */
static const char grammar[] =
    ""
    "<grammar xmlns='http://relaxng.org/ns/structure/1.0' "
    "datatypeLibrary='http://www.w3.org/2001/XMLSchema-datatypes'>"
    "<start><ref name='scenario'/></start><define name='scenario'><element "
    "name='scenario'>"
    "<attribute name='name'><data type='NCName'/></attribute><optional>"
    "<attribute name='seed'><data "
    "type='unsignedLong'/></attribute></optional><interleave>"
    "<ref name='workload'/><zeroOrMore><ref "
    "name='tier'/></zeroOrMore><optional>"
    "<ref name='record'/></optional><optional><ref "
    "name='links'/></optional><optional>"
    "<ref name='notes'/></optional></interleave></element></define><div>"
    "<define name='workload'><element name='workload'><choice><group>"
    "<attribute name='kind'><value>trace</value></attribute><attribute "
    "name='file'/>"
    "</group><group><attribute name='kind'><value>poisson</value></attribute>"
    "<attribute name='rate'><data type='double'><param "
    "name='minExclusive'>0</param></data>"
    "</attribute></group></choice><element name='first'><empty/></element>"
    "<element name='second'><data type='int'/></element><zeroOrMore><element "
    "name='third'>"
    "<empty/></element></zeroOrMore></element></define></div><define "
    "name='tier'>"
    "<element name='tier'><attribute><name>name</name></attribute><optional>"
    "<attribute name='share'><choice><data type='decimal'><param "
    "name='minInclusive'>0"
    "</param><param "
    "name='maxInclusive'>1</param></data><value>rest</value></choice>"
    "</attribute></optional><text/></element></define>"
    "<define name='record' combine='choice'><element name='record'>"
    "<attribute name='every'/><empty/></element></define>"
    "<define name='record' combine='choice'><element name='record'><attribute "
    "name='off'>"
    "<value>yes</value></attribute><oneOrMore><element "
    "name='why'><text/></element>"
    "</oneOrMore></element></define><define name='links'><element name='links'>"
    "<attribute name='weights'><list><oneOrMore><data "
    "type='double'/></oneOrMore></list>"
    "</attribute><oneOrMore><element><choice><name>link</name><name>trunk</"
    "name></choice>"
    "<attribute name='bandwidth'/><optional><attribute "
    "name='latency'/></optional>"
    "</element></oneOrMore></element></define><define name='notes'><element "
    "name='notes'>"
    "<mixed><zeroOrMore><ref "
    "name='anything'/></zeroOrMore></mixed></element></define>"
    "<define "
    "name='anything'><element><anyName/><zeroOrMore><attribute><anyName/>"
    "</attribute></zeroOrMore><mixed><zeroOrMore><ref "
    "name='anything'/></zeroOrMore>"
    "</mixed></element></define></grammar>";

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void on_print(void *context, const char *fmt, ...)
{
    (void)context;
    fprintf(stderr, "printed: %s\n", fmt);
    abort();
}

/* Text from a place on, or NULL when the place is not inside. */
static const char *at(struct mr_str text, int line, int col)
{
    const char *p = text.p, *const end = text.p + text.n;
    for (int i = 1; i < line; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (p == NULL)
            return NULL;
        p++;
    }
    return col >= 1 && col - 1 <= end - p ? p + col - 1 : NULL;
}

static bool starts_with(struct mr_str text, const char *p, const char *name)
{
    const size_t n = strlen(name);
    return p != NULL && (size_t)(text.p + text.n - p) >= n && memcmp(p, name, n) == 0;
}

static void check_places(struct mr_str text, const struct mr_xml_node *root)
{
    for (const struct mr_xml_node *n = root; n != NULL; n = mr_xml_walk(root, n)) {
        const char *p = at(text, n->line, n->col);
        if (strcmp(n->file, "fuzz.xml") != 0)
            continue;
        must(p != NULL && *p == '<' && starts_with(text, p + 1, n->name), "place of an element");
        uint32_t n_child = 0;
        for (const struct mr_xml_node *c = n->child; c != NULL; c = c->next, n_child++)
            must(c->parent == n, "parent");
        must(n_child == n->n_child, "number of children");
        for (uint32_t i = 0; i < n->n_attribute; i++)
            must(starts_with(text, at(text, n->attribute[i].line, n->attribute[i].col),
                             n->attribute[i].name),
                 "place of an attribute");
    }
}

static void check_written(const struct mr_xml_doc *doc, int indent)
{
    struct mr_buf buf = {0};
    struct mr_xml_doc *again = NULL;
    struct mr_err err = {0};
    mr_xml_doc_write(doc, indent, &buf);
    must(mr_xml_load_text("again.xml", (struct mr_str){buf.text, buf.n}, NULL, &again, &err) ==
             MR_OK,
         err.text);
    must(mr_xml_equal(mr_xml_root(doc), mr_xml_root(again)), "written text reads back equal");
    mr_xml_destroy(again);
    mr_buf_fini(&buf);
}

static void check_schema(const struct mr_xml_doc *doc)
{
    static struct mr_xml_schema *schema;
    struct mr_err err = {0};
    if (schema == NULL)
        must(mr_xml_schema_load_text("small.rng", mr_str_of(grammar), &schema, &err) == MR_OK,
             err.text);
    struct mr_diags ours = {0}, theirs = {0};
    const mr_status found = mr_xml_schema_check(schema, doc, &ours);
    const mr_status refused = mr_xml_relaxng_check(schema->relaxng, mr_xml_root(doc), &theirs);
    must((found == MR_OK) == (refused == MR_OK), "libxml2 agrees");
    must((found == MR_OK) == (ours.n_error == 0), "an error is reported");
    for (size_t i = 0; i < ours.n_item; i++)
        must(ours.item[i].err.line > 0 && ours.item[i].err.col > 0, "a finding has a place");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    xmlSetGenericErrorFunc(NULL, on_print);
    const struct mr_xml_options options = {.xinclude = (data[0] & 1) != 0};
    struct mr_str text = {(const char *)data + 1, size - 1};
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    const mr_status status = mr_xml_load_text("fuzz.xml", text, &options, &doc, &err);
    if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0) {
        text.p += 3;
        text.n -= 3;
    }
    if (status != MR_OK) {
        must(err.status == status && err.text[0] != '\0', "an error has a text");
        must(strchr(err.text, '\n') == NULL, "on one line");
        if (strcmp(err.file, "fuzz.xml") == 0)
            must(at(text, err.line, err.col) != NULL, "an error has a place");
        return 0;
    }
    check_places(text, mr_xml_root(doc));
    check_written(doc, 0);
    check_written(doc, 2);
    check_schema(doc);
    mr_xml_destroy(doc);
    return 0;
}
