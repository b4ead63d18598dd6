/* SPDX-License-Identifier: Apache-2.0 */
/* The document's life, looking around in its tree, and writing it back. */
#include "engine/base/xml.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/xml_impl.h"
#include "engine/base/xmlw.h"

#include <libxml/parser.h>

_Static_assert(sizeof(struct mr_xml_node) <= 64 + 8, "a platform has millions of nodes");

void mr_xml_destroy(struct mr_xml_doc *doc)
{
    if (doc == NULL)
        return;
    for (size_t i = 0; i < doc->n_text; i++)
        mr_free(doc->text[i]);
    mr_free(doc->text);
    mr_free(doc->file);
    mr_arena_fini(&doc->arena);
    mr_intern_fini(&doc->names);
    mr_free(doc);
}

const struct mr_xml_node *mr_xml_root(const struct mr_xml_doc *doc)
{
    return doc->root;
}

size_t mr_xml_n_file(const struct mr_xml_doc *doc)
{
    return doc->n_file;
}

const char *mr_xml_file(const struct mr_xml_doc *doc, size_t i)
{
    MR_ASSERT(i < doc->n_file);
    return doc->file[i];
}

const char *mr_xml_doctype(const struct mr_xml_doc *doc)
{
    if (doc->doctype_name == NULL)
        return NULL;
    return doc->doctype_system != NULL ? doc->doctype_system : "";
}

size_t mr_xml_size_bytes(const struct mr_xml_doc *doc)
{
    return sizeof *doc + doc->text_bytes + doc->arena.used_bytes + doc->names.arena.used_bytes;
}

/* ---- the tree ---- */

struct mr_place mr_xml_place(const struct mr_xml_node *node)
{
    return (struct mr_place){node->file, node->line, node->col};
}

struct mr_place mr_xml_attribute_place(const struct mr_xml_node *node,
                                       const struct mr_xml_attribute *attribute)
{
    return (struct mr_place){node->file, attribute->line, attribute->col};
}

static const struct mr_xml_node *first_named(const struct mr_xml_node *node, const char *name)
{
    while (node != NULL && strcmp(node->name, name) != 0)
        node = node->next;
    return node;
}

const struct mr_xml_node *mr_xml_child(const struct mr_xml_node *node, const char *name)
{
    return first_named(node->child, name);
}

const struct mr_xml_node *mr_xml_next(const struct mr_xml_node *node, const char *name)
{
    return first_named(node->next, name);
}

size_t mr_xml_n_child(const struct mr_xml_node *node, const char *name)
{
    size_t n = 0;
    for (const struct mr_xml_node *child = mr_xml_child(node, name); child != NULL;
         child = mr_xml_next(child, name))
        n++;
    return n;
}

const struct mr_xml_node *mr_xml_walk(const struct mr_xml_node *top, const struct mr_xml_node *node)
{
    if (node->child != NULL)
        return node->child;
    while (node != top && node->next == NULL)
        node = node->parent;
    return node != top ? node->next : NULL;
}

const struct mr_xml_attribute *mr_xml_attribute(const struct mr_xml_node *node, const char *name)
{
    for (uint32_t i = 0; i < node->n_attribute; i++)
        if (strcmp(node->attribute[i].name, name) == 0)
            return &node->attribute[i];
    return NULL;
}

const char *mr_xml_value(const struct mr_xml_node *node, const char *name)
{
    const struct mr_xml_attribute *attribute = mr_xml_attribute(node, name);
    return attribute != NULL ? attribute->value : NULL;
}

const char *mr_xml_local_name(const struct mr_xml_node *node)
{
    const char *colon = strchr(node->name, ':');
    return colon != NULL ? colon + 1 : node->name;
}

/* xmlns attributes are kept, so the nearest one that binds the prefix says it. */
const char *mr_xml_namespace(const struct mr_xml_node *node)
{
    const char *colon = strchr(node->name, ':');
    const struct mr_str prefix = {node->name, colon != NULL ? (size_t)(colon - node->name) : 0};
    if (mr_str_is(prefix, "xml"))
        return "http://www.w3.org/XML/1998/namespace";
    for (; node != NULL; node = node->parent) {
        for (uint32_t i = 0; i < node->n_attribute; i++) {
            const char *name = node->attribute[i].name;
            if (strncmp(name, "xmlns", 5) != 0 || (name[5] != '\0' && name[5] != ':'))
                continue;
            if (mr_str_is(prefix, name[5] == ':' ? name + 6 : ""))
                return node->attribute[i].value;
        }
    }
    return "";
}

static bool is_same(const struct mr_xml_node *a, const struct mr_xml_node *b)
{
    if (strcmp(a->name, b->name) != 0 || strcmp(a->text, b->text) != 0 ||
        a->n_attribute != b->n_attribute || a->n_child != b->n_child)
        return false;
    for (uint32_t i = 0; i < a->n_attribute; i++)
        if (strcmp(a->attribute[i].name, b->attribute[i].name) != 0 ||
            strcmp(a->attribute[i].value, b->attribute[i].value) != 0)
            return false;
    return true;
}

/* Equal numbers of children keep the two walks in step. */
bool mr_xml_equal(const struct mr_xml_node *a, const struct mr_xml_node *b)
{
    const struct mr_xml_node *const top_a = a, *const top_b = b;
    while (a != NULL && b != NULL) {
        if (!is_same(a, b))
            return false;
        a = mr_xml_walk(top_a, a);
        b = mr_xml_walk(top_b, b);
    }
    return a == b;
}

/* ---- back to text ---- */

static void open_node(struct mr_xmlw *w, const struct mr_xml_node *node)
{
    mr_xmlw_open(w, node->name);
    for (uint32_t i = 0; i < node->n_attribute; i++)
        mr_xmlw_attr(w, node->attribute[i].name, node->attribute[i].value);
    if (node->text[0] != '\0')
        mr_xmlw_text(w, mr_str_of(node->text));
}

static void write_tree(struct mr_xmlw *w, const struct mr_xml_node *top)
{
    const struct mr_xml_node *node = top;
    while (node != NULL) {
        open_node(w, node);
        if (node->child != NULL) {
            node = node->child;
            continue;
        }
        mr_xmlw_close(w, node->name);
        while (node != top && node->next == NULL) {
            node = node->parent;
            mr_xmlw_close(w, node->name);
        }
        node = node != top ? node->next : NULL;
    }
    mr_xmlw_end(w);
}

void mr_xml_write(const struct mr_xml_node *node, int indent, struct mr_buf *buf)
{
    struct mr_xmlw w;
    mr_xmlw_init(&w, buf, indent);
    write_tree(&w, node);
}

void mr_xml_doc_write(const struct mr_xml_doc *doc, int indent, struct mr_buf *buf)
{
    struct mr_xmlw w;
    mr_xmlw_init(&w, buf, indent);
    mr_xmlw_prolog(&w, doc->doctype_name, doc->doctype_public, doc->doctype_system);
    write_tree(&w, doc->root);
}

/* ---- the library below ---- */

const char *mr_xml_library_version(void)
{
    return LIBXML_DOTTED_VERSION;
}

void mr_xml_library_fini(void)
{
    xmlCleanupParser();
}
