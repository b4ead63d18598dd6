/* SPDX-License-Identifier: Apache-2.0 */
/* Builds libxml2's tree from ours (each node points back through _private), runs its validator, and
 * turns the cascade of messages it gives for one mistake into the one that names the cause. */
#include "engine/base/xml_relaxng.h"

#include "engine/base/mem.h"
#include "engine/base/xml_message.h"

#include <libxml/relaxng.h>

#include <stdio.h>

struct mr_xml_relaxng {
    xmlRelaxNG *schema;
};

/* ---- our tree to libxml2's ---- */

static const xmlChar *chars(const char *text)
{
    return (const xmlChar *)text;
}

static void *private_of(const struct mr_xml_node *node)
{
    union {
        const struct mr_xml_node *ours;
        void *theirs;
    } pointer = {.ours = node}; /* libxml2 never looks at it */
    return pointer.theirs;
}

static xmlNs *namespace_of(xmlDoc *doc, xmlNode *element, const char *name)
{
    const char *colon = strchr(name, ':');
    char prefix[128];
    if (colon == NULL)
        return xmlSearchNs(doc, element, NULL);
    if (snprintf(prefix, sizeof prefix, "%.*s", (int)(colon - name), name) >= (int)sizeof prefix)
        return NULL;
    return xmlSearchNs(doc, element, chars(prefix));
}

static bool add_attributes(xmlDoc *doc, xmlNode *element, const struct mr_xml_node *node)
{
    for (uint32_t i = 0; i < node->n_attribute; i++) {
        const struct mr_xml_attribute *a = &node->attribute[i];
        const bool is_prefixed = strncmp(a->name, "xmlns:", 6) == 0;
        if ((is_prefixed || strcmp(a->name, "xmlns") == 0) &&
            xmlNewNs(element, chars(a->value), is_prefixed ? chars(a->name + 6) : NULL) == NULL)
            return false;
    }
    xmlSetNs(element, namespace_of(doc, element, node->name));
    for (uint32_t i = 0; i < node->n_attribute; i++) {
        const struct mr_xml_attribute *a = &node->attribute[i];
        if (strcmp(a->name, "xmlns") == 0 || strncmp(a->name, "xmlns:", 6) == 0)
            continue;
        const char *colon = strchr(a->name, ':');
        xmlNs *ns = colon != NULL ? namespace_of(doc, element, a->name) : NULL;
        if (xmlNewNsProp(element, ns, chars(colon != NULL ? colon + 1 : a->name),
                         chars(a->value)) == NULL)
            return false;
    }
    return true;
}

/* Element with attributes and text, hung under `parent` (NULL: the root). */
static xmlNode *add_element(xmlDoc *doc, xmlNode *parent, const struct mr_xml_node *node)
{
    xmlNode *element = xmlNewDocNode(doc, NULL, chars(mr_xml_local_name(node)), NULL);
    if (element == NULL)
        return NULL;
    if (parent != NULL)
        (void)xmlAddChild(parent, element);
    else
        (void)xmlDocSetRootElement(doc, element);
    element->_private = private_of(node);
    element->line = (unsigned short)(node->line < UINT16_MAX ? node->line : UINT16_MAX);
    if (!add_attributes(doc, element, node))
        return NULL;
    if (node->text[0] != '\0') {
        xmlNode *text = xmlNewDocText(doc, chars(node->text));
        if (text == NULL)
            return NULL;
        (void)xmlAddChild(element, text);
    }
    return element;
}

/* NULL: out of memory. */
static xmlDoc *build(const struct mr_xml_node *top)
{
    xmlDoc *doc = xmlNewDoc(chars("1.0"));
    xmlNode *parent = NULL;
    const struct mr_xml_node *node = top;
    while (doc != NULL && node != NULL) {
        xmlNode *element = add_element(doc, parent, node);
        if (element == NULL) {
            xmlFreeDoc(doc);
            return NULL;
        }
        if (node->child != NULL) {
            parent = element;
            node = node->child;
            continue;
        }
        while (node != top && node->next == NULL) {
            node = node->parent;
            parent = parent->parent;
        }
        node = node != top ? node->next : NULL;
    }
    return doc;
}

/* ---- schema ---- */

struct schema_log {
    const struct mr_xml_node *grammar;
    struct mr_err *err;
    mr_status status;
};

/* The copy libxml2 works on has lost our pointers but kept the lines. */
static void on_schema_error(void *user, xmlErrorPtr error)
{
    struct schema_log *log = user;
    char text[mr_xml_message_cap];
    if (log->status != MR_OK || error->level < XML_ERR_ERROR)
        return;
    if (error->code == XML_ERR_NO_MEMORY) {
        log->status = mr_err_set(log->err, MR_NOMEM, MR_NOWHERE, "out of memory (RELAX NG)");
        return;
    }
    mr_xml_message_clean(error->message, text);
    const xmlNode *node = error->node;
    const int line = node != NULL && node->line > 0 ? node->line : log->grammar->line;
    log->status = mr_err_set(log->err, MR_SCHEMA, (struct mr_place){log->grammar->file, line, 0},
                             "schema: %s", text);
}

mr_status mr_xml_relaxng_create(const struct mr_xml_node *grammar, struct mr_xml_relaxng **out,
                                struct mr_err *err)
{
    struct schema_log log = {.grammar = grammar, .err = err};
    struct mr_xml_relaxng *relaxng = mr_alloc_zero(1, sizeof *relaxng);
    if (relaxng == NULL)
        return mr_err_nomem(err, sizeof *relaxng);
    xmlDoc *doc = build(grammar);
    xmlRelaxNGParserCtxt *parser = doc != NULL ? xmlRelaxNGNewDocParserCtxt(doc) : NULL;
    if (parser != NULL) {
        xmlRelaxNGSetParserStructuredErrors(parser, on_schema_error, &log);
        relaxng->schema = xmlRelaxNGParse(parser);
    } else {
        log.status = mr_err_set(err, MR_NOMEM, MR_NOWHERE, "out of memory (RELAX NG)");
    }
    xmlRelaxNGFreeParserCtxt(parser);
    xmlFreeDoc(doc);
    if (log.status == MR_OK && relaxng->schema == NULL)
        log.status = mr_err_set(err, MR_SCHEMA, mr_xml_place(grammar), "schema: invalid");
    if (log.status != MR_OK) {
        mr_xml_relaxng_destroy(relaxng);
        return log.status;
    }
    *out = relaxng;
    return MR_OK;
}

void mr_xml_relaxng_destroy(struct mr_xml_relaxng *relaxng)
{
    if (relaxng == NULL)
        return;
    xmlRelaxNGFree(relaxng->schema);
    mr_free(relaxng);
}

/* ---- validation ---- */

/* Which of libxml2's messages says most: rank 0 wins, within a rank the first. Those not listed
 * only repeat that something inside is wrong. */
enum {
    rank_worst = 100
};
static const struct {
    int code, rank;
} ranks[] = {
    {XML_RELAXNG_ERR_TYPEVAL, 0},      {XML_RELAXNG_ERR_DATATYPE, 1},
    {XML_RELAXNG_ERR_INVALIDATTR, 2},  {XML_RELAXNG_ERR_ATTRVALID, 3},
    {XML_RELAXNG_ERR_EXTRACONTENT, 4}, {XML_RELAXNG_ERR_ELEMNAME, 5},
    {XML_RELAXNG_ERR_NOELEM, 6},       {XML_RELAXNG_ERR_NOTELEM, 7},
    {XML_RELAXNG_ERR_ELEMWRONG, 8},    {XML_RELAXNG_ERR_TEXTWRONG, 9},
    {XML_RELAXNG_ERR_ELEMNONS, 10},    {XML_RELAXNG_ERR_ELEMWRONGNS, 10},
    {XML_RELAXNG_ERR_ELEMEXTRANS, 10}, {XML_RELAXNG_ERR_INTEREXTRA, 12},
    {XML_RELAXNG_ERR_INTERSEQ, 13},    {XML_RELAXNG_ERR_CONTENTVALID, 14},
};

struct finding {
    const struct mr_xml_node *root;
    int rank;
    const struct mr_xml_node *last; /* place of any message so far, for those that have none */
    struct mr_err err;
    bool is_nomem;
};

static const struct mr_xml_node *ours(const xmlNode *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE)
        node = node->parent;
    return node != NULL ? node->_private : NULL;
}

/* libxml2 sometimes names an element but points at one inside it. */
static const struct mr_xml_node *around(const struct mr_xml_node *node, const char *name)
{
    if (name == NULL)
        return node;
    for (const struct mr_xml_node *n = node; n != NULL; n = n->parent)
        if (strcmp(mr_xml_local_name(n), name) == 0)
            return n;
    return node;
}

static const struct {
    int code;
    const char *text; /* behind "element <x>: " */
} plain[] = {
    {XML_RELAXNG_ERR_ATTRVALID, "these attributes do not go together or one is missing"},
    {XML_RELAXNG_ERR_NOTELEM, "text where an element was expected"},
    {XML_RELAXNG_ERR_INTEREXTRA, "does not fit here: repeated, or something in it is wrong"},
    {XML_RELAXNG_ERR_INTERSEQ, "something is missing, repeated or in the wrong order"},
    {XML_RELAXNG_ERR_CONTENTVALID, "something is missing, repeated or in the wrong order"},
};

/* Messages without names in them, and those we have no words for. */
static void describe_plain(struct mr_err *err, const xmlError *error,
                           const struct mr_xml_node *node)
{
    char text[mr_xml_message_cap];
    mr_xml_message_clean(error->message, text);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (plain[i].code == error->code)
            (void)snprintf(text, sizeof text, "%s", plain[i].text);
    (void)mr_err_set(err, MR_SCHEMA, mr_xml_place(node), "element <%s>: %s", node->name, text);
}

static void describe(struct mr_err *err, const xmlError *error, const struct mr_xml_node *node)
{
    const char *str1 = error->str1 != NULL ? error->str1 : "";
    const char *str2 = error->str2 != NULL ? error->str2 : "";
    char one[MR_QUOTE_CAP], two[MR_QUOTE_CAP];
    mr_text_quote(mr_str_of(str1), one);
    mr_text_quote(mr_str_of(str2), two);
    struct mr_place at = mr_xml_place(node);
    *err = (struct mr_err){0};
    if (error->code == XML_RELAXNG_ERR_TYPEVAL) {
        (void)mr_err_set(err, MR_SCHEMA, at, "element <%s>: bad value \"%s\": not of type %s",
                         node->name, two, one);
    } else if (error->code == XML_RELAXNG_ERR_INVALIDATTR) {
        const struct mr_xml_attribute *attribute = mr_xml_attribute(node, str1);
        if (attribute != NULL)
            at = mr_xml_attribute_place(node, attribute);
        (void)mr_err_set(err, MR_SCHEMA, at,
                         "element <%s>: attribute \"%s\" does not go with its other attributes",
                         node->name, one);
    } else if (error->code == XML_RELAXNG_ERR_EXTRACONTENT && strcmp(str2, "text") != 0) {
        const struct mr_xml_node *child = mr_xml_child(node, str2);
        if (child != NULL && strcmp(mr_xml_local_name(node), str1) == 0)
            at = mr_xml_place(child);
        (void)mr_err_set(err, MR_SCHEMA, at, "element <%s>: <%s> is not allowed at this place", one,
                         two);
    } else if (error->code == XML_RELAXNG_ERR_ELEMNAME) {
        (void)mr_err_set(err, MR_SCHEMA, at, "element <%s>: found <%s> where <%s> was expected",
                         node->parent != NULL ? node->parent->name : node->name, two, one);
    } else if (error->code == XML_RELAXNG_ERR_NOELEM) {
        (void)mr_err_set(err, MR_SCHEMA, at, "element <%s>: missing element <%s>", node->name, one);
    } else {
        describe_plain(err, error, node);
    }
}

static void on_error(void *user, xmlErrorPtr error)
{
    struct finding *finding = user;
    if (error->code == XML_ERR_NO_MEMORY || error->code == XML_RELAXNG_ERR_MEMORY)
        finding->is_nomem = true;
    if (error->level < XML_ERR_ERROR)
        return;
    int rank = rank_worst - 1;
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        if (ranks[i].code == error->code)
            rank = ranks[i].rank;
    const struct mr_xml_node *node = ours(error->node);
    if (node == NULL)
        node = finding->last != NULL ? finding->last : finding->root;
    finding->last = node;
    if (rank >= finding->rank)
        return;
    if (error->code == XML_RELAXNG_ERR_ATTRVALID || error->code == XML_RELAXNG_ERR_CONTENTVALID ||
        error->code == XML_RELAXNG_ERR_INTEREXTRA)
        node = around(node, error->str1);
    finding->rank = rank;
    describe(&finding->err, error, node);
}

mr_status mr_xml_relaxng_check(const struct mr_xml_relaxng *relaxng, const struct mr_xml_node *root,
                               struct mr_diags *diags)
{
    struct finding finding = {.root = root, .rank = rank_worst};
    xmlDoc *doc = build(root);
    xmlRelaxNGValidCtxt *valid = doc != NULL ? xmlRelaxNGNewValidCtxt(relaxng->schema) : NULL;
    int result = 0;
    if (valid != NULL) {
        xmlRelaxNGSetValidStructuredErrors(valid, on_error, &finding);
        result = xmlRelaxNGValidateDoc(valid, doc);
    }
    finding.is_nomem = finding.is_nomem || valid == NULL;
    xmlRelaxNGFreeValidCtxt(valid);
    xmlFreeDoc(doc);
    if (finding.is_nomem)
        return mr_diags_add(diags, MR_SEVERITY_ERROR, MR_NOMEM, MR_NOWHERE,
                            "out of memory (RELAX NG)");
    if (finding.rank < rank_worst)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &finding.err);
    if (result != 0)
        return mr_diags_add(diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(root),
                            "element <%s>: does not fit its schema", root->name);
    return MR_OK;
}
